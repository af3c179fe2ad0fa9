//! Decoding of plans.

use bytes::Bytes;
use firesteel_functions::error::SparkResult;
use firesteel_functions::types::DataType;
use firesteel_proto::codec::decode_guarded;
use firesteel_proto::spark::connect as sc;
use firesteel_spark::spec::{CastMode, Expr, ExprKind, Literal, Origin, Relation, RelationKind, Subquery};
use prost::Message;
use sc::expression::{ExprType, UnresolvedAttribute};
use sc::relation::RelType;

use super::{Blobs, Decoder, Request};
use crate::language::Language;

struct NoBlobs;

impl Blobs for NoBlobs {
    fn cached(&self, _hash: &str) -> Option<Bytes> {
        None
    }
}

fn relation(from: sc::Relation) -> SparkResult<Relation> {
    Decoder::new(&Language::default(), &NoBlobs).relation(from)
}

fn expr(from: sc::Expression) -> SparkResult<Expr> {
    Decoder::new(&Language::default(), &NoBlobs).expr(from)
}

fn rel(plan_id: i64, rel_type: RelType) -> sc::Relation {
    let common = sc::RelationCommon { plan_id: Some(plan_id), ..Default::default() };
    sc::Relation { common: Some(common), rel_type: Some(rel_type) }
}

fn ex(expr_type: ExprType) -> sc::Expression {
    sc::Expression { common: None, expr_type: Some(expr_type) }
}

fn range(plan_id: i64) -> sc::Relation {
    rel(plan_id, RelType::Range(sc::Range { start: Some(0), end: 10, step: 1, num_partitions: None }))
}

fn column(name: &str) -> sc::Expression {
    ex(ExprType::UnresolvedAttribute(UnresolvedAttribute { unparsed_identifier: name.into(), ..Default::default() }))
}

#[test]
fn plan_ids_and_call_sites_survive() {
    let python = sc::PythonOrigin { fragment: "divide".into(), call_site: "a.py:3".into() };
    let origin = sc::Origin { function: Some(sc::origin::Function::PythonOrigin(python)) };
    let mut attribute = column("a.`b.c`");
    attribute.common = Some(sc::ExpressionCommon { origin: Some(origin) });
    let project = sc::Project { input: Some(Box::new(range(3))), expressions: vec![attribute] };
    let decoded = relation(rel(7, RelType::Project(Box::new(project)))).unwrap();
    assert_eq!(decoded.plan_id, Some(7));
    let RelationKind::Project { input, exprs } = *decoded.kind else { panic!("a projection") };
    assert_eq!(input.plan_id, Some(3));
    assert!(matches!(&exprs[0].origin, Some(Origin::DataFrame { fragment, .. }) if &**fragment == "divide"));
    let ExprKind::Attribute { name, .. } = &*exprs[0].kind else { panic!("a column") };
    assert_eq!(name, &["a", "b.c"]);
}

#[test]
fn missing_fields_are_errors_with_a_condition() {
    let empty = relation(sc::Relation::default()).unwrap_err();
    assert_eq!(empty.condition(), "CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET");
    let filter = sc::Filter { input: Some(Box::new(range(1))), condition: None };
    let filter = relation(rel(2, RelType::Filter(Box::new(filter)))).unwrap_err();
    assert_eq!(filter.condition(), "CONNECT_INVALID_PLAN.FIELD_CANNOT_BE_EMPTY");
    let join = sc::Join { left: Some(Box::new(range(1))), right: Some(Box::new(range(2))), ..Default::default() };
    let join = relation(rel(3, RelType::Join(Box::new(join)))).unwrap_err();
    assert_eq!(join.condition(), "CONNECT_INVALID_PLAN.INVALID_ENUM");
    assert!(expr(sc::Expression::default()).is_err());
    assert!(Decoder::new(&Language::default(), &NoBlobs).plan(sc::Plan::default()).is_err());
}

#[test]
fn subqueries_stand_where_they_are_referred_to() {
    let subquery = sc::SubqueryExpression {
        plan_id: 5,
        subquery_type: sc::subquery_expression::SubqueryType::Scalar.into(),
        ..Default::default()
    };
    let project =
        sc::Project { input: Some(Box::new(range(1))), expressions: vec![ex(ExprType::SubqueryExpression(subquery))] };
    let with = sc::WithRelations {
        root: Some(Box::new(rel(2, RelType::Project(Box::new(project))))),
        references: vec![range(5)],
    };
    let decoded = relation(rel(9, RelType::WithRelations(Box::new(with)))).unwrap();
    let RelationKind::Project { exprs, .. } = *decoded.kind else { panic!("a projection") };
    let ExprKind::Subquery(Subquery::Scalar(query)) = &*exprs[0].kind else { panic!("a subquery") };
    assert_eq!(query.plan_id, Some(5));
}

#[test]
fn literals_keep_their_types() {
    let decimal = sc::expression::literal::Decimal { value: "1.50".into(), precision: Some(10), scale: Some(3) };
    let kinds = [
        (sc::expression::literal::LiteralType::Byte(3), Literal::Byte(3)),
        (
            sc::expression::literal::LiteralType::Decimal(decimal),
            Literal::Decimal { value: 1500, precision: 10, scale: 3 },
        ),
        (sc::expression::literal::LiteralType::Timestamp(-1), Literal::Timestamp(-1)),
    ];
    for (kind, expected) in kinds {
        let literal = sc::expression::Literal { data_type: None, literal_type: Some(kind) };
        let ExprKind::Literal(decoded) = *expr(ex(ExprType::Literal(literal))).unwrap().kind else {
            panic!("a literal")
        };
        assert_eq!(decoded, expected);
    }
    let byte = sc::expression::literal::LiteralType::Byte(300);
    let literal = sc::expression::Literal { data_type: None, literal_type: Some(byte) };
    assert!(expr(ex(ExprType::Literal(literal))).is_err());
}

#[test]
fn casts_take_types_as_text() {
    let cast = sc::expression::Cast {
        expr: Some(Box::new(column("a"))),
        eval_mode: sc::expression::cast::EvalMode::Try.into(),
        cast_to_type: Some(sc::expression::cast::CastToType::TypeStr("array<int>".into())),
    };
    let ExprKind::Cast { to, mode, .. } = *expr(ex(ExprType::Cast(Box::new(cast)))).unwrap().kind else {
        panic!("a cast")
    };
    assert_eq!(mode, CastMode::Try);
    assert_eq!(to, DataType::Array { element: Box::new(DataType::Integer), contains_null: true });
}

#[test]
fn a_long_chain_of_operations_is_decoded_and_an_endless_one_refused() {
    let chain = |length: i64| {
        (0..length).fold(range(0), |input, id| {
            rel(id + 1, RelType::Limit(Box::new(sc::Limit { input: Some(Box::new(input)), limit: 5 })))
        })
    };
    let deep = decode_guarded::<sc::Relation>(Bytes::from(chain(500).encode_to_vec())).unwrap();
    let mut decoded = relation(deep).unwrap();
    let mut depth = 0;
    while let RelationKind::Limit { input, .. } = *decoded.kind {
        decoded = input;
        depth += 1;
    }
    assert_eq!(depth, 500);
    let endless = stacker::grow(256 * 1024 * 1024, || {
        let endless = chain(5_000);
        let bytes = Bytes::from(endless.encode_to_vec());
        drop(endless);
        bytes
    });
    assert!(decode_guarded::<sc::Relation>(endless).unwrap_err().message().contains("nests deeper"));
}

#[test]
fn compressed_plans_are_read() {
    let data = zstd::encode_all(range(4).encode_to_vec().as_slice(), 3).unwrap();
    let compressed = sc::plan::CompressedOperation {
        data: data.into(),
        op_type: sc::plan::compressed_operation::OpType::Relation.into(),
        compression_codec: sc::CompressionCodec::Zstd.into(),
    };
    let plan = sc::Plan { op_type: Some(sc::plan::OpType::CompressedOperation(compressed)) };
    let request = Decoder::new(&Language::default(), &NoBlobs).plan(plan).unwrap();
    assert!(matches!(request, Request::Query(relation) if relation.plan_id == Some(4)));
}

#[test]
fn what_is_not_done_says_so() {
    let zip = sc::Zip { left: Some(Box::new(range(1))), right: Some(Box::new(range(2))) };
    let decoded = relation(rel(3, RelType::Zip(Box::new(zip)))).unwrap();
    assert!(matches!(*decoded.kind, RelationKind::Unsupported(_)));
    let command = sc::Command { command_type: Some(sc::command::CommandType::RegisterFunction(Default::default())) };
    let plan = sc::Plan { op_type: Some(sc::plan::OpType::Command(command)) };
    let error = Decoder::new(&Language::default(), &NoBlobs).plan(plan).unwrap_err();
    assert!(error.condition().starts_with("UNSUPPORTED_FEATURE"));
}
