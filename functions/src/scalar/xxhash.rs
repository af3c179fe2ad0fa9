//! XXH64 of whole numbers and bytes, as Spark seeds and chains it.
//!
//! Source: the XXH64 specification (xxHash, `doc/xxhash_spec.md`). It knows nothing of arrays.

const P1: u64 = 0x9E37_79B1_85EB_CA87;
const P2: u64 = 0xC2B2_AE3D_27D4_EB4F;
const P3: u64 = 0x1656_67B1_9E37_79F9;
const P4: u64 = 0x85EB_CA77_C2B2_AE63;
const P5: u64 = 0x27D4_EB2F_1656_67C5;

fn avalanche(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(P2);
    hash ^= hash >> 29;
    hash = hash.wrapping_mul(P3);
    hash ^ (hash >> 32)
}

fn round(lane: u64, word: u64) -> u64 {
    lane.wrapping_add(word.wrapping_mul(P2)).rotate_left(31).wrapping_mul(P1)
}

fn half(hash: u64, word: u32) -> u64 {
    (hash ^ u64::from(word).wrapping_mul(P1)).rotate_left(23).wrapping_mul(P2).wrapping_add(P3)
}

fn whole(hash: u64, word: u64) -> u64 {
    (hash ^ round(0, word)).rotate_left(27).wrapping_mul(P1).wrapping_add(P4)
}

/// The hash of the four bytes of a number.
pub(super) fn int(value: i32, seed: u64) -> u64 {
    avalanche(half(seed.wrapping_add(P5).wrapping_add(4), value as u32))
}

/// The hash of the eight bytes of a number.
pub(super) fn long(value: i64, seed: u64) -> u64 {
    avalanche(whole(seed.wrapping_add(P5).wrapping_add(8), value as u64))
}

/// The hash of bytes.
pub(super) fn bytes(value: &[u8], seed: u64) -> u64 {
    let (stripes, rest) = value.as_chunks::<32>();
    let mut hash = match stripes.is_empty() {
        true => seed.wrapping_add(P5),
        false => striped(stripes, seed),
    };
    hash = hash.wrapping_add(value.len() as u64);
    let (words, rest) = rest.as_chunks::<8>();
    hash = words.iter().fold(hash, |hash, word| whole(hash, u64::from_le_bytes(*word)));
    let (words, rest) = rest.as_chunks::<4>();
    hash = words.iter().fold(hash, |hash, word| half(hash, u32::from_le_bytes(*word)));
    hash = rest
        .iter()
        .fold(hash, |hash, byte| (hash ^ u64::from(*byte).wrapping_mul(P5)).rotate_left(11).wrapping_mul(P1));
    avalanche(hash)
}

/// Four lanes over stripes of 32 bytes, joined.
fn striped(stripes: &[[u8; 32]], seed: u64) -> u64 {
    let mut lanes = [seed.wrapping_add(P1).wrapping_add(P2), seed.wrapping_add(P2), seed, seed.wrapping_sub(P1)];
    for stripe in stripes {
        for (lane, word) in lanes.iter_mut().zip(stripe.as_chunks::<8>().0) {
            *lane = round(*lane, u64::from_le_bytes(*word));
        }
    }
    let [a, b, c, d] = lanes;
    let joined =
        a.rotate_left(1).wrapping_add(b.rotate_left(7)).wrapping_add(c.rotate_left(12)).wrapping_add(d.rotate_left(18));
    lanes.iter().fold(joined, |hash, lane| (hash ^ round(0, *lane)).wrapping_mul(P1).wrapping_add(P4))
}
