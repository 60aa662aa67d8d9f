//! What the body of a workflow computes itself.
//!
//! # FM215
//!
//! ## What it does
//!
//! Names code in the body of a workflow that may give another value each time it runs: the time, an environment variable,
//! a random name, a function of the project, a change of something that the module holds.
//!
//! ## Why
//!
//! Flyte 1 runs the body of a workflow when it is registered. What is computed there is a constant of the workflow, the
//! same in all its executions. On Flyte 2 the body runs in the pod of each run.
//!
//! ## Example
//!
//! ```python
//! import os
//!
//! from flytekit import task, workflow
//!
//!
//! @task
//! def load(region: str) -> str:
//!     return region
//!
//!
//! @workflow
//! def main() -> str:
//!     return load(region=os.environ["REGION"])
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import os
//!
//! from flyte import TaskEnvironment
//!
//! env = TaskEnvironment(name="example")
//!
//!
//! @env.task
//! def load(region: str) -> str:
//!     return region
//!
//!
//! @env.task
//! def main() -> str:
//!     return load(region=os.environ["REGION"])
//! ```
//!
//! ## Fix safety
//!
//! Informs.
//!
//! ## Not handled
//!
//! Values that are computed while the module is imported: Flyte 1 imported it in the pods of tasks as well. The body of a
//! `@dynamic`, which ran in a pod on Flyte 1 too.
//!
//! ## References
//!
//! `flytekit/core/workflow.py` (`PythonFunctionWorkflow.compile`) of flytekit 1.16.31.

use std::collections::HashSet;

use super::io::paths::dotted;
use super::{BodyContext, MappedBody};
use crate::project::graph::{EntityKind, NodeId};
use crate::project::link::Target;
use crate::python::Ranged;
use crate::python::annotation::Definition;
use crate::python::ast::name::Name;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{Expr, Stmt, StmtFunctionDef};
use crate::python::scope::{Binding, BindingKind, Module};
use crate::rules::codes::REGISTERED_VALUE;
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// Libraries whose functions give the same for the same, or whose effects nobody waits for.
const CONSTANT_LIBRARIES: [&str; 13] = [
    "collections",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "itertools",
    "logging",
    "math",
    "operator",
    "re",
    "string",
    "textwrap",
    "typing",
];

/// The same, of libraries that have others too.
const CONSTANT_FUNCTIONS: [&str; 24] = [
    "copy.copy",
    "copy.deepcopy",
    "dataclasses.asdict",
    "dataclasses.replace",
    "datetime.date",
    "datetime.date.fromisoformat",
    "datetime.datetime",
    "datetime.datetime.fromisoformat",
    "datetime.datetime.strptime",
    "datetime.time",
    "datetime.timedelta",
    "datetime.timezone",
    "json.dumps",
    "json.loads",
    "numpy.array",
    "os.path.basename",
    "os.path.dirname",
    "os.path.join",
    "os.path.normpath",
    "os.path.splitext",
    "pandas.DataFrame",
    "pandas.Series",
    "pathlib.Path",
    "pathlib.PurePath",
];

/// Methods of strings, dicts, lists and loggers that change nothing.
const CONSTANT_METHODS: [&str; 21] = [
    "copy",
    "count",
    "critical",
    "debug",
    "endswith",
    "error",
    "format",
    "get",
    "index",
    "info",
    "items",
    "join",
    "keys",
    "lower",
    "replace",
    "split",
    "startswith",
    "strip",
    "upper",
    "values",
    "warning",
];

/// Builtins that read what lies outside.
const READERS: [&str; 2] = ["input", "open"];

/// Says what the body of a workflow computes that Flyte 1 computed once for all executions.
pub(super) fn find(cx: &BodyContext<'_>, node: NodeId, function: &StmtFunctionDef, body: &mut MappedBody) {
    if cx.graph.entity(node).is_none_or(|entity| entity.kind != EntityKind::Workflow) {
        return;
    }
    let locals = function.parameters.iter().map(|parameter| parameter.name().as_str()).collect();
    let mut reader = Reader { cx, locals, computed: Vec::new(), changed: Vec::new() };
    reader.visit_body(&function.body);
    let computed = reader.computed.into_iter().map(|range| {
        let message = format!(
            "`{}` ran once, when Flyte 1 registered the workflow; on Flyte 2 it runs in each run",
            &cx.text[range]
        );
        let help = "Make it an input of the workflow where all runs must have the same value";
        Finding::new(&REGISTERED_VALUE, range, Effect::Info, message).help(help)
    });
    let changed = reader.changed.into_iter().map(|range| {
        let message = format!(
            "`{}` changed once, when Flyte 1 registered the workflow; on Flyte 2 it changes in the pod of each run",
            &cx.text[range]
        );
        let help = "Give values from one to another as inputs";
        Finding::new(&REGISTERED_VALUE, range, Effect::Info, message).help(help)
    });
    body.findings.extend(computed.chain(changed));
}

struct Reader<'a> {
    cx: &'a BodyContext<'a>,
    /// The parameters of the workflow.
    locals: HashSet<&'a str>,
    computed: Vec<TextRange>,
    changed: Vec<TextRange>,
}

impl<'a> SourceOrderVisitor<'a> for Reader<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let targets = match stmt {
            Stmt::Assign(assign) => assign.targets.as_slice(),
            Stmt::AugAssign(assign) => std::slice::from_ref(&*assign.target),
            _ => &[],
        };
        let changed = targets.iter().filter(|target| self.is_of_module(target)).map(Ranged::range);
        self.changed.extend(changed.collect::<Vec<_>>());
        source_order::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        let is_computed = match expr {
            Expr::Call(call) => self.is_variable_call(&call.func),
            Expr::Subscript(subscript) => {
                self.external(&subscript.value).is_some_and(|path| path == "os.environ")
            }
            _ => false,
        };
        if is_computed {
            self.computed.push(expr.range());
        } else {
            source_order::walk_expr(self, expr);
        }
    }
}

impl Reader<'_> {
    /// `STATE["n"]` and `STATE.n` of a name of the module.
    fn is_of_module(&self, target: &Expr) -> bool {
        let object = match target {
            Expr::Subscript(subscript) => &subscript.value,
            Expr::Attribute(attribute) => &attribute.value,
            _ => return false,
        };
        let targets =
            self.cx.reference(object).map(|reference| self.cx.project.resolve(self.cx.file, reference));
        targets.is_some_and(|targets| targets.iter().any(|target| matches!(target, Target::Binding(..))))
    }

    /// The dotted path of what an expression reads from another library.
    fn external(&self, expr: &Expr) -> Option<String> {
        let (root, path) = dotted(expr).filter(|(root, _)| !self.locals.contains(root))?;
        let mut bindings = self.cx.facts.module.bindings.iter().filter(|binding| binding.name == root);
        let first = bindings.next()?;
        let BindingKind::Import(import) = &first.kind else { return None };
        let is_certain = import.level == 0 && bindings.all(|other| other.kind == first.kind);
        is_certain.then(|| format!("{}{}", import.dotted(), &path[root.len()..]))
    }

    /// Whether a call may give something else each time.
    fn is_variable_call(&self, callee: &Expr) -> bool {
        let cx = self.cx;
        if cx.callee(callee).is_some() || cx.plan(callee).is_some() || cx.symbol(callee).is_some() {
            return false;
        }
        let Some(reference) = cx.reference(callee) else {
            return match (self.external(callee), callee) {
                (Some(path), _) => !is_constant(&path),
                (None, Expr::Name(name)) => READERS.contains(&name.id.as_str()),
                _ => false,
            };
        };
        let mut targets = cx.project.resolve(cx.file, reference).iter();
        targets.any(|target| match target {
            Target::External(path) => !is_constant(path),
            Target::Binding(file, binding, rest) => {
                let module = cx.project.facts(*file).map(|facts| &facts.module);
                module.is_some_and(|module| gives_others(module, &module.bindings[*binding], rest))
            }
            Target::Flyte1(_) | Target::Module(_) | Target::Folder(_) | Target::Unknown => false,
        })
    }
}

/// Whether a call of a name of a module, or of an attribute of it, may give something else each time: a function, or a
/// method of an object that is no string, list or dict.
fn gives_others(module: &Module, binding: &Binding, attributes: &[Name]) -> bool {
    match (&binding.kind, attributes.last()) {
        (BindingKind::Definition, None) => {
            matches!(module.definitions.get(&binding.owner), Some(Definition::Function { .. }))
        }
        (BindingKind::Assignment { .. }, Some(method)) => !CONSTANT_METHODS.contains(&method.as_str()),
        _ => false,
    }
}

fn is_constant(path: &str) -> bool {
    let library = path.split('.').next().unwrap_or_default();
    CONSTANT_LIBRARIES.contains(&library) || CONSTANT_FUNCTIONS.contains(&path)
}
