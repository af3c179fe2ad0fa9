//! How much memory queries may use, from an explicit limit, the cgroup or the host. Decides numbers only; allocates nothing.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use datafusion::execution::memory_pool::{FairSpillPool, MemoryPool, TrackConsumersPool};

/// Share of the detected memory that queries may reserve. The rest is for what operators do not register.
pub const DEFAULT_FRACTION: f64 = 0.7;

/// Used when neither cgroup nor host tell how much memory there is.
const FALLBACK_BYTES: u64 = 4 << 30;

/// Memory queries may reserve in bytes: `explicit`, or `fraction` of the smaller of cgroup limit and host memory.
#[must_use]
pub fn limit(explicit: Option<u64>, fraction: f64) -> u64 {
    explicit.unwrap_or_else(|| share(detected().unwrap_or(FALLBACK_BYTES), fraction))
}

/// Memory this process may have in all: the smaller of cgroup limit and host memory.
#[must_use]
pub fn detected() -> Option<u64> {
    smaller(cgroup(Path::new("/sys/fs/cgroup")), host(Path::new("/proc/meminfo")))
}

/// A pool of `bytes` that shares fairly between operators that can spill and names the largest consumers when it is empty.
#[must_use]
pub fn pool(bytes: u64) -> Arc<dyn MemoryPool> {
    let size = usize::try_from(bytes).unwrap_or(usize::MAX);
    Arc::new(TrackConsumersPool::new(FairSpillPool::new(size), NonZeroUsize::MIN.saturating_add(4)))
}

fn share(total: u64, fraction: f64) -> u64 {
    let fraction = if fraction.is_finite() { fraction.clamp(0.05, 1.0) } else { DEFAULT_FRACTION };
    // Whole per mille keep the arithmetic in integers.
    let per_mille = (fraction * 1000.0).round() as u64;
    total / 1000 * per_mille
}

fn smaller(left: Option<u64>, right: Option<u64>) -> Option<u64> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}

fn cgroup(root: &Path) -> Option<u64> {
    ["memory.max", "memory/memory.limit_in_bytes"]
        .iter()
        .find_map(|file| std::fs::read_to_string(root.join(file)).ok())
        .and_then(|text| text.trim().parse().ok())
}

fn host(meminfo: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(meminfo).ok()?;
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explicit_limit_wins_and_a_fraction_is_clamped() {
        assert_eq!(limit(Some(42), 0.7), 42);
        assert_eq!(share(1_000_000, 0.7), 700_000);
        assert_eq!(share(1_000_000, 7.0), 1_000_000);
        assert_eq!(smaller(Some(3), None), Some(3));
    }
}
