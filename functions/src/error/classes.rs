//! Which Java exception classes a Spark client expects for an error. It knows nothing of messages.

use super::{ErrorKind, SparkError};

const RUNTIME: [&str; 4] =
    ["java.lang.RuntimeException", "java.lang.Exception", "java.lang.Throwable", "java.lang.Object"];

impl SparkError {
    /// The exception class hierarchy, most specific first, as Spark Connect reports it in `classes`.
    #[must_use]
    pub fn java_classes(&self) -> Vec<&'static str> {
        let own: &[&str] = match self.kind() {
            ErrorKind::Parse => {
                &["org.apache.spark.sql.catalyst.parser.ParseException", "org.apache.spark.sql.AnalysisException"]
            }
            ErrorKind::Analysis => match self.condition() {
                "TABLE_OR_VIEW_NOT_FOUND" => &[
                    "org.apache.spark.sql.catalyst.analysis.NoSuchTableException",
                    "org.apache.spark.sql.AnalysisException",
                ],
                "SCHEMA_NOT_FOUND" => &[
                    "org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException",
                    "org.apache.spark.sql.AnalysisException",
                ],
                "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS" => &[
                    "org.apache.spark.sql.catalyst.analysis.TempTableAlreadyExistsException",
                    "org.apache.spark.sql.catalyst.analysis.TableAlreadyExistsException",
                    "org.apache.spark.sql.AnalysisException",
                ],
                "TABLE_OR_VIEW_ALREADY_EXISTS" => &[
                    "org.apache.spark.sql.catalyst.analysis.TableAlreadyExistsException",
                    "org.apache.spark.sql.AnalysisException",
                ],
                _ => &["org.apache.spark.sql.AnalysisException"],
            },
            ErrorKind::Arithmetic => &["org.apache.spark.SparkArithmeticException", "java.lang.ArithmeticException"],
            ErrorKind::NumberFormat => &[
                "org.apache.spark.SparkNumberFormatException",
                "java.lang.NumberFormatException",
                "java.lang.IllegalArgumentException",
            ],
            ErrorKind::DateTime => &["org.apache.spark.SparkDateTimeException", "java.time.DateTimeException"],
            ErrorKind::ArrayIndex => &[
                "org.apache.spark.SparkArrayIndexOutOfBoundsException",
                "java.lang.ArrayIndexOutOfBoundsException",
                "java.lang.IndexOutOfBoundsException",
            ],
            ErrorKind::IllegalArgument => {
                &["org.apache.spark.SparkIllegalArgumentException", "java.lang.IllegalArgumentException"]
            }
            ErrorKind::NoSuchElement => {
                &["org.apache.spark.SparkNoSuchElementException", "java.util.NoSuchElementException"]
            }
            ErrorKind::Unsupported => {
                &["org.apache.spark.SparkUnsupportedOperationException", "java.lang.UnsupportedOperationException"]
            }
            ErrorKind::Runtime => &["org.apache.spark.SparkRuntimeException"],
            ErrorKind::Upgrade => &["org.apache.spark.SparkUpgradeException"],
            ErrorKind::Execution | ErrorKind::Cancelled => &["org.apache.spark.SparkException"],
        };
        let checked =
            matches!(self.kind(), ErrorKind::Parse | ErrorKind::Analysis | ErrorKind::Execution | ErrorKind::Cancelled);
        own.iter().chain(RUNTIME.iter().skip(usize::from(checked))).copied().collect()
    }
}
