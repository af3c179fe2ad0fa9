//! Runs a program over a text, trying one way after the other. It needs memory for what it may come back to, no stack.

use super::program::{Program, Step};
use super::syntax::{Anchor, Fold};
use super::{Groups, PatternError};

/// Steps of one search after which it is given up: seconds of work.
const MOST: u64 = 400_000_000;

/// What is taken back on failure.
#[derive(Debug)]
enum Undo {
    /// Try this step at this place.
    Choice(usize, usize),
    /// A slot had this place.
    Slot(usize, Option<usize>),
}

/// A search.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    program: &'a Program,
    text: &'a str,
    slots: Vec<Option<usize>>,
    undo: Vec<Undo>,
    from: usize,
    left: u64,
}

impl<'a> Machine<'a> {
    pub(super) fn new(program: &'a Program, text: &'a str) -> Self {
        Self { program, text, slots: vec![None; program.slots], undo: vec![], from: 0, left: MOST }
    }
    /// The first match that starts at `from` or after it.
    ///
    /// # Errors
    /// When it takes too many steps.
    pub(super) fn search(&mut self, from: usize) -> Result<Option<Groups>, PatternError> {
        self.from = from;
        let mut start = from;
        loop {
            self.slots.iter_mut().for_each(|slot| *slot = None);
            self.undo.clear();
            if self.run(0, start)?.is_some() {
                let place = |group: usize| {
                    let bound = |slot: usize| self.slots.get(slot).copied().flatten();
                    bound(2 * group).zip(bound(2 * group + 1))
                };
                return Ok(Some(Groups((0..=self.program.groups).map(place).collect())));
            }
            match self.next(start) {
                Some(c) => start += c.len_utf8(),
                None => return Ok(None),
            }
        }
    }
    fn next(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }
    fn before(&self, at: usize) -> Option<char> {
        self.text.get(..at)?.chars().next_back()
    }
    fn save(&mut self, slot: usize, at: Option<usize>) {
        if let Some(place) = self.slots.get_mut(slot) {
            self.undo.push(Undo::Slot(slot, *place));
            *place = at;
        }
    }
    /// Takes back everything down to `base`; the choice met on the way, if any.
    fn back(&mut self, base: usize) -> Option<(usize, usize)> {
        while self.undo.len() > base {
            match self.undo.pop()? {
                Undo::Choice(step, at) => return Some((step, at)),
                Undo::Slot(slot, value) => {
                    if let Some(place) = self.slots.get_mut(slot) {
                        *place = value;
                    }
                }
            }
        }
        None
    }
    /// Forgets the choices above `base`, but not how slots are taken back.
    fn commit(&mut self, base: usize) {
        let kept = self.undo.split_off(base).into_iter().filter(|undo| matches!(undo, Undo::Slot(..)));
        self.undo.extend(kept);
    }
    /// Runs from a step to `Done`; the place reached.
    fn run(&mut self, first: usize, place: usize) -> Result<Option<usize>, PatternError> {
        let base = self.undo.len();
        let program = self.program;
        let (mut step, mut at) = (first, place);
        loop {
            self.left = self.left.checked_sub(1).ok_or(PatternError::Steps)?;
            let gone = match program.steps.get(step) {
                None => None,
                Some(Step::Done) => return Ok(Some(at)),
                Some(Step::Char(c)) => self.next(at).filter(|next| next == c).map(|c| (step + 1, at + c.len_utf8())),
                Some(Step::Class(class)) => {
                    let member = |c: &char| program.classes.get(*class).is_some_and(|members| members.has(*c));
                    self.next(at).filter(member).map(|c| (step + 1, at + c.len_utf8()))
                }
                Some(Step::Anchor(anchor)) => self.holds(*anchor, at).then_some((step + 1, at)),
                Some(Step::Split(one, other)) => {
                    self.undo.push(Undo::Choice(*other, at));
                    Some((*one, at))
                }
                Some(Step::Jump(next)) => Some((*next, at)),
                Some(Step::Save(slot)) => {
                    self.save(*slot, Some(at));
                    Some((step + 1, at))
                }
                Some(Step::Moved(slot)) => (self.slots.get(*slot) != Some(&Some(at))).then_some((step + 1, at)),
                Some(Step::Reached(slot)) => (self.slots.get(*slot) == Some(&Some(at))).then_some((step + 1, at)),
                Some(Step::Atomic(next)) => {
                    let mark = self.undo.len();
                    let reached = self.run(step + 1, at)?;
                    self.commit(mark);
                    reached.map(|at| (*next, at))
                }
                Some(Step::Ahead { negative, next }) => {
                    let mark = self.undo.len();
                    let found = self.run(step + 1, at)?.is_some();
                    self.looked(mark, found, *negative).then_some((*next, at))
                }
                Some(Step::Behind { negative, next, least, most, slot }) => {
                    let mark = self.undo.len();
                    self.save(*slot, Some(at));
                    let mut found = false;
                    let head = self.text.get(..at).unwrap_or_default();
                    // Java looks at the closest beginning first.
                    let starts = head.char_indices().rev().map(|(start, _)| start);
                    for start in std::iter::once(at).chain(starts).take(most + 1).skip(*least) {
                        if self.run(step + 1, start)?.is_some() {
                            found = true;
                            break;
                        }
                    }
                    self.looked(mark, found, *negative).then_some((*next, at))
                }
                Some(Step::Back(group, fold)) => self.again(*group, *fold, at).map(|at| (step + 1, at)),
            };
            (step, at) = match gone {
                Some(next) => next,
                None => match self.back(base) {
                    Some(choice) => choice,
                    None => return Ok(None),
                },
            };
        }
    }
    /// Settles a look-around: a positive one keeps its groups, a negative one leaves nothing.
    fn looked(&mut self, mark: usize, found: bool, negative: bool) -> bool {
        if found && !negative {
            self.commit(mark);
        } else {
            while self.back(mark).is_some() {}
        }
        found != negative
    }
    fn again(&self, group: usize, fold: Fold, at: usize) -> Option<usize> {
        let bound = |slot: usize| self.slots.get(slot).copied().flatten();
        let text = self.text;
        let wanted = text.get(bound(2 * group)?..bound(2 * group + 1)?)?;
        if fold == Fold::No {
            return text.get(at..)?.starts_with(wanted).then_some(at + wanted.len());
        }
        let mut rest = text.get(at..)?.chars();
        for c in wanted.chars() {
            let other = rest.next()?;
            let same = match fold {
                Fold::Unicode => c == other || c.to_lowercase().eq(other.to_lowercase()),
                _ => c.eq_ignore_ascii_case(&other),
            };
            if !same {
                return None;
            }
        }
        Some(text.len() - rest.as_str().len())
    }
    fn holds(&self, anchor: Anchor, at: usize) -> bool {
        let breaks = |c: char, unix: bool| c == '\n' || !unix && matches!(c, '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
        let word = |c: Option<char>| c.is_some_and(|c| c == '_' || c.is_alphanumeric());
        // Not between the two characters of one break.
        let inside = self.before(at) == Some('\r') && self.next(at) == Some('\n');
        match anchor {
            Anchor::Start => at == 0,
            Anchor::End => at == self.text.len(),
            Anchor::SearchStart => at == self.from,
            Anchor::Boundary => word(self.before(at)) != word(self.next(at)),
            Anchor::NotBoundary => word(self.before(at)) == word(self.next(at)),
            Anchor::LineStart { unix } => {
                at == 0 || at < self.text.len() && self.before(at).is_some_and(|c| breaks(c, unix)) && (unix || !inside)
            }
            Anchor::LineEnd { unix } => {
                at == self.text.len() || self.next(at).is_some_and(|c| breaks(c, unix)) && (unix || !inside)
            }
            Anchor::LastEnd { unix } => match self.text.get(at..).unwrap_or_default() {
                "" => true,
                "\r\n" => !unix,
                rest => {
                    let mut rest = rest.chars();
                    rest.next().is_some_and(|c| breaks(c, unix)) && rest.next().is_none() && (unix || !inside)
                }
            },
        }
    }
}
