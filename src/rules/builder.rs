//! `builder` is a setting of the Flyte 2 configuration, not of an image.

use super::codes::BUILDER;
use super::draft::{Draft, ImageContext, Parameter};
use super::{Effect, Finding};

/// Maps `builder`.
pub(super) fn map(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let value = cx.literal(parameter.value);
    let range = parameter.value.range;
    draft.orphan(parameter);
    match value.as_str() {
        Some("default" | "envd" | "docker" | "fast-builder") => draft.find(setting(range, "local")),
        Some("union" | "unionai") => draft.find(setting(range, "remote")),
        // `base_image` decides what becomes of a spec that is not built.
        Some("noop") => {}
        _ => draft.find(
            Finding::new(
                &BUILDER,
                range,
                Effect::Blocking,
                format!("`builder={}` has no counterpart in Flyte 2", parameter.item.value_text),
            )
            .help("Choose `image.builder: local` or `remote` in the Flyte 2 configuration and remove the keyword"),
        ),
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
