use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use quenty_contracts::customer::{
    CompanyReactivated, CompanySuspended, MemberAdded, MemberRemoved, MemberRoleChanged, Membership,
};
use quenty_kernel::id::{CompanyId, MemberId, SessionId, UserId};
use quenty_platform::token::Realm;
use quenty_testkit::{app::TestApp, eventually, neighbour::serve};
use serde_json::{Value, json};

use crate::support::{
    PASSWORD, access_token, claims, login, member_of_nothing, refresh, refresh_token, standing, start,
    start_with,
};

const ANA: &str = "ana@example.com";

pub async fn join(app: &TestApp, user: UserId, company: CompanyId, role: &str) -> MemberId {
    let member_id = MemberId::new();
    app.hear(
        member_id,
        Some(company),
        1,
        &MemberAdded { member_id, company_id: company, user_id: user, role: role.to_owned() },
    )
    .await;
    member_id
}

async fn switch(app: &TestApp, tokens: &Value, company: Option<CompanyId>) -> quenty_testkit::http::Answer {
    app.post("/api/v1/auth/switch-company")
        .token(&access_token(tokens))
        .json(&json!({"company_id": company}))
        .send()
        .await
}

#[tokio::test]
async fn a_login_speaks_for_the_only_company_with_the_permissions_of_the_role() {
    let app = start().await;
    let (user, company) = (member_of_nothing(&app, ANA).await, CompanyId::new());
    let member = join(&app, user, company, "viewer").await;
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    let before = claims(&app, &tokens).await;
    assert_eq!((before.realm, before.company_id), (Realm::Company, Some(company)));
    assert!(before.allows("orders:read") && !before.allows("orders:create") && !before.allows("audit:read"));
    let changed = MemberRoleChanged {
        member_id: member,
        company_id: company,
        user_id: user,
        role: "operator".to_owned(),
    };
    app.hear(member, Some(company), 2, &changed).await;
    let after = claims(&app, &refresh(&app, &refresh_token(&tokens)).await.expect(200).json()).await;
    assert!(after.allows("orders:create") && !after.allows("members:invite"));
}

#[tokio::test]
async fn who_left_a_company_speaks_for_it_no_more() {
    let app = start().await;
    let (user, company) = (member_of_nothing(&app, ANA).await, CompanyId::new());
    let member = join(&app, user, company, "owner").await;
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    app.hear(
        member,
        Some(company),
        2,
        &MemberRemoved { member_id: member, company_id: company, user_id: user },
    )
    .await;
    let after = claims(&app, &refresh(&app, &refresh_token(&tokens)).await.expect(200).json()).await;
    assert_eq!((after.realm, after.company_id, after.permissions), (Realm::User, None, Vec::new()));
    let again = claims(&app, &login(&app, ANA, PASSWORD).await.expect(200).json()).await;
    assert_eq!(again.realm, Realm::User);
}

async fn until_a_session_is_waited_for(app: &TestApp) {
    let waits = "select exists (select from pg_stat_activity where datname = current_database() and wait_event = 'transactionid')";
    eventually("the reaction waits for the session", || async {
        sqlx::query_scalar::<_, bool>(waits).fetch_one(app.app.db()).await.unwrap().then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_leaves_a_company_waits_for_whoever_renews_a_session_and_is_not_in_their_way() {
    let app = start().await;
    let (user, company) = (member_of_nothing(&app, ANA).await, CompanyId::new());
    let member_id = join(&app, user, company, "owner").await;
    let removed = MemberRemoved { member_id, company_id: company, user_id: user };
    let mut renewing = app.app.db().begin().await.unwrap();
    sqlx::query("select id from sessions for update").execute(&mut *renewing).await.unwrap();
    let goes_on = async {
        until_a_session_is_waited_for(&app).await;
        // As `store::revocations::lock_shared`, without waiting.
        let shared = "select pg_try_advisory_xact_lock_shared(x'7175656e74790102'::bigint)";
        let goes_on: bool = sqlx::query_scalar(shared).fetch_one(&mut *renewing).await.unwrap();
        renewing.rollback().await.unwrap();
        goes_on
    };
    let ((), goes_on) = tokio::join!(app.hear(member_id, Some(company), 2, &removed), goes_on);
    assert!(goes_on, "whoever holds a session finds the list of revocations free");
}

#[tokio::test]
async fn who_joins_a_company_waits_for_whoever_renews_a_session_and_is_not_in_their_way() {
    let app = start().await;
    let (user, company, member_id) = (member_of_nothing(&app, ANA).await, CompanyId::new(), MemberId::new());
    let added = MemberAdded { member_id, company_id: company, user_id: user, role: "owner".to_owned() };
    let mut renewing = app.app.db().begin().await.unwrap();
    sqlx::query("select id from sessions for update").execute(&mut *renewing).await.unwrap();
    let filled = async {
        until_a_session_is_waited_for(&app).await;
        // As `store::memberships::fill`, which finds no such member under way.
        sqlx::query("set local lock_timeout = '100ms'").execute(&mut *renewing).await.unwrap();
        let fill = "insert into memberships (member_id, company_id, user_id, role) values ($1, $2, $3, 'owner') on conflict do nothing";
        let fill = sqlx::query(fill).bind(member_id.uuid()).bind(company.uuid()).bind(user.uuid());
        let filled = fill.execute(&mut *renewing).await;
        renewing.commit().await.unwrap();
        filled
    };
    let ((), filled) = tokio::join!(app.hear(member_id, Some(company), 1, &added), filled);
    filled.expect("whoever holds a session finds the membership free");
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    assert_eq!(claims(&app, &tokens).await.company_id, Some(company));
}

#[tokio::test]
async fn who_logs_in_as_they_join_their_first_company_speaks_for_it() {
    let app = start().await;
    let (user, company, member_id) = (member_of_nothing(&app, ANA).await, CompanyId::new(), MemberId::new());
    let added = MemberAdded { member_id, company_id: company, user_id: user, role: "owner".to_owned() };
    // As a login that has read the memberships and begun its session, which nobody sees yet.
    let mut login = app.app.db().begin().await.unwrap();
    sqlx::query("select id from users for update").execute(&mut *login).await.unwrap();
    let begin =
        "insert into sessions (id, user_id, address, user_agent, created_at, last_used_at, expires_at)
                 values ($1, $2, '192.0.2.1', '', now(), now(), now() + interval '1 day')";
    let session = SessionId::new();
    let begin = sqlx::query(begin).bind(session.uuid()).bind(user.uuid());
    begin.execute(&mut *login).await.unwrap();
    let logs_in = async {
        until_a_session_is_waited_for(&app).await;
        login.commit().await.unwrap();
    };
    tokio::join!(app.hear(member_id, Some(company), 1, &added), logs_in);
    let speaks_for = "select company_id from sessions where id = $1";
    let speaks_for = sqlx::query_scalar::<_, Option<uuid::Uuid>>(speaks_for).bind(session.uuid());
    assert_eq!(speaks_for.fetch_one(app.app.db()).await.unwrap(), Some(company.uuid()));
}

#[tokio::test]
async fn a_suspended_company_only_reads_until_it_goes_on() {
    let app = start().await;
    let (user, company) = (member_of_nothing(&app, ANA).await, CompanyId::new());
    join(&app, user, company, "owner").await;
    let suspended = CompanySuspended {
        company_id: company,
        reason: "unpaid".to_owned(),
        standing: standing(company, "suspended", 5),
    };
    app.hear(company, Some(company), 5, &suspended).await;
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    let stopped = claims(&app, &tokens).await;
    assert!(
        stopped.allows("orders:read")
            && stopped.permissions.iter().all(|permission| permission.ends_with(":read"))
    );
    app.hear(
        company,
        Some(company),
        6,
        &CompanyReactivated { company_id: company, standing: standing(company, "active", 6) },
    )
    .await;
    let going = claims(&app, &refresh(&app, &refresh_token(&tokens)).await.expect(200).json()).await;
    assert!(going.allows("orders:create"));
}

#[tokio::test]
async fn a_person_of_two_companies_switches_and_comes_back_to_the_last_one() {
    let app = start().await;
    let (user, a, b) = (member_of_nothing(&app, ANA).await, CompanyId::new(), CompanyId::new());
    sqlx::query("delete from sessions").execute(app.app.db()).await.unwrap();
    join(&app, user, a, "owner").await;
    join(&app, user, b, "viewer").await;
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    assert_eq!(tokens["realm"], "user", "nothing says which");
    let switched = switch(&app, &tokens, Some(b)).await.expect(200).json();
    let in_b = claims(&app, &switched).await;
    assert_eq!(in_b.company_id, Some(b));
    assert!(!in_b.allows("orders:create"), "the role in b, not the one in a");
    assert!(switched.get("refresh_token").is_none());
    let refreshed = claims(&app, &refresh(&app, &refresh_token(&tokens)).await.expect(200).json()).await;
    assert_eq!(refreshed.company_id, Some(b), "the session keeps its company");
    let again = claims(&app, &login(&app, ANA, PASSWORD).await.expect(200).json()).await;
    assert_eq!(again.company_id, Some(b));
    let none = claims(&app, &switch(&app, &tokens, None).await.expect(200).json()).await;
    assert_eq!(none.realm, Realm::User);
}

type Told = Arc<Mutex<Vec<Membership>>>;

/// Customer, answering what it is told to.
async fn customer(told: Told) -> String {
    async fn memberships(
        State(told): State<Told>,
        Path(user): Path<UserId>,
    ) -> Result<Json<Vec<Membership>>, StatusCode> {
        let all = told.lock().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?.clone();
        Ok(Json(all.into_iter().filter(|membership| membership.user_id == user).collect()))
    }
    serve(Router::new().route("/internal/users/{id}/memberships", get(memberships)).with_state(told)).await
}

#[tokio::test]
async fn a_company_registered_a_moment_ago_is_asked_for() {
    let told = Told::default();
    let url = customer(Arc::clone(&told)).await;
    let app = start_with(&[("customer_url", &url)]).await;
    let (user, company, other) = (member_of_nothing(&app, ANA).await, CompanyId::new(), CompanyId::new());
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    let member = |company_id| Membership {
        member_id: MemberId::new(),
        company_id,
        user_id: user,
        role: "owner".to_owned(),
    };
    told.lock().unwrap().push(member(company));
    let refreshed = refresh(&app, &refresh_token(&tokens)).await.expect(200).json();
    assert_eq!(claims(&app, &refreshed).await.company_id, Some(company));
    told.lock().unwrap().push(member(other));
    let switched = switch(&app, &refreshed, Some(other)).await.expect(200).json();
    assert_eq!(claims(&app, &switched).await.company_id, Some(other));
    switch(&app, &refreshed, Some(CompanyId::new())).await.expect_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn an_old_answer_of_customer_does_not_bring_back_who_left() {
    let told = Told::default();
    let url = customer(Arc::clone(&told)).await;
    let app = start_with(&[("customer_url", &url)]).await;
    let (user, company, member_id) = (member_of_nothing(&app, ANA).await, CompanyId::new(), MemberId::new());
    app.hear(member_id, Some(company), 2, &MemberRemoved { member_id, company_id: company, user_id: user })
        .await;
    told.lock().unwrap().push(Membership {
        member_id,
        company_id: company,
        user_id: user,
        role: "owner".to_owned(),
    });
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    let refreshed = refresh(&app, &refresh_token(&tokens)).await.expect(200).json();
    assert_eq!(refreshed["realm"], "user");
}

#[tokio::test]
async fn customer_being_away_keeps_nobody_from_refreshing() {
    let app = start_with(&[("customer_url", "http://127.0.0.1:9")]).await;
    member_of_nothing(&app, ANA).await;
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    refresh(&app, &refresh_token(&tokens)).await.expect(200);
    switch(&app, &tokens, Some(CompanyId::new())).await.expect_problem(503, "DEPENDENCY_UNAVAILABLE");
}

#[tokio::test]
async fn a_session_changes_its_company_only_when_its_person_says_so() {
    let app = start().await;
    let (user, a, b) = (member_of_nothing(&app, ANA).await, CompanyId::new(), CompanyId::new());
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    let first = join(&app, user, a, "owner").await;
    let refreshed = refresh(&app, &refresh_token(&tokens)).await.expect(200).json();
    assert_eq!(claims(&app, &refreshed).await.company_id, Some(a), "a first company is entered");
    switch(&app, &refreshed, None).await.expect(200);
    let refreshed = refresh(&app, &refresh_token(&refreshed)).await.expect(200).json();
    assert_eq!(refreshed["realm"], "user", "who left it by choice stays outside");
    switch(&app, &refreshed, Some(a)).await.expect(200);
    join(&app, user, b, "viewer").await;
    let removed = MemberRemoved { member_id: first, company_id: a, user_id: user };
    app.hear(first, Some(a), 2, &removed).await;
    let refreshed = refresh(&app, &refresh_token(&refreshed)).await.expect(200).json();
    assert_eq!(refreshed["realm"], "user", "losing one company is not choosing the other");
}
