//! From text to [`Condition`]: the tree of the `cel` crate is walked once, names are looked up, patterns compiled.
//!
//! An expression is read either as a condition (what may be true) or as a term (what may be compared). A condition can stand
//! where a term is wanted (`(a < b) == has(attributes.k)`), and an attribute where a condition is (`attributes.retried`).

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SelectExpr, SourceInfo, operators};
use cel::parser::Parser;
use regex::{Regex, RegexBuilder};
use slowburn_domain::span::Value;

use super::matcher::{Comparison, Condition, Place, Term};
use super::names::{self, Name, Signal};
use super::{Field, FilterError, guard};

/// Compiled size of one regular expression, bytes.
const PATTERN_SIZE: usize = 1 << 20;
/// Size of the cache a regular expression keeps per thread, bytes.
const PATTERN_CACHE: usize = 1 << 18;
const FUNCTIONS: &str = "has, size, startsWith, endsWith, contains and matches";

/// Compiles `source` over the names of `signal`.
pub(super) fn compile(source: &str, signal: Signal) -> Result<Condition, FilterError> {
    guard::check(source)?;
    let parsed = Parser::new().parse_with_source_info(source);
    let (tree, positions) = parsed.map_err(|errors| FilterError::from_parser(&errors))?;
    Compiler { source, signal, positions }.condition(&tree)
}

/// Compiles an expression for one value of a record.
pub(super) fn compile_value(source: &str, signal: Signal) -> Result<Term, FilterError> {
    guard::check(source)?;
    let parsed = Parser::new().parse_with_source_info(source);
    let (tree, positions) = parsed.map_err(|errors| FilterError::from_parser(&errors))?;
    let compiler = Compiler { source, signal, positions };
    match compiler.term(&tree)? {
        Term::Value(_) | Term::TraceId(_) => {
            Err(compiler.fault(&tree, "this is the same for every record; name a value that differs, such as attributes[\"http.route\"]"))
        }
        term => Ok(term),
    }
}

struct Compiler<'s> {
    source: &'s str,
    signal: Signal,
    positions: SourceInfo,
}

type Compiled<T> = Result<T, FilterError>;

impl Compiler<'_> {
    fn condition(&self, expression: &IdedExpr) -> Compiled<Condition> {
        match &expression.expr {
            Expr::Literal(LiteralValue::Boolean(value)) => Ok(Condition::Constant(Some(value.into_inner()))),
            Expr::Literal(LiteralValue::Null) => Ok(Condition::Constant(None)),
            Expr::Literal(_) | Expr::List(_) => {
                Err(self.fault(expression, "a condition is wanted here, not a value; compare it with something"))
            }
            Expr::Select(select) if select.test => self.presence(select),
            Expr::Call(call) => match self.logical(expression, call)? {
                Some(condition) => Ok(condition),
                None => self.flag(expression),
            },
            _ => self.flag(expression),
        }
    }

    /// A call whose result is a truth value by its nature; `None` for the others.
    fn logical(&self, expression: &IdedExpr, call: &CallExpr) -> Compiled<Option<Condition>> {
        let condition = match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, [left, right]) => Condition::all(vec![self.condition(left)?, self.condition(right)?]),
            (operators::LOGICAL_OR, [left, right]) => Condition::any(vec![self.condition(left)?, self.condition(right)?]),
            (operators::LOGICAL_NOT, [part]) => Condition::Not(Box::new(self.condition(part)?)),
            (operators::CONDITIONAL, [when, then, otherwise]) => {
                Condition::choose(self.condition(when)?, self.condition(then)?, self.condition(otherwise)?)
            }
            (operators::IN, [value, collection]) => self.membership(value, collection)?,
            (operators::EQUALS, [left, right]) => self.comparison(left, Comparison::Equal, right)?,
            (operators::NOT_EQUALS, [left, right]) => self.comparison(left, Comparison::NotEqual, right)?,
            (operators::LESS, [left, right]) => self.comparison(left, Comparison::Less, right)?,
            (operators::LESS_EQUALS, [left, right]) => self.comparison(left, Comparison::LessOrEqual, right)?,
            (operators::GREATER, [left, right]) => self.comparison(left, Comparison::Greater, right)?,
            (operators::GREATER_EQUALS, [left, right]) => self.comparison(left, Comparison::GreaterOrEqual, right)?,
            ("startsWith", _) => self.search(expression, call, Place::Start)?,
            ("endsWith", _) => self.search(expression, call, Place::End)?,
            ("contains", _) => self.search(expression, call, Place::Anywhere)?,
            ("matches", _) => self.matches(expression, call)?,
            _ => return Ok(None),
        };
        Ok(Some(condition))
    }

    /// A value that may turn out to be true.
    fn flag(&self, expression: &IdedExpr) -> Compiled<Condition> {
        match self.term(expression)? {
            Term::Field(_) | Term::Size(_) => Err(self.fault(expression, "this is a value, not a condition; compare it with something")),
            Term::Truth(condition) => Ok(*condition),
            term => Ok(Condition::Flag(term)),
        }
    }

    fn comparison(&self, left: &IdedExpr, comparison: Comparison, right: &IdedExpr) -> Compiled<Condition> {
        let (mut left_term, mut right_term) = (self.term(left)?, self.term(right)?);
        let mut comparison = comparison;
        if matches!(left_term, Term::Value(_)) {
            (left_term, right_term, comparison) = (right_term, left_term, comparison.mirrored());
        }
        if let Term::Field(field) = left_term {
            let literal = if matches!(self.literal(right), Some(Value::String(_))) { right } else { left };
            right_term = self.word(field, right_term, literal, matches!(comparison, Comparison::Equal | Comparison::NotEqual))?;
        }
        Ok(Condition::Compare { left: left_term, comparison, right: right_term })
    }

    /// Fits a constant to the field it is compared with: trace ids are compared as bytes, and a word that the field never
    /// has is a typing error.
    fn word(&self, field: Field, constant: Term, expression: &IdedExpr, is_equality: bool) -> Compiled<Term> {
        let Term::Value(Value::String(text)) = &constant else { return Ok(constant) };
        if let (Field::Severity, Some(level)) = (field, names::level(text)) {
            return Ok(Term::Value(Value::String(level.to_owned())));
        }
        if let (true, Some(words)) = (is_equality, field.words().filter(|words| !words.contains(&text.as_str()))) {
            return Err(self.fault(expression, format!("this is never {text:?}; it is one of {}", words.join(", "))));
        }
        match text.parse() {
            Ok(id) if field == Field::TraceId => Ok(Term::TraceId(id)),
            _ => Ok(constant),
        }
    }

    fn membership(&self, value: &IdedExpr, collection: &IdedExpr) -> Compiled<Condition> {
        if let Expr::Ident(name) = &collection.expr
            && let Some(Name::Scope(scope)) = names::lookup(self.signal, name)
        {
            return Ok(Condition::HasKey { scope, key: self.term(value)? });
        }
        let value = self.term(value)?;
        let Expr::List(list) = &collection.expr else {
            let collection_term = self.term(collection)?;
            return match collection_term {
                Term::Attribute(..) | Term::Key(..) | Term::Element(..) | Term::Choose(_) => {
                    Ok(Condition::ElementOf { value, collection: collection_term })
                }
                _ => Err(self.fault(collection, "`in` wants a list, an attribute that holds one, attributes or resource on its right")),
            };
        };
        let mut options = list.elements.iter().map(|element| self.term(element)).collect::<Compiled<Vec<_>>>()?;
        if let Term::Field(field) = value {
            let pairs = options.into_iter().zip(&list.elements);
            options = pairs.map(|(option, element)| self.word(field, option, element, true)).collect::<Compiled<_>>()?;
        }
        let texts = options.iter().map(|option| match option {
            Term::Value(Value::String(text)) => Some(text.as_str().into()),
            _ => None,
        });
        match texts.collect::<Option<Vec<Box<str>>>>() {
            // Without options there is nothing the value could equal, whatever it is.
            _ if options.is_empty() => Ok(Condition::Constant(Some(false))),
            Some(mut sorted) => {
                sorted.sort_unstable();
                Ok(Condition::OneOfTexts { value, sorted: sorted.into() })
            }
            None => Ok(Condition::OneOf { value, options: options.into() }),
        }
    }

    /// `has(attributes.k)`.
    fn presence(&self, select: &SelectExpr) -> Compiled<Condition> {
        let plain = SelectExpr { test: false, ..select.clone() };
        match self.select(&plain)? {
            term @ (Term::Attribute(..) | Term::Key(..)) => Ok(Condition::Present(term)),
            _ => Err(self.fault(&select.operand, "has() asks for a key of attributes or resource")),
        }
    }

    fn search(&self, expression: &IdedExpr, call: &CallExpr, place: Place) -> Compiled<Condition> {
        let (Some(subject), [part]) = (&call.target, call.args.as_slice()) else {
            return Err(
                self.fault(expression, format!("{0}() is called on a text with one argument: operation.{0}(\"…\")", call.func_name))
            );
        };
        if !matches!(self.literal(part), None | Some(Value::String(_))) {
            return Err(self.fault(part, format!("{}() wants a text", call.func_name)));
        }
        Ok(Condition::Search { subject: self.term(subject)?, place, part: self.term(part)? })
    }

    fn matches(&self, expression: &IdedExpr, call: &CallExpr) -> Compiled<Condition> {
        let (subject, pattern) = match (&call.target, call.args.as_slice()) {
            (Some(subject), [pattern]) => (&**subject, pattern),
            (None, [subject, pattern]) => (subject, pattern),
            _ => return Err(self.fault(expression, "matches() is called on a text with one argument: operation.matches(r\"…\")")),
        };
        let Some(Value::String(text)) = self.literal(pattern) else {
            return Err(self.fault(pattern, "matches() wants a regular expression in quotes"));
        };
        let compiled = RegexBuilder::new(&text).size_limit(PATTERN_SIZE).dfa_size_limit(PATTERN_CACHE).nest_limit(64).build();
        let regex = compiled.map_err(|error| self.fault(pattern, pattern_fault(&error)))?;
        Ok(Condition::Matches { subject: self.term(subject)?, pattern: Box::<Regex>::new(regex) })
    }

    fn term(&self, expression: &IdedExpr) -> Compiled<Term> {
        match &expression.expr {
            Expr::Ident(name) => match names::lookup(self.signal, name) {
                Some(Name::Field(field)) => Ok(Term::Field(field)),
                Some(Name::Scope(_)) => Err(self.fault(expression, format!("{name} is a map; take one value of it: {name}[\"…\"]"))),
                None => Err(self.unknown_name(expression, name)),
            },
            Expr::Literal(literal) => self.constant(expression, literal).map(Term::Value),
            Expr::List(list) => {
                let values = list
                    .elements
                    .iter()
                    .map(|element| self.literal(element).ok_or_else(|| self.fault(element, "only constants can stand in a list here")));
                Ok(Term::Value(Value::Array(values.collect::<Compiled<_>>()?)))
            }
            Expr::Select(select) if select.test => Ok(Term::Truth(Box::new(self.presence(select)?))),
            Expr::Select(select) => self.select(select),
            Expr::Call(call) => self.call(expression, call),
            Expr::Comprehension(_) => {
                Err(self.fault(expression, "exists, all, map and filter are not supported; use `in` to look into a list"))
            }
            Expr::Map(_) | Expr::Struct(_) => Err(self.fault(expression, "maps cannot be written in a filter")),
            Expr::Unspecified => Err(self.fault(expression, "cannot be read")),
        }
    }

    fn call(&self, expression: &IdedExpr, call: &CallExpr) -> Compiled<Term> {
        match (call.func_name.as_str(), &call.target, call.args.as_slice()) {
            (operators::INDEX, _, [base, index]) => self.index(base, index),
            (operators::CONDITIONAL, _, [when, then, otherwise]) => {
                Ok(Term::Choose(Box::new((self.condition(when)?, self.term(then)?, self.term(otherwise)?))))
            }
            ("size", Some(of), []) => Ok(Term::Size(Box::new(self.term(of)?))),
            ("size", None, [of]) => Ok(Term::Size(Box::new(self.term(of)?))),
            (
                operators::ADD | operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO | operators::NEGATE,
                ..,
            ) => Err(self.fault(expression, "arithmetic is not supported; compare with a constant")),
            (name, ..) => {
                let condition = self.logical(expression, call)?;
                let reason = || self.fault(expression, format!("no function {name} with these arguments; there are {FUNCTIONS}"));
                condition.map(|condition| Term::Truth(Box::new(condition))).ok_or_else(reason)
            }
        }
    }

    /// `base.field`: an attribute when the base is a map of attributes, otherwise a key of a value that is a map.
    fn select(&self, select: &SelectExpr) -> Compiled<Term> {
        let mut path = vec![select.field.as_str()];
        let mut base = &*select.operand;
        while let Expr::Select(inner) = &base.expr
            && !inner.test
        {
            path.push(&inner.field);
            base = &inner.operand;
        }
        path.reverse();
        let Expr::Ident(root) = &base.expr else {
            let base = self.container(&select.operand)?;
            return Ok(Term::Key(Box::new(base), select.field.as_str().into()));
        };
        let dotted = path.join(".");
        match names::lookup(self.signal, root) {
            Some(Name::Scope(scope)) if path.len() == 1 => Ok(Term::Attribute(scope, dotted.into())),
            Some(Name::Scope(_)) => Err(self.fault(base, format!("a key with dots is written {root}[\"{dotted}\"]"))),
            Some(Name::Field(_)) => {
                let hint = format!("{root} has no parts; write attributes[\"{root}.{dotted}\"] or resource[\"{root}.{dotted}\"]");
                Err(self.fault(base, hint))
            }
            None => Err(self.unknown_name(base, &format!("{root}.{dotted}"))),
        }
    }

    fn index(&self, base: &IdedExpr, index: &IdedExpr) -> Compiled<Term> {
        let key = self.literal(index);
        if let Expr::Ident(name) = &base.expr
            && let Some(Name::Scope(scope)) = names::lookup(self.signal, name)
        {
            return match key {
                Some(Value::String(key)) => Ok(Term::Attribute(scope, key.into())),
                _ => Err(self.fault(index, format!("the key must be a text in quotes: {name}[\"…\"]"))),
            };
        }
        let container = self.container(base)?;
        match key {
            Some(Value::String(key)) => Ok(Term::Key(Box::new(container), key.into())),
            Some(Value::Int(index)) if index >= 0 => Ok(Term::Element(Box::new(container), usize::try_from(index).unwrap_or(usize::MAX))),
            _ => Err(self.fault(index, "an index is a text in quotes or a whole number from 0")),
        }
    }

    /// A term that may hold other values.
    fn container(&self, expression: &IdedExpr) -> Compiled<Term> {
        match self.term(expression)? {
            term @ (Term::Attribute(..) | Term::Key(..) | Term::Element(..)) => Ok(term),
            _ => Err(self.fault(expression, "this value has no parts")),
        }
    }

    /// The constant that `expression` is, if it is one.
    fn literal(&self, expression: &IdedExpr) -> Option<Value> {
        match &expression.expr {
            Expr::Literal(literal) => self.constant(expression, literal).ok(),
            _ => None,
        }
    }

    fn constant(&self, expression: &IdedExpr, literal: &LiteralValue) -> Compiled<Value> {
        match literal {
            LiteralValue::Null => Ok(Value::Null),
            LiteralValue::Boolean(value) => Ok(Value::Bool(value.into_inner())),
            LiteralValue::Int(value) => Ok(Value::Int(value.into_inner())),
            LiteralValue::UInt(value) => match i64::try_from(value.into_inner()) {
                Ok(value) => Ok(Value::Int(value)),
                Err(_) => Err(self.fault(expression, format!("whole numbers go up to {}", i64::MAX))),
            },
            LiteralValue::Double(value) => Ok(Value::Double(value.into_inner())),
            LiteralValue::String(value) => Ok(Value::String(value.inner().to_owned())),
            LiteralValue::Bytes(_) => Err(self.fault(expression, "byte strings are not supported; bytes arrive as base64 text")),
        }
    }

    fn unknown_name(&self, expression: &IdedExpr, name: &str) -> FilterError {
        let name = name.strip_prefix('.').unwrap_or(name);
        let root = name.split('.').next().unwrap_or(name);
        let hint = match names::nearest(self.signal, root) {
            Some(nearest) if root == name => format!("did you mean {nearest}?"),
            _ => format!("for an attribute write attributes[{name:?}]; names are {}", names::list(self.signal)),
        };
        self.fault(expression, format!("unknown name {name}; {hint}"))
    }

    fn fault(&self, expression: &IdedExpr, reason: impl Into<String>) -> FilterError {
        let offset = self.positions.offset_for(expression.id).map_or(0, |(start, _)| start as usize);
        FilterError::at(self.source, offset, reason)
    }
}

/// The last line of the regex crate's explanation, which says what is wrong without drawing the pattern.
fn pattern_fault(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().last().unwrap_or(&text);
    format!("not a regular expression we can use: {}", line.strip_prefix("error: ").unwrap_or(line))
}
