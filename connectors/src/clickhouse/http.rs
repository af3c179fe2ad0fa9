//! Requests to ClickHouse's HTTP interface, and its exceptions as our kinds.
//!
//! Source: <https://clickhouse.com/docs/interfaces/http>. Knows nothing of tables.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Response, StatusCode};
use serde_json::Value;

use super::options::Target;
use crate::error::{ConnectorError, Result, chain};

/// What a server or the way to it answered.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server refused: its code and its words.
    Refused { code: i32, message: String },
    /// No answer, or one cut short: what was asked may have happened.
    Lost(String),
    /// The server was never reached.
    Unreachable(String),
}

/// ClickHouse's codes for what may pass: timeouts, memory, too many parts or queries, networks, keepers, read-only replicas.
const PASSING: [i32; 12] = [3, 159, 202, 203, 209, 210, 241, 242, 252, 279, 285, 999];

impl Failure {
    pub(super) fn is_passing(&self, further: &[i32]) -> bool {
        match self {
            Self::Refused { code, .. } => PASSING.contains(code) || further.contains(code),
            Self::Lost(_) | Self::Unreachable(_) => true,
        }
    }

    pub(super) fn into_error(self, target: &Target) -> ConnectorError {
        let shown = target.shown();
        match self {
            Self::Unreachable(reason) => ConnectorError::ConnectionFailed { target: shown, reason },
            Self::Lost(reason) => ConnectorError::Transient { target: shown, reason },
            Self::Refused { code: 192..=194 | 516, message } => {
                ConnectorError::AuthenticationFailed { target: shown, reason: message }
            }
            Self::Refused { code: 81, message } => ConnectorError::DatabaseNotFound { reason: message },
            Self::Refused { code, message } => ConnectorError::Database {
                sqlstate: sqlstate(code).to_owned(),
                message: format!("ClickHouse at {shown}: {message}"),
                transient: PASSING.contains(&code),
            },
        }
    }
}

/// The SQL state nearest to a code.
fn sqlstate(code: i32) -> &'static str {
    match code {
        47 => "42703",
        57 => "42P07",
        60 => "42P01",
        62 => "42601",
        497 => "42501",
        _ => "HY000",
    }
}

/// Milliseconds before what may be done twice is tried again.
const WAITS: [u64; 3] = [200, 1000, 3000];

/// A client of one server.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    target: Target,
}

/// Settings of one request.
pub(super) type Settings<'a> = &'a [(&'a str, String)];

impl Client {
    pub(super) fn new(target: &Target) -> Result<Self> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .tcp_keepalive(Duration::from_secs(30))
            .tls_built_in_root_certs(target.tls)
            .no_proxy()
            .http1_only()
            .build()
            .map_err(|error| ConnectorError::option("host", chain(&error)))?;
        Ok(Self { http, target: target.clone() })
    }

    /// The failure as our kind.
    pub(super) fn error(&self, failure: Failure) -> ConnectorError {
        failure.into_error(&self.target)
    }

    /// Runs a statement that returns nothing.
    pub(super) async fn execute(&self, sql: &str) -> Result<(), Failure> {
        let settings = [("wait_end_of_query", "1".to_owned())];
        self.request(None, Bytes::from(sql.to_owned()), &settings).await.map(drop)
    }

    /// Runs a statement that may be run twice, again when its answer was lost or the trouble may pass.
    pub(super) async fn insist(&self, sql: &str) -> Result<(), Failure> {
        let mut waits = WAITS.into_iter();
        loop {
            match (self.execute(sql).await, waits.next()) {
                (Err(failure), Some(wait)) if failure.is_passing(&[]) => {
                    tracing::debug!(?failure, "asking again");
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                }
                (answer, _) => return answer,
            }
        }
    }

    /// Rows as JSON values.
    pub(super) async fn rows(&self, sql: &str) -> Result<Vec<Vec<Value>>, Failure> {
        let sql = format!("{sql} FORMAT JSONCompactEachRow");
        let settings =
            [("wait_end_of_query", "1".to_owned()), ("output_format_json_quote_64bit_integers", "0".to_owned())];
        let body = self.request(None, Bytes::from(sql), &settings).await?;
        let text = String::from_utf8_lossy(&body);
        let parse = |line: &str| {
            serde_json::from_str(line).map_err(|error| Failure::Lost(format!("an answer that is no row: {error}")))
        };
        text.lines().filter(|line| !line.trim().is_empty()).map(parse).collect()
    }

    /// Sends `body` as the data of an INSERT.
    pub(super) async fn insert(&self, sql: &str, settings: Settings<'_>, body: Bytes) -> Result<(), Failure> {
        self.request(Some(sql), body, settings).await.map(drop)
    }

    /// Asks a query about rows that go with it, in ArrowStream, as a table called `name`; again when the trouble may pass.
    ///
    /// Source: <https://clickhouse.com/docs/engines/table-engines/special/external-data>.
    pub(super) async fn ask(&self, sql: &str, name: &str, structure: &str, rows: &[u8]) -> Result<Bytes, Failure> {
        let boundary = format!("firesteel-{}", uuid::Uuid::new_v4().simple());
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        let body = Bytes::from([head.as_bytes(), rows, format!("\r\n--{boundary}--\r\n").as_bytes()].concat());
        let (format_of, structure_of) = (format!("{name}_format"), format!("{name}_structure"));
        let settings = [
            (format_of.as_str(), "ArrowStream".to_owned()),
            (structure_of.as_str(), structure.to_owned()),
            ("input_format_null_as_default", "0".to_owned()),
        ];
        let content = format!("multipart/form-data; boundary={boundary}");
        let mut waits = WAITS.into_iter();
        loop {
            let sent = self.post(Some(sql), body.clone(), &settings, Some(&content)).await;
            match (self.whole(sent).await, waits.next()) {
                (Err(failure), Some(wait)) if failure.is_passing(&[]) => {
                    tracing::debug!(?failure, "asking again");
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                }
                (answer, _) => return answer,
            }
        }
    }

    /// A query whose answer is read as it comes.
    pub(super) async fn stream(&self, sql: &str, settings: Settings<'_>) -> Result<Response, Failure> {
        self.send(None, Bytes::from(sql.to_owned()), settings).await
    }

    async fn request(&self, query: Option<&str>, body: Bytes, settings: Settings<'_>) -> Result<Bytes, Failure> {
        self.whole(self.send(query, body, settings).await).await
    }

    /// An answer to its end.
    async fn whole(&self, response: Result<Response, Failure>) -> Result<Bytes, Failure> {
        let body = response?.bytes().await.map_err(|error| Failure::Lost(chain(&error.without_url())))?;
        match exception(&body) {
            Some(failure) => Err(failure),
            None => Ok(body),
        }
    }

    async fn send(&self, query: Option<&str>, body: Bytes, settings: Settings<'_>) -> Result<Response, Failure> {
        self.post(query, body, settings, None).await
    }

    async fn post(
        &self,
        query: Option<&str>,
        body: Bytes,
        settings: Settings<'_>,
        content: Option<&str>,
    ) -> Result<Response, Failure> {
        let target = &self.target;
        let scheme = if target.tls { "https" } else { "http" };
        let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
        let mut parameters: Vec<(&str, &str)> = vec![("database", &target.database)];
        parameters.extend(query.map(|query| ("query", query)));
        parameters.extend(target.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        parameters.extend(settings.iter().map(|(name, value)| (*name, value.as_str())));
        let limit = target.timeout.to_string();
        if target.timeout > 0 {
            parameters.push(("max_execution_time", &limit));
        }
        let mut url = url::Url::parse(&format!("{scheme}://{host}:{}/", target.port))
            .map_err(|error| Failure::Unreachable(error.to_string()))?;
        url.query_pairs_mut().extend_pairs(parameters);
        let mut request = self
            .http
            .post(url)
            .header("X-ClickHouse-User", &target.user)
            .header("X-ClickHouse-Key", &target.password)
            .header("User-Agent", "firesteel")
            .body(body);
        if let Some(content) = content {
            request = request.header("Content-Type", content);
        }
        let response = request.send().await.map_err(|error| {
            let unreached = error.is_connect() || error.is_builder();
            let reason = chain(&error.without_url());
            if unreached { Failure::Unreachable(reason) } else { Failure::Lost(reason) }
        })?;
        let code =
            response.headers().get("X-ClickHouse-Exception-Code").and_then(|value| value.to_str().ok()?.parse().ok());
        if code.is_none() && response.status() == StatusCode::OK {
            return Ok(response);
        }
        let status = response.status();
        let body = response.bytes().await.unwrap_or_default();
        let message = String::from_utf8_lossy(&body).trim().chars().take(4000).collect::<String>();
        match code.or_else(|| code_in(&message)) {
            Some(code) => Err(Failure::Refused { code, message }),
            None if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN => {
                Err(Failure::Refused { code: 516, message })
            }
            None if status.is_server_error() => Err(Failure::Lost(format!("{status}: {message}"))),
            None => Err(Failure::Refused { code: 0, message: format!("{status}: {message}") }),
        }
    }
}

/// An exception that the server wrote at the end of an answer it had begun.
pub(super) fn exception(tail: &[u8]) -> Option<Failure> {
    let start = tail.len().saturating_sub(16 * 1024);
    let text = String::from_utf8_lossy(tail.get(start..).unwrap_or_default());
    let at = text.rfind("DB::Exception")?;
    let begin = text.get(..at).and_then(|before| before.rfind("Code: "))?;
    let message = text.get(begin..)?.trim();
    // Both are there only in a report of the server's own, which ends the answer.
    if !message.trim_end().ends_with(')') && !text.contains("__exception__") {
        return None;
    }
    Some(Failure::Refused { code: code_in(message)?, message: message.chars().take(4000).collect() })
}

/// The number in `Code: 60. DB::Exception: ...`.
fn code_in(message: &str) -> Option<i32> {
    let rest = message.split_once("Code: ")?.1;
    rest.get(..rest.find(|c: char| !c.is_ascii_digit())?)?.parse().ok()
}

/// A value as text, whether it was sent as a number or as text.
pub(super) fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

/// A whole number, whether it was sent as a number or as text.
pub(super) fn number(value: Option<&Value>) -> Option<u64> {
    match value {
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => other.as_u64(),
        None => None,
    }
}
