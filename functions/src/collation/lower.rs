//! Lower case as `UTF8_LCASE` compares it: code point by code point, with two exceptions.
//!
//! It knows characters only.

const DOTTED_CAPITAL_I: char = '\u{130}';
const COMBINING_DOT: char = '\u{307}';

/// What one character counts as.
pub(super) enum Lowered {
    /// One character.
    One(char),
    /// The capital I with a dot counts as two.
    DottedI,
}

/// One character in lower case. A final sigma is a sigma.
pub(super) fn lowered(c: char) -> Lowered {
    match c {
        DOTTED_CAPITAL_I => Lowered::DottedI,
        '\u{3c2}' => Lowered::One('\u{3c3}'),
        c if c.is_ascii() => Lowered::One(c.to_ascii_lowercase()),
        c => Lowered::One(c.to_lowercase().next().unwrap_or(c)),
    }
}

/// A whole string in lower case.
pub(super) fn lower(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        push(&mut out, c);
    }
    out
}

/// Appends a character in lower case.
pub(super) fn push(out: &mut String, c: char) {
    match lowered(c) {
        Lowered::One(c) => out.push(c),
        Lowered::DottedI => out.extend(['i', COMBINING_DOT]),
    }
}

/// One character in lower case as text, for sets of characters.
pub(super) fn text_of(c: char) -> String {
    let mut out = String::new();
    push(&mut out, c);
    out
}
