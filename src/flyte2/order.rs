//! What has run before a piece of code runs: what stands above it, what its file imports, and what those have run that
//! import its file.
//!
//! ```python
//! # main.py
//! flyte.init(image_registry="ghcr.io/acme")    # runs before all of images.py
//! from images import trainer
//! ```

use rustc_hash::FxHashSet;

use super::replaced::is_test;
use crate::project::link::Target;
use crate::project::{FileId, Project};
use crate::python::is_main_block;
use crate::python::scope::{BindingKind, ImportStatement, StatementId};
use crate::source::{TextRange, TextSize};

/// When code of a file runs: as its module comes to an offset, or at an unknown time from a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    /// The file.
    pub file: FileId,
    /// Where in it.
    pub at: Option<TextSize>,
}

/// Whether code that stands at a range in a file may have run at a moment; in a function it runs where its name is read.
pub(super) fn may_have_run(
    project: &Project,
    file: FileId,
    (range, is_deferred): (TextRange, bool),
    moment: Moment,
) -> bool {
    let at = (!is_deferred).then(|| range.start());
    let mut times = vec![Moment { file, at }];
    if let Some(owner) = statement_at(project, file, range.start()).filter(|_| is_deferred) {
        Callers { project, times: &mut times, seen: FxHashSet::default() }.add(file, owner);
    }
    times.into_iter().any(|time| Before { project, time, seen: FxHashSet::default() }.is_before(moment))
}

/// The statement at the top level of a file that holds an offset.
fn statement_at(project: &Project, file: FileId, offset: TextSize) -> Option<StatementId> {
    project.facts(file)?.module.statements.iter().position(|range| range.contains(offset))
}

/// Finds the times at which what a statement defines may be called.
struct Callers<'p, 't> {
    project: &'p Project,
    times: &'t mut Vec<Moment>,
    seen: FxHashSet<(FileId, StatementId)>,
}

impl Callers<'_, '_> {
    fn add(&mut self, file: FileId, owner: StatementId) {
        let project = self.project;
        let Some(facts) = project.facts(file).filter(|_| self.seen.insert((file, owner))) else { return };
        let bindings = facts.module.bindings.iter().enumerate();
        let own = bindings.filter(|(_, binding)| binding.owner == owner && binding.is_global);
        for (id, binding) in own {
            if let BindingKind::Decorated(function) = binding.kind
                && self.is_decorated_by_own(file, function)
            {
                self.times.push(Moment { file, at: Some(binding.range.start()) });
            }
            for (user, reference) in project.references_to(file, id) {
                if reference.is_deferred {
                    self.add(user, reference.owner);
                } else {
                    self.times.push(Moment { file: user, at: Some(reference.range.start()) });
                }
            }
        }
    }

    /// Whether a function of the project decorates a function, which may call it at once.
    fn is_decorated_by_own(&self, file: FileId, function: usize) -> bool {
        let Some(facts) = self.project.facts(file) else { return false };
        let callees = facts.module.functions[function].decorators.iter().filter_map(|it| it.callee);
        let references = callees.filter_map(|callee| facts.reference_at(callee));
        let mut targets = references.flat_map(|reference| self.project.resolve(file, reference));
        targets.any(|target| matches!(target, Target::Binding(_, _, rest) if rest.is_empty()))
    }
}

/// Follows the order in which modules run back from a moment.
struct Before<'p> {
    project: &'p Project,
    /// When the code in question runs.
    time: Moment,
    seen: FxHashSet<Moment>,
}

impl Before<'_> {
    fn is_before(&mut self, moment: Moment) -> bool {
        if !self.seen.insert(moment) {
            return false;
        }
        if moment.file == self.time.file {
            return match (self.time.at, moment.at) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(time), Some(at)) => time < at,
            };
        }
        self.is_brought(moment) || self.has_importer_behind(moment)
    }

    /// Whether what runs with the imports of a file up to a moment holds the code.
    fn is_brought(&self, moment: Moment) -> bool {
        let Some(facts) = self.project.facts(moment.file) else { return false };
        // The main block runs in scripts only, and functions when they are called.
        if self.is_in_main_block() || self.time.at.is_none() && moment.at.is_some() {
            return false;
        }
        let has_run = |import: &&ImportStatement| {
            moment
                .at
                .is_none_or(|at| import.range.start() < at && !is_deferred(self.project, moment.file, import))
        };
        let imports = facts.module.imports.iter().filter(has_run);
        let files = imports.flat_map(|import| self.project.files_of_import(moment.file, import));
        let files = files.chain(self.project.index.packages_around(moment.file));
        self.project.run_by_import(files).contains(&self.time.file)
    }

    /// Whether the code has run by the time that a file imports that of a moment.
    fn has_importer_behind(&mut self, moment: Moment) -> bool {
        let project = self.project;
        for (user, facts) in project.parsed() {
            if user == moment.file
                || !project.imports[user].contains(&moment.file)
                || is_test(&project.files[user].relative)
            {
                continue;
            }
            for import in &facts.module.imports {
                let is_at_once = moment.at.is_some() && !is_deferred(project, user, import);
                let at = is_at_once.then(|| import.range.start());
                if project.files_of_import(user, import).contains(&moment.file)
                    && self.is_before(Moment { file: user, at })
                {
                    return true;
                }
            }
        }
        false
    }

    fn is_in_main_block(&self) -> bool {
        let statement = self.time.at.and_then(|at| {
            let statement = statement_at(self.project, self.time.file, at)?;
            Some(self.project.facts(self.time.file)?.module.statements[statement])
        });
        statement.is_some_and(|range| is_main_block(&self.project.text(self.time.file)[range]))
    }
}

/// Whether an import stands in a function.
fn is_deferred(project: &Project, file: FileId, import: &ImportStatement) -> bool {
    let Some(facts) = project.facts(file) else { return false };
    let mut bindings = import.aliases.iter().filter_map(|alias| alias.binding);
    bindings.any(|binding| !facts.module.bindings[binding].is_global)
}
