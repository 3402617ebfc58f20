//! When an area is open: local times of the week.
//!
//! Must never know a date or an offset: those come with a time zone, in `timetable`.

use jiff::civil::Weekday;
use quenty_kernel::{Invalid, day::LocalTime};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const MAX_RANGES: usize = 28;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Day {
    fn weekday(self) -> Weekday {
        match self {
            Self::Monday => Weekday::Monday,
            Self::Tuesday => Weekday::Tuesday,
            Self::Wednesday => Weekday::Wednesday,
            Self::Thursday => Weekday::Thursday,
            Self::Friday => Weekday::Friday,
            Self::Saturday => Weekday::Saturday,
            Self::Sunday => Weekday::Sunday,
        }
    }
}

/// One range of opening on a day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpeningHours {
    pub(crate) day: Day,
    pub(crate) opens: LocalTime,
    /// `00:00` is the end of the day; hours past midnight belong to the next day.
    pub(crate) closes: LocalTime,
}

impl OpeningHours {
    /// Whether the hours end with the day.
    pub(crate) fn until_midnight(&self) -> bool {
        self.closes == LocalTime::MIDNIGHT
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.day == other.day
            && (self.until_midnight() || other.opens < self.closes)
            && (other.until_midnight() || self.opens < other.closes)
    }
}

/// The hours of a week, in order; ranges of a day do not overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Vec<OpeningHours>", into = "Vec<OpeningHours>")]
#[schema(value_type = Vec<OpeningHours>, min_items = 1, max_items = 28)]
pub(crate) struct WeeklyHours(Vec<OpeningHours>);

impl WeeklyHours {
    pub(crate) fn on(&self, weekday: Weekday) -> impl Iterator<Item = &OpeningHours> {
        self.0.iter().filter(move |hours| hours.day.weekday() == weekday)
    }
}

impl TryFrom<Vec<OpeningHours>> for WeeklyHours {
    type Error = Invalid;

    fn try_from(mut ranges: Vec<OpeningHours>) -> Result<Self, Invalid> {
        let refuse = |why: &str| Err(Invalid::new("hours", why));
        if ranges.is_empty() || ranges.len() > MAX_RANGES {
            return refuse("must have 1 to 28 ranges");
        }
        if ranges.iter().any(|range| !range.until_midnight() && range.closes <= range.opens) {
            return refuse("must close after they open; hours past midnight are a range of the next day");
        }
        ranges.sort_by_key(|range| (range.day.weekday().to_monday_zero_offset(), range.opens));
        if ranges.windows(2).any(|pair| matches!(pair, [a, b] if a.overlaps(b))) {
            return refuse("must not overlap on one day");
        }
        Ok(Self(ranges))
    }
}

impl From<WeeklyHours> for Vec<OpeningHours> {
    fn from(hours: WeeklyHours) -> Self {
        hours.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<WeeklyHours, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn hours_are_refused_when_they_overlap_or_end_before_they_begin() {
        assert!(read(r#"[{"day":"monday","opens":"08:00","closes":"18:00"}]"#).is_ok());
        assert!(read(r#"[{"day":"monday","opens":"22:00","closes":"00:00"}]"#).is_ok());
        for bad in [
            "[]",
            r#"[{"day":"monday","opens":"18:00","closes":"08:00"}]"#,
            r#"[{"day":"monday","opens":"08:00","closes":"08:00"}]"#,
            r#"[{"day":"monday","opens":"8:00","closes":"09:00"}]"#,
            r#"[{"day":"monday","opens":"24:00","closes":"00:00"}]"#,
            r#"[{"day":"monday","opens":"13:00","closes":"18:00"},{"day":"monday","opens":"08:00","closes":"14:00"}]"#,
            r#"[{"day":"monday","opens":"13:00","closes":"00:00"},{"day":"monday","opens":"20:00","closes":"22:00"}]"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
