//! Texts where a task takes, or gives, a member of an enum.
//!
//! ```python
//! paint(color="red")                          # paint(color=Color("red"))
//! def paint(color: Color = "red") -> str:     # def paint(color: Color = Color("red")) -> str:
//! ```
//!
//! Flyte 1 takes the value of a member for the member, Flyte 2 takes a text for a name.

use super::BodyContext;
use super::calls::{Kind, NodeCall};
use super::mapper::Mapper;
use super::shapes::{Shape, class_name, shape};
use super::values::Held;
use crate::project::enums::{Enum, enum_at};
use crate::project::graph::{EntityKind, NodeId};
use crate::project::plan::constant_at;
use crate::python::Ranged;
use crate::python::ast::{self, Expr, Stmt};
use crate::python::scope::Parameter;
use crate::rules::codes::WORKFLOW_BODY;
use crate::rules::{Effect, Finding};

/// Makes members of the texts that a call of a task or workflow hands over.
pub(super) fn expression<'a>(mapper: &mut Mapper<'a>, expr: &'a Expr) {
    // The call below `.with_overrides(…)` was asked for already.
    let call = NodeCall::of(mapper.cx, mapper.values(), expr).filter(|call| call.overrides.is_empty());
    let Some(call) = call else { return };
    let mut given: Vec<(Option<&str>, usize, &Expr)> = Vec::new();
    // `create_node` has the entity at its first place.
    let own = usize::from(matches!(call.kind, Kind::Created));
    let arguments = &call.call.arguments;
    given.extend(arguments.args.iter().skip(own).enumerate().map(|(place, value)| (None, place, value)));
    let bound = if let Kind::Mapped(map) = &call.kind { map.bound().collect() } else { Vec::new() };
    let keywords = arguments.keywords.iter().chain(bound);
    given.extend(keywords.filter_map(|keyword| Some((Some(keyword.arg.as_deref()?), 0, &keyword.value))));
    for (name, place, value) in given {
        let Some(function) = mapper.cx.function(call.node) else { return };
        let parameter = match name {
            Some(name) => function.parameters.iter().find(|parameter| parameter.name == name),
            None => function.parameters.get(place),
        };
        if let Some(class) = parameter.and_then(|parameter| class_of(mapper.cx, call.node, parameter))
            && convert(mapper, class, value)
            && !mapper.is_entity()
        {
            mapper.call(call.entity.range(), call.node);
        }
    }
}

/// The same for a text that an entity returns.
pub(super) fn statement<'a>(mapper: &mut Mapper<'a>, stmt: &'a Stmt) {
    let Stmt::Return(ast::StmtReturn { value: Some(value), .. }) = stmt else { return };
    if mapper.cx.graph.entity(mapper.node).is_none() {
        return;
    }
    let Shape::One(range) = shape(mapper.cx, mapper.node) else { return };
    if let Some(class) = enum_at(mapper.cx.project, mapper.cx.file, range) {
        convert(mapper, class, value);
    }
}

/// The same for the defaults of an entity.
pub(super) fn defaults<'a>(mapper: &mut Mapper<'a>, function: &'a ast::StmtFunctionDef) {
    if mapper.cx.graph.entity(mapper.node).is_none() {
        return;
    }
    let Some(parameters) = mapper.cx.function(mapper.node).map(|function| &function.parameters) else {
        return;
    };
    for parameter in function.parameters.iter_non_variadic_params() {
        let known = parameters.iter().find(|known| known.range == parameter.parameter.name.range);
        if let (Some(default), Some(known)) = (parameter.default(), known)
            && let Some(class) = class_of(mapper.cx, mapper.node, known)
        {
            convert(mapper, class, default);
        }
    }
}

/// The enum that a parameter of an entity is annotated with.
fn class_of(cx: &BodyContext<'_>, node: NodeId, parameter: &Parameter) -> Option<Enum> {
    enum_at(cx.project, cx.graph.nodes[node].file, parameter.annotation?)
}

/// Writes the class around a text, or around each in a list. Tells whether there is one.
fn convert<'a>(mapper: &mut Mapper<'a>, class: Enum, value: &'a Expr) -> bool {
    match value {
        Expr::List(list) => list.elts.iter().filter(|element| convert(mapper, class, element)).count() > 0,
        Expr::If(choice) => {
            let is_first = convert(mapper, class, &choice.body);
            convert(mapper, class, &choice.orelse) || is_first
        }
        _ if !is_text(mapper, value) => false,
        _ => {
            match class_name(mapper.cx, class) {
                Some(name) => mapper.rewriter.surround(value.range(), &format!("{name}("), ")"),
                None => refuse(mapper, class, value),
            }
            true
        }
    }
}

fn refuse(mapper: &mut Mapper<'_>, (file, binding): Enum, value: &Expr) {
    let Some(facts) = mapper.cx.project.facts(file) else { return };
    let class = &facts.module.bindings[binding].name;
    let text = &mapper.cx.text[value.range()];
    let message =
        format!("`{text}` is a text where `{class}` is wanted; Flyte 2 takes members of an enum by name");
    let help =
        format!("Import `{class}` and write `{class}({text})`; Flyte 1 looked for the value by itself");
    mapper.find(Finding::new(&WORKFLOW_BODY, value.range(), Effect::Blocking, message).help(help));
}

/// Whether an expression certainly gives a text: it is one, a constant, the value of a member, what a task gives.
fn is_text(mapper: &Mapper<'_>, value: &Expr) -> bool {
    let cx = mapper.cx;
    match value {
        Expr::StringLiteral(_) | Expr::FString(_) => true,
        Expr::Attribute(member) if member.attr.as_str() == "value" => true,
        Expr::Call(_) | Expr::Await(_) => {
            gives_text(mapper, super::values::produced(cx, mapper.values(), value))
        }
        Expr::Name(name) if mapper.values().binds(&name.id) => {
            gives_text(mapper, mapper.values().held(cx, &name.id))
                || mapper.values().only(&name.id).is_some_and(Expr::is_string_literal_expr)
                || takes_text(mapper, &name.id)
        }
        Expr::Name(_) | Expr::Attribute(_) => {
            constant_at(cx.project, cx.file, value.range()).is_some_and(|value| value.as_str().is_some())
        }
        _ => false,
    }
}

fn gives_text(mapper: &Mapper<'_>, held: Option<Held>) -> bool {
    let Some(Held::Result(node)) = held else { return false };
    matches!(shape(mapper.cx, node), Shape::One(range) if mapper.cx.text_of(node, range) == "str")
}

/// Whether a name is an input of the workflow or dynamic, and a text.
fn takes_text(mapper: &Mapper<'_>, name: &str) -> bool {
    let cx = mapper.cx;
    let is_flow = cx.graph.entity(mapper.node).is_some_and(|entity| entity.kind != EntityKind::Task);
    let function = cx.function(mapper.node).filter(|_| is_flow && !mapper.values().is_rebound(name));
    let parameter = function.and_then(|function| function.parameters.iter().find(|known| known.name == name));
    let annotation = parameter.and_then(|parameter| parameter.annotation);
    annotation.is_some_and(|range| &cx.text[range] == "str")
}
