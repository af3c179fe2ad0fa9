//! The composition root: makes the engine, opens the doors and keeps them open until asked to stop.
//!
//! ```text
//! run:        BallistaJobRunner -+                run_server: LocalJobRunner -+
//!             LocalJobRunner ----+-> SparkEngine                              +-> SparkEngine
//!                                      |- Spark Connect   (connect_port)
//!                                      |- Flight SQL      (flight_port)
//!             Ballista gRPC            |- REST and page   (rest_port)
//!             (cluster_port)
//! ```

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ballista_scheduler::scheduler_process::start_grpc_service_with_listener;
use firesteel_engine::local::LocalJobRunner;
use firesteel_engine::{JobRunner, SessionRecipe};
use firesteel_functions::SparkError;
use firesteel_service::tasks::{self, Task};
use firesteel_service::{tls, tokens};
use firesteel_spark::session::{EngineParts, SparkEngine};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::access::Guard;
use crate::activity::{Activity, ObservedRunner};
use crate::doors::Protection;
use crate::error::ServeError;
use crate::rest::Rest;
use crate::runner::BallistaJobRunner;
use crate::settings::{SchedulerSettings, ServerSettings};
use crate::submissions::Submissions;
use crate::{cluster, doors, kubernetes, rest};

/// How long doors may take to finish what they are doing once asked to stop.
const CLOSING: Duration = Duration::from_secs(35);

/// Listeners of the doors clients use.
struct Doors {
    connect: TcpListener,
    flight: TcpListener,
    rest: TcpListener,
}

impl Doors {
    async fn open(host: &str, connect: u16, flight: u16, rest: u16) -> Result<Self, ServeError> {
        Ok(Self {
            connect: doors::listen(host, connect).await?,
            flight: doors::listen(host, flight).await?,
            rest: doors::listen(host, rest).await?,
        })
    }
}

/// Runs a cluster's scheduler until `shutdown` resolves or a part of it fails.
///
/// # Errors
/// When a port cannot be had, the address is not safe to listen on, or a part fails later.
pub async fn run(settings: SchedulerSettings, shutdown: impl Future<Output = ()> + Send) -> Result<(), ServeError> {
    let guard = Guard::read(&settings.access)?;
    let protection = match guard.protection() {
        Protection::Tokens => Protection::TokensButExecutors,
        other => other,
    };
    doors::check(&settings.bind_host, settings.insecure, protection)?;
    let host = settings.bind_host.as_str();
    let listeners = Doors::open(host, settings.connect_port, settings.flight_port, settings.rest_port).await?;
    let executors = doors::listen(host, settings.cluster_port).await?;
    let cluster_port = doors::address(&executors)?.port();

    let recipe = SessionRecipe::new(settings.engine())?;
    let partitions = recipe.config().target_partitions;
    let local = LocalJobRunner::new(partitions);
    let external_host = settings.external_host.as_deref().unwrap_or(host);
    let coordinator = cluster::make(&recipe, host, external_host, cluster_port, settings.shuffle_codec).await?;
    let wait = Duration::from_secs(settings.executor_wait_seconds);
    let runner = BallistaJobRunner::new(coordinator.clone(), Arc::clone(&local), partitions, wait);
    let activity = Activity::new();
    let runner = ObservedRunner::new(runner, Arc::clone(&activity));
    let memory_limit = recipe.memory_limit();
    let engine =
        SparkEngine::new(EngineParts { runner, local, recipe, warehouse: settings.warehouse }).map_err(unusable)?;
    let rest = Rest {
        started: Instant::now(),
        memory_limit,
        cores: partitions,
        coordinator: Some(coordinator.clone()),
        submissions: Submissions::open(Arc::clone(&engine), Arc::clone(&activity), settings.state_dir)?,
        activity,
        kubernetes: guard.kubernetes.clone(),
        engine: Arc::clone(&engine),
        instance: uuid::Uuid::new_v4().to_string(),
    };
    tracing::info!(cluster_port, "listening for executors");
    let cluster = tasks::spawn("cluster", async move {
        let ended = start_grpc_service_with_listener(executors, coordinator.ballista).await;
        ended.map_err(|error| ServeError::Cluster(error.to_string()))
    });
    serve(engine, listeners, guard, rest, Some(cluster), shutdown).await
}

/// Runs everything in this process until `shutdown` resolves or a part of it fails.
///
/// # Errors
/// When a port cannot be had, the address is not safe to listen on, or a part fails later.
pub async fn run_server(settings: ServerSettings, shutdown: impl Future<Output = ()> + Send) -> Result<(), ServeError> {
    let guard = Guard::read(&settings.access)?;
    doors::check(&settings.bind_host, settings.insecure, guard.protection())?;
    let host = settings.bind_host.as_str();
    let listeners = Doors::open(host, settings.connect_port, settings.flight_port, settings.rest_port).await?;
    let recipe = SessionRecipe::new(settings.engine())?;
    let local = LocalJobRunner::new(recipe.config().target_partitions);
    let activity = Activity::new();
    let runner = ObservedRunner::new(Arc::clone(&local) as Arc<dyn JobRunner>, Arc::clone(&activity));
    let (memory_limit, cores) = (recipe.memory_limit(), local.threads());
    let engine =
        SparkEngine::new(EngineParts { runner, local, recipe, warehouse: settings.warehouse }).map_err(unusable)?;
    let rest = Rest {
        started: Instant::now(),
        memory_limit,
        cores,
        coordinator: None,
        submissions: Submissions::open(Arc::clone(&engine), Arc::clone(&activity), settings.state_dir)?,
        activity,
        kubernetes: guard.kubernetes.clone(),
        engine: Arc::clone(&engine),
        instance: uuid::Uuid::new_v4().to_string(),
    };
    serve(engine, listeners, guard, rest, None, shutdown).await
}

type Part = Task<Result<(), ServeError>>;

async fn serve(
    engine: Arc<SparkEngine>,
    listeners: Doors,
    guard: Guard,
    rest: Rest,
    cluster: Option<Part>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let Doors { connect, flight, rest: rest_listener } = listeners;
    tracing::info!(
        connect = %doors::address(&connect)?,
        flight = %doors::address(&flight)?,
        rest = %doors::address(&rest_listener)?,
        "ready"
    );
    let closing = CancellationToken::new();
    let door_connect = {
        let (engine, options, closing) = (Arc::clone(&engine), guard.connect(), closing.clone());
        tasks::spawn("connect", async move {
            firesteel_connect::serve(engine, connect, options, closing.cancelled_owned())
                .await
                .map_err(|error| ServeError::Door { door: "Spark Connect", reason: error.to_string() })
        })
    };
    let door_flight = {
        let (engine, options, closing) = (engine, guard.flight(), closing.clone());
        tasks::spawn("flight", async move {
            firesteel_flight::serve(engine, flight, options, closing.cancelled_owned())
                .await
                .map_err(|error| ServeError::Door { door: "Flight SQL", reason: error.to_string() })
        })
    };
    let door_rest = tasks::spawn(
        "rest",
        rest::serve(rest, guard.callers.clone(), rest_listener, closing.clone().cancelled_owned()),
    );

    let known = guard.callers.as_ref().map(|callers| Arc::clone(callers.tokens()));
    let _following = known.map(|known| tasks::spawn("tokens", tokens::follow(known)));
    let _renewing = guard.identity.clone().map(|identity| tasks::spawn("tls", tls::follow(identity)));
    let _looking = guard.kubernetes.clone().map(|reviewer| tasks::spawn("token-reviews", kubernetes::follow(reviewer)));
    let cluster = async {
        match cluster {
            Some(cluster) => ended("cluster", cluster).await,
            None => std::future::pending().await,
        }
    };
    let mut open: FuturesUnordered<_> =
        [("Spark Connect", door_connect), ("Flight SQL", door_flight), ("REST", door_rest)]
            .into_iter()
            .map(|(door, part)| ended(door, part))
            .collect();
    tokio::select! {
        Some(outcome) = open.next() => outcome,
        outcome = cluster => outcome,
        () = shutdown => {
            closing.cancel();
            // What is still open after this is cut.
            let closed = tokio::time::timeout(CLOSING, async {
                while let Some(outcome) = open.next().await {
                    if let Err(error) = outcome {
                        tracing::warn!(%error, "a door did not close well");
                    }
                }
            });
            if closed.await.is_err() {
                tracing::warn!("some doors were still busy and are cut");
            }
            Ok(())
        }
    }
}

fn unusable(error: SparkError) -> ServeError {
    ServeError::Engine(error.into())
}

/// A part that ends takes the process with it: nobody would notice a door that is shut.
async fn ended(door: &'static str, part: Part) -> Result<(), ServeError> {
    part.join().await.map_err(|lost| ServeError::Door { door, reason: lost.to_string() })?
}
