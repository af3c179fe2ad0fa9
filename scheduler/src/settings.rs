//! Settings of the scheduler and of the all-in-one server: plain data with defaults.

use std::path::PathBuf;

use firesteel_engine::EngineConfig;

use crate::error::ServeError;

/// What protects the doors clients use.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// File or folder of tokens (`firesteel_service::tokens`).
    pub tokens: Option<PathBuf>,
    /// Who reviews the tokens that are not among them.
    pub reviews: Option<TokenReviews>,
    /// Spark Connect and Flight SQL speak TLS when it is set.
    pub tls: Option<TlsFiles>,
}

/// The API server of the Kubernetes that this process runs in, which says whose a token is and what they may do with a
/// FiresteelCluster.
#[derive(Debug, Clone)]
pub struct TokenReviews {
    /// Where the API server is, such as `https://10.0.0.1:443`.
    pub server: String,
    /// Folder with the `token` of this process and the API server's `ca.crt`.
    pub folder: PathBuf,
    /// Namespace of the cluster.
    pub namespace: String,
    /// Name of the cluster.
    pub cluster: String,
    /// A token must be for one of these; for the API server itself where there are none.
    pub audiences: Vec<String>,
}

impl TokenReviews {
    /// Where the API server is, as Kubernetes tells every pod.
    ///
    /// # Errors
    /// When the environment does not say.
    pub fn server() -> Result<String, ServeError> {
        let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let address = read("KUBERNETES_SERVICE_HOST").zip(read("KUBERNETES_SERVICE_PORT"));
        let (host, port) = address.ok_or(ServeError::NoApiServer)?;
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        Ok(format!("https://{host}:{port}"))
    }
}

/// A certificate chain and its private key, in files.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// Certificates, PEM.
    pub certificates: PathBuf,
    /// Private key, PEM.
    pub private_key: PathBuf,
}

/// Settings of `firesteel scheduler`.
#[derive(Debug, Clone)]
pub struct SchedulerSettings {
    /// Address all ports listen on.
    pub bind_host: String,
    /// Name under which executors reach this process; `None` is the bind address.
    pub external_host: Option<String>,
    /// Spark Connect.
    pub connect_port: u16,
    /// Flight SQL.
    pub flight_port: u16,
    /// REST, health, metrics and the web page.
    pub rest_port: u16,
    /// Executors; internal to the cluster.
    pub cluster_port: u16,
    /// Where tables live.
    pub warehouse: String,
    /// Bytes that queries running in this process may reserve; `None` takes a share of what there is.
    pub memory: Option<u64>,
    /// Where queries running in this process spill.
    pub spill_dir: Option<PathBuf>,
    /// Seconds a job waits while there is no executor at all.
    pub executor_wait_seconds: u64,
    /// How executors compress what they hand to each other.
    pub shuffle_codec: ShuffleCodec,
    /// Where submissions are noted, so that a restart still knows them; `None` keeps them in memory only.
    pub state_dir: Option<PathBuf>,
    /// Who may come in by the doors; everybody, unless they are set.
    pub access: Access,
    /// Listen unprotected on an address that others can reach.
    pub insecure: bool,
}

/// How data between stages is compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ShuffleCodec {
    /// None for jobs that read little, whose data stay in memory on their way; else LZ4.
    #[default]
    Auto,
    /// Not at all. Writing twice the bytes costs more than it saves, unless they stay in memory.
    None,
    /// About half the bytes. On a local disk five queries of TPC-H SF 10 took 30 % less time with it.
    Lz4,
    /// The fewest bytes, for slow networks and small disks.
    Zstd,
}

impl ShuffleCodec {
    /// Ballista's name of what a job is run with.
    pub(crate) fn name(self, reads_little: bool) -> &'static str {
        match self {
            Self::Auto if reads_little => "none",
            Self::Auto => "lz4",
            Self::None => "none",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

impl Default for SchedulerSettings {
    fn default() -> Self {
        Self {
            bind_host: "127.0.0.1".into(),
            external_host: None,
            connect_port: 15002,
            flight_port: 32010,
            rest_port: 8080,
            cluster_port: 50050,
            warehouse: "spark-warehouse".into(),
            memory: None,
            spill_dir: None,
            executor_wait_seconds: 300,
            shuffle_codec: ShuffleCodec::default(),
            state_dir: None,
            access: Access::default(),
            insecure: false,
        }
    }
}

/// Settings of `firesteel server`.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Address all ports listen on.
    pub bind_host: String,
    /// Spark Connect.
    pub connect_port: u16,
    /// Flight SQL.
    pub flight_port: u16,
    /// REST, health, metrics and the web page.
    pub rest_port: u16,
    /// Where tables live.
    pub warehouse: String,
    /// Bytes queries may reserve; `None` takes a share of what there is.
    pub memory: Option<u64>,
    /// Where queries spill.
    pub spill_dir: Option<PathBuf>,
    /// Threads that run queries; `None` is one for each core.
    pub cores: Option<usize>,
    /// Where submissions are noted, so that a restart still knows them; `None` keeps them in memory only.
    pub state_dir: Option<PathBuf>,
    /// Who may come in by the doors; everybody, unless they are set.
    pub access: Access,
    /// Listen unprotected on an address that others can reach.
    pub insecure: bool,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            bind_host: "127.0.0.1".into(),
            connect_port: 15002,
            flight_port: 32010,
            rest_port: 8080,
            warehouse: "spark-warehouse".into(),
            memory: None,
            spill_dir: None,
            cores: None,
            state_dir: None,
            access: Access::default(),
            insecure: false,
        }
    }
}

impl ServerSettings {
    pub(crate) fn engine(&self) -> EngineConfig {
        let defaults = EngineConfig::default();
        EngineConfig {
            target_partitions: self.cores.unwrap_or(defaults.target_partitions),
            memory_limit: self.memory,
            spill_dir: self.spill_dir.clone(),
            ..defaults
        }
    }
}

impl SchedulerSettings {
    pub(crate) fn engine(&self) -> EngineConfig {
        EngineConfig { memory_limit: self.memory, spill_dir: self.spill_dir.clone(), ..EngineConfig::default() }
    }
}
