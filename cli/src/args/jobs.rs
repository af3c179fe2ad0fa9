//! The command line of `firesteel jobs`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

const HELP: &str = "\
Exit status: 0 when it is as asked for, 1 when a job that was waited for did not succeed or the server refuses,
2 for a bad command line, 124 when the time of wait is over.";

/// `firesteel jobs`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Jobs {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: JobsCommand,
    /// The server's or scheduler's REST address.
    #[arg(long, global = true, env = "FIRESTEEL_REST", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub(crate) rest: String,
    /// Token for it.
    #[arg(long, global = true, env = "FIRESTEEL_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    /// How jobs are printed.
    #[arg(long, short = 'o', global = true, value_enum, default_value = "table", value_name = "FORMAT")]
    pub(crate) output: JobsOutput,
}

/// What to do with jobs.
#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// Hand a SQL file over. The same id is the same job, so a submission may be repeated.
    Submit(NewJob),
    /// List jobs, the newest first.
    List,
    /// Show one job.
    Get {
        /// The job.
        id: String,
    },
    /// Print what happened to a job: its start, each statement, its end.
    Log {
        /// The job.
        id: String,
        /// Go on until it ends.
        #[arg(long, short = 'f')]
        follow: bool,
    },
    /// Ask a job to stop.
    Cancel {
        /// The job.
        id: String,
    },
    /// Wait until a job ends.
    Wait {
        /// The job.
        id: String,
        /// Longest wait.
        #[arg(long, value_name = "SECONDS")]
        timeout: Option<u64>,
    },
}

/// A job to submit.
#[derive(Debug, Args)]
pub(crate) struct NewJob {
    /// SQL file; - reads standard input.
    #[arg(value_name = "FILE", required_unless_present = "uri", conflicts_with = "uri")]
    pub(crate) file: Option<PathBuf>,
    /// A file or object that the server reads instead, such as s3a://bucket/job.sql.
    #[arg(long, value_name = "URI")]
    pub(crate) uri: Option<String>,
    /// Id of the job [default: a random one].
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Value of :NAME in the statements, a string; may be repeated.
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE")]
    pub(crate) params: Vec<String>,
    /// Set session configuration; may be repeated.
    #[arg(long = "conf", short = 'c', value_name = "KEY=VALUE")]
    pub(crate) conf: Vec<String>,
    /// Seconds after which the server cancels it.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout: Option<u64>,
    /// Wait until it ends.
    #[arg(long, short = 'w')]
    pub(crate) wait: bool,
}

/// How jobs are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum JobsOutput {
    /// Aligned columns.
    Table,
    /// What the server says, as JSON.
    Json,
    /// Ids only, one a line.
    Name,
}
