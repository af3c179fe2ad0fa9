//! Sort keys of Unicode's collation for the part of it that is known exactly: ASCII, and letters with common accents.
//!
//! The order is that of CLDR's root (<https://www.unicode.org/charts/collation/>, UTS 10): white space, punctuation, symbols,
//! digits, letters; then accents; then case. Control characters do not count. Other characters need tables this engine does
//! not carry, so they are refused rather than put in a wrong place.

use super::Collation;
use super::locale::{PLAIN, Tailoring, tailoring};
use crate::error::{SparkError, SparkResult};

const ORDER: &str = "\t\n\u{b}\u{c}\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz";

/// Accents in their order, each with the letters that carry it: base letters and what they look like with it.
const ACCENTS: &[(char, &str, &str)] = &[
    ('\u{301}', "aeiouycnslzrAEIOUYCNSLZR", "áéíóúýćńśĺźŕÁÉÍÓÚÝĆŃŚĹŹŔ"),
    ('\u{300}', "aeiouAEIOU", "àèìòùÀÈÌÒÙ"),
    ('\u{306}', "aegiouAEGIOU", "ăĕğĭŏŭĂĔĞĬŎŬ"),
    ('\u{302}', "aeioucghjswyAEIOUCGHJSWY", "âêîôûĉĝĥĵŝŵŷÂÊÎÔÛĈĜĤĴŜŴŶ"),
    ('\u{30c}', "cdenrstzlCDENRSTZL", "čďěňřšťžľČĎĚŇŘŠŤŽĽ"),
    ('\u{30a}', "auAU", "åůÅŮ"),
    ('\u{308}', "aeiouyAEIOUY", "äëïöüÿÄËÏÖÜŸ"),
    ('\u{30b}', "ouOU", "őűŐŰ"),
    ('\u{303}', "anoiuANOIU", "ãñõĩũÃÑÕĨŨ"),
    ('\u{307}', "cegzCEGZI", "ċėġżĊĖĠŻİ"),
    ('\u{327}', "cgklnrstCGKLNRST", "çģķļņŗşţÇĢĶĻŅŖŞŢ"),
    ('\u{328}', "aeiuAEIU", "ąęįųĄĘĮŲ"),
    ('\u{304}', "aeiouAEIOU", "āēīōūĀĒĪŌŪ"),
];

/// Weights of one element; a primary of 0 is an accent.
struct Weight {
    primary: u32,
    secondary: u32,
    upper: bool,
}

/// The letter and accent of a character, by number of the accent.
fn parts(c: char) -> Option<(char, usize)> {
    ACCENTS.iter().enumerate().find_map(|(accent, (_, bases, made))| {
        let at = made.chars().position(|known| known == c)?;
        Some((bases.chars().nth(at)?, accent))
    })
}

fn place(c: char) -> Option<u32> {
    let at = ORDER.find(c.to_ascii_lowercase())?;
    // Room between letters for those that locales put there.
    u32::try_from(at * 4 + 8).ok()
}

fn base(c: char) -> Option<Weight> {
    Some(Weight { primary: place(c)?, secondary: 0, upper: c.is_ascii_uppercase() })
}

fn weights(text: &str, tailored: Option<&Tailoring>) -> Option<Vec<Weight>> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        if let Some(tailored) = tailored {
            if let Some((_, after, offset, upper)) = tailored.letters.iter().find(|(letter, ..)| *letter == c) {
                let primary = place(*after)?.checked_add_signed(*offset)?;
                out.push(Weight { primary, secondary: 0, upper: *upper });
                continue;
            }
            if tailored.unknown.contains(c) || ACCENTS.iter().any(|(mark, ..)| *mark == c) {
                return None;
            }
        }
        if c.is_ascii() {
            // What has no place does not count.
            out.extend(base(c));
        } else if let Some(accent) = ACCENTS.iter().position(|(mark, ..)| *mark == c) {
            out.push(Weight { primary: 0, secondary: u32::try_from(accent).ok()? + 1, upper: false });
        } else {
            let (letter, accent) = parts(c)?;
            out.push(base(letter)?);
            out.push(Weight { primary: 0, secondary: u32::try_from(accent).ok()? + 1, upper: false });
        }
    }
    Some(out)
}

fn refused(collation: Collation, known: bool) -> SparkError {
    let name = collation.name();
    SparkError::unsupported(match known {
        true => format!("comparing text beyond ASCII and common accents by the collation {name}"),
        false => format!("comparing text by the collation {name}"),
    })
}

/// Refuses to search text in which matches are not plainly those of ASCII.
pub(super) fn check(text: &str, collation: Collation) -> SparkResult<()> {
    let known = collation.locale().is_some_and(|locale| PLAIN.contains(&locale));
    let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte) || byte == b'\n' || byte == b'\t');
    if known && printable { Ok(()) } else { Err(refused(collation, known)) }
}

/// A key whose binary order is the collation's order: weights as characters, level after level.
pub(super) fn key(text: &str, collation: Collation) -> SparkResult<String> {
    let locale = collation.locale().unwrap_or_default();
    let tailored = tailoring(locale);
    let known = tailored.is_some() || PLAIN.contains(&locale);
    if !known {
        return Err(refused(collation, false));
    }
    let weights = weights(text, tailored).ok_or_else(|| refused(collation, true))?;
    let mut out = String::with_capacity(weights.len() * 3);
    let put = |out: &mut String, weight: u32| out.extend(char::from_u32(weight));
    weights.iter().filter(|w| w.primary > 0).for_each(|w| put(&mut out, w.primary));
    if !collation.ignores_accents() {
        out.push('\u{1}');
        weights.iter().for_each(|w| put(&mut out, w.secondary + 2));
    }
    if !collation.ignores_case() {
        out.push('\u{1}');
        let counted = weights.iter().filter(|w| w.primary > 0 || !collation.ignores_accents());
        counted.for_each(|w| put(&mut out, if w.upper { 3 } else { 2 }));
    }
    Ok(out)
}
