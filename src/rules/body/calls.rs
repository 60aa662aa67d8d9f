//! Calls of tasks, dynamics and workflows, in all the forms that Flyte 1 has for them.
//!
//! ```python
//! f(n=1)                                    # stays; in `async` code `await f.aio(n=1)`
//! f(n=1).with_overrides(retries=2)          # f.override(retries=2)(n=1)
//! create_node(f, n=1)                       # f(n=1)
//! map_task(f)(n=ns)                         # list(flyte.map(f, ns, return_exceptions=False))
//! f(n=1)                                    # inside a task: f.forward(n=1), in the same container as before
//! ```
//!
//! # FM234
//!
//! ## What it does
//!
//! Turns a call of a task inside a task into `forward`, which runs it in the same container.
//!
//! ## Why
//!
//! Flyte 1 ran such a call in the same container, on copies of the arguments. Flyte 2 would start another container with
//! its own image and resources; `forward` runs the function itself, on the very objects.
//!
//! ## Example
//!
//! ```python
//! from flytekit import task
//!
//!
//! @task
//! def double(n: int) -> int:
//!     return 2 * n
//!
//!
//! @task
//! def step(n: int) -> int:
//!     return double(n=n)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import TaskEnvironment
//!
//! env = TaskEnvironment(name="example")
//!
//!
//! @env.task
//! def double(n: int) -> int:
//!     return 2 * n
//!
//!
//! @env.task
//! def step(n: int) -> int:
//!     return double.forward(n=n)
//! ```
//!
//! ## Fix safety
//!
//! Informs. Take `.forward` away to run it as a task of its own. Unsafe where the task changes an argument that the caller may
//! use again.
//!
//! ## Not handled
//!
//! An `async` task that is called inside a task (FM203).
//!
//! ## References
//!
//! `forward` in `flyte/_task.py` of flyte 2.12.1.

use super::io;
use super::mapper::Mapper;
use super::maps::MapTask;
use super::shapes::{Shape, shape};
use super::values::Values;
use super::{BodyContext, eager, event_loop, launch_plan, maps, named_results, outputs, overrides};
use crate::project::graph::{EntityKind, NodeId};
use crate::python::Ranged;
use crate::python::ast::{self, Expr};
use crate::rules::codes::{CALL_INSIDE_TASK, OTHER_TASK, TASK_SHAPE, WORKFLOW_BODY};
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// A call of an entity.
#[derive(Debug)]
pub(super) struct NodeCall<'e> {
    /// The whole expression, with what is chained to it.
    pub(super) range: TextRange,
    /// The call that takes the inputs.
    pub(super) call: &'e ast::ExprCall,
    /// The expression that names the entity.
    pub(super) entity: &'e Expr,
    /// The entity.
    pub(super) node: NodeId,
    /// The calls of `with_overrides`, from the inside out.
    pub(super) overrides: Vec<&'e ast::ExprCall>,
    /// How it is called.
    pub(super) kind: Kind<'e>,
}

/// How an entity is called.
#[derive(Debug)]
pub(super) enum Kind<'e> {
    /// By its name.
    Plain,
    /// `create_node(entity, …)`
    Created,
    /// By the name of a launch plan of it.
    Planned,
    /// `map_task(entity)(…)`
    Mapped(MapTask<'e>),
}

impl<'e> NodeCall<'e> {
    /// The call that `expr` is.
    pub(super) fn of(cx: &BodyContext<'_>, values: &Values<'e>, expr: &'e Expr) -> Option<Self> {
        let Expr::Call(call) = expr else { return None };
        if let Expr::Attribute(attribute) = &*call.func
            && attribute.attr.as_str() == "with_overrides"
            && let Some(mut inner) = Self::of(cx, values, &attribute.value)
        {
            inner.range = call.range;
            inner.overrides.push(call);
            return Some(inner);
        }
        let (entity, node, kind) = if let Some(node) = cx.callee(&call.func) {
            (&*call.func, node, Kind::Plain)
        } else if let Some((_, plan)) = cx.plan(&call.func) {
            (&*call.func, plan.workflow, Kind::Planned)
        } else if cx.is_flyte1(&call.func, "create_node") {
            let entity = call.arguments.args.first()?;
            (entity, cx.callee(entity)?, Kind::Created)
        } else {
            let map = MapTask::of(cx, values, &call.func)?;
            (map.entity, map.node, Kind::Mapped(map))
        };
        Some(Self { range: call.range, call, entity, node, overrides: Vec::new(), kind })
    }
}

/// The construct: writes a call of an entity anew.
pub(super) fn expression<'a>(mapper: &mut Mapper<'a>, expr: &'a Expr) -> bool {
    let Some(call) = NodeCall::of(mapper.cx, mapper.values(), expr) else { return false };
    if is_inner(mapper) {
        return false;
    }
    let kind = mapper.cx.graph.entity(mapper.node).map(|entity| entity.kind);
    if matches!(call.kind, Kind::Planned) && !kind.is_some_and(EntityKind::is_flow) {
        return false;
    }
    match kind {
        None => {
            outside(mapper, &call);
            if matches!(call.kind, Kind::Plain) && call.overrides.is_empty() {
                named_results::wrap(mapper, call.call, call.node);
            }
        }
        Some(EntityKind::Task) => inside_task(mapper, &call),
        Some(EntityKind::Eager) if mapper.cx.graph.container(call.node).is_some() => {
            let what = "is called in `@eager`, where Flyte 1 ran it with the docker of its machine";
            find_container(mapper, &call, what, "Call it in a workflow, and await that");
        }
        Some(EntityKind::Eager) => eager(mapper, &call),
        Some(EntityKind::Dynamic | EntityKind::Workflow) => {
            if mapper.cx.is_awaited(call.node) {
                refuse_async(mapper, &call, "a workflow");
            }
            if mapper.cx.graph.container(call.node).is_some() {
                refuse_container(mapper, &call);
            }
            write(mapper, &call);
        }
    }
    true
}

/// Whether the current expression is what `.with_overrides` is called on: then the outer call is the one to write.
fn is_inner(mapper: &Mapper<'_>) -> bool {
    matches!(mapper.parent(), Some(Expr::Attribute(attribute)) if attribute.attr.as_str() == "with_overrides")
}

/// A call in `@eager`: what is `async` is awaited there already.
fn eager(mapper: &mut Mapper<'_>, call: &NodeCall<'_>) {
    if mapper.cx.is_awaited(call.node) && matches!(call.kind, Kind::Plain) && call.overrides.is_empty() {
        outputs::result_in_eager(mapper, call);
        return;
    }
    if mapper.cx.is_awaited(call.node) {
        refuse_async(mapper, call, "`map_task` or with overrides");
    }
    if matches!(shape(mapper.cx, call.node), Shape::OneField(_)) {
        let name = &mapper.cx.text[call.entity.range()];
        let message =
            format!("`{name}` gives a named tuple of one field here, and the bare value on Flyte 2");
        mapper.find(
            Finding::new(&WORKFLOW_BODY, call.entity.range(), Effect::Blocking, message)
                .help("Return the value itself from the task"),
        );
    }
    write(mapper, call);
    outputs::result_in_eager(mapper, call);
}

fn refuse_async(mapper: &mut Mapper<'_>, call: &NodeCall<'_>, place: &str) {
    let name = &mapper.cx.text[call.entity.range()];
    let message = format!("`{name}` is `async` and is called inside {place}");
    mapper.find(
        Finding::new(&TASK_SHAPE, call.entity.range(), Effect::Blocking, message)
            .help("Await it in `async` code"),
    );
}

/// A container task is awaited on Flyte 2, and its settings cannot be changed there.
fn refuse_container(mapper: &mut Mapper<'_>, call: &NodeCall<'_>) {
    let (what, help) = if !call.overrides.is_empty() {
        (
            "is called with overrides, and `override` of a container task fails on Flyte 2",
            "Define a container task of its own with these settings",
        )
    } else if !mapper.is_async() {
        (
            "is awaited on Flyte 2, and the code that calls it here cannot be `async`",
            "Call it in a workflow without other decorators, which no task calls",
        )
    } else {
        return;
    };
    find_container(mapper, call, what, help);
}

fn find_container(mapper: &mut Mapper<'_>, call: &NodeCall<'_>, what: &str, help: &str) {
    let message = format!("container task `{}` {what}", &mapper.cx.text[call.entity.range()]);
    mapper.find(Finding::new(&OTHER_TASK, call.entity.range(), Effect::Blocking, message).help(help));
}

/// A call in a dynamic or workflow.
fn write(mapper: &mut Mapper<'_>, call: &NodeCall<'_>) {
    for outer in &call.overrides {
        mapper.handle(outer.func.range());
    }
    if !matches!(call.kind, Kind::Plain) {
        mapper.handle(call.call.range);
        mapper.handle(call.call.func.range());
    }
    let suffix = overrides::suffix(mapper, call);
    match &call.kind {
        Kind::Mapped(map) => maps::write(mapper, call, map, &suffix),
        Kind::Plain => {
            mapper.rewriter.insert(call.entity.end(), called(mapper, call, &suffix));
        }
        Kind::Planned => {
            let suffix = called(mapper, call, &suffix);
            launch_plan::write_call(mapper, call, &suffix);
        }
        Kind::Created => {
            mapper.consume(call.call.func.range());
            mapper.call(call.entity.range(), call.node);
            let entity = mapper.rewriter.take(call.entity.range());
            let start = call
                .call
                .arguments
                .arguments_source_order()
                .nth(1)
                .map_or(call.call.arguments.end() - crate::source::TextSize::from(1), |second| {
                    second.start()
                });
            let text = format!("{entity}{}(", called(mapper, call, &suffix));
            mapper.rewriter.replace(TextRange::new(call.call.start(), start), text);
        }
    }
    if !call.overrides.is_empty() && !matches!(call.kind, Kind::Mapped(_)) {
        mapper.rewriter.replace(TextRange::new(call.call.end(), call.range.end()), "");
    }
    let is_awaited = match &call.kind {
        Kind::Mapped(map) => maps::is_gathered(mapper.cx, map),
        Kind::Plain | Kind::Planned | Kind::Created => true,
    };
    if mapper.is_async() && is_awaited && !eager::stays_awaitable(mapper) {
        awaited(mapper, call.range);
    }
}

/// What stands between the entity and its inputs.
fn called(mapper: &Mapper<'_>, call: &NodeCall<'_>, overrides: &str) -> String {
    let is_sync = !mapper.cx.graph.is_async(call.node);
    let aio = if mapper.is_async() && is_sync { ".aio" } else { "" };
    format!("{overrides}{aio}")
}

/// Puts `await` in front of `range`, in parentheses where something is read from the result.
pub(super) fn awaited(mapper: &mut Mapper<'_>, range: TextRange) {
    let is_operand = match mapper.parent() {
        Some(Expr::Await(_)) => return,
        Some(Expr::Attribute(_)) => true,
        Some(Expr::Subscript(subscript)) => subscript.value.range() == range,
        Some(Expr::Call(call)) => call.func.range() == range,
        _ => false,
    };
    let (before, after) = if is_operand { ("(await ", ")") } else { ("await ", "") };
    mapper.rewriter.surround_closely(range, before, after);
}

/// A call in code that is no entity: of what is `async` now, the result must be waited for.
fn outside(mapper: &mut Mapper<'_>, call: &NodeCall<'_>) {
    if !matches!(call.kind, Kind::Plain) || !call.overrides.is_empty() || !mapper.cx.graph.is_async(call.node)
    {
        return;
    }
    // What was `async` on Flyte 1 is awaited as it stands.
    if mapper.cx.is_awaited(call.node) {
        return;
    }
    mapper.call(call.entity.range(), call.node);
    if mapper.cx.graph.container(call.node).is_some() {
        let what = "is called outside of a workflow, which Flyte 2 refuses";
        find_container(mapper, call, what, "Run a workflow that calls it");
        return;
    }
    if mapper.is_async() {
        awaited(mapper, call.range);
    } else if event_loop::allows_run(mapper, call.call) {
        let asyncio = mapper.module("asyncio");
        mapper.rewriter.surround(call.range, &format!("{asyncio}.run("), ")");
    }
}

/// A call inside a task ran in the container of the task, without the settings of what it calls.
fn inside_task(mapper: &mut Mapper<'_>, call: &NodeCall<'_>) {
    if mapper.cx.graph.container(call.node).is_some() {
        mapper.handle(call.entity.range());
        let what = "is called inside a task, which Flyte 1 ran with the docker of its machine";
        find_container(mapper, call, what, "Call it from the workflow, and give the task what comes of it");
        return;
    }
    let callee = mapper.cx.graph.entity(call.node);
    let is_task = callee.is_some_and(|callee| callee.kind == EntityKind::Task);
    if !matches!(call.kind, Kind::Plain) || !call.overrides.is_empty() || !is_task {
        return;
    }
    let name = &mapper.cx.text[call.entity.range()];
    if mapper.cx.graph.is_async(call.node) || mapper.cx.is_awaited(call.node) {
        refuse_async(mapper, call, "a task");
        return;
    }
    mapper.handle(call.entity.range());
    mapper.rewriter.insert(call.entity.end(), ".forward");
    mapper.find(Finding::new(
        &CALL_INSIDE_TASK,
        call.entity.range(),
        Effect::Info,
        format!("`{name}` is called inside a task and goes on running in its container, with `forward`"),
    ));
    if io::changes_arguments(mapper.cx, call.call, call.node) {
        let message =
            format!("`{name}` changes what it is given; Flyte 1 gave it a copy, and `forward` does not");
        let finding = Finding::new(&CALL_INSIDE_TASK, call.entity.range(), Effect::Unsafe, message);
        mapper.find(
            finding.help("Hand over a copy, such as `copy.deepcopy(…)` makes, or change a copy in the task"),
        );
    }
}
