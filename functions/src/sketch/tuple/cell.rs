//! The summary of a key: a number and how it takes another.

use std::fmt::Debug;

use crate::sketch::theta::array;

/// How summaries are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Their sum.
    Sum,
    /// The lesser.
    Min,
    /// The greater.
    Max,
    /// Always one.
    One,
}

impl Mode {
    /// By its name in SQL, in any case.
    pub(super) fn named(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "sum" => Self::Sum,
            "min" => Self::Min,
            "max" => Self::Max,
            "alwaysone" => Self::One,
            _ => return None,
        })
    }
    fn of(code: u8) -> Option<Self> {
        [Self::Sum, Self::Min, Self::Max, Self::One].get(usize::from(code)).copied()
    }
}

/// A summary's kind of number.
pub(super) trait Number: Copy + Debug + PartialEq + Send + Sync + 'static {
    /// Bytes of a number.
    const SIZE: usize;
    /// What a key gets that comes without a summary.
    fn neutral(mode: Mode) -> Self;
    /// Both as one.
    fn join(self, other: Self, mode: Mode) -> Self;
    /// Appends its bytes.
    fn write(self, out: &mut Vec<u8>);
    /// Reads what `write` wrote.
    fn read(bytes: &[u8], at: usize) -> Option<Self>;
}

impl Number for i32 {
    const SIZE: usize = 4;
    fn neutral(mode: Mode) -> Self {
        match mode {
            Mode::Sum => 0,
            Mode::Min => Self::MAX,
            Mode::Max => Self::MIN,
            Mode::One => 1,
        }
    }
    fn join(self, other: Self, mode: Mode) -> Self {
        match mode {
            Mode::Sum => self.wrapping_add(other),
            Mode::Min => self.min(other),
            Mode::Max => self.max(other),
            Mode::One => 1,
        }
    }
    fn write(self, out: &mut Vec<u8>) {
        out.extend(self.to_le_bytes());
    }
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        array(bytes, at).map(Self::from_le_bytes)
    }
}

impl Number for f64 {
    const SIZE: usize = 8;
    fn neutral(mode: Mode) -> Self {
        match mode {
            Mode::Sum => 0.0,
            Mode::Min => Self::INFINITY,
            Mode::Max => Self::NEG_INFINITY,
            Mode::One => 1.0,
        }
    }
    fn join(self, other: Self, mode: Mode) -> Self {
        match mode {
            Mode::Sum => self + other,
            Mode::Min => self.min(other),
            Mode::Max => self.max(other),
            Mode::One => 1.0,
        }
    }
    fn write(self, out: &mut Vec<u8>) {
        out.extend(self.to_le_bytes());
    }
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        array(bytes, at).map(Self::from_le_bytes)
    }
}

/// A number that remembers how it came about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cell<V> {
    pub(super) value: V,
    pub(super) mode: Mode,
}

impl<V: Number> Cell<V> {
    /// Bytes of a cell.
    pub(super) const SIZE: usize = V::SIZE + 1;

    /// The summary of a key without one.
    pub(super) fn neutral(mode: Mode) -> Self {
        Self { value: V::neutral(mode), mode }
    }
    /// A first value.
    pub(super) fn first(value: V, mode: Mode) -> Self {
        Self { value: if mode == Mode::One { V::neutral(mode) } else { value }, mode }
    }
    /// Both as one.
    pub(super) fn join(&self, other: &Self, mode: Mode) -> Self {
        Self { value: self.value.join(other.value, mode), mode }
    }
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.value.write(out);
        out.push(self.mode as u8);
    }
    pub(super) fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let mode = Mode::of(*bytes.get(at + V::SIZE)?)?;
        Some(Self { value: V::read(bytes, at)?, mode })
    }
}
