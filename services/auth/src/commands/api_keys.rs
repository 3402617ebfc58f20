//! Making, rotating and revoking API keys. A key never holds what its owner does not hold, and its secret is seen by
//! its owner only, who proved to be it a moment ago: a key outlives the session that made it.

use jiff::{SignedDuration, Timestamp};
use quenty_contracts::auth::{ApiKeyCreated, ApiKeyRevoked};
use quenty_kernel::{
    Scope,
    clock::wall_now,
    id::{ApiKeyId, CompanyId, MemberId, SessionId, UserId, new_uuid},
};
use quenty_platform::Tx;
use rand::RngCore;

use super::{Outcome, mail::mail_notice, prove_password::stepped_up, record_access, revoke_tokens_of_key};
use crate::{
    domain::{
        api_key::{AddressRange, ApiKey, LONGEST_LIFE, LONGEST_OVERLAP, MOST_KEYS, Macs, is_scope},
        facts::{ApiKeyFact, ApiKeyRotated},
        mail::MailKind,
        origin::Origin,
        role::covers,
        secret::OpaqueToken,
    },
    error::Error,
    parts::TokenKeys,
    store,
};

/// What a new key shall be.
#[derive(Debug)]
pub struct NewApiKey {
    pub name: String,
    pub scopes: Vec<String>,
    pub addresses: Vec<AddressRange>,
    /// A year from now unless told.
    pub expires_at: Option<Timestamp>,
}

fn new_secret() -> OpaqueToken {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    OpaqueToken::from_bytes(bytes)
}

fn mac(tx: &Tx, secret: &OpaqueToken) -> Result<[u8; 32], Error> {
    Ok(tx.app().part::<TokenKeys>()?.api_key.mac(secret.as_str().as_bytes()))
}

/// Makes a key of this person in this company; `held` are the permissions of the token that asks for it.
pub async fn create_api_key(
    tx: &mut Tx,
    (user_id, session): (UserId, SessionId),
    company_id: CompanyId,
    held: &[String],
    new: NewApiKey,
    origin: &Origin,
) -> Result<(ApiKey, OpaqueToken), Error> {
    let NewApiKey { name, mut scopes, addresses, expires_at } = new;
    scopes.sort_unstable();
    scopes.dedup();
    if let Some(unknown) = scopes.iter().position(|scope| !is_scope(scope)) {
        return Err(Error::NoSuchScope(scopes.swap_remove(unknown)));
    }
    if !covers(held, scopes.iter().map(String::as_str)) {
        return Err(Error::BeyondOwnPermissions);
    }
    let now = wall_now();
    let expires_at = expires_at.unwrap_or(now + LONGEST_LIFE);
    if expires_at <= now || expires_at > now + LONGEST_LIFE {
        return Err(Error::KeyLifetime);
    }
    // Keys that are made at once wait here and are counted.
    stepped_up(tx, user_id, session).await?;
    if store::api_keys::count_live(tx.conn(), user_id, company_id, now).await? >= MOST_KEYS {
        return Err(Error::TooManyApiKeys);
    }
    let secret = new_secret();
    let key = ApiKey {
        id: ApiKeyId::new(),
        user_id,
        company_id,
        name,
        scopes,
        addresses,
        macs: Macs { current: mac(tx, &secret)?, previous: None },
        created_at: now,
        expires_at,
        rotated_at: None,
        last_used_at: None,
        revoked_at: None,
    };
    store::api_keys::insert(tx.conn(), &key).await?;
    let fact = ApiKeyCreated {
        api_key_id: key.id,
        user_id,
        company_id,
        name: key.name.clone(),
        scopes: key.scopes.clone(),
        expires_at,
    };
    tx.record_about(key.id, user_id, Some(company_id), &ApiKeyFact::from(fact))?;
    mail_notice(tx, user_id, MailKind::ApiKeyCreated, key.id.uuid(), Some(company_id))?;
    record_access(tx, "create_api_key", Outcome::Succeeded, Some(user_id), None, origin)?;
    Ok((key, secret))
}

/// Gives the own key another secret; the one of before works on for `overlap`, or not at all, nor do its tokens.
pub async fn rotate_api_key(
    tx: &mut Tx,
    (owner, session): (UserId, SessionId),
    scope: Scope,
    id: ApiKeyId,
    overlap: SignedDuration,
    origin: &Origin,
) -> Result<(ApiKey, OpaqueToken), Error> {
    stepped_up(tx, owner, session).await?;
    let found = store::api_keys::lock(tx.conn(), scope, id).await?;
    // Another's secret would let its reader act as them.
    let mut key = found.filter(|key| key.user_id == owner).ok_or(Error::NotFound("API key"))?;
    let now = wall_now();
    let (secret, until) = (new_secret(), now + overlap.min(LONGEST_OVERLAP));
    key.rotate(mac(tx, &secret)?, until, now);
    store::api_keys::save(tx.conn(), &key).await?;
    let fact = ApiKeyRotated { api_key_id: id, user_id: owner, previous_until: until };
    tx.record_about(id, owner, Some(key.company_id), &ApiKeyFact::from(fact))?;
    if overlap.is_zero() {
        revoke_tokens_of_key(tx, &key).await?;
    }
    mail_notice(tx, owner, MailKind::ApiKeyRotated, new_uuid(), Some(key.company_id))?;
    record_access(tx, "rotate_api_key", Outcome::Succeeded, Some(owner), None, origin)?;
    Ok((key, secret))
}

/// No token is given for the key any more, and those that are out are over. `by` may be another than its owner.
pub async fn revoke_api_key(
    tx: &mut Tx,
    by: UserId,
    scope: Scope,
    id: ApiKeyId,
    origin: &Origin,
) -> Result<(), Error> {
    let mut key = store::api_keys::lock(tx.conn(), scope, id).await?.ok_or(Error::NotFound("API key"))?;
    key.revoked_at = Some(wall_now());
    store::api_keys::save(tx.conn(), &key).await?;
    let fact = ApiKeyRevoked { api_key_id: id, user_id: key.user_id, company_id: key.company_id };
    tx.record_about(id, key.user_id, Some(key.company_id), &ApiKeyFact::from(fact))?;
    revoke_tokens_of_key(tx, &key).await?;
    record_access(tx, "revoke_api_key", Outcome::Succeeded, Some(by), None, origin)
}

/// All keys of a person, in one company or in every one, or only those from before a membership; tells whether there were
/// any. Their tokens are the caller's to revoke, after the locks of all rows.
pub(super) async fn revoke_api_keys(
    tx: &mut Tx,
    user_id: UserId,
    company: Option<CompanyId>,
    before: Option<MemberId>,
) -> Result<bool, Error> {
    let revoked = store::api_keys::revoke_all(tx.conn(), user_id, company, before, wall_now()).await?;
    for (api_key_id, company_id) in &revoked {
        let fact = ApiKeyRevoked { api_key_id: *api_key_id, user_id, company_id: *company_id };
        tx.record_about(*api_key_id, user_id, Some(*company_id), &ApiKeyFact::from(fact))?;
    }
    Ok(!revoked.is_empty())
}
