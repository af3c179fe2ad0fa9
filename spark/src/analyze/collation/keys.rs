//! Keys of a grouping that are compared as something else than they are: collated strings, and floats in grouping sets.

use datafusion::logical_expr::Expr;
use firesteel_functions::SparkResult;
use firesteel_functions::arithmetic::holds_float;
use firesteel_functions::types::DataType;

use super::keyed;
use crate::analyze::Analyzer;
use crate::analyze::scope::column;

/// Keys of a grouping as columns that hold what is compared, and how the values come back.
pub(in crate::analyze) struct GroupKeys {
    /// Below the grouping: the columns that are compared.
    pub computed: Vec<(Expr, u64)>,
    /// By index of the key: the id of the column compared.
    pub compared: Vec<Option<u64>>,
}

impl GroupKeys {
    /// Which keys of a grouping need a column of their own.
    pub(in crate::analyze) fn new(
        analyzer: &Analyzer<'_>,
        keys: &[(Expr, u64)],
        types: impl Iterator<Item = DataType>,
        sets: bool,
    ) -> SparkResult<Self> {
        let mut computed = Vec::new();
        let mut compared = Vec::with_capacity(keys.len());
        for ((key, _), data_type) in keys.iter().zip(types) {
            // Sets are over columns; plain keys can be expressions.
            if data_type.is_collated() || sets && holds_float(&data_type.to_arrow()) {
                let id = analyzer.fresh();
                computed.push((keyed(key.clone(), &data_type)?, id));
                compared.push(Some(id));
            } else {
                compared.push(None);
            }
        }
        Ok(Self { computed, compared })
    }

    /// Whether no key needs one.
    pub(in crate::analyze) fn is_empty(&self) -> bool {
        self.computed.is_empty()
    }

    /// The column compared for a key.
    pub(in crate::analyze) fn column_of(&self, index: usize) -> Option<(Expr, u64)> {
        let id = self.compared.get(index).copied().flatten()?;
        Some((Expr::Column(column(id)), id))
    }
}
