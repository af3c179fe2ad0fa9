//! Finding text in text by a collation. Positions and lengths are counted in characters of the text searched.

use super::lower::{self, Lowered};
use super::{Collation, root};
use crate::error::SparkResult;

const COMBINING_DOT: char = '\u{307}';

/// How a text is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Exact,
    Blind,
}

/// A text ready to be searched.
pub(super) struct Search {
    text: Vec<char>,
    pattern: Vec<char>,
    mode: Mode,
}

impl Search {
    /// Prepares a search.
    ///
    /// # Errors
    /// Text whose place in the collation's order is not known.
    pub(super) fn new(text: &str, pattern: &str, collation: Collation) -> SparkResult<Self> {
        if collation.locale().is_some() {
            root::check(text, collation)?;
            root::check(pattern, collation)?;
        }
        let mode = if collation.is_lcase() || collation.ignores_case() { Mode::Blind } else { Mode::Exact };
        let pattern = match mode {
            Mode::Exact => pattern.chars().collect(),
            Mode::Blind => lower::lower(pattern).chars().collect(),
        };
        Ok(Self { text: text.chars().collect(), pattern, mode })
    }

    /// Characters of the text.
    pub(super) fn text(&self) -> &[char] {
        &self.text
    }

    /// How many characters match at a place.
    pub(super) fn match_at(&self, at: usize) -> Option<usize> {
        let rest = self.text.get(at..)?;
        if self.mode == Mode::Exact {
            return rest.starts_with(&self.pattern).then_some(self.pattern.len());
        }
        let mut taken = 0;
        let mut pending: Option<char> = None;
        let mut text = rest.iter();
        for wanted in &self.pattern {
            let found = match pending.take() {
                Some(found) => found,
                None => {
                    taken += 1;
                    match lower::lowered(*text.next()?) {
                        Lowered::One(c) => c,
                        Lowered::DottedI => {
                            pending = Some(COMBINING_DOT);
                            'i'
                        }
                    }
                }
            };
            if found != *wanted {
                return None;
            }
        }
        // Half a character is no match.
        pending.is_none().then_some(taken)
    }

    /// The first match from a place on: where and how long.
    pub(super) fn find(&self, from: usize) -> Option<(usize, usize)> {
        (from..=self.text.len()).find_map(|at| self.match_at(at).map(|length| (at, length)))
    }

    /// The last match that ends at or before a place.
    pub(super) fn find_back(&self, until: usize) -> Option<(usize, usize)> {
        (0..=until.min(self.text.len()))
            .rev()
            .find_map(|at| self.match_at(at).filter(|length| at + length <= until).map(|length| (at, length)))
    }

    /// Whether the text ends with the pattern.
    pub(super) fn ends(&self) -> bool {
        let all = self.text.len();
        (0..=all).rev().any(|at| self.match_at(at).is_some_and(|length| at + length == all))
    }
}
