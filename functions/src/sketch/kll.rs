//! The KLL quantiles sketch of DataSketches over long, float and double items.
//!
//! <https://datasketches.apache.org/docs/KLL/KLLSketch.html>. Which half of a full level survives is random by design, so
//! that sketches of more than `k` items agree with another implementation's in their guarantees only.

mod aggregates;
mod bytes;
mod functions;
mod item;
mod text;

pub(super) use aggregates::all as aggregates;
pub(super) use functions::all as functions;

use std::cmp::Ordering;

use datafusion::common::DataFusionError;
use item::Item;

use crate::error::ErrorKind;
use crate::scalar::read::fail;

/// Items a level always holds.
const LEAST_CAPACITY: usize = 8;
/// The default accuracy parameter.
const DEFAULT_K: u16 = 200;

/// A sketch; each level's items stand for twice as many as those of the level below.
#[derive(Debug, Clone)]
struct Kll<T> {
    k: u16,
    /// The least accuracy of all sketches merged.
    least_k: u16,
    count: u64,
    /// Items by level; all but the lowest are sorted.
    levels: Vec<Vec<T>>,
    ends: Option<(T, T)>,
    random: u64,
}

/// `KLL_INVALID_INPUT_SKETCH_BUFFER`.
fn invalid(function: &str) -> DataFusionError {
    fail(ErrorKind::Runtime, "KLL_INVALID_INPUT_SKETCH_BUFFER", &[("function", &format!("`{function}`"))])
}

/// Items a level may hold: two thirds of the one above.
fn level_capacity(k: u16, levels: usize, level: usize) -> usize {
    let scaled = |k: u128, depth: u32| ((k << 1 << depth) / 3_u128.pow(depth)).div_ceil(2);
    let depth = levels.saturating_sub(level + 1).min(60) as u32;
    let items = if depth <= 30 {
        scaled(u128::from(k), depth)
    } else {
        scaled(scaled(u128::from(k), depth / 2), depth - depth / 2)
    };
    LEAST_CAPACITY.max(items as usize)
}

impl<T: Item> Kll<T> {
    fn new(k: u16) -> Self {
        Self { k, least_k: k, count: 0, levels: vec![Vec::new()], ends: None, random: 0x9E37_79B9_7F4A_7C15 }
    }
    fn capacity(&self) -> usize {
        (0..self.levels.len()).map(|level| level_capacity(self.k, self.levels.len(), level)).sum()
    }
    fn retained(&self) -> usize {
        self.levels.iter().map(Vec::len).sum()
    }
    fn widen(&mut self, item: T) {
        let (least, greatest) = self.ends.get_or_insert((item, item));
        if item.order(least) == Ordering::Less {
            *least = item;
        }
        if item.order(greatest) == Ordering::Greater {
            *greatest = item;
        }
    }
    fn push(&mut self, item: T) {
        if self.retained() >= self.capacity() {
            self.compress();
        }
        if let Some(level) = self.levels.first_mut() {
            level.push(item);
        }
    }
    /// Adds an item; NaN is left out.
    fn add(&mut self, item: T) {
        if item.is_nan() {
            return;
        }
        self.widen(item);
        self.count += 1;
        self.push(item);
    }
    fn coin(&mut self) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 33 & 1) as usize
    }
    /// Halves the lowest full level into the next.
    fn compress(&mut self) {
        let count = self.levels.len();
        let full = |level: &usize| {
            self.levels.get(*level).is_some_and(|items| items.len() >= level_capacity(self.k, count, *level))
        };
        let Some(level) = (0..count).find(full) else { return };
        let coin = self.coin();
        let Some(items) = self.levels.get_mut(level) else { return };
        let mut taken = std::mem::take(items);
        if taken.len() % 2 == 1 {
            // The last item of the lowest level is the first in memory.
            let kept = if level == 0 { taken.pop() } else { Some(taken.remove(0)) };
            items.extend(kept);
        }
        taken.sort_unstable_by(Item::order);
        let survivors = taken.into_iter().skip(coin).step_by(2);
        if level + 1 == count {
            self.levels.push(Vec::new());
        }
        if let Some(above) = self.levels.get_mut(level + 1) {
            above.extend(survivors);
            above.sort_unstable_by(Item::order);
        }
    }
    /// Takes the items of `other`.
    fn merge(&mut self, other: &Self) {
        let Some((least, greatest)) = other.ends else { return };
        let estimating = other.levels.len() > 1;
        self.widen(least);
        self.widen(greatest);
        self.count += other.count;
        for item in other.levels.first().into_iter().flatten().rev() {
            self.push(*item);
        }
        for (level, items) in other.levels.iter().enumerate().skip(1) {
            while self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            if let Some(own) = self.levels.get_mut(level) {
                own.extend(items);
                own.sort_unstable_by(Item::order);
            }
        }
        while self.retained() > self.capacity() {
            self.compress();
        }
        if estimating {
            self.least_k = self.least_k.min(other.least_k);
        }
    }
    /// Items in order with the number of items up to and including each.
    fn sorted(&self) -> Vec<(T, u64)> {
        let mut all: Vec<(T, u64)> = self
            .levels
            .iter()
            .enumerate()
            .flat_map(|(level, items)| items.iter().map(move |item| (*item, 1_u64 << level.min(62))))
            .collect();
        all.sort_by(|left, right| left.0.order(&right.0));
        let mut total = 0;
        for (_, weight) in &mut all {
            total += *weight;
            *weight = total;
        }
        all
    }
    /// The item at a normalised rank, which counts itself.
    fn quantile(sorted: &[(T, u64)], rank: f64) -> Option<T> {
        let total = sorted.last()?.1;
        let wanted = (rank * total as f64).ceil() as u64;
        let at = sorted.partition_point(|(_, weight)| *weight < wanted);
        sorted.get(at).or(sorted.last()).map(|(item, _)| *item)
    }
    /// The share of items not above `item`.
    fn rank(sorted: &[(T, u64)], item: T) -> Option<f64> {
        let total = sorted.last()?.1;
        let at = sorted.partition_point(|(held, _)| held.order(&item) != Ordering::Greater);
        let below = at.checked_sub(1).and_then(|at| sorted.get(at)).map_or(0, |(_, weight)| *weight);
        Some(below as f64 / total as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::Kll;

    #[test]
    fn quantiles_of_many_items_are_close() {
        let mut sketch = Kll::new(200);
        for item in 0_i64..100_000 {
            sketch.add(item);
        }
        let again = Kll::<i64>::read(&sketch.bytes()).unwrap();
        let median = Kll::quantile(&again.sorted(), 0.5).unwrap();
        assert!((median - 50_000).abs() < 3_000, "{median}");
        assert_eq!(again.count, 100_000);
        assert_eq!(Kll::rank(&again.sorted(), 200_000), Some(1.0));
    }
}
