//! Markup written as text. Rows and frames that need no life of their own (links are taken by the page) are a fifth of the
//! WebAssembly this way that they are as views, and a thousand of them stand at once. Whatever goes in is escaped here.

use slowburn_domain::chart::Role;
use slowburn_domain::query::FieldFault;
use slowburn_domain::slo::Alert;

use crate::widgets::icon;
use crate::widgets::service::service_class;
use crate::widgets::state::shape;

/// Markup under construction.
#[derive(Default)]
pub struct Markup(String);

impl Markup {
    /// A start tag. Attributes with `None` are left out; those with an empty text are there without value.
    #[inline(never)]
    pub fn open(&mut self, name: &'static str, attributes: &[(&'static str, Option<&str>)]) -> &mut Self {
        self.0.push('<');
        self.0.push_str(name);
        for (key, value) in attributes {
            if let Some(value) = value {
                self.0.push(' ');
                self.0.push_str(key);
                self.0.push_str("=\"");
                self.text(value);
                self.0.push('"');
            }
        }
        self.0.push('>');
        self
    }

    /// An end tag.
    #[inline(never)]
    pub fn close(&mut self, name: &'static str) -> &mut Self {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
        self
    }

    /// Text, escaped for content and for attributes alike.
    #[inline(never)]
    pub fn text(&mut self, text: &str) -> &mut Self {
        let mut rest = text;
        // All four are one byte in UTF-8, and no byte of another character.
        while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"')) {
            self.0.push_str(&rest[..at]);
            self.0.push_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                _ => "&quot;",
            });
            rest = &rest[at + 1..];
        }
        self.0.push_str(rest);
        self
    }

    /// An element of a class with a text in it.
    #[inline(never)]
    pub fn element(&mut self, name: &'static str, class: &str, text: &str) -> &mut Self {
        self.open(name, &[("class", (!class.is_empty()).then_some(class))]).text(text).close(name)
    }

    /// A link, `current` when it leads to what is shown.
    #[inline(never)]
    pub fn link(&mut self, href: &str, current: bool, text: &str) -> &mut Self {
        self.open("a", &[("href", Some(href)), ("aria-current", current.then_some("true"))]).text(text).close("a")
    }

    /// A cell of numbers. On a phone it bears its label.
    #[inline(never)]
    pub fn number(&mut self, label: &str, text: &str) -> &mut Self {
        self.open("td", &[("class", Some("number")), ("data-label", Some(label))]).text(text).close("td")
    }

    /// A service's dot and name, as [`ServiceName`](crate::widgets::service::ServiceName) draws them.
    #[inline(never)]
    pub fn service(&mut self, name: &str, colour: u8) -> &mut Self {
        self.open("span", &[("class", Some(service_class(colour)))]);
        self.open("span", &[("class", Some("svc-dot")), ("aria-hidden", Some("true"))]).close("span");
        self.element("span", "svc-name", name).close("span")
    }

    /// A count of failures with its sign; muted when there are none.
    #[inline(never)]
    pub fn errors(&mut self, text: &str, failed: bool) -> &mut Self {
        if !failed {
            return self.element("span", "muted", text);
        }
        self.open("span", &[("class", Some("error-count"))]);
        self.open("span", &[("aria-hidden", Some("true"))]).text("✕ ").close("span").text(text).close("span")
    }

    /// A figure of a definition list: its name and its value.
    #[inline(never)]
    pub fn figure(&mut self, label: &str, value: &str) -> &mut Self {
        self.open("div", &[]).element("dt", "", label).element("dd", "", value).close("div")
    }

    /// A term of a definition list with its meaning in an element.
    #[inline(never)]
    pub fn term(&mut self, term: &str, element: &'static str, meaning: &str) -> &mut Self {
        self.open("div", &[]).element("dt", "", term).open("dd", &[]).element(element, "", meaning).close("dd").close("div")
    }

    /// A field to choose one of `options` (value, words) from, with its label; `none` are the words for no choice.
    #[inline(never)]
    pub fn select(&mut self, name: &str, label: &str, none: Option<&str>, options: &[(String, String)], chosen: Option<&str>) -> &mut Self {
        let id = format!("choose-{name}");
        self.open("div", &[("class", Some("field"))]);
        self.open("label", &[("for", Some(&id))]).text(label).close("label");
        self.open("select", &[("id", Some(&id)), ("name", Some(name))]);
        if let Some(none) = none {
            self.open("option", &[("value", Some(""))]).text(none).close("option");
        }
        for (value, words) in options {
            let selected = (chosen == Some(value.as_str())).then_some("");
            self.open("option", &[("value", Some(value)), ("selected", selected)]).text(words).close("option");
        }
        self.close("select").close("div")
    }

    /// Fields of a search with their labels (parameter, label, placeholder, class of the field), each with what is wrong with it.
    /// The one for a `filter` completes conditions over `signal`.
    #[inline(never)]
    pub fn search_fields<'v>(
        &mut self,
        signal: &str,
        fields: &[(&'static str, &'static str, &'static str, &'static str)],
        value_of: impl Fn(&str) -> Option<&'v str>,
        faults: &[FieldFault],
    ) -> &mut Self {
        for (name, label, placeholder, class) in fields {
            // An empty field is known by its placeholder.
            let placeholder = if placeholder.is_empty() { " " } else { placeholder };
            let id = format!("log-{name}");
            let fault = faults.iter().find(|fault| fault.field == *name);
            self.open("div", &[("class", Some(class))]).open("label", &[("for", Some(&id))]).text(label).close("label");
            let field = [
                ("id", Some(id.as_str())),
                ("name", Some(*name)),
                ("type", Some("text")),
                ("value", Some(value_of(name).unwrap_or_default())),
                ("placeholder", Some(placeholder)),
                ("autocomplete", Some("off")),
                ("spellcheck", Some("false")),
                ("aria-invalid", fault.map(|_| "true")),
                ("data-complete", (*name == "filter").then_some(signal)),
            ];
            self.open("input", &field);
            if let Some(fault) = fault {
                self.element("p", "fault", &fault.reason);
            }
            self.close("div");
        }
        self
    }

    /// The button of a search. On a phone empty fields but the first are out of sight, and a switch brings them.
    #[inline(never)]
    pub fn search_button(&mut self) -> &mut Self {
        self.open("label", &[("class", Some("filters-more"))])
            .open("input", &[("type", Some("checkbox"))])
            .text("All fields")
            .close("label");
        self.open("div", &[("class", Some("filters-go"))]);
        self.open("button", &[("type", Some("submit")), ("class", Some("button primary"))]).text("Search").close("button").close("div")
    }

    /// A field that nobody sees.
    #[inline(never)]
    pub fn hidden(&mut self, name: &str, value: &str) -> &mut Self {
        self.open("input", &[("type", Some("hidden")), ("name", Some(name)), ("value", Some(value))])
    }

    /// The shape of a state.
    #[inline(never)]
    pub fn state_shape(&mut self, state: Alert) -> &mut Self {
        self.open("svg", &[("viewBox", Some("0 0 12 12")), ("aria-hidden", Some("true"))]);
        self.open("path", &[("d", Some(shape(state)))]).close("path").close("svg")
    }

    /// A rectangle of a drawing; places as SVG attributes take them.
    #[inline(never)]
    pub fn rect(&mut self, class: &str, x: &str, width: &str, y: &str, height: &str) -> &mut Self {
        let place = [("class", Some(class)), ("x", Some(x)), ("width", Some(width)), ("y", Some(y)), ("height", Some(height))];
        self.open("rect", &place).close("rect")
    }

    /// A dot of a drawing; places as SVG attributes take them.
    #[inline(never)]
    pub fn circle(&mut self, class: &str, x: &str, y: &str) -> &mut Self {
        let place = [("class", (!class.is_empty()).then_some(class)), ("cx", Some(x)), ("cy", Some(y)), ("r", Some("4"))];
        self.open("circle", &place).close("circle")
    }

    /// The colour and stroke of a chart's line.
    #[inline(never)]
    pub fn swatch(&mut self, role: Role) -> &mut Self {
        let swatch = [("class", Some(&*format!("swatch k{}", role.index()))), ("viewBox", Some("0 0 17 4")), ("aria-hidden", Some("true"))];
        self.open("svg", &swatch).open("path", &[("d", Some("M0 2h17"))]).close("path").close("svg")
    }

    /// An upright line of a drawing; places as SVG attributes take them.
    #[inline(never)]
    pub fn upright(&mut self, class: &str, x: &str, from: &str, to: &str) -> &mut Self {
        let place =
            [("class", (!class.is_empty()).then_some(class)), ("x1", Some(x)), ("x2", Some(x)), ("y1", Some(from)), ("y2", Some(to))];
        self.open("line", &place).close("line")
    }

    /// A button that copies a text, for [`copy_clicked`](crate::browser::copy_clicked).
    #[inline(never)]
    pub fn copy(&mut self, text: &str, what: &str) -> &mut Self {
        let button = [
            ("type", Some("button")),
            ("class", Some("copy needs-script")),
            ("aria-label", Some(what)),
            ("title", Some(what)),
            ("data-copy", Some(text)),
        ];
        self.open("button", &button);
        for name in ["copy", "check"] {
            self.open("svg", &[("class", Some("icon")), ("viewBox", Some("0 0 16 16")), ("aria-hidden", Some("true"))]);
            self.open("path", &[("d", Some(icon::path(name)))]).close("path").close("svg");
        }
        self.close("button")
    }

    /// A command to copy; `what` says what it does.
    #[inline(never)]
    pub fn snippet(&mut self, command: &str, what: &str) -> &mut Self {
        let region = [("role", Some("region")), ("aria-label", Some(what))];
        self.open("div", &[("class", Some("snippet"))]).open("pre", &region).element("code", "", command).close("pre");
        self.copy(command, "Copy").close("div")
    }

    /// What was written.
    pub fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_text_or_attribute() {
        let mut markup = Markup::default();
        markup.open("a", &[("href", Some("?a=\"><b>&")), ("rel", None), ("title", Some(""))]).text("<i> & \"q\"").close("a");
        assert_eq!(markup.finish(), "<a href=\"?a=&quot;&gt;&lt;b&gt;&amp;\" title=\"\">&lt;i&gt; &amp; &quot;q&quot;</a>");
    }
}
