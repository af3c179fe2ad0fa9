//! Guards against texts that nest too deep or copy too much.

use firesteel_functions::SparkResult;

use super::Cursor;

/// The most levels an expression or query may have. Trees are cloned, compared and dropped recursively, so this bounds the
/// stack of everyone who handles one.
const MAX_HEIGHT: u32 = 1_000;

/// The most nodes that may come from copying parts of a statement.
const MAX_COPIED: u64 = 1_000_000;

impl Cursor<'_> {
    /// Runs a rule one level deeper. What the rule builds counts as one level of the tree around it.
    pub(in crate::sql) fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> SparkResult<T>) -> SparkResult<T> {
        if self.depth >= MAX_HEIGHT {
            return Err(self.too_complex());
        }
        let outer = std::mem::replace(&mut self.height, 0);
        self.depth += 1;
        let result = stacker::maybe_grow(256 * 1024, 4 * 1024 * 1024, || rule(self));
        self.depth -= 1;
        self.height = outer.max(self.height + 1);
        if self.height > MAX_HEIGHT {
            return Err(self.too_complex());
        }
        result
    }

    /// Runs a rule whose result stands beside what was built before, not on top of it.
    pub(in crate::sql) fn beside<T>(&mut self, rule: impl FnOnce(&mut Self) -> SparkResult<T>) -> SparkResult<T> {
        let outer = std::mem::replace(&mut self.height, 0);
        let result = rule(self);
        self.height = outer.max(self.height);
        result
    }

    /// Counts a level that a loop puts on top of what was built so far.
    pub(in crate::sql) fn grow(&mut self, levels: u32) -> SparkResult<()> {
        self.height += levels;
        if self.height > MAX_HEIGHT { Err(self.too_complex()) } else { Ok(()) }
    }

    /// Where a part that will be copied begins.
    pub(in crate::sql) fn mark(&self) -> (usize, u64) {
        (self.at, self.copied)
    }

    /// How many nodes the part since a mark has at most.
    pub(in crate::sql) fn size_since(&self, mark: (usize, u64)) -> u64 {
        let tokens = u64::try_from(self.at.saturating_sub(mark.0)).unwrap_or(u64::MAX);
        tokens.saturating_add(self.copied - mark.1)
    }

    /// Counts a copy of a part; copies of copies would otherwise grow without bound.
    pub(in crate::sql) fn copy(&mut self, size: u64) -> SparkResult<()> {
        self.copied = self.copied.saturating_add(size);
        if self.copied > MAX_COPIED { Err(self.too_complex()) } else { Ok(()) }
    }
}
