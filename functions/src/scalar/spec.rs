//! A scalar function described by a few rules: argument kinds, result type, nullability and a kernel over arrays.
//!
//! This is the only place that knows DataFusion's `ScalarUDFImpl`; it knows nothing of single functions.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::coerce::{self, Arg};
use crate::options::SparkOptions;

/// What a kernel may know beside its arguments.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// Session options.
    pub(crate) options: &'a SparkOptions,
    /// The declared result type.
    pub(crate) result: &'a DataType,
    /// Rows to produce, for functions without arguments.
    pub(crate) rows: usize,
    /// Name it was called by.
    pub(crate) name: &'static str,
}

/// A kernel: arrays of equal length in, or of one row where it takes [`constants`](SparkFn::constants) so; one array of that
/// length out.
pub(crate) type Kernel = fn(&Call<'_>, &[ArrayRef]) -> Result<ArrayRef>;
/// Computes coerced argument types.
pub(crate) type CoerceFn = fn(&[DataType]) -> Result<Vec<DataType>>;
/// Computes the result type from argument fields and constant arguments.
pub(crate) type ReturnFn = fn(&[FieldRef], &[Option<&ScalarValue>]) -> Result<DataType>;

/// The result type.
#[derive(Clone)]
pub(crate) enum Ret {
    /// Always this type.
    Is(DataType),
    /// The type of an argument.
    Same(usize),
    /// The element type of the array argument.
    Element(usize),
    /// Computed.
    With(ReturnFn),
}

/// When the result may be null.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// When an argument may be.
    Propagate,
    /// Always.
    Always,
    /// Never.
    Never,
    /// When every argument may be.
    All,
}

#[derive(Clone)]
enum Body {
    Native(Kernel),
    Inner(Arc<ScalarUDF>),
}

/// A function; build with [`f`] or [`wrap`].
#[derive(Clone)]
pub(crate) struct SparkFn {
    name: &'static str,
    args: &'static [Arg],
    min: usize,
    rest: Option<Arg>,
    coerce: Option<CoerceFn>,
    ret: Ret,
    nulls: Nulls,
    body: Body,
    signature: Signature,
    also: &'static [&'static str],
    constants: Constants,
    ansi: Ansi,
}

/// Whether a wrapped function reads DataFusion's setting of ANSI mode.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ansi {
    Unread,
    Read,
}

/// How constant arguments reach a kernel beside columns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Constants {
    Repeated,
    Single,
}

/// A function with its own kernel.
pub(crate) fn f(name: &'static str, args: &'static [Arg], ret: Ret, kernel: Kernel) -> SparkFn {
    SparkFn {
        name,
        args,
        min: args.len(),
        rest: None,
        coerce: None,
        ret,
        nulls: Nulls::Propagate,
        body: Body::Native(kernel),
        signature: Signature::user_defined(Volatility::Immutable),
        also: &[],
        constants: Constants::Repeated,
        ansi: Ansi::Unread,
    }
}

/// A function of DataFusion under Spark's name, argument rules and result type.
pub(crate) fn wrap(name: &'static str, args: &'static [Arg], ret: Ret, inner: Arc<ScalarUDF>) -> SparkFn {
    let mut made = f(name, args, ret, |_, _| datafusion::common::internal_err!("wrapped function has no kernel"));
    made.body = Body::Inner(inner);
    made
}

impl SparkFn {
    /// The last arguments are optional: at least `min` are needed.
    pub(crate) fn min(mut self, min: usize) -> Self {
        self.min = min;
        self
    }
    /// Any number of further arguments of this kind.
    pub(crate) fn rest(mut self, rest: Arg) -> Self {
        self.rest = Some(rest);
        self
    }
    /// Coerces with a function of its own.
    pub(crate) fn coerce(mut self, rule: CoerceFn) -> Self {
        self.coerce = Some(rule);
        self
    }
    /// Nullability of the result.
    pub(crate) fn nulls(mut self, nulls: Nulls) -> Self {
        self.nulls = nulls;
        self
    }
    /// The result changes with every row.
    pub(crate) fn volatile(mut self) -> Self {
        self.signature = Signature::user_defined(Volatility::Volatile);
        self
    }
    /// The result is fixed within a query.
    pub(crate) fn stable(mut self) -> Self {
        self.signature = Signature::user_defined(Volatility::Stable);
        self
    }
    /// Constant arguments reach the kernel as arrays of one row: see [`super::read::Column`].
    pub(crate) fn constants(mut self) -> Self {
        self.constants = Constants::Single;
        self
    }
    /// The wrapped function reads DataFusion's setting of ANSI mode, which then follows ours.
    pub(crate) fn ansi(mut self) -> Self {
        self.ansi = Ansi::Read;
        self
    }
    /// Further names for the same function.
    pub(crate) fn also(mut self, names: &'static [&'static str]) -> Self {
        self.also = names;
        self
    }
    /// One UDF for each name.
    pub(crate) fn build(self) -> Vec<Arc<ScalarUDF>> {
        let mut made: Vec<_> = self
            .also
            .iter()
            .map(|name| Arc::new(ScalarUDF::new_from_impl(Self { name, also: &[], ..self.clone() })))
            .collect();
        made.push(Arc::new(ScalarUDF::new_from_impl(self)));
        made
    }
}

impl std::fmt::Debug for SparkFn {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "SparkFn({})", self.name)
    }
}
impl PartialEq for SparkFn {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for SparkFn {}
impl Hash for SparkFn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for SparkFn {
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
        let fields: Vec<FieldRef> = types.iter().map(|t| Arc::new(Field::new("", t.clone(), true))).collect();
        let none = vec![None; fields.len()];
        let args = ReturnFieldArgs { arg_fields: &fields, scalar_arguments: &none };
        Ok(self.return_field_from_args(args)?.data_type().clone())
    }
    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let fields = args.arg_fields;
        let data_type = match &self.ret {
            Ret::Is(data_type) => data_type.clone(),
            Ret::Same(at) => fields.get(*at).map_or(DataType::Null, |field| field.data_type().clone()),
            Ret::Element(at) => match fields.get(*at).map(|field| field.data_type()) {
                Some(DataType::List(element)) => element.data_type().clone(),
                _ => DataType::Null,
            },
            Ret::With(rule) => rule(fields, args.scalar_arguments)?,
        };
        let nullable = match self.nulls {
            Nulls::Propagate => fields.iter().any(|field| field.is_nullable()),
            Nulls::All => fields.iter().all(|field| field.is_nullable()),
            Nulls::Always => true,
            Nulls::Never => false,
        };
        Ok(Arc::new(Field::new(self.name, data_type, nullable)))
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match &self.body {
            Body::Native(kernel) => {
                let options = SparkOptions::from_config(&args.config_options);
                let volatile = self.signature.volatility == Volatility::Volatile;
                let constant = !volatile && args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
                let rows = if constant { 1 } else { args.number_rows };
                let repeated = if self.constants == Constants::Single { 1 } else { rows };
                let arrays =
                    args.args.into_iter().map(|arg| arg.into_array(repeated)).collect::<Result<Vec<ArrayRef>>>()?;
                let call = Call { options: &options, result: args.return_field.data_type(), rows, name: self.name };
                let out = kernel(&call, &arrays)?;
                let out = conform(out, args.return_field.data_type())?;
                if constant {
                    return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&out, 0)?));
                }
                Ok(ColumnarValue::Array(out))
            }
            Body::Inner(inner) => {
                let wanted = args.return_field.data_type().clone();
                let given = {
                    let scalars: Vec<Option<&ScalarValue>> = args
                        .args
                        .iter()
                        .map(|arg| match arg {
                            ColumnarValue::Scalar(value) => Some(value),
                            ColumnarValue::Array(_) => None,
                        })
                        .collect();
                    inner.return_field_from_args(ReturnFieldArgs {
                        arg_fields: &args.arg_fields,
                        scalar_arguments: &scalars,
                    })?
                };
                let mut config_options = Arc::clone(&args.config_options);
                if self.ansi == Ansi::Read {
                    let ansi = SparkOptions::from_config(&config_options).ansi;
                    Arc::make_mut(&mut config_options).execution.enable_ansi_mode = ansi;
                }
                let out = inner.invoke_with_args(ScalarFunctionArgs { return_field: given, config_options, ..args })?;
                if out.data_type() == wanted {
                    return Ok(out);
                }
                out.cast_to(&wanted, None)
            }
        }
    }
}

/// Gives `array` the declared type where only names or nullability of nested fields differ.
pub(crate) fn conform(array: ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
    if array.data_type() == wanted {
        return Ok(array);
    }
    Ok(arrow::compute::cast(&array, wanted)?)
}
