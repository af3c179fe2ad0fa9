//! Values of XPath expressions.

use super::Document;
use super::expr::{Axis, Expr, Operator, Start, Step};
use crate::display::java_double;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Nodes in document order.
    Nodes(Vec<usize>),
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
}

/// Where an expression is evaluated.
#[derive(Clone, Copy)]
pub(super) struct Context<'d> {
    pub(super) document: &'d Document,
    pub(super) node: usize,
    pub(super) position: usize,
    pub(super) size: usize,
}

impl Value {
    /// As a string.
    pub(super) fn text(&self, document: &Document) -> String {
        match self {
            Self::Nodes(nodes) => nodes.first().map_or_else(String::new, |at| document.text(*at)),
            Self::Bool(value) => value.to_string(),
            Self::Number(value) => number_text(*value),
            Self::Text(text) => text.clone(),
        }
    }

    /// As a number.
    pub(super) fn number(&self, document: &Document) -> f64 {
        match self {
            Self::Bool(value) => f64::from(u8::from(*value)),
            Self::Number(value) => *value,
            other => parse_number(&other.text(document)),
        }
    }

    /// As a boolean.
    pub(super) fn bool(&self) -> bool {
        match self {
            Self::Nodes(nodes) => !nodes.is_empty(),
            Self::Bool(value) => *value,
            Self::Number(value) => *value != 0.0 && !value.is_nan(),
            Self::Text(text) => !text.is_empty(),
        }
    }
}

/// Digits with an optional sign and point, nothing else.
pub(super) fn parse_number(text: &str) -> f64 {
    let text = text.trim_matches([' ', '\t', '\n', '\r']);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

fn number_text(value: f64) -> String {
    if value.is_finite() && value.fract() == 0.0 && value.abs() < 1e15 {
        return format!("{}", value as i64);
    }
    if value.is_finite() { format!("{value}") } else { java_double(value) }
}

impl Context<'_> {
    /// The value of an expression; `None` for unknown functions or arguments of a wrong kind.
    pub(super) fn eval(&self, expr: &Expr) -> Option<Value> {
        Some(match expr {
            Expr::Number(value) => Value::Number(*value),
            Expr::Text(text) => Value::Text(text.clone()),
            Expr::Negate(inner) => Value::Number(-self.eval(inner)?.number(self.document)),
            Expr::Call(name, args) => return self.call(name, args),
            Expr::Binary(operator, left, right) => return self.binary(*operator, left, right),
            Expr::Path(start, steps) => {
                let nodes = match start {
                    Start::Root => vec![0],
                    Start::Context => vec![self.node],
                    Start::Filter(inner, predicates) => {
                        let Value::Nodes(mut nodes) = self.eval(inner)? else { return None };
                        for predicate in predicates {
                            nodes = self.filter(nodes, predicate)?;
                        }
                        nodes
                    }
                };
                Value::Nodes(steps.iter().try_fold(nodes, |nodes, step| self.step(&nodes, step))?)
            }
        })
    }

    fn step(&self, from: &[usize], step: &Step) -> Option<Vec<usize>> {
        let mut out = vec![];
        for node in from {
            let mut found = self.document.walk(*node, step.axis, &step.test);
            for predicate in &step.predicates {
                found = self.filter(found, predicate)?;
            }
            out.extend(found);
        }
        let backwards =
            matches!(step.axis, Axis::Ancestor | Axis::AncestorOrSelf | Axis::Preceding | Axis::PrecedingSibling);
        if from.len() > 1 || backwards {
            out.sort_unstable();
            out.dedup();
        }
        Some(out)
    }

    fn filter(&self, nodes: Vec<usize>, predicate: &Expr) -> Option<Vec<usize>> {
        let size = nodes.len();
        let mut out = Vec::with_capacity(size);
        for (index, node) in nodes.into_iter().enumerate() {
            let position = index + 1;
            let context = Context { document: self.document, node, position, size };
            let keep = match context.eval(predicate)? {
                Value::Number(wanted) => wanted == position as f64,
                other => other.bool(),
            };
            if keep {
                out.push(node);
            }
        }
        Some(out)
    }

    fn binary(&self, operator: Operator, left: &Expr, right: &Expr) -> Option<Value> {
        let left = self.eval(left)?;
        // The right side of a decided `and` or `or` does not count.
        match operator {
            Operator::Or if left.bool() => return Some(Value::Bool(true)),
            Operator::And if !left.bool() => return Some(Value::Bool(false)),
            _ => {}
        }
        let right = self.eval(right)?;
        let numbers = || (left.number(self.document), right.number(self.document));
        Some(match operator {
            Operator::Or | Operator::And => Value::Bool(right.bool()),
            Operator::Plus => Value::Number(numbers().0 + numbers().1),
            Operator::Minus => Value::Number(numbers().0 - numbers().1),
            Operator::Times => Value::Number(numbers().0 * numbers().1),
            Operator::Divide => Value::Number(numbers().0 / numbers().1),
            Operator::Modulo => Value::Number(numbers().0 % numbers().1),
            Operator::Union => match (left, right) {
                (Value::Nodes(mut nodes), Value::Nodes(more)) => {
                    nodes.extend(more);
                    nodes.sort_unstable();
                    nodes.dedup();
                    Value::Nodes(nodes)
                }
                _ => return None,
            },
            comparison => Value::Bool(self.compare(comparison, &left, &right)),
        })
    }

    /// A set of nodes compares as some node of it.
    fn compare(&self, operator: Operator, left: &Value, right: &Value) -> bool {
        match (left, right) {
            (Value::Nodes(_), Value::Bool(_)) | (Value::Bool(_), Value::Nodes(_)) => {
                self.compare_one(operator, &Value::Bool(left.bool()), &Value::Bool(right.bool()))
            }
            (Value::Nodes(nodes), other) => {
                nodes.iter().any(|at| self.compare(operator, &Value::Text(self.document.text(*at)), other))
            }
            (other, Value::Nodes(nodes)) => {
                nodes.iter().any(|at| self.compare(operator, other, &Value::Text(self.document.text(*at))))
            }
            _ => self.compare_one(operator, left, right),
        }
    }

    fn compare_one(&self, operator: Operator, left: &Value, right: &Value) -> bool {
        let (a, b) = (left.number(self.document), right.number(self.document));
        let equal = || match (left, right) {
            (Value::Bool(_), _) | (_, Value::Bool(_)) => left.bool() == right.bool(),
            (Value::Number(_), _) | (_, Value::Number(_)) => a == b,
            _ => left.text(self.document) == right.text(self.document),
        };
        match operator {
            Operator::Equal => equal(),
            Operator::NotEqual => !equal(),
            Operator::Less => a < b,
            Operator::LessEqual => a <= b,
            Operator::Greater => a > b,
            _ => a >= b,
        }
    }
}
