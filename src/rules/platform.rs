//! `platform="linux/amd64,linux/arm64"` becomes a tuple.
//!
//! flytekit builds for `linux/amd64` by default, flyte for both architectures.

use super::codes::PLATFORM;
use super::draft::{DefaultPlatform, Draft, ImageContext, Parameter};
use super::{Effect, Finding};
use crate::flyte2::chain::Argument;

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
        format!("tuple({}.split({quote},{quote}))", parameter.item.value_text)
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
