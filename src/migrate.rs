//! The whole migration of a project, without touching a file: plan, edits, and the check of the result.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Severity, Status};
use crate::edit::apply;
use crate::load::analyze;
use crate::project::plan::{Plan, Settings, plan};
use crate::project::{Content, FileId, Project};
use crate::rewrite::{FileResult, rewrite};
use crate::rules::codes::INTERNAL;
use crate::source::SourceFile;

/// What a migration comes to.
#[derive(Debug)]
pub struct Migration {
    /// The files with findings, by path.
    pub results: Vec<FileResult>,
    /// The new texts of the files that change, without byte order marks.
    pub texts: BTreeMap<FileId, String>,
    /// Files that are written together or not at all.
    pub together: Vec<BTreeSet<FileId>>,
}

/// Migrates a project in memory.
pub fn migrate(project: &mut Project, settings: Settings) -> Migration {
    let (plan, mut results) = rewrite(project, plan(project, settings), settings);
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
    bad.extend(check(project, settings, &texts));
    let together = groups_of_files(&plan);
    for file in affected(&together, bad.keys().copied().collect()) {
        texts.remove(&file);
        if let Some(result) = results.iter_mut().find(|result| result.file == file) {
            withdraw(result, bad.get(&file).map(String::as_str));
        }
    }
    Migration { results, texts, together }
}

/// Every new text must parse, and a second migration must find nothing to change in it.
fn check(
    project: &mut Project,
    settings: Settings,
    texts: &BTreeMap<FileId, String>,
) -> BTreeMap<FileId, String> {
    let mut bad = BTreeMap::new();
    if texts.is_empty() {
        return bad;
    }
    let mut originals = Vec::new();
    for (&file, text) in texts {
        let Some(source) = project.source(file) else { continue };
        let source = SourceFile { text: text.clone(), ..source.clone() };
        let content = analyze(&project.index, file, source);
        if !matches!(content, Content::Parsed { .. }) {
            bad.insert(file, "its new text does not parse".to_owned());
        }
        originals.push((file, std::mem::replace(&mut project.files[file].content, content)));
    }
    if bad.is_empty() {
        project.link();
        let (_, results) = rewrite(project, plan(project, settings), settings);
        for result in results.iter().filter(|result| !result.edits().is_empty()) {
            bad.insert(result.file, "a second run would change it again".to_owned());
        }
    }
    for (file, content) in originals {
        project.files[file].content = content;
    }
    project.link();
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
