//! Load: so many connections, each of which sends its next request when the last one was answered.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    harness::{Merchant, merchant::id},
    samples::Samples,
};

/// As in the measured shapes of research: most orders have a few lines.
const LINES: usize = 3;
const SETUP_CONNECTIONS: usize = 8;
/// Nobody runs out of stock while a benchmark runs.
const PIECES: i64 = 1_000_000;

/// A merchant with a catalogue.
#[derive(Clone)]
pub struct Shop {
    merchant: Merchant,
    products: Arc<Vec<String>>,
}

/// What came out of one round.
#[derive(Debug, Default)]
pub struct Round {
    pub answered: Samples,
    pub elapsed: Duration,
}

impl Round {
    pub fn per_second(&self) -> f64 {
        self.answered.len() as f64 / self.elapsed.as_secs_f64()
    }
}

impl Shop {
    /// Adds so many products to the merchant's warehouse.
    pub async fn open(merchant: Merchant, products: usize) -> Result<Self> {
        let mut setup = JoinSet::new();
        for connection in 0..SETUP_CONNECTIONS {
            let merchant = merchant.clone();
            setup.spawn(async move {
                let mut made = Vec::new();
                for number in (connection..products).step_by(SETUP_CONNECTIONS) {
                    made.push(add_product(&merchant, number).await);
                }
                made
            });
        }
        let mut all = Vec::new();
        while let Some(made) = setup.join_next().await {
            all.extend(made?);
        }
        Ok(Self { merchant, products: Arc::new(all) })
    }

    /// Places orders until the time is over; those under way are finished and count.
    pub async fn place_orders(&self, connections: usize, lasts: Duration) -> Result<Round> {
        let mut load = JoinSet::new();
        let started = Instant::now();
        for _ in 0..connections {
            let shop = self.clone();
            load.spawn(async move { shop.keep_placing(started + lasts).await });
        }
        let mut round = Round::default();
        while let Some(answered) = load.join_next().await {
            round.answered.extend(answered??);
        }
        round.elapsed = started.elapsed();
        Ok(round)
    }

    async fn keep_placing(&self, until: Instant) -> Result<Samples> {
        let mut answered = Samples::default();
        while Instant::now() < until {
            let order = self.random_order();
            let sent = Instant::now();
            let answer = self.merchant.client.post("/api/v1/orders", &order).await;
            ensure!(answer.status() == 201, "an order was refused: {}", answer.text());
            answered.add(sent.elapsed());
        }
        Ok(answered)
    }

    fn random_order(&self) -> Value {
        let chosen = rand::seq::index::sample(&mut rand::rng(), self.products.len(), LINES);
        let lines: Vec<Value> = chosen
            .into_iter()
            .map(|index| json!({"product_id": self.products[index], "quantity": 1}))
            .collect();
        let mut order = self.merchant.order();
        order["lines"] = lines.into();
        order
    }
}

async fn add_product(merchant: &Merchant, number: usize) -> String {
    let body = json!({
        "sku": format!("BENCH-{number:05}"), "name": format!("Product {number}"), "weight_grams": 250,
        "price": {"amount": "45000.00", "currency": "COP"},
        "dimensions": {"length_mm": 300, "width_mm": 200, "height_mm": 40},
    });
    let product = merchant.client.post("/api/v1/products", &body).await.expect(201).json();
    let receipt = json!({
        "kind": "receipt", "product_id": product["id"], "warehouse_id": merchant.warehouse, "quantity": PIECES,
    });
    merchant.client.post("/api/v1/inventory/movements", &receipt).await.expect(201);
    id(&product).to_owned()
}
