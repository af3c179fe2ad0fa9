//! The command line: what can be said, its defaults and its help. Every flag is also a setting of the same name in the
//! environment (`FIRESTEEL_...`) and in the TOML file of `--config`.

mod jobs;
mod reviews;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use firesteel_service::telemetry::LogFormat;

pub(crate) use jobs::{Jobs, JobsCommand, JobsOutput, NewJob};
pub(crate) use reviews::Reviews;

const HELP: &str = "\
Examples:
  firesteel sql                                  a SQL shell, no server needed
  firesteel sql -e \"SELECT 1 + 1\"                one statement
  firesteel server                               everything in one process; then, in Python:
                                                 SparkSession.builder.remote(\"sc://localhost\").getOrCreate()
  firesteel scheduler & firesteel executor &     a cluster by hand
  firesteel submit job.sql --remote sc://host    run a SQL file as a job, with progress
  firesteel jobs submit job.sql                  hand a SQL file over to a server and come back for it

Settings: flags outrank environment variables (FIRESTEEL_CONNECT_PORT for --connect-port), which outrank the file
given by --config, a TOML file with the same names, at the top or under [server], [scheduler], [executor], [sql], [submit].
Object stores: AWS_* variables, or fs.s3a.* in a session. Help on one command: firesteel help COMMAND.";

/// A Spark-compatible engine without the JVM.
#[derive(Debug, Parser)]
#[command(name = "firesteel", version, about, after_help = HELP, max_term_width = 110)]
pub(crate) struct Cli {
    /// What to run.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Read settings from this TOML file.
    #[arg(long, global = true, env = "FIRESTEEL_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Log filter, for example info or warn,firesteel_connect=debug [default: info for processes, error for tools].
    #[arg(long, global = true, env = "FIRESTEEL_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// Log lines as text or json.
    #[arg(long, global = true, env = "FIRESTEEL_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub(crate) log_format: LogFormat,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in one process: Spark Connect, Flight SQL, the web page and the engine.
    Server(Server),
    /// Run a cluster's scheduler: the doors for clients, planning, and the coordination of executors.
    Scheduler(Scheduler),
    /// Run one executor of a cluster: it runs the tasks a scheduler gives it.
    Executor(Executor),
    /// Run SQL: a shell, or statements given by -e or -f.
    Sql(Sql),
    /// Run a SQL file as a job and wait for it, with progress.
    Submit(Submit),
    /// Submit jobs to a server or cluster, list them, read their logs, cancel them and wait for them.
    Jobs(Jobs),
    /// Run the Kubernetes operator: hands over to the binary firesteel-operator beside this one.
    #[command(disable_help_flag = true)]
    Operator(Handover),
    /// Print the operator's custom resource definitions, for kubectl apply --server-side -f -.
    #[command(disable_help_flag = true)]
    Crd(Handover),
}

impl Command {
    /// The name on the command line, which is also the section of the settings file.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Server(_) => "server",
            Self::Scheduler(_) => "scheduler",
            Self::Executor(_) => "executor",
            Self::Sql(_) => "sql",
            Self::Submit(_) => "submit",
            Self::Jobs(_) => "jobs",
            Self::Operator(_) => "operator",
            Self::Crd(_) => "crd",
        }
    }

    /// Whether this is a long-running process rather than a tool.
    pub(crate) fn is_process(&self) -> bool {
        matches!(self, Self::Server(_) | Self::Scheduler(_) | Self::Executor(_))
    }
}

/// Settings of the doors clients use.
#[derive(Debug, Clone, Args)]
pub(crate) struct Doors {
    /// Address to listen on. Anything but loopback needs --tokens or --insecure.
    #[arg(long, env = "FIRESTEEL_BIND", default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub(crate) bind: String,
    /// Spark Connect port (PySpark: sc://HOST:PORT); 0 picks a free one.
    #[arg(long, env = "FIRESTEEL_CONNECT_PORT", default_value_t = 15002, value_name = "PORT")]
    pub(crate) connect_port: u16,
    /// Flight SQL port (ADBC, JDBC and ODBC drivers).
    #[arg(long, env = "FIRESTEEL_FLIGHT_PORT", default_value_t = 32010, value_name = "PORT")]
    pub(crate) flight_port: u16,
    /// Port of the web page, REST API, health checks and metrics.
    #[arg(long, env = "FIRESTEEL_REST_PORT", default_value_t = 8080, value_name = "PORT")]
    pub(crate) rest_port: u16,
    /// Let in only who has one of the tokens of this file, or of the files of this folder (a mounted Secret). A line a token:
    /// NAME ROLE SHA256 [EXPIRES], where ROLE is viewer, user or admin. Changes are seen within seconds.
    #[arg(long, env = "FIRESTEEL_TOKENS", value_name = "PATH")]
    pub(crate) tokens: Option<PathBuf>,
    /// Callers that Kubernetes knows.
    #[command(flatten)]
    pub(crate) reviews: Reviews,
    /// Certificates, PEM: Spark Connect and Flight SQL speak TLS. Changes are seen within seconds, and new connections are shown
    /// them. The REST port speaks no TLS; put an ingress before it.
    #[arg(long, env = "FIRESTEEL_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key of the certificate, PEM.
    #[arg(long, env = "FIRESTEEL_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Serve without tokens on an address others can reach.
    #[arg(long, env = "FIRESTEEL_INSECURE")]
    pub(crate) insecure: bool,
}

/// Settings of whatever runs queries.
#[derive(Debug, Clone, Args)]
pub(crate) struct Engine {
    /// Folder or s3:// URL where tables and the catalog live.
    #[arg(long, env = "FIRESTEEL_WAREHOUSE", default_value = "spark-warehouse", value_name = "URL")]
    pub(crate) warehouse: String,
    /// Memory for queries, for example 4g or 512m [default: 70 % of the container's or machine's memory].
    #[arg(long, env = "FIRESTEEL_MEMORY", value_name = "SIZE")]
    pub(crate) memory: Option<String>,
    /// Folder for spilled data [default: the system's temporary folder].
    #[arg(long, env = "FIRESTEEL_SPILL_DIR", value_name = "DIR")]
    pub(crate) spill_dir: Option<PathBuf>,
}

/// Settings of whatever takes submissions.
#[derive(Debug, Clone, Args)]
pub(crate) struct State {
    /// Folder where submitted jobs are noted, so that a restart still knows them [default: kept in memory only].
    #[arg(long, env = "FIRESTEEL_STATE_DIR", value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
}

/// `firesteel server`.
#[derive(Debug, Args)]
pub(crate) struct Server {
    /// Doors.
    #[command(flatten)]
    pub(crate) doors: Doors,
    /// Engine.
    #[command(flatten)]
    pub(crate) engine: Engine,
    /// Submissions.
    #[command(flatten)]
    pub(crate) state: State,
    /// Threads that run queries [default: one a core].
    #[arg(long, env = "FIRESTEEL_CORES", value_name = "N")]
    pub(crate) cores: Option<usize>,
}

/// `firesteel scheduler`.
#[derive(Debug, Args)]
pub(crate) struct Scheduler {
    /// Doors.
    #[command(flatten)]
    pub(crate) doors: Doors,
    /// Engine.
    #[command(flatten)]
    pub(crate) engine: Engine,
    /// Submissions.
    #[command(flatten)]
    pub(crate) state: State,
    /// Port executors reach; internal to the cluster.
    #[arg(long, env = "FIRESTEEL_CLUSTER_PORT", default_value_t = 50050, value_name = "PORT")]
    pub(crate) cluster_port: u16,
    /// Host name or address under which executors reach this scheduler [default: the bind address].
    #[arg(long, env = "FIRESTEEL_EXTERNAL_HOST", value_name = "HOST")]
    pub(crate) external_host: Option<String>,
    /// Seconds a job waits while there is no executor at all.
    #[arg(long, env = "FIRESTEEL_EXECUTOR_WAIT", default_value_t = 300, value_name = "SECONDS")]
    pub(crate) executor_wait: u64,
    /// Compression of data between stages; zstd spares slow networks and small disks.
    #[arg(long, env = "FIRESTEEL_SHUFFLE_COMPRESSION", value_enum, default_value_t = Compression::Auto, value_name = "CODEC")]
    pub(crate) shuffle_compression: Compression,
}

/// How executors compress what they hand to each other.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Compression {
    /// LZ4, but none for jobs that read little.
    Auto,
    /// Not at all.
    None,
    /// LZ4.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// `firesteel executor`.
#[derive(Debug, Args)]
pub(crate) struct Executor {
    /// The scheduler's cluster address.
    #[arg(long, env = "FIRESTEEL_SCHEDULER", default_value = "127.0.0.1:50050", value_name = "HOST:PORT")]
    pub(crate) scheduler: String,
    /// Address to listen on.
    #[arg(long, env = "FIRESTEEL_BIND", default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub(crate) bind: String,
    /// Host name or address under which others reach this executor (a pod's IP) [default: the bind address].
    #[arg(long, env = "FIRESTEEL_EXTERNAL_HOST", value_name = "HOST")]
    pub(crate) external_host: Option<String>,
    /// Port for shuffle data; 0 picks a free one.
    #[arg(long, env = "FIRESTEEL_DATA_PORT", default_value_t = 0, value_name = "PORT")]
    pub(crate) data_port: u16,
    /// Port for tasks; 0 picks a free one.
    #[arg(long, env = "FIRESTEEL_TASK_PORT", default_value_t = 0, value_name = "PORT")]
    pub(crate) task_port: u16,
    /// Tasks run at once [default: one a core].
    #[arg(long, env = "FIRESTEEL_CORES", value_name = "N")]
    pub(crate) cores: Option<usize>,
    /// Memory for tasks, for example 4g [default: 70 % of the container's or machine's memory].
    #[arg(long, env = "FIRESTEEL_MEMORY", value_name = "SIZE")]
    pub(crate) memory: Option<String>,
    /// Folder for shuffle and spilled data [default: a fresh folder in the system's temporary one].
    #[arg(long, env = "FIRESTEEL_WORK_DIR", value_name = "DIR")]
    pub(crate) work_dir: Option<PathBuf>,
    /// Listen without TLS on an address others can reach.
    #[arg(long, env = "FIRESTEEL_INSECURE")]
    pub(crate) insecure: bool,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Aligned columns.
    Table,
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object a line.
    Json,
    /// Nothing but errors.
    Quiet,
}

/// When to show a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressWhen {
    /// On a terminal.
    Auto,
    /// Always; as lines where there is no terminal.
    Always,
    /// Never.
    Never,
}

/// Where statements run.
#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// Spark Connect server, sc://HOST[:PORT][/;token=...]; without it the engine runs inside this process.
    #[arg(long, env = "SPARK_REMOTE", value_name = "sc://...")]
    pub(crate) remote: Option<String>,
    /// Set session configuration; may be repeated.
    #[arg(long = "conf", short = 'c', value_name = "KEY=VALUE")]
    pub(crate) conf: Vec<String>,
    /// When to show progress.
    #[arg(long, env = "FIRESTEEL_PROGRESS", value_enum, default_value = "auto", value_name = "WHEN")]
    pub(crate) progress: ProgressWhen,
    /// Engine, when it runs inside this process.
    #[command(flatten)]
    pub(crate) engine: Engine,
}

/// `firesteel sql`.
#[derive(Debug, Args)]
pub(crate) struct Sql {
    /// Run these statements (separated by ;) and exit; may be repeated.
    #[arg(short = 'e', long = "execute", value_name = "SQL")]
    pub(crate) execute: Vec<String>,
    /// Run the statements of this file and exit; - reads standard input.
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub(crate) file: Vec<PathBuf>,
    /// Where.
    #[command(flatten)]
    pub(crate) target: Target,
    /// How rows are printed.
    #[arg(long, env = "FIRESTEEL_FORMAT", value_enum, default_value = "table", value_name = "FORMAT")]
    pub(crate) format: OutputFormat,
    /// Rows of a table that are printed; the rest is counted.
    #[arg(long, env = "FIRESTEEL_MAX_ROWS", default_value_t = 1000, value_name = "N")]
    pub(crate) max_rows: usize,
    /// Go on after a statement fails (the exit status still says so).
    #[arg(long)]
    pub(crate) keep_going: bool,
}

/// `firesteel submit`.
#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// SQL file; - reads standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Replace ${NAME} in the file; may be repeated.
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE")]
    pub(crate) params: Vec<String>,
    /// Where.
    #[command(flatten)]
    pub(crate) target: Target,
    /// How rows of queries in the file are printed.
    #[arg(long, env = "FIRESTEEL_FORMAT", value_enum, default_value = "table", value_name = "FORMAT")]
    pub(crate) format: OutputFormat,
}

/// What another binary does.
#[derive(Debug, Args)]
pub(crate) struct Handover {
    /// Arguments for it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    pub(crate) arguments: Vec<std::ffi::OsString>,
}
