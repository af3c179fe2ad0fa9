//! Where a statement has parameter markers. It knows no values.

use std::ops::Range;

use firesteel_functions::SparkResult;

use super::lexer::{Kind, tokens};

/// A parameter marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marker {
    /// `?`, by the position of its character.
    Positional(u32),
    /// `:name`.
    Named(String),
}

/// The markers of a statement in order, with the bytes they take up. A colon that follows a value at once extracts a
/// field and is no marker.
///
/// # Errors
/// When the text has no tokens: an open quote or comment.
pub fn parameter_markers(text: &str) -> SparkResult<Vec<(Range<usize>, Marker)>> {
    let tokens = tokens(text)?;
    let mut markers = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let end = token.byte + token.text.len();
        if token.kind != Kind::Symbol {
            continue;
        }
        if token.text == "?" {
            markers.push((token.byte..end, Marker::Positional(token.start)));
        }
        let before = index.checked_sub(1).and_then(|at| tokens.get(at));
        let value = before.is_some_and(|before| {
            let closes = before.kind == Kind::Symbol && matches!(before.text, ")" | "]");
            before.byte + before.text.len() == token.byte && (before.kind != Kind::Symbol || closes)
        });
        if token.text == ":"
            && !value
            && let Some(name) = tokens.get(index + 1).filter(|name| name.kind == Kind::Word && name.byte == end)
        {
            markers.push((token.byte..end + name.text.len(), Marker::Named(name.text.to_string())));
        }
    }
    Ok(markers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_found_outside_of_texts() {
        let found = parameter_markers("SELECT '?', ? -- ?").unwrap();
        assert_eq!(found, vec![(12..13, Marker::Positional(12))]);
        let found = parameter_markers("SELECT a:b, :c, x::INT").unwrap();
        assert_eq!(found, vec![(12..14, Marker::Named("c".to_string()))]);
    }
}
