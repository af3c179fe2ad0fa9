//! Relations.

use firesteel_functions::error::SparkResult;
use firesteel_functions::types::DataType;
use firesteel_proto::spark::connect as sc;
use firesteel_spark::spec::{
    CastMode, DataFramePivot, ExprKind, GroupBy, GroupingElement, Join, JoinCondition, JoinType, Literal, Relation,
    RelationKind, SetOperator, Unpivot,
};
use sc::aggregate::GroupType;
use sc::expression::ExprType;
use sc::relation::RelType;

use super::{Decoder, bad_enum, extension, invalid, missing, options, origin, schema, unset};

impl Decoder<'_> {
    /// Decodes a relation.
    ///
    /// # Errors
    ///
    /// `CONNECT_INVALID_PLAN.*` when a field is missing or has no meaning, parser errors for embedded text.
    pub(crate) fn relation(&self, from: sc::Relation) -> SparkResult<Relation> {
        self.deeper(|| {
            let common = from.common.unwrap_or_default();
            let rel_type = from.rel_type.ok_or_else(|| unset("Relation", "rel_type"))?;
            let mut relation = self.rel_type(rel_type)?;
            relation.plan_id = common.plan_id.or(relation.plan_id);
            relation.origin = origin(common.origin.as_ref()).or(relation.origin);
            Ok(relation)
        })
    }

    pub(super) fn input(&self, from: Option<Box<sc::Relation>>, message: &str) -> SparkResult<Relation> {
        self.relation(*from.ok_or_else(|| missing(message, "input"))?)
    }

    fn rel_type(&self, from: RelType) -> SparkResult<Relation> {
        let unsupported = |feature: &str| RelationKind::Unsupported(feature.to_string());
        let kind = match from {
            RelType::Read(read) => self.read(read)?,
            RelType::Sql(sql) => self.sql(sql)?,
            RelType::LocalRelation(local) => self.local_relation(local)?,
            RelType::CachedLocalRelation(cached) => self.cached_local_relation(&cached)?,
            RelType::ChunkedCachedLocalRelation(cached) => self.chunked_local_relation(cached)?,
            RelType::CachedRemoteRelation(cached) => RelationKind::CachedRemote { id: cached.relation_id },
            RelType::Range(range) => RelationKind::Range {
                start: range.start.unwrap_or(0),
                end: range.end,
                step: range.step,
                partitions: range.num_partitions.map(|n| positive(n, "Range", "num_partitions")).transpose()?,
            },
            RelType::UnresolvedTableValuedFunction(function) => RelationKind::TableFunction {
                name: self.language.identifier(&function.function_name)?,
                args: self.exprs(function.arguments)?,
            },
            RelType::Catalog(catalog) => return self.catalog(catalog),
            RelType::WithRelations(with) => return self.with_relations(*with),

            RelType::Project(project) => RelationKind::Project {
                input: match project.input {
                    Some(input) => self.relation(*input)?,
                    None => RelationKind::OneRow.into(),
                },
                exprs: self.exprs(project.expressions)?,
            },
            RelType::Filter(filter) => RelationKind::Filter {
                input: self.input(filter.input, "Filter")?,
                condition: self.needed(filter.condition, "Filter", "condition")?,
            },
            RelType::Aggregate(aggregate) => self.aggregate(*aggregate)?,
            RelType::Sort(sort) => RelationKind::Sort {
                input: self.input(sort.input, "Sort")?,
                order: sort.order.into_iter().map(|order| self.sort_order(order)).collect::<SparkResult<_>>()?,
                global: sort.is_global.unwrap_or(true),
                all: None,
            },
            RelType::Limit(limit) => {
                RelationKind::Limit { input: self.input(limit.input, "Limit")?, limit: integer(limit.limit) }
            }
            RelType::Offset(offset) => {
                RelationKind::Offset { input: self.input(offset.input, "Offset")?, offset: integer(offset.offset) }
            }
            RelType::Tail(tail) => {
                RelationKind::Tail { input: self.input(tail.input, "Tail")?, limit: i64::from(tail.limit) }
            }
            RelType::Deduplicate(deduplicate) => self.deduplicate(*deduplicate)?,
            RelType::SubqueryAlias(alias) => RelationKind::SubqueryAlias {
                input: self.input(alias.input, "SubqueryAlias")?,
                alias: alias.alias,
                columns: vec![],
            },
            RelType::Sample(sample) => RelationKind::Sample {
                input: self.input(sample.input, "Sample")?,
                lower: sample.lower_bound,
                upper: sample.upper_bound,
                replacement: sample.with_replacement.unwrap_or(false),
                seed: sample.seed,
            },
            RelType::ToDf(to) => RelationKind::Rename { input: self.input(to.input, "ToDF")?, names: to.column_names },
            RelType::WithColumns(with) => RelationKind::WithColumns {
                input: self.input(with.input, "WithColumns")?,
                columns: with.aliases.into_iter().map(|alias| self.new_column(alias)).collect::<SparkResult<_>>()?,
            },
            RelType::WithColumnsRenamed(renamed) => self.renamed(*renamed)?,
            RelType::Drop(drop) => RelationKind::Drop {
                input: self.input(drop.input, "Drop")?,
                columns: self.exprs(drop.columns)?,
                names: drop.column_names,
            },
            RelType::ToSchema(to) => RelationKind::ToSchema {
                input: self.input(to.input, "ToSchema")?,
                schema: schema::message(&to.schema.ok_or_else(|| missing("ToSchema", "schema"))?, self.language)?,
            },
            RelType::Hint(hint) => RelationKind::Hint {
                input: self.input(hint.input, "Hint")?,
                name: hint.name,
                args: self.exprs(hint.parameters)?,
            },
            RelType::Repartition(repartition) => RelationKind::Repartition {
                input: self.input(repartition.input, "Repartition")?,
                partitions: positive(repartition.num_partitions, "Repartition", "num_partitions")?,
                shuffle: repartition.shuffle.unwrap_or(false),
            },
            RelType::RepartitionByExpression(repartition) => self.repartition_by(*repartition)?,
            RelType::Unpivot(unpivot) => self.unpivot(*unpivot)?,
            RelType::ShowString(show) => RelationKind::ShowString {
                input: self.input(show.input, "ShowString")?,
                rows: not_negative(show.num_rows),
                truncate: not_negative(show.truncate),
                vertical: show.vertical,
            },
            RelType::HtmlString(html) => RelationKind::HtmlString {
                input: self.input(html.input, "HtmlString")?,
                rows: not_negative(html.num_rows),
                truncate: not_negative(html.truncate),
            },
            RelType::CollectMetrics(metrics) => RelationKind::CollectMetrics {
                input: self.input(metrics.input, "CollectMetrics")?,
                name: metrics.name,
                metrics: self.exprs(metrics.metrics)?,
            },
            RelType::Parse(parse) => self.parse(*parse)?,
            RelType::Transpose(transpose) => RelationKind::Transpose {
                input: self.input(transpose.input, "Transpose")?,
                index: self.exprs(transpose.index_columns)?,
            },

            RelType::Join(join) => self.join(*join)?,
            RelType::LateralJoin(join) => RelationKind::Join(Join {
                left: self.relation(*join.left.ok_or_else(|| missing("LateralJoin", "left"))?)?,
                right: self.relation(*join.right.ok_or_else(|| missing("LateralJoin", "right"))?)?,
                join_type: join_type(join.join_type)?,
                condition: match join.join_condition {
                    Some(condition) => JoinCondition::On(self.expr(condition)?),
                    None => JoinCondition::None,
                },
                lateral: true,
            }),
            RelType::SetOp(operation) => self.set_operation(*operation)?,

            RelType::FillNa(from) => self.fill_na(*from)?,
            RelType::DropNa(from) => self.drop_na(*from)?,
            RelType::Replace(from) => self.replace_na(*from)?,
            RelType::Summary(from) => self.summary(*from)?,
            RelType::Describe(from) => self.describe(*from)?,
            RelType::Crosstab(from) => self.crosstab(*from)?,
            RelType::Cov(from) => self.covariance(*from)?,
            RelType::Corr(from) => self.correlation(*from)?,
            RelType::ApproxQuantile(from) => self.approx_quantile(*from)?,
            RelType::FreqItems(from) => self.frequent_items(*from)?,
            RelType::SampleBy(from) => self.sample_by(*from)?,

            RelType::MapPartitions(_) => unsupported("mapInPandas and mapInArrow"),
            RelType::GroupMap(_) => unsupported("applyInPandas and applyInArrow"),
            RelType::CoGroupMap(_) => unsupported("applyInPandas on co-grouped data"),
            RelType::ApplyInPandasWithState(_) => unsupported("applyInPandasWithState"),
            RelType::WithWatermark(from) => {
                let text = ExprKind::Literal(Literal::String(from.delay_threshold)).into();
                let delay = ExprKind::Cast { expr: text, to: DataType::CalendarInterval, mode: CastMode::Ansi };
                let input = self.input(from.input, "WithWatermark")?;
                RelationKind::Watermark { input, column: from.event_time, delay: delay.into() }
            }
            RelType::CommonInlineUserDefinedTableFunction(_) => unsupported("Python table functions"),
            RelType::CommonInlineUserDefinedDataSource(_) => unsupported("Python data sources"),
            RelType::AsOfJoin(join) => self.as_of_join(*join)?,
            RelType::NearestByJoin(join) => self.nearest_by_join(*join)?,
            RelType::Zip(_) => unsupported("zip of DataFrames"),
            RelType::RelationChanges(_) => unsupported("change data feeds"),
            RelType::MlRelation(_) => unsupported("Spark ML"),
            RelType::Extension(any) => return Err(extension(&any)),
            RelType::Unknown(_) => return Err(unset("Relation", "rel_type")),
        };
        Ok(kind.into())
    }

    fn aggregate(&self, from: sc::Aggregate) -> SparkResult<RelationKind> {
        let group_type = from.group_type();
        let input = match from.input {
            Some(input) => self.relation(*input)?,
            None => return Err(invalid("AGGREGATE_NEEDS_PLAN_INPUT", &[])),
        };
        let grouping = self.exprs(from.grouping_expressions)?;
        let sets = |grouping: Vec<_>| grouping.into_iter().map(|expr| vec![expr]).collect();
        let mut pivot = None;
        let elements = match group_type {
            GroupType::Groupby => grouping.into_iter().map(GroupingElement::Expr).collect(),
            GroupType::Rollup => vec![GroupingElement::Rollup(sets(grouping))],
            GroupType::Cube => vec![GroupingElement::Cube(sets(grouping))],
            GroupType::GroupingSets => {
                let mut elements = vec![];
                for set in from.grouping_sets {
                    elements.push(GroupingElement::Set(self.exprs(set.grouping_set)?));
                }
                vec![GroupingElement::GroupingSets(elements)]
            }
            GroupType::Pivot => {
                let from = from.pivot.ok_or_else(|| invalid("AGGREGATE_WITH_PIVOT_REQUIRES_PIVOT", &[]))?;
                let values = self.literals(from.values)?.into_iter().map(|value| ExprKind::Literal(value).into());
                pivot = Some(DataFramePivot {
                    column: self.needed(from.col, "Aggregate.Pivot", "col")?,
                    values: values.collect(),
                });
                grouping.into_iter().map(GroupingElement::Expr).collect()
            }
            GroupType::Unspecified => return Err(bad_enum("Aggregate", "group_type", from.group_type)),
        };
        let aggregates = self.exprs(from.aggregate_expressions)?;
        Ok(RelationKind::Aggregate { input, group_by: GroupBy::Elements(elements), aggregates, pivot })
    }

    fn deduplicate(&self, from: sc::Deduplicate) -> SparkResult<RelationKind> {
        let all = from.all_columns_as_keys();
        if from.within_watermark() {
            return Ok(RelationKind::Unsupported("structured streaming (dropDuplicatesWithinWatermark)".to_string()));
        }
        match (all, from.column_names.is_empty()) {
            (true, false) => Err(invalid("DEDUPLICATE_ALL_COLUMNS_AND_SUBSET", &[])),
            (false, true) => Err(invalid("DEDUPLICATE_REQUIRES_COLUMNS_OR_ALL", &[])),
            _ => Ok(RelationKind::Deduplicate {
                input: self.input(from.input, "Deduplicate")?,
                columns: from.column_names,
            }),
        }
    }

    fn new_column(&self, alias: sc::expression::Alias) -> SparkResult<firesteel_spark::spec::Expr> {
        match alias.name.len() {
            1 => self.alias(alias),
            got => Err(invalid("WITH_COLUMNS_REQUIRE_SINGLE_NAME_PART", &[("got", &got.to_string())])),
        }
    }

    /// Older clients send a map instead of a list.
    fn renamed(&self, from: sc::WithColumnsRenamed) -> SparkResult<RelationKind> {
        let mut renames: Vec<_> =
            from.renames.into_iter().map(|rename| (rename.col_name, rename.new_col_name)).collect();
        if renames.is_empty() {
            renames = from.rename_columns_map.into_iter().collect();
            renames.sort();
        }
        Ok(RelationKind::WithColumnsRenamed { input: self.input(from.input, "WithColumnsRenamed")?, renames })
    }

    fn repartition_by(&self, from: sc::RepartitionByExpression) -> SparkResult<RelationKind> {
        let input = self.input(from.input, "RepartitionByExpression")?;
        let partitions = from.num_partitions.map(|n| positive(n, "RepartitionByExpression", "num_partitions"));
        let partitions = partitions.transpose()?;
        let mut keys = from.partition_exprs;
        if let [sc::Expression { expr_type: Some(ExprType::DirectShufflePartitionId(id)), .. }] = keys.as_mut_slice() {
            let id = self.boxed(id.child.take(), "DirectShufflePartitionID", "child")?;
            return Ok(RelationKind::RepartitionById { input, id, partitions });
        }
        Ok(RelationKind::RepartitionBy { input, exprs: self.exprs(keys)?, partitions })
    }

    fn unpivot(&self, from: sc::Unpivot) -> SparkResult<RelationKind> {
        let values = match from.values {
            Some(values) => Some(self.exprs(values.values)?.into_iter().map(|value| (vec![value], None)).collect()),
            None => None,
        };
        Ok(RelationKind::Unpivot(Unpivot {
            input: self.input(from.input, "Unpivot")?,
            ids: Some(self.exprs(from.ids)?),
            values,
            variable_column: from.variable_column_name,
            value_columns: vec![from.value_column_name],
            include_nulls: true,
        }))
    }

    fn parse(&self, from: sc::Parse) -> SparkResult<RelationKind> {
        let format = match from.format() {
            sc::parse::ParseFormat::Csv => "csv",
            sc::parse::ParseFormat::Json => "json",
            sc::parse::ParseFormat::Xml => "xml",
            sc::parse::ParseFormat::Unspecified => return Err(bad_enum("Parse", "format", from.format)),
        };
        let schema = from.schema.filter(|schema| schema.kind.is_some());
        Ok(RelationKind::Parse {
            input: self.input(from.input, "Parse")?,
            format: format.to_string(),
            schema: schema.map(|schema| schema::message(&schema, self.language)).transpose()?,
            options: options(from.options),
        })
    }

    fn join(&self, join: sc::Join) -> SparkResult<RelationKind> {
        if join.join_data_type.is_some_and(|sides| sides.is_left_struct || sides.is_right_struct) {
            return Ok(RelationKind::Unsupported("typed joins of the JVM (joinWith)".to_string()));
        }
        let condition = match (join.join_condition, join.using_columns.is_empty()) {
            (Some(_), false) => return Err(invalid("USING_COLUMNS_OR_JOIN_CONDITION_SET_IN_JOIN", &[])),
            (Some(condition), true) => JoinCondition::On(self.expr(condition)?),
            (None, false) => JoinCondition::Using(join.using_columns),
            (None, true) => JoinCondition::None,
        };
        Ok(RelationKind::Join(Join {
            left: self.relation(*join.left.ok_or_else(|| missing("Join", "left"))?)?,
            right: self.relation(*join.right.ok_or_else(|| missing("Join", "right"))?)?,
            join_type: join_type(join.join_type)?,
            condition,
            lateral: false,
        }))
    }

    fn set_operation(&self, from: sc::SetOperation) -> SparkResult<RelationKind> {
        use sc::set_operation::SetOpType;
        let (by_name, allow_missing, all) = (from.by_name(), from.allow_missing_columns(), from.is_all());
        let op = match from.set_op_type() {
            SetOpType::Union => SetOperator::Union,
            SetOpType::Intersect if by_name => return Err(invalid("INTERSECT_DOES_NOT_SUPPORT_UNION_BY_NAME", &[])),
            SetOpType::Except if by_name => return Err(invalid("EXCEPT_DOES_NOT_SUPPORT_UNION_BY_NAME", &[])),
            SetOpType::Intersect => SetOperator::Intersect,
            SetOpType::Except => SetOperator::Except,
            SetOpType::Unspecified => return Err(bad_enum("SetOperation", "set_op_type", from.set_op_type)),
        };
        if allow_missing && !by_name {
            return Err(invalid("UNION_BY_NAME_ALLOW_MISSING_COL_REQUIRES_BY_NAME", &[]));
        }
        let two = || invalid("SET_OPERATION_MUST_HAVE_TWO_INPUTS", &[]);
        let left = self.relation(*from.left_input.ok_or_else(two)?)?;
        let right = self.relation(*from.right_input.ok_or_else(two)?)?;
        Ok(RelationKind::SetOperation { left, right, op, all, by_name, allow_missing })
    }
}

fn join_type(number: i32) -> SparkResult<JoinType> {
    use sc::join::JoinType as From;
    Ok(match From::try_from(number).unwrap_or(From::Unspecified) {
        From::Inner => JoinType::Inner,
        From::FullOuter => JoinType::Full,
        From::LeftOuter => JoinType::Left,
        From::RightOuter => JoinType::Right,
        From::LeftAnti => JoinType::LeftAnti,
        From::LeftSemi => JoinType::LeftSemi,
        From::Cross => JoinType::Cross,
        From::Unspecified => return Err(bad_enum("Join", "join_type", number)),
    })
}

fn integer(value: i32) -> firesteel_spark::spec::Expr {
    ExprKind::Literal(Literal::Integer(value)).into()
}

/// Spark reads negative numbers of rows and widths as none.
fn not_negative(value: i32) -> usize {
    usize::try_from(value).unwrap_or(0)
}

fn positive(value: i32, message: &str, field: &str) -> SparkResult<usize> {
    usize::try_from(value).ok().filter(|value| *value > 0).ok_or_else(|| {
        let text = format!("{field} of spark.connect.{message} must be positive, but is {value}");
        invalid("ASSERTION_FAILURE", &[("message", &text)])
    })
}
