//! The serialised form of an HLL sketch: a preamble, then coupons or registers, all little-endian.

use super::coupons::Coupons;
use super::registers::Registers;
use super::{Hll, LG_K, Mode};

const EMPTY: u8 = 4;
const COMPACT: u8 = 8;
const MERGED: u8 = 16;
/// The mode byte of one byte a register: list, set, registers.
const MODES: [u8; 3] = [8, 9, 10];
const LIST_START: usize = 8;
const SET_START: usize = 12;
const REGISTERS_START: usize = 40;

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

impl Hll {
    /// The updatable form.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match &self.mode {
            Mode::Coupons(coupons) => {
                let set = coupons.is_set();
                let flags = if coupons.count() == 0 { EMPTY } else { 0 };
                let count = if set { 0 } else { coupons.count() as u8 };
                let (ints, mode) = if set { (3, MODES[1]) } else { (2, MODES[0]) };
                let mut out = vec![ints, 1, 7, self.lg_k, coupons.lg_len(), flags, count, mode];
                if set {
                    out.extend((coupons.count() as u32).to_le_bytes());
                }
                out.extend(coupons.table().iter().flat_map(|coupon| coupon.to_le_bytes()));
                out
            }
            Mode::Registers(registers) => {
                let flags = if registers.merged { MERGED } else { 0 };
                let mut out = vec![10, 1, 7, self.lg_k, 0, flags, registers.least, MODES[2]];
                for value in [registers.running, registers.kxq.0, registers.kxq.1] {
                    out.extend(value.to_le_bytes());
                }
                out.extend(registers.at_least.to_le_bytes());
                out.extend([0; 4]);
                out.extend(&registers.values);
                out
            }
        }
    }
    /// Reads either form; `None` when the bytes are no such sketch.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [ints, version, family, lg_k, lg_len, flags, count, mode] = array(bytes, 0)?;
        if version != 1 || family != 7 || !LG_K.contains(&i32::from(lg_k)) {
            return None;
        }
        let at = MODES.iter().position(|m| *m == mode)?;
        let compact = flags & COMPACT != 0;
        let mode = match (at, ints) {
            (0, 2) => Mode::Coupons(coupons(bytes, LIST_START, usize::from(count), 3, compact, false, lg_k)?),
            (1, 3) => {
                let count = u32::from_le_bytes(array(bytes, LIST_START)?) as usize;
                Mode::Coupons(coupons(bytes, SET_START, count, lg_len, compact, true, lg_k)?)
            }
            (2, 10) => {
                let double = |at| array(bytes, at).map(f64::from_le_bytes);
                let values = bytes.get(REGISTERS_START..REGISTERS_START + (1 << lg_k))?;
                Mode::Registers(Registers {
                    values: values.iter().map(|value| value & 63).collect(),
                    merged: flags & MERGED != 0,
                    least: count,
                    at_least: u32::from_le_bytes(array(bytes, 32)?),
                    running: double(8)?,
                    kxq: (double(16)?, double(24)?),
                })
            }
            _ => return None,
        };
        Some(Self { lg_k, mode })
    }
}

fn coupons(
    bytes: &[u8],
    start: usize,
    count: usize,
    lg_len: u8,
    compact: bool,
    set: bool,
    lg_k: u8,
) -> Option<Coupons> {
    let lg_len = if set { lg_len.max(5) } else { lg_len };
    if lg_len > 21 || count > 1 << lg_len {
        return None;
    }
    let stored = if compact { count } else { 1 << lg_len };
    let read: Vec<u32> =
        (0..stored).map(|at| array(bytes, start + 4 * at).map(u32::from_le_bytes)).collect::<Option<_>>()?;
    if !compact || !set {
        let mut table = read;
        table.resize(1 << lg_len, 0);
        return Some(Coupons::raw(set, table, count));
    }
    let mut made = Coupons::raw(true, vec![0; 32], 0);
    for coupon in read {
        if made.add(coupon, lg_k) {
            return None;
        }
    }
    Some(made)
}
