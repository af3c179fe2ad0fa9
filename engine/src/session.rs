//! The one recipe for sessions: runtime, options, functions, rules and planner, equal on scheduler, executors and in process.
//!
//! It knows neither Spark's session state nor Ballista; the scheduler and the executor add Ballista's options on top.

mod planner;
pub mod profile;
pub mod travel;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SessionState;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::optimizer::{Analyzer, Optimizer};
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::{SessionConfig, SessionContext};
use firesteel_connectors::store::{StoreOptions, StoreRegistry};
use firesteel_functions::options::SparkOptions;
use parking_lot::Mutex;

use crate::{memory, rules};

/// Distinct store options whose runtimes are kept; beyond it the table starts anew.
const KEPT_RUNTIMES: usize = 64;

/// What a process gives its queries.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Partitions of a stage.
    pub target_partitions: usize,
    /// Bytes queries may reserve; `None` takes [`Self::memory_fraction`] of the cgroup's or host's memory.
    pub memory_limit: Option<u64>,
    /// Share of the detected memory when there is no explicit limit.
    pub memory_fraction: f64,
    /// Where operators spill; `None` is the system's temporary directory.
    pub spill_dir: Option<PathBuf>,
    /// Bytes all spill files together may have; `None` is DataFusion's default.
    pub spill_limit: Option<u64>,
    /// Rows in a batch.
    pub batch_size: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            target_partitions: std::thread::available_parallelism().map_or(1, usize::from),
            memory_limit: None,
            memory_fraction: memory::DEFAULT_FRACTION,
            spill_dir: None,
            spill_limit: None,
            batch_size: 16384,
        }
    }
}

/// How one session differs from the others.
#[derive(Debug, Clone, Default)]
pub struct SessionOverrides {
    /// Options Spark's functions read.
    pub spark: SparkOptions,
    /// Options and credentials of object stores.
    pub store: StoreOptions,
    /// Partitions of a stage, when not the process's.
    pub target_partitions: Option<usize>,
    /// DataFusion options as text, applied last.
    pub extra: Vec<(String, String)>,
}

/// Makes sessions and runtimes.
pub struct SessionRecipe {
    config: EngineConfig,
    store: Arc<StoreRegistry>,
    base: Arc<RuntimeEnv>,
    memory_limit: u64,
    /// By store options.
    runtimes: Mutex<HashMap<StoreOptions, Arc<RuntimeEnv>>>,
    /// The state all sessions are copied from: building the function tables once keeps a new session cheap.
    template: SessionState,
}

impl SessionRecipe {
    /// A recipe with the bounds of `config`.
    ///
    /// # Errors
    /// When the spill directory cannot be made.
    pub fn new(config: EngineConfig) -> Result<Arc<Self>> {
        let store = StoreRegistry::new();
        let memory_limit = memory::limit(config.memory_limit, config.memory_fraction);
        let base = base_runtime(&config, memory_limit, Arc::clone(&store))?;
        let template = template(base_config(&config), Arc::clone(&base));
        Ok(Arc::new(Self { config, store, base, memory_limit, runtimes: Mutex::default(), template }))
    }

    /// The bounds this recipe was made with.
    #[must_use]
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// Bytes queries of this process may reserve together.
    #[must_use]
    pub fn memory_limit(&self) -> u64 {
        self.memory_limit
    }

    /// The runtime of sessions without store options of their own.
    #[must_use]
    pub fn runtime(&self) -> Arc<RuntimeEnv> {
        Arc::clone(&self.base)
    }

    /// The runtime for these store options; memory, disk and caches are shared between all of them.
    ///
    /// # Errors
    /// When the options are not valid.
    pub fn runtime_for(&self, options: &StoreOptions) -> Result<Arc<RuntimeEnv>> {
        if options.is_empty() {
            return Ok(self.runtime());
        }
        if let Some(runtime) = self.runtimes.lock().get(options) {
            return Ok(Arc::clone(runtime));
        }
        let runtime = RuntimeEnvBuilder::from_runtime_env(&self.base)
            .with_object_store_registry(self.store.for_options(options))
            .build_arc()?;
        let mut runtimes = self.runtimes.lock();
        if runtimes.len() >= KEPT_RUNTIMES {
            runtimes.clear();
        }
        runtimes.insert(options.clone(), Arc::clone(&runtime));
        Ok(runtime)
    }

    /// The runtime that a session's options ask for; how executors find a task's credentials.
    ///
    /// # Errors
    /// When the options are not valid.
    pub fn runtime_of(&self, config: &SessionConfig) -> Result<Arc<RuntimeEnv>> {
        match config.options().extensions.get::<StoreOptions>() {
            Some(options) => self.runtime_for(options),
            None => Ok(self.runtime()),
        }
    }

    /// Options all sessions start from, with our extensions registered.
    #[must_use]
    pub fn session_config(&self) -> SessionConfig {
        base_config(&self.config)
    }

    /// A state with all functions, rules and planners for `config`.
    ///
    /// # Errors
    /// When the store options in `config` are not valid.
    pub fn session_state(&self, config: SessionConfig) -> Result<SessionState> {
        let runtime = self.runtime_of(&config)?;
        Ok(SessionStateBuilder::new_from_existing(self.template.clone())
            .with_session_id(uuid::Uuid::new_v4().to_string())
            .with_config(config)
            .with_runtime_env(runtime)
            .build())
    }

    /// The state all sessions are copied from: whoever needs the functions alone reads them here.
    #[must_use]
    pub fn template(&self) -> &SessionState {
        &self.template
    }

    /// A session's context.
    ///
    /// # Errors
    /// When an override is not valid.
    pub fn context(&self, overrides: SessionOverrides) -> Result<Arc<SessionContext>> {
        let SessionOverrides { spark, store, target_partitions, extra } = overrides;
        let mut config = self.session_config();
        let options = config.options_mut();
        options.execution.time_zone = Some(spark.time_zone.clone());
        options.extensions.insert(spark);
        options.extensions.insert(store);
        travel::pack(options);
        if let Some(partitions) = target_partitions {
            options.execution.target_partitions = partitions.max(1);
        }
        for (key, value) in &extra {
            options.set(key, value)?;
        }
        Ok(Arc::new(SessionContext::new_with_state(self.session_state(config)?)))
    }
}

impl fmt::Debug for SessionRecipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRecipe").field("config", &self.config).finish_non_exhaustive()
    }
}

fn base_config(config: &EngineConfig) -> SessionConfig {
    let mut config = profile::base(config.target_partitions, config.batch_size);
    travel::pack(config.options_mut());
    config
}

fn base_runtime(config: &EngineConfig, memory_limit: u64, store: Arc<StoreRegistry>) -> Result<Arc<RuntimeEnv>> {
    let mut builder = RuntimeEnvBuilder::new()
        .with_memory_pool(memory::pool(memory_limit))
        .with_object_store_registry(store)
        // All are keyed by path without bucket, and the first never learns of new files: wrong answers in waiting. Footers are
        // kept by `footers`.
        .with_object_list_cache_limit(0)
        .with_file_statistics_cache_limit(0)
        .with_metadata_cache_limit(0);
    if let Some(directory) = &config.spill_dir {
        std::fs::create_dir_all(directory)?;
        builder = builder.with_temp_file_path(directory.clone());
    }
    if let Some(limit) = config.spill_limit {
        builder = builder.with_max_temp_directory_size(limit);
    }
    builder.build_arc()
}

fn template(config: SessionConfig, runtime: Arc<RuntimeEnv>) -> SessionState {
    let mut analysis = rules::analysis();
    analysis.extend(Analyzer::default().rules);
    let mut logical = Optimizer::default().rules;
    logical.extend(rules::logical());
    let mut physical = rules::physical_first();
    physical.extend(PhysicalOptimizer::default().rules);
    physical.extend(rules::physical());
    let mut state = SessionStateBuilder::new()
        .with_default_features()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_query_planner(Arc::new(planner::EnginePlanner))
        .with_analyzer_rules(analysis)
        .with_optimizer_rules(logical)
        .with_physical_optimizer_rules(physical)
        .build();
    register_functions(&mut state);
    state
}

/// Spark's functions after DataFusion's, so that a name both have is Spark's.
fn register_functions(state: &mut SessionState) {
    use datafusion::execution::FunctionRegistry;
    let registry = firesteel_functions::registry();
    // Registration into a session state only fails for one that refuses functions, and ours does not.
    for function in registry.all_scalar() {
        let _ = state.register_udf(Arc::clone(function));
    }
    for function in registry.all_aggregate() {
        let _ = state.register_udaf(Arc::clone(function));
    }
    for function in registry.all_window() {
        let _ = state.register_udwf(Arc::clone(function));
    }
    for function in registry.all_lambda() {
        let _ = state.register_higher_order_function(Arc::clone(function));
    }
}

#[cfg(test)]
mod tests;
