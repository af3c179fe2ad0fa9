//! Typed access to argument arrays and the errors kernels raise. It knows no function.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayAccessor, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Float64Array, Int32Array,
    Int64Array, ListArray, MapArray, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{
    Date32Type, Float64Type, Int32Type, Int64Type, Time64MicrosecondType, TimestampMicrosecondType,
};
use datafusion::common::{DataFusionError, Result, ScalarValue};

use crate::error::{ErrorKind, SparkError};

fn missing(what: &str) -> DataFusionError {
    SparkError::internal(format!("a function argument is no {what}")).into()
}

macro_rules! reader {
    ($($(#[$doc:meta])* $name:ident -> $array:ty, $what:literal, $get:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name(args: &[ArrayRef], at: usize) -> Result<&$array> {
            let get: fn(&ArrayRef) -> Option<&$array> = $get;
            args.get(at).and_then(get).ok_or_else(|| missing($what))
        }
    )*};
}

reader! {
    /// A string argument.
    strs -> StringArray, "string", |a| a.as_string_opt::<i32>();
    /// A binary argument.
    bins -> BinaryArray, "binary", |a| a.as_binary_opt::<i32>();
    /// A boolean argument.
    bools -> BooleanArray, "boolean", |a| a.as_boolean_opt();
    /// An `INT` argument.
    ints -> Int32Array, "int", |a| a.as_primitive_opt::<Int32Type>();
    /// A `BIGINT` argument.
    longs -> Int64Array, "bigint", |a| a.as_primitive_opt::<Int64Type>();
    /// A `DOUBLE` argument.
    doubles -> Float64Array, "double", |a| a.as_primitive_opt::<Float64Type>();
    /// A `DATE` argument.
    dates -> Date32Array, "date", |a| a.as_primitive_opt::<Date32Type>();
    /// A timestamp argument of either kind.
    stamps -> TimestampMicrosecondArray, "timestamp", |a| a.as_primitive_opt::<TimestampMicrosecondType>();
    /// A `TIME` argument.
    times -> Time64MicrosecondArray, "time", |a| a.as_primitive_opt::<Time64MicrosecondType>();
    /// An array argument.
    lists -> ListArray, "array", |a| a.as_list_opt::<i32>();
    /// A map argument.
    maps -> MapArray, "map", |a| a.as_map_opt();
}

/// Bytes of all rows of strings.
pub(crate) fn text_bytes(array: &StringArray) -> usize {
    let range = array.offsets().first().zip(array.offsets().last());
    range.and_then(|(from, to)| usize::try_from(to.wrapping_sub(*from)).ok()).unwrap_or(0)
}

/// A constant argument as often as there are rows.
pub(crate) fn repeated(array: &ArrayRef, rows: usize) -> Result<ArrayRef> {
    match array.len() == 1 && rows != 1 {
        true => ScalarValue::try_from_array(array, 0)?.to_array_of_size(rows),
        false => Ok(Arc::clone(array)),
    }
}

/// An argument whose array may have a single row, which then stands for every row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column<A> {
    array: A,
    single: bool,
}

impl<A: ArrayAccessor> Column<A> {
    pub(crate) fn new(array: A) -> Self {
        Self { single: array.len() == 1, array }
    }
    /// The value of a row; `None` is null.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> Option<A::Item> {
        let row = if self.single { 0 } else { row };
        self.array.is_valid(row).then(|| self.array.value(row))
    }
}

/// An error of a kernel.
pub(crate) fn fail(kind: ErrorKind, condition: &str, parameters: &[(&str, &str)]) -> DataFusionError {
    SparkError::new(kind, condition, parameters).into()
}

/// `INVALID_PARAMETER_VALUE.*`: an argument whose value a function does not take.
pub(crate) fn invalid(sub: &str, function: &str, parameters: &[(&str, &str)]) -> DataFusionError {
    let name = format!("`{function}`");
    let mut all = vec![("functionName", name.as_str())];
    all.extend_from_slice(parameters);
    let condition = format!("INVALID_PARAMETER_VALUE.{sub}");
    SparkError::new(ErrorKind::IllegalArgument, &condition, &all).into()
}

/// The value of row `row` or `None`, for optional trailing arguments.
pub(crate) fn opt_int(args: &[ArrayRef], at: usize, row: usize) -> Option<i32> {
    let array = args.get(at)?.as_primitive_opt::<Int32Type>()?;
    (row < array.len() && array.is_valid(row)).then(|| array.value(row))
}
