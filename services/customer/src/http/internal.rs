//! What the other services ask. Never routed by the gateway.

use axum::extract::State;
use quenty_contracts::customer::{Membership, Standing};
use quenty_kernel::{
    Scope,
    address::Address,
    contact::{Email, Phone, Text},
    id::{CompanyId, CustomerId, UserId},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, Json, Path},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CheckCustomers, ReadMemberships, ReadStandings, UpsertCustomers, wire::sibling};
use crate::{
    commands,
    domain::{
        company::CompanyError,
        customer::{AddressEntry, CustomerError, CustomerKind, NewCustomer},
    },
    store,
};

/// A customer as an import knows them: by an external key, an e-mail address, or both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportedCustomer {
    company_id: CompanyId,
    name: Text<120>,
    email: Option<Email>,
    phone: Option<Phone>,
    address: Option<Address>,
    /// The customer's id in the system that the import came from.
    external_key: Option<Text<200>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CustomerRef {
    customer_id: CustomerId,
}

/// What a company may do now.
#[utoipa::path(get, path = "/internal/companies/{id}/standing", operation_id = "get_standing", tag = "internal",
    params(("id" = CompanyId, Path)), security(("bearer" = ["internal.companies:read"])), responses((status = 200, body = Standing)))]
pub(super) async fn get_standing(
    State(app): State<App>,
    caller: Can<ReadStandings>,
    Path(id): Path<CompanyId>,
) -> Result<Json<Standing>> {
    sibling(&caller)?;
    let company = store::companies::find(app.db(), Scope::All, id).await?;
    Ok(Json(company.ok_or(CompanyError::NotFound).map_err(crate::Error::from)?.state().standing()))
}

/// In which companies a user is; none for a user that nobody has heard of.
#[utoipa::path(get, path = "/internal/users/{id}/memberships", operation_id = "list_memberships", tag = "internal",
    params(("id" = UserId, Path)), security(("bearer" = ["internal.memberships:read"])), responses((status = 200, body = Vec<Membership>)))]
pub(super) async fn list_memberships(
    State(app): State<App>,
    caller: Can<ReadMemberships>,
    Path(id): Path<UserId>,
) -> Result<Json<Vec<Membership>>> {
    sibling(&caller)?;
    Ok(Json(store::members::memberships(app.db(), id).await?))
}

/// Whether a company has this customer: 404 for one that is another's, or erased.
#[utoipa::path(get, path = "/internal/companies/{company_id}/customers/{id}", operation_id = "check_customer", tag = "internal",
    params(("company_id" = CompanyId, Path), ("id" = CustomerId, Path)), security(("bearer" = ["internal.customers:read"])),
    responses((status = 200, body = CustomerRef)))]
pub(super) async fn check_customer(
    State(app): State<App>,
    caller: Can<CheckCustomers>,
    Path((company, id)): Path<(CompanyId, CustomerId)>,
) -> Result<Json<CustomerRef>> {
    sibling(&caller)?;
    let customer = store::customers::find(app.db(), Scope::Company(company), id).await?;
    match customer.filter(|of| !of.is_erased()) {
        Some(of) => Ok(Json(CustomerRef { customer_id: of.id() })),
        None => Err(crate::Error::from(CustomerError::NotFound).into()),
    }
}

/// Find a company's customer, or make them; a repeat gives the same one.
#[utoipa::path(post, path = "/internal/customers/upsert", operation_id = "upsert_customer", tag = "internal",
    request_body = ImportedCustomer, security(("bearer" = ["internal.customers:write"])),
    responses((status = 200, body = CustomerRef), (status = 422, description = "`INVALID_BODY`, `CUSTOMER_NOT_IDENTIFIABLE`")))]
pub(super) async fn upsert_customer(
    State(app): State<App>,
    caller: Can<UpsertCustomers>,
    Json(input): Json<ImportedCustomer>,
) -> Result<Answer> {
    sibling(&caller)?;
    let ImportedCustomer { company_id, name, email, phone, address, external_key } = input;
    let entry = |address| AddressEntry { id: None, address, default_shipping: false, default_billing: false };
    let new = NewCustomer {
        kind: CustomerKind::Individual,
        name,
        email,
        phone,
        document: None,
        addresses: address.into_iter().map(entry).collect(),
        language: None,
        external_key,
    };
    let mut tx = app.begin(&caller).await?;
    let customer_id = commands::upsert_customer(&mut tx, company_id, new).await?;
    tx.answer(Answer::ok(&CustomerRef { customer_id })?).await
}
