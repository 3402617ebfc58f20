//! The demo: a merchant in Bogotá, a week of orders at home and abroad, door to door. It makes nothing by SQL
//! or internal routes; the only hand behind the scenes is that of the clock.

pub mod api;
mod backstage;
mod cast;
mod delivery;
mod people;
mod plan;
mod returns;
mod shop;
mod standing;
mod story;
mod summary;
mod time;
mod world;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;
use quenty_kernel::clock::wall_now;
use serde_json::Value;

pub use self::{
    api::text,
    backstage::{Backstage, admin_password},
    cast::Cast,
    summary::{Proofs, Summary},
};
use self::{
    plan::PlannedOrder,
    story::{Ending, Standing, Step, Story},
    time::Time,
};

/// How long the week is.
pub const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Statuses of orders that reached the door, whatever came back later.
const DELIVERED: [&str; 3] = ["delivered", "partially_returned", "returned"];

/// What to play.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    pub orders: usize,
    pub seed: u64,
}

/// Plays the week on a running platform and sums it up. What was played there before is not played again: a week
/// that was broken off goes on from where it stands.
pub async fn play(backstage: &Backstage, script: Script) -> Result<Summary> {
    let cast = Cast::assemble(backstage).await?;
    let time = Time::of(&cast.operator).await?;
    let now = time.now().await?;
    time.pass_until(now).await?;
    let week = plan::week(script.seed, script.orders);
    let standing = placed_before(&cast, &week).await?;
    let is_told = standing.iter().all(|known| matches!(known, Some((_, None))));
    let bar = progress_bar(week.len());
    let story = Story::of_week(&cast, &time, week, standing, now, bar.clone());
    story.play(Ending::At(wall_now())).await?;
    bar.finish_and_clear();
    let title = match (time.is_simulated(), is_told) {
        (true, _) => "The week",
        (false, true) => "The week, as it was played here before",
        (false, false) => "The week (in real time: every pickup was on demand)",
    };
    summary::of(&cast, title, time.is_simulated()).await
}

/// Where each order of the week stands, if it was placed before.
async fn placed_before(cast: &Cast, week: &[PlannedOrder]) -> Result<Vec<Option<Standing>>> {
    let mut found = Vec::new();
    for (index, planned) in week.iter().enumerate() {
        let path = format!("/api/v1/orders/by-reference/{}", planned.reference);
        found.push(match cast.merchant.try_get(&path).await? {
            Ok(order) => Some(where_it_stands(cast, &order, planned, index).await?),
            Err(refused) if refused.status == 404 => None,
            Err(refused) => return Err(refused.into_error("GET", &path)),
        });
    }
    Ok(found)
}

/// On its way, or on its way back.
async fn where_it_stands(
    cast: &Cast,
    order: &Value,
    planned: &PlannedOrder,
    turn: usize,
) -> Result<Standing> {
    let (mut told, mut step) = standing::of(cast, order, planned.fate, turn).await?;
    let has_arrived = order["status"].as_str().is_some_and(|status| DELIVERED.contains(&status));
    if let Some(coming_back) = planned.coming_back.as_ref().filter(|_| has_arrived) {
        let (back, next) = returns::standing::of(cast, &told.order_id, coming_back, turn).await?;
        told.back = back;
        step = next.map(Step::ComeBack);
    }
    Ok((told, step))
}

/// Lets the demo's people deliver everything that its merchant has sold, and sums up.
pub async fn deliver(cast: &Cast) -> Result<Summary> {
    let time = Time::of(&cast.operator).await?;
    let simulated = time.is_simulated();
    delivery::deliver_open_orders(cast, &time).await?;
    let title = if simulated {
        "What the merchant has sold"
    } else {
        "What the merchant has sold (delivered in real time, as fast as the drivers can tell)"
    };
    summary::of(cast, title, simulated).await
}

fn progress_bar(orders: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("  {bar:40} {pos:>4}/{len} orders  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(orders as u64).with_style(style)
}
