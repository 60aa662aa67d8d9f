//! Gates: nodes of a workflow that wait for a time or for a person.
//!
//! ```python
//! sleep(timedelta(hours=1))                                        # time.sleep(timedelta(hours=1).total_seconds())
//! n = wait_for_input("n", timeout=timedelta(days=1), expected_type=int)
//! n = flyte.new_condition("n", data_type=int, timeout=timedelta(days=1)).wait()
//! step(n=approve(n, "ok", timeout=timedelta(days=1)))              # step(n=_approve(n, "ok", timeout=…))
//! ```
//!
//! On Flyte 1 what does not read a gate, and is not ordered behind it by `>>`, ran meanwhile. On Flyte 2 the workflow
//! itself waits, so that nothing below a gate begins before it opens, and nothing moves over it. Results are the same.
//!
//! # FM237
//!
//! ## What it does
//!
//! Turns `sleep` into `time.sleep`, `wait_for_input` into a condition, and `approve` into a function that waits for a
//! condition and raises if it is refused.
//!
//! ## Why
//!
//! Flyte 2 has no gate nodes: the code of the workflow waits.
//!
//! ## Example
//!
//! ```python
//! from datetime import timedelta
//!
//! from flytekit import sleep, task, wait_for_input, workflow
//!
//!
//! @task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @workflow
//! def main() -> int:
//!     sleep(timedelta(minutes=1))
//!     n = wait_for_input("n", timeout=timedelta(days=1), expected_type=int)
//!     return step(n=n)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import time
//! from datetime import timedelta
//!
//! from flyte import TaskEnvironment, new_condition
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
//! def main() -> int:
//!     time.sleep(timedelta(minutes=1).total_seconds())
//!     n = new_condition("n", data_type=int, timeout=timedelta(days=1)).wait()
//!     return step(n=n)
//! ```
//!
//! ## Fix safety
//!
//! Unsafe. The container of the workflow stays up while it waits, calls below a gate wait for it even if they do not
//! read it, and conditions need a backend that knows them.
//!
//! ## Not handled
//!
//! A `wait_for_input` for another type than `bool`, `int`, `float` and `str`; overrides of a gate; a gate in code that
//! is no workflow or dynamic.
//!
//! ## References
//!
//! `flytekit/core/gate.py` of flytekit 1.16.31; `flyte/_condition.py` of flyte 2.12.1.

use super::calls::awaited;
use super::mapper::Mapper;
use super::{BodyContext, Helper};
use crate::python::Ranged;
use crate::python::ast::{self, Expr, Stmt};
use crate::rules::codes::GATE;
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// The functions of Flyte 1 that make gates.
const GATES: [&str; 3] = ["sleep", "wait_for_input", "approve"];

/// The types that a condition can have.
const CONDITION_TYPES: [&str; 4] = ["bool", "int", "float", "str"];

/// What `conditional` reads of a value.
const QUESTIONS: [&str; 3] = ["is_true", "is_false", "is_none"];

/// The gate that an expression makes.
pub(super) fn gate(cx: &BodyContext<'_>, expr: &Expr) -> Option<&'static str> {
    let Expr::Call(call) = expr else { return None };
    GATES.into_iter().find(|name| cx.is_flyte1(&call.func, name))
}

/// The construct: a gate in a workflow or dynamic.
pub(super) fn expression(mapper: &mut Mapper<'_>, expr: &Expr) -> bool {
    let Expr::Call(call) = expr else { return false };
    let entity = mapper.cx.graph.entity(mapper.node);
    if entity.is_none_or(|entity| !entity.kind.is_flow()) {
        return false;
    }
    let Some(gate) = gate(mapper.cx, expr) else { return false };
    mapper.consume(call.func.range());
    mapper.handle(call.range);
    let is_written = match gate {
        "sleep" => sleep(mapper, call),
        "wait_for_input" => wait(mapper, call),
        _ => approve(mapper, call),
    };
    if is_written.is_none() {
        refuse(mapper, call.range, format!("`{gate}` with these arguments has no counterpart on Flyte 2"));
    } else if matches!(mapper.parent(), Some(Expr::Attribute(attribute)) if !is_question(&attribute.attr)) {
        refuse(mapper, call.range, format!("an attribute of `{gate}` is read"));
    } else {
        told(mapper, call.func.range(), gate);
    }
    true
}

/// Asked for every statement: of a variable that holds a gate nothing is read that only a node has.
pub(super) fn statement(mapper: &mut Mapper<'_>, stmt: &Stmt) -> bool {
    let Stmt::Assign(assign) = stmt else { return false };
    let Some(gate) = gate(mapper.cx, &assign.value) else { return false };
    let names = assign.targets.iter().filter_map(Expr::as_name_expr);
    let is_node = |attribute: &&str| !is_question(attribute) && *attribute != "runs_before";
    let read = names.flat_map(|name| mapper.values().attributes(&name.id)).find(is_node);
    let message = read.map(|attribute| format!("`{attribute}` of `{gate}` is read"));
    message.into_iter().for_each(|message| refuse(mapper, assign.value.range(), message));
    false
}

fn is_question(attribute: &str) -> bool {
    QUESTIONS.contains(&attribute)
}

/// The arguments by these names, in this order, if there are no others.
fn arguments<'a, const N: usize>(call: &'a ast::ExprCall, names: [&str; N]) -> Option<[&'a Expr; N]> {
    let is_plain = call.arguments.args.iter().all(|argument| !argument.is_starred_expr());
    if !is_plain || call.arguments.len() != N {
        return None;
    }
    let mut found = Vec::new();
    for (position, name) in names.into_iter().enumerate() {
        found.push(call.arguments.find_argument_value(name, position)?);
    }
    found.try_into().ok()
}

fn sleep(mapper: &mut Mapper<'_>, call: &ast::ExprCall) -> Option<()> {
    let [duration] = arguments(call, ["duration"])?;
    let text = mapper.rewriter.take(duration.range());
    let is_operand =
        matches!(duration, Expr::Call(_) | Expr::Name(_) | Expr::Attribute(_) | Expr::Subscript(_));
    let text = if is_operand { text } else { format!("({text})") };
    let module = mapper.module(if mapper.is_async() { "asyncio" } else { "time" });
    write(mapper, call.range, format!("{module}.sleep({text}.total_seconds())"));
    if mapper.is_async() {
        awaited(mapper, call.range);
    }
    Some(())
}

fn wait(mapper: &mut Mapper<'_>, call: &ast::ExprCall) -> Option<()> {
    let [name, timeout, expected] = arguments(call, ["name", "timeout", "expected_type"])?;
    let is_builtin = |name: &str| !mapper.cx.facts.module.bindings.iter().any(|binding| binding.name == name);
    let kind = expected.as_name_expr()?.id.as_str();
    if timeout.is_none_literal_expr() || !CONDITION_TYPES.contains(&kind) || !is_builtin(kind) {
        return None;
    }
    let [name, timeout] = [name, timeout].map(|part| mapper.rewriter.take(part.range()));
    let condition = mapper.flyte("new_condition");
    let arguments = format!("({name}, data_type={kind}, timeout={timeout})");
    if mapper.is_async() {
        let text = format!("(await {condition}.aio{arguments}).wait.aio()");
        write(mapper, call.range, text);
        awaited(mapper, call.range);
    } else {
        write(mapper, call.range, format!("{condition}{arguments}.wait()"));
    }
    Some(())
}

/// The function takes what `approve` takes.
fn approve(mapper: &mut Mapper<'_>, call: &ast::ExprCall) -> Option<()> {
    let [_, _, timeout] = arguments(call, ["upstream_item", "name", "timeout"])?;
    let helper = if mapper.is_async() { Helper::ApproveAsync } else { Helper::Approve };
    if timeout.is_none_literal_expr() {
        return None;
    }
    if mapper.cx.facts.module.bindings.iter().any(|binding| binding.name == helper.name()) {
        refuse(mapper, call.range, format!("`{}` has another meaning in this file", helper.name()));
    }
    mapper.flyte("new_condition");
    let name = mapper.helper(helper);
    mapper.rewriter.replace(call.func.range(), name);
    if mapper.is_async() {
        awaited(mapper, call.range);
    }
    Some(())
}

fn write(mapper: &mut Mapper<'_>, range: TextRange, text: String) {
    mapper.rewriter.take(range);
    mapper.rewriter.replace(range, text);
}

fn told(mapper: &mut Mapper<'_>, range: TextRange, gate: &str) {
    let (what, help) = match gate {
        "sleep" => ("waits in the container of the workflow", "Move what may run meanwhile above it"),
        _ => (
            "becomes a condition, which the workflow waits for",
            "Make sure that the backend knows conditions, and move what may run meanwhile above it",
        ),
    };
    let message = format!("`{gate}` {what}; what stands below begins behind it");
    mapper.find(Finding::new(&GATE, range, Effect::Unsafe, message).help(help));
}

fn refuse(mapper: &mut Mapper<'_>, range: TextRange, message: String) {
    let help = "Wait with `time.sleep` or `flyte.new_condition(…).wait()` by hand";
    mapper.find(Finding::new(&GATE, range, Effect::Blocking, message).help(help));
}
