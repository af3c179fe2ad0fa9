//! AES in the modes ECB, CBC (both with PKCS #7 padding) and GCM, over the block cipher of the `aes` crate.
//!
//! Source: NIST SP 800-38A (ECB, CBC) and SP 800-38D (GCM with vectors of 96 bits and tags of 128).
//! It knows neither Spark nor Arrow.

use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};

const BLOCK: usize = 16;

/// A mode of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Each block by itself.
    Ecb,
    /// Blocks chained.
    Cbc,
    /// A counter, authenticated.
    Gcm,
}

impl Mode {
    /// Bytes of an initialization vector.
    pub(super) fn vector_length(self) -> usize {
        match self {
            Self::Ecb => 0,
            Self::Cbc => BLOCK,
            Self::Gcm => 12,
        }
    }
}

/// The block cipher with a key.
pub(super) enum Blocks {
    Short(Box<Aes128>),
    Middle(Box<Aes192>),
    Long(Box<Aes256>),
}

impl Blocks {
    /// `None` unless the key has 16, 24 or 32 bytes.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::Short(Box::new(Aes128::new_from_slice(key).ok()?)),
            24 => Self::Middle(Box::new(Aes192::new_from_slice(key).ok()?)),
            32 => Self::Long(Box::new(Aes256::new_from_slice(key).ok()?)),
            _ => return None,
        })
    }
    fn seal(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = block.into();
        match self {
            Self::Short(cipher) => cipher.encrypt_block(&mut block),
            Self::Middle(cipher) => cipher.encrypt_block(&mut block),
            Self::Long(cipher) => cipher.encrypt_block(&mut block),
        }
        block.into()
    }
    fn open(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = block.into();
        match self {
            Self::Short(cipher) => cipher.decrypt_block(&mut block),
            Self::Middle(cipher) => cipher.decrypt_block(&mut block),
            Self::Long(cipher) => cipher.decrypt_block(&mut block),
        }
        block.into()
    }
}

/// A block of up to sixteen bytes, the missing ones zero.
fn block(bytes: &[u8]) -> [u8; BLOCK] {
    let mut out = [0; BLOCK];
    out.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    out
}

fn xor(a: [u8; BLOCK], b: [u8; BLOCK]) -> [u8; BLOCK] {
    (u128::from_be_bytes(a) ^ u128::from_be_bytes(b)).to_be_bytes()
}

/// The message of `input`: the vector first where the mode has one, GCM's tag last.
pub(super) fn encrypt(blocks: &Blocks, mode: Mode, vector: &[u8], more: &[u8], input: &[u8]) -> Vec<u8> {
    let mut out = vector.to_vec();
    if mode == Mode::Gcm {
        let text = counted(blocks, vector, input);
        let tag = tag(blocks, vector, more, &text);
        out.extend(text);
        out.extend(tag);
        return out;
    }
    let fill = BLOCK - input.len() % BLOCK;
    let mut padded = input.to_vec();
    padded.resize(input.len() + fill, fill as u8);
    let mut before = block(vector);
    for plain in padded.chunks_exact(BLOCK) {
        let plain = block(plain);
        let sealed = blocks.seal(if mode == Mode::Cbc { xor(plain, before) } else { plain });
        out.extend(sealed);
        before = sealed;
    }
    out
}

/// What [`encrypt`] was given; an error says why the bytes are no message under this key.
pub(super) fn decrypt(blocks: &Blocks, mode: Mode, more: &[u8], message: &[u8]) -> Result<Vec<u8>, &'static str> {
    let Some((vector, text)) = message.split_at_checked(mode.vector_length()) else {
        return Err("Wrong IV length: the message is shorter than an IV");
    };
    if mode == Mode::Gcm {
        let Some((text, given)) = text.len().checked_sub(BLOCK).and_then(|at| text.split_at_checked(at)) else {
            return Err("Input data too short to contain an expected tag length of 16bytes");
        };
        // Every byte is compared, so that the time says nothing of where they differ.
        let differing = tag(blocks, vector, more, text).iter().zip(given).fold(0, |all, (a, b)| all | (a ^ b));
        return if differing == 0 { Ok(counted(blocks, vector, text)) } else { Err("Tag mismatch") };
    }
    if !text.len().is_multiple_of(BLOCK) {
        return Err("Input length must be multiple of 16 when decrypting with padded cipher");
    }
    let mut out = Vec::with_capacity(text.len());
    let mut before = block(vector);
    for sealed in text.chunks_exact(BLOCK) {
        let sealed = block(sealed);
        let plain = blocks.open(sealed);
        out.extend(if mode == Mode::Cbc { xor(plain, before) } else { plain });
        before = sealed;
    }
    let Some(fill) = out.last().map(|last| usize::from(*last)) else { return Ok(out) };
    let whole = (1..=BLOCK).contains(&fill) && out.iter().rev().take(fill).all(|byte| usize::from(*byte) == fill);
    if !whole {
        return Err(
            "Given final block not properly padded. Such issues can arise if a bad key is used during decryption.",
        );
    }
    out.truncate(out.len() - fill);
    Ok(out)
}

/// The counter block `number` of a vector.
fn counter(vector: &[u8], number: u32) -> [u8; BLOCK] {
    let mut out = block(vector);
    out.iter_mut().rev().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
    out
}

/// Counter mode, which is its own inverse.
fn counted(blocks: &Blocks, vector: &[u8], text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + BLOCK);
    for (number, chunk) in (2_u32..).zip(text.chunks(BLOCK)) {
        let key = blocks.seal(counter(vector, number));
        out.extend(chunk.iter().zip(key).map(|(byte, key)| byte ^ key));
    }
    out
}

fn tag(blocks: &Blocks, vector: &[u8], more: &[u8], text: &[u8]) -> [u8; BLOCK] {
    let key = u128::from_be_bytes(blocks.seal([0; BLOCK]));
    let lengths = (more.len() as u128 * 8) << 64 | (text.len() as u128 * 8);
    let all = more.chunks(BLOCK).chain(text.chunks(BLOCK)).map(|chunk| u128::from_be_bytes(block(chunk)));
    let hash = all.chain([lengths]).fold(0, |hash, next| product(hash ^ next, key));
    xor(hash.to_be_bytes(), blocks.seal(counter(vector, 1)))
}

/// The product in GCM's field, whose bits run from the left.
fn product(a: u128, b: u128) -> u128 {
    let (mut out, mut factor) = (0, b);
    for bit in (0..128).rev() {
        // Masks instead of branches: the time must not depend on the bits.
        out ^= factor & 0_u128.wrapping_sub((a >> bit) & 1);
        factor = (factor >> 1) ^ ((0xe1_u128 << 120) & 0_u128.wrapping_sub(factor & 1));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gcm_gives_the_ciphertext_and_tag_of_nists_fourth_case() {
        let bytes = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
        };
        let blocks = Blocks::new(&bytes("feffe9928665731c6d6a8f9467308308")).unwrap();
        let vector = bytes("cafebabefacedbaddecaf888");
        let more = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let plain = bytes(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        let sealed = encrypt(&blocks, Mode::Gcm, &vector, &more, &plain);
        assert_eq!(sealed[sealed.len() - 16..], bytes("5bc94fbc3221a5db94fae95ae7121a47"));
        assert_eq!(decrypt(&blocks, Mode::Gcm, &more, &sealed), Ok(plain));
        assert_eq!(decrypt(&blocks, Mode::Gcm, b"other", &sealed), Err("Tag mismatch"));
    }
}
