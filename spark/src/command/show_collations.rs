//! `SHOW COLLATIONS`.

use firesteel_functions::collation::Collation;
use firesteel_functions::error::SparkResult;

use super::{Cell, Rows, text};
use crate::catalog::matches;

/// One row for each collation whose name fits.
pub(super) fn run(pattern: Option<&str>) -> SparkResult<Rows> {
    let columns = [
        text("NAME", false),
        text("LANGUAGE", true),
        text("COUNTRY", true),
        text("ACCENT_SENSITIVITY", false),
        text("CASE_SENSITIVITY", false),
        text("PAD_ATTRIBUTE", false),
        text("ICU_VERSION", true),
    ];
    let rows = Collation::all()
        .into_iter()
        .filter(|listed| matches(pattern, &listed.name))
        .map(|listed| listed.cells().into_iter().map(Cell::from).collect())
        .collect();
    Rows::new(&columns, rows)
}
