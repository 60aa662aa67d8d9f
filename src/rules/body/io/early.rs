//! Values that are made of a path before the file is written.
//!
//! ```python
//! out = FlyteFile(path)           # out = path
//! write(path)
//! return out                      # return File.from_local_sync(out)
//! ```
//!
//! A `FlyteFile` of Flyte 1 is uploaded when it is given on, a `File` of Flyte 2 when it is made. So where something may
//! write in between, the name gets the path, and the value is made where it is given on. Where not all uses of the name
//! are known for that, and what runs in between speaks of the path, that cannot be told.
//!
//! Source: `FlyteFilePathTransformer.to_literal` in `flytekit/types/file/file.py` of flytekit 1.16.31.

use std::collections::{HashMap, HashSet};

use crate::python::Ranged;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor, TraversalSignal};
use crate::python::ast::{self, AnyNodeRef, Expr, ExprContext, Operator, Stmt};
use crate::source::{TextRange, TextSize};

/// What a use of a value needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Its path.
    Path,
    /// The value itself, which is given on.
    Given,
    /// That cannot be told.
    Unknown,
}

/// What is known of the code around.
pub(super) trait Around {
    /// Whether a call makes a value of a path that may be one of this machine.
    fn is_made(&self, call: &ast::ExprCall) -> bool;
    /// What a call does with a value that it is given.
    fn of_call(&self, call: &ast::ExprCall) -> Use;
    /// Whether a call is one of a class with fields, which holds what it is given.
    fn is_class(&self, call: &ast::ExprCall) -> bool;
}

/// The values of a function that may be made too early.
#[derive(Debug, Default)]
pub(super) struct Early<'a> {
    /// The names that get a path, with how often each is given on.
    pub(super) names: HashMap<&'a str, isize>,
    /// The calls that are to become the path.
    pub(super) calls: HashSet<TextRange>,
    /// The calls of which that cannot be told.
    pub(super) unknown: HashSet<TextRange>,
}

impl<'a> Early<'a> {
    /// Reads the body of a function, in which names are bound as often as `bound` says.
    pub(super) fn of(
        body: &'a [Stmt],
        text: &str,
        bound: &HashMap<&'a str, usize>,
        around: &dyn Around,
    ) -> Self {
        let mut reader = Reader {
            around,
            parents: Vec::new(),
            scopes: 0,
            made: Vec::new(),
            uses: Vec::new(),
            calls: Vec::new(),
        };
        body.iter().for_each(|statement| reader.visit_stmt(statement));
        let end = body.last().map_or(TextSize::from(0), Ranged::end);
        let mut early = Self::default();
        for made in &reader.made {
            let uses: Vec<&(&str, TextRange, Use)> =
                reader.uses.iter().filter(|(name, ..)| Some(*name) == made.name).collect();
            let last =
                if made.is_kept { Some(end) } else { uses.iter().map(|(_, range, _)| range.start()).max() };
            let Some(last) = last else { continue };
            let between = TextRange::new(made.statement.end(), last.max(made.statement.end()));
            let calls: Vec<&&ast::ExprCall> =
                reader.calls.iter().filter(|call| between.contains_range(call.range)).collect();
            let is_followed = made.name.is_some_and(|name| bound.get(name) == Some(&1))
                && uses.iter().all(|(.., of)| *of != Use::Unknown);
            if calls.is_empty() {
                continue;
            }
            if let Some(name) =
                made.name.filter(|_| is_followed && made.is_alone && is_movable(made.call, text))
            {
                let given = uses.iter().map(|(.., of)| isize::from(*of == Use::Given)).sum();
                early.names.insert(name, given);
                early.calls.insert(made.call.range);
            } else if calls.iter().any(|call| speaks_of(call, made)) {
                early.unknown.insert(made.call.range);
            }
        }
        early
    }
}

/// The path of a call that has nothing else.
pub(super) fn only_path(call: &ast::ExprCall) -> Option<&Expr> {
    match (&*call.arguments.args, &*call.arguments.keywords) {
        ([path], []) if !path.is_starred_expr() => Some(path),
        ([], [keyword]) if keyword.arg.as_ref().is_some_and(|name| name == "path") => Some(&keyword.value),
        _ => None,
    }
}

/// Whether the path can stand in the place of the call.
fn is_movable(call: &ast::ExprCall, text: &str) -> bool {
    let Some(path) =
        only_path(call).filter(|path| !matches!(path, Expr::Named(_) | Expr::Yield(_) | Expr::Await(_)))
    else {
        return false;
    };
    let around = [TextRange::new(call.start(), path.start()), TextRange::new(path.end(), call.end())];
    let is_plain = around.iter().all(|range| !text[*range].contains('#'));
    let is_line = !text[call.range].contains('\n') || matches!(path, Expr::Call(_) | Expr::Name(_));
    !call.func.is_subscript_expr() && is_plain && is_line
}

/// Whether a call speaks of the path of a value, or of the name that holds it.
fn speaks_of(call: &ast::ExprCall, made: &Made<'_>) -> bool {
    let mut words = Words::default();
    made.call.arguments.args.iter().for_each(|argument| words.visit_expr(argument));
    made.call.arguments.keywords.iter().for_each(|keyword| words.visit_expr(&keyword.value));
    words.known.extend(made.name);
    let mut spoken = Words::default();
    spoken.visit_expr(&call.func);
    spoken.visit_arguments(&call.arguments);
    words.known.iter().any(|word| spoken.known.contains(word))
}

/// Whether a call behind an expression speaks of the path that it is, and so may write the file after all.
pub(super) fn is_written_behind(body: &[Stmt], path: &Expr) -> bool {
    let mut words = Words::default();
    words.visit_expr(path);
    let mut calls = CallsBehind { offset: path.end(), words: words.known, found: false };
    body.iter().for_each(|statement| calls.visit_stmt(statement));
    calls.found
}

struct CallsBehind<'a> {
    offset: TextSize,
    words: HashSet<&'a str>,
    found: bool,
}

impl<'a> SourceOrderVisitor<'a> for CallsBehind<'_> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr
            && call.start() > self.offset
            && !is_harmless(call)
        {
            let mut spoken = Words::default();
            spoken.visit_arguments(&call.arguments);
            self.found |= self.words.iter().any(|word| spoken.known.contains(word));
        }
        source_order::walk_expr(self, expr);
    }
}

/// The names and texts in an expression, without what is called.
#[derive(Default)]
struct Words<'a> {
    known: HashSet<&'a str>,
}

impl<'a> SourceOrderVisitor<'a> for Words<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => drop(self.known.insert(name.id.as_str())),
            Expr::StringLiteral(literal) => drop(self.known.insert(literal.value.to_str())),
            // `os.path.join` speaks of nothing, `path.write_text` of the path.
            Expr::Call(call) if is_of_library(&call.func) => return self.visit_arguments(&call.arguments),
            _ => {}
        }
        source_order::walk_expr(self, expr);
    }
}

/// `str`, `Path`, `os.path.join`
fn is_of_library(callee: &Expr) -> bool {
    match callee {
        Expr::Name(_) => true,
        Expr::Attribute(attribute) => match &*attribute.value {
            Expr::Name(name) => matches!(name.id.as_str(), "os" | "pathlib"),
            inner => is_of_library(inner) && inner.is_attribute_expr(),
        },
        _ => false,
    }
}

/// A call that makes a value.
struct Made<'a> {
    call: &'a ast::ExprCall,
    statement: TextRange,
    /// The name that gets it, or gets what holds it.
    name: Option<&'a str>,
    /// Whether it is all that the name gets.
    is_alone: bool,
    /// Whether it is put somewhere that is read later: `files.append(FlyteFile(path))`.
    is_kept: bool,
}

struct Reader<'a, 'r> {
    around: &'r dyn Around,
    parents: Vec<AnyNodeRef<'a>>,
    scopes: usize,
    made: Vec<Made<'a>>,
    uses: Vec<(&'a str, TextRange, Use)>,
    /// Calls that may write.
    calls: Vec<&'a ast::ExprCall>,
}

impl<'a> Reader<'a, '_> {
    /// What stands around the node at hand, from the inside out.
    fn around(&self) -> impl Iterator<Item = AnyNodeRef<'a>> + '_ {
        let is_shell =
            |node: &AnyNodeRef<'a>| matches!(node, AnyNodeRef::Arguments(_) | AnyNodeRef::Keyword(_));
        self.parents.iter().rev().copied().filter(move |node| !is_shell(node))
    }

    fn use_of(&self, name: &ast::ExprName) -> Use {
        if self.scopes > 0 {
            return Use::Unknown;
        }
        let mut around = self.around();
        match around.next() {
            Some(AnyNodeRef::ExprAttribute(attribute)) => {
                let is_called = matches!(around.next(), Some(AnyNodeRef::ExprCall(call)) if call.func.range() == attribute.range && call.arguments.is_empty());
                match (attribute.attr.as_str(), is_called) {
                    ("path", false) | ("download", true) => Use::Path,
                    _ => Use::Unknown,
                }
            }
            Some(AnyNodeRef::InterpolatedElement(_)) => Use::Path,
            Some(AnyNodeRef::ExprBinOp(binary))
                if binary.op == Operator::Div && binary.left.range() == name.range =>
            {
                Use::Path
            }
            Some(AnyNodeRef::ExprCall(call)) if !self.around.is_class(call) => self.around.of_call(call),
            _ if self.is_returned() => Use::Given,
            _ => Use::Unknown,
        }
    }

    /// Whether only displays and classes are between the node at hand and a `return`.
    fn is_returned(&self) -> bool {
        let outer = self.around().find(|node| match node {
            AnyNodeRef::ExprTuple(_)
            | AnyNodeRef::ExprList(_)
            | AnyNodeRef::ExprDict(_)
            | AnyNodeRef::ExprIf(_) => false,
            AnyNodeRef::ExprCall(call) => !self.around.is_class(call),
            _ => true,
        });
        matches!(outer, Some(AnyNodeRef::StmtReturn(_)))
    }

    /// Where a call puts the value that it makes, if that is given on later.
    fn made(&self, call: &'a ast::ExprCall) -> Option<Made<'a>> {
        let is_stored = |call: &ast::ExprCall| {
            let method = call.func.as_attribute_expr().map(|method| method.attr.as_str());
            matches!(method, Some("append" | "insert" | "add" | "extend" | "setdefault" | "update"))
        };
        let mut calls = self.around().filter_map(|node| match node {
            AnyNodeRef::ExprCall(call) => Some(call),
            _ => None,
        });
        if !calls.all(|call| self.around.is_class(call) || is_stored(call)) {
            return None;
        }
        match self.around().find(|node| node.is_statement()) {
            Some(AnyNodeRef::StmtAssign(node)) => Some(Made {
                call,
                statement: node.range,
                name: match &*node.targets {
                    [Expr::Name(name)] => Some(name.id.as_str()),
                    _ => None,
                },
                is_alone: node.value.range() == call.range,
                is_kept: !matches!(&*node.targets, [Expr::Name(_)]),
            }),
            Some(AnyNodeRef::StmtAnnAssign(node)) => Some(Made {
                call,
                statement: node.range,
                name: node.target.as_name_expr().map(|name| name.id.as_str()),
                is_alone: false,
                is_kept: !node.target.is_name_expr(),
            }),
            Some(AnyNodeRef::StmtExpr(node)) if node.value.as_call_expr().is_some_and(is_stored) => {
                Some(Made { call, statement: node.range, name: None, is_alone: false, is_kept: true })
            }
            _ => None,
        }
    }
}

/// Whether a call certainly writes no file.
fn is_harmless(call: &ast::ExprCall) -> bool {
    match &*call.func {
        Expr::Name(name) => matches!(
            name.id.as_str(),
            "print"
                | "len"
                | "str"
                | "int"
                | "float"
                | "bool"
                | "repr"
                | "range"
                | "enumerate"
                | "zip"
                | "sorted"
                | "sum"
                | "min"
                | "max"
                | "round"
                | "list"
                | "dict"
                | "tuple"
                | "set"
                | "isinstance"
                | "Path"
        ),
        Expr::Attribute(method) => {
            let is_os_path = matches!(&*method.value, Expr::Attribute(path) if path.attr.as_str() == "path" && path.value.as_name_expr().is_some_and(|os| os.id.as_str() == "os"));
            is_os_path
                || matches!(
                    method.attr.as_str(),
                    "append"
                        | "debug"
                        | "info"
                        | "warning"
                        | "error"
                        | "format"
                        | "join"
                        | "exists"
                        | "stat"
                        | "read_text"
                )
        }
        _ => false,
    }
}

impl<'a> SourceOrderVisitor<'a> for Reader<'a, '_> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        self.parents.push(node);
        TraversalSignal::Traverse
    }

    fn leave_node(&mut self, _: AnyNodeRef<'a>) {
        self.parents.pop();
    }

    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let is_scope = matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_));
        self.scopes += usize::from(is_scope);
        source_order::walk_stmt(self, stmt);
        self.scopes -= usize::from(is_scope);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx == ExprContext::Load => {
                let of = self.use_of(name);
                self.uses.push((name.id.as_str(), name.range, of));
            }
            Expr::Call(call) if self.around.is_made(call) => {
                let made = self.made(call).filter(|_| self.scopes == 0);
                self.made.extend(made);
            }
            Expr::Call(call) if !is_harmless(call) && !self.around.is_class(call) => self.calls.push(call),
            _ => {}
        }
        let is_scope = matches!(
            expr,
            Expr::Lambda(_) | Expr::ListComp(_) | Expr::SetComp(_) | Expr::Generator(_) | Expr::DictComp(_)
        );
        self.scopes += usize::from(is_scope);
        source_order::walk_expr(self, expr);
        self.scopes -= usize::from(is_scope);
    }
}
