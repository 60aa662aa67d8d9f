//! `pod_template=PodTemplate(...)`, `pod_template_name="x"`, `labels=` and `annotations=`.
//!
//! Flyte 2's `PodTemplate` has the same four fields and the same defaults; labels and annotations of a task have a
//! place only there.
//!
//! ```python
//! @task(labels={"team": "fraud"})
//! @env.task(pod_template=PodTemplate(labels={"team": "fraud"}))
//! ```
//!
//! # FM251
//!
//! ## What it does
//!
//! Turns `pod_template` and `pod_template_name` into the one `pod_template` of the task.
//!
//! ## Why
//!
//! A pod template of Flyte 2 holds the labels and annotations too, and a task has one template: the object, or the name of one
//! in the cluster.
//!
//! ## Example
//!
//! ```python
//! from flytekit import PodTemplate, task
//!
//!
//! @task(pod_template=PodTemplate(primary_container_name="main"), labels={"team": "fraud"})
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import PodTemplate, task
//!
//!
//! @task(pod_template=PodTemplate(primary_container_name="main", labels={"team": "fraud"}))
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! By hand. A template alone is rewritten with the task.
//!
//! ## Not handled
//!
//! A template beside a name, labels or annotations, and a template that cannot be read.
//!
//! ## References
//!
//! `flytekit/core/pod_template.py` of flytekit 1.16.31; `flyte/_pod.py` of flyte 2.12.1.
//!
//! # FM252
//!
//! ## What it does
//!
//! Puts `labels` and `annotations` of a task into a `PodTemplate`.
//!
//! ## Why
//!
//! `@env.task` has no such keywords; a pod template is where Flyte 2 takes them. It needs the package `kubernetes`, in the image
//! and where the code is deployed.
//!
//! ## Example
//!
//! ```python
//! from flytekit import task
//!
//!
//! @task(labels={"team": "fraud"})
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import PodTemplate, TaskEnvironment
//!
//! env = TaskEnvironment(name="example")
//!
//!
//! @env.task(pod_template=PodTemplate(labels={"team": "fraud"}))
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Unsafe. The image must be able to import `kubernetes`.
//!
//! ## Not handled
//!
//! A task that has a pod template besides (FM251).
//!
//! ## References
//!
//! `flytekit/core/task.py` of flytekit 1.16.31; `flyte/_pod.py` of flyte 2.12.1.

use super::codes::{LABELS, POD_TEMPLATE};
use super::setting::{self, Effects, SettingContext, SettingKind, nested, value_text};
use super::{Effect, Finding};
use crate::flyte2::chain::{Argument, Call as CallText};
use crate::python::items::Item;
use crate::python::scope::Call;
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// The fields of `PodTemplate` in order, the same in both SDKs.
const FIELDS: [&str; 4] = ["pod_spec", "primary_container_name", "labels", "annotations"];

/// Maps `PodTemplate(…)`.
pub(super) fn map_object(cx: &SettingContext<'_>, call: &Call, effects: &mut Effects) -> Option<CallText> {
    let mut arguments = Vec::new();
    for (name, argument, item) in call.fields(&FIELDS) {
        let Some(name) = name else {
            effects.findings.push(
                Finding::new(
                    &POD_TEMPLATE,
                    item.range,
                    Effect::Blocking,
                    format!("`{}` hides what the pod template holds", item.text),
                )
                .help("Write the arguments out"),
            );
            return None;
        };
        arguments.push(match argument.name {
            Some(_) => setting::argument(cx, name, item, effects),
            // What stands at its place still does: the fields are the same.
            None => Argument {
                leading: item.leading.clone(),
                text: value_text(cx, item, effects),
                trailing: item.trailing.clone(),
            },
        });
    }
    effects.uses.push("PodTemplate");
    Some(CallText {
        callee: (cx.name)("PodTemplate"),
        arguments,
        dangling: call.items.dangling.clone(),
        ..CallText::default()
    })
}

/// What a decorator says of the pod.
#[derive(Default)]
pub(super) struct PodKeywords<'a> {
    /// `pod_template=`
    pub(super) template: Option<(&'a Value, &'a Item)>,
    /// `pod_template_name=`
    pub(super) name: Option<(&'a Value, &'a Item)>,
    /// `labels=` and `annotations=`
    pub(super) metadata: Vec<(&'static str, &'a Item)>,
}

/// The value of `pod_template=` on `@env.task`; `None` if there is nothing to write.
pub(super) fn map(
    cx: &SettingContext<'_>,
    keywords: &PodKeywords<'_>,
    effects: &mut Effects,
) -> Option<String> {
    if keywords.template.is_some() || keywords.name.is_some() {
        let others = keywords.metadata.iter().map(|(_, item)| item.range);
        let both = keywords.template.and(keywords.name).map(|(_, item)| item.range);
        if let Some(range) = others.chain(both).next() {
            effects.findings.push(
                Finding::new(
                    &POD_TEMPLATE,
                    range,
                    Effect::Blocking,
                    "a task has one pod template on Flyte 2, which holds its labels and annotations too",
                )
                .help("Put everything into one `PodTemplate(…)`"),
            );
            return None;
        }
    }
    match (keywords.template, keywords.name) {
        (Some((value, item)), _) => template(cx, value, item, effects),
        (None, Some((value, item))) => Some(template_name(cx, value, item, effects)),
        (None, None) => labels(cx, keywords, effects),
    }
}

fn template(cx: &SettingContext<'_>, value: &Value, item: &Item, effects: &mut Effects) -> Option<String> {
    let call = cx.module.calls.iter().find(|call| call.range == value.range);
    if value.kind == ValueKind::Call
        && let Some(mapped) = call.and_then(|call| setting::map(cx, call, effects))
    {
        return Some(nested(cx, "pod_template", mapped));
    }
    let named = (cx.named)(value.range);
    if !named.is_empty() && named.iter().all(|setting| setting.kind == SettingKind::PodTemplate) {
        return Some(item.value_text.clone());
    }
    unreadable(value.range, effects);
    None
}

fn unreadable(range: TextRange, effects: &mut Effects) {
    if !effects.findings.iter().any(|finding| range.contains_range(finding.range)) {
        effects.findings.push(
            Finding::new(
                &POD_TEMPLATE,
                range,
                Effect::Blocking,
                "`pod_template` is no `PodTemplate(…)` that can be read here",
            )
            .help("Write `PodTemplate(…)` into the decorator, or assign it to a name of a module"),
        );
    }
}

/// The name of a template in the cluster; flyte tells it from a template by its type.
fn template_name(cx: &SettingContext<'_>, value: &Value, item: &Item, effects: &mut Effects) -> String {
    let is_string = match &value.kind {
        ValueKind::Str(_) | ValueKind::FString(..) => true,
        ValueKind::Name(name) => (cx.constant)(name).is_some_and(|constant| constant.as_str().is_some()),
        _ => false,
    };
    if !is_string {
        effects.findings.push(
            Finding::new(
                &POD_TEMPLATE,
                value.range,
                Effect::Unsafe,
                "`pod_template_name` cannot be read; Flyte 2 takes it as a name only if it is a string",
            )
            .help("Make sure that it is a string"),
        );
    }
    item.value_text.clone()
}

fn labels(cx: &SettingContext<'_>, keywords: &PodKeywords<'_>, effects: &mut Effects) -> Option<String> {
    let (name, first) = keywords.metadata.first()?;
    effects.findings.push(
        Finding::new(
            &LABELS,
            first.range,
            Effect::Unsafe,
            format!("`{name}` of a task has a place only in a pod template on Flyte 2"),
        )
        .help("Make sure that the image can import `kubernetes`, which a pod template needs"),
    );
    effects.uses.push("PodTemplate");
    let arguments = keywords
        .metadata
        .iter()
        .map(|(name, item)| Argument::new(format!("{name}={}", item.value_text)))
        .collect();
    let call = CallText { callee: (cx.name)("PodTemplate"), arguments, ..CallText::default() };
    Some(nested(cx, "pod_template", call))
}
