//! CSV texts of one record: cutting them into fields and back, and the functions over them.

mod functions;
mod infer;
mod line;
mod read;
mod write;

pub(crate) use functions::all;
pub(crate) use read::Scalars;

use crate::error::{ErrorKind, SparkError, SparkResult};
use crate::scalar::document::Options;

/// How fields are told apart.
#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    /// Between fields.
    separator: String,
    /// Around fields; `None` for never.
    quote: Option<char>,
    /// Before a quote inside quotes; `None` for none.
    escape: Option<char>,
    /// Starts a line that is no record.
    comment: Option<char>,
    /// Drop white space at the start of fields.
    trim_start: bool,
    /// Drop white space at the end of fields.
    trim_end: bool,
}

impl Dialect {
    /// The dialect that options say; `trim` is what happens to white space unless they do.
    ///
    /// # Errors
    /// An empty separator, or more than one character where one is needed.
    pub(crate) fn new(options: &Options, trim: bool) -> SparkResult<Self> {
        let separator = options.get("sep").or_else(|| options.get("delimiter")).unwrap_or(",");
        let separator = separator.replace("\\t", "\t");
        if separator.is_empty() {
            return Err(illegal("Delimiter cannot be empty".to_owned()));
        }
        let one = |name: &str, default: Option<char>| match options.get(name) {
            None => Ok(default),
            Some(text) => {
                let mut characters = text.chars();
                match (characters.next(), characters.next()) {
                    (first, None) => Ok(first.filter(|c| *c != '\0')),
                    _ => Err(illegal(format!("{name} cannot be more than one character"))),
                }
            }
        };
        Ok(Self {
            separator,
            quote: one("quote", Some('"'))?,
            escape: one("escape", Some('\\'))?,
            comment: one("comment", None)?,
            trim_start: options.flag("ignoreLeadingWhiteSpace", trim)?,
            trim_end: options.flag("ignoreTrailingWhiteSpace", trim)?,
        })
    }
}

fn illegal(message: String) -> SparkError {
    SparkError::new(ErrorKind::IllegalArgument, "INTERNAL_ERROR", &[("message", &message)]).with_message(message)
}
