//! How physical plans travel: our operators and functions in our own form, everything else in the caller's.
//!
//! A function travels as its name and the book it is in. Spark and DataFusion both have, for example, `abs`, which answer
//! differently; and optimizer rules may put DataFusion's into a plan of Spark's. A function in neither book is refused.

mod files;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr_common::physical_expr::proto_decode::PhysicalExprDecodeCtx;
use datafusion::physical_expr_common::physical_expr::proto_encode::PhysicalExprEncodeCtx;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use firesteel_connectors::clickhouse::read::ClickHouseScanExec;
use firesteel_connectors::postgres::PostgresScanExec;
use firesteel_connectors::sink::PreparedSink;
use firesteel_functions::SparkError;
use firesteel_functions::registry;

use crate::as_is::AsIsExec;
use crate::key_filter::KeyFilterExec;
use crate::order::InOrderExec;
use crate::sink::SinkExec;
use crate::task::TaskExec;

/// First byte of an operator that the inner codec encodes.
const INNER: u8 = 0;
/// First byte of a [`SinkExec`]; its sink follows as JSON.
const SINK: u8 = 1;
/// First byte of a [`TaskExec`], of which nothing else is to be said.
const TASK: u8 = 3;
/// First byte of an [`InOrderExec`]; the number of rows it gives follows, when there is one.
const ORDER: u8 = 4;

/// First byte of a [`PostgresScanExec`]; what it reads follows as JSON.
const POSTGRES: u8 = 5;

/// First byte of a scan of files in a format of ours; its message follows.
const FILES: u8 = 6;

/// First byte of an [`AsIsExec`]; what it says is for planners, who are done.
const AS_IS: u8 = 7;

/// First byte of a [`KeyFilterExec`]; the indexes of its key and its column follow.
const KEY_FILTER: u8 = 8;

/// First byte of a [`ClickHouseScanExec`]; what it reads follows as JSON.
const CLICKHOUSE: u8 = 9;

/// A function of Spark's book.
const SPARK: &[u8] = b"s";
/// A function of DataFusion's book.
const DATAFUSION: &[u8] = b"d";

/// Encodes our operators and all functions; the inner codec has the rest.
#[derive(Debug)]
pub struct EngineCodec {
    inner: Arc<dyn PhysicalExtensionCodec>,
}

impl EngineCodec {
    /// A codec that gives what is not ours to `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn PhysicalExtensionCodec>) -> Self {
        Self { inner }
    }
}

impl PhysicalExtensionCodec for EngineCodec {
    fn try_decode(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        ctx: &TaskContext,
        proto_converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match buf.split_first() {
            Some((&INNER, rest)) => self.inner.try_decode(rest, inputs, ctx, proto_converter),
            Some((&SINK, rest)) => {
                let [input] = inputs else {
                    return Err(DataFusionError::Internal("a sink has one input".into()));
                };
                let sink: PreparedSink = serde_json::from_slice(rest).map_err(external)?;
                Ok(Arc::new(SinkExec::new(Arc::clone(input), Arc::new(sink))))
            }
            Some((&TASK, _)) => match inputs {
                [input, numbers] => Ok(Arc::new(TaskExec::sliced(Arc::clone(input), Arc::clone(numbers)))),
                _ => Err(DataFusionError::Internal("a task has an input and numbers".into())),
            },
            Some((&ORDER, rest)) => match inputs {
                [input] => Ok(Arc::new(InOrderExec::new(Arc::clone(input), wanted(rest)?))),
                _ => Err(DataFusionError::Internal("a merge has one input".into())),
            },
            Some((&POSTGRES, rest)) => match inputs {
                [splits] => {
                    let spec = serde_json::from_slice(rest).map_err(external)?;
                    Ok(Arc::new(PostgresScanExec::new(spec, Arc::clone(splits))))
                }
                _ => Err(DataFusionError::Internal("a scan of a database has one input".into())),
            },
            Some((&CLICKHOUSE, rest)) => match inputs {
                [conditions] => {
                    let spec = serde_json::from_slice(rest).map_err(external)?;
                    Ok(Arc::new(ClickHouseScanExec::new(spec, Arc::clone(conditions))))
                }
                _ => Err(DataFusionError::Internal("a scan of a database has one input".into())),
            },
            Some((&AS_IS, _)) => match inputs {
                [input] => Ok(Arc::new(AsIsExec::new(Arc::clone(input)))),
                _ => Err(DataFusionError::Internal("rows as they are have one input".into())),
            },
            Some((&KEY_FILTER, rest)) => match (inputs, numbers(rest).as_slice()) {
                ([keys, input], &[key, column]) => {
                    Ok(Arc::new(KeyFilterExec::new(Arc::clone(keys), key, Arc::clone(input), column)))
                }
                _ => Err(DataFusionError::Internal("a filter by keys has two inputs and a column of each".into())),
            },
            Some((&FILES, rest)) => files::decode(rest, ctx, self, proto_converter),
            _ => Err(DataFusionError::Internal("an operator of an unknown kind was received".into())),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buf: &mut Vec<u8>,
        proto_converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        if let Some(sink) = node.downcast_ref::<SinkExec>() {
            buf.push(SINK);
            return serde_json::to_writer(buf, sink.sink().as_ref()).map_err(external);
        }
        if let Some(scan) = node.downcast_ref::<PostgresScanExec>() {
            buf.push(POSTGRES);
            return serde_json::to_writer(buf, scan.spec()).map_err(external);
        }
        if let Some(scan) = node.downcast_ref::<ClickHouseScanExec>() {
            buf.push(CLICKHOUSE);
            return serde_json::to_writer(buf, scan.spec()).map_err(external);
        }
        if let Some(merge) = node.downcast_ref::<InOrderExec>() {
            buf.push(ORDER);
            if let Some(wanted) = merge.wanted() {
                buf.extend_from_slice(&u64::try_from(wanted).unwrap_or(u64::MAX).to_le_bytes());
            }
            return Ok(());
        }
        if let Some(filter) = node.downcast_ref::<KeyFilterExec>() {
            let (key, column) = filter.on();
            buf.push(KEY_FILTER);
            buf.extend([key, column].iter().flat_map(|index| (*index as u64).to_le_bytes()));
            return Ok(());
        }
        if node.is::<AsIsExec>() {
            buf.push(AS_IS);
            return Ok(());
        }
        if node.is::<TaskExec>() {
            buf.push(TASK);
            return Ok(());
        }
        if files::encode(node.as_ref(), buf, self, proto_converter)? {
            return Ok(());
        }
        buf.push(INNER);
        self.inner.try_encode(node, buf, proto_converter)
    }

    fn try_encode_udf(&self, node: &ScalarUDF, buf: &mut Vec<u8>) -> Result<()> {
        let spark = registry().scalar(node.name());
        let ours = DEFAULTS.scalar.get(node.name());
        buf.extend_from_slice(book(node, spark.as_deref(), ours.map(Arc::as_ref), node.name())?);
        Ok(())
    }

    fn try_decode_udf(&self, name: &str, buf: &[u8]) -> Result<Arc<ScalarUDF>> {
        let spark = || registry().scalar(name);
        find(name, buf, spark, || DEFAULTS.scalar.get(name).cloned())
    }

    fn try_encode_udaf(&self, node: &AggregateUDF, buf: &mut Vec<u8>) -> Result<()> {
        let spark = registry().aggregate(node.name());
        let ours = DEFAULTS.aggregate.get(node.name());
        buf.extend_from_slice(book(node, spark.as_deref(), ours.map(Arc::as_ref), node.name())?);
        Ok(())
    }

    fn try_decode_udaf(&self, name: &str, buf: &[u8]) -> Result<Arc<AggregateUDF>> {
        let spark = || registry().aggregate(name);
        find(name, buf, spark, || DEFAULTS.aggregate.get(name).cloned())
    }

    fn try_encode_udwf(&self, node: &WindowUDF, buf: &mut Vec<u8>) -> Result<()> {
        let spark = registry().window(node.name());
        let ours = DEFAULTS.window.get(node.name());
        buf.extend_from_slice(book(node, spark.as_deref(), ours.map(Arc::as_ref), node.name())?);
        Ok(())
    }

    fn try_decode_udwf(&self, name: &str, buf: &[u8]) -> Result<Arc<WindowUDF>> {
        let spark = || registry().window(name);
        find(name, buf, spark, || DEFAULTS.window.get(name).cloned())
    }

    fn try_encode_higher_order_function(&self, node: &HigherOrderUDF, buf: &mut Vec<u8>) -> Result<()> {
        let spark = registry().lambda(node.name());
        let ours = DEFAULTS.lambda.get(node.name());
        buf.extend_from_slice(book(node, spark.as_deref(), ours.map(Arc::as_ref), node.name())?);
        Ok(())
    }

    fn try_decode_higher_order_function(&self, name: &str, buf: &[u8]) -> Result<Arc<HigherOrderUDF>> {
        find(name, buf, || registry().lambda(name), || DEFAULTS.lambda.get(name).cloned())
    }

    fn try_encode_expr(
        &self,
        node: &Arc<dyn PhysicalExpr>,
        buf: &mut Vec<u8>,
        ctx: &PhysicalExprEncodeCtx<'_>,
    ) -> Result<()> {
        self.inner.try_encode_expr(node, buf, ctx)
    }

    fn try_decode_expr(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn PhysicalExpr>],
        ctx: &PhysicalExprDecodeCtx<'_>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        self.inner.try_decode_expr(buf, inputs, ctx)
    }
}

/// DataFusion's own functions by name.
struct Defaults {
    scalar: HashMap<String, Arc<ScalarUDF>>,
    aggregate: HashMap<String, Arc<AggregateUDF>>,
    window: HashMap<String, Arc<WindowUDF>>,
    lambda: HashMap<String, Arc<HigherOrderUDF>>,
}

static DEFAULTS: LazyLock<Defaults> = LazyLock::new(|| {
    use datafusion::execution::SessionStateDefaults as Session;
    Defaults {
        scalar: Session::default_scalar_functions().into_iter().map(|f| (f.name().to_owned(), f)).collect(),
        aggregate: Session::default_aggregate_functions().into_iter().map(|f| (f.name().to_owned(), f)).collect(),
        window: Session::default_window_functions().into_iter().map(|f| (f.name().to_owned(), f)).collect(),
        lambda: Session::default_higher_order_functions().into_iter().map(|f| (f.name().to_owned(), f)).collect(),
    }
});

/// The book that holds exactly this function.
fn book<F: PartialEq>(function: &F, spark: Option<&F>, default: Option<&F>, name: &str) -> Result<&'static [u8]> {
    if spark == Some(function) {
        Ok(SPARK)
    } else if default == Some(function) {
        Ok(DATAFUSION)
    } else {
        Err(SparkError::internal(format!("function {name} cannot be sent to executors")).into())
    }
}

fn find<F>(
    name: &str,
    book: &[u8],
    spark: impl FnOnce() -> Option<F>,
    default: impl FnOnce() -> Option<F>,
) -> Result<F> {
    let found = match book {
        SPARK => spark(),
        DATAFUSION => default(),
        // A sender that only knows names: Spark's book first, as in a session.
        _ => spark().or_else(default),
    };
    found.ok_or_else(|| DataFusionError::Internal(format!("function {name} is not known here")))
}

fn wanted(bytes: &[u8]) -> Result<Option<usize>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let bytes: [u8; 8] =
        bytes.try_into().map_err(|_| DataFusionError::Internal("a number of rows has eight bytes".into()))?;
    Ok(Some(usize::try_from(u64::from_le_bytes(bytes)).unwrap_or(usize::MAX)))
}

/// Numbers of eight bytes each; none where a part is left over.
fn numbers(bytes: &[u8]) -> Vec<usize> {
    let (numbers, rest) = bytes.as_chunks();
    let all = numbers.iter().map(|number| usize::try_from(u64::from_le_bytes(*number)));
    if rest.is_empty() { all.collect::<Result<_, _>>().unwrap_or_default() } else { Vec::new() }
}

fn external(error: serde_json::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
