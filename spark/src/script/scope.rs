//! Variables of the script that runs in this task, innermost scope last.
//!
//! They belong to the task, not to the session: another query of the same session must not see them.

use std::collections::BTreeMap;
use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult, quote_identifier};
use firesteel_functions::types::DataType;
use parking_lot::Mutex;

use crate::analyze::Variable;
use crate::spec::Expr;

/// One `BEGIN ... END` or row of a `FOR`.
#[derive(Debug, Clone, Default)]
pub(super) struct Frame {
    /// Label or name of the row.
    pub(super) label: Option<String>,
    /// By lower-case name.
    pub(super) variables: BTreeMap<String, Variable>,
    /// Their defaults.
    pub(super) defaults: BTreeMap<String, Expr>,
}

/// All scopes of a script.
pub(super) type Scopes = Arc<Mutex<Vec<Frame>>>;

tokio::task_local! {
    static SCOPES: Scopes;
}

/// Runs a script's statements with its scopes.
pub(super) async fn within<T>(scopes: Scopes, script: impl Future<Output = T>) -> T {
    SCOPES.scope(scopes, script).await
}

/// Runs what must not see the script's variables: the text of `EXECUTE IMMEDIATE`.
pub(crate) async fn outside<T>(work: impl Future<Output = T>) -> T {
    SCOPES.scope(Scopes::default(), work).await
}

fn with<T>(look: impl FnOnce(&mut Vec<Frame>) -> T) -> Option<T> {
    SCOPES.try_with(|scopes| look(&mut scopes.lock())).ok()
}

/// All variables in sight, by `name` and `label.name`.
pub(crate) fn locals() -> BTreeMap<String, Variable> {
    let mut all = BTreeMap::new();
    with(|frames| {
        for frame in frames.iter() {
            for (name, variable) in &frame.variables {
                all.insert(name.clone(), variable.clone());
                if let Some(label) = &frame.label {
                    all.insert(format!("{label}.{name}"), variable.clone());
                }
            }
        }
    });
    all
}

/// Where a local variable is.
#[derive(Debug, Clone)]
pub(crate) struct Assigned {
    frame: usize,
    name: String,
    /// Its type.
    pub(crate) data_type: DataType,
    /// Its default.
    pub(crate) default: Option<Expr>,
}

/// The local variable of this name.
pub(crate) fn declared(parts: &[String]) -> Option<Assigned> {
    let lower: Vec<String> = parts.iter().map(|part| part.to_lowercase()).collect();
    let (label, name) = match lower.as_slice() {
        [name] => (None, name),
        [label, name] => (Some(label), name),
        _ => return None,
    };
    with(|frames| {
        frames.iter().enumerate().rev().find_map(|(frame, found)| {
            if label.is_some() && found.label.as_ref() != label {
                return None;
            }
            let variable = found.variables.get(name)?;
            let default = found.defaults.get(name).cloned();
            Some(Assigned { frame, name: name.clone(), data_type: variable.data_type.clone(), default })
        })
    })?
}

/// Gives a local variable a value.
pub(crate) fn set(variable: &Assigned, value: Variable) {
    with(|frames| {
        if let Some(frame) = frames.get_mut(variable.frame) {
            frame.variables.insert(variable.name.clone(), value);
        }
    });
}

/// Declares variables in the innermost scope; `false` outside of scripts.
pub(crate) fn declare(names: &[String], value: &Variable, default: &Expr) -> SparkResult<bool> {
    let outcome = with(|frames| {
        let Some(frame) = frames.last_mut() else { return Ok(false) };
        for name in names {
            if frame.variables.contains_key(name) {
                let scope = frame.label.clone().unwrap_or_else(|| "script".to_string());
                let shown = quote_identifier(&[scope.as_str(), name]);
                return Err(SparkError::analysis("VARIABLE_ALREADY_EXISTS", &[("variableName", &shown)]));
            }
        }
        for name in names {
            frame.variables.insert(name.clone(), value.clone());
            frame.defaults.insert(name.clone(), default.clone());
        }
        Ok(true)
    });
    outcome.unwrap_or(Ok(false))
}
