//! SQL text: what it is, what it returns, and its rows.

use std::pin::Pin;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow_flight::FlightData;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use bytes::Bytes;
use firesteel_functions::error::{SparkError, SparkResult, from_datafusion};
use firesteel_spark::output;
use firesteel_spark::session::Session;
use firesteel_spark::spec::{Plan, Relation};
use futures::{Stream, StreamExt, TryStreamExt};
use tonic::Status;
use uuid::Uuid;

use crate::sessions::{Kept, Sessions};
use crate::status::{status, stream_error};

/// Rows on their way to a client.
pub(crate) type Rows = Pin<Box<dyn Stream<Item = Result<FlightData, Status>> + Send>>;

const QUERY: u8 = b'q';
const RESULT: u8 = b'r';

/// What a ticket stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Handle {
    /// A query that runs when it is fetched.
    Query(String),
    /// The kept result of a command.
    Result(Uuid),
}

impl Handle {
    /// The handle as bytes of a ticket.
    pub(crate) fn encode(&self) -> Bytes {
        let mut bytes = vec![];
        match self {
            Self::Query(text) => {
                bytes.push(QUERY);
                bytes.extend_from_slice(text.as_bytes());
            }
            Self::Result(id) => {
                bytes.push(RESULT);
                bytes.extend_from_slice(id.as_bytes());
            }
        }
        bytes.into()
    }

    /// The handle in a ticket.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT` when it is not one of ours.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Status> {
        let unknown = || Status::invalid_argument("the ticket is not one of this server");
        match bytes.split_first() {
            Some((&QUERY, text)) => Ok(Self::Query(std::str::from_utf8(text).map_err(|_| unknown())?.to_string())),
            Some((&RESULT, id)) => Ok(Self::Result(Uuid::from_slice(id).map_err(|_| unknown())?)),
            _ => Err(unknown()),
        }
    }
}

/// Names and types of a statement's rows; `None` for a command, which tells them when it has run.
pub(crate) async fn describe(session: &Arc<Session>, text: &str) -> SparkResult<Option<SchemaRef>> {
    match session.parse(text)? {
        Plan::Query(relation) => {
            let analyzed = session.analyze(&relation).await?;
            Ok(Some(output::wire_schema(&analyzed.schema, &session.time_zone())))
        }
        Plan::Command(_) => Ok(None),
    }
}

/// Prepares a statement to be fetched: a query is only analyzed, a command is done.
pub(crate) async fn start(session: &Arc<Session>, sessions: &Sessions, text: &str) -> SparkResult<(SchemaRef, Handle)> {
    match session.parse(text)? {
        Plan::Query(relation) => {
            let analyzed = session.analyze(&relation).await?;
            let schema = output::wire_schema(&analyzed.schema, &session.time_zone());
            Ok((schema, Handle::Query(text.to_string())))
        }
        command => {
            let (schema, batches) = session.execute_command_eagerly(command).await?;
            let wire = output::wire_schema(&schema, &session.time_zone());
            Ok((wire, Handle::Result(sessions.keep(Kept { schema, batches }))))
        }
    }
}

/// The rows behind a ticket.
pub(crate) async fn fetch(session: &Arc<Session>, sessions: &Sessions, handle: Handle) -> Result<Rows, Status> {
    match handle {
        Handle::Query(text) => run(session, &text).await.map_err(|error| status(&error)),
        Handle::Result(id) => {
            let gone = || Status::not_found("the result of this command is no longer kept");
            let kept = sessions.kept(id).ok_or_else(gone)?;
            let zone = session.time_zone();
            let encode = |batch: &RecordBatch| output::encode_batch(batch, &kept.schema, &zone);
            let batches: Vec<_> =
                kept.batches.iter().map(encode).collect::<SparkResult<_>>().map_err(|error| status(&error))?;
            Ok(rows(output::wire_schema(&kept.schema, &zone), batches))
        }
    }
}

/// Does a statement and forgets its rows; the number of rows it changed is not known.
pub(crate) async fn update(session: &Arc<Session>, text: &str) -> SparkResult<i64> {
    let plan = session.parse(text)?;
    session.execute_command_eagerly(plan).await?;
    Ok(-1)
}

/// All rows of a relation.
pub(crate) async fn collect(session: &Arc<Session>, relation: Relation) -> SparkResult<Vec<RecordBatch>> {
    Ok(session.execute_command_eagerly(Plan::Query(relation)).await?.1)
}

async fn run(session: &Arc<Session>, text: &str) -> SparkResult<Rows> {
    let plan = match session.parse(text)? {
        query @ Plan::Query(_) => query,
        Plan::Command(_) => return Err(SparkError::internal("a ticket of a query holds a command")),
    };
    let execution = session.execute(plan).await?;
    let zone = session.time_zone();
    let schema = output::wire_schema(&execution.schema, &zone);
    let types = execution.schema.clone();
    let wire = execution.stream.map(move |batch| {
        let batch = batch.map_err(|error| stream_error(&from_datafusion(error)))?;
        output::encode_batch(&batch, &types, &zone).map_err(|error| stream_error(&error))
    });
    Ok(encoded(schema, wire))
}

/// Batches at hand as rows.
pub(crate) fn rows(schema: SchemaRef, batches: Vec<RecordBatch>) -> Rows {
    encoded(schema, futures::stream::iter(batches.into_iter().map(Ok)))
}

fn encoded(schema: SchemaRef, batches: impl Stream<Item = Result<RecordBatch, FlightError>> + Send + 'static) -> Rows {
    let encoder = FlightDataEncoderBuilder::new().with_schema(schema).build(batches);
    Box::pin(encoder.map_err(|error| match error {
        FlightError::Tonic(status) => *status,
        other => status(&SparkError::internal(other.to_string())),
    }))
}

/// A schema as the bytes of an IPC message.
pub(crate) fn schema_bytes(schema: &Schema) -> Result<Bytes, Status> {
    let options = arrow::ipc::writer::IpcWriteOptions::default();
    let message: arrow_flight::IpcMessage =
        arrow_flight::SchemaAsIpc::new(schema, &options).try_into().map_err(crate::status::arrow_status)?;
    Ok(message.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_round_trip_and_foreign_ones_are_refused() {
        for handle in [Handle::Query("select 'ä'".to_string()), Handle::Result(Uuid::new_v4())] {
            assert_eq!(Handle::decode(&handle.encode()).unwrap(), handle);
        }
        for foreign in [&b""[..], b"x", b"rshort", b"q\xff"] {
            assert!(Handle::decode(foreign).is_err());
        }
    }
}
