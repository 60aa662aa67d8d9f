//! Requirements in Python: `setup(install_requires=[…])`, and the header of a script (PEP 723).
//!
//! ```python
//! # /// script
//! # dependencies = ["flytekit>=1.10"]
//! # ///
//! ```

use super::layout::{insertion_in_list, removal_in_list};
use super::manifest::{List, Manifest};
use super::requirement::{Entry, Form};
use super::toml_file;
use crate::flyte1::file::FileFacts;
use crate::python::scope::BindingKind;
use crate::python::value::{Value, ValueKind};
use crate::source::{TextRange, TextSize};

/// The keywords of `setup` that list requirements.
const LISTS: [&str; 3] = ["install_requires", "setup_requires", "tests_require"];

/// Reads the calls of `setup` in a `setup.py`.
pub(super) fn read_setup(text: &str, facts: &FileFacts) -> Manifest {
    let mut manifest = Manifest::default();
    let is_setup = |callee: &str| callee == "setup" || callee.ends_with(".setup");
    for call in facts.module.calls.iter().filter(|call| is_setup(&text[call.callee])) {
        for argument in &call.arguments {
            let Some(name) = argument.name.as_deref() else { continue };
            let value = named(facts, &argument.value);
            if LISTS.contains(&name) {
                manifest.lists.push(List { entries: entries(text, facts, value) });
            } else if name == "extras_require"
                && let ValueKind::Dict(items) = &value.kind
            {
                let lists = items.iter().map(|(_, value)| List { entries: entries(text, facts, value) });
                manifest.lists.extend(lists);
            } else if name == "python_requires"
                && let Some(python) = value.as_str()
            {
                manifest.python = Some((value.range, python.to_owned()));
            }
        }
    }
    manifest
}

/// The value that a name at the top level certainly has, or the value itself.
fn named<'a>(facts: &'a FileFacts, value: &'a Value) -> &'a Value {
    let ValueKind::Name(name) = &value.kind else { return value };
    match facts.module.visible(name, value.range.start())[..] {
        [binding] => match &facts.module.bindings[binding].kind {
            BindingKind::Assignment { value, .. } => value,
            _ => value,
        },
        _ => value,
    }
}

/// The requirements in a value; a sum of lists is read part by part.
fn entries(text: &str, facts: &FileFacts, value: &Value) -> Vec<Entry> {
    let value = named(facts, value);
    if let ValueKind::Concat(left, right) = &value.kind {
        return [left, right].into_iter().flat_map(|part| entries(text, facts, part)).collect();
    }
    if let Some(text) = value.as_str() {
        let form = Form::Fixed("it is no plain string in a list");
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        return lines.map(|line| Entry { form: form.clone(), ..Entry::plain(line, value.range) }).collect();
    }
    let elements = value.elements().unwrap_or_default();
    let ranges: Vec<TextRange> = elements.iter().map(|element| element.range).collect();
    let entries = elements.iter().enumerate().filter_map(|(index, element)| {
        let Some(requirement) = element.as_str() else { return computed(text, element) };
        let is_plain = text[element.range].len() == requirement.len() + 2;
        if !is_plain || !matches!(value.kind, ValueKind::List(_)) {
            let form = Form::Fixed("it is no plain string in a list");
            return Some(Entry { form, ..Entry::plain(requirement, element.range) });
        }
        let one = TextSize::new(1);
        let inside = TextRange::new(element.range.start() + one, element.range.end() - one);
        Some(Entry {
            insertion: Some(insertion_in_list(text, &ranges, index)),
            removal: removal_in_list(text, &ranges, index),
            ..Entry::plain(requirement, inside)
        })
    });
    entries.collect()
}

/// `"flytekit==" + VERSION`, `f"flytekit=={VERSION}"`
fn computed(text: &str, element: &Value) -> Option<Entry> {
    let written = &text[element.range];
    let (_, requirement) = written.split_once(['"', '\''])?;
    let entry = Entry::plain(requirement, element.range);
    let form = Form::Fixed("it is computed");
    entry.name.starts_with("flytekit").then(|| Entry { form, text: written.to_owned(), ..entry })
}

/// Reads the header of a script, if there is one.
pub(super) fn read_header(text: &str) -> Option<Manifest> {
    if !text.contains("# /// script") {
        return None;
    }
    let mut toml = String::with_capacity(text.len());
    let mut is_inside = false;
    let mut is_closed = false;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let is_mark = content == "# /// script" || (is_inside && content == "# ///");
        if !is_inside || is_mark || is_closed || !content.starts_with('#') {
            // Blanks, so that every byte of the header stays where it is.
            is_closed |= is_inside && is_mark;
            is_inside |= is_mark;
            toml.push_str(&blank(line));
        } else {
            toml.push(' ');
            toml.push_str(&line[1..]);
        }
    }
    is_closed.then(|| toml_file::read_part(text, &toml, false).ok())?
}

/// White space of the same length, line endings kept.
fn blank(line: &str) -> String {
    let content = line.trim_end_matches(['\r', '\n']);
    format!("{}{}", " ".repeat(content.len()), &line[content.len()..])
}
