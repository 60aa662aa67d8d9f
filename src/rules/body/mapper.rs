//! Walks over a piece of code from the inside out and asks each construct about each node.
//!
//! ```python
//! total(xs=map_task(square)(n=xs))      # first `xs`, then `map_task(square)(n=xs)`, then the whole
//! ```

use std::collections::{BTreeMap, HashSet};

use super::rewriter::Rewriter;
use super::values::Values;
use super::{
    BodyContext, Helper, MappedBody, Trigger, actor_cache, arrange, attributes, calls, comprehensions,
    conditions, context, decks, enums, exceptions, expected, failure, gates, image_uses, imports, io,
    launch_plan, named_results, order, outputs,
};
use crate::project::graph::{NodeId, NodeKind};
use crate::python::Ranged;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, Stmt};
use crate::rules::Finding;
use crate::source::{TextRange, TextSize};

type TextRangeKey = (u32, u32);

/// A range that can be ordered.
pub(super) fn key(range: TextRange) -> TextRangeKey {
    (range.start().into(), range.end().into())
}

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
    /// The expressions around the current one, from the outside in.
    parents: Vec<&'a Expr>,
    /// The innermost statement around the current expression.
    statement: Option<&'a Stmt>,
    /// What the variables of the entity hold.
    values: Values<'a>,
    /// Values that are put into a named tuple when they are assigned, and its class.
    pub(super) wraps: BTreeMap<TextRangeKey, String>,
    /// The values of assignments that go.
    pub(super) dropped: HashSet<TextRange>,
    /// Names that new variables of the entity have.
    taken: HashSet<String>,
    /// The texts of calls that have become a part of the text of something around them.
    taken_texts: BTreeMap<TextRangeKey, String>,
    mapped: MappedBody,
}

impl<'a> Mapper<'a> {
    /// Nothing is mapped yet.
    pub fn new(cx: &'a BodyContext<'a>, node: NodeId) -> Self {
        let rewriter = Rewriter::new(cx.text);
        Self {
            cx,
            node,
            rewriter,
            is_async: Vec::new(),
            parents: Vec::new(),
            statement: None,
            values: Values::default(),
            wraps: BTreeMap::new(),
            dropped: HashSet::new(),
            taken: HashSet::new(),
            taken_texts: BTreeMap::new(),
            mapped: MappedBody::default(),
        }
    }

    /// Whether the current node may use `await`.
    pub fn is_async(&self) -> bool {
        self.is_async.last().is_some_and(|is_async| *is_async)
    }

    /// Whether independent calls are gathered here.
    pub(super) fn gathers(&self) -> bool {
        self.is_async() && self.cx.graph.is_parallel
    }

    /// Whether the code is that of a task, dynamic or workflow.
    pub fn is_entity(&self) -> bool {
        self.cx.graph.entity(self.node).is_some()
    }

    /// The expression that directly holds the current one.
    pub fn parent(&self) -> Option<&'a Expr> {
        self.parents.last().copied()
    }

    /// The expressions around the current one, from the inside out.
    pub(super) fn parents(&self) -> impl Iterator<Item = &'a Expr> {
        self.parents.iter().rev().copied()
    }

    /// The expression that holds that one.
    pub(super) fn grandparent(&self) -> Option<&'a Expr> {
        self.parents.iter().rev().nth(1).copied()
    }

    /// The innermost statement around the current expression.
    pub(super) fn statement(&self) -> Option<&'a Stmt> {
        self.statement
    }

    /// What the variables of the entity hold; nothing is known outside of entities.
    pub fn values(&self) -> &Values<'a> {
        &self.values
    }

    /// The end of the parentheses that close behind `end`, before the rest of `range`.
    pub(super) fn closed(&self, end: TextSize, range: TextRange) -> TextSize {
        let rest = &self.cx.text[TextRange::new(end, range.end())];
        let name = rest.rfind('.').unwrap_or_default();
        rest[..name].rfind(')').map_or(end, |at| end + TextSize::of(&rest[..=at]))
    }

    /// The value at `range` is put into the named tuple `class` when it is assigned.
    pub(super) fn wrap(&mut self, range: TextRange, class: &str) {
        self.wraps.insert(key(range), class.to_owned());
    }

    /// What stands at `range` has become a part of the text of something around it.
    pub(super) fn keep_text(&mut self, range: TextRange, text: String) {
        self.taken_texts.insert(key(range), text);
    }

    /// The text of what has become a part of that of something around it.
    pub(super) fn taken_text(&self, range: TextRange) -> Option<String> {
        self.taken_texts.get(&key(range)).cloned()
    }

    /// The assignment of the value at `range` goes.
    pub(super) fn drop_assignment(&mut self, range: TextRange) {
        self.dropped.insert(range);
    }

    /// Whether a new variable of the entity has this name.
    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(name)
    }

    /// A name for a new variable, made of `stem`, that nothing else has.
    pub(super) fn free_name(&mut self, stem: &str) -> String {
        let mut candidates =
            std::iter::once(stem.to_owned()).chain((2..).map(|number| format!("{stem}_{number}")));
        let is_free = |name: &String| !self.cx.facts.module.has_name(name) && !self.is_taken(name);
        let name = candidates.find(is_free).unwrap_or_default();
        self.take_name(&name);
        name
    }

    /// A new variable of the entity gets this name.
    pub(super) fn take_name(&mut self, name: &str) {
        self.taken.insert(name.to_owned());
    }

    /// A function that is written into the module.
    pub(super) fn helper(&mut self, helper: Helper) -> &'static str {
        self.mapped.helpers.insert(helper);
        helper.name()
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

    /// An import that a rule asks for, as a line.
    pub(super) fn import_line(&mut self, line: String) {
        self.mapped.imports.insert(line);
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

    /// Whether what stands at `range` is understood.
    pub fn is_handled(&self, range: TextRange) -> bool {
        self.mapped.handled.contains(&range)
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
    pub(super) fn entity(&mut self, function: &'a ast::StmtFunctionDef) {
        self.values = Values::of(function);
        self.function(function, function.is_async || self.cx.graph.is_async(self.node));
        failure::handler(self, function);
    }

    fn function(&mut self, function: &'a ast::StmtFunctionDef, is_async: bool) {
        // Functions inside of functions are read with the one around them.
        if self.is_async.is_empty() {
            io::function(self, function);
        }
        self.is_async.push(is_async);
        self.visit_parameters(&function.parameters);
        enums::defaults(self, function);
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

    /// A statement, from the inside out.
    fn walk(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) if self.is_other_entity(function) => return,
            Stmt::FunctionDef(function) => {
                function.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                self.function(function, function.is_async);
            }
            _ => source_order::walk_stmt(self, stmt),
        }
        map_statement(self, stmt);
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

/// Asks the constructs about an expression; the first that knows it wins.
fn map_expression<'a>(mapper: &mut Mapper<'a>, expr: &'a Expr) -> bool {
    enums::expression(mapper, expr);
    io::expression(mapper, expr)
        || io::runs::expression(mapper, expr)
        || launch_plan::expression(mapper, expr)
        || context::expression(mapper, expr)
        || decks::expression(mapper, expr)
        || image_uses::expression(mapper, expr)
        || actor_cache::expression(mapper, expr)
        || attributes::expression(mapper, expr)
        || calls::expression(mapper, expr)
        || gates::expression(mapper, expr)
        || comprehensions::expression(mapper, expr)
        || outputs::expression(mapper, expr)
        || named_results::expression(mapper, expr)
}

/// Asks the constructs about a statement; the first that knows it wins.
fn map_statement<'a>(mapper: &mut Mapper<'a>, stmt: &'a Stmt) -> bool {
    enums::statement(mapper, stmt);
    launch_plan::statement(mapper, stmt)
        || io::runs::statement(mapper, stmt)
        || context::statement(mapper, stmt)
        || decks::statement(mapper, stmt)
        || exceptions::statement(mapper, stmt)
        || expected::statement(mapper, stmt)
        || image_uses::statement(mapper, stmt)
        || gates::statement(mapper, stmt)
        || conditions::statement(mapper, stmt)
        || order::statement(mapper, stmt)
        || outputs::statement(mapper, stmt)
}

impl<'a> SourceOrderVisitor<'a> for Mapper<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let outer = self.statement.replace(stmt);
        self.walk(stmt);
        self.statement = outer;
    }

    fn visit_body(&mut self, body: &'a [Stmt]) {
        source_order::walk_body(self, body);
        arrange::block(self, body);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        self.parents.push(expr);
        if let Expr::Lambda(lambda) = expr {
            lambda.parameters.iter().for_each(|parameters| self.visit_parameters(parameters));
            self.is_async.push(false);
            self.visit_expr(&lambda.body);
            self.is_async.pop();
        } else {
            source_order::walk_expr(self, expr);
        }
        self.parents.pop();
        map_expression(self, expr);
        if self.cx.graph.conversions.contains(&(self.cx.file, expr.range())) {
            self.rewriter.surround(expr.range(), "float(", ")");
        }
    }
}
