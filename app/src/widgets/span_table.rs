//! The spans of a trace as a table, a page at a time: each by itself, or all of one service and operation together. Order,
//! choice and page are links, so they work without WebAssembly.

use std::sync::Arc;

use leptos::prelude::*;
use slowburn_domain::number::{duration_nanos, grouped};
use slowburn_domain::outline::{Outline, OutlineSpan};
use slowburn_domain::span_table::{Group, Page, Sort, sorted_groups, sorted_rows};
use slowburn_domain::story::{offset, plural};
use slowburn_domain::trace_view::TraceView;

use crate::widgets::markup::Markup;

/// The link to the same trace, looked at in some way.
pub type Link = Callback<TraceView, String>;

/// A column: its heading, what a click sorts by, whether it holds numbers.
type Column = (&'static str, Sort, bool);
const SPAN_COLUMNS: [Column; 7] = [
    ("Starts", Sort::Start, true),
    ("Service", Sort::Service, false),
    ("Operation", Sort::Operation, false),
    ("Duration", Sort::Duration, true),
    ("Self time", Sort::SelfTime, true),
    ("Below", Sort::Count, true),
    ("Status", Sort::Errors, false),
];
const GROUP_COLUMNS: [Column; 7] = [
    ("First", Sort::Start, true),
    ("Service", Sort::Service, false),
    ("Operation", Sort::Operation, false),
    ("Duration", Sort::Duration, true),
    ("Self time", Sort::SelfTime, true),
    ("Spans", Sort::Count, true),
    ("Errors", Sort::Errors, true),
];

/// The table as `view` asks for it.
#[component]
pub fn SpanTable(
    outline: Arc<Outline>,
    /// Colours of the outline's services.
    colours: Vec<u8>,
    view: TraceView,
    /// Row of the selected span.
    selected: Option<u32>,
    href: Link,
) -> impl IntoView {
    let table = Table { outline: &outline, colours: &colours, view: &view, selected, href: &|view| href.run(view) };
    view! { <div class="span-table" data-keep-scroll="" inner_html=table.markup()></div> }
}

struct Table<'a> {
    outline: &'a Outline,
    colours: &'a [u8],
    view: &'a TraceView,
    selected: Option<u32>,
    href: &'a dyn Fn(TraceView) -> String,
}

impl Table<'_> {
    fn markup(&self) -> String {
        let mut markup = Markup::default();
        self.choices(&mut markup);
        let view = self.view;
        let (count, page) = if view.by_operation {
            let groups = sorted_groups(self.outline, view.sort, view.errors_only);
            let page = Page::of(groups.len(), view.page.unwrap_or(1));
            self.table(&mut markup, groups.len(), &GROUP_COLUMNS, "Spans by service and operation", &|markup| {
                groups[page.from..page.to].iter().for_each(|group| self.group_row(markup, group));
            });
            (groups.len(), page)
        } else {
            let rows = sorted_rows(self.outline, view.sort, view.errors_only);
            // Without a page asked for, the one with the selected span.
            let wanted = self.selected.filter(|_| view.span.is_some());
            let place = rows.iter().position(|row| Some(*row) == wanted).unwrap_or(0);
            let page = view.page.map_or_else(|| Page::holding(rows.len(), place), |number| Page::of(rows.len(), number));
            self.table(&mut markup, rows.len(), &SPAN_COLUMNS, "Spans", &|markup| {
                rows[page.from..page.to].iter().for_each(|row| self.span_row(markup, *row));
            });
            (rows.len(), page)
        };
        self.pager(&mut markup, count, page);
        markup.finish()
    }

    fn link(&self, change: impl FnOnce(&mut TraceView)) -> String {
        let mut view = self.view.clone();
        change(&mut view);
        (self.href)(view)
    }

    fn choices(&self, markup: &mut Markup) {
        let TraceView { by_operation, errors_only, .. } = *self.view;
        let errors = self.outline.spans.iter().filter(|span| span.failed()).count();
        let choice = |markup: &mut Markup, label: &str, grouped: bool, errors: bool| {
            let link = self.link(|view| (view.by_operation, view.errors_only, view.page) = (grouped, errors, None));
            markup.link(&link, (grouped, errors) == (by_operation, errors_only), label);
        };
        markup.open("nav", &[("class", Some("choices")), ("aria-label", Some("What the table shows"))]);
        choice(markup, "Every span", false, errors_only);
        choice(markup, "By operation", true, errors_only);
        markup.element("span", "choices-gap", "");
        choice(markup, "All", by_operation, false);
        choice(markup, &format!("Errors only ({errors})"), by_operation, true);
        markup.close("nav");
    }

    fn table(&self, markup: &mut Markup, count: usize, columns: &[Column], caption: &str, rows: &dyn Fn(&mut Markup)) {
        if count == 0 {
            markup.element("p", "muted", "Nothing failed in this trace.");
            return;
        }
        markup.open("table", &[("class", Some("spans"))]).element("caption", "visually-hidden", caption).open("thead", &[]).open("tr", &[]);
        for (label, sort, is_number) in columns {
            let is_current = self.view.sort == *sort;
            let upwards = matches!(sort, Sort::Start | Sort::Service | Sort::Operation);
            let direction = is_current.then_some(if upwards { "ascending" } else { "descending" });
            let link = self.link(|view| (view.sort, view.page) = (*sort, None));
            markup.open("th", &[("scope", Some("col")), ("class", is_number.then_some("number")), ("aria-sort", direction)]);
            markup.open("a", &[("href", Some(&link))]).text(label);
            if is_current {
                markup.open("span", &[("aria-hidden", Some("true"))]).text(if upwards { " ▴" } else { " ▾" }).close("span");
            }
            markup.close("a").close("th");
        }
        markup.close("tr").close("thead").open("tbody", &[]);
        rows(markup);
        markup.close("tbody").close("table");
    }

    fn span_row(&self, markup: &mut Markup, row: u32) {
        let span = &self.outline.spans[row as usize];
        let is_selected = self.selected == Some(row);
        let class = match (span.failed(), is_selected) {
            (true, true) => "failed selected",
            (true, false) => "failed",
            (false, true) => "selected",
            (false, false) => "",
        };
        markup.open("tr", &[("class", Some(class))]);
        markup.number("starts", &offset(span.start, self.outline.start()));
        self.names(markup, span, is_selected);
        markup.number("duration", &duration_nanos(span.nanos)).number("self time", &duration_nanos(span.self_nanos));
        markup.number("below", &grouped(u64::from(span.descendants))).open("td", &[]);
        markup.errors(span.status.as_str(), span.failed()).close("td").close("tr");
    }

    fn group_row(&self, markup: &mut Markup, group: &Group) {
        let begin = self.outline.start();
        markup.open("tr", &[("class", Some(if group.errors > 0 { "failed" } else { "" }))]);
        markup.number("first", &offset(begin.plus_nanos(group.first_nanos), begin));
        self.names(markup, &self.outline.spans[group.longest as usize], false);
        markup.number("duration", &duration_nanos(group.total_nanos)).number("self time", &duration_nanos(group.self_nanos));
        markup.number("spans", &grouped(u64::from(group.spans)));
        markup.open("td", &[("class", Some("number")), ("data-label", Some("errors"))]);
        markup.errors(&grouped(u64::from(group.errors)), group.errors > 0).close("td").close("tr");
    }

    /// Service and operation of a span; the latter selects it.
    fn names(&self, markup: &mut Markup, span: &OutlineSpan, is_selected: bool) {
        let colour = self.colours.get(span.service as usize).copied().unwrap_or_default();
        let link = self.link(|view| view.span = Some(span.span_id));
        let current = is_selected.then_some("true");
        markup.open("td", &[("class", Some("s-service"))]).service(self.outline.service(span), colour).close("td");
        markup.open("td", &[("class", Some("s-operation"))]);
        markup.open("a", &[("class", Some("row-link")), ("data-row", Some("")), ("href", Some(&link)), ("aria-current", current)]);
        markup.text(self.outline.operation(span)).close("a").close("td");
    }

    /// Links to the pages beside this one; nothing while there is one only.
    fn pager(&self, markup: &mut Markup, count: usize, page: Page) {
        if page.pages == 1 {
            return;
        }
        markup.open("nav", &[("class", Some("pager")), ("aria-label", Some("Pages of the table"))]);
        for (label, number) in [("First", 1), ("Earlier", page.number - 1), ("Later", page.number + 1), ("Last", page.pages)] {
            if number >= 1 && number <= page.pages && number != page.number {
                let link = self.link(|view| view.page = Some(number));
                markup.open("a", &[("class", Some("button")), ("href", Some(&link))]).text(label).close("a");
            }
        }
        let noun = if self.view.by_operation { "operation" } else { "span" };
        markup.element("span", "muted", &format!("{} to {} of {}", page.from + 1, page.to, plural(count as u64, noun)));
        markup.close("nav");
    }
}
