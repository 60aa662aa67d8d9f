//! Images, tasks and workflows of the whole project, what ties them together, and what stands in their way.
//!
//! ```python
//! image = ImageSpec(...)                 # a node
//! @task(container_image=image)           # a node, tied to the image
//! def train(): ...
//! @workflow
//! def pipeline(): train()                # a node, tied to the task
//! ```

use std::collections::{BTreeSet, HashMap, HashSet};

use super::link::Target;
use super::{Content, FileId, Project};
use crate::diagnostic::Rule;
use crate::flyte1::body::{ArgumentName, IssueKind, Root, Source};
use crate::flyte1::symbol::Symbol;
use crate::python::scope::{
    BindingId, BindingKind, Call, CallContext, CallId, Function, FunctionId, Reference, Role, StatementId,
};
use crate::python::value::Value;
use crate::rules::codes::{
    AMBIGUOUS_NAME, CONTAINER_IMAGE, FLYTE1_USE, IMAGE_USE, OTHER_USE, SYNTAX_ERROR, TASK_SHAPE,
    UNSUPPORTED_PLACE, WORKFLOW_BODY,
};
use crate::rules::{Effect, Finding};
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
    /// The `ImageSpec` that its `base_image` names.
    pub base: Option<NodeId>,
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
}

/// What a node is.
#[derive(Debug)]
pub enum NodeKind {
    /// An image.
    Image(ImageNode),
    /// A task, dynamic or workflow.
    Entity(EntityNode),
}

/// An image or an entity.
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
    /// Findings that belong to no node.
    pub loose: Vec<Obstacle>,
    by_call: HashMap<(FileId, CallId), NodeId>,
    by_binding: HashMap<(FileId, BindingId), NodeId>,
    by_statement: HashMap<(FileId, StatementId), Vec<NodeId>>,
    by_decorator: HashMap<(FileId, CallId), NodeId>,
    /// The values of assignments that give an image another name.
    aliases: HashSet<(FileId, TextRange)>,
}

impl Graph {
    /// The entity of a node.
    pub fn entity(&self, node: NodeId) -> Option<&EntityNode> {
        match &self.nodes[node].kind {
            NodeKind::Entity(entity) => Some(entity),
            NodeKind::Image(_) => None,
        }
    }

    /// The image of a node.
    pub fn image(&self, node: NodeId) -> Option<&ImageNode> {
        match &self.nodes[node].kind {
            NodeKind::Image(image) => Some(image),
            NodeKind::Entity(_) => None,
        }
    }

    /// The node of an `ImageSpec` call.
    pub fn image_at(&self, file: FileId, call: CallId) -> Option<NodeId> {
        self.by_call.get(&(file, call)).copied()
    }

    /// The nodes that `reference` certainly means, and nothing else.
    pub fn nodes_of(&self, project: &Project, file: FileId, reference: &Reference) -> Option<Vec<NodeId>> {
        let nodes: Option<BTreeSet<NodeId>> = project
            .resolve(file, reference)
            .into_iter()
            .map(|target| match target {
                Target::Binding(file, binding, rest) if rest.is_empty() => {
                    self.by_binding.get(&(file, binding)).copied()
                }
                _ => None,
            })
            .collect();
        nodes.map(|nodes| nodes.into_iter().collect())
    }

    /// Adds something to say of a node.
    pub fn block(&mut self, node: NodeId, file: FileId, finding: Finding) {
        let obstacle = Obstacle { file, finding };
        if !self.obstacles[node].contains(&obstacle) {
            self.obstacles[node].push(obstacle);
        }
    }

    fn tie(&mut self, a: NodeId, b: NodeId) {
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
pub fn build(project: &Project) -> Graph {
    let mut graph = Graph::default();
    for (file, _) in project.parsed() {
        collect_images(project, &mut graph, file);
        collect_entities(project, &mut graph, file);
    }
    collect_aliases(project, &mut graph);
    for file in 0..project.files.len() {
        read_whole_file(project, &mut graph, file);
    }
    for (file, _) in project.parsed() {
        read_references(project, &mut graph, file);
    }
    for node in 0..graph.nodes.len() {
        read_plain_image(project, &mut graph, node);
        read_body(project, &mut graph, node);
        read_conversions(project, &mut graph, node);
        read_surroundings(project, &mut graph, node);
    }
    graph.python_in_name = shared_names(project, &graph);
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

fn push(graph: &mut Graph, file: FileId, kind: NodeKind) -> NodeId {
    graph.nodes.push(Node { file, kind });
    graph.obstacles.push(Vec::new());
    graph.nodes.len() - 1
}

fn collect_images(project: &Project, graph: &mut Graph, file: FileId) {
    let Some(facts) = project.facts(file) else { return };
    for (id, call) in facts.module.calls.iter().enumerate() {
        let Some(reference) = facts.reference_at(call.callee) else { continue };
        let targets = project.resolve(file, reference);
        let is_spec = |target: &Target| *target == Target::Flyte1(Symbol::ImageSpec);
        if !targets.iter().any(is_spec) {
            continue;
        }
        let variable = match call.context {
            CallContext::Assigned(binding) => Some(binding),
            _ => None,
        };
        let node = push(graph, file, NodeKind::Image(ImageNode { call: id, variable, base: None }));
        graph.by_call.insert((file, id), node);
        if let Some(binding) = variable {
            graph.by_binding.insert((file, binding), node);
        }
        if !targets.iter().all(is_spec) {
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
        if let Some(finding) = misplaced(facts.module.bindings.as_slice(), call) {
            graph.block(node, file, finding);
        }
    }
}

/// An `ImageSpec` can be converted where a module-level name holds it, in a decorator, and as another's base.
fn misplaced(bindings: &[crate::python::scope::Binding], call: &Call) -> Option<Finding> {
    let why = match &call.context {
        CallContext::Assigned(binding) => match &bindings[*binding].kind {
            BindingKind::Assignment { .. } => return None,
            _ => "is bound in a way that is not migrated yet",
        },
        CallContext::Argument(_, Some(keyword))
            if keyword == "container_image" || keyword == "base_image" =>
        {
            return None;
        }
        _ => "is not simply assigned to a name of the module",
    };
    Some(
        Finding::new(&UNSUPPORTED_PLACE, call.range, Effect::Blocking, format!("`ImageSpec` here {why}"))
            .help("Assign it to a name at the top level of the module, and use that name"),
    )
}

fn collect_entities(project: &Project, graph: &mut Graph, file: FileId) {
    let Some(facts) = project.facts(file) else { return };
    for (id, function) in facts.module.functions.iter().enumerate() {
        for (position, decorator) in function.decorators.iter().enumerate() {
            let Some(reference) = decorator.callee.and_then(|callee| facts.reference_at(callee)) else {
                continue;
            };
            let targets = project.resolve(file, reference);
            let kinds: Vec<Option<EntityKind>> = targets.iter().map(entity_kind).collect();
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
            };
            let node = push(graph, file, NodeKind::Entity(entity));
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

fn entity_kind(target: &Target) -> Option<EntityKind> {
    match target {
        Target::Flyte1(Symbol::Task) => Some(EntityKind::Task),
        Target::Flyte1(Symbol::Dynamic) => Some(EntityKind::Dynamic),
        Target::Flyte1(Symbol::Workflow) => Some(EntityKind::Workflow),
        _ => None,
    }
}

/// `second = image`: another name for the same image.
fn collect_aliases(project: &Project, graph: &mut Graph) {
    loop {
        let mut found = Vec::new();
        for (file, facts) in project.parsed() {
            for (id, binding) in facts.module.bindings.iter().enumerate() {
                let BindingKind::Assignment { value, annotation: None } = &binding.kind else { continue };
                let is_known = !binding.is_global || graph.by_binding.contains_key(&(file, id));
                let alias =
                    facts.reference_at(value.range).filter(|reference| reference.role == Role::Assigned);
                let Some(alias) = alias.filter(|_| !is_known) else { continue };
                if let Some([image]) = graph.nodes_of(project, file, alias).as_deref()
                    && graph.image(*image).is_some()
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

/// What concerns all nodes of a file, or of files that it imports.
fn read_whole_file(project: &Project, graph: &mut Graph, file: FileId) {
    match &project.files[file].content {
        Content::SyntaxError { source, range, .. } => {
            let finding = Finding::new(
                &SYNTAX_ERROR,
                *range,
                Effect::Blocking,
                format!(
                    "`{}` imports it, but does not parse: what it does there cannot be told",
                    project.files[file].display
                ),
            )
            .help("Correct the syntax error");
            let imported = project.index.rough_imports(file, source.text.as_bytes());
            block_files(graph, &imported, file, &finding);
        }
        Content::Parsed { facts, .. } => {
            if let Some(&range) = facts.module.hidden_bindings.first() {
                let finding = Finding::new(
                    &AMBIGUOUS_NAME,
                    range,
                    Effect::Blocking,
                    "names of this module are bound or read behind the reader's back",
                )
                .help("Migrate this file by hand, or bind the names openly");
                block_files(graph, &[file], file, &finding);
            }
            read_shadowed_modules(project, graph, file);
            read_unknown_imports(project, graph, file);
            read_spec_uses(project, graph, file);
            read_other_images(project, graph, file);
            read_command_line(project, graph, file);
        }
        _ => {}
    }
}

fn block_files(graph: &mut Graph, files: &[FileId], place: FileId, finding: &Finding) {
    for node in
        (0..graph.nodes.len()).filter(|&node| files.contains(&graph.nodes[node].file)).collect::<Vec<_>>()
    {
        graph.block(node, place, finding.clone());
    }
}

/// A module of the project called `flyte` is what Python finds in place of the SDK.
fn read_shadowed_modules(project: &Project, graph: &mut Graph, file: FileId) {
    let Some(facts) = project.facts(file) else { return };
    let own = project.index.resolve(file, 0, "flyte").and_then(|place| place.file);
    let (Some(own), Some(&range)) = (own, facts.module.statements.first()) else { return };
    let finding = Finding::new(
        &AMBIGUOUS_NAME,
        range,
        Effect::Blocking,
        format!("`import flyte` finds `{}` here, not the SDK", project.files[own].relative),
    )
    .help("Rename that module");
    block_files(graph, &[file], file, &finding);
}

/// An import that leads nowhere, of a name that a module of the project with that name defines: the module is found
/// in ways that cannot be followed, such as `sys.path.insert`.
fn read_unknown_imports(project: &Project, graph: &mut Graph, file: FileId) {
    let Some(facts) = project.facts(file) else { return };
    for import in &facts.module.imports {
        let Some((0, module)) = &import.from else { continue };
        if project.index.resolve(file, 0, module).is_some() {
            continue;
        }
        let leaf = module.rsplit('.').next().unwrap_or_default();
        let suffix = format!("/{leaf}.py");
        for node in 0..graph.nodes.len() {
            let other = graph.nodes[node].file;
            let relative = &project.files[other].relative;
            let is_named = || {
                name_of(project, graph, node)
                    .is_some_and(|name| import.aliases.iter().any(|alias| alias.name == name))
            };
            if (relative.ends_with(&suffix) || *relative == suffix[1..]) && is_named() {
                let finding = Finding::new(
                    &AMBIGUOUS_NAME,
                    import.range,
                    Effect::Blocking,
                    format!("`{module}` may be `{relative}`, found in a way that cannot be followed"),
                )
                .help("Import it by its path from the root of the project");
                graph.block(node, file, finding);
            }
        }
    }
}

/// The name by which other modules import a node.
fn name_of<'p>(project: &'p Project, graph: &Graph, node: NodeId) -> Option<&'p str> {
    let facts = project.facts(graph.nodes[node].file)?;
    match &graph.nodes[node].kind {
        NodeKind::Image(image) => {
            image.variable.map(|variable| facts.module.bindings[variable].name.as_str())
        }
        NodeKind::Entity(entity) => Some(facts.module.functions[entity.function].name.as_str()),
    }
}

/// `isinstance(x, ImageSpec)`: images that are converted are no longer of that type.
fn read_spec_uses(project: &Project, graph: &mut Graph, file: FileId) {
    let Some(facts) = project.facts(file) else { return };
    for reference in &facts.module.references {
        let is_use = matches!(reference.role, Role::Other | Role::ArgumentOf(_) | Role::Argument(..));
        if is_use && project.symbol(file, reference) == Some(Symbol::ImageSpec) {
            let finding = Finding::new(
                &IMAGE_USE,
                reference.range,
                Effect::Blocking,
                "`ImageSpec` is used here as a class; images that are converted are not of that type",
            )
            .help("Migrate this line by hand");
            graph.loose.push(Obstacle { file, finding });
        }
    }
}

/// `container_image=` of anything that is not the decorator of a task: `ShellTask(…)`, `ActorEnvironment(…)`,
/// `partial(task, …)`.
fn read_other_images(project: &Project, graph: &mut Graph, file: FileId) {
    let Some(facts) = project.facts(file) else { return };
    for (id, call) in facts.module.calls.iter().enumerate() {
        let is_task = graph.by_decorator.contains_key(&(file, id));
        let argument = call.keyword("container_image").or_else(|| call.keyword("image"));
        let Some(argument) = argument.filter(|argument| !is_task && !argument.value.is_empty()) else {
            continue;
        };
        let Some(reference) = facts.reference_at(call.callee) else { continue };
        let takes_task = facts.module.references_of(call.owner).iter().any(|other| {
            matches!(&other.role, Role::Argument(outer, _) if *outer == id)
                && project.symbol(file, other).is_some_and(|symbol| symbol.is_entity_decorator())
        });
        if project.symbol(file, reference).is_some() || takes_task {
            let finding = Finding::new(
                &CONTAINER_IMAGE,
                argument.value.range,
                Effect::Blocking,
                format!("the image of `{}` is not migrated yet", &project.text(file)[call.callee]),
            )
            .help("Migrate it by hand");
            graph.loose.push(Obstacle { file, finding });
        }
    }
}

/// A test that runs a file through `pyflyte run` cannot run Flyte 2 tasks.
fn read_command_line(project: &Project, graph: &mut Graph, file: FileId) {
    let Some(facts) = project.facts(file) else { return };
    let uses_pyflyte = facts.module.references.iter().any(|reference| {
        project.resolve(file, reference).iter().any(
            |target| matches!(target, Target::Flyte1(Symbol::Other(path)) if path.contains(".pyflyte") || path.contains(".sdk_in_container")),
        )
    });
    if !uses_pyflyte {
        return;
    }
    for (range, path) in &facts.module.python_paths {
        let path = path.split(':').next().unwrap_or(path).trim_start_matches("./");
        if path.ends_with("__init__.py") {
            continue;
        }
        let run: Vec<FileId> = (0..project.files.len())
            .filter(|&other| {
                let relative = &project.files[other].relative;
                relative == path
                    || relative.ends_with(&format!("/{path}"))
                    || path.ends_with(&format!("/{relative}"))
            })
            .collect();
        let finding = Finding::new(
            &OTHER_USE,
            *range,
            Effect::Blocking,
            format!("`{path}` is run through pyflyte here, which cannot run Flyte 2 tasks"),
        )
        .help("Run it with `flyte run --local`, or call the task");
        block_files(graph, &run, file, &finding);
    }
}

/// A whole number passed to a `float` parameter: Flyte 1 converted it, Flyte 2 refuses it.
fn read_conversions(project: &Project, graph: &mut Graph, node: NodeId) {
    let file = graph.nodes[node].file;
    let (Some(facts), Some(entity)) = (project.facts(file), graph.entity(node)) else { return };
    let function = &facts.module.functions[entity.function];
    let mut findings = Vec::new();
    for flow in &facts.bodies[entity.function].calls {
        let callee = entity.calls.iter().find(|(range, _)| *range == flow.callee).map(|&(_, callee)| callee);
        let Some(callee) = callee else { continue };
        for (name, source) in &flow.arguments {
            let given = match source {
                Source::Call(range) => entity
                    .calls
                    .iter()
                    .find(|(callee, _)| callee == range)
                    .and_then(|&(_, node)| type_of(project, graph, node, None)),
                Source::Parameter(name) => {
                    let parameter = function.parameters.iter().find(|parameter| parameter.name == *name);
                    parameter
                        .and_then(|parameter| parameter.annotation)
                        .map(|range| &project.text(file)[range])
                }
            };
            if is_narrower(given, type_of(project, graph, callee, Some(name))) {
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
    let returned = function.returns.map(|range| &project.text(file)[range]);
    for source in &facts.bodies[entity.function].returned {
        let Source::Call(range) = source else { continue };
        let callee = entity.calls.iter().find(|(callee, _)| callee == range).map(|&(_, callee)| callee);
        if is_narrower(callee.and_then(|callee| type_of(project, graph, callee, None)), returned) {
            let message = "the result is an int where a float is promised; Flyte 2 does not convert it";
            findings.push(
                Finding::new(&WORKFLOW_BODY, *range, Effect::Blocking, message)
                    .help("Give both the same type; Flyte 1 converted the number by itself"),
            );
        }
    }
    findings.into_iter().for_each(|finding| graph.block(node, file, finding));
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
fn type_of<'p>(
    project: &'p Project,
    graph: &Graph,
    node: NodeId,
    parameter: Option<&ArgumentName>,
) -> Option<&'p str> {
    let file = graph.nodes[node].file;
    let function = function_of(project, file, graph.entity(node)?)?;
    let range = match parameter {
        None => function.returns,
        Some(ArgumentName::Position(place)) => function.parameters.get(*place)?.annotation,
        Some(ArgumentName::Keyword(name)) => {
            function.parameters.iter().find(|parameter| parameter.name == *name)?.annotation
        }
    };
    Some(&project.text(file)[range?])
}

fn read_references(project: &Project, graph: &mut Graph, file: FileId) {
    let Some(facts) = project.facts(file) else { return };
    for reference in &facts.module.references {
        let targets = project.resolve(file, reference);
        let nodes: Vec<(NodeId, bool)> = targets
            .iter()
            .filter_map(|target| match target {
                Target::Binding(file, binding, rest) => {
                    graph.by_binding.get(&(*file, *binding)).map(|&node| (node, rest.is_empty()))
                }
                _ => None,
            })
            .collect();
        if nodes.is_empty() {
            continue;
        }
        let is_certain = nodes.len() == targets.len() && nodes.iter().all(|(_, is_whole)| *is_whole);
        let nodes: Vec<NodeId> = nodes.into_iter().map(|(node, _)| node).collect();
        let owners = graph.by_statement.get(&(file, reference.owner)).cloned().unwrap_or_default();
        let is_image = nodes.iter().all(|&node| graph.image(node).is_some());
        if is_image && is_certain && image_reference(graph, file, reference, &nodes) {
            continue;
        }
        if !is_image
            && is_certain
            && owners.is_empty()
            && is_run(project, file, reference, &facts.module.calls)
        {
            continue;
        }
        if !is_image && is_certain && entity_reference(graph, file, reference, &nodes, &owners) {
            read_plain_call(project, graph, file, reference, &nodes, &owners);
            continue;
        }
        for node in nodes {
            other_use(project, graph, file, reference, node, is_certain);
            owners.iter().for_each(|&owner| graph.tie(owner, node));
        }
    }
    // ImageSpecs written into decorators.
    for (id, call) in facts.module.calls.iter().enumerate() {
        let Some(node) = graph.image_at(file, id) else { continue };
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

/// `container_image=` values that are no `ImageSpecs`.
fn read_plain_image(project: &Project, graph: &mut Graph, node: NodeId) {
    let Some(facts) = project.facts(graph.nodes[node].file) else { return };
    let NodeKind::Entity(entity) = &mut graph.nodes[node].kind else { return };
    let argument = entity.call.and_then(|call| facts.module.calls[call].keyword("container_image"));
    if let (ImageUse::None, Some(argument)) = (&entity.image, argument)
        && !argument.value.is_empty()
    {
        entity.image = ImageUse::Value(argument.value.clone());
    }
}

/// Gives `images` to the entity whose decorator is `call`.
fn give_image(graph: &mut Graph, file: FileId, call: CallId, images: &[NodeId]) -> bool {
    let Some(&owner) = graph.by_decorator.get(&(file, call)) else { return false };
    if let NodeKind::Entity(entity) = &mut graph.nodes[owner].kind {
        entity.image = ImageUse::Specs(images.to_vec());
    }
    images.iter().for_each(|&image| graph.tie(owner, image));
    true
}

fn give_base(graph: &mut Graph, derived: NodeId, base: NodeId) -> bool {
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
    let Role::Argument(call, Some(keyword)) = &reference.role else { return false };
    match keyword.as_str() {
        "container_image" => give_image(graph, file, *call, images),
        "base_image" => {
            let ([image], Some(derived)) = (images, graph.image_at(file, *call)) else { return false };
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
            graph.block(owner, file, finding);
        } else {
            entity.calls.push((reference.range, *callee));
        }
    }
    true
}

/// `flyte.run(pipeline, …)` in plain code: this is how Flyte 2 runs it.
fn is_run(project: &Project, file: FileId, reference: &Reference, calls: &[Call]) -> bool {
    match &reference.role {
        Role::ArgumentOf(library) => library == "flyte",
        Role::Argument(call, _) => {
            let callee = project.facts(file).and_then(|facts| facts.reference_at(calls[*call].callee));
            callee.is_some_and(|callee| {
                let targets = project.resolve(file, callee);
                matches!(&targets[..], [Target::External(path)] if path.starts_with("flyte."))
            })
        }
        _ => false,
    }
}

/// Plain code that calls a workflow with named outputs gets a plain tuple on Flyte 2.
fn read_plain_call(
    project: &Project,
    graph: &mut Graph,
    file: FileId,
    reference: &Reference,
    nodes: &[NodeId],
    owners: &[NodeId],
) {
    let [node] = *nodes else { return };
    let is_workflow = graph.entity(node).is_some_and(|entity| entity.kind != EntityKind::Task);
    if owners.is_empty() && is_workflow && returns_named_tuple(project, graph, node) {
        let finding = Finding::new(
            &OTHER_USE,
            reference.range,
            Effect::Unsafe,
            format!("`{}` returns a named tuple in Flyte 1 and a plain tuple in Flyte 2", reference.name),
        )
        .help("Read the outputs by position");
        graph.block(node, file, finding);
    }
}

fn returns_named_tuple(project: &Project, graph: &Graph, node: NodeId) -> bool {
    let file = graph.nodes[node].file;
    let (Some(facts), Some(entity)) = (project.facts(file), graph.entity(node)) else { return false };
    let Some(range) = facts.module.functions[entity.function].returns else { return false };
    let Some(reference) = facts.reference_at(range) else { return false };
    project.resolve(file, reference).iter().any(|target| {
        let Target::Binding(file, binding, _) = target else { return false };
        let statement =
            project.facts(*file).map(|facts| facts.module.statements[facts.module.bindings[*binding].owner]);
        statement.is_some_and(|range| project.text(*file)[range].contains("NamedTuple"))
    })
}

fn other_use(
    project: &Project,
    graph: &mut Graph,
    file: FileId,
    reference: &Reference,
    node: NodeId,
    is_certain: bool,
) {
    let rule: &'static Rule = if graph.image(node).is_some() { &IMAGE_USE } else { &OTHER_USE };
    let text = &project.text(file)[reference.range];
    let what = if graph.image(node).is_some() { "image" } else { "task or workflow" };
    let message = match (&reference.role, reference.attributes.last()) {
        _ if !is_certain && reference.attributes.is_empty() => {
            format!("`{text}` may be the {what} or something else here")
        }
        (Role::CalleeOf(attribute), _) => {
            format!(
                "`{attribute}` of the result of `{text}` is read; on Flyte 2 several results are a plain tuple"
            )
        }
        (Role::Mutated, _) => format!("`{text}` changes the {what} after its definition"),
        (_, Some(attribute)) if text.contains('.') => {
            format!("`{text}`: `{attribute}` of the {what} is not migrated yet")
        }
        (Role::Argument(call, _), _) => {
            let callee = facts_callee(project, file, *call);
            format!("`{text}` is passed to `{callee}`, which is not migrated yet")
        }
        _ => format!("`{text}` is used here as more than a call or an image of a task"),
    };
    let finding =
        Finding::new(rule, reference.range, Effect::Blocking, message).help("Migrate this use by hand first");
    graph.block(node, file, finding);
}

fn facts_callee(project: &Project, file: FileId, call: CallId) -> &str {
    project.facts(file).map_or("", |facts| &project.text(file)[facts.module.calls[call].callee])
}

/// What the body of a workflow or dynamic does with results.
fn read_body(project: &Project, graph: &mut Graph, node: NodeId) {
    let file = graph.nodes[node].file;
    let (Some(facts), Some(entity)) = (project.facts(file), graph.entity(node)) else { return };
    if entity.kind == EntityKind::Task {
        return;
    }
    let callees: HashSet<TextRange> = entity.calls.iter().map(|(range, _)| *range).collect();
    let is_workflow = entity.kind == EntityKind::Workflow;
    let mut findings = Vec::new();
    for issue in &facts.bodies[entity.function].issues {
        let comes_from_call =
            issue.roots.iter().any(|root| root.callee().is_some_and(|range| callees.contains(&range)));
        let comes_from_parameter = is_workflow && issue.roots.contains(&Root::Parameter);
        let what = match &issue.kind {
            IssueKind::PassedTo(callee) if callees.contains(callee) => continue,
            // An attribute of an input reads the same on a value as on a promise.
            IssueKind::Attribute(_) if !comes_from_call => continue,
            IssueKind::Try | IssueKind::Nested if !comes_from_call => continue,
            _ if !comes_from_call && !comes_from_parameter => continue,
            IssueKind::Attribute(attribute) => format!("attribute `{attribute}` of a result is read"),
            IssueKind::Operator => "an operator is applied to a result".to_owned(),
            IssueKind::Formatted => "a result is put into a string".to_owned(),
            IssueKind::PassedTo(callee) => {
                format!("a result is passed to `{}`, which is no task", &project.text(file)[*callee])
            }
            IssueKind::Unpacked => "a result of one value is unpacked".to_owned(),
            IssueKind::Try => "a task is called in `try`, which now catches its failure".to_owned(),
            IssueKind::Nested => "a task is called in a function inside the body".to_owned(),
        };
        findings.push(
            Finding::new(&WORKFLOW_BODY, issue.range, Effect::Blocking, what)
                .help("Flyte 1 handles a promise here, Flyte 2 the value itself: migrate this line by hand"),
        );
    }
    findings.into_iter().for_each(|finding| graph.block(node, file, finding));
}

/// Everything of Flyte 1 that an entity uses, itself or through other definitions of the project.
fn read_surroundings(project: &Project, graph: &mut Graph, node: NodeId) {
    let file = graph.nodes[node].file;
    let Some(entity) = graph.entity(node) else { return };
    let Some(function) = function_of(project, file, entity) else { return };
    let own = (file, function.owner);
    let decorator_call = entity.call;
    let callee = entity.callee;
    let mut seen = HashSet::from([own]);
    let mut pending = vec![own];
    let mut findings: Vec<(FileId, Finding)> = Vec::new();
    let mut reached = Vec::new();
    while let Some((file, statement)) = pending.pop() {
        let Some(facts) = project.facts(file) else { continue };
        let is_own = (file, statement) == own;
        for reference in facts.module.references_of(statement) {
            if is_own
                && (reference.range == callee
                    || is_setting(facts.module.calls.as_slice(), reference, decorator_call))
            {
                continue;
            }
            for target in project.resolve(file, reference) {
                match target {
                    Target::Flyte1(symbol)
                        if !symbol.is_harmless() && !is_image_call(graph, file, &reference.role) =>
                    {
                        findings.push((file, uses(&symbol, reference, is_own, &function.name)));
                    }
                    Target::Binding(target_file, binding, _) => {
                        if let Some(&other) = graph.by_binding.get(&(target_file, binding)) {
                            reached.push(other);
                            if !is_own
                                && graph.entity(other).is_some()
                                && matches!(reference.role, Role::Callee(_))
                            {
                                findings.push((file, calls_through(reference, &function.name)));
                            }
                            continue;
                        }
                        let Some(target_facts) = project.facts(target_file) else { continue };
                        let next = (target_file, target_facts.module.bindings[binding].owner);
                        if !graph.by_statement.contains_key(&next) && seen.insert(next) {
                            pending.push(next);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    reached.into_iter().for_each(|other| graph.tie(node, other));
    for (file, finding) in first_of_many(findings, own.0) {
        graph.block(node, file, finding);
    }
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

/// `Resources(…)`, `Cache(…)` and `ImageSpec(…)` as keywords of the entity's own decorator: the rules of those
/// keywords speak of them.
fn is_setting(calls: &[Call], reference: &Reference, decorator: Option<CallId>) -> bool {
    let Role::Callee(Some(call)) = reference.role else { return false };
    matches!(
        (&calls[call].context, decorator),
        (CallContext::Argument(outer, Some(_)), Some(decorator)) if *outer == decorator
    )
}

fn is_image_call(graph: &Graph, file: FileId, role: &Role) -> bool {
    matches!(role, Role::Callee(Some(call)) if graph.image_at(file, *call).is_some())
}

fn uses(symbol: &Symbol, reference: &Reference, is_own: bool, entity: &str) -> Finding {
    let name = symbol.name();
    let message = if is_own {
        format!("`{name}` of Flyte 1 is used by `{entity}` and is not migrated yet")
    } else {
        format!("`{name}` of Flyte 1 is used by code that `{entity}` uses, and is not migrated yet")
    };
    Finding::new(&FLYTE1_USE, reference.range, Effect::Blocking, message)
        .help("Replace it by its Flyte 2 counterpart by hand")
}

fn calls_through(reference: &Reference, entity: &str) -> Finding {
    Finding::new(
        &FLYTE1_USE,
        reference.range,
        Effect::Blocking,
        format!("`{}` is called by a plain function that `{entity}` uses", reference.name),
    )
    .help("Call it from the workflow itself")
}
