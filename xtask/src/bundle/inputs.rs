//! What a bundle is made from, as one fingerprint.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use xxhash_rust::xxh3::Xxh3;

use crate::paths::Paths;

const HOW_TO_BUILD: &str = "cargo build -p slowburn-frontend --target wasm32-unknown-unknown --profile wasm";

/// A fingerprint of everything that can change the site: the module, style and public files, the npm packages, and the
/// bundler itself.
pub(super) fn fingerprint(paths: &Paths) -> Result<String> {
    let wasm = paths.wasm();
    ensure!(wasm.exists(), "{} is missing; {HOW_TO_BUILD}", wasm.display());
    let mut files = vec![wasm, paths.root.join("end2end/package-lock.json"), paths.root.join("Cargo.lock")];
    // The bundler's sources, not its program: cargo may replace that while it runs.
    files.extend(files_below(&paths.root.join("xtask/src/bundle"))?);
    files.extend(files_below(&paths.root.join("style"))?);
    files.extend(files_below(&paths.root.join("public"))?);
    let mut hash = Xxh3::new();
    for file in files {
        let content = fs::read(&file).with_context(|| format!("could not read {}", file.display()))?;
        hash.update(file.as_os_str().as_encoded_bytes());
        hash.update(&content.len().to_le_bytes());
        hash.update(&content);
    }
    Ok(format!("{:032x}", hash.digest128()))
}

/// Every file below a folder, sorted by path; a folder that is not there has none.
pub(super) fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files)
}
