//! Compressed text files: which codec a name stands for, and the bytes behind it.
//!
//! It knows no format.

use bytes::Bytes;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::error::DataFusionError;
use firesteel_functions::error::{SparkError, SparkResult};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;

use super::Environment;
use super::listing::{Listing, SourceFile};
use crate::source::failure;

/// The codec of a file by the end of its name, as in Hadoop.
///
/// # Errors
/// A codec that Hadoop has and this engine has not.
fn of_name(name: &str) -> SparkResult<FileCompressionType> {
    Ok(match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("gz") => FileCompressionType::GZIP,
        // The decoders of the others stop at the end of the first of several streams in a file, without a word.
        Some(ending @ ("bz2" | "zst" | "xz" | "snappy" | "lz4" | "deflate")) => {
            return Err(SparkError::unsupported(format!("text files compressed as .{ending}")));
        }
        _ => FileCompressionType::UNCOMPRESSED,
    })
}

/// The one codec of all files.
///
/// # Errors
/// Files of several codecs.
pub(super) fn of(listing: &Listing) -> SparkResult<FileCompressionType> {
    let mut found = None;
    for file in &listing.files {
        let own = of_name(file.file.object_meta.location.as_ref())?;
        match found {
            Some(known) if known != own => {
                return Err(SparkError::unsupported("text files with different compression in one read"));
            }
            _ => found = Some(own),
        }
    }
    Ok(found.unwrap_or(FileCompressionType::UNCOMPRESSED))
}

/// The file's bytes as they were before compression.
pub(super) async fn stream(
    file: &SourceFile,
    codec: FileCompressionType,
    env: &Environment<'_>,
) -> SparkResult<BoxStream<'static, Result<Bytes, DataFusionError>>> {
    let store = env.ctx.runtime_env().object_store(&file.store).map_err(failure)?;
    let read = store.get(&file.file.object_meta.location).await.map_err(|error| failure(error.into()))?;
    codec.convert_stream(read.into_stream().map_err(DataFusionError::from).boxed()).map_err(failure)
}
