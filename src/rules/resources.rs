//! `requests=Resources(...)` and `limits=Resources(...)` become `resources=flyte.Resources(...)` of the environment.
//!
//! One value is a request; a pair is a request and a limit, for cpu and memory only. `resources=Resources(...)` of
//! Flyte 1 means the same.
//!
//! ```python
//! requests=Resources(cpu="1", mem="1Gi"), limits=Resources(cpu="2", mem="2Gi")
//! resources=Resources(cpu=("1", "2"), memory=("1Gi", "2Gi"))
//! ```
//!
//! # FM204
//!
//! ## What it does
//!
//! Makes one `Resources` of `requests` and `limits`, as an argument of the environment: a pair where they differ.
//!
//! ## Why
//!
//! Flyte 2 has one setting for both.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, Resources, task
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image, requests=Resources(cpu="1", mem="1Gi"), limits=Resources(cpu="2"))
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Image, Resources, TaskEnvironment
//!
//! image = Image.from_debian_base(name="train").with_pip_packages("pandas")
//!
//! env = TaskEnvironment(
//!     name="example", image=image, resources=Resources(cpu=("1", "2"), memory="1Gi")
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
//! Safe. Limits without requests are unsafe: Flyte 1 took the requests of the cluster.
//!
//! ## Not handled
//!
//! Quantities that are no literals.
//!
//! ## References
//!
//! [Task configuration](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/)

use super::accelerator::{self, Accelerator};
use super::codes::RESOURCES;
use super::setting::{self, Effects, NamedSetting, SettingContext, SettingKind};
use super::{Effect, Finding};
use crate::flyte1::symbol::Symbol;
use crate::flyte2::chain::{Argument, Call as CallText};
use crate::python::items::Item;
use crate::python::scope::Call;
use crate::python::style::Style;
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// The fields of flytekit 1.16.31's `Resources` in order (`flytekit/core/resources.py`).
const FIELDS: [&str; 4] = ["cpu", "mem", "gpu", "ephemeral_storage"];
/// What Flyte 2 calls them.
const NAMES: [&str; 4] = ["cpu", "memory", "gpu", "disk"];
const GPU: usize = 2;
const DISK: usize = 3;

/// The amounts of one side, as Flyte 2 takes them.
#[derive(Debug, Default)]
struct Side {
    fields: [Option<String>; 4],
}

/// `Resources(…)` in the decorator or behind a name.
#[derive(Clone, Copy)]
pub(super) struct Amounts<'a> {
    /// The text of the file that it stands in.
    text: &'a str,
    style: &'a Style,
    call: &'a Call,
    /// The name in the decorator; `None` if it stands there itself.
    name: Option<TextRange>,
}

/// What a decorator says of resources.
#[derive(Default)]
pub(super) struct Wanted<'a> {
    /// `requests=`
    pub(super) requests: Option<Amounts<'a>>,
    /// `limits=`
    pub(super) limits: Option<Amounts<'a>>,
    /// `resources=`
    pub(super) both: Option<Amounts<'a>>,
    /// `accelerator=`
    pub(super) accelerator: Option<Accelerator>,
    /// The value of `shm=`.
    pub(super) shared_memory: Option<String>,
    /// An expression that gives one of several, with its place.
    pub(super) choice: Option<(TextRange, String)>,
    /// Whether a plugin asks for more shared memory.
    pub(super) increases_shared_memory: bool,
}

/// Whether the value of a keyword that takes `Resources` asks for no GPU by name: `Resources(gpu="0")`.
pub(super) fn has_no_gpu(cx: &SettingContext<'_>, value: &Value) -> bool {
    let is_none = |amounts: Amounts<'_>| {
        let mut fields = amounts.call.fields(&FIELDS);
        let gpu = fields.find(|(name, ..)| *name == Some(FIELDS[GPU]));
        gpu.and_then(|(_, argument, _)| amount(cx, amounts, GPU, &argument.value)).as_deref() == Some("0")
    };
    amounts(cx, value, &mut Effects::default()).is_some_and(is_none)
}

/// Reads the value of a keyword that takes `Resources`.
pub(super) fn amounts<'a>(
    cx: &SettingContext<'a>,
    value: &Value,
    effects: &mut Effects,
) -> Option<Amounts<'a>> {
    let mut calls = cx.module.calls.iter();
    if let Some(call) = calls.find(|call| call.range == value.range)
        && (cx.symbol)(call.callee) == Some(Symbol::Resources)
    {
        effects.consumed.push(call.callee);
        return Some(Amounts { text: cx.text, style: cx.style, call, name: None });
    }
    if let [
        NamedSetting {
            text,
            style,
            call,
            kind: SettingKind::Resources,
            is_in_tuple: false,
            is_choice: false,
        },
    ] = (cx.named)(value.range)[..]
    {
        return Some(Amounts { text, style, call, name: Some(value.range) });
    }
    effects.findings.push(unknown(cx, value.range));
    None
}

fn unknown(cx: &SettingContext<'_>, range: TextRange) -> Finding {
    let message = format!("`{}` is no `Resources(…)` that can be read here", &cx.text[range]);
    Finding::new(&RESOURCES, range, Effect::Blocking, message)
        .help("Write `Resources(…)` into the decorator, or assign it to a name of a module")
}

/// Why an expression that gives one of several is not read.
pub(super) fn several(cx: &SettingContext<'_>, range: TextRange) -> Finding {
    let message = format!(
        "`{}` gives one of several `Resources`, which cannot be put together with more",
        &cx.text[range]
    );
    Finding::new(&RESOURCES, range, Effect::Blocking, message).help(
        "Choose between whole `resources=Resources(…)`, with pairs of request and limit, and devices apart",
    )
}

/// Reads an expression that gives one of several `Resources`, which Flyte 2 takes where nothing has to be put together.
pub(super) fn choice(
    cx: &SettingContext<'_>,
    value: &Value,
    item: &Item,
    effects: &mut Effects,
) -> Option<(TextRange, String)> {
    is_choice(cx, value).then(|| (value.range, setting::value_text(cx, item, effects)))
}

fn is_choice(cx: &SettingContext<'_>, value: &Value) -> bool {
    let is_resources = |value: &Value| {
        let mut calls = cx.module.calls.iter();
        let named = (cx.named)(value.range);
        value.kind == ValueKind::None
            || calls
                .any(|call| call.range == value.range && (cx.symbol)(call.callee) == Some(Symbol::Resources))
            || matches!(named[..], [NamedSetting { kind: SettingKind::Resources, is_in_tuple: false, .. }])
    };
    if let ValueKind::Conditional(value, otherwise) = &value.kind {
        return [value, otherwise].into_iter().all(|value| is_resources(value) || is_choice(cx, value));
    }
    let named = (cx.named)(value.range);
    !named.is_empty() && named.iter().all(|named| named.is_choice)
}

/// The text of the resources, if they are wanted as they are: a name, or one of several.
pub(super) fn map_text(cx: &SettingContext<'_>, wanted: &Wanted<'_>) -> Option<String> {
    let Wanted { requests, limits, both, accelerator, shared_memory, choice, increases_shared_memory } =
        wanted;
    let is_alone =
        limits.is_none() && accelerator.is_none() && shared_memory.is_none() && !increases_shared_memory;
    match (requests, both, choice) {
        (Some(amounts), None, None) | (None, Some(amounts), None) => {
            amounts.name.filter(|_| is_alone).map(|name| cx.text[name].to_owned())
        }
        (None, None, Some((_, text))) if is_alone => Some(text.clone()),
        _ => None,
    }
}

/// Maps what a decorator says; `None` if there is nothing to write.
pub(super) fn map(cx: &SettingContext<'_>, wanted: &Wanted<'_>, effects: &mut Effects) -> Option<CallText> {
    if let Some((range, _)) = wanted.choice {
        effects.findings.push(several(cx, range));
        return None;
    }
    let (requests, limits) = sides(cx, wanted, effects);
    let place = [wanted.requests, wanted.limits, wanted.both].into_iter().flatten().next();
    let range = place.map(|amounts| amounts.name.unwrap_or(amounts.call.range));
    let range =
        range.or(wanted.accelerator.as_ref().map(|accelerator| accelerator.range)).unwrap_or_default();
    let mut arguments = Vec::new();
    for (field, name) in NAMES.into_iter().enumerate().take(GPU) {
        match (&requests.fields[field], &limits.fields[field]) {
            (Some(request), Some(limit)) => arguments.push(format!("{name}=({request}, {limit})")),
            (Some(request), None) => arguments.push(format!("{name}={request}")),
            (None, Some(limit)) => {
                only_limit(&mut effects.findings, range, name);
                arguments.push(format!("{name}=({limit}, {limit})"));
            }
            (None, None) => {}
        }
    }
    let count = gpu(&requests, &limits, range, &mut effects.findings);
    match &wanted.accelerator {
        Some(accelerator) => {
            let count = count.and_then(|count| count.parse().ok()).unwrap_or(1);
            arguments
                .extend(accelerator::map(cx, accelerator, count, effects).map(|gpu| format!("gpu={gpu}")));
        }
        None => arguments.extend(count.map(|count| format!("gpu={count}"))),
    }
    arguments.extend(disk(&requests, &limits, range, &mut effects.findings));
    let increased = wanted.increases_shared_memory.then(|| cx.style.string("auto"));
    arguments.extend(wanted.shared_memory.clone().or(increased).map(|size| format!("shm={size}")));
    if arguments.is_empty() {
        return None;
    }
    effects.uses.push("Resources");
    Some(CallText {
        callee: (cx.name)("Resources"),
        arguments: arguments.into_iter().map(Argument::new).collect(),
        ..CallText::default()
    })
}

/// Maps `Resources(…)` where it stands, with its comments.
pub(super) fn map_object(cx: &SettingContext<'_>, call: &Call, effects: &mut Effects) -> Option<CallText> {
    let own = Amounts { text: cx.text, style: cx.style, call, name: None };
    let before = effects.findings.len();
    let mut arguments = Vec::new();
    for (name, argument, item) in call.fields(&FIELDS) {
        if argument.value.kind == ValueKind::None {
            continue;
        }
        if argument.is_double_starred
            && let Some(spread) = spread(cx, own, &argument.value)
        {
            let is_written = |(field, amount): &(usize, String)| *field != GPU || amount != "0";
            let spread = spread.into_iter().filter(is_written);
            let texts: Vec<String> =
                spread.map(|(field, amount)| format!("{}={amount}", NAMES[field])).collect();
            let last = texts.len().saturating_sub(1);
            arguments.extend(texts.into_iter().enumerate().map(|(index, text)| Argument {
                leading: if index == 0 { item.leading.clone() } else { Vec::new() },
                text,
                trailing: if index == last { item.trailing.clone() } else { None },
            }));
            continue;
        }
        let field = name.and_then(|name| FIELDS.iter().position(|field| *field == name));
        let Some((field, (request, limit))) =
            field.and_then(|field| Some((field, pair(cx, own, field, &argument.value)?)))
        else {
            effects.findings.push(unreadable(cx, own, argument.value.range));
            continue;
        };
        let value = match limit {
            Some(limit) if field < GPU => format!("({request}, {limit})"),
            Some(limit) if field == GPU && limit != request => {
                effects.findings.push(gpus_differ(argument.value.range));
                continue;
            }
            Some(_) if field == DISK => {
                effects.findings.push(disk_limit(argument.value.range));
                request
            }
            _ => request,
        };
        if field == GPU && value == "0" {
            continue;
        }
        arguments.push(Argument {
            leading: item.leading.clone(),
            text: format!("{}={value}", NAMES[field]),
            trailing: item.trailing.clone(),
        });
    }
    if effects.findings[before..].iter().any(|finding| finding.effect == Effect::Blocking) {
        return None;
    }
    effects.uses.push("Resources");
    Some(CallText {
        callee: (cx.name)("Resources"),
        arguments,
        dangling: call.items.dangling.clone(),
        ..CallText::default()
    })
}

fn only_limit(findings: &mut Vec<Finding>, range: TextRange, name: &str) {
    findings.push(
        Finding::new(
            &RESOURCES,
            range,
            Effect::Unsafe,
            format!("`{name}` has a limit only; on Flyte 2 the same amount is also requested"),
        )
        .help("Give the request that the platform used by default"),
    );
}

fn gpu(requests: &Side, limits: &Side, range: TextRange, findings: &mut Vec<Finding>) -> Option<String> {
    let (request, limit) = (requests.fields[GPU].as_ref(), limits.fields[GPU].as_ref());
    if let (Some(request), Some(limit)) = (request, limit)
        && request != limit
    {
        findings.push(gpus_differ(range));
    }
    limit.or(request).filter(|count| *count != "0").cloned()
}

fn gpus_differ(range: TextRange) -> Finding {
    Finding::new(&RESOURCES, range, Effect::Blocking, "`gpu` differs between requests and limits")
        .help("Give the same number of GPUs in both")
}

fn disk(requests: &Side, limits: &Side, range: TextRange, findings: &mut Vec<Finding>) -> Option<String> {
    let (request, limit) = (requests.fields[DISK].as_ref(), limits.fields[DISK].as_ref());
    if limit.is_some() {
        findings.push(disk_limit(range));
    }
    request.or(limit).map(|size| format!("disk={size}"))
}

fn disk_limit(range: TextRange) -> Finding {
    Finding::new(
        &RESOURCES,
        range,
        Effect::Unsafe,
        "`ephemeral_storage` has no limit on Flyte 2; `disk` is a request",
    )
    .help("Set a limit with a pod template if you need one")
}

fn sides(cx: &SettingContext<'_>, wanted: &Wanted<'_>, effects: &mut Effects) -> (Side, Side) {
    let (mut requests, mut limits) = (Side::default(), Side::default());
    if let Some(amounts) = wanted.both {
        read(cx, amounts, effects, |field, request, limit| {
            requests.fields[field] = Some(request);
            limits.fields[field] = limit;
        });
    }
    if let Some(amounts) = wanted.requests {
        read(cx, amounts, effects, |field, request, _| requests.fields[field] = Some(request));
    }
    if let Some(amounts) = wanted.limits {
        read(cx, amounts, effects, |field, limit, _| limits.fields[field] = Some(limit));
    }
    (requests, limits)
}

/// Gives each amount, and its limit where it is a pair, to `take`.
fn read(
    cx: &SettingContext<'_>,
    amounts: Amounts<'_>,
    effects: &mut Effects,
    mut take: impl FnMut(usize, String, Option<String>),
) {
    for (name, argument, _) in amounts.call.fields(&FIELDS) {
        if argument.value.kind == ValueKind::None {
            continue;
        }
        if argument.is_double_starred
            && let Some(spread) = spread(cx, amounts, &argument.value)
        {
            spread.into_iter().for_each(|(field, request)| take(field, request, None));
            continue;
        }
        let field = name.and_then(|name| FIELDS.iter().position(|field| *field == name));
        match field.and_then(|field| Some((field, pair(cx, amounts, field, &argument.value)?))) {
            Some((field, (request, limit))) => take(field, request, limit),
            None => effects.findings.push(unreadable(cx, amounts, argument.value.range)),
        }
    }
}

fn unreadable(cx: &SettingContext<'_>, amounts: Amounts<'_>, range: TextRange) -> Finding {
    let text = &amounts.text[range];
    let message = match amounts.name {
        None => format!("`{text}` is no literal amount that Flyte 2 takes"),
        Some(name) => format!("`{text}` of `{}` is no literal amount that Flyte 2 takes", &cx.text[name]),
    };
    Finding::new(&RESOURCES, amounts.name.unwrap_or(range), Effect::Blocking, message)
        .help("Write the amount out, or migrate this task by hand")
}

/// An amount and, where it is a list or tuple of two, its limit.
fn pair(
    cx: &SettingContext<'_>,
    amounts: Amounts<'_>,
    field: usize,
    value: &Value,
) -> Option<(String, Option<String>)> {
    match value.elements() {
        Some([request, limit]) => {
            Some((amount(cx, amounts, field, request)?, Some(amount(cx, amounts, field, limit)?)))
        }
        Some(_) => None,
        None => Some((amount(cx, amounts, field, value)?, None)),
    }
}

/// The amount as Flyte 2 takes it: memory and disk as strings, GPUs as a number.
fn amount(cx: &SettingContext<'_>, amounts: Amounts<'_>, field: usize, value: &Value) -> Option<String> {
    let source = amounts.text[value.range].to_owned();
    match (field, &value.kind) {
        (0, ValueKind::Str(_) | ValueKind::Int(_) | ValueKind::Float(_)) | (1 | DISK, ValueKind::Str(_)) => {
            Some(source)
        }
        (1 | DISK, ValueKind::Int(bytes)) => Some(amounts.style.string(&bytes.to_string())),
        (GPU, ValueKind::Int(count)) => Some(count.to_string()),
        (GPU, ValueKind::Str(count)) => count.trim().parse::<u32>().ok().map(|count| count.to_string()),
        (_, ValueKind::Name(_) | ValueKind::Opaque | ValueKind::Subscript(_)) if amounts.name.is_none() => {
            named(field, &constant(cx, amounts.text, value)?, source)
        }
        (0 | 1 | DISK, ValueKind::FString(..)) if amounts.name.is_none() => Some(source),
        _ => None,
    }
}

/// The literal that a name of this file, alone, with attributes, or with a key of its dict, certainly stands for.
fn constant(cx: &SettingContext<'_>, text: &str, value: &Value) -> Option<Value> {
    let ValueKind::Subscript(container) = &value.kind else { return (cx.constant)(&text[value.range]) };
    let key = &text[TextRange::new(container.range.end(), value.range.end())];
    let key = key.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let key = ['"', '\''].iter().find_map(|quote| key.strip_prefix(*quote)?.strip_suffix(*quote))?;
    let items = items(cx, text, container)?;
    items.into_iter().rfind(|(name, _)| name == key).map(|(_, value)| value)
}

/// The keys and values of the dict that a name certainly stands for.
fn items(cx: &SettingContext<'_>, text: &str, value: &Value) -> Option<Vec<(String, Value)>> {
    let ValueKind::Dict(items) = (cx.constant)(&text[value.range])?.kind else { return None };
    let item = |(key, value): (Option<Value>, Value)| Some((key?.as_str()?.to_owned(), value));
    items.into_iter().map(item).collect()
}

/// `**AMOUNTS`: each amount is read from the dict by its key.
fn spread(cx: &SettingContext<'_>, amounts: Amounts<'_>, value: &Value) -> Option<Vec<(usize, String)>> {
    let items = items(cx, amounts.text, value).filter(|_| amounts.name.is_none())?;
    let given = items.into_iter().filter(|(_, value)| value.kind != ValueKind::None);
    let dict = &amounts.text[value.range];
    let amount = |(key, value): (String, Value)| {
        let field = FIELDS.iter().position(|field| *field == key)?;
        let source = format!("{dict}[{}]", amounts.style.string(&key));
        Some((field, named(field, &value, source)?))
    };
    given.map(amount).collect()
}

/// An amount that is read from `source`; its value tells whether Flyte 2 takes it as it is.
fn named(field: usize, value: &Value, source: String) -> Option<String> {
    match (field, &value.kind) {
        (0, ValueKind::Str(_) | ValueKind::Int(_) | ValueKind::Float(_))
        | (1 | DISK, ValueKind::Str(_))
        | (GPU, ValueKind::Int(1..)) => Some(source),
        (1 | DISK, ValueKind::Int(_)) => Some(format!("str({source})")),
        (GPU, ValueKind::Int(0)) => Some("0".to_owned()),
        (GPU, ValueKind::Str(count)) => match count.trim().parse::<u32>().ok()? {
            0 => Some("0".to_owned()),
            _ => Some(format!("int({source})")),
        },
        _ => None,
    }
}
