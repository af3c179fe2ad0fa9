//! A session to run statements in: on a server, or on an engine started inside this process behind a loopback port of its own.

use anyhow::{Context, bail};
use firesteel_connect::client::{Client, Remote};

use crate::args::Target;
use crate::processes;

/// An open session.
pub(crate) struct Connection {
    /// The session.
    pub(crate) client: Client,
    place: String,
    /// Keeps the in-process server alive.
    _server: Option<processes::Embedded>,
}

impl Connection {
    /// Where statements run, for people.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Ends the session; a server that is gone has ended it already.
    pub(crate) async fn close(&self) {
        let _gone = self.client.close().await;
    }
}

/// Opens a session where the settings say.
///
/// # Errors
/// When the address is bad, nobody answers, the engine cannot start or a `--conf` is refused.
pub(crate) async fn open(target: &Target) -> anyhow::Result<Connection> {
    let (remote, place, server) = match &target.remote {
        Some(address) => {
            let remote = Remote::parse(address)?;
            let place = remote.to_string();
            (remote, place, None)
        }
        None => {
            let server = processes::embedded(&target.engine).await.context("cannot start the engine")?;
            (Remote::local(server.port()), "an engine in this process".to_string(), Some(server))
        }
    };
    let client = Client::connect(&remote).await?;
    let mut pairs = vec![];
    for entry in &target.conf {
        let Some((key, value)) = entry.split_once('=') else { bail!("bad --conf '{entry}': expected KEY=VALUE") };
        pairs.push((key.trim().to_string(), value.trim().to_string()));
    }
    if !pairs.is_empty() {
        client.set(&pairs).await?;
    }
    Ok(Connection { client, place, _server: server })
}
