//! How deep a serialised message nests, without decoding it.
//!
//! The bytes alone do not say whether a field is text, bytes or a message, so every field that reads like a message
//! counts as one: the answer is never less than the real depth.

/// Why [`check_nesting`] refuses a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NestingError {
    /// The limit that was passed.
    pub limit: usize,
}

impl std::fmt::Display for NestingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "it nests deeper than {} messages", self.limit)
    }
}

impl std::error::Error for NestingError {}

enum Field {
    Scalar { next: usize },
    Delimited { start: usize, end: usize },
    GroupStart { next: usize },
    GroupEnd { next: usize },
}

/// The nesting of `bytes`, at most `limit`.
///
/// # Errors
///
/// [`NestingError`] when it is deeper than `limit`.
pub fn check_nesting(bytes: &[u8], limit: usize) -> Result<usize, NestingError> {
    let mut ends = vec![bytes.len()];
    let mut position = 0;
    let mut deepest = 0;
    while let Some(&end) = ends.last() {
        if position >= end {
            ends.pop();
            continue;
        }
        match field(bytes, position, end) {
            Some(Field::Scalar { next }) => position = next,
            Some(Field::Delimited { start, end }) => {
                position = start;
                ends.push(end);
            }
            Some(Field::GroupStart { next }) => {
                position = next;
                ends.push(end);
            }
            Some(Field::GroupEnd { next }) => {
                position = next;
                if ends.len() > 1 {
                    ends.pop();
                }
            }
            None => {
                // Not a message, or a broken one that prost will refuse here: nothing inside can nest further.
                position = end;
            }
        }
        deepest = deepest.max(ends.len().saturating_sub(1));
        if deepest > limit {
            return Err(NestingError { limit });
        }
    }
    Ok(deepest)
}

fn field(bytes: &[u8], position: usize, end: usize) -> Option<Field> {
    let (key, position) = varint(bytes, position, end)?;
    if key >> 3 == 0 || key > u64::from(u32::MAX) {
        return None;
    }
    let within = |next: usize| (next <= end).then_some(Field::Scalar { next });
    match key & 7 {
        0 => within(varint(bytes, position, end)?.1),
        1 => within(position.checked_add(8)?),
        2 => {
            let (length, start) = varint(bytes, position, end)?;
            let stop = start.checked_add(usize::try_from(length).ok()?)?;
            (stop <= end).then_some(Field::Delimited { start, end: stop })
        }
        3 => Some(Field::GroupStart { next: position }),
        4 => Some(Field::GroupEnd { next: position }),
        5 => within(position.checked_add(4)?),
        _ => None,
    }
}

fn varint(bytes: &[u8], mut position: usize, end: usize) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for shift in (0..70).step_by(7) {
        if position >= end {
            return None;
        }
        let byte = *bytes.get(position)?;
        position += 1;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Some((value, position));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{NestingError, check_nesting};

    fn nested(levels: usize) -> Vec<u8> {
        let mut inner = vec![];
        for _ in 0..levels {
            let mut outer = vec![0x0a];
            let mut length = inner.len();
            while length >= 0x80 {
                outer.push((length & 0x7f) as u8 | 0x80);
                length >>= 7;
            }
            outer.push(length as u8);
            outer.extend_from_slice(&inner);
            inner = outer;
        }
        inner
    }

    #[test]
    fn depth_is_counted_and_bounded() {
        assert_eq!(check_nesting(&nested(500), 1024), Ok(500));
        assert_eq!(check_nesting(&nested(2000), 1024), Err(NestingError { limit: 1024 }));
        assert_eq!(check_nesting(&vec![0x0b; 5000], 1024), Err(NestingError { limit: 1024 }));
        assert!(check_nesting("SELECT 1\n\n\n FROM t".as_bytes(), 8).is_ok());
    }
}
