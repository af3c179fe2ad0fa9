//! The Mersenne Twister MT19937, which `uuid` and `shuffle` draw from.
//! Source: Matsumoto and Nishimura, "Mersenne Twister" (1998), with initialisation by an array of 2002.

const SIZE: usize = 624;
const MIDDLE: usize = 397;

/// A generator.
#[derive(Debug, Clone)]
pub(crate) struct Twister {
    state: [u32; SIZE],
    at: usize,
}

impl Twister {
    /// A generator whose seed are the two halves of `seed`, the higher first.
    pub(crate) fn new(seed: i64) -> Self {
        let key = [(seed as u64 >> 32) as u32, seed as u32];
        let mut state = [0_u32; SIZE];
        let mut last = 19_650_218_u32;
        for (at, slot) in state.iter_mut().enumerate() {
            if at > 0 {
                last = (last ^ (last >> 30)).wrapping_mul(1_812_433_253).wrapping_add(at as u32);
            }
            *slot = last;
        }
        let mut made = Self { state, at: SIZE };
        let mut place = 1;
        for step in 0..SIZE {
            let word = key.get(step % 2).copied().unwrap_or_default().wrapping_add((step % 2) as u32);
            place = made.mix(place, 1_664_525, |value| value.wrapping_add(word));
        }
        for _ in 0..SIZE - 1 {
            let index = place as u32;
            place = made.mix(place, 1_566_083_941, |value| value.wrapping_sub(index));
        }
        if let Some(first) = made.state.first_mut() {
            *first = 0x8000_0000;
        }
        made
    }

    fn get(&self, at: usize) -> u32 {
        self.state.get(at % SIZE).copied().unwrap_or_default()
    }

    fn set(&mut self, at: usize, value: u32) {
        if let Some(slot) = self.state.get_mut(at % SIZE) {
            *slot = value;
        }
    }

    fn mix(&mut self, place: usize, factor: u32, last: impl FnOnce(u32) -> u32) -> usize {
        let before = self.get(place - 1);
        let mixed = self.get(place) ^ (before ^ (before >> 30)).wrapping_mul(factor);
        self.set(place, last(mixed));
        if place + 1 >= SIZE {
            self.set(0, self.get(SIZE - 1));
            return 1;
        }
        place + 1
    }

    /// The next 32 bits.
    pub(crate) fn next(&mut self) -> u32 {
        if self.at >= SIZE {
            for at in 0..SIZE {
                let joined = (self.get(at) & 0x8000_0000) | (self.get(at + 1) & 0x7fff_ffff);
                let odd = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
                self.set(at, self.get(at + MIDDLE) ^ (joined >> 1) ^ odd);
            }
            self.at = 0;
        }
        let mut word = self.get(self.at);
        self.at += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// The next 64 bits, the higher first.
    pub(crate) fn long(&mut self) -> u64 {
        let high = u64::from(self.next()) << 32;
        high | u64::from(self.next())
    }

    /// A number below `bound`, which is at least 1.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let bound = bound.max(1);
        if bound.is_power_of_two() {
            return ((u64::from(bound) * u64::from(self.next() >> 1)) >> 31) as u32;
        }
        loop {
            let bits = (self.next() >> 1) as i32;
            let value = bits % bound as i32;
            // Values of an incomplete last round would come up more often.
            if bits.wrapping_sub(value).wrapping_add(bound as i32 - 1) >= 0 {
                return value as u32;
            }
        }
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let high = (self.long() & 0xffff_ffff_ffff_0fff) | 0x4000;
        let low = (self.long() | 0x8000_0000_0000_0000) & 0xbfff_ffff_ffff_ffff;
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }

    /// A permutation of the numbers below `length`, shuffled from the inside out.
    pub(crate) fn order(&mut self, length: usize) -> Vec<usize> {
        let mut order: Vec<usize> = vec![0; length];
        for at in 0..length {
            let other = self.below(at as u32 + 1) as usize;
            let moved = order.get(other).copied().unwrap_or(at);
            if let Some(slot) = order.get_mut(at) {
                *slot = moved;
            }
            if let Some(slot) = order.get_mut(other) {
                *slot = at;
            }
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::Twister;

    #[test]
    fn orders_are_permutations() {
        let mut order = Twister::new(7).order(20);
        order.sort_unstable();
        assert_eq!(order, (0..20).collect::<Vec<_>>());
    }
}
