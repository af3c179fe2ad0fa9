//! `EXPLAIN` and `df.explain()`.

use std::sync::Arc;

use datafusion::physical_plan::displayable;
use firesteel_functions::error::{SparkError, SparkResult};

use super::{Rows, text};
use crate::session::Session;
use crate::source::failure;
use crate::spec::{Command, CreateTable, ExplainMode, Insert, Plan, Relation};

/// `EXPLAIN statement`.
pub(super) async fn run(session: &Arc<Session>, mode: ExplainMode, plan: Plan) -> SparkResult<Rows> {
    let shown = match plan {
        Plan::Query(relation) => session.explain(&relation, mode).await?,
        Plan::Command(command) => match *command {
            Command::CreateTable(create) if create.query.is_some() => {
                let CreateTable { query, .. } = *create;
                let query = query.ok_or_else(|| SparkError::internal("a query was there"))?;
                session.explain(&query, mode).await?
            }
            Command::Insert(insert) => {
                let Insert { input, .. } = *insert;
                session.explain(&input, mode).await?
            }
            other => {
                let name = format!("{other:?}");
                let name: String = name.chars().take_while(|c| c.is_alphanumeric()).collect();
                format!("== Physical Plan ==\nExecute {name}\n")
            }
        },
    };
    Rows::new(&[text("plan", false)], vec![vec![shown.into()]])
}

impl Session {
    /// What a query becomes, as text.
    pub async fn explain(self: &Arc<Self>, relation: &Relation, mode: ExplainMode) -> SparkResult<String> {
        let ctx = self.context()?;
        let analyzed = self.analyze_in(&ctx, relation, &Default::default()).await?;
        let state = ctx.state();
        let optimized = state.optimize(&analyzed.plan).map_err(failure)?;
        let physical = state.query_planner().create_physical_plan(&optimized, &state).await.map_err(failure)?;
        let physical = displayable(physical.as_ref()).indent(false).to_string();
        Ok(match mode {
            ExplainMode::Simple | ExplainMode::Codegen | ExplainMode::Formatted => {
                format!("== Physical Plan ==\n{physical}\n")
            }
            ExplainMode::Cost => format!(
                "== Optimized Logical Plan ==\n{}\n\n== Physical Plan ==\n{physical}\n",
                optimized.display_indent()
            ),
            ExplainMode::Extended => format!(
                "== Analyzed Logical Plan ==\n{}\n{}\n\n== Optimized Logical Plan ==\n{}\n\n== Physical Plan ==\n{physical}\n",
                analyzed
                    .schema
                    .fields
                    .iter()
                    .map(|f| format!("{}: {}", f.name, f.data_type.simple_string()))
                    .collect::<Vec<_>>()
                    .join(", "),
                analyzed.plan.display_indent(),
                optimized.display_indent()
            ),
        })
    }
}
