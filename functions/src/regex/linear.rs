//! A pattern written for the `regex` crate, where that can say it.

use super::syntax::{Anchor, Node};

/// The text for the crate.
#[derive(Debug)]
pub(super) struct Text {
    /// The pattern.
    pub(super) text: String,
    /// Whether `$` or `\Z` was written as the very end.
    pub(super) end_matters: bool,
}

/// The text of a pattern; `None` when it needs backtracking.
pub(super) fn write(node: &Node) -> Option<Text> {
    let mut out = Text { text: String::new(), end_matters: false };
    out.node(node).then_some(out)
}

impl Text {
    /// `false` when the crate cannot say it.
    fn node(&mut self, node: &Node) -> bool {
        match node {
            Node::Empty => self.text.push_str("(?:)"),
            Node::Char(c) => self.text.push_str(&::regex::escape(c.encode_utf8(&mut [0; 4]))),
            Node::Class(class) => class.write(&mut self.text),
            Node::Anchor(Anchor::Start) => self.text.push_str("\\A"),
            Node::Anchor(Anchor::End) => self.text.push_str("\\z"),
            Node::Anchor(Anchor::LastEnd { .. }) => {
                self.end_matters = true;
                self.text.push_str("\\z");
            }
            Node::Anchor(Anchor::Boundary) => self.text.push_str("\\b"),
            Node::Anchor(Anchor::NotBoundary) => self.text.push_str("\\B"),
            Node::Concat(nodes) => return nodes.iter().all(|node| self.node(node)),
            Node::Alternate(nodes) => {
                self.text.push_str("(?:");
                for (at, node) in nodes.iter().enumerate() {
                    if at > 0 {
                        self.text.push('|');
                    }
                    if !self.node(node) {
                        return false;
                    }
                }
                self.text.push(')');
            }
            Node::Capture(_, node) => {
                self.text.push('(');
                if !self.node(node) {
                    return false;
                }
                self.text.push(')');
            }
            Node::Repeat { node, min, max, greedy } => {
                self.text.push_str("(?:");
                if !self.node(node) {
                    return false;
                }
                self.text.push_str(&match (min, max) {
                    (0, None) => ")*".to_string(),
                    (1, None) => ")+".to_string(),
                    (0, Some(1)) => ")?".to_string(),
                    (min, None) => format!("){{{min},}}"),
                    (min, Some(max)) => format!("){{{min},{max}}}"),
                });
                if !greedy {
                    self.text.push('?');
                }
            }
            Node::Anchor(_) | Node::Atomic(_) | Node::Look { .. } | Node::Back { .. } => return false,
        }
        true
    }
}
