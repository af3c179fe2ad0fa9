//! Which nodes a step leads to.

use super::expr::{Axis, Test};
use super::{Document, Kind};

impl Document {
    /// Nodes of an axis that pass the test, nearest first.
    pub(super) fn walk(&self, from: usize, axis: Axis, test: &Test) -> Vec<usize> {
        let mut found = vec![];
        match axis {
            Axis::Child => found.extend_from_slice(self.children(from)),
            Axis::Attribute => found.extend_from_slice(self.attributes(from)),
            Axis::Itself => found.push(from),
            Axis::Descendant => self.descend(from, &mut found),
            Axis::DescendantOrSelf => {
                found.push(from);
                self.descend(from, &mut found);
            }
            Axis::Parent => found.extend(self.parent(from)),
            Axis::Ancestor => found.extend(self.ancestors(from)),
            Axis::AncestorOrSelf => {
                found.push(from);
                found.extend(self.ancestors(from));
            }
            Axis::FollowingSibling => found.extend(self.siblings(from).into_iter().filter(|at| *at > from)),
            Axis::PrecedingSibling => found.extend(self.siblings(from).into_iter().rev().filter(|at| *at < from)),
            Axis::Following => {
                let mut inside = vec![];
                self.descend(from, &mut inside);
                let last = inside.last().copied().unwrap_or(from);
                found.extend((last + 1..self.nodes.len()).filter(|at| !self.is(*at, Kind::Attribute)));
            }
            Axis::Preceding => {
                let above = self.ancestors(from);
                let before = (1..from).rev().filter(|at| !self.is(*at, Kind::Attribute) && !above.contains(at));
                found.extend(before);
            }
        }
        found.retain(|at| self.passes(*at, axis, test));
        found
    }

    fn passes(&self, at: usize, axis: Axis, test: &Test) -> bool {
        let principal = if axis == Axis::Attribute { Kind::Attribute } else { Kind::Element };
        match test {
            Test::Node => true,
            Test::Any => self.is(at, principal),
            Test::Name(name) => self.is(at, principal) && self.name(at) == name,
            Test::Text => self.is(at, Kind::Text),
            Test::Comment => self.is(at, Kind::Comment),
        }
    }

    fn parent(&self, at: usize) -> Option<usize> {
        self.node(at)?.parent
    }

    fn ancestors(&self, at: usize) -> Vec<usize> {
        std::iter::successors(self.parent(at), |at| self.parent(*at)).collect()
    }

    fn siblings(&self, at: usize) -> Vec<usize> {
        if self.is(at, Kind::Attribute) {
            return vec![];
        }
        self.parent(at).map_or_else(Vec::new, |parent| self.children(parent).to_vec())
    }

    fn descend(&self, at: usize, out: &mut Vec<usize>) {
        for child in self.children(at) {
            out.push(*child);
            self.descend(*child, out);
        }
    }
}
