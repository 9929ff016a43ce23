//! The stages of `make test`, each a call of a tool.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::counts::Counts;
use crate::paths::Paths;
use crate::{bundle, cluster, dev, house, process};

/// A named step.
pub(super) struct Stage {
    pub(super) name: &'static str,
    pub(super) run: fn(&Paths) -> Result<Counts>,
}

/// What needs no database, quickest answers first.
pub(super) const fn without_database() -> [Stage; 5] {
    [
        Stage { name: "format", run: format },
        Stage { name: "house", run: |paths| house::check(paths).map(none) },
        Stage { name: "clippy", run: clippy },
        Stage { name: "clippy, browser", run: clippy_browser },
        Stage { name: "documentation", run: documentation },
    ]
}

const fn none((): ()) -> Counts {
    Counts { passed: 0, failed: 0 }
}

/// rustfmt may be missing from the toolchain that builds; the default one's will do, for it only reads.
fn format(paths: &Paths) -> Result<Counts> {
    // Not through `$CARGO`: that is one toolchain's program, and the choice is between two.
    let with = |toolchain: Option<&str>, arguments: &[&str]| {
        let mut command = Command::new("cargo");
        command.current_dir(&paths.root).arg("fmt").args(arguments).env_remove("CARGO");
        if let Some(toolchain) = toolchain {
            command.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        command
    };
    let has_own = with(None, &["--version"]).output().is_ok_and(|output| output.status.success());
    process::run(&mut with(if has_own { None } else { Some("") }, &["--all", "--check"])).map(none)
}

fn clippy(paths: &Paths) -> Result<Counts> {
    let arguments = ["clippy", "--quiet", "--workspace", "--exclude", "slowburn-frontend", "--all-targets", "--", "-D", "warnings"];
    process::run(&mut process::cargo(paths, arguments)).map(none)
}

fn clippy_browser(paths: &Paths) -> Result<Counts> {
    let target = ["--target", "wasm32-unknown-unknown", "--profile", "wasm"];
    let mut command = process::cargo(paths, ["clippy", "--quiet", "--package", "slowburn-frontend"]);
    process::run(command.args(target).args(["--", "-D", "warnings"])).map(none)
}

/// Links between the documents of our own crates must lead somewhere.
fn documentation(paths: &Paths) -> Result<Counts> {
    let mut command = process::cargo(paths, ["doc", "--quiet", "--no-deps", "--workspace", "--exclude", "slowburn-frontend"]);
    process::run(command.arg("--document-private-items").env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links")).map(none)
}

/// Unit and integration tests. Every binary runs, so that the count is whole.
pub(super) fn cargo_test(paths: &Paths, database_url: &str) -> Result<Counts> {
    let mut counts = Counts::default();
    let mut command = process::cargo(paths, ["test", "--workspace", "--exclude", "slowburn-frontend", "--no-fail-fast"]);
    command.env("DATABASE_URL", database_url);
    let succeeded = process::run_reading(&mut command, |line| counts.add_cargo_line(line))?;
    ensure!(succeeded || counts.failed > 0, "{} failed outside of its tests", process::shown(&command));
    Ok(counts)
}

/// What the journeys run against besides the server, which `cargo test` has built.
pub(super) fn build_site(paths: &Paths) -> Result<Counts> {
    dev::build_site(paths).map(none)
}

/// Kills, two servers on one database, a database that stands still, a full disk: shortened, with the programs that
/// the tests use. `make soak` runs them in full.
pub(super) fn faults(paths: &Paths) -> Result<Counts> {
    let site = paths.root.join("target/site");
    let out = paths.root.join("target/bench");
    let mut command =
        process::cargo(paths, ["run", "--quiet", "--bin", "slowburn-bench", "--", "--soak", "4", "--silence", "6", "--server"]);
    command.arg(paths.server()).arg("--site").arg(site).arg("--out").arg(out);
    let mut counts = Counts::default();
    let succeeded = process::run_reading(&mut command, |line| counts.passed += u64::from(line.starts_with("passed: ")))?;
    ensure!(succeeded, "{} failed", process::shown(&command));
    Ok(counts)
}

/// What a first visit may cost.
pub(super) fn page_weight(paths: &Paths) -> Result<Counts> {
    bundle::check_weight(paths).map(none)
}

/// Runs Playwright with one of its configurations. Without a database URL the servers under test look after their own.
pub(super) fn playwright(paths: &Paths, database_url: Option<&str>, configuration: &str, arguments: &[String]) -> Result<Counts> {
    let folder = paths.root.join("target/end2end");
    fs::create_dir_all(&folder)?;
    let report = folder.join("report.json");
    let _ = fs::remove_file(&report);
    let mut command = Command::new(paths.npm_program("playwright"));
    command
        .current_dir(paths.root.join("end2end"))
        .args(["test", "--config", configuration])
        .args(arguments)
        .env("PLAYWRIGHT_JSON_OUTPUT_FILE", &report)
        .env("SLOWBURN_BIN", paths.server())
        .env("SLOWBURN_TEST_PYTHON", paths.cache.join("python/bin/python"))
        .env("SLOWBURN_TEST_PSQL", cluster::server_programs()?.join("psql"))
        .env_remove("DATABASE_URL");
    if let Some(url) = database_url {
        command.env("SLOWBURN_TEST_DATABASE_URL", url);
    }
    let succeeded = process::run_reading(&mut command, |_| {})?;
    let text = fs::read_to_string(&report).with_context(|| format!("{} left no report", process::shown(&command)))?;
    let counts = Counts::from_playwright(&text)?;
    ensure!(succeeded || counts.failed > 0, "{} failed outside of its tests", process::shown(&command));
    Ok(counts)
}
