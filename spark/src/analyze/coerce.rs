//! Spark's implicit type conversion: common types, which casts exist, which are free. It knows types only.

use firesteel_functions::SparkError;
use firesteel_functions::cast::CastMode;
use firesteel_functions::types::{DataType, StructField, StructType};

use super::errors;
use DataType::{
    Array, Binary, Boolean, Byte, CalendarInterval, Char, Date, DayTimeInterval, Decimal, Double, Float, Integer, Long,
    Map, Null, Short, String as Text, Struct, Time, Timestamp, TimestampNtz, Varchar, Variant, YearMonthInterval,
};

/// The decimal that holds an integral type.
pub(super) fn decimal_of(data_type: &DataType) -> Option<(u8, i8)> {
    Some(match data_type {
        Byte => (3, 0),
        Short => (5, 0),
        Integer => (10, 0),
        Long => (20, 0),
        Decimal(p, s) => (*p, *s),
        _ => return None,
    })
}

/// A decimal type within bounds, giving up fraction digits for whole ones.
pub(super) fn bounded(precision: i32, scale: i32) -> DataType {
    if precision <= 38 {
        return Decimal(u8::try_from(precision.max(1)).unwrap_or(38), i8::try_from(scale).unwrap_or(38));
    }
    let whole = precision - scale;
    let scale = (38 - whole).max(scale.min(6));
    Decimal(38, i8::try_from(scale.clamp(0, 38)).unwrap_or(0))
}

fn wider_decimal((p1, s1): (u8, i8), (p2, s2): (u8, i8)) -> DataType {
    let scale = i32::from(s1.max(s2));
    let whole = (i32::from(p1) - i32::from(s1)).max(i32::from(p2) - i32::from(s2));
    if whole + scale > 38 {
        // Widening never drops whole digits.
        let scale = (38 - whole).clamp(0, scale);
        return Decimal(38, i8::try_from(scale).unwrap_or(0));
    }
    bounded(whole + scale, scale)
}

fn rank(data_type: &DataType) -> Option<u8> {
    Some(match data_type {
        Byte => 0,
        Short => 1,
        Integer => 2,
        Long => 3,
        Float => 5,
        Double => 6,
        _ => return None,
    })
}

/// The tightest type both values have without a promotion of strings.
pub(super) fn tightest(a: &DataType, b: &DataType) -> Option<DataType> {
    if a == b {
        return Some(a.clone());
    }
    if a.is_collated() || b.is_collated() {
        return collated(a, b, &tightest);
    }
    Some(match (a, b) {
        (Null, other) | (other, Null) => other.clone(),
        (Decimal(..), Float | Double) | (Float | Double, Decimal(..)) => Double,
        (Decimal(..), _) | (_, Decimal(..)) if decimal_of(a).is_some() && decimal_of(b).is_some() => {
            wider_decimal(decimal_of(a)?, decimal_of(b)?)
        }
        (Long, Float) | (Float, Long) | (Integer, Float) | (Float, Integer) => return Some(float_with_int()),
        _ if rank(a).is_some() && rank(b).is_some() => {
            if rank(a) >= rank(b) {
                a.clone()
            } else {
                b.clone()
            }
        }
        (Date, Timestamp) | (Timestamp, Date) | (Timestamp, TimestampNtz) | (TimestampNtz, Timestamp) => Timestamp,
        (Date, TimestampNtz) | (TimestampNtz, Date) => TimestampNtz,
        (Time(p), Time(q)) => Time(*p.max(q)),
        (DayTimeInterval(a1, a2), DayTimeInterval(b1, b2)) => DayTimeInterval(*a1.min(b1), *a2.max(b2)),
        (YearMonthInterval(a1, a2), YearMonthInterval(b1, b2)) => YearMonthInterval(*a1.min(b1), *a2.max(b2)),
        (Text | Char(_) | Varchar(_), Text | Char(_) | Varchar(_)) => Text,
        (a, b) if a.is_spatial() || b.is_spatial() => return firesteel_functions::geo::common(a, b),
        (Array { .. }, Array { .. }) | (Map { .. }, Map { .. }) | (Struct(_), Struct(_)) => {
            return nested(a, b, &tightest);
        }
        _ => return None,
    })
}

/// The common type of values of which some are collated: strings must have the same collation to meet.
fn collated(a: &DataType, b: &DataType, meet: &dyn Fn(&DataType, &DataType) -> Option<DataType>) -> Option<DataType> {
    let found = meet(&a.without_collations(), &b.without_collations())?;
    match (a.collations().as_slice(), b.collations().as_slice()) {
        ([one], [other]) => (one == other).then(|| found.with_collation(*one)),
        ([one], []) | ([], [one]) => Some(found.with_collation(*one)),
        _ => None,
    }
}

fn float_with_int() -> DataType {
    // Spark without strings: the wider of FLOAT and an integer is FLOAT; ANSI makes it DOUBLE (`ansi_tightest`).
    Float
}

fn nested(a: &DataType, b: &DataType, wider: &dyn Fn(&DataType, &DataType) -> Option<DataType>) -> Option<DataType> {
    Some(match (a, b) {
        (Array { element: x, contains_null: n }, Array { element: y, contains_null: m }) => {
            Array { element: Box::new(wider(x, y)?), contains_null: *n || *m }
        }
        (Map { key: k1, value: v1, value_contains_null: n }, Map { key: k2, value: v2, value_contains_null: m }) => {
            Map { key: Box::new(wider(k1, k2)?), value: Box::new(wider(v1, v2)?), value_contains_null: *n || *m }
        }
        (Struct(x), Struct(y)) if x.fields.len() == y.fields.len() => {
            let fields = x.fields.iter().zip(&y.fields).map(|(f, g)| {
                f.name.eq_ignore_ascii_case(&g.name).then(|| {
                    wider(&f.data_type, &g.data_type)
                        .map(|t| StructField::new(f.name.clone(), t, f.nullable || g.nullable))
                })?
            });
            Struct(StructType::new(fields.collect::<Option<Vec<_>>>()?))
        }
        _ => return None,
    })
}

/// The type both values are converted to in comparisons, set operations, `CASE`, `COALESCE` and the like.
pub(super) fn wider(a: &DataType, b: &DataType, ansi: bool) -> Option<DataType> {
    if a == b {
        return Some(a.clone());
    }
    if a.is_collated() || b.is_collated() {
        return collated(a, b, &|x, y| wider(x, y, ansi));
    }
    if ansi {
        match (a, b) {
            (Byte | Short | Integer | Long, Float) | (Float, Byte | Short | Integer | Long) => return Some(Double),
            (Text | Char(_) | Varchar(_), other) | (other, Text | Char(_) | Varchar(_)) => {
                return match other {
                    Null | Text | Char(_) | Varchar(_) => Some(Text),
                    Byte | Short | Integer | Long => Some(Long),
                    Decimal(..) | Float | Double => Some(Double),
                    Date | Timestamp | TimestampNtz | Time(_) | Boolean | Binary | Variant => Some(other.clone()),
                    _ => None,
                };
            }
            _ => {}
        }
    } else if let (Text | Char(_) | Varchar(_), other) | (other, Text | Char(_) | Varchar(_)) = (a, b) {
        return match other {
            Null | Text | Char(_) | Varchar(_) => Some(Text),
            o if o.is_numeric() => Some(Text),
            Date | Timestamp | TimestampNtz | Time(_) | YearMonthInterval(..) | DayTimeInterval(..) => Some(Text),
            _ => None,
        };
    }
    tightest(a, b).or_else(|| nested(a, b, &|x, y| wider(x, y, ansi)))
}

/// Whether two types are the same but for the names and nullability of fields.
pub(super) fn same_structure(a: &DataType, b: &DataType) -> bool {
    match (a, b) {
        (Array { element: x, .. }, Array { element: y, .. }) => same_structure(x, y),
        (Map { key: k1, value: v1, .. }, Map { key: k2, value: v2, .. }) => {
            same_structure(k1, k2) && same_structure(v1, v2)
        }
        (Struct(x), Struct(y)) => {
            let pairs = || x.fields.iter().zip(&y.fields);
            x.fields.len() == y.fields.len() && pairs().all(|(f, g)| same_structure(&f.data_type, &g.data_type))
        }
        _ => a == b,
    }
}

/// What rows of two types hold that differ in the names and nullability of fields alone: the names of the first.
pub(super) fn by_place(a: &DataType, b: &DataType) -> Option<DataType> {
    Some(match (a, b) {
        (Array { element: x, contains_null: m }, Array { element: y, contains_null: n }) => {
            Array { element: Box::new(by_place(x, y)?), contains_null: *m || *n }
        }
        (Map { key: k1, value: v1, value_contains_null: m }, Map { key: k2, value: v2, value_contains_null: n }) => {
            Map { key: Box::new(by_place(k1, k2)?), value: Box::new(by_place(v1, v2)?), value_contains_null: *m || *n }
        }
        (Struct(x), Struct(y)) if x.fields.len() == y.fields.len() => {
            let fields = x.fields.iter().zip(&y.fields).map(|(f, g)| {
                let data_type = by_place(&f.data_type, &g.data_type)?;
                Some(StructField::new(f.name.clone(), data_type, f.nullable || g.nullable))
            });
            Struct(StructType::new(fields.collect::<Option<Vec<_>>>()?))
        }
        _ if a == b => a.clone(),
        _ => return None,
    })
}

/// The same type in which everything may be null.
pub(super) fn all_nullable(data_type: &DataType) -> DataType {
    match data_type {
        Array { element, .. } => Array { element: Box::new(all_nullable(element)), contains_null: true },
        Map { key, value, .. } => {
            Map { key: Box::new(all_nullable(key)), value: Box::new(all_nullable(value)), value_contains_null: true }
        }
        Struct(fields) => Struct(StructType::new(
            fields.fields.iter().map(|f| StructField::new(f.name.clone(), all_nullable(&f.data_type), true)).collect(),
        )),
        other => other.clone(),
    }
}

/// The type two compared values are converted to.
pub(super) fn comparable(a: &DataType, b: &DataType, ansi: bool) -> Option<DataType> {
    if a == b {
        return Some(a.clone());
    }
    // Structs are compared by place, whatever their fields are called.
    if matches!(a, Struct(_) | Array { .. }) && wider(a, b, ansi).is_none() && same_structure(a, b) {
        return Some(all_nullable(a));
    }
    if a.is_collated() || b.is_collated() {
        return collated(a, b, &|x, y| comparable(x, y, ansi));
    }
    if !ansi {
        match (a, b) {
            (Text, other) | (other, Text) => {
                return match other {
                    Boolean => Some(Boolean),
                    Byte | Short | Integer => Some(Integer),
                    Long => Some(Long),
                    Decimal(..) | Float | Double => Some(Double),
                    Date | Timestamp | TimestampNtz | Time(_) | Binary => Some(other.clone()),
                    YearMonthInterval(..) | DayTimeInterval(..) => None,
                    _ => wider(a, b, ansi),
                };
            }
            (Boolean, n) | (n, Boolean) if n.is_numeric() => return Some(n.clone()),
            _ => {}
        }
    }
    wider(a, b, ansi)
}

/// The common type of several values.
pub(super) fn common(types: &[DataType], ansi: bool) -> Option<DataType> {
    let mut types_in_order: Vec<&DataType> = types.iter().collect();
    if !ansi {
        // Strings last, so that numbers find each other first.
        types_in_order.sort_by_key(|t| matches!(t, Text));
    }
    let mut all = types_in_order.into_iter();
    let first = all.next()?.clone();
    all.try_fold(first, |acc, t| wider(&acc, t, ansi))
}

/// Whether Spark has a cast.
pub(super) fn can_cast(from: &DataType, to: &DataType, legacy: bool) -> bool {
    if from == to {
        return true;
    }
    if from.is_collated() || to.is_collated() {
        return can_cast(&from.without_collations(), &to.without_collations(), legacy);
    }
    match (from, to) {
        (_, Null) => false,
        (Null, _) => true,
        (from, to) if from.is_spatial() || to.is_spatial() => firesteel_functions::geo::can_cast(from, to),
        (Variant, _) | (_, Variant) => firesteel_functions::cast::can_cast(from, to, CastMode::Ansi),
        (_, Text | Char(_) | Varchar(_)) => true,
        (Text | Char(_) | Varchar(_), t) => t.is_atomic() || matches!(t, CalendarInterval),
        (Boolean | Byte | Short | Integer | Long, Binary) => legacy && !matches!(from, Boolean),
        (f, t) if f.is_numeric() && t.is_numeric() => true,
        (f, Boolean) if f.is_numeric() => true,
        (Boolean, t) if t.is_numeric() => true,
        (Date | Timestamp | TimestampNtz, Date | Timestamp | TimestampNtz) => true,
        (Time(_), Time(_) | Decimal(..) | Byte | Short | Integer | Long | Timestamp | TimestampNtz) => true,
        (Timestamp | TimestampNtz, Time(_)) => true,
        (f, Timestamp) | (Timestamp, f) if f.is_numeric() => true,
        (Boolean, Timestamp) | (Timestamp, Boolean) => legacy,
        (Date, t) => legacy && (t.is_numeric() || matches!(t, Boolean)),
        (DayTimeInterval(..), DayTimeInterval(..)) | (YearMonthInterval(..), YearMonthInterval(..)) => true,
        (DayTimeInterval(..) | YearMonthInterval(..), t) => t.is_integral() || matches!(t, Decimal(..)),
        (f, DayTimeInterval(..) | YearMonthInterval(..)) => f.is_integral() || matches!(f, Decimal(..)),
        (Array { element: x, contains_null }, Array { element: y, contains_null: n }) => {
            can_cast(x, y, legacy) && (!contains_null || *n)
        }
        (Map { key: k1, value: v1, value_contains_null }, Map { key: k2, value: v2, value_contains_null: n }) => {
            can_cast(k1, k2, legacy) && can_cast(v1, v2, legacy) && (!value_contains_null || *n)
        }
        (Struct(x), Struct(y)) => {
            x.fields.len() == y.fields.len()
                && x.fields
                    .iter()
                    .zip(&y.fields)
                    .all(|(f, g)| can_cast(&f.data_type, &g.data_type, legacy) && (!f.nullable || g.nullable))
        }
        _ => false,
    }
}

/// The error of a cast that does not exist, with what Spark suggests in its place: a function, or the other mode.
pub(super) fn cannot_cast(sql: &str, from: &DataType, to: &DataType, mode: CastMode) -> SparkError {
    let function = match (from, to) {
        (from, Date) if from.is_numeric() => Some("`DATE_FROM_UNIX_DATE`"),
        (Date, to) if to.is_numeric() => Some("`UNIX_DATE`"),
        _ => None,
    };
    let other_mode = mode == CastMode::Ansi && can_cast(from, to, true);
    let (sql, from, to) = (errors::expression(sql), errors::sql_type(from), errors::sql_type(to));
    let [a, b, c] = [("sqlExpr", sql.as_str()), ("srcType", from.as_str()), ("targetType", to.as_str())];
    match function {
        Some(name) if mode != CastMode::Legacy => {
            let parameters = [a, b, c, ("functionNames", name)];
            SparkError::analysis("DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", &parameters)
        }
        _ if other_mode => SparkError::analysis(
            "DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION",
            &[a, b, c, ("config", "\"spark.sql.ansi.enabled\""), ("configVal", "'false'")],
        ),
        _ => SparkError::analysis("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", &[a, b, c]),
    }
}

/// Whether a cast of a value that is not null may be null.
pub(super) fn cast_may_null(from: &DataType, to: &DataType, lenient: bool) -> bool {
    if from.is_collated() || to.is_collated() {
        return cast_may_null(&from.without_collations(), &to.without_collations(), lenient);
    }
    match (from, to) {
        (f, t) if f == t => false,
        // The variant null becomes NULL.
        (Null | Variant, _) => true,
        (_, Text) | (Text, Binary) => false,
        (Text, _) => lenient,
        // NaN and the infinities are NULL in every mode.
        (Float | Double, Decimal(..) | Timestamp) => true,
        (f, Decimal(p, s)) => {
            lenient && decimal_of(f).is_none_or(|(q, r)| i16::from(*p) - i16::from(*s) < i16::from(q) - i16::from(r))
        }
        (f, t) if f.is_numeric() && t.is_numeric() => false,
        (Timestamp, Byte | Short | Integer) => lenient,
        (Date, t) => t.is_numeric() || *t == Boolean,
        _ => false,
    }
}

/// Types that differ in name only.
pub(super) fn same_values(from: &DataType, to: &DataType) -> bool {
    if from.is_collated() || to.is_collated() {
        return same_values(&from.without_collations(), &to.without_collations());
    }
    match (from, to) {
        (Char(_) | Varchar(_) | Text, Text) => true,
        (Char(_) | Varchar(_) | Text, Char(_) | Varchar(_)) => false,
        (Time(p), Time(q)) => p <= q,
        (DayTimeInterval(_, a), DayTimeInterval(_, b)) => a <= b,
        (YearMonthInterval(_, a), YearMonthInterval(_, b)) => a <= b,
        (Array { element: a, .. }, Array { element: b, .. }) => a == b || same_values(a, b),
        _ => from == to,
    }
}

/// Casts that cannot fail and that Arrow does as Spark does: they stay visible to the optimizer.
pub(super) fn is_plain(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (Byte | Short | Integer | Long, Byte | Short | Integer | Long) => rank(from) < rank(to),
        (Byte | Short | Integer | Long, Double) | (Byte | Short | Integer | Long, Float) | (Float, Double) => true,
        (Byte | Short | Integer | Long, Decimal(p, s)) => {
            decimal_of(from).is_some_and(|(q, _)| i16::from(*p) - i16::from(*s) >= i16::from(q))
        }
        (Decimal(p, s), Decimal(q, r)) => r >= s && i16::from(*q) - i16::from(*r) >= i16::from(*p) - i16::from(*s),
        (Date, TimestampNtz) => true,
        _ => false,
    }
}
