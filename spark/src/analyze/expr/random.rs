//! Functions of the running task: `rand` and its kin get their seed and a number that tells their generator from others.
//!
//! Source: Spark's pages of the functions; a seed that is not given is drawn here, once for the whole query.

use std::hash::{DefaultHasher, Hash, Hasher};

use datafusion::scalar::ScalarValue;
use firesteel_functions::task::FUNCTIONS;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use crate::analyze::typed::Typed;
use crate::analyze::{coerce, errors, fold, naming};
use crate::spec::{CastMode, Expr, ExprKind, Function};

const WHOLE: &str = "(\"INT\" or \"BIGINT\")";

impl Exprs<'_, '_> {
    /// A function of the running task, or `None` when `name` is none.
    pub(super) fn task_function(&self, name: &str, function: &Function) -> SparkResult<Option<Typed>> {
        Ok(Some(match name {
            "rand" | "random" => self.rand("rand", &function.args)?,
            "randn" => self.rand("randn", &function.args)?,
            "randstr" => self.randstr(&function.args)?,
            "uniform" => self.uniform(&function.args)?,
            "uuid" => {
                let args = self.counted(name, &function.args, 0, 1)?;
                let seed = self.plain_seed("UUID", args.first())?;
                self.registered("uuid", vec![seed, self.call_number()], naming::call("uuid", &[]))?
            }
            "shuffle" => {
                let mut args = self.counted(name, &function.args, 1, 2)?;
                let seed = self.plain_seed(name, args.get(1))?;
                args.truncate(1);
                let shown = naming::call(name, &args.iter().map(Typed::sql).collect::<Vec<_>>());
                if let Some(array) = args.first()
                    && !matches!(array.data_type, DataType::Array { .. } | DataType::Null)
                {
                    return Err(errors::unexpected_input(&shown, 0, "\"ARRAY\"", &array.sql(), &array.data_type));
                }
                args.push(seed);
                args.push(self.call_number());
                self.registered("shuffle", args, shown)?
            }
            "monotonically_increasing_id" => {
                self.counted(name, &function.args, 0, 0)?;
                self.registered(name, vec![self.call_number()], naming::call(name, &[]))?
            }
            "spark_partition_id" => {
                self.counted(name, &function.args, 0, 0)?;
                self.registered(name, vec![], naming::call("SPARK_PARTITION_ID", &[]))?
            }
            _ => return Ok(None),
        }))
    }

    /// Remembers where a call that may draw a seed is written.
    pub(super) fn note_drawing(&self, expr: &Expr) {
        let ExprKind::Function(call) = &*expr.kind else { return };
        let draws = call.name.last().is_some_and(|name| FUNCTIONS.contains(&name.to_lowercase().as_str()));
        if draws {
            self.drawing.set(expr.origin.as_ref().map(|origin| {
                let mut hasher = DefaultHasher::new();
                format!("{origin:?}").hash(&mut hasher);
                hasher.finish()
            }));
        }
    }

    /// A seed for a call that was given none. It depends on the query and on where the call is written, so that a common table
    /// expression gives the same rows wherever it is named.
    fn drawn_seed(&self) -> i64 {
        let place = self.drawing.get().unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().1);
        (self.analyzer.seed ^ place) as i64
    }

    fn counted(&self, name: &str, args: &[Expr], least: usize, most: usize) -> SparkResult<Vec<Typed>> {
        let values = self.arguments(name, args)?;
        if (least..=most).contains(&values.len()) {
            return Ok(values);
        }
        let expected = if least == most { least.to_string() } else { format!("[{least}, {most}]") };
        Err(errors::wrong_num_args(name, &expected, values.len()))
    }

    /// A number no other call of this query has.
    fn call_number(&self) -> Typed {
        number(i64::try_from(self.analyzer.fresh()).unwrap_or_default())
    }

    /// `rand([seed])` and `randn([seed])`.
    fn rand(&self, name: &str, args: &[Expr]) -> SparkResult<Typed> {
        let args = self.counted(name, args, 0, 1)?;
        let shown = naming::call(name, &args.iter().map(Typed::sql).collect::<Vec<_>>());
        let seed = match args.first() {
            None => number(self.drawn_seed()),
            Some(seed) => {
                if !fold::is_constant(&seed.expr) {
                    return Err(SparkError::analysis(
                        "SEED_EXPRESSION_IS_UNFOLDABLE",
                        &[
                            ("seedExpr", &errors::expression(&seed.sql())),
                            ("exprWithSeed", &errors::expression(&shown)),
                        ],
                    ));
                }
                self.whole_seed(seed, &shown, 0)?
            }
        };
        self.registered(name, vec![seed, self.call_number()], shown)
    }

    /// A constant seed of a whole type; null is 0.
    fn whole_seed(&self, seed: &Typed, shown: &str, at: usize) -> SparkResult<Typed> {
        if !matches!(seed.data_type, DataType::Integer | DataType::Long | DataType::Null) {
            return Err(errors::unexpected_input(shown, at, WHOLE, &seed.sql(), &seed.data_type));
        }
        let value = self.analyzer.coerce(seed.clone(), &DataType::Long)?;
        Ok(number(match self.analyzer.fold(&value.expr)? {
            ScalarValue::Int64(Some(value)) => value,
            _ => 0,
        }))
    }

    /// The seed of `uuid` and `shuffle`, which must be a literal; null is none.
    fn plain_seed(&self, name: &str, seed: Option<&Typed>) -> SparkResult<Typed> {
        Ok(number(match seed.map(Typed::constant) {
            None => self.drawn_seed(),
            Some(Some(ScalarValue::Int64(Some(value)))) => *value,
            Some(Some(ScalarValue::Int32(Some(value)))) => i64::from(*value),
            Some(Some(value)) if value.is_null() => self.drawn_seed(),
            Some(_) => {
                let given = seed.map(Typed::sql).unwrap_or_default();
                return Err(SparkError::analysis(
                    "INVALID_PARAMETER_VALUE.LONG",
                    &[
                        ("parameter", "`seed`"),
                        ("functionName", &format!("`{name}`")),
                        ("invalidValue", &errors::expression(&given)),
                    ],
                ));
            }
        }))
    }

    fn constant_input(&self, value: &Typed, shown: &str, input: &str, kind: &str) -> SparkResult<()> {
        if fold::is_constant(&value.expr) {
            return Ok(());
        }
        Err(SparkError::analysis(
            "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
            &[
                ("sqlExpr", &errors::expression(shown)),
                ("inputName", &format!("`{input}`")),
                ("inputType", kind),
                ("inputExpr", &errors::expression(&value.sql())),
            ],
        ))
    }

    /// `randstr(length[, seed])`.
    fn randstr(&self, args: &[Expr]) -> SparkResult<Typed> {
        let args = self.counted("randstr", args, 1, 2)?;
        let shown = naming::call("randstr", &args.iter().map(Typed::sql).collect::<Vec<_>>());
        let Some(length) = args.first() else { return Err(errors::wrong_num_args("randstr", "[1, 2]", 0)) };
        let numeric = coerce::decimal_of(&length.data_type).is_some()
            || matches!(length.data_type, DataType::Float | DataType::Double | DataType::Null);
        if !numeric {
            return Err(errors::unexpected_input(&shown, 0, "INT or SMALLINT", &length.sql(), &length.data_type));
        }
        let seed_type = args.get(1).map(|seed| &seed.data_type);
        if let Some(seed) = args.get(1)
            && !matches!(seed_type, Some(DataType::Integer | DataType::Long | DataType::Null))
        {
            return Err(errors::unexpected_input(&shown, 1, WHOLE, &seed.sql(), &seed.data_type));
        }
        for (value, input) in args.iter().zip(["length", "seed"]) {
            self.constant_input(value, &shown, input, "integer")?;
        }
        let length = self.analyzer.cast(length.clone(), &DataType::Integer, CastMode::Session)?;
        let length = match self.analyzer.fold(&length.expr)? {
            ScalarValue::Int32(Some(length)) => length,
            _ => 0,
        };
        if length < 0 {
            return Err(SparkError::analysis(
                "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                &[
                    ("sqlExpr", &errors::expression(&shown)),
                    ("exprName", "`length`"),
                    ("valueRange", "[0, 2147483647]"),
                    ("currentValue", &length.to_string()),
                ],
            ));
        }
        let seed = match args.get(1) {
            Some(seed) => self.whole_seed(seed, &shown, 1)?,
            None => number(self.drawn_seed()),
        };
        let length = Typed::literal(ScalarValue::Int32(Some(length)), DataType::Integer, "length");
        self.registered("randstr", vec![length, seed, self.call_number()], shown)
    }

    /// `uniform(min, max[, seed])`: `min + (max - min) * rand(seed)` in the wider type of both.
    fn uniform(&self, args: &[Expr]) -> SparkResult<Typed> {
        let args = self.counted("uniform", args, 2, 3)?;
        let shown = naming::call("uniform", &args.iter().map(Typed::sql).collect::<Vec<_>>());
        for (at, value) in args.iter().enumerate() {
            let (fits, wanted) = if at == 2 {
                (matches!(value.data_type, DataType::Integer | DataType::Long | DataType::Null), WHOLE)
            } else {
                let numeric = coerce::decimal_of(&value.data_type).is_some()
                    || matches!(value.data_type, DataType::Float | DataType::Double | DataType::Null);
                (numeric, "\"NUMERIC\"")
            };
            if !fits {
                return Err(errors::unexpected_input(&shown, at, wanted, &value.sql(), &value.data_type));
            }
        }
        for (value, input) in args.iter().zip(["min", "max", "seed"]) {
            self.constant_input(value, &shown, input, "integer or floating-point")?;
        }
        let [min, max, ..] = args.as_slice() else {
            return Err(errors::wrong_num_args("uniform", "[2, 3]", args.len()));
        };
        let result = uniform_type(&min.data_type, &max.data_type);
        let bound = |value: &Typed| -> SparkResult<Option<f64>> {
            let value = self.analyzer.cast(value.clone(), &DataType::Double, CastMode::Session)?;
            Ok(match self.analyzer.fold(&value.expr)? {
                ScalarValue::Float64(value) => value,
                _ => None,
            })
        };
        let (Some(min), Some(max)) = (bound(min)?, bound(max)?) else {
            return Ok(Typed::literal(crate::analyze::literal::null(&result)?, result, shown));
        };
        let seed = match args.get(2) {
            Some(seed) => self.whole_seed(seed, &shown, 2)?,
            None => number(self.drawn_seed()),
        };
        let drawn = self.registered("rand", vec![seed, self.call_number()], "rand()".to_string())?;
        let literal = |value: f64| datafusion::logical_expr::lit(value);
        let expr = literal(min) + literal(max - min) * drawn.expr;
        let value = Typed::new(expr, DataType::Double, false, shown.clone());
        let mut value = self.analyzer.cast(value, &result, CastMode::Session)?.named_as(shown);
        value.nullable = false;
        Ok(value)
    }
}

fn number(value: i64) -> Typed {
    Typed::literal(ScalarValue::Int64(Some(value)), DataType::Long, value.to_string())
}

fn uniform_type(min: &DataType, max: &DataType) -> DataType {
    use DataType::{Byte, Decimal, Double, Float, Integer, Long, Null, Short};
    let rank = |t: &DataType| match t {
        Byte => 1,
        Short => 2,
        Integer => 3,
        Long => 4,
        _ => 0,
    };
    match (min, max) {
        (Null, _) | (_, Null) | (Double, _) | (_, Double) => Double,
        (Float, _) | (_, Float) => Float,
        (Decimal(p, s), Decimal(q, t)) => {
            if p >= q {
                Decimal(*p, *s)
            } else {
                Decimal(*q, *t)
            }
        }
        (Decimal(p, s), _) | (_, Decimal(p, s)) => Decimal(*p, *s),
        _ => {
            if rank(min) >= rank(max) {
                min.clone()
            } else {
                max.clone()
            }
        }
    }
}
