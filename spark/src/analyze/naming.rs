//! The text Spark gives an expression, which is the name of a column without alias.
//!
//! It works on the texts of the operands; it resolves nothing.

use firesteel_functions::types::DataType;

use crate::spec::FrameBound;

/// Text of a call.
pub(super) fn call(name: &str, args: &[String]) -> String {
    format!("{name}({})", args.join(", "))
}

/// Text of an operator or predicate written in its own way, by the function name of the unresolved plan.
pub(super) fn operator(name: &str, args: &[String]) -> Option<String> {
    Some(match (name, args) {
        (
            "+" | "-" | "*" | "/" | "%" | "div" | "&" | "|" | "^" | "<<" | ">>" | ">>>" | "<" | "<=" | ">" | ">="
            | "<=>",
            [l, r],
        ) => {
            format!("({l} {name} {r})")
        }
        ("=" | "==", [l, r]) => format!("({l} = {r})"),
        ("!=" | "<>", [l, r]) => format!("(NOT ({l} = {r}))"),
        ("and", [l, r]) => format!("({l} AND {r})"),
        ("or", [l, r]) => format!("({l} OR {r})"),
        ("not" | "!", [v]) => match v.strip_suffix(" IS UNKNOWN)") {
            Some(value) => format!("{value} IS NOT UNKNOWN)"),
            None => format!("(NOT {v})"),
        },
        ("-", [v]) => format!("(- {v})"),
        ("positive", [v]) => format!("(+ {v})"),
        ("~", [v]) => format!("~{v}"),
        ("isnull", [v]) => format!("({v} IS NULL)"),
        ("isnotnull", [v]) => format!("({v} IS NOT NULL)"),
        ("istrue", [v]) => format!("({v} <=> true)"),
        ("isfalse", [v]) => format!("({v} <=> false)"),
        ("isunknown", [v]) => format!("({v} IS UNKNOWN)"),
        ("like", [l, r]) => format!("{l} LIKE {r}"),
        ("like", [l, r, e]) => format!("{l} LIKE {r} ESCAPE '{e}'"),
        // The escape character of this one does not show.
        ("ilike", [l, r, _]) => format!("ilike({l}, {r})"),
        ("if", [c, t, f]) => format!("(IF({c}, {t}, {f}))"),
        ("in", [v, rest @ ..]) => format!("({v} IN ({}))", rest.join(", ")),
        _ => return None,
    })
}

/// Text of `CASE`.
pub(super) fn case(args: &[String]) -> String {
    let mut text = "CASE".to_string();
    for pair in args.chunks(2) {
        match pair {
            [condition, value] => text.push_str(&format!(" WHEN {condition} THEN {value}")),
            [otherwise] => text.push_str(&format!(" ELSE {otherwise}")),
            _ => {}
        }
    }
    text.push_str(" END");
    text
}

/// Text of a cast.
pub(super) fn cast(value: &str, to: &DataType, fails: bool) -> String {
    format!("{}CAST({value} AS {})", if fails { "" } else { "TRY_" }, to.sql())
}

/// Text of a sort key.
pub(super) fn sort_key(value: &str, ascending: bool, nulls_first: bool) -> String {
    format!("{value} {} NULLS {}", if ascending { "ASC" } else { "DESC" }, if nulls_first { "FIRST" } else { "LAST" })
}

/// Text of a window.
pub(super) fn window(function: &str, partition_by: &[String], order_by: &[String], frame: &str) -> String {
    let mut parts = Vec::new();
    if !partition_by.is_empty() {
        parts.push(format!("PARTITION BY {}", partition_by.join(", ")));
    }
    if !order_by.is_empty() {
        parts.push(format!("ORDER BY {}", order_by.join(", ")));
    }
    parts.push(frame.to_string());
    format!("{function} OVER ({})", parts.join(" "))
}

/// Text of a frame bound; `offset` is that of its expression.
pub(super) fn bound(bound: &FrameBound, offset: Option<&str>) -> String {
    match (bound, offset) {
        (FrameBound::UnboundedPreceding, _) => "UNBOUNDED PRECEDING".to_string(),
        (FrameBound::UnboundedFollowing, _) => "UNBOUNDED FOLLOWING".to_string(),
        (FrameBound::CurrentRow, _) => "CURRENT ROW".to_string(),
        (FrameBound::Offset(_), Some(text)) => match text.strip_prefix("(- ").and_then(|t| t.strip_suffix(')')) {
            Some(positive) => format!("{positive} PRECEDING"),
            None => match text.strip_prefix('-') {
                Some(positive) if positive.chars().all(|c| c.is_ascii_digit()) => format!("{positive} PRECEDING"),
                _ => format!("{text} FOLLOWING"),
            },
        },
        (FrameBound::Offset(_), None) => "CURRENT ROW".to_string(),
    }
}

/// Text of an aggregate with its modifiers.
pub(super) fn aggregate(name: &str, args: &[String], distinct: bool, filter: Option<&str>) -> String {
    let distinct = if distinct { "DISTINCT " } else { "" };
    let call = format!("{name}({distinct}{})", args.join(", "));
    match filter {
        Some(filter) => format!("{call} FILTER (WHERE {filter})"),
        None => call,
    }
}

/// Text of the comparator `array_sort` has when none is written.
const NATURAL_ORDER: &str = "lambdafunction((IF(((namedlambdavariable() IS NULL) AND (namedlambdavariable() IS NULL)), 0, \
     (IF((namedlambdavariable() IS NULL), 1, (IF((namedlambdavariable() IS NULL), -1, \
     (IF((namedlambdavariable() < namedlambdavariable()), -1, \
     (IF((namedlambdavariable() > namedlambdavariable()), 1, 0)))))))))), namedlambdavariable(), namedlambdavariable())";

/// Text of default arguments that Spark shows although they were not written.
pub(super) fn defaults(name: &str, given: usize) -> &'static [&'static str] {
    match (name, given) {
        ("rpad" | "lpad", 2) => &[" "],
        ("replace", 2) => &[""],
        ("instr", 3) => &["1"],
        ("split", 2) => &["-1"],
        ("round" | "bround", 1) => &["0"],
        ("listagg" | "string_agg", 1) => &["NULL"],
        ("lag" | "lead", 1) => &["1", "NULL"],
        ("lag" | "lead", 2) => &["NULL"],
        ("locate" | "position", 2) => &["1"],
        ("overlay", 3) => &["-1"],
        ("substring" | "substr", 2) => &["2147483647"],
        ("regexp_replace", 3) => &["1"],
        ("regexp_extract" | "regexp_extract_all", 2) => &["1"],
        ("months_between", 2) => &["true"],
        ("sentences", 1) => &["", ""],
        ("sentences", 2) => &[""],
        ("mask", 1) => &["X", "x", "n", "NULL"],
        ("mask", 2) => &["x", "n", "NULL"],
        ("mask", 3) => &["n", "NULL"],
        ("mask", 4) => &["NULL"],
        ("aes_encrypt", 2) => &["GCM", "DEFAULT", "", ""],
        ("aes_encrypt", 3) => &["DEFAULT", "", ""],
        ("aes_encrypt", 4) => &["", ""],
        ("aes_encrypt", 5) | ("aes_decrypt" | "try_aes_decrypt", 4) => &[""],
        ("hmac", 2) => &["SHA-256"],
        ("aes_decrypt" | "try_aes_decrypt", 2) => &["GCM", "DEFAULT", ""],
        ("aes_decrypt" | "try_aes_decrypt", 3) => &["DEFAULT", ""],
        ("from_unixtime", 1) | ("unix_timestamp" | "to_unix_timestamp", 1) => &["yyyy-MM-dd HH:mm:ss"],
        ("unix_timestamp", 0) => &["current_timestamp()", "yyyy-MM-dd HH:mm:ss"],
        ("sort_array", 1) => &["true"],
        ("array_sort", 1) => &[NATURAL_ORDER],
        ("vector_norm" | "vector_normalize", 1) => &["2.0"],
        ("variant_set" | "try_variant_set", 3) | ("variant_strip_nulls", 1) => &["true"],
        ("str_to_map", 1) => &[",", ":"],
        ("str_to_map", 2) => &[":"],
        ("ntile", 0) => &["1"],
        ("approx_percentile" | "percentile_approx", 2) => &["10000"],
        ("percentile", 2) => &["1"],
        ("hll_sketch_agg" | "theta_sketch_agg" | "theta_union_agg", 1) | ("theta_union", 2) => &["12"],
        ("tuple_sketch_agg_double" | "tuple_sketch_agg_integer", 2)
        | ("tuple_union_agg_double" | "tuple_union_agg_integer", 1)
        | ("tuple_union_double" | "tuple_union_integer", 2)
        | ("tuple_union_theta_double" | "tuple_union_theta_integer", 2) => &["12", "sum"],
        ("tuple_sketch_agg_double" | "tuple_sketch_agg_integer", 3)
        | ("tuple_union_agg_double" | "tuple_union_agg_integer", 2)
        | ("tuple_union_double" | "tuple_union_integer", 3)
        | ("tuple_union_theta_double" | "tuple_union_theta_integer", 3)
        | ("tuple_intersection_double" | "tuple_intersection_integer", 2)
        | ("tuple_intersection_theta_double" | "tuple_intersection_theta_integer", 2)
        | ("tuple_intersection_agg_double" | "tuple_intersection_agg_integer", 1)
        | ("tuple_sketch_summary_double" | "tuple_sketch_summary_integer", 1) => &["sum"],
        ("approx_top_k", 1) => &["5", "10000"],
        ("approx_top_k", 2) | ("approx_top_k_accumulate", 1) => &["10000"],
        ("approx_top_k_estimate", 1) => &["5"],
        ("approx_top_k_combine", 1) => &["-1"],
        ("st_geomfromwkb", 1) => &["0"],
        ("st_asbinary", 1) => &["NDR"],
        ("hll_union", 2) | ("hll_union_agg", 1) => &["false"],
        ("regexp_instr", 2) => &["0"],
        ("make_dt_interval", 0) => &["0", "0", "0", "0.000000"],
        ("make_dt_interval", 1) => &["0", "0", "0.000000"],
        ("make_dt_interval", 2) => &["0", "0.000000"],
        ("make_dt_interval", 3) => &["0.000000"],
        ("make_ym_interval", 0) => &["0", "0"],
        ("make_ym_interval", 1) => &["0"],
        ("make_interval" | "try_make_interval", 0) => &["0", "0", "0", "0", "0", "0", "0.000000"],
        ("make_interval" | "try_make_interval", 1) => &["0", "0", "0", "0", "0", "0.000000"],
        ("make_interval" | "try_make_interval", 2) => &["0", "0", "0", "0", "0.000000"],
        ("make_interval" | "try_make_interval", 3) => &["0", "0", "0", "0.000000"],
        ("make_interval" | "try_make_interval", 4) => &["0", "0", "0.000000"],
        ("make_interval" | "try_make_interval", 5) => &["0", "0.000000"],
        ("make_interval" | "try_make_interval", 6) => &["0.000000"],
        _ => &[],
    }
}
