//! Running the statements of a job, one after the other, in a session of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use firesteel_functions::SparkError;
use firesteel_functions::error::{SparkResult, from_datafusion};
use firesteel_spark::session::{Session, SparkEngine};
use firesteel_spark::sql::{Marker, parameter_markers, split_statements};
use futures::StreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Request, TEXT_BYTES};

/// Who the sessions of jobs belong to.
const USER: &str = "firesteel-job";

/// How far a job has come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    pub(super) statements: usize,
    pub(super) completed: usize,
    pub(super) rows: u64,
}

pub(super) async fn run(
    engine: &Arc<SparkEngine>,
    id: &str,
    request: Request,
    cancel: CancellationToken,
    report: impl Fn(Progress),
) -> SparkResult<()> {
    let session = engine.session(USER, id);
    let outcome = run_in(&session, request, cancel, report).await;
    drop(session);
    engine.release(USER, id);
    outcome
}

async fn run_in(
    session: &Arc<Session>,
    request: Request,
    cancel: CancellationToken,
    report: impl Fn(Progress),
) -> SparkResult<()> {
    for (key, value) in &request.conf {
        session.conf().set(key, value)?;
    }
    let text = match (request.sql, request.uri) {
        (Some(text), _) => text,
        (None, Some(uri)) => tokio::select! {
            () = cancel.cancelled() => return Err(SparkError::cancelled()),
            text = read(session, &uri) => text?,
        },
        (None, None) => return Err(SparkError::internal("a job without a text")),
    };
    let ranges = split_statements(&text);
    let mut progress = Progress { statements: ranges.len(), ..Progress::default() };
    report(progress);
    for range in ranges {
        if cancel.is_cancelled() {
            return Err(SparkError::cancelled());
        }
        let statement = text.get(range).unwrap_or_default();
        let plan = match request.parameters.is_empty() {
            true => session.parse(statement)?,
            false => session.parse(&bound(session, statement, &request.parameters)?)?,
        };
        let mut execution = session.execute_with(plan, cancel.clone()).await?;
        while let Some(batch) = execution.stream.next().await {
            progress.rows += batch.map_err(from_datafusion)?.num_rows() as u64;
            report(progress);
        }
        progress.completed += 1;
        report(progress);
    }
    Ok(())
}

/// A statement with values in place of its markers. They are put into the text, as Spark does, so that a marker may stand
/// wherever a literal may.
fn bound(session: &Arc<Session>, statement: &str, values: &BTreeMap<String, String>) -> SparkResult<String> {
    let raw = session.parse_options().escaped_string_literals;
    let mut made = String::with_capacity(statement.len());
    let mut from = 0;
    for (range, marker) in parameter_markers(statement)? {
        let name = match marker {
            Marker::Named(name) => name,
            Marker::Positional(at) => format!("_{at}"),
        };
        let Some(value) = values.get(&name) else {
            return Err(SparkError::analysis("UNBOUND_SQL_PARAMETER", &[("name", &name)]));
        };
        if raw && value.contains(['\'', '\\']) {
            let what = "quotes and backslashes in parameters under spark.sql.parser.escapedStringLiterals";
            return Err(SparkError::unsupported(what));
        }
        made.push_str(statement.get(from..range.start).unwrap_or_default());
        made.push('\'');
        made.push_str(&value.replace('\\', "\\\\").replace('\'', "\\'"));
        made.push('\'');
        from = range.end;
    }
    made.push_str(statement.get(from..).unwrap_or_default());
    Ok(made)
}

/// The text behind a URL, by the session's object stores.
async fn read(session: &Arc<Session>, uri: &str) -> SparkResult<String> {
    let refused = |reason: String| {
        SparkError::analysis("FAILED_READ_FILE.NO_HINT", &[("path", uri)])
            .with_message(format!("[FAILED_READ_FILE.NO_HINT] Cannot read '{uri}': {reason}"))
    };
    let url = Url::parse(uri).map_err(|error| refused(error.to_string()))?;
    let ctx = session.context()?;
    let store = ctx.runtime_env().object_store_registry.get_store(&url).map_err(from_datafusion)?;
    let path = Path::from_url_path(url.path()).map_err(|error| refused(error.to_string()))?;
    let found = store.head(&path).await.map_err(|error| refused(error.to_string()))?;
    if found.size > TEXT_BYTES as u64 {
        return Err(refused("it is larger than 4 MiB".into()));
    }
    let bytes = store.get(&path).await.map_err(|error| refused(error.to_string()))?;
    let bytes = bytes.bytes().await.map_err(|error| refused(error.to_string()))?;
    String::from_utf8(bytes.to_vec()).map_err(|_| refused("it is not UTF-8 text".into()))
}
