//! Files that are changed in a copy of which the rest of the task knows nothing.
//!
//! ```python
//! def add(d: FlyteDirectory) -> None:
//!     Path(os.path.join(d, "index")).write_text("1")    # who called it does not see the index
//! ```
//!
//! On Flyte 1 a value has one copy in a task, whoever asks for its path. On Flyte 2 each function that asks gets its
//! own.

use super::super::types::{IoType, Shape, fields};
use super::FunctionIo;
use crate::python::Ranged;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, Operator};
use crate::rules::Effect;
use crate::source::TextRange;

/// Names that are followed to what they are made of end here.
const MAX_DEPTH: usize = 8;

/// Methods of a path that change what is there.
const CHANGING: [&str; 11] = [
    "write_text",
    "write_bytes",
    "mkdir",
    "touch",
    "unlink",
    "rmdir",
    "rename",
    "replace",
    "symlink_to",
    "hardlink_to",
    "chmod",
];

/// Methods and functions that make a path of another one.
const JOINING: [&str; 18] = [
    "Path",
    "PurePath",
    "str",
    "fspath",
    "join",
    "joinpath",
    "abspath",
    "realpath",
    "dirname",
    "with_suffix",
    "with_name",
    "with_stem",
    "resolve",
    "absolute",
    "iterdir",
    "glob",
    "rglob",
    "download",
];

impl<'a> FunctionIo<'a, '_> {
    /// Speaks of what is written through paths that are downloaded elsewhere again.
    pub(super) fn check_copies(&mut self, function: &'a ast::StmtFunctionDef) {
        let mut writes = Writes { io: self, found: Vec::new() };
        function.body.iter().for_each(|statement| writes.visit_stmt(statement));
        for range in writes.found {
            let text = self.text(range);
            self.find(
                range,
                Effect::Unsafe,
                format!(
                    "`{text}` is changed here in a copy of its own; on Flyte 1 a task has one copy of a value"
                ),
                "Get the path once in the task, with `download_sync()`, and hand it on as a `str`",
            );
        }
    }

    /// Whether an expression is a path into a file or directory that others download for themselves again.
    fn is_own_copy(&self, expr: &Expr, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            return false;
        }
        let is_part = |part: &Expr| self.is_own_copy(part, depth + 1);
        match expr {
            Expr::Name(name) => {
                let is_value = self.is_helper() && self.is_file(expr);
                let origins = self.origins.get(name.id.as_str()).into_iter().flatten().flatten();
                is_value || !self.own.contains(name.id.as_str()) && origins.copied().any(is_part)
            }
            Expr::Attribute(attribute) => {
                self.is_helper() && self.is_file(expr)
                    || self.makes_path(&attribute.value, attribute.attr.as_str())
                    || ["path", "parent"].contains(&attribute.attr.as_str()) && is_part(&attribute.value)
            }
            Expr::Call(call) => {
                let (name, receiver) = match &*call.func {
                    Expr::Attribute(method) => (method.attr.as_str(), Some(&*method.value)),
                    Expr::Name(name) => (name.id.as_str(), None),
                    _ => return false,
                };
                receiver.is_some_and(|receiver| self.makes_path(receiver, name))
                    || JOINING.contains(&name)
                        && (receiver.is_some_and(is_part) || call.arguments.args.iter().any(is_part))
            }
            Expr::BinOp(operation) if matches!(operation.op, Operator::Add | Operator::Div) => {
                is_part(&operation.left) || is_part(&operation.right)
            }
            Expr::FString(text) => {
                let elements =
                    text.value.elements().filter_map(ast::InterpolatedStringElement::as_interpolation);
                elements.map(|element| &*element.expression).any(is_part)
            }
            _ => false,
        }
    }

    /// Whether the code is no entity, so that it downloads what another one downloads too.
    fn is_helper(&self) -> bool {
        self.kind.is_none()
    }

    fn is_file(&self, expr: &Expr) -> bool {
        matches!(self.shape_of(expr).io(), Some(IoType::File | IoType::Dir))
    }

    /// Whether a method or property of the project gives something that is no field, of an object with files.
    fn makes_path(&self, object: &Expr, name: &str) -> bool {
        let Shape::Class(file, statement) = self.shape_of(object).present() else { return false };
        let project = self.cx.project;
        let holder = Shape::Class(file, statement);
        let is_field = || fields(project, file, statement).iter().any(|(field, _)| field == name);
        holder.holds_io(project)
            && !is_field()
            && !self.of_attribute((file, statement), name).holds_io(project)
    }
}

/// Finds what is written through paths.
struct Writes<'v, 'a, 'n> {
    io: &'v FunctionIo<'a, 'n>,
    found: Vec<TextRange>,
}

impl Writes<'_, '_, '_> {
    /// The path that a call changes, if it is one into a copy of its own.
    fn changed<'e>(&self, call: &'e ast::ExprCall) -> Option<&'e Expr> {
        let arguments = &call.arguments;
        // What the project has is looked at by itself.
        if self.io.parameters(&call.func).is_some() {
            return None;
        }
        let (name, receiver) = match &*call.func {
            Expr::Attribute(method) => (method.attr.as_str(), Some(&*method.value)),
            Expr::Name(name) => (name.id.as_str(), None),
            _ => return None,
        };
        let own = |expr: &&'e Expr| self.io.is_own_copy(expr, 0);
        if name == "open" {
            let (path, position) = match receiver.filter(own) {
                Some(receiver) => (receiver, 0),
                None => (arguments.args.first()?, 1),
            };
            let mode = arguments.find_argument_value("mode", position)?;
            let is_read = mode
                .as_string_literal_expr()
                .is_some_and(|mode| !mode.value.to_str().contains(['w', 'a', 'x', '+']));
            return Some(path).filter(|path| !is_read && own(path));
        }
        if let Some(receiver) = receiver.filter(own) {
            return CHANGING.contains(&name).then_some(receiver);
        }
        let first = match name {
            "copy" | "copy2" | "copyfile" | "copytree" | "symlink" | "link" => 1,
            "move" | "makedirs" | "mkdir" | "remove" | "unlink" | "rename" | "rmtree" | "rmdir"
            | "truncate" => 0,
            "dump" | "extractall" => 0,
            _ if ["save", "to_", "write_", "export"].iter().any(|verb| name.starts_with(verb)) => 0,
            _ => return None,
        };
        let keywords = arguments.keywords.iter().map(|keyword| &keyword.value);
        arguments.args.iter().skip(first).chain(keywords).find(own)
    }
}

impl<'e> SourceOrderVisitor<'e> for Writes<'_, '_, '_> {
    fn visit_expr(&mut self, expr: &'e Expr) {
        if let Expr::Call(call) = expr
            && let Some(path) = self.changed(call)
        {
            self.found.push(path.range());
        }
        source_order::walk_expr(self, expr);
    }
}
