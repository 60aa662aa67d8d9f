//! `builder` is a setting of the Flyte 2 configuration, not of an image.
//!
//! # FM111
//!
//! ## What it does
//!
//! Removes `builder`, and says which `image.builder` the configuration of Flyte 2 needs in its place: `local`, or
//! `remote` for `union`.
//!
//! ## Why
//!
//! On Flyte 2 the builder is a setting of the whole configuration, not of an image.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(builder="union", packages=["pandas"])
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
//! image = Image.from_debian_base().with_pip_packages("pandas")
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
//! Informs. The change is safe; the configuration is yours to write, or `--write-config` adds to it (FM325).
//!
//! ## Not handled
//!
//! A builder that Flyte 2 has no counterpart for; `noop` makes the image its base (FM108).
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::BUILDER;
use super::draft::{Draft, ImageContext, Parameter};
use super::{Effect, Finding};

/// Maps `builder`.
pub(super) fn map(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let value = cx.literal(parameter.value);
    let range = parameter.value.range;
    draft.orphan(parameter);
    match value.as_str() {
        // `base_image` decides what becomes of a spec that is not built.
        Some("noop") => {}
        name => match name.and_then(builder_of) {
            Some(builder) => draft.find(setting(range, builder)),
            None => draft.find(
            Finding::new(
                &BUILDER,
                range,
                Effect::Blocking,
                format!("`builder={}` has no counterpart in Flyte 2", parameter.item.value_text),
            )
            .help("Choose `image.builder: local` or `remote` in the Flyte 2 configuration and remove the keyword"),
            ),
        },
    }
}

/// `image.builder` of the Flyte 2 configuration for a builder of Flyte 1.
pub fn builder_of(name: &str) -> Option<&'static str> {
    match name {
        "default" | "envd" | "docker" | "fast-builder" => Some("local"),
        "union" | "unionai" => Some("remote"),
        _ => None,
    }
}

fn setting(range: crate::source::TextRange, builder: &str) -> Finding {
    Finding::new(
        &BUILDER,
        range,
        Effect::Info,
        format!("`builder` moves to the configuration: `image.builder: {builder}`"),
    )
    .help(format!("Write `image:` and below it `  builder: {builder}` into the Flyte 2 config.yaml"))
}
