//! `df.to(schema)`: a value under a wanted type, fields of structs by name.
//! Source: <https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.DataFrame.to.html>.

use datafusion::logical_expr::Expr;
use firesteel_functions::cast::can_store_assign;
use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_functions::{SparkError, SparkResult};

use super::Env;
use crate::analyze::expr::Exprs;
use crate::analyze::scope::{Scope, same};
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, errors, literal};
use crate::spec::CastMode;

impl Analyzer<'_> {
    /// The value in the type that is wanted at `path`.
    pub(super) fn reconciled(
        &self,
        value: Typed,
        to: &DataType,
        nullable: bool,
        path: &[String],
        env: &Env,
    ) -> SparkResult<Typed> {
        if value.nullable && !nullable {
            return Err(SparkError::analysis("NULLABLE_COLUMN_OR_FIELD", &[("name", &errors::quoted(path))]));
        }
        match (&value.data_type, to) {
            (from, to) if from == to => Ok(value),
            (DataType::Struct(from), DataType::Struct(wanted)) => {
                let none = Scope::default();
                let exprs = Exprs::new(self, env, &none);
                let case = self.context.options.case_sensitive;
                let mut fields: Vec<(String, Typed)> = Vec::with_capacity(wanted.fields.len());
                for field in &wanted.fields {
                    let inner: Vec<String> = path.iter().chain([&field.name]).cloned().collect();
                    let found: Vec<&StructField> =
                        from.fields.iter().filter(|known| same(&known.name, &field.name, case)).collect();
                    let part = match found.as_slice() {
                        [known] => exprs.field_of(value.clone(), &known.name)?,
                        [] if field.nullable => {
                            Typed::literal(literal::null(&field.data_type)?, field.data_type.clone(), "NULL")
                        }
                        [] => return Err(errors::field_not_found(&field.name, &from.fields)),
                        many => {
                            return Err(SparkError::analysis(
                                "AMBIGUOUS_COLUMN_OR_FIELD",
                                &[("name", &errors::quoted(&inner)), ("n", &many.len().to_string())],
                            ));
                        }
                    };
                    // A field of a struct that may be null may be null with it; that is no null inside it.
                    let part = Typed { nullable: part.nullable && found.first().is_none_or(|f| f.nullable), ..part };
                    let part = self.reconciled(part, &field.data_type, field.nullable, &inner, env)?;
                    fields.push((field.name.clone(), part));
                }
                let made = exprs.struct_of(fields, value.name.clone())?;
                if !value.nullable {
                    return Ok(made);
                }
                let there = Expr::IsNotNull(Box::new(value.expr));
                let expr = datafusion::logical_expr::when(there, made.expr).end().map_err(errors::planning)?;
                Ok(Typed::new(expr, made.data_type, true, value.name))
            }
            (from, to) if holds_struct(from) && holds_struct(to) => Err(errors::unsupported(&format!(
                "structs inside arrays and maps that differ from a wanted schema, in column {}",
                errors::quoted(path)
            ))),
            (from, to) if can_store_assign(from, to, "ANSI") => self.cast(value, to, CastMode::Ansi),
            (from, to) => Err(SparkError::analysis(
                "INVALID_COLUMN_OR_FIELD_DATA_TYPE",
                &[
                    ("name", &errors::quoted(path)),
                    ("type", &errors::sql_type(from)),
                    ("expectedType", &errors::sql_type(to)),
                ],
            )),
        }
    }
}

/// A type of one side of a `unionByName` with the fields that only the other side's structs have. Fields of the first side
/// come first.
pub(super) fn padded(own: &DataType, other: &DataType, own_first: bool, case_sensitive: bool) -> DataType {
    let (DataType::Struct(own), DataType::Struct(other)) = (own, other) else { return own.clone() };
    let find = |of: &StructType, name: &str| of.fields.iter().find(|f| same(&f.name, name, case_sensitive)).cloned();
    let (first, second) = if own_first { (own, other) } else { (other, own) };
    let rest = second.fields.iter().filter(|field| find(first, &field.name).is_none());
    let fields = first.fields.iter().chain(rest).map(|field| {
        let (data_type, nullable) = match (find(own, &field.name), find(other, &field.name)) {
            (Some(a), Some(b)) => {
                (padded(&a.data_type, &b.data_type, own_first, case_sensitive), a.nullable || b.nullable)
            }
            (Some(one), None) | (None, Some(one)) => (one.data_type, true),
            (None, None) => (field.data_type.clone(), true),
        };
        StructField::new(&field.name, data_type, nullable)
    });
    DataType::Struct(StructType::new(fields.collect()))
}

fn holds_struct(data_type: &DataType) -> bool {
    match data_type {
        DataType::Struct(_) => true,
        DataType::Array { element, .. } => holds_struct(element),
        DataType::Map { key, value, .. } => holds_struct(key) || holds_struct(value),
        _ => false,
    }
}
