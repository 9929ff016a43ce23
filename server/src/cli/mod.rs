//! The command line. Commands that show or change what the server knows talk to it over its API, at `--server`.

mod client;
mod exclusion;
mod incident;
mod local;
mod progress;
mod slo;
mod trace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{self, Overrides};

/// Tell how much error budget is left, how fast it burns, and what burns it.
#[derive(Parser)]
#[command(name = "slowburn", version, propagate_version = true)]
struct Cli {
    /// Settings file, instead of slowburn.toml in the working directory.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the server answers, instead of SLOWBURN_ADDR.
    #[arg(long, global = true, value_name = "URL")]
    server: Option<String>,
    /// Print results as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server: pages, API, OTLP.
    Serve {
        /// Send a demo shop's telemetry to it.
        #[arg(long)]
        demo: bool,
        #[command(flatten)]
        data: DataDir,
        /// Address of pages and API.
        #[arg(long, value_name = "ADDR")]
        addr: Option<String>,
    },
    /// Bring the database's schema up to date.
    Migrate(DataDir),
    /// Look for what would keep the server from working.
    Doctor(DataDir),
    /// Settings.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// How the server is.
    Status,
    /// SLOs.
    #[command(subcommand)]
    Slo(slo::SloCommand),
    /// Time left out of budgets.
    #[command(subcommand)]
    Exclusion(exclusion::ExclusionCommand),
    /// Budgets that burned too fast.
    #[command(subcommand)]
    Incident(incident::IncidentCommand),
    /// Traces.
    #[command(subcommand)]
    Trace(trace::TraceCommand),
}

#[derive(Args, Clone)]
struct DataDir {
    /// Folder of the own PostgreSQL cluster.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Check all settings and report every fault.
    Check,
    /// Print every setting with its default.
    Defaults,
}

/// Runs the command line and gives the exit code: 0, 1 (failed) or 2 (usage).
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let overrides = |data: &DataDir, addr: Option<String>| Overrides { data_dir: data.data_dir.clone(), addr, file: cli.config.clone() };
    let no_data = DataDir { data_dir: None };
    let client = || client::Client::new(cli.server.as_deref(), &overrides(&no_data, None), cli.json);
    let outcome = match &cli.command {
        Command::Serve { demo, data, addr } => local::serve(&overrides(data, addr.clone()), *demo),
        Command::Migrate(data) => local::migrate(&overrides(data, None)),
        Command::Doctor(data) => local::doctor(&overrides(data, None), cli.json),
        Command::Config(ConfigCommand::Check) => local::check(&overrides(&no_data, None)),
        Command::Config(ConfigCommand::Defaults) => {
            output(&config::defaults());
            Ok(())
        }
        Command::Status => client().and_then(|client| local::status(&client)),
        Command::Slo(command) => slo::run(command, client),
        Command::Exclusion(command) => client().and_then(|client| exclusion::run(command, &client)),
        Command::Incident(command) => client().and_then(|client| incident::run(command, &client)),
        Command::Trace(command) => client().and_then(|client| trace::run(command, &client)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            complain(&format!("slowburn: {fault:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes a result to standard output. A reader that has gone away is no fault of ours.
fn output(text: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
}

fn complain(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
