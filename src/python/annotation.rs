//! Types as they are written, without the tree: annotations, fields of classes, signatures of functions.
//!
//! ```python
//! Optional[List[FlyteFile]]        # a generic of a generic of a name
//!
//! class Out(NamedTuple):           # a definition with a base and a field
//!     model: FlyteFile
//! ```

use super::Ranged;
use super::ast::visitor::source_order::{self, SourceOrderVisitor};
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
    /// `(int, str)`, which Flyte takes for several outputs.
    Tuple(Vec<TypeExpr>),
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

/// A method of a class.
#[derive(Debug, Clone, PartialEq)]
pub struct Method {
    /// Its name.
    pub name: String,
    /// Its parameters, those with a star and what it is called on left out.
    pub parameters: Vec<(String, Option<TypeExpr>)>,
    /// What it is annotated to return.
    pub returns: Option<TypeExpr>,
    /// Whether it is a property.
    pub is_property: bool,
}

/// What a statement at the top level defines.
#[derive(Debug, Clone, PartialEq)]
pub enum Definition {
    /// A class.
    Class {
        /// Its bases.
        bases: Vec<TypeExpr>,
        /// Its annotated fields.
        fields: Vec<Field>,
        /// Its methods.
        methods: Vec<Method>,
    },
    /// A function.
    Function {
        /// Its parameters, those with a star left out.
        parameters: Vec<(String, Option<TypeExpr>)>,
        /// The attributes that are read of each parameter, `None` where something else is done with it.
        attributes: Vec<Option<Vec<String>>>,
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
            Expr::Tuple(tuple) => Self::Tuple(tuple.elts.iter().map(Self::of).collect()),
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
            Stmt::ClassDef(class) => Some(Self::Class {
                bases: class.bases().iter().map(TypeExpr::of).collect(),
                fields: class
                    .body
                    .iter()
                    .filter_map(Stmt::as_ann_assign_stmt)
                    .filter_map(field_of_class)
                    .collect(),
                methods: class
                    .body
                    .iter()
                    .filter_map(Stmt::as_function_def_stmt)
                    .map(method_of_class)
                    .collect(),
            }),
            Stmt::FunctionDef(function) => {
                let names = function.parameters.iter_non_variadic_params();
                let names: Vec<&str> = names.map(|parameter| parameter.name().as_str()).collect();
                let mut touched = Touched { attributes: vec![Some(Vec::new()); names.len()], names };
                touched.visit_body(&function.body);
                Some(Self::Function {
                    parameters: parameters_of(function).collect(),
                    attributes: touched.attributes,
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

fn method_of_class(function: &ast::StmtFunctionDef) -> Method {
    let last_name = |decorator: &ast::Decorator| match &decorator.expression {
        Expr::Name(name) => Some(name.id.to_string()),
        Expr::Attribute(attribute) => Some(attribute.attr.to_string()),
        _ => None,
    };
    let decorators: Vec<String> = function.decorator_list.iter().filter_map(last_name).collect();
    let own = usize::from(!decorators.iter().any(|name| name == "staticmethod"));
    Method {
        name: function.name.to_string(),
        parameters: parameters_of(function).skip(own).collect(),
        returns: function.returns.as_deref().map(TypeExpr::of),
        is_property: decorators.iter().any(|name| matches!(name.as_str(), "property" | "cached_property")),
    }
}

/// The parameters of a function without a star, and their annotations.
fn parameters_of(function: &ast::StmtFunctionDef) -> impl Iterator<Item = (String, Option<TypeExpr>)> {
    function.parameters.iter_non_variadic_params().map(|parameter| {
        let annotation = parameter.parameter.annotation.as_deref();
        (parameter.name().to_string(), annotation.map(TypeExpr::of))
    })
}

/// Finds what is done with the parameters of a function.
struct Touched<'a> {
    names: Vec<&'a str>,
    attributes: Vec<Option<Vec<String>>>,
}

impl Touched<'_> {
    fn at(&mut self, name: &str) -> Option<&mut Option<Vec<String>>> {
        let place = self.names.iter().position(|known| *known == name)?;
        self.attributes.get_mut(place)
    }
}

impl<'a> SourceOrderVisitor<'a> for Touched<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Attribute(attribute) if let Expr::Name(name) = &*attribute.value => {
                if let Some(Some(attributes)) = self.at(&name.id) {
                    attributes.push(attribute.attr.to_string());
                }
            }
            Expr::Name(name) => {
                if let Some(attributes) = self.at(&name.id) {
                    *attributes = None;
                }
            }
            _ => source_order::walk_expr(self, expr),
        }
    }
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
