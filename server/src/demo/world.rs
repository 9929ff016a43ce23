//! The shop's world: how many people come at which hour, and what goes wrong when.
//!
//! Everything here is a function of the seed and of the time asked about, so two runs of the same minute are alike and a
//! restarted shop goes on as if it had never stopped. One thing depends on the first start, the *opening*: the hours
//! before it follow a written script instead of chance, so that whoever looks first always finds one budget in trouble,
//! one nearly spent and the others well.

use std::time::{Duration, SystemTime};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Visits a second at the busiest hour.
pub(super) const PEAK_VISITS_PER_SECOND: f64 = 0.62;

/// Visits of the quietest hour, as a share of the busiest.
const QUIET_SHARE: f64 = 0.5;

/// The busiest hour, UTC.
const BUSIEST_HOUR: f64 = 16.0;

/// Seconds between two knots of the noise on the rate.
const NOISE_SECONDS: u64 = 600;

const DAY_SECONDS: u64 = 86_400;

/// Something that goes wrong for some minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Incident {
    /// The payment provider `northbank` answers late or not at all.
    NorthbankOutage,
    /// The catalogue's database replica in zone b is busy with something else.
    CatalogReplicaSlow,
    /// A canary of the catalogue, version 2.4.1, fails on some prices.
    CatalogCanary,
    /// The carts' cache in zone a has lost its primary.
    CartCacheFailover,
}

/// Minutes relative to the opening, from and to, in which an incident is scripted. The last one is still going on when
/// somebody looks for the first time.
const SCRIPT: [(Incident, i64, i64); 5] = [
    (Incident::CartCacheFailover, -331, -323),
    (Incident::NorthbankOutage, -266, -262),
    (Incident::CatalogCanary, -204, -189),
    (Incident::CatalogReplicaSlow, -151, -142),
    (Incident::NorthbankOutage, -17, 5),
];

impl Incident {
    /// Every how many minutes it happens by chance, and how long it then lasts, at least and at most.
    const fn chance(self) -> (u64, u64, u64) {
        match self {
            Self::NorthbankOutage => (100, 4, 9),
            Self::CatalogReplicaSlow => (170, 6, 12),
            Self::CatalogCanary => (240, 12, 20),
            Self::CartCacheFailover => (360, 6, 9),
        }
    }
}

/// Seed and opening.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    seed: u64,
    opening: Option<u64>,
}

impl World {
    /// A world in which chance alone rules.
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, opening: None }
    }

    /// A world whose hours before `opening` follow the script.
    pub(super) fn opening_at(seed: u64, opening: SystemTime) -> Self {
        Self { seed, opening: Some(unix_seconds(opening)) }
    }

    /// A source of randomness that belongs to one purpose and one moment.
    pub(super) fn rng(&self, purpose: u64, moment: u64) -> SmallRng {
        SmallRng::seed_from_u64(mix(self.seed ^ mix(purpose) ^ mix(moment.wrapping_add(0x5107))))
    }

    /// Whether `incident` is going on.
    pub(super) fn suffers(&self, incident: Incident, at: SystemTime) -> bool {
        let second = unix_seconds(at);
        if let Some(opening) = self.opening {
            let minutes = |offset: i64| opening.saturating_add_signed(offset * 60);
            if SCRIPT.iter().any(|(kind, from, to)| *kind == incident && (minutes(*from)..minutes(*to)).contains(&second)) {
                return true;
            }
            if second < opening {
                return false;
            }
        }
        self.happens_by_chance(incident, second)
    }

    /// Time is cut into equal slots; each holds one occurrence, which lies inside it.
    fn happens_by_chance(&self, incident: Incident, second: u64) -> bool {
        let (every, shortest, longest) = incident.chance();
        let slot = second / (every * 60);
        let mut rng = self.rng(100 + incident as u64, slot);
        let length = rng.random_range(shortest * 60..=longest * 60);
        let from = slot * every * 60 + rng.random_range(0..=every * 60 - length);
        (from..from + length).contains(&second)
    }

    /// Visits that begin in a second, on average.
    pub(super) fn visits_per_second(&self, second: u64) -> f64 {
        PEAK_VISITS_PER_SECOND * rhythm(second) * self.noise(second)
    }

    /// A factor around 1 that wanders over some ten minutes.
    fn noise(&self, second: u64) -> f64 {
        let knot = second / NOISE_SECONDS;
        let height = |knot| self.rng(1, knot).random_range(0.88..1.12);
        let share = (second % NOISE_SECONDS) as f64 / NOISE_SECONDS as f64;
        height(knot) * (1.0 - share) + height(knot + 1) * share
    }
}

/// Share of the busiest hour's visits at this time of day, [`QUIET_SHARE`] to 1.
pub(super) fn rhythm(second: u64) -> f64 {
    let hour = (second % DAY_SECONDS) as f64 / 3_600.0;
    let wave = ((hour - BUSIEST_HOUR) / 24.0 * std::f64::consts::TAU).cos();
    QUIET_SHARE + (1.0 - QUIET_SHARE) * (wave + 1.0) / 2.0
}

/// Whole seconds since 1970; 0 before.
pub(super) fn unix_seconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A draw from a lognormal distribution: half of all draws lie under `median_ms`; a `sigma` of 0.5 puts one in a hundred
/// above three times that.
pub(super) fn lognormal(rng: &mut impl Rng, median_ms: f64, sigma: f64) -> Duration {
    // Box and Muller: two uniform draws make a normal one. The first must not be 0.
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    let normal = radius * (std::f64::consts::TAU * rng.random::<f64>()).cos();
    Duration::from_secs_f64(median_ms / 1_000.0 * (sigma * normal).exp())
}

/// A draw from a Poisson distribution (Knuth's way: fine for the small means here).
pub(super) fn poisson(rng: &mut impl Rng, mean: f64) -> u32 {
    let limit = (-mean).exp();
    let mut product = rng.random::<f64>();
    let mut count = 0;
    while product > limit {
        product *= rng.random::<f64>();
        count += 1;
    }
    count
}

/// Spreads a number's bits over all of its 64 (the finaliser of SplitMix64).
const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
