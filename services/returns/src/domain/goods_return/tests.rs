//! Random returns of one order against a model: never more back than delivered, refunds never above what was paid and
//! exact, one disposition per unit, and the facts rebuild every return.

use proptest::prelude::*;
use quenty_contracts::{
    order::{ExchangePlaced, OrderDelivered, OrderLine, OrderTotals},
    party::{Item, Party},
    returns::{ExchangeLine, InspectedUnit, LineQuantity, ReturnRequested, ReturnedLine},
};
use quenty_kernel::{
    Fact,
    currency::Currency,
    id::{
        CompanyId, DispositionId, InspectionId, OrderId, PickupId, ProductId, ReturnId, ShipmentId, UserId,
        WarehouseId,
    },
    money::Money,
};
use serde_json::json;

use super::*;
use crate::domain::{
    delivered::DeliveredOrder,
    disposition::Kind,
    policy::PolicyTerms,
    processing,
    words::{RefundMethod, WayBack},
};

fn start() -> Timestamp {
    "2026-05-05T14:00:00Z".parse().unwrap()
}

fn cop(minor: i64) -> Money {
    Money::new(rust_decimal::Decimal::new(minor, 2), Currency::COP).unwrap()
}

fn party() -> Party {
    serde_json::from_value(json!({"name": "Ana Gómez",
        "address": {"line1": "Calle 1", "city": "Bogotá", "postal_code": "110111", "country": "CO"}}))
    .unwrap()
}

/// An order of lines (quantity, unit price in minor units), delivered and paid.
fn order(lines: &[(u32, i64)], discount: i64, shipping: i64) -> DeliveredOrder {
    let line = |(quantity, price): &(u32, i64)| {
        let total = cop(price * i64::from(*quantity));
        OrderLine {
            product_id: ProductId::new(),
            sku: "CAM".to_owned(),
            name: "Camisa".to_owned(),
            quantity: *quantity,
            unit_price: cop(*price),
            discount: cop(0),
            tax: cop(0),
            total,
        }
    };
    let item = |(quantity, price): &(u32, i64)| Item {
        sku: "CAM".to_owned(),
        description: "Camisa".to_owned(),
        hs_code: None,
        origin: None,
        quantity: *quantity,
        unit_value: cop(*price),
        unit_weight_grams: 300.try_into().unwrap(),
    };
    let subtotal: i64 = lines.iter().map(|(quantity, price)| price * i64::from(*quantity)).sum();
    let discount = discount.min(subtotal);
    let total = cop(subtotal - discount + shipping);
    DeliveredOrder::of(OrderDelivered {
        order_id: OrderId::new(),
        company_id: CompanyId::new(),
        customer_id: None,
        lines: lines.iter().map(line).collect(),
        totals: OrderTotals {
            subtotal: cop(subtotal),
            discount: cop(discount),
            shipping: cop(shipping),
            tax: cop(0),
            total,
        },
        payment_method: "prepaid".to_owned(),
        at: start(),
        promised_at: None,
        paid: Some(total),
        consignee: Some(party()),
        sender: Some(party()),
        warehouse_id: Some(WarehouseId::new()),
        items: lines.iter().map(item).collect(),
        external_reference: None,
    })
    .unwrap()
    .unwrap()
}

fn request(
    order: &DeliveredOrder,
    lines: &[LineQuantity],
    reason: &str,
    resolution: &str,
) -> ReturnRequested {
    let line = |of: &LineQuantity| {
        let line = order.line(of.line).unwrap();
        ReturnedLine {
            line: of.line,
            product_id: line.product_id,
            sku: line.sku.clone(),
            name: line.name.clone(),
            quantity: of.quantity,
            reason: reason.to_owned(),
        }
    };
    let zero = Money::zero(order.paid.currency());
    ReturnRequested {
        return_id: ReturnId::new(),
        company_id: order.company_id,
        order_id: order.id,
        customer_id: None,
        kind: "return".to_owned(),
        resolution: resolution.to_owned(),
        way_back: "drop_off".to_owned(),
        lines: lines.iter().map(line).collect(),
        exchange: vec![],
        buyer: party(),
        destination: party(),
        warehouse_id: order.warehouse_id,
        policy_version: 0,
        expected: quenty_contracts::returns::RefundAmounts {
            goods: zero,
            shipping: zero,
            fee: zero,
            way_back: zero,
            refund: zero,
        },
        language: "es".to_owned(),
        packaging_intact: true,
        accessories_complete: true,
        pickup_date: None,
        pickup_slot: None,
        notes: None,
        requested_by: Actor::System,
    }
}

fn approved() -> Verdict {
    Verdict::Approved(Finding { rule: "WRONG_ITEM".to_owned(), detail: "not what was ordered".to_owned() })
}

fn load(order: &DeliveredOrder) -> Load {
    let parcel = json!([{"weight_grams": 300}]);
    Load { parcels: serde_json::from_value(parcel).unwrap(), items: vec![], declared_value: order.paid }
}

fn inspected(line: u32, unit: u32, claim: &str) -> InspectedUnit {
    InspectedUnit {
        line,
        unit,
        condition: "good".to_owned(),
        working: true,
        complete: true,
        claim: claim.to_owned(),
        defects: vec![],
    }
}

/// What the tests below need of a person.
struct People {
    inspector: Actor,
    second: Actor,
    clerk: Actor,
}

fn people() -> People {
    let user = || Actor::User(UserId::new());
    People { inspector: user(), second: user(), clerk: user() }
}

/// The world of one order: its returns, and what is made of each by its facts as the journal gives them back.
struct World {
    order: DeliveredOrder,
    returns: Vec<(Return, ReturnState)>,
    people: People,
    terms: PolicyTerms,
    now: Timestamp,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Request { line: u32, quantity: u32, reason: &'static str, resolution: &'static str, by_hand: bool },
    Approve,
    Reject,
    Dispute,
    Cancel,
    AskPickup,
    AskLabel,
    Booked,
    Refused,
    BookingCancelled,
    Rescheduled,
    CameInVain,
    KeptGoing,
    PickedUp,
    PickedUpByAnother,
    Departed,
    Arrived,
    GivenBack,
    Lost,
    ReportLost,
    Receive { quantity: u32 },
    Inspect { second: bool, claim: &'static str },
    Process,
    Refund,
    Exchange { paid: i64 },
    Deadline,
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let reason = prop::sample::select(vec!["defective", "changed_mind", "size", "other", "wrong_item"]);
    let resolution = prop::sample::select(vec!["refund", "refund", "exchange", "store_credit"]);
    let claim = prop::sample::select(vec!["confirmed", "confirmed", "not_confirmed", "refused"]);
    let step = prop_oneof![
        6 => (1_u32..4, 1_u32..5, reason, resolution, any::<bool>()).prop_map(|(line, quantity, reason, resolution, by_hand)|
            Step::Request { line, quantity, reason, resolution, by_hand }),
        2 => Just(Step::Approve), 1 => Just(Step::Reject), 1 => Just(Step::Dispute), 1 => Just(Step::Cancel),
        2 => Just(Step::AskPickup), 2 => Just(Step::AskLabel), 3 => Just(Step::Booked), 1 => Just(Step::Refused),
        1 => Just(Step::BookingCancelled), 1 => Just(Step::Rescheduled), 1 => Just(Step::CameInVain),
        1 => Just(Step::KeptGoing), 2 => Just(Step::PickedUp),
        1 => Just(Step::PickedUpByAnother), 1 => Just(Step::Departed), 1 => Just(Step::Arrived),
        1 => Just(Step::GivenBack), 1 => Just(Step::Lost), 1 => Just(Step::ReportLost),
        8 => (1_u32..4).prop_map(|quantity| Step::Receive { quantity }),
        8 => (any::<bool>(), claim).prop_map(|(second, claim)| Step::Inspect { second, claim }),
        6 => Just(Step::Process), 4 => Just(Step::Refund),
        3 => (0_i64..2_000_000).prop_map(|paid| Step::Exchange { paid }),
        1 => Just(Step::Deadline),
    ];
    prop::collection::vec((0_usize..4, step), 0..80)
}

impl World {
    fn new(order: DeliveredOrder) -> Self {
        Self { order, returns: vec![], people: people(), terms: PolicyTerms::default(), now: start() }
    }

    fn request(&mut self, step: Step) {
        let Step::Request { line, quantity, reason, resolution, by_hand } = step else { return };
        let wanted = [LineQuantity { line, quantity }];
        let mut order = self.order.clone();
        if order.claim(&wanted).is_err() {
            return;
        }
        let request = request(&order, &wanted, reason, resolution);
        let verdict = if by_hand { Verdict::ByHand(vec![]) } else { approved() };
        let (of, facts) = Return::request(request, verdict, 30, self.now);
        let folded = ReturnState::fold(read_back(&facts, self.now)).unwrap();
        self.returns.push((of, folded));
        self.order = order;
    }

    fn walk(&mut self, which: usize, step: Step) {
        self.now += SignedDuration::from_mins(10);
        if matches!(step, Step::Request { .. }) {
            return self.request(step);
        }
        let count = self.returns.len().max(1);
        let Some((of, _)) = self.returns.get(which % count) else { return };
        let (mut of, mut order) = (of.clone(), self.order.clone());
        let before = of.clone();
        if let (Step::Deadline, Some(deadline)) = (step, of.deadline) {
            self.now = self.now.max(deadline.at);
        }
        let Some(facts) = self.step(&mut of, &mut order, step) else {
            assert_eq!(of, before, "a refused step changed something: {step:?}");
            return;
        };
        assert!(
            of.status == before.status || reachable(before.status, of.status),
            "{step:?}: {} → {}",
            before.status,
            of.status
        );
        if matches!(step, Step::KeptGoing) && !facts.is_empty() {
            assert!(
                of.deadline.is_some_and(|deadline| deadline.at > self.now),
                "it would be asked again at once"
            );
        }
        if processing::count_units(&mut order, &of, &facts).is_err() {
            return;
        }
        let (kept, folded) = self.returns.get_mut(which % count).unwrap();
        *kept = of;
        for (fact, at) in read_back(&facts, self.now) {
            folded.apply(&fact, at);
        }
        self.order = order;
    }

    fn step(&self, of: &mut Return, order: &mut DeliveredOrder, step: Step) -> Option<Vec<ReturnFact>> {
        let now = self.now;
        let (pickup, shipment) = (of.booking.pickup_id, of.booking.shipment_id);
        let booked = pickup.map(Booked::Pickup).or(shipment.map(Booked::Shipment));
        let way_back = of.booked_way().unwrap_or(WayBack::Pickup);
        let failed = |attempt: Option<u32>| News::Failed {
            way_back,
            attempt,
            of: booked.unwrap_or(Booked::Pickup(PickupId::new())),
            code: "NO_CAPACITY".to_owned(),
            detail: "no room".to_owned(),
        };
        match step {
            Step::Request { .. } => None,
            Step::Approve => of.approve(None, 30, now).ok(),
            Step::Reject => of.reject("worn", now).ok(),
            Step::Dispute => of.dispute("it was like that", now).ok(),
            Step::Cancel => of.cancel("I keep it", now).ok(),
            Step::AskPickup => of.ask_for_pickup(Wanted::default(), load(order), now).ok(),
            Step::AskLabel => of.ask_for_label(load(order), now).ok(),
            Step::Booked if way_back == WayBack::Label => Some(of.hear(
                News::LabelBooked {
                    shipment_id: ShipmentId::new(),
                    attempt: of.booking.attempt,
                    tracking_number: "QTY1".to_owned(),
                    cost: cop(900_000),
                },
                now,
            )),
            Step::Booked => Some(of.hear(
                News::PickupBooked {
                    pickup_id: PickupId::new(),
                    attempt: of.booking.attempt,
                    window: (now, now + SignedDuration::from_hours(2)),
                    cost: cop(900_000),
                },
                now,
            )),
            Step::Refused => Some(of.hear(failed(Some(of.booking.attempt)), now)),
            Step::BookingCancelled => Some(of.hear(failed(None), now)),
            Step::Rescheduled => {
                let window = (now, now + SignedDuration::from_hours(2));
                Some(of.hear(News::PickupRescheduled { pickup_id: pickup?, window }, now))
            }
            Step::CameInVain => {
                Some(of.hear(News::CameInVain { pickup_id: pickup?, code: "CLOSED".to_owned() }, now))
            }
            Step::KeptGoing => {
                Some(of.hear(News::KeptGoing { pickup_id: pickup?, detail: "begun".to_owned() }, now))
            }
            Step::PickedUp => Some(of.hear(News::PickedUp { of: booked?, at: now, missing: 0 }, now)),
            Step::PickedUpByAnother => {
                let of_another = Booked::Pickup(PickupId::new());
                Some(of.hear(News::PickedUp { of: of_another, at: now, missing: 1 }, now))
            }
            Step::Departed => Some(of.hear(News::Departed { shipment_id: shipment?, at: now }, now)),
            Step::Arrived => Some(of.hear(News::Arrived { shipment_id: shipment?, at: now }, now)),
            Step::Lost => Some(of.hear(News::Lost { shipment_id: shipment?, at: now }, now)),
            Step::GivenBack => Some(of.give_back(shipment?, now, 30, now)),
            Step::ReportLost => of.report_lost("the van was robbed", now).ok(),
            Step::Receive { quantity } => {
                let line = of.request.lines[0].line;
                of.receive(&[LineQuantity { line, quantity }], &self.people.clerk, now).ok()
            }
            Step::Inspect { second, claim } => {
                let by = if second { &self.people.second } else { &self.people.inspector };
                let units: Vec<_> =
                    of.units.iter().map(|unit| inspected(unit.line, unit.unit, claim)).collect();
                of.inspect(InspectionId::new(), units, by, now).ok()
            }
            Step::Process => self.process(of, order),
            Step::Refund => of
                .refund(RefundMethod::Original, None, order.is_returned_whole(), &self.people.clerk, now)
                .ok(),
            Step::Exchange { paid } => {
                let credit = of.check_may_exchange().ok()?;
                let paid = if cop(paid).amount() > credit.amount() { credit } else { cop(paid) };
                let placed = ExchangePlaced { order_id: OrderId::new(), total: paid, paid };
                of.exchange(&placed, order.is_returned_whole(), now).ok()
            }
            Step::Deadline => Some(of.expire(of.deadline?.number, now)),
        }
    }

    fn process(&self, of: &mut Return, order: &mut DeliveredOrder) -> Option<Vec<ReturnFact>> {
        of.check_may_process().ok()?;
        let amounts = processing::amounts(of, order, &self.terms).unwrap();
        let values = processing::values(of, order).unwrap();
        let goods = values.iter().map(|of| of.value);
        assert_eq!(Money::total(amounts.goods.currency(), goods), Ok(amounts.goods));
        processing::settle(order, of, amounts.refund).unwrap();
        let disposed = |unit: &ReceivedUnit| UnitDisposition {
            disposition_id: DispositionId::new(),
            line: unit.line,
            unit: unit.unit,
            product_id: ProductId::new(),
            kind: Kind::Donate,
            value: cop(0),
            cost: cop(0),
            partner: None,
            reason: None,
        };
        let processing = Processing {
            amounts,
            values,
            recovery: cop(0),
            units: of.units.iter().map(disposed).collect(),
            order_returned_whole: order.is_returned_whole(),
        };
        Some(of.process(processing, &self.people.inspector, self.now).unwrap())
    }

    fn check(&self) {
        for line in &self.order.lines {
            let claimed: u32 = self
                .returns
                .iter()
                .map(|(of, _)| match of.status {
                    Status::Cancelled | Status::Expired | Status::Rejected => 0,
                    Status::Processed
                    | Status::Refunded
                    | Status::Exchanged
                    | Status::Disposed
                    | Status::Closed
                        if of.lost_at.is_none() =>
                    {
                        of.received_of(line.line)
                    }
                    _ => {
                        of.request.lines.iter().filter(|of| of.line == line.line).map(|of| of.quantity).sum()
                    }
                })
                .sum();
            assert_eq!(line.claimed, claimed, "units set aside of line {}", line.line);
            assert!(line.claimed <= line.quantity, "more came back than was delivered");
        }
        let refunds = self.returns.iter().filter_map(|(of, _)| of.amounts).map(|amounts| amounts.refund);
        let refunded = Money::total(self.order.paid.currency(), refunds).unwrap();
        assert_eq!(refunded, self.order.refunded);
        assert!(refunded.amount() <= self.order.paid.amount(), "more was refunded than paid");
        for (of, folded) in &self.returns {
            let disposed = of.units.iter().filter(|unit| unit.disposition.is_some()).count();
            let decided = of.amounts.is_some();
            assert_eq!(disposed, if decided { of.units.len() } else { 0 }, "one disposition per unit");
            let rests = of.status.is_over() || of.status == Status::Rejected;
            assert!(
                rests || of.deadline.is_some() || of.attention.is_some(),
                "{} waits for nothing",
                of.status
            );
            assert_eq!(of.0, *folded);
        }
    }
}

fn read_back(facts: &[ReturnFact], at: Timestamp) -> impl Iterator<Item = (ReturnFact, Timestamp)> {
    facts.iter().map(move |fact| (ReturnFact::read(fact.kind(), fact.data().unwrap()).unwrap(), at))
}

/// Within one step a return may go through several states.
fn reachable(from: Status, to: Status) -> bool {
    from.next().iter().any(|next| {
        *next == to || next.next().contains(&to) || next.next().iter().any(|then| then.next().contains(&to))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn whatever_happens_to_an_order_its_returns_add_up(
        lines in prop::collection::vec((1_u32..5, 1_i64..9_000_000), 1..4),
        discount in 0_i64..1_000_000, shipping in 0_i64..2_000_000, steps in steps())
    {
        let mut world = World::new(order(&lines, discount, shipping));
        for (which, step) in steps {
            world.walk(which, step);
            world.check();
        }
    }
}

/// A return that has come as far as its inspection.
fn received(order: &DeliveredOrder, quantity: u32, people: &People) -> Return {
    let lines = [LineQuantity { line: 1, quantity }];
    let (mut of, _) =
        Return::request(request(order, &lines, "wrong_item", "refund"), approved(), 30, start());
    of.receive(&lines, &people.clerk, start()).unwrap();
    of
}

#[test]
fn a_disputed_inspection_is_done_again_by_somebody_else() {
    let (order, people) = (order(&[(1, 100_000)], 0, 0), people());
    let mut of = received(&order, 1, &people);
    let found = || vec![inspected(1, 1, "refused")];
    of.inspect(InspectionId::new(), found(), &people.inspector, start()).unwrap();
    assert_eq!(
        of.inspect(InspectionId::new(), found(), &people.second, start()),
        Err(ReturnError::InspectedAlready { line: 1, unit: 1 })
            .or(Err(ReturnError::IllegalMove { from: Status::Inspected, to: Status::Inspected }))
    );
    of.dispute("it was like that", start()).unwrap();
    assert_eq!(
        of.inspect(InspectionId::new(), found(), &people.inspector, start()),
        Err(ReturnError::SamePerson("inspected it before"))
    );
    of.inspect(InspectionId::new(), vec![inspected(1, 1, "confirmed")], &people.second, start()).unwrap();
    assert_eq!(of.status, Status::Inspected);
    let unit = &of.units[0];
    assert_eq!(unit.inspection.as_ref().unwrap().found.claim, "confirmed");
    assert_eq!(unit.earlier_inspections.len(), 1);
}

#[test]
fn what_the_carrier_loses_during_a_dispute_over_the_rest_is_lost() {
    let (order, people) = (order(&[(2, 100_000)], 0, 0), people());
    let lines = [LineQuantity { line: 1, quantity: 2 }];
    let (mut of, _) =
        Return::request(request(&order, &lines, "wrong_item", "refund"), approved(), 30, start());
    of.ask_for_label(load(&order), start()).unwrap();
    let shipment_id = ShipmentId::new();
    let tracking_number = "QTY1".to_owned();
    let _ = of.hear(News::LabelBooked { shipment_id, attempt: 1, tracking_number, cost: cop(1) }, start());
    let _ = of.hear(News::PickedUp { of: Booked::Shipment(shipment_id), at: start(), missing: 0 }, start());
    of.receive(&[LineQuantity { line: 1, quantity: 1 }], &people.clerk, start()).unwrap();
    of.inspect(InspectionId::new(), vec![inspected(1, 1, "refused")], &people.inspector, start()).unwrap();
    of.dispute("it was like that", start()).unwrap();
    let _ = of.hear(News::Lost { shipment_id, at: start() }, start());
    assert_eq!((of.status, of.lost_at), (Status::Disputed, Some(start())));
    assert!(of.deadline.is_some(), "what came is still to be decided on");
    of.inspect(InspectionId::new(), vec![inspected(1, 1, "confirmed")], &people.second, start()).unwrap();
    assert_eq!((of.status, of.lost_at), (Status::Inspected, Some(start())));
}

#[test]
fn whoever_asked_for_it_does_not_inspect_it() {
    let (order, people) = (order(&[(1, 100_000)], 0, 0), people());
    let mut of = received(&order, 1, &people);
    let outcome =
        of.inspect(InspectionId::new(), vec![inspected(1, 1, "confirmed")], &Actor::System, start());
    assert_eq!(outcome, Err(ReturnError::SamePerson("asked for the return")));
}

#[test]
fn what_is_brought_while_a_driver_is_to_come_needs_no_driver() {
    let order = order(&[(1, 100_000)], 0, 0);
    let people = people();
    let lines = [LineQuantity { line: 1, quantity: 1 }];
    let (mut of, _) = Return::request(request(&order, &lines, "size", "refund"), approved(), 30, start());
    of.ask_for_pickup(Wanted::default(), load(&order), start()).unwrap();
    let pickup_id = PickupId::new();
    let window = (start(), start() + SignedDuration::from_hours(2));
    let _ = of.hear(News::PickupBooked { pickup_id, attempt: 1, window, cost: cop(1) }, start());
    let facts = of.receive(&lines, &people.clerk, start()).unwrap();
    assert!(
        matches!(facts[0], ReturnFact::WayBackCancelRequested(ref asked) if asked.pickup_id == Some(pickup_id))
    );
    assert_eq!(of.status, Status::Received);
    // The driver was faster after all: nothing changes.
    let collected = News::PickedUp { of: Booked::Pickup(pickup_id), at: start(), missing: 0 };
    assert_eq!(of.hear(collected, start()), vec![]);
}

#[test]
fn a_pickup_that_is_refused_after_the_goods_were_brought_changes_nothing() {
    let (order, people) = (order(&[(1, 100_000)], 0, 0), people());
    let lines = [LineQuantity { line: 1, quantity: 1 }];
    let (mut of, _) =
        Return::request(request(&order, &lines, "defective", "refund"), approved(), 30, start());
    of.ask_for_pickup(Wanted::default(), load(&order), start()).unwrap();
    of.receive(&lines, &people.clerk, start()).unwrap();
    of.inspect(InspectionId::new(), vec![inspected(1, 1, "confirmed")], &people.inspector, start()).unwrap();
    of.dispute("it was like that", start()).unwrap();
    let refused = News::Failed {
        way_back: WayBack::Pickup,
        attempt: Some(1),
        of: Booked::Pickup(PickupId::new()),
        code: "NO_CAPACITY".to_owned(),
        detail: "no room".to_owned(),
    };
    let _ = of.hear(refused, start());
    assert_eq!((of.status, of.attention.clone()), (Status::Disputed, None));
    assert!(of.cancel("I keep it", start()).is_err(), "the goods are with the merchant");
}

#[test]
fn a_cancellation_waits_for_whoever_has_the_booking() {
    let order = order(&[(1, 100_000)], 0, 0);
    let lines = [LineQuantity { line: 1, quantity: 1 }];
    let booked = || {
        let (mut of, _) = Return::request(request(&order, &lines, "size", "refund"), approved(), 30, start());
        of.ask_for_pickup(Wanted::default(), load(&order), start()).unwrap();
        let pickup_id = PickupId::new();
        let window = (start(), start() + SignedDuration::from_hours(2));
        let _ = of.hear(News::PickupBooked { pickup_id, attempt: 1, window, cost: cop(1) }, start());
        of.cancel("I keep it", start()).unwrap();
        assert_eq!((of.status, of.ending), (Status::PickupScheduled, Some(Ending::Cancelled)));
        assert_eq!(of.cancel("again", start()), Err(ReturnError::Ending));
        (of, pickup_id)
    };
    let (mut of, pickup_id) = booked();
    let cancelled = News::Failed {
        way_back: WayBack::Pickup,
        attempt: None,
        of: Booked::Pickup(pickup_id),
        code: "PICKUP_CANCELLED".to_owned(),
        detail: "I keep it".to_owned(),
    };
    let _ = of.hear(cancelled, start());
    assert_eq!(of.status, Status::Cancelled);

    let (mut of, pickup_id) = booked();
    let _ = of.hear(News::KeptGoing { pickup_id, detail: "begun".to_owned() }, start());
    assert_eq!((of.status, of.ending), (Status::PickupScheduled, None));
    let _ = of.hear(News::PickedUp { of: Booked::Pickup(pickup_id), at: start(), missing: 2 }, start());
    assert_eq!(of.status, Status::PickedUp);
    assert_eq!(of.attention.as_ref().map(|attention| attention.code.as_str()), Some("PARTLY_COLLECTED"));
    assert!(of.deadline.is_some(), "the others are still on their way");
}

#[test]
fn nobody_else_comes_for_what_a_driver_collected_before_the_cancellation_was_known() {
    let order = order(&[(1, 100_000)], 0, 0);
    let lines = [LineQuantity { line: 1, quantity: 1 }];
    let (mut of, _) = Return::request(request(&order, &lines, "size", "refund"), approved(), 30, start());
    let window = (start(), start() + SignedDuration::from_hours(2));
    let [first, second] = [PickupId::new(), PickupId::new()];
    for (pickup_id, attempt) in [(first, 1), (second, 2)] {
        of.ask_for_pickup(Wanted::default(), load(&order), start()).unwrap();
        let _ = of.hear(News::PickupBooked { pickup_id, attempt, window, cost: cop(1) }, start());
        if pickup_id == first {
            let cancelled = News::Failed {
                way_back: WayBack::Pickup,
                attempt: None,
                of: Booked::Pickup(first),
                code: "PICKUP_CANCELLED".to_owned(),
                detail: "the area is closed".to_owned(),
            };
            let _ = of.hear(cancelled, start());
        }
    }
    let facts = of.hear(News::PickedUp { of: Booked::Pickup(first), at: start(), missing: 0 }, start());
    assert!(
        matches!(facts[0], ReturnFact::WayBackCancelRequested(ref asked) if asked.pickup_id == Some(second))
    );
    assert_eq!(of.status, Status::PickedUp);
}

#[test]
fn a_driver_who_is_promised_for_later_than_it_expires_is_awaited() {
    let order = order(&[(1, 100_000)], 0, 0);
    let lines = [LineQuantity { line: 1, quantity: 1 }];
    let (mut of, _) = Return::request(request(&order, &lines, "size", "refund"), approved(), 30, start());
    of.ask_for_pickup(Wanted::default(), load(&order), start()).unwrap();
    let day = |day: i64| start() + SignedDuration::from_hours(24 * day);
    let (pickup_id, window) = (PickupId::new(), (day(39), day(40)));
    let _ = of.hear(News::PickupBooked { pickup_id, attempt: 1, window, cost: cop(1) }, start());
    assert_eq!(of.deadline.map(|deadline| deadline.at), Some(day(41)));
    let _ = of.hear(News::PickupRescheduled { pickup_id, window: (day(43), day(44)) }, day(40));
    let expires_at = of.approval.as_ref().map(|approval| approval.expires_at);
    let deadline = of.deadline.unwrap();
    assert_eq!((deadline.at, expires_at), (day(45), Some(day(45))));
    let _ = of.expire(deadline.number, day(45));
    assert_eq!(of.ending, Some(Ending::Expired));
}

/// A return of the order's only unit, inspected, whose buyer wants other goods.
fn for_exchange(world: &World, claim: &str) -> Return {
    let lines = [LineQuantity { line: 1, quantity: 1 }];
    let mut wanted = request(&world.order, &lines, "defective", "exchange");
    wanted.exchange = vec![ExchangeLine { product_id: ProductId::new(), quantity: 1 }];
    let (mut of, _) = Return::request(wanted, approved(), 30, start());
    of.receive(&lines, &world.people.clerk, start()).unwrap();
    let found = vec![inspected(1, 1, claim)];
    of.inspect(InspectionId::new(), found, &world.people.inspector, start()).unwrap();
    of
}

#[test]
fn a_replacement_is_not_ordered_again_while_it_is_being_ordered() {
    let world = World::new(order(&[(1, 100_000)], 0, 0));
    let mut of = for_exchange(&world, "confirmed");
    world.process(&mut of, &mut world.order.clone()).unwrap();
    let under_way = Err(ReturnError::IllegalMove { from: Status::Processed, to: Status::Exchanged });
    assert_eq!(of.ask_exchange(start()), under_way);
    let _ = of.raise(EXCHANGE_FAILED, "out of stock", start());
    of.ask_exchange(start()).unwrap();
    assert_eq!(of.ask_exchange(start()), under_way);
    // Nobody answered, and somebody was told.
    let _ = of.expire(of.deadline.unwrap().number, start());
    of.ask_exchange(start()).unwrap();
}

#[test]
fn a_shipping_charge_pays_for_no_replacement_but_comes_back_where_there_is_none() {
    let world = World::new(order(&[(1, 100_000)], 0, 9_000));
    let mut of = for_exchange(&world, "confirmed");
    world.process(&mut of, &mut world.order.clone()).unwrap();
    assert_eq!(of.check_may_exchange(), Ok(cop(100_000)));
    let _ = of.raise(EXCHANGE_FAILED, "out of stock", start());
    assert_eq!(of.check_may_refund(), Ok(cop(109_000)));
}

#[test]
fn a_replacement_that_nothing_pays_for_waits_for_a_person_unless_the_goods_were_refused() {
    let mut outcomes = Vec::new();
    for (claim, shipping) in [("confirmed", 0), ("confirmed", 900_000), ("not_confirmed", 0), ("refused", 0)]
    {
        let world = World::new(order(&[(1, 100_000)], 100_000, shipping));
        let mut of = for_exchange(&world, claim);
        world.process(&mut of, &mut world.order.clone()).unwrap();
        let told = of.attention.clone().map(|attention| attention.code);
        assert!(of.ask_exchange(start()).is_err(), "{claim}: an order that nobody pays");
        let is_refunded = of.refund(RefundMethod::Original, None, true, &world.people.clerk, start()).is_ok();
        assert_eq!(of.status, Status::Closed);
        let settlement = of.settlement.clone().unwrap();
        outcomes.push((told, is_refunded, settlement.outcome, settlement.refunded));
    }
    let waited = |outcome: &str, refunded: Option<Money>| {
        (Some("FREE_EXCHANGE".to_owned()), true, outcome.to_owned(), refunded)
    };
    let expected = [
        waited("disposed", None),
        waited("refunded", Some(cop(900_000))),
        waited("disposed", None),
        (None, false, "disposed".to_owned(), None),
    ];
    assert_eq!(outcomes, expected);
}
