//! `ExecutePlan`: starting an operation and running it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::RecordBatch;
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::{DataType, StructType};
use firesteel_proto::spark::connect as sc;
use firesteel_service::tasks;
use firesteel_spark::spec::{Command, Plan, RelationKind};
use futures::FutureExt;
use sc::execute_plan_request::request_option::RequestOption;
use sc::execute_plan_response::{ResponseType, ResultComplete, SqlCommandResult};
use sc::relation::RelType;
use tonic::Status;
use tracing::{Instrument, debug, info_span};
use uuid::Uuid;

use super::panicked;
use crate::decode::{Decoder, Request, invalid};
use crate::encode::{self, Chunking};
use crate::error::{self, invalid_handle};
use crate::operation::{Gone, Identity, Operation, Outcome, ResponseStream};
use crate::registry::Registry;
use crate::session::ClientSession;

mod rows;

/// Why a run stopped early.
enum Stop {
    Error(SparkError),
    Gone,
}

impl From<SparkError> for Stop {
    fn from(error: SparkError) -> Self {
        Self::Error(error)
    }
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

pub(super) fn execute(registry: &Registry, request: sc::ExecutePlanRequest) -> Result<ResponseStream, Status> {
    let observed = request.client_observed_server_side_session_id.as_deref();
    let session = registry
        .open(request.user_context.as_ref(), &request.session_id, observed)
        .map_err(|error| error::status(&error))?;
    let fail = |error: SparkError| session.status(&error);
    let operation_id = match request.operation_id.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => Uuid::parse_str(id).map_err(|_| fail(invalid_handle("FORMAT", id)))?,
        None => Uuid::new_v4(),
    };
    let mut chunking = Chunking::default();
    let mut reattachable = false;
    for option in request.request_options {
        match option.request_option {
            Some(RequestOption::ReattachOptions(options)) => reattachable = options.reattachable,
            Some(RequestOption::ResultChunkingOptions(options)) => {
                chunking.allowed = options.allow_arrow_batch_chunking;
                chunking.preferred = options.preferred_arrow_chunk_size;
            }
            Some(RequestOption::Extension(_)) | None => {}
        }
    }
    let parameters = [("fieldName", "plan"), ("fullName", "spark.connect.ExecutePlanRequest")];
    let plan = request.plan.ok_or_else(|| fail(invalid("FIELD_CANNOT_BE_EMPTY", &parameters)))?;
    let operation = Operation::new(Identity {
        session_id: request.session_id,
        server_side_session_id: session.server_side_id(),
        operation_id,
        tags: request.tags,
        reattachable,
    });
    session.start(&operation).map_err(fail)?;
    let stream = operation.attach(None)?;
    let span = info_span!("operation", %operation_id, session_id = %session.key.id);
    tasks::spawn_detached("connect-operation", run(session, operation, plan, chunking).instrument(span));
    Ok(stream)
}

/// Runs an operation to its end, whatever that is.
async fn run(session: Arc<ClientSession>, operation: Arc<Operation>, plan: sc::Plan, chunking: Chunking) {
    let cancel = operation.cancel.clone();
    let work = AssertUnwindSafe(perform(&session, &operation, plan, chunking)).catch_unwind();
    let result = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Stop::Gone),
        result = work => result.unwrap_or_else(|panic| Err(Stop::Error(panicked(panic.as_ref())))),
    };
    let (end, outcome) = match result {
        Ok(()) => (Ok(()), Outcome::Succeeded),
        Err(Stop::Gone) => (Err(session.status(&SparkError::cancelled())), Outcome::Cancelled),
        Err(Stop::Error(error)) => {
            debug!(%error, "operation failed");
            (Err(session.status(&error)), Outcome::Failed)
        }
    };
    operation.finish(end, outcome);
    if !operation.identity.reattachable {
        session.finished(&operation);
    }
    session.touch();
}

async fn perform(
    session: &ClientSession,
    operation: &Operation,
    plan: sc::Plan,
    chunking: Chunking,
) -> Result<(), Stop> {
    let request = {
        let language = session.language();
        Decoder::new(&language, &session.artifacts).plan(plan)?
    };
    match request {
        Request::Query(relation) => rows::stream(session, operation, relation, chunking).await?,
        Request::Command(command) => {
            eager(session, Plan::Command(Box::new(command))).await?;
        }
        Request::Sql { text, relation, echo } => {
            let command = match session.language().statement(&text) {
                Ok(Plan::Query(_)) => {
                    session.spark.analyze(&relation).await?;
                    None
                }
                Ok(Plan::Command(command)) => Some(sql_plan(relation, command)),
                // Some markers stand where only their values make a statement of the text.
                Err(_) if has_values(&relation) => Some(Plan::Query(relation)),
                Err(error) => return Err(error.into()),
            };
            let result = match command {
                None => *echo,
                Some(plan) => {
                    let (schema, batches) = eager(session, plan).await?;
                    local_relation(session, &schema, &batches)?
                }
            };
            let result = ResponseType::SqlCommandResult(SqlCommandResult { relation: Some(result) });
            operation.push(response(result)).await?;
        }
        Request::Checkpoint(command) => {
            let (_, batches) = eager(session, Plan::Command(Box::new(command))).await?;
            let relation = Some(sc::CachedRemoteRelation { relation_id: first_text(&batches)? });
            let result = ResponseType::CheckpointCommandResult(sc::CheckpointCommandResult { relation });
            operation.push(response(result)).await?;
        }
        Request::Answer(answer) => operation.push(response(answer)).await?,
    }
    operation.push_now(response(ResponseType::ResultComplete(ResultComplete {})));
    Ok(())
}

/// A command runs from its parsed form, unless arguments or named DataFrames have to be put in first.
fn sql_plan(relation: firesteel_spark::spec::Relation, command: Box<Command>) -> Plan {
    match relation.kind.as_ref() {
        RelationKind::Sql { .. } if !has_values(&relation) => Plan::Command(command),
        _ => Plan::Query(relation),
    }
}

fn has_values(relation: &firesteel_spark::spec::Relation) -> bool {
    matches!(relation.kind.as_ref(), RelationKind::Sql { named, positional, .. } if !named.is_empty() || !positional.is_empty())
}

async fn eager(session: &ClientSession, plan: Plan) -> SparkResult<(StructType, Vec<RecordBatch>)> {
    session.spark.execute_command_eagerly(plan).await
}

/// The result of a command as a relation, which the client sends back when it wants the rows.
fn local_relation(session: &ClientSession, schema: &StructType, batches: &[RecordBatch]) -> SparkResult<sc::Relation> {
    let zone = session.spark.time_zone();
    let wire = rows::joined(batches, schema, &zone)?;
    let data = encode::ipc_stream(&wire).map_err(|error| SparkError::internal(error.to_string()))?;
    // Arrow alone does not tell these types apart, so the schema goes along when it is needed.
    let ambiguous = schema.fields.iter().any(|field| {
        !matches!(
            field.data_type,
            DataType::String | DataType::Boolean | DataType::Integer | DataType::Long | DataType::Double
        )
    });
    let schema = ambiguous.then(|| schema.json());
    Ok(sc::Relation {
        common: None,
        rel_type: Some(RelType::LocalRelation(sc::LocalRelation { data: Some(data), schema })),
    })
}

fn first_text(batches: &[RecordBatch]) -> SparkResult<String> {
    use arrow::array::AsArray;
    let id = batches.iter().find(|batch| batch.num_rows() > 0).and_then(|batch| {
        let column = batch.columns().first()?;
        column.as_string_opt::<i32>().map(|text| text.value(0).to_string())
    });
    id.ok_or_else(|| SparkError::internal("a checkpoint gave no id"))
}

fn response(kind: ResponseType) -> sc::ExecutePlanResponse {
    sc::ExecutePlanResponse { response_type: Some(kind), ..Default::default() }
}
