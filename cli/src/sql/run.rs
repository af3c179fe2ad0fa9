//! Running the statements of a text, printing rows as they come, and stopping on Ctrl-C.

use std::process::ExitCode;
use std::time::Instant;

use arrow::array::RecordBatch;
use firesteel_connect::client::{ClientError, Event};

use super::progress::Progress;
use super::{Connection, OnError, Style};
use crate::args::OutputFormat;
use crate::print;

/// Runs all statements of a text. Failures are printed and told by the exit code.
///
/// # Errors
/// When output cannot be written.
pub(crate) async fn run_script(
    connection: &Connection,
    text: &str,
    style: &Style,
    on_error: OnError,
) -> anyhow::Result<ExitCode> {
    let mut outcome = ExitCode::SUCCESS;
    for range in firesteel_spark::sql::split_statements(text) {
        let statement = text.get(range).unwrap_or_default();
        let started = Instant::now();
        match run_one(connection, statement, style).await? {
            Ok(rows) => {
                if style.echo {
                    let what = match rows {
                        Some(1) => "1 row in ".to_string(),
                        Some(rows) => format!("{rows} rows in "),
                        None => "done in ".to_string(),
                    };
                    print::note(&format!("{what}{:.2} s", started.elapsed().as_secs_f64()));
                }
            }
            Err(error) => {
                print::error(&error.to_string());
                outcome = ExitCode::FAILURE;
                if on_error == OnError::Stop {
                    break;
                }
            }
        }
    }
    Ok(outcome)
}

/// Runs one statement. The outer result is about our own output, the inner one about the statement; the count is `None`
/// when the statement has no columns.
async fn run_one(
    connection: &Connection,
    statement: &str,
    style: &Style,
) -> anyhow::Result<Result<Option<u64>, ClientError>> {
    let mut rows = connection.client.sql(statement);
    let mut progress = Progress::start(style.progress);
    let mut printer = Printer::new(style);
    loop {
        let event = tokio::select! {
            event = rows.next() => event,
            _ = tokio::signal::ctrl_c() => {
                // The statement ends with the server's own error, which says that it was cancelled.
                if let Err(error) = connection.client.interrupt().await {
                    return Ok(Err(error));
                }
                continue;
            }
        };
        match event {
            Ok(Some(Event::Progress { done, total, stages, .. })) => progress.update(done, total, stages),
            Ok(Some(Event::Batch(batch))) => {
                progress.clear();
                printer.batch(batch)?;
            }
            Ok(None) => break,
            Err(error) => return Ok(Err(error)),
        }
    }
    progress.clear();
    Ok(Ok(printer.finish()?))
}

/// Prints rows in the wanted format; only the table format holds rows back, and only as many as it prints.
struct Printer<'a> {
    style: &'a Style,
    held: Vec<RecordBatch>,
    held_rows: usize,
    rows: u64,
    first: bool,
    columns: usize,
}

impl<'a> Printer<'a> {
    fn new(style: &'a Style) -> Self {
        Self { style, held: vec![], held_rows: 0, rows: 0, first: true, columns: 0 }
    }

    fn batch(&mut self, batch: RecordBatch) -> anyhow::Result<()> {
        self.rows += batch.num_rows() as u64;
        self.columns = batch.num_columns();
        if self.columns == 0 {
            return Ok(());
        }
        match self.style.format {
            OutputFormat::Table => {
                let room = self.style.max_rows.saturating_sub(self.held_rows);
                if room > 0 || self.held.is_empty() {
                    let part = batch.slice(0, batch.num_rows().min(room));
                    self.held_rows += part.num_rows();
                    self.held.push(part);
                }
            }
            OutputFormat::Csv => print::csv(&batch, self.first)?,
            OutputFormat::Json => print::json(&batch)?,
            OutputFormat::Quiet => {}
        }
        self.first = false;
        Ok(())
    }

    fn finish(self) -> anyhow::Result<Option<u64>> {
        if !self.held.is_empty() {
            print::table(&self.held)?;
            let left = self.rows.saturating_sub(self.held_rows as u64);
            if left > 0 {
                print::note(&format!("... and {left} more rows (--max-rows, or --format csv)"));
            }
        }
        Ok((self.columns > 0).then_some(self.rows))
    }
}
