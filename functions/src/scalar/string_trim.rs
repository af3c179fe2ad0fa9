//! Strings without what stands at their ends. Null gives null.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::coerce::Arg;
use super::read::{Column, strs, text_bytes};
use super::spec::{Call, Ret, SparkFn, f};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Both,
    Left,
    Right,
}

/// The text without characters of `set` at its ends.
#[inline]
fn trimmed<'t>(text: &'t str, set: &str, ends: Ends) -> &'t str {
    // One ASCII character, nearly always a space, is looked for among bytes.
    if let [byte] = set.as_bytes() {
        let other = |found: &u8| found != byte;
        let bytes = text.as_bytes();
        let start = if ends == Ends::Right { 0 } else { bytes.iter().position(other).unwrap_or(bytes.len()) };
        let end = match ends {
            Ends::Left => bytes.len(),
            _ => bytes.iter().rposition(other).map_or(start, |last| last + 1),
        };
        return text.get(start..end).unwrap_or_default();
    }
    let text = if ends == Ends::Right { text } else { text.trim_start_matches(|c| set.contains(c)) };
    if ends == Ends::Left { text } else { text.trim_end_matches(|c| set.contains(c)) }
}

/// About 1.5 times as long as DataFusion's (9 against 6 ns a row), two thirds of it for copying rows one at a time: a row may have
/// a set of its own, and the answer holds no more of the input than it shows.
fn trims(call: &Call<'_>, text: &ArrayRef, set: Option<&ArrayRef>, ends: Ends) -> Result<ArrayRef> {
    let text = strs(std::slice::from_ref(text), 0)?;
    let set = match set {
        Some(set) => Some(Column::new(strs(std::slice::from_ref(set), 0)?)),
        None => None,
    };
    let mut out = StringBuilder::with_capacity(call.rows, text_bytes(text));
    let text = Column::new(text);
    for row in 0..call.rows {
        let set = set.map_or(Some(" "), |set| set.get(row));
        match text.get(row).zip(set) {
            Some((text, set)) => out.append_value(trimmed(text, set, ends)),
            None => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

/// `trim([characters, ]str)`: of two arguments the text is the last.
fn last(call: &Call<'_>, args: &[ArrayRef], ends: Ends) -> Result<ArrayRef> {
    match args {
        [set, text] => trims(call, text, Some(set), ends),
        [text] => trims(call, text, None, ends),
        _ => datafusion::common::internal_err!("trim"),
    }
}

/// `trim`, `btrim`, `ltrim` and `rtrim`.
pub(super) fn all() -> Vec<SparkFn> {
    const STR2: &[Arg] = &[Arg::Str, Arg::Str];
    const TEXT: Ret = Ret::Is(DataType::Utf8);
    vec![
        f("trim", STR2, TEXT, |c, a| last(c, a, Ends::Both)).min(1).constants(),
        f("btrim", STR2, TEXT, |c, a| {
            let turned: Vec<ArrayRef> = a.iter().rev().cloned().collect();
            last(c, &turned, Ends::Both)
        })
        .min(1)
        .constants(),
        f("ltrim", STR2, TEXT, |c, a| last(c, a, Ends::Left)).min(1).constants(),
        f("rtrim", STR2, TEXT, |c, a| last(c, a, Ends::Right)).min(1).constants(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_cut_off_character_by_character() {
        for set in [" ", "x", "xy", "é", "", "ü "] {
            for text in ["", " ", "   ", " a ", "xxaxx", "yxaxy", "éaé", "a", "  é  ", "ü ü", "x y"] {
                let left = text.trim_start_matches(|c| set.contains(c));
                let right = text.trim_end_matches(|c| set.contains(c));
                assert_eq!(trimmed(text, set, Ends::Left), left);
                assert_eq!(trimmed(text, set, Ends::Right), right);
                assert_eq!(trimmed(text, set, Ends::Both), left.trim_end_matches(|c| set.contains(c)));
            }
        }
    }
}
