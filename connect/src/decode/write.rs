//! DataFrame writes.

use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_proto::spark::connect as sc;
use firesteel_spark::spec::{Command, SaveMode, V2Mode, Write, WriteTarget};
use sc::write_operation::SaveType;
use sc::write_operation::save_table::TableSaveMethod;

use super::{Decoder, bad_enum, missing, options};

impl Decoder<'_> {
    pub(super) fn write(&self, from: sc::WriteOperation) -> SparkResult<Command> {
        use sc::write_operation::SaveMode as From;
        if from.with_schema_evolution {
            return Err(SparkError::unsupported("schema evolution in writes"));
        }
        let mode = match from.mode() {
            From::Append => SaveMode::Append,
            From::Overwrite => SaveMode::Overwrite,
            From::ErrorIfExists | From::Unspecified => SaveMode::ErrorIfExists,
            From::Ignore => SaveMode::Ignore,
        };
        let target = match from.save_type {
            None => WriteTarget::Nothing,
            Some(SaveType::Path(path)) if path.is_empty() => WriteTarget::Nothing,
            Some(SaveType::Path(path)) => WriteTarget::Path(path),
            Some(SaveType::Table(table)) => {
                let name = self.language.identifier(&table.table_name)?;
                match table.save_method() {
                    TableSaveMethod::SaveAsTable => WriteTarget::SaveAsTable(name),
                    TableSaveMethod::InsertInto => WriteTarget::InsertInto(name),
                    TableSaveMethod::Unspecified => {
                        return Err(bad_enum("WriteOperation.SaveTable", "save_method", table.save_method));
                    }
                }
            }
        };
        let bucket_by = match from.bucket_by {
            Some(bucket) => match u32::try_from(bucket.num_buckets) {
                Ok(number) if number > 0 => Some((number, bucket.bucket_column_names)),
                _ => {
                    let number = bucket.num_buckets.to_string();
                    return Err(SparkError::analysis(
                        "INVALID_BUCKET_COUNT",
                        &[("bucketingMaxBuckets", "100000"), ("numBuckets", &number)],
                    ));
                }
            },
            None => None,
        };
        let input = from.input.ok_or_else(|| missing("WriteOperation", "input"))?;
        Ok(Command::Write(Box::new(Write {
            input: self.relation(input)?,
            format: from.source.filter(|source| !source.is_empty()),
            target,
            mode,
            options: options(from.options),
            partition_by: from.partitioning_columns,
            cluster_by: from.clustering_columns,
            bucket_by,
            sort_by: from.sort_column_names,
        })))
    }

    pub(super) fn write_v2(&self, from: sc::WriteOperationV2) -> SparkResult<Command> {
        use sc::write_operation_v2::Mode;
        if from.with_schema_evolution {
            return Err(SparkError::unsupported("schema evolution in writes"));
        }
        let (v2, mode) = match from.mode() {
            Mode::Create => (V2Mode::Create, SaveMode::ErrorIfExists),
            Mode::Overwrite => (V2Mode::Overwrite, SaveMode::Overwrite),
            Mode::OverwritePartitions => (V2Mode::OverwritePartitions, SaveMode::Overwrite),
            Mode::Append => (V2Mode::Append, SaveMode::Append),
            Mode::Replace => (V2Mode::Replace, SaveMode::Overwrite),
            Mode::CreateOrReplace => (V2Mode::CreateOrReplace, SaveMode::Overwrite),
            Mode::Unspecified => return Err(bad_enum("WriteOperationV2", "mode", from.mode)),
        };
        let input = from.input.ok_or_else(|| missing("WriteOperationV2", "input"))?;
        Ok(Command::Write(Box::new(Write {
            input: self.relation(input)?,
            format: from.provider.filter(|provider| !provider.is_empty()),
            target: WriteTarget::V2 {
                table: self.language.identifier(&from.table_name)?,
                mode: v2,
                condition: from.overwrite_condition.map(|condition| self.expr(condition)).transpose()?,
                partitioning: self.exprs(from.partitioning_columns)?,
                properties: options(from.table_properties),
            },
            mode,
            options: options(from.options),
            partition_by: vec![],
            cluster_by: from.clustering_columns,
            bucket_by: None,
            sort_by: vec![],
        })))
    }
}
