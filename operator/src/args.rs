//! The command line.

use clap::{Args, Parser, Subcommand};

/// The operator of Firesteel: clusters, jobs and schedules by kubectl.
#[derive(Debug, Parser)]
#[command(name = "firesteel-operator", version, about, max_term_width = 110)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the custom resource definitions as YAML: firesteel-operator crd | kubectl apply --server-side -f -
    Crd,
    /// Run the operator, against the API server of the pod's service account or of KUBECONFIG.
    #[command(alias = "operator")]
    Run(Run),
}

/// `firesteel-operator run`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Run {
    /// Look after this namespace only [default: all].
    #[arg(long, env = "FIRESTEEL_OPERATOR_NAMESPACE", value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// Seconds between looks at a cluster's load.
    #[arg(long, env = "FIRESTEEL_OPERATOR_POLL", default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(1..=300))]
    pub(crate) poll_seconds: i64,
    /// Address of health checks and metrics.
    #[arg(long, env = "FIRESTEEL_OPERATOR_HEALTH_BIND", default_value = "0.0.0.0:8081", value_name = "ADDRESS")]
    pub(crate) health_bind: String,
    /// Work only while holding a lease, so that there may be several of these.
    #[arg(long, env = "FIRESTEEL_OPERATOR_LEADER_ELECTION")]
    pub(crate) leader_election: bool,
    /// Namespace of the lease.
    #[arg(long, env = "FIRESTEEL_OPERATOR_LEASE_NAMESPACE", default_value = "default", value_name = "NAME")]
    pub(crate) lease_namespace: String,
    /// Log filter.
    #[arg(long, env = "FIRESTEEL_LOG", default_value = "info", value_name = "FILTER")]
    pub(crate) log: String,
    /// Log lines as JSON.
    #[arg(long, env = "FIRESTEEL_LOG_JSON")]
    pub(crate) log_json: bool,
}
