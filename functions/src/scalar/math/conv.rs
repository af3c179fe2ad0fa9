//! `conv`: whole numbers from one base to another.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use datafusion::common::Result;

use super::super::read::{ints, strs};
use super::super::spec::Call;
use super::overflow;

/// `conv(num, from_base, to_base)`: unsigned 64-bit arithmetic; a negative target base gives a signed result.
pub(super) fn conv(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (text, from, to) = (strs(args, 0)?, ints(args, 1)?, ints(args, 2)?);
    let one = |text: &str, from: i32, to: i32| -> Result<Option<String>> {
        if !(2..=36).contains(&from) || !(2..=36).contains(&to.abs()) {
            return Ok(None);
        }
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let mut value: u64 = 0;
        for digit in digits.chars().map_while(|c| c.to_digit(from as u32)) {
            let next = value.checked_mul(from as u64).and_then(|v| v.checked_add(u64::from(digit)));
            value = match next {
                Some(next) => next,
                None if call.options.ansi => return Err(overflow("Overflow in function conv()")),
                None => {
                    value = u64::MAX;
                    break;
                }
            };
        }
        // A magnitude beyond a signed number has no negative one; the largest stands for it.
        if negative && to > 0 {
            value = if (value as i64) < 0 { u64::MAX } else { value.wrapping_neg() };
        }
        let mut sign = negative && to < 0;
        if to < 0 && (value as i64) < 0 {
            value = (value as i64).unsigned_abs();
            sign = true;
        }
        let base = u64::from(to.unsigned_abs());
        let mut out: Vec<char> = vec![];
        loop {
            out.extend(char::from_digit((value % base) as u32, base as u32).map(|c| c.to_ascii_uppercase()));
            value /= base;
            if value == 0 {
                break;
            }
        }
        if sign {
            out.push('-');
        }
        Ok(Some(out.into_iter().rev().collect()))
    };
    let out = (0..text.len())
        .map(|row| {
            if text.is_null(row) || from.is_null(row) || to.is_null(row) {
                return Ok(None);
            }
            one(text.value(row), from.value(row), to.value(row))
        })
        .collect::<Result<StringArray>>()?;
    Ok(Arc::new(out))
}
