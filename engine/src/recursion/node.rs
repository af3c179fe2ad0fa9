//! `RecursionNode`: a recursive query in a logical plan, and `WorkNode`: the rows of its last round inside the step.
//!
//! Anchor and step are hidden from the optimizer: what holds for one round need not hold for the next.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering as Memory};

use arrow::record_batch::RecordBatch;
use datafusion::common::DFSchemaRef;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

/// Names recursions apart; two in one query must never share their rows.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// How far a recursion may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Rounds; `None` for any number.
    pub levels: Option<u64>,
    /// Rows; `None` for any number.
    pub rows: Option<u64>,
}

/// A recursive query.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RecursionNode {
    id: u64,
    anchor: Arc<LogicalPlan>,
    step: Arc<LogicalPlan>,
    limits: Limits,
    /// Rows that whoever reads the recursion wants at most.
    fetch: Option<u64>,
    schema: DFSchemaRef,
}

impl RecursionNode {
    /// A name for a recursion and the [`WorkNode`]s of its step.
    #[must_use]
    pub fn next_id() -> u64 {
        NEXT.fetch_add(1, Memory::Relaxed)
    }

    /// A recursion of columns `schema`, which those of `anchor` and `step` equal in number and type.
    #[must_use]
    pub fn new(id: u64, anchor: LogicalPlan, step: LogicalPlan, schema: DFSchemaRef, limits: Limits) -> Self {
        Self { id, anchor: Arc::new(anchor), step: Arc::new(step), limits, fetch: None, schema }
    }

    /// The node as a plan.
    #[must_use]
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }

    /// The same recursion that may stop after `fetch` rows.
    #[must_use]
    pub fn with_fetch(&self, fetch: u64) -> Self {
        Self { fetch: Some(self.fetch.map_or(fetch, |known| known.min(fetch))), ..self.clone() }
    }

    /// The same recursion over other plans.
    #[must_use]
    pub(super) fn with_plans(&self, anchor: LogicalPlan, step: LogicalPlan) -> Self {
        Self { anchor: Arc::new(anchor), step: Arc::new(step), ..self.clone() }
    }

    /// Which recursion.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// First rows.
    #[must_use]
    pub fn anchor(&self) -> &LogicalPlan {
        &self.anchor
    }

    /// Rows of a round from those before.
    #[must_use]
    pub fn step(&self) -> &LogicalPlan {
        &self.step
    }

    /// How far it may go.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Rows that are wanted at most.
    #[must_use]
    pub fn fetch(&self) -> Option<u64> {
        self.fetch
    }
}

impl UserDefinedLogicalNodeCore for RecursionNode {
    fn name(&self) -> &str {
        "Recursion"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        Vec::new()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recursion: {}", self.id)?;
        if let Some(fetch) = self.fetch {
            write!(f, ", fetch={fetch}")?;
        }
        Ok(())
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        leaf(&inputs)?;
        Ok(self.clone())
    }
}

impl fmt::Debug for RecursionNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecursionNode").field("id", &self.id).finish_non_exhaustive()
    }
}

impl PartialOrd for RecursionNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if self == other { Some(Ordering::Equal) } else { Some(self.id.cmp(&other.id)).filter(|o| o.is_ne()) }
    }
}

/// The rows of the last round.
#[derive(Clone)]
pub struct WorkNode {
    id: u64,
    schema: DFSchemaRef,
    /// Set for one round.
    rows: Option<Arc<Vec<RecordBatch>>>,
}

impl WorkNode {
    /// The last rows of recursion `id`.
    #[must_use]
    pub fn new(id: u64, schema: DFSchemaRef) -> Self {
        Self { id, schema, rows: None }
    }

    /// The node as a plan.
    #[must_use]
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }

    /// Whose rows.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The same with its rows.
    #[must_use]
    pub(super) fn with_rows(&self, rows: &Arc<Vec<RecordBatch>>) -> Self {
        Self { rows: Some(Arc::clone(rows)), ..self.clone() }
    }

    /// Its rows, in a round.
    #[must_use]
    pub(super) fn rows(&self) -> Option<&Arc<Vec<RecordBatch>>> {
        self.rows.as_ref()
    }

    fn identity(&self) -> (u64, usize) {
        (self.id, self.rows.as_ref().map_or(0, |rows| Arc::as_ptr(rows) as usize))
    }
}

impl UserDefinedLogicalNodeCore for WorkNode {
    fn name(&self) -> &str {
        "Work"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        Vec::new()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Work: {}", self.id)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        leaf(&inputs)?;
        Ok(self.clone())
    }
}

impl fmt::Debug for WorkNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkNode").field("id", &self.id).finish_non_exhaustive()
    }
}

impl PartialEq for WorkNode {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity() && self.schema == other.schema
    }
}

impl Eq for WorkNode {}

impl Hash for WorkNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl PartialOrd for WorkNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.identity().cmp(&other.identity()))
    }
}

fn leaf(inputs: &[LogicalPlan]) -> Result<()> {
    if inputs.is_empty() { Ok(()) } else { Err(DataFusionError::Internal("a recursion has no inputs".into())) }
}
