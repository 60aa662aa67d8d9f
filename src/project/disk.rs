//! What the mapping must know of the disk, gathered before it runs: it asks this table and nothing else.
//!
//! ```python
//! ImageSpec(copy=["data"], requirements="uv.lock")    # is `data` a folder, does the lock hold flyte
//! ```

use std::collections::{BTreeSet, HashMap, HashSet};

use super::FileId;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PathKind {
    /// Nothing, or it is not known.
    #[default]
    Missing,
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// What is known of a path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathFact {
    /// What stands there.
    pub kind: PathKind,
    /// Whether the project's `.dockerignore` keeps it out of images.
    pub is_ignored: bool,
    /// For a lock file: whether it locks `flyte`.
    pub locks_flyte: bool,
    /// For a folder: what of it only one of the SDKs copies.
    pub folder: FolderFact,
}

/// What of a folder only one of the SDKs copies: the first file of each kind, as its path from the folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FolderFact {
    /// A file that the project's `.dockerignore` keeps out of it on Flyte 2.
    pub left_out: Option<String>,
    /// The same of those that Flyte 1 copies of a `source_root`.
    pub left_out_of_source: Option<String>,
    /// A file that Flyte 1 does not copy of a `source_root`, because git ignores it.
    pub added_to_source: Option<String>,
}

/// An option for pip in a requirements file that counts for everything installed along with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PipOption {
    /// `--index-url URL`
    Index(String),
    /// `--extra-index-url URL`
    ExtraIndex(String),
    /// Any other, as it is written on a command line: `--find-links URL`.
    Other(String),
}

impl PipOption {
    /// As it is written on a command line.
    pub fn text(&self) -> String {
        match self {
            Self::Index(url) => format!("--index-url {url}"),
            Self::ExtraIndex(url) => format!("--extra-index-url {url}"),
            Self::Other(text) => text.clone(),
        }
    }
}

/// What a requirements file lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListedPackages {
    /// The distributions, normalized.
    pub distributions: Vec<String>,
    /// What is written of each, without options.
    pub texts: Vec<String>,
    /// The requirements that keep newer versions out: `numpy==1.24.0`, `pandas<3`.
    pub limits: Vec<String>,
    /// The options that also count for what is installed along with the file.
    pub options: Vec<PipOption>,
    /// Whether this run may edit the file: it is among the paths, known by its name, and not made by a program.
    pub is_editable: bool,
}

/// What is known of the disk.
#[derive(Debug, Default)]
pub struct DiskFacts {
    /// The paths that literal arguments name, by the file that names them.
    pub paths: HashMap<(FileId, String), PathFact>,
    /// Whether the project's `.dockerignore` keeps `.git`, `.env` and virtual environments out of images.
    pub ignores_private_files: bool,
    /// The requirements files that images name, and by which files.
    pub requirements: HashMap<FileId, BTreeSet<FileId>>,
    /// What those files list, by the file and the path that name them; also where they lie outside the project.
    pub listed: HashMap<(FileId, String), ListedPackages>,
    /// Where a `pixi.toml`, or something else, stands already: paths from the project root.
    pub manifests: HashSet<String>,
}

impl DiskFacts {
    /// The files whose images install the requirements file `file`.
    pub fn users_of(&self, file: FileId) -> BTreeSet<FileId> {
        self.requirements.get(&file).cloned().unwrap_or_default()
    }

    /// What the requirements file `path` lists, as `file` names it; `None` if it is not known.
    pub fn listed(&self, file: FileId, path: &str) -> Option<&ListedPackages> {
        self.listed.get(&(file, path.to_owned()))
    }

    /// What is known of `path` as `file` names it.
    pub fn path(&self, file: FileId, path: &str) -> PathFact {
        self.paths.get(&(file, path.to_owned())).cloned().unwrap_or_default()
    }
}
