//! How often a piece of code binds each name, and to what.

use std::collections::{HashMap, HashSet};

use super::root_of;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, ExprContext, Stmt};
use crate::python::scope::is_mutator;

/// Counts how often each name is bound in a piece of code, and to what.
#[derive(Default)]
pub(super) struct Bound<'a> {
    pub(super) counts: HashMap<&'a str, usize>,
    pub(super) lists: HashMap<&'a str, Vec<&'a Expr>>,
    pub(super) origins: HashMap<&'a str, Vec<Option<&'a Expr>>>,
    pub(super) changed: HashSet<&'a str>,
}

impl<'a> Bound<'a> {
    /// The names in a target are, or are taken out of, a value.
    fn origin(&mut self, target: &'a Expr, value: Option<&'a Expr>) {
        match target {
            Expr::Name(name) => self.origins.entry(name.id.as_str()).or_default().push(value),
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                elts.iter().for_each(|element| self.origin(element, value));
            }
            Expr::Starred(starred) => self.origin(&starred.value, value),
            // `results["a"] = path`
            Expr::Subscript(subscript) => self.origin(&subscript.value, value),
            _ => {}
        }
    }
}

impl<'a> SourceOrderVisitor<'a> for Bound<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => {
                *self.counts.entry(function.name.as_str()).or_default() += 1;
                self.origins.entry(function.name.as_str()).or_default().push(None);
            }
            Stmt::For(node) => self.origin(&node.target, Some(&node.iter)),
            Stmt::AugAssign(node) => self.origin(&node.target, Some(&node.value)),
            Stmt::With(node) => {
                let targets = node.items.iter().filter_map(|item| item.optional_vars.as_deref());
                targets.for_each(|target| self.origin(target, None));
            }
            Stmt::Assign(node) => {
                node.targets.iter().for_each(|target| self.origin(target, Some(&node.value)));
                if let ([Expr::Name(name)], Expr::List(list)) = (node.targets.as_slice(), &*node.value) {
                    self.lists.entry(name.id.as_str()).or_default().extend(&list.elts);
                }
            }
            Stmt::AnnAssign(node) => {
                if let Some(value) = node.value.as_deref() {
                    self.origin(&node.target, Some(value));
                }
                if let (Expr::Name(name), Some(Expr::List(list))) = (&*node.target, node.value.as_deref()) {
                    self.lists.entry(name.id.as_str()).or_default().extend(&list.elts);
                }
            }
            _ => {}
        }
        source_order::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx != ExprContext::Load => {
                *self.counts.entry(name.id.as_str()).or_default() += 1;
            }
            Expr::Attribute(ast::ExprAttribute { ctx, .. })
            | Expr::Subscript(ast::ExprSubscript { ctx, .. })
                if *ctx != ExprContext::Load =>
            {
                self.changed.extend(root_of(expr));
            }
            Expr::Named(node) => self.origin(&node.target, Some(&node.value)),
            Expr::Call(call) => {
                if let Expr::Attribute(method) = &*call.func
                    && (is_mutator(method.attr.as_str())
                        || matches!(method.attr.as_str(), "reverse" | "popitem"))
                {
                    self.changed.extend(root_of(&method.value));
                }
                if let Expr::Attribute(method) = &*call.func
                    && let Expr::Name(list) = &*method.value
                {
                    let is_filled = ["append", "extend", "insert", "update", "setdefault", "add"]
                        .contains(&method.attr.as_str());
                    if is_filled && let Some(value) = call.arguments.args.last() {
                        self.origin(&method.value, Some(value));
                    }
                    if method.attr.as_str() == "append" {
                        let elements = self.lists.entry(list.id.as_str()).or_default();
                        elements.extend(call.arguments.find_positional(0));
                    }
                }
            }
            _ => {}
        }
        source_order::walk_expr(self, expr);
    }

    fn visit_comprehension(&mut self, comprehension: &'a ast::Comprehension) {
        self.origin(&comprehension.target, Some(&comprehension.iter));
        source_order::walk_comprehension(self, comprehension);
    }

    fn visit_parameter(&mut self, parameter: &'a ast::Parameter) {
        self.origins.entry(parameter.name.as_str()).or_default().push(None);
        *self.counts.entry(parameter.name.as_str()).or_default() += 1;
        source_order::walk_parameter(self, parameter);
    }
}
