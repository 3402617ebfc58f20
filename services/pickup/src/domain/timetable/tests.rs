use jiff::civil::date;
use serde_json::{Value, json};

use super::*;
use crate::domain::service_area::tests::area;

const WEEK: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

fn daily(opens: &str, closes: &str) -> Value {
    WEEK.iter().map(|day| json!({"day": day, "opens": opens, "closes": closes})).collect()
}

fn definition(zone: &str, hours: Value, slot_minutes: u16) -> AreaDefinition {
    let mut definition = area(zone, hours).definition;
    definition.slot_minutes = slot_minutes.try_into().unwrap();
    definition
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn shown(area: &AreaDefinition, slots: &[Window]) -> Vec<String> {
    let instant =
        |at: Timestamp| at.to_zoned(area.time_zone.zone().clone()).strftime("%dT%H:%M%:z").to_string();
    slots
        .iter()
        .map(|slot| format!("{} {}", instant(slot.start), slot.end.duration_since(slot.start).as_mins()))
        .collect()
}

#[test]
fn a_plain_day_in_bogota_is_cut_into_slots_and_the_last_one_ends_with_the_hours() {
    let area = definition("America/Bogota", daily("08:00", "13:00"), 120);
    assert_eq!(
        shown(&area, &area.slots_on(date(2026, 3, 8))),
        ["08T08:00-05:00 120", "08T10:00-05:00 120", "08T12:00-05:00 60"]
    );
}

#[test]
fn in_santiago_the_hour_that_clocks_repeat_has_slots_of_its_own() {
    // At 24:00 of 4 April 2026 clocks go back to 23:00.
    let area = definition("America/Santiago", daily("21:00", "00:00"), 60);
    assert_eq!(
        shown(&area, &area.slots_on(date(2026, 4, 4))),
        ["04T21:00-03:00 60", "04T22:00-03:00 60", "04T23:00-03:00 60", "04T23:00-04:00 60"]
    );
    let (usual, longer) = (area.slots_on(date(2026, 4, 3)), area.slots_on(date(2026, 4, 4)));
    assert_eq!((usual.len(), longer.len()), (3, 4));
}

#[test]
fn in_santiago_the_hour_that_clocks_skip_has_no_slot() {
    // At 24:00 of 5 September 2026 clocks go forward to 01:00 of the 6th.
    let area = definition("America/Santiago", daily("00:00", "03:00"), 60);
    assert_eq!(shown(&area, &area.slots_on(date(2026, 9, 6))), ["06T01:00-03:00 60", "06T02:00-03:00 60"]);
    let evening = definition("America/Santiago", daily("22:00", "00:00"), 60);
    assert_eq!(
        shown(&evening, &evening.slots_on(date(2026, 9, 5))),
        ["05T22:00-04:00 60", "05T23:00-04:00 60"]
    );
}

#[test]
fn in_sao_paulo_summer_time_once_began_at_midnight_and_is_gone_since() {
    let area = definition("America/Sao_Paulo", daily("00:00", "02:00"), 60);
    assert_eq!(shown(&area, &area.slots_on(date(2018, 11, 4))), ["04T01:00-02:00 60"]);
    assert_eq!(shown(&area, &area.slots_on(date(2026, 11, 1))), ["01T00:00-03:00 60", "01T01:00-03:00 60"]);
}

#[test]
fn nobody_comes_on_a_holiday_or_on_a_day_without_hours() {
    let mut area =
        definition("America/Bogota", json!([{"day": "friday", "opens": "08:00", "closes": "10:00"}]), 60);
    area.holidays = vec![date(2026, 5, 1)];
    assert!(area.slots_on(date(2026, 5, 1)).is_empty());
    assert!(area.slots_on(date(2026, 5, 2)).is_empty());
    assert_eq!(area.slots_on(date(2026, 5, 8)).len(), 2);
    let first =
        area.candidates(PickupKind::OnDemand, &Wanted::default(), at("2026-05-01T13:00:00Z")).unwrap();
    assert_eq!(first[0].window.start, at("2026-05-08T13:00:00Z"));
}

#[test]
fn on_demand_is_within_two_hours_or_from_the_next_opening() {
    let area = definition("America/Bogota", daily("08:00", "18:00"), 60);
    let window =
        |now: &str| area.candidates(PickupKind::OnDemand, &Wanted::default(), at(now)).unwrap()[0].window;
    let expect = |start: &str, end: &str| Window { start: at(start), end: at(end) };
    // 15:30 local: fits. 16:30: does not. 06:00: before the hours.
    assert_eq!(window("2026-05-05T20:30:00Z"), expect("2026-05-05T20:30:00Z", "2026-05-05T22:30:00Z"));
    assert_eq!(window("2026-05-05T21:30:00Z"), expect("2026-05-06T13:00:00Z", "2026-05-06T15:00:00Z"));
    assert_eq!(window("2026-05-05T11:00:00Z"), expect("2026-05-05T13:00:00Z", "2026-05-05T15:00:00Z"));
    // It may take a place in each slot that it touches, the first one first.
    let slots =
        area.candidates(PickupKind::OnDemand, &Wanted::default(), at("2026-05-05T20:30:00Z")).unwrap();
    let starts: Vec<_> = slots.iter().map(|c| area.local_time(c.slot.start).to_string()).collect();
    assert_eq!(starts, ["15:00", "16:00", "17:00"]);
}

#[test]
fn a_window_runs_through_midnight_where_the_hours_do() {
    let hours: Vec<Value> = WEEK
        .iter()
        .flat_map(|day| {
            [
                json!({"day": day, "opens": "20:00", "closes": "00:00"}),
                json!({"day": day, "opens": "00:00", "closes": "02:00"}),
            ]
        })
        .collect();
    let area = definition("America/Bogota", json!(hours), 60);
    let now = at("2026-05-06T04:30:00Z"); // 23:30 local
    let express = area.candidates(PickupKind::Express, &Wanted::default(), now).unwrap();
    assert_eq!(express[0].window, Window { start: now, end: at("2026-05-06T05:30:00Z") });
    assert_eq!(express.len(), 2);
}

#[test]
fn an_opening_shorter_than_the_promise_ends_it() {
    let area = definition("America/Bogota", daily("08:00", "09:00"), 60);
    let found =
        area.candidates(PickupKind::OnDemand, &Wanted::default(), at("2026-05-05T12:00:00Z")).unwrap();
    assert_eq!(
        found[0].window,
        Window { start: at("2026-05-05T13:00:00Z"), end: at("2026-05-05T14:00:00Z") }
    );
}

#[test]
fn a_scheduled_pickup_gets_the_day_and_slot_that_were_wanted_and_never_one_that_has_begun() {
    let area = definition("America/Bogota", daily("08:00", "12:00"), 60);
    let now = at("2026-05-05T14:00:01Z"); // just after 09:00 local
    let starts = |date: Option<Date>, slot: Option<&str>| -> Vec<String> {
        let wanted = Wanted { date, slot: slot.map(str::to_owned) };
        let found = area.candidates(PickupKind::Scheduled, &wanted, now).unwrap();
        found
            .iter()
            .map(|c| c.slot.start.to_zoned(area.time_zone.zone().clone()).strftime("%d %H").to_string())
            .collect()
    };
    assert_eq!(starts(Some(date(2026, 5, 5)), None), ["05 10", "05 11"]);
    assert_eq!(starts(Some(date(2026, 5, 6)), Some("09:00")), ["06 09"]);
    assert_eq!(starts(None, Some("08:00")).first().map(String::as_str), Some("06 08"));
    assert_eq!(starts(None, None).len(), 2 + 7 * 4);
    for nothing in [Some(date(2026, 5, 4)), Some(date(2026, 9, 1)), Some(Date::MAX), Some(Date::MIN)] {
        assert!(starts(nothing, None).is_empty(), "{nothing:?}");
    }
    assert!(starts(None, Some("08:30")).is_empty());
}

#[test]
fn express_is_refused_where_it_is_not_offered() {
    let mut area = definition("America/Bogota", daily("08:00", "12:00"), 60);
    area.express = false;
    let refused = area.candidates(PickupKind::Express, &Wanted::default(), at("2026-05-05T14:00:00Z"));
    assert_eq!(refused, Err(Unbookable::ExpressUnavailable));
}
