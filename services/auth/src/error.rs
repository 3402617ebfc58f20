//! Everything that can go wrong here, and how it is told.

use quenty_kernel::{Failure, FieldError, Kind, id::UserId};

use crate::domain::{passkey::Broken, password::WeakPassword, user::UserError};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Platform(#[from] quenty_platform::Error),
    #[error("the credentials are wrong, or the account is locked")]
    BadCredentials,
    #[error("the account is suspended")]
    Suspended,
    #[error("too many attempts")]
    TooManyAttempts { retry_after: u32 },
    #[error("the password hasher is full")]
    HasherFull,
    #[error("the client is unknown or its secret is wrong")]
    BadClient,
    #[error("grant type {0} is not supported")]
    UnsupportedGrant(String),
    #[error("the refresh token is not valid")]
    BadRefreshToken,
    #[error("the refresh token was used before")]
    RefreshTokenReused,
    #[error("the token belongs to no session")]
    NoSession,
    #[error("the link is unknown, used or expired")]
    BadLink,
    #[error("the link is unknown, used or expired, or the password is another one")]
    BadProof,
    #[error("the username is taken")]
    UsernameTaken,
    #[error("{0}")]
    WeakPassword(WeakPassword),
    #[error("the current password is wrong")]
    WrongPassword,
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error(transparent)]
    User(#[from] UserError),
    #[error("there is no platform role {0}")]
    NoSuchRole(String),
    #[error("this gives or takes what the caller does not hold")]
    BeyondOwnPermissions,
    #[error("only the platform's staff can do this")]
    StaffOnly,
    #[error("an invitation to the platform names a role")]
    NoRole,
    #[error("somebody with this e-mail address is a user")]
    UserExists(UserId),
    #[error("the last super_admin stays")]
    LastSuperAdmin,
    #[error("{0} is no scope of a key")]
    NoSuchScope(String),
    #[error("the key would live too long, or not at all")]
    KeyLifetime,
    #[error("there are too many API keys")]
    TooManyApiKeys,
    #[error("the API key does not work")]
    BadApiKey,
    #[error("the person proved to be it too long ago")]
    ProofTooOld,
    #[error("a second factor is asked for already")]
    MfaEnabled,
    #[error("there is no second factor")]
    NoFactor,
    #[error("nobody resets their own second factor")]
    OwnMfa,
    #[error("there is no passkey")]
    NoPasskey,
    #[error("there are too many passkeys")]
    TooManyPasskeys,
    #[error("somebody has this passkey")]
    PasskeyExists,
    #[error("this is no answer to what the authenticator was asked")]
    UnfitPasskey,
    #[error("the passkey proves nothing")]
    BadPasskey,
    #[error("the passkey proves nothing, in a session")]
    WrongPasskey,
    #[error("the password is another one than the passkey was proved with")]
    PasskeyNeedsPassword,
    #[error("this is no code of the new app")]
    UnfitCode,
    #[error("the code is wrong or was used")]
    BadCode,
    #[error("the code is wrong or was used, in a session")]
    WrongCode,
    #[error("a code is asked for, too")]
    CodeNeeded,
    #[error("the login is unknown or over")]
    BadMfaToken,
    #[error("the token belongs to no session")]
    UnsupportedTokenType,
    #[error("there is no permission {0}")]
    NoSuchPermission(String),
    #[error("a role has this name")]
    RoleNameTaken,
    #[error("somebody has the role")]
    RoleInUse,
    #[error("there are too many roles")]
    TooManyRoles,
}

quenty_platform::platform_errors!(Error: Failure, sqlx::Error);

impl From<Broken> for Error {
    fn from(broken: Broken) -> Self {
        Self::Platform(quenty_platform::Error::internal(broken))
    }
}

impl From<Error> for quenty_platform::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Platform(error) => error,
            other => Self::Failure(told(&other)),
        }
    }
}

fn told(error: &Error) -> Failure {
    match error {
        // Only Platform goes another way, and it has gone there.
        Error::Platform(error) => error.to_failure(),
        Error::BadCredentials => Failure::new(
            Kind::Unauthenticated,
            "INVALID_CREDENTIALS",
            "the name or the password is wrong, the address was never verified, or this account waits after too many failures; check both, open the link in our mail, or try again in 15 minutes",
        ),
        Error::Suspended => {
            Failure::new(Kind::Forbidden, "ACCOUNT_SUSPENDED", "this account is suspended; ask the support")
        }
        Error::TooManyAttempts { retry_after } => Failure::new(
            Kind::TooManyRequests,
            "TOO_MANY_ATTEMPTS",
            "there were too many attempts; wait and try again",
        )
        .retry_after(*retry_after),
        Error::HasherFull => Failure::new(
            Kind::TooManyRequests,
            "TOO_MANY_LOGINS",
            "too many people log in at this moment; try again",
        )
        .retry_after(1),
        // RFC 6749, section 5.2, as extension members of the problem.
        Error::BadClient => Failure::new(
            Kind::Unauthenticated,
            "INVALID_CLIENT",
            "the client is unknown or its secret is wrong",
        )
        .with("error", "invalid_client"),
        Error::UnsupportedGrant(_) => {
            Failure::new(Kind::Malformed, "UNSUPPORTED_GRANT_TYPE", "use grant_type=client_credentials")
                .with("error", "unsupported_grant_type")
        }
        Error::BadRefreshToken => Failure::new(
            Kind::Unauthenticated,
            "INVALID_REFRESH_TOKEN",
            "the refresh token is unknown, expired or its session has ended; log in again",
        ),
        Error::RefreshTokenReused => Failure::new(
            Kind::Unauthenticated,
            "REFRESH_TOKEN_REUSED",
            "this refresh token was used before, so its session was ended; log in again",
        ),
        Error::NoSession => {
            Failure::new(Kind::Forbidden, "NO_SESSION", "this needs the access token of a login")
        }
        Error::BadLink => Failure::new(
            Kind::Invalid,
            "INVALID_LINK",
            "the link is unknown, was used or has expired; ask for a new one",
        ),
        Error::BadProof => Failure::new(
            Kind::Invalid,
            "INVALID_LINK",
            "the link is unknown, was used or has expired, or does not go with this password; check the password, or ask for a new link",
        ),
        Error::UsernameTaken => Failure {
            kind: Kind::Conflict,
            ..Failure::invalid("USERNAME_TAKEN", "/username", "this username is taken; choose another")
        },
        Error::WeakPassword(why) => Failure {
            errors: vec![FieldError {
                pointer: "/password".to_owned(),
                code: "WEAK_PASSWORD",
                detail: why.to_string(),
            }],
            ..Failure::new(Kind::Invalid, "WEAK_PASSWORD", why.to_string())
        },
        Error::WrongPassword => {
            Failure::invalid("WRONG_PASSWORD", "/current_password", "this is not your current password")
        }
        Error::NotFound(what) => Failure::not_found(what),
        Error::User(error) => {
            Failure::conflict("INVALID_USER_STATUS", format!("{error}; read the user again"))
        }
        Error::NoSuchRole(_) => Failure::invalid(
            "NO_SUCH_ROLE",
            "/roles",
            "give platform roles that GET /api/v1/admin/roles lists",
        ),
        Error::BeyondOwnPermissions => Failure::new(
            Kind::Forbidden,
            "BEYOND_OWN_PERMISSIONS",
            "nobody gives, takes or overrules what they do not hold themselves; ask someone who does",
        ),
        Error::StaffOnly => {
            Failure::new(Kind::Forbidden, "STAFF_ONLY", "only the platform's staff can do this")
        }
        Error::NoRole => Failure::invalid("NO_ROLE", "/roles", "name at least one role"),
        Error::UserExists(id) => Failure::conflict(
            "USER_EXISTS",
            "somebody with this e-mail address is a user, `user_id` says who; assign roles with PUT /api/v1/admin/users/{id}/roles",
        )
        .with("user_id", id),
        Error::NoSuchScope(scope) => Failure::invalid(
            "NO_SUCH_SCOPE",
            "/scopes",
            format!(
                "a key cannot have the scope {scope:?}; use permissions of your own, such as orders:create or orders:*"
            ),
        ),
        Error::KeyLifetime => Failure::invalid(
            "INVALID_EXPIRY",
            "/expires_at",
            "a key expires in the future, and at most 366 days from now",
        ),
        Error::TooManyApiKeys => Failure::conflict(
            "TOO_MANY_API_KEYS",
            "you have 20 keys in this company already; revoke those that nobody uses",
        ),
        Error::BadApiKey => Failure::new(
            Kind::Unauthenticated,
            "INVALID_API_KEY",
            "the API key is unknown, was revoked, has expired, does not work from this address, or its owner may not act in its company any more; make another one",
        ),
        Error::ProofTooOld => Failure::new(
            Kind::Forbidden,
            "PASSWORD_NEEDED",
            "give your password again, and a code or a passkey where logins ask for one, with POST /api/v1/auth/reauthenticate; then this works for five minutes",
        ),
        Error::MfaEnabled => Failure::conflict(
            "MFA_ENABLED",
            "an authenticator app is asked for already; give it up before you begin with another",
        ),
        Error::NoFactor => Failure::conflict(
            "MFA_NOT_ENABLED",
            "there is no such second factor; begin with POST /api/v1/auth/mfa/totp or /api/v1/auth/mfa/passkeys/options",
        ),
        Error::OwnMfa => Failure::new(
            Kind::Forbidden,
            "OWN_MFA",
            "nobody resets their own second factor; give it up under /api/v1/auth/mfa, or ask somebody else",
        ),
        Error::NoPasskey => Failure::conflict(
            "NO_PASSKEY",
            "there is no passkey; give a code of the app, or a recovery code",
        ),
        Error::TooManyPasskeys => Failure::conflict(
            "TOO_MANY_PASSKEYS",
            "you have 10 passkeys already; remove those that you do not use",
        ),
        Error::PasskeyExists => Failure::conflict(
            "PASSKEY_EXISTS",
            "this passkey belongs to an account already; let the authenticator make another one",
        ),
        Error::UnfitPasskey => Failure::invalid(
            "INVALID_PASSKEY",
            "/passkey",
            "this is no answer to the options that were given last, or it comes too late or from another page; ask for options again",
        ),
        Error::BadPasskey => Failure::new(
            Kind::Unauthenticated,
            "INVALID_PASSKEY",
            "this is no answer of the account's passkey to the options that were given last, or it comes too late or from another page; ask for options again",
        ),
        Error::WrongPasskey => Failure::invalid(
            "WRONG_PASSKEY",
            "/passkey",
            "this is no answer of your passkey to the options that were given last, or it comes too late or from another page; ask for options again",
        ),
        Error::PasskeyNeedsPassword => Failure::new(
            Kind::Unauthenticated,
            "PASSWORD_NEEDED_ONCE",
            "the password was changed since this passkey was last used with one; log in with the password and this passkey once, then it works alone again",
        ),
        Error::UnfitCode => {
            Failure::invalid("INVALID_CODE", "/code", "this is not what the app shows now; check its clock")
        }
        Error::BadCode => Failure::new(
            Kind::Unauthenticated,
            "INVALID_CODE",
            "the code is wrong or was used before; wait for the next one",
        ),
        Error::WrongCode => Failure::invalid(
            "WRONG_CODE",
            "/code",
            "the code is wrong or was used before; wait for the next one, or give a recovery code",
        ),
        Error::CodeNeeded => Failure::invalid(
            "CODE_NEEDED",
            "/code",
            "your logins ask for a second factor: give a code of the app, a recovery code or a passkey with the password",
        ),
        Error::BadMfaToken => Failure::new(
            Kind::Unauthenticated,
            "INVALID_MFA_TOKEN",
            "this login is unknown, took too long, or had five wrong codes or passkeys; log in again",
        ),
        Error::NoSuchPermission(permission) => Failure::invalid(
            "NO_SUCH_PERMISSION",
            "/permissions",
            format!("there is no permission {permission:?}; GET /api/v1/admin/permissions lists them"),
        ),
        Error::RoleNameTaken => Failure {
            kind: Kind::Conflict,
            ..Failure::invalid("ROLE_NAME_TAKEN", "/name", "another role has this name; choose another")
        },
        Error::RoleInUse => {
            Failure::conflict("ROLE_IN_USE", "somebody has this role; take it from everyone first")
        }
        Error::TooManyRoles => Failure::conflict(
            "TOO_MANY_ROLES",
            "there are 100 made roles already; remove those that nobody has",
        ),
        // RFC 7009, section 2.2.1.
        Error::UnsupportedTokenType => Failure::new(
            Kind::Malformed,
            "UNSUPPORTED_TOKEN_TYPE",
            "this token belongs to no session; an API key is revoked with DELETE /api/v1/auth/api-keys/{id}",
        )
        .with("error", "unsupported_token_type"),
        Error::LastSuperAdmin => {
            Failure::conflict("LAST_SUPER_ADMIN", "the last active super_admin stays; make another one first")
        }
    }
}
