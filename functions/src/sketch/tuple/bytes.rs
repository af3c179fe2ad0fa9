//! The serialised form of a compact tuple sketch.

use super::Tuple;
use super::cell::{Cell, Number};
use crate::sketch::murmur::seed_hash;
use crate::sketch::sample::{ALL, Sample};
use crate::sketch::theta::array;

const FAMILY: u8 = 9;
const KIND: u8 = 1;
const EMPTY: u8 = 4;
/// Read-only and compact.
const FLAGS: u8 = 2 | 8;

/// The compact form, hashes ascending.
pub(super) fn write<V: Number>(sketch: &Tuple<V>) -> Vec<u8> {
    let exact = sketch.theta == ALL;
    let count = sketch.entries.len();
    let longs = if sketch.empty || (exact && count == 1) {
        1
    } else if exact {
        2
    } else {
        3
    };
    let flags = if sketch.empty { FLAGS | EMPTY } else { FLAGS };
    let [low, high] = seed_hash().to_le_bytes();
    let mut out = vec![longs, 3, FAMILY, KIND, 0, flags, low, high];
    if longs > 1 {
        out.extend((count as u32).to_le_bytes());
        out.extend([0; 4]);
    }
    if longs > 2 {
        out.extend(sketch.theta.to_le_bytes());
    }
    for (hash, cell) in &sketch.entries {
        out.extend(hash.to_le_bytes());
        cell.write(&mut out);
    }
    out
}

/// Reads the compact form; `None` when the bytes are none, or too few for this kind of number.
pub(super) fn read<V: Number>(bytes: &[u8]) -> Option<Tuple<V>> {
    let [longs, version, family, kind, _, flags, low, high] = array(bytes, 0)?;
    if version != 3 || family != FAMILY || kind != KIND || u16::from_le_bytes([low, high]) != seed_hash() {
        return None;
    }
    if flags & EMPTY != 0 {
        return Some(Sample::nothing());
    }
    let count = if longs == 1 { 1 } else { u32::from_le_bytes(array(bytes, 8)?) as usize };
    let theta = if longs > 2 { u64::from_le_bytes(array(bytes, 16)?) } else { ALL };
    let mut at = usize::from(longs) * 8;
    if bytes.len() < count.checked_mul(8 + Cell::<V>::SIZE)?.checked_add(at)? {
        return None;
    }
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        entries.push((u64::from_le_bytes(array(bytes, at)?), Cell::read(bytes, at + 8)?));
        at += 8 + Cell::<V>::SIZE;
    }
    Some(Sample::of(theta, false, entries))
}
