use quenty_platform::live::MOST_OF_STRANGER;
use quenty_testkit::eventually;
use serde_json::json;

use crate::fixtures::{Shop, delivered, merged};

async fn number_of(shop: &Shop, id: &str) -> String {
    let shipment = shop.get(&format!("/shipments/{id}")).await.json();
    shipment["tracking_number"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn anyone_sees_where_a_parcel_is_and_nothing_about_people() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let id = shop.booked().await;
    let number = number_of(&shop, &id).await;
    shop.scan(&id, &json!({"kind": "departed", "place": "Bogotá"})).await.expect(200);
    let street = json!({"place": "Calle 26 # 59-51"});
    for report in [
        json!({"kind": "delivery_failed", "detail": "Ana Gómez was not at Calle 26"}),
        // The same by another name.
        json!({"kind": "exception", "code": "DELIVERY_FAILED", "detail": "Ana Gómez was not at Calle 26"}),
        json!({"kind": "exception", "code": "ADDRESS_PROBLEM", "detail": "no bell"}),
        json!({"kind": "out_for_delivery"}),
        delivered(),
    ] {
        shop.scan(&id, &merged(&report, &street)).await.expect(200);
    }

    let seen = shop.app.get(&format!("/api/v1/tracking/{number}")).send().await.expect(200);
    assert_eq!(seen.json()["status"], "delivered");
    let statuses: Vec<_> =
        seen.json()["events"].as_array().unwrap().iter().map(|event| event["status"].clone()).collect();
    assert_eq!(
        statuses,
        [
            "pending",
            "in_transit",
            "delivery_failed",
            "delivery_failed",
            "delivery_failed",
            "out_for_delivery",
            "delivered"
        ]
    );
    assert_eq!(seen.json()["events"][1]["place"], "Bogotá");
    for personal in ["Ana", "Luis", "Calle", "+57", "COMP-", "SHIP-", "50000"] {
        assert!(!seen.text().contains(personal), "{personal} in {}", seen.text());
    }
    shop.app.get("/api/v1/tracking/QTY00012345674CO").send().await.expect_problem(404, "NOT_FOUND");
    shop.app.get("/api/v1/tracking/QTY00012345675CO").send().await.expect_problem(422, "INVALID_PATH");
}

#[tokio::test]
async fn what_is_scanned_after_the_end_changes_nothing_that_followers_see() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let id = shop.booked().await;
    let number = number_of(&shop, &id).await;
    shop.app.advance_to("2026-01-05T20:00:00Z".parse().unwrap());
    for (body, at) in [
        (delivered(), "18:00"),
        // It happened before, and is heard of late.
        (json!({"kind": "departed"}), "13:00"),
        (json!({"kind": "scan"}), "19:00"),
        (json!({"kind": "departed"}), "19:30"),
    ] {
        let body = merged(&body, &json!({"at": format!("2026-01-05T{at}:00Z")}));
        shop.scan(&id, &body).await.expect(200);
    }
    let seen = shop.app.get(&format!("/api/v1/tracking/{number}")).send().await.expect(200).json();
    assert_eq!(seen["status"], "delivered");
    let statuses: Vec<_> =
        seen["events"].as_array().unwrap().iter().map(|event| event["status"].clone()).collect();
    assert_eq!(statuses, ["pending", "in_transit", "delivered", "delivered", "delivered"]);
}

/// Reads a live stream until it holds `wanted`.
async fn read_until(shop: &Shop, path: &str, last_event_id: Option<&str>, wanted: &str) -> String {
    shop.app.follow(path, None, last_event_id).await.read_until(wanted).await
}

#[tokio::test]
async fn a_follower_hears_each_event_and_resumes_where_it_stopped() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let id = shop.booked().await;
    let number = number_of(&shop, &id).await;
    let path = format!("/api/v1/tracking/{number}/stream");
    let scanning = async {
        shop.scan(&id, &json!({"kind": "departed", "place": "Bogotá"})).await.expect(200);
    };
    let (text, ()) = tokio::join!(read_until(&shop, &path, None, "in_transit"), scanning);
    assert!(text.contains("text/event-stream") && text.contains("pending"), "{text}");
    let first = text.split("\nid: ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let resumed = read_until(&shop, &path, Some(&first), "in_transit").await;
    assert!(!resumed.contains("pending"), "{resumed}");
    let anew = read_until(&shop, &path, Some(&i64::MAX.to_string()), "in_transit").await;
    assert!(anew.contains("pending"), "{anew}");
}

#[tokio::test]
async fn a_stream_ends_with_its_shipment() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let id = shop.booked().await;
    let number = number_of(&shop, &id).await;
    let path = format!("/api/v1/tracking/{number}/stream");
    let delivering = async {
        shop.scan(&id, &delivered()).await.expect(200);
    };
    // The empty chunk is the end of the body.
    let (text, ()) = tokio::join!(read_until(&shop, &path, None, "\r\n0\r\n\r\n"), delivering);
    assert!(text.contains("pending") && text.contains("delivered"), "{text}");
    let last = text.rsplit("\nid: ").next().unwrap().lines().next().unwrap().to_owned();
    shop.app.get(&path).header("last-event-id", &last).send().await.expect(204);
    let unknown = i64::MAX.to_string();
    let anew = shop.app.get(&path).header("last-event-id", &unknown).send().await.expect(200).text();
    assert!(anew.contains("pending") && anew.contains("delivered"), "{anew}");
}

#[tokio::test]
async fn a_stranger_follows_so_many_at_a_time_and_reads_as_before() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let id = shop.booked().await;
    let number = number_of(&shop, &id).await;
    let path = format!("/api/v1/tracking/{number}/stream");
    let mut open = Vec::new();
    for _ in 0..MOST_OF_STRANGER {
        let mut stream = shop.app.follow(&path, None, None).await;
        stream.read_until("200 OK").await;
        open.push(stream);
    }
    let refused = shop.app.get(&path).send().await.expect_problem(429, "TOO_MANY_STREAMS");
    assert!(refused.header("retry-after").is_some());
    shop.app.get(&format!("/api/v1/tracking/{number}")).send().await.expect(200);
    open.pop();
    eventually("the place is free", || async {
        read_until(&shop, &path, None, "\r\n\r\n").await.contains("200 OK").then_some(())
    })
    .await;
}
