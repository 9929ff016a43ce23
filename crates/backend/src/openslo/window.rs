//! The time window of an SLO: rolling, or by the calendar.

use slowburn_domain::slo::{CalendarUnit, CalendarWindow, TimeWindow, Window};
use slowburn_domain::time::parse_duration;

use super::fields::{Fields, Report};
use crate::slo::calendar::{Calendar, CalendarFault};

/// The longest window, minutes.
const MAX_WINDOW: u64 = 366 * 1_440;

/// Reads `timeWindow`.
pub(super) fn read_window(spec: &mut Fields<'_>, report: &mut Report) -> Option<TimeWindow> {
    let path = spec.path("timeWindow");
    let [node] = spec.required_list("timeWindow", report)? else {
        report.fault(&path, "exactly one window is wanted, for example [{duration: 30d, isRolling: true}]");
        return None;
    };
    let mut window = Fields::of(node, format!("{path}[0]"), report)?;
    let (duration_path, rolling_path, calendar_path) = (window.path("duration"), window.path("isRolling"), window.path("calendar"));
    let has_calendar = window.get("calendar").is_some();
    let is_rolling = window.flag("isRolling", report);
    let duration = window.required_text("duration", report);
    let calendar = window.map("calendar", report);
    window.finish(report);
    match (has_calendar, is_rolling) {
        (true, Some(true)) => {
            report.fault(&rolling_path, "a window is rolling or follows a calendar, not both");
            None
        }
        (true, _) => read_calendar(calendar?, duration, &duration_path, report),
        (false, Some(false)) => {
            let example = "{startTime: 2026-01-01 00:00:00, timeZone: Europe/Berlin}";
            report.fault(&calendar_path, format!("is required with isRolling: false, for example {example}"));
            None
        }
        (false, _) => read_rolling(duration?, &duration_path, report),
    }
}

fn read_rolling(duration: &str, path: &str, report: &mut Report) -> Option<TimeWindow> {
    let seconds = match parse_duration(duration) {
        Ok(seconds) => seconds,
        Err(error) => {
            report.fault(path, error.to_string());
            return None;
        }
    };
    if seconds % 60 != 0 || !(1..=MAX_WINDOW).contains(&(seconds / 60)) {
        report.fault(path, format!("a window is a whole number of minutes, at most {} days", MAX_WINDOW / 1_440));
        return None;
    }
    Some(TimeWindow::Rolling(Window { minutes: u32::try_from(seconds / 60).expect("at most MAX_WINDOW") }))
}

fn read_calendar(mut calendar: Fields<'_>, duration: Option<&str>, duration_path: &str, report: &mut Report) -> Option<TimeWindow> {
    let (start_path, zone_path) = (calendar.path("startTime"), calendar.path("timeZone"));
    let (start, zone) = (calendar.required_text("startTime", report), calendar.required_text("timeZone", report));
    calendar.finish(report);
    let length = duration.and_then(|text| {
        let unit = text.trim().chars().next_back().and_then(CalendarUnit::of_letter);
        let count = text.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse().ok().filter(|count| *count > 0);
        let length = unit.zip(count);
        if length.is_none() {
            report.fault(duration_path, format!("{text:?} is no period of a calendar; one is 1d, 1w, 1M, 1Q or 1Y"));
        }
        length
    });
    let ((unit, count), start, time_zone) = (length?, start?, zone?);
    let window = CalendarWindow { count, unit, start: start.trim().to_owned(), time_zone: time_zone.trim().to_owned() };
    match Calendar::new(&window) {
        Ok(_) => {}
        Err(CalendarFault::Start(reason)) => report.fault(&start_path, reason),
        Err(CalendarFault::TimeZone(reason)) => report.fault(&zone_path, reason),
    }
    let window = TimeWindow::Calendar(window);
    if u64::from(window.nominal().minutes) > MAX_WINDOW {
        report.fault(duration_path, format!("a window has at most {} days", MAX_WINDOW / 1_440));
        return None;
    }
    Some(window)
}
