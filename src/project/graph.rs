//! Images, tasks and workflows of the whole project, what ties them together, and what stands in their way.
//!
//! ```python
//! image = ImageSpec(...)                 # a node
//! @task(container_image=image)           # a node, tied to the image
//! def train(): ...
//! @workflow
//! def pipeline(): train()                # a node, tied to the task
//! ```
//!
//! # FM123
//!
//! ## What it does
//!
//! Reports an `ImageSpec` in a place where it cannot be followed to the tasks that use it, such as a loop or an
//! argument of another call.
//!
//! ## Why
//!
//! An image moves together with the tasks that use it. Where nobody can see which those are, nothing is changed.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//!
//! def register(image):
//!     return image
//!
//!
//! image = register(ImageSpec(name="train"))
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train")
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
//! Images that are passed through code whose effect cannot be seen.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use std::collections::{BTreeSet, HashMap, HashSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::bodies::{find_async, map_bodies};
use super::body_checks::{read_body, read_conversions, read_flyte2_calls, read_surroundings};
use super::factories::{Arguments, collect_factories, tie_unread_bases};
use super::holders::{Holder, block_misplaced, collect_holders};
use super::link::Target;
use super::pixi_places::pixi_places;
use super::reach::leads_to_flyte;
use super::references::{read_given_image, read_plain_image, read_references};
use super::remotes::read_remotes;
use super::settings::{check_settings, collect_settings};
use super::transformers::hold_transformed;
use super::whole_file::read_whole_files;
use super::{FileId, Project};
use crate::flyte1::symbol::Symbol;
use crate::python::ast::name::Name;
use crate::python::scope::{
    Argument, Binding, BindingId, BindingKind, Call, CallContext, CallId, Function, FunctionId, Module,
    Reference, Role, StatementId, Surroundings,
};
use crate::python::value::Value;
use crate::rules::body::{MappedBody, Overlap, is_type_of_data};
use crate::rules::codes::{ACTOR, AMBIGUOUS_NAME, OTHER_TASK, TASK_SHAPE};
use crate::rules::launch_plan::{PlanMethod, workflow_argument};
use crate::rules::{Effect, Finding, is_image_copy, is_image_method};
use crate::source::TextRange;

/// An index into [`Graph::nodes`].
pub type NodeId = usize;

/// What kind of function an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntityKind {
    /// `@task`
    Task,
    /// `@dynamic`
    Dynamic,
    /// `@workflow`
    Workflow,
    /// `@eager`
    Eager,
}

impl EntityKind {
    /// Whether its body holds promises on Flyte 1, and calls in it run side by side.
    pub fn is_flow(self) -> bool {
        matches!(self, Self::Dynamic | Self::Workflow)
    }
}

/// The image that an entity asks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ImageUse {
    /// None.
    #[default]
    None,
    /// `ImageSpecs`, several where a name is bound in branches.
    Specs(Vec<NodeId>),
    /// Anything else.
    Value(Value),
}

/// An `ImageSpec(…)` call.
#[derive(Debug)]
pub struct ImageNode {
    /// The call.
    pub call: CallId,
    /// The variable that holds it, unless it is written into a decorator or another `ImageSpec`.
    pub variable: Option<BindingId>,
    /// The `ImageSpec` that its `base_image` names, or that it calls methods of.
    pub base: Option<NodeId>,
    /// Whether it is `image.with_packages(…)` of another image.
    pub is_derived: bool,
    /// Whether it stands in a list, tuple, dict or conditional expression of the module.
    pub is_element: bool,
}

/// A task, dynamic or workflow.
#[derive(Debug)]
pub struct EntityNode {
    /// The function.
    pub function: FunctionId,
    /// What kind it is.
    pub kind: EntityKind,
    /// Its decorator.
    pub decorator: TextRange,
    /// The name in the decorator.
    pub callee: TextRange,
    /// The decorator's call.
    pub call: Option<CallId>,
    /// Its image.
    pub image: ImageUse,
    /// The entities that its body calls, with the places of the callees.
    pub calls: Vec<(TextRange, NodeId)>,
    /// What makes it a task.
    pub maker: Option<NodeId>,
    /// Whether its decorator overrides settings of the environment of a `partial`, so that it is in one of its own.
    pub is_apart: bool,
}

/// What makes tasks that have settings in common, and becomes their environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MakerKind {
    /// `ActorEnvironment(…)` of union; `@actor.task` makes a task.
    Actor,
    /// `partial(task, …)`; it is the decorator itself.
    Partial(EntityKind),
}

impl MakerKind {
    /// What makes the tasks: it, or an attribute of it.
    pub(super) fn makes(self, rest: &[Name]) -> bool {
        match self {
            Self::Actor => rest == ["task"],
            Self::Partial(_) => rest.is_empty(),
        }
    }
}

/// An `ActorEnvironment(…)` of union, or a `partial(task, …)`.
#[derive(Debug)]
pub struct MakerNode {
    /// Which of them.
    pub kind: MakerKind,
    /// The call.
    pub call: CallId,
    /// The variable that holds it.
    pub variable: BindingId,
    /// Its image.
    pub image: ImageUse,
}

/// A `ContainerTask(…)`.
#[derive(Debug)]
pub struct ContainerNode {
    /// The call.
    pub call: CallId,
    /// The variable that holds it.
    pub variable: BindingId,
    /// Its image.
    pub image: ImageUse,
}

/// A launch plan behind a name, which workflows may call.
#[derive(Debug)]
pub struct CalledPlan {
    /// The call that makes it.
    pub call: CallId,
    /// How it is made.
    pub method: PlanMethod,
    /// Its workflow.
    pub workflow: NodeId,
}

/// A name that holds objects such as `Resources`, alone or in a list or dict.
#[derive(Debug)]
pub struct SettingNode {
    /// The name.
    pub binding: BindingId,
    /// The calls that make them.
    pub calls: Vec<CallId>,
}

/// What a node is.
#[derive(Debug)]
pub enum NodeKind {
    /// An image.
    Image(ImageNode),
    /// Settings of tasks.
    Setting(SettingNode),
    /// A task, dynamic or workflow.
    Entity(EntityNode),
    /// The environment of some tasks.
    Maker(MakerNode),
    /// A task that is a container and no function.
    Container(ContainerNode),
    /// A statement at the top level that uses entities or Flyte 1: a helper, a constant, a test, the `__main__` block.
    Code(StatementId),
}

/// An image, an entity, or code around them.
#[derive(Debug)]
pub struct Node {
    /// Its file.
    pub file: FileId,
    /// What it is.
    pub kind: NodeKind,
}

/// A finding about a node, in any file.
#[derive(Debug, Clone, PartialEq)]
pub struct Obstacle {
    /// The file of the place.
    pub file: FileId,
    /// What and where.
    pub finding: Finding,
}

/// A use of a node that is not understood by itself.
#[derive(Debug)]
pub(super) struct Use {
    /// The file of the use.
    pub(super) file: FileId,
    /// The reference.
    pub(super) range: TextRange,
    /// The statement at the top level that holds it.
    pub(super) statement: StatementId,
    /// What stands in the way of whom.
    pub(super) node: NodeId,
    /// What to say.
    pub(super) finding: Finding,
}

/// The nodes of a project and what ties them.
#[derive(Debug, Default)]
pub struct Graph {
    /// All nodes, by file and place.
    pub nodes: Vec<Node>,
    /// Pairs that must move together.
    pub edges: Vec<(NodeId, NodeId)>,
    /// What there is to say of each node, and stands in its way unless it informs.
    pub obstacles: Vec<Vec<Obstacle>>,
    /// Images whose name must tell their Python.
    pub python_in_name: HashSet<NodeId>,
    /// Where the `pixi.toml` of each image with packages from conda goes, from the folder of its file.
    pub pixi_places: HashMap<NodeId, String>,
    /// Findings that belong to no node.
    pub loose: Vec<Obstacle>,
    /// What the code of each node becomes; nothing for images.
    pub bodies: Vec<MappedBody>,
    /// Workflows and dynamics that become `async`, so that calls in them run side by side, and container tasks.
    pub asyncs: HashSet<NodeId>,
    /// Whether independent calls are gathered.
    pub is_parallel: bool,
    /// The calls of each workflow and dynamic that ran side by side on Flyte 1.
    pub overlaps: HashMap<NodeId, Overlap>,
    /// Whole numbers that Flyte 1 turned into floats by itself.
    pub conversions: HashSet<(FileId, TextRange)>,
    /// Entities and the code around them that they reach and that is written anew.
    pub needs: BTreeSet<(NodeId, NodeId)>,
    /// The launch plans behind names.
    pub plans: HashMap<(FileId, BindingId), CalledPlan>,
    /// Uses of nodes that stand in their way unless the mapping of the code around them knows better.
    pub(super) uses: Vec<Use>,
    pub(super) by_code: FxHashMap<(FileId, StatementId), NodeId>,
    pub(super) by_setting: FxHashMap<(FileId, StatementId), NodeId>,
    pub(super) by_call: FxHashMap<(FileId, CallId), NodeId>,
    pub(super) by_binding: FxHashMap<(FileId, BindingId), NodeId>,
    pub(super) by_statement: FxHashMap<(FileId, StatementId), Vec<NodeId>>,
    pub(super) by_decorator: FxHashMap<(FileId, CallId), NodeId>,
    /// The values of assignments that give an image another name.
    pub(super) aliases: FxHashSet<(FileId, TextRange)>,
    /// Names that hold images otherwise than as their value.
    pub(super) holders: HashMap<(FileId, BindingId), Holder>,
    /// What the names stand for that images of functions and classes may read, for each use.
    pub(super) arguments: HashMap<NodeId, Vec<Arguments>>,
    /// The decorators that get an image from a function or a class, with the image.
    pub(super) given: Vec<(FileId, CallId, NodeId)>,
    /// References to images that are understood where they stand.
    pub(super) understood: HashSet<(FileId, TextRange)>,
    /// Images that must be held by something, and what they do instead.
    pub(super) misplaced: Vec<(NodeId, Misplaced)>,
}

impl Graph {
    /// The entity of a node.
    pub fn entity(&self, node: NodeId) -> Option<&EntityNode> {
        match &self.nodes[node].kind {
            NodeKind::Entity(entity) => Some(entity),
            _ => None,
        }
    }

    /// The image of a node.
    pub fn image(&self, node: NodeId) -> Option<&ImageNode> {
        match &self.nodes[node].kind {
            NodeKind::Image(image) => Some(image),
            _ => None,
        }
    }

    /// What makes tasks of a node.
    pub fn maker(&self, node: NodeId) -> Option<&MakerNode> {
        match &self.nodes[node].kind {
            NodeKind::Maker(actor) => Some(actor),
            _ => None,
        }
    }

    /// The container task of a node.
    pub fn container(&self, node: NodeId) -> Option<&ContainerNode> {
        match &self.nodes[node].kind {
            NodeKind::Container(container) => Some(container),
            _ => None,
        }
    }

    /// The image that an entity, an actor or a container task asks for, and the call that holds its settings.
    pub fn image_use(&self, node: NodeId) -> Option<(&ImageUse, Option<CallId>)> {
        match &self.nodes[node].kind {
            NodeKind::Entity(entity) => Some((&entity.image, entity.call)),
            NodeKind::Maker(actor) => Some((&actor.image, Some(actor.call))),
            NodeKind::Container(container) => Some((&container.image, Some(container.call))),
            NodeKind::Image(_) | NodeKind::Setting(_) | NodeKind::Code(_) => None,
        }
    }

    /// The `partial` whose keywords an entity has besides its own.
    pub fn partial_of(&self, node: NodeId) -> Option<(FileId, &MakerNode)> {
        let maker = self.entity(node)?.maker?;
        let partial = self.maker(maker).filter(|maker| maker.kind != MakerKind::Actor)?;
        Some((self.nodes[maker].file, partial))
    }

    /// The keyword `name` of the call of an entity, an actor or a container task.
    pub fn own_keyword<'p>(&self, project: &'p Project, node: NodeId, name: &str) -> Option<&'p Argument> {
        let (_, call) = self.image_use(node)?;
        project.facts(self.nodes[node].file)?.module.calls[call?].keyword(name)
    }

    /// The same, or that of the `partial` that makes an entity, with its file.
    pub fn keyword<'p>(
        &self,
        project: &'p Project,
        node: NodeId,
        name: &str,
    ) -> Option<(FileId, &'p Argument)> {
        let own = self.own_keyword(project, node, name).map(|argument| (self.nodes[node].file, argument));
        own.or_else(|| {
            let (file, partial) = self.partial_of(node)?;
            Some((file, project.facts(file)?.module.calls[partial.call].keyword(name)?))
        })
    }

    /// Gives an entity, an actor or a container task its image.
    pub(super) fn set_image(&mut self, node: NodeId, image: ImageUse) {
        match &mut self.nodes[node].kind {
            NodeKind::Entity(entity) => entity.image = image,
            NodeKind::Maker(actor) => actor.image = image,
            NodeKind::Container(container) => container.image = image,
            NodeKind::Image(_) | NodeKind::Setting(_) | NodeKind::Code(_) => {}
        }
    }

    /// The settings of a node.
    pub fn setting(&self, node: NodeId) -> Option<&SettingNode> {
        match &self.nodes[node].kind {
            NodeKind::Setting(setting) => Some(setting),
            _ => None,
        }
    }

    /// The settings that a node is tied to.
    pub fn settings_of(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        self.users_of(node).filter(|&other| self.setting(other).is_some())
    }

    /// What a node is tied to, and so what uses it if it holds settings.
    pub fn users_of(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let other = move |&(a, b): &(NodeId, NodeId)| match node {
            _ if a == node => Some(b),
            _ if b == node => Some(a),
            _ => None,
        };
        self.edges.iter().filter_map(other)
    }

    /// Adds a node.
    pub(super) fn push(&mut self, file: FileId, kind: NodeKind) -> NodeId {
        self.nodes.push(Node { file, kind });
        self.obstacles.push(Vec::new());
        self.nodes.len() - 1
    }

    /// The node of an `ImageSpec` call.
    pub fn image_at(&self, file: FileId, call: CallId) -> Option<NodeId> {
        self.by_call.get(&(file, call)).copied()
    }

    /// The node of a binding.
    pub fn node_of(&self, file: FileId, binding: BindingId) -> Option<NodeId> {
        self.by_binding.get(&(file, binding)).copied()
    }

    /// The launch plan that `reference` certainly means, and its file.
    pub fn plan_of(
        &self,
        project: &Project,
        file: FileId,
        reference: &Reference,
    ) -> Option<(FileId, &CalledPlan)> {
        match project.resolve(file, reference) {
            [Target::Binding(file, binding, rest)] if rest.is_empty() => {
                Some((*file, self.plans.get(&(*file, *binding))?))
            }
            _ => None,
        }
    }

    /// The nodes that `reference` certainly means, and nothing else.
    pub fn nodes_of(&self, project: &Project, file: FileId, reference: &Reference) -> Option<Vec<NodeId>> {
        let nodes: Option<BTreeSet<NodeId>> = project
            .resolve(file, reference)
            .iter()
            .map(|target| match target {
                Target::Binding(file, binding, rest) if rest.is_empty() => {
                    self.by_binding.get(&(*file, *binding)).copied()
                }
                _ => None,
            })
            .collect();
        nodes.map(|nodes| nodes.into_iter().collect())
    }

    /// The images below an image, from the nearest on.
    pub fn bases(&self, image: NodeId) -> impl Iterator<Item = NodeId> {
        let below = |&image: &NodeId| self.image(image)?.base;
        // Bases that go around in a circle are another one's concern.
        std::iter::successors(below(&image), below).take(self.nodes.len())
    }

    /// The images that methods of an image, or `dataclasses.replace`, make of it.
    pub fn derived_from(&self, image: NodeId) -> impl Iterator<Item = NodeId> {
        let is_derived = move |&node: &NodeId| {
            self.image(node).is_some_and(|derived| derived.is_derived && derived.base == Some(image))
        };
        (0..self.nodes.len()).filter(is_derived)
    }

    /// The image that `image.attribute` certainly belongs to, and the attribute.
    pub fn image_attribute<'p>(
        &self,
        project: &'p Project,
        file: FileId,
        reference: &Reference,
    ) -> Option<(NodeId, &'p str)> {
        let [Target::Binding(file, binding, rest)] = project.resolve(file, reference) else { return None };
        let (node, [attribute]) = (*self.by_binding.get(&(*file, *binding))?, rest.as_slice()) else {
            return None;
        };
        self.image(node).map(|_| (node, attribute.as_str()))
    }

    /// Whether a statement at the top level reaches an entity, an image or anything of Flyte 1 through the names in it.
    pub fn reaches_flyte(&self, project: &Project, file: FileId, statement: StatementId) -> bool {
        leads_to_flyte(project, self, file, statement)
    }

    /// Whether an entity is `async` on Flyte 2.
    pub fn is_async(&self, node: NodeId) -> bool {
        self.asyncs.contains(&node)
    }

    /// The nodes of a file.
    pub fn nodes_in(&self, file: FileId) -> std::ops::Range<NodeId> {
        let start = self.nodes.partition_point(|node| node.file < file);
        start..self.nodes.partition_point(|node| node.file <= file)
    }

    /// The entities in a statement at the top level, or the statement itself as code around them.
    pub fn pieces(&self, file: FileId, statement: StatementId) -> impl Iterator<Item = NodeId> {
        let entities = self.by_statement.get(&(file, statement)).into_iter().flatten();
        entities.chain(self.by_code.get(&(file, statement))).copied()
    }

    /// Adds something to say of a node.
    pub fn block(&mut self, node: NodeId, file: FileId, finding: Finding) {
        let obstacle = Obstacle { file, finding };
        if !self.obstacles[node].contains(&obstacle) {
            self.obstacles[node].push(obstacle);
        }
    }

    /// Notes that `owner` calls `callee` at `place`.
    pub(super) fn add_call(&mut self, owner: NodeId, place: TextRange, callee: NodeId) {
        self.tie(owner, callee);
        if let NodeKind::Entity(entity) = &mut self.nodes[owner].kind {
            entity.calls.push((place, callee));
        }
    }

    /// Ties two nodes: they move together.
    pub(super) fn tie(&mut self, a: NodeId, b: NodeId) {
        if a != b {
            self.edges.push((a, b));
        }
    }
}

/// The function of an entity.
pub fn function_of<'p>(project: &'p Project, file: FileId, entity: &EntityNode) -> Option<&'p Function> {
    project.facts(file).map(|facts| &facts.module.functions[entity.function])
}

/// Collects the nodes of a project, ties them, and finds what stands in their way in the code around them.
pub fn build(project: &Project, is_parallel: bool) -> Graph {
    let mut graph = Graph { is_parallel, ..Graph::default() };
    let images = Images::of(project);
    let makers = makers(project);
    let containers = containers(project);
    let carriers = carriers(project);
    for file in project.unsettled() {
        collect_images(project, &mut graph, file, &images.derived);
        collect_makers(project, &mut graph, file, &makers);
        collect_containers(project, &mut graph, file);
        collect_entities(project, &mut graph, file, &makers);
        collect_settings(project, &mut graph, file);
        collect_code(project, &mut graph, file, &images, &containers);
        carriers.get(&file).into_iter().flatten().for_each(|&owner| add_code(&mut graph, file, owner));
    }
    collect_factories(project, &mut graph);
    collect_aliases(project, &mut graph);
    collect_plans(project, &mut graph);
    check_settings(project, &mut graph);
    collect_holders(project, &mut graph);
    read_whole_files(project, &mut graph);
    read_references(project, &mut graph);
    tie_unread_bases(project, &mut graph);
    for node in 0..graph.nodes.len() {
        read_plain_image(project, &mut graph, node);
    }
    for node in 0..graph.nodes.len() {
        read_given_image(project, &mut graph, node);
    }
    block_misplaced(project, &mut graph);
    find_async(project, &mut graph);
    for node in 0..graph.nodes.len() {
        read_conversions(project, &mut graph, node);
    }
    map_bodies(project, &mut graph);
    for node in 0..graph.nodes.len() {
        read_body(project, &mut graph, node);
        read_flyte2_calls(project, &mut graph, node);
        read_surroundings(project, &mut graph, node);
    }
    hold_transformed(project, &mut graph);
    read_remotes(project, &mut graph);
    graph.python_in_name = shared_names(project, &graph);
    graph.pixi_places = pixi_places(project, &graph);
    graph
}

/// Images on the same foreign base with the same name and registry but another Python: Flyte 2's identity of an image
/// does not depend on its Python, so the name must.
fn shared_names(project: &Project, graph: &Graph) -> HashSet<NodeId> {
    let mut pythons: HashMap<[String; 3], Vec<(NodeId, String)>> = HashMap::new();
    for node in 0..graph.nodes.len() {
        let file = graph.nodes[node].file;
        let (Some(image), Some(facts)) = (graph.image(node), project.facts(file)) else { continue };
        let call = &facts.module.calls[image.call];
        let text = |name: &str| {
            call.keyword(name).map_or(String::new(), |argument| match argument.value.as_str() {
                Some(literal) => literal.to_lowercase(),
                None => project.text(file)[argument.value.range].to_owned(),
            })
        };
        let is_foreign = call.keyword("base_image").is_some_and(|base| !base.value.is_empty());
        if is_foreign && !text("python_version").is_empty() {
            let key = [text("base_image"), text("name"), text("registry")];
            pythons.entry(key).or_default().push((node, text("python_version")));
        }
    }
    let differ =
        pythons.into_values().filter(|images| images.iter().any(|(_, python)| *python != images[0].1));
    differ.flatten().map(|(node, _)| node).collect()
}

/// Images as they are found before the nodes are made.
struct Images<'p> {
    /// The names that hold one.
    bindings: HashSet<(FileId, BindingId)>,
    /// Calls of methods of images, such as `image.with_packages(…)`, also of images that such calls made.
    derived: HashSet<(FileId, CallId)>,
    /// Calls of `ImageSpec`.
    specs: HashSet<(FileId, CallId)>,
    /// The attributes of classes that may hold an image.
    attributes: HashMap<(FileId, BindingId), &'p [(Name, CallId)]>,
}

impl<'p> Images<'p> {
    fn of(project: &'p Project) -> Self {
        let mut images = Self {
            bindings: HashSet::new(),
            derived: HashSet::new(),
            specs: HashSet::new(),
            attributes: HashMap::new(),
        };
        for (file, facts) in project.parsed() {
            for (id, call) in facts.module.calls.iter().enumerate() {
                let reference = facts.module.callee(call);
                if reference
                    .is_some_and(|reference| project.symbol(file, reference) == Some(Symbol::ImageSpec))
                {
                    images.specs.insert((file, id));
                    let variables = variables_of(&facts.module.bindings, call);
                    images.bindings.extend(variables.into_iter().map(|binding| (file, binding)));
                }
            }
        }
        for (file, class) in project
            .parsed()
            .flat_map(|(file, facts)| facts.module.image_classes.iter().map(move |class| (file, class)))
        {
            images.attributes.insert((file, class.binding), &class.images);
            // All that is no `ImageSpec` is a method of a sibling.
            let facts = project.facts(file);
            let is_method =
                |call: CallId| facts.is_some_and(|facts| facts.module.calls[call].reference.is_none());
            let made = class.bases.iter().map(|(call, _)| *call).filter(|&call| is_method(call));
            images.derived.extend(made.map(|call| (file, call)));
        }
        while !(images.bindings.is_empty() && images.attributes.is_empty()) && images.derive(project) {}
        images
    }

    /// Adds images that methods of known ones make; whether there were any.
    fn derive(&mut self, project: &Project) -> bool {
        let before = self.derived.len();
        for (file, facts) in project.parsed() {
            for (id, call) in facts.module.calls.iter().enumerate() {
                let Some(reference) = facts.module.callee(call) else { continue };
                if self.derived.contains(&(file, id)) {
                    continue;
                }
                let is_method = reference.attributes.last().is_some_and(|name| is_image_method(name));
                let is_of_image = is_method
                    && project
                        .resolve(file, reference)
                        .iter()
                        .all(|target| self.attribute_of(target).is_some());
                if is_of_image || self.is_copied(project, file, call) {
                    self.derived.insert((file, id));
                    if let CallContext::Assigned(binding) = call.context {
                        self.bindings.insert((file, binding));
                    }
                }
            }
        }
        self.derived.len() > before
    }

    /// Whether a call is `dataclasses.replace(image, name=…)`.
    fn is_copied(&self, project: &Project, file: FileId, call: &Call) -> bool {
        let is_image = |target: &Target| {
            matches!(target, Target::Binding(file, binding, rest)
                if rest.is_empty() && self.bindings.contains(&(*file, *binding)))
        };
        let reference_at = |range| project.facts(file).and_then(|facts| facts.reference_at(range));
        let copied = call.arguments.first().and_then(|copied| reference_at(copied.value.range));
        is_image_copy(call)
            && is_replace(project, file, call)
            && copied.is_some_and(|copied| project.resolve(file, copied).iter().all(is_image))
    }

    /// For `image.attribute`: the attribute.
    fn attribute_of<'t>(&self, target: &'t Target) -> Option<&'t str> {
        match target {
            Target::Binding(file, binding, rest) if self.bindings.contains(&(*file, *binding)) => {
                rest.first().filter(|_| rest.len() == 1).map(Name::as_str)
            }
            Target::Binding(file, binding, rest) => {
                let (image, attribute) = (rest.first()?, rest.get(1).filter(|_| rest.len() == 2)?);
                let images = self.attributes.get(&(*file, *binding))?;
                let (_, call) = images.iter().find(|(name, _)| name == image)?;
                let is_image = self.specs.contains(&(*file, *call)) || self.derived.contains(&(*file, *call));
                is_image.then_some(attribute.as_str())
            }
            _ => None,
        }
    }
}

/// Whether a call is one of `dataclasses.replace`.
pub fn is_replace(project: &Project, file: FileId, call: &Call) -> bool {
    calls(project, file, call, "dataclasses.replace")
}

/// Whether a call is certainly one of `function`, of another library.
fn calls(project: &Project, file: FileId, call: &Call, function: &str) -> bool {
    let reference = project.facts(file).and_then(|facts| facts.module.callee(call));
    reference.is_some_and(
        |reference| matches!(project.resolve(file, reference), [Target::External(path)] if path == function),
    )
}

fn collect_images(project: &Project, graph: &mut Graph, file: FileId, derived: &HashSet<(FileId, CallId)>) {
    let Some(facts) = project.facts(file) else { return };
    for (id, call) in facts.module.calls.iter().enumerate() {
        let reference = facts.module.callee(call);
        let targets = reference.map_or(&[][..], |reference| project.resolve(file, reference));
        let is_spec = |target: &Target| *target == Target::Flyte1(Symbol::ImageSpec);
        let is_derived = derived.contains(&(file, id));
        if !targets.iter().any(is_spec) && !is_derived {
            continue;
        }
        let variables = variables_of(&facts.module.bindings, call);
        let variable = variables.first().copied();
        let node = graph.push(
            file,
            NodeKind::Image(ImageNode { call: id, variable, base: None, is_derived, is_element: false }),
        );
        graph.by_call.insert((file, id), node);
        graph.by_binding.extend(variables.iter().map(|&binding| ((file, binding), node)));
        if let Some(reference) = reference.filter(|_| !is_derived && !targets.iter().all(is_spec)) {
            let name = &reference.name;
            let finding = Finding::new(
                &AMBIGUOUS_NAME,
                call.callee,
                Effect::Blocking,
                format!("`{name}` may be Flyte's `ImageSpec` or something else"),
            )
            .help("Import it in one place, without alternatives");
            graph.block(node, file, finding);
        }
        let misplaced = Misplaced::of(&facts.module, call, variable, project.text(file));
        graph.misplaced.extend(misplaced.map(|misplaced| (node, misplaced)));
    }
}

/// Why an `ImageSpec` cannot be converted where it stands, unless a holder is found for it.
#[derive(Debug)]
pub(super) struct Misplaced {
    pub(super) why: String,
    pub(super) help: &'static str,
}

impl Misplaced {
    fn of(module: &Module, call: &Call, variable: Option<BindingId>, text: &str) -> Option<Self> {
        if let Some(variable) = variable {
            let is_assigned = matches!(module.bindings[variable].kind, BindingKind::Assignment { .. });
            return (!is_assigned).then(|| Self::new("is bound in a way that is not migrated yet", NAME_IT));
        }
        if let CallContext::Argument(_, Some(keyword)) = &call.context
            && matches!(keyword.as_str(), "container_image" | "base_image")
        {
            return None;
        }
        Some(match (&call.surroundings, &call.context) {
            (Surroundings::Class(class), _) => Self::new(
                format!("is an attribute of the class `{class}`, which is not followed to tasks"),
                NAME_IT,
            ),
            (Surroundings::Function(function), _) => Self::new(
                format!("is made anew by each call of `{function}`, and which tasks get it cannot be told"),
                "Make each image at the top level of the module, or write the function for `flyte.Image` by hand",
            ),
            (Surroundings::Lambda, _) => Self::new(
                "is made anew by each call of a lambda, and which tasks get it cannot be told",
                "Make each image at the top level of the module, or write the lambda for `flyte.Image` by hand",
            ),
            (Surroundings::Default(function), _) => Self::new(
                format!("is the default of a parameter of `{function}`, which is not followed"),
                NAME_IT,
            ),
            (Surroundings::Comprehension, _) => Self::new(
                "is made by a comprehension, once for each item",
                "Write the images out, each one for itself",
            ),
            (Surroundings::Module, CallContext::Argument(outer, _)) => {
                let callee = &text[module.calls[*outer].callee];
                Self::new(format!("is given to `{callee}`, and what becomes of it cannot be told"), NAME_IT)
            }
            (Surroundings::Module, _) => Self::new("is not simply assigned to a name of the module", NAME_IT),
        })
    }

    fn new(why: impl Into<String>, help: &'static str) -> Self {
        Self { why: why.into(), help }
    }
}

const NAME_IT: &str = "Assign it to a name at the top level of the module, and use that name";

/// The names that an assignment gives what the call makes: `first = second = ImageSpec(…)`.
fn variables_of(bindings: &[Binding], call: &Call) -> Vec<BindingId> {
    if let CallContext::Assigned(binding) = call.context {
        return vec![binding];
    }
    let holds = |binding: &Binding| matches!(&binding.kind, BindingKind::Assignment { value, .. } if value.range == call.outer_range);
    let names: Vec<BindingId> = (0..bindings.len()).filter(|&id| holds(&bindings[id])).collect();
    // One alone is the name of the module that a function calls `global`.
    if names.len() > 1 { names } else { Vec::new() }
}

/// The names that hold what makes tasks.
fn makers(project: &Project) -> Makers {
    let calls = project.parsed().flat_map(|(file, facts)| {
        facts.module.calls.iter().filter_map(move |call| match call.context {
            CallContext::Assigned(binding) => Some(((file, binding), maker_kind(project, file, call)?)),
            _ => None,
        })
    });
    calls.collect()
}

type Makers = HashMap<(FileId, BindingId), MakerKind>;

fn maker_kind(project: &Project, file: FileId, call: &Call) -> Option<MakerKind> {
    if is_actor(project, file, call) {
        return Some(MakerKind::Actor);
    }
    let [function, rest @ ..] = call.arguments.as_slice() else { return None };
    let is_partial = function.name.is_none()
        && rest.iter().all(|argument| argument.name.is_some() || argument.is_double_starred)
        && is_partial(project, file, call);
    let facts = project.facts(file).filter(|_| is_partial)?;
    let symbol = project.symbol(file, facts.reference_at(function.value.range)?)?;
    entity_of(&symbol)
        .filter(|kind| matches!(kind, EntityKind::Task | EntityKind::Dynamic))
        .map(MakerKind::Partial)
}

/// Whether a call is one of `functools.partial`.
pub fn is_partial(project: &Project, file: FileId, call: &Call) -> bool {
    calls(project, file, call, "functools.partial")
}

fn is_actor(project: &Project, file: FileId, call: &Call) -> bool {
    let reference = project.facts(file).and_then(|facts| facts.module.callee(call));
    reference.is_some_and(|reference| {
        matches!(project.symbol(file, reference), Some(Symbol::Other(path)) if ACTORS.contains(&path.as_str()))
    })
}

/// The paths of `ActorEnvironment`.
const ACTORS: [&str; 4] = [
    "union.ActorEnvironment",
    "union.actor.ActorEnvironment",
    "unionai.ActorEnvironment",
    "unionai.actor.ActorEnvironment",
];

fn collect_makers(project: &Project, graph: &mut Graph, file: FileId, makers: &Makers) {
    let Some(facts) = project.facts(file) else { return };
    for (id, call) in facts.module.calls.iter().enumerate() {
        let CallContext::Assigned(variable) = call.context else {
            if is_actor(project, file, call) {
                let message = "this `ActorEnvironment` has no single name of the module, and what its `task` makes tasks of stays on Flyte 1";
                let finding = Finding::new(&ACTOR, call.callee, Effect::Blocking, message)
                    .help("Assign it to one name at the top level of the module");
                graph.loose.push(Obstacle { file, finding });
            }
            continue;
        };
        let Some(&kind) = makers.get(&(file, variable)) else { continue };
        let maker = MakerNode { kind, call: id, variable, image: ImageUse::None };
        let node = graph.push(file, NodeKind::Maker(maker));
        graph.by_decorator.insert((file, id), node);
        graph.by_binding.insert((file, variable), node);
        let binding = &facts.module.bindings[variable];
        let is_only = kind == MakerKind::Actor || facts.module.exports(&binding.name) == [variable];
        if !binding.is_unconditional || !is_only || !call.methods.is_empty() {
            let (rule, what) = match kind {
                MakerKind::Actor => (&ACTOR, "the actor"),
                MakerKind::Partial(_) => (&TASK_SHAPE, "it"),
            };
            let message = format!("`{}` is not simply assigned at the top level of the module", binding.name);
            let finding = Finding::new(rule, call.callee, Effect::Blocking, message)
                .help(format!("Define {what} once, at the top level of the module"));
            graph.block(node, file, finding);
        }
    }
}

/// The names that hold a `ContainerTask(…)`.
fn containers(project: &Project) -> HashSet<(FileId, BindingId)> {
    let calls = project.parsed().flat_map(|(file, facts)| {
        facts.module.calls.iter().filter_map(move |call| match call.context {
            CallContext::Assigned(binding) if is_container(project, file, call) => Some((file, binding)),
            _ => None,
        })
    });
    calls.collect()
}

fn is_container(project: &Project, file: FileId, call: &Call) -> bool {
    let reference = project.facts(file).and_then(|facts| facts.module.callee(call));
    let symbol = reference.and_then(|reference| project.symbol(file, reference));
    matches!(symbol, Some(Symbol::Other(path)) if path == "flytekit.ContainerTask")
}

fn collect_containers(project: &Project, graph: &mut Graph, file: FileId) {
    let Some(facts) = project.facts(file) else { return };
    for (id, call) in facts.module.calls.iter().enumerate() {
        let CallContext::Assigned(variable) = call.context else { continue };
        if !is_container(project, file, call) {
            continue;
        }
        let container = ContainerNode { call: id, variable, image: ImageUse::None };
        let node = graph.push(file, NodeKind::Container(container));
        graph.by_decorator.insert((file, id), node);
        graph.by_binding.insert((file, variable), node);
        let binding = &facts.module.bindings[variable];
        let is_plain = matches!(binding.kind, BindingKind::Assignment { annotation: None, .. })
            && facts.module.exports(&binding.name) == [variable];
        if !is_plain || !binding.is_unconditional || !call.methods.is_empty() {
            let message = format!("`{}` is not simply assigned at the top level of the module", binding.name);
            let finding = Finding::new(&OTHER_TASK, call.callee, Effect::Blocking, message)
                .help("Define the container task at the top level of the module, without an annotation, under a name of its own");
            graph.block(node, file, finding);
        }
    }
}

fn collect_entities(project: &Project, graph: &mut Graph, file: FileId, makers: &Makers) {
    let Some(facts) = project.facts(file) else { return };
    for (id, function) in facts.module.functions.iter().enumerate() {
        for (position, decorator) in function.decorators.iter().enumerate() {
            let Some(reference) = decorator.callee.and_then(|callee| facts.reference_at(callee)) else {
                continue;
            };
            let targets = project.resolve(file, reference);
            let kinds: Vec<Option<EntityKind>> =
                targets.iter().map(|target| entity_kind(target, makers)).collect();
            let Some(kind) = kinds.iter().copied().flatten().next() else { continue };
            if kinds.iter().any(|other| *other != Some(kind)) {
                let finding = Finding::new(
                    &AMBIGUOUS_NAME,
                    decorator.range,
                    Effect::Blocking,
                    format!("`{}` may be Flyte's or something else", reference.name),
                )
                .help("Import it in one place, without alternatives");
                graph.loose.push(Obstacle { file, finding });
                continue;
            }
            let entity = EntityNode {
                function: id,
                kind,
                decorator: decorator.range,
                callee: reference.range,
                call: decorator.call,
                image: ImageUse::None,
                calls: Vec::new(),
                maker: None,
                is_apart: false,
            };
            let node = graph.push(file, NodeKind::Entity(entity));
            graph.by_decorator.extend(decorator.call.map(|call| ((file, call), node)));
            graph.by_statement.entry((file, function.owner)).or_default().push(node);
            let bound =
                facts.module.bindings.iter().position(|binding| binding.kind == BindingKind::Decorated(id));
            graph.by_binding.extend(bound.map(|binding| ((file, binding), node)));
            if position > 0 {
                let finding = Finding::new(
                    &TASK_SHAPE,
                    function.decorators[0].range,
                    Effect::Blocking,
                    format!(
                        "another decorator stands above that of `{}`, and gets what it makes",
                        function.name
                    ),
                )
                .help("Put the decorator of Flyte on top, or migrate it by hand");
                graph.block(node, file, finding);
            }
            let has_twin = facts.module.functions[..id].iter().any(|other| other.name == function.name)
                || facts.module.functions[id + 1..].iter().any(|other| other.name == function.name);
            if has_twin {
                let finding = Finding::new(
                    &TASK_SHAPE,
                    function.name_range,
                    Effect::Blocking,
                    format!(
                        "`{}` is defined more than once; on Flyte 2 one would overwrite the other",
                        function.name
                    ),
                )
                .help("Give each its own name");
                graph.block(node, file, finding);
            }
        }
    }
}

/// Code around the entities that uses them, attributes of images, or Flyte 1.
fn collect_code(
    project: &Project,
    graph: &mut Graph,
    file: FileId,
    images: &Images<'_>,
    containers: &HashSet<(FileId, BindingId)>,
) {
    let Some(facts) = project.facts(file) else { return };
    let made = |node: NodeId| match &graph.nodes[node].kind {
        NodeKind::Maker(actor) => Some(actor.call),
        NodeKind::Container(container) => Some(container.call),
        _ => None,
    };
    let made: HashSet<StatementId> =
        graph.nodes_in(file).filter_map(made).map(|call| facts.module.calls[call].owner).collect();
    for reference in facts.module.references.iter().filter(|reference| !made.contains(&reference.owner)) {
        let is_derived =
            matches!(reference.role, Role::Callee(Some(call)) if images.derived.contains(&(file, call)));
        let is_filled = matches!(reference.role, Role::Filled(_));
        let matters = project.resolve(file, reference).iter().any(|target| match target {
            target if !is_derived && !is_filled && images.attribute_of(target).is_some() => true,
            Target::Flyte1(symbol) => *symbol != Symbol::ImageSpec && !symbol.is_harmless(),
            Target::Binding(file, binding, _) if containers.contains(&(*file, *binding)) => true,
            Target::Binding(file, binding, _) => project.facts(*file).is_some_and(|facts| {
                matches!(facts.module.bindings[*binding].kind, BindingKind::Decorated(_))
            }),
            _ => false,
        });
        if matters {
            add_code(graph, file, reference.owner);
        }
    }
    for &(_, statement) in &facts.module.flyte1_variables {
        add_code(graph, file, statement);
    }
}

/// The statements that name types of files, directories or frames, or that name others that do, by file. They need not
/// name Flyte themselves: `def read(later: Later): return open(later.file).read()`.
fn carriers(project: &Project) -> HashMap<FileId, BTreeSet<StatementId>> {
    let mut users: FxHashMap<(FileId, StatementId), Vec<(FileId, StatementId)>> = FxHashMap::default();
    let mut pending = Vec::new();
    for (file, facts) in project.parsed() {
        for reference in &facts.module.references {
            let owner = (file, reference.owner);
            for target in project.resolve(file, reference) {
                match target {
                    Target::Flyte1(symbol) if is_type_of_data(symbol) => pending.push(owner),
                    Target::Binding(file, binding, _) => {
                        let Some(facts) = project.facts(*file) else { continue };
                        let used = (*file, facts.module.bindings[*binding].owner);
                        users.entry(used).or_default().push(owner);
                    }
                    _ => {}
                }
            }
        }
    }
    let mut found: HashMap<FileId, BTreeSet<StatementId>> = HashMap::new();
    while let Some((file, statement)) = pending.pop() {
        if found.entry(file).or_default().insert(statement) {
            pending.extend(users.get(&(file, statement)).into_iter().flatten());
        }
    }
    found
}

/// Makes a node of a statement that is none yet.
fn add_code(graph: &mut Graph, file: FileId, statement: StatementId) {
    let key = (file, statement);
    let is_known = graph.by_statement.contains_key(&key)
        || graph.by_setting.contains_key(&key)
        || graph.by_code.contains_key(&key);
    if !is_known {
        let node = graph.push(file, NodeKind::Code(statement));
        graph.by_code.insert(key, node);
    }
}

fn entity_kind(target: &Target, makers: &Makers) -> Option<EntityKind> {
    match target {
        Target::Binding(file, binding, rest) => match makers.get(&(*file, *binding))? {
            kind if !kind.makes(rest) => None,
            MakerKind::Actor => Some(EntityKind::Task),
            MakerKind::Partial(kind) => Some(*kind),
        },
        Target::Flyte1(symbol) => entity_of(symbol),
        _ => None,
    }
}

/// What a decorator of Flyte 1 makes.
fn entity_of(symbol: &Symbol) -> Option<EntityKind> {
    match symbol {
        Symbol::Task => Some(EntityKind::Task),
        Symbol::Dynamic => Some(EntityKind::Dynamic),
        Symbol::Workflow => Some(EntityKind::Workflow),
        Symbol::Eager => Some(EntityKind::Eager),
        _ => None,
    }
}

/// `nightly = LaunchPlan.get_or_create(main, …)`
fn collect_plans(project: &Project, graph: &mut Graph) {
    for (file, facts) in project.parsed() {
        for (id, call) in facts.module.calls.iter().enumerate() {
            let CallContext::Assigned(variable) = call.context else { continue };
            let symbol = facts.reference_at(call.callee).and_then(|callee| project.symbol(file, callee));
            let Some(method) = symbol.as_ref().and_then(PlanMethod::of) else { continue };
            let workflow = workflow_argument(method, call)
                .and_then(|value| facts.reference_at(value.range))
                .and_then(|reference| graph.nodes_of(project, file, reference));
            if let Some([workflow]) = workflow.as_deref()
                && graph.entity(*workflow).is_some()
                && facts.module.bindings[variable].is_unconditional
            {
                let plan = CalledPlan { call: id, method, workflow: *workflow };
                graph.plans.insert((file, variable), plan);
            }
        }
    }
}

/// `second = image`: another name for the same image or the same settings.
fn collect_aliases(project: &Project, graph: &mut Graph) {
    loop {
        let mut found = Vec::new();
        for (file, facts) in project.parsed() {
            for (id, binding) in facts.module.bindings.iter().enumerate() {
                let BindingKind::Assignment { value, .. } = &binding.kind else { continue };
                let is_known = !binding.is_global || graph.by_binding.contains_key(&(file, id));
                let alias =
                    facts.reference_at(value.range).filter(|reference| reference.role == Role::Assigned);
                let Some(alias) = alias.filter(|_| !is_known) else { continue };
                if let Some([image]) = graph.nodes_of(project, file, alias).as_deref()
                    && graph.entity(*image).is_none()
                {
                    found.push(((file, id), *image, value.range));
                }
            }
        }
        if found.is_empty() {
            return;
        }
        for ((file, id), image, range) in found {
            graph.by_binding.insert((file, id), image);
            graph.aliases.insert((file, range));
        }
    }
}
