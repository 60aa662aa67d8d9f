//! What each file looks like once the plan is carried out: which imports go, which names are written how.

use std::collections::{BTreeSet, HashMap, HashSet};

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::plugin_imports::PluginImport;
use crate::flyte1::file::FileFacts;
use crate::flyte1::symbol::{Symbol, is_flyte1_root};
use crate::project::graph::{ImageNode, ImageUse, NodeId, NodeKind, is_replace};
use crate::project::link::Target;
use crate::project::plan::{
    Additions, FlyteNames, Plan, Settings, map_container, map_entity, map_image, map_maker,
};
use crate::project::settings::map_settings;
use crate::project::{FileId, Project};
use crate::python::ast::name::Name;
use crate::python::module_path::ImportPath;
use crate::python::scope::{Binding, BindingId, BindingKind, Call, ImportId, Role};
use crate::rules::READ_VERSION;
use crate::rules::tables::{
    SETUPTOOLS, SETUPTOOLS_WITH_RESOURCES, brought_by_flytekit, brought_by_python, object_store_package,
};
use crate::source::TextRange;

/// A file in which something is converted.
#[derive(Debug, Clone, Default)]
pub(super) struct FileOutlook {
    /// The references that are written anew.
    consumed: HashSet<TextRange>,
    /// The aliases that go, by import statement.
    pub(super) removed: HashMap<ImportId, BTreeSet<usize>>,
    /// How names of flyte are written.
    pub(super) prefix: String,
    /// Whether `Path` means something else than pathlib's.
    path_is_taken: bool,
    /// What has to be imported for them: names from `flyte`, or the module itself.
    pub(super) imports_module: Option<String>,
    /// The places of `ImageSpec` in annotations that are written anew.
    pub(super) annotations: Vec<TextRange>,
}

/// What all files look like after the migration.
pub(super) struct Overview {
    outlooks: HashMap<FileId, FileOutlook>,
    keeps_flyte1: Vec<Option<&'static str>>,
    closures: HashMap<FileId, Vec<FileId>>,
    line_length: usize,
}

impl Overview {
    /// Looks at every file.
    pub(super) fn new(project: &Project, plan: &Plan, settings: Settings<'_>) -> Self {
        let line_length = settings.line_length;
        // Without anything to convert nobody asks.
        if !plan.converts.contains(&true) {
            let keeps_flyte1 = vec![Some(FLYTEKIT); project.files.len()];
            return Self { outlooks: HashMap::new(), keeps_flyte1, closures: HashMap::new(), line_length };
        }
        let files: Vec<FileId> =
            (0..project.files.len()).filter(|&file| plan.converted_in(file).next().is_some()).collect();
        let shared = shared_names(project, &files);
        let outlooks: HashMap<FileId, FileOutlook> =
            files.par_iter().map(|&file| (file, outlook(project, plan, settings, &shared, file))).collect();
        let closures = files.par_iter().map(|&file| (file, project.run_by_import([file]))).collect();
        let keeps_flyte1 =
            (0..project.files.len()).map(|file| keeps_flyte1(project, outlooks.get(&file), file)).collect();
        Self { outlooks, keeps_flyte1, closures, line_length }
    }

    /// The file, if anything in it is converted.
    pub(super) fn of(&self, file: FileId) -> Option<&FileOutlook> {
        self.outlooks.get(&file)
    }

    /// How names of flyte are written in a file.
    pub(super) fn names(&self, file: FileId) -> FlyteNames {
        self.of(file).map_or_else(FlyteNames::default, |outlook| FlyteNames {
            prefix: outlook.prefix.clone(),
            path: if outlook.path_is_taken { "pathlib.Path" } else { "Path" },
            line_length: self.line_length,
        })
    }

    /// The distribution of Flyte 1 that code which `files` import, directly or not, still needs.
    pub(super) fn needs_flyte1(&self, files: &BTreeSet<FileId>) -> Option<&'static str> {
        self.reached(files).filter_map(|file| self.keeps_flyte1[file]).max()
    }

    /// The distributions that only flytekit, or the Python of Flyte 1's images, brought and that code which `files` import
    /// needs.
    pub(super) fn brought(&self, project: &Project, files: &BTreeSet<FileId>) -> Vec<String> {
        let mut brought = BTreeSet::new();
        let mut stores = BTreeSet::new();
        let mut reads_frames = false;
        for file in self.reached(files) {
            let Some(facts) = project.facts(file) else { continue };
            stores.extend(facts.module.object_stores.iter().copied().map(object_store_package));
            for module in project.outside_modules(file, |import| !import.is_for_types) {
                reads_frames |= matches!(module.split('.').next(), Some("pandas" | "polars" | "fsspec"));
                let package = brought_by_flytekit(&module).or_else(|| brought_by_python(&module));
                brought.extend(package.map(str::to_owned));
            }
        }
        if reads_frames {
            brought.extend(stores.into_iter().map(str::to_owned));
        }
        if brought.contains(SETUPTOOLS_WITH_RESOURCES) {
            brought.remove(SETUPTOOLS);
        }
        brought.into_iter().collect()
    }

    fn reached<'a>(&'a self, files: &'a BTreeSet<FileId>) -> impl Iterator<Item = FileId> + 'a {
        let all: BTreeSet<FileId> =
            files.iter().filter_map(|file| self.closures.get(file)).flatten().copied().collect();
        all.into_iter()
    }
}

/// Names that other files take from one of `files`: they must not go.
fn shared_names(project: &Project, files: &[FileId]) -> HashSet<(FileId, Name)> {
    let is_star_imported: HashSet<FileId> = project
        .parsed()
        .flat_map(|(file, facts)| {
            let stars = facts.module.star_imports.iter();
            stars.filter_map(move |star| project.index.resolve(file, star.level, &star.module)?.file)
        })
        .collect();
    let mut shared = HashSet::new();
    for file in project.importers(&files.iter().copied().collect()) {
        let Some(facts) = project.facts(file) else { continue };
        for import in &facts.module.imports {
            let Some((level, module)) = &import.from else { continue };
            let Some(target) = project.index.resolve(file, *level, module).and_then(|place| place.file)
            else {
                continue;
            };
            let is_star = import.aliases.iter().any(|alias| alias.name == "*");
            let relative = &project.files[file].relative;
            // What `__all__` lists stays anyhow.
            if is_star && project.facts(target).is_some_and(|facts| facts.module.has_export_list()) {
                continue;
            }
            if is_star && !relative.ends_with("__init__.py") && !is_star_imported.contains(&file) {
                // `*` brings the names that the importing file mentions; what passes them on may mention none.
                shared.extend(facts.module.names().into_iter().map(|name| (target, name.clone())));
            } else {
                shared.extend(import.aliases.iter().map(|alias| (target, Name::new(&alias.name))));
            }
        }
        let mut followed = FxHashSet::default();
        for reference in facts.module.references.iter().filter(|reference| !reference.attributes.is_empty()) {
            let is_import =
                |&&id: &&BindingId| matches!(facts.module.bindings[id].kind, BindingKind::Import(_));
            for &binding in reference.bindings.iter().filter(is_import) {
                for length in 0..reference.attributes.len() {
                    if !followed.insert((binding, &reference.attributes[..=length])) {
                        continue;
                    }
                    let targets = project.follow(file, binding, &reference.attributes[..length], 0);
                    if let [Target::Module(target)] = targets[..] {
                        shared.insert((target, reference.attributes[length].clone()));
                    }
                }
            }
        }
    }
    shared
}

const FLYTEKIT: &str = "flytekit";
/// It brings flytekit, and comes last in the order of names.
const UNION: &str = "union";

/// The distribution of Flyte 1 that a file still imports when it runs.
fn keeps_flyte1(project: &Project, outlook: Option<&FileOutlook>, file: FileId) -> Option<&'static str> {
    let facts = project.facts(file)?;
    let imports = facts.module.imports.iter().enumerate().filter(|(_, import)| !import.is_for_types);
    let imports = imports.flat_map(|(id, import)| {
        let removed = outlook.and_then(|outlook| outlook.removed.get(&id));
        import.aliases.iter().enumerate().filter_map(move |(position, alias)| {
            let path = match &import.from {
                Some((0, module)) => module.as_str(),
                Some(_) => "",
                None => alias.name.as_str(),
            };
            let root = path.split('.').next().unwrap_or_default();
            let stays = removed.is_none_or(|removed| !removed.contains(&position));
            (is_flyte1_root(root) && stays).then_some(root)
        })
    });
    imports.map(|root| if matches!(root, "union" | "unionai") { UNION } else { FLYTEKIT }).max()
}

fn outlook(
    project: &Project,
    plan: &Plan,
    settings: Settings<'_>,
    shared: &HashSet<(FileId, Name)>,
    file: FileId,
) -> FileOutlook {
    let mut outlook = FileOutlook {
        consumed: consumed(project, plan, settings, file),
        annotations: annotated_specs(project, plan, file),
        ..FileOutlook::default()
    };
    outlook.consumed.extend(outlook.annotations.iter().copied());
    let Some(facts) = project.facts(file) else { return outlook };
    for (id, import) in facts.module.imports.iter().enumerate() {
        for (position, alias) in import.aliases.iter().enumerate() {
            let Some(binding) = alias.binding else { continue };
            let is_removed = match PluginImport::of(project, file, import, alias) {
                Some(plugin) => {
                    plugin.goes(project, plan, file)
                        && !is_shared(facts, shared, file, &facts.module.bindings[binding])
                }
                None => is_removable(project, shared, &outlook, file, binding),
            };
            if is_removed {
                outlook.removed.entry(id).or_default().insert(position);
            }
        }
    }
    choose_names(project, plan, &mut outlook, file);
    let is_path = |binding: &Binding| matches!(&binding.kind, BindingKind::Import(path) if path.dotted() == "pathlib.Path");
    outlook.path_is_taken = facts.module.has_name("Path")
        && !facts.module.bindings.iter().filter(|binding| binding.name == "Path").all(is_path);
    outlook
}

/// The reads of `flytekit.__version__` in what an image is no longer given.
fn versions_left_out(
    project: &Project,
    plan: &Plan,
    settings: Settings<'_>,
    node: NodeId,
    call: &Call,
) -> Vec<TextRange> {
    let file = plan.graph.nodes[node].file;
    let Some(facts) = project.facts(file) else { return Vec::new() };
    let text = project.text(file);
    if !text[call.outer_range].contains(READ_VERSION) {
        return Vec::new();
    }
    let (names, additions) = (FlyteNames::default(), Additions::default());
    let left_out = map_image(project, &plan.graph, node, settings, &names, &additions, 0).consumed;
    let references = facts.module.references.iter().map(|reference| reference.range);
    let is_version = |range: &TextRange| text[*range].ends_with(READ_VERSION);
    references
        .filter(|range| is_version(range) && left_out.iter().any(|dropped| dropped.contains_range(*range)))
        .collect()
}

/// The references that conversion writes anew: `ImageSpec`, `task`, `Resources`, `Cache`.
fn consumed(project: &Project, plan: &Plan, settings: Settings<'_>, file: FileId) -> HashSet<TextRange> {
    let names = FlyteNames::default();
    let mut consumed = HashSet::new();
    for node in plan.converted_in(file) {
        consumed.extend(plan.graph.bodies[node].consumed.iter().copied());
        match &plan.graph.nodes[node].kind {
            NodeKind::Image(image) => {
                let Some(facts) = project.facts(file) else { continue };
                let call = &facts.module.calls[image.call];
                let mode = call.keyword("source_copy_mode");
                consumed.extend(mode.map(|mode| mode.value.range));
                // `image.with_packages(…)` goes on reading `image`.
                let is_written = !image.is_derived || is_replace(project, file, call);
                consumed.extend(is_written.then_some(call.callee));
                consumed.extend(versions_left_out(project, plan, settings, node, call));
            }
            NodeKind::Entity(entity) => {
                // A `partial` that became an environment is read on.
                consumed.extend(plan.graph.partial_of(node).is_none().then_some(entity.callee));
                consumed.extend(map_entity(project, &plan.graph, node, &names).effects.consumed);
            }
            NodeKind::Setting(_) => {
                consumed.extend(map_settings(project, &plan.graph, node, &names).effects.consumed);
            }
            NodeKind::Maker(actor) => {
                let Some(facts) = project.facts(file) else { continue };
                consumed.insert(facts.module.calls[actor.call].callee);
                consumed.extend(map_maker(project, &plan.graph, node, &names).settings.effects.consumed);
            }
            NodeKind::Container(_) => {
                consumed.extend(map_container(project, &plan.graph, node, &names).effects.consumed);
            }
            NodeKind::Code(_) => {}
        }
    }
    consumed
}

/// The annotation of the variable that holds an image.
pub(super) fn annotation_of(facts: &FileFacts, image: &ImageNode) -> Option<TextRange> {
    match facts.module.bindings[image.variable?].kind {
        BindingKind::Assignment { annotation, .. } => annotation,
        _ => None,
    }
}

/// The places of `ImageSpec` in annotations of images that are converted; if no image of the file stays, in all
/// annotations but those of tasks, which say what data they take.
fn annotated_specs(project: &Project, plan: &Plan, file: FileId) -> Vec<TextRange> {
    let Some(facts) = project.facts(file) else { return Vec::new() };
    let (mut own, mut entities, mut stays) = (Vec::new(), Vec::new(), false);
    for node in plan.nodes_in(file) {
        match &plan.graph.nodes[node].kind {
            NodeKind::Image(image) if plan.converts[node] => own.extend(annotation_of(facts, image)),
            NodeKind::Image(_) => stays = true,
            NodeKind::Entity(entity) => entities.push(facts.module.functions[entity.function].range),
            _ => {}
        }
    }
    let is_in = |ranges: &[TextRange], range| ranges.iter().any(|other| other.contains_range(range));
    let annotations = facts.module.references.iter().filter(|reference| reference.role == Role::Annotation);
    annotations
        .filter(|reference| project.symbol(file, reference) == Some(Symbol::ImageSpec))
        .map(|reference| reference.range)
        .filter(|&range| is_in(&own, range) || !stays && !is_in(&entities, range))
        .collect()
}

/// Whether a string names a type that the binding of this name gives, and goes on naming it.
fn is_named_in_quotes(project: &Project, file: FileId, name: &str) -> bool {
    let Some(facts) = project.facts(file) else { return false };
    let text = project.text(file);
    let is_outside_name = |c: char| !(c.is_alphanumeric() || c == '_');
    facts.module.quoted_types.iter().any(|&range| text[range].split(is_outside_name).any(|word| word == name))
}

/// Whether other files may take a name from here.
fn is_shared(facts: &FileFacts, shared: &HashSet<(FileId, Name)>, file: FileId, binding: &Binding) -> bool {
    binding.is_global
        && (facts.module.exported.iter().any(|name| binding.name == *name)
            || shared.contains(&(file, Name::new("*")))
            || shared.contains(&(file, binding.name.clone())))
}

fn is_removable(
    project: &Project,
    shared: &HashSet<(FileId, Name)>,
    outlook: &FileOutlook,
    file: FileId,
    id: BindingId,
) -> bool {
    let Some(facts) = project.facts(file) else { return false };
    let binding = &facts.module.bindings[id];
    let BindingKind::Import(path) = &binding.kind else { return false };
    if is_shared(facts, shared, file, binding)
        || is_named_in_quotes(project, file, &binding.name)
        || facts
            .module
            .references
            .iter()
            .any(|r| r.bindings.contains(&id) && !outlook.consumed.contains(&r.range))
    {
        return false;
    }
    // A module of the project is run by being imported, so its import stays.
    if project.index.resolve(file, path.level, &path.module).is_some_and(|place| place.file.is_some()) {
        return false;
    }
    let is_used = facts.module.references.iter().any(|reference| reference.bindings.contains(&id));
    // An import of Flyte 1 that nothing uses would keep flytekit in the image.
    let is_idle = path.level == 0
        && is_flyte1_root(path.root())
        && binding.is_unconditional
        && !project.files[file].relative.ends_with("__init__.py")
        && !is_pragma(project.text(file), binding.range);
    is_used || is_idle
}

/// Whether the line asks linters to leave an unused import alone.
fn is_pragma(text: &str, range: TextRange) -> bool {
    let start = crate::python::items::line_start(text, range.start());
    let end = crate::python::items::next_line_start(text, range.end());
    text[TextRange::new(start, end)].contains("noqa")
}

/// Names are imported one by one where the user did so and nothing else in the file has one of them.
fn choose_names(project: &Project, plan: &Plan, outlook: &mut FileOutlook, file: FileId) {
    let Some(facts) = project.facts(file) else { return };
    let module = &facts.module;
    let flyte = module.bindings.iter().find(|binding| {
        binding.is_unconditional
            && matches!(&binding.kind, BindingKind::Import(path) if path.level == 0 && path.module == "flyte" && path.name.is_none())
    });
    if let Some(flyte) = flyte {
        outlook.prefix = format!("{}.", flyte.name);
        return;
    }
    let is_from = |&id: &BindingId| {
        matches!(&module.bindings[id].kind, BindingKind::Import(path)
            if path.name.is_some() || matches!(path.dotted().as_str(), "dataclasses" | "functools"))
    };
    let takes_names = module
        .references
        .iter()
        .filter(|reference| outlook.consumed.contains(&reference.range))
        .all(|reference| reference.attributes.is_empty() || reference.bindings.iter().all(is_from));
    let has_other = needed_names(project, plan, outlook, file)
        .into_iter()
        // `from flyte import map` would hide the builtin.
        .any(|name| {
            name == "map"
                || module.has_name(name) && !is_free_name(module, outlook, name)
                || taken_by_stars(project, file).contains(name)
        });
    // Another library's `from x import *` may bring any name.
    let mut stars = module.star_imports.iter();
    let has_stars = stars.any(|star| project.index.resolve(file, star.level, &star.module).is_none());
    if takes_names && !has_other && !has_stars {
        return;
    }
    let is_flyte = |binding: &Binding| matches!(&binding.kind, BindingKind::Import(path) if path.level == 0 && path.dotted() == "flyte");
    let mut own = module.bindings.iter().filter(|binding| binding.name == "flyte").peekable();
    let is_taken = module.has_name("flyte") && (own.peek().is_none() || !own.all(is_flyte));
    let alias = if is_taken { "flyte2" } else { "flyte" };
    outlook.prefix = format!("{alias}.");
    outlook.imports_module =
        Some(if alias == "flyte" { "import flyte".to_owned() } else { format!("import flyte as {alias}") });
}

/// The names that files which take all names of `file` give to something else: they must not get them from it.
pub(super) fn taken_by_stars(project: &Project, file: FileId) -> HashSet<&str> {
    if project.facts(file).is_some_and(|facts| facts.module.has_export_list()) {
        return HashSet::new();
    }
    let mut takers = FxHashSet::from_iter([file]);
    loop {
        let more = project.parsed().filter(|(other, facts)| {
            let mut stars = facts.module.star_imports.iter();
            !takers.contains(other)
                && stars.any(|star| {
                    let place = project.index.resolve(*other, star.level, &star.module);
                    place.and_then(|place| place.file).is_some_and(|target| takers.contains(&target))
                })
        });
        let more: Vec<FileId> = more.map(|(other, _)| other).collect();
        if more.is_empty() {
            break;
        }
        takers.extend(more);
    }
    takers.remove(&file);
    let bindings = takers.into_iter().filter_map(|taker| project.facts(taker));
    let bindings = bindings.flat_map(|facts| &facts.module.bindings);
    let own = bindings.filter(|binding| {
        binding.is_global && !matches!(&binding.kind, BindingKind::Import(path) if is_flyte(path))
    });
    own.map(|binding| binding.name.as_str()).collect()
}

/// Whether an import is one of Flyte, 1 or 2.
fn is_flyte(path: &ImportPath) -> bool {
    path.level == 0 && (path.root() == "flyte" || is_flyte1_root(path.root()))
}

/// Whether `name` means, or will mean, what flyte calls so: it comes from flyte already, or its import goes.
fn is_free_name(module: &crate::python::scope::Module, outlook: &FileOutlook, name: &str) -> bool {
    let going: HashSet<BindingId> = outlook
        .removed
        .iter()
        .flat_map(|(&id, positions)| positions.iter().map(move |&position| (id, position)))
        .filter_map(|(id, position)| module.imports[id].aliases[position].binding)
        .collect();
    let mut bindings =
        module.bindings.iter().enumerate().filter(|(_, binding)| binding.name == name).peekable();
    bindings.peek().is_some()
        && bindings.all(|(id, binding)| {
            going.contains(&id)
                || matches!(&binding.kind, BindingKind::Import(path) if path.level == 0 && path.module == "flyte" && path.name.as_deref() == Some(name))
        })
}

fn needed_names(project: &Project, plan: &Plan, outlook: &FileOutlook, file: FileId) -> Vec<&'static str> {
    let mut names = Vec::new();
    names.extend((!outlook.annotations.is_empty()).then_some("Image"));
    for node in plan.converted_in(file) {
        names.extend(plan.graph.bodies[node].uses.iter().copied());
        match &plan.graph.nodes[node].kind {
            NodeKind::Code(_) => {}
            NodeKind::Setting(_) => {
                names.extend(map_settings(project, &plan.graph, node, &FlyteNames::default()).effects.uses);
            }
            NodeKind::Image(image) => {
                names.push("Image");
                let facts = project.facts(file);
                let call = facts.map(|facts| &facts.module.calls[image.call]);
                // By position it would be the eighteenth argument.
                let has_secrets = call.is_some_and(|call| {
                    call.keyword("pip_secret_mounts").is_some() || call.arguments.len() > 17
                });
                names.extend(has_secrets.then_some("Secret"));
            }
            NodeKind::Maker(_) => {
                let mapped = map_maker(project, &plan.graph, node, &FlyteNames::default());
                names.extend(["TaskEnvironment", "Image"]);
                names.extend(mapped.reusable.map(|_| "ReusePolicy"));
                names.extend(mapped.settings.effects.uses.iter().copied());
            }
            NodeKind::Container(_) => {
                names.push("TaskEnvironment");
                names.extend(map_container(project, &plan.graph, node, &FlyteNames::default()).effects.uses);
            }
            NodeKind::Entity(entity) => {
                names.push("TaskEnvironment");
                let mapped = map_entity(project, &plan.graph, node, &FlyteNames::default());
                names.extend(mapped.effects.uses);
                // Packages that flytekit brought may need an image.
                names.extend((!matches!(entity.image, ImageUse::Specs(_))).then_some("Image"));
            }
        }
    }
    names
}

/// The converted entities that use an image, their own or by sharing an environment.
pub(super) fn files_of(plan: &Plan, members: impl IntoIterator<Item = NodeId>) -> BTreeSet<FileId> {
    members.into_iter().map(|node| plan.graph.nodes[node].file).collect()
}
