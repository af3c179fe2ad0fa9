//! A pattern as steps for the machine. It knows no text.

use super::PatternError;
use super::class::{Class, Members};
use super::syntax::{Anchor, Fold, Node};

/// Steps a pattern may have.
const LARGEST: usize = 200_000;

/// A step; targets are numbers of steps.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// This character.
    Char(char),
    /// A member of the class with this number.
    Class(usize),
    /// This place.
    Anchor(Anchor),
    /// The first, and the second if that fails.
    Split(usize, usize),
    /// Goes on there.
    Jump(usize),
    /// Remembers the place in a slot.
    Save(usize),
    /// Fails where the place is the one in the slot: a round of a loop that took nothing.
    Moved(usize),
    /// Fails unless the place is the one in the slot.
    Reached(usize),
    /// Matches the steps after it up to `Done` by themselves, never to be tried again, and goes on at the target.
    Atomic(usize),
    /// The same without moving on.
    Ahead { negative: bool, next: usize },
    /// The same for text that ends here and began between `least` and `most` characters before.
    Behind { negative: bool, next: usize, least: usize, most: usize, slot: usize },
    /// The text of a group.
    Back(usize, Fold),
    /// The end of the pattern, or of steps that match by themselves.
    Done,
}

/// The steps of a pattern.
#[derive(Debug, Clone, Default)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    pub(super) classes: Vec<Members>,
    /// Slots of groups, two each, and then those of loops.
    pub(super) slots: usize,
    pub(super) groups: usize,
}

impl Program {
    /// The steps of a pattern with this number of groups.
    ///
    /// # Errors
    /// When it is too large.
    pub(super) fn compile(node: &Node, groups: usize) -> Result<Self, PatternError> {
        let mut made = Self { groups, slots: 2 * (groups + 1), ..Self::default() };
        made.push(Step::Save(0))?;
        made.node(node)?;
        made.push(Step::Save(1))?;
        made.push(Step::Done)?;
        Ok(made)
    }
    fn push(&mut self, step: Step) -> Result<usize, PatternError> {
        if self.steps.len() >= LARGEST {
            return Err(PatternError::Syntax("the pattern is too large".to_string()));
        }
        self.steps.push(step);
        Ok(self.steps.len() - 1)
    }
    fn set(&mut self, at: usize, step: Step) {
        if let Some(place) = self.steps.get_mut(at) {
            *place = step;
        }
    }
    fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }
    fn class(&mut self, class: &Class) -> Result<usize, PatternError> {
        let members =
            Members::new(class).ok_or_else(|| PatternError::Syntax("Unknown character property".to_string()))?;
        self.classes.push(members);
        Ok(self.classes.len() - 1)
    }
    fn node(&mut self, node: &Node) -> Result<(), PatternError> {
        match node {
            Node::Empty => {}
            Node::Char(c) => {
                self.push(Step::Char(*c))?;
            }
            Node::Class(class) => {
                let number = self.class(class)?;
                self.push(Step::Class(number))?;
            }
            Node::Anchor(anchor) => {
                self.push(Step::Anchor(*anchor))?;
            }
            Node::Concat(nodes) => nodes.iter().try_for_each(|node| self.node(node))?,
            Node::Alternate(nodes) => self.alternate(nodes)?,
            Node::Capture(group, node) => {
                self.push(Step::Save(2 * group))?;
                self.node(node)?;
                self.push(Step::Save(2 * group + 1))?;
            }
            Node::Repeat { node, min, max, greedy } => self.repeat(node, *min, *max, *greedy)?,
            Node::Atomic(node) => {
                let at = self.push(Step::Done)?;
                self.node(node)?;
                self.push(Step::Done)?;
                self.set(at, Step::Atomic(self.steps.len()));
            }
            Node::Look { node, behind: false, negative } => {
                let at = self.push(Step::Done)?;
                self.node(node)?;
                self.push(Step::Done)?;
                self.set(at, Step::Ahead { negative: *negative, next: self.steps.len() });
            }
            Node::Look { node, behind: true, negative } => {
                let (least, most) = node.lengths();
                let Some(most) = most else {
                    let why = "Look-behind group does not have an obvious maximum length";
                    return Err(PatternError::Syntax(why.to_string()));
                };
                let slot = self.slot();
                let at = self.push(Step::Done)?;
                self.node(node)?;
                self.push(Step::Reached(slot))?;
                self.push(Step::Done)?;
                self.set(at, Step::Behind { negative: *negative, next: self.steps.len(), least, most, slot });
            }
            Node::Back { group, fold } => {
                self.push(Step::Back(*group, *fold))?;
            }
        }
        Ok(())
    }
    fn alternate(&mut self, nodes: &[Node]) -> Result<(), PatternError> {
        let mut ends = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            if at + 1 == nodes.len() {
                self.node(node)?;
                break;
            }
            let split = self.push(Step::Done)?;
            self.node(node)?;
            ends.push(self.push(Step::Done)?);
            self.set(split, Step::Split(split + 1, self.steps.len()));
        }
        let next = self.steps.len();
        ends.into_iter().for_each(|end| self.set(end, Step::Jump(next)));
        Ok(())
    }
    fn split(&mut self, at: usize, inside: usize, outside: usize, greedy: bool) {
        self.set(at, if greedy { Step::Split(inside, outside) } else { Step::Split(outside, inside) });
    }
    fn repeat(&mut self, node: &Node, min: u32, max: Option<u32>, greedy: bool) -> Result<(), PatternError> {
        for _ in 0..min {
            self.node(node)?;
        }
        let Some(max) = max else {
            let nothing = node.lengths().0 == 0;
            let slot = self.slot();
            let split = self.push(Step::Done)?;
            if nothing {
                self.push(Step::Save(slot))?;
            }
            self.node(node)?;
            if nothing {
                self.push(Step::Moved(slot))?;
            }
            self.push(Step::Jump(split))?;
            self.split(split, split + 1, self.steps.len(), greedy);
            return Ok(());
        };
        let mut splits = Vec::new();
        for _ in min..max {
            splits.push(self.push(Step::Done)?);
            self.node(node)?;
        }
        let next = self.steps.len();
        splits.into_iter().for_each(|split| self.split(split, split + 1, next, greedy));
        Ok(())
    }
}
