//! The decorator of a task: what moves to the environment, what stays on `@env.task`.
//!
//! ```python
//! @task(container_image=image, retries=3, requests=Resources(cpu="1"))
//! @env.task(retries=3)      # image and resources are the environment's
//! ```
//!
//! # FM203
//!
//! ## What it does
//!
//! Reports a task whose definition means something else on Flyte 2.
//!
//! ## Why
//!
//! A task of Flyte 2 is found by its module and its name when it runs, and its signature is read anew.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! def make() -> None:
//!     @task(container_image=image)
//!     def step() -> int:
//!         return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Each shape that it names: move the task to the top level of a module.
//!
//! ## References
//!
//! The README: "What moves together" and "Limits".
//!
//! # FM206
//!
//! ## What it does
//!
//! Moves `environment` to `env_vars` of the environment; literals that are no strings become strings.
//!
//! ## Why
//!
//! Flyte 2 takes strings only.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image, environment={"A": "1"})
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Image, TaskEnvironment
//!
//! image = Image.from_debian_base(name="train").with_pip_packages("pandas")
//!
//! env = TaskEnvironment(name="example", image=image, env_vars={"A": "1"})
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Safe. A value that cannot be read is unsafe.
//!
//! ## Not handled
//!
//! Values that are made when the task runs.
//!
//! ## References
//!
//! [Task configuration](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/)
//!
//! # FM202
//!
//! ## What it does
//!
//! Reports a keyword of `@task` that is not migrated, or whose value cannot be read.
//!
//! ## Why
//!
//! What it did would be lost in silence.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! options = {}
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image, **options)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! The keyword that it names.
//!
//! ## References
//!
//! [Task configuration](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/)
//!
//! # FM207
//!
//! ## What it does
//!
//! Turns `enable_deck=True` into `report=True`.
//!
//! ## Why
//!
//! The report of Flyte 2 has the tabs that code adds; those that Flyte 1 made by itself, such as the source code
//! and the inputs, are gone.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image, enable_deck=True)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Image, TaskEnvironment
//!
//! image = Image.from_debian_base(name="train").with_pip_packages("pandas")
//!
//! env = TaskEnvironment(name="example", image=image)
//!
//!
//! @env.task(report=True)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Informs. The change is safe.
//!
//! ## Not handled
//!
//! Tabs that Flyte 1 added by itself.
//!
//! ## References
//!
//! [Task configuration](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/)
//!
//! # FM208
//!
//! ## What it does
//!
//! Keeps `retries`, and says that they count for any exception now.
//!
//! ## Why
//!
//! Flyte 1 tried again only after an exception that was recoverable, and the control plane capped the number.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image, retries=3)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Image, TaskEnvironment
//!
//! image = Image.from_debian_base(name="train").with_pip_packages("pandas")
//!
//! env = TaskEnvironment(name="example", image=image)
//!
//!
//! @env.task(retries=3)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Informs. The change is safe.
//!
//! ## Not handled
//!
//! Which exceptions are worth another try.
//!
//! ## References
//!
//! [Task configuration](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/)
//!
//! # FM257
//!
//! ## What it does
//!
//! Removes `deprecated` of a task and keeps its text as a comment.
//!
//! ## Why
//!
//! It was a message for readers and had no effect on a run; Flyte 2 has no such keyword.
//!
//! ## Example
//!
//! ```python
//! from flytekit import task
//!
//!
//! @task(deprecated="use count")
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import TaskEnvironment
//!
//! env = TaskEnvironment(name="example")
//!
//!
//! @env.task(
//!     # deprecated: use count
//! )
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Informs.
//!
//! ## Not handled
//!
//! Keywords with an effect: they have rules of their own, or are FM202.
//!
//! ## References
//!
//! `flytekit/core/task.py` of flytekit 1.16.31; `TaskEnvironment.task` in `flyte/_task_environment.py` of flyte 2.12.1.

use super::cache::{self, CacheKeywords, MappedCache};
use super::codes::{
    CACHE, DECK, DOCUMENTATION, DROPPED_KEYWORD, ENVIRONMENT_VARIABLES, RESOURCES, RETRIES, TASK_KEYWORD,
    TASK_SHAPE,
};
use super::env::{string_dict, with_constants};
use super::pod_template::{self, PodKeywords};
use super::resources::{self, Wanted, amounts};
use super::setting::{self, Effects, SettingContext, SettingKind, dropped_references, nested};
use super::{Effect, Finding, accelerator, flyte1_places, plugin, secrets};
use crate::flyte1::body::Body;
use crate::flyte2::chain::{Argument, Call as CallText};
use crate::project::graph::EntityKind;
use crate::python::items::Item;
use crate::python::scope::{Call, CallId, Function, Parameter, ParameterKind};
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// An argument of the environment of a task, such as `resources=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentSetting {
    /// The name of the argument.
    pub name: &'static str,
    /// Its value.
    pub value: SettingText,
}

/// The value of a setting as code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingText {
    /// A call that is laid out where it is written.
    Call(CallText),
    /// Text.
    Text(String),
}

/// A mapped decorator.
#[derive(Debug, Default)]
pub struct MappedTask {
    /// The arguments of `@env.task(…)`.
    pub arguments: Vec<Argument>,
    /// Comments below the last argument.
    pub dangling: Vec<String>,
    /// Whether the arguments differ from the user's, so that they are written anew.
    pub is_rewritten: bool,
    /// What moves to the environment, always in the same order.
    pub settings: Vec<EnvironmentSetting>,
    /// What else is asked for: names, imports, findings.
    pub effects: Effects,
}

/// Maps the `decorator` of a task or dynamic; `call` is `None` for a bare `@task`. `given` are keywords that it has from
/// the `partial` which makes it.
pub fn map(
    cx: &SettingContext<'_>,
    decorator: TextRange,
    call: Option<CallId>,
    given: &[(String, Value, Item)],
) -> MappedTask {
    let mut mapped = MappedTask::default();
    let mut keywords = Keywords::default();
    for (name, value, item) in given {
        keyword(cx, &mut mapped, &mut keywords, name, value, item);
    }
    if let Some(call) = call {
        own_keywords(cx, &mut mapped, &mut keywords, &cx.module.calls[call], |_| false);
    }
    finish(cx, &mut mapped, &mut keywords, call.map_or(decorator, |call| cx.module.calls[call].range));
    mapped.is_rewritten |= !given.is_empty();
    mapped
}

/// Maps the keywords of the call but those in `others`, which are not those of a task.
pub(super) fn map_settings(cx: &SettingContext<'_>, id: CallId, others: &[&str]) -> MappedTask {
    let mut mapped = MappedTask::default();
    let mut keywords = Keywords::default();
    let call = &cx.module.calls[id];
    own_keywords(cx, &mut mapped, &mut keywords, call, |name| others.contains(&name));
    finish(cx, &mut mapped, &mut keywords, call.range);
    mapped
}

/// Maps `partial(task, …)`: the settings that its environment has. Its other keywords are repeated at the tasks.
pub fn map_partial(cx: &SettingContext<'_>, id: CallId) -> MappedTask {
    let mut mapped = MappedTask::default();
    let mut keywords = Keywords::default();
    let call = &cx.module.calls[id];
    let mut arguments = call.arguments.iter().zip(&call.items.items);
    let function = arguments.next().map(|(function, _)| function.value.range);
    mapped.effects.consumed.extend(function.into_iter().chain([call.callee]));
    for (argument, item) in arguments {
        match argument.name.as_deref() {
            Some(name) if is_of_environment(name) => {
                keyword(cx, &mut mapped, &mut keywords, name, &argument.value, item);
            }
            Some(_) => {
                mapped.effects.consumed.extend(dropped_references(cx, item.range));
                drop_argument(&mut mapped, item);
            }
            None => mapped.effects.findings.push(hides_settings(item)),
        }
    }
    finish(cx, &mut mapped, &mut keywords, call.range);
    mapped.dangling.extend(call.items.dangling.iter().cloned());
    mapped
}

/// Whether the environment of a task has what this keyword says, and not the task itself.
pub fn is_of_environment(keyword: &str) -> bool {
    matches!(
        keyword,
        "container_image"
            | "requests"
            | "limits"
            | "resources"
            | "accelerator"
            | "shared_memory"
            | "environment"
            | "secret_requests"
            | "task_config"
    )
}

/// Maps the keywords of a call but those that are not those of a task.
fn own_keywords<'a, 'k>(
    cx: &SettingContext<'a>,
    mapped: &mut MappedTask,
    keywords: &mut Keywords<'a, 'k>,
    call: &'k Call,
    is_other: impl Fn(&str) -> bool,
) {
    for (argument, item) in call.arguments.iter().zip(&call.items.items) {
        let Some(name) = argument.name.as_deref() else {
            mapped.effects.findings.push(hides_settings(item));
            continue;
        };
        if is_other(name) {
            continue;
        }
        keyword(cx, mapped, keywords, name, &argument.value, item);
    }
    mapped.dangling.extend(call.items.dangling.iter().cloned());
}

/// Maps keywords that `with_overrides` shares with the decorator.
pub(super) fn map_keywords(
    cx: &SettingContext<'_>,
    given: &[(String, Value, Item)],
    range: TextRange,
) -> MappedTask {
    let mut mapped = MappedTask::default();
    let mut keywords = Keywords::default();
    for (name, value, item) in given {
        keyword(cx, &mut mapped, &mut keywords, name, value, item);
    }
    finish(cx, &mut mapped, &mut keywords, range);
    mapped
}

fn hides_settings(item: &Item) -> Finding {
    let message = format!("`{}` hides which settings this task has", item.text);
    Finding::new(&TASK_KEYWORD, item.range, Effect::Blocking, message).help("Write the keywords out")
}

fn finish(
    cx: &SettingContext<'_>,
    mapped: &mut MappedTask,
    keywords: &mut Keywords<'_, '_>,
    range: TextRange,
) {
    finish_resources(cx, mapped, keywords);
    finish_environment(mapped, keywords);
    finish_pod(cx, mapped, keywords);
    finish_cache(cx, mapped, keywords, range);
}

#[derive(Default)]
struct Keywords<'a, 'k> {
    wanted: Wanted<'a>,
    env_vars: Option<String>,
    secrets: Option<String>,
    plugin_config: Option<String>,
    pod: PodKeywords<'k>,
    /// Where the first keyword on the pod stood among the arguments.
    pod_place: Option<(usize, &'k Item)>,
    cache: CacheKeywords<'k>,
    cache_place: Option<(usize, &'k Item)>,
}

fn keyword<'a, 'k>(
    cx: &SettingContext<'a>,
    mapped: &mut MappedTask,
    keywords: &mut Keywords<'a, 'k>,
    name: &str,
    value: &'k Value,
    item: &'k Item,
) {
    match name {
        "timeout" | "interruptible" => keep(mapped, item),
        "retries" if value.kind == ValueKind::Int(0) => keep(mapped, item),
        "retries" => {
            mapped.effects.findings.push(Finding::new(
                &RETRIES,
                item.range,
                Effect::Info,
                "`retries` follow any exception on Flyte 2, not only `FlyteRecoverableException`, and the control plane does not cap them",
            ));
            keep(mapped, item);
        }
        "container_image" => drop_argument(mapped, item),
        "cache" | "cache_version" | "cache_serialize" | "cache_ignore_input_vars" => {
            cache_keyword(mapped, keywords, name, value, item);
        }
        _ if value.kind == ValueKind::None => drop_argument(mapped, item),
        "requests" | "limits" | "resources" => {
            drop_argument(mapped, item);
            if let Some(choice) = resources::choice(cx, value, item, &mut mapped.effects) {
                if name == "limits" || keywords.wanted.choice.is_some() {
                    mapped.effects.findings.push(resources::several(cx, choice.0));
                }
                keywords.wanted.choice = Some(choice);
                return;
            }
            let amounts = amounts(cx, value, &mut mapped.effects);
            comments_inside(cx, mapped, value);
            match name {
                "requests" => keywords.wanted.requests = amounts,
                "limits" => keywords.wanted.limits = amounts,
                _ => keywords.wanted.both = amounts,
            }
        }
        "accelerator" => {
            drop_argument(mapped, item);
            keywords.wanted.accelerator = accelerator::read(cx, value, &mut mapped.effects);
        }
        "shared_memory" => shared_memory(cx, mapped, keywords, value, item),
        "environment" => environment(cx, mapped, keywords, value, item),
        "secret_requests" => {
            drop_argument(mapped, item);
            keywords.secrets = secrets::map(cx, value, item, &mut mapped.effects);
        }
        "task_config" => {
            drop_argument(mapped, item);
            let wanted = &mut keywords.wanted;
            keywords.plugin_config = plugin::map(cx, value, item, wanted, &mut mapped.effects);
        }
        "pod_template" | "pod_template_name" | "labels" | "annotations" => {
            mapped.is_rewritten = true;
            keywords.pod_place.get_or_insert((mapped.arguments.len(), item));
            match name {
                "pod_template" => keywords.pod.template = Some((value, item)),
                "pod_template_name" => keywords.pod.name = Some((value, item)),
                "labels" => keywords.pod.metadata.push(("labels", item)),
                _ => keywords.pod.metadata.push(("annotations", item)),
            }
        }
        "docs" => docs(cx, mapped, value, item),
        "deprecated" => deprecated(mapped, value, item),
        "enable_deck" | "disable_deck" => deck(mapped, name, value, item),
        "deck_fields" | "pickle_untyped" | "node_dependency_hints" => {
            mapped.effects.consumed.extend(dropped_references(cx, value.range));
            drop_argument(mapped, item);
        }
        "execution_mode" | "task_resolver" => mapped.effects.findings.push(
            Finding::new(
                &TASK_KEYWORD,
                item.range,
                Effect::Blocking,
                format!(
                    "`{name}` of `@task` changes how Flyte 1 loads or runs it; Flyte 2 has no counterpart"
                ),
            )
            .help("Migrate this task by hand, or remove the keyword"),
        ),
        _ => mapped.effects.findings.push(
            Finding::new(
                &TASK_KEYWORD,
                item.range,
                Effect::Blocking,
                format!("`{name}` is no keyword of `@task` that is known"),
            )
            .help("Migrate this task by hand, or remove the keyword"),
        ),
    }
}

pub(super) fn keep(mapped: &mut MappedTask, item: &Item) {
    let mut leading = std::mem::take(&mut mapped.dangling);
    leading.extend(item.leading.iter().cloned());
    mapped.arguments.push(Argument { leading, text: item.text.clone(), trailing: item.trailing.clone() });
}

/// The comments of an argument that goes stay where it stood.
pub(super) fn drop_argument(mapped: &mut MappedTask, item: &Item) {
    mapped.is_rewritten = true;
    mapped.dangling.extend(item.leading.iter().cloned());
    mapped.dangling.extend(item.trailing.clone());
}

/// The comments inside a call that is written anew elsewhere stay where it stood.
fn comments_inside(cx: &SettingContext<'_>, mapped: &mut MappedTask, value: &Value) {
    if let Some(call) = cx.module.calls.iter().find(|call| call.range == value.range) {
        mapped.dangling.extend(call.items.comments());
    }
}

fn cache_keyword<'k>(
    mapped: &mut MappedTask,
    keywords: &mut Keywords<'_, 'k>,
    name: &str,
    value: &'k Value,
    item: &'k Item,
) {
    if name == "cache" || keywords.cache_place.is_none() {
        keywords.cache_place = Some((mapped.arguments.len(), item));
    }
    let text = (value.kind != ValueKind::None).then_some(item.value_text.as_str());
    match name {
        "cache" => keywords.cache.cache = Some((value, item)),
        "cache_version" => keywords.cache.version = text,
        "cache_serialize" => keywords.cache.serialize = text,
        _ => keywords.cache.ignored_inputs = text,
    }
    if name == "cache" {
        // Its comments go with the `cache=` that takes its place.
        mapped.is_rewritten = true;
    } else {
        drop_argument(mapped, item);
    }
}

fn shared_memory(
    cx: &SettingContext<'_>,
    mapped: &mut MappedTask,
    keywords: &mut Keywords<'_, '_>,
    value: &Value,
    item: &Item,
) {
    drop_argument(mapped, item);
    match &value.kind {
        ValueKind::Bool(true) => keywords.wanted.shared_memory = Some(cx.style.string("auto")),
        ValueKind::Str(_) => keywords.wanted.shared_memory = Some(item.value_text.clone()),
        ValueKind::Bool(false) => {}
        _ => mapped.effects.findings.push(
            Finding::new(&RESOURCES, value.range, Effect::Blocking, "`shared_memory` is no literal")
                .help("Write `True` or a size such as \"2Gi\""),
        ),
    }
}

fn environment(
    cx: &SettingContext<'_>,
    mapped: &mut MappedTask,
    keywords: &mut Keywords<'_, '_>,
    value: &Value,
    item: &Item,
) {
    drop_argument(mapped, item);
    if value.is_empty() {
        return;
    }
    let is_known;
    let own = with_constants(value, cx.constant);
    if let ValueKind::Dict(items) = &own.kind {
        let texts = items.iter().filter_map(|(_, value)| Some((value.range, value.as_str()?)));
        mapped.effects.findings.extend(texts.flat_map(|(range, text)| flyte1_places::folders(range, text)));
    }
    let text = if let Some((text, unknown)) = string_dict(cx.style, &own, item, None) {
        is_known = unknown.is_none();
        text
    } else {
        let constant = match &value.kind {
            ValueKind::Name(name) => (cx.constant)(name),
            _ => None,
        };
        is_known = constant.is_some_and(|constant| match &constant.kind {
            ValueKind::Dict(items) => items.iter().all(|(_, value)| value.as_str().is_some()),
            _ => false,
        });
        item.value_text.clone()
    };
    if !is_known {
        mapped.effects.findings.push(
            Finding::new(
                &ENVIRONMENT_VARIABLES,
                value.range,
                Effect::Unsafe,
                "`environment` holds a value that cannot be read; Flyte 2 takes strings only",
            )
            .help("Make sure that every value is a string"),
        );
    }
    keywords.env_vars = Some(text);
}

pub(super) fn docs(cx: &SettingContext<'_>, mapped: &mut MappedTask, value: &Value, item: &Item) {
    let call = cx.module.calls.iter().find(|call| call.range == value.range);
    let named = (cx.named)(value.range);
    let is_named = !named.is_empty() && named.iter().all(|named| named.kind == SettingKind::Documentation);
    let before = mapped.effects.findings.len();
    let text = match call.and_then(|call| setting::map(cx, call, &mut mapped.effects)) {
        Some(call) => nested(cx, "docs", call),
        None if is_named => item.value_text.clone(),
        None => {
            if mapped.effects.findings.len() == before {
                mapped.effects.findings.push(
                    Finding::new(
                        &DOCUMENTATION,
                        value.range,
                        Effect::Blocking,
                        "`docs` is no `Documentation(…)` that can be read here",
                    )
                    .help("Write `Documentation(short_description=…)` into the decorator"),
                );
            }
            return;
        }
    };
    mapped.is_rewritten = true;
    mapped.arguments.push(Argument {
        leading: item.leading.clone(),
        text: format!("docs={text}"),
        trailing: item.trailing.clone(),
    });
}

/// What it says stays as a comment; it never had an effect on a run.
fn deprecated(mapped: &mut MappedTask, value: &Value, item: &Item) {
    drop_argument(mapped, item);
    if value.is_empty() {
        return;
    }
    mapped.effects.findings.push(Finding::new(
        &DROPPED_KEYWORD,
        item.range,
        Effect::Info,
        "`deprecated` does not exist on Flyte 2; its text stays as a comment",
    ));
    let text = value.as_str().unwrap_or(&item.value_text);
    mapped.dangling.extend(text.lines().map(|line| format!("# deprecated: {line}").trim_end().to_owned()));
}

fn deck(mapped: &mut MappedTask, name: &str, value: &Value, item: &Item) {
    match (name, &value.kind) {
        ("enable_deck", ValueKind::Bool(true)) | ("disable_deck", ValueKind::Bool(false)) => {
            mapped.effects.findings.push(Finding::new(
                &DECK,
                item.range,
                Effect::Info,
                format!("`{name}` becomes `report=True`; the automatic tabs of Flyte 1 are gone"),
            ));
            mapped.is_rewritten = true;
            mapped.arguments.push(Argument {
                leading: item.leading.clone(),
                text: "report=True".to_owned(),
                trailing: item.trailing.clone(),
            });
        }
        (_, ValueKind::Bool(_) | ValueKind::None) => drop_argument(mapped, item),
        _ => mapped.effects.findings.push(
            Finding::new(&DECK, item.range, Effect::Blocking, format!("`{name}` is no literal"))
                .help("Write `True` or `False`"),
        ),
    }
}

fn finish_resources(cx: &SettingContext<'_>, mapped: &mut MappedTask, keywords: &mut Keywords<'_, '_>) {
    let value = match resources::map_text(cx, &keywords.wanted) {
        Some(text) => Some(SettingText::Text(text)),
        None => resources::map(cx, &keywords.wanted, &mut mapped.effects).map(SettingText::Call),
    };
    mapped.settings.extend(value.map(|value| EnvironmentSetting { name: "resources", value }));
}

fn finish_environment(mapped: &mut MappedTask, keywords: &Keywords<'_, '_>) {
    let texts = [
        ("env_vars", &keywords.env_vars),
        ("secrets", &keywords.secrets),
        ("plugin_config", &keywords.plugin_config),
    ];
    for (name, text) in texts {
        let value = text.clone().map(SettingText::Text);
        mapped.settings.extend(value.map(|value| EnvironmentSetting { name, value }));
    }
}

fn finish_pod(cx: &SettingContext<'_>, mapped: &mut MappedTask, keywords: &Keywords<'_, '_>) {
    let Some((place, item)) = keywords.pod_place else { return };
    let others =
        keywords.pod.metadata.iter().map(|(_, item)| *item).filter(|other| other.range != item.range);
    for other in others {
        mapped.dangling.extend(other.leading.iter().chain(&other.trailing).cloned());
    }
    if let Some(text) = pod_template::map(cx, &keywords.pod, &mut mapped.effects) {
        let argument = Argument {
            leading: item.leading.clone(),
            text: format!("pod_template={text}"),
            trailing: item.trailing.clone(),
        };
        mapped.arguments.insert(place.min(mapped.arguments.len()), argument);
    }
}

fn finish_cache(
    cx: &SettingContext<'_>,
    mapped: &mut MappedTask,
    keywords: &Keywords<'_, '_>,
    decorator: TextRange,
) {
    let Some((place, item)) = keywords.cache_place else { return };
    let range = if item.range.is_empty() { decorator } else { item.range };
    let before = mapped.effects.findings.len();
    let text = match cache::map(cx, &keywords.cache, range, &mut mapped.effects) {
        Some(MappedCache::Call(call)) => nested(cx, "cache", call),
        Some(MappedCache::Name(name)) => name,
        None => {
            let is_wanted =
                keywords.cache.cache.is_some_and(|(value, _)| value.kind == ValueKind::Bool(true));
            if is_wanted && mapped.effects.findings.len() == before {
                mapped.effects.findings.push(Finding::new(
                    &CACHE,
                    range,
                    Effect::Blocking,
                    "`cache` cannot be migrated",
                ));
            }
            return;
        }
    };
    let argument = Argument {
        leading: item.leading.clone(),
        text: format!("cache={text}"),
        trailing: item.trailing.clone(),
    };
    mapped.arguments.insert(place.min(mapped.arguments.len()), argument);
}

/// What in the definition of a task, dynamic or workflow Flyte 2 treats differently.
pub fn check_shape(text: &str, function: &Function, body: &Body, kind: EntityKind) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut block = |range: TextRange, message: String, help: &str| {
        findings.push(Finding::new(&TASK_SHAPE, range, Effect::Blocking, message).help(help));
    };
    let name = &function.name;
    if !function.is_top_level {
        block(
            function.name_range,
            format!("`{name}` is defined inside another statement"),
            "Move it to the top level of the module",
        );
    }
    if function.is_async && kind.is_flow() {
        block(
            function.name_range,
            format!("`{name}` is `async`, and is no task"),
            "Make it a plain function",
        );
    }
    match function.returns.map(|range| &text[range]) {
        None if body.returns_value => block(
            function.name_range,
            format!("`{name}` returns a value but has no return annotation; Flyte 2 rejects that"),
            "Add `-> T`",
        ),
        Some("tuple" | "Tuple" | "typing.Tuple") => {
            block(
                function.name_range,
                format!("`{name}` returns a bare tuple"),
                "Name the types of its elements",
            );
        }
        Some(returns) if gives_iterator(returns) => {
            block(
                function.name_range,
                format!("`{name}` gives an iterator, which Flyte 2 cannot hand over"),
                "Collect the values and return a list",
            );
        }
        _ => {}
    }
    for parameter in &function.parameters {
        if parameter.kind == ParameterKind::Variadic {
            block(
                parameter.range,
                format!("`{}` takes any number of arguments, which Flyte 2 refuses", parameter.name),
                "Name the parameters",
            );
        }
        let is_none = parameter.default.as_ref().is_some_and(|default| default.kind == ValueKind::None);
        let annotation = parameter.annotation.map(|range| &text[range]);
        // Where a union can be written behind the annotation, the fix does so.
        let is_quoted = annotation.is_some_and(|annotation| annotation.starts_with(['"', '\'']));
        if is_none && is_quoted && annotation.is_some_and(|annotation| !admits_none(annotation)) {
            block(
                parameter.range,
                format!(
                    "`{}` is None by default, but its type does not allow it; Flyte 2 refuses that",
                    parameter.name
                ),
                "Annotate it with `Optional[…]`",
            );
        }
    }
    findings
}

/// Whether a return annotation is one that flytekit's transformer of iterators takes
/// (`flytekit/types/iterator/iterator.py`, 1.16.31); Flyte 2 would pickle the generator.
fn gives_iterator(returns: &str) -> bool {
    let generic = returns.trim_start_matches(['"', '\'']).split('[').next().unwrap_or_default();
    matches!(generic.trim().rsplit('.').next(), Some("Iterator" | "Generator"))
}

/// The annotations that must admit `None`, because it is the default: Flyte 2 checks it, Flyte 1 did not.
pub fn annotations_without_none(text: &str, function: &Function) -> Vec<TextRange> {
    let is_none = |parameter: &&Parameter| {
        parameter.default.as_ref().is_some_and(|default| default.kind == ValueKind::None)
    };
    let annotations = function.parameters.iter().filter(is_none).filter_map(|parameter| parameter.annotation);
    annotations.filter(|&range| !admits_none(&text[range])).collect()
}

fn admits_none(annotation: &str) -> bool {
    ["Optional", "None", "Any", "object"].iter().any(|word| annotation.contains(word))
}
