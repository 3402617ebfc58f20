//! What Customer tells: companies and their standing, members, the customers they sell to.

use quenty_kernel::{
    Event,
    address::Address,
    contact::{Email, LanguageTag, PersonName, Phone, Text, TimeZoneName},
    country::CountryCode,
    currency::Currency,
    id::{AddressId, CompanyId, CustomerId, MemberId, OrderId, PrivacyRequestId, ReturnId, UserId},
    money::Money,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::events;

/// What a company may do now: the answer of `GET /internal/companies/{id}/standing`, and a part of every
/// event that changes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Standing {
    pub company_id: CompanyId,
    /// Raised with every change: a consumer keeps the highest one.
    pub version: i64,
    /// `registered`, `documents_pending`, `in_review`, `active`, `rejected`, `suspended`, `closed`.
    pub status: String,
    pub may_order: bool,
    pub may_ship_internationally: bool,
    pub currency: Currency,
    pub time_zone: String,
    pub payment_terms_days: u16,
    pub credit_limit: Option<Money>,
    /// The merchant's name on labels and invoices.
    pub trade_name: String,
}

/// One membership: the answer of `GET /internal/users/{id}/memberships`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Membership {
    pub member_id: MemberId,
    pub company_id: CompanyId,
    pub user_id: UserId,
    /// `owner`, `manager`, `operator`, `warehouse`, `finance`, `viewer`.
    pub role: String,
}

events! {
    "quenty.customer.company.registered.v1" CompanyRegistered personal["legal_name", "document_number", "origin"] {
        company_id: CompanyId,
        /// `business` or `individual`.
        kind: String,
        legal_name: Text<200>,
        trade_name: Text<120>,
        country: CountryCode,
        /// Absent until the company names one.
        document_type: Option<String>,
        document_number: Option<String>,
        size: String,
        categories: Vec<Text<60>>,
        currency: Currency,
        time_zone: TimeZoneName,
        language: LanguageTag,
        origin: Option<Address>,
        registered_by: UserId,
        standing: Standing,
    }
    "quenty.customer.company.updated.v1" CompanyUpdated personal["legal_name", "document_number", "origin"] {
        company_id: CompanyId,
        legal_name: Text<200>,
        trade_name: Text<120>,
        document_type: Option<String>,
        document_number: Option<String>,
        size: String,
        categories: Vec<Text<60>>,
        currency: Currency,
        time_zone: TimeZoneName,
        language: LanguageTag,
        origin: Option<Address>,
        payment_terms_days: u16,
        credit_limit: Option<Money>,
        standing: Standing,
    }
    /// The company asked to be approved; `missing` names what keeps it in `documents_pending`.
    "quenty.customer.company.submitted.v1" CompanySubmitted {
        company_id: CompanyId,
        missing: Vec<String>,
        standing: Standing,
    }
    "quenty.customer.company.approved.v1" CompanyApproved {
        company_id: CompanyId,
        standing: Standing,
    }
    "quenty.customer.company.rejected.v1" CompanyRejected {
        company_id: CompanyId,
        reason: String,
        standing: Standing,
    }
    "quenty.customer.company.suspended.v1" CompanySuspended {
        company_id: CompanyId,
        reason: String,
        standing: Standing,
    }
    "quenty.customer.company.reactivated.v1" CompanyReactivated {
        company_id: CompanyId,
        standing: Standing,
    }
    "quenty.customer.company.closed.v1" CompanyClosed {
        company_id: CompanyId,
        reason: String,
        standing: Standing,
    }
    "quenty.customer.kyc.submitted.v1" KycSubmitted {
        company_id: CompanyId,
        standing: Standing,
    }
    "quenty.customer.kyc.verified.v1" KycVerified {
        company_id: CompanyId,
        standing: Standing,
    }
    "quenty.customer.kyc.rejected.v1" KycRejected {
        company_id: CompanyId,
        reason: String,
        standing: Standing,
    }
    /// The stream is the member; Auth keeps a projection of these for its tokens.
    "quenty.customer.member.added.v1" MemberAdded {
        member_id: MemberId,
        company_id: CompanyId,
        user_id: UserId,
        role: String,
    }
    "quenty.customer.member.role_changed.v1" MemberRoleChanged {
        member_id: MemberId,
        company_id: CompanyId,
        user_id: UserId,
        role: String,
    }
    "quenty.customer.member.removed.v1" MemberRemoved {
        member_id: MemberId,
        company_id: CompanyId,
        user_id: UserId,
    }
    /// Somebody asked a person to join: staff (`roles`) or a company (`company_id`). Auth mails the link; the
    /// stream is the new user's id, which Auth takes over, so that secrets never travel in events.
    "quenty.customer.user.invited.v1" UserInvited personal["email", "given_name", "family_name"] {
        user_id: UserId,
        email: Email,
        given_name: String,
        family_name: String,
        language: String,
        roles: Vec<String>,
        company_id: Option<CompanyId>,
    }
    "quenty.customer.user.created.v1" ProfileCreated personal["email", "given_name", "family_name"] {
        user_id: UserId,
        email: Email,
        given_name: PersonName,
        family_name: PersonName,
        language: LanguageTag,
    }
    "quenty.customer.user.updated.v1" ProfileUpdated personal["given_name", "family_name", "phone"] {
        user_id: UserId,
        given_name: PersonName,
        family_name: PersonName,
        phone: Option<Phone>,
        language: LanguageTag,
    }
    "quenty.customer.user.deactivated.v1" UserDeactivated {
        user_id: UserId,
        reason: String,
    }
    /// Whom a company sells and ships to.
    "quenty.customer.customer.created.v1" CustomerCreated personal["name", "email", "phone", "addresses", "document_number"] {
        customer_id: CustomerId,
        company_id: CompanyId,
        /// `individual` or `business`.
        kind: String,
        name: Text<120>,
        email: Option<Email>,
        phone: Option<Phone>,
        /// Who issued the document.
        document_country: Option<CountryCode>,
        document_type: Option<String>,
        document_number: Option<String>,
        addresses: Vec<CustomerAddress>,
        language: Option<LanguageTag>,
        blocked: bool,
        /// Its id in the system that an import came from.
        external_key: Option<String>,
    }
    "quenty.customer.customer.updated.v1" CustomerUpdated personal["name", "email", "phone", "addresses", "document_number"] {
        customer_id: CustomerId,
        company_id: CompanyId,
        name: Text<120>,
        email: Option<Email>,
        phone: Option<Phone>,
        /// Who issued the document.
        document_country: Option<CountryCode>,
        document_type: Option<String>,
        document_number: Option<String>,
        addresses: Vec<CustomerAddress>,
        language: Option<LanguageTag>,
        blocked: bool,
    }
    /// Somebody asks that a customer is erased: Order and Returns look what they hold, and what has not ended yet.
    "quenty.customer.privacy.requested.v1" PrivacyRequested {
        request_id: PrivacyRequestId,
        company_id: CompanyId,
        customer_id: CustomerId,
        /// `erase`.
        kind: String,
    }
    /// Nothing of the person is under way: everybody erases what they hold. Asked again when something began meanwhile.
    "quenty.customer.privacy.erasure_requested.v1" ErasureRequested {
        request_id: PrivacyRequestId,
        company_id: CompanyId,
        customer_id: CustomerId,
        /// How often it was asked, from 1; 0 from a version that did not count. Who has erased says it again.
        #[serde(default)]
        round: u32,
        /// What Order and Returns hold of the person: others know no customers.
        order_ids: Vec<OrderId>,
        return_ids: Vec<ReturnId>,
    }
    /// Every service has erased what it held.
    "quenty.customer.privacy.completed.v1" PrivacyCompleted {
        request_id: PrivacyRequestId,
        company_id: CompanyId,
        customer_id: CustomerId,
    }
}

/// An event that carries a company's standing.
pub trait TellsStanding: Event {
    fn standing(&self) -> &Standing;
}

/// Hands every event that carries a company's standing to the macro of this name.
#[macro_export]
macro_rules! standing_events {
    ($to:ident) => {
        $to! {
            $crate::customer::CompanyRegistered,
            $crate::customer::CompanyUpdated,
            $crate::customer::CompanySubmitted,
            $crate::customer::CompanyApproved,
            $crate::customer::CompanyRejected,
            $crate::customer::CompanySuspended,
            $crate::customer::CompanyReactivated,
            $crate::customer::CompanyClosed,
            $crate::customer::KycSubmitted,
            $crate::customer::KycVerified,
            $crate::customer::KycRejected
        }
    };
}

macro_rules! tells_standing {
    ($($event:ty),+) => {$(
        impl TellsStanding for $event {
            fn standing(&self) -> &Standing {
                &self.standing
            }
        }
    )+};
}
standing_events!(tells_standing);

/// One address of a customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CustomerAddress {
    pub id: AddressId,
    pub address: Address,
    pub default_shipping: bool,
    pub default_billing: bool,
}
