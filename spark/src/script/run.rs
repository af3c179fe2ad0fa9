//! Scripts and blocks: scopes, statements in order, and what a handler makes of an error.

use std::sync::Arc;

use firesteel_functions::error::{SparkError, SparkResult};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::handlers;
use super::scope::{Frame, Scopes, within};
use crate::command::Rows;
use crate::session::Session;
use crate::spec::{Block, Script, Statement};

/// What follows a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flow {
    /// The next one.
    Next,
    /// What stands behind the block or loop of this label.
    Leave(String),
    /// The next round of the loop of this label.
    Iterate(String),
}

/// A script at work.
pub(super) struct Runner {
    pub(super) session: Arc<Session>,
    pub(super) scopes: Scopes,
    /// Rows of the last query.
    pub(super) answer: Rows,
    /// Declared conditions in sight, innermost last.
    pub(super) conditions: Vec<(String, String)>,
}

/// Runs a script; its answer is that of the last query in it.
pub(crate) async fn run(session: &Arc<Session>, script: &Script) -> SparkResult<Rows> {
    if !session.conf().is_true("spark.sql.scripting.enabled") {
        let key = "\"spark.sql.scripting.enabled\"";
        return Err(SparkError::unsupported_feature("SQL_SCRIPTING", &[("sqlScriptingEnabled", key)]));
    }
    let scopes = Scopes::default();
    let mut runner =
        Runner { session: Arc::clone(session), scopes: Arc::clone(&scopes), answer: Rows::none(), conditions: vec![] };
    within(scopes, async {
        runner.block(&script.body).await?;
        Ok(runner.answer)
    })
    .await
}

impl Runner {
    /// `BEGIN ... END`.
    pub(super) fn block<'a>(&'a mut self, block: &'a Block) -> BoxFuture<'a, SparkResult<Flow>> {
        async move {
            self.scopes.lock().push(Frame { label: block.label.clone(), ..Frame::default() });
            let depth = self.scopes.lock().len();
            let conditions = self.conditions.len();
            self.conditions.extend(block.conditions.iter().cloned());
            let mut outcome = self.statements(&block.statements).await;
            if let Err(error) = &outcome
                && let Some(handler) = handlers::find(&block.handlers, error, &self.conditions)
            {
                // Scopes inside the block have ended with the error; the handler sees those of its own block.
                self.scopes.lock().truncate(depth);
                outcome = self.statements(&handler.body).await;
            }
            self.conditions.truncate(conditions);
            self.scopes.lock().truncate(depth - 1);
            match outcome? {
                Flow::Leave(label) if block.label.as_ref() == Some(&label) => Ok(Flow::Next),
                flow => Ok(flow),
            }
        }
        .boxed()
    }

    /// Statements up to the first that goes elsewhere.
    pub(super) fn statements<'a>(&'a mut self, statements: &'a [Statement]) -> BoxFuture<'a, SparkResult<Flow>> {
        async move {
            for statement in statements {
                let flow = self.step(statement).await?;
                if flow != Flow::Next {
                    return Ok(flow);
                }
                // A loop without queries must still be one that can be cancelled.
                tokio::task::yield_now().await;
            }
            Ok(Flow::Next)
        }
        .boxed()
    }
}
