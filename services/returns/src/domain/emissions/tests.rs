use proptest::prelude::*;

use super::*;

fn factors() -> FactorSet {
    let decimal = |text: &str| -> Decimal { text.parse().unwrap() };
    let goods = [("general", "3000"), ("electronics", "5647.95"), ("clothing", "22310")];
    FactorSet {
        name: "Published".to_owned(),
        version: "2025".to_owned(),
        source: "somewhere".to_owned(),
        valid_from: "2025-01-01T00:00:00Z".parse().unwrap(),
        vehicles: BTreeMap::from([(Vehicle::Van, decimal("791.58"))]),
        goods: goods.into_iter().map(|(name, factor)| (name.to_owned(), decimal(factor))).collect(),
    }
}

fn at(lat: f64, lng: f64) -> Option<GeoPoint> {
    Some(GeoPoint::new(lat, lng).unwrap())
}

/// Bogotá to Medellín: 238.6 km through the air.
fn leg() -> Leg {
    Leg { from: at(4.7110, -74.0721), to: at(6.2442, -75.5812), vehicle: Some(Vehicle::Van) }
}

fn unit(grams: u32, class: GoodsClass, kind: Kind) -> DisposedUnit {
    DisposedUnit { weight: Grams::new(grams).unwrap(), class, category: None, kind }
}

#[test]
fn the_way_back_emits_by_distance_weight_and_vehicle() {
    let units =
        [unit(1_500, GoodsClass::General, Kind::Donate), unit(500, GoodsClass::General, Kind::Destroy)];
    let record = record(&factors(), &leg(), &units);
    let meters = record.distance_meters.unwrap();
    assert!((308_100..313_300).contains(&meters), "1.3 times 237 to 241 km, not {meters}");
    assert_eq!(record.weight_grams, 2_000);
    // Two kilograms over some 310 km: about 0.62 tonne-kilometres at 791.58 g.
    let expected = f64::from(u32::try_from(meters).unwrap()) / 1_000.0 * 0.002 * 791.58;
    assert_eq!(record.return_leg_g_co2e, Some(expected.round_ties_even() as u64));
    assert_eq!((record.factor_set.as_str(), record.factor_version.as_str()), ("Published", "2025"));
}

#[test]
fn what_is_unknown_is_not_zero() {
    let units = [unit(1_000, GoodsClass::General, Kind::ResellAsNew)];
    let told = |leg: Leg| {
        let record = record(&factors(), &leg, &units);
        (record.distance_meters.is_some(), record.return_leg_g_co2e.is_some())
    };
    assert_eq!(told(leg()), (true, true));
    assert_eq!(told(Leg { from: None, ..leg() }), (false, false));
    assert_eq!(told(Leg { to: None, ..leg() }), (false, false));
    assert_eq!(told(Leg { vehicle: None, ..leg() }), (true, false));
    assert_eq!(told(Leg { vehicle: Some(Vehicle::Truck), ..leg() }), (true, false), "no factor for it");
    // What was known is told all the same, and no way at all is a way of no length.
    let here = Leg { from: leg().to, ..leg() };
    let record = record(&factors(), &here, &units);
    assert_eq!((record.distance_meters, record.return_leg_g_co2e), (Some(0), Some(0)));
    assert_eq!((record.avoided_g_co2e, record.waste_diverted_grams), (3_000, 1_000));
}

#[test]
fn only_what_is_sold_again_takes_the_place_of_something_new() {
    for (kind, avoided, diverted) in [
        (Kind::ResellAsNew, 6_000, 2_000),
        (Kind::ResellOpenBox, 6_000, 2_000),
        (Kind::Refurbish, 6_000, 2_000),
        (Kind::Parts, 0, 2_000),
        (Kind::Donate, 0, 2_000),
        (Kind::Recycle, 0, 2_000),
        (Kind::Destroy, 0, 0),
    ] {
        let record = record(&factors(), &leg(), &[unit(2_000, GoodsClass::General, kind)]);
        assert_eq!((record.avoided_g_co2e, record.waste_diverted_grams), (avoided, diverted), "{kind}");
    }
}

#[test]
fn the_category_has_the_word_before_the_class() {
    let avoided = |class, category: Option<&str>| {
        let unit =
            DisposedUnit { category: category.map(str::to_owned), ..unit(1_000, class, Kind::ResellAsNew) };
        record(&factors(), &leg(), &[unit]).avoided_g_co2e
    };
    assert_eq!(avoided(GoodsClass::General, Some("Clothing")), 22_310);
    assert_eq!(avoided(GoodsClass::Electronics, Some("Clothes")), 5_648);
    assert_eq!(avoided(GoodsClass::Electronics, None), 5_648);
    assert_eq!(avoided(GoodsClass::Hygiene, None), 0, "a class without a factor");
}

#[test]
fn halves_of_grams_go_to_the_even_neighbour_and_only_the_sum_is_rounded() {
    let mut factors = factors();
    factors.goods.insert("general".to_owned(), Decimal::from(500));
    let avoided = |count: usize| {
        let units = vec![unit(1, GoodsClass::General, Kind::ResellAsNew); count];
        record(&factors, &leg(), &units).avoided_g_co2e
    };
    assert_eq!([avoided(1), avoided(2), avoided(3), avoided(4)], [0, 1, 2, 2]);
}

#[test]
fn a_way_back_has_a_vehicle_unless_the_buyer_brings_it() {
    assert_eq!(Vehicle::of(WayBack::Pickup), Some(Vehicle::Van));
    assert_eq!(Vehicle::of(WayBack::Label), Some(Vehicle::Truck));
    assert_eq!(Vehicle::of(WayBack::DropOff), None);
}

#[test]
fn a_record_reads_back_from_json() {
    let units = [unit(1_000, GoodsClass::General, Kind::Recycle)];
    let record = record(&factors(), &Leg { from: None, ..leg() }, &units);
    let json = serde_json::to_value(&record).unwrap();
    assert!(json["return_leg_g_co2e"].is_null());
    assert_eq!(serde_json::from_value::<EnvironmentalRecord>(json).unwrap(), record);
}

proptest! {
    #[test]
    fn every_gram_is_counted_once(
        units in prop::collection::vec((1_u32..=1_000_000, prop::sample::select(Kind::ALL)), 0..50)
    ) {
        let of = |(grams, kind): &(u32, Kind)| unit(*grams, GoodsClass::Electronics, *kind);
        let units: Vec<DisposedUnit> = units.iter().map(of).collect();
        let record = record(&factors(), &leg(), &units);
        let weight = |units: &[DisposedUnit]| units.iter().map(|unit| u64::from(unit.weight.get())).sum::<u64>();
        let destroyed: Vec<DisposedUnit> =
            units.iter().filter(|unit| unit.kind == Kind::Destroy).cloned().collect();
        prop_assert_eq!(record.weight_grams, weight(&units));
        prop_assert_eq!(record.waste_diverted_grams, weight(&units) - weight(&destroyed));
        prop_assert!(record.avoided_g_co2e <= record.waste_diverted_grams * 6);
        let doubled = super::record(&factors(), &leg(), &[units.clone(), units].concat());
        let legs = [record, doubled].map(|record| record.return_leg_g_co2e.unwrap());
        prop_assert!((legs[0] * 2).abs_diff(legs[1]) <= 1);
    }
}
