//! XML texts: the tree they are read into, and the functions over them.

mod axes;
mod eval;
mod expr;
mod functions;
mod grammar;
mod infer;
mod parse;
mod read;
#[cfg(test)]
mod tests;
mod write;
mod xpath;

pub(crate) use functions::all;

use crate::scalar::document::Options;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Above the root element.
    Document,
    Element,
    Attribute,
    Text,
    Comment,
}

/// A node; numbers are places in [`Document::nodes`], which are in document order.
#[derive(Debug, Clone)]
struct Node {
    kind: Kind,
    /// Name of elements and attributes.
    name: String,
    /// Text of the others.
    value: String,
    parent: Option<usize>,
    attributes: Vec<usize>,
    children: Vec<usize>,
}

/// A parsed text. Node 0 is the document itself.
#[derive(Debug, Clone, Default)]
struct Document {
    nodes: Vec<Node>,
}

impl Document {
    fn node(&self, at: usize) -> Option<&Node> {
        self.nodes.get(at)
    }

    fn children(&self, at: usize) -> &[usize] {
        self.node(at).map_or(&[], |node| &node.children)
    }

    fn attributes(&self, at: usize) -> &[usize] {
        self.node(at).map_or(&[], |node| &node.attributes)
    }

    fn name(&self, at: usize) -> &str {
        self.node(at).map_or("", |node| &node.name)
    }

    /// Whether the node is of a kind.
    fn is(&self, at: usize, kind: Kind) -> bool {
        self.node(at).is_some_and(|node| node.kind == kind)
    }

    /// The element that holds all others.
    fn root(&self) -> Option<usize> {
        self.children(0).iter().copied().find(|at| self.is(*at, Kind::Element))
    }

    /// The string value: all text inside.
    fn text(&self, at: usize) -> String {
        let Some(node) = self.node(at) else { return String::new() };
        match node.kind {
            Kind::Element | Kind::Document => {
                let inside = node.children.iter().filter(|child| !self.is(**child, Kind::Comment));
                inside.map(|child| self.text(*child)).collect()
            }
            _ => node.value.clone(),
        }
    }

    /// Child elements.
    fn elements(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        self.children(at).iter().copied().filter(|child| self.is(*child, Kind::Element))
    }

    /// Text directly inside.
    fn own_text(&self, at: usize) -> String {
        let texts = self.children(at).iter().filter_map(|child| self.node(*child));
        texts.filter(|node| node.kind == Kind::Text).map(|node| node.value.as_str()).collect()
    }
}

/// Names and switches that readers and writers of XML share.
#[derive(Debug, Clone)]
struct Names {
    /// Before the names of attributes.
    attribute: String,
    /// The field that holds text beside attributes and elements.
    value: String,
    /// Leave out attributes.
    no_attributes: bool,
    /// Strip white space around texts.
    trim: bool,
}

impl Names {
    fn new(options: &Options) -> crate::error::SparkResult<Self> {
        Ok(Self {
            attribute: options.get("attributePrefix").unwrap_or("_").to_owned(),
            value: options.get("valueTag").unwrap_or("_VALUE").to_owned(),
            no_attributes: options.flag("excludeAttribute", false)?,
            trim: options.flag("ignoreSurroundingSpaces", true)?,
        })
    }
}
