//! Companies: registration, reading, settings.

use axum::extract::State;
use quenty_kernel::{
    Page, Timestamp,
    address::Address,
    contact::{LanguageTag, Text, TimeZoneName},
    country::CountryCode,
    currency::Currency,
    id::{CompanyId, UserId},
    money::Money,
};
use quenty_platform::{
    App, Error, Result,
    http::{Answer, Can, IfMatch, Json, LoggedIn, Path, Query, nullable},
    journal, list_query,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ReadCompanies, UpdateCompanies, wire::Document};
use crate::{
    commands::{self, Registration},
    domain::company::{
        Company, CompanyChanges, CompanyError, CompanyFact, CompanyKind, CompanySize, CompanyStatus, Details,
        KycStatus,
    },
    store,
};

const MAX_CATEGORIES: usize = 10;

/// What a company deals in.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(try_from = "Vec<Text<60>>")]
#[schema(value_type = Vec<Text<60>>, max_items = 10, example = json!(["coffee", "food"]))]
pub(super) struct Categories(Vec<Text<60>>);

impl TryFrom<Vec<Text<60>>> for Categories {
    type Error = String;
    fn try_from(list: Vec<Text<60>>) -> std::result::Result<Self, String> {
        if list.len() > MAX_CATEGORIES {
            Err(format!("at most {MAX_CATEGORIES} categories"))
        } else {
            Ok(Self(list))
        }
    }
}

/// Days until an invoice is due, a year at most.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(try_from = "u16")]
#[schema(value_type = u16, maximum = 365, example = 30)]
pub(super) struct PaymentTerms(u16);

impl TryFrom<u16> for PaymentTerms {
    type Error = &'static str;
    fn try_from(days: u16) -> std::result::Result<Self, &'static str> {
        if days > 365 { Err("at most 365 days") } else { Ok(Self(days)) }
    }
}

/// A new company.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CompanyIn {
    kind: CompanyKind,
    #[schema(example = "Café de los Andes S.A.S.")]
    legal_name: Text<200>,
    /// The name on labels and invoices.
    #[schema(example = "Café Andes")]
    trade_name: Text<120>,
    country: CountryCode,
    /// Needed before a review: a tax document of a business, an identity document of an individual.
    document: Option<Document>,
    /// `small` unless told.
    size: Option<CompanySize>,
    categories: Option<Categories>,
    currency: Currency,
    time_zone: TimeZoneName,
    language: LanguageTag,
    /// Where it ships from unless an order says otherwise.
    origin: Option<Address>,
}

impl From<CompanyIn> for Registration {
    fn from(input: CompanyIn) -> Self {
        Self {
            kind: input.kind,
            country: input.country,
            document: input.document.map(|document| (document.code, document.number)),
            details: Details {
                legal_name: input.legal_name,
                trade_name: input.trade_name,
                identification: None,
                size: input.size.unwrap_or(CompanySize::Small),
                categories: input.categories.map(|Categories(list)| list).unwrap_or_default(),
                currency: input.currency,
                time_zone: input.time_zone,
                language: input.language,
                origin: input.origin,
            },
        }
    }
}

/// What changes; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CompanyPatch {
    /// Fixed once someone judges it; staff may still change it. KYC begins anew.
    legal_name: Option<Text<200>>,
    trade_name: Option<Text<120>>,
    /// Fixed once someone judges it; staff may still change it. KYC begins anew.
    document: Option<Document>,
    size: Option<CompanySize>,
    categories: Option<Categories>,
    currency: Option<Currency>,
    time_zone: Option<TimeZoneName>,
    language: Option<LanguageTag>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Address>)]
    origin: Option<Option<Address>>,
    /// Days; set by staff only.
    payment_terms_days: Option<PaymentTerms>,
    /// In the company's currency; set by staff only.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Money>)]
    credit_limit: Option<Option<Money>>,
}

impl From<CompanyPatch> for CompanyChanges {
    fn from(patch: CompanyPatch) -> Self {
        Self {
            legal_name: patch.legal_name,
            trade_name: patch.trade_name,
            document: patch.document.map(|document| (document.code, document.number)),
            size: patch.size,
            categories: patch.categories.map(|Categories(list)| list),
            currency: patch.currency,
            time_zone: patch.time_zone,
            language: patch.language,
            origin: patch.origin,
            payment_terms_days: patch.payment_terms_days.map(|PaymentTerms(days)| days),
            credit_limit: patch.credit_limit,
        }
    }
}

/// A company.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CompanyOut {
    id: CompanyId,
    kind: CompanyKind,
    legal_name: Text<200>,
    trade_name: Text<120>,
    country: CountryCode,
    document: Option<Document>,
    size: CompanySize,
    categories: Vec<Text<60>>,
    currency: Currency,
    time_zone: TimeZoneName,
    language: LanguageTag,
    origin: Option<Address>,
    payment_terms_days: u16,
    credit_limit: Option<Money>,
    status: CompanyStatus,
    /// Why it was rejected, suspended or closed.
    status_reason: Option<String>,
    /// What it has to bring before a review: `tax_number` or `identity_document`.
    missing: Vec<String>,
    kyc: KycStatus,
    kyc_reason: Option<String>,
    may_order: bool,
    may_ship_internationally: bool,
    registered_by: UserId,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&Company> for CompanyOut {
    fn from(company: &Company) -> Self {
        let state = company.state();
        let (details, standing) = (state.details.clone(), state.standing());
        Self {
            id: state.id,
            kind: state.kind,
            legal_name: details.legal_name,
            trade_name: details.trade_name,
            country: state.country,
            document: details.identification.as_ref().map(Document::from),
            size: details.size,
            categories: details.categories,
            currency: details.currency,
            time_zone: details.time_zone,
            language: details.language,
            origin: details.origin,
            payment_terms_days: state.terms.payment_days,
            credit_limit: state.terms.credit_limit,
            status: state.status,
            status_reason: state.status_reason.clone(),
            missing: state.missing(),
            kyc: state.kyc,
            kyc_reason: state.kyc_reason.clone(),
            may_order: standing.may_order,
            may_ship_internationally: standing.may_ship_internationally,
            registered_by: state.registered_by,
            version: state.version,
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }
}

/// The answer that shows a company.
pub(super) fn shown(company: &Company) -> Result<Answer> {
    Ok(Answer::ok(&CompanyOut::from(company))?.version(company.version()))
}

list_query!(CompanyQuery { status: Option<CompanyStatus>, kyc: Option<KycStatus> });

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AsOf {
    /// As it was at this moment, from the journal.
    #[param(value_type = Option<String>, format = DateTime)]
    as_of: Option<Timestamp>,
}

/// Register a company; who registers it becomes its owner.
#[utoipa::path(post, path = "/api/v1/companies", operation_id = "register_company", tag = "companies",
    request_body = CompanyIn, security(("bearer" = [])),
    responses((status = 201, body = CompanyOut), (status = 403, description = "`NO_SESSION`"),
        (status = 422, description = "`INVALID_BODY`, `COUNTRY_NOT_SUPPORTED`, `UNKNOWN_DOCUMENT_TYPE`, `DOCUMENT_TYPE_DOES_NOT_FIT`, `INVALID_DOCUMENT_NUMBER`")))]
pub(super) async fn register_company(
    State(app): State<App>,
    caller: LoggedIn,
    Json(input): Json<CompanyIn>,
) -> Result<Answer> {
    let user = caller.user()?;
    let mut tx = app.begin(&caller).await?;
    let company = commands::register_company(&mut tx, user, input.into()).await?;
    let location = format!("/api/v1/companies/{}", company.id());
    tx.answer(Answer::created(location, &CompanyOut::from(&company))?.version(company.version())).await
}

/// List companies: staff see all, others their own.
#[utoipa::path(get, path = "/api/v1/companies", operation_id = "list_companies", tag = "companies",
    params(CompanyQuery), security(("bearer" = ["companies:read"])), responses((status = 200, body = Page<CompanyOut>)))]
pub(super) async fn list_companies(
    State(app): State<App>,
    caller: Can<ReadCompanies>,
    Query(query): Query<CompanyQuery>,
) -> Result<Json<Page<CompanyOut>>> {
    let page = query.page();
    let rows = store::companies::list(app.db(), caller.scope()?, query.status, query.kyc, &page).await?;
    Ok(Json(
        Page::from_rows(rows, &page, |company| company.id().uuid()).map(|company| CompanyOut::from(&company)),
    ))
}

/// Read a company, now or as it was at a moment in the past.
#[utoipa::path(get, path = "/api/v1/companies/{id}", operation_id = "get_company", tag = "companies",
    params(("id" = CompanyId, Path), AsOf), security(("bearer" = ["companies:read"])), responses((status = 200, body = CompanyOut)))]
pub(super) async fn get_company(
    State(app): State<App>,
    caller: Can<ReadCompanies>,
    Path(id): Path<CompanyId>,
    Query(AsOf { as_of }): Query<AsOf>,
) -> Result<Answer> {
    let scope = caller.scope()?;
    let company = match as_of {
        None => store::companies::find(app.db(), scope, id).await?,
        Some(_) => {
            let facts = journal::facts::<CompanyFact>(app.db(), scope, &id.to_string(), as_of).await?;
            Company::fold(facts).map_err(Error::internal)?
        }
    };
    let company = company.ok_or(CompanyError::NotFound).map_err(crate::Error::from)?;
    // What was cannot be changed: it has no version.
    if as_of.is_some() { Answer::ok(&CompanyOut::from(&company)) } else { shown(&company) }
}

/// Change a company's settings.
#[utoipa::path(patch, path = "/api/v1/companies/{id}", operation_id = "update_company", tag = "companies",
    params(("id" = CompanyId, Path), ("If-Match" = Option<String>, Header)), request_body = CompanyPatch, security(("bearer" = ["companies:update"])),
    responses((status = 200, body = CompanyOut),
        (status = 403, description = "`NOT_PERMITTED`, `NO_COMPANY`, `TERMS_GIVEN_BY_PLATFORM`, `OWN_COMPANY`"),
        (status = 409, description = "`COMPANY_CLOSED`, `IDENTITY_FIXED`, `DOCUMENT_NUMBER_TAKEN`, `CREDIT_LIMIT_FIXES_CURRENCY`: the platform's staff change both at once"),
        (status = 412, description = "`VERSION_MISMATCH`: someone changed it since you read it"),
        (status = 422, description = "`INVALID_BODY`, `INVALID_CREDIT_LIMIT`, `UNKNOWN_DOCUMENT_TYPE`, `DOCUMENT_TYPE_DOES_NOT_FIT`, `INVALID_DOCUMENT_NUMBER`")))]
pub(super) async fn update_company(
    State(app): State<App>,
    caller: Can<UpdateCompanies>,
    Path(id): Path<CompanyId>,
    seen: IfMatch,
    Json(patch): Json<CompanyPatch>,
) -> Result<Answer> {
    let (scope, user) = (caller.scope()?, caller.user()?);
    let mut tx = app.begin(&caller).await?;
    let company = commands::update_company(&mut tx, scope, user, id, seen, patch.into()).await?;
    tx.answer(shown(&company)?).await
}
