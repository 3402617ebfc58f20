//! Delivered orders, with what of them may still come back.

use jiff_sqlx::ToSqlx;
use quenty_kernel::{
    Scope,
    currency::Currency,
    id::{CompanyId, CustomerId, OrderId, ProductId, WarehouseId},
    money::Money,
};
use quenty_platform::{
    Result,
    row::{document, narrow, parse, unreadable},
};
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::domain::{
    approval::ReturnScore,
    delivered::{DeliveredLine, DeliveredOrder},
    refund::LineValue,
};

struct OrderRow {
    id: Uuid,
    company_id: Uuid,
    customer_id: Option<Uuid>,
    external_reference: Option<String>,
    delivered_at: jiff_sqlx::Timestamp,
    warehouse_id: Uuid,
    consignee: Value,
    sender: Value,
    currency: String,
    paid: Decimal,
    refunded: Decimal,
}

struct LineRow {
    line: i32,
    product_id: Uuid,
    sku: String,
    name: String,
    quantity: i32,
    goods: Decimal,
    shipping: Decimal,
    item: Value,
    category: Option<String>,
    claimed: i32,
    settled: i32,
}

fn money(amount: Decimal, currency: Currency) -> Result<Money> {
    Money::new(amount, currency).map_err(unreadable)
}

impl LineRow {
    fn line(self, currency: Currency) -> Result<DeliveredLine> {
        Ok(DeliveredLine {
            line: narrow(self.line)?,
            product_id: ProductId::from_uuid(self.product_id),
            sku: self.sku,
            name: self.name,
            quantity: narrow(self.quantity)?,
            value: LineValue {
                goods: money(self.goods, currency)?,
                shipping: money(self.shipping, currency)?,
            },
            item: document(self.item)?,
            category: self.category,
            claimed: narrow(self.claimed)?,
            settled: narrow(self.settled)?,
        })
    }
}

/// An order with its lines, if there is one.
async fn with_lines(connection: &mut PgConnection, row: Option<OrderRow>) -> Result<Option<DeliveredOrder>> {
    let Some(row) = row else { return Ok(None) };
    let currency = parse(&row.currency)?;
    let lines = sqlx::query_as!(
        LineRow,
        "select l.line, l.product_id, l.sku, l.name, l.quantity, l.goods, l.shipping, l.item, p.category as \"category?\", l.claimed, l.settled
         from delivered_lines l left join products p on p.id = l.product_id where l.order_id = $1 order by l.line",
        row.id
    )
    .fetch_all(connection)
    .await?;
    Ok(Some(DeliveredOrder {
        id: OrderId::from_uuid(row.id),
        company_id: CompanyId::from_uuid(row.company_id),
        customer_id: row.customer_id.map(CustomerId::from_uuid),
        external_reference: row.external_reference,
        delivered_at: row.delivered_at.to_jiff(),
        warehouse_id: WarehouseId::from_uuid(row.warehouse_id),
        consignee: document(row.consignee)?,
        sender: document(row.sender)?,
        paid: money(row.paid, currency)?,
        refunded: money(row.refunded, currency)?,
        lines: lines.into_iter().map(|line| line.line(currency)).collect::<Result<_>>()?,
    }))
}

pub(crate) async fn find(
    connection: &mut PgConnection,
    scope: Scope,
    id: OrderId,
) -> Result<Option<DeliveredOrder>> {
    let row = sqlx::query_as!(
        OrderRow,
        "select id, company_id, customer_id, external_reference, delivered_at, warehouse_id, consignee, sender, currency, paid, refunded
         from delivered_orders where id = $1 and ($2::uuid is null or company_id = $2)",
        id.uuid(),
        scope.company_uuid()
    )
    .fetch_optional(&mut *connection)
    .await?;
    with_lines(connection, row).await
}

/// The lock under which it is decided what may come back and what is paid back. It comes before that of a return.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    scope: Scope,
    id: OrderId,
) -> Result<Option<DeliveredOrder>> {
    let row = sqlx::query_as!(
        OrderRow,
        "select id, company_id, customer_id, external_reference, delivered_at, warehouse_id, consignee, sender, currency, paid, refunded
         from delivered_orders where id = $1 and ($2::uuid is null or company_id = $2) for update",
        id.uuid(),
        scope.company_uuid()
    )
    .fetch_optional(&mut *connection)
    .await?;
    with_lines(connection, row).await
}

/// Keeps a delivered order; told again, nothing changes.
pub(crate) async fn insert(connection: &mut PgConnection, order: &DeliveredOrder) -> Result<()> {
    let inserted = sqlx::query!(
        "insert into delivered_orders (id, company_id, customer_id, external_reference, delivered_at, warehouse_id, consignee, sender,
                                       currency, paid, refunded)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing",
        order.id.uuid(),
        order.company_id.uuid(),
        order.customer_id.map(CustomerId::uuid),
        order.external_reference,
        order.delivered_at.to_sqlx() as _,
        order.warehouse_id.uuid(),
        serde_json::to_value(&order.consignee)?,
        serde_json::to_value(&order.sender)?,
        order.paid.currency().code(),
        order.paid.amount(),
        order.refunded.amount()
    )
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(());
    }
    let lines: Vec<Value> = order
        .lines
        .iter()
        .map(|line| {
            serde_json::json!({
                "line": line.line, "product_id": line.product_id.uuid(), "sku": line.sku, "name": line.name, "quantity": line.quantity,
                "goods": line.value.goods.amount(), "shipping": line.value.shipping.amount(), "item": line.item,
            })
        })
        .collect();
    sqlx::query!(
        "insert into delivered_lines (order_id, line, product_id, sku, name, quantity, goods, shipping, item, claimed, settled)
         select $1, line, product_id, sku, name, quantity, goods, shipping, item, 0, 0
         from jsonb_to_recordset($2) as r(line integer, product_id uuid, sku text, name text, quantity integer, goods numeric,
              shipping numeric, item jsonb)",
        order.id.uuid(),
        Value::Array(lines)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes what returns change of it.
pub(crate) async fn save(connection: &mut PgConnection, order: &DeliveredOrder) -> Result<()> {
    let (mut lines, mut claimed, mut settled) = (Vec::new(), Vec::new(), Vec::new());
    for line in &order.lines {
        lines.push(narrow(line.line)?);
        claimed.push(narrow(line.claimed)?);
        settled.push(narrow(line.settled)?);
    }
    sqlx::query!(
        "with l as (
             update delivered_lines d set claimed = n.claimed, settled = n.settled
             from unnest($2::integer[], $3::integer[], $4::integer[]) as n(line, claimed, settled)
             where d.order_id = $1 and d.line = n.line and (d.claimed, d.settled) is distinct from (n.claimed, n.settled)
         )
         update delivered_orders set refunded = $5 where id = $1",
        order.id.uuid(),
        &lines,
        &claimed,
        &settled,
        order.refunded.amount()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A payment that came after the delivery, such as the cash that was taken at the door.
pub(crate) async fn add_payment(connection: &mut PgConnection, id: OrderId, amount: Money) -> Result<()> {
    sqlx::query!(
        "update delivered_orders set paid = paid + $2 where id = $1 and currency = $3",
        id.uuid(),
        amount.amount(),
        amount.currency().code()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How much of what the customer got came back; an order's buyer who is no customer has none.
pub(crate) async fn score(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    customer: Option<CustomerId>,
) -> Result<ReturnScore> {
    let Some(customer) = customer else { return Ok(ReturnScore::default()) };
    let row = sqlx::query!(
        "select count(distinct o.id) as \"orders!\", coalesce(sum(l.quantity), 0) as \"units!\", coalesce(sum(l.claimed), 0) as \"returned!\"
         from delivered_orders o join delivered_lines l on l.order_id = o.id where o.company_id = $1 and o.customer_id = $2",
        company.uuid(),
        customer.uuid()
    )
    .fetch_one(db)
    .await?;
    let number = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
    Ok(ReturnScore {
        delivered_orders: number(row.orders),
        delivered_units: number(row.units),
        returned_units: number(row.returned),
    })
}
