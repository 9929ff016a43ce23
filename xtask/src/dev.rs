//! Builds and starts the server, and does both again when a source changes. A build that fails leaves the running server
//! alone. Times of change are polled: no watcher has to be installed, and it works on every file system.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::paths::Paths;
use crate::{bundle, process};

const POLL: Duration = Duration::from_millis(500);
const WATCHED: [&str; 9] = ["Cargo.toml", "Cargo.lock", "app", "crates", "frontend", "migrations", "public", "server", "style"];

/// Runs until interrupted.
pub(crate) fn dev(paths: &Paths) -> Result<()> {
    let mut server: Option<Child> = None;
    let mut seen = None;
    loop {
        let now = state(&paths.root)?;
        if seen != Some(now) {
            seen = Some(now);
            match build(paths) {
                Ok(()) => {
                    if let Some(old) = server.take() {
                        stop(old)?;
                    }
                    server = Some(start(paths)?);
                }
                Err(error) => eprintln!("xtask: {error:#}; waiting for the next change"),
            }
        }
        std::thread::sleep(POLL);
    }
}

/// Builds server, browser's half and site, one after the other.
pub(crate) fn build(paths: &Paths) -> Result<()> {
    process::run(&mut process::cargo(paths, ["build", "--quiet", "--bin", "slowburn"]))?;
    build_site(paths)
}

/// Builds the browser's half and the site.
pub(crate) fn build_site(paths: &Paths) -> Result<()> {
    process::run(&mut browser_build(paths))?;
    bundle::bundle(paths)
}

/// The call that compiles the browser's half.
pub(crate) fn browser_build(paths: &Paths) -> Command {
    let arguments = ["build", "--quiet", "--package", "slowburn-frontend", "--target", "wasm32-unknown-unknown", "--profile", "wasm"];
    process::cargo(paths, arguments)
}

fn start(paths: &Paths) -> Result<Child> {
    let mut command = Command::new(paths.server());
    command.current_dir(&paths.root).args(["serve", "--demo"]);
    command.spawn().with_context(|| format!("could not start {}", paths.server().display()))
}

/// Asks the server to end, which takes as long as it drains.
fn stop(mut server: Child) -> Result<()> {
    process::run(Command::new("kill").args(["-TERM", &server.id().to_string()])).ok();
    server.wait()?;
    Ok(())
}

/// A hash over names, sizes and times of change of all watched files.
fn state(root: &Path) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    let mut waiting: Vec<_> = WATCHED.iter().map(|name| root.join(name)).collect();
    while let Some(path) = waiting.pop() {
        // A file that an editor is just replacing counts as changed at the next look.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if metadata.is_dir() {
            waiting.extend(fs::read_dir(&path)?.flatten().map(|entry| entry.path()));
        } else {
            (path, metadata.len(), metadata.modified()?).hash(&mut hasher);
        }
    }
    Ok(hasher.finish())
}
