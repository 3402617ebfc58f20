//! Whom companies sell and ship to.

use axum::extract::State;
use quenty_contracts::customer::CustomerAddress;
use quenty_kernel::{
    Page, Timestamp,
    address::Address,
    contact::{Email, LanguageTag, NewEmail, Phone, Text},
    id::{AddressId, CompanyId, CustomerId},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, IfMatch, Json, Path, Query, nullable},
    list_query,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CreateCustomers, ReadCustomers, UpdateCustomers, wire::ForeignDocument};
use crate::{
    commands,
    domain::customer::{
        AddressEntry, Customer, CustomerChanges, CustomerError, CustomerKind, DocumentEntry, NewCustomer,
    },
    store,
};

/// An address of a customer. The first one is the default unless another is marked.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddressIn {
    /// Keeps an address that is there; absent for a new one.
    id: Option<AddressId>,
    address: Address,
    #[serde(default)]
    default_shipping: bool,
    #[serde(default)]
    default_billing: bool,
}

impl From<AddressIn> for AddressEntry {
    fn from(input: AddressIn) -> Self {
        let AddressIn { id, address, default_shipping, default_billing } = input;
        Self { id, address, default_shipping, default_billing }
    }
}

impl From<ForeignDocument> for DocumentEntry {
    fn from(document: ForeignDocument) -> Self {
        let ForeignDocument { country, code, number } = document;
        Self { country, code, number }
    }
}

/// A new customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomerIn {
    kind: CustomerKind,
    #[schema(example = "Ana Gómez")]
    name: Text<120>,
    /// Unique in the company.
    email: Option<NewEmail>,
    phone: Option<Phone>,
    document: Option<ForeignDocument>,
    #[serde(default)]
    #[schema(max_items = 20)]
    addresses: Vec<AddressIn>,
    language: Option<LanguageTag>,
}

impl From<CustomerIn> for NewCustomer {
    fn from(input: CustomerIn) -> Self {
        Self {
            kind: input.kind,
            name: input.name,
            email: input.email.map(Into::into),
            phone: input.phone,
            document: input.document.map(Into::into),
            addresses: input.addresses.into_iter().map(Into::into).collect(),
            language: input.language,
            external_key: None,
        }
    }
}

/// What changes; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomerPatch {
    name: Option<Text<120>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Email>)]
    email: Option<Option<NewEmail>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Phone>)]
    phone: Option<Option<Phone>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<ForeignDocument>)]
    document: Option<Option<ForeignDocument>>,
    /// The whole new list.
    #[schema(max_items = 20)]
    addresses: Option<Vec<AddressIn>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<LanguageTag>)]
    language: Option<Option<LanguageTag>>,
    /// Whether the company sells to them no more.
    blocked: Option<bool>,
}

impl From<CustomerPatch> for CustomerChanges {
    fn from(patch: CustomerPatch) -> Self {
        Self {
            name: patch.name,
            email: patch.email.map(|email| email.map(Into::into)),
            phone: patch.phone,
            document: patch.document.map(|document| document.map(Into::into)),
            addresses: patch.addresses.map(|list| list.into_iter().map(Into::into).collect()),
            language: patch.language,
            blocked: patch.blocked,
        }
    }
}

/// A customer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CustomerOut {
    id: CustomerId,
    company_id: CompanyId,
    kind: CustomerKind,
    name: Text<120>,
    email: Option<Email>,
    phone: Option<Phone>,
    document: Option<ForeignDocument>,
    addresses: Vec<CustomerAddress>,
    language: Option<LanguageTag>,
    blocked: bool,
    /// Its id in the system that an import came from.
    external_key: Option<String>,
    /// Since when all that was held about them is gone.
    erased_at: Option<Timestamp>,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&Customer> for CustomerOut {
    fn from(customer: &Customer) -> Self {
        let state = customer.state().clone();
        Self {
            id: state.id,
            company_id: state.company_id,
            kind: state.kind,
            name: state.name,
            email: state.email,
            phone: state.phone,
            document: state.identification.as_ref().map(ForeignDocument::from),
            addresses: state.addresses,
            language: state.language,
            blocked: state.blocked,
            external_key: state.external_key,
            erased_at: state.erased_at,
            version: state.version,
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }
}

fn shown(customer: &Customer) -> Result<Answer> {
    Ok(Answer::ok(&CustomerOut::from(customer))?.version(customer.version()))
}

list_query!(CustomerQuery {
    /// How the name or the e-mail address begins, in any case.
    #[param(value_type = Option<String>, example = "ana")]
    q: Option<Text<120>>,
    blocked: Option<bool>,
});

/// List customers.
#[utoipa::path(get, path = "/api/v1/customers", operation_id = "list_customers", tag = "customers",
    params(CustomerQuery), security(("bearer" = ["customers:read"])), responses((status = 200, body = Page<CustomerOut>)))]
pub(super) async fn list_customers(
    State(app): State<App>,
    caller: Can<ReadCustomers>,
    Query(query): Query<CustomerQuery>,
) -> Result<Json<Page<CustomerOut>>> {
    let page = query.page();
    let filter = store::customers::Filter { q: query.q.as_ref().map(Text::as_str), blocked: query.blocked };
    let rows = store::customers::list(app.db(), caller.scope()?, filter, &page).await?;
    Ok(Json(
        Page::from_rows(rows, &page, |customer| customer.id().uuid())
            .map(|customer| CustomerOut::from(&customer)),
    ))
}

/// Create a customer of one's own company.
#[utoipa::path(post, path = "/api/v1/customers", operation_id = "create_customer", tag = "customers",
    request_body = CustomerIn, security(("bearer" = ["customers:create"])),
    responses((status = 201, body = CustomerOut), (status = 409, description = "`CUSTOMER_EMAIL_TAKEN`: `customer_id` says by whom"),
        (status = 422, description = "`INVALID_BODY`, `INVALID_DOCUMENT_NUMBER`, `TWO_DEFAULT_ADDRESSES`, `TOO_MANY_ADDRESSES` …")))]
pub(super) async fn create_customer(
    State(app): State<App>,
    caller: Can<CreateCustomers>,
    Json(input): Json<CustomerIn>,
) -> Result<Answer> {
    let company = caller.company()?;
    let mut tx = app.begin(&caller).await?;
    let customer = commands::create_customer(&mut tx, company, input.into()).await?;
    let location = format!("/api/v1/customers/{}", customer.id());
    tx.answer(Answer::created(location, &CustomerOut::from(&customer))?.version(customer.version())).await
}

/// Read a customer.
#[utoipa::path(get, path = "/api/v1/customers/{id}", operation_id = "get_customer", tag = "customers",
    params(("id" = CustomerId, Path)), security(("bearer" = ["customers:read"])), responses((status = 200, body = CustomerOut)))]
pub(super) async fn get_customer(
    State(app): State<App>,
    caller: Can<ReadCustomers>,
    Path(id): Path<CustomerId>,
) -> Result<Answer> {
    let customer = store::customers::find(app.db(), caller.scope()?, id).await?;
    shown(&customer.ok_or(CustomerError::NotFound).map_err(crate::Error::from)?)
}

/// Change a customer.
#[utoipa::path(patch, path = "/api/v1/customers/{id}", operation_id = "update_customer", tag = "customers",
    params(("id" = CustomerId, Path), ("If-Match" = Option<String>, Header)), request_body = CustomerPatch, security(("bearer" = ["customers:update"])),
    responses((status = 200, body = CustomerOut), (status = 409, description = "`CUSTOMER_EMAIL_TAKEN`: `customer_id` says by whom; `CUSTOMER_ERASED`"),
        (status = 412, description = "`VERSION_MISMATCH`: someone changed it since you read it")))]
pub(super) async fn update_customer(
    State(app): State<App>,
    caller: Can<UpdateCustomers>,
    Path(id): Path<CustomerId>,
    seen: IfMatch,
    Json(patch): Json<CustomerPatch>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let customer = commands::update_customer(&mut tx, caller.scope()?, id, seen, patch.into()).await?;
    tx.answer(shown(&customer)?).await
}
