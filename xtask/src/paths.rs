//! Where things lie: the clone, and what cargo builds from it.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// Folders that every command needs.
#[derive(Debug)]
pub(crate) struct Paths {
    /// The clone.
    pub(crate) root: PathBuf,
    /// Cargo's target folder, which may lie outside the clone.
    pub(crate) target: PathBuf,
    /// What `xtask/setup.sh` keeps between runs and clones.
    pub(crate) cache: PathBuf,
}

impl Paths {
    /// Finds the folders from the place of this crate and the environment.
    pub(crate) fn find() -> Result<Self> {
        // Not the folder it was compiled in: clones may share a target folder, and with it this program.
        let here = std::env::current_dir()?;
        let root =
            here.ancestors().find(|folder| folder.join("xtask/Cargo.toml").is_file()).context("run this in the repository")?.to_owned();
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        let cache = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
            .context("neither XDG_CACHE_HOME nor HOME is set")?
            .join("slowburn");
        Ok(Self { root, target, cache })
    }

    /// The site that the server serves: scripts, style, public files.
    pub(crate) fn site(&self) -> PathBuf {
        self.root.join("target/site")
    }

    /// The server as unit tests, end-to-end tests and `make run` use it.
    pub(crate) fn server(&self) -> PathBuf {
        self.target.join("debug/slowburn")
    }

    /// The browser's half as cargo left it.
    pub(crate) fn wasm(&self) -> PathBuf {
        self.target.join("wasm32-unknown-unknown/wasm/slowburn_frontend.wasm")
    }

    /// A file of an npm package.
    pub(crate) fn npm_module(&self, path: &str) -> PathBuf {
        self.root.join("end2end/node_modules").join(path)
    }

    /// A program that came with an npm package.
    pub(crate) fn npm_program(&self, name: &str) -> PathBuf {
        self.root.join("end2end/node_modules/.bin").join(name)
    }
}
