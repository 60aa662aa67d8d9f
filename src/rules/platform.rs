//! `platform="linux/amd64,linux/arm64"` becomes a tuple.
//!
//! flytekit builds for `linux/amd64` by default, flyte for both architectures.
//!
//! # FM109
//!
//! ## What it does
//!
//! Turns the string into a tuple. Where there is none, says that Flyte 2 builds for two architectures.
//!
//! ## Why
//!
//! The default of Flyte 1 is `linux/amd64`, that of Flyte 2 also `linux/arm64`: the build takes longer, and a
//! package without a wheel for both fails. `--platform flyte1` keeps one.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(packages=["pandas"])
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
//! Informs. The change is safe.
//!
//! ## Not handled
//!
//! Platforms other than strings.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::PLATFORM;
use super::draft::{DefaultPlatform, Draft, ImageContext, Parameter};
use super::none::{or_empty, parenthesized};
use super::{Effect, Finding};
use crate::flyte2::chain::Argument;
use crate::python::possible::MayBeNone;

/// Maps `platform`.
pub(super) fn map(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let value = cx.literal(parameter.value);
    let text = if let Some(platforms) = value.as_str() {
        let platforms: Vec<String> = platforms
            .split(',')
            .map(str::trim)
            .filter(|platform| !platform.is_empty())
            .map(|platform| cx.style.string(platform))
            .collect();
        let comma = if platforms.len() == 1 { "," } else { "" };
        format!("({}{comma})", platforms.join(", "))
    } else {
        let quote = cx.style.quote;
        match (cx.strings)(parameter.value.range).none {
            MayBeNone::No => format!("tuple({}.split({quote},{quote}))", parenthesized(parameter)),
            MayBeNone::Unknown | MayBeNone::Yes => {
                let text = or_empty(parameter, &format!("{quote}{quote}"));
                format!("tuple(part for part in ({text}).split({quote},{quote}) if part) or None")
            }
        }
    };
    draft.constructor.push(parameter.argument(format!("platform={text}")));
}

/// Says what the default is now.
pub(super) fn absent(cx: &ImageContext<'_>, draft: &mut Draft) {
    // A clone has the platforms of its base; Flyte 1 built each image for one.
    if cx.base.as_ref().is_some_and(|base| base.has_platform) {
        draft.constructor.push(Argument::new(format!("platform=({},)", cx.style.string("linux/amd64"))));
        return;
    }
    // `from_base` has one platform, `linux/amd64` (`flyte/_image.py`, flyte 2.12.1).
    if draft.is_foreign(cx) {
        return;
    }
    if cx.default_platform == DefaultPlatform::Flyte1 {
        draft.constructor.push(Argument::new(format!("platform=({},)", cx.style.string("linux/amd64"))));
        return;
    }
    draft.find(
        Finding::new(
            &PLATFORM,
            cx.call.callee,
            Effect::Info,
            "Flyte 2 builds this image for `linux/amd64` and `linux/arm64`, Flyte 1 built it for `linux/amd64`",
        )
        .help("Add `platform=(\"linux/amd64\",)` to keep one architecture"),
    );
}
