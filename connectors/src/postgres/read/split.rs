//! Which partitions a read has: by the user's predicates, by bounds of a column, by blocks of the table, or one.
//!
//! Decides; reads nothing.

use super::{ReadColumn, bounds, describe};
use crate::error::Result;
use crate::postgres::options::JdbcOptions;

/// Blocks worth a partition of their own: 8 MiB.
const BLOCKS_A_PARTITION: u64 = 1024;

/// The conditions the user's options ask for; `None` when they leave it to us.
pub(super) fn asked(
    options: &JdbcOptions,
    predicates: &[String],
    columns: &[ReadColumn],
) -> Result<Option<Vec<String>>> {
    if !predicates.is_empty() {
        return Ok(Some(predicates.to_vec()));
    }
    let Some((column, lower, upper)) = &options.partition else { return Ok(None) };
    let column = describe::find(columns, column)?;
    bounds::split(column, lower, upper, options.num_partitions.unwrap_or(1)).map(Some)
}

/// Ranges of blocks for at most `most` partitions; empty when one is enough. The last is open: a table may have grown.
pub(super) fn by_blocks(blocks: u64, most: usize) -> Vec<String> {
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    let partitions = (blocks / BLOCKS_A_PARTITION).min(most);
    if partitions <= 1 {
        return Vec::new();
    }
    let at = |index: u64| blocks / partitions * index + (blocks % partitions) * index / partitions;
    (0..partitions)
        .map(|index| {
            let mut parts = Vec::new();
            if index > 0 {
                parts.push(format!("ctid >= '({},0)'::tid", at(index)));
            }
            if index + 1 < partitions {
                parts.push(format!("ctid < '({},0)'::tid", at(index + 1)));
            }
            parts.join(" AND ")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_blocks_meet_and_small_tables_have_none() {
        assert!(by_blocks(1500, 8).is_empty());
        assert_eq!(
            by_blocks(10_000, 3),
            ["ctid < '(3333,0)'::tid", "ctid >= '(3333,0)'::tid AND ctid < '(6666,0)'::tid", "ctid >= '(6666,0)'::tid"]
        );
    }
}
