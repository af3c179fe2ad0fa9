//! Well-known binary: reading with the checks Spark makes, writing in either byte order. ISO types with Z, M and both.

use crate::error::{ErrorKind, SparkError, SparkResult};

/// How deep collections may hold collections.
const DEEPEST: usize = 64;

/// The byte order of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Least significant byte first, `NDR`.
    Little,
    /// Most significant byte first, `XDR`.
    Big,
}

/// Reads one value and writes it again in `order`; bytes behind it are dropped. Geographies must lie on the globe.
///
/// # Errors
/// `WKB_PARSE_ERROR`.
pub(super) fn rewrite(bytes: &[u8], geography: bool, order: Order) -> SparkResult<Vec<u8>> {
    if bytes.is_empty() {
        return Err(failure("WKB data is empty or null", 0));
    }
    let mut reader = Reader { bytes, at: 0, big: false, geography, order, out: Vec::with_capacity(bytes.len()) };
    reader.value(None, DEEPEST)?;
    Ok(reader.out)
}

fn failure(what: &str, at: usize) -> SparkError {
    let at = at.to_string();
    SparkError::new(ErrorKind::IllegalArgument, "WKB_PARSE_ERROR", &[("parseError", what), ("pos", &at)])
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Byte order of the value being read.
    big: bool,
    geography: bool,
    order: Order,
    out: Vec<u8>,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> SparkResult<[u8; N]> {
        let taken = self.bytes.get(self.at..self.at + N).and_then(|bytes| bytes.try_into().ok());
        let taken = taken.ok_or_else(|| failure("Unexpected end of WKB buffer", self.at))?;
        self.at += N;
        Ok(taken)
    }
    fn int(&mut self) -> SparkResult<u32> {
        let raw = self.take()?;
        let value = if self.big { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) };
        self.out.extend(if self.order == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() });
        Ok(value)
    }
    fn count(&mut self, what: &str, least: usize) -> SparkResult<u32> {
        let start = self.at;
        let count = self.int()?;
        let left = self.bytes.len() - self.at;
        if (count as usize).checked_mul(least).is_none_or(|needed| needed > left) {
            return Err(failure(&format!("Invalid count for {what}"), start));
        }
        Ok(count)
    }
    fn double(&mut self) -> SparkResult<f64> {
        let raw = self.take()?;
        let value = if self.big { f64::from_be_bytes(raw) } else { f64::from_le_bytes(raw) };
        self.out.extend(if self.order == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() });
        Ok(value)
    }
    /// One point; `empty` points may have coordinates that are no numbers.
    fn point(&mut self, dimensions: usize, empty: bool) -> SparkResult<Vec<u64>> {
        let mut bits = Vec::with_capacity(dimensions);
        for axis in 0..dimensions {
            let start = self.at;
            let value = self.double()?;
            let limit = if axis == 0 { 180.0 } else { 90.0 };
            let outside = self.geography && axis < 2 && value.abs() > limit;
            if value.is_infinite() || outside || (value.is_nan() && !empty) {
                return Err(failure("Invalid coordinate value found", start));
            }
            bits.push(if value == 0.0 { 0 } else { value.to_bits() });
        }
        Ok(bits)
    }
    fn value(&mut self, within: Option<(u32, u32)>, deepest: usize) -> SparkResult<()> {
        let Some(deepest) = deepest.checked_sub(1) else { return Err(failure("Nesting is too deep", self.at)) };
        let start = self.at;
        self.big = match self.take()? {
            [0] => true,
            [1] => false,
            [other] => return Err(failure(&format!("Invalid byte order {other}"), start)),
        };
        self.out.push(u8::from(self.order == Order::Little));
        let code = self.int()?;
        let (family, kind) = (code / 1000, code % 1000);
        // Parts have the dimensions of the whole.
        let fits = within.is_none_or(|(whole, _)| whole == family);
        if family > 3 || !(1..=7).contains(&kind) || !fits {
            return Err(failure(&format!("Invalid or unsupported type {code}"), start + 1));
        }
        if let Some((_, wanted)) = within
            && wanted != kind
            && wanted != 0
        {
            return Err(failure("Unexpected type of a part", self.at));
        }
        let dimensions = [2, 3, 3, 4].get(family as usize).copied().unwrap_or(2);
        match kind {
            1 => {
                self.point(dimensions, true)?;
            }
            2 => self.line(dimensions)?,
            3 => {
                for _ in 0..self.count("rings", 4)? {
                    self.ring(dimensions)?;
                }
            }
            _ => {
                // A multipoint holds points, a multilinestring lines, a multipolygon polygons, a collection anything.
                let part = if kind == 7 { 0 } else { kind - 3 };
                for _ in 0..self.count("parts", 5)? {
                    self.value(Some((family, part)), deepest)?;
                }
            }
        }
        Ok(())
    }
    fn line(&mut self, dimensions: usize) -> SparkResult<()> {
        let start = self.at;
        let count = self.count("LineString points", dimensions * 8)?;
        if count == 1 {
            return Err(failure("Too few points in linestring", start));
        }
        for _ in 0..count {
            self.point(dimensions, false)?;
        }
        Ok(())
    }
    fn ring(&mut self, dimensions: usize) -> SparkResult<()> {
        let start = self.at;
        let count = self.count("ring points", dimensions * 8)?;
        if count < 4 {
            return Err(failure("Too few points in ring", start));
        }
        let first = self.point(dimensions, false)?;
        let mut last = Vec::new();
        for _ in 1..count {
            last = self.point(dimensions, false)?;
        }
        if first != last {
            return Err(failure("Ring is not closed", start));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Order, rewrite};

    #[test]
    fn a_point_is_written_in_either_byte_order() {
        let mut point = vec![1, 1, 0, 0, 0];
        point.extend(1_f64.to_le_bytes());
        point.extend(2_f64.to_le_bytes());
        let big = rewrite(&point, false, Order::Big).unwrap();
        assert_eq!(big.first(), Some(&0));
        assert_eq!(rewrite(&big, false, Order::Little).unwrap(), point);
        point.truncate(12);
        assert!(rewrite(&point, false, Order::Little).is_err());
    }
    #[test]
    fn a_geography_lies_on_the_globe() {
        let mut point = vec![1, 1, 0, 0, 0];
        point.extend(380_f64.to_le_bytes());
        point.extend(2_f64.to_le_bytes());
        assert!(rewrite(&point, false, Order::Little).is_ok());
        assert!(rewrite(&point, true, Order::Little).is_err());
    }
}
