//! `unionByName`: both sides with the columns of the first, then those only the second has, and their structs alike.
//!
//! Source: <https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.DataFrame.unionByName.html>;
//! structs inside arrays are merged too, those inside maps meet by position.

use std::sync::Arc;

use datafusion::logical_expr::Expr;
use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_functions::{SparkError, SparkResult};

use super::super::reconcile::reshaped;
use super::column_count;
use crate::analyze::relation::Resolved;
use crate::analyze::scope::{Attribute, same};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, errors, literal, plan};

/// How names are compared, and whether one side may lack some.
#[derive(Debug, Clone, Copy)]
struct Names {
    case_sensitive: bool,
    allow_missing: bool,
}

impl Analyzer<'_> {
    /// Both sides with the same names in the same order.
    pub(super) fn by_name(
        &self,
        left: Resolved,
        right: Resolved,
        allow_missing: bool,
    ) -> SparkResult<(Resolved, Resolved)> {
        let names = Names { case_sensitive: self.context.options.case_sensitive, allow_missing };
        let (l, r) = (left.scope.attributes.clone(), right.scope.attributes.clone());
        names.distinct(&l)?;
        names.distinct(&r)?;
        let mut left_columns: Vec<Column> = Vec::with_capacity(l.len());
        let mut right_columns: Vec<Column> = Vec::with_capacity(l.len());
        for column in &l {
            match names.find(&r, &column.name) {
                Some(found) => {
                    let shape = match allow_missing {
                        true => names.shape(&column.data_type, &found.data_type, Order::Own)?,
                        false => column.data_type.clone(),
                    };
                    left_columns.push(Column::Given(column.clone(), shape));
                    let shape = names.shape(&found.data_type, &column.data_type, Order::Other)?;
                    right_columns.push(Column::Given(found.clone(), shape));
                }
                None if allow_missing => {
                    left_columns.push(Column::Given(column.clone(), column.data_type.clone()));
                    right_columns.push(Column::Missing(column.clone()));
                }
                None => return Err(errors::no_such_name(&column.name, &right.scope)),
            }
        }
        for column in &r {
            if names.find(&l, &column.name).is_none() {
                if !allow_missing {
                    return Err(column_count("UNION", l.len(), r.len()));
                }
                left_columns.push(Column::Missing(column.clone()));
                right_columns.push(Column::Given(column.clone(), column.data_type.clone()));
            }
        }
        Ok((self.arranged(left, left_columns)?, self.arranged(right, right_columns)?))
    }

    fn arranged(&self, input: Resolved, columns: Vec<Column>) -> SparkResult<Resolved> {
        let mut exprs = Vec::with_capacity(columns.len());
        let mut attributes = Vec::with_capacity(columns.len());
        for column in columns {
            let attribute = match column {
                Column::Given(attribute, shape) if attribute.data_type == shape => {
                    exprs.push((attribute.expr(), attribute.id));
                    attribute
                }
                Column::Given(attribute, shape) => {
                    let id = self.fresh();
                    exprs.push((reshaped(Typed::attribute(&attribute), shape.clone())?.expr, id));
                    Attribute { id, data_type: shape, ..attribute }
                }
                Column::Missing(other) => {
                    let id = self.fresh();
                    exprs.push((Expr::Literal(literal::null(&other.data_type)?, None), id));
                    Attribute { id, qualifier: Arc::new([]), nullable: true, metadata: None, ..other }
                }
            };
            attributes.push(attribute);
        }
        let plan = plan::project(input.plan, exprs)?;
        Ok(Resolved::new(plan, input.scope.with_output(attributes)))
    }
}

/// One column of one side.
enum Column {
    /// In this shape.
    Given(Attribute, DataType),
    /// Null, like this column of the other side.
    Missing(Attribute),
}

/// Whose fields come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Own,
    Other,
}

impl Names {
    fn find<'a>(&self, columns: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
        columns.iter().find(|column| same(&column.name, name, self.case_sensitive))
    }

    fn distinct(&self, columns: &[Attribute]) -> SparkResult<()> {
        for (index, column) in columns.iter().enumerate() {
            if self.find(columns.get(..index).unwrap_or_default(), &column.name).is_some() {
                let name = match self.case_sensitive {
                    true => column.name.clone(),
                    false => column.name.to_lowercase(),
                };
                return Err(SparkError::analysis("COLUMN_ALREADY_EXISTS", &[("columnName", &errors::quoted(&[name]))]));
            }
        }
        Ok(())
    }

    /// A side's own type with the fields its structs lack. A field that may not be missing is an error; what the other side
    /// does not have stays, and the union will say that the types differ.
    fn shape(&self, own: &DataType, other: &DataType, order: Order) -> SparkResult<DataType> {
        match (own, other) {
            (DataType::Struct(own), DataType::Struct(other)) => self.fields(own, other, order),
            (DataType::Array { element: own, contains_null }, DataType::Array { element: other, .. }) => {
                Ok(DataType::array(self.shape(own, other, order)?, *contains_null))
            }
            _ => Ok(own.clone()),
        }
    }

    fn fields(&self, own: &StructType, other: &StructType, order: Order) -> SparkResult<DataType> {
        fn find<'a>(of: &'a StructType, name: &str, case_sensitive: bool) -> Option<&'a StructField> {
            of.fields.iter().find(|field| same(&field.name, name, case_sensitive))
        }
        let case = self.case_sensitive;
        let (first, second) = if order == Order::Own { (own, other) } else { (other, own) };
        let rest = second.fields.iter().filter(|field| find(first, &field.name, case).is_none());
        let mut fields = Vec::with_capacity(first.fields.len());
        for field in first.fields.iter().chain(rest) {
            fields.push(match (find(own, &field.name, case), find(other, &field.name, case)) {
                (Some(a), Some(b)) => {
                    StructField::new(&field.name, self.shape(&a.data_type, &b.data_type, order)?, a.nullable)
                }
                (Some(one), None) => one.clone(),
                (None, _) if self.allow_missing => StructField::new(&field.name, field.data_type.clone(), true),
                (None, _) => return Err(errors::field_not_found(&field.name, &own.fields)),
            });
        }
        Ok(DataType::Struct(StructType::new(fields)))
    }
}
