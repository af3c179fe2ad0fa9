//! Comparisons of `CHAR(n)` columns: the shorter side gets spaces, since `CHAR(5)` holds `'ab'` as `'ab   '`.
//!
//! Only columns as they stand are padded, as in Spark; what a function made of one is an ordinary string.

use datafusion::logical_expr::{Expr, lit};
use datafusion::scalar::ScalarValue;
use firesteel_functions::types::DataType;

use super::Exprs;
use crate::analyze::fold;
use crate::analyze::typed::Typed;
use crate::catalog::text_type;

impl Exprs<'_, '_> {
    /// Both sides of a comparison, padded where one of them is a `CHAR` column.
    pub(super) fn padded_pair(&self, left: Typed, right: Typed) -> (Typed, Typed) {
        match (length(&left), length(&right)) {
            (Some(l), Some(r)) => (pad(left, l, r), pad(right, r, l)),
            (Some(l), None) => match self.text(&right) {
                Some(text) => (pad(left, l, count(&text)), pad(right, count(&text), l)),
                None => (left, right),
            },
            (None, Some(r)) => match self.text(&left) {
                Some(text) => (pad(left, count(&text), r), pad(right, r, count(&text))),
                None => (left, right),
            },
            (None, None) => (left, right),
        }
    }

    /// A `CHAR` column and the constants of its `IN` list, all of one length.
    pub(super) fn padded_list(&self, value: &Typed, list: &[Typed]) -> Option<(Typed, Vec<Typed>)> {
        let own = length(value)?;
        let lengths: Vec<usize> =
            list.iter().map(|item| self.text(item).map(|text| count(&text))).collect::<Option<_>>()?;
        let longest = lengths.iter().copied().chain([own]).max()?;
        let items = list.iter().zip(&lengths).map(|(item, length)| pad(item.clone(), *length, longest)).collect();
        Some((pad(value.clone(), own, longest), items))
    }

    fn text(&self, typed: &Typed) -> Option<String> {
        if typed.data_type != DataType::String || !fold::is_constant(&typed.expr) {
            return None;
        }
        match self.analyzer.fold(&typed.expr) {
            Ok(ScalarValue::Utf8(Some(text))) => Some(text),
            _ => None,
        }
    }
}

/// The declared length of a `CHAR` column.
fn length(typed: &Typed) -> Option<usize> {
    if !matches!(typed.expr, Expr::Column(_) | Expr::OuterReferenceColumn(..)) {
        return None;
    }
    match text_type::remembered(typed.metadata.as_deref())? {
        DataType::Char(length) => usize::try_from(length).ok(),
        _ => None,
    }
}

fn count(text: &str) -> usize {
    text.chars().count()
}

fn pad(mut typed: Typed, from: usize, to: usize) -> Typed {
    if from >= to {
        return typed;
    }
    if let (Some(rpad), Ok(length)) = (firesteel_functions::registry().scalar("rpad"), i32::try_from(to)) {
        typed.expr = rpad.call(vec![typed.expr, lit(length), lit(" ")]);
    }
    typed
}
