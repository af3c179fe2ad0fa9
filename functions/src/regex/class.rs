//! Sets of characters: how they are combined, and how they are written for the `regex` crate.

/// A set of characters.
#[derive(Debug, Clone)]
pub(super) enum Class {
    /// From the first to the last, both included.
    Range(char, char),
    /// A class of the `regex` crate as it is written there, brackets not needed: `\p{Lu}`.
    Named(String),
    /// Any of them.
    Union(Vec<Class>),
    /// Both.
    Both(Box<Class>, Box<Class>),
    /// The others.
    Not(Box<Class>),
    /// Letters of either case, by Unicode's simple folding.
    Folded(Box<Class>),
}

impl Class {
    /// One character.
    pub(super) fn one(c: char) -> Self {
        Self::Range(c, c)
    }
    /// Several ranges.
    pub(super) fn ranges(ranges: &[(char, char)]) -> Self {
        Self::Union(ranges.iter().map(|(from, to)| Self::Range(*from, *to)).collect())
    }
    /// The others.
    pub(super) fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
    /// Every line break of Java but the pair of two characters.
    pub(super) fn line_breaks() -> Self {
        Self::ranges(&[('\n', '\n'), ('\r', '\r'), ('\u{85}', '\u{85}'), ('\u{2028}', '\u{2029}')])
    }
    /// With ASCII letters of the other case.
    pub(super) fn ascii_folded(self) -> Self {
        let Self::Range(from, to) = self else { return self };
        let mut all = vec![Self::Range(from, to)];
        for (low, high, flip) in [('a', 'z', 'A'), ('A', 'Z', 'a')] {
            let (first, last) = (from.max(low), to.min(high));
            if first <= last {
                let moved = |c: char| char::from((c as u8).wrapping_sub(low as u8).wrapping_add(flip as u8));
                all.push(Self::Range(moved(first), moved(last)));
            }
        }
        Self::Union(all)
    }
    /// As the `regex` crate writes it.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Self::Folded(inner) => {
                out.push_str("(?i:");
                inner.bracket(out);
                out.push(')');
            }
            other => other.bracket(out),
        }
    }
    fn bracket(&self, out: &mut String) {
        match self {
            Self::Range(from, to) => {
                out.push('[');
                point(*from, out);
                if from != to {
                    out.push('-');
                    point(*to, out);
                }
                out.push(']');
            }
            Self::Named(name) => {
                out.push('[');
                out.push_str(name);
                out.push(']');
            }
            // A set without members, which the crate cannot write as `[]`.
            Self::Union(all) if all.is_empty() => out.push_str("[a&&b]"),
            Self::Union(all) => {
                out.push('[');
                all.iter().for_each(|class| class.bracket(out));
                out.push(']');
            }
            Self::Both(a, b) => {
                out.push('[');
                a.bracket(out);
                out.push_str("&&");
                b.bracket(out);
                out.push(']');
            }
            Self::Not(inner) => {
                out.push_str("[^");
                inner.bracket(out);
                out.push(']');
            }
            Self::Folded(inner) => inner.bracket(out),
        }
    }
}

fn point(c: char, out: &mut String) {
    use std::fmt::Write;
    // Writing to a string cannot fail.
    let _ = write!(out, "\\x{{{:X}}}", u32::from(c));
}

/// A set ready to be asked.
#[derive(Debug, Clone)]
pub(super) struct Members {
    ascii: [bool; 128],
    others: ::regex::Regex,
}

impl Members {
    /// `None` when the crate knows no such class.
    pub(super) fn new(class: &Class) -> Option<Self> {
        let mut text = String::from("\\A");
        class.write(&mut text);
        text.push_str("\\z");
        let regex = ::regex::Regex::new(&text).ok()?;
        let mut ascii = [false; 128];
        for (code, member) in (0_u8..).zip(ascii.iter_mut()) {
            *member = regex.is_match(char::from(code).encode_utf8(&mut [0; 4]));
        }
        Some(Self { ascii, others: regex })
    }
    /// Whether `c` is a member.
    pub(super) fn has(&self, c: char) -> bool {
        match self.ascii.get(c as usize) {
            Some(member) => *member,
            None => self.others.is_match(c.encode_utf8(&mut [0; 4])),
        }
    }
}
