//! What the code imports that a manifest provides for, once the migration is done.
//!
//! A manifest covers the Python files below its folder and what they import. Where none of them names Flyte, as in
//! `requirements/` and `docker/`, it covers the folder above.

use std::collections::BTreeSet;

use memchr::memmem;

use crate::file_kind::FileKind;
use crate::flyte1::symbol::is_flyte1_root;
use crate::project::{Content, FileId, Project};
use crate::python::module_value::IMPORTERS;
use crate::rules::tables::{brought_by_flytekit, object_store_package};

/// What code needs to be installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// Whether it imports flyte.
    pub(super) flyte2: bool,
    /// The first file that still imports Flyte 1, or may.
    pub(super) flyte1: Option<FileId>,
    /// The distributions of plugins of Flyte 2 that it imports.
    pub(super) plugins: BTreeSet<String>,
    /// What it imports of the distributions that flytekit brings, and who does.
    pub(super) brought: BTreeSet<(String, FileId)>,
}

impl Needs {
    /// What is needed by the code that a manifest covers, and by that of the images that install it.
    pub(super) fn of(project: &Project, manifest: FileId) -> Self {
        let named_by = project.disk.users_of(manifest);
        let imports_one = |file: &FileId| project.imports[*file].iter().any(|file| named_by.contains(file));
        let others: BTreeSet<FileId> =
            named_by.iter().copied().chain((0..project.files.len()).filter(imports_one)).collect();
        let relative = project.files[manifest].relative.as_str();
        let mut folder = relative.rsplit_once('/').map_or("", |(folder, _)| folder);
        loop {
            let needs =
                Self::of_files(project, &below(project, folder).chain(others.iter().copied()).collect());
            if folder.is_empty() || needs.flyte2 || needs.flyte1.is_some() {
                return needs;
            }
            folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }

    /// What these files need, and what they import.
    pub(super) fn of_files(project: &Project, files: &BTreeSet<FileId>) -> Self {
        let mut reached = project.run_by_import(files.iter().copied());
        reached.sort_unstable();
        let mut needs = Self::default();
        for file in reached {
            needs.add(project, file);
        }
        needs
    }

    fn add(&mut self, project: &Project, file: FileId) {
        match &project.files[file].content {
            Content::Parsed { facts, .. } => {
                let modules = project.outside_modules(file, |_| true);
                let roots = || modules.iter().map(|module| module.split('.').next().unwrap_or_default());
                self.flyte2 |= roots().any(|root| root == "flyte");
                let imports = || roots().any(is_flyte1_root) || imports_by_name(project.text(file));
                if self.flyte1.is_none() && imports() {
                    self.flyte1 = Some(file);
                }
                self.plugins.extend(modules.iter().filter_map(|module| plugin_of_flyte2(module)));
                let stores = facts.module.object_stores.iter().copied().map(object_store_package);
                let reads_frames = roots().any(|root| matches!(root, "pandas" | "polars" | "fsspec"));
                let brought = modules.iter().filter_map(|module| brought_by_flytekit(module));
                let brought = brought.chain(stores.filter(|_| reads_frames));
                self.brought.extend(brought.map(|name| (name.to_owned(), file)));
            }
            Content::Skipped(skimmed) => {
                self.brought.extend(skimmed.brought.iter().map(|name| ((*name).to_owned(), file)));
            }
            // What cannot be read may import anything. It was read because it names Flyte 1, or could not be at all.
            Content::SyntaxError { .. }
            | Content::Unreadable(_)
            | Content::Panicked(_)
            | Content::Text(_) => {
                self.flyte1.get_or_insert(file);
            }
        }
    }
}

/// The code below a folder: Python, and notebooks that name Flyte 1.
fn below<'a>(project: &'a Project, folder: &'a str) -> impl Iterator<Item = FileId> + 'a {
    let is_code = |file: FileId| match project.files[file].kind {
        FileKind::Python => true,
        FileKind::Notebook => !matches!(project.files[file].content, Content::Skipped(_)),
        _ => false,
    };
    let is_below = move |file: &FileId| {
        let path = project.files[*file].relative.as_str();
        folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    };
    (0..project.files.len()).filter(move |&file| is_code(file)).filter(is_below)
}

/// `importlib.import_module("flytekit.core")`
fn imports_by_name(text: &str) -> bool {
    memmem::find_iter(text.as_bytes(), "flytekit").any(|at| {
        let before = &text[..at];
        before.strip_suffix(['"', '\'']).is_some_and(|before| {
            let before = before.trim_end();
            IMPORTERS.iter().any(|importer| before.ends_with(importer))
        })
    })
}

/// `flyteplugins.spark.Spark` comes from `flyteplugins-spark`.
fn plugin_of_flyte2(module: &str) -> Option<String> {
    let mut parts = module.split('.');
    (parts.next()? == "flyteplugins").then(|| parts.next().map(|name| format!("flyteplugins-{name}")))?
}

#[cfg(test)]
mod tests {
    use super::{imports_by_name, plugin_of_flyte2};

    #[test]
    fn modules_that_are_named_by_strings_count_as_imports() {
        for text in [
            "importlib.import_module(\"flytekit.core\")",
            "__import__('flytekit')",
            "pytest.importorskip(\n    \"flytekit\")",
            "sys.modules[\"flytekit\"]",
        ] {
            assert!(imports_by_name(text), "{text}");
        }
        for text in ["packages = [\"flytekit\"]", "print(\"flytekit\")", "import_module(\"my.flytekit\")"] {
            assert!(!imports_by_name(text), "{text}");
        }
    }

    #[test]
    fn a_plugin_of_flyte2_is_told_from_its_module() {
        assert_eq!(plugin_of_flyte2("flyteplugins.spark.Spark").as_deref(), Some("flyteplugins-spark"));
        assert_eq!(plugin_of_flyte2("flyte.Image"), None);
    }
}
