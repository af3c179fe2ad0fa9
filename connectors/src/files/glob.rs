//! Hadoop's path globs: `*`, `?`, `[a-c]`, `[^a]`, `{x,y}` and `\` for a literal.
//!
//! Works on decoded paths; a wildcard never crosses a `/`.

use crate::error::{ConnectorError, Result};

/// A parsed glob; braces are already expanded.
#[derive(Debug, Clone)]
pub struct Pattern {
    alternatives: Vec<Vec<Token>>,
    text: String,
    plain: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Char(char),
    One,
    Many,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Pattern {
    /// Parses a glob.
    ///
    /// # Errors
    /// `InvalidPath` for an unclosed bracket or brace.
    pub fn parse(text: &str) -> Result<Self> {
        let plain = !text.contains(['*', '?', '[', '{', '\\']);
        let mut alternatives = Vec::new();
        for expanded in expand(text)? {
            alternatives.push(tokens(&expanded, text)?);
        }
        Ok(Self { alternatives, text: text.to_owned(), plain })
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        self.alternatives.iter().any(|tokens| matches(tokens, &chars))
    }

    /// The directories before the first wildcard, or `None` when there is no wildcard at all.
    pub fn literal_prefix(&self) -> Option<String> {
        if self.plain {
            return None;
        }
        let literal: Vec<&str> =
            self.text.split('/').take_while(|part| !part.contains(['*', '?', '[', '{', '\\'])).collect();
        Some(literal.join("/"))
    }

    /// How many path segments a match has.
    pub fn depth(&self) -> usize {
        let slashes = |tokens: &Vec<Token>| tokens.iter().filter(|token| **token == Token::Char('/')).count();
        self.alternatives.iter().map(slashes).max().unwrap_or_default() + 1
    }
}

fn invalid(text: &str, reason: &str) -> ConnectorError {
    ConnectorError::InvalidPath { path: text.to_owned(), reason: reason.to_owned() }
}

/// Expands the first brace group and recurses.
fn expand(text: &str) -> Result<Vec<String>> {
    let Some(open) = text.find('{') else { return Ok(vec![text.to_owned()]) };
    let mut depth = 0_usize;
    let mut starts = vec![open + 1];
    let mut close = None;
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => {
                close = Some(at);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 1 => starts.push(at + 1),
            _ => {}
        }
    }
    let close = close.ok_or_else(|| invalid(text, "unclosed brace in glob"))?;
    let (before, after) = (&text[..open], &text[close + 1..]);
    let mut expanded = Vec::new();
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).map_or(close, |next| next - 1);
        expanded.extend(expand(&format!("{before}{}{after}", &text[*start..end]))?);
    }
    Ok(expanded)
}

fn tokens(expanded: &str, text: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = expanded.chars().peekable();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' => Token::Many,
            '?' => Token::One,
            '\\' => Token::Char(chars.next().unwrap_or('\\')),
            '[' => {
                let negated = chars.next_if(|c| matches!(c, '^' | '!')).is_some();
                let mut ranges = Vec::new();
                loop {
                    let first = chars.next().ok_or_else(|| invalid(text, "unclosed bracket in glob"))?;
                    if first == ']' && !ranges.is_empty() {
                        break;
                    }
                    let mut last = first;
                    if chars.peek() == Some(&'-') {
                        chars.next();
                        match chars.next().ok_or_else(|| invalid(text, "unclosed bracket in glob"))? {
                            ']' => {
                                ranges.extend([(first, first), ('-', '-')]);
                                break;
                            }
                            end => last = end,
                        }
                    }
                    ranges.push((first, last));
                }
                Token::Class { negated, ranges }
            }
            c => Token::Char(c),
        });
    }
    Ok(tokens)
}

fn matches(tokens: &[Token], text: &[char]) -> bool {
    let Some((token, rest)) = tokens.split_first() else { return text.is_empty() };
    if *token == Token::Many {
        let reach = text.iter().position(|c| *c == '/').unwrap_or(text.len());
        return (0..=reach).any(|skip| text.get(skip..).is_some_and(|text| matches(rest, text)));
    }
    let Some((c, text)) = text.split_first() else { return false };
    let here = match token {
        Token::Char(expected) => expected == c,
        Token::One => *c != '/',
        Token::Class { negated, ranges } => {
            *c != '/' && ranges.iter().any(|(first, last)| (first..=last).contains(&c)) != *negated
        }
        Token::Many => false,
    };
    here && matches(rest, text)
}
