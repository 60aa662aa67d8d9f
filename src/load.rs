//! Reads the files of a project and their facts, in parallel.
//!
//! A file whose bytes name nothing of Flyte is read, but not parsed, unless a parsed file imports it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use memchr::memmem;
use rayon::prelude::*;

use crate::discover::{Candidate, Discovery};
use crate::flyte1::file::FileFacts;
use crate::flyte1::symbol::is_flyte1_root;
use crate::project::index::ModuleIndex;
use crate::project::{Content, FileId, Project, ProjectFile};
use crate::python::module_path::ImportPath;
use crate::source::SourceFile;

/// What the bytes of a file must hold for it to matter by itself.
const WORDS: [&str; 4] = ["flytekit", "union", "ImageSpec", "TaskEnvironment"];

/// Reads the project.
pub fn load(discovery: &Discovery) -> Project {
    let relative: Vec<String> =
        discovery.files.iter().map(|file| file.relative.to_string_lossy().replace('\\', "/")).collect();
    let index = ModuleIndex::new(relative.clone());
    let contents: Vec<Content> = discovery
        .files
        .par_iter()
        .enumerate()
        .map(|(file, candidate)| read(&index, file, candidate, Need::IfItMentionsFlyte))
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
            content,
        })
        .collect();
    let mut project = Project { files, index, imports: Vec::new() };
    load_importers(&mut project, discovery);
    load_imported(&mut project, discovery);
    project.imports =
        (0..project.files.len()).into_par_iter().map(|file| project.find_imported_files(file)).collect();
    project
}

/// Reads what imports a file that defines tasks or images, such as tests: it may use them in any way.
fn load_importers(project: &mut Project, discovery: &Discovery) {
    let defines = |file: FileId| {
        project
            .facts(file)
            .is_some_and(|facts| !facts.module.functions.is_empty() || !facts.module.calls.is_empty())
    };
    let wanted: Vec<FileId> = (0..project.files.len())
        .filter(|&file| match &project.files[file].content {
            Content::Skipped(imported) => imported.iter().any(|&imported| defines(imported)),
            _ => false,
        })
        .collect();
    read_all(project, discovery, &wanted);
}

/// Reads what parsed files import: names may be re-exported, and code that runs in an image may need packages.
fn load_imported(project: &mut Project, discovery: &Discovery) {
    let mut frontier: Vec<FileId> = project.parsed().map(|(file, _)| file).collect();
    while !frontier.is_empty() {
        let mut wanted: Vec<FileId> =
            frontier.iter().flat_map(|&file| project.find_imported_files(file)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted.retain(|&file| matches!(project.files[file].content, Content::Skipped(_)));
        read_all(project, discovery, &wanted);
        frontier = wanted;
        frontier.retain(|&file| project.facts(file).is_some());
    }
}

fn read_all(project: &mut Project, discovery: &Discovery, wanted: &[FileId]) {
    let contents: Vec<Content> = wanted
        .par_iter()
        .map(|&file| read(&project.index, file, &discovery.files[file], Need::Always))
        .collect();
    for (&file, content) in wanted.iter().zip(contents) {
        project.files[file].content = content;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    IfItMentionsFlyte,
    Always,
}

fn read(index: &ModuleIndex, file: FileId, candidate: &Candidate, need: Need) -> Content {
    let bytes = match std::fs::read(&candidate.path) {
        Ok(bytes) => bytes,
        Err(error) if candidate.is_selected => {
            return Content::Unreadable(format!("cannot be read: {error}"));
        }
        Err(_) => return Content::Skipped(Vec::new()),
    };
    if need == Need::IfItMentionsFlyte
        && !WORDS.iter().any(|word| memmem::find(&bytes, word.as_bytes()).is_some())
    {
        return Content::Skipped(index.rough_imports(file, &bytes));
    }
    match SourceFile::from_bytes(candidate.path.clone(), candidate.display.clone(), bytes) {
        Ok(source) => analyze(index, file, source),
        Err(error) => Content::Unreadable(error.to_string()),
    }
}

/// Parses a source and reads its facts. A panic, a bug of ours, costs that file only.
pub fn analyze(index: &ModuleIndex, file: FileId, source: SourceFile) -> Content {
    let is_of_interest = |path: &ImportPath| {
        path.level > 0
            || is_flyte1_root(path.root())
            || path.root() == "flyte"
            || index.resolve(file, 0, path.root()).is_some()
    };
    let facts = catch_unwind(AssertUnwindSafe(|| FileFacts::read(&source.text, &is_of_interest)));
    match facts {
        Ok(Ok(facts)) => Content::Parsed { source, facts: Box::new(facts) },
        Ok(Err(error)) => Content::SyntaxError { source, range: error.range, message: error.message },
        Err(_) => Content::Panicked(source),
    }
}
