//! Where a ClickHouse server is: options and JDBC URLs.
//!
//! Parses only; opens nothing.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use super::given::Given;
use crate::error::{ConnectorError, Result};

/// Where a server is and how to log in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Host name or address.
    pub host: String,
    /// HTTP port.
    pub port: u16,
    /// Whether to use TLS.
    pub tls: bool,
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
    /// The default database.
    pub database: String,
    /// Server settings for every request.
    pub settings: BTreeMap<String, String>,
    /// Seconds a request may take; 0 means no limit.
    pub timeout: u64,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("target", &self.shown())
            .field("user", &self.user)
            .field("settings", &self.settings.keys())
            .finish_non_exhaustive()
    }
}

impl Target {
    /// Host, port and database for messages.
    pub fn shown(&self) -> String {
        format!("{}:{}/{}", self.host, self.port, self.database)
    }
}

/// Reads where the server is.
pub(super) fn read(given: &mut Given) -> Result<Target> {
    let mut target = Target {
        host: String::new(),
        port: 0,
        tls: false,
        user: "default".to_owned(),
        password: String::new(),
        database: "default".to_owned(),
        settings: BTreeMap::new(),
        timeout: 0,
    };
    if let Some(url) = given.take(&["url"]) {
        from_url(&url, &mut target, given)?;
    }
    if let Some(host) = given.take(&["host"]) {
        target.host = host;
    }
    if target.host.is_empty() {
        return Err(ConnectorError::MissingOption { key: "host".to_owned() });
    }
    if let Some(user) = given.take(&["user", "username"]) {
        target.user = user;
    }
    if let Some(password) = given.take(&["password"]) {
        target.password = password;
    }
    if let Some(database) = given.take(&["database"]) {
        target.database = database;
    }
    match given.take(&["protocol"]).map(|text| text.to_ascii_lowercase()).as_deref() {
        None => {}
        Some("http") => target.tls = false,
        Some("https") => target.tls = true,
        Some(_) => return Err(ConnectorError::option("protocol", "expected http or https")),
    }
    let ssl = given.take(&["option.ssl", "ssl"]);
    match ssl.map(|text| text.to_ascii_lowercase()).as_deref() {
        None | Some("false") => {}
        Some("true" | "") => target.tls = true,
        Some(_) => return Err(ConnectorError::option("ssl", "expected true or false")),
    }
    if let Some(port) = given.number(&["http_port", "port"])? {
        target.port = port;
    }
    if target.port == 0 {
        target.port = if target.tls { 8443 } else { 8123 };
    }
    target.timeout = given.millis("client.querytimeout", 0)?.div_ceil(1000);
    if let Some(seconds) = given.number(&["querytimeout"])? {
        target.timeout = seconds;
    }
    if given
        .take(&["timezone"])
        .is_some_and(|zone| !zone.eq_ignore_ascii_case("server") && !zone.eq_ignore_ascii_case("utc"))
    {
        // Instants travel as instants; a zone would change nothing but is a sign of other expectations.
        return Err(ConnectorError::Unsupported { feature: "option timezone other than server or UTC".to_owned() });
    }
    let list = given.take(&["read.settings"]).unwrap_or_default();
    for pair in list.split(',').filter(|pair| !pair.trim().is_empty()) {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| ConnectorError::option("read.settings", "expected name=value"))?;
        target.settings.insert(name.trim().to_owned(), value.trim().trim_matches('\'').to_owned());
    }
    let prefixes = ["option.clickhouse_setting_", "clickhouse_setting_", "write.option.", "option."];
    target.settings.extend(given.prefixed(&prefixes));
    Ok(target)
}

/// `jdbc:clickhouse:[http:|https:]//user:password@host:port/database?key=value`.
fn from_url(text: &str, target: &mut Target, given: &mut Given) -> Result<()> {
    // The message never quotes the URL, which may hold a password.
    let wrong = || ConnectorError::option("url", "expected jdbc:clickhouse://host:port/database");
    let rest = text.trim();
    let rest = rest.get(..5).filter(|start| start.eq_ignore_ascii_case("jdbc:")).map_or(rest, |_| &rest[5..]);
    let rest = rest.strip_prefix("clickhouse:").or_else(|| rest.strip_prefix("ch:")).unwrap_or(rest);
    let (tls, rest) = match rest.strip_prefix("https:") {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix("http:").unwrap_or(rest)),
    };
    let url = Url::parse(&format!("http:{rest}")).map_err(|_| wrong())?;
    let host = url.host_str().ok_or_else(wrong)?;
    if host.contains(',') {
        return Err(ConnectorError::Unsupported { feature: "several hosts in a ClickHouse URL".to_owned() });
    }
    let plain = |text: &str| crate::files::escape::unescape(text);
    target.host = host.trim_matches(['[', ']']).to_owned();
    target.tls = tls;
    // The parser drops port 80, which is `http`'s own.
    target.port = url.port().unwrap_or(if rest.contains(&format!("{host}:80")) { 80 } else { 0 });
    if !url.username().is_empty() {
        target.user = plain(url.username());
    }
    if let Some(password) = url.password() {
        target.password = plain(password);
    }
    let database = plain(url.path().trim_matches('/'));
    if !database.is_empty() {
        target.database = database;
    }
    for (key, value) in url.query_pairs() {
        match key.to_ascii_lowercase().as_str() {
            name @ ("user" | "username" | "password" | "database" | "ssl" | "protocol") => {
                given.0.entry(name.to_owned()).or_insert_with(|| value.into_owned());
            }
            name if name.starts_with("clickhouse_setting_") => {
                given.0.entry(name.to_owned()).or_insert_with(|| value.into_owned());
            }
            "socket_timeout" | "compress" | "client_name" => {}
            _ => return Err(ConnectorError::option(&key, "unsupported connection property")),
        }
    }
    Ok(())
}
