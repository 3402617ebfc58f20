//! The one error of the service, and the one table that tells callers what to do about it.

use quenty_kernel::{Failure, Invalid, Kind, money::MoneyError};

use crate::domain::{
    delivered::ClaimError,
    disposition::{self, Refusal},
    goods_return::{ReturnError, SettleError},
    processing::ProcessingError,
    words::Reason,
};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Platform(#[from] quenty_platform::Error),
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("no such order was delivered")]
    NotDelivered,
    #[error("the buyer was erased")]
    BuyerErased,
    #[error("the buyer is about to be erased")]
    ErasureUnderWay,
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error(transparent)]
    Return(#[from] ReturnError),
    #[error("the policy does not accept the reason {reason}")]
    ReasonNotAccepted { index: usize, reason: Reason },
    #[error("the policy does not accept the reason {0}")]
    RecallReasonNotAccepted(Reason),
    #[error("somebody else changed the policy meanwhile")]
    PolicyChangedMeanwhile,
    #[error("no such unit was inspected, or it is named twice")]
    NoSuchChoice { index: usize },
    #[error("{kind} is forbidden: {refusal}")]
    DispositionForbidden { index: usize, kind: disposition::Kind, refusal: Refusal },
    #[error("{best} would bring more")]
    ReasonRequired { index: usize, best: disposition::Kind },
    #[error("the amount is in another currency")]
    OtherCurrency,
}

quenty_platform::platform_errors!(Error: Failure, sqlx::Error, serde_json::Error);

impl Error {
    /// Whether the rules say no, and would say it again; a fault, like a database that is away, may pass.
    pub(crate) fn is_refusal(&self) -> bool {
        !matches!(self, Self::Platform(_))
    }
}

impl From<ProcessingError> for Error {
    fn from(error: ProcessingError) -> Self {
        match error {
            ProcessingError::Invalid(error) => error.into(),
            ProcessingError::Money(error) => error.into(),
            ProcessingError::Claim(error) => error.into(),
        }
    }
}

impl From<SettleError> for Error {
    fn from(error: SettleError) -> Self {
        match error {
            SettleError::Return(error) => error.into(),
            SettleError::Money(error) => error.into(),
        }
    }
}

impl From<Error> for quenty_platform::Error {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        let failure = match error {
            Error::Platform(error) => return error,
            Error::NotFound(what) => Failure::not_found(what),
            Error::NotDelivered => Failure::conflict(
                "NOT_DELIVERED",
                "no such order was delivered; only what was delivered can come back",
            ),
            Error::BuyerErased => Failure::conflict(
                "BUYER_ERASED",
                "the buyer had all erased that was known of them; say in `buyer` who hands the goods over, and ask for a refund: a replacement has no address to go to",
            ),
            Error::ErasureUnderWay => Failure::conflict(
                "ERASURE_UNDER_WAY",
                "somebody asked to have the buyer erased: what was rejected stays so",
            ),
            Error::Invalid(invalid) => Failure::new(
                Kind::Invalid,
                "INVALID_BODY",
                format!("{invalid}; correct it and send it again"),
            ),
            Error::Money(error) => Failure::new(Kind::Invalid, "INVALID_AMOUNT", error.to_string()),
            Error::Claim(error) => claim(&error),
            Error::Return(error) => not_now(&error),
            Error::ReasonNotAccepted { index, .. } => {
                Failure::invalid("REASON_NOT_ACCEPTED", format!("/lines/{index}/reason"), detail)
            }
            Error::RecallReasonNotAccepted(_) => Failure::invalid("REASON_NOT_ACCEPTED", "/reason", detail),
            Error::PolicyChangedMeanwhile => Failure::new(
                Kind::Stale,
                "VERSION_MISMATCH",
                "somebody else changed the policy meanwhile; read it again",
            ),
            Error::NoSuchChoice { index } => {
                Failure::invalid("NO_SUCH_UNIT", format!("/units/{index}"), detail)
            }
            Error::DispositionForbidden { index, refusal, .. } => {
                Failure::invalid("DISPOSITION_FORBIDDEN", format!("/units/{index}/disposition"), detail)
                    .with("refusal", refusal.as_str())
            }
            Error::ReasonRequired { index, best } => Failure::invalid(
                "REASON_REQUIRED",
                format!("/units/{index}/reason"),
                format!("{best} would bring more; say why not"),
            ),
            Error::OtherCurrency => Failure::invalid(
                "CURRENCY_MISMATCH",
                "/realised",
                "the unit is valued in another currency; say what it brought in that",
            ),
        };
        failure.into()
    }
}

fn claim(error: &ClaimError) -> Failure {
    let detail = error.to_string();
    match error {
        ClaimError::NoSuchLine { .. } | ClaimError::NamedTwice { .. } => {
            Failure::invalid("INVALID_FIELD", "/lines", detail)
        }
        ClaimError::NotSoMany { line, left } => {
            Failure::conflict("NOT_SO_MANY_LEFT", detail).with("line", line).with("left", left)
        }
    }
}

fn not_now(error: &ReturnError) -> Failure {
    let detail = error.to_string();
    match error {
        ReturnError::IllegalMove { from, to } => Failure::conflict(
            "ILLEGAL_TRANSITION",
            format!("{detail}; read the return again to see what can be done with it"),
        )
        .with("from", from.as_str())
        .with("to", to.as_str()),
        ReturnError::NoWayBack(status) => {
            Failure::conflict("NO_WAY_BACK", detail).with("current_status", status.as_str())
        }
        ReturnError::NotOnItsWay(status) => {
            Failure::conflict("NOT_ON_ITS_WAY", detail).with("current_status", status.as_str())
        }
        ReturnError::BookedAlready(way_back) => {
            Failure::conflict("BOOKED_ALREADY", format!("{detail}; wait for it, or cancel the return"))
                .with("way_back", way_back.as_str())
        }
        ReturnError::Ending => Failure::conflict("ENDING", format!("{detail}; read it again in a moment")),
        ReturnError::PayoutUnderWay => {
            Failure::conflict("PAYOUT_UNDER_WAY", format!("{detail}; read the return again in a moment"))
        }
        ReturnError::NotSoMany { line, left } => {
            Failure::conflict("NOT_SO_MANY_LEFT", detail).with("line", line).with("left", left)
        }
        ReturnError::NoSuchLine { .. } => Failure::invalid("INVALID_FIELD", "/lines", detail),
        ReturnError::NoSuchUnit { .. } => Failure::invalid("NO_SUCH_UNIT", "/units", detail),
        ReturnError::InspectedAlready { .. } => {
            Failure::conflict("INSPECTED_ALREADY", format!("{detail}; a dispute has it inspected again"))
        }
        ReturnError::Nothing => Failure::invalid("NOTHING_NAMED", "/lines", detail),
        ReturnError::SamePerson(_) => {
            Failure::new(Kind::Forbidden, "SAME_PERSON", format!("{detail}; ask a colleague"))
        }
        ReturnError::OtherResolution { wanted } => {
            Failure::conflict("OTHER_RESOLUTION", detail).with("resolution", wanted.as_str())
        }
        ReturnError::BuyerErased => Failure::conflict(
            "BUYER_ERASED",
            format!("{detail}; ask for another return, and say in `buyer` whose"),
        ),
        ReturnError::UnitsLeft => Failure::conflict("UNITS_LEFT", detail),
    }
}
