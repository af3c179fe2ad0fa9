//! From the text of a pattern to its items, refusing what Spark refuses.

use super::Item;
use crate::error::{ErrorKind, SparkError, SparkResult, sql_conf, sql_value};

pub(super) fn compile(pattern: &str, parsing: bool) -> SparkResult<Vec<Item>> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut position = 0;
    let items = sequence(&chars, &mut position, pattern, parsing, 0)?;
    Ok(items)
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
            '\'' => literal(&mut items, &quoted(chars, position).ok_or_else(|| unrecognised(pattern))?),
            '[' if depth < 32 => items.push(Item::Optional(sequence(chars, position, pattern, parsing, depth + 1)?)),
            ']' if depth > 0 => return Ok(items),
            '[' | ']' | '{' | '}' | '#' => return Err(unrecognised(pattern)),
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
    let longest = match letter {
        'G' | 'E' | 'M' | 'L' | 'Q' | 'q' | 'O' | 'z' => 4,
        'X' | 'x' | 'Z' => 5,
        'y' => 6,
        'd' | 'H' | 'h' | 'K' | 'k' | 'm' | 's' | 'V' => 2,
        'D' => 3,
        'S' => 9,
        'a' | 'F' => 1,
        _ => {
            return Err(SparkError::new(
                ErrorKind::IllegalArgument,
                "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER",
                &[("c", &letter.to_string()), ("pattern", &sql_value(pattern))],
            ));
        }
    };
    let allowed = match letter {
        'V' => count == 2,
        'O' => count == 1 || count == 4,
        _ => count <= longest,
    };
    if !allowed || (parsing && matches!(letter, 'E' | 'F' | 'q' | 'Q')) {
        return Err(unrecognised(pattern));
    }
    Ok(())
}

fn unrecognised(pattern: &str) -> SparkError {
    SparkError::new(
        ErrorKind::Upgrade,
        "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION",
        &[("pattern", &sql_value(pattern)), ("config", &sql_conf("spark.sql.legacy.timeParserPolicy"))],
    )
}
