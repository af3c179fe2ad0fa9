//! The physical node of a PostgreSQL read: a leaf with one partition.
//!
//! ```text
//! COPY .. TO STDOUT -> CopyData messages -> Decoder -> record batches
//! ```

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::StreamExt;

use super::ReadSpec;
use super::decode::Decoder;
use crate::postgres::connect::{connect, database_error};

/// Streams a table or query.
#[derive(Debug)]
pub struct PostgresScanExec {
    spec: ReadSpec,
    properties: Arc<PlanProperties>,
}

impl PostgresScanExec {
    /// A scan of what `spec` says.
    pub fn new(spec: ReadSpec) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(spec.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { spec, properties: Arc::new(properties) }
    }

    /// What to encode to rebuild the node elsewhere.
    pub fn spec(&self) -> &ReadSpec {
        &self.spec
    }
}

impl DisplayAs for PostgresScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> = self.spec.columns.iter().map(|column| column.name.as_str()).collect();
        write!(f, "PostgresScanExec: from={}, columns=[{}]", self.spec.from, columns.join(", "))
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
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return Err(DataFusionError::Internal(format!("PostgresScanExec has no partition {partition}")));
        }
        let batch_size = context.session_config().batch_size();
        let spec = self.spec.clone();
        let mut stream = RecordBatchReceiverStream::builder(self.schema(), 2);
        let sender = stream.tx();
        stream.spawn(async move {
            let connection = connect(&spec.options.target, "firesteel read").await?;
            if spec.options.query_timeout > 0 {
                connection.execute(&format!("SET statement_timeout = '{}s'", spec.options.query_timeout)).await?;
            }
            if let Some(statement) = &spec.options.session_init {
                connection.execute(statement).await?;
            }
            let sql = spec.sql();
            let rows = connection.client().copy_out(sql.as_str()).await.map_err(database_error)?;
            let mut rows = std::pin::pin!(rows);
            let mut decoder = Decoder::new(&spec, batch_size);
            while let Some(bytes) = rows.next().await {
                let bytes = bytes.map_err(database_error)?;
                while let Some(batch) = decoder.push(&bytes)? {
                    if sender.send(Ok(batch)).await.is_err() {
                        // Nobody wants more; dropping the connection ends the query.
                        return Ok(());
                    }
                }
            }
            if let Some(batch) = decoder.finish()? {
                // A receiver that has gone needs nothing.
                let _ = sender.send(Ok(batch)).await;
            }
            Ok(())
        });
        Ok(stream.build())
    }
}
