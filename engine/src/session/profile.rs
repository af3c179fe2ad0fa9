//! DataFusion options: what every session has, and what differs between running here and on a cluster.
//!
//! A runner applies its profile to its own copy of the session's options, so that one session can use both runners.

use datafusion::common::config::ConfigOptions;
use datafusion::prelude::SessionConfig;
use firesteel_functions::options::SparkOptions;

/// The largest side of a join that every task of a cluster gets whole, as estimated. Each task reads it and builds a hash
/// table of its own, so it must be far smaller than what one process could share (Spark's
/// `spark.sql.autoBroadcastJoinThreshold` is 10 MB).
pub const BROADCAST_BYTES: usize = 16 << 20;

/// Options all sessions start from.
pub(super) fn base(target_partitions: usize, batch_size: usize) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(target_partitions.max(1))
        .with_batch_size(batch_size.max(1))
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(true);
    let options = config.options_mut();
    // Names are resolved before plans get here, and columns carry opaque ids: nothing may change their case.
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    // View types are not Spark's types on the wire, and Arrow IPC repeats their buffers.
    options.execution.parquet.schema_force_view_types = false;
    options.execution.parquet.binary_as_string = false;
    options.execution.collect_statistics = true;
    options.execution.keep_partition_by_columns = false;
    options.optimizer.prefer_hash_join = true;
    // This operator has no wire form.
    options.optimizer.enable_window_topn = false;
    options.explain.show_schema = false;
    config
}

/// The largest sides of joins, as estimated, of which one hash table is made for all threads together rather than one for
/// each. The other side need not be spread by keys then. One thread makes it, so that the more threads there are, the sooner it pays to
/// share the work. Tables of 32 MB were the best size for two threads.
const SHARED_BYTES: usize = 64 << 20;

/// Options for plans that run in this process.
pub fn local(options: &mut ConfigOptions) {
    options.optimizer.enable_dynamic_filter_pushdown = true;
    options.optimizer.enable_round_robin_repartition = true;
    let shared = SHARED_BYTES / options.execution.target_partitions.max(2);
    options.optimizer.hash_join_single_partition_threshold = shared;
    options.optimizer.hash_join_single_partition_threshold_rows = shared / 16;
    // Keys that are whole numbers index an array where at least this share of its places is taken.
    options.execution.perfect_hash_join_min_key_density = 0.05;
}

/// Options for plans that are cut into stages and sent to executors.
pub fn cluster(options: &mut ConfigOptions) {
    // A filter made in one stage never reaches a scan in another, which would wait for it.
    options.optimizer.enable_dynamic_filter_pushdown = false;
    options.optimizer.enable_topk_dynamic_filter_pushdown = false;
    options.optimizer.enable_join_dynamic_filter_pushdown = false;
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    // What a scan says of the order of its files is not sent.
    options.execution.enable_file_stream_work_stealing = false;
    // The stage planner drops such repartitions, so costing them would only mislead.
    options.optimizer.enable_round_robin_repartition = false;
    // The value of a scalar subquery is kept in process memory; as a join it can cross stages.
    options.optimizer.enable_physical_uncorrelated_scalar_subquery = false;
    // As in one process, but every task has an array of its own: it may take no more than the hash table would.
    options.execution.perfect_hash_join_min_key_density = 0.1;
    options.optimizer.hash_join_single_partition_threshold = BROADCAST_BYTES;
    options.optimizer.hash_join_single_partition_threshold_rows = BROADCAST_BYTES / 64;
}

/// Fixes the start of the query, so that all its tasks agree on what "now" is.
pub fn stamp(options: &mut ConfigOptions) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    if let Some(spark) = options.extensions.get_mut::<SparkOptions>()
        && spark.query_time == 0
    {
        spark.query_time = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
    }
}
