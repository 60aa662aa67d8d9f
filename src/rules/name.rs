//! `name` and `registry` go to the constructor.
//!
//! flytekit lower-cases both before it builds (`ImageSpec.image_name`); flyte does not.
//!
//! # FM101
//!
//! ## What it does
//!
//! Moves `name` to the constructor. A literal is written in lower case.
//!
//! ## Why
//!
//! Flyte 1 lower-cased the name before it built the image, Flyte 2 takes it as it is, and registries refuse
//! capitals.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="Train")
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
//! image = Image.from_debian_base(name="train")
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
//! Safe. An expression in which capitals can be seen is followed by `.lower()`; another one goes through with a note.
//!
//! ## Not handled
//!
//! A name with white space is refused (FM122).
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)
//!
//! # FM110
//!
//! ## What it does
//!
//! Moves `registry` to the constructor. A literal is written in lower case.
//!
//! ## Why
//!
//! Flyte 1 lower-cased the registry, Flyte 2 takes it as it is. Where an image names none, Flyte 2 takes that of
//! its configuration.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(registry="ghcr.io/Acme")
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
//! image = Image.from_debian_base(registry="ghcr.io/acme")
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
//! Safe. An expression in which capitals can be seen is followed by `.lower()`; another one goes through with a note.
//! Where the image below names a registry and this one none, a note tells that it has that of the image below, which a
//! clone cannot take away.
//!
//! ## Not handled
//!
//! A registry that Flyte 1 itself refuses, such as one with a scheme or a space (FM122).
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::{INVALID_CALL, NAME, REGISTRY};
use super::draft::{Draft, ImageContext, Parameter};
use super::{Effect, Finding};
use crate::diagnostic::Rule;
use crate::python::possible::Strings;
use crate::python::value::ValueKind;

/// Maps `name`.
pub(super) fn map_name(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    draft.has_name = true;
    map(cx, draft, parameter, &NAME);
}

/// Maps `registry`.
pub(super) fn map_registry(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    map(cx, draft, parameter, &REGISTRY);
}

fn map(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>, rule: &'static Rule) {
    let value = cx.literal(parameter.value);
    let keyword = parameter.name;
    let mut text = parameter.item.value_text.clone();
    match value.as_str() {
        Some(literal) if literal.chars().any(char::is_whitespace) => {
            draft.find(
                Finding::new(
                    &INVALID_CALL,
                    parameter.value.range,
                    Effect::Blocking,
                    format!("`{keyword}` holds white space, which no image reference may"),
                )
                .help("Remove the white space"),
            );
        }
        Some(literal) if literal.chars().any(char::is_uppercase) => {
            if parameter.value.as_str().is_some() {
                text = cx.style.string(&literal.to_lowercase());
            } else {
                text = format!("{text}.lower()");
            }
        }
        Some(_) => {}
        None if has_capital(&(cx.strings)(parameter.value.range)) => text = lowered(&value.kind, &text),
        None => draft.find(Finding::new(
            rule,
            parameter.value.range,
            Effect::Info,
            format!("`{keyword}` is an expression; Flyte 1 lower-cased its value, Flyte 2 takes it as it is"),
        )),
    }
    draft.constructor.push(parameter.argument(format!("{keyword}={text}")));
}

/// Whether an expression certainly gives a string, and one with capitals as far as it is known.
fn has_capital(strings: &Strings) -> bool {
    strings.is_one() && strings.known.iter().any(|known| known.text.chars().any(char::is_uppercase))
}

/// An expression that gives what `text` does in lower case.
fn lowered(kind: &ValueKind, text: &str) -> String {
    let is_dotted = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    match kind {
        ValueKind::Name(_) | ValueKind::FString(..) | ValueKind::Call | ValueKind::Subscript(_) => {
            format!("{text}.lower()")
        }
        _ if is_dotted => format!("{text}.lower()"),
        _ => format!("({text}).lower()"),
    }
}
