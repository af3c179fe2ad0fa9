//! Reads a job's progress from its execution graph, and tells a job that waits from one that is stuck.

use ballista_core::serde::protobuf::failed_task::FailedReason;
use ballista_core::serde::protobuf::task_status::Status;
use ballista_scheduler::state::execution_graph::ExecutionGraphBox;
use ballista_scheduler::state::execution_stage::{ExecutionStage, TaskInfo};
use firesteel_engine::job::{JobProgress, StageProgress};

/// What a look at the graph showed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sight {
    pub(super) progress: JobProgress,
    /// Partitions that wait for an executor.
    pub(super) waiting: usize,
    /// Whether part of the job was run again because an executor or what it held was lost.
    pub(super) patched: bool,
}

/// Looks at a graph.
pub(super) fn of(graph: &ExecutionGraphBox) -> Sight {
    let mut sight = Sight::default();
    for (id, stage) in graph.stages() {
        sight.patched |= attempts(stage) > 0 || stage.task_infos().is_some_and(|tasks| tasks.iter().any(lost));
        let (tasks, completed, done) = match stage {
            ExecutionStage::UnResolved(_) => (0, 0, false),
            ExecutionStage::Resolved(stage) => (stage.partitions, 0, false),
            ExecutionStage::Running(stage) => {
                let running = partitions(&stage.task_infos, |status| matches!(status, Status::Running(_)));
                let completed = partitions(&stage.task_infos, |status| matches!(status, Status::Successful(_)));
                sight.waiting += stage.pending.remaining();
                sight.progress.running_tasks += count(running);
                (stage.partitions, completed.min(stage.partitions), false)
            }
            ExecutionStage::Successful(stage) => (stage.partitions, stage.partitions, true),
            ExecutionStage::Failed(stage) => (stage.partitions, 0, false),
        };
        sight.progress.stages.push(StageProgress {
            stage_id: count(*id),
            tasks: count(tasks),
            completed_tasks: count(completed),
            input_bytes_read: 0,
            done,
        });
    }
    sight.progress.stages.sort_unstable_by_key(|stage| stage.stage_id);
    sight
}

fn attempts(stage: &ExecutionStage) -> usize {
    match stage {
        ExecutionStage::UnResolved(stage) => stage.stage_attempt_num,
        ExecutionStage::Resolved(stage) => stage.stage_attempt_num,
        ExecutionStage::Running(stage) => stage.stage_attempt_num,
        ExecutionStage::Successful(stage) => stage.stage_attempt_num,
        ExecutionStage::Failed(stage) => stage.stage_attempt_num,
    }
}

/// Whether a task failed because of an executor rather than by itself.
fn lost(task: &TaskInfo) -> bool {
    let Status::Failed(failed) = &task.task_status else {
        return false;
    };
    matches!(
        failed.failed_reason,
        Some(FailedReason::FetchPartitionError(_) | FailedReason::ExecutorLost(_) | FailedReason::ResultLost(_))
    )
}

fn partitions(tasks: &[TaskInfo], wanted: impl Fn(&Status) -> bool) -> usize {
    tasks.iter().filter(|task| wanted(&task.task_status)).map(|task| task.global_input_partition_ids.len()).sum()
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
