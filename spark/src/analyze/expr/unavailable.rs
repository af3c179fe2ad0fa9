//! Functions that Spark lists and that need what this engine does not have: each fails as it does in a Spark without
//! the package or feature.

use datafusion::scalar::ScalarValue;
use firesteel_functions::types::DataType;
use firesteel_functions::{SparkError, SparkResult};

use super::Exprs;
use crate::analyze::{errors, naming};
use crate::spec::Function;

impl Exprs<'_, '_> {
    /// Nothing, unless `name` is one of them.
    ///
    /// # Errors
    /// Why it cannot be called.
    pub(super) fn unavailable(&self, name: &str, function: &Function) -> SparkResult<()> {
        let given = function.args.len();
        match name {
            "reflect" | "java_method" | "try_reflect" if given < 2 => {
                Err(errors::wrong_num_args("reflect", "> 1", given))
            }
            "reflect" | "java_method" | "try_reflect" => Err(errors::unsupported("methods of Java classes")),
            "to_avro" | "from_avro" | "schema_of_avro" => Err(SparkError::analysis(
                "AVRO_NOT_LOADED_SQL_FUNCTIONS_UNUSABLE",
                &[("functionName", &name.to_uppercase())],
            )),
            "to_protobuf" | "from_protobuf" => Err(self.protobuf(name, function)?.unwrap_or_else(|| {
                SparkError::analysis(
                    "PROTOBUF_NOT_LOADED_SQL_FUNCTIONS_UNUSABLE",
                    &[("functionName", &name.to_uppercase())],
                )
            })),
            "measure" => Err(errors::unsupported("metric views")),
            "sql_keywords" | "collations" | "python_worker_logs" => {
                Err(SparkError::analysis("NOT_A_SCALAR_FUNCTION", &[("functionName", &format!("`{name}`"))]))
            }
            // Moments are counted in microseconds here, and the function takes none of those.
            "unix_nanos" => {
                let [moment] = self.fixed(name, &function.args)?;
                let (call, moment_text) = (naming::call(name, &[moment.sql()]), moment.sql());
                let required = "\"(TIMESTAMP_LTZ(P) OR TIMESTAMP_NTZ(P) WITH P IN [7, 9])\"";
                Err(errors::unexpected_input(&call, 0, required, &moment_text, &moment.data_type))
            }
            _ => Ok(()),
        }
    }

    /// What is wrong with the arguments of a protobuf function.
    fn protobuf(&self, name: &str, function: &Function) -> SparkResult<Option<SparkError>> {
        let args = self.arguments(name, &function.args)?;
        let (Some(data), Some(file)) = (args.first(), args.get(2)) else { return Ok(None) };
        if name == "to_protobuf" && !matches!(data.data_type, DataType::Struct(_)) {
            let texts: Vec<String> = args.iter().map(|arg| arg.sql()).collect();
            let call = errors::expression(&naming::call(name, &texts));
            return Ok(Some(SparkError::analysis(
                "DATATYPE_MISMATCH.NON_STRUCT_TYPE",
                &[("sqlExpr", &call), ("inputType", &errors::sql_type(&data.data_type))],
            )));
        }
        Ok(match file.constant() {
            Some(ScalarValue::Utf8(Some(path))) if !std::path::Path::new(path).exists() => {
                Some(SparkError::analysis("PROTOBUF_DESCRIPTOR_FILE_NOT_FOUND", &[("filePath", path)]))
            }
            _ => None,
        })
    }
}
