//! The compact serialised form of a KLL sketch: nothing, one item, or levels from the lowest, all little-endian.

use super::item::Item;
use super::{Kll, LEAST_CAPACITY};
use crate::sketch::theta::array;

const FAMILY: u8 = 15;
const EMPTY: u8 = 1;
const SINGLE: u8 = 4;
/// Where the level offsets start when there are many items.
const LEVELS: usize = 20;

impl<T: Item> Kll<T> {
    /// Bytes of the compact form.
    pub(super) fn compact_size(&self) -> usize {
        match self.count {
            0 => 8,
            1 => 8 + T::SIZE,
            _ => LEVELS + 4 * self.levels.len() + T::SIZE * (2 + self.retained()),
        }
    }
    /// Bytes of the form that can be updated in place.
    pub(super) fn updatable_size(&self) -> usize {
        LEVELS + 4 * (self.levels.len() + 1) + T::SIZE * (2 + self.capacity())
    }
    /// The compact form.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let (ints, version, flags) = match self.count {
            0 => (2, 1, EMPTY),
            1 => (2, 2, SINGLE),
            _ => (5, 1, 0),
        };
        let [low, high] = self.k.to_le_bytes();
        let mut out = vec![ints, version, FAMILY, flags, low, high, LEAST_CAPACITY as u8, 0];
        out.reserve(self.compact_size());
        if self.count == 1 {
            self.levels.iter().flatten().for_each(|item| item.write(&mut out));
        }
        let (Some((least, greatest)), true) = (self.ends, self.count > 1) else { return out };
        out.extend(self.count.to_le_bytes());
        out.extend(self.least_k.to_le_bytes());
        out.extend([self.levels.len() as u8, 0]);
        let mut offset = self.capacity().saturating_sub(self.retained()) as u32;
        for level in &self.levels {
            out.extend(offset.to_le_bytes());
            offset += level.len() as u32;
        }
        least.write(&mut out);
        greatest.write(&mut out);
        // The lowest level fills downwards.
        self.levels.iter().take(1).flat_map(|level| level.iter().rev()).for_each(|item| item.write(&mut out));
        self.levels.iter().skip(1).flatten().for_each(|item| item.write(&mut out));
        out
    }
    /// Reads a compact form; `None` when the bytes are none, or too few for this kind of item.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [ints, version, family, flags, low, high, least_capacity, _] = array(bytes, 0)?;
        let k = u16::from_le_bytes([low, high]);
        if family != FAMILY || usize::from(least_capacity) != LEAST_CAPACITY || k < 8 {
            return None;
        }
        let mut made = Self::new(k);
        match (ints, version, flags & EMPTY != 0, flags & SINGLE != 0) {
            (2, 1, true, _) => {}
            (2, 2, false, true) => made.add(T::read(bytes, 8)?),
            (5, 1, false, false) => made.fill(bytes)?,
            _ => return None,
        }
        Some(made)
    }
    fn fill(&mut self, bytes: &[u8]) -> Option<()> {
        self.count = u64::from_le_bytes(array(bytes, 8)?);
        self.least_k = u16::from_le_bytes(array(bytes, 16)?);
        let [count, _] = array(bytes, 18)?;
        let count = usize::from(count);
        if !(1..=61).contains(&count) {
            return None;
        }
        let mut offsets = (0..count)
            .map(|level| array(bytes, LEVELS + 4 * level).map(u32::from_le_bytes))
            .collect::<Option<Vec<u32>>>()?;
        self.levels = vec![Vec::new(); count];
        offsets.push(u32::try_from(self.capacity()).ok()?);
        let ends = LEVELS + 4 * count;
        self.ends = Some((T::read(bytes, ends)?, T::read(bytes, ends + T::SIZE)?));
        let mut at = ends + 2 * T::SIZE;
        for (level, pair) in self.levels.iter_mut().zip(offsets.windows(2)) {
            let [from, to] = pair else { return None };
            for _ in 0..to.checked_sub(*from)? {
                level.push(T::read(bytes, at)?);
                at += T::SIZE;
            }
        }
        if let Some(lowest) = self.levels.first_mut() {
            lowest.reverse();
        }
        Some(())
    }
}
