//! What the allocator is told before a process does anything. It knows nothing of what the process is for.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// mimalloc's own setting, read once when the process starts: after how many milliseconds freed memory goes back.
const PURGE_DELAY: &str = "MIMALLOC_PURGE_DELAY";

/// A query frees what the next one takes again. Given back after mimalloc's 10 ms, it comes back as pages that the kernel has
/// to clear: a tenth of the CPU time of TPC-H at scale factor 1 on executors. Within seconds it is given back all the same.
const MILLISECONDS: &str = "5000";

/// Starts this program anew with the setting, unless it has one. The process keeps its number; where a restart is not to be
/// had, all works as before, only slower.
pub(crate) fn keep_freed_memory() {
    if env::var_os(PURGE_DELAY).is_some() {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let mut again = Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    // Comes back only with an error.
    let _failed = again.args(arguments).env(PURGE_DELAY, MILLISECONDS).exec();
}
