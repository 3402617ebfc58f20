//! Rows of stock: how much lies where, and the alarms. Every change goes through [`lock`] and [`save`].

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use jiff::civil::Date;
use jiff_sqlx::{Date as SqlDate, ToSqlx};
use quenty_kernel::{
    Actor, PageQuery, Scope, Timestamp,
    id::{CompanyId, OrderId, ProductId, WarehouseId},
};
use quenty_platform::{Error, Result};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::{narrow, parse, uuids};
use crate::domain::stock::{Batch, Level, Link, Movement, Place, Stock, StockItem};

/// Locks the stock of these products, everywhere, and reads it. The rows of `stock_levels` are the one lock
/// of all that lies under them, taken in the order of the ids: two callers may wait for one another, but
/// never in a circle. What is read after the lock is what the one before has left.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    scope: Scope,
    products: &BTreeSet<ProductId>,
) -> Result<Stock> {
    let levels = lock_levels(conn, scope, products).await?;
    read(conn, scope, levels, None).await
}

/// As [`lock`], with what is promised to orders that wait since before this one.
pub(crate) async fn lock_for(
    conn: &mut PgConnection,
    company: CompanyId,
    order: OrderId,
    products: &BTreeSet<ProductId>,
) -> Result<Stock> {
    let levels = lock_levels(conn, Scope::Company(company), products).await?;
    read(conn, Scope::Company(company), levels, Some(order)).await
}

/// As [`lock_for`], to look and not to change.
pub(crate) async fn find_for(
    conn: &mut PgConnection,
    company: CompanyId,
    order: OrderId,
    products: &BTreeSet<ProductId>,
) -> Result<Stock> {
    let levels = sqlx::query_as!(
        LevelRow,
        "select product_id, company_id, reorder_point, is_low from stock_levels where product_id = any($2) and company_id = $1",
        company.uuid(),
        &uuids(products)
    )
    .fetch_all(&mut *conn)
    .await?;
    read(conn, Scope::Company(company), levels, Some(order)).await
}

struct LevelRow {
    product_id: Uuid,
    company_id: Uuid,
    reorder_point: Option<i32>,
    is_low: bool,
}

async fn lock_levels(
    conn: &mut PgConnection,
    scope: Scope,
    products: &BTreeSet<ProductId>,
) -> Result<Vec<LevelRow>> {
    Ok(sqlx::query_as!(
        LevelRow,
        "select product_id, company_id, reorder_point, is_low from stock_levels
         where product_id = any($2) and ($1::uuid is null or company_id = $1)
         order by product_id for update",
        scope.company_uuid(),
        &uuids(products)
    )
    .fetch_all(conn)
    .await?)
}

async fn read(
    conn: &mut PgConnection,
    scope: Scope,
    rows: Vec<LevelRow>,
    before: Option<OrderId>,
) -> Result<Stock> {
    let mut levels = BTreeMap::new();
    for row in rows {
        let reorder_point = row.reorder_point.map(narrow).transpose()?;
        let level =
            Level { company_id: CompanyId::from_uuid(row.company_id), reorder_point, is_low: row.is_low };
        levels.insert(ProductId::from_uuid(row.product_id), level);
    }
    let ids: Vec<Uuid> = levels.keys().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"select s.id, product_id, warehouse_id, batch, expires_on, on_hand, reserved,
                  w.name, w.address, w.contact_phone, w.is_default,
                  exists (select from backorders b where b.product_id = s.product_id and b.is_short and b.order_id < $3) as "is_promised!"
           from stock_items s join warehouses w on w.id = s.warehouse_id
           where product_id = any($2) and ($1::uuid is null or s.company_id = $1)"#,
        scope.company_uuid(),
        &ids,
        before.map(OrderId::uuid)
    )
    .fetch_all(conn)
    .await?;
    let (mut warehouses, mut items, mut promised) =
        (BTreeMap::new(), Vec::with_capacity(rows.len()), BTreeSet::new());
    for row in rows {
        let (product_id, warehouse_id) =
            (ProductId::from_uuid(row.product_id), WarehouseId::from_uuid(row.warehouse_id));
        if row.is_promised {
            promised.insert(product_id);
        }
        if let Entry::Vacant(unknown) = warehouses.entry(warehouse_id) {
            unknown.insert(super::warehouses::details(
                row.name,
                row.address,
                row.contact_phone,
                row.is_default,
            )?);
        }
        let place = Place { product_id, warehouse_id, batch: batch(row.batch, row.expires_on)? };
        items.push(StockItem {
            id: row.id,
            place,
            on_hand: row.on_hand,
            reserved: row.reserved,
            is_new: false,
        });
    }
    Ok(Stock::new(levels, warehouses, items, promised))
}

pub(super) fn batch(number: Option<String>, expires_on: Option<SqlDate>) -> Result<Option<Batch>> {
    number
        .map(|number| Ok(Batch { number: parse(&number)?, expires_on: expires_on.map(SqlDate::to_jiff) }))
        .transpose()
}

/// Writes what was posted: new places, then ledger and sums in one statement. Needs [`lock`] before.
pub(crate) async fn save(
    conn: &mut PgConnection,
    stock: &Stock,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    insert_new_items(conn, stock).await?;
    let movements: Vec<Value> =
        stock.posted().iter().map(|movement| ledger_row(movement, actor, now)).collect();
    let changed: BTreeSet<Uuid> = stock.posted().iter().map(|movement| movement.item_id).collect();
    let updated = sqlx::query!(
        "with posted as (
           insert into stock_movements (id, company_id, stock_item_id, kind, on_hand_delta, reserved_delta, reservation_id, transfer_id,
                                        reference, reason, unit_cost, unit_cost_currency, actor, occurred_at)
           select id, company_id, stock_item_id, kind, on_hand_delta, reserved_delta, reservation_id, transfer_id,
                  reference, reason, unit_cost, unit_cost_currency, actor, occurred_at
           from jsonb_to_recordset($1) as r(id uuid, company_id uuid, stock_item_id uuid, kind text, on_hand_delta bigint, reserved_delta bigint,
                reservation_id uuid, transfer_id uuid, reference text, reason text, unit_cost numeric, unit_cost_currency text, actor text,
                occurred_at timestamptz)
           returning stock_item_id, on_hand_delta, reserved_delta
         ), sums as (
           select stock_item_id, sum(on_hand_delta)::bigint as on_hand, sum(reserved_delta)::bigint as reserved from posted group by 1
         )
         update stock_items s set on_hand = s.on_hand + sums.on_hand, reserved = s.reserved + sums.reserved
         from sums where s.id = sums.stock_item_id",
        Value::Array(movements)
    )
    .execute(conn)
    .await?;
    if updated.rows_affected() == changed.len() as u64 {
        Ok(())
    } else {
        Err(Error::internal("a movement of no stock item"))
    }
}

fn ledger_row(movement: &Movement, actor: &Actor, now: Timestamp) -> Value {
    let (reservation, transfer) = match movement.note.link {
        Link::Nothing => (None, None),
        Link::Reservation(id) => (Some(id.uuid()), None),
        Link::Transfer(id) => (None, Some(id.uuid())),
    };
    let unit_cost = movement.note.unit_cost;
    json!({
        "id": movement.id.uuid(), "company_id": movement.company_id.uuid(), "stock_item_id": movement.item_id, "kind": movement.kind.as_str(),
        "on_hand_delta": movement.on_hand_delta, "reserved_delta": movement.reserved_delta, "reservation_id": reservation,
        "transfer_id": transfer, "reference": movement.note.reference, "reason": movement.note.reason,
        "unit_cost": unit_cost.map(|cost| cost.amount().to_string()), "unit_cost_currency": unit_cost.map(|cost| cost.currency().code()),
        "actor": actor.to_string(), "occurred_at": now,
    })
}

async fn insert_new_items(conn: &mut PgConnection, stock: &Stock) -> Result<()> {
    let mut rows = Vec::new();
    for item in stock.new_items() {
        let company = stock.company_of(item.place.product_id).map_err(Error::internal)?;
        let batch = item.place.batch.as_ref();
        rows.push(json!({
            "id": item.id, "company_id": company.uuid(), "product_id": item.place.product_id.uuid(), "warehouse_id": item.place.warehouse_id.uuid(),
            "batch": batch.map(|batch| batch.number.as_str()), "expires_on": batch.and_then(|batch| batch.expires_on),
        }));
    }
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into stock_items (id, company_id, product_id, warehouse_id, batch, expires_on)
         select id, company_id, product_id, warehouse_id, batch, expires_on
         from jsonb_to_recordset($1) as r(id uuid, company_id uuid, product_id uuid, warehouse_id uuid, batch text, expires_on date)",
        Value::Array(rows)
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Switches alarms on or off. Needs [`lock`] before.
pub(crate) async fn save_alarms(
    conn: &mut PgConnection,
    products: &[ProductId],
    stock: &Stock,
) -> Result<()> {
    let ids: Vec<Uuid> = products.iter().map(|id| id.uuid()).collect();
    let low: Vec<bool> =
        products.iter().map(|id| stock.levels.get(id).is_some_and(|level| level.is_low)).collect();
    sqlx::query!(
        "update stock_levels l set is_low = r.is_low from unnest($1::uuid[], $2::boolean[]) as r(product_id, is_low) where l.product_id = r.product_id",
        &ids,
        &low
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Products that may have fallen low by what has expired, where it is the latest day.
pub(crate) async fn perhaps_low(
    db: impl PgExecutor<'_>,
    latest: Date,
) -> Result<Vec<(CompanyId, ProductId)>> {
    let rows = sqlx::query!(
        "select company_id, product_id from stock_levels l
         where not is_low and product_id in (select product_id from stock_items where expires_on <= $1 and on_hand > reserved)
           and reorder_point >= (select coalesce(sum(on_hand - reserved), 0) from stock_items s
                                 where s.product_id = l.product_id and (expires_on is null or expires_on > $1))
         order by product_id",
        latest.to_sqlx() as _
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (CompanyId::from_uuid(row.company_id), ProductId::from_uuid(row.product_id)))
        .collect())
}

/// Sets when the alarm goes; without a reorder point there is none. Locks the stock of the product.
pub(crate) async fn set_reorder_point(
    conn: &mut PgConnection,
    product: ProductId,
    reorder_point: Option<u32>,
) -> Result<()> {
    let reorder_point = reorder_point.map(narrow::<i32, _>).transpose()?;
    sqlx::query!(
        "update stock_levels set reorder_point = $2, is_low = is_low and $2::integer is not null where product_id = $1",
        product.uuid(),
        reorder_point
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a list of stock can be narrowed to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct InventoryFilter {
    pub(crate) product: Option<ProductId>,
    pub(crate) warehouse: Option<WarehouseId>,
    pub(crate) low_stock: Option<bool>,
}

/// One line of an inventory.
pub(crate) struct InventoryRow {
    pub(crate) item: StockItem,
    pub(crate) sku: String,
    pub(crate) product: String,
    pub(crate) warehouse: String,
    pub(crate) low_stock: bool,
}

pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    filter: InventoryFilter,
    page: &PageQuery,
) -> Result<Vec<InventoryRow>> {
    let rows = sqlx::query!(
        r#"select s.id, s.product_id, s.warehouse_id, batch, expires_on, on_hand, reserved, p.sku, p.name as product,
                  w.name as warehouse, l.is_low
           from stock_items s
           join products p on p.id = s.product_id
           join stock_levels l on l.product_id = s.product_id
           join warehouses w on w.id = s.warehouse_id
           where ($1::uuid is null or s.company_id = $1) and ($2::uuid is null or s.product_id = $2)
             and ($3::uuid is null or s.warehouse_id = $3) and ($4::boolean is null or l.is_low = $4) and ($5::uuid is null or s.id < $5)
           order by s.id desc limit $6"#,
        scope.company_uuid(),
        filter.product.map(ProductId::uuid),
        filter.warehouse.map(WarehouseId::uuid),
        filter.low_stock,
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let (product_id, warehouse_id) =
            (ProductId::from_uuid(row.product_id), WarehouseId::from_uuid(row.warehouse_id));
        let place = Place { product_id, warehouse_id, batch: batch(row.batch, row.expires_on)? };
        lines.push(InventoryRow {
            item: StockItem {
                id: row.id,
                place,
                on_hand: row.on_hand,
                reserved: row.reserved,
                is_new: false,
            },
            sku: row.sku,
            product: row.product,
            warehouse: row.warehouse,
            low_stock: row.is_low,
        });
    }
    Ok(lines)
}

/// Whether a transaction waits for the lock of another.
#[cfg(test)]
pub(crate) async fn somebody_waits(db: impl PgExecutor<'_>) -> Result<bool> {
    let waits = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";
    Ok(sqlx::query_scalar(waits).fetch_one(db).await?)
}

/// Leaves of a product what nobody can read.
#[cfg(test)]
pub(crate) async fn spoil(db: impl PgExecutor<'_>, product: ProductId) -> Result<()> {
    let spoil = sqlx::query("update stock_items set batch = ' ' where product_id = $1");
    spoil.bind(product.uuid()).execute(db).await?;
    Ok(())
}
