//! The controllers of kubeflow's kinds, when they are asked for.

use std::sync::Arc;

use anyhow::Context as _;
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use kube::Client;
use kube::api::ListParams;
use kube::runtime::controller::{Config, Controller};
use kube::runtime::watcher;
use tokio::sync::watch;

use super::copies::Copy;
use super::{again, counted, scoped, told, until};
use crate::api::kubeflow::{ScheduledSparkApplication, SparkApplication};
use crate::api::{FiresteelJob, FiresteelSchedule};
use crate::args;
use crate::control::kubeflow::Compat;
use crate::control::{self, Context};
use crate::decide::kubeflow::Settings;
use crate::metrics::Kind;

/// What the command line asks for; `None` when it does not ask.
///
/// # Errors
/// When something is missing, or something is said without being asked for.
pub(super) fn compat(args: &args::Compat, namespace: Option<&str>) -> anyhow::Result<Option<Compat>> {
    let said = [&args.compat_image, &args.compat_warehouse, &args.compat_python_image];
    if !args.compat_kubeflow {
        let idle = said.iter().all(|value| value.is_none()) && args.compat_namespaces.is_empty();
        anyhow::ensure!(idle, "--compat-... says how kubeflow's kinds are run, which --compat-kubeflow asks for");
        return Ok(None);
    }
    let image = args.compat_image.clone().filter(|image| !image.is_empty());
    let image = image.context("--compat-kubeflow needs --compat-image")?;
    let warehouse = args.compat_warehouse.clone().context("--compat-kubeflow needs --compat-warehouse")?;
    let known = ["s3://", "s3a://", "/"].iter().any(|begin| warehouse.starts_with(begin));
    anyhow::ensure!(known, "--compat-warehouse must be an s3:// or s3a:// URL or an absolute path");
    if let Some(only) = namespace
        && let Some(beyond) = args.compat_namespaces.iter().find(|name| *name != only)
    {
        anyhow::bail!("--compat-namespaces names {beyond}, but --namespace says that only {only} is looked after");
    }
    let settings = Settings { image, warehouse, python_image: args.compat_python_image.clone() };
    Ok(Some(Compat { settings, namespaces: args.compat_namespaces.clone() }))
}

/// Checks that the kinds are there: watches of what is not defined only fail, again and again.
///
/// # Errors
/// When they are not, or may not be seen.
pub(super) async fn defined(client: &Client, namespace: Option<&str>) -> anyhow::Result<()> {
    const HINT: &str = "cannot list the kinds of sparkoperator.k8s.io/v1beta2: without kubeflow's own definitions, \
                        kubectl create -f deploy/kubeflow/crds.yaml makes them";
    let one = ListParams::default().limit(1);
    scoped::<SparkApplication>(client, namespace).list_metadata(&one).await.context(HINT)?;
    scoped::<ScheduledSparkApplication>(client, namespace).list_metadata(&one).await.context(HINT)?;
    Ok(())
}

/// Both controllers, which end when asked to; nothing where the kinds are not looked after.
pub(super) fn controllers(
    namespace: Option<&str>,
    client: &Client,
    context: &Arc<Context>,
    (jobs, schedules): (&mut Copy<FiresteelJob>, &mut Copy<FiresteelSchedule>),
    stopped: &watch::Receiver<bool>,
) -> BoxFuture<'static, ()> {
    if context.compat.is_none() {
        return futures::future::ready(()).boxed();
    }
    let all = watcher::Config::default;
    let applications = Controller::new(scoped::<SparkApplication>(client, namespace), all())
        .with_config(Config::default().concurrency(16))
        .owns_shared_stream(jobs.changes())
        .graceful_shutdown_on(until(stopped.clone()))
        .run(counted(Kind::Application, control::kubeflow::application), again, Arc::clone(context))
        .for_each(told);
    let scheduled = Controller::new(scoped::<ScheduledSparkApplication>(client, namespace), all())
        .with_config(Config::default().concurrency(16))
        .owns_shared_stream(schedules.changes())
        .graceful_shutdown_on(until(stopped.clone()))
        .run(counted(Kind::ScheduledApplication, control::kubeflow::scheduled), again, Arc::clone(context))
        .for_each(told);
    futures::future::join(applications, scheduled).map(|((), ())| ()).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn read(more: &[&str]) -> anyhow::Result<Option<Compat>> {
        let words = ["firesteel-operator", "run"].into_iter().chain(more.iter().copied());
        match args::Cli::try_parse_from(words)?.command {
            args::Command::Run(run) => compat(&run.compat, run.namespace.as_deref()),
            args::Command::Crd => panic!("not asked for"),
        }
    }

    #[test]
    fn it_is_off_unless_asked_for_and_then_needs_an_image_and_a_warehouse() {
        assert!(read(&[]).unwrap().is_none());
        let all = [
            "--compat-kubeflow",
            "--compat-image",
            "i",
            "--compat-warehouse",
            "s3a://b/w",
            "--compat-namespaces",
            "a,b",
        ];
        let compat = read(&all).unwrap().unwrap();
        assert_eq!((compat.settings.image.as_str(), compat.namespaces.len()), ("i", 2));
        let beyond = read(&[&all[..], &["--namespace", "a"]].concat()).unwrap_err().to_string();
        assert!(beyond.contains("names b, but --namespace says"), "{beyond}");
        for (some, sentence) in [
            (&all[..3], "needs --compat-warehouse"),
            (&all[..1], "needs --compat-image"),
            (&["--compat-kubeflow", "--compat-image", ""][..], "needs --compat-image"),
            (&all[1..], "--compat-kubeflow asks for"),
            (&["--compat-kubeflow", "--compat-image", "i", "--compat-warehouse", "w"][..], "absolute path"),
        ] {
            let told = read(some).unwrap_err().to_string();
            assert!(told.contains(sentence), "{told}");
        }
    }
}
