//! `schedule=` of a launch plan becomes `automation=` of a trigger.
//!
//! ```python
//! CronSchedule(schedule="@daily", kickoff_time_input_arg="when")
//! Cron("0 0 * * *")                                  # and `inputs={"when": TriggerTime}`
//! FixedRate(duration=timedelta(hours=4))
//! FixedRate(240)                                     # minutes
//! ```
//!
//! # FM271
//!
//! ## What it does
//!
//! Turns `CronSchedule` into `Cron`, and `FixedRate` into `FixedRate` with a number of minutes.
//!
//! ## Why
//!
//! Flyte 2 takes five fields of cron and checks none of them before the trigger is deployed, so others are found here. Names such
//! as `@daily` are written out.
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
//! nightly = LaunchPlan.get_or_create(main, name="nightly", schedule=CronSchedule(schedule="0 2 * * ? *"))
//! ```
//!
//! ## Use instead
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
//! ## Fix safety
//!
//! By hand. Schedules that Flyte 2 takes are rewritten with the launch plan.
//!
//! ## Not handled
//!
//! Six fields, `offset`, an interval of no whole minutes, and schedules behind a name.
//!
//! ## References
//!
//! `flytekit/core/schedule.py` of flytekit 1.16.31; `flyte/_trigger.py` of flyte 2.12.1.

use super::codes::SCHEDULE;
use super::launch_plan::{MappedPlan, PlanContext, literal};
use super::{Effect, Finding};
use crate::flyte1::symbol::Symbol;
use crate::python::items::Item;
use crate::python::scope::{BindingKind, Call};
use crate::python::value::{NumericCall, Value, ValueKind, numeric_call};
use crate::source::{TextRange, TextSize};

/// A mapped schedule.
#[derive(Debug)]
pub(super) struct Automation {
    /// `Cron("…")` or `FixedRate(…)`.
    pub(super) text: String,
    /// The input that receives the time, and where that is said.
    pub(super) kickoff: Option<(String, TextRange)>,
    /// Comments inside the schedule.
    pub(super) comments: Vec<String>,
}

/// What flytekit calls by a name, and the five fields that it means.
const ALIASES: [(&[&str], &str); 5] = [
    (&["hourly", "hours", "@hourly"], "0 * * * *"),
    (&["daily", "days", "@daily", "@midnight"], "0 0 * * *"),
    (&["weekly", "weeks", "@weekly"], "0 0 * * 0"),
    (&["monthly", "months", "@monthly"], "0 0 1 * *"),
    (&["annually", "@annually", "yearly", "years", "@yearly"], "0 0 1 1 *"),
];

/// Maps the value of `schedule=`.
pub(super) fn map(cx: &PlanContext<'_>, mapped: &mut MappedPlan, value: &Value) -> Option<Automation> {
    let call = cx.module.calls.iter().find(|call| call.range == value.range);
    let class = call.and_then(|call| match (cx.symbol)(call.callee)? {
        Symbol::Other(path) => Some(path),
        _ => None,
    });
    let (Some(call), Some(class)) = (call, class) else {
        mapped.findings.push(
            block(value.range, "the schedule of this launch plan is no call that can be read here")
                .help("Write `CronSchedule(…)` or `FixedRate(…)` into the launch plan"),
        );
        return None;
    };
    let arguments = match class.as_str() {
        "flytekit.CronSchedule" => {
            named(call, &["cron_expression", "schedule", "offset", "kickoff_time_input_arg"])
        }
        "flytekit.FixedRate" => named(call, &["duration", "kickoff_time_input_arg"]),
        _ => {
            mapped.findings.push(
                block(value.range, format!("`{class}` is no schedule that Flyte 2 knows"))
                    .help("Make the trigger by hand"),
            );
            return None;
        }
    };
    mapped.consumed.push(call.callee);
    let mut automation = Automation { text: String::new(), kickoff: None, comments: call.items.comments() };
    for (name, value, item) in arguments {
        let text = match name {
            _ if value.is_empty() => continue,
            Some("schedule") => cron(cx, mapped, value, item).map(|text| ("Cron", text)),
            Some("duration") => minutes(cx, mapped, value, item).map(|text| ("FixedRate", text)),
            Some("kickoff_time_input_arg") => {
                match literal(cx, value).as_str() {
                    Some(input) => automation.kickoff = Some((input.to_owned(), value.range)),
                    None => mapped.findings.push(
                        block(value.range, "the input that receives the trigger time cannot be read")
                            .help("Write its name as a string"),
                    ),
                }
                continue;
            }
            Some("cron_expression") => {
                mapped.findings.push(six_fields(cx, value));
                continue;
            }
            _ => {
                mapped.findings.push(
                    block(item.range, format!("`{}` of a schedule has no counterpart on Flyte 2", item.text))
                        .help("Make the trigger by hand"),
                );
                continue;
            }
        };
        if let Some((class, text)) = text {
            mapped.uses.push(class);
            automation.text = format!("{}({text})", (cx.flyte)(class));
        }
    }
    (!automation.text.is_empty()).then_some(automation)
}

fn named<'c>(call: &'c Call, parameters: &[&'static str]) -> Vec<(Option<&'c str>, &'c Value, &'c Item)> {
    let arguments = call.arguments.iter().zip(&call.items.items).enumerate();
    arguments
        .map(|(position, (argument, item))| {
            let by_place = parameters.get(position).copied().filter(|_| {
                !argument.is_double_starred && !matches!(argument.value.kind, ValueKind::Starred(_))
            });
            (argument.name.as_deref().or(by_place), &argument.value, item)
        })
        .collect()
}

fn block(range: TextRange, message: impl Into<String>) -> Finding {
    Finding::new(&SCHEDULE, range, Effect::Blocking, message)
}

/// The cron expression: five fields stay as they are, names are written out.
fn cron(cx: &PlanContext<'_>, mapped: &mut MappedPlan, value: &Value, item: &Item) -> Option<String> {
    let resolved = literal(cx, value);
    let Some(expression) = resolved.as_str() else {
        mapped.findings.push(
            block(value.range, "the cron expression cannot be read; Flyte 2 checks none before it deploys")
                .help("Write it as a string of five fields"),
        );
        return None;
    };
    let lower = expression.to_lowercase();
    if let Some((_, fields)) = ALIASES.iter().find(|(names, _)| names.contains(&lower.as_str())) {
        return Some(cx.style.string(fields));
    }
    match expression.split_whitespace().count() {
        5 => Some(item.value_text.clone()),
        6 => {
            mapped.findings.push(six_fields(cx, value));
            None
        }
        _ => {
            mapped.findings.push(
                block(value.range, format!("cron `{expression}` is no five fields, which Flyte 2 takes"))
                    .help("Write five fields: minute, hour, day of the month, month, day of the week"),
            );
            None
        }
    }
}

/// The form of AWS: minute, hour, day of the month, month, day of the week, year.
fn six_fields(cx: &PlanContext<'_>, value: &Value) -> Finding {
    let resolved = literal(cx, value);
    let expression = resolved.as_str().unwrap_or(&cx.text[value.range]);
    let fields: Vec<&str> = expression.split_whitespace().collect();
    // AWS counts the days of the week from 1, cron from 0; so a number there is left to the user.
    let help = match fields[..] {
        [minute, hour, day, month, weekday @ ("?" | "*"), "*" | "?"] => {
            let day = if day == "?" { "*" } else { day };
            let weekday = if weekday == "?" { "*" } else { weekday };
            format!("Write `schedule=\"{minute} {hour} {day} {month} {weekday}\"`")
        }
        _ => "Write five fields: minute, hour, day of the month, month, day of the week from 0 (Sunday)"
            .to_owned(),
    };
    block(value.range, format!("cron `{expression}` has six fields; Flyte 2 takes five")).help(help)
}

/// The minutes of a `timedelta`: a number where it can be read, else the expression that gives it.
fn minutes(cx: &PlanContext<'_>, mapped: &mut MappedPlan, value: &Value, item: &Item) -> Option<String> {
    let text = &cx.text[value.range];
    let seconds = numeric_call(text)
        .filter(|call| is_timedelta(cx, &call.callee, value.range.start()))
        .and_then(|call| seconds(&call));
    let Some(seconds) = seconds else {
        return Some(match value.kind {
            ValueKind::Name(_) | ValueKind::Call => format!("int({}.total_seconds() // 60)", item.value_text),
            _ => format!("int(({}).total_seconds() // 60)", item.value_text),
        });
    };
    if seconds <= 0.0 || seconds % 60.0 != 0.0 {
        mapped.findings.push(
            block(value.range, "the interval is no whole number of minutes, which Flyte 1 refuses as well")
                .help("Write a `timedelta` of whole minutes"),
        );
        return None;
    }
    Some(format!("{:.0}", seconds / 60.0))
}

fn is_timedelta(cx: &PlanContext<'_>, callee: &[String], offset: TextSize) -> bool {
    let Some((first, rest)) = callee.split_first() else { return false };
    let [binding] = cx.module.visible(first, offset)[..] else { return false };
    let BindingKind::Import(path) = &cx.module.bindings[binding].kind else { return false };
    let dotted: Vec<&str> =
        path.module.split('.').chain(path.name.as_deref()).chain(rest.iter().map(String::as_str)).collect();
    path.level == 0 && dotted == ["datetime", "timedelta"]
}

fn seconds(call: &NumericCall) -> Option<f64> {
    const UNITS: [(&str, f64); 7] = [
        ("days", 86_400.0),
        ("seconds", 1.0),
        ("microseconds", 1e-6),
        ("milliseconds", 1e-3),
        ("minutes", 60.0),
        ("hours", 3_600.0),
        ("weeks", 604_800.0),
    ];
    let arguments = call.arguments.iter().enumerate();
    arguments
        .map(|(position, (name, number))| {
            let unit = match name {
                Some(name) => UNITS.iter().find(|(unit, _)| unit == name),
                None => UNITS.get(position),
            };
            unit.map(|(_, seconds)| seconds * number)
        })
        .sum()
}
