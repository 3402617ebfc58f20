//! Rows of `shipments`.

use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use quenty_contracts::party::{Item, Parcel, Party};
use quenty_kernel::{
    Page, PageQuery, Scope,
    id::{CompanyId, CustomerId, OrderId, ReturnId, ShipmentId},
    money::Money,
};
use rust_decimal::Decimal;
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use crate::{
    Error,
    domain::{
        shipment::{Shipment, ShipmentState, Status},
        tariff::Offer,
        tracking::ScanKind,
        tracking_number::TrackingNumber,
    },
};

/// Which shipments a list shows.
#[derive(Debug, Clone, Default)]
pub struct ShipmentFilter {
    pub status: Option<Status>,
    pub order_id: Option<OrderId>,
    pub return_id: Option<ReturnId>,
    pub tracking_number: Option<TrackingNumber>,
    pub international: Option<bool>,
}

struct Row {
    id: Uuid,
    company_id: Uuid,
    order_id: Option<Uuid>,
    return_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    attempt: i64,
    reference: Option<String>,
    carrier: String,
    service: String,
    international: bool,
    sender: Json<Party>,
    consignee: Json<Party>,
    parcels: Json<Vec<Parcel>>,
    items: Json<Vec<Item>>,
    declared_amount: Decimal,
    declared_currency: String,
    cash_amount: Option<Decimal>,
    cash_currency: Option<String>,
    incoterm: Option<String>,
    status: String,
    offer: Option<Json<Offer>>,
    tracking_number: Option<String>,
    promised_at: Option<SqlTimestamp>,
    resumes_at: Option<String>,
    failed_deliveries: i64,
    last_event_at: Option<SqlTimestamp>,
    picked_up_at: Option<SqlTimestamp>,
    delivered_at: Option<SqlTimestamp>,
    given_up_at: Option<SqlTimestamp>,
    received_by: Option<String>,
    proof: Option<String>,
    cash_collected: bool,
    ended_code: Option<String>,
    ended_reason: Option<String>,
    version: i64,
    created_at: SqlTimestamp,
    updated_at: SqlTimestamp,
}

/// The one list of columns; each query adds which rows it wants.
macro_rules! select {
    ($rows:literal, $($argument:expr),*) => {
        sqlx::query_as!(
            Row,
            r#"select id, company_id, order_id, return_id, customer_id, attempt, reference, carrier, service, international,
                      sender as "sender: Json<Party>", consignee as "consignee: Json<Party>",
                      parcels as "parcels: Json<Vec<Parcel>>", items as "items: Json<Vec<Item>>",
                      declared_amount, declared_currency, cash_amount, cash_currency, incoterm, status,
                      offer as "offer: Json<Offer>", tracking_number, promised_at, resumes_at, failed_deliveries, last_event_at,
                      picked_up_at, delivered_at, given_up_at, received_by, proof, cash_collected, ended_code, ended_reason,
                      version, created_at, updated_at
               from shipments "# + $rows,
            $($argument),*
        )
    };
}

impl TryFrom<Row> for Shipment {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let cash = row.cash_amount.zip(row.cash_currency);
        Ok(Self::from_state(ShipmentState {
            id: ShipmentId::from_uuid(row.id),
            company_id: CompanyId::from_uuid(row.company_id),
            order_id: row.order_id.map(OrderId::from_uuid),
            return_id: row.return_id.map(ReturnId::from_uuid),
            customer_id: row.customer_id.map(CustomerId::from_uuid),
            attempt: row.attempt.try_into()?,
            reference: row.reference,
            carrier: row.carrier,
            service: row.service.parse()?,
            international: row.international,
            sender: row.sender.0,
            consignee: row.consignee.0,
            parcels: row.parcels.0,
            items: row.items.0,
            declared_value: Money::new(row.declared_amount, row.declared_currency.parse()?)?,
            cash_on_delivery: cash
                .map(|(amount, currency)| Ok::<_, Error>(Money::new(amount, currency.parse()?)?))
                .transpose()?,
            incoterm: row.incoterm,
            status: row.status.parse()?,
            offer: row.offer.map(|offer| offer.0),
            tracking_number: row.tracking_number.map(|number| number.parse()).transpose()?,
            promised_at: row.promised_at.map(SqlTimestamp::to_jiff),
            resumes_at: row.resumes_at.map(|status| status.parse()).transpose()?,
            failed_deliveries: row.failed_deliveries.try_into()?,
            last_event_at: row.last_event_at.map(SqlTimestamp::to_jiff),
            picked_up_at: row.picked_up_at.map(SqlTimestamp::to_jiff),
            delivered_at: row.delivered_at.map(SqlTimestamp::to_jiff),
            given_up_at: row.given_up_at.map(SqlTimestamp::to_jiff),
            received_by: row.received_by,
            proof: row.proof.map(|proof| proof.parse()).transpose()?,
            cash_collected: row.cash_collected,
            ended_code: row.ended_code,
            ended_reason: row.ended_reason,
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        }))
    }
}

pub async fn find(db: impl PgExecutor<'_>, scope: Scope, id: ShipmentId) -> Result<Shipment, Error> {
    let row =
        select!("where id = $1 and ($2::uuid is null or company_id = $2)", id.uuid(), scope.company_uuid());
    row.fetch_optional(db).await?.ok_or(Error::NotFound("shipment"))?.try_into()
}

pub async fn lock(connection: &mut PgConnection, scope: Scope, id: ShipmentId) -> Result<Shipment, Error> {
    let row = select!(
        "where id = $1 and ($2::uuid is null or company_id = $2) for update",
        id.uuid(),
        scope.company_uuid()
    );
    row.fetch_optional(connection).await?.ok_or(Error::NotFound("shipment"))?.try_into()
}

/// Every shipment of an order, in the order in which all code locks them.
pub async fn lock_of_order(connection: &mut PgConnection, order: OrderId) -> Result<Vec<Shipment>, Error> {
    let rows = select!("where order_id = $1 order by id for update", order.uuid());
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// Every shipment of a return, in the order in which all code locks them.
pub async fn lock_of_return(connection: &mut PgConnection, id: ReturnId) -> Result<Vec<Shipment>, Error> {
    let rows = select!("where return_id = $1 order by id for update", id.uuid());
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// Every shipment of these orders and returns, and what was made by hand for the customer, in the order in which all
/// code locks them.
pub async fn lock_of_all(
    connection: &mut PgConnection,
    company: CompanyId,
    orders: &[OrderId],
    returns: &[ReturnId],
    customer: CustomerId,
) -> Result<Vec<Shipment>, Error> {
    let orders: Vec<Uuid> = orders.iter().map(|id| id.uuid()).collect();
    let returns: Vec<Uuid> = returns.iter().map(|id| id.uuid()).collect();
    let rows = select!(
        "where company_id = $1 and (order_id = any($2) or return_id = any($3) or customer_id = $4) order by id for update",
        company.uuid(),
        &orders,
        &returns,
        customer.uuid()
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

pub async fn list(
    db: impl PgExecutor<'_>,
    scope: Scope,
    filter: &ShipmentFilter,
    page: &PageQuery,
) -> Result<Page<Shipment>, Error> {
    let rows = select!(
        "where ($1::uuid is null or company_id = $1) and ($2::text is null or status = $2) and ($3::uuid is null or order_id = $3)
           and ($4::text is null or tracking_number = $4) and ($5::boolean is null or international = $5)
           and ($6::uuid is null or return_id = $6) and ($7::uuid is null or id < $7)
         order by id desc limit $8",
        scope.company_uuid(),
        filter.status.map(Status::as_str),
        filter.order_id.map(OrderId::uuid),
        filter.tracking_number.map(|number| number.to_string()),
        filter.international,
        filter.return_id.map(ReturnId::uuid),
        page.before(),
        page.fetch()
    );
    let shipments = rows
        .fetch_all(db)
        .await?
        .into_iter()
        .map(TryInto::try_into)
        .collect::<Result<Vec<Shipment>, Error>>()?;
    Ok(Page::from_rows(shipments, page, |shipment| shipment.state().id.uuid()))
}

pub async fn insert(connection: &mut PgConnection, shipment: &Shipment) -> Result<(), Error> {
    let state = shipment.state();
    sqlx::query!(
        "insert into shipments (id, company_id, order_id, attempt, reference, carrier, service, international, sender, consignee,
                                parcels, items, declared_amount, declared_currency, cash_amount, cash_currency, incoterm, status,
                                failed_deliveries, cash_collected, version, created_at, updated_at, return_id, customer_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 'draft', 0, false, 1, $18, $18, $19, $20)",
        state.id.uuid(),
        state.company_id.uuid(),
        state.order_id.map(OrderId::uuid),
        i64::from(state.attempt),
        state.reference,
        state.carrier,
        state.service.as_str(),
        state.international,
        Json(&state.sender) as _,
        Json(&state.consignee) as _,
        Json(&state.parcels) as _,
        Json(&state.items) as _,
        state.declared_value.amount(),
        state.declared_value.currency().as_str(),
        state.cash_on_delivery.map(Money::amount),
        state.cash_on_delivery.map(|cash| cash.currency().as_str()),
        state.incoterm,
        state.created_at.to_sqlx() as _,
        state.return_id.map(ReturnId::uuid),
        state.customer_id.map(CustomerId::uuid)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes what can change after the insert.
pub async fn save(connection: &mut PgConnection, shipment: &Shipment) -> Result<(), Error> {
    let state = shipment.state();
    sqlx::query!(
        "update shipments set carrier = $2, service = $3, consignee = $4, status = $5, offer = $6, tracking_number = $7, promised_at = $8,
                resumes_at = $9, failed_deliveries = $10, last_event_at = $11, picked_up_at = $12, delivered_at = $13, received_by = $14,
                proof = $15, cash_collected = $16, ended_code = $17, ended_reason = $18, version = $19, updated_at = $20,
                given_up_at = $21
         where id = $1",
        state.id.uuid(),
        state.carrier,
        state.service.as_str(),
        Json(&state.consignee) as _,
        state.status.as_str(),
        state.offer.as_ref().map(Json) as _,
        state.tracking_number.map(|number| number.to_string()),
        state.promised_at.map(ToSqlx::to_sqlx) as _,
        state.resumes_at.map(Status::as_str),
        i64::from(state.failed_deliveries),
        state.last_event_at.map(ToSqlx::to_sqlx) as _,
        state.picked_up_at.map(ToSqlx::to_sqlx) as _,
        state.delivered_at.map(ToSqlx::to_sqlx) as _,
        state.received_by,
        state.proof.map(crate::domain::tracking::ProofKind::as_str),
        state.cash_collected,
        state.ended_code,
        state.ended_reason,
        state.version,
        state.updated_at.to_sqlx() as _,
        state.given_up_at.map(ToSqlx::to_sqlx) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes what only an erasure changes: who sent it, and what was noted of a person or a door.
pub async fn save_erased(connection: &mut PgConnection, shipment: &Shipment) -> Result<(), Error> {
    let state = shipment.state();
    let hubs = ScanKind::NAMES_A_HUB.map(|kind| kind.as_str().to_owned());
    sqlx::query!(
        "with t as (update tracking_events set detail = null, place = case when kind = any($3) then place end where shipment_id = $1)
         update shipments set sender = $2 where id = $1",
        state.id.uuid(),
        Json(&state.sender) as _,
        &hubs[..]
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The serial of the next tracking number; one is lost when a booking rolls back.
pub async fn next_serial(db: impl PgExecutor<'_>) -> Result<u64, Error> {
    let serial =
        sqlx::query_scalar!(r#"select nextval('tracking_serial') as "serial!""#).fetch_one(db).await?;
    Ok(serial.try_into()?)
}
