//! Everything the tools print. The only place that writes to standard output and standard error.

use std::io::{self, Write};

use anyhow::Context;
use arrow::array::RecordBatch;
use arrow::csv::WriterBuilder;
use arrow::util::display::{DurationFormat, FormatOptions};
use arrow::util::pretty::pretty_format_batches_with_options;

/// Prints a line to standard output.
///
/// # Errors
/// When standard output is closed.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{text}").context("cannot write to standard output")
}

/// Prints a line for people to standard error; a closed standard error is nothing anyone could act on.
pub(crate) fn note(text: &str) {
    let _closed = writeln!(io::stderr(), "{text}");
}

/// Prints an error to standard error.
pub(crate) fn error(text: &str) {
    note(&format!("error: {text}"));
}

/// Prints batches as one aligned table.
///
/// # Errors
/// When a value cannot be formatted or standard output is closed.
pub(crate) fn table(batches: &[RecordBatch]) -> anyhow::Result<()> {
    let options = FormatOptions::new()
        .with_null("NULL")
        .with_duration_format(DurationFormat::Pretty)
        .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f"))
        .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"));
    line(&pretty_format_batches_with_options(batches, &options)?.to_string())
}

/// Prints a batch as CSV, with the header when it is the first.
///
/// # Errors
/// When a type has no CSV form or standard output is closed.
pub(crate) fn csv(batch: &RecordBatch, first: bool) -> anyhow::Result<()> {
    WriterBuilder::new().with_header(first).build(io::stdout()).write(batch).context("cannot write CSV")
}

/// Prints a batch as JSON lines.
///
/// # Errors
/// When a type has no JSON form or standard output is closed.
pub(crate) fn json(batch: &RecordBatch) -> anyhow::Result<()> {
    let mut writer = arrow::json::LineDelimitedWriter::new(io::stdout());
    writer.write(batch).context("cannot write JSON")?;
    writer.finish().context("cannot write JSON")
}
