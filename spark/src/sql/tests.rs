//! Statements in, shapes and errors out.

mod safety;

use firesteel_functions::types::{DataType, DayTimeField, YearMonthField};
use firesteel_functions::{QueryContext, SparkError};

use super::*;
use crate::spec::{Command, ExprKind, Literal, Origin, RelationKind, SetCommand, SetOperator};

fn parse(text: &str) -> Plan {
    parse_statement(text, &ParseOptions::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn error(text: &str) -> SparkError {
    match parse_statement(text, &ParseOptions::default()) {
        Err(error) => error,
        Ok(plan) => panic!("{text} parsed: {plan:?}"),
    }
}

fn expression(text: &str) -> ExprKind {
    *parse_expression(text, &ParseOptions::default()).unwrap_or_else(|error| panic!("{text}: {error}")).kind
}

/// A compact text of an expression: operators and calls in prefix form.
fn shape(text: &str) -> String {
    fn of(kind: &ExprKind) -> String {
        match kind {
            ExprKind::Literal(Literal::Integer(value)) => value.to_string(),
            ExprKind::Literal(literal) => format!("{literal:?}"),
            ExprKind::Attribute { name, .. } => name.join("."),
            ExprKind::Function(f) => {
                let args: Vec<String> = f.args.iter().map(|arg| of(&arg.kind)).collect();
                format!("{}({})", f.name.join("."), args.join(" "))
            }
            ExprKind::Cast { expr, .. } => format!("cast({})", of(&expr.kind)),
            ExprKind::ExtractValue { child, key, .. } => format!("get({} {})", of(&child.kind), of(&key.kind)),
            ExprKind::Lambda { body, params } => format!("[{}]{}", params.join(","), of(&body.kind)),
            other => format!("{other:?}"),
        }
    }
    of(&expression(text))
}

#[test]
fn operators_bind_as_in_spark() {
    let cases = [
        ("1 + 2 * 3", "+(1 *(2 3))"),
        ("not a and b or c", "or(and(not(a) b) c)"),
        ("!a = b", "not(=(a b))"),
        ("a | b ^ c & d << 1 + 2", "|(a ^(b &(c <<(d +(1 2)))))"),
        ("a || b + c", "+(||(a b) c)"),
        ("-a.b[1]::int", "-(cast(get(a.b 1)))"),
        ("-1", "-1"),
        ("2-1", "-(2 1)"),
        ("a between 1 and 2 and b", "and(between(a 1 2) b)"),
        ("a not in (1, 2)", "not(in(a 1 2))"),
        ("a like all ('x', 'y')", "like_all(a String(\"x\") String(\"y\"))"),
        ("a is not distinct from b", "<=>(a b)"),
        ("case a when 1 then x end", "when(=(a 1) x)"),
        ("f(x -> x + 1, (a, b) -> a)", "f([x]+(x 1) [a,b]a)"),
        ("a div b % c", "%(div(a b) c)"),
        ("extract(year from d)", "extract(String(\"year\") d)"),
        ("trim(leading 'a' from b)", "trim_leading(b String(\"a\"))"),
        ("position('a' in b)", "locate(String(\"a\") b)"),
        ("dateadd(day, 1, d)", "timestampadd(String(\"day\") 1 d)"),
        ("datediff(day, d)", "datediff(day d)"),
        ("a >>> 1 >= b >> 2", ">=(>>>(a 1) >>(b 2))"),
    ];
    for (text, expected) in cases {
        assert_eq!(shape(text), expected, "{text}");
    }
}

#[test]
fn literals_have_sparks_types_and_values() {
    let cases = [
        ("1", Literal::Integer(1)),
        ("2147483648", Literal::Long(2_147_483_648)),
        ("-128Y", Literal::Byte(-128)),
        ("1e3", Literal::Double(1000.0)),
        ("1.50", Literal::Decimal { value: 150, precision: 3, scale: 2 }),
        ("0.001", Literal::Decimal { value: 1, precision: 3, scale: 3 }),
        ("1e2BD", Literal::Decimal { value: 100, precision: 3, scale: 0 }),
        ("X'1fF'", Literal::Binary(vec![0x01, 0xff])),
        ("'a' 'b' \"c\"", Literal::String("abc".into())),
        (r"'\u0041\101\n\%\\it''s'", Literal::String("AA\n\\%\\it's".into())),
        (r"r'\n'", Literal::String("\\n".into())),
        ("interval '1-2' year to month", Literal::YearMonthInterval(14, YearMonthField::Year, YearMonthField::Month)),
        ("interval -'1' day", Literal::DayTimeInterval(-86_400_000_000, DayTimeField::Day, DayTimeField::Day)),
        (
            "interval 1 day 2.5 seconds",
            Literal::DayTimeInterval(86_402_500_000, DayTimeField::Day, DayTimeField::Second),
        ),
        (
            "interval '1 02:03:04.5' day to second",
            Literal::DayTimeInterval(93_784_500_000, DayTimeField::Day, DayTimeField::Second),
        ),
    ];
    for (text, expected) in cases {
        match expression(text) {
            ExprKind::Literal(literal) => assert_eq!(literal, expected, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn keywords_are_names_where_no_clause_can_start() {
    for text in [
        "select 1 from, 2 limit",
        "select from.where from t as select where where.limit = 1",
        "select left(a, 1), any(b), exists(c, x -> x), if(a, b, c), date, interval, values from t",
        "select * from t join u using (k) natural join v left semi join w on true order by all",
        "select struct(a as order, b by)",
    ] {
        parse(text);
    }
}

#[test]
fn intersect_binds_before_union() {
    let Plan::Query(relation) = parse("select 1 union all select 2 intersect select 3") else { panic!() };
    match *relation.kind {
        RelationKind::SetOperation { op: SetOperator::Union, all: true, right, .. } => {
            assert!(matches!(*right.kind, RelationKind::SetOperation { op: SetOperator::Intersect, .. }));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn parenthesized_queries_joins_and_expressions_are_told_apart() {
    for text in [
        "((select 1) union (select 2)) limit 1",
        "select ((select 1) union (select 2)), ((1 + 2)), (1, 2), ((select 1)) + 1",
        "select * from ((select 1 a) x join (t) on true) cross join ((select 2) union all select 3) y",
        "select a in (select b from t), (a, b) in (select c, d from t), a in ((select 1), 2) from t",
        "create view v (a) as (with q as (select 1) select * from q)",
    ] {
        parse(text);
    }
}

#[test]
fn origins_are_character_offsets() {
    let expr = parse_expression("'ä' || foo(b)", &ParseOptions::default()).unwrap();
    let ExprKind::Function(function) = *expr.kind else { panic!() };
    let Some(Origin::Sql { start, stop, .. }) = &function.args[1].origin else { panic!() };
    assert_eq!((*start, *stop), (7, 12));
}

#[test]
fn syntax_errors_point_at_the_token() {
    let cases = [
        ("selec 1", "'selec'", "", 0),
        ("select 1 +", "end of input", "", 10),
        ("select 'unclosed", "'''", "", 7),
        ("SELECT 1 alias garbage", "'garbage'", ": extra input 'garbage'", 15),
        ("SELECT * EXCEPT name FROM tbl_view", "'name'", "", 16),
        ("SELECT 1 FROM \"not_exist\"", "'\"not_exist\"'", "", 14),
        ("from t\n|> from t", "'from'", "", 10),
    ];
    for (text, near, hint, at) in cases {
        let error = error(text);
        assert_eq!(error.condition(), "PARSE_SYNTAX_ERROR", "{text}");
        let parameters: Vec<&str> = error.parameters().iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(parameters, [near, hint], "{text}");
        assert!(matches!(error.contexts(), [QueryContext::Sql { start, .. }] if *start == at), "{text}: {error:?}");
    }
}

#[test]
fn other_errors_have_their_condition() {
    let cases = [
        ("", "PARSE_EMPTY_STATEMENT"),
        ("select /* 1", "UNCLOSED_BRACKETED_COMMENT"),
        ("select 1 as a-b", "INVALID_IDENTIFIER"),
        ("select cast(1 as foo)", "UNSUPPORTED_DATATYPE"),
        ("select 128Y", "INVALID_NUMERIC_LITERAL_RANGE"),
        ("select X'XuZ'", "INVALID_TYPED_LITERAL"),
        ("select geo '1'", "UNSUPPORTED_TYPED_LITERAL"),
        ("select a like any ()", "INVALID_SQL_SYNTAX.EMPTY_QUANTIFIED_PATTERN"),
        ("select interval 1 month 1 day", "_LEGACY_ERROR_TEMP_0029"),
        ("select interval '15:40' hour to second", "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE"),
        ("select 1e400", "INVALID_NUMERIC_LITERAL_RANGE"),
        ("create table t (a int) using csv using csv", "DUPLICATE_CLAUSES"),
    ];
    for (text, condition) in cases {
        assert_eq!(error(text).condition(), condition, "{text}");
    }
}

#[test]
fn the_text_of_a_syntax_error_has_a_caret() {
    let text = error::parse_error_text(&error("select 1 +\n  )")).unwrap();
    assert!(
        text.starts_with("\n[PARSE_SYNTAX_ERROR] Syntax error at or near ')'. SQLSTATE: 42601 (line 2, pos 2)\n"),
        "{text}"
    );
    assert!(text.ends_with("\n== SQL ==\nselect 1 +\n  )\n--^^^\n"), "{text}");
}

#[test]
fn types_parse() {
    let nested = parse_data_type("array<map<string, array<struct<a: int, b: decimal(10, 2)>>>>").unwrap();
    assert!(matches!(nested, DataType::Array { .. }));
    for text in [
        "interval day to second",
        "interval year",
        "timestamp_ntz",
        "char(3)",
        "dec",
        "numeric(5)",
        "struct<>",
        "time(3)",
        "variant",
    ] {
        parse_data_type(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    let schema = parse_table_schema("a INT NOT NULL COMMENT 'x', `b c` STRING, d: struct<e: long>").unwrap();
    assert_eq!(schema.fields.len(), 3);
    assert_eq!(parse_table_schema("struct<a: int>").unwrap().fields.len(), 1);
    assert_eq!(parse_multipart_identifier("a.`b.c`").unwrap(), ["a", "b.c"]);
}

#[test]
fn set_takes_the_rest_of_the_line() {
    let Plan::Command(command) = parse("SET spark.x.y = a 'b' -- c=d ;") else { panic!() };
    assert!(matches!(*command, Command::Set(SetCommand::Put(k, v)) if k == "spark.x.y" && v == "a 'b' -- c=d"));
}

#[test]
fn statements_are_split_outside_quotes_comments_and_blocks() {
    let text = "select ';' -- ;\n; begin if a then select case when 1 then 2 end; end if; end; /* ; */ select begin";
    let parts: Vec<&str> = split_statements(text).into_iter().map(|range| &text[range]).collect();
    assert_eq!(parts, ["select ';'", "begin if a then select case when 1 then 2 end; end if; end", "select begin"]);
}
