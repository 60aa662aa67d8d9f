//! What stands in the way of an entity in its own body and in the code that it uses.
//!
//! ```python
//! @workflow
//! def pipeline(n: int) -> int:
//!     a = step(n=n)
//!     return add(a=a.o0)      # an attribute of a result
//! ```
//!
//! # FM211
//!
//! ## What it does
//!
//! Reports a name of flytekit or union in code that would be converted, and that has no counterpart the tool
//! knows.
//!
//! ## Why
//!
//! Half converted code would fail when it runs.
//!
//! ## Example
//!
//! ```python
//! from flytekit import Email, ImageSpec, task
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return len(Email.__name__)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! The name that it reports.
//!
//! ## References
//!
//! The README: "What moves together" and "Limits".
//!
//! # FM222
//!
//! ## What it does
//!
//! Says that code which stays on Flyte 1 uses something that was converted.
//!
//! ## Why
//!
//! With `--partial`, what can be converted is converted, even where the rest breaks until it is done.
//!
//! ## Example
//!
//! With `--partial`:
//!
//! ```python
//! from flytekit import ImageSpec, task, workflow
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//!
//!
//! @task(container_image=ImageSpec(cuda="12.1"))
//! def other() -> int:
//!     return 2
//!
//!
//! @workflow
//! def pipeline() -> int:
//!     step()
//!     return other()
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import ImageSpec, task, workflow
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//!
//!
//! @workflow
//! def pipeline() -> int:
//!     return step()
//! ```
//!
//! ## Fix safety
//!
//! By hand. Settle what stands in the way of the rest.
//!
//! ## Not handled
//!
//! What it names is left as it is.
//!
//! ## References
//!
//! The README: "What moves together" and "Limits".
//!
//! # FM210
//!
//! ## What it does
//!
//! Reports what a workflow does with a result that means another thing on Flyte 2, such as passing it to a
//! function that is no task. Reports also values that Flyte 1 converted and Flyte 2 does not: a whole number for a
//! float, and a text for a member of an enum whose class has no name in the file.
//!
//! ## Why
//!
//! In a workflow of Flyte 1 a result is a promise, and the code runs once, when it is registered. On Flyte 2 the
//! workflow is a task: its code runs on values.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task, workflow
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//!
//!
//! def twice(n: int) -> int:
//!     return n + n
//!
//!
//! @workflow
//! def pipeline() -> int:
//!     return twice(step())
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import ImageSpec, task, workflow
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//!
//!
//! @workflow
//! def pipeline() -> int:
//!     return step()
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What it reports: write it as it is meant for values.
//!
//! ## References
//!
//! The README: "What moves together" and "Limits".

use std::collections::{BTreeSet, HashSet};

use super::graph::{ContainerNode, EntityKind, Graph, NodeId, NodeKind, function_of};
use super::link::Target;
use super::whole_file::name_of;
use super::{FileId, Project};
use crate::flyte1::body::{ArgumentName, IssueKind, Part, Root, Source};
use crate::flyte1::symbol::Symbol;
use crate::python::annotation::{Definition, Field, TypeExpr};
use crate::python::scope::{
    Argument, BindingId, BindingKind, Call, CallContext, Reference, Role, StatementId,
};
use crate::rules::advice::advice;
use crate::rules::codes::{BROKEN_CALL, FLYTE1_USE, WORKFLOW_BODY};
use crate::rules::{Effect, Finding, container_task, setting};
use crate::source::TextRange;

/// A whole number passed to a `float` parameter: Flyte 1 converted it, Flyte 2 refuses it, so `float(…)` is written.
pub(super) fn read_conversions(project: &Project, graph: &mut Graph, node: NodeId) {
    let file = graph.nodes[node].file;
    let (Some(facts), Some(entity)) = (project.facts(file), graph.entity(node)) else { return };
    let mut findings = Vec::new();
    let mut conversions = Vec::new();
    let is_float_bound = facts.module.bindings.iter().any(|binding| binding.name == "float");
    let is_converted = |given: Option<&str>, wanted: Option<&str>| {
        given == Some("int") && wanted == Some("float") && entity.kind.is_flow() && !is_float_bound
    };
    for flow in &facts.bodies[entity.function].calls {
        // What stands in a list is told and not converted: the list may be read elsewhere as well.
        let arguments = flow.arguments.iter().map(|(name, source, range)| (name, source, Some(*range)));
        let elements = flow.elements.iter().map(|(name, source)| (name, source, None));
        let is_map = is_map(project, graph, node, flow.callee);
        for (name, source, range) in arguments.chain(elements) {
            // What a map takes and gives are lists, whose elements have the types that are compared here.
            let is_list = is_map
                || matches!(source, Source::Call(callee) if self::is_map(project, graph, node, *callee));
            let given = type_given(project, graph, node, source);
            let wanted = type_wanted(project, graph, node, flow.callee, name);
            let is_converted = || !is_list && is_converted(given.as_deref(), wanted.as_deref());
            if let Some(range) = range.filter(|_| is_converted()) {
                conversions.push((file, range));
            } else if is_narrower(given.as_deref(), wanted.as_deref()) {
                let name = match name {
                    ArgumentName::Keyword(name) => format!("`{name}`"),
                    ArgumentName::Position(place) => format!("{}", place + 1),
                };
                let message =
                    format!("argument {name} is a float and gets an int; Flyte 2 does not convert it");
                findings.push(
                    Finding::new(&WORKFLOW_BODY, flow.callee, Effect::Blocking, message)
                        .help("Give both the same type; Flyte 1 converted the number by itself"),
                );
            }
        }
    }
    let is_lost = |roots: &BTreeSet<Root>, wanted: &str| {
        roots.iter().any(|root| may_give_int(project, graph, node, *root, wanted))
    };
    for flow in facts.bodies[entity.function].calls.iter().filter(|_| entity.kind.is_flow()) {
        for (name, roots) in &flow.uncertain {
            let wanted = match name {
                Some(name) => type_wanted(project, graph, node, flow.callee, name),
                None => types_wanted(project, graph, node, flow.callee),
            };
            if wanted.is_some_and(|wanted| is_lost(roots, &wanted)) {
                let message = "an int may reach an argument that is a float; Flyte 2 does not convert it";
                findings.push(Finding::new(&WORKFLOW_BODY, flow.callee, Effect::Blocking, message).help(
                    "Hand the result over by a name of its own; Flyte 1 converted the number by itself",
                ));
            }
        }
    }
    for (range, position, roots) in &facts.bodies[entity.function].uncertain {
        let wanted = wanted_of_return(project, graph, node, *position).filter(|_| entity.kind.is_flow());
        if wanted.is_some_and(|wanted| is_lost(roots, &wanted)) {
            let message = "an int may be returned where a float is promised; Flyte 2 does not convert it";
            findings.push(
                Finding::new(&WORKFLOW_BODY, *range, Effect::Blocking, message)
                    .help("Return the result by a name of its own; Flyte 1 converted the number by itself"),
            );
        }
    }
    for returned in &facts.bodies[entity.function].returned {
        // A task returns what its code makes of its inputs.
        if returned.source.is_parameter() && !entity.kind.is_flow() {
            continue;
        }
        let given = type_given(project, graph, node, &returned.source);
        let wanted = wanted_of_return(project, graph, node, returned.position);
        let is_whole = returned.position.is_none() && !returned.is_element && entity.kind.is_flow();
        if is_whole && lacks_floats(project, graph, node, &returned.source) {
            let message =
                "a part of the result is an int where a float is promised; Flyte 2 does not convert it";
            findings.push(
                Finding::new(&WORKFLOW_BODY, returned.range, Effect::Blocking, message)
                    .help("Give both the same types; Flyte 1 converted the numbers by itself"),
            );
        }
        if !returned.is_element && is_converted(given.as_deref(), wanted.as_deref()) {
            conversions.push((file, returned.range));
        } else if is_narrower(given.as_deref(), wanted.as_deref()) {
            let message = "the result is an int where a float is promised; Flyte 2 does not convert it";
            findings.push(
                Finding::new(&WORKFLOW_BODY, returned.range, Effect::Blocking, message)
                    .help("Give both the same type; Flyte 1 converted the number by itself"),
            );
        }
    }
    graph.conversions.extend(conversions);
    findings.into_iter().for_each(|finding| graph.block(node, file, finding));
}

/// The type of what an entity returns, or of one of several values.
fn wanted_of_return(
    project: &Project,
    graph: &Graph,
    node: NodeId,
    position: Option<usize>,
) -> Option<String> {
    match position {
        Some(position) => part_type(project, graph, node, &Part::Position(position)),
        None => type_of(project, graph, node, None),
    }
}

/// Whether what comes from `root` holds whole numbers where `wanted` holds floats.
fn may_give_int(project: &Project, graph: &Graph, node: NodeId, root: Root, wanted: &str) -> bool {
    let is_int = |given: &String| is_narrower(Some(given), Some(wanted));
    if let Some(callee) = root.callee() {
        return called(project, graph, node, callee).is_some_and(|called| {
            let whole = type_of(project, graph, called, None);
            whole.into_iter().chain(element_types(project, graph, called)).any(|given| is_int(&given))
        });
    }
    // What a dynamic gets are values, which Flyte 1 does not convert.
    let file = graph.nodes[node].file;
    let workflow = graph.entity(node).filter(|entity| entity.kind == EntityKind::Workflow);
    let function = workflow.and_then(|entity| function_of(project, file, entity));
    let parameters = function.into_iter().flat_map(|function| &function.parameters);
    let mut types = parameters.filter_map(|parameter| parameter.annotation);
    types.any(|range| is_int(&project.text(file)[range].to_owned()))
}

/// The types of all that the call of `callee` takes, as one text.
fn types_wanted(project: &Project, graph: &Graph, node: NodeId, callee: TextRange) -> Option<String> {
    let called = called(project, graph, node, callee)?;
    let file = graph.nodes[called].file;
    let parameters = &function_of(project, file, graph.entity(called)?)?.parameters;
    let types = parameters.iter().filter_map(|parameter| parameter.annotation);
    let types: Vec<&str> = types.map(|range| &project.text(file)[range]).collect();
    types.contains(&"float").then(|| "float".to_owned())
}

/// The types of the values that an entity gives, if it gives several.
fn element_types(project: &Project, graph: &Graph, node: NodeId) -> Vec<String> {
    let file = graph.nodes[node].file;
    let types = || {
        let returns = function_of(project, file, graph.entity(node)?)?.returns?;
        if let Some((class, fields)) = fields_at(project, file, returns) {
            let text = project.text(class);
            return Some(fields.iter().map(|(_, of)| written(text, of).unwrap_or_default()).collect());
        }
        let text = project.text(file);
        match project.facts(file)?.module.types.get(&returns)? {
            TypeExpr::Generic(head, elements) if matches!(head.last_name(text)?, "Tuple" | "tuple") => {
                Some(types_written(text, elements))
            }
            TypeExpr::Tuple(elements) => Some(types_written(text, elements)),
            _ => None,
        }
    };
    types().unwrap_or_default()
}

/// Whether several values are returned as they are, one of which is an int where a float is promised.
fn lacks_floats(project: &Project, graph: &Graph, node: NodeId, source: &Source) -> bool {
    let Source::Call(callee) = source else { return false };
    let Some(called) = called(project, graph, node, *callee) else { return false };
    let given = element_types(project, graph, called);
    let wanted = element_types(project, graph, node);
    given.iter().zip(&wanted).any(|(given, wanted)| is_narrower(Some(given), Some(wanted)))
}

/// The type of what a call or a parameter in the body of an entity gives, as it is written.
fn type_given(project: &Project, graph: &Graph, node: NodeId, source: &Source) -> Option<String> {
    let file = graph.nodes[node].file;
    let (facts, entity) = (project.facts(file)?, graph.entity(node)?);
    let callee = match source {
        Source::Call(callee) => callee,
        Source::Part(callee, part) => {
            return part_type(project, graph, called(project, graph, node, *callee)?, part);
        }
        Source::Parameter(name) => {
            let mut parameters = facts.module.functions[entity.function].parameters.iter();
            let annotation = parameters.find(|parameter| parameter.name == *name)?.annotation?;
            return Some(project.text(file)[annotation].to_owned());
        }
    };
    if let Some(called) = called(project, graph, node, *callee) {
        return type_of(project, graph, called, None);
    }
    // Gates: `wait_for_input` gives what it says, `approve` what it is given.
    let call = facts.module.calls.iter().find(|call| call.callee == *callee)?;
    let symbol = project.symbol(file, facts.reference_at(*callee)?)?;
    let is = |name: &str| symbol == Symbol::Other(format!("flytekit.{name}"));
    if is("wait_for_input") {
        let (.., expected, _) = call
            .fields(&["name", "timeout", "expected_type"])
            .find(|(name, ..)| *name == Some("expected_type"))?;
        return Some(project.text(file)[expected.value.range].to_owned());
    }
    if is("approve") {
        let flow = facts.bodies[entity.function].calls.iter().find(|flow| flow.callee == *callee)?;
        let is_item = |name: &ArgumentName| match name {
            ArgumentName::Position(place) => *place == 0,
            ArgumentName::Keyword(name) => name == "upstream_item",
        };
        let (_, item, _) = flow.arguments.iter().find(|(name, ..)| is_item(name))?;
        return type_given(project, graph, node, item);
    }
    None
}

/// The entity or container task that is called: by its name, as `create_node(task, …)`, or as `map_task(task)(…)`, whose
/// result holds what the task gives.
fn called(project: &Project, graph: &Graph, node: NodeId, callee: TextRange) -> Option<NodeId> {
    let file = graph.nodes[node].file;
    let (facts, entity) = (project.facts(file)?, graph.entity(node)?);
    if let Some(&(_, called)) = entity.calls.iter().find(|(range, _)| *range == callee) {
        return Some(called);
    }
    let mut calls = facts.module.calls.iter();
    let call = calls.find(|call| call.callee == callee || call.range == callee)?;
    let symbol = project.symbol(file, facts.reference_at(call.callee)?)?;
    let is = |name: &str| symbol == Symbol::Other(format!("flytekit.{name}"));
    let is_made = call.callee == callee && is("create_node") || is_map(project, graph, node, callee);
    let task = call.arguments.first().filter(|_| is_made)?;
    match graph.nodes_of(project, file, facts.reference_at(task.value.range)?)?[..] {
        [called] => Some(called),
        _ => None,
    }
}

/// Whether what is called is `map_task(task)`.
fn is_map(project: &Project, graph: &Graph, node: NodeId, callee: TextRange) -> bool {
    let file = graph.nodes[node].file;
    let Some(facts) = project.facts(file) else { return false };
    let call = facts.module.calls.iter().find(|call| call.range == callee);
    let symbol = call.and_then(|call| project.symbol(file, facts.module.callee(call)?));
    symbol == Some(Symbol::Other("flytekit.map_task".to_owned()))
}

/// The entity that `partial` gets: what stands first in the call of `callee`.
fn filled_in(project: &Project, graph: &Graph, node: NodeId, callee: TextRange) -> Option<NodeId> {
    let file = graph.nodes[node].file;
    if !project.text(file)[callee].ends_with("partial") {
        return None;
    }
    // What is given to a function of another library tells which.
    let mut references = project.facts(file)?.module.references.iter();
    let first = references.find(|reference| reference.range.start() > callee.end())?;
    match graph.nodes_of(project, file, first)?[..] {
        [called] if matches!(&first.role, Role::ArgumentOf(library) if library == "functools") => {
            Some(called)
        }
        _ => None,
    }
}

/// What the call of `callee` takes as an argument: an entity, or the named tuple that a workflow or dynamic returns.
fn type_wanted(
    project: &Project,
    graph: &Graph,
    node: NodeId,
    callee: TextRange,
    name: &ArgumentName,
) -> Option<String> {
    let called = called(project, graph, node, callee);
    if let Some(called) = called.or_else(|| filled_in(project, graph, node, callee)) {
        return type_of(project, graph, called, Some(name));
    }
    let file = graph.nodes[node].file;
    let (facts, entity) = (project.facts(file)?, graph.entity(node).filter(|entity| entity.kind.is_flow())?);
    let meant = |range| Some(project.resolve(file, facts.reference_at(range)?));
    let returns = facts.module.functions[entity.function].returns?;
    if meant(callee)? != meant(returns)? {
        return None;
    }
    let (class, fields) = fields_at(project, file, callee)?;
    let field = match name {
        ArgumentName::Position(place) => fields.get(*place)?,
        ArgumentName::Keyword(name) => fields.iter().find(|(field, _)| field == name)?,
    };
    written(project.text(class), &field.1)
}

/// The fields of the named tuple that is named at `range`, and its file.
fn fields_at(project: &Project, file: FileId, range: TextRange) -> Option<(FileId, &[Field])> {
    let reference = project.facts(file)?.reference_at(range)?;
    let [Target::Binding(class, binding, rest)] = project.resolve(file, reference) else { return None };
    let module = &project.facts(*class).filter(|_| rest.is_empty())?.module;
    let text = project.text(*class);
    let is_named = |of: &TypeExpr| of.last_name(text) == Some("NamedTuple");
    match module.definitions.get(&module.bindings[*binding].owner)? {
        Definition::Class { bases, fields, .. } if bases.iter().any(is_named) => Some((*class, fields)),
        Definition::Made(TypeExpr::Call(callee, Some(fields))) if is_named(callee) => Some((*class, fields)),
        _ => None,
    }
}

/// The type of a part of what an entity gives.
fn part_type(project: &Project, graph: &Graph, node: NodeId, part: &Part) -> Option<String> {
    let file = graph.nodes[node].file;
    let place = |names: &[&str]| match part {
        Part::Position(place) => Some(*place),
        Part::Name(name) => {
            names.iter().position(|other| other == name).or_else(|| name.strip_prefix('o')?.parse().ok())
        }
        Part::Inside => None,
    };
    let module = &project.facts(file)?.module;
    if let Some(container) = graph.container(node) {
        let outputs = container_task::types(module, &module.calls[container.call], "outputs")?;
        let names: Vec<&str> = outputs.iter().map(|(name, _)| name.as_str()).collect();
        return Some(project.text(file)[outputs.get(place(&names)?)?.1].to_owned());
    }
    let returns = function_of(project, file, graph.entity(node)?)?.returns?;
    let text = project.text(file);
    if *part == Part::Inside {
        // Which of the types it has cannot be told: if one is a whole number, it may be that.
        return is_narrower(Some(&text[returns].replace("float", "")), Some("float"))
            .then(|| "list[int]".to_owned());
    }
    if let Some((class, fields)) = fields_at(project, file, returns) {
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        return written(project.text(class), &fields.get(place(&names)?)?.1);
    }
    match module.types.get(&returns)? {
        TypeExpr::Generic(head, elements) => match head.last_name(text)? {
            "Tuple" | "tuple" => written(text, elements.get(place(&[])?)?),
            "List" | "list" => written(text, elements.first()?),
            "Dict" | "dict" => written(text, elements.get(1)?),
            _ => None,
        },
        TypeExpr::Tuple(elements) => written(text, elements.get(place(&[])?)?),
        // `node.o0` of the only output.
        _ if *part == Part::Name("o0".to_owned()) => Some(text[returns].to_owned()),
        _ => None,
    }
}

fn types_written(text: &str, types: &[TypeExpr]) -> Vec<String> {
    types.iter().map(|of| written(text, of).unwrap_or_default()).collect()
}

/// A type as it is written, as far as it is made of names.
fn written(text: &str, of: &TypeExpr) -> Option<String> {
    match of {
        TypeExpr::Name(range) => Some(text[*range].to_owned()),
        TypeExpr::Generic(head, elements) => {
            let elements: Vec<String> =
                elements.iter().filter_map(|element| written(text, element)).collect();
            Some(format!("{}[{}]", written(text, head)?, elements.join(", ")))
        }
        TypeExpr::Union(left, right) => Some(format!("{} | {}", written(text, left)?, written(text, right)?)),
        _ => None,
    }
}

/// Whether a value of one annotation holds whole numbers where the other wants floats.
fn is_narrower(given: Option<&str>, wanted: Option<&str>) -> bool {
    let has = |annotation: &str, name: &str| {
        annotation.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name)
    };
    let (Some(given), Some(wanted)) = (given, wanted) else { return false };
    has(wanted, "float") && !has(wanted, "int") && has(given, "int") && !has(given, "float")
}

/// The annotation of a parameter of an entity, or of what it returns.
fn type_of(
    project: &Project,
    graph: &Graph,
    node: NodeId,
    parameter: Option<&ArgumentName>,
) -> Option<String> {
    let file = graph.nodes[node].file;
    if let Some(container) = graph.container(node) {
        return container_type(project, file, container, parameter);
    }
    let function = function_of(project, file, graph.entity(node)?)?;
    let range = match parameter {
        None => function.returns,
        Some(ArgumentName::Position(place)) => function.parameters.get(*place)?.annotation,
        Some(ArgumentName::Keyword(name)) => {
            function.parameters.iter().find(|parameter| parameter.name == *name)?.annotation
        }
    };
    Some(project.text(file)[range?].to_owned())
}

/// The type of an input of a container task, or of its only output.
fn container_type(
    project: &Project,
    file: FileId,
    container: &ContainerNode,
    parameter: Option<&ArgumentName>,
) -> Option<String> {
    let module = &project.facts(file)?.module;
    let call = &module.calls[container.call];
    let types = |name: &str| container_task::types(module, call, name);
    let range = match parameter {
        None => match types("outputs")?[..] {
            [(_, range)] => range,
            _ => return None,
        },
        Some(ArgumentName::Position(place)) => types("inputs")?.get(*place)?.1,
        Some(ArgumentName::Keyword(name)) => types("inputs")?.into_iter().find(|(input, _)| input == name)?.1,
    };
    Some(project.text(file)[range].to_owned())
}

/// What the body of a workflow or dynamic does with results.
pub(super) fn read_body(project: &Project, graph: &mut Graph, node: NodeId) {
    let file = graph.nodes[node].file;
    let (Some(facts), Some(entity)) = (project.facts(file), graph.entity(node)) else { return };
    if entity.kind == EntityKind::Task {
        return;
    }
    let callees: HashSet<TextRange> = entity.calls.iter().map(|(range, _)| *range).collect();
    let is_workflow = entity.kind == EntityKind::Workflow;
    let is_eager = entity.kind == EntityKind::Eager;
    let mut findings = Vec::new();
    let mapped = &graph.bodies[node];
    for issue in facts.bodies[entity.function].issues.iter().filter(|issue| !mapped.covers(issue.range)) {
        let comes_from_call =
            issue.roots.iter().any(|root| root.callee().is_some_and(|range| callees.contains(&range)));
        let comes_from_parameter = is_workflow && issue.roots.contains(&Root::Parameter);
        let what = match &issue.kind {
            IssueKind::PassedTo(callee) if callees.contains(callee) => continue,
            // A call of a Flyte 2 task is broken altogether, and named so.
            IssueKind::PassedTo(callee)
                if facts
                    .reference_at(*callee)
                    .is_some_and(|callee| is_flyte2_task(project, file, callee)) =>
            {
                continue;
            }
            // An attribute of an input reads the same on a value as on a promise.
            IssueKind::Attribute(_) if !comes_from_call => continue,
            IssueKind::Try | IssueKind::Nested if !comes_from_call => continue,
            _ if !comes_from_call && !comes_from_parameter => continue,
            // Results are values in `@eager`, as they are on Flyte 2.
            kind if is_eager && !matches!(kind, IssueKind::Try | IssueKind::Nested) => continue,
            IssueKind::Attribute(attribute) => format!("attribute `{attribute}` of a result is read"),
            IssueKind::Operator => "an operator is applied to a result".to_owned(),
            IssueKind::Formatted => "a result is put into a string".to_owned(),
            IssueKind::PassedTo(callee) => {
                format!("a result is passed to `{}`, which is no task", &project.text(file)[*callee])
            }
            IssueKind::Unpacked => "a result of one value is unpacked".to_owned(),
            IssueKind::Try if is_eager => {
                "a task is called in `try`, and its failure is another exception on Flyte 2".to_owned()
            }
            IssueKind::Try => "a task is called in `try`, which now catches its failure".to_owned(),
            IssueKind::Nested => "a task is called in a function inside the body".to_owned(),
        };
        let help = match issue.kind {
            IssueKind::Try if is_eager => {
                "Catch `Exception` without a name; to tell failures apart, Flyte 2 raises `flyte.errors.RuntimeUserError`, whose `code` is the name of the exception"
            }
            _ => "Flyte 1 handles a promise here, Flyte 2 the value itself: migrate this line by hand",
        };
        findings.push(Finding::new(&WORKFLOW_BODY, issue.range, Effect::Blocking, what).help(help));
    }
    findings.into_iter().for_each(|finding| graph.block(node, file, finding));
}

/// Everything of Flyte 1 that an entity uses, itself or through other definitions of the project.
pub(super) fn read_surroundings(project: &Project, graph: &mut Graph, node: NodeId) {
    let file = graph.nodes[node].file;
    let Some(owner) = owner_of(project, graph, node) else { return };
    let own = (file, owner);
    let mut seen = HashSet::from([own]);
    let mut pending = vec![own];
    let mut findings: Vec<(FileId, Finding)> = Vec::new();
    let mut reached = Vec::new();
    let mut needed = BTreeSet::new();
    while let Some((file, statement)) = pending.pop() {
        let Some(facts) = project.facts(file) else { continue };
        let is_own = (file, statement) == own;
        // It may follow files that it does not name: `open(later.file)`.
        let pieces = graph.pieces(file, statement).filter(|_| !is_own);
        needed.extend(
            pieces.filter(|&piece| graph.entity(piece).is_none() && graph.bodies[piece].is_changed()),
        );
        for reference in facts.module.references_of(statement) {
            for target in project.resolve(file, reference) {
                match target {
                    Target::Flyte1(symbol)
                        if !symbol.is_harmless()
                            && !is_image_call(graph, file, &reference.role)
                            && (is_own || !is_image_annotation(project, file, reference)) =>
                    {
                        if is_own && is_read_by_rules(project, graph, node, reference) {
                            continue;
                        }
                        if let Some(piece) = graph
                            .pieces(file, statement)
                            .find(|&piece| graph.bodies[piece].covers(reference.range))
                        {
                            needed.insert(piece);
                            continue;
                        }
                        findings.push((file, uses(symbol, reference, is_own, name_of(project, graph, node))));
                    }
                    Target::Binding(target_file, binding, _) => {
                        if let Some(&other) = graph.by_binding.get(&(*target_file, *binding)) {
                            reached.push(other);
                            if !is_own
                                && graph.entity(other).is_some()
                                && matches!(reference.role, Role::Callee(_))
                            {
                                findings.push((file, calls_through(reference)));
                            }
                            continue;
                        }
                        let Some(target_facts) = project.facts(*target_file) else { continue };
                        let next = (*target_file, target_facts.module.bindings[*binding].owner);
                        if !graph.by_statement.contains_key(&next) && seen.insert(next) {
                            pending.push(next);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    needed.remove(&node);
    for &piece in &needed {
        graph.tie(node, piece);
        graph.needs.insert((node, piece));
    }
    reached.into_iter().for_each(|other| graph.tie(node, other));
    for (file, finding) in first_of_many(findings, own.0) {
        graph.block(node, file, finding);
    }
}

/// Tasks of Flyte 2 that a workflow of Flyte 1 calls, as a partial run leaves it: it is broken until it is migrated.
pub(super) fn read_flyte2_calls(project: &Project, graph: &mut Graph, node: NodeId) {
    let file = graph.nodes[node].file;
    let (Some(facts), Some(entity)) = (project.facts(file), graph.entity(node)) else { return };
    if entity.kind == EntityKind::Task {
        return;
    }
    let function = &facts.module.functions[entity.function];
    let calls = facts.bodies[entity.function].calls.iter();
    let broken: Vec<TextRange> = calls
        .filter(|flow| {
            facts.reference_at(flow.callee).is_some_and(|reference| is_flyte2_task(project, file, reference))
        })
        .map(|flow| flow.callee)
        .collect();
    for range in broken {
        let message = format!(
            "`{}` is a task of Flyte 2 and is called by `{}`, which stays on Flyte 1: it is broken until it is migrated",
            &project.text(file)[range],
            function.name
        );
        let finding = Finding::new(&BROKEN_CALL, range, Effect::Blocking, message)
            .help("Make it a task of a `TaskEnvironment` that depends on that of the called task");
        graph.block(node, file, finding);
    }
}

/// Whether a name means a function under `@environment.task` of a `flyte.TaskEnvironment`.
fn is_flyte2_task(project: &Project, file: FileId, reference: &Reference) -> bool {
    project.resolve(file, reference).iter().any(|target| {
        let Target::Binding(file, binding, rest) = target else { return false };
        let Some(facts) = project.facts(*file).filter(|_| rest.is_empty()) else { return false };
        let BindingKind::Decorated(function) = facts.module.bindings[*binding].kind else { return false };
        let mut decorators =
            facts.module.functions[function].decorators.iter().filter_map(|decorator| decorator.callee);
        decorators.any(|callee| {
            let Some(decorator) = facts.reference_at(callee) else { return false };
            project.resolve(*file, decorator).iter().any(|target| {
                matches!(target, Target::Binding(file, binding, rest)
                    if rest.as_slice() == ["task"] && is_environment(project, *file, *binding))
            })
        })
    })
}

fn is_environment(project: &Project, file: FileId, binding: BindingId) -> bool {
    let Some(facts) = project.facts(file) else { return false };
    let mut calls = facts.module.calls.iter().filter(|call| call.context == CallContext::Assigned(binding));
    calls.any(|call| {
        let callee = facts.module.callee(call);
        callee.is_some_and(|callee| {
            *project.resolve(file, callee) == [Target::External("flyte.TaskEnvironment".to_owned())]
        })
    })
}

/// How many uses of Flyte 1 in other code are named for one entity.
const NAMED_USES: usize = 3;

/// Uses in the entity's own file all count; of those in other files the first few are named, the others counted.
fn first_of_many(findings: Vec<(FileId, Finding)>, own: FileId) -> Vec<(FileId, Finding)> {
    let (mut named, mut others): (Vec<_>, Vec<_>) = findings.into_iter().partition(|(file, _)| *file == own);
    let more = others.len().saturating_sub(NAMED_USES);
    others.truncate(NAMED_USES);
    if let Some((_, last)) = others.last_mut().filter(|_| more > 0) {
        last.message.push_str(&format!(", and {more} more uses like it"));
    }
    named.extend(others);
    named
}

/// The statement at the top level of an entity or of settings.
fn owner_of(project: &Project, graph: &Graph, node: NodeId) -> Option<StatementId> {
    let module = &project.facts(graph.nodes[node].file)?.module;
    match &graph.nodes[node].kind {
        NodeKind::Entity(entity) => Some(module.functions[entity.function].owner),
        NodeKind::Setting(setting) => Some(module.bindings[setting.binding].owner),
        NodeKind::Container(container) => Some(module.calls[container.call].owner),
        NodeKind::Maker(maker) => Some(module.calls[maker.call].owner),
        NodeKind::Image(_) | NodeKind::Code(_) => None,
    }
}

/// Keywords of a decorator whose rules read the whole value, or drop it.
const READ_KEYWORDS: [&str; 15] = [
    "accelerator",
    "cache",
    "container_image",
    "deck_fields",
    "default_options",
    "docs",
    "execution_mode",
    "failure_policy",
    "limits",
    "node_dependency_hints",
    "requests",
    "resources",
    "secret_requests",
    "task_config",
    "task_resolver",
];

/// Names of Flyte 1 that the rules of settings speak of: the decorator itself, `Resources(…)` and its like in it.
fn is_read_by_rules(project: &Project, graph: &Graph, node: NodeId, reference: &Reference) -> bool {
    let file = graph.nodes[node].file;
    let Some(facts) = project.facts(file) else { return false };
    let is_part = || project.symbol(file, reference).is_some_and(|symbol| setting::is_part(&symbol));
    let is_read = |call: &Call| {
        let is_in_keyword = |argument: &Argument| {
            argument.value.range.contains_range(reference.range)
                && argument.name.as_deref().is_some_and(|name| READ_KEYWORDS.contains(&name))
        };
        call.parentheses.contains_range(reference.range)
            && (call.arguments.iter().any(is_in_keyword) || is_part())
    };
    match &graph.nodes[node].kind {
        NodeKind::Entity(entity) => {
            let call = entity.call.map(|call| &facts.module.calls[call]);
            reference.range == entity.callee || call.is_some_and(is_read)
        }
        // `partial(task, …)` is read with the decorator that it stands for.
        NodeKind::Maker(maker) => {
            let call = &facts.module.calls[maker.call];
            let is_first =
                || call.arguments.first().is_some_and(|first| first.value.range == reference.range);
            let is_maker = matches!(reference.role, Role::Callee(Some(call)) if graph.by_decorator.contains_key(&(file, call)));
            is_maker || is_first() || is_read(call)
        }
        NodeKind::Setting(_) => is_part(),
        // Its rule speaks of all that stands in the call.
        NodeKind::Container(_) => true,
        NodeKind::Image(_) | NodeKind::Code(_) => false,
    }
}

/// `image: ImageSpec` of a variable or a plain function: it is written anew, or goes on naming what flytekit has. In a
/// class it may describe data.
fn is_image_annotation(project: &Project, file: FileId, reference: &Reference) -> bool {
    let is_class = || {
        let statements = project.facts(file).map(|facts| &facts.module.statements);
        let statement = statements.map(|statements| &project.text(file)[statements[reference.owner]]);
        statement.is_none_or(|text| text.starts_with(['@']) || text.starts_with("class "))
    };
    reference.role == Role::Annotation
        && project.symbol(file, reference) == Some(Symbol::ImageSpec)
        && !is_class()
}

fn is_image_call(graph: &Graph, file: FileId, role: &Role) -> bool {
    matches!(role, Role::Callee(Some(call)) if graph.image_at(file, *call).is_some())
}

fn uses(symbol: &Symbol, reference: &Reference, is_own: bool, entity: Option<&str>) -> Finding {
    let name = symbol.name();
    let message = if let Some(entity) = entity.filter(|_| is_own) {
        format!("`{name}` of Flyte 1 is used by `{entity}` and is not migrated yet")
    } else {
        format!("`{name}` of Flyte 1 is used by code that tasks use, and is not migrated yet")
    };
    let (rule, help) = advice(symbol);
    Finding::new(rule, reference.range, Effect::Blocking, message).help(help)
}

fn calls_through(reference: &Reference) -> Finding {
    Finding::new(
        &FLYTE1_USE,
        reference.range,
        Effect::Blocking,
        format!("`{}` is called by a plain function that a task or workflow uses", reference.name),
    )
    .help("Call it from the workflow itself")
}
