//! Figures in words for people: units, sensible precision, no more digits than help.

/// A share as a percentage with the precision that keeps SLOs apart: `99.95 %`, `41 %`, `0.3 %`; never rounds up to
/// `100 %` or down to `0 %` what is not.
pub fn percent(ratio: f64) -> String {
    if !ratio.is_finite() {
        return "–".to_owned();
    }
    let value = ratio * 100.0;
    let near_edge = (value > 99.0 && value < 100.0) || (value > 0.0 && value < 1.0);
    if near_edge {
        let distance = if value > 50.0 { 100.0 - value } else { value };
        let places = (1.0 - distance.log10().floor()).clamp(1.0, 6.0);
        let scale = 10_f64.powf(places);
        let cut = if value > 50.0 { (value * scale + 1e-6).floor() } else { (value * scale - 1e-6).ceil() } / scale;
        return format!("{} %", trim_zeroes(&format!("{cut:.*}", places as usize)));
    }
    if value.abs() >= 100.0 || value.fract().abs() < 1e-9 {
        format!("{value:.0} %")
    } else {
        format!("{} %", trim_zeroes(&format!("{value:.1}")))
    }
}

/// A share of an error budget: whole percent from 10 % up, one place below, negative when overspent, with a minus sign and not a hyphen.
pub fn budget_percent(ratio: f64) -> String {
    let value = ratio * 100.0;
    let text = if value.abs() >= 10.0 || value == 0.0 { format!("{value:.0} %") } else { format!("{value:.1} %") };
    text.replace('-', "\u{2212}")
}

/// A target as people write it: `99.9 %`.
pub fn target_percent(target: f64) -> String {
    format!("{} %", trim_zeroes(&format!("{:.6}", target * 100.0)))
}

/// A burn rate: `6.2 ×`, `0.04 ×`, `14 ×`.
pub fn burn(rate: f64) -> String {
    match rate {
        r if r >= 99.95 => format!("{r:.0} ×"),
        r if r >= 0.095 || r == 0.0 => format!("{} ×", trim_zeroes(&format!("{r:.1}"))),
        r => format!("{r:.2} ×"),
    }
}

/// A count with its magnitude: `812`, `1.24 k`, `3.1 M`.
pub fn count(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        v if v >= 999_500_000.0 => (value / 1e9, " G"),
        v if v >= 999_500.0 => (value / 1e6, " M"),
        v if v >= 1_000.0 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let text = match scaled.abs() {
        v if v >= 99.95 || v.fract() < 1e-9 => format!("{scaled:.0}"),
        v if v >= 9.995 => format!("{scaled:.1}"),
        _ => format!("{scaled:.2}"),
    };
    format!("{}{unit}", if text.contains('.') { trim_zeroes(&text) } else { text })
}

/// Room on disk: `812 B`, `133 MB`, `1.24 GB`; a megabyte is a million bytes.
pub fn bytes(value: u64) -> String {
    let text = count(value as f64);
    match text.strip_suffix(" k") {
        Some(number) => format!("{number} kB"),
        None if text.ends_with(|c: char| c.is_ascii_digit()) => format!("{text} B"),
        None => format!("{text}B"),
    }
}

/// A whole number with thin spaces between thousands: `12 408`.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 * 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// The length of a span: `312 ms`, `1.24 s`, `86 µs`.
pub fn duration_nanos(nanos: i64) -> String {
    let value = nanos as f64;
    let (scaled, unit) = match value.abs() {
        v if v >= 60e9 => return long_duration(value / 1e9),
        v if v >= 999.5e6 => (value / 1e9, "s"),
        v if v >= 999.5e3 => (value / 1e6, "ms"),
        v if v >= 999.5 => (value / 1e3, "µs"),
        _ => (value, "ns"),
    };
    let text = match scaled.abs() {
        v if v >= 99.95 || v.fract() < 1e-9 => format!("{scaled:.0}"),
        v if v >= 9.995 => format!("{scaled:.1}"),
        _ => format!("{scaled:.2}"),
    };
    format!("{} {unit}", if text.contains('.') { trim_zeroes(&text) } else { text })
}

/// A length of time in its two largest units: `3 h 10 min`, `2 d 4 h`, `45 s`.
pub fn long_duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "–".to_owned();
    }
    let total = seconds.max(0.0).round() as u64;
    let (days, hours, minutes, rest) = (total / 86_400, total / 3_600 % 24, total / 60 % 60, total % 60);
    let two =
        |a: u64, unit_a: &str, b: u64, unit_b: &str| if b == 0 { format!("{a} {unit_a}") } else { format!("{a} {unit_a} {b} {unit_b}") };
    match total {
        t if t >= 86_400 * 100 => format!("{days} d"),
        t if t >= 86_400 => two(days, "d", hours, "h"),
        t if t >= 3_600 => two(hours, "h", minutes, "min"),
        t if t >= 60 => two(minutes, "min", rest, "s"),
        _ => format!("{rest} s"),
    }
}

fn trim_zeroes(text: &str) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_never_round_to_all_or_nothing() {
        for (ratio, text) in [
            (0.9995, "99.95 %"),
            (0.99999, "99.999 %"),
            (0.999_999_99, "99.999999 %"),
            (1.0, "100 %"),
            (0.41, "41 %"),
            (0.003, "0.3 %"),
            (0.0, "0 %"),
            (0.5, "50 %"),
            (0.123_4, "12.3 %"),
        ] {
            assert_eq!(percent(ratio), text, "{ratio}");
        }
        assert_eq!(target_percent(0.999), "99.9 %");
        assert_eq!(budget_percent(0.414), "41 %");
        assert_eq!(budget_percent(-0.755), "\u{2212}76 %");
    }

    #[test]
    fn lengths_use_two_units() {
        assert_eq!(long_duration(11_400.0), "3 h 10 min");
        assert_eq!(long_duration(86_400.0), "1 d");
        assert_eq!(long_duration(59.6), "1 min");
        assert_eq!(duration_nanos(312_000_000), "312 ms");
        assert_eq!(duration_nanos(1_240_000_000), "1.24 s");
        assert_eq!(duration_nanos(86_000), "86 µs");
        assert_eq!(duration_nanos(190_000_000_000), "3 min 10 s");
    }

    #[test]
    fn counts_carry_their_magnitude() {
        for (value, text) in [(812.0, "812"), (1_240.0, "1.24 k"), (3_100_000.0, "3.1 M"), (999_999.0, "1 M"), (0.5, "0.5"), (0.0, "0")] {
            assert_eq!(count(value), text);
        }
        for (value, text) in [(812, "812 B"), (1_240, "1.24 kB"), (133_000_000, "133 MB"), (1_240_000_000, "1.24 GB"), (0, "0 B")] {
            assert_eq!(bytes(value), text);
        }
        assert_eq!(grouped(12_408), "12\u{202f}408");
        assert_eq!(burn(6.21), "6.2 ×");
        assert_eq!(burn(0.04), "0.04 ×");
        assert_eq!(burn(14.0), "14 ×");
    }
}
