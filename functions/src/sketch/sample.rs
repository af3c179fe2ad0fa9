//! The sample of hashes behind theta and tuple sketches: all hashes below a threshold, each with a summary.
//!
//! It knows no format. Method: <https://datasketches.apache.org/docs/Theta/ThetaSketchFramework.html>.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The threshold of a sample that left nothing out.
pub(super) const ALL: u64 = i64::MAX as u64;

/// Hashes below `theta` in ascending order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample<S> {
    pub(super) theta: u64,
    /// Nothing was ever added.
    pub(super) empty: bool,
    pub(super) entries: Vec<(u64, S)>,
}

impl<S> Sample<S> {
    /// A sample of nothing.
    pub(super) fn nothing() -> Self {
        Self { theta: ALL, empty: true, entries: Vec::new() }
    }
    /// A sample of these parts; it is empty too when nothing was left out and nothing is there.
    pub(super) fn of(theta: u64, empty: bool, mut entries: Vec<(u64, S)>) -> Self {
        entries.sort_unstable_by_key(|(hash, _)| *hash);
        let empty = empty || (entries.is_empty() && theta == ALL);
        if empty { Self::nothing() } else { Self { theta, empty, entries } }
    }
    /// The share of all values that are in the sample.
    pub(super) fn fraction(&self) -> f64 {
        self.theta as f64 / ALL as f64
    }
    /// The number of distinct values, approximately.
    pub(super) fn estimate(&self) -> f64 {
        self.entries.len() as f64 * (ALL as f64 / self.theta as f64)
    }
}

impl<S: Clone> Sample<S> {
    /// Values of `self` that are not in `other`.
    pub(super) fn without<T>(&self, other: &Sample<T>) -> Self {
        if self.empty || other.empty {
            return self.clone();
        }
        let theta = self.theta.min(other.theta);
        let kept = self.entries.iter().filter(|(hash, _)| *hash < theta && !other.has(*hash)).cloned();
        Self::of(theta, false, kept.collect())
    }
    /// Values that are in both; `join` combines their summaries.
    pub(super) fn both<T>(&self, other: &Sample<T>, join: impl Fn(&S, &T) -> S) -> Self {
        if self.empty || other.empty {
            return Self::nothing();
        }
        let theta = self.theta.min(other.theta);
        let mut kept = Vec::new();
        for (hash, summary) in self.entries.iter().filter(|(hash, _)| *hash < theta) {
            if let Some(found) = other.get(*hash) {
                kept.push((*hash, join(summary, found)));
            }
        }
        Self::of(theta, false, kept)
    }
}

impl<T> Sample<T> {
    fn get(&self, hash: u64) -> Option<&T> {
        let at = self.entries.binary_search_by_key(&hash, |(hash, _)| *hash).ok()?;
        self.entries.get(at).map(|(_, summary)| summary)
    }
    fn has(&self, hash: u64) -> bool {
        self.get(hash).is_some()
    }
}

/// A sample that takes values.
#[derive(Debug, Clone)]
pub(super) struct Sampler<S> {
    lg: u8,
    theta: u64,
    empty: bool,
    entries: HashMap<u64, S>,
}

impl<S: Clone> Sampler<S> {
    /// A sampler of nominally 2^`lg` hashes.
    pub(super) fn new(lg: u8) -> Self {
        Self { lg, theta: ALL, empty: true, entries: HashMap::new() }
    }
    /// A sampler that goes on from a sample.
    pub(super) fn of(lg: u8, sample: &Sample<S>) -> Self {
        let entries = sample.entries.iter().cloned().collect();
        Self { lg, theta: sample.theta, empty: sample.empty, entries }
    }
    /// Nothing was ever added.
    pub(super) fn is_empty(&self) -> bool {
        self.empty
    }
    /// Adds a value by the bytes it is hashed by. `join` changes the summary in place or makes the first.
    pub(super) fn add(&mut self, value: &[u8], join: impl FnOnce(Option<&S>) -> S) {
        self.insert(super::murmur::hash(value).0 >> 1, join);
    }
    /// Adds a hash.
    pub(super) fn insert(&mut self, hash: u64, join: impl FnOnce(Option<&S>) -> S) {
        self.empty = false;
        if hash == 0 || hash >= self.theta {
            return;
        }
        match self.entries.entry(hash) {
            Entry::Occupied(mut found) => {
                let joined = join(Some(found.get()));
                found.insert(joined);
            }
            Entry::Vacant(vacant) => {
                vacant.insert(join(None));
            }
        }
        if self.entries.len() > (2 << self.lg) * 15 / 16 {
            self.discard();
        }
    }
    fn discard(&mut self) {
        let mut hashes: Vec<u64> = self.entries.keys().copied().collect();
        let at = 1_usize << self.lg;
        if at < hashes.len() {
            self.theta = *hashes.select_nth_unstable(at).1;
            let theta = self.theta;
            self.entries.retain(|hash, _| *hash < theta);
        }
    }
    pub(super) fn theta(&self) -> u64 {
        self.theta
    }
    pub(super) fn size(&self) -> usize {
        self.entries.capacity() * (size_of::<S>() + 9)
    }
    /// The sample as it is.
    pub(super) fn sample(&self) -> Sample<S> {
        let entries = self.entries.iter().map(|(hash, summary)| (*hash, summary.clone())).collect();
        Sample::of(self.theta, self.empty, entries)
    }
    /// The sample cut to the nominal number of hashes.
    pub(super) fn trimmed(&self) -> Sample<S> {
        let mut all = self.sample();
        let nominal = 1 << self.lg;
        if all.entries.len() > nominal {
            all.theta = all.entries.get(nominal).map_or(all.theta, |(hash, _)| *hash);
            all.entries.truncate(nominal);
        }
        all
    }
}

/// A union of samples.
#[derive(Debug, Clone)]
pub(super) struct Union<S> {
    sampler: Sampler<S>,
    theta: u64,
    empty: bool,
}

impl<S: Clone> Union<S> {
    pub(super) fn new(lg: u8) -> Self {
        Self { sampler: Sampler::new(lg), theta: ALL, empty: true }
    }
    pub(super) fn add(&mut self, sample: &Sample<S>, join: impl Fn(&S, &S) -> S) {
        if sample.empty {
            return;
        }
        self.empty = false;
        self.theta = self.theta.min(sample.theta).min(self.sampler.theta());
        for (hash, summary) in &sample.entries {
            if *hash >= self.theta || *hash >= self.sampler.theta() {
                break;
            }
            self.sampler.insert(*hash, |old| old.map_or_else(|| summary.clone(), |old| join(old, summary)));
        }
        self.theta = self.theta.min(self.sampler.theta());
    }
    pub(super) fn size(&self) -> usize {
        self.sampler.size()
    }
    pub(super) fn result(&self) -> Sample<S> {
        let all = self.sampler.trimmed();
        let theta = all.theta.min(self.theta);
        let kept = all.entries.into_iter().filter(|(hash, _)| *hash < theta).collect();
        Sample::of(theta, self.empty && all.empty, kept)
    }
}

#[cfg(test)]
mod tests {
    use super::Sampler;

    #[test]
    fn a_full_sample_estimates_what_it_discarded() {
        let mut sampler = Sampler::new(10);
        for value in 0_i64..50_000 {
            sampler.add(&value.to_le_bytes(), |_| ());
        }
        let sample = sampler.trimmed();
        assert_eq!(sample.entries.len(), 1024);
        assert!((sample.estimate() - 50_000.0).abs() < 5_000.0);
    }
}
