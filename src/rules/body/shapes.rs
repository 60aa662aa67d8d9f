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
use crate::project::graph::{ContainerNode, NodeId};
use crate::project::link::Target;
use crate::project::{FileId, Project};
use crate::python::Ranged;
use crate::python::annotation::{Definition, Field, TypeExpr};
use crate::python::ast::Expr;
use crate::python::scope::{Binding, BindingId, BindingKind};
use crate::rules::container_task;
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
    if let Some(container) = cx.graph.container(node) {
        return of_container(cx, file, container).unwrap_or(Shape::Unknown);
    }
    let Some(function) = cx.function(node) else { return Shape::Unknown };
    let Some(range) = function.returns else { return Shape::Nothing };
    let text = cx.project.text(file);
    let of = cx.project.facts(file).and_then(|facts| facts.module.types.get(&range));
    match of {
        None | Some(TypeExpr::Text) => Shape::Unknown,
        Some(TypeExpr::None) => Shape::Nothing,
        Some(TypeExpr::Generic(tuple, elements)) if is_named(tuple, text, &["Tuple", "tuple"]) => {
            if elements.len() == 1 { Shape::Unknown } else { Shape::Tuple(elements.len()) }
        }
        Some(TypeExpr::Tuple(elements)) if elements.len() > 1 => Shape::Tuple(elements.len()),
        Some(TypeExpr::Call(callee, fields)) if is_named(callee, text, &["NamedTuple"]) => {
            named(fields.as_deref(), None)
        }
        Some(TypeExpr::Name(_)) => class_of(cx, file, range).unwrap_or(Shape::One(range)),
        Some(_) => Shape::One(range),
    }
}

/// Several outputs of a container task have their names on Flyte 1.
fn of_container(cx: &BodyContext<'_>, file: FileId, container: &ContainerNode) -> Option<Shape> {
    let module = &cx.project.facts(file)?.module;
    let outputs = container_task::types(module, &module.calls[container.call], "outputs")?;
    Some(match &outputs[..] {
        [] => Shape::Nothing,
        [(_, range)] => Shape::One(*range),
        _ => Shape::Named(outputs.into_iter().map(|(name, _)| name).collect(), None),
    })
}

/// How the class of a named tuple is written in the file of the context; `None` if it has no name there.
pub fn class_name<'a>(cx: &BodyContext<'a>, class: (FileId, BindingId)) -> Option<&'a str> {
    name_of_class(cx.project, cx.file, class)
}

/// How the class of a named tuple is written in a file; `None` if it has no name there.
pub fn name_of_class(project: &Project, file: FileId, class: (FileId, BindingId)) -> Option<&str> {
    let bindings = project.facts(file)?.module.bindings.iter().enumerate();
    let mut names = bindings.filter(|(id, binding)| {
        binding.is_unconditional
            && project.follow(file, *id, &[], 0) == [Target::Binding(class.0, class.1, Vec::new())]
    });
    names.next().map(|(_, binding)| binding.name.as_str())
}

/// Whether an expression names a named tuple of the project.
pub fn is_named_tuple(cx: &BodyContext<'_>, expr: &Expr) -> bool {
    let shape = class_of(cx, cx.file, expr.range());
    matches!(shape, Some(Shape::Named(..) | Shape::OneField(_)))
}

fn named(fields: Option<&[Field]>, class: Option<(FileId, BindingId)>) -> Shape {
    match fields {
        Some([(field, _)]) => Shape::OneField(field.clone()),
        Some(fields) if !fields.is_empty() => {
            Shape::Named(fields.iter().map(|(name, _)| name.clone()).collect(), class)
        }
        _ => Shape::Unknown,
    }
}

/// The shape of an annotation that names a class, if that is a named tuple; unknown if it may be one.
fn class_of(cx: &BodyContext<'_>, file: FileId, range: TextRange) -> Option<Shape> {
    let reference = cx.project.facts(file)?.reference_at(range)?;
    match cx.project.resolve(file, reference) {
        [Target::Binding(file, binding, rest)] if rest.is_empty() => {
            let module = &cx.project.facts(*file)?.module;
            let text = cx.project.text(*file);
            let class = Some((*file, *binding));
            match module.definitions.get(&module.bindings[*binding].owner) {
                Some(Definition::Class { bases, fields, .. }) => {
                    let is_named_tuple = bases.iter().any(|base| is_named(base, text, &["NamedTuple"]));
                    is_named_tuple.then(|| named(Some(fields), class))
                }
                Some(Definition::Made(TypeExpr::Call(callee, fields))) => {
                    is_named(callee, text, &["NamedTuple"]).then(|| named(fields.as_deref(), class))
                }
                // Another name of something else.
                None if is_plain_assignment(&module.bindings[*binding]) => None,
                _ => Some(Shape::Unknown),
            }
        }
        [Target::External(_) | Target::Flyte1(_)] => None,
        _ => Some(Shape::Unknown),
    }
}

/// `Name = …` at the top level.
fn is_plain_assignment(binding: &Binding) -> bool {
    binding.is_unconditional && matches!(binding.kind, BindingKind::Assignment { annotation: None, .. })
}

/// Whether an expression is one of these names, also behind a module: `typing.NamedTuple`.
fn is_named(of: &TypeExpr, text: &str, names: &[&str]) -> bool {
    of.last_name(text).is_some_and(|name| names.contains(&name))
}
