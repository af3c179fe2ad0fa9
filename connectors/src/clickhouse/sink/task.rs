//! One task's share of a write: its rows are gathered, checked and cast, and given to the table each belongs to.

use arrow::array::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use super::block::Gather;
use super::inserts::Inserts;
use super::shards::Router;
use super::{ClickHouseMessage, PreparedClickHouse};
use crate::clickhouse::encode::Encoder;
use crate::error::{ConnectorError, Result};

impl PreparedClickHouse {
    /// Writes one partition.
    pub(crate) async fn write(
        &self,
        partition: usize,
        attempt: &str,
        mut input: SendableRecordBatchStream,
    ) -> Result<ClickHouseMessage> {
        let Some(first) = self.tables.first() else {
            return Err(ConnectorError::Protocol("a write to no table".to_owned()));
        };
        let mut encoder = Encoder::new(&first.columns, &first.zone);
        let schema = encoder.schema(&input.schema())?;
        let mut inserts = Vec::with_capacity(self.tables.len());
        for table in &self.tables {
            inserts.push(Inserts::new(table, partition, attempt, schema.clone(), self.tables.len())?);
        }
        let mut router = self.sharding.as_ref().map(|sharding| Router::new(sharding, partition)).transpose()?;
        let mut gather = Gather::default();
        while let Some(batch) = input.next().await.transpose()? {
            let mut at = 0;
            while at < batch.num_rows() {
                at += gather.take(&batch, at);
                if gather.is_full()
                    && let Some(rows) = gather.settle()?
                {
                    give(&mut inserts, router.as_mut(), &encoder.batch(&rows)?).await?;
                }
            }
        }
        if let Some(rows) = gather.settle()? {
            give(&mut inserts, router.as_mut(), &encoder.batch(&rows)?).await?;
        }
        let mut tables = Vec::with_capacity(inserts.len());
        for own in inserts {
            tables.push(own.finish().await?);
        }
        Ok(ClickHouseMessage { rows: tables.iter().map(|own| own.rows).sum(), tables })
    }
}

async fn give(inserts: &mut [Inserts<'_>], router: Option<&mut Router<'_>>, rows: &RecordBatch) -> Result<()> {
    let parts = match router {
        Some(router) => router.split(rows).await?,
        None => vec![(0, rows.clone())],
    };
    for (index, rows) in parts {
        match inserts.get_mut(index) {
            Some(own) => own.add(&rows).await?,
            None => return Err(ConnectorError::Protocol(format!("a row for shard {index}, which is not there"))),
        }
    }
    Ok(())
}
