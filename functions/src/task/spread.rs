//! `spark_spread(number, from, to)`: a number that repartitioning by hash puts into a wanted one of `to` partitions.
//!
//! Which one that is follows from `number`: taken modulo `to`, or, when `from` is not 0, as the part it is in when `from`
//! numbers are cut into `to` parts, as Spark cuts them. It asks DataFusion's own partitioner where numbers go, so that it need not know how that hashes.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::common::{Result, internal_err};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::metrics::Time;
use datafusion::physical_plan::repartition::BatchPartitioner;

/// Most tables of numbers that are kept.
const KEPT: usize = 64;

static TABLES: LazyLock<Mutex<HashMap<usize, Arc<[i64]>>>> = LazyLock::new(Mutex::default);

/// The numbers of a batch.
pub(crate) fn spread(numbers: &ArrayRef, from: i64, to: i64) -> Result<ArrayRef> {
    let table = table(usize::try_from(to).unwrap_or(1).max(1))?;
    let numbers = numbers.as_primitive::<Int64Type>();
    let last = table.len().saturating_sub(1);
    let place = |number: i64| {
        let wanted = if from > 0 {
            ((i128::from(number) + 1) * i128::from(to) - 1) / i128::from(from)
        } else {
            i128::from(number).rem_euclid(i128::from(to.max(1)))
        };
        let wanted = usize::try_from(wanted).unwrap_or(0).min(last);
        table.get(wanted).copied().unwrap_or_default()
    };
    Ok(Arc::new(numbers.iter().map(|number| place(number.unwrap_or_default())).collect::<Int64Array>()))
}

/// For each partition a number that goes there.
fn table(partitions: usize) -> Result<Arc<[i64]>> {
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = tables.get(&partitions) {
        return Ok(Arc::clone(known));
    }
    let mut found: Vec<Option<i64>> = vec![None; partitions];
    let mut missing = partitions;
    let schema = Arc::new(Schema::new(vec![Field::new("number", DataType::Int64, false)]));
    let mut partitioner =
        BatchPartitioner::new_hash_partitioner(vec![Arc::new(Column::new("number", 0))], partitions, Time::default())?;
    let width = i64::try_from(partitions).unwrap_or(i64::MAX).saturating_mul(4);
    let mut first = 0_i64;
    while missing > 0 {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(first..first.saturating_add(width)));
        first = first.saturating_add(width);
        if first == i64::MAX {
            return internal_err!("no number goes into some of {partitions} partitions");
        }
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![numbers])?;
        partitioner.partition(batch, |partition, rows| {
            let there = rows.column(0).as_primitive::<Int64Type>();
            if let Some(slot) = found.get_mut(partition)
                && slot.is_none()
                && rows.num_rows() > 0
            {
                *slot = Some(there.value(0));
                missing -= 1;
            }
            Ok(())
        })?;
    }
    let made: Arc<[i64]> = found.into_iter().map(Option::unwrap_or_default).collect();
    if tables.len() == KEPT {
        tables.clear();
    }
    tables.insert(partitions, Arc::clone(&made));
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_meet_their_partitions() {
        for partitions in [1, 2, 3, 7, 200] {
            let wanted: ArrayRef = Arc::new(Int64Array::from_iter_values(-5..500));
            let numbers = spread(&wanted, 0, partitions).unwrap();
            let schema = Arc::new(Schema::new(vec![
                Field::new("number", DataType::Int64, false),
                Field::new("wanted", DataType::Int64, false),
            ]));
            let batch = RecordBatch::try_new(schema, vec![numbers, wanted]).unwrap();
            let key = vec![Arc::new(Column::new("number", 0)) as _];
            let mut partitioner =
                BatchPartitioner::new_hash_partitioner(key, partitions as usize, Time::default()).unwrap();
            let check = |partition: usize, rows: RecordBatch| {
                for wanted in rows.column(1).as_primitive::<Int64Type>().values() {
                    assert_eq!(wanted.rem_euclid(partitions), partition as i64);
                }
                Ok(())
            };
            partitioner.partition(batch, check).unwrap();
        }
    }

    #[test]
    fn neighbours_stay_together() {
        let from: ArrayRef = Arc::new(Int64Array::from_iter_values(0..5));
        let numbers = spread(&from, 5, 2).unwrap();
        let numbers = numbers.as_primitive::<Int64Type>().values();
        assert_eq!(numbers[0], numbers[1]);
        assert_eq!(numbers[2], numbers[4]);
        assert_ne!(numbers[0], numbers[4]);
    }
}
