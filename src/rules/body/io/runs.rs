//! Plain calls of tasks and workflows, outside of a run: in the `__main__` block, in tests and scripts.
//!
//! ```python
//! if __name__ == "__main__":
//!     print(main(n=1))           # goes on as it is, but where files are uploaded: below `flyte.init()`
//!     print(flyte.with_runcontext(mode="local").run(main, n=1).outputs()[0])    # where frames are handed over
//! ```
//!
//! A plain call runs the functions as they are, on the values of the caller and in its event loop. `File.from_local_sync` asks for `flyte.init()` then, a frame that is
//! handed over has no address yet, a time without a zone stays one, `flyte.ctx()` is empty, and a named tuple of one field
//! stays a tuple.
//!
//! # FM281
//!
//! ## What it does
//!
//! Speaks of a call of a task or workflow in code that is none, if what it calls needs a run on Flyte 2 or uploads files.
//! In the `__main__` block, and in functions that only run in it, `flyte.init()` and, where needed, `flyte.with_runcontext(mode="local").run(…)` are written.
//! Speaks also of `asyncio.run` that is written in a function, as a workflow is `async` now, and of tests that expect a
//! `TypeError`, as a plain call no longer looks at the types of its inputs, and of code that expects any other exception,
//! as a plain call raises `flyte.errors.RuntimeUserError` instead. And of scripts and tests that stay as they are and call
//! a plain function or a class whose new code works with values of `flyte.io`.
//!
//! ## Why
//!
//! A plain call runs the function itself. That is not enough where files are uploaded or read, or tasks need a context.
//! `asyncio.run` fails where an event loop runs already: in what `async` code calls, in servers and in notebooks.
//!
//! ## Example
//!
//! ```python
//! # tasks.py
//! from flytekit import task
//! from flytekit.types.file import FlyteFile
//!
//!
//! @task
//! def write(text: str) -> FlyteFile:
//!     with open("out.txt", "w") as fh:
//!         fh.write(text)
//!     return FlyteFile("out.txt")
//! ```
//!
//! ```python
//! # test_tasks.py
//! from tasks import write
//!
//!
//! def test_write():
//!     assert write(text="abc")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! # tasks.py
//! from flyte import TaskEnvironment
//! from flyte.io import File
//!
//! env = TaskEnvironment(name="tasks")
//!
//!
//! @env.task
//! def write(text: str) -> File:
//!     with open("out.txt", "w") as fh:
//!         fh.write(text)
//!     return File.from_local_sync("out.txt")
//! ```
//!
//! ## Fix safety
//!
//! Unsafe. Outside of the `__main__` block and its functions the call stays as it is: call `flyte.init()` before it. `asyncio.run` is a
//! note; where `async` code of the same file calls the function, the workflow stays on Flyte 1.
//!
//! ## Not handled
//!
//! Results that are read by name. `async` code in other files, or that calls a function by way of others.
//!
//! ## References
//!
//! `flyte/_run.py` and `flyte/_initialize.py` of flyte 2.12.1.

use std::collections::HashSet;

use super::apart;
use super::main_block::{self, Place};
use super::types::{IoType, Shape, shape};
use crate::project::graph::{EntityKind, NodeId};
use crate::project::reach::helpers_of;
use crate::python::Ranged;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, Stmt};
use crate::python::items::{indentation_at, line_start};
use crate::rules::body::BodyContext;
use crate::rules::body::mapper::Mapper;
use crate::rules::body::named_results;
use crate::rules::body::shapes::{self, Shape::OneField};
use crate::rules::codes::PLAIN_CALL;
use crate::rules::{Effect, Finding};
use crate::source::{TextRange, TextSize};

/// What a plain call needs to run as it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// Nothing.
    Nothing,
    /// `flyte.init()`
    Init,
    /// A run.
    Run,
}

/// Parts of the context of Flyte 1 that are read from `flyte.ctx()`, which is empty outside of a run.
const OF_A_RUN: [&str; 5] = ["execution_id", "execution_date", "raw_output_prefix", "attempt", "checkpoint"];

/// What a call of an entity needs, also for the sake of its arguments.
fn need_of_call(cx: &BodyContext<'_>, call: &ast::ExprCall, entity: NodeId) -> Need {
    if apart::changes_arguments(cx, call, entity) { Need::Run } else { need(cx, entity) }
}

/// What a call of an entity needs: it, and all that it calls.
fn need(cx: &BodyContext<'_>, entity: NodeId) -> Need {
    let mut seen = HashSet::from([entity]);
    let mut pending = vec![entity];
    let mut need = Need::Nothing;
    while let Some(node) = pending.pop() {
        need = need.max(own_need(cx, node));
        let Some(entity) = cx.graph.entity(node) else { continue };
        pending.extend(entity.calls.iter().map(|(_, callee)| *callee).filter(|&callee| seen.insert(callee)));
    }
    need
}

fn own_need(cx: &BodyContext<'_>, node: NodeId) -> Need {
    if cx.graph.container(node).is_some() {
        return Need::Run;
    }
    let Some(function) = cx.function(node) else { return Need::Nothing };
    let file = cx.graph.nodes[node].file;
    let text = cx.text_of(node, function.range);
    let reads_run =
        |text: &str| text.contains("current_context") && OF_A_RUN.iter().any(|part| text.contains(part));
    if reads_run(text) || helpers_of(cx.project, cx.graph, node).into_iter().any(reads_run) {
        return Need::Run;
    }
    if reads_one_field(cx, node) || apart::calls_what_is_apart(cx, node) {
        return Need::Run;
    }
    let of = |range: TextRange| {
        let shape = shape(cx.project, file, range);
        // A run, as any call on Flyte 1, makes a time without a zone one of UTC.
        if hands_over_times(cx, &shape) { Need::Run } else { of_shape(cx, &shape, 0) }
    };
    let returned = function.returns.map_or(Need::Nothing, of);
    let parameters = function.parameters.iter().filter_map(|parameter| parameter.annotation).map(of);
    // What is handed over is uploaded before it is.
    parameters.chain([returned]).max().unwrap_or(Need::Nothing)
}

/// Whether a workflow or dynamic calls what gives a named tuple of one field: a run hands over the bare value, and
/// that is what the code reads; a plain call hands over the tuple.
fn reads_one_field(cx: &BodyContext<'_>, node: NodeId) -> bool {
    cx.graph.entity(node).is_some_and(|entity| {
        entity.kind != EntityKind::Task
            && entity.calls.iter().any(|(_, callee)| matches!(shapes::shape(cx, *callee), OneField(_)))
    })
}

fn of_shape(cx: &BodyContext<'_>, shape: &Shape, depth: usize) -> Need {
    match shape {
        Shape::Io(IoType::Frame) => Need::Run,
        Shape::Io(_) => Need::Init,
        Shape::Optional(inner) | Shape::Many(inner) | Shape::Mapping(inner) => of_shape(cx, inner, depth),
        Shape::Tuple(elements) => {
            elements.iter().map(|element| of_shape(cx, element, depth)).max().unwrap_or(Need::Nothing)
        }
        Shape::Class(file, statement) if depth < 4 => {
            let fields = super::types::fields(cx.project, *file, *statement);
            fields.iter().map(|(_, field)| of_shape(cx, field, depth + 1)).max().unwrap_or(Need::Nothing)
        }
        Shape::Class(..) | Shape::Pandas | Shape::Moment | Shape::Other => Need::Nothing,
    }
}

/// Whether a value holds times that are handed over by themselves; those of a dataclass go on as they are.
fn hands_over_times(cx: &BodyContext<'_>, shape: &Shape) -> bool {
    match shape {
        Shape::Moment => true,
        Shape::Optional(inner) | Shape::Many(inner) | Shape::Mapping(inner) => hands_over_times(cx, inner),
        Shape::Tuple(elements) => elements.iter().any(|element| hands_over_times(cx, element)),
        Shape::Class(file, statement) if is_named_tuple(cx, *file, *statement) => {
            let fields = super::types::fields(cx.project, *file, *statement);
            fields.iter().any(|(_, field)| *field == Shape::Moment)
        }
        Shape::Class(..) | Shape::Io(_) | Shape::Pandas | Shape::Other => false,
    }
}

/// A plain call of a task or workflow.
pub(in crate::rules::body) fn expression(mapper: &mut Mapper<'_>, expr: &Expr) -> bool {
    let Expr::Call(call) = expr else { return false };
    let cx = mapper.cx;
    let Some(entity) = cx.entity(&call.func).filter(|_| !mapper.is_entity()) else { return false };
    let need = need_of_call(cx, call, entity);
    let name = &cx.text[call.func.range()];
    if need == Need::Nothing {
        return false;
    }
    mapper.call(call.func.range(), entity);
    match (need, main_block::place(mapper) != Place::Elsewhere) {
        (Need::Nothing, _) | (Need::Init, true) => return false,
        (Need::Run, true) => return run(mapper, call, entity),
        (Need::Init, false) => {
            let message = format!("`{name}` is called outside of a run, and files are uploaded");
            let help = "Call `flyte.init()` before it";
            mapper.find(Finding::new(&PLAIN_CALL, call.func.range(), Effect::Unsafe, message).help(help));
        }
        (Need::Run, false) => {
            let message = format!("`{name}` is called outside of a run, and needs one on Flyte 2");
            let help = format!(
                "Write `flyte.with_runcontext(mode=\"local\").run({name}, …){}` for the call, below `flyte.init()`",
                outputs(cx, entity).unwrap_or_default()
            );
            mapper.find(Finding::new(&PLAIN_CALL, call.func.range(), Effect::Unsafe, message).help(help));
        }
    }
    false
}

/// `main(n=1)` becomes a run of `main`.
fn run(mapper: &mut Mapper<'_>, call: &ast::ExprCall, entity: NodeId) -> bool {
    let cx = mapper.cx;
    let is_named =
        named_results::may_give_named_tuple(cx, entity) && !named_results::is_read_alike(mapper, call);
    let class = if is_named { named_results::class(mapper, call, entity) } else { None };
    let Some(outputs) = outputs(cx, entity).filter(|_| class.is_some() || !is_named) else {
        let name = &cx.text[call.func.range()];
        let message = format!("`{name}` needs a run on Flyte 2, whose outputs have no names");
        let help = "Run it by hand with `flyte.with_runcontext(mode=\"local\").run`, and read the outputs by position";
        mapper.find(Finding::new(&PLAIN_CALL, call.func.range(), Effect::Blocking, message).help(help));
        return true;
    };
    let context = mapper.flyte("with_runcontext");
    let mode = cx.facts.style.string("local");
    let name = mapper.rewriter.take(call.func.range());
    mapper.rewriter.replace(call.func.range(), format!("{context}(mode={mode}).run"));
    let separator = if call.arguments.is_empty() { "" } else { ", " };
    let inside = call.arguments.range.start() + TextSize::from(1);
    mapper.rewriter.insert(inside, format!("{name}{separator}"));
    mapper.rewriter.surround(call.range, "", outputs);
    if let Some(class) = class {
        mapper.rewriter.surround(call.range, &format!("{class}(*"), ")");
    }
    true
}

/// How the values that an entity gives are read from a run of it; `None` if how many there are cannot be told.
fn outputs(cx: &BodyContext<'_>, entity: NodeId) -> Option<&'static str> {
    let returns = cx.function(entity).and_then(|function| function.returns);
    let is_tuple = |range| matches!(shape(cx.project, cx.graph.nodes[entity].file, range), Shape::Tuple(_));
    match shapes::shape(cx, entity) {
        shapes::Shape::Nothing => Some(""),
        _ if returns.is_some_and(is_tuple) => Some(".outputs()"),
        shapes::Shape::Tuple(_) | shapes::Shape::Named(..) => Some(".outputs()"),
        shapes::Shape::One(_) | shapes::Shape::OneField(_) => Some(".outputs()[0]"),
        shapes::Shape::Unknown => None,
    }
}

fn is_named_tuple(cx: &BodyContext<'_>, file: usize, statement: usize) -> bool {
    let range = cx.project.facts(file).map(|facts| facts.module.statements[statement]);
    range.is_some_and(|range| cx.project.text(file)[range].contains("NamedTuple"))
}

/// The `__main__` block, and each function that only runs in it, begin with `flyte.init()`, if what they call needs that.
pub(in crate::rules::body) fn statement(mapper: &mut Mapper<'_>, stmt: &Stmt) -> bool {
    let cx = mapper.cx;
    let body = match stmt {
        Stmt::If(block) => &block.body,
        Stmt::FunctionDef(function) => &function.body,
        _ => return false,
    };
    let is_whole = main_block::code(mapper).is_some_and(|statement| {
        let whole = cx.facts.module.statements[statement];
        whole.contains_range(stmt.range()) && whole.end() == stmt.end()
    });
    if !is_whole || mapper.is_entity() || cx.text[stmt.range()].contains("flyte.init") {
        return false;
    }
    let mut calls = Calls { cx, need: Need::Nothing };
    body.iter().for_each(|statement| calls.visit_stmt(statement));
    if calls.need == Need::Nothing {
        return false;
    }
    // Asked last: it looks for the calls of a function in the whole project.
    match (stmt, main_block::place(mapper)) {
        (Stmt::If(_), Place::Block) | (Stmt::FunctionDef(_), Place::Called) => {}
        _ => return false,
    }
    let is_docstring =
        |stmt: &&Stmt| matches!(stmt, Stmt::Expr(first) if first.value.is_string_literal_expr());
    let Some(first) = body.iter().find(|stmt| !is_docstring(stmt)) else { return false };
    let init = mapper.flyte("init");
    let start = first.start();
    let before = &cx.text[TextRange::new(line_start(cx.text, start), start)];
    let text = if before.trim().is_empty() {
        format!("{init}()\n{}", indentation_at(cx.text, start))
    } else {
        format!("{init}(); ")
    };
    mapper.rewriter.insert(start, text);
    true
}

/// Finds what the calls in a block need.
struct Calls<'a> {
    cx: &'a BodyContext<'a>,
    need: Need,
}

impl<'a> SourceOrderVisitor<'a> for Calls<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr
            && let Some(entity) = self.cx.entity(&call.func)
        {
            self.need = self.need.max(need_of_call(self.cx, call, entity));
        }
        source_order::walk_expr(self, expr);
    }
}
