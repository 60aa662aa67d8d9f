//! Objects of Flyte 1 that code gets hold of while it runs, and the variables that hold them.
//!
//! ```python
//! ctx = current_context()             # `ctx` holds the context
//! secrets = ctx.secrets               # `secrets` holds its secrets
//! deck = Deck("loss")                 # `deck` holds a deck
//! ```
//!
//! A variable counts if nothing else is ever bound to its name in the function, so that every read of it is known.

use std::collections::HashMap;

use crate::flyte1::file::FileFacts;
use crate::flyte1::symbol::Symbol;
use crate::project::{FileId, Project};
use crate::python::Ranged;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, Stmt};
use crate::source::{TextRange, TextSize};

/// What an expression stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handle {
    /// `current_context()`
    Context,
    /// `current_context().execution_id`
    ExecutionId,
    /// `current_context().secrets`
    Secrets,
    /// `current_context().default_deck`
    DefaultDeck,
    /// `Deck("name")`
    Deck,
}

/// A variable that holds an object of Flyte 1.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub handle: Handle,
    /// The statement that binds it.
    pub statement: TextRange,
    /// The value that is bound.
    pub value: TextRange,
    /// Where it is read.
    pub reads: Vec<TextRange>,
}

/// The variables of a file that hold objects of Flyte 1, and its functions.
#[derive(Debug, Default)]
pub struct Handles {
    variables: Vec<Variable>,
    by_read: HashMap<TextRange, usize>,
    by_value: HashMap<TextRange, usize>,
    /// The functions at the top level or in classes, with the offsets where their code begins.
    functions: Vec<(TextRange, TextSize)>,
    /// Expressions that are statements by themselves.
    statements: Vec<TextRange>,
    /// Reads of `working_directory`, and whether each runs at most once in a call of its function.
    working_directories: Vec<(TextRange, bool)>,
}

impl Handles {
    /// Finds the variables of a file.
    pub fn of(project: &Project, file: FileId, facts: &FileFacts, statements: &[Stmt]) -> Self {
        let mut handles = Self::default();
        let names_context = facts
            .module
            .references
            .iter()
            .any(|reference| project.resolve(file, reference).iter().any(is_source));
        if !names_context {
            return handles;
        }
        let mut finder = Finder { project, file, facts, handles: &mut handles, depth: 0 };
        statements.iter().for_each(|statement| finder.visit_stmt(statement));
        let mut reader = WorkingDirectories { project, file, facts, handles: &mut handles, repeats: 0 };
        statements.iter().for_each(|statement| reader.visit_stmt(statement));
        handles
    }

    /// The variable that is read at `range`.
    pub fn read(&self, range: TextRange) -> Option<&Variable> {
        self.by_read.get(&range).map(|&id| &self.variables[id])
    }

    /// The variable whose value stands at `range`.
    pub fn bound(&self, range: TextRange) -> Option<&Variable> {
        self.by_value.get(&range).map(|&id| &self.variables[id])
    }

    /// The outermost function around `range`, and where its code begins.
    pub fn function(&self, range: TextRange) -> Option<(TextRange, TextSize)> {
        self.functions.iter().copied().find(|(function, _)| function.contains_range(range))
    }

    /// Whether the expression at `range` is a statement by itself.
    pub fn is_statement(&self, range: TextRange) -> bool {
        self.statements.contains(&range)
    }

    /// The reads of `working_directory` in a function, and whether each runs at most once in a call.
    pub fn working_directories(&self, function: TextRange) -> impl Iterator<Item = (TextRange, bool)> {
        self.working_directories.iter().copied().filter(move |(range, _)| function.contains_range(*range))
    }

    /// What an expression stands for, itself or through variables.
    pub fn handle(&self, project: &Project, file: FileId, facts: &FileFacts, expr: &Expr) -> Option<Handle> {
        match expr {
            Expr::Name(name) => self.read(name.range).map(|variable| variable.handle),
            Expr::Call(call) => {
                let reference = facts.reference_at(call.func.range())?;
                match project.symbol(file, reference)? {
                    Symbol::Other(path) if path == "flytekit.current_context" => Some(Handle::Context),
                    Symbol::Other(path) if path == "flytekit.Deck" => Some(Handle::Deck),
                    _ => None,
                }
            }
            Expr::Attribute(attribute) => {
                let object = self.handle(project, file, facts, &attribute.value)?;
                match (object, attribute.attr.as_str()) {
                    (Handle::Context, "execution_id") => Some(Handle::ExecutionId),
                    (Handle::Context, "secrets") => Some(Handle::Secrets),
                    (Handle::Context, "default_deck") => Some(Handle::DefaultDeck),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

fn is_source(target: &crate::project::link::Target) -> bool {
    use crate::project::link::Target;
    matches!(target, Target::Flyte1(Symbol::Other(path)) if path == "flytekit.current_context" || path.starts_with("flytekit.Deck"))
}

struct Finder<'a> {
    project: &'a Project,
    file: FileId,
    facts: &'a FileFacts,
    handles: &'a mut Handles,
    depth: usize,
}

impl Finder<'_> {
    fn function(&mut self, function: &ast::StmtFunctionDef) {
        let first = function.body.iter().find(|statement| !is_docstring(statement));
        let start = first.or(function.body.last()).map_or(function.range.end(), Ranged::start);
        if self.depth == 0 {
            self.handles.functions.push((function.range, start));
        }
        let mut names = Names::default();
        function.body.iter().for_each(|statement| names.visit_stmt(statement));
        for parameter in &function.parameters {
            names.bind(parameter.name().as_str());
        }
        // A variable may hold a part of what another one holds, in the order of the source.
        for (name, statement, value) in &names.assigned {
            let Some(handle) = self.handles.handle(self.project, self.file, self.facts, value) else {
                continue;
            };
            if names.bound.get(*name) != Some(&1) {
                continue;
            }
            let id = self.handles.variables.len();
            let reads: Vec<TextRange> = names.reads.get(name).cloned().unwrap_or_default();
            self.handles.by_read.extend(reads.iter().map(|&read| (read, id)));
            self.handles.by_value.insert(value.range(), id);
            self.handles.variables.push(Variable {
                name: (*name).to_owned(),
                handle,
                statement: *statement,
                value: value.range(),
                reads,
            });
        }
    }
}

fn is_docstring(statement: &Stmt) -> bool {
    matches!(statement, Stmt::Expr(node) if node.value.is_string_literal_expr())
}

impl<'a> SourceOrderVisitor<'a> for Finder<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => {
                self.function(function);
                self.depth += 1;
                source_order::walk_stmt(self, stmt);
                self.depth -= 1;
            }
            Stmt::Expr(node) => {
                self.handles.statements.push(node.value.range());
                source_order::walk_stmt(self, stmt);
            }
            _ => source_order::walk_stmt(self, stmt),
        }
    }
}

/// The names that are bound and read in a function, nested functions included.
#[derive(Default)]
struct Names<'a> {
    /// How often each is bound.
    bound: HashMap<&'a str, usize>,
    reads: HashMap<&'a str, Vec<TextRange>>,
    /// `name = value`
    assigned: Vec<(&'a str, TextRange, &'a Expr)>,
}

impl<'a> Names<'a> {
    fn bind(&mut self, name: &'a str) {
        *self.bound.entry(name).or_default() += 1;
    }
}

impl<'a> SourceOrderVisitor<'a> for Names<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Assign(node) => {
                if let [Expr::Name(name)] = node.targets.as_slice() {
                    self.assigned.push((name.id.as_str(), node.range, &node.value));
                }
            }
            Stmt::FunctionDef(node) => self.bind(node.name.as_str()),
            Stmt::ClassDef(node) => self.bind(node.name.as_str()),
            // Reads and bindings elsewhere cannot be seen from here.
            Stmt::Global(node) => node.names.iter().for_each(|name| self.bind(name.as_str())),
            Stmt::Nonlocal(node) => node.names.iter().for_each(|name| self.bind(name.as_str())),
            Stmt::Import(node) => {
                node.names.iter().for_each(|alias| self.bind(alias.asname.as_ref().unwrap_or(&alias.name)));
            }
            Stmt::ImportFrom(node) => {
                node.names.iter().for_each(|alias| self.bind(alias.asname.as_ref().unwrap_or(&alias.name)));
            }
            _ => {}
        }
        source_order::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr {
            if name.ctx.is_load() {
                self.reads.entry(name.id.as_str()).or_default().push(name.range);
            } else {
                self.bind(name.id.as_str());
            }
        }
        source_order::walk_expr(self, expr);
    }

    fn visit_parameter(&mut self, parameter: &'a ast::Parameter) {
        self.bind(parameter.name.as_str());
        source_order::walk_parameter(self, parameter);
    }

    fn visit_except_handler(&mut self, handler: &'a ast::ExceptHandler) {
        let ast::ExceptHandler::ExceptHandler(node) = handler;
        node.name.iter().for_each(|name| self.bind(name.as_str()));
        source_order::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a ast::Pattern) {
        let bound = match pattern {
            ast::Pattern::MatchAs(node) => node.name.as_ref(),
            ast::Pattern::MatchStar(node) => node.name.as_ref(),
            ast::Pattern::MatchMapping(node) => node.rest.as_ref(),
            _ => None,
        };
        bound.iter().for_each(|name| self.bind(name.as_str()));
        source_order::walk_pattern(self, pattern);
    }
}

struct WorkingDirectories<'a> {
    project: &'a Project,
    file: FileId,
    facts: &'a FileFacts,
    handles: &'a mut Handles,
    /// Loops, comprehensions and nested functions around the current node.
    repeats: usize,
}

impl<'a> SourceOrderVisitor<'a> for WorkingDirectories<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let is_outermost = self.handles.functions.iter().any(|(range, _)| *range == stmt.range());
        let repeats = match stmt {
            Stmt::For(_) | Stmt::While(_) => 1,
            Stmt::FunctionDef(_) if !is_outermost => 1,
            _ => 0,
        };
        self.repeats += repeats;
        source_order::walk_stmt(self, stmt);
        self.repeats -= repeats;
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Attribute(attribute) = expr
            && attribute.attr.as_str() == "working_directory"
            && self.handles.handle(self.project, self.file, self.facts, &attribute.value)
                == Some(Handle::Context)
        {
            self.handles.working_directories.push((attribute.range, self.repeats == 0));
        }
        let repeats = usize::from(matches!(
            expr,
            Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) | Expr::Lambda(_)
        ));
        self.repeats += repeats;
        source_order::walk_expr(self, expr);
        self.repeats -= repeats;
    }
}
