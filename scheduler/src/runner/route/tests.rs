//! Where reads of databases run, and that they can be sent. No server is asked.

use std::collections::BTreeMap;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::physical_plan::ExecutionPlanProperties;
use datafusion::prelude::SessionContext;
use firesteel_connectors::postgres::read::{Compare, ReadColumn, ReadKind, ReadSpec};
use firesteel_connectors::postgres::{JdbcOptions, PostgresScanExec};

use super::*;

fn spec() -> ReadSpec {
    let options = [("url", "jdbc:postgresql://nowhere/db"), ("dbtable", "t"), ("user", "u")];
    let options: BTreeMap<_, _> = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let column = ReadColumn {
        name: "a".to_owned(),
        expr: None,
        kind: ReadKind::Int8,
        compare: Compare::Everything,
        nullable: true,
    };
    ReadSpec {
        options: JdbcOptions::from_options(&options).unwrap(),
        from: "t".to_owned(),
        columns: vec![column],
        filters: Vec::new(),
        groups: None,
        order: Vec::new(),
        limit: None,
        snapshot: None,
    }
}

fn scan(partitions: usize, spec: ReadSpec) -> Arc<dyn ExecutionPlan> {
    let schema = Arc::new(Schema::new(vec![Field::new("condition", DataType::Utf8, true)]));
    let row = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(StringArray::from(vec!["a > 0"]))]).unwrap();
    let conditions = MemorySourceConfig::try_new_exec(&vec![vec![row]; partitions], schema, None).unwrap();
    Arc::new(PostgresScanExec::new(spec, conditions))
}

#[test]
fn only_reads_of_several_partitions_that_bring_rows_are_worth_a_job() {
    assert_eq!(of_physical(&scan(3, spec())), Route::Remote);
    assert_eq!(of_physical(&scan(1, spec())), Route::Local);
    assert_eq!(of_physical(&scan(3, ReadSpec { limit: Some(1), ..spec() })), Route::Local);
    assert_eq!(of_physical(&scan(3, ReadSpec { groups: Some(Vec::new()), ..spec() })), Route::Local);
}

#[test]
fn a_read_that_was_sent_asks_the_same() {
    let sent = PhysicalPlanNode::try_from_physical_plan(scan(2, spec()), &cluster::codec()).unwrap();
    let context = SessionContext::new();
    let came = sent.try_into_physical_plan(&context.task_ctx(), &cluster::codec()).unwrap();
    let came_scan = came.downcast_ref::<PostgresScanExec>().unwrap();
    assert_eq!(came_scan.spec().sql(Some("a > 0")), spec().sql(Some("a > 0")));
    assert_eq!(came.output_partitioning().partition_count(), 2);
}
