//! Functions over documents, whose result type or options come from literals: `from_json`, `to_csv`, `variant_get` and
//! their like. It knows no grammar of documents; the functions crate does the work at run time.

mod schema;

use arrow::array::{Array, AsArray};
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use self::schema::{check_options, check_schema, has_colon, has_lengths, has_variant, nullable};
use super::Exprs;
use crate::analyze::typed::Typed;
use crate::analyze::{coerce, errors, fold, naming};
use crate::spec::{self, ExprKind, Function};

impl Exprs<'_, '_> {
    /// A function over documents, or `None` when `name` is none.
    pub(super) fn document(&self, name: &str, function: &Function) -> SparkResult<Option<Typed>> {
        let args = function.args.as_slice();
        Ok(Some(match name {
            "from_json" | "from_csv" | "from_xml" => self.document_reader(name, args)?,
            "to_json" | "to_csv" | "to_xml" => self.document_writer(name, args)?,
            "schema_of_json" | "schema_of_csv" | "schema_of_xml" => self.document_schema(name, args)?,
            "variant_get" | "try_variant_get" => self.variant_get(name, args)?,
            "semi_structured_extract" => self.extraction(args)?,
            "xpath" | "xpath_boolean" | "xpath_short" | "xpath_int" | "xpath_long" | "xpath_float" | "xpath_double"
            | "xpath_number" | "xpath_string" => self.xpath(name, args)?,
            _ => return Ok(None),
        }))
    }

    fn document_reader(&self, name: &str, args: &[spec::Expr]) -> SparkResult<Typed> {
        let ([text, schema] | [text, schema, _]) = args else {
            return Err(errors::wrong_num_args(name, "[2, 3]", args.len()));
        };
        let text = self.resolve(text)?;
        let schema = self.schema_literal(&self.resolve(schema)?)?;
        if name == "from_csv" && !matches!(schema.1, DataType::Struct(_)) {
            return Err(not_struct(&schema));
        }
        let options = self.options(args.get(2))?;
        let shown = match &schema.1 {
            DataType::Map { .. } if name == "from_json" => "entries".to_string(),
            _ => naming::call(name, &[text.sql()]),
        };
        let text = self.text_argument(text, &shown)?;
        let schema = nullable(&schema.1);
        if has_lengths(&schema) {
            return Err(SparkError::analysis("UNSUPPORTED_CHAR_OR_VARCHAR_AS_STRING", &[]));
        }
        check_schema(name, &shown, &schema)?;
        check_options(name, &schema, &options)?;
        let args = vec![text, literal(schema.json()), literal(options.json())];
        let mut typed = self.registered(&format!("spark_{name}"), args, shown)?;
        typed.data_type = schema;
        Ok(typed)
    }

    fn document_writer(&self, name: &str, args: &[spec::Expr]) -> SparkResult<Typed> {
        let ([value] | [value, _]) = args else { return Err(errors::wrong_num_args(name, "[1, 2]", args.len())) };
        let value = self.resolve(value)?;
        let options = self.options(args.get(1))?;
        let shown = naming::call(name, &[value.sql()]);
        let found = value.data_type.clone();
        match (name, &found) {
            (_, DataType::Struct(_)) | ("to_json" | "to_xml", DataType::Variant) => {}
            ("to_json", DataType::Array { .. } | DataType::Map { .. }) => {}
            ("to_json", _) => {
                return Err(mismatch("INVALID_JSON_SCHEMA", &shown, &[("schema", &errors::sql_type(&found))]));
            }
            ("to_csv", _) => return Err(unsupported_input(&shown, &found)),
            _ => return Err(errors::unexpected_input(&shown, 0, "\"STRUCT\"", &value.name, &found)),
        }
        if name == "to_csv" && has_variant(&found) {
            return Err(unsupported_input(&shown, &found));
        }
        let args = vec![value, literal(found.json()), literal(options.json())];
        self.registered(&format!("spark_{name}"), args, shown)
    }

    fn document_schema(&self, name: &str, args: &[spec::Expr]) -> SparkResult<Typed> {
        let ([value] | [value, _]) = args else { return Err(errors::wrong_num_args(name, "[1, 2]", args.len())) };
        let value = self.resolve(value)?;
        let options = self.options(args.get(1))?;
        let shown = naming::call(name, &[value.sql()]);
        let kind = name.trim_start_matches("schema_of_");
        if !value.data_type.is_string() && value.data_type != DataType::Null {
            return Err(errors::unexpected_input(&shown, 0, "\"STRING\"", &value.name, &value.data_type));
        }
        if !fold::is_constant(&value.expr) {
            return Err(not_foldable(&shown, kind, &value));
        }
        if self.analyzer.fold(&value.expr)?.is_null() {
            return Err(mismatch("UNEXPECTED_NULL", &shown, &[("exprName", kind)]));
        }
        let value = self.text_argument(value, &shown)?;
        self.registered(&format!("spark_{name}"), vec![value, literal(options.json())], shown)
    }

    fn variant_get(&self, name: &str, args: &[spec::Expr]) -> SparkResult<Typed> {
        let ([value, path] | [value, path, _]) = args else {
            return Err(errors::wrong_num_args(name, "[2, 3]", args.len()));
        };
        let (value, path) = (self.resolve(value)?, self.resolve(path)?);
        let to = match args.get(2) {
            Some(to) => self.schema_literal(&self.resolve(to)?)?.1,
            None => DataType::Variant,
        };
        let shown = naming::call(name, &[value.sql(), path.sql()]);
        self.variant_part(name, value, path, to, shown)
    }

    fn variant_part(&self, name: &str, value: Typed, path: Typed, to: DataType, shown: String) -> SparkResult<Typed> {
        if !matches!(value.data_type, DataType::Variant | DataType::Null) {
            return Err(errors::unexpected_input(&shown, 0, "\"VARIANT\"", &value.name, &value.data_type));
        }
        if !coerce::can_cast(&DataType::Variant, &to, false) {
            return Err(mismatch(
                "CAST_WITHOUT_SUGGESTION",
                &shown,
                &[("srcType", "\"VARIANT\""), ("targetType", &errors::sql_type(&to))],
            ));
        }
        if !path.data_type.is_string() && path.data_type != DataType::Null {
            return Err(errors::unexpected_input(&shown, 1, "\"STRING\"", &path.name, &path.data_type));
        }
        let path = self.text_argument(path, &shown)?;
        let mut typed = self.registered(&format!("spark_{name}"), vec![value, literal(to.json()), path], shown)?;
        typed.data_type = to;
        Ok(typed)
    }

    /// `v:a.b`: the part of a variant, called by the last name of the path.
    fn extraction(&self, args: &[spec::Expr]) -> SparkResult<Typed> {
        let [value, path] = args else { return Err(errors::wrong_num_args("variant_get", "2", args.len())) };
        let (value, path) = (self.resolve(value)?, self.resolve(path)?);
        if value.data_type != DataType::Variant {
            return Err(SparkError::analysis("COLUMN_IS_NOT_VARIANT_TYPE", &[]));
        }
        let text = match path.constant() {
            Some(ScalarValue::Utf8(Some(text))) => text.replace('`', ""),
            _ => return Err(errors::unsupported("a variant path that is not constant")),
        };
        let text = if text.starts_with('[') { format!("${text}") } else { format!("$.{text}") };
        let shown = naming::call("variant_get", &[value.sql(), text.clone()]);
        let typed = self.variant_part("variant_get", value, literal(text.clone()), DataType::Variant, shown)?;
        Ok(match last_key(&text) {
            Some(key) => typed.alias(key),
            None => typed,
        })
    }

    fn xpath(&self, name: &str, args: &[spec::Expr]) -> SparkResult<Typed> {
        let [xml, path] = args else { return Err(errors::wrong_num_args(name, "2", args.len())) };
        let (xml, path) = (self.resolve(xml)?, self.resolve(path)?);
        let shown = naming::call(name, &[xml.sql(), path.sql()]);
        for (index, arg) in [&xml, &path].into_iter().enumerate() {
            if !arg.data_type.is_string() && arg.data_type != DataType::Null {
                return Err(errors::unexpected_input(&shown, index, "\"STRING\"", &arg.name, &arg.data_type));
            }
        }
        if !fold::is_constant(&path.expr) {
            return Err(not_foldable(&shown, "path", &path));
        }
        self.registered(name, vec![xml, path], shown)
    }

    /// An argument that must be a string; NULL becomes one.
    fn text_argument(&self, value: Typed, shown: &str) -> SparkResult<Typed> {
        match &value.data_type {
            DataType::Null => self.analyzer.coerce(value, &DataType::String),
            found if found.is_string() => Ok(value),
            found => Err(errors::unexpected_input(shown, 0, "\"STRING\"", &value.name, found)),
        }
    }

    /// The text and the type of a schema argument: a constant string with a type, a column list, or JSON.
    fn schema_literal(&self, schema: &Typed) -> SparkResult<(String, DataType)> {
        let constant = schema.data_type.is_string() && fold::is_constant(&schema.expr);
        let value = if constant { self.analyzer.fold(&schema.expr)? } else { ScalarValue::Null };
        let Some(Some(text)) = value.try_as_str() else {
            return Err(SparkError::analysis(
                "INVALID_SCHEMA.NON_STRING_LITERAL",
                &[("inputSchema", &errors::expression(&schema.name))],
            ));
        };
        if text.trim_start().starts_with(['{', '"'])
            && let Ok(found) = DataType::from_json(text)
        {
            return Ok((text.to_string(), found));
        }
        let parse = &self.analyzer.context.parse;
        let found = parse.data_type(text).or_else(|error| {
            if has_colon(text) {
                return Err(self.syntax_first(text, error));
            }
            // A column list is what a struct holds.
            parse.data_type(&format!("struct<{text}>")).map_err(|_| self.syntax_first(text, error))
        });
        // The text is a literal of the query, so its errors are the query's.
        let found = found.map_err(|error| {
            let parameters: Vec<(&str, &str)> =
                error.parameters().iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            SparkError::analysis(error.condition(), &parameters).with_message(error.message())
        })?;
        Ok((text.to_string(), found))
    }

    /// Syntax counts before names: what follows an unknown type name is looked at behind a known one.
    fn syntax_first(&self, text: &str, error: SparkError) -> SparkError {
        let text = text.trim_start();
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        if error.condition() != "UNSUPPORTED_DATATYPE" || end == 0 {
            return error;
        }
        match self.analyzer.context.parse.data_type(&format!("INT{}", text.get(end..).unwrap_or_default())) {
            Err(other) if other.condition() == "PARSE_SYNTAX_ERROR" => other,
            _ => error,
        }
    }

    /// The options of a call: `map(...)` of strings.
    fn options(&self, arg: Option<&spec::Expr>) -> SparkResult<Options> {
        let Some(arg) = arg else { return Ok(Options::default()) };
        let is_map = match &*arg.kind {
            ExprKind::Function(call) => call.name.last().is_some_and(|name| name.eq_ignore_ascii_case("map")),
            _ => false,
        };
        if !is_map {
            return Err(SparkError::analysis("INVALID_OPTIONS.NON_MAP_FUNCTION", &[]));
        }
        let map = self.resolve(arg)?;
        match &map.data_type {
            DataType::Map { key, value, .. } if key.is_string() && value.is_string() => {}
            found => {
                return Err(SparkError::analysis(
                    "INVALID_OPTIONS.NON_STRING_TYPE",
                    &[("mapType", &errors::sql_type(found))],
                ));
            }
        }
        if !fold::is_constant(&map.expr) {
            return Err(SparkError::analysis("INVALID_OPTIONS.NON_MAP_FUNCTION", &[]));
        }
        let value = self.analyzer.fold(&map.expr)?;
        let array = value.to_array().map_err(errors::planning)?;
        let entries = array.as_map_opt().map(|map| map.value(0));
        let columns =
            entries.as_ref().map(|e| (e.column(0).as_string_opt::<i32>(), e.column(1).as_string_opt::<i32>()));
        let Some((Some(keys), Some(values))) = columns else { return Ok(Options::default()) };
        let pairs = (0..keys.len()).map(|row| {
            let value = values.is_valid(row).then(|| values.value(row).to_string());
            (keys.value(row).to_string(), value)
        });
        let options = Options(pairs.collect());
        if let Some(name) = options.unsupported() {
            return Err(SparkError::unsupported(format!("the option {name} of document functions")));
        }
        Ok(options)
    }
}

/// Options in the order they were written.
#[derive(Default)]
struct Options(Vec<(String, Option<String>)>);

impl Options {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| value.as_deref())
    }

    /// An option that would change the answer and that we do not have.
    fn unsupported(&self) -> Option<&'static str> {
        let english = |value: &str| value.eq_ignore_ascii_case("en-US") || value.eq_ignore_ascii_case("en");
        match self.get("locale") {
            Some(value) if !english(value) => Some("locale"),
            _ => ["singleVariantColumn", "charToEscapeQuoteEscaping"].into_iter().find(|name| self.get(name).is_some()),
        }
    }

    fn json(&self) -> String {
        let pairs: serde_json::Map<String, serde_json::Value> =
            self.0.iter().map(|(key, value)| (key.to_lowercase(), serde_json::json!(value))).collect();
        serde_json::Value::Object(pairs).to_string()
    }
}

fn literal(text: String) -> Typed {
    let shown = text.clone();
    Typed::new(Expr::Literal(ScalarValue::Utf8(Some(text)), None), DataType::String, false, shown)
}

/// The last name in a path.
fn last_key(path: &str) -> Option<String> {
    let mut key = None;
    let mut rest = path.strip_prefix('$')?;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let (name, left) = after.split_at(after.find(['.', '[']).unwrap_or(after.len()));
            key = Some(name.to_string());
            rest = left;
        } else {
            let (inside, left) = rest.strip_prefix('[')?.split_once(']')?;
            let quoted = |quote: char| inside.strip_prefix(quote).and_then(|name| name.strip_suffix(quote));
            if let Some(name) = quoted('\'').or_else(|| quoted('"')) {
                key = Some(name.to_string());
            }
            rest = left;
        }
    }
    key
}

fn mismatch(sub: &str, shown: &str, parameters: &[(&str, &str)]) -> SparkError {
    let sql = errors::expression(shown);
    let mut all = vec![("sqlExpr", sql.as_str())];
    all.extend_from_slice(parameters);
    SparkError::analysis(&format!("DATATYPE_MISMATCH.{sub}"), &all)
}

fn unsupported_input(shown: &str, found: &DataType) -> SparkError {
    mismatch("UNSUPPORTED_INPUT_TYPE", shown, &[("functionName", "`to_csv`"), ("dataType", &errors::sql_type(found))])
}

fn not_foldable(shown: &str, input: &str, value: &Typed) -> SparkError {
    mismatch(
        "NON_FOLDABLE_INPUT",
        shown,
        &[
            ("inputName", &format!("`{input}`")),
            ("inputType", "\"STRING\""),
            ("inputExpr", &errors::expression(&value.name)),
        ],
    )
}

fn not_struct((text, found): &(String, DataType)) -> SparkError {
    SparkError::analysis(
        "INVALID_SCHEMA.NON_STRUCT_TYPE",
        &[("inputSchema", &errors::expression(text)), ("dataType", &errors::sql_type(found))],
    )
}
