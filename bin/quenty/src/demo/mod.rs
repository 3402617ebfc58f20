//! The demo: a merchant in Bogotá, a week of orders at home and abroad, door to door. It makes nothing by SQL
//! or internal routes; the only hand behind the scenes is that of the clock.

pub mod api;
mod cast;
mod delivery;
mod plan;
mod story;
mod summary;
mod time;
mod world;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;
use quenty_kernel::clock::wall_now;

pub use self::{
    cast::{Backstage, Cast},
    story::text,
    summary::{Proofs, Summary},
};
use self::{
    story::{Ending, Story},
    time::Time,
};

/// How long the week is.
pub const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What to play.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    pub orders: usize,
    pub seed: u64,
}

/// Plays the week on a running platform and sums it up. A week that was played there before is not played again.
pub async fn play(backstage: &Backstage, script: Script) -> Result<Summary> {
    let cast = Cast::assemble(backstage).await?;
    let time = Time::of(&cast.operator).await?;
    let week = plan::week(script.seed, script.orders);
    let placed_before = match week.first() {
        Some(order) => {
            cast.merchant.get(&format!("/api/v1/orders/by-reference/{}", order.reference)).await.is_ok()
        }
        None => true,
    };
    if !placed_before {
        let bar = progress_bar(week.len());
        let begins = time.now().await?;
        let story = Story::new(&cast, &time, week, begins, bar.clone());
        story.play(Ending::At(wall_now())).await?;
        bar.finish_and_clear();
    }
    let title =
        if time.is_simulated() { "The week" } else { "The week (in real time: every pickup was on demand)" };
    summary::of(&cast, title, time.is_simulated()).await
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
