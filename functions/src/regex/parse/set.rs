//! Classes in brackets, with ranges, nesting and `&&`.

use super::super::class::Class;
use super::{DEEPEST, Made, Parser, wrong};

impl Parser {
    /// A class after its opening bracket.
    pub(super) fn class(&mut self) -> Made<Class> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return wrong("the pattern is nested too deep");
        }
        let negated = self.eat("^");
        let mut made: Option<Class> = None;
        let mut items: Vec<Class> = Vec::new();
        let mut operand = false;
        loop {
            self.skip();
            if self.eat("&&") {
                while self.eat("&&") {}
                made = meet(made, std::mem::take(&mut items), operand);
                operand = true;
                continue;
            }
            match self.next() {
                None => return wrong("Unclosed character class"),
                Some(']') if made.is_some() || !items.is_empty() => break,
                Some('[') => items.push(self.class()?),
                Some('\\') if self.eat("Q") => {
                    while self.at < self.chars.len() && !self.eat("\\E") {
                        if let Some(c) = self.next() {
                            items.push(self.range(c, c));
                        }
                    }
                }
                Some('\\') => {
                    let Some(c) = self.next() else { return wrong("Unclosed character class") };
                    match self.escaped_class(c)? {
                        Some(class) => items.push(class),
                        None => {
                            let from = self.escaped_char(c)?;
                            items.push(self.up_to(from)?);
                        }
                    }
                }
                Some(c) => items.push(self.up_to(c)?),
            }
        }
        self.depth -= 1;
        let all = if operand { meet(made, items, true).unwrap_or(Class::Union(vec![])) } else { Class::Union(items) };
        Ok(if negated { all.not() } else { all })
    }
    /// A character, or a range that starts with it.
    fn up_to(&mut self, from: char) -> Made<Class> {
        let range = self.peek() == Some('-')
            && !matches!(self.chars.get(self.at + 1), None | Some('[' | ']'))
            && !(self.chars.get(self.at + 1) == Some(&'&') && self.chars.get(self.at + 2) == Some(&'&'));
        if !range {
            return Ok(self.range(from, from));
        }
        let before = self.at;
        self.at += 1;
        let to = match self.next() {
            Some('\\') => {
                let Some(c) = self.next() else { return wrong("Unclosed character class") };
                if self.escaped_class(c)?.is_some() {
                    // The hyphen stands for itself before a class.
                    self.at = before;
                    return Ok(self.range(from, from));
                }
                self.escaped_char(c)?
            }
            Some(c) => c,
            None => return wrong("Unclosed character class"),
        };
        if to < from { wrong("Illegal character range") } else { Ok(self.range(from, to)) }
    }
}

/// What stands left of `&&` met with what stands right of it; a side without anything leaves the other.
fn meet(left: Option<Class>, right: Vec<Class>, operand: bool) -> Option<Class> {
    let right = (!right.is_empty()).then_some(Class::Union(right));
    match (left, right) {
        (Some(left), Some(right)) if operand => Some(Class::Both(Box::new(left), Box::new(right))),
        (left, right) => left.or(right),
    }
}
