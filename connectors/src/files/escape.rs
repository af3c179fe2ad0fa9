//! Hive's escaping of partition names and values in paths.
//!
//! Knows nothing of types: values are already text.

/// The directory value that stands for null.
pub const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// `column=value`, escaped; `None` and the empty string both become Hive's default partition.
pub fn partition_segment(column: &str, value: Option<&str>) -> String {
    let value = match value {
        None | Some("") => NULL_PARTITION.to_owned(),
        Some(value) => escape(value),
    };
    format!("{}={value}", escape(column))
}

/// Replaces what cannot stand in a path segment by `%XX`.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        let special =
            matches!(c, '"' | '#' | '%' | '\'' | '*' | '/' | ':' | '=' | '?' | '\\' | '{' | '[' | ']' | '^' | '\u{7f}')
                || c < ' ';
        if special {
            escaped.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Undoes [`escape`]; a `%` not followed by two hex digits stands for itself.
pub fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = (byte == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(code) => {
                plain.push(code);
                at += 3;
            }
            None => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).unwrap_or_else(|_| text.to_owned())
}
