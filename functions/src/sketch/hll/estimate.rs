//! The estimators of an HLL sketch: coupons by a table, merged registers by the composite of raw and bitmap estimates.

use std::sync::OnceLock;

use super::registers::Registers;

/// Numbers of coupons and the numbers of values they stand for. Data of DataSketches.
const COUPONS: [(f64, f64); 40] = [
    (0.0, 0.0),
    (1.0, 1.0),
    (20.0, 20.000_000_943_740_26),
    (400.0, 400.000_396_371_338_4),
    (8_000.0, 8_000.158_929_460_209),
    (160_000.0, 160_063.606_776_375_96),
    (300_000.0, 300_223.707_159_766_35),
    (600_000.0, 600_895.593_385_617),
    (900_000.0, 902_016.806_512_095_5),
    (1_200_000.0, 1_203_588.498_319_951),
    (1_500_000.0, 1_505_611.824_552_474_3),
    (1_800_000.0, 1_808_087.944_931_906_6),
    (2_100_000.0, 2_111_018.023_175_935_3),
    (2_400_000.0, 2_414_403.227_014_25),
    (2_700_000.0, 2_718_244.728_205_189),
    (3_000_000.0, 3_022_543.702_552_454),
    (3_300_000.0, 3_327_301.329_921_909),
    (3_600_000.0, 3_632_518.794_258_454),
    (3_900_000.0, 3_938_197.283_602_969),
    (4_200_000.0, 4_244_337.990_109_356),
    (4_500_000.0, 4_550_942.110_061_649),
    (4_800_000.0, 4_858_010.843_891_189),
    (5_100_000.0, 5_165_545.396_193_897),
    (5_400_000.0, 5_473_546.975_747_645),
    (5_700_000.0, 5_782_016.795_529_650_5),
    (6_000_000.0, 6_090_956.072_734_016),
    (6_300_000.0, 6_400_366.028_789_296),
    (6_600_000.0, 6_710_247.889_376_201),
    (6_900_000.0, 7_020_602.884_445_314),
    (7_200_000.0, 7_331_432.248_234_972),
    (7_500_000.0, 7_642_737.219_289_148),
    (7_800_000.0, 7_954_519.040_475_476_5),
    (8_100_000.0, 8_266_778.959_003_342),
    (8_400_000.0, 8_579_518.226_442_046),
    (8_700_000.0, 8_892_738.098_739_047),
    (9_000_000.0, 9_206_439.836_238_328),
    (9_300_000.0, 9_520_624.703_698_829),
    (9_600_000.0, 9_835_293.970_312_92),
    (9_900_000.0, 10_150_448.909_725_029),
    (10_200_000.0, 10_466_090.800_050_326),
];

/// What the raw estimator answers for evenly spaced true numbers, one row for each number of registers.
static COMPOSITE: &str = include_str!("../../../data/hll-composite.json");
/// The spacing of those true numbers, for sixteen registers and more.
const STRIDES: [f64; 18] = [
    1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0, 2560.0, 5120.0, 10240.0, 20480.0, 40960.0,
    81920.0,
];

fn composite_rows() -> &'static [Vec<f64>] {
    static ROWS: OnceLock<Vec<Vec<f64>>> = OnceLock::new();
    ROWS.get_or_init(|| serde_json::from_str(COMPOSITE).unwrap_or_default())
}

/// The number of values that `count` coupons stand for.
pub(super) fn coupons(count: usize) -> f64 {
    let count = count as f64;
    let point = |at: usize| COUPONS.get(at).copied().unwrap_or_default();
    cubic(COUPONS.len(), point, count).max(count)
}

/// Lagrange's cubic through the four points around `x`.
fn cubic(len: usize, point: impl Fn(usize) -> (f64, f64), x: f64) -> f64 {
    let last = point(len.saturating_sub(1));
    if x >= last.0 {
        return last.1;
    }
    let (mut left, mut right) = (0, len.saturating_sub(1));
    while left + 1 < right {
        let middle = left + (right - left) / 2;
        if point(middle).0 <= x { left = middle } else { right = middle }
    }
    let first = match left {
        0 => 0,
        left if left + 2 == len => left.saturating_sub(2),
        left => left - 1,
    };
    let points = [point(first), point(first + 1), point(first + 2), point(first + 3)];
    let mut sum = 0.0;
    for (i, (xi, yi)) in points.iter().enumerate() {
        let mut above = None;
        let mut below = None;
        for (j, (xj, _)) in points.iter().enumerate() {
            if i != j {
                above = Some(above.map_or(x - xj, |all: f64| all * (x - xj)));
                below = Some(below.map_or(xi - xj, |all: f64| all * (xi - xj)));
            }
        }
        sum += yi * above.unwrap_or(1.0) / below.unwrap_or(1.0);
    }
    sum
}

/// The estimate of registers whose values came in no known order.
pub(super) fn composite(registers: &Registers) -> f64 {
    let count = registers.values.len() as f64;
    let lg_k = registers.values.len().trailing_zeros() as usize;
    let correction = match lg_k {
        4 => 0.673,
        5 => 0.697,
        6 => 0.709,
        _ => 0.7213 / (1.0 + 1.079 / count),
    };
    let raw = correction * count * count / (registers.kxq.0 + registers.kxq.1);
    let at = lg_k.saturating_sub(4);
    let (Some(row), Some(stride)) = (composite_rows().get(at), STRIDES.get(at)) else { return raw };
    let (Some(first), Some(last)) = (row.first(), row.last()) else { return raw };
    if raw < *first {
        return 0.0;
    }
    let last_at = row.len() - 1;
    if raw > *last {
        return raw * (stride * last_at as f64 / last);
    }
    let adjusted = cubic(row.len(), |at| (row.get(at).copied().unwrap_or_default(), stride * at as f64), raw);
    if adjusted > 3.0 * count {
        return adjusted;
    }
    let linear = bitmap(registers);
    let crossing = match lg_k {
        4 => 0.718,
        5 => 0.672,
        _ => 0.64,
    };
    if (adjusted + linear) / 2.0 > crossing * count { adjusted } else { linear }
}

/// Linear counting by registers that were never hit.
fn bitmap(registers: &Registers) -> f64 {
    let count = registers.values.len() as f64;
    let unhit = if registers.least == 0 { registers.at_least } else { 0 };
    if unhit == 0 {
        return count * (count / 0.5).ln();
    }
    count * (harmonic(registers.values.len() as u32) - harmonic(unhit))
}

fn harmonic(n: u32) -> f64 {
    const GAMMA: f64 = 0.577_215_664_901_532_9;
    if n < 25 {
        return (1..=n).rev().map(|i| 1.0 / f64::from(i)).sum();
    }
    let x = f64::from(n);
    let inverse = 1.0 / (x * x);
    let mut sum = x.ln() + GAMMA + 1.0 / (2.0 * x);
    let mut power = inverse;
    for term in [-1.0 / 12.0, 1.0 / 120.0, -1.0 / 252.0, 1.0 / 240.0] {
        sum += power * term;
        power *= inverse;
    }
    sum
}
