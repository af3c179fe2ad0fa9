//! What runs now and since when nothing does: the count of queries, whoever sent them and wherever they run.
//!
//! It wraps the runner every session uses. It knows nothing of doors, stages or executors.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::error::Result;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use firesteel_engine::job::{JobHandle, JobRunner};
use futures::Stream;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// What runs in a process.
#[derive(Debug)]
pub(crate) struct Activity(Mutex<State>);

#[derive(Debug)]
struct State {
    next: u64,
    /// When each thing that runs now began.
    running: BTreeMap<u64, Instant>,
    /// When the last thing ended.
    quiet_since: Instant,
}

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { next: 0, running: BTreeMap::new(), quiet_since: Instant::now() })))
    }

    /// Notes that something runs until the returned value is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        let mut state = self.0.lock();
        let number = state.next;
        state.next += 1;
        state.running.insert(number, Instant::now());
        Busy { activity: Arc::clone(self), number }
    }

    /// How many things run.
    pub(crate) fn running(&self) -> usize {
        self.0.lock().running.len()
    }

    /// When the oldest of what runs now began.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        self.0.lock().running.values().min().copied()
    }

    /// How long nothing has been running.
    pub(crate) fn quiet(&self) -> Duration {
        let state = self.0.lock();
        if state.running.is_empty() { state.quiet_since.elapsed() } else { Duration::ZERO }
    }
}

/// Something that runs.
#[derive(Debug)]
pub(crate) struct Busy {
    activity: Arc<Activity>,
    number: u64,
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.activity.0.lock();
        state.running.remove(&self.number);
        state.quiet_since = Instant::now();
    }
}

/// A runner whose jobs count as activity, from planning until their rows have been read or dropped.
pub(crate) struct ObservedRunner {
    runner: Arc<dyn JobRunner>,
    activity: Arc<Activity>,
}

impl ObservedRunner {
    pub(crate) fn new(runner: Arc<dyn JobRunner>, activity: Arc<Activity>) -> Arc<Self> {
        Arc::new(Self { runner, activity })
    }
}

impl fmt::Debug for ObservedRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObservedRunner").field("runner", &self.runner).finish_non_exhaustive()
    }
}

#[async_trait]
impl JobRunner for ObservedRunner {
    async fn submit(
        &self,
        name: &str,
        ctx: Arc<SessionContext>,
        plan: LogicalPlan,
        cancel: CancellationToken,
    ) -> Result<JobHandle> {
        let busy = self.activity.begin();
        let job = self.runner.submit(name, ctx, plan, cancel).await?;
        Ok(JobHandle { stream: Box::pin(Watched { stream: job.stream, busy: Some(busy) }), ..job })
    }
}

struct Watched {
    stream: SendableRecordBatchStream,
    busy: Option<Busy>,
}

impl Stream for Watched {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.stream.as_mut().poll_next(cx);
        if matches!(polled, Poll::Ready(None)) {
            self.busy = None;
        }
        polled
    }
}

impl RecordBatchStream for Watched {
    fn schema(&self) -> SchemaRef {
        self.stream.schema()
    }
}

#[cfg(test)]
mod tests {
    use super::Activity;

    #[test]
    fn what_runs_counts_until_it_is_dropped() {
        let activity = Activity::new();
        let first = activity.begin();
        let second = activity.begin();
        assert_eq!(activity.running(), 2);
        assert!(activity.quiet().is_zero());
        drop(first);
        assert!(activity.oldest().is_some());
        drop(second);
        assert_eq!((activity.running(), activity.oldest()), (0, None));
    }
}
