//! Queries in PromQL, as far as they amount to counters: the selectors in them. Differences between samples are taken here, so
//! whatever stands around a selector to make a rate or a sum of it is taken off.

use std::fmt;

/// The longest query, bytes.
const MAX_LENGTH: usize = 8_192;
/// Most selectors that are added up.
const MAX_SELECTORS: usize = 16;
/// Parentheses within each other.
const MAX_DEPTH: usize = 16;
const ACCEPTED: &str = "a counter's selector is accepted, alone or in rate, increase or sum, and several of them added by +";

/// Counters whose rises are added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterQuery {
    /// As it was written.
    text: String,
    selectors: Vec<String>,
}

impl CounterQuery {
    /// Reads a query.
    ///
    /// # Errors
    /// What is not accepted, and what is.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("has more than {MAX_LENGTH} bytes"));
        }
        let mut reader = Reader { text, at: 0, selectors: Vec::new() };
        let read = reader.sum(0).and_then(|()| if reader.rest().is_empty() { Ok(()) } else { Err(reader.unexpected()) });
        read.map_err(|reason| format!("{reason}; {ACCEPTED}"))?;
        if reader.selectors.len() > MAX_SELECTORS {
            return Err(format!("adds {} selectors; at most {MAX_SELECTORS} are accepted", reader.selectors.len()));
        }
        Ok(Self { text: text.trim().to_owned(), selectors: reader.selectors })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The selectors in it.
    pub fn selectors(&self) -> &[String] {
        &self.selectors
    }
}

/// What it counts, whatever stood around.
impl fmt::Display for CounterQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.selectors.join(" + "))
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    selectors: Vec<String>,
}

type Read<T = ()> = Result<T, String>;

impl<'t> Reader<'t> {
    /// Counters added up. `or vector(0)` says what an absent counter is to us anyway.
    fn sum(&mut self, depth: usize) -> Read {
        if depth > MAX_DEPTH {
            return Err(format!("has more than {MAX_DEPTH} parentheses within each other"));
        }
        self.term(depth)?;
        while self.eat("+") {
            self.term(depth)?;
        }
        if self.eat_word("or") {
            if self.eat_word("on") {
                self.expect("(")?;
                self.expect(")")?;
            }
            if !self.eat_word("vector") {
                return Err(self.unexpected());
            }
            self.expect("(")?;
            self.expect("0")?;
            self.expect(")")?;
        }
        Ok(())
    }

    fn term(&mut self, depth: usize) -> Read {
        if self.eat("(") {
            self.sum(depth + 1)?;
            return self.expect(")");
        }
        let begin = self.at;
        let name = self.word();
        match name {
            Some("sum") if self.eat("(") => {
                self.sum(depth + 1)?;
                self.expect(")")
            }
            Some("rate" | "increase") if self.eat("(") => {
                self.selector()?;
                self.window()?;
                self.expect(")")
            }
            Some(name) if self.rest().starts_with('(') => Err(format!("{name} is not accepted")),
            Some("sum") if self.rest().starts_with(['b', 'w']) => Err(self.unexpected()),
            _ => {
                self.at = begin;
                self.selector()?;
                if self.rest().starts_with('[') { Err("a window stands in rate or increase only".to_owned()) } else { Ok(()) }
            }
        }
    }

    /// `name{label="value"}`, the name or the braces left out.
    fn selector(&mut self) -> Read {
        self.rest();
        let begin = self.at;
        let has_name = self.word().is_some();
        let mut end = self.at;
        if self.eat("{") {
            while !self.eat("}") {
                self.matcher()?;
                if !self.eat(",") && !self.rest().starts_with('}') {
                    return Err(self.unexpected());
                }
            }
            end = self.at;
        } else if !has_name {
            return Err(self.unexpected());
        }
        self.selectors.push(self.text[begin..end].to_owned());
        Ok(())
    }

    /// `label="value"`, or a name in quotes.
    fn matcher(&mut self) -> Read {
        let is_quoted = self.rest().starts_with(['"', '\'', '`']);
        if is_quoted {
            self.string()?;
            if self.rest().starts_with([',', '}']) {
                return Ok(());
            }
        } else if self.word().is_none() {
            return Err(self.unexpected());
        }
        if ["=~", "!~", "!=", "="].into_iter().any(|operator| self.eat(operator)) { self.string() } else { Err(self.unexpected()) }
    }

    fn string(&mut self) -> Read {
        let quote = self.rest().chars().next().filter(|c| ['"', '\'', '`'].contains(c)).ok_or_else(|| self.unexpected())?;
        let mut is_escaped = false;
        for (index, character) in self.text[self.at + 1..].char_indices() {
            match character {
                _ if is_escaped => is_escaped = false,
                '\\' if quote != '`' => is_escaped = true,
                '\n' if quote != '`' => break,
                c if c == quote => {
                    self.at += 1 + index + 1;
                    return Ok(());
                }
                _ => {}
            }
        }
        Err(format!("the quote at character {} has no end", self.place()))
    }

    /// `[5m]`, or a placeholder that Sloth or a dashboard fills in.
    fn window(&mut self) -> Read {
        self.expect("[")?;
        let begin = self.at;
        let length = self.text[begin..].find(']').ok_or("the window has no end")?;
        let inside = self.text[begin..begin + length].trim();
        let is_length = inside.starts_with(|c: char| c.is_ascii_digit()) && inside.chars().all(|c| c.is_ascii_alphanumeric());
        let is_placeholder = inside.starts_with('$') || inside.starts_with("{{") && inside.ends_with("}}");
        if inside.contains(':') {
            return Err("a subquery is not accepted".to_owned());
        }
        if !is_length && !is_placeholder {
            return Err(self.unexpected());
        }
        self.at = begin + length + 1;
        Ok(())
    }

    /// What is left, from its first character that says something.
    fn rest(&mut self) -> &'t str {
        loop {
            let rest = &self.text[self.at..];
            let shown = rest.trim_start();
            self.at += rest.len() - shown.len();
            match shown.strip_prefix('#') {
                Some(remark) => self.at += 1 + remark.find('\n').unwrap_or(remark.len()),
                None => return shown,
            }
        }
    }

    fn eat(&mut self, token: &str) -> bool {
        let is_there = self.rest().starts_with(token);
        self.at += if is_there { token.len() } else { 0 };
        is_there
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let begin = self.at;
        let is_there = self.word().is_some_and(|found| found.eq_ignore_ascii_case(word));
        if !is_there {
            self.at = begin;
        }
        is_there
    }

    fn word(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let word = Some(&rest[..length]).filter(|word| word.starts_with(|c: char| !c.is_ascii_digit()))?;
        self.at += length;
        Some(word)
    }

    fn expect(&mut self, token: &str) -> Read {
        if self.eat(token) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// What stands where something else should.
    fn unexpected(&mut self) -> String {
        let rest = self.rest();
        let found = self.word().map(str::to_owned).or_else(|| rest.chars().next().map(String::from));
        self.at = self.text.len() - rest.len();
        found.map_or_else(|| "ends too early".to_owned(), |found| format!("{found} at character {} is not accepted", self.place()))
    }

    fn place(&self) -> usize {
        self.text[..self.at].chars().count() + 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn b2_what_stands_around_a_selector_is_taken_off() {
        for (query, selectors) in [
            ("http_requests_total", &["http_requests_total"] as &[&str]),
            (r#"http_requests_total{job="x",code=~"5.."}"#, &[r#"http_requests_total{job="x",code=~"5.."}"#]),
            (r#"sum(rate(a_total{job="x"}[5m]))"#, &[r#"a_total{job="x"}"#]),
            (r#"sum(rate(a_total{code=~"(5..|429)"}[{{.window}}]))"#, &[r#"a_total{code=~"(5..|429)"}"#]),
            (" sum ( increase ( a_total [ {{ .window }} ] ) ) ", &["a_total"]),
            ("sum(a_total)", &["a_total"]),
            ("rate(a_total[1h30m])", &["a_total"]),
            ("rate(a_total[$__rate_interval])", &["a_total"]),
            ("# all of them\nsum(\n  rate(a_total[5m]) # and\n)", &["a_total"]),
            ("sum(rate(a_total[5m])) + sum(rate(b_total[5m]))", &["a_total", "b_total"]),
            ("sum(a_total + (b_total) + c_total)", &["a_total", "b_total", "c_total"]),
            ("sum(rate(a_total[5m])) or vector(0)", &["a_total"]),
            ("(sum(rate(a_total[5m])) OR on() vector(0)) + b_total", &["a_total", "b_total"]),
            (r#"{__name__="a_total", job!='}[5m]',}"#, &[r#"{__name__="a_total", job!='}[5m]',}"#]),
            (r#"{"a.total", "http.code"!~`5..\`}"#, &[r#"{"a.total", "http.code"!~`5..\`}"#]),
            (r#"a_total{path="a\"b)"}"#, &[r#"a_total{path="a\"b)"}"#]),
            ("job:a_total:sum{}", &["job:a_total:sum{}"]),
            (r#"sum{job="x"}"#, &[r#"sum{job="x"}"#]),
            ("sum(rate(grüße_total[5m]))", &[]),
        ] {
            let read = CounterQuery::parse(query).map(|query| query.selectors).unwrap_or_default();
            assert_eq!(read, selectors, "{query}");
        }
    }

    #[test]
    fn b2_anything_else_is_named() {
        for (query, reason) in [
            ("", "ends too early"),
            ("histogram_quantile(0.9, sum(rate(a_bucket[5m])) by (le))", "histogram_quantile is not accepted"),
            ("irate(a_total[5m])", "irate is not accepted"),
            ("sum(rate(a_total[5m])) / sum(rate(b_total[5m]))", "/ at character 24 is not accepted"),
            ("sum(rate(a_total[5m])) - sum(rate(b_total[5m]))", "- at character 24"),
            ("sum by (job) (rate(a_total[5m]))", "by at character 5"),
            ("sum(rate(a_total[5m])) by (job)", "by at character 24"),
            ("a_total + on(job) b_total", "on is not accepted"),
            ("a_total offset 5m", "offset at character 9"),
            ("rate(a_total[5m] offset 5m)", "offset at character 18"),
            ("rate(a_total[5m] @ 0)", "@ at character 18"),
            ("rate(a_total[5m:1m])", "a subquery"),
            ("rate(a_total)", ") at character 13"),
            ("a_total[5m]", "a window stands in rate or increase only"),
            ("rate(a_total[x])", "x at character 14"),
            ("rate(a_total[5m)", "the window has no end"),
            ("sum(rate(sum(a_total)[5m]))", "( at character 13"),
            ("sum(a_total) or vector(1)", "1 at character 24"),
            ("a_total or b_total", "b_total at character 12"),
            (r#"a_total{job="x}"#, "the quote at character 13 has no end"),
            ("a_total{job=5}", "5 at character 13"),
            (r#"a_total{job="x" code="y"}"#, "code at character 17"),
            ("a_total{", "ends too early"),
            ("5", "5 at character 1"),
        ] {
            let refused = CounterQuery::parse(query).expect_err(query);
            assert!(refused.contains(reason) && refused.ends_with(ACCEPTED), "{query}: {refused}");
        }
        let many = vec!["a"; MAX_SELECTORS + 1].join("+");
        assert!(CounterQuery::parse(&many).expect_err("many").contains("17 selectors"));
        let deep = format!("{}a{}", "(".repeat(2_000), ")".repeat(2_000));
        assert!(CounterQuery::parse(&deep).expect_err("deep").contains("16 parentheses"));
    }

    proptest! {
        #[test]
        fn b2_no_text_upsets_the_reader(text in r#"([a-zü_:]{1,3}|sum|rate|or|vector|\(|\)|\{|\}|\[|\]|=~|=|"|'|`|\\|\+|,|#|\n| |5m|0|\{\{.window\}\}){0,24}"#) {
            if let Ok(query) = CounterQuery::parse(&text) {
                prop_assert!(!query.selectors().is_empty());
                // What it comes to is a query again, of the same counters.
                let again = CounterQuery::parse(&query.to_string()).expect("selectors added up");
                prop_assert_eq!(again.selectors(), query.selectors());
            }
        }

        #[test]
        fn b2_any_bytes_are_read_or_refused(text in any::<String>()) {
            let _ = CounterQuery::parse(&text);
        }
    }
}
