//! The project's own build tool. `make` calls it; so can you: `cargo run -q --bin xtask -- <command>`.
//!
//! - `bundle`: WebAssembly, style and public files become `target/site`.
//! - `with-postgres -- COMMAND…`: runs a command with `DATABASE_URL` pointing at a throw-away PostgreSQL cluster.
//! - `house`: the rules about the shape of the code that no compiler checks.
//! - `test`: every check and test, with a table of times and one line of counts at the end.
//! - `end-to-end [PLAYWRIGHT ARGUMENTS]`, `shots`, `frames`: the browser's part of it alone, with what was built before.
//! - `dev`: builds, starts the server, and does both again when a source changes.

mod bundle;
mod cluster;
mod dev;
mod house;
mod paths;
mod pipeline;
mod process;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::paths::Paths;

const USAGE: &str =
    "usage: xtask bundle | house | test | end-to-end [ARGUMENT…] | shots | frames | dev | with-postgres -- COMMAND [ARGUMENT…]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let paths = Paths::find()?;
    let Some((command, rest)) = arguments.split_first() else { bail!(USAGE) };
    match command.as_str() {
        "bundle" => bundle::bundle(&paths)?,
        "house" => house::check(&paths)?,
        "dev" => dev::dev(&paths)?,
        "test" => return Ok(if pipeline::test(&paths) { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        "end-to-end" => pipeline::end_to_end(&paths, rest)?,
        "shots" => pipeline::shots(&paths)?,
        "frames" => pipeline::frames(&paths)?,
        "with-postgres" => {
            let rest = rest.strip_prefix(&["--".to_owned()]).unwrap_or(rest);
            let Some((program, arguments)) = rest.split_first() else { bail!(USAGE) };
            let cluster = cluster::Cluster::start()?;
            let status = std::process::Command::new(program).args(arguments).env("DATABASE_URL", cluster.url()).status()?;
            drop(cluster);
            return Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from));
        }
        _ => bail!(USAGE),
    }
    Ok(ExitCode::SUCCESS)
}
