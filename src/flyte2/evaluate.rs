//! Evaluates expressions of Flyte 2 code without running it: literals, constants, f-strings, paths, the environment.
//!
//! ```python
//! HERE = Path(__file__).parent
//! image = base.with_requirements(HERE / "requirements.txt").with_pip_packages(f"pandas=={PANDAS}", *EXTRA)
//! ```
//!
//! What cannot be known for certain is [`Stuck`], with its place; nothing is guessed.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;

use rustc_hash::FxHashMap;
use rustpython_ast::visitor::source_order::{self, SourceOrderVisitor, TraversalSignal};
use rustpython_ast::{self as ast, AnyNodeRef, Expr, Stmt};

use super::changes::Changes;
use super::constant::{Constant, insert};
use super::image_calls::{is_secret_path, unknown_secret_keyword};
use super::image_class::refused_image;
use super::order::Moment;
use super::scope::{Frame, Local, Values};
use super::search::AddedFolders;
use crate::diagnostic::Rule;
use crate::image::config::Config;
use crate::image::digest::uri;
use crate::image::disk::Disk;
use crate::image::{Image, Secret, path};
use crate::project::link::Target;
use crate::project::{FileId, Project};
use crate::python::annotation::{Definition, StraightBody, straight_body};
use crate::python::ast::name::Name;
use crate::python::module_path::ImportPath;
use crate::python::scope::{Binding, BindingId, BindingKind};
use crate::python::{Ranged, Tree};
use crate::source::{TextRange, TextSize};

/// What the code would find around it when it runs.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The version of the Flyte 2 SDK.
    pub flyte_version: String,
    /// What the project asks for, if that is another version which is not known.
    pub flyte_limit: Option<String>,
    /// The version of the Python that runs the code, if it is known.
    pub python_version: Option<(u32, u32)>,
    /// The Flyte 2 configuration; its image `default` is that of environments without one.
    pub config: Config,
    /// The one that the SDK finds, if another one is named.
    pub found_config: Config,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Whether the uris of images are wanted, so that it matters what gives them another registry.
    pub needs_uris: bool,
}

/// A place in the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// Where in it.
    pub range: TextRange,
}

/// Something that cannot be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stuck {
    /// The expression.
    pub place: Place,
}

/// What an expression comes to.
pub type Outcome = Result<Constant, Stuck>;

/// An expression that stands in the way of knowing an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Where it stands.
    pub place: Place,
    /// What stands there, or what is missing.
    pub text: String,
}

/// Something that the SDK refuses, or that fails later.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Which rule speaks.
    pub rule: &'static Rule,
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Whether the SDK refuses the image; else it names it, and something goes wrong later.
    pub is_refused: bool,
}

/// Where the code asks for a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerPlace {
    /// The name of the method with its arguments.
    pub call: Place,
    /// Each package, command or variable of the layer.
    pub items: Vec<Place>,
}

/// What a chain of `flyte.Image` comes to.
///
/// Where something is unknown, the image holds its source in braces: `pandas=={VERSION}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// The image as far as it is known.
    pub image: Image,
    /// The whole chain, or the call of the function that gives the image.
    pub place: Place,
    /// The constructor with its arguments.
    pub head: Place,
    /// Where the values of the parameters of its constructor, and of `clone`, stand.
    pub arguments: Vec<(&'static str, Place)>,
    /// Where each of `image.layers` comes from.
    pub layers: Vec<LayerPlace>,
    /// What is not known.
    pub unknown: Vec<Unknown>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

impl Built {
    /// What the SDK refuses.
    pub fn refusals(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.is_refused)
    }

    /// Whether all of it is known, and the SDK names it.
    pub fn is_known(&self) -> bool {
        self.unknown.is_empty() && self.refusals().next().is_none()
    }
}

/// The syntax trees of files, made when they are first asked for. An image leads to a few files only, so they are a list.
#[derive(Debug, Default)]
pub struct Trees<'p> {
    first: OnceCell<Box<Slot<'p>>>,
}

#[derive(Debug)]
struct Slot<'p> {
    file: FileId,
    tree: Option<FileTree<'p>>,
    next: OnceCell<Box<Slot<'p>>>,
}

/// The syntax tree of a file.
#[derive(Debug)]
pub struct FileTree<'p> {
    parsed: Tree<'p>,
    /// The loops outside functions.
    loops: Vec<TextRange>,
}

impl<'p> Trees<'p> {
    /// The tree of a parsed file.
    pub fn get(&self, project: &'p Project, file: FileId) -> Option<&FileTree<'p>> {
        let make = || Box::new(Slot { file, tree: FileTree::of(project, file), next: OnceCell::new() });
        let mut slot = self.first.get_or_init(make);
        while slot.file != file {
            slot = slot.next.get_or_init(make);
        }
        slot.tree.as_ref()
    }
}

impl<'p> FileTree<'p> {
    fn of(project: &'p Project, file: FileId) -> Option<Self> {
        let parsed = project.facts(file)?.tree(project.text(file), std::iter::empty).ok()?;
        let mut loops = Loops(Vec::new());
        parsed.body().iter().for_each(|stmt| loops.visit_stmt(stmt));
        Some(Self { parsed, loops: loops.0 })
    }

    /// The statements of the module.
    pub fn body(&self) -> &[Stmt] {
        self.parsed.body()
    }

    /// Whether `offset` lies in a loop outside functions, and if so, in which.
    pub(super) fn loop_around(&self, offset: TextSize) -> Option<TextRange> {
        self.loops.iter().copied().find(|range| range.contains(offset))
    }
}

struct Loops(Vec<TextRange>);

impl<'a> SourceOrderVisitor<'a> for Loops {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::For(_) | Stmt::While(_) => self.0.push(stmt.range()),
            Stmt::FunctionDef(_) => return,
            _ => {}
        }
        source_order::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}

/// The outermost expression that stands exactly at a range.
struct Finder<'a> {
    range: TextRange,
    found: Option<&'a Expr>,
}

impl<'a> SourceOrderVisitor<'a> for Finder<'a> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        if self.found.is_none() && node.range().contains_range(self.range) {
            TraversalSignal::Traverse
        } else {
            TraversalSignal::Skip
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if expr.range() == self.range {
            self.found = Some(expr);
        } else {
            source_order::walk_expr(self, expr);
        }
    }
}

/// Where an expression is read.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'s, 'a> {
    /// The file.
    pub file: FileId,
    /// The functions, comprehensions and lambdas around it, from the outside in.
    pub frames: &'s [Frame<'a>],
}

impl Scope<'_, '_> {
    /// A place in this file.
    pub fn place(&self, range: TextRange) -> Place {
        Place { file: self.file, range }
    }

    fn stuck<T>(&self, node: &impl Ranged) -> Result<T, Stuck> {
        Err(Stuck { place: self.place(node.range()) })
    }
}

/// Evaluates expressions of a project.
#[derive(Debug)]
pub struct Evaluator<'a> {
    /// The project.
    pub project: &'a Project,
    /// Its syntax trees.
    pub trees: &'a Trees<'a>,
    /// What the code would find around it.
    pub settings: &'a Settings,
    /// The disk as the code would see it.
    pub disk: &'a Disk,
    /// What code may change.
    pub changes: &'a Changes<'a>,
    known: RefCell<FxHashMap<(FileId, BindingId), Outcome>>,
    active: RefCell<Vec<(FileId, BindingId)>>,
    /// How many calls of functions are inside each other.
    depth: Cell<usize>,
    /// When the module called the function whose body is evaluated.
    called: Cell<Option<Moment>>,
    /// The folders that code adds to those that modules are looked for in.
    pub(super) added: AddedFolders,
}

/// Functions that call each other end here.
pub(super) const MAX_CALLS: usize = 16;

/// A function that only gives names to values, and returns one.
#[derive(Debug, Clone)]
pub struct Helper<'a> {
    /// Its file.
    pub file: FileId,
    /// What its name is bound by.
    pub binding: BindingId,
    /// The function.
    pub function: &'a ast::StmtFunctionDef,
    /// What it does.
    pub body: StraightBody<'a>,
}

impl<'a> Helper<'a> {
    /// The expressions that what it returns is made of: itself, or what its name was given.
    pub fn results(&self) -> Vec<&'a Expr> {
        let StraightBody { steps, value } = &self.body;
        match value {
            Expr::Name(name) => {
                steps.iter().filter(|(step, _)| *step == name.id.as_str()).map(|(_, value)| *value).collect()
            }
            other => vec![other],
        }
    }
}

impl<'a> Evaluator<'a> {
    /// An evaluator that knows nothing yet.
    pub fn new(
        project: &'a Project,
        trees: &'a Trees<'a>,
        settings: &'a Settings,
        disk: &'a Disk,
        changes: &'a Changes<'a>,
    ) -> Self {
        Self {
            project,
            trees,
            settings,
            disk,
            changes,
            known: RefCell::default(),
            active: RefCell::default(),
            depth: Cell::new(0),
            called: Cell::new(None),
            added: AddedFolders::default(),
        }
    }

    /// The text at a place.
    pub fn text(&self, place: Place) -> &'a str {
        &self.project.text(place.file)[place.range]
    }

    /// Evaluates an expression.
    ///
    /// # Errors
    /// [`Stuck`] at the innermost expression that cannot be known.
    pub fn evaluate(&self, scope: Scope<'_, 'a>, expr: &'a Expr) -> Outcome {
        let stuck = Stuck { place: scope.place(expr.range()) };
        match expr {
            Expr::NoneLiteral(_) => Ok(Constant::None),
            Expr::BooleanLiteral(literal) => Ok(Constant::Bool(literal.value)),
            Expr::StringLiteral(literal) => {
                self.literal(scope, literal, literal.value.to_str()).map(Constant::Str)
            }
            Expr::NumberLiteral(literal) => match &literal.value {
                ast::Number::Int(int) => int.as_i64().map(Constant::Int).ok_or(stuck),
                ast::Number::Float(float) => Ok(Constant::Float(*float)),
                ast::Number::Complex { .. } => Err(stuck),
            },
            Expr::UnaryOp(unary) => match (unary.op, self.evaluate(scope, &unary.operand)?) {
                (ast::UnaryOp::USub, Constant::Int(value)) => Ok(Constant::Int(-value)),
                (ast::UnaryOp::Not, value) => Ok(Constant::Bool(!value.is_true())),
                _ => Err(stuck),
            },
            Expr::List(list) => Ok(Constant::List(self.items(scope, &list.elts)?)),
            Expr::Tuple(tuple) => Ok(Constant::Tuple(self.items(scope, &tuple.elts)?)),
            Expr::Dict(dict) => self.dict(scope, dict),
            Expr::FString(fstring) => self.f_string(scope, fstring),
            Expr::BinOp(binary) => {
                let left = self.evaluate(scope, &binary.left)?;
                let right = self.evaluate(scope, &binary.right)?;
                let value = match binary.op {
                    ast::Operator::Add => left.plus(right),
                    ast::Operator::Div => left.divide(&right),
                    ast::Operator::BitOr => left.unite(right),
                    ast::Operator::Mult => left.times(&right),
                    _ => None,
                };
                value.ok_or(stuck)
            }
            Expr::BoolOp(operation) => self.bool_op(scope, operation),
            Expr::If(choice) => {
                let chosen =
                    if self.evaluate(scope, &choice.test)?.is_true() { &choice.body } else { &choice.orelse };
                self.evaluate(scope, chosen)
            }
            Expr::Compare(compare) => self.compare(scope, compare).ok_or(stuck),
            Expr::Subscript(subscript) => self.subscript(scope, subscript),
            Expr::Name(_) => self.name(scope, expr),
            Expr::Attribute(attribute) => {
                if root_of(expr).is_some() {
                    return self.name(scope, expr);
                }
                self.attribute(&self.evaluate(scope, &attribute.value)?, &attribute.attr).ok_or(stuck)
            }
            Expr::Call(call) => self.call(scope, call),
            Expr::Named(named) => self.evaluate(scope, &named.value),
            Expr::ListComp(comp) => self.list(scope, expr, (&comp.elt, &comp.generators)),
            Expr::DictComp(comp) => {
                let mut items = Vec::new();
                for values in self.rounds(scope, expr, &comp.generators)? {
                    let key = self.with_values(scope, values.clone(), &comp.key)?;
                    insert(&mut items, key, self.with_values(scope, values, &comp.value)?);
                }
                Ok(Constant::Dict(items))
            }
            _ => Err(stuck),
        }
    }

    /// What is taken out of an expression once, element by element: a generator gives a list.
    pub(super) fn row(&self, scope: Scope<'_, 'a>, expr: &'a Expr) -> Outcome {
        match expr {
            Expr::Generator(comp) => self.list(scope, expr, (&comp.elt, &comp.generators)),
            other => self.evaluate(scope, other),
        }
    }

    fn list(
        &self,
        scope: Scope<'_, 'a>,
        expr: &'a Expr,
        (element, generators): (&'a Expr, &'a [ast::Comprehension]),
    ) -> Outcome {
        let rounds = self.rounds(scope, expr, generators)?;
        let items = rounds.into_iter().map(|values| self.with_values(scope, values, element));
        Ok(Constant::List(items.collect::<Result<_, _>>()?))
    }

    /// When names of the module are read by what runs at `at`; `None` if the module has run by then.
    fn now(scope: Scope<'_, 'a>, at: TextSize) -> Option<TextSize> {
        match scope.frames.last().map(Frame::values) {
            Some(Some(values)) => values.now,
            _ => scope.frames.iter().all(|frame| frame.runs_at_once).then_some(at),
        }
    }

    /// When what stands at `at` runs: in the body of a function, when that is called.
    pub(super) fn moment(&self, scope: Scope<'_, 'a>, at: TextSize) -> Moment {
        let own = Moment { file: scope.file, at: Self::now(scope, at) };
        self.called.get().filter(|_| own.at.is_none()).unwrap_or(own)
    }

    /// Whether an expression is run more than once, so that names may mean something else each time.
    fn is_in_loop(&self, scope: Scope<'_, 'a>, at: TextSize) -> bool {
        Self::now(scope, at).is_some()
            && self.trees.get(self.project, scope.file).is_none_or(|tree| tree.loop_around(at).is_some())
    }

    /// The values that a comprehension gives to its target, round by round.
    fn rounds(
        &self,
        scope: Scope<'_, 'a>,
        expr: &'a Expr,
        generators: &'a [ast::Comprehension],
    ) -> Result<Vec<Values<'a>>, Stuck> {
        let at = expr.range().start();
        let [generator] = generators else { return scope.stuck(expr) };
        if generator.is_async || self.is_in_loop(scope, at) {
            return scope.stuck(expr);
        }
        let items = self.evaluate(scope, &generator.iter)?;
        let Some(items) = items.elements() else { return scope.stuck(&generator.iter) };
        let mut rounds = Vec::new();
        for item in items {
            let mut values = Values { now: Self::now(scope, at), ..Values::default() };
            if bind(&mut values, &generator.target, item).is_none() {
                return scope.stuck(&generator.target);
            }
            let mut is_kept = true;
            for test in &generator.ifs {
                is_kept = is_kept && self.with_values(scope, values.clone(), test)?.is_true();
            }
            if is_kept {
                rounds.push(values);
            }
        }
        Ok(rounds)
    }

    /// Evaluates an expression where these names have these values.
    fn with_values(&self, scope: Scope<'_, 'a>, values: Values<'a>, expr: &'a Expr) -> Outcome {
        let frames = [scope.frames, &[Frame::of_values(values)]].concat();
        self.evaluate(Scope { frames: &frames, ..scope }, expr)
    }

    /// The function of the project that a call is for, if it only gives names to values, and returns one.
    pub fn helper(&self, scope: Scope<'_, 'a>, callee: &'a Expr) -> Option<Helper<'a>> {
        self.helper_in(scope, callee, |_| true)
    }

    /// The same, if it stands in one of the files that `is_wanted` tells; other files are not parsed.
    pub fn helper_in(
        &self,
        scope: Scope<'_, 'a>,
        callee: &'a Expr,
        is_wanted: impl Fn(FileId) -> bool,
    ) -> Option<Helper<'a>> {
        let name = root_of(callee)?;
        let facts = self.project.facts(scope.file)?;
        let is_local = scope.frames.iter().any(|frame| {
            frame.local(&name.id, None).is_some()
                || frame.values().is_some_and(|values| values.known.contains_key(name.id.as_str()))
        });
        if is_local {
            return None;
        }
        let now = Self::now(scope, name.range.start()).unwrap_or_else(|| TextSize::from(u32::MAX));
        let seen = facts.module.visible(&name.id, now);
        let attributes = attributes_of(callee);
        let targets = self.project.look_up(scope.file, &name.id, &attributes, now);
        let [Target::Binding(file, binding, rest)] = &targets[..] else { return None };
        let (file, binding) = (*file, *binding);
        let module = &self.project.facts(file)?.module;
        let bound = &module.bindings[binding];
        let definition = module.definitions.get(&bound.owner);
        if !matches!(definition, Some(Definition::Function { is_straight: true, .. }))
            || !is_wanted(file)
            || self.changes.may_rebind(file, &bound.name)
            || self.may_mean_other(scope.file, (&name.id, &attributes), &seen, now)
        {
            return None;
        }
        // What a module holds while it is imported in a circle is not known.
        let is_certain = file == scope.file || scope.frames.is_empty();
        let tree = self.trees.get(self.project, file)?;
        let Stmt::FunctionDef(function) = tree.body().get(bound.owner)? else { return None };
        let is_plain = !function.is_async
            && function.decorator_list.is_empty()
            && function.parameters.vararg.is_none()
            && function.parameters.kwarg.is_none();
        let body = straight_body(&function.body)?;
        (rest.is_empty() && is_certain && is_plain && function.name.range == bound.range).then_some(Helper {
            file,
            binding,
            function,
            body,
        })
    }

    fn helper_call(&self, scope: Scope<'_, 'a>, call: &'a ast::ExprCall, helper: &Helper<'a>) -> Outcome {
        let stuck = Stuck { place: scope.place(call.range) };
        let is_own = helper.file == scope.file;
        let now = Self::now(scope, call.range.start()).filter(|_| is_own);
        let mut values = Values { now, ..Values::default() };
        let parameters = &helper.function.parameters;
        let mut names = parameters.posonlyargs.iter().chain(&parameters.args);
        for value in self.items(scope, &call.arguments.args)? {
            let parameter = names.next().ok_or(stuck)?;
            values.known.insert(parameter.name().as_str(), value);
        }
        let named = || parameters.args.iter().chain(&parameters.kwonlyargs);
        for keyword in &call.arguments.keywords {
            let Some(name) = &keyword.arg else { return Err(stuck) };
            let parameter = named().find(|parameter| parameter.name().as_str() == name.as_str());
            let value = self.evaluate(scope, &keyword.value)?;
            if values.known.insert(parameter.ok_or(stuck)?.name().as_str(), value).is_some() {
                return Err(stuck);
            }
        }
        for parameter in parameters.iter_non_variadic_params() {
            if !values.known.contains_key(parameter.name().as_str()) {
                let default = parameter.default.as_deref().ok_or(stuck)?;
                let value = self.evaluate(Scope { file: helper.file, frames: &[] }, default)?;
                let function = (helper.file, helper.binding);
                if self.changes.may_change_default(function, parameter.name().as_str(), &value) {
                    return Err(stuck);
                }
                values.known.insert(parameter.name().as_str(), value);
            }
        }
        if self.depth.get() == MAX_CALLS || self.is_in_loop(scope, call.range.start()) {
            return Err(stuck);
        }
        self.depth.set(self.depth.get() + 1);
        let around = self.called.replace(Some(self.moment(scope, call.range.start())));
        let value = self.straight(helper, values);
        self.called.set(around);
        self.depth.set(self.depth.get() - 1);
        value
    }

    /// What the body of a function comes to, with the values of its parameters.
    fn straight(&self, helper: &Helper<'a>, mut values: Values<'a>) -> Outcome {
        let scope = Scope { file: helper.file, frames: &[] };
        for &(name, step) in &helper.body.steps {
            let value = self.with_values(scope, values.clone(), step)?;
            values.known.insert(name, value);
        }
        self.with_values(scope, values, helper.body.value)
    }

    fn items(&self, scope: Scope<'_, 'a>, exprs: &'a [Expr]) -> Result<Vec<Constant>, Stuck> {
        let mut items = Vec::new();
        for expr in exprs {
            match expr {
                Expr::Starred(starred) => {
                    let value = self.row(scope, &starred.value)?;
                    let Some(elements) = value.elements() else { return scope.stuck(expr) };
                    items.extend_from_slice(elements);
                }
                _ => items.push(self.evaluate(scope, expr)?),
            }
        }
        Ok(items)
    }

    fn dict(&self, scope: Scope<'_, 'a>, dict: &'a ast::ExprDict) -> Outcome {
        let mut items = Vec::new();
        for item in &dict.items {
            let value = self.evaluate(scope, &item.value)?;
            match (&item.key, value) {
                (Some(key), value) => insert(&mut items, self.evaluate(scope, key)?, value),
                (None, Constant::Dict(more)) => {
                    more.into_iter().for_each(|(key, value)| insert(&mut items, key, value));
                }
                (None, _) => return scope.stuck(&item.value),
            }
        }
        Ok(Constant::Dict(items))
    }

    /// What Python makes of a literal: a line in it ends in `\n`, however it ends in the file. Only an escape gives `\r`.
    fn literal(&self, scope: Scope<'_, 'a>, literal: &impl Ranged, value: &str) -> Result<String, Stuck> {
        let place = scope.place(literal.range());
        let source = self.text(place);
        // Half of a pair of code units is no text in UTF-8.
        if value.contains('\u{fffd}') && names_surrogate(source) {
            return Err(Stuck { place });
        }
        if !value.contains('\r') || !source.contains('\r') {
            return Ok(value.to_owned());
        }
        // With both in one literal, which is which is not told apart.
        if ["\\r", "\\x", "\\0", "\\1", "\\u", "\\U", "\\N"].iter().any(|escape| source.contains(escape)) {
            return Err(Stuck { place });
        }
        Ok(value.replace("\r\n", "\n").replace('\r', "\n"))
    }

    fn f_string(&self, scope: Scope<'_, 'a>, fstring: &'a ast::ExprFString) -> Outcome {
        let mut text = String::new();
        for part in &fstring.value {
            let elements = match part {
                ast::FStringPart::Literal(literal) => {
                    text.push_str(&self.literal(scope, literal, literal)?);
                    continue;
                }
                ast::FStringPart::FString(fstring) => &fstring.elements,
            };
            for element in elements {
                match element {
                    ast::InterpolatedStringElement::Literal(literal) => {
                        text.push_str(&self.literal(scope, literal, &literal.value)?);
                    }
                    ast::InterpolatedStringElement::Interpolation(part) => {
                        let is_plain = part.format_spec.is_none() && part.debug_text.is_none();
                        let value = self.evaluate(scope, &part.expression)?;
                        let shown = match part.conversion {
                            ast::ConversionFlag::None | ast::ConversionFlag::Str => value.text(),
                            ast::ConversionFlag::Repr => value.repr(),
                            ast::ConversionFlag::Ascii => None,
                        };
                        match shown.filter(|_| is_plain) {
                            Some(shown) => text.push_str(&shown),
                            None => return scope.stuck(fstring),
                        }
                    }
                }
            }
        }
        Ok(Constant::Str(text))
    }

    /// `a or b`, `a and b`. What the environment does not hold counts as `None` on the left of `or`.
    fn bool_op(&self, scope: Scope<'_, 'a>, operation: &'a ast::ExprBoolOp) -> Outcome {
        let Some((last, first)) = operation.values.split_last() else { return scope.stuck(operation) };
        for expr in first {
            let value = match self.evaluate(scope, expr) {
                Err(_) if operation.op == ast::BoolOp::Or && self.is_unset_variable(scope, expr) => continue,
                value => value?,
            };
            if value.is_true() == (operation.op == ast::BoolOp::Or) {
                return Ok(value);
            }
        }
        self.evaluate(scope, last)
    }

    /// `os.getenv("X")` or `os.environ.get("X")` of a variable that is not set, without a default.
    fn is_unset_variable(&self, scope: Scope<'_, 'a>, expr: &'a Expr) -> bool {
        let Expr::Call(call) = expr else { return false };
        let is_read = matches!(
            self.chain(scope, &call.func),
            Ok((Constant::Name(path), _)) if matches!(path.as_str(), "os.getenv" | "os.environ.get")
        );
        is_read
            && call.arguments.len() == 1
            && call.arguments.args.first().is_some_and(|name| match self.evaluate(scope, name) {
                Ok(Constant::Str(name)) => !self.changes.may_set_variable(&name),
                _ => false,
            })
    }

    fn compare(&self, scope: Scope<'_, 'a>, compare: &'a ast::ExprCompare) -> Option<Constant> {
        let ([operator], [right]) = (&*compare.ops, &*compare.comparators) else { return None };
        let left = self.evaluate(scope, &compare.left).ok()?;
        let right = self.evaluate(scope, right).ok()?;
        let is_plain =
            |value: &Constant| !matches!(value, Constant::Name(_) | Constant::Image(_) | Constant::Float(_));
        if !is_plain(&left) || !is_plain(&right) {
            return None;
        }
        Some(Constant::Bool(match operator {
            ast::CmpOp::Eq => left.equals(&right),
            ast::CmpOp::NotEq => !left.equals(&right),
            ast::CmpOp::Is if right == Constant::None => left == right,
            ast::CmpOp::IsNot if right == Constant::None => left != right,
            ast::CmpOp::In => right.holds(&left)?,
            ast::CmpOp::NotIn => !right.holds(&left)?,
            _ => return None,
        }))
    }

    fn subscript(&self, scope: Scope<'_, 'a>, subscript: &'a ast::ExprSubscript) -> Outcome {
        let value = match self.evaluate(scope, &subscript.value) {
            Ok(value) => value,
            // What stands there may be known though not all else is.
            Err(stuck) if subscript.slice.is_slice_expr() => return Err(stuck),
            Err(stuck) => {
                let index = self.evaluate(scope, &subscript.slice)?;
                let entry = self.entry_value(scope, &subscript.value, &index).ok().flatten();
                return entry.and_then(Result::ok).ok_or(stuck);
            }
        };
        if let Expr::Slice(slice) = &*subscript.slice {
            return self.slice(scope, &value, slice)?.map_or_else(|| scope.stuck(subscript), Ok);
        }
        let index = self.evaluate(scope, &subscript.slice)?;
        let found = match (&value, &index) {
            (Constant::Name(name), Constant::Str(key))
                if name == "os.environ" && !self.changes.may_set_variable(key) =>
            {
                self.settings.environment.get(key).cloned().map(Constant::Str)
            }
            _ => value.item(&index),
        };
        found.map_or_else(|| scope.stuck(subscript), Ok)
    }

    /// `value[lower:upper]`; `None` if it is not known what that gives.
    fn slice(
        &self,
        scope: Scope<'_, 'a>,
        value: &Constant,
        slice: &'a ast::ExprSlice,
    ) -> Result<Option<Constant>, Stuck> {
        let bound = |expr: &'a Option<Box<Expr>>| expr.as_deref().map(|expr| self.evaluate(scope, expr));
        let bounds = (bound(&slice.lower).transpose()?, bound(&slice.upper).transpose()?);
        if slice.step.is_some() {
            return Ok(None);
        }
        Ok(match (value, &bounds, self.settings.python_version) {
            (Constant::Name(name), (None, Some(Constant::Int(2))), Some((major, minor)))
                if name == "sys.version_info" =>
            {
                Some(Constant::Tuple(vec![Constant::Int(major.into()), Constant::Int(minor.into())]))
            }
            (value, (lower, upper), _) => value.slice(lower.as_ref(), upper.as_ref()),
        })
    }

    /// `name` or `name.attribute.attribute`.
    fn name(&self, scope: Scope<'_, 'a>, expr: &'a Expr) -> Outcome {
        let (mut value, rest) = self.chain(scope, expr)?;
        for attribute in &rest {
            match self.attribute(&value, attribute) {
                Some(inner) => value = inner,
                None => return scope.stuck(expr),
            }
        }
        if let Constant::Name(path) = &value
            && let Some(known) = self.library_constant(path)
        {
            return Ok(known);
        }
        Ok(value)
    }

    /// `value.name`
    fn attribute(&self, value: &Constant, name: &str) -> Option<Constant> {
        match value {
            Constant::Image(built) => {
                let is_certain =
                    || name != "uri" || self.other_ignore_file(built.place.file, &built.image).is_none();
                let is_known = built.is_known() && is_certain();
                is_known.then(|| image_attribute(&built.image, name, self.disk)).flatten()
            }
            other => other.attribute(name),
        }
    }

    fn library_constant(&self, path: &str) -> Option<Constant> {
        let python = self.settings.python_version;
        match path {
            "sys.version_info.major" => Some(Constant::Int(python?.0.into())),
            "sys.version_info.minor" => Some(Constant::Int(python?.1.into())),
            "os.sep" => Some(Constant::Str("/".to_owned())),
            "flyte.__version__" if self.settings.flyte_limit.is_some() => None,
            "flyte.__version__" => Some(Constant::Str(self.settings.flyte_version.clone())),
            _ => None,
        }
    }

    /// What a chain of names begins with, and the attributes that are still to be read from it.
    ///
    /// # Errors
    /// [`Stuck`] if it is not certain what the first name stands for.
    pub fn chain(&self, scope: Scope<'_, 'a>, expr: &'a Expr) -> Result<(Constant, Vec<Name>), Stuck> {
        let Some(name) = root_of(expr) else { return scope.stuck(expr) };
        let attributes = attributes_of(expr);
        let Some(facts) = self.project.facts(scope.file) else { return scope.stuck(expr) };
        for (depth, frame) in scope.frames.iter().enumerate().rev() {
            let is_innermost = depth + 1 == scope.frames.len();
            if frame.class.is_some() && !is_innermost {
                continue;
            }
            if let Some(value) = frame.values().and_then(|values| values.known.get(name.id.as_str())) {
                return Ok((value.clone(), attributes));
            }
            match frame.local(&name.id, is_innermost.then_some(name.range.start())) {
                None => {}
                Some(Local::Assigned(value)) => {
                    let around = Scope { frames: &scope.frames[..=depth], ..scope };
                    let value = self.evaluate(around, value)?;
                    // What is read more than once may have been changed in between.
                    if value.changeable().is_some() && frame.reads(&name.id) > 1 {
                        return scope.stuck(name);
                    }
                    return Ok((value, attributes));
                }
                Some(Local::Imported(range)) => {
                    let import = facts.module.bindings.iter().position(|binding| binding.range == range);
                    return match import {
                        Some(import) => self.followed(scope, expr, import, &attributes),
                        None => scope.stuck(expr),
                    };
                }
                Some(Local::Opaque) => return scope.stuck(name),
            }
        }
        if name.id.as_str() == "__file__" && facts.module.exports(&name.id).is_empty() {
            let path =
                self.project.source(scope.file).map(|source| source.path.to_string_lossy().into_owned());
            return path.map_or_else(|| scope.stuck(expr), |path| Ok((Constant::Str(path), attributes)));
        }
        let target = self.global(scope, expr, name)?;
        self.target(scope, expr, &target)
    }

    /// What a name of the module certainly means, with the attributes behind it.
    ///
    /// # Errors
    /// [`Stuck`] if it is not certain.
    pub(super) fn global(
        &self,
        scope: Scope<'_, 'a>,
        expr: &'a Expr,
        name: &ast::ExprName,
    ) -> Result<Target, Stuck> {
        let attributes = attributes_of(expr);
        let Some(facts) = self.project.facts(scope.file) else { return scope.stuck(expr) };
        if Self::now(scope, name.range.start())
            .is_some_and(|at| self.is_bound_in_loop(scope.file, &name.id, at))
        {
            return scope.stuck(name);
        }
        let offset = Self::now(scope, name.range.start()).unwrap_or_else(|| TextSize::from(u32::MAX));
        let visible = facts.module.visible(&name.id, offset);
        let is_brought = || !self.project.stars_with(scope.file, &name.id, None, offset).is_empty();
        let is_builtin = BUILTINS.contains(&name.id.as_str())
            && facts.module.are_behind(&visible, offset)
            && !is_brought();
        if is_builtin {
            let names = std::iter::once(&name.id).chain(&attributes).map(Name::as_str);
            return Ok(Target::External(names.collect::<Vec<_>>().join(".")));
        }
        // What a name means to a call, or to a round of a comprehension, depends on when that runs.
        let has_values = scope.frames.last().is_some_and(|frame| frame.values().is_some());
        let reference = facts.reference_at(expr.range()).filter(|_| !has_values);
        let (targets, bindings) = if let Some(reference) = reference {
            (self.project.resolve(scope.file, reference).to_vec(), reference.bindings.as_slice())
        } else {
            (self.project.look_up(scope.file, &name.id, &attributes, offset), visible.as_slice())
        };
        match &targets[..] {
            [target @ Target::External(_)] => Ok(target.clone()),
            [target] if !self.may_mean_other(scope.file, (&name.id, &attributes), bindings, offset) => {
                Ok(target.clone())
            }
            _ => scope.stuck(expr),
        }
    }

    /// Whether a name of the file may mean something else at `offset` than what binds it there: code that is not followed
    /// binds it, a star import behind its binding, or one of several, brings it, or what it is imported from is not
    /// certain.
    fn may_mean_other(
        &self,
        file: FileId,
        (name, attributes): (&Name, &[Name]),
        bindings: &[BindingId],
        offset: TextSize,
    ) -> bool {
        self.changes.may_rebind(file, name) || self.is_hidden(file, (name, attributes), bindings, offset)
    }

    /// The same, where nothing binds it anew by way of the module.
    fn is_hidden(
        &self,
        file: FileId,
        (name, attributes): (&Name, &[Name]),
        bindings: &[BindingId],
        offset: TextSize,
    ) -> bool {
        let Some(facts) = self.project.facts(file) else { return true };
        if facts.module.are_behind(bindings, offset) {
            let stars = self.project.stars_with(file, name, None, offset);
            let [star] = &stars[..] else { return true };
            let names = [std::slice::from_ref(name), attributes].concat();
            return self.is_uncertain_path(file, star, &names, 0);
        }
        let from = bindings.iter().map(|&binding| self.hides_stars_from(file, binding));
        let from = from.collect::<Option<Vec<TextSize>>>().and_then(|from| from.into_iter().max());
        !self.project.stars_with(file, name, from, offset).is_empty()
            || bindings.iter().any(|&binding| self.is_uncertain_import(file, binding, attributes, 0))
    }

    /// Whether code at `at` is in a loop that binds a name, so that it may read what an earlier round has bound.
    fn is_bound_in_loop(&self, file: FileId, name: &Name, at: TextSize) -> bool {
        let Some(facts) = self.project.facts(file) else { return true };
        let is_own = |binding: &&Binding| binding.is_global && binding.name == *name;
        let own = facts.module.bindings.iter().filter(is_own);
        let conditional: Vec<TextRange> =
            own.filter(|binding| !binding.is_unconditional).map(|binding| binding.range).collect();
        if conditional.is_empty() {
            return false;
        }
        let around = self.trees.get(self.project, file).and_then(|tree| tree.loop_around(at));
        around.is_some_and(|around| conditional.iter().any(|range| around.contains_range(*range)))
    }

    /// Whether a name of the module that is read at a place may mean something else than what it is resolved to.
    pub(super) fn is_uncertain(&self, place: Place) -> bool {
        let reference = self.project.facts(place.file).and_then(|facts| facts.reference_at(place.range));
        reference.is_some_and(|reference| {
            let start = reference.range.start();
            let offset = if reference.is_deferred { TextSize::from(u32::MAX) } else { start };
            if !reference.is_deferred && self.is_bound_in_loop(place.file, &reference.name, start) {
                return true;
            }
            let name = (&reference.name, reference.attributes.as_slice());
            self.is_hidden(place.file, name, &reference.bindings, offset)
        })
    }

    /// Where a binding stands that hides what star imports before it bring; `None` if it may not have run.
    fn hides_stars_from(&self, file: FileId, binding: BindingId) -> Option<TextSize> {
        let bound = &self.project.facts(file)?.module.bindings[binding];
        bound.is_unconditional.then(|| bound.range.start())
    }

    /// Whether what an import brings may be something else than what its modules say when they are read one by one.
    fn is_uncertain_import(
        &self,
        file: FileId,
        binding: BindingId,
        attributes: &[Name],
        depth: usize,
    ) -> bool {
        let Some(facts) = self.project.facts(file).filter(|_| depth < MAX_CALLS) else { return true };
        let BindingKind::Import(path) = &facts.module.bindings[binding].kind else { return false };
        let names: Vec<Name> = path.name.iter().map(Name::from).chain(attributes.iter().cloned()).collect();
        self.is_uncertain_path(file, path, &names, depth)
    }

    /// Whether a module may not have come to the last binding of a name when another file reads it: that file is run by an
    /// import in the module.
    fn is_early(&self, reader: FileId, file: FileId, name: &Name) -> bool {
        let bindings = self.project.facts(file).into_iter().flat_map(|facts| &facts.module.bindings);
        let own = bindings.filter(|binding| binding.is_global && binding.name == *name);
        own.take(2).count() > 1 && self.project.import_closure([file]).contains(&reader)
    }

    /// The same of names that are read one after another from a module.
    fn is_uncertain_path(&self, file: FileId, path: &ImportPath, names: &[Name], depth: usize) -> bool {
        let reader = file;
        let Some(mut place) = self.project.index.resolve(file, path.level, &path.module) else {
            return false;
        };
        if self.may_be_other_module(file, path) {
            return true;
        }
        for (index, name) in names.iter().enumerate() {
            let module = place.file.and_then(|file| Some((file, &self.project.facts(file)?.module)));
            let exports = module.map(|(file, module)| (file, module.exports(name)));
            if let Some((file, exports)) = exports.filter(|(_, exports)| !exports.is_empty()) {
                return self.changes.may_rebind(file, name)
                    || self.is_early(reader, file, name)
                    || exports.into_iter().any(|export| {
                        let from = self.hides_stars_from(file, export);
                        !self.project.stars_with(file, name, from, TextSize::from(u32::MAX)).is_empty()
                            || self.is_uncertain_import(file, export, &names[index + 1..], depth + 1)
                    });
            }
            if let Some(child) = self.project.index.child(place, name) {
                place = child;
                continue;
            }
            let Some(file) = place.file else { return false };
            let stars = self.project.stars_with(file, name, None, TextSize::from(u32::MAX));
            return match &stars[..] {
                [] => false,
                [star] if depth < MAX_CALLS => self.is_uncertain_path(file, star, &names[index..], depth + 1),
                _ => true,
            };
        }
        false
    }

    fn followed(
        &self,
        scope: Scope<'_, 'a>,
        expr: &'a Expr,
        binding: BindingId,
        attributes: &[Name],
    ) -> Result<(Constant, Vec<Name>), Stuck> {
        match &self.project.follow(scope.file, binding, attributes, 0)[..] {
            [target] if !self.is_uncertain_import(scope.file, binding, attributes, 0) => {
                self.target(scope, expr, target)
            }
            _ => scope.stuck(expr),
        }
    }

    fn target(
        &self,
        scope: Scope<'_, 'a>,
        expr: &'a Expr,
        target: &Target,
    ) -> Result<(Constant, Vec<Name>), Stuck> {
        match target {
            Target::Binding(file, binding, attributes) => match self.bound(*file, *binding, attributes) {
                Ok((value, rest)) => Ok((value, rest.to_vec())),
                // What is unknown elsewhere is shown where this code reads it.
                Err(stuck) if stuck.place.file == scope.file => Err(stuck),
                Err(_) => scope.stuck(expr),
            },
            Target::Module(file) => Ok((Constant::Module(*file), Vec::new())),
            Target::External(path) if self.changes.replaces(path) => scope.stuck(expr),
            Target::External(path) => Ok((Constant::Name(path.clone()), Vec::new())),
            Target::Flyte1(_) | Target::Folder(_) | Target::Unknown => scope.stuck(expr),
        }
    }

    /// What a name at the top level is bound to, or an attribute of a class that it stands for; and the attributes that
    /// are still to be read.
    fn bound<'n>(
        &self,
        file: FileId,
        binding: BindingId,
        names: &'n [Name],
    ) -> Result<(Constant, &'n [Name]), Stuck> {
        let Some(((frame, value), rest)) = names
            .split_first()
            .and_then(|(first, rest)| Some((self.class_attribute(file, binding, first)?, rest)))
        else {
            return Ok((self.binding(file, binding)?, names));
        };
        let frames = [frame];
        let scope = Scope { file, frames: &frames };
        let found = self.evaluate(scope, value)?;
        if self.changes.may_change_attribute(file, binding, &found) {
            return scope.stuck(value);
        }
        Ok((found, rest))
    }

    /// The value of an attribute of a class that does nothing but give names to values, with the names of the class.
    pub fn class_attribute(
        &self,
        file: FileId,
        binding: BindingId,
        name: &Name,
    ) -> Option<(Frame<'a>, &'a Expr)> {
        let bound = &self.project.facts(file)?.module.bindings[binding];
        let is_certain = bound.kind == BindingKind::Definition && bound.is_unconditional;
        let may_change = self.changes.may_rebind(file, &bound.name)
            || self.changes.may_rebind(file, name)
            || self.changes.may_change(file, binding);
        if !is_certain || may_change {
            return None;
        }
        let class = self.trees.get(self.project, file)?.body().get(bound.owner)?.as_class_def_stmt()?;
        let is_plain = class.arguments.is_none() && class.decorator_list.is_empty();
        let gives_names = |stmt: &Stmt| match stmt {
            Stmt::Assign(_) | Stmt::AnnAssign(_) | Stmt::Pass(_) => true,
            Stmt::Expr(expr) => expr.value.is_string_literal_expr(),
            _ => false,
        };
        if !is_plain || class.name.range != bound.range || !class.body.iter().all(gives_names) {
            return None;
        }
        let frame = Frame::of_class(class);
        match frame.local(name, None)? {
            Local::Assigned(value) => Some((frame, value)),
            Local::Imported(_) | Local::Opaque => None,
        }
    }

    /// What a name at the top level of a module is bound to.
    ///
    /// # Errors
    /// [`Stuck`] if it cannot be known.
    pub fn binding(&self, file: FileId, binding: BindingId) -> Outcome {
        if let Some(known) = self.known.borrow().get(&(file, binding)) {
            return known.clone();
        }
        let value = self.fresh_binding(file, binding);
        self.known.borrow_mut().insert((file, binding), value.clone());
        value
    }

    fn fresh_binding(&self, file: FileId, id: BindingId) -> Outcome {
        let Some(facts) = self.project.facts(file) else {
            return Err(Stuck { place: Place { file, range: TextRange::default() } });
        };
        let binding = &facts.module.bindings[id];
        let stuck = Stuck { place: Place { file, range: binding.range } };
        let BindingKind::Assignment { value, .. } = &binding.kind else { return Err(stuck) };
        if self.changes.may_rebind(file, &binding.name) {
            return Err(stuck);
        }
        let Some(tree) = self.trees.get(self.project, file) else { return Err(stuck) };
        if self.active.borrow().contains(&(file, id)) || tree.loop_around(binding.range.start()).is_some() {
            return Err(stuck);
        }
        let Some(expr) = expression_at(&tree.body()[binding.owner], value.range) else { return Err(stuck) };
        self.active.borrow_mut().push((file, id));
        let value = self.evaluate(Scope { file, frames: &[] }, expr);
        self.active.borrow_mut().pop();
        value.and_then(
            |value| {
                if self.changes.may_change_value(file, id, &value) { Err(stuck) } else { Ok(value) }
            },
        )
    }

    pub(super) fn call(&self, scope: Scope<'_, 'a>, call: &'a ast::ExprCall) -> Outcome {
        let stuck = Stuck { place: scope.place(call.range) };
        if let Some(helper) = self.helper(scope, &call.func) {
            return self.helper_call(scope, call, &helper).map(|value| match value {
                Constant::Image(built) => Constant::Image(Box::new(Built { place: stuck.place, ..*built })),
                other => other,
            });
        }
        let (receiver, method) = match &*call.func {
            func if root_of(func).is_some() => match self.chain(scope, func).map_err(|_| stuck)? {
                (Constant::Name(path), rest) => {
                    let names = std::iter::once(path.as_str()).chain(rest.iter().map(Name::as_str));
                    return self.library_call(scope, call, &names.collect::<Vec<_>>().join("."));
                }
                (mut value, rest) => {
                    let Some((method, between)) = rest.split_last() else { return Err(stuck) };
                    for attribute in between {
                        value = self.attribute(&value, attribute).ok_or(stuck)?;
                    }
                    (value, method.clone())
                }
            },
            Expr::Attribute(attribute) => {
                (self.evaluate(scope, &attribute.value)?, attribute.attr.id.clone())
            }
            _ => return Err(stuck),
        };
        match receiver {
            Constant::Image(built) => self.image_method(scope, *built, &method, call),
            receiver => {
                let arguments = self.positional(scope, call, method == "join")?;
                if let (Constant::Path(text), []) = (&receiver, &arguments[..])
                    && let Some(answer) = self.disk_method(text, &method)
                {
                    return Ok(answer);
                }
                receiver.method(&method, &arguments).ok_or(stuck)
            }
        }
    }

    /// The arguments of a call that takes them by position only; `takes_row` if it takes one element by element.
    fn positional(
        &self,
        scope: Scope<'_, 'a>,
        call: &'a ast::ExprCall,
        takes_row: bool,
    ) -> Result<Vec<Constant>, Stuck> {
        if !call.arguments.keywords.is_empty() {
            return scope.stuck(call);
        }
        if let ([row @ Expr::Generator(_)], true) = (&*call.arguments.args, takes_row) {
            return Ok(vec![self.row(scope, row)?]);
        }
        self.items(scope, &call.arguments.args)
    }

    /// Methods of paths that look at the disk.
    fn disk_method(&self, text: &str, method: &str) -> Option<Constant> {
        let place = Path::new(text);
        if self.changes.moves() && !text.starts_with('/') {
            return None;
        }
        match method {
            "absolute" => Some(Constant::Path(path::join(&self.disk.cwd().to_string_lossy(), text))),
            "resolve" => {
                let resolved = self.disk.resolve(place).or_else(|| {
                    // Python resolves what is there, and keeps the rest.
                    let parent = self.disk.resolve(Path::new(&path::parent(text)))?;
                    Some(parent.join(path::name(text))).filter(|_| path::name(text) != "..")
                })?;
                Some(Constant::Path(resolved.to_string_lossy().into_owned()))
            }
            "exists" => Some(Constant::Bool(self.disk.exists(place))),
            "is_file" => Some(Constant::Bool(self.disk.is_file(place))),
            "is_dir" => Some(Constant::Bool(self.disk.is_folder(place))),
            _ => None,
        }
    }

    fn library_call(&self, scope: Scope<'_, 'a>, call: &'a ast::ExprCall, path: &str) -> Outcome {
        if let Some(name) =
            path.strip_prefix("flyte.Image.").or_else(|| path.strip_prefix("flyte._image.Image."))
        {
            return self.image_constructor(scope, name, call);
        }
        match path {
            "flyte.Image" | "flyte._image.Image" => Ok(refused_image(scope, call)),
            path if is_secret_path(path) => self.secret(scope, call),
            "os.getenv" | "os.environ.get" => self.environment_variable(scope, call),
            "dict" => self.dict_call(scope, call),
            _ => {
                let arguments = self.positional(scope, call, matches!(path, "list" | "tuple"))?;
                self.plain_call(path, &arguments).map_or_else(|| scope.stuck(call), Ok)
            }
        }
    }

    fn plain_call(&self, path: &str, arguments: &[Constant]) -> Option<Constant> {
        let cwd = || self.disk.cwd().to_string_lossy().into_owned();
        match (path, arguments) {
            ("pathlib.Path" | "pathlib.PurePath" | "pathlib.PosixPath" | "pathlib.PurePosixPath", parts) => {
                parts
                    .iter()
                    .try_fold(".".to_owned(), |joined, part| {
                        matches!(part, Constant::Str(_) | Constant::Path(_)).then_some(())?;
                        Some(path::join(&joined, &part.text()?))
                    })
                    .map(Constant::Path)
            }
            ("pathlib.Path.cwd" | "os.getcwd" | "os.path.abspath" | "os.path.exists", _)
                if self.changes.moves() =>
            {
                None
            }
            ("pathlib.Path.cwd", []) => Some(Constant::Path(cwd())),
            ("os.getcwd", []) => Some(Constant::Str(cwd())),
            ("os.path.join", parts) => os_path_join(parts).map(Constant::Str),
            ("os.path.dirname", [path]) => {
                let text = path.text()?;
                let head = &text[..text.rfind('/').map_or(0, |at| at + 1)];
                let folder = head.trim_end_matches('/');
                // The root stays as it is written.
                Some(Constant::Str(if folder.is_empty() { head } else { folder }.to_owned()))
            }
            ("os.path.basename", [path]) => {
                let text = path.text()?;
                Some(Constant::Str(text.rsplit('/').next().unwrap_or_default().to_owned()))
            }
            ("os.path.abspath", [path]) => Some(Constant::Str(absolute(&cwd(), &path.text()?))),
            ("os.path.exists", [path]) => Some(Constant::Bool(self.disk.exists(Path::new(&path.text()?)))),
            ("str", [value]) => value.text().map(Constant::Str),
            ("list", [value]) => Some(Constant::List(value.elements()?.to_vec())),
            ("tuple", [value]) => Some(Constant::Tuple(value.elements()?.to_vec())),
            ("list", []) => Some(Constant::List(Vec::new())),
            ("int", [Constant::Str(text)]) => text.parse().ok().map(Constant::Int),
            ("int", [Constant::Int(value)]) => Some(Constant::Int(*value)),
            ("len", [value]) => i64::try_from(value.length()?).ok().map(Constant::Int),
            ("bool", [value]) => Some(Constant::Bool(value.is_true())),
            _ => None,
        }
    }

    /// `dict(other, name=value)`
    fn dict_call(&self, scope: Scope<'_, 'a>, call: &'a ast::ExprCall) -> Outcome {
        let mut items = match &self.items(scope, &call.arguments.args)?[..] {
            [] => Vec::new(),
            [Constant::Dict(items)] => items.clone(),
            _ => return scope.stuck(call),
        };
        for keyword in &call.arguments.keywords {
            let Some(name) = &keyword.arg else { return scope.stuck(call) };
            insert(&mut items, Constant::Str(name.to_string()), self.evaluate(scope, &keyword.value)?);
        }
        Ok(Constant::Dict(items))
    }

    /// `os.getenv("NAME", default)`: the variable's value if it is set, else the default; without one, it is unknown.
    fn environment_variable(&self, scope: Scope<'_, 'a>, call: &'a ast::ExprCall) -> Outcome {
        let argument = |name: &str, index: usize| call.arguments.find_argument_value(name, index);
        let Some(name) = argument("key", 0) else { return scope.stuck(call) };
        let Constant::Str(name) = self.evaluate(scope, name)? else { return scope.stuck(call) };
        if self.changes.may_set_variable(&name) {
            return scope.stuck(call);
        }
        match (self.settings.environment.get(&name), argument("default", 1)) {
            (Some(value), _) => Ok(Constant::Str(value.clone())),
            (None, Some(default)) => self.evaluate(scope, default),
            (None, None) => scope.stuck(call),
        }
    }

    fn secret(&self, scope: Scope<'_, 'a>, call: &'a ast::ExprCall) -> Outcome {
        let text = |name: &str, index: usize| match call.arguments.find_argument_value(name, index) {
            None => Ok(None),
            Some(expr) => match self.evaluate(scope, expr)? {
                Constant::None => Ok(None),
                Constant::Str(text) | Constant::Path(text) => Ok(Some(text)),
                _ => scope.stuck(expr),
            },
        };
        if unknown_secret_keyword(call).is_some() {
            return scope.stuck(call);
        }
        let (Some(key), group) = (text("key", 0)?, text("group", 1)?) else { return scope.stuck(call) };
        let (mount, as_env_var) = (text("mount", 2)?, text("as_env_var", 3)?);
        let is_mount_plain = call
            .arguments
            .find_argument_value("mount", 2)
            .is_some_and(|mount| matches!(self.evaluate(scope, mount), Ok(Constant::Str(_))));
        let secret = Secret::new(key, group, mount.map(Into::into), as_env_var);
        Ok(Constant::Secret(Secret { is_mount_plain, ..secret }))
    }
}

/// What the SDK tells of an image.
fn image_attribute(image: &Image, name: &str, disk: &Disk) -> Option<Constant> {
    let text = |text: &Option<String>| text.clone().map_or(Constant::None, Constant::Str);
    match name {
        "uri" => uri(image, disk).ok().map(Constant::Str),
        "name" => Some(text(&image.name)),
        "registry" => Some(text(&image.registry)),
        _ => None,
    }
}

/// Whether a literal may hold half of a pair of code units: `"\ud800"`.
fn names_surrogate(literal: &str) -> bool {
    let text = literal.to_ascii_lowercase();
    ["\\ud8", "\\ud9", "\\uda", "\\udb", "\\udc", "\\udd", "\\ude", "\\udf", "\\u0000d"]
        .iter()
        .any(|escape| text.contains(escape))
}

/// Functions of Python itself that are understood.
const BUILTINS: [&str; 7] = ["str", "list", "tuple", "dict", "int", "bool", "len"];

/// `os.path.join`
fn os_path_join(parts: &[Constant]) -> Option<String> {
    let mut joined = String::new();
    for (index, part) in parts.iter().enumerate() {
        let (Constant::Str(part) | Constant::Path(part)) = part else { return None };
        if part.starts_with('/') || index == 0 {
            joined.clone_from(part);
        } else {
            if !joined.is_empty() && !joined.ends_with('/') {
                joined.push('/');
            }
            joined.push_str(part);
        }
    }
    Some(joined)
}

/// `os.path.abspath`: absolute, without `.` and `..`.
pub(super) fn absolute(cwd: &str, text: &str) -> String {
    let joined = path::join(cwd, text);
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/').filter(|part| !part.is_empty()) {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    // POSIX leaves the meaning of two slashes open, and Python keeps them.
    let root = if joined.starts_with("//") && !joined.starts_with("///") { "//" } else { "/" };
    format!("{root}{}", parts.join("/"))
}

/// Gives a target its value; `None` if it is another than a name, or names in brackets.
fn bind<'a>(values: &mut Values<'a>, target: &'a Expr, value: &Constant) -> Option<()> {
    match target {
        Expr::Name(name) => drop(values.known.insert(name.id.as_str(), value.clone())),
        Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
            let items = value.elements().filter(|items| items.len() == elts.len())?;
            elts.iter().zip(items).try_for_each(|(target, item)| bind(values, target, item))?;
        }
        _ => return None,
    }
    Some(())
}

/// The expression at a range inside a statement.
pub fn expression_at(stmt: &Stmt, range: TextRange) -> Option<&Expr> {
    let mut finder = Finder { range, found: None };
    finder.visit_stmt(stmt);
    finder.found
}

/// The name that `name.attribute.attribute` begins with.
pub fn root_of(expr: &Expr) -> Option<&ast::ExprName> {
    match expr {
        Expr::Name(name) => Some(name),
        Expr::Attribute(attribute) => root_of(&attribute.value),
        _ => None,
    }
}

/// The attributes of `name.attribute.attribute` in order.
pub(super) fn attributes_of(expr: &Expr) -> Vec<Name> {
    let mut attributes = Vec::new();
    let mut current = expr;
    while let Expr::Attribute(attribute) = current {
        attributes.push(attribute.attr.id.clone());
        current = &attribute.value;
    }
    attributes.reverse();
    attributes
}
