//! What becomes of each requirement: flytekit stays while code imports it, and gives way to flyte when none does.
//!
//! # FM310
//!
//! ## What it does
//!
//! Puts `flyte` in the place of `flytekit` and `union` once no code that the manifest covers imports them, and beside
//! them while some code does. Markers, comments, quotes and the order of the list stay as they are.
//!
//! ## Why
//!
//! Migrated code imports `flyte`, which nothing required before. The version of flytekit says nothing about flyte, so it is
//! not carried over; the bound is the version that this tool was made with. Both packages can be installed side by side.
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
//! ```toml
//! # pyproject.toml
//! [project]
//! name = "train"
//! version = "1"
//! requires-python = ">=3.10"
//! dependencies = [
//!     "pandas",
//!     "flytekit>=1.10,<2",  # the orchestrator
//! ]
//! ```
//!
//! ## Use instead
//!
//! ```toml
//! # pyproject.toml
//! [project]
//! name = "train"
//! version = "1"
//! requires-python = ">=3.10"
//! dependencies = [
//!     "pandas",
//!     "flyte>=2.12.1",  # the orchestrator
//! ]
//! ```
//!
//! ## Fix safety
//!
//! Safe.
//!
//! ## Not handled
//!
//! Constraints, which install nothing, and tables that say where a package comes from (`tool.uv.sources`).
//! What is written in another way than usual is FM313, and what a program made is FM314.
//!
//! ## References
//!
//! [Migration from Flyte 1](https://www.union.ai/docs/v2/flyte/user-guide/flyte-1-to-flyte-2/)
//!
//! # FM311
//!
//! ## What it does
//!
//! Puts the successor of a `flytekitplugins-*` package in its place once no code that the manifest covers imports Flyte 1,
//! and beside it where code imports the successor already.
//!
//! ## Why
//!
//! The plugins of Flyte 1 bring flytekit and do nothing for Flyte 2. Their versions follow those of flytekit, so the
//! successor comes without one.
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
//! ```text
//! # requirements.txt
//! flyte
//! flytekitplugins-spark==1.10.3
//! ```
//!
//! ## Use instead
//!
//! ```text
//! # requirements.txt
//! flyte
//! flyteplugins-spark
//! ```
//!
//! ## Fix safety
//!
//! Safe.
//!
//! ## Not handled
//!
//! A plugin without a successor is FM313.
//!
//! ## References
//!
//! [Migration from Flyte 1](https://www.union.ai/docs/v2/flyte/user-guide/flyte-1-to-flyte-2/)
//!
//! # FM312
//!
//! ## What it does
//!
//! Tells which packages are required anew, because code imports them and they came with flytekit only.
//! They are added by the fix that takes flytekit out (FM310).
//!
//! ## Why
//!
//! flytekit depends on many packages that flyte does without, such as `requests` and `croniter`. Code that imports one of
//! them ran without requiring it.
//!
//! ## Example
//!
//! ```python
//! # train.py
//! import flyte
//! import requests
//!
//! env = flyte.TaskEnvironment(name="train")
//! ```
//!
//! ```text
//! # requirements.txt
//! flytekit==1.10.3
//! ```
//!
//! ## Use instead
//!
//! ```text
//! # requirements.txt
//! requests
//! flyte>=2.12.1
//! ```
//!
//! ## Fix safety
//!
//! Informs.
//!
//! ## Not handled
//!
//! Packages that code uses without importing them, such as a driver that is named in a URL.
//!
//! ## References
//!
//! [Migration from Flyte 1](https://www.union.ai/docs/v2/flyte/user-guide/flyte-1-to-flyte-2/)
//!
//! # FM313
//!
//! ## What it does
//!
//! Tells of a requirement of Flyte 1 that the tool does not edit: it has extras or a source of its own, comes from conda, is
//! computed, stands in a table of its own, or is a plugin without a successor.
//!
//! ## Why
//!
//! Each of these says more than which package is wanted, and only you know what it is to say for flyte.
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
//! ```toml
//! # pyproject.toml
//! [tool.poetry.dependencies]
//! python = ">=3.10"
//! flytekit = { git = "https://github.com/flyteorg/flytekit.git" }
//! ```
//!
//! ## Use instead
//!
//! ```toml
//! # pyproject.toml
//! [tool.poetry.dependencies]
//! python = ">=3.10"
//! flyte = ">=2.12.1"
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Requirements that are read from a file or computed by a function in `setup.py` are not seen.
//!
//! ## References
//!
//! [Migration from Flyte 1](https://www.union.ai/docs/v2/flyte/user-guide/flyte-1-to-flyte-2/)
//!
//! # FM315
//!
//! ## What it does
//!
//! Tells of a manifest that requires `flyte` and allows a Python below 3.10.
//!
//! ## Why
//!
//! `flyte` needs Python 3.10. Package managers that lock for all versions, such as uv and poetry, find no solution until the
//! manifest says so too.
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
//! ```toml
//! # pyproject.toml
//! [project]
//! name = "train"
//! version = "1"
//! requires-python = ">=3.9"
//! dependencies = ["flyte"]
//! ```
//!
//! ## Use instead
//!
//! ```toml
//! # pyproject.toml
//! [project]
//! name = "train"
//! version = "1"
//! requires-python = ">=3.10"
//! dependencies = ["flyte"]
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Classifiers of Python versions are left as they are.
//!
//! ## References
//!
//! [Migration from Flyte 1](https://www.union.ai/docs/v2/flyte/user-guide/flyte-1-to-flyte-2/)

use super::coverage::Needs;
use super::manifest::{Generator, List, Manifest};
use super::requirement::{Entry, Form, Package};
use crate::diagnostic::{Diagnostic, Rule, Severity, Status};
use crate::edit::{Applicability, Edit, Fix};
use crate::project::{FileId, Project};
use crate::rules::codes::{
    GENERATED_MANIFEST, MANIFEST_BROUGHT, MANIFEST_BY_HAND, MANIFEST_FLYTE1, MANIFEST_PLUGIN, MANIFEST_PYTHON,
};
use crate::rules::tables::{Plugin, plugin};
use crate::source::{TextRange, TextSize};

/// Whether a manifest lists anything of Flyte.
pub(super) fn concerns(manifest: &Manifest) -> bool {
    manifest.lists("flyte") || manifest.lists.iter().flat_map(|list| &list.entries).any(is_flyte1)
}

fn is_flyte1(entry: &Entry) -> bool {
    is_sdk(entry) || is_plugin(entry)
}

fn is_sdk(entry: &Entry) -> bool {
    matches!(entry.name.as_str(), "flytekit" | "union" | "unionai" | "union-runtime")
}

fn is_plugin(entry: &Entry) -> bool {
    entry.name.starts_with("flytekitplugins-")
}

/// What there is to say of a manifest, fixes among it.
pub(super) fn decide(project: &Project, manifest: &Manifest, needs: &Needs, text: &str) -> Vec<Diagnostic> {
    // Nothing was migrated: the manifest is as right as it was.
    if !needs.flyte2 {
        return Vec::new();
    }
    let mut decision = Decision { project, manifest, needs, text, diagnostics: Vec::new() };
    if let Some(generator) = &manifest.generator {
        return decision.generated(generator);
    }
    for list in &manifest.lists {
        decision.list(list);
    }
    decision.python();
    separate(&mut decision.diagnostics);
    decision.diagnostics
}

/// Keeps deletions apart: what two neighbors in a list both take along goes with the first.
fn separate(diagnostics: &mut [Diagnostic]) {
    let edits = diagnostics.iter_mut().filter_map(|diagnostic| diagnostic.fix.as_mut());
    let mut deletions: Vec<&mut Edit> =
        edits.flat_map(|fix| &mut fix.edits).filter(|edit| edit.content.is_empty()).collect();
    deletions.sort_by_key(|edit| edit.range.start());
    let mut end = TextSize::default();
    for edit in deletions {
        let start = edit.range.start().max(end).min(edit.range.end());
        edit.range = TextRange::new(start, edit.range.end());
        end = edit.range.end();
    }
}

struct Decision<'a> {
    project: &'a Project,
    manifest: &'a Manifest,
    needs: &'a Needs,
    text: &'a str,
    diagnostics: Vec<Diagnostic>,
}

impl Decision<'_> {
    fn list(&mut self, list: &List) {
        let carrier = self.carrier(list).filter(|_| !list.lists("flyte"));
        for (index, entry) in list.entries.iter().enumerate() {
            let mut packages = Vec::new();
            if is_plugin(entry) {
                packages.extend(self.successor(list, entry));
            }
            if carrier == Some(index) {
                packages.push(Package::flyte());
            }
            match (is_sdk(entry), is_plugin(entry)) {
                (true, _) => self.sdk(entry, packages),
                (_, true) => self.plugin(entry, &packages),
                _ => {}
            }
        }
    }

    /// Where flyte comes: at flytekit, else at union, else, if the manifest has neither, at the first plugin.
    fn carrier(&self, list: &List) -> Option<usize> {
        let position = |wanted: &dyn Fn(&Entry) -> bool| list.entries.iter().position(wanted);
        let has_sdk = self.manifest.lists("flyte")
            || self.manifest.lists.iter().flat_map(|list| &list.entries).any(is_sdk);
        position(&|entry| entry.name == "flytekit")
            .or_else(|| position(&is_sdk))
            .or_else(|| position(&is_plugin).filter(|_| !has_sdk))
    }

    /// flytekit and union; `packages` is flyte, where it has to come.
    fn sdk(&mut self, entry: &Entry, mut packages: Vec<Package>) {
        if let Some(file) = self.needs.flyte1 {
            if !packages.is_empty() && entry.form != Form::Name {
                let path = &self.project.files[file].relative;
                let reason = format!("stays beside `flyte`: `{path}` imports Flyte 1");
                let edits = entry.insert(&packages, self.text);
                self.change(&MANIFEST_FLYTE1, entry, &reason, "Require flyte", &packages, edits);
            }
            return;
        }
        if entry.has_extras() && entry.name.starts_with("union") {
            let message = format!("`{}` brings extras whose packages Flyte 2 does not have", entry.shown());
            self.by_hand(
                entry,
                message,
                "Require `flyte>=2.12.1` and the packages that the extra brings instead",
            );
            return;
        }
        let brought = self.brought(entry);
        packages.splice(0..0, brought.iter().map(|(name, _)| Package::any(name)));
        let extras = if entry.has_extras() { ", without its extras" } else { "" };
        let reason = match packages.last() {
            Some(last) => format!("gives way to `{}`{extras}: no code imports Flyte 1 any longer", last.name),
            None => "is left out: no code imports Flyte 1 any longer".to_owned(),
        };
        let edits = entry.replace(&packages, self.text);
        if self.change(&MANIFEST_FLYTE1, entry, &reason, "Require flyte instead", &packages, edits) {
            self.tell_brought(entry, &brought);
        }
    }

    /// `flytekitplugins-*`; `packages` are its successor, where code needs one, and flyte, where it has to come.
    fn plugin(&mut self, entry: &Entry, packages: &[Package]) {
        if self.needs.flyte1.is_some() {
            if !packages.is_empty() && entry.form != Form::Name {
                let names: Vec<String> =
                    packages.iter().map(|package| format!("`{}`", package.name)).collect();
                let reason = format!("stays beside {}: code still imports Flyte 1", names.join(" and "));
                let edits = entry.insert(packages, self.text);
                self.change(&MANIFEST_PLUGIN, entry, &reason, "Require what Flyte 2 needs", packages, edits);
            }
            return;
        }
        if plugin(&entry.name) == Plugin::None {
            let message = format!("`{}` has no successor on Flyte 2", entry.shown());
            self.by_hand(
                entry,
                message,
                "Remove it, and require the libraries that it brought and that code imports",
            );
            return;
        }
        let reason = match packages.first() {
            Some(package) => format!("gives way to `{}`", package.name),
            None => "is left out: its successor is required already".to_owned(),
        };
        let edits = entry.replace(packages, self.text);
        self.change(&MANIFEST_PLUGIN, entry, &reason, "Require its successor", packages, edits);
    }

    /// The plugin of Flyte 2 in place of, or beside, one of Flyte 1.
    fn successor(&self, list: &List, entry: &Entry) -> Option<Package> {
        let Plugin::Successor(name) = plugin(&entry.name) else { return None };
        let is_needed = self.needs.flyte1.is_none() || self.needs.plugins.contains(name);
        (is_needed && !list.lists(name)).then(|| Package::any(name))
    }

    /// What goes with flytekit and is needed all the same; told once, where flytekit is listed first.
    fn brought(&self, entry: &Entry) -> Vec<(String, FileId)> {
        let first = self.manifest.lists.iter().flat_map(|list| &list.entries).find(|entry| is_sdk(entry));
        if first.is_none_or(|first| first.range != entry.range) {
            return Vec::new();
        }
        let mut brought: Vec<(String, FileId)> = Vec::new();
        for (name, file) in &self.needs.brought {
            let is_known = brought.iter().any(|(known, _)| known == name);
            if !is_known && !self.manifest.lists(name) {
                brought.push((name.clone(), *file));
            }
        }
        brought
    }

    fn tell_brought(&mut self, entry: &Entry, brought: &[(String, FileId)]) {
        for (name, file) in brought {
            let path = &self.project.files[*file].relative;
            let message =
                format!("`{name}` is required now: `{path}` imports it, and only flytekit brought it");
            self.diagnostics.push(diagnostic(&MANIFEST_BROUGHT, entry.range, Severity::Info, message));
        }
    }

    /// A finding with its fix, or, where the place allows none, with what to write. Whether there is a fix.
    fn change(
        &mut self,
        rule: &'static Rule,
        entry: &Entry,
        reason: &str,
        title: &str,
        packages: &[Package],
        edits: Option<Vec<Edit>>,
    ) -> bool {
        let Some(edits) = edits else {
            let why = match entry.form {
                Form::Fixed(why) => why,
                _ => "there is no room for another requirement",
            };
            let written: Vec<String> =
                packages.iter().map(|package| format!("`{}`", package.plain())).collect();
            let help = match written.len() {
                0 => "Remove it".to_owned(),
                _ => format!("Require {}", written.join(", ")),
            };
            self.by_hand(entry, format!("`{}` {reason}; do it by hand: {why}", entry.shown()), &help);
            return false;
        };
        self.diagnostics.push(Diagnostic {
            help: Some(title.to_owned()),
            status: Status::Fixable,
            fix: Some(Fix {
                title: title.to_owned(),
                applicability: Applicability::Safe,
                edits,
                creates: Vec::new(),
            }),
            ..diagnostic(rule, entry.range, Severity::Warning, format!("`{}` {reason}", entry.shown()))
        });
        true
    }

    fn by_hand(&mut self, entry: &Entry, message: String, help: &str) {
        let finding = diagnostic(&MANIFEST_BY_HAND, entry.range, Severity::Warning, message);
        self.diagnostics.push(Diagnostic { help: Some(help.to_owned()), ..finding });
    }

    /// One finding in place of all: the file is made from another one.
    fn generated(&self, generator: &Generator) -> Vec<Diagnostic> {
        let first = self.manifest.lists.iter().flat_map(|list| &list.entries).find(|entry| is_flyte1(entry));
        let is_right = self.needs.flyte1.is_some() && self.manifest.lists("flyte");
        let Some(entry) = first.filter(|_| !is_right) else { return Vec::new() };
        let help = match &generator.command {
            Some(command) => format!("Require flyte in what it is made from, and run `{command}` again"),
            None => "Require flyte in what it is made from, and make it again".to_owned(),
        };
        let message = format!("`{}` stands in a generated file, which is left as it is", entry.shown());
        let finding = diagnostic(&GENERATED_MANIFEST, entry.range, Severity::Warning, message);
        vec![Diagnostic { help: Some(help), ..finding }]
    }

    /// flyte needs Python 3.10.
    fn python(&mut self) {
        let Some((range, versions)) = &self.manifest.python else { return };
        if lowest_minor(versions).is_some_and(|minor| minor < 10) {
            let message = format!("`{versions}` allows a Python that flyte does not support");
            let finding = diagnostic(&MANIFEST_PYTHON, *range, Severity::Warning, message);
            self.diagnostics.push(Diagnostic { help: Some("Require Python `>=3.10`".to_owned()), ..finding });
        }
    }
}

fn diagnostic(rule: &'static Rule, range: TextRange, severity: Severity, message: String) -> Diagnostic {
    let status = if severity == Severity::Info { Status::Info } else { Status::Manual };
    Diagnostic {
        rule,
        severity,
        message,
        range: Some(range),
        help: None,
        notes: Vec::new(),
        fix: None,
        status,
    }
}

/// The finding for a manifest that names Flyte and does not parse.
pub(super) fn unreadable(problem: &str) -> Diagnostic {
    let message = format!("this file cannot be read ({problem}), so what it requires is left as it is");
    let finding = diagnostic(&MANIFEST_BY_HAND, TextRange::default(), Severity::Warning, message);
    let help = "Correct it, or require `flyte>=2.12.1` where it requires flytekit";
    Diagnostic { range: None, help: Some(help.to_owned()), ..finding }
}

/// The note on a file that a manifest takes requirements from, and that nothing tells to be a list of them.
pub(super) fn not_looked_at(range: TextRange, path: &str) -> Diagnostic {
    let message = format!("`{path}` is not known by its name to list requirements, and is not looked at");
    let finding = diagnostic(&MANIFEST_BY_HAND, range, Severity::Info, message);
    let help = "Require `flyte>=2.12.1` in it where it requires flytekit";
    Diagnostic { help: Some(help.to_owned()), ..finding }
}

/// The lowest minor version of Python 3 that a specifier allows: 8 for `>=3.8,<4`, `^3.8` and `~=3.8`.
fn lowest_minor(specifier: &str) -> Option<u32> {
    let clauses = specifier.split(',').map(|clause| clause.trim().trim_matches(['"', '\'']));
    let bounds = clauses.filter(|clause| !clause.starts_with(['<', '!'])).filter_map(|clause| {
        let version = clause.trim_start_matches(['>', '=', '^', '~', ' ']);
        let minor = version.strip_prefix("3.")?;
        let end = minor.find(|c: char| !c.is_ascii_digit()).unwrap_or(minor.len());
        minor[..end].parse::<u32>().ok()
    });
    bounds.max()
}

#[cfg(test)]
mod tests {
    use super::lowest_minor;

    #[test]
    fn the_lowest_python_is_read_from_every_notation() {
        for (specifier, minor) in [
            (">=3.8", Some(8)),
            (">=3.9,<3.13", Some(9)),
            ("^3.8", Some(8)),
            ("~=3.9.1", Some(9)),
            ("==3.11.*", Some(11)),
            ("<3.13", None),
            ("*", None),
        ] {
            assert_eq!(lowest_minor(specifier), minor, "{specifier}");
        }
    }
}
