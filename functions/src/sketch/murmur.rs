//! MurmurHash3 for x64 with 128 bits, with the seed all sketches here share. It knows no sketch.

/// The update seed of the DataSketches library.
const SEED: u64 = 9001;
const C1: u64 = 0x87c3_7b91_1142_53d5;
const C2: u64 = 0x4cf5_ad43_2745_937f;

fn mix_low(k: u64) -> u64 {
    k.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2)
}

fn mix_high(k: u64) -> u64 {
    k.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1)
}

fn avalanche(mut h: u64) -> u64 {
    h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

/// Up to eight bytes as a little-endian word, the missing ones zero.
fn word(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).enumerate().fold(0, |all, (at, byte)| all | u64::from(*byte) << (8 * at))
}

/// Both halves of the hash of `bytes` with `seed`.
pub(super) fn seeded(bytes: &[u8], seed: u64) -> (u64, u64) {
    let (mut low, mut high) = (seed, seed);
    let blocks = bytes.chunks_exact(16);
    let rest = blocks.remainder();
    for block in blocks {
        let (first, second) = block.split_at(8);
        low = (low ^ mix_low(word(first))).rotate_left(27).wrapping_add(high);
        low = low.wrapping_mul(5).wrapping_add(0x52dc_e729);
        high = (high ^ mix_high(word(second))).rotate_left(31).wrapping_add(low);
        high = high.wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let (first, second) = rest.split_at(rest.len().min(8));
    low ^= mix_low(word(first)) ^ bytes.len() as u64;
    high ^= mix_high(word(second)) ^ bytes.len() as u64;
    low = low.wrapping_add(high);
    high = high.wrapping_add(low);
    (low, high) = (avalanche(low), avalanche(high));
    low = low.wrapping_add(high);
    (low, high.wrapping_add(low))
}

/// Both halves of the hash of `bytes` as sketches compute it.
pub(super) fn hash(bytes: &[u8]) -> (u64, u64) {
    seeded(bytes, SEED)
}

/// The sixteen bits by which sketches recognise each other's seed.
pub(super) fn seed_hash() -> u16 {
    seeded(&SEED.to_le_bytes(), 0).0 as u16
}

/// The bytes a double is hashed by: one zero, one NaN.
pub(super) fn double_bytes(value: f64) -> [u8; 8] {
    let value = if value == 0.0 { 0.0 } else { value };
    let bits = if value.is_nan() { 0x7ff8_0000_0000_0000 } else { value.to_bits() };
    bits.to_le_bytes()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_seed_hash_is_the_one_in_every_sketch() {
        assert_eq!(super::seed_hash(), 0x93cc);
    }
}
