//! Statements that change something.

use std::sync::Arc;

use arrow_flight::sql::server::PeekableFlightDataStream;
use firesteel_spark::session::Session;
use futures::StreamExt;
use tonic::Status;

use crate::statement;
use crate::status::status;

/// Runs a statement.
pub(crate) async fn update(session: &Arc<Session>, text: &str) -> Result<i64, Status> {
    statement::update(session, text).await.map_err(|error| status(&error))
}

/// Accepts the parameters of a statement that has none.
///
/// # Errors
///
/// `UNIMPLEMENTED` when there are parameters.
pub(crate) async fn no_parameters(stream: PeekableFlightDataStream) -> Result<(), Status> {
    let mut stream = stream.into_inner();
    while let Some(message) = stream.next().await {
        if !message?.data_body.is_empty() {
            return Err(Status::unimplemented(
                "[UNSUPPORTED_FEATURE] The feature is not supported: parameters of prepared statements.",
            ));
        }
    }
    Ok(())
}
