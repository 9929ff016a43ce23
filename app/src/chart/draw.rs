//! A chart as drawing calls, the same for every backend.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{PathElement, Polygon, Rectangle};
use plotters::style::{Color, RGBColor, ShapeStyle};
use plotters_backend::{BackendCoord, DrawingBackend};
use slowburn_domain::chart::{Chart, Mark, Point, Role};

/// How strongly an area is filled under its line.
const AREA_ALPHA: f64 = 0.14;
/// Dashes of a broken line.
const DASHES: u8 = 24;

/// A colour for every role.
pub(super) struct Theme(pub(super) [RGBColor; Role::ALL.len()]);

impl Theme {
    fn style(&self, role: Role, width: u32) -> ShapeStyle {
        ShapeStyle { color: self.0[role.index()].to_rgba(), filled: false, stroke_width: width }
    }

    fn fill(&self, role: Role, alpha: f64) -> ShapeStyle {
        ShapeStyle { color: self.0[role.index()].mix(alpha), filled: true, stroke_width: 0 }
    }
}

type Outcome<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// Draws the marks back to front. `pixel` is the width of one CSS pixel in the backend's units; `stroke` is told before a line
/// whether it is a broken one.
pub(super) fn draw<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    chart: &Chart,
    theme: &Theme,
    pixel: u32,
    stroke: &dyn Fn(bool),
) -> Outcome<B> {
    let (width, height) = area.dim_in_pixel();
    let place = |(x, y): Point| -> BackendCoord { ((x * f64::from(width)).round() as i32, ((1.0 - y) * f64::from(height)).round() as i32) };
    for mark in &chart.marks {
        match mark {
            Mark::Level(role, y) => {
                let ends = [place((0.0, *y)), place((1.0, *y))];
                area.draw(&PathElement::new(ends, theme.style(*role, pixel)))?;
            }
            Mark::Upright(role, x) => {
                for dash in 0..DASHES {
                    let bottom = f64::from(dash) / f64::from(DASHES);
                    let ends = [place((*x, bottom)), place((*x, bottom + 0.6 / f64::from(DASHES)))];
                    area.draw(&PathElement::new(ends, theme.style(*role, pixel)))?;
                }
            }
            Mark::Line(role, runs) => {
                stroke(role.is_broken());
                for run in runs {
                    let (points, width) = match run.as_slice() {
                        [dot] => (vec![place(*dot), place(*dot)], 4 * pixel),
                        points => (points.iter().copied().map(place).collect(), 2 * pixel),
                    };
                    area.draw(&PathElement::new(points, theme.style(*role, width)))?;
                }
                stroke(false);
            }
            Mark::Area(role, runs, base) => {
                for run in runs {
                    let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
                    let edge = [place((last.0, *base)), place((first.0, *base))];
                    let points: Vec<BackendCoord> = run.iter().copied().map(place).chain(edge).collect();
                    area.draw(&Polygon::new(points, theme.fill(*role, AREA_ALPHA)))?;
                }
            }
            Mark::Bars(role, bars) => {
                for (a, b) in bars {
                    area.draw(&Rectangle::new([place(*a), place(*b)], theme.fill(*role, 1.0)))?;
                }
            }
        }
    }
    area.present()
}
