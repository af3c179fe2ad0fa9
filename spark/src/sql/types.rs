//! Data types and column lists.

use firesteel_functions::collation::Collation;
use firesteel_functions::types::{DataType, DayTimeField, StructField, StructType, YearMonthField};
use firesteel_functions::{SparkError, SparkResult};

use super::cursor::Cursor;
use super::lexer::Kind;
use super::name;

/// A data type.
pub(super) fn data_type(cursor: &mut Cursor<'_>) -> SparkResult<DataType> {
    cursor.nested(|cursor| {
        let position = cursor.position();
        if cursor.peek().kind != Kind::Word {
            return Err(cursor.unexpected());
        }
        let word = cursor.next().text.to_ascii_uppercase();
        match word.as_str() {
            "ARRAY" if cursor.is("<") => array(cursor),
            "MAP" if cursor.is("<") => map(cursor),
            "STRUCT" if cursor.is("<") || cursor.is("<>") => structure(cursor),
            "INTERVAL" => interval(cursor),
            _ => primitive(cursor, &word, position),
        }
    })
}

/// Closes an angle bracket, which the lexer may have joined with the ones around it.
fn close(cursor: &mut Cursor<'_>) -> SparkResult<()> {
    let width = match cursor.peek().text {
        ">" => 1,
        ">>" => 2,
        ">>>" => 3,
        _ => return Err(cursor.unexpected()),
    };
    cursor.angles_used += 1;
    if cursor.angles_used == width {
        cursor.angles_used = 0;
        cursor.next();
    }
    Ok(())
}

fn array(cursor: &mut Cursor<'_>) -> SparkResult<DataType> {
    cursor.expect("<")?;
    let element = Box::new(data_type(cursor)?);
    close(cursor)?;
    Ok(DataType::Array { element, contains_null: true })
}

fn map(cursor: &mut Cursor<'_>) -> SparkResult<DataType> {
    cursor.expect("<")?;
    let key = Box::new(data_type(cursor)?);
    cursor.expect(",")?;
    let value = Box::new(data_type(cursor)?);
    close(cursor)?;
    Ok(DataType::Map { key, value, value_contains_null: true })
}

fn structure(cursor: &mut Cursor<'_>) -> SparkResult<DataType> {
    if cursor.eat("<>") {
        return Ok(DataType::Struct(StructType::default()));
    }
    cursor.expect("<")?;
    let mut fields = vec![];
    if !cursor.peek().text.starts_with('>') {
        fields = cursor.list(struct_field)?;
    }
    close(cursor)?;
    Ok(DataType::Struct(StructType::new(fields)))
}

fn struct_field(cursor: &mut Cursor<'_>) -> SparkResult<StructField> {
    let name = name::identifier(cursor)?;
    cursor.eat(":");
    field_rest(cursor, name)
}

fn field_rest(cursor: &mut Cursor<'_>, name: String) -> SparkResult<StructField> {
    let data_type = data_type(cursor)?;
    let mut field = StructField::new(name, data_type, true);
    if cursor.angles_used > 0 {
        return Ok(field);
    }
    loop {
        if cursor.eat_words(&["NOT", "NULL"]) {
            field.nullable = false;
        } else if cursor.word("COMMENT") && cursor.is_string_at(1) {
            cursor.next();
            let comment = cursor.string()?;
            field.metadata = Some(serde_json::json!({ "comment": comment }).to_string());
        } else {
            return Ok(field);
        }
    }
}

/// `a INT, b: STRING NOT NULL COMMENT 'x'`.
pub(super) fn table_schema(cursor: &mut Cursor<'_>) -> SparkResult<StructType> {
    Ok(StructType::new(cursor.list(struct_field)?))
}

fn interval(cursor: &mut Cursor<'_>) -> SparkResult<DataType> {
    let unit = |cursor: &Cursor<'_>| cursor.peek().text.to_ascii_uppercase();
    let first = unit(cursor);
    if let Some(start) = year_month(&first) {
        cursor.next();
        let end = if cursor.eat_word("TO") { Some(unit(cursor)) } else { None };
        let field = match &end {
            Some(end) => year_month(end).filter(|end| *end > start).ok_or_else(|| bad_range(cursor, &first, end))?,
            None => start,
        };
        if end.is_some() {
            cursor.next();
        }
        return Ok(DataType::YearMonthInterval(start, field));
    }
    if let Some(start) = day_time(&first) {
        cursor.next();
        let end = if cursor.eat_word("TO") { Some(unit(cursor)) } else { None };
        let field = match &end {
            Some(end) => day_time(end).filter(|end| *end > start).ok_or_else(|| bad_range(cursor, &first, end))?,
            None => start,
        };
        if end.is_some() {
            cursor.next();
        }
        return Ok(DataType::DayTimeInterval(start, field));
    }
    Ok(DataType::CalendarInterval)
}

fn bad_range(cursor: &Cursor<'_>, from: &str, to: &str) -> SparkError {
    cursor.error("_LEGACY_ERROR_TEMP_0028", &[("from", from), ("to", to)], cursor.position())
}

/// `YEAR` or `MONTH`.
pub(super) fn year_month(word: &str) -> Option<YearMonthField> {
    match word {
        "YEAR" => Some(YearMonthField::Year),
        "MONTH" => Some(YearMonthField::Month),
        _ => None,
    }
}

/// `DAY` to `SECOND`.
pub(super) fn day_time(word: &str) -> Option<DayTimeField> {
    match word {
        "DAY" => Some(DayTimeField::Day),
        "HOUR" => Some(DayTimeField::Hour),
        "MINUTE" => Some(DayTimeField::Minute),
        "SECOND" => Some(DayTimeField::Second),
        _ => None,
    }
}

fn primitive(cursor: &mut Cursor<'_>, word: &str, position: usize) -> SparkResult<DataType> {
    let simple = match word {
        "BOOLEAN" => Some(DataType::Boolean),
        "TINYINT" | "BYTE" => Some(DataType::Byte),
        "SMALLINT" | "SHORT" => Some(DataType::Short),
        "INT" | "INTEGER" => Some(DataType::Integer),
        "BIGINT" | "LONG" => Some(DataType::Long),
        "FLOAT" | "REAL" => Some(DataType::Float),
        "DOUBLE" => Some(DataType::Double),
        "BINARY" => Some(DataType::Binary),
        "DATE" => Some(DataType::Date),
        "TIMESTAMP_LTZ" => Some(DataType::Timestamp),
        "TIMESTAMP_NTZ" => Some(DataType::TimestampNtz),
        "VOID" | "NULL" => Some(DataType::Null),
        "VARIANT" => Some(DataType::Variant),
        _ => None,
    };
    if let Some(simple) = simple.filter(|_| !cursor.is("(")) {
        return Ok(simple);
    }
    match word {
        "TIMESTAMP" if !cursor.is("(") => timestamp(cursor),
        "STRING" if !cursor.is("(") => collated(cursor, DataType::String, position),
        "TIME" => time(cursor, position),
        "CHAR" | "CHARACTER" => {
            let length = length(cursor, word, position)?;
            collated(cursor, DataType::Char(length), position)
        }
        "VARCHAR" => {
            let length = length(cursor, word, position)?;
            collated(cursor, DataType::Varchar(length), position)
        }
        "DECIMAL" | "DEC" | "NUMERIC" => decimal(cursor, position),
        "GEOMETRY" if cursor.is("(") => Ok(DataType::Geometry(reference(cursor, false)?)),
        "GEOGRAPHY" if cursor.is("(") => Ok(DataType::Geography(reference(cursor, true)?)),
        "ARRAY" | "MAP" | "STRUCT" => {
            let condition = format!("INCOMPLETE_TYPE_DEFINITION.{word}");
            Err(cursor.error(&condition, &[("elementType", "<INT>")], position))
        }
        _ => {
            let mut shown = word.to_string();
            if cursor.eat("(") {
                let arguments = cursor.list(|cursor| Ok(cursor.next().text))?;
                cursor.expect(")")?;
                shown = format!("{shown}({})", arguments.join(","));
            }
            Err(cursor.error("UNSUPPORTED_DATATYPE", &[("typeName", &format!("\"{shown}\""))], position))
        }
    }
}

fn timestamp(cursor: &mut Cursor<'_>) -> SparkResult<DataType> {
    if cursor.eat_words(&["WITHOUT", "TIME", "ZONE"]) {
        return Ok(DataType::TimestampNtz);
    }
    if cursor.eat_words(&["WITH", "LOCAL", "TIME", "ZONE"]) {
        return Ok(DataType::Timestamp);
    }
    Ok(if cursor.options.timestamp_ntz { DataType::TimestampNtz } else { DataType::Timestamp })
}

fn time(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<DataType> {
    let mut precision = 6;
    if cursor.eat("(") {
        precision = cursor.integer()?;
        cursor.expect(")")?;
    }
    cursor.eat_words(&["WITHOUT", "TIME", "ZONE"]);
    match u8::try_from(precision) {
        Ok(precision) if precision <= 6 => Ok(DataType::Time(precision)),
        _ => Err(cursor.error("UNSUPPORTED_TIME_PRECISION", &[("precision", &precision.to_string())], position)),
    }
}

fn length(cursor: &mut Cursor<'_>, word: &str, position: usize) -> SparkResult<u32> {
    if !cursor.eat("(") {
        return Err(cursor.error("DATATYPE_MISSING_SIZE", &[("type", &format!("\"{word}\""))], position));
    }
    let length = cursor.integer()?;
    cursor.expect(")")?;
    u32::try_from(length).ok().filter(|length| *length > 0).ok_or_else(|| cursor.unexpected())
}

fn decimal(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<DataType> {
    let (mut precision, mut scale) = (10, 0);
    if cursor.eat("(") {
        precision = cursor.integer()?;
        if cursor.eat(",") {
            scale = cursor.integer()?;
        }
        cursor.expect(")")?;
    }
    if precision > 38 {
        let parameters = [("precision", precision.to_string()), ("maxPrecision", "38".to_string())];
        let parameters: Vec<(&str, &str)> = parameters.iter().map(|(k, v)| (*k, v.as_str())).collect();
        return Err(cursor.error("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", &parameters, position));
    }
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(p), Ok(s)) if scale <= precision => Ok(DataType::Decimal(p, s)),
        _ => {
            let (scale, precision) = (scale.to_string(), precision.to_string());
            Err(cursor.error("_LEGACY_ERROR_TEMP_1228", &[("scale", &scale), ("precision", &precision)], position))
        }
    }
}

/// `(srid)` or `(ANY)` after a spatial type.
fn reference(cursor: &mut Cursor<'_>, geography: bool) -> SparkResult<Option<u32>> {
    cursor.expect("(")?;
    if cursor.eat_word("ANY") {
        cursor.expect(")")?;
        return Ok(None);
    }
    let srid = cursor.integer()?;
    cursor.expect(")")?;
    firesteel_functions::geo::check_srid(srid, geography).map(Some)
}

/// `COLLATE name` after a string type.
fn collated(cursor: &mut Cursor<'_>, data_type: DataType, position: usize) -> SparkResult<DataType> {
    if !cursor.eat_word("COLLATE") {
        return Ok(data_type);
    }
    let collation = name::multipart(cursor)?;
    let found = named_collation(&collation)?;
    match data_type {
        _ if found.is_binary() => Ok(data_type),
        DataType::String => Ok(DataType::string_with(found)),
        other => {
            let shown = format!("\"{} COLLATE {}\"", other.sql(), found.name());
            Err(cursor.error("UNSUPPORTED_DATATYPE", &[("typeName", &shown)], position))
        }
    }
}

/// A collation by its name, which may say its catalog and schema.
///
/// # Errors
/// `COLLATION_INVALID_NAME`.
pub(crate) fn named_collation(name: &[String]) -> SparkResult<Collation> {
    match name {
        [catalog, schema, name] if catalog.eq_ignore_ascii_case("SYSTEM") && schema.eq_ignore_ascii_case("BUILTIN") => {
            Collation::parse(name)
        }
        parts => Collation::parse(&parts.join(".")),
    }
}
