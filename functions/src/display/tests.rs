//! Facts from Spark 4.3.

use super::*;

#[test]
fn floats_and_decimals_print_as_java_prints_them() {
    let shown: Vec<String> = [0.0, -0.0, 1.0, 1e7, 1e-4, 1.5e300, 123.25, 0.001].into_iter().map(java_double).collect();
    assert_eq!(shown, ["0.0", "-0.0", "1.0", "1.0E7", "1.0E-4", "1.5E300", "123.25", "0.001"]);
    assert_eq!(java_float(1.1), "1.1");
    assert_eq!(decimal_text(-5, 3), "-0.005");
}
