//! The Spark settings this engine knows: name, default, type and whether a session may change them.
//!
//! It is a table and nothing else; what a setting does is decided where it is read.

/// What values a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A 32-bit number.
    Int,
    /// A 64-bit number.
    Long,
    /// A size such as `64MB`.
    Bytes,
    /// Any text.
    Text,
    /// One of these, whatever the case.
    OneOf(&'static [&'static str]),
    /// A time zone.
    Zone,
}

/// A known setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    /// Name.
    pub(crate) name: &'static str,
    /// Default value; `None` when Spark has none.
    pub(crate) default: Option<&'static str>,
    /// Values.
    pub(crate) kind: Kind,
    /// Fixed when the server starts.
    pub(crate) fixed: bool,
}

const fn key(name: &'static str, default: &'static str, kind: Kind) -> Key {
    Key { name, default: Some(default), kind, fixed: false }
}

const fn open(name: &'static str, kind: Kind) -> Key {
    Key { name, default: None, kind, fixed: false }
}

const fn fixed(name: &'static str, default: &'static str, kind: Kind) -> Key {
    Key { name, default: Some(default), kind, fixed: true }
}

use Kind::{Boolean, Bytes, Int, Long, OneOf, Text, Zone};

/// All known settings.
pub(crate) const KEYS: &[Key] = &[
    // ---- language
    key("spark.sql.ansi.enabled", "true", Boolean),
    key("spark.sql.ansi.doubleQuotedIdentifiers", "false", Boolean),
    key("spark.sql.ansi.enforceReservedKeywords", "false", Boolean),
    key("spark.sql.ansi.relationPrecedence", "false", Boolean),
    key("spark.sql.caseSensitive", "false", Boolean),
    key("spark.sql.session.timeZone", "UTC", Zone),
    key("spark.sql.timestampType", "TIMESTAMP_LTZ", OneOf(&["TIMESTAMP_NTZ", "TIMESTAMP_LTZ"])),
    key("spark.sql.storeAssignmentPolicy", "ANSI", OneOf(&["ANSI", "LEGACY", "STRICT"])),
    key("spark.sql.mapKeyDedupPolicy", "EXCEPTION", OneOf(&["EXCEPTION", "LAST_WIN"])),
    key("spark.sql.groupByOrdinal", "true", Boolean),
    key("spark.sql.orderByOrdinal", "true", Boolean),
    key("spark.sql.groupByAliases", "true", Boolean),
    key("spark.sql.lateralColumnAlias.enableImplicitResolution", "true", Boolean),
    key("spark.sql.parser.quotedRegexColumnNames", "false", Boolean),
    key("spark.sql.parser.escapedStringLiterals", "false", Boolean),
    key("spark.sql.decimalOperations.allowPrecisionLoss", "true", Boolean),
    key("spark.sql.crossJoin.enabled", "true", Boolean),
    key("spark.sql.variable.substitute", "true", Boolean),
    key("spark.sql.datetime.java8API.enabled", "false", Boolean),
    key("spark.sql.readSideCharPadding", "true", Boolean),
    key("spark.sql.charAsVarchar", "false", Boolean),
    key("spark.sql.preserveCharVarcharTypeInfo", "false", Boolean),
    key("spark.sql.binaryOutputStyle", "", OneOf(&["", "UTF-8", "BASIC", "BASE64", "HEX", "HEX_DISCRETE"])),
    key("spark.sql.cteRecursionLevelLimit", "100", Int),
    key("spark.sql.cteRecursionRowLimit", "1000000", Int),
    key("spark.sql.pivotMaxValues", "10000", Int),
    key("spark.sql.retainGroupColumns", "true", Boolean),
    key("spark.sql.selfJoinAutoResolveAmbiguity", "true", Boolean),
    key("spark.sql.analyzer.failAmbiguousSelfJoin", "true", Boolean),
    key("spark.sql.transposeMaxValues", "500", Int),
    key("spark.sql.function.concatBinaryAsString", "false", Boolean),
    key("spark.sql.function.eltOutputAsString", "false", Boolean),
    key("spark.sql.jsonGenerator.ignoreNullFields", "true", Boolean),
    key("spark.sql.optimizer.maxIterations", "100", Int),
    open("spark.sql.optimizer.excludedRules", Text),
    key("spark.sql.timeType.enabled", "false", Boolean),
    key("spark.sql.scripting.enabled", "true", Boolean),
    key("spark.sql.collation.enabled", "true", Boolean),
    // ---- legacy
    key("spark.sql.legacy.timeParserPolicy", "CORRECTED", OneOf(&["EXCEPTION", "CORRECTED", "LEGACY"])),
    key("spark.sql.legacy.sizeOfNull", "true", Boolean),
    key("spark.sql.legacy.castComplexTypesToString.enabled", "false", Boolean),
    key("spark.sql.legacy.charVarcharAsString", "false", Boolean),
    key("spark.sql.legacy.setopsPrecedence.enabled", "false", Boolean),
    key("spark.sql.legacy.exponentLiteralAsDecimal.enabled", "false", Boolean),
    key("spark.sql.legacy.negativeIndexInArrayInsert", "false", Boolean),
    key("spark.sql.legacy.createHiveTableByDefault", "false", Boolean),
    key("spark.sql.legacy.allowNegativeScaleOfDecimal", "false", Boolean),
    key("spark.sql.legacy.interval.enabled", "false", Boolean),
    key("spark.sql.legacy.nullInEmptyListBehavior", "false", Boolean),
    key("spark.sql.legacy.keepCommandOutputSchema", "false", Boolean),
    key("spark.sql.legacy.parser.havingWithoutGroupByAsWhere", "false", Boolean),
    // ---- planning and running
    key("spark.sql.shuffle.partitions", "200", Int),
    key("spark.sql.adaptive.enabled", "true", Boolean),
    key("spark.sql.adaptive.coalescePartitions.enabled", "true", Boolean),
    key("spark.sql.adaptive.skewJoin.enabled", "true", Boolean),
    key("spark.sql.adaptive.advisoryPartitionSizeInBytes", "67108864b", Bytes),
    key("spark.sql.autoBroadcastJoinThreshold", "10485760b", Bytes),
    key("spark.sql.broadcastTimeout", "300", Long),
    key("spark.sql.join.preferSortMergeJoin", "true", Boolean),
    key("spark.sql.cbo.enabled", "false", Boolean),
    key("spark.sql.statistics.size.autoUpdate.enabled", "false", Boolean),
    key("spark.sql.codegen.wholeStage", "true", Boolean),
    key("spark.sql.leafNodeDefaultParallelism", "2", Int),
    key("spark.sql.maxConcurrentOutputFileWriters", "0", Int),
    key("spark.sql.inMemoryColumnarStorage.compressed", "true", Boolean),
    key("spark.sql.inMemoryColumnarStorage.batchSize", "10000", Int),
    key("spark.sql.debug.maxToStringFields", "25", Int),
    key("spark.sql.maxPlanStringLength", "2147483632", Bytes),
    key("spark.sql.optimizer.dynamicPartitionPruning.enabled", "true", Boolean),
    key("spark.sql.redaction.options.regex", "(?i)url", Text),
    // ---- files and tables
    key("spark.sql.sources.default", "parquet", Text),
    key("spark.sql.sources.partitionOverwriteMode", "STATIC", OneOf(&["STATIC", "DYNAMIC"])),
    key("spark.sql.sources.partitionColumnTypeInference.enabled", "true", Boolean),
    key("spark.sql.sources.bucketing.enabled", "true", Boolean),
    key(
        "spark.sql.sources.commitProtocolClass",
        "org.apache.spark.sql.execution.datasources.SQLHadoopMapReduceCommitProtocol",
        Text,
    ),
    key("spark.sql.sources.parallelPartitionDiscovery.threshold", "32", Int),
    key("spark.sql.files.maxPartitionBytes", "134217728b", Bytes),
    key("spark.sql.files.openCostInBytes", "4194304b", Bytes),
    key("spark.sql.files.maxRecordsPerFile", "0", Long),
    key("spark.sql.files.ignoreCorruptFiles", "false", Boolean),
    key("spark.sql.files.ignoreMissingFiles", "false", Boolean),
    key(
        "spark.sql.parquet.compression.codec",
        "snappy",
        OneOf(&["none", "uncompressed", "snappy", "gzip", "lzo", "lz4", "lz4_raw", "brotli", "zstd"]),
    ),
    key("spark.sql.parquet.filterPushdown", "true", Boolean),
    key("spark.sql.parquet.mergeSchema", "false", Boolean),
    key("spark.sql.parquet.binaryAsString", "false", Boolean),
    key("spark.sql.parquet.int96AsTimestamp", "true", Boolean),
    key(
        "spark.sql.parquet.outputTimestampType",
        "TIMESTAMP_MICROS",
        OneOf(&["INT96", "TIMESTAMP_MICROS", "TIMESTAMP_MILLIS"]),
    ),
    key("spark.sql.parquet.writeLegacyFormat", "false", Boolean),
    key("spark.sql.parquet.enableVectorizedReader", "true", Boolean),
    key("spark.sql.parquet.inferTimestampNTZ.enabled", "true", Boolean),
    key("spark.sql.parquet.datetimeRebaseModeInRead", "CORRECTED", OneOf(&["EXCEPTION", "CORRECTED", "LEGACY"])),
    key("spark.sql.parquet.datetimeRebaseModeInWrite", "CORRECTED", OneOf(&["EXCEPTION", "CORRECTED", "LEGACY"])),
    key("spark.sql.orc.compression.codec", "zstd", Text),
    key("spark.sql.orc.mergeSchema", "false", Boolean),
    key("spark.sql.avro.compression.codec", "snappy", Text),
    key("spark.sql.csv.parser.columnPruning.enabled", "true", Boolean),
    key("spark.sql.csv.filterPushdown.enabled", "true", Boolean),
    key("spark.sql.columnNameOfCorruptRecord", "_corrupt_record", Text),
    key("spark.sql.runSQLOnFiles", "true", Boolean),
    key("spark.sql.defaultColumn.enabled", "true", Boolean),
    key("spark.sql.hive.convertMetastoreParquet", "true", Boolean),
    key("spark.sql.catalogImplementation", "in-memory", Text),
    key("spark.sql.defaultCatalog", "spark_catalog", Text),
    // ---- clients
    key("spark.sql.repl.eagerEval.enabled", "false", Boolean),
    key("spark.sql.repl.eagerEval.maxNumRows", "20", Int),
    key("spark.sql.repl.eagerEval.truncate", "20", Int),
    key("spark.sql.execution.arrow.enabled", "false", Boolean),
    key("spark.sql.execution.arrow.pyspark.enabled", "true", Boolean),
    key("spark.sql.execution.arrow.pyspark.fallback.enabled", "true", Boolean),
    key("spark.sql.execution.arrow.pyspark.selfDestruct.enabled", "false", Boolean),
    key("spark.sql.execution.arrow.maxRecordsPerBatch", "10000", Int),
    key("spark.sql.execution.arrow.maxBytesPerBatch", "67108864b", Bytes),
    key("spark.sql.execution.arrow.useLargeVarTypes", "false", Boolean),
    key("spark.sql.execution.arrow.compression.codec", "none", OneOf(&["none", "zstd", "lz4"])),
    key("spark.sql.execution.pandas.convertToArrowArraySafely", "true", Boolean),
    key("spark.sql.execution.pandas.inferPandasDictAsMap", "false", Boolean),
    key("spark.sql.execution.pandas.structHandlingMode", "legacy", OneOf(&["legacy", "row", "dict"])),
    key("spark.sql.execution.pandas.udf.buffer.size", "65536b", Bytes),
    key("spark.sql.execution.pyspark.binaryAsBytes", "true", Boolean),
    key("spark.sql.execution.pyspark.udf.faulthandler.enabled", "false", Boolean),
    key("spark.sql.execution.pyspark.python", "python3", Text),
    key("spark.sql.execution.pythonUDF.arrow.enabled", "true", Boolean),
    key("spark.sql.execution.pythonUDTF.arrow.enabled", "false", Boolean),
    key("spark.sql.pyspark.inferNestedDictAsStruct.enabled", "false", Boolean),
    key("spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled", "false", Boolean),
    key("spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled", "false", Boolean),
    key("spark.sql.pyspark.jvmStacktrace.enabled", "false", Boolean),
    key("spark.sql.pyspark.plotting.max_rows", "1000", Int),
    key("spark.sql.pyspark.udf.profiler", "", Text),
    key("spark.sql.pyspark.dataSource.profiler", "", Text),
    key("spark.sql.connect.serverStacktrace.enabled", "false", Boolean),
    key("spark.sql.session.localRelationCacheThreshold", "1048576", Bytes),
    key("spark.sql.session.localRelationSizeLimit", "3221225472", Bytes),
    key("spark.sql.session.localRelationChunkSizeRows", "10000", Int),
    key("spark.sql.session.localRelationChunkSizeBytes", "16777216", Bytes),
    key("spark.sql.session.localRelationBatchOfChunksSizeBytes", "1073741824", Bytes),
    key("spark.connect.session.planCompression.threshold", "10485760", Int),
    key("spark.connect.session.planCompression.defaultAlgorithm", "ZSTD", OneOf(&["ZSTD", "NONE"])),
    key("spark.connect.progress.reportInterval", "2s", Text),
    open("spark.job.description", Text),
    open("spark.job.interruptOnCancel", Boolean),
    open("spark.scheduler.pool", Text),
    open("spark.checkpoint.dir", Text),
    // ---- fixed when the server starts
    fixed("spark.sql.warehouse.dir", "spark-warehouse", Text),
    fixed("spark.sql.globalTempDatabase", "global_temp", Text),
    fixed("spark.sql.extensions", "", Text),
    fixed("spark.sql.sources.schemaStringLengthThreshold", "4000", Int),
    fixed("spark.sql.codegen.cache.maxEntries", "100", Int),
    fixed("spark.sql.filesourceTableRelationCacheSize", "1000", Int),
    fixed("spark.sql.cache.serializer", "org.apache.spark.sql.execution.columnar.DefaultCachedBatchSerializer", Text),
    fixed("spark.sql.event.truncate.length", "2147483647", Int),
    fixed("spark.sql.streaming.ui.enabled", "true", Boolean),
    fixed("spark.connect.grpc.arrow.maxBatchSize", "134217728b", Bytes),
    fixed("spark.connect.grpc.binding.port", "15002", Int),
    fixed("spark.connect.grpc.maxInboundMessageSize", "134217728b", Bytes),
    fixed("spark.sql.redaction.string.regex", "", Text),
];

/// The known setting of this name.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}
