//! Where commands of Flyte 1 stand in a text, and how: as a line of a shell, as a list of words, in a comment.
//!
//! ```python
//! # pyflyte run train.py main
//! subprocess.run(["pyflyte", "run", "train.py", "main"])
//! os.system("pyflyte run train.py main")
//! ```

use memchr::memmem;

use super::words::{Word, outer_quote, words};
use crate::file_kind::FileKind;
use crate::source::{TextRange, TextSize};

/// The programs, and which of their commands are looked at; none means all.
const PROGRAMS: [(&str, &[&str]); 2] = [("pyflyte", &[]), ("union", &["run", "register"])];

/// The length of `pyflyte`.
const PYFLYTE: TextSize = TextSize::new(7);

/// How a command stands in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    /// On a line that a shell reads.
    Shell,
    /// As strings in a list.
    List,
    /// In a comment or a description in code, which nobody runs.
    Comment,
}

/// A command of Flyte 1.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    /// The program.
    pub(super) program: TextRange,
    /// What follows.
    pub(super) words: Vec<Word<'a>>,
    /// How it stands there.
    pub(super) setting: Setting,
}

/// The commands in a file.
pub(super) fn places(text: &str, kind: FileKind) -> Vec<Place<'_>> {
    let mut places = Vec::new();
    for (name, commands) in PROGRAMS {
        for at in memmem::find_iter(text.as_bytes(), name) {
            places.extend(place(text, at, (name, commands), kind));
        }
    }
    places
}

/// The places where a variable of a script is set to `pyflyte`, in whatever way it is started.
///
/// ```make
/// PYFLYTE ?= poetry run pyflyte
/// ```
pub(super) fn variables(text: &str, kind: FileKind) -> Vec<TextRange> {
    if kind != FileKind::Script {
        return Vec::new();
    }
    let mut start = 0;
    let mut variables = Vec::new();
    for line in text.split_inclusive('\n') {
        let set = line.split_once('=').filter(|(name, value)| is_variable(name) && ends_in_program(value));
        let program = set.and_then(|_| line.rfind("pyflyte")).map(|at| start + at);
        variables.extend(program.and_then(|at| Some(TextRange::at(TextSize::try_from(at).ok()?, PYFLYTE))));
        start += line.len();
    }
    variables
}

/// Whether `NAME`, `export NAME` or `NAME ?` stands before a `=`.
fn is_variable(before: &str) -> bool {
    let name = before.trim_start().trim_start_matches("export ").trim_end_matches([' ', ':', '?']);
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Whether the last word of a value is the program.
fn ends_in_program(value: &str) -> bool {
    let last = value.split_whitespace().next_back().unwrap_or_default();
    last.trim_matches(['"', '\'']).rsplit('/').next() == Some("pyflyte")
}

/// The modules of flytekit that commands run: `python -m flytekit.clis.sdk_in_container.pyflyte run …`.
pub(super) fn modules(text: &str, kind: FileKind) -> Vec<TextRange> {
    if matches!(kind, FileKind::Python | FileKind::Document) {
        return Vec::new();
    }
    let range = |at: usize| {
        let mut words = text[at..].split_whitespace();
        let module = words.nth(1).filter(|module| module.starts_with("flytekit."))?;
        let start = at + text[at..].find(module)?;
        Some(TextRange::at(TextSize::try_from(start).ok()?, TextSize::of(module)))
    };
    memmem::find_iter(text.as_bytes(), "-m").filter_map(range).collect()
}

/// The command that a program of this name at `at` begins, if it is one of `commands`, or `commands` is empty.
fn place<'a>(
    text: &'a str,
    at: usize,
    (name, commands): (&str, &[&str]),
    kind: FileKind,
) -> Option<Place<'a>> {
    let is_one = |words: &[Word<'_>]| {
        commands.is_empty() || words.first().is_some_and(|word| commands.contains(&word.text))
    };
    let end = at + name.len();
    let before = text[..at].chars().next_back();
    let behind = text[end..].chars().next()?;
    // `poetry run pyflyte run` and `.venv/bin/pyflyte run`, but not `pyflyte-execute` and `x.pyflyte`.
    let line = &text[text[..at].rfind('\n').map_or(0, |end| end + 1)..at];
    // `-pyflyte run` and `@-pyflyte run` in a recipe of make.
    let is_recipe = kind == FileKind::Script && line.trim_start().chars().all(|c| "-@+ \t".contains(c));
    if !is_recipe && before.is_some_and(|c| c.is_alphanumeric() || "-_.@:=~".contains(c)) {
        return None;
    }
    let program = TextRange::new(TextSize::try_from(at).ok()?, TextSize::try_from(end).ok()?);
    if matches!(behind, '"' | '\'') && before == Some(behind) {
        let words = words_of_list(text, end + 1);
        return is_one(&words).then_some(Place { program, words, setting: Setting::List });
    }
    if matches!(behind, '\n' | '\r') && line.trim_start() == "- " {
        let words = words_of_items(text, end);
        return is_one(&words).then_some(Place { program, words, setting: Setting::List });
    }
    if !matches!(behind, ' ' | '\t' | '\\') {
        return None;
    }
    let words = words(text, end);
    // It costs most to tell what stands around.
    if !is_one(&words) {
        return None;
    }
    let setting = match kind {
        FileKind::Document => is_code(text, at).then_some(Setting::Shell),
        FileKind::Python if is_comment(text, at) => Some(Setting::Comment),
        // A name in code is no command.
        FileKind::Python => outer_quote(text, at).map(|_| Setting::Shell),
        _ => Some(Setting::Shell),
    };
    Some(Place { program, words, setting: setting? })
}

/// The strings behind `"pyflyte",` up to the end of the list; what is no string is a word as it is written.
fn words_of_list(text: &str, mut at: usize) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start_matches([',', ' ', '\t', '\n', '\r']).len();
        let rest = &text[at..];
        let (start, length, skipped) = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => match rest[1..].find(quote) {
                Some(length) => (at + 1, length, length + 2),
                None => return words,
            },
            Some(c) if c.is_alphanumeric() || matches!(c, '_' | '$') => {
                let length = rest.find([',', ']', ')', '\n']).unwrap_or(rest.len());
                (at, length, length)
            }
            _ => return words,
        };
        words.extend(Word::new(text, start, start + length));
        at += skipped;
    }
}

/// The items of a YAML list below `- pyflyte`.
fn words_of_items(text: &str, at: usize) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut start = at;
    for line in text[at..].split_inclusive('\n') {
        let content = line.trim();
        if !content.is_empty() {
            let Some(item) = content.strip_prefix("- ") else { break };
            let item = item.trim().trim_matches(['"', '\'']);
            let from = start + line.find(item).unwrap_or_default();
            words.extend(Word::new(text, from, from + item.len()));
        }
        start += line.len();
    }
    words
}

/// Whether a place in a document is code: in backticks, in a fence, indented, or behind a prompt.
pub(super) fn is_code(text: &str, at: usize) -> bool {
    let line_start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line_start..at];
    let is_fence = |line: &&str| line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
    let is_fenced = text[..line_start].lines().filter(is_fence).count() % 2 == 1;
    let is_indented = before.starts_with("    ") || before.starts_with('\t');
    is_fenced || is_indented || before.matches('`').count() % 2 == 1 || before.trim_start().starts_with('$')
}

/// Whether a place in Python is in a comment or in a string over several lines.
fn is_comment(text: &str, at: usize) -> bool {
    let line = &text[text[..at].rfind('\n').map_or(0, |end| end + 1)..at];
    let hash = line.find('#').filter(|&hash| outer_quote(line, hash).is_none());
    let count = |quotes: &str| memmem::find_iter(&text.as_bytes()[..at], quotes).count();
    hash.is_some() || count("\"\"\"") % 2 == 1 || count("'''") % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The setting and the words of the only command.
    fn found(text: &str, kind: FileKind) -> Option<(Setting, Vec<&str>)> {
        let place = places(text, kind).pop()?;
        Some((place.setting, place.words.iter().map(|word| word.text).collect()))
    }

    #[test]
    fn commands_are_found_in_every_setting() {
        let words = vec!["run", "a.py", "wf"];
        for (text, kind, setting) in [
            ("pyflyte run a.py wf", FileKind::Script, Setting::Shell),
            ("poetry run pyflyte run a.py wf", FileKind::Script, Setting::Shell),
            ("union run a.py wf", FileKind::Script, Setting::Shell),
            ("go:\n\t-pyflyte run a.py wf", FileKind::Script, Setting::Shell),
            ("go:\n\t@-pyflyte run a.py wf", FileKind::Script, Setting::Shell),
            ("go:\n\t+ @pyflyte run a.py wf", FileKind::Script, Setting::Shell),
            ("CMD [\"pyflyte\", \"run\", \"a.py\", \"wf\"]", FileKind::Script, Setting::List),
            ("x:\n  - pyflyte\n  - run\n  - \"a.py\"\n  - wf\ny: 1\n", FileKind::Yaml, Setting::List),
            ("subprocess.run([\n  'pyflyte', 'run',\n  'a.py', 'wf'\n])", FileKind::Python, Setting::List),
            ("os.system('pyflyte run a.py wf')", FileKind::Python, Setting::Shell),
            ("# pyflyte run a.py wf", FileKind::Python, Setting::Comment),
            ("\"\"\"Run\n\npyflyte run a.py wf\n\"\"\"", FileKind::Python, Setting::Comment),
            ("Run `pyflyte run a.py wf` now", FileKind::Document, Setting::Shell),
        ] {
            assert_eq!(found(text, kind), Some((setting, words.clone())), "{text}");
        }
    }

    #[test]
    fn variables_that_hold_the_program_are_found() {
        for text in [
            "PYFLYTE ?= pyflyte\n",
            "A=1\nexport PYFLYTE=\"$VENV/bin/pyflyte\"",
            "run:\n\tx\nP := uv run pyflyte\r\n",
        ] {
            let found = variables(text, FileKind::Script);
            assert_eq!(found.iter().map(|range| &text[*range]).collect::<Vec<_>>(), ["pyflyte"], "{text}");
        }
        for text in
            ["X = my-pyflyte\n", "pyflyte --x=pyflyte\n", "# the tool = pyflyte\n", "X = pyflyte.sh\n"]
        {
            assert!(variables(text, FileKind::Script).is_empty(), "{text}");
        }
    }

    #[test]
    fn modules_that_commands_run_are_found() {
        let text =
            "python -m pip install x\npython3  -m  flytekit.bin.entrypoint x\npython -m flytekit.clis.main\n";
        let found = modules(text, FileKind::Script);
        assert_eq!(
            found.iter().map(|range| &text[*range]).collect::<Vec<_>>(),
            ["flytekit.bin.entrypoint", "flytekit.clis.main"]
        );
        assert!(modules(text, FileKind::Document).is_empty());
    }

    #[test]
    fn other_words_are_no_commands() {
        for (text, kind) in [
            ("Use pyflyte run to start", FileKind::Document),
            ("pyflyte-execute x", FileKind::Script),
            ("my.pyflyte run", FileKind::Script),
            ("tool\t-pyflyte run", FileKind::Script),
            ("  -pyflyte run", FileKind::Yaml),
            ("from x import pyflyte as y", FileKind::Python),
            ("a = b.union (c)", FileKind::Python),
            ("select 1 union all", FileKind::Script),
            ("- pyflytekit\n- x", FileKind::Yaml),
        ] {
            assert_eq!(found(text, kind), None, "{text}");
        }
    }
}
