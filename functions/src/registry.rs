//! Spark's functions by name. It holds them; what each does lives in `scalar`, `aggregate`, `window` and `lambda`.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};

/// All functions under Spark's lower-case names, aliases included.
#[derive(Debug, Default)]
pub struct Registry {
    scalars: BTreeMap<String, Arc<ScalarUDF>>,
    aggregates: BTreeMap<String, Arc<AggregateUDF>>,
    windows: BTreeMap<String, Arc<WindowUDF>>,
    lambdas: BTreeMap<String, Arc<HigherOrderUDF>>,
}

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::load);

/// The one registry of this process.
#[must_use]
pub fn registry() -> &'static Registry {
    &REGISTRY
}

impl Registry {
    fn load() -> Self {
        let mut made = Self::default();
        for udf in crate::scalar::all() {
            made.scalars.insert(udf.name().to_string(), udf);
        }
        for udf in crate::collation::all() {
            made.scalars.insert(udf.name().to_string(), udf);
        }
        for udf in crate::arithmetic::all_udfs() {
            made.scalars.insert(udf.name().to_string(), udf);
        }
        for udf in crate::aggregate::all() {
            made.aggregates.insert(udf.name().to_string(), udf);
        }
        for udf in crate::window::all() {
            made.windows.insert(udf.name().to_string(), udf);
        }
        for udf in crate::lambda::all() {
            made.lambdas.insert(udf.name().to_string(), udf);
        }
        made
    }

    /// The scalar function called `name`, in any case; also one bound to settings by its name.
    #[must_use]
    pub fn scalar(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        if let Some((ansi, time_zone, inner)) = crate::under::parts(name) {
            return self.scalar(inner).map(|found| crate::under::under(&found, ansi, time_zone));
        }
        self.scalars.get(&name.to_ascii_lowercase()).cloned()
    }
    /// The aggregate function called `name`, in any case, with ANSI overflow rules.
    #[must_use]
    pub fn aggregate(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.aggregates.get(&name.to_ascii_lowercase()).cloned()
    }
    /// The aggregate function called `name` for the given ANSI mode: accumulators do not see session options,
    /// so the few functions that differ exist twice.
    #[must_use]
    pub fn aggregate_for(&self, name: &str, ansi: bool) -> Option<Arc<AggregateUDF>> {
        let name = name.to_ascii_lowercase();
        if !ansi && let Some(found) = self.aggregates.get(&format!("{name}{}", crate::aggregate::LEGACY)) {
            return Some(Arc::clone(found));
        }
        self.aggregates.get(&name).cloned()
    }
    /// The window function called `name`, in any case.
    #[must_use]
    pub fn window(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.windows.get(&name.to_ascii_lowercase()).cloned()
    }
    /// The function with lambda arguments called `name`, in any case.
    #[must_use]
    pub fn lambda(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.lambdas.get(&name.to_ascii_lowercase()).cloned()
    }
    /// Every scalar function, for registration in a session.
    pub fn all_scalar(&self) -> impl Iterator<Item = &Arc<ScalarUDF>> {
        self.scalars.values()
    }
    /// Every aggregate function, hidden variants included.
    pub fn all_aggregate(&self) -> impl Iterator<Item = &Arc<AggregateUDF>> {
        self.aggregates.values()
    }
    /// Every window function.
    pub fn all_window(&self) -> impl Iterator<Item = &Arc<WindowUDF>> {
        self.windows.values()
    }
    /// Every function with lambda arguments.
    pub fn all_lambda(&self) -> impl Iterator<Item = &Arc<HigherOrderUDF>> {
        self.lambdas.values()
    }
    /// Whether a function of any kind has this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.scalars.contains_key(&name)
            || self.aggregates.contains_key(&name)
            || self.windows.contains_key(&name)
            || self.lambdas.contains_key(&name)
    }
    /// The name Spark shows in a column's generated name for a call of `name`.
    #[must_use]
    pub fn canonical_name(&self, name: &str) -> Option<String> {
        let lower = name.to_ascii_lowercase();
        self.contains(&lower).then(|| shown(&lower).map_or_else(|| lower.clone(), str::to_string))
    }
    /// All public names, sorted, for `SHOW FUNCTIONS`.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let all = self.scalars.keys().chain(self.aggregates.keys()).chain(self.windows.keys());
        let mut names: Vec<&str> =
            all.chain(self.lambdas.keys()).map(String::as_str).filter(|name| !hidden(name)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn hidden(name: &str) -> bool {
    name.starts_with("spark_") && name != "spark_partition_id"
        || name.ends_with(crate::aggregate::LEGACY)
        || name == crate::SINGLE_ROW
}

/// Names Spark prints otherwise than they are called.
fn shown(name: &str) -> Option<&'static str> {
    Some(match name {
        "acos" => "ACOS",
        "acosh" => "ACOSH",
        "asin" => "ASIN",
        "asinh" => "ASINH",
        "atan" => "ATAN",
        "atan2" => "ATAN2",
        "atanh" => "ATANH",
        "cbrt" => "CBRT",
        "ceil" => "CEIL",
        "cos" => "COS",
        "cosh" => "COSH",
        "cot" => "COT",
        "csc" => "CSC",
        "degrees" => "DEGREES",
        "e" => "E",
        "exp" => "EXP",
        "expm1" => "EXPM1",
        "floor" => "FLOOR",
        "hypot" => "HYPOT",
        "log" => "LOG",
        "log10" => "LOG10",
        "log1p" => "LOG1P",
        "log2" => "LOG2",
        "pi" => "PI",
        "pow" => "pow",
        "power" => "POWER",
        "radians" => "RADIANS",
        "regexp" => "REGEXP",
        "regexp_like" => "REGEXP_LIKE",
        "rint" => "rint",
        "rlike" => "RLIKE",
        "sec" => "SEC",
        "signum" => "SIGNUM",
        "sin" => "SIN",
        "sinh" => "SINH",
        "sqrt" => "SQRT",
        "tan" => "TAN",
        "tanh" => "TANH",
        "current_database" => "current_schema",
        _ => return None,
    })
}
