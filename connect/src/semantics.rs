//! Whether two queries mean the same, by the text of their resolved plans.
//!
//! Column ids differ from one analysis to the next, so they are renumbered in order of appearance.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The text of a plan with column ids renumbered.
pub(crate) fn canonical(plan: &str) -> String {
    let mut ids: HashMap<String, usize> = HashMap::new();
    let mut text = String::with_capacity(plan.len());
    let mut chars = plan.chars().peekable();
    while let Some(c) = chars.next() {
        text.push(c);
        if c != '#' {
            continue;
        }
        let mut id = String::new();
        while let Some(digit) = chars.next_if(char::is_ascii_digit) {
            id.push(digit);
        }
        if !id.is_empty() {
            let next = ids.len();
            text.push_str(&ids.entry(id).or_insert(next).to_string());
        }
    }
    text
}

/// A hash of the meaning.
pub(crate) fn hash(canonical: &str) -> i32 {
    let mut hasher = DefaultHasher::new();
    canonical.hash(&mut hasher);
    let [a, b, c, d, ..] = hasher.finish().to_be_bytes();
    i32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::{canonical, hash};

    #[test]
    fn ids_do_not_matter_but_columns_do() {
        assert_eq!(canonical("Filter: #12 > #13 AND #12 < 5"), canonical("Filter: #2 > #30 AND #2 < 5"));
        assert_ne!(canonical("Filter: #1 > #2"), canonical("Filter: #1 > #1"));
        assert_eq!(hash("x"), hash("x"));
    }
}
