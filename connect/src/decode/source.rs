//! Where rows come from: tables, files, SQL text and the relations it names.

use firesteel_functions::error::SparkResult;
use firesteel_functions::types::{DataType, StructType};
use firesteel_proto::spark::connect as sc;
use firesteel_spark::spec::{DataSource, ExprKind, Relation, RelationKind};

use super::{Decoder, data_type, missing, options, schema, unset};

impl Decoder<'_> {
    pub(super) fn read(&self, read: sc::Read) -> SparkResult<RelationKind> {
        if read.is_streaming {
            return Ok(RelationKind::Unsupported("structured streaming (readStream)".to_string()));
        }
        Ok(match read.read_type.ok_or_else(|| unset("Read", "read_type"))? {
            sc::read::ReadType::NamedTable(table) => RelationKind::Table {
                name: self.language.identifier(&table.unparsed_identifier)?,
                options: options(table.options),
                time_travel: None,
            },
            sc::read::ReadType::DataSource(source) => RelationKind::DataSource(DataSource {
                format: source.format.filter(|format| !format.is_empty()),
                schema: schema::optional_text(source.schema.as_deref(), self.language)?,
                options: options(source.options),
                paths: source.paths,
                predicates: source.predicates,
            }),
        })
    }

    #[expect(deprecated, reason = "older clients send arguments as literals")]
    pub(super) fn sql(&self, sql: sc::Sql) -> SparkResult<RelationKind> {
        let mut named = vec![];
        for (name, value) in sql.named_arguments {
            named.push((name, self.expr(value)?));
        }
        for (name, value) in sql.args {
            named.push((name, ExprKind::Literal(self.literal(value)?).into()));
        }
        named.sort_by(|left, right| left.0.cmp(&right.0));
        let mut positional = self.exprs(sql.pos_arguments)?;
        for value in sql.pos_args {
            positional.push(ExprKind::Literal(self.literal(value)?).into());
        }
        Ok(RelationKind::Sql { text: sql.query, named, positional })
    }

    /// Subqueries are put where expressions refer to them; named DataFrames of a SQL text stay beside it.
    pub(super) fn with_relations(&self, with: sc::WithRelations) -> SparkResult<Relation> {
        let mut references = vec![];
        for reference in with.references {
            let before = self.nodes.get();
            let relation = self.relation(reference)?;
            let size = self.nodes.get().saturating_sub(before);
            if let Some(plan_id) = relation.plan_id {
                self.references.borrow_mut().insert(plan_id, (relation.clone(), size));
            }
            references.push(relation);
        }
        let root = self.relation(*with.root.ok_or_else(|| missing("WithRelations", "root"))?)?;
        Ok(match root.kind.as_ref() {
            RelationKind::Sql { .. } => RelationKind::WithRelations { root, references }.into(),
            _ => root,
        })
    }

    /// A schema that may be left out; no columns mean the same.
    pub(super) fn optional_schema(&self, schema: Option<sc::DataType>) -> SparkResult<Option<StructType>> {
        let Some(schema) = schema.filter(|schema| schema.kind.is_some()) else { return Ok(None) };
        match data_type(&schema, self.language)? {
            DataType::Struct(fields) if fields.fields.is_empty() => Ok(None),
            _ => schema::message(&schema, self.language).map(Some),
        }
    }
}
