//! Connections with the TLS that was asked for, and the server's errors as our kinds.
//!
//! Knows nothing of tables.

mod tls;

use std::time::Duration;

use datafusion::common::runtime::SpawnedTask;
use tokio_postgres::config::SslMode as WireSslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use super::options::JdbcOptions;
use super::url::{SslMode, Target};
use crate::error::{ConnectorError, Result, chain};

/// A live connection; dropping it closes it and rolls back what is open.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    /// Moves the bytes; ends when dropped.
    _driver: SpawnedTask<()>,
}

impl Connection {
    /// The client that sends statements.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Runs statements that return nothing.
    ///
    /// # Errors
    /// `Database` with the server's SQLSTATE.
    pub async fn execute(&self, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).await.map_err(database_error)
    }

    /// Has the server end a query soon after we are gone: by itself it learns of that when it next sends rows. Servers before
    /// PostgreSQL 14 do not know how.
    ///
    /// # Errors
    /// `Database`.
    pub async fn notice_when_gone(&self) -> Result<()> {
        self.execute(
            "SELECT set_config(name, '1s', false) FROM pg_settings WHERE name = 'client_connection_check_interval'",
        )
        .await
    }

    /// Applies `queryTimeout` and `sessionInitStatement`.
    ///
    /// # Errors
    /// `Database`.
    pub async fn prepare_session(&self, options: &JdbcOptions) -> Result<()> {
        if options.query_timeout > 0 {
            self.execute(&format!("SET statement_timeout = '{}s'", options.query_timeout)).await?;
        }
        match &options.session_init {
            Some(statement) => self.execute(statement).await,
            None => Ok(()),
        }
    }
}

/// Connects and sets up the session: UTC, ISO dates, the schema asked for.
///
/// # Errors
/// `ConnectionFailed`, `AuthenticationFailed`, `DatabaseNotFound` or `Database`.
pub async fn connect(target: &Target, application: &str) -> Result<Connection> {
    let config = config(target, application);
    let limit = Duration::from_secs(target.connect_timeout.saturating_add(2));
    let failed = |error| connect_error(target, error);
    let timed = async {
        if target.ssl_mode == SslMode::Disable {
            let (client, driver) = config.connect(NoTls).await.map_err(failed)?;
            return Ok((client, SpawnedTask::spawn(drive(driver))));
        }
        let tls = tls::connector(target)?;
        let (client, driver) = config.connect(tls).await.map_err(failed)?;
        Ok((client, SpawnedTask::spawn(drive(driver))))
    };
    let timed = tokio::time::timeout(limit, timed).await;
    let connected: Result<(Client, SpawnedTask<()>)> = timed.unwrap_or_else(|_| {
        let reason = format!("no answer within {} s", limit.as_secs());
        Err(ConnectorError::ConnectionFailed { target: target.shown(), reason })
    });
    let (client, driver) = connected?;
    let connection = Connection { client, _driver: driver };
    let mut setup = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET client_encoding = 'UTF8'".to_owned();
    if let Some(schema) = &target.current_schema {
        let path: Vec<String> = schema.split(',').map(|name| super::table::quote(name.trim())).collect();
        setup.push_str(&format!("; SET search_path = {}", path.join(", ")));
    }
    connection.execute(&setup).await?;
    Ok(connection)
}

async fn drive<F: Future<Output = std::result::Result<(), tokio_postgres::Error>>>(driver: F) {
    // The client's pending call reports the same error.
    if let Err(error) = driver.await {
        tracing::debug!(%error, "connection ended");
    }
}

fn config(target: &Target, application: &str) -> Config {
    let mut config = Config::new();
    for (host, port) in &target.hosts {
        config.host(host).port(*port);
    }
    let user = target.user.clone().or_else(|| std::env::var("PGUSER").ok()).unwrap_or_else(|| "postgres".to_owned());
    config.user(&user);
    if let Some(password) = &target.password {
        config.password(password);
    }
    config.dbname(if target.database.is_empty() { &user } else { &target.database });
    config.application_name(target.application_name.as_deref().unwrap_or(application));
    config.connect_timeout(Duration::from_secs(target.connect_timeout));
    config.keepalives_idle(Duration::from_secs(60));
    if let Some(options) = &target.options {
        config.options(options);
    }
    config.ssl_mode(match target.ssl_mode {
        SslMode::Disable => WireSslMode::Disable,
        SslMode::Prefer => WireSslMode::Prefer,
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => WireSslMode::Require,
    });
    config
}

fn connect_error(target: &Target, error: tokio_postgres::Error) -> ConnectorError {
    let shown = target.shown();
    let Some(database) = error.as_db_error() else {
        let reason = chain(&error);
        // A missing password never reaches the server.
        if reason.contains("password missing") {
            return ConnectorError::AuthenticationFailed { target: shown, reason };
        }
        return ConnectorError::ConnectionFailed { target: shown, reason };
    };
    let reason = database.message().to_owned();
    match *database.code() {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            ConnectorError::AuthenticationFailed { target: shown, reason }
        }
        SqlState::INVALID_CATALOG_NAME => ConnectorError::DatabaseNotFound { reason },
        _ => database_error(error),
    }
}

/// The server's error with all it says, and whether trying again may help.
pub(crate) fn database_error(error: tokio_postgres::Error) -> ConnectorError {
    let Some(database) = error.as_db_error() else {
        return ConnectorError::Transient { target: "PostgreSQL".to_owned(), reason: chain(&error) };
    };
    let sqlstate = database.code().code().to_owned();
    let mut message = database.message().to_owned();
    let parts = [("detail", database.detail()), ("hint", database.hint()), ("context", database.where_())];
    for (label, text) in parts {
        if let Some(text) = text {
            message.push_str(&format!("; {label}: {text}"));
        }
    }
    let transient = sqlstate.starts_with("08")
        || matches!(sqlstate.as_str(), "40001" | "40P01" | "53300" | "55P03" | "57P01" | "57P02" | "57P03");
    ConnectorError::Database { sqlstate, message, transient }
}
