//! Commands of the operator, which is a binary of its own: this process becomes it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

const BINARY: &str = "firesteel-operator";

/// Becomes the operator's binary: the one beside this one, or the first on the path.
///
/// # Errors
/// Always, since it only returns when there is no such binary.
pub(crate) fn run(command: &str, arguments: &[OsString]) -> anyhow::Result<std::process::ExitCode> {
    let beside = std::env::current_exe().ok().and_then(|own| own.parent().map(|folder| folder.join(BINARY)));
    let binary = beside.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from(BINARY));
    let error = Command::new(&binary).arg(command).args(arguments).exec();
    Err(anyhow::Error::new(error)
        .context(format!("cannot run '{}', which 'firesteel {command}' needs", binary.display())))
}
