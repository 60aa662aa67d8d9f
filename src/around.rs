//! What lies around the code: each file of the project is looked at once the code is as the migration leaves it.
//!
//! Manifests and commands have modules of their own; here is what is only told: notebooks that import Flyte 1, and
//! configurations that lack what Flyte 2 needs.
//!
//! # FM323
//!
//! ## What it does
//!
//! Tells of a notebook that imports flytekit or union.
//!
//! ## Why
//!
//! Notebooks are not migrated, and what is not said is taken for done.
//!
//! ## Example
//!
//! ```json
//! # explore.ipynb
//! {"cells": [{"cell_type": "code", "source": ["from flytekit import task\n"]}]}
//! ```
//!
//! ## Use instead
//!
//! ```json
//! # explore.ipynb
//! {"cells": [{"cell_type": "code", "source": ["import flyte\n"]}]}
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Notebooks that only mention Flyte in their text.
//!
//! ## References
//!
//! [Migration from Flyte 1](https://www.union.ai/docs/v2/flyte/user-guide/flyte-1-to-flyte-2/)
//!
//! # FM324
//!
//! ## What it does
//!
//! Tells of a configuration with `admin:` that names no project and no domain, once code of the project is Flyte 2's.
//!
//! ## Why
//!
//! Flyte 2 reads the same file, but `flyte run` needs to know project and domain, for which Flyte 1 had defaults.
//!
//! ## Example
//!
//! ```python
//! # train.py
//! import flyte
//!
//! env = flyte.TaskEnvironment(name="train")
//! ```
//!
//! ```yaml
//! # config.yaml
//! admin:
//!   endpoint: dns:///flyte.example.com
//! ```
//!
//! ## Use instead
//!
//! ```yaml
//! # config.yaml
//! admin:
//!   endpoint: dns:///flyte.example.com
//! task:
//!   project: train
//!   domain: development
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Configurations outside the project, such as `~/.flyte/config.yaml`; the builder of images, which is `image.builder`.
//!
//! ## References
//!
//! [Configuration](https://www.union.ai/docs/v2/flyte/user-guide/)

use crate::commands;
use crate::diagnostic::{Diagnostic, Rule, Severity, Status};
use crate::file_kind::FileKind;
use crate::manifests;
use crate::project::plan::Settings;
use crate::project::sides::Sides;
use crate::project::{FileId, Project};
use crate::rules::codes::{CONFIGURATION, NOTEBOOK};
use crate::source::{TextRange, TextSize};

/// What is found in `file`, whose text before the migration is `text`. The project is as it is after it.
pub fn map(
    project: &Project,
    sides: &Sides,
    file: FileId,
    text: &str,
    settings: Settings,
) -> Vec<Diagnostic> {
    let mut diagnostics = manifests::map(project, file, text);
    diagnostics.extend(commands::map(project, sides, file, text, settings));
    match project.files[file].kind {
        FileKind::Notebook => diagnostics.extend(notebook(text)),
        FileKind::Yaml if sides.of_project().is_migrated() => {
            diagnostics.extend(configuration(text));
        }
        _ => {}
    }
    diagnostics
}

/// What a cell of a notebook that uses Flyte 1 holds.
const IMPORTS: [&str; 4] = ["import flytekit", "from flytekit", "import union", "from union"];

/// Notebooks are not migrated, which is told whatever becomes of the code around them.
fn notebook(text: &str) -> Option<Diagnostic> {
    let (at, import) = IMPORTS.iter().filter_map(|import| Some((text.find(import)?, import))).min()?;
    let range = range(at, import.len());
    let message = "this notebook imports Flyte 1, and notebooks are not migrated".to_owned();
    Some(diagnostic(&NOTEBOOK, range, message, "Migrate its cells by hand, or move the tasks to a module"))
}

/// `admin:` alone is enough for Flyte 1, whose commands name project and domain or have defaults for them.
fn configuration(text: &str) -> Option<Diagnostic> {
    let admin = text.lines().position(|line| line.trim_end() == "admin:")?;
    let has =
        |key: &str| text.lines().any(|line| line.trim_start().starts_with(key) && line.starts_with(' '));
    let has_task = text.lines().any(|line| line.trim_end() == "task:") && has("project:") && has("domain:");
    if !has("endpoint:") || has_task {
        return None;
    }
    let at: usize = text.split_inclusive('\n').take(admin).map(str::len).sum();
    let message = "this configuration names no project and no domain, which `flyte run` needs".to_owned();
    let help = "Add `task:` with `project:` and `domain:`, or make it with `flyte create config --endpoint E --project P --domain D`";
    Some(diagnostic(&CONFIGURATION, range(at, "admin".len()), message, help))
}

fn range(at: usize, length: usize) -> TextRange {
    let size = |length| TextSize::try_from(length).unwrap_or_default();
    TextRange::at(size(at), size(length))
}

fn diagnostic(rule: &'static Rule, range: TextRange, message: String, help: &str) -> Diagnostic {
    Diagnostic {
        rule,
        severity: Severity::Warning,
        message,
        range: Some(range),
        help: Some(help.to_owned()),
        notes: Vec::new(),
        fix: None,
        status: Status::Manual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_of_flyte1_lacks_project_and_domain() {
        let admin = "admin:\n  endpoint: dns:///flyte.example.com\n";
        assert!(configuration(admin).is_some());
        assert!(configuration(&format!("{admin}task:\n  project: a\n  domain: b\n")).is_none());
        assert!(configuration("admin:\n  user: x\n").is_none());
        assert!(configuration("spec:\n  admin:\n    endpoint: x\n").is_none());
    }

    #[test]
    fn a_notebook_is_told_where_it_imports() {
        let found = notebook("{\"source\": [\"import os\\n\", \"from flytekit import task\"]}").unwrap();
        assert_eq!(found.range, Some(range(28, 13)));
        assert!(notebook("{\"source\": [\"# flytekit\"]}").is_none());
    }
}
