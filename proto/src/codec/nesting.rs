//! How deep a serialised message nests, without decoding it.
//!
//! The descriptors say which fields hold messages, so text and data that happen to read like messages do not count.
//! Groups, which Spark's protocol does not have, are skipped by a decoder that recurses, so they count wherever they stand.

/// Each message by name, sorted: the numbers of its fields that hold messages, and the place of their type in this table.
static MESSAGES: &[(&str, &[(u64, usize)])] = include!(concat!(env!("OUT_DIR"), "/message_fields.rs"));

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
    Delimited { number: u64, start: usize, end: usize },
    GroupStart { next: usize },
    GroupEnd { next: usize },
}

/// What the walk is inside of: where it ends, and the message's fields that hold messages.
struct Frame {
    end: usize,
    fields: &'static [(u64, usize)],
}

impl Frame {
    fn child(&self, number: u64) -> Option<&'static [(u64, usize)]> {
        let place = self.fields.binary_search_by_key(&number, |(field, _)| *field).ok()?;
        let (_, message) = self.fields.get(place)?;
        MESSAGES.get(*message).map(|(_, fields)| *fields)
    }
}

/// The nesting of `bytes`, a message of the type `name` (`package.Message`), at most `limit`.
///
/// # Errors
///
/// [`NestingError`] when it is deeper than `limit`.
pub fn check_nesting(name: &str, bytes: &[u8], limit: usize) -> Result<usize, NestingError> {
    let root = MESSAGES.binary_search_by_key(&name, |(message, _)| message).ok().and_then(|place| MESSAGES.get(place));
    let mut frames = vec![Frame { end: bytes.len(), fields: root.map_or(&[], |(_, fields)| *fields) }];
    let mut position = 0;
    let mut deepest = 0;
    while let Some(frame) = frames.last() {
        let end = frame.end;
        if position >= end {
            frames.pop();
            continue;
        }
        match field(bytes, position, end) {
            Some(Field::Scalar { next }) => position = next,
            Some(Field::Delimited { number, start, end }) => match frame.child(number) {
                Some(fields) => {
                    position = start;
                    frames.push(Frame { end, fields });
                }
                None => position = end,
            },
            Some(Field::GroupStart { next }) => {
                position = next;
                frames.push(Frame { end, fields: &[] });
            }
            Some(Field::GroupEnd { next }) => {
                position = next;
                if frames.len() > 1 {
                    frames.pop();
                }
            }
            // A broken message, which prost will refuse here: nothing inside can nest further.
            None => position = end,
        }
        deepest = deepest.max(frames.len().saturating_sub(1));
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
            (stop <= end).then_some(Field::Delimited { number: key >> 3, start, end: stop })
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

    fn wrapped(field: u8, inner: &[u8]) -> Vec<u8> {
        let mut outer = vec![field << 3 | 2];
        let mut length = inner.len();
        while length >= 0x80 {
            outer.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        outer.push(length as u8);
        outer.extend_from_slice(inner);
        outer
    }

    #[test]
    fn depth_is_counted_and_bounded() {
        // Relation.filter = 4, Filter.input = 1: two messages a level.
        let deep = |levels| {
            let mut inner = vec![];
            for _ in 0..levels {
                inner = wrapped(4, &wrapped(1, &inner));
            }
            inner
        };
        assert_eq!(check_nesting("spark.connect.Relation", &deep(300), 1024), Ok(600));
        assert_eq!(check_nesting("spark.connect.Relation", &deep(600), 1024), Err(NestingError { limit: 1024 }));
        assert_eq!(check_nesting("spark.connect.Relation", &vec![0x0b; 5000], 1024), Err(NestingError { limit: 1024 }));
    }

    #[test]
    fn text_that_reads_like_messages_is_text() {
        // Relation.sql = 10, SQL.query = 1.
        let query = wrapped(10, &wrapped(1, "1+".repeat(100_000).as_bytes()));
        assert_eq!(check_nesting("spark.connect.Relation", &query, 8), Ok(1));
    }
}
