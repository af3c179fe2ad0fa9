//! The serialised forms of a compact theta sketch: hashes as words, or their differences packed bit by bit.

use super::Theta;
use crate::sketch::murmur::seed_hash;
use crate::sketch::sample::{ALL, Sample};

const FAMILY: u8 = 3;
const EMPTY: u8 = 4;
/// Read-only, compact, ordered.
const FLAGS: u8 = 2 | 8 | 16;
const SINGLE: u8 = 32;

/// A fixed number of bytes, or `None` where they end.
pub(in crate::sketch) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

/// The form Spark stores: packed where that is possible.
pub(super) fn write(sketch: &Theta) -> Vec<u8> {
    let [low, high] = seed_hash().to_le_bytes();
    let exact = sketch.theta == ALL;
    match sketch.entries.as_slice() {
        [] if sketch.empty => vec![1, 3, FAMILY, 0, 0, FLAGS | EMPTY, 0, 0],
        [] => {
            let mut out = vec![3, 3, FAMILY, 0, 0, FLAGS, low, high];
            out.extend([0; 4]);
            // The sampling probability, which is always one.
            out.extend(1_f32.to_le_bytes());
            out.extend(sketch.theta.to_le_bytes());
            out
        }
        [(only, ())] if exact => {
            let mut out = vec![1, 3, FAMILY, 0, 0, FLAGS | SINGLE, low, high];
            out.extend(only.to_le_bytes());
            out
        }
        entries => packed(entries, sketch.theta, exact, [low, high]),
    }
}

fn packed(entries: &[(u64, ())], theta: u64, exact: bool, seed: [u8; 2]) -> Vec<u8> {
    let mut last = 0;
    let mut deltas = Vec::with_capacity(entries.len());
    for (hash, ()) in entries {
        deltas.push(hash - last);
        last = *hash;
    }
    let all = deltas.iter().fold(0, |all, delta| all | delta);
    let width = (64 - all.leading_zeros()) as u8;
    let count = (entries.len() as u32).to_le_bytes();
    let counted = 4 - (entries.len() as u32).leading_zeros() as usize / 8;
    let mut out = vec![if exact { 1 } else { 2 }, 4, FAMILY, width, counted as u8, FLAGS, seed[0], seed[1]];
    if !exact {
        out.extend(theta.to_le_bytes());
    }
    out.extend(count.iter().take(counted));
    // Values follow each other without gaps, each with its highest bit first.
    let (mut held, mut bits) = (0_u128, 0_u32);
    for delta in deltas {
        held = held << width | u128::from(delta);
        bits += u32::from(width);
        while bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        out.push((held << (8 - bits)) as u8);
    }
    out
}

/// Reads a compact sketch of either form; `None` when the bytes are none.
pub(in crate::sketch) fn read(bytes: &[u8]) -> Option<Theta> {
    let [longs, version, family, width, counted, flags, low, high] = array(bytes, 0)?;
    let longs = longs & 0x3F;
    if family != FAMILY {
        return None;
    }
    if version == 3 && flags & EMPTY != 0 {
        return Some(Sample::nothing());
    }
    if u16::from_le_bytes([low, high]) != seed_hash() {
        return None;
    }
    match version {
        3 => words(bytes, longs, flags),
        4 => unpack(bytes, longs, width, counted),
        _ => None,
    }
}

fn words(bytes: &[u8], longs: u8, flags: u8) -> Option<Theta> {
    let (count, theta) = match longs {
        1 if flags & SINGLE != 0 || bytes.len() >= 16 => (1, ALL),
        1 => (0, ALL),
        2 => (u32::from_le_bytes(array(bytes, 8)?) as usize, ALL),
        3 => (u32::from_le_bytes(array(bytes, 8)?) as usize, word(bytes, 16)?),
        _ => return None,
    };
    let start = usize::from(longs) * 8;
    if bytes.len() < count.checked_mul(8)?.checked_add(start)? {
        return None;
    }
    let entries = (0..count).map(|at| Some((word(bytes, start + 8 * at)?, ()))).collect::<Option<Vec<_>>>()?;
    Some(Sample::of(theta, false, entries))
}

fn unpack(bytes: &[u8], longs: u8, width: u8, counted: u8) -> Option<Theta> {
    let (theta, mut at) = if longs > 1 { (word(bytes, 8)?, 16) } else { (ALL, 8) };
    if width == 0 || width > 63 || counted > 4 {
        return None;
    }
    let mut count = 0_usize;
    for place in 0..usize::from(counted) {
        count |= usize::from(*bytes.get(at)?) << (8 * place);
        at += 1;
    }
    let data = bytes.get(at..)?;
    if data.len() * 8 < count.checked_mul(usize::from(width))? {
        return None;
    }
    let (mut held, mut bits, mut next, mut last) = (0_u128, 0_u32, data.iter(), 0_u64);
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        while bits < u32::from(width) {
            held = held << 8 | u128::from(*next.next()?);
            bits += 8;
        }
        bits -= u32::from(width);
        last = last.checked_add((held >> bits) as u64)?;
        held &= (1 << bits) - 1;
        entries.push((last, ()));
    }
    Some(Sample::of(theta, false, entries))
}

#[cfg(test)]
mod tests {
    use super::{read, write};
    use crate::sketch::sample::Sampler;

    #[test]
    fn three_integers_pack_as_datasketches_does() {
        let mut sampler = Sampler::new(12);
        for value in 1_i64..=3 {
            sampler.add(&value.to_le_bytes(), |_| ());
        }
        let bytes = write(&sampler.sample());
        let text: String = bytes.iter().map(|b| format!("{b:02X}")).collect();
        assert_eq!(text, "0104033E011ACC930316861AF72DF7E4558FBE9C3477E9EAEFB2E5966BADAA3DC0");
        assert_eq!(read(&bytes), Some(sampler.sample()));
    }
}
