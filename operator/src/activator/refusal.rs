//! How a client is told that its request goes nowhere: a status of gRPC, or of HTTP with Retry-After.

use std::fmt::Write;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, Response, StatusCode};

/// `UNAVAILABLE`, which clients take for something that passes.
const UNAVAILABLE: HeaderValue = HeaderValue::from_static("14");
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC: &str = "application/grpc";

/// The answer to a request with these headers.
pub(super) fn refusal(request: &HeaderMap, why: &str) -> Response<Body> {
    let kind = request.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with(GRPC) {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(GRPC));
        headers.insert(STATUS, UNAVAILABLE);
        // Only printable characters are left, so this cannot fail.
        headers.extend(HeaderValue::try_from(encoded(why)).ok().map(|message| (MESSAGE, message)));
        return response;
    }
    let mut response = Response::new(Body::from(serde_json::json!({"message": why}).to_string()));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// Percent-encoding of `grpc-message` (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (b' '..=b'~').contains(&byte) && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_is_told_in_its_own_words() {
        let asked = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/grpc+proto"))]);
        let said = refusal(&asked, "5 % of it\nis missing: ä");
        assert_eq!(said.status(), StatusCode::OK);
        assert_eq!(said.headers()["grpc-status"], "14");
        assert_eq!(said.headers()["grpc-message"], "5 %25 of it%0Ais missing: %C3%A4");
    }

    #[test]
    fn others_are_told_to_come_again() {
        let said = refusal(&HeaderMap::new(), "asleep");
        assert_eq!(said.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(said.headers()["retry-after"], "5");
    }
}
