//! Analysis in a session: what the analyzer is told, and constants evaluated on the way.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use firesteel_functions::error::SparkResult;
use firesteel_functions::options::SparkOptions;
use firesteel_functions::types::DataType;
use futures::TryStreamExt;
use tokio_util::sync::CancellationToken;

use super::Session;
use super::lookup::Lookup;
use super::parse::Hooks;
use crate::analyze::{self, Analyzed, AnalyzerContext, Namespace};
use crate::catalog::CATALOG;
use crate::source::failure;
use crate::spec::{self, Expr, ExprKind, Relation};

/// Values for the parameters of a statement.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters {
    pub(crate) named: Vec<(String, Expr)>,
    pub(crate) positional: Vec<Expr>,
}

impl Session {
    /// Resolves a query.
    pub async fn analyze(self: &Arc<Self>, relation: &Relation) -> SparkResult<Analyzed> {
        let ctx = self.context()?;
        self.analyze_in(&ctx, relation, &Parameters::default()).await
    }

    /// Resolves a query for a context, with parameters.
    pub(crate) async fn analyze_in(
        self: &Arc<Self>,
        ctx: &Arc<SessionContext>,
        relation: &Relation,
        parameters: &Parameters,
    ) -> SparkResult<Analyzed> {
        let context = self.analyzer_context(ctx, parameters);
        let lookup = Lookup { session: Arc::clone(self), ctx: Arc::clone(ctx) };
        // Analysis recurses once for each level of a plan, and plans may be deep.
        analyze::analyze(relation, &context, &lookup).await
    }

    /// The value of an expression without columns.
    pub(crate) async fn evaluate(
        self: &Arc<Self>,
        expr: &Expr,
        to: Option<&DataType>,
    ) -> SparkResult<(DataType, ScalarValue)> {
        let ctx = self.context()?;
        let context = self.analyzer_context(&ctx, &Parameters::default());
        let lookup = Lookup { session: Arc::clone(self), ctx };
        analyze::evaluate(expr, to, &context, &lookup).await
    }

    /// The value of an expression as text; NULL is `None`.
    pub(crate) async fn evaluate_text(self: &Arc<Self>, expr: &Expr) -> SparkResult<Option<String>> {
        let cast = ExprKind::Cast { expr: expr.clone(), to: DataType::String, mode: spec::CastMode::Session };
        let (_, value) = self.evaluate(&cast.into(), Some(&DataType::String)).await?;
        Ok(match value {
            ScalarValue::Utf8(text) | ScalarValue::Utf8View(text) | ScalarValue::LargeUtf8(text) => text,
            _ => None,
        })
    }

    /// Runs a plan in this session and keeps all its rows.
    pub(crate) async fn collect(
        &self,
        ctx: &Arc<SessionContext>,
        plan: LogicalPlan,
        name: &str,
    ) -> SparkResult<Vec<RecordBatch>> {
        let job = self.runner().submit(name, Arc::clone(ctx), plan, CancellationToken::new()).await.map_err(failure)?;
        job.stream.try_collect().await.map_err(failure)
    }

    pub(crate) fn analyzer_context(&self, ctx: &Arc<SessionContext>, parameters: &Parameters) -> AnalyzerContext {
        let state = ctx.state();
        let config = Arc::new(state.config_options().as_ref().clone());
        let options = SparkOptions::from_config(&config);
        let conf = self.conf();
        let mut parse_options = self.parse_options();
        parse_options.identifiers = Some(Arc::new(self.identifiers(parameters)));
        let session = self.state().read();
        let locals = crate::script::locals();
        AnalyzerContext {
            now: i64::try_from(options.query_time).unwrap_or_default(),
            user: super::user::effective(self.user()),
            namespace: Namespace { catalog: CATALOG.to_string(), database: session.database.clone() },
            variables: session.variables.clone(),
            locals,
            named_parameters: parameters.named.iter().cloned().collect(),
            positional_parameters: parameters.positional.clone(),
            ordinals: conf.is_true("spark.sql.groupByOrdinal") && conf.is_true("spark.sql.orderByOrdinal"),
            group_by_aliases: conf.is_true("spark.sql.groupByAliases"),
            count_of_table: conf.is_true("spark.sql.legacy.allowStarWithSingleTableIdentifierInCount"),
            nanos: conf.is_true("spark.sql.timestampNanosTypes.enabled"),
            count_of_nothing: conf.is_true("spark.sql.legacy.allowParameterlessCount"),
            null_in_nothing: conf.is_true("spark.sql.legacy.nullInEmptyListBehavior"),
            having_as_where: conf.is_true("spark.sql.legacy.parser.havingWithoutGroupByAsWhere"),
            cross_join: conf.is_true("spark.sql.crossJoin.enabled"),
            pivot_max_values: conf
                .get_option("spark.sql.pivotMaxValues")
                .and_then(|value| value.trim().parse().ok())
                .unwrap_or(10_000),
            transpose_max_values: conf
                .get_option("spark.sql.transposeMaxValues")
                .and_then(|value| value.trim().parse().ok())
                .unwrap_or(500),
            cte: cte_options(conf),
            parse: Arc::new(Hooks(parse_options)),
            options,
            config,
        }
    }
}

fn cte_options(conf: &crate::conf::RuntimeConf) -> analyze::CteOptions {
    use crate::analyze::Precedence;
    let number = |key: &str, or: i64| conf.get_option(key).and_then(|value| value.trim().parse().ok()).unwrap_or(or);
    let policy = conf.get_option("spark.sql.legacy.ctePrecedencePolicy").map(|value| value.trim().to_uppercase());
    analyze::CteOptions {
        precedence: match policy.as_deref() {
            Some("LEGACY") => Precedence::Outer,
            Some("EXCEPTION") => Precedence::Forbidden,
            _ => Precedence::Inner,
        },
        levels: number("spark.sql.cteRecursionLevelLimit", 100),
        rows: number("spark.sql.cteRecursionRowLimit", 1_000_000),
    }
}
