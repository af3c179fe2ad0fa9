//! The end of a write of files: make the winners visible, or drop everything.
//!
//! Old files go only after all new ones are uploaded. Both operations may be repeated.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::execution::runtime_env::RuntimeEnv;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use super::{FileMessage, Pending, PreparedFiles, SaveMode, WrittenFile};
use crate::error::{ConnectorError, Result};
use crate::sink::WriteReport;
use crate::store::multipart_of;

const PARALLEL: usize = 32;

impl PreparedFiles {
    /// Removes what the mode replaces, then makes all files visible and writes `_SUCCESS`.
    pub(in crate::sink) async fn commit(
        &self,
        messages: Vec<FileMessage>,
        runtime: &RuntimeEnv,
    ) -> Result<WriteReport> {
        let store = self.store(runtime)?;
        let rows = messages.iter().map(|message| message.rows).sum();
        let files: Vec<WrittenFile> = messages.into_iter().flat_map(|message| message.files).collect();
        if self.spec.mode == SaveMode::Overwrite {
            self.remove_replaced(&files, &store).await?;
        }
        let multipart = multipart_of(&store);
        let mut published: Vec<BoxFuture<'_, Result<()>>> = Vec::with_capacity(files.len());
        for file in &files {
            published.push(self.publish(file, &store, multipart.as_ref()).boxed());
        }
        stream::iter(published).buffer_unordered(PARALLEL).try_collect::<()>().await?;
        self.remove_staging(&store).await?;
        let success = self.child("_SUCCESS")?;
        store
            .put(&success, PutPayload::new())
            .await
            .map_err(|error| ConnectorError::from_store(success.as_ref(), error))?;
        let bytes = files.iter().map(|file| file.bytes).sum();
        Ok(WriteReport { rows, bytes, files: files.len() as u64 })
    }

    /// Drops uploads and staged files; nothing that readers could see is touched.
    pub(in crate::sink) async fn abort(&self, messages: Vec<FileMessage>, runtime: &RuntimeEnv) -> Result<()> {
        let store = self.store(runtime)?;
        self.discard(messages, &store).await?;
        self.remove_staging(&store).await
    }

    /// Drops the files of some attempts and nothing else.
    pub(super) async fn discard(&self, messages: Vec<FileMessage>, store: &Arc<dyn ObjectStore>) -> Result<()> {
        let multipart = multipart_of(store);
        let files: Vec<WrittenFile> = messages.into_iter().flat_map(|message| message.files).collect();
        let mut discarded: Vec<BoxFuture<'_, Result<()>>> = Vec::with_capacity(files.len());
        for file in &files {
            discarded.push(discard(file, store, multipart.as_ref()).boxed());
        }
        // Every file is tried, whatever happens to the others.
        let outcomes: Vec<Result<()>> = stream::iter(discarded).buffer_unordered(PARALLEL).collect().await;
        outcomes.into_iter().collect()
    }

    /// Removes the job's whole staging directory, when nothing in it is left to keep.
    async fn remove_staging(&self, store: &Arc<dyn ObjectStore>) -> Result<()> {
        if multipart_of(store).is_some() {
            return Ok(());
        }
        if self.url.scheme() == "file" {
            return self.remove_local_staging().await;
        }
        let staging = self.staging()?;
        remove_all(store, &staging, |_| true).await
    }

    async fn remove_local_staging(&self) -> Result<()> {
        let Ok(root) = self.url.to_file_path() else { return Ok(()) };
        let temporary = root.join("_temporary");
        match tokio::fs::remove_dir_all(temporary.join(&self.job_id)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(ConnectorError::Store { path: self.url.to_string(), reason: error.to_string() });
            }
            _ => {}
        }
        // Another job may still be staging there; then it stays.
        let _ = tokio::fs::remove_dir(temporary).await;
        Ok(())
    }

    async fn publish(
        &self,
        file: &WrittenFile,
        store: &Arc<dyn ObjectStore>,
        multipart: Option<&Arc<dyn MultipartStore>>,
    ) -> Result<()> {
        let key = parse(&file.key)?;
        let result = match (&file.pending, multipart) {
            (Pending::Upload { id, parts }, Some(multipart)) => {
                let parts = parts.iter().map(|tag| PartId { content_id: tag.clone() }).collect();
                multipart.complete_multipart(&key, id, parts).await.map(drop)
            }
            (Pending::Staged { key: staged }, _) => store.rename(&parse(staged)?, &key).await,
            (Pending::Upload { .. }, None) => {
                return Err(ConnectorError::Protocol(format!("no multipart store for upload of {key}")));
            }
        };
        let Err(error) = result else { return Ok(()) };
        // An earlier commit that was cut short may have done this one: then it is there, in full.
        match store.head(&key).await {
            Ok(meta) if meta.size == file.bytes => Ok(()),
            _ => Err(match ConnectorError::from_store(&file.key, error) {
                ConnectorError::PathNotFound { path } => {
                    ConnectorError::Store { path, reason: "the pending upload or staged file is gone".to_owned() }
                }
                error => error,
            }),
        }
    }

    async fn remove_replaced(&self, files: &[WrittenFile], store: &Arc<dyn ObjectStore>) -> Result<()> {
        let root = self.root()?;
        let ours: HashSet<&str> = files.iter().map(|file| file.key.as_str()).collect();
        let staging = self.child("_temporary")?;
        let old = |path: &Path| !ours.contains(path.as_ref()) && !path.prefix_matches(&staging);
        if self.spec.dynamic_overwrite && !self.partition_columns.is_empty() {
            let directories: HashSet<&str> = files.iter().map(|file| file.directory.as_str()).collect();
            for directory in directories {
                remove_all(store, &self.child(directory)?, old).await?;
            }
            let further = self.spec.replaced.iter().map(|key| parse(key));
            let further = further.filter(|path| path.as_ref().map_or(true, &old)).collect::<Result<Vec<_>>>()?;
            return remove(store, &root, further).await;
        }
        // A plain file may stand where the directory shall be.
        if !root.as_ref().is_empty() && self.url.scheme() == "file" {
            let is_file = self.url.to_file_path().is_ok_and(|path| path.is_file());
            if is_file {
                store.delete(&root).await.map_err(|error| ConnectorError::from_store(root.as_ref(), error))?;
            }
        }
        remove_all(store, &root, old).await?;
        self.remove_empty_directories().await
    }

    /// Local partition directories outlive their files and would be discovered again.
    async fn remove_empty_directories(&self) -> Result<()> {
        if self.url.scheme() != "file" {
            return Ok(());
        }
        let Ok(root) = self.url.to_file_path() else { return Ok(()) };
        let pruned = tokio::task::spawn_blocking(move || {
            if let Ok(entries) = std::fs::read_dir(&root) {
                for entry in entries.flatten().filter(|entry| entry.file_name() != "_temporary") {
                    prune(&entry.path());
                }
            }
        });
        pruned.await.map_err(|error| ConnectorError::Protocol(error.to_string()))
    }
}

fn prune(path: &std::path::Path) {
    if path.is_symlink() || !path.is_dir() {
        return;
    }
    if let Ok(entries) = std::fs::read_dir(path) {
        entries.flatten().for_each(|entry| prune(&entry.path()));
    }
    // Fails, as it should, for a directory that still holds something.
    let _ = std::fs::remove_dir(path);
}

async fn remove_all(
    store: &Arc<dyn ObjectStore>,
    prefix: &Path,
    chosen: impl Fn(&Path) -> bool + Send + Sync,
) -> Result<()> {
    let below = (!prefix.as_ref().is_empty()).then_some(prefix);
    let listed: Vec<_> = match store.list(below).try_collect().await {
        Ok(listed) => listed,
        Err(object_store::Error::NotFound { .. }) => Vec::new(),
        Err(error) => return Err(ConnectorError::from_store(prefix.as_ref(), error)),
    };
    let paths = listed.into_iter().map(|meta| meta.location).filter(|path| chosen(path));
    remove(store, prefix, paths.collect()).await
}

/// Deletes files; those that are gone already do not matter.
async fn remove(store: &Arc<dyn ObjectStore>, prefix: &Path, paths: Vec<Path>) -> Result<()> {
    let deleted = store.delete_stream(stream::iter(paths.into_iter().map(Ok)).boxed());
    let failed = deleted.filter_map(|outcome| async {
        match outcome {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => None,
            Err(error) => Some(ConnectorError::from_store(prefix.as_ref(), error)),
        }
    });
    // Every file is tried, whatever happens to the others.
    let failed: Vec<ConnectorError> = failed.collect().await;
    failed.into_iter().next().map_or(Ok(()), Err)
}

async fn discard(
    file: &WrittenFile,
    store: &Arc<dyn ObjectStore>,
    multipart: Option<&Arc<dyn MultipartStore>>,
) -> Result<()> {
    let result = match (&file.pending, multipart) {
        (Pending::Upload { id, .. }, Some(multipart)) => multipart.abort_multipart(&parse(&file.key)?, id).await,
        (Pending::Upload { .. }, None) => return Ok(()),
        (Pending::Staged { key }, _) => store.delete(&parse(key)?).await,
    };
    match result {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(ConnectorError::from_store(&file.key, error)),
    }
}

fn parse(key: &str) -> Result<Path> {
    Path::parse(key).map_err(|error| ConnectorError::InvalidPath { path: key.to_owned(), reason: error.to_string() })
}
