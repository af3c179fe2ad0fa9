//! The address of a Spark Connect server, `sc://host:port/;key=value;...`, as Spark's clients write it.
//!
//! Source: <https://github.com/apache/spark/blob/master/sql/connect/docs/client-connection-string.md>.

use std::fmt;
use std::time::Duration;

use tonic::metadata::{Ascii, MetadataKey, MetadataValue};
use tonic::service::Interceptor;
use tonic::transport::{ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

use super::ClientError;

const DEFAULT_PORT: u16 = 15002;

/// A parsed address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    host: String,
    port: u16,
    parameters: Vec<(String, String)>,
}

impl Remote {
    /// The server on this machine's port.
    #[must_use]
    pub fn local(port: u16) -> Self {
        Self { host: "127.0.0.1".into(), port, parameters: vec![] }
    }

    /// Parses `sc://host[:port][/;key=value...]`.
    ///
    /// # Errors
    /// [`ClientError::Address`].
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let bad = || ClientError::Address(text.to_string());
        let rest = text.strip_prefix("sc://").ok_or_else(bad)?;
        let (authority, parameters) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| bad())?),
            _ => (authority, DEFAULT_PORT),
        };
        if host.is_empty() {
            return Err(bad());
        }
        let parameters = parameters
            .split(';')
            .filter(|part| !part.is_empty())
            .map(|part| part.split_once('=').map(|(k, v)| (k.to_string(), v.to_string())).ok_or_else(bad))
            .collect::<Result<_, _>>()?;
        Ok(Self { host: host.to_string(), port, parameters })
    }

    fn parameter(&self, key: &str) -> Option<&str> {
        self.parameters.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn secure(&self) -> bool {
        self.parameter("use_ssl") == Some("true")
            || (self.parameter("token").is_some() && !matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "[::1]"))
    }

    pub(super) fn endpoint(&self) -> Result<Endpoint, ClientError> {
        let scheme = if self.secure() { "https" } else { "http" };
        let uri = format!("{scheme}://{}:{}", self.host, self.port);
        let endpoint = Endpoint::from_shared(uri)
            .map_err(|_| ClientError::Address(self.to_string()))?
            .connect_timeout(Duration::from_secs(10))
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(60))
            .keep_alive_while_idle(true);
        if !self.secure() {
            return Ok(endpoint);
        }
        endpoint
            .tls_config(ClientTlsConfig::new().with_native_roots())
            .map_err(|source| ClientError::Connect { address: self.to_string(), source })
    }

    pub(super) fn headers(&self) -> Result<Headers, ClientError> {
        const OWN: [&str; 4] = ["use_ssl", "user_id", "user_agent", "session_id"];
        let bad = |_| ClientError::Address(self.to_string());
        let mut headers = vec![];
        for (key, value) in &self.parameters {
            if key == "token" {
                let value = format!("Bearer {value}").parse().map_err(|_| ClientError::Address(self.to_string()))?;
                headers.push((MetadataKey::from_static("authorization"), value));
            } else if !OWN.contains(&key.as_str()) {
                let name = MetadataKey::from_bytes(key.as_bytes()).map_err(bad)?;
                let value = value.parse().map_err(|_| ClientError::Address(self.to_string()))?;
                headers.push((name, value));
            }
        }
        Ok(Headers(headers))
    }

    pub(super) fn session_id(&self) -> String {
        self.parameter("session_id").map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_string)
    }

    pub(super) fn user(&self) -> String {
        self.parameter("user_id")
            .map(str::to_string)
            .or_else(|| std::env::var("SPARK_USER").ok())
            .or_else(|| std::env::var("USER").ok())
            .unwrap_or_default()
    }
}

impl fmt::Display for Remote {
    /// The address without its parameters, which may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sc://{}:{}", self.host, self.port)
    }
}

/// Adds the address's token and extra keys to every call.
#[derive(Debug, Clone)]
pub(super) struct Headers(Vec<(MetadataKey<Ascii>, MetadataValue<Ascii>)>);

impl Interceptor for Headers {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        for (key, value) in &self.0 {
            request.metadata_mut().insert(key.clone(), value.clone());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_parse_as_sparks_do() {
        let remote = Remote::parse("sc://spark.example:443/;use_ssl=true;token=secret").unwrap();
        assert!(remote.secure());
        assert_eq!(remote.to_string(), "sc://spark.example:443");
        assert_eq!(Remote::parse("sc://localhost").unwrap().port, 15002);
        assert!(!Remote::parse("sc://localhost/;token=t").unwrap().secure());
        for bad in ["http://x", "sc://", "sc://h:port", "sc://h/;a"] {
            assert!(Remote::parse(bad).is_err(), "{bad}");
        }
    }
}
