//! The part of an error's text that shows where in the query it happened. It knows nothing of conditions.

use super::{ErrorKind, QueryContext, SparkError};

/// How much of a line is shown before and after the failing part.
const MARGIN: usize = 32;

impl SparkError {
    /// The text a client shows: condition, message, SQLSTATE and, if known, the failing part of the query.
    #[must_use]
    pub fn full_message(&self) -> String {
        let text = self.to_string();
        let Some(context) = self.contexts().first() else { return text };
        match (self.kind(), context) {
            (ErrorKind::Parse, QueryContext::Sql { start, text: sql, .. }) => {
                let (line, column) = line_and_column(sql, *start as usize);
                format!("\n{text} (line {line}, pos {column})\n\n== SQL ==\n{}", caret_text(sql, line, column))
            }
            (ErrorKind::Analysis, QueryContext::Sql { start, text: sql, .. }) => {
                let (line, column) = line_and_column(sql, *start as usize);
                format!("{text}; line {line} pos {column}")
            }
            _ => format!("{text}\n{}", context.summary()),
        }
    }
}

impl QueryContext {
    /// The failing part of the query itself.
    #[must_use]
    pub fn fragment(&self) -> String {
        match self {
            Self::Sql { start, stop, text } => {
                let count = (*stop as usize + 1).saturating_sub(*start as usize);
                text.chars().skip(*start as usize).take(count).collect()
            }
            Self::DataFrame { fragment, .. } => fragment.clone(),
        }
    }

    /// The block that shows the failing part under a heading.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::Sql { start, stop, text } => sql_summary(text, *start as usize, *stop as usize),
            Self::DataFrame { fragment, call_site } => {
                format!("== DataFrame ==\n\"{fragment}\" was called from\n{call_site}\n")
            }
        }
    }
}

/// 1-based line and 0-based column of a character offset.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before: Vec<char> = text.chars().take(offset).collect();
    let line = 1 + before.iter().filter(|c| **c == '\n').count();
    let column = before.iter().rev().take_while(|c| **c != '\n').count();
    (line, column)
}

/// The whole statement with a dashed line and carets below the failing line.
fn caret_text(sql: &str, line: usize, column: usize) -> String {
    let mut out = String::new();
    for (index, text) in sql.split('\n').enumerate() {
        out.push_str(text);
        out.push('\n');
        if index + 1 == line {
            out.push_str(&"-".repeat(column));
            out.push_str("^^^\n");
        }
    }
    out
}

fn sql_summary(sql: &str, start: usize, stop: usize) -> String {
    let text: Vec<char> = sql.chars().collect();
    let stop = stop.min(text.len().saturating_sub(1));
    if text.is_empty() || start > stop {
        return String::new();
    }
    let (line, column) = line_and_column(sql, start);
    let before = text.iter().take(start).rev().take(MARGIN + 1).take_while(|c| **c != '\n').count();
    let after = text.iter().skip(stop + 1).take(MARGIN + 1).take_while(|c| **c != '\n').count();
    let (cut_before, cut_after) = (before > MARGIN, after > MARGIN);
    let (before, after) = (before.min(MARGIN), after.min(MARGIN));
    let shown = text.iter().enumerate().skip(start - before).take(before + stop + 1 - start + after);
    let mut lines: Vec<(String, String)> = vec![Default::default()];
    if cut_before {
        lines = vec![("...".to_owned(), "   ".to_owned())];
    }
    for (index, c) in shown {
        if *c == '\n' {
            lines.push(Default::default());
        } else if let Some((shown, carets)) = lines.last_mut() {
            shown.push(*c);
            if index <= stop {
                carets.push(if index < start { ' ' } else { '^' });
            }
        }
    }
    if let (true, Some((shown, _))) = (cut_after, lines.last_mut()) {
        shown.push_str("...");
    }
    let mut out = format!("== SQL (line {line}, position {}) ==\n", column + 1);
    for (shown, carets) in lines {
        out.push_str(&format!("{shown}\n{carets}\n"));
    }
    out
}
