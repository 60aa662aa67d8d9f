//! What the variables of a body hold: results of calls of tasks and workflows, or anything else.
//!
//! ```python
//! st = stats(xs=xs)       # the result of `stats`
//! n = create_node(load)   # the node of `load`
//! ```

use std::collections::HashMap;

use super::calls::{Kind, NodeCall};
use super::shapes::{Shape, shape};
use super::{BodyContext, conditions};
use crate::project::graph::NodeId;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, Stmt};

/// What a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// What a call of this entity gives back.
    Result(NodeId),
    /// What `create_node` of this entity gives back.
    Node(NodeId),
    /// What a `conditional` gives back, all of whose branches give what this entity does.
    Chosen(NodeId),
    /// The list that a map over this entity gives back.
    List(NodeId),
}

impl Held {
    /// The entity.
    pub fn entity(self) -> NodeId {
        match self {
            Self::Result(node) | Self::Node(node) | Self::Chosen(node) | Self::List(node) => node,
        }
    }
}

/// What is known of the variables of a function.
#[derive(Debug, Default)]
pub struct Values<'a> {
    /// What each variable is bound to, everywhere; `None` for anything but `name = value`.
    bound: HashMap<&'a str, Vec<Option<&'a Expr>>>,
    /// The value that a variable is a part of: `a, b = value`.
    unpacked: HashMap<&'a str, &'a Expr>,
    /// The attributes that are read from each variable, each as often as it is read.
    attributes: HashMap<&'a str, Vec<&'a str>>,
    /// How often each variable is read.
    reads: HashMap<&'a str, usize>,
}

impl<'a> Values<'a> {
    /// Reads a function.
    pub fn of(function: &'a ast::StmtFunctionDef) -> Self {
        let mut reader = Reader { values: Self::default() };
        for parameter in &function.parameters {
            reader.bind(parameter.name().as_str(), None);
        }
        reader.visit_body(&function.body);
        reader.values
    }

    /// What a variable holds, where that is certain.
    pub fn held(&self, cx: &BodyContext<'_>, name: &str) -> Option<Held> {
        let mut all = self.bound.get(name)?.iter().map(|value| produced(cx, self, (*value)?));
        let first = all.next()??;
        all.all(|held| held == Some(first)).then_some(first)
    }

    /// The only value that a variable is ever bound to.
    pub fn only(&self, name: &str) -> Option<&'a Expr> {
        match self.bound.get(name)?[..] {
            [Some(value)] => Some(value),
            _ => None,
        }
    }

    /// The only value that a variable is ever bound to, or unpacked from.
    pub fn origin(&self, name: &str) -> Option<&'a Expr> {
        let unpacked = || self.unpacked.get(name).copied().filter(|_| !self.is_rebound(name));
        self.only(name).or_else(unpacked)
    }

    /// Whether the function binds the name.
    pub fn binds(&self, name: &str) -> bool {
        self.bound.contains_key(name)
    }

    /// Whether the function binds the name more than once.
    pub fn is_rebound(&self, name: &str) -> bool {
        self.bound.get(name).is_some_and(|all| all.len() > 1)
    }

    /// The attributes that are read from a variable, each as often as it is read.
    pub fn attributes(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.attributes.get(name).into_iter().flatten().copied()
    }

    /// How often a variable is read.
    pub fn reads(&self, name: &str) -> usize {
        self.reads.get(name).copied().unwrap_or_default()
    }
}

/// What an expression gives, if it is a call of an entity.
pub fn produced(cx: &BodyContext<'_>, values: &Values<'_>, expr: &Expr) -> Option<Held> {
    let expr = if let Expr::Await(awaited) = expr { &awaited.value } else { expr };
    if let Some(chosen) = conditions::chosen(cx, expr) {
        return alike(cx, values, &chosen);
    }
    let call = NodeCall::of(cx, values, expr)?;
    Some(match call.kind {
        Kind::Plain | Kind::Planned => Held::Result(call.node),
        Kind::Created => Held::Node(call.node),
        Kind::Mapped(_) => Held::List(call.node),
    })
}

/// What one of several values is, if all of them are results with the same outputs.
fn alike(cx: &BodyContext<'_>, values: &Values<'_>, chosen: &[&Expr]) -> Option<Held> {
    let result = |value: &&Expr| match produced(cx, values, value) {
        Some(Held::Result(node)) => Some(node),
        _ => None,
    };
    let nodes = chosen.iter().map(result).collect::<Option<Vec<NodeId>>>()?;
    let first = *nodes.first()?;
    let outputs = |node: NodeId| match shape(cx, node) {
        Shape::Tuple(count) => Some((count, Vec::new())),
        Shape::Named(fields, _) => Some((fields.len(), fields)),
        _ => None,
    };
    let wanted = outputs(first)?;
    nodes.iter().all(|&node| outputs(node).as_ref() == Some(&wanted)).then_some(Held::Chosen(first))
}

struct Reader<'a> {
    values: Values<'a>,
}

impl<'a> Reader<'a> {
    fn bind(&mut self, name: &'a str, value: Option<&'a Expr>) {
        self.values.bound.entry(name).or_default().push(value);
    }

    fn bind_all(&mut self, target: &'a Expr) {
        match target {
            Expr::Name(name) => self.bind(&name.id, None),
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                elts.iter().for_each(|element| self.bind_all(element));
            }
            Expr::Starred(starred) => self.bind_all(&starred.value),
            _ => {}
        }
    }

    /// `a, b = value`
    fn unpack(&mut self, target: &'a Expr, value: &'a Expr) {
        self.bind_all(target);
        let names = target.as_tuple_expr().map_or(&[][..], |tuple| &tuple.elts);
        let names = names.iter().filter_map(Expr::as_name_expr);
        self.values.unpacked.extend(names.map(|name| (name.id.as_str(), value)));
    }
}

impl<'a> SourceOrderVisitor<'a> for Reader<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    match target {
                        Expr::Name(name) => self.bind(&name.id, Some(&assign.value)),
                        _ => self.unpack(target, &assign.value),
                    }
                }
            }
            Stmt::AnnAssign(assign) => {
                if let (Expr::Name(name), Some(value)) = (&*assign.target, &assign.value) {
                    self.bind(&name.id, Some(value));
                }
            }
            Stmt::AugAssign(assign) => self.bind_all(&assign.target),
            Stmt::For(node) => self.bind_all(&node.target),
            Stmt::With(node) => {
                node.items
                    .iter()
                    .filter_map(|item| item.optional_vars.as_deref())
                    .for_each(|target| self.bind_all(target));
            }
            Stmt::FunctionDef(node) => self.bind(&node.name, None),
            Stmt::ClassDef(node) => self.bind(&node.name, None),
            Stmt::Delete(node) => node.targets.iter().for_each(|target| self.bind_all(target)),
            _ => {}
        }
        source_order::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Named(node) => self.bind_all(&node.target),
            Expr::Name(name) if name.ctx.is_load() => *self.values.reads.entry(&name.id).or_default() += 1,
            Expr::Attribute(attribute) => {
                if let Expr::Name(name) = &*attribute.value {
                    self.values.attributes.entry(&name.id).or_default().push(&attribute.attr);
                }
            }
            _ => {}
        }
        source_order::walk_expr(self, expr);
    }

    fn visit_comprehension(&mut self, comprehension: &'a ast::Comprehension) {
        self.bind_all(&comprehension.target);
        source_order::walk_comprehension(self, comprehension);
    }

    fn visit_except_handler(&mut self, handler: &'a ast::ExceptHandler) {
        let ast::ExceptHandler::ExceptHandler(node) = handler;
        node.name.iter().for_each(|name| self.bind(name, None));
        source_order::walk_except_handler(self, handler);
    }
}
