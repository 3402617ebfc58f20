//! Files in an object store that speaks S3.
//!
//! Parts of a file that broke off stay there unseen when their process was killed, too: the bucket has to let
//! incomplete uploads go by a lifecycle rule.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector as Tcp},
    rt::{TokioExecutor, TokioTimer},
};
use object_store::{
    ClientOptions, ObjectStore, RetryConfig,
    aws::AmazonS3Builder,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
        HttpResponseBody, HttpService,
    },
    path::Path,
    prefix::PrefixStore,
};
use quenty_platform::{Error, Result, settings::Settings};
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// From the request to the head of its answer; a request may carry a part of a file.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Somebody waits.
const RETRIES: usize = 2;

/// The bucket that `s3://bucket/prefix` names, with what the other settings say of it.
pub(crate) fn bucket(url: &Url, settings: &Settings) -> Result<Arc<dyn ObjectStore>> {
    let bad = |why: &dyn std::fmt::Display| Error::internal(format!("QUENTY_FILES_URL: {why}"));
    let name = url.host_str().filter(|name| !name.is_empty()).ok_or_else(|| bad(&"names no bucket"))?;
    let prefix = Path::parse(url.path().trim_matches('/')).map_err(|e| bad(&e))?;
    let required = |key: &str| settings.require(key).map_err(Error::internal);
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(name)
        .with_region(required("files_region")?)
        .with_access_key_id(required("files_access_key_id")?)
        .with_secret_access_key(required("files_secret_access_key")?)
        .with_retry(RetryConfig { max_retries: RETRIES, retry_timeout: TIMEOUT, ..RetryConfig::default() })
        // One file is deleted by one request, which is what every store understands.
        .with_disable_bulk_delete(true)
        .with_http_connector(Wire::default());
    if let Some(endpoint) = settings.get("files_endpoint_url") {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http:"));
    }
    Ok(Arc::new(PrefixStore::new(builder.build().map_err(|e| bad(&e))?, prefix)))
}

/// The house's HTTP client, with TLS.
#[derive(Debug, Clone)]
struct Wire(Client<HttpsConnector<Tcp>, HttpRequestBody>);

impl Default for Wire {
    fn default() -> Self {
        let mut tcp = Tcp::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.enforce_http(false);
        let tls = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let builder = &mut Client::builder(TokioExecutor::new());
        Self(builder.pool_timer(TokioTimer::new()).pool_idle_timeout(Duration::from_secs(30)).build(tls))
    }
}

impl HttpConnector for Wire {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Wire {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = tokio::time::timeout(TIMEOUT, self.0.request(request)).await;
        let answer = answer.map_err(|e| HttpError::new(HttpErrorKind::Timeout, e))?.map_err(|e| {
            let kind = if e.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Interrupted };
            HttpError::new(kind, e)
        })?;
        let broken = |e| HttpError::new(HttpErrorKind::Interrupted, e);
        Ok(answer.map(|body| HttpResponseBody::new(body.map_err(broken))))
    }
}
