//! Parameters of `ImageSpec` whose value may be `None` when the module is loaded, which leaves them out on Flyte 1.
//!
//! Flyte 2 has methods in place of parameters, and they take no `None`.

use super::draft::{Draft, ImageContext, Parameter};
use super::{Effect, Finding};
use crate::diagnostic::Rule;
use crate::python::possible::MayBeNone;
use crate::python::value::ValueKind;

/// The expression as what a method is called on.
pub(super) fn parenthesized(parameter: Parameter<'_>) -> String {
    let text = &parameter.item.value_text;
    let is_weak = matches!(
        parameter.value.kind,
        ValueKind::Opaque | ValueKind::Concat(..) | ValueKind::Conditional(..)
    );
    let is_name = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    if is_weak && !is_name { format!("({text})") } else { text.clone() }
}

/// `expression or EMPTY`
pub(super) fn or_empty(parameter: Parameter<'_>, empty: &str) -> String {
    let text = &parameter.item.value_text;
    if matches!(parameter.value.kind, ValueKind::Conditional(..)) {
        format!("({text}) or {empty}")
    } else {
        format!("{text} or {empty}")
    }
}

/// `expression`, or `expression or EMPTY` where it may be `None`.
pub(super) fn or_empty_if_needed(cx: &ImageContext<'_>, parameter: Parameter<'_>, empty: &str) -> String {
    match (cx.strings)(parameter.value.range).none {
        MayBeNone::No => parameter.item.value_text.clone(),
        MayBeNone::Unknown | MayBeNone::Yes => or_empty(parameter, empty),
    }
}

/// Says so where a value that has no counterpart for `None` visibly may be it, and tells whether that is so.
pub(super) fn refuse(
    cx: &ImageContext<'_>,
    draft: &mut Draft,
    rule: &'static Rule,
    parameter: Parameter<'_>,
) -> bool {
    let may_be_none = (cx.strings)(parameter.value.range).none == MayBeNone::Yes;
    if may_be_none {
        let name = parameter.name;
        let message =
            format!("`{name}` may be `None`, which leaves it out on Flyte 1; Flyte 2 takes no `None` here");
        draft.find(
            Finding::new(rule, parameter.value.range, Effect::Blocking, message)
                .help(format!("Give it a default, or make an `ImageSpec` without `{name}` for that case")),
        );
    }
    may_be_none
}
