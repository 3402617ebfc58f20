//! Whose tokens are believed: a table of those that must not be.

use std::time::{Duration, Instant};

use axum::{Json, Router, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use quenty_kernel::{
    clock::wall_now,
    id::{CompanyId, SessionId, UserId, new_uuid},
};
use quenty_platform::{
    client::Transport,
    discovery::Discovery,
    revocations::Revocation,
    settings::{CHASSIS, Settings},
    token::{Claims, Realm, Verifier},
};
use quenty_testkit::{keys, neighbour::serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::probe::{Tries, start};

fn claims() -> Claims {
    keys::claims(Realm::Company, UserId::new(), Some(CompanyId::new()), &["things:count"])
}

/// Signed, then changed: the parts of a token are (header, claims, signature).
fn forged(change: impl FnOnce(&mut Value, &mut Value)) -> String {
    let token = keys::sign(&claims());
    let mut parts = token.split('.');
    let mut read = || -> Value {
        let part = URL_SAFE_NO_PAD.decode(parts.next().expect("a part")).expect("base64");
        serde_json::from_slice(&part).expect("JSON")
    };
    let (mut header, mut claims) = (read(), read());
    change(&mut header, &mut claims);
    let write = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", write(&header), write(&claims), parts.next().expect("a signature"))
}

/// Signed by our key, whatever it says.
fn signed(change: impl FnOnce(&mut Claims)) -> String {
    let mut claims = claims();
    change(&mut claims);
    keys::sign(&claims)
}

#[tokio::test]
async fn only_tokens_that_auth_signed_for_us_and_now_are_believed() {
    let app = start(&Tries::default()).await;
    let body = json!({"n": 1});
    let long_ago = wall_now().as_second() - 3600;
    let unsigned = {
        let forged = forged(|header, _| header["alg"] = json!("none"));
        format!("{}.", forged.rsplit_once('.').expect("a signature").0)
    };
    let broken = [
        ("no token at all", "x".to_owned()),
        ("three parts of nothing", "a.b.c".to_owned()),
        ("without a signature", unsigned),
        ("signed with the public key as a secret", forged(|header, _| header["alg"] = json!("HS256"))),
        ("changed after it was signed", forged(|_, claims| claims["permissions"] = json!(["*"]))),
        ("of another type", forged(|header, _| header["typ"] = json!("JWT"))),
        ("without a type", forged(|header, _| drop(header.as_object_mut().expect("a map").remove("typ")))),
        ("signed with an unknown key", forged(|header, _| header["kid"] = json!("../../etc/passwd"))),
        ("that names no key", forged(|header, _| drop(header.as_object_mut().expect("a map").remove("kid")))),
        ("expired", signed(|claims| claims.exp = long_ago)),
        ("for another audience", signed(|claims| claims.aud = "someone-else".to_owned())),
        ("of another issuer", signed(|claims| claims.iss = "https://elsewhere.example".to_owned())),
    ];
    for (what, token) in broken {
        let refused = app.post("/api/v1/things").token(&token).json(&body).send().await;
        assert!(refused.header("www-authenticate").is_some(), "{what}: {}", refused.text());
        assert_eq!((refused.status(), refused.code().as_str()), (401, "INVALID_TOKEN"), "{what}");
    }
    app.post("/api/v1/things").token(&keys::sign(&claims())).json(&body).send().await.expect(204);
}

#[tokio::test]
async fn a_token_that_was_believed_is_not_any_more_once_it_has_expired() {
    let app = start(&Tries::default()).await;
    // The clocks of two machines may differ by a minute: this one has a few seconds left.
    let token = signed(|claims| claims.exp = wall_now().as_second() - 55);
    let call = || app.post("/api/v1/things").token(&token).json(&json!({"n": 1})).send();
    call().await.expect(204);
    quenty_testkit::eventually("it has expired", || async { (call().await.status() == 401).then_some(()) })
        .await;
}

#[tokio::test]
async fn a_revoked_token_is_not_believed_any_more_but_the_next_one_is() {
    let app = start(&Tries::default()).await;
    let until = wall_now() + jiff::SignedDuration::from_mins(16);
    let call = async |claims: &Claims| {
        app.post("/api/v1/things").token(&keys::sign(claims)).json(&json!({"n": 1})).send().await
    };
    let (mut one, mut other) = (claims(), claims());
    one.sid = Some(SessionId::new());
    other.sid = Some(SessionId::new());
    let (user, company) = (other.sub.parse().expect("a user"), other.company_id.expect("a company"));
    call(&one).await.expect(204);
    call(&other).await.expect(204);

    app.revoke(Revocation::of_session(one.sid.expect("a session"), until));
    let refused = quenty_testkit::eventually("the session is over", || async {
        Some(call(&one).await).filter(|answer| answer.status() != 204)
    })
    .await;
    assert!(refused.header("www-authenticate").is_some());
    refused.expect_problem(401, "TOKEN_REVOKED");
    one.jti = new_uuid().to_string();
    call(&one).await.expect_problem(401, "TOKEN_REVOKED");
    call(&other).await.expect(204);

    let of_user = || Revocation::of_user(user, new_uuid(), until);
    let of_company = || Revocation::of_company(company, new_uuid(), until);
    for revocation in [&of_user as &dyn Fn() -> Revocation, &of_company] {
        app.revoke(revocation());
        quenty_testkit::eventually("what was issued before is revoked", || async {
            (call(&other).await.status() == 401).then_some(())
        })
        .await;
        other.jti = new_uuid().to_string();
        call(&other).await.expect(204);
    }
}

#[tokio::test]
async fn an_auth_that_hangs_makes_the_list_of_revocations_no_older_while_another_one_answers() {
    // Connections are taken in and never looked at.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let asked = Tries::default();
    let counter = asked.clone();
    let list = async move || {
        counter.next();
        Json(json!({"revocations": []}))
    };
    let router = Router::new().route("/.well-known/revocations.json", get(list));
    let well = serve(router.fallback_service(keys::router())).await;
    let hanging = format!("http://{}", silent.local_addr().expect("a bound address"));
    let settings = Settings::load(&[CHASSIS], None, std::iter::empty()).expect("defaults");
    let settings = settings.with("auth_url", format!("{hanging},{well}"));
    let discovery = Discovery::from_settings(&settings, &Transport::default());
    let verifier = Verifier::new(Transport::default(), discovery, keys::ISSUER);
    let reads = async |count: u32| {
        quenty_testkit::eventually("it is read", || async { (asked.count() >= count).then_some(()) }).await;
    };
    let reading = async {
        reads(1).await;
        let begun = Instant::now();
        reads(6).await;
        // A second each, at most; where the one that hangs is waited for, nearly three.
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    };
    tokio::select! {
        () = reading => {}
        () = verifier.keep_fresh(CancellationToken::new()) => panic!("the upkeep ended"),
    }
}
