//! From the text of a pattern to its items, refusing what Spark refuses.

use super::Item;
use crate::error::{ErrorKind, SparkError, SparkResult, sql_conf, sql_value};

pub(super) fn compile(pattern: &str, parsing: bool) -> SparkResult<Vec<Item>> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut position = 0;
    // What only the old formatter understands is another error than what nobody understands.
    sequence(&chars, &mut position, pattern, parsing, 0)
        .map_err(|error| if is_legacy(&chars) { unrecognised(pattern) } else { error })
}

/// Whether Java's `SimpleDateFormat` takes the pattern.
fn is_legacy(chars: &[char]) -> bool {
    let mut quoted = false;
    let mut run = (' ', 0);
    for c in chars {
        if *c == '\'' {
            quoted = !quoted;
        } else if !quoted && c.is_ascii_alphabetic() {
            run = if run.0 == *c { (*c, run.1 + 1) } else { (*c, 1) };
            if !"GyYMLwWDdFEuaHkKhmsSzZX".contains(*c) || *c == 'X' && run.1 > 3 {
                return false;
            }
            continue;
        }
        run = (' ', 0);
    }
    !quoted
}

fn sequence(
    chars: &[char],
    position: &mut usize,
    pattern: &str,
    parsing: bool,
    depth: usize,
) -> SparkResult<Vec<Item>> {
    let mut items: Vec<Item> = Vec::new();
    while let Some(c) = chars.get(*position).copied() {
        *position += 1;
        match c {
            '\'' => literal(&mut items, &quoted(chars, position).ok_or_else(|| malformed(pattern))?),
            '[' if depth < 32 => items.push(Item::Optional(sequence(chars, position, pattern, parsing, depth + 1)?)),
            ']' if depth > 0 => return Ok(items),
            '[' | ']' | '{' | '}' | '#' => return Err(malformed(pattern)),
            c if c.is_ascii_alphabetic() => {
                let mut count = 1;
                while chars.get(*position) == Some(&c) {
                    count += 1;
                    *position += 1;
                }
                check(c, count, pattern, parsing)?;
                items.push(Item::Field(c, count));
            }
            c => literal(&mut items, &c.to_string()),
        }
    }
    Ok(items)
}

fn literal(items: &mut Vec<Item>, text: &str) {
    match items.last_mut() {
        Some(Item::Text(last)) => last.push_str(text),
        _ => items.push(Item::Text(text.to_owned())),
    }
}

fn quoted(chars: &[char], position: &mut usize) -> Option<String> {
    let mut text = String::new();
    loop {
        let c = chars.get(*position).copied()?;
        *position += 1;
        match c {
            '\'' if chars.get(*position) == Some(&'\'') => {
                text.push('\'');
                *position += 1;
            }
            '\'' if text.is_empty() => return Some("'".to_owned()),
            '\'' => return Some(text),
            c => text.push(c),
        }
    }
}

fn check(letter: char, count: usize, pattern: &str, parsing: bool) -> SparkResult<()> {
    if matches!(letter, 'Y' | 'W' | 'w' | 'u' | 'e' | 'c') {
        return Err(SparkError::new(
            ErrorKind::IllegalArgument,
            "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN",
            &[("c", &letter.to_string())],
        ));
    }
    let illegal = matches!(letter, 'A' | 'B' | 'n' | 'N' | 'p') || parsing && matches!(letter, 'E' | 'F' | 'q' | 'Q');
    if illegal {
        return Err(SparkError::new(
            ErrorKind::IllegalArgument,
            "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER",
            &[("c", &letter.to_string()), ("pattern", &sql_value(pattern))],
        ));
    }
    let longest = match letter {
        'G' | 'E' | 'M' | 'L' | 'Q' | 'q' | 'z' => 4,
        'X' | 'x' | 'Z' => 5,
        'y' => 6,
        'd' | 'H' | 'h' | 'K' | 'k' | 'm' | 's' => 2,
        'D' => 3,
        'S' => 9,
        'a' | 'F' => 1,
        'V' if count == 2 => 2,
        'O' if count == 1 || count == 4 => 4,
        _ => 0,
    };
    if matches!(letter, 'G' | 'M' | 'L' | 'E' | 'Q' | 'q') && count > 4 {
        let letters = sql_value(pattern);
        return Err(SparkError::new(
            ErrorKind::IllegalArgument,
            "INVALID_DATETIME_PATTERN.LENGTH",
            &[("pattern", &letters)],
        ));
    }
    if count > longest { Err(malformed(pattern)) } else { Ok(()) }
}

pub(super) fn malformed(pattern: &str) -> SparkError {
    SparkError::new(
        ErrorKind::IllegalArgument,
        "INVALID_DATETIME_PATTERN.WITH_SUGGESTION",
        &[("pattern", &sql_value(pattern)), ("docroot", "https://spark.apache.org/docs/latest")],
    )
}

fn unrecognised(pattern: &str) -> SparkError {
    SparkError::new(
        ErrorKind::Upgrade,
        "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION",
        &[("pattern", &sql_value(pattern)), ("config", &sql_conf("spark.sql.legacy.timeParserPolicy"))],
    )
}
