//! What Java's patterns find. Expected answers are those of `java.util.regex`.

use super::{Pattern, PatternError};

fn hits(pattern: &str, text: &str) -> Vec<String> {
    let made = Pattern::new(pattern).unwrap();
    made.find_all(text).unwrap().iter().map(|found| found.text(text, 0).unwrap().to_string()).collect()
}

#[test]
fn look_around_and_back_references_find_what_java_finds() {
    assert_eq!(hits("(?<=[a-z])\\d", "a1 22 b3"), ["1", "3"]);
    assert_eq!(hits("\\w+(?=!)", "hey! you there!"), ["hey", "there"]);
    assert_eq!(hits("(?<!\\$)\\b\\d+", "$5 7"), ["7"]);
    assert_eq!(hits("(\\w)\\1", "hello aabb"), ["ll", "aa", "bb"]);
    assert_eq!(hits("(?i)(\\w)\\1", "aAb"), ["aA"]);
    assert_eq!(hits("(?<letter>a)b\\k<letter>", "aba"), ["aba"]);
}

#[test]
fn possessive_and_atomic_groups_give_nothing_back() {
    assert!(hits("a++a", "aaa").is_empty());
    assert!(hits("(?>a|ab)c", "abc").is_empty());
    assert_eq!(hits("a*+b", "aab"), ["aab"]);
}

#[test]
fn the_end_is_also_before_a_last_line_break() {
    assert_eq!(hits("b$", "ab\n"), ["b"]);
    assert_eq!(hits("b$", "ab\r\n"), ["b"]);
    assert!(hits("b\\z", "ab\n").is_empty());
    assert!(hits("b$", "ab\n\n").is_empty());
    assert_eq!(hits("(?m)^\\w", "a\nb\r\nc"), ["a", "b", "c"]);
    assert_eq!(hits("(?m)\\w$", "a\nb\r\nc"), ["a", "b", "c"]);
}

#[test]
fn a_dot_takes_no_line_break_and_letters_fold_in_ascii() {
    assert_eq!(hits("a.", "a\ra\u{2028}ab"), ["ab"]);
    assert!(hits("(?i)é", "É").is_empty());
    assert_eq!(hits("(?iu)é", "É"), ["É"]);
    assert_eq!(hits("(?i)[a-c]+", "aBCd"), ["aBC"]);
    assert!(hits("\\s", "\u{a0}").is_empty());
    assert!(hits("\\d", "٣").is_empty());
}

#[test]
fn classes_nest_and_meet() {
    assert_eq!(hits("[a-z&&[^bc]]+", "abcd"), ["a", "d"]);
    assert_eq!(hits("[&&a]", "ba"), ["a"]);
    assert_eq!(hits("[a-c[x-z]]+", "axmz"), ["ax", "z"]);
    assert_eq!(hits("[]a]+", "a]"), ["a]"]);
    assert_eq!(hits("[a\\-z]+", "a-zb"), ["a-z"]);
    assert_eq!(hits("[[:alpha:]]+", "alp:x"), ["alp:"]);
    assert_eq!(hits("\\p{Lu}\\p{IsAlphabetic}+", "Été"), ["Été"]);
    assert_eq!(hits("\\Qa.b\\E+", "a.bb axb"), ["a.bb"]);
}

#[test]
fn empty_matches_touch_the_match_before() {
    assert_eq!(hits("l*", "hello"), ["", "", "ll", "", ""]);
    assert_eq!(hits("(a|b*)*", "ab"), ["ab", ""]);
}

#[test]
fn wrong_patterns_are_refused() {
    for pattern in ["(", ")", "*a", "a{", "a{2,1}", "[a", "\\", "\\y", "[z-a]", "(?<n", "\\p{Nope}", "a**", "(?<=a*)b"]
    {
        assert!(matches!(Pattern::new(pattern), Err(PatternError::Syntax(_))), "{pattern}");
    }
}

#[test]
fn long_texts_need_no_stack() {
    let text = "ab".repeat(200_000);
    assert_eq!(hits("(?:(a)|b)*+$", &text).first().map(String::len), Some(text.len()));
}
