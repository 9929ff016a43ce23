//! `make test`: every check and test, one after the other, because cargo calls that overlap only wait for each other. The
//! first stage that fails ends the run. The last line counts the tests of all stages.

mod counts;
mod stages;

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::cluster::Cluster;
use crate::paths::Paths;
use counts::Counts;
use stages::Stage;

/// Runs all stages and prints the table and the counts. Gives whether all went well.
pub(crate) fn test(paths: &Paths) -> bool {
    let begun = Instant::now();
    let mut counts = Counts::default();
    let mut table = Vec::new();
    let failure = run(paths, &mut counts, &mut table).err();
    println!("\n{:<22} {:>8}", "stage", "seconds");
    for (name, seconds) in table {
        println!("{name:<22} {seconds:>8.1}");
    }
    println!("{:<22} {:>8.1}", "together", begun.elapsed().as_secs_f64());
    if let Some(error) = &failure {
        println!("\n{error:#}");
        // A stage that is no test, or that broke before its first one, still counts as a failure.
        counts.failed = counts.failed.max(1);
    }
    println!("{counts}");
    failure.is_none()
}

fn run(paths: &Paths, counts: &mut Counts, table: &mut Vec<(&'static str, f64)>) -> Result<()> {
    let mut timed = |name: &'static str, stage: &mut dyn FnMut() -> Result<Counts>| {
        println!("\n== {name}");
        let begun = Instant::now();
        let result = stage();
        table.push((name, begun.elapsed().as_secs_f64()));
        let stage_counts = result.with_context(|| format!("stage {name}"))?;
        *counts += stage_counts;
        ensure!(stage_counts.failed == 0, "stage {name}: {} of {} tests failed", stage_counts.failed, stage_counts.all());
        Ok(())
    };
    for Stage { name, run } in stages::without_database() {
        timed(name, &mut || run(paths))?;
    }
    let mut cluster = None;
    timed("start PostgreSQL", &mut || {
        cluster = Some(Cluster::start()?);
        Ok(Counts::default())
    })?;
    let url = cluster.as_ref().context("the stage before started it")?.url();
    timed("cargo test", &mut || stages::cargo_test(paths, &url))?;
    timed("build site", &mut || stages::build_site(paths))?;
    timed("page weight", &mut || stages::page_weight(paths))?;
    timed("faults", &mut || stages::faults(paths))?;
    timed("end to end", &mut || stages::playwright(paths, Some(&url), "playwright.config.ts", &[]))?;
    drop(cluster);
    Ok(())
}

/// The browser's journeys alone, with what was built before.
pub(crate) fn end_to_end(paths: &Paths, arguments: &[String]) -> Result<()> {
    let cluster = Cluster::start()?;
    let counts = stages::playwright(paths, Some(&cluster.url()), "playwright.config.ts", arguments)?;
    ensure!(counts.failed == 0, "{counts}");
    Ok(())
}

/// Pictures of every page under `target/shots/`.
pub(crate) fn shots(paths: &Paths) -> Result<()> {
    let counts = stages::playwright(paths, None, "shots.config.ts", &[])?;
    ensure!(counts.failed == 0, "{counts}");
    println!("pictures: {}", paths.root.join("target/shots").display());
    Ok(())
}

/// Frames a second while one scrolls and zooms, under `target/bench/frames.json`.
pub(crate) fn frames(paths: &Paths) -> Result<()> {
    let counts = stages::playwright(paths, None, "frames.config.ts", &[])?;
    ensure!(counts.failed == 0, "{counts}");
    Ok(())
}
