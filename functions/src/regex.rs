//! Regular expressions as `java.util.regex.Pattern` has them. It knows nothing of functions and columns.
//!
//! A pattern is parsed by Java's grammar. Where it says nothing that needs backtracking it is handed to the `regex`
//! crate, whose time is linear in the text; look-around, back-references, possessive quantifiers and the like run on a
//! backtracking machine of our own. Both prefer the same matches: the leftmost, and of those the first that is tried.

mod class;
mod linear;
mod machine;
mod parse;
mod program;
mod property;
mod syntax;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use self::machine::Machine;
use self::program::Program;
use crate::needle::Needle;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    linear: Option<::regex::Regex>,
    /// The end of the text means its very end to `linear`, to Java also the place before a last line break.
    end_matters: bool,
    program: Option<Program>,
    names: Vec<(String, usize)>,
    groups: usize,
    empty: bool,
    /// The text that is all the pattern says.
    literal: Option<Needle>,
}

/// Places of the groups of a match, as offsets of bytes; the whole match first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Groups(Vec<Option<(usize, usize)>>);

impl Groups {
    /// Start and end of the whole match.
    pub(crate) fn whole(&self) -> (usize, usize) {
        self.0.first().copied().flatten().unwrap_or_default()
    }
    /// The text of a group; `None` where it took no part.
    pub(crate) fn text<'t>(&self, text: &'t str, group: usize) -> Option<&'t str> {
        let (start, end) = self.0.get(group).copied().flatten()?;
        text.get(start..end)
    }
}

/// Why a pattern or a search failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatternError {
    /// The pattern is wrong.
    #[error("{0}")]
    Syntax(String),
    /// The search took more steps than any sensible one.
    #[error("a regular expression that backtracks without end")]
    Steps,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When Java's grammar has no such pattern, or it is too large.
    pub(crate) fn new(pattern: &str) -> Result<Self, PatternError> {
        let parsed = parse::parse(pattern)?;
        let text = linear::write(&parsed.node);
        let end_matters = text.as_ref().is_some_and(|text| text.end_matters);
        let linear = text.and_then(|text| ::regex::Regex::new(&text.text).ok());
        let program = match &linear {
            Some(_) if !end_matters => None,
            _ => Some(Program::compile(&parsed.node, parsed.groups)?),
        };
        let literal = parsed.node.literal().filter(|text| !text.is_empty()).map(|text| Needle::new(&text));
        let (names, groups, empty) = (parsed.names, parsed.groups, pattern.is_empty());
        Ok(Self { linear, end_matters, program, names, groups, empty, literal })
    }
    /// The text to look for, where the pattern is nothing else.
    pub(crate) fn literal(&self) -> Option<&Needle> {
        self.literal.as_ref()
    }
    /// The number of groups, without the whole match.
    pub(crate) fn groups(&self) -> usize {
        self.groups
    }
    /// The number of the group called `name`.
    pub(crate) fn named(&self, name: &str) -> Option<usize> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, group)| *group)
    }
    /// Whether the pattern has no characters.
    pub(crate) fn is_empty(&self) -> bool {
        self.empty
    }
    /// The regex that can search `text`.
    fn fast(&self, text: &str) -> Option<&::regex::Regex> {
        let breaks = || matches!(text.chars().next_back(), Some('\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'));
        self.linear.as_ref().filter(|_| !(self.end_matters && breaks()))
    }
    /// Whether the pattern is found in `text`.
    ///
    /// # Errors
    /// When the search takes too many steps.
    pub(crate) fn is_match(&self, text: &str) -> Result<bool, PatternError> {
        match self.fast(text) {
            Some(regex) => Ok(regex.is_match(text)),
            None => Ok(self.find_at(text, 0)?.is_some()),
        }
    }
    /// The first match that starts at or after a place between characters.
    ///
    /// # Errors
    /// When the search takes too many steps.
    pub(crate) fn find_at(&self, text: &str, from: usize) -> Result<Option<Groups>, PatternError> {
        if let Some(regex) = self.fast(text) {
            let found = regex.captures_at(text, from);
            let groups = |found: ::regex::Captures<'_>| {
                Groups(found.iter().map(|group| group.map(|group| (group.start(), group.end()))).collect())
            };
            return Ok(found.map(groups));
        }
        match &self.program {
            Some(program) => Machine::new(program, text).search(from),
            None => Ok(None),
        }
    }
    /// The place of the first match that starts at or after a place between characters, without its groups.
    fn place(&self, text: &str, from: usize) -> Result<Option<(usize, usize)>, PatternError> {
        match self.fast(text) {
            Some(regex) => Ok(regex.find_at(text, from).map(|found| (found.start(), found.end()))),
            None => Ok(self.find_at(text, from)?.map(|found| found.whole())),
        }
    }
    /// The places of all matches, as `find_all` has them, for as long as `visit` goes on.
    ///
    /// # Errors
    /// When the search takes too many steps.
    pub(crate) fn places(
        &self,
        text: &str,
        mut visit: impl FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<(), PatternError> {
        if let Some(needle) = &self.literal {
            let _ = needle.starts(text).try_for_each(|start| visit(start, start + needle.text().len()));
            return Ok(());
        }
        let mut next = Some(0);
        while let Some(from) = next.filter(|next| *next <= text.len()) {
            let Some((start, end)) = self.place(text, from)? else { break };
            next = after(text, start, end);
            if visit(start, end).is_break() {
                break;
            }
        }
        Ok(())
    }
    /// All matches as Java's `find` gives them: an empty match may touch the one before it.
    ///
    /// # Errors
    /// When the search takes too many steps.
    pub(crate) fn find_all(&self, text: &str) -> Result<Vec<Groups>, PatternError> {
        let mut out = Vec::new();
        let mut next = Some(0);
        while let Some(from) = next.filter(|next| *next <= text.len()) {
            let Some(found) = self.find_at(text, from)? else { break };
            let (start, end) = found.whole();
            next = after(text, start, end);
            out.push(found);
        }
        Ok(out)
    }
}

/// Where the search goes on after a match: an empty one takes a character along.
fn after(text: &str, start: usize, end: usize) -> Option<usize> {
    match end > start {
        true => Some(end),
        false => text.get(end..).and_then(|rest| rest.chars().next()).map(|c| end + c.len_utf8()),
    }
}
