//! Points of metrics to Parquet and back.
//!
//! Rows are sorted by metric, service, series and time, so that those of one metric lie together. A number is in `int` or `double`;
//! `count`, `sum` and `shape`, JSON, are what histograms and summaries have; a row with none of them shows nothing.

use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int64Builder, StringBuilder, StringDictionaryBuilder};
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array as _, ArrayRef, RecordBatch, StringArray};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection, RowSelector};
use serde::{Deserialize, Serialize};
use slowburn_domain::metric::{Exemplar, ExponentialHistogram, Histogram, Point, PointValue, Summary};
use slowburn_domain::time::Timestamp;

use super::shared::{self, corrupt, json};
use crate::Result;

/// Columns without repetition worth a dictionary.
const PLAIN: [&str; 2] = ["time", "double"];
/// Rows read at once.
const BATCH: usize = 8_192;

/// The part of a point that is neither a number nor a count.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shape {
    Histogram(Histogram),
    Exponential(Box<ExponentialHistogram>),
    Summary(Summary),
}

/// The order in which segments hold points.
pub fn point_order(a: &Point, b: &Point) -> std::cmp::Ordering {
    (&*a.metric, &*a.service, a.series, a.time).cmp(&(&*b.metric, &*b.service, b.series, b.time))
}

/// Encodes points in the order given, which is [`point_order`]. The result is one row group.
///
/// # Errors
/// The Parquet writer's.
pub fn encode_points(points: &[&Point]) -> Result<Vec<u8>> {
    let rows = points.len();
    let (mut metric, mut service) = (StringDictionaryBuilder::<Int32Type>::new(), StringDictionaryBuilder::<Int32Type>::new());
    let [mut series, mut time, mut start, mut int, mut count] = std::array::from_fn(|_| Int64Builder::with_capacity(rows));
    let [mut double, mut sum] = std::array::from_fn(|_| Float64Builder::with_capacity(rows));
    let (mut shape, mut exemplars) = (StringBuilder::new(), StringBuilder::new());
    for point in points {
        metric.append_value(&*point.metric);
        service.append_value(&*point.service);
        series.append_value(point.series);
        time.append_value(point.time.nanos());
        start.append_option(point.start.map(Timestamp::nanos));
        let (mut own_int, mut own_double, mut own_count, mut own_sum, mut own_shape) = (None, None, None, None, None);
        let mut counted = |observations: u64, total: Option<f64>, told: Shape| {
            (own_count, own_sum, own_shape) = (Some(observations.cast_signed()), total, Some(json(&told)));
        };
        match &point.value {
            PointValue::Nothing => {}
            PointValue::Int(number) => own_int = Some(*number),
            PointValue::Double(number) => own_double = Some(*number),
            PointValue::Histogram(own) => counted(own.count, own.sum, Shape::Histogram(own.clone())),
            PointValue::Exponential(own) => counted(own.count, own.sum, Shape::Exponential(own.clone())),
            PointValue::Summary(own) => counted(own.count, Some(own.sum), Shape::Summary(own.clone())),
        }
        int.append_option(own_int);
        double.append_option(own_double);
        count.append_option(own_count);
        sum.append_option(own_sum);
        shape.append_option(own_shape);
        exemplars.append_option((!point.exemplars.is_empty()).then(|| json(&point.exemplars)));
    }
    let columns: [(&str, ArrayRef); 11] = [
        ("metric", Arc::new(metric.finish())),
        ("service", Arc::new(service.finish())),
        ("series", Arc::new(series.finish())),
        ("time", Arc::new(time.finish())),
        ("start", Arc::new(start.finish())),
        ("int", Arc::new(int.finish())),
        ("double", Arc::new(double.finish())),
        ("count", Arc::new(count.finish())),
        ("sum", Arc::new(sum.finish())),
        ("shape", Arc::new(shape.finish())),
        ("exemplars", Arc::new(exemplars.finish())),
    ];
    shared::to_parquet(columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect(), rows, &PLAIN, &["time"])
}

/// Reads every point of a segment. `id` is for error messages.
///
/// # Errors
/// Bytes that are no segment of points.
pub fn decode_points(body: Bytes, id: i64) -> Result<Vec<Point>> {
    read(ParquetRecordBatchReaderBuilder::try_new(body)?, id)
}

/// Reads the points of some series of one metric with times from `from` to `to`, both included: first where they lie, then them
/// alone.
///
/// # Errors
/// As for [`decode_points`].
pub fn decode_series(
    body: Bytes,
    id: i64,
    metric: &str,
    is_series: impl Fn(i64) -> bool,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Point>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(body.clone())?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), ["metric", "series", "time"]);
    let mut rows: Vec<usize> = Vec::new();
    let mut first = 0;
    for batch in builder.with_projection(mask).with_batch_size(BATCH).build()? {
        let batch = batch?;
        let names = column(&batch, "metric", id)?.as_dictionary::<Int32Type>();
        let wanted = names.values().as_string::<i32>().iter().position(|name| name == Some(metric));
        if let Some(wanted) = wanted {
            let (own, times) =
                (column(&batch, "series", id)?.as_primitive::<Int64Type>(), column(&batch, "time", id)?.as_primitive::<Int64Type>());
            let is_wanted = |row: &usize| {
                names.keys().value(*row) as usize == wanted
                    && (from.nanos()..=to.nanos()).contains(&times.value(*row))
                    && is_series(own.value(*row))
            };
            rows.extend((0..batch.num_rows()).filter(is_wanted).map(|row| first + row));
        }
        first += batch.num_rows();
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut selectors = Vec::new();
    let mut after = 0;
    for row in rows {
        if row > after {
            selectors.push(RowSelector::skip(row - after));
        }
        selectors.push(RowSelector::select(1));
        after = row + 1;
    }
    read(ParquetRecordBatchReaderBuilder::try_new(body)?.with_row_selection(RowSelection::from(selectors)), id)
}

fn read(builder: ParquetRecordBatchReaderBuilder<Bytes>, id: i64) -> Result<Vec<Point>> {
    let mut points = Vec::new();
    for batch in builder.with_batch_size(BATCH).build()? {
        points_of(&batch?, id, &mut points)?;
    }
    Ok(points)
}

fn points_of(batch: &RecordBatch, id: i64, points: &mut Vec<Point>) -> Result<()> {
    let names = |name| -> Result<(Vec<Arc<str>>, _)> {
        let dictionary = column(batch, name, id)?.as_dictionary::<Int32Type>();
        let words = dictionary.values().as_string::<i32>().iter().map(|word| word.unwrap_or_default().into()).collect();
        Ok((words, dictionary.keys()))
    };
    let integers = |name| column(batch, name, id).map(ArrayRef::as_primitive::<Int64Type>);
    let texts = |name| column(batch, name, id).map(ArrayRef::as_string::<i32>);
    let ((metrics, metric), (services, service)) = (names("metric")?, names("service")?);
    let (series, time, start, int) = (integers("series")?, integers("time")?, integers("start")?, integers("int")?);
    let double = column(batch, "double", id)?.as_primitive::<Float64Type>();
    let (shape, exemplars) = (texts("shape")?, texts("exemplars")?);
    for row in 0..batch.num_rows() {
        let value = if !int.is_null(row) {
            PointValue::Int(int.value(row))
        } else if !double.is_null(row) {
            PointValue::Double(double.value(row))
        } else {
            match parsed::<Shape>(shape, row, "shape", id)? {
                None => PointValue::Nothing,
                Some(Shape::Histogram(own)) => PointValue::Histogram(own),
                Some(Shape::Exponential(own)) => PointValue::Exponential(own),
                Some(Shape::Summary(own)) => PointValue::Summary(own),
            }
        };
        points.push(Point {
            series: series.value(row),
            metric: Arc::clone(&metrics[metric.value(row) as usize]),
            service: Arc::clone(&services[service.value(row) as usize]),
            start: (!start.is_null(row)).then(|| Timestamp::from_nanos(start.value(row))),
            time: Timestamp::from_nanos(time.value(row)),
            value,
            exemplars: parsed::<Vec<Exemplar>>(exemplars, row, "exemplars", id)?.unwrap_or_default(),
        });
    }
    Ok(())
}

fn parsed<T: for<'de> Deserialize<'de>>(texts: &StringArray, row: usize, name: &'static str, id: i64) -> Result<Option<T>> {
    let text = (!texts.is_null(row)).then(|| texts.value(row));
    text.map(|text| serde_json::from_str(text).map_err(|fault| corrupt(name, id, fault))).transpose()
}

fn column<'a>(batch: &'a RecordBatch, name: &'static str, id: i64) -> Result<&'a ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| corrupt(name, id, "column missing"))
}

#[cfg(test)]
mod tests {
    use slowburn_domain::metric::Buckets;

    use super::*;

    fn point(metric: &str, series: i64, seconds: i64, value: PointValue) -> Point {
        Point {
            series,
            metric: metric.into(),
            service: "shop".into(),
            start: (series % 2 == 0).then(|| Timestamp::from_seconds(1)),
            time: Timestamp::from_seconds(seconds),
            value,
            exemplars: vec![Exemplar { time: Timestamp::from_seconds(seconds), value: 0.5, trace_id: None, span_id: None }],
        }
    }

    #[test]
    fn a1_points_of_every_form_come_back_as_they_were() {
        let histogram = Histogram { count: 3, sum: Some(1.5), min: None, max: Some(1.0), bounds: vec![0.1, 1.0], counts: vec![1, 2, 0] };
        let exponential = ExponentialHistogram {
            count: 3,
            scale: -2,
            zero_count: 1,
            positive: Buckets { offset: -7, counts: vec![2] },
            ..ExponentialHistogram::default()
        };
        let mut points = vec![
            point("b", 1, 20, PointValue::Int(i64::MAX)),
            point("b", 1, 10, PointValue::Double(0.1)),
            point("a", 2, 30, PointValue::Histogram(histogram)),
            point("c", 3, 40, PointValue::Exponential(Box::new(exponential))),
            point("c", 4, 40, PointValue::Summary(Summary { count: 2, sum: 0.5, quantiles: vec![(0.5, 0.2), (0.99, 1e9)] })),
            Point { exemplars: Vec::new(), ..point("c", 4, 50, PointValue::Nothing) },
        ];
        points.sort_by(point_order);
        let body = Bytes::from(encode_points(&points.iter().collect::<Vec<_>>()).expect("encoded"));
        assert_eq!(decode_points(body.clone(), 1).expect("decoded"), points);
        let at = Timestamp::from_seconds;
        let some = |metric, series: &[i64], from, to| {
            let found = decode_series(body.clone(), 1, metric, |own| series.contains(&own), at(from), at(to)).expect("decoded");
            found.iter().map(|point| (point.series, point.time.seconds())).collect::<Vec<_>>()
        };
        assert_eq!(some("c", &[4, 1], 40, 50), [(4, 40), (4, 50)]);
        assert_eq!(some("b", &[1], 11, 99), [(1, 20)]);
        assert_eq!(some("d", &[1], 0, 99), []);
        assert!(decode_points(Bytes::from(b"PAR1".to_vec()), 1).is_err());
    }
}
