//! `TABLESAMPLE`.

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::expr::expression;
use super::super::lexer::Kind;
use crate::spec::{Relation, RelationKind};

/// The clause applied to a relation, or the relation as it is.
pub(in crate::sql) fn sample(cursor: &mut Cursor<'_>, input: Relation, position: usize) -> SparkResult<Relation> {
    if !cursor.word("TABLESAMPLE") || !(cursor.is_at(1, "(") || cursor.any_word_at(1, &["SYSTEM", "BERNOULLI"])) {
        return Ok(input);
    }
    cursor.next();
    cursor.eat_any(&["SYSTEM", "BERNOULLI"]);
    let clause = cursor.position();
    cursor.expect("(")?;
    if cursor.is(")") {
        return Err(cursor.error("_LEGACY_ERROR_TEMP_0014", &[], clause));
    }
    let kind = method(cursor, input, clause)?;
    cursor.expect(")")?;
    let seed = if cursor.word("REPEATABLE") && cursor.is_at(1, "(") {
        cursor.next();
        cursor.expect("(")?;
        let seed = cursor.integer()?;
        cursor.expect(")")?;
        Some(seed)
    } else {
        None
    };
    let kind = match kind {
        RelationKind::Sample { input, lower, upper, replacement, .. } => {
            RelationKind::Sample { input, lower, upper, replacement, seed }
        }
        other => other,
    };
    cursor.grow(1)?;
    Ok(cursor.relation(kind, position))
}

fn method(cursor: &mut Cursor<'_>, input: Relation, clause: usize) -> SparkResult<RelationKind> {
    if cursor.word("BUCKET") && cursor.peek_at(1).kind == Kind::Integer {
        cursor.next();
        let numerator = cursor.integer()?;
        cursor.expect_words(&["OUT", "OF"])?;
        let denominator = cursor.integer()?;
        if cursor.eat_word("ON") {
            let message = "TABLESAMPLE(BUCKET x OUT OF y ON colname)";
            return Err(cursor.error("_LEGACY_ERROR_TEMP_0035", &[("message", message)], clause));
        }
        let fraction = ratio(numerator, denominator);
        let bounds = (u32::try_from(numerator), u32::try_from(denominator));
        return match bounds {
            (Ok(numerator), Ok(denominator)) if fraction <= 1.0 && denominator > 0 => {
                Ok(RelationKind::SampleBucket { input, numerator, denominator })
            }
            _ => Err(out_of_range(cursor, fraction, clause)),
        };
    }
    let (sign, at) = if cursor.is("-") { (-1.0, 1) } else { (1.0, 0) };
    let number: Option<f64> = match cursor.peek_at(at).kind {
        Kind::Integer | Kind::Decimal => cursor.peek_at(at).text.parse().ok(),
        _ => None,
    };
    if let Some(number) = number
        && cursor.word_at(at + 1, "PERCENT")
    {
        for _ in 0..at + 2 {
            cursor.next();
        }
        let upper = sign * number / 100.0;
        if !(0.0..=1.0 + 1e-6).contains(&upper) {
            return Err(out_of_range(cursor, upper, clause));
        }
        return Ok(RelationKind::Sample { input, lower: 0.0, upper, replacement: false, seed: None });
    }
    if cursor.peek().kind == Kind::Word && !cursor.word_at(1, "ROWS") && cursor.is_at(1, ")") {
        let message = "TABLESAMPLE(byteLengthLiteral)";
        return Err(cursor.error("_LEGACY_ERROR_TEMP_0035", &[("message", message)], clause));
    }
    let limit = expression(cursor)?;
    cursor.expect_word("ROWS")?;
    Ok(RelationKind::Limit { input, limit })
}

#[expect(clippy::cast_precision_loss, reason = "only compared with one and shown")]
fn ratio(numerator: i64, denominator: i64) -> f64 {
    numerator as f64 / denominator as f64
}

fn out_of_range(cursor: &Cursor<'_>, fraction: f64, clause: usize) -> firesteel_functions::SparkError {
    cursor.error("INVALID_TABLESAMPLE_FRACTION", &[("fraction", &fraction.to_string())], clause)
}
