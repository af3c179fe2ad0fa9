//! Case folding of single characters, as case-blind patterns match: upper case first, then lower, never more than one character.

/// The character that stands for all that differ from it in case only.
pub(super) fn fold(c: char) -> char {
    let single = |mut all: std::char::ToUppercase| match (all.next(), all.next()) {
        (Some(one), None) => one,
        _ => c,
    };
    let upper = single(c.to_uppercase());
    let mut lower = upper.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => upper,
    }
}
