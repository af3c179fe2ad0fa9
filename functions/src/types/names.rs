//! Types as text: SQL, simple strings, and the names used in JSON. It knows nothing of Arrow.

use super::{DataType, DayTimeField, StructField, YearMonthField};
use crate::collation::Collation;
use crate::error::quote_if_needed;

impl YearMonthField {
    fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
        }
    }
}

impl DayTimeField {
    fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
        }
    }
}

fn range(start: &str, end: &str) -> String {
    if start == end { format!("interval {start}") } else { format!("interval {start} to {end}") }
}

fn spatial(name: &str, srid: Option<u32>) -> String {
    srid.map_or_else(|| format!("{name}(any)"), |srid| format!("{name}({srid})"))
}

impl DataType {
    /// The type in SQL, for example `STRUCT<a: INT NOT NULL>`.
    #[must_use]
    pub fn sql(&self) -> String {
        match self {
            Self::Array { element, .. } => format!("ARRAY<{}>", element.sql()),
            Self::Map { key, value, .. } => format!("MAP<{}, {}>", key.sql(), value.sql()),
            Self::Struct(fields) => {
                let fields: Vec<String> = fields.fields.iter().map(StructField::sql).collect();
                format!("STRUCT<{}>", fields.join(", "))
            }
            other => other.simple_string().to_uppercase(),
        }
    }

    /// The type as `typeof` and schemas in messages print it, for example `struct<a:int>`.
    #[must_use]
    pub fn simple_string(&self) -> String {
        match self {
            Self::Byte => "tinyint".to_owned(),
            Self::Short => "smallint".to_owned(),
            Self::Integer => "int".to_owned(),
            Self::Long => "bigint".to_owned(),
            Self::Array { element, .. } => format!("array<{}>", element.simple_string()),
            Self::Map { key, value, .. } => format!("map<{},{}>", key.simple_string(), value.simple_string()),
            Self::Struct(fields) => {
                let fields: Vec<String> =
                    fields.fields.iter().map(|f| format!("{}:{}", f.name, f.data_type.simple_string())).collect();
                format!("struct<{}>", fields.join(","))
            }
            other => other.type_name(),
        }
    }

    /// The name of the type in JSON and in `printSchema`, for example `long`.
    #[must_use]
    pub fn type_name(&self) -> String {
        match self {
            Self::Null => "void".to_owned(),
            Self::Boolean => "boolean".to_owned(),
            Self::Byte => "byte".to_owned(),
            Self::Short => "short".to_owned(),
            Self::Integer => "integer".to_owned(),
            Self::Long => "long".to_owned(),
            Self::Float => "float".to_owned(),
            Self::Double => "double".to_owned(),
            Self::Decimal(precision, scale) => format!("decimal({precision},{scale})"),
            Self::String => "string".to_owned(),
            Self::Collated(collation) => format!("string collate {}", collation.name()),
            Self::Char(length) => format!("char({length})"),
            Self::Varchar(length) => format!("varchar({length})"),
            Self::Binary => "binary".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Timestamp => "timestamp".to_owned(),
            Self::TimestampNtz => "timestamp_ntz".to_owned(),
            Self::Time(precision) => format!("time({precision})"),
            Self::YearMonthInterval(start, end) => range(start.name(), end.name()),
            Self::DayTimeInterval(start, end) => range(start.name(), end.name()),
            Self::CalendarInterval => "interval".to_owned(),
            Self::Array { .. } => "array".to_owned(),
            Self::Map { .. } => "map".to_owned(),
            Self::Struct(_) => "struct".to_owned(),
            Self::Variant => "variant".to_owned(),
            Self::Geometry(srid) => spatial("geometry", *srid),
            Self::Geography(srid) => spatial("geography", *srid),
        }
    }

    /// The type of a name without element types, as in JSON; also accepts the SQL names. `None` if unknown.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Self> {
        let name = text.trim().to_ascii_lowercase();
        let (head, arguments) = match name.split_once('(') {
            Some((head, rest)) => (head.trim_end(), Some(rest.strip_suffix(')')?)),
            None => (name.as_str(), None),
        };
        if let Some(arguments) = arguments {
            let srid = || match arguments.trim() {
                "any" => Some(None),
                number => number.parse().ok().map(Some),
            };
            match head {
                "geometry" => return srid().map(Self::Geometry),
                "geography" => return srid().map(Self::Geography),
                _ => {}
            }
            let numbers: Vec<u32> =
                arguments.split(',').map(|part| part.trim().parse().ok()).collect::<Option<Vec<u32>>>()?;
            return match (head, numbers.as_slice()) {
                ("decimal" | "dec" | "numeric", [precision, scale]) if scale <= precision && *precision <= 38 => {
                    Some(Self::Decimal(u8::try_from(*precision).ok()?, i8::try_from(*scale).ok()?))
                }
                ("decimal" | "dec" | "numeric", [precision]) if *precision <= 38 => {
                    Some(Self::Decimal(u8::try_from(*precision).ok()?, 0))
                }
                ("char" | "character", [length]) => Some(Self::Char(*length)),
                ("varchar", [length]) => Some(Self::Varchar(*length)),
                ("time", [precision]) if *precision <= 6 => Some(Self::Time(u8::try_from(*precision).ok()?)),
                _ => None,
            };
        }
        Some(match head {
            "void" | "null" => Self::Null,
            "boolean" => Self::Boolean,
            "byte" | "tinyint" => Self::Byte,
            "short" | "smallint" => Self::Short,
            "integer" | "int" => Self::Integer,
            "long" | "bigint" => Self::Long,
            "float" | "real" => Self::Float,
            "double" => Self::Double,
            "decimal" | "dec" | "numeric" => Self::Decimal(10, 0),
            "string" => Self::String,
            "binary" => Self::Binary,
            "date" => Self::Date,
            "timestamp" | "timestamp_ltz" => Self::Timestamp,
            "timestamp_ntz" => Self::TimestampNtz,
            "time" => Self::Time(6),
            "interval" | "calendarinterval" => Self::CalendarInterval,
            "variant" => Self::Variant,
            other if other.starts_with("string collate ") => {
                Self::string_with(Collation::find(other.strip_prefix("string collate ")?.trim())?)
            }
            other => return interval_from_name(other.strip_prefix("interval ")?),
        })
    }
}

fn interval_from_name(units: &str) -> Option<DataType> {
    let (start, end) = units.split_once(" to ").unwrap_or((units, units));
    let year_month = |name: &str| [YearMonthField::Year, YearMonthField::Month].into_iter().find(|f| f.name() == name);
    let day_time = |name: &str| {
        [DayTimeField::Day, DayTimeField::Hour, DayTimeField::Minute, DayTimeField::Second]
            .into_iter()
            .find(|field| field.name() == name)
    };
    let (start, end) = (start.trim(), end.trim());
    if let (Some(start), Some(end)) = (year_month(start), year_month(end)) {
        return (start <= end).then_some(DataType::YearMonthInterval(start, end));
    }
    let (start, end) = (day_time(start)?, day_time(end)?);
    (start <= end).then_some(DataType::DayTimeInterval(start, end))
}

impl StructField {
    /// The field in SQL, for example `a: INT NOT NULL`.
    #[must_use]
    pub fn sql(&self) -> String {
        let not_null = if self.nullable { "" } else { " NOT NULL" };
        format!("{}: {}{not_null}{}", quote_if_needed(&self.name), self.data_type.sql(), self.comment_sql())
    }

    /// The column in a `CREATE TABLE` list, for example `a INT NOT NULL`.
    #[must_use]
    pub fn ddl(&self) -> String {
        let not_null = if self.nullable { "" } else { " NOT NULL" };
        format!("{} {}{not_null}{}", quote_if_needed(&self.name), self.data_type.sql(), self.comment_sql())
    }

    /// The comment in the metadata.
    #[must_use]
    pub fn comment(&self) -> Option<String> {
        let metadata: serde_json::Value = serde_json::from_str(self.metadata.as_deref()?).ok()?;
        metadata.get("comment")?.as_str().map(str::to_owned)
    }

    fn comment_sql(&self) -> String {
        match self.comment() {
            Some(comment) => format!(" COMMENT '{}'", comment.replace('\\', "\\\\").replace('\'', "\\'")),
            None => String::new(),
        }
    }
}
