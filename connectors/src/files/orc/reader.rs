//! Bytes of a file for the ORC decoder, from any store.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use orc_rust::reader::AsyncChunkReader;

/// Reads ranges of one file.
pub(super) struct FileReader {
    store: Arc<dyn ObjectStore>,
    file: ObjectMeta,
}

impl FileReader {
    pub(super) fn new(store: Arc<dyn ObjectStore>, file: ObjectMeta) -> Self {
        Self { store, file }
    }
}

impl AsyncChunkReader for FileReader {
    fn len(&mut self) -> BoxFuture<'_, std::io::Result<u64>> {
        // Known from the listing: nothing need be asked.
        futures::future::ready(Ok(self.file.size)).boxed()
    }

    fn get_bytes(&mut self, offset: u64, length: u64) -> BoxFuture<'_, std::io::Result<Bytes>> {
        async move {
            let end = offset.checked_add(length).filter(|end| *end <= self.file.size);
            let end = end.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::UnexpectedEof))?;
            if length == 0 {
                return Ok(Bytes::new());
            }
            self.store.get_range(&self.file.location, offset..end).await.map_err(std::io::Error::from)
        }
        .boxed()
    }
}
