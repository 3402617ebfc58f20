use quenty_kernel::id::CompanyId;
use quenty_platform::token::Realm;
use serde_json::{Value, json};

use crate::fixtures::{Shop, draft, item, merged};

fn request() -> Value {
    json!({"origin": "CO", "destination": "CO", "parcels": [{"weight_grams": 2300}], "declared_value": {"amount": "250000.00", "currency": "COP"}})
}

#[tokio::test]
async fn offers_are_priced_by_the_seeded_card() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let rates = shop.post("/shipping/rates", &request()).await.expect(200).json();
    let standard = &rates["offers"][0];
    // 2.5 kg: 8,900 + 3 × 1,900; fuel 8.5 %; insurance 1 %.
    assert_eq!(standard["service"], "standard");
    assert_eq!(standard["chargeable_weight_grams"], 2500);
    assert_eq!(standard["cost"]["weight"]["amount"], "5700.00");
    assert_eq!(standard["cost"]["fuel"]["amount"], "1241.00");
    assert_eq!(standard["cost"]["total"], json!({"amount": "18341.00", "currency": "COP"}));
    assert_eq!(
        (&standard["transit_days"], &standard["promised_at"]),
        (&json!(3), &json!("2026-01-09T04:59:59Z")),
        "the end of Thursday in Bogotá"
    );
    assert_eq!(standard["valid_until"], "2026-01-05T12:30:00Z");
    assert_eq!(rates["offers"][1]["service"], "express");
}

#[tokio::test]
async fn a_promise_to_a_company_whose_clocks_are_not_known_ends_when_its_day_ends_everywhere() {
    let shop = Shop::open().await;
    let staff = shop.app.token(Realm::Staff, None, &["rates:read"]);
    for token in [&shop.token, &staff] {
        let asked = shop.app.post("/api/v1/shipping/rates").token(token).json(&request());
        let rates = asked.send().await.expect(200).json();
        assert_eq!(rates["offers"][0]["promised_at"], "2026-01-09T11:59:59Z");
    }
}

#[tokio::test]
async fn each_origin_bills_in_its_own_currency() {
    let shop = Shop::open().await;
    for (origin, destination, total) in [
        // 1.5 kg abroad, standard: base, one half kilogram, fuel.
        ("CO", "MX", ("86800.00", "COP")), // (68,000 + 12,000) × 1.085
        ("MX", "US", ("414.20", "MXN")),   // (320 + 60) × 1.09
        ("BR", "DE", ("179.58", "BRL")),   // (138 + 26) × 1.095
        ("AR", "JP", ("44.55", "USD")),    // (34 + 6.50) × 1.10
    ] {
        let rates = shop
            .get(&format!("/shipping/rates?origin={origin}&destination={destination}&weight_grams=1500"))
            .await
            .expect(200)
            .json();
        assert_eq!(
            rates["offers"][0]["cost"]["total"],
            json!({"amount": total.0, "currency": total.1}),
            "{origin} → {destination}"
        );
    }
}

#[tokio::test]
async fn what_may_not_travel_is_refused_with_its_rule() {
    let shop = Shop::open().await;
    let arms = merged(&item(), &json!({"hs_code": "9303.20"}));
    for (change, code) in [
        (json!({"items": [item(), arms]}), "PROHIBITED"),
        (json!({"parcels": [{"weight_grams": 70_001}]}), "WEIGHT_ABOVE_LIMIT"),
        (json!({"declared_value": {"amount": "40000000.01", "currency": "COP"}}), "VALUE_ABOVE_LIMIT"),
        (
            json!({"origin": "MX", "declared_value": {"amount": "2000.01", "currency": "USD"}}),
            "VALUE_ABOVE_LIMIT",
        ),
        (
            json!({"origin": "MX", "parcels": [{"weight_grams": 30_000}, {"weight_grams": 20_001}]}),
            "WEIGHT_ABOVE_LIMIT",
        ),
        (json!({"parcels": []}), "PARCEL_COUNT"),
        (json!({"declared_value": {"amount": "-1.00", "currency": "COP"}}), "NEGATIVE_VALUE"),
        (json!({"origin": "XX"}), "INVALID_BODY"),
        (json!({"weight": 1}), "INVALID_BODY"),
    ] {
        shop.post("/shipping/rates", &merged(&request(), &change)).await.expect_problem(422, code);
    }
    shop.get("/shipping/rates?origin=CO&destination=CO&weight_grams=0")
        .await
        .expect_problem(422, "INVALID_QUERY");
}

#[tokio::test]
async fn what_was_quoted_is_what_is_booked() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let asked = json!({"origin": "CO", "destination": "CO", "parcels": draft()["parcels"], "declared_value": draft()["declared_value"]});
    let rates = shop.post("/shipping/rates", &asked).await.expect(200).json();
    let express = rates["offers"][1].clone();
    let book = |change: Value| {
        merged(&draft(), &merged(&json!({"book": true, "quote_id": express["quote_id"]}), &change))
    };

    let shipment = shop.post("/shipments", &book(json!({}))).await.expect(201).json();
    assert_eq!(
        (&shipment["cost"], &shipment["service"]),
        (&express["cost"], &json!("express")),
        "the quote's service, not the draft's"
    );

    shop.post("/shipments", &book(json!({"parcels": [{"weight_grams": 9000}]})))
        .await
        .expect_problem(422, "QUOTE_MISMATCH");
    shop.post("/shipments", &book(json!({"quote_id": "made.up"}))).await.expect_problem(422, "UNKNOWN_QUOTE");
    shop.post("/shipments", &book(json!({"book": false}))).await.expect_problem(422, "QUOTE_WITHOUT_BOOKING");
    let other = shop.app.token(Realm::Company, Some(CompanyId::new()), &["rates:read"]);
    let foreign =
        shop.app.post("/api/v1/shipping/rates").token(&other).json(&asked).send().await.expect(200).json();
    shop.post("/shipments", &book(json!({"quote_id": foreign["offers"][0]["quote_id"]})))
        .await
        .expect_problem(422, "UNKNOWN_QUOTE");

    shop.app.advance_to("2026-01-05T12:30:01Z".parse().unwrap());
    shop.post("/shipments", &book(json!({}))).await.expect_problem(409, "QUOTE_EXPIRED");
}

#[tokio::test]
async fn countries_lie_in_zones_and_known_limits_name_their_source() {
    let shop = Shop::open().await;
    let countries = shop.get("/countries").await.expect(200).json();
    assert_eq!(countries["items"].as_array().unwrap().len(), 249);
    let colombia =
        countries["items"].as_array().unwrap().iter().find(|country| country["code"] == "CO").unwrap();
    assert_eq!((&colombia["currency"], &colombia["zone"]), (&json!("COP"), &json!(2)));
    assert!(colombia["limits"]["source"].as_str().unwrap().contains("Decreto 1165"));
    let newer = "insert into import_limits (country, valid_from, max_weight_grams, source) values ('CO', '2026-01-01', 40000, 'newer')";
    sqlx::query(newer).execute(shop.app.app.db()).await.unwrap();
    let countries = shop.get("/countries").await.expect(200).json();
    let known = countries["items"].as_array().unwrap().iter().filter(|country| country["code"] == "CO");
    let sources: Vec<_> = known.map(|country| &country["limits"]["source"]).collect();
    assert_eq!(sources, ["newer"], "the one that bookings go by");
    let zones = shop.get("/zones").await.expect(200).json();
    assert_eq!(zones["items"].as_array().unwrap().len(), 4);
    assert_eq!(zones["items"][0]["countries"], json!(["BM", "CA", "GL", "PM", "US"]));
}
