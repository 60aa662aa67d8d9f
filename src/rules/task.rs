//! The decorator of a task: what moves to the environment, what stays on `@env.task`.
//!
//! ```python
//! @task(container_image=image, retries=3, requests=Resources(cpu="1"))
//! @env.task(retries=3)      # image and resources are the environment's
//! ```

use super::cache::{self, CacheKeywords};
use super::codes::{
    ACCELERATOR, CACHE, DECK, ENVIRONMENT_VARIABLES, RESOURCES, RETRIES, TASK_KEYWORD, TASK_SHAPE,
};
use super::env::string_dict;
use super::resources::Wanted;
use super::{Effect, Finding, resources};
use crate::flyte1::body::Body;
use crate::flyte1::symbol::Symbol;
use crate::flyte2::chain::{Argument, Call as CallText, Chain};
use crate::flyte2::layout::{Place, layout};
use crate::python::items::Item;
use crate::python::scope::{self, Call, CallContext, CallId, Function, Module, Parameter, ParameterKind};
use crate::python::style::Style;
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// What the mapping of one decorator may ask.
pub struct TaskContext<'a> {
    /// The text of the file.
    pub text: &'a str,
    /// Its names.
    pub module: &'a Module,
    /// How the user writes.
    pub style: &'a Style,
    /// How `flyte.Resources` is written in this file.
    pub resources_name: &'a str,
    /// How `flyte.Cache` is written in this file.
    pub cache_name: &'a str,
    /// The longest line.
    pub line_length: usize,
    /// The literal that a name stands for, where the decorator stands.
    pub constant: &'a dyn Fn(&str) -> Option<Value>,
    /// The symbol of Flyte 1 that is called at a place.
    pub symbol: &'a dyn Fn(TextRange) -> Option<Symbol>,
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
    /// `resources=` of the environment.
    pub resources: Option<CallText>,
    /// `env_vars=` of the environment.
    pub env_vars: Option<String>,
    /// The callees of `Resources(…)` and `Cache(…)` that are written anew.
    pub consumed: Vec<TextRange>,
    /// Names of flyte that are written besides `Resources`: `Cache`, `GPU`, `Device`.
    pub uses: Vec<&'static str>,
    /// What there is to say.
    pub findings: Vec<Finding>,
}

/// Maps the decorator `call` of a task or dynamic; `None` for a bare `@task`.
pub fn map(cx: &TaskContext<'_>, call: Option<CallId>) -> MappedTask {
    let mut mapped = MappedTask::default();
    let Some(id) = call else { return mapped };
    let call = &cx.module.calls[id];
    let mut keywords = Keywords::default();
    for (argument, item) in call.arguments.iter().zip(&call.items.items) {
        let Some(name) = argument.name.as_deref() else {
            mapped.findings.push(
                Finding::new(
                    &TASK_KEYWORD,
                    item.range,
                    Effect::Blocking,
                    format!("`{}` hides which settings this task has", item.text),
                )
                .help("Write the keywords out"),
            );
            continue;
        };
        keyword(cx, &mut mapped, &mut keywords, id, name, &argument.value, item);
    }
    finish_resources(cx, &mut mapped, &keywords);
    finish_cache(cx, &mut mapped, &keywords, call.range);
    mapped.dangling.extend(call.items.dangling.iter().cloned());
    mapped
}

#[derive(Default)]
struct Keywords<'a> {
    wanted: Wanted<'a>,
    cache: CacheKeywords<'a>,
    cache_place: Option<(usize, &'a Item)>,
}

fn keyword<'a>(
    cx: &TaskContext<'a>,
    mapped: &mut MappedTask,
    keywords: &mut Keywords<'a>,
    decorator: CallId,
    name: &str,
    value: &'a Value,
    item: &'a Item,
) {
    let is_none = value.kind == ValueKind::None;
    match name {
        "timeout" | "interruptible" => keep(mapped, item),
        "retries" if value.kind == ValueKind::Int(0) => keep(mapped, item),
        "retries" => {
            mapped.findings.push(Finding::new(
                &RETRIES,
                item.range,
                Effect::Info,
                "`retries` are no longer capped by the control plane",
            ));
            keep(mapped, item);
        }
        "container_image" => drop_argument(mapped, item),
        "requests" | "limits" => {
            drop_argument(mapped, item);
            match nested_call(cx, decorator, name, &Symbol::Resources) {
                Some(call) => {
                    mapped.dangling.extend(call.items.comments());
                    mapped.consumed.push(call.callee);
                    let wanted = &mut keywords.wanted;
                    *(if name == "requests" { &mut wanted.requests } else { &mut wanted.limits }) =
                        Some(call);
                }
                None if is_none => {}
                None => mapped.findings.push(
                    Finding::new(
                        &RESOURCES,
                        value.range,
                        Effect::Blocking,
                        format!("`{name}` is no `Resources(…)` call that can be read here"),
                    )
                    .help("Write `Resources(…)` with literal amounts into the decorator"),
                ),
            }
        }
        "accelerator" if !is_none => match (cx.symbol)(value.range) {
            Some(Symbol::Other(path)) => {
                drop_argument(mapped, item);
                mapped.consumed.push(value.range);
                keywords.wanted.accelerator = Some((path, value.range));
            }
            _ => mapped.findings.push(
                Finding::new(
                    &ACCELERATOR,
                    value.range,
                    Effect::Blocking,
                    "`accelerator` is no constant of flytekit",
                )
                .help("Name the device in the resources of the environment by hand"),
            ),
        },
        "shared_memory" => shared_memory(cx, mapped, keywords, value, item),
        "environment" => environment(cx, mapped, value, item),
        "enable_deck" | "disable_deck" => deck(mapped, name, value, item),
        "cache" | "cache_version" | "cache_serialize" | "cache_ignore_input_vars" => {
            let place = mapped.arguments.len();
            if name == "cache" || keywords.cache_place.is_none() {
                keywords.cache_place = Some((place, item));
            }
            match name {
                "cache" => {
                    keywords.cache.cache = Some(value);
                    keywords.cache.call = nested_call(cx, decorator, name, &Symbol::Cache);
                }
                "cache_version" => keywords.cache.version = (!is_none).then_some(item.value_text.as_str()),
                "cache_serialize" => {
                    keywords.cache.serialize = (!is_none).then_some(item.value_text.as_str());
                }
                _ => keywords.cache.ignored_inputs = (!is_none).then_some(item.value_text.as_str()),
            }
            if name == "cache" {
                // Its comments go with the `cache=` that takes its place.
                mapped.is_rewritten = true;
            } else {
                drop_argument(mapped, item);
            }
        }
        _ if is_none => drop_argument(mapped, item),
        _ => mapped.findings.push(
            Finding::new(
                &TASK_KEYWORD,
                item.range,
                Effect::Blocking,
                format!("`{name}` of `@task` is not migrated yet"),
            )
            .help("Migrate this task by hand, or remove the keyword"),
        ),
    }
}

fn keep(mapped: &mut MappedTask, item: &Item) {
    let mut leading = std::mem::take(&mut mapped.dangling);
    leading.extend(item.leading.iter().cloned());
    mapped.arguments.push(Argument { leading, text: item.text.clone(), trailing: item.trailing.clone() });
}

/// The comments of an argument that goes stay where it stood.
fn drop_argument(mapped: &mut MappedTask, item: &Item) {
    mapped.is_rewritten = true;
    mapped.dangling.extend(item.leading.iter().cloned());
    mapped.dangling.extend(item.trailing.clone());
}

/// The call of `symbol` that is the whole value of a keyword of the decorator.
fn nested_call<'a>(cx: &TaskContext<'a>, decorator: CallId, name: &str, symbol: &Symbol) -> Option<&'a Call> {
    let context = CallContext::Argument(decorator, Some(name.to_owned()));
    cx.module.calls.iter().find(|call: &&scope::Call| {
        call.context == context && (cx.symbol)(call.callee).as_ref() == Some(symbol)
    })
}

fn shared_memory(
    cx: &TaskContext<'_>,
    mapped: &mut MappedTask,
    keywords: &mut Keywords<'_>,
    value: &Value,
    item: &Item,
) {
    drop_argument(mapped, item);
    match &value.kind {
        ValueKind::Bool(true) => keywords.wanted.shared_memory = Some(cx.style.string("auto")),
        ValueKind::Str(_) => keywords.wanted.shared_memory = Some(item.value_text.clone()),
        ValueKind::Bool(false) | ValueKind::None => {}
        _ => mapped.findings.push(
            Finding::new(&RESOURCES, value.range, Effect::Blocking, "`shared_memory` is no literal")
                .help("Write `True` or a size such as \"2Gi\""),
        ),
    }
}

fn environment(cx: &TaskContext<'_>, mapped: &mut MappedTask, value: &Value, item: &Item) {
    drop_argument(mapped, item);
    if value.is_empty() {
        return;
    }
    let is_known;
    let text = if let Some((text, unknown)) = string_dict(cx.style, value, item) {
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
        mapped.findings.push(
            Finding::new(
                &ENVIRONMENT_VARIABLES,
                value.range,
                Effect::Unsafe,
                "`environment` holds a value that cannot be read; Flyte 2 takes strings only",
            )
            .help("Make sure that every value is a string"),
        );
    }
    mapped.env_vars = Some(text);
}

fn deck(mapped: &mut MappedTask, name: &str, value: &Value, item: &Item) {
    match (name, &value.kind) {
        ("enable_deck", ValueKind::Bool(true)) | ("disable_deck", ValueKind::Bool(false)) => {
            mapped.findings.push(Finding::new(
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
        _ => mapped.findings.push(
            Finding::new(&DECK, item.range, Effect::Blocking, format!("`{name}` is no literal"))
                .help("Write `True` or `False`"),
        ),
    }
}

fn finish_resources(cx: &TaskContext<'_>, mapped: &mut MappedTask, keywords: &Keywords<'_>) {
    mapped.resources = resources::map(
        cx.text,
        cx.style,
        cx.resources_name,
        &keywords.wanted,
        &mut mapped.uses,
        &mut mapped.findings,
    );
}

fn finish_cache(
    cx: &TaskContext<'_>,
    mapped: &mut MappedTask,
    keywords: &Keywords<'_>,
    decorator: TextRange,
) {
    let Some((place, item)) = keywords.cache_place else { return };
    if let Some(call) = keywords.cache.call {
        mapped.dangling.extend(call.items.comments());
        mapped.consumed.push(call.callee);
    }
    let range = if item.range.is_empty() { decorator } else { item.range };
    let value = cache::map(cx.style.quote, cx.cache_name, &keywords.cache, range, &mut mapped.findings);
    if let Some(value) = value {
        mapped.uses.push("Cache");
        let argument = Argument {
            leading: item.leading.clone(),
            text: format!("cache={}", nested(cx, "cache", value)),
            trailing: item.trailing.clone(),
        };
        mapped.arguments.insert(place.min(mapped.arguments.len()), argument);
    } else if matches!(keywords.cache.cache.map(|value| &value.kind), Some(ValueKind::Bool(true))) {
        mapped.findings.push(Finding::new(&CACHE, range, Effect::Blocking, "`cache` cannot be migrated"));
    }
}

/// What in the definition of a task, dynamic or workflow Flyte 2 treats differently.
pub fn check_shape(text: &str, function: &Function, body: &Body) -> Vec<Finding> {
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
    if function.is_async {
        block(
            function.name_range,
            format!("`{name}` is `async`; its callers must await it"),
            "Migrate it by hand",
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

/// The annotations that must admit `None`, because it is the default: Flyte 2 checks it, Flyte 1 did not.
pub fn annotations_without_none(text: &str, function: &Function) -> Vec<TextRange> {
    let is_none = |parameter: &&Parameter| {
        parameter.default.as_ref().is_some_and(|default| default.kind == ValueKind::None)
    };
    let annotations = function.parameters.iter().filter(is_none).filter_map(|parameter| parameter.annotation);
    annotations.filter(|&range| !admits_none(&text[range])).collect()
}

/// A call as the value of the argument `name` of a decorator that has a line for each.
fn nested(cx: &TaskContext<'_>, name: &str, call: CallText) -> String {
    let unit = &cx.style.indent_unit;
    let place = Place {
        indent: "",
        indent_unit: unit,
        before: unit.chars().count() + name.len() + 1,
        after: 1,
        line_length: cx.line_length,
        is_bracketed: false,
    };
    layout(&Chain { head: call, ..Chain::default() }, place)
}

fn admits_none(annotation: &str) -> bool {
    ["Optional", "None", "Any", "object"].iter().any(|word| annotation.contains(word))
}
