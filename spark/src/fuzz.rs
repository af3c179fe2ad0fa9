//! Texts made by dice through parser, analyzer and optimizer: each ends with a plan or an error, soon, and never with a panic or an
//! overflow of the stack. `FIRESTEEL_FUZZ_SECONDS` makes it run for that long, from `FIRESTEEL_FUZZ_SEED` or the clock; otherwise the
//! same few thousand texts run each time.

mod dice;
mod grammar;
mod mutate;
mod nesting;
mod seeds;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use firesteel_engine::local::LocalJobRunner;
use firesteel_engine::session::{EngineConfig, SessionRecipe};

use crate::session::{EngineParts, Session, SparkEngine};
use crate::spec::Plan;
use crate::sql::{self, ParseOptions};
use dice::Dice;

/// The stack of a thread of the server that plans queries (`cli`, `engine::local`).
const STACK: usize = 32 << 20;
/// Seconds of a processor. A text that takes longer hangs, as far as a client can tell; on a busy machine it may only wait.
const PATIENCE: f64 = 60.0;
const TABLES: &[&str] = &[
    "CREATE TEMP VIEW t AS SELECT 1 i, 2L l, 1.5D d, 2.25BD m, 'x' s, true b, DATE'2024-01-31' y, TIMESTAMP'2024-01-31 01:02:03' z, \
     INTERVAL '1' DAY n, INTERVAL '1' MONTH o, array(1, 2, NULL) a, named_struct('x', 1, 'y', 'q') r, map('k', 1) p, X'00FF' h",
    "CREATE TEMP VIEW u AS SELECT * FROM VALUES (1, 'a', 1.5D), (2, NULL, NULL) AS u(i, s, v)",
];

/// What is being tried and since which processor time of its thread, for the watch that ends a run that hangs.
#[derive(Default)]
struct Trial {
    thread: String,
    since: f64,
    text: String,
}

type Now = Arc<Mutex<Trial>>;

/// Seconds of processor time a thread has had, as Linux tells it in ticks of 10 ms.
fn processor_seconds(thread: &str) -> f64 {
    let told = std::fs::read_to_string(format!("/proc/self/task/{thread}/stat")).unwrap_or_default();
    let times = told.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    times.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The number of this thread.
fn this_thread() -> String {
    let link = std::fs::read_link("/proc/thread-self").unwrap_or_default();
    link.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

struct Fuzz {
    session: Arc<Session>,
    runtime: tokio::runtime::Runtime,
    now: Now,
    failures: Vec<String>,
    _folder: tempfile::TempDir,
}

impl Fuzz {
    fn new(now: Now) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let local = LocalJobRunner::new(1);
        let recipe = SessionRecipe::new(EngineConfig { target_partitions: 1, ..EngineConfig::default() }).unwrap();
        let warehouse = folder.path().join("warehouse").to_str().unwrap().to_string();
        let parts = EngineParts { runner: Arc::clone(&local) as _, local, recipe, warehouse };
        let session = SparkEngine::new(parts).unwrap().session("fuzz", "1");
        for view in TABLES {
            runtime.block_on(session.execute_command_eagerly(session.parse(view).unwrap())).unwrap();
        }
        Self { session, runtime, now, failures: vec![], _folder: folder }
    }

    /// Notes a text whose treatment panics.
    fn guard(&mut self, step: &str, text: &str, work: impl FnOnce(&Self)) {
        let thread = this_thread();
        let since = processor_seconds(&thread);
        *self.now.lock().unwrap() = Trial { thread, since, text: format!("{step}: {text}") };
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            let shown: String = text.chars().take(2_000).collect();
            eprintln!("{step} panics: {shown}");
            self.failures.push(format!("{step}: {shown}"));
        }
    }

    fn parse(&mut self, text: &str) {
        self.guard("parse", text, |_| {
            let options = ParseOptions::default();
            drop(sql::parse_statement(text, &options));
            drop(sql::parse_expression(text, &options));
            drop(sql::parse_table_schema(text));
            drop(sql::parse_multipart_identifier(text));
            drop(sql::split_statements(text));
            drop(sql::parameter_markers(text));
        });
    }

    fn analyze(&mut self, text: &str) {
        let Ok(Plan::Query(relation)) = self.session.parse(text) else { return };
        self.guard("analyze", text, |it| {
            it.runtime.block_on(async {
                let Ok(analyzed) = it.session.analyze(&relation).await else { return };
                let Ok(context) = it.session.context() else { return };
                drop(context.state().optimize(&analyzed.plan));
            });
        });
    }
}

/// Ends the process when one text takes too long: a thread that hangs cannot be ended otherwise.
fn watch(now: &Now) {
    let now = Arc::clone(now);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let trial = now.lock().unwrap();
            if !trial.text.is_empty() && processor_seconds(&trial.thread) - trial.since > PATIENCE {
                eprintln!("hangs at {}", trial.text.chars().take(4_000).collect::<String>());
                std::process::abort();
            }
        }
    });
}

/// Runs `work` on a stack like a server's and fails with the texts that panicked.
fn on_a_servers_stack(work: impl FnOnce(&mut Fuzz) + Send + 'static) {
    let now = Now::default();
    watch(&now);
    let clock = Arc::clone(&now);
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        let mut fuzz = Fuzz::new(clock);
        work(&mut fuzz);
        fuzz.failures
    });
    let failures = thread.unwrap().join().unwrap();
    now.lock().unwrap().text.clear();
    assert!(failures.is_empty(), "{} texts panic, the first: {}", failures.len(), failures[0]);
}

/// How long to run, and from which seed; `None` for the short run.
fn long() -> Option<(Duration, u64)> {
    let seconds = std::env::var("FIRESTEEL_FUZZ_SECONDS").ok()?.parse().ok()?;
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let seed = std::env::var("FIRESTEEL_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(clock);
    eprintln!("FIRESTEEL_FUZZ_SEED={seed}");
    Some((Duration::from_secs(seconds), seed))
}

fn rounds(count: u32, seed: u64, mut round: impl FnMut(&mut Dice)) {
    let (limit, seed) = long().unwrap_or((Duration::MAX, seed));
    let endless = limit != Duration::MAX;
    let started = Instant::now();
    let mut number = 0;
    while if endless { started.elapsed() < limit } else { number < count } {
        // A seed of its own for each round, so that a failing one can be repeated alone.
        round(&mut Dice::new(seed.wrapping_mul(1_000_003).wrapping_add(u64::from(number))));
        number += 1;
    }
    eprintln!("{number} texts");
}

#[test]
fn mutated_statements_never_panic() {
    on_a_servers_stack(|fuzz| {
        let seeds = seeds::all();
        rounds(4_000, 1, |dice| {
            let text = mutate::mutated(dice, &seeds);
            fuzz.parse(&text);
            if dice.one_in(4) {
                fuzz.analyze(&text);
            }
        });
    });
}

#[test]
fn generated_queries_never_panic() {
    on_a_servers_stack(|fuzz| {
        rounds(1_500, 2, |dice| {
            let text = grammar::query(dice);
            fuzz.parse(&text);
            fuzz.analyze(&text);
        });
    });
}

#[test]
fn deep_and_wide_texts_never_overflow_the_stack() {
    on_a_servers_stack(|fuzz| {
        // Types a thousand levels deep take seconds to plan.
        let deepest = if long().is_some() { usize::MAX } else { 400 };
        for (depth, text) in nesting::texts() {
            fuzz.parse(&text);
            if depth <= deepest {
                fuzz.analyze(&text);
            }
        }
    });
}
