//! `env={"A": "b"}` becomes `.with_env_vars({"A": "b"})`.
//!
//! flytekit writes one `ENV` line for all, flyte one for each; values must be strings.
//!
//! # FM105
//!
//! ## What it does
//!
//! Turns the dict into `with_env_vars`; literal numbers, booleans and `None` become the strings that Flyte 1
//! wrote.
//!
//! ## Why
//!
//! Flyte 2 takes strings only: another value breaks the remote build.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(env={"THREADS": 4, "DEBUG": False})
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Image, TaskEnvironment
//!
//! image = Image.from_debian_base().with_env_vars({"THREADS": "4", "DEBUG": "False"})
//!
//! env = TaskEnvironment(name="example", image=image)
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Safe. An entry that cannot be read makes the change unsafe, and so does a value that names another key of the
//! same dict: Flyte 1 wrote one line for all, in which they did not see each other. A literal `LD_LIBRARY_PATH` gets
//! the folder that Flyte 1 put in front of it; one that cannot be read, or reads itself, is unsafe.
//!
//! ## Not handled
//!
//! A value with a space outside quotes, a quote that is not closed, or a line break: it broke the image in Flyte 1 too.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::ENV;
use super::draft::{Draft, ImageContext, LayerKind, Parameter};
use super::none::or_empty_if_needed;
use super::{Effect, Finding, flyte1_places};
use crate::flyte2::chain::Argument;
use crate::image::line::{shown, value_fault};
use crate::python::items::Item;
use crate::python::style::Style;
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// Maps `env`.
pub(super) fn map(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let resolved = flat(with_constants(&cx.literal(parameter.value), cx.constant));
    check(draft, parameter, &resolved);
    let own = with_constants(parameter.value, cx.constant);
    let libraries = libraries(cx.style, draft, parameter, &resolved);
    let text = if let Some((text, unknown)) = string_dict(cx.style, &own, parameter.item, libraries) {
        draft.findings.extend(unknown.map(opaque));
        text
    } else {
        if !all_strings(&resolved) {
            draft.find(opaque(parameter.value.range));
        }
        or_empty_if_needed(cx, parameter, "{}")
    };
    let method = parameter.method("with_env_vars", vec![Argument::new(text)]);
    draft.layer(LayerKind::Env, parameter.position, method);
}

/// What flytekit puts in front of the library path, in a line behind that of the user's variables
/// (`flytekit/image_spec/default_builder.py`, 1.16.31); flyte writes its own in front of them, and theirs replaces it.
const NVIDIA: &str = "/usr/local/nvidia/lib64";

/// The new text of a literal `LD_LIBRARY_PATH`; another one is told.
fn libraries(
    style: &Style,
    draft: &mut Draft,
    parameter: Parameter<'_>,
    resolved: &Value,
) -> Option<(TextRange, String)> {
    const KEY: &str = "LD_LIBRARY_PATH";
    let of_key = |value: &Value| -> Option<Value> {
        let ValueKind::Dict(items) = &value.kind else { return None };
        let is_key = |key: &Option<Value>| key.as_ref().is_some_and(|key| key.as_str() == Some(KEY));
        items.iter().rfind(|(key, _)| is_key(key)).map(|(_, value)| value.clone())
    };
    let value = of_key(resolved)?;
    let text = value.as_str();
    if text.is_some_and(|text| text.starts_with(NVIDIA)) {
        return None;
    }
    let own = of_key(parameter.value).filter(|own| own.as_str().is_some());
    if let (Some(text), Some(own)) = (text.filter(|text| !mentions(text, KEY) && is_plain(text)), &own) {
        return Some((own.range, style.string(&format!("{NVIDIA}:{text}"))));
    }
    let range = own.map_or(parameter.value.range, |own| own.range);
    let message =
        format!("`{KEY}`: Flyte 1 put `{NVIDIA}` in front of this value, Flyte 2 puts nothing there");
    draft.find(
        Finding::new(&ENV, range, Effect::Unsafe, message)
            .help(format!("Write `{NVIDIA}:` in front of the value, without `${KEY}` in it")),
    );
    None
}

/// Whether a value stands in a Dockerfile as it is.
fn is_plain(value: &str) -> bool {
    !value.contains(['"', '\'', '\\']) && !value.contains(char::is_whitespace)
}

fn opaque(range: TextRange) -> Finding {
    Finding::new(
        &ENV,
        range,
        Effect::Unsafe,
        "`env` holds a value that cannot be read; Flyte 2 takes strings only",
    )
    .help("Make sure that every value is a string")
}

/// A dict display whose keys and values that name a string are known to be that string, and in which `**name` is known
/// to be a dict of strings.
pub(super) fn with_constants(value: &Value, constant: &dyn Fn(&str) -> Option<Value>) -> Value {
    let ValueKind::Dict(items) = &value.kind else { return value.clone() };
    let resolved = |value: &Value| match &value.kind {
        ValueKind::Name(name) => match constant(name).map(|constant| constant.kind) {
            Some(kind @ ValueKind::Str(_)) => Value { range: value.range, kind },
            _ => value.clone(),
        },
        _ => value.clone(),
    };
    let spread = |value: &Value| match &value.kind {
        ValueKind::Name(name) => match constant(name).filter(all_strings) {
            Some(constant) => Value { range: value.range, kind: constant.kind },
            None => value.clone(),
        },
        _ => value.clone(),
    };
    let items = items.iter().map(|(key, value)| match key {
        Some(key) => (Some(resolved(key)), resolved(value)),
        None => (None, spread(value)),
    });
    Value { range: value.range, kind: ValueKind::Dict(items.collect()) }
}

/// The same dict with the items of those that `**` puts into it, which stand where their dict does.
fn flat(value: Value) -> Value {
    let ValueKind::Dict(items) = value.kind else { return value };
    let items = items.into_iter().flat_map(|(key, value)| match (key, value) {
        (None, Value { range, kind: ValueKind::Dict(inner) }) => {
            let placed = |value: Value| Value { range, kind: value.kind };
            inner.into_iter().map(|(key, value)| (key, placed(value))).collect()
        }
        item => vec![item],
    });
    Value { range: value.range, kind: ValueKind::Dict(items.collect()) }
}

fn all_strings(value: &Value) -> bool {
    match &value.kind {
        ValueKind::Dict(items) => items.iter().all(|(key, value)| {
            key.as_ref().is_some_and(|key| key.as_str().is_some()) && value.as_str().is_some()
        }),
        _ => false,
    }
}

/// Values that meant something else in Flyte 1's single `ENV` line.
fn check(draft: &mut Draft, parameter: Parameter<'_>, resolved: &Value) {
    let ValueKind::Dict(items) = &resolved.kind else {
        return;
    };
    let keys: Vec<&str> = items.iter().filter_map(|(key, _)| key.as_ref()?.as_str()).collect();
    for (own, value) in items {
        let key = own.as_ref().and_then(Value::as_str).unwrap_or_default();
        if let ValueKind::Str(text) | ValueKind::FString(text, _) = &value.kind {
            let is_own = parameter.value.range.contains_range(value.range);
            let range = if is_own { value.range } else { parameter.value.range };
            flyte1_places::check_variable(draft, range, key, text);
        }
        let Some(text) = value.as_str() else { continue };
        // `"/opt/bin:$PATH"` reads the value from before in both.
        let own = own.as_ref().and_then(Value::as_str);
        if let Some(fault) = value_fault(text) {
            let message = format!("`{}` {fault}: that broke the image in Flyte 1 too", shown(text));
            draft.find(
                Finding::new(&ENV, parameter.value.range, Effect::Blocking, message)
                    .help("Quote the value inside the string"),
            );
        }
        if let Some(key) = keys.iter().find(|key| Some(**key) != own && mentions(text, key)) {
            draft.find(
                Finding::new(
                    &ENV,
                    parameter.value.range,
                    Effect::Unsafe,
                    format!(
                        "`${key}` is set by the same `env`; Flyte 1 did not see that value, Flyte 2 does"
                    ),
                )
                .help("Write the value out"),
            );
        }
    }
}

fn mentions(value: &str, key: &str) -> bool {
    let bare = format!("${key}");
    let ends = |rest: &str| !rest.starts_with(|c: char| c == '_' || c.is_alphanumeric());
    value.contains(&format!("${{{key}"))
        || value.match_indices(&bare).any(|(at, _)| ends(&value[at + bare.len()..]))
}

/// The text of a dict display, its literals of other types quoted as Python's `str` would print them, and the first
/// value that cannot be read. `None` if `value` is no dict display. `change` is the new text of one of its values.
pub(super) fn string_dict(
    style: &Style,
    value: &Value,
    item: &Item,
    change: Option<(TextRange, String)>,
) -> Option<(String, Option<TextRange>)> {
    let ValueKind::Dict(pairs) = &value.kind else { return None };
    let mut replaced: Vec<(TextRange, String)> = change.into_iter().collect();
    let mut literals = Vec::new();
    let mut unknown = None;
    for (key, value) in pairs {
        let has_key = key.as_ref().is_some_and(|key| key.as_str().is_some());
        match &value.kind {
            ValueKind::Dict(_) if key.is_none() && all_strings(value) => {}
            _ if !has_key => unknown = unknown.or(Some(value.range)),
            ValueKind::Str(_) | ValueKind::FString(..) => {}
            ValueKind::Int(int) => literals.push((value.range, int.to_string())),
            ValueKind::Bool(true) => literals.push((value.range, "True".to_owned())),
            ValueKind::Bool(false) => literals.push((value.range, "False".to_owned())),
            ValueKind::Float(float) => literals.push((value.range, format!("{float:?}"))),
            ValueKind::None => literals.push((value.range, "None".to_owned())),
            _ => unknown = unknown.or(Some(value.range)),
        }
    }
    replaced.extend(literals.into_iter().map(|(range, literal)| (range, style.string(&literal))));
    if replaced.is_empty() {
        return Some((item.value_text.clone(), unknown));
    }
    let nested = item.nested.as_ref()?;
    // A value ends its item, so its text can be cut from the end.
    let mut text = item.value_text.clone();
    let mut from = 0;
    for nested_item in &nested.items {
        let Some(at) = text[from..].find(&nested_item.text) else { return Some((text, Some(value.range))) };
        let end = from + at + nested_item.text.len();
        let change = replaced.iter().find(|(range, _)| nested_item.range.contains_range(*range));
        from = match change {
            Some((range, quoted)) => {
                text.replace_range(end - usize::from(range.len())..end, quoted);
                end - usize::from(range.len()) + quoted.len()
            }
            None => end,
        };
    }
    Some((text, unknown))
}
