//! One running or finished request of a client: its responses, kept until the client has them for sure.
//!
//! ```text
//! runner --push--> [ released | sent, kept for reattach | not sent yet ] --stream--> client
//! ```
//!
//! The runner waits while too much is not sent yet, so a slow client slows the query down instead of filling memory.
//! It knows nothing of plans; responses are opaque but for their ids.

mod buffer;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use firesteel_functions::error::SparkError;
use firesteel_proto::spark::connect as sc;
use parking_lot::Mutex;
use prost::Message;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use uuid::Uuid;

use buffer::Buffer;
pub(crate) use stream::ResponseStream;

use crate::error::{invalid_cursor, status};

/// Bytes a query may run ahead of its client.
const AHEAD_BYTES: usize = 16 * 1024 * 1024;
/// Bytes kept for a client that may have lost what was sent.
const KEPT_BYTES: usize = 10 * 1024 * 1024;

/// Who an operation belongs to and how it was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// The client's session.
    pub(crate) session_id: String,
    /// The server's id of the session.
    pub(crate) server_side_session_id: String,
    /// The operation.
    pub(crate) operation_id: Uuid,
    /// The client's tags.
    pub(crate) tags: Vec<String>,
    /// Whether the client may come back for the rest.
    pub(crate) reattachable: bool,
}

/// How an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Not finished.
    Running,
    /// Finished well.
    Succeeded,
    /// Failed.
    Failed,
    /// Cancelled by a client or for lack of one.
    Cancelled,
}

/// A request and its responses.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Whose it is.
    pub(crate) identity: Identity,
    /// Stops the query.
    pub(crate) cancel: CancellationToken,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    buffer: Buffer,
    end: Option<Result<(), Status>>,
    outcome: Outcome,
    /// Which stream is the client's current one.
    attached: u64,
    detached_since: Option<Instant>,
}

/// The operation is over; nobody will read further responses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gone;

impl Operation {
    /// An operation without responses yet.
    pub(crate) fn new(identity: Identity) -> Arc<Self> {
        let state = State {
            buffer: Buffer::default(),
            end: None,
            outcome: Outcome::Running,
            attached: 0,
            detached_since: Some(Instant::now()),
        };
        let (changed, _) = watch::channel(());
        Arc::new(Self { identity, cancel: CancellationToken::new(), state: Mutex::new(state), changed })
    }

    /// Adds a response once there is room for it.
    ///
    /// # Errors
    ///
    /// [`Gone`] when the operation was cancelled meanwhile.
    pub(crate) async fn push(&self, response: sc::ExecutePlanResponse) -> Result<(), Gone> {
        let mut changes = self.changed.subscribe();
        loop {
            if self.cancel.is_cancelled() {
                return Err(Gone);
            }
            if self.state.lock().buffer.ahead_bytes() < AHEAD_BYTES {
                break;
            }
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(Gone),
                changed = changes.changed() => changed.map_err(|_| Gone)?,
            }
        }
        self.push_now(response);
        Ok(())
    }

    /// Adds a response whether or not there is room: small ones that must not wait.
    pub(crate) fn push_now(&self, mut response: sc::ExecutePlanResponse) {
        let mut state = self.state.lock();
        let index = state.buffer.next_index();
        response.session_id.clone_from(&self.identity.session_id);
        response.server_side_session_id.clone_from(&self.identity.server_side_session_id);
        response.operation_id = self.identity.operation_id.to_string();
        response.response_id = self.response_id(index).to_string();
        let bytes = response.encoded_len();
        state.buffer.push(response, bytes);
        drop(state);
        self.changed.send_replace(());
    }

    /// Ends the operation; streams end after the last response.
    pub(crate) fn finish(&self, end: Result<(), Status>, outcome: Outcome) {
        let mut state = self.state.lock();
        if state.end.is_none() {
            state.end = Some(end);
            state.outcome = outcome;
        }
        drop(state);
        self.changed.send_replace(());
    }

    /// How it stands.
    pub(crate) fn outcome(&self) -> Outcome {
        self.state.lock().outcome
    }

    /// Forgets responses up to and including this one, which the client has.
    pub(crate) fn release_until(&self, response_id: &str) -> Result<(), Status> {
        let index = self.index_of(response_id)?;
        self.state.lock().buffer.release(index);
        self.changed.send_replace(());
        Ok(())
    }

    /// A stream of the responses after `last_response_id`, or of all; any other stream of this operation ends.
    pub(crate) fn attach(self: &Arc<Self>, last_response_id: Option<&str>) -> Result<ResponseStream, Status> {
        let start = match last_response_id {
            Some(id) => self.index_of(id)? + 1,
            None => 0,
        };
        let mut state = self.state.lock();
        if start < state.buffer.first_kept() {
            let id = last_response_id.unwrap_or_default();
            let index = start.to_string();
            return Err(status(&invalid_cursor("POSITION_NOT_AVAILABLE", &[("responseId", id), ("index", &index)])));
        }
        state.attached += 1;
        state.detached_since = None;
        let generation = state.attached;
        drop(state);
        self.changed.send_replace(());
        Ok(ResponseStream::new(Arc::clone(self), generation, start))
    }

    /// How long no client has been listening.
    pub(crate) fn detached_for(&self) -> Option<Duration> {
        self.state.lock().detached_since.map(|since| since.elapsed())
    }

    fn detach(&self, generation: u64, complete: bool) {
        let mut state = self.state.lock();
        if state.attached != generation {
            return;
        }
        state.detached_since = Some(Instant::now());
        let running = state.end.is_none();
        drop(state);
        if running && !complete && !self.identity.reattachable {
            self.cancel.cancel();
        }
    }

    /// Ids are the operation's own id with the index in it, so that finding one needs no table.
    fn response_id(&self, index: usize) -> Uuid {
        Uuid::from_u128(self.identity.operation_id.as_u128() ^ (index as u128 + 1))
    }

    fn index_of(&self, response_id: &str) -> Result<usize, Status> {
        let unknown = || status(&invalid_cursor("POSITION_NOT_FOUND", &[("responseId", response_id)]));
        let id = Uuid::parse_str(response_id).map_err(|_| unknown())?;
        let number = (id.as_u128() ^ self.identity.operation_id.as_u128()).wrapping_sub(1);
        let index = usize::try_from(number).map_err(|_| unknown())?;
        if index < self.state.lock().buffer.next_index() { Ok(index) } else { Err(unknown()) }
    }
}

/// What a client that comes back too late is told.
pub(crate) fn disconnected() -> SparkError {
    invalid_cursor("DISCONNECTED", &[])
}
