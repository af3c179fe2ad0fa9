//! Connections to the executors that hold results, kept from job to job: a small result is fetched sooner than a connection
//! is made.

use std::collections::HashMap;

use ballista_core::client::BallistaClient;
use ballista_core::error::Result;
use parking_lot::Mutex;

use crate::cluster::MESSAGE_BYTES;

const RETRIES: u8 = 3;
const RETRY_WAIT_MS: u64 = 500;
const CONNECTION_WINDOW: u32 = 64 << 20;
const STREAM_WINDOW: u32 = 16 << 20;
/// Above so many all are closed and those that are in use are made again, so that executors long gone are forgotten.
const MOST: usize = 256;

/// A connection to each executor that was asked for rows; a connection that broke connects again by itself.
#[derive(Default)]
pub(super) struct Holders(Mutex<HashMap<(String, u16), BallistaClient>>);

impl Holders {
    /// A connection to the data port of an executor.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub(super) async fn connect(&self, host: &str, port: u16) -> Result<BallistaClient> {
        let key = (host.to_owned(), port);
        if let Some(known) = self.0.lock().get(&key) {
            return Ok(known.clone());
        }
        let client = BallistaClient::try_new(
            host,
            port,
            MESSAGE_BYTES,
            false,
            None,
            RETRIES,
            RETRY_WAIT_MS,
            CONNECTION_WINDOW,
            STREAM_WINDOW,
        )
        .await?;
        let mut all = self.0.lock();
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(key, client.clone());
        Ok(client)
    }
}
