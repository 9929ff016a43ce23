//! Running other programs: shown, and with their failure told by name.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::paths::Paths;

/// A call of cargo in the clone. The name of the program comes from the environment when cargo itself started us.
pub(crate) fn cargo<S: AsRef<OsStr>>(paths: &Paths, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&paths.root).env("CARGO_TARGET_DIR", &paths.target).args(arguments);
    command
}

/// The call as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    command.get_args().fold(program, |line, argument| line + " " + &argument.to_string_lossy())
}

/// Runs a program to its end; its output goes where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("could not start {}", shown(command)))?;
    ensure!(status.success(), "{} failed: {status}", shown(command));
    Ok(())
}

/// Runs a program to its end, passes its standard output on and hands every line of it to `line`. Gives whether the
/// program succeeded; an error means that it could not run at all.
pub(crate) fn run_reading(command: &mut Command, mut line: impl FnMut(&str)) -> Result<bool> {
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("could not start {}", shown(command)))?;
    let stdout = child.stdout.take().context("standard output was asked for")?;
    for read in BufReader::new(stdout).split(b'\n') {
        let bytes = read.context("could not read the program's output")?;
        let text = String::from_utf8_lossy(&bytes);
        println!("{text}");
        line(&text);
    }
    Ok(child.wait()?.success())
}

/// Runs a program and gives its standard output as text.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("could not start {}", shown(command)))?;
    ensure!(output.status.success(), "{} failed: {}", shown(command), output.status);
    String::from_utf8(output.stdout).with_context(|| format!("{} did not write UTF-8", shown(command)))
}
