//! Turns decisions into edits: images, environments, decorators and imports of each file.
//!
//! Nothing here decides what is converted, and nothing here touches a file: the result is a list of findings, some of
//! which carry a fix.

mod comments;
mod environments;
mod files;
mod import_order;
mod imports;
mod plugin_imports;
mod report;
mod wrap;
mod write_code;

use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, Severity, Status};
use crate::edit::{Applicability, Edit, Fix, NewFile};
use crate::project::plan::{Plan, Settings};
use crate::project::{FileId, Project};
use crate::rules::{Effect, Finding};

/// What was found in one file.
#[derive(Debug)]
pub struct FileResult {
    /// The file.
    pub file: FileId,
    /// The findings, fixes among them.
    pub diagnostics: Vec<Diagnostic>,
}

impl FileResult {
    /// The files that its fixes create.
    pub fn new_files(&self) -> impl Iterator<Item = &NewFile> {
        self.diagnostics.iter().filter_map(|diagnostic| diagnostic.fix.as_ref()).flat_map(|fix| &fix.creates)
    }

    /// The edits of all fixes.
    pub fn edits(&self) -> Vec<Edit> {
        self.diagnostics
            .iter()
            .filter_map(|diagnostic| diagnostic.fix.as_ref())
            .flat_map(|fix| fix.edits.clone())
            .collect()
    }
}

/// How often the plan is made again because environments cannot be linked as it wants.
const MAX_ROUNDS: usize = 8;

/// Writes the plan out as findings and fixes, for the files that are selected and have any.
///
/// What turns out only now to be impossible (environments that would depend on each other) blocks its nodes, and the
/// plan is made again; so the plan that was carried out comes back with the results.
pub fn rewrite(project: &Project, mut plan: Plan, settings: Settings) -> (Plan, Vec<FileResult>) {
    let mut round = 0;
    let (overview, environments) = loop {
        let overview = files::Overview::new(project, &plan, settings);
        let environments = environments::environments(project, &plan, &overview);
        let problems = environments::problems(project, &plan, &environments);
        round += 1;
        if problems.is_empty() || round > MAX_ROUNDS {
            break (overview, environments);
        }
        for (node, file, finding) in problems {
            plan.graph.block(node, file, finding);
        }
        plan = plan.decided_again(settings);
    };
    let mut found = report::findings(project, &plan, settings);
    let files: Vec<(FileId, Vec<Diagnostic>)> = (0..project.files.len())
        .filter(|&file| project.files[file].is_selected)
        .map(|file| (file, found.remove(&file).unwrap_or_default()))
        .collect();
    let results = files
        .into_par_iter()
        .map(|(file, mut diagnostics)| {
            let written = write_code::convert(project, &plan, &overview, &environments, settings, file);
            // The fix itself says it as well.
            diagnostics.retain(|found| !(found.status == Status::Info && is_told(found, &written)));
            diagnostics.extend(written);
            FileResult { file, diagnostics }
        })
        .filter(|result| !result.diagnostics.is_empty())
        .collect();
    (plan, results)
}

/// Whether one of these says what a note says.
fn is_told(note: &Diagnostic, others: &[Diagnostic]) -> bool {
    let is_same = |other: &Diagnostic| {
        (other.rule, other.range, &other.message) == (note.rule, note.range, &note.message)
    };
    others.iter().any(is_same)
}

/// A finding that a rule made, as it is reported.
fn diagnostic(finding: &Finding) -> Diagnostic {
    let (severity, status) = match finding.effect {
        Effect::Info => (Severity::Info, Status::Info),
        Effect::Unsafe => (Severity::Warning, Status::Unsafe),
        Effect::Blocking => (Severity::Warning, Status::Manual),
    };
    Diagnostic {
        rule: finding.rule,
        severity,
        message: finding.message.clone(),
        range: Some(finding.range),
        help: finding.help.clone(),
        notes: Vec::new(),
        fix: None,
        status,
    }
}

/// A finding whose fix is applied.
fn fixed(finding: &Finding, title: String, applicability: Applicability, edits: Vec<Edit>) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        status: if applicability == Applicability::Safe { Status::Fixable } else { Status::Unsafe },
        help: Some(title.clone()),
        fix: Some(Fix { title, applicability, edits, creates: Vec::new() }),
        ..diagnostic(finding)
    }
}
