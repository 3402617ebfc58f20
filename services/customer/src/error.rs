//! The one error of the service, and the one table that tells callers what to do about it.

use quenty_kernel::{Failure, Kind};

use crate::domain::{
    company::CompanyError, customer::CustomerError, identification::IdentificationError, member::MemberError,
    privacy_request::PrivacyError, profile::ProfileError,
};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Platform(#[from] quenty_platform::Error),
    #[error(transparent)]
    Company(#[from] CompanyError),
    #[error(transparent)]
    Member(#[from] MemberError),
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    Customer(#[from] CustomerError),
    #[error(transparent)]
    Privacy(#[from] PrivacyError),
}

quenty_platform::platform_errors!(Error: Failure);

impl From<Error> for quenty_platform::Error {
    fn from(error: Error) -> Self {
        let failure = match error {
            Error::Platform(error) => return error,
            // Facts that this version cannot read: nothing that a caller could mend.
            Error::Company(CompanyError::Unreadable(why))
            | Error::Member(MemberError::Unreadable(why))
            | Error::Customer(CustomerError::Unreadable(why)) => {
                return Self::internal(why);
            }
            Error::Company(error) => company(&error),
            Error::Member(error) => member(&error),
            Error::Profile(error) => profile(&error),
            Error::Customer(error) => customer(&error),
            Error::Privacy(error) => privacy(&error),
        };
        failure.into()
    }
}

fn company(error: &CompanyError) -> Failure {
    match error {
        CompanyError::NotFound | CompanyError::Unreadable(_) => Failure::not_found("company"),
        CompanyError::Illegal { from, to } => Failure::conflict(
            "COMPANY_STATE",
            format!("the company is {from} and cannot become {to} from there; read it again, someone may have moved it"),
        )
        .with("current_status", from),
        CompanyError::IllegalKyc { from, to } => {
            Failure::conflict("KYC_STATE", format!("the company's KYC is {from} and cannot become {to} from there; read the company again"))
                .with("kyc", from)
        }
        CompanyError::Closed => Failure::conflict("COMPANY_CLOSED", "the company is closed and does not change any more; register another one"),
        CompanyError::OwnCompany => Failure::new(
            Kind::Forbidden,
            "OWN_COMPANY",
            "nobody decides over a company that they registered or are a member of; ask a colleague",
        ),
        CompanyError::Missing { missing } => {
            Failure::conflict("DOCUMENTS_MISSING", "`missing` names what the company has to bring first").with("missing", missing)
        }
        CompanyError::IdentityFixed => Failure::conflict(
            "IDENTITY_FIXED",
            "legal name and document stay as they are once they are being judged; ask the platform's staff to change them",
        ),
        CompanyError::TermsGivenByPlatform => {
            Failure::new(Kind::Forbidden, "TERMS_GIVEN_BY_PLATFORM", "payment terms and credit limit are set by the platform's staff only")
        }
        CompanyError::CreditLimit => {
            Failure::invalid("INVALID_CREDIT_LIMIT", "/credit_limit", "a credit limit is not negative and in the company's currency")
        }
        CompanyError::CreditLimitFixesCurrency(currency) => Failure::conflict(
            "CREDIT_LIMIT_FIXES_CURRENCY",
            format!("the platform gave a credit limit in {}; ask its staff to change limit and currency together", currency.code()),
        ),
        CompanyError::DocumentTaken => Failure::conflict(
            "DOCUMENT_NUMBER_TAKEN",
            "a company with this document is in review or was approved; ask its owner for an invitation, or the platform's staff if it is not theirs",
        ),
        CompanyError::CountryNotSupported(country) => Failure::invalid(
            "COUNTRY_NOT_SUPPORTED",
            "/country",
            format!("no document of {country} identifies a business yet; GET /api/v1/document-types lists those there are"),
        ),
        CompanyError::Identification(error) => identification(error),
    }
}

fn identification(error: &IdentificationError) -> Failure {
    match error {
        IdentificationError::UnknownType { .. } => Failure::invalid(
            "UNKNOWN_DOCUMENT_TYPE",
            "/document/type",
            format!("{error}; GET /api/v1/document-types lists those there are"),
        ),
        IdentificationError::WrongHolder { .. } => {
            Failure::invalid("DOCUMENT_TYPE_DOES_NOT_FIT", "/document/type", error.to_string())
        }
        IdentificationError::Number(error) => {
            Failure::invalid("INVALID_DOCUMENT_NUMBER", "/document/number", error.to_string())
        }
    }
}

fn member(error: &MemberError) -> Failure {
    match error {
        MemberError::NotFound | MemberError::Unreadable(_) => Failure::not_found("member"),
        MemberError::Illegal { from, to } => Failure::conflict(
            "MEMBER_STATE",
            format!("the member is {from} and cannot become {to} from there; read the members again"),
        )
        .with("current_status", from),
        MemberError::NotActive(status) => Failure::conflict(
            "MEMBER_STATE",
            format!("the member is {status}: a role is changed once they have joined; take the invitation back to invite them as something else"),
        )
        .with("current_status", status),
        MemberError::LastOwner => Failure::conflict(
            "LAST_OWNER",
            "a company always keeps one owner who can log in; make another member an owner first",
        ),
        MemberError::AlreadyThere(id) => Failure::conflict(
            "ALREADY_A_MEMBER",
            "the person is in the company or invited; `member_id` says as whom",
        )
        .with("member_id", id),
    }
}

fn profile(error: &ProfileError) -> Failure {
    match error {
        ProfileError::NotFound => Failure::not_found("user"),
        ProfileError::NotKnownYet => Failure::new(
            Kind::Unavailable,
            "PROFILE_NOT_KNOWN_YET",
            "the user's registration is still on its way here; try again",
        )
        .retry_after(1),
        ProfileError::Deactivated => {
            Failure::conflict("USER_DEACTIVATED", "the user is deactivated; reactivate them first")
        }
        ProfileError::IsStaff => Failure::conflict(
            "USER_IS_STAFF",
            "the user has roles in the platform; suspend them with POST /api/v1/admin/users/{id}/suspend",
        ),
    }
}

fn privacy(error: &PrivacyError) -> Failure {
    match error {
        PrivacyError::NotFound => Failure::not_found("privacy request"),
        PrivacyError::UnderWay(id) => {
            let failure = Failure::conflict(
                "PRIVACY_REQUEST_UNDER_WAY",
                "this was asked for already; `privacy_request_id` says how far it has come",
            );
            id.map_or(failure.clone(), |id| failure.with("privacy_request_id", id))
        }
    }
}

fn customer(error: &CustomerError) -> Failure {
    match error {
        CustomerError::NotFound | CustomerError::Unreadable(_) => Failure::not_found("customer"),
        CustomerError::Erased => {
            Failure::conflict("CUSTOMER_ERASED", "the customer was erased; create another one")
        }
        CustomerError::EmailTaken(id) => {
            let failure = Failure::conflict(
                "CUSTOMER_EMAIL_TAKEN",
                "another customer of the company has this e-mail address; change that one",
            );
            id.map_or(failure.clone(), |id| failure.with("customer_id", id))
        }
        CustomerError::TooManyAddresses => {
            Failure::invalid("TOO_MANY_ADDRESSES", "/addresses", error.to_string())
        }
        CustomerError::UnknownAddress { index } => Failure::invalid(
            "UNKNOWN_ADDRESS",
            format!("/addresses/{index}/id"),
            "the id is not of one of the customer's addresses; leave it out for a new one",
        ),
        CustomerError::TwoDefaults(which) => Failure::invalid(
            "TWO_DEFAULT_ADDRESSES",
            "/addresses",
            format!("only one address can be {which}"),
        ),
        CustomerError::NotIdentifiable => Failure::invalid(
            "CUSTOMER_NOT_IDENTIFIABLE",
            "/external_key",
            "send an e-mail address or an external key, so that a repeat finds the customer",
        ),
        CustomerError::Identification(error) => identification(error),
    }
}
