//! House work: `cargo xtask tidy` checks the laws of the house, `cargo xtask bench` runs the benchmarks.
//! It knows the workspace's files and metadata, never the crates' code.

mod bench;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "House work for Firesteel")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check the laws of the house: dependency edges, signs on files, file sizes, forbidden names.
    Tidy,
    /// Run a benchmark and print a table against its peers.
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Tidy => tidy::run(),
        Task::Bench(bench) => bench::run(&bench),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints a line for people.
#[expect(clippy::print_stderr, reason = "xtask talks to a developer's terminal")]
fn say(text: &str) {
    eprintln!("{text}");
}
