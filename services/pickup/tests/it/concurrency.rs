use futures_util::future::join_all;
use quenty_kernel::id::OrderId;
use quenty_testkit::eventually;
use serde_json::json;

use crate::support::{TOMORROW, World, scheduled};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_bookings_of_ten_places_sell_exactly_ten() {
    let world = World::new(10).await;
    let body = scheduled(TOMORROW, "10:00");
    let answers = join_all((0..64).map(|_| world.post(&world.merchant, "/api/v1/pickups", &body))).await;
    let booked = answers.iter().filter(|answer| answer.status() == 201).count();
    let refused =
        answers.iter().filter(|answer| answer.status() == 409 && answer.code() == "NO_CAPACITY").count();
    assert_eq!((booked, refused), (10, 54));
    assert_eq!(world.remaining(TOMORROW, "10:00").await, 0);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn holds_and_bookings_share_the_places_of_a_slot() {
    let world = World::new(5).await;
    let booking = scheduled(TOMORROW, "10:00");
    let hold =
        json!({"place": {"country": "CO", "postal_code": "110221"}, "date": TOMORROW, "slot": "10:00"});
    let bookings = (0..12).map(|_| world.post(&world.merchant, "/api/v1/pickups", &booking));
    let holds = (0..12).map(|_| world.post(&world.merchant, "/api/v1/pickups/holds", &hold));
    let (booked, held) = tokio::join!(join_all(bookings), join_all(holds));
    let answers = booked.iter().chain(&held);
    let won = answers.clone().filter(|answer| answer.status() == 201).count();
    let refused = answers.filter(|answer| answer.status() == 409 && answer.code() == "NO_CAPACITY").count();
    assert_eq!((won, refused), (5, 19));
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_booking_waits_for_a_timetable_that_is_being_changed_and_for_a_company_that_is_being_closed() {
    let world = World::new(5).await;
    let body = scheduled(TOMORROW, "11:00");
    let book_during = async |change: &'static str| {
        let mut changing = world.app.app.db().begin().await.unwrap();
        sqlx::query(change).execute(&mut *changing).await.unwrap();
        let booking = world.post(&world.merchant, "/api/v1/pickups", &body);
        let committing = async {
            eventually("the booking waits", || async {
                let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
                let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(world.app.app.db()).await.unwrap();
                (waiting > 0).then_some(())
            })
            .await;
            changing.commit().await.unwrap();
        };
        tokio::join!(booking, committing).0
    };
    let timetable = "update service_areas set definition = jsonb_set(definition, '{slot_minutes}', '60')";
    book_during(timetable).await.expect(201);
    let closing = "update standings set version = 2, may_order = false";
    book_during(closing).await.expect_problem(409, "COMPANY_NOT_ACTIVE");
    assert_eq!(world.remaining(TOMORROW, "11:00").await, 4);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn opposite_reschedules_neither_fail_nor_lose_a_place() {
    let world = World::new(12).await;
    let mut pickups = Vec::new();
    for index in 0..12 {
        pickups.push(world.book(&scheduled(TOMORROW, if index % 2 == 0 { "08:00" } else { "16:00" })).await);
    }
    let slots = ["16:00", "08:00"].map(|slot| json!({"date": TOMORROW, "slot": slot}));
    let moves = pickups
        .iter()
        .enumerate()
        .map(|(index, pickup)| world.step(&world.merchant, pickup, "reschedule", &slots[index % 2]));
    let answers = join_all(moves).await;
    for answer in answers {
        answer.expect(200);
    }
    assert_eq!((world.remaining(TOMORROW, "08:00").await, world.remaining(TOMORROW, "16:00").await), (6, 6));
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn when_an_order_cancels_while_its_driver_starts_exactly_one_wins() {
    let world = World::new(20).await;
    let (driver, token) = world.driver().await;
    for _ in 0..12 {
        let order = OrderId::new();
        world.app.hear(order, Some(world.company), 1, &world.request(order, 1, "scheduled")).await;
        let pickup = world.pickups_of(order).await.remove(0);
        world
            .step(&world.dispatcher, &pickup, "assign", &json!({"driver_id": driver["id"]}))
            .await
            .expect(200);
        let (wish, nothing) = (world.wish_to_cancel(order, 1), json!({}));
        let (_, started) = tokio::join!(
            world.app.hear(order, Some(world.company), 2, &wish),
            world.step(&token, &pickup, "start", &nothing)
        );
        let told = world.told(&pickup).await;
        let after = world.pickups_of(order).await.remove(0);
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
