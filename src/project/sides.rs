//! On which side of the migration code stands: on Flyte 1 or on Flyte 2.

use rayon::prelude::*;

use crate::file_kind::FileKind;
use crate::flyte1::symbol::is_flyte1_root;
use crate::project::{FileId, Project};

/// Where code stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It is, or stays, on Flyte 1.
    Flyte1,
    /// It is Flyte 2's.
    Flyte2,
    /// Some of it is here and some there.
    Both,
    /// It is not known which code is meant, or it has nothing to do with Flyte.
    Unknown,
}

impl Side {
    /// Whether code was, or had been, migrated.
    pub fn is_migrated(self) -> bool {
        matches!(self, Self::Flyte2 | Self::Both)
    }
}

/// What each Python file imports of Flyte, once the migration is done.
#[derive(Debug, Clone)]
pub struct Sides {
    files: Vec<(bool, bool)>,
    project: Side,
}

impl Sides {
    /// Looks at every file.
    pub fn of(project: &Project) -> Self {
        let sides = (0..project.files.len()).into_par_iter().map(|file| {
            let imports = |is_root| project.imports_outside(file, is_root);
            (imports(is_flyte1_root), imports(|root| root == "flyte"))
        });
        let files: Vec<(bool, bool)> = sides.collect();
        Self { project: join(&files), files }
    }

    /// Where the project as a whole stands.
    pub fn of_project(&self) -> Side {
        self.project
    }

    /// Where the code at `path` stands, as a command in `script` names it.
    pub fn of_path(&self, project: &Project, script: FileId, path: &str) -> Side {
        named(project, script, path).map_or(Side::Unknown, |(_, files)| self.join(&files))
    }

    /// Whether a file is Flyte 2's.
    pub fn is_flyte2(&self, file: FileId) -> bool {
        self.files[file].1
    }

    fn join(&self, files: &[FileId]) -> Side {
        join(files.iter().map(|&file| &self.files[file]))
    }
}

/// The path from the project root of what a command in `script` names as `path`, and the Python files there.
pub fn named(project: &Project, script: FileId, path: &str) -> Option<(String, Vec<FileId>)> {
    if path.contains(['$', '{', '<', '*', '`']) {
        return None;
    }
    let folder = project.files[script].relative.rsplit_once('/').map_or("", |(folder, _)| folder);
    let candidates = [normalized(path), normalized(&format!("{folder}/{path}"))];
    for candidate in candidates.into_iter().flatten() {
        let files = below(project, &candidate);
        if !files.is_empty() {
            return Some((candidate, files));
        }
    }
    // A command may be run in another folder: one file that ends so is meant.
    let suffix = format!("/{}", path.trim_start_matches("./"));
    let mut ending = (0..project.files.len()).filter(|&file| project.files[file].relative.ends_with(&suffix));
    match (ending.next(), ending.next()) {
        (Some(file), None) => Some((project.files[file].relative.clone(), vec![file])),
        _ => None,
    }
}

fn join<'f>(files: impl IntoIterator<Item = &'f (bool, bool)>) -> Side {
    let any = files.into_iter().fold((false, false), |any, file| (any.0 | file.0, any.1 | file.1));
    match any {
        (true, true) => Side::Both,
        (true, false) => Side::Flyte1,
        (false, true) => Side::Flyte2,
        (false, false) => Side::Unknown,
    }
}

/// The path without `.` and `..`; `None` if it leads out of the project.
fn normalized(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The file at a path, or the Python files in the folder there.
fn below(project: &Project, path: &str) -> Vec<FileId> {
    let is_there = |file: &FileId| {
        let relative = project.files[*file].relative.as_str();
        let is_inside = relative.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        project.files[*file].kind == FileKind::Python && (relative == path || is_inside || path.is_empty())
    };
    (0..project.files.len()).filter(is_there).collect()
}

#[cfg(test)]
mod tests {
    use super::normalized;

    #[test]
    fn paths_are_followed_up_and_down() {
        assert_eq!(normalized("./a/../b.py").as_deref(), Some("b.py"));
        assert_eq!(normalized("scripts/../train.py").as_deref(), Some("train.py"));
        assert_eq!(normalized(".").as_deref(), Some(""));
        assert_eq!(normalized("../x.py"), None);
    }
}
