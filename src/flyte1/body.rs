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
    /// The arguments that are a result or a parameter as it is, and their places; of one that is chosen, each choice.
    pub arguments: Vec<(ArgumentName, Source, TextRange)>,
    /// The arguments that results reach by ways that are not followed; those in `*values` and `**values` have no name.
    pub uncertain: Vec<(Option<ArgumentName>, BTreeSet<Root>)>,
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
    /// The places of values that are returned and that results reach by ways that are not followed, and the place of each
    /// among several values.
    pub uncertain: Vec<(TextRange, Option<usize>, BTreeSet<Root>)>,
}

/// Reads the bodies of all functions with decorators, in the order in which
/// [`scope::Module::functions`](crate::python::scope::Module::functions) lists them; `wanted` tells for each whether it
/// is read, or left empty. `is_bound` tells of names that the module binds: what has the name of a builtin is none then.
pub fn bodies(statements: &[Stmt], wanted: &[bool], is_bound: &dyn Fn(&str) -> bool) -> Vec<Body> {
    let builtins: Vec<&str> = TRANSPARENT.into_iter().filter(|name| !is_bound(name)).collect();
    let mut finder = Finder { bodies: Vec::new(), wanted, builtins: &builtins };
    statements.iter().for_each(|stmt| finder.visit_stmt(stmt));
    finder.bodies
}

struct Finder<'w> {
    bodies: Vec<Body>,
    wanted: &'w [bool],
    builtins: &'w [&'static str],
}

impl<'a> SourceOrderVisitor<'a> for Finder<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if let Stmt::FunctionDef(function) = stmt
            && !function.decorator_list.is_empty()
        {
            let is_wanted = self.wanted.get(self.bodies.len()) == Some(&true);
            self.bodies.push(if is_wanted { read(function, self.builtins) } else { Body::default() });
        }
        source_order::walk_stmt(self, stmt);
    }

    /// No expression holds a function with decorators.
    fn visit_expr(&mut self, _: &'a Expr) {}
}

/// Builtins that do the same with a list of results as with a list of promises.
const TRANSPARENT: [&str; 9] =
    ["len", "range", "enumerate", "zip", "list", "tuple", "dict", "reversed", "print"];

type Taint = BTreeSet<Root>;

fn read(function: &ast::StmtFunctionDef, builtins: &[&'static str]) -> Body {
    let mut returns = Returns { found: false };
    function.body.iter().for_each(|stmt| returns.visit_stmt(stmt));
    let mut flow = Flow {
        builtins,
        body: Body { returns_value: returns.found, ..Body::default() },
        variables: FxHashMap::default(),
        sources: FxHashMap::default(),
        held: FxHashMap::default(),
        inner: FxHashMap::default(),
        locals: function.parameters.iter().map(|parameter| parameter.name().to_string()).collect(),
        loops: 0,
        unread: None,
    };
    for parameter in &function.parameters {
        let name = parameter.name().to_string();
        flow.variables.insert(name.clone(), Taint::from([Root::Parameter]));
        flow.sources.insert(name.clone(), vec![Source::Parameter(name)]);
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

struct Flow<'b> {
    body: Body,
    /// Those of [`TRANSPARENT`] that a name certainly means.
    builtins: &'b [&'static str],
    variables: FxHashMap<String, Taint>,
    /// Variables that are a result or a parameter as it is: one of these.
    sources: FxHashMap<String, Vec<Source>>,
    /// What stands in the lists, tuples and dicts that variables hold.
    held: FxHashMap<String, Vec<Source>>,
    /// What each element of the lists, tuples and dicts is that variables hold; `None` where that is not known of all.
    inner: FxHashMap<String, Option<Vec<Source>>>,
    /// Names bound in the function: a call of one is not a call of a task.
    locals: BTreeSet<String>,
    loops: usize,
    /// The last expression that was a statement of its own: nothing reads its value.
    unread: Option<TextRange>,
}

impl Flow<'_> {
    /// The builtin that an expression certainly names, if it does the same with results as with promises.
    fn builtin(&self, func: &Expr) -> Option<&'static str> {
        let name = func.as_name_expr()?.id.as_str();
        self.builtins.iter().copied().find(|builtin| *builtin == name && !self.locals.contains(name))
    }

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
                let bound: Vec<Bound> =
                    node.targets.iter().map(|target| self.bound(target, &node.value)).collect();
                for target in &node.targets {
                    if matches!(target, Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) if elts.len() == 1)
                    {
                        self.issue(node.range, IssueKind::Unpacked, &taint);
                    }
                }
                node.targets.iter().for_each(|target| self.assign(target, &taint));
                node.targets.iter().zip(bound).for_each(|(target, bound)| self.remember(target, bound));
            }
            Stmt::AnnAssign(node) => {
                if let Some(value) = &node.value {
                    let taint = self.expr(value);
                    let bound = self.bound(&node.target, value);
                    self.assign(&node.target, &taint);
                    self.remember(&node.target, bound);
                }
            }
            Stmt::AugAssign(node) => {
                let mut taint = self.expr(&node.value);
                taint.extend(self.expr(&node.target));
                // `results += [train(n=i)]` only gathers results.
                if !matches!(*node.value, Expr::List(_) | Expr::Tuple(_) | Expr::ListComp(_)) {
                    self.issue(node.range, IssueKind::Operator, &taint);
                }
                let sides = [&*node.target, &*node.value];
                let held = sides.into_iter().flat_map(|expr| self.held(expr)).collect();
                let inner = sides.into_iter().map(|expr| self.inner(expr)).collect::<Option<Vec<_>>>();
                self.assign(&node.target, &taint);
                let bound = Bound { held, inner: inner.map(|sides| sides.concat()), ..Bound::default() };
                self.remember(&node.target, bound);
            }
            Stmt::Expr(node) => {
                self.unread = Some(node.value.range());
                drop(self.expr(&node.value));
            }
            Stmt::Return(node) => {
                if let Some(value) = &node.value {
                    if let Some(tuple) = value.as_tuple_expr() {
                        for (position, element) in tuple.elts.iter().enumerate() {
                            let taint = self.expr(element);
                            self.returned(element, Some(position), taint);
                        }
                    } else {
                        let taint = self.expr(value);
                        self.returned(value, None, taint);
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
                self.iterate(&node.target, &node.iter, &taint);
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
                self.inner.remove(name.id.as_str());
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

    /// What `target` gets from `value`.
    fn bound(&self, target: &Expr, value: &Expr) -> Bound {
        let parts = match (elements_of(target), elements_of(value)) {
            // `x, y = a, n`
            (Some(targets), Some(values))
                if targets.len() == values.len() && !values.iter().any(Expr::is_starred_expr) =>
            {
                let pairs = targets.iter().zip(values);
                pairs.map(|(target, value)| self.bound(target, value)).collect()
            }
            _ => Vec::new(),
        };
        Bound { sources: self.sources(value), held: self.held(value), inner: self.inner(value), parts }
    }

    /// What `target` is bound to, once it is.
    fn remember(&mut self, target: &Expr, bound: Bound) {
        match target {
            Expr::Name(name) => {
                if !bound.sources.is_empty() {
                    self.sources.insert(name.id.to_string(), bound.sources);
                }
                self.held.insert(name.id.to_string(), bound.held);
                self.inner.insert(name.id.to_string(), bound.inner);
            }
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                let mut parts = bound.parts.into_iter();
                for (position, element) in elts.iter().enumerate() {
                    if let Some(part) = parts.next() {
                        self.remember(element, part);
                        continue;
                    }
                    let of_results: Vec<Source> =
                        parts_of(&bound.sources, &Part::Position(position)).collect();
                    let sources = if of_results.is_empty() {
                        bound.inner.clone().unwrap_or_default()
                    } else {
                        of_results
                    };
                    if let (Expr::Name(name), false) = (element, sources.is_empty()) {
                        self.sources.insert(name.id.to_string(), sources);
                    }
                }
            }
            // `results[0] = call(…)`
            Expr::Subscript(subscript) => {
                self.fill(&subscript.value, Some(bound.sources.clone()));
                self.hold(&subscript.value, bound.sources.into_iter().chain(bound.held).collect());
            }
            _ => {}
        }
    }

    /// `target` is each element of `iterated`, one after another.
    fn iterate(&mut self, target: &Expr, iterated: &Expr, taint: &Taint) {
        if let Some((index, element, list)) = self.enumerated(target, iterated) {
            self.assign(index, &Taint::new());
            return self.iterate(element, list, taint);
        }
        let (held, inner) = (self.held(iterated), self.inner(iterated));
        self.assign(target, taint);
        let sources = match (inner, &held[..]) {
            (Some(inner), _) if !inner.is_empty() => inner,
            (_, [only]) if !iterated.is_call_expr() => vec![only.clone()],
            _ => Vec::new(),
        };
        if !sources.is_empty() {
            self.remember(target, Bound { sources, ..Bound::default() });
        }
    }

    /// The index, the element and the list of `for index, element in enumerate(list)`: the index is no result.
    fn enumerated<'e>(&self, target: &'e Expr, iterated: &'e Expr) -> Option<(&'e Expr, &'e Expr, &'e Expr)> {
        let (Expr::Tuple(target), Expr::Call(call)) = (target, iterated) else { return None };
        let is_plain = self.builtin(&call.func) == Some("enumerate") && call.arguments.keywords.is_empty();
        match (&target.elts[..], &call.arguments.args[..]) {
            ([index, element], [list]) if is_plain => Some((index, element, list)),
            _ => None,
        }
    }

    /// The list or dict that `holder` names now holds more.
    fn hold(&mut self, holder: &Expr, sources: Vec<Source>) {
        if let Expr::Name(name) = holder {
            self.held.entry(name.id.to_string()).or_default().extend(sources);
        }
    }

    /// The list or dict that `holder` names gets one more element, or more than is known.
    fn fill(&mut self, holder: &Expr, element: Option<Vec<Source>>) {
        let Expr::Name(name) = holder else { return };
        let known = self.inner.entry(name.id.to_string()).or_insert(None);
        *known = match (known.take(), element) {
            (Some(mut known), Some(element)) if !element.is_empty() => {
                known.extend(element);
                Some(known)
            }
            _ => None,
        };
    }

    fn returned(&mut self, value: &Expr, position: Option<usize>, taint: Taint) {
        let own: Vec<(Source, TextRange)> = self.choices(value);
        let held = self.held(value);
        let unknown = if own.is_empty() { self.unfollowed(value, taint) } else { Taint::new() };
        let own = own.into_iter().map(|(source, range)| (source, range, false));
        let held = held.into_iter().map(|source| (source, value.range(), true));
        let returned = own.chain(held).map(|(source, range, is_element)| Returned {
            source,
            range,
            position,
            is_element,
        });
        self.body.returned.extend(returned.collect::<Vec<_>>());
        if !unknown.is_empty() {
            self.body.uncertain.push((value.range(), position, unknown));
        }
    }

    /// The calls and parameters that a value comes from in a way that is not followed: it does not stand in it either.
    fn unfollowed(&self, value: &Expr, mut taint: Taint) -> Taint {
        if is_operation(value) {
            return Taint::new();
        }
        for source in &self.held(value) {
            taint.remove(&match source {
                Source::Call(callee) | Source::Part(callee, _) => Root::call(*callee),
                Source::Parameter(_) => Root::Parameter,
            });
        }
        taint
    }

    /// What a value is, and its place; of one that is chosen, each choice.
    fn choices(&self, expr: &Expr) -> Vec<(Source, TextRange)> {
        let choices = match expr {
            Expr::If(node) => vec![&*node.body, &*node.orelse],
            Expr::Call(call) => conditional(call),
            _ => Vec::new(),
        };
        if choices.is_empty() {
            let range = expr.range();
            return self.sources(expr).into_iter().map(|source| (source, range)).collect();
        }
        choices.into_iter().flat_map(|choice| self.choices(choice)).collect()
    }

    /// What a value is: a result or a parameter as it is, or one of several.
    fn sources(&self, expr: &Expr) -> Vec<Source> {
        match expr {
            Expr::Name(name) => self.sources.get(name.id.as_str()).cloned().unwrap_or_default(),
            Expr::Await(node) => self.sources(&node.value),
            Expr::Named(node) => self.sources(&node.value),
            Expr::If(node) => {
                [&node.body, &node.orelse].into_iter().flat_map(|side| self.sources(side)).collect()
            }
            Expr::Call(call) => {
                let choices = conditional(call);
                match &*call.func {
                    _ if !choices.is_empty() => {
                        choices.into_iter().flat_map(|choice| self.sources(choice)).collect()
                    }
                    Expr::Attribute(method) if method.attr.as_str() == "with_overrides" => {
                        self.sources(&method.value)
                    }
                    callee => vec![Source::Call(callee.range())],
                }
            }
            Expr::Attribute(attribute) => {
                let part = Part::Name(attribute.attr.to_string());
                parts_of(&self.sources(&attribute.value), &part).collect()
            }
            Expr::Subscript(subscript) => {
                let position = || subscript.slice.as_number_literal_expr()?.value.as_int()?.as_usize();
                let part = position().map_or(Part::Inside, Part::Position);
                let parts: Vec<Source> = parts_of(&self.sources(&subscript.value), &part).collect();
                if parts.is_empty() && !subscript.slice.is_slice_expr() {
                    return self.inner(&subscript.value).unwrap_or_default();
                }
                parts
            }
            _ => Vec::new(),
        }
    }

    /// What each element of a list, tuple or dict is; `None` where that is not known of all.
    fn inner(&self, expr: &Expr) -> Option<Vec<Source>> {
        let all = |exprs: &mut dyn Iterator<Item = &Expr>| {
            let elements = exprs.map(|expr| Some(self.sources(expr)).filter(|sources| !sources.is_empty()));
            Some(elements.collect::<Option<Vec<_>>>()?.concat())
        };
        match expr {
            Expr::Name(name) => self.inner.get(name.id.as_str()).cloned().flatten(),
            Expr::List(ast::ExprList { elts, .. })
            | Expr::Tuple(ast::ExprTuple { elts, .. })
            | Expr::Set(ast::ExprSet { elts, .. }) => all(&mut elts.iter()),
            Expr::Dict(dict) => all(&mut dict.items.iter().map(|item| &item.value)),
            Expr::ListComp(ast::ExprListComp { elt, .. })
            | Expr::SetComp(ast::ExprSetComp { elt, .. })
            | Expr::Generator(ast::ExprGenerator { elt, .. })
            | Expr::DictComp(ast::ExprDictComp { value: elt, .. }) => all(&mut std::iter::once(&**elt)),
            _ => None,
        }
    }

    /// What stands in a list, tuple or dict, also behind a name and inside of others.
    fn held(&self, expr: &Expr) -> Vec<Source> {
        let all = |exprs: &mut dyn Iterator<Item = &Expr>| {
            exprs.flat_map(|expr| self.sources(expr).into_iter().chain(self.held(expr))).collect()
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
            Expr::Call(call) if self.builtin(&call.func).is_some() => {
                call.arguments.args.iter().flat_map(|argument| self.held(argument)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether an expression certainly is a list, tuple or dict of the function, and no result.
    fn is_list(&self, expr: &Expr) -> bool {
        self.sources(expr).is_empty() && !self.held(expr).is_empty()
    }

    fn passed_on(&self, arguments: &ast::Arguments) -> Vec<(ArgumentName, Source, TextRange)> {
        let values = named(arguments);
        let choices = |(name, value): (ArgumentName, &Expr)| {
            let choices = self.choices(value).into_iter();
            choices.map(move |(source, range)| (name.clone(), source, range)).collect::<Vec<_>>()
        };
        values.flat_map(choices).collect()
    }

    /// The arguments that results reach in ways that are not followed.
    fn uncertain(
        &self,
        arguments: Vec<(Option<&ast::Keyword>, &Expr, Taint)>,
    ) -> Vec<(Option<ArgumentName>, Taint)> {
        let uncertain = arguments.into_iter().enumerate().filter(|(_, (.., taint))| !taint.is_empty());
        let uncertain = uncertain.map(|(place, (keyword, value, taint))| {
            let name = match keyword {
                Some(keyword) => keyword.arg.as_ref().map(|name| ArgumentName::Keyword(name.to_string())),
                None => (!value.is_starred_expr()).then_some(ArgumentName::Position(place)),
            };
            let unfollowed = match name {
                None => taint,
                Some(_) if self.sources(value).is_empty() => self.unfollowed(value, taint),
                Some(_) => Taint::new(),
            };
            (name, unfollowed)
        });
        uncertain.filter(|(_, roots)| !roots.is_empty()).collect()
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
                let taint = self.formatted(node);
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

    fn formatted(&mut self, string: &ast::ExprFString) -> Taint {
        let parts = string.value.elements().filter_map(|element| element.as_interpolation());
        self.union(parts.map(|part| &*part.expression))
    }

    fn comprehension(&mut self, elements: &[&Expr], generators: &[ast::Comprehension]) -> Taint {
        for generator in generators {
            let taint = self.expr(&generator.iter);
            self.iterate(&generator.target, &generator.iter, &taint);
            generator.ifs.iter().for_each(|test| self.condition(test));
        }
        self.loops += 1;
        let taint = self.union(elements.iter().copied());
        self.loops -= 1;
        taint
    }

    fn call(&mut self, call: &ast::ExprCall) -> Taint {
        let values = call.arguments.args.iter().map(|value| (None, value));
        let keywords = call.arguments.keywords.iter().map(|keyword| (Some(keyword), &keyword.value));
        // What is only printed may look different; a `print` of the user's own may give it back.
        let builtin = self.builtin(&call.func);
        let is_print = self.unread == Some(call.range) && builtin == Some("print");
        let taint = |this: &mut Self, value: &Expr| match value {
            Expr::FString(string) if is_print => this.formatted(string),
            _ => this.expr(value),
        };
        let taints: Vec<_> =
            values.chain(keywords).map(|(keyword, value)| (keyword, value, taint(self, value))).collect();
        let arguments: Taint = taints.iter().flat_map(|(.., taint)| taint).copied().collect();
        if let Expr::Attribute(method) = &*call.func
            && let Expr::Name(receiver) = &*method.value
            && self.locals.contains(receiver.id.as_str())
            && matches!(method.attr.as_str(), "append" | "extend" | "insert" | "add" | "update")
        {
            self.absorb(&method.value, &arguments);
            let is_whole = matches!(method.attr.as_str(), "append" | "insert" | "add");
            let own = |argument| if is_whole { self.sources(argument) } else { Vec::new() };
            let held = call
                .arguments
                .args
                .iter()
                .flat_map(|argument| own(argument).into_iter().chain(self.held(argument)));
            let held = held.collect();
            let is_one = matches!(method.attr.as_str(), "append" | "add");
            let element = call.arguments.args.first().filter(|_| is_one);
            let element = element.map(|element| self.sources(element));
            self.fill(&method.value, element);
            self.hold(&method.value, held);
            return Taint::new();
        }
        let callee = call.func.range();
        let flow = CallFlow {
            callee,
            inputs: arguments.clone(),
            arguments: self.passed_on(&call.arguments),
            elements: self.elements(&call.arguments),
            uncertain: self.uncertain(taints),
            is_repeated: self.loops > 0,
        };
        if root_name(&call.func).is_none_or(|name| self.locals.contains(name)) {
            let taint = self.expr(&call.func);
            self.issue(callee, IssueKind::PassedTo(callee), &arguments);
            // `map_task(task)(…)`
            self.body.calls.extend(call.func.is_call_expr().then_some(flow));
            return taint.into_iter().chain(arguments).collect();
        }
        // How many results a list holds is no result.
        if builtin == Some("len") && call.arguments.args.iter().all(|list| self.is_list(list)) {
            return Taint::new();
        }
        if builtin.is_some() {
            return arguments;
        }
        self.issue(call.range, IssueKind::PassedTo(callee), &arguments);
        self.body.calls.push(flow);
        Taint::from([Root::call(callee)])
    }
}

/// What a target gets from the value that is assigned to it.
#[derive(Debug, Default)]
struct Bound {
    /// What the value is.
    sources: Vec<Source>,
    /// What stands in it.
    held: Vec<Source>,
    /// What each of its elements is.
    inner: Option<Vec<Source>>,
    /// What the elements of the target get, if both are tuples.
    parts: Vec<Bound>,
}

/// A part of what calls give.
fn parts_of<'s>(sources: &'s [Source], part: &'s Part) -> impl Iterator<Item = Source> + 's {
    sources.iter().filter_map(move |source| match source {
        Source::Call(callee) => Some(Source::Part(*callee, part.clone())),
        Source::Part(callee, _) => Some(Source::Part(*callee, Part::Inside)),
        Source::Parameter(_) => None,
    })
}

/// The elements of a tuple or list that is written out.
fn elements_of(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => Some(elts),
        _ => None,
    }
}

/// What `conditional(…).if_(…).then(a).else_().then(b)` chooses from; nothing for another call.
fn conditional(call: &ast::ExprCall) -> Vec<&Expr> {
    let mut values = Vec::new();
    let mut current = call;
    loop {
        let Expr::Attribute(method) = &*current.func else { return Vec::new() };
        match method.attr.as_str() {
            "then" => values.extend(current.arguments.args.first()),
            "if_" => return values,
            _ => {}
        }
        let Expr::Call(inner) = &*method.value else { return Vec::new() };
        current = inner;
    }
}

/// Whether a value is computed here: such a number is no promise, and Flyte 1 converted none.
fn is_operation(expr: &Expr) -> bool {
    matches!(expr, Expr::BinOp(_) | Expr::UnaryOp(_) | Expr::Compare(_) | Expr::FString(_))
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
