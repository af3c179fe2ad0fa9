//! Regular expressions over whole names of columns.
//!
//! They are Java's. The `regex` crate has no possessive quantifiers and would read `a?+` as `(a?)+`; the one place where they are
//! common is the way to say "all columns but these", `(a|b)?+.+`, which is read here. Others are refused.

use firesteel_functions::{SparkError, SparkResult};
use regex::Regex;

/// A pattern for whole names.
#[derive(Debug)]
pub(super) struct NamePattern {
    /// What is taken off the front when it is there, never to be given back: the group of `(group)?+rest`.
    taken: Option<Regex>,
    /// What the rest must be.
    rest: Regex,
}

impl NamePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// `INVALID_REGEXP` when it is none, an unsupported feature when it has other possessive quantifiers.
    pub(super) fn new(pattern: &str, case_sensitive: bool) -> SparkResult<Self> {
        let flags = if case_sensitive { "" } else { "(?i)" };
        let made = |inner: String| {
            Regex::new(&format!("{flags}{inner}"))
                .map_err(|_| SparkError::analysis("INVALID_REGEXP", &[("pattern", pattern)]))
        };
        let (taken, rest) = match first_group(pattern) {
            Some((group, rest)) => (Some(made(format!("^(?:{group})"))?), rest),
            None => (None, pattern),
        };
        if possessive(rest) || taken.as_ref().is_some_and(|taken| possessive(taken.as_str())) {
            return Err(SparkError::unsupported(format!("possessive quantifiers in the column pattern {pattern}")));
        }
        Ok(Self { taken, rest: made(format!("^(?:{rest})$"))? })
    }

    /// Whether a name is one of the pattern's.
    pub(super) fn fits(&self, name: &str) -> bool {
        let taken = self.taken.as_ref().and_then(|taken| taken.find(name)).map_or(0, |found| found.end());
        self.rest.is_match(name.get(taken..).unwrap_or_default())
    }
}

/// The group and the rest of `(group)?+rest`.
fn first_group(pattern: &str) -> Option<(&str, &str)> {
    let inner = pattern.strip_prefix('(')?;
    let end = structure(inner).find(|(_, depth, symbol)| *symbol == ')' && *depth == 0)?.0;
    let rest = inner.get(end..)?.strip_prefix(")?+")?;
    Some((inner.get(..end)?, rest))
}

/// Whether a quantifier is followed by `+`.
fn possessive(pattern: &str) -> bool {
    let mut last = None;
    structure(pattern).any(|(at, _, symbol)| {
        let quantified = last.is_some_and(|(before, known)| before + 1 == at && matches!(known, '?' | '*' | '+' | '}'));
        last = Some((at, symbol));
        symbol == '+' && quantified
    })
}

/// The characters with a meaning outside of classes and escapes, where they are, and in how many groups.
fn structure(pattern: &str) -> impl Iterator<Item = (usize, usize, char)> + '_ {
    let (mut escaped, mut class, mut depth) = (false, false, 0_usize);
    pattern.char_indices().filter_map(move |(at, symbol)| {
        if std::mem::take(&mut escaped) {
            return None;
        }
        match symbol {
            '\\' => {
                escaped = true;
                None
            }
            ']' if class => {
                class = false;
                None
            }
            _ if class => None,
            '[' => {
                class = true;
                None
            }
            '(' => {
                depth += 1;
                Some((at, depth, symbol))
            }
            ')' => {
                let inside = depth;
                depth = depth.saturating_sub(1);
                Some((at, inside, symbol))
            }
            _ => Some((at, depth, symbol)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_possessive_group_in_front_leaves_its_names_out() {
        let pattern = NamePattern::new("(Col1|x)?+.+", false).unwrap();
        let fits: Vec<&str> =
            ["Col1", "col10", "Col2", "x", "xy"].into_iter().filter(|name| pattern.fits(name)).collect();
        assert_eq!(fits, ["col10", "Col2", "xy"]);
    }

    #[test]
    fn other_possessive_quantifiers_are_refused() {
        assert!(NamePattern::new("a++b", true).is_err());
        assert!(NamePattern::new("[a+]+b\\++", true).is_ok());
        assert!(NamePattern::new("(a)+b", true).unwrap().fits("aab"));
    }
}
