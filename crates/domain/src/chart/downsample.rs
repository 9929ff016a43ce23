//! Thinning out a series without losing what is seen: per pixel column the first, lowest, highest and last value.

use super::Point;

/// Cuts a series at its gaps into runs and thins each out to at most four points per column of width 1 ÷ `columns`. Positions
/// ascend; `None` is a gap. Nothing is lost to the eye: every extreme stays, and neighbouring columns join where they did.
pub fn downsample(points: impl IntoIterator<Item = (f64, Option<f64>)>, columns: usize) -> Vec<Vec<Point>> {
    let mut runs: Vec<Vec<Point>> = Vec::new();
    let mut run: Vec<Point> = Vec::new();
    let mut column: Option<Column> = None;
    for (x, y) in points {
        let Some(y) = y else {
            close(&mut run, &mut column, &mut runs);
            continue;
        };
        let index = (x * columns as f64).floor() as i64;
        match &mut column {
            Some(current) if current.index == index => current.add((x, y)),
            _ => {
                if let Some(full) = column.take() {
                    full.flush(&mut run);
                }
                column = Some(Column::new(index, (x, y)));
            }
        }
    }
    close(&mut run, &mut column, &mut runs);
    runs
}

fn close(run: &mut Vec<Point>, column: &mut Option<Column>, runs: &mut Vec<Vec<Point>>) {
    if let Some(full) = column.take() {
        full.flush(run);
    }
    if !run.is_empty() {
        runs.push(std::mem::take(run));
    }
}

struct Column {
    index: i64,
    first: Point,
    low: Point,
    high: Point,
    last: Point,
}

impl Column {
    const fn new(index: i64, point: Point) -> Self {
        Self { index, first: point, low: point, high: point, last: point }
    }

    fn add(&mut self, point: Point) {
        if point.1 < self.low.1 {
            self.low = point;
        }
        if point.1 > self.high.1 {
            self.high = point;
        }
        self.last = point;
    }

    fn flush(self, run: &mut Vec<Point>) {
        let (early, late) = if self.low.0 <= self.high.0 { (self.low, self.high) } else { (self.high, self.low) };
        for point in [self.first, early, late, self.last] {
            if run.last() != Some(&point) {
                run.push(point);
            }
        }
    }
}
