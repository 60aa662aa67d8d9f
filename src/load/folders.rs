//! What of a folder that is copied into an image only one of the SDKs takes.
//!
//! ```text
//! *.bin        # `.dockerignore` of the project: Flyte 2 matches it against paths from the copied folder
//! ```

use std::collections::BTreeSet;
use std::path::Path;

use ignore::WalkBuilder;

use crate::image::disk::Disk;
use crate::image::ignore::{Patterns, STANDARD_PATTERNS};
use crate::project::disk::FolderFact;

/// The folders of a project that are copied into images.
pub(super) struct Folders<'a> {
    /// The root of the project.
    root: &'a Path,
    /// Its `.dockerignore`, which Flyte 2 obeys for every folder.
    patterns: Patterns,
    disk: Disk,
}

impl<'a> Folders<'a> {
    /// Reads the `.dockerignore` at `root`.
    pub(super) fn new(root: &'a Path) -> Self {
        let text = std::fs::read_to_string(root.join(".dockerignore")).unwrap_or_default();
        Self { root, patterns: Patterns::read(&text), disk: Disk::new(root.to_path_buf()) }
    }

    /// What is known of the folder at an absolute path.
    ///
    /// `is_shielded` tells whether `.git` and virtual environments are left out, without which there is too much to see.
    pub(super) fn look_at(&self, folder: &Path, is_shielded: bool) -> FolderFact {
        if !is_shielded && folder == self.root {
            return FolderFact::default();
        }
        let Ok(kept) = self.patterns.files(folder, &self.disk) else { return FolderFact::default() };
        let kept: BTreeSet<String> = kept.into_iter().collect();
        let all = Patterns::default().files(folder, &self.disk).unwrap_or_default();
        let standard = Patterns::new(STANDARD_PATTERNS);
        let is_of_interest = |file: &&String| !standard.is_ignored(file);
        let source = Self::source_of_flyte1(folder);
        FolderFact {
            left_out: all.iter().filter(is_of_interest).find(|file| !kept.contains(*file)).cloned(),
            // Flyte 1 reads the `.dockerignore` of the folder itself.
            left_out_of_source: source
                .iter()
                .filter(|_| folder != self.root)
                .filter(is_of_interest)
                .find(|file| !kept.contains(*file))
                .cloned(),
            added_to_source: kept.iter().filter(is_of_interest).find(|file| !source.contains(*file)).cloned(),
        }
    }

    /// The files below a folder that git does not ignore, and the `.dockerignore` there does not name.
    fn source_of_flyte1(folder: &Path) -> BTreeSet<String> {
        let text = std::fs::read_to_string(folder.join(".dockerignore")).unwrap_or_default();
        let own = Patterns::read(&text);
        let mut walk = WalkBuilder::new(folder);
        walk.hidden(false).ignore(false).require_git(false);
        walk.build()
            .flatten()
            .filter(|entry| entry.file_type().is_some_and(|kind| !kind.is_dir()))
            .filter_map(|entry| Some(entry.path().strip_prefix(folder).ok()?.to_str()?.replace('\\', "/")))
            .filter(|file| !own.is_ignored(file))
            .collect()
    }
}
