//! `stack(n, value, ...)`: its columns, and its rows as an array of structs.

use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_functions::{SparkError, SparkResult};

use super::call;
use crate::analyze::expr::Generator;
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, errors};

/// Rows that `stack` may make.
const MAX_STACK: usize = 100_000;

/// Columns of `stack(n, values...)`; each column's values get one type.
pub(super) fn stack(analyzer: &Analyzer<'_>, args: &mut [Typed]) -> SparkResult<Vec<(String, DataType, bool)>> {
    let Some((count, values)) = args.split_first_mut() else { return Err(errors::wrong_num_args("stack", "> 1", 0)) };
    let rows = match analyzer.fold(&count.expr)? {
        ScalarValue::Int32(Some(n)) if n > 0 => usize::try_from(n).unwrap_or(1),
        _ => {
            return Err(SparkError::analysis(
                "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                &[
                    ("sqlExpr", "\"stack\""),
                    ("exprName", "`n`"),
                    ("valueRange", "(0, 2147483647]"),
                    ("currentValue", &count.name),
                ],
            ));
        }
    };
    if rows > MAX_STACK {
        return Err(errors::unsupported(&format!("stack of more than {MAX_STACK} rows")));
    }
    let shown = {
        let texts: Vec<String> = std::iter::once(count.sql()).chain(values.iter().map(Typed::sql)).collect();
        crate::analyze::naming::call("stack", &texts)
    };
    *count = Typed::literal(ScalarValue::UInt64(u64::try_from(rows).ok()), DataType::Long, count.name.clone());
    let width = values.len().div_ceil(rows);
    let mut columns = Vec::with_capacity(width);
    for position in 0..width {
        let typed = values.iter().enumerate().skip(position).step_by(width);
        let mut known = typed.filter(|(_, value)| value.data_type != DataType::Null);
        let to = match known.next() {
            None => DataType::Null,
            Some((first, value)) => {
                if let Some((other, found)) = known.find(|(_, other)| other.data_type != value.data_type) {
                    return Err(SparkError::analysis(
                        "DATATYPE_MISMATCH.STACK_COLUMN_DIFF_TYPES",
                        &[
                            ("sqlExpr", &errors::expression(&shown)),
                            ("columnIndex", &position.to_string()),
                            ("leftParamIndex", &(first + 1).to_string()),
                            ("leftType", &errors::sql_type(&value.data_type)),
                            ("rightParamIndex", &(other + 1).to_string()),
                            ("rightType", &errors::sql_type(&found.data_type)),
                        ],
                    ));
                }
                value.data_type.clone()
            }
        };
        for value in values.iter_mut().skip(position).step_by(width) {
            *value = analyzer.coerce(value.clone(), &to)?;
        }
        columns.push((format!("col{position}"), to, true));
    }
    Ok(columns)
}

/// `stack`'s values as an array of structs.
pub(super) fn stacked(generator: &Generator) -> SparkResult<(Expr, DataType)> {
    let width = generator.output.len().max(1);
    let fields: Vec<StructField> =
        generator.output.iter().map(|a| StructField::new(a.name.clone(), a.data_type.clone(), true)).collect();
    let values = generator.args.get(1..).unwrap_or_default();
    let mut rows = Vec::new();
    for chunk in values.chunks(width) {
        let mut args = Vec::with_capacity(width * 2);
        for (index, field) in fields.iter().enumerate() {
            args.push(Expr::Literal(ScalarValue::Utf8(Some(field.name.clone())), None));
            args.push(match chunk.get(index) {
                Some(value) => value.expr.clone(),
                None => Expr::Literal(crate::analyze::literal::null(&field.data_type)?, None),
            });
        }
        rows.push(call(datafusion::functions::core::named_struct(), args));
    }
    // Rows without values are null in all columns.
    let wanted = match generator.args.first().and_then(Typed::constant) {
        Some(ScalarValue::UInt64(Some(rows))) => usize::try_from(*rows).unwrap_or_default(),
        _ => rows.len(),
    };
    while rows.len() < wanted {
        let mut args = Vec::with_capacity(width * 2);
        for field in &fields {
            args.push(Expr::Literal(ScalarValue::Utf8(Some(field.name.clone())), None));
            args.push(Expr::Literal(crate::analyze::literal::null(&field.data_type)?, None));
        }
        rows.push(call(datafusion::functions::core::named_struct(), args));
    }
    let row = DataType::Struct(StructType::new(fields));
    Ok((call(datafusion::functions_nested::make_array::make_array_udf(), rows), row))
}
