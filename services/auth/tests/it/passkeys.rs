use std::collections::BTreeSet;

use quenty_kernel::id::UserId;
use quenty_platform::token::Realm;
use quenty_testkit::{app::TestApp, authenticator::Authenticator, http::Answer};
use serde_json::{Value, json};

use crate::support::{
    ADMIN, ADMIN_PASSWORD, PASSWORD, access_token, admin_token, claims, login, mails_to, member_of_nothing,
    options, refresh, refresh_token, start, start_with,
};

const ANA: &str = "ana@example.com";
const EVE: &str = "eve@example.com";
const OTHER_PASSWORD: &str = "granite-willow-ember-73";

/// What is wrong, and how to make it so.
type Bend = (&'static str, fn(&mut Authenticator));

async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    app.post(&format!("/api/v1/auth/{path}")).json(&body).send().await
}

async fn post_as(app: &TestApp, token: &str, path: &str, body: Value) -> Answer {
    app.post(&format!("/api/v1/auth/{path}")).token(token).json(&body).send().await
}

fn public_key(answer: Answer) -> Value {
    answer.expect(200).json()["public_key"].clone()
}

async fn new_options(app: &TestApp, token: &str) -> Value {
    public_key(post_as(app, token, "mfa/passkeys/options", json!({})).await)
}

async fn add(app: &TestApp, token: &str, passkey: Value) -> Answer {
    post_as(app, token, "mfa/passkeys", json!({"name": "phone", "passkey": passkey})).await
}

/// Makes a passkey and adds it.
async fn register(app: &TestApp, token: &str, authenticator: &mut Authenticator) -> Answer {
    let options = new_options(app, token).await;
    add(app, token, authenticator.create(&options)).await
}

/// A person with a passkey: who it is, the tokens of the session, what keeps the key, and what its making gave.
pub struct Owner {
    pub user: UserId,
    pub tokens: Value,
    pub phone: Authenticator,
    pub made: Value,
}

impl Owner {
    pub fn token(&self) -> String {
        access_token(&self.tokens)
    }

    fn code(&self, number: usize) -> &str {
        self.made["recovery_codes"][number].as_str().unwrap()
    }
}

pub async fn owner(app: &TestApp, email: &str) -> Owner {
    let user = member_of_nothing(app, email).await;
    let tokens = login(app, email, PASSWORD).await.expect(200).json();
    let mut phone = Authenticator { counter: 1, ..Authenticator::new() };
    let made = register(app, &access_token(&tokens), &mut phone).await.expect(201).json();
    Owner { user, tokens, phone, made }
}

/// The first step of a login.
async fn first_step(app: &TestApp, email: &str) -> String {
    let asked = login(app, email, PASSWORD).await.expect(200).json();
    assert_eq!(asked["methods"], json!(["passkey", "recovery_code"]));
    asked["mfa_token"].as_str().unwrap().to_owned()
}

async fn second_options(app: &TestApp, mfa_token: &str) -> Value {
    public_key(post(app, "mfa/passkey/options", json!({"mfa_token": mfa_token})).await)
}

async fn verify(app: &TestApp, mfa_token: &str, passkey: Value) -> Answer {
    post(app, "mfa/passkey/verify", json!({"mfa_token": mfa_token, "passkey": passkey})).await
}

async fn lone_options(app: &TestApp) -> Value {
    public_key(post(app, "passkey/options", json!({})).await)
}

async fn login_alone(app: &TestApp, passkey: Value) -> Answer {
    post(app, "passkey/login", json!({"passkey": passkey})).await
}

async fn reasons(app: &TestApp) -> Vec<String> {
    let reasons =
        "select data ->> 'reason' from quenty.journal where type = 'quenty.auth.login.failed.v1' order by id";
    sqlx::query_scalar(reasons).fetch_all(app.app.db()).await.unwrap()
}

async fn sql(app: &TestApp, statement: &'static str) {
    sqlx::query(statement).execute(app.app.db()).await.unwrap();
}

async fn list(app: &TestApp, token: &str) -> Vec<Value> {
    let listed = app.get("/api/v1/auth/mfa/passkeys").token(token).send().await.expect(200).json();
    listed["items"].as_array().unwrap().clone()
}

async fn remove(app: &TestApp, token: &str, passkey: &Value) -> Answer {
    let path = format!("/api/v1/auth/mfa/passkeys/{}", passkey["id"].as_str().unwrap());
    app.delete(&path).token(token).send().await
}

#[tokio::test]
async fn a_passkey_is_the_second_step_and_other_sessions_of_the_password_end() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    let elsewhere = login(&app, ANA, PASSWORD).await.expect(200).json();
    let tokens = login(&app, ANA, PASSWORD).await.expect(200).json();
    let mut phone = Authenticator::new();
    let made = register(&app, &access_token(&tokens), &mut phone).await.expect(201);
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let codes: BTreeSet<String> = serde_json::from_value(made.json()["recovery_codes"].clone()).unwrap();
    assert_eq!(codes.len(), 10);
    refresh(&app, &refresh_token(&elsewhere)).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    let renewed = refresh(&app, &refresh_token(&tokens)).await.expect(200).json();
    assert_eq!(claims(&app, &renewed).await.amr, ["pwd", "hwk", "user", "mfa"]);
    let mfa_token = first_step(&app, ANA).await;
    let options = second_options(&app, &mfa_token).await;
    assert_eq!((&options["rpId"], &options["userVerification"]), (&json!("localhost"), &json!("preferred")));
    assert_eq!(options["allowCredentials"][0]["id"], phone.get(&options)["id"]);
    let tokens = verify(&app, &mfa_token, phone.get(&options)).await.expect(200).json();
    assert_eq!(claims(&app, &tokens).await.amr, ["pwd", "hwk", "user", "mfa"]);
    let listed = list(&app, &access_token(&tokens)).await;
    assert_eq!((listed.len(), &listed[0]["name"]), (1, &json!("phone")));
    assert!(listed[0]["last_used_at"].is_string());
    let profile = app.get("/api/v1/profile").token(&access_token(&tokens)).send().await.expect(200).json();
    assert_eq!((&profile["mfa_enabled"], &profile["recovery_codes_left"]), (&json!(true), &json!(10)));
    assert_eq!(mails_to(&app, ANA).await.last().unwrap()["kind"], "passkey_added");
    app.assert_sound().await;
}

#[tokio::test]
async fn a_key_that_is_copied_to_other_devices_is_not_called_hardware_and_cannot_change_that() {
    let app = start().await;
    member_of_nothing(&app, ANA).await;
    let token = access_token(&login(&app, ANA, PASSWORD).await.expect(200).json());
    let mut phone = Authenticator { is_synced: true, ..Authenticator::new() };
    register(&app, &token, &mut phone).await.expect(201);
    let mfa_token = first_step(&app, ANA).await;
    let mut bent = Authenticator { is_synced: false, ..phone.clone() };
    let options = second_options(&app, &mfa_token).await;
    verify(&app, &mfa_token, bent.get(&options)).await.expect_problem(401, "INVALID_PASSKEY");
    let options = second_options(&app, &mfa_token).await;
    let tokens = verify(&app, &mfa_token, phone.get(&options)).await.expect(200).json();
    assert_eq!(claims(&app, &tokens).await.amr, ["pwd", "swk", "user", "mfa"]);
}

#[tokio::test]
async fn an_answer_counts_only_for_what_was_asked_and_where_it_was_asked() {
    let app = start().await;
    let mut ana = owner(&app, ANA).await;
    let mut eve = owner(&app, EVE).await;
    let (mine, other) = (first_step(&app, ANA).await, first_step(&app, ANA).await);
    let hers = first_step(&app, EVE).await;
    let bends: [Bend; 4] = [
        ("origin", |phone| phone.origin = "http://localhost:8001".to_owned()),
        ("relying party", |phone| phone.rp_id = "quenty.co".to_owned()),
        ("presence", |phone| phone.is_present = false),
        ("key", |phone| *phone = Authenticator { credential: phone.credential, ..Authenticator::new() }),
    ];
    for (what, bend) in bends {
        let mut bent = ana.phone.clone();
        bend(&mut bent);
        let options = second_options(&app, &mine).await;
        let answer = verify(&app, &mine, bent.get(&options)).await;
        assert_eq!((answer.status(), answer.code().as_str()), (401, "INVALID_PASSKEY"), "{what}");
    }
    let (asked, asked_other) = (second_options(&app, &mine).await, second_options(&app, &other).await);
    let crossed = verify(&app, &other, ana.phone.get(&asked)).await;
    crossed.expect_problem(401, "INVALID_PASSKEY");
    verify(&app, &other, ana.phone.get(&asked_other)).await.expect_problem(401, "INVALID_PASSKEY");
    let asked_hers = second_options(&app, &hers).await;
    verify(&app, &hers, ana.phone.get(&asked_hers)).await.expect_problem(401, "INVALID_PASSKEY");
    verify(&app, &mine, eve.phone.get(&asked)).await.expect_problem(401, "INVALID_PASSKEY");
    let again = first_step(&app, ANA).await;
    let options = second_options(&app, &again).await;
    verify(&app, &again, ana.phone.get(&options)).await.expect(200);
}

#[tokio::test]
async fn no_answer_works_twice_and_none_too_late() {
    let app = start().await;
    let mut ana = owner(&app, ANA).await;
    let mfa_token = first_step(&app, ANA).await;
    let answer = ana.phone.get(&second_options(&app, &mfa_token).await);
    verify(&app, &mfa_token, answer.clone()).await.expect(200);
    verify(&app, &mfa_token, answer.clone()).await.expect_problem(401, "INVALID_MFA_TOKEN");
    let mfa_token = first_step(&app, ANA).await;
    verify(&app, &mfa_token, answer.clone()).await.expect_problem(401, "INVALID_PASSKEY");
    second_options(&app, &mfa_token).await;
    verify(&app, &mfa_token, answer).await.expect_problem(401, "INVALID_PASSKEY");
    let late = ana.phone.get(&second_options(&app, &mfa_token).await);
    sql(&app, "update passkey_ceremonies set expires_at = expires_at - interval '5 minutes'").await;
    verify(&app, &mfa_token, late).await.expect_problem(401, "INVALID_PASSKEY");
    let (late, mut desk) = (new_options(&app, &ana.token()).await, Authenticator::new());
    sql(&app, "update passkey_ceremonies set expires_at = expires_at - interval '5 minutes'").await;
    add(&app, &ana.token(), desk.create(&late)).await.expect_problem(422, "INVALID_PASSKEY");
}

#[tokio::test]
async fn a_counter_that_goes_back_is_refused_and_on_record() {
    let app = start().await;
    let mut ana = owner(&app, ANA).await;
    let mut copy = ana.phone.clone();
    let mfa_token = first_step(&app, ANA).await;
    let options = second_options(&app, &mfa_token).await;
    verify(&app, &mfa_token, ana.phone.get(&options)).await.expect(200);
    let mfa_token = first_step(&app, ANA).await;
    let options = second_options(&app, &mfa_token).await;
    verify(&app, &mfa_token, copy.get(&options)).await.expect_problem(401, "INVALID_PASSKEY");
    assert_eq!(reasons(&app).await, ["cloned_passkey"]);
    let options = lone_options(&app).await;
    copy.counter = 0;
    login_alone(&app, copy.get(&options)).await.expect_problem(401, "INVALID_PASSKEY");
    assert_eq!(reasons(&app).await, ["cloned_passkey", "cloned_passkey"]);
}

#[tokio::test]
async fn wrong_passkeys_count_with_wrong_codes_and_keep_no_right_one_out() {
    let app = start().await;
    let mut ana = owner(&app, ANA).await;
    let mut thief = Authenticator { credential: ana.phone.credential, ..Authenticator::new() };
    for _ in 0..2 {
        let mfa_token = first_step(&app, ANA).await;
        for _ in 0..5 {
            let options = second_options(&app, &mfa_token).await;
            verify(&app, &mfa_token, thief.get(&options)).await.expect_problem(401, "INVALID_PASSKEY");
        }
        let ask = json!({"mfa_token": mfa_token});
        post(&app, "mfa/passkey/options", ask).await.expect_problem(401, "INVALID_MFA_TOKEN");
    }
    let mfa_token = first_step(&app, ANA).await;
    let options = second_options(&app, &mfa_token).await;
    let answer = ana.phone.get(&options);
    verify(&app, &mfa_token, answer).await.expect(200);
    let mfa_token = first_step(&app, ANA).await;
    let code = json!({"mfa_token": mfa_token, "code": ana.code(0)});
    post(&app, "mfa/verify", code).await.expect_problem(429, "TOO_MANY_ATTEMPTS");
}

#[tokio::test]
async fn a_passkey_alone_logs_in_when_its_keeper_knows_who_is_there() {
    let app = start().await;
    let mut ana = owner(&app, ANA).await;
    let options = lone_options(&app).await;
    assert_eq!(
        (&options["userVerification"], &options["allowCredentials"]),
        (&json!("required"), &json!([]))
    );
    let answer = ana.phone.get(&options);
    let tokens = login_alone(&app, answer.clone()).await.expect(200).json();
    let claims = claims(&app, &tokens).await;
    assert_eq!(
        (claims.sub, claims.amr),
        (ana.user.to_string(), vec!["hwk".into(), "user".into(), "mfa".into()])
    );
    login_alone(&app, answer).await.expect_problem(401, "INVALID_PASSKEY");
    let options = lone_options(&app).await;
    let mut found = Authenticator { is_verified: false, ..ana.phone.clone() };
    login_alone(&app, found.get(&options)).await.expect_problem(401, "INVALID_PASSKEY");
    let mut unknown = Authenticator { handle: ana.phone.handle.clone(), ..Authenticator::new() };
    let options = lone_options(&app).await;
    login_alone(&app, unknown.get(&options)).await.expect_problem(401, "INVALID_PASSKEY");
    let eve = owner(&app, EVE).await;
    let mut impostor = Authenticator { handle: ana.phone.handle.clone(), ..eve.phone.clone() };
    let options = lone_options(&app).await;
    login_alone(&app, impostor.get(&options)).await.expect_problem(401, "INVALID_PASSKEY");
    let options = lone_options(&app).await;
    login_alone(&app, ana.phone.get(&options)).await.expect(200);
    sql(&app, "update passkey_ceremonies set expires_at = expires_at - interval '5 minutes'").await;
    let late = lone_options(&app).await;
    sql(&app, "update passkey_ceremonies set expires_at = expires_at - interval '5 minutes'").await;
    login_alone(&app, ana.phone.get(&late)).await.expect_problem(401, "INVALID_PASSKEY");
    sql(&app, "update rate_limits set hits = 100 where bucket = 'login-address:127.0.0.1'").await;
    let options = lone_options(&app).await;
    login_alone(&app, ana.phone.get(&options)).await.expect_problem(429, "TOO_MANY_ATTEMPTS");
    let options = lone_options(&app).await;
    let known = json!({"passkey": ana.phone.get(&options), "device_token": ana.tokens["device_token"]});
    post(&app, "passkey/login", known).await.expect(200);
    sql(&app, "delete from rate_limits").await;
    let suspend = app.post(&format!("/api/v1/admin/users/{}/suspend", ana.user));
    suspend.token(&admin_token(&app).await).json(&json!({"reason": "a test"})).send().await.expect(200);
    let options = lone_options(&app).await;
    login_alone(&app, ana.phone.get(&options)).await.expect_problem(403, "ACCOUNT_SUSPENDED");
    app.assert_sound().await;
}

#[tokio::test]
async fn who_stole_the_password_has_no_passkey_that_outlives_it() {
    let app = start().await;
    let mut ana = owner(&app, ANA).await;
    let change = json!({"current_password": PASSWORD, "password": OTHER_PASSWORD});
    post_as(&app, &ana.token(), "password/change", change).await.expect(204);
    let options = lone_options(&app).await;
    login_alone(&app, ana.phone.get(&options)).await.expect_problem(401, "PASSWORD_NEEDED_ONCE");
    let asked = login(&app, ANA, OTHER_PASSWORD).await.expect(200).json();
    let mfa_token = asked["mfa_token"].as_str().unwrap();
    let options = second_options(&app, mfa_token).await;
    verify(&app, mfa_token, ana.phone.get(&options)).await.expect(200);
    let options = lone_options(&app).await;
    login_alone(&app, ana.phone.get(&options)).await.expect(200);
}

#[tokio::test]
async fn of_two_replicas_one_takes_an_answer() {
    let app = start().await;
    let second = TestApp::start_on(quenty_auth::service(), options(&[]), app.database.clone()).await;
    let mut ana = owner(&app, ANA).await;
    let (token, mut desk) = (ana.token(), Authenticator::new());
    let made = desk.create(&new_options(&app, &token).await);
    let (a, b) = tokio::join!(add(&app, &token, made.clone()), add(&second, &token, made));
    let mut statuses = [a.status(), b.status()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422]);
    let answer = ana.phone.get(&lone_options(&app).await);
    let (a, b) = tokio::join!(login_alone(&app, answer.clone()), login_alone(&second, answer));
    let mut statuses = [a.status(), b.status()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

#[tokio::test]
async fn a_person_has_ten_passkeys_at_most_and_each_is_one_persons() {
    let app = start().await;
    let ana = owner(&app, ANA).await;
    let token = ana.token();
    for _ in 0..8 {
        let more = register(&app, &token, &mut Authenticator::new()).await.expect(201).json();
        assert_eq!(more["recovery_codes"], json!([]), "those of the first stay");
    }
    let options = new_options(&app, &token).await;
    assert_eq!(options["excludeCredentials"].as_array().unwrap().len(), 9);
    add(&app, &token, Authenticator::new().create(&options)).await.expect(201);
    let full = post_as(&app, &token, "mfa/passkeys/options", json!({})).await;
    full.expect_problem(409, "TOO_MANY_PASSKEYS");
    assert_eq!(list(&app, &token).await.len(), 10);
    member_of_nothing(&app, EVE).await;
    let hers = access_token(&login(&app, EVE, PASSWORD).await.expect(200).json());
    let mut same = Authenticator { credential: ana.phone.credential, ..Authenticator::new() };
    register(&app, &hers, &mut same).await.expect_problem(409, "PASSKEY_EXISTS");
    assert_eq!(list(&app, &hers).await.len(), 0);
    assert!(login(&app, EVE, PASSWORD).await.expect(200).json()["access_token"].is_string());
}

#[tokio::test]
async fn a_passkey_is_made_only_for_who_asked_on_our_pages_and_is_there() {
    let app = start().await;
    let ana = owner(&app, ANA).await;
    let eve = owner(&app, EVE).await;
    let bends: [Bend; 3] = [
        ("origin", |phone| phone.origin = "https://localhost:8000".to_owned()),
        ("relying party", |phone| phone.rp_id = "quenty.co".to_owned()),
        ("presence", |phone| phone.is_present = false),
    ];
    for (what, bend) in bends {
        let mut bent = Authenticator::new();
        bend(&mut bent);
        let answer = register(&app, &ana.token(), &mut bent).await;
        assert_eq!((answer.status(), answer.code().as_str()), (422, "INVALID_PASSKEY"), "{what}");
    }
    let (hers, asked) = (new_options(&app, &eve.token()).await, new_options(&app, &ana.token()).await);
    let crossed = add(&app, &ana.token(), Authenticator::new().create(&hers)).await;
    crossed.expect_problem(422, "INVALID_PASSKEY");
    let used_up = add(&app, &ana.token(), Authenticator::new().create(&asked)).await;
    used_up.expect_problem(422, "INVALID_PASSKEY");
    remove(&app, &eve.token(), &ana.made).await.expect_problem(404, "NOT_FOUND");
    register(&app, &ana.token(), &mut Authenticator::new()).await.expect(201);
}

#[tokio::test]
async fn passkeys_change_only_soon_after_the_password_and_a_passkey_were_given() {
    let app = start().await;
    let mut ana = owner(&app, ANA).await;
    let token = ana.token();
    let options = new_options(&app, &token).await;
    sql(&app, "update sessions set authenticated_at = authenticated_at - interval '5 minutes'").await;
    let ask = post_as(&app, &token, "mfa/passkeys/options", json!({})).await;
    ask.expect_problem(403, "PASSWORD_NEEDED");
    add(&app, &token, Authenticator::new().create(&options)).await.expect_problem(403, "PASSWORD_NEEDED");
    remove(&app, &token, &ana.made).await.expect_problem(403, "PASSWORD_NEEDED");
    let again = async |more: Value| {
        let mut body = json!({"current_password": PASSWORD});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        post_as(&app, &token, "reauthenticate", body).await
    };
    again(json!({})).await.expect_problem(422, "CODE_NEEDED");
    let asked = async || public_key(post_as(&app, &token, "reauthenticate/options", json!({})).await);
    let mut thief = Authenticator { credential: ana.phone.credential, ..Authenticator::new() };
    again(json!({"passkey": thief.get(&asked().await)})).await.expect_problem(422, "WRONG_PASSKEY");
    let answer = ana.phone.get(&asked().await);
    again(json!({"passkey": answer})).await.expect(204);
    again(json!({"passkey": answer})).await.expect_problem(422, "WRONG_PASSKEY");
    register(&app, &token, &mut Authenticator::new()).await.expect(201);
}

#[tokio::test]
async fn with_the_last_factor_the_recovery_codes_go() {
    let app = start().await;
    let ana = owner(&app, ANA).await;
    let token = ana.token();
    let second = register(&app, &token, &mut Authenticator::new()).await.expect(201).json();
    let elsewhere = json!({"mfa_token": first_step(&app, ANA).await, "code": ana.code(0)});
    let elsewhere = post(&app, "mfa/verify", elsewhere).await.expect(200).json();
    remove(&app, &token, &ana.made).await.expect(204);
    refresh(&app, &refresh_token(&elsewhere)).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    let code = json!({"mfa_token": first_step(&app, ANA).await, "code": ana.code(1)});
    post(&app, "mfa/verify", code).await.expect(200);
    remove(&app, &token, &second).await.expect(204);
    assert!(login(&app, ANA, PASSWORD).await.expect(200).json()["access_token"].is_string());
    let left: i64 =
        sqlx::query_scalar("select count(*) from recovery_codes").fetch_one(app.app.db()).await.unwrap();
    assert_eq!(left, 0);
    let here = refresh(&app, &refresh_token(&ana.tokens)).await.expect(200).json();
    assert_eq!(claims(&app, &here).await.amr, ["pwd"]);
    let told: Vec<_> = app.facts(ana.user).await.into_iter().map(|fact| (fact.kind, fact.data)).collect();
    let told: Vec<_> = told.iter().map(|(kind, data)| (kind.as_str(), &data["method"])).collect();
    let method = &json!("passkey");
    assert!(
        told.ends_with(&[("quenty.auth.mfa.enabled.v1", method), ("quenty.auth.mfa.disabled.v1", method)]),
        "{told:?}"
    );
    assert_eq!(mails_to(&app, ANA).await.last().unwrap()["kind"], "passkey_removed");
    app.assert_sound().await;
}

#[tokio::test]
async fn a_passkey_is_the_second_factor_that_staff_must_have() {
    let app = start_with(&[("staff_mfa", "required")]).await;
    let tokens = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    assert_eq!(claims(&app, &tokens).await.realm, Realm::User);
    register(&app, &access_token(&tokens), &mut Authenticator::new()).await.expect(201);
    let renewed = refresh(&app, &refresh_token(&tokens)).await.expect(200).json();
    assert_eq!(claims(&app, &renewed).await.realm, Realm::Staff);
}

#[tokio::test]
async fn the_domain_of_passkeys_is_that_of_the_pages_or_above_it() {
    let urls = [("public_url", "https://app.quenty.co"), ("passkey_domain", "quenty.co")];
    let app = start_with(&urls).await;
    member_of_nothing(&app, ANA).await;
    let token = access_token(&login(&app, ANA, PASSWORD).await.expect(200).json());
    let (origin, rp_id) = ("https://app.quenty.co".to_owned(), "quenty.co".to_owned());
    let mut phone = Authenticator { origin, rp_id, ..Authenticator::new() };
    let options = new_options(&app, &token).await;
    assert_eq!(options["rp"]["id"], "quenty.co");
    add(&app, &token, phone.create(&options)).await.expect(201);
    let text = crate::support::refusal(start_with(&[("passkey_domain", "example.com")])).await;
    assert!(text.contains("QUENTY_PASSKEY_DOMAIN"), "{text}");
}
