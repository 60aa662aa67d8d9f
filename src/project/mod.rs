//! The project as a whole: its files, what their names mean across files, what must move together.
//!
//! [`index`] finds the file of a module, [`link`] follows names through imports, [`graph`] collects images and
//! entities with what stands in their way, [`plan`] decides what is converted.

pub mod disk;
pub mod graph;
pub mod index;
pub mod link;
pub mod plan;
pub mod reach;
pub mod settings;
pub mod sides;
pub mod strings;

mod bodies;
mod body_checks;
pub mod enums;
mod factories;
mod guards;
mod holders;
mod left_callers;
mod partials;
mod pixi_places;
mod references;
mod remotes;
mod transformers;
pub mod whole_file;

use rustc_hash::FxHashSet;

use crate::file_kind::FileKind;
use crate::flyte1::file::FileFacts;
use crate::python::TreeBudget;
use crate::python::scope::BindingId;
use crate::source::{SourceFile, TextRange};
use index::ModuleIndex;

/// An index into [`Project::files`].
pub type FileId = usize;

/// What became of a file.
#[derive(Debug)]
pub enum Content {
    /// Nothing in it can matter: it was not parsed.
    Skipped(Skimmed),
    /// A file around the code that names packages or commands of Flyte 1.
    Text(SourceFile),
    /// It was read and parsed.
    Parsed {
        /// The text.
        source: SourceFile,
        /// What is known of it.
        facts: Box<FileFacts>,
    },
    /// It was read and does not parse.
    SyntaxError {
        /// The text.
        source: SourceFile,
        /// Where the parser stopped.
        range: TextRange,
        /// What it says.
        message: String,
    },
    /// It could not be read, or is not UTF-8; what is wrong.
    Unreadable(String),
    /// The analysis failed; a bug.
    Panicked(SourceFile),
}

/// What is known of a file that was not parsed.
#[derive(Debug, Clone, Default)]
pub struct Skimmed {
    /// The files of the project that it seems to import.
    pub imports: Vec<FileId>,
    /// The distributions that it seems to import and that flytekit brings.
    pub brought: Vec<&'static str>,
}

/// One file of the project.
#[derive(Debug)]
pub struct ProjectFile {
    /// The path as it is shown.
    pub display: String,
    /// The path from the project root, with `/`.
    pub relative: String,
    /// Whether it is among the PATHS of the run: only such files are reported and written.
    pub is_selected: bool,
    /// What it is, by its name.
    pub kind: FileKind,
    /// What is in it.
    pub content: Content,
}

/// All files of the project, and where modules are.
#[derive(Debug)]
pub struct Project {
    /// The files, sorted by path.
    pub files: Vec<ProjectFile>,
    /// Where modules are.
    pub index: ModuleIndex,
    /// The files of the project that each file imports directly.
    pub imports: Vec<Vec<FileId>>,
    /// What each reference of each file means; see [`Project::resolve`].
    pub targets: Vec<link::Links>,
    /// What the mapping must know of the disk.
    pub disk: disk::DiskFacts,
    /// Values at the top level of modules that code may change after they are defined.
    pub changed: FxHashSet<(FileId, BindingId)>,
    /// Files that are known to stay as they are: a run before this one left them so, and nothing that changed since
    /// reaches them. Their code is not mapped again.
    pub settled: FxHashSet<FileId>,
    /// For how much source the syntax trees may be kept.
    pub trees: TreeBudget,
}

impl Project {
    /// The facts of a parsed file.
    pub fn facts(&self, file: FileId) -> Option<&FileFacts> {
        match &self.files[file].content {
            Content::Parsed { facts, .. } => Some(facts),
            _ => None,
        }
    }

    /// The source of a file that was read.
    pub fn source(&self, file: FileId) -> Option<&SourceFile> {
        match &self.files[file].content {
            Content::Parsed { source, .. }
            | Content::Text(source)
            | Content::SyntaxError { source, .. }
            | Content::Panicked(source) => Some(source),
            _ => None,
        }
    }

    /// The text of a file that was read; empty if it was not.
    pub fn text(&self, file: FileId) -> &str {
        self.source(file).map_or("", |source| &source.text)
    }

    /// The parsed files with their facts.
    pub fn parsed(&self) -> impl Iterator<Item = (FileId, &FileFacts)> {
        (0..self.files.len()).filter_map(|file| Some((file, self.facts(file)?)))
    }
}
