//! Attributes of tasks that tests and helpers read.
//!
//! ```python
//! my_task.task_function(n=1)      # my_task.func(n=1)
//! my_task.__name__                # my_task.func.__name__
//! ```

use super::mapper::Mapper;
use crate::project::link::Target;
use crate::python::Ranged;
use crate::python::ast::Expr;

/// Asked for every expression, from the inside out.
pub(super) fn expression(mapper: &mut Mapper<'_>, expr: &Expr) -> bool {
    let Expr::Attribute(attribute) = expr else { return false };
    let replacement = match attribute.attr.as_str() {
        "task_function" | "_task_function" => "func",
        "__name__" => "func.__name__",
        _ => return false,
    };
    let cx = mapper.cx;
    let Some(reference) = cx.reference(expr) else { return false };
    let [Target::Binding(file, binding, rest)] = cx.project.resolve(cx.file, reference) else { return false };
    let is_direct = matches!(rest.as_slice(), [name] if *name == attribute.attr.as_str());
    let Some(node) = cx.graph.node_of(*file, *binding).filter(|_| is_direct) else { return false };
    let Some(entity) = cx.graph.entity(node) else { return false };
    // A workflow of Flyte 1 has no `task_function`.
    if entity.kind == crate::project::graph::EntityKind::Workflow && replacement == "func" {
        return false;
    }
    mapper.call(expr.range(), node);
    mapper.rewriter.replace(attribute.attr.range, replacement);
    true
}
