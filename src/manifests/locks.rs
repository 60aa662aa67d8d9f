//! Lock files: they cannot be edited, because they hold hashes of everything.

use super::coverage::Needs;
use super::{decide, read};
use crate::diagnostic::{Diagnostic, Severity, Status};
use crate::file_kind::FileKind;
use crate::project::{FileId, Project};
use crate::rules::codes::GENERATED_MANIFEST;

/// The finding that a lock has to be made again: what it locks requires flyte, and it does not know flyte yet.
pub(super) fn map(project: &Project, lock: FileId, text: &str) -> Option<Diagnostic> {
    let path = project.files[lock].relative.as_str();
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let command = match name {
        "uv.lock" => "uv lock",
        "poetry.lock" => "poetry lock",
        "pdm.lock" => "pdm lock",
        "pixi.lock" => "pixi lock",
        _ => "pipenv lock",
    };
    let is_manifest = |file: &FileId| {
        let other = &project.files[*file];
        let other_folder = other.relative.rsplit_once('/').map_or("", |(folder, _)| folder);
        other.kind == FileKind::Toml && other_folder == folder
    };
    let requires_flyte = (0..project.files.len()).filter(is_manifest).any(|file| {
        let manifest = read(project, file, project.text(file)).and_then(Result::ok);
        manifest.as_ref().is_some_and(decide::concerns) && Needs::of(project, file).flyte2
    });
    let locks_flyte = text.lines().any(|line| {
        let line = line.trim_start_matches([' ', '-']).trim_end();
        matches!(line, "name = \"flyte\"" | "name: flyte") || line.starts_with("\"flyte\":")
    });
    (requires_flyte && !locks_flyte).then(|| Diagnostic {
        rule: &GENERATED_MANIFEST,
        severity: Severity::Warning,
        message: format!("`{name}` does not lock `flyte`, which migrated code imports"),
        range: None,
        help: Some(format!("Run `{command}` once the migration is written")),
        notes: Vec::new(),
        fix: None,
        status: Status::Manual,
    })
}
