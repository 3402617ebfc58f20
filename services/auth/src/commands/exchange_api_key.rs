//! The gateway exchanges an API key for an access token that speaks for the key's owner, in the key's company, with
//! the key's scopes as far as the owner still holds them.

use std::net::IpAddr;

use quenty_kernel::{Actor, clock::wall_now};
use quenty_platform::{
    Tx,
    token::{Claims, Realm},
};

use super::{Outcome, record_access, tokens::claims};
use crate::{
    domain::{
        access::access,
        api_key::{self, ApiKey},
        origin::Origin,
        rate_limit::FAILURES_OF_KEYS,
        session::ACCESS_TOKEN,
        user::UserStatus,
    },
    error::Error,
    parts::{KeyRing, TokenKeys},
    store,
};

/// The token and how many seconds it lives, or why there is none; either must be committed.
pub async fn exchange_api_key(
    tx: &mut Tx,
    text: &str,
    address: IpAddr,
) -> Result<Result<(String, i64), Error>, Error> {
    let origin = Origin { address: address.to_canonical().to_string(), user_agent: String::new() };
    let Some(key) = proved_key(tx, text).await? else {
        return refuse(tx, None, &origin).await.map(Err);
    };
    store::revocations::lock_shared(tx.conn()).await?;
    let Some(permissions) = permissions_now(tx, &key, address).await? else {
        return refuse(tx, Some(&key), &origin).await.map(Err);
    };
    store::api_keys::touch(tx.conn(), key.id, wall_now()).await?;
    tx.act_as(Actor::User(key.user_id));
    record_access(tx, "exchange_api_key", Outcome::Succeeded, Some(key.user_id), None, &origin)?;
    let app = tx.app().clone();
    let ring = app.part::<KeyRing>()?;
    // The key stands as the client: that is by what its tokens are known.
    let (sub, client) = (key.user_id.to_string(), key.id.to_string());
    let claims = Claims {
        company_id: Some(key.company_id),
        ..claims(ring, sub, &client, Realm::Company, permissions, ACCESS_TOKEN)
    };
    Ok(Ok((ring.sign(&claims)?, ACCESS_TOKEN.as_secs())))
}

/// The key whose secret was presented, locked: whoever rotates or revokes it has done so, or waits and finds that it was used.
async fn proved_key(tx: &mut Tx, text: &str) -> Result<Option<ApiKey>, Error> {
    let Some((id, secret)) = api_key::read(text) else { return Ok(None) };
    let found = store::api_keys::lock_any(tx.conn(), id).await?;
    let mac_key = &tx.app().part::<TokenKeys>()?.api_key;
    Ok(found.filter(|key| key.has_secret(mac_key, &secret, wall_now())))
}

/// What the key may do now: nothing when it works no more, or its owner may not act in its company.
async fn permissions_now(tx: &mut Tx, key: &ApiKey, address: IpAddr) -> Result<Option<Vec<String>>, Error> {
    if !key.works(address, wall_now()) {
        return Ok(None);
    }
    let owner = store::users::find(tx.conn(), key.user_id).await?;
    if owner.is_none_or(|user| user.status() != UserStatus::Active) {
        return Ok(None);
    }
    let mut memberships = store::memberships::of_user(tx.conn(), key.user_id).await?;
    memberships.retain(|membership| membership.company_id == key.company_id);
    if memberships.iter().all(|membership| membership.company_is_stopped) {
        return Ok(None);
    }
    Ok(Some(key.permissions(&access(None, &memberships, Some(key.company_id)))))
}

/// A key whose secret is known is worth a record; strangers leave so many and no more.
async fn refuse(tx: &mut Tx, key: Option<&ApiKey>, origin: &Origin) -> Result<Error, Error> {
    let (bucket, now) = (FAILURES_OF_KEYS.bucket(&origin.network()), wall_now());
    if store::rate_limits::hit(tx.conn(), &FAILURES_OF_KEYS, &bucket, now).await?.is_none() {
        let owner = key.map(|key| key.user_id);
        record_access(tx, "exchange_api_key", Outcome::Refused, owner, None, origin)?;
    }
    Ok(Error::BadApiKey)
}
