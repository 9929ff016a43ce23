//! Periods of the calendar by the clocks of a zone (requirement B3): a month begins at its midnight, whether the night before
//! had 23, 24 or 25 hours.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Unit};
use slowburn_domain::slo::{CalendarUnit, CalendarWindow, Period};
use slowburn_domain::time::Minute;

/// The periods of a calendar window.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    /// When one period begins, by the clocks of the zone.
    start: DateTime,
    length: Length,
}

#[derive(Clone, Copy, Debug)]
enum Length {
    Days(i64),
    Months(i64),
}

/// What of a calendar window cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalendarFault {
    /// The start.
    Start(String),
    /// The name of the zone.
    TimeZone(String),
}

impl Calendar {
    /// Takes a window.
    ///
    /// # Errors
    /// A start that is no time, a zone that nobody knows.
    pub fn new(window: &CalendarWindow) -> Result<Self, CalendarFault> {
        let start = window.start.parse().map_err(|_| {
            let text: String = window.start.chars().take(40).collect();
            CalendarFault::Start(format!("{text:?} is no time such as 2026-01-01 00:00:00"))
        })?;
        let zone = TimeZone::get(&window.time_zone).map_err(|_| {
            let name: String = window.time_zone.chars().take(60).collect();
            CalendarFault::TimeZone(format!("{name:?} is no zone of the IANA database such as Europe/Berlin"))
        })?;
        let count = i64::from(window.count.max(1));
        let length = match window.unit {
            CalendarUnit::Day => Length::Days(count),
            CalendarUnit::Week => Length::Days(7 * count),
            CalendarUnit::Month => Length::Months(count),
            CalendarUnit::Quarter => Length::Months(3 * count),
            CalendarUnit::Year => Length::Months(12 * count),
        };
        Ok(Self { zone, start, length })
    }

    /// The period that a minute lies in.
    pub fn period(&self, now: Minute) -> Period {
        let mut number = self.about(now);
        while self.begin(number) > now {
            number -= 1;
        }
        while self.begin(number + 1) <= now {
            number += 1;
        }
        let (first, end) = (self.begin(number), self.begin(number + 1));
        Period { first, minutes: end.0.abs_diff(first.0), is_rolling: false }
    }

    /// The number of the period that a minute lies in, wrong by one or two.
    fn about(&self, now: Minute) -> i64 {
        let now = at(now).to_zoned(self.zone.clone()).datetime();
        match self.length {
            Length::Days(days) => {
                let since = now.since(self.start).and_then(|span| span.total((Unit::Day, SpanRelativeTo::days_are_24_hours())));
                since.map_or(0, |since| since as i64).div_euclid(days)
            }
            Length::Months(months) => {
                let month = |time: DateTime| i64::from(time.year()) * 12 + i64::from(time.month());
                (month(now) - month(self.start)).div_euclid(months)
            }
        }
    }

    /// When a period begins. A time that the clocks leave out is taken as that much later; of one that comes twice, the first.
    fn begin(&self, number: i64) -> Minute {
        let beyond = || Minute(if number < 0 { i32::MIN } else { i32::MAX });
        let span = match self.length {
            Length::Days(days) => Span::new().try_days(days.saturating_mul(number)),
            Length::Months(months) => Span::new().try_months(months.saturating_mul(number)),
        };
        let zoned = span.and_then(|span| self.start.checked_add(span)).and_then(|time| time.to_zoned(self.zone.clone()));
        zoned.map_or_else(
            |_| beyond(),
            |zoned| i32::try_from(zoned.timestamp().as_second().div_euclid(60)).map_or_else(|_| beyond(), Minute),
        )
    }
}

fn at(minute: Minute) -> jiff::Timestamp {
    jiff::Timestamp::from_second(i64::from(minute.0) * 60).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(count: u32, unit: CalendarUnit, start: &str, zone: &str) -> Calendar {
        Calendar::new(&CalendarWindow { count, unit, start: start.to_owned(), time_zone: zone.to_owned() }).expect("a calendar")
    }

    fn minute(text: &str) -> Minute {
        Minute((text.parse::<jiff::Timestamp>().expect("a time").as_second() / 60) as i32)
    }

    #[test]
    fn b3_periods_begin_at_midnight_of_their_zone_across_both_changes_of_the_clocks() {
        use CalendarUnit::{Day, Month, Quarter, Week, Year};
        let from_new_year = "2024-01-01 00:00:00";
        for (count, unit, start, zone, now, first, hours) in [
            // Central Europe: 31 March 2024 has 23 hours, 27 October 25.
            (1, Month, from_new_year, "Europe/Berlin", "2024-03-31T21:59:00Z", "2024-02-29T23:00:00Z", 31 * 24 - 1),
            (1, Month, from_new_year, "Europe/Berlin", "2024-03-31T22:00:00Z", "2024-03-31T22:00:00Z", 30 * 24),
            (1, Month, from_new_year, "Europe/Berlin", "2024-10-31T22:59:00Z", "2024-09-30T22:00:00Z", 31 * 24 + 1),
            (1, Day, from_new_year, "Europe/Berlin", "2024-03-31T12:00:00Z", "2024-03-30T23:00:00Z", 23),
            // New York: 10 March 2024 and 3 November.
            (1, Week, from_new_year, "America/New_York", "2024-03-11T03:59:00Z", "2024-03-04T05:00:00Z", 7 * 24 - 1),
            (1, Week, from_new_year, "America/New_York", "2024-11-01T00:00:00Z", "2024-10-28T04:00:00Z", 7 * 24 + 1),
            (1, Year, from_new_year, "America/New_York", "2024-12-31T23:00:00Z", "2024-01-01T05:00:00Z", 366 * 24),
            // Lord Howe Island moves its clocks by half an hour: 7 April 2024 and 6 October.
            (1, Day, from_new_year, "Australia/Lord_Howe", "2024-04-06T20:00:00Z", "2024-04-06T13:00:00Z", 24),
            (1, Month, "2024-02-01 00:00:00", "Asia/Kolkata", "2024-02-10T00:00:00Z", "2024-01-31T18:30:00Z", 29 * 24),
            (1, Quarter, from_new_year, "UTC", "2023-12-31T23:59:00Z", "2023-10-01T00:00:00Z", 92 * 24),
            (2, Month, "2030-01-01 06:00:00", "UTC", "2026-11-21T00:00:00Z", "2026-11-01T06:00:00Z", 61 * 24),
        ] {
            let period = calendar(count, unit, start, zone).period(minute(now));
            assert_eq!((period.first, period.is_rolling), (minute(first), false), "{unit:?} in {zone} at {now}");
            let minutes = if zone == "Australia/Lord_Howe" { hours * 60 + 30 } else { hours * 60 };
            assert_eq!(period.minutes, minutes, "{unit:?} in {zone} at {now}");
        }
    }

    #[test]
    fn b3_a_month_from_its_last_day_stays_with_the_last_day() {
        let months = calendar(1, CalendarUnit::Month, "2024-01-31 00:00:00", "UTC");
        let firsts =
            ["2024-02-10", "2024-03-10", "2024-04-10", "2025-03-01"].map(|day| months.period(minute(&format!("{day}T00:00:00Z"))).first);
        assert_eq!(firsts, ["2024-01-31", "2024-02-29", "2024-03-31", "2025-02-28"].map(|day| minute(&format!("{day}T00:00:00Z"))));
    }

    #[test]
    fn every_minute_lies_in_its_period_and_periods_touch() {
        let months = calendar(1, CalendarUnit::Month, "2024-01-31 02:30:00", "Europe/Berlin");
        let mut now = minute("2023-06-01T00:00:00Z");
        let mut last = months.period(now);
        for _ in 0..4_000 {
            now = now.plus(197);
            let period = months.period(now);
            assert!(period.first <= now && now < period.end(), "{now:?}: {period:?}");
            assert!(period == last || period.first == last.end(), "{last:?} {period:?}");
            last = period;
        }
    }

    #[test]
    fn what_is_no_calendar_is_refused_with_its_field() {
        let window =
            |start: &str, zone: &str| CalendarWindow { count: 1, unit: CalendarUnit::Day, start: start.into(), time_zone: zone.into() };
        assert!(matches!(Calendar::new(&window("yesterday", "UTC")), Err(CalendarFault::Start(_))));
        assert!(matches!(Calendar::new(&window("2024-01-01 00:00:00", "Europe/Atlantis")), Err(CalendarFault::TimeZone(_))));
    }
}
