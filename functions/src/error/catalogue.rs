//! Spark's catalogue of error conditions: message templates and SQLSTATEs. It knows nothing of values or clients.
//!
//! The data is read on the first error only, because a server that never fails should not pay for it.

use std::collections::HashMap;
use std::sync::OnceLock;

#[derive(serde::Deserialize)]
struct Condition(String, Option<String>, HashMap<String, String>);

static DATA: &str = include_str!("../../data/error-conditions.json");

fn conditions() -> &'static HashMap<String, Condition> {
    static CONDITIONS: OnceLock<HashMap<String, Condition>> = OnceLock::new();
    CONDITIONS.get_or_init(|| serde_json::from_str(DATA).unwrap_or_default())
}

/// The message template and SQLSTATE of `CONDITION` or `CONDITION.SUBCLASS`; `None` if Spark has no such condition.
pub(super) fn template(condition: &str) -> Option<(String, Option<&'static str>)> {
    let (main, sub) = match condition.split_once('.') {
        Some((main, sub)) => (main, Some(sub)),
        None => (condition, None),
    };
    let entry = conditions().get(main)?;
    let message = match sub {
        Some(sub) => format!("{} {}", entry.0, entry.2.get(sub)?),
        None => entry.0.clone(),
    };
    Some((message, entry.1.as_deref()))
}

/// Replaces every `<name>` that is a given parameter; other angle brackets stay.
pub(super) fn fill(template: &str, parameters: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some(open) = rest.find('<') {
        let (before, from_open) = rest.split_at(open);
        text.push_str(before);
        let name = from_open[1..].split_once('>').map(|(name, _)| name);
        let value = name.and_then(|name| parameters.iter().find(|(key, _)| *key == name));
        if let (Some(name), Some((_, value))) = (name, value) {
            text.push_str(value);
            rest = &from_open[name.len() + 2..];
        } else if name == Some("docroot") {
            text.push_str("https://spark.apache.org/docs/latest");
            rest = &from_open["<docroot>".len()..];
        } else {
            text.push('<');
            rest = &from_open[1..];
        }
    }
    text.push_str(rest);
    text
}
