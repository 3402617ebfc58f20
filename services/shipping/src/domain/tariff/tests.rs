use super::*;
use quenty_kernel::measure::{Dimensions, Grams, Millimeters};

pub(in crate::domain) fn cop(amount: &str) -> Money {
    Money::parse(amount, Currency::COP).unwrap()
}

pub(in crate::domain) fn parcel(grams: u32) -> Parcel {
    Parcel { weight_grams: Grams::new(grams).unwrap(), dimensions: None, fragile: false }
}

fn boxed(grams: u32, sides_mm: [u32; 3]) -> Parcel {
    let [length, width, height] = sides_mm.map(|side| Millimeters::new(side).unwrap());
    Parcel { dimensions: Some(Dimensions::new(length, width, height)), ..parcel(grams) }
}

/// The seeded home card of Colombia, standard service, and an express without the break above 5 kg.
pub(in crate::domain) fn card() -> RateCard {
    let at =
        |above_grams, base: i64, step: i64| WeightBreak { above_grams, base: base.into(), step: step.into() };
    RateCard {
        carrier: QTY.to_owned(),
        currency: Currency::COP,
        volumetric_divisor: 5_000,
        fuel: Bps::new(850).unwrap(),
        insurance: Bps::new(100).unwrap(),
        max_parcel_grams: 70_000,
        max_declared_value: cop("40000000"),
        breaks: BTreeMap::from([
            (
                ServiceLevel::Standard,
                vec![at(0, 8_900, 0), at(1_000, 8_900, 1_900), at(5_000, 24_100, 1_520)],
            ),
            (ServiceLevel::Express, vec![at(0, 14_900, 0), at(1_000, 14_900, 2_900)]),
        ]),
        business_days: BTreeMap::from([(ServiceLevel::Standard, 3), (ServiceLevel::Express, 1)]),
    }
}

fn offer(parcels: &[Parcel], declared: Money) -> Offer {
    let now = local("2026-01-05T12:00:00Z".parse().unwrap(), Some("America/Bogota"));
    card().offer(ServiceLevel::Standard, parcels, declared, &now).unwrap().unwrap()
}

fn freight(grams: u32) -> Money {
    let cost = offer(&[parcel(grams)], cop("0")).cost;
    cost.base.checked_add(cost.weight).unwrap()
}

#[test]
fn a_price_is_what_a_person_computes_from_the_card() {
    // 2.3 kg count as 2.5 kg: 8,900 + 3 × 1,900 = 14,600; fuel 8.5 % = 1,241; insurance 1 % of 250,000 = 2,500.
    let offer = offer(&[parcel(2_300)], cop("250000"));
    let cost = offer.cost;
    assert_eq!(offer.chargeable_weight_grams, 2_500);
    assert_eq!((cost.base, cost.weight), (cop("8900"), cop("5700")));
    assert_eq!((cost.fuel, cost.insurance, cost.total), (cop("1241"), cop("2500"), cop("18341")));
    assert!(offer.insured);
}

#[test]
fn a_break_applies_above_its_weight_and_not_at_it() {
    for (grams, price) in [
        (1, "8900"),
        (500, "8900"),
        (501, "8900"),
        (1_000, "8900"),
        (1_001, "10800"),
        (1_500, "10800"),
        (1_501, "12700"),
        (5_000, "24100"),
        (5_001, "25620"),
        (5_500, "25620"),
        (5_501, "27140"),
    ] {
        assert_eq!(freight(grams), cop(price), "{grams} g");
    }
}

#[test]
fn the_greater_of_actual_and_volumetric_weight_is_charged_for_each_parcel() {
    let charged = |parcels: &[Parcel]| card().chargeable_grams(parcels);
    // 40 × 30 × 20 cm = 24,000 cm³ / 5,000 = 4.8 kg, in started half kilograms 5.
    assert_eq!(charged(&[boxed(1_200, [400, 300, 200])]), 5_000);
    assert_eq!(charged(&[boxed(6_100, [400, 300, 200])]), 6_500);
    // 25,000 cm³ are 5 kg exactly; one cubic centimetre more begins the next half.
    assert_eq!(charged(&[boxed(1, [500, 500, 100])]), 5_000);
    assert_eq!(charged(&[boxed(1, [500, 500, 101])]), 5_500);
    assert_eq!(charged(&[boxed(1_200, [400, 300, 200]), parcel(700)]), 6_000);
}

#[test]
fn value_in_another_currency_is_not_insured_and_not_converted() {
    let offer = offer(&[parcel(1_000)], Money::parse("100", Currency::USD).unwrap());
    assert!(!offer.insured && offer.cost.insurance.is_zero());
    assert_eq!(offer.cost.total, cop("9656.50"));
}

#[test]
fn the_seventh_day_is_no_business_day() {
    for (booked, days, promised) in [
        ("2026-01-05", 1, "2026-01-06"),
        ("2026-01-05", 5, "2026-01-12"),
        ("2026-01-09", 1, "2026-01-12"),
        ("2026-01-10", 1, "2026-01-12"),
        ("2026-01-11", 0, "2026-01-12"),
        ("2026-01-05", 0, "2026-01-05"),
    ] {
        let promise = business_day(booked.parse().unwrap(), days);
        assert_eq!(promise, promised.parse::<Date>().unwrap(), "{booked} + {days}");
    }
}

#[test]
fn a_promise_ends_with_the_day_of_the_company() {
    for (time_zone, booked, date, promised) in [
        (Some("America/Bogota"), "2026-01-05T12:00:00Z", "2026-01-06", "2026-01-07T04:59:59Z"),
        // It is still Monday there.
        (Some("America/Bogota"), "2026-01-06T03:00:00Z", "2026-01-06", "2026-01-07T04:59:59Z"),
        (Some("Asia/Tokyo"), "2026-01-05T12:00:00Z", "2026-01-06", "2026-01-06T14:59:59Z"),
        // The clocks go forward on the day before.
        (Some("America/Santiago"), "2026-09-04T12:00:00Z", "2026-09-07", "2026-09-08T02:59:59Z"),
        (None, "2026-01-05T12:00:00Z", "2026-01-06", "2026-01-07T11:59:59Z"),
        (Some("Nowhere/At_All"), "2026-01-05T12:00:00Z", "2026-01-06", "2026-01-07T11:59:59Z"),
        (None, "2026-01-06T06:00:00Z", "2026-01-07", "2026-01-08T11:59:59Z"),
        (None, "2026-01-06T00:00:00Z", "2026-01-07", "2026-01-08T11:59:59Z"),
    ] {
        let now = local(booked.parse().unwrap(), time_zone);
        let offer = card().offer(ServiceLevel::Express, &[parcel(500)], cop("0"), &now).unwrap().unwrap();
        assert_eq!(offer.promised_date, Some(date.parse().unwrap()), "{time_zone:?}");
        assert_eq!(offer.promised_at, promised.parse::<Timestamp>().unwrap(), "{time_zone:?}");
    }
}
