//! An aggregate function described by argument rules, result type, state and a maker of accumulators.
//!
//! DISTINCT and sliding windows are provided here for all of them; it knows no single function.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, StatisticsArgs, Volatility,
};

use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};

use super::adapt::{Cast, CastGroups, Distinct, OneGroup, Replay};
use super::extreme::Extreme;
use super::float_extreme::float_extreme;
use crate::scalar::coerce::{self, Arg, list_of};
use crate::scalar::spec::CoerceFn;

/// What a maker of accumulators may know.
#[derive(Debug, Clone)]
pub(crate) struct AggCall {
    /// Argument types.
    pub(crate) types: Vec<DataType>,
    /// Result type.
    pub(crate) result: DataType,
    /// `IGNORE NULLS`.
    pub(crate) ignore_nulls: bool,
    /// Direction of the first `WITHIN GROUP` ordering.
    pub(crate) descending: bool,
    /// The arguments that are constants.
    pub(crate) constants: Vec<Option<ScalarValue>>,
}

pub(crate) type Make = fn(&AggCall) -> Result<Box<dyn Accumulator>>;
pub(crate) type MakeGroups = fn(&AggCall) -> Result<SyncGroups>;
/// A grouped accumulator that can also serve a single group.
pub(crate) type SyncGroups = Box<dyn GroupsAccumulator + Sync>;
pub(crate) type StateFn = fn(&[DataType], &DataType) -> Vec<DataType>;
pub(crate) type ResultFn = fn(&[DataType]) -> Result<DataType>;

#[derive(Clone)]
enum Body {
    Native(Make, StateFn),
    Groups(MakeGroups, StateFn),
    Inner(Arc<AggregateUDF>),
}

/// An aggregate; build with [`agg`], [`grouped`] or [`wrap`].
#[derive(Clone)]
pub(crate) struct Agg {
    name: &'static str,
    args: &'static [Arg],
    min: usize,
    rest: Option<Arg>,
    coerce: Option<CoerceFn>,
    result: Option<ResultFn>,
    nullable: bool,
    empty: Option<fn(&DataType) -> Result<ScalarValue>>,
    ordered: bool,
    within: bool,
    body: Body,
    signature: Signature,
    also: &'static [&'static str],
}

fn base(name: &'static str, args: &'static [Arg], result: Option<ResultFn>, body: Body) -> Agg {
    Agg {
        name,
        args,
        min: args.len(),
        rest: None,
        coerce: None,
        result,
        nullable: true,
        empty: None,
        ordered: false,
        within: false,
        body,
        signature: Signature::user_defined(Volatility::Immutable),
        also: &[],
    }
}

/// An aggregate with an accumulator of its own.
pub(crate) fn agg(name: &'static str, args: &'static [Arg], result: ResultFn, state: StateFn, make: Make) -> Agg {
    base(name, args, Some(result), Body::Native(make, state))
}

/// An aggregate whose accumulator handles many groups at once.
pub(crate) fn grouped(
    name: &'static str,
    args: &'static [Arg],
    result: ResultFn,
    state: StateFn,
    make: MakeGroups,
) -> Agg {
    base(name, args, Some(result), Body::Groups(make, state))
}

/// An aggregate of DataFusion; `result` where Spark's type differs.
pub(crate) fn wrap(
    name: &'static str,
    args: &'static [Arg],
    result: Option<ResultFn>,
    inner: Arc<AggregateUDF>,
) -> Agg {
    base(name, args, result, Body::Inner(inner))
}

impl Agg {
    pub(crate) fn min(mut self, min: usize) -> Self {
        self.min = min;
        self
    }
    pub(crate) fn rest(mut self, rest: Arg) -> Self {
        self.rest = Some(rest);
        self
    }
    pub(crate) fn coerce(mut self, rule: CoerceFn) -> Self {
        self.coerce = Some(rule);
        self
    }
    /// The result on no rows, which is then never null.
    pub(crate) fn empty(mut self, value: fn(&DataType) -> Result<ScalarValue>) -> Self {
        self.nullable = false;
        self.empty = Some(value);
        self
    }
    /// The result depends on the order of rows.
    pub(crate) fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }
    /// Takes `WITHIN GROUP (ORDER BY ..)`, whose expressions come first among the arguments.
    pub(crate) fn within(mut self) -> Self {
        self.within = true;
        self
    }
    pub(crate) fn also(mut self, names: &'static [&'static str]) -> Self {
        self.also = names;
        self
    }
    /// One UDF for each name.
    pub(crate) fn build(self) -> Vec<Arc<AggregateUDF>> {
        let mut made: Vec<_> = self
            .also
            .iter()
            .map(|name| Arc::new(AggregateUDF::new_from_impl(Self { name, also: &[], ..self.clone() })))
            .collect();
        made.push(Arc::new(AggregateUDF::new_from_impl(self)));
        made
    }
    fn call(&self, args: &AccumulatorArgs<'_>) -> AggCall {
        AggCall {
            types: args.expr_fields.iter().map(|field| field.data_type().clone()).collect(),
            result: args.return_field.data_type().clone(),
            ignore_nulls: args.ignore_nulls,
            descending: args.order_bys.first().is_some_and(|sort| sort.options.descending),
            constants: args
                .exprs
                .iter()
                .map(|expr| expr.downcast_ref::<Literal>().map(|literal| literal.value().clone()))
                .collect(),
        }
    }
    /// What finds the least or greatest nested value, if that is what this function is asked for.
    fn extreme(&self, fields: &[FieldRef]) -> Option<Extreme> {
        Extreme::new(self.name, fields.first()?.data_type())
    }
    /// What finds the least or greatest float, if that is what this function is asked for.
    fn float_extreme(&self, fields: &[FieldRef]) -> Option<SyncGroups> {
        float_extreme(self.name, fields.first()?.data_type())
    }
    /// Whether distinct rows are told apart here: DataFusion tells numbers of both zeros apart.
    fn keeps_rows(&self, fields: &[FieldRef]) -> bool {
        !matches!(self.body, Body::Inner(_)) || fields.iter().any(|field| field.data_type().is_floating())
    }
    fn plain(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let call = self.call(&args);
        // Partial states carry no ordering: merged, they would come out in the order tasks finish.
        if self.ordered && !args.order_bys.is_empty() && !matches!(self.body, Body::Inner(_)) {
            return datafusion::common::not_impl_err!("ORDER BY inside {}", self.name);
        }
        match &self.body {
            Body::Native(make, _) => make(&call),
            Body::Groups(make, _) => Ok(Box::new(OneGroup(make(&call)?))),
            Body::Inner(inner) => {
                let given = inner.return_field(args.expr_fields)?;
                let wanted = call.result;
                let made = inner.accumulator(AccumulatorArgs { return_field: Arc::clone(&given), ..args })?;
                Ok(if given.data_type() == &wanted { made } else { Box::new(Cast(made, wanted)) })
            }
        }
    }
}

/// `AccumulatorArgs` that own what they hold.
struct Owned {
    return_field: FieldRef,
    schema: Schema,
    ignore_nulls: bool,
    order_bys: Vec<PhysicalSortExpr>,
    is_reversed: bool,
    name: String,
    is_distinct: bool,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    expr_fields: Vec<FieldRef>,
}

impl Owned {
    fn borrow(&self) -> AccumulatorArgs<'_> {
        AccumulatorArgs {
            return_field: Arc::clone(&self.return_field),
            schema: &self.schema,
            ignore_nulls: self.ignore_nulls,
            order_bys: &self.order_bys,
            is_reversed: self.is_reversed,
            name: &self.name,
            is_distinct: self.is_distinct,
            exprs: &self.exprs,
            expr_fields: &self.expr_fields,
        }
    }
}

impl std::fmt::Debug for Agg {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Agg({})", self.name)
    }
}
impl PartialEq for Agg {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Agg {}
impl Hash for Agg {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl AggregateUDFImpl for Agg {
    fn name(&self) -> &str {
        self.name
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let most = if self.rest.is_some() { usize::MAX } else { self.args.len() };
        coerce::check_count(self.name, types.len(), self.min, most)?;
        if let Some(rule) = self.coerce {
            return rule(types);
        }
        coerce::coerce(self.name, self.args, self.rest, types)
    }
    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match (&self.body, self.result) {
            (_, Some(rule)) => rule(types),
            (Body::Inner(inner), None) => inner.return_type(types),
            _ => Ok(DataType::Null),
        }
    }
    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        let types: Vec<DataType> = fields.iter().map(|field| field.data_type().clone()).collect();
        Ok(Arc::new(Field::new(self.name, self.return_type(&types)?, self.nullable)))
    }
    fn is_nullable(&self) -> bool {
        self.nullable
    }
    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.empty.map_or_else(|| ScalarValue::try_from(data_type), |value| value(data_type))
    }
    /// The number of rows, where it is known. What files say of values is not always what Spark says.
    fn value_from_stats(&self, args: &StatisticsArgs<'_>) -> Option<ScalarValue> {
        match (&self.body, args.exprs) {
            (Body::Inner(inner), [one]) if self.name == "count" && one.downcast_ref::<Literal>().is_some() => {
                inner.value_from_stats(args)
            }
            _ => None,
        }
    }
    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if let Some(extreme) = self.extreme(args.expr_fields) {
            return Ok(Box::new(extreme));
        }
        if let Some(extreme) = self.float_extreme(args.expr_fields) {
            return Ok(Box::new(OneGroup(extreme)));
        }
        if args.is_distinct && self.keeps_rows(args.expr_fields) {
            let types = self.call(&args).types;
            return Ok(Box::new(Distinct::new(self.plain(args)?, types)));
        }
        self.plain(args)
    }
    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let types: Vec<DataType> = args.input_fields.iter().map(|field| field.data_type().clone()).collect();
        let name = |index: usize| format!("{}[{index}]", args.name);
        let field = |(index, t): (usize, DataType)| Arc::new(Field::new(name(index), t, true));
        match &self.body {
            _ if self.float_extreme(args.input_fields).is_some() => {
                Ok(types.into_iter().enumerate().map(field).collect())
            }
            _ if args.is_distinct
                && self.keeps_rows(args.input_fields)
                && self.extreme(args.input_fields).is_none() =>
            {
                Ok(types.into_iter().map(|t| list_of(t, true)).enumerate().map(field).collect())
            }
            Body::Inner(inner) => {
                let given = inner.return_field(args.input_fields)?;
                inner.state_fields(StateFieldsArgs { return_field: given, ..args })
            }
            Body::Native(_, state) | Body::Groups(_, state) => {
                Ok(state(&types, args.return_field.data_type()).into_iter().enumerate().map(field).collect())
            }
        }
    }
    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        match &self.body {
            Body::Native(..) => false,
            Body::Groups(..) => !args.is_distinct,
            Body::Inner(_) if self.float_extreme(args.expr_fields).is_some() => true,
            Body::Inner(_) if args.is_distinct && self.keeps_rows(args.expr_fields) => false,
            Body::Inner(_) if self.extreme(args.expr_fields).is_some() => false,
            Body::Inner(inner) => match inner.return_field(args.expr_fields) {
                Ok(given) => inner.groups_accumulator_supported(AccumulatorArgs { return_field: given, ..args }),
                Err(_) => false,
            },
        }
    }
    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        if let Some(extreme) = self.float_extreme(args.expr_fields) {
            return Ok(extreme);
        }
        let call = self.call(&args);
        match &self.body {
            Body::Native(..) => datafusion::common::internal_err!("{} has no grouped accumulator", self.name),
            Body::Groups(make, _) => Ok(make(&call)?),
            Body::Inner(inner) => {
                let given = inner.return_field(args.expr_fields)?;
                let made =
                    inner.create_groups_accumulator(AccumulatorArgs { return_field: Arc::clone(&given), ..args })?;
                let same = given.data_type() == &call.result;
                Ok(if same { made } else { Box::new(CastGroups(made, call.result)) })
            }
        }
    }
    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let function = self.clone();
        let owned = Owned {
            return_field: args.return_field,
            schema: args.schema.clone(),
            ignore_nulls: args.ignore_nulls,
            order_bys: args.order_bys.to_vec(),
            is_reversed: args.is_reversed,
            name: args.name.to_string(),
            is_distinct: args.is_distinct,
            exprs: args.exprs.to_vec(),
            expr_fields: args.expr_fields.to_vec(),
        };
        let first = function.accumulator(owned.borrow())?;
        if first.supports_retract_batch() {
            return Ok(first);
        }
        Ok(Box::new(Replay::new(Box::new(move || function.accumulator(owned.borrow())))))
    }
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        match &self.body {
            Body::Inner(inner) => inner.order_sensitivity(),
            _ if self.ordered => AggregateOrderSensitivity::HardRequirement,
            _ => AggregateOrderSensitivity::Insensitive,
        }
    }
    fn reverse_expr(&self) -> ReversedUDAF {
        if self.ordered || self.within { ReversedUDAF::NotSupported } else { ReversedUDAF::Identical }
    }
    fn supports_within_group_clause(&self) -> bool {
        self.within
    }
    fn supports_null_handling_clause(&self) -> bool {
        true
    }
}
