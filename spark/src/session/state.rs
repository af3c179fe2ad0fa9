//! What a session remembers besides its settings: current database, temporary views and functions, variables, kept results.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use firesteel_functions::types::StructType;

use crate::analyze::{Variable, ViewOptions};
use crate::catalog::{DEFAULT, Function};
use crate::spec::{Expr, Options, Relation};

/// The state of a session. Names are lower case.
#[derive(Debug, Clone)]
pub(crate) struct SessionState {
    pub(crate) database: String,
    pub(crate) views: BTreeMap<String, Arc<TempView>>,
    pub(crate) functions: BTreeMap<String, Arc<TempFunction>>,
    pub(crate) variables: BTreeMap<String, Variable>,
    /// What `SET VAR v = DEFAULT` gives a variable.
    pub(crate) defaults: BTreeMap<String, Expr>,
    /// Results kept by `checkpoint`.
    pub(crate) kept: BTreeMap<String, Kept>,
    /// Tables and views that are marked as cached, by full name.
    pub(crate) cached: BTreeSet<String>,
}

impl Default for SessionState {
    fn default() -> Self {
        Self {
            database: DEFAULT.to_string(),
            views: BTreeMap::new(),
            functions: BTreeMap::new(),
            variables: BTreeMap::new(),
            defaults: BTreeMap::new(),
            kept: BTreeMap::new(),
            cached: BTreeSet::new(),
        }
    }
}

/// A temporary view.
#[derive(Debug, Clone)]
pub(crate) struct TempView {
    /// Name as stored.
    pub(crate) name: String,
    /// Whether it is in `global_temp`.
    pub(crate) global: bool,
    /// Its columns as they were when it was made.
    pub(crate) schema: StructType,
    /// Where its rows come from.
    pub(crate) body: TempBody,
    /// The query as written, of a view made in SQL.
    pub(crate) text: Option<String>,
    /// `COMMENT`.
    pub(crate) comment: Option<String>,
    /// `TBLPROPERTIES`.
    pub(crate) properties: Options,
}

/// Where the rows of a temporary view come from.
#[derive(Debug, Clone)]
pub(crate) enum TempBody {
    /// A query analyzed again at each use, in the database and under the options that were current; its columns are
    /// found by the names they had.
    Query { query: Relation, database: String, columns: Vec<String>, options: ViewOptions },
    /// What the query meant when the view was made.
    Plan(Arc<dyn TableProvider>),
}

/// A temporary function.
#[derive(Debug, Clone)]
pub(crate) struct TempFunction {
    pub(crate) function: Function,
}

/// A kept result.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) schema: StructType,
    pub(crate) provider: Arc<dyn TableProvider>,
}
