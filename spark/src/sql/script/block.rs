//! `BEGIN ... END` and the statements in it.

use firesteel_functions::{SparkError, SparkResult};

use super::super::cursor::Cursor;
use super::super::lexer::Kind;
use super::super::{expr, name, query, statement, utility};
use super::{control, handler};
use crate::spec::{Block, Command, Plan, Script, Statement};

/// What surrounds a statement.
#[derive(Debug, Clone, Default)]
pub(super) struct Around {
    /// Labels and names of rows around, with whether they belong to a loop.
    pub(super) labels: Vec<(String, bool)>,
}

impl Around {
    /// Inside something with this label.
    pub(super) fn labelled(&self, label: Option<&String>, of_loop: bool) -> SparkResult<Self> {
        let mut inner = self.clone();
        if let Some(label) = label {
            const FORBIDDEN: [&str; 4] = ["builtin", "session", "sys", "system"];
            if FORBIDDEN.contains(&label.as_str()) {
                return Err(wrong("LABEL_OR_FOR_VARIABLE_NAME_FORBIDDEN", &[("label", &id(label))]));
            }
            if self.labels.iter().any(|(known, _)| known == label) {
                return Err(wrong("LABEL_OR_FOR_VARIABLE_ALREADY_EXISTS", &[("label", &id(label))]));
            }
            inner.labels.push((label.clone(), of_loop));
        }
        Ok(inner)
    }
}

/// An error of a script's shape.
pub(super) fn wrong(condition: &str, parameters: &[(&str, &str)]) -> SparkError {
    SparkError::analysis(condition, parameters)
}

/// A name as messages show it.
pub(super) fn id(name: &str) -> String {
    firesteel_functions::error::quote_identifier(&[name])
}

/// A whole script.
pub(in crate::sql) fn script(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    Ok(Command::Script(Script { body: block(cursor, None, &Around::default())? }))
}

/// `BEGIN [NOT ATOMIC] ... END [label]`.
pub(super) fn block(cursor: &mut Cursor<'_>, label: Option<String>, around: &Around) -> SparkResult<Block> {
    let around = around.labelled(label.as_ref(), false)?;
    cursor.expect_word("BEGIN")?;
    cursor.eat_words(&["NOT", "ATOMIC"]);
    let mut block = Block { label, ..Block::default() };
    let mut stage = Stage::Variables;
    while !cursor.word("END") || cursor.is_at(1, ":") {
        if cursor.word("DECLARE") && handler::ahead(cursor) {
            if stage > Stage::Handlers {
                return Err(wrong("INVALID_HANDLER_DECLARATION.WRONG_PLACE_OF_DECLARATION", &[]));
            }
            stage = Stage::Handlers;
            let handler = handler::handler(cursor, &block, &around)?;
            block.handlers.push(handler);
        } else if cursor.word("DECLARE") && cursor.word_at(2, "CONDITION") {
            let (condition, state) = handler::condition(cursor)?;
            if stage > Stage::Variables {
                let condition = [("conditionName", id(&condition))];
                let [(key, shown)] = &condition;
                let sub = "INVALID_ERROR_CONDITION_DECLARATION.NOT_AT_START_OF_COMPOUND_STATEMENT";
                return Err(wrong(sub, &[(key, shown)]));
            }
            if block.conditions.iter().any(|(known, _)| *known == condition) {
                return Err(wrong("DUPLICATE_CONDITION_IN_SCOPE", &[("condition", &id(&condition))]));
            }
            block.conditions.push((condition, state));
        } else if cursor.word("DECLARE") && cursor.word_at(2, "CURSOR") {
            return Err(SparkError::unsupported_feature("SQL_CURSOR", &[]));
        } else if cursor.word("DECLARE") {
            let Command::DeclareVariable { names, data_type, default, replace } = utility::declare(cursor)? else {
                return Err(cursor.unexpected());
            };
            let shown = names.first().map(|name| firesteel_functions::error::quote_identifier(name));
            let shown = shown.unwrap_or_default();
            let refused = |sub: &str| {
                let condition = format!("INVALID_VARIABLE_DECLARATION.{sub}");
                Err(wrong(&condition, &[("varName", &shown)]))
            };
            if stage > Stage::Variables {
                return refused("ONLY_AT_BEGINNING");
            }
            if replace {
                return refused("REPLACE_LOCAL_VARIABLE");
            }
            if names.iter().any(|name| name.len() > 1) {
                return refused("QUALIFIED_LOCAL_VARIABLE");
            }
            let declare = Command::DeclareVariable { names, data_type, default, replace };
            block.statements.push(Statement::Sql(Plan::Command(Box::new(declare))));
        } else {
            stage = Stage::Statements;
            block.statements.push(one(cursor, &around)?);
        }
        cursor.expect(";")?;
    }
    cursor.expect_word("END")?;
    end_label(cursor, block.label.as_ref())?;
    Ok(block)
}

/// The parts of a block come in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Variables,
    Handlers,
    Statements,
}

/// `[label]` after an `END`.
pub(super) fn end_label(cursor: &mut Cursor<'_>, label: Option<&String>) -> SparkResult<()> {
    if !cursor.is_name() {
        return Ok(());
    }
    let end = name::plain(cursor)?.to_lowercase();
    match label {
        Some(label) if *label == end => Ok(()),
        Some(label) => Err(wrong("LABELS_MISMATCH", &[("beginLabel", &id(label)), ("endLabel", &id(&end))])),
        None => Err(wrong("END_LABEL_WITHOUT_BEGIN_LABEL", &[("endLabel", &id(&end))])),
    }
}

/// Statements up to one of these words, each with its semicolon.
pub(super) fn body(cursor: &mut Cursor<'_>, around: &Around, ends: &[&str]) -> SparkResult<Vec<Statement>> {
    let mut statements = Vec::new();
    while !cursor.any_word(ends) {
        if cursor.word("DECLARE") {
            if handler::ahead(cursor) {
                return Err(wrong("INVALID_HANDLER_DECLARATION.WRONG_PLACE_OF_DECLARATION", &[]));
            }
            let shown = id(cursor.peek_at(1).text);
            return Err(wrong("INVALID_VARIABLE_DECLARATION.NOT_ALLOWED_IN_SCOPE", &[("varName", &shown)]));
        }
        statements.push(one(cursor, around)?);
        cursor.expect(";")?;
    }
    if statements.is_empty() { Err(cursor.unexpected()) } else { Ok(statements) }
}

/// One statement, without its semicolon.
pub(super) fn one(cursor: &mut Cursor<'_>, around: &Around) -> SparkResult<Statement> {
    cursor.nested(|cursor| {
        let label = if cursor.is_name() && cursor.is_at(1, ":") {
            let label = name::plain(cursor)?.to_lowercase();
            cursor.expect(":")?;
            Some(label)
        } else {
            None
        };
        if let Some(found) = control::control(cursor, label.clone(), around)? {
            return Ok(found);
        }
        if label.is_some() || cursor.peek().kind == Kind::End {
            return Err(cursor.unexpected());
        }
        if cursor.word("SET") {
            return set(cursor).map(|command| Statement::Sql(Plan::Command(Box::new(command))));
        }
        if cursor.words(&["DROP", "TEMPORARY", "VARIABLE"]) || cursor.words(&["DROP", "TEMPORARY", "VAR"]) {
            return Err(SparkError::unsupported_feature("SQL_SCRIPTING_DROP_TEMPORARY_VARIABLE", &[]));
        }
        if cursor.any_word(&["OPEN", "FETCH", "CLOSE"]) {
            return Err(SparkError::unsupported_feature("SQL_CURSOR", &[]));
        }
        statement::statement(cursor).map(Statement::Sql)
    })
}

/// `SET` in a script assigns variables; settings are not set this way.
fn set(cursor: &mut Cursor<'_>) -> SparkResult<Command> {
    cursor.expect_word("SET")?;
    if cursor.is("(") {
        let targets = cursor.parenthesized(name::multipart)?;
        cursor.expect("=")?;
        cursor.expect("(")?;
        let query = query::query(cursor)?;
        cursor.expect(")")?;
        return Ok(Command::SetVariable { targets, values: vec![], query: Some(query) });
    }
    let (mut targets, mut values) = (vec![], vec![]);
    loop {
        targets.push(name::multipart(cursor)?);
        cursor.expect("=")?;
        values.push(expr::expression(cursor)?);
        if !cursor.eat(",") {
            return Ok(Command::SetVariable { targets, values, query: None });
        }
    }
}
