//! What the characters between quotes mean.

use super::lexer::{Kind, Token};

/// The value of a string token.
pub(super) fn string(token: &Token<'_>, keep_backslashes: bool) -> String {
    let text = token.text;
    if text.starts_with('$') {
        let tag = text.get(1..).and_then(|rest| rest.find('$')).map_or(1, |at| at + 2);
        return text.get(tag..text.len().saturating_sub(tag)).unwrap_or("").to_string();
    }
    if text.starts_with(['r', 'R']) {
        return text.get(2..text.len().saturating_sub(1)).unwrap_or("").to_string();
    }
    let quote = if token.kind == Kind::DoubleQuoted { '"' } else { '\'' };
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
    unescape(inner, quote, keep_backslashes)
}

/// The name inside back quotes or double quotes.
pub(super) fn identifier(text: &str) -> String {
    let quote = text.chars().next().unwrap_or('`');
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
    inner.replace(&format!("{quote}{quote}"), &quote.to_string())
}

fn unescape(inner: &str, quote: char, keep_backslashes: bool) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or("");
        if c == quote {
            rest = rest.strip_prefix(quote).unwrap_or(rest);
            out.push(c);
        } else if c != '\\' || keep_backslashes {
            out.push(c);
        } else {
            rest = escape(rest, &mut out);
        }
    }
    out
}

/// Handles what follows a backslash and returns what is left.
fn escape<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let Some(c) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    let hex = |from: usize, to: usize| {
        let digits = rest.get(from..to).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    };
    if c == 'u'
        && let Some(unit) = hex(1, 5)
    {
        // Characters beyond the basic plane are written as two halves.
        if (0xD800..0xDC00).contains(&unit)
            && rest.get(5..7) == Some("\\u")
            && let Some(low) = hex(7, 11).filter(|low| (0xDC00..0xE000).contains(low))
        {
            let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            return rest.get(11..).unwrap_or("");
        }
        out.push(char::from_u32(unit).unwrap_or('?'));
        return rest.get(5..).unwrap_or("");
    }
    if c == 'U'
        && let Some(code) = hex(1, 9)
    {
        out.push(char::from_u32(code).unwrap_or('?'));
        return rest.get(9..).unwrap_or("");
    }
    if matches!(c, '0' | '1')
        && let Some(digits) = rest.get(..3).filter(|d| d.bytes().all(|b| (b'0'..=b'7').contains(&b)))
    {
        out.push(u8::from_str_radix(digits, 8).map_or('?', char::from));
        return rest.get(3..).unwrap_or("");
    }
    match c {
        '0' => out.push('\0'),
        'b' => out.push('\u{8}'),
        'n' => out.push('\n'),
        'r' => out.push('\r'),
        't' => out.push('\t'),
        'Z' => out.push('\u{1A}'),
        // Kept for LIKE, which gives the backslash its own meaning.
        '%' | '_' => {
            out.push('\\');
            out.push(c);
        }
        other => out.push(other),
    }
    rest.get(c.len_utf8()..).unwrap_or("")
}
