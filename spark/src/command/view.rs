//! Views: stored ones as text, temporary ones as a query or as what a DataFrame meant when it was registered.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::datasource::ViewTable;
use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};
use firesteel_functions::types::{StructField, StructType};

use super::sink::unique;
use super::{Rows, reserved, view_cycle};
use crate::analyze::{Finish, NameRef, ViewOptions, collect_names};
use crate::catalog::{self, Column, GLOBAL_TEMP, Kind, Relation, TableName, ViewText};
use crate::session::{Found, Session, TempBody, TempView};
use crate::source::{self, Environment};
use crate::spec::{self, CreateView, DataSource, Options};

/// Settings that decide what a view's text means.
const CAPTURED: &[&str] = &[
    "spark.sql.ansi.enabled",
    "spark.sql.ansi.doubleQuotedIdentifiers",
    "spark.sql.caseSensitive",
    "spark.sql.parser.escapedStringLiterals",
    "spark.sql.session.timeZone",
];

/// The options a view remembers.
pub(super) fn options(session: &Session) -> ViewOptions {
    let on = |key: &str| session.conf().is_true(key);
    ViewOptions {
        ansi: on("spark.sql.ansi.enabled"),
        case_sensitive: on("spark.sql.caseSensitive"),
        time_zone: session.conf().effects().time_zone(),
    }
}

/// The names of a query's columns.
pub(super) fn names(schema: &StructType) -> Vec<String> {
    schema.fields.iter().map(|field| field.name.clone()).collect()
}

fn default_mode(session: &Session) -> String {
    let binding = session.conf().get_option("spark.sql.legacy.viewSchemaCompensation");
    let binding = binding.is_some_and(|value| value.trim().eq_ignore_ascii_case("false"));
    if binding { "BINDING" } else { "COMPENSATION" }.to_string()
}

/// `CREATE VIEW`.
pub(super) async fn create(session: &Arc<Session>, create: CreateView) -> SparkResult<Rows> {
    let analyzed = session.analyze(&create.query).await?;
    let name = create.name.join(".");
    let schema = columns(&name, &analyzed.schema, &create.columns)?;
    unique(&schema)?;
    let query_columns = names(&analyzed.schema);
    if create.temporary || create.global {
        let name = temp_name(&create.name, create.global)?;
        if temp_exists(session, &name, create.global) {
            let view = if create.global { vec![GLOBAL_TEMP, name.as_str()] } else { vec![name.as_str()] };
            let view = quote_identifier(&view);
            view_cycle::refuse(session, &create.query, &session.current_database(), &view).await?;
        }
        let body = TempBody::Query {
            query: create.query,
            database: session.current_database(),
            columns: query_columns,
            options: options(session),
        };
        let view = TempView {
            name,
            global: create.global,
            schema,
            body,
            text: Some(create.text),
            comment: create.comment,
            properties: create.properties,
        };
        let existing = temp_exists(session, &view.name, view.global);
        if existing && create.if_not_exists {
            return Ok(Rows::none());
        }
        return register(session, view, create.replace);
    }
    let name = session.table_name(&create.name)?;
    session.warehouse().database(&name.database).await?;
    let existing = session.warehouse().relation(&name).await?;
    match &existing {
        Some(_) if create.if_not_exists => return Ok(Rows::none()),
        Some(old) if old.view.is_none() && create.replace => {
            return Err(SparkError::analysis(
                "EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE",
                &[("tableName", &name.quoted()), ("operation", "CREATE OR REPLACE VIEW")],
            ));
        }
        Some(_) if !create.replace => return Err(catalog::table_exists(&name)),
        _ => {}
    }
    refuse_temporary(session, &create.query, &name)?;
    if existing.is_some() {
        view_cycle::refuse(session, &create.query, &session.current_database(), &name.quoted()).await?;
    }
    reserved::tables(session, &create.properties)?;
    let conf = CAPTURED
        .iter()
        .filter_map(|key| Some(((*key).to_string(), session.conf().get_option(key)?)))
        .collect::<BTreeMap<_, _>>();
    let view = ViewText {
        text: create.text,
        database: session.current_database(),
        named_columns: !create.columns.is_empty(),
        schema_mode: create.schema_binding.unwrap_or_else(|| default_mode(session)).to_uppercase(),
        query_columns,
        conf,
    };
    let relation = Relation {
        database: name.database.clone(),
        name: name.name.clone(),
        kind: Kind::View,
        provider: String::new(),
        columns: schema.fields.iter().map(Column::of_field).collect(),
        partitioned_by: Vec::new(),
        partitions: Vec::new(),
        buckets: None,
        cluster_by: Vec::new(),
        location: String::new(),
        options: Options::new(),
        properties: create.properties,
        comment: create.comment,
        created: chrono::Utc::now().timestamp_millis(),
        view: Some(view),
    };
    if existing.is_some() {
        session.warehouse().put_relation(&relation).await?;
    } else if !session.warehouse().create_relation(&relation).await? {
        return Err(catalog::table_exists(&name));
    }
    Ok(Rows::none())
}

/// `df.createTempView` and its kin.
pub(super) async fn create_temp(
    session: &Arc<Session>,
    name: &str,
    input: spec::Relation,
    replace: bool,
    global: bool,
) -> SparkResult<Rows> {
    let parts = crate::sql::parse_multipart_identifier(name)?;
    let name = temp_name(&parts, global)?;
    let analyzed = session.analyze(&input).await?;
    if analyzed.finish != Finish::None {
        return Err(SparkError::unsupported("a view of a drawn table"));
    }
    let body = TempBody::Plan(Arc::new(ViewTable::new(analyzed.plan, None)));
    let view =
        TempView { name, global, schema: analyzed.schema, body, text: None, comment: None, properties: Options::new() };
    register(session, view, replace)
}

/// `CREATE TEMPORARY VIEW ... USING`.
pub(super) async fn create_using(
    session: &Arc<Session>,
    name: &[String],
    schema: Option<StructType>,
    replace: bool,
    global: bool,
    format: String,
    options: Options,
) -> SparkResult<Rows> {
    let name = temp_name(name, global)?;
    let ctx = session.context()?;
    let env = Environment { ctx: &ctx, conf: session.conf() };
    let source = DataSource { format: Some(format), schema, options, paths: Vec::new(), predicates: Vec::new() };
    let loaded = source::load(&source, &env).await?;
    let view = TempView {
        name,
        global,
        schema: loaded.schema,
        body: TempBody::Plan(loaded.provider),
        text: None,
        comment: None,
        properties: Options::new(),
    };
    register(session, view, replace)
}

/// `DROP VIEW`.
pub(super) async fn drop(session: &Arc<Session>, name: &[String], if_exists: bool) -> SparkResult<Rows> {
    match session.find(name, None).await? {
        None if if_exists => Ok(Rows::none()),
        None => Err(session.unknown(name)),
        Some(Found::Temp(view)) => {
            forget(session, &view);
            Ok(Rows::none())
        }
        Some(Found::Stored(relation)) if relation.view.is_some() => {
            session.warehouse().remove_relation(&relation).await?;
            Ok(Rows::none())
        }
        Some(Found::Stored(relation)) => Err(SparkError::analysis(
            "WRONG_COMMAND_FOR_OBJECT_TYPE",
            &[
                ("operation", "DROP VIEW"),
                ("requiredType", "VIEW"),
                ("objectName", &TableName::new(&relation.database, &relation.name).plain()),
                ("foundType", relation.kind.name()),
                ("alternative", "DROP TABLE"),
            ],
        )),
    }
}

/// Takes a temporary view away.
pub(super) fn forget(session: &Session, view: &TempView) {
    if view.global {
        session.engine().global_views().write().remove(&view.name);
    } else {
        session.state().write().views.remove(&view.name);
    }
}

fn temp_exists(session: &Session, name: &str, global: bool) -> bool {
    if global {
        session.engine().global_views().read().contains_key(name)
    } else {
        session.state().read().views.contains_key(name)
    }
}

fn register(session: &Session, view: TempView, replace: bool) -> SparkResult<Rows> {
    if !replace && temp_exists(session, &view.name, view.global) {
        let name = if view.global { vec![GLOBAL_TEMP, &view.name] } else { vec![view.name.as_str()] };
        return Err(SparkError::analysis(
            "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS",
            &[("relationName", &quote_identifier(&name))],
        ));
    }
    let name = view.name.clone();
    if view.global {
        session.engine().global_views().write().insert(name, Arc::new(view));
    } else {
        session.state().write().views.insert(name, Arc::new(view));
    }
    Ok(Rows::none())
}

/// The one part a temporary view's name may have.
fn temp_name(parts: &[String], global: bool) -> SparkResult<String> {
    match parts {
        [name] => Ok(name.to_lowercase()),
        [database, name] if global && database.eq_ignore_ascii_case(GLOBAL_TEMP) => Ok(name.to_lowercase()),
        [session, name] if !global && session.eq_ignore_ascii_case("session") => Ok(name.to_lowercase()),
        [system, session, name]
            if !global && system.eq_ignore_ascii_case("system") && session.eq_ignore_ascii_case("session") =>
        {
            Ok(name.to_lowercase())
        }
        [rest @ .., name] if !rest.is_empty() => Err(SparkError::analysis(
            "INVALID_TEMP_OBJ_QUALIFIER",
            &[
                ("objectType", "VIEW"),
                ("objectName", &quote_identifier(&[name])),
                ("qualifier", &quote_identifier(rest)),
            ],
        )),
        _ => {
            Err(SparkError::analysis("TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS", &[("actualName", &quote_identifier(parts))]))
        }
    }
}

/// The view's columns: the query's, renamed and commented as said.
pub(super) fn columns(view: &str, query: &StructType, named: &[(String, Option<String>)]) -> SparkResult<StructType> {
    let plain = |field: &StructField| {
        let comment = field.comment();
        let data_type = catalog::text_type::declared(field);
        StructField { metadata: comment_json(comment.as_deref()), data_type, ..field.clone() }
    };
    if named.is_empty() {
        return Ok(StructType::new(query.fields.iter().map(plain).collect()));
    }
    if named.len() != query.fields.len() {
        let sub = if query.fields.len() < named.len() { "NOT_ENOUGH_DATA_COLUMNS" } else { "TOO_MANY_DATA_COLUMNS" };
        let list = |names: Vec<&str>| names.iter().map(|name| quote_identifier(&[name])).collect::<Vec<_>>().join(", ");
        return Err(SparkError::analysis(
            &format!("CREATE_VIEW_COLUMN_ARITY_MISMATCH.{sub}"),
            &[
                ("viewName", &quote_identifier(&view.split('.').collect::<Vec<_>>())),
                ("viewColumns", &list(named.iter().map(|(name, _)| name.as_str()).collect())),
                ("dataColumns", &list(query.fields.iter().map(|field| field.name.as_str()).collect())),
            ],
        ));
    }
    let fields = query.fields.iter().zip(named).map(|(field, (name, comment))| StructField {
        name: name.clone(),
        data_type: catalog::text_type::declared(field),
        metadata: comment_json(comment.as_deref()),
        ..field.clone()
    });
    Ok(StructType::new(fields.collect()))
}

fn comment_json(comment: Option<&str>) -> Option<String> {
    comment.map(|comment| serde_json::json!({ "comment": comment }).to_string())
}

/// A stored view must not stand on what ends with the session.
fn refuse_temporary(session: &Session, query: &spec::Relation, view: &TableName) -> SparkResult<()> {
    for found in collect_names(query) {
        let NameRef::Table { name, .. } = found else { continue };
        if let Some(temp) = session.temp_view(&name) {
            return Err(SparkError::analysis(
                "INVALID_TEMP_OBJ_REFERENCE",
                &[
                    ("obj", "VIEW"),
                    ("objName", &view.quoted()),
                    ("tempObj", "VIEW"),
                    ("tempObjName", &quote_identifier(&[temp.name.as_str()])),
                ],
            ));
        }
    }
    Ok(())
}
