//! `get_json_object`: paths into JSON texts, with the rules of Hive that Spark keeps.

use super::{Json, parse};

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
    EveryItem,
    /// `.*`, which finds nothing in Spark.
    EveryField,
}

/// How results inside a wildcard are written.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    Raw,
    Quoted,
    Flat,
}

/// `$`, `.name`, `['name']`, `[n]`, `[*]`, `.*`.
fn path(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.strip_prefix('$')?;
    let mut steps = vec![];
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, left) = after.split_at(end);
            match name.trim_start() {
                "" => return None,
                "*" => steps.push(Step::EveryField),
                name => steps.push(Step::Key(name.to_string())),
            }
            rest = left;
        } else if let Some(after) = rest.strip_prefix("['") {
            let (name, left) = after.split_once("']")?;
            if name.is_empty() || name.contains(['\'', '?']) {
                return None;
            }
            steps.push(if name == "*" { Step::EveryField } else { Step::Key(name.to_string()) });
            rest = left;
        } else {
            let (inside, left) = rest.strip_prefix('[')?.split_once(']')?;
            steps.push(if inside == "*" {
                Step::EveryItem
            } else if inside.bytes().all(|byte| byte.is_ascii_digit()) {
                Step::Index(inside.parse().ok()?)
            } else {
                return None;
            });
            rest = left;
        }
    }
    Some(steps)
}

/// Appends what the path finds in a value; whether it found something.
fn walk(value: &Json, style: Style, steps: &[Step], out: &mut Vec<Json>) -> bool {
    match (value, steps) {
        // Flattening takes the items of the last array into the one around it.
        (Json::Array(items), []) if style == Style::Flat => {
            items.iter().fold(false, |found, item| walk(item, style, &[], out) | found)
        }
        (value, []) => {
            out.push(value.clone());
            true
        }
        (Json::Object(fields), [Step::Key(key), rest @ ..]) => {
            // The first field of the name that leads to something counts.
            fields
                .iter()
                .any(|(name, value)| name == key && !matches!(value, Json::Null) && walk(value, style, rest, out))
        }
        (Json::Array(items), [Step::EveryItem, Step::EveryItem, rest @ ..]) => {
            let mut inner = vec![];
            let found = items.iter().fold(false, |found, item| walk(item, Style::Flat, rest, &mut inner) | found);
            out.push(Json::Array(inner));
            found
        }
        (Json::Array(items), [Step::EveryItem, rest @ ..]) if style != Style::Quoted => {
            let next = if style == Style::Raw { Style::Quoted } else { Style::Flat };
            let mut inner = vec![];
            let mut count = 0_usize;
            for item in items {
                count += usize::from(walk(item, next, rest, &mut inner));
            }
            if count > 1 {
                out.push(Json::Array(inner));
            } else {
                out.append(&mut inner);
            }
            count > 0
        }
        (Json::Array(items), [Step::EveryItem, rest @ ..]) => {
            let mut inner = vec![];
            let found = items.iter().fold(false, |found, item| walk(item, Style::Quoted, rest, &mut inner) | found);
            out.push(Json::Array(inner));
            found
        }
        (Json::Array(items), [Step::Index(at), Step::EveryItem, ..]) => {
            let rest = steps.get(1..).unwrap_or_default();
            items.get(*at).is_some_and(|item| walk(item, Style::Quoted, rest, out))
        }
        (Json::Array(items), [Step::Index(at), rest @ ..]) => {
            items.get(*at).is_some_and(|item| walk(item, style, rest, out))
        }
        _ => false,
    }
}

/// `get_json_object(json, path)`: NULL for bad JSON, a bad path, or nothing found; a lone string loses its quotes.
pub(crate) fn object(text: &str, at: &str) -> Option<String> {
    let steps = path(at)?;
    let value = parse::parse(text, super::read::default_grammar()).ok()??;
    let mut found = vec![];
    if !walk(&value, Style::Raw, &steps, &mut found) {
        return None;
    }
    let many = steps.contains(&Step::EveryItem);
    match found.as_slice() {
        [Json::Text(text)] if !many => Some(text.clone()),
        [one] => Some(one.compact()),
        [] => None,
        all => Some(Json::Array(all.to_vec()).compact()),
    }
}
