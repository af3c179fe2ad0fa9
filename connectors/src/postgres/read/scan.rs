//! The physical node of a PostgreSQL read.
//!
//! ```text
//! PostgresScanExec      COPY .. TO STDOUT -> CopyData messages -> Decoder -> record batches
//!   rows of conditions  partition i holds the condition of partition i
//! ```

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::StreamExt;

use super::ReadSpec;
use super::decode::Decoder;
use super::snapshot::{Snapshot, adopt};
use crate::conditions;
use crate::postgres::connect::{connect, database_error};

/// Bytes of a batch beyond which it goes out whatever its rows.
const BATCH_BYTES: usize = 16 << 20;

/// Streams a table or query.
#[derive(Debug)]
pub struct PostgresScanExec {
    spec: Arc<ReadSpec>,
    splits: Arc<dyn ExecutionPlan>,
    /// Kept while the plan is; only where it was planned.
    snapshot: Option<Snapshot>,
    properties: Arc<PlanProperties>,
}

impl PostgresScanExec {
    /// A scan with a partition for each condition, or one of all rows when there are none.
    pub(super) fn over(spec: ReadSpec, splits: Vec<String>, snapshot: Option<Snapshot>) -> Result<Self> {
        let splits: Vec<_> = splits.into_iter().map(Some).collect();
        Ok(Self { snapshot, ..Self::new(spec, conditions::input(&splits)?) })
    }

    /// A scan whose partitions are those of `splits`: rows of conditions.
    pub fn new(spec: ReadSpec, splits: Arc<dyn ExecutionPlan>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(spec.schema()),
            Partitioning::UnknownPartitioning(splits.output_partitioning().partition_count()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { spec: Arc::new(spec), splits, snapshot: None, properties: Arc::new(properties) }
    }

    /// What to encode to rebuild the node elsewhere.
    pub fn spec(&self) -> &ReadSpec {
        &self.spec
    }

    /// Whether the server sends rows as they are, and all of them: neither counted nor cut short.
    pub fn brings_all(&self) -> bool {
        self.spec.groups.is_none() && self.spec.limit.is_none()
    }

    /// What keeps the state alive that all partitions see. It must outlive whoever runs the plan.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// The same scan, which leaves it to others to keep its snapshot.
    #[must_use]
    pub fn without_snapshot(&self) -> Self {
        Self::new(self.spec.as_ref().clone(), Arc::clone(&self.splits))
    }

    /// The same partitions, read otherwise.
    #[must_use]
    pub fn reading(&self, spec: ReadSpec) -> Self {
        Self { snapshot: self.snapshot.clone(), ..Self::new(spec, Arc::clone(&self.splits)) }
    }
}

impl DisplayAs for PostgresScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spec = &self.spec;
        let columns: Vec<&str> = spec.columns.iter().map(|column| column.name.as_str()).collect();
        write!(f, "PostgresScanExec: from={}, columns=[{}]", spec.from, columns.join(", "))?;
        for (name, parts) in [
            ("filters", spec.filters.as_slice()),
            ("groups", spec.groups.as_deref().unwrap_or_default()),
            ("order", spec.order.as_slice()),
        ] {
            if !parts.is_empty() {
                write!(f, ", {name}=[{}]", parts.join(", "))?;
            }
        }
        spec.limit.map_or(Ok(()), |limit| write!(f, ", limit={limit}"))
    }
}

impl ExecutionPlan for PostgresScanExec {
    fn name(&self) -> &'static str {
        "PostgresScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.splits]
    }

    /// Conditions are not rows to be spread.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(splits), true) => {
                Ok(Arc::new(Self { snapshot: self.snapshot.clone(), ..Self::new(self.spec.as_ref().clone(), splits) }))
            }
            _ => Err(DataFusionError::Internal("a scan has one input".into())),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let session = context.session_config().batch_size();
        let batch_size = self.spec.options.fetch_size.map_or(session, |size| size.min(session));
        let splits = self.splits.execute(partition, context)?;
        let spec = Arc::clone(&self.spec);
        let mut stream = RecordBatchReceiverStream::builder(self.schema(), 2);
        let sender = stream.tx();
        stream.spawn(async move {
            for condition in conditions::read(splits).await? {
                let connection = connect(&spec.options.target, "firesteel read").await?;
                connection.prepare_session(&spec.options).await?;
                connection.notice_when_gone().await?;
                if let Some(name) = &spec.snapshot {
                    connection.execute(&adopt(name)).await?;
                }
                let sql = spec.sql(condition.as_deref());
                let rows = connection.client().copy_out(sql.as_str()).await.map_err(database_error)?;
                let mut rows = std::pin::pin!(rows);
                let mut decoder = Decoder::new(&spec);
                while let Some(bytes) = rows.next().await {
                    decoder.push(&bytes.map_err(database_error)?)?;
                    if decoder.rows() < batch_size && decoder.bytes() < BATCH_BYTES {
                        continue;
                    }
                    if sender.send(Ok(decoder.take()?)).await.is_err() {
                        // Nobody wants more; dropping the connection ends the query.
                        return Ok(());
                    }
                }
                if !decoder.ended() {
                    return Err(DataFusionError::Execution("the server ended a COPY before its end".into()));
                }
                if decoder.rows() > 0 && sender.send(Ok(decoder.take()?)).await.is_err() {
                    return Ok(());
                }
            }
            Ok(())
        });
        Ok(stream.build())
    }
}
