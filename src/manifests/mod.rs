//! The packages that the project requires: where a manifest lists flytekit, flyte comes beside it or in its place.
//!
//! ```toml
//! dependencies = ["flytekit>=1.10", "pandas"]     # before
//! dependencies = ["flyte>=2.12.1", "pandas"]      # nothing that it covers imports flytekit any longer
//! ```
//!
//! [`map`] runs behind the migration of the Python files, on the project as it will be: `toml_file`, `lines` and
//! `python_file` find the lists, `coverage` tells what the code needs, `decide` what becomes of each requirement, and
//! `layout` how little of the text changes for it.

mod coverage;
mod decide;
mod included;
mod layout;
mod lines;
mod locks;
mod manifest;
mod pip_options;
mod python_file;
mod requirement;
mod toml_file;
mod yaml_file;

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::file_kind::FileKind;
use crate::image::requirement::is_limit;
use crate::project::disk::ListedPackages;
use crate::project::{FileId, Project};
use coverage::Needs;
use manifest::Manifest;

/// What is found in the manifest `file`, whose text before the migration is `text`. The project is as it is after it.
pub fn map(project: &Project, file: FileId, text: &str) -> Vec<Diagnostic> {
    if project.files[file].kind == FileKind::Lock {
        return locks::map(project, file, text).into_iter().collect();
    }
    let mut diagnostics = Vec::new();
    let manifest = read(project, file, text);
    let is_clear = matches!(&manifest, Some(Ok(manifest)) if decide::concerns(manifest));
    let included = if is_clear { Vec::new() } else { included::unknown(project, file, text) };
    if !included.is_empty() && Needs::of(project, file).flyte2 {
        diagnostics.extend(included.into_iter().map(|(range, path)| decide::not_looked_at(range, path)));
    }
    match manifest {
        Some(Ok(manifest)) if decide::concerns(&manifest) => {
            diagnostics.extend(decide::decide(project, &manifest, &Needs::of(project, file), text));
        }
        Some(Err(problem)) if Needs::of(project, file).flyte2 => {
            diagnostics.push(decide::unreadable(&problem));
        }
        _ => {}
    }
    if project.files[file].kind == FileKind::Python
        && let Some(header) = python_file::read_header(text).filter(decide::concerns)
    {
        let needs = Needs::of_files(project, &BTreeSet::from([file]));
        diagnostics.extend(decide::decide(project, &header, &needs, text));
    }
    diagnostics
}

/// The requirements that a file lists, or why it cannot be read; `None` if it is no manifest that names Flyte.
fn read(project: &Project, file: FileId, text: &str) -> Option<Result<Manifest, String>> {
    if !text.contains("flyte") && !text.contains("union") {
        return None;
    }
    let path = &project.files[file].relative;
    let name = path.rsplit('/').next().unwrap_or(path);
    match project.files[file].kind {
        FileKind::Toml => Some(toml_file::read(text, name == "pixi.toml")),
        // Constraints install nothing.
        FileKind::Requirements if name.contains("constraints") => None,
        FileKind::Requirements => Some(Ok(lines::read_requirements(text))),
        FileKind::Ini => Some(Ok(lines::read_ini(text))),
        FileKind::Yaml
            if name.contains("environment") || name.contains("conda") || name.starts_with(".pre-commit") =>
        {
            Some(Ok(yaml_file::read(text)))
        }
        FileKind::Python if name == "setup.py" => {
            project.facts(file).map(|facts| Ok(python_file::read_setup(text, facts)))
        }
        _ => None,
    }
}

/// What a requirements file lists; `is_selected` says whether it is among the files of this run.
pub fn listed_packages(text: &str, is_selected: bool) -> ListedPackages {
    let manifest = lines::read_requirements(text);
    let entries: Vec<_> = manifest.lists.into_iter().flat_map(|list| list.entries).collect();
    let limits = entries.iter().map(requirement::Entry::shown).filter(|shown| is_limit(shown));
    ListedPackages {
        texts: entries.iter().map(|entry| entry.shown().to_owned()).collect(),
        limits: limits.map(str::to_owned).collect(),
        options: pip_options::read(text),
        distributions: entries.into_iter().map(|entry| entry.name).collect(),
        is_editable: is_selected && manifest.generator.is_none(),
    }
}
