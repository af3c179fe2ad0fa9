//! JDBC URLs: `jdbc:postgresql://h1:p1,h2:p2/db?user=..&sslmode=..`.
//!
//! Parses only; opens nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{ConnectorError, Result};

/// Where a database is and how to log in.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    /// Hosts and ports, tried in order.
    pub hosts: Vec<(String, u16)>,
    /// The database; empty means the user's.
    pub database: String,
    /// The user.
    pub user: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`.
    pub ssl_mode: SslMode,
    /// A PEM file of trusted roots.
    pub ssl_root_cert: Option<String>,
    /// `currentSchema`: becomes the search path.
    pub current_schema: Option<String>,
    /// `ApplicationName`.
    pub application_name: Option<String>,
    /// Seconds to wait for a connection.
    pub connect_timeout: u64,
    /// `options`: passed to the server as they are.
    pub options: Option<String>,
    /// `stringtype`.
    pub string_type: Option<String>,
}

/// How much TLS is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SslMode {
    /// Never.
    Disable,
    /// If the server wants it.
    Prefer,
    /// Always, whoever the server is.
    Require,
    /// Always, with a trusted certificate.
    VerifyCa,
    /// Always, with a trusted certificate for this host.
    VerifyFull,
}

/// Driver properties with no meaning here and no effect on results.
const HARMLESS: [&str; 19] = [
    "rewritebatchedinserts",
    "tcpkeepalive",
    "loggerlevel",
    "loggerfile",
    "preparethreshold",
    "defaultrowfetchsize",
    "binarytransfer",
    "sockettimeout",
    "canceltimeout",
    "loadbalancehosts",
    "assumeminserverversion",
    "unknownlength",
    "preparedstatementcachequeries",
    "adaptivefetch",
    "preparedstatementcachesizemib",
    "databasemetadatacachefields",
    "autosave",
    "reconnect",
    "sendbuffersize",
];

impl Target {
    /// Parses a JDBC URL.
    ///
    /// # Errors
    /// `InvalidOption` for anything malformed; the message never quotes the URL, which may hold a password.
    pub fn parse(url: &str) -> Result<Self> {
        let rest = url.strip_prefix("jdbc:").unwrap_or(url);
        let rest = rest
            .strip_prefix("postgresql:")
            .or_else(|| rest.strip_prefix("postgres:"))
            .ok_or_else(|| ConnectorError::option("url", "expected jdbc:postgresql://host:port/database"))?;
        let (location, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut target = Self {
            hosts: Vec::new(),
            database: String::new(),
            user: None,
            password: None,
            ssl_mode: SslMode::Prefer,
            ssl_root_cert: None,
            current_schema: None,
            application_name: None,
            connect_timeout: 10,
            options: None,
            string_type: None,
        };
        let (authority, database) = match location.strip_prefix("//") {
            Some(location) => location.split_once('/').unwrap_or((location, "")),
            None => ("", location.trim_start_matches('/')),
        };
        target.database = decode(database);
        for host in authority.split(',').filter(|host| !host.is_empty()) {
            target.hosts.push(host_and_port(host)?);
        }
        if target.hosts.is_empty() {
            target.hosts.push(("localhost".to_owned(), 5432));
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            target.set(&decode(key), &decode(value))?;
        }
        Ok(target)
    }

    /// Applies one connection property, from the URL or an option of the same name.
    ///
    /// # Errors
    /// `InvalidOption` for unknown keys and unusable values.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let text = Some(value.to_owned());
        match key.to_ascii_lowercase().as_str() {
            "user" => self.user = text,
            "password" => self.password = text,
            "ssl" => {
                if matches!(value, "" | "true") && !matches!(self.ssl_mode, SslMode::VerifyCa | SslMode::Require) {
                    self.ssl_mode = SslMode::VerifyFull;
                }
            }
            "sslmode" => self.ssl_mode = ssl_mode(value)?,
            "sslrootcert" => self.ssl_root_cert = text,
            "currentschema" => self.current_schema = text,
            "applicationname" => self.application_name = text,
            "stringtype" => self.string_type = text,
            "readonly" if value == "false" => {}
            "connecttimeout" | "logintimeout" => {
                let seconds: u64 = value.parse().map_err(|_| ConnectorError::option(key, "expected seconds"))?;
                if seconds > 0 {
                    self.connect_timeout = seconds;
                }
            }
            "options" => self.options = text,
            "targetservertype" if matches!(value, "any" | "primary" | "master") => {}
            known if HARMLESS.contains(&known) => tracing::debug!(key, "connection property has no effect"),
            _ => return Err(ConnectorError::option(key, "unsupported connection property")),
        }
        Ok(())
    }

    /// Host and port for messages.
    pub fn shown(&self) -> String {
        let hosts: Vec<String> = self.hosts.iter().map(|(host, port)| format!("{host}:{port}")).collect();
        format!("{}/{}", hosts.join(","), self.database)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("target", &self.shown())
            .field("user", &self.user)
            .field("ssl_mode", &self.ssl_mode)
            .finish_non_exhaustive()
    }
}

fn ssl_mode(value: &str) -> Result<SslMode> {
    Ok(match value.to_ascii_lowercase().as_str() {
        "disable" => SslMode::Disable,
        "allow" | "prefer" => SslMode::Prefer,
        "require" => SslMode::Require,
        "verify-ca" => SslMode::VerifyCa,
        "verify-full" => SslMode::VerifyFull,
        _ => {
            return Err(ConnectorError::option(
                "sslmode",
                "expected disable, prefer, require, verify-ca or verify-full",
            ));
        }
    })
}

fn host_and_port(text: &str) -> Result<(String, u16)> {
    let text = text.rsplit_once('@').map_or(text, |(_, host)| host);
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':').unwrap_or_default()),
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let port = match port {
        "" => 5432,
        port => port.parse().map_err(|_| ConnectorError::option("url", format!("invalid port '{port}'")))?,
    };
    let host = if host.is_empty() { "localhost" } else { host };
    Ok((host.to_owned(), port))
}

fn decode(text: &str) -> String {
    crate::files::escape::unescape(&text.replace('+', "%20"))
}
