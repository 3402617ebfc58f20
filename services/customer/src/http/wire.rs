//! What the wire types of several resources share.

use quenty_kernel::{Failure, Kind, contact::Text, country::CountryCode, id::UserId};
use quenty_platform::{http::Caller, token::Realm};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::identification::Identification;

/// Why something is done; kept in the journal and shown to those concerned.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonIn {
    #[schema(example = "The tax number belongs to another company")]
    pub(super) reason: Text<500>,
}

/// An identity or tax document of the company's country.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// A code of `GET /api/v1/document-types`.
    #[serde(rename = "type")]
    #[schema(example = "NIT")]
    pub(super) code: String,
    /// With or without separators; kept and shown without, and taken back so.
    #[schema(example = "860034313-7")]
    pub(super) number: String,
}

impl From<&Identification> for Document {
    fn from(id: &Identification) -> Self {
        Self { code: id.code().to_owned(), number: id.number().to_owned() }
    }
}

/// An identity or tax document of any country.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ForeignDocument {
    /// Who issued it.
    pub(super) country: CountryCode,
    /// A code of `GET /api/v1/document-types`.
    #[serde(rename = "type")]
    #[schema(example = "CC")]
    pub(super) code: String,
    /// With or without separators; kept and shown without, and taken back so.
    #[schema(example = "1.020.304.050")]
    pub(super) number: String,
}

impl From<&Identification> for ForeignDocument {
    fn from(id: &Identification) -> Self {
        Self { country: id.country(), code: id.code().to_owned(), number: id.number().to_owned() }
    }
}

/// Whether a sibling calls, who may ask for any company's things.
///
/// # Errors
/// 403 for people, whatever their permissions say.
pub(super) fn sibling(caller: &Caller) -> Result<(), Failure> {
    match caller.realm() {
        Some(Realm::Service) => Ok(()),
        _ => Err(Failure::new(
            Kind::Forbidden,
            "SERVICES_ONLY",
            "only the platform's own services can do this",
        )),
    }
}

/// The person of the platform who calls.
///
/// # Errors
/// 403 for a company's people, whatever their permissions say: this is never theirs to do.
pub(super) fn staff(caller: &Caller) -> Result<UserId, Failure> {
    match caller.realm() {
        Some(Realm::Staff) => caller.user(),
        _ => Err(Failure::new(Kind::Forbidden, "STAFF_ONLY", "only the platform's staff can do this")),
    }
}
