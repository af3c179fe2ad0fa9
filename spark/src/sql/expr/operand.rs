//! Operands: literals, names, calls, parentheses, and what is written behind them (`[i]`, `.f`, `::type`, `:path`).

use firesteel_functions::SparkResult;

use super::super::cursor::Cursor;
use super::super::lexer::Kind;
use super::super::{name, query, types};
use super::{call, expression, literal, named_expression, query_ahead, special};
use crate::spec::{CastMode, Expr, ExprKind, Literal, Subquery};

/// Spark's `primaryExpression`.
pub(super) fn operand(cursor: &mut Cursor<'_>) -> SparkResult<Expr> {
    let position = cursor.position();
    let first = primary(cursor)?;
    postfix(cursor, first, position)
}

/// A number after a minus sign that was just taken.
pub(super) fn after_minus(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Expr> {
    let number = literal::number(cursor, true, position)?;
    postfix(cursor, number, position)
}

fn postfix(cursor: &mut Cursor<'_>, first: Expr, position: usize) -> SparkResult<Expr> {
    let mut expr = first;
    loop {
        if cursor.eat("[") {
            let key = expression(cursor)?;
            cursor.expect("]")?;
            expr = cursor.node(ExprKind::ExtractValue { child: expr, key, dotted: false }, position);
        } else if cursor.is(".") && cursor.is_name_at(1) {
            cursor.next();
            let field = if name::at_clause(cursor) { name::clause(cursor)? } else { vec![name::plain(cursor)?] };
            expr = dotted(cursor, expr, field, position);
        } else if cursor.is(".") && cursor.is_at(1, "*") {
            let ExprKind::Attribute { name, .. } = expr.kind.as_ref() else { return Err(cursor.unexpected()) };
            let target = name.clone();
            return star(cursor, target, position);
        } else if cursor.eat("::") {
            let to = types::data_type(cursor)?;
            expr = cursor.node(ExprKind::Cast { expr, to, mode: CastMode::Session }, position);
        } else if cursor.is(":") {
            cursor.next();
            if !variant_path_ahead(cursor) {
                return Err(cursor.unexpected());
            }
            expr = special::variant_path(cursor, expr, position)?;
        } else if cursor.word("COLLATE") && cursor.is_name_at(1) {
            cursor.next();
            let collation = name::multipart(cursor)?.join(".");
            let literal = cursor.node(ExprKind::Literal(Literal::String(collation)), position);
            expr = cursor.call("collate", vec![expr, literal], position);
        } else {
            return Ok(expr);
        }
        cursor.grow(1)?;
    }
}

fn variant_path_ahead(cursor: &Cursor<'_>) -> bool {
    cursor.is_name() || cursor.is("[")
}

fn dotted(cursor: &Cursor<'_>, expr: Expr, field: Vec<String>, position: usize) -> Expr {
    match *expr.kind {
        ExprKind::Attribute { mut name, plan_id, is_metadata } => {
            name.extend(field);
            cursor.node(ExprKind::Attribute { name, plan_id, is_metadata }, position)
        }
        kind => {
            let child = Expr { kind: Box::new(kind), origin: expr.origin };
            field.into_iter().fold(child, |child, part| {
                let key = ExprKind::Literal(Literal::String(part)).into();
                cursor.node(ExprKind::ExtractValue { child, key, dotted: true }, position)
            })
        }
    }
}

fn primary(cursor: &mut Cursor<'_>) -> SparkResult<Expr> {
    let position = cursor.position();
    let token = cursor.peek();
    match token.kind {
        Kind::Integer | Kind::Decimal | Kind::Exponent | Kind::Suffixed => literal::number(cursor, false, position),
        // A string names nothing that could be called.
        _ if cursor.is_string() && matches!(cursor.peek_at(1).text, "(" | ".") => Err(cursor.unexpected()),
        _ if cursor.is_string() => {
            let text = cursor.string()?;
            Ok(cursor.node(ExprKind::Literal(Literal::String(text)), position))
        }
        Kind::Symbol => symbol(cursor, position),
        Kind::Word => word(cursor, position),
        Kind::Quoted | Kind::DoubleQuoted if cursor.is_name() => named(cursor, position),
        _ => Err(cursor.unexpected()),
    }
}

fn symbol(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Expr> {
    match cursor.peek().text {
        "(" => parenthesis(cursor, position),
        "*" => star(cursor, vec![], position),
        "?" => {
            cursor.next();
            let index = cursor.parameters;
            cursor.parameters += 1;
            Ok(cursor.node(ExprKind::PositionalParameter(index), position))
        }
        ":" if cursor.is_name_at(1) => {
            cursor.next();
            let name = name::plain(cursor)?;
            Ok(cursor.node(ExprKind::NamedParameter(name), position))
        }
        _ => Err(cursor.unexpected()),
    }
}

/// `*` with its `EXCEPT` and `REPLACE` clauses.
fn star(cursor: &mut Cursor<'_>, target: Vec<String>, position: usize) -> SparkResult<Expr> {
    if !target.is_empty() {
        cursor.expect(".")?;
    }
    cursor.expect("*")?;
    let mut except = vec![];
    let mut replace = vec![];
    // `SELECT * EXCEPT SELECT ...` is the set operation.
    let set_operation =
        cursor.any_word_at(1, &["SELECT", "ALL", "DISTINCT", "VALUES", "TABLE", "FROM"]) || query_ahead(cursor, 1);
    if cursor.word("EXCEPT") && !set_operation {
        if !cursor.is_at(1, "(") || cursor.is_at(2, ")") {
            cursor.next();
            cursor.eat("(");
            return Err(cursor.unexpected());
        }
        cursor.next();
        except = cursor.parenthesized(name::multipart)?;
    }
    if cursor.word("REPLACE") && cursor.is_at(1, "(") {
        cursor.next();
        replace = cursor.parenthesized(|cursor| {
            let value = expression(cursor)?;
            cursor.expect_word("AS")?;
            Ok((value, name::identifier(cursor)?))
        })?;
    }
    Ok(cursor.node(ExprKind::Star { target, plan_id: None, except, replace }, position))
}

/// A query, a lambda's parameters, a row or an expression.
fn parenthesis(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Expr> {
    if let Some(params) = lambda_parameters(cursor) {
        return lambda(cursor, params, position);
    }
    cursor.expect("(")?;
    if !cursor.is("(") && query_ahead(cursor, 0) {
        let query = query::query(cursor)?;
        cursor.expect(")")?;
        return Ok(cursor.node(ExprKind::Subquery(Subquery::Scalar(query)), position));
    }
    let inner_position = cursor.position();
    let first = named_expression(cursor)?;
    if query::continues(cursor) {
        // `((SELECT 1) UNION (SELECT 2))`: what looked like an operand was a query's first term.
        let ExprKind::Subquery(Subquery::Scalar(left)) = *first.kind else { return Err(cursor.unexpected()) };
        let query = query::continued(cursor, left, inner_position)?;
        cursor.expect(")")?;
        return Ok(cursor.node(ExprKind::Subquery(Subquery::Scalar(query)), position));
    }
    let mut items = vec![first];
    while cursor.eat(",") {
        items.push(named_expression(cursor)?);
    }
    cursor.expect(")")?;
    match (items.pop(), items.is_empty()) {
        (Some(only), true) if matches!(only.kind.as_ref(), ExprKind::Alias { .. }) => {
            Ok(cursor.node(ExprKind::Row(vec![only]), position))
        }
        (Some(only), true) => Ok(only),
        (Some(last), false) => {
            items.push(last);
            Ok(cursor.node(ExprKind::Row(items), position))
        }
        (None, _) => Err(cursor.unexpected()),
    }
}

/// The names of `(x, y) ->`, when that is what is here.
fn lambda_parameters(cursor: &mut Cursor<'_>) -> Option<Vec<String>> {
    let mut ahead = 1;
    while cursor.is_name_at(ahead) && cursor.is_at(ahead + 1, ",") {
        ahead += 2;
    }
    if !cursor.is_name_at(ahead) || !cursor.is_at(ahead + 1, ")") || !cursor.is_at(ahead + 2, "->") {
        return None;
    }
    name::identifier_list(cursor).ok()
}

fn lambda(cursor: &mut Cursor<'_>, params: Vec<String>, position: usize) -> SparkResult<Expr> {
    cursor.expect("->")?;
    let body = expression(cursor)?;
    Ok(cursor.node(ExprKind::Lambda { body, params }, position))
}

fn word(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Expr> {
    if let Some(expr) = literal::literal(cursor, position)? {
        return Ok(expr);
    }
    if let Some(expr) = special::special(cursor, position)? {
        return Ok(expr);
    }
    named(cursor, position)
}

/// A column, a lambda or a call.
fn named(cursor: &mut Cursor<'_>, position: usize) -> SparkResult<Expr> {
    if cursor.is_at(1, "->") {
        let params = vec![name::plain(cursor)?];
        return lambda(cursor, params, position);
    }
    if let Some(call) = call::call(cursor, position)? {
        return Ok(call);
    }
    let quoted = cursor.peek().kind == Kind::Quoted;
    let part = name::plain(cursor)?;
    if quoted && cursor.options.quoted_regex_column_names && !cursor.is(".") {
        return Ok(cursor.node(ExprKind::Regex { pattern: part, plan_id: None }, position));
    }
    Ok(cursor.node(ExprKind::Attribute { name: vec![part], plan_id: None, is_metadata: false }, position))
}
