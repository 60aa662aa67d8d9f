//! A call by the place of its function, with the scopes around it: what it is given is read there.

use rustpython_ast::visitor::source_order::{self, SourceOrderVisitor};
use rustpython_ast::{self as ast, Expr, Stmt};

use super::evaluate::{Evaluator, Place};
use super::scope::Frame;
use crate::python::Ranged;
use crate::source::TextRange;

/// A call, and the scopes around it.
pub(super) struct FoundCall<'a> {
    pub(super) call: &'a ast::ExprCall,
    pub(super) frames: Vec<Frame<'a>>,
}

/// The call whose function stands at a place; `None` if that is not called there.
pub(super) fn call_at<'a>(evaluator: &Evaluator<'a>, callee: Place) -> Option<FoundCall<'a>> {
    let tree = evaluator.trees.get(evaluator.project, callee.file)?;
    let mut finder = Finder { callee: callee.range, frames: Vec::new(), found: None };
    let stmt = tree.body().iter().find(|stmt| stmt.range().contains_range(callee.range))?;
    finder.visit_stmt(stmt);
    finder.found
}

/// Finds a call by its function, and the scopes around it.
struct Finder<'a> {
    callee: TextRange,
    frames: Vec<Frame<'a>>,
    found: Option<FoundCall<'a>>,
}

impl<'a> Finder<'a> {
    fn inside(&mut self, frame: Frame<'a>, walk: impl FnOnce(&mut Self)) {
        self.frames.push(frame);
        walk(self);
        self.frames.pop();
    }
}

impl<'a> SourceOrderVisitor<'a> for Finder<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if !stmt.range().contains_range(self.callee) {
            return;
        }
        match stmt {
            Stmt::FunctionDef(function) => {
                self.inside(Frame::of_function(function), |this| source_order::walk_stmt(this, stmt));
            }
            Stmt::ClassDef(class) => {
                self.inside(Frame::of_class(class), |this| source_order::walk_stmt(this, stmt));
            }
            _ => source_order::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Call(call) if call.func.range() == self.callee => {
                self.found = Some(FoundCall { call, frames: self.frames.clone() });
            }
            Expr::Lambda(lambda) => {
                self.inside(Frame::of_lambda(lambda), |this| source_order::walk_expr(this, expr));
            }
            _ => source_order::walk_expr(self, expr),
        }
    }
}
