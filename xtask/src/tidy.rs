//! The laws of the house, as stated in ARCHITECTURE.md. Each check returns what it found; nothing is changed.

mod dependencies;
mod files;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::say;

/// The workspace's root folder. `cargo run` says which one: the binary may have been built in another checkout that shares
/// its build folder.
pub(crate) fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    own.parent().map_or(own.clone(), PathBuf::from)
}

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let mut found = dependencies::check(&root())?;
    found.extend(files::check(&root())?);
    for problem in &found {
        say(&format!("tidy: {problem}"));
    }
    say(&format!("tidy: {} problems", found.len()));
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
