//! What functions may know of the task that runs them: which partition it is, and generators that last as long as it does.
//!
//! Operators tell by [`Task::enter`]; nothing here knows them. The current task is that of the thread, which an operator
//! sets anew each time it is polled.

mod java;
mod murmur;
mod spread;
mod twister;
mod xorshift;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use java::JavaRandom;
pub(crate) use spread::spread;
pub(crate) use twister::Twister;
pub(crate) use xorshift::XorShift;

/// Functions that ask for the current task.
pub const FUNCTIONS: &[&str] = &[
    "rand",
    "random",
    "randn",
    "randstr",
    "uniform",
    "uuid",
    "shuffle",
    "monotonically_increasing_id",
    "spark_partition_id",
];

thread_local! {
    static CURRENT: RefCell<Option<Arc<Task>>> = const { RefCell::new(None) };
}

/// One partition of one operator.
#[derive(Debug, Default)]
pub struct Task {
    partition: usize,
    /// What seeds are moved by besides.
    shift: i64,
    /// By the number of the call.
    states: Mutex<HashMap<i64, State>>,
}

/// What a call keeps between batches.
#[derive(Debug)]
pub(crate) enum State {
    /// `rand` and its kin.
    XorShift(XorShift),
    /// `uuid` and `shuffle`.
    Twister(Box<Twister>),
    /// Rows counted.
    Count(i64),
}

/// Leaves a task when dropped.
#[derive(Debug)]
pub struct Entered(Option<Arc<Task>>);

impl Drop for Entered {
    fn drop(&mut self) {
        let before = self.0.take();
        CURRENT.with(|current| *current.borrow_mut() = before);
    }
}

impl Task {
    /// The task of this partition. Seeds move by `shift`, so that the rounds of a recursion differ.
    #[must_use]
    pub fn new(partition: usize, shift: i64) -> Arc<Self> {
        Arc::new(Self { partition, shift, states: Mutex::default() })
    }

    /// Makes this the current task of the thread until the answer is dropped.
    #[must_use]
    pub fn enter(self: &Arc<Self>) -> Entered {
        Entered(CURRENT.with(|current| current.borrow_mut().replace(Arc::clone(self))))
    }

    /// The current task; outside of operators, where constants are computed, a new one of partition 0.
    pub(crate) fn current() -> Arc<Self> {
        CURRENT.with(|current| current.borrow().clone()).unwrap_or_default()
    }

    /// What a generator of this task starts from.
    pub(crate) fn seed(&self, seed: i64) -> i64 {
        seed.wrapping_add(self.partition as i64).wrapping_add(self.shift)
    }

    /// Number of the partition.
    pub(crate) fn partition(&self) -> usize {
        self.partition
    }

    /// Runs `step` on the state of call number `call`, which `start` makes.
    pub(crate) fn with_state<T>(
        &self,
        call: i64,
        start: impl FnOnce() -> State,
        step: impl FnOnce(&mut State) -> T,
    ) -> T {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        step(states.entry(call).or_insert_with(start))
    }
}
