//! Nanoseconds a row of the most used functions and casts beside DataFusion's nearest equivalents, on the same batches and one core.
//! Only the expression is evaluated: no scan, no plan. `--rows N` sets the number of rows, `--only WORD` picks lines.
#![expect(clippy::print_stdout, reason = "a table for people")]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow::record_batch::RecordBatch;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::{DataFrame, SessionContext};
use firesteel_engine::local::LocalJobRunner;
use firesteel_engine::session::{EngineConfig, SessionRecipe};
use firesteel_spark::session::{EngineParts, Session, SparkEngine};
use firesteel_spark::spec::Plan;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A name, Spark's expression, DataFusion's.
const LINES: &[(&str, &str, &str)] = &[
    ("int + int", "i + j", "i + j"),
    ("bigint * int", "l * 3", "l * 3"),
    ("int % int", "i % 7", "i % 7"),
    ("double / double", "d / e", "d / e"),
    ("decimal * decimal", "m * m", "m * m"),
    ("decimal / decimal", "m / q", "m / q"),
    ("int = int", "i = j", "i = j"),
    ("cast int as string", "CAST(i AS STRING)", "CAST(i AS VARCHAR)"),
    ("cast double as string", "CAST(d AS STRING)", "CAST(d AS VARCHAR)"),
    ("cast date as string", "CAST(y AS STRING)", "CAST(y AS VARCHAR)"),
    ("cast timestamp as string", "CAST(z AS STRING)", "CAST(z AS VARCHAR)"),
    ("cast string as int", "CAST(ns AS INT)", "CAST(ns AS INT)"),
    ("cast string as double", "CAST(fs AS DOUBLE)", "CAST(fs AS DOUBLE)"),
    ("cast string as date", "CAST(ds AS DATE)", "CAST(ds AS DATE)"),
    ("cast string as timestamp", "CAST(ts AS TIMESTAMP)", "CAST(ts AS TIMESTAMP)"),
    ("cast double as int", "CAST(d AS INT)", "CAST(d AS INT)"),
    ("cast int as bigint", "CAST(i AS BIGINT)", "CAST(i AS BIGINT)"),
    ("cast int as decimal", "CAST(i AS DECIMAL(12,2))", "CAST(i AS DECIMAL(12,2))"),
    ("cast decimal as decimal", "CAST(m AS DECIMAL(14,1))", "CAST(m AS DECIMAL(14,1))"),
    ("upper", "upper(s)", "upper(s)"),
    ("length", "length(s)", "character_length(s)"),
    ("substring", "substring(s, 2, 5)", "substr(s, 2, 5)"),
    ("concat", "concat(s, '-', ns)", "concat(s, '-', ns)"),
    ("trim", "trim(s)", "trim(s)"),
    ("replace", "replace(s, 'a', 'xy')", "replace(s, 'a', 'xy')"),
    ("like", "s LIKE '%ab%c%'", "s LIKE '%ab%c%'"),
    ("regexp_replace", "regexp_replace(s, '[0-9]+', '#')", "regexp_replace(s, '[0-9]+', '#', 'g')"),
    ("split", "split(s, ' ')", "string_to_array(s, ' ')"),
    ("split_part", "split_part(s, ' ', 2)", "split_part(s, ' ', 2)"),
    ("coalesce", "coalesce(k, 0)", "coalesce(k, 0)"),
    (
        "case",
        "CASE WHEN i > 500 THEN 'big' WHEN i > 100 THEN 'mid' ELSE 'low' END",
        "CASE WHEN i > 500 THEN 'big' WHEN i > 100 THEN 'mid' ELSE 'low' END",
    ),
    ("abs", "abs(i - 500)", "abs(i - 500)"),
    ("round", "round(d, 2)", "round(d, 2)"),
    ("year", "year(y)", "date_part('year', y)"),
    ("date_trunc", "date_trunc('month', z)", "date_trunc('month', z)"),
    ("date_add", "date_add(y, 5)", "y + INTERVAL '5' DAY"),
    ("datediff", "datediff(y, DATE'2000-01-01')", "CAST(y AS INT) - 10957"),
    ("date_format", "date_format(z, 'yyyy-MM-dd')", "to_char(z, '%Y-%m-%d')"),
    ("to_date", "to_date(ds, 'yyyy-MM-dd')", "to_date(ds, '%Y-%m-%d')"),
    ("md5", "md5(s)", "md5(s)"),
];

fn data(rows: usize) -> Outcome<RecordBatch> {
    let number = |row: usize, salt: usize| (row.wrapping_mul(2_654_435_761).wrapping_add(salt * 40_503)) >> 7;
    let whole = |row: usize, salt: usize, below: usize| i32::try_from(number(row, salt) % below).unwrap_or_default();
    let text = |make: &dyn Fn(usize) -> String| {
        Arc::new((0..rows).map(|row| Some(make(row))).collect::<StringArray>()) as ArrayRef
    };
    let day = |row| 10_000 + whole(row, 5, 9_000);
    let instant = |row| i64::from(day(row)) * 86_400_000_000 + i64::from(whole(row, 6, 86_400)) * 1_000_000;
    let decimals = |salt: usize, below: usize| {
        let values = (0..rows).map(|row| i128::from(whole(row, salt, below)) + 1);
        Decimal128Array::from_iter_values(values).with_precision_and_scale(10, 2)
    };
    let date = |row: usize| {
        arrow::temporal_conversions::date32_to_datetime(day(row)).map(|d| d.date().to_string()).unwrap_or_default()
    };
    Ok(RecordBatch::try_from_iter(vec![
        ("i", Arc::new(Int32Array::from_iter_values((0..rows).map(|r| whole(r, 1, 1_000)))) as ArrayRef),
        ("j", Arc::new(Int32Array::from_iter_values((0..rows).map(|r| whole(r, 2, 1_000)))) as ArrayRef),
        (
            "k",
            Arc::new((0..rows).map(|r| (r % 3 != 0).then(|| whole(r, 2, 1_000))).collect::<Int32Array>()) as ArrayRef,
        ),
        ("l", Arc::new(Int64Array::from_iter_values((0..rows).map(|r| i64::from(whole(r, 3, 1 << 30))))) as ArrayRef),
        (
            "d",
            Arc::new(Float64Array::from_iter_values((0..rows).map(|r| f64::from(whole(r, 4, 1 << 20)) / 7.0)))
                as ArrayRef,
        ),
        (
            "e",
            Arc::new(Float64Array::from_iter_values((0..rows).map(|r| f64::from(whole(r, 9, 1_000)) + 0.5)))
                as ArrayRef,
        ),
        ("m", Arc::new(decimals(7, 10_000_000)?) as ArrayRef),
        ("q", Arc::new(decimals(8, 100_000)?) as ArrayRef),
        ("y", Arc::new(Date32Array::from_iter_values((0..rows).map(day))) as ArrayRef),
        (
            "z",
            Arc::new(TimestampMicrosecondArray::from_iter_values((0..rows).map(instant)).with_timezone("UTC"))
                as ArrayRef,
        ),
        ("s", text(&|r| format!(" row {} of abc{} ", number(r, 10) % 100_000, number(r, 11) % 97))),
        ("ns", text(&|r| whole(r, 12, 1_000_000).to_string())),
        ("fs", text(&|r| format!("{:.3}", f64::from(whole(r, 13, 1 << 24)) / 9.0))),
        ("ds", text(&date)),
        ("ts", text(&|r| format!("{} {:02}:{:02}:11", date(r), r % 24, r % 60))),
    ])?)
}

/// What evaluates a query's projections over the rows of its scan, and the rows.
struct Work {
    steps: Vec<(Vec<(Arc<dyn PhysicalExpr>, String)>, LogicalPlan)>,
    batches: Vec<RecordBatch>,
}

impl Work {
    async fn new(context: &SessionContext, plan: LogicalPlan) -> Outcome<Self> {
        let state = context.state();
        let mut plan = state.optimize(&plan)?;
        let mut steps = vec![];
        while let LogicalPlan::Projection(projection) = &plan {
            let schema = projection.input.schema();
            let exprs: Result<Vec<_>, _> = projection
                .expr
                .iter()
                .map(|e: &Expr| {
                    let name = e.schema_name().to_string();
                    state.create_physical_expr(e.clone(), schema).map(|made| (made, name))
                })
                .collect();
            steps.push((exprs?, projection.input.as_ref().clone()));
            plan = projection.input.as_ref().clone();
        }
        steps.reverse();
        let batches = DataFrame::new(state, plan).collect().await?;
        Ok(Self { steps, batches })
    }

    fn run(&self) -> Outcome<Duration> {
        let started = Instant::now();
        for batch in &self.batches {
            let mut batch = batch.clone();
            for (exprs, _) in &self.steps {
                let mut columns = vec![];
                for (number, (expr, _)) in exprs.iter().enumerate() {
                    columns.push((format!("{number}"), expr.evaluate(&batch)?.into_array(batch.num_rows())?));
                }
                batch = RecordBatch::try_from_iter(columns)?;
            }
            std::hint::black_box(batch);
        }
        Ok(started.elapsed())
    }

    /// The best of a few runs, in nanoseconds a row.
    fn time(&self) -> Outcome<f64> {
        let rows: usize = self.batches.iter().map(RecordBatch::num_rows).sum();
        let mut best = Duration::MAX;
        for _ in 0..5 {
            best = best.min(self.run()?);
        }
        Ok(best.as_secs_f64() * 1e9 / rows.max(1) as f64)
    }
}

async fn ours(session: &Arc<Session>, expression: &str) -> Outcome<Work> {
    let Plan::Query(relation) = session.parse(&format!("SELECT {expression} AS x FROM t"))? else {
        return Err("not a query".into());
    };
    let analyzed = session.analyze(&relation).await?;
    Work::new(&*session.context()?, analyzed.plan).await
}

async fn theirs(context: &SessionContext, expression: &str) -> Outcome<Work> {
    let plan = context.state().create_logical_plan(&format!("SELECT {expression} AS x FROM t")).await?;
    Work::new(context, plan).await
}

fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let rows = option("--rows").map_or(Ok(1_000_000), |text| text.parse())?;
    let only = option("--only").unwrap_or_default();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("t.parquet");
    let batch = data(rows)?;
    let mut writer = ArrowWriter::try_new(std::fs::File::create(&file)?, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;

    let local = LocalJobRunner::new(1);
    let recipe = SessionRecipe::new(EngineConfig { target_partitions: 1, ..EngineConfig::default() })?;
    let warehouse = folder.path().join("warehouse").display().to_string();
    let parts = EngineParts { runner: Arc::clone(&local) as _, local, recipe, warehouse };
    let session = SparkEngine::new(parts)?.session("bench", "1");
    session.conf().set("spark.sql.session.timeZone", "UTC")?;
    let view = format!("CREATE TEMP VIEW t AS SELECT * FROM parquet.`{}`", file.display());
    session.execute_command_eagerly(session.parse(&view)?).await?;
    // The peer gets the very batches that our scan yields, so that both read the same Arrow types.
    let sources =
        session.context()?.read_parquet(file.display().to_string(), Default::default()).await?.collect().await?;
    let schema = sources.first().ok_or("no rows")?.schema();
    let peer = SessionContext::new();
    peer.register_table("t", Arc::new(MemTable::try_new(schema, vec![sources])?))?;

    println!("{:<26}{:>12}{:>14}{:>9}", "ns a row", "Firesteel", "DataFusion", "ratio");
    for (name, spark, datafusion) in LINES.iter().filter(|(name, ..)| name.contains(&only)) {
        let mine = match ours(&session, spark).await {
            Ok(work) => work.time()?,
            Err(error) => {
                println!("{name:<26}  {error}");
                continue;
            }
        };
        match theirs(&peer, datafusion).await.and_then(|work| work.time()) {
            Ok(other) => println!("{name:<26}{mine:>12.2}{other:>14.2}{:>8.2}x", mine / other),
            Err(error) => println!("{name:<26}{mine:>12.2}   {error}"),
        }
    }
    Ok(())
}
