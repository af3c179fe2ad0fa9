//! What happens to the rows of a plan before they are the answer: drawing a table, or keeping the last rows.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use firesteel_functions::display;
use firesteel_functions::error::SparkResult;
use firesteel_functions::time::Zone;
use firesteel_functions::types::StructType;
use futures::{StreamExt, TryStreamExt};

use crate::analyze::Finish;
use crate::show::Table;

/// The rows of the answer.
pub(super) fn apply(
    finish: Finish,
    stream: SendableRecordBatchStream,
    zone: &str,
) -> SparkResult<SendableRecordBatchStream> {
    let zone = Zone::parse(zone)?;
    Ok(match finish {
        Finish::None => stream,
        Finish::Tail(rows) => {
            let schema = stream.schema();
            let kept = async move {
                tail(stream, rows).await.map(|batches| futures::stream::iter(batches.into_iter().map(Ok)))
            };
            Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::once(kept).try_flatten()))
        }
        Finish::ShowString { rows, truncate, vertical, schema } => drawn("show_string", async move {
            let table = table(stream, rows, truncate, &schema, &zone).await?;
            Ok(if vertical { table.vertical() } else { table.horizontal(truncate) })
        }),
        Finish::HtmlString { rows, truncate, schema } => {
            drawn("html_string", async move { Ok(table(stream, rows, truncate, &schema, &zone).await?.html()) })
        }
    })
}

/// A stream of one row with one text.
fn drawn(name: &str, text: impl Future<Output = Result<String>> + Send + 'static) -> SendableRecordBatchStream {
    let schema = Arc::new(Schema::new(vec![Field::new(name, DataType::Utf8, false)]));
    let row = Arc::clone(&schema);
    let batch = async move {
        let text: ArrayRef = Arc::new(StringArray::from(vec![text.await?]));
        Ok(RecordBatch::try_new(row, vec![text])?)
    };
    Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::once(batch)))
}

async fn table(
    mut stream: SendableRecordBatchStream,
    limit: usize,
    truncate: usize,
    schema: &StructType,
    zone: &Zone,
) -> Result<Table> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        let mut columns = Vec::with_capacity(batch.num_columns());
        for (column, field) in batch.columns().iter().zip(&schema.fields) {
            columns.push(display::show_string(column, &field.data_type, zone)?);
        }
        for row in 0..batch.num_rows() {
            if rows.len() > limit {
                break;
            }
            rows.push(columns.iter().map(|column| column.value(row).to_string()).collect());
        }
        if rows.len() > limit {
            break;
        }
    }
    let more = rows.len() > limit;
    rows.truncate(limit);
    let header: Vec<String> = schema.fields.iter().map(|field| field.name.clone()).collect();
    Ok(Table::new(&header, rows, more, truncate))
}

/// The last rows of a stream; no more than these are kept at any time, give or take a batch.
async fn tail(mut stream: SendableRecordBatchStream, rows: usize) -> Result<Vec<RecordBatch>> {
    let mut kept: VecDeque<RecordBatch> = VecDeque::new();
    let mut count = 0;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        count += batch.num_rows();
        kept.push_back(batch);
        while let Some(first) = kept.front() {
            let surplus = count.saturating_sub(rows);
            if surplus == 0 {
                break;
            }
            let length = first.num_rows();
            let Some(first) = kept.pop_front() else { break };
            if length <= surplus {
                count -= length;
            } else {
                kept.push_front(first.slice(surplus, length - surplus));
                count -= surplus;
            }
        }
    }
    Ok(kept.into())
}
