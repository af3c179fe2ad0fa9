//! Connections to other executors, kept for a while after use so that fetching shuffle data need not connect each time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use ballista_core::client::BallistaClient;
use ballista_core::client_pool::{BallistaClientPool, PooledClient};
use ballista_core::error::Result;
use ballista_core::extension::BallistaConfigGrpcEndpoint;
use ballista_core::utils::GrpcClientConfig;
use firesteel_service::tasks::{self, Task};

/// Where to and how: what makes two connections interchangeable.
type Key = (String, u16, GrpcClientConfig);
type Idle = Mutex<HashMap<Key, VecDeque<(Instant, BallistaClient)>>>;

/// Idle connections by target.
#[derive(Debug)]
pub(crate) struct Clients {
    idle: Arc<Shelf>,
    keep: Duration,
    _sweeper: Task<()>,
}

struct Shelf(Idle);

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shelf")
    }
}

impl Clients {
    /// Connections unused for `keep` are closed.
    pub(crate) fn new(keep: Duration) -> Self {
        let idle = Arc::new(Shelf(Mutex::default()));
        let swept = Arc::clone(&idle);
        let sweeper = tasks::spawn("close-idle-connections", async move {
            let mut tick = tokio::time::interval(keep);
            loop {
                tick.tick().await;
                swept.evict(keep);
            }
        });
        Self { idle, keep, _sweeper: sweeper }
    }
}

impl Shelf {
    fn take(&self, key: &Key) -> Option<BallistaClient> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.get_mut(key)?.pop_back().map(|(_, client)| client)
    }

    fn put(&self, key: Key, client: BallistaClient) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.entry(key).or_default().push_back((Instant::now(), client));
    }

    fn evict(&self, keep: Duration) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|_, clients| {
            clients.retain(|(since, _)| since.elapsed() < keep);
            !clients.is_empty()
        });
    }
}

#[async_trait]
impl BallistaClientPool for Clients {
    async fn acquire(
        &self,
        host: &str,
        port: u16,
        config: &GrpcClientConfig,
        customize_endpoint: Option<Arc<BallistaConfigGrpcEndpoint>>,
    ) -> Result<PooledClient> {
        let key = (host.to_owned(), port, config.clone());
        let client = match self.idle.take(&key) {
            Some(client) => client,
            None => {
                BallistaClient::try_new(
                    host,
                    port,
                    config.max_message_size,
                    config.use_tls,
                    customize_endpoint,
                    config.io_retries_times,
                    config.io_retry_wait_time_ms,
                    config.initial_connection_window_size,
                    config.initial_stream_window_size,
                )
                .await?
            }
        };
        let shelf = Arc::clone(&self.idle);
        Ok(PooledClient::new(client, Box::new(move |client| shelf.put(key, client))))
    }

    async fn evict_idle(&self) {
        self.idle.evict(self.keep);
    }
}
