//! Random walks: whatever people, clocks and late news do to an order, it keeps its promises.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use quenty_contracts::{
    order::{OrderCancelled, OrderLine, OrderTotals, WantedPickup},
    party::Party,
};
use quenty_kernel::{
    currency::Currency,
    id::{CompanyId, OrderId, PickupId, ProductId, ReservationId, ReturnId, ShipmentId, WarehouseId},
    money::Money,
};
use serde_json::json;

use super::{
    Allocation, GoodsMove, HoldCode, Movement, Order, OrderFact, OrderKind, OrderState, Payment,
    PaymentMethod, PaymentStatus, PickupNews, Placing, ReturnNews, ShipmentNews, Status,
    people::Found,
    update::{ChangedGoods, ChangedLines, OrderChanges},
};
use crate::domain::fulfilment::{Booking, Step};

fn start() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

fn party(name: &str) -> Party {
    serde_json::from_value(
        json!({"name": name, "address": {"line1": "Calle 26 # 59-51", "city": "Bogotá", "country": "CO"}}),
    )
    .unwrap()
}

fn pesos(amount: u32) -> Money {
    Money::new(amount.into(), Currency::COP).unwrap()
}

/// One piece for 25,000, of which the credit is paid.
fn placing(method: PaymentMethod, short: bool, credit: u32) -> Placing {
    let price = pesos(25_000);
    let zero = Money::zero(Currency::COP);
    let line = OrderLine {
        product_id: ProductId::new(),
        sku: "CAFE-500".to_owned(),
        name: "Café".to_owned(),
        quantity: 1,
        unit_price: price,
        discount: zero,
        tax: zero,
        total: price,
    };
    Placing {
        id: OrderId::new(),
        company_id: CompanyId::new(),
        customer_id: None,
        external_reference: None,
        kind: OrderKind::Standard,
        payment_method: method,
        lines: vec![line],
        totals: OrderTotals { subtotal: price, discount: zero, shipping: zero, tax: zero, total: price },
        items: vec![],
        parcels: vec![],
        consignee: party("Ana"),
        sender: party("Tienda"),
        warehouse_id: WarehouseId::new(),
        allocation: if short {
            Allocation::Short(vec![])
        } else {
            Allocation::Reserved(ReservationId::new())
        },
        wanted_pickup: None,
        notes: None,
        stale_standing: false,
        paid: Some(Payment { amount: pesos(credit), reference: Some("RET".to_owned()) }),
    }
}

/// Something that can happen to an order at any moment, sensible or not.
#[derive(Debug, Clone)]
enum Event {
    Pay,
    Hold,
    Release,
    Retry,
    Cancel,
    Update { pieces: u32, short: bool },
    Want { scheduled: bool },
    Allocate,
    Cash,
    Sent { whole: bool, refund: u32 },
    Refund { fifths: Option<u32> },
    SetStatus(Status),
    Deadline,
    Booked { late: bool, with_carrier: bool },
    Rejected { late: bool },
    Voided,
    Moved(Movement),
    Scheduled { late: bool },
    PickupRejected { late: bool },
    Rescheduled,
    Completed,
    PartlyCompleted,
    CompletedByAnother,
    Abandoned,
    PickupCancelled,
    CancelRefused,
    CameInVain,
}

fn movement() -> impl Strategy<Value = Movement> {
    prop_oneof![
        Just(Movement::PickedUp),
        Just(Movement::Departed),
        Just(Movement::OutForDelivery),
        Just(Movement::Exception { code: "DELIVERY_FAILED".to_owned(), detail: "nobody at home".to_owned() }),
        Just(Movement::Resolved),
        Just(Movement::Delivered),
        Just(Movement::Undeliverable { reason: "three attempts".to_owned() }),
        Just(Movement::Returned),
        Just(Movement::Lost),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => Just(Event::Pay),
        1 => Just(Event::Hold),
        1 => Just(Event::Release),
        2 => Just(Event::Retry),
        1 => Just(Event::Cancel),
        2 => (0_u32..4, any::<bool>()).prop_map(|(pieces, short)| Event::Update { pieces, short }),
        1 => any::<bool>().prop_map(|scheduled| Event::Want { scheduled }),
        1 => Just(Event::Allocate),
        1 => Just(Event::Cash),
        2 => (any::<bool>(), 0_u32..4).prop_map(|(whole, fifths)| Event::Sent { whole, refund: fifths * 5_000 }),
        2 => prop::option::of(0_u32..4).prop_map(|fifths| Event::Refund { fifths }),
        1 => prop::sample::select(Status::ALL).prop_map(Event::SetStatus),
        1 => Just(Event::Deadline),
        5 => (any::<bool>(), 0_u8..7).prop_map(|(late, rare)| Event::Booked { late, with_carrier: rare == 0 }),
        1 => any::<bool>().prop_map(|late| Event::Rejected { late }),
        1 => Just(Event::Voided),
        5 => movement().prop_map(Event::Moved),
        5 => any::<bool>().prop_map(|late| Event::Scheduled { late }),
        1 => any::<bool>().prop_map(|late| Event::PickupRejected { late }),
        1 => Just(Event::Rescheduled),
        3 => Just(Event::Completed),
        1 => Just(Event::PartlyCompleted),
        1 => Just(Event::CompletedByAnother),
        1 => Just(Event::Abandoned),
        1 => Just(Event::PickupCancelled),
        1 => Just(Event::CancelRefused),
        1 => Just(Event::CameInVain),
    ]
}

fn shipment_news(order: &Order, event: &Event, now: Timestamp) -> Option<ShipmentNews> {
    let f = &order.fulfilment;
    let attempt = |late: bool| if late { f.shipment_attempt.saturating_sub(1) } else { f.shipment_attempt };
    Some(match event {
        Event::Booked { late, with_carrier } => ShipmentNews::Booked {
            shipment_id: ShipmentId::new(),
            attempt: attempt(*late),
            carrier: "QTY".to_owned(),
            tracking_number: "QTY0000000012".to_owned(),
            promised_at: now + SignedDuration::from_hours(48),
            picked_up_at: with_carrier.then_some(now),
        },
        Event::Rejected { late } => ShipmentNews::Rejected {
            attempt: attempt(*late),
            code: "NO_RATE".to_owned(),
            detail: "no rate".to_owned(),
        },
        Event::Voided => ShipmentNews::Voided { shipment_id: f.shipment_id?, reason: "by hand".to_owned() },
        Event::Moved(movement) => {
            let promised_at = (*movement == Movement::PickedUp).then(|| now + SignedDuration::from_hours(72));
            let (shipment_id, movement) = (f.shipment_id?, movement.clone());
            ShipmentNews::Moved { shipment_id, movement, at: now, promised_at }
        }
        _ => return None,
    })
}

fn pickup_news(order: &Order, event: &Event, now: Timestamp) -> Option<PickupNews> {
    let f = &order.fulfilment;
    let attempt = |late: bool| if late { f.pickup_attempt.saturating_sub(1) } else { f.pickup_attempt };
    let (window_start, window_end) = (now, now + SignedDuration::from_hours(4));
    Some(match event {
        Event::Scheduled { late } => PickupNews::Scheduled {
            pickup_id: PickupId::new(),
            attempt: attempt(*late),
            window_start,
            window_end,
        },
        Event::PickupRejected { late } => PickupNews::Rejected {
            attempt: attempt(*late),
            code: "NO_CAPACITY".to_owned(),
            detail: "full".to_owned(),
        },
        Event::Rescheduled => PickupNews::Rescheduled { pickup_id: f.pickup_id?, window_start, window_end },
        Event::Completed => PickupNews::Completed { pickup_id: f.pickup_id?, at: now, missing: 0 },
        Event::PartlyCompleted => PickupNews::Completed { pickup_id: f.pickup_id?, at: now, missing: 2 },
        Event::CompletedByAnother => {
            PickupNews::Completed { pickup_id: PickupId::new(), at: now, missing: 0 }
        }
        Event::Abandoned => {
            PickupNews::Abandoned { pickup_id: f.pickup_id?, reason: "third attempt".to_owned() }
        }
        Event::PickupCancelled => {
            PickupNews::Cancelled { pickup_id: f.pickup_id?, reason: "asked".to_owned() }
        }
        Event::CancelRefused => {
            PickupNews::CancelRefused { pickup_id: f.pickup_id?, reason: "in_progress".to_owned() }
        }
        Event::CameInVain => PickupNews::CameInVain { pickup_id: f.pickup_id? },
        _ => return None,
    })
}

/// So many pieces instead of those before; for nothing, if none.
fn changes(order: &Order, pieces: u32, short: bool) -> OrderChanges {
    let zero = Money::zero(Currency::COP);
    let mut line = order.lines[0].clone();
    line.quantity = pieces.max(1);
    line.unit_price = if pieces == 0 { zero } else { line.unit_price };
    line.total = line.unit_price.times(line.quantity).unwrap();
    let total = line.total;
    let goods = match order.status {
        Status::Backordered if short => ChangedGoods::Short(vec![]),
        _ if short => ChangedGoods::Same,
        _ => ChangedGoods::Found(Box::new(Found {
            reservation_id: ReservationId::new(),
            warehouse_id: order.warehouse_id,
            sender: order.sender.clone(),
            kind: order.kind,
        })),
    };
    let totals = OrderTotals { subtotal: total, discount: zero, shipping: zero, tax: zero, total };
    let lines = ChangedLines { lines: vec![line], totals, items: vec![], parcels: vec![], goods };
    OrderChanges { notes: Some(Some("gift".to_owned())), lines: Some(lines), ..OrderChanges::default() }
}

/// On a day that may be over, or whenever it suits.
fn another_pickup(scheduled: bool) -> OrderChanges {
    let day = "2026-03-02".parse().unwrap();
    let wanted = WantedPickup { kind: "scheduled".to_owned(), date: Some(day), slot: None };
    OrderChanges { wanted_pickup: Some(scheduled.then_some(wanted)), ..OrderChanges::default() }
}

/// Lets it happen; what is refused must change nothing.
fn let_happen(order: &mut Order, event: &Event, now: Timestamp) {
    let before = order.state.clone();
    let outcome = match event {
        Event::Pay => order.pay(Payment { amount: order.due(), reference: None }, now),
        Event::Hold => order.hold("wait".to_owned(), now),
        Event::Release => order.release(now),
        Event::Retry => order.retry(now),
        Event::Cancel => order.cancel("changed my mind".to_owned(), now),
        Event::Update { pieces, short } => order.update(changes(order, *pieces, *short), now),
        Event::Want { scheduled } => order.update(another_pickup(*scheduled), now),
        Event::Sent { whole, refund } => {
            let (return_id, refund) = (ReturnId::new(), pesos(*refund));
            let sent = ReturnNews::Completed {
                return_id,
                came_back: true,
                whole: *whole,
                refund,
                by_exchange: false,
                at: now,
            };
            order.hear_return(sent, now)
        }
        Event::Refund { fifths } => order.refund(fifths.map(|fifths| pesos(fifths * 5_000)), None, now),
        Event::SetStatus(status) => order.set_status(*status, "staff".to_owned(), now),
        Event::Allocate => {
            let (reservation_id, warehouse_id) = (ReservationId::new(), order.warehouse_id);
            order.allocate(
                Found { reservation_id, warehouse_id, sender: order.sender.clone(), kind: order.kind },
                now,
            );
            Ok(())
        }
        Event::Cash => {
            order.collect_cash(order.totals.total, now);
            Ok(())
        }
        Event::Deadline => {
            order.expire(order.fulfilment.deadline_number, now);
            Ok(())
        }
        other => {
            if let Some(news) = shipment_news(order, other, now) {
                order.hear_shipment(news, now);
            }
            if let Some(news) = pickup_news(order, other, now) {
                order.hear_pickup(news, now);
            }
            Ok(())
        }
    };
    if outcome.is_err() {
        assert_eq!(before, order.state, "a refusal changes nothing");
    }
}

/// Folds fact by fact and checks that each step is a legal one.
fn check_edges(facts: &[(OrderFact, Timestamp)]) {
    let mut before: Option<Status> = None;
    for length in 1..=facts.len() {
        let state = OrderState::fold(facts[..length].iter().cloned()).unwrap().unwrap();
        if let Some(before) = before {
            let may = before == state.status || before.may_become(state.status);
            assert!(may, "{before:?} to {:?} by {:?}", state.status, facts[length - 1].0);
        }
        before = Some(state.status);
    }
}

fn check_promises(order: &Order, goods: &[GoodsMove]) {
    let collected = order.picked_up_at.is_some();
    let expected: &[GoodsMove] = match (order.status, collected) {
        (Status::Cancelled, false) => &[GoodsMove::Release],
        (Status::ReturnedToSender, _) => &[GoodsMove::Issue, GoodsMove::Return],
        (_, true) => &[GoodsMove::Issue],
        (_, false) => &[],
    };
    assert_eq!(goods, expected, "{:?}", order.status);
    let waits = order.fulfilment.deadline.is_some();
    match order.step() {
        Step::Closed => {
            let stays = |code| match order.status {
                Status::Cancelled => code == HoldCode::CancelledOnTheRoad,
                Status::ReturnedToSender => false,
                _ => code == HoldCode::PartlyCollected,
            };
            assert!(!waits && order.hold.as_ref().is_none_or(|hold| stays(hold.code)));
        }
        Step::Stock => assert!(!waits),
        _ => assert!(waits != order.hold.is_some(), "{:?}: a deadline or a person", order.state),
    }
    check_payments(order);
    if order.status == Status::Cancelled {
        assert_ne!(order.fulfilment.pickup, Booking::Booked, "a cancelled order has no pickup");
    }
}

/// Whether somebody has to see to parcels that no driver took.
fn has_left_behind(order: &Order) -> bool {
    order.hold.as_ref().is_some_and(|hold| hold.code == HoldCode::PartlyCollected)
}

/// No more is paid than the order costs, no more paid back than was paid, and the status says so.
fn check_payments(order: &Order) {
    let (total, paid, refunded) = (order.totals.total.amount(), order.paid.amount(), order.refunded.amount());
    let nothing = Money::zero(Currency::COP).amount();
    assert!(nothing <= refunded && refunded <= paid && paid <= total, "{refunded} of {paid} of {total}");
    let expected = match order.payment_status {
        PaymentStatus::Paid => paid == total && refunded == nothing,
        PaymentStatus::Refunded => refunded == paid && paid > nothing,
        PaymentStatus::PartiallyRefunded => nothing < refunded && refunded < paid,
        _ => paid < total && refunded == nothing,
    };
    assert!(expected, "{:?}: {refunded} of {paid} of {total}", order.payment_status);
}

#[test]
fn what_was_delivered_before_it_was_given_up_is_delivered_and_paid() {
    let mut order = Order::place(placing(PaymentMethod::CashOnDelivery, false, 0), start());
    let given_up = Movement::Undeliverable { reason: "three attempts".to_owned() };
    for event in [
        Event::Booked { late: false, with_carrier: false },
        Event::Scheduled { late: false },
        Event::Completed,
        Event::Moved(given_up),
    ] {
        let_happen(&mut order, &event, start());
    }
    assert_eq!(order.status, Status::Undeliverable);
    let later = order.fulfilment.deadline.unwrap();
    let_happen(&mut order, &Event::Deadline, later);
    assert!(order.hold.is_some(), "nothing came back in time");

    for event in [Event::Cash, Event::Moved(Movement::Delivered)] {
        let_happen(&mut order, &event, later);
    }
    assert_eq!((order.status, order.payment_status), (Status::Delivered, PaymentStatus::Paid));
    let goods = order.take_news().goods;
    check_promises(&order, &goods);
}

#[test]
fn parcels_that_were_left_behind_outlast_the_delivery_and_the_buyer() {
    let mut order = Order::place(placing(PaymentMethod::CashOnDelivery, false, 0), start());
    for event in [
        Event::Booked { late: false, with_carrier: false },
        Event::Scheduled { late: false },
        Event::PartlyCompleted,
        Event::Moved(Movement::Delivered),
    ] {
        let_happen(&mut order, &event, start());
    }
    assert_eq!(order.status, Status::Delivered);
    assert!(order.erase(start()));
    let hold = order.hold.as_ref().map(|hold| (hold.code, hold.reason.as_str()));
    assert_eq!(hold, Some((HoldCode::PartlyCollected, "erased")));
}

#[test]
fn a_shipment_that_is_not_answered_is_asked_for_again_whatever_holds_its_order_by_now() {
    let mut order = Order::place(placing(PaymentMethod::CashOnDelivery, false, 0), start());
    for event in [
        Event::Booked { late: false, with_carrier: false },
        Event::Scheduled { late: false },
        Event::Voided,
        Event::Completed,
        Event::Retry,
    ] {
        let_happen(&mut order, &event, start());
    }
    let later = order.fulfilment.deadline.unwrap();
    for event in [Event::Deadline, Event::PartlyCompleted] {
        let_happen(&mut order, &event, later);
    }
    assert!(has_left_behind(&order));
    let_happen(&mut order, &Event::Retry, later);
    let is_second =
        |fact: &&OrderFact| matches!(fact, OrderFact::ShipmentRequested(asked) if asked.attempt == 2);
    assert_eq!(order.take_news().facts.iter().filter(is_second).count(), 2);
}

#[test]
fn a_cancellation_that_was_once_told_again_still_reads() {
    let mut order = Order::place(placing(PaymentMethod::CashOnDelivery, false, 0), start());
    let_happen(&mut order, &Event::Cancel, start());
    let mut facts = order.take_news().facts;
    let (shipment_id, reason) = (Some(ShipmentId::new()), "changed my mind".to_owned());
    facts.push(OrderCancelled { order_id: order.id, shipment_id, reason }.into());
    let folded = OrderState::fold(facts.into_iter().map(|fact| (fact, start()))).unwrap().unwrap();
    assert_eq!((folded.status, folded.fulfilment.shipment_id), (Status::Cancelled, shipment_id));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn an_order_keeps_its_promises(
        method in prop::sample::select(vec![PaymentMethod::Prepaid, PaymentMethod::CashOnDelivery]),
        short in any::<bool>(),
        credit in (0_u32..=25).prop_map(|thousands| thousands * 1_000),
        events in prop::collection::vec(event(), 1..60),
    ) {
        let mut now = start();
        let mut order = Order::place(placing(method, short, credit), now);
        let news = order.take_news();
        let mut facts: Vec<_> = news.facts.into_iter().map(|fact| (fact, now)).collect();
        let mut goods = news.goods;
        for event in &events {
            now += SignedDuration::from_mins(7);
            if let (Event::Deadline, Some(deadline)) = (event, order.fulfilment.deadline) {
                now = now.max(deadline);
            }
            let reached = order.status.progress().filter(|_| order.picked_up_at.is_some());
            let is_parted = has_left_behind(&order);
            let_happen(&mut order, event, now);
            let is_whole = matches!(event, Event::Retry) || order.status == Status::ReturnedToSender;
            prop_assert!(!is_parted || is_whole || has_left_behind(&order), "forgotten by {event:?}");
            if let (Some(reached), Some(reaches)) = (reached, order.status.progress()) {
                prop_assert!(reaches >= reached, "back from {reached} to {reaches} by {event:?}");
            }
            let news = order.take_news();
            facts.extend(news.facts.into_iter().map(|fact| (fact, now)));
            goods.extend(news.goods);
            check_promises(&order, &goods);
        }
        check_edges(&facts);
        let folded = OrderState::fold(facts).unwrap();
        prop_assert_eq!(folded.as_ref(), Some(&order.state));
    }
}
