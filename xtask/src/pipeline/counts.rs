//! How many tests passed and failed, read from what test runners print.

use std::fmt;
use std::ops::AddAssign;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Tests of one stage or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

impl Counts {
    /// All tests that ran.
    pub(super) const fn all(self) -> u64 {
        self.passed + self.failed
    }

    /// Adds what a line of `cargo test` says: `test result: ok. 12 passed; 0 failed; …`. Other lines add nothing.
    pub(super) fn add_cargo_line(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let number_before = |word: &str| -> u64 {
            let before = result.split(word).next().unwrap_or_default();
            before.split_whitespace().next_back().and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        self.passed += number_before(" passed");
        self.failed += number_before(" failed");
    }

    /// Reads the report of Playwright's JSON reporter. A test that passed at its second try is broken all the same.
    pub(super) fn from_playwright(report: &str) -> Result<Self> {
        let report: Value = serde_json::from_str(report).context("Playwright's report is not JSON")?;
        let number = |key: &str| report["stats"][key].as_u64().with_context(|| format!("Playwright's report has no stats.{key}"));
        let outside_tests = report["errors"].as_array().map_or(0, Vec::len) as u64;
        Ok(Self { passed: number("expected")?, failed: number("unexpected")? + number("flaky")? + outside_tests })
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_binaries_add_up() {
        let mut counts = Counts::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test a::passed ... ok",
            "test result: FAILED. 10 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ] {
            counts.add_cargo_line(line);
        }
        assert_eq!(counts.to_string(), "13 passed, 2 failed");
    }

    #[test]
    fn a_flaky_journey_and_a_broken_setup_are_failures() {
        let report = r#"{"errors":[{"message":"no server"}],"stats":{"expected":7,"skipped":1,"unexpected":2,"flaky":1}}"#;
        assert_eq!(Counts::from_playwright(report).unwrap(), Counts { passed: 7, failed: 4 });
        assert!(Counts::from_playwright("{}").is_err());
    }
}
