//! The grammar of XPath 1.0. Source: <https://www.w3.org/TR/1999/REC-xpath-19991116/>.

use super::expr::{Axis, Expr, Operator, Start, Step, Test};

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Number(f64),
    Text(String),
    Symbol(&'static str),
}

const SYMBOLS: [&str; 19] =
    ["//", "::", "..", "!=", "<=", ">=", "/", "(", ")", "[", "]", ".", "@", ",", "|", "+", "-", "=", "<"];
/// Nesting beyond which an expression is refused.
const DEEPEST: usize = 200;

/// The tree of an expression; `None` if it is none.
pub(super) fn parse(text: &str) -> Option<Expr> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let expr = parser.binary(0)?;
    (parser.at == parser.tokens.len()).then_some(expr)
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut out = vec![];
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            let (inside, left) = rest.get(1..)?.split_once(first)?;
            out.push(Token::Text(inside.to_owned()));
            rest = left.trim_start();
            continue;
        }
        let second_is_digit = rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit());
        if first.is_ascii_digit() || (first == '.' && second_is_digit) {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (digits, left) = rest.split_at(end);
            out.push(Token::Number(digits.parse().ok()?));
            rest = left.trim_start();
            continue;
        }
        if first.is_alphabetic() || first == '_' {
            let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
            let mut end = rest.find(|c| !part(c)).unwrap_or(rest.len());
            // A prefix belongs to the name, an axis does not.
            let after = rest.get(end..)?;
            if after.starts_with(':') && !after.starts_with("::") {
                let more = rest.get(end + 1..)?;
                end += 1 + more.find(|c| !part(c)).unwrap_or(more.len());
            }
            let (name, left) = rest.split_at(end);
            out.push(Token::Name(name.to_owned()));
            rest = left.trim_start();
            continue;
        }
        let symbol = SYMBOLS.iter().copied().chain(["*", ">"]).find(|symbol| rest.starts_with(symbol))?;
        out.push(Token::Symbol(symbol));
        rest = rest.get(symbol.len()..)?.trim_start();
    }
    Some(out)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(Token::Symbol(found)) if *found == symbol)
    }

    fn is_after(&self, ahead: usize, symbol: &str) -> bool {
        matches!(self.tokens.get(self.at + ahead), Some(Token::Symbol(found)) if *found == symbol)
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = self.is(symbol);
        self.at += usize::from(found);
        found
    }

    /// The operator here and how tightly it binds.
    fn operator(&self) -> Option<(Operator, u8)> {
        Some(match self.peek()? {
            Token::Name(name) => match name.as_str() {
                "or" => (Operator::Or, 0),
                "and" => (Operator::And, 1),
                "div" => (Operator::Divide, 5),
                "mod" => (Operator::Modulo, 5),
                _ => return None,
            },
            Token::Symbol(symbol) => match *symbol {
                "=" => (Operator::Equal, 2),
                "!=" => (Operator::NotEqual, 2),
                "<" => (Operator::Less, 3),
                "<=" => (Operator::LessEqual, 3),
                ">" => (Operator::Greater, 3),
                ">=" => (Operator::GreaterEqual, 3),
                "+" => (Operator::Plus, 4),
                "-" => (Operator::Minus, 4),
                "*" => (Operator::Times, 5),
                "|" => (Operator::Union, 7),
                _ => return None,
            },
            _ => return None,
        })
    }

    fn binary(&mut self, least: u8) -> Option<Expr> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut left = self.unary(least)?;
        while let Some((operator, strength)) = self.operator().filter(|(_, strength)| *strength >= least) {
            self.at += 1;
            let right = self.binary(strength + 1)?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
        self.depth -= 1;
        Some(left)
    }

    fn unary(&mut self, least: u8) -> Option<Expr> {
        if least <= 6 && self.eat("-") {
            return Some(Expr::Negate(Box::new(self.binary(6)?)));
        }
        self.path()
    }

    fn path(&mut self) -> Option<Expr> {
        let start = match self.peek()? {
            Token::Symbol("/") => {
                self.at += 1;
                if !self.step_ahead() {
                    return Some(Expr::Path(Start::Root, vec![]));
                }
                let mut steps = vec![self.step()?];
                self.more_steps(&mut steps)?;
                return Some(Expr::Path(Start::Root, steps));
            }
            Token::Symbol("//") => {
                let mut steps = vec![];
                self.more_steps(&mut steps)?;
                return Some(Expr::Path(Start::Root, steps));
            }
            Token::Number(value) => {
                let value = *value;
                self.at += 1;
                return Some(Expr::Number(value));
            }
            Token::Text(text) => {
                let text = text.clone();
                self.at += 1;
                return Some(Expr::Text(text));
            }
            Token::Symbol("(") => {
                self.at += 1;
                let inner = self.binary(0)?;
                if !self.eat(")") {
                    return None;
                }
                Some(inner)
            }
            Token::Name(name) if self.is_after(1, "(") && !is_node_type(name) => Some(self.call()?),
            _ => None,
        };
        let Some(primary) = start else {
            let mut steps = vec![self.step()?];
            self.more_steps(&mut steps)?;
            return Some(Expr::Path(Start::Context, steps));
        };
        let predicates = self.predicates()?;
        let mut steps = vec![];
        self.more_steps(&mut steps)?;
        if predicates.is_empty() && steps.is_empty() {
            return Some(primary);
        }
        Some(Expr::Path(Start::Filter(Box::new(primary), predicates), steps))
    }

    fn step_ahead(&self) -> bool {
        matches!(self.peek(), Some(Token::Name(_) | Token::Symbol("*" | "@" | "." | "..")))
    }

    fn more_steps(&mut self, steps: &mut Vec<Step>) -> Option<()> {
        loop {
            if self.eat("//") {
                steps.push(Step { axis: Axis::DescendantOrSelf, test: Test::Node, predicates: vec![] });
                steps.push(self.step()?);
            } else if self.eat("/") {
                steps.push(self.step()?);
            } else {
                return Some(());
            }
        }
    }

    fn step(&mut self) -> Option<Step> {
        if self.eat(".") {
            return Some(Step { axis: Axis::Itself, test: Test::Node, predicates: vec![] });
        }
        if self.eat("..") {
            return Some(Step { axis: Axis::Parent, test: Test::Node, predicates: vec![] });
        }
        let mut axis = Axis::Child;
        if self.eat("@") {
            axis = Axis::Attribute;
        } else if let Some(Token::Name(name)) = self.peek()
            && self.is_after(1, "::")
        {
            axis = axis_of(name)?;
            self.at += 2;
        }
        let test = if self.eat("*") {
            Test::Any
        } else {
            let Some(Token::Name(name)) = self.peek().cloned() else { return None };
            self.at += 1;
            if is_node_type(&name) && self.eat("(") {
                if !self.eat(")") {
                    return None;
                }
                match name.as_str() {
                    "text" => Test::Text,
                    "comment" => Test::Comment,
                    _ => Test::Node,
                }
            } else {
                Test::Name(name)
            }
        };
        Some(Step { axis, test, predicates: self.predicates()? })
    }

    fn predicates(&mut self) -> Option<Vec<Expr>> {
        let mut out = vec![];
        while self.eat("[") {
            out.push(self.binary(0)?);
            if !self.eat("]") {
                return None;
            }
        }
        Some(out)
    }

    fn call(&mut self) -> Option<Expr> {
        let Some(Token::Name(name)) = self.peek().cloned() else { return None };
        self.at += 2;
        let mut args = vec![];
        if !self.eat(")") {
            loop {
                args.push(self.binary(0)?);
                if self.eat(")") {
                    break;
                }
                if !self.eat(",") {
                    return None;
                }
            }
        }
        Some(Expr::Call(name, args))
    }
}

fn is_node_type(name: &str) -> bool {
    matches!(name, "node" | "text" | "comment" | "processing-instruction")
}

fn axis_of(name: &str) -> Option<Axis> {
    Some(match name {
        "child" => Axis::Child,
        "descendant" => Axis::Descendant,
        "descendant-or-self" => Axis::DescendantOrSelf,
        "parent" => Axis::Parent,
        "ancestor" => Axis::Ancestor,
        "ancestor-or-self" => Axis::AncestorOrSelf,
        "following" => Axis::Following,
        "following-sibling" => Axis::FollowingSibling,
        "preceding" => Axis::Preceding,
        "preceding-sibling" => Axis::PrecedingSibling,
        "self" => Axis::Itself,
        "attribute" => Axis::Attribute,
        _ => return None,
    })
}
