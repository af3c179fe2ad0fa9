//! SQL scripts (`BEGIN ... END`): what they are made of is below; here a text is split into its statements for shells.

mod block;
mod control;
mod handler;

use std::ops::Range;

use super::lexer::{Kind, Token, tokens};
pub(super) use block::script;

/// Byte ranges of the statements in a text, without their semicolons. Quotes, comments and `BEGIN ... END` are respected;
/// a text that cannot be split is one statement.
#[must_use]
pub fn split_statements(text: &str) -> Vec<Range<usize>> {
    let Ok(tokens) = tokens(text) else { return std::iter::once(0..text.len()).collect() };
    let mut ranges = vec![];
    let mut start: Option<usize> = None;
    let mut end = 0;
    let mut blocks = Blocks::default();
    for token in &tokens {
        let closes = token.kind == Kind::End || token.kind == Kind::Symbol && token.text == ";" && blocks.open == 0;
        if closes {
            if let Some(first) = start.take() {
                ranges.push(first..end);
            }
            blocks = Blocks::default();
            continue;
        }
        let first = start.is_none();
        let begins = token.kind == Kind::Word && token.text.eq_ignore_ascii_case("BEGIN");
        start.get_or_insert(token.byte);
        end = token.byte + token.text.len();
        // Only a text that begins with BEGIN is a script; elsewhere the word is a name.
        if first && begins || blocks.open > 0 {
            blocks.step(token);
        }
    }
    ranges
}

/// Which compound statements are open.
#[derive(Debug, Default)]
struct Blocks {
    open: usize,
    /// The word before was `END`.
    ended: bool,
    /// The word before starts a statement.
    starts: bool,
}

impl Blocks {
    fn step(&mut self, token: &Token<'_>) {
        if token.kind != Kind::Word {
            self.ended = false;
            self.starts = token.kind == Kind::Symbol && matches!(token.text, ";" | ":");
            return;
        }
        let word = token.text.to_ascii_uppercase();
        let starts = self.starts || self.open == 0;
        let ended = std::mem::take(&mut self.ended);
        self.starts = matches!(word.as_str(), "BEGIN" | "THEN" | "ELSE" | "DO" | "LOOP" | "REPEAT");
        match word.as_str() {
            // `END IF`, `END WHILE`, ...: the block was closed by `END`.
            "IF" | "WHILE" | "LOOP" | "REPEAT" | "FOR" | "CASE" if ended => self.starts = false,
            "BEGIN" => self.open += 1,
            "CASE" => self.open += 1,
            "END" => {
                self.open = self.open.saturating_sub(1);
                self.ended = true;
            }
            "IF" | "WHILE" | "LOOP" | "REPEAT" | "FOR" if starts => self.open += 1,
            _ => {}
        }
    }
}
