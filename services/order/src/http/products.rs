//! `/products`: what a merchant sells.

use axum::extract::State;
use jiff::tz::TimeZone;
use quenty_kernel::{
    Page, PageQuery, Scope, Timestamp,
    contact::Text,
    country::CountryCode,
    id::{CompanyId, ProductId},
    measure::{Dimensions, Grams},
    money::Money,
    page::{Cursor, Limit},
};
use quenty_platform::{
    App, Result,
    http::{Answer, Can, IfMatch, Json, Path, Query, nullable},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    ArchiveProducts, CreateProducts, ReadProducts, UpdateProducts,
    wire::{Paging, Pieces, Threshold},
};
use crate::{
    Error, commands,
    domain::product::{HsCode, Product, ProductChanges, ProductDetails, ProductError, ProductStatus, Sku},
    store,
    store::products::{LowStock, ProductFilter},
};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateProductIn {
    /// The merchant's own name of it, unique in the company without regard to case.
    #[schema(example = "CAM-BLA-M")]
    sku: Sku,
    #[schema(example = "Camiseta blanca M")]
    name: Text<200>,
    description: Option<Text<2000>>,
    category: Option<Text<100>>,
    price: Money,
    /// What one piece costs the merchant.
    cost: Option<Money>,
    weight_grams: Grams,
    /// Of one packed piece.
    dimensions: Option<Dimensions>,
    #[schema(value_type = Option<String>, example = "6109.10")]
    hs_code: Option<HsCode>,
    country_of_origin: Option<CountryCode>,
    /// Stock is low at this many available pieces; none: never.
    reorder_point: Option<Threshold>,
    reorder_quantity: Option<Pieces>,
    lead_time_days: Option<u16>,
}

impl CreateProductIn {
    fn into_parts(self) -> (Sku, ProductDetails) {
        let details = ProductDetails {
            name: self.name,
            description: self.description,
            category: self.category,
            price: self.price,
            cost: self.cost,
            weight_grams: self.weight_grams,
            dimensions: self.dimensions,
            hs_code: self.hs_code,
            country_of_origin: self.country_of_origin,
            reorder_point: self.reorder_point.map(u32::from),
            reorder_quantity: self.reorder_quantity.map(u32::from),
            lead_time_days: self.lead_time_days,
            estimated: false,
        };
        (self.sku, details)
    }
}

/// What is absent stays as it is; `null` empties a field that may be empty.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateProductIn {
    name: Option<Text<200>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Text<2000>>)]
    description: Option<Option<Text<2000>>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Text<100>>)]
    category: Option<Option<Text<100>>>,
    price: Option<Money>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Money>)]
    cost: Option<Option<Money>>,
    /// Stating it ends `estimated`.
    weight_grams: Option<Grams>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Dimensions>)]
    dimensions: Option<Option<Dimensions>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    hs_code: Option<Option<HsCode>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<CountryCode>)]
    country_of_origin: Option<Option<CountryCode>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Threshold>)]
    reorder_point: Option<Option<Threshold>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Pieces>)]
    reorder_quantity: Option<Option<Pieces>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<u16>)]
    lead_time_days: Option<Option<u16>>,
}

impl From<UpdateProductIn> for ProductChanges {
    fn from(input: UpdateProductIn) -> Self {
        Self {
            name: input.name,
            description: input.description,
            category: input.category,
            price: input.price,
            cost: input.cost,
            weight_grams: input.weight_grams,
            dimensions: input.dimensions,
            hs_code: input.hs_code,
            country_of_origin: input.country_of_origin,
            reorder_point: input.reorder_point.map(|pieces| pieces.map(u32::from)),
            reorder_quantity: input.reorder_quantity.map(|pieces| pieces.map(u32::from)),
            lead_time_days: input.lead_time_days,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProductOut {
    id: ProductId,
    company_id: CompanyId,
    sku: Sku,
    name: Text<200>,
    description: Option<Text<2000>>,
    category: Option<Text<100>>,
    price: Money,
    cost: Option<Money>,
    weight_grams: Grams,
    dimensions: Option<Dimensions>,
    hs_code: Option<String>,
    country_of_origin: Option<CountryCode>,
    reorder_point: Option<u32>,
    reorder_quantity: Option<u32>,
    lead_time_days: Option<u16>,
    /// Made by an import from an unknown SKU; weight and size are assumptions.
    estimated: bool,
    /// `active` or `archived`.
    #[schema(example = "active")]
    status: &'static str,
    /// Whether the alarm of low stock is on.
    low_stock: bool,
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<&Product> for ProductOut {
    fn from(product: &Product) -> Self {
        let (state, details) = (product.state().clone(), product.details().clone());
        Self {
            id: state.id,
            company_id: state.company_id,
            sku: state.sku,
            name: details.name,
            description: details.description,
            category: details.category,
            price: details.price,
            cost: details.cost,
            weight_grams: details.weight_grams,
            dimensions: details.dimensions,
            hs_code: details.hs_code.map(|code| code.as_str().to_owned()),
            country_of_origin: details.country_of_origin,
            reorder_point: details.reorder_point,
            reorder_quantity: details.reorder_quantity,
            lead_time_days: details.lead_time_days,
            estimated: details.estimated,
            status: state.status.as_str(),
            low_stock: state.low_stock,
            version: state.version,
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }
}

/// A product whose alarm is on, and what there is of it over all warehouses.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LowStockOut {
    product_id: ProductId,
    sku: Sku,
    name: Text<200>,
    available: i64,
    reorder_point: Option<u32>,
    reorder_quantity: Option<u32>,
    lead_time_days: Option<u16>,
}

impl From<LowStock> for LowStockOut {
    fn from(LowStock { product, available }: LowStock) -> Self {
        let details = product.details();
        Self {
            product_id: product.id(),
            sku: product.sku().clone(),
            name: details.name.clone(),
            available,
            reorder_point: details.reorder_point,
            reorder_quantity: details.reorder_quantity,
            lead_time_days: details.lead_time_days,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ProductQuery {
    /// Exactly this SKU, in any case.
    sku: Option<String>,
    category: Option<String>,
    /// `active` or `archived`; both unless told.
    #[param(value_type = Option<String>)]
    status: Option<ProductStatus>,
    /// Items a page, 1 to 100.
    #[serde(default)]
    #[param(inline, required = false)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Add a product to the catalogue.
#[utoipa::path(post, path = "/api/v1/products", operation_id = "create_product", tag = "products", request_body = CreateProductIn,
    security(("bearer" = ["products:create"])),
    responses((status = 201, body = ProductOut), (status = 409, description = "`SKU_TAKEN`")))]
pub(super) async fn create_product(
    State(app): State<App>,
    caller: Can<CreateProducts>,
    Json(input): Json<CreateProductIn>,
) -> Result<Answer> {
    let (sku, details) = input.into_parts();
    let mut tx = app.begin(&caller).await?;
    let product = commands::create_product(&mut tx, caller.company()?, sku, details).await?;
    let answer = Answer::created(format!("/api/v1/products/{}", product.id()), &ProductOut::from(&product))?;
    tx.answer(answer.version(product.version())).await
}

/// List the products, newest first.
#[utoipa::path(get, path = "/api/v1/products", operation_id = "list_products", tag = "products", params(ProductQuery),
    security(("bearer" = ["products:read"])), responses((status = 200, body = Page<ProductOut>)))]
pub(super) async fn list_products(
    State(app): State<App>,
    caller: Can<ReadProducts>,
    Query(query): Query<ProductQuery>,
) -> Result<Json<Page<ProductOut>>> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let filter = ProductFilter {
        sku: query.sku,
        category: query.category,
        status: query.status.map(ProductStatus::as_str),
    };
    let rows = store::products::list(app.lists().await, caller.scope()?, &filter, &page).await?;
    Ok(Json(
        Page::from_rows(rows, &page, |product| product.id().uuid()).map(|product| ProductOut::from(&product)),
    ))
}

/// List the products whose stock is low.
#[utoipa::path(get, path = "/api/v1/products/low-stock", operation_id = "list_low_stock", tag = "products", params(Paging),
    security(("bearer" = ["products:read"])), responses((status = 200, body = Page<LowStockOut>)))]
pub(super) async fn list_low_stock(
    State(app): State<App>,
    caller: Can<ReadProducts>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<LowStockOut>>> {
    let page = paging.into();
    let mut db = app.lists().await.acquire().await?;
    let (scope, now) = (caller.scope()?, app.clock().now());
    let today = match scope {
        Scope::Company(company) => commands::today_of(&mut db, company, now).await?,
        Scope::All => now.to_zoned(TimeZone::UTC).date(),
    };
    let rows = store::products::list_low_stock(&mut db, scope, today, &page).await?;
    Ok(Json(Page::from_rows(rows, &page, |low| low.product.id().uuid()).map(LowStockOut::from)))
}

/// Read a product.
#[utoipa::path(get, path = "/api/v1/products/{id}", operation_id = "get_product", tag = "products", params(("id" = ProductId, Path)),
    security(("bearer" = ["products:read"])), responses((status = 200, body = ProductOut)))]
pub(super) async fn get_product(
    State(app): State<App>,
    caller: Can<ReadProducts>,
    Path(id): Path<ProductId>,
) -> Result<Answer> {
    let product = store::products::find(app.db(), caller.scope()?, id)
        .await?
        .ok_or(Error::Product(ProductError::NotFound))?;
    Ok(Answer::ok(&ProductOut::from(&product))?.version(product.version()))
}

/// Change a product; its SKU stays.
#[utoipa::path(patch, path = "/api/v1/products/{id}", operation_id = "update_product", tag = "products",
    params(("id" = ProductId, Path), ("If-Match" = Option<String>, Header)),
    request_body = UpdateProductIn, security(("bearer" = ["products:update"])),
    responses((status = 200, body = ProductOut), (status = 409, description = "`PRODUCT_ARCHIVED`"), (status = 412, description = "`VERSION_MISMATCH`")))]
pub(super) async fn update_product(
    State(app): State<App>,
    caller: Can<UpdateProducts>,
    Path(id): Path<ProductId>,
    seen: IfMatch,
    Json(input): Json<UpdateProductIn>,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    let product = commands::update_product(&mut tx, caller.scope()?, id, seen, input.into()).await?;
    tx.answer(Answer::ok(&ProductOut::from(&product))?.version(product.version())).await
}

/// Take a product off sale; its stock, its orders and its SKU stay.
#[utoipa::path(delete, path = "/api/v1/products/{id}", operation_id = "archive_product", tag = "products",
    params(("id" = ProductId, Path), ("If-Match" = Option<String>, Header)),
    security(("bearer" = ["products:archive"])), responses((status = 204), (status = 412, description = "`VERSION_MISMATCH`")))]
pub(super) async fn archive_product(
    State(app): State<App>,
    caller: Can<ArchiveProducts>,
    Path(id): Path<ProductId>,
    seen: IfMatch,
) -> Result<Answer> {
    let mut tx = app.begin(&caller).await?;
    commands::archive_product(&mut tx, caller.scope()?, id, seen).await?;
    tx.answer(Answer::no_content()).await
}
