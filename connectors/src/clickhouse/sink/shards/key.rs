//! Which row goes to which shard.
//!
//! A sharding key gives a whole number; its remainder by the sum of the weights is a slot, and every shard has as many slots as its
//! weight. Numbers below zero count as the unsigned number of the same bits. A column is looked at here, and so is `rand()`, for
//! which any shard will do; every other key is worked out by the server, which alone knows its functions.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Field, Int8Type, Int16Type, Int32Type, Int64Type, Schema, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use serde::{Deserialize, Serialize};

use crate::clickhouse::http::Client;
use crate::clickhouse::kind::Kind;
use crate::clickhouse::options::Target;
use crate::clickhouse::table::{Column, Table, quote};
use crate::error::{ConnectorError, Result};

/// How rows are spread over shards.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::clickhouse::sink) struct Sharding {
    /// The slot after the last one of each shard.
    ends: Vec<u64>,
    key: Key,
    /// The server that is asked.
    target: Target,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Key {
    /// Any shard: rows take turns.
    Any,
    /// A column of whole numbers, by its place in the input.
    Column(usize),
    /// An expression over columns of the input, which are given as the server describes them.
    Asked { expression: String, columns: Vec<usize>, structure: String },
}

impl Sharding {
    /// From the key's text. `columns` are those of the input, in its order.
    pub(super) fn new(
        key: Option<&str>,
        table: &Table,
        columns: &[Column],
        weights: &[u64],
        target: &Target,
    ) -> Result<Self> {
        let mut sum = 0_u64;
        let end = |weight: &u64| {
            sum = sum.saturating_add(*weight);
            sum
        };
        let ends = weights.iter().map(end).collect();
        let key = match key {
            _ if weights.len() == 1 => Key::Any,
            None => {
                let feature = format!("writing {}, which has several shards and no sharding key", table.sql());
                return Err(ConnectorError::Unsupported { feature });
            }
            Some(_) if sum == 0 => {
                let feature = format!("writing {}, whose shards all have weight 0", table.sql());
                return Err(ConnectorError::Unsupported { feature });
            }
            Some("rand()") => Key::Any,
            Some(text) => Key::of(text, table, columns)?,
        };
        Ok(Self { ends, key, target: target.clone() })
    }
}

impl Key {
    fn of(text: &str, table: &Table, columns: &[Column]) -> Result<Self> {
        let whole = |kind: &Kind| matches!(kind, Kind::Int(8 | 16 | 32 | 64) | Kind::UInt(8 | 16 | 32 | 64));
        let is_it = |column: &Column| text == column.name || text == quote(&column.name);
        if let Some(at) = columns.iter().position(|column| is_it(column) && whole(&column.kind)) {
            return Ok(Self::Column(at));
        }
        let (mut wanted, mut structure) = (Vec::new(), Vec::new());
        for column in table.columns.iter().filter(|column| mentions(text, &column.name)) {
            let Some(at) = columns.iter().position(|own| own.name == column.name) else {
                let feature = format!(
                    "writing {} without column {}, which its sharding key {text} needs",
                    table.sql(),
                    column.name
                );
                return Err(ConnectorError::Unsupported { feature });
            };
            wanted.push(at);
            structure.push(format!("{} {}", quote(&column.name), column.sql_type));
        }
        if wanted.is_empty() {
            let feature = format!("writing {}, whose sharding key {text} looks at no column", table.sql());
            return Err(ConnectorError::Unsupported { feature });
        }
        Ok(Self::Asked { expression: text.to_owned(), columns: wanted, structure: structure.join(", ") })
    }
}

/// Whether a name stands in an expression as a word of its own.
fn mentions(expression: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    expression.match_indices(name).any(|(at, found)| {
        let before = expression.get(..at).and_then(|text| text.chars().next_back());
        let after = expression.get(at + found.len()..).and_then(|text| text.chars().next());
        !name.is_empty() && !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// Spreads the rows of one task.
pub(in crate::clickhouse::sink) struct Router<'a> {
    sharding: &'a Sharding,
    client: Client,
    /// Whose turn it is where any shard will do.
    turn: u64,
}

impl<'a> Router<'a> {
    pub(in crate::clickhouse::sink) fn new(sharding: &'a Sharding, partition: usize) -> Result<Self> {
        Ok(Self { sharding, client: Client::new(&sharding.target)?, turn: partition as u64 })
    }

    /// The rows of each shard that gets any, in their order.
    pub(in crate::clickhouse::sink) async fn split(&mut self, rows: &RecordBatch) -> Result<Vec<(usize, RecordBatch)>> {
        let keys = match &self.sharding.key {
            Key::Any => {
                let first = self.turn;
                self.turn = first.wrapping_add(rows.num_rows() as u64);
                (0..rows.num_rows() as u64).map(|row| first.wrapping_add(row)).collect()
            }
            Key::Column(at) => numbers(rows.columns().get(*at).ok_or_else(|| wrong("no such column"))?)?,
            Key::Asked { expression, columns, structure } => {
                ask(&self.client, expression, &rows.project(columns).map_err(engine)?, structure).await?
            }
        };
        let ends = &self.sharding.ends;
        let slots = ends.last().copied().unwrap_or_default().max(1);
        let mut indices: Vec<Vec<u32>> = vec![Vec::new(); ends.len()];
        for (row, key) in keys.iter().enumerate() {
            let shard = ends.partition_point(|end| *end <= key % slots);
            let row = u32::try_from(row).map_err(|_| wrong("a batch of too many rows"))?;
            indices.get_mut(shard).ok_or_else(|| wrong("a slot of no shard"))?.push(row);
        }
        let mut parts = Vec::new();
        for (shard, indices) in indices.into_iter().enumerate().filter(|(_, indices)| !indices.is_empty()) {
            let part = match indices.len() == rows.num_rows() {
                true => rows.clone(),
                false => take_record_batch(rows, &UInt32Array::from(indices)).map_err(engine)?,
            };
            parts.push((shard, part));
        }
        Ok(parts)
    }
}

/// The column that numbers rows, since a server gives them back in any order.
const ROW: &str = "firesteel_row";

/// Asks the server for the keys of rows, which it gets as a table of one request.
async fn ask(client: &Client, expression: &str, rows: &RecordBatch, structure: &str) -> Result<Vec<u64>> {
    let count = u32::try_from(rows.num_rows()).map_err(|_| wrong("a batch of too many rows"))?;
    let mut fields = rows.schema().fields().to_vec();
    fields.push(Arc::new(Field::new(ROW, DataType::UInt32, false)));
    let numbered: ArrayRef = Arc::new(UInt32Array::from_iter_values(0..count));
    let columns = rows.columns().iter().cloned().chain([numbered]).collect();
    let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(engine)?;
    let mut writer = StreamWriter::try_new(Vec::new(), &rows.schema()).map_err(engine)?;
    writer.write(&rows).map_err(engine)?;
    let body = writer.into_inner().map_err(engine)?;
    let (structure, table) = (format!("{structure}, {} UInt32", quote(ROW)), "firesteel_rows");
    let sql = format!("SELECT {expression}, {} FROM {table} FORMAT ArrowStream", quote(ROW));
    let answer = client.ask(&sql, table, &structure, &body).await.map_err(|failure| client.error(failure))?;
    let answer = StreamReader::try_new(Cursor::new(answer), None).map_err(engine)?;
    placed(answer.map(|batch| batch.map_err(engine)), rows.num_rows())
}

/// The keys in the order of the rows that they came with.
fn placed(answer: impl Iterator<Item = Result<RecordBatch>>, rows: usize) -> Result<Vec<u64>> {
    let mut keys = vec![None; rows];
    for batch in answer {
        let batch = batch?;
        let [found, row] = batch.columns() else { return Err(wrong("an answer of other columns than were asked for")) };
        for (key, row) in numbers(found)?.into_iter().zip(numbers(row)?) {
            let slot = usize::try_from(row).ok().and_then(|row| keys.get_mut(row));
            *slot.ok_or_else(|| wrong("a sharding key of a row that was not sent"))? = Some(key);
        }
    }
    let all: Option<Vec<u64>> = keys.into_iter().collect();
    all.ok_or_else(|| wrong("the server gave no sharding key for some rows"))
}

/// Whole numbers as the unsigned ones of the same bits and width.
fn numbers(keys: &ArrayRef) -> Result<Vec<u64>> {
    if keys.null_count() > 0 {
        return Err(ConnectorError::Unsupported { feature: "a sharding key that is null".to_owned() });
    }
    Ok(match keys.data_type() {
        DataType::Int8 => each::<Int8Type>(keys, |key| key.cast_unsigned().into()),
        DataType::Int16 => each::<Int16Type>(keys, |key| key.cast_unsigned().into()),
        DataType::Int32 => each::<Int32Type>(keys, |key| key.cast_unsigned().into()),
        DataType::Int64 => each::<Int64Type>(keys, i64::cast_unsigned),
        DataType::UInt8 => each::<UInt8Type>(keys, u64::from),
        DataType::UInt16 => each::<UInt16Type>(keys, u64::from),
        DataType::UInt32 => each::<UInt32Type>(keys, u64::from),
        DataType::UInt64 => each::<UInt64Type>(keys, |key| key),
        other => return Err(ConnectorError::Unsupported { feature: format!("a sharding key of type {other}") }),
    })
}

fn each<T: ArrowPrimitiveType>(keys: &ArrayRef, number: impl Fn(T::Native) -> u64) -> Vec<u64> {
    keys.as_primitive::<T>().values().iter().map(|key| number(*key)).collect()
}

fn engine(error: ArrowError) -> ConnectorError {
    ConnectorError::Engine(error.into())
}

fn wrong(what: &str) -> ConnectorError {
    ConnectorError::Protocol(what.to_owned())
}

#[cfg(test)]
mod tests;
