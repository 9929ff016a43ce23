//! The browser's half: wasm-bindgen, then wasm-opt.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use wasm_bindgen_cli_support::Bindgen;
use xxhash_rust::xxh3::xxh3_128;

use crate::paths::Paths;
use crate::process;

/// What rustc and wasm-bindgen emit for wasm32-unknown-unknown. Naming them keeps wasm-opt from refusing the module, and
/// from using anything that browsers older than these would not load.
const FEATURES: [&str; 8] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-call-indirect-overlong",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// A module with the JavaScript that loads it.
pub(super) struct Bound {
    /// An ES module; its default export takes `{module_or_path}`.
    pub(super) script: String,
    /// The optimised module.
    pub(super) module: Vec<u8>,
    /// JavaScript that dependencies bring along, by path below `snippets/`; the paths hold a hash already.
    pub(super) snippets: BTreeMap<String, String>,
}

/// Binds and optimises the module that cargo built. The slow half, wasm-opt, is kept by content: a change of style alone
/// does not pay for it again.
pub(super) fn bind(paths: &Paths) -> Result<Bound> {
    let mut output = Bindgen::new()
        .input_path(paths.wasm())
        .out_name("slowburn")
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .omit_default_module_path(true)
        .generate_output()
        .context("wasm-bindgen failed")?;
    let mut snippets: BTreeMap<String, String> = output.local_modules().iter().map(|(path, code)| (path.clone(), code.clone())).collect();
    for (owner, list) in output.snippets() {
        snippets.extend(list.iter().enumerate().map(|(i, code)| (format!("{owner}/inline{i}.js"), code.clone())));
    }
    let script = output.js().to_owned();
    let module = optimise(paths, &output.wasm_mut().emit_wasm())?;
    Ok(Bound { script, module, snippets })
}

fn optimise(paths: &Paths, module: &[u8]) -> Result<Vec<u8>> {
    let folder = paths.target.join("bundle");
    fs::create_dir_all(&folder)?;
    let key = xxh3_128(module);
    let kept = folder.join(format!("{key:032x}.wasm"));
    if let Ok(optimised) = fs::read(&kept) {
        return Ok(optimised);
    }
    let before = folder.join("before.wasm");
    let after = folder.join("after.wasm");
    fs::write(&before, module)?;
    let mut command = Command::new(paths.npm_program("wasm-opt"));
    command.arg("-Oz").args(FEATURES).arg(&before).arg("--output").arg(&after);
    process::run(&mut command).context("wasm-opt comes with the npm packages: xtask/setup.sh build")?;
    let optimised = fs::read(&after)?;
    // Only the newest is kept: the folder would grow with every change otherwise.
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path != after {
            fs::remove_file(path)?;
        }
    }
    fs::rename(&after, &kept)?;
    Ok(optimised)
}
