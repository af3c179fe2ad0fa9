//! Spark Connect messages into the engine's own unresolved plan, [`firesteel_spark::spec`].
//!
//! Decoding is pure: it asks the session for nothing but cached blobs and the SQL parser, and resolves nothing.
//! A field that is missing is an error with Spark's condition, never a panic.

mod catalog;
mod command;
mod expression;
mod identifier;
mod literal;
mod local;
mod nearest;
mod number;
mod plan;
mod relation;
mod schema;
mod source;
mod statistics;
#[cfg(test)]
mod tests;
mod types;
mod udf;
mod window;
mod write;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use firesteel_functions::error::{ErrorKind, SparkError, SparkResult};
use firesteel_proto::spark::connect as sc;
use firesteel_spark::spec;

pub(crate) use plan::Request;
pub(crate) use types::data_type;

use crate::language::Language;

/// Where cached blobs come from.
pub(crate) trait Blobs {
    /// The blob that the client uploaded as `cache/<hash>`.
    fn cached(&self, hash: &str) -> Option<Bytes>;
}

/// The most plan nodes one request may have after subqueries are put in place.
const MAX_NODES: usize = 1_000_000;
const STACK_RED_ZONE: usize = 512 * 1024;
const STACK_STEP: usize = 8 * 1024 * 1024;

/// Decodes the messages of one request.
pub(crate) struct Decoder<'a> {
    language: &'a Language,
    blobs: &'a dyn Blobs,
    /// Relations that subquery expressions of the same plan refer to, with their size in nodes.
    references: RefCell<HashMap<i64, (spec::Relation, usize)>>,
    nodes: Cell<usize>,
}

impl<'a> Decoder<'a> {
    /// A decoder for one request.
    pub(crate) fn new(language: &'a Language, blobs: &'a dyn Blobs) -> Self {
        Self { language, blobs, references: RefCell::default(), nodes: Cell::new(0) }
    }

    /// Counts nodes and makes room on the stack for one more level.
    fn deeper<T>(&self, decode: impl FnOnce() -> SparkResult<T>) -> SparkResult<T> {
        self.count(1)?;
        stacker::maybe_grow(STACK_RED_ZONE, STACK_STEP, decode)
    }

    fn count(&self, nodes: usize) -> SparkResult<()> {
        let total = self.nodes.get().saturating_add(nodes);
        self.nodes.set(total);
        if total > MAX_NODES {
            let (size, limit) = (total.to_string(), MAX_NODES.to_string());
            return Err(invalid("PLAN_SIZE_LARGER_THAN_MAX", &[("planSize", &size), ("maxPlanSize", &limit)]));
        }
        Ok(())
    }
}

/// `CONNECT_INVALID_PLAN.<sub>`.
pub(crate) fn invalid(sub: &str, parameters: &[(&str, &str)]) -> SparkError {
    SparkError::new(ErrorKind::IllegalArgument, &format!("CONNECT_INVALID_PLAN.{sub}"), parameters)
}

/// A message without a field it needs.
fn missing(message: &str, field: &str) -> SparkError {
    invalid("FIELD_CANNOT_BE_EMPTY", &[("fieldName", field), ("fullName", &format!("spark.connect.{message}"))])
}

/// A message whose oneof is not set.
fn unset(message: &str, oneof: &str) -> SparkError {
    invalid("INVALID_ONE_OF_FIELD_NOT_SET", &[("fullName", &format!("spark.connect.{message}")), ("name", oneof)])
}

/// An enum value outside of what is allowed.
fn bad_enum(message: &str, name: &str, number: i32) -> SparkError {
    let full_name = format!("spark.connect.{message}");
    invalid("INVALID_ENUM", &[("fullName", &full_name), ("name", name), ("number", &number.to_string())])
}

/// An extension no plugin handles.
fn extension(any: &prost_types::Any) -> SparkError {
    invalid("NO_HANDLER_FOR_EXTENSION", &[("extensionTypeUrl", &any.type_url)])
}

fn options(map: HashMap<String, String>) -> BTreeMap<String, String> {
    map.into_iter().collect()
}

fn origin(origin: Option<&sc::Origin>) -> Option<spec::Origin> {
    match origin?.function.as_ref()? {
        sc::origin::Function::PythonOrigin(python) => Some(spec::Origin::DataFrame {
            fragment: Arc::from(python.fragment.as_str()),
            call_site: Arc::from(python.call_site.as_str()),
        }),
        sc::origin::Function::JvmOrigin(jvm) => {
            let frame = jvm.stack_trace.first()?;
            let file = frame.file_name.as_deref().unwrap_or_default();
            Some(spec::Origin::DataFrame {
                fragment: Arc::from(frame.method_name.as_str()),
                call_site: Arc::from(format!(
                    "{}.{}({file}:{})",
                    frame.declaring_class, frame.method_name, frame.line_number
                )),
            })
        }
    }
}
