//! Buyers are paid by a payment provider, which these tests play.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{Router, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use futures_util::future::join_all;
use quenty_testkit::wait::eventually;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet};

use crate::{
    deadlines::{attention, status},
    support::{World, days},
};

/// What it was asked, and what it says next; when nothing is prepared, 503.
struct Provider {
    asked: Mutex<Vec<(String, Value)>>,
    answers: Mutex<VecDeque<(u16, Value)>>,
    /// One permit for each answer that may go out.
    may_answer: Semaphore,
    serving: Mutex<JoinSet<std::io::Result<()>>>,
}

impl Provider {
    async fn start() -> (Arc<Self>, World) {
        let provider = Arc::new(Self {
            asked: Mutex::default(),
            answers: Mutex::default(),
            may_answer: Semaphore::new(Semaphore::MAX_PERMITS),
            serving: Mutex::default(),
        });
        let routes = Router::new().route("/payouts", post(pay)).with_state(provider.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/payouts", listener.local_addr().unwrap());
        provider.serving.lock().unwrap().spawn(async move { axum::serve(listener, routes).await });
        let world = World::with(vec![("payout_url", url), ("payout_token", "hush".to_owned())]).await;
        (provider, world)
    }

    fn will_say(&self, answers: &[(u16, Value)]) {
        self.answers.lock().unwrap().extend(answers.iter().cloned());
    }

    fn keys(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(key, _)| key.clone()).collect()
    }
}

async fn pay(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, axum::Json<Value>) {
    assert_eq!(headers["authorization"], "Bearer hush");
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    provider.asked.lock().unwrap().push((key, serde_json::from_str(&body).unwrap()));
    provider.may_answer.acquire().await.unwrap().forget();
    let (status, body) = provider.answers.lock().unwrap().pop_front().unwrap_or((503, json!({})));
    (StatusCode::from_u16(status).unwrap(), axum::Json(body))
}

/// A return that owes its buyer 109,000 pesos.
async fn owing(world: &World) -> Value {
    let of = world.delivered(1, "100000.00", None).await;
    let asked = world.request(&of, 1, "wrong_item", json!({})).await;
    world.bring_back(&asked, 1).await
}

#[tokio::test]
async fn an_answer_that_got_lost_is_asked_for_under_the_same_key() {
    let (provider, world) = Provider::start().await;
    provider.will_say(&[(500, json!({})), (201, json!({"reference": "PSE-77"}))]);
    let of = owing(&world).await;
    let pay = json!({"method": "original"});
    world.step(&world.clerk, &of, "refund", &pay).await.expect_problem(403, "SAME_PERSON");
    let answers = join_all((0..8).map(|_| world.step(&world.finance, &of, "refund", &pay))).await;
    let won: Vec<_> = answers.iter().filter(|answer| answer.status() == 200).collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    assert_eq!(won[0].json()["payout"]["amount"], json!({"amount": "109000.00", "currency": "COP"}));

    status(&world, &of, "closed").await;
    let paid = world.read(&of).await;
    assert_eq!(
        (&paid["settlement"]["reference"], &paid["settlement"]["method"], &paid["payout"]),
        (&json!("PSE-77"), &json!("original"), &json!(null))
    );
    let key = format!("{}-1", of["id"].as_str().unwrap());
    assert_eq!(provider.keys(), [key.clone(), key]);
    assert_eq!(
        provider.asked.lock().unwrap()[0].1,
        json!({"return_id": of["id"], "order_id": of["order_id"], "company_id": of["company_id"], "buyer": "Ana Gómez",
            "amount": {"amount": "109000.00", "currency": "COP"}})
    );
    world.assert_sound().await;
}

#[tokio::test]
async fn while_it_is_paid_out_nobody_pays_by_hand_and_a_refusal_frees_that_again() {
    let (provider, world) = Provider::start().await;
    let no = |why: &str| (422, json!({"detail": why}));
    provider.will_say(&[no("the account is closed"), no("still closed")]);
    provider.may_answer.forget_permits(Semaphore::MAX_PERMITS);
    let of = owing(&world).await;
    let pay = json!({"method": "original"});
    world.step(&world.finance, &of, "refund", &pay).await.expect(200);
    world.refund(&of).await.expect_problem(409, "PAYOUT_UNDER_WAY");
    world
        .step(&world.finance, &of, "refund", &json!({"method": "cash"}))
        .await
        .expect_problem(409, "PAYOUT_UNDER_WAY");

    provider.may_answer.add_permits(1);
    attention(&world, &of, "PAYOUT_REFUSED").await;
    assert_eq!(world.read(&of).await["attention"]["detail"], "the account is closed");
    world.step(&world.finance, &of, "refund", &pay).await.expect(200);
    provider.may_answer.add_permits(1);
    eventually("the second is refused", || async {
        (world.read(&of).await["attention"]["detail"] == "still closed").then_some(())
    })
    .await;
    let id = of["id"].as_str().unwrap();
    assert_eq!(
        provider.keys(),
        [format!("{id}-1"), format!("{id}-2")],
        "what was refused is another payment"
    );

    let settled = world.step(&world.finance, &of, "refund", &json!({"method": "cash"})).await;
    assert_eq!(settled.expect(200).json()["settlement"]["method"], "cash");
    world.assert_sound().await;
}

#[tokio::test]
async fn a_provider_that_does_not_answer_for_a_day_is_a_persons_matter() {
    let (provider, world) = Provider::start().await;
    let of = owing(&world).await;
    world.step(&world.finance, &of, "refund", &json!({"method": "original"})).await.expect(200);
    eventually("it is asked", || async { (!provider.keys().is_empty()).then_some(()) }).await;
    world.app.advance_to(days(1));
    attention(&world, &of, "PAYOUT_UNANSWERED").await;

    let settled = world.refund(&of).await.expect(200).json();
    assert_eq!(
        (&settled["status"], &settled["settlement"]["reference"]),
        (&json!("closed"), &json!("PSE-1"))
    );
    let id = of["id"].as_str().unwrap();
    assert!(provider.keys().iter().all(|key| *key == format!("{id}-1")), "{:?}", provider.keys());
}

#[tokio::test]
async fn what_is_paid_already_or_owed_as_credit_is_not_paid_out() {
    let (provider, world) = Provider::start().await;
    world.refund(&owing(&world).await).await.expect(200);
    let of = world.delivered(1, "100000.00", None).await;
    let credit = world.request(&of, 1, "wrong_item", json!({"resolution": "store_credit"})).await;
    world.bring_back(&credit, 1).await;
    let settled = world.step(&world.finance, &credit, "refund", &json!({"method": "original"})).await;
    assert_eq!(settled.expect(200).json()["settlement"]["method"], "store_credit");
    assert_eq!(provider.keys(), Vec::<String>::new());
}
