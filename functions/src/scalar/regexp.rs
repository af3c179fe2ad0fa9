//! Functions of regular expressions. What a pattern means is `crate::regex`'s business.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int32Array, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion::common::{DataFusionError, Result};

use super::coerce::{Arg, list_of};
use super::read::{invalid, opt_int, strs};
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::error::SparkError;
use crate::regex::{Pattern, PatternError};

const STR2: &[Arg] = &[Arg::Str, Arg::Str];
const STR2_INT: &[Arg] = &[Arg::Str, Arg::Str, Arg::Int];

/// Patterns compiled once for a batch.
pub(crate) struct Patterns {
    name: &'static str,
    made: Vec<(String, Pattern)>,
    numbers: HashMap<String, usize>,
    last: usize,
}

impl Patterns {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, made: vec![], numbers: HashMap::new(), last: 0 }
    }
    pub(crate) fn get(&mut self, pattern: &str) -> Result<&Pattern> {
        // Nearly always it is the pattern of the row before.
        if self.made.get(self.last).is_none_or(|(known, _)| known != pattern) {
            self.last = match self.numbers.get(pattern) {
                Some(number) => *number,
                None => self.compile(pattern)?,
            };
        }
        self.made.get(self.last).map(|(_, made)| made).ok_or_else(|| self.wrong(pattern))
    }
    fn compile(&mut self, pattern: &str) -> Result<usize> {
        let made = Pattern::new(pattern).map_err(|_| self.wrong(pattern))?;
        self.made.push((pattern.to_owned(), made));
        self.numbers.insert(pattern.to_owned(), self.made.len() - 1);
        Ok(self.made.len() - 1)
    }
    fn wrong(&self, pattern: &str) -> DataFusionError {
        let quoted = format!("'{pattern}'");
        invalid("PATTERN", self.name, &[("parameter", "`regexp`"), ("value", &quoted)])
    }
}

/// A search that failed.
pub(crate) fn failed(error: PatternError) -> DataFusionError {
    SparkError::unsupported(error.to_string()).into()
}

fn group(call: &Call<'_>, found: &Pattern, index: i32) -> Result<usize> {
    let count = found.groups();
    usize::try_from(index).ok().filter(|index| *index <= count).ok_or_else(|| {
        let (count, index) = (count.to_string(), index.to_string());
        invalid(
            "REGEX_GROUP_INDEX",
            call.name,
            &[("parameter", "`idx`"), ("groupCount", &count), ("groupIndex", &index)],
        )
    })
}

/// `rlike(str, regexp)`: whether the pattern is found.
fn rlike(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let mut patterns = Patterns::new(call.name);
    let out = strs(args, 0)?
        .iter()
        .zip(strs(args, 1)?)
        .map(|(text, pattern)| match text.zip(pattern) {
            Some((text, pattern)) => patterns.get(pattern)?.is_match(text).map(Some).map_err(failed),
            None => Ok(None),
        })
        .collect::<Result<BooleanArray>>()?;
    Ok(Arc::new(out))
}

/// Calls `work(text, regex, third argument)` for rows without nulls.
fn each<T>(
    call: &Call<'_>,
    args: &[ArrayRef],
    default: i32,
    mut work: impl FnMut(&str, &Pattern, i32) -> Result<Option<T>>,
) -> Result<Vec<Option<T>>> {
    let (text, pattern) = (strs(args, 0)?, strs(args, 1)?);
    let mut patterns = Patterns::new(call.name);
    (0..text.len())
        .map(|row| {
            let third = if args.len() > 2 { opt_int(args, 2, row) } else { Some(default) };
            match third {
                Some(third) if text.is_valid(row) && pattern.is_valid(row) => {
                    work(text.value(row), patterns.get(pattern.value(row))?, third)
                }
                _ => Ok(None),
            }
        })
        .collect()
}

/// `regexp_extract(str, regexp[, idx])`: empty when nothing is found.
fn extract(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let out = each(call, args, 1, |text, found, index| {
        // The group is asked for only where there is a match.
        let Some(groups) = found.find_at(text, 0).map_err(failed)? else { return Ok(Some(String::new())) };
        let index = group(call, found, index)?;
        Ok(Some(groups.text(text, index).unwrap_or_default().to_string()))
    })?;
    Ok(Arc::new(StringArray::from(out)))
}

/// `regexp_extract_all(str, regexp[, idx])`.
fn extract_all(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let rows = each(call, args, 1, |text, found, index| {
        let all = found.find_all(text).map_err(failed)?;
        if all.is_empty() {
            return Ok(Some(vec![]));
        }
        let index = group(call, found, index)?;
        Ok(Some(all.iter().map(|groups| groups.text(text, index).unwrap_or_default().to_string()).collect::<Vec<_>>()))
    })?;
    Ok(text_lists(rows))
}

/// An array of string arrays with Spark's field name.
pub(crate) fn text_lists(rows: Vec<Option<Vec<String>>>) -> ArrayRef {
    let field = Field::new("element", DataType::Utf8, true);
    let mut out = ListBuilder::new(StringBuilder::new()).with_field(field);
    for row in rows {
        match row {
            Some(values) => {
                values.iter().for_each(|value| out.values().append_value(value));
                out.append(true);
            }
            None => out.append(false),
        }
    }
    Arc::new(out.finish())
}

/// `regexp_count`, `regexp_instr`, `regexp_substr`.
pub(crate) fn all() -> Vec<SparkFn> {
    vec![
        f("rlike", STR2, Ret::Is(DataType::Boolean), rlike).also(&["regexp", "regexp_like"]),
        f("regexp_extract", STR2_INT, Ret::Is(DataType::Utf8), extract).min(2),
        f("regexp_extract_all", STR2_INT, Ret::Is(list_of(DataType::Utf8, true)), extract_all).min(2),
        f("regexp_count", STR2, Ret::Is(DataType::Int32), |call, args| {
            let out = each(call, args, 0, |text, found, _| {
                let mut count = 0_i32;
                let count_one = |_, _| {
                    count += 1;
                    ControlFlow::Continue(())
                };
                found.places(text, count_one).map_err(failed)?;
                Ok(Some(count))
            })?;
            Ok(Arc::new(Int32Array::from(out)))
        }),
        f("regexp_instr", STR2_INT, Ret::Is(DataType::Int32), |call, args| {
            let out = each(call, args, 0, |text, found, _| {
                let found = found.find_at(text, 0).map_err(failed)?;
                let before = found.and_then(|found| text.get(..found.whole().0));
                Ok(Some(before.map_or(0, |before| before.chars().count() as i32 + 1)))
            })?;
            Ok(Arc::new(Int32Array::from(out)))
        })
        .min(2),
        f("regexp_substr", STR2, Ret::Is(DataType::Utf8), |call, args| {
            let out = each(call, args, 0, |text, found, _| {
                let found = found.find_at(text, 0).map_err(failed)?;
                Ok(found.and_then(|found| found.text(text, 0)).filter(|hit| !hit.is_empty()).map(str::to_string))
            })?;
            Ok(Arc::new(StringArray::from(out)))
        })
        .nulls(Nulls::Always),
    ]
}
