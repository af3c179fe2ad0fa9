//! How many writers the server has room for, asked before any starts.
//!
//! Others may take the room meanwhile: a task that finds none is tried again.

use crate::error::{ConnectorError, Result};
use crate::postgres::connect::{Connection, database_error};
use crate::postgres::options::JdbcOptions;
use crate::postgres::table::get;

/// Connections that must be free: one for a task and one to commit or abort.
const LEAST: i64 = 2;

/// The most tasks to run at once: what was asked for, or fewer when the server, the database or the role has less room.
pub(super) async fn writers(connection: &Connection, options: &JdbcOptions) -> Result<usize> {
    // Limits of -1 mean none; superusers may use the reserved ones, but should not need to.
    let sql = "SELECT current_setting('max_connections')::int8 - current_setting('superuser_reserved_connections')::int8 \
               - (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL), \
               (SELECT CASE WHEN rolconnlimit < 0 THEN NULL ELSE rolconnlimit - (SELECT count(*) \
               FROM pg_stat_activity WHERE usename = current_user) END FROM pg_roles WHERE rolname = current_user), \
               (SELECT CASE WHEN datconnlimit < 0 THEN NULL ELSE datconnlimit - (SELECT count(*) \
               FROM pg_stat_activity a WHERE a.datname = current_database()) END \
               FROM pg_database WHERE datname = current_database())";
    let row = connection.client().query_one(sql, &[]).await.map_err(database_error)?;
    let server: i64 = get(&row, 0)?;
    let (role, database): (Option<i64>, Option<i64>) = (get(&row, 1)?, get(&row, 2)?);
    let free = [Some(server), role, database].into_iter().flatten().min().unwrap_or(server);
    if free < LEAST {
        return Err(ConnectorError::TooFewConnections { target: options.target.shown(), free: free.max(0) });
    }
    let room = usize::try_from(free - 1).unwrap_or(1);
    let wanted = options.num_partitions.unwrap_or(room);
    if wanted > room {
        tracing::warn!(wanted, room, "the server has room for fewer connections than numPartitions");
    }
    Ok(wanted.min(room))
}
