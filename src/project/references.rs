//! What every reference does with an image or a task: ties it to a group, or stands in its way.
//!
//! ```python
//! @task(container_image=image)          # a tie
//! def step(n: int) -> int: ...
//! LaunchPlan.get_or_create(pipeline)    # stands in the way
//! ```
//!
//! # FM212
//!
//! ## What it does
//!
//! Reports a use of a task or a workflow other than calling it.
//!
//! ## Why
//!
//! A task of Flyte 2 is another object, with other attributes.
//!
//! ## Example
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
//!
//!
//! print(step.python_interface)
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
//! Attributes of a task, and a task that is passed to something that is not known.
//!
//! ## References
//!
//! The README: "What moves together" and "Limits".

use rayon::prelude::*;

use super::graph::{
    EntityKind, Graph, ImageUse, MakerKind, MakerNode, NodeId, NodeKind, Use, is_partial, is_replace,
};
use super::guards;
use super::holders::{give_held_images, holder_use};
use super::link::Target;
use super::partials;
use super::settings::{self, address_in_template, all_settings, setting_reference, template_users};
use super::whole_file::name_of;
use super::{FileId, Project};
use crate::diagnostic::Rule;
use crate::flyte1::body::is_output;
use crate::python::ast::name::Name;
use crate::python::scope::{BindingId, BindingKind, Call, CallContext, CallId, Reference, Role, is_mutator};
use crate::python::value::Value;
use crate::rules::advice::advice;
use crate::rules::codes::{
    ACTOR, AMBIGUOUS_NAME, FLYTE1_USE, IMAGE_USE, OTHER_USE, TASK_SHAPE, UNSUPPORTED_PLACE,
};
use crate::rules::image_spec::FIELDS;
use crate::rules::{Effect, Finding, container_task};

/// Reads the references of all files.
pub(super) fn read_references(project: &Project, graph: &mut Graph) {
    let files = (0..project.files.len()).into_par_iter();
    let leading: Vec<Vec<&Reference>> = files.map(|file| leading_to_nodes(project, graph, file)).collect();
    for (file, references) in leading.into_iter().enumerate() {
        read_references_of(project, graph, file, &references);
        give_written_images(project, graph, file);
    }
    for (file, call, node) in std::mem::take(&mut graph.given) {
        give_image(graph, file, call, &[node]);
    }
}

/// The references that may lead to a node, directly, through what holds it, a launch plan, or a module. A file that is settled
/// names none of those that may change.
fn leading_to_nodes<'p>(project: &'p Project, graph: &Graph, file: FileId) -> Vec<&'p Reference> {
    let references = project.facts(file).map_or(&[][..], |facts| &facts.module.references);
    let is_settled = project.settled.contains(&file);
    let leads = |target: &Target| match target {
        Target::Binding(file, binding, _) if !is_settled => {
            let key = (*file, *binding);
            graph.by_binding.contains_key(&key)
                || graph.holders.contains_key(&key)
                || graph.plans.contains_key(&key)
        }
        Target::Module(_) | Target::Folder(_) => true,
        Target::Binding(..) | Target::Flyte1(_) | Target::External(_) | Target::Unknown => false,
    };
    references.iter().filter(|reference| project.resolve(file, reference).iter().any(leads)).collect()
}

fn read_references_of(project: &Project, graph: &mut Graph, file: FileId, references: &[&Reference]) {
    let Some(facts) = project.facts(file) else { return };
    for &reference in references {
        let targets = project.resolve(file, reference);
        read_module_use(project, graph, file, reference, targets);
        if let Some(nodes) = all_settings(project, graph, targets) {
            let owners = graph.by_statement.get(&(file, reference.owner)).cloned().unwrap_or_default();
            let is_alias = graph.aliases.contains(&(file, reference.range));
            if !is_alias && !setting_reference(project, graph, file, reference, &nodes, &owners) {
                nodes
                    .iter()
                    .for_each(|&(node, _)| settings::other_use(project, graph, file, reference, node));
                nodes.iter().for_each(|&(node, _)| owners.iter().for_each(|&owner| graph.tie(owner, node)));
            }
            continue;
        }
        let nodes: Vec<(NodeId, bool)> = targets
            .iter()
            .filter_map(|target| match target {
                Target::Binding(file, binding, rest) => {
                    graph.by_binding.get(&(*file, *binding)).map(|&node| (node, rest.is_empty()))
                }
                _ => None,
            })
            .collect();
        holder_use(project, graph, file, reference);
        if nodes.is_empty() {
            read_plan_call(project, graph, file, reference);
            continue;
        }
        guards::tie_tasks(project, graph, file, reference);
        let is_certain = nodes.len() == targets.len() && nodes.iter().all(|(_, is_whole)| *is_whole);
        let nodes: Vec<NodeId> = nodes.into_iter().map(|(node, _)| node).collect();
        let owners = graph.by_statement.get(&(file, reference.owner)).cloned().unwrap_or_default();
        if fills_image(graph, &facts.module.calls, file, reference, &nodes)
            || derives_image(graph, file, reference, &nodes)
            || joins_maker(project, graph, file, reference, &nodes)
        {
            continue;
        }
        if let Some((image, _)) = address_in_template(project, graph, file, reference) {
            for user in template_users(graph, &facts.module, file, reference) {
                graph.tie(user, image);
                graph.needs.insert((user, image));
            }
            continue;
        }
        if let Some(image) = reads_given_field(project, graph, file, reference) {
            let setting = graph.by_setting.get(&(file, reference.owner)).copied();
            owners.iter().copied().chain(setting).for_each(|user| graph.tie(user, image));
            continue;
        }
        let is_image = nodes.iter().all(|&node| graph.image(node).is_some());
        // What makes tasks is neither run nor called by them.
        let is_task = !is_image && nodes.iter().all(|&node| graph.maker(node).is_none());
        if is_image && is_certain && image_reference(graph, file, reference, &nodes) {
            continue;
        }
        if is_task && is_certain && owners.is_empty() && is_run(project, file, reference, &facts.module.calls)
        {
            continue;
        }
        if is_hint(graph, file, reference, &facts.module.calls, &owners) {
            for &owner in &owners {
                nodes.iter().for_each(|&node| graph.add_call(owner, reference.range, node));
            }
            continue;
        }
        if is_task && is_certain && entity_reference(graph, file, reference, &nodes, &owners) {
            continue;
        }
        for node in nodes {
            other_use(project, graph, file, reference, node, is_certain);
            owners.iter().for_each(|&owner| graph.tie(owner, node));
        }
    }
}

/// An `ImageSpec` that is written into a decorator, or into another one.
fn give_written_images(project: &Project, graph: &mut Graph, file: FileId) {
    let Some(facts) = project.facts(file) else { return };
    for node in graph.nodes_in(file) {
        let Some(image) = graph.image(node) else { continue };
        let call = &facts.module.calls[image.call];
        let CallContext::Argument(outer, Some(keyword)) = &call.context else { continue };
        let is_given = match (keyword.as_str(), graph.image_at(file, *outer)) {
            ("base_image", Some(derived)) => give_base(graph, derived, node),
            ("container_image", _) => give_image(graph, file, *outer, &[node]),
            _ => true,
        };
        if !is_given {
            let finding = Finding::new(
                &UNSUPPORTED_PLACE,
                call.range,
                Effect::Blocking,
                "`ImageSpec` is passed to something that is not a task",
            )
            .help("Migrate it by hand");
            graph.block(node, file, finding);
        }
    }
}

/// `nightly(n=1)` in a workflow: it runs the workflow of the launch plan.
fn read_plan_call(project: &Project, graph: &mut Graph, file: FileId, reference: &Reference) {
    let is_called = matches!(reference.role, Role::Callee(_) | Role::CalleeOf(_));
    let plan = graph.plan_of(project, file, reference).filter(|_| is_called);
    let Some(workflow) = plan.map(|(_, plan)| plan.workflow) else { return };
    for owner in graph.by_statement.get(&(file, reference.owner)).cloned().unwrap_or_default() {
        if graph.entity(owner).is_some_and(|entity| entity.kind.is_flow()) {
            graph.add_call(owner, reference.range, workflow);
        }
    }
}

/// `m = pk.tasks`, `helper(pk.tasks)`: what is read from the module through another name cannot be followed.
fn read_module_use(
    project: &Project,
    graph: &mut Graph,
    file: FileId,
    reference: &Reference,
    targets: &[Target],
) {
    if !matches!(reference.role, Role::Assigned | Role::Argument(..) | Role::ArgumentOf(_) | Role::Other) {
        return;
    }
    for target in targets {
        let files = match target {
            Target::Module(module) if replaces_plain(project, graph, (file, reference), *module) => continue,
            Target::Module(module) => {
                std::iter::once(*module).chain(project.index.files_of_package(*module)).collect()
            }
            Target::Folder(place) => project.index.files_below(*place),
            _ => continue,
        };
        let nodes: Vec<NodeId> = files.iter().flat_map(|&file| graph.nodes_in(file)).collect();
        let message = format!(
            "`{}` is a module used as a value here; what is read from it cannot be followed",
            &project.text(file)[reference.range]
        );
        let finding = Finding::new(&AMBIGUOUS_NAME, reference.range, Effect::Blocking, message)
            .help("Name the module itself wherever something is read from it");
        nodes.into_iter().for_each(|node| graph.block(node, file, finding.clone()));
    }
}

/// `patch.object(tasks, "now")`: a test replaces a function or a value that is neither Flyte's nor a node, and so is the
/// same on Flyte 2.
fn replaces_plain(
    project: &Project,
    graph: &Graph,
    (file, reference): (FileId, &Reference),
    module: FileId,
) -> bool {
    let (Some(facts), Some(patching)) = (project.facts(module), project.facts(file)) else { return false };
    let mut replaced = patching.module.patched_objects.iter().filter(|(range, _)| *range == reference.range);
    let Some((_, name)) = replaced.next() else { return false };
    let is_node = graph.nodes_in(module).any(|node| name_of(project, graph, node) == Some(name));
    let bindings = facts.module.exports(name);
    let is_own = |&binding: &BindingId| {
        matches!(
            facts.module.bindings[binding].kind,
            BindingKind::Definition | BindingKind::Decorated(_) | BindingKind::Assignment { .. }
        )
    };
    !is_node && !bindings.is_empty() && bindings.iter().all(is_own)
}

/// `image.name` and `image.registry` are the same on Flyte 2 where the image is given them as strings.
fn reads_given_field(
    project: &Project,
    graph: &Graph,
    file: FileId,
    reference: &Reference,
) -> Option<NodeId> {
    let (node, field) = graph.image_attribute(project, file, reference)?;
    let image = graph.image(node).filter(|image| !image.is_derived)?;
    let call = &project.facts(graph.nodes[node].file)?.module.calls[image.call];
    let text = call.keyword(field)?.value.as_str()?;
    let is_changed = matches!(reference.role, Role::Mutated | Role::Filled(_));
    let is_read = matches!(field, "name" | "registry") && !is_changed;
    (is_read && !text.is_empty()).then_some(node)
}

/// `container_image=` values that are no `ImageSpecs`, and the images of container tasks.
pub(super) fn read_plain_image(project: &Project, graph: &mut Graph, node: NodeId) {
    let Some(facts) = project.facts(graph.nodes[node].file) else { return };
    let Some((ImageUse::None, Some(call))) = graph.image_use(node) else { return };
    let call = &facts.module.calls[call];
    let argument = match &graph.nodes[node].kind {
        NodeKind::Container(_) => container_task::argument(call, "image"),
        _ => call.keyword("container_image"),
    };
    if let Some(argument) = argument.filter(|argument| !argument.value.is_empty())
        && !give_held_images(project, graph, node, &argument.value)
    {
        graph.set_image(node, ImageUse::Value(argument.value.clone()));
    }
}

/// A task that overrides settings of a `partial` takes the image from it all the same, unless it overrides that.
pub(super) fn read_given_image(project: &Project, graph: &mut Graph, node: NodeId) {
    let is_given = graph.entity(node).is_some_and(|entity| entity.is_apart)
        && matches!(graph.image_use(node), Some((ImageUse::None, _)))
        && graph.own_keyword(project, node, "container_image").is_none();
    let image = graph.partial_of(node).filter(|_| is_given).map(|(_, partial)| partial.image.clone());
    if let Some(image) = image {
        if let ImageUse::Specs(images) = &image {
            images.iter().for_each(|&image| graph.tie(node, image));
        }
        graph.set_image(node, image);
    }
}

/// `image.packages = […]` straight behind `image = ImageSpec(…)`, which leaves that field out.
fn fills_image(graph: &Graph, calls: &[Call], file: FileId, reference: &Reference, nodes: &[NodeId]) -> bool {
    let (Role::Filled(call), [field]) = (&reference.role, reference.attributes.as_slice()) else {
        return false;
    };
    let given = calls[*call].fields(&FIELDS).filter(|(name, ..)| *name == Some(field.as_str()));
    let values: Vec<&Value> = given.map(|(_, argument, _)| &argument.value).collect();
    graph.image_at(file, *call).is_some_and(|image| nodes == [image])
        && FIELDS.contains(&field.as_str())
        // `None` may stand for something else than the default, as that of `platform` does.
        && matches!(values.as_slice(), [value] if !value.is_empty())
}

/// `image.with_packages(…)` is an image of its own, on the one that the method is called of.
fn derives_image(graph: &mut Graph, file: FileId, reference: &Reference, nodes: &[NodeId]) -> bool {
    let (Role::Callee(Some(call)), [base]) = (&reference.role, nodes) else { return false };
    let Some(derived) = graph.image_at(file, *call) else { return false };
    graph.image(derived).is_some_and(|image| image.is_derived) && give_base(graph, derived, *base)
}

/// `@actor.task`, `@gpu_task` of a `partial`: what makes the task.
fn joins_maker(
    project: &Project,
    graph: &mut Graph,
    file: FileId,
    reference: &Reference,
    nodes: &[NodeId],
) -> bool {
    let (Role::Decorator(function), [maker]) = (&reference.role, nodes) else { return false };
    let Some(kind) = graph.maker(*maker).map(|maker| maker.kind) else { return false };
    let makes = |target: &Target| matches!(target, Target::Binding(_, _, rest) if kind.makes(rest));
    if !project.resolve(file, reference).iter().all(makes) {
        return false;
    }
    let own: Vec<NodeId> = graph
        .nodes_in(file)
        .filter(|&node| graph.entity(node).is_some_and(|entity| entity.function == *function))
        .collect();
    for node in own {
        if let NodeKind::Entity(entity) = &mut graph.nodes[node].kind {
            entity.maker = Some(*maker);
        }
        graph.tie(node, *maker);
        if kind != MakerKind::Actor {
            let findings = partials::joins(project, graph, node, *maker);
            findings.into_iter().for_each(|finding| graph.block(node, file, finding));
        } else if graph.nodes[*maker].file != file {
            let message = format!("`{}` is an actor of another file", reference.name);
            let finding = Finding::new(&ACTOR, reference.range, Effect::Blocking, message)
                .help("Define the task in the file of the actor");
            graph.block(node, file, finding);
        }
    }
    true
}

/// Gives `images` to the entity or actor whose decorator is `call`.
fn give_image(graph: &mut Graph, file: FileId, call: CallId, images: &[NodeId]) -> bool {
    let Some(&owner) = graph.by_decorator.get(&(file, call)) else { return false };
    graph.set_image(owner, ImageUse::Specs(images.to_vec()));
    images.iter().for_each(|&image| graph.tie(owner, image));
    true
}

pub(super) fn give_base(graph: &mut Graph, derived: NodeId, base: NodeId) -> bool {
    if let NodeKind::Image(node) = &mut graph.nodes[derived].kind {
        node.base = Some(base);
    }
    graph.tie(derived, base);
    true
}

/// Uses of an image that are understood: on a task, as the base of another.
fn image_reference(graph: &mut Graph, file: FileId, reference: &Reference, images: &[NodeId]) -> bool {
    if reference.role == Role::Assigned {
        return graph.aliases.contains(&(file, reference.range));
    }
    let Role::Argument(call, keyword) = &reference.role else { return false };
    let Some(keyword) = keyword else {
        // `dataclasses.replace(image, name=…)`
        let derived = graph
            .image_at(file, *call)
            .filter(|&node| graph.image(node).is_some_and(|image| image.is_derived && image.base.is_none()));
        return matches!((images, derived), ([image], Some(derived)) if give_base(graph, derived, *image));
    };
    match keyword.as_str() {
        "container_image" => give_image(graph, file, *call, images),
        "base_image" => {
            let ([image], Some(derived)) = (images, graph.image_at(file, *call)) else { return false };
            // What each call of a function makes may hold something else.
            if graph.arguments.contains_key(image) {
                return false;
            }
            give_base(graph, derived, *image)
        }
        _ => false,
    }
}

/// Uses of a task or workflow that are understood: called by a workflow or dynamic, or by plain code.
fn entity_reference(
    graph: &mut Graph,
    file: FileId,
    reference: &Reference,
    entities: &[NodeId],
    owners: &[NodeId],
) -> bool {
    let [callee] = entities else { return false };
    match &reference.role {
        Role::Callee(_) => {}
        // Inside a workflow the body is read for that; elsewhere the result is no longer what has the attribute.
        Role::CalleeOf(_) if !owners.is_empty() => {}
        Role::CalleeOf(attribute) if !is_output(attribute) => {}
        _ => return false,
    }
    for &owner in owners {
        graph.tie(owner, *callee);
        let NodeKind::Entity(entity) = &mut graph.nodes[owner].kind else { continue };
        if entity.kind == EntityKind::Task {
            let finding = Finding::new(
                &TASK_SHAPE,
                reference.range,
                Effect::Blocking,
                format!("`{}` is called inside a task; Flyte 1 ran it in the same container, Flyte 2 starts a new one", reference.name),
            )
            .help("Call the plain function instead");
            graph.uses.push(Use {
                file,
                range: reference.range,
                statement: reference.owner,
                node: owner,
                finding,
            });
        } else {
            entity.calls.push((reference.range, *callee));
        }
    }
    true
}

/// `node_dependency_hints=[step]` on a dynamic: it depends on the environment of `step`, whether it calls it by name
/// or not. So does a workflow on that of its handler.
fn is_hint(graph: &Graph, file: FileId, reference: &Reference, calls: &[Call], owners: &[NodeId]) -> bool {
    owners.iter().any(|&owner| {
        let call =
            graph.entity(owner).filter(|_| graph.nodes[owner].file == file).and_then(|entity| entity.call);
        call.is_some_and(|call| {
            let hints = ["node_dependency_hints", "on_failure"].map(|name| calls[call].keyword(name));
            hints.into_iter().flatten().any(|hints| hints.value.range.contains_range(reference.range))
        })
    })
}

/// `flyte.run(pipeline, …)` in plain code: this is how Flyte 2 runs it.
fn is_run(project: &Project, file: FileId, reference: &Reference, calls: &[Call]) -> bool {
    match &reference.role {
        Role::ArgumentOf(library) => library == "flyte",
        Role::Argument(call, _) => {
            let callee = project.facts(file).and_then(|facts| facts.module.callee(&calls[*call]));
            callee.is_some_and(|callee| {
                let targets = project.resolve(file, callee);
                matches!(targets, [Target::External(path)] if path.starts_with("flyte."))
            })
        }
        _ => false,
    }
}

fn other_use(
    project: &Project,
    graph: &mut Graph,
    file: FileId,
    reference: &Reference,
    node: NodeId,
    is_certain: bool,
) {
    let (rule, what): (&'static Rule, &str) = match graph.nodes[node].kind {
        NodeKind::Image(_) => (&IMAGE_USE, "image"),
        NodeKind::Maker(MakerNode { kind: MakerKind::Actor, .. }) => (&ACTOR, "actor"),
        NodeKind::Maker(_) => (&TASK_SHAPE, "decorator of tasks"),
        NodeKind::Container(_) => (&OTHER_USE, "container task"),
        NodeKind::Entity(_) | NodeKind::Setting(_) | NodeKind::Code(_) => (&OTHER_USE, "task or workflow"),
    };
    let is_image = matches!(graph.nodes[node].kind, NodeKind::Image(_));
    let text = &project.text(file)[reference.range];
    let read = attributes_of(project, graph, file, reference, node);
    let message = match (&reference.role, read.last()) {
        _ if !is_certain && read.is_empty() => {
            format!("`{text}` may be the {what} or something else here")
        }
        (Role::CalleeOf(attribute), _) => {
            format!(
                "`{attribute}` of the result of `{text}` is read; on Flyte 2 several results are a plain tuple"
            )
        }
        (Role::Mutated | Role::Filled(_), _) => format!("`{text}` changes the {what} after its definition"),
        (_, Some(method)) if read.len() == 2 && is_mutator(method) => {
            format!("`{text}` changes the {what} after its definition")
        }
        (Role::ArgumentOf(library), None) if is_image && library == "dataclasses" => {
            format!(
                "`{text}` is given to a function of `dataclasses`, which images of Flyte 2 are not made with"
            )
        }
        (Role::Argument(call, _), None) if is_image && is_copied_by(project, file, *call) => {
            format!("`{text}` is copied with other values than a `name` and a `registry` that can be read")
        }
        (role, None) if is_image && is_given_to_partial(project, file, role) => {
            format!("`{text}` is given to `partial`, and which tasks get it cannot be told")
        }
        (_, Some(attribute)) => format!("`{text}`: `{attribute}` of the {what} is not migrated yet"),
        (Role::Assigned, None) => {
            format!("`{text}` gets another name here, and what is done with that is not followed")
        }
        (Role::Argument(call, _), _) => {
            let callee = facts_callee(project, file, *call);
            format!("`{text}` is passed to `{callee}`, which is not migrated yet")
        }
        _ => format!("`{text}` is used here as more than a call or an image of a task"),
    };
    let finding = Finding::new(rule, reference.range, Effect::Blocking, message)
        .help(help(project, file, reference, is_image));
    graph.uses.push(Use { file, range: reference.range, statement: reference.owner, node, finding });
}

/// The attributes that a reference reads from a node itself, not from the modules on the way to it.
fn attributes_of<'p>(
    project: &'p Project,
    graph: &Graph,
    file: FileId,
    reference: &Reference,
    node: NodeId,
) -> &'p [Name] {
    let mut targets = project.resolve(file, reference).iter();
    let read = targets.find_map(|target| match target {
        Target::Binding(file, binding, rest) if graph.node_of(*file, *binding) == Some(node) => Some(rest),
        _ => None,
    });
    read.map(Vec::as_slice).unwrap_or_default()
}

/// What to do about a use of a node that is not understood.
fn help(project: &Project, file: FileId, reference: &Reference, is_image: bool) -> &'static str {
    match &reference.role {
        Role::Argument(call, _) if is_image && is_copied_by(project, file, *call) => {
            "Write an `ImageSpec` of its own, or `ImageSpec(base_image=…)` to add to it"
        }
        role if is_image && is_given_to_partial(project, file, role) => {
            "Give each task its `container_image` itself"
        }
        Role::Argument(call, _) => callee_advice(project, file, *call).unwrap_or(BY_HAND),
        Role::Assigned => "Call it, or give it to tasks, by its own name",
        Role::Mutated | Role::Filled(_) if is_image => {
            "Give the `ImageSpec` all that it holds where it is made"
        }
        _ => BY_HAND,
    }
}

/// Whether a call is one of `dataclasses.replace`.
fn is_copied_by(project: &Project, file: FileId, call: CallId) -> bool {
    project.facts(file).is_some_and(|facts| is_replace(project, file, &facts.module.calls[call]))
}

/// Whether a reference is given to a function of `functools`.
fn is_given_to_partial(project: &Project, file: FileId, role: &Role) -> bool {
    match role {
        Role::ArgumentOf(library) => library == "functools",
        Role::Argument(call, _) => {
            project.facts(file).is_some_and(|facts| is_partial(project, file, &facts.module.calls[*call]))
        }
        _ => false,
    }
}

const BY_HAND: &str = "Migrate this use by hand first";

/// What to do about a call of Flyte 1 that has no counterpart which could be written for the user.
pub(super) fn callee_advice(project: &Project, file: FileId, call: CallId) -> Option<&'static str> {
    let facts = project.facts(file)?;
    let callee = facts.module.callee(&facts.module.calls[call])?;
    let (rule, help) = advice(&project.symbol(file, callee)?);
    (rule != &FLYTE1_USE).then_some(help)
}

fn facts_callee(project: &Project, file: FileId, call: CallId) -> &str {
    project.facts(file).map_or("", |facts| &project.text(file)[facts.module.calls[call].callee])
}
