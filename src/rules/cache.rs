//! `cache=True, cache_version="1"` and `cache=Cache(version="1")` become `cache=flyte.Cache(...)`.
//!
//! On Flyte 2 `cache=True` raises, and `cache=False` means the setting of the environment, which is "disable".
//!
//! # FM205
//!
//! ## What it does
//!
//! Turns `cache`, `cache_version`, `cache_serialize` and `cache_ignore_input_vars` into one `flyte.Cache`.
//!
//! ## Why
//!
//! Flyte 2 has one argument for all. Its cache is another one: the first run finds it empty.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train", packages=["pandas"])
//!
//!
//! @task(container_image=image, cache=True, cache_version="1")
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Cache, Image, TaskEnvironment
//!
//! image = Image.from_debian_base(name="train").with_pip_packages("pandas")
//!
//! env = TaskEnvironment(name="example", image=image)
//!
//!
//! @env.task(cache=Cache(behavior="override", version_override="1"))
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Informs. The change is safe; the first run computes everything again. Unsafe where there is no version: Flyte 1 takes it
//! from the policies that it is configured with.
//!
//! ## Not handled
//!
//! `Cache` with a policy that is no literal.
//!
//! ## References
//!
//! [Task configuration](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/)

use super::codes::CACHE;
use super::setting::{self, Effects, SettingContext, SettingKind, dropped_references};
use super::{Effect, Finding};
use crate::flyte1::symbol::Symbol;
use crate::flyte2::chain::{Argument, Call as CallText};
use crate::python::items::Item;
use crate::python::scope::Call;
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// The fields of flytekit 1.16.31's `Cache` in order (`flytekit/core/cache.py`).
const FIELDS: [&str; 5] = ["version", "serialize", "ignored_inputs", "salt", "policies"];

/// The cache keywords of one decorator.
#[derive(Debug, Default)]
pub(super) struct CacheKeywords<'a> {
    /// `cache=`
    pub(super) cache: Option<(&'a Value, &'a Item)>,
    /// `cache_version=`, its text.
    pub(super) version: Option<&'a str>,
    /// `cache_serialize=`, its text.
    pub(super) serialize: Option<&'a str>,
    /// `cache_ignore_input_vars=`, its text.
    pub(super) ignored_inputs: Option<&'a str>,
}

/// The value of `cache=` on `@env.task`.
pub(super) enum MappedCache {
    /// It is written out.
    Call(CallText),
    /// A name that stands for one.
    Name(String),
}

/// Maps the cache keywords; `None` if there is nothing to write.
pub(super) fn map(
    cx: &SettingContext<'_>,
    keywords: &CacheKeywords<'_>,
    range: TextRange,
    effects: &mut Effects,
) -> Option<MappedCache> {
    let value = keywords.cache.map(|(value, _)| value);
    let call = value.and_then(|value| cx.module.calls.iter().find(|call| call.range == value.range));
    let call = call.filter(|call| (cx.symbol)(call.callee) == Some(Symbol::Cache));
    let named = value.map(|value| (cx.named)(value.range)).unwrap_or_default();
    let is_named = !named.is_empty() && named.iter().all(|setting| setting.kind == SettingKind::Cache);
    let has_others = keywords.version.or(keywords.serialize).or(keywords.ignored_inputs).is_some();
    let mapped = if let Some((_, item)) = keywords.cache.filter(|_| call.is_some() || is_named) {
        if has_others {
            effects.findings.push(blocking(
                range,
                "`Cache` and `cache_version` or its like exclude each other in Flyte 1",
            ));
            return None;
        }
        match call {
            Some(call) => MappedCache::Call(setting::map(cx, call, effects)?),
            None => MappedCache::Name(item.value_text.clone()),
        }
    } else {
        MappedCache::Call(from_keywords(cx, keywords, value, range, effects)?)
    };
    effects.findings.push(Finding::new(
        &CACHE,
        range,
        Effect::Info,
        "`cache` starts empty on Flyte 2: the first run computes everything again",
    ));
    Some(mapped)
}

/// `cache=True, cache_version="1"`
fn from_keywords(
    cx: &SettingContext<'_>,
    keywords: &CacheKeywords<'_>,
    value: Option<&Value>,
    range: TextRange,
    effects: &mut Effects,
) -> Option<CallText> {
    let constant = match value.map(|value| &value.kind) {
        Some(ValueKind::Name(name)) => (cx.constant)(name).map(|constant| constant.kind),
        _ => None,
    };
    match constant.as_ref().or(value.map(|value| &value.kind)) {
        Some(ValueKind::Bool(true)) => {}
        Some(ValueKind::Bool(false) | ValueKind::None) => return None,
        Some(_) => {
            effects.findings.push(blocking(range, "`cache` is an expression that cannot be read"));
            return None;
        }
        None if keywords.serialize.or(keywords.ignored_inputs).is_none() => return None,
        None => {
            let message = "`cache_serialize` and its like without `cache` are refused by Flyte 1 too";
            effects.findings.push(blocking(range, message));
            return None;
        }
    }
    let has_others = keywords.serialize.or(keywords.ignored_inputs).is_some();
    let mut arguments = match keywords.version {
        Some(version) => vec![behavior(cx, "override"), Argument::new(format!("version_override={version}"))],
        None if has_others => {
            let message = "`cache_serialize` and its like without `cache_version` are refused by Flyte 1 too";
            effects.findings.push(blocking(range, message));
            return None;
        }
        None => {
            effects.findings.push(hashed(range, "`cache=True`"));
            vec![behavior(cx, "auto")]
        }
    };
    arguments.extend(keywords.serialize.map(|value| Argument::new(format!("serialize={value}"))));
    arguments.extend(keywords.ignored_inputs.map(|value| Argument::new(format!("ignored_inputs={value}"))));
    effects.uses.push("Cache");
    Some(CallText { callee: (cx.name)("Cache"), arguments, ..CallText::default() })
}

fn behavior(cx: &SettingContext<'_>, name: &str) -> Argument {
    Argument::new(format!("behavior={}", cx.style.string(name)))
}

/// Maps `Cache(…)`.
pub(super) fn map_object(cx: &SettingContext<'_>, call: &Call, effects: &mut Effects) -> Option<CallText> {
    let mut arguments = Vec::new();
    let mut has_version = false;
    for (name, argument, item) in call.fields(&FIELDS) {
        match name {
            Some("version" | "policies") if argument.value.is_empty() => {}
            Some("version") => {
                has_version = true;
                arguments.insert(0, setting::argument(cx, "version_override", item, effects));
            }
            Some(field @ ("serialize" | "ignored_inputs" | "salt")) => {
                arguments.push(setting::argument(cx, field, item, effects));
            }
            // With a version no policy is asked.
            Some("policies") if call.keyword("version").is_some_and(|version| !version.value.is_empty()) => {
                effects.consumed.extend(dropped_references(cx, item.range));
            }
            Some("policies") if hashes_body(cx, &argument.value) => {
                effects.consumed.extend(dropped_references(cx, item.range));
            }
            _ => {
                effects
                    .findings
                    .push(blocking(item.range, &format!("`{}` of `Cache` has no counterpart", item.text)));
                return None;
            }
        }
    }
    if !has_version {
        effects.findings.push(hashed(call.range, "`Cache`"));
    }
    arguments.insert(0, behavior(cx, if has_version { "override" } else { "auto" }));
    effects.uses.push("Cache");
    Some(CallText {
        callee: (cx.name)("Cache"),
        arguments,
        dangling: call.items.dangling.clone(),
        ..CallText::default()
    })
}

/// `CacheFunctionBody()`, alone or in a list: what `behavior="auto"` does.
fn hashes_body(cx: &SettingContext<'_>, value: &Value) -> bool {
    if let Some(elements) = value.elements() {
        return matches!(elements, [element] if hashes_body(cx, element));
    }
    let call = cx.module.calls.iter().find(|call| call.range == value.range);
    call.and_then(|call| (cx.symbol)(call.callee))
        .is_some_and(|symbol| matches!(&symbol, Symbol::Other(path) if path.ends_with(".CacheFunctionBody")))
}

/// The finding for a cache without a version: Flyte 1 asks the policies that it is configured with, and union brings one
/// that hashes the body of the function.
fn hashed(range: TextRange, what: &str) -> Finding {
    let message = format!(
        "{what} without a version becomes `behavior=\"auto\"`, which hashes the body of the function"
    );
    Finding::new(&CACHE, range, Effect::Unsafe, message).help("Give a version")
}

fn blocking(range: TextRange, message: &str) -> Finding {
    Finding::new(&CACHE, range, Effect::Blocking, message)
        .help("Write `cache=True` with a `cache_version`, or `cache=Cache(version=…)`")
}
