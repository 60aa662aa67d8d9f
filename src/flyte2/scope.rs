//! The names of a function, a class, a lambda or a comprehension, as far as Flyte 2 images are built from them.
//!
//! ```python
//! def main():
//!     image = flyte.Image.from_debian_base(name="a")
//!     image = image.with_pip_packages("pandas")    # reads the first, binds the second
//! ```

use rustc_hash::FxHashMap;
use rustpython_ast::visitor::source_order::{self, SourceOrderVisitor};
use rustpython_ast::{self as ast, Expr, Stmt};

use super::constant::Constant;
use crate::python::Ranged;
use crate::source::{TextRange, TextSize};

/// What a local name stands for.
#[derive(Debug, Clone, Copy)]
pub enum Local<'a> {
    /// The value of an assignment that is certain to have run.
    Assigned(&'a Expr),
    /// What the import at this place brings.
    Imported(TextRange),
    /// It cannot be told.
    Opaque,
}

#[derive(Debug, Clone, Copy)]
struct Binding<'a> {
    /// Where it can be read from.
    takes_effect: TextSize,
    local: Local<'a>,
}

/// The names of one scope.
#[derive(Debug, Clone, Default)]
pub struct Frame<'a> {
    /// The class, if it is one: functions inside do not see its names.
    pub class: Option<&'a ast::StmtClassDef>,
    /// Whether it runs where it stands: it is a class or a comprehension.
    pub runs_at_once: bool,
    bindings: FxHashMap<&'a str, Vec<Binding<'a>>>,
    reads: FxHashMap<&'a str, usize>,
    values: Option<Values<'a>>,
}

/// Names whose values are known: the parameters of one call, the target of one round of a comprehension.
#[derive(Debug, Clone, Default)]
pub struct Values<'a> {
    /// The values.
    pub known: FxHashMap<&'a str, Constant>,
    /// Where in the module names are read meanwhile; `None` if that is some time after the module has run.
    pub now: Option<TextSize>,
}

impl<'a> Frame<'a> {
    /// The names of a function.
    pub fn of_function(function: &'a ast::StmtFunctionDef) -> Self {
        let mut collector = Collector::default();
        for parameter in &function.parameters {
            collector.bind(parameter.name().as_str(), function.range.start(), Local::Opaque);
        }
        collector.body(&function.body);
        collector.frame
    }

    /// The names of a class.
    pub fn of_class(class: &'a ast::StmtClassDef) -> Self {
        let mut collector = Collector::default();
        collector.body(&class.body);
        Self { class: Some(class), runs_at_once: true, ..collector.frame }
    }

    /// The parameters of a lambda.
    pub fn of_lambda(lambda: &'a ast::ExprLambda) -> Self {
        let mut collector = Collector::default();
        for parameter in lambda.parameters.iter().flat_map(|parameters| parameters.iter()) {
            collector.bind(parameter.name().as_str(), lambda.range.start(), Local::Opaque);
        }
        collector.frame
    }

    /// Names with known values, and no others.
    pub fn of_values(values: Values<'a>) -> Self {
        Self { values: Some(values), ..Self::default() }
    }

    /// The names with known values, if this scope is made of them.
    pub fn values(&self) -> Option<&Values<'a>> {
        self.values.as_ref()
    }

    /// The targets of a comprehension.
    pub fn of_comprehension(generators: &'a [ast::Comprehension]) -> Self {
        let mut collector = Collector::default();
        for generator in generators {
            collector.target(&generator.target);
        }
        Self { runs_at_once: true, ..collector.frame }
    }

    /// How often `name` is read.
    pub fn reads(&self, name: &str) -> usize {
        self.reads.get(name).copied().unwrap_or_default()
    }

    /// What `name` stands for; `None` if this scope does not bind it. It is read at `offset` in the scope itself, or
    /// at an unknown time from a function inside.
    pub fn local(&self, name: &str, offset: Option<TextSize>) -> Option<Local<'a>> {
        let bindings = self.bindings.get(name)?;
        let mut seen = bindings.iter().rev();
        let binding = match offset {
            Some(_) if bindings.iter().any(|binding| matches!(binding.local, Local::Opaque)) => None,
            Some(offset) => seen.find(|binding| binding.takes_effect < offset),
            None => seen.next().filter(|_| bindings.len() == 1),
        };
        let Some(binding) = binding else { return Some(Local::Opaque) };
        match binding.local {
            // A list or dict that is read more than once may have been changed in between.
            Local::Assigned(Expr::List(_) | Expr::Dict(_)) if self.reads(name) > 1 => Some(Local::Opaque),
            local => Some(local),
        }
    }
}

/// Collects the names of a scope; not those of scopes inside it.
#[derive(Debug, Default)]
struct Collector<'a> {
    frame: Frame<'a>,
    /// Whether the statement is certain to run, and once.
    is_certain: bool,
}

impl<'a> Collector<'a> {
    fn body(&mut self, body: &'a [Stmt]) {
        self.is_certain = true;
        for stmt in body {
            self.is_certain = true;
            self.visit_stmt(stmt);
        }
    }

    fn bind(&mut self, name: &'a str, takes_effect: TextSize, local: Local<'a>) {
        let local = if self.is_certain { local } else { Local::Opaque };
        self.frame.bindings.entry(name).or_default().push(Binding { takes_effect, local });
    }

    /// Names that are bound to what cannot be told.
    fn target(&mut self, target: &'a Expr) {
        match target {
            Expr::Name(name) => self.bind(&name.id, name.range.start(), Local::Opaque),
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                elts.iter().for_each(|element| self.target(element));
            }
            Expr::Starred(starred) => self.target(&starred.value),
            _ => self.visit_expr(target),
        }
    }

    fn assign(&mut self, targets: &'a [Expr], value: &'a Expr) {
        self.visit_expr(value);
        match targets {
            [Expr::Name(name)] => self.bind(&name.id, value.range().end(), Local::Assigned(value)),
            _ => targets.iter().for_each(|target| self.target(target)),
        }
    }
}

/// What a function or a class inside does with the names of the scope around.
struct Inside<'c, 'a>(&'c mut Collector<'a>);

impl<'a> SourceOrderVisitor<'a> for Inside<'_, 'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if let Stmt::Nonlocal(nonlocal) = stmt {
            for name in &nonlocal.names {
                self.0.bind(name.id.as_str(), name.range.start(), Local::Opaque);
            }
        }
        source_order::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr {
            *self.0.frame.reads.entry(&name.id).or_default() += 1;
        }
        source_order::walk_expr(self, expr);
    }
}

impl<'a> SourceOrderVisitor<'a> for Collector<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Assign(assign) => self.assign(&assign.targets, &assign.value),
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.assign(std::slice::from_ref(&assign.target), value);
                }
            }
            Stmt::AugAssign(assign) => {
                self.visit_expr(&assign.value);
                self.target(&assign.target);
            }
            Stmt::Import(import) => {
                for alias in &import.names {
                    let root = alias.name.as_str().split('.').next().unwrap_or_default();
                    let name = alias.asname.as_ref().map_or(root, ast::Identifier::as_str);
                    self.bind(name, alias.range.start(), Local::Imported(alias.range));
                }
            }
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name);
                    self.bind(name.as_str(), alias.range.start(), Local::Imported(alias.range));
                }
            }
            Stmt::FunctionDef(function) => {
                self.bind(function.name.as_str(), function.range.start(), Local::Opaque);
                Inside(self).visit_body(&function.body);
            }
            Stmt::ClassDef(class) => {
                self.bind(class.name.as_str(), class.range.start(), Local::Opaque);
                Inside(self).visit_body(&class.body);
            }
            Stmt::Expr(expr) => self.visit_expr(&expr.value),
            Stmt::Return(node) => node.value.iter().for_each(|value| self.visit_expr(value)),
            Stmt::Delete(delete) => delete.targets.iter().for_each(|target| self.target(target)),
            Stmt::With(with) => {
                for item in &with.items {
                    self.visit_expr(&item.context_expr);
                    item.optional_vars.iter().for_each(|target| self.target(target));
                }
                with.body.iter().for_each(|stmt| self.visit_stmt(stmt));
            }
            Stmt::For(node) => {
                self.is_certain = false;
                self.target(&node.target);
                source_order::walk_stmt(self, stmt);
            }
            Stmt::Try(node) => {
                self.is_certain = false;
                for handler in &node.handlers {
                    let ast::ExceptHandler::ExceptHandler(handler) = handler;
                    if let Some(name) = &handler.name {
                        self.bind(name.as_str(), name.range.start(), Local::Opaque);
                    }
                }
                source_order::walk_stmt(self, stmt);
            }
            _ => {
                self.is_certain = false;
                source_order::walk_stmt(self, stmt);
            }
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => *self.frame.reads.entry(&name.id).or_default() += 1,
            Expr::Named(named) => self.target(&named.target),
            Expr::Lambda(_) => {}
            _ => {}
        }
        source_order::walk_expr(self, expr);
    }

    fn visit_pattern(&mut self, pattern: &'a ast::Pattern) {
        let bound = match pattern {
            ast::Pattern::MatchAs(node) => node.name.as_ref(),
            ast::Pattern::MatchStar(node) => node.name.as_ref(),
            ast::Pattern::MatchMapping(node) => node.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = bound {
            self.bind(name.as_str(), name.range.start(), Local::Opaque);
        }
        source_order::walk_pattern(self, pattern);
    }
}
