//! When two plans make the same rows: when they are written down alike, but for the ids of their columns.
//!
//! Every use of a table gives its columns new ids (`#12`), which are names and nothing else. They are numbered anew in the
//! order in which they are met. An id in any other place, such as a text of the query that looks like one, is not
//! understood, and the plan is then equal to none.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;

use crate::cluster;

/// What is seen of a plan at a glance: equal plans look alike.
pub(super) fn shape(plan: &Arc<dyn ExecutionPlan>) -> String {
    let mut shape = String::new();
    // The closure never fails.
    let _ = plan.apply(|node| {
        let _ = write!(shape, "{}{};", node.name(), node.schema().fields().len());
        Ok(TreeNodeRecursion::Continue)
    });
    shape
}

/// All that is sent of a plan, with its columns numbered anew.
pub(super) fn text(plan: &Arc<dyn ExecutionPlan>) -> Option<String> {
    let node = PhysicalPlanNode::try_from_physical_plan(Arc::clone(plan), &cluster::codec()).ok()?;
    renumbered(&format!("{node:?}"))
}

/// The text with each id in a name replaced by its place among all; `None` when there is one elsewhere.
fn renumbered(text: &str) -> Option<String> {
    let (mut out, mut places) = (String::with_capacity(text.len()), HashMap::new());
    let (mut label, mut word) = (String::new(), String::new());
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        out.push(c);
        match c {
            '\\' if quoted => out.extend(chars.next()),
            '"' => {
                quoted = !quoted;
                if !word.is_empty() {
                    label = std::mem::take(&mut word);
                }
            }
            '#' if quoted && chars.peek().is_some_and(char::is_ascii_digit) => {
                if !is_name(&label) {
                    return None;
                }
                let mut id = String::new();
                while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                    id.push(digit);
                }
                let next = places.len();
                let _ = write!(out, "{}", places.entry(id).or_insert(next));
            }
            _ if quoted => {}
            c if c.is_ascii_alphanumeric() || c == '_' => word.push(c),
            _ if !word.is_empty() => label = std::mem::take(&mut word),
            _ => {}
        }
    }
    Some(out)
}

/// Whether a field of a message holds the name of a column, a group or an aggregate, or text made of such names. What a query
/// says itself is in other fields, also where it is shown in one of these.
fn is_name(field: &str) -> bool {
    field.ends_with("name") || matches!(field, "alias" | "human_display")
}

#[cfg(test)]
mod tests {
    use super::renumbered;

    #[test]
    fn ids_of_columns_are_names() {
        let at = |id: usize| {
            renumbered(&format!("Column {{ name: \"#{id}\", index: 0 }}, expr_name: [\"a\", \"#7\"], alias: \"#7\""))
        };
        assert!(at(12).is_some());
        assert_eq!(at(12), at(5));
        assert_ne!(at(12), at(7), "the same column twice is not two columns");
    }

    #[test]
    fn what_only_looks_like_an_id_makes_a_plan_equal_to_none() {
        assert_eq!(renumbered("Literal { value: Some(Utf8Value(\"#12\")) }"), None);
        assert_eq!(renumbered("path: \"data/#12.parquet\""), None);
        assert!(renumbered("name: \"#1\", value: Utf8Value(\"a \\\" #b\")").is_some());
    }
}
