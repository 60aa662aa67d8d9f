//! flytekit's `ContainerTask` becomes that of `flyte.extras`.
//!
//! ```python
//! area = ContainerTask(name="area", image="acme/area:1", inputs=kwtypes(a=float), requests=SMALL, …)
//! area = flyte.extras.ContainerTask(name="area", image="acme/area:1", inputs={"a": float}, resources=SMALL, …)
//! area_env = flyte.TaskEnvironment.from_task("flow_area", area)
//! ```
//!
//! # FM226
//!
//! ## What it does
//!
//! Turns a `ContainerTask` into one of `flyte.extras`, with an environment of its own. Workflows that call it become `async`
//! and await it, and their environments depend on its own.
//!
//! ## Why
//!
//! A container task of Flyte 2 is a coroutine: a plain call of it would run nothing. Settings such as `requests`, and those
//! inside `TaskMetadata`, are keywords of the task itself.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ContainerTask, Resources, kwtypes, workflow
//!
//! area = ContainerTask(
//!     name="area",
//!     image="ghcr.io/acme/area:1",
//!     input_data_dir="/var/inputs",
//!     output_data_dir="/var/outputs",
//!     inputs=kwtypes(a=float),
//!     outputs=kwtypes(area=float),
//!     command=["python", "area.py", "{{.inputs.a}}", "/var/outputs"],
//!     requests=Resources(cpu="1"),
//! )
//!
//!
//! @workflow
//! def main(a: float) -> float:
//!     return area(a=a)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte.extras
//! from flyte import Resources, TaskEnvironment
//!
//! area = flyte.extras.ContainerTask(
//!     name="area",
//!     image="ghcr.io/acme/area:1",
//!     input_data_dir="/var/inputs",
//!     output_data_dir="/var/outputs",
//!     inputs={"a": float},
//!     outputs={"area": float},
//!     command=["python", "area.py", "{{.inputs.a}}", "/var/outputs"],
//!     resources=Resources(cpu="1"),
//! )
//! area_env = TaskEnvironment.from_task("example_area", area)
//!
//! env = TaskEnvironment(name="example", depends_on=[area_env])
//!
//!
//! @env.task
//! async def main(a: float) -> float:
//!     return await area(a=a)
//! ```
//!
//! ## Fix safety
//!
//! Unsafe. What hands inputs and outputs over is a part of the backend; run the task once.
//!
//! ## Not handled
//!
//! Keywords without a counterpart, such as `io_strategy` (FM279). `with_overrides`: `override` fails for a container task in
//! flyte 2.12.1.
//!
//! ## References
//!
//! `flytekit/core/container_task.py` of flytekit 1.16.31; `flyte/extras/_container.py` of flyte 2.12.1.

use super::codes::{CONTAINER_TASK, OTHER_TASK};
use super::setting::{Effects, SettingContext, nested};
use super::task::{self, SettingText};
use super::{Effect, Finding};
use crate::flyte1::symbol::Symbol;
use crate::flyte2::chain::{Argument, Call as CallText};
use crate::python::items::Item;
use crate::python::scope::{self, Call, Module};
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// The parameters of Flyte 1 in order.
const PARAMETERS: [&str; 18] = [
    "name",
    "image",
    "command",
    "inputs",
    "metadata",
    "arguments",
    "outputs",
    "requests",
    "limits",
    "input_data_dir",
    "output_data_dir",
    "metadata_format",
    "io_strategy",
    "secret_requests",
    "pod_template",
    "pod_template_name",
    "local_logs",
    "resources",
];

/// The fields of `TaskMetadata` that are keywords of the task on Flyte 2.
const METADATA: [&str; 7] = [
    "cache",
    "cache_serialize",
    "cache_version",
    "cache_ignore_input_vars",
    "interruptible",
    "retries",
    "timeout",
];

/// What is written of other modules.
pub struct Names<'a> {
    /// `ContainerTask` of Flyte 2.
    pub container_task: &'a str,
    /// `File` of `flyte.io`.
    pub file: &'a str,
    /// `Dir` of `flyte.io`.
    pub dir: &'a str,
}

/// A mapped container task.
#[derive(Debug, Default)]
pub struct MappedContainer {
    /// The call.
    pub call: CallText,
    /// Whether `File` is written.
    pub uses_file: bool,
    /// Whether `Dir` is written.
    pub uses_dir: bool,
    /// What else is asked for: names, imports, findings.
    pub effects: Effects,
}

/// The argument for a parameter, by keyword or by place.
pub fn argument<'c>(call: &'c Call, parameter: &str) -> Option<&'c scope::Argument> {
    let mut fields = call.fields(&PARAMETERS);
    fields.find(|(name, ..)| *name == Some(parameter)).map(|(_, argument, _)| argument)
}

/// The names and the places of the types that `inputs` or `outputs` of a container task has; `None` if they cannot be read.
pub fn types(module: &Module, call: &Call, parameter: &str) -> Option<Vec<(String, TextRange)>> {
    argument(call, parameter).map_or_else(|| Some(Vec::new()), |argument| read_types(module, &argument.value))
}

fn read_types(module: &Module, value: &Value) -> Option<Vec<(String, TextRange)>> {
    match &value.kind {
        ValueKind::None => Some(Vec::new()),
        ValueKind::Dict(items) => {
            let entry = |(key, value): &(Option<Value>, Value)| {
                Some((key.as_ref()?.as_str()?.to_owned(), value.range))
            };
            items.iter().map(entry).collect()
        }
        ValueKind::Call => {
            let made = module.calls.iter().find(|made| made.range == value.range)?;
            let entry = |argument: &scope::Argument| Some((argument.name.clone()?, argument.value.range));
            made.arguments.iter().map(entry).collect()
        }
        _ => None,
    }
}

/// Maps the call of `ContainerTask`, which `variable` holds.
pub fn map(cx: &SettingContext<'_>, call: &Call, variable: &str, names: &Names<'_>) -> MappedContainer {
    let mut mapped = MappedContainer::default();
    mapped.effects.consumed.push(call.callee);
    names.container_task.clone_into(&mut mapped.call.callee);
    mapped.call.is_exploded = call.items.is_multiline && call.items.has_trailing_comma;
    let mut given: Vec<(String, Value, Item)> = Vec::new();
    for (name, argument, item) in call.fields(&PARAMETERS) {
        let Some(name) = name else {
            let message = format!("`{}` hides what container task `{variable}` is given", item.text);
            refuse(&mut mapped, item.range, message, "Write the keywords out");
            continue;
        };
        parameter(cx, &mut mapped, &mut given, (name, &argument.value, item), names);
    }
    settings(cx, &mut mapped, &given, call.range);
    mapped.call.dangling.extend(call.items.dangling.iter().cloned());
    refuse_rest(cx, &mut mapped, call, variable);
    if mapped.effects.findings.iter().all(|finding| finding.effect != Effect::Blocking) {
        mapped.effects.findings.extend(warnings(call, variable));
    }
    mapped
}

/// One argument: its parameter, its value, and its text.
fn parameter(
    cx: &SettingContext<'_>,
    mapped: &mut MappedContainer,
    given: &mut Vec<(String, Value, Item)>,
    (name, value, item): (&str, &Value, &Item),
    names: &Names<'_>,
) {
    match name {
        "name" | "image" | "command" | "local_logs" => keep(mapped, name, item, &item.value_text),
        _ if value.kind == ValueKind::None => drop_argument(mapped, item),
        "arguments" | "input_data_dir" | "output_data_dir" => keep(mapped, name, item, &item.value_text),
        "inputs" | "outputs" => fields(cx, mapped, (name, value, item), names),
        "metadata_format" => match metadata_format(cx, value) {
            Some(format) => {
                mapped.effects.consumed.push(value.range);
                keep(mapped, name, item, &cx.style.string(format));
            }
            None => refuse(
                mapped,
                value.range,
                "`metadata_format` cannot be read".to_owned(),
                "Write `ContainerTask.MetadataFormat.JSON`, `YAML` or `PROTO`",
            ),
        },
        "metadata" => metadata(cx, mapped, given, value, item),
        "requests" | "limits" | "resources" | "secret_requests" | "pod_template" | "pod_template_name"
        | "environment" | "docs" => given.push((name.to_owned(), value.clone(), item.clone())),
        _ => refuse(
            mapped,
            item.range,
            format!("`{name}` of `ContainerTask` has no counterpart in that of Flyte 2"),
            "Remove the keyword, or migrate this task by hand",
        ),
    }
}

fn keep(mapped: &mut MappedContainer, name: &str, item: &Item, text: &str) {
    let mut leading = std::mem::take(&mut mapped.call.dangling);
    leading.extend(item.leading.iter().cloned());
    let text = format!("{name}={text}");
    mapped.call.arguments.push(Argument { leading, text, trailing: item.trailing.clone() });
}

/// The comments of an argument that goes stay where it stood.
fn drop_argument(mapped: &mut MappedContainer, item: &Item) {
    mapped.call.dangling.extend(item.leading.iter().chain(&item.trailing).cloned());
}

fn refuse(mapped: &mut MappedContainer, range: TextRange, message: String, help: &str) {
    mapped.effects.findings.push(Finding::new(&OTHER_TASK, range, Effect::Blocking, message).help(help));
}

/// `kwtypes(a=int, b=FlyteFile)` becomes `{"a": int, "b": File}`.
fn fields(
    cx: &SettingContext<'_>,
    mapped: &mut MappedContainer,
    (name, value, item): (&str, &Value, &Item),
    names: &Names<'_>,
) {
    let made = cx.module.calls.iter().find(|call| call.range == value.range);
    let is_read =
        made.is_none_or(|made| (cx.symbol)(made.callee).is_some_and(|symbol| is(&symbol, "kwtypes")));
    let entries = is_read.then(|| read_types(cx.module, value)).flatten();
    let Some(entries) = entries else {
        let message = format!("`{name}` of `ContainerTask` cannot be read");
        refuse(mapped, value.range, message, "Write `kwtypes(…)` or a dict with the types here");
        return;
    };
    let types: Vec<(TextRange, String)> =
        entries.iter().map(|(_, range)| (*range, type_text(cx, mapped, *range, names))).collect();
    let text = match made {
        Some(made) => {
            mapped.effects.consumed.push(made.callee);
            mapped.call.dangling.extend(made.items.comments());
            let pairs = entries.iter().zip(&types);
            let pairs = pairs.map(|((field, _), (_, text))| format!("{}: {text}", cx.style.string(field)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        None => item.replaced(cx.text, &types)[item.text.len() - item.value_text.len()..].to_owned(),
    };
    keep(mapped, name, item, &text);
}

/// The text of a type, with that of Flyte 1 replaced.
fn type_text(
    cx: &SettingContext<'_>,
    mapped: &mut MappedContainer,
    range: TextRange,
    names: &Names<'_>,
) -> String {
    let (text, uses) = match (cx.symbol)(range) {
        Some(Symbol::Other(path)) if path == "flytekit.types.file.FlyteFile" => {
            (names.file, &mut mapped.uses_file)
        }
        Some(Symbol::Other(path)) if path == "flytekit.types.directory.FlyteDirectory" => {
            (names.dir, &mut mapped.uses_dir)
        }
        _ => return cx.text[range].to_owned(),
    };
    *uses = true;
    mapped.effects.consumed.push(range);
    text.to_owned()
}

/// `ContainerTask.MetadataFormat.JSON`
fn metadata_format(cx: &SettingContext<'_>, value: &Value) -> Option<&'static str> {
    let symbol = (cx.symbol)(value.range)?;
    ["JSON", "YAML", "PROTO"]
        .into_iter()
        .find(|format| is(&symbol, &format!("ContainerTask.MetadataFormat.{format}")))
}

fn is(symbol: &Symbol, name: &str) -> bool {
    matches!(symbol, Symbol::Other(path) if path.strip_prefix("flytekit.") == Some(name))
}

/// The fields of `TaskMetadata(…)` are keywords of the task.
fn metadata(
    cx: &SettingContext<'_>,
    mapped: &mut MappedContainer,
    given: &mut Vec<(String, Value, Item)>,
    value: &Value,
    item: &Item,
) {
    let made = cx.module.calls.iter().find(|call| call.range == value.range);
    let Some(made) =
        made.filter(|made| (cx.symbol)(made.callee).is_some_and(|symbol| is(&symbol, "TaskMetadata")))
    else {
        let message =
            "`metadata` of `ContainerTask` is no `TaskMetadata(…)` that can be read here".to_owned();
        refuse(mapped, value.range, message, "Write `TaskMetadata(…)` into the call");
        return;
    };
    mapped.effects.consumed.push(made.callee);
    drop_argument(mapped, item);
    mapped.call.dangling.extend(made.items.dangling.iter().cloned());
    for (argument, item) in made.arguments.iter().zip(&made.items.items) {
        match argument.name.as_deref() {
            Some(_) if argument.value.kind == ValueKind::None => drop_argument(mapped, item),
            Some(name) if METADATA.contains(&name) => {
                given.push((name.to_owned(), argument.value.clone(), item.clone()));
            }
            name => {
                let name = name.unwrap_or(&item.text);
                let message =
                    format!("`{name}` of `TaskMetadata` has no counterpart in a container task of Flyte 2");
                refuse(mapped, item.range, message, "Remove it, or migrate this task by hand");
            }
        }
    }
}

/// Resources, secrets and the like, by the rules of tasks.
fn settings(
    cx: &SettingContext<'_>,
    mapped: &mut MappedContainer,
    given: &[(String, Value, Item)],
    range: TextRange,
) {
    let own = task::map_keywords(cx, given, range);
    mapped.call.dangling.extend(own.dangling);
    mapped.call.arguments.extend(own.arguments);
    for setting in own.settings {
        let text = match setting.value {
            SettingText::Call(call) => nested(cx, setting.name, call),
            SettingText::Text(text) => text,
        };
        mapped.call.arguments.push(Argument::new(format!("{}={text}", setting.name)));
    }
    mapped.effects.consumed.extend(own.effects.consumed);
    mapped.effects.uses.extend(own.effects.uses);
    mapped.effects.imports.extend(own.effects.imports);
    mapped.effects.findings.extend(own.effects.findings);
}

/// What else of Flyte 1 is written in the call.
fn refuse_rest(cx: &SettingContext<'_>, mapped: &mut MappedContainer, call: &Call, variable: &str) {
    let is_refused = |range: TextRange, effects: &Effects| {
        effects.findings.iter().any(|finding| finding.range.contains_range(range))
    };
    let references = cx.module.references_of(call.owner).iter().map(|reference| reference.range);
    for range in references.filter(|range| call.range.contains_range(*range)) {
        let Some(symbol) = (cx.symbol)(range) else { continue };
        if mapped.effects.consumed.contains(&range) || is_refused(range, &mapped.effects) {
            continue;
        }
        let message = format!("`{}` of Flyte 1 is used by container task `{variable}`", symbol.name());
        refuse(mapped, range, message, "Replace it by its Flyte 2 counterpart by hand");
    }
}

/// What only a run shows. Without inputs, outputs and secrets nothing is handed over.
fn warnings(call: &Call, variable: &str) -> Vec<Finding> {
    let is_given =
        |name: &str| argument(call, name).is_some_and(|argument| argument.value.kind != ValueKind::None);
    let ways =
        [("inputs", "input_data_dir", "`/var/inputs`"), ("outputs", "output_data_dir", "`/var/outputs`")];
    let used: Vec<_> = ways.into_iter().filter(|(fields, ..)| is_given(fields)).collect();
    let unnamed: Vec<&str> =
        used.iter().filter(|(_, folder, _)| !is_given(folder)).map(|(.., usual)| *usual).collect();
    let mut findings = Vec::new();
    let mut warn = |message: String, help: &str| {
        findings.push(Finding::new(&CONTAINER_TASK, call.callee, Effect::Unsafe, message).help(help));
    };
    if !unnamed.is_empty() {
        warn(
            format!(
                "container task `{variable}` leaves its folders to the backend, and on Flyte 2 they are {}",
                unnamed.join(" and ")
            ),
            "Name the folders that the command reads and writes with `input_data_dir` and `output_data_dir`",
        );
    } else if !used.is_empty() {
        warn(
            format!(
                "inputs and outputs of container task `{variable}` are handed over by the Flyte 2 backend"
            ),
            "Run it once on Flyte 2 before others rely on it",
        );
    }
    if is_given("secret_requests") {
        warn(
            format!(
                "the command of container task `{variable}` finds its secrets in other variables than on Flyte 1"
            ),
            "Read the variables that `as_env_var` of the secrets names, or name there those that the command reads",
        );
    }
    findings
}
