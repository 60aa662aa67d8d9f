//! Python expressions as values: literals are read, everything else is opaque and stays text.
//!
//! ```python
//! packages=["pandas", *EXTRA]   # List([Str("pandas"), Starred(Name("EXTRA"))])
//! ```

use super::ast::{self, Expr, Number};
use crate::source::TextRange;
use rustpython_text_size::Ranged;

/// An expression with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Where it stands, without parentheses around it.
    pub range: TextRange,
    /// What it is.
    pub kind: ValueKind,
}

/// What an expression is, as far as it can be known without running it.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueKind {
    /// `None`
    None,
    /// `True` or `False`
    Bool(bool),
    /// A whole number that fits.
    Int(i64),
    /// A float, as it is written.
    Float(f64),
    /// A string literal, decoded; adjacent literals are joined.
    Str(String),
    /// A list display.
    List(Vec<Value>),
    /// A tuple display.
    Tuple(Vec<Value>),
    /// A dict display; a key of `None` is `**value`.
    Dict(Vec<(Option<Value>, Value)>),
    /// `*value`
    Starred(Box<Value>),
    /// A name.
    Name(String),
    /// An f-string: its text, with `{}` where expressions stand, and the plain names among them in order.
    FString(String, Vec<TextRange>),
    /// `left + right`
    Concat(Box<Value>, Box<Value>),
    /// A call; [`scope::Module::calls`](super::scope::Module::calls) knows more if it is of interest.
    Call,
    /// `value if … else otherwise`
    Conditional(Box<Value>, Box<Value>),
    /// `value[…]`
    Subscript(Box<Value>),
    /// Anything else.
    Opaque,
}

impl Value {
    /// Reads an expression.
    pub fn of(expr: &Expr) -> Self {
        let kind = match expr {
            Expr::NoneLiteral(_) => ValueKind::None,
            Expr::BooleanLiteral(literal) => ValueKind::Bool(literal.value),
            Expr::NumberLiteral(literal) => number(&literal.value),
            Expr::UnaryOp(unary) => negated(unary),
            Expr::StringLiteral(literal) => ValueKind::Str(literal.value.to_str().to_owned()),
            Expr::List(list) => ValueKind::List(list.elts.iter().map(Self::of).collect()),
            Expr::Tuple(tuple) => ValueKind::Tuple(tuple.elts.iter().map(Self::of).collect()),
            Expr::Dict(dict) => ValueKind::Dict(
                dict.items
                    .iter()
                    .map(|item| (item.key.as_ref().map(Self::of), Self::of(&item.value)))
                    .collect(),
            ),
            Expr::Starred(starred) => ValueKind::Starred(Box::new(Self::of(&starred.value))),
            Expr::Name(name) => ValueKind::Name(name.id.to_string()),
            Expr::FString(fstring) => f_string(fstring),
            Expr::BinOp(binary) if binary.op == ast::Operator::Add => {
                ValueKind::Concat(Box::new(Self::of(&binary.left)), Box::new(Self::of(&binary.right)))
            }
            Expr::Call(_) => ValueKind::Call,
            Expr::If(node) => {
                ValueKind::Conditional(Box::new(Self::of(&node.body)), Box::new(Self::of(&node.orelse)))
            }
            Expr::Subscript(node) => ValueKind::Subscript(Box::new(Self::of(&node.value))),
            _ => ValueKind::Opaque,
        };
        Self { range: expr.range(), kind }
    }

    /// The string, if it is a string literal.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            ValueKind::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of a list or tuple display.
    pub fn elements(&self) -> Option<&[Value]> {
        match &self.kind {
            ValueKind::List(elements) | ValueKind::Tuple(elements) => Some(elements),
            _ => None,
        }
    }

    /// Whether it says "nothing": `None`, `""`, `[]`, `()` or `{}`.
    pub fn is_empty(&self) -> bool {
        match &self.kind {
            ValueKind::None => true,
            ValueKind::Str(text) => text.is_empty(),
            ValueKind::List(elements) | ValueKind::Tuple(elements) => elements.is_empty(),
            ValueKind::Dict(items) => items.is_empty(),
            _ => false,
        }
    }

    /// Whether nothing can change it: a string, a number, a tuple of such.
    pub fn is_immutable(&self) -> bool {
        match &self.kind {
            ValueKind::List(_) | ValueKind::Dict(_) => false,
            ValueKind::Tuple(elements) => elements.iter().all(Self::is_immutable),
            _ => true,
        }
    }

    /// Whether it can be written at another place of the module without meaning something else: literals only.
    pub fn is_literal(&self) -> bool {
        match &self.kind {
            ValueKind::None
            | ValueKind::Bool(_)
            | ValueKind::Int(_)
            | ValueKind::Float(_)
            | ValueKind::Str(_) => true,
            ValueKind::List(elements) | ValueKind::Tuple(elements) => elements.iter().all(Self::is_literal),
            ValueKind::Dict(items) => items
                .iter()
                .all(|(key, value)| key.as_ref().is_some_and(Self::is_literal) && value.is_literal()),
            ValueKind::Concat(left, right) => left.is_literal() && right.is_literal(),
            _ => false,
        }
    }
}

/// A call whose arguments are numbers: `timedelta(hours=4)`.
#[derive(Debug, Clone, PartialEq)]
pub struct NumericCall {
    /// The name that is called, with its attributes.
    pub callee: Vec<String>,
    /// The arguments in order, with the names of keywords.
    pub arguments: Vec<(Option<String>, f64)>,
}

/// Reads the text of an expression that is a call with numbers only.
pub fn numeric_call(text: &str) -> Option<NumericCall> {
    let parsed = super::parse(&format!("({text})")).ok()?;
    let [ast::Stmt::Expr(statement)] = parsed.body() else { return None };
    let call = statement.value.as_call_expr()?;
    let mut callee = Vec::new();
    let mut part = &*call.func;
    while let Expr::Attribute(attribute) = part {
        callee.insert(0, attribute.attr.to_string());
        part = &attribute.value;
    }
    callee.insert(0, part.as_name_expr()?.id.to_string());
    let arguments = call.arguments.arguments_source_order().map(|argument| {
        let name = match argument {
            ast::ArgOrKeyword::Arg(_) => None,
            ast::ArgOrKeyword::Keyword(keyword) => Some(keyword.arg.as_ref()?.to_string()),
        };
        let number = match Value::of(argument.value()).kind {
            ValueKind::Int(int) => f64::from(i32::try_from(int).ok()?),
            ValueKind::Float(float) => float,
            _ => return None,
        };
        Some((name, number))
    });
    Some(NumericCall { callee, arguments: arguments.collect::<Option<_>>()? })
}

fn number(number: &Number) -> ValueKind {
    match number {
        Number::Int(int) => int.as_i64().map_or(ValueKind::Opaque, ValueKind::Int),
        Number::Float(float) => ValueKind::Float(*float),
        Number::Complex { .. } => ValueKind::Opaque,
    }
}

fn negated(unary: &ast::ExprUnaryOp) -> ValueKind {
    match (unary.op, Value::of(&unary.operand).kind) {
        (ast::UnaryOp::USub, ValueKind::Int(int)) => ValueKind::Int(-int),
        (ast::UnaryOp::USub, ValueKind::Float(float)) => ValueKind::Float(-float),
        _ => ValueKind::Opaque,
    }
}

fn f_string(fstring: &ast::ExprFString) -> ValueKind {
    let mut text = String::new();
    let mut names = Vec::new();
    for part in &fstring.value {
        match part {
            ast::FStringPart::Literal(literal) => text.push_str(literal),
            ast::FStringPart::FString(fstring) => {
                for element in &fstring.elements {
                    match element {
                        ast::InterpolatedStringElement::Literal(literal) => text.push_str(&literal.value),
                        ast::InterpolatedStringElement::Interpolation(interpolation) => {
                            text.push_str("{}");
                            names.push(interpolation.expression.range());
                        }
                    }
                }
            }
        }
    }
    ValueKind::FString(text, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_of_numbers_is_read_and_nothing_else() {
        let call = numeric_call("datetime.timedelta(1, hours=-0.5)");
        let expected = NumericCall {
            callee: vec!["datetime".to_owned(), "timedelta".to_owned()],
            arguments: vec![(None, 1.0), (Some("hours".to_owned()), -0.5)],
        };
        assert_eq!(call, Some(expected));
        for other in ["timedelta(hours=HOURS)", "timedelta(**given)", "4", "delta()(1)", "f(1) + f(2)"] {
            assert_eq!(numeric_call(other), None, "{other}");
        }
    }
}
