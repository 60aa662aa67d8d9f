//! `name` and `registry` go to the constructor.
//!
//! flytekit lower-cases both before it builds (`ImageSpec.image_name`); flyte does not.

use super::codes::{INVALID_CALL, NAME, REGISTRY};
use super::draft::{Draft, ImageContext, Parameter};
use super::{Effect, Finding};
use crate::diagnostic::Rule;

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
        None => draft.find(Finding::new(
            rule,
            parameter.value.range,
            Effect::Info,
            format!("`{keyword}` is an expression; Flyte 1 lower-cased its value, Flyte 2 takes it as it is"),
        )),
    }
    draft.constructor.push(parameter.argument(format!("{keyword}={text}")));
}
