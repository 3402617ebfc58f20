use futures_util::future::join_all;
use quenty_kernel::id::{CompanyId, UserId};
use quenty_platform::token::Realm;
use quenty_testkit::{TestApp, TestOptions, http::Answer};
use serde_json::json;

use crate::support::{
    act, act_because, active, admin, admin_named, company, company_body, id_of, insist, kinds, members,
    new_nit, owner, person, registered, registered_by, start,
};

#[tokio::test]
async fn whoever_registers_a_company_owns_it() {
    let app = start().await;
    let founder = UserId::new();
    let answer = app
        .post("/api/v1/companies")
        .token(&person(&app, founder))
        .json(&company_body("860.034.313-7"))
        .send()
        .await
        .expect(201);
    let body = answer.json();
    let id: CompanyId = id_of(&body);
    assert_eq!(answer.header("location"), Some(format!("/api/v1/companies/{id}").as_str()));
    assert_eq!(
        (&body["status"], &body["kyc"], &body["may_order"]),
        (&json!("registered"), &json!("not_started"), &json!(false))
    );
    assert_eq!(body["document"], json!({"type": "NIT", "number": "8600343137"}));
    let members = members(&app, id).await;
    assert_eq!((&members[0]["user_id"], &members[0]["role"]), (&json!(founder), &json!("owner")));
    assert_eq!(kinds(&app, id).await, ["company.registered"]);
    app.assert_sound().await;
}

/// A company that says to have this number.
async fn registered_as(app: &TestApp, number: &str) -> CompanyId {
    let (founder, body) = (person(app, UserId::new()), company_body(number));
    let answer = insist(|| app.post("/api/v1/companies").token(&founder).json(&body).send()).await;
    id_of(&answer.expect(201).json())
}

async fn submit(app: &TestApp, id: CompanyId) -> Answer {
    let token = owner(app, id);
    insist(|| act(app, &token, id, "submit")).await
}

#[tokio::test]
async fn a_document_number_belongs_to_one_reviewed_company_however_it_is_written() {
    let app = start().await;
    let first = registered_as(&app, "860.034.313-7").await;
    let second = registered_as(&app, "860034313-7").await;
    submit(&app, first).await.expect(200);
    submit(&app, second).await.expect_problem(409, "DOCUMENT_NUMBER_TAKEN");
    act(&app, &admin(&app), first, "approve").await.expect(200);
    submit(&app, second).await.expect_problem(409, "DOCUMENT_NUMBER_TAKEN");
    assert_eq!(company(&app, second).await["status"], json!("registered"));
    assert_eq!(kinds(&app, second).await, ["company.registered"]);
    let other = active(&app).await;
    let taken = json!({"document": {"type": "NIT", "number": "860034313-7"}});
    let patch =
        app.patch(&format!("/api/v1/companies/{other}")).token(&admin(&app)).json(&taken).send().await;
    patch.expect_problem(409, "DOCUMENT_NUMBER_TAKEN");
}

#[tokio::test]
async fn a_document_number_is_taken_back_as_it_is_shown() {
    let app = start().await;
    let id = registered_as(&app, "123.456.789-6").await;
    let shown = company(&app, id).await;
    let patch = app.patch(&format!("/api/v1/companies/{id}")).token(&owner(&app, id));
    let kept = patch.json(&json!({"document": shown["document"]})).send().await.expect(200);
    assert_eq!(kept.json(), shown);
}

#[tokio::test]
async fn a_number_is_anybodys_again_once_its_company_is_rejected_or_closed() {
    let app = start().await;
    let (nit, admin) = (new_nit(), admin(&app));
    let (first, second) = (registered_as(&app, &nit).await, registered_as(&app, &nit).await);
    submit(&app, first).await.expect(200);
    act_because(&app, &admin, first, "reject").await.expect(200);
    submit(&app, second).await.expect(200);
    submit(&app, first).await.expect_problem(409, "DOCUMENT_NUMBER_TAKEN");
    act(&app, &admin, second, "approve").await.expect(200);
    act_because(&app, &admin, second, "suspend").await.expect(200);
    submit(&app, first).await.expect_problem(409, "DOCUMENT_NUMBER_TAKEN");
    act_because(&app, &owner(&app, second), second, "close").await.expect(200);
    submit(&app, first).await.expect(200);
    app.assert_sound().await;
}

#[tokio::test]
async fn of_twenty_submissions_of_one_number_at_once_one_wins() {
    let app = start().await;
    let nit = new_nit();
    let companies = join_all((0..20).map(|_| registered_as(&app, &nit))).await;
    let answers = join_all(companies.iter().map(|id| submit(&app, *id))).await;
    let mut outcomes: Vec<u16> = answers.iter().map(Answer::status).collect();
    outcomes.sort_unstable();
    assert_eq!((outcomes[0], &outcomes[1..]), (200, &[409; 19][..]));
}

#[tokio::test]
async fn another_companys_company_is_not_found() {
    let app = start().await;
    let (id, other) = (registered(&app).await, registered(&app).await);
    let stranger = owner(&app, other);
    let path = format!("/api/v1/companies/{id}");
    app.get(&path).token(&stranger).send().await.expect_problem(404, "NOT_FOUND");
    app.get(&format!("{path}?as_of=2100-01-01T00:00:00Z"))
        .token(&stranger)
        .send()
        .await
        .expect_problem(404, "NOT_FOUND");
    app.patch(&path)
        .token(&stranger)
        .json(&json!({"size": "large"}))
        .send()
        .await
        .expect_problem(404, "NOT_FOUND");
    for verb in ["submit", "kyc"] {
        act(&app, &stranger, id, verb).await.expect_problem(404, "NOT_FOUND");
    }
    app.post(&format!("{path}/close"))
        .token(&stranger)
        .json(&json!({"reason": "x"}))
        .send()
        .await
        .expect_problem(404, "NOT_FOUND");
    let listed = app.get("/api/v1/companies").token(&stranger).send().await.expect(200).json();
    assert_eq!(
        listed["items"].as_array().unwrap().iter().map(|c| &c["id"]).collect::<Vec<_>>(),
        [&json!(other)]
    );
}

#[tokio::test]
async fn staff_list_companies_by_status_page_by_page() {
    let app = start().await;
    let (a, b, c) = (registered(&app).await, registered(&app).await, active(&app).await);
    let list = async |query: &str| {
        app.get(&format!("/api/v1/companies?{query}")).token(&admin(&app)).send().await.expect(200).json()
    };
    let first = list("status=registered&limit=1").await;
    assert_eq!(first["items"][0]["id"], json!(b));
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = list(&format!("status=registered&limit=1&cursor={cursor}")).await;
    assert_eq!((&second["items"][0]["id"], &second["next_cursor"]), (&json!(a), &json!(null)));
    assert_eq!(list("status=active").await["items"][0]["id"], json!(c));
}

#[tokio::test]
async fn staff_find_whose_kyc_waits() {
    let app = start().await;
    let (_, asked) = (registered(&app).await, active(&app).await);
    act(&app, &owner(&app, asked), asked, "kyc").await.expect(200);
    let listed = app.get("/api/v1/companies?kyc=pending").token(&admin(&app)).send().await.expect(200).json();
    let ids: Vec<_> = listed["items"].as_array().unwrap().iter().map(|company| &company["id"]).collect();
    assert_eq!(ids, [&json!(asked)]);
}

#[tokio::test]
async fn settings_change_under_the_version_that_was_seen() {
    let app = start().await;
    let id = registered(&app).await;
    let patch = |version: &str, body: serde_json::Value| {
        app.patch(&format!("/api/v1/companies/{id}"))
            .token(&owner(&app, id))
            .header("if-match", version)
            .json(&body)
            .send()
    };
    let changed = patch("\"1\"", json!({"trade_name": "Andes", "origin": null})).await.expect(200);
    assert_eq!((changed.header("etag"), &changed.json()["origin"]), (Some("\"2\""), &json!(null)));
    patch("\"1\"", json!({"trade_name": "Other"})).await.expect_problem(412, "VERSION_MISMATCH");
    let same = patch("\"2\"", json!({"trade_name": "Andes"})).await.expect(200);
    assert_eq!(same.header("etag"), Some("\"2\""), "nothing changed, nothing is told");
    assert_eq!(kinds(&app, id).await, ["company.registered", "company.updated"]);
}

#[tokio::test]
async fn terms_are_set_by_staff_only() {
    let app = start().await;
    let id = registered(&app).await;
    let terms =
        json!({"payment_terms_days": 30, "credit_limit": {"amount": "5000000.00", "currency": "COP"}});
    let patch =
        |token: String, body| app.patch(&format!("/api/v1/companies/{id}")).token(&token).json(&body).send();
    patch(owner(&app, id), terms.clone()).await.expect_problem(403, "TERMS_GIVEN_BY_PLATFORM");
    let body = patch(admin(&app), terms.clone()).await.expect(200).json();
    assert_eq!(
        (&body["payment_terms_days"], &body["credit_limit"]),
        (&terms["payment_terms_days"], &terms["credit_limit"])
    );
    let dollars = json!({"credit_limit": {"amount": "1.00", "currency": "USD"}});
    patch(admin(&app), dollars).await.expect_problem(422, "INVALID_CREDIT_LIMIT");
    let moved = json!({"currency": "USD"});
    patch(owner(&app, id), moved).await.expect_problem(409, "CREDIT_LIMIT_FIXES_CURRENCY");
}

#[tokio::test]
async fn the_legal_name_is_fixed_while_it_is_judged() {
    let app = start().await;
    let id = registered(&app).await;
    act(&app, &owner(&app, id), id, "submit").await.expect(200);
    let renamed = json!({"legal_name": "Otra S.A.S."});
    let patch =
        |token: String| app.patch(&format!("/api/v1/companies/{id}")).token(&token).json(&renamed).send();
    patch(owner(&app, id)).await.expect_problem(409, "IDENTITY_FIXED");
    patch(admin(&app)).await.expect(200);
}

#[tokio::test]
async fn a_company_reads_as_it_was() {
    let options =
        TestOptions { starts_at: Some("2026-01-05T12:00:00Z".parse().unwrap()), ..TestOptions::default() };
    let app = TestApp::start_with(quenty_customer::service(), options).await;
    let id = registered_by(&app, UserId::new()).await;
    let before = company(&app, id).await;
    app.advance_to("2026-01-06T12:00:00Z".parse().unwrap());
    act(&app, &owner(&app, id), id, "submit").await.expect(200);
    app.advance_to("2026-01-07T12:00:00Z".parse().unwrap());
    act(&app, &admin(&app), id, "approve").await.expect(200);
    let as_of = async |moment: &str| {
        app.get(&format!("/api/v1/companies/{id}?as_of={moment}")).token(&admin(&app)).send().await
    };
    as_of("2026-01-05T11:00:00Z").await.expect_problem(404, "NOT_FOUND");
    let past = as_of("2026-01-06T11:00:00Z").await.expect(200);
    assert_eq!((past.json(), past.header("etag")), (before, None), "there is no If-Match for the past");
    assert_eq!(as_of("2026-01-06T13:00:00Z").await.expect(200).json()["status"], json!("in_review"));
    assert_eq!(
        as_of("2026-01-08T00:00:00Z").await.expect(200).json(),
        company(&app, id).await,
        "the journal folds to the row"
    );
}

#[tokio::test]
async fn a_person_who_acts_for_no_company_sees_none() {
    let app = start().await;
    let id = registered(&app).await;
    let nowhere = app.token(Realm::User, None, &["companies:read"]);
    app.get(&format!("/api/v1/companies/{id}"))
        .token(&nowhere)
        .send()
        .await
        .expect_problem(403, "NO_COMPANY");
}

#[tokio::test]
async fn nobody_of_the_staff_sets_terms_or_identity_of_their_own_company() {
    let app = start().await;
    let founder = UserId::new();
    let id = registered_by(&app, founder).await;
    let patch = async |token: &str, body: serde_json::Value| {
        app.patch(&format!("/api/v1/companies/{id}")).token(token).json(&body).send().await
    };
    let (own, other) = (admin_named(&app, founder), admin(&app));
    let limit = json!({"credit_limit": {"amount": "1000000.00", "currency": "COP"}});
    let document = json!({"document": {"type": "NIT", "number": new_nit()}});
    for body in [&limit, &json!({"payment_terms_days": 30}), &json!({"legal_name": "Mine S.A.S."}), &document]
    {
        patch(&own, body.clone()).await.expect_problem(403, "OWN_COMPANY");
    }
    patch(&own, json!({"trade_name": "Mine"})).await.expect(200);
    patch(&other, limit).await.expect(200);
}
