//! What was once published is read for ever: `golden/` holds each event type with all of its fields. A field that is
//! removed, renamed or written otherwise does not come back out of its golden JSON.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends with what it found"
)]

use std::{collections::BTreeSet, fs, path::PathBuf};

use quenty_contracts::{auth, customer, order, pickup, returns, shipping};
use quenty_kernel::Event;
use serde_json::{Value, json};

/// One event type.
struct Published {
    kind: &'static str,
    personal: &'static [&'static str],
    /// Reads it and writes it again.
    again: fn(Value) -> Result<Value, serde_json::Error>,
}

fn published<E: Event>() -> Published {
    Published {
        kind: E::TYPE,
        personal: E::PERSONAL,
        again: |json| serde_json::to_value(serde_json::from_value::<E>(json)?),
    }
}

macro_rules! all {
    ($($module:ident: $($event:ident),+;)+) => { vec![$($(published::<$module::$event>()),+),+] };
}

fn events() -> Vec<Published> {
    all! {
        auth: UserRegistered, UserActivated, UserSuspended, UserReactivated, UserRolesChanged, SessionStarted, SessionEnded, SessionReuseDetected, LoginFailed, PasswordChanged, ApiKeyCreated, ApiKeyRevoked, MfaEnabled, MfaDisabled, RoleChanged;
        customer: CompanyRegistered, CompanyUpdated, CompanySubmitted, CompanyApproved, CompanyRejected, CompanySuspended, CompanyReactivated, CompanyClosed, KycSubmitted, KycVerified, KycRejected, MemberAdded, MemberRoleChanged, MemberRemoved, UserInvited, ProfileCreated, ProfileUpdated, UserDeactivated, CustomerCreated, CustomerUpdated, PrivacyRequested, ErasureRequested, PrivacyCompleted;
        order: ProductCreated, ProductUpdated, ProductArchived, WarehouseUpdated, StockReserved, StockReleased, StockIssued, StockReturned, StockReceived, StockAdjusted, StockFellLow, StockRecovered, OrderPlaced, OrderUpdated, OrderBackordered, OrderAllocated, OrderPaid, OrderConfirmed, OrderHeld, OrderResumed, ShipmentRequested, PickupRequested, OrderProcessingStarted, OrderCancelRequested, OrderCancelled, OrderCancelRefused, OrderPickedUp, OrderDeparted, OrderExceptionRaised, OrderExceptionResolved, OrderDelivered, OrderUndeliverable, OrderLost, OrderReturnedToSender, OrderReturned, OrdersFound, OrdersErased;
        pickup: PickupScheduled, PickupRejected, PickupAssigned, PickupUnassigned, PickupStarted, PickupArrived, PickupCompleted, PickupFailed, PickupRescheduled, PickupAbandoned, PickupCancelled, PickupCancelRefused, ExpressMissed, PickupsErased;
        returns: ReturnRequested, ReturnApproved, ReturnRejected, ReturnDisputed, ReturnPickupRequested, ReturnLabelRequested, ReturnLabelIssued, ReturnWayBackCancelRequested, ReturnPickedUp, ReturnReceived, ReturnInspected, ReturnProcessed, ReturnRefunded, ReturnExchanged, ReturnDisposed, ReturnCancelled, ReturnExpired, ReturnCompleted, ItemRestocked, ItemDisposed, ReturnsFound, ReturnsErased;
        shipping: ShipmentCreated, ShipmentBooked, ShipmentRejected, ShipmentVoided, ShipmentPickedUp, ShipmentDeparted, ShipmentHeldByCustoms, ShipmentReleasedByCustoms, ShipmentExceptionRaised, ShipmentExceptionResolved, ShipmentOutForDelivery, ShipmentDelivered, ShipmentUndeliverable, ShipmentReturned, ShipmentLost, CashCollected, ManifestSubmitted, ManifestApproved, ManifestRejected, ManifestShipped, ManifestDelivered, ShipmentsErased;
    }
}

/// Fields that came to an event after it was first published. Every fact of Pickup and Shipping about an order's
/// parcels has `return_id` besides.
const LATER: [(&str, &[&str]); 14] = [
    ("quenty.customer.privacy.erasure_requested.v1", &["round"]),
    ("quenty.order.privacy.erased.v1", &["round"]),
    ("quenty.pickup.privacy.erased.v1", &["round"]),
    ("quenty.returns.privacy.erased.v1", &["round"]),
    ("quenty.shipping.privacy.erased.v1", &["round"]),
    (
        "quenty.order.order.delivered.v1",
        &["paid", "consignee", "sender", "warehouse_id", "items", "external_reference"],
    ),
    ("quenty.order.order.shipment_requested.v1", &["ready_on"]),
    ("quenty.pickup.pickup.completed.v1", &["parcels_booked", "difference"]),
    ("quenty.pickup.pickup.failed.v1", &["at"]),
    ("quenty.pickup.pickup.rescheduled.v1", &["time_zone", "cost", "cost_items"]),
    ("quenty.returns.return.processed.v1", &["values"]),
    ("quenty.shipping.shipment.booked.v1", &["picked_up_at"]),
    ("quenty.shipping.shipment.created.v1", &["customer_id"]),
    ("quenty.shipping.shipment.picked_up.v1", &["promised_at"]),
];

fn later_fields(kind: &str, golden: &Value) -> Vec<&'static str> {
    let listed =
        LATER.iter().filter(|(later, _)| *later == kind).flat_map(|(_, fields)| fields.iter().copied());
    let of_returns = kind.starts_with("quenty.pickup.") || kind.starts_with("quenty.shipping.");
    let return_id = (of_returns && golden.get("order_id").is_some()).then_some("return_id");
    listed.chain(return_id).collect()
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn golden(kind: &str) -> Value {
    let path = folder("golden").join(format!("{kind}.json"));
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_event_comes_out_of_its_golden_json_as_it_went_in() {
    for event in events() {
        let golden = golden(event.kind);
        let again = (event.again)(golden.clone()).unwrap_or_else(|error| panic!("{}: {error}", event.kind));
        assert_eq!(again, golden, "{}", event.kind);
        assert!(!holds_null(&golden), "{} shows each of its fields", event.kind);
    }
}

/// Old consumers meet new publishers: during every rollout, and in every replay.
#[test]
fn what_a_later_version_adds_is_passed_over() {
    for event in events() {
        let golden = golden(event.kind);
        let mut later = golden.clone();
        add_a_field_everywhere(&mut later);
        let again = (event.again)(later).unwrap_or_else(|error| panic!("{}: {error}", event.kind));
        assert_eq!(again, golden, "{}", event.kind);
    }
}

/// Facts of before a field was told stand in journals, and on their way, without it.
#[test]
fn what_was_published_before_a_field_was_added_is_still_read() {
    let events = events();
    for (kind, _) in LATER {
        assert!(events.iter().any(|event| event.kind == kind), "{kind} is no event");
    }
    for event in events {
        let golden = golden(event.kind);
        let later = later_fields(event.kind, &golden);
        let mut older = golden.clone();
        for field in &later {
            let added = older.as_object_mut().and_then(|fields| fields.remove(*field));
            assert!(added.is_some(), "{} has no field {field}", event.kind);
        }
        let again = (event.again)(older.clone()).unwrap_or_else(|error| panic!("{}: {error}", event.kind));
        for (field, value) in again.as_object().expect("an event is an object") {
            let told = older.get(field);
            let empty = later.contains(&field.as_str())
                && (value.is_null() || *value == json!([]) || *value == json!(0));
            assert!(told == Some(value) || told.is_none() && empty, "{}: {field} is {value}", event.kind);
        }
    }
}

#[test]
fn personal_data_are_fields_of_their_events() {
    for event in events() {
        let golden = golden(event.kind);
        for name in event.personal {
            assert!(golden.get(name).is_some(), "{} has no field {name}", event.kind);
        }
    }
}

#[test]
fn every_event_of_the_sources_has_golden_json() {
    let listed: BTreeSet<String> = events().iter().map(|event| event.kind.to_owned()).collect();
    assert_eq!(declared(), listed, "the list in this file is that of the sources");
    let files = fs::read_dir(folder("golden")).expect("golden JSON").flatten();
    let kinds = files.map(|file| file.file_name().to_string_lossy().trim_end_matches(".json").to_owned());
    assert_eq!(kinds.collect::<BTreeSet<_>>(), listed, "a file for each, and none that is left over");
}

/// The types that the sources name.
fn declared() -> BTreeSet<String> {
    let sources = fs::read_dir(folder("src")).expect("sources").flatten();
    let texts = sources.map(|file| fs::read_to_string(file.path()).expect("a source"));
    let kinds = texts.flat_map(|text| {
        let quoted =
            text.split('"').filter(|part| part.starts_with("quenty.") && !part.contains(char::is_whitespace));
        quoted.map(str::to_owned).collect::<Vec<_>>()
    });
    kinds.collect()
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(holds_null),
        Value::Object(fields) => fields.values().any(holds_null),
        _ => false,
    }
}

fn add_a_field_everywhere(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(add_a_field_everywhere),
        Value::Object(fields) => {
            fields.values_mut().for_each(add_a_field_everywhere);
            fields.insert("of_a_later_version".to_owned(), json!({"any": ["thing"]}));
        }
        _ => {}
    }
}
