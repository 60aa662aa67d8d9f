//! What `--write-config` adds to the Flyte 2 configuration of the project: the builder that its images had.
//!
//! ```yaml
//! image:
//!   builder: remote
//! ```
//!
//! # FM325
//!
//! ## What it does
//!
//! With `--write-config`, adds `image.builder` to the Flyte 2 configuration of the project, where images that are
//! migrated name a builder.
//!
//! ## Why
//!
//! On Flyte 2 the builder is a setting of the configuration, not of an image. Without it the SDK builds on the machine
//! of whoever deploys.
//!
//! ## Example
//!
//! With `--write-config`:
//!
//! ```python
//! # train.py
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(builder="union", packages=["pandas"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ```yaml
//! # config.yaml
//! admin:
//!   endpoint: dns:///flyte.example.com
//! task:
//!   project: train
//!   domain: development
//! ```
//!
//! ## Use instead
//!
//! ```python
//! # train.py
//! from flyte import Image, TaskEnvironment
//!
//! image = Image.from_debian_base().with_pip_packages("pandas")
//!
//! env = TaskEnvironment(name="train", image=image)
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ```yaml
//! # config.yaml
//! admin:
//!   endpoint: dns:///flyte.example.com
//! task:
//!   project: train
//!   domain: development
//! image:
//!   builder: remote
//! ```
//!
//! ## Fix safety
//!
//! Safe. Lines are added and none is changed; another builder that is there already stays, as a finding.
//!
//! ## Not handled
//!
//! Configurations outside the project, such as `~/.flyte/config.yaml`, a project without one, and a `config.yaml` that
//! is not Flyte's: the finding has the lines to add. Images of both builders, because the configuration has one.
//!
//! ## References
//!
//! `flyte/config/_config.py` of flyte 2.12.1.

use std::collections::{BTreeMap, BTreeSet};

use yaml_serde::{Mapping, Value as Yaml};

use crate::diagnostic::{Diagnostic, Severity, Status};
use crate::edit::{Applicability, Edit, Fix, apply};
use crate::project::plan::{Plan, constant};
use crate::project::{Content, FileId, Project};
use crate::python::value::ValueKind;
use crate::rules::builder::builder_of;
use crate::rules::codes::BUILDER_CONFIGURATION;
use crate::source::{TextRange, TextSize};

/// Where the SDK looks first, from the root of the project.
const PLACES: [&str; 2] = ["config.yaml", ".flyte/config.yaml"];

/// The keys of which a configuration of Flyte has one at least.
const KEYS: [&str; 3] = ["admin", "task", "image"];

/// Whether a file, by its path from the root of the project, is where the SDK looks for its configuration.
pub fn is_configuration(relative: &str) -> bool {
    PLACES.contains(&relative)
}

/// The builders that images name which are converted, by the file of the image.
pub fn builders(project: &Project, plan: &Plan) -> BTreeMap<FileId, BTreeSet<&'static str>> {
    let mut builders: BTreeMap<FileId, BTreeSet<&'static str>> = BTreeMap::new();
    for (file, facts) in project.parsed() {
        for node in plan.converted_in(file) {
            let Some(image) = plan.graph.image(node).filter(|image| !image.is_derived) else { continue };
            let call = &facts.module.calls[image.call];
            let third = call.arguments.get(2).filter(|argument| argument.name.is_none());
            let Some(argument) = call.keyword("builder").or(third) else { continue };
            let named = match &argument.value.kind {
                ValueKind::Name(name) => constant(project, file, name, call.range.start()),
                _ => None,
            };
            let builder = named.as_ref().unwrap_or(&argument.value).as_str().and_then(builder_of);
            builders.entry(file).or_default().extend(builder);
        }
    }
    builders.retain(|_, builders| !builders.is_empty());
    builders
}

/// The configuration of the project, if it has one.
fn configuration(project: &Project) -> Option<FileId> {
    PLACES.iter().find_map(|place| project.files.iter().position(|file| file.relative == *place))
}

/// What is to be done in `file`, whose text is `text`, if it is the configuration and images want a builder.
pub fn map(
    project: &Project,
    file: FileId,
    text: &str,
    builders: &BTreeSet<&'static str>,
) -> Option<Diagnostic> {
    let is_readable = matches!(project.files[file].content, Content::Text(_));
    let builder = *builders.first()?;
    if configuration(project) != Some(file) || !is_readable {
        return None;
    }
    if builders.len() > 1 {
        let message = "images of the code had a local and a remote builder, and the configuration holds one";
        return Some(by_hand(text, message.to_owned(), "Choose one as `image.builder`".to_owned()));
    }
    let lines = format!("Add `image:` and below it `  builder: {builder}`");
    let Ok(yaml) = yaml_serde::from_str::<Yaml>(text) else {
        return Some(by_hand(text, "this configuration is no YAML that can be read".to_owned(), lines));
    };
    let present = yaml.get("image").and_then(|image| image.get("builder")).filter(|value| !value.is_null());
    match present.map(Yaml::as_str) {
        Some(Some(present)) if present == builder => return None,
        Some(present) => {
            let present = present.unwrap_or("something else");
            let message = format!("`image.builder` is {present}, and images of the code had a {builder} one");
            let help = format!("Write `builder: {builder}` if these images are to be built as before");
            return Some(by_hand(text, message, help));
        }
        None => {}
    }
    let is_flyte =
        project.files[file].relative != PLACES[0] || KEYS.iter().any(|key| yaml.get(key).is_some());
    let edit = addition(text, &yaml, builder).filter(|_| is_flyte);
    let Some(edit) = edit else {
        let message = format!("`image.builder: {builder}` cannot be added to this file for certain");
        return Some(by_hand(text, message, lines));
    };
    let message = format!("images of the code had a {builder} builder, which is a setting of this file");
    Some(Diagnostic {
        severity: Severity::Warning,
        status: Status::Fixable,
        fix: Some(Fix {
            title: format!("Add `image.builder: {builder}`"),
            applicability: Applicability::Safe,
            edits: vec![edit],
            creates: Vec::new(),
        }),
        ..by_hand(text, message, format!("Add `image.builder: {builder}`"))
    })
}

/// Says, of the first file with such an image, that there is no configuration among the paths of the run.
pub fn missing(
    project: &Project,
    builders: &BTreeMap<FileId, BTreeSet<&'static str>>,
) -> Option<(FileId, Diagnostic)> {
    let (&file, wanted) = builders.first_key_value()?;
    let builder = *wanted.first()?;
    let message = match configuration(project).map(|file| &project.files[file]) {
        Some(file) if file.is_selected && matches!(file.content, Content::Text(_)) => return None,
        Some(file) => format!("`{}` cannot be read, or lies outside the paths of this run", file.display),
        None => "the project has no `config.yaml` and no `.flyte/config.yaml`".to_owned(),
    };
    let help =
        format!("Add `image:` and below it `  builder: {builder}` to the Flyte 2 configuration that you use");
    let found = by_hand("", message, help);
    Some((file, Diagnostic { severity: Severity::Info, status: Status::Info, range: None, ..found }))
}

fn by_hand(text: &str, message: String, help: String) -> Diagnostic {
    let length = text.lines().next().map_or(0, str::len);
    Diagnostic {
        rule: &BUILDER_CONFIGURATION,
        severity: Severity::Warning,
        message,
        range: Some(TextRange::at(TextSize::from(0), TextSize::try_from(length).unwrap_or_default())),
        help: Some(help),
        notes: Vec::new(),
        fix: None,
        status: Status::Manual,
    }
}

/// The line to add; `None` unless the result certainly says what the text says, and the builder.
fn addition(text: &str, yaml: &Yaml, builder: &str) -> Option<Edit> {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut at = 0;
    let mut edit = None;
    let mut lines = text.split_inclusive('\n');
    for line in lines.by_ref() {
        at += line.len();
        let is_image = line.strip_prefix("image:").is_some_and(|rest| {
            let rest = rest.trim();
            rest.is_empty() || rest.starts_with('#')
        });
        if is_image {
            let next = lines.clone().find(|line| {
                let line = line.trim();
                !line.is_empty() && !line.starts_with('#')
            });
            let indent = next.map_or("", |next| &next[..next.len() - next.trim_start().len()]);
            let indent = if indent.is_empty() { "  " } else { indent };
            let start = if line.ends_with('\n') { "" } else { newline };
            edit = Some((at, format!("{start}{indent}builder: {builder}{newline}")));
            break;
        }
    }
    if edit.is_none() && yaml.get("image").is_none() {
        let start = if text.is_empty() || text.ends_with('\n') { "" } else { newline };
        edit = Some((text.len(), format!("{start}image:{newline}  builder: {builder}{newline}")));
    }
    let (at, content) = edit?;
    let edit = Edit::insertion(TextSize::try_from(at).ok()?, content);
    let after = apply(text, std::slice::from_ref(&edit)).ok()?;
    (yaml_serde::from_str::<Yaml>(&after).ok()? == with_builder(yaml, builder)?).then_some(edit)
}

/// What the configuration must say afterward.
fn with_builder(yaml: &Yaml, builder: &str) -> Option<Yaml> {
    let mapping = |yaml: Option<&Yaml>| match yaml {
        None | Some(Yaml::Null) => Some(Mapping::new()),
        Some(Yaml::Mapping(mapping)) => Some(mapping.clone()),
        Some(_) => None,
    };
    let mut whole = mapping(Some(yaml))?;
    let mut image = mapping(yaml.get("image"))?;
    image.insert(Yaml::from("builder"), Yaml::from(builder));
    whole.insert(Yaml::from("image"), Yaml::Mapping(image));
    Some(Yaml::Mapping(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(text: &str) -> Option<String> {
        let yaml = yaml_serde::from_str(text).unwrap();
        addition(text, &yaml, "remote").map(|edit| apply(text, &[edit]).unwrap())
    }

    #[test]
    fn the_builder_is_added_and_nothing_else_changes() {
        for (before, after) in [
            ("", "image:\n  builder: remote\n"),
            ("# ours\n", "# ours\nimage:\n  builder: remote\n"),
            ("admin:\n  endpoint: a", "admin:\n  endpoint: a\nimage:\n  builder: remote\n"),
            ("admin:\r\n  endpoint: a\r\n", "admin:\r\n  endpoint: a\r\nimage:\r\n  builder: remote\r\n"),
            ("image:\n", "image:\n  builder: remote\n"),
            ("image:", "image:\n  builder: remote\n"),
            (
                "image: # how\n    # where\n\n    registry: a # b\ntask:\n  domain: c\n",
                "image: # how\n    builder: remote\n    # where\n\n    registry: a # b\ntask:\n  domain: c\n",
            ),
            ("a: |\n  text\n", "a: |\n  text\nimage:\n  builder: remote\n"),
            ("a: |+\n  text\n\n", "a: |+\n  text\n\nimage:\n  builder: remote\n"),
        ] {
            assert_eq!(added(before).as_deref(), Some(after), "{before:?}");
        }
    }

    #[test]
    fn what_cannot_be_edited_for_certain_stays() {
        for text in [
            "{admin: {endpoint: a}}\n",
            "image: {registry: a}\n",
            "\"image\":\n  registry: a\n",
            "image: nginx\n",
            "- image\n",
            "a: \"x\n\n  image:\n\n  y\"\n...\n",
        ] {
            assert_eq!(added(text), None, "{text:?}");
        }
    }
}
