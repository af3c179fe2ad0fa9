//! The first values of an HLL sketch, kept whole: a list of eight, then an open-addressed set.

use super::{ADDRESS, estimate};

/// Base-2 logarithm of the list's length.
const LIST: u8 = 3;
/// Base-2 logarithm of the set's first length.
const SET: u8 = 5;

/// Coupons, each a register's address and value.
#[derive(Debug, Clone)]
pub(super) struct Coupons {
    set: bool,
    table: Vec<u32>,
    count: usize,
}

impl Coupons {
    pub(super) fn list() -> Self {
        Self { set: false, table: vec![0; 1 << LIST], count: 0 }
    }
    /// A table as another sketch laid it out.
    pub(super) fn raw(set: bool, table: Vec<u32>, count: usize) -> Self {
        Self { set, table, count }
    }
    pub(super) fn is_set(&self) -> bool {
        self.set
    }
    pub(super) fn count(&self) -> usize {
        self.count
    }
    pub(super) fn table(&self) -> &[u32] {
        &self.table
    }
    /// All coupons in table order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.table.iter().copied().filter(|coupon| *coupon != 0)
    }
    pub(super) fn estimate(&self) -> f64 {
        estimate::coupons(self.count)
    }
    /// Base-2 logarithm of the table's length.
    pub(super) fn lg_len(&self) -> u8 {
        self.table.len().trailing_zeros() as u8
    }
    /// Adds a coupon; true when the sketch must turn to registers.
    pub(super) fn add(&mut self, coupon: u32, lg_k: u8) -> bool {
        if self.set {
            return self.insert(coupon) && self.crowded(lg_k);
        }
        let Some(slot) = self.table.iter_mut().find(|slot| **slot == 0 || **slot == coupon) else { return true };
        if *slot == coupon {
            return false;
        }
        *slot = coupon;
        self.count += 1;
        if self.count < self.table.len() {
            return false;
        }
        if lg_k < 8 {
            return true;
        }
        let old = std::mem::replace(self, Self { set: true, table: vec![0; 1 << SET], count: 0 });
        for coupon in old.iter() {
            self.insert(coupon);
        }
        false
    }
    fn insert(&mut self, coupon: u32) -> bool {
        let fresh = place(&mut self.table, coupon);
        self.count += usize::from(fresh);
        fresh
    }
    /// Grows a set that is three quarters full; true when it may not grow.
    fn crowded(&mut self, lg_k: u8) -> bool {
        if 4 * self.count <= 3 * self.table.len() {
            return false;
        }
        if self.lg_len() + 3 >= lg_k {
            return true;
        }
        let mut grown = vec![0; self.table.len() * 2];
        for coupon in self.iter() {
            place(&mut grown, coupon);
        }
        self.table = grown;
        false
    }
}

/// Puts a coupon where probing ends; false when it was there.
fn place(table: &mut [u32], coupon: u32) -> bool {
    let mask = table.len().wrapping_sub(1);
    let stride = ((coupon & ADDRESS) >> table.len().trailing_zeros()) as usize | 1;
    let mut at = coupon as usize & mask;
    for _ in 0..table.len() {
        match table.get_mut(at) {
            Some(slot) if *slot == 0 => {
                *slot = coupon;
                return true;
            }
            Some(slot) if *slot == coupon => return false,
            _ => at = (at + stride) & mask,
        }
    }
    false
}
