//! What one function does with files, directories and frames, and what it becomes.
//!
//! A value of Flyte 1 is a path by itself: `open(f)` downloads it. A value of Flyte 2 is downloaded by name, each time
//! anew; so a function that uses the path once does it in place, one that uses it more often binds it first.
//!
//! # FM276
//!
//! ## What it does
//!
//! Writes `from_local_sync` for a path that comes from elsewhere, and asks to look where it comes from.
//!
//! ## Why
//!
//! `FlyteFile(path)` takes a path on this machine and the address of an object store alike. Flyte 2 has a constructor for each,
//! and a parameter may be either.
//!
//! ## Example
//!
//! ```python
//! from flytekit import task
//! from flytekit.types.file import FlyteFile
//!
//!
//! @task
//! def step(path: str) -> FlyteFile:
//!     return FlyteFile(path)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import TaskEnvironment
//! from flyte.io import File
//!
//! env = TaskEnvironment(name="example")
//!
//!
//! @env.task
//! def step(path: str) -> File:
//!     return File.from_local_sync(path)
//! ```
//!
//! ## Fix safety
//!
//! Unsafe. For an address write `File.from_existing_remote`.
//!
//! ## Not handled
//!
//! Paths whose text tells what they are: they get the right constructor.
//!
//! ## References
//!
//! `flytekit/types/file/file.py` of flytekit 1.16.31; `flyte/io/_file.py` of flyte 2.12.1.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::paths::{Locality, Paths, dotted};
use super::types::{IoType, Shape, fields, shape, shape_of, signature};
use crate::edit::Edit;
use crate::project::graph::{EntityKind, NodeId};
use crate::project::link::Target;
use crate::python::Ranged;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, ArgOrKeyword, Expr, ExprContext, Operator, Stmt};
use crate::python::items::indentation_at;
use crate::python::scope::{BindingKind, CallContext};
use crate::rules::body::BodyContext;
use crate::rules::codes::{FILE_USE, LOCAL_OR_REMOTE};
use crate::rules::{Effect, Finding};
use crate::source::{TextRange, TextSize};

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
}

/// A place where the path of a value is wanted.
struct PathUse {
    range: TextRange,
    /// The value, as code.
    value: String,
    binder: Binder,
    /// Whether it may run many times, or later.
    is_repeated: bool,
    /// Whether a `try` around it is not around the binding of the value.
    is_tried: bool,
    /// Whether the value may be `None` here.
    may_be_none: bool,
    /// Whether `Path(…)` has to be put around it.
    as_path: bool,
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
    /// Where the code stands: its name, or all of it.
    whole: TextRange,
    returns: Option<Shape>,
    tracked: HashMap<String, Tracked>,
    /// How often each name is bound in the code, nested functions included.
    bound: HashMap<&'a str, usize>,
    /// What is put into lists by displays and `append`.
    lists: HashMap<&'a str, Vec<&'a Expr>>,
    /// What the values of each name are, or are taken out of; `None` for what is bound otherwise.
    origins: HashMap<&'a str, Vec<Option<&'a Expr>>>,
    annotated: HashMap<&'a str, String>,
    /// The parameters of the function.
    own: HashSet<&'a str>,
    uses: Vec<PathUse>,
    parents: Vec<Parent<'a>>,
    /// How many loops, comprehensions and functions are around.
    depth: usize,
    /// How many `try` statements are around.
    tries: usize,
    /// How many functions, classes, lambdas and comprehensions of these are around.
    scopes: usize,
    /// How many of these are functions and classes.
    depth_of_functions: usize,
    /// The shapes of the values that names with several values get.
    shapes: BTreeMap<&'a str, Vec<Shape>>,
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
            whole: body.first().map(Ranged::range).unwrap_or_default(),
            returns: None,
            tracked: HashMap::new(),
            bound: bound.counts,
            lists: bound.lists,
            origins: bound.origins,
            annotated: HashMap::new(),
            own: HashSet::new(),
            uses: Vec::new(),
            parents: Vec::new(),
            depth: 0,
            tries: 0,
            scopes: 0,
            depth_of_functions: 0,
            shapes: BTreeMap::new(),
            outcome: Outcome::default(),
        }
    }

    /// A function with its signature.
    pub(super) fn function(mut self, function: &'a ast::StmtFunctionDef) -> Outcome {
        self.is_async = function.is_async;
        self.whole = function.name.range;
        self.returns = function.returns.as_deref().map(|returns| self.shape(returns));
        let start = start_of_body(&function.body);
        for parameter in function.parameters.iter_non_variadic_params() {
            self.own.insert(parameter.name().as_str());
            let Some(annotation) = parameter.parameter.annotation.as_deref() else { continue };
            let shape = self.shape(annotation);
            self.annotated.insert(parameter.name().as_str(), self.cx.text[annotation.range()].to_owned());
            if let Some(default) = parameter.default.as_deref().filter(|_| shape.holds_io(self.cx.project)) {
                self.default(default, &shape);
            }
            self.parameter(parameter.name(), shape, start);
        }
        function.body.iter().for_each(|statement| self.visit_stmt(statement));
        self.finish()
    }

    /// A parameter whose value is, or holds, a file, directory or frame.
    fn parameter(&mut self, name: &'a ast::Identifier, shape: Shape, start: TextSize) {
        let is_rebound = self.bound.contains_key(name.as_str());
        if !shape.holds_io(self.cx.project) && shape.is_followed(self.cx.project) && !is_rebound {
            let binder = Binder::Nowhere;
            self.track(name, shape, binder);
        } else if shape.holds_io(self.cx.project) {
            if is_rebound {
                self.rebound(name.range, name.as_str());
            }
            self.track(name, shape, Binder::Before(start));
        }
    }

    fn track(&mut self, name: &str, shape: Shape, binder: Binder) {
        self.tracked.insert(name.to_owned(), Tracked { shape, binder, tries: self.tries });
    }

    fn rebound(&mut self, range: TextRange, name: &str) {
        self.find(
            range,
            Effect::Blocking,
            format!("`{name}` is bound more than once; which value it has where cannot be told"),
            "Give each value a name of its own",
        );
    }

    /// Code that is no function: only the `__main__` block runs after `flyte.init()`.
    pub(super) fn code(mut self, statement: &'a Stmt) -> Outcome {
        self.is_module = !statement.is_if_stmt();
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

    // --- What expressions are -------------------------------------------------------------------

    /// The type of an expression, as far as it matters.
    fn shape_of(&self, expr: &Expr) -> Shape {
        match expr {
            Expr::Name(name) => match self.tracked.get(name.id.as_str()) {
                Some(known) => known.shape.clone(),
                None => self.global(expr),
            },
            Expr::List(ast::ExprList { elts, .. }) => self.shape_of_elements(elts.iter()),
            Expr::Tuple(tuple) => {
                Shape::Tuple(tuple.elts.iter().map(|element| self.shape_of(element)).collect())
            }
            Expr::ListComp(ast::ExprListComp { elt, .. })
            | Expr::SetComp(ast::ExprSetComp { elt, .. })
            | Expr::Generator(ast::ExprGenerator { elt, .. }) => {
                self.shape_of_elements(std::iter::once(&**elt))
            }
            Expr::DictComp(dict) => match self.shape_of_elements(std::iter::once(&*dict.value)) {
                Shape::Many(inner) => Shape::Mapping(inner),
                other => other,
            },
            Expr::Named(named) => self.shape_of(&named.value),
            Expr::Dict(dict) => match self.shape_of_elements(dict.items.iter().map(|item| &item.value)) {
                Shape::Many(inner) => Shape::Mapping(inner),
                other => other,
            },
            Expr::If(choice) => self.shape_of_choice([&*choice.body, &*choice.orelse]),
            Expr::BoolOp(operation) => self.shape_of_choice(&operation.values),
            Expr::Await(awaited) => self.shape_of(&awaited.value),
            Expr::Attribute(attribute) => match self.shape_of(&attribute.value) {
                Shape::Tuple(elements) => {
                    let at =
                        attribute.attr.as_str().strip_prefix('o').and_then(|at| at.parse::<usize>().ok());
                    at.and_then(|at| elements.get(at).cloned()).unwrap_or(Shape::Other)
                }
                // The only output: `node.o0`
                only @ (Shape::Io(_) | Shape::Pandas | Shape::Many(_) | Shape::Mapping(_))
                    if attribute.attr.as_str() == "o0" =>
                {
                    only
                }
                Shape::Class(file, statement) => {
                    let fields = fields(self.cx.project, file, statement).into_iter();
                    let mut fields = fields.filter(|(name, _)| name == attribute.attr.as_str());
                    fields.next().map_or(Shape::Other, |(_, shape)| shape)
                }
                _ => Shape::Other,
            },
            Expr::Subscript(subscript) => match self.shape_of(&subscript.value) {
                Shape::Many(inner) | Shape::Mapping(inner) if !subscript.slice.is_slice_expr() => *inner,
                Shape::Tuple(elements) => match &*subscript.slice {
                    Expr::NumberLiteral(ast::ExprNumberLiteral { value: ast::Number::Int(at), .. }) => {
                        at.as_usize().and_then(|at| elements.get(at).cloned()).unwrap_or(Shape::Other)
                    }
                    _ => Shape::Other,
                },
                _ => Shape::Other,
            },
            Expr::Call(call) => self.result_of(call),
            _ => Shape::Other,
        }
    }

    /// Elements of several types are none that can be told, but where one of them is followed for certain.
    fn shape_of_elements<'e>(&self, elements: impl IntoIterator<Item = &'e Expr>) -> Shape {
        match self.shape_of_choice(elements) {
            Shape::Other => Shape::Other,
            known => Shape::Many(Box::new(known)),
        }
    }

    /// The type of one of several values.
    fn shape_of_choice<'e>(&self, values: impl IntoIterator<Item = &'e Expr>) -> Shape {
        let shapes: Vec<Shape> = values.into_iter().map(|value| self.shape_of(value)).collect();
        let is_pandas =
            |shape: &&Shape| shape.is_followed(self.cx.project) && !shape.holds_io(self.cx.project);
        if shapes.iter().any(|shape| is_pandas(&shape)) && !shapes.iter().all(|shape| *shape == shapes[0]) {
            return Shape::Other;
        }
        let known = shapes.into_iter().find(|shape| shape.is_followed(self.cx.project));
        known.unwrap_or(Shape::Other)
    }

    /// A name of a module that holds a value: `DATA = FlyteFile("s3://…")`.
    fn global(&self, expr: &Expr) -> Shape {
        let Some(reference) = self.cx.reference(expr) else { return Shape::Other };
        let targets = self.cx.project.resolve(self.cx.file, reference);
        let known = targets.iter().find_map(|target| {
            let Target::Binding(file, binding, rest) = target else { return None };
            let facts = self.cx.project.facts(*file).filter(|_| rest.is_empty())?;
            let calls = facts.module.calls.iter();
            let mut assigned = calls.filter(|call| call.context == CallContext::Assigned(*binding));
            let callee = facts.reference_at(assigned.next()?.callee)?;
            IoType::of(&self.cx.project.symbol(*file, callee)?)
        });
        known.map_or(Shape::Other, Shape::Io)
    }

    fn result_of(&self, call: &ast::ExprCall) -> Shape {
        if let Some(io) = self.constructed(call) {
            return Shape::Io(io);
        }
        if let Some(entity) = self.cx.entity(&call.func) {
            return self.returned_by(entity);
        }
        if let Some((_, plan)) = self.cx.plan(&call.func) {
            return self.returned_by(plan.workflow);
        }
        if let Expr::Call(map) = &*call.func {
            let task = self.mapped(map).and_then(|task| self.cx.entity(task));
            return task.map_or(Shape::Other, |task| Shape::Many(Box::new(self.returned_by(task))));
        }
        if self.cx.is_flyte1(&call.func, "create_node") {
            let entity = call.arguments.args.first().and_then(|entity| self.cx.entity(entity));
            return entity.map_or(Shape::Other, |entity| self.returned_by(entity));
        }
        if let Some(values) = self.conditional(call) {
            return self.shape_of_choice(values);
        }
        if let Expr::Attribute(method) = &*call.func
            && method.attr.as_str() == "with_overrides"
        {
            return self.shape_of(&method.value);
        }
        match self.definition(&call.func) {
            Some(class @ Shape::Class(file, statement)) => {
                match signature(self.cx.project, file, statement) {
                    Some(signature) => signature.returns.unwrap_or(Shape::Other),
                    None => class,
                }
            }
            _ => Shape::Other,
        }
    }

    fn returned_by(&self, entity: NodeId) -> Shape {
        let file = self.cx.graph.nodes[entity].file;
        let returns = self.cx.function(entity).and_then(|function| function.returns);
        returns.map_or(Shape::Other, |range| shape(self.cx.project, file, range))
    }

    /// The type that a call makes a value of: `FlyteFile(…)`.
    fn constructed(&self, call: &ast::ExprCall) -> Option<IoType> {
        let callee = match &*call.func {
            // `FlyteFile["csv"](path)`
            Expr::Subscript(subscript) => &subscript.value,
            func => func,
        };
        IoType::of(&self.cx.symbol(callee)?)
    }

    /// The class or plain function of the project that an expression names.
    fn definition(&self, expr: &Expr) -> Option<Shape> {
        let reference = self.cx.reference(expr)?;
        let [Target::Binding(file, binding, rest)] = self.cx.project.resolve(self.cx.file, reference) else {
            return None;
        };
        let binding = &self.cx.project.facts(*file)?.module.bindings[*binding];
        let is_class = match &binding.kind {
            BindingKind::Definition => true,
            BindingKind::Assignment { value, .. } => value.kind == crate::python::value::ValueKind::Call,
            _ => false,
        };
        (rest.is_empty() && is_class).then_some(Shape::Class(*file, binding.owner))
    }

    // --- Values handed on -----------------------------------------------------------------------

    /// The default of a parameter, which is made when the module is loaded.
    fn default(&mut self, default: &'a Expr, shape: &Shape) {
        let Some(io) = shape.io() else { return };
        match default {
            Expr::NoneLiteral(_) => {}
            Expr::Call(_) => self.visit_expr(default),
            Expr::StringLiteral(_) if self.paths.locality(default) == Locality::Remote => {
                self.make(default.range(), io, Locality::Remote);
            }
            _ => self.find(
                default.range(),
                Effect::Blocking,
                format!("the default of a parameter is no `{}` on Flyte 2", io.name()),
                "Hand the value over in the call, or name a file of an object store",
            ),
        }
    }

    /// Puts the constructor of Flyte 2 around a path.
    fn make(&mut self, range: TextRange, io: IoType, locality: Locality) {
        if self.is_module && self.scopes == 0 && locality != Locality::Remote {
            self.find(
                range,
                Effect::Blocking,
                format!("`{}` is uploaded here, where Flyte 2 is not set up yet", self.text(range)),
                "Call it in a function or in the `__main__` block, behind `flyte.init()`",
            );
            return;
        }
        let constructor = self.constructor(io, locality);
        let wait = if constructor.ends_with(".from_local") { "await " } else { "" };
        self.insert(range, format!("{wait}{constructor}("), ")");
    }

    /// `File.from_local_sync`, `File.from_existing_remote`, `DataFrame.from_df`.
    fn constructor(&mut self, io: IoType, locality: Locality) -> String {
        let method = match (io, locality) {
            (IoType::Frame, _) => "from_df",
            (_, Locality::Remote) => "from_existing_remote",
            _ if self.is_async && self.scopes == 0 => "from_local",
            _ => "from_local_sync",
        };
        format!("{}.{method}", self.names.io(io))
    }

    /// Makes sure that an expression is a value of the type that is wanted at its place.
    fn conform(&mut self, expr: &'a Expr, wanted: &Shape) {
        match (wanted, expr) {
            (_, Expr::If(choice)) => {
                self.conform(&choice.body, wanted);
                self.conform(&choice.orelse, wanted);
            }
            (_, Expr::Call(call)) if let Some(values) = self.conditional(call) => {
                values.into_iter().for_each(|value| self.conform(value, wanted));
            }
            (Shape::Optional(_), Expr::NoneLiteral(_)) => {}
            (Shape::Optional(inner), _) => self.conform(expr, inner),
            (Shape::Io(io), _) => self.conform_value(expr, *io),
            (Shape::Tuple(elements), Expr::Tuple(tuple)) if tuple.elts.len() == elements.len() => {
                let pairs = tuple.elts.iter().zip(elements);
                pairs.for_each(|(element, shape)| self.conform(element, shape));
            }
            (
                Shape::Many(inner),
                Expr::List(ast::ExprList { elts, .. }) | Expr::Tuple(ast::ExprTuple { elts, .. }),
            ) => {
                elts.iter().for_each(|element| self.conform(element, inner));
            }
            (Shape::Many(inner), Expr::ListComp(list)) => {
                self.enter(&list.generators);
                self.conform(&list.elt, inner);
            }
            (Shape::Mapping(inner), Expr::Dict(dict)) => {
                dict.items.iter().for_each(|item| self.conform(&item.value, inner));
            }
            (Shape::Mapping(inner), Expr::DictComp(dict)) => {
                self.enter(&dict.generators);
                self.conform(&dict.value, inner);
            }
            (Shape::Class(..) | Shape::Tuple(_) | Shape::Many(_) | Shape::Mapping(_), _)
                if self.shape_of(expr).lacks_frames(wanted, self.cx.project) =>
            {
                self.unknown_frame(expr);
            }
            // What a class holds is looked at where it is made.
            (Shape::Class(..) | Shape::Pandas | Shape::Other, _) => {}
            _ if !wanted.holds_io(self.cx.project) => {}
            (Shape::Many(inner), Expr::Name(name)) if self.conform_appended(name.id.as_str(), inner) => {}
            _ if self.shape_of(expr) == *wanted => {}
            _ if self.is_promise(expr, wanted) => {}
            _ => self.unknown(expr),
        }
    }

    fn conform_value(&mut self, expr: &'a Expr, io: IoType) {
        let known = self.shape_of(expr);
        match (io, expr) {
            _ if known.io() == Some(io) => {}
            (IoType::Frame, _) if known == Shape::Pandas => self.frame(expr),
            (_, Expr::NoneLiteral(_)) => {}
            (IoType::Frame, _) if self.is_flow() && self.is_result(expr, 0) => self.unknown_frame(expr),
            (IoType::Frame, Expr::Name(_)) if !self.is_workflow() => self.frame(expr),
            (IoType::Frame, Expr::Call(call)) if self.definition(&call.func).is_none() => self.frame(expr),
            (IoType::Frame, _) => self.unknown(expr),
            _ => match self.paths.locality(expr) {
                Locality::Unknown if self.is_promise(expr, &Shape::Io(io)) => {}
                Locality::Unknown => self.unknown(expr),
                locality => self.make(expr.range(), io, locality),
            },
        }
    }

    /// A frame of pandas where a `StructuredDataset` is wanted: Flyte 1 wrapped it.
    fn frame(&mut self, expr: &Expr) {
        self.make(expr.range(), IoType::Frame, Locality::Local);
    }

    /// In a workflow flytekit itself made sure that what a task gave has the right type; it took a frame of pandas
    /// for a `StructuredDataset`.
    fn is_promise(&self, expr: &Expr, wanted: &Shape) -> bool {
        self.is_workflow() && self.is_result(expr, 0) && !wanted.holds_frames(self.cx.project)
    }

    /// Whether an expression is, or is taken out of, what tasks and workflows give and parameters of the workflow.
    fn is_result(&self, expr: &Expr, depth: usize) -> bool {
        const MAX_DEPTH: usize = 16;
        if depth > MAX_DEPTH {
            return false;
        }
        let is_result = |expr: &Expr| self.is_result(expr, depth + 1);
        match expr {
            Expr::Name(name) => {
                let origins = self.origins.get(name.id.as_str()).map(Vec::as_slice);
                let is_own = self.own.contains(name.id.as_str());
                (is_own || origins.is_some())
                    && origins.into_iter().flatten().all(|origin| origin.is_some_and(is_result))
            }
            Expr::Attribute(attribute) => is_result(&attribute.value),
            Expr::Subscript(subscript) => is_result(&subscript.value),
            Expr::Starred(starred) => is_result(&starred.value),
            Expr::Await(awaited) => is_result(&awaited.value),
            Expr::Named(named) => is_result(&named.value),
            Expr::If(choice) => is_result(&choice.body) && is_result(&choice.orelse),
            Expr::BoolOp(operation) => operation.values.iter().all(is_result),
            Expr::BinOp(operation) => is_result(&operation.left) && is_result(&operation.right),
            Expr::List(ast::ExprList { elts, .. })
            | Expr::Tuple(ast::ExprTuple { elts, .. })
            | Expr::Set(ast::ExprSet { elts, .. }) => elts.iter().all(is_result),
            Expr::Dict(dict) => dict.items.iter().all(|item| is_result(&item.value)),
            Expr::ListComp(ast::ExprListComp { elt, .. })
            | Expr::SetComp(ast::ExprSetComp { elt, .. })
            | Expr::Generator(ast::ExprGenerator { elt, .. })
            | Expr::DictComp(ast::ExprDictComp { value: elt, .. }) => is_result(elt),
            Expr::NumberLiteral(_) | Expr::BooleanLiteral(_) | Expr::NoneLiteral(_) => true,
            Expr::Call(call) => self.gives_result(call, depth),
            _ => false,
        }
    }

    /// Whether a call is one of a task, or of something of Flyte 1 that gives what tasks give.
    fn gives_result(&self, call: &ast::ExprCall, depth: usize) -> bool {
        if self.cx.callee(&call.func).is_some() || self.cx.plan(&call.func).is_some() {
            return true;
        }
        let is_result = |expr: &Expr| self.is_result(expr, depth + 1);
        match &*call.func {
            Expr::Name(name)
                if !self.origins.contains_key(name.id.as_str())
                    && matches!(
                        name.id.as_str(),
                        "enumerate" | "zip" | "list" | "tuple" | "reversed" | "sorted" | "dict" | "range"
                    ) =>
            {
                let mut values = call.arguments.arguments_source_order().map(ArgOrKeyword::value);
                name.id == "range" || values.all(is_result)
            }
            // `map_task(f)(…)`
            Expr::Call(inner) => self.is_maker(&inner.func),
            // `conditional(…).if_(…).then(…)`, `f(…).with_overrides(…)`, `results.values()`
            Expr::Attribute(method) => is_result(&method.value) || self.conditional(call).is_some(),
            func => self.is_maker(func),
        }
    }

    /// Whether a call of this gives what tasks give, or a task.
    fn is_maker(&self, func: &Expr) -> bool {
        const MAKERS: [&str; 6] =
            ["map_task", "create_node", "wait_for_input", "approve", "conditional", "reference_task"];
        MAKERS.iter().any(|name| self.cx.is_flyte1(func, name))
    }

    /// The values of a `conditional`, one of which it gives.
    fn conditional<'e>(&self, call: &'e ast::ExprCall) -> Option<Vec<&'e Expr>> {
        let mut values = Vec::new();
        let mut current = call;
        loop {
            let Expr::Attribute(method) = &*current.func else { return None };
            if method.attr.as_str() == "then" {
                values.extend(current.arguments.args.first());
            }
            current = match &*method.value {
                Expr::Call(inner) => inner,
                Expr::Attribute(inner) => inner.value.as_call_expr()?,
                _ => return None,
            };
            if self.cx.is_flyte1(&current.func, "conditional") {
                return (!values.is_empty()).then_some(values);
            }
        }
    }

    fn is_flow(&self) -> bool {
        self.kind.is_some_and(EntityKind::is_flow)
    }

    fn is_workflow(&self) -> bool {
        self.kind == Some(EntityKind::Workflow)
    }

    fn unknown(&mut self, expr: &Expr) {
        let text = self.text(expr.range());
        self.find(
            expr.range(),
            Effect::Blocking,
            format!("`{text}` may be a path here, which Flyte 2 takes for no file"),
            "Make it a `FlyteFile`, `FlyteDirectory` or `StructuredDataset`, so that this can be seen",
        );
    }

    fn unknown_frame(&mut self, expr: &Expr) {
        let text = self.text(expr.range());
        self.find(
            expr.range(),
            Effect::Blocking,
            format!("`{text}` may be a frame of pandas here, which Flyte 2 takes for no `DataFrame`"),
            "Give the task that makes it and the one that takes it the same type",
        );
    }

    /// What is put into a list that begins in this function and only grows by `append`.
    fn conform_appended(&mut self, name: &str, inner: &Shape) -> bool {
        let Some(elements) = self.lists.get(name).filter(|_| self.bound.get(name) == Some(&1)).cloned()
        else {
            return false;
        };
        elements.into_iter().for_each(|element| self.conform(element, inner));
        true
    }

    // --- Calls ----------------------------------------------------------------------------------

    fn call(&mut self, call: &'a ast::ExprCall) {
        if let Some(io) = self.constructed(call) {
            self.construct(call, io);
        } else if let Some(wanted) = self.parameters(&call.func).or_else(|| self.parameters_of_maker(call)) {
            let mut given = HashSet::new();
            for (position, argument) in call.arguments.arguments_source_order().enumerate() {
                let parameter = match argument {
                    ArgOrKeyword::Arg(value) if value.is_starred_expr() => None,
                    ArgOrKeyword::Arg(_) => wanted.get(position),
                    ArgOrKeyword::Keyword(keyword) => {
                        let name = keyword.arg.as_ref().map(ast::Identifier::as_str);
                        wanted.iter().find(|(wanted, _)| Some(wanted.as_str()) == name)
                    }
                };
                if let Some((name, Some(shape))) = parameter {
                    given.insert(name.as_str());
                    self.conform(argument.value(), shape);
                }
            }
            self.conform_spread(call, wanted.iter().filter(|(name, _)| !given.contains(name.as_str())));
        }
    }

    /// What `*values` and `**values` hold reaches parameters that nothing else is given to.
    fn conform_spread<'w>(
        &mut self,
        call: &'a ast::ExprCall,
        wanted: impl Iterator<Item = &'w (String, Option<Shape>)>,
    ) {
        let shapes = wanted.filter_map(|(_, shape)| shape.as_ref());
        let shapes: Vec<&Shape> = shapes.filter(|shape| shape.holds_io(self.cx.project)).collect();
        let positional = call.arguments.args.iter().filter_map(Expr::as_starred_expr);
        let keywords = call.arguments.keywords.iter().filter(|keyword| keyword.arg.is_none());
        let spread = positional.map(|starred| &*starred.value).chain(keywords.map(|keyword| &keyword.value));
        for expr in spread {
            let given = self.shape_of(expr);
            for wanted in &shapes {
                let is_same = match &given {
                    Shape::Many(inner) | Shape::Mapping(inner) => **inner == **wanted,
                    _ => false,
                };
                if !is_same && wanted.holds_frames(self.cx.project) {
                    self.unknown_frame(expr);
                } else if !is_same && !self.is_promise(expr, wanted) {
                    self.unknown(expr);
                }
            }
        }
    }

    /// What `map_task(f)`, a launch plan of `f`, `partial(f, …)` and `create_node(f, …)` take.
    fn parameters_of_maker(&self, call: &ast::ExprCall) -> Option<Vec<(String, Option<Shape>)>> {
        if let Expr::Call(map) = &*call.func {
            let parameters = self.parameters(self.mapped(map)?)?.into_iter();
            let many = |shape| Shape::Many(Box::new(shape));
            return Some(parameters.map(|(name, shape)| (name, shape.map(many))).collect());
        }
        if let Some((_, plan)) = self.cx.plan(&call.func) {
            return self.parameters_of(plan.workflow);
        }
        let is_first = self.cx.is_flyte1(&call.func, "create_node")
            || self.cx.is_imported(&call.func, "functools.partial");
        let entity = self.cx.entity(call.arguments.args.first().filter(|_| is_first)?)?;
        let own = (String::new(), None);
        Some(std::iter::once(own).chain(self.parameters_of(entity)?).collect())
    }

    /// The task that `map_task(…)` maps, also behind `partial` and the name of one.
    fn mapped<'e>(&self, map: &'e ast::ExprCall) -> Option<&'e Expr>
    where
        'a: 'e,
    {
        if !self.cx.is_flyte1(&map.func, "map_task") {
            return None;
        }
        let named = ["target", "task_function"].into_iter().find_map(|name| map.arguments.find_keyword(name));
        let target = map.arguments.args.first().or_else(|| named.map(|keyword| &keyword.value))?;
        let target = match target {
            Expr::Name(name) if self.cx.entity(target).is_none() => {
                self.paths.values(name.id.as_str()).first().copied()?
            }
            _ => target,
        };
        match target {
            Expr::Call(partial) => partial.arguments.args.first(),
            _ => Some(target),
        }
    }

    /// The parameters of an entity, plain function or class of the project; `None` for a type that is not annotated.
    fn parameters(&self, callee: &Expr) -> Option<Vec<(String, Option<Shape>)>> {
        let project = self.cx.project;
        if let Some(entity) = self.cx.entity(callee) {
            return self.parameters_of(entity);
        }
        let Shape::Class(file, statement) = self.definition(callee)? else { return None };
        if let Some(signature) = signature(project, file, statement) {
            return Some(signature.parameters);
        }
        let fields = fields(project, file, statement).into_iter();
        Some(fields.map(|(name, shape)| (name, Some(shape))).collect())
    }

    fn parameters_of(&self, entity: NodeId) -> Option<Vec<(String, Option<Shape>)>> {
        let file = self.cx.graph.nodes[entity].file;
        let parameters = self.cx.function(entity)?.parameters.iter();
        let typed = parameters.map(|parameter| {
            let shape = parameter.annotation.map(|range| shape(self.cx.project, file, range));
            (parameter.name.clone(), shape)
        });
        Some(typed.collect())
    }

    /// `FlyteFile(path)`, `FlyteDirectory(path=…)`, `StructuredDataset(dataframe=df)`.
    fn construct(&mut self, call: &'a ast::ExprCall, io: IoType) {
        let callee = match &*call.func {
            Expr::Subscript(subscript) => &*subscript.value,
            func => func,
        };
        self.outcome.consumed.push(callee.range());
        if io == IoType::Frame {
            self.construct_frame(call);
            return;
        }
        let mut path = None;
        let mut destination = None;
        let mut is_known = true;
        for (position, argument) in call.arguments.arguments_source_order().enumerate() {
            match argument {
                ArgOrKeyword::Arg(value) if position == 0 && !value.is_starred_expr() => {
                    path = Some(argument);
                }
                ArgOrKeyword::Keyword(keyword) => match keyword.arg.as_ref().map(ast::Identifier::as_str) {
                    Some("path") => path = Some(argument),
                    Some("remote_path" | "remote_directory") if keyword.value.is_string_literal_expr() => {
                        destination = keyword.arg.as_ref();
                    }
                    Some("remote_path" | "remote_directory") if keyword.value.is_none_literal_expr() => {
                        is_known = false;
                    }
                    _ => is_known = false,
                },
                ArgOrKeyword::Arg(_) => is_known = false,
            }
        }
        let Some(path) = path.filter(|_| is_known) else {
            let text = self.text(call.range);
            self.find(
                call.range,
                Effect::Blocking,
                format!("`{text}` has arguments that Flyte 2 has no counterpart for"),
                "Make it with `from_local`, `from_existing_remote` or `new_remote` by hand",
            );
            return;
        };
        let locality = self.paths.locality(path.value());
        if locality == Locality::Unknown {
            self.either(path.value(), io);
        }
        if locality == Locality::Remote && destination.is_some() {
            self.unknown(path.value());
        }
        if let ArgOrKeyword::Keyword(keyword) = path {
            let before = TextRange::new(keyword.range.start(), keyword.value.range().start());
            self.outcome.edits.push(Edit::deletion(before));
        }
        if let Some(name) = destination {
            self.outcome.edits.push(Edit::replacement(name.range, "remote_destination"));
        }
        if locality != Locality::Remote && (self.is_module || self.is_async && self.scopes > 0) {
            let text = self.text(call.range);
            self.find(
                call.range,
                Effect::Blocking,
                format!("`{text}` is made where Flyte 2 cannot upload it"),
                "Make it in a task, and hand the path or the value over",
            );
        }
        let constructor = self.constructor(io, locality);
        let wait = if constructor.ends_with(".from_local") { "await " } else { "" };
        self.outcome.edits.push(Edit::replacement(call.func.range(), format!("{wait}{constructor}")));
    }

    /// A path that the caller gives may lead anywhere.
    fn either(&mut self, path: &Expr, io: IoType) {
        let text = self.text(path.range());
        let message = format!(
            "`{text}` is taken for a path on this machine, which is uploaded; for the address of an object store write `{}.from_existing_remote`",
            io.name()
        );
        let finding = Finding::new(&LOCAL_OR_REMOTE, path.range(), Effect::Unsafe, message)
            .help("Look where the path comes from");
        self.outcome.findings.push(finding);
    }

    fn construct_frame(&mut self, call: &'a ast::ExprCall) {
        let arguments: Vec<ArgOrKeyword<'_>> = call.arguments.arguments_source_order().collect();
        let names = arguments.iter().map(|argument| match argument {
            ArgOrKeyword::Arg(_) => None,
            ArgOrKeyword::Keyword(keyword) => keyword.arg.as_ref().map(ast::Identifier::as_str),
        });
        let names: Vec<Option<&str>> = names.collect();
        let type_name = self.names.io(IoType::Frame);
        let (method, renamed): (&str, &[(&str, &str)]) = match names[..] {
            [None | Some("dataframe")] => ("from_df", &[("dataframe", "")]),
            [Some("uri")] => ("from_existing_remote", &[("uri", "")]),
            [Some("uri"), Some("file_format")] => {
                ("from_existing_remote", &[("uri", ""), ("file_format", "format=")])
            }
            _ => {
                let text = self.text(call.range);
                self.find(
                    call.range,
                    Effect::Blocking,
                    format!("`{text}` has arguments that Flyte 2 has no counterpart for"),
                    "Make it with `flyte.io.DataFrame.from_df` or `from_existing_remote` by hand",
                );
                return;
            }
        };
        if method == "from_existing_remote" {
            self.find(
                call.range,
                Effect::Unsafe,
                "a frame at an address is read by another reader on Flyte 2",
                "Make sure that the format is one that flyte reads: parquet, or csv",
            );
        }
        for argument in &arguments {
            let ArgOrKeyword::Keyword(keyword) = argument else { continue };
            let given = renamed.iter().find(|(from, _)| keyword.arg.as_ref().is_some_and(|arg| arg == *from));
            if let Some((_, to)) = given {
                let before = TextRange::new(keyword.range.start(), keyword.value.range().start());
                self.outcome.edits.push(Edit::replacement(before, *to));
            }
        }
        self.outcome.edits.push(Edit::replacement(call.func.range(), format!("{type_name}.{method}")));
    }

    // --- Uses of values -------------------------------------------------------------------------

    /// A value of one of the types, and what the code around it does with it.
    fn value(&mut self, expr: &'a Expr, io: IoType, may_be_none: bool) {
        let parent = self.parents.last().copied();
        let outer = self.parents.len().checked_sub(2).map(|at| self.parents[at]);
        match parent {
            Some(Parent::Expr(Expr::Attribute(attribute))) => self.attribute(expr, io, attribute, outer),
            Some(Parent::Expr(Expr::Call(call))) => self.argument(expr, io, call, may_be_none),
            Some(Parent::Expr(Expr::FString(_))) if io != IoType::Frame => {
                self.path(expr.range(), expr, may_be_none);
            }
            Some(Parent::Expr(Expr::BinOp(binary)))
                if io == IoType::Dir && binary.op == Operator::Div && binary.left.range() == expr.range() =>
            {
                self.path(expr.range(), expr, may_be_none);
                if let Some(last) = self.uses.last_mut() {
                    last.as_path = true;
                }
            }
            Some(Parent::Expr(Expr::Compare(compare)))
                if compare.comparators.iter().all(Expr::is_none_literal_expr) => {}
            // Truth of a value, a value chosen, handed on as it is.
            Some(Parent::Expr(
                Expr::UnaryOp(_)
                | Expr::BoolOp(_)
                | Expr::If(_)
                | Expr::List(_)
                | Expr::Tuple(_)
                | Expr::Dict(_)
                | Expr::Await(_)
                | Expr::ListComp(_)
                | Expr::DictComp(_),
            )) if self.is_handed_on() => {}
            Some(Parent::Stmt(
                Stmt::Return(_) | Stmt::If(_) | Stmt::While(_) | Stmt::Assert(_) | Stmt::Expr(_),
            )) => {}
            Some(Parent::Stmt(Stmt::Assign(_) | Stmt::AnnAssign(_))) if self.is_workflow() => {}
            _ => {
                let text = self.text(expr.range());
                self.find(
                    expr.range(),
                    Effect::Blocking,
                    format!("`{text}` is used here in a way that cannot be followed"),
                    "Use the value by its own name: download it, open it, return it or hand it to a task",
                );
            }
        }
    }

    /// Whether a value in a display, choice or condition ends in a `return`, a condition, or a call of a task.
    fn is_handed_on(&self) -> bool {
        for parent in self.parents.iter().rev() {
            match parent {
                Parent::Expr(
                    Expr::UnaryOp(_)
                    | Expr::BoolOp(_)
                    | Expr::If(_)
                    | Expr::List(_)
                    | Expr::Tuple(_)
                    | Expr::Dict(_)
                    | Expr::Await(_)
                    | Expr::ListComp(_)
                    | Expr::DictComp(_),
                ) => {}
                Parent::Expr(Expr::Call(call)) => return self.parameters(&call.func).is_some(),
                Parent::Stmt(Stmt::Return(_) | Stmt::If(_) | Stmt::While(_) | Stmt::Assert(_)) => {
                    return true;
                }
                _ => return self.is_workflow(),
            }
        }
        false
    }

    fn attribute(
        &mut self,
        expr: &'a Expr,
        io: IoType,
        attribute: &'a ast::ExprAttribute,
        outer: Option<Parent<'a>>,
    ) {
        let call = match outer {
            Some(Parent::Expr(Expr::Call(call))) if call.func.range() == attribute.range => Some(call),
            _ => None,
        };
        match (io, attribute.attr.as_str(), call) {
            (IoType::File | IoType::Dir, "download", Some(call)) if call.arguments.is_empty() => {
                self.path(call.range, expr, false);
            }
            (IoType::File | IoType::Dir, "path", None) => self.path(attribute.range, expr, false),
            (IoType::File | IoType::Dir, "remote_source", None) => {
                self.outcome.edits.push(Edit::replacement(attribute.attr.range, "path"));
            }
            (IoType::File, "open", Some(call)) if self.is_read_in_with(call) => {
                self.outcome.edits.push(Edit::replacement(attribute.attr.range, "open_sync"));
            }
            (IoType::Frame, "open", Some(_)) => self.opened(expr, attribute),
            _ => {
                let text = self.text(attribute.range);
                self.find(
                    attribute.range,
                    Effect::Blocking,
                    format!("`{text}` has no counterpart on Flyte 2, or one that differs"),
                    "Migrate this line by hand; `download_sync`, `open_sync` and `path` are what `flyte.io` has",
                );
            }
        }
    }

    /// `with f.open("r") as fh:` in a function that is not `async`.
    fn is_read_in_with(&self, call: &ast::ExprCall) -> bool {
        let mode = call.arguments.find_argument_value("mode", 0).and_then(Expr::as_string_literal_expr);
        let is_read = mode.is_some_and(|mode| matches!(mode.value.to_str(), "r" | "rb" | "rt"));
        let statement = self.parents.iter().rev().find_map(|parent| match parent {
            Parent::Stmt(statement) => Some(*statement),
            Parent::Expr(_) => None,
        });
        let is_in_with = statement.is_some_and(|statement| match statement {
            Stmt::With(with) => with.items.iter().any(|item| item.context_expr.range() == call.range),
            _ => false,
        });
        is_read && is_in_with && !self.is_async
    }

    /// `frame.open(T).all()`
    fn opened(&mut self, expr: &'a Expr, attribute: &'a ast::ExprAttribute) {
        let parents: Vec<Parent<'a>> = self.parents.iter().rev().skip(2).take(2).copied().collect();
        if let [Parent::Expr(Expr::Attribute(all)), Parent::Expr(Expr::Call(call))] = parents[..]
            && all.attr.as_str() == "all"
            && call.func.range() == all.range
            && call.arguments.is_empty()
        {
            if self.is_async && self.scopes == 0 {
                self.outcome.edits.push(Edit::insertion(call.range.start(), "(await "));
                self.outcome.edits.push(Edit::insertion(call.range.end(), ")"));
            } else {
                self.outcome.edits.push(Edit::replacement(all.attr.range, "all_sync"));
            }
            return;
        }
        let text = self.text(expr.range());
        self.find(
            attribute.range,
            Effect::Blocking,
            format!("`{text}` is opened and not read at once with `.all()`"),
            "Read it with `.open(T).all_sync()`; there is no other way on Flyte 2 outside of `async` code",
        );
    }

    /// A value that is an argument of a call.
    fn argument(&mut self, expr: &'a Expr, io: IoType, call: &'a ast::ExprCall, may_be_none: bool) {
        // What a workflow hands to what is no task is looked at elsewhere; a map is no plain call.
        let is_map = self.kind == Some(EntityKind::Dynamic) && call.func.is_call_expr();
        if self.is_workflow() || is_map {
            return;
        }
        if self.constructed(call).is_some() {
            self.find(
                expr.range(),
                Effect::Blocking,
                "a value is made of another one here",
                "Use the first one",
            );
            return;
        }
        if let Some(parameters) = self.parameters(&call.func) {
            let arguments = call.arguments.arguments_source_order().enumerate();
            let taken = arguments.filter(|(_, argument)| argument.value().range() == expr.range());
            let wanted = taken.filter_map(|(position, argument)| match argument {
                ArgOrKeyword::Arg(_) => parameters.get(position),
                ArgOrKeyword::Keyword(keyword) => {
                    let name = keyword.arg.as_ref().map(ast::Identifier::as_str);
                    parameters.iter().find(|(wanted, _)| Some(wanted.as_str()) == name)
                }
            });
            match wanted.map(|(_, shape)| shape).next() {
                Some(Some(shape)) if shape.holds_io(self.cx.project) => return,
                Some(Some(_)) if self.cx.entity(&call.func).is_some() => return,
                Some(Some(_)) if io != IoType::Frame => return self.path(expr.range(), expr, may_be_none),
                _ => {
                    let text = self.text(expr.range());
                    let callee = self.text(call.func.range());
                    return self.find(
                        expr.range(),
                        Effect::Blocking,
                        format!("`{text}` is handed to `{callee}`, which does not say what it takes"),
                        "Annotate its parameter with the type, or with `str` if it takes a path",
                    );
                }
            }
        }
        match self.callee(call) {
            Callee::Keeps => {}
            Callee::Reads if io != IoType::Frame => self.path(expr.range(), expr, may_be_none),
            _ => {
                let text = self.text(expr.range());
                let callee = self.text(call.func.range());
                self.find(
                    expr.range(),
                    Effect::Blocking,
                    format!("`{text}` is handed to `{callee}`; whether that takes a path cannot be told"),
                    "Hand over the path: `download_sync()` gives it",
                );
            }
        }
    }

    /// What a call of something that is not the project's does with a value.
    fn callee(&self, call: &ast::ExprCall) -> Callee {
        let Some((root, path)) = dotted(&call.func) else { return Callee::Unknown };
        let is_plain_name = root == path;
        if self.cx.symbol(&call.func).is_some() {
            return Callee::Unknown;
        }
        if is_plain_name && !self.cx.facts.module.bindings.iter().any(|binding| binding.name == root) {
            let is_local = self.bound.contains_key(root) || self.annotated.contains_key(root);
            return match root {
                _ if is_local => Callee::Unknown,
                "isinstance" | "type" | "id" | "bool" => Callee::Keeps,
                "open" | "str" | "print" => Callee::Reads,
                _ => Callee::Unknown,
            };
        }
        match self.paths.library(root).as_deref() {
            Some("functools" | "asyncio" | "flyte") => return Callee::Unknown,
            Some(_) => return Callee::Reads,
            None => {}
        }
        // A method of an object of the function: it reads, unless it stores what it gets.
        let method = path.rsplit('.').next().unwrap_or_default();
        let stores = ["append", "add", "insert", "extend", "update", "setdefault", "put", "send", "write"];
        if method == "append" && matches!(self.tracked.get(root), Some(Tracked { shape: Shape::Many(_), .. }))
        {
            return Callee::Keeps;
        }
        let is_of_project =
            |value: &&Expr| value.as_call_expr().is_some_and(|call| self.definition(&call.func).is_some());
        let is_object = (self.bound.contains_key(root) || self.annotated.contains_key(root))
            && !self.paths.values(root).iter().any(is_of_project);
        if !is_plain_name && is_object && !stores.contains(&method) { Callee::Reads } else { Callee::Unknown }
    }

    fn path(&mut self, range: TextRange, value: &Expr, may_be_none: bool) {
        let root = root_of(value);
        let known = root.and_then(|root| self.tracked.get(root));
        let binder = known.map_or(Binder::Nowhere, |known| known.binder);
        let is_tried = known.is_some_and(|known| known.tries < self.tries);
        self.uses.push(PathUse {
            range,
            value: self.text(value.range()).to_owned(),
            binder,
            is_repeated: self.depth > 0 && !matches!(binder, Binder::Nowhere),
            is_tried,
            may_be_none,
            as_path: false,
        });
    }

    // --- The end --------------------------------------------------------------------------------

    /// Downloads in place what is used once, and binds what is used more often.
    fn finish(mut self) -> Outcome {
        for (name, shapes) in std::mem::take(&mut self.shapes) {
            let is_same = shapes.iter().all(|shape| *shape == shapes[0]);
            let is_sure = is_same && self.bound.get(name) == Some(&shapes.len());
            if !self.is_workflow() && !is_sure {
                self.rebound(self.whole, name);
            }
        }
        let mut by_value: BTreeMap<String, Vec<PathUse>> = BTreeMap::new();
        for path_use in std::mem::take(&mut self.uses) {
            by_value.entry(path_use.value.clone()).or_default().push(path_use);
        }
        for (value, uses) in by_value {
            let first = &uses[0];
            let is_single = uses.len() == 1 && !first.may_be_none;
            if is_single && !(first.is_repeated) {
                if self.is_async && first.binder == Binder::Nowhere {
                    self.find(
                        first.range,
                        Effect::Blocking,
                        format!("`{value}` is downloaded in a comprehension of an `async` function"),
                        "Download it in a loop",
                    );
                }
                let path = download(&value, self.is_async);
                self.replace(first, &path);
                continue;
            }
            let at = first.binder;
            if at == Binder::Nowhere || uses.iter().any(|other| other.binder != at) {
                self.find(
                    uses[uses.len() - 1].range,
                    Effect::Blocking,
                    format!(
                        "the path of `{value}` is used several times here; on Flyte 2 each is a download"
                    ),
                    "Bind the path to a name first",
                );
                continue;
            }
            if uses.iter().any(|path_use| path_use.is_tried) {
                self.find(
                    uses[0].range,
                    Effect::Blocking,
                    format!(
                        "`{value}` is downloaded in `try`; bound once above it, a failure would not be caught"
                    ),
                    "Download it once in the `try`, and use the path behind it",
                );
                continue;
            }
            let may_be_none = uses.iter().any(|path_use| path_use.may_be_none);
            let name = self.path_name(&value);
            let download = download(&value, self.is_async);
            let download = download.trim_start_matches('(').to_owned();
            let download =
                if self.is_async { download.trim_end_matches(')').to_owned() + ")" } else { download };
            let guard =
                if may_be_none { format!(" if {value} is not None else None") } else { String::new() };
            let line = format!("{name} = {download}{guard}");
            self.bind(at, &line);
            for path_use in &uses {
                self.replace(path_use, &name);
            }
        }
        self.outcome
    }

    fn replace(&mut self, path_use: &PathUse, path: &str) {
        let text = if path_use.as_path { format!("{}({path})", self.names.path()) } else { path.to_owned() };
        self.outcome.edits.push(Edit::replacement(path_use.range, text));
    }

    fn bind(&mut self, at: Binder, line: &str) {
        let (Binder::Before(offset) | Binder::After(offset)) = at else { return };
        let indent = indentation_at(self.cx.text, offset);
        let text = match at {
            Binder::Before(_) => format!("{line}\n{indent}"),
            _ => format!("\n{indent}{line}"),
        };
        self.outcome.edits.push(Edit::insertion(offset, text));
    }

    /// `model_path` for `model` and `r_model_path` for `r.model`.
    fn path_name(&self, value: &str) -> String {
        let words: Vec<&str> = value
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| !word.is_empty())
            .collect();
        let base = words.join("_");
        let module = &self.cx.facts.module;
        let candidates = [format!("{base}_path"), format!("{base}_local_path")];
        let further = (2..).map(|number| format!("{base}_path{number}"));
        candidates.into_iter().chain(further).find(|name| !module.has_name(name)).unwrap_or_default()
    }

    // --- Names ----------------------------------------------------------------------------------

    /// A name gets a value.
    fn assigned(&mut self, target: &'a Expr, value: &'a Expr, statement: &'a Stmt) {
        match value {
            Expr::ListComp(ast::ExprListComp { generators, .. })
            | Expr::SetComp(ast::ExprSetComp { generators, .. })
            | Expr::Generator(ast::ExprGenerator { generators, .. })
            | Expr::DictComp(ast::ExprDictComp { generators, .. }) => self.enter(generators),
            _ => {}
        }
        let shape = match (self.shape_of(value), target) {
            (Shape::Other, Expr::Name(name)) if value.is_list_expr() => {
                let appended = self.lists.get(name.id.as_str()).cloned().unwrap_or_default();
                self.shape_of_elements(appended)
            }
            (shape, _) => shape,
        };
        self.named(target, shape, Binder::After(statement.end()));
    }

    /// The variables of a comprehension.
    fn enter(&mut self, generators: &'a [ast::Comprehension]) {
        for generator in generators {
            self.iterated(&generator.target, &generator.iter, Binder::Nowhere);
        }
    }

    /// The names in a target get values of these types.
    fn named(&mut self, target: &'a Expr, shape: Shape, binder: Binder) {
        if !shape.is_followed(self.cx.project) {
            return;
        }
        let holds_io = shape.holds_io(self.cx.project);
        let id = match target {
            Expr::Name(name) => name.id.as_str(),
            Expr::Tuple(tuple) => {
                let elements = match &shape {
                    Shape::Many(inner) => vec![(**inner).clone(); tuple.elts.len()],
                    Shape::Tuple(elements) => elements.clone(),
                    Shape::Class(file, statement) => {
                        let fields = fields(self.cx.project, *file, *statement);
                        fields.into_iter().map(|(_, shape)| shape).collect()
                    }
                    _ => Vec::new(),
                };
                if elements.len() == tuple.elts.len() {
                    let pairs = tuple.elts.iter().zip(elements);
                    return pairs.for_each(|(element, shape)| self.named(element, shape, binder));
                }
                if holds_io {
                    self.unknown(target);
                }
                return;
            }
            _ if !holds_io => return,
            _ => return self.unknown(target),
        };
        let times = self.bound.get(id).copied().unwrap_or_default();
        if times == 1 && !self.annotated.contains_key(id) {
            self.track(id, shape, binder);
        } else if holds_io {
            self.shapes.entry(id).or_default().push(shape.clone());
            self.track(id, shape, Binder::Nowhere);
        }
    }

    /// `for f in files:`, `for n, f in enumerate(files)`, `for key, f in files.items()`.
    fn iterated(&mut self, target: &'a Expr, iterated: &'a Expr, binder: Binder) {
        let elements = |this: &Self, expr: &Expr| match this.shape_of(expr) {
            Shape::Many(inner) => *inner,
            _ => Shape::Other,
        };
        let mut pairs: Vec<(&'a Expr, Shape)> = Vec::new();
        if let Expr::Call(call) = iterated
            && let Some((root, path)) = dotted(&call.func)
        {
            let targets = target.as_tuple_expr().map_or(&[][..], |tuple| tuple.elts.as_slice());
            let arguments: Vec<&Expr> = call.arguments.args.iter().collect();
            let mapping = match &*call.func {
                Expr::Attribute(attribute) => match self.shape_of(&attribute.value) {
                    Shape::Mapping(inner) => Some(*inner),
                    _ => None,
                },
                _ => None,
            };
            match (path.rsplit('.').next().unwrap_or_default(), mapping, targets) {
                ("values", Some(inner), _) => pairs.push((target, inner)),
                ("items", Some(inner), [_, value]) => pairs.push((value, inner)),
                _ if root != path => {}
                ("enumerate", None, [_, value]) => {
                    pairs.extend(arguments.first().map(|first| (value, elements(self, first))));
                }
                ("zip", None, targets) => {
                    pairs.extend(
                        targets
                            .iter()
                            .zip(&arguments)
                            .map(|(target, argument)| (target, elements(self, argument))),
                    );
                }
                ("sorted" | "list" | "reversed", None, _) => {
                    pairs.extend(arguments.first().map(|first| (target, elements(self, first))));
                }
                _ => {}
            }
        } else {
            pairs.push((target, elements(self, iterated)));
        }
        for (target, shape) in pairs {
            let Expr::Name(name) = target else { continue };
            if shape.is_followed(self.cx.project) && self.bound.get(name.id.as_str()) == Some(&1) {
                self.track(name.id.as_str(), shape, binder);
            } else if shape.holds_io(self.cx.project) {
                self.unknown(target);
            }
        }
    }

    /// A list, dict, tuple or class that holds values, used as a whole.
    fn container(&mut self, expr: &'a Expr, shape: &Shape) {
        let parent = self.parents.last().copied();
        let is_fine = match parent {
            Some(Parent::Expr(Expr::Attribute(attribute))) => match shape {
                Shape::Class(..) => true,
                Shape::Many(_) => attribute.attr.as_str() == "append",
                Shape::Mapping(_) => matches!(attribute.attr.as_str(), "values" | "items" | "keys"),
                _ => false,
            },
            Some(Parent::Expr(Expr::Call(call))) => {
                let name = dotted(&call.func).map(|(_, path)| path).unwrap_or_default();
                let keeps = ["len", "enumerate", "zip", "sorted", "list", "reversed", "isinstance", "print"];
                matches!(shape, Shape::Class(..))
                    || self.kind == Some(EntityKind::Dynamic) && call.func.is_call_expr()
                    || keeps.contains(&name.as_str())
                    || self.parameters(&call.func).is_some_and(|parameters| {
                        parameters.iter().any(|(_, wanted)| wanted.as_ref() == Some(shape))
                    })
            }
            Some(Parent::Expr(Expr::Subscript(subscript))) => {
                subscript.value.range() == expr.range() && !subscript.slice.is_slice_expr()
            }
            Some(Parent::Expr(
                Expr::ListComp(_) | Expr::DictComp(_) | Expr::SetComp(_) | Expr::Generator(_),
            )) => true,
            Some(Parent::Expr(Expr::Compare(_) | Expr::UnaryOp(_))) => true,
            Some(Parent::Stmt(Stmt::For(_) | Stmt::Return(_) | Stmt::If(_))) => true,
            _ => matches!(shape, Shape::Class(..)) || self.is_handed_on(),
        };
        if !is_fine && !self.is_workflow() {
            let text = self.text(expr.range());
            self.find(
                expr.range(),
                Effect::Blocking,
                format!("`{text}` holds files or frames, and is used here in a way that cannot be followed"),
                "Loop over it, take one value out of it, return it or hand it to a task",
            );
        }
    }
}

/// The code that gives the path of a value.
fn download(value: &str, is_async: bool) -> String {
    if is_async { format!("(await {value}.download())") } else { format!("{value}.download_sync()") }
}

/// What a call does with a value that it gets.
enum Callee {
    /// Nothing that differs.
    Keeps,
    /// It takes a path.
    Reads,
    /// That cannot be told.
    Unknown,
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
                    let is_only = self.bound.get(name.as_str()) == Some(&1);
                    if shape.holds_io(self.cx.project) && is_only {
                        self.track(name, shape, Binder::Before(start));
                    } else if shape.holds_io(self.cx.project) {
                        self.rebound(name.range, name.as_str());
                    }
                }
            }
            Stmt::For(node) => {
                let binder = node.body.first().map_or(Binder::Nowhere, |first| Binder::Before(first.start()));
                self.iterated(&node.target, &node.iter, binder);
            }
            _ => {}
        }
        let is_loop = matches!(stmt, Stmt::For(_) | Stmt::While(_));
        let is_scope = matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_));
        self.depth += usize::from(is_loop || is_scope);
        self.depth_of_functions += usize::from(is_scope);
        self.scopes += usize::from(is_scope);
        self.tries += usize::from(stmt.is_try_stmt());
        self.parents.push(Parent::Stmt(stmt));
        source_order::walk_stmt(self, stmt);
        self.parents.pop();
        self.depth -= usize::from(is_loop || is_scope);
        self.depth_of_functions -= usize::from(is_scope);
        self.scopes -= usize::from(is_scope);
        self.tries -= usize::from(stmt.is_try_stmt());
    }

    fn visit_annotation(&mut self, _: &'a Expr) {}

    fn visit_expr(&mut self, expr: &'a Expr) {
        let shape = match expr {
            Expr::Name(ast::ExprName { ctx: ExprContext::Load, .. })
            | Expr::Attribute(ast::ExprAttribute { ctx: ExprContext::Load, .. })
            | Expr::Subscript(ast::ExprSubscript { ctx: ExprContext::Load, .. }) => self.shape_of(expr),
            _ => Shape::Other,
        };
        if let Some(io) = shape.io() {
            self.value(expr, io, matches!(shape, Shape::Optional(_)));
            return;
        }
        if let Expr::Name(_) = expr
            && shape.holds_io(self.cx.project)
        {
            self.container(expr, &shape);
            return;
        }
        if let Expr::Call(call) = expr {
            self.call(call);
        }
        if let Expr::ListComp(ast::ExprListComp { generators, .. })
        | Expr::SetComp(ast::ExprSetComp { generators, .. })
        | Expr::Generator(ast::ExprGenerator { generators, .. })
        | Expr::DictComp(ast::ExprDictComp { generators, .. }) = expr
        {
            self.enter(generators);
        }
        let is_deferred = matches!(
            expr,
            Expr::Lambda(_) | Expr::ListComp(_) | Expr::SetComp(_) | Expr::Generator(_) | Expr::DictComp(_)
        );
        self.depth += usize::from(is_deferred);
        self.scopes += usize::from(is_deferred);
        self.parents.push(Parent::Expr(expr));
        source_order::walk_expr(self, expr);
        self.parents.pop();
        self.depth -= usize::from(is_deferred);
        self.scopes -= usize::from(is_deferred);
    }
}

/// Counts how often each name is bound in a piece of code, and to what.
#[derive(Default)]
struct Bound<'a> {
    counts: HashMap<&'a str, usize>,
    lists: HashMap<&'a str, Vec<&'a Expr>>,
    origins: HashMap<&'a str, Vec<Option<&'a Expr>>>,
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
            Expr::Named(node) => self.origin(&node.target, Some(&node.value)),
            Expr::Call(call) => {
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
