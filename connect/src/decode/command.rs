//! Commands.

use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_proto::spark::connect as sc;
use firesteel_spark::spec::{Command, Relation, RelationKind, RowLevelOperation};
use sc::command::CommandType;
use sc::execute_plan_response::ResponseType;
use sc::ml_command::Command as MlCommand;
use sc::relation::RelType;

use super::{Decoder, Request, extension, invalid, missing, unset};

impl Decoder<'_> {
    pub(super) fn command(&self, from: sc::Command) -> SparkResult<Request> {
        let command = match from.command_type.ok_or_else(|| unset("Command", "command_type"))? {
            CommandType::SqlCommand(sql) => return self.sql_command(sql),
            CommandType::WriteOperation(write) => self.write(write)?,
            CommandType::WriteOperationV2(write) => self.write_v2(write)?,
            CommandType::CreateDataframeView(view) => Command::CreateTempView {
                input: self.relation(view.input.ok_or_else(|| missing("CreateDataFrameViewCommand", "input"))?)?,
                name: view.name,
                replace: view.replace,
                global: view.is_global,
            },
            CommandType::CheckpointCommand(checkpoint) => {
                let input = checkpoint.relation.ok_or_else(|| missing("CheckpointCommand", "relation"))?;
                return Ok(Request::Checkpoint(Command::Checkpoint {
                    input: self.relation(input)?,
                    local: checkpoint.local,
                    eager: checkpoint.eager,
                }));
            }
            CommandType::RemoveCachedRemoteRelationCommand(remove) => Command::RemoveCachedRemote {
                id: remove
                    .relation
                    .ok_or_else(|| missing("RemoveCachedRemoteRelationCommand", "relation"))?
                    .relation_id,
            },
            CommandType::MergeIntoTableCommand(merge) => Command::RowLevel {
                operation: RowLevelOperation::Merge,
                table: self.language.identifier(&merge.target_table_name)?,
            },
            CommandType::GetResourcesCommand(_) => {
                return Ok(Request::Answer(ResponseType::GetResourcesCommandResult(Default::default())));
            }
            // Every client sends this when it exits; there is no ML cache, so it is clean.
            CommandType::MlCommand(sc::MlCommand {
                command: Some(MlCommand::CleanCache(_) | MlCommand::Delete(_)),
            }) => {
                return Ok(Request::Answer(ResponseType::MlCommandResult(Default::default())));
            }
            CommandType::MlCommand(_) => return Err(SparkError::unsupported("Spark ML")),
            CommandType::RegisterFunction(function) => return Err(unsupported_function(&function)),
            CommandType::RegisterTableFunction(_) => return Err(SparkError::unsupported("Python table functions")),
            CommandType::RegisterDataSource(_) => return Err(SparkError::unsupported("Python data sources")),
            CommandType::WriteStreamOperationStart(_)
            | CommandType::StreamingQueryCommand(_)
            | CommandType::StreamingQueryListenerBusCommand(_) => {
                return Err(SparkError::unsupported("structured streaming"));
            }
            CommandType::StreamingQueryManagerCommand(_) => {
                return Err(SparkError::unsupported("structured streaming"));
            }
            CommandType::CreateResourceProfileCommand(_) => return Err(SparkError::unsupported("resource profiles")),
            CommandType::ExecuteExternalCommand(_) => return Err(SparkError::unsupported("external commands")),
            CommandType::PipelineCommand(_) => return Err(SparkError::unsupported("declarative pipelines")),
            CommandType::Extension(any) => return Err(extension(&any)),
        };
        Ok(Request::Command(command))
    }

    /// SQL text that the client wants run now if it is a command, or kept as a relation if it is a query.
    #[expect(deprecated, reason = "older clients send the text itself instead of a relation")]
    fn sql_command(&self, from: sc::SqlCommand) -> SparkResult<Request> {
        let echo = match from.input {
            Some(input) => input,
            None => sc::Relation {
                common: None,
                rel_type: Some(RelType::Sql(sc::Sql {
                    query: from.sql,
                    args: from.args,
                    pos_args: from.pos_args,
                    named_arguments: from.named_arguments,
                    pos_arguments: from.pos_arguments,
                })),
            },
        };
        let relation = self.relation(echo.clone())?;
        let Some(text) = sql_text(&relation) else {
            return Err(invalid("SQL_COMMAND_EXPECTS_SQL_OR_WITH_RELATIONS", &[("other", "another relation")]));
        };
        let text = text.to_string();
        Ok(Request::Sql { text, relation, echo: Box::new(echo) })
    }
}

fn sql_text(relation: &Relation) -> Option<&str> {
    match relation.kind.as_ref() {
        RelationKind::Sql { text, .. } => Some(text),
        RelationKind::WithRelations { root, .. } => sql_text(root),
        _ => None,
    }
}

fn unsupported_function(function: &sc::CommonInlineUserDefinedFunction) -> SparkError {
    use sc::common_inline_user_defined_function::Function;
    match function.function {
        Some(Function::PythonUdf(_)) => {
            SparkError::unsupported(format!("Python functions (registering '{}')", function.function_name))
        }
        _ => SparkError::unsupported(format!(
            "functions of the JVM (registering '{}'): this engine has no JVM",
            function.function_name
        )),
    }
}
