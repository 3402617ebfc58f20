//! Whatever is sent to the gateway, the answer is a problem document that says what is wrong with it, never a 5xx, and
//! nothing is half written.

mod bodies;
mod cases;
mod places;

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use http::Method;
use quenty_kernel::id::CustomerId;
use quenty_testkit::http::Answer;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use self::cases::{Body, Case};
use crate::harness::{
    Cast, Client, Fleet, Merchant, Person, Stage, Up, alone,
    merchant::{BOGOTA, id},
    services,
};

/// Of nobody's card; no log ever tells one, also not of what is refused.
const CARD: &str = "4111 1111 1111 1111";

/// Who sends, and what there is to send about.
pub struct World {
    up: Up,
    merchant: Merchant,
    /// Another tenant, whose things are named.
    other: Merchant,
    admin: Client,
    fleet: Fleet,
    /// Orders of the merchant: one that waits for its driver, one that was delivered.
    order: Value,
    delivered: Value,
    manifest: String,
}

impl World {
    async fn open() -> Self {
        let up = Up::ephemeral(&[]).await;
        let Cast { merchant, fleet, support, .. } = Cast::enter(&up.stage).await;
        let other = Merchant::open(&up.stage, &support, 2, BOGOTA).await;
        let admin = Person::administrator(&up.stage).await.client;
        let delivered = merchant.place(&merchant.cash_order()).await;
        fleet.collect(&delivered).await;
        fleet.deliver(&fleet.shipment_of(&delivered).await).await;
        let delivered = merchant.until_status(&delivered, "delivered").await;
        let order = merchant.place(&merchant.cash_order()).await;
        let order = merchant.until_status(&order, "processing").await;
        // Order gets a token for asking Customer, which Auth's journal tells.
        let mut of_nobody = merchant.cash_order();
        of_nobody["customer_id"] = json!(CustomerId::new());
        merchant.client.post("/api/v1/orders/quote", &of_nobody).await.expect(422);
        let manifest = json!({"origin": "CO", "date": "2099-01-05"});
        let manifest = merchant.client.post("/api/v1/manifests", &manifest).await.expect(201).json();
        let manifest = id(&manifest).to_owned();
        up.stage.settle().await;
        Self { up, merchant, other, admin, fleet, order, delivered, manifest }
    }

    /// Sends what does not fit and sees that each is refused as told, and that nothing has changed.
    async fn refuses(self, cases: Vec<Case>) {
        let before = rows(&self.up.stage).await;
        let mut wrong = Vec::new();
        for case in cases {
            let answer = case.send(&self.merchant.client).await;
            wrong.extend(objection(&case, &answer));
        }
        assert!(wrong.is_empty(), "{} answers are not as told:\n{}", wrong.len(), wrong.join("\n"));
        self.up.stage.settle().await;
        assert_eq!(rows(&self.up.stage).await, before, "nothing is half written");
        self.up.stage.assert_sound().await;
        assert!(!self.up.process.log().contains(CARD), "a card number is in the log");
        self.up.stop().await;
    }
}

/// What is wrong with an answer.
fn objection(case: &Case, answer: &Answer) -> Option<String> {
    let told = (answer.status(), answer.code());
    let is_problem =
        answer.status() < 400 || answer.header("content-type") == Some("application/problem+json");
    let fits = told.0 == case.status && told.1 == case.code && is_problem;
    let asked: String = format!("{} {} {}", case.method, case.path, case.body).chars().take(700).collect();
    let answered: String = answer.text().chars().take(300).collect();
    (!fits).then(|| {
        format!(
            "{} should be {} {}: {asked}\n    is {} {answered}",
            case.what, case.status, case.code, told.0
        )
    })
}

/// How many rows every table of every service has; tasks and leases come and go by themselves.
async fn rows(stage: &Stage) -> Vec<(String, i64)> {
    let mut counts = Vec::new();
    for service in services() {
        let pool = stage.pool(service.name);
        let tables: Vec<String> = sqlx::query_scalar(
            "select schemaname || '.' || tablename from pg_tables
             where schemaname = 'public' or (schemaname = 'quenty' and tablename in ('journal', 'outbox', 'inbox', 'idempotency'))
             order by 1",
        )
        .fetch_all(&pool)
        .await
        .expect("the tables");
        for table in tables {
            // What staff asked for is written down before it is refused.
            let which = if table == "quenty.journal" { "where type <> 'quenty.access.read.v1'" } else { "" };
            let count = sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {table} {which}")));
            let count: i64 = count.fetch_one(&pool).await.expect("a number of rows");
            counts.push((format!("{} {table}", service.name), count));
        }
    }
    counts
}

#[tokio::test]
async fn what_does_not_fit_is_a_problem_that_says_so() {
    let _alone = alone().await;
    let world = World::open().await;
    let mut cases = bodies::all(&world);
    cases.extend(places::all(&world));
    world.refuses(cases).await;
}

/// Order knows no slots: what it asks Pickup for must not get stuck there.
#[tokio::test]
async fn an_order_for_a_day_without_slots_waits_for_a_person_and_one_for_a_past_day_takes_another() {
    let _alone = alone().await;
    let up = Up::ephemeral(&[]).await;
    let Cast { merchant, .. } = Cast::enter(&up.stage).await;
    let order_for = async |date: &str| {
        let mut order = merchant.cash_order();
        order["pickup"] = json!({"kind": "scheduled", "date": date, "slot": "08:00"});
        merchant.client.post("/api/v1/orders", &order).await.expect(201).json()
    };
    let far = order_for("9999-12-31").await;
    let held = merchant.until(&far, "on hold", |order| !order["on_hold"].is_null()).await;
    assert_eq!(held["on_hold"]["code"], "PICKUP_REJECTED", "{held:#}");
    let past = order_for("-009999-01-01").await;
    merchant
        .until(&past, "a driver is promised for another day", |order| !order["pickup_id"].is_null())
        .await;
    for order in [far, past] {
        merchant.cancel(&order).await;
        merchant.until_status(&order, "cancelled").await;
    }
    up.stage.assert_sound().await;
    up.stop().await;
}

/// A request whose body is sent by hand.
fn begin(up: &Up, token: &str, length: usize, sent: &[u8]) -> TcpStream {
    let address = up.ready.gateway.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the gateway");
    let head = format!(
        "POST /api/v1/products HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(sent)).expect("half a request");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    stream
}

/// As much of an answer as comes, until it is whole or the gateway hangs up. Panics when neither happens.
async fn answer(mut stream: TcpStream) -> String {
    let read = tokio::task::spawn_blocking(move || {
        let (mut text, mut piece) = (Vec::new(), [0; 4096]);
        // The connection may stay open after the answer.
        while !text.ends_with(b"}") {
            match stream.read(&mut piece) {
                Ok(count @ 1..) => text.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("the gateway says nothing"),
                Ok(0) | Err(_) => break,
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    });
    read.await.expect("a thread that reads")
}

#[tokio::test]
async fn a_body_that_is_too_large_is_slow_or_breaks_off_leaves_nothing_behind() {
    let _alone = alone().await;
    let up = Up::ephemeral(&[]).await;
    let Cast { merchant, .. } = Cast::enter(&up.stage).await;
    up.stage.settle().await;
    let before = rows(&up.stage).await;
    let token = merchant.client.token();

    let padded = format!(r#"{{"legal_name": "{}"}}"#, "x".repeat(2 << 20));
    let large = Case::new("two mebibytes", Method::POST, "/api/v1/companies", 413, "BODY_TOO_LARGE");
    let large = large.body(Body::Json(padded.into_bytes()));
    assert_eq!(objection(&large, &large.send(&merchant.client).await), None);

    let slow = answer(begin(&up, token, 500, br#"{"sku": "SLOW-1", "#)).await;
    assert!(slow.starts_with("HTTP/1.1 408 ") && slow.contains("BODY_TOO_SLOW"), "{slow}");
    assert!(slow.to_lowercase().contains("content-type: application/problem+json"), "{slow}");

    // A whole product that is one byte short of what was promised is no product.
    let whole = br#"{"sku": "SHORT-1", "name": "x", "weight_grams": 1, "price": {"amount": "1.00", "currency": "COP"}}"#;
    for (length, sent) in [(500, &br#"{"sku": "GONE-1", "#[..]), (whole.len() + 1, &whole[..])] {
        let broken = begin(&up, token, length, sent);
        broken.shutdown(Shutdown::Write).expect("no more is sent");
        let told = answer(broken).await;
        assert!(told.is_empty() || told.starts_with("HTTP/1.1 400 "), "{told}");
    }
    assert_eq!(rows(&up.stage).await, before, "nothing is half written");
    up.stage.assert_sound().await;
    up.stop().await;
}
