use jiff::ToSpan;
use quenty_contracts::returns::{ReturnPickupRequested, ReturnWayBackCancelRequested};
use quenty_kernel::id::{OrderId, PickupId, ReturnId};
use serde_json::{Value, json};

use crate::support::{NINE, TOMORROW, World, at, contact, scheduled};

impl World {
    fn way_back(&self, goods: ReturnId, attempt: u32) -> ReturnPickupRequested {
        ReturnPickupRequested {
            return_id: goods,
            company_id: self.company,
            order_id: OrderId::new(),
            attempt,
            kind: "scheduled".to_owned(),
            date: None,
            slot: None,
            sender: serde_json::from_value(contact()).unwrap(),
            parcels: vec![serde_json::from_value(json!({"weight_grams": 1200})).unwrap()],
        }
    }

    fn give_up(&self, goods: ReturnId, attempt: u32) -> ReturnWayBackCancelRequested {
        ReturnWayBackCancelRequested {
            return_id: goods,
            company_id: self.company,
            attempt,
            way_back: "pickup".to_owned(),
            pickup_id: None,
            shipment_id: None,
            reason: "the buyer keeps it".to_owned(),
        }
    }

    async fn asks(&self, goods: ReturnId, version: i64, request: &ReturnPickupRequested) {
        self.app.hear(goods, Some(self.company), version, request).await;
    }

    async fn gives_up(&self, goods: ReturnId, version: i64, wish: &ReturnWayBackCancelRequested) {
        self.app.hear(goods, Some(self.company), version, wish).await;
    }

    async fn pickups_for(&self, goods: ReturnId) -> Vec<Value> {
        let path = format!("/api/v1/pickups?return_id={goods}");
        self.get(&self.merchant, &path).await.expect(200).json()["items"].as_array().unwrap().clone()
    }

    /// What every published fact of a pickup says of whose it is.
    async fn assert_told_of(&self, pickup: &Value, goods: ReturnId) {
        let id: PickupId = pickup["id"].as_str().unwrap().parse().unwrap();
        for fact in self.app.facts(id).await {
            let told = (fact.data.get("return_id"), fact.data.get("order_id"));
            // What the hand-over was signed with is told to nobody.
            if !fact.kind.ends_with(".signed.v1") {
                assert_eq!(told, (Some(&json!(goods)), Some(&Value::Null)), "{}", fact.kind);
            }
        }
    }
}

#[tokio::test]
async fn a_return_s_request_books_a_pickup_at_the_buyer_s_door_once_for_each_attempt() {
    let world = World::new(5).await;
    let (goods, other) = (ReturnId::new(), ReturnId::new());
    let mut request = world.way_back(goods, 1);
    (request.date, request.slot) = (Some(TOMORROW.parse().unwrap()), Some("14:00".to_owned()));
    world.asks(goods, 1, &request).await;
    world.asks(goods, 2, &request).await;
    let pickups = world.pickups_for(goods).await;
    assert_eq!(pickups.len(), 1);
    let pickup = &pickups[0];
    assert_eq!((&pickup["status"], &pickup["contact"]), (&json!("scheduled"), &contact()));
    assert_eq!(pickup["window"]["start"], "2026-05-06T19:00:00Z");
    assert_eq!((&pickup["return_id"], &pickup["order_id"]), (&json!(goods), &Value::Null));
    let facts = world.app.facts(pickup["id"].as_str().unwrap().parse::<PickupId>().unwrap()).await;
    assert_eq!(
        (facts[1].kind.as_str(), &facts[1].data["attempt"]),
        ("quenty.pickup.pickup.scheduled.v1", &json!(1))
    );
    world.assert_told_of(pickup, goods).await;

    request.attempt = 2;
    world.asks(goods, 3, &request).await;
    assert_eq!(world.pickups_for(goods).await.len(), 2);
    // The list shows one return's, and neither another's nor what belongs to none.
    world.asks(other, 1, &world.way_back(other, 1)).await;
    world.book(&scheduled(TOMORROW, "10:00")).await;
    assert_eq!(world.pickups_for(other).await.len(), 1);
    assert_eq!(world.pickups_for(goods).await.len(), 2);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_return_and_an_order_never_answer_for_one_another() {
    let world = World::new(5).await;
    let goods = ReturnId::new();
    let request = world.way_back(goods, 1);
    world.asks(goods, 1, &request).await;
    assert!(world.pickups_of(request.order_id).await.is_empty(), "the order has had its own pickup");
    // The order's own first request is another one, and giving it up leaves the return's pickup alone.
    let order = request.order_id;
    world.app.hear(order, Some(world.company), 1, &world.request(order, 1, "scheduled")).await;
    world.app.hear(order, Some(world.company), 2, &world.wish_to_cancel(order, 1)).await;
    assert_eq!(world.pickups_of(order).await[0]["status"], "cancelled");
    assert_eq!(world.pickups_for(goods).await[0]["status"], "scheduled");
    world.assert_sound().await;
}

#[tokio::test]
async fn goods_that_nobody_can_collect_are_an_answer_with_a_reason() {
    let world = World::new(1).await;
    world.book(&scheduled(TOMORROW, "10:00")).await;
    let ask = async |change: &dyn Fn(&mut ReturnPickupRequested)| {
        let goods = ReturnId::new();
        let mut request = world.way_back(goods, 3);
        change(&mut request);
        world.asks(goods, 1, &request).await;
        let pickup = world.pickups_for(goods).await.remove(0);
        assert_eq!(world.told(&pickup).await, ["pickup.requested", "pickup.rejected"]);
        world.assert_told_of(&pickup, goods).await;
        let facts = world.app.facts(pickup["id"].as_str().unwrap().parse::<PickupId>().unwrap()).await;
        assert_eq!(facts[1].data["attempt"], 3);
        pickup["reason_code"].as_str().unwrap().to_owned()
    };
    let full = |request: &mut ReturnPickupRequested| {
        request.date = Some(TOMORROW.parse().unwrap());
        request.slot = Some("10:00".to_owned());
    };
    let far = |request: &mut ReturnPickupRequested| {
        let cali = json!({"line1": "x", "city": "Cali", "country": "CO"});
        request.sender.address = serde_json::from_value(cali).unwrap();
    };
    assert_eq!(ask(&full).await, "NO_CAPACITY");
    assert_eq!(ask(&far).await, "NO_SERVICE_AREA");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_return_gives_its_pickup_up_until_the_driver_has_begun() {
    let world = World::new(5).await;
    let (goods, begun) = (ReturnId::new(), ReturnId::new());
    for goods in [goods, begun] {
        world.asks(goods, 1, &world.way_back(goods, 1)).await;
    }
    let pickup = world.pickups_for(begun).await.remove(0);
    let (driver, token) = world.driver().await;
    world.step(&world.dispatcher, &pickup, "assign", &json!({"driver_id": driver["id"]})).await.expect(200);
    world.step(&token, &pickup, "start", &json!({})).await.expect(200);
    // A label that is given up is no driver's business.
    let label = ReturnWayBackCancelRequested { way_back: "label".to_owned(), ..world.give_up(goods, 1) };
    world.gives_up(goods, 2, &label).await;
    assert_eq!(world.pickups_for(goods).await[0]["status"], "scheduled");

    for goods in [goods, begun] {
        world.gives_up(goods, 3, &world.give_up(goods, 1)).await;
    }
    let (cancelled, refused) =
        (world.pickups_for(goods).await.remove(0), world.pickups_for(begun).await.remove(0));
    assert_eq!((&cancelled["status"], &refused["status"]), (&json!("cancelled"), &json!("in_progress")));
    assert_eq!(cancelled["reason"], "the buyer keeps it");
    assert_eq!(world.told(&cancelled).await[2..], ["pickup.cancelled"]);
    assert_eq!(world.told(&refused).await[3..], ["pickup.started", "pickup.cancel_refused"]);
    for (pickup, goods) in [(&cancelled, goods), (&refused, begun)] {
        world.assert_told_of(pickup, goods).await;
    }
    // Asked again, it is answered again, and nothing moves.
    world.gives_up(goods, 4, &world.give_up(goods, 1)).await;
    assert_eq!(world.told(&cancelled).await[2..], ["pickup.cancelled", "pickup.cancelled"]);
    assert_eq!(world.pickups_for(goods).await[0]["status"], "cancelled");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_rejected_request_that_is_given_up_is_answered_and_stays_rejected() {
    let world = World::new(5).await;
    let goods = ReturnId::new();
    let mut request = world.way_back(goods, 1);
    request.sender.address =
        serde_json::from_value(json!({"line1": "x", "city": "Cali", "country": "CO"})).unwrap();
    world.asks(goods, 1, &request).await;
    world.gives_up(goods, 2, &world.give_up(goods, 1)).await;
    let pickup = world.pickups_for(goods).await.remove(0);
    assert_eq!(pickup["status"], "rejected");
    assert_eq!(world.told(&pickup).await[1..], ["pickup.rejected", "pickup.cancelled"]);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_was_given_up_before_it_was_asked_for_is_answered_and_books_nothing_later() {
    let world = World::new(5).await;
    let (goods, heard) = (ReturnId::new(), PickupId::new());
    let wish = ReturnWayBackCancelRequested { pickup_id: Some(heard), ..world.give_up(goods, 1) };
    world.gives_up(goods, 2, &wish).await;
    let answer = world.app.facts(heard).await.remove(0);
    assert_eq!(answer.kind, "quenty.pickup.pickup.cancelled.v1");
    assert_eq!((&answer.data["return_id"], &answer.data["order_id"]), (&json!(goods), &Value::Null));
    world.asks(goods, 1, &world.way_back(goods, 1)).await;
    assert!(world.pickups_for(goods).await.is_empty());
    // The next attempt is another request.
    world.asks(goods, 3, &world.way_back(goods, 2)).await;
    assert_eq!(world.pickups_for(goods).await.len(), 1);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn when_a_return_gives_up_while_its_driver_starts_exactly_one_wins() {
    let world = World::new(50).await;
    let (driver, token) = world.driver().await;
    for _ in 0..20 {
        let goods = ReturnId::new();
        world.asks(goods, 1, &world.way_back(goods, 1)).await;
        let pickup = world.pickups_for(goods).await.remove(0);
        let to = json!({"driver_id": driver["id"]});
        world.step(&world.dispatcher, &pickup, "assign", &to).await.expect(200);
        let (wish, nothing) = (world.give_up(goods, 1), json!({}));
        let (_, started) =
            tokio::join!(world.gives_up(goods, 2, &wish), world.step(&token, &pickup, "start", &nothing));
        let told = world.told(&pickup).await;
        let after = world.pickups_for(goods).await.remove(0);
        if started.status() == 200 {
            assert_eq!(after["status"], "in_progress");
            assert_eq!(&told[3..], ["pickup.started", "pickup.cancel_refused"]);
        } else {
            assert_eq!((started.status(), &after["status"]), (409, &json!("cancelled")));
            assert_eq!(&told[3..], ["pickup.cancelled"]);
        }
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn from_the_door_on_every_fact_tells_which_return_it_is() {
    let world = World::new(5).await;
    let goods = ReturnId::new();
    world.asks(goods, 1, &world.way_back(goods, 1)).await;
    let pickup = world.pickups_for(goods).await.remove(0);
    let (driver, token) = world.driver().await;
    let to = json!({"driver_id": driver["id"]});
    let staff = &world.dispatcher;
    world.step(staff, &pickup, "assign", &to).await.expect(200);
    world.step(&token, &pickup, "unassign", &json!({"reason": "a flat tyre"})).await.expect(200);
    world.step(staff, &pickup, "assign", &to).await.expect(200);
    world.step(&token, &pickup, "start", &json!({})).await.expect(200);
    world.step(&token, &pickup, "fail", &json!({"code": "NOT_READY"})).await.expect(200);
    let later = json!({"date": TOMORROW, "slot": "16:00"});
    world.step(staff, &pickup, "reschedule", &later).await.expect(200);
    world.app.advance_to(at(NINE) + 24.hours());
    world.step(staff, &pickup, "assign", &to).await.expect(200);
    world.step(&token, &pickup, "start", &json!({})).await.expect(200);
    world.step(&token, &pickup, "arrive", &json!({})).await.expect(200);
    let proof = json!({"parcel_count": 1, "handed_over_by": "Luz Marín", "signature_svg": "<svg><path d=\"M1 1\"/></svg>"});
    world.step(&token, &pickup, "complete", &proof).await.expect(200);
    let told = world.told(&pickup).await;
    let last = ["pickup.started", "pickup.arrived", "pickup.completed", "pickup.signed"];
    assert_eq!(told[told.len() - 4..], last);
    world.assert_told_of(&pickup, goods).await;
    world.assert_sound().await;
}
