//! From what cargo built to what browsers load.
//!
//! The WebAssembly module gets its JavaScript from wasm-bindgen and is shrunk by wasm-opt; the style sheet is bundled from
//! its partials and minified; public files are copied. Scripts, module and style bear a hash of their content in their
//! names, so a browser may keep them for ever, and everything lies precompressed beside itself. `manifest.json` names the
//! current three and is replaced last: whoever reads it in the middle of a bundling finds a complete site, the old or the
//! new one. Unchanged inputs end the work before it begins.

mod inputs;
mod site;
mod style;
mod wasm;

use std::collections::HashMap;
use std::fs;

use anyhow::{Context as _, Result, ensure};

use crate::paths::Paths;
use site::Site;

/// The most that script, module and style may weigh together as browsers receive them, bytes of brotli. It only keeps them
/// from growing: requirement H6 asks for 350 KiB and is not met.
const BUDGET_BYTES: u64 = 390 * 1024;

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
    for (path, content) in browser.snippets {
        site.add(&format!("pkg/snippets/{path}"), content.as_bytes())?;
    }
    let wasm = site.add_hashed("pkg/slowburn", "wasm", &browser.module)?;
    let script = site.add_hashed("pkg/slowburn", "js", browser.script.as_bytes())?;
    let css = site.add_hashed("pkg/slowburn", "css", style.as_bytes())?;
    site.add_folder(&paths.root.join("public"))?;

    println!("{:<34} {:>9} {:>9} {:>9}", "target/site", "bytes", "gzip", "brotli");
    for file in [&script, &wasm, &css] {
        println!("{:<34} {:>9} {:>9} {:>9}", file.path, file.bytes, file.gzip, file.brotli);
    }
    let manifest = serde_json::json!({ "js": script.url(), "wasm": wasm.url(), "css": css.url() });
    site.publish(&serde_json::to_vec_pretty(&manifest).context("three strings are always JSON")?)?;
    fs::write(&stamp, fingerprint).with_context(|| format!("could not write {}", stamp.display()))
}

/// Fails when script, module and style of the site weigh more than their budget. `make test` asks; a heavy site still runs.
pub(crate) fn check_weight(paths: &Paths) -> Result<()> {
    let site = paths.site();
    let manifest = fs::read_to_string(site.join("manifest.json")).context("there is no site: xtask bundle")?;
    let manifest: HashMap<String, String> = serde_json::from_str(&manifest).context("manifest.json")?;
    let mut total = 0;
    for url in manifest.values() {
        let file = site.join(format!("{}.br", url.trim_start_matches('/')));
        total += fs::metadata(&file).with_context(|| format!("could not read {}", file.display()))?.len();
    }
    println!("script, module and style: {total} bytes of brotli, budget {BUDGET_BYTES}");
    ensure!(total <= BUDGET_BYTES, "the first page's files weigh {total} bytes, which is over the budget of {BUDGET_BYTES}");
    Ok(())
}
