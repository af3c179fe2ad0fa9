//! `firesteel sql`: statements from the command line, files or a shell, over Spark Connect, to a server or to an engine
//! inside this process.

mod connection;
mod progress;
mod run;

use std::io::{IsTerminal, Read};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use crate::args::{OutputFormat, ProgressWhen, Sql};
use crate::shell;

pub(crate) use connection::{Connection, open};
pub(crate) use run::run_script;

/// How output looks.
#[derive(Debug, Clone)]
pub(crate) struct Style {
    /// Row format.
    pub(crate) format: OutputFormat,
    /// Rows of a table that are printed.
    pub(crate) max_rows: usize,
    /// When to show progress.
    pub(crate) progress: ProgressWhen,
    /// Print what each statement did, and its time.
    pub(crate) echo: bool,
}

/// What a failing statement does to the ones after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnError {
    /// They do not run.
    Stop,
    /// They run.
    Continue,
}

/// Runs the command.
pub(crate) async fn run(args: Sql) -> anyhow::Result<ExitCode> {
    let mut scripts = args.execute.clone();
    for file in &args.file {
        scripts.push(read(file)?);
    }
    let piped = scripts.is_empty() && !std::io::stdin().is_terminal();
    if piped {
        scripts.push(read(Path::new("-"))?);
    }
    let connection = open(&args.target).await?;
    let interactive = scripts.is_empty();
    let style = Style {
        format: args.format,
        max_rows: args.max_rows,
        progress: args.target.progress,
        echo: interactive && args.format == OutputFormat::Table,
    };
    let on_error = if args.keep_going { OnError::Continue } else { OnError::Stop };
    let mut outcome = ExitCode::SUCCESS;
    if interactive {
        outcome = shell::run(&connection, style).await?;
    } else {
        for script in scripts {
            let result = run_script(&connection, &script, &style, on_error).await?;
            if result != ExitCode::SUCCESS {
                outcome = result;
                if on_error == OnError::Stop {
                    break;
                }
            }
        }
    }
    connection.close().await;
    Ok(outcome)
}

/// Reads a file, or standard input for `-`.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read '{}'", path.display()))
}
