//! The task environments of each file: which tasks share one, what it is called, where it stands.
//!
//! ```python
//! env = TaskEnvironment(name="etl_train", image=image)
//! ```
//!
//! # FM224
//!
//! ## What it does
//!
//! Reports tasks whose environments would depend on each other.
//!
//! ## Why
//!
//! An environment names those that it depends on, and Flyte 2 deploys them first; they cannot go round in a
//! circle.
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
//! By hand. Give the tasks the same settings, or move one of them.
//!
//! ## Not handled
//!
//! Circles between modules.
//!
//! ## References
//!
//! The README: "What moves together" and "Limits".

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::files::{Overview, files_of, taken_by_stars};
use crate::project::graph::{EntityKind, EntityNode, ImageUse, MakerKind, NodeId, NodeKind};
use crate::project::link::Target;
use crate::project::plan::{
    Additions, FlyteNames, PlainImage, Plan, map_entity, map_maker, place, plain_image,
};
use crate::project::whole_file::name_of;
use crate::project::{FileId, Project};
use crate::python::ast::name::Name;
use crate::python::module_path::ImportPath;
use crate::python::scope::{BindingId, BindingKind, ImportStatement, Reference};
use crate::rules::codes::DEPENDENCY_CYCLE;
use crate::rules::task::EnvironmentSetting;
use crate::rules::{Effect, Finding};
use crate::source::{TextRange, TextSize};

/// The image of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum EnvironmentImage {
    /// None given, or flytekit's own: the Debian base of that Python, written only if packages are added.
    Default(Option<(u8, u8)>),
    /// `ImageSpecs` that are converted, and the expression that names them.
    Specs(Vec<NodeId>, String),
    /// An `ImageSpec` that was written into the decorator.
    Inline(NodeId),
    /// Another expression.
    Text(String),
    /// An image of the configuration.
    RefName(String),
    /// The image of an environment of another file that this one depends on.
    OfDependency,
}

/// An environment to be written.
#[derive(Debug)]
pub(super) struct Environment {
    /// Its file.
    pub(super) file: FileId,
    /// The variable that holds it.
    pub(super) variable: String,
    /// Its name, unique in the project.
    pub(super) name: String,
    /// Its image.
    pub(super) image: EnvironmentImage,
    /// Its other arguments.
    pub(super) settings: Vec<EnvironmentSetting>,
    /// Its tasks in order of the source.
    pub(super) members: Vec<NodeId>,
    /// The environments whose tasks its own tasks call.
    pub(super) depends_on: Vec<Dependency>,
    /// The actor or `partial` that it takes the place of, or the container task that it is made from.
    pub(super) owner: Option<NodeId>,
    /// The bindings that its arguments read of names that are bound more than once: the same text means something else
    /// further down.
    rebound: Vec<BindingId>,
}

impl Environment {
    /// Whether its containers run one task after another.
    pub(super) fn is_reused(&self, plan: &Plan) -> bool {
        let maker = self.owner.and_then(|owner| plan.graph.maker(owner));
        maker.is_some_and(|maker| maker.kind == MakerKind::Actor)
    }

    /// Where it is made: above its first task, in the place of an actor, or below a container task.
    pub(super) fn offset(&self, project: &Project, plan: &Plan) -> TextSize {
        let node = self.owner.or(self.members.first().copied());
        let facts = project.facts(self.file);
        match (node.map(|node| &plan.graph.nodes[node].kind), facts) {
            (Some(NodeKind::Entity(entity)), _) => entity.decorator.start(),
            (Some(NodeKind::Maker(actor)), Some(facts)) => facts.module.calls[actor.call].range.start(),
            (Some(NodeKind::Container(container)), Some(facts)) => {
                facts.module.calls[container.call].range.start()
            }
            _ => TextSize::from(0),
        }
    }
}

/// An environment that another depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependency {
    /// The environment.
    pub(super) environment: usize,
    /// How it is named in the depending file; `None` if it cannot be imported there.
    pub(super) text: Option<String>,
    /// The import that the name needs, and the statement that it follows.
    pub(super) import: Option<(usize, String)>,
}

/// All environments, and which one each entity is in.
#[derive(Debug, Default)]
pub(super) struct Environments {
    /// The environments, by file and place.
    pub(super) all: Vec<Environment>,
    by_file: HashMap<FileId, Vec<usize>>,
    of_node: HashMap<NodeId, usize>,
    of_image: HashMap<NodeId, Vec<usize>>,
}

impl Environments {
    /// The environment of an entity.
    pub(super) fn of(&self, node: NodeId) -> Option<&Environment> {
        self.of_node.get(&node).map(|&id| &self.all[id])
    }

    /// The environments of a file, which stand side by side.
    pub(super) fn in_file(&self, file: FileId) -> impl Iterator<Item = (usize, &Environment)> {
        self.by_file.get(&file).into_iter().flatten().map(|&id| (id, &self.all[id]))
    }

    /// Adds one.
    fn push(&mut self, environment: Environment) -> usize {
        let id = self.all.len();
        self.by_file.entry(environment.file).or_default().push(id);
        self.all.push(environment);
        id
    }

    /// What the image of an `ImageSpec` needs beyond its own parameters.
    pub(super) fn additions(
        &self,
        project: &Project,
        plan: &Plan,
        overview: &Overview,
        image: NodeId,
    ) -> Additions {
        let files = self.files_with(plan, image);
        let is_reused = self.users(image).any(|environment| environment.is_reused(plan));
        let mut additions = Additions { is_reused, ..additions(project, overview, &files) };
        for base in plan.graph.bases(image).filter(|&base| plan.converts[base]) {
            let below = overview.brought(project, &self.files_with(plan, base));
            additions.brought.retain(|package| !below.contains(package));
        }
        additions
    }

    /// The environments that have an image.
    fn users(&self, image: NodeId) -> impl Iterator<Item = &Environment> {
        self.of_image.get(&image).into_iter().flatten().map(|&id| &self.all[id])
    }

    /// The files whose code runs in an image.
    fn files_with(&self, plan: &Plan, image: NodeId) -> BTreeSet<FileId> {
        files_of(plan, self.users(image).flat_map(|environment| environment.members.iter().copied()))
    }

    /// The environment whose image another takes, and how the image is written there: that of the first dependency that
    /// has one, of its own or from its dependencies in turn.
    pub(super) fn image_source(&self, environment: &Environment) -> Option<(&Environment, String)> {
        self.image_source_beyond(environment, &mut BTreeSet::new())
    }

    /// The same, without looking again at environments that are known: they may depend on each other.
    fn image_source_beyond(
        &self,
        environment: &Environment,
        known: &mut BTreeSet<usize>,
    ) -> Option<(&Environment, String)> {
        if environment.image != EnvironmentImage::OfDependency {
            return None;
        }
        environment.depends_on.iter().find_map(|dependency| {
            let text = format!("{}.image", dependency.text.as_ref()?);
            let source = &self.all[dependency.environment];
            match source.image {
                EnvironmentImage::Default(_) => None,
                EnvironmentImage::OfDependency if known.insert(dependency.environment) => {
                    self.image_source_beyond(source, known).map(|(source, _)| (source, text))
                }
                EnvironmentImage::OfDependency => None,
                _ => Some((source, text)),
            }
        })
    }

    /// The other files whose tasks it depends on, and which have another image than the one that it takes.
    pub(super) fn files_with_other_images(&self, environment: &Environment) -> BTreeSet<FileId> {
        let Some((chosen, _)) = self.image_source(environment) else { return BTreeSet::new() };
        let is_chosen = |image: &EnvironmentImage| match (image, &chosen.image) {
            (EnvironmentImage::Specs(images, _), EnvironmentImage::Specs(others, _)) => images == others,
            (image, other) => image == other,
        };
        let others = environment.depends_on.iter().map(|dependency| &self.all[dependency.environment]);
        others
            .filter(|other| other.file != environment.file)
            .filter(|other| !is_chosen(&self.image_source(other).map_or(*other, |(source, _)| source).image))
            .map(|other| other.file)
            .collect()
    }

    fn index_images(&mut self) {
        let mut of_image: HashMap<NodeId, Vec<usize>> = HashMap::new();
        for (id, environment) in self.all.iter().enumerate() {
            let source = self.image_source(environment).map_or(environment, |(source, _)| source);
            let images = match &source.image {
                EnvironmentImage::Specs(images, _) => images.as_slice(),
                EnvironmentImage::Inline(image) => std::slice::from_ref(image),
                _ => &[],
            };
            for &image in images {
                of_image.entry(image).or_default().push(id);
            }
        }
        self.of_image = of_image;
    }
}

/// What an image needs for the code of some files.
pub(super) fn additions(project: &Project, overview: &Overview, files: &BTreeSet<FileId>) -> Additions {
    Additions {
        keeps_flyte1: overview.needs_flyte1(files),
        brought: overview.brought(project, files),
        is_reused: false,
        runs_pip: files.iter().any(|&file| project.facts(file).is_some_and(|facts| facts.module.runs_pip)),
    }
}

/// Makes the environments of all converted entities.
pub(super) fn environments(project: &Project, plan: &Plan, overview: &Overview) -> Environments {
    let mut environments = Environments::default();
    // Without anything to convert there are none.
    if !plan.converts.contains(&true) {
        return environments;
    }
    let mut names = Names::new(project);
    // Those of other files have tasks too.
    for (file, _) in project.parsed() {
        place_makers(project, plan, overview, &mut environments, file);
    }
    for (file, _) in project.parsed() {
        place_containers(plan, &mut environments, file);
        let entities: Vec<NodeId> =
            plan.converted_in(file).filter(|&node| plan.graph.entity(node).is_some()).collect();
        group_tasks(project, plan, overview, &mut environments, file, &entities);
        place_workflows(project, plan, &mut environments, file, &entities);
        name(project, plan, &mut environments, &mut names, file);
    }
    link(project, plan, &mut environments);
    environments.index_images();
    environments
}

type Key = (EnvironmentImage, Vec<EnvironmentSetting>, Vec<BindingId>);

/// The environments that take the place of actors and of `partial`s.
fn place_makers(
    project: &Project,
    plan: &Plan,
    overview: &Overview,
    environments: &mut Environments,
    file: FileId,
) {
    let Some(facts) = project.facts(file) else { return };
    for node in plan.converted_in(file) {
        let Some(maker) = plan.graph.maker(node) else { continue };
        let settings = map_maker(project, &plan.graph, node, &overview.names(file)).settings;
        environments.push(Environment {
            file,
            variable: facts.module.bindings[maker.variable].name.to_string(),
            name: String::new(),
            image: image_of(project, plan, node),
            settings: settings.settings,
            members: Vec::new(),
            depends_on: Vec::new(),
            owner: Some(node),
            rebound: Vec::new(),
        });
    }
}

/// The environments that are made from container tasks. Nothing else runs in their images.
fn place_containers(plan: &Plan, environments: &mut Environments, file: FileId) {
    for node in plan.converted_in(file).filter(|&node| plan.graph.container(node).is_some()) {
        let id = environments.push(Environment {
            file,
            variable: String::new(),
            name: String::new(),
            image: EnvironmentImage::Default(None),
            settings: Vec::new(),
            members: Vec::new(),
            depends_on: Vec::new(),
            owner: Some(node),
            rebound: Vec::new(),
        });
        environments.of_node.insert(node, id);
    }
}

fn group_tasks(
    project: &Project,
    plan: &Plan,
    overview: &Overview,
    environments: &mut Environments,
    file: FileId,
    entities: &[NodeId],
) {
    let first = environments.all.len();
    for &node in entities {
        let Some(entity) = plan.graph.entity(node).filter(|entity| entity.kind != EntityKind::Workflow)
        else {
            continue;
        };
        if let Some(maker) = entity.maker.filter(|_| !entity.is_apart) {
            let id = environments.all.iter().position(|environment| environment.owner == Some(maker));
            if let Some(id) = id {
                environments.all[id].members.push(node);
                environments.of_node.insert(node, id);
            }
            continue;
        }
        let mapped = map_entity(project, &plan.graph, node, &overview.names(file));
        let key = (image_of(project, plan, node), mapped.settings, rebound(project, file, entity));
        add(environments, first, file, node, key);
    }
}

/// What a decorator reads of names that the module binds more than once.
fn rebound(project: &Project, file: FileId, entity: &EntityNode) -> Vec<BindingId> {
    let Some(module) = project.facts(file).map(|facts| &facts.module) else { return Vec::new() };
    let is_rebound =
        |name: &str| module.bindings.iter().filter(|other| other.is_global && other.name == name).count() > 1;
    let read = module.references_of(module.functions[entity.function].owner).iter();
    let read = read.filter(|reference| entity.decorator.contains_range(reference.range));
    read.filter(|reference| is_rebound(&reference.name))
        .flat_map(|reference| reference.bindings.iter().copied())
        .collect()
}

fn add(environments: &mut Environments, first: usize, file: FileId, node: NodeId, key: Key) {
    let same = (first..environments.all.len()).find(|&id| {
        let environment = &environments.all[id];
        environment.owner.is_none()
            && environment.image == key.0
            && environment.settings == key.1
            && environment.rebound == key.2
    });
    let id = same.unwrap_or_else(|| {
        let (image, settings, rebound) = key;
        environments.push(Environment {
            file,
            variable: String::new(),
            name: String::new(),
            image,
            settings,
            members: Vec::new(),
            depends_on: Vec::new(),
            owner: None,
            rebound,
        })
    });
    environments.all[id].members.push(node);
    environments.of_node.insert(node, id);
}

fn image_of(project: &Project, plan: &Plan, node: NodeId) -> EnvironmentImage {
    let file = plan.graph.nodes[node].file;
    match plan.graph.image_use(node) {
        Some((ImageUse::Specs(images), _)) => {
            let keyword = plan.graph.keyword(project, node, "container_image");
            let range = keyword.map(|(_, argument)| argument.value.range);
            match images[..] {
                [image]
                    if plan
                        .graph
                        .image(image)
                        .is_some_and(|image| image.variable.is_none() && !image.is_element) =>
                {
                    EnvironmentImage::Inline(image)
                }
                _ => EnvironmentImage::Specs(
                    images.clone(),
                    range.map(|range| project.text(file)[range].to_owned()).unwrap_or_default(),
                ),
            }
        }
        _ => match plain_image(project, &plan.graph, node) {
            Ok(Some(PlainImage::Text(text) | PlainImage::Flyte2(text))) => EnvironmentImage::Text(text),
            Ok(Some(PlainImage::RefName(name))) => EnvironmentImage::RefName(name),
            Ok(Some(PlainImage::Debian(version))) => EnvironmentImage::Default(version),
            Ok(None) | Err(_) => EnvironmentImage::Default(None),
        },
    }
}

/// A workflow shares an environment without resources of its own, if that stands above all environments that it
/// calls; else it gets one, with an image that can import the module.
fn place_workflows(
    project: &Project,
    plan: &Plan,
    environments: &mut Environments,
    file: FileId,
    entities: &[NodeId],
) {
    let all: Vec<usize> = environments.in_file(file).map(|(id, _)| id).collect();
    // A driver in an actor would take the place of its tasks.
    let tasks: Vec<usize> = all.iter().copied().filter(|&id| environments.all[id].owner.is_none()).collect();
    let own_first = environments.all.len();
    for &node in entities {
        let Some(entity) = plan.graph.entity(node).filter(|entity| entity.kind == EntityKind::Workflow)
        else {
            continue;
        };
        let called: BTreeSet<usize> =
            entity.calls.iter().filter_map(|(_, callee)| environments.of_node.get(callee).copied()).collect();
        let shared = tasks.iter().copied().find(|&id| {
            let environment = &environments.all[id];
            let image = driver_image(environments, &all, &called);
            // The default image holds nothing of what the file imports, where its tasks have others.
            let is_bare = matches!(environment.image, EnvironmentImage::Default(_))
                && !matches!(image, EnvironmentImage::Default(_) | EnvironmentImage::OfDependency);
            environment.settings.is_empty()
                && !is_bare
                && called.iter().all(|&other| {
                    let place = |id: usize| environments.all[id].offset(project, plan);
                    other == id || !all.contains(&other) || place(other) < place(id)
                })
                && !called.iter().any(|&other| other != id && calls_into(plan, environments, other, id))
                && !matches!(environment.image, EnvironmentImage::Text(_) | EnvironmentImage::RefName(_))
                && (called.contains(&id) || called.is_disjoint(&all.iter().copied().collect()))
        });
        if let Some(id) = shared {
            environments.all[id].members.push(node);
            environments.all[id].members.sort_unstable();
            environments.of_node.insert(node, id);
        } else {
            let image = driver_image(environments, &all, &called);
            add(environments, own_first, file, node, (image, Vec::new(), Vec::new()));
        }
    }
}

/// Whether a task of environment `from` calls one of environment `to`.
fn calls_into(plan: &Plan, environments: &Environments, from: usize, to: usize) -> bool {
    environments.all[from]
        .members
        .iter()
        .filter_map(|&node| plan.graph.entity(node))
        .any(|entity| entity.calls.iter().any(|(_, callee)| environments.of_node.get(callee) == Some(&to)))
}

/// The image of a task of the same file: each of them could import the module.
fn driver_image(environments: &Environments, tasks: &[usize], called: &BTreeSet<usize>) -> EnvironmentImage {
    let candidates = called.iter().filter(|id| tasks.contains(id)).chain(tasks.iter());
    candidates
        .map(|&id| &environments.all[id].image)
        .find(|image| !matches!(image, EnvironmentImage::Inline(_)))
        .cloned()
        .unwrap_or(EnvironmentImage::OfDependency)
}

/// Gives the environments of a file their variables and names.
fn name(project: &Project, plan: &Plan, environments: &mut Environments, names: &mut Names, file: FileId) {
    let Some(facts) = project.facts(file) else { return };
    let mut ids: Vec<usize> = environments.in_file(file).map(|(id, _)| id).collect();
    if ids.is_empty() {
        return;
    }
    let mut variables: HashSet<String> = facts.module.names().into_iter().map(Name::to_string).collect();
    variables.extend(taken_by_stars(project, file).into_iter().map(str::to_owned));
    ids.sort_by_key(|&id| environments.all[id].owner.or(environments.all[id].members.first().copied()));
    let slug = names.slug(file);
    for &id in &ids {
        let Some(owner) = environments.all[id].owner else { continue };
        if plan.graph.maker(owner).is_none() {
            continue;
        }
        let mapped = map_maker(project, &plan.graph, owner, &FlyteNames::default());
        let variable = &environments.all[id].variable;
        let name = mapped.name.unwrap_or_else(|| {
            let is_actor = environments.all[id].is_reused(plan);
            if is_actor { variable.clone() } else { format!("{slug}_{}", slugged(variable)) }
        });
        let name = names.free(&if is_valid(&name) { name } else { slugged(&name) });
        names.take(&name);
        environments.all[id].name = name;
    }
    ids.retain(|&id| environments.all[id].name.is_empty());
    let mut is_first = true;
    for id in ids {
        let environment = &environments.all[id];
        let named = environment.owner.or(environment.members.first().copied());
        let task = named.and_then(|node| name_of(project, &plan.graph, node)).unwrap_or_default();
        let is_main = environment.owner.is_none() && std::mem::take(&mut is_first);
        let (variable, name) = if is_main && !names.is_taken(&slug) {
            ("env".to_owned(), slug.clone())
        } else {
            (format!("{task}_env"), names.free(&format!("{slug}_{}", slugged(task))))
        };
        let candidates = [variable.clone(), format!("{task}_env"), format!("flyte_{variable}")];
        let variable = candidates
            .into_iter()
            .chain((2..).map(|number| format!("{variable}{number}")))
            .find(|candidate| !variables.contains(candidate.as_str()))
            .unwrap_or_default();
        variables.insert(variable.clone());
        names.take(&name);
        environments.all[id].variable = variable;
        environments.all[id].name = name;
    }
}

/// Finds what each environment depends on, and how that is named where it stands.
fn link(project: &Project, plan: &Plan, environments: &mut Environments) {
    for id in 0..environments.all.len() {
        let mut dependencies: Vec<Dependency> = Vec::new();
        for &member in &environments.all[id].members {
            let Some(entity) = plan.graph.entity(member) else { continue };
            for &(place, callee) in &entity.calls {
                let Some(&other) = environments.of_node.get(&callee) else { continue };
                if other != id && !dependencies.iter().any(|dependency| dependency.environment == other) {
                    let calls = Calls { file: plan.graph.nodes[member].file, place, callee };
                    dependencies.push(dependency(project, plan, environments, id, other, &calls));
                }
            }
        }
        environments.all[id].depends_on = dependencies;
    }
}

/// A call for which an environment depends on another.
struct Calls {
    file: FileId,
    place: TextRange,
    callee: NodeId,
}

fn dependency(
    project: &Project,
    plan: &Plan,
    environments: &Environments,
    from: usize,
    to: usize,
    calls: &Calls,
) -> Dependency {
    let (file, target) = (environments.all[from].file, environments.all[to].file);
    let variable = &environments.all[to].variable;
    let mut dependency = Dependency { environment: to, text: None, import: None };
    if file == target {
        dependency.text = Some(variable.clone());
        return dependency;
    }
    let Some(facts) = project.facts(file) else { return dependency };
    // A task that a `partial` of another file makes: what it calls cannot be named in that file.
    let Some(reference) = facts.reference_at(calls.place).filter(|_| calls.file == file) else {
        return dependency;
    };
    // Where the target imports this file in turn, its environment may not exist yet when this one is made.
    if project.runs_within(target).contains(&file) {
        return dependency;
    }
    let offset = environments.all[from].offset(project, plan);
    if let Some(text) = named_by_decorator(project, plan, file, calls.callee, offset) {
        dependency.text = Some(text);
        return dependency;
    }
    if is_read_from(project, file, reference, target) {
        dependency.text =
            reference.dotted().rsplit_once('.').map(|(module, _)| format!("{module}.{variable}"));
        return dependency;
    }
    let Some((statement, module)) = importing_statement(project, file, target, &reference.bindings) else {
        return dependency;
    };
    // An import below the environment comes too late for it.
    if facts.module.imports[statement].range.start() > offset {
        return dependency;
    }
    let leaf = module.rsplit('.').next().unwrap_or_default();
    let alias = alias_for(facts, leaf, variable, &environments.all[to].name);
    let import = if alias == *variable {
        format!("from {module} import {variable}")
    } else {
        format!("from {module} import {variable} as {alias}")
    };
    dependency.text = Some(alias);
    dependency.import = Some((statement, import));
    dependency
}

/// The environment of another file as the decorator of a task in `file` names it, if it is bound above `offset`.
fn named_by_decorator(
    project: &Project,
    plan: &Plan,
    file: FileId,
    callee: NodeId,
    offset: TextSize,
) -> Option<String> {
    let entity = plan.graph.entity(callee).filter(|_| plan.graph.nodes[callee].file == file)?;
    let facts = project.facts(file)?;
    let reference = facts.reference_at(entity.callee)?;
    let mut bindings = reference.bindings.iter().map(|&binding| &facts.module.bindings[binding]);
    bindings
        .all(|binding| binding.range.start() < offset)
        .then(|| project.text(file)[reference.range].to_owned())
}

/// Whether a reference is `module.name`, where `module` is the file `target` itself and not one that takes names from it.
fn is_read_from(project: &Project, file: FileId, reference: &Reference, target: FileId) -> bool {
    let Some((_, module)) = reference.attributes.split_last() else { return false };
    let mut bindings = reference.bindings.iter().peekable();
    bindings.peek().is_some()
        && bindings.all(|&binding| project.follow(file, binding, module, 0) == [Target::Module(target)])
}

/// The statement at the top level that brings a task of `target` into `file`, and the module of `target` as that
/// statement would name it.
fn importing_statement(
    project: &Project,
    file: FileId,
    target: FileId,
    bindings: &[BindingId],
) -> Option<(usize, String)> {
    let module = &project.facts(file)?.module;
    let usable = |import: &ImportStatement| import.is_top_level && !import.shares_line;
    if let [binding] = *bindings {
        let BindingKind::Import(path) = &module.bindings[binding].kind else { return None };
        let statement = module.imports.iter().position(|import| {
            usable(import) && import.aliases.iter().any(|alias| alias.binding == Some(binding))
        })?;
        return Some((statement, module_of(project, file, target, path)?));
    }
    // Nothing binds it: it comes from `from module import *`.
    module.imports.iter().enumerate().find_map(|(statement, import)| {
        let (level, name) = import.from.as_ref().filter(|_| usable(import))?;
        let is_star = import.aliases.iter().any(|alias| alias.name == "*");
        let path = ImportPath { level: *level, module: name.clone(), name: None };
        let direct = project.index.resolve(file, *level, name)?.file == Some(target);
        (is_star && direct)
            .then(|| module_of(project, file, target, &path))
            .flatten()
            .map(|module| (statement, module))
    })
}

/// Why environments cannot be what the plan wants: they would depend on each other, or cannot be imported.
pub(super) fn problems(
    project: &Project,
    plan: &Plan,
    environments: &Environments,
) -> Vec<(NodeId, FileId, Finding)> {
    let mut problems = Vec::new();
    for (id, environment) in environments.all.iter().enumerate() {
        let Some(first) = environment.members.first().copied().or(environment.owner) else { continue };
        let range = place(project, &plan.graph, first);
        let unnamed = environment.depends_on.iter().find(|dependency| dependency.text.is_none());
        let message = if reaches(environments, id, id) {
            format!("environment `{}` would depend on itself; Flyte 2 recurses without end", environment.name)
        } else if let Some(unnamed) = unnamed {
            let other = &environments.all[unnamed.environment].name;
            format!(
                "environment `{}` needs environment `{other}`, which cannot be imported here",
                environment.name
            )
        } else {
            continue;
        };
        let finding = Finding::new(&DEPENDENCY_CYCLE, range, Effect::Blocking, message)
            .help("Give the tasks the same settings, or move one of them, so that calls go one way");
        problems.push((first, environment.file, finding));
    }
    problems
}

fn reaches(environments: &Environments, from: usize, to: usize) -> bool {
    let mut seen = HashSet::new();
    let mut pending: Vec<usize> = vec![from];
    while let Some(id) = pending.pop() {
        for dependency in &environments.all[id].depends_on {
            if dependency.environment == to {
                return true;
            }
            if seen.insert(dependency.environment) {
                pending.push(dependency.environment);
            }
        }
    }
    false
}

/// The module of `target` as `path`, an import in `file`, would name it; re-exports lead deeper.
fn module_of(project: &Project, file: FileId, target: FileId, path: &ImportPath) -> Option<String> {
    let dots = ".".repeat(path.level as usize);
    let direct = project.index.resolve(file, path.level, &path.module)?;
    if direct.file == Some(target) {
        return Some(format!("{dots}{}", path.module));
    }
    let target_path = project.files[target].relative.strip_suffix(".py")?;
    let target_path = target_path.strip_suffix("/__init__").unwrap_or(target_path);
    if let Some(below) =
        target_path.strip_prefix(&project.index.path(direct)).and_then(|rest| rest.strip_prefix('/'))
    {
        let separator = if path.module.is_empty() { "" } else { "." };
        return Some(format!("{dots}{}{separator}{}", path.module, below.replace('/', ".")));
    }
    // A module that takes the name from its neighbor: the neighbor is imported as that one is, if it is found so.
    let (package, _) = path.module.rsplit_once('.').unwrap_or_default();
    let leaf = target_path.rsplit('/').next()?;
    let separator = if package.is_empty() { "" } else { "." };
    let module = format!("{package}{separator}{leaf}");
    let is_found = project.index.resolve(file, path.level, &module)?.file == Some(target);
    is_found.then(|| format!("{dots}{module}"))
}

fn alias_for(facts: &crate::flyte1::file::FileFacts, leaf: &str, variable: &str, name: &str) -> String {
    let leaf = leaf.trim_matches('.');
    let candidates = [format!("{leaf}_{variable}"), format!("{name}_env"), format!("{name}_{variable}")];
    candidates
        .into_iter()
        .map(|candidate| candidate.trim_start_matches('_').replace('-', "_"))
        .chain((2..).map(|number| format!("{leaf}_{variable}{number}")))
        .find(|candidate| !facts.module.has_name(candidate))
        .unwrap_or_default()
}

/// The names of environments in the project.
struct Names {
    slugs: BTreeMap<FileId, String>,
    taken: HashSet<String>,
}

impl Names {
    /// Every file has its slug, whatever the paths of the run; names that Flyte 2 code of the project uses are taken.
    fn new(project: &Project) -> Self {
        let mut taken = HashSet::new();
        for (file, facts) in project.parsed() {
            for call in &facts.module.calls {
                let argument = call
                    .keyword("name")
                    .or_else(|| call.arguments.first().filter(|first| first.name.is_none()));
                let name = argument.and_then(|argument| argument.value.as_str());
                let is_environment = project.text(file)[call.callee].ends_with("TaskEnvironment");
                taken.extend(name.filter(|_| is_environment).map(str::to_owned));
            }
        }
        let mut slugs = BTreeMap::new();
        let mut used = HashSet::new();
        for file in 0..project.files.len() {
            let base = slugged(&project.index.module_parts(file).join("_"));
            let mut slug = base.clone();
            let mut number = 2;
            while !used.insert(slug.clone()) {
                slug = format!("{base}_{number}");
                number += 1;
            }
            slugs.insert(file, slug);
        }
        Self { slugs, taken }
    }

    fn slug(&self, file: FileId) -> String {
        self.slugs.get(&file).cloned().unwrap_or_default()
    }

    fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(name)
    }

    fn take(&mut self, name: &str) {
        self.taken.insert(name.to_owned());
    }

    fn free(&self, name: &str) -> String {
        std::iter::once(name.to_owned())
            .chain((2..).map(|number| format!("{name}_{number}")))
            .find(|candidate| !self.is_taken(candidate))
            .unwrap_or_default()
    }
}

/// Whether Flyte 2 takes a name as it is.
fn is_valid(name: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    name.split(['-', '_']).all(is_part)
}

/// A name that matches `^[a-z0-9]+([_-][a-z0-9]+)*$`.
fn slugged(text: &str) -> String {
    let mut slug = String::new();
    for part in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()) {
        if !slug.is_empty() {
            slug.push('_');
        }
        slug.push_str(&part.to_ascii_lowercase());
    }
    if slug.is_empty() { "env".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::slugged;

    #[test]
    fn slugs_match_what_flyte_accepts() {
        assert_eq!(slugged("etl_Train"), "etl_train");
        assert_eq!(slugged("__main__"), "main");
        assert_eq!(slugged("a.b--c d"), "a_b_c_d");
        assert_eq!(slugged("日本"), "env");
    }
}
