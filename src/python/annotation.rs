//! Types as they are written, without the tree: annotations, fields of classes, signatures of functions.
//!
//! ```python
//! Optional[List[FlyteFile]]        # a generic of a generic of a name
//!
//! class Out(NamedTuple):           # a definition with a base and a field
//!     model: FlyteFile
//! ```

use super::Ranged;
use super::ast::{self, Expr, Operator, Stmt};
use crate::source::TextRange;

/// An expression, as far as it can be a type.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeExpr {
    /// `FlyteFile`, `pd.DataFrame`: where it stands.
    Name(TextRange),
    /// `List[…]`: what stands before the brackets, and in them.
    Generic(Box<TypeExpr>, Vec<TypeExpr>),
    /// `a | b`
    Union(Box<TypeExpr>, Box<TypeExpr>),
    /// `NamedTuple("Out", model=FlyteFile)`: the callee, and the fields if all of them can be told.
    Call(Box<TypeExpr>, Option<Vec<Field>>),
    /// `None`
    None,
    /// `...`
    Ellipsis,
    /// A string.
    Text,
    /// Anything else.
    Other,
}

/// A name with its type.
pub type Field = (String, TypeExpr);

/// What a statement at the top level defines.
#[derive(Debug, Clone, PartialEq)]
pub enum Definition {
    /// A class: its bases and its annotated fields.
    Class(Vec<TypeExpr>, Vec<Field>),
    /// A function.
    Function {
        /// Its parameters, those with a star left out.
        parameters: Vec<(String, Option<TypeExpr>)>,
        /// What it is annotated to return.
        returns: Option<TypeExpr>,
        /// Whether it only gives names to values, and returns one.
        is_straight: bool,
    },
    /// `Out = NamedTuple(…)`, or any other call.
    Made(TypeExpr),
}

impl TypeExpr {
    /// Reads an expression.
    pub fn of(expr: &Expr) -> Self {
        match expr {
            Expr::Name(_) | Expr::Attribute(_) => Self::Name(expr.range()),
            Expr::Subscript(subscript) => {
                let elements = match &*subscript.slice {
                    Expr::Tuple(tuple) => tuple.elts.iter().map(Self::of).collect(),
                    slice => vec![Self::of(slice)],
                };
                Self::Generic(Box::new(Self::of(&subscript.value)), elements)
            }
            Expr::BinOp(union) if union.op == Operator::BitOr => {
                Self::Union(Box::new(Self::of(&union.left)), Box::new(Self::of(&union.right)))
            }
            Expr::Call(call) => Self::Call(Box::new(Self::of(&call.func)), fields_of_call(call)),
            Expr::NoneLiteral(_) => Self::None,
            Expr::EllipsisLiteral(_) => Self::Ellipsis,
            Expr::StringLiteral(_) => Self::Text,
            _ => Self::Other,
        }
    }

    /// The last part of a name: `Optional` of `typing.Optional`. `text` is that of the file.
    pub fn last_name<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Name(range) => text[*range].rsplit('.').next().map(str::trim),
            _ => None,
        }
    }
}

impl Definition {
    /// What a statement defines, if it is one that can be read.
    pub fn of(stmt: &Stmt) -> Option<Self> {
        match stmt {
            Stmt::ClassDef(class) => Some(Self::Class(
                class.bases().iter().map(TypeExpr::of).collect(),
                class.body.iter().filter_map(Stmt::as_ann_assign_stmt).filter_map(field_of_class).collect(),
            )),
            Stmt::FunctionDef(function) => {
                let parameters = function.parameters.iter_non_variadic_params().map(|parameter| {
                    let annotation = parameter.parameter.annotation.as_deref();
                    (parameter.name().to_string(), annotation.map(TypeExpr::of))
                });
                Some(Self::Function {
                    parameters: parameters.collect(),
                    returns: function.returns.as_deref().map(TypeExpr::of),
                    is_straight: straight_body(&function.body).is_some(),
                })
            }
            Stmt::Assign(assign) => {
                assign.value.is_call_expr().then(|| Self::Made(TypeExpr::of(&assign.value)))
            }
            _ => None,
        }
    }
}

/// A body that only gives names to values, one after the other, and returns a value; a docstring is nothing.
#[derive(Debug, Clone)]
pub struct StraightBody<'a> {
    /// The names and their values.
    pub steps: Vec<(&'a str, &'a Expr)>,
    /// What it returns.
    pub value: &'a Expr,
}

/// Reads a body that does nothing else.
pub fn straight_body(body: &[Stmt]) -> Option<StraightBody<'_>> {
    let body = match body {
        [Stmt::Expr(first), rest @ ..] if first.value.is_string_literal_expr() => rest,
        body => body,
    };
    let (Stmt::Return(last), before) = body.split_last()? else { return None };
    let steps = before.iter().map(|stmt| {
        let (target, value) = match stmt {
            Stmt::Assign(assign) => match &assign.targets[..] {
                [target] => (target, &*assign.value),
                _ => return None,
            },
            Stmt::AnnAssign(assign) => (&*assign.target, assign.value.as_deref()?),
            _ => return None,
        };
        Some((target.as_name_expr()?.id.as_str(), value))
    });
    Some(StraightBody { steps: steps.collect::<Option<_>>()?, value: last.value.as_deref()? })
}

fn field_of_class(assign: &ast::StmtAnnAssign) -> Option<Field> {
    Some((assign.target.as_name_expr()?.id.to_string(), TypeExpr::of(&assign.annotation)))
}

/// `NamedTuple("Stats", [("low", int)])`, `NamedTuple("Stats", low=int)`
fn fields_of_call(call: &ast::ExprCall) -> Option<Vec<Field>> {
    if let [_, fields] = &*call.arguments.args {
        let fields = match fields {
            Expr::List(list) => &list.elts,
            Expr::Tuple(tuple) => &tuple.elts,
            _ => return None,
        };
        return fields.iter().map(listed_field).collect();
    }
    let keywords = call.arguments.keywords.iter();
    keywords.map(|keyword| Some((keyword.arg.as_ref()?.to_string(), TypeExpr::of(&keyword.value)))).collect()
}

/// `("low", int)`
fn listed_field(field: &Expr) -> Option<Field> {
    match field.as_tuple_expr()?.elts.as_slice() {
        [Expr::StringLiteral(name), of] => Some((name.value.to_str().to_owned(), TypeExpr::of(of))),
        _ => None,
    }
}
