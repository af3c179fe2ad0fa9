//! The grammar of XML 1.0 without DTDs: declarations are skipped, only predefined entities and character references are
//! known, name spaces are part of names.

use super::{Document, Kind, Node};

/// Nesting beyond which a text is refused.
const DEEPEST: usize = 500;

/// The tree of a text; `None` if it is not well formed.
pub(super) fn parse(text: &str) -> Option<Document> {
    let (document, rest) = first(text)?;
    rest.is_empty().then_some(document)
}

/// The tree of the first element of a text and what follows it.
pub(super) fn first(text: &str) -> Option<(Document, &str)> {
    let document = Node {
        kind: Kind::Document,
        name: String::new(),
        value: String::new(),
        parent: None,
        attributes: vec![],
        children: vec![],
    };
    let mut parser =
        Parser { rest: text.strip_prefix('\u{feff}').unwrap_or(text), out: Document { nodes: vec![document] } };
    parser.prolog()?;
    if !parser.rest.starts_with('<') {
        return None;
    }
    parser.element(0, 0)?;
    let after_root = parser.rest;
    let rest = if parser.prolog().is_some() { parser.rest } else { after_root };
    Some((parser.out, rest))
}

struct Parser<'t> {
    rest: &'t str,
    out: Document,
}

impl<'t> Parser<'t> {
    fn add(&mut self, kind: Kind, name: &str, value: String, parent: usize) -> usize {
        let at = self.out.nodes.len();
        let node =
            Node { kind, name: name.to_owned(), value, parent: Some(parent), attributes: vec![], children: vec![] };
        self.out.nodes.push(node);
        if let Some(parent) = self.out.nodes.get_mut(parent) {
            if kind == Kind::Attribute { parent.attributes.push(at) } else { parent.children.push(at) }
        }
        at
    }

    fn blank(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn eat(&mut self, word: &str) -> bool {
        let left = self.rest.strip_prefix(word);
        self.rest = left.unwrap_or(self.rest);
        left.is_some()
    }

    fn until(&mut self, end: &str) -> Option<&'t str> {
        let (inside, left) = self.rest.split_once(end)?;
        self.rest = left;
        Some(inside)
    }

    /// Declarations, comments and white space around the root element.
    fn prolog(&mut self) -> Option<()> {
        loop {
            self.blank();
            if self.eat("<?") {
                self.until("?>")?;
            } else if self.eat("<!--") {
                let comment = self.until("-->")?.to_owned();
                self.add(Kind::Comment, "", comment, 0);
            } else if self.eat("<!DOCTYPE") {
                let (mut depth, mut end) = (0_usize, None);
                for (at, character) in self.rest.char_indices() {
                    match character {
                        '[' => depth += 1,
                        ']' => depth = depth.saturating_sub(1),
                        '>' if depth == 0 => {
                            end = Some(at + 1);
                            break;
                        }
                        _ => {}
                    }
                }
                self.rest = self.rest.get(end?..)?;
            } else {
                return Some(());
            }
        }
    }

    fn name(&mut self) -> Option<&'t str> {
        let stop = |c: char| c.is_whitespace() || matches!(c, '/' | '>' | '=' | '<' | '"' | '\'' | '&');
        let end = self.rest.find(stop).unwrap_or(self.rest.len());
        let (name, left) = self.rest.split_at(end);
        let first = name.chars().next()?;
        if !(first.is_alphabetic() || matches!(first, '_' | ':')) {
            return None;
        }
        self.rest = left;
        Some(name)
    }

    fn element(&mut self, parent: usize, depth: usize) -> Option<()> {
        if depth > DEEPEST || !self.eat("<") {
            return None;
        }
        let name = self.name()?;
        let at = self.add(Kind::Element, name, String::new(), parent);
        loop {
            let before = self.rest.len();
            self.blank();
            if self.eat("/>") {
                return Some(());
            }
            if self.eat(">") {
                break;
            }
            if self.rest.len() == before {
                return None;
            }
            let attribute = self.name()?;
            self.blank();
            if !self.eat("=") {
                return None;
            }
            self.blank();
            let quote = if self.eat("\"") { "\"" } else { self.eat("'").then_some("'")? };
            let value = self.until(quote)?;
            if value.contains('<') || self.out.attributes(at).iter().any(|other| self.out.name(*other) == attribute) {
                return None;
            }
            let value = unescape(value)?.replace(['\n', '\t', '\r'], " ");
            self.add(Kind::Attribute, attribute, value, at);
        }
        self.content(at, name, depth)
    }

    fn content(&mut self, at: usize, name: &str, depth: usize) -> Option<()> {
        let mut text = String::new();
        loop {
            if self.eat("<![CDATA[") {
                text.push_str(self.until("]]>")?);
                continue;
            }
            if !self.rest.starts_with('<') {
                let end = self.rest.find('<')?;
                let (raw, left) = self.rest.split_at(end);
                text.push_str(&unescape(raw)?.replace("\r\n", "\n"));
                self.rest = left;
                continue;
            }
            if !text.is_empty() {
                let text = std::mem::take(&mut text);
                self.add(Kind::Text, "", text, at);
            }
            if self.eat("</") {
                let closing = self.name()?;
                self.blank();
                return (closing == name && self.eat(">")).then_some(());
            }
            if self.eat("<!--") {
                let comment = self.until("-->")?.to_owned();
                self.add(Kind::Comment, "", comment, at);
            } else if self.eat("<?") {
                self.until("?>")?;
            } else {
                self.element(at, depth + 1)?;
            }
        }
    }
}

fn unescape(text: &str) -> Option<String> {
    if !text.contains('&') {
        return Some(text.to_owned());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, left) = after.split_once(';')?;
        out.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let digits = entity.strip_prefix('#')?;
                let code = match digits.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => digits.parse().ok()?,
                };
                char::from_u32(code)?
            }
        });
        rest = left;
    }
    out.push_str(rest);
    Some(out)
}
