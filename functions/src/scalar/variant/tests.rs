//! Facts from Spark 4.3, and that encoding loses nothing.

use super::{Node, decode, from_json, schema};
use crate::scalar::json::parse::{Grammar, parse};
use crate::time::Zone;

fn variant(text: &str) -> Node {
    from_json(&parse(text, Grammar::default()).unwrap().unwrap()).unwrap()
}

#[test]
fn what_is_encoded_is_decoded() {
    let long = "x".repeat(300);
    for text in
        ["null", "[1,-200,70000,5000000000]", "{\"b\":1.50,\"a\":{\"c\":[true,null]}}", &format!("[\"{long}\"]")]
    {
        let node = variant(text);
        assert_eq!(decode(&node.encode()).unwrap(), node);
    }
    let wide: Vec<Node> = (0..300).map(Node::Long).collect();
    assert_eq!(decode(&Node::Array(wide.clone()).encode()).unwrap(), Node::Array(wide));
}

#[test]
fn fields_are_sorted_and_numbers_lose_their_zeros() {
    let text = variant("{\"b\":1.00,\"a\":1e3,\"c\":100.0}").to_json(&Zone::UTC).compact();
    assert_eq!(text, "{\"a\":1000.0,\"b\":1,\"c\":100}");
}

#[test]
fn schemas_merge_to_variant_where_values_disagree() {
    assert_eq!(schema::of(&variant("[1,\"x\"]")).to_string(), "ARRAY<VARIANT>");
    assert_eq!(
        schema::of(&variant("{\"g\":[1,1.5],\"e\":null}")).to_string(),
        "OBJECT<e: VOID, g: ARRAY<DECIMAL(21,1)>>"
    );
}
