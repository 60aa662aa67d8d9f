//! Lists of packages in YAML: environments of conda, and what hooks of pre-commit need.
//!
//! ```yaml
//! dependencies:                       additional_dependencies:
//!   - pip:                              - flytekit>=1.10
//!     - flytekit>=1.10
//! ```

use super::layout::{Insertion, range, remove_line};
use super::manifest::{List, Manifest};
use super::requirement::{Entry, Form};
use crate::source::TextRange;

const FROM_CONDA: Form = Form::Fixed("it comes from conda, and flyte is published on PyPI");

const IN_BRACKETS: Form = Form::Fixed("it stands in a list between brackets");

/// Reads the lists, one line for each item, and those in brackets.
pub(super) fn read(text: &str) -> Manifest {
    let mut manifest = Manifest::default();
    // The keys above the current line, with their indentation.
    let mut keys: Vec<(usize, &str)> = Vec::new();
    let mut lists: Vec<(String, List)> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        let indent = line.len() - line.trim_start().len();
        let is_item = content.starts_with("- ");
        // An item may stand below its key without indentation.
        keys.retain(|(above, _)| *above < indent || (is_item && *above == indent));
        if let Some(list) = list_in_brackets(text, start, line) {
            lists.push((String::new(), list));
        } else if let Some(key) = content.strip_suffix(':') {
            keys.retain(|(above, _)| *above < indent);
            keys.push((indent, key.trim_start_matches("- ")));
        } else if is_item && let Some((_, key)) = keys.last() {
            let form = match *key {
                "pip" | "additional_dependencies" => Some(Form::Plain),
                "dependencies" => Some(FROM_CONDA),
                _ => None,
            };
            let path = keys.iter().map(|(_, key)| *key).collect::<Vec<_>>().join(".");
            if let Some(entry) = form.and_then(|form| entry(text, start..start + line.len(), form)) {
                match lists.iter_mut().find(|(known, _)| *known == path) {
                    Some((_, list)) => list.entries.push(entry),
                    None => lists.push((path, List { entries: vec![entry] })),
                }
            }
        }
        start += line.len();
    }
    manifest.lists = lists.into_iter().map(|(_, list)| list).collect();
    manifest.python = python(&manifest);
    manifest
}

/// The versions of Python that an environment of conda allows: `=3.9` of `python=3.9`.
fn python(manifest: &Manifest) -> Option<(TextRange, String)> {
    let mut entries = manifest.lists.iter().flat_map(|list| &list.entries);
    let python = entries.find(|entry| entry.name == "python" && entry.form == FROM_CONDA)?;
    Some((python.range, python.text.strip_prefix("python")?.trim().to_owned()))
}

/// `pip: [flytekit, "pandas"]`, also over several lines; none of its items is edited.
fn list_in_brackets(text: &str, start: usize, line: &str) -> Option<List> {
    let (key, rest) = line.split_once(':')?;
    let key = key.trim().trim_start_matches("- ").trim();
    let mut form = match key {
        "pip" | "additional_dependencies" => IN_BRACKETS,
        "dependencies" => FROM_CONDA,
        _ => return None,
    };
    rest.trim_start().starts_with('[').then_some(())?;
    let open = start + line.find('[')?;
    let mut depth = 0;
    let is_end = |c: char| {
        depth += i32::from(c == '[') - i32::from(c == ']');
        depth == 0
    };
    let end = open + text[open..].find(is_end)?;
    let mut at = open + 1;
    let mut entries = Vec::new();
    for piece in text[at..end].split_inclusive(',') {
        // `dependencies: [python, pip: [flytekit]]`
        let inner = piece.split_once(": [").map(|(_, inner)| inner);
        if inner.is_some() {
            form = IN_BRACKETS;
        }
        let item = inner.unwrap_or(piece);
        let is_outside = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',');
        let item = item.trim_matches(is_outside);
        let item = if item.contains('[') { item } else { item.trim_end_matches(']') };
        let from = at + piece.find(item).unwrap_or_default();
        if !item.is_empty() {
            let entry = Entry::plain(without_channel(item), range(from..from + item.len()));
            entries.push(Entry { form: form.clone(), ..entry });
        }
        at += piece.len();
    }
    Some(List { entries })
}

/// `flytekit` of `conda-forge::flytekit`.
fn without_channel(item: &str) -> &str {
    item.rsplit_once("::").map_or(item, |(_, package)| package)
}

/// `  - "flytekit>=1.10"  # why`
fn entry(text: &str, line: std::ops::Range<usize>, form: Form) -> Option<Entry> {
    let whole = &text[line.clone()];
    let dash = whole.find("- ")?;
    let item = whole[dash + 2..].trim_start();
    let at = line.start + whole.len() - item.len();
    let (at, length) = match item.chars().next()? {
        quote @ ('"' | '\'') => (at + 1, item[1..].find(quote)?),
        _ => (at, item.find(" #").unwrap_or(item.len())),
    };
    let written = text[at..at + length].trim_end();
    let place = range(at..at + written.len());
    let quote = usize::from(text[..at].ends_with(['"', '\'']));
    let removal = range(line.start + dash..at + written.len() + quote);
    Some(Entry {
        form,
        insertion: Some(Insertion::item(text, place)),
        removal: remove_line(text, removal).map(|edit| vec![edit]),
        ..Entry::plain(without_channel(written), place)
    })
}
