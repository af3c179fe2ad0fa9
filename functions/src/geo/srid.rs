//! Which spatial reference identifiers exist.

use std::sync::OnceLock;

use crate::error::{ErrorKind, SparkError, SparkResult};

/// Identifiers of PROJ's registry as ranges: geographic ones in the first line, others in the second.
static REGISTRY: &str = include_str!("../../data/srids.txt");

type Ranges = Vec<(u32, u32)>;

fn ranges() -> &'static [Ranges] {
    static RANGES: OnceLock<Vec<Ranges>> = OnceLock::new();
    RANGES.get_or_init(|| REGISTRY.lines().map(|line| line.split(' ').filter_map(range).collect()).collect())
}

fn range(text: &str) -> Option<(u32, u32)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    Some((from.parse().ok()?, to.parse().ok()?))
}

/// Whether values of a kind may have this identifier: geographies need geographic coordinates.
#[must_use]
pub fn is_srid(srid: i64, geography: bool) -> bool {
    let Ok(srid) = u32::try_from(srid) else { return false };
    let listed = |ranges: &Ranges| ranges.iter().any(|(from, to)| (*from..=*to).contains(&srid));
    if geography { ranges().first().is_some_and(listed) } else { srid == 0 || ranges().iter().any(listed) }
}

/// The identifier, or `ST_INVALID_SRID_VALUE`.
///
/// # Errors
/// When [`is_srid`] says no.
pub fn check_srid(srid: i64, geography: bool) -> SparkResult<u32> {
    match u32::try_from(srid) {
        Ok(known) if is_srid(srid, geography) => Ok(known),
        _ => {
            let shown = srid.to_string();
            Err(SparkError::new(ErrorKind::IllegalArgument, "ST_INVALID_SRID_VALUE", &[("srid", &shown)]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_srid;

    #[test]
    fn geographies_take_geographic_references_only() {
        assert!(is_srid(4326, true) && is_srid(4326, false));
        assert!(is_srid(3857, false) && !is_srid(3857, true));
        assert!(is_srid(0, false) && !is_srid(0, true) && !is_srid(9999, false));
    }
}
