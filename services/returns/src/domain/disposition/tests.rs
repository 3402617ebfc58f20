use proptest::prelude::*;
use quenty_kernel::currency::Currency;
use serde_json::json;

use super::*;

/// The ways by their numbers in the waste hierarchy, so that nothing here leans on the code's own order.
const HIERARCHY: [&str; 7] =
    ["resell_as_new", "resell_open_box", "refurbish", "parts", "donate", "recycle", "destroy"];
const CONDITIONS: [&str; 5] = ["like_new", "good", "fair", "poor", "beyond_repair"];

fn cop(amount: &str) -> Money {
    Money::parse(amount, Currency::COP).unwrap()
}

fn cents(minor: i64) -> Money {
    Money::new(Decimal::new(minor, 2), Currency::COP).unwrap()
}

fn minor(money: Money) -> i128 {
    money.amount().mantissa()
}

fn unit(condition: Condition, working: bool, complete: bool, class: GoodsClass) -> Unit {
    let (value, weight) = (cop("100"), Grams::new(1_500).unwrap());
    Unit { value, weight, condition, working, complete, class, recalled: false }
}

fn any_unit() -> impl Strategy<Value = Unit> {
    let words = (
        prop::sample::select(Condition::ALL),
        prop::sample::select(GoodsClass::ALL),
        any::<bool>(),
        any::<bool>(),
        prop::bool::weighted(0.2),
    );
    (0_i64..500_000_000, 1_u32..100_000, words).prop_map(
        |(value, grams, (condition, class, working, complete, recalled))| Unit {
            value: cents(value),
            weight: Grams::new(grams).unwrap(),
            condition,
            working,
            complete,
            class,
            recalled,
        },
    )
}

/// What one way costs: basis points, cents for each unit, cents for each kilogram.
type Price = (u32, i64, i64);

/// The prices of the ways, that of a repair last, and the ways that the company does not have.
#[derive(Debug, Clone)]
struct Terms {
    prices: [Price; 8],
    not_offered: Vec<usize>,
    corrections: [u32; 7],
}

impl Terms {
    fn costs(&self) -> Costs {
        let price = |(share, fixed, per_kilogram): Price| json!({"share_bps": share, "fixed": [cents(fixed)], "per_kilogram": [cents(per_kilogram)]});
        let names = HIERARCHY.into_iter().chain(["repair"]);
        let mut costs: serde_json::Map<_, _> =
            names.zip(self.prices).map(|(name, of)| (name.to_owned(), price(of))).collect();
        let not_offered: Vec<_> = self.not_offered.iter().map(|way| HIERARCHY[*way]).collect();
        costs.insert("not_offered".to_owned(), json!(not_offered));
        serde_json::from_value(costs.into()).unwrap()
    }

    fn corrections(&self) -> Corrections {
        let of = |(name, bps): (&str, u32)| (name.parse().unwrap(), Correction { bps });
        HIERARCHY.into_iter().zip(self.corrections).map(of).collect()
    }

    fn options(&self, unit: &Unit) -> Options {
        options(unit, &self.costs(), &self.corrections()).unwrap()
    }

    fn choice(&self, unit: &Unit) -> usize {
        let chosen = best(&self.options(unit)).kind;
        HIERARCHY.iter().position(|name| *name == chosen.as_str()).unwrap()
    }
}

fn any_terms() -> impl Strategy<Value = Terms> {
    // Small shares and amounts, so that every way is the best one at some time.
    let price = (0_u32..6_000, prop_oneof![Just(0), 0_i64..2_000_000], prop_oneof![Just(0), 0_i64..50_000]);
    let prices = prop::array::uniform8(price);
    (prices, prop::collection::vec(0_usize..7, 0..4), prop::array::uniform7(2_000_u32..=20_000))
        .prop_map(|(prices, not_offered, corrections)| Terms { prices, not_offered, corrections })
}

/// `numerator / denominator` to the nearest, from the middle to the even.
fn rounded(numerator: i128, denominator: i128) -> i128 {
    let (below, rest) = (numerator.div_euclid(denominator), 2 * numerator.rem_euclid(denominator));
    below + i128::from(rest > denominator || (rest == denominator && below % 2 != 0))
}

/// What a way leaves of a unit, in cents, or nothing when it is forbidden: the rules once more, from the design's
/// words and without the code under test.
fn brute_force(way: &str, unit: &Unit, terms: &Terms) -> Option<i128> {
    let place = HIERARCHY.iter().position(|name| *name == way).unwrap();
    let condition = CONDITIONS.iter().position(|name| *name == unit.condition.as_str()).unwrap();
    let (hygiene, hopeless) = (unit.class.as_str() == "hygiene", condition == 4);
    let forbidden = match way {
        "resell_as_new" => hygiene || condition > 0 || !unit.working || !unit.complete,
        "resell_open_box" | "donate" => hygiene || hopeless || !unit.working,
        "refurbish" => hygiene || hopeless || (condition < 2 && unit.working && unit.complete),
        "parts" => hygiene,
        _ => false,
    };
    let forbidden = forbidden || (unit.recalled && !["recycle", "destroy"].contains(&way));
    if forbidden || (terms.not_offered.contains(&place) && way != "destroy") {
        return None;
    }
    let running = [(8_500, 9_500), (7_000, 8_500), (5_000, 7_000), (3_000, 5_000), (0, 0)][condition];
    let broken = if hopeless { (0, 0) } else { (500, 1_500) };
    let (low, high) = if unit.working { running } else { broken };
    let share: i128 = match (way, unit.complete) {
        ("resell_as_new", _) => high,
        ("resell_open_box", true) => (low + high) / 2,
        ("resell_open_box", false) => low,
        ("refurbish", _) => {
            if hopeless {
                0
            } else {
                7_750
            }
        }
        ("parts", true) => (broken.0 + broken.1) / 2,
        ("parts", false) => broken.0,
        ("recycle", _) if unit.class.as_str() == "electronics" => broken.0,
        _ => 0,
    };
    let value = minor(unit.value);
    let expected = rounded(value * share * i128::from(terms.corrections[place]), 100_000_000);
    let cost = |(share, fixed, per_kilogram): Price| {
        let by_weight = i128::from(per_kilogram) * i128::from(unit.weight.get());
        rounded(value * i128::from(share), 10_000) + i128::from(fixed) + rounded(by_weight, 1_000)
    };
    let repair = if way == "refurbish" && !unit.working { cost(terms.prices[7]) } else { 0 };
    Some(expected - cost(terms.prices[place]) - repair)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Ten thousand units under a thousand policies.
    #[test]
    fn the_choice_is_what_trying_every_way_finds(
        units in prop::collection::vec(any_unit(), 10), terms in any_terms()
    ) {
        let (costs, corrections) = (terms.costs(), terms.corrections());
        for unit in units {
            let tried = HIERARCHY.map(|way| brute_force(way, &unit, &terms));
            let mut found: Option<(usize, i128)> = None;
            for (place, net) in tried.into_iter().enumerate() {
                if let Some(net) = net && found.is_none_or(|(_, most)| net > most) {
                    found = Some((place, net));
                }
            }
            let (place, net) = found.unwrap();
            let options = options(&unit, &costs, &corrections).unwrap();
            let chosen = best(&options);
            prop_assert_eq!((chosen.kind.as_str(), minor(chosen.net)), (HIERARCHY[place], net));
            prop_assert!(chosen.below_best.is_zero() && chosen.allowed);
            for (option, tried) in options.iter().zip(tried) {
                prop_assert_eq!(option.allowed, tried.is_some());
                prop_assert_eq!(option.allowed, option.refusal.is_none());
                prop_assert!(tried.is_none_or(|tried| tried == minor(option.net)));
                prop_assert_eq!(minor(option.below_best), net - minor(option.net));
                prop_assert!(!option.allowed || !option.below_best.is_negative());
            }
        }
    }
}

proptest! {
    #[test]
    fn a_dearer_way_that_was_not_chosen_is_still_not(
        unit in any_unit(), mut terms in any_terms(), way in 0_usize..7, more in 1_i64..1_000_000
    ) {
        let before = (terms.choice(&unit), terms.options(&unit));
        prop_assume!(before.0 != way);
        terms.prices[way].1 += more;
        prop_assert_eq!(terms.choice(&unit), before.0);
        for (place, (then, now)) in before.1.iter().zip(terms.options(&unit)).enumerate() {
            prop_assert_eq!(*then == now, place != way, "only the dearer way has changed");
        }
    }

    #[test]
    fn a_chosen_way_that_brings_less_keeps_its_place_or_leaves_it_to_the_next(
        unit in any_unit(), mut terms in any_terms(), less in 2_000_u32..20_000
    ) {
        let (first, options) = (terms.choice(&unit), terms.options(&unit));
        let mut next = options;
        next[first].allowed = false;
        let next = best(&next).kind.as_str();
        terms.corrections[first] = less.min(terms.corrections[first]);
        let now = terms.choice(&unit);
        prop_assert!(now == first || HIERARCHY[now] == next, "{} instead of {next}", HIERARCHY[now]);
        for (place, (then, now)) in options.iter().zip(terms.options(&unit)).enumerate() {
            prop_assert!(place == first || (then.net, then.allowed) == (now.net, now.allowed));
        }
    }

    #[test]
    fn a_way_that_falls_away_changes_the_choice_only_if_it_was_chosen(
        unit in any_unit(), mut terms in any_terms(), way in 0_usize..7
    ) {
        let (before, options) = (terms.choice(&unit), terms.options(&unit));
        terms.not_offered.push(way);
        let now = terms.choice(&unit);
        if before == way && way != 6 {
            let mut rest = options;
            rest[way].allowed = false;
            prop_assert_eq!(HIERARCHY[now], best(&rest).kind.as_str());
        } else {
            prop_assert_eq!(now, before);
        }
    }

    #[test]
    fn what_is_said_of_one_unit_does_not_depend_on_another(
        units in prop::collection::vec(any_unit(), 2..6), terms in any_terms(), changed in any_unit()
    ) {
        let weigh = |units: &[Unit]| units.iter().map(|unit| terms.options(unit)).collect::<Vec<_>>();
        let before = weigh(&units);
        let mut others = units;
        others[0] = changed;
        prop_assert_eq!(&before[1..], &weigh(&others)[1..]);
    }
}

fn choice(unit: &Unit) -> &'static str {
    best(&options(unit, &Costs::default(), &Corrections::default()).unwrap()).kind.as_str()
}

#[test]
fn what_every_company_starts_with_chooses_as_the_recovery_ranges_say() {
    use Condition::{BeyondRepair, Fair, Good, LikeNew, Poor};
    use GoodsClass::{Electronics, General, Hygiene};
    for (condition, working, complete, class, chosen) in [
        (LikeNew, true, true, General, "resell_as_new"),
        (LikeNew, true, false, General, "resell_open_box"),
        (Good, true, true, General, "resell_open_box"),
        (Fair, true, true, Electronics, "resell_open_box"),
        (Poor, true, true, General, "refurbish"),
        (LikeNew, false, true, Electronics, "parts"),
        (Poor, false, false, Electronics, "recycle"),
        (BeyondRepair, false, true, General, "recycle"),
        (LikeNew, true, true, Hygiene, "recycle"),
        (BeyondRepair, true, true, Hygiene, "recycle"),
    ] {
        let unit = unit(condition, working, complete, class);
        assert_eq!(choice(&unit), chosen, "{unit:?}");
    }
}

#[test]
fn every_way_is_shown_with_what_speaks_for_and_against_it() {
    let unit = unit(Condition::Good, true, true, GoodsClass::Electronics);
    let corrections = Corrections::from_iter([(Kind::ResellOpenBox, Correction { bps: 9_000 })]);
    let shown: Vec<String> = options(&unit, &Costs::default(), &corrections)
        .unwrap()
        .iter()
        .map(|of| {
            let [expected, uncorrected, cost, net, below] =
                [of.expected_value, of.uncorrected_value, of.cost, of.net, of.below_best]
                    .map(|money| money.amount().normalize());
            let refusal = of.refusal.map_or("allowed", Refusal::as_str);
            format!("{}: {expected} ({uncorrected}) - {cost} = {net}, {below} below, {refusal}", of.kind)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "resell_as_new: 85 (85) - 3 = 82, -20.25 below, not_like_new",
            "resell_open_box: 69.75 (77.5) - 8 = 61.75, 0 below, allowed",
            "refurbish: 77.5 (77.5) - 30 = 47.5, 14.25 below, nothing_to_refurbish",
            "parts: 10 (10) - 4 = 6, 55.75 below, allowed",
            "donate: 0 (0) - 2 = -2, 63.75 below, allowed",
            "recycle: 5 (5) - 2 = 3, 58.75 below, allowed",
            "destroy: 0 (0) - 3 = -3, 64.75 below, allowed",
        ]
    );
}

#[test]
fn of_equal_ways_the_first_in_the_waste_hierarchy_is_chosen() {
    // For nothing, nothing is left by any way.
    let unit = Unit { value: cop("0"), ..unit(Condition::Poor, true, true, GoodsClass::General) };
    let mut terms = Terms { prices: [(0, 0, 0); 8], not_offered: vec![], corrections: [10_000; 7] };
    for way in 1..7 {
        assert_eq!(terms.choice(&unit), way, "selling it as new is not allowed, then each before the next");
        terms.not_offered.push(way);
    }
    assert_eq!(terms.choice(&unit), 6, "destroying always remains");
}

#[test]
fn amounts_in_another_currency_cost_a_unit_nothing() {
    let dollars = Money::parse("5", Currency::USD).unwrap();
    let costs = json!({"destroy": {"fixed": [dollars, cop("7")], "per_kilogram": [dollars]}});
    let costs: Costs = serde_json::from_value(costs).unwrap();
    let unit = unit(Condition::Poor, true, true, GoodsClass::General);
    assert_eq!(costs.of(Kind::Destroy, &unit), Ok(cop("7")));
    let unit = Unit { value: Money::parse("100", Currency::USD).unwrap(), ..unit };
    assert_eq!(costs.of(Kind::Destroy, &unit).unwrap().to_string(), "12.50 USD", "a kilogram and a half");
}

fn outcomes(pairs: &[(&str, &str)]) -> Vec<Outcome> {
    pairs
        .iter()
        .map(|(estimated, realised)| Outcome { estimated: cop(estimated), realised: cop(realised) })
        .collect()
}

#[test]
fn a_correction_is_what_was_realised_over_what_was_estimated() {
    let half = [("100", "40"), ("100", "60"), ("100", "50"), ("300", "150"), ("10", "5")];
    assert_eq!(correction(&outcomes(&half)), Correction { bps: 5_000 });
    assert_eq!(correction(&outcomes(&half[..4])), Correction::NONE, "four units are too few");
    assert_eq!(correction(&outcomes(&[("100", "1"); 5])), Correction { bps: 2_000 });
    assert_eq!(correction(&outcomes(&[("100", "900"); 5])), Correction { bps: 20_000 });
    assert_eq!(correction(&outcomes(&[("0", "9"); 5])), Correction::NONE, "nothing was estimated");
    assert_eq!(correction(&[]), Correction::NONE);
}

#[test]
fn the_mean_error_tells_direction_and_size() {
    let of = |estimated: i64, bias: i64, absolute: i64| {
        MeanError::of(3, estimated.into(), bias.into(), absolute.into())
    };
    assert_eq!(of(400, -10, 30), Some(MeanError { units: 3, bias_bps: -250, absolute_bps: 750 }));
    assert_eq!(of(0, 10, 10), None, "nothing was estimated");
}

#[test]
fn outcomes_in_another_currency_than_the_first_do_not_count() {
    let dollars = Money::parse("1000", Currency::USD).unwrap();
    let mut mixed = outcomes(&[("100", "50"); 5]);
    mixed.insert(3, Outcome { estimated: dollars, realised: dollars });
    mixed.push(Outcome { estimated: cop("100"), realised: dollars });
    assert_eq!(correction(&mixed), Correction { bps: 5_000 });
}

proptest! {
    #[test]
    fn a_correction_makes_the_estimates_right_on_the_whole(
        estimates in prop::collection::vec(1_000_i64..100_000_000, 5..20), really in 2_000_u32..=20_000
    ) {
        let realised = |estimated: i64| cents(estimated).percent_bps(quenty_kernel::measure::Bps::new(really).unwrap());
        let outcome = |estimated: &i64| Outcome { estimated: cents(*estimated), realised: realised(*estimated).unwrap() };
        let outcomes: Vec<Outcome> = estimates.iter().map(outcome).collect();
        // Half a cent of rounding for each unit, of ten pesos at least.
        prop_assert!(correction(&outcomes).bps.abs_diff(really) <= 10);
    }
}
