//! The browser's half: wasm-split, then wasm-bindgen, then binaryen, then packing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, anyhow};
use wasm_bindgen_cli_support::Bindgen;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::packs;
use super::script::lean;
use crate::paths::Paths;
use crate::process;

/// The browser's program: what every page needs, and packs for each page beside it.
pub(super) struct Bound {
    /// Files by name. They find each other by name, so they lie in one folder.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// File names of the packs a page needs besides [`MAIN`], by the page's name.
    pub(super) packs: BTreeMap<String, Vec<String>>,
}

impl Bound {
    /// A hash of every file with its name.
    pub(super) fn hash(&self) -> String {
        let mut hash = Xxh3::new();
        for (name, content) in &self.files {
            hash.update(&(name.len() as u64).to_le_bytes());
            hash.update(name.as_bytes());
            hash.update(&(content.len() as u64).to_le_bytes());
            hash.update(content);
        }
        format!("{:016x}", hash.digest())
    }
}

/// The ES module that a page loads; its default export takes `{module_or_path}`.
pub(super) const SCRIPT: &str = "slowburn.js";
/// The WebAssembly module that every page needs.
pub(super) const MAIN: &str = "slowburn.wasm";
/// What fetches the others. The name is part of the program, so it cannot bear a hash.
pub(super) const LOADER: &str = "modules.js";

/// Cuts the program that cargo built into modules, binds, optimises and packs them. The slow part, the optimising, is kept by
/// content: a change of style alone does not pay for it again.
pub(super) fn bind(paths: &Paths) -> Result<Bound> {
    let folder = paths.target.join("bundle/split");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let program = fs::read(paths.wasm())?;
    let (script, loader) = (format!("./{SCRIPT}"), format!("./{LOADER}"));
    let main = folder.join("main.wasm");
    let split = wasm_split_cli_support::transform({
        let mut options = wasm_split_cli_support::Options::new(&program);
        options.output_dir = &folder;
        options.main_out_path = &main;
        options.main_module = &script;
        options.link_name = &loader;
        options
    })
    .map_err(|error| anyhow!("the program could not be cut into modules: {error:?}"))?;

    let mut output = Bindgen::new()
        .input_path(&main)
        .out_name("slowburn")
        .web(true)?
        .typescript(false)
        .keep_lld_exports(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .omit_default_module_path(true)
        .generate_output()
        .context("wasm-bindgen failed")?;
    let mut files = BTreeMap::new();
    for (path, code) in output.local_modules() {
        files.insert(format!("snippets/{path}"), code.clone().into_bytes());
    }
    for (owner, list) in output.snippets() {
        files.extend(list.iter().enumerate().map(|(i, code)| (format!("snippets/{owner}/inline{i}.js"), code.clone().into_bytes())));
    }
    files.insert(SCRIPT.to_owned(), lean(output.js()).into_bytes());
    let mut modules = BTreeMap::from([(MAIN.to_owned(), output.wasm_mut().emit_wasm())]);
    for path in &split.split_modules {
        let name = path.file_stem().context("a module is a file")?.to_string_lossy().into_owned();
        modules.insert(name, fs::read(path)?);
    }
    let mut modules = optimise(paths, modules)?;
    files.insert(MAIN.to_owned(), modules.remove(MAIN).context("the main module is among them")?);
    let pages = split.prefetch_map.into_iter().map(|(page, names)| (page, names.into_iter().collect())).collect();
    let packed = packs::pack(&modules, &pages, &fs::read_to_string(folder.join(LOADER))?)?;
    files.extend(packed.files);
    files.insert(LOADER.to_owned(), lean(&packed.loader).into_bytes());
    Ok(Bound { files, packs: packed.pages })
}

/// Optimises every module. What was made before is kept by content; what this call did not use goes, the folder would grow
/// with every change otherwise.
fn optimise(paths: &Paths, modules: BTreeMap<String, Vec<u8>>) -> Result<BTreeMap<String, Vec<u8>>> {
    let kept = paths.target.join("bundle/optimised");
    let mut folders = BTreeMap::new();
    let mut missing = BTreeSet::new();
    for (name, module) in modules {
        let folder = kept.join(format!("{:032x}", xxh3_128(&module)));
        if !folder.join("after.wasm").is_file() {
            fs::create_dir_all(&folder)?;
            fs::write(folder.join("before.wasm"), module)?;
            missing.insert(folder.clone());
        }
        folders.insert(name, folder);
    }
    if !missing.is_empty() {
        let mut command = Command::new("node");
        command.arg(paths.root.join("xtask/src/bundle/optimise.mjs")).arg(paths.npm_module("binaryen/index.js")).args(&missing);
        process::run(&mut command).context("binaryen comes with the npm packages: xtask/setup.sh build")?;
    }
    let used: BTreeSet<&PathBuf> = folders.values().collect();
    for entry in fs::read_dir(&kept)? {
        let path = entry?.path();
        if path.is_file() {
            fs::remove_file(path)?;
        } else if !used.contains(&path) {
            fs::remove_dir_all(path)?;
        }
    }
    folders.into_iter().map(|(name, folder)| Ok((name, fs::read(folder.join("after.wasm"))?))).collect()
}
