//! Which licences may come in, read from the SPDX expression of every package.

use serde_json::Value;

/// Licences that ask nothing of a binary but a notice, and MPL-2.0, which binds only its own files.
const ALLOWED: [&str; 16] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// TLS is rustls here, everywhere: another library would need another set of certificates and another audit.
const BANNED: [&str; 2] = ["native-tls", "openssl-sys"];

/// Faults among all packages of the lockfile.
pub(super) fn check(packages: &[Value]) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        if BANNED.contains(&name) {
            faults.push(format!("{name} is banned: TLS is rustls"));
        }
        match package["license"].as_str() {
            Some(expression) if allowed(expression) => {}
            Some(expression) => faults.push(format!("{name}: {expression}")),
            None => faults.push(format!("{name} names no licence")),
        }
    }
    faults
}

/// Does the expression leave a choice that is on the list? `OR` binds weaker than `AND`; a slash is the old spelling of `OR`.
fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { tokens: &tokens };
    parser.any().unwrap_or(false) && parser.tokens.is_empty()
}

struct Parser<'a> {
    tokens: &'a [&'a str],
}

impl<'a> Parser<'a> {
    fn take(&mut self) -> Option<&'a str> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn take_if(&mut self, word: &str) -> bool {
        let found = self.tokens.first().is_some_and(|token| *token == word);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn any(&mut self) -> Option<bool> {
        let mut result = self.all()?;
        while self.take_if("OR") {
            result |= self.all()?;
        }
        Some(result)
    }

    fn all(&mut self) -> Option<bool> {
        let mut result = self.one()?;
        while self.take_if("AND") {
            result &= self.one()?;
        }
        Some(result)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take_if("(") {
            let result = self.any()?;
            return self.take_if(")").then_some(result);
        }
        let licence = self.take()?;
        if self.take_if("WITH") {
            let exception = self.take()?;
            return Some(ALLOWED.contains(&format!("{licence} WITH {exception}").as_str()));
        }
        Some(ALLOWED.contains(&licence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_as_spdx_says() {
        let cases = [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("MIT OR GPL-3.0-only", true),
            ("MIT/Apache-2.0", true),
            ("MIT AND GPL-3.0-only", false),
            ("GPL-3.0-only OR MIT AND ISC", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("(MIT OR Apache-2.0) AND GPL-2.0-only", false),
            ("Apache-2.0 WITH LLVM-exception OR MIT", true),
            ("GPL-2.0-only WITH Classpath-exception-2.0", false),
            ("", false),
            ("(MIT", false),
        ];
        for (expression, expected) in cases {
            assert_eq!(allowed(expression), expected, "{expression}");
        }
    }
}
