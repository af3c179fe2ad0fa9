//! `spark.read.json(df)` and `spark.read.csv(df)`: a column of text that is read as records.
//!
//! The text is read by `from_json` and `from_csv`, so it never leaves the query. Without a schema, the shapes of the records are
//! asked for first, by a query of its own.

use arrow::array::AsArray;
use firesteel_functions::types::{DataType, StructField, StructType};
use firesteel_functions::{SparkError, SparkResult, record_schema};

use super::{Env, Resolved};
use crate::analyze::expr::Exprs;
use crate::analyze::tables::{NameRef, TableEntry};
use crate::analyze::{Analyzer, errors, plan};
use crate::spec::{Expr, ExprKind, Literal, Options, Relation, RelationKind};

const TEXT: &str = "value";

impl Analyzer<'_> {
    /// The records of a text column.
    pub(super) fn parse(
        &self,
        input: &Relation,
        format: &str,
        schema: Option<&StructType>,
        options: &Options,
        env: &Env,
    ) -> SparkResult<Resolved> {
        let resolved = self.relation(input, env)?;
        let [column] = resolved.scope.attributes.as_slice() else {
            return Err(errors::unsupported("reading records from more than one column"));
        };
        if !column.data_type.is_string() {
            return Err(errors::unsupported("reading records from a column that is no string"));
        }
        let option =
            |name: &str| options.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let drops = option("mode").is_some_and(|mode| mode.eq_ignore_ascii_case("DROPMALFORMED"));
        let corrupt = option("columnNameOfCorruptRecord").map_or("_corrupt_record", String::as_str);
        if schema.is_some_and(|schema| schema.fields.iter().any(|field| field.name.eq_ignore_ascii_case(corrupt))) {
            return Err(errors::unsupported("a column of corrupt records when text columns are read"));
        }
        // Text without content is no record.
        let lines: Relation = RelationKind::Rename { input: input.clone(), names: vec![TEXT.to_string()] }.into();
        let blank = Expr::call("rlike", vec![named(TEXT), text(r"^\s*(\[\s*\])?\s*$")]);
        let kept = RelationKind::Filter { input: lines, condition: Expr::call("not", vec![blank]) }.into();
        let mut given = options.clone();
        given.retain(|key, _| !(drops && key.eq_ignore_ascii_case("mode")));
        let read = match (format, schema) {
            ("json", _) => {
                let schema = match schema {
                    Some(schema) => schema.clone(),
                    None => self.json_schema(&kept, &given, drops, env)?,
                };
                if schema.fields.is_empty() {
                    return Err(errors::unsupported("JSON records without columns"));
                }
                // A text may hold several records.
                let records = DataType::array(DataType::Struct(schema), true);
                let generator = if drops { "inline" } else { "inline_outer" };
                Expr::call(generator, vec![reader("from_json", &records, &given)])
            }
            ("csv", Some(schema)) if !drops && !option("header").is_some_and(|on| on.eq_ignore_ascii_case("true")) => {
                let record = reader("from_csv", &DataType::Struct(schema.clone()), &given);
                Expr::call("inline", vec![Expr::call("array", vec![record])])
            }
            ("csv", _) => {
                return Err(errors::unsupported(
                    "CSV from a text column without a schema, with a header, or dropping rows",
                ));
            }
            (other, _) => return Err(errors::unsupported(&format!("reading {other} from a text column"))),
        };
        self.relation(&RelationKind::Project { input: kept, exprs: vec![read] }.into(), env)
    }

    /// Asks for the distinct shapes of all records and merges them.
    fn json_schema(&self, lines: &Relation, options: &Options, drops: bool, env: &Env) -> SparkResult<StructType> {
        let lines = self.relation(lines, env)?;
        let said = serde_json::to_string(options).map_err(|error| SparkError::internal(error.to_string()))?;
        let shape = Expr::call("spark_json_record", vec![named(TEXT), text(&said)]);
        let shape = Exprs::new(self, env, &lines.scope).resolve(&shape)?;
        let found = plan::distinct(plan::project(lines.plan, vec![(shape.expr, self.fresh())])?)?;
        let schema = StructType::new(vec![StructField::new("shape", DataType::String, true)]);
        let key = format!("shapes {}", found.display_indent());
        let TableEntry::Rows { batches, .. } = self.lookup(NameRef::Query { key, plan: found, schema })? else {
            return Err(SparkError::internal("the shapes of records must be rows"));
        };
        let columns = batches.iter().filter_map(|batch| batch.columns().first()?.as_string_opt::<i32>());
        let shapes: Vec<&str> = columns.flat_map(|column| column.iter().flatten()).collect();
        if !drops && shapes.iter().any(|shape| shape.is_empty()) {
            return Err(errors::unsupported("malformed records when text columns are read without a schema"));
        }
        let shapes = shapes.into_iter().filter(|shape| !shape.is_empty());
        record_schema(shapes, &said, &self.context.options)
    }
}

fn reader(function: &str, to: &DataType, options: &Options) -> Expr {
    let mut args = vec![named(TEXT), text(&to.json())];
    if !options.is_empty() {
        args.push(Expr::call("map", options.iter().flat_map(|(key, value)| [text(key), text(value)]).collect()));
    }
    Expr::call(function, args)
}

fn named(name: &str) -> Expr {
    ExprKind::Attribute { name: vec![name.to_string()], plan_id: None, is_metadata: false }.into()
}

fn text(value: &str) -> Expr {
    ExprKind::Literal(Literal::String(value.to_string())).into()
}
