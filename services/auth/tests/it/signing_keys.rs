use quenty_testkit::{app::TestApp, wait::eventually};

use crate::support::{ADMIN, ADMIN_PASSWORD, claims, login, options, refusal, start};

fn kids(jwks: &serde_json::Value) -> Vec<String> {
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_public_keys_are_published_and_nothing_private_with_them() {
    let app = start().await;
    let answer = app.get("/.well-known/jwks.json").send().await.expect(200);
    let jwks = answer.json();
    assert_eq!(kids(&jwks).len(), 2, "the current key and the next one");
    for key in jwks["keys"].as_array().unwrap() {
        assert_eq!(
            (&key["kty"], &key["crv"], &key["alg"]),
            (&"OKP".into(), &"Ed25519".into(), &"EdDSA".into())
        );
        assert!(key.get("d").is_none());
    }
    let sealed: Vec<Vec<u8>> = sqlx::query_scalar("select sealed_private_key from signing_keys")
        .fetch_all(app.app.db())
        .await
        .unwrap();
    assert!(sealed.iter().all(|bytes| bytes.len() == 12 + 32 + 16), "nonce, ciphertext, tag");
}

#[tokio::test]
async fn a_restart_keeps_the_keys_and_a_rotation_keeps_old_tokens_valid() {
    let app = start().await;
    let before = kids(&app.get("/.well-known/jwks.json").send().await.json());
    let old = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    let database = app.stop().await;
    sqlx::query("update signing_keys set status_since = now() - interval '91 days'")
        .execute(&pool(&database.app_url).await)
        .await
        .unwrap();
    let app = TestApp::start_on(quenty_auth::service(), options(&[]), database).await;
    let after = kids(&app.get("/.well-known/jwks.json").send().await.json());
    assert!(before.iter().all(|kid| after.contains(kid)), "{before:?} {after:?}");
    assert_eq!(after.len(), 3);
    claims(&app, &old).await;
    let new = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    claims(&app, &new).await;
    let header = |tokens: &serde_json::Value| {
        tokens["access_token"].as_str().unwrap().split('.').next().unwrap().to_owned()
    };
    assert_ne!(header(&old), header(&new), "another key signs");
}

#[tokio::test]
async fn a_wrong_key_encryption_key_is_told_at_the_start() {
    let app = start().await;
    let database = app.stop().await;
    let other = "HwEDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
    let text = refusal(TestApp::start_on(
        quenty_auth::service(),
        options(&[("key_encryption_key", other)]),
        database,
    ))
    .await;
    assert!(text.contains("QUENTY_KEY_ENCRYPTION_KEY"), "{text}");
}

#[tokio::test]
async fn two_replicas_starting_at_once_agree_on_keys_and_administrator() {
    let app = start().await;
    let second = TestApp::start_on(quenty_auth::service(), options(&[]), app.database.clone()).await;
    let of = async |app: &TestApp| kids(&app.get("/.well-known/jwks.json").send().await.json());
    assert_eq!(of(&app).await, of(&second).await);
    let tokens = login(&app, ADMIN, ADMIN_PASSWORD).await.expect(200).json();
    eventually("the other replica accepts the token", || async {
        second.app.verifier().verify(tokens["access_token"].as_str().unwrap()).await.ok()
    })
    .await;
}

async fn pool(url: &str) -> sqlx::PgPool {
    sqlx::PgPool::connect(url).await.unwrap()
}
