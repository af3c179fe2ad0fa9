//! Search for a text that is the same in many rows. It knows nothing of columns and patterns.

use memchr::memchr;
use memchr::memmem::Finder;

/// A text to look for, prepared once.
#[derive(Debug)]
pub(crate) struct Needle {
    text: String,
    finder: Finder<'static>,
}

impl Needle {
    /// Prepares a text, which is not empty.
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), finder: Finder::new(text).into_owned() }
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where it stands from left to right, none over another.
    #[inline]
    pub(crate) fn starts<'n, 'h>(&'n self, hay: &'h str) -> Starts<'n, 'h> {
        Starts { needle: self, hay: hay.as_bytes(), from: 0 }
    }

    /// The pieces of a text between its places.
    #[inline]
    pub(crate) fn pieces<'n, 'h>(&'n self, hay: &'h str) -> impl Iterator<Item = &'h str> + use<'n, 'h> {
        let mut starts = self.starts(hay);
        let mut from = Some(0);
        std::iter::from_fn(move || {
            let begin = from?;
            let end = starts.next();
            from = end.map(|end| end + self.text.len());
            hay.get(begin..end.unwrap_or(hay.len()))
        })
    }
}

/// A needle for every row, prepared again only where the text is another.
#[derive(Debug, Default)]
pub(crate) struct Needles(Option<Needle>);

impl Needles {
    /// The needle of a text, which is not empty.
    #[inline]
    pub(crate) fn get(&mut self, text: &str) -> &Needle {
        if self.0.as_ref().is_some_and(|last| last.text != text) {
            self.0 = None;
        }
        self.0.get_or_insert_with(|| Needle::new(text))
    }
}

/// Offsets of bytes.
#[derive(Debug)]
pub(crate) struct Starts<'n, 'h> {
    needle: &'n Needle,
    hay: &'h [u8],
    from: usize,
}

impl Iterator for Starts<'_, '_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let rest = self.hay.get(self.from..)?;
        let text = self.needle.text.as_bytes();
        let found = match text {
            [byte] => memchr(*byte, rest),
            _ => self.needle.finder.find(rest),
        };
        let start = self.from + found?;
        self.from = start + text.len();
        Some(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_the_standard_library_finds() {
        let hays =
            ["", "a", "aaaa", "abab", " a b  c ", "grüße, grüße", "éaé", "no", "abcabcabcabcabcabcabcabcabcabcabc"];
        for text in ["a", "aa", "ab", " ", "ü", "é", "abc", "bca", "longer than all of them together, that is to say"]
        {
            for hay in hays {
                let needle = Needle::new(text);
                let starts: Vec<usize> = hay.match_indices(text).map(|(at, _)| at).collect();
                assert_eq!(needle.starts(hay).collect::<Vec<_>>(), starts);
                assert_eq!(needle.pieces(hay).collect::<Vec<_>>(), hay.split(text).collect::<Vec<_>>());
            }
        }
    }
}
