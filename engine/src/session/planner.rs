//! The query planner of all sessions: DataFusion's, with our logical nodes.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::error::Result;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use crate::layout::LayoutPlanner;
use crate::recursion::RecursionPlanner;
use crate::sink::SinkPlanner;

/// Plans what DataFusion plans, and our nodes.
#[derive(Debug, Default)]
pub(super) struct EnginePlanner;

#[async_trait]
impl QueryPlanner for EnginePlanner {
    async fn create_physical_plan(
        &self,
        logical_plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let extensions: Vec<Arc<dyn ExtensionPlanner + Send + Sync>> =
            vec![Arc::new(SinkPlanner), Arc::new(LayoutPlanner), Arc::new(RecursionPlanner)];
        DefaultPhysicalPlanner::with_extension_planners(extensions).create_physical_plan(logical_plan, session).await
    }
}
