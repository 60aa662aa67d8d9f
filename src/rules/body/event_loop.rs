//! `asyncio.run` in plain code, which fails where an event loop runs already.
//!
//! ```python
//! def helper():
//!     return asyncio.run(main(n=1))         # told, as others may call it in `async` code
//!
//! async def handle():
//!     return helper()                       # fails: `main` stays on Flyte 1
//! ```

use std::collections::HashSet;

use super::mapper::Mapper;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, Stmt};
use crate::python::{self, Ranged};
use crate::rules::codes::PLAIN_CALL;
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// Says where `asyncio.run` of `call` may fail, and refuses it where it does: whether it may be written.
pub(super) fn allows_run(mapper: &mut Mapper<'_>, call: &ast::ExprCall) -> bool {
    let text = mapper.cx.text;
    // What uses nothing of Flyte may be missing in the tree at hand.
    let whole = if text.contains("async") { python::parse(text).ok() } else { None };
    let mut reader = Reader { call: call.range, ..Reader::default() };
    reader.visit_body(whole.as_ref().unwrap_or(mapper.cx.parsed).body());
    let name = &text[call.func.range()];
    let place = call.func.range();
    if let Some(helper) = reader.around.iter().find(|function| reader.in_async.contains(*function)) {
        let message =
            format!("`{name}` would be run with `asyncio.run`, which fails as `async` code calls `{helper}`");
        let help = format!("Make `{helper}` `async` and await it, or use `--parallelism sequential`");
        mapper.find(Finding::new(&PLAIN_CALL, place, Effect::Blocking, message).help(help));
        return false;
    }
    // Test runners call plain tests outside of event loops.
    if reader.around.first().is_some_and(|function| !function.starts_with("test_")) {
        let message =
            format!("`{name}` is run with `asyncio.run` here, which fails where an event loop runs already");
        let help = "Call it with `await` in `async` code, or use `--parallelism sequential`";
        mapper.find(Finding::new(&PLAIN_CALL, place, Effect::Info, message).help(help));
    }
    true
}

/// What a module tells of the functions around a call.
#[derive(Default)]
struct Reader<'a> {
    call: TextRange,
    /// The functions and lambdas around the current node, from the outside in, and whether they are `async`.
    functions: Vec<(&'a str, bool)>,
    /// The functions around the call up to the next `async` one, from the inside out.
    around: Vec<&'a str>,
    /// What functions in `async` code call: `helper()`, `self.helper()`.
    in_async: HashSet<&'a str>,
}

impl<'a> SourceOrderVisitor<'a> for Reader<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let Stmt::FunctionDef(function) = stmt else { return source_order::walk_stmt(self, stmt) };
        self.functions.push((&function.name, function.is_async));
        source_order::walk_stmt(self, stmt);
        self.functions.pop();
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Lambda(_) = expr {
            self.functions.push(("lambda", false));
            source_order::walk_expr(self, expr);
            self.functions.pop();
            return;
        }
        if let Expr::Call(call) = expr {
            if call.range == self.call {
                let plain = self.functions.iter().rev().take_while(|(_, is_async)| !is_async);
                self.around = plain.map(|(name, _)| *name).collect();
            }
            if self.functions.iter().any(|(_, is_async)| *is_async) {
                self.in_async.extend(called(call));
            }
        }
        source_order::walk_expr(self, expr);
    }
}

/// The function of the same file that a call names.
fn called(call: &ast::ExprCall) -> Option<&str> {
    match &*call.func {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) if attribute.value.as_name_expr()?.id == "self" => {
            Some(attribute.attr.as_str())
        }
        _ => None,
    }
}
