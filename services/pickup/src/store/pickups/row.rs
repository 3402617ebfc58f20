//! A pickup's row and the domain's state, one into the other.

use jiff::{civil::Date, tz::TimeZone};
use quenty_contracts::pickup::CostItem;
use quenty_kernel::{
    currency::Currency,
    id::{CompanyId, DriverId, OrderId, PickupId, ReturnId, ServiceAreaId},
    money::Money,
};
use quenty_platform::{Error, Result};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    domain::{
        booking::BookingRequest,
        fees::Cost,
        pickup::{Pickup, PickupState, Promise, Reason, Status},
        timetable::Window,
    },
    store::{document, unreadable},
};

pub(super) struct PickupRow {
    pub(super) id: Uuid,
    pub(super) company_id: Uuid,
    pub(super) order_id: Option<Uuid>,
    pub(super) return_id: Option<Uuid>,
    pub(super) attempt: i32,
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) contact: Value,
    pub(super) parcels: Value,
    pub(super) insured_amount: Option<Decimal>,
    pub(super) insured_currency: Option<String>,
    pub(super) packaging: bool,
    pub(super) wanted: Value,
    pub(super) tracking_number: Option<String>,
    pub(super) area_id: Option<Uuid>,
    pub(super) time_zone: Option<String>,
    pub(super) window_start: Option<jiff_sqlx::Timestamp>,
    pub(super) window_end: Option<jiff_sqlx::Timestamp>,
    pub(super) slot_start: Option<jiff_sqlx::Timestamp>,
    pub(super) currency: Option<String>,
    pub(super) cost_amount: Option<Decimal>,
    pub(super) cost_items: Value,
    pub(super) driver_id: Option<Uuid>,
    pub(super) guaranteed_until: Option<jiff_sqlx::Timestamp>,
    pub(super) refund_amount: Option<Decimal>,
    pub(super) started_at: Option<jiff_sqlx::Timestamp>,
    pub(super) arrived_at: Option<jiff_sqlx::Timestamp>,
    pub(super) failures: Value,
    pub(super) merchant_reschedules: i32,
    pub(super) proof: Option<Value>,
    pub(super) reason_code: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) cancelled_at: Option<jiff_sqlx::Timestamp>,
    pub(super) version: i64,
    pub(super) created_at: jiff_sqlx::Timestamp,
    pub(super) updated_at: jiff_sqlx::Timestamp,
}

fn money(amount: Option<Decimal>, currency: Option<&str>) -> Result<Option<Money>> {
    let (Some(amount), Some(currency)) = (amount, currency) else { return Ok(None) };
    let currency: Currency = currency.parse().map_err(|_| unreadable("currency"))?;
    Money::new(amount, currency).map(Some).map_err(|_| unreadable("amount"))
}

fn number(value: i32) -> Result<u32> {
    u32::try_from(value).map_err(|_| unreadable("number"))
}

impl PickupRow {
    fn request(&mut self) -> Result<BookingRequest> {
        Ok(BookingRequest {
            company_id: CompanyId::from_uuid(self.company_id),
            order_id: self.order_id.map(OrderId::from_uuid),
            return_id: self.return_id.map(ReturnId::from_uuid),
            attempt: number(self.attempt)?,
            kind: self.kind.parse().map_err(|_| unreadable("kind"))?,
            wanted: document(self.wanted.take())?,
            contact: document(self.contact.take())?,
            parcels: document(self.parcels.take())?,
            insured_value: money(self.insured_amount, self.insured_currency.as_deref())?,
            packaging: self.packaging,
            tracking_number: self.tracking_number.take(),
        })
    }

    fn promise(&mut self) -> Result<Option<Promise>> {
        let (Some(area), Some(time_zone), Some(start), Some(end)) =
            (self.area_id, self.time_zone.take(), self.window_start, self.window_end)
        else {
            return Ok(None);
        };
        let total = money(self.cost_amount, self.currency.as_deref())?.ok_or_else(|| unreadable("cost"))?;
        let items: Vec<CostItem> = document(self.cost_items.take())?;
        Ok(Some(Promise {
            area_id: ServiceAreaId::from_uuid(area),
            time_zone,
            window: Window { start: start.to_jiff(), end: end.to_jiff() },
            cost: Cost { total, items },
            guaranteed_until: self.guaranteed_until.map(|at| at.to_jiff()),
        }))
    }
}

impl TryFrom<PickupRow> for Pickup {
    type Error = Error;

    fn try_from(mut row: PickupRow) -> Result<Self> {
        let status: Status = row.status.parse().map_err(|_| unreadable("status"))?;
        // Rows of before do not tell it, nor do those of an older process beside this one.
        let cancelled_at = row.cancelled_at.or((status == Status::Cancelled).then_some(row.updated_at));
        Ok(Self::restore(PickupState {
            id: PickupId::from_uuid(row.id),
            request: row.request()?,
            status,
            promise: row.promise()?,
            slot_start: row.slot_start.map(|at| at.to_jiff()),
            driver_id: row.driver_id.map(DriverId::from_uuid),
            started_at: row.started_at.map(|at| at.to_jiff()),
            arrived_at: row.arrived_at.map(|at| at.to_jiff()),
            failures: document(row.failures)?,
            merchant_reschedules: number(row.merchant_reschedules)?,
            cancelled_at: cancelled_at.map(|at| at.to_jiff()),
            refund: money(row.refund_amount, row.currency.as_deref())?,
            proof: row.proof.map(document).transpose()?,
            reason: row.reason.map(|text| Reason { code: row.reason_code, text }),
            version: row.version,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        }))
    }
}

/// The columns that are not simply a field of the state.
pub(super) struct Stored {
    pub(super) attempt: i32,
    pub(super) contact: Value,
    pub(super) parcels: Value,
    pub(super) wanted: Value,
    pub(super) area_id: Option<Uuid>,
    pub(super) time_zone: Option<String>,
    pub(super) local_date: Option<Date>,
    pub(super) currency: Option<&'static str>,
    pub(super) cost_amount: Option<Decimal>,
    pub(super) cost_items: Value,
    pub(super) failures: Value,
    pub(super) merchant_reschedules: i32,
    pub(super) proof: Option<Value>,
}

impl TryFrom<&Pickup> for Stored {
    type Error = Error;

    fn try_from(pickup: &Pickup) -> Result<Self> {
        let promise = pickup.promise.as_ref();
        let small = |value: u32| i32::try_from(value).map_err(Error::internal);
        Ok(Self {
            attempt: small(pickup.request.attempt)?,
            contact: serde_json::to_value(&pickup.request.contact)?,
            parcels: serde_json::to_value(&pickup.request.parcels)?,
            wanted: serde_json::to_value(&pickup.request.wanted)?,
            area_id: promise.map(|promise| promise.area_id.uuid()),
            time_zone: promise.map(|promise| promise.time_zone.clone()),
            local_date: promise.map(local_date).transpose()?,
            currency: promise.map(|promise| promise.cost.total.currency().code()),
            cost_amount: promise.map(|promise| promise.cost.total.amount()),
            cost_items: serde_json::to_value(promise.map_or(&[][..], |promise| &promise.cost.items))?,
            failures: serde_json::to_value(&pickup.failures)?,
            merchant_reschedules: small(pickup.merchant_reschedules)?,
            proof: pickup.proof.as_ref().map(serde_json::to_value).transpose()?,
        })
    }
}

fn local_date(promise: &Promise) -> Result<Date> {
    let zone = TimeZone::get(&promise.time_zone).map_err(Error::internal)?;
    Ok(promise.window.start.to_zoned(zone).date())
}
