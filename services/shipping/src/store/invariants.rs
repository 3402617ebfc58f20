//! What is true of Shipping's tables at any moment, for `quenty doctor`.

use quenty_platform::service::Invariant;

pub const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "manifest_totals",
        about: "a manifest's totals are those of its shipments",
        violations: "select m.id from manifests m left join manifest_items i on i.manifest_id = m.id group by m.id
                     having m.shipment_count <> count(i.shipment_id) or m.weight_grams <> coalesce(sum(i.weight_grams), 0)",
    },
    Invariant {
        name: "voided_shipments_travel_on_no_manifest",
        about: "what is not collected any more is on no list of what leaves",
        violations: "select s.id from shipments s join manifest_items i on i.shipment_id = s.id where s.status = 'voided'",
    },
    Invariant {
        name: "nothing_is_booked_for_cancelled_orders",
        about: "a cancelled order's shipment is voided, unless its parcels were collected before",
        violations: "select s.id from shipments s join cancelled_orders c on c.order_id = s.order_id where s.status in ('draft', 'booking', 'booked')",
    },
    Invariant {
        name: "nothing_is_booked_for_cancelled_return_requests",
        about: "a return's request that was given up before it came has no shipment",
        violations: "select s.id from shipments s join cancelled_return_requests c on c.return_id = s.return_id and c.attempt = s.attempt",
    },
];
