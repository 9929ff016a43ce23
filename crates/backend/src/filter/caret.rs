//! What may follow in a condition that is being typed: the text before the caret is read as far as completions need, and not
//! compiled, because it is not finished.

use super::Signal;
use super::names::{self, Name, Scope};

/// What is wanted at the caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caret {
    /// Where what is replaced begins, in bytes of the text.
    pub(crate) from: usize,
    /// What was typed of it.
    pub(crate) typed: String,
    /// What may stand there.
    pub(crate) wanted: Wanted,
}

/// What may stand at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A name.
    Name,
    /// A key of a map of values, such as `attributes`. `opened` is the quotation mark, when it has been typed; with a `dot` it
    /// has none.
    Key {
        /// The map's name.
        scope: String,
        /// The quotation mark that was typed.
        opened: Option<char>,
        /// Whether it follows a dot.
        dot: bool,
    },
    /// A value of a field or of an entry of a map.
    Value {
        /// The field's name, or the map's.
        name: String,
        /// The key in the map.
        key: Option<String>,
        /// The quotation mark that was typed.
        opened: Option<char>,
    },
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

/// The unfinished end of a text: where it begins, the quotation mark that was opened or none for a word, and what was typed.
type Unfinished = (usize, Option<char>, String);

/// What is wanted at the end of `text`, which stands before the caret; `None` where nothing can be said.
pub(crate) fn caret(text: &str, signal: Signal) -> Option<Caret> {
    let (tokens, unfinished) = read(text);
    let (from, opened, typed) = unfinished.unwrap_or((text.len(), None, String::new()));
    let scope_of = |word: &str| matches!(names::lookup(signal, word), Some(Name::Scope(Scope::Attributes | Scope::Resource)));
    let wanted = match tokens.as_slice() {
        [.., Token::Word(scope), Token::Sign('[')] if scope_of(scope) => Wanted::Key { scope: scope.clone(), opened, dot: false },
        [.., Token::Word(scope), Token::Sign('.')] if scope_of(scope) && opened.is_none() => {
            Wanted::Key { scope: scope.clone(), opened, dot: true }
        }
        [rest @ .., Token::Sign('=' | '!' | '<' | '>')] => {
            let (name, key) = operand(rest)?;
            Wanted::Value { name, key, opened }
        }
        // A list of which one is to be equal: `x in ["a", `.
        [rest @ .., Token::Sign('[' | ',')] if in_list(rest).is_some() => {
            let (name, key) = operand(in_list(rest)?)?;
            Wanted::Value { name, key, opened }
        }
        [] | [.., Token::Sign('&' | '|' | '(')] if opened.is_none() => Wanted::Name,
        _ => return None,
    };
    Some(Caret { from, typed, wanted })
}

/// What stands before the `in` of a list that `rest` is in; signs of the list may stand behind it.
fn in_list(rest: &[Token]) -> Option<&[Token]> {
    let before = rest.iter().rposition(|token| !matches!(token, Token::Text(_) | Token::Sign('[' | ',')))?;
    (rest[before] == Token::Word("in".to_owned())).then(|| &rest[..before])
}

/// The field, or the map and the key in it, at the end of `tokens`.
fn operand(tokens: &[Token]) -> Option<(String, Option<String>)> {
    match tokens {
        [.., Token::Word(scope), Token::Sign('['), Token::Text(key), Token::Sign(']')]
        | [.., Token::Word(scope), Token::Sign('.'), Token::Word(key)] => Some((scope.clone(), Some(key.clone()))),
        [.., Token::Word(name)] => Some((name.clone(), None)),
        _ => None,
    }
}

/// Splits a text. Signs that belong together, such as `==`, become one.
fn read(text: &str) -> (Vec<Token>, Option<Unfinished>) {
    let mut tokens = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character == '"' || character == '\'' {
            let mut said = String::new();
            let mut is_closed = false;
            while let Some((_, next)) = characters.next() {
                match next {
                    '\\' => said.extend(characters.next().map(|(_, escaped)| escaped)),
                    _ if next == character => {
                        is_closed = true;
                        break;
                    }
                    _ => said.push(next),
                }
            }
            if !is_closed {
                return (tokens, Some((at + 1, Some(character), said)));
            }
            tokens.push(Token::Text(said));
        } else if character.is_alphanumeric() || character == '_' {
            let mut word = String::from(character);
            while let Some((_, next)) = characters.next_if(|(_, next)| next.is_alphanumeric() || *next == '_') {
                word.push(next);
            }
            if characters.peek().is_none() {
                return (tokens, Some((at, None, word)));
            }
            tokens.push(Token::Word(word));
        } else if !character.is_whitespace() {
            // `!=`, `<=`, `==`, `&&` are told by their first sign.
            while characters.next_if(|(_, next)| *next == '=' || matches!(character, '&' | '|') && *next == character).is_some() {}
            tokens.push(Token::Sign(character));
        }
    }
    (tokens, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(scope: &str, opened: Option<char>, dot: bool) -> Wanted {
        Wanted::Key { scope: scope.to_owned(), opened, dot }
    }

    fn value(name: &str, key: Option<&str>, opened: Option<char>) -> Wanted {
        Wanted::Value { name: name.to_owned(), key: key.map(str::to_owned), opened }
    }

    #[test]
    fn c4_what_is_wanted_follows_from_what_stands_before() {
        let quoted = Some('"');
        let cases = [
            ("", "", Some(Wanted::Name)),
            ("ser", "ser", Some(Wanted::Name)),
            ("kind == \"server\" && (sta", "sta", Some(Wanted::Name)),
            ("duration_ms > 3 ||", "", Some(Wanted::Name)),
            ("attributes[", "", Some(key("attributes", None, false))),
            ("attributes[\"http.ro", "http.ro", Some(key("attributes", quoted, false))),
            ("resource['", "", Some(key("resource", Some('\''), false))),
            ("attributes.ht", "ht", Some(key("attributes", None, true))),
            ("status.ht", "ht", None),
            ("service == ", "", Some(value("service", None, None))),
            ("service==\"check", "check", Some(value("service", None, quoted))),
            ("attributes[\"a\\\"b\"] != \"", "", Some(value("attributes", Some("a\"b"), quoted))),
            ("attributes.code >= 4", "4", Some(value("attributes", Some("code"), None))),
            ("kind in [\"server\", \"cl", "cl", Some(value("kind", None, quoted))),
            ("kind in [", "", Some(value("kind", None, None))),
            ("service == \"a\"", "", None),
            ("service == \"a\" ", "", None),
            ("service ", "", None),
            ("\"left", "left", None),
            ("f(x, ", "", None),
            ("!", "", None),
        ];
        for (text, typed, wanted) in cases {
            let found = caret(text, Signal::Spans);
            assert_eq!(found.as_ref().map(|caret| &caret.wanted), wanted.as_ref(), "{text}");
            if let Some(found) = found {
                assert_eq!((found.typed.as_str(), &text[found.from..]), (typed, typed), "{text}");
            }
        }
        assert_eq!(caret("type == \"a", Signal::Events).map(|caret| caret.from), Some(9));
        assert_eq!(caret("data[\"", Signal::Events).map(|caret| caret.wanted), Some(key("data", Some('"'), false)));
    }
}
