//! The kinds of items a KLL sketch holds.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type};

use crate::display::{java_double, java_float};
use crate::sketch::theta::array;

/// An item with a fixed number of bytes.
pub(super) trait Item: Copy + Debug + Send + Sync + 'static {
    /// Its bytes.
    const SIZE: usize;
    /// The name of its sketch in summaries.
    const NAME: &'static str;
    /// Total order.
    fn order(&self, other: &Self) -> Ordering;
    /// Whether it is no number.
    fn is_nan(&self) -> bool {
        false
    }
    /// Appends its little-endian bytes.
    fn write(&self, out: &mut Vec<u8>);
    /// Reads what `write` wrote.
    fn read(bytes: &[u8], at: usize) -> Option<Self>;
    /// As text.
    fn text(&self) -> String;
    /// The Arrow type of such items.
    fn data_type() -> DataType;
    /// A column of items.
    fn column(items: Vec<Option<Self>>) -> ArrayRef;
    /// The items of a column.
    fn items(column: &ArrayRef) -> Option<Vec<Option<Self>>>;
}

impl Item for i64 {
    const SIZE: usize = 8;
    const NAME: &'static str = "Longs";
    fn order(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.to_le_bytes());
    }
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        array(bytes, at).map(Self::from_le_bytes)
    }
    fn text(&self) -> String {
        self.to_string()
    }
    fn data_type() -> DataType {
        DataType::Int64
    }
    fn column(items: Vec<Option<Self>>) -> ArrayRef {
        Arc::new(PrimitiveArray::<Int64Type>::from(items))
    }
    fn items(column: &ArrayRef) -> Option<Vec<Option<Self>>> {
        Some(column.as_primitive_opt::<Int64Type>()?.iter().collect())
    }
}

impl Item for f32 {
    const SIZE: usize = 4;
    const NAME: &'static str = "Floats";
    fn order(&self, other: &Self) -> Ordering {
        self.partial_cmp(other).unwrap_or(Ordering::Equal)
    }
    fn is_nan(&self) -> bool {
        Self::is_nan(*self)
    }
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.to_le_bytes());
    }
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        array(bytes, at).map(Self::from_le_bytes)
    }
    fn text(&self) -> String {
        java_float(*self)
    }
    fn data_type() -> DataType {
        DataType::Float32
    }
    fn column(items: Vec<Option<Self>>) -> ArrayRef {
        Arc::new(PrimitiveArray::<Float32Type>::from(items))
    }
    fn items(column: &ArrayRef) -> Option<Vec<Option<Self>>> {
        Some(column.as_primitive_opt::<Float32Type>()?.iter().collect())
    }
}

impl Item for f64 {
    const SIZE: usize = 8;
    const NAME: &'static str = "Doubles";
    fn order(&self, other: &Self) -> Ordering {
        self.partial_cmp(other).unwrap_or(Ordering::Equal)
    }
    fn is_nan(&self) -> bool {
        Self::is_nan(*self)
    }
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.to_le_bytes());
    }
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        array(bytes, at).map(Self::from_le_bytes)
    }
    fn text(&self) -> String {
        java_double(*self)
    }
    fn data_type() -> DataType {
        DataType::Float64
    }
    fn column(items: Vec<Option<Self>>) -> ArrayRef {
        Arc::new(PrimitiveArray::<Float64Type>::from(items))
    }
    fn items(column: &ArrayRef) -> Option<Vec<Option<Self>>> {
        Some(column.as_primitive_opt::<Float64Type>()?.iter().collect())
    }
}
