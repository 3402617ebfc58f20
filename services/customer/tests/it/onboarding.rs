use futures_util::future::join_all;
use quenty_kernel::id::{CompanyId, UserId};
use quenty_platform::token::Realm;
use quenty_testkit::{TestApp, http::Answer};
use serde_json::json;

use crate::support::{
    act, act_because, active, admin, admin_named, company, company_body, hear_activated, hear_registered,
    id_of, insist, kinds, owner, person, registered, registered_by, start,
};

#[tokio::test]
async fn a_company_becomes_active_and_its_standing_goes_with_it() {
    let app = start().await;
    let id = active(&app).await;
    let body = company(&app, id).await;
    assert_eq!(
        (&body["status"], &body["may_order"], &body["version"]),
        (&json!("active"), &json!(true), &json!(3))
    );
    assert_eq!(kinds(&app, id).await, ["company.registered", "company.submitted", "company.approved"]);
    let told: Vec<_> =
        app.facts(id).await.iter().map(|entry| entry.data["standing"]["version"].clone()).collect();
    assert_eq!(told, [1, 2, 3]);
    app.assert_sound().await;
}

#[tokio::test]
async fn submitting_without_a_tax_number_says_so_until_it_is_there() {
    let app = start().await;
    let mut body = company_body("");
    body.as_object_mut().unwrap().remove("document");
    let id: CompanyId = id_of(
        &app.post("/api/v1/companies")
            .token(&person(&app, UserId::new()))
            .json(&body)
            .send()
            .await
            .expect(201)
            .json(),
    );
    let pending = act(&app, &owner(&app, id), id, "submit").await.expect(200).json();
    assert_eq!(
        (&pending["status"], &pending["missing"]),
        (&json!("documents_pending"), &json!(["tax_number"]))
    );
    act(&app, &admin(&app), id, "approve").await.expect_problem(409, "COMPANY_STATE");
    let document = json!({"document": {"type": "NIT", "number": "860.034.313-7"}});
    app.patch(&format!("/api/v1/companies/{id}"))
        .token(&owner(&app, id))
        .json(&document)
        .send()
        .await
        .expect(200);
    let reviewed = act(&app, &owner(&app, id), id, "submit").await.expect(200).json();
    assert_eq!((&reviewed["status"], &reviewed["missing"]), (&json!("in_review"), &json!([])));
}

#[tokio::test]
async fn every_illegal_move_is_refused_and_leaves_no_trace() {
    let app = start().await;
    let admin = admin(&app);
    let moves = ["submit", "approve", "reject", "suspend", "reactivate", "close"];
    let legal = [
        ("registered", &["submit", "close"][..]),
        ("in_review", &["approve", "reject", "close"]),
        ("rejected", &["submit", "close"]),
        ("active", &["suspend", "close"]),
        ("suspended", &["reactivate", "close"]),
        ("closed", &[]),
    ];
    for (status, allowed) in legal {
        let id = registered(&app).await;
        let way: &[&str] = match status {
            "in_review" => &["submit"],
            "rejected" => &["submit", "reject"],
            "active" => &["submit", "approve"],
            "suspended" => &["submit", "approve", "suspend"],
            "closed" => &["close"],
            _ => &[],
        };
        for verb in way {
            act_because_or_not(&app, &admin, id, verb).await.expect(200);
        }
        let before = kinds(&app, id).await;
        for verb in moves.iter().filter(|verb| !allowed.contains(verb)) {
            act_because_or_not(&app, &admin, id, verb).await.expect_problem(409, "COMPANY_STATE");
        }
        assert_eq!(
            (company(&app, id).await["status"].clone(), kinds(&app, id).await),
            (json!(status), before)
        );
    }
}

async fn act_because_or_not(app: &TestApp, token: &str, id: CompanyId, verb: &str) -> Answer {
    match verb {
        "reject" | "suspend" | "close" => act_because(app, token, id, verb).await,
        _ => act(app, token, id, verb).await,
    }
}

#[tokio::test]
async fn nobody_judges_another_company_than_they_saw() {
    let app = start().await;
    let id = registered(&app).await;
    let (owner, admin) = (owner(&app, id), admin(&app));
    let seen = act(&app, &owner, id, "submit").await.expect(200);
    act_because(&app, &admin, id, "reject").await.expect(200);
    let renamed = app.patch(&format!("/api/v1/companies/{id}")).token(&owner);
    renamed.json(&json!({"legal_name": "Otra S.A.S."})).send().await.expect(200);
    let shown = act(&app, &owner, id, "submit").await.expect(200);
    let judge = |verb: &str, seen: &Answer| {
        app.post(&format!("/api/v1/companies/{id}/{verb}"))
            .token(&admin)
            .header("if-match", seen.header("etag").unwrap())
            .json(&json!({"reason": "because"}))
            .send()
    };
    for verb in ["approve", "reject"] {
        judge(verb, &seen).await.expect_problem(412, "VERSION_MISMATCH");
    }
    assert_eq!(company(&app, id).await, shown.json());
    judge("approve", &shown).await.expect(200);
}

#[tokio::test]
async fn reasons_are_kept_until_they_are_mended() {
    let app = start().await;
    let id = registered(&app).await;
    act(&app, &owner(&app, id), id, "submit").await.expect(200);
    let rejected = act_because(&app, &admin(&app), id, "reject").await.expect(200).json();
    assert_eq!((&rejected["status"], &rejected["status_reason"]), (&json!("rejected"), &json!("because")));
    let again = act(&app, &owner(&app, id), id, "submit").await.expect(200).json();
    assert_eq!((&again["status"], &again["status_reason"]), (&json!("in_review"), &json!(null)));
}

#[tokio::test]
async fn nobody_decides_over_a_company_that_they_registered() {
    let app = start().await;
    let founder = UserId::new();
    let id = registered_by(&app, founder).await;
    act(&app, &owner(&app, id), id, "submit").await.expect(200);
    let own = admin_named(&app, founder);
    act(&app, &own, id, "approve").await.expect_problem(403, "OWN_COMPANY");
    act_because(&app, &own, id, "reject").await.expect_problem(403, "OWN_COMPANY");
    act(&app, &admin(&app), id, "approve").await.expect(200);
    act_because(&app, &own, id, "suspend").await.expect_problem(403, "OWN_COMPANY");
}

#[tokio::test]
async fn nobody_decides_over_a_company_that_they_joined() {
    let app = start().await;
    let id = registered(&app).await;
    let colleague = UserId::new();
    let invitation = json!({"email": "eva@example.com", "role": "viewer", "given_name": "Eva", "family_name": "Ruiz", "language": "es"});
    app.post(&format!("/api/v1/companies/{id}/members"))
        .token(&owner(&app, id))
        .json(&invitation)
        .send()
        .await
        .expect(201);
    hear_registered(&app, colleague, "eva@example.com").await;
    hear_activated(&app, colleague, "eva@example.com").await;
    act(&app, &owner(&app, id), id, "submit").await.expect(200);
    act(&app, &admin_named(&app, colleague), id, "approve").await.expect_problem(403, "OWN_COMPANY");
}

#[tokio::test]
async fn a_companys_people_never_decide_whatever_their_token_says() {
    let app = start().await;
    let id = registered(&app).await;
    act(&app, &owner(&app, id), id, "submit").await.expect(200);
    let generous = app.token(Realm::Company, Some(id), &["companies:*"]);
    act(&app, &generous, id, "approve").await.expect_problem(403, "STAFF_ONLY");
}

#[tokio::test]
async fn of_ten_approvals_at_once_one_wins() {
    let app = start().await;
    let id = registered(&app).await;
    act(&app, &owner(&app, id), id, "submit").await.expect(200);
    let reviewers: Vec<String> = (0..10).map(|_| admin(&app)).collect();
    let answers = join_all(reviewers.iter().map(|token| insist(|| act(&app, token, id, "approve")))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.code() == "COMPANY_STATE").count(), 9);
    assert_eq!(kinds(&app, id).await.iter().filter(|kind| *kind == "company.approved").count(), 1);
}

#[tokio::test]
async fn an_approval_repeated_with_its_key_gives_the_first_answer() {
    let app = start().await;
    let id = registered(&app).await;
    act(&app, &owner(&app, id), id, "submit").await.expect(200);
    let admin = admin(&app);
    let approve =
        || app.post(&format!("/api/v1/companies/{id}/approve")).token(&admin).idempotency_key("once").send();
    let first = approve().await.expect(200);
    assert_eq!(approve().await.expect(200).json(), first.json());
}

#[tokio::test]
async fn an_owner_may_close_the_company() {
    let app = start().await;
    let id = active(&app).await;
    let closed = act_because(&app, &owner(&app, id), id, "close").await.expect(200).json();
    assert_eq!((&closed["status"], &closed["may_order"]), (&json!("closed"), &json!(false)));
    let patch = app
        .patch(&format!("/api/v1/companies/{id}"))
        .token(&owner(&app, id))
        .json(&json!({"size": "large"}))
        .send()
        .await;
    patch.expect_problem(409, "COMPANY_CLOSED");
}
