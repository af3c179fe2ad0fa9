//! The grammar of JSON texts, with the liberties Spark's options allow. It knows nothing of types.

use super::Json;

/// What is allowed beyond RFC 8259.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Grammar {
    /// `'text'`.
    pub(crate) single_quotes: bool,
    /// `{name: 1}`.
    pub(crate) unquoted_names: bool,
    /// `007`.
    pub(crate) leading_zeros: bool,
    /// `/* */`, `//`.
    pub(crate) comments: bool,
    /// `NaN`, `Infinity`, `-INF`.
    pub(crate) not_numbers: bool,
    /// `\q` is `q`.
    pub(crate) any_escape: bool,
    /// Tabs and the like inside strings.
    pub(crate) control_characters: bool,
}

/// Nesting beyond which a text is refused.
const DEEPEST: usize = 500;

/// The first value of the text. `Ok(None)` if there is none; what follows the value is not looked at, unless it touches a
/// number or word.
///
/// # Errors
/// `Err(())` if the text is no JSON.
pub(crate) fn parse(text: &str, grammar: Grammar) -> Result<Option<Json>, ()> {
    let mut parser = Parser { text: text.as_bytes(), at: 0, grammar };
    parser.blank()?;
    if parser.at >= parser.text.len() {
        return Ok(None);
    }
    let scalar = !matches!(parser.peek(), Some(b'{' | b'[' | b'"' | b'\''));
    let value = parser.value(0)?;
    if scalar && parser.peek().is_some_and(|byte| !byte.is_ascii_whitespace()) {
        return Err(());
    }
    Ok(Some(value))
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    grammar: Grammar,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self) -> Result<u8, ()> {
        let byte = self.peek().ok_or(())?;
        self.at += 1;
        Ok(byte)
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        if found {
            self.at += word.len();
        }
        found
    }

    fn blank(&mut self) -> Result<(), ()> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'/') if self.grammar.comments => {
                    let rest = self.text.get(self.at..).unwrap_or_default();
                    if rest.starts_with(b"//") {
                        self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                    } else if rest.starts_with(b"/*") {
                        let inner = rest.get(2..).unwrap_or_default();
                        self.at += 4 + inner.windows(2).position(|pair| pair == b"*/").ok_or(())?;
                    } else {
                        return Err(());
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, ()> {
        if depth > DEEPEST {
            return Err(());
        }
        self.blank()?;
        match self.peek().ok_or(())? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => Ok(Json::Text(self.string()?)),
            b'\'' if self.grammar.single_quotes => Ok(Json::Text(self.string()?)),
            b'-' | b'0'..=b'9' => self.number(),
            b'+' if self.grammar.not_numbers => self.word(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Json, ()> {
        let words = [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))];
        let not_numbers = ["NaN", "Infinity", "+Infinity", "+INF", "INF"];
        let mut found = words.into_iter().find(|(word, _)| self.eat(word)).map(|(_, value)| value);
        if found.is_none() && self.grammar.not_numbers {
            let word = not_numbers.into_iter().find(|word| self.eat(word));
            found = word.map(|word| Json::Float(if word == "NaN" { "NaN" } else { "Infinity" }.to_owned()));
        }
        let joined = self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if joined { Err(()) } else { found.ok_or(()) }
    }

    fn number(&mut self) -> Result<Json, ()> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
            if self.grammar.not_numbers && (self.eat("Infinity") || self.eat("INF")) {
                return Ok(Json::Float("-Infinity".to_owned()));
            }
        }
        let whole = self.digits();
        let first = self.text.get(self.at - whole).copied();
        if whole == 0 || (whole > 1 && first == Some(b'0') && !self.grammar.leading_zeros) {
            return Err(());
        }
        let mut float = false;
        if self.peek() == Some(b'.') {
            self.at += 1;
            float = true;
            if self.digits() == 0 {
                return Err(());
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            float = true;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(());
            }
        }
        if self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')) {
            return Err(());
        }
        let text = self.text.get(start..self.at).and_then(|text| std::str::from_utf8(text).ok()).ok_or(())?;
        if float {
            return Ok(Json::Float(text.to_owned()));
        }
        let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
        let digits = digits.trim_start_matches('0');
        Ok(Json::Int(if digits.is_empty() { "0".to_owned() } else { format!("{sign}{digits}") }))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn array(&mut self, depth: usize) -> Result<Json, ()> {
        self.at += 1;
        let mut items = vec![];
        self.blank()?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blank()?;
            match self.take()? {
                b',' => {}
                b']' => return Ok(Json::Array(items)),
                _ => return Err(()),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, ()> {
        self.at += 1;
        let mut fields = vec![];
        self.blank()?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(fields));
        }
        loop {
            self.blank()?;
            let name = match self.peek().ok_or(())? {
                b'"' => self.string()?,
                b'\'' if self.grammar.single_quotes => self.string()?,
                _ if self.grammar.unquoted_names => self.bare_name()?,
                _ => return Err(()),
            };
            self.blank()?;
            if self.take()? != b':' {
                return Err(());
            }
            fields.push((name, self.value(depth + 1)?));
            self.blank()?;
            match self.take()? {
                b',' => {}
                b'}' => return Ok(Json::Object(fields)),
                _ => return Err(()),
            }
        }
    }

    fn bare_name(&mut self) -> Result<String, ()> {
        let start = self.at;
        let part = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'-' | b'@' | b'#' | b'*') || byte >= 0x80
        };
        while self.peek().is_some_and(part) {
            self.at += 1;
        }
        let name = self.text.get(start..self.at).and_then(|name| std::str::from_utf8(name).ok()).ok_or(())?;
        if name.is_empty() { Err(()) } else { Ok(name.to_owned()) }
    }

    fn string(&mut self) -> Result<String, ()> {
        let quote = self.take()?;
        let mut bytes = vec![];
        loop {
            match self.take()? {
                byte if byte == quote => return String::from_utf8(bytes).map_err(|_| ()),
                b'\\' => {
                    let character = self.escape()?;
                    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                0..=31 if !self.grammar.control_characters => return Err(()),
                byte => bytes.push(byte),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ()> {
        Ok(match self.take()? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                let mark = self.at;
                if self.eat("\\u") {
                    let second = self.hex()?;
                    if (0xdc00..0xe000).contains(&second) {
                        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                        return char::from_u32(code).ok_or(());
                    }
                    self.at = mark;
                }
                char::REPLACEMENT_CHARACTER
            }
            b'\'' if self.grammar.single_quotes => '\'',
            byte if self.grammar.any_escape && byte.is_ascii() => char::from(byte),
            _ => return Err(()),
        })
    }

    fn hex(&mut self) -> Result<u32, ()> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(())?;
        self.at += 4;
        let digits = std::str::from_utf8(digits).map_err(|_| ())?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(());
        }
        u32::from_str_radix(digits, 16).map_err(|_| ())
    }
}
