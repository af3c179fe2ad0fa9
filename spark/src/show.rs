//! `DataFrame.show()` and its HTML form: a table drawn in text as Spark draws it.
//!
//! It works on cells that are text already ([`Table`]); values become text in `functions::display`.
//! Rules: <https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.DataFrame.show.html>.

#[cfg(test)]
mod tests;

/// Cells as text, at most as many rows as are shown.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Column names.
    pub header: Vec<String>,
    /// Rows; each as long as the header.
    pub rows: Vec<Vec<String>>,
    /// Whether there are rows beyond these.
    pub more: bool,
}

/// Spark pads every column to this width.
const MIN_WIDTH: usize = 3;

impl Table {
    /// A table of raw cells: control characters are written as escapes, long cells are cut.
    #[must_use]
    pub fn new(header: &[String], rows: Vec<Vec<String>>, more: bool, truncate: usize) -> Self {
        let rows = rows
            .into_iter()
            .map(|row| row.into_iter().map(|cell| cut(&escape_control(&cell), truncate)).collect())
            .collect();
        Self { header: header.iter().map(|name| escape_control(name)).collect(), rows, more }
    }

    /// The table with lines around the cells. Cells are right-aligned when `truncate` is on.
    #[must_use]
    pub fn horizontal(&self, truncate: usize) -> String {
        let mut widths = vec![MIN_WIDTH; self.header.len()];
        for row in std::iter::once(&self.header).chain(&self.rows) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cells(cell));
            }
        }
        let rule = format!("+{}+\n", widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join("+"));
        let mut out = rule.clone();
        let line = |row: &Vec<String>| {
            let row: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| pad(cell, *width, truncate > 0)).collect();
            format!("|{}|\n", row.join("|"))
        };
        out.push_str(&line(&self.header));
        out.push_str(&rule);
        self.rows.iter().for_each(|row| out.push_str(&line(row)));
        out.push_str(&rule);
        if self.more {
            out.push_str(&self.footer());
        }
        out
    }

    /// One line per cell.
    #[must_use]
    pub fn vertical(&self) -> String {
        let names = self.header.iter().map(|name| cells(name)).fold(MIN_WIDTH, usize::max);
        let values = self.rows.iter().flatten().map(|cell| cells(cell)).fold(MIN_WIDTH, usize::max);
        let mut out = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let title = format!("-RECORD {index}");
            out.push_str(&title);
            out.push_str(&"-".repeat((names + values + 5).saturating_sub(title.len())));
            out.push('\n');
            for (name, cell) in self.header.iter().zip(row) {
                out.push_str(&format!(" {} | {} \n", pad(name, names, false), pad(cell, values, false)));
            }
        }
        if self.rows.is_empty() {
            out.push_str("(0 rows)");
        } else if self.more {
            out.push_str(&self.footer());
        }
        out
    }

    /// An HTML table.
    #[must_use]
    pub fn html(&self) -> String {
        let line = |row: &Vec<String>, tag: &str| {
            let row: Vec<String> = row.iter().map(|cell| escape_html(cell)).collect();
            format!("<tr><{tag}>{}</{tag}></tr>\n", row.join(&format!("</{tag}><{tag}>")))
        };
        let mut out = String::from("<table border='1'>\n");
        out.push_str(&line(&self.header, "th"));
        self.rows.iter().for_each(|row| out.push_str(&line(row, "td")));
        out.push_str("</table>\n");
        if self.more {
            out.push_str(&self.footer());
            out.push('\n');
        }
        out
    }

    fn footer(&self) -> String {
        let rows = self.rows.len();
        format!("only showing top {rows} {}", if rows == 1 { "row" } else { "rows" })
    }
}

fn pad(cell: &str, width: usize, right: bool) -> String {
    let space = " ".repeat(width.saturating_sub(cells(cell)));
    if right { format!("{space}{cell}") } else { format!("{cell}{space}") }
}

/// Cells of a terminal: wide East Asian characters take two.
fn cells(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

fn is_wide(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FE10}'..='\u{FE19}' | '\u{FE30}'..='\u{FE6F}' | '\u{FF00}'..='\u{FF60}' | '\u{FFE0}'..='\u{FFE6}')
}

fn cut(cell: &str, limit: usize) -> String {
    if limit == 0 || cell.chars().count() <= limit {
        return cell.to_string();
    }
    if limit < 4 {
        return cell.chars().take(limit).collect();
    }
    let mut short: String = cell.chars().take(limit - 3).collect();
    short.push_str("...");
    short
}

fn escape_control(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{0C}' => out.push_str("\\f"),
            '\u{08}' => out.push_str("\\b"),
            '\u{0B}' => out.push_str("\\v"),
            '\u{07}' => out.push_str("\\a"),
            other => out.push(other),
        }
    }
    out
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
