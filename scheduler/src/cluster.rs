//! The part of Ballista that coordinates executors: how it is configured and made.
//!
//! Plans are made elsewhere and submitted ready; sessions live in `spark`. Only stages, tasks and executors are known here.

mod members;

use std::sync::Arc;

use async_trait::async_trait;
use ballista_core::config::{
    BALLISTA_BROADCAST_JOIN_THRESHOLD_BYTES, BALLISTA_SHUFFLE_COMPRESSION_CODEC, TaskSchedulingPolicy,
};
use ballista_core::extension::SessionConfigExt;
use ballista_core::serde::BallistaPhysicalExtensionCodec;
use ballista_scheduler::cluster::{BallistaCluster, ClusterState, JobState};
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::scheduler_process::create_scheduler;
use ballista_scheduler::scheduler_server::{JobIdGenerator, SchedulerServer};
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use firesteel_engine::SessionRecipe;
use firesteel_engine::codec::EngineCodec;
use firesteel_engine::session::profile;
use firesteel_engine::session::travel;

use crate::error::ServeError;
use crate::settings::ShuffleCodec;
pub(crate) use members::Members;

/// Ballista's scheduler, for the one kind of plans there is.
pub(crate) type Ballista = SchedulerServer<LogicalPlanNode, PhysicalPlanNode>;

/// Ballista's scheduler and where it puts jobs that have ended.
#[derive(Clone)]
pub(crate) struct Coordinator {
    pub(crate) ballista: Ballista,
    pub(crate) finished_jobs: Arc<dyn JobState>,
    pub(crate) members: Arc<Members>,
    pub(crate) shuffle_codec: ShuffleCodec,
}

/// Bytes of one message between scheduler and executors.
pub(crate) const MESSAGE_BYTES: usize = 256 << 20;

/// Makes the coordinator; nothing listens yet.
pub(crate) async fn make(
    recipe: &Arc<SessionRecipe>,
    bind_host: &str,
    external_host: &str,
    port: u16,
    shuffle_codec: ShuffleCodec,
) -> Result<Coordinator, ServeError> {
    let for_config = Arc::clone(recipe);
    let for_state = Arc::clone(recipe);
    let config = SchedulerConfig {
        bind_host: bind_host.to_owned(),
        external_host: external_host.to_owned(),
        bind_port: port,
        scheduling_policy: TaskSchedulingPolicy::PushStaged,
        task_distribution: TaskDistributionPolicy::RoundRobin,
        // The runner removes a job's data once its rows are fetched; this is for jobs whose reader never came.
        finished_job_data_clean_up_interval_seconds: 3600,
        finished_job_state_clean_up_interval_seconds: 600,
        // Executors send a heartbeat every five seconds. Most dead ones are noticed sooner, by `Members`.
        executor_timeout_seconds: 20,
        expire_dead_executor_interval_seconds: 1,
        executor_termination_grace_period: 60,
        no_executors_grace_period_seconds: 180,
        grpc_server_max_decoding_message_size: u32::try_from(MESSAGE_BYTES).unwrap_or(u32::MAX),
        grpc_server_max_encoding_message_size: u32::try_from(MESSAGE_BYTES).unwrap_or(u32::MAX),
        grpc_client_max_message_size: u32::try_from(MESSAGE_BYTES).unwrap_or(u32::MAX),
        override_config_producer: Some(Arc::new(move || session_config(for_config.session_config(), shuffle_codec))),
        override_session_builder: Some(Arc::new(move |config| for_state.session_state(config))),
        override_physical_codec: Some(Arc::new(codec())),
        job_id_generator: Some(Arc::new(JobIds)),
        ..SchedulerConfig::default()
    };
    let finished_jobs = BallistaCluster::new_from_config(&config).await.map_err(failed)?.job_state();
    let members = Members::new();
    let state: Arc<dyn ClusterState> = Arc::clone(&members) as Arc<dyn ClusterState>;
    let cluster = BallistaCluster::new(state, Arc::clone(&finished_jobs));
    let ballista = create_scheduler(cluster, Arc::new(config)).await.map_err(failed)?;
    Ok(Coordinator { ballista, finished_jobs, members, shuffle_codec })
}

/// Names of jobs: random ones. Ballista's own come from a clock that wakes a thread a thousand times a second.
struct JobIds;

#[async_trait]
impl JobIdGenerator for JobIds {
    async fn next_id(&self) -> String {
        uuid::Uuid::new_v4().simple().to_string()
    }
}

/// How plans travel to executors.
pub(crate) fn codec() -> EngineCodec {
    EngineCodec::new(Arc::new(BallistaPhysicalExtensionCodec::default()))
}

/// A session's options with what a cluster needs.
pub(crate) fn session_config(mut config: SessionConfig, shuffle_codec: ShuffleCodec) -> SessionConfig {
    let options = config.options_mut();
    profile::cluster(options);
    travel::pack(options);
    let ballista = config.ballista_config();
    config
        .with_option_extension(ballista)
        // The adaptive planner hangs when an executor that holds finished output is lost.
        .with_ballista_adaptive_query_planner(false)
        // Ballista would replace a shuffled join by a broadcast one after both of its sides have been shuffled.
        .set_usize(BALLISTA_BROADCAST_JOIN_THRESHOLD_BYTES, profile::BROADCAST_BYTES)
        .set_str(BALLISTA_SHUFFLE_COMPRESSION_CODEC, shuffle_codec.name(false))
        .with_ballista_grpc_client_max_message_size(MESSAGE_BYTES)
}

/// For a job that reads little.
pub(crate) fn reading_little(config: SessionConfig, shuffle_codec: ShuffleCodec) -> SessionConfig {
    config.set_str(BALLISTA_SHUFFLE_COMPRESSION_CODEC, shuffle_codec.name(true))
}

fn failed(error: ballista_core::error::BallistaError) -> ServeError {
    ServeError::Cluster(error.to_string())
}
