//! What is read from results: several of them are a plain tuple on Flyte 2, without names.
//!
//! ```python
//! r = pair(n=1)
//! use(a=r.o0)                    # r[0]
//! st = stats(n=1)
//! use(a=st.low)                  # stays, with st = Stats(*stats(n=1))
//! o = one(n=1)
//! use(a=o.only)                  # o: a single output is the bare value
//! ```

use super::calls::{Kind, NodeCall};
use super::mapper::Mapper;
use super::shapes::{Shape, class_name, is_named_tuple, shape};
use super::values::{Held, produced};
use super::{BodyContext, values};
use crate::project::graph::EntityKind;
use crate::project::link::Target;
use crate::python::Ranged;
use crate::python::ast::{self, Expr, Stmt};
use crate::rules::codes::WORKFLOW_BODY;
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// An attribute of a result.
pub(super) fn expression<'a>(mapper: &mut Mapper<'a>, expr: &'a Expr) -> bool {
    if !is_flow(mapper) {
        return false;
    }
    let attribute = match expr {
        Expr::Attribute(attribute) => attribute,
        Expr::Subscript(subscript) => return single(mapper, subscript),
        Expr::Starred(starred) => return spread(mapper, &starred.value),
        Expr::Call(call) if is_eager(mapper) && asks_for_named_tuple(mapper.cx, call) => {
            let message = "a result is no instance of this class on Flyte 1, which makes a named tuple of its own, and is one on Flyte 2";
            let finding = Finding::new(&WORKFLOW_BODY, call.range, Effect::Blocking, message);
            mapper.find(finding.help("Ask for what the result holds"));
            return true;
        }
        // Several outputs, put together: the same with promises and with values.
        Expr::Call(call) if is_named_tuple(mapper.cx, &call.func) => {
            mapper.handle(call.range);
            return true;
        }
        _ => return false,
    };
    if reads_on(mapper, &attribute.value) {
        mapper.handle(attribute.range);
        return true;
    }
    let Some(held) = held(mapper, &attribute.value) else { return false };
    let name = attribute.attr.as_str();
    let shape = shape(mapper.cx, held.entity());
    let is_node = matches!(held, Held::Node(_));
    match &shape {
        _ if matches!(held, Held::List(_)) => return false,
        Shape::OneField(field) if field == name || name == "o0" => bare(mapper, attribute),
        Shape::One(_) if is_node && name == "o0" => bare(mapper, attribute),
        Shape::One(annotation) if !is_node => {
            if !is_field(mapper.cx, held, *annotation, name) {
                return false;
            }
            mapper.handle(attribute.range);
        }
        Shape::Tuple(count) => match position(name, *count) {
            Some(position) => item(mapper, attribute, position),
            None => return false,
        },
        Shape::Named(fields, _) => {
            let Some(position) = fields.iter().position(|field| field == name) else { return false };
            // What a `conditional` gives is not put into the class.
            let is_variable = attribute.value.is_name_expr() && !matches!(held, Held::Chosen(_));
            if is_variable && wrapper(mapper, held).is_some() {
                mapper.handle(attribute.range);
            } else {
                item(mapper, attribute, position);
            }
        }
        _ => return false,
    }
    true
}

/// `isinstance(value, Model)`
fn asks_for_named_tuple(cx: &BodyContext<'_>, call: &ast::ExprCall) -> bool {
    let is_asked = call.func.as_name_expr().is_some_and(|name| name.id == "isinstance");
    is_asked && call.arguments.args.get(1).is_some_and(|class| is_named_tuple(cx, class))
}

/// Whether a value is read from an output that is understood: `a.points[0]` in `a.points[0].x`. Whatever is read from
/// that is read alike on a promise and on the value.
fn reads_on(mapper: &Mapper<'_>, value: &Expr) -> bool {
    match value {
        Expr::Attribute(attribute) => mapper.is_handled(attribute.range),
        Expr::Subscript(subscript) => reads_on(mapper, &subscript.value),
        _ => false,
    }
}

/// `o[0]` of a named tuple of one field: on Flyte 2 `o` is the value itself.
fn single(mapper: &mut Mapper<'_>, subscript: &ast::ExprSubscript) -> bool {
    let Some(held) = held(mapper, &subscript.value) else { return false };
    let is_one = matches!(shape(mapper.cx, held.entity()), Shape::OneField(_));
    if !is_one || matches!(held, Held::List(_)) {
        return false;
    }
    let message = "an item of a result is read, which is a single value on Flyte 2 and no tuple";
    let finding = Finding::new(&WORKFLOW_BODY, subscript.range, Effect::Blocking, message);
    mapper.find(finding.help("Read the output by its name; the name goes when it is migrated"));
    true
}

/// `*o` of a named tuple of one field: on Flyte 2 `o` is the value itself, and may be a list.
fn spread(mapper: &mut Mapper<'_>, value: &Expr) -> bool {
    let Some(held) = held(mapper, value) else { return false };
    let is_one = matches!(shape(mapper.cx, held.entity()), Shape::OneField(_));
    if !is_one || matches!(held, Held::List(_)) {
        return false;
    }
    let message = "the fields of a result are unpacked, which is a single value on Flyte 2 and no tuple";
    let finding = Finding::new(&WORKFLOW_BODY, value.range(), Effect::Blocking, message);
    mapper.find(finding.help("Read the output by its name; the name goes when it is migrated"));
    true
}

/// `st = stats(…)`, where names are read from `st`; `(a,) = one(…)`.
pub(super) fn statement<'a>(mapper: &mut Mapper<'a>, stmt: &'a Stmt) -> bool {
    let (target, value) = match stmt {
        Stmt::Assign(assign) => match &assign.targets[..] {
            [target] => (target, &*assign.value),
            _ => return false,
        },
        Stmt::AnnAssign(ast::StmtAnnAssign { target, value: Some(value), .. }) => (&**target, &**value),
        _ => return false,
    };
    if !is_flow(mapper) {
        return false;
    }
    let Some(held) = produced(mapper.cx, mapper.values(), value) else { return false };
    match target {
        Expr::Name(name) => {
            let is_read = match shape(mapper.cx, held.entity()) {
                Shape::Named(fields, _) => {
                    mapper.values().attributes(&name.id).any(|read| fields.iter().any(|field| field == read))
                }
                _ => false,
            };
            let is_whole = is_read || is_eager(mapper);
            if let Some(class) =
                wrapper(mapper, held).filter(|_| is_whole && !matches!(held, Held::List(_) | Held::Chosen(_)))
            {
                mapper.wrap(value.range(), class);
            }
        }
        Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. })
            if elts.len() == 1 && matches!(shape(mapper.cx, held.entity()), Shape::OneField(_)) =>
        {
            let text = mapper.cx.text[elts[0].range()].to_owned();
            mapper.rewriter.replace(target_range(mapper.cx, target, value), text);
            mapper.handle(stmt.range());
        }
        _ => return false,
    }
    true
}

/// A call in `@eager`: its result is a named tuple wherever it stands, and a plain one on Flyte 2.
pub(super) fn result_in_eager(mapper: &mut Mapper<'_>, call: &NodeCall<'_>) {
    let Shape::Named(fields, _) = shape(mapper.cx, call.node) else { return };
    let (range, parent) = match mapper.parent() {
        Some(Expr::Await(awaited)) => (awaited.range, mapper.grandparent()),
        parent => (call.range, parent),
    };
    let class = wrapper(mapper, Held::Result(call.node));
    let is_list = matches!(call.kind, Kind::Mapped(_));
    if !is_list && is_taken_apart(mapper, range, parent, &fields, class.is_some()) {
        return;
    }
    let is_there = range != call.range || !mapper.cx.is_awaited(call.node);
    if let Some(class) = class.filter(|_| is_there && !is_list) {
        mapper.rewriter.surround(range, &format!("{class}(*"), ")");
        return;
    }
    let name = &mapper.cx.text[call.entity.range()];
    let message =
        format!("`{name}` gives a named tuple here, and a plain one on Flyte 2, which may be read otherwise");
    let finding = Finding::new(&WORKFLOW_BODY, call.entity.range(), Effect::Blocking, message);
    mapper.find(
        finding.help("Assign the result to a name, in a file that imports the class of the named tuple"),
    );
}

/// Whether what is made of a result is the same for a plain tuple, or is written for one: it is unpacked, a field or an
/// item of it is read, or a variable of its own gets it.
fn is_taken_apart(
    mapper: &Mapper<'_>,
    range: TextRange,
    parent: Option<&Expr>,
    fields: &[String],
    has_class: bool,
) -> bool {
    match parent {
        Some(Expr::Attribute(attribute)) => {
            fields.iter().any(|field| *field == *attribute.attr)
                || position(&attribute.attr, fields.len()).is_some()
        }
        Some(Expr::Subscript(subscript)) => subscript.value.range() == range,
        Some(Expr::Starred(_)) => true,
        Some(_) => false,
        None => match mapper.statement() {
            Some(Stmt::Expr(_) | Stmt::Return(_)) => true,
            Some(Stmt::Assign(assign)) => match &assign.targets[..] {
                [target] => goes_into(mapper, target, has_class),
                _ => false,
            },
            Some(Stmt::AnnAssign(assign)) => goes_into(mapper, &assign.target, has_class),
            _ => false,
        },
    }
}

/// Whether a target unpacks a result, or is a variable that gets the named tuple or is only read by attributes.
fn goes_into(mapper: &Mapper<'_>, target: &Expr, has_class: bool) -> bool {
    match target {
        Expr::Tuple(_) | Expr::List(_) => true,
        Expr::Name(name) => {
            let values = mapper.values();
            has_class || values.reads(&name.id) == values.attributes(&name.id).count()
        }
        _ => false,
    }
}

/// The target of an assignment with the parentheses around it.
fn target_range(cx: &BodyContext<'_>, target: &Expr, value: &Expr) -> TextRange {
    let between = &cx.text[TextRange::new(target.start(), value.start())];
    let end = between
        .find('=')
        .map_or(target.range().len(), |at| crate::source::TextSize::of(between[..at].trim_end()));
    TextRange::at(target.start(), end)
}

/// Whether results are named tuples on Flyte 1 here, which may be read anywhere.
fn is_eager(mapper: &Mapper<'_>) -> bool {
    mapper.cx.graph.entity(mapper.node).is_some_and(|entity| entity.kind == EntityKind::Eager)
}

/// Whether results of Flyte 1 are read here: in workflows, dynamics and what is eager.
fn is_flow(mapper: &Mapper<'_>) -> bool {
    let entity = mapper.cx.graph.entity(mapper.node);
    entity.is_some_and(|entity| entity.kind != EntityKind::Task)
}

fn held(mapper: &Mapper<'_>, value: &Expr) -> Option<Held> {
    match value {
        Expr::Name(name) => mapper.values().held(mapper.cx, &name.id),
        _ => values::produced(mapper.cx, mapper.values(), value),
    }
}

/// How the class of the named tuple is written here, if it can be.
fn wrapper<'a>(mapper: &Mapper<'a>, held: Held) -> Option<&'a str> {
    let Shape::Named(_, Some(class)) = shape(mapper.cx, held.entity()) else { return None };
    class_name(mapper.cx, class).filter(|name| !mapper.values().binds(name))
}

/// `o0`, `o1` and so on.
pub(super) fn position(name: &str, count: usize) -> Option<usize> {
    name.strip_prefix('o')?.parse().ok().filter(|position| *position < count)
}

/// `r.o0` becomes `r[0]`.
pub(super) fn item(mapper: &mut Mapper<'_>, attribute: &ast::ExprAttribute, position: usize) {
    let end = attribute.value.range().end();
    let end = mapper.closed(end, attribute.range);
    mapper.rewriter.replace(TextRange::new(end, attribute.range.end()), format!("[{position}]"));
    mapper.handle(attribute.range);
}

/// `o.only` becomes `o`.
fn bare(mapper: &mut Mapper<'_>, attribute: &ast::ExprAttribute) {
    let end = mapper.closed(attribute.value.range().end(), attribute.range);
    mapper.rewriter.replace(TextRange::new(end, attribute.range.end()), "");
    mapper.handle(attribute.range);
}

/// Whether the result is of a class of the project that speaks of the attribute: it is read alike on a promise and on
/// the value.
fn is_field(cx: &BodyContext<'_>, held: Held, annotation: TextRange, name: &str) -> bool {
    let file = cx.graph.nodes[held.entity()].file;
    let reference = cx.project.facts(file).and_then(|facts| facts.reference_at(annotation));
    reference.is_some_and(|reference| {
        let [Target::Binding(file, binding, rest)] = cx.project.resolve(file, reference) else {
            return false;
        };
        let Some(facts) = cx.project.facts(*file).filter(|_| rest.is_empty()) else { return false };
        let class = &cx.project.text(*file)[facts.module.statements[facts.module.bindings[*binding].owner]];
        class.contains("class ")
            && class.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name)
    })
}
