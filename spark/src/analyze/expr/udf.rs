//! SQL functions: their body takes the place of the call.

use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use crate::analyze::relation::Binding;
use crate::analyze::scope::Scope;
use crate::analyze::tables::SqlFunction;
use crate::analyze::typed::Typed;
use crate::analyze::{errors, naming};
use crate::spec::{self, CastMode, ExprKind, Function, FunctionBody, Subquery};

/// How deep functions may call each other; Spark refuses recursion when they are created.
const DEPTH: usize = 100;

impl Exprs<'_, '_> {
    /// A call of a SQL function.
    pub(super) fn sql_function(&self, found: &SqlFunction, call: &Function) -> SparkResult<Typed> {
        let args = self.sql_arguments(found, &call.args)?;
        // Defaults do not show.
        let texts: Vec<String> = args.iter().take(call.args.len()).map(|a| a.sql()).collect();
        let shown = naming::call(&found.name, &texts);
        let depth = self.analyzer.depth.get();
        if depth >= DEPTH {
            return Err(errors::unsupported("recursive SQL functions"));
        }
        let mut env = self.env.for_function(found.namespace.clone());
        for ((name, to, _), arg) in found.params.iter().zip(args) {
            let value = self.analyzer.coerce(arg, to)?;
            env.bindings.push(Binding {
                name: name.clone(),
                function: found.name.clone(),
                value,
                depth: env.outer.len(),
            });
        }
        self.analyzer.depth.set(depth + 1);
        let scope = Scope::default();
        let inner = Exprs::new(self.analyzer, &env, &scope);
        let body = match &found.body {
            FunctionBody::Expr(expr, _) => inner.resolve(expr),
            FunctionBody::Query(query, _) => {
                // The scope of the call is visible to the query through its arguments only, but as an outer one.
                let inner = Exprs { scope: self.scope, ..Exprs::new(self.analyzer, &env, self.scope) };
                inner.resolve(&ExprKind::Subquery(Subquery::Scalar(query.clone())).into())
            }
        };
        self.analyzer.depth.set(depth);
        let mut body = body?;
        if matches!(found.body, FunctionBody::Query(..)) {
            // A query without rows is NULL, whatever its columns say.
            body.nullable = true;
        }
        let out = match &found.returns {
            Some(to) if body.data_type != *to => self.analyzer.cast(body, to, CastMode::Session)?,
            _ => body,
        };
        Ok(out.named_as(shown))
    }

    /// Arguments of a SQL function in the order of its parameters, defaults filled in.
    pub(in crate::analyze) fn sql_arguments(
        &self,
        found: &SqlFunction,
        args: &[spec::Expr],
    ) -> SparkResult<Vec<Typed>> {
        let mut slots: Vec<Option<Typed>> = vec![None; found.params.len()];
        if args.len() > slots.len() {
            return Err(errors::wrong_num_args(&found.name, &slots.len().to_string(), args.len()));
        }
        for (index, arg) in args.iter().enumerate() {
            let (position, value) = match &*arg.kind {
                ExprKind::NamedArgument { name, value } => {
                    let position = found.params.iter().position(|(p, ..)| p.eq_ignore_ascii_case(name));
                    let position = position.ok_or_else(|| {
                        SparkError::analysis(
                            "UNRECOGNIZED_PARAMETER_NAME",
                            &[
                                ("routineName", &format!("`{}`", found.name)),
                                ("argumentName", &format!("`{name}`")),
                                ("proposal", ""),
                            ],
                        )
                    })?;
                    (position, value)
                }
                _ => (index, arg),
            };
            if let Some(slot) = slots.get_mut(position) {
                *slot = Some(self.resolve(value)?);
            }
        }
        let given = args.len();
        slots
            .into_iter()
            .zip(&found.params)
            .map(|(slot, (_, _, default))| match (slot, default) {
                (Some(value), _) => Ok(value),
                (None, Some(default)) => self.resolve(default),
                (None, None) => Err(errors::wrong_num_args(&found.name, &found.params.len().to_string(), given)),
            })
            .collect()
    }
}
