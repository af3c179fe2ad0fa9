//! As-of joins and nearest-by joins: their words become conditions and a ranking.

use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_proto::spark::connect as sc;
use firesteel_spark::spec::{Expr, ExprKind, JoinType, NearestJoin, RelationKind};

use super::{Decoder, missing};

/// The most right rows a nearest-by join gives for a left one.
const MOST_RESULTS: i32 = 100_000;

impl Decoder<'_> {
    /// The right row whose value is nearest to the left one's, on one side of it or on both.
    pub(super) fn as_of_join(&self, from: sc::AsOfJoin) -> SparkResult<RelationKind> {
        let left = self.relation(*from.left.ok_or_else(|| missing("AsOfJoin", "left"))?)?;
        let right = self.relation(*from.right.ok_or_else(|| missing("AsOfJoin", "right"))?)?;
        let here = self.needed(from.left_as_of, "AsOfJoin", "left_as_of")?;
        let there = self.needed(from.right_as_of, "AsOfJoin", "right_as_of")?;
        let tolerance = from.tolerance.map(|tolerance| self.expr(tolerance)).transpose()?;
        let call = |name: &str, a: &Expr, b: &Expr| Expr::call(name, vec![a.clone(), b.clone()]);
        let exact = from.allow_exact_matches;
        let (at_most, at_least) = if exact { ("<=", ">=") } else { ("<", ">") };
        let back = call("-", &here, &there);
        let forth = call("-", &there, &here);
        let behind = |tolerance: &Expr| call(at_least, &there, &call("-", &here, tolerance));
        let ahead = |tolerance: &Expr| call(at_most, &there, &call("+", &here, tolerance));
        let mut conditions = vec![];
        let ranking = match from.direction.to_lowercase().as_str() {
            "backward" => {
                conditions.push(call(at_least, &here, &there));
                conditions.extend(tolerance.as_ref().map(behind));
                back
            }
            "forward" => {
                conditions.push(call(at_most, &here, &there));
                conditions.extend(tolerance.as_ref().map(ahead));
                forth
            }
            "nearest" => {
                if !exact {
                    conditions.push(Expr::call("not", vec![call("=", &here, &there)]));
                }
                conditions.extend(tolerance.as_ref().map(behind));
                conditions.extend(tolerance.as_ref().map(ahead));
                Expr::call("when", vec![call(">", &here, &there), back, forth])
            }
            other => {
                return Err(SparkError::analysis(
                    "AS_OF_JOIN.UNSUPPORTED_DIRECTION",
                    &[("direction", other), ("supported", "'forward', 'backward', 'nearest'")],
                ));
            }
        };
        // Names of columns are those of both sides, and both stay in the result.
        for name in from.using_columns {
            let side = |plan_id| -> Expr {
                ExprKind::Attribute { name: vec![name.clone()], plan_id, is_metadata: false }.into()
            };
            conditions.push(call("=", &side(left.plan_id), &side(right.plan_id)));
        }
        conditions.extend(from.join_expr.map(|condition| self.expr(condition)).transpose()?);
        let join_type = inner_or_left(&from.join_type).ok_or_else(|| {
            let parameters = [("typ", from.join_type.as_str()), ("supported", "'inner', 'left'")];
            SparkError::analysis("UNSUPPORTED_JOIN_TYPE", &parameters)
        })?;
        let join = NearestJoin { left, right, join_type, conditions, ranking, ascending: true, limit: 1, tolerance };
        Ok(RelationKind::NearestJoin(Box::new(join)))
    }

    /// The right rows with the least distance or the most similarity.
    pub(super) fn nearest_by_join(&self, from: sc::NearestByJoin) -> SparkResult<RelationKind> {
        let wrong = |condition: &str, parameters: &[(&str, &str)]| {
            SparkError::analysis(&format!("NEAREST_BY_JOIN.{condition}"), parameters)
        };
        let ascending = match from.direction.to_lowercase().as_str() {
            "distance" => true,
            "similarity" => false,
            _ => {
                let supported = ("supported", "'distance', 'similarity'");
                return Err(wrong("UNSUPPORTED_DIRECTION", &[("direction", &from.direction), supported]));
            }
        };
        if !matches!(from.mode.to_lowercase().as_str(), "approx" | "exact") {
            return Err(wrong("UNSUPPORTED_MODE", &[("mode", &from.mode), ("supported", "'approx', 'exact'")]));
        }
        let limit = match u64::try_from(from.num_results) {
            Ok(limit) if limit > 0 && from.num_results <= MOST_RESULTS => limit,
            _ => {
                let (found, most) = (from.num_results.to_string(), MOST_RESULTS.to_string());
                return Err(wrong("NUM_RESULTS_OUT_OF_RANGE", &[("numResults", &found), ("min", "1"), ("max", &most)]));
            }
        };
        let join_type = inner_or_left(&from.join_type).ok_or_else(|| {
            let found = from.join_type.to_uppercase();
            wrong("UNSUPPORTED_JOIN_TYPE", &[("joinType", &found), ("supported", "'INNER', 'LEFT OUTER'")])
        })?;
        Ok(RelationKind::NearestJoin(Box::new(NearestJoin {
            left: self.relation(*from.left.ok_or_else(|| missing("NearestByJoin", "left"))?)?,
            right: self.relation(*from.right.ok_or_else(|| missing("NearestByJoin", "right"))?)?,
            join_type,
            conditions: vec![],
            ranking: self.needed(from.ranking_expression, "NearestByJoin", "ranking_expression")?,
            ascending,
            limit,
            tolerance: None,
        })))
    }
}

fn inner_or_left(name: &str) -> Option<JoinType> {
    match name.to_lowercase().replace('_', "").as_str() {
        "" | "inner" => Some(JoinType::Inner),
        "left" | "leftouter" => Some(JoinType::Left),
        _ => None,
    }
}
