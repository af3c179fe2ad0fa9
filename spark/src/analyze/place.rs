//! Where a recursive query may not refer to itself: where all of its rows would have to be there at once.
//!
//! It knows plans only.

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{JoinType, NullEquality};
use datafusion::logical_expr::{Join, LogicalPlan};
use firesteel_engine::recursion::{RecursionNode, WorkNode};

/// Whether the work of recursion `id` stands below an aggregate, a window, a sort, or on the side of a join that is searched.
pub(super) fn is_wrong(plan: &LogicalPlan, id: u64) -> bool {
    let mut wrong = false;
    // The closure never fails.
    let _ = plan.apply_with_subqueries(|node| {
        wrong |= match node {
            LogicalPlan::Aggregate(_) | LogicalPlan::Window(_) | LogicalPlan::Sort(_) => {
                node.inputs().into_iter().any(|input| reads(input, id))
            }
            LogicalPlan::Join(join) => wrong_side(join, id),
            _ => false,
        };
        Ok(if wrong { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    wrong
}

/// The recursion whose work a plan reads, if it is read at all.
pub(super) fn read_by(plan: &LogicalPlan) -> Option<u64> {
    let mut found = None;
    let _ = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Extension(extension) = node
            && let Some(work) = extension.node.as_any().downcast_ref::<WorkNode>()
        {
            found = Some(work.id());
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

fn wrong_side(join: &Join, id: u64) -> bool {
    // Set operations compare nulls as equal, and may stand anywhere.
    if join.null_equality == NullEquality::NullEqualsNull {
        return false;
    }
    match join.join_type {
        JoinType::Inner => false,
        JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => reads(&join.right, id),
        JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => reads(&join.left, id),
        JoinType::Full => reads(&join.left, id) || reads(&join.right, id),
    }
}

/// Whether a plan reads the work of a recursion, also from inside another one.
fn reads(plan: &LogicalPlan, id: u64) -> bool {
    let mut found = false;
    let _ = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Extension(extension) = node {
            let any = extension.node.as_any();
            found |= any.downcast_ref::<WorkNode>().is_some_and(|work| work.id() == id);
            found |= any
                .downcast_ref::<RecursionNode>()
                .is_some_and(|inner| reads(inner.anchor(), id) || reads(inner.step(), id));
        }
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    found
}
