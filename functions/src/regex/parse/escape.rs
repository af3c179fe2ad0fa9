//! What follows a backslash.

use super::super::class::Class;
use super::super::property::{letter, property};
use super::super::syntax::{Anchor, Fold, Node};
use super::{Made, Parser, wrong};

impl Parser {
    /// An escape outside classes, after the backslash.
    pub(super) fn escape(&mut self) -> Made<Node> {
        let unix = self.flags.unix;
        let Some(c) = self.next() else { return wrong("Unexpected internal error") };
        Ok(match c {
            'b' if self.eat("{g}") => return wrong("grapheme boundaries are not known"),
            'b' => Node::Anchor(Anchor::Boundary),
            'B' => Node::Anchor(Anchor::NotBoundary),
            'A' => Node::Anchor(Anchor::Start),
            'G' => Node::Anchor(Anchor::SearchStart),
            'Z' => Node::Anchor(Anchor::LastEnd { unix }),
            'z' => Node::Anchor(Anchor::End),
            'R' => Node::Alternate(vec![
                Node::Concat(vec![Node::Char('\r'), Node::Char('\n')]),
                Node::Class(Class::ranges(&[('\n', '\r'), ('\u{85}', '\u{85}'), ('\u{2028}', '\u{2029}')])),
            ]),
            'k' => {
                if !self.eat("<") {
                    return wrong("\\k is not followed by '<' for named capturing group");
                }
                let name = self.name()?;
                let Some((_, group)) = self.names.iter().find(|(known, _)| *known == name) else {
                    return wrong(&format!("named capturing group <{name}> does not exist"));
                };
                Node::Back { group: *group, fold: self.fold() }
            }
            '1'..='9' => {
                let mut group = c as usize - '0' as usize;
                // More digits as long as there are that many groups.
                while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if longer > self.groups {
                        break;
                    }
                    group = longer;
                    self.at += 1;
                }
                Node::Back { group, fold: self.fold() }
            }
            c => match self.escaped_class(c)? {
                Some(class) => Node::Class(self.folded(class)),
                None => {
                    let c = self.escaped_char(c)?;
                    self.literal(c)
                }
            },
        })
    }
    fn fold(&self) -> Fold {
        match (self.flags.fold, self.flags.unicode_fold) {
            (false, _) => Fold::No,
            (true, false) => Fold::Ascii,
            (true, true) => Fold::Unicode,
        }
    }
    /// A class that an escaped letter names.
    pub(super) fn escaped_class(&mut self, c: char) -> Made<Option<Class>> {
        if c == 'p' || c == 'P' {
            let name: String = if self.eat("{") {
                let from = self.at;
                while self.next().is_some_and(|c| c != '}') {}
                self.chars.get(from..self.at.saturating_sub(1)).unwrap_or_default().iter().collect()
            } else {
                self.next().into_iter().collect()
            };
            let found = property(&name, self.flags.fold, self.flags.unicode);
            let Some(class) = found else { return wrong(&format!("Unknown character property name {{{name}}}")) };
            return Ok(Some(if c == 'P' { class.not() } else { class }));
        }
        let found = letter(c.to_ascii_lowercase(), self.flags.unicode);
        Ok(found.map(|class| if c.is_ascii_uppercase() { class.not() } else { class }))
    }
    fn digits(&mut self, radix: u32, most: usize) -> (u32, usize) {
        let (mut value, mut count) = (0, 0);
        while count < most
            && let Some(digit) = self.peek().and_then(|c| c.to_digit(radix))
        {
            value = value * radix + digit;
            count += 1;
            self.at += 1;
        }
        (value, count)
    }
    /// The character of an escape.
    pub(super) fn escaped_char(&mut self, c: char) -> Made<char> {
        let code = match c {
            't' => 9,
            'n' => 10,
            'r' => 13,
            'f' => 12,
            'a' => 7,
            'e' => 27,
            'c' => match self.next() {
                Some(control) => u32::from(control) ^ 64,
                None => return wrong("Illegal control escape sequence"),
            },
            '0' => {
                let most = if self.peek().is_some_and(|c| c <= '3') { 3 } else { 2 };
                match self.digits(8, most) {
                    (value, 1..) => value,
                    _ => return wrong("Illegal octal escape sequence"),
                }
            }
            'x' if self.eat("{") => match self.digits(16, 6) {
                (value, 1..) if self.eat("}") => value,
                _ => return wrong("Unclosed hexadecimal escape sequence"),
            },
            'x' => match self.digits(16, 2) {
                (value, 2) => value,
                _ => return wrong("Illegal hexadecimal escape sequence"),
            },
            'u' => match self.digits(16, 4) {
                (high @ 0xD800..0xDC00, 4) if self.eat("\\u") => match self.digits(16, 4) {
                    (low @ 0xDC00..0xE000, 4) => 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00),
                    _ => return wrong("Illegal Unicode escape sequence"),
                },
                (value, 4) => value,
                _ => return wrong("Illegal Unicode escape sequence"),
            },
            c if c.is_ascii_alphabetic() => return wrong("Illegal/unsupported escape sequence"),
            c => u32::from(c),
        };
        char::from_u32(code).map_or_else(|| wrong("a lone surrogate"), Ok)
    }
}
