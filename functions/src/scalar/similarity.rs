//! `jaro_winkler_similarity(str1, str2)`.
//!
//! Source: Winkler, "String Comparator Metrics and Enhanced Decision Rules" (1990); Spark counts UTF-16 units.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::coerce::Arg;
use super::read::strs;
use super::spec::{Call, Ret, SparkFn, f};

/// How much a common prefix counts for each of at most four units.
const PREFIX_WEIGHT: f64 = 0.1;

fn similarity(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let (a, b): (Vec<u16>, Vec<u16>) = (a.encode_utf16().collect(), b.encode_utf16().collect());
    let reach = (a.len().max(b.len()) / 2).saturating_sub(1);
    let mut taken = vec![false; b.len()];
    let mut left = Vec::new();
    for (at, unit) in a.iter().enumerate() {
        let from = at.saturating_sub(reach);
        let mut near = b.iter().zip(&mut taken).skip(from).take(at + reach + 1 - from);
        if let Some((_, taken)) = near.find(|(other, taken)| *other == unit && !**taken) {
            *taken = true;
            left.push(*unit);
        }
    }
    if left.is_empty() {
        return 0.0;
    }
    let right = b.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(unit, _)| unit);
    let swapped = left.iter().zip(right).filter(|(a, b)| a != b).count() / 2;
    let matched = left.len() as f64;
    let jaro = (matched / a.len() as f64 + matched / b.len() as f64 + (matched - swapped as f64) / matched) / 3.0;
    let prefix = a.iter().zip(&b).take(4).take_while(|(a, b)| a == b).count();
    jaro + prefix as f64 * PREFIX_WEIGHT * (1.0 - jaro)
}

/// The function of this file.
pub(crate) fn all() -> Vec<SparkFn> {
    let work = |_: &Call<'_>, args: &[ArrayRef]| -> Result<ArrayRef> {
        let pairs = strs(args, 0)?.iter().zip(strs(args, 1)?);
        Ok(Arc::new(pairs.map(|(a, b)| Some(similarity(a?, b?))).collect::<Float64Array>()))
    };
    vec![f("jaro_winkler_similarity", &[Arg::Str, Arg::Str], Ret::Is(DataType::Float64), work)]
}

#[cfg(test)]
mod tests {
    use super::similarity;

    #[test]
    fn published_examples_come_out() {
        for (a, b, wanted) in [
            ("MARTHA", "MARHTA", 0.961_111),
            ("DWAYNE", "DUANE", 0.84),
            ("DIXON", "DICKSONX", 0.813_333),
            ("kitten", "sitting", 0.746_032),
            ("ABC", "XYZ", 0.0),
            ("", "", 1.0),
        ] {
            assert!((similarity(a, b) - wanted).abs() < 1e-6, "{a} {b}");
        }
    }
}
