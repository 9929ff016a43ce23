//! `make bench`: the figures of section H of the requirements, measured on this machine in one run.
//!
//! A server of the release binary, with a fresh cluster of its own and durability on, gets traces from eight connections:
//! first at half the floor of H1, then at the floor, then as fast as it takes them, then with every trace spread over six
//! requests. Five SLOs are applied before, so the counting of SLIs is in every figure. Afterwards every trace must be found
//! ([`verify`]), and is searched for. The same spans then go as plain rows into the same cluster ([`rows`]). Log lines go the
//! same way into a second server ([`logs`]), and a third with the demo and thirty days of history shows how long readers wait
//! ([`latency`]).
//!
//! Sender, server and database share the machine. A missed floor is told, not punished: the exit code is 1 only when
//! something acknowledged is missing, or nothing could be measured. All that was started is stopped, in every case.

mod database;
mod day;
mod depth;
mod evaluate;
mod latency;
mod lines;
mod listeners;
mod load;
mod log_depth;
mod logs;
mod machine;
mod otlp;
mod otlp_logs;
mod phase;
mod points;
mod questions;
mod report;
mod rows;
mod said;
mod send;
mod server;
mod soak;
mod spans;
mod statistics;
mod story;
mod thin;
mod verify;
mod verify_lines;
mod visit;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Result;
use clap::Parser;
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use crate::report::Report;
use crate::server::{Product, Scratch};

/// The SLOs that every span is matched against.
const SLOS: &str = include_str!("slos.yaml");

/// Measures Slowburn.
#[derive(Debug, Parser)]
struct Arguments {
    /// The release binary.
    #[arg(long)]
    server: PathBuf,
    /// Folder of the browser's files.
    #[arg(long)]
    site: PathBuf,
    /// Folder for the results.
    #[arg(long)]
    out: PathBuf,
    /// Spans of the main load, and log lines of theirs; metric points are five times as many.
    #[arg(long, default_value_t = 400_000)]
    spans: usize,
    /// Spans among which is searched; 0 leaves that out.
    #[arg(long, default_value_t = 10_000_000)]
    depth: usize,
    /// Log lines among which is searched; 0 leaves that out.
    #[arg(long, default_value_t = 5_000_000)]
    lines: usize,
    /// Instead of measuring: faults under load, with so many kills.
    #[arg(long, value_name = "KILLS")]
    soak: Option<usize>,
    /// With --soak: how long PostgreSQL stands still, seconds.
    #[arg(long, default_value_t = 60)]
    silence: u64,
    /// With --soak: seed of the random moments; by default the clock's.
    #[arg(long)]
    seed: Option<u64>,
    /// Leaves out all but this part.
    #[arg(long)]
    only: Option<Part>,
}

/// A point is a fifth of the work of a span or less.
const POINTS_FOR_A_SPAN: usize = 5;

/// Parts of the measurement, each with a server of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// The main load, its rows and searches among it.
    Load,
    /// Log lines in.
    Logs,
    /// Metric points in.
    Points,
    /// Pages over thirty days of history.
    Pages,
    /// Thin traffic.
    Thin,
    /// A thousand SLOs judged.
    Evaluate,
    /// Open browsers.
    Listeners,
    /// A simulated day.
    Day,
    /// Searches among many spans.
    Depth,
    /// Searches for words among many log lines.
    Lines,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = tokio::select! {
        outcome = run(&arguments) => outcome,
        // Dropping the other future stops what it started.
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("bench: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

async fn interrupted() {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut interrupt), Ok(mut terminate)) = signals else { return std::future::pending().await };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

async fn run(arguments: &Arguments) -> Result<()> {
    let mut report = Report::new(Timestamp::now(), commit(), machine::facts());
    if report.machine.load_before > 0.3 {
        say(&format!("the machine is not quiet (load {}): figures will be worse than they could be", report.machine.load_before));
    }
    let product = Product { binary: arguments.server.canonicalize()?, site: arguments.site.canonicalize()? };
    let scratch = Scratch::make()?;
    if let Some(kills) = arguments.soak {
        let seed = arguments.seed.unwrap_or_else(|| Timestamp::now().as_second().cast_unsigned());
        let extent = soak::Extent { kills, silence_seconds: arguments.silence, seed };
        soak::run(&product, scratch.path(), extent, &mut report).await?;
        println!("{}", report.table());
        return Ok(());
    }
    // What was measured is told, whatever fails after it.
    let measured = measure(arguments, &product, scratch.path(), &mut report).await;
    println!("{}", report.table());
    report.write(&arguments.out)?;
    measured
}

async fn measure(arguments: &Arguments, product: &Product, folder: &Path, report: &mut Report) -> Result<()> {
    let wanted = |part: Part| arguments.only.is_none_or(|only| only == part);
    if wanted(Part::Load) {
        load::measure(product, folder, arguments.spans, report).await?;
    }
    if wanted(Part::Logs) {
        logs::measure(product, folder, arguments.spans, report).await?;
    }
    if wanted(Part::Points) {
        points::measure(product, folder, arguments.spans * POINTS_FOR_A_SPAN, report).await?;
    }
    if wanted(Part::Pages) {
        visit::measure(product, folder, report).await?;
    }
    if wanted(Part::Thin) {
        thin::measure(product, folder, report).await?;
    }
    if wanted(Part::Evaluate) {
        evaluate::measure(product, folder, report).await?;
    }
    if wanted(Part::Listeners) {
        listeners::measure(product, folder, report).await?;
    }
    if wanted(Part::Day) {
        day::measure(product, folder, report).await?;
    }
    if wanted(Part::Depth) && arguments.depth > 0 {
        depth::measure(product, folder, arguments.depth, report).await?;
    }
    if wanted(Part::Lines) && arguments.lines > 0 {
        log_depth::measure(product, folder, arguments.lines, report).await?;
    }
    Ok(())
}

/// What happens now, for whoever waits.
fn say(text: &str) {
    eprintln!("bench: {text}");
}

/// The commit measured, with a plus when files differ from it.
fn commit() -> String {
    let described = Command::new("git").args(["describe", "--always", "--dirty=+"]).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    described.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
