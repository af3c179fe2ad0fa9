//! The bytes of a file's lines that belong to a range of it: those of every line that begins in the range.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::error::{DataFusionError, Result};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use memchr::memchr;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

/// Bytes asked for at once.
const BLOCK: u64 = 8 << 20;
/// Bytes asked for at once beyond the end of a range, where only the rest of one line is wanted.
const TAIL: u64 = 256 << 10;
/// Blocks on their way at the same time.
const AHEAD: usize = 2;

/// The whole file.
pub(super) fn whole(store: Arc<dyn ObjectStore>, path: Path, size: u64) -> BoxStream<'static, Result<Bytes>> {
    blocks(store, path, 0..size, size).boxed()
}

/// The lines that begin in `range`, each ended by a line feed or the file's end.
pub(super) fn lines(
    store: Arc<dyn ObjectStore>,
    path: Path,
    range: Range<u64>,
    size: u64,
) -> BoxStream<'static, Result<Bytes>> {
    let trim = Trim::new(&range);
    let blocks = blocks(store, path, trim.at..range.end.min(size), size).boxed();
    futures::stream::try_unfold((blocks, trim), |(mut blocks, mut trim)| async move {
        while !trim.over {
            let Some(block) = blocks.try_next().await? else { break };
            let own = trim.cut(&block);
            if !own.is_empty() {
                return Ok(Some((own, (blocks, trim))));
            }
        }
        Ok(None)
    })
    .boxed()
}

/// The blocks of a range, and then those up to the end of the file, as long as somebody wants them.
fn blocks(
    store: Arc<dyn ObjectStore>,
    path: Path,
    range: Range<u64>,
    size: u64,
) -> impl futures::Stream<Item = Result<Bytes>> + Send {
    let next = move |at: &u64| {
        let end = if *at < range.end { (at + BLOCK).min(range.end) } else { (at + TAIL).min(size) };
        (end > *at).then_some(end)
    };
    let first = range.start;
    let starts = std::iter::successors(Some(first), next);
    let ranges = starts.filter_map(move |start| Some(start..next(&start)?));
    futures::stream::iter(ranges)
        .map(move |range| {
            let (store, path) = (Arc::clone(&store), path.clone());
            async move { store.get_range(&path, range).await.map_err(DataFusionError::from) }
        })
        .buffered(AHEAD)
}

/// Leaves of a file's bytes those of the lines that begin in a range. Pure.
struct Trim {
    /// Where the next block begins.
    at: u64,
    /// The end of the range.
    end: u64,
    /// Whether the line at hand began before the range.
    skipping: bool,
    /// Whether all that follows belongs to the next range.
    over: bool,
}

impl Trim {
    fn new(range: &Range<u64>) -> Self {
        // A line begins at the start of the range if the byte before ends one.
        let skipping = range.start > 0;
        Self { at: range.start.saturating_sub(1), end: range.end, skipping, over: range.start >= range.end }
    }

    fn cut(&mut self, block: &Bytes) -> Bytes {
        let mut begin = 0;
        if self.skipping {
            let Some(found) = memchr(b'\n', block) else {
                self.at += block.len() as u64;
                self.over = self.at >= self.end;
                return Bytes::new();
            };
            begin = found + 1;
            self.skipping = false;
        }
        let start = self.at;
        let first = start + begin as u64;
        self.at += block.len() as u64;
        if first >= self.end && begin > 0 {
            self.over = true;
            return Bytes::new();
        }
        // The line that holds the last byte of the range is the last one.
        let last = usize::try_from(self.end.saturating_sub(1).saturating_sub(start)).unwrap_or(usize::MAX);
        let from = last.max(begin);
        match block.get(from..).and_then(|rest| memchr(b'\n', rest)) {
            Some(found) => {
                self.over = true;
                block.slice(begin..=from + found)
            }
            None => block.slice(begin..),
        }
    }
}
