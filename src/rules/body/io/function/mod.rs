//! What one function does with files, directories and frames, and what it becomes.
//!
//! A value of Flyte 1 is a path by itself: `open(f)` downloads it. A value of Flyte 2 is downloaded by name, each time
//! anew; so a function that uses the path once does it in place, one that uses it more often binds it first.
//!
//! `names` and `expressions` tell which values there are, `calls` with `parameters` where they go; `conform` and
//! `construct` make those of Flyte 2, and `uses` and `downloads` get their paths.

mod bound;
mod calls;
mod conform;
mod construct;
mod copies;
mod downloads;
mod expressions;
mod mixed;
mod names;
mod parameters;
mod results;
mod scopes;
mod uses;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::early::{Around, Early, Use, only_path};
use super::paths::{Locality, Paths};
use super::types::{IoType, Shape, shape_of, signature};
use crate::edit::Edit;
use crate::project::graph::EntityKind;
use crate::python::Ranged;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, ExprContext, Stmt};
use crate::rules::body::BodyContext;
use crate::rules::codes::FILE_USE;
use crate::rules::{Effect, Finding};
use crate::source::{TextRange, TextSize};
use bound::Bound;
use downloads::PathUse;
use scopes::{Scopes, generators_of};
use uses::Callee;

/// Where the path of a value can be bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Binder {
    /// In front of the statement that begins here.
    Before(TextSize),
    /// Behind the statement that ends here.
    After(TextSize),
    /// Nowhere: in a comprehension.
    Nowhere,
}

/// A name whose value is, or holds, a file, directory or frame.
#[derive(Debug, Clone)]
struct Tracked {
    shape: Shape,
    binder: Binder,
    /// How many `try` statements are around the binding.
    tries: usize,
    /// How many loops and functions are around where it can be bound.
    depth: usize,
    /// The comprehension that it is a variable of.
    comprehension: Option<TextRange>,
}

/// What a function becomes.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) edits: Vec<Edit>,
    pub(super) findings: Vec<Finding>,
    pub(super) consumed: Vec<TextRange>,
}

/// How the names that a function needs are written.
pub(super) trait Names {
    /// `File`, `Dir` or `DataFrame`.
    fn io(&mut self, io: IoType) -> String;
    /// `pathlib.Path`.
    fn path(&mut self) -> String;
}

/// Reads a function, or other code.
pub(super) struct FunctionIo<'a, 'n> {
    cx: &'a BodyContext<'a>,
    /// The kind of entity that the code belongs to.
    kind: Option<EntityKind>,
    names: &'n mut dyn Names,
    paths: Paths<'a>,
    is_async: bool,
    /// Whether it runs when the module is loaded.
    is_module: bool,
    /// Whether it is code of the module or its `__main__` block, which no run is around.
    is_outside: bool,
    /// Where the code stands: its name, or all of it.
    whole: TextRange,
    returns: Option<Shape>,
    tracked: HashMap<String, Tracked>,
    /// How often each name is bound in the code, nested functions included.
    bound: HashMap<&'a str, usize>,
    /// The same without the variables of comprehensions.
    bound_for_good: HashMap<&'a str, usize>,
    scopes_around: Scopes,
    /// What is put into lists by displays and `append`.
    lists: HashMap<&'a str, Vec<&'a Expr>>,
    /// What is put into dicts by displays and `results[key] = …`.
    dicts: HashMap<&'a str, Vec<&'a Expr>>,
    /// What the values of each name are, or are taken out of; `None` for what is bound otherwise.
    origins: HashMap<&'a str, Vec<Option<&'a Expr>>>,
    annotated: HashMap<&'a str, String>,
    /// The parameters of the function.
    own: HashSet<&'a str>,
    /// Those that may be a file or something else, and how many other types they may have.
    mixed: HashMap<&'a str, usize>,
    /// The code.
    body: &'a [Stmt],
    /// The values that are looked at where one of the types is wanted.
    conformed: HashSet<TextRange>,
    /// The class that the function is a method of, and how it calls that if it is a class method.
    class: Option<(Shape, Option<&'a str>)>,
    uses: Vec<PathUse>,
    /// The values that are made before their files are written.
    early: Early<'a>,
    parents: Vec<Parent<'a>>,
    /// How many loops, comprehensions and functions are around.
    depth: usize,
    /// How many `try` statements are around.
    tries: usize,
    /// How many statements and expressions are around of which not all parts run, or some run later or many times.
    conditions: usize,
    /// Names of values whose parts are changed in the code: `del files[0]`, `later.file = …`.
    changed: HashSet<&'a str>,
    /// How many functions, classes, lambdas and comprehensions of these are around.
    scopes: usize,
    /// How many of these are functions and classes.
    depth_of_functions: usize,
    /// The places of names that have got a value.
    targets: HashSet<TextRange>,
    /// The shapes of the values that names with several values get.
    shapes: BTreeMap<&'a str, Vec<Shape>>,
    /// The names that paths are bound to.
    path_names: HashSet<String>,
    outcome: Outcome,
}

#[derive(Clone, Copy)]
enum Parent<'a> {
    Stmt(&'a Stmt),
    Expr(&'a Expr),
}

impl<'a, 'n> FunctionIo<'a, 'n> {
    /// Nothing is read yet.
    pub(super) fn new(
        cx: &'a BodyContext<'a>,
        kind: Option<EntityKind>,
        names: &'n mut dyn Names,
        body: &'a [Stmt],
    ) -> Self {
        let mut bound = Bound::default();
        body.iter().for_each(|statement| bound.visit_stmt(statement));
        Self {
            cx,
            kind,
            names,
            paths: Paths::of(&cx.facts.module, body).with_constants(cx.project, cx.file),
            is_async: false,
            is_module: false,
            is_outside: false,
            whole: body.first().map(Ranged::range).unwrap_or_default(),
            returns: None,
            tracked: HashMap::new(),
            bound: bound.counts,
            bound_for_good: bound.for_good,
            scopes_around: Scopes::default(),
            lists: bound.lists,
            dicts: bound.dicts,
            origins: bound.origins,
            annotated: HashMap::new(),
            own: HashSet::new(),
            mixed: HashMap::new(),
            body,
            conformed: HashSet::new(),
            class: None,
            uses: Vec::new(),
            early: Early::default(),
            parents: Vec::new(),
            depth: 0,
            tries: 0,
            conditions: 0,
            changed: bound.changed,
            scopes: 0,
            depth_of_functions: 0,
            targets: HashSet::new(),
            shapes: BTreeMap::new(),
            path_names: HashSet::new(),
            outcome: Outcome::default(),
        }
    }

    /// A function with its signature.
    pub(super) fn function(mut self, function: &'a ast::StmtFunctionDef) -> Outcome {
        self.is_async = function.is_async;
        self.whole = function.name.range;
        self.returns = function.returns.as_deref().map(|returns| self.shape(returns));
        let start = start_of_body(&function.body);
        self.receiver(function, start);
        for parameter in function.parameters.iter_non_variadic_params() {
            self.own.insert(parameter.name().as_str());
            let Some(annotation) = parameter.parameter.annotation.as_deref() else { continue };
            let shape = self.shape(annotation);
            if let Some(others) = self.types_beside_files(annotation) {
                self.mixed.insert(parameter.name().as_str(), others);
            }
            self.annotated.insert(parameter.name().as_str(), self.cx.text[annotation.range()].to_owned());
            if let Some(default) = parameter.default.as_deref().filter(|_| shape.holds_io(self.cx.project)) {
                self.default(default, &shape);
            }
            self.parameter(parameter.name(), shape, start);
        }
        if !self.is_workflow() {
            self.early = Early::of(&function.body, self.cx.text, &self.bound, &self);
        }
        function.body.iter().for_each(|statement| self.visit_stmt(statement));
        self.check_copies(function);
        self.finish()
    }

    /// What a method gets as its first parameter: an object of its class, or the class.
    fn receiver(&mut self, function: &'a ast::StmtFunctionDef, start: TextSize) {
        let Some(class) = self.class_around(function) else { return };
        let mut parameters = function.parameters.iter_non_variadic_params();
        let Some(first) = parameters.next().filter(|first| first.parameter.annotation.is_none()) else {
            return;
        };
        let is = |name: &str| {
            let mut decorators = function.decorator_list.iter();
            decorators.any(|decorator| {
                matches!(&decorator.expression, Expr::Name(decorator) if decorator.id.as_str() == name)
            })
        };
        let is_of_class = is("classmethod");
        if !is_of_class && !is("staticmethod") {
            self.parameter(first.name(), class.clone(), start);
        }
        self.class = Some((class, is_of_class.then_some(first.name().as_str())));
    }

    /// The class at the top level of the file that a function stands in directly.
    fn class_around(&self, function: &ast::StmtFunctionDef) -> Option<Shape> {
        let class = self.cx.parsed.body().iter().filter_map(Stmt::as_class_def_stmt).find(|class| {
            let mut methods = class.body.iter().filter_map(Stmt::as_function_def_stmt);
            methods.any(|method| method.range == function.range)
        })?;
        let statements = &self.cx.facts.module.statements;
        let statement = statements.iter().position(|range| range.contains_range(class.range))?;
        Some(Shape::Class(self.cx.file, statement))
    }

    /// Code that is no function: only the `__main__` block runs after `flyte.init()`.
    pub(super) fn code(mut self, statement: &'a Stmt) -> Outcome {
        self.is_module = !statement.is_if_stmt();
        self.is_outside = true;
        self.visit_stmt(statement);
        self.finish()
    }

    fn shape(&self, annotation: &Expr) -> Shape {
        shape_of(self.cx.project, self.cx.file, annotation)
    }

    fn find(&mut self, range: TextRange, effect: Effect, message: impl Into<String>, help: &str) {
        self.outcome.findings.push(Finding::new(&FILE_USE, range, effect, message).help(help));
    }

    fn text(&self, range: TextRange) -> &'a str {
        &self.cx.text[range]
    }

    fn insert(&mut self, range: TextRange, before: String, after: &str) {
        self.outcome.edits.push(Edit::insertion(range.start(), before));
        self.outcome.edits.push(Edit::insertion(range.end(), after));
    }

    fn is_flow(&self) -> bool {
        self.kind.is_some_and(EntityKind::is_flow)
    }

    fn is_workflow(&self) -> bool {
        self.kind == Some(EntityKind::Workflow)
    }
}

/// The name that an expression such as `r.model` or `files[0]` begins with.
fn root_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => root_of(&attribute.value),
        Expr::Subscript(subscript) => root_of(&subscript.value),
        _ => None,
    }
}

/// Where the first statement behind the docstring begins.
fn start_of_body(body: &[Stmt]) -> TextSize {
    let is_docstring = |statement: &Stmt| matches!(statement, Stmt::Expr(expression) if expression.value.is_string_literal_expr());
    let first = body.iter().find(|statement| !is_docstring(statement)).or(body.last());
    first.map_or(TextSize::from(0), Ranged::start)
}

impl Around for FunctionIo<'_, '_> {
    fn is_made(&self, call: &ast::ExprCall) -> bool {
        let is_local = |path| self.paths.locality(path) != Locality::Remote;
        matches!(self.constructed(call), Some(IoType::File | IoType::Dir))
            && only_path(call).is_none_or(is_local)
    }

    fn of_call(&self, call: &ast::ExprCall) -> Use {
        if self.cx.entity(&call.func).is_some() {
            return Use::Given;
        }
        match self.callee(call) {
            Callee::Reads if self.parameters(&call.func).is_none() => Use::Path,
            _ => Use::Unknown,
        }
    }

    fn is_class(&self, call: &ast::ExprCall) -> bool {
        matches!(self.definition(&call.func), Some(Shape::Class(file, statement))
            if signature(self.cx.project, file, statement).is_none())
    }
}

impl<'a> SourceOrderVisitor<'a> for FunctionIo<'a, '_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Return(node) => {
                let returns = self.returns.clone().filter(|_| self.depth_of_functions == 0);
                match (node.value.as_deref(), returns) {
                    (Some(value), Some(returns)) => self.conform(value, &returns),
                    (Some(value), None) if self.shape_of(value).holds_io(self.cx.project) => {
                        let help = "Annotate what the function returns, so that its callers can be followed";
                        let message = "a value is returned by a function that does not say so";
                        self.find(value.range(), Effect::Blocking, message, help);
                    }
                    _ => {}
                }
            }
            Stmt::Assign(node)
                if self.is_module
                    && !node.value.is_call_expr()
                    && self.shape_of(&node.value).holds_io(self.cx.project) =>
            {
                self.unknown(&node.value);
            }
            Stmt::Assign(node) if node.targets.len() == 1 => {
                self.assigned(&node.targets[0], &node.value, stmt);
            }
            Stmt::AnnAssign(node) => {
                let shape = self.shape(&node.annotation);
                if let Some(value) = node.value.as_deref() {
                    if shape.holds_io(self.cx.project) {
                        self.conform(value, &shape);
                        self.named(&node.target, shape, Binder::After(stmt.end()));
                    } else {
                        self.assigned(&node.target, value, stmt);
                    }
                }
            }
            Stmt::FunctionDef(function) => {
                let start = start_of_body(&function.body);
                for parameter in function.parameters.iter_non_variadic_params() {
                    let Some(annotation) = parameter.parameter.annotation.as_deref() else { continue };
                    let shape = self.shape(annotation);
                    let name = &parameter.parameter.name;
                    let is_only = self.bound_for_good.get(name.as_str()) == Some(&1);
                    if let Some(others) = self.types_beside_files(annotation).filter(|_| is_only) {
                        self.mixed.insert(name.as_str(), others);
                    }
                    if shape.holds_io(self.cx.project) && is_only {
                        self.depth += 1;
                        self.track(name, shape, Binder::Before(start));
                        self.depth -= 1;
                    } else if shape.holds_io(self.cx.project) {
                        self.rebound(name.range, name.as_str());
                    }
                }
            }
            Stmt::For(node) => {
                let binder = node.body.first().map_or(Binder::Nowhere, |first| Binder::Before(first.start()));
                self.depth += 1;
                self.iterated(&node.target, &node.iter, binder);
                self.depth -= 1;
            }
            _ => {}
        }
        let is_loop = matches!(stmt, Stmt::For(_) | Stmt::While(_));
        let is_scope = matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_));
        let is_condition = is_loop || is_scope || matches!(stmt, Stmt::If(_) | Stmt::Try(_) | Stmt::Match(_));
        self.conditions += usize::from(is_condition);
        self.depth += usize::from(is_loop || is_scope);
        self.depth_of_functions += usize::from(is_scope);
        self.scopes += usize::from(is_scope);
        self.tries += usize::from(stmt.is_try_stmt());
        self.parents.push(Parent::Stmt(stmt));
        source_order::walk_stmt(self, stmt);
        self.parents.pop();
        self.conditions -= usize::from(is_condition);
        self.depth -= usize::from(is_loop || is_scope);
        self.depth_of_functions -= usize::from(is_scope);
        self.scopes -= usize::from(is_scope);
        self.tries -= usize::from(stmt.is_try_stmt());
    }

    fn visit_annotation(&mut self, _: &'a Expr) {}

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr
            && name.ctx == ExprContext::Load
            && let Some(&others) = self.mixed.get(name.id.as_str())
            && !self.scopes_around.has(name.id.as_str())
        {
            return self.mixed(expr, name.id.as_str(), others);
        }
        let shape = match expr {
            Expr::Name(ast::ExprName { ctx: ExprContext::Load, .. })
            | Expr::Attribute(ast::ExprAttribute { ctx: ExprContext::Load, .. })
            | Expr::Subscript(ast::ExprSubscript { ctx: ExprContext::Load, .. }) => self.shape_of(expr),
            Expr::Call(call) if self.is_used_at_once(call) => self.shape_of(expr),
            _ => Shape::Other,
        };
        if let Some(io) = shape.io() {
            self.value(expr, io, matches!(shape, Shape::Optional(_)));
            if root_of(expr).is_some() {
                return;
            }
        } else if !expr.is_call_expr() && shape.holds_io(self.cx.project) {
            self.container(expr, &shape);
            if expr.is_name_expr() {
                return;
            }
        }
        if let Expr::Call(call) = expr {
            self.call(call);
        }
        let generators = generators_of(expr);
        if let Some(generators) = generators {
            self.enter(expr.range(), generators);
        }
        let is_deferred = matches!(
            expr,
            Expr::Lambda(_) | Expr::ListComp(_) | Expr::SetComp(_) | Expr::Generator(_) | Expr::DictComp(_)
        );
        let is_condition = is_deferred || matches!(expr, Expr::If(_) | Expr::BoolOp(_));
        self.conditions += usize::from(is_condition);
        self.depth += usize::from(is_deferred);
        self.scopes += usize::from(is_deferred);
        self.parents.push(Parent::Expr(expr));
        source_order::walk_expr(self, expr);
        self.parents.pop();
        if generators.is_some() {
            self.scopes_around.close();
        }
        self.conditions -= usize::from(is_condition);
        self.depth -= usize::from(is_deferred);
        self.scopes -= usize::from(is_deferred);
    }
}
