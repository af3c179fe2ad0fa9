//! Reads a job's progress from its execution graph, and tells a job that waits from one that is stuck.

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
}

/// Looks at a graph.
pub(super) fn of(graph: &ExecutionGraphBox) -> Sight {
    let mut sight = Sight::default();
    for (id, stage) in graph.stages() {
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

fn partitions(tasks: &[TaskInfo], wanted: impl Fn(&Status) -> bool) -> usize {
    tasks.iter().filter(|task| wanted(&task.task_status)).map(|task| task.global_input_partition_ids.len()).sum()
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
