//! Commands that install flytekit: `pip install flytekit`, `uv add flytekit`.
//!
//! ```sh
//! pip install "flytekit>=1.10" pandas     # pip install "flyte>=2.12.1" pandas
//! ```
//!
//! # FM322
//!
//! ## What it does
//!
//! Tells of a command that installs flytekit or one of its plugins, such as `pip install flytekit` in a Dockerfile. With
//! `--include-commands`, `flyte` comes in its place, or beside it while code of the project still imports Flyte 1. An
//! image of flytekit that a Dockerfile starts from is told as well.
//!
//! ## Why
//!
//! The environment that the command makes cannot import `flyte`. Outside quotes there is no lower bound, because a shell
//! takes `>` for its own.
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
//! # setup.sh
//! pip install "flytekit>=1.10" pandas
//! ```
//!
//! ## Use instead
//!
//! ```sh
//! # setup.sh
//! pip install "flyte>=2.12.1" pandas
//! ```
//!
//! ## Fix safety
//!
//! By hand, unless `--include-commands` is given.
//!
//! ## Not handled
//!
//! What is installed from a URL or a file, and what conda installs.
//!
//! ## References
//!
//! [Migration from Flyte 1](https://www.union.ai/docs/v2/flyte/user-guide/flyte-1-to-flyte-2/)

use crate::edit::Edit;
use crate::project::sides::Side;
use crate::rules::is_flytekit_image;
use crate::rules::tables::{Plugin, distribution_name, plugin};
use crate::source::{TextRange, TextSize};

/// What begins a list of packages.
const INSTALLERS: [&str; 12] = [
    "pip install",
    "pip3 install",
    "uv add",
    "poetry add",
    "pdm add",
    "pixi add",
    "pipenv install",
    "pipx install",
    "conda install",
    "mamba install",
    "micromamba install",
    "pip download",
];

/// Options that name one package for the command behind it.
const OPTIONS: [&str; 3] = ["--with", "--from", "--spec"];

/// A package of Flyte 1 in a command that installs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Installed<'a> {
    /// The word, without quotes.
    pub(super) word: &'a str,
    pub(super) range: TextRange,
    /// What it becomes; empty if it can go. `None` if that is left to the user.
    pub(super) written: Option<String>,
    pub(super) edits: Vec<Edit>,
}

/// The packages of Flyte 1 that commands install and that are not right any longer.
pub(super) fn installed(text: &str, side: Side) -> Vec<Installed<'_>> {
    let starts = text.match_indices("flytekit").map(|(at, _)| at);
    starts.filter_map(|at| one(text, at, side)).collect()
}

/// The images of flytekit that a Dockerfile starts from, unless a command in it installs flyte.
pub(super) fn flytekit_bases(text: &str) -> Vec<TextRange> {
    let installs_flyte =
        |line: &str| INSTALLERS.iter().any(|installer| line.contains(installer)) && names_flyte(line);
    if text.lines().any(installs_flyte) {
        return Vec::new();
    }
    let base = |line: &str| {
        let mut words = line.split_whitespace();
        let is_from = words.next()?.eq_ignore_ascii_case("FROM");
        let base = words.find(|word| !word.starts_with("--")).filter(|base| is_flytekit_image(base))?;
        let at = line.find(base).filter(|_| is_from)?;
        Some((at, TextSize::of(base)))
    };
    let mut start = 0;
    let bases = text.split_inclusive('\n').filter_map(|line| {
        let line_start = start;
        start += line.len();
        let (at, length) = base(line)?;
        Some(TextRange::at(TextSize::try_from(line_start + at).ok()?, length))
    });
    bases.collect()
}

fn one(text: &str, at: usize, side: Side) -> Option<Installed<'_>> {
    let before = text[..at].chars().next_back()?;
    let option = option_before(&text[..at]);
    let is_start = " \t\"'".contains(before) || before == '=' && option.is_some();
    if !is_start {
        return None;
    }
    let is_end = |c: char| c.is_whitespace() || "\"'`;&|)<,".contains(c);
    let is_quoted = matches!(before, '"' | '\'');
    // Without quotes, `>` would be the shell's.
    let end = text[at..].find(|c| is_end(c) || (c == '>' && !is_quoted)).map_or(text.len(), |end| at + end);
    let word = &text[at..end];
    let name = distribution_name(word);
    let range = TextRange::new(TextSize::try_from(at).ok()?, TextSize::try_from(end).ok()?);
    if let Some(option) = option {
        return of_option(text, Installed { word, range, written: None, edits: Vec::new() }, option, side);
    }
    let command = command_before(text, at)?;
    let has_flyte = names_flyte(command) || names_flyte(command_behind(text, end));
    let is_conda = ["conda install", "mamba install", "pixi add"].iter().any(|tool| command.contains(tool));
    let found = |written: Option<String>, edits| Some(Installed { word, range, written, edits });
    let flyte = if is_quoted { "flyte>=2.12.1" } else { "flyte" };
    match (name.as_str(), side) {
        ("flytekit", Side::Both) if has_flyte => None,
        ("flytekit", _) if is_conda => found(None, Vec::new()),
        ("flytekit", Side::Both) => {
            let quote = if is_quoted { before.to_string() } else { String::new() };
            let text = format!("{flyte}{quote} {quote}");
            found(Some(format!("{flyte} {word}")), vec![Edit::insertion(range.start(), text)])
        }
        ("flytekit", _) if has_flyte => {
            let start = text[..at].trim_end_matches(['"', '\'']).trim_end_matches([' ', '\t']).len();
            let quote = usize::from(is_quoted);
            let whole =
                TextRange::new(TextSize::try_from(start).ok()?, TextSize::try_from(end + quote).ok()?);
            found(Some(String::new()), vec![Edit::deletion(whole)])
        }
        ("flytekit", _) => found(Some(flyte.to_owned()), vec![Edit::replacement(range, flyte)]),
        (_, Side::Both) => None,
        (name, _) if name.starts_with("flytekitplugins-") => match plugin(name) {
            Plugin::Successor(successor) if !is_conda => {
                found(Some(successor.to_owned()), vec![Edit::replacement(range, successor)])
            }
            _ => found(None, Vec::new()),
        },
        _ => None,
    }
}

/// The option of [`OPTIONS`] whose value begins at the end of `text`, and where it begins.
fn option_before(text: &str) -> Option<(&'static str, usize)> {
    let head = text.trim_end_matches(['"', '\'']);
    let head = head.strip_suffix('=').unwrap_or_else(|| head.trim_end_matches([' ', '\t']));
    OPTIONS.into_iter().find_map(|option| Some((option, head.strip_suffix(option)?.len())))
}

/// A package that an option names: `uv run --with flytekit`, `uvx --from flytekit`, `pipx run --spec flytekit`.
fn of_option<'t>(
    text: &str,
    package: Installed<'t>,
    (option, start): (&str, usize),
    side: Side,
) -> Option<Installed<'t>> {
    let (at, end) = (usize::from(package.range.start()), usize::from(package.range.end()));
    let is_given = |text: &str| ["--with flyte ", "--with=flyte "].iter().any(|given| text.contains(given));
    let is_beside = is_given(line_before(text, at)) || is_given(command_behind(text, end));
    let flyte = if text[..at].ends_with(['"', '\'']) { "flyte>=2.12.1" } else { "flyte" };
    let written = match (distribution_name(package.word).as_str(), side) {
        ("flytekit", Side::Both) if option == "--with" && !is_beside => {
            let place = TextSize::try_from(start).ok()?;
            let edits = vec![Edit::insertion(place, "--with flyte ")];
            return Some(Installed { written: Some(format!("flyte {}", package.word)), edits, ..package });
        }
        // What the command is tells which package it comes from.
        (_, Side::Both) => return None,
        ("flytekit", _) if is_beside => return Some(package),
        ("flytekit", _) => flyte,
        (name, _) if name.starts_with("flytekitplugins-") => match plugin(name) {
            Plugin::Successor(successor) => successor,
            Plugin::None => return Some(package),
        },
        _ => return None,
    };
    let edits = vec![Edit::replacement(package.range, written)];
    Some(Installed { written: Some(written.to_owned()), edits, ..package })
}

/// The lines of a command up to `at`.
fn line_before(text: &str, at: usize) -> &str {
    let mut start = at;
    loop {
        let line = text[..start].rfind('\n').map_or(0, |end| end + 1);
        let is_continued = text[..line].trim_end_matches(['\n', '\r']).ends_with('\\');
        start = line;
        if !is_continued || line == 0 {
            break;
        }
        start -= 1;
    }
    &text[start..at]
}

/// What stands between an installer and `at`, the installer included, if both belong to one command.
fn command_before(text: &str, at: usize) -> Option<&str> {
    let before = line_before(text, at);
    let command = INSTALLERS
        .iter()
        .filter_map(|installer| Some(&before[before.rfind(installer)?..]))
        .min_by_key(|command| command.len())?;
    (!command.contains([';', '&', '|', '`', '#'])).then_some(command)
}

/// The rest of the command.
fn command_behind(text: &str, end: usize) -> &str {
    let rest = &text[end..];
    let mut length = 0;
    for line in rest.split_inclusive('\n') {
        length += line.len();
        if !line.trim_end_matches(['\n', '\r']).ends_with('\\') {
            break;
        }
    }
    let rest = &rest[..length];
    &rest[..rest.find([';', '&', '|', '`', '#']).unwrap_or(rest.len())]
}

fn names_flyte(words: &str) -> bool {
    words.split_whitespace().any(|word| distribution_name(word.trim_matches(['"', '\''])) == "flyte")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::apply;

    fn migrated(text: &str, side: Side) -> String {
        let edits: Vec<Edit> = installed(text, side).into_iter().flat_map(|found| found.edits).collect();
        apply(text, &edits).unwrap()
    }

    #[test]
    fn flytekit_gives_way_where_it_is_installed() {
        for (before, after) in [
            ("pip install flytekit", "pip install flyte"),
            (
                "RUN pip install --no-cache-dir flytekit==1.10.3 pandas && x",
                "RUN pip install --no-cache-dir flyte pandas && x",
            ),
            ("pip install \"flytekit>=1.10\" pandas", "pip install \"flyte>=2.12.1\" pandas"),
            (
                "uv pip install \\\n  pandas \\\n  flytekit \\\n  flytekitplugins-spark\nflytekit",
                "uv pip install \\\n  pandas \\\n  flyte \\\n  flyteplugins-spark\nflytekit",
            ),
            ("uv add flyte flytekit", "uv add flyte"),
            ("pip install 'flytekit' 'flyte'", "pip install 'flyte'"),
            ("uv run --with flytekit python x.py", "uv run --with flyte python x.py"),
            ("uv run --with flytekit flyte run x.py", "uv run --with flyte flyte run x.py"),
            ("uvx --python 3.11 --from=flytekit flyte", "uvx --python 3.11 --from=flyte flyte"),
            ("uvx --from 'flytekit>=1' flyte", "uvx --from 'flyte>=2.12.1' flyte"),
            ("pipx run --spec flytekit flyte", "pipx run --spec flyte flyte"),
            (
                "uv run --with flytekitplugins-spark --with flytekit x",
                "uv run --with flyteplugins-spark --with flyte x",
            ),
        ] {
            assert_eq!(migrated(before, Side::Flyte2), after);
            assert_eq!(migrated(after, Side::Flyte2), after);
        }
    }

    #[test]
    fn flytekit_stays_while_code_needs_it() {
        for (before, after) in [
            ("pip install flytekit", "pip install flyte flytekit"),
            ("pip install \"flytekit>1\"", "pip install \"flyte>=2.12.1\" \"flytekit>1\""),
            ("pip install flytekitplugins-spark", "pip install flytekitplugins-spark"),
            ("uv run --with flytekit x", "uv run --with flyte --with flytekit x"),
            ("uvx --from flytekit pyflyte", "uvx --from flytekit pyflyte"),
        ] {
            assert_eq!(migrated(before, Side::Both), after);
            assert_eq!(migrated(after, Side::Both), after);
        }
    }

    #[test]
    fn bases_of_flytekit_are_found() {
        let bases = |text: &str| -> Vec<String> {
            flytekit_bases(text).into_iter().map(|range| text[range].to_owned()).collect()
        };
        let text = "FROM python:3.11 AS a\nfrom --platform=linux/amd64 ghcr.io/flyteorg/flytekit:py3.11-1.13.0 AS b\nFROM b\n";
        assert_eq!(bases(text), ["ghcr.io/flyteorg/flytekit:py3.11-1.13.0"]);
        for text in [
            "FROM ghcr.io/flyteorg/flytekit:py3.11-1.13.0\nRUN pip install flyte\n",
            "FROM ghcr.io/flyteorg/flyte:py3.11-v2.12.1\n",
            "# FROM ghcr.io/flyteorg/flytekit:py3.11-1.13.0\n",
        ] {
            assert_eq!(bases(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn other_words_are_left_alone() {
        for text in [
            "pip install my-flytekit",
            "echo flytekit",
            "pip install pandas && echo flytekit",
            "pip install pandas  # not flytekit",
            "pip install pandas\necho flytekit",
            "uv run --with flyte --with flytekit python x.py",
            "sed --from flytekitty",
            "pip install git+https://github.com/flyteorg/flytekit",
        ] {
            assert_eq!(migrated(text, Side::Flyte2), text);
        }
    }
}
