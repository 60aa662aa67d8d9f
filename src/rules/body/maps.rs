//! `map_task` becomes `flyte.map`, or a `gather` where the code is `async`.
//!
//! ```python
//! map_task(f)(n=ns)                                   # list(flyte.map(f, ns, return_exceptions=False))
//! map_task(partial(f, base=1))(n=ns)                  # list(flyte.map(f, itertools.repeat(1), ns, …))
//! map_task(f, min_success_ratio=0.5)(n=ns)            # _tolerate(list(flyte.map(f, ns)), min_success_ratio=0.5)
//! map_task(f)(n=ns)                                   # await asyncio.gather(*[f.aio(n=n) for n in ns])
//! ```
//!
//! `flyte.map` takes lists by position only, refuses most partials, and gives exceptions back instead of raising.
//!
//! # FM233
//!
//! ## What it does
//!
//! Turns `map_task(f)(n=ns)` into `flyte.map`, or into a `gather` where the code is `async`. This finding speaks of a map that
//! cannot be turned.
//!
//! ## Why
//!
//! `flyte.map` takes lists by position and returns exceptions, so parameters have to be put in order, and values bound by
//! `partial` repeated. That takes a call of which all inputs can be read.
//!
//! ## Example
//!
//! ```python
//! from flytekit import map_task, task, workflow
//!
//!
//! @task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @workflow
//! def main(ns: list[int]) -> list[int]:
//!     inputs = {"n": ns}
//!     return map_task(step)(**inputs)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import map_task, task, workflow
//!
//!
//! @task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @workflow
//! def main(ns: list[int]) -> list[int]:
//!     return map_task(step)(n=ns)
//! ```
//!
//! ## Fix safety
//!
//! By hand. Maps that can be read are rewritten with the workflow, without a finding of their own; but where several lists
//! are mapped that may differ in length, an informing one says that `flyte.map` stops at the end of the shortest, while
//! Flyte 1 refused them. In `async` code `zip(…, strict=True)` refuses them as well.
//!
//! ## Not handled
//!
//! Inputs behind `**`, and options that are not known.
//!
//! ## References
//!
//! `flytekit/core/array_node_map_task.py` of flytekit 1.16.31; `flyte/_map.py` of flyte 2.12.1.

use std::collections::HashSet;

use super::calls::NodeCall;
use super::mapper::Mapper;
use super::shapes::{Shape, class_name, shape};
use super::values::Values;
use super::{BodyContext, Helper};
use crate::project::graph::{EntityKind, NodeId};
use crate::python::Ranged;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr};
use crate::python::scope::Parameter;
use crate::rules::codes::MAP_TASK;
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// `map_task(f)`, `map_task(partial(f, b=1), concurrency=2)`
#[derive(Debug)]
pub(super) struct MapTask<'e> {
    /// The call of `map_task`.
    pub(super) call: &'e ast::ExprCall,
    /// The expression that names the task.
    pub(super) entity: &'e Expr,
    /// The task.
    pub(super) node: NodeId,
    /// The call of `partial`, and the variable that holds it, if one does.
    pub(super) partial: Option<(&'e ast::ExprCall, Option<&'e ast::ExprName>)>,
}

impl<'e> MapTask<'e> {
    /// The map that `func`, the callee of a call, is.
    pub(super) fn of(cx: &BodyContext<'_>, values: &Values<'e>, func: &'e Expr) -> Option<Self> {
        let Expr::Call(call) = func else { return None };
        if !cx.is_flyte1(&call.func, "map_task") {
            return None;
        }
        let target = call.arguments.args.first().or_else(|| {
            Some(
                &call
                    .arguments
                    .find_keyword("target")
                    .or_else(|| call.arguments.find_keyword("task_function"))?
                    .value,
            )
        })?;
        if let Some(node) = cx.entity(target) {
            return Some(Self { call, entity: target, node, partial: None });
        }
        let (partial, variable) = match target {
            Expr::Name(name) => (values.only(&name.id)?, Some(name)),
            _ => (target, None),
        };
        let Expr::Call(partial) = partial else { return None };
        let entity =
            partial.arguments.args.first().filter(|_| cx.is_imported(&partial.func, "functools.partial"))?;
        // What a variable binds is written where it is mapped, and must be the same there.
        let mut names = NamesRead::default();
        partial.arguments.keywords.iter().for_each(|keyword| names.visit_expr(&keyword.value));
        if variable.is_some() && names.names.iter().any(|name| values.is_rebound(name)) {
            return None;
        }
        Some(Self { call, entity, node: cx.entity(entity)?, partial: Some((partial, variable)) })
    }

    /// What `partial` binds.
    pub(super) fn bound(&self) -> impl Iterator<Item = &'e ast::Keyword> {
        self.partial.iter().flat_map(|(partial, _)| &partial.arguments.keywords)
    }
}

/// How `map_task` was asked to treat failures and width.
#[derive(Default)]
struct Options {
    concurrency: Option<String>,
    /// The minimum of successes, as arguments of the helper.
    tolerance: Vec<String>,
}

/// What a parameter of the task gets.
enum Input {
    /// The elements of a list.
    List(String),
    /// The same value each time.
    Same(String),
}

/// Writes the map anew; `suffix` is the `.override(…)` of the task.
pub(super) fn write(mapper: &mut Mapper<'_>, call: &NodeCall<'_>, map: &MapTask<'_>, suffix: &str) {
    let Some(options) = options(mapper, map) else { return };
    let Some(inputs) = inputs(mapper, call, map) else { return };
    mapper.consume(map.call.func.range());
    mapper.call(map.entity.range(), map.node);
    let mut calls = CallsIn::default();
    call.call.arguments.arguments_source_order().for_each(|argument| calls.visit_expr(argument.value()));
    for range in calls.ranges {
        // What stands in another map is a part of its text already.
        if mapper.taken_text(range).is_none() {
            let text = mapper.rewriter.text_of(range);
            mapper.keep_text(range, text);
        }
    }
    // All that is written anew holds the new text of what stood there.
    let task = mapper.rewriter.take(map.entity.range());
    mapper.rewriter.take(call.range);
    let wrapped = wrapper(mapper, map.node);
    let text = if mapper.is_async() && is_gathered(mapper.cx, map) {
        gathered(mapper, map, &format!("{task}{suffix}"), &inputs, have_one_length(mapper, call))
    } else {
        if !have_one_length(mapper, call) {
            may_differ(mapper, call);
        }
        mapped(mapper, map, &format!("{task}{suffix}"), &inputs, &options, wrapped.as_deref())
    };
    mapper.rewriter.replace(call.range, text);
    if let Some((partial, variable)) = map.partial {
        mapper.handle(partial.range);
        mapper.handle(partial.func.range());
        if let Some(variable) = variable {
            drop_partial(mapper, partial, variable);
        }
    }
}

/// Whether `async` code gathers the calls of the map: it has no options, what a partial binds may be evaluated once
/// for each element, and the elements need no wrapping.
pub(super) fn is_gathered(cx: &BodyContext<'_>, map: &MapTask<'_>) -> bool {
    let is_simple = map.bound().all(|keyword| {
        keyword.value.is_literal_expr() || keyword.value.is_name_expr() || keyword.value.is_attribute_expr()
    });
    let has_options = given_options(map).any(|(name, value)| {
        !matches!(name, Some("target" | "task_function")) && !value.is_none_literal_expr()
    });
    is_simple && !has_options && !matches!(shape(cx, map.node), Shape::Named(_, Some(_)))
}

/// `Stats` if the elements are named tuples, which come as plain tuples.
fn wrapper(mapper: &Mapper<'_>, node: NodeId) -> Option<String> {
    match shape(mapper.cx, node) {
        Shape::Named(_, Some(class)) => class_name(mapper.cx, class).map(str::to_owned),
        _ => None,
    }
}

/// Whether all lists that are mapped are known to be of one length.
fn have_one_length(mapper: &Mapper<'_>, call: &NodeCall<'_>) -> bool {
    let mut lengths =
        call.call.arguments.arguments_source_order().map(|argument| length(mapper, argument.value()));
    let first = lengths.next();
    lengths.all(|length| Some(length) == first)
}

/// What tells the length of a list: equal texts are of equal lengths.
fn length(mapper: &Mapper<'_>, list: &Expr) -> String {
    match list {
        Expr::List(ast::ExprList { elts, .. }) | Expr::Tuple(ast::ExprTuple { elts, .. })
            if !elts.iter().any(Expr::is_starred_expr) =>
        {
            elts.len().to_string()
        }
        Expr::ListComp(comprehension) => match &comprehension.generators[..] {
            [generator] if generator.ifs.is_empty() => length(mapper, &generator.iter),
            _ => mapper.cx.text[list.range()].to_owned(),
        },
        _ => mapper.cx.text[list.range()].to_owned(),
    }
}

/// flytekit refuses lists of different lengths (`flytekit/core/array_node_map_task.py`, 1.16.31); `flyte.map` stops at
/// the end of the shortest (`flyte/_map.py`, 2.12.1).
fn may_differ(mapper: &mut Mapper<'_>, call: &NodeCall<'_>) {
    let message =
        "`flyte.map` stops at the end of the shortest list; Flyte 1 refused lists of different lengths";
    let finding = Finding::new(&MAP_TASK, call.call.range, Effect::Info, message);
    mapper.find(finding.help("Make sure that the lists are of one length, or compare their lengths first"));
}

/// `await` comes in front of it, as in front of any call. Flyte 2 needs Python 3.10, whose `zip` can be strict.
fn gathered(
    mapper: &mut Mapper<'_>,
    map: &MapTask<'_>,
    task: &str,
    inputs: &[(String, Input)],
    is_one_length: bool,
) -> String {
    let asyncio = mapper.module("asyncio");
    let mut arguments = Vec::new();
    let (mut items, mut lists) = (Vec::new(), Vec::new());
    // Nothing that the comprehension reads may be hidden by its variables: neither the task nor what it gets.
    let texts = inputs.iter().map(|(_, input)| match input {
        Input::Same(text) | Input::List(text) => text.as_str(),
    });
    let words = texts.chain([task]).flat_map(|text| text.split(|c: char| !(c.is_alphanumeric() || c == '_')));
    let words: HashSet<&str> = words.collect();
    for (name, input) in inputs {
        match input {
            Input::Same(text) => arguments.push(format!("{name}={text}")),
            Input::List(text) => {
                let further = (2..).map(|number| format!("{name}_item_{number}"));
                let mut names = std::iter::once(format!("{name}_item")).chain(further);
                let is_free = |item: &String| {
                    !words.contains(item.as_str()) && inputs.iter().all(|(other, _)| other != item)
                };
                let is_read = words.contains(name.as_str());
                let item = if is_read { names.find(is_free).unwrap_or_default() } else { name.clone() };
                arguments.push(format!("{name}={item}"));
                items.push(item);
                lists.push(text.clone());
            }
        }
    }
    let strict = if is_one_length { "" } else { ", strict=True" };
    let lists = if lists.len() == 1 { lists.concat() } else { format!("zip({}{strict})", lists.join(", ")) };
    let aio = if mapper.cx.graph.is_async(map.node) { "" } else { ".aio" };
    let call = format!("{task}{aio}({})", arguments.join(", "));
    format!("{asyncio}.gather(*[{call} for {} in {lists}])", items.join(", "))
}

fn mapped(
    mapper: &mut Mapper<'_>,
    map: &MapTask<'_>,
    task: &str,
    inputs: &[(String, Input)],
    options: &Options,
    wrapped: Option<&str>,
) -> String {
    let parameters = mapper.cx.function(map.node).map_or(0, |function| function.parameters.len());
    let lists = inputs.iter().filter(|(_, input)| matches!(input, Input::List(_))).count();
    let is_partial = map.partial.is_some()
        && lists == 1
        && matches!(inputs.first(), Some((_, Input::List(_))))
        && inputs.len() == parameters;
    let mut arguments = vec![task.to_owned()];
    if is_partial {
        let partial =
            map.partial.map(|(partial, _)| &mapper.cx.text[partial.func.range()]).unwrap_or_default();
        let bound = inputs.iter().filter_map(|(name, input)| match input {
            Input::Same(text) => Some(format!("{name}={text}")),
            Input::List(_) => None,
        });
        arguments = vec![format!("{partial}({task}, {})", bound.collect::<Vec<_>>().join(", "))];
    }
    let repeat =
        |mapper: &mut Mapper<'_>, text: &str| format!("{}.repeat({text})", mapper.module("itertools"));
    for (_, input) in inputs {
        match input {
            Input::List(text) => arguments.push(text.clone()),
            Input::Same(_) if is_partial => {}
            Input::Same(text) => arguments.push(repeat(mapper, text)),
        }
    }
    arguments.extend(options.concurrency.as_ref().map(|width| format!("concurrency={width}")));
    if options.tolerance.is_empty() {
        arguments.push("return_exceptions=False".to_owned());
    }
    let arguments = arguments.join(", ");
    let flyte_map = mapper.flyte("map");
    let element = wrapped.map(|class| format!("{class}(*result)"));
    let text = match (mapper.is_async(), element) {
        (true, element) => format!(
            "[{} async for result in {flyte_map}.aio({arguments})]",
            element.unwrap_or_else(|| "result".to_owned())
        ),
        (false, Some(element)) => format!("[{element} for result in {flyte_map}({arguments})]"),
        (false, None) => format!("list({flyte_map}({arguments}))"),
    };
    if options.tolerance.is_empty() {
        return text;
    }
    let helper = mapper.helper(Helper::TolerantMap);
    format!("{helper}({text}, {})", options.tolerance.join(", "))
}

/// What `map_task` is given besides the task.
fn options(mapper: &mut Mapper<'_>, map: &MapTask<'_>) -> Option<Options> {
    let mut options = Options::default();
    let mut runs_all = false;
    for (name, value) in given_options(map) {
        let range = value.range();
        let text = mapper.rewriter.text_of(range);
        match name {
            Some("target" | "task_function") => {}
            Some("concurrency" | "min_success_ratio" | "min_successes") if value.is_none_literal_expr() => {}
            Some("concurrency") => options.concurrency = Some(text),
            Some("min_success_ratio") if text == "1.0" || text == "1" => {}
            Some(name @ ("min_success_ratio" | "min_successes")) if matches!(text.as_str(), "0" | "0.0") => {
                let message = format!(
                    "`{name}={text}` of `map_task` asks for all elements or for none, as Flyte 1 reads it"
                );
                refuse(mapper, range, message);
                return None;
            }
            Some(name @ ("min_success_ratio" | "min_successes")) => {
                options.tolerance.push(format!("{name}={text}"));
            }
            Some("run_all_sub_nodes") if matches!(text.as_str(), "True" | "False") => {
                runs_all = text == "True";
            }
            Some(name) => {
                refuse(mapper, range, format!("`{name}={text}` of `map_task` is not migrated"));
                return None;
            }
            None => {
                refuse(mapper, range, format!("which option of `map_task` gets `{text}` cannot be told"));
                return None;
            }
        }
    }
    // The helper raises once all elements have run.
    if runs_all && options.tolerance.is_empty() {
        options.tolerance.push("min_success_ratio=1.0".to_owned());
    }
    Some(options)
}

/// The arguments of `map_task` behind the task, with their names. What stands behind `concurrency` by place was ordered
/// differently before flytekit 1.16.
fn given_options<'e>(map: &MapTask<'e>) -> impl Iterator<Item = (Option<&'e str>, &'e Expr)> {
    let arguments = &map.call.arguments;
    let own = usize::from(
        arguments.find_keyword("target").is_none() && arguments.find_keyword("task_function").is_none(),
    );
    let places = [Some("concurrency")].into_iter().chain(std::iter::repeat(None));
    let by_place = places.zip(arguments.args.iter().skip(own));
    by_place.chain(arguments.keywords.iter().map(|keyword| (keyword.arg.as_deref(), &keyword.value)))
}

/// What each parameter of the task gets, in the order of its signature, as far as it has to be named.
fn inputs(mapper: &mut Mapper<'_>, call: &NodeCall<'_>, map: &MapTask<'_>) -> Option<Vec<(String, Input)>> {
    let range = call.call.range;
    let kind = mapper.cx.graph.entity(map.node)?.kind;
    if kind != EntityKind::Task {
        refuse(mapper, range, "`map_task` maps something that is no task".to_owned());
        return None;
    }
    let function = mapper.cx.function(map.node)?;
    let by_place = |place: usize| Some(function.parameters.get(place)?.name.as_str());
    let lists = named(&call.call.arguments, by_place);
    let bound = map.partial.map_or(Some(Vec::new()), |(partial, _)| {
        // The task itself stands at the first place; flytekit takes nothing else there.
        named(&partial.arguments, |place| (place == 0).then_some("")).map(|bound| bound[1..].to_vec())
    });
    let (Some(lists), Some(bound)) = (lists, bound) else {
        refuse(mapper, range, "which inputs `map_task` gets cannot be told".to_owned());
        return None;
    };
    let given = |inputs: &[(&str, &Expr)], parameter: &Parameter| {
        let (_, value) = inputs.iter().find(|(name, _)| *name == parameter.name)?;
        Some(mapper.rewriter.text_of(value.range()))
    };
    // flytekit wants all parameters, defaults or not.
    let input = |parameter: &Parameter| {
        let input = given(&lists, parameter).map(Input::List);
        Some((parameter.name.clone(), input.or_else(|| given(&bound, parameter).map(Input::Same))?))
    };
    let inputs: Vec<(String, Input)> = function.parameters.iter().filter_map(input).collect();
    if inputs.len() != function.parameters.len() || inputs.len() != lists.len() + bound.len() {
        refuse(mapper, range, "the inputs of `map_task` do not fit the task".to_owned());
        return None;
    }
    Some(inputs)
}

/// The arguments of a call with the names of the parameters that they are for; those by place as `by_place` tells.
fn named<'e>(
    arguments: &'e ast::Arguments,
    by_place: impl Fn(usize) -> Option<&'e str>,
) -> Option<Vec<(&'e str, &'e Expr)>> {
    let first = arguments.args.iter().enumerate().map(|(place, value)| {
        let name = by_place(place).filter(|_| !value.is_starred_expr())?;
        Some((name, value))
    });
    let rest = arguments.keywords.iter().map(|keyword| Some((keyword.arg.as_deref()?, &keyword.value)));
    first.chain(rest).collect()
}

/// `f = partial(task, b=1)` goes with the only map that read it.
fn drop_partial(mapper: &mut Mapper<'_>, partial: &ast::ExprCall, variable: &ast::ExprName) {
    let entity = partial.arguments.args.first().map(Ranged::range);
    if let Some(range) = entity {
        mapper.handle(range);
    }
    if mapper.values().reads(&variable.id) == 1 {
        mapper.drop_assignment(partial.range);
    }
}

fn refuse(mapper: &mut Mapper<'_>, range: TextRange, message: String) {
    mapper.find(
        Finding::new(&MAP_TASK, range, Effect::Blocking, message)
            .help("Write it with `flyte.map` by hand, the lists in the order of the parameters"),
    );
}

/// Calls in an expression.
#[derive(Default)]
struct CallsIn {
    ranges: Vec<TextRange>,
}

impl<'a> SourceOrderVisitor<'a> for CallsIn {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if expr.is_call_expr() {
            self.ranges.push(expr.range());
        }
        source_order::walk_expr(self, expr);
    }
}

/// Names that an expression reads.
#[derive(Default)]
pub(super) struct NamesRead<'a> {
    /// The names.
    pub(super) names: Vec<&'a str>,
}

impl<'a> SourceOrderVisitor<'a> for NamesRead<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr {
            self.names.push(&name.id);
        }
        source_order::walk_expr(self, expr);
    }
}
