//! The whole migration of a project, without touching a file: plan, edits, and the check of the result.
//!
//! # FM900
//!
//! ## What it does
//!
//! Reports that the tool's own check failed: a new text did not parse, a second run would have changed it again,
//! or the analysis of a file ended in a panic. The files of the groups that reach into it are left as they are.
//!
//! ## Why
//!
//! A codemod that writes broken code in silence is worse than one that does nothing.
//!
//! ## Example
//!
//! A page cannot show one.
//!
//! ## Use instead
//!
//! Nothing.
//!
//! ## Fix safety
//!
//! By hand. Nothing is written for the files that it concerns.
//!
//! ## Not handled
//!
//! It is a bug of the tool: please report it with the file.
//!
//! ## References
//!
//! The README: "What moves together" and "Limits".

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::around;
use crate::builder_config::{self, builders};
use crate::diagnostic::{Diagnostic, Severity, Status};
use crate::edit::{apply, origin};
use crate::file_kind::FileKind;
use crate::load::{contents_of, find_changed};
use crate::manifests;
use crate::project::link::Links;
use crate::project::plan::{Plan, Settings, plan};
use crate::project::sides::Sides;
use crate::project::{Content, FileId, Project};
use crate::python::scope::BindingId;
use crate::rewrite::{FileResult, rewrite};
use crate::rules::codes::{INTERNAL, MANIFEST_PYTHON};

/// What a migration comes to.
#[derive(Debug)]
pub struct Migration {
    /// The files with findings, by path.
    pub results: Vec<FileResult>,
    /// The new texts of the files that change, without byte order marks.
    pub texts: BTreeMap<FileId, String>,
    /// The files that are created, by the file whose fix creates them and the path from its folder.
    pub new_files: BTreeMap<(FileId, String), String>,
    /// Files that are written together or not at all.
    pub together: Vec<BTreeSet<FileId>>,
    /// What was found in the code that is written, at the places in the original texts that it comes from.
    pub inspected: Vec<(FileId, Vec<Diagnostic>)>,
}

/// Looks at a project, as a migration leaves it, for faults of its images, by file.
pub type Inspect<'i> = &'i dyn Fn(&Project, &Migration) -> Vec<(FileId, Vec<Diagnostic>)>;

impl Migration {
    /// The files that come with the fixes of a file.
    pub fn new_files_of(&self, file: FileId) -> impl Iterator<Item = (&(FileId, String), &String)> {
        self.new_files.iter().filter(move |((owner, _), _)| *owner == file)
    }
}

/// Migrates a project in memory, as it is planned: the Python files first, then, on the project as that leaves it, what
/// lies around them. `inspect` looks at the code that is to be written.
pub fn migrate(project: &mut Project, plan: Plan, settings: Settings, inspect: Inspect<'_>) -> Migration {
    let (plan, mut results) = rewrite(project, plan, settings);
    let mut builders = if settings.writes_config { builders(project, &plan) } else { BTreeMap::new() };
    let mut texts = BTreeMap::new();
    let mut bad = BTreeMap::new();
    for result in &results {
        let edits = result.edits();
        if edits.is_empty() {
            continue;
        }
        match apply(project.text(result.file), &edits) {
            Ok(text) => drop(texts.insert(result.file, text)),
            Err(error) => drop(bad.insert(result.file, error.to_string())),
        }
    }
    let mut originals = install(project, &texts);
    let (found_bad, mut around) = rayon::join(
        || check(project, settings, &texts),
        || map_around(project, &originals, settings, &kinds(&builders)),
    );
    bad.extend(found_bad);
    let together = groups_of_files(&plan);
    let withdrawn = affected(&together, bad.keys().copied().collect());
    for &file in &withdrawn {
        texts.remove(&file);
        if let Some(result) = results.iter_mut().find(|result| result.file == file) {
            withdraw(result, bad.get(&file).map(String::as_str));
        }
    }
    if !withdrawn.is_empty() {
        restore(project, originals);
        originals = install(project, &texts);
        builders.retain(|file, _| !withdrawn.contains(file));
        around = map_around(project, &originals, settings, &kinds(&builders));
    }
    let mut around = found_around(project, &originals, around, &results, settings, &kinds(&builders));
    let missing = builder_config::missing(project, &builders);
    around.extend(missing.map(|(file, found)| (FileResult { file, diagnostics: vec![found] }, None)));
    for (result, text) in around {
        texts.extend(text.map(|text| (result.file, text)));
        match results.iter_mut().find(|known| known.file == result.file) {
            Some(known) => known.diagnostics.extend(result.diagnostics),
            None => results.push(result),
        }
    }
    let new_files = results.iter().flat_map(|result| {
        result.new_files().map(|new| ((result.file, new.path.clone()), new.content.clone()))
    });
    let new_files = new_files.collect();
    let mut migration = Migration { results, texts, new_files, together, inspected: Vec::new() };
    migration.inspected = inspected(project, &migration, inspect);
    restore(project, originals);
    migration
}

/// What the project was before other texts took the place of some files.
#[derive(Debug, Default)]
struct Originals {
    contents: BTreeMap<FileId, Content>,
    /// The meanings of names, of all files that the texts reach.
    links: BTreeMap<FileId, Links>,
    changed: FxHashSet<(FileId, BindingId)>,
}

/// Puts new texts in the place of the files. Until they are taken back, all files that they do not reach are settled.
fn install(project: &mut Project, texts: &BTreeMap<FileId, String>) -> Originals {
    let mut contents = BTreeMap::new();
    let reached = project.importers(&texts.keys().copied().collect());
    for (file, content) in contents_of(project, texts) {
        contents.insert(file, std::mem::replace(&mut project.files[file].content, content));
    }
    if contents.is_empty() {
        return Originals::default();
    }
    let files: Vec<FileId> = reached.iter().copied().collect();
    let links = project.relink(&files);
    let changed = find_changed(project);
    project.settled = (0..project.files.len()).filter(|file| !reached.contains(file)).collect();
    Originals {
        contents,
        links: files.into_iter().zip(links).collect(),
        changed: std::mem::replace(&mut project.changed, changed),
    }
}

fn restore(project: &mut Project, originals: Originals) {
    if originals.contents.is_empty() {
        return;
    }
    for (file, content) in originals.contents {
        project.files[file].content = content;
    }
    for (file, links) in originals.links {
        project.targets[file] = links;
    }
    project.changed = originals.changed;
    project.settled.clear();
}

/// Every new text must parse, and a second migration must find nothing to change in it. The texts are in their places.
fn check(
    project: &Project,
    settings: Settings,
    texts: &BTreeMap<FileId, String>,
) -> BTreeMap<FileId, String> {
    let mut bad = BTreeMap::new();
    for &file in texts.keys() {
        if !matches!(project.files[file].content, Content::Parsed { .. }) {
            bad.insert(file, "its new text does not parse".to_owned());
        }
    }
    if bad.is_empty() && !texts.is_empty() {
        let (_, results) = rewrite(project, plan(project, settings), settings);
        for result in results.iter().filter(|result| !result.edits().is_empty()) {
            bad.insert(result.file, "a second run would change it again".to_owned());
        }
    }
    bad
}

/// What is found in the new texts of the code, which are in their places.
fn inspected(
    project: &Project,
    migration: &Migration,
    inspect: Inspect<'_>,
) -> Vec<(FileId, Vec<Diagnostic>)> {
    // Reading images costs as much as planning; most new code holds none.
    if !migration.texts.values().any(|text| text.contains("Image.from_") || text.contains("image=")) {
        return Vec::new();
    }
    let mut found = inspect(project, migration);
    found.retain(|(file, _)| migration.texts.contains_key(file));
    for (file, diagnostics) in &mut found {
        let result = migration.results.iter().find(|result| result.file == *file);
        let edits = result.map(FileResult::edits).unwrap_or_default();
        for range in diagnostics.iter_mut().filter_map(|diagnostic| diagnostic.range.as_mut()) {
            *range = origin(&edits, *range);
        }
    }
    found
}

/// All builders that images ask for.
fn kinds(builders: &BTreeMap<FileId, BTreeSet<&'static str>>) -> BTreeSet<&'static str> {
    builders.values().flatten().copied().collect()
}

/// The text of a file before the migration.
fn text_before<'p>(project: &'p Project, originals: &'p Originals, file: FileId) -> &'p str {
    match originals.contents.get(&file) {
        Some(Content::Parsed { source, .. }) => source.text.as_str(),
        _ => project.text(file),
    }
}

/// What is found around the code. The project is as the migration of the code leaves it; findings and edits are about
/// the files as they were.
fn map_around(
    project: &Project,
    originals: &Originals,
    settings: Settings,
    builders: &BTreeSet<&'static str>,
) -> Vec<FileResult> {
    let sides = Sides::of(project);
    let selected = (0..project.files.len()).into_par_iter().filter(|&file| project.files[file].is_selected);
    selected
        .map(|file| {
            let before = text_before(project, originals, file);
            let mut diagnostics = around::map(project, &sides, file, before, settings);
            diagnostics.extend(builder_config::map(project, file, before, builders));
            FileResult { file, diagnostics }
        })
        .filter(|result| !result.diagnostics.is_empty())
        .collect()
}

/// What `mapped` around the code comes to, with the new texts. `results` are what the code comes to.
fn found_around(
    project: &mut Project,
    originals: &Originals,
    mapped: Vec<FileResult>,
    results: &[FileResult],
    settings: Settings,
    builders: &BTreeSet<&'static str>,
) -> Vec<(FileResult, Option<String>)> {
    let mut found = Vec::new();
    let mut texts = BTreeMap::new();
    let mut bad = BTreeMap::new();
    for result in mapped {
        let file = result.file;
        let mut edits = result.edits();
        if !edits.is_empty() {
            let code = results.iter().find(|known| known.file == file);
            edits.extend(code.map(FileResult::edits).unwrap_or_default());
            match apply(text_before(project, originals, file), &edits) {
                Ok(text) => drop(texts.insert(file, text)),
                Err(error) => drop(bad.insert(file, error.to_string())),
            }
        }
        found.push(result);
    }
    bad.extend(check_around(project, &texts, settings, builders));
    found.extend(outside_the_paths(project, results));
    found
        .into_iter()
        .map(|mut result| {
            let text = texts.remove(&result.file);
            match bad.get(&result.file) {
                Some(reason) => {
                    withdraw(&mut result, Some(reason));
                    (result, None)
                }
                None => (result, text),
            }
        })
        .collect()
}

/// What would be found in manifests outside the paths, told at the first file that changes.
fn outside_the_paths(project: &Project, results: &[FileResult]) -> Option<FileResult> {
    let changed = results.iter().find(|result| !result.edits().is_empty())?;
    let others = (0..project.files.len()).filter(|&file| !project.files[file].is_selected);
    let diagnostics: Vec<Diagnostic> = others
        .filter_map(|file| {
            let found = manifests::map(project, file, project.text(file));
            let rule = found.iter().map(|finding| finding.rule).find(|rule| *rule != &MANIFEST_PYTHON)?;
            Some(Diagnostic {
                rule,
                severity: Severity::Info,
                message: format!(
                    "`{}` requires Flyte 1 and lies outside the paths of this run, so it is left as it is",
                    project.files[file].display
                ),
                range: None,
                help: Some("Name it as well, or run on the whole project".to_owned()),
                notes: Vec::new(),
                fix: None,
                status: Status::Info,
            })
        })
        .collect();
    (!diagnostics.is_empty()).then_some(FileResult { file: changed.file, diagnostics })
}

/// A second run must find nothing to change around the code, and Python must parse.
fn check_around(
    project: &mut Project,
    texts: &BTreeMap<FileId, String>,
    settings: Settings,
    builders: &BTreeSet<&'static str>,
) -> BTreeMap<FileId, String> {
    let originals = install(project, texts);
    let sides = Sides::of(project);
    let mut bad = BTreeMap::new();
    for (&file, text) in texts {
        if project.files[file].kind == FileKind::Python && project.facts(file).is_none() {
            bad.insert(file, "its new text does not parse".to_owned());
        }
        let mut again = around::map(project, &sides, file, text, settings);
        again.extend(builder_config::map(project, file, text, builders));
        if again.iter().any(|diagnostic| diagnostic.fix.is_some()) {
            bad.insert(file, "a second run would change it again".to_owned());
        }
    }
    restore(project, originals);
    bad
}

/// The files of each converted group that spans several.
fn groups_of_files(plan: &Plan) -> Vec<BTreeSet<FileId>> {
    let files = plan.groups.iter().map(|group| {
        let converted = group.members.iter().filter(|&&node| plan.converts[node]);
        converted.map(|&node| plan.graph.nodes[node].file).collect::<BTreeSet<FileId>>()
    });
    files.filter(|files| files.len() > 1).collect()
}

/// `bad` files, and all that must be written together with one.
pub fn affected(together: &[BTreeSet<FileId>], bad: BTreeSet<FileId>) -> BTreeSet<FileId> {
    let mut affected = bad;
    loop {
        let before = affected.len();
        for files in together.iter().filter(|files| !files.is_disjoint(&affected)).collect::<Vec<_>>() {
            affected.extend(files);
        }
        if affected.is_empty() || affected.len() == before {
            return affected;
        }
    }
}

fn withdraw(result: &mut FileResult, reason: Option<&str>) {
    for diagnostic in &mut result.diagnostics {
        if diagnostic.fix.take().is_some() {
            diagnostic.status = Status::Manual;
        }
    }
    let reason = reason.unwrap_or("a file that must move together with it failed the check");
    result.diagnostics.push(Diagnostic {
        rule: &INTERNAL,
        severity: Severity::Error,
        message: format!("the migration of this file failed its own check and is left out: {reason}"),
        range: None,
        help: Some("Please report this as a bug".to_owned()),
        notes: Vec::new(),
        fix: None,
        status: Status::Manual,
    });
}
