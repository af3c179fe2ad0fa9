//! The formats of `to_char` and `to_number`: `[MI|S][$][0|9|G|,]*[.|D][0|9]*[$][PR|MI|S]`.
//!
//! Source: the page on number patterns in Spark's SQL reference.

use crate::error::{SparkError, SparkResult, sql_value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// A run of digits, and whether all of them must be there.
    Digits(usize, bool),
    Group,
    Point,
    Dollar,
    /// `S`: `+` or `-`.
    Sign,
    /// `MI`: space or `-`.
    Minus,
    Open,
    Close,
    Other(char),
}

/// A format that was checked.
#[derive(Debug, Clone)]
pub(super) struct NumberFormat {
    tokens: Vec<Token>,
}

fn bad(format: &str, sub: &str, token: Option<&str>) -> SparkError {
    let format = sql_value(format);
    let mut parameters = vec![("format", format.as_str())];
    parameters.extend(token.map(|token| ("token", token)));
    SparkError::analysis(&format!("INVALID_FORMAT.{sub}"), &parameters)
}

fn tokens(format: &str) -> Vec<Token> {
    let chars: Vec<char> = format.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    let mut brackets = false;
    while let Some(c) = chars.get(at).copied() {
        let pair = chars.get(at + 1).copied();
        let mut taken = 1;
        out.push(match (c, pair) {
            ('0' | '9', _) => {
                taken = chars.iter().skip(at).take_while(|c| matches!(c, '0' | '9')).count();
                Token::Digits(taken, c == '0')
            }
            (',' | 'G', _) => Token::Group,
            ('.' | 'D', _) => Token::Point,
            ('$', _) => Token::Dollar,
            ('S', _) => Token::Sign,
            ('M', Some('I')) => {
                taken = 2;
                Token::Minus
            }
            ('P', Some('R')) => {
                taken = 2;
                brackets = true;
                Token::Close
            }
            (other, _) => Token::Other(other),
        });
        at += taken;
    }
    if brackets {
        out.insert(0, Token::Open);
    }
    out
}

impl NumberFormat {
    /// A format in any case.
    ///
    /// # Errors
    /// `INVALID_FORMAT.*`.
    pub(super) fn parse(format: &str) -> SparkResult<Self> {
        let format = format.to_uppercase();
        if format.is_empty() {
            return Err(bad(&format, "EMPTY", None));
        }
        let tokens = tokens(&format);
        let digits = |token: &Token| matches!(token, Token::Digits(..));
        let Some(first_digit) = tokens.iter().position(digits) else {
            return Err(bad(&format, "WRONG_NUM_DIGIT", None));
        };
        let point = tokens.iter().position(|t| *t == Token::Point);
        if let Some(dollar) = tokens.iter().position(|t| *t == Token::Dollar) {
            if dollar > first_digit {
                return Err(bad(&format, "CUR_MUST_BEFORE_DIGIT", None));
            }
            if point.is_some_and(|point| dollar > point) {
                return Err(bad(&format, "CUR_MUST_BEFORE_DEC", None));
            }
        }
        for (at, token) in tokens.iter().enumerate().filter(|(_, t)| **t == Token::Group) {
            let _ = token;
            let beside = |at: Option<usize>| at.and_then(|at| tokens.get(at)).is_some_and(digits);
            if !beside(at.checked_sub(1)) || !beside(Some(at + 1)) {
                return Err(bad(&format, "CONT_THOUSANDS_SEPS", None));
            }
        }
        if point.is_some_and(|point| tokens.iter().skip(point).any(|t| *t == Token::Group)) {
            return Err(bad(&format, "THOUSANDS_SEPS_MUST_BEFORE_DEC", None));
        }
        let once = [
            (Token::Point, ". or D"),
            (Token::Dollar, "$"),
            (Token::Sign, "S"),
            (Token::Minus, "MI"),
            (Token::Close, "PR"),
        ];
        for (token, name) in once {
            if tokens.iter().filter(|t| **t == token).count() > 1 {
                return Err(bad(&format, "WRONG_NUM_TOKEN", Some(name)));
            }
        }
        in_order(&tokens).map_err(|token| bad(&format, "UNEXPECTED_TOKEN", Some(&words(token))))?;
        Ok(Self { tokens })
    }

    /// Digits before and after the point.
    fn places(&self) -> (usize, usize) {
        let mut places = (0, 0);
        let mut after = false;
        for token in &self.tokens {
            match token {
                Token::Point => after = true,
                Token::Digits(count, _) if after => places.1 += count,
                Token::Digits(count, _) => places.0 += count,
                _ => {}
            }
        }
        places
    }

    /// Precision and scale of what is read.
    pub(super) fn decimal(&self) -> (u8, i8) {
        let (before, after) = self.places();
        let scale = after.min(38);
        ((before + scale).clamp(1, 38) as u8, scale as i8)
    }

    /// The unscaled number in a text, at the scale of the format; `None` if the text differs from the format.
    pub(super) fn read(&self, text: &str) -> Option<i128> {
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        let (mut before, mut after) = (String::new(), String::new());
        let mut negative = false;
        let mut past_point = false;
        let mut open = false;
        let mut tokens = self.tokens.iter().peekable();
        while let Some(token) = tokens.next() {
            let here = chars.get(at).copied();
            match token {
                Token::Digits(count, exact) => {
                    // Digits that are missing at the end of a fraction are zeros.
                    let mut wanted = vec![(*count, *exact && !past_point)];
                    while let Some(Token::Group | Token::Digits(..)) = tokens.peek() {
                        if let Some(Token::Digits(count, exact)) = tokens.next() {
                            wanted.push((*count, *exact));
                        }
                    }
                    at = groups(&chars, at, &wanted, if past_point { &mut after } else { &mut before })?;
                }
                Token::Point => {
                    past_point = true;
                    at += usize::from(here == Some('.'));
                }
                Token::Dollar => {
                    if here != Some('$') {
                        return None;
                    }
                    at += 1;
                }
                Token::Sign => {
                    negative |= here == Some('-');
                    at += usize::from(matches!(here, Some('-' | '+')));
                }
                Token::Minus => {
                    negative |= here == Some('-');
                    at += usize::from(here == Some('-'));
                }
                Token::Open => {
                    open = here == Some('<');
                    at += usize::from(open);
                }
                Token::Close => {
                    if open != (here == Some('>')) {
                        return None;
                    }
                    negative |= open;
                    at += usize::from(open);
                }
                Token::Group | Token::Other(_) => return None,
            }
        }
        if at < chars.len() || before.is_empty() && after.is_empty() {
            return None;
        }
        let (_, scale) = self.places();
        let digits = format!("{before}{after:0<scale$}");
        let value: i128 = digits.parse().ok()?;
        Some(if negative { -value } else { value })
    }

    /// A decimal by the format.
    pub(super) fn write(&self, value: i128, scale: i8) -> String {
        let plain = crate::display::decimal_text(value, scale);
        let plain = plain.trim_start_matches('-');
        let (before, after) = plain.split_once('.').unwrap_or((plain, ""));
        let (before, after) = (before.trim_start_matches('0'), after.trim_end_matches('0'));
        let (places, decimals) = self.places();
        let overflow = before.len() > places || after.len() > decimals;
        let mut missing = places.saturating_sub(before.len());
        let mut rest = before.chars();
        let mut fraction = after.chars();
        let negative = value < 0;
        let mut out = String::new();
        let mut past_point = false;
        for token in &self.tokens {
            match token {
                Token::Digits(count, _) if overflow => out.push_str(&"#".repeat(*count)),
                Token::Group if overflow => out.push(' '),
                Token::Digits(count, _) if past_point => {
                    out.extend((0..*count).map(|_| fraction.next().unwrap_or('0')));
                }
                Token::Digits(count, exact) => {
                    for _ in 0..*count {
                        if missing == 0 {
                            out.extend(rest.next());
                            continue;
                        }
                        missing -= 1;
                        if *exact {
                            out.push('0');
                        } else {
                            pad(&mut out);
                        }
                    }
                }
                Token::Group if out.ends_with(|c: char| c.is_ascii_digit()) => out.push(','),
                Token::Group => pad(&mut out),
                Token::Point => {
                    past_point = true;
                    if out.ends_with(' ') {
                        out.pop();
                        out.push('0');
                    }
                    out.push('.');
                }
                Token::Dollar => out.push('$'),
                Token::Sign => trail(&mut out, if negative { '-' } else { '+' }),
                Token::Minus if negative => trail(&mut out, '-'),
                Token::Minus => {
                    strip(&mut out);
                    out.push(' ');
                }
                Token::Open if negative => out.push('<'),
                Token::Close if negative => trail(&mut out, '>'),
                Token::Close => {
                    strip(&mut out);
                    out.push_str("  ");
                }
                Token::Open | Token::Other(_) => {}
            }
        }
        strip(&mut out);
        out
    }
}

/// Tokens in the one order they may have; otherwise the first that is out of place.
fn in_order(tokens: &[Token]) -> Result<(), Token> {
    let steps: [fn(&Token) -> bool; 7] = [
        |t| matches!(t, Token::Open),
        |t| matches!(t, Token::Minus | Token::Sign),
        |t| matches!(t, Token::Dollar),
        |t| matches!(t, Token::Digits(..) | Token::Group),
        |t| matches!(t, Token::Point),
        |t| matches!(t, Token::Digits(..)),
        |t| matches!(t, Token::Dollar),
    ];
    let mut rest = tokens;
    for (index, step) in steps.iter().enumerate() {
        let many = index == 3;
        while let [first, after @ ..] = rest
            && step(first)
        {
            rest = after;
            if !many {
                break;
            }
        }
    }
    if let [Token::Minus | Token::Sign | Token::Close, after @ ..] = rest {
        rest = after;
    }
    rest.first().map_or(Ok(()), |token| Err(*token))
}

fn words(token: Token) -> String {
    match token {
        Token::Digits(..) => "digit sequence".to_string(),
        Token::Group => ",".to_string(),
        Token::Point => ".".to_string(),
        Token::Dollar => "$".to_string(),
        Token::Sign => "S".to_string(),
        Token::Minus => "MI".to_string(),
        Token::Open | Token::Close => "PR".to_string(),
        Token::Other(c) => format!("character '{c}''"),
    }
}

/// Reads digits in groups from `at` on; groups that are missing are those on the left.
fn groups(chars: &[char], mut at: usize, wanted: &[(usize, bool)], out: &mut String) -> Option<usize> {
    let mut found = vec![0_usize];
    while let Some(c) = chars.get(at) {
        match c {
            c if c.is_ascii_digit() => {
                out.push(*c);
                *found.last_mut()? += 1;
            }
            ',' => found.push(0),
            c if c.is_whitespace() => {}
            _ => break,
        }
        at += 1;
    }
    if found.len() > wanted.len() {
        return None;
    }
    for (index, (most, exact)) in wanted.iter().rev().enumerate() {
        let count = found.len().checked_sub(index + 1).and_then(|at| found.get(at)).copied().unwrap_or(0);
        if count > *most || *exact && count != *most {
            return None;
        }
    }
    Some(at)
}

/// A space for a missing digit; signs stay next to the digits.
fn pad(out: &mut String) {
    match out.pop() {
        Some(sign @ ('+' | '-' | '<')) => {
            out.push(' ');
            out.push(sign);
        }
        Some(other) => {
            out.push(other);
            out.push(' ');
        }
        None => out.push(' '),
    }
}

/// A point without digits after it becomes a space.
fn strip(out: &mut String) {
    if out.ends_with('.') {
        out.pop();
        out.push(' ');
    }
}

/// A sign at the end goes before trailing spaces.
fn trail(out: &mut String, sign: char) {
    strip(out);
    out.insert(out.trim_end_matches(' ').len(), sign);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_and_read_by_their_format() {
        let write = |value, scale, format: &str| NumberFormat::parse(format).unwrap().write(value, scale);
        assert_eq!(write(-124_548, 1, "99G999D9S"), "12,454.8-");
        assert_eq!(write(7812, 2, "$999.99"), "$ 78.12");
        assert_eq!(write(-123, 0, "9999PR"), " <123>");
        assert_eq!(write(12345, 0, "999"), "###");
        assert_eq!(write(0, 0, "$99S"), "$+  ");
        assert!(NumberFormat::parse("999PRS").is_err());
        assert_eq!(NumberFormat::parse("99.00").unwrap().read("12.5"), Some(1250));
        let read = |text: &str, format: &str| NumberFormat::parse(format).unwrap().read(text);
        assert_eq!(read("12,454.8-", "99,999.9S"), Some(-124_548));
        assert_eq!(read("1234", "999"), None);
    }
}
