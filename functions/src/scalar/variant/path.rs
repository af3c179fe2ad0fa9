//! Paths into variants: `$`, `.name`, `['name']`, `["name"]`, `[0]`.

use super::Node;

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// A field.
    Key(String),
    /// An item.
    Index(usize),
}

/// The steps of a path; `None` if it is none.
pub(super) fn parse(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.strip_prefix('$')?;
    let mut steps = vec![];
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let (name, left) = after.split_at(after.find(['.', '[']).unwrap_or(after.len()));
            if name.is_empty() {
                return None;
            }
            steps.push(Step::Key(name.to_owned()));
            rest = left;
            continue;
        }
        let inside = rest.strip_prefix('[')?;
        let quote = inside.chars().next().filter(|first| matches!(first, '\'' | '"'));
        if let Some(quote) = quote {
            let (name, left) = inside.get(1..)?.split_once(quote)?;
            if name.is_empty() {
                return None;
            }
            steps.push(Step::Key(name.to_owned()));
            rest = left.strip_prefix(']')?;
        } else {
            let (digits, left) = inside.split_once(']')?;
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            steps.push(Step::Index(digits.parse().ok()?));
            rest = left;
        }
    }
    Some(steps)
}

/// What a path leads to.
pub(super) fn find<'n>(node: &'n Node, steps: &[Step]) -> Option<&'n Node> {
    steps.iter().try_fold(node, |node, step| match (node, step) {
        (Node::Object(fields), Step::Key(key)) => fields.iter().find(|(name, _)| name == key).map(|(_, value)| value),
        (Node::Array(items), Step::Index(at)) => items.get(*at),
        _ => None,
    })
}

/// The first steps of a path as text.
pub(super) fn text(steps: &[Step]) -> String {
    let mut out = "$".to_owned();
    for step in steps {
        match step {
            Step::Key(key) if key.contains(['.', '[']) => out.push_str(&format!("['{key}']")),
            Step::Key(key) => out.push_str(&format!(".{key}")),
            Step::Index(at) => out.push_str(&format!("[{at}]")),
        }
    }
    out
}
