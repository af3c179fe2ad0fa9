//! Scans of files that DataFusion's own messages do not know, ORC's and text's: what is their own, and then the part that is
//! common to all file scans.

use std::sync::Arc;

use datafusion::datasource::physical_plan::{FileScanConfig, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::from_proto::{parse_protobuf_file_scan_config, parse_table_schema_from_proto};
use datafusion_proto::physical_plan::to_proto::serialize_file_scan_config;
use datafusion_proto::physical_plan::{
    PhysicalExtensionCodec, PhysicalPlanDecodeContext, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf::FileScanExecConf;
use firesteel_connectors::files::lines::{LinesFormat, LinesSource};
use firesteel_connectors::files::orc::OrcSource;
use prost::Message;
use serde::{Deserialize, Serialize};

/// What a scan reads.
#[derive(Serialize, Deserialize)]
enum Kind {
    Orc,
    Text(LinesFormat),
}

impl Kind {
    fn of(scan: &DataSourceExec) -> Option<(Self, &FileScanConfig)> {
        if let Some((config, _)) = scan.downcast_to_file_source::<OrcSource>() {
            return Some((Self::Orc, config));
        }
        let (config, source) = scan.downcast_to_file_source::<LinesSource>()?;
        Some((Self::Text(source.format().clone()), config))
    }
}

/// Writes the message for a scan of such files; whether the operator is one.
pub(super) fn encode(
    node: &dyn ExecutionPlan,
    buf: &mut Vec<u8>,
    codec: &dyn PhysicalExtensionCodec,
    converter: &dyn PhysicalProtoConverterExtension,
) -> Result<bool> {
    let Some((kind, config)) = node.downcast_ref::<DataSourceExec>().and_then(Kind::of) else { return Ok(false) };
    let config = serialize_file_scan_config(config, codec, converter)?;
    let kind = serde_json::to_vec(&kind).map_err(external)?;
    buf.push(super::FILES);
    buf.extend_from_slice(&u32::try_from(kind.len()).map_err(external)?.to_le_bytes());
    buf.extend_from_slice(&kind);
    config.encode(buf).map_err(external)?;
    Ok(true)
}

/// The scan of a message.
pub(super) fn decode(
    bytes: &[u8],
    ctx: &TaskContext,
    codec: &dyn PhysicalExtensionCodec,
    converter: &dyn PhysicalProtoConverterExtension,
) -> Result<Arc<dyn ExecutionPlan>> {
    let cut = || DataFusionError::Internal("the message of a scan is cut short".into());
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(external)?;
    let (kind, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
    let config = FileScanExecConf::decode(rest).map_err(external)?;
    let schema = parse_table_schema_from_proto(&config)?;
    let source: Arc<dyn FileSource> = match serde_json::from_slice(kind).map_err(external)? {
        Kind::Orc => Arc::new(OrcSource::new(schema)),
        Kind::Text(format) => Arc::new(LinesSource::new(format, schema)),
    };
    let context = PhysicalPlanDecodeContext::new(ctx, codec);
    Ok(DataSourceExec::from_data_source(parse_protobuf_file_scan_config(&config, &context, converter, source)?))
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
