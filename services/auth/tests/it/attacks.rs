//! What an attacker tries with tokens: each must end as if there were none.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, Mac};
use quenty_kernel::{clock::wall_now, id::UserId};
use quenty_testkit::app::TestApp;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{
    ADMIN, ADMIN_PASSWORD, KEY, PASSWORD, access_token, admin_token, login, member_of_nothing, refresh,
    refresh_token, register_from, start,
};

/// A forger who knows a valid token of the administrator.
struct Forger {
    app: TestApp,
    header: Value,
    claims: Value,
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn part(token: &str, index: usize) -> Value {
    let text = token.split('.').nth(index).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).expect("base64url")).expect("JSON")
}

fn with(value: &Value, field: &str, to: Value) -> Value {
    let mut changed = value.clone();
    changed[field] = to;
    changed
}

fn without(value: &Value, field: &str) -> Value {
    let mut changed = value.clone();
    changed.as_object_mut().expect("an object").remove(field);
    changed
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("any key fits");
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

impl Forger {
    async fn new() -> Self {
        let app = start().await;
        let token = admin_token(&app).await;
        Self { header: part(&token, 0), claims: part(&token, 1), app }
    }

    /// Auth's own key, as only who has its database and its key-encryption key could: to change one thing at a time.
    async fn own_key(&self) -> SigningKey {
        let sealed = "select id, sealed_private_key from signing_keys where status = 'current'";
        let (id, sealed): (uuid::Uuid, Vec<u8>) =
            sqlx::query_as(sealed).fetch_one(self.app.app.db()).await.unwrap();
        let key = hmac(&STANDARD.decode(KEY).unwrap(), "quenty auth signing keys v1");
        let (nonce, ciphertext) = sealed.split_first_chunk::<12>().unwrap();
        let payload = Payload { msg: ciphertext, aad: id.as_bytes() };
        let seed = Aes256Gcm::new_from_slice(&key).unwrap().decrypt(&(*nonce).into(), payload).unwrap();
        SigningKey::from_bytes(&seed.try_into().unwrap())
    }

    fn signed(header: &Value, claims: &Value, key: &SigningKey) -> String {
        let text = format!("{}.{}", encoded(header), encoded(claims));
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes()).to_bytes()))
    }

    async fn accepted(&self, token: &str) -> bool {
        let answer = self.app.get("/api/v1/admin/users").token(token).send().await;
        assert!(matches!(answer.status(), 200 | 401), "{}", answer.text());
        answer.status() == 200
    }

    #[track_caller]
    fn assert_refused(&self, accepted: bool, what: &str) {
        assert!(!accepted, "{what} was let in");
    }
}

#[tokio::test]
async fn a_token_that_names_another_algorithm_is_refused() {
    let forger = Forger::new().await;
    let jwks = forger.app.get("/.well-known/jwks.json").send().await.json();
    let own = jwks["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == forger.header["kid"])
        .unwrap()
        .clone();
    let public = own["x"].as_str().unwrap();
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let text =
            format!("{}.{}", encoded(&with(&forger.header, "alg", json!(none))), encoded(&forger.claims));
        for token in [format!("{text}."), text.clone(), format!("{text}.AA")] {
            forger.assert_refused(forger.accepted(&token).await, &format!("alg {none:?}"));
        }
    }
    // The published key as if it were a shared secret, in every spelling.
    let spellings =
        [URL_SAFE_NO_PAD.decode(public).unwrap(), public.into(), own.to_string().into_bytes(), Vec::new()];
    for alg in ["HS256", "HS384", "HS512"] {
        let text =
            format!("{}.{}", encoded(&with(&forger.header, "alg", json!(alg))), encoded(&forger.claims));
        for secret in &spellings {
            let token = format!("{text}.{}", URL_SAFE_NO_PAD.encode(hmac(secret, &text)));
            forger.assert_refused(forger.accepted(&token).await, alg);
        }
    }
    let key = forger.own_key().await;
    for alg in ["RS256", "ES256", "PS256", "HS256", "eddsa", "EDDSA"] {
        let token = Forger::signed(&with(&forger.header, "alg", json!(alg)), &forger.claims, &key);
        forger.assert_refused(forger.accepted(&token).await, alg);
    }
    assert!(
        forger.accepted(&Forger::signed(&forger.header, &forger.claims, &key)).await,
        "the forger's tools work"
    );
}

#[tokio::test]
async fn a_key_that_the_token_brings_or_points_at_is_no_key() {
    let forger = Forger::new().await;
    let mine = SigningKey::from_bytes(&[7; 32]);
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": forger.header["kid"],
        "x": URL_SAFE_NO_PAD.encode(mine.verifying_key().as_bytes())});
    for (field, value) in [
        ("jwk", jwk),
        ("jku", json!(format!("{}/evil/jwks.json", forger.app.base_url))),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
    ] {
        let token = Forger::signed(&with(&forger.header, field, value), &forger.claims, &mine);
        forger.assert_refused(forger.accepted(&token).await, field);
    }
    let long = "x".repeat(5000);
    for kid in [
        "",
        "../../../../dev/null",
        "/dev/null",
        "' or '1'='1",
        "KEY-01JD3ZK8Q5V0E8XW4T2M9R6B7C",
        "https://evil.example/jwks.json",
        "a\u{0}b",
        "\r\nx: y",
        long.as_str(),
    ] {
        let header = with(&forger.header, "kid", json!(kid));
        for key in [&mine, &forger.own_key().await] {
            forger.assert_refused(forger.accepted(&Forger::signed(&header, &forger.claims, key)).await, kid);
        }
    }
    // The coming key is published already, but has signed nothing.
    let jwks = forger.app.get("/.well-known/jwks.json").send().await.json();
    let next =
        jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] != forger.header["kid"]).unwrap();
    let swapped = Forger::signed(
        &with(&forger.header, "kid", next["kid"].clone()),
        &forger.claims,
        &forger.own_key().await,
    );
    forger.assert_refused(forger.accepted(&swapped).await, "another key's id");
    let own = forger.own_key().await;
    for header in [
        without(&forger.header, "kid"),
        with(&forger.header, "kid", json!(1)),
        with(&forger.header, "kid", json!(null)),
    ] {
        forger.assert_refused(
            forger.accepted(&Forger::signed(&header, &forger.claims, &own)).await,
            "no key id",
        );
    }
}

#[tokio::test]
async fn a_token_counts_in_its_time_for_us_and_from_us_only() {
    let forger = Forger::new().await;
    let key = forger.own_key().await;
    let now = wall_now().as_second();
    let sign = |claims: &Value| Forger::signed(&forger.header, claims, &key);
    for (field, value) in [
        ("exp", json!(now - 61)),
        ("exp", json!("never")),
        ("exp", json!(-1)),
        ("iat", json!(now + 120)),
        ("nbf", json!(now + 120)),
        ("iss", json!("https://evil.example")),
        ("iss", json!("https://quenty.local/")),
        ("aud", json!("another")),
        ("aud", json!(["another"])),
        ("sub", json!(null)),
        ("realm", json!("god")),
        ("permissions", json!("*")),
    ] {
        let token = sign(&with(&forger.claims, field, value.clone()));
        forger.assert_refused(forger.accepted(&token).await, &format!("{field} {value}"));
    }
    for field in ["exp", "iss", "aud", "sub", "iat", "realm"] {
        let token = sign(&without(&forger.claims, field));
        forger.assert_refused(forger.accepted(&token).await, &format!("no {field}"));
    }
    for typ in [json!("JWT"), json!("at+JWT "), json!("refresh+jwt"), json!(null)] {
        let token = Forger::signed(&with(&forger.header, "typ", typ.clone()), &forger.claims, &key);
        forger.assert_refused(forger.accepted(&token).await, &format!("typ {typ}"));
    }
    // Clocks may differ by a minute.
    for (field, value) in [("exp", now - 30), ("iat", now + 30)] {
        assert!(forger.accepted(&sign(&with(&forger.claims, field, json!(value)))).await, "{field}");
    }
}

#[tokio::test]
async fn a_changed_or_cut_token_is_refused() {
    let forger = Forger::new().await;
    let token = admin_token(&forger.app).await;
    let parts: Vec<&str> = token.split('.').collect();
    let ana = member_of_nothing(&forger.app, "ana@example.com").await;
    let low = access_token(&login(&forger.app, "ana@example.com", PASSWORD).await.json());
    let low: Vec<&str> = low.split('.').collect();
    let raised = encoded(&with(&forger.claims, "sub", json!(ana)));
    let mut flipped = parts[2].to_owned();
    flipped.replace_range(..1, if flipped.starts_with('A') { "B" } else { "A" });
    for broken in [
        format!("{}.{}.{}", parts[0], raised, parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], low[2]),
        format!("{}.{}.{}", low[0], parts[1], low[2]),
        format!("{}.{}.{flipped}", parts[0], parts[1]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{token}."),
        format!("{token}.{}", parts[2]),
        format!("{token}="),
        format!("{token}A"),
        parts[0].to_owned(),
        "..".to_owned(),
        "x".repeat(6000),
    ] {
        forger.assert_refused(forger.accepted(&broken).await, &broken);
    }
    assert!(forger.accepted(&token).await);
}

#[tokio::test]
async fn other_secrets_are_no_access_tokens_and_an_access_token_is_none_of_them() {
    let app = start().await;
    let tokens = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    let renewal = refresh_token(&tokens);
    app.get("/api/v1/admin/users").token(&renewal).send().await.expect_problem(401, "INVALID_TOKEN");
    // Too long for a refresh token, or not one.
    let refused = refresh(&app, &access_token(&tokens)).await;
    assert!(matches!(refused.status(), 401 | 422), "{}", refused.text());
    for cookie in ["access_token", "session"] {
        let stolen = format!("{cookie}={}", access_token(&tokens));
        app.get("/api/v1/admin/users").header("cookie", &stolen).send().await.expect_problem(401, "NO_TOKEN");
    }
    let query = format!("/api/v1/admin/users?access_token={}", access_token(&tokens));
    app.get(&query).send().await.expect_problem(401, "NO_TOKEN");
}

#[tokio::test]
async fn a_replayed_refresh_token_ends_what_the_thief_got_too() {
    let app = start().await;
    let stolen = refresh_token(&login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json());
    let of_thief = refresh_token(&refresh(&app, &stolen).await.expect(200).json());
    let later = refresh_token(&refresh(&app, &of_thief).await.expect(200).json());
    sqlx::query("update refresh_tokens set used_at = used_at - interval '11 seconds'")
        .execute(app.app.db())
        .await
        .unwrap();
    refresh(&app, &stolen).await.expect_problem(401, "REFRESH_TOKEN_REUSED");
    for token in [&of_thief, &later, &stolen] {
        refresh(&app, token).await.expect_problem(401, "INVALID_REFRESH_TOKEN");
    }
}

#[tokio::test]
async fn no_open_operation_tells_who_has_an_account() {
    let app = start().await;
    member_of_nothing(&app, "ana@example.com").await;
    let told = async |path: &'static str, body: Value| {
        let answer = app.post(path).header("x-forwarded-for", "198.51.100.9").json(&body).send().await;
        let mut text = answer.text().replace("ana@example.com", "…").replace("nobody@example.com", "…");
        if let Ok(mut json) = serde_json::from_str::<Value>(&text) {
            json["trace_id"] = json!(null);
            text = json.to_string();
        }
        let mut headers: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        headers.sort_unstable();
        (answer.status(), headers, text)
    };
    for path in [
        "/api/v1/auth/login",
        "/api/v1/auth/password/reset",
        "/api/v1/auth/verify/resend",
        "/api/v1/auth/register",
    ] {
        let body = |email: &str| match path {
            "/api/v1/auth/login" => json!({"username_or_email": email, "password": "not-the-password"}),
            "/api/v1/auth/register" => {
                json!({"email": email, "given_name": "Ana", "family_name": "Gómez", "password": PASSWORD})
            }
            _ => json!({"email": email}),
        };
        assert_eq!(
            told(path, body("ana@example.com")).await,
            told(path, body("nobody@example.com")).await,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_login_costs_the_work_of_a_password_whether_or_not_there_is_an_account() {
    let app = crate::support::start_with(&[("password_workers", "1"), ("password_queue", "0")]).await;
    for name in [ADMIN, "nobody@example.com"] {
        let storm = (0..6).map(|_| login(&app, name, "guess-guess-guess"));
        let answers = futures_util::future::join_all(storm).await;
        assert!(answers.iter().any(|answer| answer.code() == "TOO_MANY_LOGINS"), "{name} was hashed");
    }
}

#[tokio::test]
async fn nobody_sets_what_is_not_theirs_to_set() {
    let app = start().await;
    let user = member_of_nothing(&app, "ana@example.com").await;
    let ana = access_token(&login(&app, "ana@example.com", PASSWORD).await.json());
    let admin = admin_token(&app).await;
    for (field, value) in [
        ("roles", json!(["super_admin"])),
        ("status", json!("active")),
        ("email", json!("eve@example.com")),
        ("username", json!("admin")),
        ("id", json!(UserId::new())),
        ("verified", json!(true)),
        ("version", json!(99)),
        ("memberships", json!([])),
        ("mfa_enabled", json!(false)),
        ("password", json!("granite-willow-ember-73")),
        ("__proto__", json!({"roles": ["super_admin"]})),
    ] {
        let body = json!({"given_name": "Eve", field: value});
        for (path, token) in
            [("/api/v1/profile".to_owned(), &ana), (format!("/api/v1/admin/users/{user}"), &admin)]
        {
            let refused = app.patch(&path).token(token).json(&body).send().await;
            let refused = refused.expect_problem(422, "INVALID_BODY").json();
            assert_eq!(refused["errors"][0]["pointer"], format!("/{field}"), "{path}");
        }
    }
    let profile = app.get("/api/v1/profile").token(&ana).send().await.expect(200).json();
    assert_eq!((&profile["given_name"], &profile["roles"]), (&json!("Ana"), &json!([])));
}

#[tokio::test]
async fn line_breaks_in_what_is_recorded_stay_inside_their_field() {
    let app = start().await;
    let name = "ana\r\nset-cookie: x=y";
    login(&app, name, PASSWORD).await.expect_problem(422, "INVALID_BODY");
    let split = register_from(&app, "198.51.100.9", "ana@example.com\r\nbcc: all@example.com", None).await;
    split.expect_problem(422, "INVALID_BODY");
    let forwarded = app
        .post("/api/v1/auth/login")
        .header("x-forwarded-for", "127.0.0.1, <script>, 198.51.100.7")
        .json(&json!({"username_or_email": ADMIN, "password": ADMIN_PASSWORD}))
        .send()
        .await
        .expect(200)
        .json();
    let session: quenty_kernel::id::SessionId = forwarded["session_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        app.facts(session).await[0].data["address"],
        "198.51.100.7",
        "the last one, which our gateway wrote"
    );
}
