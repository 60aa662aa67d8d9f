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

use super::early::{Around, Early, Use, only_path};
use super::paths::{Locality, Paths, dotted};
use super::types::{
    IoType, Shape, fields, is_derived, made, parameters_of_method, returned_by_method, shape, shape_of,
    signature,
};
use crate::edit::Edit;
use crate::project::FileId;
use crate::project::graph::{EntityKind, NodeId};
use crate::project::link::Target;
use crate::python::Ranged;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, ArgOrKeyword, Expr, ExprContext, Operator, Stmt};
use crate::python::items::indentation_at;
use crate::python::scope::{BindingId, BindingKind, StatementId, is_mutator};
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
    /// Whether the value may be `None` here, which the code around it takes as it takes a path.
    may_be_none: bool,
    /// Whether the value may be `None` elsewhere.
    is_optional: bool,
    /// From the statement that certainly downloads a value that may be `None` elsewhere to the end of its block.
    guarded: Option<TextRange>,
    /// Whether it is a statement by itself: `f.download()`.
    is_statement: bool,
    /// Whether `Path(…)` has to be put around it.
    as_path: bool,
    /// Whether it stands in a comprehension, lambda or function inside of the function.
    is_inside: bool,
    /// Whether the value may be another one, or not be there, elsewhere in the function: `files[0]`.
    is_fleeting: bool,
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
            Expr::Attribute(attribute) => match self.shape_of(&attribute.value).present() {
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
                    self.of_attribute((file, statement), attribute.attr.as_str())
                }
                _ => Shape::Other,
            },
            Expr::Subscript(subscript) => {
                let is_slice = subscript.slice.is_slice_expr();
                match (self.shape_of(&subscript.value).present(), &*subscript.slice) {
                    (many @ Shape::Many(_), _) if is_slice => many,
                    (Shape::Many(inner) | Shape::Mapping(inner), _) => *inner,
                    (
                        elements @ (Shape::Tuple(_) | Shape::Class(..)),
                        Expr::NumberLiteral(ast::ExprNumberLiteral { value: ast::Number::Int(at), .. }),
                    ) => {
                        let elements = self.elements_of(&elements);
                        at.as_usize().and_then(|at| elements.get(at).cloned()).unwrap_or(Shape::Other)
                    }
                    _ => Shape::Other,
                }
            }
            Expr::Call(call) => self.result_of(call),
            _ => Shape::Other,
        }
    }

    /// The types of the elements of a tuple, named or not.
    fn elements_of(&self, shape: &Shape) -> Vec<Shape> {
        match shape {
            Shape::Tuple(elements) => elements.clone(),
            Shape::Class(file, statement) => {
                let fields = fields(self.cx.project, *file, *statement);
                fields.into_iter().map(|(_, shape)| shape).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The type of a field or property of a class.
    fn of_attribute(&self, class: (FileId, StatementId), name: &str) -> Shape {
        let fields = fields(self.cx.project, class.0, class.1);
        let field = fields.into_iter().find(|(field, _)| field == name).map(|(_, shape)| shape);
        field.or_else(|| returned_by_method(self.cx.project, class, name, true)).unwrap_or(Shape::Other)
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
            let module = &self.cx.project.facts(*file).filter(|_| rest.is_empty())?.module;
            made(self.cx.project, *file, module.bindings[*binding].owner)
        });
        known.unwrap_or(Shape::Other)
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
        if let Expr::Attribute(method) = &*call.func {
            let class = self.class_of(&call.func).map(|(file, statement)| Shape::Class(file, statement));
            let known = class.unwrap_or_else(|| self.shape_of(&method.value).present());
            if known != Shape::Other {
                return self.result_of_method(&known, method.attr.as_str());
            }
        }
        if let Some(shape) = self.result_of_library(call) {
            return shape;
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

    /// The class of the project whose method an expression names: `later.text`, `Later.of`.
    fn class_of(&self, callee: &Expr) -> Option<(FileId, StatementId)> {
        let Expr::Attribute(method) = callee else { return None };
        let named = self.cx.reference(callee).map(|name| self.cx.project.resolve(self.cx.file, name));
        let class = match named {
            Some([Target::Binding(file, binding, rest)]) if rest.len() == 1 => {
                self.class_or_function(*file, *binding)?
            }
            _ => self.definition(&method.value).unwrap_or_else(|| self.shape_of(&method.value).present()),
        };
        match class {
            Shape::Class(file, statement) if signature(self.cx.project, file, statement).is_none() => {
                Some((file, statement))
            }
            _ => None,
        }
    }

    fn result_of_method(&self, of: &Shape, method: &str) -> Shape {
        match (of, method) {
            (Shape::Mapping(inner), "values") => Shape::Many(inner.clone()),
            (Shape::Mapping(inner), "items") => {
                Shape::Many(Box::new(Shape::Tuple(vec![Shape::Other, (**inner).clone()])))
            }
            (Shape::Mapping(inner), "get" | "pop") => Shape::Optional(inner.clone()),
            (Shape::Many(inner), "pop") => (**inner).clone(),
            (Shape::Many(_) | Shape::Mapping(_), "copy") => of.clone(),
            (Shape::Class(_, _), "_replace") => of.clone(),
            (Shape::Class(file, statement), _) => {
                let returned = returned_by_method(self.cx.project, (*file, *statement), method, false);
                returned.unwrap_or(Shape::Other)
            }
            _ => Shape::Other,
        }
    }

    /// What builtins and copies make of values: `zip(names, files)`, `dataclasses.replace(later, n=2)`.
    fn result_of_library(&self, call: &ast::ExprCall) -> Option<Shape> {
        let first = call.arguments.args.first()?;
        if self.is_copy(call) {
            return Some(self.shape_of(first));
        }
        let many = |inner: Shape| Shape::Many(Box::new(inner));
        match self.builtin(&call.func)? {
            "list" | "tuple" | "set" | "sorted" | "reversed" | "iter" => Some(many(self.element_of(first))),
            "next" | "min" | "max" => Some(self.element_of(first)),
            "dict" => match (self.shape_of(first).present(), self.element_of(first)) {
                (mapping @ Shape::Mapping(_), _) => Some(mapping),
                (_, Shape::Tuple(pair)) => Some(Shape::Mapping(Box::new(pair.into_iter().nth(1)?))),
                _ => None,
            },
            "enumerate" => Some(many(Shape::Tuple(vec![Shape::Other, self.element_of(first)]))),
            "zip" => {
                let elements = call.arguments.args.iter().map(|list| self.element_of(list));
                Some(many(Shape::Tuple(elements.collect())))
            }
            _ => None,
        }
    }

    /// The type of what a loop over an expression gets.
    fn element_of(&self, expr: &Expr) -> Shape {
        match self.shape_of(expr).present() {
            Shape::Many(inner) => *inner,
            _ => Shape::Other,
        }
    }

    /// Whether a call gives something like its first argument.
    fn is_copy(&self, call: &ast::ExprCall) -> bool {
        ["dataclasses.replace", "copy.copy", "copy.deepcopy"]
            .into_iter()
            .any(|path| self.cx.is_imported(&call.func, path))
    }

    /// The builtin that an expression certainly names, if nothing in the file has its name.
    fn builtin<'e>(&self, func: &'e Expr) -> Option<&'e str> {
        let name = func.as_name_expr()?.id.as_str();
        let is_hidden = self.bound.contains_key(name)
            || self.own.contains(name)
            || self.cx.facts.module.bindings.iter().any(|binding| binding.name == name);
        (!is_hidden).then_some(name)
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
        if let (Some((class, Some(own))), Expr::Name(name)) = (&self.class, expr)
            && name.id.as_str() == *own
        {
            return Some(class.clone());
        }
        let reference = self.cx.reference(expr)?;
        let [Target::Binding(file, binding, rest)] = self.cx.project.resolve(self.cx.file, reference) else {
            return None;
        };
        self.class_or_function(*file, *binding).filter(|_| rest.is_empty())
    }

    fn class_or_function(&self, file: FileId, binding: BindingId) -> Option<Shape> {
        let binding = &self.cx.project.facts(file)?.module.bindings[binding];
        let is_class = match &binding.kind {
            BindingKind::Definition => true,
            BindingKind::Assignment { value, .. } => value.kind == crate::python::value::ValueKind::Call,
            _ => false,
        };
        is_class.then_some(Shape::Class(file, binding.owner))
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
            (_, Expr::Name(name)) if let Some(times) = self.early.names.get_mut(name.id.as_str()) => {
                *times -= 1;
                self.make(expr.range(), io, Locality::Local);
            }
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
            return self.construct(call, io);
        }
        let wanted = self.parameters(&call.func).or_else(|| self.parameters_of_maker(call));
        let wanted = wanted.or_else(|| self.parameters_of_copy(call));
        let mut given = HashSet::new();
        for (position, argument) in call.arguments.arguments_source_order().enumerate() {
            let place = match argument {
                ArgOrKeyword::Arg(value) if value.is_starred_expr() => None,
                ArgOrKeyword::Arg(_) => Some(position),
                ArgOrKeyword::Keyword(keyword) => {
                    let name = keyword.arg.as_ref().map(ast::Identifier::as_str);
                    let mut names = wanted.iter().flatten();
                    names.position(|(wanted, _)| Some(wanted.as_str()) == name)
                }
            };
            let parameter = place.and_then(|place| wanted.as_ref()?.get(place));
            if let Some((name, Some(shape))) = parameter {
                given.insert(name.as_str());
                self.conform(argument.value(), shape);
            }
            let shape = self.shape_of(argument.value());
            if shape.io().is_none() && shape.holds_io(self.cx.project) {
                let wanted = parameter.and_then(|(_, shape)| shape.as_ref());
                self.handed(argument.value(), &shape, call, wanted, place);
            }
        }
        if let Some(wanted) = &wanted {
            self.conform_spread(call, wanted.iter().filter(|(name, _)| !given.contains(name.as_str())));
        }
        self.sorted_by(call);
    }

    /// Something that holds files or frames is an argument of a call.
    fn handed(
        &mut self,
        value: &Expr,
        shape: &Shape,
        call: &ast::ExprCall,
        wanted: Option<&Shape>,
        place: Option<usize>,
    ) {
        let is_map = self.kind == Some(EntityKind::Dynamic) && call.func.is_call_expr();
        if self.is_workflow() || is_map || self.parameters_of_maker(call).is_some() {
            return;
        }
        let is_known = self.parameters(&call.func).is_some();
        let is_fine = match wanted {
            Some(wanted) if wanted.holds_io(self.cx.project) => self.is_taken_as(shape, wanted),
            _ if self.cx.callee(&call.func).is_some() => true,
            _ if is_known => self.is_left_alone(shape, &call.func, place),
            _ => self.keeps(call) || self.is_copy(call),
        };
        if !is_fine {
            let text = self.text(value.range());
            let callee = self.text(call.func.range());
            let (what, help) = if is_known {
                ("does not say what it takes", "Annotate its parameter with the type of the value")
            } else {
                ("cannot be followed", "Take what it needs out of the value first, and hand that over")
            };
            self.find(
                value.range(),
                Effect::Blocking,
                format!("`{text}` holds files or frames, and is handed to `{callee}`, which {what}"),
                help,
            );
        }
    }

    /// Whether a function that takes `wanted` knows what `given` holds.
    fn is_taken_as(&self, given: &Shape, wanted: &Shape) -> bool {
        match (given, wanted) {
            (Shape::Optional(given), wanted) => self.is_taken_as(given, wanted),
            (given, Shape::Optional(wanted)) => self.is_taken_as(given, wanted),
            (Shape::Many(given), Shape::Many(wanted)) | (Shape::Mapping(given), Shape::Mapping(wanted)) => {
                self.is_taken_as(given, wanted)
            }
            (Shape::Tuple(given), Shape::Many(wanted)) => {
                given.iter().all(|given| self.is_taken_as(given, wanted))
            }
            (Shape::Tuple(given), Shape::Tuple(wanted)) => {
                given.len() == wanted.len()
                    && given.iter().zip(wanted).all(|(given, wanted)| self.is_taken_as(given, wanted))
            }
            (Shape::Class(file, statement), Shape::Class(base_file, base)) => {
                is_derived(self.cx.project, (*file, *statement), (*base_file, *base))
            }
            _ => given == wanted || !given.holds_io(self.cx.project),
        }
    }

    /// Whether a plain function reads nothing of a parameter but fields that hold no files.
    fn is_left_alone(&self, given: &Shape, callee: &Expr, place: Option<usize>) -> bool {
        let (Shape::Class(file, statement), Some(Shape::Class(home, function)), Some(place)) =
            (given.clone().present(), self.definition(callee), place)
        else {
            return false;
        };
        let signature = signature(self.cx.project, home, function);
        let attributes = signature.and_then(|mut signature| signature.attributes.get_mut(place)?.take());
        let holds = |name: &String| self.of_attribute((file, statement), name).holds_io(self.cx.project);
        attributes.is_some_and(|attributes| !attributes.iter().any(holds))
    }

    /// Whether a call of something that is not the project's leaves what it gets as it is, or gives it back in a way
    /// that is followed.
    fn keeps(&self, call: &ast::ExprCall) -> bool {
        const BUILTINS: [&str; 20] = [
            "len",
            "dict",
            "enumerate",
            "zip",
            "sorted",
            "list",
            "tuple",
            "set",
            "reversed",
            "iter",
            "next",
            "min",
            "max",
            "isinstance",
            "print",
            "type",
            "id",
            "repr",
            "str",
            "bool",
        ];
        const OF_LOGGERS: [&str; 7] = ["debug", "info", "warning", "error", "exception", "critical", "log"];
        if let Some(name) = self.builtin(&call.func) {
            return BUILTINS.contains(&name);
        }
        match &*call.func {
            Expr::Attribute(method) if method.attr.as_str() == "append" => {
                matches!(self.shape_of(&method.value), Shape::Many(_))
            }
            Expr::Attribute(method) => OF_LOGGERS.contains(&method.attr.as_str()),
            _ => false,
        }
    }

    /// `sorted(laters, key=lambda later: later.n)`
    fn sorted_by(&mut self, call: &'a ast::ExprCall) {
        let (Some(first), Some(key)) = (call.arguments.args.first(), call.arguments.find_keyword("key"))
        else {
            return;
        };
        let element = self.element_of(first);
        if !element.holds_io(self.cx.project) {
            return;
        }
        let parameters = key.value.as_lambda_expr().and_then(|key| key.parameters.as_deref());
        let names: Vec<&'a ast::Identifier> = parameters
            .into_iter()
            .flat_map(ast::Parameters::iter_non_variadic_params)
            .map(ast::ParameterWithDefault::name)
            .collect();
        match names[..] {
            [name] if self.bound.get(name.as_str()) == Some(&1) => {
                self.track(name, element, Binder::Nowhere);
            }
            _ => self.unknown(&key.value),
        }
    }

    /// What `dataclasses.replace(later, file=…)` takes behind its first argument.
    fn parameters_of_copy(&self, call: &ast::ExprCall) -> Option<Vec<(String, Option<Shape>)>> {
        let Shape::Class(file, statement) = self.shape_of(call.arguments.args.first()?).present() else {
            return None;
        };
        let fields = fields(self.cx.project, file, statement).into_iter();
        let fields = fields.map(|(name, shape)| (name, Some(shape)));
        self.is_copy(call).then(|| std::iter::once((String::new(), None)).chain(fields).collect())
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
        if let Expr::Attribute(method) = callee
            && let Some(class) = self.class_of(callee)
        {
            return parameters_of_method(project, class, method.attr.as_str());
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
        if self.early.unknown.contains(&call.range) {
            let text = self.text(call.range);
            self.find(
                call.range,
                Effect::Blocking,
                format!("`{text}` is made before its file may be written; Flyte 2 uploads it here"),
                "Make it where it is returned or handed to a task",
            );
        }
        if self.early.calls.contains(&call.range) {
            let path = path.value().range();
            self.outcome.edits.push(Edit::deletion(TextRange::new(call.start(), path.start())));
            self.outcome.edits.push(Edit::deletion(TextRange::new(path.end(), call.end())));
            return;
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
                Parent::Stmt(statement) if self.is_named(statement) => return true,
                _ => return self.is_workflow(),
            }
        }
        false
    }

    /// Whether a statement gives a name to a value, which is followed under that name.
    fn is_named(&self, statement: &Stmt) -> bool {
        let target = match statement {
            Stmt::Assign(assign) => assign.targets.first().filter(|_| assign.targets.len() == 1),
            Stmt::AnnAssign(assign) => Some(&*assign.target),
            _ => None,
        };
        matches!(target, Some(Expr::Name(name))
            if self.bound.get(name.id.as_str()) == Some(&1) && self.tracked.contains_key(name.id.as_str()))
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

    /// Whether the code around a call of a plain function, a method or a constructor does something with what that
    /// gives.
    fn is_used_at_once(&self, call: &ast::ExprCall) -> bool {
        let is_made = self.constructed(call).is_some() || self.definition(&call.func).is_some();
        let is_method = matches!(&*call.func, Expr::Attribute(method)
            if matches!(self.shape_of(&method.value).present(), Shape::Class(..) | Shape::Many(_) | Shape::Mapping(_)))
            && self.conditional(call).is_none();
        let is_used = match self.parents.last() {
            Some(Parent::Expr(Expr::Attribute(_) | Expr::FString(_) | Expr::BinOp(_))) => true,
            Some(Parent::Expr(Expr::Call(outer))) => outer.func.range() != call.range,
            _ => false,
        };
        is_used && (is_made || is_method)
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
        if root.is_none() && !may_be_none && !(self.is_async && self.scopes > 0) {
            return self.path_of_result(range, value.range());
        }
        let known = root.and_then(|root| self.tracked.get(root));
        let is_tried = known.is_some_and(|known| known.tries < self.tries);
        let is_fleeting = self.is_fleeting(value);
        let binder = match known {
            Some(_) if is_fleeting && self.conditions == 0 && self.is_lasting(value) => {
                self.statement_start().map_or(Binder::Nowhere, Binder::Before)
            }
            Some(known) if !is_fleeting => known.binder,
            _ => Binder::Nowhere,
        };
        let is_optional = matches!(self.shape_of(value), Shape::Optional(_));
        self.uses.push(PathUse {
            range,
            value: self.text(value.range()).to_owned(),
            binder,
            is_repeated: !is_fleeting && self.depth > 0 && !matches!(binder, Binder::Nowhere),
            is_tried: is_tried && !is_fleeting,
            may_be_none,
            is_optional,
            guarded: self.rest_of_block().filter(|_| is_optional && !may_be_none && !is_fleeting),
            is_statement: matches!(self.parents.iter().rev().nth(2), Some(Parent::Stmt(statement)) if statement.range() == range),
            as_path: false,
            is_inside: self.scopes > 0,
            is_fleeting,
        });
    }

    /// Whether a value is taken out of something that may hold another one, or none, elsewhere in the function.
    fn is_fleeting(&self, value: &Expr) -> bool {
        let is_changed = root_of(value).is_some_and(|root| self.changed.contains(root));
        match value {
            Expr::Subscript(_) => true,
            Expr::Attribute(attribute) => {
                let holder = self.shape_of(&attribute.value);
                let is_field = match holder.clone().present() {
                    Shape::Class(file, statement) => {
                        let fields = fields(self.cx.project, file, statement);
                        fields.iter().any(|(name, _)| name == attribute.attr.as_str())
                    }
                    _ => true,
                };
                is_changed
                    || !is_field
                    || matches!(holder, Shape::Optional(_))
                    || self.is_fleeting(&attribute.value)
            }
            _ => false,
        }
    }

    /// Whether a value that is there once stays the same to the end of the function.
    fn is_lasting(&self, value: &Expr) -> bool {
        match value {
            Expr::Subscript(subscript) => {
                subscript.slice.is_literal_expr() && self.is_lasting(&subscript.value)
            }
            Expr::Attribute(attribute) => self.is_lasting(&attribute.value),
            Expr::Name(name) => !self.changed.contains(name.id.as_str()),
            _ => false,
        }
    }

    /// Where the innermost statement around the expression at hand begins.
    fn statement_start(&self) -> Option<TextSize> {
        self.parents.iter().rev().find_map(|parent| match parent {
            Parent::Stmt(statement) => Some(statement.start()),
            Parent::Expr(_) => None,
        })
    }

    /// From the statement around the expression at hand to the end of its block, if both run once, as a whole.
    fn rest_of_block(&self) -> Option<TextRange> {
        let around = self.parents.iter().rev().take_while(|parent| matches!(parent, Parent::Expr(_)));
        let is_sure = |parent: &Parent<'_>| !matches!(parent, Parent::Expr(Expr::If(_) | Expr::BoolOp(_)));
        if self.depth > 0 || !around.clone().all(is_sure) {
            return None;
        }
        let mut statements = self.parents.iter().rev().filter_map(|parent| match parent {
            Parent::Stmt(statement) => Some(*statement),
            Parent::Expr(_) => None,
        });
        let statement = statements.next().filter(|statement| {
            matches!(
                statement,
                Stmt::Expr(_) | Stmt::Assign(_) | Stmt::AnnAssign(_) | Stmt::With(_) | Stmt::Return(_)
            )
        })?;
        let end = match statements.next() {
            Some(outer) => {
                let mut blocks = blocks(outer).into_iter();
                let block =
                    blocks.find(|block| block.iter().any(|inner| inner.range() == statement.range()))?;
                block.last()?.end()
            }
            None => TextSize::of(self.cx.text),
        };
        Some(TextRange::new(statement.start(), end))
    }

    /// What a call gives is another value each time, and is downloaded where it stands.
    fn path_of_result(&mut self, range: TextRange, value: TextRange) {
        let (before, after) =
            if self.is_async { ("(await ", ".download())") } else { ("", ".download_sync()") };
        self.outcome.edits.push(Edit::insertion(range.start(), before));
        self.outcome.edits.push(Edit::replacement(TextRange::new(value.end(), range.end()), after));
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
        if self.early.names.values().any(|times| *times != 0) {
            self.find(
                self.whole,
                Effect::Blocking,
                "a value is made here before its file is written, and is given on in a way that cannot be followed",
                "Make it where it is returned or handed to a task",
            );
        }
        let mut by_value: BTreeMap<String, Vec<PathUse>> = BTreeMap::new();
        for path_use in std::mem::take(&mut self.uses) {
            by_value.entry(path_use.value.clone()).or_default().push(path_use);
        }
        for (value, uses) in by_value {
            if self.early.names.contains_key(value.as_str()) {
                uses.iter().for_each(|path_use| self.replace(path_use, &value));
                continue;
            }
            let first = &uses[0];
            let is_single = uses.len() == 1 && !first.may_be_none;
            if is_single && !(first.is_repeated) {
                if self.is_async && first.is_inside {
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
            let guarded =
                first.guarded.filter(|rest| uses.iter().all(|other| rest.contains_range(other.range)));
            let at = guarded.map_or(first.binder, |rest| Binder::Before(rest.start()));
            let is_bound_elsewhere = |other: &PathUse| !first.is_fleeting && other.binder != first.binder;
            if at == Binder::Nowhere || uses.iter().any(is_bound_elsewhere) {
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
            if guarded.is_none() && uses.iter().any(|path_use| path_use.is_tried) {
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
            let is_there =
                |path_use: &PathUse| !path_use.may_be_none && (!path_use.is_optional || path_use.is_fleeting);
            let may_be_none = guarded.is_none() && !uses.iter().all(is_there);
            let name = self.path_name(&value);
            let download = download(&value, self.is_async);
            let download = download.trim_start_matches('(').to_owned();
            let download =
                if self.is_async { download.trim_end_matches(')').to_owned() + ")" } else { download };
            let guard =
                if may_be_none { format!(" if {value} is not None else None") } else { String::new() };
            let line = format!("{name} = {download}{guard}");
            let is_first_statement = first.is_statement && at == Binder::Before(first.range.start());
            let replaced = if is_first_statement {
                self.replace(first, &line);
                &uses[1..]
            } else {
                self.bind(at, &line);
                &uses[..]
            };
            for path_use in replaced {
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
        if target.is_attribute_expr() {
            let wanted = self.shape_of(target);
            return if wanted.holds_io(self.cx.project) {
                self.conform(value, &wanted);
            } else if self.shape_of(value).holds_io(self.cx.project) {
                self.unknown(target);
            };
        }
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
                    _ => self.elements_of(&shape),
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
        if !self.targets.insert(target.range()) {
            return;
        }
        if times == 1 && !self.annotated.contains_key(id) {
            self.track(id, shape, binder);
        } else if holds_io {
            self.shapes.entry(id).or_default().push(shape.clone());
            self.track(id, shape, Binder::Nowhere);
        }
    }

    /// `for f in files:`, `for n, f in enumerate(files)`, `for key, f in files.items()`.
    fn iterated(&mut self, target: &'a Expr, iterated: &'a Expr, binder: Binder) {
        let shape = self.element_of(iterated);
        self.named(target, shape, binder);
    }

    /// A list, dict, tuple or class that holds values, used as a whole.
    fn container(&mut self, expr: &'a Expr, shape: &Shape) {
        let parent = self.parents.last().copied();
        let is_class = matches!(shape.clone().present(), Shape::Class(..));
        let is_fine = match parent {
            Some(Parent::Expr(Expr::Attribute(attribute))) => match shape.clone().present() {
                Shape::Class(..) => !matches!(attribute.attr.as_str(), "__dict__" | "_asdict"),
                Shape::Many(_) => matches!(attribute.attr.as_str(), "append" | "pop" | "copy"),
                Shape::Mapping(_) => {
                    matches!(attribute.attr.as_str(), "values" | "items" | "keys" | "get" | "pop" | "copy")
                }
                _ => false,
            },
            // That is looked at with the call.
            Some(Parent::Expr(Expr::Call(_))) => true,
            Some(Parent::Expr(Expr::Subscript(subscript))) => subscript.value.range() == expr.range(),
            Some(Parent::Expr(Expr::Yield(_) | Expr::YieldFrom(_))) => {
                self.returns.as_ref().is_some_and(|returns| returns.holds_io(self.cx.project))
            }
            Some(Parent::Expr(Expr::Starred(_)) | Parent::Stmt(Stmt::Match(_))) => false,
            Some(Parent::Stmt(statement)) if !expr.is_name_expr() && self.is_named(statement) => true,
            // A named tuple, of which each element is another.
            Some(Parent::Stmt(Stmt::For(_))) if is_class => false,
            Some(Parent::Expr(
                Expr::ListComp(ast::ExprListComp { generators, .. })
                | Expr::SetComp(ast::ExprSetComp { generators, .. })
                | Expr::Generator(ast::ExprGenerator { generators, .. })
                | Expr::DictComp(ast::ExprDictComp { generators, .. }),
            )) => {
                let mut iterated = generators.iter().map(|generator| generator.iter.range());
                !is_class || iterated.all(|iterated| iterated != expr.range())
            }
            Some(Parent::Expr(Expr::Compare(_) | Expr::UnaryOp(_))) => true,
            Some(Parent::Stmt(Stmt::For(_) | Stmt::Return(_) | Stmt::If(_))) => true,
            _ => is_class || self.is_handed_on(),
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

/// The blocks of a statement that are no loops or scopes of their own.
fn blocks(statement: &Stmt) -> Vec<&[Stmt]> {
    match statement {
        Stmt::If(node) => {
            let clauses = node.elif_else_clauses.iter().map(|clause| clause.body.as_slice());
            std::iter::once(node.body.as_slice()).chain(clauses).collect()
        }
        Stmt::With(node) => vec![&node.body],
        Stmt::Match(node) => node.cases.iter().map(|case| case.body.as_slice()).collect(),
        Stmt::Try(node) => {
            let handlers = node.handlers.iter().filter_map(ast::ExceptHandler::as_except_handler);
            let handlers = handlers.map(|handler| handler.body.as_slice());
            handlers.chain([node.body.as_slice(), &node.orelse, &node.finalbody]).collect()
        }
        _ => Vec::new(),
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
        let is_condition = is_deferred || matches!(expr, Expr::If(_) | Expr::BoolOp(_));
        self.conditions += usize::from(is_condition);
        self.depth += usize::from(is_deferred);
        self.scopes += usize::from(is_deferred);
        self.parents.push(Parent::Expr(expr));
        source_order::walk_expr(self, expr);
        self.parents.pop();
        self.conditions -= usize::from(is_condition);
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
    changed: HashSet<&'a str>,
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
