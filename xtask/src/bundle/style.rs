//! The style sheet: one file from its partials, minified.

use std::path::Path;

use anyhow::{Result, anyhow};
use lightningcss::bundler::{Bundler, FileProvider};
use lightningcss::stylesheet::{MinifyOptions, ParserOptions, PrinterOptions};
use lightningcss::targets::{Browsers, Targets};

/// Browsers older than these (2023) may show the pages plainer. Versions are `major << 16 | minor << 8`.
const BROWSERS: Browsers = Browsers {
    android: None,
    chrome: Some(111 << 16),
    edge: Some(111 << 16),
    firefox: Some(113 << 16),
    ie: None,
    ios_saf: Some(16 << 16 | 4 << 8),
    opera: None,
    safari: Some(16 << 16 | 4 << 8),
    samsung: None,
};

/// Reads the style sheet and all that it imports, and gives one minified sheet. A fault names its file and line.
pub(super) fn bundle(entry: &Path) -> Result<String> {
    let files = FileProvider::new();
    let targets = Targets::from(BROWSERS);
    let mut sheet = Bundler::new(&files, None, ParserOptions::default()).bundle(entry).map_err(|error| anyhow!("style: {error}"))?;
    sheet.minify(MinifyOptions { targets, ..MinifyOptions::default() }).map_err(|error| anyhow!("style: {error}"))?;
    let printed = sheet.to_css(PrinterOptions { minify: true, targets, ..PrinterOptions::default() });
    Ok(printed.map_err(|error| anyhow!("style: {error}"))?.code)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn partials_become_one_sheet_and_a_fault_names_its_file() {
        let folder = std::env::temp_dir().join(format!("slowburn-style-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let main = folder.join("main.css");
        fs::write(&main, "@import './a.css';\nmain { color: var(--text); }\n").unwrap();
        fs::write(folder.join("a.css"), ":root { --text: #112233; }\n").unwrap();
        assert_eq!(bundle(&main).unwrap(), ":root{--text:#123}main{color:var(--text)}");

        fs::write(folder.join("a.css"), ":root { --text: #112233; } }\n").unwrap();
        let fault = bundle(&main).unwrap_err().to_string();
        assert!(fault.contains("a.css"), "{fault}");
        fs::remove_dir_all(folder).unwrap();
    }
}
