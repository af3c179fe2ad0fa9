//! The table behind `range`: whole numbers, made as they are read, in as many partitions as are asked for.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result;
use datafusion::functions_table::generate_series::{GenSeriesArgs, GenerateSeriesTable};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;

/// More partitions than this nobody can use; each costs memory while the query is planned.
const MOST_PARTITIONS: usize = 1024;

/// Numbers from a first to before a last one.
#[derive(Debug)]
pub(super) struct RangeTable {
    schema: SchemaRef,
    step: i64,
    slices: Vec<(i64, i64)>,
}

impl RangeTable {
    /// The numbers of `(start, end, step)`; the step is not 0.
    pub(super) fn new(schema: SchemaRef, (start, end, step): (i64, i64, i64), partitions: usize) -> Self {
        Self { schema, step, slices: slices(start, end, step, partitions.min(MOST_PARTITIONS)) }
    }
}

#[async_trait]
impl TableProvider for RangeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut parts = Vec::with_capacity(self.slices.len());
        for (start, end) in self.slices.iter().copied() {
            let series = GenSeriesArgs::Int64Args { start, end, step: self.step, include_end: false, name: "range" };
            let part = GenerateSeriesTable::new(Arc::clone(&self.schema), series);
            parts.push(part.scan(state, projection, filters, limit).await?);
        }
        UnionExec::try_new(parts)
    }
}

/// Start and end of each of the equal parts of a range, as Spark cuts it.
fn slices(start: i64, end: i64, step: i64, partitions: usize) -> Vec<(i64, i64)> {
    let (first, step, width) = (i128::from(start), i128::from(step), i128::from(end) - i128::from(start));
    let rows = if width.signum() == step.signum() { (width.abs() + step.abs() - 1) / step.abs() } else { 0 };
    let partitions = partitions as i128;
    let clamped = |at: i128| i64::try_from(at).unwrap_or(if at < 0 { i64::MIN } else { i64::MAX });
    let bound = |slice: i128| clamped(first + slice * rows / partitions * step);
    (0..partitions).map(|slice| (bound(slice), bound(slice + 1))).collect()
}
