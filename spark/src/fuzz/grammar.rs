//! Queries made from the grammar over two tables, with calls of every function there is: most are refused by the analyzer, many pass.

use super::dice::Dice;

const COLUMNS: &[&str] = &[
    "i", "l", "d", "m", "s", "b", "y", "z", "n", "o", "a", "r", "p", "h", "t.i", "u.s", "r.x", "a[0]", "p['k']", "v",
    "x",
];
const LITERALS: &[&str] = &[
    "1",
    "0",
    "-1",
    "2147483647",
    "-9223372036854775808",
    "9223372036854775808",
    "1.5",
    "1e10",
    "0.1D",
    "99999999999999999999999999999999999999",
    "'x'",
    "''",
    "'2024-01-31'",
    "'12'",
    "'$.a'",
    "'yyyy-MM-dd'",
    "'[a-z]+'",
    "'UTC'",
    "'YEAR'",
    "true",
    "NULL",
    "DATE'2024-02-29'",
    "TIMESTAMP'9999-12-31 23:59:59'",
    "TIMESTAMP_NTZ'0001-01-01 00:00:00'",
    "INTERVAL '1' DAY",
    "INTERVAL '1-1' YEAR TO MONTH",
    "INTERVAL 1 month 2 days",
    "X'FF'",
    "array()",
    "array(1, 2)",
    "map()",
    "map('a', 1)",
    "struct(1, 'a')",
    "CAST(NULL AS INT)",
    "CAST('NaN' AS DOUBLE)",
    "TIME'01:02:03'",
    "parse_json('[1]')",
    "'a INT'",
];
const TYPES: &[&str] = &[
    "TINYINT",
    "SMALLINT",
    "INT",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL(10,2)",
    "DECIMAL(38,38)",
    "DECIMAL(5,0)",
    "STRING",
    "BOOLEAN",
    "DATE",
    "TIMESTAMP",
    "TIMESTAMP_NTZ",
    "BINARY",
    "INTERVAL DAY TO SECOND",
    "INTERVAL YEAR TO MONTH",
    "ARRAY<INT>",
    "MAP<STRING, INT>",
    "STRUCT<x: INT>",
    "VARIANT",
    "VOID",
    "CHAR(3)",
    "TIME",
];
const BINARY: &[&str] = &[
    "+",
    "-",
    "*",
    "/",
    "%",
    "DIV",
    "=",
    "<",
    ">=",
    "<>",
    "<=>",
    "AND",
    "OR",
    "||",
    "&",
    "|",
    "^",
    "<<",
    ">>>",
    "LIKE",
    "RLIKE",
    "IS DISTINCT FROM",
];
/// What fills memory by itself when it meets a large number among the literals: an honest query, but not for this test.
const LARGE: &[&str] = &[
    "repeat",
    "space",
    "lpad",
    "rpad",
    "sequence",
    "array_repeat",
    "range",
    "randstr",
    "array_insert",
    "make_valid_utf8",
];
const AGGREGATES: &[&str] = &[
    "sum",
    "avg",
    "count",
    "min",
    "max",
    "first",
    "collect_list",
    "stddev",
    "corr",
    "percentile",
    "mode",
    "max_by",
    "listagg",
    "bool_and",
    "median",
];

struct Maker<'a> {
    dice: &'a mut Dice,
    fuel: u32,
}

/// One query.
pub(super) fn query(dice: &mut Dice) -> String {
    Maker { dice, fuel: 60 }.query()
}

impl Maker<'_> {
    fn spent(&mut self) -> bool {
        self.fuel = self.fuel.saturating_sub(1);
        self.fuel == 0
    }

    fn expr(&mut self) -> String {
        if self.spent() || self.dice.one_in(3) {
            return if self.dice.one_in(2) { self.dice.pick(COLUMNS) } else { self.dice.pick(LITERALS) }.to_string();
        }
        match self.dice.below(18) {
            0..=3 => format!("{} {} {}", self.expr(), self.dice.pick(BINARY), self.expr()),
            4..=8 => self.call(),
            9 => format!("CAST({} AS {})", self.expr(), self.dice.pick(TYPES)),
            10 => format!("TRY_CAST({} AS {})", self.expr(), self.dice.pick(TYPES)),
            11 => format!("CASE WHEN {} THEN {} ELSE {} END", self.expr(), self.expr(), self.expr()),
            12 => format!("{} IN ({}, {})", self.expr(), self.expr(), self.expr()),
            13 => format!("{} BETWEEN {} AND {}", self.expr(), self.expr(), self.expr()),
            14 => format!("NOT ({}) IS NULL", self.expr()),
            15 => format!("({})", self.expr()),
            16 if self.fuel > 10 => self.subquery(),
            _ => self.aggregate(),
        }
    }

    fn call(&mut self) -> String {
        let names = firesteel_functions::registry().names();
        let name = names[self.dice.below(names.len())];
        if LARGE.contains(&name) {
            return "1".into();
        }
        let arguments: Vec<String> = (0..self.dice.below(4))
            .map(|_| if self.dice.one_in(12) { format!("(k, w) -> {}", self.expr()) } else { self.expr() })
            .collect();
        format!("`{name}`({})", arguments.join(", "))
    }

    fn aggregate(&mut self) -> String {
        let name = self.dice.pick(AGGREGATES);
        let distinct = if self.dice.one_in(4) { "DISTINCT " } else { "" };
        let second = if self.dice.one_in(3) { format!(", {}", self.expr()) } else { String::new() };
        let call = format!("{name}({distinct}{}{second})", self.expr());
        match self.dice.below(5) {
            0 => format!("{call} FILTER (WHERE {})", self.expr()),
            1 => format!("{call} OVER (PARTITION BY {} ORDER BY {})", self.expr(), self.expr()),
            2 => format!(
                "{call} OVER (ORDER BY {} RANGE BETWEEN {} PRECEDING AND CURRENT ROW)",
                self.expr(),
                self.expr()
            ),
            _ => call,
        }
    }

    fn subquery(&mut self) -> String {
        match self.dice.below(4) {
            0 => format!("({})", self.query()),
            1 => format!("EXISTS ({})", self.query()),
            2 => format!("{} NOT IN ({})", self.expr(), self.query()),
            _ => format!("(SELECT max(u.v) FROM u WHERE u.i = t.i AND {})", self.expr()),
        }
    }

    fn list(&mut self, most: usize) -> String {
        let count = self.dice.below(most) + 1;
        (0..count).map(|_| self.expr()).collect::<Vec<_>>().join(", ")
    }

    fn from(&mut self) -> String {
        let first = match self.dice.below(8) {
            0 if self.fuel > 10 => format!("({}) AS t", self.query()),
            1 => "VALUES (1, 'a'), (2, NULL) AS t(i, s)".into(),
            2 => "t LATERAL VIEW explode(a) e AS x".into(),
            3 => "u PIVOT (sum(v) FOR s IN ('a', 'b')) AS t".into(),
            4 => "u UNPIVOT (x FOR k IN (i, v)) AS t".into(),
            _ => "t".into(),
        };
        match self.dice.below(8) {
            0 => format!("{first} JOIN u ON {}", self.expr()),
            1 => format!("{first} LEFT JOIN u USING (i)"),
            2 => format!("{first} FULL JOIN u ON t.i = u.i AND {}", self.expr()),
            3 => format!("{first} LEFT ANTI JOIN u ON {}", self.expr()),
            4 => format!("{first} CROSS JOIN u"),
            5 if self.fuel > 10 => format!("{first} JOIN LATERAL ({}) AS u", self.query()),
            _ => first,
        }
    }

    fn query(&mut self) -> String {
        let distinct = if self.dice.one_in(8) { "DISTINCT " } else { "" };
        let mut text = format!("SELECT {distinct}{} FROM {}", self.list(3), self.from());
        if self.dice.one_in(2) {
            text += &format!(" WHERE {}", self.expr());
        }
        match self.dice.below(8) {
            0 => text += &format!(" GROUP BY {}", self.list(2)),
            1 => text += &format!(" GROUP BY ROLLUP({})", self.list(2)),
            2 => text += " GROUP BY ALL",
            _ => {}
        }
        if self.dice.one_in(8) {
            text += &format!(" HAVING {}", self.expr());
        }
        if self.dice.one_in(5) && !self.spent() {
            let operator = self.dice.pick(&["UNION ALL", "UNION", "EXCEPT", "INTERSECT ALL"]);
            text += &format!(" {operator} {}", self.query());
        }
        if self.dice.one_in(4) {
            text += &format!(" ORDER BY {}", self.list(2));
        }
        if self.dice.one_in(5) {
            text += " LIMIT 3";
        }
        if self.dice.one_in(10) { format!("WITH c AS ({text}) SELECT * FROM c JOIN c AS e") } else { text }
    }
}
