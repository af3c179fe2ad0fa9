//! Union of HLL sketches, with as many registers as the smallest needs.

use super::registers::Registers;
use super::{Hll, Mode};

impl Hll {
    /// Takes the values of `source`. `wrapped`: it was read in place, so that its set of coupons is copied one by one.
    pub(super) fn unite(&mut self, source: &Self, wrapped: bool) {
        let coupons = match &source.mode {
            Mode::Registers(registers) => return self.unite_registers(source.lg_k, registers),
            Mode::Coupons(coupons) => coupons,
        };
        if coupons.is_set() && !wrapped && self.is_empty() && self.lg_k == source.lg_k {
            self.mode = source.mode.clone();
            return;
        }
        for coupon in coupons.iter() {
            self.coupon(coupon);
        }
    }
    fn unite_registers(&mut self, lg_k: u8, source: &Registers) {
        let fitted = |registers: &Registers| {
            if lg_k > self.lg_k { registers.smaller(self.lg_k) } else { registers.clone() }
        };
        match &mut self.mode {
            Mode::Coupons(coupons) => {
                let mut made = fitted(source);
                for coupon in coupons.iter() {
                    made.coupon(coupon);
                }
                self.lg_k = self.lg_k.min(lg_k);
                self.mode = Mode::Registers(made);
            }
            Mode::Registers(registers) => {
                if lg_k < self.lg_k {
                    *registers = registers.smaller(lg_k);
                    self.lg_k = lg_k;
                }
                registers.merge(source);
            }
        }
    }
}
