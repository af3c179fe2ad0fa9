//! A write to one table of one server: what it shall do at its end, and the staging table it begins with.
//!
//! Knows no rows, and no other server.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow::datatypes::Schema;
use serde::{Deserialize, Serialize};

use super::{DISTRIBUTED, STAGE, janitor};
use crate::clickhouse::ddl;
use crate::clickhouse::encode::Encoder;
use crate::clickhouse::http::{Client, text};
use crate::clickhouse::options::ClickHouseOptions;
use crate::clickhouse::table::{Column, Table, qualified};
use crate::error::{ConnectorError, Result};
use crate::sink::SaveMode;

/// A write to one table of one server that has begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PreparedTable {
    pub(super) options: ClickHouseOptions,
    pub(super) job_id: String,
    pub(super) database: String,
    pub(super) target: String,
    /// What all staging tables of the job begin with; the stage is called just that.
    pub(super) prefix: String,
    pub(super) stage_uuid: String,
    /// Engine and clauses of an attempt's table.
    pub(super) attempt_engine: String,
    /// The setting that keeps the server from merging an attempt's parts.
    pub(super) unmerged: Option<String>,
    /// Whether rows stay as many as were put in.
    pub(super) counts: bool,
    /// The columns rows go to, in input order.
    pub(super) columns: Vec<Column>,
    pub(super) zone: String,
    pub(super) finish: Finish,
    /// Whether a commit has begun in this process, after which the stage may be gone because its rows are the target's.
    #[serde(skip)]
    pub(super) committing: Arc<AtomicBool>,
}

/// What commit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Finish {
    /// Rows are in the target already.
    Direct,
    /// The stage's parts become the target's.
    Attach,
    /// The stage becomes the target, which does not exist.
    Rename,
    /// Stage and target change places.
    Exchange,
    /// The stage's partitions replace those of the target.
    Partitions,
}

impl PreparedTable {
    /// Checks mode and columns against the table, if there is one, and makes the stage.
    pub(super) async fn begin(
        options: ClickHouseOptions,
        mode: SaveMode,
        names: &[String],
        schema: &Schema,
        job_id: &str,
        found: Option<&Table>,
    ) -> Result<Self> {
        let client = Client::new(&options.target)?;
        let (database, target) = options.write_table()?;
        let finish = match (mode, found) {
            (_, None) => Finish::Rename,
            (_, Some(table)) if !options.atomic || table.engine == DISTRIBUTED => Finish::Direct,
            (SaveMode::Overwrite, Some(_)) if options.dynamic => Finish::Partitions,
            (SaveMode::Overwrite, Some(_)) => Finish::Exchange,
            (_, Some(_)) => Finish::Attach,
        };
        let zone = client.rows("SELECT timezone()").await.map_err(|failure| client.error(failure))?;
        let zone = text(zone.first().and_then(|row| row.first()));
        // Ids come from elsewhere and become a table's name.
        let job: String = job_id.chars().filter(char::is_ascii_alphanumeric).collect();
        let mut prepared = Self {
            prefix: format!("{STAGE}{job}"),
            job_id: job_id.to_owned(),
            stage_uuid: String::new(),
            attempt_engine: String::new(),
            unmerged: None,
            counts: true,
            columns: Vec::new(),
            options,
            database,
            target,
            zone,
            finish,
            committing: Arc::default(),
        };
        if finish != Finish::Direct {
            janitor::sweep(&client, &prepared).await;
        }
        let Some(table) = found else {
            prepared.create_stage(&client, names, schema).await?;
            return Ok(prepared);
        };
        prepared.columns = match_columns(names, table)?;
        // An unwritable type must be told before anything is made.
        Encoder::new(&prepared.columns, &prepared.zone).schema(schema)?;
        if finish == Finish::Direct {
            prepared.begin_direct(&client, table, mode).await?;
        } else {
            prepared.begin_staged(&client, table).await?;
        }
        Ok(prepared)
    }

    pub(super) fn stage(&self) -> String {
        qualified(&self.database, &self.prefix)
    }

    pub(super) fn target(&self) -> String {
        qualified(&self.database, &self.target)
    }

    /// The stage of a table that does not exist: the table itself under another name.
    async fn create_stage(&mut self, client: &Client, names: &[String], schema: &Schema) -> Result<()> {
        if !self.options.atomic
            && self.options.create.engine.as_deref().is_some_and(|engine| !engine.contains("MergeTree"))
        {
            // Nothing can be moved into such a table, so it is made at once and filled.
            let body = ddl::body(names, schema, &self.options.create)?;
            client.execute(&format!("CREATE TABLE {} {body}", self.target())).await.map_err(|f| client.error(f))?;
            let table = self.find(client, &self.target.clone()).await?;
            self.columns = match_columns(names, &table)?;
            self.finish = Finish::Direct;
            return Ok(());
        }
        let body = ddl::body(names, schema, &self.options.create)?;
        let sql = format!("CREATE TABLE IF NOT EXISTS {} {body}", self.stage());
        client.insist(&sql).await.map_err(|failure| client.error(failure))?;
        let made = self.use_stage(client, names, schema).await;
        if made.is_err() {
            self.drop_stage(client).await?;
        }
        made
    }

    async fn use_stage(&mut self, client: &Client, names: &[String], schema: &Schema) -> Result<()> {
        let stage = self.find(client, &self.prefix.clone()).await?;
        if !stage.is_merge_tree() {
            let feature = format!("an all-or-nothing write to an {} table; set write.atomic=false", stage.engine);
            return Err(ConnectorError::Unsupported { feature });
        }
        self.columns = match_columns(names, &stage)?;
        self.adopt(&stage);
        Encoder::new(&self.columns, &self.zone).schema(schema).map(drop)
    }

    async fn find(&self, client: &Client, name: &str) -> Result<Table> {
        let found = Table::find(client, &self.database, name).await.map_err(|failure| client.error(failure))?;
        found.ok_or_else(|| ConnectorError::TableNotFound { table: qualified(&self.database, name) })
    }

    fn adopt(&mut self, stage: &Table) {
        self.stage_uuid.clone_from(&stage.uuid);
        let (engine, unmerged) = stage.unmerged_engine();
        self.attempt_engine = engine;
        self.unmerged = unmerged.map(str::to_owned);
        self.counts = matches!(stage.engine.as_str(), "MergeTree" | "ReplicatedMergeTree" | "SharedMergeTree");
    }

    async fn begin_staged(&mut self, client: &Client, table: &Table) -> Result<()> {
        let instead = "set write.atomic=false to write straight into it";
        if !table.is_merge_tree() {
            let feature =
                format!("an all-or-nothing write to {}, a table of engine {}; {instead}", table.sql(), table.engine);
            return Err(ConnectorError::Unsupported { feature });
        }
        if !table.dependants.is_empty() {
            let views = table.dependants.join(", ");
            let feature = format!(
                "an all-or-nothing write to {}: its materialized views ({views}) see inserts only; {instead}",
                table.sql()
            );
            return Err(ConnectorError::Unsupported { feature });
        }
        if self.finish == Finish::Exchange && self.options.truncate {
            // The table itself stays, with all that hangs on it; its parts are replaced in one statement.
            self.finish = Finish::Partitions;
        }
        let engine = match self.finish {
            // This table becomes the target, so it is like it in everything.
            Finish::Exchange => String::new(),
            _ => format!(" ENGINE = {}", table.plain_engine()),
        };
        let sql = format!("CREATE TABLE IF NOT EXISTS {} AS {}{engine}", self.stage(), table.sql());
        client.insist(&sql).await.map_err(|failure| client.error(failure))?;
        match self.find(client, &self.prefix.clone()).await {
            Ok(stage) => {
                self.adopt(&stage);
                Ok(())
            }
            Err(error) => {
                self.drop_stage(client).await?;
                Err(error)
            }
        }
    }

    async fn begin_direct(&mut self, client: &Client, table: &Table, mode: SaveMode) -> Result<()> {
        if table.engine == DISTRIBUTED {
            if self.options.atomic || !self.options.distributed {
                let feature = format!(
                    "an all-or-nothing write through {}, a Distributed table: without write.distributed.convertLocal=false \
                     its local tables are written, each all or nothing; with write.atomic=false and \
                     write.distributed.foreground=true rows go through it, each block acknowledged by its shards",
                    table.sql()
                );
                return Err(ConnectorError::Unsupported { feature });
            }
            if mode == SaveMode::Overwrite {
                return Err(ConnectorError::Unsupported { feature: "overwriting a Distributed table".to_owned() });
            }
        }
        if mode == SaveMode::Overwrite {
            if self.options.dynamic {
                let feature = "replacing partitions with write.atomic=false".to_owned();
                return Err(ConnectorError::Unsupported { feature });
            }
            client
                .execute(&format!("TRUNCATE TABLE {}", table.sql()))
                .await
                .map_err(|failure| client.error(failure))?;
        }
        Ok(())
    }
}

pub(super) fn match_columns(names: &[String], table: &Table) -> Result<Vec<Column>> {
    let mut matched: Vec<Column> = Vec::with_capacity(names.len());
    for name in names {
        let exact = table.columns.iter().find(|column| column.name == *name);
        let folded = || table.columns.iter().find(|column| column.name.to_lowercase() == name.to_lowercase());
        let column = exact.or_else(folded).ok_or_else(|| ConnectorError::ColumnNotFound {
            column: name.clone(),
            table: table.sql(),
            available: table.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", "),
        })?;
        if column.generated {
            return Err(ConnectorError::Unsupported { feature: format!("writing computed column {}", column.name) });
        }
        if matched.iter().any(|other| other.name == column.name) {
            return Err(ConnectorError::option("table", format!("column {} is written twice", column.name)));
        }
        matched.push(column.clone());
    }
    Ok(matched)
}
