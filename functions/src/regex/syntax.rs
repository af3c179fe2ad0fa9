//! The tree of a parsed pattern. It knows neither text nor machines.

use super::class::Class;

/// A node.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// Nothing.
    Empty,
    /// One character.
    Char(char),
    /// One character of a class.
    Class(Class),
    /// A place.
    Anchor(Anchor),
    /// One after the other.
    Concat(Vec<Node>),
    /// The first that matches.
    Alternate(Vec<Node>),
    /// A group that is remembered.
    Capture(usize, Box<Node>),
    /// Repetition.
    Repeat { node: Box<Node>, min: u32, max: Option<u32>, greedy: bool },
    /// A match that is never given up in parts: `(?>..)` and possessive quantifiers.
    Atomic(Box<Node>),
    /// Look-around.
    Look { node: Box<Node>, behind: bool, negative: bool },
    /// The text of a group again.
    Back { group: usize, fold: Fold },
}

/// What a back-reference takes for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    /// The same characters.
    No,
    /// ASCII letters of either case.
    Ascii,
    /// Letters of either case.
    Unicode,
}

/// A place between characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// `\A` and `^`.
    Start,
    /// `\z`.
    End,
    /// `\Z` and `$`: the end, or before a last line break. In Unix mode only a line feed breaks lines.
    LastEnd { unix: bool },
    /// `^` of lines.
    LineStart { unix: bool },
    /// `$` of lines.
    LineEnd { unix: bool },
    /// `\b`.
    Boundary,
    /// `\B`.
    NotBoundary,
    /// `\G`.
    SearchStart,
}

impl Node {
    /// The text it matches where it matches that alone.
    pub(super) fn literal(&self) -> Option<String> {
        match self {
            Self::Char(c) => Some(c.to_string()),
            Self::Concat(nodes) => {
                nodes.iter().map(|node| if let Self::Char(c) = node { Some(*c) } else { None }).collect()
            }
            _ => None,
        }
    }
    /// The fewest and most characters it can match.
    pub(super) fn lengths(&self) -> (usize, Option<usize>) {
        match self {
            Self::Empty | Self::Anchor(_) | Self::Look { .. } => (0, Some(0)),
            Self::Char(_) | Self::Class(_) => (1, Some(1)),
            Self::Concat(nodes) => nodes.iter().fold((0, Some(0)), |(least, most), node| {
                let (low, high) = node.lengths();
                (least + low, most.zip(high).map(|(most, high)| most + high))
            }),
            Self::Alternate(nodes) => {
                let all: Vec<_> = nodes.iter().map(Self::lengths).collect();
                let most = all.iter().map(|(_, high)| *high).try_fold(0, |most, high| high.map(|high| most.max(high)));
                (all.iter().map(|(low, _)| *low).min().unwrap_or(0), most)
            }
            Self::Capture(_, node) | Self::Atomic(node) => node.lengths(),
            Self::Repeat { node, min, max, .. } => {
                let (low, high) = node.lengths();
                let most = match (high, max) {
                    (Some(0), _) => Some(0),
                    (Some(high), Some(max)) => Some(high * *max as usize),
                    _ => None,
                };
                (low * *min as usize, most)
            }
            Self::Back { .. } => (0, None),
        }
    }
}
