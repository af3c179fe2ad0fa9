//! How many partitions a plan is cut into: enough to use every core, more only where that pays.
//!
//! Every task costs a message, a decoded plan and the hash tables of its broadcast sides, so small inputs get one partition
//! a core. Large ones get several, so that a slow partition does not hold up the rest and each needs less memory.

use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;

/// Bytes of files for each core up to which one partition a core is enough.
const SMALL_BYTES_A_CORE: u64 = 256 << 20;
/// Partitions for each core of what is larger.
const LARGE_PARTITIONS_A_CORE: usize = 2;

/// Partitions for files of `bytes` on `cores`.
pub(super) fn partitions(bytes: u64, cores: usize) -> usize {
    let small = SMALL_BYTES_A_CORE.saturating_mul(u64::try_from(cores).unwrap_or(u64::MAX));
    if bytes <= small { cores } else { cores.saturating_mul(LARGE_PARTITIONS_A_CORE) }
}

/// Bytes of the files a plan reads, before any pruning.
pub(super) fn input_bytes(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let mut bytes = 0_u64;
    // The closure never fails.
    let _ = plan.apply(|node| {
        let files = node
            .downcast_ref::<DataSourceExec>()
            .and_then(|source| source.data_source().downcast_ref::<FileScanConfig>());
        for file in files.into_iter().flat_map(|files| files.file_groups.iter().flat_map(|group| group.iter())) {
            bytes = bytes.saturating_add(match &file.range {
                Some(range) => u64::try_from(range.end - range.start).unwrap_or(0),
                None => file.object_meta.size,
            });
        }
        Ok(TreeNodeRecursion::Continue)
    });
    bytes
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
