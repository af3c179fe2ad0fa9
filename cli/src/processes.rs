//! Starting the processes: settings become what each crate asks for, and nothing else happens here.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use firesteel_engine::EngineConfig;
use firesteel_engine::job::JobRunner;
use firesteel_engine::local::LocalJobRunner;
use firesteel_engine::session::SessionRecipe;
use firesteel_executor::ExecutorSettings;
use firesteel_scheduler::{Access, SchedulerSettings, ServerSettings, ShuffleCodec, TlsFiles, TokenReviews};
use firesteel_service::{signals, tasks};
use firesteel_spark::session::{EngineParts, SparkEngine};
use tokio::net::TcpListener;

use crate::args;

/// Runs everything in one process.
pub(crate) async fn server(server: args::Server) -> anyhow::Result<ExitCode> {
    let args::Server { doors, engine, state, cores } = server;
    let access = access(&doors)?;
    let settings = ServerSettings {
        bind_host: doors.bind,
        connect_port: doors.connect_port,
        flight_port: doors.flight_port,
        rest_port: doors.rest_port,
        warehouse: engine.warehouse,
        memory: memory(engine.memory.as_deref())?,
        spill_dir: engine.spill_dir,
        cores,
        state_dir: state.state_dir,
        access,
        insecure: doors.insecure,
    };
    firesteel_scheduler::run_server(settings, signals::shutdown()).await?;
    Ok(ExitCode::SUCCESS)
}

/// Runs a cluster's scheduler.
pub(crate) async fn scheduler(scheduler: args::Scheduler) -> anyhow::Result<ExitCode> {
    let args::Scheduler { doors, engine, state, cluster_port, external_host, executor_wait, shuffle_compression } =
        scheduler;
    let access = access(&doors)?;
    let settings = SchedulerSettings {
        bind_host: doors.bind,
        external_host,
        connect_port: doors.connect_port,
        flight_port: doors.flight_port,
        rest_port: doors.rest_port,
        cluster_port,
        warehouse: engine.warehouse,
        memory: memory(engine.memory.as_deref())?,
        spill_dir: engine.spill_dir,
        executor_wait_seconds: executor_wait,
        shuffle_codec: match shuffle_compression {
            args::Compression::Auto => ShuffleCodec::Auto,
            args::Compression::None => ShuffleCodec::None,
            args::Compression::Lz4 => ShuffleCodec::Lz4,
            args::Compression::Zstd => ShuffleCodec::Zstd,
        },
        state_dir: state.state_dir,
        access,
        insecure: doors.insecure,
    };
    firesteel_scheduler::run(settings, signals::shutdown()).await?;
    Ok(ExitCode::SUCCESS)
}

/// Runs one executor.
pub(crate) async fn executor(executor: args::Executor) -> anyhow::Result<ExitCode> {
    let Some((host, port)) = executor.scheduler.rsplit_once(':') else {
        bail!("bad scheduler address '{}': expected HOST:PORT", executor.scheduler)
    };
    let port = port.parse().with_context(|| format!("bad port in scheduler address '{}'", executor.scheduler))?;
    let settings = ExecutorSettings {
        scheduler_host: host.to_string(),
        scheduler_port: port,
        bind_host: executor.bind,
        external_host: executor.external_host,
        port: executor.data_port,
        grpc_port: executor.task_port,
        vcores: executor.cores,
        work_dir: executor.work_dir,
        memory_limit: memory(executor.memory.as_deref())?,
        insecure: executor.insecure,
        ..ExecutorSettings::default()
    };
    firesteel_executor::run(settings, signals::shutdown()).await?;
    Ok(ExitCode::SUCCESS)
}

/// A Spark Connect server inside this process, on a loopback port of its own; it ends with this value.
pub(crate) struct Embedded {
    port: u16,
    _server: tasks::Task<()>,
}

impl Embedded {
    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

/// Starts an engine and its Spark Connect door inside this process.
pub(crate) async fn embedded(engine: &args::Engine) -> anyhow::Result<Embedded> {
    let recipe = SessionRecipe::new(EngineConfig {
        memory_limit: memory(engine.memory.as_deref())?,
        spill_dir: engine.spill_dir.clone(),
        ..EngineConfig::default()
    })?;
    let local = LocalJobRunner::new(recipe.config().target_partitions);
    let runner: Arc<dyn JobRunner> = Arc::clone(&local) as Arc<dyn JobRunner>;
    let engine = SparkEngine::new(EngineParts { runner, local, recipe, warehouse: engine.warehouse.clone() })?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let server = tasks::spawn("embedded server", async move {
        let options = firesteel_connect::ConnectOptions::default();
        if let Err(error) = firesteel_connect::serve(engine, listener, options, std::future::pending()).await {
            tracing::error!(%error, "the embedded server ended");
        }
    });
    Ok(Embedded { port, _server: server })
}

/// What protects the doors.
fn access(doors: &args::Doors) -> anyhow::Result<Access> {
    let files = doors.tls_cert.clone().zip(doors.tls_key.clone());
    let tls = files.map(|(certificates, private_key)| TlsFiles { certificates, private_key });
    let args::Reviews { token_reviews, token_review_audiences, token_review_folder } = doors.reviews.clone();
    let reviews = match token_reviews {
        None => None,
        Some(cluster) => Some(TokenReviews {
            server: TokenReviews::server()?,
            folder: token_review_folder,
            namespace: cluster.namespace,
            cluster: cluster.name,
            audiences: token_review_audiences,
        }),
    };
    Ok(Access { tokens: doors.tokens.clone(), reviews, tls })
}

/// Bytes of a size such as `4g`, `512m`, `1024k` or `1000000`.
fn memory(text: Option<&str>) -> anyhow::Result<Option<u64>> {
    let Some(text) = text else { return Ok(None) };
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match &lower[digits.len()..] {
        "" | "b" => 1,
        "k" | "kb" | "kib" | "ki" => 1 << 10,
        "m" | "mb" | "mib" | "mi" => 1 << 20,
        "g" | "gb" | "gib" | "gi" => 1 << 30,
        "t" | "tb" | "tib" | "ti" => 1 << 40,
        _ => bail!("bad size '{text}': expected for example 4g or 512m"),
    };
    let number: f64 = digits.trim().parse().with_context(|| format!("bad size '{text}': expected for example 4g"))?;
    let bytes = number * factor as f64;
    if !(1.0..1e18).contains(&bytes) {
        bail!("bad size '{text}': out of range");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked above")]
    Ok(Some(bytes as u64))
}

#[cfg(test)]
mod tests {
    use super::memory;

    #[test]
    fn sizes_parse() {
        assert_eq!(memory(Some("4g")).unwrap(), Some(4 << 30));
        assert_eq!(memory(Some("1.5M")).unwrap(), Some(3 << 19));
        assert_eq!(memory(Some("512Mi")).unwrap(), Some(512 << 20));
        assert_eq!(memory(None).unwrap(), None);
        for bad in ["", "g", "4x", "-1g", "1e30t"] {
            assert!(memory(Some(bad)).is_err(), "{bad}");
        }
    }
}
