//! The top of a request: a query, a command, or either of them compressed.

use std::io::Read;

use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_proto::codec::decode_guarded;
use firesteel_proto::spark::connect as sc;
use firesteel_spark::spec;
use prost::Message;
use sc::execute_plan_response::ResponseType;
use sc::plan::OpType;
use sc::plan::compressed_operation::OpType as CompressedType;

use super::{Decoder, invalid, missing, unset};

/// The largest a plan may be after decompression.
const MAX_PLAN_BYTES: usize = 512 * 1024 * 1024;

/// What a client wants done.
#[derive(Debug)]
pub(crate) enum Request {
    /// Rows of a query.
    Query(spec::Relation),
    /// Something is to be done; no rows are expected.
    Command(spec::Command),
    /// SQL text: commands run now, queries are echoed.
    Sql {
        /// The text.
        text: String,
        /// The text with its arguments and named DataFrames.
        relation: spec::Relation,
        /// What the client sent, to be sent back for queries.
        echo: Box<sc::Relation>,
    },
    /// A checkpoint, whose id is to be sent back.
    Checkpoint(spec::Command),
    /// Nothing to do but this answer.
    Answer(ResponseType),
}

impl Decoder<'_> {
    /// Decodes a plan.
    ///
    /// # Errors
    ///
    /// As [`Decoder::relation`].
    pub(crate) fn plan(&self, plan: sc::Plan) -> SparkResult<Request> {
        match plan.op_type.ok_or_else(|| unset("Plan", "op_type"))? {
            OpType::Root(root) => Ok(Request::Query(self.relation(root)?)),
            OpType::Command(command) => self.command(command),
            OpType::CompressedOperation(compressed) => match compressed.op_type() {
                CompressedType::Relation => Ok(Request::Query(self.relation(decompress(&compressed)?)?)),
                CompressedType::Command => self.command(decompress(&compressed)?),
                CompressedType::Unspecified => {
                    Err(super::bad_enum("Plan.CompressedOperation", "op_type", compressed.op_type))
                }
            },
        }
    }

    /// Decodes a plan that must be a query.
    ///
    /// # Errors
    ///
    /// As [`Decoder::relation`], and when the plan is a command.
    pub(crate) fn query(&self, plan: Option<sc::Plan>) -> SparkResult<spec::Relation> {
        match self.plan(plan.ok_or_else(|| missing("AnalyzePlanRequest", "plan"))?)? {
            Request::Query(relation) | Request::Sql { relation, .. } => Ok(relation),
            _ => Err(SparkError::unsupported("analysis of a command")),
        }
    }
}

fn decompress<M: Message + prost::Name + Default>(compressed: &sc::plan::CompressedOperation) -> SparkResult<M> {
    let bad = |error: &str| invalid("CANNOT_PARSE", &[("errorMsg", error)]);
    if compressed.compression_codec() != sc::CompressionCodec::Zstd {
        return Err(bad("unknown compression codec"));
    }
    let decoder = zstd::Decoder::new(compressed.data.as_ref()).map_err(|error| bad(&error.to_string()))?;
    let mut plan = vec![];
    let limit = MAX_PLAN_BYTES as u64 + 1;
    decoder.take(limit).read_to_end(&mut plan).map_err(|error| bad(&error.to_string()))?;
    if plan.len() > MAX_PLAN_BYTES {
        let limit = MAX_PLAN_BYTES.to_string();
        return Err(invalid("PLAN_SIZE_LARGER_THAN_MAX", &[("planSize", "unknown"), ("maxPlanSize", &limit)]));
    }
    decode_guarded(bytes::Bytes::from(plan)).map_err(|status| bad(status.message()))
}
