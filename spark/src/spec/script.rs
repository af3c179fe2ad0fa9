//! SQL scripts: compound statements, loops, conditions and handlers, as they were written.

use super::{Expr, Plan, Relation};

/// A SQL script.
#[derive(Debug, Clone)]
pub struct Script {
    /// `BEGIN ... END`.
    pub body: Block,
}

/// `[label:] BEGIN ... END [label]`.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// Label, lower case.
    pub label: Option<String>,
    /// `DECLARE c CONDITION FOR SQLSTATE '...'`: name in upper case, and SQLSTATE.
    pub conditions: Vec<(String, String)>,
    /// `DECLARE EXIT HANDLER FOR ...`.
    pub handlers: Vec<Handler>,
    /// Statements.
    pub statements: Vec<Statement>,
}

/// A handler of errors.
#[derive(Debug, Clone)]
pub struct Handler {
    /// What it handles.
    pub triggers: Vec<Trigger>,
    /// What it does before its block ends.
    pub body: Vec<Statement>,
}

/// What a handler handles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// `SQLEXCEPTION`.
    Exception,
    /// `NOT FOUND`.
    NotFound,
    /// `SQLSTATE '22012'`.
    SqlState(String),
    /// A declared condition or one of Spark's, upper case.
    Condition(String),
}

/// A condition or value with its text, for messages.
#[derive(Debug, Clone)]
pub struct Test {
    /// Expression.
    pub expr: Expr,
    /// As written.
    pub text: String,
}

/// A statement of a script.
#[derive(Debug, Clone)]
pub enum Statement {
    /// A SQL statement.
    Sql(Plan),
    /// `BEGIN ... END`.
    Block(Block),
    /// `IF` and searched `CASE`.
    If {
        /// Conditions and what follows from them.
        branches: Vec<(Test, Vec<Self>)>,
        /// `ELSE`.
        otherwise: Vec<Self>,
    },
    /// `CASE value WHEN ...`.
    Case {
        /// The value, evaluated for each comparison.
        value: Expr,
        /// Values and what follows from them.
        branches: Vec<(Test, Vec<Self>)>,
        /// `ELSE`.
        otherwise: Vec<Self>,
    },
    /// `WHILE`.
    While {
        /// Label.
        label: Option<String>,
        /// Condition.
        condition: Test,
        /// Body.
        body: Vec<Self>,
    },
    /// `REPEAT ... UNTIL`.
    Repeat {
        /// Label.
        label: Option<String>,
        /// Body.
        body: Vec<Self>,
        /// Ends the loop when true.
        until: Test,
    },
    /// `LOOP`.
    Loop {
        /// Label.
        label: Option<String>,
        /// Body.
        body: Vec<Self>,
    },
    /// `FOR [v AS] query DO`.
    For {
        /// Label.
        label: Option<String>,
        /// The row's name.
        variable: Option<String>,
        /// Rows.
        query: Relation,
        /// Body.
        body: Vec<Self>,
    },
    /// `LEAVE label`.
    Leave(String),
    /// `ITERATE label`.
    Iterate(String),
}
