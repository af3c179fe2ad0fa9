//! `cargo xtask bench`: starts the benchmark's script in `benches/` with the arguments given. The script owns the servers,
//! the data and the table it prints.

use std::process::{Command, ExitCode};

use anyhow::Context;
use clap::Args;

/// Which benchmark.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Name of a script in `benches/`, for example `tpch`.
    name: String,
    /// Arguments for the script; `--help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

pub(crate) fn run(bench: &Bench) -> anyhow::Result<ExitCode> {
    let script = crate::tidy::root().join("benches").join(&bench.name).with_extension("sh");
    anyhow::ensure!(script.is_file(), "no benchmark '{}': there is no file '{}'", bench.name, script.display());
    let status = Command::new("bash").arg(&script).args(&bench.args).status().context("cannot start bash")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
