//! The binary `firesteel`: every process of a cluster and the tools to reach one.
//!
//! This crate is the outermost shell: it reads settings, starts one process and prints for people. It decides nothing about queries.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod allocator;
mod args;
mod config;
mod handover;
mod jobs;
mod print;
mod processes;
mod shell;
mod sql;
mod submit;

use std::process::ExitCode;

/// DataFusion allocates and frees many large buffers from many threads; mimalloc keeps that cheap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Plans nest deeply; planning and protobuf decoding recurse once a level.
const THREAD_STACK: usize = 32 << 20;

/// Least threads of a scheduler. Ballista holds locks of maps while it waits for others; with two threads, both may come to
/// block on such a map while the one who could release it finds no thread to run on.
const SCHEDULER_THREADS: usize = 8;

fn main() -> ExitCode {
    // Several dependencies bring a TLS library; without a choice the first handshake would panic.
    let _already_chosen = rustls::crypto::ring::default_provider().install_default();
    let cli = match config::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(config::ParseError::Clap(error)) => error.exit(),
        Err(config::ParseError::Settings(error)) => return fail(&error.into()),
    };
    match run(cli) {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

fn run(cli: args::Cli) -> anyhow::Result<ExitCode> {
    if let args::Command::Operator(other) | args::Command::Crd(other) = &cli.command {
        return handover::run(cli.command.name(), &other.arguments);
    }
    if cli.command.is_process() {
        allocator::keep_freed_memory();
    }
    let default_filter = if cli.command.is_process() { "info,datafusion=warn,ballista=warn" } else { "error" };
    firesteel_service::telemetry::init(cli.log.as_deref().unwrap_or(default_filter), cli.log_format)
        .map_err(anyhow::Error::msg)?;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().thread_name("firesteel").thread_stack_size(THREAD_STACK);
    if matches!(cli.command, args::Command::Scheduler(_)) {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        builder.worker_threads(cores.max(SCHEDULER_THREADS));
    }
    let runtime = builder.build()?;
    // The main thread's stack is the shell's (often 8 MB), so everything runs on the runtime's own threads.
    let name = cli.command.name();
    let task = runtime.spawn_blocking({
        let handle = runtime.handle().clone();
        move || handle.block_on(dispatch(cli.command))
    });
    let outcome = runtime.block_on(task);
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    outcome.map_err(|error| anyhow::anyhow!("'firesteel {name}' broke: {error}"))?
}

async fn dispatch(command: args::Command) -> anyhow::Result<ExitCode> {
    match command {
        args::Command::Server(server) => processes::server(server).await,
        args::Command::Scheduler(scheduler) => processes::scheduler(scheduler).await,
        args::Command::Executor(executor) => processes::executor(executor).await,
        args::Command::Sql(sql) => sql::run(sql).await,
        args::Command::Submit(submit) => submit::run(submit).await,
        args::Command::Jobs(jobs) => jobs::run(jobs).await,
        args::Command::Operator(other) => handover::run("operator", &other.arguments),
        args::Command::Crd(other) => handover::run("crd", &other.arguments),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    print::error(&format!("{error:#}"));
    ExitCode::FAILURE
}
