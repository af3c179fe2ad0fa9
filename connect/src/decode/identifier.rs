//! Column names as the DataFrame API writes them: parts separated by dots, odd ones in backticks.

use firesteel_functions::error::{SparkError, SparkResult};

/// The parts of an attribute name.
///
/// # Errors
///
/// `INVALID_ATTRIBUTE_NAME_SYNTAX` for unbalanced or misplaced backticks and dots.
pub(crate) fn attribute(name: &str) -> SparkResult<Vec<String>> {
    let bad = || SparkError::analysis("INVALID_ATTRIBUTE_NAME_SYNTAX", &[("name", name)]);
    let mut parts = vec![];
    let mut part = String::new();
    let mut chars = name.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '`' if quoted => match chars.peek() {
                Some('`') => {
                    part.push('`');
                    chars.next();
                }
                Some('.') | None => quoted = false,
                Some(_) => return Err(bad()),
            },
            _ if quoted => part.push(c),
            '`' if part.is_empty() => quoted = true,
            '`' => return Err(bad()),
            '.' => {
                if chars.peek().is_none() || chars.peek() == Some(&'.') || (parts.is_empty() && part.is_empty()) {
                    return Err(bad());
                }
                parts.push(std::mem::take(&mut part));
            }
            _ => part.push(c),
        }
    }
    if quoted {
        return Err(bad());
    }
    parts.push(part);
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::attribute;

    #[test]
    fn names_split_at_dots_outside_backticks() {
        assert_eq!(attribute("a.b").unwrap(), ["a", "b"]);
        assert_eq!(attribute("`a.b`.c").unwrap(), ["a.b", "c"]);
        assert_eq!(attribute("`a``b`").unwrap(), ["a`b"]);
        assert_eq!(attribute("a b").unwrap(), ["a b"]);
        for bad in ["a..b", "a.", ".a", "`a", "a`b`", "`a`b"] {
            assert!(attribute(bad).is_err(), "{bad}");
        }
    }
}
