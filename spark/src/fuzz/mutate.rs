//! Statements damaged: words taken away, doubled, swapped, replaced, put from one statement into another.

use super::dice::Dice;

/// Words with a meaning somewhere in the grammar, and the odd ends of literals.
const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "BY",
    "ORDER",
    "HAVING",
    "LIMIT",
    "OFFSET",
    "WITH",
    "RECURSIVE",
    "AS",
    "ON",
    "USING",
    "JOIN",
    "LEFT",
    "RIGHT",
    "FULL",
    "CROSS",
    "SEMI",
    "ANTI",
    "NATURAL",
    "LATERAL",
    "VIEW",
    "EXPLODE",
    "UNION",
    "ALL",
    "DISTINCT",
    "EXCEPT",
    "INTERSECT",
    "VALUES",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "CAST",
    "TRY_CAST",
    "AND",
    "OR",
    "NOT",
    "NULL",
    "IS",
    "IN",
    "LIKE",
    "BETWEEN",
    "EXISTS",
    "INTERVAL",
    "DATE",
    "TIMESTAMP",
    "OVER",
    "PARTITION",
    "ROWS",
    "RANGE",
    "PRECEDING",
    "FOLLOWING",
    "UNBOUNDED",
    "CURRENT",
    "ROW",
    "FILTER",
    "WITHIN",
    "PIVOT",
    "UNPIVOT",
    "FOR",
    "TABLESAMPLE",
    "CREATE",
    "TABLE",
    "DROP",
    "INSERT",
    "INTO",
    "OVERWRITE",
    "MERGE",
    "UPDATE",
    "SET",
    "DELETE",
    "ALTER",
    "BEGIN",
    "DECLARE",
    "IF",
    "WHILE",
    "DO",
    "LOOP",
    "IDENTIFIER",
    "ARRAY",
    "MAP",
    "STRUCT",
    "ROLLUP",
    "CUBE",
    "GROUPING",
    "SETS",
    "QUALIFY",
    "WINDOW",
    "COLLATE",
    "ESCAPE",
    "(",
    ")",
    "((",
    "))",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ">>",
    ">>>",
    "<=>",
    "<>",
    "!=",
    "!",
    "||",
    "|>",
    "|",
    "&",
    "^",
    "~",
    "->",
    "=>",
    "::",
    ":",
    ".",
    "..",
    ",",
    ";",
    "*",
    "+",
    "-",
    "/",
    "%",
    "=",
    "==",
    "?",
    "@",
    "$",
    "#",
    "0",
    "1",
    "-1",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "170141183460469231731687303715884105728",
    "1e400",
    "1e-400",
    "1.5BD",
    "1e999999999BD",
    "0x",
    "1Y",
    "128Y",
    "1.",
    ".1",
    ".",
    "''",
    "'",
    "\"",
    "`",
    "``",
    "'a''b'",
    "r'\\'",
    "'\\u00'",
    "'\\",
    "X'0'",
    "X''",
    "/*",
    "*/",
    "--",
    "/*+ BROADCAST(t) */",
    "\u{0}",
    "é",
    "日本",
    "\u{1F600}",
    "\u{FEFF}",
    "\u{A0}",
    "\r",
    "\n",
    "\t",
    "DECIMAL(38,39)",
    "DECIMAL(0,-1)",
    "TIMESTAMP_NTZ",
    "INTERVAL '1-13' YEAR TO MONTH",
    "INTERVAL -1 day",
    "DATE'9999-99-99'",
    "CHAR(0)",
    "${x}",
    ":p",
    "AT",
];

/// One damaged statement.
pub(super) fn mutated(dice: &mut Dice, seeds: &[String]) -> String {
    let mut words = tokens(&seeds[dice.below(seeds.len())]);
    for _ in 0..=dice.below(4) {
        let length = words.len();
        let at = dice.below(length + 1).min(length.saturating_sub(1));
        match dice.below(9) {
            _ if words.is_empty() => words.push(dice.pick(WORDS).to_string()),
            0 => drop(words.remove(at)),
            1 => words.insert(at, words[at].clone()),
            2 => words.swap(at, dice.below(length)),
            3 => words[at] = dice.pick(WORDS).to_string(),
            4 => words.insert(at, dice.pick(WORDS).to_string()),
            5 => words.truncate(at),
            6 => {
                let other = tokens(&seeds[dice.below(seeds.len())]);
                let from = dice.below(other.len());
                let count = dice.below(other.len() - from) + 1;
                words.splice(at..at, other[from..from + count].iter().cloned());
            }
            7 => {
                let until = at + dice.below(length - at);
                let part: Vec<String> = words[at..until].to_vec();
                let copies = dice.below(20);
                for _ in 0..copies {
                    words.splice(at..at, part.iter().cloned());
                }
            }
            _ => words[at] = damaged(dice, &words[at]),
        }
    }
    words.concat()
}

/// A word with one letter taken away, doubled or replaced.
fn damaged(dice: &mut Dice, word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    if letters.is_empty() {
        return "'".into();
    }
    let at = dice.below(letters.len());
    match dice.below(3) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        _ => letters[at] = char::from_u32(u32::try_from(dice.below(0x2FF)).unwrap()).unwrap_or('?'),
    }
    letters.into_iter().collect()
}

/// Words, numbers, spaces and single signs; together they are the text again.
fn tokens(text: &str) -> Vec<String> {
    let mut found: Vec<String> = vec![];
    let kind = |c: char| {
        if c.is_alphanumeric() || c == '_' {
            1
        } else if c.is_whitespace() {
            2
        } else {
            0
        }
    };
    let mut last = 0;
    for letter in text.chars() {
        let now = kind(letter);
        match found.last_mut() {
            Some(word) if now != 0 && now == last => word.push(letter),
            _ => found.push(letter.to_string()),
        }
        last = now;
    }
    found
}
