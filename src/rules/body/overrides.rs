//! `.with_overrides(…)` of a call becomes `.override(…)` of what is called.
//!
//! ```python
//! f(n=1).with_overrides(requests=Resources(cpu="2"), node_name="counting")
//! f.override(resources=Resources(cpu="2"), short_name="counting")(n=1)
//! ```
//!
//! The keywords are those of the decorator, and mapped as there. `override(resources=…)` replaces all resources of
//! the environment, so those that are not overridden are repeated.
//!
//! # FM231
//!
//! ## What it does
//!
//! Turns `.with_overrides(…)` behind a call into `.override(…)` in front of its arguments. The keywords are mapped as those of
//! the decorator.
//!
//! ## Why
//!
//! On Flyte 2 a call returns the result itself, on which nothing can be set. The task is changed before it is called.
//! The image of a task cannot be overridden.
//!
//! ## Example
//!
//! ```python
//! from flytekit import task, workflow
//!
//!
//! @task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @workflow
//! def main(n: int) -> int:
//!     return step(n=n).with_overrides(container_image="ghcr.io/acme/flyte:1")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import task, workflow
//!
//!
//! @task(container_image="ghcr.io/acme/flyte:1")
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @workflow
//! def main(n: int) -> int:
//!     return step(n=n)
//! ```
//!
//! ## Fix safety
//!
//! By hand. Other overrides are rewritten with the workflow, without a finding of their own.
//!
//! ## Not handled
//!
//! `container_image`, `**settings`, and `retries=0` where the task has retries.
//!
//! ## References
//!
//! `with_overrides` in `flytekit/core/node.py` of flytekit 1.16.31; `TaskTemplate.override` in `flyte/_task.py` of flyte 2.12.1.
//!
//! # FM232
//!
//! ## What it does
//!
//! Repeats the resources of the task in `override(resources=…)` that the call does not override.
//!
//! ## Why
//!
//! Flyte 1 merged the resources of a call into those of the task. Flyte 2 replaces all of them, so a call that asks for more
//! processors would lose the memory that the task asks for.
//!
//! ## Example
//!
//! ```python
//! from flytekit import Resources, task, workflow
//!
//!
//! @task(requests=Resources(cpu="1", mem="2Gi"))
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @workflow
//! def main(n: int) -> int:
//!     return step(n=n).with_overrides(requests=Resources(cpu="4"))
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Resources, TaskEnvironment
//!
//! env = TaskEnvironment(name="example", resources=Resources(cpu="1", memory="2Gi"))
//!
//!
//! @env.task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! main_env = TaskEnvironment(name="example_main", depends_on=[env])
//!
//!
//! @main_env.task
//! def main(n: int) -> int:
//!     return step.override(resources=Resources(cpu="4", memory="2Gi"))(n=n)
//! ```
//!
//! ## Fix safety
//!
//! Informs.
//!
//! ## Not handled
//!
//! Resources of the task behind a name: write all resources into the call.
//!
//! ## References
//!
//! `with_overrides` in `flytekit/core/node.py` of flytekit 1.16.31; `TaskTemplate.override` in `flyte/_task.py` of flyte 2.12.1.

use super::calls::NodeCall;
use super::mapper::Mapper;
use crate::flyte2::chain::{Argument, Call, Chain};
use crate::flyte2::layout::{Place, layout};
use crate::project::graph::NodeId;
use crate::project::plan::{map_entity, map_maker};
use crate::project::settings::with_context;
use crate::python::Ranged;
use crate::python::ast;
use crate::python::items::{Item, items_between};
use crate::python::value::{Value, ValueKind};
use crate::rules::codes::{OVERRIDE, OVERRIDE_RESOURCES};
use crate::rules::resources;
use crate::rules::task::{self, EnvironmentSetting, MappedTask, SettingText};
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// `.override(…)` for a call with overrides, else nothing.
pub(super) fn suffix(mapper: &mut Mapper<'_>, call: &NodeCall<'_>) -> String {
    if call.overrides.is_empty() {
        return String::new();
    }
    let tail = TextRange::new(call.call.end(), call.range.end());
    mapper.rewriter.take(tail);
    let mut arguments = Vec::new();
    let mut shared = Vec::new();
    for outer in &call.overrides {
        let items = items_between(mapper.cx.parsed.tokens(), outer.arguments.range, mapper.cx.text);
        for (keyword, item) in outer.arguments.keywords.iter().zip(items.items) {
            own(mapper, call.node, keyword, item, &mut arguments, &mut shared);
        }
        if !outer.arguments.args.is_empty() || !items.dangling.is_empty() {
            let message = "what `with_overrides` holds besides keywords is left out";
            mapper.find(Finding::new(&OVERRIDE, outer.arguments.range, Effect::Info, message));
        }
    }
    let cx = mapper.cx;
    let read = with_context(cx.project, cx.graph, cx.file, call.range.start(), cx.names, |cx| {
        let is_amounts = |name: &str| matches!(name, "requests" | "limits" | "resources");
        let mut amounts = shared.iter().filter(|(name, ..)| is_amounts(name));
        let has_no_gpu = amounts.any(|(_, value, _)| resources::has_no_gpu(cx, value));
        (task::map_keywords(cx, &shared, tail), has_no_gpu)
    });
    let (mapped, has_no_gpu) = read.unwrap_or_default();
    let mut mapped = settle(mapper, mapped);
    arguments.extend(mapped.arguments.iter().cloned());
    let is_resources = |setting: &EnvironmentSetting| setting.name == "resources";
    if has_no_gpu && !mapped.settings.iter().any(is_resources) {
        // Nothing is asked for but that there is no GPU.
        let value = SettingText::Call(Call { callee: mapper.flyte("Resources"), ..Call::default() });
        mapped.settings.push(EnvironmentSetting { name: "resources", value });
    }
    for setting in mapped.settings {
        let text = match setting.value {
            SettingText::Text(text) => text,
            SettingText::Call(mut resources) => {
                repeat_own(mapper, call.node, &mut resources, has_no_gpu, tail);
                laid_out(mapper, resources, true)
            }
        };
        arguments.push(Argument::new(format!("{}={text}", setting.name)));
    }
    if arguments.is_empty() {
        return String::new();
    }
    let has_comments =
        arguments.iter().any(|argument| !argument.leading.is_empty() || argument.trailing.is_some());
    laid_out(mapper, Call { callee: ".override".to_owned(), arguments, ..Call::default() }, !has_comments)
}

/// A call where it stands: on one line, or with a line for each argument.
fn laid_out(mapper: &Mapper<'_>, head: Call, is_inline: bool) -> String {
    let place = Place {
        indent: "        ",
        indent_unit: &mapper.cx.facts.style.indent_unit,
        before: 0,
        after: 0,
        line_length: if is_inline { usize::MAX } else { mapper.cx.names.line_length },
        is_bracketed: true,
    };
    layout(&Chain { head, ..Chain::default() }, place)
}

/// What the mapping of the decorator's keywords asks for.
fn settle(mapper: &mut Mapper<'_>, mut mapped: MappedTask) -> MappedTask {
    let effects = std::mem::take(&mut mapped.effects);
    effects.consumed.into_iter().for_each(|range| mapper.consume(range));
    effects.findings.into_iter().for_each(|finding| mapper.find(finding));
    effects.uses.into_iter().for_each(|name| drop(mapper.flyte(name)));
    effects.imports.into_iter().for_each(|line| mapper.import_line(line));
    mapped
}

/// Keywords that only `with_overrides` has, or that mean something else there; the others are `shared`.
fn own(
    mapper: &mut Mapper<'_>,
    node: NodeId,
    keyword: &ast::Keyword,
    item: Item,
    arguments: &mut Vec<Argument>,
    shared: &mut Vec<(String, Value, Item)>,
) {
    let value = Value::of(&keyword.value);
    let Some(name) = keyword.arg.as_deref() else {
        let message = format!("`{}` hides which settings this call has", item.text);
        refuse(mapper, keyword.range, message, "Write the keywords out");
        return;
    };
    match name {
        "aliases" => {}
        _ if value.kind == ValueKind::None => {}
        "name" | "node_name" => {
            let text = format!("short_name={}", item.value_text);
            let argument = Argument { leading: item.leading, text, trailing: item.trailing };
            if arguments.iter().all(|other| !other.text.starts_with("short_name=")) {
                arguments.push(argument);
            }
        }
        "container_image" => refuse(
            mapper,
            keyword.range,
            "`with_overrides(container_image=…)` has no Flyte 2 form".to_owned(),
            "Declare a second environment with that image, and a second task in it",
        ),
        "retries" if value.kind == ValueKind::Int(0) => {
            if has_retries(mapper, node) {
                refuse(
                    mapper,
                    keyword.range,
                    "`retries=0` cannot take back the retries of the task".to_owned(),
                    "Give the task no retries, and those calls that need them their own",
                );
            }
        }
        "cache" if value.kind == ValueKind::Bool(false) => {
            let text = format!("cache={}", mapper.cx.facts.style.string("disable"));
            arguments.push(Argument { leading: item.leading, text, trailing: item.trailing });
        }
        _ => shared.push((name.to_owned(), value, item)),
    }
}

fn refuse(mapper: &mut Mapper<'_>, range: TextRange, message: String, help: &str) {
    mapper.find(Finding::new(&OVERRIDE, range, Effect::Blocking, message).help(help));
}

/// Whether the called task has retries of its own.
fn has_retries(mapper: &Mapper<'_>, node: NodeId) -> bool {
    let cx = mapper.cx;
    let retries = cx.graph.keyword(cx.project, node, "retries").map(|(_, retries)| retries);
    retries.is_some_and(|retries| retries.value.kind != ValueKind::Int(0))
}

/// What the task has of its own is repeated, unless the call overrides it or takes its GPUs away.
fn repeat_own(
    mapper: &mut Mapper<'_>,
    node: NodeId,
    resources: &mut Call,
    has_no_gpu: bool,
    range: TextRange,
) {
    let cx = mapper.cx;
    let mut own = map_entity(cx.project, cx.graph, node, cx.names);
    let maker = cx.graph.entity(node).filter(|entity| !entity.is_apart).and_then(|entity| entity.maker);
    if let Some(maker) = maker {
        own = map_maker(cx.project, cx.graph, maker, cx.names).settings;
    }
    let setting = own.settings.iter().position(|setting| setting.name == "resources");
    let Some(setting) = setting.map(|position| own.settings.swap_remove(position)) else { return };
    let SettingText::Call(call) = setting.value else {
        refuse(
            mapper,
            range,
            "the task has resources behind a name, which `override` would replace".to_owned(),
            "Write all resources into the call",
        );
        return;
    };
    let field = |text: &str| text.split('=').next().unwrap_or_default().to_owned();
    let mut repeated = Vec::new();
    for argument in call.arguments {
        let name = field(&argument.text);
        let is_taken_away = has_no_gpu && name == "gpu";
        if !is_taken_away && resources.arguments.iter().all(|given| field(&given.text) != name) {
            repeated.push(name);
            resources.arguments.push(Argument::new(argument.text));
        }
    }
    let uses = own.effects.uses.iter().filter(|name| matches!(**name, "GPU" | "TPU" | "Device"));
    let uses = uses.filter(|_| !has_no_gpu);
    uses.for_each(|name| drop(mapper.flyte(name)));
    if !repeated.is_empty() {
        let message = format!(
            "`override` replaces all resources of a task: its own `{}` is repeated here",
            repeated.join("`, `")
        );
        mapper.find(Finding::new(&OVERRIDE_RESOURCES, range, Effect::Info, message));
    }
}
