//! The command line.

use std::net::IpAddr;

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
    Run(Box<Run>),
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
    /// Address of this pod, at which clients' connections wake clusters of hibernation.wakeOnConnection [default: they do not].
    #[arg(long, env = "FIRESTEEL_OPERATOR_ACTIVATOR_ADDRESS", value_name = "IP")]
    pub(crate) activator_address: Option<IpAddr>,
    /// Seconds a client's request waits for its cluster at most.
    #[arg(long, env = "FIRESTEEL_OPERATOR_ACTIVATOR_HOLD", default_value_t = 300, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) activator_hold_seconds: u64,
    /// Work only while holding a lease, so that there may be several of these.
    #[arg(long, env = "FIRESTEEL_OPERATOR_LEADER_ELECTION")]
    pub(crate) leader_election: bool,
    /// Namespace of the lease.
    #[arg(long, env = "FIRESTEEL_OPERATOR_LEASE_NAMESPACE", default_value = "default", value_name = "NAME")]
    pub(crate) lease_namespace: String,
    /// How applications of kubeflow's operator are run.
    #[command(flatten)]
    pub(crate) compat: Compat,
    /// Log filter.
    #[arg(long, env = "FIRESTEEL_LOG", default_value = "info", value_name = "FILTER")]
    pub(crate) log: String,
    /// Log lines as JSON.
    #[arg(long, env = "FIRESTEEL_LOG_JSON")]
    pub(crate) log_json: bool,
}

/// Applications of kubeflow's operator, `sparkoperator.k8s.io/v1beta2`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "kubeflow")]
pub(crate) struct Compat {
    /// Run SparkApplications and ScheduledSparkApplications of type Python, and SQL. No other operator may look after them.
    #[arg(long, env = "FIRESTEEL_OPERATOR_COMPAT_KUBEFLOW")]
    pub(crate) compat_kubeflow: bool,
    /// Those of these namespaces only [default: all that are looked after].
    #[arg(long, env = "FIRESTEEL_OPERATOR_COMPAT_NAMESPACES", value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) compat_namespaces: Vec<String>,
    /// Image of their clusters.
    #[arg(long, env = "FIRESTEEL_OPERATOR_COMPAT_IMAGE", value_name = "IMAGE")]
    pub(crate) compat_image: Option<String>,
    /// Where their tables live unless spark.sql.warehouse.dir says so: an s3a:// URL, or a folder all pods mount.
    #[arg(long, env = "FIRESTEEL_OPERATOR_COMPAT_WAREHOUSE", value_name = "URL")]
    pub(crate) compat_warehouse: Option<String>,
    /// Image of their scripts, with python3 and pyspark-client, instead of the one they name.
    #[arg(long, env = "FIRESTEEL_OPERATOR_COMPAT_PYTHON_IMAGE", value_name = "IMAGE")]
    pub(crate) compat_python_image: Option<String>,
}
