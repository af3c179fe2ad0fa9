//! `df.transpose()`: rows become columns, named by the values of one column.
//!
//! The columns of the answer are rows of the input, so the input runs while the query is analysed, as in Spark.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::Schema;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::logical_expr::SortExpr;
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_functions::{SparkError, SparkResult};

use super::{Env, Resolved, leaf};
use crate::analyze::expr::Exprs;
use crate::analyze::scope::{Attribute, Scope};
use crate::analyze::tables::{NameRef, TableEntry};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, coerce, errors, plan};
use crate::spec::{self, CastMode, Relation};

/// The rows the answer is made of: each with the text of its index value and its other values.
type Rows = Vec<(String, Vec<ScalarValue>)>;

impl Analyzer<'_> {
    /// `transpose(index)`; the first column is the index when none is said.
    pub(super) fn transpose(&self, input: &Relation, index: &[spec::Expr], env: &Env) -> SparkResult<Resolved> {
        let input = self.relation(input, env)?;
        let Some(first) = input.scope.attributes.first() else {
            return Ok(Resolved::new(leaf::no_rows()?, Scope::default()));
        };
        let index = match index {
            [] => first.clone(),
            [one] => {
                let typed = Exprs::new(self, env, &input.scope).resolve(one)?;
                let found = input.scope.attributes.iter().find(|attribute| attribute.expr() == typed.expr);
                found.cloned().ok_or_else(|| invalid("Index column must be an atomic attribute".to_string()))?
            }
            _ => return Err(invalid("Index column must be an atomic attribute".to_string())),
        };
        if !index.data_type.is_atomic() {
            let found = class_name(&index.data_type);
            return Err(invalid(format!("Index column must be of atomic type, but found: {found}")));
        }
        let values: Vec<Attribute> =
            input.scope.attributes.iter().filter(|attribute| attribute.id != index.id).cloned().collect();
        let data_type = common_type(&values)?;
        let names: Vec<String> = values.iter().map(|attribute| attribute.name.clone()).collect();
        let rows = self.rows_to_turn(input, &index, values, &data_type)?;
        self.turned(&names, &data_type, rows)
    }

    /// Runs the input: rows with an index, in its order.
    fn rows_to_turn(
        &self,
        input: Resolved,
        index: &Attribute,
        values: Vec<Attribute>,
        to: &DataType,
    ) -> SparkResult<Rows> {
        let max = self.context.transpose_max_values;
        let key = SortExpr::new(index.expr(), true, true);
        let found = plan::filter(input.plan, index.expr().is_not_null())?;
        let found = plan::limit(plan::sort(found, vec![key])?, 0, Some(max.saturating_add(1)))?;
        let mut exprs = vec![(index.expr(), index.id)];
        let mut fields = vec![StructField::new(&index.name, index.data_type.clone(), true)];
        for value in values {
            let cast = self.cast(Typed::attribute(&value), to, CastMode::Session)?;
            exprs.push((cast.expr, self.fresh()));
            fields.push(StructField::new(&value.name, to.clone(), true));
        }
        let found = plan::project(found, exprs)?;
        let key = format!("transpose {}", found.display_indent());
        let query = NameRef::Query { key, plan: found, schema: StructType::new(fields) };
        let TableEntry::Rows { batches, .. } = self.lookup(query)? else {
            return Err(SparkError::internal("what is transposed must be rows"));
        };
        let mut rows = Rows::new();
        for batch in batches {
            for row in 0..batch.num_rows() {
                let mut cells = batch
                    .columns()
                    .iter()
                    .map(|column| ScalarValue::try_from_array(column, row).map_err(errors::planning))
                    .collect::<SparkResult<Vec<_>>>()?;
                let name = self.cast_text(&cells.remove(0), &index.data_type)?;
                rows.push((name, cells));
            }
        }
        if rows.len() > max {
            return Err(SparkError::analysis(
                "TRANSPOSE_EXCEED_ROW_LIMIT",
                &[("maxValues", &max.to_string()), ("config", "spark.sql.transposeMaxValues")],
            ));
        }
        Ok(rows)
    }

    /// One row for each column that was there, one column for each row.
    fn turned(&self, names: &[String], data_type: &DataType, rows: Rows) -> SparkResult<Resolved> {
        let mut fields = vec![StructField::new("key", DataType::String, false)];
        let mut columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from_iter_values(names))];
        for (name, cells) in rows {
            fields.push(StructField::new(&name, data_type.clone(), true));
            columns.push(match cells.is_empty() {
                true => arrow::array::new_empty_array(&data_type.to_arrow()),
                false => ScalarValue::iter_to_array(cells).map_err(errors::planning)?,
            });
        }
        let schema = StructType::new(fields);
        // Names may repeat; batches are read by position.
        let positions = schema.fields.iter().zip(&columns).enumerate();
        let arrow = positions.map(|(position, (field, column))| {
            let name = position.to_string();
            StructField { name, ..field.clone() }.to_arrow().with_data_type(column.data_type().clone())
        });
        let arrow = Arc::new(Schema::new(arrow.collect::<Vec<_>>()));
        let options = RecordBatchOptions::new().with_row_count(Some(names.len()));
        let batch = RecordBatch::try_new_with_options(arrow, columns, &options)
            .map_err(|error| SparkError::internal(error.to_string()))?;
        self.rows(&schema, vec![batch])
    }
}

fn invalid(reason: String) -> SparkError {
    SparkError::analysis("TRANSPOSE_INVALID_INDEX_COLUMN", &[("reason", &reason)])
}

/// A type as Spark's classes print themselves.
pub(super) fn class_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Array { element, contains_null } => format!("ArrayType({},{contains_null})", class_name(element)),
        DataType::Map { key, value, value_contains_null } => {
            format!("MapType({},{},{value_contains_null})", class_name(key), class_name(value))
        }
        DataType::Struct(fields) => {
            let field = |field: &StructField| {
                format!("StructField({},{},{})", field.name, class_name(&field.data_type), field.nullable)
            };
            format!("StructType({})", fields.fields.iter().map(field).collect::<Vec<_>>().join(","))
        }
        other => {
            let name = other.type_name();
            let (head, rest) = name.split_at(name.find('(').unwrap_or(name.len()));
            let mut letters = head.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter();
            format!("{}Type{rest}", first.chain(letters).collect::<String>())
        }
    }
}

/// Whether a common type is one of the two, where one of them is a decimal: decimals are not widened here.
fn is_tight(a: &DataType, b: &DataType, found: &DataType) -> bool {
    match (a, b) {
        (a, b) if a == b => true,
        (DataType::Decimal(..), other) => found == a && (other.is_integral() || *other == DataType::Null),
        (other, DataType::Decimal(..)) => found == b && (other.is_integral() || *other == DataType::Null),
        _ => true,
    }
}

/// The tightest type that holds the values of all columns; strings are not promoted.
fn common_type(columns: &[Attribute]) -> SparkResult<DataType> {
    let mut types = columns.iter().map(|column| column.data_type.clone());
    let Some(first) = types.next() else { return Ok(DataType::String) };
    types.try_fold(first, |known, next| {
        let found = coerce::tightest(&known, &next).filter(|found| is_tight(&known, &next, found));
        found.ok_or_else(|| {
            let (dt1, dt2) = (errors::sql_type(&known), errors::sql_type(&next));
            SparkError::analysis("TRANSPOSE_NO_LEAST_COMMON_TYPE", &[("dt1", &dt1), ("dt2", &dt2)])
        })
    })
}
