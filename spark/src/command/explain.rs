//! `EXPLAIN` and `df.explain()`.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::physical_plan::displayable;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
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
        let shown = displayable(physical.as_ref()).indent(false).to_string();
        let physical_section = format!("== Physical Plan ==\n{shown}\n");
        Ok(match mode {
            ExplainMode::Simple | ExplainMode::Codegen | ExplainMode::Formatted => physical_section,
            ExplainMode::Cost => {
                let statistics =
                    StatisticsContext::new().compute(physical.as_ref(), &StatisticsArgs::new()).map_err(failure)?;
                format!(
                    "== Optimized Logical Plan ==\n{}\n{}\n\n{physical_section}",
                    optimized.display_indent(),
                    statistics_text(&statistics)
                )
            }
            ExplainMode::Extended => {
                let columns: Vec<String> = analyzed
                    .schema
                    .fields
                    .iter()
                    .map(|field| format!("{}: {}", field.name, field.data_type.simple_string()))
                    .collect();
                format!(
                    "== Parsed Logical Plan ==\n{}\n\n== Analyzed Logical Plan ==\n{}\n{}\n\n\
                     == Optimized Logical Plan ==\n{}\n\n{physical_section}",
                    parsed_text(relation),
                    columns.join(", "),
                    analyzed.plan.display_indent(),
                    optimized.display_indent()
                )
            }
        })
    }
}

/// The operator at the top of a plan that is not resolved yet, marked as Spark marks it.
fn parsed_text(relation: &Relation) -> String {
    let mut operator = FirstWord::default();
    // It ends with an error on purpose, before rows inside the plan are written.
    let _ = write!(operator, "{:?}", relation.kind);
    format!("'{}", operator.0)
}

/// Takes text up to the end of its first word.
#[derive(Default)]
struct FirstWord(String);

impl Write for FirstWord {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = text.find(|symbol: char| !symbol.is_alphanumeric());
        self.0.push_str(text.get(..end.unwrap_or(text.len())).unwrap_or_default());
        end.map_or(Ok(()), |_| Err(std::fmt::Error))
    }
}

/// What is known about the size of a result before it is computed.
fn statistics_text(statistics: &Statistics) -> String {
    let bytes = match statistics.total_byte_size {
        Precision::Exact(bytes) | Precision::Inexact(bytes) => format!("{bytes}.0 B"),
        Precision::Absent => "unknown".to_string(),
    };
    match statistics.num_rows {
        Precision::Exact(rows) | Precision::Inexact(rows) => {
            format!("Statistics(sizeInBytes={bytes}, rowCount={rows})")
        }
        Precision::Absent => format!("Statistics(sizeInBytes={bytes})"),
    }
}
