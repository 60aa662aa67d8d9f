//! `secret_requests=[Secret(...)]` becomes `secrets=[flyte.Secret(...)]` of the environment.
//!
//! A secret is in an environment variable, which is named, because code may read it: `GROUP_KEY`, as Flyte 2 calls it
//! by itself where it can.
//!
//! ```python
//! secret_requests=[Secret(group="db", key="pass-word")]
//! secrets=[Secret(group="db", key="pass-word", as_env_var="DB_PASS_WORD")]
//! ```
//!
//! # FM250
//!
//! ## What it does
//!
//! Turns `secret_requests` into `secrets` of the environment, and names the environment variable that holds each secret.
//!
//! ## Why
//!
//! Code reads a secret by the name of its variable on Flyte 2, so the name is written where it can be seen: `GROUP_KEY` in
//! capital letters, with `_` for what no variable can have.
//!
//! ## Example
//!
//! ```python
//! from flytekit import Secret, task
//!
//!
//! @task(secret_requests=[Secret(group="db", key="pass-word")])
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Secret, TaskEnvironment
//!
//! env = TaskEnvironment(
//!     name="example",
//!     secrets=[Secret(group="db", key="pass-word", as_env_var="DB_PASS_WORD")],
//! )
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Informs. A secret that was mounted as a file is mounted elsewhere: that fix is unsafe.
//!
//! ## Not handled
//!
//! `group_version`, `env_var` of a secret in a file, a secret without a key, and lists that cannot be read.
//!
//! ## References
//!
//! `flytekit/models/security.py` of flytekit 1.16.31; `flyte/_secret.py` of flyte 2.12.1.

use super::codes::TASK_SECRET;
use super::setting::{self, Effects, SettingContext, SettingKind, value_text};
use super::{Effect, Finding};
use crate::flyte1::symbol::Symbol;
use crate::flyte2::chain::{Argument, Call as CallText};
use crate::flyte2::lines::indent_code;
use crate::python::items::Item;
use crate::python::scope::Call;
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// The fields of flytekit 1.16.31's `Secret` in order (`flytekit/models/security.py`).
pub(crate) const FIELDS: [&str; 5] = ["group", "key", "group_version", "mount_requirement", "env_var"];

/// Maps `secret_requests`; `None` if there is nothing to write.
pub(super) fn map(
    cx: &SettingContext<'_>,
    value: &Value,
    item: &Item,
    effects: &mut Effects,
) -> Option<String> {
    if value.is_empty() {
        return None;
    }
    match &value.kind {
        ValueKind::List(elements) | ValueKind::Tuple(elements) => {
            elements.iter().for_each(|element| check_element(cx, element, effects));
        }
        _ if stands_for_secrets(cx, value.range) => {
            let text = value_text(cx, item, effects);
            let is_tuple = (cx.named)(value.range).iter().any(|setting| setting.is_in_tuple);
            return Some(if is_tuple { format!("list({text})") } else { text });
        }
        _ => effects.findings.push(
            Finding::new(
                &TASK_SECRET,
                value.range,
                Effect::Blocking,
                "`secret_requests` is no list that can be read",
            )
            .help("Write a list of `Secret(…)` into the decorator"),
        ),
    }
    Some(match &item.nested {
        Some(nested) if !item.text.contains('\n') => list(cx, &nested.items, effects),
        _ => as_list(&value_text(cx, item, effects)),
    })
}

/// A list that stood on one line, on one line again or with a line for each element.
fn list(cx: &SettingContext<'_>, items: &[Item], effects: &mut Effects) -> String {
    let joined = SettingContext { line_length: usize::MAX, ..*cx };
    let elements: Vec<String> = items.iter().map(|element| value_text(&joined, element, effects)).collect();
    let line = format!("[{}]", elements.join(", "));
    let unit = &cx.style.indent_unit;
    if unit.chars().count() + "secrets=,".len() + line.chars().count() <= cx.line_length {
        return line;
    }
    let narrow = SettingContext { line_length: cx.line_length.saturating_sub(unit.chars().count()), ..*cx };
    let lines: String = items
        .iter()
        .map(|element| {
            let text = value_text(&narrow, element, &mut Effects::default());
            format!("{unit}{},\n", indent_code(&text, unit))
        })
        .collect();
    format!("[\n{lines}]")
}

/// Flyte 2 refuses a tuple.
fn as_list(text: &str) -> String {
    match text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        Some(inner) => format!("[{inner}]"),
        None => text.to_owned(),
    }
}

/// Whether a name certainly stands for secrets, or a list of them.
fn stands_for_secrets(cx: &SettingContext<'_>, range: TextRange) -> bool {
    let named = (cx.named)(range);
    !named.is_empty() && named.iter().all(|setting| setting.kind == SettingKind::Secret)
}

fn check_element(cx: &SettingContext<'_>, element: &Value, effects: &mut Effects) {
    let is_secret_call = || {
        let call = cx.module.calls.iter().find(|call| call.range == element.range);
        call.is_some_and(|call| (cx.symbol)(call.callee) == Some(Symbol::Secret))
    };
    let message = match &element.kind {
        ValueKind::Call if is_secret_call() => return,
        ValueKind::Starred(inner) if stands_for_secrets(cx, inner.range) => return,
        _ if stands_for_secrets(cx, element.range) => return,
        ValueKind::Str(_) => "a secret is a string, which Flyte 1 refuses",
        _ => "a secret is no `Secret(…)` that can be read here",
    };
    effects.findings.push(
        Finding::new(&TASK_SECRET, element.range, Effect::Blocking, message)
            .help("Write `Secret(group=…, key=…)`, or the name of one that a module assigns"),
    );
}

/// Maps `Secret(…)`.
pub(super) fn map_object(cx: &SettingContext<'_>, call: &Call, effects: &mut Effects) -> Option<CallText> {
    let before = effects.findings.len();
    let mut secret = Parts::default();
    for (name, argument, item) in call.fields(&FIELDS) {
        read(cx, &mut secret, name, &argument.value, item, effects);
    }
    let is_hidden = effects.findings[before..].iter().any(|finding| finding.effect == Effect::Blocking);
    if secret.key.is_none() && !is_hidden {
        effects.findings.push(
            Finding::new(
                &TASK_SECRET,
                call.range,
                Effect::Blocking,
                "`Secret` names no key; Flyte 2 needs one",
            )
            .help("Name the key of the secret"),
        );
    }
    if secret.mount.is_some() && secret.variable.is_some() {
        effects.findings.push(
            Finding::new(
                &TASK_SECRET,
                call.range,
                Effect::Blocking,
                "`env_var` holds the path of a file here; Flyte 2 has a fixed path",
            )
            .help("Read the file below `/etc/flyte/secrets`, and remove `env_var`"),
        );
    }
    name_variable(cx, &mut secret, call, effects);
    if effects.findings[before..].iter().any(|finding| finding.effect == Effect::Blocking) {
        return None;
    }
    effects.uses.push("Secret");
    let Parts { group, key, mount, variable, .. } = secret;
    Some(CallText {
        callee: (cx.name)("Secret"),
        arguments: [group, key, mount, variable].into_iter().flatten().collect(),
        dangling: call.items.dangling.clone(),
        ..CallText::default()
    })
}

/// The arguments of a secret of Flyte 2, and what is known of its names.
#[derive(Default)]
struct Parts {
    group: Option<Argument>,
    key: Option<Argument>,
    mount: Option<Argument>,
    variable: Option<Argument>,
    names: Vec<Option<String>>,
}

fn read(
    cx: &SettingContext<'_>,
    secret: &mut Parts,
    name: Option<&str>,
    value: &Value,
    item: &Item,
    effects: &mut Effects,
) {
    let is_none = value.kind == ValueKind::None;
    match name {
        Some("group" | "key" | "group_version" | "env_var") if is_none => {}
        Some(field @ ("group" | "key")) => {
            let argument = setting::argument(cx, field, item, effects);
            let literal = literal(cx, value);
            if field == "group" {
                secret.group = Some(argument);
                secret.names.insert(0, literal);
            } else {
                secret.key = Some(argument);
                secret.names.push(literal);
            }
        }
        Some("env_var") => secret.variable = Some(setting::argument(cx, "as_env_var", item, effects)),
        Some("mount_requirement") => mount(cx, secret, value, item, effects),
        Some("group_version") => effects.findings.push(
            Finding::new(
                &TASK_SECRET,
                item.range,
                Effect::Blocking,
                "`group_version` of a secret has no counterpart on Flyte 2",
            )
            .help("Remove it, and make sure that the current version is the one that is wanted"),
        ),
        _ => effects.findings.push(
            Finding::new(
                &TASK_SECRET,
                item.range,
                Effect::Blocking,
                format!("`{}` hides what the secret is", item.text),
            )
            .help("Write the arguments out"),
        ),
    }
}

/// The string that a value is or names.
fn literal(cx: &SettingContext<'_>, value: &Value) -> Option<String> {
    match &value.kind {
        ValueKind::Name(name) => (cx.constant)(name)?.as_str().map(str::to_owned),
        _ => value.as_str().map(str::to_owned),
    }
}

fn mount(cx: &SettingContext<'_>, secret: &mut Parts, value: &Value, item: &Item, effects: &mut Effects) {
    let symbol = (cx.symbol)(value.range);
    let kind = match &symbol {
        Some(Symbol::Other(path)) => path.rsplit_once(".MountType.").map(|(_, kind)| kind),
        _ => None,
    };
    effects.consumed.push(value.range);
    match kind {
        Some("ANY" | "ENV_VAR") => {}
        Some("FILE") => {
            effects.findings.push(
                Finding::new(
                    &TASK_SECRET,
                    item.range,
                    Effect::Unsafe,
                    "the secret was mounted as a file; Flyte 2 mounts it below `/etc/flyte/secrets`",
                )
                .help("Check the code that reads it"),
            );
            effects.imports.push("import pathlib".to_owned());
            let path = format!("mount=pathlib.Path({})", cx.style.string("/etc/flyte/secrets"));
            secret.mount = Some(Argument::new(path));
        }
        _ => effects.findings.push(
            Finding::new(&TASK_SECRET, item.range, Effect::Blocking, "`mount_requirement` cannot be read")
                .help("Write `Secret.MountType.ENV_VAR` or `Secret.MountType.FILE`"),
        ),
    }
}

/// Names the environment variable that holds the secret.
fn name_variable(cx: &SettingContext<'_>, secret: &mut Parts, call: &Call, effects: &mut Effects) {
    if secret.variable.is_some() || secret.mount.is_some() {
        return;
    }
    let names: Option<Vec<&str>> = secret.names.iter().map(Option::as_deref).collect();
    let Some(names) = names else {
        effects.findings.push(
            Finding::new(
                &TASK_SECRET,
                call.range,
                Effect::Unsafe,
                "the name of the secret cannot be read; Flyte 2 names its environment variable after it",
            )
            .help("Name the variable with `env_var`"),
        );
        return;
    };
    let variable = variable_of(&names);
    effects.findings.push(Finding::new(
        &TASK_SECRET,
        call.range,
        Effect::Info,
        format!("the secret is in the environment variable `{variable}` on Flyte 2"),
    ));
    secret.variable = Some(Argument::new(format!("as_env_var={}", cx.style.string(&variable))));
}

/// The name of the environment variable of a secret, `^[A-Z_][A-Z0-9_]*$`.
pub(crate) fn variable_of(names: &[&str]) -> String {
    let joined = names.join("_").to_uppercase();
    let plain: String = joined.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if plain.starts_with(|c: char| c.is_ascii_digit()) { format!("_{plain}") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::variable_of;

    #[test]
    fn variables_have_names_that_flyte_accepts() {
        assert_eq!(variable_of(&["db", "pass-word"]), "DB_PASS_WORD");
        assert_eq!(variable_of(&["arn:aws:x/y", "k.1"]), "ARN_AWS_X_Y_K_1");
        assert_eq!(variable_of(&["1st", "key"]), "_1ST_KEY");
    }
}
