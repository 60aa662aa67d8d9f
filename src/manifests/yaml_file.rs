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

/// Reads the lists, one line for each item.
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
        if let Some(key) = content.strip_suffix(':') {
            keys.retain(|(above, _)| *above < indent);
            keys.push((indent, key.trim_start_matches("- ")));
        } else if is_item && let Some((_, key)) = keys.last() {
            let form = match *key {
                "pip" | "additional_dependencies" => Some(Form::Plain),
                "dependencies" => Some(Form::Fixed("it comes from conda, and flyte is published on PyPI")),
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
    manifest
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
        ..Entry::plain(written, place)
    })
}
