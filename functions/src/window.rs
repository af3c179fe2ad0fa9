//! Spark's window functions: DataFusion's, with Spark's result types, and one of our own.

mod counter;

use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_window as df;
use datafusion::logical_expr::function::{
    ExpressionArgs, PartitionEvaluatorArgs, WindowFunctionSimplification, WindowUDFFieldArgs,
};
use datafusion::logical_expr::window_state::WindowAggState;
use datafusion::logical_expr::{LimitEffect, PartitionEvaluator, ReversedUDWF, Signature, WindowUDF, WindowUDFImpl};
use datafusion::physical_expr::PhysicalExpr;

/// All window functions: ranks and `ntile` give `INT`, `percent_rank` and `cume_dist` doubles, the others their argument's type.
pub(crate) fn all() -> Vec<Arc<WindowUDF>> {
    let int = Some(DataType::Int32);
    let made = [
        (df::row_number::row_number_udwf(), "row_number", int.clone()),
        (df::rank::rank_udwf(), "rank", int.clone()),
        (df::rank::dense_rank_udwf(), "dense_rank", int.clone()),
        (df::rank::percent_rank_udwf(), "percent_rank", None),
        (df::cume_dist::cume_dist_udwf(), "cume_dist", None),
        (df::ntile::ntile_udwf(), "ntile", int),
        (df::lead_lag::lead_udwf(), "lead", None),
        (df::lead_lag::lag_udwf(), "lag", None),
        (df::nth_value::nth_value_udwf(), "nth_value", None),
        (df::nth_value::first_value_udwf(), "first_value", None),
        (df::nth_value::first_value_udwf(), "first", None),
        (df::nth_value::first_value_udwf(), "any_value", None),
        (df::nth_value::last_value_udwf(), "last_value", None),
        (df::nth_value::last_value_udwf(), "last", None),
    ];
    made.into_iter()
        .map(|(inner, name, result)| WindowUDF::new_from_impl(Window { inner, name, result }))
        .chain([WindowUDF::new_from_impl(counter::CounterDiff::new())])
        .map(Arc::new)
        .collect()
}

/// A window function of DataFusion under Spark's name and result type.
#[derive(Debug, Clone)]
struct Window {
    inner: Arc<WindowUDF>,
    name: &'static str,
    result: Option<DataType>,
}

impl PartialEq for Window {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Window {}
impl Hash for Window {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl WindowUDFImpl for Window {
    fn name(&self) -> &str {
        self.name
    }
    fn signature(&self) -> &Signature {
        self.inner.signature()
    }
    fn expressions(&self, args: ExpressionArgs<'_>) -> Vec<Arc<dyn PhysicalExpr>> {
        self.inner.expressions(args)
    }
    fn partition_evaluator(&self, args: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        let made = self.inner.partition_evaluator_factory(args)?;
        Ok(match &self.result {
            Some(result) => Box::new(Cast(made, result.clone())),
            None => made,
        })
    }
    fn simplify(&self) -> Option<WindowFunctionSimplification> {
        None
    }
    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        let given = self.inner.field(args)?;
        let data_type = self.result.clone().unwrap_or_else(|| given.data_type().clone());
        Ok(Arc::new(Field::new(given.name(), data_type, given.is_nullable())))
    }
    fn sort_options(&self) -> Option<SortOptions> {
        self.inner.sort_options()
    }
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }
    fn reverse_expr(&self) -> ReversedUDWF {
        ReversedUDWF::NotSupported
    }
    fn limit_effect(&self, args: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        self.inner.inner().limit_effect(args)
    }
}

/// Casts what an evaluator gives.
#[derive(Debug)]
struct Cast(Box<dyn PartitionEvaluator>, DataType);

impl PartitionEvaluator for Cast {
    fn memoize(&mut self, state: &mut WindowAggState) -> Result<()> {
        self.0.memoize(state)
    }
    fn get_range(&self, index: usize, rows: usize) -> Result<Range<usize>> {
        self.0.get_range(index, rows)
    }
    fn is_causal(&self) -> bool {
        self.0.is_causal()
    }
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        Ok(arrow::compute::cast(&self.0.evaluate_all(values, rows)?, &self.1)?)
    }
    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        self.0.evaluate(values, range)?.cast_to(&self.1)
    }
    fn evaluate_all_with_rank(&self, rows: usize, ranks: &[Range<usize>]) -> Result<ArrayRef> {
        Ok(arrow::compute::cast(&self.0.evaluate_all_with_rank(rows, ranks)?, &self.1)?)
    }
    fn supports_bounded_execution(&self) -> bool {
        self.0.supports_bounded_execution()
    }
    fn uses_window_frame(&self) -> bool {
        self.0.uses_window_frame()
    }
    fn include_rank(&self) -> bool {
        self.0.include_rank()
    }
}
