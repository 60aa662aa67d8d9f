//! `nightly = LaunchPlan.get_or_create(main, …)` at the top level.
//!
//! ```python
//! nightly = Trigger(name="nightly", …)      # moves above the workflow, which carries it
//! @env.task(triggers=(nightly,))
//! def main(): ...
//! ```
//!
//! Where it uses what is only defined below the workflow it stays where it is, and is given to the workflow there:
//! `main.triggers += (nightly,)`. Both are there when the module is loaded, which is when it is deployed.
//!
//! # FM274
//!
//! ## What it does
//!
//! Calls the workflow where a workflow calls a launch plan of it, with the inputs that the launch plan gives. Speaks of a
//! launch plan that is called elsewhere, passed on, made inside other code, or made away from its workflow.
//!
//! ## Why
//!
//! A trigger is an attribute of a task: it stands beside it, is deployed with it, and cannot be called.
//!
//! ## Example
//!
//! ```python
//! from flytekit import LaunchPlan, task, workflow
//!
//!
//! @task
//! def step(n: int, name: str) -> int:
//!     return n + len(name)
//!
//!
//! @workflow
//! def main(n: int = 1, name: str = "a") -> int:
//!     return step(n=n, name=name)
//!
//!
//! nightly = LaunchPlan.get_or_create(main, name="nightly", fixed_inputs={"name": "night"})
//!
//!
//! @workflow
//! def outer() -> int:
//!     return nightly(n=2)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import TaskEnvironment, Trigger
//!
//! env = TaskEnvironment(name="example")
//!
//!
//! @env.task
//! def step(n: int, name: str) -> int:
//!     return n + len(name)
//!
//!
//! nightly = Trigger(name="nightly", inputs={"name": "night"}, auto_activate=False)
//!
//!
//! @env.task(triggers=(nightly,))
//! def main(n: int = 1, name: str = "a") -> int:
//!     return step(n=n, name=name)
//!
//!
//! @env.task
//! def outer() -> int:
//!     return main(n=2, name="night")
//! ```
//!
//! ## Fix safety
//!
//! Unsafe. A launch plan ran its workflow in an execution of its own, with its own settings.
//!
//! ## Not handled
//!
//! A launch plan in another file than its workflow or its caller, inputs that cannot be read or that get another value
//! later, calls outside of workflows.
//!
//! ## References
//!
//! `flytekit/core/launch_plan.py` of flytekit 1.16.31; `flyte/_trigger.py` of flyte 2.12.1.

use super::calls::NodeCall;
use super::mapper::Mapper;
use super::{BodyContext, Trigger};
use crate::flyte2::chain::{Call as CallText, Chain};
use crate::flyte2::layout::{Place, layout};
use crate::project::FileId;
use crate::project::graph::NodeId;
use crate::project::plan::constant;
use crate::python::Ranged;
use crate::python::ast::{Expr, Stmt};
use crate::python::items::{items_between, line_start, next_line_start};
use crate::python::scope::{BindingId, Call, CallContext, Reference, Role};
use crate::python::value::{Value, ValueKind};
use crate::rules::codes::{FLYTE1_USE, LAUNCH_PLAN, LAUNCH_PLAN_USE};
use crate::rules::launch_plan::{
    self, MappedPlan, PlanContext, PlanMethod, takes_its_place, workflow_argument,
};
use crate::rules::{Effect, Finding};
use crate::source::{TextRange, TextSize};

/// A launch plan that is a statement at the top level.
struct Plan<'a> {
    call: &'a Call,
    method: PlanMethod,
    statement: TextRange,
    /// The variable that holds it.
    variable: Option<BindingId>,
    workflow: NodeId,
}

/// Maps a launch plan.
pub(super) fn statement(mapper: &mut Mapper<'_>, stmt: &Stmt) -> bool {
    let cx = mapper.cx;
    let Some((call, method)) = plan_call(cx, stmt) else { return false };
    if mapper.is_entity() || cx.facts.module.statements[call.owner] != stmt.range() {
        return false;
    }
    let Some(workflow) = workflow(mapper, method, call) else { return true };
    let facts = &cx.facts.module;
    let variable = facts.bindings.iter().position(|binding| {
        binding.owner == call.owner && binding.is_unconditional && stmt.range().contains_range(binding.range)
    });
    let plan = Plan { call, method, statement: stmt.range(), variable, workflow };
    let mapped = map(mapper, &plan);
    mapped.findings.iter().for_each(|finding| mapper.find(finding.clone()));
    consume(mapper, &plan, &mapped);
    find_uses(mapper, &plan);
    mapper.rewriter.take(stmt.range());
    if !mapped.is_possible() {
        return true;
    }
    if mapped.is_default {
        mapper.rewriter.remove(removal(cx.text, stmt.range()));
    } else {
        write(mapper, &plan, mapped);
    }
    true
}

/// A launch plan that is made inside other code.
pub(super) fn expression(mapper: &mut Mapper<'_>, expr: &Expr) -> bool {
    let cx = mapper.cx;
    let Expr::Call(made) = expr else { return false };
    let Some(method) = cx.symbol(&made.func).as_ref().and_then(PlanMethod::of) else { return false };
    let Some(call) = cx.facts.module.calls.iter().find(|call| call.range == made.range) else { return false };
    let statement = cx.facts.module.statements[call.owner];
    // A call that is all of a statement at the top level is mapped with it.
    let is_whole = match call.context {
        CallContext::Assigned(binding) => cx.facts.module.bindings[binding].is_unconditional,
        _ => statement == call.range,
    };
    if is_whole {
        return false;
    }
    if let Some(value) = workflow_argument(method, call)
        && let Some(reference) = cx.facts.reference_at(value.range)
        && let Some([node]) = cx.graph.nodes_of(cx.project, cx.file, reference).as_deref()
    {
        mapper.call(value.range, *node);
    }
    mapper.handle(call.callee);
    let message = "a launch plan is made inside other code; a trigger stands beside its workflow";
    let help = "Make it at the top level of the file of its workflow, in a statement of its own";
    mapper.find(Finding::new(&LAUNCH_PLAN_USE, call.callee, Effect::Blocking, message).help(help));
    true
}

/// The call that is all of a statement: `plan = LaunchPlan.create(…)`, or the call alone.
fn plan_call<'a>(cx: &BodyContext<'a>, stmt: &Stmt) -> Option<(&'a Call, PlanMethod)> {
    let value: &Expr = match stmt {
        Stmt::Assign(assign) if matches!(assign.targets[..], [Expr::Name(_)]) => &assign.value,
        Stmt::AnnAssign(assign) => assign.value.as_ref()?,
        Stmt::Expr(statement) => &statement.value,
        _ => return None,
    };
    let method = PlanMethod::of(&cx.symbol(&value.as_call_expr()?.func)?)?;
    let call = cx.facts.module.calls.iter().find(|call| call.outer_range == value.range())?;
    Some((call, method))
}

/// The workflow, which must stand in the same file: its triggers are deployed with the module that defines it.
fn workflow(mapper: &mut Mapper<'_>, method: PlanMethod, call: &Call) -> Option<NodeId> {
    let cx = mapper.cx;
    let value = workflow_argument(method, call)?;
    let nodes = cx.graph.nodes_of(cx.project, cx.file, cx.facts.reference_at(value.range)?)?;
    let [node] = nodes[..] else { return None };
    let function = cx.function(node)?;
    mapper.call(value.range, node);
    let why = if cx.graph.nodes[node].file != cx.file {
        "is defined in another file; a trigger is deployed with the file of its task"
    } else if function.owner >= call.owner {
        "is defined below its launch plan"
    } else {
        return Some(node);
    };
    let message = format!("`{}` {why}", &cx.text[value.range]);
    let help = "Move the launch plan below the workflow, into the same file";
    mapper.find(Finding::new(&LAUNCH_PLAN_USE, value.range, Effect::Blocking, message).help(help));
    None
}

fn map(mapper: &mut Mapper<'_>, plan: &Plan<'_>) -> MappedPlan {
    let cx = mapper.cx;
    let offset = plan.statement.start();
    let input = |name: &str| {
        let parameters = &cx.function(plan.workflow)?.parameters;
        let parameter = parameters.iter().find(|parameter| parameter.name == name)?;
        Some(parameter.annotation.map_or(String::new(), |range| cx.text_of(plan.workflow, range).to_owned()))
    };
    let plan_cx = PlanContext {
        text: cx.text,
        module: &cx.facts.module,
        style: &cx.facts.style,
        flyte: &|name| cx.names.of(name),
        line_length: cx.names.line_length,
        constant: &|name| constant(cx.project, cx.file, name, offset),
        symbol: &|range| cx.project.symbol(cx.file, cx.facts.reference_at(range)?),
        input: &input,
    };
    let mut mapped = launch_plan::map(&plan_cx, plan.method, plan.call);
    mapped.findings.extend(twin(cx, &plan_cx, plan, mapped.name.as_deref()));
    mapped
}

/// Flyte 1 gives back the launch plan that it has of a name; two triggers of a task cannot share one.
fn twin(
    cx: &BodyContext<'_>,
    plan_cx: &PlanContext<'_>,
    plan: &Plan<'_>,
    name: Option<&str>,
) -> Option<Finding> {
    let name = name?;
    let mut earlier = cx.facts.module.calls.iter().filter(|call| call.owner < plan.call.owner);
    let has_twin = earlier.any(|call| {
        let symbol = cx.facts.module.callee(call).and_then(|callee| cx.project.symbol(cx.file, callee));
        let method = symbol.as_ref().and_then(PlanMethod::of);
        method.and_then(|method| launch_plan::plan_name(plan_cx, method, call)).as_deref() == Some(name)
    });
    let message = format!("a launch plan called `{name}` is made above already");
    has_twin.then(|| {
        Finding::new(&LAUNCH_PLAN_USE, plan.call.callee, Effect::Blocking, message)
            .help("Make each launch plan once, or give this one a name of its own")
    })
}

/// What the trigger says itself goes; everything else of Flyte 1 in the statement has no place on Flyte 2.
fn consume(mapper: &mut Mapper<'_>, plan: &Plan<'_>, mapped: &MappedPlan) {
    let cx = mapper.cx;
    for reference in cx.facts.module.references_of(plan.call.owner) {
        let Some(symbol) = cx.project.symbol(cx.file, reference) else { continue };
        mapper.consume(reference.range);
        if mapped.is_possible()
            && reference.role != Role::Annotation
            && !mapped.consumed.contains(&reference.range)
        {
            let message = format!("`{}` of Flyte 1 is used by a launch plan", symbol.name());
            let help = "Replace it by its Flyte 2 counterpart by hand";
            mapper.find(Finding::new(&FLYTE1_USE, reference.range, Effect::Blocking, message).help(help));
        }
    }
}

/// A trigger cannot be called, and is nothing that flytekit knows.
fn find_uses(mapper: &mut Mapper<'_>, plan: &Plan<'_>) {
    let cx = mapper.cx;
    let Some(variable) = plan.variable else { return };
    let name = &cx.facts.module.bindings[variable].name;
    for (file, reference) in cx.project.references_to(cx.file, variable) {
        if is_called_in_flow(cx, file, reference) {
            continue;
        }
        let (range, place) = if file == cx.file {
            (reference.range, String::new())
        } else {
            (cx.facts.module.bindings[variable].range, format!(" in `{}`", cx.project.files[file].relative))
        };
        let message = match reference.role {
            Role::Callee(_) | Role::CalleeOf(_) => {
                format!("launch plan `{name}` is called{place}; a trigger cannot be")
            }
            _ => format!("launch plan `{name}` is used{place} as more than the schedule of its workflow"),
        };
        let help = "Call the workflow itself there, with the inputs of the launch plan";
        mapper.find(Finding::new(&LAUNCH_PLAN_USE, range, Effect::Blocking, message).help(help));
    }
}

/// Whether a workflow or dynamic calls the launch plan; the mapping of its body speaks of that.
fn is_called_in_flow(cx: &BodyContext<'_>, file: FileId, reference: &Reference) -> bool {
    let mut pieces = cx.graph.pieces(file, reference.owner);
    matches!(reference.role, Role::Callee(_) | Role::CalleeOf(_))
        && cx.graph.plan_of(cx.project, file, reference).is_some()
        && pieces.any(|piece| cx.graph.entity(piece).is_some_and(|entity| entity.kind.is_flow()))
}

/// A call of a launch plan becomes one of its workflow, with the inputs that the plan gives.
pub(super) fn write_call(mapper: &mut Mapper<'_>, call: &NodeCall<'_>, suffix: &str) {
    let plan = mapper.cx.text[call.entity.range()].to_owned();
    match inputs_of_call(mapper, call) {
        Ok((workflow, inputs)) => {
            let range = call.call.arguments.range;
            let items = items_between(mapper.cx.parsed.tokens(), range, mapper.cx.text).items;
            let (place, separator) = match items.last() {
                Some(last) => (last.range.end(), ", "),
                None => (range.start() + TextSize::from(1), ""),
            };
            if !inputs.is_empty() {
                mapper.rewriter.insert(place, format!("{separator}{}", inputs.join(", ")));
            }
            mapper.rewriter.replace(call.entity.range(), format!("{workflow}{suffix}"));
            let message = format!(
                "launch plan `{plan}` ran `{workflow}` in an execution of its own; on Flyte 2 it is a part of this run"
            );
            let help =
                "Look whether it needs settings of the launch plan, such as labels or `max_parallelism`";
            mapper.find(
                Finding::new(&LAUNCH_PLAN_USE, call.entity.range(), Effect::Unsafe, message).help(help),
            );
        }
        Err(why) => {
            let message = format!("launch plan `{plan}` is called, and {why}");
            let help = "Call the workflow itself there, with the inputs of the launch plan";
            mapper.find(
                Finding::new(&LAUNCH_PLAN_USE, call.entity.range(), Effect::Blocking, message).help(help),
            );
        }
    }
}

/// The name of the workflow and the inputs that are added to a call of its launch plan.
fn inputs_of_call<'a>(
    mapper: &Mapper<'a>,
    call: &NodeCall<'_>,
) -> Result<(&'a str, Vec<String>), &'static str> {
    let cx = mapper.cx;
    let (Some((file, plan)), Some(workflow)) = (cx.plan(call.entity), cx.function(call.node)) else {
        return Err("what it is cannot be told");
    };
    if file != cx.file || cx.graph.nodes[call.node].file != file {
        return Err("it is made in another file");
    }
    if mapper.values().binds(&workflow.name) {
        return Err("the name of its workflow means something else here");
    }
    if !call.overrides.is_empty() {
        return Err("`with_overrides` changes it");
    }
    let made = &cx.facts.module.calls[plan.call];
    let given = launch_plan::given_inputs(plan.method, made).ok_or("its inputs cannot be read")?;
    let own: Option<Vec<&str>> =
        call.call.arguments.keywords.iter().map(|keyword| keyword.arg.as_deref()).collect();
    let own =
        own.filter(|_| call.call.arguments.args.is_empty()).ok_or("which inputs it gets cannot be told")?;
    let mut added = Vec::new();
    for (name, value, is_fixed) in given {
        if own.contains(&name) {
            if is_fixed {
                return Err("it gets an input that the launch plan fixes");
            }
            continue;
        }
        let wanted = workflow.parameters.iter().find(|parameter| parameter.name == name);
        let annotation = wanted.and_then(|parameter| parameter.annotation);
        let text = input_text(mapper, value, annotation.map_or("", |range| cx.text_of(call.node, range)))
            .ok_or("an input of the launch plan is no literal that the workflow takes on Flyte 2")?;
        if is_bound_anew(cx, value) {
            return Err("an input of the launch plan is read from a name that does not keep its value");
        }
        added.push(format!("{name}={text}"));
    }
    Ok((&workflow.name, added))
}

/// Whether the name that `value` is may stand for something else when a workflow runs than when the launch plan was made.
fn is_bound_anew(cx: &BodyContext<'_>, value: &Value) -> bool {
    let ValueKind::Name(name) = &value.kind else { return false };
    let head = name.split('.').next().unwrap_or_default();
    let bindings = cx.facts.module.bindings.iter().enumerate();
    let mut own = bindings.filter(|(_, binding)| binding.is_global && binding.name == head);
    let is_changed = |(id, _)| cx.project.changed.contains(&(cx.file, id));
    own.next().is_none_or(is_changed) || own.next().is_some()
}

/// An input of a launch plan as an argument: Flyte 1 gave whole numbers as floats where those are wanted.
fn input_text(mapper: &Mapper<'_>, value: &Value, annotation: &str) -> Option<String> {
    let cx = mapper.cx;
    let known = match &value.kind {
        ValueKind::Name(name) if !mapper.values().binds(name) => {
            constant(cx.project, cx.file, name, value.range.start())?
        }
        _ => value.clone(),
    };
    let text = &cx.text[value.range];
    match known.kind {
        ValueKind::Int(_) if annotation == "float" => Some(format!("float({text})")),
        ValueKind::Str(_) | ValueKind::Bool(_) | ValueKind::None | ValueKind::Float(_) => {
            Some(text.to_owned())
        }
        ValueKind::Int(_) if annotation == "int" => Some(text.to_owned()),
        _ => None,
    }
}

/// The trigger, above the workflow if all that it uses is defined there.
fn write(mapper: &mut Mapper<'_>, plan: &Plan<'_>, mapped: MappedPlan) {
    let cx = mapper.cx;
    let workflow = cx.function(plan.workflow).map_or(String::new(), |function| function.name.clone());
    let variable = variable(cx, plan, mapped.name.as_deref(), &workflow);
    let described = match plan.variable {
        Some(_) => format!("launch plan `{variable}`"),
        None => "this launch plan".to_owned(),
    };
    mapper.find(takes_its_place(&described, &workflow, plan.call.callee));
    if !mapped.is_active {
        let message = format!("trigger `{variable}` waits to be activated, as its launch plan did");
        let help = format!(
            "Activate it with `flyte update trigger {} TASK --activate`, or write `auto_activate=True`",
            mapped.name.as_deref().unwrap_or("NAME")
        );
        mapper.find(Finding::new(&LAUNCH_PLAN, plan.call.callee, Effect::Info, message).help(help));
    }
    mapped.uses.iter().for_each(|name| drop(mapper.flyte(name)));
    let prefix = format!("{variable} = ");
    let head = CallText {
        callee: cx.names.of("Trigger"),
        arguments: mapped.arguments,
        dangling: mapped.dangling,
        is_exploded: plan.call.items.is_multiline && plan.call.items.has_trailing_comma,
        ..CallText::default()
    };
    let place = Place {
        indent: "",
        indent_unit: &cx.facts.style.indent_unit,
        before: prefix.chars().count(),
        after: 0,
        line_length: cx.names.line_length,
        is_bracketed: false,
    };
    let text = format!("{prefix}{}", layout(&Chain { head, ..Chain::default() }, place));
    if can_stand_above(cx, plan, &text) {
        let removed = removal(cx.text, plan.statement);
        let attached = attached_start(cx.text, plan.statement.start());
        let comments = &cx.text[TextRange::new(attached, plan.statement.start())];
        let behind = &cx.text[TextRange::new(plan.statement.end(), removed.end())];
        let text = format!("{comments}{text}{}\n", behind.trim_end());
        mapper.trigger(Trigger { workflow: plan.workflow, variable, text });
        mapper.rewriter.remove(removed);
    } else {
        let text = format!("{text}\n{workflow}.triggers += ({variable},)");
        mapper.rewriter.replace(plan.statement, text);
    }
}

/// The name of the variable that holds the trigger: the user's own, or one made of the name of the launch plan.
fn variable(cx: &BodyContext<'_>, plan: &Plan<'_>, name: Option<&str>, workflow: &str) -> String {
    let module = &cx.facts.module;
    if let Some(variable) = plan.variable {
        return module.bindings[variable].name.to_string();
    }
    let slug = slugged(name.unwrap_or(workflow), workflow);
    let named = |call: &Call| {
        let name = call.arguments.iter().find_map(|argument| argument.value.as_str());
        name.is_some_and(|name| slugged(name, workflow) == slug)
    };
    let has_twin = module.calls.iter().any(|call| call.owner < plan.call.owner && named(call));
    let short = format!("{slug}_trigger");
    let is_taken = has_twin || module.has_name(&short);
    if is_taken { format!("{short}_{}", plan.call.owner) } else { short }
}

/// A name in lower case, with `_` between its words.
fn slugged(name: &str, workflow: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_");
    if slug.starts_with(|c: char| c.is_ascii_alphabetic()) { slug } else { format!("{workflow}_{slug}") }
}

/// Whether nothing that the trigger mentions is bound between the workflow and the launch plan.
fn can_stand_above(cx: &BodyContext<'_>, plan: &Plan<'_>, text: &str) -> bool {
    let Some(function) = cx.function(plan.workflow) else { return false };
    let is_mentioned = |name: &str| {
        let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        words.any(|word| word == name)
    };
    let mut bindings = cx.facts.module.bindings.iter().enumerate();
    let is_free = bindings.all(|(id, binding)| {
        // The workflow itself is no value of an input; but its name may be that of the launch plan.
        let is_own = plan.variable == Some(id) || binding.range == function.name_range;
        let is_above = binding.owner < function.owner && binding.is_unconditional;
        is_own || is_above || !is_mentioned(&binding.name)
    });
    function.is_top_level && is_free
}

/// Where the comments directly above a statement begin.
pub(super) fn attached_start(text: &str, start: TextSize) -> TextSize {
    let mut attached = line_start(text, start);
    while let Some(above) = line_above(text, attached) {
        if !text[TextRange::new(above, attached)].trim_start().starts_with('#') {
            break;
        }
        attached = above;
    }
    attached
}

/// Where the line above the one that begins at `start` begins.
fn line_above(text: &str, start: TextSize) -> Option<TextSize> {
    let head = &text[..usize::from(start)];
    let head = head.strip_suffix("\r\n").or_else(|| head.strip_suffix(['\n', '\r']))?;
    Some(line_start(text, TextSize::of(head)))
}

/// The lines of a statement with its comments and the blank lines above.
fn removal(text: &str, statement: TextRange) -> TextRange {
    let mut start = attached_start(text, statement.start());
    while let Some(above) = line_above(text, start) {
        if !text[TextRange::new(above, start)].trim().is_empty() {
            break;
        }
        start = above;
    }
    TextRange::new(start, next_line_start(text, statement.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_goes_with_its_comments_and_the_gap_above() {
        let text = "x = 1\n\n# nightly\ny = f(\n)  # behind\n\nz = 2\n";
        let start = text.find('y').unwrap();
        let statement = TextRange::new(
            TextSize::try_from(start).unwrap(),
            TextSize::try_from(text.find(')').unwrap() + 1).unwrap(),
        );
        assert_eq!(&text[removal(text, statement)], "\n# nightly\ny = f(\n)  # behind\n");
    }
}
