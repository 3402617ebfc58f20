use quenty_testkit::TestApp;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::shop::Shop;

/// Opens the stream.
async fn listen(app: &TestApp, token: &str, resume: Option<&str>) -> TcpStream {
    let host = app.base_url.trim_start_matches("http://").to_owned();
    let mut socket = TcpStream::connect(&host).await.unwrap();
    let resume = resume.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
    let request = format!(
        "GET /api/v1/orders/stream HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n{resume}accept: text/event-stream\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    socket
}

async fn read_until(socket: &mut TcpStream, what: &str) -> String {
    let mut said = String::new();
    let mut buffer = [0_u8; 8192];
    let read = async {
        while !said.contains(what) {
            let length = socket.read(&mut buffer).await.unwrap();
            assert!(length > 0, "the stream ended after {said}");
            said.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), read).await.expect("it is told");
    said
}

#[tokio::test]
async fn a_merchant_follows_its_own_orders_and_can_resume() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let mut socket = listen(&app, &shop.merchant.token, None).await;
    read_until(&mut socket, "200 OK").await;
    let other = Shop::open(&app).await;
    let foreign = other.place(json!({})).await;
    let id = shop.place(json!({})).await;
    let said = read_until(&mut socket, "quenty.order.order.shipment_requested.v1").await;
    assert!(said.contains("quenty.order.order.placed.v1") && said.contains(&id.to_string()));
    assert!(
        !said.contains(&foreign.to_string()) && !said.contains("Ana Gómez"),
        "neither others' orders nor people: {said}"
    );
    let first = said
        .lines()
        .find_map(|line| line.strip_prefix("id: ").or_else(|| line.strip_prefix("id:")))
        .unwrap()
        .trim()
        .to_owned();
    drop(socket);
    let mut resumed = listen(&app, &shop.merchant.token, Some(&first)).await;
    let again = read_until(&mut resumed, "shipment_requested").await;
    assert!(again.contains("confirmed") && !again.contains("order.placed"), "{again}");
    app.get("/api/v1/orders/stream").send().await.expect_problem(401, "NO_TOKEN");
}
