//! Which handler an error belongs to.

use firesteel_functions::error::SparkError;

use crate::spec::{Handler, Trigger};

/// The handler of a block for an error: by condition before SQLSTATE before the general ones.
pub(super) fn find<'a>(
    handlers: &'a [Handler],
    error: &SparkError,
    conditions: &[(String, String)],
) -> Option<&'a Handler> {
    // What ends the script from outside is not the script's to handle.
    if error.condition() == "OPERATION_CANCELED" {
        return None;
    }
    let condition = error.condition().to_uppercase();
    let main = condition.split('.').next().unwrap_or_default().to_string();
    let state = error.sqlstate().unwrap_or_default().to_uppercase();
    let named = |trigger: &Trigger| match trigger {
        Trigger::Condition(name) => {
            *name == condition || *name == main || declared(name, conditions).is_some_and(|known| known == state)
        }
        _ => false,
    };
    let by_state = |trigger: &Trigger| matches!(trigger, Trigger::SqlState(wanted) if *wanted == state);
    let general = |trigger: &Trigger| match trigger {
        Trigger::NotFound => state.starts_with("02"),
        Trigger::Exception => !["00", "01", "02", "XX"].iter().any(|class| state.starts_with(class)),
        _ => false,
    };
    let with = |test: &dyn Fn(&Trigger) -> bool| handlers.iter().find(|handler| handler.triggers.iter().any(test));
    with(&named).or_else(|| with(&by_state)).or_else(|| with(&general))
}

fn declared<'a>(name: &str, conditions: &'a [(String, String)]) -> Option<&'a str> {
    conditions.iter().rev().find(|(known, _)| known == name).map(|(_, state)| state.as_str())
}
