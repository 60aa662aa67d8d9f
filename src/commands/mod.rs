//! `pyflyte` commands around the code: in scripts, Makefiles, workflows of CI, Dockerfiles, documents.
//!
//! ```make
//! run:
//!     pyflyte run train.py main     # flyte run --local train.py main, once train.py is Flyte 2's
//! ```
//!
//! [`map`] runs behind the migration of the code, on the project as it will be: `sides` tells where the code stands
//! that a command names, `places` finds commands, `words` splits them, `pyflyte` maps them.
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
//! with it, unless `--remote` was given. Other flags have other names. `pyflyte` imported modules from the folder above the
//! outermost package, `flyte` does from the working directory or from `--root-dir`. An image that `--image` names must hold
//! `flyte`, so that such a command is unsafe where it runs on a cluster.
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
//! Lists such as `["pyflyte", "run"]` and commands in Python are told, and not rewritten; in comments of Python they are
//! notes. What stands in documents outside of code is not looked at, and commands for code that stays on Flyte 1 are
//! left alone.
//!
//! ## References
//!
//! [The flyte command](https://www.union.ai/docs/v2/flyte/api-reference/flyte-cli/)
//!
//! # FM321
//!
//! ## What it does
//!
//! Tells of a `pyflyte` command that has no certain counterpart: a flag or a subcommand that Flyte 2 does not have,
//! code that cannot be told, stands at an address or is partly on Flyte 1, a variable of a script that holds the
//! program, or a module of flytekit behind `python -m`. Also of an `--image` that Flyte 1 gave to tasks without an image, if
//! their environment has one now, because packages were added to it (FM403): it has no effect there.
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

mod durations;
mod images;
mod install;
mod places;
mod pyflyte;
mod root;
mod words;

use crate::diagnostic::{Diagnostic, Rule, Severity, Status};
use crate::edit::{Applicability, Edit, Fix, apply};
use crate::file_kind::FileKind;
use crate::project::enums::{enum_at, member_of};
use crate::project::plan::Settings;
use crate::project::sides::{Side, Sides, named};
use crate::project::{FileId, Project};
use crate::rules::codes::{COMMAND, COMMAND_BY_HAND, INSTALL_COMMAND};
use crate::source::{TextRange, TextSize};
use install::Installed;
use places::{Place, Setting};
use pyflyte::Mapped;
use root::{Root, root};

/// What is found in a file.
pub fn map(
    project: &Project,
    sides: &Sides,
    file: FileId,
    text: &str,
    settings: Settings,
) -> Vec<Diagnostic> {
    let kind = project.files[file].kind;
    let is_read = !matches!(kind, FileKind::Requirements | FileKind::Lock | FileKind::Notebook);
    if !is_read || !sides.of_project().is_migrated() {
        return Vec::new();
    }
    let reader = Reader { project, sides, file, text, settings };
    let commands = places::places(text, kind).into_iter();
    let mut diagnostics: Vec<Diagnostic> = commands.filter_map(|place| reader.command(&place)).collect();
    diagnostics.extend(places::variables(text, kind).into_iter().map(variable));
    diagnostics.extend(places::modules(text, kind).into_iter().map(|module| run_module(text, module)));
    // Code installs nothing by itself.
    if kind != FileKind::Python {
        let installed = install::installed(text, sides.of_project()).into_iter();
        let is_command = |found: &Installed<'_>| {
            kind != FileKind::Document || places::is_code(text, usize::from(found.range.start()))
        };
        diagnostics.extend(installed.filter(is_command).map(|found| reader.installs(found)));
        if sides.of_project() != Side::Both {
            diagnostics
                .extend(install::flytekit_bases(text).into_iter().map(|base| flytekit_base(text, base)));
        }
    }
    diagnostics
}

/// What is needed to speak of the commands of a file.
struct Reader<'a> {
    project: &'a Project,
    sides: &'a Sides,
    file: FileId,
    text: &'a str,
    settings: Settings<'a>,
}

impl Reader<'_> {
    /// The finding for a `pyflyte` command; none if it is right as it is.
    fn command(&self, place: &Place<'_>) -> Option<Diagnostic> {
        let program = place.program;
        let mut mapped = pyflyte::map(program, &place.words)?;
        let side = match &mapped.target {
            Some(target) => self.sides.of_path(self.project, self.file, target),
            None => self.sides.of_project(),
        };
        if side == Side::Flyte1 {
            return None;
        }
        let end = place.words.last().map_or(program.end(), |word| word.range.end());
        let whole = TextRange::new(program.start(), end);
        let name = format!("`{} {}`", &self.text[program], mapped.command);
        if let Some(advice) = mapped.advice {
            let message = format!("{name} is no command of Flyte 2");
            return Some(said(place, diagnostic(&COMMAND_BY_HAND, whole, message), advice.to_owned()));
        }
        let root = mapped.target.as_ref().map_or(Root::Here, |target| {
            root(self.project, self.sides, self.file, target, mapped.is_deploy())
        });
        if let Root::At(root) = &root {
            mapped.set_root(root);
        }
        self.write_inputs(place, &mut mapped);
        let notes = self.look_at_images(&mut mapped);
        let written = self.written(place, whole, &mapped.edits, &root);
        let project = self.sides.of_project();
        let is_certain = side == Side::Flyte2 || (side == Side::Unknown && project == Side::Flyte2);
        let problem = mapped.problem.or_else(|| match side {
            _ if root == Root::Unclear => {
                Some("its modules are imported from several folders, and `--root-dir` is one".to_owned())
            }
            _ if is_certain => None,
            Side::Both => Some("some of its code stays on Flyte 1".to_owned()),
            _ => Some("it cannot be told whether its code is Flyte 2's".to_owned()),
        });
        if let Some(problem) = problem {
            let message = format!("{name} does not run Flyte 2 code, and is left to you: {problem}");
            let help = format!("Run `{written}`, as far as that is right");
            return Some(said(place, diagnostic(&COMMAND_BY_HAND, whole, message), help));
        }
        let finding = diagnostic(&COMMAND, whole, format!("{name} does not run Flyte 2 code"));
        let finding = Diagnostic { notes, ..finding };
        let title = format!("Run `{written}`");
        // Code is edited by its own migration alone.
        if place.setting != Setting::Shell || self.project.files[self.file].kind == FileKind::Python {
            return Some(said(place, finding, title));
        }
        Some(self.offered(finding, title, mapped.applicability, mapped.edits))
    }

    /// Looks at what `--image` does on Flyte 2; what is to be said of that.
    fn look_at_images(&self, mapped: &mut Mapped) -> Vec<String> {
        if mapped.images.is_empty() {
            return Vec::new();
        }
        let files = mapped.target.as_deref().and_then(|target| named(self.project, self.file, target));
        let files = files.map(|(_, files)| files).unwrap_or_default();
        if mapped.images.iter().any(|image| images::is_default(image))
            && let Some((file, environment)) = images::environment_with_own(self.project, files)
        {
            mapped.problem.get_or_insert(format!(
                "`--image` has no effect on `{environment}` in `{}`, which has an image of its own; leave that out there if \
                 the one of `--image` holds `flyte` and what the code imports",
                self.project.files[file].display
            ));
        }
        mapped.applicability = Applicability::Unsafe;
        vec!["the image of `--image` must hold `flyte`; rebuild it with that".to_owned()]
    }

    /// `pyflyte run` takes members of enums by their values, `flyte run` by their names; durations have other forms.
    fn write_inputs(&self, place: &Place<'_>, mapped: &mut Mapped) {
        let files = mapped.target.as_deref().and_then(|target| named(self.project, self.file, target));
        let Some(&[file]) = files.as_ref().map(|(_, files)| files.as_slice()) else { return };
        let Some(facts) = self.project.facts(file) else { return };
        let mut functions = facts.module.functions.iter();
        let entity = functions.find(|function| Some(&function.name) == mapped.entity.as_ref());
        for (name, value, range) in &mapped.inputs {
            let mut parameters = entity.into_iter().flat_map(|entity| &entity.parameters);
            let annotation = parameters.find(|known| known.name == *name).and_then(|known| known.annotation);
            let Some(annotation) = annotation else { continue };
            let is_duration = self.project.text(file)[annotation].ends_with("timedelta");
            let class = enum_at(self.project, file, annotation);
            let (written, what) = match class {
                Some(class) => (
                    member_of(self.project, class, value).map(str::to_owned),
                    "the name of a member on Flyte 2, not its value",
                ),
                None if is_duration => {
                    (durations::written(value), "durations such as `2 hours` or `PT1H30M` on Flyte 2")
                }
                None => continue,
            };
            match written {
                Some(written) if written == *value => {}
                Some(written) if place.setting != Setting::List => {
                    mapped.edits.push(Edit::replacement(*range, written));
                }
                _ => drop(mapped.problem.get_or_insert(format!("`--{name}` takes {what}"))),
            }
        }
    }

    /// The finding for a package of Flyte 1 that a command installs.
    fn installs(&self, found: Installed<'_>) -> Diagnostic {
        let message = format!("`{}` is installed by a command", found.word);
        let finding = diagnostic(&INSTALL_COMMAND, found.range, message);
        let Some(written) = found.written else {
            let help = "Install what code of Flyte 2 needs, `flyte` and `flyteplugins-*` from PyPI";
            return Diagnostic { help: Some(help.to_owned()), ..finding };
        };
        let title = match written.as_str() {
            "" => "Leave it out".to_owned(),
            written => format!("Install `{written}` instead"),
        };
        self.offered(finding, title, Applicability::Safe, found.edits)
    }

    /// The finding with its fix, if fixes of commands are wanted.
    fn offered(
        &self,
        finding: Diagnostic,
        title: String,
        applicability: Applicability,
        edits: Vec<Edit>,
    ) -> Diagnostic {
        if !self.settings.includes_commands {
            let help = format!("{title}, or let `--include-commands` do it");
            return Diagnostic { help: Some(help), ..finding };
        }
        let is_safe = applicability == Applicability::Safe;
        let fix = Fix { title: title.clone(), applicability, edits, creates: Vec::new() };
        Diagnostic {
            help: Some(title),
            status: if is_safe { Status::Fixable } else { Status::Unsafe },
            fix: (is_safe || self.settings.allows_unsafe).then_some(fix),
            ..finding
        }
    }

    /// The command of Flyte 2 on one line.
    fn written(&self, place: &Place<'_>, whole: TextRange, edits: &[Edit], root: &Root) -> String {
        if place.setting == Setting::List {
            return line_of_list(&self.text[place.program], place, root);
        }
        let moved = edits
            .iter()
            .map(|edit| Edit { range: edit.range - whole.start(), content: edit.content.clone() })
            .collect::<Vec<_>>();
        let command = apply(&self.text[whole], &moved).unwrap_or_default();
        let words = command.split_whitespace().filter(|word| *word != "\\");
        words.collect::<Vec<_>>().join(" ")
    }
}

/// The finding for a variable that holds `pyflyte`.
fn variable(program: TextRange) -> Diagnostic {
    let message = "a variable is set to `pyflyte`, which does not run Flyte 2 code".to_owned();
    let help = "Set it to `flyte`, and look at the flags of each command that it stands in".to_owned();
    Diagnostic { help: Some(help), ..diagnostic(&COMMAND_BY_HAND, program, message) }
}

/// The finding for a module of flytekit that a command runs.
fn run_module(text: &str, module: TextRange) -> Diagnostic {
    let message = format!("`python -m {}` does not run Flyte 2 code", &text[module]);
    let help = "Run `flyte` with the command of Flyte 2 instead".to_owned();
    Diagnostic { help: Some(help), ..diagnostic(&COMMAND_BY_HAND, module, message) }
}

/// The finding for an image of flytekit that another one starts from.
fn flytekit_base(text: &str, base: TextRange) -> Diagnostic {
    let message = format!("`{}` holds flytekit, and no flyte", &text[base]);
    let help = "Start from an image of Flyte 2, such as `ghcr.io/flyteorg/flyte:py3.12-v2.12.1`, or install `flyte` in it";
    Diagnostic { help: Some(help.to_owned()), ..diagnostic(&INSTALL_COMMAND, base, message) }
}

/// The command of Flyte 2 that a list of words means, as a line.
fn line_of_list(program: &str, place: &Place<'_>, root: &Root) -> String {
    let words: Vec<&str> = place.words.iter().map(|word| word.text).collect();
    let line = format!("{program} {}", words.join(" "));
    let program = TextRange::up_to(TextSize::of(program));
    let mut mapped = pyflyte::map(program, &words::words(&line, usize::from(program.end())));
    if let (Some(mapped), Root::At(root)) = (&mut mapped, root) {
        mapped.set_root(root);
    }
    mapped.and_then(|mapped| apply(&line, &mapped.edits).ok()).unwrap_or(line)
}

/// The finding with advice; a comment runs nothing, so there it only informs.
fn said(place: &Place<'_>, finding: Diagnostic, help: String) -> Diagnostic {
    let finding = Diagnostic { help: Some(help), ..finding };
    if place.setting == Setting::Comment {
        return Diagnostic { severity: Severity::Info, status: Status::Info, ..finding };
    }
    finding
}

fn diagnostic(rule: &'static Rule, range: TextRange, message: String) -> Diagnostic {
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
