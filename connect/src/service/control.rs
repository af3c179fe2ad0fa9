//! Interrupting, reattaching to, releasing of and asking about operations.

use firesteel_functions::error::SparkError;
use firesteel_proto::spark::connect as sc;
use sc::get_status_response::OperationStatus;
use sc::get_status_response::operation_status::OperationState;
use sc::interrupt_request::{Interrupt, InterruptType};
use sc::release_execute_request::Release;
use tonic::Status;

use crate::error::{self, invalid_cursor};
use crate::operation::{Outcome, ResponseStream};
use crate::registry::Registry;

pub(super) fn interrupt(registry: &Registry, request: sc::InterruptRequest) -> Result<sc::InterruptResponse, Status> {
    let observed = request.client_observed_server_side_session_id.as_deref();
    let session = registry
        .existing(request.user_context.as_ref(), &request.session_id, observed)
        .map_err(|error| error::status(&error))?;
    let invalid = |what: &str| session.status(&SparkError::unsupported_feature("INTERRUPT_TYPE", &[("type", what)]));
    let kind = request.interrupt_type();
    let chosen = |operation: &crate::operation::Operation| match (&kind, &request.interrupt) {
        (InterruptType::All, _) => true,
        (InterruptType::Tag, Some(Interrupt::OperationTag(tag))) => operation.identity.tags.contains(tag),
        (InterruptType::OperationId, Some(Interrupt::OperationId(id))) => {
            operation.identity.operation_id.to_string() == id.to_lowercase()
        }
        _ => false,
    };
    match (&kind, &request.interrupt) {
        (InterruptType::All, _)
        | (InterruptType::Tag, Some(Interrupt::OperationTag(_)))
        | (InterruptType::OperationId, Some(Interrupt::OperationId(_))) => {}
        _ => return Err(invalid(kind.as_str_name())),
    }
    let mut interrupted_ids = vec![];
    for operation in session.operations() {
        if chosen(&operation) && operation.outcome() == Outcome::Running && !operation.cancel.is_cancelled() {
            operation.cancel.cancel();
            interrupted_ids.push(operation.identity.operation_id.to_string());
        }
    }
    Ok(sc::InterruptResponse {
        session_id: request.session_id,
        server_side_session_id: session.server_side_id(),
        interrupted_ids,
    })
}

pub(super) fn reattach(registry: &Registry, request: sc::ReattachExecuteRequest) -> Result<ResponseStream, Status> {
    let observed = request.client_observed_server_side_session_id.as_deref();
    let session = registry
        .existing(request.user_context.as_ref(), &request.session_id, observed)
        .map_err(|error| error::status(&error))?;
    let operation = session.operation(&request.operation_id).map_err(|error| session.status(&error))?;
    if !operation.identity.reattachable {
        return Err(session.status(&invalid_cursor("NOT_REATTACHABLE", &[])));
    }
    operation.attach(request.last_response_id.as_deref().filter(|id| !id.is_empty()))
}

/// Clients send this after every message and do not look at the answer.
pub(super) fn release(
    registry: &Registry,
    request: sc::ReleaseExecuteRequest,
) -> Result<sc::ReleaseExecuteResponse, Status> {
    let observed = request.client_observed_server_side_session_id.as_deref();
    let session = registry
        .existing(request.user_context.as_ref(), &request.session_id, observed)
        .map_err(|error| error::status(&error))?;
    let mut response = sc::ReleaseExecuteResponse {
        session_id: request.session_id,
        server_side_session_id: session.server_side_id(),
        operation_id: None,
    };
    // An operation that is gone is released already.
    let Ok(operation) = session.operation(&request.operation_id) else { return Ok(response) };
    match request.release {
        Some(Release::ReleaseUntil(until)) => operation.release_until(&until.response_id)?,
        Some(Release::ReleaseAll(_)) | None => session.remove(&operation),
    }
    response.operation_id = Some(request.operation_id);
    Ok(response)
}

pub(super) fn status_of(registry: &Registry, request: sc::GetStatusRequest) -> Result<sc::GetStatusResponse, Status> {
    let observed = request.client_observed_server_side_session_id.as_deref();
    let session = registry
        .existing(request.user_context.as_ref(), &request.session_id, observed)
        .map_err(|error| error::status(&error))?;
    let mut response = sc::GetStatusResponse {
        session_id: request.session_id,
        server_side_session_id: session.server_side_id(),
        ..Default::default()
    };
    let Some(asked) = request.operation_status else { return Ok(response) };
    let mut ids = asked.operation_ids;
    if ids.is_empty() {
        let all = session.operations();
        ids = all.iter().map(|operation| operation.identity.operation_id.to_string()).collect();
    }
    for id in ids {
        let state = match session.outcome(&id) {
            None => OperationState::Unknown,
            Some(Outcome::Running) => OperationState::Running,
            Some(Outcome::Succeeded) => OperationState::Succeeded,
            Some(Outcome::Failed) => OperationState::Failed,
            Some(Outcome::Cancelled) => OperationState::Cancelled,
        };
        let status = OperationStatus { operation_id: id, state: state.into(), extensions: vec![] };
        response.operation_statuses.push(status);
    }
    Ok(response)
}
