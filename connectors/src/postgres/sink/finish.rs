//! The end of a write: everything the winners staged becomes visible in one transaction, or nothing does.

use super::ledger::{Closing, Ledger};
use super::plan::{Finish, Load};
use super::{PreparedPostgres, janitor, open};
use crate::error::{ConnectorError, Result};
use crate::postgres::connect::{Connection, database_error};
use crate::postgres::encode::Wire;
use crate::postgres::options::UpsertAction;
use crate::postgres::table::{TableName, get, literal, quote};
use crate::sink::{CommitMessage, WriteReport, Written};

impl PreparedPostgres {
    /// Makes the target hold what the messages speak of. Calling it again after a lost answer changes nothing.
    pub(crate) async fn commit(&self, messages: &[CommitMessage]) -> Result<WriteReport> {
        let rows = messages.iter().map(|message| message.rows).sum();
        let report = WriteReport { rows, bytes: 0, files: 0 };
        let connection = open(&self.options, &self.job_id).await?;
        connection.execute(self.options.isolation.begin()).await?;
        let ledger = self.ledger();
        match ledger.close(&connection).await? {
            Closing::Now => {}
            Closing::Committed => {
                connection.execute("ROLLBACK").await?;
                janitor::drop_stages(&connection, self.staging.as_deref(), &self.job_id).await?;
                return Ok(report);
            }
            Closing::Gone => {
                return Err(ConnectorError::Protocol(format!("job {} is no longer open", self.job_id)));
            }
        }
        match self.load {
            Load::Direct => self.check_direct(&connection, &ledger, messages, rows).await?,
            Load::Staged(_) => self.move_rows(&connection, messages).await?,
        }
        ledger.committed(&connection, rows).await?;
        connection.execute("COMMIT").await?;
        // The rows are in: what cannot be dropped now is dropped by the next write.
        if let Err(error) = janitor::drop_stages(&connection, self.staging.as_deref(), &self.job_id).await {
            tracing::warn!(job = self.job_id, %error, "failed to drop staging tables");
        }
        Ok(report)
    }

    /// Closes the job to late attempts and drops what was staged. Rows of direct writes stay.
    pub(crate) async fn abort(&self) -> Result<()> {
        let connection = open(&self.options, &self.job_id).await?;
        self.ledger().close(&connection).await?;
        janitor::drop_stages(&connection, self.staging.as_deref(), &self.job_id).await
    }

    async fn check_direct(
        &self,
        connection: &Connection,
        ledger: &Ledger,
        messages: &[CommitMessage],
        rows: u64,
    ) -> Result<()> {
        let (partitions, recorded) = ledger.totals(connection).await?;
        if partitions == messages.len() as u64 && recorded == rows {
            return Ok(());
        }
        Err(ConnectorError::Protocol(format!(
            "ledger has {partitions} partitions and {recorded} rows, the job has {} and {rows}",
            messages.len()
        )))
    }

    async fn move_rows(&self, connection: &Connection, messages: &[CommitMessage]) -> Result<()> {
        let mut stages: Vec<(TableName, u64)> = Vec::new();
        for message in messages.iter().filter(|message| message.rows > 0) {
            match &message.written {
                Written::Postgres(written) => match &written.staged {
                    Some(stage) => stages.push((stage.clone(), message.rows)),
                    None => return Err(ConnectorError::Protocol("a task staged nothing".to_owned())),
                },
                _ => return Err(ConnectorError::Protocol("message of another sink".to_owned())),
            }
        }
        let target = self.target.sql();
        match &self.finish {
            Finish::Append => {}
            Finish::Refill => {
                let cascade = if self.options.cascade_truncate { " CASCADE" } else { "" };
                // A partitioned table has no rows of its own.
                let sql = format!("SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass({})", literal(&target));
                let row = connection.client().query_opt(&sql, &[]).await.map_err(database_error)?;
                let parted = row.map(|row| get::<bool>(&row, 0)).transpose()?.unwrap_or(false);
                let only = if parted { "" } else { "ONLY " };
                connection.execute(&format!("TRUNCATE TABLE {only}{target}{cascade}")).await?;
            }
            Finish::Create { body, replace } => self.create(connection, body, *replace).await?,
            Finish::Upsert { keys, action } => return self.upsert(connection, &stages, keys, *action).await,
        }
        let (list, values) = (self.column_list(), self.value_list()?);
        for (stage, rows) in &stages {
            let sql = format!("INSERT INTO {target} ({list}) SELECT {values} FROM {}", stage.sql());
            let inserted = connection.client().execute(&sql, &[]).await.map_err(database_error)?;
            if inserted != *rows {
                whole(connection, stage, *rows).await?;
            }
        }
        Ok(())
    }

    async fn create(&self, connection: &Connection, body: &str, replace: bool) -> Result<()> {
        let target = self.target.sql();
        if replace {
            connection.execute(&format!("DROP TABLE IF EXISTS {target}")).await?;
        }
        let created = connection.execute(&format!("CREATE TABLE {target} {body}")).await;
        created.map_err(|error| match error {
            ConnectorError::Database { sqlstate, .. } if sqlstate == "42P07" => {
                ConnectorError::TableExists { table: target.clone() }
            }
            error => error,
        })?;
        if let Some(comment) = &self.options.table_comment {
            connection.execute(&format!("COMMENT ON TABLE {target} IS {}", literal(comment))).await?;
        }
        Ok(())
    }

    async fn upsert(
        &self,
        connection: &Connection,
        stages: &[(TableName, u64)],
        keys: &[String],
        action: UpsertAction,
    ) -> Result<()> {
        if stages.is_empty() {
            return Ok(());
        }
        for (stage, rows) in stages {
            whole(connection, stage, *rows).await?;
        }
        let list = self.column_list();
        let parts: Vec<String> =
            stages.iter().map(|(stage, _)| format!("SELECT {list} FROM {}", stage.sql())).collect();
        let rows = parts.join(" UNION ALL ");
        let key: Vec<String> = keys.iter().map(|key| quote(key)).collect();
        let key = key.join(", ");
        self.unique(connection, &rows, keys, &key).await?;
        let others: Vec<String> = self
            .columns
            .iter()
            .filter(|column| !keys.contains(&column.name))
            .map(|column| format!("{0} = EXCLUDED.{0}", quote(&column.name)))
            .collect();
        let action = match action {
            UpsertAction::Update if !others.is_empty() => format!("UPDATE SET {}", others.join(", ")),
            UpsertAction::Update | UpsertAction::Ignore => "NOTHING".to_owned(),
        };
        // In the order of the keys, so that two upserts wait for each other rather than deadlock.
        let sql = format!(
            "INSERT INTO {} ({list}) SELECT {} FROM ({rows}) AS staged ORDER BY {key} ON CONFLICT ({key}) DO {action}",
            self.target.sql(),
            self.value_list()?
        );
        connection.execute(&sql).await
    }

    /// Keys that come twice, or not at all, have no one row to become.
    async fn unique(&self, connection: &Connection, rows: &str, keys: &[String], key: &str) -> Result<()> {
        let texts: Vec<String> = keys.iter().map(|key| format!("coalesce({}::text, 'NULL')", quote(key))).collect();
        let null: Vec<String> = keys.iter().map(|key| format!("{} IS NULL", quote(key))).collect();
        let sql = format!(
            "SELECT concat_ws(', ', {}), count(*), {} FROM ({rows}) AS staged GROUP BY {key} \
             HAVING count(*) > 1 OR {} LIMIT 1",
            texts.join(", "),
            null.join(" OR "),
            null.join(" OR ")
        );
        let Some(row) = connection.client().query_opt(&sql, &[]).await.map_err(database_error)? else {
            return Ok(());
        };
        let (value, count, is_null): (String, i64, bool) = (get(&row, 0)?, get(&row, 1)?, get(&row, 2)?);
        let reason = if is_null { "a key is NULL".to_owned() } else { format!("{count} rows have this key") };
        Err(ConnectorError::DuplicateKey { table: self.target.sql(), keys: keys.join(", "), value, reason })
    }

    /// The staged columns as the target's types.
    fn value_list(&self) -> Result<String> {
        let mut list = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let name = quote(&column.name);
            let text = Wire::of(column)? == Wire::ServerText;
            list.push(if text { format!("{name}::{}", column.sql_type) } else { name });
        }
        Ok(list.join(", "))
    }
}

/// Makes sure that a staging table still holds all its rows: a server that crashed empties unlogged tables.
async fn whole(connection: &Connection, stage: &TableName, rows: u64) -> Result<()> {
    let sql = format!("SELECT count(*) FROM {}", stage.sql());
    let row = connection.client().query_one(&sql, &[]).await.map_err(database_error)?;
    let found: i64 = get(&row, 0)?;
    if u64::try_from(found).ok() == Some(rows) {
        return Ok(());
    }
    Err(ConnectorError::Protocol(format!("staging table {} has {found} rows of {rows}", stage.sql())))
}
