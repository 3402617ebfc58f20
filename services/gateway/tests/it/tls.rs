//! TLS with a certificate of one's own, and HTTP/2 over it.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, http::HeaderMap, routing::get};
use http_body_util::BodyExt;
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use quenty_gateway::{Gateway, Upstream};
use quenty_platform::{
    client::Transport,
    discovery::Discovery,
    settings::{CHASSIS, Settings},
    token::Verifier,
};
use quenty_testkit::{keys, wait::eventually};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};

use crate::support::{Door, description, endless};

const PATH: &str = "/api/v1/things";

fn things() -> Upstream {
    let seen = |headers: HeaderMap| async move {
        let names: Vec<_> = headers.keys().map(ToString::to_string).collect();
        names.join(" ")
    };
    Upstream::local("things", Router::new().route(PATH, get(seen)), description(&[("get", PATH)]))
}

/// A gateway with a certificate for `localhost`, and who trusts it.
async fn door() -> (Door, Arc<RootCertStore>, tempfile::TempDir) {
    door_with(things(), &[]).await
}

async fn door_with(
    service: Upstream,
    more: &[(&str, &str)],
) -> (Door, Arc<RootCertStore>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let roots = make_certificate(folder.path());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (certificate, key) = (path("cert.pem"), path("key.pem"));
    let files = [("tls_certificate_file", certificate.as_str()), ("tls_key_file", key.as_str())];
    let door = Door::begin(vec![service], &[&files, more].concat()).await;
    (door, roots, folder)
}

/// Writes another certificate in the place of the one that is there; tells who trusts it.
fn make_certificate(folder: &Path) -> Arc<RootCertStore> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    Arc::new(roots)
}

async fn greet(door: &Door, roots: &Arc<RootCertStore>, protocols: &[&[u8]]) -> TlsStream<TcpStream> {
    try_greet(door, roots, protocols).await.unwrap()
}

async fn try_greet(
    door: &Door,
    roots: &Arc<RootCertStore>,
    protocols: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(Arc::clone(roots))
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, door.connect().await).await
}

async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn clients_may_speak_http_2_and_many_requests_share_a_connection() {
    let (door, roots, _files) = door().await;
    let stream = greet(&door, &roots, &[b"h2", b"http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
    tokio::spawn(connection);
    let ask = |number: usize| {
        let mut sender = sender.clone();
        let request =
            Request::get(format!("https://localhost{PATH}?n={number}")).body(Body::empty()).unwrap();
        async move { sender.send_request(request).await.unwrap() }
    };
    for response in futures_util::future::join_all((0..50).map(ask)).await {
        assert_eq!(response.status(), 200);
        let told = response.headers();
        assert_eq!(told["strict-transport-security"], "max-age=31536000; includeSubDomains");
        assert!(told.contains_key("x-request-id") && !told.contains_key("connection"));
        assert!(text(response).await.contains("traceparent"));
    }
    let missing = Request::get("https://localhost/api/v1/none").body(Body::empty()).unwrap();
    let missing = sender.clone().send_request(missing).await.unwrap();
    assert_eq!(
        (missing.status().as_u16(), missing.headers()["content-type"].to_str().unwrap()),
        (404, "application/problem+json")
    );
    for (path, status) in [("/health/live", 200), ("/api/v1/none", 404)] {
        let head = Request::head(format!("https://localhost{path}")).body(Body::empty()).unwrap();
        let head = sender.clone().send_request(head).await.unwrap();
        assert_eq!(head.status(), status);
        let length: usize = head.headers()["content-length"].to_str().unwrap().parse().unwrap();
        assert!(length > 0 && text(head).await.is_empty(), "{path}");
    }
}

/// Of a client of HTTP/2 who answers pings, whatever else it does.
async fn speak_http2(
    stream: TlsStream<TcpStream>,
    window: u32,
) -> (SendRequest<Body>, impl Future<Output = hyper::Result<()>> + Send + 'static) {
    let mut client = http2::Builder::new(TokioExecutor::new());
    client.initial_stream_window_size(window);
    client.handshake(TokioIo::new(stream)).await.unwrap()
}

#[tokio::test]
async fn who_speaks_http_2_and_asks_nothing_is_let_go() {
    let (door, roots, _files) = door_with(things(), &[("header_timeout_ms", "1000")]).await;
    let stream = greet(&door, &roots, &[b"h2"]).await;
    let (mut sender, connection) = speak_http2(stream, 65_535).await;
    let asking = async {
        let request = Request::get(format!("https://localhost{PATH}")).body(Body::empty()).unwrap();
        text(sender.send_request(request).await.unwrap()).await;
        // It would ask again.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = asking => {}
        ended = tokio::time::timeout(Duration::from_secs(20), connection) => drop(ended.expect("it is let go")),
    }
}

#[tokio::test]
async fn who_speaks_http_2_and_reads_nothing_is_cut_off() {
    let is_gone = Arc::new(AtomicBool::new(false));
    let service = endless(PATH, Arc::clone(&is_gone));
    let (door, roots, _files) = door_with(service, &[("write_timeout_ms", "300")]).await;
    let stream = greet(&door, &roots, &[b"h2"]).await;
    let (mut sender, connection) = speak_http2(stream, 0).await;
    #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
    tokio::spawn(connection);
    let request = Request::get(format!("https://localhost{PATH}")).body(Body::empty()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    eventually("it is cut off", || async { is_gone.load(Ordering::SeqCst).then_some(()) }).await;
    drop(response);
}

#[tokio::test]
async fn clients_of_http_1_are_served_by_tls_and_nobody_in_the_clear() {
    let (door, roots, _files) = door().await;
    let stream = greet(&door, &roots, &[b"http/1.1"]).await;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Body>(TokioIo::new(stream)).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
    tokio::spawn(connection);
    let request = Request::get(PATH).header("host", "localhost").body(Body::empty()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers().contains_key("strict-transport-security"));
    let clear = door.raw(format!("GET {PATH} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await;
    assert!(!clear.starts_with("HTTP/"), "{clear}");
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart_and_half_of_one_changes_nothing() {
    let (door, old, folder) = door().await;
    let established = greet(&door, &old, &[b"http/1.1"]).await;
    let key = std::fs::read(folder.path().join("key.pem")).unwrap();
    let new = make_certificate(folder.path());
    let renewed = std::fs::read(folder.path().join("key.pem")).unwrap();
    // As if only half of it had been copied yet.
    std::fs::write(folder.path().join("key.pem"), key).unwrap();
    assert!(try_greet(&door, &old, &[b"http/1.1"]).await.is_ok());
    std::fs::write(folder.path().join("key.pem"), renewed).unwrap();
    eventually("the new certificate is shown", || async {
        try_greet(&door, &new, &[b"http/1.1"]).await.ok().map(drop)
    })
    .await;
    assert!(try_greet(&door, &old, &[b"http/1.1"]).await.is_err());
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake::<_, Body>(TokioIo::new(established)).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
    tokio::spawn(connection);
    let request = Request::get(PATH).header("host", "localhost").body(Body::empty()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200, "who was there stays");
}

#[tokio::test]
async fn a_certificate_without_its_key_or_that_is_none_is_a_start_error() {
    let folder = tempfile::tempdir().unwrap();
    let nonsense = folder.path().join("x.pem");
    std::fs::write(&nonsense, "nonsense").unwrap();
    let nonsense = nonsense.to_str().unwrap();
    for files in [
        &[("tls_certificate_file", nonsense)][..],
        &[("tls_certificate_file", nonsense), ("tls_key_file", nonsense)],
    ] {
        let mut settings =
            Settings::load(&[CHASSIS, quenty_gateway::SETTINGS], None, std::iter::empty()).unwrap();
        for (key, value) in files {
            settings = settings.with(key, *value);
        }
        let discovery = Discovery::from_settings(&settings, &Transport::default());
        let verifier = Verifier::new(Transport::default(), discovery.clone(), keys::ISSUER);
        let refused = Gateway::new(&settings, verifier, discovery, vec![things()]).err().unwrap().to_string();
        assert!(refused.contains("TLS") || refused.contains("x.pem"), "{refused}");
    }
}
