//! The slots and windows of an area on real days: local hours become instants here, and only here.
//!
//! Slots divide the hours in elapsed time, so that a day on which clocks change has slots that are neither
//! doubled nor missing.

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, Time},
};
use quenty_kernel::day::LocalTime;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    booking::{PickupKind, Unbookable, Wanted},
    hours::OpeningHours,
    service_area::AreaDefinition,
};

/// Without a wish for a date, a slot is looked for this far ahead.
const SEARCH_DAYS: i32 = 7;
/// No slot is given out further ahead.
const BOOKABLE_DAYS: i32 = 90;
const ON_DEMAND: SignedDuration = SignedDuration::from_hours(2);
const EXPRESS: SignedDuration = SignedDuration::from_hours(1);

/// From an instant up to another, that one excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Window {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

impl Window {
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// A window that could be promised, and the slot in which it would take a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) window: Window,
    pub(crate) slot: Window,
}

impl AreaDefinition {
    pub(crate) fn local_date(&self, at: Timestamp) -> Date {
        at.to_zoned(self.time_zone.zone().clone()).date()
    }

    pub(crate) fn local_time(&self, at: Timestamp) -> LocalTime {
        LocalTime::of(at.to_zoned(self.time_zone.zone().clone()).time())
    }

    /// When the area is open on a local day, each range of hours by itself.
    fn openings_on(&self, date: Date) -> Vec<Window> {
        if self.holidays.contains(&date) {
            return Vec::new();
        }
        self.hours.on(date.weekday()).filter_map(|hours| self.opening(date, hours)).collect()
    }

    fn opening(&self, date: Date, hours: &OpeningHours) -> Option<Window> {
        // A local time that the clocks skip is read by the offset before the change, of one that they repeat
        // it is the first (RFC 5545, section 3.3.5).
        let instant = |date: Date, time: Time| {
            let zoned = date.to_datetime(time).to_zoned(self.time_zone.zone().clone());
            zoned.ok().map(|zoned| zoned.timestamp())
        };
        let last_day = if hours.until_midnight() { date.tomorrow().ok()? } else { date };
        let window = Window {
            start: instant(date, hours.opens.time())?,
            end: instant(last_day, hours.closes.time())?,
        };
        (window.start < window.end).then_some(window)
    }

    /// The slots of a local day, in order.
    pub(crate) fn slots_on(&self, date: Date) -> Vec<Window> {
        let length = SignedDuration::from_mins(i64::from(self.slot_minutes.get()));
        let mut slots = Vec::new();
        for opening in self.openings_on(date) {
            let mut start = opening.start;
            while start < opening.end {
                let end = (start + length).min(opening.end);
                slots.push(Window { start, end });
                start = end;
            }
        }
        slots
    }

    /// The slots of a local day that can still be booked.
    fn bookable_slots_on(&self, date: Date, now: Timestamp) -> Vec<Window> {
        let last = self.days_from(now, BOOKABLE_DAYS).last();
        if last.is_none_or(|last| date > last) {
            return Vec::new();
        }
        self.slots_on(date).into_iter().filter(|slot| slot.start >= now).collect()
    }

    /// The windows in which a pickup could be promised, the best first.
    ///
    /// # Errors
    /// When the area does not offer this kind.
    pub(crate) fn candidates(
        &self,
        kind: PickupKind,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<Vec<Candidate>, Unbookable> {
        match kind {
            PickupKind::Scheduled => Ok(self.scheduled(wanted, now)),
            PickupKind::OnDemand => Ok(self.soon(ON_DEMAND, now)),
            PickupKind::Express if !self.express => Err(Unbookable::ExpressUnavailable),
            PickupKind::Express => Ok(self.soon(EXPRESS, now)),
        }
    }

    fn scheduled(&self, wanted: &Wanted, now: Timestamp) -> Vec<Candidate> {
        let days: Vec<Date> = match wanted.date {
            Some(date) => vec![date],
            None => self.days_from(now, SEARCH_DAYS).collect(),
        };
        let fits = |slot: &Window| {
            wanted.slot.as_ref().is_none_or(|wanted| *wanted == self.local_time(slot.start).to_string())
        };
        let slots = days.into_iter().flat_map(|date| self.bookable_slots_on(date, now));
        slots.filter(fits).map(|slot| Candidate { window: slot, slot }).collect()
    }

    /// The window of `length` that begins now; if it does not fit into the hours, at the next opening,
    /// where it ends with the hours if those are shorter. It takes a place in one of the slots it touches.
    fn soon(&self, length: SignedDuration, now: Timestamp) -> Vec<Candidate> {
        let fitting = self.open_periods(now).into_iter().find_map(|period| {
            let start = period.start.max(now);
            let end = start + length;
            if end <= period.end {
                return Some(Window { start, end });
            }
            (period.start >= now).then_some(period)
        });
        let Some(window) = fitting else { return Vec::new() };
        let slots = self.days_from(now, SEARCH_DAYS).flat_map(|date| self.slots_on(date));
        slots.filter(|slot| slot.overlaps(&window)).map(|slot| Candidate { window, slot }).collect()
    }

    /// The hours that are not over, adjoining ranges joined: open until and from midnight is open through it.
    fn open_periods(&self, now: Timestamp) -> Vec<Window> {
        let mut periods: Vec<Window> = Vec::new();
        for opening in self.days_from(now, SEARCH_DAYS).flat_map(|date| self.openings_on(date)) {
            match periods.last_mut() {
                Some(last) if last.end >= opening.start => last.end = last.end.max(opening.end),
                _ => periods.push(opening),
            }
        }
        periods.retain(|period| period.end > now);
        periods
    }

    /// Today, and as many days after it.
    fn days_from(&self, now: Timestamp, days: i32) -> impl Iterator<Item = Date> {
        let today = self.local_date(now);
        (0..=days).filter_map(move |day| today.checked_add(day.days()).ok())
    }
}

#[cfg(test)]
mod tests;
