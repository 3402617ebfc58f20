//! When an area is open: local times of the week.
//!
//! Must never know a date or an offset: those come with a time zone, in `timetable`.

use std::{fmt, str::FromStr};

use jiff::civil::{Time, Weekday};
use quenty_kernel::Invalid;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const MAX_RANGES: usize = 28;

/// A time of the day in the area's time zone, to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "08:00")]
pub(crate) struct LocalTime(Time);

impl LocalTime {
    pub(crate) const MIDNIGHT: Self = Self(Time::midnight());

    pub(crate) fn of(time: Time) -> Self {
        Self(Time::constant(time.hour(), time.minute(), 0, 0))
    }

    pub(crate) fn time(self) -> Time {
        self.0
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl FromStr for LocalTime {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let two_digits = |part: &str| {
            (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<i8>().ok())?
        };
        text.split_once(':')
            .and_then(|(hour, minute)| Time::new(two_digits(hour)?, two_digits(minute)?, 0, 0).ok())
            .map(Self)
            .ok_or_else(|| Invalid::new("local time", "must be hours and minutes such as 08:00"))
    }
}

impl TryFrom<String> for LocalTime {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<LocalTime> for String {
    fn from(time: LocalTime) -> String {
        time.to_string()
    }
}

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
