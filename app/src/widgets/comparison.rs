//! Two traces aligned by path: for each path when it ran in both, how often, how long, and the difference.

use slowburn_domain::comparison::{ComparedPath, Comparison, Part, times};
use slowburn_domain::number::{duration_nanos, grouped};
use slowburn_domain::timeline::svg_percent;

use crate::widgets::markup::Markup;
use crate::widgets::service::service_class;

/// Deeper paths are indented no further.
const DEEPEST: u32 = 10;
/// Pixels of indentation per level.
const INDENT: u32 = 12;
/// Most paths shown; the table says how many there are beyond.
const MOST_PATHS: usize = 300;

const HEADS: [(&str, &str); 8] = [
    ("Path", ""),
    ("When, A above B", "c-track"),
    ("Spans", "number"),
    ("Duration A", "number"),
    ("Duration B", "number"),
    ("Difference", "number"),
    ("×", "number"),
    ("Self time", "number"),
];

/// The paths of both traces. `colour` is that of a service.
pub fn comparison_table(markup: &mut Markup, comparison: &Comparison, colour: &dyn Fn(&str) -> u8) {
    markup.open("table", &[("class", Some("compared"))]);
    markup.element("caption", "visually-hidden", "Paths of service and operation in both traces");
    markup.open("thead", &[]).open("tr", &[]);
    for (label, class) in HEADS {
        markup.open("th", &[("scope", Some("col")), ("class", Some(class))]).text(label).close("th");
    }
    markup.close("tr").close("thead").open("tbody", &[]);
    let widest = comparison.paths.iter().map(|path| path.difference_nanos().abs()).max().unwrap_or(0).max(1);
    for path in comparison.paths.iter().take(MOST_PATHS) {
        row(markup, path, comparison.axis_nanos, widest, colour(&path.service));
    }
    markup.close("tbody").close("table");
    let beyond = comparison.paths.len().saturating_sub(MOST_PATHS);
    if beyond > 0 {
        markup.element("p", "muted", &format!("{} more paths, with less time, are left out.", grouped(beyond as u64)));
    }
}

fn row(markup: &mut Markup, path: &ComparedPath, axis_nanos: i64, widest: i64, colour: u8) {
    let ComparedPath { a, b, .. } = *path;
    let difference = path.difference_nanos();
    let only = match (a.spans, b.spans) {
        (0, _) => Some("only in B"),
        (_, 0) => Some("only in A"),
        _ => None,
    };
    let indent = (path.depth.min(DEEPEST) * INDENT).to_string();
    markup.open("tr", &[]).open("th", &[("scope", Some("row"))]).open("span", &[("class", Some("c-path"))]);
    markup.open("svg", &[("class", Some("wf-indent")), ("width", Some(&indent)), ("height", Some("1")), ("aria-hidden", Some("true"))]);
    markup.close("svg").service(&path.service, colour).text(" ").element("span", "c-operation", &path.operation);
    if let Some(only) = only {
        markup.text(" ").element("span", "badge", only);
    }
    if a.errors + b.errors > 0 {
        markup.text(" ").errors(&format!("{} → {} failed", a.errors, b.errors), true);
    }
    markup.close("span").close("th").open("td", &[("class", Some("c-track"))]);
    let bars = format!("c-bars {}", service_class(colour));
    markup.open("svg", &[("class", Some(&bars)), ("height", Some("20")), ("aria-hidden", Some("true"))]);
    for (part, class, y) in [(a, "c-bar a", "2"), (b, "c-bar b", "11")] {
        if part.spans > 0 {
            let share = |nanos: i64| nanos as f64 / axis_nanos.max(1) as f64;
            let (x, width) = (svg_percent(share(part.first_nanos)), svg_percent(share(part.last_nanos - part.first_nanos)));
            markup.rect(class, &x, &width, y, "7");
        }
    }
    markup.close("svg").close("td");
    let spans = if a.spans == b.spans { grouped(u64::from(a.spans)) } else { format!("{} → {}", a.spans, b.spans) };
    let length = |part: Part, nanos: i64| if part.spans == 0 { "–".to_owned() } else { duration_nanos(nanos) };
    markup.number("spans", &spans).number("duration A", &length(a, a.total_nanos)).number("duration B", &length(b, b.total_nanos));
    markup.open("td", &[("class", Some("number c-difference")), ("data-label", Some("difference"))]);
    markup.element("span", "", &signed(difference));
    markup.open("svg", &[("class", Some("c-change")), ("height", Some("4")), ("aria-hidden", Some("true"))]);
    markup.upright("", "50%", "0", "4");
    // Half of the cell for what is longer in B, half for what is shorter.
    let share = difference as f64 / widest as f64 / 2.0;
    let change = if difference > 0 { "longer" } else { "shorter" };
    markup.rect(change, &svg_percent(0.5 + share.min(0.0)), &svg_percent(share.abs()), "0", "4");
    markup.close("svg").close("td");
    markup.number("×", &path.ratio().map_or_else(|| "–".to_owned(), times));
    let (own_a, own_b) = (length(a, a.self_nanos), length(b, b.self_nanos));
    markup.number("self time", &if own_a == own_b { own_a } else { format!("{own_a} → {own_b}") });
    markup.close("tr");
}

/// A difference with its sign: `+312 ms`, `−40 ms`, `0`.
fn signed(nanos: i64) -> String {
    match nanos {
        0 => "0".to_owned(),
        n if n < 0 => format!("−{}", duration_nanos(-n)),
        n => format!("+{}", duration_nanos(n)),
    }
}
