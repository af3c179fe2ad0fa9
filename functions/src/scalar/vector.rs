//! Vectors, which are arrays of floats: norms, products, distances. A null element makes the result null.
//!
//! Source: Spark's page of vector functions. Sums run in 32 bits, in order, as the results are declared.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, Float32Builder, ListArray, ListBuilder};
use arrow::datatypes::{DataType, Field, Float32Type};
use datafusion::common::{Result, internal_err};

use super::array_types::exactly;
use super::coerce::{Arg, list_of};
use super::read::{fail, lists};
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::error::ErrorKind;

/// Whether a type is that of vectors.
pub(crate) fn is_vector(given: &DataType) -> bool {
    matches!(given, DataType::List(element) if *element.data_type() == DataType::Float32)
}

fn is_float(given: &DataType) -> bool {
    *given == DataType::Float32
}

/// Name of the type of vectors in messages.
pub(crate) const VECTOR: &str = "ARRAY<FLOAT>";

/// `VECTOR_DIMENSION_MISMATCH`.
pub(crate) fn other_dimension(name: &str, left: usize, right: usize) -> datafusion::common::DataFusionError {
    let (left, right) = (left.to_string(), right.to_string());
    let name = format!("`{name}`");
    let parameters = [("functionName", name.as_str()), ("leftDim", left.as_str()), ("rightDim", right.as_str())];
    fail(ErrorKind::Runtime, "VECTOR_DIMENSION_MISMATCH", &parameters)
}

/// The vector of a row; `None` when it or an element is null.
pub(crate) fn vector(list: &ListArray, row: usize) -> Option<Float32Array> {
    let value = list.is_valid(row).then(|| list.value(row))?;
    let value = value.as_primitive_opt::<Float32Type>().cloned()?;
    (value.null_count() == 0).then_some(value)
}

fn pairs(call: &Call<'_>, args: &[ArrayRef], work: fn(&[f32], &[f32]) -> Option<f32>) -> Result<ArrayRef> {
    let (left, right) = (lists(args, 0)?, lists(args, 1)?);
    let out = (0..left.len())
        .map(|row| {
            if left.is_null(row) || right.is_null(row) {
                return Ok(None);
            }
            let (x, y) = (left.value(row).len(), right.value(row).len());
            if x != y {
                return Err(other_dimension(call.name, x, y));
            }
            Ok(match (vector(left, row), vector(right, row)) {
                (Some(x), Some(y)) => work(x.values(), y.values()),
                _ => None,
            })
        })
        .collect::<Result<Float32Array>>()?;
    Ok(Arc::new(out))
}

fn product(x: &[f32], y: &[f32]) -> f32 {
    x.iter().zip(y).fold(0.0, |sum, (x, y)| sum + x * y)
}

fn cosine(x: &[f32], y: &[f32]) -> Option<f32> {
    let size = (f64::from(product(x, x)) * f64::from(product(y, y))).sqrt();
    (size != 0.0).then(|| (f64::from(product(x, y)) / size) as f32)
}

fn distance(x: &[f32], y: &[f32]) -> Option<f32> {
    let square = x.iter().zip(y).fold(0.0_f32, |sum, (x, y)| sum + (x - y) * (x - y));
    Some(f64::from(square).sqrt() as f32)
}

/// The norm of degree 1, 2 or infinity.
fn norm(call: &Call<'_>, values: &[f32], degree: f32) -> Result<f32> {
    if degree == 2.0 {
        return Ok(f64::from(product(values, values)).sqrt() as f32);
    }
    if degree == 1.0 {
        return Ok(values.iter().fold(0.0, |sum, value| sum + value.abs()));
    }
    if degree == f32::INFINITY {
        return Ok(values.iter().fold(0.0, |most, value| most.max(value.abs())));
    }
    let (name, shown) = (format!("`{}`", call.name), crate::display::java_float(degree));
    let parameters = [("functionName", name.as_str()), ("degree", shown.as_str())];
    Err(fail(ErrorKind::Runtime, "INVALID_VECTOR_NORM_DEGREE", &parameters))
}

fn degrees(args: &[ArrayRef]) -> Result<Option<&Float32Array>> {
    match args.get(1) {
        None => Ok(None),
        Some(given) => match given.as_primitive_opt::<Float32Type>() {
            Some(found) => Ok(Some(found)),
            None => internal_err!("a degree is no float"),
        },
    }
}

fn degree_of(given: Option<&Float32Array>, row: usize) -> Option<f32> {
    match given {
        None => Some(2.0),
        Some(given) => given.is_valid(row).then(|| given.value(row)),
    }
}

/// `vector_norm(vector[, degree])`.
fn vector_norm(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (list, given) = (lists(args, 0)?, degrees(args)?);
    let out = (0..list.len())
        .map(|row| match (vector(list, row), degree_of(given, row)) {
            (Some(values), Some(degree)) => norm(call, values.values(), degree).map(Some),
            _ => Ok(None),
        })
        .collect::<Result<Float32Array>>()?;
    Ok(Arc::new(out))
}

/// `vector_normalize(vector[, degree])`: null for a norm of zero, unless there is nothing to divide.
fn vector_normalize(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (list, given) = (lists(args, 0)?, degrees(args)?);
    let mut out = ListBuilder::new(Float32Builder::new()).with_field(Field::new("element", DataType::Float32, true));
    for row in 0..list.len() {
        let (Some(values), Some(degree)) = (vector(list, row), degree_of(given, row)) else {
            out.append_null();
            continue;
        };
        let size = norm(call, values.values(), degree)?;
        if size == 0.0 && !values.is_empty() {
            out.append_null();
            continue;
        }
        out.append_value(values.values().iter().map(|value| Some(value / size)));
    }
    Ok(Arc::new(out.finish()))
}

/// Functions of vectors.
pub(crate) fn all() -> Vec<SparkFn> {
    const TWO: &[Arg] = &[Arg::Any, Arg::Any];
    let float = || Ret::Is(DataType::Float32);
    macro_rules! both {
        ($name:literal, $work:expr) => {
            f($name, TWO, float(), |call, args| pairs(call, args, $work))
                .coerce(|t| exactly($name, t, &[(VECTOR, is_vector), (VECTOR, is_vector)]))
                .nulls(Nulls::Always)
        };
    }
    macro_rules! normed {
        ($name:literal, $result:expr, $work:expr) => {
            f($name, TWO, $result, $work)
                .min(1)
                .coerce(|t| exactly($name, t, &[(VECTOR, is_vector), ("FLOAT", is_float)]))
                .nulls(Nulls::Always)
        };
    }
    vec![
        both!("vector_inner_product", |x, y| Some(product(x, y))),
        both!("vector_cosine_similarity", cosine),
        both!("vector_l2_distance", distance),
        normed!("vector_norm", float(), vector_norm),
        normed!("vector_normalize", Ret::Is(list_of(DataType::Float32, true)), vector_normalize),
    ]
}
