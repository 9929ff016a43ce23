//! Instants and lengths of time. All instants are UTC; the clock itself lives in `server`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// An instant: nanoseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in UTC wherever people or JSON see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// From whole seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Milliseconds since the epoch, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(NANOS_PER_SECOND)
    }

    /// The UTC minute this instant lies in.
    pub const fn minute(self) -> Minute {
        Minute(self.0.div_euclid(60 * NANOS_PER_SECOND) as i32)
    }

    /// This instant moved by `nanos`, saturating at the ends of time.
    #[must_use]
    pub const fn plus_nanos(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// This instant moved by `seconds`, saturating.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_nanos(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// Nanoseconds from `earlier` to this instant; negative when `earlier` is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Year, month (1–12), day, hour, minute, second and nanosecond in UTC.
    pub const fn civil(self) -> Civil {
        let seconds = self.seconds();
        let (days, of_day) = (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
        // Days since 0000-03-01, in eras of 400 years, so that leap days come last.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        Civil {
            year: (year_of_era + era * 400 + if month <= 2 { 1 } else { 0 }) as i32,
            month: month as u8,
            day: (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u8,
            hour: (of_day / 3_600) as u8,
            minute: (of_day / 60 % 60) as u8,
            second: (of_day % 60) as u8,
            nanosecond: self.0.rem_euclid(NANOS_PER_SECOND) as u32,
        }
    }

    /// Reads RFC 3339 (`2026-11-21T02:20:00.5Z`, `…+01:00`; a space may stand for the `T`).
    ///
    /// # Errors
    /// A text of another form, or a date that does not exist.
    pub fn parse_rfc3339(text: &str) -> Result<Self, TimeError> {
        parse_rfc3339(text).ok_or_else(|| TimeError::NotRfc3339(text.chars().take(64).collect()))
    }
}

/// A point on the calendar, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it all")]
pub struct Civil {
    pub year: i32,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub nanosecond: u32,
}

/// Why a text is not a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not an instant in RFC 3339.
    #[error("expected a time like 2026-11-21T02:20:00Z, got {0:?}")]
    NotRfc3339(String),
    /// Not a duration like `30d`.
    #[error("expected a duration like 5m, 6h or 30d, got {0:?}")]
    NotDuration(String),
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let part = text.get(range)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let separators = text.get(4..5)? == "-" && text.get(7..8)? == "-" && text.get(13..14)? == ":" && text.get(16..17)? == ":";
    if !separators || !matches!(text.get(10..11)?, "T" | "t" | " ") {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let days = days_from_civil(year, month, day);
    let back = Timestamp::from_seconds(days * SECONDS_PER_DAY).civil();
    let exists = i64::from(back.month) == month && i64::from(back.day) == day;
    if !exists || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        for place in 0..9 {
            nanos = nanos * 10 + i64::from(fraction.as_bytes().get(place).filter(|_| place < digits).map_or(0, |d| d - b'0'));
        }
        rest = &fraction[digits..];
    }
    let offset_minutes = match rest {
        "Z" | "z" => 0,
        _ if rest.len() == 6 && rest.get(3..4)? == ":" => {
            let hours: i64 = rest.get(1..3)?.parse().ok()?;
            let minutes: i64 = rest.get(4..6)?.parse().ok()?;
            let sign = match rest.get(0..1)? {
                "+" => 1,
                "-" => -1,
                _ => return None,
            };
            (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))?
        }
        _ => return None,
    };
    let seconds = days * SECONDS_PER_DAY + hour * 3_600 + (minute - offset_minutes) * 60 + second;
    seconds.checked_mul(NANOS_PER_SECOND)?.checked_add(nanos).map(Timestamp)
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with as many digits of the second as are not zero, in threes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, hour, minute, second, nanosecond } = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match nanosecond {
            0 => {}
            n if n % 1_000_000 == 0 => write!(f, ".{:03}", n / 1_000_000)?,
            n if n % 1_000 == 0 => write!(f, ".{:06}", n / 1_000)?,
            n => write!(f, ".{n:09}")?,
        }
        f.write_str("Z")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse_rfc3339(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A UTC minute: minutes since the epoch. The grain in which SLO counts are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Minute(pub i32);

impl Minute {
    /// The instant at which this minute begins.
    pub const fn start(self) -> Timestamp {
        Timestamp::from_seconds(self.0 as i64 * 60)
    }

    /// The hour since the epoch that this minute lies in.
    pub const fn hour(self) -> i32 {
        self.0.div_euclid(60)
    }

    /// This minute moved by `minutes`.
    #[must_use]
    pub const fn plus(self, minutes: i32) -> Self {
        Self(self.0.saturating_add(minutes))
    }
}

/// Reads a duration as OpenSLO and Prometheus write it: a whole number and one of `s m h d w`, several in a row added up
/// (`1h30m`). Calendar units (`M Q Y`) have no fixed length and are not durations.
///
/// Gives seconds.
///
/// # Errors
/// Another form, or a length of zero.
pub fn parse_duration(text: &str) -> Result<u64, TimeError> {
    let fault = || TimeError::NotDuration(text.chars().take(32).collect());
    let mut total: u64 = 0;
    let mut number: Option<u64> = None;
    for character in text.trim().chars() {
        if let Some(digit) = character.to_digit(10) {
            number = Some(number.unwrap_or(0).checked_mul(10).and_then(|n| n.checked_add(u64::from(digit))).ok_or_else(fault)?);
        } else {
            let unit = match character {
                's' => 1,
                'm' => 60,
                'h' => 3_600,
                'd' => 86_400,
                'w' => 604_800,
                _ => return Err(fault()),
            };
            let count = number.take().ok_or_else(fault)?;
            total = count.checked_mul(unit).and_then(|part| total.checked_add(part)).ok_or_else(fault)?;
        }
    }
    if number.is_some() || total == 0 { Err(fault()) } else { Ok(total) }
}

/// Writes a length in the largest unit that divides it: `30d`, `6h`, `90m`, `45s`.
pub fn format_duration(seconds: u64) -> String {
    for (unit, name) in [(86_400, 'd'), (3_600, 'h'), (60, 'm')] {
        if seconds >= unit && seconds.is_multiple_of(unit) {
            return format!("{}{name}", seconds / unit);
        }
    }
    format!("{seconds}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_is_read_and_written_back() {
        for (text, nanos, written) in [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
            ("2000-02-29T12:34:56.5Z", 951_827_696_500_000_000, "2000-02-29T12:34:56.500Z"),
            ("2026-11-21T03:20:00+01:00", 1_795_227_600_000_000_000, "2026-11-21T02:20:00Z"),
            ("1969-12-31T23:59:59.999999999Z", -1, "1969-12-31T23:59:59.999999999Z"),
            ("2026-11-21 02:20:00.000001Z", 1_795_227_600_000_001_000, "2026-11-21T02:20:00.000001Z"),
        ] {
            let instant = Timestamp::parse_rfc3339(text).expect(text);
            assert_eq!(instant.nanos(), nanos, "{text}");
            assert_eq!(instant.to_string(), written);
        }
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for text in [
            "2025-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01",
            "now",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00",
        ] {
            assert!(Timestamp::parse_rfc3339(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_add_up_and_zero_or_calendar_units_are_refused() {
        assert_eq!(parse_duration("30d"), Ok(2_592_000));
        assert_eq!(parse_duration("1h30m"), Ok(5_400));
        assert_eq!(parse_duration("2w"), Ok(1_209_600));
        for text in ["", "0m", "5", "m", "1M", "1Q", "-5m", "99999999999999999999d"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert_eq!(format_duration(2_592_000), "30d");
        assert_eq!(format_duration(5_400), "90m");
    }

    #[test]
    fn minutes_before_the_epoch_round_down() {
        assert_eq!(Timestamp::from_nanos(-1).minute(), Minute(-1));
        assert_eq!(Minute(-1).hour(), -1);
        assert_eq!(Minute(-1).start().seconds(), -60);
    }
}
