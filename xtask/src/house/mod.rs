//! Rules about the shape of the code, which no compiler checks: who may depend on whom, where SQL may stand, which
//! licences come in, what must not be written into a file. All faults are reported together. Long files are only noted.

mod direction;
mod licences;
mod sources;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::paths::Paths;
use crate::process;

/// What we build for. Crates of other platforms come into no binary of ours and need not be fetched.
const PLATFORMS: [&str; 3] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "wasm32-unknown-unknown"];

/// Checks every rule.
pub(crate) fn check(paths: &Paths) -> Result<()> {
    let mut metadata = process::cargo(paths, ["metadata", "--format-version", "1", "--locked"]);
    for platform in PLATFORMS {
        metadata.args(["--filter-platform", platform]);
    }
    let metadata = process::output(&mut metadata)?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata gave no JSON")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let sources = sources::read(paths)?;

    let rules = [
        ("dependencies point one way", direction::check(packages)),
        ("domain stays pure", direction::check_domain(packages)),
        ("licences are on the list", licences::check(packages)),
        ("SQL stands in storage only", sources::sql_outside_storage(&sources)),
        ("no machine's path or host in a file", sources::machine_paths(&sources)),
        ("lockfiles name packages, not hosts", sources::lockfile_hosts(&sources)),
    ];
    for note in sources::long_files(&sources) {
        println!("note: {note}");
    }
    let mut broken = 0;
    for (rule, faults) in rules {
        println!("{} {rule}", if faults.is_empty() { "ok    " } else { "BROKEN" });
        for fault in &faults {
            println!("         {fault}");
        }
        broken += usize::from(!faults.is_empty());
    }
    ensure!(broken == 0, "{broken} rules of the house are broken");
    Ok(())
}
