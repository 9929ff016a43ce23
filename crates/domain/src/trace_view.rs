//! What of a trace a page shows, as its URL says it. One struct is read from the query string and written back into links,
//! so that a link shows a colleague the same thing.

use crate::flame::FrameId;
use crate::id::{SpanId, TraceId};
use crate::span_table::Sort;
use crate::url::{decode_query, encode_query, trace_path};
use crate::waterfall::Zoom;

/// A way of looking at a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// A row for each span with its bar on the time axis.
    #[default]
    Waterfall,
    /// Spans merged by path, as wide as they took time.
    Flame,
    /// Spans as a sorted table.
    Table,
    /// Beside another trace.
    Compare,
}

impl View {
    /// Every way, in the order of the tabs.
    pub const ALL: [Self; 4] = [Self::Waterfall, Self::Flame, Self::Table, Self::Compare];

    /// The word used in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waterfall => "waterfall",
            Self::Flame => "flame",
            Self::Table => "table",
            Self::Compare => "compare",
        }
    }
}

/// What of a trace is shown. What is not understood counts as not given: it is a way of looking, and no search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceView {
    /// How it is looked at.
    pub view: View,
    /// The span whose details are shown.
    pub span: Option<SpanId>,
    /// The row with which a long waterfall begins while it does not scroll as a whole.
    pub row: Option<usize>,
    /// The part of the time that the waterfall shows.
    pub zoom: Option<Zoom>,
    /// The frame that fills the flame graph.
    pub frame: Option<FrameId>,
    /// The table: one row for each service and operation instead of each span.
    pub by_operation: bool,
    /// The table: failed spans only.
    pub errors_only: bool,
    /// The table: its order.
    pub sort: Sort,
    /// The table: its page, from 1.
    pub page: Option<usize>,
    /// The trace to compare with, as it was written.
    pub compare: Option<String>,
}

impl TraceView {
    /// Reads a raw query string.
    pub fn parse(raw: &str) -> Self {
        let mut view = Self::default();
        for (key, value) in decode_query(raw) {
            match key.as_str() {
                "view" => view.view = View::ALL.into_iter().find(|known| known.as_str() == value).unwrap_or_default(),
                "span" => view.span = value.parse().ok(),
                "row" => view.row = value.parse().ok(),
                "zoom" => view.zoom = value.split_once('-').and_then(|(from, until)| Some((from.parse().ok()?, until.parse().ok()?))),
                "frame" => view.frame = value.parse().ok(),
                "by" => view.by_operation = value == "operation",
                "status" => view.errors_only = value == "error",
                "sort" => view.sort = Sort::from_word(&value).unwrap_or_default(),
                "page" => view.page = value.parse().ok(),
                "compare" => view.compare = Some(value.trim().to_owned()).filter(|id| !id.is_empty()),
                _ => {}
            }
        }
        if view.compare.is_some() {
            view.view = View::Compare;
        }
        view
    }

    /// Writes the query string without `?`; what is not otherwise than usual is left out.
    pub fn to_query_string(&self) -> String {
        let compare = self.compare.clone().unwrap_or_default();
        // A trace to compare with says the view.
        let has_view = self.view != View::default() && compare.is_empty();
        let text = |is_given: bool, text: &str| if is_given { text.to_owned() } else { String::new() };
        let pairs = [
            ("span", self.span.map(|id| id.to_string()).unwrap_or_default()),
            ("view", text(has_view, self.view.as_str())),
            ("row", self.row.map(|row| row.to_string()).unwrap_or_default()),
            ("zoom", self.zoom.map(|(from, until)| format!("{from}-{until}")).unwrap_or_default()),
            ("frame", self.frame.map(|id| id.to_string()).unwrap_or_default()),
            ("by", text(self.by_operation, "operation")),
            ("status", text(self.errors_only, "error")),
            ("sort", text(self.sort != Sort::default(), self.sort.as_str())),
            ("page", self.page.map(|page| page.to_string()).unwrap_or_default()),
            ("compare", compare),
        ];
        encode_query(pairs.iter().map(|(key, value)| (*key, value.as_str())))
    }

    /// The link to a trace, looked at like this.
    pub fn href(&self, trace: TraceId) -> String {
        let (path, query) = (trace_path(trace), self.to_query_string());
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    /// The same trace looked at in another way: the selected span stays, what belongs to one way only goes.
    #[must_use]
    pub fn switched_to(&self, view: View) -> Self {
        Self { view, span: self.span, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_view_survives_its_url() {
        for raw in [
            "",
            "span=00f067aa0ba902b7&view=flame&frame=cbf29ce484222325",
            "row=200&zoom=1500-92000000",
            "view=table&by=operation&status=error&sort=self&page=3",
            "view=compare",
            "compare=4bf92f3577b34da6a3ce929d0e0e4736",
            "compare=no%20id",
        ] {
            let view = TraceView::parse(raw);
            assert_eq!(view.to_query_string(), raw);
            assert_eq!(TraceView::parse(&view.to_query_string()), view);
        }
    }

    #[test]
    fn what_is_not_understood_counts_as_not_given() {
        let raw = "view=pie&span=1&row=-1&zoom=a-b&frame=x&by=colour&status=ok&sort=up&page=one&compare=+&theme=dark";
        assert_eq!(TraceView::parse(raw), TraceView::default());
    }

    #[test]
    fn another_way_of_looking_keeps_the_span_only() {
        let view = TraceView::parse("span=00f067aa0ba902b7&view=table&sort=self&page=2");
        assert_eq!(view.switched_to(View::Flame).to_query_string(), "span=00f067aa0ba902b7&view=flame");
        assert_eq!(view.switched_to(View::Waterfall).to_query_string(), "span=00f067aa0ba902b7");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic_and_settles(raw in ".*") {
            let view = TraceView::parse(&raw);
            prop_assert_eq!(TraceView::parse(&view.to_query_string()), view);
        }
    }
}
