//! A client's view of an operation: its responses from some index on.

use std::sync::Arc;
use std::time::Duration;

use firesteel_proto::spark::connect as sc;
use tokio::sync::watch;
use tokio::time::Instant;
use tonic::Status;

use super::{Operation, disconnected};
use crate::error::status;

/// A stream of a reattachable operation ends after this time, and the client comes back for more. So no stream lives
/// as long as the deadline of the client or the patience of a proxy.
const SEGMENT: Duration = Duration::from_secs(120);

/// The responses of an operation to one client call. Dropping it detaches the client.
#[derive(Debug)]
pub(crate) struct ResponseStream {
    operation: Arc<Operation>,
    generation: u64,
    next: usize,
    changes: watch::Receiver<()>,
    cut_at: Option<Instant>,
    over: bool,
}

#[expect(clippy::large_enum_variant, reason = "a step lives for one turn of the loop")]
enum Step {
    Item(Result<sc::ExecutePlanResponse, Status>),
    End,
    Wait,
}

impl ResponseStream {
    pub(super) fn new(operation: Arc<Operation>, generation: u64, next: usize) -> Self {
        let changes = operation.changed.subscribe();
        let cut_at = operation.identity.reattachable.then(|| Instant::now() + SEGMENT);
        Self { operation, generation, next, changes, cut_at, over: false }
    }

    /// The next response, `None` at the end of the stream.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost when this future is dropped.
    pub(crate) async fn next(&mut self) -> Option<Result<sc::ExecutePlanResponse, Status>> {
        if self.over {
            return None;
        }
        loop {
            self.changes.borrow_and_update();
            match self.step() {
                Step::Item(item) => {
                    self.over = item.is_err();
                    return Some(item);
                }
                Step::End => {
                    self.over = true;
                    return None;
                }
                Step::Wait => {}
            }
            let cut_at = self.cut_at.unwrap_or_else(|| Instant::now() + SEGMENT);
            tokio::select! {
                changed = self.changes.changed() => {
                    if changed.is_err() {
                        self.over = true;
                        return None;
                    }
                }
                () = tokio::time::sleep_until(cut_at) => {}
            }
        }
    }

    fn step(&mut self) -> Step {
        let mut state = self.operation.state.lock();
        if state.attached != self.generation {
            return Step::Item(Err(status(&disconnected())));
        }
        if self.cut_at.is_some_and(|cut_at| Instant::now() >= cut_at) {
            return Step::End;
        }
        if let Some(response) = state.buffer.send(self.next, self.operation.identity.reattachable) {
            self.next += 1;
            drop(state);
            // The runner may be waiting for room.
            self.operation.changed.send_replace(());
            return Step::Item(Ok(response));
        }
        match &state.end {
            Some(Ok(())) => Step::End,
            Some(Err(status)) => Step::Item(Err(status.clone())),
            None => Step::Wait,
        }
    }
}

impl Drop for ResponseStream {
    fn drop(&mut self) {
        self.operation.detach(self.generation, self.over);
    }
}
