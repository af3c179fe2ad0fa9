//! `AnalyzePlan`: questions about a plan that do not run it.

use arrow::array::AsArray;
use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_functions::types::{DataType, StructType};
use firesteel_proto::spark::connect as sc;
use firesteel_spark::spec::{Command, ExplainMode, Plan, Relation, RelationKind};
use sc::analyze_plan_request::{Analyze, explain};
use sc::analyze_plan_response::{self as answer, Result as Answer};
use tonic::Status;

use super::SPARK_VERSION;
use crate::decode::{Decoder, invalid};
use crate::encode;
use crate::error;
use crate::registry::Registry;
use crate::semantics;
use crate::session::ClientSession;

pub(super) async fn analyze(
    registry: &Registry,
    request: sc::AnalyzePlanRequest,
) -> Result<sc::AnalyzePlanResponse, Status> {
    let observed = request.client_observed_server_side_session_id.as_deref();
    let session = registry
        .open(request.user_context.as_ref(), &request.session_id, observed)
        .map_err(|error| error::status(&error))?;
    let unset = || {
        let parameters = [("fullName", "spark.connect.AnalyzePlanRequest"), ("name", "analyze")];
        session.status(&invalid("INVALID_ONE_OF_FIELD_NOT_SET", &parameters))
    };
    let question = request.analyze.ok_or_else(unset)?;
    let result = answer(&session, question).await.map_err(|error| session.status(&error))?;
    Ok(sc::AnalyzePlanResponse {
        session_id: request.session_id,
        server_side_session_id: session.server_side_id(),
        result: Some(result),
    })
}

async fn answer(session: &ClientSession, question: Analyze) -> SparkResult<Answer> {
    Ok(match question {
        Analyze::SparkVersion(_) => Answer::SparkVersion(answer::SparkVersion { version: SPARK_VERSION.to_string() }),
        Analyze::Schema(asked) => {
            let schema = schema_of(session, &query(session, asked.plan)?).await?;
            Answer::Schema(answer::Schema { schema: Some(encode::schema(&schema)) })
        }
        Analyze::TreeString(asked) => {
            let schema = schema_of(session, &query(session, asked.plan)?).await?;
            let level = asked.level.and_then(|level| usize::try_from(level).ok()).filter(|level| *level > 0);
            Answer::TreeString(answer::TreeString { tree_string: schema.tree_string(level) })
        }
        Analyze::Explain(asked) => {
            let mode = explain_mode(asked.explain_mode())?;
            let relation = query(session, asked.plan)?;
            let explain_string = explain(session, relation, mode).await?;
            Answer::Explain(answer::Explain { explain_string })
        }
        Analyze::IsLocal(asked) => {
            let relation = query(session, asked.plan)?;
            session.spark.analyze(&relation).await?;
            Answer::IsLocal(answer::IsLocal { is_local: is_local(&relation) })
        }
        Analyze::IsStreaming(asked) => {
            query(session, asked.plan)?;
            Answer::IsStreaming(answer::IsStreaming { is_streaming: false })
        }
        Analyze::InputFiles(asked) => {
            let files = session.spark.input_files(&query(session, asked.plan)?).await?;
            Answer::InputFiles(answer::InputFiles { files })
        }
        Analyze::DdlParse(asked) => {
            let parsed = session.language().data_type_or_schema(&asked.ddl_string)?;
            Answer::DdlParse(answer::DdlParse { parsed: Some(encode::data_type(&parsed)) })
        }
        Analyze::JsonToDdl(asked) => {
            let ddl_string = match DataType::from_json(&asked.json_string)? {
                DataType::Struct(fields) => fields.ddl(),
                other => other.sql(),
            };
            Answer::JsonToDdl(answer::JsonToDdl { ddl_string })
        }
        Analyze::SameSemantics(asked) => {
            let target = meaning(session, &query(session, asked.target_plan)?).await?;
            let other = meaning(session, &query(session, asked.other_plan)?).await?;
            Answer::SameSemantics(answer::SameSemantics { result: target == other })
        }
        Analyze::SemanticHash(asked) => {
            let meaning = meaning(session, &query(session, asked.plan)?).await?;
            Answer::SemanticHash(answer::SemanticHash { result: semantics::hash(&meaning) })
        }
        Analyze::Persist(asked) => {
            let meaning = meaning(session, &relation(session, asked.relation)?).await?;
            let level = asked.storage_level.unwrap_or_else(default_level);
            session.persisted.lock().entry(meaning).or_insert(level);
            Answer::Persist(answer::Persist {})
        }
        Analyze::Unpersist(asked) => {
            let meaning = meaning(session, &relation(session, asked.relation)?).await?;
            session.persisted.lock().remove(&meaning);
            Answer::Unpersist(answer::Unpersist {})
        }
        Analyze::GetStorageLevel(asked) => {
            let meaning = meaning(session, &relation(session, asked.relation)?).await?;
            let kept = session.persisted.lock().get(&meaning).cloned();
            let not_kept = sc::StorageLevel { replication: 1, ..Default::default() };
            let storage_level = Some(kept.unwrap_or(not_kept));
            Answer::GetStorageLevel(answer::GetStorageLevel { storage_level })
        }
    })
}

fn query(session: &ClientSession, plan: Option<sc::Plan>) -> SparkResult<Relation> {
    Decoder::new(&session.language(), &session.artifacts).query(plan)
}

fn relation(session: &ClientSession, relation: Option<sc::Relation>) -> SparkResult<Relation> {
    let relation = relation.ok_or_else(|| {
        let parameters = [("fieldName", "relation"), ("fullName", "spark.connect.AnalyzePlanRequest")];
        invalid("FIELD_CANNOT_BE_EMPTY", &parameters)
    })?;
    Decoder::new(&session.language(), &session.artifacts).relation(relation)
}

async fn schema_of(session: &ClientSession, relation: &Relation) -> SparkResult<StructType> {
    Ok(session.spark.analyze(relation).await?.schema)
}

async fn meaning(session: &ClientSession, relation: &Relation) -> SparkResult<String> {
    Ok(semantics::canonical(&session.spark.meaning(relation).await?))
}

/// What the command `EXPLAIN` says: one row of text.
async fn explain(session: &ClientSession, relation: Relation, mode: ExplainMode) -> SparkResult<String> {
    let command = Command::Explain { mode, plan: Plan::Query(relation) };
    let (_, batches) = session.spark.execute_command_eagerly(Plan::Command(Box::new(command))).await?;
    let text = batches.iter().find(|batch| batch.num_rows() > 0).and_then(|batch| {
        let column = batch.columns().first()?.as_string_opt::<i32>()?;
        Some(column.value(0).to_string())
    });
    text.ok_or_else(|| SparkError::internal("EXPLAIN gave no text"))
}

fn explain_mode(mode: explain::ExplainMode) -> SparkResult<ExplainMode> {
    Ok(match mode {
        explain::ExplainMode::Simple => ExplainMode::Simple,
        explain::ExplainMode::Extended => ExplainMode::Extended,
        explain::ExplainMode::Codegen => ExplainMode::Codegen,
        explain::ExplainMode::Cost => ExplainMode::Cost,
        explain::ExplainMode::Formatted => ExplainMode::Formatted,
        explain::ExplainMode::Unspecified => {
            return Err(SparkError::analysis(
                "CONNECT_INVALID_PLAN.INVALID_ENUM",
                &[("fullName", "spark.connect.AnalyzePlanRequest.Explain"), ("name", "explain_mode"), ("number", "0")],
            ));
        }
    })
}

/// Whether the rows are at hand without any job.
fn is_local(relation: &Relation) -> bool {
    matches!(
        relation.kind.as_ref(),
        RelationKind::Local { .. } | RelationKind::Values(_) | RelationKind::Command(_) | RelationKind::Catalog(_)
    )
}

/// `MEMORY_AND_DISK_DESER`, Spark's default.
fn default_level() -> sc::StorageLevel {
    sc::StorageLevel { use_disk: true, use_memory: true, use_off_heap: false, deserialized: true, replication: 1 }
}
