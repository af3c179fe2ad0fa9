//! The controller of clusters.

use std::collections::HashSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};
use serde_json::json;

use super::resize::Sizing;
use super::{
    Context, ControlError, MANAGER, access, activate, after, ingress, look, names, pods_of, resize, settled, tls,
};
use crate::api::cluster::Endpoints;
use crate::api::{CLUSTER, COMPONENT, DRAINING_SINCE, FiresteelCluster, WAKE};
use crate::decide::cluster::{Decision, Load, Seen, decide};
use crate::decide::disruption::{self, Stay};
use crate::decide::pods::{self, Named, REST_PORT};
use crate::decide::resize::Step;
use crate::decide::tls::{flight_sql, spark_connect};
use crate::decide::{News, seconds};
use crate::engine::{self, Door};

/// One look at a cluster, and what follows from it.
pub(crate) async fn reconcile(cluster: Arc<FiresteelCluster>, context: Arc<Context>) -> Result<Action, ControlError> {
    let uid = cluster.uid().unwrap_or_default();
    if cluster.metadata.deletion_timestamp.is_some() {
        // What it has is owned, so they go with it.
        context.histories.lock().remove(&uid);
        context.stays.lock().remove(&uid);
        context.guards.lock().remove(&uid);
        context.certificates.lock().remove(&uid);
        context.ingresses.lock().remove(&uid);
        context.slices.lock().remove(&uid);
        if let Some(activator) = &context.activator {
            activator.shut(&uid, "it is deleted".to_owned());
        }
        context.refused.lock().remove(&uid);
        return Ok(Action::await_change());
    }
    let (namespace, name) = names(&*cluster)?;
    let owner = cluster.controller_owner_ref(&()).ok_or(ControlError::Incomplete("a uid"))?;
    let named = Named { name: &name, namespace: &namespace, owner, spec: &cluster.spec };
    let scheduler_pod = pods::scheduler(&named);
    let groups = cluster.spec.executor_groups.iter();
    let wanted: Vec<(&str, Pod)> =
        groups.map(|group| (group.name.as_str(), pods::executor(&named, group, 0))).collect();

    if let Err(error) = access::settle(&context, &named).await {
        if let ControlError::Taken(_) = &error {
            let news = [News::warning("SecretTaken", error.to_string())];
            context.tell(&cluster.object_ref(&()), "Guard", &news).await;
        }
        return Err(error);
    }
    let certificate = tls::look(&context, &named).await?;
    let door = look::door(&context, &namespace, &name);
    let load = match &door {
        Some(door) => {
            context.engine.load(door).await.inspect_err(|error| tracing::debug!(%error, cluster = name, "no load")).ok()
        }
        None => None,
    };
    let executor_pods = look::pods(&context, &namespace, &name, "executor");
    let sizes: Vec<Sizing<'_>> = executor_pods.iter().map(|pod| resize::look(&context, pod, &wanted)).collect();
    let executors: Vec<_> = executor_pods
        .iter()
        .zip(&sizes)
        .map(|(pod, sizing)| look::executor(pod, sizing.step.replaces(), load.as_ref()))
        .collect();
    let scheduler = look::pods(&context, &namespace, &name, "scheduler")
        .first()
        .map(|pod| look::scheduler(pod, pods::made_from(&scheduler_pod)));
    let status = cluster.status.clone().unwrap_or_default();
    let present = load.as_ref().map(|load| Load {
        version: load.version.clone(),
        queries: load.queries,
        pending: load.pending_tasks,
        running: load.running_tasks,
        idle_seconds: load.idle_seconds,
        reviews: load.token_reviews.as_ref().map(look::reviews),
    });
    let refused = context.refused.lock().get(&uid).cloned();
    let mut history = context.histories.lock().remove(&uid).unwrap_or_default();
    let mut decision = decide(
        &Seen {
            now: context.now(),
            created: cluster.metadata.creation_timestamp.as_ref().map_or(0, seconds),
            generation: cluster.metadata.generation,
            spec: &cluster.spec,
            status: &status,
            wake: cluster.annotations().get(WAKE).map(String::as_str),
            scheduler,
            executors: &executors,
            load: present.clone(),
            certificate: certificate.as_ref().map(|known| &known.certificate),
            refused: refused.as_deref(),
            jobs: look::jobs_of(&context, &namespace, &name),
            held: context.activator.as_ref().map_or(0, |activator| activator.held(&uid)),
            poll: context.poll,
        },
        &mut history,
    );
    context.histories.lock().insert(uid.clone(), history);

    if decision.delete_cluster {
        context.tell(&cluster.object_ref(&()), "Delete", &decision.news).await;
        let clusters: Api<FiresteelCluster> = Api::namespaced(context.client.clone(), &namespace);
        settled(clusters.delete(&name, &DeleteParams::default()).await)?;
        return Ok(Action::await_change());
    }
    // Before pods go, so that whoever comes meanwhile finds somebody.
    let scheduler_address = door.as_ref().and_then(|door| door.address.parse().ok());
    let speech = tls::Known::speech(certificate.as_ref());
    activate::settle(&context, &named, &mut decision, scheduler_address, speech).await?;
    let known: HashSet<String> = executor_pods.iter().map(|pod| pod.name_any()).collect();
    act(&context, &named, &scheduler_pod, &decision, &known).await?;
    let asleep = decision.status.hibernated_at.is_some();
    if let Some(stay) = disruption::stay(asleep, present.as_ref(), &executors) {
        protect(&context, &named, &uid, stay).await?;
    }
    drain(&context, &namespace, door.as_ref(), load.as_ref(), &executors, &decision).await?;
    let resized = size(&context, &namespace, &executor_pods, &sizes, &executors, &decision).await?;
    context.tell(&cluster.object_ref(&()), "Resize", &resized).await;
    let buried = bury(&context, &namespace, &executor_pods).await?;
    context.tell(&cluster.object_ref(&()), "Replace", &buried).await;
    let (address, refused) = ingress::settle(&context, &named).await?;
    context.tell(&cluster.object_ref(&()), "Expose", &refused).await;
    write(&context, &cluster, &named, &decision, address).await?;
    context.tell(&cluster.object_ref(&()), "Reconcile", &decision.news).await;
    context.went_well(&uid);
    Ok(after(decision.requeue))
}

/// Makes and deletes pods.
async fn act(
    context: &Context,
    named: &Named<'_>,
    scheduler: &Pod,
    decision: &Decision,
    known: &HashSet<String>,
) -> Result<(), ControlError> {
    let api = pods_of(context, named.namespace);
    context.refused.lock().remove(&named.owner.uid);
    if decision.make_scheduler {
        let services: Api<Service> = Api::namespaced(context.client.clone(), named.namespace);
        let params = PatchParams::apply(MANAGER).force();
        services.patch(named.name, &params, &Patch::Apply(pods::service(named))).await?;
        create(context, named, &api, scheduler).await?;
    }
    for name in &decision.delete {
        settled(api.delete(name, &DeleteParams::default()).await)?;
    }
    for (group, count) in named.spec.executor_groups.iter().zip(&decision.create) {
        let free = (0..).map(|index| pods::executor(named, group, index));
        let free = free.filter(|pod| !known.contains(&pod.name_any()));
        for pod in free.take(usize::try_from(*count).unwrap_or(0)) {
            create(context, named, &api, &pod).await?;
        }
    }
    Ok(())
}

/// Makes a pod. That the API server does not take it is the user's affair, told with the next look, and tried again.
async fn create(context: &Context, named: &Named<'_>, api: &Api<Pod>, pod: &Pod) -> Result<(), ControlError> {
    match api.create(&PostParams::default(), pod).await {
        Err(kube::Error::Api(status)) if matches!(status.code, 400 | 403 | 422) => {
            context.refused.lock().insert(named.owner.uid.clone(), status.message.clone());
            Ok(())
        }
        other => settled(other),
    }
}

/// Writes the disruption budgets when they change, or when this process has not written them yet.
async fn protect(context: &Context, named: &Named<'_>, uid: &str, stay: Stay) -> Result<(), ControlError> {
    if context.stays.lock().get(uid) == Some(&stay) {
        return Ok(());
    }
    let api: Api<PodDisruptionBudget> = Api::namespaced(context.client.clone(), named.namespace);
    let params = PatchParams::apply(MANAGER).force();
    for budget in disruption::budgets(named, stay) {
        api.patch(&budget.name_any(), &params, &Patch::Apply(&budget)).await?;
    }
    context.stays.lock().insert(uid.to_owned(), stay);
    Ok(())
}

/// Executors that stay get the resources of their group in place, where that is possible.
async fn size(
    context: &Context,
    namespace: &str,
    pods: &[Arc<Pod>],
    sizes: &[Sizing<'_>],
    executors: &[crate::decide::scale::ExecutorPod],
    decision: &Decision,
) -> Result<Vec<News>, ControlError> {
    let mut news = Vec::new();
    for ((pod, sizing), executor) in pods.iter().zip(sizes).zip(executors) {
        let name = &executor.name;
        let drains = executor.draining_since.is_some() || decision.drain.contains(name);
        let leaves = executor.gone || decision.delete.contains(name) || drains;
        // That one is given up is why it leaves, and is told.
        if !leaves || matches!(sizing.step, Step::GiveUp(_)) {
            news.extend(resize::act(context, namespace, pod, sizing).await?);
        }
    }
    Ok(news)
}

/// Executors that ended by themselves are told of and make room.
async fn bury(context: &Context, namespace: &str, pods: &[Arc<Pod>]) -> Result<Vec<News>, ControlError> {
    let mut news = Vec::new();
    for pod in pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()) {
        if let Some(why) = look::ended(pod) {
            let name = pod.name_any();
            settled(pods_of(context, namespace).delete(&name, &DeleteParams::default()).await)?;
            news.push(News::warning("ExecutorEnded", format!("{name}: {why}")));
        }
    }
    Ok(news)
}

/// Has executors given no more tasks. The annotation comes first, so that what was begun is gone on with.
async fn drain(
    context: &Context,
    namespace: &str,
    door: Option<&Door>,
    load: Option<&engine::Load>,
    executors: &[crate::decide::scale::ExecutorPod],
    decision: &Decision,
) -> Result<(), ControlError> {
    let api = pods_of(context, namespace);
    let since = k8s_openapi::jiff::Timestamp::now().to_string();
    for name in &decision.drain {
        let patch = json!({"metadata": {"annotations": {DRAINING_SINCE: since}}});
        settled(api.patch_metadata(name, &PatchParams::default(), &Patch::Merge(&patch)).await)?;
    }
    let (Some(door), Some(load)) = (door, load) else { return Ok(()) };
    for pod in executors {
        let Some(member) = &pod.member else { continue };
        let wanted = pod.draining_since.is_some() || decision.drain.contains(&pod.name);
        let draining = load.executors.iter().any(|executor| executor.id == member.id && executor.draining);
        if wanted
            && !draining
            && let Err(error) = context.engine.drain(door, &member.id).await
        {
            tracing::warn!(%error, pod = pod.name, "an executor could not be drained");
        }
    }
    Ok(())
}

async fn write(
    context: &Context,
    cluster: &FiresteelCluster,
    named: &Named<'_>,
    decision: &Decision,
    address: Option<String>,
) -> Result<(), ControlError> {
    let Named { name, namespace, .. } = *named;
    let mut status = decision.status.clone();
    let (host, tls) = (pods::host(name, namespace), named.spec.tls.as_ref());
    status.selector = format!("{CLUSTER}={name},{COMPONENT}=executor");
    status.endpoints = Some(Endpoints {
        spark_connect: spark_connect(name, namespace, tls),
        flight_sql: flight_sql(name, namespace, tls),
        rest: format!("http://{host}:{REST_PORT}"),
        ingress: address,
    });
    if cluster.status.as_ref() == Some(&status) {
        return Ok(());
    }
    let mut object = cluster.clone();
    object.status = Some(status);
    object.metadata.managed_fields = None;
    let api: Api<FiresteelCluster> = Api::namespaced(context.client.clone(), namespace);
    api.replace_status(name, &PostParams::default(), &object).await?;
    Ok(())
}
