//! Where paths are wanted, and how they are got: in place where that is once, else bound to a name first.
//!
//! ```python
//! frame = pd.read_csv(f)              # frame = pd.read_csv(f.download_sync())
//!
//! shutil.copy(f, "a")                 # f_path = f.download_sync()
//! shutil.copy(f, "b")                 # shutil.copy(f_path, "a")
//! ```

use std::collections::BTreeMap;

use super::super::types::{Shape, fields};
use super::scopes::Wanted;
use super::{Binder, FunctionIo, Outcome, Parent, root_of};
use crate::edit::Edit;
use crate::python::Ranged;
use crate::python::ast::{self, Expr, Stmt};
use crate::python::items::{indentation_at, line_start};
use crate::rules::Effect;
use crate::source::{TextRange, TextSize};

/// A place where the path of a value is wanted.
pub(super) struct PathUse {
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
    /// Whether nothing else stands in the block of the statement.
    is_alone: bool,
    /// Whether `Path(…)` has to be put around it.
    pub(super) as_path: bool,
    /// Whether it stands in a comprehension, lambda or function inside of the function.
    is_inside: bool,
    /// Whether the value may be another one, or not be there, elsewhere in the function: `files[0]`.
    is_fleeting: bool,
    /// Where it stands in the comprehension that the value is a variable of.
    in_comprehension: Option<Wanted>,
}

impl FunctionIo<'_, '_> {
    /// The path of a value is wanted in the place of `range`.
    pub(super) fn path(&mut self, range: TextRange, value: &Expr, may_be_none: bool) {
        let root = root_of(value);
        if root.is_none() && !may_be_none && !(self.is_async && self.scopes > 0) {
            return self.path_of_result(range, value.range());
        }
        let known = root.and_then(|root| self.known(root));
        let is_tried = known.as_ref().is_some_and(|known| known.tries < self.tries);
        let is_fleeting = self.is_fleeting(value);
        let binder = match &known {
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
            is_repeated: !is_fleeting && !matches!(binder, Binder::Nowhere) && known.as_ref().is_none_or(|known| known.depth < self.depth),
            is_tried: is_tried && !is_fleeting,
            may_be_none,
            is_optional,
            guarded: self.rest_of_block().filter(|_| is_optional && !may_be_none && !is_fleeting),
            is_statement: matches!(self.parents.iter().rev().nth(2), Some(Parent::Stmt(statement)) if statement.range() == range),
            is_alone: self.is_alone_in_block(),
            as_path: false,
            is_inside: self.scopes > 0,
            is_fleeting,
            in_comprehension: known
                .and_then(|known| known.comprehension)
                .and_then(|comprehension| self.wanted_in(comprehension, range)),
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

    /// Whether the statement around the expression at hand has a block for itself.
    fn is_alone_in_block(&self) -> bool {
        let mut statements = self.parents.iter().rev().filter_map(|parent| match parent {
            Parent::Stmt(statement) => Some(*statement),
            Parent::Expr(_) => None,
        });
        let Some(statement) = statements.next() else { return false };
        let is_only = |block: &&[Stmt]| matches!(block, [only] if only.range() == statement.range());
        match statements.next() {
            Some(Stmt::For(outer)) => [&*outer.body, &*outer.orelse].iter().any(is_only),
            Some(Stmt::While(outer)) => [&*outer.body, &*outer.orelse].iter().any(is_only),
            Some(Stmt::FunctionDef(outer)) => is_only(&&*outer.body),
            Some(outer) => blocks(outer).iter().any(is_only),
            None => is_only(&self.body),
        }
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
    pub(super) fn path_of_result(&mut self, range: TextRange, value: TextRange) {
        let (before, after) =
            if self.is_async { ("(await ", ".download())") } else { ("", ".download_sync()") };
        self.outcome.edits.push(Edit::insertion(range.start(), before));
        self.outcome.edits.push(Edit::replacement(TextRange::new(value.end(), range.end()), after));
    }

    /// Downloads in place what is used once, and binds what is used more often.
    pub(super) fn finish(mut self) -> Outcome {
        for (name, shapes) in std::mem::take(&mut self.shapes) {
            let is_same = shapes.iter().all(|shape| *shape == shapes[0]);
            let is_sure = is_same && self.bound_for_good.get(name) == Some(&shapes.len());
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
        let mut by_value: BTreeMap<(String, Option<TextSize>), Vec<PathUse>> = BTreeMap::new();
        for path_use in std::mem::take(&mut self.uses) {
            let scope = path_use.in_comprehension.map(|wanted| wanted.comprehension.start());
            by_value.entry((path_use.value.clone(), scope)).or_default().push(path_use);
        }
        for ((value, scope), uses) in by_value {
            if scope.is_none() && self.early.names.contains_key(value.as_str()) {
                uses.iter().for_each(|path_use| self.put(path_use, &value));
                continue;
            }
            let first = &uses[0];
            // Nothing reads the path: it is there to have the file.
            if uses.iter().all(|path_use| path_use.is_statement) {
                let path = download(&value, self.is_async);
                let path = path.trim_start_matches('(').trim_end_matches("))");
                let path = if self.is_async { format!("{path})") } else { path.to_owned() };
                uses.iter().for_each(|path_use| self.replace(path_use, &path));
                continue;
            }
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
            let wanted: Vec<Option<Wanted>> = uses.iter().map(|path_use| path_use.in_comprehension).collect();
            let is_there = |path_use: &PathUse| !path_use.may_be_none && !path_use.is_optional;
            if let Some(first) =
                Wanted::first(&wanted).filter(|_| !self.is_async && uses.iter().all(is_there))
            {
                let name = self.path_name(&value);
                let bound = format!("{name} := {}", download(&value, false));
                for (position, path_use) in uses.iter().enumerate() {
                    match position == first {
                        true if self.is_in_parentheses(path_use) => self.replace(path_use, &bound),
                        true => self.replace(path_use, &format!("({bound})")),
                        false => self.replace(path_use, &name),
                    }
                }
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
                self.put(path_use, &name);
            }
        }
        self.outcome
    }

    fn is_in_parentheses(&self, path_use: &PathUse) -> bool {
        let (before, behind) = self.cx.text.split_at(path_use.range.end().into());
        before[..path_use.range.start().into()].ends_with('(') && behind.starts_with(')')
    }

    fn replace(&mut self, path_use: &PathUse, path: &str) {
        let text = if path_use.as_path { format!("{}({path})", self.names.path()) } else { path.to_owned() };
        self.outcome.edits.push(Edit::replacement(path_use.range, text));
    }

    /// Puts a path in the place of a use of it; a statement that only downloads goes.
    fn put(&mut self, path_use: &PathUse, path: &str) {
        let text = self.cx.text;
        let (start, end) = (line_start(text, path_use.range.start()), path_use.range.end());
        let is_line = text[TextRange::new(start, path_use.range.start())].trim().is_empty();
        let rest = &text[usize::from(end)..];
        let newline = ["\r\n", "\n", "\r"].into_iter().find(|newline| rest.starts_with(newline));
        match newline.filter(|_| path_use.is_statement && is_line) {
            Some(_) if path_use.is_alone => {
                self.outcome.edits.push(Edit::replacement(path_use.range, "pass"));
            }
            Some(newline) => {
                let line = TextRange::new(start, end + TextSize::of(newline));
                self.outcome.edits.push(Edit::deletion(line));
            }
            None => self.replace(path_use, path),
        }
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
    fn path_name(&mut self, value: &str) -> String {
        let words: Vec<&str> = value
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| !word.is_empty())
            .collect();
        let base = words.join("_");
        let module = &self.cx.facts.module;
        let candidates = [format!("{base}_path"), format!("{base}_local_path")];
        let further = (2..).map(|number| format!("{base}_path{number}"));
        let mut names = candidates.into_iter().chain(further);
        let name = names.find(|name| !module.has_name(name) && !self.path_names.contains(name));
        let name = name.unwrap_or_default();
        self.path_names.insert(name.clone());
        name
    }
}

/// The code that gives the path of a value.
fn download(value: &str, is_async: bool) -> String {
    if is_async { format!("(await {value}.download())") } else { format!("{value}.download_sync()") }
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
