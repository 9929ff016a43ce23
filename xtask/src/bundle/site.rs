//! The folder that is served. Files appear whole (written beside, then renamed), and what no longer belongs goes last.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use xxhash_rust::xxh3::xxh3_64;

/// Endings of files that compress; pictures and fonts do not.
const COMPRESSIBLE: [&str; 10] = ["css", "html", "js", "json", "map", "pack", "svg", "txt", "wasm", "webmanifest"];

/// A site being written.
pub(super) struct Site {
    folder: PathBuf,
    /// Paths of this bundling, relative to the folder.
    written: BTreeSet<PathBuf>,
}

/// A file of the site with its sizes in bytes: as it is, and as browsers may receive it.
#[derive(Debug)]
pub(super) struct Added {
    pub(super) path: String,
    pub(super) bytes: usize,
    pub(super) gzip: usize,
    pub(super) brotli: usize,
}

impl Added {
    /// Path of the file's URL.
    pub(super) fn url(&self) -> String {
        format!("/{}", self.path)
    }
}

impl Site {
    /// Opens the folder, making it where needed. What lies in it stays until [`publish`](Self::publish).
    pub(super) fn open(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
        Ok(Self { folder, written: BTreeSet::new() })
    }

    /// Adds a file under a name that holds a hash of its content.
    pub(super) fn add_hashed(&mut self, stem: &str, ending: &str, content: &[u8]) -> Result<Added> {
        self.add(&format!("{stem}-{:016x}.{ending}", xxh3_64(content)), content)
    }

    /// Adds a file, compressed beside it where that makes sense.
    pub(super) fn add(&mut self, path: &str, content: &[u8]) -> Result<Added> {
        self.write(Path::new(path), content)?;
        let mut added = Added { path: path.to_owned(), bytes: content.len(), gzip: content.len(), brotli: content.len() };
        if Path::new(path).extension().and_then(|e| e.to_str()).is_some_and(|ending| COMPRESSIBLE.contains(&ending)) {
            let gzip = gzip(content)?;
            let brotli = brotli(content)?;
            self.write(Path::new(&format!("{path}.gz")), &gzip)?;
            self.write(Path::new(&format!("{path}.br")), &brotli)?;
            (added.gzip, added.brotli) = (gzip.len(), brotli.len());
        }
        Ok(added)
    }

    /// Adds every file below a folder under its own name.
    pub(super) fn add_folder(&mut self, folder: &Path) -> Result<()> {
        for file in super::inputs::files_below(folder)? {
            let path = file.strip_prefix(folder).context("files below a folder begin with its path")?;
            self.add(&path.to_string_lossy(), &fs::read(&file)?)?;
        }
        Ok(())
    }

    /// Names the site's current files in `manifest.json`, then removes files of earlier bundlings.
    pub(super) fn publish(mut self, manifest: &[u8]) -> Result<()> {
        self.write(Path::new("manifest.json"), manifest)?;
        for file in super::inputs::files_below(&self.folder)? {
            if !file.strip_prefix(&self.folder).is_ok_and(|path| self.written.contains(path)) {
                fs::remove_file(&file).with_context(|| format!("could not remove {}", file.display()))?;
            }
        }
        Ok(())
    }

    fn write(&mut self, path: &Path, content: &[u8]) -> Result<()> {
        let target = self.folder.join(path);
        let beside = self.folder.join(".part");
        let folder = target.parent().context("a file lies in a folder")?;
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&beside, content))
            .and_then(|()| fs::rename(&beside, &target))
            .with_context(|| format!("could not write {}", target.display()))?;
        self.written.insert(path.to_owned());
        Ok(())
    }
}

fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

/// The slowest and densest setting, with a window that holds the whole module.
fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 1 << 16, 11, 22);
    encoder.write_all(content)?;
    encoder.flush()?;
    Ok(encoder.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn open() -> (PathBuf, Site) {
        let name = std::thread::current().name().unwrap_or_default().replace("::", "-");
        let folder = std::env::temp_dir().join(format!("slowburn-site-{}-{name}", std::process::id()));
        (folder.clone(), Site::open(folder).unwrap())
    }

    #[test]
    fn a_second_bundling_leaves_only_its_own_files() {
        let (folder, mut site) = open();
        let old = site.add_hashed("pkg/slowburn", "js", b"old").unwrap();
        site.publish(b"{}").unwrap();
        assert!(folder.join(&old.path).exists());

        let mut site = Site::open(folder.clone()).unwrap();
        let new = site.add_hashed("pkg/slowburn", "js", b"new").unwrap();
        site.add("robots.txt", b"User-agent: *\n").unwrap();
        site.publish(b"{}").unwrap();
        let mut files: Vec<_> = super::super::inputs::files_below(&folder)
            .unwrap()
            .iter()
            .map(|f| f.strip_prefix(&folder).unwrap().display().to_string())
            .collect();
        files.sort();
        let expected = [
            "manifest.json".to_owned(),
            new.path.clone(),
            format!("{}.br", new.path),
            format!("{}.gz", new.path),
            "robots.txt".to_owned(),
            "robots.txt.br".to_owned(),
            "robots.txt.gz".to_owned(),
        ];
        assert_eq!(files, expected);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn compressed_files_hold_the_same_content() {
        let (folder, mut site) = open();
        let content = b"fn main() {}\n".repeat(200);
        let added = site.add("a.txt", &content).unwrap();
        assert!(added.brotli < added.gzip && added.gzip < added.bytes);
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&fs::read(folder.join("a.txt.gz")).unwrap()[..]).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, content);
        plain.clear();
        brotli::Decompressor::new(&fs::read(folder.join("a.txt.br")).unwrap()[..], 4096).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, content);
        fs::remove_dir_all(folder).unwrap();
    }
}
