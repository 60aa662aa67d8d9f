//! Walks over a piece of code from the inside out and asks each construct about each node.
//!
//! ```python
//! total(xs=map_task(square)(n=xs))      # first `xs`, then `map_task(square)(n=xs)`, then the whole
//! ```

use super::rewriter::Rewriter;
use super::{
    BodyContext, MappedBody, Trigger, actor_cache, attributes, context, decks, exceptions, image_uses,
    imports, io, launch_plan,
};
use crate::project::graph::{NodeId, NodeKind};
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, Stmt};
use crate::rules::Finding;
use crate::source::TextRange;

/// A piece of code on its way to Flyte 2.
pub struct Mapper<'a> {
    /// What may be asked.
    pub cx: &'a BodyContext<'a>,
    /// The entity that the code belongs to, or the code itself.
    pub node: NodeId,
    /// The edits so far.
    pub rewriter: Rewriter<'a>,
    /// Whether each function around the current node, from the outside in, may use `await`.
    is_async: Vec<bool>,
    mapped: MappedBody,
}

impl<'a> Mapper<'a> {
    /// Nothing is mapped yet.
    pub fn new(cx: &'a BodyContext<'a>, node: NodeId) -> Self {
        let rewriter = Rewriter::new(cx.text);
        Self { cx, node, rewriter, is_async: Vec::new(), mapped: MappedBody::default() }
    }

    /// Whether the current node may use `await`.
    pub fn is_async(&self) -> bool {
        self.is_async.last().is_some_and(|is_async| *is_async)
    }

    /// Whether the code is that of a task, dynamic or workflow.
    pub fn is_entity(&self) -> bool {
        self.cx.graph.entity(self.node).is_some()
    }

    /// The name of `flyte` as it is written in the file.
    pub fn flyte(&mut self, name: &'static str) -> String {
        self.mapped.uses.insert(name);
        self.cx.names.of(name)
    }

    /// A module of the standard library, as it is written in the file.
    pub fn module(&mut self, path: &str) -> String {
        self.imported(imports::module(&self.cx.facts.module, path))
    }

    /// A name of a module, such as `File` of `flyte.io`, as it is written in the file.
    pub fn item(&mut self, path: &str, item: &str) -> String {
        self.imported(imports::item(&self.cx.facts.module, path, item))
    }

    /// A module below `flyte`, such as `flyte.report`, as it is written in the file.
    pub fn submodule(&mut self, path: &str) -> String {
        self.imported(imports::submodule(&self.cx.facts.module, path, &self.cx.names.prefix))
    }

    fn imported(&mut self, imported: imports::Imported) -> String {
        self.mapped.imports.extend(imported.line);
        imported.name
    }

    /// The reference at `range` is written anew: its import may go.
    pub fn consume(&mut self, range: TextRange) {
        self.mapped.consumed.insert(range);
    }

    /// Whether the reference at `range` is written anew already.
    pub fn is_consumed(&self, range: TextRange) -> bool {
        self.mapped.consumed.contains(&range)
    }

    /// What stands at `range` is understood as it stands.
    pub fn handle(&mut self, range: TextRange) {
        self.mapped.handled.insert(range);
    }

    /// The code runs `node`, which the reference at `range` names, otherwise than by a plain call; or it is written
    /// anew because of it. They move together.
    pub fn call(&mut self, range: TextRange, node: NodeId) {
        self.mapped.handled.insert(range);
        self.mapped.calls.push((range, node));
    }

    /// A trigger moves above its workflow.
    pub fn trigger(&mut self, trigger: Trigger) {
        self.mapped.triggers.push(trigger);
    }

    /// There is something to say.
    pub fn find(&mut self, finding: Finding) {
        if !self.mapped.findings.contains(&finding) {
            self.mapped.findings.push(finding);
        }
    }

    /// An entity: its signature and its body.
    pub(super) fn function(&mut self, function: &'a ast::StmtFunctionDef) {
        // Functions inside of functions are read with the one around them.
        if self.is_async.is_empty() {
            io::function(self, function);
        }
        self.is_async.push(function.is_async);
        self.visit_parameters(&function.parameters);
        function.returns.iter().for_each(|returns| self.visit_annotation(returns));
        self.visit_body(&function.body);
        self.is_async.pop();
    }

    /// A statement that is no entity.
    pub(super) fn top_level(&mut self, statement: &'a Stmt) {
        io::code(self, statement);
        self.visit_body(std::slice::from_ref(statement));
    }

    pub(super) fn finish(mut self) -> MappedBody {
        self.mapped.edits = self.rewriter.into_edits();
        self.mapped
    }

    /// Whether a nested function is an entity, which is mapped by itself.
    fn is_other_entity(&self, function: &ast::StmtFunctionDef) -> bool {
        let cx = self.cx;
        cx.graph.nodes_in(cx.file).any(|node| {
            let NodeKind::Entity(entity) = &cx.graph.nodes[node].kind else { return false };
            cx.facts.module.functions[entity.function].name_range == function.name.range
        })
    }
}

/// The constructs in the order in which they are asked about an expression; the first that knows it wins.
const EXPRESSIONS: &[fn(&mut Mapper<'_>, &Expr) -> bool] = &[
    io::expression,
    context::expression,
    decks::expression,
    image_uses::expression,
    actor_cache::expression,
    attributes::expression,
];

/// The constructs in the order in which they are asked about a statement.
const STATEMENTS: &[fn(&mut Mapper<'_>, &Stmt) -> bool] = &[
    launch_plan::statement,
    context::statement,
    decks::statement,
    exceptions::statement,
    image_uses::statement,
];

impl<'a> SourceOrderVisitor<'a> for Mapper<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) if self.is_other_entity(function) => return,
            Stmt::FunctionDef(function) => {
                function.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                self.function(function);
            }
            _ => source_order::walk_stmt(self, stmt),
        }
        let _ = STATEMENTS.iter().any(|construct| construct(self, stmt));
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Lambda(lambda) = expr {
            lambda.parameters.iter().for_each(|parameters| self.visit_parameters(parameters));
            self.is_async.push(false);
            self.visit_expr(&lambda.body);
            self.is_async.pop();
        } else {
            source_order::walk_expr(self, expr);
        }
        let _ = EXPRESSIONS.iter().any(|construct| construct(self, expr));
    }
}
