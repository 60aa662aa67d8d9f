//! The folder from which the modules of a command are imported.
//!
//! ```sh
//! pyflyte run src/pk/flow.py main     # from `src`, the folder above the package
//! flyte run --local --root-dir src src/pk/flow.py main    # from the working directory, unless told otherwise
//! ```
//!
//! `flyte run` finds what stands beside a file that is in no package; `flyte deploy` does not (2.12.1).

use std::collections::BTreeSet;

use crate::project::sides::{Sides, named};
use crate::project::{FileId, Project};

/// What `--root-dir` has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Root {
    /// Nothing: the working directory will do.
    Here,
    /// This folder.
    At(String),
    /// There is no one folder.
    Unclear,
}

/// What `--root-dir` has to be for the code at `path`, as a command in `script` names it.
pub(super) fn root(project: &Project, sides: &Sides, script: FileId, path: &str, is_deploy: bool) -> Root {
    let Some((place, files)) = named(project, script, path) else { return Root::Here };
    let files: Vec<FileId> = files.into_iter().filter(|&file| sides.is_flyte2(file)).collect();
    let is_alone = |file: FileId| project.index.packages_around(file).next().is_none();
    let needing = files.iter().copied().filter(|&file| is_deploy || !is_alone(file));
    let roots: BTreeSet<&str> = needing
        .map(|file| (file, root_of(project, file)))
        .filter(|(file, root)| imports_from(project, *file, root))
        .map(|(_, root)| root)
        .collect();
    let root = match Vec::from_iter(roots)[..] {
        [] => return Root::Here,
        [root] => root,
        _ => return Root::Unclear,
    };
    // Every module has to lie below the folder.
    if files.iter().any(|&file| !is_below(&project.files[file].relative, root)) {
        return Root::Unclear;
    }
    let Some(steps) = parts(&place).count().checked_sub(parts(root).count()) else { return Root::Unclear };
    let given: Vec<&str> = parts(path).collect();
    match given.len().checked_sub(steps) {
        Some(0) => Root::Here,
        Some(kept) => Root::At(given[..kept].join("/")),
        None => Root::At(vec![".."; steps - given.len()].join("/")),
    }
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The folder above the outermost package around a file, from the project root.
fn root_of(project: &Project, file: FileId) -> &str {
    let packages = project.index.packages_around(file).count();
    (0..=packages).fold(project.files[file].relative.as_str(), |path, _| path_above(path))
}

fn path_above(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether a file, or one that it imports, names a module that stands in `root`.
fn imports_from(project: &Project, file: FileId, root: &str) -> bool {
    let stands_there = |name: &str| {
        let path = if root.is_empty() { name.to_owned() } else { format!("{root}/{name}") };
        let module = format!("{path}.py");
        project.files.iter().any(|file| file.relative == module || is_below(&file.relative, &path))
    };
    let first = |module: &str| module.split('.').next().is_some_and(stands_there);
    project.import_closure([file]).into_iter().filter_map(|file| project.facts(file)).any(|facts| {
        facts.module.imports.iter().any(|import| match &import.from {
            Some((0, module)) => first(module),
            Some(_) => false,
            None => import.aliases.iter().any(|alias| first(&alias.name)),
        })
    })
}
