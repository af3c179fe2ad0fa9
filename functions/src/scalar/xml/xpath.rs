//! The function library of XPath 1.0.

use super::Kind;
use super::eval::{Context, Value, parse_number};
use super::expr::Expr;

impl Context<'_> {
    /// A call; `None` for an unknown function or wrong arguments.
    pub(super) fn call(&self, name: &str, args: &[Expr]) -> Option<Value> {
        let document = self.document;
        let text = |at: usize| Some(self.eval(args.get(at)?)?.text(document));
        let or_self = |at: usize| match args.get(at) {
            Some(arg) => Some(self.eval(arg)?.text(document)),
            None => Some(document.text(self.node)),
        };
        let number = |at: usize| Some(self.eval(args.get(at)?)?.number(document));
        let nodes = |at: usize| match self.eval(args.get(at)?)? {
            Value::Nodes(nodes) => Some(nodes),
            _ => None,
        };
        let count = args.len();
        Some(match (name, count) {
            ("last", 0) => Value::Number(self.size as f64),
            ("position", 0) => Value::Number(self.position as f64),
            ("count", 1) => Value::Number(nodes(0)?.len() as f64),
            ("name" | "local-name" | "namespace-uri", 0 | 1) => {
                let at = if count == 0 { Some(self.node) } else { nodes(0)?.first().copied() };
                let named = at.filter(|at| document.is(*at, Kind::Element) || document.is(*at, Kind::Attribute));
                let full = named.map_or("", |at| document.name(at));
                Value::Text(match name {
                    "name" => full.to_owned(),
                    "local-name" => full.rsplit(':').next().unwrap_or_default().to_owned(),
                    _ => String::new(),
                })
            }
            ("string", 0 | 1) => Value::Text(or_self(0)?),
            ("concat", 2..) => Value::Text((0..count).map(text).collect::<Option<String>>()?),
            ("starts-with", 2) => Value::Bool(text(0)?.starts_with(&text(1)?)),
            ("contains", 2) => Value::Bool(text(0)?.contains(&text(1)?)),
            ("substring-before", 2) => {
                let whole = text(0)?;
                Value::Text(whole.split_once(&text(1)?).map_or_else(String::new, |(before, _)| before.to_owned()))
            }
            ("substring-after", 2) => {
                let whole = text(0)?;
                Value::Text(whole.split_once(&text(1)?).map_or_else(String::new, |(_, after)| after.to_owned()))
            }
            ("substring", 2 | 3) => {
                let first = round(number(1)?);
                let end = if count == 3 { first + round(number(2)?) } else { f64::INFINITY };
                let whole = text(0)?;
                let kept = whole.chars().enumerate().filter(|(index, _)| {
                    let position = (*index + 1) as f64;
                    position >= first && position < end
                });
                Value::Text(kept.map(|(_, character)| character).collect())
            }
            ("string-length", 0 | 1) => Value::Number(or_self(0)?.chars().count() as f64),
            ("normalize-space", 0 | 1) => {
                Value::Text(or_self(0)?.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
            }
            ("translate", 3) => {
                let (from, to): (Vec<char>, Vec<char>) = (text(1)?.chars().collect(), text(2)?.chars().collect());
                let whole = text(0)?;
                let changed = whole.chars().filter_map(|character| match from.iter().position(|c| *c == character) {
                    None => Some(character),
                    Some(at) => to.get(at).copied(),
                });
                Value::Text(changed.collect())
            }
            ("boolean", 1) => Value::Bool(self.eval(args.first()?)?.bool()),
            ("not", 1) => Value::Bool(!self.eval(args.first()?)?.bool()),
            ("true", 0) => Value::Bool(true),
            ("false", 0) => Value::Bool(false),
            ("number", 1) => Value::Number(number(0)?),
            ("number", 0) => Value::Number(parse_number(&document.text(self.node))),
            ("sum", 1) => Value::Number(nodes(0)?.iter().map(|at| parse_number(&document.text(*at))).sum()),
            ("floor", 1) => Value::Number(number(0)?.floor()),
            ("ceiling", 1) => Value::Number(number(0)?.ceil()),
            ("round", 1) => Value::Number(round(number(0)?)),
            _ => return None,
        })
    }
}

/// Halves go up.
fn round(value: f64) -> f64 {
    (value + 0.5).floor()
}
