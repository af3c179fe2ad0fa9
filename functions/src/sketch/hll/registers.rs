//! The registers of an HLL sketch, with the running values both of its estimators need.

use super::coupons::Coupons;
use super::estimate;

/// One byte a register. `kxq` is the sum of 2^-value, split where doubles would lose digits.
#[derive(Debug, Clone)]
pub(super) struct Registers {
    pub(super) values: Vec<u8>,
    /// Merged: the running estimate holds no longer.
    pub(super) merged: bool,
    pub(super) least: u8,
    pub(super) at_least: u32,
    pub(super) running: f64,
    pub(super) kxq: (f64, f64),
}

fn half_power(value: u8) -> f64 {
    (-f64::from(value)).exp2()
}

impl Registers {
    pub(super) fn new(lg_k: u8) -> Self {
        let count = 1_u32 << lg_k;
        Self {
            values: vec![0; 1 << lg_k],
            merged: false,
            least: 0,
            at_least: count,
            running: 0.0,
            kxq: (f64::from(count), 0.0),
        }
    }
    /// Registers filled from coupons, going on from their estimate.
    pub(super) fn promoted(lg_k: u8, coupons: &Coupons) -> Self {
        let mut made = Self::new(lg_k);
        for coupon in coupons.iter() {
            made.coupon(coupon);
        }
        made.running = coupons.estimate();
        made
    }
    pub(super) fn coupon(&mut self, coupon: u32) {
        let mask = self.values.len().wrapping_sub(1);
        let new = (coupon >> 26) as u8;
        let count = self.values.len() as f64;
        let Some(slot) = self.values.get_mut(coupon as usize & mask) else { return };
        let old = *slot;
        if new <= old {
            return;
        }
        *slot = new;
        self.running += count / (self.kxq.0 + self.kxq.1);
        let (from, to) = (half_power(old), half_power(new));
        if old < 32 {
            self.kxq.0 -= from
        } else {
            self.kxq.1 -= from
        }
        if new < 32 {
            self.kxq.0 += to
        } else {
            self.kxq.1 += to
        }
        if old == 0 {
            self.at_least = self.at_least.saturating_sub(1);
        }
    }
    /// Every non-zero register as a coupon.
    pub(super) fn coupons(&self) -> impl Iterator<Item = u32> {
        self.values.iter().enumerate().filter(|(_, v)| **v > 0).map(|(at, v)| u32::from(*v) << 26 | at as u32)
    }
    /// The same with fewer registers.
    pub(super) fn smaller(&self, lg_k: u8) -> Self {
        let mut made = Self::new(lg_k);
        for coupon in self.coupons() {
            made.coupon(coupon);
        }
        made.running = self.running;
        made.merged = self.merged;
        made
    }
    /// Takes the greater of each register; `other` has at least as many.
    pub(super) fn merge(&mut self, other: &Self) {
        let mask = self.values.len().wrapping_sub(1);
        for (at, value) in other.values.iter().enumerate() {
            if let Some(slot) = self.values.get_mut(at & mask) {
                *slot = (*slot).max(*value);
            }
        }
        self.merged = true;
        self.recount();
    }
    fn recount(&mut self) {
        self.kxq = (self.values.len() as f64, 0.0);
        self.least = 64;
        self.at_least = 0;
        for value in &self.values {
            if *value > 0 {
                let less = half_power(*value) - 1.0;
                if *value < 32 { self.kxq.0 += less } else { self.kxq.1 += less }
            }
            if *value < self.least {
                self.least = *value;
                self.at_least = 0;
            }
            self.at_least += u32::from(*value == self.least);
        }
    }
    pub(super) fn estimate(&self) -> f64 {
        if self.merged { estimate::composite(self) } else { self.running }
    }
}
