//! Arrays, maps and structs: constructors, access to elements and fields.

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use crate::analyze::scope::same;
use crate::analyze::typed::Typed;
use crate::analyze::{errors, naming};
use crate::spec;

impl Exprs<'_, '_> {
    /// A constructor, or `None` when `name` is none.
    pub(super) fn nested(&self, name: &str, args: &[Typed]) -> SparkResult<Option<Typed>> {
        let texts: Vec<String> = args.iter().map(|a| a.sql()).collect();
        Ok(Some(match name {
            "struct" => {
                let shown = naming::call("struct", &args.iter().map(field_text).collect::<Vec<_>>());
                let mut typed = self.row(args.to_vec())?;
                typed.name = shown;
                typed
            }
            "named_struct" => {
                if !args.len().is_multiple_of(2) {
                    return Err(errors::wrong_num_args("named_struct", "2n (n > 0)", args.len()));
                }
                let mut fields = Vec::new();
                for pair in args.chunks(2) {
                    let [key, value] = pair else { continue };
                    let key = match self.analyzer.fold(&key.expr) {
                        Ok(ScalarValue::Utf8(Some(key))) => key,
                        _ => {
                            return Err(SparkError::analysis(
                                "DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING",
                                &[
                                    ("sqlExpr", &errors::expression(&naming::call(name, &texts))),
                                    ("inputExprs", &errors::expression(&key.name)),
                                ],
                            ));
                        }
                    };
                    fields.push((key, value.clone()));
                }
                self.make_struct(fields, naming::call(name, &texts))?
            }
            _ => return Ok(None),
        }))
    }

    /// A struct whose fields are called as their values, `colN` when they have no name.
    pub(super) fn row(&self, values: Vec<Typed>) -> SparkResult<Typed> {
        let texts: Vec<String> = values.iter().map(|a| a.sql()).collect();
        let fields = values
            .into_iter()
            .enumerate()
            .map(|(i, v)| (v.field_name.clone().filter(|_| v.named).unwrap_or_else(|| format!("col{}", i + 1)), v))
            .collect();
        self.make_struct(fields, naming::call("struct", &texts))
    }

    pub(super) fn make_struct(&self, fields: Vec<(String, Typed)>, shown: String) -> SparkResult<Typed> {
        let struct_type = DataType::Struct(StructType::new(
            fields.iter().map(|(name, v)| StructField::new(name.clone(), v.data_type.clone(), v.nullable)).collect(),
        ));
        let mut args = Vec::with_capacity(fields.len() * 2);
        for (name, value) in fields {
            args.push(Typed::literal(ScalarValue::Utf8(Some(name)), DataType::String, ""));
            args.push(value);
        }
        if let Some(udf) = firesteel_functions::registry().scalar("named_struct") {
            let mut typed = self.analyzer.call_scalar(&udf, args, shown)?;
            typed.data_type = struct_type;
            typed.nullable = false;
            return Ok(typed);
        }
        let exprs = args.into_iter().map(|a| a.expr).collect();
        let call = ScalarFunction::new_udf(datafusion::functions::core::named_struct(), exprs);
        Ok(Typed::new(Expr::ScalarFunction(call), struct_type, false, shown))
    }

    /// `child[key]` and `child.field`.
    pub(super) fn extract(&self, child: Typed, key: Typed, dotted: bool) -> SparkResult<Typed> {
        match &child.data_type {
            DataType::Struct(_) => {
                let Some(ScalarValue::Utf8(Some(field))) = key.constant() else {
                    return Err(SparkError::analysis(
                        "INVALID_EXTRACT_FIELD_TYPE",
                        &[("extraction", &errors::expression(&key.name))],
                    ));
                };
                let field = field.clone();
                let shown = format!("{}.{}", child.sql(), field);
                let found = self.field(child, &field)?;
                Ok(found.named_as(shown))
            }
            DataType::Array { element, .. } if dotted && matches!(**element, DataType::Struct(_)) => {
                let field = match key.constant() {
                    Some(ScalarValue::Utf8(Some(field))) => field.clone(),
                    _ => key.name.clone(),
                };
                let shown = format!("{}.{}", child.sql(), field);
                Ok(self.field(child, &field)?.named_as(shown))
            }
            DataType::Array { element, .. }
                if matches!(**element, DataType::Struct(_)) && key.data_type == DataType::String =>
            {
                let Some(ScalarValue::Utf8(Some(field))) = key.constant().cloned() else {
                    return Err(SparkError::analysis(
                        "INVALID_EXTRACT_FIELD_TYPE",
                        &[("extraction", &errors::expression(&key.name))],
                    ));
                };
                let shown = format!("{}.{}", child.sql(), field);
                Ok(self.field(child, &field)?.named_as(shown))
            }
            DataType::Array { .. } => {
                let shown = format!("{}[{}]", child.sql(), key.sql());
                self.registered("spark_array_item", vec![child, key], shown)
            }
            DataType::Map { key: wanted, .. } => {
                let shown = if dotted {
                    format!("{}.{}", child.sql(), key.sql())
                } else {
                    format!("{}[{}]", child.sql(), key.sql())
                };
                let key = self.analyzer.coerce(key, &wanted.clone())?;
                self.registered("element_at", vec![child, key], shown)
            }
            other => Err(SparkError::analysis(
                "INVALID_EXTRACT_BASE_FIELD_TYPE",
                &[("base", &errors::expression(&child.name)), ("other", &errors::sql_type(other))],
            )),
        }
    }

    /// A field of a struct, the fields of an array of structs, or a value of a map with string keys.
    pub(super) fn field(&self, child: Typed, name: &str) -> SparkResult<Typed> {
        let shown = name.to_string();
        match child.data_type.clone() {
            DataType::Struct(fields) => {
                let field = self.find_field(&fields, name)?;
                let (data_type, nullable) = (field.data_type.clone(), child.nullable || field.nullable);
                let key = Expr::Literal(ScalarValue::Utf8(Some(field.name.clone())), None);
                let call = ScalarFunction::new_udf(datafusion::functions::core::get_field(), vec![child.expr, key]);
                Ok(Typed::new(Expr::ScalarFunction(call), data_type, nullable, shown))
            }
            DataType::Array { element, .. } => {
                let DataType::Struct(fields) = *element else {
                    return Err(base_type(&child));
                };
                let field = self.find_field(&fields, name)?;
                let field = spec::ExprKind::Attribute {
                    name: vec!["element".into(), field.name.clone()],
                    plan_id: None,
                    is_metadata: false,
                };
                Ok(self.transformed(child, "element", &field.into())?.named_as(shown))
            }
            DataType::Map { .. } => {
                let key = Typed::literal(ScalarValue::Utf8(Some(name.to_string())), DataType::String, name);
                Ok(self.extract(child, key, true)?.named_as(shown))
            }
            _ => Err(base_type(&child)),
        }
    }

    fn find_field<'f>(&self, fields: &'f StructType, name: &str) -> SparkResult<&'f StructField> {
        let mut matches =
            fields.fields.iter().filter(|f| same(&f.name, name, self.analyzer.context.options.case_sensitive));
        let Some(found) = matches.next() else { return Err(errors::field_not_found(name, &fields.fields)) };
        let more = matches.count();
        if more > 0 {
            return Err(SparkError::analysis(
                "AMBIGUOUS_REFERENCE_TO_FIELDS",
                &[("field", &format!("`{name}`")), ("count", &(more + 1).to_string())],
            ));
        }
        Ok(found)
    }

    /// `withField` and `dropFields`.
    pub(super) fn update_field(&self, target: Typed, path: &str, value: Option<Typed>) -> SparkResult<Typed> {
        let DataType::Struct(fields) = target.data_type.clone() else {
            return Err(errors::unexpected_input("update_fields", 0, "\"STRUCT\"", &target.name, &target.data_type));
        };
        let (first, rest) = path.split_once('.').map_or((path, None), |(a, b)| (a, Some(b)));
        let case = self.analyzer.context.options.case_sensitive;
        let mut out: Vec<(String, Typed)> = Vec::new();
        let mut replaced = false;
        for field in &fields.fields {
            if !same(&field.name, first, case) {
                out.push((field.name.clone(), self.field(target.clone(), &field.name)?));
                continue;
            }
            replaced = true;
            match (&value, rest) {
                (_, Some(rest)) => {
                    let inner = self.field(target.clone(), &field.name)?;
                    out.push((field.name.clone(), self.update_field(inner, rest, value.clone())?));
                }
                (Some(value), None) => out.push((first.to_string(), value.clone())),
                (None, None) => {}
            }
        }
        let shown = format!("update_fields({})", target.name);
        match value {
            Some(_) if !replaced && rest.is_some() => return Err(errors::field_not_found(first, &fields.fields)),
            Some(value) if !replaced => out.push((first.to_string(), value)),
            _ => {}
        }
        if out.is_empty() {
            return Err(SparkError::analysis(
                "DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS",
                &[("sqlExpr", &errors::expression(&shown))],
            ));
        }
        let nullable = target.nullable;
        let made = self.make_struct(out, shown.clone())?;
        if !nullable {
            return Ok(made);
        }
        let test = Typed::new(Expr::IsNotNull(Box::new(target.expr)), DataType::Boolean, false, "");
        let expr = datafusion::logical_expr::when(test.expr, made.expr).end().map_err(errors::planning)?;
        Ok(Typed::new(expr, made.data_type, true, shown))
    }
}

fn base_type(child: &Typed) -> SparkError {
    SparkError::analysis(
        "INVALID_EXTRACT_BASE_FIELD_TYPE",
        &[("base", &errors::expression(&child.name)), ("other", &errors::sql_type(&child.data_type))],
    )
}

fn field_text(value: &Typed) -> String {
    value.sql()
}
