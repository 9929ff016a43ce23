//! What is said: log lines of the six services of the shop, with five or six attributes each.
//!
//! Everything but the times follows from the seed. Two in three lines are said in a trace, four of them one after the other;
//! the first of these carries the correlation ID. What a body says is in [`crate::said`].

use std::borrow::Cow;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use crate::said::{Said, say_something};
use crate::spans::{SERVICES, Value, correlation_id, word};

/// Lines that are said in the same trace, one after the other.
const LINES_PER_TRACE: usize = 4;
/// Two in this many such runs are said in a trace.
const RUNS: u8 = 3;
const CUSTOMERS: u32 = 20_000;
const PODS: u32 = 4;
const FUNCTIONS: [&str; 8] = [
    "shop.http.server.handle",
    "shop.cart.store.load",
    "shop.cache.lookup",
    "shop.payment.authorise",
    "shop.stock.reserve",
    "shop.broker.publish",
    "shop.session.renew",
    "shop.database.pool.checkout",
];

/// One log record.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) time_ns: u64,
    /// OTLP's number.
    pub(crate) severity: i32,
    /// Index into [`SERVICES`].
    pub(crate) service: usize,
    pub(crate) body: String,
    /// Trace and span in which it was said.
    pub(crate) place: Option<(u128, u64)>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) attributes: [(&'static str, Value); 5],
}

/// Lines to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speech {
    pub(crate) seed: u64,
    pub(crate) lines: usize,
    /// Time of the first line, Unix nanoseconds.
    pub(crate) from_ns: u64,
    /// No line is said at or after this.
    pub(crate) until_ns: u64,
}

impl Speech {
    /// Every line, in the order of their times; no two share one.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Line> + use<> {
        let Self { seed, lines, from_ns, until_ns } = *self;
        let mut rng = SmallRng::seed_from_u64(seed);
        let step = (until_ns - from_ns) / lines.max(1) as u64;
        let mut trace_id = None;
        (0..lines).map(move |index| {
            let is_first = index % LINES_PER_TRACE == 0;
            if is_first {
                trace_id = (rng.random_range(0..RUNS) > 0).then(|| rng.random::<u128>() | 1);
            }
            let time_ns = from_ns + index as u64 * step + rng.random_range(0..step.max(1));
            let carries_id = if is_first { trace_id.map(correlation_id) } else { None };
            line(&mut rng, time_ns, trace_id, carries_id)
        })
    }
}

/// What one of the services says at this time, in the trace given and with the ID given.
pub(crate) fn line(rng: &mut SmallRng, time_ns: u64, trace_id: Option<u128>, correlation_id: Option<String>) -> Line {
    let Said { service, severity, body } = say_something(rng);
    let attributes = [
        ("thread.id", Value::Integer(rng.random_range(1..33))),
        ("code.function.name", word(FUNCTIONS[rng.random_range(0..FUNCTIONS.len())])),
        ("code.line.number", Value::Integer(rng.random_range(12..480))),
        ("server.address", Value::Text(Cow::Owned(format!("{}-{}.shop.internal", SERVICES[service], rng.random_range(0..PODS))))),
        ("user.id", Value::Text(Cow::Owned(format!("customer-{}", rng.random_range(0..CUSTOMERS))))),
    ];
    let place = trace_id.map(|trace_id| (trace_id, rng.random::<u64>() | 1));
    Line { time_ns, severity, service, body, place, correlation_id, attributes }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const SPEECH: Speech = Speech { seed: 1, lines: 30_000, from_ns: 1_000_000_000, until_ns: 3_000_000_000 };

    #[test]
    fn lines_are_what_the_figures_say_they_are() {
        let lines: Vec<Line> = SPEECH.lines().collect();
        assert_eq!(lines.len(), SPEECH.lines);
        assert!(lines.windows(2).all(|pair| pair[0].time_ns < pair[1].time_ns), "times repeat or go back");
        assert!(lines.iter().all(|line| line.time_ns < SPEECH.until_ns));
        let strange = lines.iter().find(|line| !(60..=200).contains(&line.body.chars().count()));
        assert!(strange.is_none(), "{strange:?}");
        let share = |wanted: fn(&Line) -> bool| lines.iter().filter(|line| wanted(line)).count() as f64 / lines.len() as f64;
        assert!((0.6..0.73).contains(&share(|line| line.place.is_some())), "in a trace");
        assert!((0.15..0.19).contains(&share(|line| line.correlation_id.is_some())), "with an ID");
        assert!((0.005..0.05).contains(&share(|line| line.severity >= 17)), "errors");
        let different: HashSet<&str> = lines.iter().map(|line| line.body.as_str()).collect();
        assert!(different.len() > lines.len() * 9 / 10, "bodies repeat: {} differ", different.len());
        assert!(SERVICES.iter().enumerate().all(|(service, _)| lines.iter().any(|line| line.service == service)));
    }

    #[test]
    fn a_seed_gives_the_same_lines_again() {
        let bodies = |seed| Speech { seed, lines: 100, ..SPEECH }.lines().map(|line| line.body).collect::<Vec<_>>();
        assert_eq!(bodies(1), bodies(1));
        assert_ne!(bodies(1), bodies(2));
    }
}
