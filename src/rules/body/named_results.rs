//! Named outputs that plain code reads: in the `__main__` block, in tests and scripts.
//!
//! ```python
//! print(pipeline(n=1).total)      # print(Result(*pipeline(n=1)).total)
//! print(both(n=1).o0)             # print(both(n=1)[0])
//! ```
//!
//! Flyte 1 makes a named tuple of what comes of a call. On Flyte 2 a plain call gives what the function returns, and a
//! run gives outputs without names.

use super::BodyContext;
use super::mapper::Mapper;
use super::outputs;
use super::shapes::{Shape, class_name, name_of_class, shape};
use crate::project::FileId;
use crate::project::graph::NodeId;
use crate::project::link::Target;
use crate::python::Ranged;
use crate::python::ast::{self, Expr, Stmt};
use crate::python::scope::{BindingId, BindingKind};
use crate::rules::codes::OTHER_USE;
use crate::rules::{Effect, Finding};

/// `both(n=1).o0`, where `both` gives several outputs without names.
pub(super) fn expression(mapper: &mut Mapper<'_>, expr: &Expr) -> bool {
    let Expr::Attribute(attribute) = expr else { return false };
    let Some(call) = attribute.value.as_call_expr().filter(|_| !mapper.is_entity()) else { return false };
    let Some(entity) = mapper.cx.entity(&call.func) else { return false };
    let Shape::Tuple(count) = shape(mapper.cx, entity) else { return false };
    let Some(position) = outputs::position(&attribute.attr, count) else { return false };
    mapper.call(call.func.range(), entity);
    outputs::item(mapper, attribute, position);
    true
}

/// Whether outputs without names are read by those of flytekit from the variable that gets them: `r.o0`.
fn is_read_by_output(mapper: &Mapper<'_>) -> bool {
    let Some(Stmt::Assign(assign)) = mapper.statement().filter(|_| mapper.parent().is_none()) else {
        return false;
    };
    let names = assign.targets.iter().filter_map(Expr::as_name_expr);
    let mut names = names.map(|name| format!("{}.o", name.id));
    let is_number = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    names.any(|name| {
        mapper.cx.text.match_indices(&name).any(|(at, _)| is_number(&mapper.cx.text[at + name.len()..]))
    })
}

/// A plain call whose result is a named tuple on Flyte 1, written anew already: its class is put around it.
pub(super) fn wrap(mapper: &mut Mapper<'_>, call: &ast::ExprCall, entity: NodeId) {
    let cx = mapper.cx;
    let has_outputs = matches!(shape(cx, entity), Shape::Tuple(_)) && is_read_by_output(mapper);
    let is_named = may_give_named_tuple(cx, entity) && !makes_it(cx, entity);
    if !has_outputs && (!is_named || is_read_alike(mapper, call)) {
        return;
    }
    let class = class(mapper, call, entity).filter(|_| !cx.is_awaited(entity));
    if let Some(class) = class {
        mapper.call(call.func.range(), entity);
        mapper.rewriter.surround(call.range, &format!("{class}(*"), ")");
        return;
    }
    let name = &cx.text[call.func.range()];
    let message = format!("`{name}` returns a named tuple in Flyte 1 and a plain tuple in Flyte 2");
    let finding = Finding::new(&OTHER_USE, call.func.range(), Effect::Unsafe, message);
    mapper.find(finding.help("Read the outputs by position"));
    mapper.call(call.func.range(), entity);
}

/// How the class of the named tuple that a call gives on Flyte 1 is written at its place, if it has a name there or can
/// be imported from where the entity comes from.
pub(super) fn class(mapper: &mut Mapper<'_>, call: &ast::ExprCall, entity: NodeId) -> Option<String> {
    let cx = mapper.cx;
    let Shape::Named(_, Some(class)) = shape(cx, entity) else { return None };
    if let Some(name) = class_name(cx, class) {
        return is_only_binding(cx, name).then(|| name.to_owned());
    }
    let (path, name) = import_of_class(cx, call, entity, class)?;
    Some(mapper.item(&path, name))
}

/// `from train import flow` says where the class is that `train` knows.
fn import_of_class<'a>(
    cx: &BodyContext<'a>,
    call: &ast::ExprCall,
    entity: NodeId,
    class: (FileId, BindingId),
) -> Option<(String, &'a str)> {
    let callee = call.func.as_name_expr()?.id.as_str();
    let bindings = &cx.facts.module.bindings;
    let binding = bindings.iter().find(|binding| binding.name == callee && binding.is_unconditional)?;
    let BindingKind::Import(path) = &binding.kind else { return None };
    let home = cx.graph.nodes[entity].file;
    let place = cx.project.index.resolve(cx.file, path.level, &path.module)?;
    let name = name_of_class(cx.project, home, class)?;
    let dots = ".".repeat(usize::try_from(path.level).ok()?);
    (place.file == Some(home) && path.name.is_some()).then(|| (format!("{dots}{}", path.module), name))
}

fn is_only_binding(cx: &BodyContext<'_>, name: &str) -> bool {
    cx.facts.module.bindings.iter().filter(|binding| binding.name == name).count() == 1
}

/// Whether what is made of a result is the same for a plain tuple: it is left alone, unpacked, or an item of it is read.
pub(super) fn is_read_alike(mapper: &Mapper<'_>, call: &ast::ExprCall) -> bool {
    match mapper.parent() {
        Some(Expr::Subscript(subscript)) => subscript.value.range() == call.range,
        Some(Expr::Starred(_)) => true,
        Some(_) => false,
        None => match mapper.statement() {
            Some(Stmt::Expr(_)) => true,
            Some(Stmt::Assign(assign)) => {
                assign.targets.iter().all(|target| matches!(target, Expr::Tuple(_) | Expr::List(_)))
            }
            _ => false,
        },
    }
}

/// Whether every `return` of a function makes the named tuple, which a plain call gives then.
fn makes_it(cx: &BodyContext<'_>, entity: NodeId) -> bool {
    let Some((function, returns)) =
        cx.function(entity).and_then(|function| Some((function, function.returns?)))
    else {
        return false;
    };
    let class = cx.text_of(entity, returns);
    let lines = cx.text_of(entity, function.range).lines();
    let mut returned = lines.filter_map(|line| line.trim_start().strip_prefix("return ")).peekable();
    let makes =
        |value: &str| value.trim_start().strip_prefix(class).is_some_and(|rest| rest.starts_with('('));
    returned.peek().is_some() && returned.all(makes)
}

/// Whether an entity gives a named tuple, or what may be one.
pub(super) fn may_give_named_tuple(cx: &BodyContext<'_>, entity: NodeId) -> bool {
    let file = cx.graph.nodes[entity].file;
    let Some(range) = cx.function(entity).and_then(|function| function.returns) else { return false };
    let Some(facts) = cx.project.facts(file) else { return false };
    let Some(reference) = facts.reference_at(range) else {
        return cx.text_of(entity, range).contains("NamedTuple(");
    };
    cx.project.resolve(file, reference).iter().any(|target| {
        let Target::Binding(file, binding, _) = target else { return false };
        let Some(facts) = cx.project.facts(*file) else { return false };
        let statement = facts.module.statements[facts.module.bindings[*binding].owner];
        cx.project.text(*file)[statement].contains("NamedTuple")
    })
}
