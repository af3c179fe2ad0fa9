//! What a write asks of the connectors: format, options and checks of the columns.
//!
//! It knows neither sessions' state nor catalogs.

use std::collections::BTreeMap;

use firesteel_connectors::sink::files::{
    AvroOptions, CsvOptions, JsonOptions, ParquetOptions, TextOptions, TimeFormats,
};
use firesteel_connectors::sink::{FileFormat, SaveMode as SinkMode};
use firesteel_functions::error::{SparkError, SparkResult, quote_identifier, sql_type};
use firesteel_functions::types::{DataType, StructField, StructType};

use crate::conf::RuntimeConf;
use crate::source::{Format, ReadOptions};
use crate::spec::SaveMode;

/// The connectors' word for a save mode.
pub(super) fn mode(mode: SaveMode) -> SinkMode {
    match mode {
        SaveMode::Append => SinkMode::Append,
        SaveMode::Overwrite => SinkMode::Overwrite,
        SaveMode::ErrorIfExists => SinkMode::ErrorIfExists,
        SaveMode::Ignore => SinkMode::Ignore,
    }
}

/// The format with its options.
pub(super) fn file_format(
    format: Format,
    options: &ReadOptions,
    data: &StructType,
    conf: &RuntimeConf,
) -> SparkResult<FileFormat> {
    options.check_write(format, &conf.effects().time_zone())?;
    let compression = |default: &str| options.first(&["compression", "codec"]).unwrap_or(default).to_ascii_lowercase();
    Ok(match format {
        Format::Parquet => {
            let default = conf.get_option("spark.sql.parquet.compression.codec").unwrap_or_default();
            let compression =
                options.get("parquet.compression").map_or_else(|| compression(&default), str::to_lowercase);
            let metadata = BTreeMap::from([
                ("org.apache.spark.sql.parquet.row.metadata".to_string(), plain(data).json()),
                ("org.apache.spark.version".to_string(), "4.3.0".to_string()),
            ]);
            FileFormat::Parquet(ParquetOptions { compression, metadata, ..ParquetOptions::default() })
        }
        Format::Csv => {
            let own = CsvOptions::default();
            let one = |name: &str, default: char| -> SparkResult<char> {
                match options.get(name).map(|text| text.chars().collect::<Vec<_>>()) {
                    None => Ok(default),
                    Some(chars) => match chars.as_slice() {
                        [one] => Ok(*one),
                        _ => Err(SparkError::unsupported(format!("option `{name}` of more than one character"))),
                    },
                }
            };
            let quote = match options.get("quote") {
                Some("" | "\u{0}") => None,
                _ => Some(one("quote", '"')?),
            };
            FileFormat::Csv(CsvOptions {
                compression: compression("none"),
                header: options.flag("header", false)?,
                sep: options.first(&["sep", "delimiter"]).unwrap_or(",").replace("\\t", "\t"),
                quote,
                escape: one("escape", '\\')?,
                escape_quotes: options.flag("escapeQuotes", true)?,
                quote_all: options.flag("quoteAll", false)?,
                null_value: options.get("nullValue").unwrap_or_default().to_string(),
                empty_value: options.get("emptyValue").map_or(own.empty_value, str::to_string),
                ignore_leading_white_space: options.flag("ignoreLeadingWhiteSpace", true)?,
                ignore_trailing_white_space: options.flag("ignoreTrailingWhiteSpace", true)?,
                line_sep: options.get("lineSep").map_or(own.line_sep, str::to_string),
                times: times(options),
            })
        }
        Format::Json => {
            let own = JsonOptions::default();
            let ignore = conf.is_true("spark.sql.jsonGenerator.ignoreNullFields");
            FileFormat::Json(JsonOptions {
                compression: compression("none"),
                ignore_null_fields: options.flag("ignoreNullFields", ignore)?,
                line_sep: options.get("lineSep").map_or(own.line_sep, str::to_string),
                times: times(options),
            })
        }
        Format::Text => FileFormat::Text(TextOptions {
            compression: compression("none"),
            line_sep: options.get("lineSep").map_or(TextOptions::default().line_sep, str::to_string),
        }),
        Format::Avro => {
            for name in ["avroSchema", "avroSchemaUrl", "recordName", "recordNamespace"] {
                if options.get(name).is_some() {
                    return Err(SparkError::unsupported(format!("option `{name}` of Avro files")));
                }
            }
            let default = conf.get_option("spark.sql.avro.compression.codec").unwrap_or_default();
            FileFormat::Avro(AvroOptions { compression: compression(&default) })
        }
        Format::Orc => return Err(SparkError::unsupported("writing ORC files")),
        Format::Jdbc | Format::ClickHouse => return Err(SparkError::internal("a database takes no files")),
    })
}

fn times(options: &ReadOptions) -> TimeFormats {
    let own = TimeFormats::default();
    TimeFormats {
        date: options.get("dateFormat").map_or(own.date, str::to_string),
        timestamp: options.get("timestampFormat").map_or(own.timestamp, str::to_string),
        timestamp_ntz: options.get("timestampNTZFormat").map_or(own.timestamp_ntz, str::to_string),
    }
}

/// The schema other readers understand: CHAR and VARCHAR are strings in files.
fn plain(schema: &StructType) -> StructType {
    StructType::new(
        schema
            .fields
            .iter()
            .map(|field| {
                let data_type = crate::catalog::text_type::plain(&field.data_type);
                StructField { data_type, nullable: true, ..field.clone() }
            })
            .collect(),
    )
}

/// Refuses columns that a format or partitioning cannot hold.
pub(super) fn check(format: Format, schema: &StructType, partition_by: &[String]) -> SparkResult<()> {
    if schema.fields.is_empty() {
        return Err(SparkError::analysis("EMPTY_SCHEMA_NOT_SUPPORTED_FOR_DATASOURCE", &[("format", format.title())]));
    }
    unique(schema)?;
    for name in partition_by {
        let Some(field) = schema.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)) else {
            return Err(SparkError::analysis(
                "PARTITION_COLUMN_NOT_FOUND_IN_SCHEMA",
                &[("column", name), ("schema", &DataType::Struct(schema.clone()).simple_string())],
            ));
        };
        if !field.data_type.is_atomic() {
            return Err(SparkError::analysis(
                "INVALID_PARTITION_COLUMN_DATA_TYPE",
                &[("type", &sql_type(&field.data_type))],
            ));
        }
    }
    if partition_by.len() == schema.fields.len() {
        return Err(SparkError::analysis("ALL_PARTITION_COLUMNS_NOT_ALLOWED", &[]));
    }
    let data: Vec<_> = schema
        .fields
        .iter()
        .filter(|field| !partition_by.iter().any(|name| name.eq_ignore_ascii_case(&field.name)))
        .collect();
    if format == Format::Text && !matches!(data.as_slice(), [one] if one.data_type.is_string()) {
        return Err(SparkError::unsupported("text files of anything but one STRING column"));
    }
    for field in data {
        if !holds(format, &field.data_type) {
            return Err(SparkError::analysis(
                "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
                &[
                    ("format", format.title()),
                    ("columnName", &quote_identifier(&[&field.name])),
                    ("columnType", &sql_type(&field.data_type)),
                ],
            ));
        }
    }
    Ok(())
}

/// Refuses two columns of one name.
pub(super) fn unique(schema: &StructType) -> SparkResult<()> {
    let mut seen = std::collections::BTreeSet::new();
    for field in &schema.fields {
        if !seen.insert(field.name.to_lowercase()) {
            let name = quote_identifier(&[field.name.to_lowercase()]);
            return Err(SparkError::analysis("COLUMN_ALREADY_EXISTS", &[("columnName", &name)]));
        }
    }
    Ok(())
}

fn holds(format: Format, data_type: &DataType) -> bool {
    let nested = |inner: &DataType| holds(format, inner);
    match data_type {
        DataType::CalendarInterval => false,
        DataType::Null => format == Format::Json,
        DataType::Array { element, .. } => format != Format::Csv && nested(element),
        DataType::Map { key, value, .. } => format != Format::Csv && nested(key) && nested(value),
        DataType::Struct(fields) => format != Format::Csv && fields.fields.iter().all(|field| nested(&field.data_type)),
        DataType::Variant => format == Format::Parquet,
        DataType::Binary => format != Format::Csv,
        _ => true,
    }
}
