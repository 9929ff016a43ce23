//! From what cargo built to what browsers load.
//!
//! The program is cut into WebAssembly modules, one for all pages, which gets its JavaScript from wasm-bindgen, and others
//! for some; binaryen shrinks them, and each page gets its own in a pack. The style sheet is bundled from its partials and minified; public files are copied.
//! Scripts, packs and style bear a hash of their content in their paths, so a browser may keep them for ever, and
//! everything lies precompressed beside itself. `manifest.json` names the current files and is replaced last: whoever reads it in the middle of a bundling finds a complete site, the old or the
//! new one. Unchanged inputs end the work before it begins.

mod inputs;
mod packs;
mod script;
mod site;
mod style;
mod wasm;

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result, ensure};

use serde::{Deserialize, Serialize};

use crate::paths::Paths;
use site::Site;

/// The most that scripts, modules, packs and style of a first page may weigh together as browsers receive them, bytes of brotli.
/// Requirement H6 gives 350 KiB for everything that is transferred; the rest is for the document, the icon and headers.
const BUDGET_BYTES: u64 = 330 * 1024;

/// What the server has to know of the site: URL paths of its files.
#[derive(Serialize, Deserialize)]
struct Manifest {
    /// The script that a page runs.
    js: String,
    /// The script that fetches `packs`.
    loader: String,
    /// The module that every page needs.
    wasm: String,
    css: String,
    /// The packs that a page needs besides, by the page's name.
    packs: BTreeMap<String, Vec<String>>,
}

/// Builds `target/site`, or finds it up to date.
pub(crate) fn bundle(paths: &Paths) -> Result<()> {
    let fingerprint = inputs::fingerprint(paths)?;
    let stamp = paths.site().join(".inputs");
    if fs::read_to_string(&stamp).is_ok_and(|old| old == fingerprint) {
        println!("target/site is up to date");
        return Ok(());
    }

    let browser = wasm::bind(paths)?;
    let style = style::bundle(&paths.root.join("style/main.css"))?;

    let mut site = Site::open(paths.site())?;
    // The program's files name each other, so the hash of all of them is in the name of their folder.
    let folder = format!("pkg/{}", browser.hash());
    let mut program = BTreeMap::new();
    for (name, content) in &browser.files {
        program.insert(name.as_str(), site.add(&format!("{folder}/{name}"), content)?);
    }
    let css = site.add_hashed("pkg/slowburn", "css", style.as_bytes())?;
    site.add_folder(&paths.root.join("public"))?;

    println!("{:<50} {:>9} {:>9} {:>9}", "target/site", "bytes", "gzip", "brotli");
    for file in program.values().chain([&css]) {
        println!("{:<50} {:>9} {:>9} {:>9}", file.path, file.bytes, file.gzip, file.brotli);
    }
    let url = |name: &str| format!("/{folder}/{name}");
    let packs = browser.packs.iter().map(|(page, names)| (page.clone(), names.iter().map(|name| url(name)).collect())).collect();
    let manifest = Manifest { js: url(wasm::SCRIPT), loader: url(wasm::LOADER), wasm: url(wasm::MAIN), css: css.url(), packs };
    site.publish(&serde_json::to_vec_pretty(&manifest)?)?;
    fs::write(&stamp, fingerprint).with_context(|| format!("could not write {}", stamp.display()))
}

/// Fails when the first page's files weigh more than their budget, whichever page is the first. `make test` asks; a heavy
/// site still runs.
pub(crate) fn check_weight(paths: &Paths) -> Result<()> {
    let site = paths.site();
    let manifest = fs::read_to_string(site.join("manifest.json")).context("there is no site: xtask bundle")?;
    let Manifest { js, loader, wasm, css, packs } = serde_json::from_str(&manifest).context("manifest.json")?;
    let weigh = |urls: &[String]| -> Result<u64> {
        urls.iter().try_fold(0, |sum, url| {
            let file = site.join(format!("{}.br", url.trim_start_matches('/')));
            Ok(sum + fs::metadata(&file).with_context(|| format!("could not read {}", file.display()))?.len())
        })
    };
    let every: u64 = weigh(&[js, loader, wasm, css])?;
    println!("bytes of brotli, budget {BUDGET_BYTES}\nevery page           {every:>7}");
    for (page, urls) in packs {
        let total = every + weigh(&urls)?;
        println!("first page {page:<12}{total:>5}");
        ensure!(total <= BUDGET_BYTES, "{page} as the first page weighs {total} bytes, which is over the budget of {BUDGET_BYTES}");
    }
    Ok(())
}
