//! An object store in the test's own process that speaks as much of S3 as files need, over real HTTP.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Query, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use tokio::{net::TcpListener, task::JoinHandle};

const ACCESS: &str = "AWS4-HMAC-SHA256 Credential=the-id/";

/// What it holds.
#[derive(Default)]
pub struct Held {
    /// By path, the bucket first.
    pub objects: BTreeMap<String, Vec<u8>>,
    /// Uploads under way, by id, with their parts by number.
    pub uploads: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    pub requests: Vec<String>,
    /// So many requests to come fail.
    pub failing: usize,
}

pub struct Bucket {
    pub url: String,
    pub held: Arc<Mutex<Held>>,
    serving: JoinHandle<()>,
}

impl Bucket {
    pub async fn open() -> Self {
        let held = Arc::<Mutex<Held>>::default();
        let router = Router::new().fallback(answer).layer(DefaultBodyLimit::disable());
        let router = router.with_state(Arc::clone(&held));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        #[expect(clippy::disallowed_methods, reason = "ends with the test, by its handle")]
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, held, serving }
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

type Parameters = HashMap<String, String>;

async fn answer(
    State(held): State<Arc<Mutex<Held>>>,
    method: Method,
    uri: Uri,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut held = held.lock().unwrap();
    held.requests.push(format!("{method} {} {}", uri.path(), body.len()));
    if held.failing > 0 {
        held.failing -= 1;
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let signed = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !signed.starts_with(ACCESS) || !signed.contains("/eu-west-1/s3/aws4_request") {
        return StatusCode::FORBIDDEN.into_response();
    }
    let (path, tag) = (uri.path().to_owned(), [(header::ETAG, "\"e\"")]);
    let upload = query.get("uploadId").cloned();
    match (method, upload) {
        (Method::POST, None) if query.contains_key("uploads") => {
            let id = format!("u{}", held.requests.len());
            held.uploads.insert(id.clone(), BTreeMap::new());
            format!(
                "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            )
            .into_response()
        }
        (Method::PUT, Some(id)) => {
            held.uploads.get_mut(&id).unwrap().insert(query["partNumber"].parse().unwrap(), body.to_vec());
            tag.into_response()
        }
        (Method::POST, Some(id)) => {
            let parts = held.uploads.remove(&id).unwrap();
            held.objects.insert(path, parts.into_values().flatten().collect());
            "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>".into_response()
        }
        (Method::DELETE, Some(id)) => {
            held.uploads.remove(&id);
            StatusCode::NO_CONTENT.into_response()
        }
        (Method::PUT, None) => {
            held.objects.insert(path, body.to_vec());
            tag.into_response()
        }
        (Method::GET, _) => match held.objects.get(&path) {
            Some(object) => {
                let dated = [(header::LAST_MODIFIED, "Mon, 05 Jan 2026 12:00:00 GMT")];
                (tag, dated, object.clone()).into_response()
            }
            None => StatusCode::NOT_FOUND.into_response(),
        },
        (Method::DELETE, None) => {
            held.objects.remove(&path);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}
