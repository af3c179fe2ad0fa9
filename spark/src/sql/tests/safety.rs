//! Texts made to hurt: deep, long, or without sense.

use super::super::*;
use super::{error, parse};

#[test]
fn deep_and_long_texts_are_parsed_or_refused() {
    let n = 100_000;
    parse(&format!("select * from t where {}", vec!["a = 1"; n].join(" and ")));
    parse(&format!("select a in ({})", vec!["1"; n].join(",")));
    let exploding = format!("select {} a {}", "case ".repeat(60), " when 1 then 1 when 2 then 2 end".repeat(60));
    let refused = [
        format!("select {}", vec!["1"; n].join("+")),
        format!("select {}1{}", "(".repeat(n), ")".repeat(n)),
        format!("select {} a", "not ".repeat(n)),
        vec!["select 1"; n].join(" union all "),
        format!("select {} 1 {}", "(select ".repeat(n), ")".repeat(n)),
        format!("select cast(a as {}int{})", "array<".repeat(n), ">".repeat(n)),
        format!("select * from t {}", "join t ".repeat(n)),
        format!("select * from {}t{}", "(".repeat(n), ")".repeat(n)),
        exploding,
    ];
    for text in refused {
        assert_eq!(error(&text).condition(), "FAILED_TO_PARSE_TOO_COMPLEX");
    }
}

/// Xorshift: the same soup every time.
struct Soup(u64);

impl Soup {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap()
    }
}

#[test]
fn token_soup_never_panics() {
    let words = [
        "select",
        "from",
        "t",
        "a",
        "1",
        "1.5",
        ".",
        ",",
        "(",
        ")",
        "*",
        "'s'",
        "\"d\"",
        "`q`",
        "where",
        "and",
        "or",
        "not",
        "in",
        "between",
        "like",
        "is",
        "null",
        "case",
        "when",
        "then",
        "end",
        "interval",
        "day",
        "to",
        "second",
        "join",
        "on",
        "using",
        "lateral",
        "view",
        "group",
        "by",
        "rollup",
        "order",
        "limit",
        "union",
        "all",
        "except",
        "with",
        "as",
        "over",
        "partition",
        "rows",
        "unbounded",
        "preceding",
        "create",
        "table",
        "view",
        "insert",
        "into",
        "overwrite",
        "values",
        "set",
        "=",
        "<",
        ">",
        ">>",
        "->",
        "=>",
        "::",
        ":",
        "?",
        "[",
        "]",
        "/*+",
        "*/",
        "/*",
        "--",
        "\n",
        "-",
        "+",
        "|>",
        "pivot",
        "unpivot",
        "for",
        "alter",
        "drop",
        "column",
        "describe",
        "show",
        "cast",
        "array",
        "struct",
        "map",
        "identifier",
        "ä",
        "'",
        "`",
        "\\",
        "declare",
        "begin",
        "if",
        "merge",
        "x'1'",
        "e",
        "1e",
        "$$",
        "tablesample",
        "percent",
        "trim",
        "extract",
    ];
    let mut soup = Soup(0x9E37_79B9_7F4A_7C15);
    let starts =
        ["", "select ", "select * from t ", "create table t ", "alter table t ", "insert into t ", "from t |> "];
    for _ in 0..20_000 {
        let mut text = starts[soup.next() % starts.len()].to_string();
        for _ in 0..soup.next() % 24 {
            text.push_str(words[soup.next() % words.len()]);
            if !soup.next().is_multiple_of(4) {
                text.push(' ');
            }
        }
        let parsed = parse_statement(&text, &ParseOptions::default());
        if let Err(error) = parsed {
            let _ = error::parse_error_text(&error);
        }
        let _ = parse_expression(&text, &ParseOptions::default());
        let _ = parse_data_type(&text);
        let _ = split_statements(&text);
    }
}
