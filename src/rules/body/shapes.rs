//! What a task, dynamic or workflow gives back: nothing, one value, several, or a named tuple.
//!
//! ```python
//! class Stats(NamedTuple):
//!     low: int
//!     high: int
//!
//! @task
//! def stats(xs: List[int]) -> Stats: ...      # on Flyte 2 the caller gets a plain tuple
//! ```

use super::BodyContext;
use crate::project::FileId;
use crate::project::graph::NodeId;
use crate::project::link::Target;
use crate::python::ast::{self, Expr, Stmt};
use crate::python::scope::BindingId;
use crate::python::{Ranged, parse};
use crate::source::TextRange;

/// What the caller of an entity gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Nothing.
    Nothing,
    /// One value of the type that is written here, in the file of the entity.
    One(TextRange),
    /// So many values.
    Tuple(usize),
    /// A named tuple with these fields, and its class where it has a name.
    Named(Vec<String>, Option<(FileId, BindingId)>),
    /// A named tuple with one field: the caller gets the bare value on Flyte 2.
    OneField(String),
    /// It cannot be told.
    Unknown,
}

/// The shape of what `node` gives back.
pub fn shape(cx: &BodyContext<'_>, node: NodeId) -> Shape {
    let file = cx.graph.nodes[node].file;
    let Some(function) = cx.function(node) else { return Shape::Unknown };
    let Some(range) = function.returns else { return Shape::Nothing };
    let text = &cx.project.text(file)[range];
    let Ok(parsed) = parse(text) else { return Shape::Unknown };
    let [Stmt::Expr(statement)] = parsed.body() else { return Shape::Unknown };
    match &*statement.value {
        Expr::NoneLiteral(_) => Shape::Nothing,
        Expr::StringLiteral(_) => Shape::Unknown,
        Expr::Subscript(subscript) if is_called(&subscript.value, &["Tuple", "tuple"]) => {
            match &*subscript.slice {
                Expr::Tuple(elements) => Shape::Tuple(elements.len()),
                _ => Shape::Unknown,
            }
        }
        Expr::Call(call) if is_called(&call.func, &["NamedTuple"]) => named(fields_of_call(call), None),
        Expr::Name(_) | Expr::Attribute(_) => class_of(cx, file, range).unwrap_or(Shape::One(range)),
        _ => Shape::One(range),
    }
}

/// How the class of a named tuple is written in the file of the context; `None` if it has no name there.
pub fn class_name<'a>(cx: &BodyContext<'a>, class: (FileId, BindingId)) -> Option<&'a str> {
    let bindings = cx.facts.module.bindings.iter().enumerate();
    let mut names = bindings.filter(|(id, binding)| {
        binding.is_unconditional
            && cx.project.follow(cx.file, *id, &[], 0) == [Target::Binding(class.0, class.1, Vec::new())]
    });
    names.next().map(|(_, binding)| binding.name.as_str())
}

/// Whether an expression names a named tuple of the project.
pub fn is_named_tuple(cx: &BodyContext<'_>, expr: &Expr) -> bool {
    let shape = class_of(cx, cx.file, expr.range());
    matches!(shape, Some(Shape::Named(..) | Shape::OneField(_)))
}

fn named(fields: Option<Vec<String>>, class: Option<(FileId, BindingId)>) -> Shape {
    match fields {
        Some(mut fields) if fields.len() == 1 => Shape::OneField(fields.remove(0)),
        Some(fields) if !fields.is_empty() => Shape::Named(fields, class),
        _ => Shape::Unknown,
    }
}

/// The shape of an annotation that names a class, if that is a named tuple; unknown if it may be one.
fn class_of(cx: &BodyContext<'_>, file: FileId, range: TextRange) -> Option<Shape> {
    let reference = cx.project.facts(file)?.reference_at(range)?;
    match cx.project.resolve(file, reference) {
        [Target::Binding(file, binding, rest)] if rest.is_empty() => {
            let module = &cx.project.facts(*file)?.module;
            let text = &cx.project.text(*file)[module.statements[module.bindings[*binding].owner]];
            let Ok(parsed) = parse(text) else { return Some(Shape::Unknown) };
            match parsed.body() {
                [Stmt::ClassDef(class)] => {
                    let is_named = class.bases().iter().any(|base| is_called(base, &["NamedTuple"]));
                    is_named.then(|| named(Some(fields_of_class(class)), Some((*file, *binding))))
                }
                [Stmt::Assign(assign)] => match &*assign.value {
                    Expr::Call(call) if is_called(&call.func, &["NamedTuple"]) => {
                        Some(named(fields_of_call(call), Some((*file, *binding))))
                    }
                    _ => None,
                },
                _ => Some(Shape::Unknown),
            }
        }
        [Target::External(_) | Target::Flyte1(_)] => None,
        _ => Some(Shape::Unknown),
    }
}

/// Whether an expression is one of these names, also behind a module: `typing.NamedTuple`.
fn is_called(expr: &Expr, names: &[&str]) -> bool {
    let name = match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => return false,
    };
    names.contains(&name)
}

fn fields_of_class(class: &ast::StmtClassDef) -> Vec<String> {
    let fields = class.body.iter().filter_map(Stmt::as_ann_assign_stmt);
    fields.filter_map(|field| Some(field.target.as_name_expr()?.id.to_string())).collect()
}

/// `NamedTuple("Stats", [("low", int)])`, `NamedTuple("Stats", low=int)`
fn fields_of_call(call: &ast::ExprCall) -> Option<Vec<String>> {
    if let [_, fields] = &*call.arguments.args {
        let fields = match fields {
            Expr::List(list) => &list.elts,
            Expr::Tuple(tuple) => &tuple.elts,
            _ => return None,
        };
        return fields
            .iter()
            .map(|field| match field {
                Expr::Tuple(pair) => match pair.elts.first() {
                    Some(Expr::StringLiteral(name)) => Some(name.value.to_str().to_owned()),
                    _ => None,
                },
                _ => None,
            })
            .collect();
    }
    call.arguments.keywords.iter().map(|keyword| Some(keyword.arg.as_ref()?.to_string())).collect()
}
