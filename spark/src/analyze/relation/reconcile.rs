//! `df.to(schema)`: a value under a wanted type, fields of structs by name, also inside arrays and maps.
//! Source: <https://spark.apache.org/docs/latest/api/python/reference/pyspark.sql/api/pyspark.sql.DataFrame.to.html>.

use firesteel_functions::cast::can_store_assign;
use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_functions::{SparkError, SparkResult, reshape_expr};

use crate::analyze::scope::same;
use crate::analyze::typed::Typed;
use crate::analyze::{Analyzer, errors};
use crate::spec::CastMode;

impl Analyzer<'_> {
    /// The value in the type that is wanted at `path`.
    pub(super) fn reconciled(
        &self,
        value: Typed,
        to: &DataType,
        nullable: bool,
        path: &[String],
    ) -> SparkResult<Typed> {
        let shape = Wanted { case_sensitive: self.context.options.case_sensitive }.shape(
            (&value.data_type, value.nullable),
            (to, nullable),
            path,
        )?;
        self.cast(reshaped(value, shape)?, to, CastMode::Ansi)
    }
}

/// The value with its structs rearranged to `shape`, which has the value's own types at its leaves.
pub(super) fn reshaped(value: Typed, shape: DataType) -> SparkResult<Typed> {
    if value.data_type == shape {
        return Ok(value);
    }
    let expr = reshape_expr(value.expr, &shape)?;
    Ok(Typed::new(expr, shape, value.nullable, value.name))
}

/// How fields find each other.
struct Wanted {
    case_sensitive: bool,
}

impl Wanted {
    /// The type `from` gets before its leaves are cast to those of `to`; each type comes with whether it may be null.
    fn shape(&self, from: (&DataType, bool), to: (&DataType, bool), path: &[String]) -> SparkResult<DataType> {
        let ((from, from_null), (to, to_null)) = (from, to);
        if from_null && !to_null {
            return Err(SparkError::analysis("NULLABLE_COLUMN_OR_FIELD", &[("name", &errors::quoted(path))]));
        }
        let inner = |part: &str| -> Vec<String> { path.iter().cloned().chain([part.to_string()]).collect() };
        match (from, to) {
            (from, to) if from == to => Ok(from.clone()),
            (DataType::Struct(from), DataType::Struct(to)) => {
                let fields = to.fields.iter().map(|field| self.field(from, field, path, &inner(&field.name)));
                Ok(DataType::Struct(StructType::new(fields.collect::<SparkResult<_>>()?)))
            }
            (
                DataType::Array { element: from, contains_null: may },
                DataType::Array { element: to, contains_null: can },
            ) => {
                if *may && !can {
                    return Err(holds_null("ARRAY_ELEMENT", path));
                }
                // Whether elements may be null has just been asked.
                Ok(DataType::array(self.shape((from, false), (to, *can), &inner("element"))?, *may))
            }
            (
                DataType::Map { key: from_key, value: from_value, value_contains_null: may },
                DataType::Map { key: to_key, value: to_value, value_contains_null: can },
            ) => {
                if *may && !can {
                    return Err(holds_null("MAP_VALUE", path));
                }
                Ok(DataType::Map {
                    key: Box::new(self.shape((from_key, false), (to_key, false), &inner("key"))?),
                    value: Box::new(self.shape((from_value, false), (to_value, *can), &inner("value"))?),
                    value_contains_null: *may,
                })
            }
            (from, to) if can_store_assign(from, to, "ANSI") => Ok(from.clone()),
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

    fn field(
        &self,
        from: &StructType,
        wanted: &StructField,
        path: &[String],
        inner: &[String],
    ) -> SparkResult<StructField> {
        let found: Vec<&StructField> =
            from.fields.iter().filter(|known| same(&known.name, &wanted.name, self.case_sensitive)).collect();
        match found.as_slice() {
            [known] => {
                let shape =
                    self.shape((&known.data_type, known.nullable), (&wanted.data_type, wanted.nullable), inner)?;
                Ok(StructField::new(&wanted.name, shape, known.nullable))
            }
            [] if wanted.nullable => Ok(StructField::new(&wanted.name, wanted.data_type.clone(), true)),
            [] => {
                let known: Vec<String> =
                    from.fields.iter().map(|field| errors::quoted(std::slice::from_ref(&field.name))).collect();
                Err(SparkError::analysis(
                    "UNRESOLVED_FIELD.WITH_SUGGESTION",
                    &[
                        ("fieldName", &errors::quoted(std::slice::from_ref(&wanted.name))),
                        ("columnPath", &errors::quoted(path)),
                        ("proposal", &known.join(", ")),
                    ],
                ))
            }
            many => Err(SparkError::analysis(
                "AMBIGUOUS_COLUMN_OR_FIELD",
                &[("name", &errors::quoted(inner)), ("n", &many.len().to_string())],
            )),
        }
    }
}

fn holds_null(what: &str, path: &[String]) -> SparkError {
    SparkError::analysis(&format!("NOT_NULL_CONSTRAINT_VIOLATION.{what}"), &[("columnPath", &errors::quoted(path))])
}
