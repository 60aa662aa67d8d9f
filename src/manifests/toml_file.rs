//! `pyproject.toml`, `pixi.toml`, `Pipfile`, and the header of a script: requirements in TOML.
//!
//! ```toml
//! [project]
//! dependencies = ["flytekit>=1.10"]
//! [tool.poetry.dependencies]
//! flytekit = { version = "^1.10", optional = true }
//! ```
//!
//! Only places are taken from the parser; what is not edited stays as it is, down to the byte.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::layout::{Insertion, insertion_in_list, range, removal_in_list, remove_line};
use super::manifest::{List, Manifest};
use super::requirement::{Entry, Form};
use crate::rules::tables::distribution_name;
use crate::source::{TextRange, TextSize};

/// What the values of a table or list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A list of requirements.
    Strings,
    /// A table of names and versions.
    Versions,
    /// The same, but of packages of conda.
    Conda,
    /// A list of names of requirements.
    Names,
}

/// Where requirements stand, from the root of the file. `*` is any key.
const PLACES: [(&[&str], Kind); 21] = [
    (&["project", "dependencies"], Kind::Strings),
    (&["tool", "poetry", "dependencies"], Kind::Versions),
    (&["packages"], Kind::Versions),
    (&["dependencies"], Kind::Strings),
    (&["project", "optional-dependencies", "*"], Kind::Strings),
    (&["dependency-groups", "*"], Kind::Strings),
    (&["build-system", "requires"], Kind::Strings),
    (&["tool", "poetry", "dev-dependencies"], Kind::Versions),
    (&["tool", "poetry", "group", "*", "dependencies"], Kind::Versions),
    (&["tool", "poetry", "extras", "*"], Kind::Names),
    (&["tool", "uv", "dev-dependencies"], Kind::Strings),
    (&["tool", "pdm", "dev-dependencies", "*"], Kind::Strings),
    (&["tool", "hatch", "envs", "*", "dependencies"], Kind::Strings),
    (&["tool", "hatch", "envs", "*", "extra-dependencies"], Kind::Strings),
    (&["tool", "pixi", "pypi-dependencies"], Kind::Versions),
    (&["tool", "pixi", "feature", "*", "pypi-dependencies"], Kind::Versions),
    (&["tool", "pixi", "dependencies"], Kind::Conda),
    (&["tool", "pixi", "feature", "*", "dependencies"], Kind::Conda),
    (&["pypi-dependencies"], Kind::Versions),
    (&["feature", "*", "pypi-dependencies"], Kind::Versions),
    (&["dev-packages"], Kind::Versions),
];

/// Where the versions of Python stand.
const PYTHON: [&[&str]; 7] = [
    &["project", "requires-python"],
    &["requires-python"],
    &["tool", "poetry", "dependencies", "python"],
    &["tool", "pixi", "dependencies", "python"],
    &["dependencies", "python"],
    &["requires", "python_version"],
    &["requires", "python_full_version"],
];

/// Reads a file; what is wrong with it if it does not parse.
pub(super) fn read(text: &str, is_pixi: bool) -> Result<Manifest, String> {
    read_part(text, text, is_pixi)
}

/// Reads `toml`, which has its bytes where `text` has them; `text` says how the lines look.
pub(super) fn read_part(text: &str, toml: &str, is_pixi: bool) -> Result<Manifest, String> {
    let root = DeTable::parse(toml).map_err(|error| error.message().to_owned())?;
    let root = DeValue::Table(root.into_inner());
    let mut manifest = Manifest::default();
    for (path, kind) in PLACES {
        let kind = if is_pixi && path == ["dependencies"] { Kind::Conda } else { kind };
        for (value, _) in find(&root, path) {
            manifest.lists.push(List { entries: entries(text, value, kind) });
        }
    }
    manifest.python = PYTHON.iter().flat_map(|path| find(&root, path)).find_map(|(_, spanned)| {
        let spanned = spanned?;
        Some((range(spanned.span()), spanned.get_ref().as_str()?.to_owned()))
    });
    Ok(manifest)
}

type Found<'a, 'i> = (&'a DeValue<'i>, Option<&'a Spanned<DeValue<'i>>>);

/// The values at a path.
fn find<'a, 'i>(root: &'a DeValue<'i>, path: &[&str]) -> Vec<Found<'a, 'i>> {
    let mut values: Vec<Found<'a, 'i>> = vec![(root, None)];
    for part in path {
        values = values
            .into_iter()
            .filter_map(|(value, _)| value.as_table())
            .flat_map(|table| table.iter().filter(|(key, _)| *part == "*" || key.get_ref().as_ref() == *part))
            .map(|(_, value)| (value.get_ref(), Some(value)))
            .collect();
    }
    values
}

fn entries(text: &str, value: &DeValue<'_>, kind: Kind) -> Vec<Entry> {
    match (kind, value) {
        (Kind::Strings | Kind::Names, DeValue::Array(array)) => {
            let elements: Vec<(TextRange, Option<&str>)> =
                array.iter().map(|element| (range(element.span()), element.get_ref().as_str())).collect();
            from_array(text, &elements, kind)
        }
        (Kind::Versions | Kind::Conda, DeValue::Table(table)) => {
            table.iter().map(|(key, value)| keyed(text, key, value, kind)).collect()
        }
        _ => Vec::new(),
    }
}

fn from_array(text: &str, elements: &[(TextRange, Option<&str>)], kind: Kind) -> Vec<Entry> {
    let ranges: Vec<TextRange> = elements.iter().map(|(range, _)| *range).collect();
    let strings = elements.iter().enumerate().filter_map(|(index, (range, value))| {
        let quoted = &text[*range];
        // A string over several lines, or one with escapes, is not what people write here.
        let is_plain = value.is_some_and(|value| quoted.len() == value.len() + 2);
        let inside =
            if is_plain { TextRange::new(range.start() + QUOTE, range.end() - QUOTE) } else { *range };
        let mut entry = Entry::plain((*value)?, inside);
        entry.form = match kind {
            _ if !is_plain => Form::Fixed("its string is written in a special way"),
            Kind::Names => Form::Name,
            _ => Form::Plain,
        };
        entry.insertion = Some(insertion_in_list(text, &ranges, index));
        entry.removal = removal_in_list(text, &ranges, index);
        Some(entry)
    });
    strings.collect()
}

/// The size of a quote.
const QUOTE: TextSize = TextSize::new(1);

fn keyed(
    text: &str,
    key: &Spanned<toml::de::DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
    kind: Kind,
) -> Entry {
    let (key_range, value_range) = (range(key.span()), range(value.span()));
    let form = match value.get_ref() {
        _ if kind == Kind::Conda => Form::Fixed("it comes from conda, and flyte is published on PyPI"),
        DeValue::String(_) => Form::Keyed { key: key_range, version: value_range, is_table: false },
        DeValue::Table(table) => form_of_table(text, key_range, value_range, table),
        _ => Form::Fixed("it has several versions"),
    };
    let whole = TextRange::new(key_range.start(), value_range.end().max(key_range.end()));
    let is_fixed = matches!(form, Form::Fixed(_));
    Entry {
        name: distribution_name(key.get_ref()),
        text: key.get_ref().to_string(),
        range: key_range,
        form,
        insertion: Insertion::line(text, key_range, "", "").filter(|_| !is_fixed),
        removal: remove_line(text, whole).filter(|_| !is_fixed).map(|edit| vec![edit]),
    }
}

/// `{ version = "^1.10", optional = true }`
fn form_of_table(text: &str, key: TextRange, value: TextRange, table: &DeTable<'_>) -> Form {
    if !text[value].starts_with('{') {
        return Form::Fixed("it is a table of its own");
    }
    if table.keys().any(|key| matches!(key.get_ref().as_ref(), "git" | "path" | "url" | "extras")) {
        return Form::Fixed("it has a source of its own, or extras");
    }
    let version = table.iter().find(|(key, _)| key.get_ref() == "version").map(|(_, version)| version);
    match version {
        Some(version) if version.get_ref().is_str() => {
            Form::Keyed { key, version: range(version.span()), is_table: true }
        }
        _ => Form::Fixed("it names no version"),
    }
}
