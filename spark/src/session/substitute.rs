//! `${name}` in a statement stands for a setting, as with Spark's `spark.sql.variable.substitute`.
//!
//! Settings of the session only: neither the environment nor properties of the process can be read this way.

use crate::conf::RuntimeConf;

/// How often a replaced text may hold further references.
const DEPTH: usize = 40;

/// The text with known references replaced; unknown ones stay as they are.
pub(super) fn substitute(text: &str, conf: &RuntimeConf) -> Option<String> {
    if !text.contains("${") || !conf.is_true("spark.sql.variable.substitute") {
        return None;
    }
    Some(replaced(text, conf, 0))
}

fn replaced(text: &str, conf: &RuntimeConf, depth: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let found = from.find('}').and_then(|end| Some((value(from.get(2..end)?, conf)?, end)));
        match found {
            Some((value, end)) => {
                if depth < DEPTH && value.contains("${") {
                    out.push_str(&replaced(&value, conf, depth + 1));
                } else {
                    out.push_str(&value);
                }
                rest = from.get(end + 1..).unwrap_or_default();
            }
            None => {
                out.push_str("${");
                rest = from.get(2..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

fn value(reference: &str, conf: &RuntimeConf) -> Option<String> {
    if reference.is_empty() || reference.contains(char::is_whitespace) {
        return None;
    }
    let key = match reference.split_once(':') {
        Some(("spark" | "sparkconf" | "hivevar" | "hiveconf", key)) => key,
        Some(_) => return None,
        None => reference,
    };
    conf.get_option(key).filter(|_| !crate::conf::is_secret(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_settings_are_put_in() {
        let conf = RuntimeConf::new(Default::default());
        conf.set("col", "'c'").unwrap();
        assert_eq!(substitute("SELECT ${col}, ${hiveconf:col}", &conf).as_deref(), Some("SELECT 'c', 'c'"));
        assert_eq!(substitute("SELECT '${nope}'", &conf).as_deref(), Some("SELECT '${nope}'"));
        assert_eq!(substitute("SELECT 1", &conf), None);
    }
}
