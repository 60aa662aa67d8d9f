//! Modules that code gets by their names in strings, without an import statement.
//!
//! ```python
//! tasks = importlib.import_module("pk.tasks")    # ModuleValue { level: 0, module: "pk.tasks" }
//! ```

use memchr::memmem;
use rustc_hash::FxHashMap;
use rustpython_ast::visitor::source_order::{self, SourceOrderVisitor};
use rustpython_text_size::Ranged;

use super::RoughImport;
use super::ast::{self, Expr, ExprContext, Stmt};
use crate::source::TextRange;

/// A module as the value of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleValue {
    /// The expression.
    pub range: TextRange,
    /// The number of leading dots, where they count from the package of the file itself.
    pub level: u32,
    /// The module, dotted.
    pub module: String,
}

/// What comes before the name of a module that code imports, or looks for, by that name.
pub const IMPORTERS: [&str; 6] =
    ["import_module(", "__import__(", "importorskip(", "find_spec(", "modules[", "modules.get("];

/// Whether something of this name gives modules.
pub fn is_importer(name: &str) -> bool {
    matches!(name, "import_module" | "__import__" | "importorskip" | "modules")
}

/// The expressions that may be modules, by the place of what is called or subscripted: `importlib.import_module`.
pub fn candidates(body: &[Stmt]) -> FxHashMap<TextRange, ModuleValue> {
    let mut collector = Collector::default();
    collector.visit_body(body);
    collector.found
}

/// The modules that a text seems to name in strings so, for files that are not parsed.
pub fn rough_values(text: &[u8]) -> Vec<RoughImport> {
    let behind = IMPORTERS.iter().flat_map(|importer| {
        memmem::find_iter(text, importer).map(|at| text[at + importer.len()..].trim_ascii_start())
    });
    let values = behind.filter_map(|rest| {
        let (quote, rest) = rest.split_first().filter(|(first, _)| matches!(first, b'"' | b'\''))?;
        let name = std::str::from_utf8(&rest[..memchr::memchr(*quote, rest)?]).ok()?;
        let module = name.trim_start_matches('.');
        Some((u32::try_from(name.len() - module.len()).ok()?, module.to_owned(), Vec::new()))
    });
    values.collect()
}

impl ModuleValue {
    /// What the expression gives, if what is called or subscripted is the thing at this path.
    pub fn given_by(mut self, path: &str) -> Option<Self> {
        match path {
            "importlib.import_module" | "pytest.importorskip" | "sys.modules" | "sys.modules.get" => {
                Some(self)
            }
            // It gives the first of the packages, unless names are asked for.
            "__import__" | "builtins.__import__" => {
                let end = self.module.find('.').unwrap_or(self.module.len());
                self.module.truncate(end);
                Some(self)
            }
            _ => None,
        }
    }

    fn called(call: &ast::ExprCall) -> Option<Self> {
        let name = text_of(call.arguments.find_argument_value("name", 0).or_else(|| {
            let keyword = call.arguments.find_keyword("modname")?;
            Some(&keyword.value)
        })?)?;
        let module = name.trim_start_matches('.');
        let level = name.len() - module.len();
        let package = call.arguments.find_argument_value("package", 1).and_then(text_of);
        let (level, module) = match package.filter(|_| level > 0) {
            Some(package) => {
                let kept = package.rsplitn(level, '.').last()?;
                (0, format!("{kept}.{module}"))
            }
            None => (u32::try_from(level).ok()?, module.to_owned()),
        };
        Some(Self { range: call.range, level, module })
    }
}

fn text_of(expr: &Expr) -> Option<&str> {
    expr.as_string_literal_expr().map(|literal| literal.value.to_str())
}

#[derive(Default)]
struct Collector {
    found: FxHashMap<TextRange, ModuleValue>,
}

impl<'a> SourceOrderVisitor<'a> for Collector {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            // A module that is imported for what its code does is not read from.
            Stmt::Expr(statement) => source_order::walk_expr(self, &statement.value),
            _ => source_order::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        let value = match expr {
            Expr::Call(call) => ModuleValue::called(call).map(|value| (call.func.range(), value)),
            Expr::Subscript(item) if item.ctx == ExprContext::Load => text_of(&item.slice).map(|module| {
                let value = ModuleValue { range: item.range, level: 0, module: module.to_owned() };
                (item.value.range(), value)
            }),
            _ => None,
        };
        self.found.extend(value);
        source_order::walk_expr(self, expr);
    }
}
