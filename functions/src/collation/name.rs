//! Names of collations: what they mean, their canonical spelling, the list of all, and guesses for names that are none.

use super::locale::{LOCALES, Locale};
use crate::error::{SparkError, SparkResult};

/// How strings are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Collation {
    base: Base,
    ignores_case: bool,
    ignores_accents: bool,
    trims: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Base {
    /// Bytes.
    Binary,
    /// Lower case, code point by code point.
    Lcase,
    /// Unicode's algorithm with the tailoring of a locale, by index.
    Locale(u16),
    /// Two columns with different collations met.
    Indeterminate,
}

/// A row of `SHOW COLLATIONS`.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Canonical name.
    pub name: String,
    /// Language, where there is one.
    pub language: Option<&'static str>,
    /// Country, where there is one.
    pub country: Option<&'static str>,
    /// Which differences count.
    pub collation: Collation,
}

impl Listed {
    /// Name, language, country, accent sensitivity, case sensitivity, padding, and the version of the rules it stands for.
    #[must_use]
    pub fn cells(&self) -> Vec<Option<String>> {
        let of = |said: bool, yes: &str, no: &str| Some((if said { yes } else { no }).to_owned());
        let blind = self.collation.ignores_case || self.collation.is_lcase();
        vec![
            Some(self.name.clone()),
            self.language.map(str::to_owned),
            self.country.map(str::to_owned),
            of(self.collation.ignores_accents, "ACCENT_INSENSITIVE", "ACCENT_SENSITIVE"),
            of(blind, "CASE_INSENSITIVE", "CASE_SENSITIVE"),
            of(self.collation.trims, "RTRIM", "NO_PAD"),
            self.collation.locale().map(|_| "78.3.0.0".to_owned()),
        ]
    }
}

impl Collation {
    /// `UTF8_BINARY`.
    pub const BINARY: Self = Self { base: Base::Binary, ignores_case: false, ignores_accents: false, trims: false };
    /// `UTF8_LCASE`.
    pub const LCASE: Self = Self { base: Base::Lcase, ignores_case: false, ignores_accents: false, trims: false };
    /// What is left when columns of different collations meet; Spark prints it as `null`.
    pub const INDETERMINATE: Self =
        Self { base: Base::Indeterminate, ignores_case: false, ignores_accents: false, trims: false };

    /// The collation called `name`, in any case, without catalog and schema.
    ///
    /// # Errors
    /// `COLLATION_INVALID_NAME` with names that come near.
    pub fn parse(name: &str) -> SparkResult<Self> {
        Self::find(name).filter(|found| !found.is_indeterminate()).ok_or_else(|| {
            let proposals = proposals(name);
            SparkError::analysis("COLLATION_INVALID_NAME", &[("collationName", name), ("proposals", &proposals)])
        })
    }

    /// The collation called `name`, if there is one. `null` is the indeterminate one.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let upper = name.to_ascii_uppercase();
        if upper == "NULL" {
            return Some(Self::INDETERMINATE);
        }
        for (prefix, plain) in [("UTF8_BINARY", Self::BINARY), ("UTF8_LCASE", Self::LCASE)] {
            if let Some(rest) = upper.strip_prefix(prefix) {
                return match rest {
                    "" => Some(plain),
                    "_RTRIM" => Some(Self { trims: true, ..plain }),
                    _ => None,
                };
            }
        }
        let fits = |locale: &&Locale| {
            let name = locale.name.to_ascii_uppercase();
            upper.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        let longest = LOCALES.iter().filter(fits).max_by_key(|locale| locale.name.len())?;
        let index = LOCALES.iter().position(|locale| locale.name == longest.name)?;
        let mut found = Self { base: Base::Locale(u16::try_from(index).ok()?), ..Self::BINARY };
        let (mut case, mut accents, mut padding) = (false, false, false);
        for modifier in upper.get(longest.name.len()..)?.split('_').skip(1) {
            let said = match modifier {
                "CI" | "CS" => &mut case,
                "AI" | "AS" => &mut accents,
                "RTRIM" => &mut padding,
                _ => return None,
            };
            if std::mem::replace(said, true) {
                return None;
            }
            match modifier {
                "CI" => found.ignores_case = true,
                "AI" => found.ignores_accents = true,
                "RTRIM" => found.trims = true,
                _ => {}
            }
        }
        Some(found)
    }

    /// The canonical name.
    #[must_use]
    pub fn name(self) -> String {
        let base = match self.base {
            Base::Binary => "UTF8_BINARY",
            Base::Lcase => "UTF8_LCASE",
            Base::Indeterminate => "null",
            Base::Locale(index) => LOCALES.get(usize::from(index)).map_or("UNICODE", |locale| locale.name),
        };
        let part = |said: bool, text: &'static str| if said { text } else { "" };
        let (case, accents) = (part(self.ignores_case, "_CI"), part(self.ignores_accents, "_AI"));
        format!("{base}{case}{accents}{}", part(self.trims, "_RTRIM"))
    }

    /// Whether strings are compared byte by byte as they are.
    #[must_use]
    pub fn is_binary(self) -> bool {
        self == Self::BINARY
    }

    /// Whether this is what is left of two different collations.
    #[must_use]
    pub fn is_indeterminate(self) -> bool {
        self.base == Base::Indeterminate
    }

    /// `UTF8_BINARY` or `UTF8_LCASE`, trimming or not.
    #[must_use]
    pub fn is_utf8(self) -> bool {
        matches!(self.base, Base::Binary | Base::Lcase)
    }

    /// `UTF8_LCASE`, trimming or not.
    #[must_use]
    pub fn is_lcase(self) -> bool {
        self.base == Base::Lcase
    }

    /// Whether trailing spaces do not count.
    #[must_use]
    pub fn trims(self) -> bool {
        self.trims
    }

    /// Whether case does not count in Unicode's algorithm.
    #[must_use]
    pub fn ignores_case(self) -> bool {
        self.ignores_case
    }

    /// Whether accents do not count in Unicode's algorithm.
    #[must_use]
    pub fn ignores_accents(self) -> bool {
        self.ignores_accents
    }

    /// The name of the locale, for Unicode's algorithm.
    pub(super) fn locale(self) -> Option<&'static str> {
        match self.base {
            Base::Locale(index) => LOCALES.get(usize::from(index)).map(|locale| locale.name),
            _ => None,
        }
    }

    /// Every collation, in the order of `SHOW COLLATIONS`.
    #[must_use]
    pub fn all() -> Vec<Listed> {
        let mut out = Vec::new();
        for trims in [false, true] {
            for plain in [Self::BINARY, Self::LCASE] {
                let collation = Self { trims, ..plain };
                out.push(Listed { name: collation.name(), language: None, country: None, collation });
            }
        }
        for (index, locale) in (0_u16..).zip(LOCALES) {
            let said = |text: &'static str| (!text.is_empty()).then_some(text);
            let mut all: Vec<Listed> = Vec::with_capacity(8);
            for bits in 0..8_u8 {
                let (ignores_case, ignores_accents, trims) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
                let collation = Self { base: Base::Locale(index), ignores_case, ignores_accents, trims };
                let (language, country) = (said(locale.language), said(locale.country));
                all.push(Listed { name: collation.name(), language, country, collation });
            }
            out.append(&mut all);
        }
        // Names of one language are mixed with those of its countries.
        if let Some(locales) = out.get_mut(12..) {
            locales.sort_by(|a, b| a.name.cmp(&b.name));
        }
        if let Some(root) = out.get_mut(4..12) {
            root.sort_by(|a, b| a.name.cmp(&b.name));
        }
        out
    }
}

/// Up to three valid names near an invalid one: its modifiers kept, its locale replaced by the nearest.
fn proposals(name: &str) -> String {
    let upper = name.to_ascii_uppercase();
    let parts: Vec<&str> = upper.split('_').collect();
    let modifier = |part: &&&str| ["CI", "CS", "AI", "AS", "RTRIM"].contains(*part);
    let mut kept: Vec<&str> = Vec::new();
    for part in parts.iter().rev().take_while(modifier) {
        let same_kind = |known: &&str| {
            known == part || matches!((*known, *part), ("CI", "CS") | ("CS", "CI") | ("AI", "AS") | ("AS", "AI"))
        };
        if !kept.iter().any(same_kind) {
            kept.push(part);
        }
    }
    kept.reverse();
    let count = parts.iter().rev().take_while(modifier).count();
    let base = parts.get(..parts.len().saturating_sub(count)).unwrap_or_default().join("_");
    let mut names: Vec<(usize, String)> = ["UTF8_BINARY", "UTF8_LCASE"]
        .into_iter()
        .chain(LOCALES.iter().map(|locale| locale.name))
        .map(|known| (distance(&base, &known.to_ascii_uppercase()), known.to_owned()))
        .collect();
    names.sort_by_key(|(distance, _)| *distance);
    let nearest = names.first().map_or(0, |(distance, _)| *distance);
    let found: Vec<String> = names
        .into_iter()
        .take_while(|(distance, _)| *distance == nearest)
        .take(3)
        .map(|(_, known)| {
            let allowed = |part: &&&str| !known.starts_with("UTF8_") || **part == "RTRIM";
            let kept: String = kept.iter().filter(allowed).map(|part| format!("_{part}")).collect();
            let full = format!("{known}{kept}");
            Collation::find(&full).map_or(full, Collation::name)
        })
        .collect();
    found.join(", ")
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut before = i;
        let mut last = i + 1;
        let mut next = vec![last];
        for (right, above) in b.iter().zip(row.iter().skip(1)) {
            let changed = before + usize::from(left != *right);
            last = changed.min(above + 1).min(last + 1);
            before = *above;
            next.push(last);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
