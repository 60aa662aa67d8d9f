//! Reads the files of a project and their facts, in parallel.
//!
//! A file whose bytes name nothing of Flyte is read, but not parsed, unless a parsed file imports it.

mod folders;

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use memchr::memmem;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use self::folders::Folders;
use crate::builder_config::is_configuration;
use crate::discover::{Candidate, Discovery};
use crate::file_kind::FileKind;
use crate::flyte1::file::FileFacts;
use crate::flyte1::symbol::is_flyte1_root;
use crate::manifests::listed_packages;
use crate::project::disk::{DiskFacts, FolderFact, PathFact, PathKind};
use crate::project::index::ModuleIndex;
use crate::project::link::Target;
use crate::project::plan::constant;
use crate::project::{Content, FileId, Project, ProjectFile, Skimmed};
use crate::python::ast::name::Name;
use crate::python::module_path::ImportPath;
use crate::python::module_value::{IMPORTERS, rough_values};
use crate::python::scope::{BindingId, BindingKind, Call, INTERNAL_PREFIX, Role, SECRET_PREFIX, is_mutator};
use crate::python::value::{Value, ValueKind};
use crate::python::{TreeBudget, rough_imports};
use crate::rules::image_spec::FIELDS;
use crate::rules::tables::brought_by_flytekit;
use crate::source::SourceFile;

/// The package of union, which brings Flyte 1.
const UNION: &str = "union";

/// What the bytes of a file must hold for it to matter by itself: names of the SDKs, or environment variables as Flyte 1
/// calls them.
const WORDS: [&str; 8] = [
    "flytekit",
    UNION,
    "ImageSpec",
    "TaskEnvironment",
    "pyflyte",
    "Image.from_",
    SECRET_PREFIX,
    INTERNAL_PREFIX,
];

/// The same, where Flyte 2 images matter as well.
const IMAGE_WORDS: [&str; 3] = ["flyte", UNION, "ImageSpec"];

/// What the bytes of a manifest or lock must hold: a name, or what takes requirements from another file.
const MANIFEST_WORDS: [&str; 5] = ["flyte", "union", "-r ", "--requirement", "setuptools.dynamic"];

/// The same for a notebook.
const NOTEBOOK_WORDS: [&str; 3] = ["flytekit", "import union", "from union"];

/// The same for YAML, which may be a configuration.
const YAML_WORDS: [&str; 5] = ["flytekit", "pyflyte", "union run", "union register", "admin:"];

/// The same for any other file around the code.
const WORDS_AROUND: [&str; 4] = ["flytekit", "pyflyte", "union run", "union register"];

/// For how many bytes of source the syntax trees are usually kept: some hundred files, or some 50 MB of memory.
pub const TREE_BUDGET: usize = 2 << 20;

/// Reads the project, for a migration, and keeps the syntax trees of so many bytes of source whose code is looked at
/// again.
pub fn load(discovery: &Discovery, tree_budget: usize) -> Project {
    load_with(discovery, &WORDS, tree_budget)
}

/// Reads the project, with all files that may hold Flyte 2 images.
pub fn load_with_images(discovery: &Discovery) -> Project {
    load_with(discovery, &IMAGE_WORDS, TREE_BUDGET)
}

/// Puts new texts in place of those that were read.
pub fn replace(project: &mut Project, texts: &BTreeMap<FileId, String>) {
    for (file, content) in contents_of(project, texts) {
        project.files[file].content = content;
    }
    find_links(project);
}

/// What new texts are in the places of files that were read.
pub fn contents_of(project: &Project, texts: &BTreeMap<FileId, String>) -> Vec<(FileId, Content)> {
    let content = |(&file, text): (&FileId, &String)| {
        let source = SourceFile { text: text.clone(), ..project.source(file)?.clone() };
        let content = match project.files[file].kind {
            FileKind::Python => analyze(&project.index, file, source, &project.trees),
            _ => Content::Text(source),
        };
        Some((file, content))
    };
    texts.par_iter().filter_map(content).collect()
}

/// Follows names, and finds what may change.
fn find_links(project: &mut Project) {
    project.link();
    project.changed = find_changed(project);
}

fn load_with(discovery: &Discovery, words: &[&str], tree_budget: usize) -> Project {
    let relative: Vec<String> =
        discovery.files.iter().map(|file| file.relative.to_string_lossy().replace('\\', "/")).collect();
    let index = ModuleIndex::new(relative.clone());
    let trees = TreeBudget::new(tree_budget);
    let contents: Vec<Content> = discovery
        .files
        .par_iter()
        // Files differ much in size.
        .with_max_len(1)
        .enumerate()
        .map(|(file, candidate)| match candidate.kind {
            FileKind::Python => read(&index, &trees, file, candidate, Need::IfItNames(words)),
            _ => read_around(candidate, is_configuration(&relative[file])),
        })
        .collect();
    let files = discovery
        .files
        .iter()
        .zip(relative)
        .zip(contents)
        .map(|((candidate, relative), content)| ProjectFile {
            display: candidate.display.clone(),
            relative,
            is_selected: candidate.is_selected,
            kind: candidate.kind,
            content,
        })
        .collect();
    let mut project = Project {
        files,
        index,
        imports: Vec::new(),
        targets: Vec::new(),
        disk: DiskFacts::default(),
        changed: FxHashSet::default(),
        settled: FxHashSet::default(),
        trees,
    };
    let related = load_importers(&mut project, discovery);
    load_imported(&mut project, discovery, related);
    find_links(&mut project);
    project.disk = disk_facts(&project, discovery);
    project
}

/// The values at the top level of modules that code may change: through a method, another name, or a call.
pub fn find_changed(project: &Project) -> FxHashSet<(FileId, BindingId)> {
    let files = (0..project.files.len()).into_par_iter();
    files.flat_map_iter(|file| changed_by(project, file)).collect::<Vec<_>>().into_iter().collect()
}

fn changed_by(project: &Project, file: FileId) -> impl Iterator<Item = (FileId, BindingId)> {
    let references = project.facts(file).map(|facts| facts.module.references.as_slice()).unwrap_or_default();
    let changing = references.iter().filter(|reference| {
        let changes = reference.attributes.last().is_some_and(|name| is_mutator(name));
        // The SDKs leave what they get as it is.
        changes
            || match &reference.role {
                Role::Mutated | Role::Filled(_) | Role::Assigned => true,
                Role::ArgumentOf(library) => library != "flyte" && !is_flyte1_root(library),
                _ => false,
            }
    });
    let targets = changing.flat_map(move |reference| {
        let is_assigned = matches!(reference.role, Role::Mutated | Role::Filled(_));
        project.resolve(file, reference).iter().map(move |target| (is_assigned, target))
    });
    targets.filter_map(|(is_assigned, target)| match target {
        // Who gets a string or a number cannot change what holds it.
        Target::Binding(file, binding, rest)
            if is_assigned || !is_immutable(project, *file, *binding, rest) =>
        {
            Some((*file, *binding))
        }
        _ => None,
    })
}

/// Whether a name, or a constant of a class, is a literal that nothing can change.
fn is_immutable(project: &Project, file: FileId, binding: BindingId, rest: &[Name]) -> bool {
    let Some(module) = project.facts(file).map(|facts| &facts.module) else { return false };
    let binding = &module.bindings[binding];
    match (&binding.kind, rest) {
        (BindingKind::Assignment { value, .. }, []) => value.is_literal() && value.is_immutable(),
        (BindingKind::Definition, [field]) => {
            let attributes = module.class_attributes.get(&binding.owner).into_iter().flatten();
            let mut own = attributes.filter(|(name, _)| name == field.as_str());
            own.any(|(_, value)| value.is_literal() && value.is_immutable())
        }
        _ => false,
    }
}

/// The arguments of calls that name files and folders.
const PATH_ARGUMENTS: [&str; 3] = ["requirements", "copy", "source_root"];

/// The method of an `ImageSpec` that adds to what it copies.
const COPY_METHOD: &str = "with_copy";

/// Looks at every path that an argument names, also through a constant: from the working directory, the project root, the file's folder.
fn disk_facts(project: &Project, discovery: &Discovery) -> DiskFacts {
    let ignore = docker_ignore(&discovery.root);
    // What lies outside the root has no pattern that could exclude it.
    let is_ignored = |path: &Path, is_folder: bool| {
        let below = if path.is_absolute() { path.strip_prefix(&discovery.root).ok() } else { Some(path) };
        below.is_some_and(|below| ignore.matched_path_or_any_parents(below, is_folder).is_ignore())
    };
    let mut facts = DiskFacts {
        ignores_private_files: [".git", ".env", ".venv"].iter().all(|name| is_ignored(Path::new(name), true)),
        manifests: manifests(project, discovery),
        ..DiskFacts::default()
    };
    let folders = Folders::new(&discovery.root);
    for (file, parsed) in project.parsed() {
        for path in parsed.module.calls.iter().flat_map(|call| named_paths(project, file, call)) {
            let path = path.as_str();
            let folder = discovery.files[file].path.parent().unwrap_or(&discovery.root);
            let bases = [Path::new(""), &discovery.root, folder];
            let found = bases.iter().map(|base| base.join(path)).find(|path| path.exists());
            if let Some(found) = found.as_deref().filter(|_| path.ends_with(".txt")) {
                note_requirements(&mut facts, discovery, (file, path), found);
            }
            let fact = found.map(|found| {
                let is_folder = found.is_dir();
                let absolute = found.canonicalize().unwrap_or(found);
                PathFact {
                    kind: if is_folder { PathKind::Folder } else { PathKind::File },
                    is_ignored: is_ignored(&absolute, is_folder),
                    folder: if is_folder {
                        folders.look_at(&absolute, facts.ignores_private_files)
                    } else {
                        FolderFact::default()
                    },
                    locks_flyte: path.ends_with(".lock") && locks_flyte(&absolute),
                }
            });
            facts.paths.insert((file, path.to_owned()), fact.unwrap_or_default());
        }
    }
    facts
}

/// The paths that the arguments of a call name, themselves or through constants.
fn named_paths(project: &Project, file: FileId, call: &Call) -> Vec<String> {
    let is_method = |name: &str| name == COPY_METHOD;
    let callee = &project.text(file)[call.callee];
    let adds = callee.rsplit('.').next().is_some_and(is_method);
    let own = call.arguments.iter().enumerate().filter(|(position, argument)| {
        let name = argument.name.as_deref().or_else(|| FIELDS.get(*position).copied());
        adds || name.is_some_and(|name| PATH_ARGUMENTS.contains(&name))
    });
    let methods = call.methods.iter().filter(|method| is_method(&method.name));
    let arguments = own.map(|(_, argument)| argument).chain(methods.flat_map(|method| &method.arguments));
    let resolved = |value: &Value| match value.kind {
        ValueKind::Name(_) | ValueKind::Opaque => {
            constant(project, file, &project.text(file)[value.range], value.range.start())
        }
        _ => None,
    };
    let mut paths = Vec::new();
    for argument in arguments {
        let value = resolved(&argument.value).unwrap_or_else(|| argument.value.clone());
        for value in std::iter::once(&value).chain(value.elements().unwrap_or_default()) {
            let element = resolved(value);
            paths.extend(element.as_ref().unwrap_or(value).as_str().map(str::to_owned));
        }
    }
    paths
}

/// What a requirements file lists that an image may install, and that it does.
fn note_requirements(
    facts: &mut DiskFacts,
    discovery: &Discovery,
    (file, path): (FileId, &str),
    found: &Path,
) {
    let absolute = found.canonicalize().unwrap_or_else(|_| found.to_path_buf());
    let Ok(text) = std::fs::read_to_string(&absolute) else { return };
    let own = discovery.files.binary_search_by(|candidate| candidate.path.cmp(&absolute)).ok();
    let own = own.filter(|&own| discovery.files[own].kind == FileKind::Requirements);
    if let Some(own) = own {
        facts.requirements.entry(own).or_default().insert(file);
    }
    let is_selected = own.is_some_and(|own| discovery.files[own].is_selected);
    facts.listed.insert((file, path.to_owned()), listed_packages(&text, is_selected));
}

/// The places beside the files of the project where a new `pixi.toml` would meet something.
fn manifests(project: &Project, discovery: &Discovery) -> HashSet<String> {
    let mut found = HashSet::new();
    let mut folders: Vec<(&str, &Path)> = project
        .parsed()
        .filter_map(|(file, _)| {
            let relative = project.files[file].relative.rsplit_once('/').map_or("", |(folder, _)| folder);
            Some((relative, discovery.files[file].path.parent()?))
        })
        .collect();
    folders.sort_unstable();
    folders.dedup();
    for (relative, folder) in folders {
        let join =
            |path: &str| if relative.is_empty() { path.to_owned() } else { format!("{relative}/{path}") };
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            match name.to_str() {
                Some("pixi.toml") => drop(found.insert(join("pixi.toml"))),
                Some(name) if name.starts_with("pixi_") => {
                    found.insert(join(&format!("{name}/pixi.toml")));
                }
                _ => {}
            }
        }
    }
    found
}

fn locks_flyte(lock: &Path) -> bool {
    std::fs::read_to_string(lock).is_ok_and(|text| text.lines().any(|line| line.trim() == "name = \"flyte\""))
}

/// The project's `.dockerignore`. Its patterns are those of `.gitignore`, but all begin at its own folder.
fn docker_ignore(root: &Path) -> Gitignore {
    let mut builder = GitignoreBuilder::new(root);
    let text = std::fs::read_to_string(root.join(".dockerignore")).unwrap_or_default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (mark, pattern) = line.strip_prefix('!').map_or(("", line), |pattern| ("!", pattern));
        let pattern = pattern.trim_start_matches("./").trim_start_matches('/');
        // A pattern that is no glob counts for nothing, as in Docker.
        drop(builder.add_line(None, &format!("{mark}/{pattern}")));
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

/// Reads what imports a file that imports Flyte, such as tests: it may use the tasks there in any way, or get the SDK
/// itself from there. What imports those counts too: any module hands on the names that it imports. Returns all of them.
fn load_importers(project: &mut Project, discovery: &Discovery) -> FxHashSet<FileId> {
    let imports_flyte = |(file, facts): (FileId, &FileFacts)| facts.imports_flyte().then_some(file);
    let mut sources: FxHashSet<FileId> = project.parsed().filter_map(imports_flyte).collect();
    let mut related = sources.clone();
    let unrelated = project.parsed().map(|(file, _)| file).filter(|file| !related.contains(file));
    let unrelated: Vec<(FileId, Vec<FileId>)> =
        unrelated.map(|file| (file, project.find_imported_files(file))).collect();
    while !sources.is_empty() {
        let leads = |imports: &[FileId]| imports.iter().any(|imported| sources.contains(imported));
        let is_wanted = |&file: &FileId| match &project.files[file].content {
            Content::Skipped(skimmed) => leads(&skimmed.imports),
            _ => false,
        };
        let wanted: Vec<FileId> = (0..project.files.len()).filter(is_wanted).collect();
        let known = unrelated.iter().filter(|(_, imports)| leads(imports)).map(|(file, _)| *file);
        let next: Vec<FileId> = known.chain(wanted.iter().copied()).collect();
        read_all(project, discovery, &wanted);
        sources = next.into_iter().filter(|&file| related.insert(file)).collect();
    }
    related
}

/// Reads what these files import, and what that imports, and notes what each imports: names may be re-exported, and code
/// that runs in an image may need packages.
fn load_imported(project: &mut Project, discovery: &Discovery, related: FxHashSet<FileId>) {
    project.imports = vec![Vec::new(); project.files.len()];
    let mut frontier: Vec<FileId> = related.iter().copied().collect();
    let mut seen = related;
    while !frontier.is_empty() {
        let imported: Vec<Vec<FileId>> =
            frontier.par_iter().map(|&file| project.find_imported_files(file)).collect();
        let mut wanted: Vec<FileId> = imported.concat();
        for (&file, imported) in frontier.iter().zip(imported) {
            project.imports[file] = imported;
        }
        // Importing a module runs the packages around it as well.
        wanted.extend(frontier.iter().flat_map(|&file| project.index.packages_around(file)));
        wanted.retain(|&file| seen.insert(file));
        frontier.clone_from(&wanted);
        wanted.retain(|&file| matches!(project.files[file].content, Content::Skipped(_)));
        read_all(project, discovery, &wanted);
    }
}

fn read_all(project: &mut Project, discovery: &Discovery, wanted: &[FileId]) {
    let contents: Vec<Content> = wanted
        .par_iter()
        .map(|&file| read(&project.index, &project.trees, file, &discovery.files[file], Need::Always))
        .collect();
    for (&file, content) in wanted.iter().zip(contents) {
        project.files[file].content = content;
    }
}

#[derive(Clone, Copy)]
enum Need<'w> {
    IfItNames(&'w [&'w str]),
    Always,
}

fn read(
    index: &ModuleIndex,
    trees: &TreeBudget,
    file: FileId,
    candidate: &Candidate,
    need: Need<'_>,
) -> Content {
    let bytes = match std::fs::read(&candidate.path) {
        Ok(bytes) => bytes,
        Err(error) if candidate.is_selected => {
            return Content::Unreadable(format!("cannot be read: {error}"));
        }
        Err(_) => return Content::Skipped(Skimmed::default()),
    };
    if let Need::IfItNames(words) = need
        && !words.iter().any(|word| names(&bytes, word))
    {
        return Content::Skipped(skim(index, file, &bytes));
    }
    match SourceFile::from_bytes(candidate.path.clone(), candidate.display.clone(), bytes) {
        Ok(source) => analyze(index, file, source, trees),
        Err(error) => Content::Unreadable(error.to_string()),
    }
}

/// Whether the bytes of a Python file name what `word` stands for. `union` is also what sets and prose call something
/// else: it counts where a module is imported.
fn names(bytes: &[u8], word: &str) -> bool {
    let is_import = |at: usize| {
        let before = bytes[..at].trim_ascii_end();
        if let Some(before) = before.strip_suffix(b"\"").or_else(|| before.strip_suffix(b"'")) {
            return IMPORTERS.iter().any(|importer| before.trim_ascii_end().ends_with(importer.as_bytes()));
        }
        // `import a, \` goes on in the next line.
        let before = before.strip_suffix(b"\\").map_or(before, <[u8]>::trim_ascii_end);
        ["import", "from", ","].iter().any(|head| before.ends_with(head.as_bytes()))
    };
    memmem::find_iter(bytes, word).any(|at| word != UNION || is_import(at))
}

/// What the import lines of a file tell that is not parsed.
fn skim(index: &ModuleIndex, file: FileId, bytes: &[u8]) -> Skimmed {
    let imports = rough_imports(bytes);
    let outside = imports.iter().filter(|(level, ..)| *level == 0);
    let brought = outside.flat_map(|(_, module, names)| {
        let own = brought_by_flytekit(module).into_iter();
        own.chain(names.iter().filter_map(move |name| brought_by_flytekit(&format!("{module}.{name}"))))
    });
    let mut imported = index.files_of(file, &imports);
    imported.extend(index.files_of(file, &rough_values(bytes)));
    // A package that imports its modules when they are asked for may pass any of them on.
    if memmem::find(bytes, b"def __getattr__").is_some() {
        imported.extend(index.files_of_package(file));
    }
    Skimmed { brought: brought.collect(), imports: imported }
}

/// Reads a file around the code, which is not parsed.
fn read_around(candidate: &Candidate, is_needed: bool) -> Content {
    let nothing = || Content::Skipped(Skimmed::default());
    // What cannot be read, such as a socket of an editor, is no concern of a migration of Python.
    let Ok(bytes) = std::fs::read(&candidate.path) else { return nothing() };
    // Windows writes such requirements files, and pip reads them.
    if candidate.kind == FileKind::Requirements && is_utf16_with(&bytes, "flyte") {
        return Content::Unreadable("the file is UTF-16; save it as UTF-8".to_owned());
    }
    let words: &[&str] = match candidate.kind {
        FileKind::Toml | FileKind::Requirements | FileKind::Ini | FileKind::Lock => &MANIFEST_WORDS,
        FileKind::Notebook => &NOTEBOOK_WORDS,
        FileKind::Yaml => &YAML_WORDS,
        _ => &WORDS_AROUND,
    };
    if !is_needed && !words.iter().any(|word| memmem::find(&bytes, word.as_bytes()).is_some()) {
        return nothing();
    }
    match SourceFile::from_bytes(candidate.path.clone(), candidate.display.clone(), bytes) {
        Ok(source) => Content::Text(source),
        Err(error) => Content::Unreadable(error.to_string()),
    }
}

/// Whether the bytes are UTF-16 and hold the word.
fn is_utf16_with(bytes: &[u8], word: &str) -> bool {
    let wide = |to_bytes: fn(u16) -> [u8; 2]| word.encode_utf16().flat_map(to_bytes).collect::<Vec<u8>>();
    match bytes {
        [0xff, 0xfe, ..] => memmem::find(bytes, &wide(u16::to_le_bytes)).is_some(),
        [0xfe, 0xff, ..] => memmem::find(bytes, &wide(u16::to_be_bytes)).is_some(),
        _ => false,
    }
}

/// Parses a source and reads its facts. A panic, a bug of ours, costs that file only.
pub fn analyze(index: &ModuleIndex, file: FileId, source: SourceFile, trees: &TreeBudget) -> Content {
    let is_of_interest = |path: &ImportPath| {
        path.level > 0
            || is_flyte1_root(path.root())
            || matches!(path.root(), "flyte" | "setuptools" | "distutils")
            || index.resolve(file, 0, path.root()).is_some()
    };
    let facts = catch_unwind(AssertUnwindSafe(|| FileFacts::read(&source.text, &is_of_interest, trees)));
    match facts {
        Ok(Ok(facts)) => Content::Parsed { source, facts: Box::new(facts) },
        Ok(Err(error)) => Content::SyntaxError { source, range: error.range, message: error.message },
        Err(_) => Content::Panicked(source),
    }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn union_counts_where_it_is_imported() {
        for text in [
            "import union",
            "from union import task",
            "from union.app import App",
            "import a, \\\n  union",
            "importlib.import_module(\n  \"union\")",
            "__import__('union')",
        ] {
            assert!(names(text.as_bytes(), "union"), "{text}");
        }
        for text in ["a.union(b)", "# the union of both", "reunion", "x = union", "run(\"union\")"] {
            assert!(!names(text.as_bytes(), "union"), "{text}");
        }
        assert!(names(b"# flytekit", "flytekit"));
    }
}
