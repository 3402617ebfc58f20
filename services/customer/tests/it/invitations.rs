use quenty_kernel::id::{CompanyId, MemberId, UserId};
use quenty_testkit::{TestApp, http::Answer};
use serde_json::json;

use crate::support::{
    act_because, hear_activated, hear_registered, id_of, kinds, members, owner, person, registered,
    registered_by, start,
};

const ANA: &str = "ana@example.com";

async fn invite(app: &TestApp, company: CompanyId, email: &str) -> Answer {
    let body = json!({"email": email, "role": "operator", "given_name": "Ana", "family_name": "Gómez", "language": "es"});
    app.post(&format!("/api/v1/companies/{company}/members"))
        .token(&owner(app, company))
        .json(&body)
        .send()
        .await
}

async fn accept(app: &TestApp, user: UserId, member: MemberId) -> Answer {
    app.post(&format!("/api/v1/invitations/{member}/accept")).token(&person(app, user)).send().await
}

/// The user id that was promised to the invited address: the stream of `user.invited`.
async fn promised(app: &TestApp) -> Vec<UserId> {
    let facts = "select data ->> 'user_id' from quenty.journal where type = 'quenty.customer.user.invited.v1' order by seq";
    let ids: Vec<String> = sqlx::query_scalar(facts).fetch_all(app.app.db()).await.unwrap();
    ids.iter().map(|id| id.parse().unwrap()).collect()
}

#[tokio::test]
async fn a_user_accepts_an_invitation() {
    let app = start().await;
    let (company, user) = (registered(&app).await, UserId::new());
    hear_registered(&app, user, ANA).await;
    let invited = invite(&app, company, "Ana@Example.com").await.expect(201).json();
    assert_eq!((&invited["status"], &invited["user_id"]), (&json!("invited"), &json!(null)));
    assert_eq!(promised(&app).await, [user], "Auth tells who has a user, too");
    let member: MemberId = id_of(&invited);
    let accepted = accept(&app, user, member).await.expect(200).json();
    assert_eq!(
        (&accepted["status"], &accepted["user_id"], &accepted["role"]),
        (&json!("active"), &json!(user), &json!("operator"))
    );
    accept(&app, user, member).await.expect_problem(409, "MEMBER_STATE");
    assert_eq!(kinds(&app, member).await, ["member.invited", "member.added"]);
    app.assert_sound().await;
}

#[tokio::test]
async fn only_who_was_invited_sees_the_invitation() {
    let app = start().await;
    let (company, other) = (registered(&app).await, UserId::new());
    let member: MemberId = id_of(&invite(&app, company, ANA).await.expect(201).json());
    accept(&app, other, member).await.expect_problem(503, "PROFILE_NOT_KNOWN_YET");
    hear_registered(&app, other, "eva@example.com").await;
    accept(&app, other, member).await.expect_problem(404, "NOT_FOUND");
    accept(&app, other, MemberId::new()).await.expect_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn who_has_no_user_is_invited_by_auth_and_is_in_once_activated() {
    let app = start().await;
    let company = registered(&app).await;
    let member: MemberId = id_of(&invite(&app, company, ANA).await.expect(201).json());
    let user = promised(&app).await[0];
    assert_eq!(kinds(&app, user).await, ["user.invited"]);
    hear_registered(&app, user, ANA).await;
    hear_activated(&app, user, ANA).await;
    assert_eq!(kinds(&app, member).await, ["member.invited", "member.added"]);
    let listed = members(&app, company).await;
    let found = listed.iter().find(|m| m["id"] == json!(member)).unwrap();
    assert_eq!((&found["user_id"], &found["status"]), (&json!(user), &json!("active")));
    app.assert_sound().await;
}

#[tokio::test]
async fn one_activation_opens_the_doors_of_all_companies_that_invited() {
    let app = start().await;
    let (one, two, three) = (registered(&app).await, registered(&app).await, registered(&app).await);
    for company in [one, two] {
        invite(&app, company, ANA).await.expect(201);
    }
    invite(&app, three, "eva@example.com").await.expect(201);
    let users = promised(&app).await;
    assert_eq!(users[0], users[1], "one address is promised one user id");
    assert_ne!(users[0], users[2]);
    // The person registered by themselves instead of following the link.
    let user = UserId::new();
    hear_registered(&app, user, ANA).await;
    hear_activated(&app, user, ANA).await;
    let mut statuses = Vec::new();
    for company in [one, two, three] {
        statuses.push(members(&app, company).await[0]["status"].clone());
    }
    assert_eq!(statuses, ["active", "active", "invited"]);
}

#[tokio::test]
async fn an_activation_heard_twice_adds_once() {
    let app = start().await;
    let (company, user) = (registered(&app).await, UserId::new());
    let member: MemberId = id_of(&invite(&app, company, ANA).await.expect(201).json());
    let activated = quenty_contracts::auth::UserActivated { user_id: user, email: ANA.parse().unwrap() };
    let envelope = app.envelope(user, None, 2, &activated);
    app.deliver(&envelope).await;
    app.deliver(&envelope).await;
    hear_activated(&app, user, ANA).await;
    assert_eq!(kinds(&app, member).await, ["member.invited", "member.added"]);
    app.assert_sound().await;
}

#[tokio::test]
async fn nobody_is_invited_twice() {
    let app = start().await;
    let company = registered(&app).await;
    let member = invite(&app, company, ANA).await.expect(201).json();
    let refused = invite(&app, company, "ANA@example.com").await.expect_problem(409, "ALREADY_A_MEMBER");
    assert_eq!(refused.json()["member_id"], member["id"]);
    app.delete(&format!("/api/v1/companies/{company}/members/{}", member["id"].as_str().unwrap()))
        .token(&owner(&app, company))
        .send()
        .await
        .expect(204);
    invite(&app, company, ANA).await.expect(201);
}

#[tokio::test]
async fn a_founder_invited_under_their_own_address_stays_one_member() {
    let app = start().await;
    let founder = UserId::new();
    let company = registered_by(&app, founder).await;
    invite(&app, company, ANA).await.expect(201);
    hear_registered(&app, founder, ANA).await;
    hear_activated(&app, founder, ANA).await;
    assert_eq!(members(&app, company).await.len(), 1);
    invite(&app, company, ANA).await.expect_problem(409, "ALREADY_A_MEMBER");
    app.assert_sound().await;
}

#[tokio::test]
async fn a_person_sees_their_own_open_invitations_and_no_others() {
    let app = start().await;
    let (one, two, closed) = (registered(&app).await, registered(&app).await, registered(&app).await);
    let (ana, eva) = (UserId::new(), UserId::new());
    hear_registered(&app, ana, ANA).await;
    hear_registered(&app, eva, "eva@example.com").await;
    let member: MemberId = id_of(&invite(&app, one, ANA).await.expect(201).json());
    for (company, email) in [(two, ANA), (closed, ANA), (one, "eva@example.com")] {
        invite(&app, company, email).await.expect(201);
    }
    act_because(&app, &owner(&app, closed), closed, "close").await.expect(200);
    let list = async |user: UserId, query: &str| {
        let call = app.get(&format!("/api/v1/profile/invitations{query}")).token(&person(&app, user));
        call.send().await
    };
    let open = list(ana, "").await.expect(200).json();
    let companies: Vec<_> =
        open["items"].as_array().unwrap().iter().map(|item| item["company_id"].clone()).collect();
    assert_eq!(companies, [json!(two), json!(one)]);
    assert_eq!(
        (&open["items"][1]["id"], &open["items"][1]["company_name"], &open["items"][1]["role"]),
        (&json!(member), &json!("Café Andes"), &json!("operator"))
    );
    accept(&app, ana, member).await.expect(200);
    assert_eq!(list(ana, "").await.expect(200).json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(list(eva, "?limit=1").await.expect(200).json()["items"].as_array().unwrap().len(), 1);
    list(ana, "?colour=red").await.expect_problem(422, "INVALID_QUERY");
    app.get("/api/v1/profile/invitations").send().await.expect_problem(401, "NO_TOKEN");
}

#[tokio::test]
async fn nobody_joins_a_closed_company() {
    let app = start().await;
    let (company, ana) = (registered(&app).await, UserId::new());
    hear_registered(&app, ana, ANA).await;
    let member: MemberId = id_of(&invite(&app, company, ANA).await.expect(201).json());
    let late: MemberId = id_of(&invite(&app, company, "eva@example.com").await.expect(201).json());
    act_because(&app, &owner(&app, company), company, "close").await.expect(200);
    accept(&app, ana, member).await.expect_problem(409, "COMPANY_CLOSED");
    hear_activated(&app, UserId::new(), "eva@example.com").await;
    assert_eq!(kinds(&app, late).await, ["member.invited", "member.invitation_withdrawn"]);
    app.assert_sound().await;
}
