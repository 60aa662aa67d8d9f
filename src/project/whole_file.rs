//! What concerns all nodes of a file, or of the files that it imports: syntax errors beside them, names bound behind
//! the reader's back, modules found in ways that cannot be followed.
//!
//! ```python
//! sys.path.insert(0, "jobs/lib")
//! from steps import step      # jobs/lib/steps.py, perhaps
//! ```
//!
//! # FM124
//!
//! ## What it does
//!
//! Folds the methods that add to an `ImageSpec` into its chain, and reports other uses: attributes,
//! `is_container()`, and methods without a counterpart.
//!
//! ## Why
//!
//! What an `ImageSpec` tells of itself is another thing on Flyte 2, and code that runs only inside an image needs
//! another guard.
//!
//! ## Example
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
//!
//!
//! print(image.packages)
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
//! Attributes of an image, and guards around imports.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)
//!
//! # FM302
//!
//! ## What it does
//!
//! Reports a name that may be Flyte's or something else, such as one that is bound twice, names of builtins that mean
//! something else where the code for Flyte 2 needs the builtin, and what tests replace by a name in a string, such as
//! `patch("steps.image")`: after the migration it is gone, or another object.
//!
//! ## Why
//!
//! Names are resolved, never guessed.
//!
//! ## Example
//!
//! ```python
//! try:
//!     from flytekit import ImageSpec, task
//! except ImportError:
//!     from stand_ins import ImageSpec, task
//!
//! image = ImageSpec(name="train")
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
//! By hand. What only tests replace of the project goes with `--unsafe-fixes`.
//!
//! ## Not handled
//!
//! Stand-ins for when flytekit is missing, `patch.object` and `patch.multiple`, and strings in files that neither
//! import the module nor name Flyte.
//!
//! ## References
//!
//! The README: "What moves together" and "Limits".

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::graph::{EntityNode, Graph, NodeId, NodeKind, Obstacle};
use super::link::Target;
use super::references::callee_advice;
use super::{Content, FileId, Project};
use crate::flyte1::symbol::{Symbol, is_flyte1_root};
use crate::python::scope::{Binding, BindingKind, Decorator, Function, Reference, Role};
use crate::rules::codes::{AMBIGUOUS_NAME, CONTAINER_IMAGE, IMAGE_USE, OTHER_USE, SYNTAX_ERROR, TASK_SHAPE};
use crate::rules::{Effect, Finding};

/// The files that hold nodes, by the last part of their paths: `train.py`.
type FilesByName<'p> = FxHashMap<&'p str, Vec<FileId>>;

/// Collects the files that hold nodes.
fn files_by_name<'p>(project: &'p Project, graph: &Graph) -> FilesByName<'p> {
    let mut by_name = FilesByName::default();
    for (file, found) in project.files.iter().enumerate() {
        if !graph.nodes_in(file).is_empty() {
            let name = found.relative.rsplit('/').next().unwrap_or_default();
            by_name.entry(name).or_default().push(file);
        }
    }
    by_name
}

/// A finding about a node, or about none.
type Said = (Option<NodeId>, Finding);

/// Notes what concerns all nodes of a file, or of files that it imports.
pub(super) fn read_whole_files(project: &Project, graph: &mut Graph) {
    let by_name = files_by_name(project, graph);
    let files = (0..project.files.len()).into_par_iter();
    let said: Vec<Vec<Said>> = files.map(|file| whole_file(project, graph, file, &by_name)).collect();
    for (file, said) in said.into_iter().enumerate() {
        for (node, finding) in said {
            match node {
                Some(node) => graph.block(node, file, finding),
                None => graph.loose.push(Obstacle { file, finding }),
            }
        }
    }
}

fn whole_file(project: &Project, graph: &Graph, file: FileId, by_name: &FilesByName<'_>) -> Vec<Said> {
    let mut said = Vec::new();
    match &project.files[file].content {
        Content::SyntaxError { source, range, .. } => {
            let imported = project.index.rough_imports(file, source.text.as_bytes());
            for other in imported {
                let finding = Finding::new(
                    &SYNTAX_ERROR,
                    *range,
                    Effect::Blocking,
                    format!(
                        "this file does not parse, and imports `{}`: what it does with the tasks and images there cannot be told",
                        project.files[other].display
                    ),
                )
                .help("Correct the syntax error");
                block_files(graph, &[other], &finding, &mut said);
            }
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
                block_files(graph, &[file], &finding, &mut said);
            }
            read_shadowed_modules(project, graph, file, &mut said);
            read_unknown_imports(project, graph, file, by_name, &mut said);
            read_command_line(project, graph, file, &mut said);
            read_module_values(project, graph, file, &mut said);
            read_patches(project, graph, file, &mut said);
            if !project.settled.contains(&file) {
                read_spec_uses(project, file, &mut said);
                read_other_images(project, graph, file, &mut said);
                read_made_decorators(project, graph, file, &mut said);
                read_called_decorators(project, file, &mut said);
            }
        }
        _ => {}
    }
    said
}

fn block_files(graph: &Graph, files: &[FileId], finding: &Finding, said: &mut Vec<Said>) {
    let nodes = files.iter().flat_map(|&file| graph.nodes_in(file));
    said.extend(nodes.map(|node| (Some(node), finding.clone())));
}

/// A module of the project called `flyte` is what Python finds in place of the SDK.
fn read_shadowed_modules(project: &Project, graph: &Graph, file: FileId, said: &mut Vec<Said>) {
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
    block_files(graph, &[file], &finding, said);
}

/// An import that leads nowhere, of a name that a module of the project with that name defines: the module is found
/// in ways that cannot be followed, such as `sys.path.insert`.
fn read_unknown_imports(
    project: &Project,
    graph: &Graph,
    file: FileId,
    by_name: &FilesByName<'_>,
    said: &mut Vec<Said>,
) {
    let Some(facts) = project.facts(file) else { return };
    for import in &facts.module.imports {
        let Some((0, module)) = &import.from else { continue };
        let leaf = module.rsplit('.').next().unwrap_or_default();
        let Some(others) = by_name.get(format!("{leaf}.py").as_str()) else { continue };
        if project.index.resolve(file, 0, module).is_some() {
            continue;
        }
        for node in others.iter().flat_map(|&other| graph.nodes_in(other)) {
            let relative = &project.files[graph.nodes[node].file].relative;
            let is_named = || {
                name_of(project, graph, node)
                    .is_some_and(|name| import.aliases.iter().any(|alias| alias.name == name))
            };
            if is_named() {
                let finding = Finding::new(
                    &AMBIGUOUS_NAME,
                    import.range,
                    Effect::Blocking,
                    format!("`{module}` may be `{relative}`, found in a way that cannot be followed"),
                )
                .help("Import it by its path from the root of the project");
                said.push((Some(node), finding));
            }
        }
    }
}

/// The name by which other modules import a node.
pub fn name_of<'p>(project: &'p Project, graph: &Graph, node: NodeId) -> Option<&'p str> {
    let facts = project.facts(graph.nodes[node].file)?;
    match &graph.nodes[node].kind {
        NodeKind::Image(image) => {
            image.variable.map(|variable| facts.module.bindings[variable].name.as_str())
        }
        NodeKind::Setting(setting) => Some(facts.module.bindings[setting.binding].name.as_str()),
        NodeKind::Entity(entity) => Some(facts.module.functions[entity.function].name.as_str()),
        NodeKind::Maker(actor) => Some(facts.module.bindings[actor.variable].name.as_str()),
        NodeKind::Container(container) => Some(facts.module.bindings[container.variable].name.as_str()),
        NodeKind::Code(statement) => {
            let mut bindings = facts.module.bindings.iter();
            bindings.find(|binding| binding.owner == *statement).map(|binding| binding.name.as_str())
        }
    }
}

/// `patch("pk.tasks.image")`: what is replaced in tests by its name is another thing once it is converted, or no longer
/// there.
fn read_patches(project: &Project, graph: &Graph, file: FileId, said: &mut Vec<Said>) {
    let Some(facts) = project.facts(file) else { return };
    for (range, path) in &facts.module.patched {
        let tell = |what: &str, help: &str| {
            let message = format!("`{path}` is replaced by its name in a string here, {what}");
            Finding::new(&AMBIGUOUS_NAME, *range, Effect::Unsafe, message).help(help)
        };
        if replaces_builds(path) && !project.settled.contains(&file) {
            let what = "and code of Flyte 2 does not use it";
            said.push((None, tell(what, "Replace `flyte.build`, or what else Flyte 2 calls instead")));
            continue;
        }
        if is_flyte1_path(path) && !project.settled.contains(&file) {
            let what = "and converted code does not use it";
            let finding = tell(what, "Replace what the converted code uses instead");
            said.push((None, Finding { effect: Effect::Blocking, ..finding }));
            continue;
        }
        let Some((module, name)) = project.index.attribute_at(file, path) else { continue };
        let node = graph.nodes_in(module).find(|&node| name_of(project, graph, node) == Some(name));
        if let Some(node) = node {
            let what = "and is another object once it is converted";
            said.push((Some(node), tell(what, "Look whether what takes its place fits the converted code")));
        } else if imports_flyte1(project, module, name) {
            let what = "and is no longer there once that module is converted";
            block_files(
                graph,
                &[module],
                &tell(what, "Replace what the converted module uses instead"),
                said,
            );
        }
    }
}

/// Whether a path is how tests keep Flyte 1 from building images.
fn replaces_builds(path: &str) -> bool {
    is_flyte1_path(path)
        && path.split('.').any(|part| matches!(part, "ImageSpec" | "ImageBuildEngine" | "ImageSpecBuilder"))
}

/// Whether a dotted path names something of Flyte 1.
fn is_flyte1_path(path: &str) -> bool {
    is_flyte1_root(path.split('.').next().unwrap_or_default())
}

/// Whether a module imports a name from Flyte 1.
fn imports_flyte1(project: &Project, module: FileId, name: &str) -> bool {
    let is_it = |binding: &Binding| {
        binding.name == name
            && matches!(&binding.kind, BindingKind::Import(path) if path.level == 0 && is_flyte1_root(path.root()))
    };
    project.facts(module).is_some_and(|facts| facts.module.bindings.iter().any(is_it))
}

/// `importlib.import_module("pk.tasks")`: what is read from the module cannot be followed.
fn read_module_values(project: &Project, graph: &Graph, file: FileId, said: &mut Vec<Said>) {
    let Some(facts) = project.facts(file) else { return };
    for value in &facts.module.module_values {
        let place = project.index.resolve(file, value.level, &value.module);
        let tell = |what: &str| {
            let message = format!("`{}` is {what}; what is read from it cannot be followed", value.module);
            Finding::new(&AMBIGUOUS_NAME, value.range, Effect::Blocking, message)
                .help("Import it with an `import` statement, and name the module wherever something is read from it")
        };
        let root = value.module.split('.').next().unwrap_or_default();
        if let Some(place) = place {
            let files = project.index.files_below(place);
            block_files(graph, &files, &tell("a module used as a value here"), said);
        } else if value.level == 0 && is_flyte1_root(root) && !project.settled.contains(&file) {
            said.push((None, tell("imported by its name in a string here")));
        }
    }
}

/// `isinstance(x, ImageSpec)`: images that are converted are no longer of that type.
fn read_spec_uses(project: &Project, file: FileId, said: &mut Vec<Said>) {
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
            .help("Name `flyte.Image` here, once no image that comes here is an `ImageSpec`");
            said.push((None, finding));
        }
    }
}

/// `container_image=` of anything that is not the decorator of a task: `ShellTask(…)`, `ActorEnvironment(…)`,
/// `partial(task, …)`.
fn read_other_images(project: &Project, graph: &Graph, file: FileId, said: &mut Vec<Said>) {
    let Some(facts) = project.facts(file) else { return };
    for (id, call) in facts.module.calls.iter().enumerate() {
        let is_task = graph.by_decorator.contains_key(&(file, id));
        let argument = call.keyword("container_image").or_else(|| call.keyword("image"));
        let Some(argument) = argument.filter(|argument| !is_task && !argument.value.is_empty()) else {
            continue;
        };
        let Some(reference) = facts.module.callee(call) else { continue };
        let takes_task = facts.module.references_of(call.owner).iter().any(|other| {
            matches!(&other.role, Role::Argument(outer, _) if *outer == id)
                && project.symbol(file, other).is_some_and(|symbol| symbol.is_entity_decorator())
        });
        // An image that has a name is told of where it is given.
        let is_image = facts
            .reference_at(argument.value.range)
            .is_some_and(|image| graph.nodes_of(project, file, image).is_some_and(|nodes| !nodes.is_empty()));
        if !is_image && (project.symbol(file, reference).is_some() || takes_task) {
            let finding = Finding::new(
                &CONTAINER_IMAGE,
                argument.value.range,
                Effect::Blocking,
                format!("the image of `{}` is not migrated yet", &project.text(file)[call.callee]),
            )
            .help(callee_advice(project, file, id).unwrap_or("Migrate it by hand"));
            said.push((None, finding));
        }
    }
}

/// `@logged_task` of a function that calls `task`: each function that such a decorator makes a task stays one of
/// Flyte 1.
fn read_made_decorators(project: &Project, graph: &Graph, file: FileId, said: &mut Vec<Said>) {
    let Some(facts) = project.facts(file) else { return };
    let entities: Vec<&EntityNode> = graph.nodes_in(file).filter_map(|node| graph.entity(node)).collect();
    let is_known = |decorator: &&Decorator| entities.iter().any(|entity| entity.decorator == decorator.range);
    for function in &facts.module.functions {
        let made = function
            .decorators
            .iter()
            .filter(|decorator| !is_known(decorator))
            .find_map(|decorator| Some((decorator, made(project, file, function, decorator)?)));
        let Some((decorator, is_certain)) = made else { continue };
        let range = decorator.callee.unwrap_or(decorator.range);
        let maker = project.text(file)[range].trim_start_matches('@');
        let verb = if is_certain { "is" } else { "may be" };
        let finding = Finding::new(
            &TASK_SHAPE,
            range,
            Effect::Blocking,
            format!("`{}` {verb} made a task by `{maker}`, which is not migrated", function.name),
        )
        .help("Decorate it with `@task(…)` itself, with all keywords");
        said.push((None, finding));
    }
}

/// Whether a decorator certainly makes tasks, though it is none of Flyte 1; `None` if it makes none.
fn made(project: &Project, file: FileId, function: &Function, decorator: &Decorator) -> Option<bool> {
    let facts = project.facts(file)?;
    let is_decorator = |reference: &Reference| {
        project.symbol(file, reference).is_some_and(|symbol| symbol.is_entity_decorator())
    };
    let named = decorator.callee.filter(|&callee| &project.text(file)[callee] != "getattr");
    let Some(callee) = named else {
        // `@TOOLS["task"]`, `@getattr(flytekit, "task")`, `@Tools().task`
        let references = facts.module.references.iter();
        let mut inner = references.filter(|reference| decorator.range.contains_range(reference.range));
        let is_made = inner.any(|reference| {
            let targets = project.resolve(file, reference);
            project.symbol(file, reference).is_some()
                || targets.iter().any(|target| uses_decorator(project, target, 0))
        });
        return is_made.then_some(false);
    };
    let Some(reference) = facts.reference_at(callee) else {
        // A name of a class or a function, such as `t` below `t = task`.
        let mut inner = facts.module.references_of(function.owner).iter();
        return inner.any(|inner| inner.role == Role::Assigned && is_decorator(inner)).then_some(false);
    };
    let targets = project.resolve(file, reference);
    let is_made = targets.iter().any(|target| uses_decorator(project, target, 0));
    is_made.then(|| {
        targets.iter().all(|target| matches!(target, Target::Binding(_, _, rest) if rest.is_empty()))
    })
}

/// How many names lead from a decorator to what it is made with.
const MAX_NAMES: usize = 4;

/// Whether what stands behind a name uses a decorator of Flyte 1: `partial(task, …)`, a function, a class with such an
/// attribute, or an object of that class.
fn uses_decorator(project: &Project, target: &Target, depth: usize) -> bool {
    let Target::Binding(file, binding, rest) = target else { return false };
    let Some(facts) = project.facts(*file).filter(|_| depth < MAX_NAMES) else { return false };
    let binding = &facts.module.bindings[*binding];
    let is_assigned = match binding.kind {
        BindingKind::Assignment { .. } => true,
        BindingKind::Definition => false,
        _ => return false,
    };
    // `@Tools.task` of a class that imports it.
    let is_imported = |inner: &Binding| {
        inner.owner == binding.owner
            && rest.first() == Some(&inner.name)
            && matches!(&inner.kind, BindingKind::Import(path) if path.level == 0 && is_flyte1_root(path.root()))
    };
    let mut references = facts.module.references_of(binding.owner).iter();
    references.any(|reference| {
        project.symbol(*file, reference).is_some_and(|symbol| symbol.is_entity_decorator())
            || is_assigned
                && project
                    .resolve(*file, reference)
                    .iter()
                    .any(|inner| uses_decorator(project, inner, depth + 1))
    }) || facts.module.bindings.iter().any(is_imported)
}

/// `step = task(function)`: a task without a decorator, which stays one of Flyte 1.
fn read_called_decorators(project: &Project, file: FileId, said: &mut Vec<Said>) {
    let Some(facts) = project.facts(file) else { return };
    for reference in facts.module.references.iter().filter(|reference| !reference.is_deferred) {
        let Role::Callee(Some(call)) = reference.role else { continue };
        let wraps = facts.module.calls[call].arguments.first().is_some_and(|first| first.name.is_none());
        if wraps && project.symbol(file, reference).is_some_and(|symbol| symbol.is_entity_decorator()) {
            let callee = &project.text(file)[reference.range];
            let message = format!(
                "`{callee}` is called as a function here, and the task that it makes is not migrated"
            );
            let finding = Finding::new(&TASK_SHAPE, reference.range, Effect::Blocking, message)
                .help("Write it as the decorator of the function");
            said.push((None, finding));
        }
    }
}

/// A test that runs a file through `pyflyte run` cannot run Flyte 2 tasks.
fn read_command_line(project: &Project, graph: &Graph, file: FileId, said: &mut Vec<Said>) {
    let Some(facts) = project.facts(file).filter(|facts| !facts.module.python_paths.is_empty()) else {
        return;
    };
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
        block_files(graph, &run, &finding, said);
    }
}
