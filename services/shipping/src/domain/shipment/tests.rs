use super::*;
use crate::domain::tariff::{
    local, not_before,
    tests::{card, cop, parcel},
};
use crate::domain::tracking::{ExceptionCode, Scan};
use jiff::{SignedDuration, civil::Date};
use proptest::prelude::*;
use quenty_kernel::{Fact, id::new_uuid};

const KINDS: [ScanKind; 12] = [
    ScanKind::Scan,
    ScanKind::Departed,
    ScanKind::Arrived,
    ScanKind::CustomsHold,
    ScanKind::CustomsReleased,
    ScanKind::OutForDelivery,
    ScanKind::DeliveryFailed,
    ScanKind::Delivered,
    ScanKind::Undeliverable,
    ScanKind::Returned,
    ScanKind::Lost,
    ScanKind::Exception,
];

fn at(minute: i64) -> Timestamp {
    "2026-01-05T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
}

const BOGOTA: Option<&str> = Some("America/Bogota");

/// The same by the clocks of the company.
fn there(minute: i64) -> Zoned {
    local(at(minute), BOGOTA)
}

pub(crate) fn party(country: &str) -> Party {
    serde_json::from_value(serde_json::json!({
        "name": "Ana Gómez", "phone": "+573001234567",
        "address": {"line1": "Calle 26 # 59-51", "city": "Bogotá", "country": country},
    }))
    .unwrap()
}

fn created(cash: Option<Money>) -> ShipmentCreated {
    ShipmentCreated {
        shipment_id: ShipmentId::new(),
        company_id: CompanyId::new(),
        order_id: Some(OrderId::new()),
        return_id: None,
        attempt: 1,
        reference: Some("PED-1".to_owned()),
        carrier: "QTY".to_owned(),
        service: "standard".to_owned(),
        international: false,
        sender: party("CO"),
        consignee: party("CO"),
        parcels: vec![parcel(1_200)],
        items: Vec::new(),
        declared_value: cop("50000"),
        cash_on_delivery: cash,
        incoterm: None,
        customer_id: None,
    }
}

/// A booked shipment with every fact so far; promised by the end of Thursday in Bogotá.
fn booked(cash: Option<Money>) -> (Shipment, Vec<(ShipmentFact, Timestamp)>) {
    booked_by(BOGOTA, cash)
}

/// The same by other clocks.
fn booked_by(time_zone: Option<&str>, cash: Option<Money>) -> (Shipment, Vec<(ShipmentFact, Timestamp)>) {
    let (mut shipment, first) = Shipment::create(created(cash), at(-10));
    let from = local(at(-9), time_zone);
    let offer = card().offer(ServiceLevel::Standard, &[parcel(1_200)], cop("50000"), &from).unwrap();
    let started = shipment.start_booking(offer, at(-9)).unwrap();
    let number = TrackingNumber::new(7, "CO".parse().unwrap()).unwrap();
    let booked = shipment.book(number, at(-8)).unwrap();
    (shipment, vec![(first, at(-10)), (started, at(-9)), (booked, at(-8))])
}

fn scan(kind: ScanKind, minute: i64) -> Scan {
    Scan {
        event_id: new_uuid(),
        kind,
        at: at(minute),
        place: Some("Bogotá".parse().unwrap()),
        code: None,
        detail: Some("seen".parse().unwrap()),
        proof: Some(Proof { received_by: "Luis".parse().unwrap(), kind: ProofKind::Signature }),
        cash_collected: None,
    }
}

use crate::domain::tracking::Proof;

fn after(scans: &[(ScanKind, i64)]) -> Shipment {
    let (mut shipment, _) = booked(None);
    let mut reported = Reported::default();
    for (kind, minute) in scans {
        let report = scan(*kind, *minute);
        shipment.report(&report, reported, BOGOTA, at(*minute)).unwrap();
        remember(&mut reported, &report);
    }
    shipment
}

fn remember(reported: &mut Reported, report: &Scan) {
    if report.kind == ScanKind::CustomsHold {
        reported.held_at = reported.held_at.max(Some(report.at));
    }
    if ScanKind::MOVES.contains(&report.kind) {
        reported.moved_at = reported.moved_at.max(Some(report.at));
    }
}

fn status_after(scans: &[(ScanKind, i64)]) -> Status {
    after(scans).state().status
}

/// What a report makes known.
fn told(shipment: &mut Shipment, kind: ScanKind, minute: i64) -> Vec<&'static str> {
    told_since(None, shipment, kind, minute)
}

/// The same, once a hold by customs was reported.
fn told_since(
    held_at: Option<Timestamp>,
    shipment: &mut Shipment,
    kind: ScanKind,
    minute: i64,
) -> Vec<&'static str> {
    let reported = Reported { held_at, ..Reported::default() };
    let facts = shipment.report(&scan(kind, minute), reported, BOGOTA, at(minute)).unwrap();
    facts.iter().map(|fact| fact.kind().split('.').nth(3).unwrap()).collect()
}

#[test]
fn a_parcel_goes_from_hand_to_hand() {
    use ScanKind::*;
    for (scans, status) in [
        (&[(Scan, 0)][..], Status::PickedUp),
        (&[(Scan, 0), (Departed, 1), (Arrived, 2)], Status::InTransit),
        (&[(Departed, 1), (CustomsHold, 2)], Status::CustomsHold),
        (&[(Departed, 1), (CustomsHold, 2), (CustomsReleased, 3)], Status::InTransit),
        (&[(Departed, 1), (CustomsHold, 2), (CustomsHold, 4), (CustomsReleased, 3)], Status::CustomsHold),
        (&[(Departed, 1), (OutForDelivery, 2)], Status::OutForDelivery),
        (&[(OutForDelivery, 2), (DeliveryFailed, 3)], Status::Exception),
        (&[(OutForDelivery, 2), (DeliveryFailed, 3), (OutForDelivery, 4), (Delivered, 5)], Status::Delivered),
        (&[(Departed, 1), (Exception, 2), (Departed, 3)], Status::InTransit),
        (&[(Departed, 1), (Exception, 2), (Undeliverable, 3), (Returned, 4)], Status::Returned),
        (&[(Departed, 1), (Lost, 3)], Status::Lost),
    ] {
        assert_eq!(status_after(scans), status, "{scans:?}");
    }
}

#[test]
fn what_nobody_scanned_on_the_way_is_told_too() {
    let (mut shipment, _) = booked(None);
    let kinds = told(&mut shipment, ScanKind::Delivered, 5);
    assert_eq!(kinds, ["picked_up", "departed", "out_for_delivery", "delivered"]);
}

#[test]
fn reports_in_any_order_lead_to_the_same_end() {
    use ScanKind::*;
    let journey = [
        (Scan, 0),
        (Departed, 1),
        (CustomsHold, 2),
        (CustomsReleased, 3),
        (OutForDelivery, 4),
        (Delivered, 5),
    ];
    for rotation in 0..journey.len() {
        let mut shuffled = journey;
        shuffled.rotate_left(rotation);
        assert_eq!(status_after(&shuffled), Status::Delivered, "{shuffled:?}");
        shuffled.reverse();
        assert_eq!(status_after(&shuffled), Status::Delivered, "{shuffled:?}");
    }
    let late_hold = [(Departed, 1), (CustomsReleased, 3), (CustomsHold, 2)];
    assert_eq!(status_after(&late_hold), Status::InTransit);
}

#[test]
fn the_third_failed_delivery_ends_the_attempts() {
    use ScanKind::*;
    let twice = [(OutForDelivery, 0), (DeliveryFailed, 1), (OutForDelivery, 2), (DeliveryFailed, 3)];
    assert_eq!(status_after(&twice), Status::Exception);
    let thrice = after(&[twice[0], twice[1], twice[2], twice[3], (DeliveryFailed, 5)]);
    assert_eq!((thrice.state().status, thrice.state().failed_deliveries), (Status::Undeliverable, 3));
    let (mut shipment, _) = (thrice, ());
    assert!(matches!(
        shipment.report(&scan(Delivered, 6), Reported::default(), BOGOTA, at(6)),
        Err(ShipmentError::DoesNotFit { .. })
    ));
}

#[test]
fn what_was_delivered_before_it_was_given_up_is_delivered_however_late_that_is_told() {
    use ScanKind::*;
    // What is scanned on its way back does not move the moment.
    let given_up =
        [(OutForDelivery, 0), (DeliveryFailed, 1), (DeliveryFailed, 2), (DeliveryFailed, 5), (Scan, 8)];
    let mut shipment = after(&given_up);
    assert_eq!(shipment.state().status, Status::Undeliverable);
    assert_eq!(told(&mut shipment, Delivered, 4), ["delivered"]);
    let state = shipment.state();
    assert_eq!((state.status, state.delivered_at), (Status::Delivered, Some(at(4))));
    assert_eq!((state.given_up_at, &state.ended_reason), (None, &None));

    for minute in [5, 6] {
        let refused = after(&given_up).report(&scan(Delivered, minute), Reported::default(), BOGOTA, at(9));
        assert!(matches!(refused, Err(ShipmentError::DoesNotFit { .. })), "{minute}");
    }
    for end in [Returned, Lost] {
        let mut ended = after(&given_up);
        let _ = told(&mut ended, end, 9);
        let refused = ended.report(&scan(Delivered, 4), Reported::default(), BOGOTA, at(10));
        assert!(matches!(refused, Err(ShipmentError::DoesNotFit { .. })), "{end:?}");
    }
}

#[test]
fn what_is_known_to_have_moved_on_is_not_ended_by_an_older_report() {
    use ScanKind::*;
    for (scans, status) in [
        (&[(Departed, 5), (Undeliverable, 3)][..], Status::InTransit),
        (&[(Departed, 5), (Lost, 3)], Status::InTransit),
        (&[(OutForDelivery, 2), (DeliveryFailed, 4), (Undeliverable, 3)], Status::Exception),
        (&[(Departed, 1), (Undeliverable, 5), (Lost, 3)], Status::Undeliverable),
        (&[(Delivered, 5), (Undeliverable, 3), (Lost, 4)], Status::Delivered),
        (&[(Departed, 5), (Undeliverable, 5)], Status::Undeliverable),
        (&[(Departed, 5), (Lost, 5)], Status::Lost),
    ] {
        assert_eq!(status_after(scans), status, "{scans:?}");
    }
    let mut shipment = after(&[(Departed, 5)]);
    assert_eq!(told(&mut shipment, Lost, 3), ["scanned"]);
    assert_eq!(told(&mut shipment, Undeliverable, 4), ["scanned"]);
}

#[test]
fn a_hub_that_was_passed_later_hides_no_trouble() {
    use ScanKind::*;
    let failed = after(&[(OutForDelivery, 1), (Arrived, 3), (DeliveryFailed, 2)]);
    assert_eq!((failed.state().status, failed.state().failed_deliveries), (Status::Exception, 1));
    for (scans, status) in [
        (&[(Departed, 1), (Scan, 3), (Exception, 2)][..], Status::Exception),
        (&[(Departed, 1), (Arrived, 3), (CustomsHold, 2)], Status::CustomsHold),
        (&[(Departed, 1), (Exception, 2), (Arrived, 4), (Departed, 3)], Status::InTransit),
        (&[(OutForDelivery, 3), (DeliveryFailed, 2)], Status::OutForDelivery),
        (&[(Departed, 1), (Arrived, 3), (Lost, 2)], Status::InTransit),
        (&[(Departed, 1), (Arrived, 3), (Undeliverable, 2)], Status::InTransit),
    ] {
        assert_eq!(status_after(scans), status, "{scans:?}");
    }
}

#[test]
fn an_exception_hides_neither_a_hold_by_customs_nor_its_end() {
    use ScanKind::*;
    for (scans, status) in [
        (&[(CustomsHold, 1), (Exception, 2), (CustomsReleased, 3)][..], Status::Exception),
        (&[(CustomsHold, 1), (Exception, 2), (CustomsReleased, 3), (Departed, 4)], Status::InTransit),
        (&[(CustomsHold, 1), (Exception, 3), (CustomsReleased, 2), (Departed, 4)], Status::InTransit),
        (&[(CustomsHold, 1), (Exception, 2), (Departed, 4), (CustomsReleased, 3)], Status::InTransit),
        (&[(CustomsHold, 1), (Exception, 2), (CustomsReleased, 3), (CustomsHold, 4)], Status::CustomsHold),
        (&[(CustomsHold, 1), (Exception, 2), (CustomsHold, 3)], Status::Exception),
        (
            &[(CustomsHold, 1), (Exception, 2), (CustomsHold, 4), (CustomsReleased, 3), (Departed, 5)],
            Status::CustomsHold,
        ),
        (
            &[(CustomsHold, 1), (Exception, 2), (Departed, 5), (CustomsHold, 4), (CustomsReleased, 3)],
            Status::CustomsHold,
        ),
        (&[(CustomsHold, 1), (Exception, 2), (Departed, 3)], Status::CustomsHold),
        (&[(CustomsHold, 1), (Exception, 2), (OutForDelivery, 3)], Status::OutForDelivery),
    ] {
        assert_eq!(status_after(scans), status, "{scans:?}");
    }
}

#[test]
fn who_follows_does_not_take_the_end_of_an_exception_for_the_end_of_the_hold() {
    use ScanKind::*;
    let mut shipment = after(&[(CustomsHold, 1), (Exception, 2)]);
    assert_eq!(told(&mut shipment, CustomsHold, 3), ["scanned"]);
    assert_eq!(told(&mut shipment, Departed, 4), ["exception_resolved", "held_by_customs"]);
    assert_eq!(told(&mut shipment, CustomsReleased, 5), ["released_by_customs"]);

    let mut released = after(&[(CustomsHold, 1), (Exception, 2), (CustomsReleased, 3)]);
    assert_eq!(told(&mut released, Departed, 4), ["exception_resolved"]);
}

#[test]
fn a_release_from_before_the_newest_hold_is_told_to_nobody() {
    use ScanKind::*;
    let mut shipment = after(&[(Departed, 1), (CustomsHold, 2), (CustomsHold, 4)]);
    let newest = Some(at(4));
    assert_eq!(told_since(newest, &mut shipment, CustomsReleased, 3), ["scanned"]);
    assert_eq!(told_since(newest, &mut shipment, CustomsReleased, 4), ["released_by_customs"]);
}

#[test]
fn a_release_behind_an_exception_folds_as_it_was_written() {
    use ScanKind::*;
    let held = after(&[(CustomsHold, 1), (Exception, 2), (CustomsHold, 4)]);
    let shipment_id = held.state().id;
    let written = serde_json::json!({"shipment_id": shipment_id, "kind": "customs_released", "at": at(3)});
    for (outdated, resumes_at) in [(None, Status::InTransit), (Some(true), Status::CustomsHold)] {
        let mut data = written.clone();
        if let Some(outdated) = outdated {
            data["outdated"] = outdated.into();
        }
        let mut folded = held.clone();
        folded.apply(&ShipmentFact::Scanned(serde_json::from_value(data).unwrap()), at(5));
        assert_eq!(folded.state().resumes_at, Some(resumes_at), "{outdated:?}");
    }
}

#[test]
fn the_evening_of_the_promised_day_is_on_time_where_the_company_is() {
    for (delivered, on_time) in [("2026-01-09T01:30:00Z", true), ("2026-01-09T05:00:00Z", false)] {
        let (mut shipment, _) = booked(None);
        let delivered = delivered.parse().unwrap();
        let report = Scan { at: delivered, ..scan(ScanKind::Delivered, 0) };
        let facts = shipment.report(&report, Reported::default(), BOGOTA, delivered).unwrap();
        let told = facts.iter().find_map(|fact| match fact {
            ShipmentFact::Delivered(fact) => Some(fact.on_time),
            _ => None,
        });
        assert_eq!(told, Some(on_time), "{delivered}");
    }
}

#[test]
fn a_failed_delivery_counts_whatever_it_is_called() {
    let (mut shipment, _) = booked(None);
    for minute in 0..4 {
        let code = Some(ExceptionCode::DeliveryFailed);
        shipment
            .report(
                &Scan { code, ..scan(ScanKind::Exception, minute) },
                Reported::default(),
                BOGOTA,
                at(minute),
            )
            .unwrap();
    }
    assert_eq!((shipment.state().status, shipment.state().failed_deliveries), (Status::Undeliverable, 3));
}

#[test]
fn nothing_happens_to_a_shipment_before_it_was_made() {
    let (mut shipment, _) = booked(None);
    assert_eq!(
        shipment.report(&scan(ScanKind::Delivered, -11), Reported::default(), BOGOTA, at(0)),
        Err(ShipmentError::BeforeItWasMade)
    );
}

#[test]
fn followers_see_where_it_stands() {
    use ScanKind::*;
    for (scans, status) in [
        (&[][..], UnifiedStatus::Pending),
        (&[(Scan, 0)], UnifiedStatus::PickedUp),
        (&[(Departed, 1), (CustomsHold, 2)], UnifiedStatus::OnHold),
        (&[(Departed, 1), (Exception, 2)], UnifiedStatus::DeliveryDelayed),
        (&[(OutForDelivery, 1), (DeliveryFailed, 2)], UnifiedStatus::DeliveryFailed),
        // Nobody has tried.
        (&[(OutForDelivery, 1), (Exception, 2)], UnifiedStatus::DeliveryDelayed),
        (&[(Delivered, 2), (Scan, 3), (Departed, 4)], UnifiedStatus::Delivered),
        (&[(Departed, 1), (Undeliverable, 2), (Scan, 3)], UnifiedStatus::ReturnToSender),
        (&[(Departed, 1), (Lost, 2), (Arrived, 3)], UnifiedStatus::Lost),
    ] {
        assert_eq!(after(scans).state().unified(), status, "{scans:?}");
    }
}

#[test]
fn only_what_printers_have_is_booked() {
    for (name, city, refused) in [
        ("Łukasz Ñandú", "São Paulo", None),
        ("Иван", "Москва", Some("/consignee/name")),
        ("Ivan", "Москва", Some("/consignee/address/city")),
    ] {
        let mut made = created(None);
        made.consignee = serde_json::from_value(serde_json::json!({
            "name": name, "address": {"line1": "1", "city": city, "country": "CO"},
        }))
        .unwrap();
        let (shipment, _) = Shipment::create(made, at(0));
        let refusal = shipment.check_printable().err();
        assert_eq!(refusal, refused.map(|pointer| Refusal::Unprintable { pointer }), "{name}, {city}");
    }
}

#[test]
fn a_delivery_needs_proof_and_exactly_the_cash_that_is_due() {
    let (mut shipment, _) = booked(Some(cop("129900")));
    let given = |cash: Option<&str>| Scan { cash_collected: cash.map(cop), ..scan(ScanKind::Delivered, 1) };
    let without_proof = Scan { proof: None, ..given(Some("129900")) };
    assert_eq!(
        shipment.report(&without_proof, Reported::default(), BOGOTA, at(1)),
        Err(ShipmentError::ProofRequired)
    );
    for cash in [None, Some("129899.99"), Some("129900.01")] {
        assert_eq!(
            shipment.report(&given(cash), Reported::default(), BOGOTA, at(1)),
            Err(ShipmentError::CashMismatch { due: cop("129900") })
        );
    }
    assert_eq!(shipment.state().status, Status::Booked, "a refused report moves nothing");
    let facts = shipment.report(&given(Some("129900")), Reported::default(), BOGOTA, at(1)).unwrap();
    assert!(
        facts
            .iter()
            .any(|fact| matches!(fact, ShipmentFact::CashCollected(cash) if cash.amount == cop("129900")))
    );

    let (mut paid, _) = booked(None);
    assert_eq!(
        paid.report(&given(Some("1")), Reported::default(), BOGOTA, at(1)),
        Err(ShipmentError::NoCashDue)
    );
}

#[test]
fn nothing_is_voided_once_it_was_collected() {
    let (mut shipment, _) = booked(None);
    let mut collected = shipment.clone();
    let _ = shipment.void("the order was cancelled", at(0)).unwrap();
    assert_eq!(shipment.state().status, Status::Voided);
    assert!(shipment.report(&scan(ScanKind::Scan, 1), Reported::default(), BOGOTA, at(1)).is_err());
    assert!(shipment.pick_up(at(1), BOGOTA, at(1)).is_empty());

    assert_eq!(collected.pick_up(at(0), BOGOTA, at(0)).len(), 1);
    assert!(matches!(collected.void("too late", at(1)), Err(ShipmentError::IllegalTransition { .. })));
}

#[test]
fn the_consignee_is_corrected_at_home_and_before_the_pickup() {
    let (mut shipment, _) = booked(None);
    let moved = Party { name: "Beatriz".parse().unwrap(), ..party("CO") };
    assert!(shipment.correct_consignee(&moved, at(0)).unwrap().is_some());
    assert_eq!(shipment.correct_consignee(&moved, at(0)), Ok(None), "it is the same by now");
    assert_eq!(shipment.correct_consignee(&party("MX"), at(0)), Err(ShipmentError::AnotherCountry));
    let _ = shipment.pick_up(at(1), BOGOTA, at(1));
    assert_eq!(shipment.correct_consignee(&party("MX"), at(2)), Ok(None));
}

#[test]
fn without_an_offer_a_booking_can_only_be_rejected() {
    let (mut shipment, _) = Shipment::create(created(None), at(0));
    let _ = shipment.start_booking(None, at(0)).unwrap();
    assert!(shipment.book(TrackingNumber::new(1, "CO".parse().unwrap()).unwrap(), at(0)).is_err());
    let _ = shipment.reject(&Refusal::NoRate, at(0)).unwrap();
    assert_eq!(shipment.state().ended_code.as_deref(), Some("NO_RATE"));
}

/// What a parcel of that Monday is promised for, once it is first seen like this: as it is printed, told and kept.
fn promised_once_seen(
    time_zone: Option<&str>,
    kind: ScanKind,
    seen: &str,
) -> (Option<Date>, Option<Timestamp>, Option<Timestamp>) {
    let (mut shipment, mut journal) = booked_by(time_zone, None);
    let seen = seen.parse().unwrap();
    let report = Scan { at: seen, ..scan(kind, 0) };
    let facts = shipment.report(&report, Reported::default(), time_zone, seen).unwrap();
    let told = facts.iter().find_map(|fact| match fact {
        ShipmentFact::PickedUp(fact) => Some(fact.promised_at),
        _ => None,
    });
    journal.extend(facts.into_iter().map(|fact| (fact, seen)));
    assert_eq!(Shipment::fold(journal).as_ref(), Some(&shipment));
    assert_eq!(shipment.state().picked_up_at, Some(seen), "{time_zone:?}");
    let printed = shipment.state().offer.as_ref().and_then(|offer| offer.promised_date);
    (printed, told.unwrap(), shipment.state().promised_at)
}

#[test]
fn what_is_collected_late_is_promised_anew() {
    use ScanKind::*;
    let day = |day: &str| day.parse::<Date>().unwrap();
    for (time_zone, kind, seen, promised, is_renewed) in [
        (BOGOTA, Scan, "2026-01-05T20:00:00Z", "2026-01-08", false),
        // The same Monday there.
        (BOGOTA, Scan, "2026-01-06T02:00:00Z", "2026-01-08", false),
        (BOGOTA, Scan, "2026-01-08T12:00:00Z", "2026-01-13", true),
        (BOGOTA, Departed, "2026-01-06T12:00:00Z", "2026-01-09", true),
        // Nobody knows when it was collected.
        (BOGOTA, OutForDelivery, "2026-01-08T12:00:00Z", "2026-01-08", false),
        (None, Scan, "2026-01-05T20:00:00Z", "2026-01-08", false),
        (None, Scan, "2026-01-06T02:00:00Z", "2026-01-09", true),
        (None, Departed, "2026-01-08T02:00:00Z", "2026-01-13", true),
        (None, OutForDelivery, "2026-01-08T12:00:00Z", "2026-01-08", false),
    ] {
        let clocks = local(at(0), time_zone).time_zone().clone();
        let end = day(promised).at(23, 59, 59, 0).to_zoned(clocks).unwrap().timestamp();
        let known = (Some(day(promised)), is_renewed.then_some(end), Some(end));
        assert_eq!(promised_once_seen(time_zone, kind, seen), known, "{time_zone:?} {kind:?} {seen}");
    }
}

#[test]
fn it_is_collected_when_the_driver_says_by_whatever_clocks() {
    for time_zone in [BOGOTA, None] {
        let (mut shipment, _) = booked_by(time_zone, None);
        let _ = shipment.pick_up(at(1), time_zone, at(2));
        let state = shipment.state();
        assert_eq!((state.picked_up_at, state.last_event_at), (Some(at(1)), Some(at(1))), "{time_zone:?}");
        assert_eq!(state.updated_at, at(2), "{time_zone:?}");
    }
}

#[test]
fn a_promise_for_a_later_day_is_not_brought_forward() {
    let (mut shipment, _) = Shipment::create(created(None), at(-10));
    let from = not_before(Some("2026-01-26".parse().unwrap()), there(-9));
    let offer = card().offer(ServiceLevel::Standard, &[parcel(1_200)], cop("50000"), &from).unwrap();
    assert_eq!(offer.as_ref().unwrap().promised_date, Some("2026-01-29".parse().unwrap()));
    let _ = shipment.start_booking(offer, at(-9)).unwrap();
    assert!(shipment.promise_anew(&there(0), at(0)).is_none());
    let _ = shipment.book(TrackingNumber::new(7, "CO".parse().unwrap()).unwrap(), at(0)).unwrap();
    let promised_at = shipment.state().promised_at;
    assert_eq!(shipment.pick_up(at(1), BOGOTA, at(1)).len(), 1);
    assert_eq!(shipment.state().promised_at, promised_at);
}

#[test]
fn a_repeated_request_hears_what_is_true_and_moves_nothing() {
    let answer = |shipment: &mut Shipment| shipment.answer_again(at(9)).map(|fact| fact.kind().to_owned());
    let (mut shipment, _) = booked(None);
    for collected in [false, true] {
        if collected {
            let _ = shipment.pick_up(at(1), BOGOTA, at(1));
        }
        let before = shipment.state().clone();
        assert_eq!(answer(&mut shipment).as_deref(), Some("quenty.shipping.shipment.booked.v1"));
        let after = shipment.state();
        assert_eq!((after.status, after.promised_at), (before.status, before.promised_at));
        assert_eq!(shipment.tell_departed(at(9)), None, "nothing has left yet");
    }
    let _ = told(&mut shipment, ScanKind::Delivered, 10);
    assert_eq!(answer(&mut shipment), None);

    let (mut rejected, _) = Shipment::create(created(None), at(0));
    let _ = rejected.start_booking(None, at(0)).unwrap();
    assert_eq!(answer(&mut rejected), None, "it is not decided yet");
    let refused = rejected.reject(&Refusal::NoRate, at(0)).unwrap();
    assert_eq!(rejected.answer_again(at(1)), Some(refused));
    assert_eq!(rejected.state().status, Status::Rejected);
    let (mut voided, _) = booked(None);
    let _ = voided.void("the order was cancelled", at(0)).unwrap();
    assert_eq!(answer(&mut voided), None);
}

#[test]
fn who_asks_again_hears_that_the_parcels_have_left_and_nothing_moves() {
    use ScanKind::*;
    for (scans, is_told) in [
        (&[(Departed, 1)][..], true),
        (&[(Departed, 1), (OutForDelivery, 2)], true),
        (&[(Departed, 1), (CustomsHold, 2)], false),
        (&[(Departed, 1), (Exception, 2)], false),
    ] {
        let mut shipment = after(scans);
        let before = shipment.state().clone();
        let Some(ShipmentFact::Booked(answer)) = shipment.answer_again(at(9)) else { panic!("{scans:?}") };
        assert_eq!(answer.picked_up_at, Some(at(1)), "nobody has to fetch them: {scans:?}");
        let departed = shipment.tell_departed(at(9));
        assert_eq!(matches!(departed, Some(ShipmentFact::Departed(_))), is_told, "{scans:?}");
        let version = before.version + 1 + i64::from(is_told);
        let after = ShipmentState { version, updated_at: at(9), ..before };
        assert_eq!(*shipment.state(), after, "{scans:?}");
    }
}

proptest! {
    #[test]
    fn holds_and_releases_lead_to_the_same_end_in_whatever_order_they_come(
        reports in prop::collection::vec(0..3_usize, 1..8)
            .prop_map(|kinds| kinds.into_iter().zip(1_i64..).collect::<Vec<_>>())
            .prop_shuffle()
    ) {
        let kinds = [ScanKind::CustomsHold, ScanKind::CustomsReleased, ScanKind::Arrived];
        let mut scans = vec![(ScanKind::Departed, 0)];
        scans.extend(reports.into_iter().map(|(kind, minute)| (kinds[kind], minute)));
        let moves = scans.iter().filter(|(kind, _)| *kind != ScanKind::Arrived);
        let newest = moves.max_by_key(|(_, minute)| *minute).unwrap().0;
        let status = if newest == ScanKind::CustomsHold { Status::CustomsHold } else { Status::InTransit };
        prop_assert_eq!(status_after(&scans), status, "{:?}", scans);
    }

    #[test]
    fn any_reports_make_only_legal_moves_and_fold_back(
        reports in prop::collection::vec((0..KINDS.len(), -5_i64..60, any::<bool>()), 0..40), pays in any::<bool>()
    ) {
        let cash = pays.then(|| cop("1000"));
        let codes = [None, Some(if pays { ExceptionCode::DeliveryFailed } else { ExceptionCode::Damaged })];
        let (mut shipment, mut journal) = booked(cash);
        let mut reported = Reported::default();
        for (now, (kind, minute, good)) in reports.into_iter().enumerate() {
            let now = at(i64::try_from(now).unwrap());
            let report = Scan {
                cash_collected: cash.filter(|_| good),
                code: codes[usize::from(good)],
                ..scan(KINDS[kind], minute)
            };
            let before = shipment.clone();
            match shipment.report(&report, reported, BOGOTA, now) {
                Ok(facts) => {
                    remember(&mut reported, &report);
                    let mut replayed = before;
                    for fact in facts {
                        let from = replayed.state().status;
                        replayed.apply(&fact, now);
                        let to = replayed.state().status;
                        prop_assert!(from == to || from.can_become(to), "{:?} → {:?} by {:?}", from, to, report.kind);
                        journal.push((fact, now));
                    }
                }
                Err(_) => prop_assert_eq!(&shipment, &before),
            }
            prop_assert!(shipment.state().failed_deliveries <= MAX_FAILED_DELIVERIES);
        }
        let written: Vec<_> = journal
            .into_iter()
            .map(|(fact, at)| (ShipmentFact::read(fact.kind(), fact.data().unwrap()).unwrap(), at))
            .collect();
        prop_assert_eq!(Shipment::fold(written), Some(shipment));
    }
}
