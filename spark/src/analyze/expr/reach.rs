//! Names of `HAVING` and `ORDER BY`, which see a select block's output and its input.
//!
//! What was found in the input is marked, because grouping decides later whether it may be used. It knows no grouping.

use std::cell::RefCell;

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::Expr;
use firesteel_functions::SparkResult;

use super::Exprs;
use crate::analyze::errors;
use crate::analyze::scope::{Attribute, Scope};
use crate::analyze::typed::Typed;
use crate::spec::Origin;

/// How names reach the input of a select block.
#[derive(Debug, Default)]
pub(in crate::analyze) struct Reach {
    /// The input comes before the output.
    pub input_first: bool,
    /// What the output cannot answer (an ambiguous name, a field that is not there) is no error.
    pub lenient: bool,
    /// Where names are written that only the output may answer.
    pub refused: Vec<Origin>,
    /// Names found in the input, in the order of their marks.
    pub found: RefCell<Vec<Reached>>,
}

/// A name found in the input.
#[derive(Debug, Clone)]
pub(in crate::analyze) struct Reached {
    /// As written.
    pub name: Vec<String>,
    /// Where.
    pub origin: Option<Origin>,
}

impl Exprs<'_, '_> {
    /// A name in the output or, marked, in the input.
    pub(super) fn reaching(&self, name: &[String], reach: &Reach, below: &Scope) -> SparkResult<Option<Typed>> {
        let origin = self.origin.borrow().clone();
        let refused = origin.as_ref().is_some_and(|o| reach.refused.contains(o));
        let in_input = || -> Option<Typed> {
            let found = below.find(name, self.case_sensitive()).ok()??;
            let mut column = Typed::attribute(&found.attribute);
            let mark = reach.found.borrow().len();
            column.expr = Expr::Column(marked(&found.attribute, mark));
            let typed = self.fields(column, &found.rest).ok()?;
            reach.found.borrow_mut().push(Reached { name: name.to_vec(), origin: origin.clone() });
            Some(typed)
        };
        if reach.input_first
            && !refused
            && let Some(typed) = in_input()
        {
            return Ok(Some(typed));
        }
        match self.in_output(name) {
            Ok(Some(typed)) => return Ok(Some(typed)),
            Err(error) if !reach.lenient => return Err(error),
            _ => {}
        }
        Ok(if reach.input_first || refused { None } else { in_input() })
    }

    fn in_output(&self, name: &[String]) -> SparkResult<Option<Typed>> {
        match self.scope.find(name, self.case_sensitive())? {
            Some(found) => self.fields(Typed::attribute(&found.attribute), &found.rest).map(Some),
            None => Ok(None),
        }
    }
}

fn marked(attribute: &Attribute, mark: usize) -> Column {
    let own = attribute.column();
    Column::new_unqualified(format!("{}~{mark}", own.name))
}

/// The mark of a column found in the input.
pub(in crate::analyze) fn mark(column: &Column) -> Option<usize> {
    column.name.split_once('~').and_then(|(_, mark)| mark.parse().ok())
}

/// The expression without marks.
pub(in crate::analyze) fn unmarked(expr: Expr) -> SparkResult<Expr> {
    expr.transform_up(|e| {
        Ok(match e {
            Expr::Column(column) => match column.name.split_once('~') {
                Some((own, _)) => Transformed::yes(Expr::Column(Column::new_unqualified(own))),
                None => Transformed::no(Expr::Column(column)),
            },
            other => Transformed::no(other),
        })
    })
    .map(|t| t.data)
    .map_err(errors::planning)
}
