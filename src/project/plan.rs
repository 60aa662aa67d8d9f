//! Decides what is converted: groups that must move together move as a whole or stay as a whole.
//!
//! # FM201
//!
//! ## What it does
//!
//! Moves `container_image` to the environment. A reference in a string, also one that is put together or that an
//! environment variable with a default holds, goes through, a template becomes
//! `Image.from_ref_name`, one of flytekit's own images the Debian base.
//!
//! ## Why
//!
//! Nothing is added to an image that is given by its reference: it must hold `flyte`, which nobody can see from
//! here.
//!
//! ## Example
//!
//! ```python
//! from flytekit import task
//!
//!
//! @task(container_image="ghcr.io/acme/train:1")
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import TaskEnvironment
//!
//! env = TaskEnvironment(name="example", image="ghcr.io/acme/train:1")
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Unsafe. Rebuild the image with `flyte`, or start from it with `Image.from_base`.
//!
//! ## Not handled
//!
//! Values that are neither an `ImageSpec` nor a string, and images of other constructors than `@task`.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)
//!
//! # FM221
//!
//! ## What it does
//!
//! Says that a member of a group lies outside the paths of the run.
//!
//! ## Why
//!
//! The paths limit what is written. A group that reaches outside them would be written in half.
//!
//! ## Example
//!
//! A page cannot show one.
//!
//! ## Use instead
//!
//! Nothing.
//!
//! ## Fix safety
//!
//! By hand. Name both files, or none.
//!
//! ## Not handled
//!
//! Files outside the project.
//!
//! ## References
//!
//! The README: "What moves together" and "Limits".

use std::collections::BTreeMap;

use super::factories::{Arguments, Given, unknown};
use super::graph::{self, EntityKind, Graph, ImageUse, MakerKind, NodeId, NodeKind};
use super::link::Target;
use super::partials;
use super::settings::{map_settings, with_context};
use super::strings::strings;
use super::{FileId, Project};
use crate::python::ast::name::Name;
use crate::python::possible::Text;
use crate::python::scope::{BindingKind, Reference};
use crate::python::value::{Value, ValueKind};
use crate::rules::actor::{self, MappedMaker};
use crate::rules::body::imports;
use crate::rules::codes::{CONTAINER_IMAGE, OUTSIDE_PATHS, SYNTAX_ERROR, UNSUPPORTED_PLACE};
use crate::rules::container_task::{self, MappedContainer};
use crate::rules::draft::{BaseSpec, Conda, DefaultPlatform, ImageContext, LayerOrder};
use crate::rules::image_spec::{self, MappedImage};
use crate::rules::task::{self, MappedTask};
use crate::rules::workflow;
use crate::rules::{Effect, Finding, base_image_python, is_flytekit_image, receiver};
use crate::source::{TextRange, TextSize};

/// What the user asked for.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// Apply fixes that may change results, image content or set-up.
    pub allows_unsafe: bool,
    /// Convert what can be converted, even if code that stays behind breaks.
    pub is_partial: bool,
    /// The order of layers.
    pub layer_order: LayerOrder,
    /// The longest line of emitted code.
    pub line_length: usize,
    /// Rewrite commands in scripts and documents.
    pub includes_commands: bool,
    /// Add the builder of images to the Flyte 2 configuration of the project.
    pub writes_config: bool,
    /// What becomes of packages from conda.
    pub conda: Conda,
    /// The platforms of an image that names none.
    pub default_platform: DefaultPlatform,
    /// The name of the image pull secret, in place of one made from the registry's host.
    pub registry_secret: Option<&'a str>,
    /// Whether calls that do not depend on each other are gathered, so that they go on running side by side.
    pub is_parallel: bool,
}

/// What becomes of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its members, in the order of files and places.
    pub members: Vec<NodeId>,
    /// Whether it is converted as a whole.
    pub is_converted: bool,
    /// Whether it holds an image or an entity, and not only code and settings that none of them needs.
    pub is_active: bool,
}

/// The decisions for all nodes.
#[derive(Debug)]
pub struct Plan {
    /// The nodes with everything that was found about them.
    pub graph: Graph,
    /// The groups.
    pub groups: Vec<Group>,
    /// The group of each node.
    pub group_of: Vec<usize>,
    /// Whether each node is converted.
    pub converts: Vec<bool>,
}

impl Plan {
    /// The plan after more obstacles were found.
    #[must_use]
    pub fn decided_again(self, settings: Settings) -> Self {
        decided(self.graph, settings)
    }

    /// The nodes of a file.
    pub fn nodes_in(&self, file: FileId) -> std::ops::Range<NodeId> {
        self.graph.nodes_in(file)
    }

    /// The converted nodes of a file.
    pub fn converted_in(&self, file: FileId) -> impl Iterator<Item = NodeId> {
        self.nodes_in(file).filter(|&node| self.converts[node])
    }
}

/// How names of Flyte 2 are written in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlyteNames {
    /// What stands before each name: `flyte.`, or nothing where names are imported one by one.
    pub prefix: String,
    /// How `pathlib.Path` is written.
    pub path: &'static str,
    /// The longest line.
    pub line_length: usize,
}

impl Default for FlyteNames {
    fn default() -> Self {
        Self { prefix: String::new(), path: "Path", line_length: usize::MAX }
    }
}

impl FlyteNames {
    /// `Image` or `flyte.Image`.
    pub fn of(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

/// Collects and decides.
pub fn plan(project: &Project, settings: Settings) -> Plan {
    let mut graph = graph::build(project, settings.is_parallel);
    assess(project, &mut graph, settings);
    decided(graph, settings)
}

fn decided(graph: Graph, settings: Settings) -> Plan {
    let groups = groups(&graph);
    let mut group_of = vec![0; graph.nodes.len()];
    for (id, group) in groups.iter().enumerate() {
        group.members.iter().for_each(|&node| group_of[node] = id);
    }
    let mut plan = Plan { converts: vec![false; graph.nodes.len()], groups, group_of, graph };
    decide(&mut plan, settings);
    plan
}

/// What the rules say of each node by itself.
fn assess(project: &Project, graph: &mut Graph, settings: Settings) {
    let names = FlyteNames::default();
    for node in 0..graph.nodes.len() {
        let file = graph.nodes[node].file;
        if project.settled.contains(&file) {
            graph.block(node, file, settled(project, graph, node));
            continue;
        }
        let mut findings = match &graph.nodes[node].kind {
            NodeKind::Image(_) => {
                map_image(project, graph, node, settings, &names, &Additions::default(), 0).findings
            }
            NodeKind::Code(_) => Vec::new(),
            NodeKind::Setting(_) => map_settings(project, graph, node, &names).effects.findings,
            NodeKind::Maker(_) => {
                let mut findings = map_maker(project, graph, node, &names).settings.effects.findings;
                findings.extend(plain_image_findings(project, graph, node));
                findings
            }
            NodeKind::Container(_) => {
                let mut findings = map_container(project, graph, node, &names).effects.findings;
                findings.extend(container_image_findings(project, graph, node));
                findings
            }
            NodeKind::Entity(_) => {
                let mut findings = map_entity(project, graph, node, &names).effects.findings;
                findings.extend(plain_image_findings(project, graph, node));
                findings
            }
        };
        if let (Some(entity), Some(facts)) = (graph.entity(node), project.facts(file)) {
            let function = &facts.module.functions[entity.function];
            let (kind, body) = (entity.kind, &facts.bodies[entity.function]);
            findings.extend(task::check_shape(project.text(file), function, body, kind));
        }
        if !project.files[file].is_selected {
            let finding = Finding::new(
                &OUTSIDE_PATHS,
                place(project, graph, node),
                Effect::Blocking,
                format!("{} lies outside the paths of this run", describe(project, graph, node)),
            )
            .help("Name its file as well, or run on the whole project");
            graph.block(node, file, finding);
        }
        // What only informs is said once the image is written; its additions are not known yet.
        let findings = findings.into_iter().filter(|finding| finding.effect > Effect::Info);
        findings.for_each(|finding| graph.block(node, file, finding));
    }
}

/// What keeps a node as it is whose file is not looked at again. Nobody reads it.
fn settled(project: &Project, graph: &Graph, node: NodeId) -> Finding {
    Finding::new(
        &OUTSIDE_PATHS,
        place(project, graph, node),
        Effect::Blocking,
        "stays as the run before left it",
    )
}

/// The place by which a node is known: the name of the function, the `ImageSpec` of the call.
pub fn place(project: &Project, graph: &Graph, node: NodeId) -> TextRange {
    let Some(facts) = project.facts(graph.nodes[node].file) else { return TextRange::default() };
    match &graph.nodes[node].kind {
        NodeKind::Image(image) => facts.module.calls[image.call].callee,
        NodeKind::Setting(setting) => facts.module.bindings[setting.binding].range,
        NodeKind::Entity(entity) => facts.module.functions[entity.function].name_range,
        NodeKind::Maker(actor) => facts.module.bindings[actor.variable].range,
        NodeKind::Container(container) => facts.module.bindings[container.variable].range,
        NodeKind::Code(statement) => {
            let mut bindings = facts.module.bindings.iter();
            let defined = bindings.find(|binding| binding.owner == *statement && binding.is_unconditional);
            defined.map_or(facts.module.statements[*statement], |binding| binding.range)
        }
    }
}

/// How an image without a name is called in a message.
pub const UNNAMED_IMAGE: &str = "an `ImageSpec`";

/// How a node is called in a message.
pub fn describe(project: &Project, graph: &Graph, node: NodeId) -> String {
    let Some(facts) = project.facts(graph.nodes[node].file) else { return String::new() };
    match &graph.nodes[node].kind {
        NodeKind::Image(image) => match image.variable {
            Some(variable) => format!("image `{}`", facts.module.bindings[variable].name),
            None => UNNAMED_IMAGE.to_owned(),
        },
        NodeKind::Setting(setting) => format!("`{}`", facts.module.bindings[setting.binding].name),
        NodeKind::Entity(entity) => {
            let kind = match entity.kind {
                EntityKind::Task => "task",
                EntityKind::Dynamic => "dynamic",
                EntityKind::Workflow => "workflow",
                EntityKind::Eager => "eager workflow",
            };
            format!("{kind} `{}`", facts.module.functions[entity.function].name)
        }
        NodeKind::Maker(maker) => {
            let kind = if maker.kind == MakerKind::Actor { "actor" } else { "decorator" };
            format!("{kind} `{}`", facts.module.bindings[maker.variable].name)
        }
        NodeKind::Container(container) => {
            format!("container task `{}`", facts.module.bindings[container.variable].name)
        }
        NodeKind::Code(statement) => {
            let mut bindings = facts.module.bindings.iter();
            match bindings.find(|binding| binding.owner == *statement && binding.is_unconditional) {
                Some(binding) => format!("`{}`", binding.name),
                None => "code of the module".to_owned(),
            }
        }
    }
}

/// What an image needs beyond its own parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Additions {
    /// The distribution of Flyte 1 that code in it still imports; union's brings flytekit's.
    pub keeps_flyte1: Option<&'static str>,
    /// Distributions that only flytekit brought.
    pub brought: Vec<String>,
    /// Whether a task runs pip.
    pub runs_pip: bool,
    /// Whether its containers are reused.
    pub is_reused: bool,
}

/// Maps an `ImageSpec`. One that a function makes is mapped for each of its calls, and must be the same for all of them
/// and for any other.
pub fn map_image(
    project: &Project,
    graph: &Graph,
    node: NodeId,
    settings: Settings,
    names: &FlyteNames,
    additions: &Additions,
    depth: usize,
) -> MappedImage {
    let map = |arguments: &Arguments| {
        map_image_of(project, graph, node, settings, names, additions, depth, arguments)
    };
    let Some(calls) = graph.arguments.get(&node) else { return map(&Arguments::new()) };
    let mut mapped = calls.first().map(|call| map(&unknown(call))).unwrap_or_default();
    mapped.findings.clear();
    let mut is_same = true;
    for call in calls {
        let own = map(call);
        is_same &= own.chain == mapped.chain;
        let new = own.findings.into_iter().filter(|finding| !mapped.findings.contains(finding));
        mapped.findings.extend(new.collect::<Vec<_>>());
    }
    // What is added stands beside what the calls give.
    let is_settled = *additions != Additions::default();
    if let Some(finding) = made_differently(project, graph, node).filter(|_| !is_same && !is_settled) {
        mapped.findings.push(finding);
    }
    mapped
}

/// An `ImageSpec` of a function whose code would depend on what its calls give.
fn made_differently(project: &Project, graph: &Graph, node: NodeId) -> Option<Finding> {
    let call = &project.facts(graph.nodes[node].file)?.module.calls[graph.image(node)?.call];
    let message = "what becomes of this `ImageSpec` depends on the arguments of the function that makes it";
    let help =
        "Make each image at the top level of the module, or write the function for `flyte.Image` by hand";
    Some(Finding::new(&UNSUPPORTED_PLACE, call.range, Effect::Blocking, message).help(help))
}

#[expect(clippy::too_many_arguments, reason = "they are those of `map_image` and one more")]
fn map_image_of(
    project: &Project,
    graph: &Graph,
    node: NodeId,
    settings: Settings,
    names: &FlyteNames,
    additions: &Additions,
    depth: usize,
    arguments: &Arguments,
) -> MappedImage {
    let file = graph.nodes[node].file;
    let (Some(image), Some(facts)) = (graph.image(node), project.facts(file)) else {
        return MappedImage::default();
    };
    let call = &facts.module.calls[image.call];
    let base = image.base.filter(|_| depth < 16).map(|base| {
        let mapped = map_image(project, graph, base, settings, names, &Additions::default(), depth + 1);
        BaseSpec {
            python_version: mapped.python_version,
            has_python_version: mapped.has_python_version,
            index_options: mapped.index_options,
            has_platform: mapped.has_platform,
            has_registry: mapped.has_registry,
            is_foreign: mapped.is_foreign,
            is_bare: mapped.is_bare,
            listed: mapped.listed,
            installed: mapped.installed,
            commands: mapped.commands,
            layers: mapped.layers,
            // A base without a variable is written where it stands.
            chain: graph
                .image(base)
                .is_some_and(|base| base.variable.is_none() && !base.is_element)
                .then_some(mapped.chain),
            new_file: mapped.new_file,
        }
    });
    let image_name = names.of("Image");
    let secret_name = names.of("Secret");
    let receiver = receiver(call, &facts.module, project.text(file)).filter(|_| image.is_derived);
    let variable = image.variable.map(|variable| facts.module.bindings[variable].name.as_str());
    image_spec::map(&ImageContext {
        text: project.text(file),
        call,
        style: &facts.style,
        image_name: &image_name,
        variable,
        order: settings.layer_order,
        conda: settings.conda,
        manifest: graph.pixi_places.get(&node).map(String::as_str),
        default_platform: settings.default_platform,
        registry_secret: settings.registry_secret,
        constant: &|name| match arguments.get(name.split('.').next().unwrap_or_default()) {
            Some(given) => given.as_ref().and_then(|given| constant_of(project, given, name)),
            None => constant(project, file, name, call.range.start()),
        },
        strings: &|range| strings(project, file, range, arguments),
        is_changed: &|value| match (&value.kind, arguments) {
            (ValueKind::Name(name), arguments) if arguments.contains_key(name) => {
                arguments[name].as_ref().is_some_and(|given| {
                    is_changed(project, given.file, &given.value, given.value.range.start())
                })
            }
            _ => is_changed(project, file, value, call.range.start()),
        },
        base,
        is_flyte2: &|range| is_flyte2_image(project, file, range, 0),
        receiver: receiver.as_deref(),
        keeps_flyte1: additions.keeps_flyte1,
        brought: &additions.brought,
        runs_pip: additions.runs_pip,
        is_reused: additions.is_reused,
        names_python: graph.python_in_name.contains(&node),
        secret_name: &secret_name,
        path_name: names.path,
        path: &|path| project.disk.path(file, path),
        listed: &|path| project.disk.listed(file, path).cloned(),
        ignores_private_files: project.disk.ignores_private_files,
        line_length: settings.line_length,
    })
}

/// Maps the decorator of a task, dynamic or workflow.
pub fn map_entity(project: &Project, graph: &Graph, node: NodeId, names: &FlyteNames) -> MappedTask {
    let file = graph.nodes[node].file;
    let Some(entity) = graph.entity(node) else { return MappedTask::default() };
    let mapped = with_context(project, graph, file, entity.decorator.start(), names, |cx| {
        if entity.kind == EntityKind::Workflow {
            return workflow::map(cx, entity.call);
        }
        task::map(cx, entity.decorator, entity.call, &partials::given(project, graph, node))
    });
    mapped.unwrap_or_default()
}

/// Maps an `ActorEnvironment(…)` or a `partial(task, …)`.
pub fn map_maker(project: &Project, graph: &Graph, node: NodeId, names: &FlyteNames) -> MappedMaker {
    let file = graph.nodes[node].file;
    let (Some(maker), Some(facts)) = (graph.maker(node), project.facts(file)) else {
        return MappedMaker::default();
    };
    let offset = facts.module.calls[maker.call].range.start();
    let reuse_name = names.of("ReusePolicy");
    let mapped = with_context(project, graph, file, offset, names, |cx| match maker.kind {
        MakerKind::Actor => actor::map(cx, maker.call, &reuse_name),
        MakerKind::Partial(_) => {
            MappedMaker { settings: task::map_partial(cx, maker.call), ..MappedMaker::default() }
        }
    });
    mapped.unwrap_or_default()
}

/// Maps a `ContainerTask(…)`.
pub fn map_container(project: &Project, graph: &Graph, node: NodeId, names: &FlyteNames) -> MappedContainer {
    let file = graph.nodes[node].file;
    let (Some(container), Some(facts)) = (graph.container(node), project.facts(file)) else {
        return MappedContainer::default();
    };
    let call = &facts.module.calls[container.call];
    let variable = &facts.module.bindings[container.variable].name;
    let extras = imports::submodule(&facts.module, "flyte.extras", &names.prefix);
    let [file_type, dir_type] = ["File", "Dir"].map(|name| imports::item(&facts.module, "flyte.io", name));
    let container_task = format!("{}.ContainerTask", extras.name);
    let written =
        container_task::Names { container_task: &container_task, file: &file_type.name, dir: &dir_type.name };
    let mapped = with_context(project, graph, file, call.range.start(), names, |cx| {
        container_task::map(cx, call, variable, &written)
    });
    let mut mapped = mapped.unwrap_or_default();
    let types = [(mapped.uses_file, file_type), (mapped.uses_dir, dir_type)];
    let types = types.into_iter().filter(|(is_used, _)| *is_used).filter_map(|(_, imported)| imported.line);
    mapped.effects.imports.extend(extras.line.into_iter().chain(types));
    mapped
}

/// An image of a container task that is no `ImageSpec` must be a string; it need not hold `flyte`.
fn container_image_findings(project: &Project, graph: &Graph, node: NodeId) -> Option<Finding> {
    let Some((ImageUse::Value(value), _)) = graph.image_use(node) else { return None };
    let file = graph.nodes[node].file;
    let (what, help) = match known_text(project, file, value) {
        Some(text) if text.contains("{{") => (
            "is a template that Flyte 2 does not know",
            "Use `Image.from_ref_name` and `image.image_refs` of the configuration",
        ),
        None if !matches!(value.kind, ValueKind::FString(..)) && !is_address(project, file, value.range) => (
            "is no image that can be read",
            "Name the image, or an `ImageSpec` that is assigned to a name of a module",
        ),
        _ => return None,
    };
    let message = format!("`{}` {what}", &project.text(file)[value.range]);
    Some(Finding::new(&CONTAINER_IMAGE, value.range, Effect::Blocking, message).help(help))
}

/// The literal that `name` certainly stands for at `offset`, also if it is imported from the project: `CPU`,
/// `settings.CPU`, `Config.CPU`.
pub fn constant(project: &Project, file: FileId, name: &str, offset: TextSize) -> Option<Value> {
    let facts = project.facts(file)?;
    let mut parts = name.split('.');
    let [binding] = facts.module.visible(parts.next()?, offset)[..] else { return None };
    let attributes: Vec<Name> = parts.map(Name::new).collect();
    value_of(project, &project.follow(file, binding, &attributes, 0), attributes.is_empty())
}

/// The literal that a parameter certainly gets; not what is read from it.
fn constant_of(project: &Project, given: &Given, name: &str) -> Option<Value> {
    match &given.value.kind {
        _ if name.contains('.') => None,
        ValueKind::Name(name) => constant(project, given.file, name, given.value.range.start()),
        _ => given.value.is_literal().then(|| given.value.clone()),
    }
}

/// The literal that the name at `range` certainly stands for, wherever it stands.
pub fn constant_at(project: &Project, file: FileId, range: TextRange) -> Option<Value> {
    let reference = project.facts(file)?.reference_at(range)?;
    value_of(project, project.resolve(file, reference), reference.attributes.is_empty())
}

/// The literal that the only target of a name has; `is_own` tells whether the name is read without attributes.
fn value_of(project: &Project, targets: &[Target], is_own: bool) -> Option<Value> {
    let [Target::Binding(target_file, target, rest)] = targets else { return None };
    let module = &project.facts(*target_file)?.module;
    let definition = &module.bindings[*target];
    let value = match (&definition.kind, rest.as_slice()) {
        (BindingKind::Assignment { value, .. }, []) if value.is_literal() => value,
        (BindingKind::Definition, [field]) => {
            let attributes = module.class_attributes.get(&definition.owner)?;
            &attributes.iter().find(|(name, value)| name == field && value.is_literal())?.1
        }
        _ => return None,
    };
    // What is read through something else can be assigned there: `settings.CPU = 4`.
    let is_kept = is_own && value.is_immutable();
    let is_changed = project.changed.contains(&(*target_file, *target));
    (is_kept || !is_changed).then(|| value.clone())
}

/// Whether code may change the list or dict that `value` gives, read at `offset`: one that has a name, also behind `:=`.
fn is_changed(project: &Project, file: FileId, value: &Value, offset: TextSize) -> bool {
    let Some(facts) = project.facts(file) else { return false };
    let is_target_changed = |target: &Target| {
        let Target::Binding(file, binding, _) = target else { return false };
        let is_immutable = project.facts(*file).is_some_and(|facts| {
            matches!(&facts.module.bindings[*binding].kind,
                BindingKind::Assignment { value, .. } if value.is_literal() && value.is_immutable())
        });
        project.changed.contains(&(*file, *binding)) && !is_immutable
    };
    match &value.kind {
        ValueKind::Name(name) => facts
            .module
            .visible(name, offset)
            .into_iter()
            .any(|binding| project.follow(file, binding, &[], 0).iter().any(is_target_changed)),
        ValueKind::Conditional(value, otherwise) => {
            is_changed(project, file, value, offset) || is_changed(project, file, otherwise, offset)
        }
        ValueKind::Subscript(container) => is_changed(project, file, container, offset),
        ValueKind::Opaque => {
            let mut bound = facts.module.bindings.iter().enumerate();
            let mut read = facts.module.references.iter();
            bound.any(|(id, binding)| {
                value.range.contains_range(binding.range) && project.changed.contains(&(file, id))
            }) || read.any(|reference| {
                value.range.contains_range(reference.range)
                    && project.resolve(file, reference).iter().any(is_target_changed)
            })
        }
        _ => false,
    }
}

/// What a `container_image=` that is no `ImageSpec` becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlainImage {
    /// The text of an expression: a reference in a string.
    Text(String),
    /// The name of an image that is Flyte 2's already.
    Flyte2(String),
    /// `Image.from_ref_name("…")`
    RefName(String),
    /// The Debian base, in place of flytekit's own images.
    Debian(Option<(u8, u8)>),
}

/// Maps a `container_image=` that is no `ImageSpec`; `None` if the entity has none.
///
/// # Errors
/// What stands in the way.
pub fn plain_image(project: &Project, graph: &Graph, node: NodeId) -> Result<Option<PlainImage>, Finding> {
    let file = graph.nodes[node].file;
    let Some((ImageUse::Value(value), _)) = graph.image_use(node) else { return Ok(None) };
    let blocking = |message: String| Finding::new(&CONTAINER_IMAGE, value.range, Effect::Blocking, message);
    if is_flyte2_image(project, file, value.range, 0) {
        return Ok(Some(PlainImage::Flyte2(project.text(file)[value.range].to_owned())));
    }
    let Some(uri) = known_text(project, file, value) else {
        if is_address(project, file, value.range) {
            return Ok(Some(PlainImage::Text(project.text(file)[value.range].to_owned())));
        }
        return Err(unreadable_image(project, file, value));
    };
    let uri = uri.as_str();
    if is_flytekit_image(uri) {
        return match base_image_python(uri) {
            Some(version) if version >= (3, 10) => Ok(Some(PlainImage::Debian(Some(version)))),
            Some(_) => Err(blocking(format!("`{uri}` has a Python that is older than flyte supports"))
                .help("Move the task to Python 3.10 or newer")),
            None => Err(blocking(format!("`{uri}` is a Flyte 1 image whose tag names no Python version"))
                .help("Remove it, or name an image that contains `flyte`")),
        };
    }
    if let Some(name) = template_name(uri) {
        return Ok(Some(PlainImage::RefName(name.to_owned())));
    }
    if uri.contains("{{") {
        return Err(blocking(format!("`{uri}` is a template that Flyte 2 does not know"))
            .help("Use `Image.from_ref_name` and `image.image_refs` of the configuration"));
    }
    Ok(Some(PlainImage::Text(project.text(file)[value.range].to_owned())))
}

/// Whether an expression certainly gives a string, and, as far as it is known, neither one of flytekit's own images nor
/// a template.
fn is_address(project: &Project, file: FileId, range: TextRange) -> bool {
    let reference = project.facts(file).and_then(|facts| facts.reference_at(range));
    let is_changed = |target: &Target| matches!(target, Target::Binding(file, binding, _) if project.changed.contains(&(*file, *binding)));
    if reference.is_some_and(|reference| project.resolve(file, reference).iter().any(is_changed)) {
        return false;
    }
    let strings = strings(project, file, range, &Arguments::new());
    let is_plain = |known: &Text| !is_flytekit_image(&known.text) && !known.text.contains("{{");
    strings.is_one() && strings.known.iter().all(is_plain)
}

/// The string that an expression certainly gives: a literal, constants of the project, and what is put together of them.
fn known_text(project: &Project, file: FileId, value: &Value) -> Option<String> {
    match &value.kind {
        ValueKind::Str(text) => Some(text.clone()),
        ValueKind::Name(name) => {
            constant(project, file, name, value.range.start())?.as_str().map(str::to_owned)
        }
        ValueKind::Concat(left, right) => {
            Some(known_text(project, file, left)? + &known_text(project, file, right)?)
        }
        ValueKind::FString(text, names) => formatted(project, file, text, names),
        ValueKind::Opaque => attribute(project, file, value.range)?.as_str().map(str::to_owned),
        _ => None,
    }
}

/// The text of an f-string whose expressions are all plain names of strings.
fn formatted(project: &Project, file: FileId, text: &str, names: &[TextRange]) -> Option<String> {
    let mut parts = text.split("{}");
    let mut whole = parts.next()?.to_owned();
    let source = project.text(file);
    for &range in names {
        let is_plain = source[..usize::from(range.start())].ends_with('{')
            && source[usize::from(range.end())..].starts_with('}');
        let value = constant(project, file, &source[range], range.start()).filter(|_| is_plain)?;
        whole.push_str(value.as_str()?);
        whole.push_str(parts.next()?);
    }
    parts.next().is_none().then_some(whole)
}

/// The literal that `module.NAME` certainly stands for.
fn attribute(project: &Project, file: FileId, range: TextRange) -> Option<Value> {
    let reference = project.facts(file)?.reference_at(range)?;
    let [Target::Binding(file, binding, rest)] = project.resolve(file, reference) else { return None };
    let is_changed = project.changed.contains(&(*file, *binding));
    match &project.facts(*file)?.module.bindings[*binding].kind {
        BindingKind::Assignment { value, .. } if rest.is_empty() && !is_changed && value.is_literal() => {
            Some(value.clone())
        }
        _ => None,
    }
}

/// What to say of a `container_image=` that is neither an image nor a string which is known.
fn unreadable_image(project: &Project, file: FileId, value: &Value) -> Finding {
    const BY_NAME: &str = "Give the task an `ImageSpec` that is assigned to a name of a module";
    const ADDRESS: &str = "Give the task an `ImageSpec` that is assigned to a name of a module, or an address that is written out";
    let text = &project.text(file)[value.range];
    let (what, help) = match &value.kind {
        ValueKind::FString(..) | ValueKind::Concat(..) => {
            ("is put together of values that cannot be read".to_owned(), ADDRESS)
        }
        ValueKind::Call => ("is what a function gives, which cannot be read".to_owned(), ADDRESS),
        ValueKind::Subscript(_) => ("is looked up in something that cannot be read".to_owned(), ADDRESS),
        ValueKind::Dict(_) | ValueKind::List(_) | ValueKind::Tuple(_) => ("is no image".to_owned(), BY_NAME),
        _ => match given_by(project, file, value.range) {
            Some(source) => (format!("is what `{source}` gives, which cannot be read"), BY_NAME),
            None => ("is no image that can be read".to_owned(), BY_NAME),
        },
    };
    let message = format!("`container_image={text}` {what}");
    Finding::new(&CONTAINER_IMAGE, value.range, Effect::Blocking, message).help(help)
}

/// The function whose result the name at `range` is bound to.
fn given_by(project: &Project, file: FileId, range: TextRange) -> Option<&str> {
    let reference = project.facts(file)?.reference_at(range)?;
    let [Target::Binding(file, binding, rest)] = project.resolve(file, reference) else { return None };
    let BindingKind::Assignment { value, .. } = &project.facts(*file)?.module.bindings[*binding].kind else {
        return None;
    };
    let (callee, _) = project.text(*file)[value.range].split_once('(')?;
    (value.kind == ValueKind::Call && rest.is_empty() && !callee.is_empty()).then_some(callee)
}

/// Whether the name at `range` is a variable that holds an image of Flyte 2 already, as after a first, partial run:
/// `Image.from_…(…)`, or what a method of such an image gives.
fn is_flyte2_image(project: &Project, file: FileId, range: TextRange, depth: usize) -> bool {
    let Some(reference) = project.facts(file).and_then(|facts| facts.reference_at(range)) else {
        return false;
    };
    depth < 16
        && project.resolve(file, reference).iter().all(|target| {
            let Target::Binding(file, binding, rest) = target else { return false };
            let Some(facts) = project.facts(*file).filter(|_| rest.len() <= usize::from(depth > 0)) else {
                return false;
            };
            let binding = &facts.module.bindings[*binding];
            let BindingKind::Assignment { value, .. } = &binding.kind else { return false };
            let mut references = facts.module.references_of(binding.owner).iter();
            references.any(|reference| {
                let is_start = reference.range.start() >= value.range.start()
                    && value.range.contains_range(reference.range)
                    && project.text(*file)[TextRange::new(value.range.start(), reference.range.start())]
                        .trim_matches(['(', ' ', '\n', '\r', '\t'])
                        .is_empty();
                is_start && is_flyte2_source(project, *file, reference, depth)
            })
        })
}

fn is_flyte2_source(project: &Project, file: FileId, reference: &Reference, depth: usize) -> bool {
    let targets = project.resolve(file, reference);
    let is_constructor =
        |target: &Target| matches!(target, Target::External(path) if path.starts_with("flyte.Image."));
    targets.iter().any(is_constructor) || is_flyte2_image(project, file, reference.range, depth + 1)
}

fn plain_image_findings(project: &Project, graph: &Graph, node: NodeId) -> Option<Finding> {
    match plain_image(project, graph, node) {
        Err(finding) => Some(finding),
        Ok(Some(PlainImage::Text(text))) => unknown_image(graph, node, &text),
        Ok(_) => None,
    }
}

/// An image that is given by its reference must hold `flyte`, which nobody can tell from here.
fn unknown_image(graph: &Graph, node: NodeId, text: &str) -> Option<Finding> {
    let Some((ImageUse::Value(value), _)) = graph.image_use(node) else { return None };
    let message = format!("image `{text}` must contain the `flyte` package");
    let help = format!(
        "Make sure that it does, or use `Image.from_base({text}).clone(name=…, extendable=True).with_pip_packages(\"flyte\")`"
    );
    Some(Finding::new(&CONTAINER_IMAGE, value.range, Effect::Unsafe, message).help(help))
}

/// The name in `{{.image.NAME.fqn}}:{{.image.NAME.version}}` or `{{.image.NAME}}`, as flytekit's pattern reads them.
fn template_name(uri: &str) -> Option<&str> {
    if let Some((name, None)) = placeholder(uri) {
        return Some(name);
    }
    let (first, second) = uri.split_once("}}:")?;
    let whole = placeholder(&uri[..first.len() + 2])?;
    let tag = placeholder(second)?;
    let is_pair = whole.1? == "fqn" && tag.1? == "version" && whole.0 == tag.0;
    is_pair.then_some(whole.0)
}

/// Name and attribute of `{{.image.NAME.ATTRIBUTE}}`.
fn placeholder(text: &str) -> Option<(&str, Option<&str>)> {
    let inner = text.strip_prefix("{{")?.strip_suffix("}}")?.trim();
    let path = inner.strip_prefix(".images.").or_else(|| inner.strip_prefix(".image."))?;
    let (name, attribute) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let is_plain =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    is_plain.then_some((name, attribute))
}

/// The members of each group: what is tied, directly or through others.
fn groups(graph: &Graph) -> Vec<Group> {
    fn root(parent: &mut [NodeId], mut node: NodeId) -> NodeId {
        while parent[node] != node {
            parent[node] = parent[parent[node]];
            node = parent[node];
        }
        node
    }
    let mut parent: Vec<NodeId> = (0..graph.nodes.len()).collect();
    for &(a, b) in &graph.edges {
        let (a, b) = (root(&mut parent, a), root(&mut parent, b));
        parent[a.max(b)] = a.min(b);
    }
    let mut members: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for node in 0..graph.nodes.len() {
        members.entry(root(&mut parent, node)).or_default().push(node);
    }
    let group = |members: Vec<NodeId>| {
        let is_around =
            |node: NodeId| matches!(graph.nodes[node].kind, NodeKind::Code(_) | NodeKind::Setting(_));
        let is_active = members.iter().any(|&node| !is_around(node));
        Group { members, is_converted: false, is_active }
    };
    members.into_values().map(group).collect()
}

/// Whether a node, by itself, may be converted.
pub fn is_free(graph: &Graph, node: NodeId, settings: Settings) -> bool {
    let own = graph.nodes[node].file;
    // A file beside that does not parse may break with it, which `--partial` accepts and the finding says.
    let is_accepted = |obstacle: &graph::Obstacle| {
        settings.is_partial && obstacle.file != own && obstacle.finding.rule == &SYNTAX_ERROR
    };
    graph.obstacles[node].iter().filter(|obstacle| !is_accepted(obstacle)).all(|obstacle| {
        match obstacle.finding.effect {
            Effect::Info => true,
            Effect::Unsafe => settings.allows_unsafe,
            Effect::Blocking => false,
        }
    })
}

fn decide(plan: &mut Plan, settings: Settings) {
    if settings.is_partial {
        decide_partially(plan, settings);
    } else {
        for group in &mut plan.groups {
            group.is_converted =
                group.is_active && group.members.iter().all(|&node| is_free(&plan.graph, node, settings));
            group.members.iter().for_each(|&node| plan.converts[node] = group.is_converted);
        }
    }
    convert_unused_settings(plan);
}

/// Settings that nothing uses follow the others of their file, so that it needs flytekit no more.
fn convert_unused_settings(plan: &mut Plan) {
    for group in 0..plan.groups.len() {
        let [node] = plan.groups[group].members[..] else { continue };
        let graph = &plan.graph;
        let is_unused = graph.setting(node).is_some() && graph.obstacles[node].is_empty();
        if is_unused && plan.converted_in(graph.nodes[node].file).next().is_some() {
            plan.converts[node] = true;
            plan.groups[group].is_converted = true;
        }
    }
}

fn decide_partially(plan: &mut Plan, settings: Settings) {
    let graph = &plan.graph;
    for group in plan.groups.iter().filter(|group| group.is_active) {
        for &node in &group.members {
            plan.converts[node] = is_free(graph, node, settings);
        }
    }
    // What needs an image that stays, stays.
    loop {
        let mut changed = false;
        for node in 0..graph.nodes.len() {
            let needs: Vec<NodeId> = match &graph.nodes[node].kind {
                NodeKind::Image(image) => image.base.into_iter().collect(),
                NodeKind::Maker(_) | NodeKind::Container(_) | NodeKind::Entity(_) => {
                    let images = graph.image_use(node).map(|(image, _)| image);
                    let actor = graph.entity(node).and_then(|entity| entity.maker);
                    match images {
                        Some(ImageUse::Specs(images)) => images.iter().copied().chain(actor).collect(),
                        _ => actor.into_iter().collect(),
                    }
                }
                NodeKind::Setting(_) => Vec::new(),
                NodeKind::Code(_) => graph.bodies[node].calls.iter().map(|&(_, callee)| callee).collect(),
            };
            let code = graph.needs.range((node, 0)..(node + 1, 0)).map(|&(_, code)| code);
            let settings = graph.settings_of(node);
            // Its methods, which make other images, are no methods of an image of Flyte 2.
            let is_derived_from = || graph.derived_from(node).any(|derived| !plan.converts[derived]);
            let is_unused =
                || graph.setting(node).is_some() && !graph.users_of(node).any(|user| plan.converts[user]);
            // A task that stays would look like one of Flyte 2 the next time, if the types in its signature were.
            let is_shared = || {
                let mut users = graph.needs.iter().filter(|(_, code)| *code == node);
                matches!(graph.nodes[node].kind, NodeKind::Code(_))
                    && users.any(|&(user, _)| graph.entity(user).is_some() && !plan.converts[user])
            };
            let is_idle = || {
                let mut users = graph.needs.iter().filter(|(_, code)| *code == node);
                matches!(graph.nodes[node].kind, NodeKind::Code(_))
                    && needs.is_empty()
                    && !users.any(|&(user, _)| plan.converts[user])
            };
            if plan.converts[node]
                && (needs.iter().copied().chain(code).chain(settings).any(|need| !plan.converts[need])
                    || is_derived_from()
                    || is_idle()
                    || is_shared()
                    || is_unused())
            {
                plan.converts[node] = false;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    for group in &mut plan.groups {
        group.is_converted = group.members.iter().all(|&node| plan.converts[node]);
    }
}
