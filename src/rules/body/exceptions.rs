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
use crate::project::graph::{EntityKind, NodeId};
use crate::python::Ranged;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, Stmt};
use crate::rules::codes::{EXCEPTION, PLAIN_CALL};
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
        Stmt::With(node) if !mapper.is_entity() => {
            expects_types(mapper, node);
            false
        }
        _ => false,
    }
}

/// `with pytest.raises(TypeError): f(n="a")`: flytekit looked at the types of what a plain call is given.
fn expects_types(mapper: &mut Mapper<'_>, node: &ast::StmtWith) {
    if !node.items.iter().any(|item| expects_type_error(mapper, &item.context_expr)) {
        return;
    }
    let mut calls = Calls { mapper, found: None };
    calls.visit_body(&node.body);
    let Some((callee, entity)) = calls.found else { return };
    let name = &mapper.cx.text[callee];
    let message =
        format!("`{name}` is called as it is on Flyte 2, which does not look at the types of its inputs");
    mapper.call(callee, entity);
    mapper.find(Finding::new(&PLAIN_CALL, callee, Effect::Info, message).help(
        "Expect what the function itself does, or run it with `flyte.with_runcontext(mode=\"local\").run`",
    ));
}

/// `pytest.raises(TypeError)`, `self.assertRaises(TypeError)`, also among others.
fn expects_type_error(mapper: &Mapper<'_>, expr: &Expr) -> bool {
    let Expr::Call(call) = expr else { return false };
    let is_method = matches!(&*call.func, Expr::Attribute(method)
        if ["assertRaises", "assertRaisesRegex"].contains(&method.attr.as_str()));
    let is_type_error = |class: &Expr| class.as_name_expr().is_some_and(|class| class.id == "TypeError");
    let expected = call.arguments.find_argument_value("expected_exception", 0);
    (is_method || mapper.cx.is_imported(&call.func, "pytest.raises"))
        && expected.is_some_and(|expected| match expected {
            Expr::Tuple(classes) => classes.elts.iter().any(is_type_error),
            class => is_type_error(class),
        })
}

/// Finds the first plain call of an entity.
struct Calls<'m, 'a> {
    mapper: &'m Mapper<'a>,
    found: Option<(TextRange, NodeId)>,
}

impl<'e> SourceOrderVisitor<'e> for Calls<'_, '_> {
    fn visit_expr(&mut self, expr: &'e Expr) {
        if let Expr::Call(call) = expr
            && self.found.is_none()
        {
            self.found = self.mapper.cx.entity(&call.func).map(|entity| (call.func.range(), entity));
        }
        source_order::walk_expr(self, expr);
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
