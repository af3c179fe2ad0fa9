//! Texts that nest deep or go on for long: each must be refused or planned on a server's stack.

/// How deep: less than what is refused, near it, and far beyond.
const DEPTHS: &[usize] = &[60, 400, 990, 20_000];

const NESTS: &[(&str, &str, &str)] = &[
    ("(", "1", ")"),
    ("-", "1", ""),
    ("- -", "1", ""),
    ("NOT ", "true", ""),
    ("1 + (", "1", ")"),
    ("array(", "1", ")"),
    ("named_struct('a', ", "1", ")"),
    ("map(1, ", "1", ")"),
    ("CASE WHEN true THEN ", "1", " END"),
    ("CASE ", "1", " WHEN 1 THEN 1 END"),
    ("CAST(", "1", " AS INT)"),
    ("coalesce(", "1", ", 2)"),
    ("transform(array(1), x -> ", "1", ")"),
    ("if(true, ", "1", ", 2)"),
    ("(SELECT ", "1", ")"),
    ("1 IN (SELECT ", "1", ")"),
    ("EXISTS (SELECT ", "1", ")"),
    ("abs(i) OVER (ORDER BY ", "1", ")"),
];

const CHAINS: &[&str] = &[
    " + 1",
    " OR true",
    " AND i = 1",
    " || 'x'",
    " :: INT",
    "[0]",
    ".x",
    " = 1",
    " COLLATE UTF8_LCASE",
    ", 1",
    " IS NULL",
];

const QUERIES: &[(&str, &str, &str)] = &[
    ("SELECT * FROM (", "SELECT 1 AS c", ")"),
    ("(", "SELECT 1", ")"),
    ("WITH c AS (", "SELECT 1", ") SELECT * FROM c"),
    ("SELECT * FROM t WHERE i IN (", "SELECT 1", ")"),
    ("SELECT 1 UNION ALL ", "SELECT 2", ""),
    ("SELECT * FROM t JOIN LATERAL (", "SELECT 1", ")"),
    ("", "SELECT 1", " UNION SELECT 2"),
    ("", "SELECT * FROM t", " JOIN u ON true"),
    ("", "FROM t", " |> WHERE i = 1"),
    ("BEGIN ", "SELECT 1;", " END;"),
    ("IF true THEN ", "SELECT 1;", " END IF;"),
];

const TYPES: &[(&str, &str, &str)] = &[("array<", "int", ">"), ("struct<a:", "int", ">"), ("map<int,", "int", ">")];

fn nest(depth: usize, (open, inner, close): (&str, &str, &str)) -> String {
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

/// Texts of each depth.
pub(super) fn texts() -> impl Iterator<Item = (usize, String)> {
    DEPTHS.iter().flat_map(|&depth| at(depth).into_iter().map(move |text| (depth, text)))
}

fn at(depth: usize) -> Vec<String> {
    let mut texts = vec![];
    for &parts in NESTS {
        texts.push(format!("SELECT {} FROM t", nest(depth, parts)));
        texts.push(format!("SELECT count(*) FROM t GROUP BY {}", nest(depth, parts)));
    }
    for chain in CHAINS {
        texts.push(format!("SELECT i{} FROM t", chain.repeat(depth)));
        texts.push(format!("SELECT * FROM t WHERE i{}", chain.repeat(depth)));
    }
    // Wide queries are allowed and cost time, so the widest only show that nothing overflows where it is refused.
    for &parts in QUERIES {
        if depth <= 60 || parts.0.contains('(') || parts.2.is_empty() {
            texts.push(nest(depth, parts));
        }
    }
    for &parts in TYPES {
        texts.push(format!("SELECT CAST(NULL AS {})", nest(depth, parts)));
        texts.push(nest(depth, parts));
    }
    texts.push(format!("SELECT '{}'", "\\'".repeat(depth)));
    texts.push("/*".repeat(depth));
    texts.push("`".repeat(depth));
    texts.push(format!("SELECT * FROM {}", vec!["a"; depth].join(".")));
    texts
}
