//! The keywords of `@workflow`.
//!
//! ```python
//! @workflow(on_failure=clean, interruptible=True)
//! @env.task(interruptible=True)      # `clean` is called in the body: see `body::failure`
//! ```
//!
//! # FM214
//!
//! ## What it does
//!
//! Turns `on_failure` of a workflow into `try` around its body, and gives `interruptible` to the container of the
//! workflow.
//!
//! ## Why
//!
//! A workflow of Flyte 2 is a task. It has no node for failures, and what it is given does not reach the tasks that it
//! calls: on Flyte 1 `interruptible` was the default of all of them.
//!
//! ## Example
//!
//! ```python
//! from flytekit import task, workflow
//!
//!
//! @task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @task
//! def clean(n: int) -> None:
//!     print(n)
//!
//!
//! @workflow(on_failure=clean, interruptible=True)
//! def main(n: int) -> int:
//!     return step(n=n)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import TaskEnvironment
//!
//! env = TaskEnvironment(name="example")
//!
//!
//! @env.task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @env.task
//! def clean(n: int) -> None:
//!     print(n)
//!
//!
//! @env.task(interruptible=True)
//! def main(n: int) -> int:
//!     try:
//!         return step(n=n)
//!     except Exception:
//!         clean(n=n)
//!         raise
//! ```
//!
//! ## Fix safety
//!
//! Unsafe. Calls that are still running when one fails go on beside the handler, and a workflow whose own container
//! dies calls none. Tasks that shall be interruptible need the keyword themselves.
//!
//! ## Not handled
//!
//! A handler that takes the error as `err`, or another input that the workflow has not; a workflow that gives another
//! value to one of its inputs.
//!
//! ## References
//!
//! `flytekit/core/workflow.py` of flytekit 1.16.31.

use super::codes::{TASK_KEYWORD, WORKFLOW_KEYWORD};
use super::setting::{SettingContext, dropped_references};
use super::task::{MappedTask, docs, drop_argument, keep};
use super::{Effect, Finding};
use crate::flyte1::symbol::Symbol;
use crate::python::items::Item;
use crate::python::scope::CallId;
use crate::python::value::{Value, ValueKind};

/// Maps the decorator `call` of a workflow; `None` for a bare `@workflow`.
pub fn map(cx: &SettingContext<'_>, call: Option<CallId>) -> MappedTask {
    let mut mapped = MappedTask::default();
    let Some(call) = call.map(|id| &cx.module.calls[id]) else { return mapped };
    for (argument, item) in call.arguments.iter().zip(&call.items.items) {
        match argument.name.as_deref() {
            Some(name) => keyword(cx, &mut mapped, name, &argument.value, item),
            None => refuse(&mut mapped, item, &item.text, "Write the keywords out"),
        }
    }
    mapped.dangling.extend(call.items.dangling.iter().cloned());
    mapped
}

fn keyword(cx: &SettingContext<'_>, mapped: &mut MappedTask, name: &str, value: &Value, item: &Item) {
    match name {
        _ if value.kind == ValueKind::None => drop_argument(mapped, item),
        "interruptible" if value.kind == ValueKind::Bool(false) => drop_argument(mapped, item),
        "interruptible" => {
            mapped.effects.findings.push(
                Finding::new(
                    &WORKFLOW_KEYWORD,
                    item.range,
                    Effect::Unsafe,
                    "`interruptible` of a workflow is that of its own container on Flyte 2, and no longer the default of the tasks in it",
                )
                .help("Give `interruptible` to each task that may be interrupted as well"),
            );
            keep(mapped, item);
        }
        // What becomes of it stands in the body.
        "on_failure" | "pickle_untyped" => drop_argument(mapped, item),
        "docs" => docs(cx, mapped, value, item),
        "failure_policy" if stops_at_once(cx, value) => {
            mapped.effects.consumed.extend(dropped_references(cx, value.range));
            drop_argument(mapped, item);
        }
        "failure_policy" => refuse(
            mapped,
            item,
            name,
            "Flyte 2 stops at the first failure; to run what can still run, gather with `return_exceptions=True`",
        ),
        _ => refuse(mapped, item, name, "Migrate this workflow by hand, or remove the keyword"),
    }
}

/// `WorkflowFailurePolicy.FAIL_IMMEDIATELY`, which is what Flyte 2 does.
fn stops_at_once(cx: &SettingContext<'_>, value: &Value) -> bool {
    let symbol = (cx.symbol)(value.range);
    matches!(symbol, Some(Symbol::Other(path)) if path == "flytekit.WorkflowFailurePolicy.FAIL_IMMEDIATELY")
}

fn refuse(mapped: &mut MappedTask, item: &Item, what: &str, help: &str) {
    let message = format!("`{what}` of `@workflow` is not migrated");
    let finding = Finding::new(&TASK_KEYWORD, item.range, Effect::Blocking, message).help(help);
    mapped.effects.findings.push(finding);
}
