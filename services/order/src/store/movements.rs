//! The ledger, read. It is written by [`super::stock::save`] alone, together with the sums.

use jiff::civil::Date;
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use quenty_kernel::{
    PageQuery, Scope, Timestamp,
    contact::Text,
    id::{CompanyId, MovementId, OrderId, ProductId, ReservationId, TransferId, WarehouseId},
};
use quenty_platform::Result;
use rust_decimal::Decimal;
use sqlx::PgExecutor;
use uuid::Uuid;

use super::{narrow, parse, parse_some, some_money, stock::batch};
use crate::domain::stock::{Link, Movement, MovementKind, Note, Pick, Place};

/// A row of the ledger, with who posted it and when.
pub(crate) struct LedgerRow {
    pub(crate) movement: Movement,
    pub(crate) actor: String,
    pub(crate) occurred_at: Timestamp,
}

struct Row {
    id: Uuid,
    company_id: Uuid,
    stock_item_id: Uuid,
    product_id: Uuid,
    warehouse_id: Uuid,
    batch: Option<String>,
    expires_on: Option<jiff_sqlx::Date>,
    kind: String,
    on_hand_delta: i64,
    reserved_delta: i64,
    reservation_id: Option<Uuid>,
    transfer_id: Option<Uuid>,
    reference: Option<String>,
    reason: Option<String>,
    unit_cost: Option<Decimal>,
    unit_cost_currency: Option<String>,
    actor: String,
    occurred_at: SqlTimestamp,
}

macro_rules! select_movements {
    ($rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            Row,
            "select m.id, m.company_id, stock_item_id, product_id, warehouse_id, batch, expires_on, kind, on_hand_delta, reserved_delta,
                    reservation_id, transfer_id, reference, reason, unit_cost, unit_cost_currency, actor, occurred_at
             from stock_movements m join stock_items s on s.id = m.stock_item_id " + $rest
            $(, $argument)*
        )
    };
}

impl Row {
    fn ledger_row(self) -> Result<LedgerRow> {
        let link = match (self.reservation_id, self.transfer_id) {
            (Some(id), _) => Link::Reservation(ReservationId::from_uuid(id)),
            (None, Some(id)) => Link::Transfer(TransferId::from_uuid(id)),
            (None, None) => Link::Nothing,
        };
        let movement = Movement {
            id: MovementId::from_uuid(self.id),
            company_id: CompanyId::from_uuid(self.company_id),
            item_id: self.stock_item_id,
            place: Place {
                product_id: ProductId::from_uuid(self.product_id),
                warehouse_id: WarehouseId::from_uuid(self.warehouse_id),
                batch: batch(self.batch, self.expires_on)?,
            },
            kind: parse(&self.kind)?,
            on_hand_delta: self.on_hand_delta,
            reserved_delta: self.reserved_delta,
            note: Note {
                link,
                reference: parse_some(self.reference)?,
                reason: self.reason,
                unit_cost: some_money(self.unit_cost, self.unit_cost_currency.as_deref())?,
            },
        };
        Ok(LedgerRow { movement, actor: self.actor, occurred_at: self.occurred_at.to_jiff() })
    }
}

/// What a list of movements can be narrowed to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MovementFilter {
    pub(crate) product: Option<ProductId>,
    pub(crate) warehouse: Option<WarehouseId>,
    pub(crate) kind: Option<MovementKind>,
}

pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    filter: MovementFilter,
    page: &PageQuery,
) -> Result<Vec<LedgerRow>> {
    let rows = select_movements!(
        "where ($1::uuid is null or m.company_id = $1) and ($2::uuid is null or product_id = $2) and ($3::uuid is null or warehouse_id = $3)
           and ($4::text is null or kind = $4) and ($5::uuid is null or m.id < $5)
         order by m.id desc limit $6",
        scope.company_uuid(),
        filter.product.map(ProductId::uuid),
        filter.warehouse.map(WarehouseId::uuid),
        filter.kind.map(MovementKind::as_str),
        page.before(),
        page.fetch()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::ledger_row).collect()
}

/// What a reservation set aside, and of which products.
pub(crate) async fn reserved(
    db: impl PgExecutor<'_>,
    reservation: ReservationId,
) -> Result<Vec<(ProductId, Pick)>> {
    let rows = sqlx::query!(
        "select product_id, stock_item_id, reserved_delta from stock_movements m join stock_items s on s.id = m.stock_item_id
         where reservation_id = $1 and kind = 'reserve' order by m.id",
        reservation.uuid()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok((
                ProductId::from_uuid(row.product_id),
                Pick { item_id: row.stock_item_id, quantity: narrow(row.reserved_delta)? },
            ))
        })
        .collect()
}

/// Whether something that a reservation set aside has expired by that day.
pub(crate) async fn has_expired(
    db: impl PgExecutor<'_>,
    reservation: ReservationId,
    today: Date,
) -> Result<bool> {
    let expired = sqlx::query_scalar!(
        "select exists (select from stock_movements m join stock_items s on s.id = m.stock_item_id
                        where m.reservation_id = $1 and m.kind = 'reserve' and s.expires_on <= $2) as \"expired!\"",
        reservation.uuid(),
        today.to_sqlx() as _
    )
    .fetch_one(db)
    .await?;
    Ok(expired)
}

/// Of which batch an order got pieces of a product: of several, the one that expires first.
pub(crate) async fn issued_batch(
    db: impl PgExecutor<'_>,
    company: CompanyId,
    order: OrderId,
    product: ProductId,
) -> Result<Option<Text<60>>> {
    let number = sqlx::query_scalar!(
        "select s.batch from reservations r join stock_movements m on m.reservation_id = r.id join stock_items s on s.id = m.stock_item_id
         where r.company_id = $1 and r.order_id = $2 and s.product_id = $3 and m.kind = 'issue'
         order by s.expires_on nulls last, s.id limit 1",
        company.uuid(),
        order.uuid(),
        product.uuid()
    )
    .fetch_optional(db)
    .await?;
    parse_some(number.flatten())
}

/// What was moved by these transfers, whose scope was checked.
pub(crate) async fn of_transfers(db: impl PgExecutor<'_>, transfers: &[TransferId]) -> Result<Vec<Movement>> {
    let ids: Vec<Uuid> = transfers.iter().map(|id| id.uuid()).collect();
    let rows = select_movements!("where transfer_id = any($1) order by m.id", &ids).fetch_all(db).await?;
    rows.into_iter().map(|row| row.ledger_row().map(|row| row.movement)).collect()
}

/// What a transfer took out of its first warehouse, and from which places.
pub(crate) async fn sent_out(db: impl PgExecutor<'_>, transfer: TransferId) -> Result<Vec<(Place, u32)>> {
    let rows = sqlx::query!(
        "select product_id, warehouse_id, batch, expires_on, on_hand_delta from stock_movements m join stock_items s on s.id = m.stock_item_id
         where transfer_id = $1 and kind = 'transfer_out' order by m.id",
        transfer.uuid()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let (product_id, warehouse_id) =
                (ProductId::from_uuid(row.product_id), WarehouseId::from_uuid(row.warehouse_id));
            Ok((
                Place { product_id, warehouse_id, batch: batch(row.batch, row.expires_on)? },
                narrow(-row.on_hand_delta)?,
            ))
        })
        .collect()
}
