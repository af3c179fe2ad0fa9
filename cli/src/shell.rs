//! The interactive shell: line editing, history, statements over several lines, a few backslash commands.

use std::path::PathBuf;
use std::process::ExitCode;

use rustyline::error::ReadlineError;
use rustyline::{Config, DefaultEditor};

use crate::print;
use crate::sql::{Connection, OnError, Style, run_script};

const HELP: &str = "\
End a statement with ; and press Enter. Ctrl-C cancels, Ctrl-D or \\q leaves.
  \\?            this help
  \\d            tables of the current database      \\d NAME   a table's columns
  \\l            databases
  \\f FORMAT     table, csv, json or quiet
  \\q            leave";

/// Runs the shell until the user leaves.
pub(crate) async fn run(connection: &Connection, mut style: Style) -> anyhow::Result<ExitCode> {
    print::note(&format!("firesteel {} on {}. Type \\? for help.", env!("CARGO_PKG_VERSION"), connection.place()));
    let config = Config::builder().history_ignore_space(true).auto_add_history(false).build();
    let mut editor = DefaultEditor::with_config(config)?;
    let history = history_path();
    if let Some(path) = &history {
        // A first run has no history yet.
        let _absent = editor.load_history(path);
    }
    let mut pending = String::new();
    loop {
        let prompt = if pending.is_empty() { "sql> " } else { "  -> " };
        // Reading blocks on the terminal; queries run only between reads.
        match tokio::task::block_in_place(|| editor.readline(prompt)) {
            Ok(input) if pending.is_empty() && input.trim_start().starts_with('\\') => {
                let _full = editor.add_history_entry(input.trim());
                if !backslash(connection, &mut style, input.trim()).await? {
                    break;
                }
            }
            Ok(input) if pending.is_empty() && matches!(input.trim(), "quit" | "exit" | "quit;" | "exit;") => break,
            Ok(input) => {
                pending.push_str(&input);
                pending.push('\n');
                if is_complete(&pending) {
                    let text = std::mem::take(&mut pending);
                    let _full = editor.add_history_entry(text.trim());
                    run_script(connection, &text, &style, OnError::Continue).await?;
                } else if pending.trim().is_empty() {
                    pending.clear();
                }
            }
            Err(ReadlineError::Interrupted) => pending.clear(),
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(path) = &history {
        if let Some(folder) = path.parent() {
            let _exists = std::fs::create_dir_all(folder);
        }
        if let Err(error) = editor.save_history(path) {
            print::note(&format!("could not save history: {error}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a backslash command; `false` leaves the shell.
async fn backslash(connection: &Connection, style: &mut Style, input: &str) -> anyhow::Result<bool> {
    let (command, argument) = input.split_once(char::is_whitespace).unwrap_or((input, ""));
    let argument = argument.trim().trim_end_matches(';');
    let sql = match command {
        "\\q" => return Ok(false),
        "\\d" if argument.is_empty() => "SHOW TABLES".to_string(),
        "\\d" => format!("DESCRIBE TABLE {argument}"),
        "\\l" => "SHOW DATABASES".to_string(),
        "\\f" => {
            match <crate::args::OutputFormat as clap::ValueEnum>::from_str(argument, true) {
                Ok(format) => style.format = format,
                Err(_) => print::error("expected table, csv, json or quiet"),
            }
            return Ok(true);
        }
        "\\?" | "\\h" => {
            print::note(HELP);
            return Ok(true);
        }
        other => {
            print::error(&format!("unknown command '{other}', try \\?"));
            return Ok(true);
        }
    };
    run_script(connection, &sql, style, OnError::Continue).await?;
    Ok(true)
}

/// Whether the text ends with a `;` outside quotes and comments.
fn is_complete(text: &str) -> bool {
    text.trim_end().ends_with(';') && ends_statement(text)
}

fn history_path() -> Option<PathBuf> {
    std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state/firesteel/sql_history"))
}

/// A last `;` that is part of a string, a comment or a `BEGIN ... END` block does not end a statement: then one more
/// character behind it belongs to the same statement.
fn ends_statement(text: &str) -> bool {
    let open = firesteel_spark::sql::split_statements(text).len();
    let probe = format!("{text}\nx");
    firesteel_spark::sql::split_statements(&probe).len() > open
}
