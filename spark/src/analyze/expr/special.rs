//! Functions whose value comes from the session or the analyzer itself: current time and user, `typeof`, `extract`.

use datafusion::scalar::ScalarValue;
use firesteel_functions::registry;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use super::function::shown_call;
use crate::analyze::typed::Typed;
use crate::analyze::{errors, naming};
use crate::spec::{CastMode, Expr, Function};

impl Exprs<'_, '_> {
    /// A special function, or `None` when `name` is none.
    pub(super) fn special(&self, name: &str, function: &Function) -> SparkResult<Option<Typed>> {
        if function.args.is_empty()
            && let Some(found) = self.session_function(name)?
        {
            return Ok(Some(found));
        }
        if let Some(found) = self.task_function(name, function)? {
            return Ok(Some(found));
        }
        if let Some(found) = self.choice(name, function)? {
            return Ok(Some(found));
        }
        self.unavailable(name, function)?;
        Ok(Some(match name {
            "typeof" => {
                let [value] = self.fixed(name, &function.args)?;
                let text = value.data_type.simple_string();
                Typed::literal(ScalarValue::Utf8(Some(text)), DataType::String, naming::call(name, &[value.sql()]))
            }
            "trim" | "ltrim" | "rtrim" if function.args.len() == 2 => {
                let args = self.arguments(name, &function.args)?;
                let side = match name {
                    "ltrim" => "LEADING",
                    "rtrim" => "TRAILING",
                    _ => "BOTH",
                };
                let texts: Vec<String> = args.iter().map(|a| a.sql()).collect();
                let shown = format!("TRIM({side} {})", texts.join(" FROM "));
                self.registered(name, args, shown)?
            }
            "btrim" if function.args.len() == 2 => {
                // It shows its arguments as they were written.
                let texts = self.resolve_all(&function.args)?.iter().map(Typed::sql).collect::<Vec<_>>();
                let args = self.arguments(name, &function.args)?;
                self.registered(name, args, naming::call(name, &texts))?
            }
            "decode" if function.args.len() > 2 => {
                let args = self.arguments(name, &function.args)?;
                self.decode_pairs(&args)?
            }
            "lpad" | "rpad" if function.args.len() == 2 => {
                let args = self.arguments(name, &function.args)?;
                let mut texts: Vec<String> = args.iter().map(|a| a.sql()).collect();
                let binary = args.first().is_some_and(|value| value.data_type == DataType::Binary);
                texts.push(if binary { "X'00'" } else { " " }.to_string());
                self.registered(name, args, naming::call(name, &texts))?
            }
            "collate" => {
                let [value, name] = self.fixed(name, &function.args)?;
                self.collate(value, &name)?
            }
            "collation" => {
                let [value] = self.fixed(name, &function.args)?;
                self.collation_of(&value)?
            }
            "extract" | "date_part" | "datepart" => self.extract_part(name, &function.args)?,
            "now" | "current_timestamp" | "localtimestamp" if !function.args.is_empty() => {
                return Err(errors::wrong_num_args(name, "0", function.args.len()));
            }
            "if" | "iff" if function.args.len() != 3 => {
                return Err(errors::wrong_num_args(name, "3", function.args.len()));
            }
            "nullif" | "nvl" | "ifnull" | "equal_null" if function.args.len() != 2 => {
                return Err(errors::wrong_num_args(name, "2", function.args.len()));
            }
            "nvl2" if function.args.len() != 3 => return Err(errors::wrong_num_args(name, "3", function.args.len())),
            "isnull" | "isnotnull" | "not" if function.args.len() != 1 => {
                return Err(errors::wrong_num_args(name, "1", function.args.len()));
            }
            "coalesce" if function.args.is_empty() => return Err(errors::wrong_num_args(name, "> 0", 0)),
            "int" | "bigint" | "smallint" | "tinyint" | "float" | "double" | "decimal" | "string" | "boolean"
            | "binary" | "date" | "timestamp" | "time"
                if function.args.len() == 1 && registry().scalar(name).is_none() =>
            {
                let [value] = self.fixed(name, &function.args)?;
                let kept = value.name.clone();
                let to = self.analyzer.context.parse.data_type(name)?;
                // A type called as a function shows nothing of the cast.
                self.analyzer.cast(value, &to, CastMode::Session)?.named_as(kept)
            }
            "int" | "bigint" | "smallint" | "tinyint" | "float" | "double" | "decimal" | "string" | "boolean"
            | "binary" | "date" | "timestamp" | "time"
                if registry().scalar(name).is_none() =>
            {
                return Err(errors::wrong_num_args(name, "1", function.args.len()));
            }
            "substr" | "substring" => {
                let args = self.arguments(name, &function.args)?;
                let mut texts: Vec<String> = args.iter().map(|a| a.sql()).collect();
                texts.extend(naming::defaults(name, args.len()).iter().map(ToString::to_string));
                self.registered(name, args, naming::call(name, &texts))?
            }
            "trim_both" | "trim_leading" | "trim_trailing" => self.trim(name, &function.args)?,
            "bool" => return Ok(None),
            _ => return Ok(None),
        }))
    }

    fn trim(&self, name: &str, args: &[Expr]) -> SparkResult<Typed> {
        let (side, function) = match name {
            "trim_leading" => ("LEADING", "ltrim"),
            "trim_trailing" => ("TRAILING", "rtrim"),
            _ => ("BOTH", "trim"),
        };
        let args = self.arguments(name, args)?;
        let texts: Vec<String> = args.iter().map(|a| a.sql()).collect();
        let shown = match texts.as_slice() {
            [value, what] => format!("TRIM({side} {what} FROM {value})"),
            _ => naming::call(function, &texts),
        };
        match args.as_slice() {
            // `ltrim` and `rtrim` take the characters first, `trim` has only this form.
            [value, what] if function == "trim" => self.registered("btrim", vec![value.clone(), what.clone()], shown),
            [value, what] => self.registered(function, vec![what.clone(), value.clone()], shown),
            _ => self.registered(function, args, shown),
        }
    }

    /// Functions that may be written without parentheses.
    pub(super) fn name_without_parentheses(&self, name: &str) -> SparkResult<Option<Typed>> {
        let lower = name.to_lowercase();
        if lower == "grouping__id" {
            let call = Function::new(vec!["grouping_id".to_string()], vec![]);
            let typed = self.grouping_call("grouping_id", &call)?;
            return Ok(Some(typed.part(&lower, lower.clone())));
        }
        if matches!(
            lower.as_str(),
            "current_date"
                | "current_timestamp"
                | "current_user"
                | "user"
                | "session_user"
                | "localtimestamp"
                | "current_time"
                | "localtime"
        ) {
            return self.session_function(&lower);
        }
        Ok(None)
    }

    fn session_function(&self, name: &str) -> SparkResult<Option<Typed>> {
        let context = self.analyzer.context;
        let text = |value: &str, shown: &str| {
            Ok(Some(Typed::literal(ScalarValue::Utf8(Some(value.to_string())), DataType::String, format!("{shown}()"))))
        };
        let now = || {
            Typed::literal(
                ScalarValue::TimestampMicrosecond(Some(context.now), Some("UTC".into())),
                DataType::Timestamp,
                "now",
            )
        };
        let cast = |to: &DataType, shown: String| -> SparkResult<Option<Typed>> {
            let typed = self.analyzer.cast(now(), to, CastMode::Session)?;
            let value = self.analyzer.fold(&typed.expr)?;
            Ok(Some(Typed::literal(value, to.clone(), shown)))
        };
        match name {
            "current_catalog" => text(&context.namespace.catalog, name),
            "current_database" | "current_schema" => text(&context.namespace.database, "current_schema"),
            "current_user" | "user" | "session_user" => text(&context.user, name),
            "current_timezone" => text(&context.options.time_zone, name),
            "version" if registry().scalar("version").is_none() => {
                text("4.3.0 0000000000000000000000000000000000000000", name)
            }
            "current_timestamp" | "now" => Ok(Some(now().named_as(format!("{name}()")))),
            "current_date" | "curdate" => {
                cast(&DataType::Date, format!("{}()", if name == "curdate" { "curdate" } else { name }))
            }
            "localtimestamp" => cast(&DataType::TimestampNtz, format!("{name}()")),
            "current_time" | "localtime" => self.current_time(None).map(Some),
            "current_path" => {
                let path = format!(
                    "system.builtin,system.session,{}.{}",
                    context.namespace.catalog, context.namespace.database
                );
                text(&path, name)
            }
            "input_file_name" | "input_file_block_start" | "input_file_block_length" => self.input_file(name).map(Some),
            _ => Ok(None),
        }
    }

    fn extract_part(&self, name: &str, args: &[Expr]) -> SparkResult<Typed> {
        let [field, source] = self.fixed(name, args)?;
        let shown = if name == "extract" {
            format!("extract({} FROM {})", field.name, source.name)
        } else {
            shown_call(name, &[field.clone(), source.clone()])
        };
        if field.constant().is_some_and(ScalarValue::is_null) {
            return Ok(Typed::literal(ScalarValue::Float64(None), DataType::Double, shown));
        }
        let Some(ScalarValue::Utf8(Some(text))) = field.constant() else {
            return Err(SparkError::analysis(
                "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                &[
                    ("sqlExpr", &errors::expression(&shown)),
                    ("inputName", "`field`"),
                    ("inputType", "\"STRING\""),
                    ("inputExpr", &errors::expression(&field.name)),
                ],
            ));
        };
        if let Some(found) = self.part_of(text, &source, &shown)? {
            return Ok(found);
        }
        let function = match text.to_uppercase().as_str() {
            "YEAR" | "Y" | "YEARS" | "YR" | "YRS" => "year",
            "YEAROFWEEK" => "spark_extract_yearofweek",
            "QUARTER" | "QTR" => "quarter",
            "MONTH" | "MON" | "MONS" | "MONTHS" => "month",
            "WEEK" | "W" | "WEEKS" => "weekofyear",
            "DAY" | "D" | "DAYS" => "day",
            "DAYOFWEEK" | "DOW" => "dayofweek",
            "DAYOFWEEK_ISO" | "DOW_ISO" => "spark_extract_isodow",
            "DOY" => "dayofyear",
            "HOUR" | "H" | "HOURS" | "HR" | "HRS" => "hour",
            "MINUTE" | "M" | "MIN" | "MINS" | "MINUTES" => "minute",
            "SECOND" | "S" | "SEC" | "SECONDS" | "SECS" => "spark_extract_second",
            _ => {
                return Err(SparkError::analysis(
                    "INVALID_EXTRACT_FIELD",
                    &[("field", &format!("'{text}'")), ("expr", &errors::expression(&source.name))],
                ));
            }
        };
        self.registered(function, vec![source], shown)
    }

    /// Exactly `N` arguments.
    pub(super) fn fixed<const N: usize>(&self, name: &str, args: &[Expr]) -> SparkResult<[Typed; N]> {
        let values = self.arguments(name, args)?;
        let given = values.len();
        values.try_into().map_err(|_| errors::wrong_num_args(name, &N.to_string(), given))
    }

    /// A call that Spark does not know.
    pub(super) fn unknown(&self, name: &[String]) -> SparkError {
        if matches!(name, [one] if one.eq_ignore_ascii_case("range")) {
            return SparkError::analysis("NOT_A_SCALAR_FUNCTION", &[("functionName", &errors::quoted(name))]);
        }
        let space = self.env.namespace.as_ref().unwrap_or(&self.analyzer.context.namespace);
        errors::unresolved_routine(name, &space.catalog, &space.database)
    }
}

/// Parameter names of the built-in functions that take named arguments.
pub(super) fn parameter_names(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "mask" => &["str", "upperChar", "lowerChar", "digitChar", "otherChar"],
        "explode" | "explode_outer" | "posexplode" | "posexplode_outer" => &["collection"],
        "inline" | "inline_outer" | "variant_explode" | "variant_explode_outer" => &["input"],
        "count_min_sketch" => &["column", "epsilon", "confidence", "seed"],
        _ => return None,
    })
}
