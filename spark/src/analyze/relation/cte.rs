//! `WITH`, views in their own surroundings, and recursive queries.

use std::sync::Arc;

use datafusion::common::DFSchema;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, Projection};
use firesteel_functions::{SparkError, SparkResult};

use super::{Env, Resolved};
use crate::analyze::scope::{Attribute, Scope, column_name};
use crate::analyze::typed::{Typed, arrow_field};
use crate::analyze::{Analyzer, coerce, errors, plan};
use crate::spec::{Cte, Relation, RelationKind, SetOperator};

/// A named subquery and what surrounded it where it was written.
#[derive(Debug)]
pub(in crate::analyze) struct Definition {
    /// Name.
    pub name: String,
    columns: Vec<String>,
    query: Relation,
    env: Env,
    recursive: bool,
    /// Inside a recursive query: its own rows of the last step.
    work: Option<(LogicalPlan, Vec<Attribute>)>,
}

impl Definition {
    /// A plain one.
    pub(super) fn new(name: String, columns: Vec<String>, query: Relation, env: Env) -> Self {
        Self { name, columns, query, env, recursive: false, work: None }
    }
}

impl Analyzer<'_> {
    /// `WITH ... query`.
    pub(super) fn with(&self, ctes: &[Cte], recursive: bool, input: &Relation, env: &Env) -> SparkResult<Resolved> {
        let mut inner = env.clone();
        for (index, cte) in ctes.iter().enumerate() {
            if ctes.iter().take(index).any(|c| c.name.eq_ignore_ascii_case(&cte.name)) {
                return Err(SparkError::parse(
                    "DUPLICATED_CTE_NAMES",
                    &[("duplicateNames", &format!("`{}`", cte.name))],
                ));
            }
            let mut definition =
                Definition::new(cte.name.clone(), cte.columns.clone(), cte.query.clone(), inner.clone());
            definition.recursive = recursive && refers(&cte.query, &cte.name);
            let definition = Arc::new(definition);
            // Wrong definitions are errors even when nothing refers to them.
            self.cte(&definition, env)?;
            inner.ctes.push(definition);
        }
        self.relation(input, &inner)
    }

    /// The named subquery a name refers to, resolved anew for each reference.
    pub(super) fn cte_named(&self, name: &[String], env: &Env) -> SparkResult<Option<Resolved>> {
        let [one] = name else { return Ok(None) };
        let Some(found) = env.ctes.iter().rev().find(|c| c.name.eq_ignore_ascii_case(one)) else { return Ok(None) };
        self.cte(found, env).map(Some)
    }

    fn cte(&self, found: &Arc<Definition>, at: &Env) -> SparkResult<Resolved> {
        let resolved = if let Some((plan, attributes)) = &found.work {
            // The working table carries the names of the recursion; every reference gets ids of its own.
            let fresh: Vec<Attribute> =
                attributes.iter().map(|a| Attribute { id: self.fresh(), ..a.clone() }).collect();
            let exprs = attributes.iter().zip(&fresh).map(|(from, to)| (from.expr(), to.id)).collect();
            Resolved::new(plan::project(plan.clone(), exprs)?, Scope::new(fresh))
        } else if found.recursive {
            self.recursive(found)?
        } else {
            let mut env = found.env.clone();
            env.outer.clone_from(&at.outer);
            env.bindings.clone_from(&at.bindings);
            self.relation(&found.query, &env)?
        };
        self.aliased(resolved, std::slice::from_ref(&found.name), &found.columns)
    }

    /// An anchor `UNION [ALL]` a step that refers to the query itself.
    fn recursive(&self, found: &Arc<Definition>) -> SparkResult<Resolved> {
        let RelationKind::SetOperation { left, right, op: SetOperator::Union, all, .. } = &*found.query.kind else {
            return Err(SparkError::analysis("INVALID_RECURSIVE_CTE", &[]));
        };
        let anchor = self.relation(left, &found.env)?;
        let name = format!("{}#{}", found.name, self.fresh());
        // The names of the anchor's columns are those of the working table and of the result.
        let attributes: Vec<Attribute> = anchor
            .scope
            .attributes
            .iter()
            .map(|a| Attribute { id: self.fresh(), nullable: true, qualifier: Arc::new([]), ..a.clone() })
            .collect();
        let exprs = anchor.scope.attributes.iter().zip(&attributes).map(|(from, to)| (from.expr(), to.id)).collect();
        let anchor_plan = plan::project(anchor.plan, exprs)?;
        let fields: Vec<_> = attributes.iter().map(|a| arrow_field(&column_name(a.id), &a.data_type, true)).collect();
        let schema = Arc::new(arrow::datatypes::Schema::new(fields));
        let table = datafusion::catalog::cte_worktable::CteWorkTable::new(&name, schema);
        let source = datafusion::datasource::provider_as_source(Arc::new(table));
        let scan = LogicalPlanBuilder::scan(quoted_name(&name), source, None)
            .and_then(LogicalPlanBuilder::build)
            .map_err(errors::planning)?;
        let scan = unqualified(scan)?;
        let mut env = found.env.clone();
        let mut work =
            Definition::new(found.name.clone(), found.columns.clone(), found.query.clone(), found.env.clone());
        work.work = Some((scan, attributes.clone()));
        env.ctes.push(Arc::new(work));
        let step = self.relation(right, &env)?;
        if step.scope.attributes.len() != attributes.len() {
            return Err(super::setop::column_count("UNION", attributes.len(), step.scope.attributes.len()));
        }
        let mut exprs = Vec::with_capacity(attributes.len());
        for (from, to) in step.scope.attributes.iter().zip(&attributes) {
            if coerce::wider(&from.data_type, &to.data_type, self.context.options.ansi).is_none() {
                return Err(super::setop::column_type("UNION", 0, &to.data_type, &from.data_type));
            }
            exprs.push((self.coerce(Typed::attribute(from), &to.data_type)?.expr, to.id));
        }
        let step = plan::project(step.plan, exprs)?;
        let plan = LogicalPlanBuilder::from(anchor_plan)
            .to_recursive_query(name, step, !*all)
            .and_then(LogicalPlanBuilder::build)
            .map_err(errors::planning)?;
        Ok(Resolved::new(plan, Scope::new(attributes)))
    }
}

fn quoted_name(name: &str) -> datafusion::common::TableReference {
    datafusion::common::TableReference::bare(name.to_string())
}

/// A scan's columns without their table.
pub(super) fn unqualified(plan: LogicalPlan) -> SparkResult<LogicalPlan> {
    let schema: Arc<DFSchema> = Arc::clone(plan.schema());
    let exprs = schema
        .iter()
        .map(|(qualifier, field)| {
            let column = datafusion::common::Column::new(qualifier.cloned(), field.name().clone());
            datafusion::logical_expr::Expr::Column(column).alias(field.name().clone())
        })
        .collect();
    Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(plan)).map_err(errors::planning)?))
}

/// Whether a query reads a table of this name.
fn refers(query: &Relation, name: &str) -> bool {
    crate::analyze::tables::collect_names(query).iter().any(|n| match n {
        crate::analyze::NameRef::Table { name: parts, .. } => {
            matches!(parts.as_slice(), [one] if one.eq_ignore_ascii_case(name))
        }
        _ => false,
    })
}
