//! What will happen, decided before anything does: the same seed gives the same week.

use jiff::SignedDuration;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::{
    returns::{PlannedReturn, plan::come_back},
    world::{ABROAD, AT_HOME, CATALOGUE, FAMILY_NAMES, GIVEN_NAMES, Place},
};
use crate::names::ascii;

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Delivered,
    /// The merchant cancels before the driver starts.
    Cancelled,
    /// The first pickup fails; the next one succeeds.
    FirstPickupFails,
    /// The first delivery fails; the next one succeeds.
    FirstDeliveryFails,
    /// Nobody is ever there: it goes back to the sender.
    Undeliverable,
}

impl Fate {
    /// How many deliveries fail.
    pub fn failed_deliveries(self) -> u64 {
        match self {
            Self::FirstDeliveryFails => 1,
            Self::Undeliverable => 3,
            _ => 0,
        }
    }

    /// How many pickups fail.
    pub fn failed_pickups(self) -> usize {
        usize::from(self == Self::FirstPickupFails)
    }
}

/// One order of the week.
#[derive(Debug, Clone)]
pub struct PlannedOrder {
    pub reference: String,
    /// After the week began.
    pub placed_after: SignedDuration,
    pub name: String,
    pub email: String,
    pub phone: String,
    pub street: String,
    pub place: Place,
    pub international: bool,
    pub express: bool,
    pub cash_on_delivery: bool,
    /// Index into the catalogue, and how many.
    pub lines: Vec<(usize, u32)>,
    pub fate: Fate,
    /// How long after its way began the parcel reaches the door.
    pub transit: SignedDuration,
    /// What is sent back of it.
    pub coming_back: Option<PlannedReturn>,
}

/// The week, in the order in which things are placed.
pub fn week(seed: u64, orders: usize) -> Vec<PlannedOrder> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut planned: Vec<PlannedOrder> =
        (0..orders).map(|index| order(&mut random, seed, index, orders)).collect();
    planned.sort_by_key(|order| order.placed_after);
    come_back(seed, &mut planned);
    planned
}

/// Every week has each fate; beyond the first dozen they come with their usual share.
fn fate(random: &mut StdRng, index: usize, orders: usize) -> Fate {
    match index {
        1 if orders > 1 => Fate::Cancelled,
        2 if orders > 2 => Fate::FirstPickupFails,
        3 if orders > 3 => Fate::Undeliverable,
        4 if orders > 4 => Fate::FirstDeliveryFails,
        _ => match random.random_range(0..100) {
            0..6 => Fate::Cancelled,
            6..11 => Fate::FirstPickupFails,
            11..16 => Fate::FirstDeliveryFails,
            _ => Fate::Delivered,
        },
    }
}

fn order(random: &mut StdRng, seed: u64, index: usize, orders: usize) -> PlannedOrder {
    let fate = fate(random, index, orders);
    let international = fate != Fate::Undeliverable && (index % 7 == 5 || random.random_ratio(1, 10));
    let express = !international && random.random_ratio(1, 8);
    let given = pick(random, &GIVEN_NAMES);
    let family = pick(random, &FAMILY_NAMES);
    let place = if international { pick(random, &ABROAD) } else { pick(random, &AT_HOME) };
    let mut lines: Vec<(usize, u32)> = Vec::new();
    for _ in 0..random.random_range(1..=3) {
        let product = random.random_range(0..CATALOGUE.len());
        if lines.iter().all(|(known, _)| *known != product) {
            lines.push((product, random.random_range(1..=3)));
        }
    }
    // Early in the week, so that what is placed can arrive before it ends.
    let day = if international { random.random_range(0..2) } else { random.random_range(0..4) };
    let placed_after =
        SignedDuration::from_hours(24 * day) + SignedDuration::from_mins(random.random_range(120..600));
    let transit = if international {
        SignedDuration::from_hours(random.random_range(60..90))
    } else {
        SignedDuration::from_hours(random.random_range(18..40))
    };
    PlannedOrder {
        reference: format!("DEMO-{seed}-{index:05}"),
        placed_after,
        name: format!("{given} {family}"),
        email: format!("{}.{}.{index}@example.com", ascii(given), ascii(family)),
        phone: format!("{}{:07}", place.phone_prefix, random.random_range(1_000_000..9_999_999)),
        street: format!(
            "Calle {} # {}-{}",
            random.random_range(1..170),
            random.random_range(1..120),
            random.random_range(1..99)
        ),
        place,
        international,
        express,
        cash_on_delivery: !international && random.random_ratio(1, 4),
        lines,
        fate,
        transit,
        coming_back: None,
    }
}

fn pick<T: Copy>(random: &mut StdRng, from: &[T]) -> T {
    // The lists are constants with at least one entry.
    *from.choose(random).unwrap_or(&from[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_week() {
        assert_eq!(format!("{:?}", week(7, 60)), format!("{:?}", week(7, 60)));
        assert_ne!(format!("{:?}", week(7, 60)), format!("{:?}", week(8, 60)));
    }

    #[test]
    fn every_week_has_each_fate_and_crosses_a_border() {
        for seed in 0..20 {
            let week = week(seed, 12);
            for fate in [
                Fate::Delivered,
                Fate::Cancelled,
                Fate::FirstPickupFails,
                Fate::FirstDeliveryFails,
                Fate::Undeliverable,
            ] {
                assert!(week.iter().any(|order| order.fate == fate), "seed {seed} has no {fate:?}");
            }
            assert!(week.iter().any(|order| order.international), "seed {seed} stays at home");
        }
    }

    #[test]
    fn names_become_addresses_that_every_mail_server_takes() {
        assert!(week(1, 200).iter().all(|order| order.email.is_ascii()));
    }
}
