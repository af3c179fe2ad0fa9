//! A function under other settings than its session's, as the expressions of a view are under the view's.
//!
//! Most functions read the ANSI mode and the time zone from the options their query runs with. One wrapped here is shown
//! options with both replaced; its name says so, which is how it travels. It knows no function.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use crate::options::SparkOptions;

/// First part of the name of a wrapped function; mode, zone and the function's own name follow.
const PREFIX: &str = "spark_under|";

/// The same function, run under an ANSI mode and a time zone; one that is bound already stays as it is.
#[must_use]
pub fn under(function: &Arc<ScalarUDF>, ansi: bool, time_zone: &str) -> Arc<ScalarUDF> {
    if function.name().starts_with(PREFIX) {
        return Arc::clone(function);
    }
    let name = format!("{PREFIX}{ansi}|{time_zone}|{}", function.name());
    let time_zone = time_zone.to_owned();
    Arc::new(ScalarUDF::new_from_impl(Under { inner: Arc::clone(function), ansi, time_zone, name }))
}

/// The parts of a wrapped function's name: mode, zone, function.
pub(crate) fn parts(name: &str) -> Option<(bool, &str, &str)> {
    let mut parts = name.strip_prefix(PREFIX)?.splitn(3, '|');
    Some((parts.next()? == "true", parts.next()?, parts.next()?))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Under {
    inner: Arc<ScalarUDF>,
    ansi: bool,
    time_zone: String,
    name: String,
}

impl Under {
    fn options(&self, config: &Arc<ConfigOptions>) -> Arc<ConfigOptions> {
        let mut config = Arc::clone(config);
        let mut options = SparkOptions::from_config(&config);
        if options.ansi != self.ansi || options.time_zone != self.time_zone {
            options.ansi = self.ansi;
            options.time_zone.clone_from(&self.time_zone);
            Arc::make_mut(&mut config).extensions.insert(options);
        }
        config
    }
}

impl ScalarUDFImpl for Under {
    fn name(&self) -> &str {
        &self.name
    }

    /// The function's own, so that no column changes its name.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        self.inner.schema_name(args)
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arguments)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arguments)
    }

    fn short_circuits(&self) -> bool {
        self.inner.short_circuits()
    }

    fn conditional_arguments<'a>(&self, args: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.inner.conditional_arguments(args)
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        args.config_options = self.options(&args.config_options);
        self.inner.invoke_with_args(args)
    }
}
