//! MurmurHash3 of 32 bits over bytes, as the seeds of generators are mixed with it.
//! Source: Austin Appleby's public-domain description of `MurmurHash3_x86_32`.

/// The hash of `bytes`, whose number is a multiple of four.
pub(super) fn hash(bytes: &[u8], seed: u32) -> u32 {
    let mut hash = seed;
    for chunk in bytes.chunks_exact(4) {
        let word = chunk.iter().rev().fold(0_u32, |word, byte| (word << 8) | u32::from(*byte));
        hash ^= word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    hash ^= bytes.len() as u32;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}
