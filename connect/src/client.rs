//! A small Spark Connect client: what `firesteel sql` and `firesteel submit` use to reach any Spark Connect server.
//!
//! It runs SQL text, streams rows and progress, and interrupts. It knows nothing of the engine behind the address.

mod remote;
mod rows;

use firesteel_proto::spark::connect as proto;
use proto::spark_connect_service_client::SparkConnectServiceClient;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

pub use remote::Remote;
pub use rows::{Event, Rows};

/// Larger than any message a server sends by default (Spark's own client limit).
const MESSAGE_LIMIT: usize = 128 << 20;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is no `sc://` address.
    #[error("bad remote address '{0}': expected sc://HOST[:PORT][/;key=value...]")]
    Address(String),
    /// Nobody answers there.
    #[error("cannot connect to {address}")]
    Connect {
        /// The address.
        address: String,
        /// Cause.
        #[source]
        source: tonic::transport::Error,
    },
    /// The server answered with an error; the text starts with Spark's condition in brackets.
    #[error("{}", .0.message())]
    Server(Box<tonic::Status>),
    /// Rows that are no Arrow.
    #[error("cannot read the rows the server sent")]
    Arrow(#[from] arrow::error::ArrowError),
    /// The server broke the protocol.
    #[error("the server broke the protocol: {0}")]
    Protocol(&'static str),
}

impl From<tonic::Status> for ClientError {
    fn from(status: tonic::Status) -> Self {
        Self::Server(Box::new(status))
    }
}

type Stub = SparkConnectServiceClient<InterceptedService<Channel, remote::Headers>>;

/// A session on a server.
#[derive(Debug, Clone)]
pub struct Client {
    stub: Stub,
    session_id: String,
    user: String,
}

impl Client {
    /// Connects and opens a session of its own.
    ///
    /// # Errors
    /// When the address is malformed or nobody answers.
    pub async fn connect(remote: &Remote) -> Result<Self, ClientError> {
        let channel = remote
            .endpoint()?
            .connect()
            .await
            .map_err(|source| ClientError::Connect { address: remote.to_string(), source })?;
        let stub = SparkConnectServiceClient::with_interceptor(channel, remote.headers()?)
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT);
        Ok(Self { stub, session_id: remote.session_id(), user: remote.user() })
    }

    /// Runs one SQL statement; rows, progress and errors come from the returned [`Rows`].
    #[must_use]
    pub fn sql(&self, text: &str) -> Rows {
        Rows::new(self.clone(), text)
    }

    /// Interrupts everything that runs in this session.
    ///
    /// # Errors
    /// When the server refuses or is gone.
    pub async fn interrupt(&self) -> Result<(), ClientError> {
        let request = proto::InterruptRequest {
            session_id: self.session_id.clone(),
            user_context: Some(self.user_context()),
            interrupt_type: proto::interrupt_request::InterruptType::All.into(),
            ..Default::default()
        };
        self.stub.clone().interrupt(request).await?;
        Ok(())
    }

    /// Sets session configuration.
    ///
    /// # Errors
    /// When the server refuses a key or value.
    pub async fn set(&self, pairs: &[(String, String)]) -> Result<(), ClientError> {
        use proto::config_request::{Operation, Set, operation::OpType};
        let pairs =
            pairs.iter().map(|(key, value)| proto::KeyValue { key: key.clone(), value: Some(value.clone()) }).collect();
        let request = proto::ConfigRequest {
            session_id: self.session_id.clone(),
            user_context: Some(self.user_context()),
            operation: Some(Operation { op_type: Some(OpType::Set(Set { pairs, silent: None })) }),
            ..Default::default()
        };
        self.stub.clone().config(request).await?;
        Ok(())
    }

    /// Ends the session on the server.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn close(&self) -> Result<(), ClientError> {
        let request = proto::ReleaseSessionRequest {
            session_id: self.session_id.clone(),
            user_context: Some(self.user_context()),
            ..Default::default()
        };
        self.stub.clone().release_session(request).await?;
        Ok(())
    }

    fn user_context(&self) -> proto::UserContext {
        proto::UserContext { user_id: self.user.clone(), user_name: self.user.clone(), ..Default::default() }
    }
}
