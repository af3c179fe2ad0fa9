//! One line to fields.

use super::Dialect;

/// The fields of a record; an absent field (nothing between separators) is `None`. `None` if the line is empty or a
/// comment.
pub(super) fn split(line: &str, dialect: &Dialect) -> Option<Vec<Option<String>>> {
    if line.is_empty() || dialect.comment.is_some_and(|comment| line.starts_with(comment)) {
        return None;
    }
    let mut fields = vec![];
    let mut rest = line;
    loop {
        let (field, left) = field(rest, dialect);
        fields.push(field);
        match left {
            Some(left) => rest = left,
            None => return Some(fields),
        }
    }
}

/// The first field and what follows its separator.
fn field<'l>(text: &'l str, dialect: &Dialect) -> (Option<String>, Option<&'l str>) {
    let start = if dialect.trim_start { text.trim_start_matches([' ', '\t']) } else { text };
    if let Some(quote) = dialect.quote
        && let Some(inside) = text.trim_start_matches(' ').strip_prefix(quote)
        && (dialect.trim_start || text.starts_with(quote))
        && let Some(found) = quoted(inside, quote, dialect)
    {
        return found;
    }
    let end = find_separator(start, dialect);
    let (value, left) = match end {
        Some(at) => (start.get(..at).unwrap_or_default(), start.get(at + dialect.separator.len()..)),
        None => (start, None),
    };
    let value = if dialect.trim_end { value.trim_end_matches([' ', '\t']) } else { value };
    ((!value.is_empty()).then(|| value.to_owned()), left)
}

fn find_separator(text: &str, dialect: &Dialect) -> Option<usize> {
    text.find(&dialect.separator)
}

/// A field in quotes; `None` if more than white space follows the closing quote, when the text is taken as it stands.
fn quoted<'l>(inside: &'l str, quote: char, dialect: &Dialect) -> Option<(Option<String>, Option<&'l str>)> {
    let mut value = String::new();
    let mut characters = inside.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next);
        if dialect.escape == Some(character)
            && character != quote
            && next.is_some_and(|next| next == quote || next == character)
        {
            value.extend(next);
            characters.next();
        } else if character == quote {
            if dialect.escape == Some(quote) && next == Some(quote) {
                value.push(quote);
                characters.next();
                continue;
            }
            let after = inside.get(at + quote.len_utf8()..).unwrap_or_default();
            let after_blank = after.trim_start_matches([' ', '\t']);
            if let Some(left) = after_blank.strip_prefix(dialect.separator.as_str()) {
                return Some((Some(value), Some(left)));
            }
            if after_blank.is_empty() || after_blank.starts_with(['\n', '\r']) {
                return Some((Some(value), None));
            }
            return None;
        } else {
            value.push(character);
        }
    }
    // A quote that never closes holds the rest.
    Some((Some(value), None))
}
