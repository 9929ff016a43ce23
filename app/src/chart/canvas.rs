//! The browser's backend: the chart on a canvas of the device's pixels, drawn again when the size or the theme changes.

use leptos::html::Canvas;
use leptos::prelude::*;
use plotters::drawing::IntoDrawingArea;
use plotters::style::RGBColor;
use plotters_canvas::CanvasBackend;
use slowburn_domain::chart::{Chart, Role};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ResizeObserver};

use super::draw::{Theme, draw};
use crate::chrome::theme::use_theme;

/// Length of a broken line's dashes and of the gaps between them, as the style sheet has them.
const DASH: (f64, f64) = (6.0, 5.0);

/// Draws after hydration and whenever needed; `is_drawn` becomes true once the canvas shows what the SVG did.
pub(super) fn keep_drawn(canvas: NodeRef<Canvas>, chart: StoredValue<Chart>, is_drawn: RwSignal<bool>) {
    let theme = use_theme();
    let resized = RwSignal::new(());
    let observer = StoredValue::new_local(None::<Observer>);
    Effect::new(move |_| {
        if let Some(canvas) = canvas.get() {
            observer.set_value(Observer::new(&canvas, move || resized.set(())));
        }
    });
    Effect::new(move |_| {
        theme.track();
        resized.track();
        if let Some(canvas) = canvas.get() {
            let painted = chart.with_value(|chart| paint(&canvas, chart)).is_some();
            is_drawn.set(painted);
        }
    });
}

/// Watches the size of an element; dropping it ends that.
struct Observer {
    observer: ResizeObserver,
    _callback: Closure<dyn Fn()>,
}

impl Observer {
    fn new(element: &HtmlCanvasElement, resized: impl Fn() + 'static) -> Option<Self> {
        let callback = Closure::<dyn Fn()>::new(resized);
        let observer = ResizeObserver::new(callback.as_ref().unchecked_ref()).ok()?;
        observer.observe(element);
        Some(Self { observer, _callback: callback })
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

fn paint(canvas: &HtmlCanvasElement, chart: &Chart) -> Option<()> {
    let ratio = window().device_pixel_ratio().max(1.0);
    let (width, height) = (f64::from(canvas.client_width()) * ratio, f64::from(canvas.client_height()) * ratio);
    if width < 1.0 || height < 1.0 {
        return None;
    }
    canvas.set_width(width.round() as u32);
    canvas.set_height(height.round() as u32);
    let context = canvas.get_context("2d").ok()??.dyn_into::<CanvasRenderingContext2d>().ok()?;
    context.set_line_cap("round");
    context.set_line_join("round");
    let area = CanvasBackend::with_canvas_object(canvas.clone())?.into_drawing_area();
    let dashes = js_sys::Array::of2(&(DASH.0 * ratio).into(), &(DASH.1 * ratio).into());
    let none = js_sys::Array::new();
    let stroke = |is_broken: bool| {
        let _ = context.set_line_dash(if is_broken { &dashes } else { &none });
    };
    draw(&area, chart, &colours(canvas)?, ratio.round() as u32, &stroke).ok()
}

/// The colours the style sheet gives the roles at this moment, read from elements that bear their classes.
fn colours(canvas: &HtmlCanvasElement) -> Option<Theme> {
    let plot = canvas.parent_element()?;
    let mut colours = [RGBColor(0, 0, 0); Role::ALL.len()];
    for role in Role::ALL {
        let bearer = plot.query_selector(&format!(".chart-overlay .k{}", role.index())).ok()??;
        let color = window().get_computed_style(&bearer).ok()??.get_property_value("color").ok()?;
        colours[role.index()] = parse_rgb(&color)?;
    }
    Some(Theme(colours))
}

/// Reads `rgb(1, 2, 3)`.
fn parse_rgb(text: &str) -> Option<RGBColor> {
    let mut parts = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).map(str::parse);
    let mut next = || parts.next()?.ok();
    Some(RGBColor(next()?, next()?, next()?))
}
