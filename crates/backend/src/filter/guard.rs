//! Measures a filter's text before the parser sees it.
//!
//! The parser descends once for every bracket, and its tree once for every link of a chain (`a.b.c`, `a < b < c`): a text of
//! a few kilobytes could use up the stack of a thread. So the depth is counted here, over brackets and chains together, with
//! a scanner that knows strings and comments. Strings that do not end or have unknown escapes are refused here as well,
//! because the parser would resume inside them and see another structure than we have measured.

use super::FilterError;

/// The longest filter, bytes.
pub const MAX_LENGTH: usize = 8 * 1_024;
/// The deepest nesting: brackets and links of chains around any one place.
pub const MAX_DEPTH: usize = 64;

/// Refuses texts that are empty, too long or too deep, and strings that are not well formed.
pub(super) fn check(source: &str) -> Result<(), FilterError> {
    if source.len() > MAX_LENGTH {
        return Err(FilterError::at(source, 0, format!("a filter has at most {MAX_LENGTH} bytes; this one has {}", source.len())));
    }
    if source.trim().is_empty() {
        return Err(FilterError::at(source, 0, "the filter is empty; write true to match everything"));
    }
    let mut scanner = Scanner { source, position: 0 };
    let mut levels = vec![Level::default()];
    while let Some(token) = scanner.next()? {
        let level = levels.last_mut().expect("the outermost level is never popped");
        match token {
            Token::Open => levels.push(Level::default()),
            Token::Close => {
                if levels.len() > 1 {
                    levels.pop();
                }
                if let Some(level) = levels.last_mut() {
                    level.links += 1;
                }
            }
            Token::Link => level.links += 1,
            Token::Branch => *level = Level { links: 0, branches: level.branches + 1 },
            Token::Joint => level.links = 0,
            Token::Comma => *level = Level::default(),
        }
        let depth: usize = levels.iter().map(|level| 1 + level.links + level.branches).sum();
        if depth > MAX_DEPTH + 1 {
            let start = scanner.position.saturating_sub(1);
            return Err(FilterError::at(source, start, format!("nested deeper than {MAX_DEPTH} levels")));
        }
    }
    Ok(())
}

/// What lies open between one pair of brackets.
#[derive(Clone, Copy, Default)]
struct Level {
    /// Operators since the last `&&`, `||` or `:`; each is one level of the tree.
    links: usize,
    /// `?` since the last comma; what follows the `:` lies one level deeper.
    branches: usize,
}

enum Token {
    Open,
    Close,
    Link,
    Branch,
    Joint,
    Comma,
}

struct Scanner<'s> {
    source: &'s str,
    position: usize,
}

impl Scanner<'_> {
    /// The next token that has to do with depth.
    fn next(&mut self) -> Result<Option<Token>, FilterError> {
        let bytes = self.source.as_bytes();
        while let Some(&byte) = bytes.get(self.position) {
            let following = bytes.get(self.position + 1).copied();
            let token = match byte {
                b'/' if following == Some(b'/') => {
                    self.skip(|byte| byte != b'\n');
                    continue;
                }
                b'"' | b'\'' => {
                    self.string(false)?;
                    continue;
                }
                b'0'..=b'9' => {
                    self.skip(|byte| byte.is_ascii_alphanumeric());
                    continue;
                }
                b'.' if following.is_some_and(|byte| byte.is_ascii_digit()) => {
                    self.position += 1;
                    continue;
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => match self.word()? {
                    "in" => return Ok(Some(Token::Link)),
                    _ => continue,
                },
                b'(' | b'[' | b'{' => Token::Open,
                b')' | b']' | b'}' => Token::Close,
                b'.' | b'<' | b'>' | b'=' | b'+' | b'-' | b'*' | b'/' | b'%' => Token::Link,
                b'?' => Token::Branch,
                b'&' | b'|' | b':' => Token::Joint,
                b',' => Token::Comma,
                _ => {
                    self.position += 1;
                    continue;
                }
            };
            // `==`, `<=`, `>=` are one link.
            let doubled = matches!(byte, b'<' | b'>' | b'=') && following == Some(b'=');
            self.position += if doubled { 2 } else { 1 };
            return Ok(Some(token));
        }
        Ok(None)
    }

    fn skip(&mut self, inside: impl Fn(u8) -> bool) {
        while self.source.as_bytes().get(self.position).is_some_and(|&byte| inside(byte)) {
            self.position += 1;
        }
    }

    /// Passes over a word, and over the string it is the prefix of (`r"…"`).
    fn word(&mut self) -> Result<&str, FilterError> {
        let start = self.position;
        self.skip(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let end = self.position;
        let is_prefix = matches!(&self.source[start..end], "r" | "R" | "b" | "B" | "br" | "bR" | "Br" | "BR");
        if is_prefix && matches!(self.source.as_bytes().get(end), Some(b'"' | b'\'')) {
            self.string(self.source[start..end].to_ascii_lowercase().ends_with('r'))?;
        }
        Ok(&self.source[start..end])
    }

    /// Passes over a string, whose opening quote is next.
    fn string(&mut self, raw: bool) -> Result<(), FilterError> {
        let bytes = self.source.as_bytes();
        let (start, quote) = (self.position, bytes[self.position]);
        let triple = bytes[start..].starts_with(&[quote; 3]);
        let closing = if triple { 3 } else { 1 };
        self.position += closing;
        loop {
            match bytes.get(self.position) {
                Some(b'\\') if !raw => self.escape()?,
                Some(&byte) if byte == quote && bytes[self.position..].starts_with(&[quote; 3][..closing]) => {
                    self.position += closing;
                    return Ok(());
                }
                None | Some(b'\n' | b'\r') if !triple || self.position >= bytes.len() => {
                    return Err(FilterError::at(self.source, start, "this string does not end"));
                }
                _ => self.position += 1,
            }
        }
    }

    /// Passes over an escape sequence, whose backslash is next.
    fn escape(&mut self) -> Result<(), FilterError> {
        let rest = &self.source.as_bytes()[self.position + 1..];
        let digits = |from: usize, count: usize, radix: u32| {
            rest.len() >= from + count && rest[from..from + count].iter().all(|&d| char::from(d).is_digit(radix))
        };
        let length = match rest.first() {
            Some(b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'\\' | b'\'' | b'"' | b'`' | b'?') => 1,
            Some(b'x' | b'X') if digits(1, 2, 16) => 3,
            Some(b'u') if digits(1, 4, 16) => 5,
            Some(b'U') if digits(1, 8, 16) => 9,
            Some(b'0'..=b'3') if digits(0, 3, 8) => 3,
            _ => {
                let reason = "unknown escape in a string; write \\\\ for a backslash, or a raw string r\"…\" for a regular expression";
                return Err(FilterError::at(self.source, self.position, reason));
            }
        };
        self.position += 1 + length;
        Ok(())
    }
}
