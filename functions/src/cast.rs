//! Spark's casts: every pair of types, in ANSI, legacy and try mode, over whole arrays.
//!
//! `spark_cast(value, NULL of the target type, mode)` is the function plans contain. It knows nothing of analysis; which
//! casts a query may write is said by [`rules`].

mod datetime;
mod decimal;
mod nested;
mod number;
pub mod rules;
mod store;
#[cfg(test)]
mod tests;
mod text;
mod udf;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, new_null_array};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::scalar::ScalarValue;

pub use decimal::{parse_decimal, rescale};

/// Pieces of decimal arithmetic that other rooms share.
pub(crate) mod decimal_parts {
    pub(crate) use super::decimal::{divide_half_up, power_of_ten};
}

pub use rules::{can_cast, can_store_assign, can_up_cast};
pub use udf::{SparkCast, cast_udf};

use crate::error::{SparkError, SparkResult};
use crate::time::Zone;
use crate::types::DataType;

/// What a cast does with a value that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CastMode {
    /// An error.
    Ansi,
    /// NULL or wraparound, as in Hive.
    Legacy,
    /// NULL.
    Try,
}

impl CastMode {
    /// The literal in plans.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ansi => "ansi",
            Self::Legacy => "legacy",
            Self::Try => "try",
        }
    }
}

/// A cast whose source type is found when the plan runs.
#[must_use]
pub fn cast_expr(expr: Expr, to: &DataType, mode: CastMode) -> Expr {
    call(expr, None, to, mode)
}

/// A cast on the way into the column of a table, whose quoted name is told when a value does not fit.
#[must_use]
pub fn store_expr(expr: Expr, from: &DataType, to: &DataType, column: &str) -> Expr {
    match call(expr, Some(from), to, CastMode::Ansi) {
        Expr::ScalarFunction(mut function) if store::may_overflow(from, to) => {
            function.args.push(Expr::Literal(ScalarValue::Utf8(Some(column.to_owned())), None));
            Expr::ScalarFunction(function)
        }
        other => other,
    }
}

/// A cast from a known type: nothing, a plain cast, or `spark_cast`.
#[must_use]
pub fn cast_expr_from(expr: Expr, from: &DataType, to: &DataType, mode: CastMode) -> Expr {
    if from == to {
        return expr;
    }
    if rules::is_plain(from, to) {
        return datafusion::logical_expr::cast(expr, to.to_arrow());
    }
    call(expr, Some(from), to, mode)
}

fn call(expr: Expr, from: Option<&DataType>, to: &DataType, mode: CastMode) -> Expr {
    let arrow = to.to_arrow();
    // Types that Arrow alone cannot tell travel in the mode, because plans between processes drop field metadata.
    let mut words = mode.name().to_owned();
    if let Some(from) = from.filter(|from| udf::is_ambiguous(from)) {
        words.push_str(&format!(";from={}", from.json()));
    }
    if udf::is_ambiguous(to) {
        words.push_str(&format!(";to={}", to.json()));
    }
    let null = ScalarValue::try_from(&arrow).unwrap_or(ScalarValue::Null);
    let arguments = vec![expr, Expr::Literal(null, None), Expr::Literal(ScalarValue::Utf8(Some(words)), None)];
    Expr::ScalarFunction(ScalarFunction::new_udf(cast_udf(), arguments))
}

/// Casts an array.
///
/// # Errors
/// In ANSI mode the first value that does not fit; in every mode a pair of types Spark does not cast.
pub fn cast_array(
    array: &ArrayRef,
    from: &DataType,
    to: &DataType,
    mode: CastMode,
    zone: &Zone,
) -> SparkResult<ArrayRef> {
    let cast = Cast { from, to, mode, zone, column: None };
    cast.run(&canonical(array, from)?)
}

/// Casts an array that goes into the column of a table.
///
/// # Errors
/// `CAST_OVERFLOW_IN_TABLE_INSERT` with the path of the part that does not fit; otherwise as [`cast_array`].
fn store_array(
    array: &ArrayRef,
    from: &DataType,
    to: &DataType,
    mode: CastMode,
    zone: &Zone,
    column: &str,
) -> SparkResult<ArrayRef> {
    let cast = Cast { from, to, mode, zone, column: Some(column) };
    cast.run(&canonical(array, from)?)
}

/// One cast of one array.
#[derive(Clone, Copy)]
struct Cast<'a> {
    from: &'a DataType,
    to: &'a DataType,
    mode: CastMode,
    zone: &'a Zone,
    /// The quoted name of the table's column, or of the part of it, that takes the values; none outside of an `INSERT`.
    column: Option<&'a str>,
}

impl Cast<'_> {
    fn run(&self, array: &ArrayRef) -> SparkResult<ArrayRef> {
        self.converted(array).map_err(|error| match self.column {
            Some(column) => store::overflow(error, self.from, self.to, column),
            None => error,
        })
    }

    fn converted(&self, array: &ArrayRef) -> SparkResult<ArrayRef> {
        use DataType as T;
        if self.from == self.to {
            return Ok(Arc::clone(array));
        }
        match (self.from, self.to) {
            // A collation says how text is compared, not what it is.
            (T::Collated(_), _) => Cast { from: &T::String, ..*self }.run(array),
            (_, T::Collated(_)) => Cast { to: &T::String, ..*self }.run(array),
            (T::Null, to) => Ok(new_null_array(&to.to_arrow(), array.len())),
            (from, to) if from.is_spatial() || to.is_spatial() => self.spatial(array),
            (T::Variant, to) => crate::scalar::variant::to_array(array, to, self.mode, self.zone),
            (from, T::Variant) => crate::scalar::variant::from_array(array, from),
            (T::String | T::Char(_) | T::Varchar(_), T::String) => Ok(Arc::clone(array)),
            (from, T::String) => Ok(Arc::new(crate::display::cast_to_string_mode(array, from, self.zone, self.mode)?)),
            (_, T::Char(_) | T::Varchar(_)) => {
                let text = Cast { to: &T::String, ..*self }.run(array)?;
                text::fit(&text, self.to)
            }
            (T::String | T::Char(_) | T::Varchar(_), _) => self.text_to(array),
            (T::Array { .. }, T::Array { .. }) | (T::Map { .. }, T::Map { .. }) | (T::Struct(_), T::Struct(_)) => {
                self.nested(array)
            }
            (from, to) if (from.is_numeric() || *from == T::Boolean) && (to.is_numeric() || *to == T::Boolean) => {
                self.number(array)
            }
            (from, T::Binary) if from.is_integral() => number::to_bytes(array),
            _ => self.datetime(array),
        }
    }

    /// Applies `f` to every value; where it has no answer, fails or gives null as the mode says.
    fn map<S: ArrowPrimitiveType, D: ArrowPrimitiveType>(
        &self,
        array: &dyn Array,
        f: impl Fn(S::Native) -> Option<D::Native>,
        error: impl Fn(S::Native) -> SparkError,
    ) -> SparkResult<ArrayRef> {
        let array = primitive::<S>(array)?;
        // Hardly a batch has a row without an answer, so all are computed first without a branch, those of nulls too.
        // A plain loop, because a flag that a closure writes keeps it from becoming vector instructions.
        let mut any = false;
        let mut values = vec![D::Native::default(); array.len()];
        for (made, value) in values.iter_mut().zip(array.values()) {
            let found = f(*value);
            any |= found.is_none();
            *made = found.unwrap_or_default();
        }
        let result: PrimitiveArray<D> = match self.mode {
            _ if !any => PrimitiveArray::new(values.into(), array.nulls().cloned()),
            CastMode::Ansi => array.try_unary(|value| f(value).ok_or_else(|| error(value)))?,
            CastMode::Legacy | CastMode::Try => array.unary_opt(f),
        };
        Ok(Arc::new(result.with_data_type(self.to.to_arrow())))
    }

    /// Applies `f`, which has an answer for every value.
    fn total<S: ArrowPrimitiveType, D: ArrowPrimitiveType>(
        &self,
        array: &dyn Array,
        f: impl Fn(S::Native) -> D::Native,
    ) -> SparkResult<ArrayRef> {
        let result: PrimitiveArray<D> = primitive::<S>(array)?.unary(f);
        Ok(Arc::new(result.with_data_type(self.to.to_arrow())))
    }

    fn unsupported(&self) -> SparkError {
        rules::cannot_cast("cast", self.from, self.to)
    }
}

/// The array as the one Arrow type that carries its Spark type; files may bring others.
pub(crate) fn canonical(array: &ArrayRef, data_type: &DataType) -> SparkResult<ArrayRef> {
    let wanted = data_type.to_arrow();
    if *array.data_type() == wanted {
        return Ok(Arc::clone(array));
    }
    Ok(arrow::compute::cast(array, &wanted)?)
}

pub(crate) fn primitive<T: ArrowPrimitiveType>(array: &dyn Array) -> SparkResult<&PrimitiveArray<T>> {
    array.as_primitive_opt::<T>().ok_or_else(|| {
        SparkError::internal(format!("expected values of {:?}, found {:?}", T::DATA_TYPE, array.data_type()))
    })
}

pub(crate) fn strings(array: &dyn Array) -> SparkResult<&arrow::array::StringArray> {
    array
        .as_string_opt::<i32>()
        .ok_or_else(|| SparkError::internal(format!("expected strings, found {:?}", array.data_type())))
}
