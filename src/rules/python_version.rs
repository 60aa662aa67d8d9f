//! `python_version="3.11"` becomes `python_version=(3, 11)`.
//!
//! Flyte 2.12.1 knows 3.10 to 3.14. Without the keyword both take the Python that registers.
//!
//! # FM102
//!
//! ## What it does
//!
//! Turns the string into a tuple of major and minor version. The version of the running Python, written as an
//! f-string over `sys.version_info`, is left out: it is the default. Any other expression is split when the
//! module is loaded, and `None` stays the default.
//!
//! ## Why
//!
//! Flyte 2 takes a tuple. It runs on Python 3.10 and newer only.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(python_version="3.9")
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
//! image = Image.from_debian_base(python_version=(3, 9))
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
//! Unsafe. Below 3.10 only: the conversion is exact, but flyte does not run on that Python.
//!
//! ## Not handled
//!
//! A number in place of a string, such as `3.11`, is left to you: `3.10` would be `3.1`.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::PYTHON_VERSION;
use super::draft::{Draft, ImageContext, Parameter};
use super::none::{or_empty, parenthesized};
use super::{Effect, Finding};
use crate::python::possible::MayBeNone;
use crate::python::value::{Value, ValueKind};

/// The oldest Python that flyte 2.12.1 itself runs on.
const OLDEST: (u8, u8) = (3, 10);

/// Maps `python_version`.
pub(super) fn map(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let value = cx.literal(parameter.value);
    if is_running_python(cx, &value) {
        draft.orphan(parameter);
        return;
    }
    match version_of(&value) {
        Some(version) => {
            require_supported(draft, parameter.value, version);
            draft.python_version = Some(version);
            draft.constructor.push(parameter.argument(format!("python_version={}", tuple(version))));
        }
        None if matches!(value.kind, ValueKind::Str(_) | ValueKind::Float(_) | ValueKind::Int(_)) => {
            draft.find(
                Finding::new(
                    &PYTHON_VERSION,
                    parameter.value.range,
                    Effect::Blocking,
                    format!("`python_version={}` names no Python version", parameter.item.value_text),
                )
                .help("Write it as a string with major and minor version, such as \"3.11\""),
            );
        }
        None => {
            let quote = cx.style.quote;
            draft.find(
                Finding::new(
                    &PYTHON_VERSION,
                    parameter.value.range,
                    Effect::Info,
                    "`python_version` cannot be read; Flyte 2 needs Python 3.10 or newer",
                )
                .help("Make sure that it is 3.10 or newer"),
            );
            let version = match (cx.strings)(parameter.value.range).none {
                MayBeNone::No => {
                    let text = parenthesized(parameter);
                    format!("tuple(int(part) for part in {text}.split({quote}.{quote})[:2])")
                }
                MayBeNone::Unknown | MayBeNone::Yes => {
                    let text = or_empty(parameter, &format!("{quote}{quote}"));
                    format!(
                        "tuple(int(part) for part in ({text}).split({quote}.{quote})[:2] if part) or None"
                    )
                }
            };
            draft.constructor.push(parameter.argument(format!("python_version={version}")));
        }
    }
}

/// Says so if Flyte 2 does not run on `version`.
pub(super) fn require_supported(draft: &mut Draft, value: &Value, version: (u8, u8)) {
    if version < OLDEST {
        draft.find(
            Finding::new(
                &PYTHON_VERSION,
                value.range,
                Effect::Unsafe,
                format!("Python {}.{} is older than flyte supports", version.0, version.1),
            )
            .help("Move the image to Python 3.10 or newer"),
        );
    }
}

/// `(3, 11)`
pub(super) fn tuple((major, minor): (u8, u8)) -> String {
    format!("({major}, {minor})")
}

/// The version that a string such as `"3.11"` or `"3.11.4"` names.
fn version_of(value: &Value) -> Option<(u8, u8)> {
    let mut parts = value.as_str()?.split('.');
    let version = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let rest: Vec<&str> = parts.collect();
    (rest.len() <= 1 && rest.iter().all(|part| part.parse::<u16>().is_ok())).then_some(version)
}

/// `f"{sys.version_info.major}.{sys.version_info.minor}"` is what both SDKs take without the keyword.
fn is_running_python(cx: &ImageContext<'_>, value: &Value) -> bool {
    let ValueKind::FString(text, parts) = &value.kind else { return false };
    let parts: Vec<&str> = parts.iter().map(|&range| cx.slice(range)).collect();
    text == "{}.{}"
        && matches!(
            parts.as_slice(),
            [
                "sys.version_info.major" | "sys.version_info[0]",
                "sys.version_info.minor" | "sys.version_info[1]"
            ]
        )
}
