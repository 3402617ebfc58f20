use quenty_kernel::id::{CompanyId, UserId};
use quenty_testkit::{TestApp, http::Answer};
use serde_json::{Value, json};

use crate::support::{
    act, active, admin, admin_named, company_body, id_of, kinds, owner, person, registered, registered_by,
    start,
};

async fn decide(app: &TestApp, token: &str, id: CompanyId, body: &Value) -> Answer {
    app.post(&format!("/api/v1/companies/{id}/kyc/decision")).token(token).json(body).send().await
}

#[tokio::test]
async fn a_verified_company_ships_abroad() {
    let app = start().await;
    let id = active(&app).await;
    let pending = act(&app, &owner(&app, id), id, "kyc").await.expect(200).json();
    assert_eq!((&pending["kyc"], &pending["may_ship_internationally"]), (&json!("pending"), &json!(false)));
    let verified = decide(&app, &admin(&app), id, &json!({"decision": "verified"})).await.expect(200).json();
    assert_eq!((&verified["kyc"], &verified["may_ship_internationally"]), (&json!("verified"), &json!(true)));
    assert_eq!(kinds(&app, id).await[3..], ["kyc.submitted", "kyc.verified"]);
}

#[tokio::test]
async fn a_rejection_says_why_and_may_be_tried_again() {
    let app = start().await;
    let id = registered(&app).await;
    act(&app, &owner(&app, id), id, "kyc").await.expect(200);
    decide(&app, &admin(&app), id, &json!({"decision": "rejected"}))
        .await
        .expect_problem(422, "REASON_NEEDED");
    let rejected = decide(&app, &admin(&app), id, &json!({"decision": "rejected", "reason": "unreadable"}))
        .await
        .expect(200)
        .json();
    assert_eq!((&rejected["kyc"], &rejected["kyc_reason"]), (&json!("rejected"), &json!("unreadable")));
    let again = act(&app, &owner(&app, id), id, "kyc").await.expect(200).json();
    assert_eq!((&again["kyc"], &again["kyc_reason"]), (&json!("pending"), &json!(null)));
}

#[tokio::test]
async fn kyc_is_decided_once_and_only_when_it_was_asked_for() {
    let app = start().await;
    let id = registered(&app).await;
    let verified = json!({"decision": "verified"});
    decide(&app, &admin(&app), id, &verified).await.expect_problem(409, "KYC_STATE");
    act(&app, &owner(&app, id), id, "kyc").await.expect(200);
    act(&app, &owner(&app, id), id, "kyc").await.expect_problem(409, "KYC_STATE");
    decide(&app, &admin(&app), id, &verified).await.expect(200);
    decide(&app, &admin(&app), id, &verified).await.expect_problem(409, "KYC_STATE");
}

#[tokio::test]
async fn nobody_decides_on_another_identity_than_they_saw() {
    let app = start().await;
    let id = registered(&app).await;
    let (owner, admin) = (owner(&app, id), admin(&app));
    let seen = act(&app, &owner, id, "kyc").await.expect(200);
    decide(&app, &admin, id, &json!({"decision": "rejected", "reason": "unreadable"})).await.expect(200);
    let renamed = app.patch(&format!("/api/v1/companies/{id}")).token(&owner);
    renamed.json(&json!({"legal_name": "Otra S.A.S."})).send().await.expect(200);
    let shown = act(&app, &owner, id, "kyc").await.expect(200);
    let verify = |seen: &Answer| {
        app.post(&format!("/api/v1/companies/{id}/kyc/decision"))
            .token(&admin)
            .header("if-match", seen.header("etag").unwrap())
            .json(&json!({"decision": "verified"}))
            .send()
    };
    verify(&seen).await.expect_problem(412, "VERSION_MISMATCH");
    verify(&shown).await.expect(200);
}

#[tokio::test]
async fn nobody_decides_on_their_own_kyc() {
    let app = start().await;
    let founder = UserId::new();
    let id = registered_by(&app, founder).await;
    act(&app, &owner(&app, id), id, "kyc").await.expect(200);
    decide(&app, &admin_named(&app, founder), id, &json!({"decision": "verified"}))
        .await
        .expect_problem(403, "OWN_COMPANY");
}

#[tokio::test]
async fn kyc_needs_a_document() {
    let app = start().await;
    let mut body = company_body("");
    body.as_object_mut().unwrap().remove("document");
    let answer = app
        .post("/api/v1/companies")
        .token(&person(&app, UserId::new()))
        .json(&body)
        .send()
        .await
        .expect(201);
    let id: CompanyId = id_of(&answer.json());
    let refused = act(&app, &owner(&app, id), id, "kyc").await.expect_problem(409, "DOCUMENTS_MISSING");
    assert_eq!(refused.json()["missing"], json!(["tax_number"]));
}

#[tokio::test]
async fn another_identity_is_verified_anew() {
    let app = start().await;
    let id = active(&app).await;
    act(&app, &owner(&app, id), id, "kyc").await.expect(200);
    decide(&app, &admin(&app), id, &json!({"decision": "verified"})).await.expect(200);
    let patch = async |body: Value| {
        let call = app.patch(&format!("/api/v1/companies/{id}")).token(&admin(&app)).json(&body);
        call.send().await.expect(200).json()
    };
    assert_eq!(patch(json!({"trade_name": "Andes"})).await["kyc"], json!("verified"));
    let renamed = patch(json!({"legal_name": "Another S.A.S."})).await;
    assert_eq!(
        (&renamed["kyc"], &renamed["may_ship_internationally"], &renamed["may_order"]),
        (&json!("not_started"), &json!(false), &json!(true))
    );
    act(&app, &owner(&app, id), id, "kyc").await.expect(200);
    app.assert_sound().await;
}
