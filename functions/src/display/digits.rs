//! Whole numbers as decimal digits, two at a time and without the machinery of `fmt`. It knows nothing of types.

/// The digits of every number below a hundred.
const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

/// A short text that is written from its end: digits come that way.
#[derive(Debug)]
pub(crate) struct Backward {
    bytes: [u8; Self::SIZE],
    from: usize,
}

impl Backward {
    const SIZE: usize = 48;

    pub(crate) fn new() -> Self {
        Self { bytes: [b'0'; Self::SIZE], from: Self::SIZE }
    }

    /// Writes one ASCII character before the others. Those beyond the room there is are lost.
    #[inline]
    pub(crate) fn put(&mut self, ascii: u8) {
        if let Some(at) = self.from.checked_sub(1)
            && let Some(place) = self.bytes.get_mut(at)
        {
            *place = ascii;
            self.from = at;
        }
    }

    /// Writes a number below a hundred as two digits.
    #[inline]
    pub(crate) fn pair(&mut self, number: u64) {
        let at = (number as usize).wrapping_mul(2);
        if let Some(to) = self.from.checked_sub(2)
            && let (Some(digits), Some(place)) = (PAIRS.get(at..at.wrapping_add(2)), self.bytes.get_mut(to..self.from))
        {
            place.copy_from_slice(digits);
            self.from = to;
        }
    }

    /// Writes the last `count` digits of a number; gives what stands before them.
    #[inline]
    pub(crate) fn last(&mut self, mut number: u64, count: u32) -> u64 {
        for _ in 0..count / 2 {
            self.pair(number % 100);
            number /= 100;
        }
        if count % 2 == 1 {
            self.put(b'0' + (number % 10) as u8);
            number /= 10;
        }
        number
    }

    /// Writes all digits of a number, one for zero.
    #[inline]
    pub(crate) fn whole(&mut self, mut number: u64) {
        while number >= 100 {
            self.pair(number % 100);
            number /= 100;
        }
        match number {
            10.. => self.pair(number),
            _ => self.put(b'0' + number as u8),
        }
    }

    /// The text so far.
    #[inline]
    pub(crate) fn text(&self) -> &str {
        self.bytes.get(self.from..).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

/// Appends a whole number.
#[inline]
pub(crate) fn write_long(value: i64, out: &mut String) {
    let mut text = Backward::new();
    text.whole(value.unsigned_abs());
    if value < 0 {
        text.put(b'-');
    }
    out.push_str(text.text());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_fmt_gives_them() {
        let mut numbers = vec![0, 1, 9, 10, 99, 100, 101, 999, 1000, i64::MAX, i64::MIN, -1, -10, -100];
        let mut seed = 1_u64;
        numbers.extend((0..200_000).map(|row| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed as i64) >> (row % 64)
        }));
        for number in numbers {
            let mut out = String::from("x");
            write_long(number, &mut out);
            assert_eq!(out, format!("x{number}"));
        }
        let mut text = Backward::new();
        assert_eq!(text.last(1_234_507, 3), 1_234);
        assert_eq!(text.last(5, 2), 0);
        assert_eq!(text.text(), "05507");
    }
}
