//! What a reader needs to know about directories: which files count, and what their paths say about partitions.
//!
//! Opens no file; formats and schemas are not its business.

pub mod escape;
mod glob;
pub mod lines;
pub mod orc;
mod partitions;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use url::Url;

use crate::error::{ConnectorError, Result};
use crate::store::{directory_path, normalise_url};
pub use glob::Pattern;
pub use partitions::{PartitionOptions, PartitionType, Partitions, discover};

/// Which files below a path are wanted.
#[derive(Debug, Clone, Default)]
pub struct ListOptions {
    /// Only names that end so, e.g. `.parquet`; `None` takes every visible file (as Spark does).
    pub extension: Option<String>,
    /// Spark's `pathGlobFilter`, matched against the file name.
    pub name_glob: Option<String>,
    /// Only files modified at or after this instant.
    pub modified_after: Option<DateTime<Utc>>,
    /// Only files modified before this instant.
    pub modified_before: Option<DateTime<Utc>>,
    /// A missing path is an empty result, not an error.
    pub ignore_missing: bool,
}

/// A file and the directory the user named to reach it.
#[derive(Debug, Clone)]
pub struct ListedFile {
    /// Key, size, time and tag.
    pub meta: ObjectMeta,
    /// The root it was found under: the path given, or what its glob matched.
    pub root: Path,
}

/// Lists the data files at a path: one file, a directory, or whatever a glob matches; sorted by key.
///
/// Names that begin with `_` or `.` are hidden, unless they are `column=value` directories.
///
/// # Errors
/// `PathNotFound` when nothing is there, `BucketNotFound`, `PermissionDenied`, or a store failure.
pub async fn list(url: &Url, store: &dyn ObjectStore, options: &ListOptions) -> Result<Vec<ListedFile>> {
    let url = normalise_url(url);
    let shown = url.as_str().to_owned();
    let path = directory_path(&url)?;
    let name_glob = options.name_glob.as_deref().map(Pattern::parse).transpose()?;
    let pattern = Pattern::parse(path.as_ref())?;

    let found = match pattern.literal_prefix() {
        None => list_plain(&path, &shown, store).await?,
        Some(prefix) => list_glob(&pattern, &prefix, &shown, store).await?,
    };
    let Some(found) = found else {
        return match options.ignore_missing {
            true => Ok(Vec::new()),
            false => Err(ConnectorError::PathNotFound { path: shown }),
        };
    };
    let mut files: Vec<ListedFile> = found
        .into_iter()
        .filter(|file| {
            let name = file.meta.location.filename().unwrap_or_default();
            is_visible(&file.meta.location, &file.root)
                && options.extension.as_deref().is_none_or(|extension| name.ends_with(extension))
                && name_glob.as_ref().is_none_or(|glob| glob.matches(name))
                && options.modified_after.is_none_or(|instant| file.meta.last_modified > instant)
                && options.modified_before.is_none_or(|instant| file.meta.last_modified < instant)
        })
        .collect();
    files.sort_by(|left, right| left.meta.location.cmp(&right.meta.location));
    files.dedup_by(|left, right| left.meta.location == right.meta.location);
    Ok(files)
}

/// Whether anything exists at a path: an object, a prefix with objects, or a local directory.
///
/// # Errors
/// `BucketNotFound`, `PermissionDenied`, or a store failure.
pub async fn exists(url: &Url, store: &dyn ObjectStore) -> Result<bool> {
    let url = normalise_url(url);
    let path = directory_path(&url)?;
    Ok(list_first(&path, url.as_str(), store).await?
        || is_local_directory(&url)
        || head(&path, url.as_str(), store).await?.is_some())
}

/// Whether Spark would read a file with this name.
pub(crate) fn is_visible_name(name: &str) -> bool {
    let hidden =
        (name.starts_with('_') && !name.contains('=')) || name.starts_with('.') || name.ends_with("._COPYING_");
    !hidden
}

fn is_visible(location: &Path, root: &Path) -> bool {
    // A file the user named outright is read whatever its name.
    location == root
        || location.prefix_match(root).is_some_and(|mut parts| parts.all(|part| is_visible_name(part.as_ref())))
}

async fn list_plain(path: &Path, shown: &str, store: &dyn ObjectStore) -> Result<Option<Vec<ListedFile>>> {
    let below = list_prefix(path, shown, store).await?;
    if below.is_empty() {
        if let Some(meta) = head(path, shown, store).await? {
            return Ok(Some(vec![ListedFile { meta, root: path.clone() }]));
        }
        let is_directory = Url::parse(shown).is_ok_and(|url| is_local_directory(&url));
        return Ok(is_directory.then(Vec::new));
    }
    Ok(Some(below.into_iter().map(|meta| ListedFile { meta, root: path.clone() }).collect()))
}

async fn list_glob(
    pattern: &Pattern,
    prefix: &str,
    shown: &str,
    store: &dyn ObjectStore,
) -> Result<Option<Vec<ListedFile>>> {
    let prefix = Path::parse(prefix)
        .map_err(|error| ConnectorError::InvalidPath { path: shown.to_owned(), reason: error.to_string() })?;
    let depth = pattern.depth();
    let mut files = Vec::new();
    for meta in list_prefix(&prefix, shown, store).await? {
        let parts: Vec<&str> = meta.location.as_ref().split('/').collect();
        let Some(head) = parts.get(..depth) else { continue };
        let candidate = head.join("/");
        if pattern.matches(&candidate) {
            let root = Path::parse(&candidate)
                .map_err(|error| ConnectorError::InvalidPath { path: candidate, reason: error.to_string() })?;
            files.push(ListedFile { meta, root });
        }
    }
    Ok((!files.is_empty()).then_some(files))
}

async fn list_prefix(path: &Path, shown: &str, store: &dyn ObjectStore) -> Result<Vec<ObjectMeta>> {
    let prefix = (!path.as_ref().is_empty()).then_some(path);
    let listed: std::result::Result<Vec<_>, _> = store.list(prefix).try_collect().await;
    match listed {
        // Directory markers that some tools leave are not data.
        Ok(metas) => Ok(metas.into_iter().filter(|meta| meta.location != *path || meta.size > 0).collect()),
        Err(error) => match ConnectorError::from_store(shown, error) {
            ConnectorError::PathNotFound { .. } => Ok(Vec::new()),
            error => Err(error),
        },
    }
}

async fn list_first(path: &Path, shown: &str, store: &dyn ObjectStore) -> Result<bool> {
    let prefix = (!path.as_ref().is_empty()).then_some(path);
    match store.list(prefix).try_next().await {
        Ok(first) => Ok(first.is_some()),
        Err(error) => match ConnectorError::from_store(shown, error) {
            ConnectorError::PathNotFound { .. } => Ok(false),
            error => Err(error),
        },
    }
}

async fn head(path: &Path, shown: &str, store: &dyn ObjectStore) -> Result<Option<ObjectMeta>> {
    if path.as_ref().is_empty() {
        return Ok(None);
    }
    match store.head(path).await {
        Ok(meta) => Ok(Some(meta)),
        Err(error) => match ConnectorError::from_store(shown, error) {
            ConnectorError::PathNotFound { .. } => Ok(None),
            error => Err(error),
        },
    }
}

fn is_local_directory(url: &Url) -> bool {
    url.scheme() == "file" && url.to_file_path().is_ok_and(|path| path.is_dir())
}

#[cfg(test)]
mod tests;
