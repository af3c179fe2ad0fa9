//! Changes of variants at a path: `variant_insert`, `variant_set`, `variant_array_append`, `variant_delete`,
//! `variant_strip_nulls`.

use super::Node;
use super::path::{Step, text};
use crate::error::{SparkError, SparkResult};

/// Array positions beyond this are refused rather than filled with nulls.
const FARTHEST: usize = 16 * 1024 * 1024;

/// What to do at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edit {
    /// Add a field or move items aside.
    Insert,
    /// Replace or add.
    Set,
    /// Replace only.
    Replace,
}

/// A change of one function call.
pub(super) struct Change<'a> {
    /// Function name, for errors.
    pub(super) function: &'a str,
    /// The path as written.
    pub(super) path: &'a str,
    /// Its steps.
    pub(super) steps: &'a [Step],
}

impl Change<'_> {
    fn mismatch(&self, done: usize) -> SparkError {
        let at = text(self.steps.get(..done).unwrap_or_default());
        SparkError::runtime(
            "VARIANT_PATH_TYPE_MISMATCH",
            &[("path", self.path), ("failedAt", &at), ("functionName", &format!("`{}`", self.function))],
        )
    }

    /// Inserts or sets a value.
    ///
    /// # Errors
    /// `VARIANT_DUPLICATE_KEY`, `VARIANT_PATH_TYPE_MISMATCH`.
    pub(super) fn put(&self, node: &mut Node, done: usize, edit: Edit, value: Node) -> SparkResult<()> {
        let Some(step) = self.steps.get(done) else {
            *node = value;
            return Ok(());
        };
        let last = done + 1 == self.steps.len();
        let rest = self.steps.get(done + 1..).unwrap_or_default();
        match (node, step) {
            (Node::Object(fields), Step::Key(key)) => match fields.iter_mut().find(|(name, _)| name == key) {
                Some(_) if last && edit == Edit::Insert => {
                    Err(SparkError::runtime("VARIANT_DUPLICATE_KEY", &[("key", key)]))
                }
                Some((_, next)) => self.put(next, done + 1, edit, value),
                None if edit == Edit::Replace => Ok(()),
                None => {
                    fields.push((key.clone(), fresh(rest, value)?));
                    fields.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
                    Ok(())
                }
            },
            (Node::Array(items), Step::Index(at)) => {
                if last && edit == Edit::Insert && *at < items.len() {
                    items.insert(*at, value);
                    return Ok(());
                }
                match items.get_mut(*at) {
                    Some(next) => self.put(next, done + 1, edit, value),
                    None if edit == Edit::Replace => Ok(()),
                    None => {
                        fill(items, *at)?;
                        items.push(fresh(rest, value)?);
                        Ok(())
                    }
                }
            }
            _ => Err(self.mismatch(done)),
        }
    }

    /// Appends to the array at the path; a path that leads nowhere changes nothing.
    ///
    /// # Errors
    /// `VARIANT_PATH_TYPE_MISMATCH`.
    pub(super) fn append(&self, node: &mut Node, done: usize, value: Node) -> SparkResult<()> {
        match (node, self.steps.get(done)) {
            (Node::Array(items), None) => {
                items.push(value);
                Ok(())
            }
            (Node::Object(fields), Some(Step::Key(key))) => match fields.iter_mut().find(|(name, _)| name == key) {
                Some((_, next)) => self.append(next, done + 1, value),
                None => Ok(()),
            },
            (Node::Array(items), Some(Step::Index(at))) => match items.get_mut(*at) {
                Some(next) => self.append(next, done + 1, value),
                None => Ok(()),
            },
            _ => Err(self.mismatch(done)),
        }
    }

    /// Removes what the path leads to, if anything.
    pub(super) fn delete(&self, node: &mut Node, done: usize) {
        let last = done + 1 == self.steps.len();
        match (node, self.steps.get(done)) {
            (Node::Object(fields), Some(Step::Key(key))) if last => fields.retain(|(name, _)| name != key),
            (Node::Object(fields), Some(Step::Key(key))) => {
                if let Some((_, next)) = fields.iter_mut().find(|(name, _)| name == key) {
                    self.delete(next, done + 1);
                }
            }
            (Node::Array(items), Some(Step::Index(at))) if last && *at < items.len() => {
                items.remove(*at);
            }
            (Node::Array(items), Some(Step::Index(at))) => {
                if let Some(next) = items.get_mut(*at) {
                    self.delete(next, done + 1);
                }
            }
            _ => {}
        }
    }
}

fn fill(items: &mut Vec<Node>, length: usize) -> SparkResult<()> {
    if length > FARTHEST {
        return Err(SparkError::runtime(
            "VARIANT_SIZE_LIMIT",
            &[("sizeLimit", "128.0 MiB"), ("functionName", "`variant`")],
        ));
    }
    items.resize(length.max(items.len()), Node::Null);
    Ok(())
}

/// What the rest of a path makes around a value.
fn fresh(steps: &[Step], value: Node) -> SparkResult<Node> {
    steps.iter().rev().try_fold(value, |inner, step| match step {
        Step::Key(key) => Ok(Node::Object(vec![(key.clone(), inner)])),
        Step::Index(at) => {
            let mut items = vec![];
            fill(&mut items, *at)?;
            items.push(inner);
            Ok(Node::Array(items))
        }
    })
}

/// Removes fields that are null, and null items too if `items`.
pub(super) fn strip(node: &mut Node, items_too: bool) {
    match node {
        Node::Object(fields) => {
            fields.retain(|(_, value)| *value != Node::Null);
            fields.iter_mut().for_each(|(_, value)| strip(value, items_too));
        }
        Node::Array(items) => {
            if items_too {
                items.retain(|item| *item != Node::Null);
            }
            items.iter_mut().for_each(|item| strip(item, items_too));
        }
        _ => {}
    }
}
