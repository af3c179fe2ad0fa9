//! The root of a query: what is done with its rows in the end, and its final columns.

use firesteel_functions::SparkResult;
use firesteel_functions::types::{DataType, StructField, StructType};

use super::Env;
use crate::analyze::{Analyzed, Analyzer, Finish, errors, plan};
use crate::spec::{Relation, RelationKind};

impl Analyzer<'_> {
    /// Resolves a whole query.
    pub(in crate::analyze) fn resolve_root(&self, relation: &Relation) -> SparkResult<Analyzed> {
        let env = Env::root(self);
        let (input, limit) = match &*relation.kind {
            RelationKind::ShowString { input, rows, .. } | RelationKind::HtmlString { input, rows, .. } => {
                (input, Some(rows.saturating_add(1)))
            }
            RelationKind::Tail { input, .. } => (input, None),
            RelationKind::WithRelations { root, references } => return self.root_with(root, references, &env),
            _ => (relation, None),
        };
        self.root_of(relation, input, limit, &env)
    }

    fn root_with(&self, root: &Relation, references: &[Relation], env: &Env) -> SparkResult<Analyzed> {
        let (input, limit) = match &*root.kind {
            RelationKind::ShowString { input, rows, .. } | RelationKind::HtmlString { input, rows, .. } => {
                (input.clone(), Some(rows.saturating_add(1)))
            }
            RelationKind::Tail { input, .. } => (input.clone(), None),
            _ => (root.clone(), None),
        };
        let whole: Relation = RelationKind::WithRelations { root: input, references: references.to_vec() }.into();
        self.root_of(root, &whole, limit, env)
    }

    fn root_of(&self, root: &Relation, input: &Relation, limit: Option<usize>, env: &Env) -> SparkResult<Analyzed> {
        let resolved = self.relation(input, env)?;
        let schema = resolved.scope.schema();
        if !self.context.options.time_type && schema.fields.iter().any(|field| holds_time(&field.data_type)) {
            return Err(errors::no_time_type());
        }
        // Same order and number of columns as the schema says, hidden ones gone; a column that stands twice stands twice.
        let mut plan = self.final_columns(resolved.plan, &resolved.scope.attributes)?;
        if let Some(rows) = limit {
            plan = plan::limit(plan, 0, Some(rows))?;
        }
        let rendered = |name: &str| StructType::new(vec![StructField::new(name, DataType::String, false)]);
        let (schema, finish) = match &*root.kind {
            RelationKind::ShowString { rows, truncate, vertical, .. } => (
                rendered("show_string"),
                Finish::ShowString { rows: *rows, truncate: *truncate, vertical: *vertical, schema },
            ),
            RelationKind::HtmlString { rows, truncate, .. } => {
                (rendered("html_string"), Finish::HtmlString { rows: *rows, truncate: *truncate, schema })
            }
            RelationKind::Tail { limit, .. } => (schema, Finish::Tail(usize::try_from(*limit).unwrap_or(0))),
            _ => (schema, Finish::None),
        };
        Ok(Analyzed { plan, schema, finish, observations: self.observations.take(), is_streaming: false })
    }

    fn final_columns(
        &self,
        input: datafusion::logical_expr::LogicalPlan,
        attributes: &[crate::analyze::scope::Attribute],
    ) -> SparkResult<datafusion::logical_expr::LogicalPlan> {
        let mut seen = Vec::with_capacity(attributes.len());
        let mut twice = false;
        let exprs = attributes
            .iter()
            .map(|a| {
                let id = if seen.contains(&a.id) {
                    twice = true;
                    self.fresh()
                } else {
                    a.id
                };
                seen.push(a.id);
                (a.expr(), id)
            })
            .collect();
        if twice { plan::project(input, exprs) } else { plan::keep(input, attributes) }
    }
}

/// Whether values of a type hold a `TIME`.
fn holds_time(data_type: &DataType) -> bool {
    match data_type {
        DataType::Time(_) => true,
        DataType::Array { element, .. } => holds_time(element),
        DataType::Map { key, value, .. } => holds_time(key) || holds_time(value),
        DataType::Struct(fields) => fields.fields.iter().any(|field| holds_time(&field.data_type)),
        _ => false,
    }
}
