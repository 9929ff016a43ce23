//! The browser's half: wasm-split, then wasm-bindgen, then wasm-opt.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, anyhow};
use wasm_bindgen_cli_support::Bindgen;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

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

/// The browser's program: what every page needs, and a module for each page beside it.
pub(super) struct Bound {
    /// Files by name. They find each other by name, so they lie in one folder.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// File names of the modules a page needs besides [`MAIN`], by the page's name.
    pub(super) modules: BTreeMap<String, Vec<String>>,
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

/// Cuts the program that cargo built into modules, binds and optimises them. The slow half, wasm-opt, is kept by content: a
/// change of style alone does not pay for it again.
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
    files.insert(SCRIPT.to_owned(), output.js().to_owned().into_bytes());
    files.insert(LOADER.to_owned(), fs::read(folder.join(LOADER))?);
    let mut optimiser = Optimiser::open(paths)?;
    files.insert(MAIN.to_owned(), optimiser.optimise(&output.wasm_mut().emit_wasm())?);
    for module in &split.split_modules {
        let name = module.file_name().context("a module is a file")?.to_string_lossy().into_owned();
        files.insert(name, optimiser.optimise(&fs::read(module)?)?);
    }
    optimiser.close()?;
    let named = |names: Vec<String>| names.iter().map(|name| format!("{name}.wasm")).collect();
    Ok(Bound { files, modules: split.prefetch_map.into_iter().map(|(page, names)| (page, named(names))).collect() })
}

/// wasm-opt with what it made before.
struct Optimiser<'a> {
    paths: &'a Paths,
    folder: PathBuf,
    used: BTreeSet<PathBuf>,
}

impl<'a> Optimiser<'a> {
    fn open(paths: &'a Paths) -> Result<Self> {
        let folder = paths.target.join("bundle/optimised");
        fs::create_dir_all(&folder)?;
        Ok(Self { paths, folder, used: BTreeSet::new() })
    }

    fn optimise(&mut self, module: &[u8]) -> Result<Vec<u8>> {
        let kept = self.folder.join(format!("{:032x}.wasm", xxh3_128(module)));
        self.used.insert(kept.clone());
        if let Ok(optimised) = fs::read(&kept) {
            return Ok(optimised);
        }
        let before = self.folder.join("before");
        let after = self.folder.join("after");
        fs::write(&before, module)?;
        let mut command = Command::new(self.paths.npm_program("wasm-opt"));
        command.arg("-Oz").args(FEATURES).arg(&before).arg("--output").arg(&after);
        process::run(&mut command).context("wasm-opt comes with the npm packages: xtask/setup.sh build")?;
        fs::rename(&after, &kept)?;
        Ok(fs::read(&kept)?)
    }

    /// Removes what this bundling did not use: the folder would grow with every change otherwise.
    fn close(self) -> Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if !self.used.contains(&path) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}
