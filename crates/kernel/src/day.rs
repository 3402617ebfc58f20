//! Days of the calendar and times of a day, when it is not known of which place on Earth.

use std::{fmt, str::FromStr};

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Invalid;

/// Whether a local date is over wherever on Earth it may be meant.
#[must_use]
pub fn is_over(date: Date, now: Timestamp) -> bool {
    date < tz::offset(-12).to_datetime(now).date()
}

/// A time of the day in the area's time zone, to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "08:00")]
pub struct LocalTime(Time);

impl LocalTime {
    pub const MIDNIGHT: Self = Self(Time::midnight());

    /// Without its seconds.
    #[must_use]
    pub fn of(time: Time) -> Self {
        Self(Time::constant(time.hour(), time.minute(), 0, 0))
    }

    #[must_use]
    pub fn time(self) -> Time {
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
    fn from(time: LocalTime) -> Self {
        time.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_over_when_it_has_ended_in_the_last_place() {
        let day: Date = "2026-03-02".parse().unwrap();
        let over_at = |now: &str| is_over(day, now.parse().unwrap());
        assert!(!over_at("2026-03-02T00:00:00Z"));
        assert!(!over_at("2026-03-03T11:59:59Z"));
        assert!(over_at("2026-03-03T12:00:00Z"));
    }

    #[test]
    fn a_local_time_is_two_digits_and_two_digits() {
        for text in ["00:00", "08:00", "23:59"] {
            assert_eq!(text.parse::<LocalTime>().unwrap().to_string(), text);
        }
        for text in ["", "0800", "8:00", " 8:00", "+8:00", "08:0", "08:00:00", "24:00", "08:60", "29:00"] {
            assert!(text.parse::<LocalTime>().is_err(), "{text:?}");
        }
    }
}
