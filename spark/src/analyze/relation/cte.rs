//! `WITH`, views in their own surroundings, and recursive queries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::datatypes::Schema;
use datafusion::common::DFSchema;
use datafusion::logical_expr::LogicalPlan;
use firesteel_engine::recursion::{Limits, RecursionNode, WorkNode};
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};
use parking_lot::Mutex;

use super::{Env, Resolved};
use crate::analyze::scope::{Attribute, Scope, column_name};
use crate::analyze::typed::{Typed, arrow_field};
use crate::analyze::{Analyzer, Precedence, coerce, errors, place, plan};
use crate::spec::{Cte, Relation, RelationKind, SetOperator};

/// A named subquery and what surrounded it where it was written.
#[derive(Debug)]
pub(in crate::analyze) struct Definition {
    /// Name.
    pub name: String,
    columns: Vec<String>,
    query: Relation,
    env: Env,
    kind: Kind,
    /// What it is, where it stands, for the first reference: each of the others is resolved anew, with ids of its own. Without it
    /// a definition would be resolved twice, and one in a definition in a definition twice for each level.
    first: Mutex<Option<Resolved>>,
}

/// What a reference to a name stands for.
#[derive(Debug)]
enum Kind {
    Plain,
    /// It refers to itself; with its own limit of levels.
    Recursive(Option<i64>),
    /// Inside a recursive query: its own rows of the last round.
    Work(LogicalPlan, Vec<Attribute>),
    /// Where it is asked whether a query refers to itself: set when it does.
    Probe(AtomicBool),
}

impl Definition {
    /// A plain one.
    pub(super) fn new(name: String, columns: Vec<String>, query: Relation, env: Env) -> Self {
        Self { name, columns, query, env, kind: Kind::Plain, first: Mutex::default() }
    }

    /// The same name, for asking whether a query refers to it.
    fn probe(&self) -> Arc<Self> {
        Arc::new(Self {
            name: self.name.clone(),
            columns: vec![],
            query: self.query.clone(),
            env: self.env.clone(),
            kind: Kind::Probe(AtomicBool::new(false)),
            first: Mutex::default(),
        })
    }

    fn was_met(&self) -> bool {
        matches!(&self.kind, Kind::Probe(met) if met.load(Ordering::Relaxed))
    }
}

impl Analyzer<'_> {
    /// `WITH ... query`.
    pub(super) fn with(&self, ctes: &[Cte], recursive: bool, input: &Relation, env: &Env) -> SparkResult<Resolved> {
        self.relation(input, &self.defined(ctes, recursive, env)?)
    }

    /// What surrounds the query of a `WITH`.
    fn defined(&self, ctes: &[Cte], recursive: bool, env: &Env) -> SparkResult<Env> {
        let mut inner = env.clone();
        // Where outer names win, definitions do not see those around the definition or subquery they stand in.
        let near = env.ctes.get(env.far..).unwrap_or_default().to_vec();
        let mut beside = Env { ctes: near, ..env.clone() };
        for (index, cte) in ctes.iter().enumerate() {
            if ctes.iter().take(index).any(|c| c.name.eq_ignore_ascii_case(&cte.name)) {
                return Err(SparkError::parse(
                    "DUPLICATED_CTE_NAMES",
                    &[("duplicateNames", &format!("`{}`", cte.name))],
                ));
            }
            self.check_nested(&cte.query, &inner)?;
            let legacy = self.context.cte.precedence == Precedence::Outer;
            let mut around = if legacy { beside.clone() } else { inner.clone() };
            around.far = around.ctes.len();
            let mut definition = Definition::new(cte.name.clone(), cte.columns.clone(), cte.query.clone(), around);
            if recursive {
                let probe = definition.probe();
                let mut around = definition.env.clone();
                around.outer.clone_from(&env.outer);
                around.ctes.push(Arc::clone(&probe));
                let outcome = self.relation(&cte.query, &around);
                if probe.was_met() {
                    definition.kind = Kind::Recursive(cte.max_recursion);
                } else {
                    let named = std::slice::from_ref(&definition.name);
                    *definition.first.get_mut() = Some(self.aliased(outcome?, named, &definition.columns)?);
                }
            }
            // Wrong definitions are errors even when nothing refers to them.
            if definition.first.get_mut().is_none() {
                let resolved = self.resolve(&definition, env)?;
                *definition.first.get_mut() = Some(resolved);
            }
            definition.env.outer.clone_from(&env.outer);
            definition.env.bindings.clone_from(&env.bindings);
            definition.env.unlimited = env.unlimited;
            let definition = Arc::new(definition);
            beside.ctes.push(Arc::clone(&definition));
            inner.ctes.push(definition);
        }
        Ok(inner)
    }

    /// Where names may not hide each other: a `WITH` at the start of a query inside another one.
    pub(in crate::analyze) fn check_nested(&self, query: &Relation, env: &Env) -> SparkResult<()> {
        let RelationKind::With { ctes, .. } = &*query.kind else { return Ok(()) };
        if self.context.cte.precedence != Precedence::Forbidden {
            return Ok(());
        }
        for cte in ctes {
            if env.ctes.iter().any(|outer| outer.name.eq_ignore_ascii_case(&cte.name)) {
                return Err(SparkError::analysis(
                    "AMBIGUOUS_ALIAS_IN_NESTED_CTE",
                    &[
                        ("name", &format!("`{}`", cte.name)),
                        ("config", "\"spark.sql.legacy.ctePrecedencePolicy\""),
                        ("docroot", "https://spark.apache.org/docs/latest"),
                    ],
                ));
            }
        }
        Ok(())
    }

    /// The named subquery a name refers to, resolved anew for each reference.
    pub(super) fn cte_named(&self, name: &[String], env: &Env) -> SparkResult<Option<Resolved>> {
        let [one] = name else { return Ok(None) };
        let fits = |c: &&Arc<Definition>| c.name.eq_ignore_ascii_case(one);
        let found = match self.context.cte.precedence {
            Precedence::Outer => {
                let (far, near) = env.ctes.split_at(env.far.min(env.ctes.len()));
                far.iter().find(fits).or_else(|| near.iter().rev().find(fits))
            }
            _ => env.ctes.iter().rev().find(fits),
        };
        let Some(found) = found else { return Ok(None) };
        self.cte(found, env).map(Some)
    }

    fn cte(&self, found: &Definition, at: &Env) -> SparkResult<Resolved> {
        let here = &found.env;
        let same_outer = here.outer.len() == at.outer.len()
            && here.outer.iter().zip(&at.outer).all(|(one, other)| Arc::ptr_eq(one, other));
        let same = same_outer && here.bindings.is_empty() && at.bindings.is_empty() && here.unlimited == at.unlimited;
        let first = if same { found.first.lock().take() } else { None };
        first.map_or_else(|| self.resolve(found, at), Ok)
    }

    fn resolve(&self, found: &Definition, at: &Env) -> SparkResult<Resolved> {
        let mut env = found.env.clone();
        env.outer.clone_from(&at.outer);
        env.bindings.clone_from(&at.bindings);
        env.unlimited = at.unlimited;
        let resolved = match &found.kind {
            Kind::Plain => self.relation(&found.query, &env)?,
            Kind::Recursive(max) => self.recursive(found, *max, env)?,
            Kind::Work(plan, attributes) => {
                // The work has the names of the recursion; every reference gets ids of its own.
                let fresh: Vec<Attribute> =
                    attributes.iter().map(|a| Attribute { id: self.fresh(), ..a.clone() }).collect();
                let exprs = attributes.iter().zip(&fresh).map(|(from, to)| (from.expr(), to.id)).collect();
                Resolved::new(plan::project(plan.clone(), exprs)?, Scope::new(fresh))
            }
            Kind::Probe(met) => {
                met.store(true, Ordering::Relaxed);
                return Err(SparkError::analysis("INVALID_RECURSIVE_CTE", &[]));
            }
        };
        self.aliased(resolved, std::slice::from_ref(&found.name), &found.columns)
    }

    /// Notes that rows are grouped: a recursion's own may not be, whatever else is wrong with its step.
    pub(super) fn aggregated(&self, input: &LogicalPlan) {
        if self.recursions.get() > 0
            && let Some(id) = place::read_by(input)
        {
            self.misplaced.set(Some(id));
        }
    }

    /// An anchor `UNION ALL` a step that refers to the query itself, perhaps after definitions of its own.
    fn recursive(&self, found: &Definition, max: Option<i64>, mut env: Env) -> SparkResult<Resolved> {
        let invalid = || SparkError::analysis("INVALID_RECURSIVE_CTE", &[]);
        let probe = found.probe();
        env.ctes.push(Arc::clone(&probe));
        let mut query = &found.query;
        while let RelationKind::With { ctes, recursive, input } = &*query.kind {
            let inner = self.defined(ctes, *recursive, &env);
            if probe.was_met() {
                return Err(invalid());
            }
            env = inner?;
            query = input;
        }
        let RelationKind::SetOperation { left, right, op: SetOperator::Union, all, .. } = &*query.kind else {
            return Err(invalid());
        };
        let anchor = self.relation(left, &env);
        if probe.was_met() {
            return Err(invalid());
        }
        if !*all {
            return Err(SparkError::analysis("UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE", &[]));
        }
        let anchor = anchor?;
        // The names of the anchor's columns are those of the work and of the result.
        let attributes: Vec<Attribute> = anchor
            .scope
            .attributes
            .iter()
            .map(|a| Attribute { id: self.fresh(), nullable: true, qualifier: Arc::new([]), ..a.clone() })
            .collect();
        let exprs = anchor.scope.attributes.iter().zip(&attributes).map(|(from, to)| (from.expr(), to.id)).collect();
        let anchor_plan = plan::project(anchor.plan, exprs)?;
        let fields: Vec<_> = attributes.iter().map(|a| arrow_field(&column_name(a.id), &a.data_type, true)).collect();
        let schema = Arc::new(DFSchema::try_from(Schema::new(fields)).map_err(errors::planning)?);
        let id = RecursionNode::next_id();
        let work_plan = WorkNode::new(id, Arc::clone(&schema)).into_plan();
        let mut work =
            Definition::new(found.name.clone(), found.columns.clone(), found.query.clone(), found.env.clone());
        work.kind = Kind::Work(work_plan, attributes.clone());
        let work = Arc::new(work);
        for known in &mut env.ctes {
            if Arc::ptr_eq(known, &probe) {
                *known = Arc::clone(&work);
            }
        }
        let unlimited = env.unlimited;
        self.misplaced.set(None);
        self.recursions.set(self.recursions.get() + 1);
        let step = self.relation(right, &env);
        self.recursions.set(self.recursions.get() - 1);
        if let Some(wrong) = self.misplaced.take()
            && wrong == id
        {
            return Err(SparkError::analysis("INVALID_RECURSIVE_REFERENCE.PLACE", &[]));
        }
        let step = step?;
        if step.scope.attributes.len() != attributes.len() {
            return Err(super::setop::column_count("UNION", attributes.len(), step.scope.attributes.len()));
        }
        let mut exprs = Vec::with_capacity(attributes.len());
        for (from, to) in step.scope.attributes.iter().zip(&attributes) {
            let wider = coerce::wider(&from.data_type, &to.data_type, self.context.options.ansi);
            if wider.as_ref() != Some(&to.data_type) && from.data_type != DataType::Null {
                return Err(SparkError::analysis(
                    "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE",
                    &[("left", &errors::sql_type(&to.data_type)), ("right", &errors::sql_type(&from.data_type))],
                ));
            }
            exprs.push((self.coerce(Typed::attribute(from), &to.data_type)?.expr, to.id));
        }
        let step = plan::project(step.plan, exprs)?;
        if place::is_wrong(&step, id) {
            return Err(SparkError::analysis("INVALID_RECURSIVE_REFERENCE.PLACE", &[]));
        }
        if !anchor_plan.all_out_ref_exprs().is_empty() || !step.all_out_ref_exprs().is_empty() {
            return Err(SparkError::analysis(
                "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED",
                &[("treeNode", "a recursive query")],
            ));
        }
        let levels = max.unwrap_or(self.context.cte.levels);
        let limits = Limits {
            levels: u64::try_from(levels).ok(),
            rows: if unlimited { None } else { u64::try_from(self.context.cte.rows).ok() },
        };
        let node = RecursionNode::new(id, anchor_plan, step, schema, limits);
        Ok(Resolved::new(node.into_plan(), Scope::new(attributes)))
    }
}
