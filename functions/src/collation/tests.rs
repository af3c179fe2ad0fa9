//! Names, keys and searches.

use super::Collation;
use super::key::key_of;
use super::search::Search;

#[test]
fn modifiers_come_in_any_order_and_print_in_one() {
    let named = |name| Collation::find(name).map(Collation::name);
    assert_eq!(named("unicode_rtrim_ci").as_deref(), Some("UNICODE_CI_RTRIM"));
    assert_eq!(named("SR_latn_BIH_ai").as_deref(), Some("sr_Latn_BIH_AI"));
    assert_eq!(named("utf8_binary_ci"), None);
    assert_eq!(named("de_CI_CS"), None);
    assert_eq!(Collation::all().len(), 1164);
}

#[test]
fn lower_case_knows_the_dotted_i_and_the_final_sigma() {
    let key = |text| key_of(text, Collation::LCASE).unwrap();
    assert_eq!(key("\u{130}"), "i\u{307}");
    assert_eq!(key("\u{3a3}"), key("\u{3c2}"));
}

#[test]
fn half_a_character_is_no_match() {
    let find = |text, pattern| Search::new(text, pattern, Collation::LCASE).unwrap().find(0);
    assert_eq!(find("a\u{130}b", "i"), None);
    assert_eq!(find("a\u{130}b", "i\u{307}"), Some((1, 1)));
    assert_eq!(find("a\u{130}b", "B"), Some((2, 1)));
}

#[test]
fn the_root_orders_punctuation_digits_letters_then_case() {
    let unicode = Collation::find("UNICODE").unwrap();
    let key = |text| key_of(text, unicode).unwrap();
    let mut texts = vec!["B", "a", "A", "_", "1", "ab", "b", ""];
    texts.sort_by_key(|text| key(text));
    assert_eq!(texts, ["", "_", "1", "a", "A", "ab", "b", "B"]);
    assert!(key("\u{e9}t") > key("et") && key("\u{e9}t") < key("eu"));
    assert!(key_of("\u{4e2d}", unicode).is_err());
    let blind = Collation::find("UNICODE_CI_AI").unwrap();
    assert_eq!(key_of("a", blind).unwrap(), key_of("\u{c5}", blind).unwrap());
}
