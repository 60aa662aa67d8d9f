//! `LaunchPlan.get_or_create(…)` becomes a `flyte.Trigger`.
//!
//! ```python
//! LaunchPlan.get_or_create(main, name="nightly", schedule=CronSchedule(schedule="@daily"))
//! Trigger(name="nightly", automation=Cron("0 0 * * *"), auto_activate=False)
//! ```
//!
//! flyte 2.12.1 checks little of a trigger: it takes any cron expression and any value of an input. A list, which it
//! pickles, or a path in place of a `File` fails only when the trigger fires; so these are found here.
//!
//! # FM270
//!
//! ## What it does
//!
//! Turns `LaunchPlan.get_or_create` and `LaunchPlan.create` into a `Trigger` that the workflow carries.
//!
//! ## Why
//!
//! Schedules are triggers of a task on Flyte 2, deployed with its environment. The launch plan that Flyte 1 knows is not removed
//! by that: until it is switched off, both run.
//!
//! ## Example
//!
//! ```python
//! from flytekit import CronSchedule, LaunchPlan, task, workflow
//!
//!
//! @task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @workflow
//! def main(n: int = 1) -> int:
//!     return step(n=n)
//!
//!
//! nightly = LaunchPlan.get_or_create(main, name="nightly", schedule=CronSchedule(schedule="0 2 * * *"))
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Cron, TaskEnvironment, Trigger
//!
//! env = TaskEnvironment(name="example")
//!
//!
//! @env.task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! nightly = Trigger(name="nightly", automation=Cron("0 2 * * *"), auto_activate=False)
//!
//!
//! @env.task(triggers=(nightly,))
//! def main(n: int = 1) -> int:
//!     return step(n=n)
//! ```
//!
//! ## Fix safety
//!
//! Unsafe. Switch the launch plan of Flyte 1 off when you deploy the trigger.
//!
//! ## Not handled
//!
//! A launch plan that is used as more than a schedule (FM274).
//!
//! ## References
//!
//! `flytekit/core/launch_plan.py` of flytekit 1.16.31; `flyte/_trigger.py` of flyte 2.12.1.
//!
//! # FM272
//!
//! ## What it does
//!
//! Turns `default_inputs` and `fixed_inputs` into `inputs` of the trigger.
//!
//! ## Why
//!
//! flyte checks the inputs of a trigger only when it fires, and cannot hand over lists or dicts. So an input that would not reach
//! the task is found here.
//!
//! ## Example
//!
//! ```python
//! from flytekit import LaunchPlan, task, workflow
//!
//!
//! @task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @workflow
//! def main(n: int = 1) -> int:
//!     return step(n=n)
//!
//!
//! nightly = LaunchPlan.get_or_create(main, name="nightly", fixed_inputs={"m": 2})
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import LaunchPlan, task, workflow
//!
//!
//! @task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @workflow
//! def main(n: int = 1) -> int:
//!     return step(n=n)
//!
//!
//! nightly = LaunchPlan.get_or_create(main, name="nightly", fixed_inputs={"n": 2})
//! ```
//!
//! ## Fix safety
//!
//! By hand. Inputs that reach the task are rewritten with the launch plan.
//!
//! ## Not handled
//!
//! Collections, inputs of another type than the parameter, and dicts that cannot be read.
//!
//! ## References
//!
//! `flytekit/core/launch_plan.py` of flytekit 1.16.31; `flyte/_trigger.py` of flyte 2.12.1.
//!
//! # FM273
//!
//! ## What it does
//!
//! Speaks of a keyword of a launch plan that is not carried over to the trigger.
//!
//! ## Why
//!
//! A trigger has no such setting, or has it in another form that depends on the set-up.
//!
//! ## Example
//!
//! ```python
//! from flytekit import LaunchPlan, task, workflow
//!
//!
//! @task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @workflow
//! def main(n: int = 1) -> int:
//!     return step(n=n)
//!
//!
//! nightly = LaunchPlan.get_or_create(main, name="nightly", max_parallelism=1)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import LaunchPlan, task, workflow
//!
//!
//! @task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @workflow
//! def main(n: int = 1) -> int:
//!     return step(n=n)
//!
//!
//! nightly = LaunchPlan.get_or_create(main, name="nightly", max_parallelism=2)
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! `notifications`, `raw_output_data_config`, `security_context`, `auth_role`, `trigger`, `**settings`, and a `max_parallelism` below 2.
//!
//! ## References
//!
//! `flytekit/core/launch_plan.py` of flytekit 1.16.31; `flyte/_trigger.py` of flyte 2.12.1.

use super::codes::{LAUNCH_PLAN, LAUNCH_PLAN_KEYWORD, SCHEDULE, TRIGGER_INPUTS};
use super::schedule::{self, Automation};
use super::{Effect, Finding};
use crate::flyte1::symbol::Symbol;
use crate::flyte2::chain::Argument;
use crate::flyte2::lines::indent_code;
use crate::python::items::{Item, Items};
use crate::python::scope::{Call, Module};
use crate::python::style::Style;
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// How a launch plan is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanMethod {
    /// `LaunchPlan.get_or_create(workflow, name=…, …)`
    GetOrCreate,
    /// `LaunchPlan.create(name, workflow, …)`
    Create,
    /// `LaunchPlan.get_default_launch_plan(context, workflow)`
    Default,
}

impl PlanMethod {
    /// The method of that path.
    pub fn of(symbol: &Symbol) -> Option<Self> {
        let Symbol::Other(path) = symbol else { return None };
        match path.as_str() {
            "flytekit.LaunchPlan.get_or_create" => Some(Self::GetOrCreate),
            "flytekit.LaunchPlan.create" => Some(Self::Create),
            "flytekit.LaunchPlan.get_default_launch_plan" => Some(Self::Default),
            _ => None,
        }
    }

    fn first(self) -> [&'static str; 2] {
        match self {
            Self::GetOrCreate => ["workflow", "name"],
            Self::Create => ["name", "workflow"],
            Self::Default => ["ctx", "workflow"],
        }
    }
}

/// The parameters behind the first two of `create` and `get_or_create`, in order.
const FURTHER: [&str; 14] = [
    "default_inputs",
    "fixed_inputs",
    "schedule",
    "notifications",
    "labels",
    "annotations",
    "raw_output_data_config",
    "max_parallelism",
    "security_context",
    "auth_role",
    "trigger",
    "overwrite_cache",
    "auto_activate",
    "concurrency",
];

/// What the mapping of one launch plan may ask.
pub struct PlanContext<'a> {
    /// The text of the file.
    pub text: &'a str,
    /// Its names.
    pub module: &'a Module,
    /// How the user writes.
    pub style: &'a Style,
    /// How a name of flyte is written in this file.
    pub flyte: &'a dyn Fn(&str) -> String,
    /// The longest line.
    pub line_length: usize,
    /// The literal that a name stands for.
    pub constant: &'a dyn Fn(&str) -> Option<Value>,
    /// The symbol of Flyte 1 that is named at a place.
    pub symbol: &'a dyn Fn(TextRange) -> Option<Symbol>,
    /// The annotation of a parameter of the workflow; `None` if it has no such parameter.
    pub input: &'a dyn Fn(&str) -> Option<String>,
}

/// A mapped launch plan.
#[derive(Debug, Default)]
pub struct MappedPlan {
    /// The arguments of `Trigger(…)`.
    pub arguments: Vec<Argument>,
    /// Comments below the last argument.
    pub dangling: Vec<String>,
    /// Whether it is the default launch plan of its workflow, which Flyte 2 does not need.
    pub is_default: bool,
    /// Whether it runs by itself as soon as it is deployed, as far as that can be read.
    pub is_active: bool,
    /// Its name, if that can be read.
    pub name: Option<String>,
    /// References to Flyte 1 that are written anew or go.
    pub consumed: Vec<TextRange>,
    /// Names of flyte that the arguments use.
    pub uses: Vec<&'static str>,
    /// What there is to say.
    pub findings: Vec<Finding>,
}

impl MappedPlan {
    /// Whether it can be converted.
    pub fn is_possible(&self) -> bool {
        self.findings.iter().all(|finding| finding.effect < Effect::Blocking)
    }

    fn block(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// An argument in place of the user's, with the comments of that.
    fn push(&mut self, item: &Item, text: String) {
        let mut leading = std::mem::take(&mut self.dangling);
        leading.extend(item.leading.iter().cloned());
        self.arguments.push(Argument { leading, text, trailing: item.trailing.clone() });
    }

    /// The comments of an argument that goes stay where it stood.
    fn drop_item(&mut self, item: &Item) {
        self.dangling.extend(item.leading.iter().cloned());
        self.dangling.extend(item.trailing.clone());
    }
}

/// The argument of a launch plan that names its workflow.
pub fn workflow_argument(method: PlanMethod, call: &Call) -> Option<&Value> {
    named(method, call).find(|(name, ..)| *name == Some("workflow")).map(|(_, value, _)| value)
}

/// The inputs that a launch plan gives to its workflow and that can be read, and whether each is fixed. `None` where
/// not all can.
pub fn given_inputs(method: PlanMethod, call: &Call) -> Option<Vec<(&str, &Value, bool)>> {
    let mut given: Vec<(&str, &Value, bool)> = Vec::new();
    for (name, value, _) in named(method, call) {
        let name = name?;
        if !matches!(name, "default_inputs" | "fixed_inputs") || value.kind == ValueKind::None {
            continue;
        }
        let ValueKind::Dict(entries) = &value.kind else { return None };
        for (key, input) in entries {
            let key = key.as_ref()?.as_str()?;
            given.retain(|(other, ..)| *other != key);
            given.push((key, input, name == "fixed_inputs"));
        }
    }
    Some(given)
}

/// The name of a launch plan, if it is given and can be read.
pub fn plan_name(cx: &PlanContext<'_>, method: PlanMethod, call: &Call) -> Option<String> {
    let (_, value, _) = named(method, call).find(|(name, ..)| *name == Some("name"))?;
    literal(cx, value).as_str().map(str::to_owned)
}

/// The arguments with the names of their parameters; `None` where that cannot be told.
fn named(method: PlanMethod, call: &Call) -> impl Iterator<Item = (Option<&str>, &Value, &Item)> {
    let parameters: Vec<&'static str> = method.first().into_iter().chain(FURTHER).collect();
    let arguments = call.arguments.iter().zip(&call.items.items).enumerate();
    arguments.map(move |(position, (argument, item))| {
        let is_starred = argument.is_double_starred || matches!(argument.value.kind, ValueKind::Starred(_));
        let by_place = parameters.get(position).copied().filter(|_| !is_starred);
        (argument.name.as_deref().or(by_place), &argument.value, item)
    })
}

/// Maps a launch plan.
pub fn map(cx: &PlanContext<'_>, method: PlanMethod, call: &Call) -> MappedPlan {
    let mut mapped = MappedPlan { consumed: vec![call.callee], ..MappedPlan::default() };
    let mut inputs = Inputs::default();
    let mut has_name = false;
    let mut has_activation = false;
    for (name, value, item) in named(method, call) {
        let is_none = value.kind == ValueKind::None;
        match name {
            Some("workflow" | "ctx") => mapped.drop_item(item),
            _ if is_none => mapped.drop_item(item),
            Some("name") => {
                has_name = true;
                mapped.name = literal(cx, value).as_str().map(str::to_owned);
                mapped.push(item, format!("name={}", item.value_text));
            }
            Some("default_inputs" | "fixed_inputs") => {
                inputs.place.get_or_insert(mapped.arguments.len());
                read_inputs(cx, &mut mapped, &mut inputs, value, item);
            }
            Some("schedule") => {
                let Some(automation) = schedule::map(cx, &mut mapped, value) else { continue };
                let Automation { text, kickoff, comments } = automation;
                mapped.dangling.extend(comments);
                mapped.push(item, format!("automation={text}"));
                if let Some((name, range)) = kickoff {
                    kickoff_input(cx, &mut mapped, &mut inputs, &name, range);
                }
            }
            Some("labels" | "annotations") => metadata(cx, &mut mapped, call, value, item),
            Some("auto_activate") => {
                has_activation = true;
                mapped.is_active = value.kind != ValueKind::Bool(false);
                mapped.push(item, format!("auto_activate={}", item.value_text));
            }
            Some("overwrite_cache") => {
                mapped.push(item, format!("overwrite_cache={}", item.value_text));
            }
            Some("max_parallelism") => max_parallelism(&mut mapped, value, item),
            _ if value.is_empty() => mapped.drop_item(item),
            Some(name) => mapped.block(unsupported(name, item.range)),
            None => mapped.block(
                Finding::new(
                    &LAUNCH_PLAN_KEYWORD,
                    item.range,
                    Effect::Blocking,
                    format!("`{}` hides which settings this launch plan has", item.text),
                )
                .help("Write the keywords out"),
            ),
        }
    }
    mapped.is_default = !has_name;
    inputs.write(cx, &mut mapped);
    if !has_activation {
        // Flyte 1 waits to be told, Flyte 2 begins at once.
        mapped.arguments.push(Argument {
            leading: std::mem::take(&mut mapped.dangling),
            ..Argument::new("auto_activate=False")
        });
    }
    mapped.dangling.extend(call.items.dangling.iter().cloned());
    mapped.uses.push("Trigger");
    mapped
}

/// The value itself, or the literal that it names.
pub(super) fn literal(cx: &PlanContext<'_>, value: &Value) -> Value {
    match &value.kind {
        ValueKind::Name(name) => (cx.constant)(name).unwrap_or_else(|| value.clone()),
        _ => value.clone(),
    }
}

fn unsupported(name: &str, range: TextRange) -> Finding {
    let help = match name {
        "notifications" => {
            "Add `notifications=flyte.notify.Email(on_phase=…, recipients=(…,))` to the trigger by hand; Slack and PagerDuty are no addresses of mail on Flyte 2"
        }
        "raw_output_data_config" => "Set the place of outputs in the configuration of Flyte 2, and remove it",
        "security_context" | "auth_role" => "Set the service account of the `TaskEnvironment` by hand",
        "trigger" => "Write the schedule as `schedule=`",
        _ => "Make the trigger by hand, or remove the keyword",
    };
    let message = format!("`{name}` of a launch plan has no counterpart that can be written for you");
    Finding::new(&LAUNCH_PLAN_KEYWORD, range, Effect::Blocking, message).help(help)
}

/// `labels=Labels({"team": "ml"})`: Flyte 2 takes the dict.
fn metadata(cx: &PlanContext<'_>, mapped: &mut MappedPlan, plan: &Call, value: &Value, item: &Item) {
    let name = item.text.split('=').next().unwrap_or_default().trim();
    let inner = cx.module.calls.iter().find(|call| call.range == value.range && call.owner == plan.owner);
    let is_labels = |call: &&Call| matches!((cx.symbol)(call.callee), Some(Symbol::Other(path)) if matches!(path.as_str(), "flytekit.Labels" | "flytekit.Annotations"));
    let values = inner.filter(is_labels).filter(|call| call.items.items.len() == 1);
    let Some(call) = values else {
        mapped.block(
            Finding::new(
                &LAUNCH_PLAN_KEYWORD,
                value.range,
                Effect::Blocking,
                format!("`{name}` is no `Labels(…)` or `Annotations(…)` that can be read here"),
            )
            .help("Write `Labels({…})` into the launch plan"),
        );
        return;
    };
    mapped.consumed.push(call.callee);
    mapped.dangling.extend(call.items.comments());
    mapped.push(item, format!("{name}={}", call.items.items[0].value_text));
}

/// `max_parallelism` counted nodes of a workflow, `max_action_concurrency` counts actions of a run.
fn max_parallelism(mapped: &mut MappedPlan, value: &Value, item: &Item) {
    match value.kind {
        ValueKind::Int(0) => mapped.drop_item(item),
        ValueKind::Int(number) if number > 1 => {
            mapped.push(item, format!("max_action_concurrency={}", item.value_text));
        }
        _ => mapped.block(
            Finding::new(
                &LAUNCH_PLAN_KEYWORD,
                value.range,
                Effect::Blocking,
                "`max_parallelism` is no whole number above 1, which is the least that Flyte 2 takes",
            )
            .help("Remove it, or write a number; on Flyte 2 the run itself counts as one"),
        ),
    }
}

/// The inputs of a trigger as they are collected.
#[derive(Default)]
struct Inputs {
    entries: Vec<Item>,
    dangling: Vec<String>,
    place: Option<usize>,
    is_multiline: bool,
    /// The one dict that they come from, where nothing is added to it.
    whole: Option<String>,
    /// The comments of the first argument that they come from.
    leading: Vec<String>,
    trailing: Option<String>,
}

fn read_inputs(
    cx: &PlanContext<'_>,
    mapped: &mut MappedPlan,
    inputs: &mut Inputs,
    value: &Value,
    item: &Item,
) {
    let resolved = literal(cx, value);
    let ValueKind::Dict(values) = &resolved.kind else {
        mapped.block(
            Finding::new(
                &TRIGGER_INPUTS,
                value.range,
                Effect::Blocking,
                "the inputs of this launch plan are no dict that can be read",
            )
            .help("Write them as `{\"input\": value}` into the launch plan"),
        );
        return;
    };
    for (key, input) in values {
        let name = key.as_ref().and_then(Value::as_str);
        // A constant stands elsewhere; what there is to say belongs to the use of it.
        let place = if resolved.range == value.range { input.range } else { value.range };
        let finding = match name {
            Some(name) => check_input(cx, name, input),
            None => Some("an input of this launch plan has a name that cannot be read".to_owned()),
        };
        if let Some(message) = finding {
            mapped.block(
                Finding::new(&TRIGGER_INPUTS, place, Effect::Blocking, message).help(
                    "Let the workflow take it from a default or a dataclass, or make the trigger by hand",
                ),
            );
        }
    }
    let is_first = inputs.entries.is_empty() && inputs.whole.is_none();
    match &item.nested {
        Some(nested) if matches!(value.kind, ValueKind::Dict(_)) => inputs.take(nested),
        _ => inputs.entries.push(Item { text: format!("**{}", item.value_text), ..Item::default() }),
    }
    inputs.whole = is_first.then(|| item.value_text.clone());
    inputs.leading.extend(item.leading.iter().cloned());
    if is_first {
        inputs.trailing.clone_from(&item.trailing);
    } else {
        inputs.leading.extend(item.trailing.clone());
    }
}

/// Why the value of an input does not reach the task as it is.
fn check_input(cx: &PlanContext<'_>, name: &str, value: &Value) -> Option<String> {
    let Some(annotation) = (cx.input)(name) else {
        return Some(format!("the workflow has no input `{name}`"));
    };
    let has = |words: &[&str]| {
        let mut parts = annotation.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        parts.any(|part| words.contains(&part))
    };
    let is_collection = matches!(value.kind, ValueKind::List(_) | ValueKind::Tuple(_) | ValueKind::Dict(_))
        || has(&["List", "list", "Dict", "dict", "Tuple", "tuple", "Set", "set", "Sequence", "Mapping"]);
    if is_collection && value.kind != ValueKind::None {
        return Some(format!(
            "input `{name}` is a collection, which a trigger of flyte 2.12.1 cannot hand over"
        ));
    }
    let fits = match &value.kind {
        ValueKind::Str(_) | ValueKind::FString(..) => has(&["str", "Any"]),
        ValueKind::Int(_) => has(&["int", "Any"]),
        ValueKind::Float(_) => has(&["float", "Any"]),
        ValueKind::Bool(_) => has(&["bool", "Any"]),
        _ => !has(&["FlyteFile", "FlyteDirectory", "StructuredDataset"]),
    };
    (!fits).then(|| format!("the value of input `{name}` is no `{annotation}` on Flyte 2"))
}

/// `kickoff_time_input_arg="when"`: the input takes the time at which the trigger fires.
fn kickoff_input(
    cx: &PlanContext<'_>,
    mapped: &mut MappedPlan,
    inputs: &mut Inputs,
    name: &str,
    range: TextRange,
) {
    let key = cx.style.string(name);
    let finding = match (cx.input)(name) {
        None => Some(format!("the workflow has no input `{name}`")),
        Some(annotation) if !annotation.contains("datetime") => {
            Some(format!("input `{name}` receives the trigger time and must be a `datetime`"))
        }
        Some(_) if inputs.entries.iter().any(|entry| entry.text.starts_with(&key)) => {
            Some(format!("input `{name}` has a value and receives the trigger time"))
        }
        Some(_) => None,
    };
    if let Some(message) = finding {
        mapped.block(
            Finding::new(&SCHEDULE, range, Effect::Blocking, message)
                .help("Take the time as an input of type `datetime`"),
        );
    }
    mapped.uses.push("TriggerTime");
    inputs.place.get_or_insert(mapped.arguments.len());
    inputs.whole = None;
    inputs.entries.push(Item { text: format!("{key}: {}", (cx.flyte)("TriggerTime")), ..Item::default() });
}

impl Inputs {
    fn take(&mut self, items: &Items) {
        self.entries.extend(items.items.iter().cloned());
        self.dangling.extend(items.dangling.iter().cloned());
        self.is_multiline |= items.is_multiline && items.has_trailing_comma;
    }

    /// `inputs={…}` at the place of the first of them.
    fn write(self, cx: &PlanContext<'_>, mapped: &mut MappedPlan) {
        let Some(place) = self.place.filter(|_| !self.entries.is_empty()) else { return };
        let text = self.whole.clone().unwrap_or_else(|| self.display(cx));
        let argument =
            Argument { leading: self.leading, text: format!("inputs={text}"), trailing: self.trailing };
        mapped.arguments.insert(place.min(mapped.arguments.len()), argument);
    }

    fn display(&self, cx: &PlanContext<'_>) -> String {
        let texts: Vec<&str> = self.entries.iter().map(|entry| entry.text.as_str()).collect();
        let line = format!("{{{}}}", texts.join(", "));
        let has_comments = !self.dangling.is_empty()
            || self.entries.iter().any(|entry| !entry.leading.is_empty() || entry.trailing.is_some());
        let unit = &cx.style.indent_unit;
        let has_room = unit.chars().count() + "inputs=,".len() + line.chars().count() <= cx.line_length;
        if !self.is_multiline && !has_comments && has_room && !line.contains('\n') {
            return line;
        }
        let mut lines = vec!["{".to_owned()];
        for entry in &self.entries {
            lines.extend(entry.leading.iter().map(|comment| format!("{unit}{comment}")));
            let trailing = entry.trailing.as_ref().map_or(String::new(), |comment| format!("  {comment}"));
            lines.push(format!("{unit}{},{trailing}", indent_code(&entry.text, unit)));
        }
        lines.extend(self.dangling.iter().map(|comment| format!("{unit}{comment}")));
        lines.push("}".to_owned());
        lines.join("\n")
    }
}

/// What is said of every launch plan that becomes a trigger.
pub fn takes_its_place(plan: &str, workflow: &str, range: TextRange) -> Finding {
    let message = format!(
        "{plan} becomes a trigger of `{workflow}`; the launch plan that Flyte 1 knows goes on until it is switched off"
    );
    Finding::new(&LAUNCH_PLAN, range, Effect::Unsafe, message)
        .help("Switch it off with `pyflyte launchplan NAME --deactivate` when you deploy the trigger")
}
