//! Rules about the text of files: those that git tracks or would track.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::paths::Paths;
use crate::process;

/// A text file of the clone.
pub(super) struct Source {
    /// Path from the clone's root.
    path: String,
    text: String,
}

/// A Rust file of more lines is noted: look for its second idea.
const LONG_FILE: usize = 400;

/// Reads every text file that is, or would be, part of the repository.
pub(super) fn read(paths: &Paths) -> Result<Vec<Source>> {
    let mut command = Command::new("git");
    command.current_dir(&paths.root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = process::output(&mut command)?;
    // Files listed and gone are being moved; files that are not UTF-8 are pictures.
    let read = |path: &str| fs::read_to_string(paths.root.join(path)).ok().map(|text| Source { path: path.to_owned(), text });
    Ok(listed.split('\0').filter(|path| !path.is_empty()).filter_map(read).collect())
}

/// SQL stands in `storage`. Tests may look into the database, or break it, as no use case can.
pub(super) fn sql_outside_storage(sources: &[Source]) -> Vec<String> {
    let rust = sources
        .iter()
        .filter(|source| source.is_rust() && !source.path.starts_with("crates/storage/") && !source.path.starts_with("xtask/"))
        .filter(|source| !source.path.contains("/tests/"));
    find(rust, |line| ["sqlx::query", "sqlx::raw_sql", "QueryBuilder"].iter().any(|word| line.contains(word)))
}

/// Paths that exist on one machine only.
pub(super) fn machine_paths(sources: &[Source]) -> Vec<String> {
    let kept = sources.iter().filter(|source| !source.path.starts_with("xtask/src/house/"));
    find(kept, |line| line.contains("/work/main") || line.contains("/work/shared") || names_a_home(line))
}

/// A lockfile or a client's setting that names a registry of its own would send everybody there.
pub(super) fn lockfile_hosts(sources: &[Source]) -> Vec<String> {
    let name = |source: &Source| source.path.rsplit('/').next().unwrap_or_default().to_owned();
    let mut faults = find(sources.iter().filter(|s| name(s) == "package-lock.json"), |line| line.contains("\"resolved\""));
    faults.extend(find(sources.iter().filter(|s| name(s) == "Cargo.lock"), |line| {
        line.starts_with("source = ") && line != "source = \"registry+https://github.com/rust-lang/crates.io-index\""
    }));
    faults.extend(find(sources.iter().filter(|s| name(s) == ".npmrc"), |line| line.contains("registry=")));
    faults.extend(find(sources.iter().filter(|s| name(s) == "requirements.txt"), |line| line.contains("index-url")));
    faults
}

/// Long Rust files, longest first.
pub(super) fn long_files(sources: &[Source]) -> Vec<String> {
    let mut long: Vec<_> = sources
        .iter()
        .filter(|source| source.is_rust())
        .map(|source| (source.text.lines().count(), &source.path))
        .filter(|(lines, _)| *lines > LONG_FILE)
        .collect();
    long.sort_by(|a, b| b.cmp(a));
    long.into_iter().map(|(lines, path)| format!("{path} has {lines} lines")).collect()
}

impl Source {
    fn is_rust(&self) -> bool {
        std::path::Path::new(&self.path).extension().is_some_and(|ending| ending == "rs")
    }
}

/// `/root/x` or `/home/someone/`, but not the words alone.
fn names_a_home(line: &str) -> bool {
    let follows = |prefix: &str| {
        line.match_indices(prefix).any(|(at, _)| line[at + prefix.len()..].starts_with(|c: char| c.is_ascii_lowercase() || c == '.'))
    };
    follows("/root/") || follows("/home/")
}

fn find<'a>(sources: impl Iterator<Item = &'a Source>, bad: impl Fn(&str) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        for (number, line) in source.text.lines().enumerate().filter(|(_, line)| bad(line)) {
            let shown: String = line.trim().chars().take(100).collect();
            faults.push(format!("{}:{}: {shown}", source.path, number + 1));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn sql_is_found_with_its_place() {
        let sources = [
            source("crates/storage/src/slo.rs", "sqlx::query(\"SELECT 1\")"),
            source("crates/backend/src/slo.rs", "fn f() {\n    sqlx::query(\"SELECT 1\");\n}"),
            source("docs/sql.md", "sqlx::query"),
        ];
        assert_eq!(sql_outside_storage(&sources), ["crates/backend/src/slo.rs:2: sqlx::query(\"SELECT 1\");"]);
    }

    #[test]
    fn homes_are_found_and_words_are_not() {
        for (line, expected) in [
            ("cd /root/project", true),
            ("/home/anna/x", true),
            ("the user cannot pass through /root", false),
            ("https://example.com/home/", false),
            ("$HOME/.cache", false),
        ] {
            assert_eq!(!machine_paths(&[source("a.md", line)]).is_empty(), expected, "{line}");
        }
    }

    #[test]
    fn a_lockfile_with_a_mirror_is_a_fault() {
        let good = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
        let sources = [
            source("Cargo.lock", &format!("{good}\nsource = \"registry+https://mirror.example/index\"")),
            source("end2end/package-lock.json", "\"resolved\": \"https://mirror.example/a.tgz\""),
        ];
        assert_eq!(lockfile_hosts(&sources).len(), 2);
    }
}
