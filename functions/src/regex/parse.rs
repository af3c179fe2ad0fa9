//! Java's grammar of patterns. It makes a tree and knows no text to search.

mod escape;
mod set;

use super::PatternError;
use super::class::Class;
use super::syntax::{Anchor, Node};

/// Groups may be nested this deep.
const DEEPEST: usize = 250;

/// A tree and its groups.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) node: Node,
    pub(super) groups: usize,
    pub(super) names: Vec<(String, usize)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    fold: bool,
    unicode_fold: bool,
    multiline: bool,
    dot_all: bool,
    unix: bool,
    comments: bool,
    unicode: bool,
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    flags: Flags,
    groups: usize,
    names: Vec<(String, usize)>,
    depth: usize,
}

type Made<T> = Result<T, PatternError>;

fn wrong<T>(why: &str) -> Made<T> {
    Err(PatternError::Syntax(why.to_string()))
}

/// Parses a pattern.
///
/// # Errors
/// As Java's `PatternSyntaxException` says.
pub(super) fn parse(pattern: &str) -> Made<Parsed> {
    let mut parser =
        Parser { chars: pattern.chars().collect(), at: 0, flags: Flags::default(), groups: 0, names: vec![], depth: 0 };
    let node = parser.alternatives()?;
    match parser.peek() {
        None => Ok(Parsed { node, groups: parser.groups, names: parser.names }),
        Some(_) => wrong("Unmatched closing ')'"),
    }
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }
    fn next(&mut self) -> Option<char> {
        let found = self.peek();
        self.at += usize::from(found.is_some());
        found
    }
    fn eat(&mut self, wanted: &str) -> bool {
        let found = wanted.chars().enumerate().all(|(ahead, c)| self.chars.get(self.at + ahead) == Some(&c));
        if found {
            self.at += wanted.chars().count();
        }
        found
    }
    /// Passes white space and comments where they mean nothing.
    fn skip(&mut self) {
        while self.flags.comments {
            match self.peek() {
                Some(c) if c.is_ascii_whitespace() || c == '\u{b}' => self.at += 1,
                Some('#') => while self.next().is_some_and(|c| !matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}')) {},
                _ => return,
            }
        }
    }
    fn alternatives(&mut self) -> Made<Node> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return wrong("the pattern is nested too deep");
        }
        let mut all = vec![self.sequence()?];
        while self.eat("|") {
            all.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(if all.len() == 1 { all.pop().unwrap_or(Node::Empty) } else { Node::Alternate(all) })
    }
    fn sequence(&mut self) -> Made<Node> {
        let mut all = Vec::new();
        loop {
            self.skip();
            match self.peek() {
                None | Some('|' | ')') => break,
                Some(c @ ('*' | '+' | '?')) => return wrong(&format!("Dangling meta character '{c}'")),
                Some('\\') if self.eat("\\Q") => {
                    // Only the last quoted character is what a quantifier repeats.
                    while self.at < self.chars.len() && !self.eat("\\E") {
                        if let Some(c) = self.next() {
                            all.push(self.literal(c));
                        }
                    }
                    if let Some(last) = all.pop() {
                        all.push(self.repeated(last)?);
                    }
                }
                Some('\\') if self.eat("\\E") => {}
                Some(_) => {
                    if let Some(atom) = self.atom()? {
                        all.push(self.repeated(atom)?);
                    }
                }
            }
        }
        Ok(if all.len() == 1 { all.pop().unwrap_or(Node::Empty) } else { Node::Concat(all) })
    }
    /// One atom; `None` for flags that stand alone.
    fn atom(&mut self) -> Made<Option<Node>> {
        let Flags { multiline, unix, dot_all, .. } = self.flags;
        Ok(Some(match self.next() {
            Some('(') => return self.group(),
            Some('[') => {
                let class = self.class()?;
                Node::Class(self.folded(class))
            }
            Some('.') if dot_all => Node::Class(Class::ranges(&[('\0', '\u{10ffff}')])),
            Some('.') if unix => Node::Class(Class::one('\n').not()),
            Some('.') => Node::Class(Class::line_breaks().not()),
            Some('^') => Node::Anchor(if multiline { Anchor::LineStart { unix } } else { Anchor::Start }),
            Some('$') => Node::Anchor(if multiline { Anchor::LineEnd { unix } } else { Anchor::LastEnd { unix } }),
            Some('\\') => self.escape()?,
            // A brace repeats what stands before it, even nothing.
            Some('{') => {
                self.at -= 1;
                Node::Empty
            }
            Some(c) => self.literal(c),
            None => Node::Empty,
        }))
    }
    fn literal(&self, c: char) -> Node {
        let cased = if self.flags.unicode_fold { c.is_alphabetic() } else { c.is_ascii_alphabetic() };
        if !(self.flags.fold && cased) {
            return Node::Char(c);
        }
        let one = Class::one(c);
        Node::Class(if self.flags.unicode_fold { self.folded(one) } else { one.ascii_folded() })
    }
    /// A finished class; ASCII letters were folded where they were read.
    fn folded(&self, class: Class) -> Class {
        if self.flags.fold && self.flags.unicode_fold { Class::Folded(Box::new(class)) } else { class }
    }
    fn range(&self, from: char, to: char) -> Class {
        let range = Class::Range(from, to);
        if self.flags.fold && !self.flags.unicode_fold { range.ascii_folded() } else { range }
    }
    fn group(&mut self) -> Made<Option<Node>> {
        let before = self.flags;
        let boxed = Box::new;
        let made = if !self.eat("?") {
            self.groups += 1;
            let number = self.groups;
            Node::Capture(number, boxed(self.alternatives()?))
        } else if self.eat(":") {
            self.alternatives()?
        } else if self.eat("=") {
            Node::Look { node: boxed(self.alternatives()?), behind: false, negative: false }
        } else if self.eat("!") {
            Node::Look { node: boxed(self.alternatives()?), behind: false, negative: true }
        } else if self.eat("<=") {
            Node::Look { node: boxed(self.alternatives()?), behind: true, negative: false }
        } else if self.eat("<!") {
            Node::Look { node: boxed(self.alternatives()?), behind: true, negative: true }
        } else if self.eat(">") {
            Node::Atomic(boxed(self.alternatives()?))
        } else if self.eat("<") {
            let name = self.name()?;
            if self.names.iter().any(|(known, _)| *known == name) {
                return wrong(&format!("Named capturing group <{name}> is already defined"));
            }
            self.groups += 1;
            let number = self.groups;
            self.names.push((name, number));
            Node::Capture(number, boxed(self.alternatives()?))
        } else {
            self.switch_flags()?;
            if self.eat(")") {
                return Ok(None);
            }
            if !self.eat(":") {
                return wrong("Unknown inline modifier");
            }
            self.alternatives()?
        };
        if !self.eat(")") {
            return wrong("Unclosed group");
        }
        self.flags = before;
        Ok(Some(made))
    }
    fn name(&mut self) -> Made<String> {
        let mut name = String::new();
        while let Some(c) = self.next() {
            match c {
                '>' if !name.is_empty() => return Ok(name),
                c if c.is_ascii_alphabetic() || c.is_ascii_digit() && !name.is_empty() => name.push(c),
                _ => break,
            }
        }
        wrong("named capturing group is missing trailing '>'")
    }
    fn switch_flags(&mut self) -> Made<()> {
        let mut on = true;
        loop {
            match self.peek() {
                Some('i') => self.flags.fold = on,
                Some('m') => self.flags.multiline = on,
                Some('s') => self.flags.dot_all = on,
                Some('d') => self.flags.unix = on,
                Some('u') => self.flags.unicode_fold = on,
                Some('x') => self.flags.comments = on,
                // It implies folding by Unicode.
                Some('U') => (self.flags.unicode, self.flags.unicode_fold) = (on, on),
                Some('-') if on => on = false,
                Some(')' | ':') => return Ok(()),
                _ => return wrong("Unknown inline modifier"),
            }
            self.at += 1;
        }
    }
    fn number(&mut self) -> Option<u32> {
        let from = self.at;
        let mut value: u32 = 0;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            value = value.checked_mul(10)?.checked_add(digit)?;
            self.at += 1;
        }
        (self.at > from).then_some(value)
    }
    fn repeated(&mut self, node: Node) -> Made<Node> {
        let mut node = node;
        loop {
            self.skip();
            let (min, max) = match self.peek() {
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('?') => (0, Some(1)),
                Some('{') => {
                    self.at += 1;
                    let Some(min) = self.number() else { return wrong("Illegal repetition") };
                    let max = match self.peek() {
                        Some(',') => {
                            self.at += 1;
                            match self.peek() {
                                Some('}') => None,
                                _ => self.number().map_or_else(|| wrong("Illegal repetition"), |max| Ok(Some(max)))?,
                            }
                        }
                        _ => Some(min),
                    };
                    match self.peek() {
                        Some('}') if max.is_none_or(|max| max >= min) => {}
                        Some('}') => return wrong("Illegal repetition range"),
                        _ => return wrong("Unclosed counted closure"),
                    }
                    (min, max)
                }
                _ => return Ok(node),
            };
            self.at += 1;
            let (lazy, possessive) = (self.eat("?"), self.eat("+"));
            if lazy && possessive {
                return wrong("Dangling meta character '+'");
            }
            let repeat = Node::Repeat { node: Box::new(node), min, max, greedy: !lazy };
            node = if possessive { Node::Atomic(Box::new(repeat)) } else { repeat };
            // Java takes a second quantifier only after a brace, as one over the whole.
            if matches!(self.peek(), Some('*' | '+' | '?')) {
                return wrong("Dangling meta character");
            }
        }
    }
}
