//! Specifiers of a format: `%[index$][flags][width][.precision]conversion`, and how signs, groups and widths are written.

/// A part of a format.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    Text(String),
    Spec(Spec),
}

/// Which value a specifier takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The one after those that other specifiers took in order.
    Next,
    /// The one before took.
    Same,
    /// This one, counted from 1.
    At(usize),
}

#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub(super) place: Place,
    pub(super) conversion: char,
    pub(super) upper: bool,
    pub(super) precision: Option<usize>,
    /// `#`
    pub(super) alternate: bool,
    /// `,`
    pub(super) group: bool,
    width: Option<usize>,
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    brackets: bool,
}

/// The parts of a format, or why Java refuses it.
pub(super) fn parse(format: &str) -> Result<Vec<Piece>, &'static str> {
    let mut out = Vec::new();
    let mut text = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let (spec, length) = specifier(from.get(1..).unwrap_or(""))?;
        if !text.is_empty() {
            out.push(Piece::Text(std::mem::take(&mut text)));
        }
        out.push(Piece::Spec(spec));
        rest = from.get(1 + length..).unwrap_or("");
    }
    text.push_str(rest);
    if !text.is_empty() {
        out.push(Piece::Text(text));
    }
    Ok(out)
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// A specifier at the start of a text, and its length.
fn specifier(text: &str) -> Result<(Spec, usize), &'static str> {
    let mut rest = text;
    let mut place = Place::Next;
    let (index, after) = digits(rest);
    if let (Some(after), false) = (after.strip_prefix('$'), index.is_empty()) {
        place = Place::At(index.parse().map_err(|_| "an index is too large")?);
        rest = after;
    } else if let Some(after) = rest.strip_prefix('<') {
        place = Place::Same;
        rest = after;
    }
    let flags_end = rest.find(|c: char| !"-#+ 0,(".contains(c)).unwrap_or(rest.len());
    let (flags, after) = rest.split_at(flags_end);
    if flags.chars().enumerate().any(|(at, flag)| flags.chars().skip(at + 1).any(|other| other == flag)) {
        return Err("a flag is given twice");
    }
    let (width, after) = digits(after);
    let (precision, after) = match after.strip_prefix('.') {
        Some(after) => {
            let (precision, after) = digits(after);
            (Some(precision.parse().map_err(|_| "a precision is no number")?), after)
        }
        None => (None, after),
    };
    let letter = after.chars().next().ok_or("a conversion is missing")?;
    let conversion = letter.to_ascii_lowercase();
    let upper = letter.is_ascii_uppercase();
    let known = match conversion {
        'b' | 'h' | 's' | 'c' | 'x' | 'e' | 'g' | 'a' => true,
        'd' | 'o' | 'f' | 'n' | '%' => !upper,
        _ => false,
    };
    if !known {
        return Err("a conversion is unknown");
    }
    let has = |flag: char| flags.contains(flag);
    let spec = Spec {
        place,
        conversion,
        upper,
        precision,
        alternate: has('#'),
        group: has(','),
        width: if width.is_empty() { None } else { Some(width.parse().map_err(|_| "a width is too large")?) },
        left: has('-'),
        plus: has('+'),
        space: has(' '),
        zero: has('0'),
        brackets: has('('),
    };
    if (spec.left || spec.zero) && spec.width.is_none() || spec.left && spec.zero || spec.plus && spec.space {
        return Err("flags do not fit");
    }
    let signs = spec.plus || spec.space || spec.zero || spec.brackets || spec.group;
    if signs && matches!(conversion, 'b' | 'h' | 's' | 'c') || spec.group && matches!(conversion, 'e' | 'a') {
        return Err("flags do not fit the conversion");
    }
    Ok((spec, text.len() - after.len() + letter.len_utf8()))
}

impl Spec {
    /// A text brought to the width, which counts in units of UTF-16.
    pub(super) fn justified(&self, text: &str) -> String {
        let missing = self.width.unwrap_or(0).saturating_sub(text.encode_utf16().count());
        match self.left {
            true => format!("{text}{}", " ".repeat(missing)),
            false => format!("{}{text}", " ".repeat(missing)),
        }
    }

    /// A number of digits with its sign, `end` after it: groups, zeros up to the width.
    pub(super) fn number(&self, negative: bool, digits: &str, end: &str) -> String {
        let (start, close) = self.sign(negative);
        let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
        let mut body = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if self.group && at > 0 && (whole.len() - at).is_multiple_of(3) {
                body.push(',');
            }
            body.push(digit);
        }
        body.push_str(fraction);
        body.push_str(end);
        let taken = start.len() + body.len() + close.len();
        let zeros = if self.zero { self.width.unwrap_or(0).saturating_sub(taken) } else { 0 };
        self.justified(&format!("{start}{}{body}{close}", "0".repeat(zeros)))
    }

    /// A word in place of a number.
    pub(super) fn word(&self, negative: bool, word: &str) -> String {
        let (start, close) = self.sign(negative);
        self.justified(&format!("{start}{word}{close}"))
    }

    /// Bits of a number, zeros between the prefix and the digits.
    pub(super) fn prefixed(&self, prefix: &str, digits: &str) -> String {
        let zeros = match self.zero {
            true => self.width.unwrap_or(0).saturating_sub(prefix.len() + digits.len()),
            false => 0,
        };
        self.justified(&format!("{prefix}{}{digits}", "0".repeat(zeros)))
    }

    fn sign(&self, negative: bool) -> (&'static str, &'static str) {
        match negative {
            true if self.brackets => ("(", ")"),
            true => ("-", ""),
            false if self.plus => ("+", ""),
            false if self.space => (" ", ""),
            false => ("", ""),
        }
    }
}
