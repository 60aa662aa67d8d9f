//! What the body of a decorated function does with the results of the calls in it.
//!
//! In a Flyte 1 workflow a call returns a promise; in Flyte 2 it returns the value.
//! Passing it on, returning it, putting it into a list mean the same in both. Everything else is an [`Issue`],
//! which counts if one of the calls that the value comes from turns out to be a task or a workflow.
//!
//! ```python
//! a = train(n=1)
//! b = report(a=a)        # passed on: the same in both
//! c = f"{a}"             # an issue: Formatted, from `train`
//! ```

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::python::Ranged;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, Stmt};
use crate::source::TextRange;

/// What is done with a result that means something else on Flyte 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssueKind {
    /// An attribute is read: `result.o0`, `call(…).with_overrides(…)`.
    Attribute(String),
    /// It is an operand: `a >> b`, `a > 1`.
    Operator,
    /// It is put into an f-string.
    Formatted,
    /// It is passed to something; an issue only if that is no task or workflow. The place of the callee.
    PassedTo(TextRange),
    /// It is unpacked into a single name: `(a,) = call(…)`.
    Unpacked,
    /// The call stands in `try`.
    Try,
    /// The call stands in a function, lambda or class inside the body.
    Nested,
}

/// A use of a result that may mean something else on Flyte 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Where.
    pub range: TextRange,
    /// What is done.
    pub kind: IssueKind,
    /// The callees of the calls that the value comes from.
    pub roots: BTreeSet<Root>,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Root {
    /// The result of the call whose callee begins and ends here.
    Call(u32, u32),
    /// A parameter of the function.
    Parameter,
}

impl Root {
    fn call(range: TextRange) -> Self {
        Self::Call(range.start().into(), range.end().into())
    }

    /// The place of the callee.
    pub fn callee(self) -> Option<TextRange> {
        match self {
            Self::Call(start, end) => Some(TextRange::new(start.into(), end.into())),
            Self::Parameter => None,
        }
    }
}

/// A call in the body, and the calls whose results it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFlow {
    /// The callee.
    pub callee: TextRange,
    /// The callees whose results reach its arguments directly.
    pub inputs: BTreeSet<Root>,
    /// The arguments that are a result or a parameter as it is, and their places.
    pub arguments: Vec<(ArgumentName, Source, TextRange)>,
    /// The results and parameters that stand in a list, tuple or dict which is an argument.
    pub elements: Vec<(ArgumentName, Source)>,
    /// Whether it stands in a loop or comprehension, and so may run many times.
    pub is_repeated: bool,
}

/// How an argument is passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArgumentName {
    /// By its place.
    Position(usize),
    /// By its keyword.
    Keyword(String),
}

/// A value that is passed on unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The result of the call with this callee.
    Call(TextRange),
    /// A part of it.
    Part(TextRange, Part),
    /// The parameter of this name.
    Parameter(String),
}

impl Source {
    /// Whether it is a parameter of the function.
    pub fn is_parameter(&self) -> bool {
        matches!(self, Self::Parameter(_))
    }
}

/// A part of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// `a, b = call(…)`, `call(…)[0]`
    Position(usize),
    /// `call(…).low`
    Name(String),
    /// `call(…)["low"]`, `call(…)[0][1]`: something further in.
    Inside,
}

/// A value that a function returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Where it comes from.
    pub source: Source,
    /// Where it stands.
    pub range: TextRange,
    /// Its place among several values.
    pub position: Option<usize>,
    /// Whether it stands in a list, tuple or dict that is returned.
    pub is_element: bool,
}

/// What is known of a body.
#[derive(Debug, Clone, Default)]
pub struct Body {
    /// Whether `return value` or `yield` occurs.
    pub returns_value: bool,
    /// Uses of results that may differ.
    pub issues: Vec<Issue>,
    /// The calls in order of the source.
    pub calls: Vec<CallFlow>,
    /// Results and parameters that are returned as they are.
    pub returned: Vec<Returned>,
}

/// Reads the bodies of all functions with decorators, in the order in which
/// [`scope::Module::functions`](crate::python::scope::Module::functions) lists them; `wanted` tells for each whether it
/// is read, or left empty.
pub fn bodies(statements: &[Stmt], wanted: &[bool]) -> Vec<Body> {
    let mut finder = Finder { bodies: Vec::new(), wanted };
    statements.iter().for_each(|stmt| finder.visit_stmt(stmt));
    finder.bodies
}

struct Finder<'w> {
    bodies: Vec<Body>,
    wanted: &'w [bool],
}

impl<'a> SourceOrderVisitor<'a> for Finder<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if let Stmt::FunctionDef(function) = stmt
            && !function.decorator_list.is_empty()
        {
            let is_wanted = self.wanted.get(self.bodies.len()) == Some(&true);
            self.bodies.push(if is_wanted { read(function) } else { Body::default() });
        }
        source_order::walk_stmt(self, stmt);
    }

    /// No expression holds a function with decorators.
    fn visit_expr(&mut self, _: &'a Expr) {}
}

type Taint = BTreeSet<Root>;

fn read(function: &ast::StmtFunctionDef) -> Body {
    let mut returns = Returns { found: false };
    function.body.iter().for_each(|stmt| returns.visit_stmt(stmt));
    let mut flow = Flow {
        body: Body { returns_value: returns.found, ..Body::default() },
        variables: FxHashMap::default(),
        sources: FxHashMap::default(),
        held: FxHashMap::default(),
        locals: function.parameters.iter().map(|parameter| parameter.name().to_string()).collect(),
        loops: 0,
    };
    for parameter in &function.parameters {
        let name = parameter.name().to_string();
        flow.variables.insert(name.clone(), Taint::from([Root::Parameter]));
        flow.sources.insert(name.clone(), Source::Parameter(name));
    }
    flow.statements(&function.body);
    flow.body
}

struct Returns {
    found: bool,
}

impl<'a> SourceOrderVisitor<'a> for Returns {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Return(node) => {
                self.found |= node.value.as_ref().is_some_and(|value| !value.is_none_literal_expr());
            }
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            _ => source_order::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Yield(_) | Expr::YieldFrom(_) => self.found = true,
            Expr::Lambda(_) => {}
            _ => source_order::walk_expr(self, expr),
        }
    }
}

struct Flow {
    body: Body,
    variables: FxHashMap<String, Taint>,
    /// Variables that are a result or a parameter as it is.
    sources: FxHashMap<String, Source>,
    /// What stands in the lists, tuples and dicts that variables hold.
    held: FxHashMap<String, Vec<Source>>,
    /// Names bound in the function: a call of one is not a call of a task.
    locals: BTreeSet<String>,
    loops: usize,
}

impl Flow {
    fn issue(&mut self, range: TextRange, kind: IssueKind, roots: &Taint) {
        let issue = Issue { range, kind, roots: roots.clone() };
        if !roots.is_empty() && !self.body.issues.contains(&issue) {
            self.body.issues.push(issue);
        }
    }

    fn statements(&mut self, body: &[Stmt]) {
        body.iter().for_each(|stmt| self.statement(stmt));
    }

    fn statement(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Assign(node) => {
                let taint = self.expr(&node.value);
                let (source, held) = (self.source(&node.value), self.held(&node.value));
                for target in &node.targets {
                    if matches!(target, Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) if elts.len() == 1)
                    {
                        self.issue(node.range, IssueKind::Unpacked, &taint);
                    }
                }
                node.targets.iter().for_each(|target| self.assign(target, &taint));
                if let [target] = node.targets.as_slice() {
                    self.remember(target, source, held);
                }
            }
            Stmt::AnnAssign(node) => {
                if let Some(value) = &node.value {
                    let taint = self.expr(value);
                    let (source, held) = (self.source(value), self.held(value));
                    self.assign(&node.target, &taint);
                    self.remember(&node.target, source, held);
                }
            }
            Stmt::AugAssign(node) => {
                let mut taint = self.expr(&node.value);
                taint.extend(self.expr(&node.target));
                // `results += [train(n=i)]` only gathers results.
                if !matches!(*node.value, Expr::List(_) | Expr::Tuple(_) | Expr::ListComp(_)) {
                    self.issue(node.range, IssueKind::Operator, &taint);
                }
                let held: Vec<Source> =
                    [&*node.target, &*node.value].into_iter().flat_map(|expr| self.held(expr)).collect();
                self.assign(&node.target, &taint);
                self.remember(&node.target, None, held);
            }
            Stmt::Expr(node) => drop(self.expr(&node.value)),
            Stmt::Return(node) => {
                if let Some(value) = &node.value {
                    self.expr(value);
                    match value.as_tuple_expr() {
                        Some(tuple) => {
                            tuple.elts.iter().enumerate().for_each(|(position, element)| {
                                self.returned(element, Some(position));
                            });
                        }
                        None => self.returned(value, None),
                    }
                }
            }
            Stmt::If(node) => {
                self.condition(&node.test);
                self.statements(&node.body);
                for clause in &node.elif_else_clauses {
                    clause.test.iter().for_each(|test| self.condition(test));
                    self.statements(&clause.body);
                }
            }
            Stmt::While(node) => {
                self.condition(&node.test);
                self.repeated(|this| this.statements(&node.body));
                self.statements(&node.orelse);
            }
            Stmt::For(node) => {
                let taint = self.expr(&node.iter);
                let held = self.held(&node.iter);
                self.assign(&node.target, &taint);
                if let [only] = &held[..] {
                    self.remember(&node.target, Some(only.clone()), Vec::new());
                }
                self.repeated(|this| this.statements(&node.body));
                self.statements(&node.orelse);
            }
            Stmt::With(node) => {
                for item in &node.items {
                    let taint = self.expr(&item.context_expr);
                    if let Some(target) = &item.optional_vars {
                        self.assign(target, &taint);
                    }
                }
                self.statements(&node.body);
            }
            Stmt::Try(node) => {
                self.issue(node.range, IssueKind::Try, &calls_in(&node.body));
                self.statements(&node.body);
                for ast::ExceptHandler::ExceptHandler(handler) in &node.handlers {
                    self.statements(&handler.body);
                }
                self.statements(&node.orelse);
                self.statements(&node.finalbody);
            }
            Stmt::Match(node) => {
                self.condition(&node.subject);
                node.cases.iter().for_each(|case| self.statements(&case.body));
            }
            Stmt::FunctionDef(node) => {
                self.locals.insert(node.name.to_string());
                self.issue(node.name.range, IssueKind::Nested, &calls_in(&node.body));
            }
            Stmt::ClassDef(node) => {
                self.locals.insert(node.name.to_string());
                self.issue(node.name.range, IssueKind::Nested, &calls_in(&node.body));
            }
            Stmt::Assert(node) => self.condition(&node.test),
            Stmt::Raise(node) => node.exc.iter().chain(&node.cause).for_each(|expr| drop(self.expr(expr))),
            _ => {}
        }
    }

    /// Loops run again with what the first round left in the variables.
    fn repeated(&mut self, walk: impl Fn(&mut Self)) {
        self.loops += 1;
        let calls = self.body.calls.len();
        walk(self);
        self.body.calls.truncate(calls);
        walk(self);
        self.loops -= 1;
    }

    /// flytekit refuses the truth value of a promise, so what decides here is a value in both.
    fn condition(&mut self, test: &Expr) {
        self.expr(test);
    }

    fn assign(&mut self, target: &Expr, taint: &Taint) {
        match target {
            Expr::Name(name) => {
                self.locals.insert(name.id.to_string());
                self.sources.remove(name.id.as_str());
                self.held.remove(name.id.as_str());
                self.variables.insert(name.id.to_string(), taint.clone());
            }
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                elts.iter().for_each(|element| self.assign(element, taint));
            }
            Expr::Starred(starred) => self.assign(&starred.value, taint),
            Expr::Subscript(subscript) => {
                let slice = self.expr(&subscript.slice);
                self.issue(subscript.slice.range(), IssueKind::Operator, &slice);
                self.absorb(&subscript.value, taint);
            }
            Expr::Attribute(attribute) => {
                let object = self.expr(&attribute.value);
                self.issue(attribute.range, IssueKind::Attribute(attribute.attr.to_string()), &object);
                self.absorb(&attribute.value, taint);
            }
            _ => {}
        }
    }

    /// What `target` is bound to, once it is.
    fn remember(&mut self, target: &Expr, source: Option<Source>, held: Vec<Source>) {
        match target {
            Expr::Name(name) => {
                self.sources.extend(source.map(|source| (name.id.to_string(), source)));
                self.held.insert(name.id.to_string(), held);
            }
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                for (position, element) in elts.iter().enumerate() {
                    let part = part(source.as_ref(), Part::Position(position));
                    if let (Expr::Name(name), Some(part)) = (element, part) {
                        self.sources.insert(name.id.to_string(), part);
                    }
                }
            }
            // `results[0] = call(…)`
            Expr::Subscript(subscript) => {
                self.hold(&subscript.value, source.into_iter().chain(held).collect());
            }
            _ => {}
        }
    }

    /// The list or dict that `holder` names now holds more.
    fn hold(&mut self, holder: &Expr, sources: Vec<Source>) {
        if let Expr::Name(name) = holder {
            self.held.entry(name.id.to_string()).or_default().extend(sources);
        }
    }

    fn returned(&mut self, value: &Expr, position: Option<usize>) {
        let own = self.source(value).into_iter().map(|source| (source, false));
        let held = self.held(value).into_iter().map(|source| (source, true));
        let range = value.range();
        let returned =
            own.chain(held).map(|(source, is_element)| Returned { source, range, position, is_element });
        self.body.returned.extend(returned.collect::<Vec<_>>());
    }

    fn source(&self, expr: &Expr) -> Option<Source> {
        match expr {
            Expr::Name(name) => self.sources.get(name.id.as_str()).cloned(),
            Expr::Await(node) => self.source(&node.value),
            Expr::Call(call) => match &*call.func {
                Expr::Attribute(method) if method.attr.as_str() == "with_overrides" => {
                    self.source(&method.value)
                }
                callee => Some(Source::Call(callee.range())),
            },
            Expr::Attribute(attribute) => {
                part(self.source(&attribute.value).as_ref(), Part::Name(attribute.attr.to_string()))
            }
            Expr::Subscript(subscript) => {
                let position = || subscript.slice.as_number_literal_expr()?.value.as_int()?.as_usize();
                part(self.source(&subscript.value).as_ref(), position().map_or(Part::Inside, Part::Position))
            }
            _ => None,
        }
    }

    /// What stands in a list, tuple or dict, also behind a name and inside of others.
    fn held(&self, expr: &Expr) -> Vec<Source> {
        let all = |exprs: &mut dyn Iterator<Item = &Expr>| {
            exprs.flat_map(|expr| self.source(expr).into_iter().chain(self.held(expr))).collect()
        };
        match expr {
            Expr::Name(name) => self.held.get(name.id.as_str()).cloned().unwrap_or_default(),
            Expr::List(ast::ExprList { elts, .. })
            | Expr::Tuple(ast::ExprTuple { elts, .. })
            | Expr::Set(ast::ExprSet { elts, .. }) => all(&mut elts.iter()),
            Expr::Dict(dict) => all(&mut dict.items.iter().map(|item| &item.value)),
            Expr::ListComp(ast::ExprListComp { elt, .. })
            | Expr::SetComp(ast::ExprSetComp { elt, .. })
            | Expr::Generator(ast::ExprGenerator { elt, .. }) => all(&mut std::iter::once(&**elt)),
            Expr::DictComp(node) => all(&mut std::iter::once(&*node.value)),
            Expr::Starred(node) => self.held(&node.value),
            Expr::BinOp(node) => {
                [&node.left, &node.right].into_iter().flat_map(|side| self.held(side)).collect()
            }
            Expr::If(node) => {
                [&node.body, &node.orelse].into_iter().flat_map(|side| self.held(side)).collect()
            }
            Expr::Call(call) if is_transparent(&call.func) => {
                call.arguments.args.iter().flat_map(|argument| self.held(argument)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn passed_on(&self, arguments: &ast::Arguments) -> Vec<(ArgumentName, Source, TextRange)> {
        let values = named(arguments);
        values.filter_map(|(name, value)| Some((name, self.source(value)?, value.range()))).collect()
    }

    fn elements(&self, arguments: &ast::Arguments) -> Vec<(ArgumentName, Source)> {
        let values = named(arguments);
        values
            .flat_map(|(name, value)| self.held(value).into_iter().map(move |held| (name.clone(), held)))
            .collect()
    }

    /// The object that `holder` names now holds what `taint` says.
    fn absorb(&mut self, holder: &Expr, taint: &Taint) {
        if let Expr::Name(name) = holder {
            self.variables.entry(name.id.to_string()).or_default().extend(taint.iter().copied());
        }
    }

    fn union<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) -> Taint {
        let mut taint = Taint::new();
        for expr in exprs {
            taint.extend(self.expr(expr));
        }
        taint
    }

    fn operator<'e>(&mut self, range: TextRange, operands: impl IntoIterator<Item = &'e Expr>) -> Taint {
        let taint = self.union(operands);
        self.issue(range, IssueKind::Operator, &taint);
        taint
    }

    fn expr(&mut self, expr: &Expr) -> Taint {
        match expr {
            Expr::Name(name) => self.variables.get(name.id.as_str()).cloned().unwrap_or_default(),
            Expr::Call(call) => self.call(call),
            Expr::Attribute(attribute) => {
                let taint = self.expr(&attribute.value);
                self.issue(attribute.range, IssueKind::Attribute(attribute.attr.to_string()), &taint);
                taint
            }
            Expr::Subscript(subscript) => {
                let slice = self.expr(&subscript.slice);
                self.issue(subscript.slice.range(), IssueKind::Operator, &slice);
                self.expr(&subscript.value)
            }
            Expr::List(node) => self.union(&node.elts),
            Expr::Tuple(node) => self.union(&node.elts),
            Expr::Set(node) => self.union(&node.elts),
            Expr::Dict(node) => {
                let keys = self.union(node.items.iter().filter_map(|item| item.key.as_ref()));
                self.issue(node.range, IssueKind::Operator, &keys);
                self.union(node.items.iter().map(|item| &item.value))
            }
            Expr::Starred(node) => self.expr(&node.value),
            Expr::Await(node) => self.expr(&node.value),
            Expr::If(node) => {
                self.condition(&node.test);
                self.union([&*node.body, &*node.orelse])
            }
            // flytekit refuses these for promises; what works is done with lists of them, or with values.
            Expr::BoolOp(node) => self.union(&node.values),
            Expr::UnaryOp(node) => self.expr(&node.operand),
            Expr::BinOp(node) if node.op != ast::Operator::RShift => self.union([&*node.left, &*node.right]),
            Expr::BinOp(node) => self.operator(node.range, [&*node.left, &*node.right]),
            Expr::Compare(node) => {
                self.operator(node.range, std::iter::once(&*node.left).chain(node.comparators.iter()))
            }
            Expr::FString(node) => {
                let taint = self.union(
                    node.value
                        .elements()
                        .filter_map(|element| element.as_interpolation())
                        .map(|part| &*part.expression),
                );
                self.issue(node.range, IssueKind::Formatted, &taint);
                taint
            }
            Expr::ListComp(node) => self.comprehension(&[&node.elt], &node.generators),
            Expr::SetComp(node) => self.comprehension(&[&node.elt], &node.generators),
            Expr::Generator(node) => self.comprehension(&[&node.elt], &node.generators),
            Expr::DictComp(node) => self.comprehension(&[&node.key, &node.value], &node.generators),
            Expr::Named(node) => {
                let taint = self.expr(&node.value);
                self.assign(&node.target, &taint);
                taint
            }
            Expr::Lambda(node) => {
                let mut calls = Calls::default();
                calls.visit_expr(&node.body);
                self.issue(node.range, IssueKind::Nested, &calls.found);
                Taint::new()
            }
            _ => Taint::new(),
        }
    }

    fn comprehension(&mut self, elements: &[&Expr], generators: &[ast::Comprehension]) -> Taint {
        for generator in generators {
            let taint = self.expr(&generator.iter);
            self.assign(&generator.target, &taint);
            generator.ifs.iter().for_each(|test| self.condition(test));
        }
        self.loops += 1;
        let taint = self.union(elements.iter().copied());
        self.loops -= 1;
        taint
    }

    fn call(&mut self, call: &ast::ExprCall) -> Taint {
        let arguments = self.union(
            call.arguments.args.iter().chain(call.arguments.keywords.iter().map(|keyword| &keyword.value)),
        );
        if let Expr::Attribute(method) = &*call.func
            && let Expr::Name(receiver) = &*method.value
            && self.locals.contains(receiver.id.as_str())
            && matches!(method.attr.as_str(), "append" | "extend" | "insert" | "add" | "update")
        {
            self.absorb(&method.value, &arguments);
            let is_whole = matches!(method.attr.as_str(), "append" | "insert" | "add");
            let own = |argument| self.source(argument).filter(|_| is_whole);
            let held = call
                .arguments
                .args
                .iter()
                .flat_map(|argument| own(argument).into_iter().chain(self.held(argument)));
            let held = held.collect();
            self.hold(&method.value, held);
            return Taint::new();
        }
        let callee = call.func.range();
        let flow = CallFlow {
            callee,
            inputs: arguments.clone(),
            arguments: self.passed_on(&call.arguments),
            elements: self.elements(&call.arguments),
            is_repeated: self.loops > 0,
        };
        if root_name(&call.func).is_none_or(|name| self.locals.contains(name)) {
            let taint = self.expr(&call.func);
            self.issue(callee, IssueKind::PassedTo(callee), &arguments);
            // `map_task(task)(…)`
            self.body.calls.extend(call.func.is_call_expr().then_some(flow));
            return taint.into_iter().chain(arguments).collect();
        }
        if is_transparent(&call.func) {
            return arguments;
        }
        self.issue(call.range, IssueKind::PassedTo(callee), &arguments);
        self.body.calls.push(flow);
        Taint::from([Root::call(callee)])
    }
}

/// A part of what a call gives.
fn part(source: Option<&Source>, part: Part) -> Option<Source> {
    match source? {
        Source::Call(callee) => Some(Source::Part(*callee, part)),
        Source::Part(callee, _) => Some(Source::Part(*callee, Part::Inside)),
        Source::Parameter(_) => None,
    }
}

/// The arguments by place and by keyword.
fn named(arguments: &ast::Arguments) -> impl Iterator<Item = (ArgumentName, &Expr)> {
    let positional =
        arguments.args.iter().enumerate().map(|(place, value)| (ArgumentName::Position(place), value));
    let keywords = arguments.keywords.iter().filter_map(|keyword| {
        Some((ArgumentName::Keyword(keyword.arg.as_ref()?.to_string()), &keyword.value))
    });
    positional.chain(keywords)
}

/// Builtins that do the same with a list of results as with a list of promises.
fn is_transparent(func: &Expr) -> bool {
    let Expr::Name(name) = func else { return false };
    matches!(
        name.id.as_str(),
        "len" | "range" | "enumerate" | "zip" | "list" | "tuple" | "dict" | "reversed" | "print"
    )
}

/// `o0`, by which flytekit calls an output without a name.
pub fn is_output(attribute: &str) -> bool {
    attribute
        .strip_prefix('o')
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

fn root_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => root_name(&attribute.value),
        _ => None,
    }
}

#[derive(Default)]
struct Calls {
    found: Taint,
}

impl<'a> SourceOrderVisitor<'a> for Calls {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr {
            self.found.insert(Root::call(call.func.range()));
        }
        source_order::walk_expr(self, expr);
    }
}

fn calls_in(body: &[Stmt]) -> Taint {
    let mut calls = Calls::default();
    body.iter().for_each(|stmt| calls.visit_stmt(stmt));
    calls.found
}
