//! `pip_index` and `pip_extra_index_url` move to every layer that installs Python packages.

use super::draft::{Draft, ImageContext, Parameter};
use crate::flyte2::chain::Argument;
use crate::python::value::ValueKind;

/// Maps `pip_index`.
pub(super) fn map_index(_cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    push(draft, parameter, "index_url", &parameter.item.value_text);
}

/// Maps `pip_extra_index_url`.
pub(super) fn map_extra(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let text = &parameter.item.value_text;
    let text = match cx.literal(parameter.value).kind {
        // flyte takes a string as one index; flytekit iterated over it.
        ValueKind::Str(_) => format!("[{text}]"),
        _ => text.clone(),
    };
    push(draft, parameter, "extra_index_urls", &text);
}

/// Maps `pip_extra_args`.
pub(super) fn map_extra_args(draft: &mut Draft, parameter: Parameter<'_>) {
    push(draft, parameter, "extra_args", &parameter.item.value_text);
}

fn push(draft: &mut Draft, parameter: Parameter<'_>, name: &str, value: &str) {
    draft.orphan(parameter);
    draft.option(Argument::new(format!("{name}={value}")));
}
