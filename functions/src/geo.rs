//! `GEOMETRY` and `GEOGRAPHY`: well-known binary, spatial references and the `st_*` functions.
//!
//! A value is carried as a struct of its reference identifier and its well-known binary. Nothing here knows plans.
//! Source: <https://spark.apache.org/docs/latest/sql-ref-datatypes.html>.

mod functions;
mod srid;
mod wkb;

pub(crate) use functions::all as functions;
pub use srid::{check_srid, is_srid};

use arrow::datatypes::DataType as Arrow;

use crate::types::DataType;

/// The spatial type an Arrow type carries, if it is one.
pub(crate) fn of_arrow(arrow: &Arrow) -> Option<DataType> {
    match arrow {
        Arrow::Struct(_) => DataType::from_arrow_type(arrow).ok().filter(DataType::is_spatial),
        _ => None,
    }
}

/// The type that holds values of both: with mixed references unless both have the same. `None` when they do not mix.
#[must_use]
pub fn common(left: &DataType, right: &DataType) -> Option<DataType> {
    match (left, right) {
        (DataType::Geometry(a), DataType::Geometry(b)) => Some(DataType::Geometry(a.filter(|_| a == b))),
        (DataType::Geography(a), DataType::Geography(b)) => Some(DataType::Geography(a.filter(|_| a == b))),
        _ => None,
    }
}

/// Whether Spark has a cast between two types of which at least one is spatial: to mixed references, and from a
/// geography to a geometry with the same reference.
#[must_use]
pub fn can_cast(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (from, to) if from == to => true,
        (DataType::Null, _) => true,
        (DataType::Geometry(_), DataType::Geometry(to)) | (DataType::Geography(_), DataType::Geography(to)) => {
            to.is_none()
        }
        (DataType::Geography(from), DataType::Geometry(to)) => from == to,
        _ => false,
    }
}
