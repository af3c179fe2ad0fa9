//! An operator that dies at each point of each step of a job, in a world that keeps what was done: the job runs exactly once.

use super::*;
use std::collections::BTreeMap;

/// Where the operator dies in a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dies {
    BeforeWriting,
    BeforeActing,
    AfterActing,
}

/// The API server, the scheduler and what runs there: everything that outlives an operator.
#[derive(Default)]
struct World {
    status: JobStatus,
    version: u64,
    /// Runs that were begun, with the second they began.
    runs: BTreeMap<String, Seconds>,
    cluster: bool,
    clusters_made: u32,
    clusters_dropped: u32,
    now: Seconds,
}

/// Seconds a run takes.
const TAKES: i64 = 7;
/// Seconds until a cluster that was made is ready.
const STARTS: i64 = 3;

impl World {
    fn run(&self) -> Run {
        match self.status.submission_id.as_ref().map(|id| self.runs.get(id)) {
            None | Some(None) => Run::Missing,
            Some(Some(began)) if self.now - began >= TAKES => Run::Ended(Outcome::Succeeded),
            Some(Some(_)) => running(),
        }
    }

    fn seen_cluster(&self, ready_at: Seconds) -> Cluster {
        match self.cluster {
            false => Cluster::Missing,
            true if self.now < ready_at => Cluster::NotReady,
            true => Cluster::Ready,
        }
    }

    /// One look of an operator that may have an old copy of the job, and may die.
    fn look(
        &mut self,
        spec: &FiresteelJobSpec,
        old: Option<(JobStatus, u64)>,
        dies: Option<Dies>,
        ready_at: Seconds,
    ) -> i64 {
        let (status, version) = old.unwrap_or_else(|| (self.status.clone(), self.version));
        let private = spec.cluster_template.is_some();
        let (cluster, run) = (self.seen_cluster(ready_at), self.run());
        let seen = Seen {
            now: self.now,
            uid: "u",
            generation: Some(1),
            spec,
            status: &status,
            cluster,
            private,
            trouble: None,
            run,
            progress: None,
        };
        let decision = decide(&seen);
        if dies == Some(Dies::BeforeWriting) {
            return 0;
        }
        if decision.status != status {
            // The API server takes no status that was made from an older one.
            if version != self.version {
                return 0;
            }
            self.status = decision.status.clone();
            self.version += 1;
        }
        if dies == Some(Dies::BeforeActing) {
            return 0;
        }
        match decision.act {
            Some(Act::Submit) => {
                let id = decision.status.submission_id.unwrap();
                // Get or create.
                self.runs.entry(id).or_insert(self.now);
            }
            Some(Act::MakeCluster) if !self.cluster => {
                self.cluster = true;
                self.clusters_made += 1;
            }
            Some(Act::DropCluster) => {
                self.cluster = false;
                self.clusters_dropped += 1;
            }
            Some(Act::Stop | Act::Delete) => panic!("{:?} of a job that only runs", decision.act),
            _ => {}
        }
        if dies == Some(Dies::AfterActing) { 0 } else { decision.requeue }
    }

    /// Looks until nothing happens any more, dying once in a given look, and with an old copy in another.
    fn live(mut self, spec: &FiresteelJobSpec, dies_in: usize, dies: Dies, old_in: usize) -> (Self, usize) {
        let (mut before, mut quiet, mut looks) = ((self.status.clone(), self.version), 0, 0);
        let mut ready_at = STARTS;
        while quiet < 4 {
            assert!(looks < 200, "it never ends: {:?}", self.status);
            let old = (looks == old_in).then(|| before.clone());
            let known = (self.version, self.runs.len(), self.cluster);
            before = (self.status.clone(), self.version);
            let had = self.cluster;
            let wait = self.look(spec, old, (looks == dies_in).then_some(dies), ready_at);
            if self.cluster && !had {
                ready_at = self.now + STARTS;
            }
            let done = self.status.phase.is_final() && known == (self.version, self.runs.len(), self.cluster);
            quiet = if done { quiet + 1 } else { 0 };
            self.now += wait.clamp(0, 2).max(i64::from(looks % 2 == 1));
            looks += 1;
        }
        (self, looks)
    }
}

fn everywhere(spec: &FiresteelJobSpec, check: impl Fn(&World)) {
    let start = || World { cluster: spec.cluster_template.is_none(), ..World::default() };
    let (_, looks) = start().live(spec, usize::MAX, Dies::AfterActing, usize::MAX);
    assert!(looks > 8, "{looks}");
    for dies_in in 0..looks + 2 {
        for dies in [Dies::BeforeWriting, Dies::BeforeActing, Dies::AfterActing] {
            for old_in in (0..looks + 2).chain([usize::MAX]) {
                let (world, _) = start().live(spec, dies_in, dies, old_in);
                assert_eq!(
                    world.status.phase,
                    Phase::Succeeded,
                    "dies {dies:?} in look {dies_in}, old copy in {old_in}"
                );
                assert_eq!(
                    world.runs.keys().collect::<Vec<_>>(),
                    ["u-1"],
                    "dies {dies:?} in look {dies_in}, old copy in {old_in}"
                );
                assert_eq!((world.status.attempt, world.status.attempts.len()), (1, 1));
                check(&world);
            }
        }
    }
}

#[test]
fn a_job_runs_once_wherever_its_operator_dies() {
    everywhere(&spec(json!({})), |world| assert_eq!((world.clusters_made, world.clusters_dropped), (0, 0)));
}

#[test]
fn a_job_with_a_cluster_of_its_own_makes_one_and_leaves_none_wherever_its_operator_dies() {
    everywhere(&private::own(json!({})), |world| {
        assert_eq!((world.clusters_made, world.cluster), (1, false));
    });
}
