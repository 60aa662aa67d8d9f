//! `pyflyte` commands and what they become.
//!
//! ```sh
//! pyflyte run train.py main --n 1               flyte run --local train.py main --n 1
//! pyflyte run --remote --copy-all train.py main    flyte run --copy-style all train.py main
//! pyflyte register train.py                     flyte deploy --copy-style all --all train.py
//! ```
//!
//! The flags are those of flytekit 1.16.31 and flyte 2.12.1; tried with both.

use super::words::Word;
use crate::edit::{Applicability, Edit};
use crate::source::{TextRange, TextSize};

/// What a flag of Flyte 1 becomes.
#[derive(Debug, Clone, Copy)]
enum Flag {
    /// The same flag under this name; whether a value follows.
    Renamed(&'static str, bool),
    /// A flag with its value.
    Fixed(&'static str),
    /// `--copy`, whose values have other names.
    Copy,
    /// The other mode of running.
    Remote,
    /// It has no counterpart; whether a value follows.
    Unknown(bool),
}

/// The flags of `pyflyte` itself.
const OWN: [(&[&str], Flag); 4] = [
    (&["-v", "--verbose"], Flag::Renamed("-v", false)),
    (&["-vv", "-vvv"], Flag::Renamed("", false)),
    (&["-c", "--config"], Flag::Renamed("--config", true)),
    (&["-k", "--pkgs"], Flag::Unknown(true)),
];

/// The flags of `pyflyte run`.
const RUN: [(&[&str], Flag); 21] = [
    (&["-p", "--project"], Flag::Renamed("", true)),
    (&["-d", "--domain"], Flag::Renamed("", true)),
    (&["--service-account", "--name"], Flag::Renamed("", true)),
    (&["-i", "--image"], Flag::Renamed("--image", true)),
    (&["--env", "--envvars"], Flag::Renamed("--env", true)),
    (&["--label", "--labels"], Flag::Renamed("--label", true)),
    (&["--raw-output-data-prefix", "--raw-data-prefix"], Flag::Renamed("--raw-data-path", true)),
    (&["--wait", "--wait-execution"], Flag::Renamed("--follow", false)),
    (&["--help"], Flag::Renamed("", false)),
    (&["--copy-all"], Flag::Fixed("--copy-style all")),
    (&["--copy"], Flag::Copy),
    (&["-r", "--remote"], Flag::Remote),
    (&["--destination-dir", "--poll-interval", "--interruptible", "--limit"], Flag::Unknown(true)),
    (&["--resource-requests", "--resource-limits"], Flag::Unknown(true)),
    (&["--tag", "--tags"], Flag::Unknown(true)),
    (&["--annotation", "--annotations"], Flag::Unknown(true)),
    (&["--max-parallelism"], Flag::Renamed("--max-action-concurrency", true)),
    (&["--cluster-pool"], Flag::Unknown(true)),
    (&["--execution-cluster-label", "--ecl"], Flag::Unknown(true)),
    (&["--dump-snippet", "--overwrite-cache"], Flag::Unknown(false)),
    (&["--disable-notifications"], Flag::Unknown(false)),
];

/// The flags of `pyflyte register`.
const REGISTER: [(&[&str], Flag); 12] = [
    (&["-p", "--project"], Flag::Renamed("", true)),
    (&["-d", "--domain"], Flag::Renamed("", true)),
    (&["-i", "--image"], Flag::Renamed("--image", true)),
    (&["-v", "--version"], Flag::Renamed("--version", true)),
    (&["--dry-run", "--help"], Flag::Renamed("", false)),
    (&["--skip-errors", "--skip-error"], Flag::Renamed("--ignore-load-errors", false)),
    (&["--copy"], Flag::Copy),
    (&["--non-fast"], Flag::Fixed("--copy-style none")),
    (&["-o", "--output", "-D", "--destination-dir"], Flag::Unknown(true)),
    (&["--service-account", "--raw-data-prefix", "--env", "--envvars"], Flag::Unknown(true)),
    (&["--resource-requests", "--resource-limits"], Flag::Unknown(true)),
    (&["--deref-symlinks", "--activate-launchplans", "--activate-launchplan"], Flag::Unknown(false)),
];

/// The commands that have no counterpart, and what to do instead.
const OTHERS: [(&str, &str); 16] = [
    ("package", "Deploy from the source with `flyte deploy --recursive --all DIR`; Flyte 2 has no packages"),
    (
        "serialize",
        "Deploy from the source with `flyte deploy --recursive --all DIR`; Flyte 2 serializes itself",
    ),
    ("launchplan", "Use `flyte update trigger NAME TASK --activate`, or `auto_activate=` of the trigger"),
    ("build", "Use `flyte build --all FILE`"),
    ("execution", "Use `flyte rerun RUN`, with `--recover` to keep what succeeded"),
    ("fetch", "Use `flyte get io RUN`"),
    ("get", "Use `flyte get`, with `--help` for what there is"),
    ("create", "Use `flyte create`, with `--help` for what there is"),
    ("delete", "Use `flyte delete`, with `--help` for what there is"),
    ("update", "Use `flyte update`, with `--help` for what there is"),
    ("info", "Use `flyte get config`"),
    ("backfill", "Start the runs with `flyte run`, one for each date; Flyte 2 has no backfill"),
    ("init", "Start from a file with a `flyte.TaskEnvironment`; Flyte 2 has no templates"),
    ("local-cache", "Remove the command; the local cache is another one"),
    ("metrics", "Look at the run in the console"),
    ("serve", "Use the connectors of Flyte 2, `flyte.connectors`"),
];

/// What a command becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapped {
    /// The subcommand.
    pub(super) command: String,
    /// The file or folder that it names.
    pub(super) target: Option<String>,
    /// Where that stands.
    target_range: Option<TextRange>,
    /// What `run` runs.
    pub(super) entity: Option<String>,
    /// The inputs that are given, each as `--name value`, and where the values stand.
    pub(super) inputs: Vec<(String, String, TextRange)>,
    /// What `--image` gives to code that runs on a cluster.
    pub(super) images: Vec<String>,
    /// The edits; empty if there is no counterpart.
    pub(super) edits: Vec<Edit>,
    /// How far they can be trusted.
    pub(super) applicability: Applicability,
    /// Why they are not enough, or why there are none.
    pub(super) problem: Option<String>,
    /// What to do, where there are no edits.
    pub(super) advice: Option<&'static str>,
}

impl Mapped {
    /// Whether it deploys.
    pub(super) fn is_deploy(&self) -> bool {
        self.command == "register"
    }

    /// Modules are imported from another folder than the working directory.
    pub(super) fn set_root(&mut self, root: &str) {
        let Some(place) = self.target_range.map(TextRange::start) else { return };
        let flag = format!("--root-dir {root} ");
        match self.edits.iter_mut().find(|edit| edit.range == TextRange::empty(place)) {
            Some(edit) => edit.content.insert_str(0, &flag),
            None => self.edits.push(Edit::insertion(place, flag)),
        }
    }
}

/// Maps a command: `program` is `pyflyte`, `words` what follows. `None` if it is none of its commands.
pub(super) fn map(program: TextRange, words: &[Word<'_>]) -> Option<Mapped> {
    let mut mapper = Mapper {
        edits: vec![Edit::replacement(program, "flyte")],
        images: Vec::new(),
        problem: None,
        is_remote: false,
    };
    let mut rest = words;
    let mut end = program.end();
    mapper.flags(&OWN, &mut rest, &mut end);
    let (&command, rest) = rest.split_first()?;
    match command.text {
        "run" => Some(mapper.run(command, rest)),
        "register" => Some(mapper.register(command, rest)),
        name => {
            let (_, advice) = OTHERS.iter().find(|(other, _)| *other == name)?;
            Some(Mapped {
                command: name.to_owned(),
                target: None,
                target_range: None,
                entity: None,
                inputs: Vec::new(),
                images: Vec::new(),
                edits: Vec::new(),
                applicability: Applicability::Safe,
                problem: None,
                advice: Some(advice),
            })
        }
    }
}

struct Mapper {
    edits: Vec<Edit>,
    images: Vec<String>,
    problem: Option<String>,
    is_remote: bool,
}

impl Mapper {
    /// Takes the flags off `rest`; `end` is where what stands before it ends.
    fn flags(&mut self, known: &[(&[&str], Flag)], rest: &mut &[Word<'_>], end: &mut TextSize) {
        while let Some((&word, behind)) = rest.split_first().filter(|(word, _)| word.text.starts_with('-')) {
            *rest = behind;
            let before = std::mem::replace(end, word.range.end());
            let (name, value) = match word.text.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word.text, None),
            };
            let flag = known.iter().find(|(names, _)| names.contains(&name)).map(|(_, flag)| *flag);
            let takes_value = matches!(flag, Some(Flag::Renamed(_, true) | Flag::Copy | Flag::Unknown(true)))
                && value.is_none();
            let mut next = None;
            if takes_value && let Some((&word, behind)) = rest.split_first() {
                next = Some(word);
                *rest = behind;
                *end = word.range.end();
            }
            if let Some(Flag::Renamed("--image", _)) = flag {
                self.images.extend(value.or(next.as_ref().map(Word::unquoted)).map(str::to_owned));
            }
            let name_range = TextRange::at(word.range.start(), TextSize::of(name));
            match flag {
                Some(Flag::Renamed("", _)) => {}
                Some(Flag::Renamed(other, _)) if other != name => {
                    self.edits.push(Edit::replacement(name_range, other));
                }
                Some(Flag::Renamed(..)) => {}
                Some(Flag::Fixed(text)) => self.edits.push(Edit::replacement(word.range, text)),
                Some(Flag::Copy) => self.copy(name_range, word, value, next),
                Some(Flag::Remote) => {
                    self.is_remote = true;
                    self.edits.push(Edit::deletion(TextRange::new(before, word.range.end())));
                }
                Some(Flag::Unknown(_)) | None => self.problem(format!("`{name}` has no counterpart")),
            }
        }
    }

    /// `--copy auto`
    fn copy(&mut self, name: TextRange, word: Word<'_>, value: Option<&str>, next: Option<Word<'_>>) {
        self.edits.push(Edit::replacement(name, "--copy-style"));
        let place = match (value, next) {
            (Some(value), _) => {
                Some((value, TextRange::new(word.range.end() - TextSize::of(value), word.range.end())))
            }
            (None, Some(next)) => Some((next.text, next.range)),
            (None, None) => None,
        };
        match place {
            Some(("all" | "none", _)) => {}
            Some(("auto", range)) => self.edits.push(Edit::replacement(range, "loaded_modules")),
            _ => self.problem("the value of `--copy` cannot be read".to_owned()),
        }
    }

    fn problem(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }

    fn run(mut self, command: Word<'_>, mut rest: &[Word<'_>]) -> Mapped {
        let mut end = command.range.end();
        self.flags(&RUN, &mut rest, &mut end);
        if !self.is_remote {
            // What runs here runs in no image.
            self.images.clear();
            self.edits.push(Edit::insertion(command.range.end(), " --local"));
        }
        match rest {
            [] | [_] => self.problem("it does not say what it runs".to_owned()),
            [file, ..] if file.text.starts_with("remote-") => {
                self.problem(format!("`{}` runs what Flyte 1 registered", file.text));
            }
            [file, ..] if file.text.contains("://") => {
                self.problem("`flyte run` fetches no code from an address".to_owned());
            }
            // On Flyte 2, `--no-x` exists only for what is true by default.
            [_, _, inputs @ ..] => {
                if inputs.iter().any(|word| word.text.starts_with("--inputs-file")) {
                    self.problem("`flyte run` reads no inputs from a file".to_owned());
                }
                if let Some(word) = inputs.iter().find(|word| word.text.starts_with("--no-")) {
                    self.problem(format!("`{}` exists on Flyte 2 only where its default is true", word.text));
                }
            }
        }
        let entity = rest.get(1).map(|entity| entity.unquoted().to_owned());
        let inputs = inputs(rest.get(2..).unwrap_or_default());
        Mapped { entity, inputs, ..self.mapped(command, rest.first(), Applicability::Safe) }
    }

    fn register(mut self, command: Word<'_>, mut rest: &[Word<'_>]) -> Mapped {
        self.edits.push(Edit::replacement(command.range, "deploy"));
        let mut end = command.range.end();
        self.flags(&REGISTER, &mut rest, &mut end);
        // Flyte 1 copies all files unless it is told otherwise, Flyte 2 only modules that were loaded.
        let says_what_to_copy = self.edits.iter().any(|edit| edit.content.contains("--copy-style"));
        let copies = if says_what_to_copy { "" } else { "--copy-style all " };
        match rest {
            [path] if path.unquoted().ends_with(".py") => {
                self.edits.push(Edit::insertion(path.range.start(), format!("{copies}--all ")));
            }
            [path] if !path.text.contains(['$', '{', '*']) => {
                self.edits.push(Edit::insertion(path.range.start(), format!("{copies}--recursive --all ")));
            }
            [_] => self.problem("it cannot be told whether it names a file or a folder".to_owned()),
            [] => self.problem("it does not say what it registers".to_owned()),
            _ => self.problem("`flyte deploy` takes one file or folder, and flags before it".to_owned()),
        }
        // Names of entities change, and launch plans are triggers of their tasks.
        self.mapped(command, rest.first(), Applicability::Unsafe)
    }

    fn mapped(self, command: Word<'_>, target: Option<&Word<'_>>, applicability: Applicability) -> Mapped {
        Mapped {
            command: command.text.to_owned(),
            target: target.map(|target| target.unquoted().to_owned()),
            target_range: target.map(|target| target.range),
            entity: None,
            inputs: Vec::new(),
            images: self.images,
            edits: self.edits,
            applicability,
            problem: self.problem,
            advice: None,
        }
    }
}

/// `--name value` and `--name=value`
fn inputs(words: &[Word<'_>]) -> Vec<(String, String, TextRange)> {
    let mut inputs = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let Some(name) = word.text.strip_prefix("--") else { continue };
        let (name, value) = match (name.split_once('='), words.get(at + 1)) {
            (Some((name, text)), _) => {
                let range = TextRange::new(word.range.end() - TextSize::of(text), word.range.end());
                (name, Word { text, range })
            }
            (None, Some(next)) => (name, *next),
            (None, None) => continue,
        };
        let text = value.unquoted();
        let quote = TextSize::from(u32::from(text.len() < value.text.len()));
        let range = TextRange::at(value.range.start() + quote, TextSize::of(text));
        inputs.push((name.to_owned(), text.to_owned(), range));
    }
    inputs
}

#[cfg(test)]
mod tests {
    use super::super::words::words;
    use super::*;
    use crate::edit::apply;

    /// The command afterward, and what is wrong with it.
    fn mapped(command: &str) -> (String, Option<String>) {
        let program = TextRange::up_to(TextSize::of("pyflyte"));
        let mapped = map(program, &words(command, "pyflyte".len())).unwrap();
        (apply(command, &mapped.edits).unwrap(), mapped.problem)
    }

    #[test]
    fn commands_become_those_of_flyte() {
        for (before, after) in [
            ("pyflyte run a.py wf --n 1", "flyte run --local a.py wf --n 1"),
            ("pyflyte run --remote a.py wf", "flyte run a.py wf"),
            ("pyflyte run -r \\\n  --wait \\\n  a.py wf", "flyte run \\\n  --follow \\\n  a.py wf"),
            (
                "pyflyte run --remote -p x -d=y -i img --copy auto a.py wf",
                "flyte run -p x -d=y --image img --copy-style loaded_modules a.py wf",
            ),
            (
                "pyflyte run --copy-all --envvars A=B a.py wf",
                "flyte run --local --copy-style all --env A=B a.py wf",
            ),
            (
                "pyflyte -v -c c.yaml run \"$F\" wf --x \"$X\"",
                "flyte -v --config c.yaml run --local \"$F\" wf --x \"$X\"",
            ),
            (
                "pyflyte -vv run -r --max-parallelism 3 a.py wf",
                "flyte -vv run --max-action-concurrency 3 a.py wf",
            ),
            ("pyflyte register a.py", "flyte deploy --copy-style all --all a.py"),
            ("pyflyte register --copy all a.py", "flyte deploy --copy-style all --all a.py"),
            (
                "pyflyte register --copy=auto -v 1 src/",
                "flyte deploy --copy-style=loaded_modules --version 1 --recursive --all src/",
            ),
            (
                "pyflyte register --non-fast workflows",
                "flyte deploy --copy-style none --recursive --all workflows",
            ),
        ] {
            assert_eq!(mapped(before), (after.to_owned(), None), "{before}");
        }
    }

    #[test]
    fn what_has_no_counterpart_is_a_problem() {
        for (command, problem) in [
            ("pyflyte run --overwrite-cache a.py wf", "`--overwrite-cache`"),
            ("pyflyte run --frobnicate a.py wf", "`--frobnicate`"),
            ("pyflyte run a.py wf --no-flag", "`--no-flag`"),
            ("pyflyte run a.py wf --inputs-file in.yaml", "from a file"),
            ("pyflyte run remote-task x", "`remote-task`"),
            ("pyflyte run https://example.com/a.py wf", "an address"),
            ("pyflyte run a.py", "what it runs"),
            ("pyflyte register a.py b.py", "takes one"),
            ("pyflyte register $DIR", "cannot be told"),
            ("pyflyte --pkgs x register a.py", "`--pkgs`"),
            ("pyflyte run --copy $X a.py wf", "`--copy`"),
        ] {
            let found = mapped(command).1.unwrap();
            assert!(found.contains(problem), "{command}: {found}");
        }
    }

    #[test]
    fn words_behind_pyflyte_that_are_no_command_mean_nothing() {
        for text in ["pyflyte is a program", "pyflyte", "pyflyte --help"] {
            assert_eq!(map(TextRange::up_to(7.into()), &words(text, 7)), None, "{text}");
        }
    }
}
