//! Characters to tokens. It knows no keywords: every unquoted name is a word.

use firesteel_functions::SparkResult;

use super::error;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Unquoted name or keyword.
    Word,
    /// Back-quoted name.
    Quoted,
    /// `'...'`, `r'...'`, `$$...$$`.
    String,
    /// `"..."`.
    DoubleQuoted,
    /// Digits only.
    Integer,
    /// Digits with a point.
    Decimal,
    /// Digits with an exponent.
    Exponent,
    /// A number with a type suffix.
    Suffixed,
    /// Operator or punctuation.
    Symbol,
    /// A character no rule accepts.
    Unrecognized,
    /// After the last token.
    End,
}

/// A token and where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// First byte.
    pub(super) byte: usize,
    /// First character.
    pub(super) start: u32,
    /// Character after the last.
    pub(super) end: u32,
}

const SYMBOLS: [&str; 46] = [
    "/*+", "<=>", ">>>", "||", "|>", "<<", ">>", "<=", ">=", "<>", "!=", "==", "::", "->", "=>", "*/", "(", ")", "[",
    "]", ",", ".", ";", ":", "+", "-", "*", "/", "%", "~", "&", "|", "^", "=", "!", "<", ">", "?", "{", "}", "@", "#",
    "$", "\\", "!>", "!<",
];

/// Splits a text into tokens; the last one is [`Kind::End`].
pub(super) fn tokens(text: &str) -> SparkResult<Vec<Token<'_>>> {
    let mut lexer = Lexer { text, byte: 0, chars: 0 };
    let mut tokens = Vec::with_capacity(text.len() / 4 + 1);
    loop {
        lexer.skip_blank()?;
        let (byte, start) = (lexer.byte, lexer.chars);
        let rest = lexer.rest();
        if rest.is_empty() {
            tokens.push(Token { kind: Kind::End, text: "", byte, start, end: start });
            return Ok(tokens);
        }
        let (kind, length) = scan(rest);
        lexer.advance(length);
        tokens.push(Token { kind, text: rest.get(..length).unwrap_or(""), byte, start, end: lexer.chars });
    }
}

struct Lexer<'a> {
    text: &'a str,
    byte: usize,
    chars: u32,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.byte..).unwrap_or("")
    }

    fn advance(&mut self, bytes: usize) {
        let skipped = self.rest().get(..bytes).unwrap_or("");
        self.chars += u32::try_from(skipped.chars().count()).unwrap_or(u32::MAX);
        self.byte += bytes;
    }

    fn skip_blank(&mut self) -> SparkResult<()> {
        loop {
            let rest = self.rest();
            if let Some(c) = rest.chars().next()
                && (c.is_whitespace() || c == '\u{FEFF}' || c == '\0')
            {
                self.advance(c.len_utf8());
            } else if rest.starts_with("--") {
                self.advance(line_comment(rest));
            } else if rest.starts_with("/*") && !rest.starts_with("/*+") {
                match bracketed_comment(rest) {
                    Some(length) => self.advance(length),
                    None => return Err(error::unclosed_comment(self.text, self.chars)),
                }
            } else {
                return Ok(());
            }
        }
    }
}

/// A backslash before the line end continues the comment.
fn line_comment(text: &str) -> usize {
    let mut previous = ' ';
    for (at, c) in text.char_indices() {
        if c == '\n' && previous != '\\' {
            return at + 1;
        }
        previous = c;
    }
    text.len()
}

fn bracketed_comment(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while at + 1 < bytes.len() {
        match bytes.get(at..at + 2)? {
            b"/*" => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

fn scan(rest: &str) -> (Kind, usize) {
    let mut chars = rest.chars();
    let first = chars.next().unwrap_or(' ');
    let second = chars.next().unwrap_or(' ');
    match first {
        '\'' => quoted(rest, '\'', true).map_or((Kind::Unrecognized, 1), |length| (Kind::String, length)),
        '"' => quoted(rest, '"', true).map_or((Kind::Unrecognized, 1), |length| (Kind::DoubleQuoted, length)),
        '`' => quoted(rest, '`', false).map_or((Kind::Unrecognized, 1), |length| (Kind::Quoted, length)),
        'r' | 'R' if matches!(second, '\'' | '"') => {
            let body = rest.get(2..).unwrap_or("");
            body.find(second).map_or_else(|| word(rest), |end| (Kind::String, end + 3))
        }
        '$' => dollar(rest).map_or((Kind::Symbol, 1), |length| (Kind::String, length)),
        '.' if second.is_ascii_digit() => number(rest).unwrap_or((Kind::Symbol, 1)),
        c if c.is_ascii_digit() => number(rest).unwrap_or_else(|| word(rest)),
        c if is_word(c) => word(rest),
        _ => match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            Some(symbol) => (Kind::Symbol, symbol.len()),
            None => (Kind::Unrecognized, first.len_utf8()),
        },
    }
}

/// Whether a character may be part of an unquoted name.
pub(super) fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn word(rest: &str) -> (Kind, usize) {
    (Kind::Word, rest.find(|c| !is_word(c)).unwrap_or(rest.len()))
}

/// A doubled quote stands for itself; so does anything after a backslash where those escape.
fn quoted(rest: &str, quote: char, backslash: bool) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if backslash && c == '\\' {
            chars.next();
        } else if c == quote {
            if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
            } else {
                return Some(at + 1);
            }
        }
    }
    None
}

fn dollar(rest: &str) -> Option<usize> {
    let tag_end = rest.get(1..)?.find(|c| !is_word(c))? + 1;
    let tag = rest.get(..=tag_end)?;
    if !tag.ends_with('$') {
        return None;
    }
    let body = rest.get(tag.len()..)?.find(tag)?;
    Some(body + 2 * tag.len())
}

/// A number; `None` when the digits go on as a name (`1a`).
fn number(rest: &str) -> Option<(Kind, usize)> {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
    let ends = |at: usize| !rest.get(at..).unwrap_or("").starts_with(is_word);
    let whole = digits(0);
    let point = bytes.get(whole) == Some(&b'.');
    let mantissa = if point { whole + 1 + digits(whole + 1) } else { whole };
    let exponent = |at: usize| -> Option<usize> {
        if !matches!(bytes.get(at), Some(b'e' | b'E')) {
            return None;
        }
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let count = digits(at + 1 + sign);
        (count > 0).then_some(at + 1 + sign + count)
    };
    let suffix = |at: usize, integral: bool| -> Option<usize> {
        let two = rest.get(at..at + 2).is_some_and(|s| s.eq_ignore_ascii_case("BD"));
        if two && ends(at + 2) {
            return Some(at + 2);
        }
        let letters: &[u8] = if integral { b"LSYFDlsyfd" } else { b"FDfd" };
        (bytes.get(at).is_some_and(|b| letters.contains(b)) && ends(at + 1)).then_some(at + 1)
    };
    let candidates = if point { vec![mantissa, whole] } else { vec![mantissa] };
    for at in candidates {
        let fraction = at != whole || !bytes.first().is_some_and(u8::is_ascii_digit);
        if let Some(end) = exponent(at) {
            if let Some(end) = suffix(end, false) {
                return Some((Kind::Suffixed, end));
            }
            if ends(end) {
                return Some((Kind::Exponent, end));
            }
        }
        if let Some(end) = suffix(at, !fraction) {
            return Some((Kind::Suffixed, end));
        }
        if at > 0 && ends(at) {
            return Some((if fraction { Kind::Decimal } else { Kind::Integer }, at));
        }
    }
    None
}
