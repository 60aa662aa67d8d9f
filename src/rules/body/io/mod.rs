//! Files, directories and frames: `FlyteFile`, `FlyteDirectory` and `StructuredDataset` become `flyte.io.File`, `Dir`
//! and `DataFrame`.
//!
//! ```python
//! def count(f: FlyteFile["csv"]) -> FlyteFile:
//!     frame = pd.read_csv(f)
//!     frame.to_csv("out.csv")
//!     return "out.csv"
//!
//! def count(f: File) -> File:
//!     frame = pd.read_csv(f.download_sync())
//!     frame.to_csv("out.csv")
//!     return File.from_local_sync("out.csv")
//! ```
//!
//! `types` reads annotations, `paths` tells local paths from addresses, `early` finds values that are made before the file
//! is written, and `function` follows the values through a
//! function. What cannot be followed for certain is a finding.
//!
//! # FM275
//!
//! ## What it does
//!
//! Follows files, directories and frames through a function and downloads them where their path is wanted. This finding speaks
//! of a use that cannot be followed or has no counterpart.
//!
//! ## Why
//!
//! A `FlyteFile` is a path by itself and downloads itself when it is opened. A `File` of Flyte 2 has to be downloaded by a call,
//! so every place where its path is read must be known.
//!
//! ## Example
//!
//! ```python
//! from flytekit import task
//! from flytekit.types.file import FlyteFile
//!
//!
//! @task
//! def step(f: FlyteFile) -> str:
//!     return f.extension()
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import task
//! from flytekit.types.file import FlyteFile
//!
//!
//! @task
//! def step(f: FlyteFile) -> str:
//!     with open(f) as text:
//!         return text.read()
//! ```
//!
//! ## Fix safety
//!
//! By hand. Uses that can be followed are rewritten with the task. Unsafe where a helper or a method changes a file through
//! a path that the task downloads by itself: on Flyte 1 both had one copy.
//!
//! ## Not handled
//!
//! Values handed to code without annotations, unless it reads nothing but fields without files, names that are bound more than once outside of comprehensions, values that are made before their file is written and then stored somewhere, and annotations put together of several strings. Paths whose
//! text is not known, such as those of the environment or of lists with a name, where a file is wanted. Frames of pandas
//! that reach a `StructuredDataset` in lists as a whole or by `**`.
//!
//! ## References
//!
//! `flytekit/types/file/file.py` of flytekit 1.16.31; `flyte/io/_file.py` of flyte 2.12.1.
//!
//! # FM277
//!
//! ## What it does
//!
//! Writes `File` for `FlyteFile["csv"]`.
//!
//! ## Why
//!
//! The format is no part of the type on Flyte 2. Flyte 1 refused a file of another format where one was expected; Flyte 2 does not.
//!
//! ## Example
//!
//! ```python
//! from flytekit import task
//! from flytekit.types.file import FlyteFile
//!
//!
//! @task
//! def step(f: FlyteFile["csv"]) -> str:
//!     with open(f) as text:
//!         return text.read()
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import TaskEnvironment
//! from flyte.io import File
//!
//! env = TaskEnvironment(name="example")
//!
//!
//! @env.task
//! def step(f: File) -> str:
//!     with open(f.download_sync()) as text:
//!         return text.read()
//! ```
//!
//! ## Fix safety
//!
//! Informs.
//!
//! ## Not handled
//!
//! Nothing checks the format any more.
//!
//! ## References
//!
//! `flytekit/types/file/file.py` of flytekit 1.16.31; `flyte/io/_file.py` of flyte 2.12.1.

mod apart;
mod early;
mod function;
mod main_block;
pub(super) mod paths;
pub(super) mod runs;
mod types;

use super::mapper::Mapper;
use crate::flyte1::symbol::{Symbol, is_flyte1_root};
use crate::python::Ranged;
use crate::python::ast::{self, Expr, Stmt};
use crate::python::scope::{BindingKind, Role};
use crate::rules::codes::{FILE_USE, FORMAT};
use crate::rules::{Effect, Finding};
pub(super) use apart::changes_arguments;
use function::{FunctionIo, Names, Outcome};
use types::IoType;

/// Whether a symbol is a type whose values are files, directories or frames.
pub fn is_type_of_data(symbol: &Symbol) -> bool {
    IoType::of(symbol).is_some()
}

/// A function, before what stands in it is mapped.
pub(super) fn function(mapper: &mut Mapper<'_>, function: &ast::StmtFunctionDef) {
    let cx = mapper.cx;
    let kind = cx.graph.entity(mapper.node).map(|entity| entity.kind);
    let mut names = MapperNames { mapper };
    let outcome = FunctionIo::new(cx, kind, &mut names, &function.body).function(function);
    apply(mapper, outcome);
    quoted_annotations(mapper, function);
}

/// A statement at the top level that is no function and no class.
pub(super) fn code(mapper: &mut Mapper<'_>, statement: &Stmt) {
    if matches!(statement, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) {
        return;
    }
    let cx = mapper.cx;
    let mut names = MapperNames { mapper };
    let outcome = FunctionIo::new(cx, None, &mut names, std::slice::from_ref(statement)).code(statement);
    apply(mapper, outcome);
}

fn apply(mapper: &mut Mapper<'_>, outcome: Outcome) {
    outcome.findings.into_iter().for_each(|finding| mapper.find(finding));
    outcome.consumed.into_iter().for_each(|range| mapper.consume(range));
    outcome.edits.into_iter().for_each(|edit| mapper.rewriter.push(edit));
}

struct MapperNames<'m, 'a> {
    mapper: &'m mut Mapper<'a>,
}

impl Names for MapperNames<'_, '_> {
    fn io(&mut self, io: IoType) -> String {
        self.mapper.item("flyte.io", io.name())
    }

    fn path(&mut self) -> String {
        self.mapper.item("pathlib", "Path")
    }
}

/// The name of a type: in an annotation, an alias, `isinstance`.
pub(super) fn expression(mapper: &mut Mapper<'_>, expr: &Expr) -> bool {
    let cx = mapper.cx;
    if let Expr::Call(call) = expr {
        return columns(mapper, call);
    }
    if let Expr::Subscript(subscript) = expr {
        let io = cx.symbol(&subscript.value).as_ref().and_then(IoType::of);
        let is_callee = mapper.rewriter.is_replaced(expr.range());
        if let Some(io) = io.filter(|_| !is_callee) {
            mapper.rewriter.take(expr.range());
            let name = mapper.item("flyte.io", io.name());
            mapper.rewriter.replace(expr.range(), name);
            let message = format!(
                "`{}` becomes `{}`: the format is no longer part of the type",
                &cx.text[expr.range()],
                io.name()
            );
            mapper.find(Finding::new(&FORMAT, expr.range(), Effect::Info, message));
            return true;
        }
        return false;
    }
    let (Some(reference), Some(io)) = (cx.reference(expr), cx.symbol(expr).as_ref().and_then(IoType::of))
    else {
        return false;
    };
    if matches!(reference.role, Role::Callee(_) | Role::CalleeOf(_)) || mapper.is_consumed(expr.range()) {
        return false;
    }
    mapper.consume(expr.range());
    let name = mapper.item("flyte.io", io.name());
    mapper.rewriter.replace(expr.range(), name);
    true
}

/// `kwtypes(a=int)` makes a dict of what it is given.
fn columns(mapper: &mut Mapper<'_>, call: &ast::ExprCall) -> bool {
    let is_kwtypes =
        matches!(mapper.cx.symbol(&call.func), Some(Symbol::Other(path)) if path == "flytekit.kwtypes");
    if is_kwtypes {
        mapper.consume(call.func.range());
        let name = mapper.item("collections", "OrderedDict");
        mapper.rewriter.replace(call.func.range(), name);
    }
    is_kwtypes
}

/// Annotations that are still in quotes have parts or escapes and are not read; what they name of Flyte 1 would be gone.
fn quoted_annotations(mapper: &mut Mapper<'_>, function: &ast::StmtFunctionDef) {
    let parameters = function.parameters.iter_non_variadic_params();
    let annotations = parameters.filter_map(|parameter| parameter.parameter.annotation.as_deref());
    for annotation in annotations.chain(function.returns.as_deref()) {
        let Some(literal) = annotation.as_string_literal_expr() else { continue };
        let mut words = literal.value.to_str().split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let bindings = &mapper.cx.facts.module.bindings;
        let is_flyte1 = |word: &str| {
            bindings.iter().any(|binding| {
                binding.name == word
                    && matches!(&binding.kind, BindingKind::Import(path) if path.level == 0 && is_flyte1_root(path.root()))
            })
        };
        if words.any(is_flyte1) {
            let message = format!("`{}` in quotes cannot be followed", literal.value.to_str());
            mapper.find(
                Finding::new(&FILE_USE, annotation.range(), Effect::Blocking, message)
                    .help("Take the quotes away; `from __future__ import annotations` does the same"),
            );
        }
    }
}
