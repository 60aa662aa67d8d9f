//! Exceptions that plain code expects of calls of tasks and workflows: tests, scripts, the `__main__` block.
//!
//! ```python
//! with pytest.raises(ValueError):
//!     check(n=-1)                    # raises `flyte.errors.RuntimeUserError`, whatever the function raises
//! ```
//!
//! Source: `TaskTemplate.__call__` in `flyte/_task.py` of flyte 2.12.1. What is awaited is the function itself.

use std::collections::HashSet;

use super::BodyContext;
use super::mapper::Mapper;
use crate::project::graph::{EntityKind, NodeId};
use crate::python::Ranged;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, Stmt};
use crate::rules::codes::PLAIN_CALL;
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// Asked for every statement, from the inside out.
pub(super) fn statement(mapper: &mut Mapper<'_>, stmt: &Stmt) -> bool {
    if mapper.is_entity() {
        return false;
    }
    match stmt {
        Stmt::With(node) => {
            let expected = node.items.iter().filter_map(|item| raises(mapper, &item.context_expr));
            let expected: Vec<&Expr> = expected.flat_map(classes).collect();
            if expected.iter().any(|class| is_one_of(class, &["TypeError"])) {
                expects_types(mapper, &node.body);
            } else if let [class, ..] = expected[..]
                && !expected.iter().any(|class| is_any(class))
            {
                expects_another(mapper, &node.body, class);
            }
        }
        Stmt::Try(node) => {
            let handlers = node.handlers.iter().filter_map(ast::ExceptHandler::as_except_handler);
            let mut caught = handlers.filter_map(|handler| handler.type_.as_deref()).map(classes);
            if let Some(caught) = caught.find(|caught| !caught.iter().any(|class| is_any(class))) {
                caught.first().into_iter().for_each(|class| expects_another(mapper, &node.body, class));
            }
        }
        _ => {}
    }
    false
}

/// What `pytest.raises(ValueError)` and `self.assertRaises(ValueError)` expect.
fn raises<'e>(mapper: &Mapper<'_>, expr: &'e Expr) -> Option<&'e Expr> {
    let Expr::Call(call) = expr else { return None };
    let is_method = matches!(&*call.func, Expr::Attribute(method)
        if ["assertRaises", "assertRaisesRegex"].contains(&method.attr.as_str()));
    let expected = call.arguments.find_argument_value("expected_exception", 0);
    expected.filter(|_| is_method || mapper.cx.is_imported(&call.func, "pytest.raises"))
}

fn classes(expected: &Expr) -> Vec<&Expr> {
    match expected {
        Expr::Tuple(classes) => classes.elts.iter().collect(),
        class => vec![class],
    }
}

fn is_one_of(class: &Expr, names: &[&str]) -> bool {
    class.as_name_expr().is_some_and(|class| names.contains(&class.id.as_str()))
}

/// Whether a class holds whatever Flyte 2 raises, or what it lets through.
fn is_any(class: &Expr) -> bool {
    is_one_of(class, &["Exception", "BaseException", "KeyboardInterrupt", "SystemExit"])
}

/// flytekit looked at the types of what a plain call is given.
fn expects_types(mapper: &mut Mapper<'_>, body: &[Stmt]) {
    let Some((callee, entity)) = calls(mapper.cx, body).first().copied() else { return };
    let name = &mapper.cx.text[callee];
    let message =
        format!("`{name}` is called as it is on Flyte 2, which does not look at the types of its inputs");
    mapper.call(callee, entity);
    mapper.find(Finding::new(&PLAIN_CALL, callee, Effect::Info, message).help(
        "Expect what the function itself does, or run it with `flyte.with_runcontext(mode=\"local\").run`",
    ));
}

/// flytekit raised what the function raises.
fn expects_another(mapper: &mut Mapper<'_>, body: &[Stmt], class: &Expr) {
    let cx = mapper.cx;
    let calls = calls(cx, body);
    let Some((callee, entity)) = calls.into_iter().find(|(_, entity)| raises_another(cx, *entity)) else {
        return;
    };
    let message = format!(
        "`{}` may raise `{}`, which is a `flyte.errors.RuntimeUserError` on Flyte 2",
        &cx.text[callee],
        &cx.text[class.range()]
    );
    mapper.call(callee, entity);
    mapper.find(
        Finding::new(&PLAIN_CALL, callee, Effect::Unsafe, message)
            .help("Expect `flyte.errors.RuntimeUserError`; its `code` is the name of what was raised"),
    );
}

/// Whether what a function raises reaches who calls it as another exception: a call that is not awaited sees to that,
/// also one somewhere below it.
fn raises_another(cx: &BodyContext<'_>, entity: NodeId) -> bool {
    let mut seen = HashSet::from([entity]);
    let mut awaited = vec![entity];
    while let Some(node) = awaited.pop() {
        if !cx.graph.is_async(node) && !cx.is_awaited(node) {
            return true;
        }
        for &(_, callee) in cx.graph.entity(node).map_or(&[][..], |entity| &entity.calls) {
            let is_sync = !cx.graph.is_async(callee) && !cx.is_awaited(callee);
            let is_task = cx.graph.entity(callee).is_some_and(|callee| callee.kind == EntityKind::Task);
            // Awaited, it is the function itself; what that calls is not awaited.
            if !(is_sync && is_task) && seen.insert(callee) {
                awaited.push(callee);
            }
        }
    }
    false
}

/// The plain calls of entities in a block.
fn calls(cx: &BodyContext<'_>, body: &[Stmt]) -> Vec<(TextRange, NodeId)> {
    let mut calls = Calls { cx, found: Vec::new() };
    calls.visit_body(body);
    calls.found
}

struct Calls<'a> {
    cx: &'a BodyContext<'a>,
    found: Vec<(TextRange, NodeId)>,
}

impl<'e> SourceOrderVisitor<'e> for Calls<'_> {
    fn visit_expr(&mut self, expr: &'e Expr) {
        if let Expr::Call(call) = expr {
            self.found.extend(self.cx.entity(&call.func).map(|entity| (call.func.range(), entity)));
        }
        source_order::walk_expr(self, expr);
    }
}
