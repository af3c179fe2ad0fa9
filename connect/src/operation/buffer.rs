//! Responses by index: the oldest are forgotten when the client has them or when too many bytes are kept.

use std::collections::VecDeque;

use firesteel_proto::spark::connect as sc;

use super::KEPT_BYTES;

/// A queue of responses of which a part is sent already.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    kept: VecDeque<(sc::ExecutePlanResponse, usize)>,
    /// Index of the first response in `kept`.
    first: usize,
    /// Index after the last response that was sent to any stream.
    sent: usize,
    sent_bytes: usize,
    ahead_bytes: usize,
}

impl Buffer {
    /// The index the next response will have.
    pub(super) fn next_index(&self) -> usize {
        self.first + self.kept.len()
    }

    /// The oldest index that can still be had.
    pub(super) fn first_kept(&self) -> usize {
        self.first
    }

    /// Bytes that no stream has taken yet.
    pub(super) fn ahead_bytes(&self) -> usize {
        self.ahead_bytes
    }

    pub(super) fn push(&mut self, response: sc::ExecutePlanResponse, bytes: usize) {
        self.ahead_bytes += bytes;
        self.kept.push_back((response, bytes));
    }

    /// The response at an index, which counts as sent from now on.
    pub(super) fn send(&mut self, index: usize, keep: bool) -> Option<sc::ExecutePlanResponse> {
        let (response, bytes) = self.kept.get(index.checked_sub(self.first)?)?;
        let (response, bytes) = (response.clone(), *bytes);
        if index >= self.sent {
            self.sent = index + 1;
            self.ahead_bytes = self.ahead_bytes.saturating_sub(bytes);
            self.sent_bytes += bytes;
        }
        if !keep {
            self.release(index);
        }
        // The one just sent stays whatever its size: it is what a client that lost its connection asks for.
        while self.sent_bytes > KEPT_BYTES && self.first + 1 < self.sent {
            self.forget_first();
        }
        Some(response)
    }

    /// Forgets everything sent up to and including an index.
    pub(super) fn release(&mut self, index: usize) {
        while self.first <= index && self.first < self.sent {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, bytes)) = self.kept.pop_front() {
            self.first += 1;
            self.sent_bytes = self.sent_bytes.saturating_sub(bytes);
        }
    }
}
