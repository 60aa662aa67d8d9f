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
//! `--include-commands`, `flyte` comes in its place, or beside it while code of the project still imports Flyte 1.
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
use crate::rules::tables::{Plugin, distribution_name, plugin};
use crate::source::{TextRange, TextSize};

/// What begins a list of packages.
const INSTALLERS: [&str; 13] = [
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
    "--with",
    "pip download",
];

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

fn one(text: &str, at: usize, side: Side) -> Option<Installed<'_>> {
    let before = text[..at].chars().next_back()?;
    if !" \t\"'".contains(before) {
        return None;
    }
    let is_end = |c: char| c.is_whitespace() || "\"'`;&|)<,".contains(c);
    let is_quoted = matches!(before, '"' | '\'');
    // Without quotes, `>` would be the shell's.
    let end = text[at..].find(|c| is_end(c) || (c == '>' && !is_quoted)).map_or(text.len(), |end| at + end);
    let word = &text[at..end];
    let command = command_before(text, at)?;
    let name = distribution_name(word);
    let has_flyte = names_flyte(command) || names_flyte(command_behind(text, end));
    let is_conda = ["conda install", "mamba install", "pixi add"].iter().any(|tool| command.contains(tool));
    let range = TextRange::new(TextSize::try_from(at).ok()?, TextSize::try_from(end).ok()?);
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

/// What stands between an installer and `at`, the installer included, if both belong to one command.
fn command_before(text: &str, at: usize) -> Option<&str> {
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
    let before = &text[start..at];
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
        ] {
            assert_eq!(migrated(before, Side::Both), after);
            assert_eq!(migrated(after, Side::Both), after);
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
            "pip install git+https://github.com/flyteorg/flytekit",
        ] {
            assert_eq!(migrated(text, Side::Flyte2), text);
        }
    }
}
