//! URL to object store: one registry per distinct set of session options, clients shared by equal configuration.
//!
//! Knows nothing of file formats or listings.

mod location;
mod options;
mod s3;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Weak};

use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::object_store::ObjectStoreRegistry;
use object_store::ObjectStore;
use object_store::aws::AmazonS3;
use object_store::local::LocalFileSystem;
use object_store::multipart::MultipartStore;
use parking_lot::{Mutex, RwLock};
use url::Url;

use crate::error::{ConnectorError, Result};
pub use location::{directory_path, normalise_path, normalise_url, store_url};
pub use options::StoreOptions;
use s3::S3Config;

/// Finds the object store of a URL, building S3 clients when first needed.
#[derive(Debug)]
pub struct StoreRegistry {
    shared: Arc<Shared>,
    options: StoreOptions,
}

struct Shared {
    env: BTreeMap<String, String>,
    local: Arc<LocalFileSystem>,
    registered: RwLock<HashMap<String, Arc<dyn ObjectStore>>>,
    clients: Mutex<HashMap<S3Config, Arc<AmazonS3>>>,
}

/// S3 clients by address: `ObjectStore` cannot be cast back, and deferred uploads need the client behind it.
static MULTIPART: LazyLock<Mutex<HashMap<usize, Weak<AmazonS3>>>> = LazyLock::new(Mutex::default);

impl StoreRegistry {
    /// A registry configured by the process environment alone.
    pub fn new() -> Arc<Self> {
        Self::with_env(std::env::vars().filter(|(key, _)| key.starts_with("AWS_")).collect())
    }

    /// A registry that takes `AWS_*` settings from `env` instead of the process.
    pub fn with_env(env: BTreeMap<String, String>) -> Arc<Self> {
        let shared = Shared {
            env,
            local: Arc::new(LocalFileSystem::new()),
            registered: RwLock::default(),
            clients: Mutex::default(),
        };
        Arc::new(Self { shared: Arc::new(shared), options: StoreOptions::default() })
    }

    /// The view of a session with these options; clients of equal configuration are shared with all other views.
    pub fn for_options(&self, options: &StoreOptions) -> Arc<Self> {
        Arc::new(Self { shared: Arc::clone(&self.shared), options: options.clone() })
    }

    /// Like [`Self::for_options`], keeping only the store related keys of `options`.
    pub fn with_options(&self, options: &BTreeMap<String, String>) -> Arc<Self> {
        self.for_options(&StoreOptions::from_conf(options.iter()))
    }

    /// The options of this view.
    pub fn options(&self) -> &StoreOptions {
        &self.options
    }

    /// The store that serves `url`.
    ///
    /// # Errors
    /// `UnsupportedScheme`, or `InvalidOption` when the configuration of the bucket cannot be used.
    pub fn store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        if let Some(store) = self.shared.registered.read().get(&key(url)) {
            return Ok(Arc::clone(store));
        }
        match url.scheme() {
            "file" => Ok(Arc::clone(&self.shared.local) as Arc<dyn ObjectStore>),
            "s3" | "s3a" | "s3n" => self.s3(url),
            scheme => Err(ConnectorError::UnsupportedScheme { scheme: scheme.to_owned(), path: location::shown(url) }),
        }
    }

    fn s3(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let bucket = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| ConnectorError::InvalidPath {
            path: location::shown(url),
            reason: "no bucket name".to_owned(),
        })?;
        let config = S3Config::resolve(bucket, &self.shared.env, &self.options)?;
        let mut clients = self.shared.clients.lock();
        if let Some(client) = clients.get(&config) {
            return Ok(Arc::clone(client) as Arc<dyn ObjectStore>);
        }
        let client = Arc::new(config.build()?);
        let mut multipart = MULTIPART.lock();
        multipart.retain(|_, client| client.strong_count() > 0);
        multipart.insert(Arc::as_ptr(&client) as usize, Arc::downgrade(&client));
        clients.insert(config, Arc::clone(&client));
        Ok(client)
    }
}

impl ObjectStoreRegistry for StoreRegistry {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.shared.registered.write().insert(key(url), store)
    }

    fn deregister_store(&self, url: &Url) -> EngineResult<Arc<dyn ObjectStore>> {
        self.shared.registered.write().remove(&key(url)).ok_or_else(|| {
            DataFusionError::Internal(format!("no object store is registered for {}", location::shown(url)))
        })
    }

    fn get_store(&self, url: &Url) -> EngineResult<Arc<dyn ObjectStore>> {
        Ok(self.store(url)?)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("clients", &self.clients.lock().len()).finish_non_exhaustive()
    }
}

/// The interface for uploads that one process starts and another completes, if the store has one.
pub fn multipart_of(store: &Arc<dyn ObjectStore>) -> Option<Arc<dyn MultipartStore>> {
    let address = Arc::as_ptr(store).cast::<()>() as usize;
    let client = MULTIPART.lock().get(&address)?.upgrade()?;
    Some(client as Arc<dyn MultipartStore>)
}

fn key(url: &Url) -> String {
    let scheme = match url.scheme() {
        "s3a" | "s3n" => "s3",
        scheme => scheme,
    };
    format!("{scheme}://{}", &url[url::Position::BeforeHost..url::Position::AfterPort])
}

#[cfg(test)]
mod tests;
