//! Connections to the processes of a service: told by the ports that these see.

use std::{collections::HashSet, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{StatusCode, header},
    routing::get,
};
use hyper::Method;
use quenty_gateway::Upstream;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;

use crate::support::{Door, description, serve};

const PLAIN: &str = "/api/v1/plain";
const CLOSED: &str = "/api/v1/closed";
const SLOW: &str = "/api/v1/slow";
const ILL: &str = "/api/v1/ill";

type Peer = ConnectInfo<SocketAddr>;

/// A door to a process that says from which port it was asked; slowly, where it waits for `end` before its last word.
async fn door(end: Arc<Semaphore>) -> Door {
    let closing = async |ConnectInfo(peer): Peer| ([(header::CONNECTION, "close")], peer.port().to_string());
    let slow = move |ConnectInfo(peer): Peer| async move {
        let begun = futures_util::stream::iter([Ok::<_, std::io::Error>(format!("{} ", peer.port()))]);
        let ended = futures_util::stream::once(async move {
            drop(end.acquire().await);
            Ok("end".to_owned())
        });
        Body::from_stream(futures_util::StreamExt::chain(begun, ended))
    };
    let ill = async |ConnectInfo(peer): Peer| (StatusCode::SERVICE_UNAVAILABLE, peer.port().to_string());
    let described = description(&[("get", PLAIN), ("post", CLOSED), ("get", SLOW), ("get", ILL)]);
    let router = Router::new()
        .route(PLAIN, get(async |ConnectInfo(peer): Peer| peer.port().to_string()))
        .route(CLOSED, axum::routing::post(closing))
        .route(SLOW, get(slow))
        .route(ILL, get(ill))
        .route("/health/ready", get(async || StatusCode::OK))
        .route("/openapi.json", get(move || std::future::ready(axum::Json(described.clone()))));
    let url = serve(router, CancellationToken::new()).await;
    Door::open(vec![Upstream::remote("things", &url)], &[]).await
}

#[tokio::test]
async fn one_request_after_the_other_goes_by_the_same_connection() {
    let door = door(Arc::new(Semaphore::new(0))).await;
    let mut ports = HashSet::new();
    for _ in 0..3 {
        ports.insert(door.get(PLAIN).send().await.expect(200).text());
        // Asked for three times, of which nobody reads two.
        ports.insert(door.get(ILL).send().await.expect(503).text());
    }
    assert!(ports.len() <= 2, "the routes may be read meanwhile: {ports:?}");
}

#[tokio::test]
async fn a_connection_that_its_process_closes_is_not_used_again() {
    let door = door(Arc::new(Semaphore::new(0))).await;
    let mut ports = HashSet::new();
    for _ in 0..20 {
        // Nobody would send it a second time.
        ports.insert(door.call(Method::POST, CLOSED).send().await.expect(200).text());
    }
    assert_eq!(ports.len(), 20);
}

#[tokio::test]
async fn a_connection_is_nobody_elses_until_its_answer_is_read() {
    let end = Arc::new(Semaphore::new(0));
    let door = door(Arc::clone(&end)).await;
    let mut stream = door.connect().await;
    stream
        .write_all(format!("GET {SLOW} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let (mut seen, mut piece) = (String::new(), [0; 1024]);
    while !seen.split_once("\r\n\r\n").is_some_and(|(_, body)| body.contains(' ')) {
        let read = stream.read(&mut piece).await.unwrap();
        assert!(read > 0, "{seen}");
        seen.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    for _ in 0..5 {
        let port = door.get(PLAIN).send().await.expect(200).text();
        assert!(!seen.contains(&format!("{port} ")), "{port} is still read from: {seen}");
    }
    end.add_permits(1);
    stream.read_to_string(&mut seen).await.unwrap();
    assert!(seen.contains("end"), "{seen}");
}
