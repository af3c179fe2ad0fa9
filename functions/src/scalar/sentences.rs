//! `sentences(str[, language[, country]])`: sentences, each an array of words. The rules are those of the root locale,
//! whatever language is said: a sentence ends at `.`, `!` or `?` before white space; signs inside words hold them together.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result;

use super::coerce::{Arg, list_of};
use super::read::strs;
use super::spec::{Call, Ret, SparkFn, f};

/// Letters, digits, and the marks that belong to them.
fn letter(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || ('\u{300}'..='\u{36f}').contains(&c)
}

/// Whether a sign between two characters holds a word together.
fn joins(before: char, sign: char, after: char) -> bool {
    match sign {
        ',' | ';' => before.is_numeric() && after.is_numeric(),
        '.' | '\'' | '\u{2019}' => letter(before) && letter(after),
        '-' => before.is_alphabetic() && after.is_alphabetic(),
        _ => false,
    }
}

fn split(text: &str) -> Vec<Vec<String>> {
    let chars: Vec<char> = text.chars().collect();
    let mut sentences = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at)).copied().unwrap_or(' ');
        let after = chars.get(at + 1).copied();
        if letter(*c) || joins(before, *c, after.unwrap_or(' ')) {
            word.push(*c);
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        // A full stop before a small letter ends no sentence.
        let next = chars.iter().skip(at + 1).find(|c| !c.is_whitespace());
        let ends = match c {
            '!' | '?' => after.is_none_or(char::is_whitespace),
            '.' => after.is_none_or(char::is_whitespace) && !next.is_some_and(|next| next.is_lowercase()),
            _ => false,
        };
        if ends && !words.is_empty() {
            sentences.push(std::mem::take(&mut words));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    // A text of other signs alone is a sentence without words.
    if !words.is_empty() || sentences.is_empty() && !text.is_empty() {
        sentences.push(words);
    }
    sentences
}

fn sentences(_: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let words = ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, false));
    let inner = list_of(DataType::Utf8, false);
    let mut out = ListBuilder::new(words).with_field(Field::new("element", inner, false));
    for text in strs(args, 0)? {
        let Some(text) = text else {
            out.append(false);
            continue;
        };
        for words in split(text) {
            words.iter().for_each(|word| out.values().values().append_value(word));
            out.values().append(true);
        }
        out.append(true);
    }
    Ok(Arc::new(out.finish()))
}

/// Functions of this file.
pub(crate) fn all() -> Vec<SparkFn> {
    let nested = Ret::Is(list_of(list_of(DataType::Utf8, false), false));
    vec![f("sentences", &[Arg::Str, Arg::Str, Arg::Str], nested, sentences).min(1)]
}
