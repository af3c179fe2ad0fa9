//! The operator of Firesteel: custom resources in, pods and jobs out.
//!
//! It is a binary of its own, since an operator needs no engine. It knows clusters by the REST door of their scheduler only.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::cast_possible_truncation,
        clippy::indexing_slicing
    )
)]

mod activator;
mod api;
mod args;
mod control;
mod crd;
mod decide;
mod engine;
mod leader;
mod metrics;
mod run;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
    let outcome = match args::Cli::parse().command {
        args::Command::Crd => print(),
        args::Command::Run(run) => start(*run),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There is nobody left to tell that standard error is closed.
            let _closed = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn print() -> anyhow::Result<()> {
    std::io::stdout().write_all(crd::yaml()?.as_bytes())?;
    Ok(())
}

fn start(args: args::Run) -> anyhow::Result<()> {
    let builder =
        tracing_subscriber::fmt().with_env_filter(EnvFilter::try_new(&args.log)?).with_writer(std::io::stderr);
    if args.log_json {
        builder.json().init();
    } else {
        builder.init();
    }
    // Its work is waiting for answers, so two threads are plenty and keep it small.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("asked to stop");
        };
        run::run(args, shutdown).await
    })
}
