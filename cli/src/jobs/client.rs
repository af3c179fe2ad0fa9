//! The REST door of a server or scheduler, as far as jobs go.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<String>,
}

impl Client {
    /// The server of an address.
    ///
    /// # Errors
    /// When the address is none.
    pub(super) fn new(rest: &str, token: Option<&str>) -> anyhow::Result<Self> {
        let base = Url::parse(rest).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let base = base.ok_or_else(|| anyhow!("bad address '{rest}': expected http://HOST:PORT"))?;
        let http = reqwest::Client::builder().timeout(PATIENCE).connect_timeout(Duration::from_secs(10)).build()?;
        Ok(Self { http, base, token: token.map(str::to_owned) })
    }

    pub(super) async fn submit(&self, id: &str, job: &Value) -> anyhow::Result<Value> {
        json(&self.ask(Method::PUT, &[id], Some(job)).await?)
    }

    pub(super) async fn list(&self) -> anyhow::Result<Value> {
        json(&self.ask(Method::GET, &[], None).await?)
    }

    pub(super) async fn get(&self, id: &str) -> anyhow::Result<Value> {
        json(&self.ask(Method::GET, &[id], None).await?)
    }

    pub(super) async fn cancel(&self, id: &str) -> anyhow::Result<Value> {
        json(&self.ask(Method::DELETE, &[id], None).await?)
    }

    pub(super) async fn log(&self, id: &str) -> anyhow::Result<String> {
        self.ask(Method::GET, &[id, "log"], None).await
    }

    /// The text of an answer that is no refusal.
    async fn ask(&self, method: Method, path: &[&str], body: Option<&Value>) -> anyhow::Result<String> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| anyhow!("bad address '{}'", self.base))?
            .pop_if_empty()
            .extend(["api", "v1", "submissions"])
            .extend(path);
        let mut request = self.http.request(method, url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(serde_json::to_vec(body)?);
        }
        let answer = request.send().await.with_context(|| format!("cannot reach {}", self.base))?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| format!("{} broke off", self.base))?;
        if status.is_success() {
            return Ok(text);
        }
        let message = serde_json::from_str::<Value>(&text).ok();
        let message = message.as_ref().and_then(|value| value.get("message")?.as_str()).unwrap_or(text.trim());
        match status {
            StatusCode::UNAUTHORIZED => bail!("{message}: give --token or set FIRESTEEL_TOKEN"),
            _ if message.is_empty() => bail!("{} answers {status}", self.base),
            _ => bail!("{message}"),
        }
    }
}

fn json(text: &str) -> anyhow::Result<Value> {
    serde_json::from_str(text).context("the answer is no JSON: is this the REST address of a Firesteel server?")
}
