//! `docs=Documentation(short_description="x")` becomes `docs=flyte.Documentation(description="x")`.
//!
//! The long description and the link to the source have no place on Flyte 2.
//!
//! # FM254
//!
//! ## What it does
//!
//! Turns `Documentation(short_description=…)` into `flyte.Documentation(description=…)`.
//!
//! ## Why
//!
//! Flyte 2 knows one description; the long one and the link to the source have no place.
//!
//! ## Example
//!
//! ```python
//! from flytekit import Documentation, task
//!
//!
//! @task(docs=Documentation(short_description="Counts.", long_description="Counts all of it."))
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Documentation, TaskEnvironment
//!
//! env = TaskEnvironment(name="example")
//!
//!
//! @env.task(docs=Documentation(description="Counts."))
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Informs. Without a long description or a link there is nothing to tell.
//!
//! ## Not handled
//!
//! A `Documentation` that has no short description.
//!
//! ## References
//!
//! `flytekit/models/documentation.py` of flytekit 1.16.31; `flyte/_documentation.py` of flyte 2.12.1.

use super::codes::DOCUMENTATION;
use super::setting::{self, Effects, SettingContext, dropped_references};
use super::{Effect, Finding};
use crate::flyte2::chain::Call as CallText;
use crate::python::scope::Call;
use crate::python::value::ValueKind;

/// The fields of flytekit 1.16.31's `Documentation` in order (`flytekit/models/documentation.py`).
const FIELDS: [&str; 3] = ["short_description", "long_description", "source_code"];

/// Maps `Documentation(…)`.
pub(super) fn map_object(cx: &SettingContext<'_>, call: &Call, effects: &mut Effects) -> Option<CallText> {
    let mut arguments = Vec::new();
    for (name, argument, item) in call.fields(&FIELDS) {
        match name {
            Some(_) if argument.value.kind == ValueKind::None => {}
            Some("short_description") => {
                arguments.push(setting::argument(cx, "description", item, effects));
            }
            Some(field @ ("long_description" | "source_code")) => {
                effects.consumed.extend(dropped_references(cx, item.range));
                effects.findings.push(Finding::new(
                    &DOCUMENTATION,
                    item.range,
                    Effect::Info,
                    format!("`{field}` of the documentation has no place on Flyte 2 and is dropped"),
                ));
            }
            _ => {
                effects.findings.push(
                    Finding::new(
                        &DOCUMENTATION,
                        item.range,
                        Effect::Blocking,
                        format!("`{}` of `Documentation` is not known", item.text),
                    )
                    .help("Write `Documentation(short_description=…)`"),
                );
                return None;
            }
        }
    }
    if arguments.is_empty() {
        effects.findings.push(
            Finding::new(
                &DOCUMENTATION,
                call.range,
                Effect::Blocking,
                "`Documentation` has no `short_description`, the only part that Flyte 2 knows",
            )
            .help("Add one, or remove the keyword"),
        );
        return None;
    }
    effects.uses.push("Documentation");
    Some(CallText {
        callee: (cx.name)("Documentation"),
        arguments,
        dangling: call.items.dangling.clone(),
        ..CallText::default()
    })
}
