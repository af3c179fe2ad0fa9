//! Releasing and cloning sessions, and the details of their errors.

use firesteel_proto::spark::connect as sc;
use tonic::Status;

use crate::error;
use crate::registry::Registry;

pub(super) fn release(
    registry: &Registry,
    request: sc::ReleaseSessionRequest,
) -> Result<sc::ReleaseSessionResponse, Status> {
    let remember = !request.allow_reconnect;
    let closed = registry
        .close(request.user_context.as_ref(), &request.session_id, remember)
        .map_err(|error| error::status(&error))?;
    Ok(sc::ReleaseSessionResponse {
        session_id: request.session_id,
        server_side_session_id: closed.unwrap_or_default(),
    })
}

pub(super) fn clone(registry: &Registry, request: sc::CloneSessionRequest) -> Result<sc::CloneSessionResponse, Status> {
    let observed = request.client_observed_server_side_session_id.as_deref();
    let session = registry
        .existing(request.user_context.as_ref(), &request.session_id, observed)
        .map_err(|error| error::status(&error))?;
    let copy =
        registry.clone_session(&session, request.new_session_id.as_deref()).map_err(|error| session.status(&error))?;
    Ok(sc::CloneSessionResponse {
        session_id: request.session_id,
        server_side_session_id: session.server_side_id(),
        new_session_id: copy.key.id.clone(),
        new_server_side_session_id: copy.server_side_id(),
    })
}

pub(super) fn error_details(
    registry: &Registry,
    request: sc::FetchErrorDetailsRequest,
) -> Result<sc::FetchErrorDetailsResponse, Status> {
    let observed = request.client_observed_server_side_session_id.as_deref();
    let session = registry
        .existing(request.user_context.as_ref(), &request.session_id, observed)
        .map_err(|error| error::status(&error))?;
    let mut response = sc::FetchErrorDetailsResponse {
        session_id: request.session_id,
        server_side_session_id: session.server_side_id(),
        ..Default::default()
    };
    // Unknown ids get an empty answer, as from Spark: the client falls back to what it has.
    if let Some(error) = session.errors.take(&request.error_id) {
        response.root_error_idx = Some(0);
        response.errors = vec![error::error_details(&error)];
    }
    Ok(response)
}
