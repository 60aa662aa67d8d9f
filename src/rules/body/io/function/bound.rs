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
    /// The same without the variables of comprehensions.
    pub(super) for_good: HashMap<&'a str, usize>,
    /// Whether the target of a comprehension is read.
    is_variable: bool,
    /// What is put into lists by displays and `append`.
    pub(super) lists: HashMap<&'a str, Vec<&'a Expr>>,
    /// What is put into dicts by displays and `results[key] = …`.
    pub(super) dicts: HashMap<&'a str, Vec<&'a Expr>>,
    pub(super) origins: HashMap<&'a str, Vec<Option<&'a Expr>>>,
    pub(super) changed: HashSet<&'a str>,
}

impl<'a> Bound<'a> {
    fn count(&mut self, name: &'a str) {
        *self.counts.entry(name).or_default() += 1;
        if !self.is_variable {
            *self.for_good.entry(name).or_default() += 1;
        }
    }

    /// `results = [a, b]`, `results = {"a": a}`
    fn display(&mut self, name: &'a ast::ExprName, value: &'a Expr) {
        match value {
            Expr::List(list) => self.lists.entry(name.id.as_str()).or_default().extend(&list.elts),
            Expr::Dict(dict) if dict.items.iter().all(|item| item.key.is_some()) => {
                let values = dict.items.iter().map(|item| &item.value);
                self.dicts.entry(name.id.as_str()).or_default().extend(values);
            }
            _ => {}
        }
    }

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
                self.count(function.name.as_str());
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
                match node.targets.as_slice() {
                    [Expr::Name(name)] => self.display(name, &node.value),
                    [Expr::Subscript(item)] => {
                        let dict =
                            item.value.as_name_expr().and_then(|name| self.dicts.get_mut(name.id.as_str()));
                        dict.into_iter().for_each(|values| values.push(&node.value));
                    }
                    _ => {}
                }
            }
            Stmt::AnnAssign(node) => {
                if let Some(value) = node.value.as_deref() {
                    self.origin(&node.target, Some(value));
                }
                if let (Expr::Name(name), Some(value)) = (&*node.target, node.value.as_deref()) {
                    self.display(name, value);
                }
            }
            _ => {}
        }
        source_order::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx != ExprContext::Load => {
                self.count(name.id.as_str());
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
        self.is_variable = true;
        self.visit_expr(&comprehension.target);
        self.is_variable = false;
        self.visit_expr(&comprehension.iter);
        comprehension.ifs.iter().for_each(|condition| self.visit_expr(condition));
    }

    fn visit_parameter(&mut self, parameter: &'a ast::Parameter) {
        self.origins.entry(parameter.name.as_str()).or_default().push(None);
        self.count(parameter.name.as_str());
        source_order::walk_parameter(self, parameter);
    }
}
