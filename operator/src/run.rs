//! The operator's process: watches, controllers, health and metrics, until it is asked to stop.

mod copies;
mod kubeflow;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::routing::get;
use futures::StreamExt;
use futures::channel::mpsc;
use futures::future::{BoxFuture, FutureExt, Ready};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Pod;
use kube::api::Api;
use kube::runtime::controller::{self, Action, Config, Controller};
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher;
use kube::{Client, Resource, ResourceExt};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::activator::{Activator, Name};
use crate::api::{CLUSTER, FiresteelCluster, FiresteelJob, FiresteelSchedule, FiresteelToken};
use crate::args::Run;
use crate::control::{self, Context, ControlError};
use crate::decide::{self, private};
use crate::engine::Engine;
use crate::leader::Candidate;
use crate::metrics::{Kind, Metrics};
use copies::Copy;

/// How long what is known of a cluster may outlive it.
const SWEPT_EVERY: Duration = Duration::from_secs(10);
/// Pods that are ours.
const OURS: &str = "app.kubernetes.io/managed-by=firesteel-operator";

/// Runs until `shutdown` resolves.
///
/// # Errors
/// When the API server cannot be reached at the start, or the lease is lost.
pub(crate) async fn run(args: Run, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
    let client = Client::try_default().await.context("cannot find an API server")?;
    let metrics = Arc::new(Metrics::default());
    let door =
        TcpListener::bind(&args.health_bind).await.with_context(|| format!("cannot listen on {}", args.health_bind))?;
    let (stop, stopped) = watch::channel(false);
    let health = serve(door, Arc::clone(&metrics), until(stopped.clone()));
    let identity = std::env::var("HOSTNAME").unwrap_or_else(|_| format!("process-{}", std::process::id()));
    let candidate =
        args.leader_election.then(|| Candidate::new(client.clone(), &args.lease_namespace, identity.clone()));
    tokio::pin!(health, shutdown);
    if let Some(candidate) = &candidate {
        tracing::info!("waiting to lead");
        tokio::select! {
            () = candidate.lead() => {}
            ended = &mut health => return ended,
            () = &mut shutdown => return Ok(()),
        }
    }
    metrics.leads();
    tracing::info!("working");
    let work = controllers(&args, client, identity, Arc::clone(&metrics), stopped);
    let lost = async {
        match &candidate {
            Some(candidate) => candidate.keep().await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(work);
    let outcome = tokio::select! {
        ended = &mut work => ended,
        ended = &mut health => ended,
        () = lost => Err(anyhow::anyhow!("the lease is lost")),
        () = &mut shutdown => {
            let _nobody_listens = stop.send(true);
            // Looks that have begun come to their end.
            let finished = tokio::time::timeout(Duration::from_secs(20), &mut work).await;
            finished.unwrap_or(Ok(()))
        }
    };
    if let Some(candidate) = &candidate {
        candidate.release().await;
    }
    outcome
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that nobody can say it any more.
    let _gone = stopped.wait_for(|stop| *stop).await;
}

fn scoped<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = NamespaceResourceScope>,
    K::DynamicType: Default,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// Tells of watches that are interrupted; looks that failed have been told of.
fn told<T>(outcome: Result<T, controller::Error<ControlError, watcher::Error>>) -> Ready<()> {
    if let Err(controller::Error::QueueError(error)) = outcome {
        tracing::warn!(%error, "a watch was interrupted");
    }
    futures::future::ready(())
}

async fn controllers(
    args: &Run,
    client: Client,
    identity: String,
    metrics: Arc<Metrics>,
    stopped: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let namespace = args.namespace.as_deref();
    let compat = kubeflow::compat(&args.compat, namespace)?;
    if compat.is_some() {
        kubeflow::defined(&client, namespace).await?;
    }
    let all = watcher::Config::default;
    let mut pods = Copy::of(scoped::<Pod>(&client, namespace), all().labels(OURS));
    let mut clusters = Copy::of(scoped::<FiresteelCluster>(&client, namespace), all());
    let mut jobs = Copy::of(scoped::<FiresteelJob>(&client, namespace), all());
    let mut schedules = Copy::of(scoped::<FiresteelSchedule>(&client, namespace), all());
    let mut tokens = Copy::of(scoped::<FiresteelToken>(&client, namespace), all());
    let (woken, wakes) = mpsc::unbounded();
    let patience = Duration::from_secs(args.activator_hold_seconds);
    let waiting_room = |address| Activator::new(address, patience, woken, Arc::clone(&metrics));
    let activator = args.activator_address.map(waiting_room);
    let context = Arc::new(Context {
        engine: Engine::new()?,
        recorder: Recorder::new(
            client.clone(),
            Reporter { controller: "firesteel-operator".into(), instance: Some(identity) },
        ),
        metrics,
        pods: pods.store(),
        clusters: clusters.store(),
        jobs: jobs.store(),
        tokens: tokens.store(),
        compat,
        poll: args.poll_seconds,
        histories: Mutex::new(HashMap::new()),
        stays: Mutex::new(HashMap::new()),
        refused: Mutex::new(HashMap::new()),
        ingresses: Mutex::new(HashMap::new()),
        activator,
        slices: Mutex::new(HashMap::new()),
        guards: Mutex::new(HashMap::new()),
        certificates: Mutex::new(HashMap::new()),
        written: Mutex::new(HashMap::new()),
        failures: Mutex::new(HashMap::new()),
        client: client.clone(),
    });
    let concurrency = |count| Config::default().concurrency(count);
    let cluster_of = |pod: Arc<Pod>| {
        let namespace = pod.namespace();
        pod.labels().get(CLUSTER).map(|name| within(ObjectRef::new(name), namespace.as_deref()))
    };
    let (waiting, known) = (context.jobs.clone(), context.clusters.clone());
    let jobs_of = move |cluster: Arc<FiresteelCluster>| {
        let (namespace, name) = (cluster.namespace(), cluster.name_any());
        // One that was deleted is told of as it last was, but is not among those that are there.
        let seen = control::look::cluster(known.get(&ObjectRef::from_obj(&*cluster)).as_deref());
        let of = waiting.state().into_iter().filter(move |job| {
            job.namespace() == namespace && decide::job::heeds(job, &seen) && private::cluster_name(job) == name
        });
        of.map(|job| ObjectRef::from_obj(&*job)).collect::<Vec<_>>()
    };
    let cluster_controller = Controller::for_shared_stream(clusters.changes(), clusters.store())
        .with_config(concurrency(16))
        .watches_shared_stream(pods.changes(), cluster_of)
        .watches_shared_stream(jobs.changes(), |job: Arc<FiresteelJob>| {
            let namespace = job.namespace();
            decide::job::calls(&job).then(|| within(ObjectRef::new(&private::cluster_name(&job)), namespace.as_deref()))
        })
        .watches_shared_stream(tokens.changes(), |token: Arc<FiresteelToken>| {
            let namespace = token.namespace();
            [within(ObjectRef::new(&token.spec.cluster_ref.name), namespace.as_deref())]
        })
        .reconcile_on(wakes.map(|name: Name| ObjectRef::new(&name.cluster).within(&name.namespace)))
        .graceful_shutdown_on(until(stopped.clone()))
        .run(counted(Kind::Cluster, control::cluster::reconcile), again, Arc::clone(&context))
        .for_each(told);
    let job_controller = Controller::for_shared_stream(jobs.changes(), jobs.store())
        .with_config(concurrency(64))
        .owns_shared_stream(pods.changes())
        .watches_shared_stream(clusters.changes(), jobs_of)
        .graceful_shutdown_on(until(stopped.clone()))
        .run(counted(Kind::Job, control::job::reconcile), again, Arc::clone(&context))
        .for_each(told);
    let schedule_controller = Controller::for_shared_stream(schedules.changes(), schedules.store())
        .with_config(concurrency(16))
        .owns_shared_stream(jobs.changes())
        .graceful_shutdown_on(until(stopped.clone()))
        .run(counted(Kind::Schedule, control::schedule::reconcile), again, Arc::clone(&context))
        .for_each(told);
    let minted = context.tokens.clone();
    let tokens_of = move |cluster: Arc<FiresteelCluster>| {
        let (namespace, name) = (cluster.namespace(), cluster.name_any());
        let of = minted.state().into_iter();
        let of = of.filter(move |token| token.namespace() == namespace && token.spec.cluster_ref.name == name);
        of.map(|token| ObjectRef::from_obj(&*token)).collect::<Vec<_>>()
    };
    let token_controller = Controller::for_shared_stream(tokens.changes(), tokens.store())
        .with_config(concurrency(16))
        .watches_shared_stream(clusters.changes(), tokens_of)
        .graceful_shutdown_on(until(stopped.clone()))
        .run(counted(Kind::Token, control::token::reconcile), again, Arc::clone(&context))
        .for_each(told);
    let foreign = kubeflow::controllers(namespace, &client, &context, (&mut jobs, &mut schedules), &stopped);
    let sweep = sweep(&context, until(stopped));
    let (complete, mut completed) = watch::channel(0);
    let keepers = [
        pods.keep(complete.clone()),
        clusters.keep(complete.clone()),
        jobs.keep(complete.clone()),
        schedules.keep(complete.clone()),
        tokens.keep(complete),
    ];
    let copies = keepers.len();
    let work = async {
        // What is missing in a copy would be taken for gone, so none is looked at before all are complete.
        completed.wait_for(|count| *count == copies).await?;
        let rest = futures::future::join(foreign, sweep);
        futures::future::join5(cluster_controller, job_controller, schedule_controller, token_controller, rest).await;
        anyhow::Ok(())
    };
    tokio::select! {
        ended = work => ended,
        _ = futures::future::join_all(keepers) => Err(anyhow::anyhow!("all watches ended")),
    }
}

/// Has clusters that are gone forgotten, from time to time.
async fn sweep(context: &Context, stopped: impl Future<Output = ()>) {
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            () = &mut stopped => return,
            () = tokio::time::sleep(SWEPT_EVERY) => context.forget_gone(),
        }
    }
}

fn within<K: Resource<DynamicType = ()>>(object: ObjectRef<K>, namespace: Option<&str>) -> ObjectRef<K> {
    match namespace {
        Some(namespace) => object.within(namespace),
        None => object,
    }
}

/// A reconciler that counts how it went.
fn counted<K, F>(
    kind: Kind,
    reconcile: impl Fn(Arc<K>, Arc<Context>) -> F + Clone + Send + 'static,
) -> impl FnMut(Arc<K>, Arc<Context>) -> BoxFuture<'static, Result<Action, ControlError>>
where
    K: Send + Sync + 'static,
    F: Future<Output = Result<Action, ControlError>> + Send + 'static,
{
    move |object, context| {
        let metrics = Arc::clone(&context.metrics);
        let look = reconcile(object, context);
        async move {
            let outcome = look.await;
            metrics.looked(kind, outcome.is_ok());
            outcome
        }
        .boxed()
    }
}

fn again<K: ResourceExt<DynamicType = ()>>(object: Arc<K>, error: &ControlError, context: Arc<Context>) -> Action {
    if !error.is_conflict() {
        tracing::warn!(%error, kind = %K::kind(&()), name = object.name_any(), "a look failed and is repeated");
    }
    context.again(&object.uid().unwrap_or_default(), error)
}

async fn serve(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let router = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(|| async { "ok" }))
        .route("/metrics", get(move || futures::future::ready(metrics.render())));
    axum::serve(listener, router).with_graceful_shutdown(stopped).await?;
    Ok(())
}
