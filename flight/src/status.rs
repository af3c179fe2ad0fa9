//! Errors as gRPC statuses. This is the only file that makes one of a [`SparkError`].

use std::future::Future;
use std::panic::AssertUnwindSafe;

use arrow_flight::error::FlightError;
use firesteel_functions::error::{ErrorKind, SparkError};
use firesteel_service::tasks;
use futures::FutureExt;
use tonic::{Code, Status};
use tracing::error;

/// Longest message; headers of HTTP/2 are small.
const MAX_MESSAGE: usize = 2000;

/// The status of an error, with Spark's condition in its text.
pub(crate) fn status(error: &SparkError) -> Status {
    let code = match error.kind() {
        ErrorKind::Parse | ErrorKind::Analysis | ErrorKind::IllegalArgument => Code::InvalidArgument,
        ErrorKind::Unsupported => Code::Unimplemented,
        ErrorKind::NoSuchElement => Code::NotFound,
        ErrorKind::Cancelled => Code::Cancelled,
        _ => Code::Internal,
    };
    Status::new(code, abbreviated(&error.full_message()))
}

/// A status of an Arrow error, which is a defect here.
pub(crate) fn arrow_status(error: impl std::fmt::Display) -> Status {
    status(&SparkError::internal(error.to_string()))
}

/// An error inside of a stream of rows.
pub(crate) fn stream_error(error: &SparkError) -> FlightError {
    FlightError::Tonic(Box::new(status(error)))
}

/// Runs a handler; a panic becomes an error of this request.
pub(crate) async fn guarded<T>(handler: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    AssertUnwindSafe(handler).catch_unwind().await.unwrap_or_else(|panic| {
        let reason = tasks::panic_text(panic.as_ref());
        error!(reason, "a request panicked");
        Err(status(&SparkError::internal(format!("the request failed unexpectedly: {reason}"))))
    })
}

/// The text, cut where its percent-encoding would be too long for a header.
fn abbreviated(text: &str) -> String {
    let mut encoded = 0;
    let mut cut = String::new();
    for c in text.chars() {
        encoded += if c.is_ascii() && !c.is_ascii_control() { 1 } else { 3 * c.len_utf8() };
        if encoded > MAX_MESSAGE {
            cut.push_str("...");
            break;
        }
        cut.push(c);
    }
    cut
}
