use futures_util::future::join_all;
use quenty_kernel::id::{CompanyId, CustomerId};
use quenty_testkit::{TestApp, http::Answer};
use serde_json::{Value, json};

use crate::support::{admin, id_of, insist, kinds, owner, start};

fn ana() -> Value {
    json!({
        "kind": "individual", "name": "Ana Gómez", "email": "ana@example.com", "phone": "+573001234567",
        "document": {"country": "CO", "type": "CC", "number": "1.020.304.050"}, "language": "es",
        "addresses": [
            {"address": {"line1": "Calle 26 # 59-51", "city": "Bogotá", "country": "CO"}},
            {"address": {"line1": "Carrera 7 # 1-1", "city": "Bogotá", "country": "CO"}, "default_billing": true},
        ],
    })
}

async fn create(app: &TestApp, company: CompanyId, body: &Value) -> Answer {
    app.post("/api/v1/customers").token(&owner(app, company)).json(body).send().await
}

async fn patch(app: &TestApp, company: CompanyId, id: CustomerId, body: Value) -> Answer {
    app.patch(&format!("/api/v1/customers/{id}")).token(&owner(app, company)).json(&body).send().await
}

#[tokio::test]
async fn a_customer_is_created_with_default_addresses() {
    let app = start().await;
    let company = CompanyId::new();
    let body = create(&app, company, &ana()).await.expect(201).json();
    let id: CustomerId = id_of(&body);
    assert_eq!(body["document"]["number"], json!("1020304050"));
    let defaults: Vec<_> = body["addresses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| (&a["default_shipping"], &a["default_billing"]))
        .collect();
    assert_eq!(defaults, [(&json!(true), &json!(false)), (&json!(false), &json!(true))]);
    let read =
        app.get(&format!("/api/v1/customers/{id}")).token(&owner(&app, company)).send().await.expect(200);
    assert_eq!((read.json(), read.header("etag")), (body, Some("\"1\"")));
    let personal = "select count(*) from quenty.journal where data::text like '%ana@example.com%' or data::text like '%1020304050%'";
    let exposed: i64 = sqlx::query_scalar(personal).fetch_one(app.app.db()).await.unwrap();
    assert_eq!(exposed, 0, "personal data stand beside the chain");
    app.assert_sound().await;
}

#[tokio::test]
async fn what_is_shown_of_a_document_is_taken_back() {
    let app = start().await;
    let company = CompanyId::new();
    let mut body = ana();
    // Without the hyphen nobody could tell whether it has its check digit.
    body["document"] = json!({"country": "CO", "type": "NIT", "number": "79.123.456-0"});
    let shown = create(&app, company, &body).await.expect(201).json();
    let again = json!({"document": shown["document"]});
    assert_eq!(patch(&app, company, id_of(&shown), again).await.expect(200).json(), shown);
}

#[tokio::test]
async fn a_customer_changes_field_by_field() {
    let app = start().await;
    let company = CompanyId::new();
    let body = create(&app, company, &ana()).await.expect(201).json();
    let id: CustomerId = id_of(&body);
    let kept = json!([{"id": body["addresses"][1]["id"], "address": body["addresses"][1]["address"]}]);
    let changed = patch(
        &app,
        company,
        id,
        json!({"email": null, "document": null, "blocked": true, "addresses": kept}),
    )
    .await
    .expect(200)
    .json();
    assert_eq!(
        (&changed["email"], &changed["document"], &changed["blocked"]),
        (&json!(null), &json!(null), &json!(true))
    );
    assert_eq!(
        (&changed["phone"], &changed["addresses"][0]["id"]),
        (&body["phone"], &body["addresses"][1]["id"])
    );
    assert_eq!(
        patch(&app, company, id, json!({"blocked": true})).await.expect(200).json()["version"],
        json!(2)
    );
    assert_eq!(kinds(&app, id).await, ["customer.created", "customer.updated"]);
}

#[tokio::test]
async fn an_address_is_one_customers_in_a_company() {
    let app = start().await;
    let company = CompanyId::new();
    let first = create(&app, company, &ana()).await.expect(201).json();
    let mut same = ana();
    same["email"] = json!("ANA@Example.com");
    let refused = create(&app, company, &same).await.expect_problem(409, "CUSTOMER_EMAIL_TAKEN");
    assert_eq!(refused.json()["customer_id"], first["id"]);
    let other =
        create(&app, company, &json!({"kind": "individual", "name": "Eva", "email": "eva@example.com"}))
            .await
            .expect(201)
            .json();
    let refused = patch(&app, company, id_of(&other), json!({"email": "Ana@example.com"}))
        .await
        .expect_problem(409, "CUSTOMER_EMAIL_TAKEN");
    assert_eq!(refused.json()["customer_id"], first["id"]);
    create(&app, CompanyId::new(), &ana()).await.expect(201);
}

#[tokio::test]
async fn of_twenty_customers_with_one_address_at_once_one_is_made() {
    let app = start().await;
    let company = CompanyId::new();
    let body = ana();
    let answers = join_all((0..20).map(|_| insist(|| create(&app, company, &body)))).await;
    let made: Vec<Value> = answers
        .iter()
        .filter(|answer| answer.status() == 201)
        .map(|answer| answer.json()["id"].clone())
        .collect();
    assert_eq!(made.len(), 1);
    for refused in answers.iter().filter(|answer| answer.status() != 201) {
        assert_eq!(
            (refused.code().as_str(), &refused.json()["customer_id"]),
            ("CUSTOMER_EMAIL_TAKEN", &made[0])
        );
    }
}

#[tokio::test]
async fn an_address_taken_at_the_same_moment_by_a_change_stays_unique() {
    let app = start().await;
    let company = CompanyId::new();
    let mut ids = Vec::new();
    for name in ["A", "B", "C", "D"] {
        ids.push(id_of::<CustomerId>(
            &create(&app, company, &json!({"kind": "individual", "name": name})).await.expect(201).json(),
        ));
    }
    let answers = join_all(
        ids.iter().map(|id| insist(|| patch(&app, company, *id, json!({"email": "one@example.com"})))),
    )
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.code() == "CUSTOMER_EMAIL_TAKEN").count(), 3);
}

#[tokio::test]
async fn customers_are_found_by_the_beginning_of_name_or_address() {
    let app = start().await;
    let company = CompanyId::new();
    for (name, email) in [
        ("Jose\u{301} Rui\u{301}z", "j@example.com"),
        ("Ana Gómez", "g1@example.com"),
        ("Ándrés", "ana.b@example.com"),
        ("100% Café", "c@example.com"),
        ("Eva", "e@example.com"),
    ] {
        create(&app, company, &json!({"kind": "individual", "name": name, "email": email})).await.expect(201);
    }
    create(&app, CompanyId::new(), &ana()).await.expect(201);
    let names = async |query: &str| {
        let body = app
            .get(&format!("/api/v1/customers?{query}"))
            .token(&owner(&app, company))
            .send()
            .await
            .expect(200)
            .json();
        body["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("q=ANA").await, ["Ándrés", "Ana Gómez"]);
    assert_eq!(names("q=%C3%81nd").await, ["Ándrés"]);
    assert_eq!(names("q=A%CC%81nd").await, ["Ándrés"]);
    assert_eq!(names("q=jos%C3%A9").await, ["Jose\u{301} Rui\u{301}z"]);
    assert_eq!(names("q=100%25").await, ["100% Café"]);
    assert_eq!(names("q=%25").await, Vec::<String>::new());
    assert_eq!(names("blocked=true").await, Vec::<String>::new());
    assert_eq!(names("blocked=false&limit=2").await, ["Eva", "100% Café"]);
}

#[tokio::test]
async fn another_companys_customer_is_not_found() {
    let app = start().await;
    let id: CustomerId = id_of(&create(&app, CompanyId::new(), &ana()).await.expect(201).json());
    let stranger = CompanyId::new();
    app.get(&format!("/api/v1/customers/{id}"))
        .token(&owner(&app, stranger))
        .send()
        .await
        .expect_problem(404, "NOT_FOUND");
    patch(&app, stranger, id, json!({"blocked": true})).await.expect_problem(404, "NOT_FOUND");
    app.get(&format!("/api/v1/customers/{id}")).token(&admin(&app)).send().await.expect(200);
    app.post("/api/v1/customers")
        .token(&admin(&app))
        .json(&ana())
        .send()
        .await
        .expect_problem(403, "NO_COMPANY");
}

#[tokio::test]
async fn what_breaks_a_rule_names_its_field() {
    let app = start().await;
    let company = CompanyId::new();
    let address = json!({"address": {"line1": "a", "city": "b", "country": "CO"}, "default_shipping": true});
    let cases = [
        (
            json!({"document": {"country": "CO", "type": "CC", "number": "12"}}),
            "INVALID_DOCUMENT_NUMBER",
            "/document/number",
        ),
        (
            json!({"document": {"country": "CO", "type": "RFC", "number": "12"}}),
            "UNKNOWN_DOCUMENT_TYPE",
            "/document/type",
        ),
        (
            json!({"kind": "business", "document": {"country": "CO", "type": "CC", "number": "1020304050"}}),
            "DOCUMENT_TYPE_DOES_NOT_FIT",
            "/document/type",
        ),
        (json!({"addresses": [address, address]}), "TWO_DEFAULT_ADDRESSES", "/addresses"),
        (
            json!({"addresses": vec![json!({"address": address["address"]}); 21]}),
            "TOO_MANY_ADDRESSES",
            "/addresses",
        ),
        (
            json!({"addresses": [{"id": "ADDR-01JD3ZK8Q5V0E8XW4T2M9R6B7C", "address": address["address"]}]}),
            "UNKNOWN_ADDRESS",
            "/addresses/0/id",
        ),
    ];
    for (fields, code, pointer) in cases {
        let mut body = json!({"kind": "individual", "name": "Ana"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let refused = create(&app, company, &body).await.expect_problem(422, code);
        assert_eq!(refused.json()["errors"][0]["pointer"], json!(pointer));
    }
}
