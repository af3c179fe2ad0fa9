//! Bytes to trees. Nothing in the bytes is trusted.

use super::{Node, Variant};
use crate::error::{SparkError, SparkResult};

/// Nesting beyond which a value is refused.
const DEEPEST: usize = 1000;

/// The tree of a variant.
///
/// # Errors
/// `MALFORMED_VARIANT`.
pub(crate) fn decode(variant: &Variant) -> SparkResult<Node> {
    let names = Names::new(&variant.metadata).ok_or_else(malformed)?;
    node(&variant.value, &names, 0).ok_or_else(malformed)
}

fn malformed() -> SparkError {
    SparkError::runtime("MALFORMED_VARIANT", &[])
}

fn unsigned(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte)))
}

fn fixed<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

struct Names<'v> {
    bytes: &'v [u8],
    width: usize,
    count: usize,
}

impl<'v> Names<'v> {
    fn new(bytes: &'v [u8]) -> Option<Self> {
        let header = *bytes.first()?;
        if header & 0x0f != 1 {
            return None;
        }
        let width = usize::from(header >> 6) + 1;
        Some(Self { bytes, width, count: unsigned(bytes, 1, width)? })
    }

    fn get(&self, id: usize) -> Option<&'v str> {
        if id >= self.count {
            return None;
        }
        let offset = |index: usize| unsigned(self.bytes, 1 + (1 + index) * self.width, self.width);
        let start = 1 + (self.count.checked_add(2)?).checked_mul(self.width)?;
        let name = self.bytes.get(start + offset(id)?..start + offset(id + 1)?)?;
        std::str::from_utf8(name).ok()
    }
}

fn node(bytes: &[u8], names: &Names<'_>, depth: usize) -> Option<Node> {
    if depth > DEEPEST {
        return None;
    }
    let header = *bytes.first()?;
    let kind = header >> 2;
    match header & 3 {
        0 => primitive(kind, bytes),
        1 => Some(Node::Text(std::str::from_utf8(bytes.get(1..1 + usize::from(kind))?).ok()?.to_owned())),
        2 => {
            let (large, id_width, width) = (kind >> 4 & 1, usize::from(kind >> 2 & 3) + 1, usize::from(kind & 3) + 1);
            let count_width = if large == 1 { 4 } else { 1 };
            let count = unsigned(bytes, 1, count_width)?;
            let ids = 1 + count_width;
            let offsets = ids + count.checked_mul(id_width)?;
            let body = offsets + (count + 1).checked_mul(width)?;
            bytes.get(body..)?;
            let mut fields = Vec::with_capacity(count);
            for index in 0..count {
                let name = names.get(unsigned(bytes, ids + index * id_width, id_width)?)?;
                let offset = unsigned(bytes, offsets + index * width, width)?;
                fields.push((name.to_owned(), node(bytes.get(body + offset..)?, names, depth + 1)?));
            }
            Some(Node::Object(fields))
        }
        _ => {
            let (large, width) = (kind >> 2 & 1, usize::from(kind & 3) + 1);
            let count_width = if large == 1 { 4 } else { 1 };
            let count = unsigned(bytes, 1, count_width)?;
            let offsets = 1 + count_width;
            let body = offsets + (count + 1).checked_mul(width)?;
            bytes.get(body..)?;
            let items = (0..count).map(|index| {
                let offset = unsigned(bytes, offsets + index * width, width)?;
                node(bytes.get(body + offset..)?, names, depth + 1)
            });
            Some(Node::Array(items.collect::<Option<_>>()?))
        }
    }
}

fn primitive(kind: u8, bytes: &[u8]) -> Option<Node> {
    let long = || bytes.get(5..5 + unsigned(bytes, 1, 4)?);
    let scale = || bytes.get(1).copied().filter(|scale| *scale <= 38);
    Some(match kind {
        0 => Node::Null,
        1 => Node::Bool(true),
        2 => Node::Bool(false),
        3 => Node::Long(i8::from_le_bytes(fixed(bytes, 1)?).into()),
        4 => Node::Long(i16::from_le_bytes(fixed(bytes, 1)?).into()),
        5 => Node::Long(i32::from_le_bytes(fixed(bytes, 1)?).into()),
        6 => Node::Long(i64::from_le_bytes(fixed(bytes, 1)?)),
        7 => Node::Double(f64::from_le_bytes(fixed(bytes, 1)?)),
        8 => Node::Decimal(i32::from_le_bytes(fixed(bytes, 2)?).into(), scale()?),
        9 => Node::Decimal(i64::from_le_bytes(fixed(bytes, 2)?).into(), scale()?),
        10 => Node::Decimal(i128::from_le_bytes(fixed(bytes, 2)?), scale()?),
        11 => Node::Date(i32::from_le_bytes(fixed(bytes, 1)?)),
        12 => Node::Timestamp(i64::from_le_bytes(fixed(bytes, 1)?)),
        13 => Node::TimestampNtz(i64::from_le_bytes(fixed(bytes, 1)?)),
        14 => Node::Float(f32::from_le_bytes(fixed(bytes, 1)?)),
        15 => Node::Binary(long()?.to_vec()),
        16 => Node::Text(std::str::from_utf8(long()?).ok()?.to_owned()),
        20 => Node::Uuid(fixed(bytes, 1)?),
        _ => return None,
    })
}
