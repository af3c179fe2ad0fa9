//! Store assignment of one value: what may go into a column of a table, and how it is cast on the way.
//!
//! Rules: <https://spark.apache.org/docs/latest/sql-ref-ansi-compliance.html#store-assignment>. It knows nothing of which
//! column of a query goes where.

use datafusion::logical_expr::Expr;
use firesteel_functions::cast::{CastMode, cast_expr, store_expr};
use firesteel_functions::error::{SparkError, SparkResult, quote_identifier, sql_type};
use firesteel_functions::reshape_expr;
use firesteel_functions::types::{DataType, StructField, StructType};

use super::assign::By;
use crate::catalog::text_type;
use crate::session::Session;

/// What is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Ansi,
    Legacy,
    Strict,
}

/// The rules for one table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Store<'a> {
    table: &'a str,
    policy: Policy,
    /// How fields of structs find each other.
    by: By,
    case_sensitive: bool,
}

impl<'a> Store<'a> {
    /// The session's rules for the table of this quoted name.
    pub(super) fn new(session: &Session, table: &'a str, by: By) -> Self {
        let conf = session.conf();
        let policy =
            match conf.get_option("spark.sql.storeAssignmentPolicy").unwrap_or_default().to_uppercase().as_str() {
                "LEGACY" => Policy::Legacy,
                "STRICT" => Policy::Strict,
                _ => Policy::Ansi,
            };
        Self { table, policy, by, case_sensitive: conf.is_true("spark.sql.caseSensitive") }
    }

    /// A value as the type of its column, as far as the policy allows.
    pub(super) fn value(&self, value: Expr, from: &DataType, to: &DataType, column: &str) -> SparkResult<Expr> {
        let held = text_type::plain(to);
        let path = [column];
        let value = match self.policy {
            _ if *from == held => value,
            Policy::Legacy => cast_expr(value, &held, CastMode::Legacy),
            Policy::Strict if matches!(from, DataType::Null) => cast_expr(value, &held, CastMode::Ansi),
            Policy::Strict => return Err(self.unsafe_cast(from, to, &path)),
            Policy::Ansi => {
                let shape = self.shape(from, &held, &path)?;
                let value = if shape == *from { value } else { reshape_expr(value, &shape)? };
                if shape == held { value } else { store_expr(value, &shape, &held, &quote_identifier(&[column])) }
            }
        };
        Ok(text_type::on_write(value, to))
    }

    /// The type a value has before its leaves are cast: the target's structs with the value's own leaves.
    fn shape(&self, from: &DataType, to: &DataType, path: &[&str]) -> SparkResult<DataType> {
        let below = |part: &'static str| -> Vec<&str> { path.iter().copied().chain([part]).collect() };
        match (from, to) {
            (from, to) if from == to => Ok(from.clone()),
            (DataType::Array { element: from, contains_null }, DataType::Array { element: to, .. }) => {
                Ok(DataType::array(self.shape(from, to, &below("element"))?, *contains_null))
            }
            (DataType::Map { key, value, value_contains_null }, DataType::Map { key: to_key, value: to_value, .. }) => {
                Ok(DataType::Map {
                    key: Box::new(self.shape(key, to_key, &below("key"))?),
                    value: Box::new(self.shape(value, to_value, &below("value"))?),
                    value_contains_null: *value_contains_null,
                })
            }
            (DataType::Struct(from), DataType::Struct(to)) => self.fields(from, to, path),
            (from, to) if safe(from, to) => Ok(from.clone()),
            (from, to) => Err(self.unsafe_cast(from, to, path)),
        }
    }

    fn fields(&self, from: &StructType, to: &StructType, path: &[&str]) -> SparkResult<DataType> {
        let same = |a: &str, b: &str| if self.case_sensitive { a == b } else { a.eq_ignore_ascii_case(b) };
        let mut fields = Vec::with_capacity(to.fields.len());
        for (index, wanted) in to.fields.iter().enumerate() {
            let inner: Vec<&str> = path.iter().copied().chain([wanted.name.as_str()]).collect();
            let found = match self.by {
                By::Position => from.fields.get(index),
                By::Name => from.fields.iter().find(|field| same(&field.name, &wanted.name)),
            };
            let found = match (found, self.by) {
                (Some(found), _) => found,
                (None, By::Name) => {
                    return Err(self.error("CANNOT_FIND_DATA", &[("colName", &quote_identifier(&inner))]));
                }
                (None, By::Position) => {
                    let missing = names(to.fields.iter().skip(index));
                    let struct_name = quote_identifier(path);
                    return Err(
                        self.error("STRUCT_MISSING_FIELDS", &[("colName", &struct_name), ("missingFields", &missing)])
                    );
                }
            };
            let name = match self.by {
                By::Position => &found.name,
                By::Name => &wanted.name,
            };
            fields.push(StructField::new(
                name,
                self.shape(&found.data_type, &wanted.data_type, &inner)?,
                found.nullable,
            ));
        }
        if from.fields.len() > to.fields.len() {
            let extra = match self.by {
                By::Position => names(from.fields.iter().skip(to.fields.len())),
                By::Name => names(from.fields.iter().filter(|f| !to.fields.iter().any(|t| same(&t.name, &f.name)))),
            };
            let struct_name = quote_identifier(path);
            return Err(self.error("EXTRA_STRUCT_FIELDS", &[("colName", &struct_name), ("extraFields", &extra)]));
        }
        Ok(DataType::Struct(StructType::new(fields)))
    }

    fn unsafe_cast(&self, from: &DataType, to: &DataType, path: &[&str]) -> SparkError {
        self.error(
            "CANNOT_SAFELY_CAST",
            &[("colName", &quote_identifier(path)), ("srcType", &sql_type(from)), ("targetType", &sql_type(to))],
        )
    }

    fn error(&self, what: &str, parameters: &[(&str, &str)]) -> SparkError {
        let mut all = vec![("tableName", self.table)];
        all.extend_from_slice(parameters);
        SparkError::analysis(&format!("INCOMPATIBLE_DATA_FOR_TABLE.{what}"), &all)
    }
}

fn names<'a>(fields: impl Iterator<Item = &'a StructField>) -> String {
    fields.map(|field| quote_identifier(&[&field.name])).collect::<Vec<_>>().join(", ")
}

/// ANSI store assignment of values that have no parts.
fn safe(from: &DataType, to: &DataType) -> bool {
    use DataType::{CalendarInterval, Date, DayTimeInterval, Null, Timestamp, TimestampNtz, YearMonthInterval};
    match (from, to) {
        _ if from == to => true,
        (Null, _) => true,
        (from, to) if from.is_numeric() && to.is_numeric() => true,
        (from, to) if to.is_string() => from.is_atomic() || *from == CalendarInterval,
        (Date | Timestamp | TimestampNtz, Date | Timestamp | TimestampNtz) => true,
        (DataType::Time(_), DataType::Time(_)) => true,
        (DayTimeInterval(..), DayTimeInterval(..)) | (YearMonthInterval(..), YearMonthInterval(..)) => true,
        _ => false,
    }
}
