//! Errors as clients of Spark Connect expect them: a gRPC status with an `ErrorInfo`, and details kept for later.
//!
//! This is the only file that makes a [`Status`] of a [`SparkError`].

use std::collections::{HashMap, VecDeque};

use firesteel_functions::error::{ErrorKind, QueryContext, SparkError};
use firesteel_proto::spark::connect as sc;
use parking_lot::Mutex;
use sc::fetch_error_details_response as details;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

const DOMAIN: &str = "org.apache.spark";
const INVALID_PLAN_CLASS: &str = "org.apache.spark.sql.connect.common.InvalidPlanInput";
/// Longest value in the status' metadata; headers of HTTP/2 are small.
const MAX_METADATA: usize = 1024;
/// Longest message of a status as headers carry it; the whole one is in the details. The trailer of a call holds it twice
/// and must stay below 8 KiB.
const MAX_MESSAGE: usize = 1800;
/// Errors kept per session for clients that ask for details.
const KEPT_ERRORS: usize = 100;

/// The errors a session has answered with lately.
#[derive(Debug, Default)]
pub(crate) struct ErrorLog {
    errors: Mutex<VecDeque<(String, SparkError)>>,
}

impl ErrorLog {
    /// Keeps an error and gives the status that refers to it.
    pub(crate) fn status(&self, error: &SparkError) -> Status {
        let id = uuid::Uuid::new_v4().to_string();
        let status = to_status(error, Some(&id));
        let mut errors = self.errors.lock();
        if errors.len() >= KEPT_ERRORS {
            errors.pop_front();
        }
        errors.push_back((id, error.clone()));
        status
    }

    /// The details of an error, once.
    pub(crate) fn take(&self, id: &str) -> Option<SparkError> {
        let mut errors = self.errors.lock();
        let index = errors.iter().position(|(kept, _)| kept == id)?;
        errors.remove(index).map(|(_, error)| error)
    }
}

/// A status without details to fetch, for requests that have no session.
pub(crate) fn status(error: &SparkError) -> Status {
    to_status(error, None)
}

/// `INVALID_HANDLE.<sub>`.
pub(crate) fn invalid_handle(sub: &str, handle: &str) -> SparkError {
    SparkError::new(ErrorKind::Execution, &format!("INVALID_HANDLE.{sub}"), &[("handle", handle)])
}

/// `INVALID_CURSOR.<sub>`.
pub(crate) fn invalid_cursor(sub: &str, parameters: &[(&str, &str)]) -> SparkError {
    SparkError::new(ErrorKind::Execution, &format!("INVALID_CURSOR.{sub}"), parameters)
}

fn to_status(error: &SparkError, id: Option<&str>) -> Status {
    let classes = classes(error);
    let reason = classes.first().copied().unwrap_or("org.apache.spark.SparkException");
    let mut metadata = HashMap::from([
        ("classes".to_string(), capped_list(&classes)),
        ("errorClass".to_string(), error.condition().to_string()),
    ]);
    if let Some(state) = error.sqlstate() {
        metadata.insert("sqlState".to_string(), state.to_string());
    }
    let parameters: serde_json::Map<String, serde_json::Value> =
        error.parameters().iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
    let parameters = serde_json::Value::Object(parameters).to_string();
    if parameters.len() <= MAX_METADATA {
        metadata.insert("messageParameters".to_string(), parameters);
    }
    if let Some(id) = id {
        metadata.insert("errorId".to_string(), id.to_string());
    }
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, DOMAIN, metadata);
    Status::with_error_details(Code::Internal, abbreviated(&error.full_message(), MAX_MESSAGE), details)
}

fn classes(error: &SparkError) -> Vec<&str> {
    let mut classes = error.java_classes();
    if error.condition().starts_with("CONNECT_INVALID_PLAN") {
        classes.insert(0, INVALID_PLAN_CLASS);
    }
    classes
}

/// A JSON list of as many of the classes as fit.
fn capped_list(classes: &[&str]) -> String {
    for count in (1..=classes.len()).rev() {
        let list: Vec<&str> = classes.iter().take(count).copied().collect();
        let json = serde_json::Value::from(list).to_string();
        if json.len() <= MAX_METADATA {
            return json;
        }
    }
    "[]".to_string()
}

/// The text, cut where its percent-encoding would be longer than `limit`.
fn abbreviated(text: &str, limit: usize) -> String {
    let cost = |c: char| if c.is_ascii() && !c.is_ascii_control() { 1 } else { 3 * c.len_utf8() };
    let mut encoded = 0;
    let mut cut = String::new();
    for c in text.chars() {
        encoded += cost(c);
        if encoded > limit {
            cut.push_str("...");
            break;
        }
        cut.push(c);
    }
    cut
}

/// The answer to `FetchErrorDetails`.
pub(crate) fn error_details(error: &SparkError) -> details::Error {
    details::Error {
        error_type_hierarchy: classes(error).into_iter().map(str::to_string).collect(),
        message: error.full_message(),
        stack_trace: vec![],
        cause_idx: None,
        spark_throwable: Some(details::SparkThrowable {
            error_class: Some(error.condition().to_string()),
            message_parameters: error.parameters().iter().cloned().collect(),
            query_contexts: error.contexts().iter().map(query_context).collect(),
            sql_state: error.sqlstate().map(str::to_string),
            breaking_change_info: None,
        }),
    }
}

fn query_context(context: &QueryContext) -> details::QueryContext {
    use details::query_context::ContextType;
    let index = |offset: u32| i32::try_from(offset).unwrap_or(i32::MAX);
    let (context_type, start_index, stop_index, call_site) = match context {
        QueryContext::Sql { start, stop, .. } => (ContextType::Sql, index(*start), index(*stop), String::new()),
        QueryContext::DataFrame { call_site, .. } => (ContextType::Dataframe, -1, -1, call_site.clone()),
    };
    details::QueryContext {
        context_type: context_type.into(),
        object_type: String::new(),
        object_name: String::new(),
        start_index,
        stop_index,
        fragment: context.fragment(),
        call_site,
        summary: context.summary(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_carries_class_state_and_parameters_and_the_details_follow() {
        let log = ErrorLog::default();
        let error = SparkError::divide_by_zero().with_context(QueryContext::Sql {
            start: 7,
            stop: 9,
            text: "select 1/0".into(),
        });
        let status = log.status(&error);
        assert_eq!(status.code(), Code::Internal);
        assert!(status.message().starts_with("[DIVIDE_BY_ZERO] "), "{}", status.message());
        let info = status.get_details_error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("org.apache.spark.SparkArithmeticException", DOMAIN));
        assert_eq!(info.metadata.get("sqlState").map(String::as_str), Some("22012"));
        assert!(info.metadata.get("classes").unwrap().contains("java.lang.ArithmeticException"));
        let kept = log.take(info.metadata.get("errorId").unwrap()).unwrap();
        let context = error_details(&kept).spark_throwable.unwrap().query_contexts.remove(0);
        assert_eq!((context.start_index, context.stop_index, context.fragment.as_str()), (7, 9, "1/0"));
    }

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let text = "ä".repeat(3000);
        let cut = abbreviated(&text, MAX_MESSAGE);
        assert_eq!(cut.chars().count(), MAX_MESSAGE / 6 + 3);
        assert!(cut.ends_with("ä..."));
    }
}
