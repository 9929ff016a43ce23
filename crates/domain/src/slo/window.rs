//! The times that budgets and burn rates are about: lengths that end now, and periods of the calendar.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::{Minute, format_duration};

/// A rolling time window: the last `minutes` UTC minutes, the running one included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Length in minutes, at least one.
    pub minutes: u32,
}

impl Window {
    /// 28 days, 30 days and so on.
    pub const fn days(days: u32) -> Self {
        Self { minutes: days * 1_440 }
    }

    /// Length in seconds.
    pub const fn seconds(self) -> u64 {
        self.minutes as u64 * 60
    }

    /// First minute of the window whose last one is `now`.
    pub fn first_minute(self, now: Minute) -> Minute {
        now.plus(1 - i32::try_from(self.minutes).unwrap_or(i32::MAX))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_duration(self.seconds()))
    }
}

/// The time over which a promise is kept (OpenSLO `timeWindow`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Short", into = "Short")]
pub enum TimeWindow {
    /// Always the last so many minutes.
    Rolling(Window),
    /// A period of the calendar after the other; each begins with a whole budget.
    Calendar(CalendarWindow),
}

/// Periods of the calendar, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarWindow {
    /// How many units a period takes, at least one.
    pub count: u32,
    /// The unit.
    pub unit: CalendarUnit,
    /// When one of the periods begins, by the clocks of the zone: `2026-01-01 00:00:00`.
    pub start: String,
    /// Name of the zone in the IANA database: `Europe/Berlin`.
    pub time_zone: String,
}

/// A unit of the calendar. Days are those of a zone: the clocks' changes make them 23 or 25 hours long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalendarUnit {
    /// Midnight to midnight.
    Day,
    /// Seven days.
    Week,
    /// To the same day of the next month, or to its last day.
    Month,
    /// Three months.
    Quarter,
    /// Twelve months.
    Year,
}

impl CalendarUnit {
    /// Every unit with OpenSLO's letter, an adjective, and its usual length in days.
    const ALL: [(Self, char, &'static str, u32); 5] = [
        (Self::Day, 'd', "daily", 1),
        (Self::Week, 'w', "weekly", 7),
        (Self::Month, 'M', "monthly", 30),
        (Self::Quarter, 'Q', "quarterly", 90),
        (Self::Year, 'Y', "yearly", 365),
    ];

    /// The unit of a letter in an OpenSLO duration.
    pub fn of_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|row| row.1 == letter).map(|row| row.0)
    }

    fn row(self) -> (char, &'static str, u32) {
        let row = Self::ALL.into_iter().find(|row| row.0 == self);
        row.map_or(('d', "daily", 1), |(_, letter, adjective, days)| (letter, adjective, days))
    }
}

/// The form of a time window for browsers, whose decoder of it is small: the unit's letter or `m`, so many of it, the start
/// and the zone.
type Short = (char, u32, String, String);

impl From<TimeWindow> for Short {
    fn from(window: TimeWindow) -> Self {
        match window {
            TimeWindow::Rolling(Window { minutes }) => ('m', minutes, String::new(), String::new()),
            TimeWindow::Calendar(CalendarWindow { count, unit, start, time_zone }) => (unit.row().0, count, start, time_zone),
        }
    }
}

impl From<Short> for TimeWindow {
    fn from((letter, count, start, time_zone): Short) -> Self {
        match CalendarUnit::of_letter(letter) {
            Some(unit) => Self::Calendar(CalendarWindow { count, unit, start, time_zone }),
            None => Self::Rolling(Window { minutes: count }),
        }
    }
}

impl TimeWindow {
    /// A rolling window of some days.
    pub const fn days(days: u32) -> Self {
        Self::Rolling(Window::days(days))
    }

    /// Its usual length, for what does not depend on an instant: a month counts as 30 days, a quarter as 90.
    pub fn nominal(&self) -> Window {
        match self {
            Self::Rolling(window) => *window,
            Self::Calendar(CalendarWindow { count, unit, .. }) => Window::days(count.saturating_mul(unit.row().2)),
        }
    }

    /// As an adjective: `30-day`, `6-hour`, `90-minute`, `monthly`, `2-monthly`.
    pub fn adjective(&self) -> String {
        match self {
            Self::Rolling(Window { minutes: m }) if m.is_multiple_of(1_440) => format!("{}-day", m / 1_440),
            Self::Rolling(Window { minutes: m }) if m.is_multiple_of(60) => format!("{}-hour", m / 60),
            Self::Rolling(Window { minutes: m }) => format!("{m}-minute"),
            Self::Calendar(CalendarWindow { count: 1, unit, .. }) => unit.row().1.to_owned(),
            Self::Calendar(CalendarWindow { count, unit, .. }) => format!("{count}-{}", unit.row().1),
        }
    }
}

/// As OpenSLO writes its length: `30d`, `1M`.
impl fmt::Display for TimeWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rolling(window) => window.fmt(f),
            Self::Calendar(CalendarWindow { count, unit, .. }) => write!(f, "{count}{}", unit.row().0),
        }
    }
}

/// The stretch of time that one budget is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its first minute.
    pub first: Minute,
    /// Its length to its end, which in a period of the calendar is still to come.
    pub minutes: u32,
    /// Whether it moves on with every minute.
    pub is_rolling: bool,
}

impl Period {
    /// The period of a rolling window whose last minute is `now`.
    pub fn rolling(window: Window, now: Minute) -> Self {
        Self { first: window.first_minute(now), minutes: window.minutes, is_rolling: true }
    }

    /// The window of the same length that ends with a minute. Alerts look at it: they do not begin anew with a calendar's
    /// period, as the trouble does not.
    pub const fn trailing(self) -> Window {
        Window { minutes: self.minutes }
    }

    /// The minute after its last.
    pub fn end(self) -> Minute {
        self.first.plus(i32::try_from(self.minutes).unwrap_or(i32::MAX))
    }

    /// Where slices of time begin to be counted: with the epoch, or with a calendar's period.
    pub(super) const fn slices_from(self) -> Minute {
        if self.is_rolling { Minute(0) } else { self.first }
    }
}
