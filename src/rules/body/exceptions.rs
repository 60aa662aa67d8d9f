//! Exceptions of Flyte 1 that code raises.
//!
//! Flyte 2 runs a task again after any exception but its own that says otherwise; Flyte 1 only after one that said so.
//!
//! ```python
//! raise FlyteRecoverableException("busy")     # raise RuntimeError("busy")
//! raise FlyteUserException("wrong")           # raise flyte.errors.NonRecoverableError("wrong")
//! ```
//!
//! # FM261
//!
//! ## What it does
//!
//! Turns `FlyteRecoverableException` into `RuntimeError`, and `FlyteUserException` into `flyte.errors.NonRecoverableError`.
//!
//! ## Why
//!
//! Flyte 2 tries again after any exception but its own that says otherwise; Flyte 1 only after one that said so. The pairs are
//! treated in the same way.
//!
//! ## Example
//!
//! ```python
//! from flytekit import task
//! from flytekit.exceptions.user import FlyteRecoverableException
//!
//!
//! @task(retries=2)
//! def step() -> int:
//!     raise FlyteRecoverableException("busy")
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
//! @env.task(retries=2)
//! def step() -> int:
//!     raise RuntimeError("busy")
//! ```
//!
//! ## Fix safety
//!
//! Informs.
//!
//! ## Not handled
//!
//! Other exceptions, arguments that the counterpart does not take, and exceptions that code catches.
//!
//! ## References
//!
//! `flytekit/exceptions/user.py` of flytekit 1.16.31; `flyte/errors.py` of flyte 2.12.1.

use super::mapper::Mapper;
use crate::flyte1::symbol::Symbol;
use crate::project::graph::EntityKind;
use crate::python::Ranged;
use crate::python::ast::{self, Expr, Stmt};
use crate::rules::codes::EXCEPTION;
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// Asked for every statement, from the inside out.
pub(super) fn statement(mapper: &mut Mapper<'_>, stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Raise(node) => raise(mapper, node),
        Stmt::Try(node) if is_eager(mapper) && catches_alike(mapper, node) => {
            mapper.handle(node.range);
            true
        }
        _ => false,
    }
}

fn is_eager(mapper: &Mapper<'_>) -> bool {
    mapper.cx.graph.entity(mapper.node).is_some_and(|entity| entity.kind == EntityKind::Eager)
}

/// Whether it does not matter which exception a task that fails in `try` raises: every handler takes any, and does not
/// look at it.
fn catches_alike(mapper: &Mapper<'_>, node: &ast::StmtTry) -> bool {
    node.handlers.iter().all(|ast::ExceptHandler::ExceptHandler(handler)| {
        let is_any = |class: &Expr| {
            class.as_name_expr().is_some_and(|class| {
                ["Exception", "BaseException"].contains(&class.id.as_str())
                    && !mapper
                        .cx
                        .facts
                        .module
                        .bindings
                        .iter()
                        .any(|binding| binding.name == class.id.as_str())
            })
        };
        handler.name.is_none() && handler.type_.as_deref().is_none_or(is_any)
    })
}

fn raise(mapper: &mut Mapper<'_>, node: &ast::StmtRaise) -> bool {
    let Some(raised) = node.exc.as_deref() else { return false };
    let (class, arguments) = match raised {
        Expr::Call(call) => (&*call.func, Some(&call.arguments)),
        class => (class, None),
    };
    let Some(Symbol::Other(path)) = mapper.cx.symbol(class) else { return false };
    let Some(name) = path
        .strip_prefix("flytekit.exceptions.user.")
        .or_else(|| path.strip_prefix("flytekit.exceptions.base."))
    else {
        return false;
    };
    let has_message =
        arguments.is_some_and(|arguments| arguments.args.len() == 1 && arguments.keywords.is_empty());
    let is_plain = arguments.is_none_or(|arguments| arguments.keywords.is_empty());
    let (replacement, message) = match name {
        "FlyteRecoverableException" if is_plain => (
            "RuntimeError".to_owned(),
            "`FlyteRecoverableException` becomes a plain exception: Flyte 2 tries again after any",
        ),
        "FlyteUserException" if has_message => (
            format!("{}.NonRecoverableError", mapper.submodule("flyte.errors")),
            "`FlyteUserException` becomes `NonRecoverableError`, after which Flyte 2 does not try again",
        ),
        _ => return unknown(mapper, raised.range(), name),
    };
    if mapper.cx.facts.module.bindings.iter().any(|binding| binding.name == replacement) {
        return unknown(mapper, raised.range(), name);
    }
    mapper.consume(class.range());
    mapper.find(Finding::new(&EXCEPTION, raised.range(), Effect::Info, message));
    mapper.rewriter.replace(class.range(), replacement);
    true
}

fn unknown(mapper: &mut Mapper<'_>, range: TextRange, name: &str) -> bool {
    mapper.find(
        Finding::new(
            &EXCEPTION,
            range,
            Effect::Blocking,
            format!("`{name}` with these arguments has no counterpart on Flyte 2"),
        )
        .help("Raise an exception of Python, or one of `flyte.errors`"),
    );
    true
}
