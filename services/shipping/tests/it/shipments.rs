use axum::Router;
use quenty_kernel::{Failure, id::CustomerId};
use quenty_platform::{Error, http::document, token::Realm};
use quenty_testkit::neighbour::serve;
use serde_json::{Value, json};

use crate::fixtures::{NOW, Shop, customer_that_says, delivered, draft, item, merged, party, standing};

#[tokio::test]
async fn a_draft_is_booked_labelled_and_delivered_with_proof() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let made = shop.post("/shipments", &draft()).await.expect(201);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), Some(format!("/api/v1/shipments/{id}").as_str()));
    assert_eq!(made.json()["status"], "draft");
    shop.get(&format!("/shipments/{id}/label")).await.expect_problem(409, "SHIPMENT_NOT_BOOKED");
    shop.scan(&id, &json!({"kind": "scan"})).await.expect_problem(409, "SHIPMENT_NOT_BOOKED");

    let booked = shop.post(&format!("/shipments/{id}/book"), &json!({})).await.expect(200).json();
    assert_eq!(booked["status"], "booked");
    assert!(booked["tracking_number"].as_str().unwrap().starts_with("QTY"));
    shop.post(&format!("/shipments/{id}/book"), &json!({})).await.expect_problem(409, "ILLEGAL_TRANSITION");

    let label = shop.get(&format!("/shipments/{id}/label")).await.expect(200);
    assert_eq!(label.header("content-type"), Some("application/pdf"));
    assert!(label.body.starts_with(b"%PDF-"));

    for kind in ["scan", "departed", "arrived", "out_for_delivery"] {
        shop.scan(&id, &json!({"kind": kind, "place": "Bogotá"})).await.expect(200);
    }
    shop.scan(&id, &json!({"kind": "delivered"})).await.expect_problem(422, "PROOF_REQUIRED");
    let done = shop.scan(&id, &delivered()).await.expect(200).json();
    assert_eq!(done["status"], "delivered");
    let shown = shop.get(&format!("/shipments/{id}")).await.expect(200).json();
    assert_eq!((&shown["received_by"], &shown["proof"]), (&json!("Luis"), &json!("signature")));
    assert_eq!(shown["events"].as_array().unwrap().len(), 6);
    shop.post(&format!("/shipments/{id}/void"), &json!({"reason": "too late"}))
        .await
        .expect_problem(409, "ILLEGAL_TRANSITION");
    shop.app.assert_sound().await;
}

#[tokio::test]
async fn the_journal_folds_back_to_the_row() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let id = shop
        .booked_as(
            &json!({"cash_on_delivery": {"amount": "50000.00", "currency": "COP"}, "reference": "PED-1"}),
        )
        .await;
    shop.app.advance_to("2026-01-05T13:00:00Z".parse().unwrap());
    for body in [
        json!({"kind": "departed", "place": "Bogotá", "at": "2026-01-05T12:59:00.123456789Z"}),
        json!({"kind": "customs_hold"}),
        json!({"kind": "customs_released"}),
        json!({"kind": "delivery_failed", "detail": "nobody at home"}),
        json!({"kind": "out_for_delivery"}),
        merged(&delivered(), &json!({"cash_collected": {"amount": "50000.00", "currency": "COP"}})),
    ] {
        shop.scan(&id, &body).await.expect(200);
    }
    let row = shop.get(&format!("/shipments/{id}")).await.expect(200).json();
    let folded = shop.get(&format!("/shipments/{id}?as_of=2026-01-05T13:00:00Z")).await.expect(200);
    assert_eq!((&row, None), (&folded.json(), folded.header("etag")), "there is no If-Match for the past");
    assert_eq!(row["cash_collected"], true);
    let before = shop.get(&format!("/shipments/{id}?as_of={NOW}")).await.expect(200).json();
    assert_eq!((&before["status"], &before["failed_deliveries"]), (&json!("booked"), &json!(0)));
    shop.get(&format!("/shipments/{id}?as_of=2026-01-05T11:00:00Z")).await.expect_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn cash_on_delivery_must_be_exactly_what_is_due() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let id = shop.booked_as(&json!({"cash_on_delivery": {"amount": "129900.00", "currency": "COP"}})).await;
    for cash in [
        json!(null),
        json!({"amount": "129899.00", "currency": "COP"}),
        json!({"amount": "129900.00", "currency": "MXN"}),
    ] {
        let refused = shop
            .scan(&id, &merged(&delivered(), &json!({"cash_collected": cash})))
            .await
            .expect_problem(422, "CASH_MISMATCH");
        assert_eq!(refused.json()["due"]["amount"], "129900.00");
    }
    shop.scan(
        &id,
        &merged(&delivered(), &json!({"cash_collected": {"amount": "129900.00", "currency": "COP"}})),
    )
    .await
    .expect(200);
    let facts = shop.app.facts(id.parse::<quenty_kernel::id::ShipmentId>().unwrap()).await;
    let collected = facts.iter().filter(|fact| fact.kind == "quenty.shipping.cash.collected.v1").count();
    assert_eq!(collected, 1);
}

#[tokio::test]
async fn repeated_reports_count_once() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let id = shop.booked().await;
    let failed = json!({"kind": "delivery_failed", "event_id": "018f7c1e-0000-7000-8000-000000000001"});
    for _ in 0..4 {
        let answer = shop.scan(&id, &failed).await.expect(200).json();
        assert_eq!((&answer["status"], &answer["failed_deliveries"]), (&json!("exception"), &json!(1)));
    }
    let path = format!("/api/v1/shipments/{id}/events");
    let keyed = || {
        shop.app
            .post(&path)
            .token(&shop.scanner)
            .idempotency_key("attempt-2")
            .json(&json!({"kind": "delivery_failed"}))
            .send()
    };
    assert_eq!(keyed().await.expect(200).json(), keyed().await.expect(200).json());
    let third = shop.scan(&id, &json!({"kind": "delivery_failed"})).await.expect(200).json();
    assert_eq!((&third["status"], &third["failed_deliveries"]), (&json!("undeliverable"), &json!(3)));
    shop.scan(&id, &delivered()).await.expect_problem(409, "ILLEGAL_TRANSITION");
    assert_eq!(shop.scan(&id, &json!({"kind": "returned"})).await.expect(200).json()["status"], "returned");
}

#[tokio::test]
async fn a_delivery_that_is_told_after_the_parcel_was_given_up_counts_with_its_cash() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let cash = json!({"amount": "50000.00", "currency": "COP"});
    let id = shop.booked_as(&json!({"cash_on_delivery": cash})).await;
    shop.app.advance_to("2026-01-05T20:00:00Z".parse().unwrap());
    let at = |hour: u8| format!("2026-01-05T{hour}:00:00Z");
    for (kind, hour) in
        [("delivery_failed", 13), ("delivery_failed", 14), ("delivery_failed", 16), ("scan", 18)]
    {
        shop.scan(&id, &json!({"kind": kind, "at": at(hour)})).await.expect(200);
    }
    let given = |hour: u8| merged(&delivered(), &json!({"at": at(hour), "cash_collected": cash}));
    shop.scan(&id, &given(17)).await.expect_problem(409, "ILLEGAL_TRANSITION");
    let done = shop.scan(&id, &given(15)).await.expect(200).json();
    assert_eq!(
        (&done["status"], &done["delivered_at"], &done["cash_collected"]),
        (&json!("delivered"), &json!(at(15)), &json!(true))
    );
    let row = shop.get(&format!("/shipments/{id}")).await.expect(200).json();
    let folded = shop.get(&format!("/shipments/{id}?as_of={}", at(20))).await.expect(200).json();
    assert_eq!((&row, &row["ended_reason"]), (&folded, &Value::Null));
    shop.app.assert_sound().await;
}

#[tokio::test]
async fn a_label_and_a_delivery_go_by_the_day_of_the_company() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let id = shop.booked().await;
    let promised = shop.get(&format!("/shipments/{id}")).await.expect(200).json()["promised_at"].clone();
    assert_eq!(promised, "2026-01-09T04:59:59Z");
    let label = shop.get(&format!("/shipments/{id}/label")).await.expect(200);
    assert!(label.text().contains("(2026-01-08)"), "the day in Bogotá, and not that of UTC");

    shop.app.advance_to("2026-01-09T02:00:00Z".parse().unwrap());
    shop.scan(&id, &delivered()).await.expect(200);
    let facts = shop.app.facts(id.parse::<quenty_kernel::id::ShipmentId>().unwrap()).await;
    assert_eq!(facts.last().unwrap().data["on_time"], true);
}

#[tokio::test]
async fn reports_out_of_order_make_no_difference() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let id = shop.booked().await;
    shop.app.advance_to("2026-01-05T20:00:00Z".parse().unwrap());
    let at = |hour: u8| format!("2026-01-05T{hour}:00:00Z");
    shop.scan(&id, &merged(&delivered(), &json!({"at": at(19)}))).await.expect(200);
    for (kind, hour) in [
        ("delivery_failed", 16),
        ("out_for_delivery", 15),
        ("departed", 13),
        ("scan", 12),
        ("customs_hold", 14),
    ] {
        let answer = shop.scan(&id, &json!({"kind": kind, "at": at(hour)})).await.expect(200).json();
        assert_eq!(answer["status"], "delivered", "{kind}");
    }
    shop.scan(&id, &json!({"kind": "scan", "at": "2026-01-06T00:00:00Z"}))
        .await
        .expect_problem(422, "IN_THE_FUTURE");
    shop.scan(&id, &json!({"kind": "scan", "at": "0001-01-01T00:00:00Z"}))
        .await
        .expect_problem(422, "BEFORE_THE_SHIPMENT");
}

#[tokio::test]
async fn a_failed_delivery_that_is_told_after_a_newer_scan_of_a_hub_counts() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let id = shop.booked().await;
    shop.app.advance_to("2026-01-05T20:00:00Z".parse().unwrap());
    for (kind, hour) in [("out_for_delivery", 13), ("arrived", 15), ("delivery_failed", 14)] {
        let report = json!({"kind": kind, "at": format!("2026-01-05T{hour}:00:00Z")});
        shop.scan(&id, &report).await.expect(200);
    }
    let row = shop.get(&format!("/shipments/{id}")).await.expect(200).json();
    let folded = shop.get(&format!("/shipments/{id}?as_of=2026-01-05T20:00:00Z")).await.expect(200).json();
    assert_eq!((&row, &row["status"], &row["failed_deliveries"]), (&folded, &json!("exception"), &json!(1)));
    shop.app.assert_sound().await;
}

#[tokio::test]
async fn a_release_that_is_told_after_a_newer_hold_does_not_end_it() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let (between, behind_an_exception) = (shop.booked().await, shop.booked().await);
    shop.app.advance_to("2026-01-05T20:00:00Z".parse().unwrap());
    let at = |hour: u8| format!("2026-01-05T{hour}:00:00Z");
    for (id, reports) in [
        (between, &[("customs_hold", 13), ("customs_hold", 16), ("customs_released", 15)][..]),
        (
            behind_an_exception,
            &[
                ("customs_hold", 13),
                ("exception", 14),
                ("customs_hold", 16),
                ("customs_released", 15),
                ("departed", 17),
            ],
        ),
    ] {
        for (kind, hour) in reports {
            let report = json!({"kind": kind, "at": at(*hour), "detail": "the invoice is missing"});
            shop.scan(&id, &report).await.expect(200);
        }
        let row = shop.get(&format!("/shipments/{id}")).await.expect(200).json();
        let folded = shop.get(&format!("/shipments/{id}?as_of={}", at(20))).await.expect(200).json();
        assert_eq!((&row, &row["status"]), (&folded, &json!("customs_hold")), "{reports:?}");
        let released = shop.scan(&id, &json!({"kind": "customs_released", "at": at(18)})).await.expect(200);
        assert_eq!(released.json()["status"], "in_transit", "{reports:?}");
    }
    shop.app.assert_sound().await;
}

#[tokio::test]
async fn a_hold_and_an_older_release_at_once_leave_it_held() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let mut booked = Vec::new();
    for _ in 0..10 {
        booked.push(shop.booked().await);
    }
    shop.app.advance_to("2026-01-05T20:00:00Z".parse().unwrap());
    let report = |kind: &str, hour: u8| json!({"kind": kind, "at": format!("2026-01-05T{hour}:00:00Z")});
    let (hold, release) = (report("customs_hold", 16), report("customs_released", 15));
    for id in booked {
        shop.scan(&id, &report("customs_hold", 13)).await.expect(200);
        let (held, released) = tokio::join!(shop.scan(&id, &hold), shop.scan(&id, &release));
        assert_eq!((held.status(), released.status()), (200, 200));
        assert_eq!(shop.get(&format!("/shipments/{id}")).await.expect(200).json()["status"], "customs_hold");
    }
    shop.app.assert_sound().await;
}

#[tokio::test]
async fn delivering_and_voiding_at_once_has_one_winner() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    for _ in 0..10 {
        let id = shop.booked().await;
        let (path, voiding, delivery) =
            (format!("/shipments/{id}/void"), json!({"reason": "changed my mind"}), delivered());
        let (voided, scanned) = tokio::join!(shop.post(&path, &voiding), shop.scan(&id, &delivery));
        let status = shop.get(&format!("/shipments/{id}")).await.json()["status"].clone();
        match (voided.status(), scanned.status()) {
            (200, 409) => assert_eq!(status, "voided"),
            (409, 200) => assert_eq!(status, "delivered"),
            both => panic!("{both:?}: {} {}", voided.text(), scanned.text()),
        }
    }
    shop.app.assert_sound().await;
}

#[tokio::test]
async fn abroad_needs_a_verified_company_and_a_list_of_items() {
    let shop = Shop::open().await;
    shop.told(1, false).await;
    let abroad = merged(&draft(), &json!({"consignee": party("MX"), "items": [item()], "book": true}));
    shop.post("/shipments", &abroad).await.expect_problem(409, "KYC_REQUIRED");
    shop.told(2, true).await;
    let booked = shop.post("/shipments", &abroad).await.expect(201).json();
    assert_eq!((&booked["international"], &booked["incoterm"]), (&json!(true), &json!("DAP")));
    shop.post("/shipments", &merged(&abroad, &json!({"items": []})))
        .await
        .expect_problem(422, "ITEMS_REQUIRED");
    let listed = shop.get("/shipments?international=true").await.expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let by_number = shop
        .get(&format!("/shipments?tracking_number={}", booked["tracking_number"].as_str().unwrap()))
        .await
        .expect(200)
        .json();
    assert_eq!(by_number["items"][0]["id"], booked["id"]);
}

#[tokio::test]
async fn what_customer_answers_does_not_outweigh_a_newer_standing_that_was_heard() {
    let says = |company| Some(standing(company, 1, true));
    let shop = Shop::open_with(vec![("customer_url", customer_that_says(says).await)]).await;
    shop.told(2, false).await;
    let abroad = merged(&draft(), &json!({"consignee": party("MX"), "items": [item()], "book": true}));
    shop.post("/shipments", &abroad).await.expect_problem(409, "KYC_REQUIRED");
}

#[tokio::test]
async fn a_company_never_heard_of_is_refused_for_now_while_customer_is_away() {
    let shop = Shop::open_with(vec![("customer_url", "http://127.0.0.1:9".to_owned())]).await;
    let refused = shop
        .post("/shipments", &merged(&draft(), &json!({"book": true})))
        .await
        .expect_problem(503, "DEPENDENCY_UNAVAILABLE");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(shop.get("/shipments").await.json()["items"], json!([]), "nothing is half-written");
}

#[tokio::test]
async fn a_company_that_customer_does_not_know_may_not_ship() {
    let customer = Router::new().fallback(async || Error::from(Failure::not_found("company")));
    // Whoever else stands at its address says nothing of companies.
    let another = Router::new();
    for (router, status, code) in
        [(customer, 409, "COMPANY_NOT_ACTIVE"), (another, 503, "DEPENDENCY_UNAVAILABLE")]
    {
        let shop = Shop::open_with(vec![("customer_url", serve(router).await)]).await;
        shop.post("/shipments", &merged(&draft(), &json!({"book": true}))).await.expect_problem(status, code);
        let to_nobody = merged(&draft(), &json!({"customer_id": CustomerId::new()}));
        let refused = shop.post("/shipments", &to_nobody).await;
        if status == 409 {
            let refused = refused.expect_problem(422, "UNKNOWN_CUSTOMER").json();
            assert_eq!(
                refused["errors"][0]["pointer"], "/customer_id",
                "nobody would ever erase its consignee"
            );
        } else {
            let later = refused.expect_problem(503, "DEPENDENCY_UNAVAILABLE");
            assert!(later.header("retry-after").is_some());
        }
        assert_eq!(shop.get("/shipments").await.json()["items"], json!([]), "nothing is half-written");
    }
}

#[test]
fn what_is_printed_is_described_as_a_file() {
    let document = serde_json::to_value(document(&quenty_shipping::service())).unwrap();
    for path in ["/api/v1/shipments/{id}/label", "/api/v1/manifests/{id}/document"] {
        let answer = &document["paths"][path]["get"]["responses"]["200"];
        let printed = &answer["content"]["application/pdf"]["schema"];
        assert_eq!(
            (&printed["type"], &printed["format"]),
            (&json!("string"), &json!("binary")),
            "{path}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_failed_delivery_by_another_name_is_the_third_one_too() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let id = shop.booked().await;
    let failed = json!({"kind": "exception", "code": "DELIVERY_FAILED", "detail": "nobody at home"});
    for _ in 0..2 {
        shop.scan(&id, &failed).await.expect(200);
    }
    let third = shop.scan(&id, &failed).await.expect(200).json();
    assert_eq!((&third["status"], &third["failed_deliveries"]), (&json!("undeliverable"), &json!(3)));
    shop.scan(&id, &failed).await.expect(200);
}

#[tokio::test]
async fn what_is_inside_is_checked_at_the_door() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    for change in [
        json!({"unit_value": {"amount": "-1.00", "currency": "COP"}}),
        json!({"quantity": 0}),
        json!({"quantity": 1_000_001}),
        json!({"sku": ""}),
        json!({"sku": "S".repeat(65)}),
        json!({"sku": "a\u{0}b"}),
        json!({"description": "d".repeat(201)}),
        json!({"hs_code": "coffee"}),
        json!({"hs_code": "12345"}),
        json!({"colour": "red"}),
    ] {
        let items = json!({"items": [merged(&item(), &change)]});
        let refused =
            shop.post("/shipments", &merged(&draft(), &items)).await.expect_problem(422, "INVALID_BODY");
        let pointer = refused.json()["errors"][0]["pointer"].as_str().unwrap().to_owned();
        assert!(pointer.starts_with("/items/0"), "{change}: {pointer}");
        let quote = json!({"origin": "CO", "destination": "MX", "parcels": [{"weight_grams": 1}],
            "declared_value": {"amount": "1.00", "currency": "COP"}, "items": items["items"]});
        shop.post("/shipping/rates", &quote).await.expect_problem(422, "INVALID_BODY");
    }
    let made = shop.post("/shipments", &merged(&draft(), &json!({"items": [item()]}))).await.expect(201);
    assert_eq!(made.json()["items"][0]["hs_code"], "090121");
}

#[tokio::test]
async fn what_no_label_can_say_is_not_booked() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let mut consignee = party("CO");
    consignee["address"]["city"] = json!("Москва");
    let body = merged(&draft(), &json!({"consignee": consignee, "book": true}));
    let refused = shop.post("/shipments", &body).await.expect_problem(422, "UNPRINTABLE");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/consignee/address/city");
    assert_eq!(shop.get("/shipments").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_driver_looks_up_what_is_at_hand_and_reads_no_list() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let id = shop.booked().await;
    let number =
        shop.get(&format!("/shipments/{id}")).await.json()["tracking_number"].as_str().unwrap().to_owned();
    let read =
        |token: &str, query: &str| shop.app.get(&format!("/api/v1/shipments{query}")).token(token).send();
    for query in ["", "?status=booked", "?limit=100"] {
        read(&shop.scanner, query).await.expect_problem(403, "TRACKING_NUMBER_NEEDED");
    }
    let found = read(&shop.scanner, &format!("?tracking_number={number}")).await.expect(200).json();
    assert_eq!(found["items"][0]["id"], json!(id));
    for others in [&["shipments:*"][..], &["shipments:read"], &["*:read"]] {
        let token = shop.app.token(Realm::Staff, None, others);
        let listed = read(&token, "").await.expect(200).json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{others:?}");
    }
}

#[tokio::test]
async fn a_misspelt_query_parameter_is_refused_and_not_ignored() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let id = shop.booked().await;
    let manifest =
        shop.post("/manifests", &json!({"origin": "CO", "date": "2026-01-06"})).await.expect(201).json();
    let manifest = format!("/manifests/{}", manifest["id"].as_str().unwrap());
    for path in
        ["/shipments?status=booked&limit=1", "/manifests?limit=1", &format!("{manifest}/items?limit=1")]
    {
        shop.get(path).await.expect(200);
    }
    for path in [
        "/shipments?statuss=delivered",
        "/shipments?status=booked&limt=1",
        &format!("/shipments/{id}?at=2026-01-05T12:00:00Z"),
        "/manifests?state=draft",
        &format!("{manifest}?at=2026-01-05T12:00:00Z"),
        &format!("{manifest}/items?status=booked"),
        "/countries?zones=1",
    ] {
        shop.get(path).await.expect_problem(422, "INVALID_QUERY");
    }
}

#[tokio::test]
async fn reference_data_is_kept_by_the_caller_and_asked_for_by_its_digest() {
    let shop = Shop::open().await;
    for path in ["/countries", "/countries?zone=1", "/zones"] {
        let first = shop.get(path).await.expect(200);
        let kept = "public, max-age=3600, stale-while-revalidate=3600, stale-if-error=86400";
        assert_eq!(first.header("cache-control"), Some(kept));
        assert_eq!(first.header("content-type"), Some("application/json"));
        let etag = first.header("etag").unwrap();
        let again = || shop.app.get(&format!("/api/v1{path}")).token(&shop.token);
        let same = again().header("if-none-match", etag).send().await.expect(304);
        assert_eq!((same.header("etag"), same.body.len()), (Some(etag), 0));
        again().header("if-none-match", "\"other\"").send().await.expect(200);
    }
}

#[tokio::test]
async fn bad_input_is_told_by_field() {
    let shop = Shop::open().await;
    shop.told(1, true).await;
    let cases: [(Value, u16, &str); 9] = [
        (json!({"parcels": [{"weight_grams": 0}]}), 422, "INVALID_BODY"),
        (json!({"service": "teleport"}), 422, "INVALID_BODY"),
        (json!({"colour": "red"}), 422, "INVALID_BODY"),
        (json!({"incoterm": "DAP"}), 422, "INCOTERM_AT_HOME"),
        (json!({"cash_on_delivery": {"amount": "0.00", "currency": "COP"}}), 422, "CASH_NOT_POSITIVE"),
        (json!({"declared_value": {"amount": "-5.00", "currency": "COP"}}), 422, "NEGATIVE_VALUE"),
        (json!({"declared_value": {"amount": 5, "currency": "COP"}}), 422, "INVALID_BODY"),
        (
            json!({"declared_value": {"amount": "9999999999999999999", "currency": "COP"}}),
            422,
            "INVALID_BODY",
        ),
        (json!({"parcels": vec![json!({"weight_grams": 1}); 51]}), 422, "PARCEL_COUNT"),
    ];
    for (change, status, code) in cases {
        shop.post("/shipments", &merged(&draft(), &change)).await.expect_problem(status, code);
    }
    let raw = |body: &'static [u8]| {
        shop.app.post("/api/v1/shipments").token(&shop.token).raw("application/json", body).send()
    };
    raw(b"{").await.expect_problem(400, "MALFORMED_JSON");
    raw(b"{\"reference\": \"\xff\"}").await.expect_problem(400, "MALFORMED_JSON");
    shop.get("/shipments/ORD-01JD3ZK8Q5V0E8XW4T2M9R6B7C").await.expect_problem(422, "INVALID_PATH");
    shop.get("/shipments?status=flying").await.expect_problem(422, "INVALID_QUERY");
    shop.get("/shipments?limit=101").await.expect_problem(422, "INVALID_QUERY");
    let staff = shop.app.token(Realm::Staff, None, &["shipments:create"]);
    shop.app
        .post("/api/v1/shipments")
        .token(&staff)
        .json(&draft())
        .send()
        .await
        .expect_problem(403, "NO_COMPANY");
    let only_create = shop.app.token(Realm::Company, Some(shop.company), &["shipments:create"]);
    let booked = merged(&draft(), &json!({"book": true}));
    shop.app
        .post("/api/v1/shipments")
        .token(&only_create)
        .json(&booked)
        .send()
        .await
        .expect_problem(403, "NOT_PERMITTED");
    assert_eq!(shop.get("/shipments").await.json()["items"], json!([]));
}
