//! Views: their query, under the options they were created with, and their columns as they were declared.
//!
//! Rules: <https://spark.apache.org/docs/latest/sql-ref-syntax-ddl-create-view.html>, `WITH SCHEMA`.

use std::sync::Arc;

use firesteel_functions::error::sql_type;
use firesteel_functions::types::{DataType, StructType};
use firesteel_functions::{SparkError, SparkResult};

use super::{Env, Resolved};
use crate::analyze::scope::{Attribute, FILE_NAME, same};
use crate::analyze::tables::{ViewData, ViewMode};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, AnalyzerContext, errors, plan};
use crate::catalog::text_type;
use crate::spec::CastMode;

impl Analyzer<'_> {
    /// A view in FROM.
    pub(super) fn view(&self, view: &ViewData) -> SparkResult<Resolved> {
        let depth = self.depth.get();
        if depth >= super::leaf::VIEW_DEPTH {
            let most = super::leaf::VIEW_DEPTH.to_string();
            return Err(SparkError::analysis(
                "VIEW_EXCEED_MAX_NESTED_DEPTH",
                &[("viewName", &errors::quoted(&view.qualifier)), ("maxNestedDepth", &most)],
            ));
        }
        let options = &self.context.options;
        match &view.options {
            Some(own)
                if own.ansi != options.ansi
                    || own.case_sensitive != options.case_sensitive
                    || own.time_zone != options.time_zone =>
            {
                let mut context = self.context.clone();
                context.options.ansi = own.ansi;
                context.options.case_sensitive = own.case_sensitive;
                context.options.time_zone.clone_from(&own.time_zone);
                let mut config = context.config.as_ref().clone();
                config.extensions.insert(context.options.clone());
                context.config = Arc::new(config);
                let resolved = self.under(&context, |analyzer| analyzer.view_query(view, depth))?;
                let plan = plan::bound(resolved.plan.clone(), own.ansi, &own.time_zone)?;
                Ok(resolved.with_plan(plan))
            }
            _ => self.view_query(view, depth),
        }
    }

    /// Resolves something under another context; ids and what is missed stay this analyzer's.
    fn under<T>(&self, context: &AnalyzerContext, work: impl FnOnce(&Analyzer<'_>) -> T) -> T {
        let inner = Analyzer::new(context, self.tables);
        inner.next_id.set(self.next_id.get());
        inner.depth.set(self.depth.get());
        inner.misplaced.set(self.misplaced.get());
        inner.recursions.set(self.recursions.get());
        let outcome = work(&inner);
        self.next_id.set(inner.next_id.get());
        self.misplaced.set(inner.misplaced.get());
        if let Some(wanted) = inner.wanted.take() {
            self.wanted.replace(Some(wanted));
        }
        self.observations.borrow_mut().extend(inner.observations.take());
        outcome
    }

    fn view_query(&self, view: &ViewData, depth: usize) -> SparkResult<Resolved> {
        self.depth.set(depth + 1);
        let mut env = Env::root(self);
        env.parameters = Arc::default();
        env.namespace.clone_from(&view.namespace);
        let resolved = self.relation(&view.query, &env);
        self.depth.set(depth);
        let resolved = resolved?;
        let resolved = match &view.schema {
            None => resolved,
            Some(schema) => self.declared(resolved, schema, view)?,
        };
        self.aliased(resolved, &view.qualifier, &[])
    }

    /// The query's columns as the view declares them.
    fn declared(&self, input: Resolved, schema: &StructType, view: &ViewData) -> SparkResult<Resolved> {
        let names: Vec<&String> = schema.fields.iter().map(|field| &field.name).collect();
        let found = if view.mode == ViewMode::Evolution && names.iter().zip(&view.columns).all(|(a, b)| *a == b) {
            // Nothing was renamed: the columns are whatever they are now.
            return Ok(input);
        } else if view.columns.len() == schema.fields.len() {
            self.columns_by_name(&input, view)?
        } else {
            if input.scope.attributes.len() != schema.fields.len() {
                let first = names.first().map(|name| (*name).clone()).unwrap_or_default();
                return Err(changed(view, &first, schema.fields.len(), &input.scope.attributes));
            }
            input.scope.attributes.clone()
        };
        let mut exprs = Vec::new();
        let mut attributes = Vec::new();
        for (from, field) in found.iter().zip(&schema.fields) {
            let wanted = text_type::plain(&field.data_type);
            let own = Typed::attribute(from);
            let follows = matches!(view.mode, ViewMode::TypeEvolution | ViewMode::Evolution);
            let value = if follows || same_type(&from.data_type, &wanted) {
                own
            } else if view.mode == ViewMode::Binding {
                if !up_castable(&from.data_type, &wanted) {
                    return Err(up_cast(from, &wanted));
                }
                self.cast(own, &wanted, CastMode::Session)?
            } else {
                self.cast(own, &wanted, CastMode::Ansi)?
            };
            let id = if value.expr == from.expr() { from.id } else { self.fresh() };
            // The same column twice needs two ids.
            let id = if attributes.iter().any(|known: &Attribute| known.id == id) { self.fresh() } else { id };
            attributes.push(Attribute {
                id,
                name: field.name.clone(),
                qualifier: Arc::new([]),
                data_type: value.data_type.clone(),
                nullable: value.nullable,
                metadata: if follows { from.metadata.clone() } else { text_type::metadata(field) },
            });
            exprs.push((value.expr, id));
        }
        // `_metadata` is not seen through a view; the file a row is from is.
        let mut names = input.scope.of_files();
        names.retain(|a| a.metadata.as_deref() == Some(FILE_NAME));
        exprs.extend(names.iter().map(|a| (a.expr(), a.id)));
        let plan = plan::project(input.plan, exprs)?;
        Ok(Resolved::new(plan, input.scope.with_output(attributes).hiding(names)))
    }

    /// The columns the query had when the view was created, by name; repeated names by their order.
    fn columns_by_name(&self, input: &Resolved, view: &ViewData) -> SparkResult<Vec<Attribute>> {
        let case = self.context.options.case_sensitive;
        let mut found = Vec::with_capacity(view.columns.len());
        for (index, name) in view.columns.iter().enumerate() {
            let alike = |other: &&String| same(other, name, case);
            let count = view.columns.iter().filter(alike).count();
            let before = view.columns.iter().take(index).filter(alike).count();
            let mut matching: Vec<&Attribute> =
                input.scope.attributes.iter().filter(|attribute| same(&attribute.name, name, case)).collect();
            if matching.len() != count {
                let actual: Vec<Attribute> = matching.into_iter().cloned().collect();
                return Err(changed(view, name, count, &actual));
            }
            found.push(matching.swap_remove(before).clone());
        }
        Ok(found)
    }
}

fn changed(view: &ViewData, column: &str, expected: usize, actual: &[Attribute]) -> SparkError {
    let names: Vec<String> = actual.iter().map(|attribute| attribute.name.clone()).collect();
    SparkError::analysis(
        "INCOMPATIBLE_VIEW_SCHEMA_CHANGE",
        &[
            ("viewName", &errors::quoted(&view.qualifier)),
            ("colName", column),
            ("expectedNum", &expected.to_string()),
            ("actualCols", &format!("[{}]", names.join(","))),
            ("suggestion", "CREATE OR REPLACE VIEW"),
        ],
    )
}

fn up_cast(from: &Attribute, to: &DataType) -> SparkError {
    let mut name: Vec<&str> = from.qualifier.iter().map(String::as_str).collect();
    name.push(&from.name);
    SparkError::analysis(
        "CANNOT_UP_CAST_DATATYPE",
        &[
            ("expression", &name.join(".")),
            ("sourceType", &sql_type(&from.data_type)),
            ("targetType", &sql_type(to)),
            ("details", "You can either add an explicit cast to the input data or choose a higher precision type."),
        ],
    )
}

/// Equal but for nullability inside.
fn same_type(left: &DataType, right: &DataType) -> bool {
    left == right || left.simple_string() == right.simple_string()
}

/// Whether a type becomes another without loss.
fn up_castable(from: &DataType, to: &DataType) -> bool {
    use DataType::{
        Array, Byte, Date, DayTimeInterval, Decimal, Double, Float, Integer, Long, Map, Null, Short, Struct, Timestamp,
        TimestampNtz, YearMonthInterval,
    };
    let rank = |data_type: &DataType| match data_type {
        Byte => Some(3),
        Short => Some(5),
        Integer => Some(10),
        Long => Some(20),
        _ => None,
    };
    match (from, to) {
        _ if same_type(from, to) => true,
        (Null, _) => true,
        (Byte | Short | Integer | Long, Byte | Short | Integer | Long) => rank(from) < rank(to),
        (Byte | Short | Integer | Long | Float, Float | Double) => from != to,
        (Byte | Short | Integer | Long, Decimal(precision, scale)) => {
            rank(from).is_some_and(|digits| i32::from(*precision) - i32::from(*scale) >= digits)
        }
        (Decimal(p, s), Decimal(precision, scale)) => {
            i32::from(*precision) - i32::from(*scale) >= i32::from(*p) - i32::from(*s) && scale >= s
        }
        (Date, Timestamp | TimestampNtz) | (Timestamp, TimestampNtz) | (TimestampNtz, Timestamp) => true,
        (DayTimeInterval(..), DayTimeInterval(..)) | (YearMonthInterval(..), YearMonthInterval(..)) => true,
        (from, to) if to.is_string() => from.is_atomic(),
        (Array { element: a, .. }, Array { element: b, .. }) => up_castable(a, b),
        (Map { key: a, value: b, .. }, Map { key: c, value: d, .. }) => up_castable(a, c) && up_castable(b, d),
        (Struct(a), Struct(b)) => {
            a.fields.len() == b.fields.len()
                && a.fields.iter().zip(&b.fields).all(|(a, b)| up_castable(&a.data_type, &b.data_type))
        }
        _ => false,
    }
}
