//! A manifest as the mapping sees it: lists of requirements, wherever they stand in the file.

use super::requirement::Entry;
use crate::source::TextRange;

/// A list of requirements.
#[derive(Debug, Clone, Default)]
pub(super) struct List {
    pub(super) entries: Vec<Entry>,
}

impl List {
    /// Whether it lists a distribution.
    pub(super) fn lists(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }
}

/// What a file says of the packages that it requires.
#[derive(Debug, Clone, Default)]
pub(super) struct Manifest {
    pub(super) lists: Vec<List>,
    /// The versions of Python that it allows: `>=3.9`.
    pub(super) python: Option<(TextRange, String)>,
    /// What made it, if it was made from another file: it must not be edited.
    pub(super) generator: Option<Generator>,
}

impl Manifest {
    /// Whether any list has the distribution.
    pub(super) fn lists(&self, name: &str) -> bool {
        self.lists.iter().any(|list| list.lists(name))
    }
}

/// What made a file of pinned requirements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Generator {
    /// The command, if the file tells it.
    pub(super) command: Option<String>,
}
