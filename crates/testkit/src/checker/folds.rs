//! Pickups, shipments, returns and customers: each row stands where its facts lead, by tables of what each fact does that are
//! written here once more. Of orders, `orders.rs` knows.

use std::collections::BTreeMap;

use anyhow::Result;
use quenty_kernel::id::{CustomerId, PickupId, ReturnId, ShipmentId};
use sqlx::{PgPool, Row};
use uuid::Uuid;

use super::Report;

/// A status, and what else is told of it: empty where nothing is.
type Stand = (String, String);

/// Something whose rows are the fold of its facts.
pub(super) struct Aggregate {
    pub(super) service: &'static str,
    name: &'static str,
    id: fn(Uuid) -> String,
    /// Each `id` with its `status`, and what it `keeps` beside it.
    rows: &'static str,
    /// Each `fact` of each `stream` in order, what it `says`, and what it gives the row to keep.
    facts: &'static str,
    /// Where a fact leads from a status, by what it says; what has not begun stands nowhere.
    leads: for<'a> fn(&'a str, &'a str, &'a str) -> &'a str,
}

pub(super) static AGGREGATES: [Aggregate; 4] = [
    // It keeps the local day and time from which the driver may come.
    Aggregate {
        service: "pickup",
        name: "pickup",
        id: |id| PickupId::from_uuid(id).to_string(),
        rows: "select id, status, coalesce(local_date::text || ' ' || to_char(window_start at time zone time_zone, 'HH24:MI'), '') as keeps
               from pickups",
        facts: "select stream, split_part(type, '.', 4) as fact, '' as says,
                       to_char((data->>'window_start')::timestamptz at time zone (data->>'time_zone'), 'YYYY-MM-DD HH24:MI') as keeps
                from quenty.journal where stream like 'PU-%' order by stream, stream_version",
        leads: pickup,
    },
    // It keeps the cash that was collected.
    Aggregate {
        service: "shipping",
        name: "shipment",
        id: |id| ShipmentId::from_uuid(id).to_string(),
        rows: "select id, status, case when cash_collected then coalesce(trim_scale(cash_amount)::text, 'no cash') else '' end as keeps
               from shipments",
        facts: "select stream, split_part(type, '.', 4) as fact, coalesce(data->>'status', '') as says,
                       case when type = 'quenty.shipping.cash.collected.v1'
                            then trim_scale((data->'amount'->>'amount')::numeric)::text end as keeps
                from quenty.journal where stream like 'SHIP-%' order by stream, stream_version",
        leads: shipment,
    },
    // It keeps what was paid back.
    Aggregate {
        service: "returns",
        name: "return",
        id: |id| ReturnId::from_uuid(id).to_string(),
        rows: "select id, case when status = state->>'status' then status else status || ' and ' || (state->>'status') end as status,
                      coalesce(trim_scale((state->'settlement'->'refunded'->>'amount')::numeric)::text, '') as keeps
               from returns",
        facts: "select stream, split_part(type, '.', 4) as fact, coalesce(data->>'complete', data->>'too_late', '') as says,
                       case when type = 'quenty.returns.return.refunded.v1'
                            then trim_scale((data->'amount'->>'amount')::numeric)::text end as keeps
                from quenty.journal where stream like 'RET-%' order by stream, stream_version",
        leads: goods_return,
    },
    // It keeps its name, and whether it is blocked.
    Aggregate {
        service: "customer",
        name: "customer",
        id: |id| CustomerId::from_uuid(id).to_string(),
        rows: "select id, case when erased_at is null then 'known' else 'erased' end as status, name || ', blocked: ' || blocked as keeps
               from customers",
        facts: "select j.stream, split_part(j.type, '.', 4) as fact, '' as says,
                       (p.data->>'name') || ', blocked: ' || (j.data->>'blocked') as keeps
                from quenty.journal j left join quenty.journal_personal p on p.event_id = j.id
                where j.stream like 'CUST-%' order by j.stream, j.stream_version",
        leads: customer,
    },
];

fn pickup<'a>(from: &'a str, fact: &'a str, _: &'a str) -> &'a str {
    match (from, fact) {
        ("", "scheduled" | "rejected") => fact,
        // A driver without network had collected it before.
        ("cancelled", "completed") => fact,
        // Told again to who asks late, or of what was never booked.
        ("" | "rejected" | "abandoned" | "cancelled", _) => from,
        (_, "assigned" | "completed" | "failed" | "abandoned" | "cancelled") => fact,
        (_, "unassigned" | "rescheduled") => "scheduled",
        (_, "started") => "in_progress",
        _ => from,
    }
}

fn shipment<'a>(from: &'a str, fact: &'a str, says: &'a str) -> &'a str {
    match (from, fact) {
        ("", "created") => "draft",
        // As of pickups.
        ("" | "rejected" | "voided", _) => from,
        ("draft", "booking_started") => "booking",
        ("draft" | "booking", "booked") => fact,
        // Told again to who asks again, of what has left before.
        ("picked_up", "departed") | (_, "released_by_customs") => "in_transit",
        (_, "held_by_customs") => "customs_hold",
        (_, "exception_raised") => "exception",
        (_, "exception_resolved") => says,
        (_, "rejected" | "voided" | "picked_up" | "out_for_delivery") => fact,
        (_, "delivered" | "undeliverable" | "returned" | "lost") => fact,
        _ => from,
    }
}

fn goods_return<'a>(from: &'a str, fact: &'a str, says: &'a str) -> &'a str {
    match (from, fact) {
        ("", "requested") => fact,
        ("", _) => from,
        // It is to end, and the driver is called off.
        (_, "pickup_booked") if says == "true" => from,
        (_, "pickup_booked") => "pickup_scheduled",
        (_, "departed") => "in_transit",
        (_, "given_back") => "approved",
        // Of goods that were brought meanwhile nobody has to come for.
        ("approved" | "pickup_scheduled" | "label_issued", "way_back_failed") => "approved",
        (_, "inspected") if says != "true" => from,
        // Of what a replacement left.
        ("exchanged", "refunded") => from,
        (_, "completed") => "closed",
        (_, "approved" | "rejected" | "disputed" | "label_issued" | "picked_up") => fact,
        (_, "received" | "inspected" | "processed" | "refunded" | "exchanged" | "disposed") => fact,
        (_, "cancelled" | "expired") => fact,
        _ => from,
    }
}

fn customer<'a>(from: &'a str, fact: &'a str, _: &'a str) -> &'a str {
    match (from, fact) {
        ("", "created") => "known",
        ("", _) => from,
        (_, "erased") => fact,
        _ => from,
    }
}

pub(super) async fn check(of: &Aggregate, db: &PgPool, report: &mut Report) -> Result<()> {
    let mut told: BTreeMap<String, Stand> = BTreeMap::new();
    for row in sqlx::query(of.facts).fetch_all(db).await? {
        let (fact, says): (String, String) = (row.get("fact"), row.get("says"));
        let (status, keeps) = told.entry(row.get("stream")).or_default();
        *status = (of.leads)(status, &fact, &says).to_owned();
        if let Some(kept) = row.get::<Option<String>, _>("keeps") {
            *keeps = kept;
        }
    }
    for row in sqlx::query(of.rows).fetch_all(db).await? {
        let (name, id) = (of.name, (of.id)(row.get("id")));
        let stands: Stand = (row.get("status"), row.get("keeps"));
        match told.remove(&id) {
            Some(facts) if facts == stands => {}
            Some(facts) => {
                report.find(format!("{name} {id} stands at {stands:?}, but its facts lead to {facts:?}"));
            }
            None => report.find(format!("{name} {id} has a row but no fact")),
        }
    }
    // What was never made may have been given up: that is told, and there is no row of it.
    for (id, _) in told.into_iter().filter(|(_, (status, _))| !status.is_empty()) {
        report.find(format!("{} {id} has facts but no row", of.name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(of: &str, facts: &[(&str, &str)]) -> String {
        let of = AGGREGATES.iter().find(|aggregate| aggregate.name == of).unwrap();
        facts.iter().fold(String::new(), |status, (fact, says)| (of.leads)(&status, fact, says).to_owned())
    }

    #[test]
    fn what_has_ended_or_never_begun_stays_so() {
        assert_eq!(fold("pickup", &[("cancelled", "")]), "");
        assert_eq!(fold("pickup", &[("requested", ""), ("rejected", ""), ("cancelled", "")]), "rejected");
        let late =
            [("scheduled", ""), ("assigned", ""), ("cancelled", ""), ("cancelled", ""), ("completed", "")];
        assert_eq!(fold("pickup", &late), "completed");
        assert_eq!(fold("shipment", &[("voided", "")]), "");
        assert_eq!(fold("shipment", &[("created", ""), ("booking_started", "")]), "booking");
        let rejected = [("created", ""), ("booking_started", ""), ("rejected", ""), ("voided", "")];
        assert_eq!(fold("shipment", &rejected), "rejected");
        let left = [("created", ""), ("picked_up", ""), ("departed", ""), ("out_for_delivery", "")];
        assert_eq!(fold("shipment", &left[..3]), "in_transit");
        assert_eq!(fold("shipment", &[&left[..], &[("departed", "")]].concat()), "out_for_delivery");
    }

    #[test]
    fn who_is_erased_is_never_known_again() {
        assert_eq!(fold("customer", &[("created", ""), ("updated", "")]), "known");
        assert_eq!(fold("customer", &[("created", ""), ("erased", ""), ("updated", "")]), "erased");
    }

    #[test]
    fn facts_that_say_more_lead_by_what_they_say() {
        let late = [
            ("created", ""),
            ("picked_up", ""),
            ("exception_raised", ""),
            ("exception_resolved", "customs_hold"),
        ];
        assert_eq!(fold("shipment", &late), "customs_hold");
        let part = [("requested", ""), ("approved", ""), ("received", "false"), ("inspected", "false")];
        assert_eq!(fold("return", &part), "received");
        assert_eq!(fold("return", &[&part[..], &[("inspected", "true")]].concat()), "inspected");
        let brought = [("requested", ""), ("approved", ""), ("received", "true"), ("way_back_failed", "")];
        assert_eq!(fold("return", &brought), "received");
        let ending = [("requested", ""), ("approved", ""), ("ending_asked", ""), ("pickup_booked", "true")];
        assert_eq!(fold("return", &ending), "approved");
        let goes_on = [("pickup_booked", "false"), ("ending_refused", "")];
        assert_eq!(fold("return", &[&ending[..], &goes_on].concat()), "pickup_scheduled");
    }
}
