//! Progress of a running job.

use firesteel_engine::job::JobProgress;
use firesteel_proto::spark::connect as sc;
use sc::execute_plan_response::ExecutionProgress;
use sc::execute_plan_response::execution_progress::StageInfo;

/// Progress as a message.
pub(crate) fn progress(from: &JobProgress) -> ExecutionProgress {
    let stage = |stage: &firesteel_engine::job::StageProgress| StageInfo {
        stage_id: stage.stage_id,
        num_tasks: stage.tasks,
        num_completed_tasks: stage.completed_tasks,
        input_bytes_read: stage.input_bytes_read,
        done: stage.done,
    };
    ExecutionProgress { stages: from.stages.iter().map(stage).collect(), num_inflight_tasks: from.running_tasks }
}
