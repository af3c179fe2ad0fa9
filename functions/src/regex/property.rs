//! Names of classes: `\p{..}` and the letters `\d \s \w \h \v`.

use super::class::Class;

fn named(text: &str) -> Class {
    Class::Named(text.to_string())
}

/// The class of an escaped letter, in lower case; `unicode` is the flag `U`.
pub(super) fn letter(letter: char, unicode: bool) -> Option<Class> {
    Some(match (letter, unicode) {
        ('d', false) => Class::Range('0', '9'),
        ('d', true) => named("\\d"),
        ('s', false) => Class::ranges(&[('\t', '\r'), (' ', ' ')]),
        ('s', true) => named("\\s"),
        ('w', false) => Class::ranges(&[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')]),
        ('w', true) => named("\\w"),
        ('h', _) => Class::ranges(&[
            (' ', ' '),
            ('\t', '\t'),
            ('\u{A0}', '\u{A0}'),
            ('\u{1680}', '\u{1680}'),
            ('\u{180e}', '\u{180e}'),
            ('\u{2000}', '\u{200a}'),
            ('\u{202f}', '\u{202f}'),
            ('\u{205f}', '\u{205f}'),
            ('\u{3000}', '\u{3000}'),
        ]),
        ('v', _) => Class::ranges(&[('\n', '\r'), ('\u{85}', '\u{85}'), ('\u{2028}', '\u{2029}')]),
        _ => return None,
    })
}

/// The class of `\p{name}`. Letters of a case are letters of both where case does not count.
pub(super) fn property(name: &str, fold: bool, unicode: bool) -> Option<Class> {
    let either = |one: Class| if fold { Class::ranges(&[('a', 'z'), ('A', 'Z')]) } else { one };
    let ascii = match name {
        "Lower" => either(Class::Range('a', 'z')),
        "Upper" => either(Class::Range('A', 'Z')),
        "ASCII" => Class::Range('\0', '\u{7f}'),
        "Alpha" => Class::ranges(&[('a', 'z'), ('A', 'Z')]),
        "Digit" => Class::Range('0', '9'),
        "Alnum" => Class::ranges(&[('a', 'z'), ('A', 'Z'), ('0', '9')]),
        "Punct" => Class::ranges(&[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
        "Graph" => Class::Range('!', '~'),
        "Print" => Class::Range(' ', '~'),
        "Blank" => Class::ranges(&[(' ', ' '), ('\t', '\t')]),
        "Cntrl" => Class::ranges(&[('\0', '\u{1f}'), ('\u{7f}', '\u{7f}')]),
        "XDigit" => Class::ranges(&[('0', '9'), ('a', 'f'), ('A', 'F')]),
        "Space" => Class::ranges(&[('\t', '\r'), (' ', ' ')]),
        _ => return wide(name, fold),
    };
    let wider = match name {
        "Lower" => "Lowercase",
        "Upper" => "Uppercase",
        "Alpha" => "Alphabetic",
        "Digit" => "Nd",
        "Space" => "White_Space",
        _ => "",
    };
    if unicode && !wider.is_empty() { wide(&format!("Is{wider}"), fold) } else { Some(ascii) }
}

fn wide(name: &str, fold: bool) -> Option<Class> {
    let cased = ["Lu", "Ll", "Lt"];
    let text = match name {
        "javaLowerCase" | "javaUpperCase" | "javaTitleCase" if fold => "\\p{Lu}\\p{Ll}\\p{Lt}".to_string(),
        "javaLowerCase" => "\\p{Lowercase}".to_string(),
        "javaUpperCase" => "\\p{Uppercase}".to_string(),
        "javaTitleCase" => "\\p{Lt}".to_string(),
        "javaAlphabetic" => "\\p{Alphabetic}".to_string(),
        "javaLetter" => "\\p{L}".to_string(),
        "javaDigit" => "\\p{Nd}".to_string(),
        "javaLetterOrDigit" => "\\p{L}\\p{Nd}".to_string(),
        "javaIdeographic" => "\\p{Ideographic}".to_string(),
        "javaSpaceChar" => "\\p{Z}".to_string(),
        "javaWhitespace" => "\\x{9}-\\x{D}\\x{1C}-\\x{20}\\p{Zl}\\p{Zp}\\x{1680}\\x{2000}-\\x{2006}\\x{2008}-\\x{200A}\\x{205F}\\x{3000}".to_string(),
        "L1" => "\\x{0}-\\x{FF}".to_string(),
        "LC" => "\\p{Lu}\\p{Ll}\\p{Lt}".to_string(),
        "LD" => "\\p{L}\\p{Nd}".to_string(),
        _ => {
            let bare = match name.split_once('=') {
                Some((key, value)) => match key.to_ascii_lowercase().as_str() {
                    "script" | "sc" | "general_category" | "gc" => value,
                    _ => return None,
                },
                None => name.strip_prefix("Is").unwrap_or(name),
            };
            if fold && (cased.contains(&bare) || bare == "Lowercase" || bare == "Uppercase") {
                "\\p{Lu}\\p{Ll}\\p{Lt}".to_string()
            } else {
                format!("\\p{{{bare}}}")
            }
        }
    };
    // Names with other signs would be read as syntax.
    let plain =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '=' | ' ' | '-'));
    (plain && ::regex::Regex::new(&format!("[{text}]")).is_ok()).then_some(Class::Named(text))
}
