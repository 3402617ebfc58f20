//! What a session gives its client: an access token, and a refresh token to renew it with.

use jiff::{SignedDuration, Timestamp};
use quenty_kernel::{
    clock::wall_now,
    id::{CompanyId, SessionId, UserId, new_uuid},
};
use quenty_platform::{
    Tx,
    token::{AUDIENCE, Claims, Realm},
};

use super::roles::permissions_of;
use crate::{
    domain::{
        access::{Membership, access, roles_of_session},
        secret::OpaqueToken,
        session::{ACCESS_TOKEN, Session},
        user::User,
    },
    error::Error,
    parts::{KeyRing, StaffMfa},
};

/// The client that people log in with.
const FIRST_PARTY_CLIENT: &str = "quenty";

#[derive(Debug, Clone)]
pub struct Tokens {
    pub access_token: String,
    pub expires_in: i64,
    /// Absent when the one that the client holds stays.
    pub refresh_token: Option<OpaqueToken>,
    pub refresh_expires_at: Option<Timestamp>,
    pub session_id: SessionId,
    pub user_id: UserId,
    pub realm: Realm,
    pub company_id: Option<CompanyId>,
    /// The person's platform roles wait for a second factor.
    pub mfa_enrolment_needed: bool,
    /// For a device that logs in for the first time.
    pub device_token: Option<OpaqueToken>,
}

/// Signs what the session of this person, with these memberships, may do now.
pub async fn sign_access(
    tx: &mut Tx,
    session: &Session,
    user: &User,
    memberships: &[Membership],
    refresh: Option<(OpaqueToken, Timestamp)>,
) -> Result<Tokens, Error> {
    let app = tx.app().clone();
    let StaffMfa { is_needed } = *app.part::<StaffMfa>()?;
    let roles = roles_of_session(user.roles(), is_needed, session.has_mfa());
    let staff = if roles.is_empty() { None } else { Some(permissions_of(tx, roles).await?) };
    let access = access(staff, memberships, session.company_id);
    let ring = app.part::<KeyRing>()?;
    let claims = Claims {
        sid: Some(session.id),
        amr: session.amr.clone(),
        company_id: access.company_id,
        ..claims(
            ring,
            session.user_id.to_string(),
            FIRST_PARTY_CLIENT,
            access.realm,
            access.permissions,
            ACCESS_TOKEN,
        )
    };
    let (refresh_token, refresh_expires_at) = refresh.unzip();
    Ok(Tokens {
        access_token: ring.sign(&claims)?,
        expires_in: ACCESS_TOKEN.as_secs(),
        refresh_token,
        refresh_expires_at,
        session_id: session.id,
        user_id: session.user_id,
        realm: access.realm,
        company_id: access.company_id,
        mfa_enrolment_needed: roles.len() < user.roles().len(),
        device_token: None,
    })
}

pub(super) fn claims(
    ring: &KeyRing,
    sub: String,
    client: &str,
    realm: Realm,
    permissions: Vec<String>,
    lives: SignedDuration,
) -> Claims {
    let now = wall_now();
    Claims {
        iss: ring.issuer().to_owned(),
        aud: AUDIENCE.to_owned(),
        exp: (now + lives).as_second(),
        iat: now.as_second(),
        jti: new_uuid().to_string(),
        sub,
        client_id: client.to_owned(),
        sid: None,
        amr: Vec::new(),
        realm,
        company_id: None,
        permissions,
    }
}
