//! The tuple sketches of DataSketches with an integer or double summary for each distinct key.
//!
//! <https://datasketches.apache.org/docs/Tuple/TupleOverview.html>

mod aggregates;
mod bytes;
mod cell;
mod functions;

pub(super) use aggregates::all as aggregates;
pub(super) use functions::all as functions;

use datafusion::common::{DataFusionError, Result, ScalarValue};

use super::sample::Sample;
use super::theta::nominal;
use crate::error::{ErrorKind, SparkError};
use crate::scalar::read::fail;
use cell::{Cell, Mode};

/// A tuple sketch.
type Tuple<V> = Sample<Cell<V>>;

/// `TUPLE_INVALID_INPUT_SKETCH_BUFFER`.
fn invalid(function: &str) -> DataFusionError {
    fail(ErrorKind::Runtime, "TUPLE_INVALID_INPUT_SKETCH_BUFFER", &[("function", &format!("`{function}`"))])
}

/// `DATATYPE_MISMATCH.<sub>` of a call.
fn refused(name: &str, sub: &str, parameters: &[(&str, &str)]) -> DataFusionError {
    let expression = format!("\"{name}\"");
    let mut all = vec![("sqlExpr", expression.as_str())];
    all.extend_from_slice(parameters);
    fail(ErrorKind::Analysis, &format!("DATATYPE_MISMATCH.{sub}"), &all)
}

/// A bad value of a constant, told as a failed type check.
fn hinted(name: &str, error: &DataFusionError) -> DataFusionError {
    let message = SparkError::recover(error).map_or_else(|| error.to_string(), |error| error.to_string());
    refused(name, "TYPE_CHECK_FAILURE_WITH_HINT", &[("msg", message.as_str()), ("hint", "")])
}

/// A parameter of a call: absent, a constant, or `None` for what is no constant.
type Given<'a> = Option<Option<&'a ScalarValue>>;

fn constant<'a>(name: &str, given: Option<&'a ScalarValue>, what: &str, kind: &str) -> Result<&'a ScalarValue> {
    match given {
        None => {
            let parameters = [("inputName", what), ("inputType", kind), ("inputExpr", what)];
            Err(refused(name, "NON_FOLDABLE_INPUT", &parameters))
        }
        Some(value) if value.is_null() => Err(refused(name, "UNEXPECTED_NULL", &[("exprName", what)])),
        Some(value) => Ok(value),
    }
}

/// The nominal size a call names, 12 when it names none.
fn size_of_call(name: &str, given: Given<'_>) -> Result<u8> {
    let Some(given) = given else { return nominal(name, super::theta::DEFAULT_LG) };
    match constant(name, given, "lgNomEntries", "int")? {
        ScalarValue::Int32(Some(lg)) => nominal(name, *lg).map_err(|error| hinted(name, &error)),
        _ => Err(refused(name, "UNEXPECTED_NULL", &[("exprName", "lgNomEntries")])),
    }
}

/// The mode a call names, `sum` when it names none.
fn mode_of_call(name: &str, given: Given<'_>) -> Result<Mode> {
    let Some(given) = given else { return Ok(Mode::Sum) };
    let text = constant(name, given, "mode", "string")?.try_as_str().flatten().unwrap_or_default();
    Mode::named(text).ok_or_else(|| {
        let function = format!("`{name}`");
        let parameters = [("function", function.as_str()), ("mode", text), ("validModes", "sum, min, max, alwaysone")];
        hinted(name, &fail(ErrorKind::Runtime, "TUPLE_INVALID_SKETCH_MODE", &parameters))
    })
}
