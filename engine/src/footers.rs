//! Footers of files, read once in a process and kept for the version of the file they were read from.
//!
//! DataFusion keeps them by path alone and takes the same size and second for the same file. Stores tell times in whole seconds, so
//! files of two buckets, or a file that was written anew, would get each other's statistics: a wrong answer. Here a footer is kept by
//! store, path and entity tag; a file without a tag has its footer read each time.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use datafusion::catalog::Session;
use datafusion::common::{HashMap, TableReference};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::execution::cache::cache_manager::{
    CacheManager, CacheManagerConfig, CachedFileMetadataEntry, DEFAULT_METADATA_CACHE_LIMIT, FileMetadataCache,
};
use datafusion::execution::cache::default_cache::DefaultCache;
use datafusion::execution::cache::{Cache, CacheEntryInfo};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::SessionStateBuilder;
use object_store::ObjectMeta;
use object_store::path::Path;

/// What the process keeps, whatever the session.
static KEPT: LazyLock<DefaultCache<Path, CachedFileMetadataEntry>> =
    LazyLock::new(|| DefaultCache::new(DEFAULT_METADATA_CACHE_LIMIT));

/// The footers of some files of one store.
struct Footers {
    store: String,
    /// Entity tags.
    versions: HashMap<Path, String>,
}

/// The cache of footers for some files of one store, to be asked by their paths.
pub fn of<'a>(store: &ObjectStoreUrl, files: impl IntoIterator<Item = &'a ObjectMeta>) -> Arc<FileMetadataCache> {
    let version = |file: &ObjectMeta| file.e_tag.clone().map(|tag| (file.location.clone(), tag));
    let versions = files.into_iter().filter_map(version).collect();
    Arc::new(Footers { store: store.as_str().to_owned(), versions })
}

/// A session in which formats read the footers of some files of one store.
///
/// # Errors
/// When the session is no `SessionState`.
pub fn session<'a>(
    state: &dyn Session,
    store: &ObjectStoreUrl,
    files: impl IntoIterator<Item = &'a ObjectMeta>,
) -> Result<SessionState> {
    let other = || DataFusionError::Internal("footers are read in a session of another kind".into());
    let state = state.as_any().downcast_ref::<SessionState>().ok_or_else(other)?;
    let caches = CacheManagerConfig::default()
        .with_list_files_cache_limit(0)
        .with_file_statistics_cache_limit(0)
        .with_file_metadata_cache(Some(of(store, files)));
    let runtime =
        RuntimeEnv { cache_manager: CacheManager::try_new(&caches)?, ..RuntimeEnv::clone(state.runtime_env()) };
    Ok(SessionStateBuilder::new_from_existing(state.clone()).with_runtime_env(Arc::new(runtime)).build())
}

impl Footers {
    /// Under what a file is kept, if it can be told from its other versions.
    fn key(&self, path: &Path) -> Option<Path> {
        let version = self.versions.get(path)?;
        Some(Path::from_iter([self.store.as_str(), path.as_ref(), version.as_str()]))
    }
}

impl Cache<Path, CachedFileMetadataEntry> for Footers {
    fn get(&self, path: &Path) -> Option<CachedFileMetadataEntry> {
        KEPT.get(&self.key(path)?)
    }

    fn put(&self, path: &Path, footer: CachedFileMetadataEntry) -> Option<CachedFileMetadataEntry> {
        KEPT.put(&self.key(path)?, footer)
    }

    fn remove(&self, path: &Path) -> Option<CachedFileMetadataEntry> {
        KEPT.remove(&self.key(path)?)
    }

    fn contains_key(&self, path: &Path) -> bool {
        self.key(path).is_some_and(|key| KEPT.contains_key(&key))
    }

    fn len(&self) -> usize {
        self.versions.keys().filter(|path| self.contains_key(path)).count()
    }

    fn clear(&self) {
        for path in self.versions.keys() {
            self.remove(path);
        }
    }

    fn name(&self) -> String {
        "Footers".to_owned()
    }

    fn cache_limit(&self) -> usize {
        KEPT.cache_limit()
    }

    fn update_cache_limit(&self, _: usize) {
        // The limit is the process's.
    }

    fn cache_ttl(&self) -> Option<Duration> {
        None
    }

    fn update_cache_ttl(&self, _: Option<Duration>) {
        // A version of a file never changes.
    }

    fn drop_table_entries(&self, _: &TableReference) -> Result<()> {
        Ok(())
    }

    fn list_entries(&self) -> HashMap<Path, CacheEntryInfo<CachedFileMetadataEntry>> {
        let mut all = KEPT.list_entries();
        let entry = |path: &Path| self.key(path).and_then(|key| all.remove(&key)).map(|entry| (path.clone(), entry));
        self.versions.keys().filter_map(entry).collect()
    }
}

#[cfg(test)]
mod tests;
