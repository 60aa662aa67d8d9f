//! The edits of import statements: names that go, and the lines that come.
//!
//! ```python
//! from flytekit import ImageSpec, task, workflow
//! from flyte import Image, TaskEnvironment
//! ```
//!
//! # FM300
//!
//! ## What it does
//!
//! Removes imports of flytekit that nothing uses any longer, and adds those of flyte. Names are imported one by
//! one where the file did so and none of them is taken.
//!
//! ## Why
//!
//! An import of flytekit that is left would need flytekit in the image.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Image, TaskEnvironment
//!
//! image = Image.from_debian_base(name="train").with_pip_packages("pandas")
//!
//! env = TaskEnvironment(name="example", image=image)
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Safe. Unsafe as soon as something in the file is.
//!
//! ## Not handled
//!
//! Imports that other files take names from.
//!
//! ## References
//!
//! The README: "What moves together" and "Limits".

use std::collections::{BTreeMap, BTreeSet};

use super::import_order::is_in_standard_library;
use crate::edit::Edit;
use crate::python::items::{line_start, next_line_start};
use crate::python::scope::{ImportId, ImportStatement, Module};
use crate::source::{TextRange, TextSize};

/// What happens to the imports of a file.
#[derive(Debug, Default)]
pub(super) struct ImportChanges {
    /// The aliases that go, by statement.
    pub(super) removed: BTreeMap<ImportId, BTreeSet<usize>>,
    /// The lines that come, in order.
    pub(super) added: Vec<String>,
    /// Lines that come behind a certain statement.
    pub(super) behind: BTreeMap<ImportId, BTreeSet<String>>,
    /// Lines that come above a certain statement.
    pub(super) above: BTreeMap<ImportId, BTreeSet<String>>,
    /// Where lines go if no statement can take them.
    pub(super) fallback: TextSize,
}

/// The edits, each with the place of the statement that it concerns.
pub(super) fn edits(text: &str, module: &Module, changes: &ImportChanges) -> Vec<(TextRange, Edit)> {
    let mut edits = Vec::new();
    let anchor = anchor(module, changes.removed.keys());
    // The finding stands at the first.
    let mut removed: Vec<_> = changes.removed.iter().collect();
    removed.sort_by_key(|(id, _)| is_of_standard_library(&module.imports[**id]));
    for (&id, positions) in removed {
        let import = &module.imports[id];
        let separator = if import.shares_line { "; " } else { "\n" };
        let added = changes.added.iter().filter(|line| !(import.shares_line && line.is_empty()));
        let added: Vec<&str> = added.map(String::as_str).collect();
        let replacement = (anchor == Some(id)).then(|| added.join(separator));
        for edit in removal(text, import, positions, replacement.filter(|text| !text.is_empty())) {
            edits.push((import.range, edit));
        }
    }
    for (&id, lines) in &changes.above {
        let range = module.imports[id].range;
        // As isort and ruff do: modules first.
        let mut lines: Vec<&String> = lines.iter().collect();
        lines.sort_by_key(|line| line.starts_with("from "));
        let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
        edits.push((range, Edit::insertion(line_start(text, range.start()), lines)));
    }
    for (&id, lines) in &changes.behind {
        let range = module.imports[id].range;
        let offset = next_line_start(text, range.end());
        let is_last_line = offset == TextSize::of(text) && !text.ends_with(['\n', '\r']);
        let lines: String = lines
            .iter()
            .map(|line| if is_last_line { format!("\n{line}") } else { format!("{line}\n") })
            .collect();
        edits.push((range, Edit::insertion(offset, lines)));
    }
    if anchor.is_none() && !changes.added.is_empty() {
        let edit = below_standard_library(text, module, changes);
        edits.push((TextRange::empty(edit.range.start()), edit));
    }
    close_gaps(text, &mut edits);
    edits
}

/// Where a whole block goes, no more empty lines are left than stood above or below it.
fn close_gaps(text: &str, edits: &mut [(TextRange, Edit)]) {
    let begins_line = |offset| line_start(text, offset) == offset;
    let ranges = edits.iter().filter(|(_, edit)| edit.content.is_empty()).map(|(_, edit)| edit.range);
    let lines: Vec<TextRange> = ranges
        .filter(|range| !range.is_empty() && begins_line(range.start()) && begins_line(range.end()))
        .collect();
    let insertions: Vec<TextSize> =
        edits.iter().filter(|(_, edit)| edit.range.is_empty()).map(|(_, edit)| edit.range.start()).collect();
    for (_, edit) in edits.iter_mut().filter(|(_, edit)| lines.contains(&edit.range)) {
        let end = edit.range.end();
        let mut start = edit.range.start();
        while let Some(before) = lines.iter().find(|before| before.end() == start) {
            start = before.start();
        }
        if insertions.iter().any(|&offset| start <= offset && offset <= end) {
            continue;
        }
        let is_empty = |line: &&str| line.trim().is_empty();
        let (above, below) = (&text[..usize::from(start)], &text[usize::from(end)..]);
        // At the head of the file none is needed.
        let above = if above.is_empty() {
            usize::MAX
        } else {
            above.split_inclusive('\n').rev().take_while(is_empty).count()
        };
        let gap = below.split_inclusive('\n').take_while(is_empty).take(above);
        edit.range = TextRange::new(edit.range.start(), end + gap.map(TextSize::of).sum::<TextSize>());
    }
}

/// The lines that come where no statement goes: as isort has it, a block of their own behind the standard library, or
/// at the head of the block of other libraries.
fn below_standard_library(text: &str, module: &Module, changes: &ImportChanges) -> Edit {
    let lines: String = changes.added.iter().map(|line| format!("{line}\n")).collect();
    let Some(last) = last_of_standard_library(module) else {
        return Edit::insertion(changes.fallback, lines);
    };
    let end = next_line_start(text, module.imports[last].range.end());
    if let Some(next) = module.imports.get(last + 1).filter(|next| next.is_top_level) {
        let start = line_start(text, next.range.start());
        let is_library = next.from.as_ref().is_none_or(|(level, _)| *level == 0);
        if start >= end && is_library && text[TextRange::new(end, start)].trim().is_empty() {
            let gap = if start == end { "\n" } else { "" };
            return Edit::insertion(start, format!("{gap}{lines}"));
        }
    }
    if end == TextSize::of(text) && !text.ends_with(['\n', '\r']) {
        return Edit::insertion(changes.fallback, lines);
    }
    Edit::insertion(end, format!("\n{lines}"))
}

/// The statement whose place the new lines take: the first at the top level that loses a name of another library than
/// the standard one.
pub(super) fn anchor<'i>(module: &Module, removed: impl Iterator<Item = &'i ImportId>) -> Option<ImportId> {
    let may_take = |id: &&ImportId| {
        let import = &module.imports[**id];
        import.is_top_level && !is_of_standard_library(import)
    };
    removed.filter(may_take).min_by_key(|&&id| module.imports[id].range.start()).copied()
}

/// The first import of a file without any of the standard library, where it stands above what the new lines replace.
pub(super) fn first_above_anchor(module: &Module, changes: &ImportChanges) -> Option<ImportId> {
    let anchor = anchor(module, changes.removed.keys())?;
    let is_future = |import: &ImportStatement| {
        import.from.as_ref().is_some_and(|(level, module)| *level == 0 && module == "__future__")
    };
    let first = module.imports.iter().position(|import| import.is_top_level && !is_future(import))?;
    let is_above = module.imports[first].range.start() < module.imports[anchor].range.start();
    (is_above && !module.imports[first].shares_line && !changes.removed.contains_key(&first)).then_some(first)
}

/// Lines in order; what comes from the same module comes in one.
pub(super) fn merged<'l>(lines: impl Iterator<Item = &'l String>) -> Vec<String> {
    let mut merged: Vec<String> = Vec::new();
    for line in lines {
        let module = line.split_once(" import ").map(|(module, _)| module);
        match merged.last_mut() {
            Some(last) if module.is_some_and(|module| last.starts_with(&format!("{module} import "))) => {
                last.push_str(", ");
                last.push_str(line.split_once(" import ").map_or("", |(_, name)| name));
            }
            _ => merged.push(line.clone()),
        }
    }
    merged
}

/// Whether an import line is of the standard library.
pub(super) fn is_standard_library(line: &str) -> bool {
    let module = line.split_whitespace().nth(1).unwrap_or_default();
    is_in_standard_library(module)
}

/// The first import of the standard library in the first block that isort would put behind `line`.
pub(super) fn next_of_standard_library(module: &Module, line: &str) -> Option<ImportId> {
    let last = last_of_standard_library(module)?;
    let name = line.split_whitespace().nth(1).unwrap_or_default();
    let is_behind = |import: &ImportStatement| match &import.from {
        Some((_, module)) => module != "__future__",
        None => import.aliases.first().is_some_and(|alias| alias.name.as_str() > name),
    };
    (0..=last).find(|&id| is_behind(&module.imports[id]) && !module.imports[id].shares_line)
}

/// The last import of the first block of imports that comes from the standard library.
pub(super) fn last_of_standard_library(module: &Module) -> Option<ImportId> {
    let first_other =
        module.imports.iter().position(|import| !import.is_top_level || !is_of_standard_library(import));
    let block = &module.imports[..first_other.unwrap_or(module.imports.len())];
    let last = block.iter().rposition(|import| !import.shares_line)?;
    let is_future = module.imports[last].from.as_ref().is_some_and(|(_, module)| module == "__future__");
    (!is_future).then_some(last)
}

fn is_of_standard_library(import: &ImportStatement) -> bool {
    let name = match &import.from {
        Some((0, module)) => module.as_str(),
        Some(_) => return false,
        None => import.aliases.first().map_or("", |alias| alias.name.as_str()),
    };
    is_in_standard_library(name)
}

fn removal(
    text: &str,
    import: &ImportStatement,
    positions: &BTreeSet<usize>,
    added: Option<String>,
) -> Vec<Edit> {
    if positions.len() == import.aliases.len() {
        return vec![whole(text, import, added)];
    }
    let start = line_start(text, import.range.start());
    let insertion = |added: String| {
        if import.shares_line {
            Edit::insertion(import.range.start(), format!("{added}; "))
        } else {
            Edit::insertion(start, format!("{added}\n"))
        }
    };
    let mut edits: Vec<Edit> = added.map(insertion).into_iter().collect();
    match import.parentheses {
        Some(range) if text[range].contains(['\n', '\r']) => {
            edits.extend(by_lines(text, import, positions, range));
        }
        _ => edits.push(on_one_line(text, import, positions)),
    }
    edits
}

/// Whether another statement of the same block follows.
fn is_followed(text: &str, import: &ImportStatement) -> bool {
    let indent = &text[TextRange::new(line_start(text, import.range.start()), import.range.start())];
    let mut behind = text[usize::from(next_line_start(text, import.range.end()))..].lines();
    let next = behind.find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    next.and_then(|line| line.strip_prefix(indent)).is_some_and(|rest| !rest.starts_with([' ', '\t']))
}

/// The whole statement goes. What stands nested may be all that its block holds.
fn whole(text: &str, import: &ImportStatement, added: Option<String>) -> Edit {
    match added {
        Some(added) => Edit::replacement(import.range, format!("{}{added}", inner_comments(text, import))),
        None if import.shares_line || !import.is_top_level && !is_followed(text, import) => {
            Edit::replacement(import.range, "pass")
        }
        None => {
            let start = line_start(text, import.range.start());
            let end = next_line_start(text, import.range.end());
            let behind = text[TextRange::new(import.range.end(), end)].trim();
            if behind.is_empty() || is_only_pragma(behind) {
                Edit::deletion(TextRange::new(start, end))
            } else {
                // A comment behind the statement stays.
                let comment_start =
                    end - TextSize::of(text[TextRange::new(import.range.end(), end)].trim_start());
                Edit::deletion(TextRange::new(import.range.start(), comment_start))
            }
        }
    }
}

/// The comments between the parentheses of a statement, a line each; what only speaks to linters goes.
fn inner_comments(text: &str, import: &ImportStatement) -> String {
    let Some(range) = import.parentheses else { return String::new() };
    let comments = text[range].lines().filter_map(|line| line.find('#').map(|at| line[at..].trim_end()));
    comments.filter(|comment| !is_pragma(comment)).map(|comment| format!("{comment}\n")).collect()
}

/// `from flytekit import A, ImageSpec, B`: the names are written anew, in the same order.
fn on_one_line(text: &str, import: &ImportStatement, positions: &BTreeSet<usize>) -> Edit {
    let (Some(first), Some(last)) = (import.aliases.first(), import.aliases.last()) else {
        return Edit::deletion(TextRange::empty(import.range.start()));
    };
    let kept: Vec<&str> = import
        .aliases
        .iter()
        .enumerate()
        .filter(|(position, _)| !positions.contains(position))
        .map(|(_, alias)| &text[alias.range])
        .collect();
    Edit::replacement(TextRange::new(first.range.start(), last.range.end()), kept.join(", "))
}

/// A statement over several lines: each line keeps its other names and its comment; an empty line goes.
fn by_lines(
    text: &str,
    import: &ImportStatement,
    positions: &BTreeSet<usize>,
    parentheses: TextRange,
) -> Vec<Edit> {
    let mut lines: BTreeMap<TextSize, Vec<usize>> = BTreeMap::new();
    for (position, alias) in import.aliases.iter().enumerate() {
        lines.entry(line_start(text, alias.range.start())).or_default().push(position);
    }
    let mut edits = Vec::new();
    for members in lines.values().filter(|members| members.iter().any(|member| positions.contains(member))) {
        let first = import.aliases[members[0]].range;
        let last = import.aliases[members[members.len() - 1]].range;
        let kept: Vec<&str> = members
            .iter()
            .filter(|member| !positions.contains(member))
            .map(|&member| &text[import.aliases[member].range])
            .collect();
        // The comma behind the last name of the line belongs to it.
        let behind = &text[usize::from(last.end())..usize::from(parentheses.end()) - 1];
        let comma = behind.trim_start().starts_with(',').then(|| {
            last.end() + TextSize::of(behind) - TextSize::of(behind.trim_start()) + TextSize::from(1)
        });
        let end = comma.unwrap_or(last.end());
        let line_end = next_line_start(text, end).min(parentheses.end() - TextSize::from(1));
        let rest = text[TextRange::new(end, line_end)].trim();
        let start = line_start(text, first.start());
        let owns_line = text[TextRange::new(start, first.start())].trim().is_empty();
        if kept.is_empty() && owns_line && !text[TextRange::new(end, line_end)].contains('(') {
            if rest.is_empty() || is_pragma(rest) {
                edits.push(Edit::deletion(TextRange::new(start, line_end)));
            } else {
                edits.push(Edit::deletion(TextRange::new(
                    first.start(),
                    line_end - TextSize::of(text[TextRange::new(end, line_end)].trim_start()),
                )));
            }
        } else {
            let list = kept.join(", ");
            let list = if comma.is_some() && !kept.is_empty() { format!("{list},") } else { list };
            edits.push(Edit::replacement(TextRange::new(first.start(), end), list));
        }
    }
    edits
}

/// Whether a comment says nothing but that a linter is to leave an unused import alone.
pub(super) fn is_only_pragma(comment: &str) -> bool {
    comment.trim_start_matches(['#', ' ']).starts_with("noqa") && comment.rfind('#') == Some(0)
}

fn is_pragma(comment: &str) -> bool {
    ["noqa", "type:", "pylint:", "isort:", "ruff:"].iter().any(|pragma| comment.contains(pragma))
}
