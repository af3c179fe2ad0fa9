//! Single statements of a script: SQL, conditions and loops.

use datafusion::common::ScalarValue;
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::DataType;

use super::run::{Flow, Runner};
use super::scope::Frame;
use crate::analyze::Variable;
use crate::command::{self, Rows};
use crate::source::failure;
use crate::spec::{Command, Expr, ExprKind, Function, Plan, Relation, Statement, Test};

impl Runner {
    /// One statement.
    pub(super) async fn step(&mut self, statement: &Statement) -> SparkResult<Flow> {
        match statement {
            Statement::Sql(plan) => {
                self.sql(plan).await?;
                Ok(Flow::Next)
            }
            Statement::Block(block) => self.block(block).await,
            Statement::If { branches, otherwise } => {
                for (condition, body) in branches {
                    if self.holds(condition).await? {
                        return self.statements(body).await;
                    }
                }
                self.statements(otherwise).await
            }
            Statement::Case { value, branches, otherwise } => {
                for (item, body) in branches {
                    let equal = Function::new(vec!["=".to_string()], vec![value.clone(), item.expr.clone()]);
                    let test = Test { expr: ExprKind::Function(equal).into(), text: item.text.clone() };
                    if self.holds(&test).await? {
                        return self.statements(body).await;
                    }
                }
                self.statements(otherwise).await
            }
            Statement::While { label, condition, body } => {
                while self.holds(condition).await? {
                    if let Some(flow) = round(self.statements(body).await?, label.as_ref()) {
                        return Ok(flow);
                    }
                }
                Ok(Flow::Next)
            }
            Statement::Repeat { label, body, until } => loop {
                if let Some(flow) = round(self.statements(body).await?, label.as_ref()) {
                    return Ok(flow);
                }
                if self.holds(until).await? {
                    return Ok(Flow::Next);
                }
            },
            Statement::Loop { label, body } => loop {
                if let Some(flow) = round(self.statements(body).await?, label.as_ref()) {
                    return Ok(flow);
                }
            },
            Statement::For { label, variable, query, body } => {
                self.rows(label.as_ref(), variable.as_ref(), query, body).await
            }
            Statement::Leave(label) => Ok(Flow::Leave(label.clone())),
            Statement::Iterate(label) => Ok(Flow::Iterate(label.clone())),
        }
    }

    /// A SQL statement; the rows of a query are the script's answer until the next one.
    async fn sql(&mut self, plan: &Plan) -> SparkResult<()> {
        match plan {
            Plan::Query(query) => self.answer = self.query(query).await?,
            Plan::Command(command) => {
                let asks = matches!(command.as_ref(), Command::ExecuteImmediate { into, .. } if into.is_empty());
                let rows = Box::pin(command::run(&self.session, command.as_ref().clone())).await?;
                if asks && !rows.schema.fields.is_empty() {
                    self.answer = rows;
                }
            }
        }
        Ok(())
    }

    async fn query(&self, query: &Relation) -> SparkResult<Rows> {
        let ctx = self.session.context()?;
        let analyzed = self.session.analyze_in(&ctx, query, &Default::default()).await?;
        let batches = self.session.collect(&ctx, analyzed.plan, "script").await?;
        Ok(Rows { schema: analyzed.schema, batches })
    }

    /// Whether a condition is true. NULL is not.
    async fn holds(&self, test: &Test) -> SparkResult<bool> {
        let invalid = || SparkError::analysis("INVALID_BOOLEAN_STATEMENT", &[("invalidStatement", test.text.trim())]);
        let (data_type, value) = self.value(&test.expr).await?;
        match (data_type, value) {
            (DataType::Boolean, ScalarValue::Boolean(value)) => Ok(value.unwrap_or(false)),
            _ => Err(invalid()),
        }
    }

    /// The value of an expression, which may hold subqueries.
    async fn value(&self, expr: &Expr) -> SparkResult<(DataType, ScalarValue)> {
        let query = crate::spec::RelationKind::Project {
            input: crate::spec::RelationKind::OneRow.into(),
            exprs: vec![expr.clone()],
        };
        let rows = self.query(&query.into()).await?;
        let data_type = rows.schema.fields.first().map(|field| field.data_type.clone());
        let column = rows.batches.iter().find(|batch| batch.num_rows() > 0).and_then(|batch| batch.columns().first());
        match (data_type, column) {
            (Some(data_type), Some(column)) => {
                Ok((data_type, ScalarValue::try_from_array(column, 0).map_err(failure)?))
            }
            _ => Err(SparkError::internal("a condition has no value")),
        }
    }

    /// `FOR`: the columns of each row are variables of the body.
    async fn rows(
        &mut self,
        label: Option<&String>,
        variable: Option<&String>,
        query: &Relation,
        body: &[Statement],
    ) -> SparkResult<Flow> {
        let rows = self.query(query).await?;
        for batch in &rows.batches {
            for row in 0..batch.num_rows() {
                let mut frame = Frame { label: variable.cloned(), ..Frame::default() };
                for (field, column) in rows.schema.fields.iter().zip(batch.columns()) {
                    let value = ScalarValue::try_from_array(column, row).map_err(failure)?;
                    let value = Variable { data_type: field.data_type.clone(), value };
                    frame.variables.insert(field.name.to_lowercase(), value);
                }
                self.scopes.lock().push(frame);
                let depth = self.scopes.lock().len();
                let outcome = self.statements(body).await;
                self.scopes.lock().truncate(depth - 1);
                if let Some(flow) = round(outcome?, label) {
                    return Ok(flow);
                }
            }
        }
        Ok(Flow::Next)
    }
}

/// What a loop does after a round: go on (`None`), or end with this.
fn round(flow: Flow, label: Option<&String>) -> Option<Flow> {
    match flow {
        Flow::Next => None,
        Flow::Iterate(of) if label == Some(&of) => None,
        Flow::Leave(of) if label == Some(&of) => Some(Flow::Next),
        other => Some(other),
    }
}
