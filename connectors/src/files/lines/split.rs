//! Cutting bytes into rows, block by block. Pure.

use memchr::{memchr2, memmem};

use super::Rows;

/// What some editors put before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Cuts blocks of a file into rows; a row that goes on in the next block is kept until then.
pub(super) struct Splitter {
    rows: Rows,
    /// A row that is not over yet.
    open: Vec<u8>,
    /// Whether the last byte was a carriage return, which a line feed may follow.
    after_return: bool,
    /// Whether the first row of a file is still to come.
    at_start: bool,
}

impl Splitter {
    /// `at_start` says whether the first block is the beginning of a file.
    pub(super) fn new(rows: Rows, at_start: bool) -> Self {
        let at_start = at_start && rows != Rows::Files;
        Self { rows, open: Vec::new(), after_return: false, at_start }
    }

    /// Calls `row` with each row that ends in the block.
    pub(super) fn push(&mut self, block: &[u8], row: impl FnMut(&[u8])) {
        match &self.rows {
            Rows::Files => self.open.extend_from_slice(block),
            Rows::Lines => self.lines(block, row),
            Rows::Separated(separator) => {
                let separator = separator.clone();
                self.separated(separator.as_bytes(), block, row);
            }
        }
    }

    /// The last row, if nothing ended it. An empty file is a row where files are.
    pub(super) fn finish(&mut self, mut row: impl FnMut(&[u8])) {
        let open = std::mem::take(&mut self.open);
        let last = self.unmarked(&open);
        if !last.is_empty() || self.rows == Rows::Files {
            row(last);
        }
    }

    fn lines(&mut self, block: &[u8], mut row: impl FnMut(&[u8])) {
        let mut rest = block;
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.after_return) && *first == b'\n' {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let Some(end) = memchr2(b'\n', b'\r', rest) else {
                self.open.extend_from_slice(rest);
                return;
            };
            let (line, next) = rest.split_at(end);
            self.after_return = next.first() == Some(&b'\r');
            rest = next.get(1..).unwrap_or_default();
            if self.open.is_empty() {
                row(self.unmarked(line));
            } else {
                self.open.extend_from_slice(line);
                let mut whole = std::mem::take(&mut self.open);
                row(self.unmarked(&whole));
                whole.clear();
                self.open = whole;
            }
        }
    }

    fn separated(&mut self, separator: &[u8], block: &[u8], mut row: impl FnMut(&[u8])) {
        // A separator may have begun in the block before.
        let mut from = self.open.len().saturating_sub(separator.len() - 1);
        let mut whole = std::mem::take(&mut self.open);
        whole.extend_from_slice(block);
        let mut begin = 0;
        while let Some(found) = memmem::find(whole.get(from..).unwrap_or_default(), separator) {
            row(self.unmarked(whole.get(begin..from + found).unwrap_or_default()));
            begin = from + found + separator.len();
            from = begin;
        }
        whole.drain(..begin);
        self.open = whole;
    }

    /// The first row of a file without a byte order mark.
    fn unmarked<'a>(&mut self, row: &'a [u8]) -> &'a [u8] {
        if std::mem::take(&mut self.at_start) { row.strip_prefix(BYTE_ORDER_MARK).unwrap_or(row) } else { row }
    }
}
