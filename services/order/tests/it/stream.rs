use jiff::SignedDuration;
use quenty_kernel::{
    clock::wall_now,
    id::{CompanyId, SessionId, UserId},
};
use quenty_platform::{
    live::MOST_OF_CALLER,
    revocations::Revocation,
    token::{Claims, Realm},
};
use quenty_testkit::{TestApp, eventually, keys, stream::Stream};
use serde_json::json;

use crate::shop::Shop;

/// The empty chunk is the end of a body.
const END: &str = "0\r\n\r\n";

/// Of a person who has logged in and reads a company's orders.
fn reader(company: CompanyId) -> Claims {
    Claims {
        sid: Some(SessionId::new()),
        ..keys::claims(Realm::Company, UserId::new(), Some(company), &["orders:read"])
    }
}

async fn listen(app: &TestApp, token: &str, resume: Option<&str>) -> Stream {
    app.follow("/api/v1/orders/stream", Some(token), resume).await
}

#[tokio::test]
async fn a_merchant_follows_its_own_orders_and_can_resume() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let mut socket = listen(&app, &shop.merchant.token, None).await;
    socket.read_until("200 OK").await;
    let other = Shop::open(&app).await;
    let foreign = other.place(json!({})).await;
    let id = shop.place(json!({})).await;
    let said = socket.read_until("quenty.order.order.shipment_requested.v1").await;
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
    let again = resumed.read_until("shipment_requested").await;
    assert!(again.contains("confirmed") && !again.contains("order.placed"), "{again}");
    app.get("/api/v1/orders/stream").send().await.expect_problem(401, "NO_TOKEN");
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_others_go_on() {
    let app = TestApp::start(quenty_order::service()).await;
    let shop = Shop::open(&app).await;
    let claims = reader(shop.merchant.company);
    let token = keys::sign(&claims);
    let (mut socket, mut other) =
        (listen(&app, &token, None).await, listen(&app, &shop.merchant.token, None).await);
    for socket in [&mut socket, &mut other] {
        socket.read_until("200 OK").await;
    }
    let until = wall_now() + SignedDuration::from_mins(16);
    app.revoke(Revocation::of_session(claims.sid.unwrap(), until));
    socket.read_until(END).await;
    app.get("/api/v1/orders/stream").token(&token).send().await.expect_problem(401, "TOKEN_REVOKED");
    let id = shop.place(json!({})).await;
    other.read_until(&id.to_string()).await;
}

#[tokio::test]
async fn a_stream_ends_when_its_token_expires() {
    let app = TestApp::start(quenty_order::service()).await;
    // The clocks of two machines may differ by a minute: this one has a few seconds left.
    let claims = Claims { exp: wall_now().as_second() - 54, ..reader(CompanyId::new()) };
    let mut socket = listen(&app, &keys::sign(&claims), None).await;
    socket.read_until("200 OK").await;
    socket.read_until(END).await;
}

#[tokio::test]
async fn a_caller_has_so_many_streams_and_the_place_of_one_that_was_left_is_free() {
    let app = TestApp::start(quenty_order::service()).await;
    let company = CompanyId::new();
    let (token, colleague) = (keys::sign(&reader(company)), keys::sign(&reader(company)));
    let mut open = Vec::new();
    for _ in 0..MOST_OF_CALLER {
        let mut socket = listen(&app, &token, None).await;
        socket.read_until("200 OK").await;
        open.push(socket);
    }
    let refused = app.get("/api/v1/orders/stream").token(&token).send().await;
    assert!(refused.expect_problem(429, "TOO_MANY_STREAMS").header("retry-after").is_some());
    listen(&app, &colleague, None).await.read_until("200 OK").await;
    open.pop();
    eventually("the place is free", || async {
        let mut socket = listen(&app, &token, None).await;
        socket.read_until("\r\n\r\n").await.contains("200 OK").then_some(())
    })
    .await;
}
