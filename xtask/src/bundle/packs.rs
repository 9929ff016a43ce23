//! What browsers fetch besides the main module: packs of modules.
//!
//! wasm-split makes a module for each page and one for each set of pages that share code: over a hundred, most of them
//! small. Each would be a request of its own, and compressed apart they weigh an eighth more than together. So the modules of
//! a page lie in one file one after the other, compressed as one, and those that every page needs in another. A loader of our
//! own cuts them apart again; how it reaches the main module is wasm-split's to say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context as _, Result};

/// The pack that every page needs.
const SHARED: &str = "shared.pack";

/// Where wasm-split's own loading begins in the script it writes; what is before gives the modules what they import, and
/// tells the program how a loading ended.
const OWN_LOADING: &str = "function makeLoad(";

/// The packs and who needs them.
pub(super) struct Packs {
    /// Contents by file name.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// File names of the packs a page needs, by the page's name.
    pub(super) pages: BTreeMap<String, Vec<String>>,
    /// The ES module that fetches them.
    pub(super) loader: String,
}

/// Packs `modules` (contents by name) for `pages` (names of modules by page). `script` is what wasm-split wrote to fetch them.
///
/// # Errors
/// A page needs a module that there is none of, or the script is not as it was.
pub(super) fn pack(modules: &BTreeMap<String, Vec<u8>>, pages: &BTreeMap<String, BTreeSet<String>>, script: &str) -> Result<Packs> {
    let (runtime, _) = script.split_once(OWN_LOADING).context("wasm-split writes another loader now; packs.rs has to learn it")?;
    let shared = pages.values().cloned().reduce(|all, page| &all & &page).unwrap_or_default();
    let mut packs = Packs { files: BTreeMap::new(), pages: BTreeMap::new(), loader: format!("{runtime}{}", include_str!("loader.js")) };
    let table = packs.add(SHARED, &shared, modules)?;
    writeln!(packs.loader, "const shared = {table};")?;
    for (page, needed) in pages {
        let file = format!("{page}.pack");
        let table = packs.add(&file, &(needed - &shared), modules)?;
        writeln!(packs.loader, "export const __wasm_split_load_{page} = page(shared, {table});")?;
        packs.pages.insert(page.clone(), vec![SHARED.to_owned(), file]);
    }
    Ok(packs)
}

impl Packs {
    /// Adds a file of these modules, and gives the expression that loads it.
    fn add(&mut self, file: &str, names: &BTreeSet<String>, modules: &BTreeMap<String, Vec<u8>>) -> Result<String> {
        let mut content = Vec::new();
        let mut lengths = Vec::new();
        for name in names {
            let module = modules.get(name).with_context(|| format!("there is no module {name}"))?;
            content.extend_from_slice(module);
            lengths.push((name, module.len()));
        }
        self.files.insert(file.to_owned(), content);
        Ok(format!("pack({:?}, {})", format!("./{file}"), serde_json::to_string(&lengths)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_every_page_needs_is_apart_and_the_loader_knows_where_each_module_lies() {
        let modules = BTreeMap::from([("a".to_owned(), vec![1; 3]), ("b".to_owned(), vec![2; 5]), ("c".to_owned(), vec![3; 7])]);
        let pages = BTreeMap::from([("one".to_owned(), set(&["a", "b"])), ("two".to_owned(), set(&["a", "b", "c"]))]);
        let packs = pack(&modules, &pages, "runtime();\nfunction makeLoad(fetcher) {}").unwrap();
        assert_eq!(packs.files["shared.pack"], [vec![1; 3], vec![2; 5]].concat());
        assert_eq!(packs.files["one.pack"], Vec::<u8>::new());
        assert_eq!(packs.files["two.pack"], vec![3; 7]);
        assert_eq!(packs.pages["two"], ["shared.pack", "two.pack"]);
        assert!(packs.loader.starts_with("runtime();\n"));
        assert!(!packs.loader.contains("makeLoad"));
        assert!(packs.loader.contains(r#"const shared = pack("./shared.pack", [["a",3],["b",5]]);"#), "{}", packs.loader);
        assert!(packs.loader.contains(r#"export const __wasm_split_load_two = page(shared, pack("./two.pack", [["c",7]]));"#));
    }

    #[test]
    fn a_script_or_a_module_that_is_not_as_expected_is_an_error() {
        let pages = BTreeMap::from([("one".to_owned(), set(&["a"]))]);
        assert!(pack(&BTreeMap::new(), &pages, "function makeLoad(").is_err());
        assert!(pack(&BTreeMap::from([("a".to_owned(), Vec::new())]), &pages, "function loadAll(").is_err());
    }
}
