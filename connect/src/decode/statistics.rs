//! Relations behind `df.stat` and `df.na`.

use firesteel_functions::error::SparkResult;
use firesteel_proto::spark::connect as sc;
use firesteel_spark::spec::RelationKind;

use super::{Decoder, invalid, missing};

impl Decoder<'_> {
    pub(super) fn fill_na(&self, from: sc::NaFill) -> SparkResult<RelationKind> {
        let values = self.literals(from.values)?;
        if values.is_empty() {
            return Err(invalid("NA_FILL_VALUES_EMPTY", &[]));
        }
        if values.len() > 1 && values.len() != from.cols.len() {
            return Err(invalid("NA_FILL_VALUES_LENGTH_MISMATCH", &[]));
        }
        Ok(RelationKind::FillNa { input: self.input(from.input, "NAFill")?, columns: from.cols, values })
    }

    pub(super) fn drop_na(&self, from: sc::NaDrop) -> SparkResult<RelationKind> {
        let min_non_nulls = from.min_non_nulls.map(|n| usize::try_from(n).unwrap_or(0));
        Ok(RelationKind::DropNa { input: self.input(from.input, "NADrop")?, columns: from.cols, min_non_nulls })
    }

    pub(super) fn replace_na(&self, from: sc::NaReplace) -> SparkResult<RelationKind> {
        let mut replacements = vec![];
        for replacement in from.replacements {
            let old = replacement.old_value.ok_or_else(|| missing("NAReplace.Replacement", "old_value"))?;
            let new = replacement.new_value.ok_or_else(|| missing("NAReplace.Replacement", "new_value"))?;
            replacements.push((self.literal(old)?, self.literal(new)?));
        }
        Ok(RelationKind::ReplaceNa { input: self.input(from.input, "NAReplace")?, columns: from.cols, replacements })
    }

    pub(super) fn summary(&self, from: sc::StatSummary) -> SparkResult<RelationKind> {
        Ok(RelationKind::Summary { input: self.input(from.input, "StatSummary")?, statistics: from.statistics })
    }

    pub(super) fn describe(&self, from: sc::StatDescribe) -> SparkResult<RelationKind> {
        Ok(RelationKind::Describe { input: self.input(from.input, "StatDescribe")?, columns: from.cols })
    }

    pub(super) fn crosstab(&self, from: sc::StatCrosstab) -> SparkResult<RelationKind> {
        let input = self.input(from.input, "StatCrosstab")?;
        Ok(RelationKind::Crosstab { input, left: from.col1, right: from.col2 })
    }

    pub(super) fn covariance(&self, from: sc::StatCov) -> SparkResult<RelationKind> {
        let input = self.input(from.input, "StatCov")?;
        Ok(RelationKind::Covariance { input, left: from.col1, right: from.col2 })
    }

    pub(super) fn correlation(&self, from: sc::StatCorr) -> SparkResult<RelationKind> {
        let input = self.input(from.input, "StatCorr")?;
        Ok(RelationKind::Correlation { input, left: from.col1, right: from.col2, method: from.method })
    }

    pub(super) fn approx_quantile(&self, from: sc::StatApproxQuantile) -> SparkResult<RelationKind> {
        Ok(RelationKind::ApproxQuantile {
            input: self.input(from.input, "StatApproxQuantile")?,
            columns: from.cols,
            probabilities: from.probabilities,
            relative_error: from.relative_error,
        })
    }

    pub(super) fn frequent_items(&self, from: sc::StatFreqItems) -> SparkResult<RelationKind> {
        let input = self.input(from.input, "StatFreqItems")?;
        Ok(RelationKind::FrequentItems { input, columns: from.cols, support: from.support })
    }

    pub(super) fn sample_by(&self, from: sc::StatSampleBy) -> SparkResult<RelationKind> {
        let mut fractions = vec![];
        for fraction in from.fractions {
            let stratum = fraction.stratum.ok_or_else(|| missing("StatSampleBy.Fraction", "stratum"))?;
            fractions.push((self.literal(stratum)?, fraction.fraction));
        }
        Ok(RelationKind::SampleBy {
            input: self.input(from.input, "StatSampleBy")?,
            column: self.needed(from.col, "StatSampleBy", "col")?,
            fractions,
            seed: from.seed.unwrap_or_else(random_seed),
        })
    }
}

fn random_seed() -> i64 {
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    i64::from_ne_bytes(high.to_ne_bytes())
}
