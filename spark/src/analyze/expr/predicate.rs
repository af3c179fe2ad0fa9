//! Predicates and conditionals: `IS NULL`, `IN`, `LIKE`, `BETWEEN`, `CASE`, `IF`, `COALESCE`.

use datafusion::logical_expr::expr::{Case, InList};
use datafusion::logical_expr::{Expr, Operator};
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use super::operator::{balanced, binary};
use crate::analyze::typed::Typed;
use crate::analyze::{coerce, collation, errors, naming};

impl Exprs<'_, '_> {
    /// A predicate or conditional, or `None` when `name` is none.
    pub(super) fn predicate(&self, name: &str, args: &[Typed]) -> SparkResult<Option<Typed>> {
        let texts: Vec<String> = args.iter().map(|a| a.sql()).collect();
        let shown = naming::operator(name, &texts).unwrap_or_else(|| naming::call(name, &texts));
        let test = |expr: Expr, nullable: bool| Typed::new(expr, DataType::Boolean, nullable, shown.clone());
        Ok(Some(match (name, args) {
            ("isnull", [v]) => test(Expr::IsNull(Box::new(v.expr.clone())), false),
            ("isnotnull", [v]) => test(Expr::IsNotNull(Box::new(v.expr.clone())), false),
            ("istrue" | "isfalse", [v])
                if coerce::comparable(&v.data_type, &DataType::Boolean, self.analyzer.context.options.ansi)
                    .is_none() =>
            {
                return Err(errors::differing_types(&shown, &v.data_type, &DataType::Boolean));
            }
            ("istrue", [v]) => test(Expr::IsTrue(Box::new(self.boolean(v.clone(), &shown)?.expr)), false),
            ("isfalse", [v]) => test(Expr::IsFalse(Box::new(self.boolean(v.clone(), &shown)?.expr)), false),
            ("isunknown", [v]) => test(Expr::IsUnknown(Box::new(self.boolean(v.clone(), &shown)?.expr)), false),
            ("in", [value, list @ ..]) => self.in_list(value, list, shown)?,
            // A value that changes each time it is computed is computed once.
            ("between", [v, low, high]) if v.expr.is_volatile() => {
                let (low, high) = (low.clone(), high.clone());
                let found = self.computed_once(v.clone(), |value| {
                    let found = self.predicate("between", &[value, low, high])?;
                    found.ok_or_else(|| SparkError::internal("between is a predicate"))
                })?;
                found.named_as(shown)
            }
            ("between", [v, low, high]) => {
                let (a, low) = self.same_type(v.clone(), low.clone(), &shown)?;
                let (b, high) = self.same_type(v.clone(), high.clone(), &shown)?;
                let nullable = a.nullable || low.nullable || high.nullable;
                let (from, to) = (a.data_type.to_arrow(), b.data_type.to_arrow());
                let lower = firesteel_functions::arithmetic::compare(Operator::GtEq, a.expr, low.expr, &from);
                let upper = firesteel_functions::arithmetic::compare(Operator::LtEq, b.expr, high.expr, &to);
                test(binary(lower, Operator::And, upper), nullable)
            }
            ("when" | "case", [_, _, ..]) => self.case(args)?,
            ("if", [c, t, f]) => self.conditional(&[c.clone(), t.clone(), f.clone()], shown, "if")?,
            ("iff", [c, t, f]) => self.conditional(&[c.clone(), t.clone(), f.clone()], shown, "if")?,
            ("coalesce", [_, ..]) => self.coalesce(args, shown, "coalesce")?,
            ("nvl" | "ifnull", [_, _]) => self.coalesce(args, shown, "coalesce")?,
            ("nvl2", [c, t, f]) => {
                let test = Typed::new(Expr::IsNotNull(Box::new(c.expr.clone())), DataType::Boolean, false, "");
                self.conditional(&[test, t.clone(), f.clone()], shown, "if")?
            }
            ("nullif", [l, r]) => {
                let (a, b) = self.same_type(l.clone(), r.clone(), &shown)?;
                if a.data_type == l.data_type
                    && is_large(&l.expr)
                    && let Some(function) = firesteel_functions::registry().scalar("nullif")
                {
                    let call = datafusion::logical_expr::expr::ScalarFunction::new_udf(function, vec![a.expr, b.expr]);
                    return Ok(Some(Typed::new(Expr::ScalarFunction(call), l.data_type.clone(), true, shown)));
                }
                let equal =
                    firesteel_functions::arithmetic::compare(Operator::Eq, a.expr, b.expr, &a.data_type.to_arrow());
                let case = Case::new(
                    None,
                    vec![(
                        Box::new(equal),
                        Box::new(Expr::Literal(crate::analyze::literal::null(&l.data_type)?, None)),
                    )],
                    Some(Box::new(l.expr.clone())),
                );
                Typed::new(Expr::Case(case), l.data_type.clone(), true, shown)
            }
            ("equal_null", [l, r]) => {
                let mut typed = self.operator("<=>", &[l.clone(), r.clone()])?.unwrap_or_else(|| l.clone());
                typed.name = shown;
                typed
            }
            (
                "like_any" | "like_all" | "ilike_any" | "ilike_all" | "not_like_any" | "not_like_all" | "not_ilike_any"
                | "not_ilike_all",
                [value, patterns @ ..],
            ) => self.like_many(name, value, patterns)?,
            _ => return Ok(None),
        }))
    }

    fn in_list(&self, value: &Typed, list: &[Typed], shown: String) -> SparkResult<Typed> {
        let padded = self.padded_list(value, list);
        let (value, list) = padded.as_ref().map_or((value, list), |(value, list)| (value, list.as_slice()));
        let mut types = vec![value.data_type.clone()];
        types.extend(list.iter().map(|t| t.data_type.clone()));
        let ansi = self.analyzer.context.options.ansi;
        let Some(to) = common_comparable(&types, ansi) else {
            return Err(errors::data_diff_types(&shown, "in", &types));
        };
        if matches!(to, DataType::Map { .. } | DataType::Variant) || to.is_spatial() {
            return Err(errors::wrong_comparison("in", &shown, &to));
        }
        let nullable = value.nullable || list.iter().any(|t| t.nullable);
        let compared = |t: &Typed| collation::keyed(self.analyzer.coerce(t.clone(), &to)?.expr, &to);
        let value = Typed { expr: compared(value)?, ..value.clone() };
        let list = list.iter().map(compared).collect::<SparkResult<Vec<_>>>()?;
        if list.is_empty() {
            return Ok(Typed::new(
                Expr::Literal(ScalarValue::Boolean(Some(false)), None),
                DataType::Boolean,
                false,
                shown,
            ));
        }
        // Zeros of both signs are equal, which a hash set of values does not know.
        let flat = !matches!(to, DataType::Array { .. } | DataType::Struct(_) | DataType::Float | DataType::Double);
        let expr = if flat {
            Expr::InList(InList::new(Box::new(value.expr), list, false))
        } else {
            let equal =
                |item| firesteel_functions::arithmetic::compare(Operator::Eq, value.expr.clone(), item, &to.to_arrow());
            balanced(list.into_iter().map(equal).collect(), Operator::Or)
        };
        Ok(Typed::new(expr, DataType::Boolean, nullable, shown))
    }

    fn case(&self, args: &[Typed]) -> SparkResult<Typed> {
        let texts: Vec<String> = args.iter().map(|a| a.sql()).collect();
        self.conditional(args, naming::case(&texts), "casewhen")
    }

    /// `c1, v1, c2, v2, ..., [else]`.
    fn conditional(&self, args: &[Typed], shown: String, function: &str) -> SparkResult<Typed> {
        let mut whens = Vec::new();
        let mut values = Vec::new();
        let mut otherwise = None;
        for pair in args.chunks(2) {
            match pair {
                [condition, value] => {
                    // Nothing is read as a condition of a branch; only `if` takes a bare NULL.
                    let fits = match condition.data_type {
                        DataType::Boolean => true,
                        DataType::Null => function == "if",
                        _ => false,
                    };
                    if !fits {
                        let at = whens.len() * 2;
                        let (found, text) = (&condition.data_type, condition.sql());
                        return Err(errors::unexpected_input(&shown, at, "\"BOOLEAN\"", &text, found));
                    }
                    whens.push(self.boolean(condition.clone(), &shown)?.expr);
                    values.push(value.clone());
                }
                [value] => otherwise = Some(value.clone()),
                _ => {}
            }
        }
        let has_else = otherwise.is_some();
        values.extend(otherwise);
        let values = self.unify(values, &shown, function)?;
        let data_type = values.first().map_or(DataType::Null, |v| v.data_type.clone());
        let nullable = !has_else || values.iter().any(|v| v.nullable);
        let mut exprs: Vec<Expr> = values.into_iter().map(|v| v.expr).collect();
        let otherwise = if has_else { exprs.pop().map(Box::new) } else { None };
        let pairs = whens.into_iter().zip(exprs).map(|(w, t)| (Box::new(w), Box::new(t))).collect();
        Ok(Typed::new(Expr::Case(Case::new(None, pairs, otherwise)), data_type, nullable, shown))
    }

    fn coalesce(&self, args: &[Typed], shown: String, function: &str) -> SparkResult<Typed> {
        let mut values = self.unify(args.to_vec(), &shown, function)?;
        let data_type = values.first().map_or(DataType::Null, |v| v.data_type.clone());
        let nullable = values.iter().all(|v| v.nullable);
        // What follows a value that is never null is never asked for.
        if let Some(last) = values.iter().position(|v| !v.nullable) {
            values.truncate(last + 1);
        }
        let tested = values.len().saturating_sub(1);
        if values.iter().take(tested).any(|v| is_large(&v.expr))
            && let Some(function) = firesteel_functions::registry().scalar("coalesce")
        {
            // Written out as CASE each value stands twice, which doubles an expression at each level it nests.
            let exprs = values.into_iter().map(|v| v.expr).collect();
            let call = datafusion::logical_expr::expr::ScalarFunction::new_udf(function, exprs);
            return Ok(Typed::new(Expr::ScalarFunction(call), data_type, nullable, shown));
        }
        // CASE rather than a function: later values are evaluated only where needed.
        let mut exprs: Vec<Expr> = values.into_iter().map(|v| v.expr).collect();
        let last = exprs.pop();
        let pairs = exprs
            .into_iter()
            .map(|e| (Box::new(Expr::IsNotNull(Box::new(e.clone()))), Box::new(e)))
            .collect::<Vec<_>>();
        let expr = match last {
            Some(last) if pairs.is_empty() => last,
            last => Expr::Case(Case::new(None, pairs, last.map(Box::new))),
        };
        Ok(Typed::new(expr, data_type, nullable, shown))
    }

    /// Values of one common type.
    pub(super) fn unify(&self, values: Vec<Typed>, shown: &str, function: &str) -> SparkResult<Vec<Typed>> {
        let types: Vec<DataType> = values.iter().map(|v| v.data_type.clone()).collect();
        let to = coerce::common(&types, self.analyzer.context.options.ansi)
            .ok_or_else(|| errors::data_diff_types(shown, function, &types))?;
        values.into_iter().map(|v| self.analyzer.coerce(v, &to)).collect()
    }

    /// `LIKE pattern ESCAPE 'c'`.
    pub(super) fn escaped_like(
        &self,
        name: &str,
        value: &Typed,
        pattern: &Typed,
        escape: &Typed,
    ) -> SparkResult<Typed> {
        let texts = [value.sql(), pattern.sql(), escape.sql()];
        let shown = naming::operator(name, &texts).unwrap_or_else(|| naming::call(name, &texts));
        let character = match escape.constant() {
            Some(ScalarValue::Utf8(Some(text))) => text.chars().next(),
            _ => None,
        };
        let Some(character) = character else {
            return Err(errors::unsupported("LIKE with an ESCAPE that is not constant"));
        };
        let Some(ScalarValue::Utf8(text)) = pattern.constant() else {
            // With the escape character and the backslash exchanged in both, the backslash escapes.
            if character.is_alphabetic() {
                return Err(errors::unsupported("LIKE with a letter as ESCAPE and a pattern that is not constant"));
            }
            let letter = |text: String| Typed::literal(ScalarValue::Utf8(Some(text)), DataType::String, "");
            let exchanged = |text: &Typed| {
                let (from, to) = (letter(format!("\\{character}")), letter(format!("{character}\\")));
                self.registered("translate", vec![text.clone(), from, to], String::new())
            };
            return self.registered(name, vec![exchanged(value)?, exchanged(pattern)?], shown);
        };
        let rewritten = match text {
            None => None,
            Some(text) => Some(escaped_pattern(text, character).map_err(|condition| {
                let (format, escape) = (format!("'{text}'"), format!("'{character}'"));
                SparkError::analysis(condition, &[("format", &format), ("char", &escape)])
            })?),
        };
        let pattern = Typed::literal(ScalarValue::Utf8(rewritten), DataType::String, "");
        self.registered(name, vec![value.clone(), pattern], shown)
    }

    fn like_many(&self, name: &str, value: &Typed, patterns: &[Typed]) -> SparkResult<Typed> {
        let negated = name.starts_with("not_");
        let name = name.trim_start_matches("not_");
        let like = if name.starts_with('i') { "ilike" } else { "like" };
        let tests = patterns
            .iter()
            .map(|p| self.registered(like, vec![value.clone(), p.clone()], String::new()))
            .collect::<SparkResult<Vec<_>>>()?;
        let nullable = tests.iter().any(|t| t.nullable);
        let (op, word) = if name.ends_with("any") { (Operator::Or, "likeany") } else { (Operator::And, "likeall") };
        let texts: Vec<String> = std::iter::once(value).chain(patterns).map(|t| t.sql()).collect();
        let parts = tests.into_iter().map(|t| if negated { Expr::Not(Box::new(t.expr)) } else { t.expr });
        let word = if negated { format!("not{word}") } else { word.to_string() };
        let expr = balanced(parts.collect(), op);
        // Constant patterns are no arguments of the expression.
        let constant = patterns.iter().all(|pattern| pattern.constant().is_some());
        let shown = texts.get(..if constant { 1 } else { texts.len() }).unwrap_or_default();
        Ok(Typed::new(expr, DataType::Boolean, nullable, naming::call(&word, shown)))
    }
}

/// Whether an expression has more parts than should be written twice.
fn is_large(expr: &Expr) -> bool {
    use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
    const PARTS: usize = 64;
    let mut parts = 0;
    let visited = expr.apply(|_| {
        parts += 1;
        Ok(if parts > PARTS { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    visited.is_err() || parts > PARTS
}

/// A constant pattern of `LIKE` must not escape what needs no escape.
pub(super) fn check_pattern(pattern: &Typed) -> SparkResult<()> {
    let Some(ScalarValue::Utf8(Some(text))) = pattern.constant() else { return Ok(()) };
    escaped_pattern(text, '\\')
        .map(|_| ())
        .map_err(|condition| SparkError::analysis(condition, &[("format", &format!("'{text}'")), ("char", "'\\'")]))
}

/// A pattern whose escape character is a backslash.
fn escaped_pattern(pattern: &str, escape: char) -> Result<String, &'static str> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c == escape {
            match chars.next() {
                Some(next) if next == '%' || next == '_' || next == escape => {
                    if next != escape || next == '\\' || next == '%' || next == '_' {
                        out.push('\\');
                    }
                    out.push(next);
                }
                Some(_) => return Err("INVALID_FORMAT.ESC_IN_THE_MIDDLE"),
                None => return Err("INVALID_FORMAT.ESC_AT_THE_END"),
            }
        } else {
            if c == '\\' {
                out.push('\\');
            }
            out.push(c);
        }
    }
    Ok(out)
}

fn common_comparable(types: &[DataType], ansi: bool) -> Option<DataType> {
    let (first, rest) = types.split_first()?;
    // Structs are compared by place, whatever their fields are called.
    let by_place = |acc: &DataType, t: &DataType| {
        let structs = matches!(acc, DataType::Struct(_)) && coerce::same_structure(acc, t);
        structs.then(|| coerce::all_nullable(acc))
    };
    rest.iter().try_fold(first.clone(), |acc, t| coerce::wider(&acc, t, ansi).or_else(|| by_place(&acc, t)))
}
