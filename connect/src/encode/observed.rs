//! Metrics of `df.observe`.

use firesteel_functions::error::SparkResult;
use firesteel_proto::spark::connect as sc;
use firesteel_spark::session::ObservedMetrics;

use super::literal;

/// Observed metrics as a message.
pub(crate) fn observed(from: &ObservedMetrics) -> SparkResult<sc::execute_plan_response::ObservedMetrics> {
    let mut message = sc::execute_plan_response::ObservedMetrics { name: from.name.clone(), ..Default::default() };
    for (field, column) in from.schema.fields.iter().zip(from.values.columns()) {
        message.keys.push(field.name.clone());
        message.values.push(literal::literal(column, 0, &field.data_type)?);
    }
    Ok(message)
}
