//! What analysis asks a session for: tables, views, sources, functions, kept results, and rows of eager queries.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::prelude::SessionContext;
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::DataType;

use super::state::TempBody;
use super::{Found, Session, TempView};
use crate::analyze::{
    CatalogLookup, NameRef, Namespace, SqlFunction, TableData, TableEntry, ViewData, ViewMode, ViewOptions,
};
use crate::catalog::{self, CATALOG, Function, GLOBAL_TEMP, TableName};
use crate::source::{self, Environment, Format};
use crate::spec::{self, FunctionBody, ObjectName, Plan};

/// The session as analysis sees it, for one query.
pub(super) struct Lookup {
    pub(super) session: Arc<Session>,
    pub(super) ctx: Arc<SessionContext>,
}

#[async_trait]
impl CatalogLookup for Lookup {
    async fn fetch(&self, name: &NameRef) -> SparkResult<TableEntry> {
        match name {
            NameRef::Table { name, options, time_travel, namespace } => {
                if time_travel.is_some() {
                    return Err(SparkError::unsupported_feature(
                        "TIME_TRAVEL",
                        &[("relationId", &firesteel_functions::error::quote_identifier(name))],
                    ));
                }
                self.table(name, options, namespace.as_ref()).await
            }
            NameRef::Source(source) => {
                let loaded = source::load(source, &self.environment()).await?;
                Ok(entry(loaded, Vec::new()))
            }
            NameRef::Function { name, namespace } => self.function(name, namespace.as_ref()).await,
            NameRef::Catalog(query) => {
                let rows = crate::command::catalog_query(&self.session, query.as_ref().clone()).await?;
                Ok(TableEntry::Rows { schema: rows.schema, batches: rows.batches })
            }
            NameRef::Command(command) => {
                let rows = crate::command::run(&self.session, command.as_ref().clone()).await?;
                Ok(TableEntry::Rows { schema: rows.schema, batches: rows.batches })
            }
            NameRef::CachedRemote(id) => {
                let kept = self.session.state().read().kept.get(id).cloned();
                Ok(match kept {
                    Some(kept) => table_entry(kept.provider, kept.schema, Vec::new(), Vec::new()),
                    None => TableEntry::Missing,
                })
            }
            NameRef::Query { plan, schema, .. } => {
                let batches = self.session.collect(&self.ctx, plan.clone(), "analysis").await?;
                Ok(TableEntry::Rows { schema: schema.clone(), batches })
            }
        }
    }
}

impl Lookup {
    fn environment(&self) -> Environment<'_> {
        Environment { ctx: &self.ctx, conf: self.session.conf() }
    }

    async fn table(
        &self,
        name: &ObjectName,
        options: &spec::Options,
        namespace: Option<&Namespace>,
    ) -> SparkResult<TableEntry> {
        let database = namespace.map(|namespace| namespace.database.as_str());
        let found = match self.session.find(name, database).await {
            Ok(found) => found,
            // More parts than a table has: perhaps a path.
            Err(error) if error.condition() == "REQUIRES_SINGLE_PART_NAMESPACE" && name.len() == 2 => None,
            Err(error) => return Err(error),
        };
        match found {
            Some(Found::Temp(view)) => Ok(temp_view(&view)),
            Some(Found::Stored(relation)) => self.stored(&relation, options).await,
            None => self.direct(name, options).await,
        }
    }

    async fn stored(&self, relation: &catalog::Relation, options: &spec::Options) -> SparkResult<TableEntry> {
        let qualifier = vec![CATALOG.to_string(), relation.database.clone(), relation.name.clone()];
        let schema = relation.schema()?;
        if let Some(view) = &relation.view {
            return self.stored_view(view, schema, qualifier);
        }
        let format = Format::parse(&relation.provider)?;
        let mut all = relation.options.clone();
        all.extend(options.clone());
        if format.is_database() {
            let source = spec::DataSource {
                format: Some(relation.provider.clone()),
                schema: None,
                options: all,
                paths: Vec::new(),
                predicates: Vec::new(),
            };
            return Ok(entry(source::load(&source, &self.environment()).await?, qualifier));
        }
        crate::command::partition_change::check_readable(&self.session, relation).await?;
        let mut loaded = source::load_files(
            format,
            std::slice::from_ref(&relation.location),
            Some(schema.clone()),
            Some(&relation.partitioned_by),
            &source::table_options(&all),
            &self.environment(),
        )
        .await?;
        // Partition columns come from the folders' names, which know no lengths.
        for field in &mut loaded.schema.fields {
            let declared = schema.fields.iter().find(|known| known.name == field.name);
            if let Some(declared) = declared.filter(|known| catalog::text_type::limited(&known.data_type)) {
                field.data_type = declared.data_type.clone();
            }
        }
        Ok(entry(loaded, qualifier))
    }

    /// A view's text means what it meant when the view was created.
    fn stored_view(
        &self,
        view: &catalog::ViewText,
        schema: firesteel_functions::types::StructType,
        qualifier: Vec<String>,
    ) -> SparkResult<TableEntry> {
        let own = |key: &str| view.conf.get(key).map(|value| value.eq_ignore_ascii_case("true"));
        let mut parse = self.session.parse_options();
        if let Some(double_quoted) = own("spark.sql.ansi.doubleQuotedIdentifiers") {
            parse.double_quoted_identifiers = double_quoted;
        }
        if let Some(raw) = own("spark.sql.parser.escapedStringLiterals") {
            parse.escaped_string_literals = raw;
        }
        // What the session has set for `${...}` was put in when the view was created.
        parse.identifiers = None;
        let Plan::Query(query) = crate::sql::parse_statement(&view.text, &parse)? else {
            return Err(SparkError::internal("the text of a view is no query"));
        };
        let mode = match view.schema_mode.as_str() {
            "BINDING" => ViewMode::Binding,
            "TYPE EVOLUTION" => ViewMode::TypeEvolution,
            "EVOLUTION" => ViewMode::Evolution,
            _ => ViewMode::Compensation,
        };
        let options = match (own("spark.sql.ansi.enabled"), own("spark.sql.caseSensitive")) {
            (Some(ansi), Some(case_sensitive)) => {
                let zone = view.conf.get("spark.sql.session.timeZone").cloned();
                let time_zone = zone.unwrap_or_else(|| self.session.conf().effects().time_zone());
                Some(ViewOptions { ansi, case_sensitive, time_zone })
            }
            _ => None,
        };
        Ok(TableEntry::View(Arc::new(ViewData {
            query,
            namespace: Some(Namespace { catalog: CATALOG.to_string(), database: view.database.clone() }),
            schema: Some(schema),
            qualifier,
            columns: view.query_columns.clone(),
            mode,
            options,
        })))
    }

    /// ``parquet.`path` ``.
    async fn direct(&self, name: &ObjectName, options: &spec::Options) -> SparkResult<TableEntry> {
        let [format, path] = name.as_slice() else { return Ok(TableEntry::Missing) };
        if ["xml", "binaryfile"].iter().any(|other| other.eq_ignore_ascii_case(format)) {
            return Err(unreadable(format, path));
        }
        if !Format::is_file_format(format) || !self.session.conf().is_true("spark.sql.runSQLOnFiles") {
            return Ok(TableEntry::Missing);
        }
        let source = spec::DataSource {
            format: Some(format.clone()),
            schema: None,
            options: options.clone(),
            paths: vec![path.clone()],
            predicates: Vec::new(),
        };
        Ok(entry(source::load(&source, &self.environment()).await?, Vec::new()))
    }

    async fn function(&self, parts: &ObjectName, namespace: Option<&Namespace>) -> SparkResult<TableEntry> {
        let temporary = match parts.as_slice() {
            [name] => Some(name),
            [session, name] if session.eq_ignore_ascii_case("session") => Some(name),
            [system, session, name]
                if system.eq_ignore_ascii_case("system") && session.eq_ignore_ascii_case("session") =>
            {
                Some(name)
            }
            _ => None,
        };
        if let Some(name) = temporary {
            let found = self.session.state().read().functions.get(&name.to_lowercase()).cloned();
            if let Some(found) = found {
                return self.sql_function(&found.function, found.function.name.clone());
            }
        }
        let current = self.session.current_database();
        let database = namespace.map_or(current.as_str(), |namespace| namespace.database.as_str());
        let name = match TableName::resolve(parts, database) {
            Ok(name) => name,
            Err(error) if parts.len() > 3 => return Err(error),
            Err(_) => return Ok(TableEntry::Missing),
        };
        match self.session.warehouse().function(&name).await? {
            Some(function) => self.sql_function(&function, name.plain()),
            None => Ok(TableEntry::Missing),
        }
    }

    fn sql_function(&self, function: &Function, name: String) -> SparkResult<TableEntry> {
        if let Some(class) = &function.class_name {
            let name = TableName::new(&function.database, &function.name).quoted();
            return Err(crate::command::function::not_loaded(class, &name));
        }
        let mut params = Vec::with_capacity(function.params.len());
        for param in &function.params {
            let default = param.default.as_deref().map(|text| self.session.parse_expression(text)).transpose()?;
            params.push((param.name.clone(), param.data_type()?, default));
        }
        let body = if function.is_query {
            match self.session.parse(&function.body)? {
                Plan::Query(query) => FunctionBody::Query(query, function.body.clone()),
                Plan::Command(_) => return Err(SparkError::internal("the body of a function is no query")),
            }
        } else {
            FunctionBody::Expr(self.session.parse_expression(&function.body)?, function.body.clone())
        };
        let returns = function.returns.as_ref().map(|json| DataType::from_json(&json.to_string())).transpose()?;
        let returns_table = match &function.returns_table {
            Some(columns) => Some(firesteel_functions::types::StructType::new(
                columns.iter().map(catalog::Column::field).collect::<SparkResult<_>>()?,
            )),
            None => None,
        };
        let namespace = Namespace { catalog: CATALOG.to_string(), database: function.namespace.clone() };
        Ok(TableEntry::Function(Arc::new(SqlFunction {
            name,
            params,
            returns,
            returns_table,
            body,
            namespace: Some(namespace),
        })))
    }
}

/// A path in a format that Spark reads and this engine does not.
fn unreadable(format: &str, path: &str) -> SparkError {
    if path.is_empty() {
        return SparkError::analysis("INVALID_EMPTY_LOCATION", &[("location", "")]);
    }
    let local = path.strip_prefix("file:").unwrap_or(path);
    if local.starts_with('/') && !std::path::Path::new(local).exists() {
        return SparkError::analysis("PATH_NOT_FOUND", &[("path", &format!("file:{local}"))]);
    }
    SparkError::unsupported(format!("data source `{format}`"))
}

fn temp_view(view: &TempView) -> TableEntry {
    let qualifier =
        if view.global { vec![GLOBAL_TEMP.to_string(), view.name.clone()] } else { vec![view.name.clone()] };
    match &view.body {
        TempBody::Query { query, database, columns, options } => TableEntry::View(Arc::new(ViewData {
            query: query.clone(),
            namespace: Some(Namespace { catalog: CATALOG.to_string(), database: database.clone() }),
            schema: Some(view.schema.clone()),
            qualifier,
            columns: columns.clone(),
            mode: ViewMode::Binding,
            options: Some(options.clone()),
        })),
        TempBody::Plan(provider) => table_entry(Arc::clone(provider), view.schema.clone(), Vec::new(), qualifier),
    }
}

fn entry(loaded: source::Loaded, qualifier: Vec<String>) -> TableEntry {
    table_entry(loaded.provider, loaded.schema, loaded.partition_columns, qualifier)
}

fn table_entry(
    provider: Arc<dyn datafusion::catalog::TableProvider>,
    schema: firesteel_functions::types::StructType,
    partition_columns: Vec<String>,
    qualifier: Vec<String>,
) -> TableEntry {
    TableEntry::Table(Arc::new(TableData { provider, schema, partition_columns, qualifier }))
}
