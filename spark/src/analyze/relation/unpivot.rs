//! `UNPIVOT` and `melt`: each row becomes one row per value column group.

use std::sync::Arc;

use datafusion::logical_expr::{Expr, LogicalPlan, Operator, Union};
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::{Env, Resolved};
use crate::analyze::expr::{Exprs, balanced};
use crate::analyze::scope::Attribute;
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, coerce, errors, plan};
use crate::spec::Unpivot;

impl Analyzer<'_> {
    /// An unpivot.
    pub(super) fn unpivot(&self, unpivot: &Unpivot, env: &Env) -> SparkResult<Resolved> {
        let input = self.relation(&unpivot.input, env)?;
        let exprs = Exprs::new(self, env, &input.scope);
        let mut ids: Option<Vec<Typed>> = None;
        if let Some(said) = &unpivot.ids {
            let mut all = Vec::new();
            for id in said {
                all.extend(exprs.expand(id)?);
            }
            ids = Some(all);
        }
        let mut groups: Vec<(Vec<Typed>, Option<String>)> = Vec::new();
        match &unpivot.values {
            Some(said) => {
                for (columns, alias) in said {
                    let mut group = Vec::new();
                    for column in columns {
                        group.extend(exprs.expand(column)?);
                    }
                    if unpivot.value_columns.len() == 1 && alias.is_none() {
                        // A star stands for one group per column.
                        groups.extend(group.into_iter().map(|c| (vec![c], None)));
                    } else {
                        groups.push((group, alias.clone()));
                    }
                }
            }
            None => {
                let taken: Vec<Expr> = ids.iter().flatten().map(|i| i.expr.clone()).collect();
                let rest = input.scope.attributes.iter().map(Typed::attribute).filter(|c| !taken.contains(&c.expr));
                groups.extend(rest.map(|c| (vec![c], None)));
            }
        }
        let ids = ids.unwrap_or_else(|| {
            let taken: Vec<Expr> = groups.iter().flat_map(|(g, _)| g.iter().map(|c| c.expr.clone())).collect();
            input.scope.attributes.iter().map(Typed::attribute).filter(|c| !taken.contains(&c.expr)).collect()
        });
        if groups.is_empty() {
            return Err(SparkError::analysis("UNPIVOT_REQUIRES_VALUE_COLUMNS", &[]));
        }
        let width = unpivot.value_columns.len();
        if groups.iter().any(|(g, _)| g.len() != width) {
            return Err(SparkError::analysis("UNPIVOT_VALUE_SIZE_MISMATCH", &[("names", &width.to_string())]));
        }
        let mut types = Vec::with_capacity(width);
        for position in 0..width {
            let all: Vec<&Typed> = groups.iter().filter_map(|(group, _)| group.get(position)).collect();
            // Strings are not promoted.
            let meet = |known: DataType, value: &&Typed| coerce::tightest(&known, &value.data_type);
            types.push(all.iter().try_fold(DataType::Null, meet).ok_or_else(|| no_common_type(&all))?);
        }
        let mut output: Vec<Attribute> = ids.iter().map(|i| Attribute { id: self.fresh(), ..i.output(0) }).collect();
        let text = |name: &str, data_type: DataType, nullable: bool| Attribute {
            id: self.fresh(),
            name: name.to_string(),
            qualifier: Arc::new([]),
            data_type,
            nullable,
            metadata: None,
        };
        output.push(text(&unpivot.variable_column, DataType::String, false));
        let value_start = output.len();
        for (name, data_type) in unpivot.value_columns.iter().zip(&types) {
            output.push(text(name, data_type.clone(), true));
        }
        let mut branches = Vec::with_capacity(groups.len());
        for (group, alias) in groups {
            let label = alias.unwrap_or_else(|| group.iter().map(|c| c.name.clone()).collect::<Vec<_>>().join("_"));
            let mut columns: Vec<Expr> = ids.iter().map(|i| i.expr.clone()).collect();
            columns.push(Expr::Literal(ScalarValue::Utf8(Some(label)), None));
            for (value, to) in group.into_iter().zip(&types) {
                columns.push(self.coerce(value, to)?.expr);
            }
            let exprs = columns.into_iter().zip(&output).map(|(e, a)| (e, a.id)).collect();
            branches.push(Arc::new(plan::project(input.plan.clone(), exprs)?));
        }
        let mut plan = if branches.len() == 1 {
            branches.pop().map_or_else(|| input.plan.clone(), Arc::unwrap_or_clone)
        } else {
            LogicalPlan::Union(Union::try_new(branches).map_err(errors::planning)?)
        };
        if !unpivot.include_nulls {
            let tests: Vec<Expr> =
                output.iter().skip(value_start).map(|a| Expr::IsNotNull(Box::new(a.expr()))).collect();
            plan = plan::filter(plan, balanced(tests, Operator::Or))?;
        }
        Ok(Resolved::new(plan, input.scope.with_output(output)))
    }
}

/// Value columns whose types do not meet: the types, each with its columns.
fn no_common_type(values: &[&Typed]) -> SparkError {
    let mut by_type: Vec<(&DataType, Vec<String>)> = Vec::new();
    for value in values {
        let name = format!("`{}`", value.name);
        match by_type.iter_mut().find(|(known, _)| **known == value.data_type) {
            Some((_, names)) => names.push(name),
            None => by_type.push((&value.data_type, vec![name])),
        }
    }
    let shown = by_type.iter().map(|(of, names)| format!("{} ({})", errors::sql_type(of), names.join(", ")));
    let types = shown.collect::<Vec<_>>().join(", ");
    SparkError::analysis("UNPIVOT_VALUE_DATA_TYPE_MISMATCH", &[("types", &types)])
}
