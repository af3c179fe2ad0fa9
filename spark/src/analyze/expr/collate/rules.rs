//! Which functions care about collations, and how, by name. It resolves nothing.

/// Functions whose arguments at these places meet in one collation; empty for all.
pub(super) fn meeting(name: &str, count: usize) -> Option<Vec<usize>> {
    let all = || (0..count).collect::<Vec<_>>();
    Some(match name {
        "if" | "iff" | "nvl2" => (1..count).collect(),
        "locate" | "position" | "charindex" | "substring_index" | "split_part" | "overlay" | "levenshtein" => {
            vec![0, 1]
        }
        // The text comes before the characters.
        "trim" | "ltrim" | "rtrim" => (0..count).rev().collect(),
        "elt" => (1..count).collect(),
        "regexp_replace" | "lpad" | "rpad" | "lag" | "lead" => vec![0, 2],
        "when" | "case" => (0..count).filter(|i| i % 2 == 1 || (i + 1 == count && count % 2 == 1)).collect(),
        "in" | "array" | "array_join" | "concat" | "||" | "greatest" | "least" | "coalesce" | "nvl" | "ifnull"
        | "array_contains" | "array_except" | "concat_ws" | "mask" | "replace" | "translate" | "btrim"
        | "trim_both" | "trim_leading" | "trim_trailing" | "array_append" | "array_prepend" | "array_intersect"
        | "array_position" | "array_remove" | "array_union" | "arrays_overlap" | "contains" | "endswith"
        | "startswith" | "find_in_set" | "instr" | "to_number" | "try_to_number" | "str_to_map" | "nullif" | "="
        | "==" | "<=>" | "<" | "<=" | ">" | ">=" | "!=" | "<>" | "between" | "equal_null" => all(),
        _ => return None,
    })
}

/// Functions that cannot work without knowing the collation.
pub(super) fn needs_collation(name: &str) -> bool {
    matches!(
        name,
        "contains"
            | "instr"
            | "locate"
            | "position"
            | "charindex"
            | "substring_index"
            | "nullif"
            | "in"
            | "between"
            | "equal_null"
            | "upper"
            | "ucase"
            | "lower"
            | "lcase"
            | "initcap"
            | "trim"
            | "btrim"
            | "ltrim"
            | "rtrim"
            | "trim_both"
            | "trim_leading"
            | "trim_trailing"
            | "array_sort"
            | "translate"
            | "startswith"
            | "endswith"
            | "find_in_set"
            | "replace"
            | "="
            | "=="
            | "<=>"
            | "<"
            | "<="
            | ">"
            | ">="
            | "!="
            | "<>"
    )
}

/// Functions that search text, which is not defined where accents are ignored but case is not.
pub(super) const SEARCHES: &[&str] = &[
    "contains",
    "startswith",
    "endswith",
    "instr",
    "locate",
    "position",
    "charindex",
    "replace",
    "translate",
    "trim",
    "btrim",
    "ltrim",
    "rtrim",
    "trim_both",
    "trim_leading",
    "trim_trailing",
    "substring_index",
    "split_part",
    "str_to_map",
];

/// Patterns of `LIKE`.
pub(super) const LIKES: &[&str] = &["like", "ilike", "like_any", "like_all", "ilike_any", "ilike_all"];

/// Functions with a regular expression as their second argument.
pub(super) const PATTERNS: &[&str] = &[
    "rlike",
    "regexp",
    "regexp_like",
    "regexp_replace",
    "regexp_extract",
    "regexp_extract_all",
    "regexp_count",
    "regexp_instr",
    "regexp_substr",
    "split",
];

/// Functions over collated values that would compare bytes here.
pub(super) const UNABLE: &[&str] = &[
    "map_from_arrays",
    "map_from_entries",
    "map_concat",
    "map_zip_with",
    "map_contains_key",
    "str_to_map",
    "histogram_numeric",
];
