//! The server's backend: drawing calls become SVG paths in a box that stretches with the page, with strokes that do not. Roles
//! become classes, so that the style sheet colours them in either theme.

use std::convert::Infallible;
use std::fmt::Write as _;

use plotters::drawing::IntoDrawingArea;
use plotters::style::RGBColor;
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};
use slowburn_domain::chart::{Chart, Role};

use super::draw::{Theme, draw};

/// Units of the box; a wide screen has fewer pixels.
const SIZE: (u32, u32) = (2_000, 500);

/// The chart's geometry as an `<svg>` element.
pub(super) fn render(chart: &Chart) -> String {
    let mut svg = format!(r#"<svg viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true">"#, SIZE.0, SIZE.1);
    let area = SvgBackend { out: &mut svg, last: None }.into_drawing_area();
    let roles = Theme(Role::ALL.map(|role| RGBColor(role.index() as u8, 0, 0)));
    // The style sheet breaks lines by their class.
    let drawn = draw(&area, chart, &roles, 1, &|_| ());
    debug_assert!(drawn.is_ok(), "writing into a text cannot fail");
    drop(area);
    svg.push_str("</svg>");
    svg
}

type Outcome = Result<(), DrawingErrorKind<Infallible>>;

/// Consecutive shapes of one kind share one path.
#[derive(Clone, Copy, PartialEq)]
struct Brush {
    role: u8,
    /// Width of the stroke; `None` fills.
    stroke: Option<u32>,
    alpha: f64,
}

struct SvgBackend<'a> {
    out: &'a mut String,
    last: Option<Brush>,
}

impl SvgBackend<'_> {
    fn take(&mut self, color: BackendColor, stroke: Option<u32>) {
        let brush = Brush { role: color.rgb.0, stroke, alpha: color.alpha };
        if self.last == Some(brush) {
            return;
        }
        self.close();
        let _ = match stroke {
            Some(width) => write!(self.out, r#"<path class="k{}" stroke-width="{width}" d=""#, brush.role),
            None if brush.alpha < 1.0 => write!(self.out, r#"<path class="fill k{}" fill-opacity="{}" d=""#, brush.role, brush.alpha),
            None => write!(self.out, r#"<path class="fill k{}" d=""#, brush.role),
        };
        self.last = Some(brush);
    }

    fn close(&mut self) {
        if self.last.take().is_some() {
            self.out.push_str("\"/>");
        }
    }

    fn trace(&mut self, points: impl IntoIterator<Item = BackendCoord>) {
        for (index, (x, y)) in points.into_iter().enumerate() {
            let _ = write!(self.out, "{}{x} {y}", if index == 0 { 'M' } else { 'L' });
        }
    }
}

impl DrawingBackend for SvgBackend<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        SIZE
    }

    fn ensure_prepared(&mut self) -> Outcome {
        Ok(())
    }

    fn present(&mut self) -> Outcome {
        self.close();
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Outcome {
        self.draw_rect((x, y), (x + 1, y + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Outcome {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(&mut self, upper_left: BackendCoord, bottom_right: BackendCoord, style: &S, fill: bool) -> Outcome {
        self.take(style.color(), (!fill).then(|| style.stroke_width()));
        let (x, y) = upper_left;
        let (width, height) = (bottom_right.0 - x, bottom_right.1 - y);
        let _ = write!(self.out, "M{x} {y}h{width}v{height}h{}z", -width);
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Outcome {
        self.take(style.color(), Some(style.stroke_width()));
        self.trace(path);
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, vert: I, style: &S) -> Outcome {
        self.take(style.color(), None);
        self.trace(vert);
        self.out.push('z');
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, _text: &str, _style: &S, _pos: BackendCoord) -> Outcome {
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(&self, _text: &str, _style: &S) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok((0, 0))
    }
}

#[cfg(test)]
mod tests {
    use slowburn_domain::chart::{Chart, Mark, Role, TimeAxis};
    use slowburn_domain::time::Timestamp;

    use super::render;

    fn chart(marks: Vec<Mark>) -> Chart {
        let time = TimeAxis::new(Timestamp::from_seconds(0), Timestamp::from_seconds(60));
        Chart { time, key: "", y_ticks: Vec::new(), levels: Vec::new(), marks, readings: Vec::new(), dots: Vec::new() }
    }

    #[test]
    fn a_chart_becomes_paths_with_classes_and_without_styles() {
        let svg = render(&chart(vec![
            Mark::Level(Role::Grid, 0.5),
            Mark::Line(Role::Line, vec![vec![(0.0, 0.0), (0.5, 1.0)], vec![(1.0, 0.5)]]),
            Mark::Bars(Role::Bad, vec![((0.0, 0.0), (0.1, 0.2)), ((0.2, 0.0), (0.3, 0.2))]),
        ]));
        assert_eq!(
            svg,
            r#"<svg viewBox="0 0 2000 500" preserveAspectRatio="none" aria-hidden="true"><path class="k0" stroke-width="1" d="M0 250L2000 250"/><path class="k1" stroke-width="2" d="M0 500L1000 0"/><path class="k1" stroke-width="4" d="M2000 250L2000 250"/><path class="fill k3" d="M0 400h200v100h-200zM400 400h200v100h-200z"/></svg>"#
        );
        assert!(!svg.contains("style"));
    }

    #[test]
    fn a_gap_breaks_the_line() {
        let svg = render(&chart(vec![Mark::Line(Role::Line, vec![vec![(0.0, 0.0), (0.1, 0.0)], vec![(0.5, 1.0), (0.6, 1.0)]])]));
        assert!(svg.contains("M0 500L200 500M1000 0L1200 0"), "{svg}");
    }

    #[test]
    fn an_empty_chart_is_an_empty_box() {
        assert!(render(&chart(Vec::new())).ends_with("aria-hidden=\"true\"></svg>"));
    }
}
