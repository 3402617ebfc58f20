//! Which orders come back and why, decided with the week and by the same seed.

use jiff::SignedDuration;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::demo::{
    plan::{Fate, PlannedOrder},
    world::CATALOGUE,
};

/// How the goods come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayBack {
    Pickup,
    Label,
    DropOff,
}

impl WayBack {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pickup => "pickup",
            Self::Label => "label",
            Self::DropOff => "drop_off",
        }
    }
}

/// What becomes of a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    Refunded,
    /// The buyer gets the same thing again, in another size.
    Exchanged,
    /// The inspection refuses, the buyer objects, and somebody else looks again.
    Disputed,
    /// A person says no.
    Rejected,
}

/// What the warehouse finds of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub condition: &'static str,
    pub working: bool,
    pub complete: bool,
}

/// A return of one line of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedReturn {
    /// The line's place in its order, from 1.
    pub line: u32,
    pub reason: &'static str,
    pub way_back: WayBack,
    pub course: Course,
    /// The merchant calls the product back: not before the day of the recall.
    pub recall: bool,
    /// How long after the delivery the buyer asks.
    pub after: SignedDuration,
    /// How long a labelled parcel is on the road.
    pub transit: SignedDuration,
    /// One entry for each unit that comes back.
    pub found: Vec<Found>,
    /// What the units bring, in percent of what they were expected to; nothing where nobody knows yet.
    pub realised_percent: Option<u32>,
}

/// When the merchant calls a product back, after the week began.
pub const RECALL: SignedDuration = SignedDuration::from_hours(96);
/// Who buys later keeps the goods, or sends them back after the week.
const EARLY: SignedDuration = SignedDuration::from_hours(48);
/// Keeps the returns' draws apart from the week's, which stay as they are.
const SALT: u64 = 0x5245_5455_524e;

/// What every week has that is long enough, the most telling first.
const SCRIPT: [(&str, Course); 8] = [
    ("size", Course::Exchanged),
    ("not_as_described", Course::Disputed),
    ("other", Course::Refunded),
    ("wrong_item", Course::Refunded),
    ("damaged_in_shipping", Course::Refunded),
    ("defective", Course::Refunded),
    ("changed_mind", Course::Refunded),
    ("other", Course::Rejected),
];
const REASONS: [&str; 5] = ["defective", "wrong_item", "damaged_in_shipping", "changed_mind", "size"];

/// Lets orders of the week come back: a recall, the script, and a few more.
pub fn come_back(seed: u64, week: &mut [PlannedOrder]) {
    let mut random = StdRng::seed_from_u64(seed ^ SALT);
    recall(&mut random, week);
    let at_home = |order: &PlannedOrder| is_delivered(order) && !order.international;
    let free = (0..week.len()).filter(|index| at_home(&week[*index]) && week[*index].coming_back.is_none());
    // The first come from where a driver or the buyer can bring them; then those that travel by label.
    let (near, far): (Vec<usize>, Vec<usize>) = free.partition(|index| is_near(&week[*index]));
    let (first, rest) = near.split_at(near.len().min(3));
    let candidates = [first, &far, rest].concat();
    for (turn, index) in candidates.into_iter().enumerate() {
        let order = &week[index];
        let part = SCRIPT.get(turn).copied().or_else(|| {
            let reason = pick(&mut random, &REASONS);
            let comes = order.placed_after < EARLY && random.random_ratio(1, 6);
            comes.then_some((reason, Course::Refunded))
        });
        let Some((reason, course)) = part else { continue };
        let way_back = match (is_near(order), turn % 2) {
            (true, 0) => WayBack::Pickup,
            (true, _) => WayBack::DropOff,
            (false, _) => WayBack::Label,
        };
        let line = random.random_range(0..order.lines.len());
        week[index].coming_back = Some(planned(&mut random, line, 1, reason, way_back, course));
    }
}

/// Calls back the product of which about one order in fifteen has some, wherever it went.
fn recall(random: &mut StdRng, week: &mut [PlannedOrder]) {
    let wanted = week.len() / 15;
    let line_of = |order: &PlannedOrder, product: usize| {
        order.lines.iter().position(|(of, _)| *of == product).filter(|_| is_delivered(order))
    };
    let count = |product: usize| week.iter().filter(|order| line_of(order, product).is_some()).count();
    let sold = (0..CATALOGUE.len()).filter(|product| count(*product) > 0);
    let Some(product) = sold.min_by_key(|product| count(*product).abs_diff(wanted)) else { return };
    for order in week {
        let Some(line) = line_of(order, product) else { continue };
        let units = order.lines[line].1;
        // One way for all: a label reaches everybody.
        let of = planned(random, line, units, "defective", WayBack::Label, Course::Refunded);
        order.coming_back = Some(PlannedReturn { recall: true, ..of });
    }
}

fn planned(
    random: &mut StdRng,
    line: usize,
    units: u32,
    reason: &'static str,
    way_back: WayBack,
    course: Course,
) -> PlannedReturn {
    PlannedReturn {
        line: u32::try_from(line + 1).unwrap_or(u32::MAX),
        reason,
        way_back,
        course,
        recall: false,
        after: SignedDuration::from_mins(random.random_range(60..360)),
        transit: SignedDuration::from_hours(random.random_range(10..18)),
        found: (0..units).map(|_| found(random, reason)).collect(),
        realised_percent: random.random_ratio(2, 3).then(|| random.random_range(70..115)),
    }
}

/// Goods look as the reason lets one expect.
fn found(random: &mut StdRng, reason: &str) -> Found {
    let conditions: &[&'static str] = match reason {
        "defective" => &["good", "fair", "poor", "beyond_repair"],
        "damaged_in_shipping" => &["fair", "poor", "beyond_repair"],
        "other" | "not_as_described" => &["like_new", "good", "fair"],
        _ => &["like_new", "like_new", "good"],
    };
    let condition = *conditions.choose(random).unwrap_or(&"good");
    let breaks = match reason {
        "defective" => 4,
        "damaged_in_shipping" => 2,
        _ => 0,
    };
    let working = condition != "beyond_repair" && !random.random_ratio(breaks, 5);
    Found { condition, working, complete: condition == "like_new" || !random.random_ratio(1, 6) }
}

pub fn is_delivered(order: &PlannedOrder) -> bool {
    !matches!(order.fate, Fate::Cancelled | Fate::Undeliverable)
}

/// Where the demo's drivers collect.
fn is_near(order: &PlannedOrder) -> bool {
    order.place.city == "Bogotá"
}

fn pick<T: Copy>(random: &mut StdRng, from: &[T]) -> T {
    *from.choose(random).unwrap_or(&from[0])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::demo::plan::week;

    #[test]
    fn every_week_of_sixty_orders_has_every_reason_way_and_course_and_a_recall() {
        let reasons = BTreeSet::from([
            "changed_mind",
            "damaged_in_shipping",
            "defective",
            "not_as_described",
            "other",
            "size",
            "wrong_item",
        ]);
        for (seed, orders) in (0..50).flat_map(|seed| [(seed, 60), (seed, 97), (seed, 200)]) {
            let week = week(seed, orders);
            let returns: Vec<_> = week.iter().filter_map(|order| order.coming_back.as_ref()).collect();
            let own: Vec<_> = returns.iter().filter(|of| !of.recall).collect();
            assert_eq!(own.iter().map(|of| of.reason).collect::<BTreeSet<_>>(), reasons, "seed {seed}");
            for course in [Course::Refunded, Course::Exchanged, Course::Disputed, Course::Rejected] {
                assert!(own.iter().any(|of| of.course == course), "seed {seed} has no {course:?}");
            }
            for way in [WayBack::Pickup, WayBack::Label, WayBack::DropOff] {
                assert!(own.iter().any(|of| of.way_back == way), "seed {seed}: nothing by {way:?}");
            }
            assert!(returns.iter().any(|of| of.recall), "seed {seed} has no recall");
            assert!(returns.iter().any(|of| of.realised_percent.is_some()), "seed {seed} realises nothing");
        }
    }

    #[test]
    fn a_recall_is_of_one_product_and_of_every_delivered_order_that_has_it() {
        for seed in 0..50 {
            let week = week(seed, 60);
            let product = |order: &PlannedOrder| {
                let recall = order.coming_back.as_ref().filter(|of| of.recall)?;
                let (product, quantity) = order.lines[recall.line as usize - 1];
                assert_eq!(recall.found.len(), quantity as usize, "all of it comes back");
                Some(product)
            };
            let recalled: BTreeSet<usize> = week.iter().filter_map(product).collect();
            assert_eq!(recalled.len(), 1, "seed {seed}");
            let has = |order: &&PlannedOrder| order.lines.iter().any(|(of, _)| recalled.contains(of));
            for order in week.iter().filter(|order| is_delivered(order)).filter(has) {
                assert!(order.coming_back.as_ref().is_some_and(|of| of.recall), "{}", order.reference);
            }
        }
    }

    #[test]
    fn what_never_arrived_does_not_come_back() {
        for seed in 0..50 {
            let week = week(seed, 60);
            assert!(week.iter().all(|order| order.coming_back.is_none() || is_delivered(order)));
        }
    }
}
