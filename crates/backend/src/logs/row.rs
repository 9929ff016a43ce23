//! Rows of a segment of log records as records that filters look at, and which columns a search needs of them.

use slowburn_storage::segment::{IDS, LogColumns, Wanted};

use crate::filter::{Field, Filter, Operand, Record};
use crate::traces::{operand, wanted_by};

/// One row.
pub(super) struct Row<'a> {
    pub(super) columns: &'a LogColumns,
    pub(super) row: usize,
}

impl Record for Row<'_> {
    fn field(&self, field: Field) -> Operand<'_> {
        let Self { columns, row } = *self;
        match field {
            Field::Service => columns.service(row).into(),
            Field::Severity => Some(columns.severity(row).as_str()).filter(|word| !word.is_empty()).into(),
            Field::Body => operand(columns.body_cell(row)),
            Field::TraceId => columns.trace_id(row).map_or(Operand::Missing, Operand::TraceId),
            Field::CorrelationId => columns.id(0, row).into(),
            Field::ProjectId => columns.id(1, row).into(),
            Field::ExecutionId => columns.id(2, row).into(),
            _ => Operand::Missing,
        }
    }

    fn attribute(&self, key: &str) -> Operand<'_> {
        operand(self.columns.attribute(self.row, key))
    }

    fn resource(&self, key: &str) -> Operand<'_> {
        self.columns.resource(self.row, key).map_or(Operand::Missing, Operand::from)
    }
}

/// The columns that a search looks at.
pub(super) fn wanted(filter: Option<&Filter>, needs_body: bool, needs_ids: bool) -> Wanted {
    let mut wanted = filter.map_or_else(|| Wanted { attributes: Some(Vec::new()), ..Wanted::default() }, wanted_by);
    if needs_body {
        wanted.own.extend(["body", "other_body"]);
    }
    if needs_ids {
        wanted.own.extend(IDS);
    }
    wanted
}
