//! One file on its way out: bytes in, parts uploaded in the background, nothing visible at the end.
//!
//! Bounded: at most a few parts of a task are in memory. Knows nothing of formats.

use std::sync::Arc;

use bytes::Bytes;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Pending;
use crate::error::{ConnectorError, Result};

const PART: usize = 8 * 1024 * 1024;
const LARGE_PART: usize = 64 * 1024 * 1024;
/// Stores allow 10,000 parts; from here on they grow.
const LARGE_FROM: usize = 4_000;
/// Parts of a file on the local disk on their way at once.
const CONCURRENT_PARTS: usize = 3;
/// Parts of a task on their way at once, of whatever file: about a row group, so that the next one is encoded meanwhile.
const TASK_PARTS: usize = 8;

/// Where a task's files go.
#[derive(Clone)]
pub(super) enum Destination {
    /// Uploads to the final key, completed at commit, and the room for parts on their way.
    Deferred(Arc<dyn MultipartStore>, Arc<Semaphore>),
    /// Files below this directory, renamed at commit.
    Staged(Arc<dyn ObjectStore>, Path),
}

/// An open file.
pub(super) enum Upload {
    Deferred(Deferred),
    Staged { writer: WriteMultipart, path: Path, bytes: u64 },
}

pub(super) struct Deferred {
    store: Arc<dyn MultipartStore>,
    room: Arc<Semaphore>,
    path: Path,
    id: String,
    /// Bytes of the next part as they came: they are not copied together. None holds on to bytes of another part.
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    parts: Vec<Option<PartId>>,
    running: JoinSet<(usize, object_store::Result<PartId>)>,
    bytes: u64,
}

/// What became of a part, if its task came to its end.
type Joined = std::result::Result<(usize, object_store::Result<PartId>), tokio::task::JoinError>;

impl Destination {
    /// Uploads of one task to a store.
    pub(super) fn deferred(store: Arc<dyn MultipartStore>) -> Self {
        Self::Deferred(store, Arc::new(Semaphore::new(TASK_PARTS)))
    }

    /// Opens a file whose final key is `key`; `relative` is the same below the target directory.
    pub(super) async fn open(&self, key: &Path, relative: &str) -> Result<Upload> {
        match self {
            Self::Deferred(store, room) => {
                let id = store
                    .create_multipart(key)
                    .await
                    .map_err(|error| ConnectorError::from_store(key.as_ref(), error))?;
                Ok(Upload::Deferred(Deferred {
                    store: Arc::clone(store),
                    room: Arc::clone(room),
                    path: key.clone(),
                    id,
                    waiting: Vec::new(),
                    waiting_bytes: 0,
                    parts: Vec::new(),
                    running: JoinSet::new(),
                    bytes: 0,
                }))
            }
            Self::Staged(store, directory) => {
                let text = format!("{directory}/{relative}");
                let path = Path::parse(&text)
                    .map_err(|error| ConnectorError::InvalidPath { path: text, reason: error.to_string() })?;
                let upload = store
                    .put_multipart(&path)
                    .await
                    .map_err(|error| ConnectorError::from_store(path.as_ref(), error))?;
                let writer = WriteMultipart::new_with_chunk_size(upload, PART);
                Ok(Upload::Staged { writer, path, bytes: 0 })
            }
        }
    }
}

impl Upload {
    /// Takes bytes; waits when too many parts are on their way.
    pub(super) async fn write(&mut self, bytes: Bytes) -> Result<()> {
        match self {
            Self::Deferred(upload) => upload.write(bytes).await,
            Self::Staged { writer, path, bytes: written } => {
                let size = bytes.len() as u64;
                writer
                    .wait_for_capacity(CONCURRENT_PARTS)
                    .await
                    .map_err(|error| ConnectorError::from_store(path.as_ref(), error))?;
                writer.put(bytes);
                *written += size;
                Ok(())
            }
        }
    }

    /// Ends the file; it stays invisible. Returns what commit must do, and the size.
    pub(super) async fn finish(self) -> Result<(Pending, u64)> {
        match self {
            Self::Deferred(upload) => upload.finish().await,
            Self::Staged { writer, path, bytes } => {
                writer.finish().await.map_err(|error| ConnectorError::from_store(path.as_ref(), error))?;
                Ok((Pending::Staged { key: path.into() }, bytes))
            }
        }
    }

    /// Drops what was uploaded; failures only leave rubbish nobody reads.
    pub(super) async fn discard(self) {
        match self {
            Self::Deferred(mut upload) => {
                upload.running.shutdown().await;
                if let Err(error) = upload.store.abort_multipart(&upload.path, &upload.id).await {
                    tracing::debug!(path = %upload.path, %error, "could not abort upload");
                }
            }
            Self::Staged { writer, path, .. } => {
                if let Err(error) = writer.abort().await {
                    tracing::debug!(%path, %error, "could not abort staged file");
                }
            }
        }
    }
}

impl Deferred {
    async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        self.bytes += bytes.len() as u64;
        let whole = bytes.len();
        while !bytes.is_empty() {
            let size = if self.parts.len() < LARGE_FROM { PART } else { LARGE_PART };
            let taken = bytes.split_to(bytes.len().min(size - self.waiting_bytes));
            self.waiting_bytes += taken.len();
            // What waits for more would keep all that it came with in memory, such as a whole row group.
            let rest = self.waiting_bytes < size && taken.len() < whole;
            self.waiting.push(if rest { Bytes::copy_from_slice(&taken) } else { taken });
            if self.waiting_bytes == size {
                self.start_part().await?;
            }
        }
        Ok(())
    }

    async fn start_part(&mut self) -> Result<()> {
        let part: PutPayload = std::mem::take(&mut self.waiting).into_iter().collect();
        self.waiting_bytes = 0;
        // A larger part takes the room of several.
        let share = u32::try_from(part.content_length().div_ceil(PART).clamp(1, TASK_PARTS)).unwrap_or(1);
        let room = Arc::clone(&self.room).acquire_many_owned(share).await;
        let room = room.map_err(|error| ConnectorError::Protocol(format!("upload: {error}")))?;
        while let Some(joined) = self.running.try_join_next() {
            self.joined(joined)?;
        }
        let index = self.parts.len();
        self.parts.push(None);
        let (store, path, id) = (Arc::clone(&self.store), self.path.clone(), self.id.clone());
        self.running.spawn(async move {
            let result = store.put_part(&path, &id, index, part).await;
            drop(room);
            (index, result)
        });
        Ok(())
    }

    async fn join_part(&mut self) -> Result<()> {
        match self.running.join_next().await {
            Some(joined) => self.joined(joined),
            None => Ok(()),
        }
    }

    fn joined(&mut self, joined: Joined) -> Result<()> {
        let (index, result) = joined.map_err(|error| ConnectorError::Protocol(format!("upload task: {error}")))?;
        let part = result.map_err(|error| ConnectorError::from_store(self.path.as_ref(), error))?;
        if let Some(slot) = self.parts.get_mut(index) {
            *slot = Some(part);
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<(Pending, u64)> {
        // An empty file has one part too.
        let mut result = match self.waiting.is_empty() && !self.parts.is_empty() {
            true => Ok(()),
            false => self.start_part().await,
        };
        while result.is_ok() && !self.running.is_empty() {
            result = self.join_part().await;
        }
        if let Err(error) = result {
            Upload::Deferred(self).discard().await;
            return Err(error);
        }
        let parts = self.parts.into_iter().flatten().map(|part| part.content_id).collect();
        Ok((Pending::Upload { id: self.id, parts }, self.bytes))
    }
}
