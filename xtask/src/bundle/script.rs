//! Generated scripts, without what no machine reads. Line breaks stay: JavaScript ends statements by them.

/// Leaves out indentation, blank lines and comments that stand on lines of their own.
pub(super) fn lean(script: &str) -> String {
    let mut lean = String::with_capacity(script.len());
    let mut is_comment = false;
    for line in script.lines().map(str::trim) {
        is_comment |= line.starts_with("/**");
        if !is_comment && !line.is_empty() && !line.starts_with("//") {
            lean.push_str(line);
            lean.push('\n');
        }
        is_comment &= !line.ends_with("*/");
    }
    lean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_machines_read_is_left() {
        let script = "/**\n * @param {number} a\n */\nfunction f(a) {\n    // why\n\n    return a * 2 // twice\n        * 3;\n}\n  /** one line */\n`a ${\"//\"}`\n";
        assert_eq!(lean(script), "function f(a) {\nreturn a * 2 // twice\n* 3;\n}\n`a ${\"//\"}`\n");
    }
}
