//! A stand-in for Auth's key in tests of one service: signs the tokens that the service checks, and serves
//! the JWKS and the service tokens over real HTTP. Journeys across services use the real Auth.

use std::sync::{Arc, Mutex, OnceLock};

use axum::{
    Json, Router,
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use quenty_kernel::{
    clock::wall_now,
    id::{CompanyId, UserId, new_uuid},
};
use quenty_platform::{
    revocations::{Revocation, RevocationList},
    token::{AUDIENCE, Claims, Realm, TYPE},
};
use serde_json::{Value, json};

/// The issuer that settings name by default.
pub const ISSUER: &str = "https://quenty.local";
const KEY_ID: &str = "test-key";

fn signing_key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::from_bytes(&rand::random()))
}

/// Signs any claims; tests of the verifier pass broken ones.
#[must_use]
pub fn sign(claims: &Claims) -> String {
    let header =
        Header { typ: Some(TYPE.to_owned()), kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::EdDSA) };
    let der = signing_key().to_pkcs8_der().expect("an Ed25519 key has a PKCS #8 form");
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(der.as_bytes())).expect("claims are JSON")
}

/// Claims of a person, valid for a quarter of an hour.
#[must_use]
pub fn claims(realm: Realm, user: UserId, company: Option<CompanyId>, permissions: &[&str]) -> Claims {
    let now = wall_now().as_second();
    Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        exp: now + 900,
        iat: now,
        jti: new_uuid().to_string(),
        sub: user.to_string(),
        client_id: "test".to_owned(),
        sid: None,
        amr: vec!["pwd".to_owned()],
        realm,
        company_id: company,
        permissions: permissions.iter().map(|p| (*p).to_owned()).collect(),
    }
}

/// A token of another service of the platform.
#[must_use]
pub fn service_token(service: &str, permissions: &[&str]) -> String {
    let claims = Claims {
        sub: service.to_owned(),
        client_id: service.to_owned(),
        ..claims(Realm::Service, UserId::new(), None, permissions)
    };
    sign(&claims)
}

/// What is revoked; a test may add to it.
pub type Revoked = Arc<Mutex<Vec<Revocation>>>;

/// JWKS, revocations (none) and client credentials, as Auth serves them.
pub fn router() -> Router {
    router_with(Revoked::default())
}

/// As [`router`], with revocations.
pub fn router_with(revoked: Revoked) -> Router {
    let list = async move || {
        let revocations = revoked.lock().expect("nobody panicked").clone();
        Json(RevocationList { revocations })
    };
    Router::new()
        .route("/.well-known/jwks.json", get(jwks))
        .route("/.well-known/revocations.json", get(list))
        .route("/api/v1/auth/token", post(service_credentials))
}

async fn jwks() -> Json<Value> {
    let x = URL_SAFE_NO_PAD.encode(signing_key().verifying_key().as_bytes());
    Json(
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": KEY_ID, "x": x}]}),
    )
}

async fn service_credentials(Json(body): Json<Value>) -> Json<Value> {
    let service = body["client_id"].as_str().unwrap_or_default();
    Json(
        json!({"access_token": service_token(service, &["internal.companies:read", "internal.journal:read", "internal.memberships:read", "internal.customers:read", "internal.customers:write"]), "token_type": "Bearer", "expires_in": 3600}),
    )
}
