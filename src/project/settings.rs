//! Names that hold objects such as `Resources`, which tasks take: they move with the tasks, in whatever file they are.
//!
//! ```python
//! # limits.py
//! SMALL = Resources(cpu="1", mem="1Gi")     # a node
//! # train.py
//! @task(requests=SMALL)                     # a tie
//! ```
//!
//! # FM256
//!
//! ## What it does
//!
//! Speaks of an object such as `Resources` behind a name that is used as more than a setting of tasks.
//!
//! ## Why
//!
//! What reads the object would meet one of Flyte 2, whose fields have other names and types.
//!
//! ## Example
//!
//! ```python
//! from flytekit import Resources, task
//!
//! SMALL = Resources(cpu="1", mem="1Gi")
//! print(SMALL.mem)
//!
//!
//! @task(requests=SMALL)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import Resources, task
//!
//! MEMORY = "1Gi"
//! SMALL = Resources(cpu="1", mem="1Gi")
//! print(MEMORY)
//!
//!
//! @task(requests=SMALL)
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
//! Reads that would mean the same on both.
//!
//! ## References
//!
//! `flytekit/core/resources.py` of flytekit 1.16.31; `flyte/_resources.py` of flyte 2.12.1.

use std::collections::BTreeSet;

use super::graph::{Graph, NodeId, NodeKind, SettingNode, Use};
use super::link::Target;
use super::plan::{FlyteNames, constant};
use super::{FileId, Project};
use crate::flyte1::symbol::Symbol;
use crate::flyte2::chain::Call as CallText;
use crate::python::ast::name::Name;
use crate::python::scope::{BindingId, BindingKind, Call, CallId, Module, Reference, Role, SECRET_PREFIX};
use crate::python::value::{Value, ValueKind};
use crate::rules::codes::{AMBIGUOUS_NAME, SETTING_USE};
use crate::rules::secrets;
use crate::rules::setting::{self, Effects, NamedSetting, SettingContext, SettingKind};
use crate::rules::{Effect, Finding};
use crate::source::{TextRange, TextSize};

/// Makes a node of each module-level name whose value is an object that tasks take, or a list, dict or class of such.
pub(super) fn collect_settings(project: &Project, graph: &mut Graph, file: FileId) {
    let Some(facts) = project.facts(file) else { return };
    for (id, binding) in facts.module.bindings.iter().enumerate() {
        if !binding.is_global || graph.by_binding.contains_key(&(file, id)) {
            continue;
        }
        let leaves = leaves_behind(&facts.module, id).into_iter();
        let calls: Vec<CallId> = leaves.filter_map(|leaf| setting_call(project, file, leaf)).collect();
        let is_understood = |call: &CallId| {
            !is_choice(&facts.module, id)
                || kind_of(project, file, &facts.module.calls[*call]) == Some(SettingKind::Resources)
        };
        if calls.is_empty() || !calls.iter().all(is_understood) {
            continue;
        }
        let node = graph.push(file, NodeKind::Setting(SettingNode { binding: id, calls }));
        graph.by_binding.insert((file, id), node);
        graph.by_setting.insert((file, binding.owner), node);
        let is_only = facts.module.bindings.iter().filter(|other| other.name == binding.name).count() == 1;
        if !is_only || !binding.is_unconditional {
            let finding = Finding::new(
                &AMBIGUOUS_NAME,
                binding.range,
                Effect::Blocking,
                format!("`{}` is bound more than once, or not always", binding.name),
            )
            .help("Give each value its own name, at the top level of the module");
            graph.block(node, file, finding);
        }
    }
}

/// What stands beside settings in a list or dict must be understood too: it may be an object of Flyte 1.
pub(super) fn check_settings(project: &Project, graph: &mut Graph) {
    for node in 0..graph.nodes.len() {
        let file = graph.nodes[node].file;
        let (Some(setting), Some(facts)) = (graph.setting(node), project.facts(file)) else { continue };
        let leaves = leaves_behind(&facts.module, setting.binding);
        let is_class = facts.module.bindings[setting.binding].kind == BindingKind::Definition;
        let is_known = |leaf: &Value| {
            let range = match &leaf.kind {
                ValueKind::Starred(inner) => inner.range,
                _ => leaf.range,
            };
            leaf.is_literal()
                || setting_call(project, file, leaf).is_some()
                || !named(project, graph, file, range).is_empty()
                || is_class && is_of_others(project, file, range)
        };
        let Some(unknown) = leaves.into_iter().find(|leaf| !is_known(leaf)).map(|leaf| leaf.range) else {
            continue;
        };
        let finding = Finding::new(
            &SETTING_USE,
            unknown,
            Effect::Blocking,
            format!(
                "`{}` beside settings of tasks may be an object of Flyte 1",
                &project.text(file)[unknown]
            ),
        )
        .help("Write it out, or assign it to a name of its own");
        graph.block(node, file, finding);
    }
}

/// Whether a name stands for one of several: `BIG if IS_LARGE else SMALL`.
fn is_choice(module: &Module, binding: BindingId) -> bool {
    matches!(
        &module.bindings[binding].kind,
        BindingKind::Assignment { value: Value { kind: ValueKind::Conditional(..), .. }, .. }
    )
}

/// Whether an expression reads nothing but other libraries: `os.environ["REGION"]`.
fn is_of_others(project: &Project, file: FileId, range: TextRange) -> bool {
    let references = project.facts(file).map_or(&[][..], |facts| &facts.module.references).iter();
    let mut read = references.filter(|reference| range.contains_range(reference.range));
    read.all(|reference| matches!(project.resolve(file, reference), [Target::External(_)]))
}

/// What stands in the value of a name, or in the attributes of a class.
fn leaves_behind(module: &Module, binding: BindingId) -> Vec<&Value> {
    let mut leaves = Vec::new();
    if let BindingKind::Assignment { value, .. } = &module.bindings[binding].kind {
        leaves_of(value, &mut leaves);
    }
    attributes_of(module, binding).iter().for_each(|(_, value)| leaves_of(value, &mut leaves));
    leaves
}

/// The attributes of a class that does nothing but assign them.
fn attributes_of(module: &Module, binding: BindingId) -> &[(String, Value)] {
    let binding = &module.bindings[binding];
    let is_class = binding.kind == BindingKind::Definition;
    module.class_attributes.get(&binding.owner).filter(|_| is_class).map_or(&[], Vec::as_slice)
}

/// The value itself, or what stands in its lists, tuples, dicts and choices.
fn leaves_of<'v>(value: &'v Value, leaves: &mut Vec<&'v Value>) {
    match &value.kind {
        ValueKind::List(elements) | ValueKind::Tuple(elements) => {
            elements.iter().for_each(|element| leaves_of(element, leaves));
        }
        ValueKind::Dict(items) => items.iter().for_each(|(_, value)| leaves_of(value, leaves)),
        ValueKind::Concat(left, right) | ValueKind::Conditional(left, right) => {
            leaves_of(left, leaves);
            leaves_of(right, leaves);
        }
        _ => leaves.push(value),
    }
}

fn setting_call(project: &Project, file: FileId, value: &Value) -> Option<CallId> {
    let facts = project.facts(file).filter(|_| value.kind == ValueKind::Call)?;
    let id = facts.module.calls.iter().position(|call| call.range == value.range)?;
    kind_of(project, file, &facts.module.calls[id])?;
    Some(id)
}

fn kind_of(project: &Project, file: FileId, call: &Call) -> Option<SettingKind> {
    SettingKind::of(&project.symbol(file, project.facts(file)?.module.callee(call)?)?)
}

/// Ties a use of settings that is understood: in the decorator of a task, in another object. What a keyword makes of
/// it is the business of the rule of that keyword.
pub(super) fn setting_reference(
    project: &Project,
    graph: &mut Graph,
    file: FileId,
    reference: &Reference,
    nodes: &[(NodeId, bool)],
    owners: &[NodeId],
) -> bool {
    let Some(facts) = project.facts(file) else { return false };
    if reads_constant(project, file, reference) {
        return true;
    }
    let is_whole = nodes.iter().all(|(_, is_whole)| *is_whole);
    let users: Vec<NodeId> = if reads_name_of_secret(project, graph, reference, nodes) {
        owners.to_vec()
    } else {
        let user = decorated(graph, &facts.module, file, reference, owners)
            .or_else(|| holder(graph, &facts.module, file, reference));
        match user {
            Some(user) if is_whole => vec![user],
            _ => return false,
        }
    };
    for user in users {
        nodes.iter().for_each(|&(node, _)| graph.tie(user, node));
    }
    true
}

/// Whether a reference reads an attribute of a class that is the same on both: `Config.REGION` beside `Config.SMALL`.
fn reads_constant(project: &Project, file: FileId, reference: &Reference) -> bool {
    let is_read = !matches!(reference.role, Role::Mutated | Role::Filled(_));
    let is_plain = |target: &Target| {
        let Target::Binding(home, binding, rest) = target else { return false };
        let Some(facts) = project.facts(*home) else { return false };
        let mut attributes = attributes_of(&facts.module, *binding).iter();
        let value = attributes.find(|(name, _)| rest.first().is_some_and(|attribute| attribute == name));
        value.is_some_and(|(_, value)| value.is_literal() || is_of_others(project, *home, value.range))
    };
    is_read && project.resolve(file, reference).iter().all(is_plain)
}

/// The entity in whose decorator the reference stands.
fn decorated(
    graph: &Graph,
    module: &Module,
    file: FileId,
    reference: &Reference,
    owners: &[NodeId],
) -> Option<NodeId> {
    owners.iter().copied().find(|&owner| {
        graph.nodes[owner].file == file
            && graph
                .entity(owner)
                .and_then(|entity| entity.call)
                .is_some_and(|call| module.calls[call].parentheses.contains_range(reference.range))
    })
}

/// The node in whose value the reference stands as an element or an argument.
fn holder(graph: &Graph, module: &Module, file: FileId, reference: &Reference) -> Option<NodeId> {
    let is_part = matches!(reference.role, Role::Argument(..) | Role::Other);
    let bindings = module.bindings.iter().enumerate().filter(|(_, binding)| binding.owner == reference.owner);
    let mut nodes = bindings.filter_map(|(id, _)| graph.by_binding.get(&(file, id)).copied());
    let is_user = |node: NodeId| {
        graph.setting(node).is_some() || graph.maker(node).is_some() || graph.container(node).is_some()
    };
    nodes.find(|&node| is_part && is_user(node))
}

/// `SECRET.group` and `SECRET.key` are the same on both.
fn reads_name_of_secret(
    project: &Project,
    graph: &Graph,
    reference: &Reference,
    nodes: &[(NodeId, bool)],
) -> bool {
    let attribute = reference.attributes.last().map(Name::as_str);
    attribute.is_some_and(|name| matches!(name, "group" | "key"))
        && nodes.iter().all(|&(node, is_whole)| {
            let objects = objects_of(project, graph, node);
            let is_given = |setting: &NamedSetting<'_>| {
                setting.kind == SettingKind::Secret
                    && attribute.is_some_and(|name| setting.call.keyword(name).is_some())
            };
            !is_whole && !objects.is_empty() && objects.iter().all(is_given)
        })
}

/// Other uses of settings.
pub(super) fn other_use(
    project: &Project,
    graph: &mut Graph,
    file: FileId,
    reference: &Reference,
    node: NodeId,
) {
    let text = &project.text(file)[reference.range];
    let finding = Finding::new(
        &SETTING_USE,
        reference.range,
        Effect::Blocking,
        format!("`{text}` is used here as more than a setting of tasks"),
    )
    .help("Migrate this use by hand first");
    graph.uses.push(Use { file, range: reference.range, statement: reference.owner, node, finding });
}

/// The objects that a node holds.
fn objects_of<'p>(project: &'p Project, graph: &Graph, node: NodeId) -> Vec<NamedSetting<'p>> {
    let file = graph.nodes[node].file;
    let (Some(facts), Some(setting)) = (project.facts(file), graph.setting(node)) else { return Vec::new() };
    let is_in_tuple = matches!(
        &facts.module.bindings[setting.binding].kind,
        BindingKind::Assignment { value: Value { kind: ValueKind::Tuple(_), .. }, .. }
    );
    let is_choice = is_choice(&facts.module, setting.binding);
    let calls = setting.calls.iter().filter_map(|&call| {
        let call = &facts.module.calls[call];
        Some(NamedSetting {
            text: project.text(file),
            style: &facts.style,
            call,
            kind: kind_of(project, file, call)?,
            is_in_tuple,
            is_choice,
        })
    });
    calls.collect()
}

/// The objects that the name at `range` certainly stands for, or an item of what it stands for: `SIZES["small"]`.
fn named<'p>(project: &'p Project, graph: &Graph, file: FileId, range: TextRange) -> Vec<NamedSetting<'p>> {
    let Some(facts) = project.facts(file) else { return Vec::new() };
    let (reference, key) = if let Some(reference) = facts.reference_at(range) {
        if let Some((_, object)) = attribute_of_class(project, graph, file, reference) {
            return vec![object];
        }
        (reference, None)
    } else {
        let mut starts = facts.module.references.iter();
        let is_start = |reference: &&Reference| {
            reference.range.start() == range.start() && reference.range.end() < range.end()
        };
        let Some(reference) = starts.find(is_start) else { return Vec::new() };
        let item = &project.text(file)[TextRange::new(reference.range.end(), range.end())];
        (reference, Some(item))
    };
    let nodes = graph.nodes_of(project, file, reference).unwrap_or_default();
    if !nodes.iter().all(|&node| graph.setting(node).is_some()) {
        return Vec::new();
    }
    let objects = |node: NodeId| match key {
        None => objects_of(project, graph, node),
        Some(item) => item_of(project, graph, node, item).into_iter().collect(),
    };
    nodes.into_iter().flat_map(objects).collect()
}

/// The object that `Sizes.SMALL` reads from a class.
fn attribute_of_class<'p>(
    project: &'p Project,
    graph: &Graph,
    file: FileId,
    reference: &Reference,
) -> Option<(FileId, NamedSetting<'p>)> {
    let [Target::Binding(home, binding, rest)] = project.resolve(file, reference) else { return None };
    let [attribute] = rest.as_slice() else { return None };
    let node =
        graph.by_binding.get(&(*home, *binding)).copied().filter(|&node| graph.setting(node).is_some())?;
    let attributes = attributes_of(&project.facts(*home)?.module, *binding).iter();
    let (_, value) = attributes.rev().find(|(name, _)| name == attribute)?;
    let object =
        objects_of(project, graph, node).into_iter().find(|object| object.call.range == value.range)?;
    Some((*home, object))
}

/// The object behind `["key"]` or `[0]` of a dict or list.
fn item_of<'p>(project: &'p Project, graph: &Graph, node: NodeId, item: &str) -> Option<NamedSetting<'p>> {
    let file = graph.nodes[node].file;
    let facts = project.facts(file)?;
    let BindingKind::Assignment { value, .. } = &facts.module.bindings[graph.setting(node)?.binding].kind
    else {
        return None;
    };
    let key = item.strip_prefix('[')?.strip_suffix(']')?.trim();
    let element = match &value.kind {
        ValueKind::Dict(items) => {
            let quoted =
                ['"', '\''].into_iter().find_map(|quote| key.strip_prefix(quote)?.strip_suffix(quote))?;
            let is_it = |key: &Option<Value>| key.as_ref().and_then(Value::as_str) == Some(quoted);
            items.iter().rev().find(|(key, _)| is_it(key)).map(|(_, value)| value)
        }
        _ => value.elements()?.get(key.parse::<usize>().ok()?),
    }?;
    let object =
        objects_of(project, graph, node).into_iter().find(|object| object.call.range == element.range);
    object.map(|object| NamedSetting { is_in_tuple: false, ..object })
}

/// A secret that a task declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredSecret {
    /// The task.
    pub node: NodeId,
    /// Its group.
    pub group: Option<String>,
    /// Its key.
    pub key: String,
    /// The environment variable that holds it on Flyte 2.
    pub variable: String,
}

impl DeclaredSecret {
    /// The environment variable that holds it on Flyte 1 (`flytekit/core/context_manager.py`, 1.16.31).
    pub fn flyte1_variable(&self) -> String {
        let names: Vec<&str> = self.group.as_deref().into_iter().chain([self.key.as_str()]).collect();
        format!("{SECRET_PREFIX}{}", names.join("_").to_uppercase())
    }
}

/// Whether a task declares a secret as a file.
pub fn is_file_secret(project: &Project, graph: &Graph, group: Option<&str>, key: &str) -> bool {
    (0..graph.nodes.len()).flat_map(|node| secrets_of(project, graph, node)).any(|(file, call)| {
        let name = |field: &str| secret_field(project, file, call, field);
        is_mounted(project, file, call)
            && name("group").as_deref() == group
            && name("key").as_deref() == Some(key)
    })
}

/// The secrets of the project whose names can be read; not those that are mounted as files.
pub fn declared_secrets(project: &Project, graph: &Graph) -> Vec<DeclaredSecret> {
    let mut found = Vec::new();
    for node in 0..graph.nodes.len() {
        let secrets = secrets_of(project, graph, node).into_iter();
        for (file, call) in secrets.filter(|(file, call)| !is_mounted(project, *file, call)) {
            let name = |field: &str| secret_field(project, file, call, field);
            let Some(key) = name("key") else { continue };
            let group = name("group");
            let names: Vec<&str> = group.as_deref().into_iter().chain([key.as_str()]).collect();
            let variable = name("env_var").unwrap_or_else(|| secrets::variable_of(&names));
            found.push(DeclaredSecret { node, group, key, variable });
        }
    }
    found
}

/// The calls of `Secret` that the decorator of an entity names, with their files.
fn secrets_of<'p>(project: &'p Project, graph: &Graph, node: NodeId) -> Vec<(FileId, &'p Call)> {
    let given = graph.entity(node).and_then(|_| graph.keyword(project, node, "secret_requests"));
    let Some((file, argument)) = given else { return Vec::new() };
    let Some(facts) = project.facts(file) else { return Vec::new() };
    let mut leaves = Vec::new();
    leaves_of(&argument.value, &mut leaves);
    let mut calls = Vec::new();
    for leaf in leaves {
        if let Some(call) = setting_call(project, file, leaf) {
            calls.push((file, &facts.module.calls[call]));
            continue;
        }
        let reference = facts.reference_at(leaf.range);
        if let Some((home, object)) =
            reference.and_then(|reference| attribute_of_class(project, graph, file, reference))
        {
            calls.push((home, object.call));
            continue;
        }
        let nodes = reference.and_then(|reference| graph.nodes_of(project, file, reference));
        for named in nodes.unwrap_or_default() {
            let objects = objects_of(project, graph, named).into_iter();
            calls.extend(objects.map(|object| (graph.nodes[named].file, object.call)));
        }
    }
    calls.retain(|(file, call)| kind_of(project, *file, call) == Some(SettingKind::Secret));
    calls
}

/// Whether a secret is mounted as a file.
fn is_mounted(project: &Project, file: FileId, call: &Call) -> bool {
    let mount = call.keyword("mount_requirement");
    mount.is_some_and(|mount| project.text(file)[mount.value.range].ends_with("FILE"))
}

/// The string that a field of a secret is or names.
fn secret_field(project: &Project, file: FileId, call: &Call, field: &str) -> Option<String> {
    let mut fields = call.fields(&secrets::FIELDS);
    let (_, argument, _) = fields.find(|(name, ..)| *name == Some(field))?;
    match &argument.value.kind {
        ValueKind::Name(name) => {
            constant_there(project, file, name, call.range.start())?.as_str().map(str::to_owned)
        }
        _ => argument.value.as_str().map(str::to_owned),
    }
}

/// The string that `SECRET.group` or `SECRET.key` is.
pub fn name_of_secret(
    project: &Project,
    graph: &Graph,
    file: FileId,
    reference: &Reference,
) -> Option<String> {
    let [Target::Binding(target, binding, rest)] = project.resolve(file, reference) else { return None };
    let [field] = rest.as_slice() else { return None };
    let node = *graph.by_binding.get(&(*target, *binding))?;
    match objects_of(project, graph, node)[..] {
        [NamedSetting { call, kind: SettingKind::Secret, .. }] => secret_field(project, *target, call, field),
        _ => None,
    }
}

/// The literal that `name` stands for where a setting stands; in a class its own attributes come first.
fn constant_there(project: &Project, file: FileId, name: &str, offset: TextSize) -> Option<Value> {
    let module = &project.facts(file)?.module;
    let owner = module.statements.iter().position(|statement| statement.contains(offset));
    let attributes = owner.and_then(|owner| module.class_attributes.get(&owner)).into_iter().flatten();
    match attributes.rev().find(|(attribute, _)| attribute == name) {
        Some((_, value)) => value.is_literal().then(|| value.clone()),
        None => constant(project, file, name, offset),
    }
}

/// Gives `use_it` what the mapping of settings of `file` may ask, as seen at `offset`.
pub fn with_context<T>(
    project: &Project,
    graph: &Graph,
    file: FileId,
    offset: TextSize,
    names: &FlyteNames,
    use_it: impl FnOnce(&SettingContext<'_>) -> T,
) -> Option<T> {
    let facts = project.facts(file)?;
    Some(use_it(&SettingContext {
        text: project.text(file),
        module: &facts.module,
        style: &facts.style,
        line_length: names.line_length,
        name: &|name| names.of(name),
        constant: &|name| constant_there(project, file, name, offset),
        symbol: &|range| project.symbol(file, facts.reference_at(range)?),
        named: &|range| named(project, graph, file, range),
        addresses: &|range| addresses(project, graph, file, range),
    }))
}

/// Where `range` reads the address of an image in a pod template, without the image itself.
fn addresses(project: &Project, graph: &Graph, file: FileId, range: TextRange) -> Vec<TextRange> {
    let references = project.facts(file).map_or(&[][..], |facts| &facts.module.references).iter();
    let read = references.filter(|reference| range.contains_range(reference.range));
    read.filter_map(|reference| address_in_template(project, graph, file, reference).map(|(_, place)| place))
        .collect()
}

/// `image.image_name()` in a `PodTemplate(…)`: the image, and the place of `image_name()`.
pub(super) fn address_in_template(
    project: &Project,
    graph: &Graph,
    file: FileId,
    reference: &Reference,
) -> Option<(NodeId, TextRange)> {
    const METHOD: &str = "image_name";
    let (node, method) = graph.image_attribute(project, file, reference)?;
    let end = reference.range.end();
    let is_called = method == METHOD && project.text(file)[usize::from(end)..].starts_with("()");
    let module = &project.facts(file).filter(|_| is_called)?.module;
    let is_template = |call: &Call| {
        let callee = module.callee(call).and_then(|callee| project.symbol(file, callee));
        callee == Some(Symbol::PodTemplate) && call.range.contains_range(reference.range)
    };
    let place = TextRange::new(end - TextSize::of(METHOD), end + TextSize::of("()"));
    let is_written =
        module.calls.iter().any(is_template) && !template_users(graph, module, file, reference).is_empty();
    is_written.then_some((node, place))
}

/// The nodes whose settings hold what a reference reads: that of a decorator, or of a name.
pub(super) fn template_users(
    graph: &Graph,
    module: &Module,
    file: FileId,
    reference: &Reference,
) -> Vec<NodeId> {
    let holds = |&(_, call): &(FileId, CallId)| module.calls[call].range.contains_range(reference.range);
    let decorators = graph.by_decorator.iter().filter(|(key, _)| key.0 == file && holds(key));
    let setting = graph.by_setting.get(&(file, reference.owner)).copied();
    let users: BTreeSet<NodeId> = decorators.map(|(_, &node)| node).chain(setting).collect();
    users.into_iter().collect()
}

/// What the objects of a node become, by their places.
#[derive(Debug, Default)]
pub struct MappedSettings {
    /// The calls and what takes their places.
    pub objects: Vec<(TextRange, CallText)>,
    /// References in the annotation of the name, and the names of flyte for them.
    pub annotations: Vec<(TextRange, &'static str)>,
    /// What else is asked for.
    pub effects: Effects,
}

/// Maps the objects that a name holds, where they stand.
pub fn map_settings(project: &Project, graph: &Graph, node: NodeId, names: &FlyteNames) -> MappedSettings {
    let file = graph.nodes[node].file;
    let (Some(setting), Some(facts)) = (graph.setting(node), project.facts(file)) else {
        return MappedSettings::default();
    };
    let binding = &facts.module.bindings[setting.binding];
    let mapped = with_context(project, graph, file, binding.range.start(), names, |cx| {
        let mut mapped = MappedSettings::default();
        for &id in &setting.calls {
            let call = &facts.module.calls[id];
            let object = setting::map(cx, call, &mut mapped.effects);
            mapped.objects.extend(object.map(|object| (call.range, object)));
        }
        mapped
    });
    let mut mapped = mapped.unwrap_or_default();
    let inside = facts.module.references_of(binding.owner).iter();
    for reference in inside.filter(|reference| reference.role == Role::Annotation) {
        let kind = project.symbol(file, reference).and_then(|symbol| SettingKind::of(&symbol));
        // A class of a plugin keeps its name.
        if let Some(kind) = kind.filter(|kind| *kind != SettingKind::Plugin) {
            mapped.effects.consumed.push(reference.range);
            mapped.effects.uses.push(kind.name());
            mapped.annotations.push((reference.range, kind.name()));
        }
    }
    mapped
}

/// Whether every target of a reference is a setting.
pub(super) fn all_settings(
    project: &Project,
    graph: &Graph,
    targets: &[Target],
) -> Option<Vec<(NodeId, bool)>> {
    let nodes: Option<Vec<(NodeId, bool)>> = targets
        .iter()
        .map(|target| match target {
            Target::Binding(file, binding, rest) => {
                let node = *graph.by_binding.get(&(*file, *binding))?;
                let is_class =
                    project.facts(*file)?.module.bindings[*binding].kind == BindingKind::Definition;
                graph.setting(node).map(|_| (node, rest.len() == usize::from(is_class)))
            }
            _ => None,
        })
        .collect();
    nodes.filter(|nodes| !nodes.is_empty())
}
