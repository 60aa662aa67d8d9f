//! Tasks that a `functools.partial` of `task` makes: the keywords that it gives them.
//!
//! ```python
//! gpu_task = partial(task, container_image=image, retries=2)     # the environment takes its place
//! @gpu_task(cache=True, cache_version="1")                       # `retries` are repeated here
//! ```

use super::graph::{Graph, MakerNode, NodeId, NodeKind};
use super::{FileId, Project};
use crate::python::items::Item;
use crate::python::scope::{Argument, Call};
use crate::python::value::{Value, ValueKind};
use crate::rules::codes::TASK_SHAPE;
use crate::rules::task::is_of_environment;
use crate::rules::{Effect, Finding};

/// A keyword with its value.
pub(super) type Given = (String, Value, Item);

/// Settles how a task belongs to the `partial` that makes it, and tells what stands in the way.
pub(super) fn joins(project: &Project, graph: &mut Graph, node: NodeId, maker: NodeId) -> Vec<Finding> {
    let file = graph.nodes[node].file;
    let is_elsewhere = graph.nodes[maker].file != file;
    let overridden = own_call(project, graph, node).and_then(|call| {
        let mut names = call.arguments.iter().filter_map(|argument| argument.name.as_deref());
        names.find(|name| is_of_environment(name)).map(str::to_owned)
    });
    if let NodeKind::Entity(entity) = &mut graph.nodes[node].kind {
        entity.is_apart = overridden.is_some();
    }
    let (Some((entity, facts)), Some((_, partial))) =
        (graph.entity(node).zip(project.facts(file)), graph.partial_of(node))
    else {
        return Vec::new();
    };
    let name = &facts.module.functions[entity.function].name;
    let variable = &project.text(file)[entity.callee];
    let block = |message: String, help: &str| {
        Finding::new(&TASK_SHAPE, entity.callee, Effect::Blocking, message).help(help)
    };
    let mut findings = Vec::new();
    if let Some(keyword) = overridden.filter(|_| is_elsewhere) {
        let message =
            format!("`{name}` overrides `{keyword}` of `{variable}`, which is defined in another file");
        findings.push(block(message, "Decorate it with `@task(…)` itself, with all keywords"));
    }
    if is_elsewhere && has_namesake(project, graph, node, name) {
        let message = format!(
            "another file has a task `{name}` made by `{variable}` too; in one environment of Flyte 2 one would overwrite the other"
        );
        findings.push(block(message, "Give each its own name"));
    }
    for (keyword, argument, _) in repeated(project, graph, node, partial) {
        let is_told = is_elsewhere && is_of_environment(keyword);
        if !is_told && !is_repeatable(project, graph.nodes[maker].file, &argument.value, is_elsewhere) {
            let message = format!(
                "`{keyword}` that `{variable}` gives `{name}` is an expression that may mean something else here"
            );
            findings.push(block(message, "Give it to the task itself, not to the `partial`"));
        }
    }
    findings
}

/// The keywords that an entity has from the `partial` that makes it: those of its decorator, which it does not give
/// itself, and those of its environment if it has one of its own.
pub(super) fn given(project: &Project, graph: &Graph, node: NodeId) -> Vec<Given> {
    let (Some((file, partial)), Some(entity)) = (graph.partial_of(node), graph.entity(node)) else {
        return Vec::new();
    };
    let is_elsewhere = graph.nodes[node].file != file;
    let keywords = repeated(project, graph, node, partial).into_iter();
    let given = keywords.map(|(name, argument, item)| {
        // The comments stay with the environment.
        let mut item = Item { leading: Vec::new(), trailing: None, ..item.clone() };
        let mut value = argument.value.clone();
        if is_elsewhere {
            item.range = entity.callee;
            value.range = entity.callee;
        }
        (name.to_owned(), value, item)
    });
    given.collect()
}

fn repeated<'p>(
    project: &'p Project,
    graph: &Graph,
    node: NodeId,
    partial: &MakerNode,
) -> Vec<(&'p str, &'p Argument, &'p Item)> {
    let file = graph.partial_of(node).map(|(file, _)| file);
    let (Some(facts), Some(entity)) = (file.and_then(|file| project.facts(file)), graph.entity(node)) else {
        return Vec::new();
    };
    let call = &facts.module.calls[partial.call];
    let own = own_call(project, graph, node);
    let keywords = call.arguments.iter().zip(&call.items.items);
    keywords
        .filter_map(|(argument, item)| Some((argument.name.as_deref()?, argument, item)))
        .filter(|(name, ..)| own.is_none_or(|own| own.keyword(name).is_none()))
        .filter(|(name, ..)| entity.is_apart || !is_of_environment(name))
        .collect()
}

/// The call in the decorator of an entity.
fn own_call<'p>(project: &'p Project, graph: &Graph, node: NodeId) -> Option<&'p Call> {
    let call = graph.entity(node)?.call?;
    Some(&project.facts(graph.nodes[node].file)?.module.calls[call])
}

/// Whether a task of the same name in another file is made by the same `partial`.
fn has_namesake(project: &Project, graph: &Graph, node: NodeId, name: &str) -> bool {
    let maker = graph.entity(node).and_then(|entity| entity.maker);
    let mut others =
        (0..graph.nodes.len()).filter(|&other| graph.nodes[other].file != graph.nodes[node].file);
    others.any(|other| {
        let facts = project.facts(graph.nodes[other].file);
        graph.entity(other).zip(facts).is_some_and(|(entity, facts)| {
            entity.maker == maker && facts.module.functions[entity.function].name == name
        })
    })
}

/// Whether the value of a keyword means the same wherever it is written: a literal, and in its own file a name that is
/// bound once, or an object of Flyte that is made of such.
fn is_repeatable(project: &Project, file: FileId, value: &Value, is_elsewhere: bool) -> bool {
    if value.is_literal() {
        return true;
    }
    let Some(facts) = project.facts(file).filter(|_| !is_elsewhere) else { return false };
    let is_repeatable = |value: &Value| is_repeatable(project, file, value, false);
    match &value.kind {
        ValueKind::List(elements) | ValueKind::Tuple(elements) => elements.iter().all(is_repeatable),
        ValueKind::Name(name) => {
            let bindings = facts.module.bindings.iter();
            bindings.filter(|binding| binding.is_global && binding.name == *name).count() == 1
        }
        ValueKind::Call => {
            let call = facts.module.calls.iter().find(|call| call.outer_range == value.range);
            call.is_some_and(|call| {
                let symbol = facts.module.callee(call).and_then(|callee| project.symbol(file, callee));
                let mut arguments = call.arguments.iter();
                symbol.is_some()
                    && call.methods.is_empty()
                    && arguments.all(|argument| is_repeatable(&argument.value))
            })
        }
        _ => false,
    }
}
