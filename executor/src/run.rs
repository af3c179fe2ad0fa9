//! Starts an executor: its settings, its runtimes and Ballista's executor process around our stages.

use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::extension::SessionConfigExt;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_core::serde::BallistaPhysicalExtensionCodec;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use datafusion::prelude::SessionConfig;
use firesteel_engine::codec::EngineCodec;
use firesteel_engine::{EngineConfig, SessionRecipe, memory};

use crate::clients::Clients;
use crate::stage::EngineStages;

/// Bytes of one message between processes; the scheduler has the same.
const MESSAGE_BYTES: u32 = 256 << 20;
/// Seconds an idle connection to another executor is kept.
const CLIENT_TTL_SECONDS: u64 = 30;

/// Settings of `firesteel executor`.
#[derive(Debug, Clone)]
pub struct ExecutorSettings {
    /// Host of the scheduler's cluster port.
    pub scheduler_host: String,
    /// The scheduler's cluster port.
    pub scheduler_port: u16,
    /// Address both ports listen on.
    pub bind_host: String,
    /// Name under which others reach this process, for example a pod's address; `None` is the bind address.
    pub external_host: Option<String>,
    /// Shuffle data; 0 picks a free port.
    pub port: u16,
    /// Tasks; 0 picks a free port.
    pub grpc_port: u16,
    /// Partitions that run at once; `None` is one for each core.
    pub vcores: Option<usize>,
    /// Shuffle data and spilled data; `None` is a fresh directory that goes with the process.
    pub work_dir: Option<PathBuf>,
    /// Bytes tasks may reserve together; `None` takes a share of what there is.
    pub memory_limit: Option<u64>,
    /// Seconds to go on trying to reach the scheduler at the start.
    pub connect_timeout_seconds: u16,
    /// Listen unprotected on an address that others can reach.
    pub insecure: bool,
}

impl Default for ExecutorSettings {
    fn default() -> Self {
        Self {
            scheduler_host: "127.0.0.1".into(),
            scheduler_port: 50050,
            bind_host: "127.0.0.1".into(),
            external_host: None,
            port: 50051,
            grpc_port: 50052,
            vcores: None,
            work_dir: None,
            memory_limit: None,
            connect_timeout_seconds: 60,
            insecure: false,
        }
    }
}

/// An executor that cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutorError {
    /// The address is reachable by others and nothing protects it.
    #[error(
        "refusing to listen on {address} without TLS; bind to 127.0.0.1, or pass --insecure where the network is trusted"
    )]
    Unprotected {
        /// The address.
        address: String,
    },
    /// A directory or port cannot be had.
    #[error("failed to prepare the executor")]
    Prepare(#[from] std::io::Error),
    /// The engine cannot be made.
    #[error("failed to start the engine")]
    Engine(#[from] datafusion::error::DataFusionError),
    /// The executor stopped by itself.
    #[error("the executor has failed: {0}")]
    Failed(String),
}

/// Runs an executor until `shutdown` resolves or it fails.
///
/// # Errors
/// When it cannot be started, cannot reach the scheduler, or fails later.
pub async fn run(settings: ExecutorSettings, shutdown: impl Future<Output = ()>) -> Result<(), ExecutorError> {
    check(&settings.bind_host, settings.insecure)?;
    let temporary = match &settings.work_dir {
        Some(directory) => {
            std::fs::create_dir_all(directory)?;
            None
        }
        None => Some(tempfile::Builder::new().prefix("firesteel-executor-").tempdir()?),
    };
    let work_dir = match (&settings.work_dir, &temporary) {
        (Some(directory), _) => directory.clone(),
        (None, Some(directory)) => directory.path().to_owned(),
        (None, None) => std::env::temp_dir(),
    };
    let config = process_config(&settings, work_dir)?;
    tracing::info!(
        executor_id = %config.executor_id,
        vcores = config.vcores,
        data_port = config.port,
        task_port = config.grpc_port,
        "starting the executor"
    );
    tokio::select! {
        ended = start_executor_process(Arc::new(config)) => {
            ended.map_err(|error| ExecutorError::Failed(error.to_string()))
        }
        // Ballista also listens for signals and drains; this is for callers that stop otherwise.
        () = shutdown_after_drain(shutdown) => Ok(()),
    }
}

/// Leaves Ballista time to tell the scheduler and finish what runs, once asked to stop.
async fn shutdown_after_drain(shutdown: impl Future<Output = ()>) {
    shutdown.await;
    tokio::time::sleep(std::time::Duration::from_secs(25)).await;
}

fn process_config(settings: &ExecutorSettings, work_dir: PathBuf) -> Result<ExecutorProcessConfig, ExecutorError> {
    let vcores = settings.vcores.unwrap_or_else(|| EngineConfig::default().target_partitions).max(1);
    let memory_limit = memory::limit(settings.memory_limit, memory::DEFAULT_FRACTION);
    let recipe = SessionRecipe::new(EngineConfig {
        target_partitions: vcores,
        memory_limit: Some(memory_limit),
        spill_dir: Some(work_dir.join("spill")),
        ..EngineConfig::default()
    })?;
    let clients = Clients::new(std::time::Duration::from_secs(CLIENT_TTL_SECONDS));
    let for_config = Arc::clone(&recipe);
    let for_runtime = Arc::clone(&recipe);
    Ok(ExecutorProcessConfig {
        executor_id: uuid::Uuid::new_v4().to_string(),
        bind_host: settings.bind_host.clone(),
        external_host: Some(settings.external_host.clone().unwrap_or_else(|| settings.bind_host.clone())),
        port: or_free(&settings.bind_host, settings.port)?,
        grpc_port: or_free(&settings.bind_host, settings.grpc_port)?,
        scheduler_host: settings.scheduler_host.clone(),
        scheduler_port: settings.scheduler_port,
        scheduler_connect_timeout_seconds: settings.connect_timeout_seconds,
        vcores,
        task_scheduling_policy: TaskSchedulingPolicy::PushStaged,
        work_dir: Some(work_dir.to_string_lossy().into_owned()),
        job_data_ttl_seconds: 6 * 3600,
        job_data_clean_up_interval_seconds: 600,
        grpc_max_decoding_message_size: MESSAGE_BYTES,
        grpc_max_encoding_message_size: MESSAGE_BYTES,
        executor_heartbeat_interval_seconds: 5,
        memory_pool_size: Some(memory_limit),
        // Ballista would keep a runtime by session, and go on with a session's old credentials; the recipe keeps them by options.
        session_runtime_cache_capacity: 0,
        client_ttl: CLIENT_TTL_SECONDS,
        override_execution_engine: Some(Arc::new(EngineStages::new(Arc::new(clients)))),
        override_function_registry: Some(Arc::new(BallistaFunctionRegistry::from(recipe.template()))),
        override_config_producer: Some(Arc::new(move || session_config(&for_config))),
        override_runtime_producer: Some(Arc::new(move |config| for_runtime.runtime_of(config))),
        override_physical_codec: Some(Arc::new(EngineCodec::new(Arc::new(BallistaPhysicalExtensionCodec::default())))),
        ..ExecutorProcessConfig::default()
    })
}

fn session_config(recipe: &SessionRecipe) -> SessionConfig {
    let config = recipe.session_config();
    let ballista = config.ballista_config();
    config.with_option_extension(ballista).with_ballista_grpc_client_max_message_size(MESSAGE_BYTES as usize)
}

/// The port, or a free one for 0: Ballista tells the scheduler the port it was given, so it must be known before.
fn or_free(bind_host: &str, port: u16) -> Result<u16, std::io::Error> {
    if port != 0 {
        return Ok(port);
    }
    std::net::TcpListener::bind((bind_host.trim_matches(['[', ']']), 0))?.local_addr().map(|address| address.port())
}

fn check(bind_host: &str, insecure: bool) -> Result<(), ExecutorError> {
    let loopback = match bind_host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => bind_host == "localhost",
    };
    if loopback || insecure { Ok(()) } else { Err(ExecutorError::Unprotected { address: bind_host.to_owned() }) }
}
