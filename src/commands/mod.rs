//! `pyflyte` commands around the code: in scripts, Makefiles, workflows of CI, Dockerfiles, documents.
//!
//! ```make
//! run:
//!     pyflyte run train.py main     # flyte run --local train.py main, once train.py is Flyte 2's
//! ```
//!
//! [`map`] runs behind the migration of the code, on the project as it will be: `sides` tells where the code stands
//! that a command names, `words` reads the command, `pyflyte` maps it.
//!
//! # FM320
//!
//! ## What it does
//!
//! Tells of a `pyflyte run` or `pyflyte register` whose code is Flyte 2's, with the command of Flyte 2. With
//! `--include-commands` it is written; `pyflyte register` needs `--unsafe-fixes` too, because it registers under other names.
//!
//! ## Why
//!
//! `pyflyte` does not know Flyte 2 code. `flyte run` runs on the cluster where `pyflyte run` ran locally, so `--local` comes
//! with it, unless `--remote` was given. Other flags have other names.
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
//! ```sh
//! # run.sh
//! pyflyte run train.py main --n 1
//! pyflyte run --remote --copy-all train.py main
//! ```
//!
//! ## Use instead
//!
//! ```sh
//! # run.sh
//! flyte run --local train.py main --n 1
//! flyte run --copy-style all train.py main
//! ```
//!
//! ## Fix safety
//!
//! By hand, unless `--include-commands` is given.
//!
//! ## Not handled
//!
//! Commands in comments and strings of Python, and in documents outside of code. Commands for code that stays on Flyte 1
//! are left alone.
//!
//! ## References
//!
//! [The flyte command](https://www.union.ai/docs/v2/flyte/api-reference/flyte-cli/)
//!
//! # FM321
//!
//! ## What it does
//!
//! Tells of a `pyflyte` command that has no certain counterpart: a flag or a subcommand that Flyte 2 does not have, code that
//! cannot be told or is partly on Flyte 1, or a list such as `["pyflyte", "run"]`.
//!
//! ## Why
//!
//! A command that runs something else than before is worse than one that fails.
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
//! ```sh
//! # run.sh
//! pyflyte run --overwrite-cache train.py main
//! ```
//!
//! ## Use instead
//!
//! ```sh
//! # run.sh
//! flyte run --local train.py main
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! `pyflyte-execute` and its like, which only containers of Flyte 1 run.
//!
//! ## References
//!
//! [The flyte command](https://www.union.ai/docs/v2/flyte/api-reference/flyte-cli/)

mod install;
mod pyflyte;
mod words;

use crate::diagnostic::{Diagnostic, Severity, Status};
use crate::edit::{Applicability, Edit, Fix, apply};
use crate::file_kind::FileKind;
use crate::project::plan::Settings;
use crate::project::sides::{Side, Sides};
use crate::project::{FileId, Project};
use crate::rules::codes::{COMMAND, COMMAND_BY_HAND, INSTALL_COMMAND};
use crate::source::{TextRange, TextSize};
use install::Installed;
use pyflyte::Mapped;

/// What is found in the file around the code.
pub fn map(
    project: &Project,
    sides: &Sides,
    file: FileId,
    text: &str,
    settings: Settings,
) -> Vec<Diagnostic> {
    let kind = project.files[file].kind;
    let is_read = matches!(
        kind,
        FileKind::Script | FileKind::Yaml | FileKind::Document | FileKind::Toml | FileKind::Ini
    );
    if !is_read || !sides.of_project().is_migrated() {
        return Vec::new();
    }
    let mut diagnostics = Vec::new();
    for program in programs(text) {
        if kind == FileKind::Document && !is_code(text, program) {
            continue;
        }
        if is_in_list(text, program) {
            diagnostics.push(in_list(program));
            continue;
        }
        let words = words::words(text, usize::from(program.end()));
        let Some(mapped) = pyflyte::map(program, &words) else { continue };
        let end = words.last().map_or(program.end(), |word| word.range.end());
        let side = match &mapped.target {
            Some(target) => sides.of_path(project, file, target),
            None => sides.of_project(),
        };
        if side != Side::Flyte1 {
            let whole = TextRange::new(program.start(), end);
            diagnostics.push(finding(sides, text, whole, mapped, side, settings));
        }
    }
    for found in install::installed(text, sides.of_project()) {
        if kind != FileKind::Document || is_code(text, found.range) {
            diagnostics.push(installs(found, settings));
        }
    }
    diagnostics
}

/// The finding for a package of Flyte 1 that a command installs.
fn installs(found: Installed<'_>, settings: Settings) -> Diagnostic {
    let finding =
        diagnostic(&INSTALL_COMMAND, found.range, format!("`{}` is installed by a command", found.word));
    let Some(written) = found.written else {
        let help = "Install what code of Flyte 2 needs, `flyte` and `flyteplugins-*` from PyPI";
        return Diagnostic { help: Some(help.to_owned()), ..finding };
    };
    let title =
        if written.is_empty() { "Leave it out".to_owned() } else { format!("Install `{written}` instead") };
    offered(finding, title, Applicability::Safe, found.edits, settings)
}

/// The finding with its fix, if fixes of commands are wanted.
fn offered(
    finding: Diagnostic,
    title: String,
    applicability: Applicability,
    edits: Vec<Edit>,
    settings: Settings,
) -> Diagnostic {
    if !settings.includes_commands {
        return Diagnostic { help: Some(format!("{title}, or let `--include-commands` do it")), ..finding };
    }
    let is_safe = applicability == Applicability::Safe;
    let fix = Fix { title: title.clone(), applicability, edits, creates: Vec::new() };
    Diagnostic {
        help: Some(title),
        status: if is_safe { Status::Fixable } else { Status::Unsafe },
        fix: (is_safe || settings.allows_unsafe).then_some(fix),
        ..finding
    }
}

/// The places where `pyflyte` stands as a word: `poetry run pyflyte run`, `.venv/bin/pyflyte run`.
fn programs(text: &str) -> Vec<TextRange> {
    let is_word = |at: usize| {
        let before = text[..at].chars().next_back();
        let behind = text[at + "pyflyte".len()..].chars().next();
        let begins = before.is_none_or(|c| !(c.is_alphanumeric() || "-_.@:=~".contains(c)));
        begins && behind.is_some_and(|c| " \t\\\"'".contains(c))
    };
    let starts = text.match_indices("pyflyte").map(|(at, _)| at).filter(|&at| is_word(at));
    starts
        .filter_map(|at| Some(TextRange::at(TextSize::try_from(at).ok()?, TextSize::of("pyflyte"))))
        .collect()
}

/// `["pyflyte", "run", …]`
fn is_in_list(text: &str, program: TextRange) -> bool {
    let (start, end) = (usize::from(program.start()), usize::from(program.end()));
    let quote = text[end..].chars().next().filter(|c| matches!(c, '"' | '\''));
    quote.is_some_and(|quote| text[..start].ends_with(quote))
}

fn in_list(program: TextRange) -> Diagnostic {
    Diagnostic {
        help: Some("Name `flyte` and its arguments: `flyte run --local FILE TASK`".to_owned()),
        ..diagnostic(&COMMAND_BY_HAND, program, "`pyflyte` does not run Flyte 2 code".to_owned())
    }
}

/// Whether a place in a document is code: in backticks, in a fence, indented, or behind a prompt.
fn is_code(text: &str, place: TextRange) -> bool {
    let start = usize::from(place.start());
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line_start..start];
    let is_fence = |line: &&str| line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
    let is_fenced = text[..line_start].lines().filter(is_fence).count() % 2 == 1;
    let is_indented = before.starts_with("    ") || before.starts_with('\t');
    is_fenced || is_indented || before.matches('`').count() % 2 == 1 || before.trim_start().starts_with('$')
}

fn finding(
    sides: &Sides,
    text: &str,
    whole: TextRange,
    mapped: Mapped,
    side: Side,
    settings: Settings,
) -> Diagnostic {
    let name = format!("`pyflyte {}`", mapped.command);
    if let Some(advice) = mapped.advice {
        let finding = diagnostic(&COMMAND_BY_HAND, whole, format!("{name} has no counterpart on Flyte 2"));
        return Diagnostic { help: Some(advice.to_owned()), ..finding };
    }
    let written = written(text, whole, &mapped);
    let is_certain = side == Side::Flyte2 || (side == Side::Unknown && sides.of_project() == Side::Flyte2);
    let problem = mapped.problem.or_else(|| match side {
        _ if is_certain => None,
        Side::Both => Some("some of its code stays on Flyte 1".to_owned()),
        _ => Some("it cannot be told whether its code is Flyte 2's".to_owned()),
    });
    if let Some(problem) = problem {
        let message = format!("{name} does not run Flyte 2 code, and is left to you: {problem}");
        let finding = diagnostic(&COMMAND_BY_HAND, whole, message);
        return Diagnostic { help: Some(format!("Run `{written}`, as far as that is right")), ..finding };
    }
    let finding = diagnostic(&COMMAND, whole, format!("{name} does not run Flyte 2 code"));
    offered(finding, format!("Run `{written}`"), mapped.applicability, mapped.edits, settings)
}

/// The command of Flyte 2 on one line.
fn written(text: &str, whole: TextRange, mapped: &Mapped) -> String {
    let (start, end) = (usize::from(whole.start()), usize::from(whole.end()));
    let moved = mapped
        .edits
        .iter()
        .map(|edit| Edit { range: edit.range - whole.start(), content: edit.content.clone() });
    let command = apply(&text[start..end], &moved.collect::<Vec<_>>()).unwrap_or_default();
    let words = command.split_whitespace().filter(|word| *word != "\\");
    words.collect::<Vec<_>>().join(" ")
}

fn diagnostic(rule: &'static crate::diagnostic::Rule, range: TextRange, message: String) -> Diagnostic {
    Diagnostic {
        rule,
        severity: Severity::Warning,
        message,
        range: Some(range),
        help: None,
        notes: Vec::new(),
        fix: None,
        status: Status::Manual,
    }
}
