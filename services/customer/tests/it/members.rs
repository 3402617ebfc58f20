use futures_util::future::join;
use quenty_contracts::auth::{UserReactivated, UserSuspended};
use quenty_kernel::id::{CompanyId, MemberId, SessionId, UserId};
use quenty_platform::token::{Claims, Realm};
use quenty_testkit::{TestApp, http::Answer, keys};
use serde_json::json;

use crate::support::{
    act_because, hear_activated, hear_registered, id_of, insist, kinds, members, owner, registered, start,
};

async fn joined(app: &TestApp, company: CompanyId, email: &str, role: &str) -> MemberId {
    let body =
        json!({"email": email, "role": role, "given_name": "Ana", "family_name": "Gómez", "language": "es"});
    let answer = app
        .post(&format!("/api/v1/companies/{company}/members"))
        .token(&owner(app, company))
        .json(&body)
        .send()
        .await
        .expect(201);
    let user = UserId::new();
    hear_registered(app, user, email).await;
    hear_activated(app, user, email).await;
    id_of(&answer.json())
}

async fn change(app: &TestApp, company: CompanyId, member: MemberId, role: &str) -> Answer {
    let path = format!("/api/v1/companies/{company}/members/{member}");
    app.patch(&path).token(&owner(app, company)).json(&json!({"role": role})).send().await
}

async fn remove(app: &TestApp, company: CompanyId, member: MemberId) -> Answer {
    app.delete(&format!("/api/v1/companies/{company}/members/{member}"))
        .token(&owner(app, company))
        .send()
        .await
}

async fn founder(app: &TestApp, company: CompanyId) -> MemberId {
    id_of(members(app, company).await.last().unwrap())
}

#[tokio::test]
async fn a_member_changes_roles_and_leaves() {
    let app = start().await;
    let company = registered(&app).await;
    let member = joined(&app, company, "ana@example.com", "operator").await;
    let changed = change(&app, company, member, "manager").await.expect(200).json();
    assert_eq!(
        (&changed["role"], &changed["given_name"], &changed["email"]),
        (&json!("manager"), &json!("Ana"), &json!("ana@example.com"))
    );
    remove(&app, company, member).await.expect(204);
    assert_eq!(
        kinds(&app, member).await,
        ["member.invited", "member.added", "member.role_changed", "member.removed"]
    );
    assert_eq!(members(&app, company).await.len(), 1);
    remove(&app, company, member).await.expect_problem(404, "NOT_FOUND");
    app.assert_sound().await;
}

#[tokio::test]
async fn the_last_owner_stays() {
    let app = start().await;
    let company = registered(&app).await;
    let first = founder(&app, company).await;
    remove(&app, company, first).await.expect_problem(409, "LAST_OWNER");
    change(&app, company, first, "viewer").await.expect_problem(409, "LAST_OWNER");
    joined(&app, company, "ana@example.com", "owner").await;
    change(&app, company, first, "viewer").await.expect(200);
}

#[tokio::test]
async fn an_owner_who_cannot_log_in_is_not_the_one_who_stays() {
    let app = start().await;
    let company = registered(&app).await;
    let first = founder(&app, company).await;
    let second = joined(&app, company, "ana@example.com", "owner").await;
    let ana: UserId = members(&app, company).await[0]["user_id"].as_str().unwrap().parse().unwrap();
    app.hear(ana, None, 3, &UserSuspended { user_id: ana, reason: "fraud".to_owned() }).await;
    remove(&app, company, first).await.expect_problem(409, "LAST_OWNER");
    change(&app, company, first, "viewer").await.expect_problem(409, "LAST_OWNER");
    app.hear(ana, None, 4, &UserReactivated { user_id: ana }).await;
    change(&app, company, first, "viewer").await.expect(200);
    remove(&app, company, second).await.expect_problem(409, "LAST_OWNER");
}

#[tokio::test]
async fn of_two_owners_who_remove_each_other_at_once_one_stays() {
    let app = start().await;
    for round in 0..5 {
        let company = registered(&app).await;
        let first = founder(&app, company).await;
        let second = joined(&app, company, &format!("ana{round}@example.com"), "owner").await;
        let (a, b) =
            join(insist(|| remove(&app, company, first)), insist(|| remove(&app, company, second))).await;
        let mut outcomes = [a.status(), b.status()];
        outcomes.sort_unstable();
        assert_eq!(outcomes, [204, 409]);
        assert_eq!(members(&app, company).await.len(), 1);
    }
}

#[tokio::test]
async fn another_companys_members_are_not_found() {
    let app = start().await;
    let (company, other) = (registered(&app).await, registered(&app).await);
    let member = founder(&app, company).await;
    let stranger = owner(&app, other);
    app.get(&format!("/api/v1/companies/{company}/members"))
        .token(&stranger)
        .send()
        .await
        .expect_problem(404, "NOT_FOUND");
    let body = json!({"email": "x@example.com", "role": "owner", "given_name": "X", "family_name": "Y", "language": "es"});
    app.post(&format!("/api/v1/companies/{company}/members"))
        .token(&stranger)
        .json(&body)
        .send()
        .await
        .expect_problem(404, "NOT_FOUND");
    for within in [company, other] {
        let path = format!("/api/v1/companies/{within}/members/{member}");
        app.delete(&path).token(&stranger).send().await.expect_problem(404, "NOT_FOUND");
        app.patch(&path)
            .token(&stranger)
            .json(&json!({"role": "viewer"}))
            .send()
            .await
            .expect_problem(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_closed_company_takes_nobody_in() {
    let app = start().await;
    let company = registered(&app).await;
    act_because(&app, &owner(&app, company), company, "close").await.expect(200);
    let body = json!({"email": "x@example.com", "role": "viewer", "given_name": "X", "family_name": "Y", "language": "es"});
    let answer = app
        .post(&format!("/api/v1/companies/{company}/members"))
        .token(&owner(&app, company))
        .json(&body)
        .send()
        .await;
    answer.expect_problem(409, "COMPANY_CLOSED");
}

#[tokio::test]
async fn a_closed_company_lets_its_members_go() {
    let app = start().await;
    let company = registered(&app).await;
    let member = joined(&app, company, "ana@example.com", "viewer").await;
    let last = founder(&app, company).await;
    act_because(&app, &owner(&app, company), company, "close").await.expect(200);
    let claims = keys::claims(Realm::Staff, UserId::new(), None, &["members:remove"]);
    let staff = keys::sign(&Claims { sid: Some(SessionId::new()), ..claims });
    let remove = |member: MemberId| {
        app.delete(&format!("/api/v1/companies/{company}/members/{member}")).token(&staff).send()
    };
    remove(member).await.expect(204);
    assert_eq!(kinds(&app, member).await, ["member.invited", "member.added", "member.removed"]);
    remove(last).await.expect_problem(409, "LAST_OWNER");
    app.assert_sound().await;
}

#[tokio::test]
async fn an_invited_member_has_no_role_to_change_yet() {
    let app = start().await;
    let company = registered(&app).await;
    let body = json!({"email": "x@example.com", "role": "viewer", "given_name": "X", "family_name": "Y", "language": "es"});
    let path = format!("/api/v1/companies/{company}/members");
    let invited = app.post(&path).token(&owner(&app, company)).json(&body).send().await.expect(201).json();
    let refused = change(&app, company, id_of(&invited), "manager").await.expect_problem(409, "MEMBER_STATE");
    assert_eq!(refused.json()["current_status"], "invited");
    assert!(refused.json()["detail"].as_str().unwrap().contains("role"), "{}", refused.text());
}

#[tokio::test]
async fn reading_members_does_not_allow_inviting_them() {
    let app = start().await;
    let company = registered(&app).await;
    let viewer = app.token(Realm::Company, Some(company), &["members:read"]);
    let path = format!("/api/v1/companies/{company}/members");
    app.get(&path).token(&viewer).send().await.expect(200);
    app.post(&path).token(&viewer).json(&json!({})).send().await.expect_problem(403, "NOT_PERMITTED");
}
