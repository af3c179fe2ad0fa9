//! Attributes and scopes: which columns a relation offers and how a name finds one of them.
//!
//! It knows names only; no expressions and no plans beyond a column reference.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::Column;
use datafusion::logical_expr::Expr;
use firesteel_functions::SparkResult;
use firesteel_functions::types::{DataType, StructField, StructType};

use super::errors;

/// A column of a relation.
#[derive(Debug, Clone)]
pub(super) struct Attribute {
    /// Identity; the DataFusion column is `#id`.
    pub id: u64,
    /// Spark name.
    pub name: String,
    /// Qualifier: table alias, or catalog, database and table.
    pub qualifier: Arc<[String]>,
    /// Type.
    pub data_type: DataType,
    /// Whether it may be null.
    pub nullable: bool,
    /// Spark metadata.
    pub metadata: Option<String>,
}

impl Attribute {
    /// The DataFusion column.
    pub(super) fn column(&self) -> Column {
        column(self.id)
    }
    /// A reference to the column.
    pub(super) fn expr(&self) -> Expr {
        Expr::Column(self.column())
    }
    /// As a field of the output schema.
    pub(super) fn field(&self) -> StructField {
        StructField {
            name: self.name.clone(),
            data_type: self.data_type.clone(),
            nullable: self.nullable,
            metadata: self.metadata.clone(),
        }
    }
    /// Whether it is one of the hidden columns that speak of files.
    pub(super) fn is_of_file(&self) -> bool {
        matches!(self.metadata.as_deref(), Some(OF_FILE | FILE_NAME))
    }
    /// Qualifier and name.
    pub(super) fn full_name(&self) -> Vec<String> {
        self.qualifier.iter().cloned().chain([self.name.clone()]).collect()
    }
}

/// What marks a hidden column that says of each row which file it is from, in place of the column's metadata.
pub(super) const OF_FILE: &str = "\u{0}file";
/// What marks the one that `input_file_name()` stands for.
pub(super) const FILE_NAME: &str = "\u{0}file name";

/// The DataFusion column of an id.
pub(super) fn column(id: u64) -> Column {
    Column::new_unqualified(column_name(id))
}

/// The DataFusion name of an id.
pub(super) fn column_name(id: u64) -> String {
    format!("#{id}")
}

/// The columns a relation offers.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// Output, in order.
    pub attributes: Vec<Attribute>,
    /// Present in the plan but not part of the output: keys hidden by `USING`, reachable by qualified name.
    pub hidden: Vec<Attribute>,
    /// Columns that stand in the output again under another id: a name that finds both is not ambiguous.
    pub twins: Vec<u64>,
    /// Outputs of the client's plans below (`df["x"]`), one entry per occurrence.
    pub plans: BTreeMap<i64, Vec<Arc<[Attribute]>>>,
}

/// A column found by name, and the parts of the name left over (struct fields, map keys).
#[derive(Debug)]
pub(super) struct Found {
    /// The column.
    pub attribute: Attribute,
    /// Rest of the name.
    pub rest: Vec<String>,
}

impl Scope {
    /// A scope of an output.
    pub(super) fn new(attributes: Vec<Attribute>) -> Self {
        Self { attributes, ..Self::default() }
    }

    /// The output as a schema.
    pub(super) fn schema(&self) -> StructType {
        StructType::new(self.attributes.iter().map(Attribute::field).collect())
    }

    /// Records that the client calls this output plan `plan_id`.
    pub(super) fn mark(&mut self, plan_id: Option<i64>) {
        if let Some(id) = plan_id {
            self.plans.insert(id, vec![self.attributes.clone().into()]);
        }
    }

    /// Takes over what is known below a new output.
    #[must_use]
    pub(super) fn with_output(self, attributes: Vec<Attribute>) -> Self {
        Self { attributes, plans: self.plans, ..Self::default() }
    }

    /// The hidden columns that speak of files.
    pub(super) fn of_files(&self) -> Vec<Attribute> {
        self.hidden.iter().filter(|a| a.is_of_file()).cloned().collect()
    }

    /// The same output with these hidden columns.
    #[must_use]
    pub(super) fn hiding(self, hidden: Vec<Attribute>) -> Self {
        Self { hidden, ..self }
    }

    /// Both sides of a join. `_metadata` ends there.
    #[must_use]
    pub(super) fn join(mut self, right: Self) -> Self {
        self.attributes.extend(right.attributes);
        self.hidden.extend(right.hidden);
        self.hidden.retain(|a| a.metadata.as_deref() != Some(OF_FILE));
        self.twins.extend(right.twins);
        self.absorb(right.plans);
        self
    }

    /// Adds plans known elsewhere below.
    pub(super) fn absorb(&mut self, plans: BTreeMap<i64, Vec<Arc<[Attribute]>>>) {
        for (id, outputs) in plans {
            self.plans.entry(id).or_default().extend(outputs);
        }
    }

    /// The attribute with an id, in the output or hidden.
    pub(super) fn by_id(&self, id: u64) -> Option<&Attribute> {
        self.attributes.iter().chain(&self.hidden).find(|a| a.id == id)
    }

    /// Finds a column by its name parts: the longest qualifier that matches wins, then what remains are fields.
    pub(super) fn find(&self, name: &[String], case_sensitive: bool) -> SparkResult<Option<Found>> {
        for attributes in [&self.attributes, &self.hidden] {
            let found = find_in(attributes, name, case_sensitive).or_else(|error| {
                if self.twins.is_empty() {
                    return Err(error);
                }
                let once: Vec<Attribute> = attributes.iter().filter(|a| !self.twins.contains(&a.id)).cloned().collect();
                find_in(&once, name, case_sensitive)
            });
            if let Some(found) = found? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Columns with a qualifier, for `t.*`.
    pub(super) fn qualified(&self, target: &[String], case_sensitive: bool) -> Vec<Attribute> {
        let matches = |a: &&Attribute| ends_with(&a.qualifier, target, case_sensitive);
        let out: Vec<_> = self.attributes.iter().filter(matches).cloned().collect();
        // Keys merged by USING belong to both sides: the hidden ones stand first in their table.
        let hidden: Vec<_> = self.hidden.iter().filter(|a| matches(a) && !a.is_of_file()).cloned().collect();
        if !hidden.is_empty() {
            return hidden.into_iter().chain(out).collect();
        }
        out
    }
}

/// Finds a column among attributes.
pub(super) fn find_in(attributes: &[Attribute], name: &[String], case_sensitive: bool) -> SparkResult<Option<Found>> {
    // Qualifier lengths from long to short: `a.b.c` may be column c of a.b, field b.c of column a, ...
    for qualifier_len in (0..name.len().min(4)).rev() {
        let (Some(qualifier), Some(column)) = (name.get(..qualifier_len), name.get(qualifier_len)) else { continue };
        let mut matches = attributes.iter().filter(|a| {
            same(&a.name, column, case_sensitive)
                && (qualifier.is_empty() || ends_with(&a.qualifier, qualifier, case_sensitive))
        });
        let Some(first) = matches.next() else { continue };
        let others: Vec<&Attribute> = matches.filter(|a| a.id != first.id).collect();
        let rest = name.get(qualifier_len + 1..).unwrap_or_default().to_vec();
        if others.is_empty() {
            let mut attribute = first.clone();
            attribute.name.clone_from(column);
            if attribute.is_of_file() {
                attribute.metadata = None;
            }
            return Ok(Some(Found { attribute, rest }));
        }
        let all: Vec<&Attribute> = std::iter::once(first).chain(others).collect();
        return Err(errors::ambiguous_reference(name, &all));
    }
    Ok(None)
}

/// Whether two identifiers are the same.
pub(super) fn same(a: &str, b: &str, case_sensitive: bool) -> bool {
    if case_sensitive { a == b } else { a.eq_ignore_ascii_case(b) || a.to_lowercase() == b.to_lowercase() }
}

fn ends_with(qualifier: &[String], target: &[String], case_sensitive: bool) -> bool {
    qualifier.len() >= target.len()
        && qualifier.iter().rev().zip(target.iter().rev()).all(|(a, b)| same(a, b, case_sensitive))
}
