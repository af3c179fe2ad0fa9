//! The parser's position in the tokens of a statement: looking, moving, and where things were written.

mod depth;
mod report;

use std::sync::Arc;

use firesteel_functions::SparkResult;

use super::lexer::{Kind, Token, tokens};
use super::{ParseOptions, escape};
use crate::spec::{Expr, ExprKind, Origin, Relation, RelationKind};

/// Words that join relations; never a table alias without quotes.
const JOIN_WORDS: [&str; 16] = [
    "ANTI",
    "CROSS",
    "EXCEPT",
    "FULL",
    "INNER",
    "INTERSECT",
    "JOIN",
    "LATERAL",
    "LEFT",
    "NATURAL",
    "ON",
    "RIGHT",
    "SEMI",
    "MINUS",
    "UNION",
    "USING",
];

pub(super) struct Cursor<'a> {
    pub(super) source: &'a str,
    pub(super) options: &'a ParseOptions,
    text: Arc<str>,
    tokens: Vec<Token<'a>>,
    at: usize,
    depth: u32,
    height: u32,
    copied: u64,
    /// `?` seen so far.
    pub(super) parameters: usize,
    /// Closing angle brackets of a `>>` or `>>>` token that a type has used up.
    pub(super) angles_used: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(source: &'a str, options: &'a ParseOptions) -> SparkResult<Self> {
        let tokens = tokens(source)?;
        let text = Arc::from(source);
        Ok(Self { source, options, text, tokens, at: 0, depth: 0, height: 0, copied: 0, parameters: 0, angles_used: 0 })
    }

    // ---- looking

    pub(super) fn peek(&self) -> Token<'a> {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Token<'a> {
        let end = Token { kind: Kind::End, text: "", byte: self.source.len(), start: 0, end: 0 };
        self.tokens.get(self.at + ahead).or(self.tokens.last()).copied().unwrap_or(end)
    }

    pub(super) fn is(&self, symbol: &str) -> bool {
        self.is_at(0, symbol)
    }

    pub(super) fn is_at(&self, ahead: usize, symbol: &str) -> bool {
        let token = self.peek_at(ahead);
        token.kind == Kind::Symbol && token.text == symbol
    }

    pub(super) fn word(&self, word: &str) -> bool {
        self.word_at(0, word)
    }

    pub(super) fn word_at(&self, ahead: usize, word: &str) -> bool {
        let token = self.peek_at(ahead);
        token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word)
    }

    pub(super) fn any_word(&self, words: &[&str]) -> bool {
        self.any_word_at(0, words)
    }

    pub(super) fn any_word_at(&self, ahead: usize, words: &[&str]) -> bool {
        let token = self.peek_at(ahead);
        token.kind == Kind::Word && words.iter().any(|word| token.text.eq_ignore_ascii_case(word))
    }

    /// Whether these words follow one another here.
    pub(super) fn words(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.word_at(ahead, word))
    }

    pub(super) fn is_string(&self) -> bool {
        self.is_string_at(0)
    }

    pub(super) fn is_string_at(&self, ahead: usize) -> bool {
        match self.peek_at(ahead).kind {
            Kind::String => true,
            Kind::DoubleQuoted => !self.options.double_quoted_identifiers,
            _ => false,
        }
    }

    /// Whether a name may start here: any word or quoted name.
    pub(super) fn is_name(&self) -> bool {
        self.is_name_at(0)
    }

    pub(super) fn is_name_at(&self, ahead: usize) -> bool {
        match self.peek_at(ahead).kind {
            Kind::Word | Kind::Quoted => true,
            Kind::DoubleQuoted => self.options.double_quoted_identifiers,
            _ => false,
        }
    }

    pub(super) fn is_join_word(&self) -> bool {
        self.any_word(&JOIN_WORDS)
    }

    pub(super) fn at_end(&self) -> bool {
        self.peek().kind == Kind::End
    }

    pub(super) fn at_end_of_statement(&self) -> bool {
        self.tokens.iter().skip(self.at).all(|t| t.kind == Kind::End || t.text == ";")
    }

    /// Whether the statement ends `ahead` tokens on.
    pub(super) fn at_end_after(&self, ahead: usize) -> bool {
        let token = self.peek_at(ahead);
        token.kind == Kind::End || token.text == ";"
    }

    // ---- moving

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn rewind(&mut self, position: usize) {
        self.at = position;
    }

    pub(super) fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        token
    }

    pub(super) fn eat(&mut self, symbol: &str) -> bool {
        let found = self.is(symbol);
        if found {
            self.next();
        }
        found
    }

    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.word(word);
        if found {
            self.next();
        }
        found
    }

    pub(super) fn eat_any(&mut self, words: &[&str]) -> bool {
        let found = self.any_word(words);
        if found {
            self.next();
        }
        found
    }

    /// Takes all of these words or none.
    pub(super) fn eat_words(&mut self, words: &[&str]) -> bool {
        let found = self.words(words);
        if found {
            for _ in words {
                self.next();
            }
        }
        found
    }

    pub(super) fn expect(&mut self, symbol: &str) -> SparkResult<()> {
        if self.eat(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn expect_word(&mut self, word: &str) -> SparkResult<()> {
        if self.eat_word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn expect_words(&mut self, words: &[&str]) -> SparkResult<()> {
        words.iter().try_for_each(|word| self.expect_word(word))
    }

    /// One string literal, with the ones written right after it.
    pub(super) fn string(&mut self) -> SparkResult<String> {
        if !self.is_string() {
            return Err(self.unexpected());
        }
        let mut value = String::new();
        while self.is_string() {
            let token = self.next();
            value.push_str(&escape::string(&token, self.options.escaped_string_literals));
        }
        Ok(value)
    }

    pub(super) fn integer(&mut self) -> SparkResult<i64> {
        let token = self.peek();
        match token.text.parse() {
            Ok(value) if token.kind == Kind::Integer => {
                self.next();
                Ok(value)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// `rule, rule, ...`.
    pub(super) fn list<T>(&mut self, mut rule: impl FnMut(&mut Self) -> SparkResult<T>) -> SparkResult<Vec<T>> {
        let mut items = vec![self.beside(&mut rule)?];
        while self.eat(",") {
            items.push(self.beside(&mut rule)?);
        }
        Ok(items)
    }

    /// `(rule, rule, ...)`.
    pub(super) fn parenthesized<T>(&mut self, rule: impl FnMut(&mut Self) -> SparkResult<T>) -> SparkResult<Vec<T>> {
        self.expect("(")?;
        let items = self.list(rule)?;
        self.expect(")")?;
        Ok(items)
    }

    pub(super) fn end(&mut self) -> SparkResult<()> {
        if self.at_end() { Ok(()) } else { Err(self.trailing()) }
    }

    pub(super) fn end_of_statement(&mut self) -> SparkResult<()> {
        while self.eat(";") {}
        self.end()
    }

    // ---- text

    /// Byte offset of the current token.
    pub(super) fn byte(&self) -> usize {
        self.peek().byte
    }

    /// The text from a byte offset to the end of the last token taken.
    pub(super) fn text_from(&self, byte: usize) -> &'a str {
        let end = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(byte, |t| t.byte + t.text.len());
        self.source.get(byte..end).unwrap_or("")
    }

    /// Everything up to the end of the statement, trimmed; the tokens are skipped.
    pub(super) fn take_rest(&mut self) -> &'a str {
        let rest = self.source.get(self.byte()..).unwrap_or("");
        self.at = self.tokens.len().saturating_sub(1);
        rest.trim().trim_end_matches(';').trim()
    }

    /// From the token at `position` to the last token taken.
    pub(super) fn origin(&self, position: usize) -> Option<Origin> {
        let first = self.tokens.get(position)?;
        let last = self.tokens.get(self.at.checked_sub(1)?.max(position))?;
        Some(Origin::Sql { start: first.start, stop: last.end.saturating_sub(1), text: Arc::clone(&self.text) })
    }

    /// The text from the token at `position` to the last token taken.
    pub(super) fn origin_text(&self, position: usize) -> String {
        let byte = self.tokens.get(position).map_or(0, |token| token.byte);
        self.text_from(byte).to_string()
    }

    pub(super) fn node(&self, kind: ExprKind, position: usize) -> Expr {
        Expr { kind: Box::new(kind), origin: self.origin(position) }
    }

    pub(super) fn call(&self, name: &str, args: Vec<Expr>, position: usize) -> Expr {
        Expr::call(name, args).at(self.origin(position))
    }

    pub(super) fn relation(&self, kind: RelationKind, position: usize) -> Relation {
        Relation { kind: Box::new(kind), plan_id: None, origin: self.origin(position) }
    }
}
