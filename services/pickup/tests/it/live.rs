use jiff::SignedDuration;
use quenty_kernel::{clock::wall_now, id::new_uuid};
use quenty_platform::revocations::Revocation;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{TOMORROW, World, scheduled};

/// Reads the stream until it has shown `until`.
async fn read_until(stream: &mut TcpStream, until: &str) -> String {
    let mut seen = String::new();
    let mut buffer = [0_u8; 4096];
    while !seen.contains(until) {
        let read = tokio::time::timeout(std::time::Duration::from_secs(20), stream.read(&mut buffer)).await;
        let count = read.unwrap_or_else(|_| panic!("no {until} in {seen}")).unwrap();
        assert!(count > 0, "the stream ended: {seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    seen
}

/// Opens the stream of a pickup, as its merchant.
async fn follow(world: &World, pickup: &Value) -> TcpStream {
    let address = world.app.base_url.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "GET /api/v1/pickups/{}/live HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\naccept: text/event-stream\r\n\r\n",
        pickup["id"].as_str().unwrap(),
        world.merchant
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn a_merchant_sees_the_present_state_and_then_what_happens() {
    let world = World::new(5).await;
    let pickup = world.book(&scheduled(TOMORROW, "10:00")).await;
    let other = world.book(&scheduled(TOMORROW, "10:00")).await;
    let mut stream = follow(&world, &pickup).await;
    let first = read_until(&mut stream, "\n\n").await;
    let first = if first.contains("snapshot") { first } else { read_until(&mut stream, "snapshot").await };
    assert!(first.contains("event: snapshot") || first.contains("event:snapshot"), "{first}");

    let (driver, _) = world.driver().await;
    for pickup in [&other, &pickup] {
        world
            .step(&world.dispatcher, pickup, "assign", &json!({"driver_id": driver["id"]}))
            .await
            .expect(200);
    }
    let told = read_until(&mut stream, "quenty.pickup.pickup.assigned.v1").await;
    assert!(!told.contains(other["id"].as_str().unwrap()), "another pickup's news: {told}");
}

#[tokio::test]
async fn nobody_follows_a_pickup_on_once_the_rights_in_the_company_have_changed() {
    let world = World::new(5).await;
    let pickup = world.book(&scheduled(TOMORROW, "10:00")).await;
    let mut stream = follow(&world, &pickup).await;
    read_until(&mut stream, "snapshot").await;
    let until = wall_now() + SignedDuration::from_mins(16);
    world.app.revoke(Revocation::of_company(world.company, new_uuid(), until));
    // The empty chunk is the end of the body.
    read_until(&mut stream, "0\r\n\r\n").await;
}
