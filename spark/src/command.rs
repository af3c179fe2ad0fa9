//! Commands: everything that is done rather than queried. Each family has its own file; this one only directs.
//!
//! A command runs when it is given and answers with rows that are known then.

mod alter;
mod assign;
mod cache;
mod catalog_query;
mod collated_columns;
mod create_text;
mod database;
mod database_write;
mod describe;
mod describe_json;
mod drop_table;
mod execute_immediate;
mod explain;
pub(crate) mod function;
mod function_check;
mod insert;
mod literal_text;
mod noop;
pub(crate) mod parameters;
mod partition;
pub(crate) mod partition_change;
mod rename_table;
mod reserved;
mod rows;
mod set;
mod show;
mod show_collations;
mod show_functions;
mod sink;
mod store;
mod table;
mod table_check;
mod variable;
mod view;
mod view_cycle;
mod write;

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};

use crate::session::Session;
use crate::spec::{Command, RowLevelOperation};

pub(crate) use catalog_query::run as catalog_query;
pub use rows::Rows;
pub(crate) use rows::{Cell, text};

/// Runs a command.
pub(crate) async fn run(session: &Arc<Session>, command: Command) -> SparkResult<Rows> {
    match command {
        Command::Write(write) => write::run(session, *write).await,
        Command::Insert(insert) => insert::run(session, *insert).await,
        Command::InsertSeveral(inserts) => insert::several(session, inserts).await,
        Command::InsertDirectory { path, local: _, format, options, input } => {
            write::directory(session, path, format, options, input).await
        }
        Command::TruncateTable { name, partition } => drop_table::truncate(session, &name, &partition).await,
        Command::RowLevel { operation, table } => row_level(session, operation, &table).await,
        Command::LoadData { .. } => Err(SparkError::unsupported("LOAD DATA")),

        Command::CreateTable(create) => table::create(session, *create).await,
        Command::CreateTableLike { name, source, if_not_exists, format, location, properties } => {
            table::create_like(session, &name, &source, if_not_exists, format, location, properties).await
        }
        Command::DropTable { name, if_exists, purge: _ } => drop_table::drop(session, &name, if_exists).await,
        Command::CreateView(view) => view::create(session, *view).await,
        Command::CreateTempView { name, input, replace, global } => {
            view::create_temp(session, &name, input, replace, global).await
        }
        Command::CreateTempViewUsing { name, schema, replace, global, format, options } => {
            view::create_using(session, &name, schema, replace, global, format, options).await
        }
        Command::DropView { name, if_exists } => view::drop(session, &name, if_exists).await,
        Command::AlterTable { name, view, action } => alter::run(session, &name, view, action).await,
        Command::CreateDatabase { name, if_not_exists, comment, location, properties } => {
            database::create(session, &name, if_not_exists, comment, location, properties).await
        }
        Command::DropDatabase { name, if_exists, cascade } => database::drop(session, &name, if_exists, cascade).await,
        Command::AlterDatabase { name, properties, location } => {
            database::alter(session, &name, properties, location).await
        }
        Command::CreateFunction(function) => function::create(session, *function).await,
        Command::DropFunction { name, if_exists, temporary } => {
            function::drop(session, &name, if_exists, temporary).await
        }
        Command::CommentOn { table, name, comment } => alter::comment(session, table, &name, comment).await,
        Command::RepairTable(name) => drop_table::repair(session, &name).await,

        Command::Use { name, namespace_only: _ } => database::use_database(session, &name).await,
        Command::SetCatalog(name) => database::use_catalog(&name),
        Command::Set(set) => set::run(session, set),
        Command::Reset(key) => set::reset(session, key),
        Command::SetTimeZone(zone) => set::time_zone(session, zone).await,
        Command::DeclareVariable { names, data_type, default, replace } => {
            variable::declare(session, names, data_type, default, replace).await
        }
        Command::SetVariable { targets, values, query } => variable::set(session, targets, values, query).await,
        Command::DropVariable { name, if_exists } => variable::drop(session, &name, if_exists),
        Command::ExecuteImmediate { text, into, using } => execute_immediate::run(session, text, into, using).await,
        Command::CacheTable { name, query, lazy: _, options: _ } => cache::table(session, &name, query).await,
        Command::UncacheTable { name, if_exists } => cache::uncache(session, &name, if_exists).await,
        Command::ClearCache => Ok(cache::clear(session)),
        Command::Refresh { table, path: _, function } => cache::refresh(session, table, function).await,
        Command::Resource { action, kind, paths } => resource(&action, &kind, &paths),
        Command::Checkpoint { input, local: _, eager: _ } => cache::checkpoint(session, &input).await,
        Command::RemoveCachedRemote { id } => Ok(cache::remove_remote(session, &id)),
        Command::Unsupported(feature) => Err(SparkError::unsupported(feature)),

        Command::Show(what) => show::run(session, what).await,
        Command::Describe(what) => describe::run(session, what).await,
        Command::Explain { mode, plan } => explain::run(session, mode, plan).await,
        Command::Analyze { table, database, partition: _, no_scan: _, columns } => {
            cache::analyze(session, table, database, columns).await
        }
        Command::Script(script) => Box::pin(crate::script::run(session, &script)).await,
    }
}

/// `DELETE`, `UPDATE` and `MERGE` are not for tables of files.
async fn row_level(session: &Arc<Session>, operation: RowLevelOperation, table: &[String]) -> SparkResult<Rows> {
    let operation = match operation {
        RowLevelOperation::Delete => "DELETE",
        RowLevelOperation::Update => "UPDATE TABLE",
        RowLevelOperation::Merge => "MERGE INTO TABLE",
    };
    let name = match session.require(table).await? {
        crate::session::Found::Stored(relation) => {
            quote_identifier(&[crate::catalog::CATALOG, &relation.database, &relation.name])
        }
        crate::session::Found::Temp(view) => quote_identifier(&[view.name.as_str()]),
    };
    Err(SparkError::unsupported_feature("TABLE_OPERATION", &[("tableName", &name), ("operation", operation)]))
}

/// `ADD JAR` and the like need a JVM; listing them is an empty answer.
fn resource(action: &str, kind: &str, paths: &[String]) -> SparkResult<Rows> {
    if action.eq_ignore_ascii_case("LIST") {
        return Rows::new(&[text("Results", false)], Vec::new());
    }
    let what = paths.first().map(String::as_str).unwrap_or_default();
    Err(SparkError::unsupported(format!("{action} {kind} {what}")))
}
