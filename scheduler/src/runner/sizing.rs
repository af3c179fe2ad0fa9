//! How much a plan reads, and how many partitions it is cut into for that: enough to use every core, more only where that pays.
//!
//! Every task costs a message, a decoded plan and the hash tables of its broadcast sides, so small inputs get one partition
//! a core. Large ones get several, so that a slow partition does not hold up the rest and each needs less memory.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;

/// Bytes of files for each core up to which one partition a core is enough.
const SMALL_BYTES_A_CORE: u64 = 256 << 20;
/// What a value without a fixed width is taken for.
const TEXT_BYTES: usize = 32;
/// Partitions for each core of what is larger.
const LARGE_PARTITIONS_A_CORE: usize = 2;

/// Whether files of `bytes` are little for `cores`.
pub(super) fn is_small(bytes: u64, cores: usize) -> bool {
    bytes <= SMALL_BYTES_A_CORE.saturating_mul(u64::try_from(cores).unwrap_or(u64::MAX))
}

/// Partitions for files of `bytes` on `cores`.
pub(super) fn partitions(bytes: u64, cores: usize) -> usize {
    if is_small(bytes, cores) { cores } else { cores.saturating_mul(LARGE_PARTITIONS_A_CORE) }
}

/// Bytes of the files a plan reads, before any pruning: of each file the share of the columns that are asked for.
pub(super) fn input_bytes(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let mut bytes = 0_u64;
    // The closure never fails.
    let _ = plan.apply(|node| {
        let scan = node
            .downcast_ref::<DataSourceExec>()
            .and_then(|source| source.data_source().downcast_ref::<FileScanConfig>());
        if let Some(scan) = scan {
            let (asked, all) = (width(&node.schema()), width(scan.file_schema()));
            let size = scan.file_groups.iter().flat_map(|group| group.iter()).map(size).fold(0, u64::saturating_add);
            bytes = bytes.saturating_add((size / all).saturating_mul(asked.min(all)));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    bytes
}

fn size(file: &PartitionedFile) -> u64 {
    match &file.range {
        Some(range) => u64::try_from(range.end - range.start).unwrap_or(0),
        None => file.object_meta.size,
    }
}

/// What a row takes, roughly; never nothing.
fn width(schema: &Schema) -> u64 {
    let bytes = |field: &Arc<Field>| field.data_type().primitive_width().unwrap_or(TEXT_BYTES) as u64;
    schema.fields().iter().map(bytes).sum::<u64>().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_inputs_get_several_partitions_a_core() {
        assert_eq!(partitions(0, 2), 2);
        assert_eq!(partitions(512 << 20, 2), 2);
        assert_eq!(partitions((512 << 20) + 1, 2), 4);
    }
}
