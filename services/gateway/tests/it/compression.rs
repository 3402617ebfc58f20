//! Answers that are made smaller on their way.

use std::io::Read;

use axum::{Router, body::Body, http::header, response::IntoResponse, routing::get};
use quenty_gateway::Upstream;
use quenty_testkit::wait::eventually;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::{Door, description};

fn long() -> String {
    format!("[{}]", vec![r#"{"status": "in_transit", "city": "Bogotá"}"#; 200].join(","))
}

fn service() -> Upstream {
    let json = |body: String| ([(header::CONTENT_TYPE, "application/json")], body).into_response();
    let stream = || async {
        let first = Body::from_stream(futures_util::StreamExt::chain(
            futures_util::stream::iter([Ok::<_, std::io::Error>(format!("data: {}\n\n", long()))]),
            futures_util::stream::pending(),
        ));
        ([(header::CONTENT_TYPE, "text/event-stream")], first)
    };
    let router = Router::new()
        .route("/api/v1/long", get(move || async move { json(long()) }))
        .route("/api/v1/short", get(move || async move { json("[]".to_owned()) }))
        .route("/api/v1/large", get(move || async move { json(long().repeat(20)) }))
        .route("/api/v1/label", get(|| async { ([(header::CONTENT_TYPE, "application/pdf")], long()) }))
        .route(
            "/api/v1/token",
            get(move || async move { ([(header::CACHE_CONTROL, "no-store")], json(long())) }),
        )
        .route("/api/v1/stream", get(stream));
    let names = ["long", "short", "large", "label", "token", "stream"].map(|name| format!("/api/v1/{name}"));
    let operations: Vec<_> = names.iter().map(|path| ("get", path.as_str())).collect();
    Upstream::local("things", router, description(&operations))
}

fn plain(coding: &str, body: &[u8]) -> String {
    let mut text = Vec::new();
    match coding {
        "br" => {
            brotli::BrotliDecompress(&mut &*body, &mut text).unwrap();
        }
        "gzip" => {
            flate2::read::GzDecoder::new(body).read_to_end(&mut text).unwrap();
        }
        "zstd" => {
            ruzstd::decoding::StreamingDecoder::new(body).unwrap().read_to_end(&mut text).unwrap();
        }
        other => panic!("{other}"),
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn a_text_of_some_size_comes_in_the_coding_that_the_client_likes() {
    let door = Door::open(vec![service()], &[]).await;
    for (path, whole) in [("/api/v1/long", long()), ("/api/v1/large", long().repeat(20))] {
        for (accepted, coding) in
            [("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("gzip;q=0.5, zstd", "zstd")]
        {
            let answer = door.get(path).header("accept-encoding", accepted).send().await.expect(200);
            assert_eq!(answer.header("content-encoding"), Some(coding), "{accepted}");
            assert_eq!(answer.header("vary"), Some("accept-encoding"));
            assert!(answer.body.len() < whole.len() / 10, "{coding}: {}", answer.body.len());
            assert_eq!(plain(coding, &answer.body), whole);
        }
        let answer = door.get(path).send().await.expect(200);
        assert_eq!((answer.header("content-encoding"), answer.text()), (None, whole));
        assert_eq!(answer.header("vary"), Some("accept-encoding"));
    }
}

#[tokio::test]
async fn what_gains_nothing_or_is_nobody_elses_affair_stays_as_it_is() {
    let door = Door::open(vec![service()], &[]).await;
    for path in ["/api/v1/short", "/api/v1/label", "/api/v1/token"] {
        let answer = door.get(path).header("accept-encoding", "gzip, br, zstd").send().await.expect(200);
        assert_eq!(answer.header("content-encoding"), None, "{path}");
    }
}

#[tokio::test]
async fn of_an_answer_that_breaks_off_there_is_no_half() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = Upstream::remote("things", &format!("http://{}", listener.local_addr().unwrap()));
    let described = description(&[("get", "/api/v1/long")]).to_string();
    #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            let read = stream.read(&mut asked).await.unwrap_or_default();
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length";
            let answer = if String::from_utf8_lossy(&asked[..read]).starts_with("GET /openapi.json ") {
                format!("{head}: {}\r\n\r\n{described}", described.len())
            } else {
                format!("{head}: 5000\r\n\r\n[")
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let door = Door::begin(vec![upstream], &[]).await;
    let answer = eventually("its routes are known", || async {
        let answer = door.get("/api/v1/long").header("accept-encoding", "gzip").send().await;
        (answer.code() != "STARTING").then_some(answer)
    })
    .await
    .expect_problem(502, "UPSTREAM_BROKE_OFF");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
}

#[tokio::test]
async fn a_stream_passes_at_once_and_as_it_is() {
    let door = Door::open(vec![service()], &[]).await;
    let mut stream = door.connect().await;
    stream
        .write_all(b"GET /api/v1/stream HTTP/1.1\r\nhost: x\r\naccept-encoding: gzip, br\r\n\r\n")
        .await
        .unwrap();
    let mut seen = String::new();
    while !seen.contains("]\n\n") {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap();
        assert!(read > 0, "it ended with {seen}");
        seen.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    assert!(!seen.contains("content-encoding"), "{seen}");
}
