//! Trees to bytes.

use std::collections::BTreeMap;

use super::{Node, Variant};

const PRIMITIVE: u8 = 0;
const SHORT_TEXT: u8 = 1;
const OBJECT: u8 = 2;
const ARRAY: u8 = 3;
const LONGEST_SHORT_TEXT: usize = 63;
const MOST_SMALL: usize = 255;

impl Node {
    /// The stored form, with names in the order they first appear.
    pub(crate) fn encode(&self) -> Variant {
        let mut names = Names::default();
        let mut value = vec![];
        self.write(&mut names, &mut value);
        Variant { value, metadata: names.encode() }
    }

    fn write(&self, names: &mut Names, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.push(primitive(0)),
            Self::Bool(value) => out.push(primitive(if *value { 1 } else { 2 })),
            Self::Long(value) => write_long(*value, out),
            Self::Double(value) => {
                out.push(primitive(7));
                out.extend(value.to_le_bytes());
            }
            Self::Decimal(digits, scale) => write_decimal(*digits, *scale, out),
            Self::Float(value) => {
                out.push(primitive(14));
                out.extend(value.to_le_bytes());
            }
            Self::Date(days) => {
                out.push(primitive(11));
                out.extend(days.to_le_bytes());
            }
            Self::Timestamp(micros) => {
                out.push(primitive(12));
                out.extend(micros.to_le_bytes());
            }
            Self::TimestampNtz(micros) => {
                out.push(primitive(13));
                out.extend(micros.to_le_bytes());
            }
            Self::Binary(bytes) => {
                out.push(primitive(15));
                out.extend((bytes.len() as u32).to_le_bytes());
                out.extend(bytes);
            }
            Self::Text(text) if text.len() <= LONGEST_SHORT_TEXT => {
                out.push((text.len() as u8) << 2 | SHORT_TEXT);
                out.extend(text.as_bytes());
            }
            Self::Text(text) => {
                out.push(primitive(16));
                out.extend((text.len() as u32).to_le_bytes());
                out.extend(text.as_bytes());
            }
            Self::Uuid(bytes) => {
                out.push(primitive(20));
                out.extend(bytes);
            }
            Self::Array(items) => {
                let mut body = vec![];
                let mut offsets = vec![0];
                for item in items {
                    item.write(names, &mut body);
                    offsets.push(body.len());
                }
                let large = items.len() > MOST_SMALL;
                let width = width(body.len());
                out.push(((u8::from(large) << 2) | (width - 1)) << 2 | ARRAY);
                put(out, items.len(), if large { 4 } else { 1 });
                offsets.iter().for_each(|offset| put(out, *offset, width));
                out.extend(body);
            }
            Self::Object(fields) => {
                let ids: Vec<usize> = fields.iter().map(|(name, _)| names.id(name)).collect();
                let mut body = vec![];
                let mut offsets = vec![0];
                for (_, value) in fields {
                    value.write(names, &mut body);
                    offsets.push(body.len());
                }
                let large = fields.len() > MOST_SMALL;
                let id_width = width(ids.iter().copied().max().unwrap_or(0));
                let width = width(body.len());
                out.push(((u8::from(large) << 4) | ((id_width - 1) << 2) | (width - 1)) << 2 | OBJECT);
                put(out, fields.len(), if large { 4 } else { 1 });
                ids.iter().for_each(|id| put(out, *id, id_width));
                offsets.iter().for_each(|offset| put(out, *offset, width));
                out.extend(body);
            }
        }
    }
}

fn primitive(kind: u8) -> u8 {
    kind << 2 | PRIMITIVE
}

fn write_long(value: i64, out: &mut Vec<u8>) {
    if let Ok(value) = i8::try_from(value) {
        out.push(primitive(3));
        out.extend(value.to_le_bytes());
    } else if let Ok(value) = i16::try_from(value) {
        out.push(primitive(4));
        out.extend(value.to_le_bytes());
    } else if let Ok(value) = i32::try_from(value) {
        out.push(primitive(5));
        out.extend(value.to_le_bytes());
    } else {
        out.push(primitive(6));
        out.extend(value.to_le_bytes());
    }
}

fn write_decimal(digits: i128, scale: u8, out: &mut Vec<u8>) {
    let magnitude = digits.unsigned_abs();
    if scale <= 9 && magnitude < 1_000_000_000 {
        out.extend([primitive(8), scale]);
        out.extend((digits as i32).to_le_bytes());
    } else if scale <= 18 && magnitude < 1_000_000_000_000_000_000 {
        out.extend([primitive(9), scale]);
        out.extend((digits as i64).to_le_bytes());
    } else {
        out.extend([primitive(10), scale]);
        out.extend(digits.to_le_bytes());
    }
}

/// Bytes needed for a number.
fn width(most: usize) -> u8 {
    match most {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xff_ffff => 3,
        _ => 4,
    }
}

fn put(out: &mut Vec<u8>, value: usize, width: u8) {
    let bytes = (value as u32).to_le_bytes();
    out.extend(bytes.iter().take(usize::from(width)));
}

#[derive(Default)]
struct Names {
    ids: BTreeMap<String, usize>,
    order: Vec<String>,
}

impl Names {
    fn id(&mut self, name: &str) -> usize {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = self.order.len();
        self.ids.insert(name.to_owned(), id);
        self.order.push(name.to_owned());
        id
    }

    fn encode(&self) -> Vec<u8> {
        let bytes: usize = self.order.iter().map(String::len).sum();
        let width = width(bytes.max(self.order.len()));
        let mut out = vec![1 | (width - 1) << 6];
        put(&mut out, self.order.len(), width);
        let mut offset = 0;
        put(&mut out, 0, width);
        for name in &self.order {
            offset += name.len();
            put(&mut out, offset, width);
        }
        self.order.iter().for_each(|name| out.extend(name.as_bytes()));
        out
    }
}
