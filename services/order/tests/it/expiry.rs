//! Goods that go bad.

use quenty_contracts::customer::Standing;
use quenty_testkit::eventually;
use serde_json::json;

use crate::shop::{Road, Shop, hear_standing, standing, standing_still};

#[tokio::test]
async fn a_batch_is_sold_until_the_day_comes_where_the_company_is() {
    for (time_zone, last_moment, too_late) in [
        ("America/Bogota", "2026-03-03T04:59:59Z", "2026-03-03T05:00:00Z"),
        ("Asia/Tokyo", "2026-03-02T14:59:59Z", "2026-03-02T15:00:00Z"),
    ] {
        let app = standing_still().await;
        let shop = Shop::open(&app).await;
        let there = standing(shop.merchant.company);
        hear_standing(&app, Standing { version: 2, time_zone: time_zone.to_owned(), ..there }).await;
        let melon = shop.merchant.product("MELON", json!({"reorder_point": 100})).await;
        let batch = ("L-1", "2026-03-03");
        shop.merchant.receive_batch(&melon, &shop.warehouse, batch, 10).await;
        let lines = |quantity: u32| json!([{"product_id": melon, "quantity": quantity}]);

        app.advance_to(last_moment.parse().unwrap());
        let prepaid = shop.place(json!({"payment_method": "prepaid", "lines": lines(1)})).await;
        let path = format!("/api/v1/orders/{prepaid}");
        shop.merchant.patch(&path, json!({"lines": lines(2)})).await.expect(200);
        let booked = shop.place(json!({"lines": lines(1)})).await;
        let road = Road::of(&shop, booked);
        road.booked(1).await;
        road.pickup_rejected("NO_CAPACITY", "no room for seven days").await;
        shop.held(booked, "PICKUP_REJECTED").await;
        let waits = shop.place(json!({"allow_backorder": true, "lines": lines(11)})).await;
        shop.merchant.receive_batch(&melon, &shop.warehouse, batch, 5).await;
        eventually("the late receipt serves who waits", || async {
            (shop.status(waits).await == "confirmed").then_some(())
        })
        .await;

        app.advance_to(too_late.parse().unwrap());
        shop.try_place(json!({"lines": lines(1)})).await.expect_problem(409, "INSUFFICIENT_STOCK");
        let quote = shop.order(json!({"lines": lines(1)}));
        shop.merchant.post("/api/v1/orders/quote", quote).await.expect_problem(409, "INSUFFICIENT_STOCK");
        let more = shop.merchant.patch(&path, json!({"lines": lines(3)})).await;
        more.expect_problem(409, "INSUFFICIENT_STOCK");
        let low = shop.merchant.get("/api/v1/products/low-stock").await.expect(200).json();
        assert_eq!(low["items"][0]["available"], 0, "a piece lies there, and nobody can buy it");

        // What was set aside before is not sent after; the payment is in.
        let paid = json!({"amount": {"amount": "100000.00", "currency": "COP"}});
        let paid = shop.act(prepaid, "payments", paid).await.expect(200).json();
        assert_eq!(
            (&paid["status"], &paid["payment_status"], &paid["on_hold"]["code"]),
            (&json!("pending"), &json!("paid"), &json!("GOODS_EXPIRED"))
        );
        let elsewhere = shop.merchant.warehouse("Norte").await;
        shop.merchant.receive_batch(&melon, &elsewhere, ("L-9", "2026-12-31"), 1).await;
        // Nor if a label is printed already, which says where the parcel comes from.
        for id in [prepaid, booked] {
            shop.act(id, "retry", json!({})).await.expect(200);
            shop.held(id, "GOODS_EXPIRED").await;
        }
        let reason = shop.get(booked).await["on_hold"]["reason"].clone();
        assert!(reason.as_str().unwrap().contains("not enough else in Centro"), "{reason}");
        shop.merchant.receive_batch(&melon, &shop.warehouse, ("L-2", "2026-12-31"), 5).await;
        shop.act(booked, "retry", json!({})).await.expect(200);
        assert_eq!(shop.count_facts(booked, "pickup_requested").await, 2);
        let goes_on = shop.act(prepaid, "retry", json!({})).await.expect(200).json();
        assert_eq!((&goes_on["status"], &goes_on["on_hold"]), (&json!("confirmed"), &json!(null)));
        let stock = shop.merchant.get(&format!("/api/v1/inventory?product={melon}")).await.expect(200).json();
        let reserved = stock["items"].as_array().unwrap().iter();
        let reserved: Vec<_> = reserved
            .map(|item| (item["batch"]["number"].as_str().unwrap(), item["reserved"].as_i64()))
            .collect();
        assert_eq!(reserved, [("L-2", Some(3)), ("L-9", Some(0)), ("L-1", Some(11))]);
        for id in [prepaid, booked, waits] {
            shop.assert_sound(id).await;
        }
    }
}
