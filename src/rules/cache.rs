//! `cache=True, cache_version="1"` and `cache=Cache(version="1")` become `cache=flyte.Cache(...)`.
//!
//! On Flyte 2 `cache=True` raises, and `cache=False` means the setting of the environment, which is "disable".

use super::codes::CACHE;
use super::{Effect, Finding};
use crate::flyte2::chain::{Argument, Call};
use crate::python::scope;
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// The cache keywords of one decorator.
#[derive(Debug, Default)]
pub(super) struct CacheKeywords<'a> {
    /// `cache=`
    pub(super) cache: Option<&'a Value>,
    /// The call, if it is `Cache(…)`.
    pub(super) call: Option<&'a scope::Call>,
    /// `cache_version=`, its text.
    pub(super) version: Option<&'a str>,
    /// `cache_serialize=`, its text.
    pub(super) serialize: Option<&'a str>,
    /// `cache_ignore_input_vars=`, its text.
    pub(super) ignored_inputs: Option<&'a str>,
}

/// Maps the cache keywords to the value of `cache=`; `None` if there is nothing to write.
pub(super) fn map(
    quote: char,
    cache_name: &str,
    keywords: &CacheKeywords<'_>,
    range: TextRange,
    findings: &mut Vec<Finding>,
) -> Option<Call> {
    let behavior = |name: &str| format!("behavior={quote}{name}{quote}");
    let mut arguments = match (keywords.cache.map(|value| &value.kind), keywords.call) {
        (_, Some(call)) => from_call(call, &behavior, findings)?,
        (Some(ValueKind::Bool(true)), None) => {
            let Some(version) = keywords.version else {
                findings
                    .push(blocking(range, "`cache=True` has no `cache_version`; Flyte 1 refuses that too"));
                return None;
            };
            vec![behavior("override"), format!("version_override={version}")]
        }
        (Some(ValueKind::Bool(false) | ValueKind::None), None) => return None,
        (Some(_), None) => {
            findings.push(blocking(range, "`cache` is an expression that cannot be read"));
            return None;
        }
        (None, None) => {
            findings.push(blocking(range, "`cache_version` and its like have no effect without `cache`"));
            return None;
        }
    };
    arguments.extend(keywords.serialize.map(|value| format!("serialize={value}")));
    arguments.extend(keywords.ignored_inputs.map(|value| format!("ignored_inputs={value}")));
    findings.push(Finding::new(
        &CACHE,
        range,
        Effect::Info,
        "`cache` starts empty on Flyte 2: the first run computes everything again",
    ));
    Some(Call {
        callee: cache_name.to_owned(),
        arguments: arguments.into_iter().map(Argument::new).collect(),
        ..Call::default()
    })
}

fn from_call(
    call: &scope::Call,
    behavior: &dyn Fn(&str) -> String,
    findings: &mut Vec<Finding>,
) -> Option<Vec<String>> {
    let mut arguments = Vec::new();
    let mut has_version = false;
    for (position, (argument, item)) in call.arguments.iter().zip(&call.items.items).enumerate() {
        let name =
            argument.name.as_deref().or((position == 0 && !argument.is_double_starred).then_some("version"));
        let value = &item.value_text;
        match name {
            Some("version") if argument.value.kind != ValueKind::None => {
                has_version = true;
                arguments.insert(0, format!("version_override={value}"));
            }
            Some("serialize" | "ignored_inputs" | "salt") => {
                arguments.push(format!("{}={value}", name.unwrap_or_default()));
            }
            Some("policies" | "version") if argument.value.is_empty() => {}
            _ => {
                findings.push(blocking(item.range, &format!("`{}` of `Cache` is not migrated", item.text)));
                return None;
            }
        }
    }
    if !has_version {
        findings.push(
            Finding::new(
                &CACHE,
                call.range,
                Effect::Unsafe,
                "`Cache` without a version becomes `behavior=\"auto\"`, which hashes the body of the function",
            )
            .help("Give a version"),
        );
    }
    arguments.insert(0, behavior(if has_version { "override" } else { "auto" }));
    Some(arguments)
}

fn blocking(range: TextRange, message: &str) -> Finding {
    Finding::new(&CACHE, range, Effect::Blocking, message)
        .help("Write `cache=True` with a `cache_version`, or `cache=Cache(version=…)`")
}
