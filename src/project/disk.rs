//! What the mapping must know of the disk, gathered before it runs: it asks this table and nothing else.
//!
//! ```python
//! ImageSpec(copy=["data"], requirements="uv.lock")    # is `data` a folder, does the lock hold flyte
//! ```

use std::collections::HashMap;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathFact {
    /// What stands there.
    pub kind: PathKind,
    /// Whether the project's `.dockerignore` keeps it out of images.
    pub is_ignored: bool,
    /// For a lock file: whether it locks `flyte`.
    pub locks_flyte: bool,
}

/// What is known of the disk.
#[derive(Debug, Default)]
pub struct DiskFacts {
    /// The paths that literal arguments name, by the file that names them.
    pub paths: HashMap<(FileId, String), PathFact>,
    /// Whether the project's `.dockerignore` keeps `.git`, `.env` and virtual environments out of images.
    pub ignores_private_files: bool,
}

impl DiskFacts {
    /// What is known of `path` as `file` names it.
    pub fn path(&self, file: FileId, path: &str) -> PathFact {
        self.paths.get(&(file, path.to_owned())).copied().unwrap_or_default()
    }
}
