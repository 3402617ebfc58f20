//! Rows of products, with the alarm of their stock.

use jiff::civil::Date;
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use quenty_kernel::{
    PageQuery, Scope,
    id::{CompanyId, ProductId},
    measure::{Dimensions, Grams, Millimeters},
};
use quenty_platform::Result;
use rust_decimal::Decimal;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::{money, narrow, parse, parse_some, some_money, unreadable};
use crate::domain::product::{HsCode, Product, ProductDetails, ProductState};

struct Row {
    id: Uuid,
    company_id: Uuid,
    sku: String,
    name: String,
    description: Option<String>,
    category: Option<String>,
    price: Decimal,
    currency: String,
    cost: Option<Decimal>,
    cost_currency: Option<String>,
    weight_grams: i32,
    length_mm: Option<i32>,
    width_mm: Option<i32>,
    height_mm: Option<i32>,
    hs_code: Option<String>,
    country_of_origin: Option<String>,
    reorder_point: Option<i32>,
    reorder_quantity: Option<i32>,
    lead_time_days: Option<i32>,
    estimated: bool,
    status: String,
    is_low: bool,
    version: i64,
    created_at: SqlTimestamp,
    updated_at: SqlTimestamp,
}

macro_rules! select_products {
    ($rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            Row,
            "select p.id, p.company_id, sku, name, description, category, price, currency, cost, cost_currency, weight_grams, length_mm,
                    width_mm, height_mm, hs_code, country_of_origin, l.reorder_point, reorder_quantity, lead_time_days, estimated, status,
                    l.is_low, version, created_at, updated_at
             from products p join stock_levels l on l.product_id = p.id " + $rest
            $(, $argument)*
        )
    };
}

impl Row {
    fn product(self) -> Result<Product> {
        Ok(Product::from_state(ProductState {
            id: ProductId::from_uuid(self.id),
            company_id: CompanyId::from_uuid(self.company_id),
            sku: parse(&self.sku)?,
            details: ProductDetails {
                name: parse(&self.name)?,
                description: parse_some(self.description)?,
                category: parse_some(self.category)?,
                price: money(self.price, &self.currency)?,
                cost: some_money(self.cost, self.cost_currency.as_deref())?,
                weight_grams: Grams::new(narrow(self.weight_grams)?).map_err(unreadable)?,
                dimensions: dimensions(self.length_mm, self.width_mm, self.height_mm)?,
                hs_code: self.hs_code.map(HsCode::known),
                country_of_origin: parse_some(self.country_of_origin)?,
                reorder_point: self.reorder_point.map(narrow).transpose()?,
                reorder_quantity: self.reorder_quantity.map(narrow).transpose()?,
                lead_time_days: self.lead_time_days.map(narrow).transpose()?,
                estimated: self.estimated,
            },
            status: parse(&self.status)?,
            low_stock: self.is_low,
            version: self.version,
            created_at: self.created_at.to_jiff(),
            updated_at: self.updated_at.to_jiff(),
        }))
    }
}

fn dimensions(length: Option<i32>, width: Option<i32>, height: Option<i32>) -> Result<Option<Dimensions>> {
    let side = |side: i32| Millimeters::new(narrow(side)?).map_err(unreadable);
    let (Some(length), Some(width), Some(height)) = (length, width, height) else { return Ok(None) };
    Ok(Some(Dimensions::new(side(length)?, side(width)?, side(height)?)))
}

pub(crate) async fn find(db: impl PgExecutor<'_>, scope: Scope, id: ProductId) -> Result<Option<Product>> {
    let rows = many(db, scope, &[id]).await?;
    Ok(rows.into_iter().next())
}

/// Those of the ids that exist, in the order of the ids.
pub(crate) async fn many(db: impl PgExecutor<'_>, scope: Scope, ids: &[ProductId]) -> Result<Vec<Product>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = select_products!(
        "where p.id = any($2) and ($1::uuid is null or p.company_id = $1)
           order by p.id",
        scope.company_uuid(),
        &ids
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::product).collect()
}

/// The company's products of these ids and these SKUs, whatever the case of a SKU.
pub(crate) async fn named(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    ids: &[ProductId],
    skus: &[String],
) -> Result<Vec<Product>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = select_products!(
        "where p.company_id = $1 and (p.id = any($2) or lower(sku) = any(array(select lower(wanted) from unnest($3::text[]) as wanted)))",
        company.uuid(),
        &ids,
        skus
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::product).collect()
}

/// Locks the row, so that what is decided on it still holds when it is saved.
pub(crate) async fn lock(conn: &mut PgConnection, scope: Scope, id: ProductId) -> Result<Option<Product>> {
    let query = sqlx::query!(
        "select id from products where id = $2 and ($1::uuid is null or company_id = $1) for no key update",
        scope.company_uuid(),
        id.uuid()
    );
    match query.fetch_optional(&mut *conn).await? {
        Some(_) => find(conn, scope, id).await,
        None => Ok(None),
    }
}

/// What a list of products can be narrowed to.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProductFilter {
    pub(crate) sku: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) status: Option<&'static str>,
}

pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    filter: &ProductFilter,
    page: &PageQuery,
) -> Result<Vec<Product>> {
    let rows = select_products!(
        "where ($1::uuid is null or p.company_id = $1) and ($2::text is null or lower(sku) = lower($2))
             and ($3::text is null or category = $3) and ($4::text is null or status = $4) and ($5::uuid is null or p.id < $5)
           order by p.id desc limit $6",
        scope.company_uuid(),
        filter.sku,
        filter.category,
        filter.status,
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::product).collect()
}

/// A product whose stock is low, and what can be sold of it over all warehouses.
pub(crate) struct LowStock {
    pub(crate) product: Product,
    pub(crate) available: i64,
}

pub(crate) async fn list_low_stock(
    conn: &mut PgConnection,
    scope: Scope,
    today: Date,
    page: &PageQuery,
) -> Result<Vec<LowStock>> {
    let low = sqlx::query!(
        r#"select l.product_id, coalesce((select sum(on_hand - reserved) from stock_items s
                                          where s.product_id = l.product_id and (expires_on is null or expires_on > $4)), 0)::bigint as "available!"
           from stock_levels l
           where is_low and ($1::uuid is null or company_id = $1) and ($2::uuid is null or product_id < $2)
           order by product_id desc limit $3"#,
        scope.company_uuid(),
        page.before(),
        page.fetch(),
        today.to_sqlx() as _
    )
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<ProductId> = low.iter().map(|row| ProductId::from_uuid(row.product_id)).collect();
    let products = many(conn, scope, &ids).await?;
    // Both are in the order of the ids, the one upwards, the other downwards.
    Ok(products
        .into_iter()
        .rev()
        .zip(low)
        .map(|(product, row)| LowStock { product, available: row.available })
        .collect())
}

/// A new product, with its alarm.
pub(crate) async fn insert(conn: &mut PgConnection, product: &Product) -> Result<()> {
    let (state, details) = (product.state(), product.details());
    sqlx::query!(
        "with p as (
           insert into products (id, company_id, sku, name, description, category, price, currency, cost, cost_currency, weight_grams, length_mm,
                                 width_mm, height_mm, hs_code, country_of_origin, reorder_quantity, lead_time_days, estimated, status, version,
                                 created_at, updated_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
           returning id, company_id
         )
         insert into stock_levels (product_id, company_id, reorder_point) select id, company_id, $24 from p",
        state.id.uuid(),
        state.company_id.uuid(),
        state.sku.as_str(),
        details.name.as_str(),
        details.description.as_ref().map(|text| text.as_str()),
        details.category.as_ref().map(|text| text.as_str()),
        details.price.amount(),
        details.price.currency().code(),
        details.cost.map(|cost| cost.amount()),
        details.cost.map(|cost| cost.currency().code()),
        narrow::<i32, _>(details.weight_grams.get())?,
        millimeters(details.dimensions.map(Dimensions::length_mm))?,
        millimeters(details.dimensions.map(Dimensions::width_mm))?,
        millimeters(details.dimensions.map(Dimensions::height_mm))?,
        details.hs_code.as_ref().map(HsCode::as_str),
        details.country_of_origin.as_ref().map(|country| country.as_str()),
        details.reorder_quantity.map(narrow::<i32, _>).transpose()?,
        details.lead_time_days.map(i32::from),
        details.estimated,
        state.status.as_str(),
        state.version,
        state.created_at.to_sqlx() as _,
        state.updated_at.to_sqlx() as _,
        details.reorder_point.map(narrow::<i32, _>).transpose()?
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn millimeters(side: Option<Millimeters>) -> Result<Option<i32>> {
    side.map(|side| narrow(side.get())).transpose()
}

/// All that can change of a product; its alarm belongs to its stock.
pub(crate) async fn save(conn: &mut PgConnection, product: &Product) -> Result<()> {
    let (state, details) = (product.state(), product.details());
    sqlx::query!(
        "update products set name = $2, description = $3, category = $4, price = $5, currency = $6, cost = $7, cost_currency = $8,
           weight_grams = $9, length_mm = $10, width_mm = $11, height_mm = $12, hs_code = $13, country_of_origin = $14, reorder_quantity = $15,
           lead_time_days = $16, estimated = $17, status = $18, version = $19, updated_at = $20
         where id = $1",
        state.id.uuid(),
        details.name.as_str(),
        details.description.as_ref().map(|text| text.as_str()),
        details.category.as_ref().map(|text| text.as_str()),
        details.price.amount(),
        details.price.currency().code(),
        details.cost.map(|cost| cost.amount()),
        details.cost.map(|cost| cost.currency().code()),
        narrow::<i32, _>(details.weight_grams.get())?,
        millimeters(details.dimensions.map(Dimensions::length_mm))?,
        millimeters(details.dimensions.map(Dimensions::width_mm))?,
        millimeters(details.dimensions.map(Dimensions::height_mm))?,
        details.hs_code.as_ref().map(HsCode::as_str),
        details.country_of_origin.as_ref().map(|country| country.as_str()),
        details.reorder_quantity.map(narrow::<i32, _>).transpose()?,
        details.lead_time_days.map(i32::from),
        details.estimated,
        state.status.as_str(),
        state.version,
        state.updated_at.to_sqlx() as _
    )
    .execute(conn)
    .await?;
    Ok(())
}
