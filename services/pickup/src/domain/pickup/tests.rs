use jiff::ToSpan;
use proptest::prelude::*;
use quenty_kernel::{Fact, currency::Currency, id::CompanyId, id::OrderId, money::Money};
use serde_json::json;

use super::*;
use crate::domain::{booking::Wanted, fees::FeeTableIn, service_area::tests::area};

fn start_of_day() -> Timestamp {
    "2026-05-05T14:00:00Z".parse().unwrap()
}

fn request(kind: PickupKind) -> BookingRequest {
    BookingRequest {
        company_id: CompanyId::new(),
        order_id: Some(OrderId::new()),
        return_id: None,
        attempt: 1,
        kind,
        wanted: Wanted::default(),
        contact: serde_json::from_value(json!({
            "name": "Tienda Luz",
            "address": {"line1": "Calle 1", "city": "México", "postal_code": "06700", "country": "MX"}
        }))
        .unwrap(),
        parcels: vec![serde_json::from_value(json!({"weight_grams": 1200})).unwrap()],
        insured_value: None,
        packaging: false,
        tracking_number: None,
    }
}

fn booked(kind: PickupKind) -> (Pickup, Vec<PickupFact>) {
    let now = start_of_day();
    let area = area("America/Mexico_City", json!([{"day": "tuesday", "opens": "08:00", "closes": "18:00"}]));
    let request = request(kind);
    let cost = area.definition.fees.price(&request.priced()).unwrap();
    let window = Window { start: now, end: now + 1.hour() };
    let placement = Placement { area, window, slot_start: now, cost };
    let (pickup, facts) = Pickup::schedule(PickupId::new(), request, &placement, now);
    (pickup, facts.to_vec())
}

fn fees() -> FeeTable {
    FeeTable::new(Currency::MXN, &FeeTableIn::default()).unwrap()
}

fn hand_over() -> HandOver {
    HandOver {
        parcel_count: 1,
        difference: None,
        weight_grams: Some(Grams::new(1_300).unwrap()),
        handed_over_by: Some("Luz Marín".parse().unwrap()),
        position: Some(GeoPoint::new(19.4, -99.1).unwrap()),
        signature_svg: Some(Signature::try_from("<svg></svg>".to_owned()).unwrap()),
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Update,
    Assign,
    Unassign,
    Start,
    Arrive,
    Complete,
    Fail,
    Abandon,
    Reschedule(RescheduledBy),
    Cancel,
    AnswerCancel,
    AnswerAgain,
    MissExpress,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => Just(Step::Update),
        4 => Just(Step::Assign),
        1 => Just(Step::Unassign),
        4 => Just(Step::Start),
        2 => Just(Step::Arrive),
        1 => Just(Step::Complete),
        2 => Just(Step::Fail),
        1 => Just(Step::Abandon),
        1 => Just(Step::Reschedule(RescheduledBy::Merchant)),
        1 => Just(Step::Reschedule(RescheduledBy::Dispatcher)),
        2 => Just(Step::Reschedule(RescheduledBy::AfterFailure)),
        1 => Just(Step::Cancel),
        1 => Just(Step::AnswerCancel),
        1 => Just(Step::AnswerAgain),
        1 => Just(Step::MissExpress),
    ];
    proptest::collection::vec(step, 0..40)
}

fn walk(pickup: &mut Pickup, step: Step, now: Timestamp) -> Result<Vec<PickupFact>, PickupError> {
    let one = |fact: PickupFact| vec![fact];
    match step {
        Step::Update => {
            let change = ContactChange { name: Some("Ana".parse().unwrap()), ..ContactChange::default() };
            pickup.update(change, now).map(one)
        }
        Step::Assign => pickup.assign(DriverId::new(), now).map(one),
        Step::Unassign => pickup.unassign(&"dropped out".parse().unwrap(), now).map(one),
        Step::Start => pickup.start(now).map(one),
        Step::Arrive => pickup.arrive(None, None, now).map(|fact| fact.into_iter().collect()),
        Step::Complete => pickup.complete(None, hand_over(), now),
        Step::Fail => pickup.fail(FailureCode::Closed, None, None, None, now),
        Step::Abandon => pickup.abandon(now).map(one),
        Step::Reschedule(by) => {
            let cost = pickup.cost_once_moved(by, &fees());
            pickup.reschedule(Window { start: now + 1.hour(), end: now + 3.hours() }, cost, by, now).map(one)
        }
        Step::Cancel => pickup.cancel("no longer needed", now).map(one),
        Step::AnswerCancel => Ok(one(pickup.answer_cancel_request("no longer needed", now))),
        Step::AnswerAgain => Ok(pickup.answer_again(now).into_iter().collect()),
        Step::MissExpress => Ok(pickup.miss_express(now).into_iter().collect()),
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_facts_rebuild_the_pickup(steps in steps(), express: bool) {
        let (mut pickup, mut journal) = booked(if express { PickupKind::Express } else { PickupKind::Scheduled });
        let mut now = start_of_day();
        let mut told: Vec<(PickupFact, Timestamp)> = journal.drain(..).map(|fact| (fact, now)).collect();
        for step in steps {
            now += 10.minutes();
            let (before, status) = (pickup.clone(), pickup.status);
            match walk(&mut pickup, step, now) {
                Ok(facts) => told.extend(facts.into_iter().map(|fact| (fact, now))),
                Err(_) => prop_assert_eq!(&pickup, &before, "a refused step changed something"),
            }
            prop_assert!(status == pickup.status || status.may_become(pickup.status), "{:?} → {:?}", status, pickup.status);
            prop_assert!(pickup.merchant_reschedules <= MAX_MERCHANT_RESCHEDULES);
            prop_assert_eq!(pickup.proof.is_some(), pickup.status == Status::Completed);
        }
        let read_back = told.iter().map(|(fact, at)| (PickupFact::read(fact.kind(), fact.data().unwrap()).unwrap(), *at));
        prop_assert_eq!(PickupState::fold(read_back).map(Pickup::restore), Some(pickup));
    }
}

#[test]
fn a_hand_over_is_proved_and_its_count_is_what_was_booked_or_says_why_not() {
    let (mut pickup, _) = booked(PickupKind::Scheduled);
    let now = start_of_day();
    pickup.assign(DriverId::new(), now).map(drop).unwrap();
    pickup.start(now).map(drop).unwrap();
    let unproved = HandOver { handed_over_by: None, signature_svg: None, ..hand_over() };
    assert_eq!(pickup.complete(None, unproved, now), Err(PickupError::ProofRequired));
    let two = HandOver { parcel_count: 2, ..hand_over() };
    assert_eq!(pickup.complete(None, two.clone(), now), Err(PickupError::CountDiffers { booked: 1 }));
    let explained = HandOver { difference: Some("one more".parse().unwrap()), ..two };
    let facts = pickup.complete(None, explained, now).unwrap();
    let PickupFact::Completed(fact) = &facts[0] else { panic!("not completed") };
    assert_eq!(
        (fact.parcel_count, fact.parcels_booked, fact.difference.as_deref()),
        (2, Some(1), Some("one more"))
    );
}

#[test]
fn another_window_is_told_with_its_time_zone() {
    let (mut pickup, _) = booked(PickupKind::Scheduled);
    let window = Window { start: start_of_day() + 1.hour(), end: start_of_day() + 3.hours() };
    let fact = pickup.reschedule(window, None, RescheduledBy::Dispatcher, start_of_day()).unwrap();
    let PickupFact::Rescheduled(fact) = fact else { panic!("not rescheduled") };
    assert_eq!(fact.time_zone.as_deref(), Some("America/Mexico_City"));
}

#[test]
fn of_who_was_erased_no_note_is_rebuilt_that_was_written_before_notes_were_personal() {
    let (mut pickup, booked) = booked(PickupKind::Scheduled);
    let now = start_of_day();
    let assigned = pickup.assign(DriverId::new(), now).unwrap();
    let started = pickup.start(now).unwrap();
    let note = "the porter says that she moved".parse().unwrap();
    let failed = pickup.fail(FailureCode::NotReady, Some(note), None, None, now).unwrap();
    // What an erasure leaves of facts whose notes are not beside the chain.
    let erased = |fact: PickupFact| -> PickupFact {
        match fact {
            PickupFact::Requested(fact) => BookingRequest { contact: fact.contact.erased(), ..fact }.into(),
            PickupFact::Scheduled(fact) => PickupScheduled { contact: fact.contact.erased(), ..fact }.into(),
            fact => fact,
        }
    };
    let facts = booked.into_iter().chain([assigned, started]).chain(failed);
    let folded = PickupState::fold(facts.map(|fact| (erased(fact), now))).unwrap();
    assert_eq!((folded.failures.len(), &folded.failures[0].detail), (1, &None));
}

#[test]
fn a_rejected_pickup_is_rebuilt_from_its_facts() {
    let (pickup, facts) = Pickup::reject(
        PickupId::new(),
        request(PickupKind::Scheduled),
        Unbookable::NoCapacity,
        start_of_day(),
    );
    let folded = PickupState::fold(facts.map(|fact| (fact, start_of_day())));
    assert_eq!(folded.map(Pickup::restore), Some(pickup));
}

#[test]
fn an_answer_to_a_request_that_was_never_made_is_no_pickup() {
    let cancelled = PickupCancelled {
        pickup_id: PickupId::new(),
        order_id: None,
        return_id: None,
        reason: "gone".to_owned(),
    };
    assert_eq!(PickupState::fold([(cancelled.into(), start_of_day())]), None);
}

#[test]
fn once_the_driver_has_begun_an_order_cannot_cancel() {
    let (mut pickup, _) = booked(PickupKind::Scheduled);
    let now = start_of_day();
    pickup.assign(DriverId::new(), now).map(drop).unwrap();
    pickup.start(now).map(drop).unwrap();
    assert!(pickup.cancel("too late", now).is_err());
    let answer = pickup.answer_cancel_request("too late", now);
    assert!(matches!(answer, PickupFact::CancelRefused(ref refused) if refused.status == "in_progress"));
    assert_eq!(pickup.status, Status::InProgress);
}

#[test]
fn an_order_that_asks_after_the_end_hears_that_nobody_comes_and_the_end_stays() {
    let (mut pickup, _) = Pickup::reject(
        PickupId::new(),
        request(PickupKind::Scheduled),
        Unbookable::NoCapacity,
        start_of_day(),
    );
    assert!(matches!(pickup.answer_cancel_request("why", start_of_day()), PickupFact::Cancelled(_)));
    assert_eq!(pickup.status, Status::Rejected);
}

#[test]
fn an_express_pickup_whose_driver_came_in_time_keeps_its_fee() {
    let (late, early) = (start_of_day() + 61.minutes(), start_of_day() + 59.minutes());
    let express = || {
        let mut pickup = booked(PickupKind::Express).0;
        pickup.assign(DriverId::new(), start_of_day()).map(drop).unwrap();
        pickup.start(start_of_day()).map(drop).unwrap();
        pickup
    };
    let mut kept = express();
    kept.arrive(None, None, early).unwrap();
    assert_eq!(kept.miss_express(late), None);

    // There was no network in the cellar.
    let mut told_late = express();
    told_late.complete(Some(early), hand_over(), late).unwrap();
    assert_eq!(told_late.miss_express(late), None);

    let mut missed = express();
    assert_eq!(missed.miss_express(early), None, "not due yet");
    missed.arrive(None, None, late).unwrap();
    let Some(PickupFact::ExpressMissed(fact)) = missed.miss_express(late) else { panic!("not missed") };
    assert_eq!(fact.refund.amount().to_string(), "120.00");
    assert_eq!(missed.miss_express(late), None, "refunded once");

    // Nobody opened, and nobody heard of it.
    for (code, at, is_missed) in [
        (FailureCode::Closed, early, false),
        (FailureCode::Closed, late, true),
        (FailureCode::Other, early, true),
    ] {
        let mut told_late = express();
        let facts = told_late.fail(code, None, None, Some(at), late + 5.minutes()).unwrap();
        assert_eq!(matches!(facts[0], PickupFact::ExpressMissed(_)), is_missed, "{code:?} {at}");
        assert_eq!(told_late.failures[0].at, at);
    }

    let mut cancelled = express();
    cancelled.fail(FailureCode::NotReady, None, None, None, early).map(drop).unwrap();
    assert_eq!(cancelled.miss_express(late), None);
}

#[test]
fn whoever_cancels_an_express_pickup_after_its_hour_waits_for_what_its_driver_reports() {
    let (hour, early) = (start_of_day() + 1.hour(), start_of_day() + 45.minutes());
    let cancelled = |at| {
        let mut pickup = booked(PickupKind::Express).0;
        pickup.assign(DriverId::new(), start_of_day()).map(drop).unwrap();
        pickup.cancel("saw the driver leave", at).map(drop).unwrap();
        pickup
    };
    let judged = hour + 30.minutes();
    assert_eq!(cancelled(hour - 1.minute()).miss_express(judged), None, "it was given up in time");
    assert!(cancelled(hour).miss_express(judged).is_some());
    for (at, is_missed) in [(early, false), (hour + 1.minute(), true)] {
        let mut told_late = cancelled(hour);
        told_late.complete(Some(at), hand_over(), hour + 5.minutes()).unwrap();
        assert_eq!(told_late.miss_express(judged).is_some(), is_missed);
    }
    let mut given_up = cancelled(hour - 1.minute());
    given_up.complete(Some(hour + 1.minute()), hand_over(), hour + 5.minutes()).unwrap();
    assert_eq!(given_up.miss_express(judged), None, "and stays given up, whenever it was collected");
}

#[test]
fn a_merchant_moves_no_express_pickup_of_which_its_driver_may_still_tell_that_they_were_in_time() {
    let (hour, judged) = (start_of_day() + 1.hour(), start_of_day() + 90.minutes());
    let window = Window { start: hour + 1.hour(), end: hour + 3.hours() };
    let assigned = || {
        let mut pickup = booked(PickupKind::Express).0;
        pickup.assign(DriverId::new(), start_of_day()).map(drop).unwrap();
        pickup
    };
    let mut given_up = assigned();
    given_up.reschedule(window, None, RescheduledBy::Merchant, hour - 1.minute()).map(drop).unwrap();
    assert_eq!(given_up.miss_express(judged), None);

    let mut kept = assigned();
    for at in [hour, judged - 1.minute()] {
        let moved = kept.reschedule(window, None, RescheduledBy::Merchant, at);
        assert_eq!(moved, Err(PickupError::NotJudgedYet(judged)));
    }
    kept.complete(Some(hour - 15.minutes()), hand_over(), judged - 1.minute()).unwrap();
    assert_eq!(kept.miss_express(judged), None, "there was no network in the cellar");

    let mut missed = assigned();
    assert!(missed.miss_express(judged).is_some());
    assert!(missed.reschedule(window, None, RescheduledBy::Merchant, judged).is_ok());
    let mut nobodys = booked(PickupKind::Express).0;
    assert!(nobodys.reschedule(window, None, RescheduledBy::Merchant, hour).is_ok(), "nobody had it");
    assert!(assigned().reschedule(window, None, RescheduledBy::Dispatcher, hour).is_ok());
}

#[test]
fn the_merchant_may_reschedule_twice_and_the_dispatcher_always() {
    let (mut pickup, _) = booked(PickupKind::Scheduled);
    let now = start_of_day();
    let window = Window { start: now + 1.hour(), end: now + 3.hours() };
    for _ in 0..2 {
        pickup.reschedule(window, None, RescheduledBy::Merchant, now).map(drop).unwrap();
    }
    let third = pickup.reschedule(window, None, RescheduledBy::Merchant, now);
    assert_eq!(third, Err(PickupError::RescheduleLimit));
    assert!(pickup.reschedule(window, None, RescheduledBy::Dispatcher, now).is_ok());
}

#[test]
fn what_a_driver_collected_is_collected_although_nobody_heard_of_the_start_or_it_was_cancelled_meanwhile() {
    let now = start_of_day();
    let assigned = || {
        let mut pickup = booked(PickupKind::Express).0;
        pickup.assign(DriverId::new(), now).map(drop).unwrap();
        pickup
    };
    let mut offline = assigned();
    offline.complete(None, hand_over(), now).unwrap();
    assert_eq!(offline.status, Status::Completed);

    let mut cancelled = assigned();
    cancelled.cancel("changed my mind", now).map(drop).unwrap();
    let facts = cancelled.complete(None, hand_over(), now + 2.hours()).unwrap();
    assert!(matches!(facts[0], PickupFact::Completed(_)));
    assert_eq!((cancelled.status, cancelled.slot_start), (Status::Completed, None));
    assert_eq!(cancelled.miss_express(now + 3.hours()), None, "the guarantee went with it");

    // Two days, from its cancellation or from its window, whichever comes last.
    for cancelled_at in [now, now + 5.hours()] {
        let until = cancelled_at.max(now + 1.hour()) + 48.hours();
        let mut cancelled = assigned();
        cancelled.cancel("changed my mind", cancelled_at).map(drop).unwrap();
        // What becomes of it later is no other end.
        assert!(matches!(cancelled.answer_cancel_request("once more", until), PickupFact::Cancelled(_)));
        assert!(cancelled.erase(until).is_some());
        let told = cancelled.complete(Some(now), hand_over(), until + 1.minute());
        assert_eq!(told, Err(PickupError::ToldTooLate(until)));
        assert!(cancelled.complete(Some(now), hand_over(), until).is_ok());
    }

    let mut nobodys = booked(PickupKind::Scheduled).0;
    nobodys.cancel("changed my mind", now).map(drop).unwrap();
    assert!(nobodys.complete(None, hand_over(), now).is_err(), "no driver had it");
    let mut failed = assigned();
    failed.start(now).map(drop).unwrap();
    failed.fail(FailureCode::NotReady, None, None, None, now).map(drop).unwrap();
    failed.cancel("changed my mind", now).map(drop).unwrap();
    assert!(failed.complete(None, hand_over(), now).is_err(), "its driver said that nothing was handed over");
}

#[test]
fn a_report_is_of_the_past_and_of_this_pickup() {
    let (mut pickup, _) = booked(PickupKind::Scheduled);
    let now = start_of_day() + 2.hours();
    pickup.assign(DriverId::new(), now).map(drop).unwrap();
    pickup.start(now).map(drop).unwrap();
    let report = |pickup: &mut Pickup, at| pickup.arrive(Some(at), None, now);
    assert_eq!(report(&mut pickup, now + 6.minutes()), Err(PickupError::InTheFuture));
    assert_eq!(report(&mut pickup, start_of_day() - 1.minute()), Err(PickupError::BeforeThePickup));
    // The driver had no network from before the start on.
    let Some(PickupFact::Arrived(fact)) = report(&mut pickup, now - 30.minutes()).unwrap() else {
        panic!("not arrived")
    };
    assert_eq!(fact.at, now - 30.minutes());
}

#[test]
fn nobody_starts_on_a_day_before_its_window() {
    let (mut pickup, _) = booked(PickupKind::Scheduled);
    // A Friday; in Mexico City it begins at 06:00Z.
    let friday: Timestamp = "2026-05-08T16:00:00Z".parse().unwrap();
    let window = Window { start: friday, end: friday + 2.hours() };
    pickup.reschedule(window, None, RescheduledBy::Dispatcher, start_of_day()).map(drop).unwrap();
    pickup.assign(DriverId::new(), start_of_day()).map(drop).unwrap();
    let from: Timestamp = "2026-05-08T04:00:00Z".parse().unwrap();
    assert_eq!(pickup.start(start_of_day()), Err(PickupError::TooEarly(from)));
    let proof = pickup.complete(None, hand_over(), start_of_day());
    assert_eq!(proof, Err(PickupError::BeforeThePickup), "the wrong stop");
    assert!(pickup.start(from).is_ok());
}

#[test]
fn a_driver_who_breaks_down_on_the_way_gives_the_stop_back_until_the_door() {
    let (mut pickup, _) = booked(PickupKind::Scheduled);
    let (now, reason) = (start_of_day(), "flat tyre".parse().unwrap());
    pickup.assign(DriverId::new(), now).map(drop).unwrap();
    pickup.start(now).map(drop).unwrap();
    let window = Window { start: now + 1.hour(), end: now + 3.hours() };
    assert!(pickup.reschedule(window, None, RescheduledBy::Merchant, now).is_err(), "somebody is on the way");
    pickup.unassign(&reason, now).map(drop).unwrap();
    assert_eq!((pickup.status, pickup.started_at), (Status::Scheduled, None));
    pickup.assign(DriverId::new(), now).map(drop).unwrap();
    pickup.start(now).map(drop).unwrap();
    pickup.arrive(None, None, now).unwrap();
    assert!(pickup.unassign(&reason, now).is_err(), "somebody is there");
}

#[test]
fn what_came_to_nothing_through_us_is_no_attempt() {
    let (mut pickup, _) = booked(PickupKind::Scheduled);
    let now = start_of_day();
    let window = Window { start: now, end: now + 2.hours() };
    let attempt = |pickup: &mut Pickup, code| {
        pickup.assign(DriverId::new(), now).map(drop).unwrap();
        pickup.start(now).map(drop).unwrap();
        pickup.fail(code, None, None, None, now).map(drop).unwrap();
        let is_last = pickup.is_exhausted();
        pickup.reschedule(window, None, RescheduledBy::AfterFailure, now).map(drop).unwrap();
        is_last
    };
    for _ in 0..3 {
        assert!(!attempt(&mut pickup, FailureCode::Other));
    }
    for is_last in [false, false, true] {
        assert_eq!(attempt(&mut pickup, FailureCode::NotReady), is_last);
    }
}

#[test]
fn a_merchant_who_moves_an_express_pickup_pays_for_a_scheduled_one() {
    let now = start_of_day();
    let window = Window { start: now + 1.hour(), end: now + 3.hours() };
    let scheduled_at =
        |amount: &str| FeeTable { scheduled: Money::parse(amount, Currency::MXN).unwrap(), ..fees() };
    let mut pickup = booked(PickupKind::Express).0;
    let of_merchant =
        |pickup: &Pickup, table: FeeTable| pickup.cost_once_moved(RescheduledBy::Merchant, &table);
    assert_eq!(pickup.cost_once_moved(RescheduledBy::Dispatcher, &fees()), None);
    assert_eq!(of_merchant(&pickup, scheduled_at("120")), None, "that is no less");
    let cost = of_merchant(&pickup, fees());
    let fact = pickup.reschedule(window, cost, RescheduledBy::Merchant, now).unwrap();
    let PickupFact::Rescheduled(fact) = fact else { panic!("not rescheduled") };
    assert_eq!(fact.cost, Some(pickup.promise.as_ref().unwrap().cost.total));
    assert_eq!(fact.cost.unwrap().amount().to_string(), "50.00");
    for amount in ["40", "60"] {
        assert_eq!(of_merchant(&pickup, scheduled_at(amount)), None, "it costs what a scheduled one did");
    }

    let mut refunded = booked(PickupKind::Express).0;
    assert!(refunded.miss_express(now + 1.hour()).is_some());
    assert_eq!(of_merchant(&refunded, fees()), None, "that is paid back already");
}
