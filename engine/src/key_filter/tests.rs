//! That no row with a partner is dropped, and that others are, unless there are too many keys.

use arrow::array::{AsArray, Int64Array, StringViewArray};
use arrow::datatypes::Int64Type;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::collect;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::*;

fn table(name: &str, column: impl arrow::array::Array + 'static) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([(name, Arc::new(column) as arrow::array::ArrayRef, true)]).unwrap()
}

fn source(partitions: &[Vec<RecordBatch>]) -> Arc<dyn ExecutionPlan> {
    MemorySourceConfig::try_new_exec(partitions, partitions[0][0].schema(), None).unwrap()
}

async fn kept(keys: &[Vec<RecordBatch>], rows: &[Vec<RecordBatch>], context: &SessionContext) -> Vec<RecordBatch> {
    let filter = Arc::new(KeyFilterExec::new(source(keys), 0, source(rows), 0));
    collect(filter, context.task_ctx()).await.unwrap()
}

fn count(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

#[tokio::test]
async fn rows_without_a_partner_go_and_the_others_keep_their_order() {
    let keys =
        [vec![table("k", Int64Array::from(vec![Some(3), None, Some(5)])), table("k", Int64Array::from(vec![9]))]];
    let rows = (0..3).map(|part| {
        let values = (0..1000).map(move |row| (row % 7 != part).then_some(row));
        vec![table("v", Int64Array::from_iter(values.clone())), table("v", Int64Array::from_iter(values)).slice(2, 4)]
    });
    let found = kept(&keys, &rows.collect::<Vec<_>>(), &SessionContext::new()).await;
    let values: Vec<i64> =
        found.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect();
    assert_eq!(values, [3, 5, 9, 3, 5, 3, 5, 9, 3, 5, 3, 5, 3, 5]);
}

#[tokio::test]
async fn texts_are_keys_as_well_and_no_keys_leave_no_rows() {
    let words = |words: &[&str]| vec![vec![table("w", StringViewArray::from_iter_values(words))]];
    let rows = words(&["a", "a rather long word that is not held in the view", "b", ""]);
    let context = SessionContext::new();
    let keys = words(&["a rather long word that is not held in the view", ""]);
    assert_eq!(count(&kept(&keys, &rows, &context).await), 2);
    assert_eq!(count(&kept(&words(&[]), &rows, &context).await), 0);
}

#[tokio::test]
async fn too_many_keys_drop_nothing() {
    let many = i64::try_from(keys::MOST).unwrap() + 1;
    let keys = [vec![table("k", Int64Array::from_iter_values(0..many))]];
    let rows = [vec![table("v", Int64Array::from(vec![Some(-1), None, Some(7)]))]];
    assert_eq!(count(&kept(&keys, &rows, &SessionContext::new()).await), 3);
}

#[tokio::test]
async fn where_memory_is_short_nothing_is_dropped() {
    let runtime = RuntimeEnvBuilder::new().with_memory_limit(1000, 1.0).build_arc().unwrap();
    let context = SessionContext::new_with_config_rt(SessionConfig::new(), runtime);
    let keys = [vec![table("k", Int64Array::from_iter_values(0..10_000))]];
    let rows = [vec![table("v", Int64Array::from(vec![-1, 7]))]];
    assert_eq!(count(&kept(&keys, &rows, &context).await), 2);
    let few = [vec![table("k", Int64Array::from_iter_values(0..10))]];
    assert_eq!(count(&kept(&few, &rows, &context).await), 1);
}

#[tokio::test]
async fn keys_in_several_partitions_are_refused() {
    let part = || vec![table("k", Int64Array::from(vec![1]))];
    let filter = KeyFilterExec::new(source(&[part(), part()]), 0, source(&[part()]), 0);
    let error = filter.execute(0, SessionContext::new().task_ctx()).err().unwrap();
    assert!(error.to_string().contains("one partition"), "{error}");
}
