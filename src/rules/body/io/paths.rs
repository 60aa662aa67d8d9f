//! Whether an expression is a path on this machine, as far as the code of one function tells.
//!
//! ```python
//! path = os.path.join(tempfile.mkdtemp(), "model.bin")    # local
//! FlyteFile("s3://bucket/data.csv")                       # remote
//! FlyteFile(uri)                                          # who knows
//! ```

use std::collections::{HashMap, HashSet};

use crate::project::plan::constant_at;
use crate::project::{FileId, Project};
use crate::python::Ranged;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, Operator, Stmt};
use crate::python::scope::{BindingKind, Module};

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locality {
    /// To a file of this machine.
    Local,
    /// To an object store or a server.
    Remote,
    /// That cannot be told.
    Unknown,
}

/// What the code of a function tells of the names in it.
pub(super) struct Paths<'a> {
    module: &'a Module,
    /// Where constants of modules are looked up.
    project: Option<(&'a Project, FileId)>,
    /// The values that are assigned to each name.
    values: HashMap<&'a str, Vec<&'a Expr>>,
    /// Names that are bound in another way.
    others: HashSet<&'a str>,
    /// Names of files that the function writes, or of folders that it makes.
    written: HashSet<&'a str>,
    /// Names bound by `with tempfile.…() as name`.
    temporary: HashSet<&'a str>,
}

impl<'a> Paths<'a> {
    /// Reads a function.
    pub(super) fn of(module: &'a Module, body: &'a [Stmt]) -> Self {
        let mut paths = Self {
            module,
            project: None,
            values: HashMap::new(),
            others: HashSet::new(),
            written: HashSet::new(),
            temporary: HashSet::new(),
        };
        body.iter().for_each(|statement| paths.visit_stmt(statement));
        paths
    }

    /// Knows the constants that a file of the project sees.
    pub(super) fn with_constants(mut self, project: &'a Project, file: FileId) -> Self {
        self.project = Some((project, file));
        self
    }

    /// Where the text leads that `name` certainly stands for: `DATA`, `settings.DATA`, `Config.DATA`.
    fn of_constant(&self, expr: &Expr) -> Locality {
        let text = self.project.and_then(|(project, file)| {
            let value = constant_at(project, file, expr.range())?;
            value.as_str().filter(|text| !text.is_empty()).map(of_text)
        });
        text.unwrap_or(Locality::Unknown)
    }

    /// Where `expr` leads, if it is a path.
    pub(super) fn locality(&self, expr: &Expr) -> Locality {
        self.locality_within(expr, 0)
    }

    fn locality_within(&self, expr: &Expr, depth: usize) -> Locality {
        if depth > 8 {
            return Locality::Unknown;
        }
        let deeper = |expr: &Expr| self.locality_within(expr, depth + 1);
        match expr {
            Expr::StringLiteral(literal) => of_text(literal.value.to_str()),
            Expr::FString(fstring) => match fstring.value.elements().next() {
                Some(ast::InterpolatedStringElement::Literal(literal)) => of_text(&literal.value),
                Some(ast::InterpolatedStringElement::Interpolation(first)) => deeper(&first.expression),
                None => Locality::Unknown,
            },
            Expr::BinOp(binary) if matches!(binary.op, Operator::Add | Operator::Div | Operator::Mod) => {
                deeper(&binary.left)
            }
            Expr::Name(name) => match self.of_name(name.id.as_str(), depth) {
                Locality::Unknown => self.of_constant(expr),
                known => known,
            },
            Expr::Attribute(attribute) => match attribute.attr.as_str() {
                "working_directory" => Locality::Local,
                "name" | "parent" if deeper(&attribute.value) != Locality::Unknown => {
                    deeper(&attribute.value)
                }
                _ => self.of_constant(expr),
            },
            Expr::Call(call) => self.of_call(call, depth),
            _ => Locality::Unknown,
        }
    }

    fn of_name(&self, name: &str, depth: usize) -> Locality {
        if name == "__file__" || self.written.contains(name) || self.temporary.contains(name) {
            return Locality::Local;
        }
        let Some(values) = self.values.get(name).filter(|_| !self.others.contains(name)) else {
            return Locality::Unknown;
        };
        let mut localities = values.iter().map(|value| self.locality_within(value, depth + 1));
        let first = localities.next().unwrap_or(Locality::Unknown);
        if localities.all(|locality| locality == first) { first } else { Locality::Unknown }
    }

    fn of_call(&self, call: &ast::ExprCall, depth: usize) -> Locality {
        let first = call.arguments.find_positional(0);
        let of_first = || first.map_or(Locality::Unknown, |first| self.locality_within(first, depth + 1));
        let Some((root, path)) = dotted(&call.func) else {
            // `Path("a").with_suffix(".b")`, `Path(…).resolve()`
            return match &*call.func {
                Expr::Attribute(method) => self.locality_within(&method.value, depth + 1),
                _ => Locality::Unknown,
            };
        };
        if path == "str" || path == "os.fspath" {
            return of_first();
        }
        let module = self.library(root);
        match (module.as_deref(), path.rsplit('.').next().unwrap_or_default()) {
            (Some("tempfile"), _) | (Some("pathlib"), "Path" | "PurePath" | "PosixPath" | "cwd" | "home") => {
                Locality::Local
            }
            (Some("os"), "getcwd" | "abspath" | "realpath" | "expanduser") => Locality::Local,
            (Some("os"), "join" | "dirname" | "normpath") => of_first(),
            // A method of something that is known: `folder.joinpath("x")`.
            (
                None,
                "resolve" | "joinpath" | "with_suffix" | "with_name" | "as_posix" | "absolute" | "format",
            ) => match &*call.func {
                Expr::Attribute(method) => self.locality_within(&method.value, depth + 1),
                _ => Locality::Unknown,
            },
            _ => Locality::Unknown,
        }
    }

    /// The values that are assigned to a name.
    pub(super) fn values(&self, name: &str) -> &[&'a Expr] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// The library that a name is imported from.
    pub(super) fn library(&self, name: &str) -> Option<String> {
        let mut bindings = self.module.bindings.iter().filter(|binding| binding.name == name);
        let first = bindings.next()?;
        match &first.kind {
            BindingKind::Import(path)
                if path.level == 0 && bindings.all(|other| other.kind == first.kind) =>
            {
                Some(path.root().to_owned())
            }
            _ => None,
        }
    }

    fn bind(&mut self, target: &'a Expr, value: Option<&'a Expr>) {
        match (target, value) {
            (Expr::Name(name), Some(value)) => self.values.entry(name.id.as_str()).or_default().push(value),
            (Expr::Name(name), None) => drop(self.others.insert(name.id.as_str())),
            (Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }), _) => {
                elts.iter().for_each(|element| self.bind(element, None));
            }
            _ => {}
        }
    }
}

fn of_text(text: &str) -> Locality {
    if text.contains("://") { Locality::Remote } else { Locality::Local }
}

/// The first name of a chain of attributes, and the chain.
pub(in crate::rules::body) fn dotted(expr: &Expr) -> Option<(&str, String)> {
    match expr {
        Expr::Name(name) => Some((name.id.as_str(), name.id.to_string())),
        Expr::Attribute(attribute) => {
            let (root, path) = dotted(&attribute.value)?;
            Some((root, format!("{path}.{}", attribute.attr)))
        }
        _ => None,
    }
}

impl<'a> SourceOrderVisitor<'a> for Paths<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Assign(node) => node.targets.iter().for_each(|target| self.bind(target, Some(&node.value))),
            Stmt::AnnAssign(node) => self.bind(&node.target, node.value.as_deref()),
            Stmt::AugAssign(node) => self.bind(&node.target, None),
            Stmt::For(node) => self.bind(&node.target, None),
            Stmt::With(node) => {
                for item in &node.items {
                    let Some(target) = item.optional_vars.as_deref() else { continue };
                    let root = item.context_expr.as_call_expr().and_then(|call| dotted(&call.func));
                    let is_temporary =
                        root.is_some_and(|(root, _)| self.library(root).as_deref() == Some("tempfile"));
                    match target {
                        Expr::Name(name) if is_temporary => drop(self.temporary.insert(name.id.as_str())),
                        _ => self.bind(target, None),
                    }
                }
            }
            _ => {}
        }
        source_order::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr
            && let Some((_, path)) = dotted(&call.func)
            && let Some(Expr::Name(first)) = call.arguments.find_positional(0)
        {
            let mode = call.arguments.find_argument_value("mode", 1).and_then(Expr::as_string_literal_expr);
            let writes = mode.is_some_and(|mode| mode.value.to_str().contains(['w', 'a', 'x']));
            if path == "open" && writes || matches!(path.as_str(), "os.makedirs" | "os.mkdir") {
                self.written.insert(first.id.as_str());
            }
        }
        source_order::walk_expr(self, expr);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::parse;
    use crate::python::scope::analyze;

    fn locality(body: &str) -> Locality {
        let text = format!("import os\nimport tempfile\nfrom pathlib import Path\n{body}");
        let parsed = parse(&text).unwrap();
        let module = analyze(&parsed, &text, &|_| false);
        let paths = Paths::of(&module, &parsed.body()[3..]);
        let Some(Stmt::Expr(last)) = parsed.body().last() else {
            unreachable!("the last line is an expression")
        };
        paths.locality(&last.value)
    }

    #[test]
    fn what_the_function_makes_is_local() {
        for body in [
            "'out.csv'",
            "os.path.join(tempfile.mkdtemp(), name)",
            "d = tempfile.mkdtemp()\nf'{d}/x'",
            "with tempfile.TemporaryDirectory() as d:\n    pass\nd + '/x'",
            "with tempfile.NamedTemporaryFile() as fh:\n    pass\nfh.name",
            "p = make()\nwith open(p, 'w') as fh:\n    pass\np",
            "str(Path(name) / 'x')",
            "current_context().working_directory",
        ] {
            assert_eq!(locality(body), Locality::Local, "{body}");
        }
    }

    #[test]
    fn addresses_are_remote_and_the_rest_is_unknown() {
        assert_eq!(locality("'s3://bucket/x'"), Locality::Remote);
        assert_eq!(locality("f's3://{bucket}/x'"), Locality::Remote);
        for body in ["name", "make()", "p = 'a'\np = 's3://b'\np", "os.path.join(base, 'x')", "f'{base}/x'"] {
            assert_eq!(locality(body), Locality::Unknown, "{body}");
        }
    }
}
