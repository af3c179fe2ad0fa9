//! Text in upper, lower and title case, by Unicode's full mappings in the root locale. Null gives null.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::coerce::Arg;
use super::read::strs;
use super::spec::{Ret, SparkFn, f, wrap};

const STR: &[Arg] = &[Arg::Str];
const TEXT: Ret = Ret::Is(DataType::Utf8);

fn each(args: &[ArrayRef], work: fn(&str) -> String) -> Result<ArrayRef> {
    Ok(Arc::new(strs(args, 0)?.iter().map(|text| text.map(work)).collect::<StringArray>()))
}

/// The title case of the first letter of a word, where it is not the upper case.
fn special_title(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{df}' => "Ss",
        '\u{149}' => "\u{2bc}N",
        '\u{1c4}'..='\u{1c6}' => "\u{1c5}",
        '\u{1c7}'..='\u{1c9}' => "\u{1c8}",
        '\u{1ca}'..='\u{1cc}' => "\u{1cb}",
        '\u{1f1}'..='\u{1f3}' => "\u{1f2}",
        '\u{587}' => "\u{535}\u{582}",
        '\u{fb00}' => "Ff",
        '\u{fb01}' => "Fi",
        '\u{fb02}' => "Fl",
        '\u{fb03}' => "Ffi",
        '\u{fb04}' => "Ffl",
        '\u{fb05}' | '\u{fb06}' => "St",
        _ => return None,
    })
}

/// `initcap(str)`: words are separated by spaces.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        let Some(first) = word.chars().next() else { continue };
        match special_title(first) {
            Some(title) => out.push_str(title),
            None => out.extend(first.to_uppercase()),
        }
        // The whole word in lower case, because a final sigma depends on what stands before it.
        let taken = first.to_lowercase().map(char::len_utf8).sum::<usize>();
        let lower = word.to_lowercase();
        out.push_str(lower.get(taken..).unwrap_or_default());
    }
    out
}

/// Functions of this file.
pub(crate) fn all() -> Vec<SparkFn> {
    vec![
        wrap("upper", STR, TEXT, datafusion::functions::string::upper()).also(&["ucase"]),
        wrap("lower", STR, TEXT, datafusion::functions::string::lower()).also(&["lcase"]),
        f("initcap", STR, TEXT, |_, a| each(a, title)),
    ]
}
