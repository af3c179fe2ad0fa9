//! Facts from Spark 4.3.

use super::eval::Context;
use super::{grammar, parse};

fn text(xml: &str, path: &str) -> String {
    let document = parse::parse(xml).unwrap();
    let context = Context { document: &document, node: 0, position: 1, size: 1 };
    context.eval(&grammar::parse(path).unwrap()).unwrap().text(&document)
}

#[test]
fn paths_lead_to_nodes() {
    let xml = "<a><b>x</b><b id='2'>y</b><c>z</c></a>";
    assert_eq!(text(xml, "a/b[2]"), "y");
    assert_eq!(text(xml, "//@id"), "2");
    assert_eq!(text(xml, "a/b[@id=\"2\"]"), "y");
    assert_eq!(text(xml, "a/*[last()]"), "z");
    assert_eq!(text(xml, "count(//b) + 1"), "3");
    assert_eq!(text(xml, "a/c/preceding-sibling::b"), "x");
}

#[test]
fn only_well_formed_texts_are_read() {
    assert!(parse::parse("<a><b></a>").is_none());
    assert!(parse::parse("<a/> x").is_none());
    assert_eq!(text("<a>&lt;&#65;<![CDATA[<]]></a>", "a"), "<A<");
}
