//! `task_config=Spark(...)` becomes `plugin_config=Spark(...)` of the environment, from `flyteplugins.spark`.
//!
//! Spark, Ray, Dask and Elastic have counterparts with nearly the same fields; other plugins have none.
//!
//! ```python
//! task_config=Dask(workers=WorkerGroup(number_of_workers=4, limits=Resources(cpu="2")))
//! plugin_config=Dask(workers=WorkerGroup(number_of_workers=4, resources=flyte.Resources(cpu=("2", "2"))))
//! ```
//!
//! # FM253
//!
//! ## What it does
//!
//! Turns `task_config` of Spark, Ray, Dask and Elastic into `plugin_config` of the environment, from `flyteplugins`.
//!
//! ## Why
//!
//! The plugins have packages of their own on Flyte 2, with nearly the same fields. The image needs the package, and so does the
//! machine that deploys.
//!
//! ## Example
//!
//! ```python
//! from flytekit import task
//! from flytekitplugins.spark import Spark
//!
//!
//! @task(task_config=Spark(spark_conf={"spark.executor.cores": "2"}))
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import TaskEnvironment
//! from flyteplugins.spark import Spark
//!
//! env = TaskEnvironment(
//!     name="example", plugin_config=Spark(spark_conf={"spark.executor.cores": "2"})
//! )
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Informs. Elastic starts its workers in another way, which is an unsafe fix.
//!
//! ## Not handled
//!
//! Other plugins, fields without a counterpart, and a configuration that cannot be read: they are left to you.
//!
//! ## References
//!
//! The packages `flytekitplugins-*` 1.16.31 and `flyteplugins-*` 2.12.1.

use super::codes::PLUGIN;
use super::resources::{self, Wanted};
use super::setting::{self, Effects, SettingContext, SettingKind, nested};
use super::{Effect, Finding};
use crate::flyte1::symbol::Symbol;
use crate::flyte2::chain::{Argument, Call as CallText};
use crate::python::items::Item;
use crate::python::scope::{BindingKind, Call, Reference, Role};
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// What a field of a configuration holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    /// Anything that means the same on both.
    Plain,
    /// Objects of this kind, or a list of them.
    Objects(SettingKind),
    /// `requests` or `limits`, which become one `resources`.
    Amounts,
    /// A member of `CleanPodPolicy`, which is a string on Flyte 2.
    CleanPods,
    /// It has no counterpart and no effect that matters.
    Dropped,
    /// It has no counterpart.
    None,
}

/// A class of a plugin that has a counterpart.
struct Configuration {
    /// The plugin of Flyte 1 below `flytekitplugins`.
    plugin: &'static str,
    /// The class, of the same name on both.
    class: &'static str,
    /// The module of Flyte 2.
    module: &'static str,
    /// Whether it is what `task_config` takes.
    is_task_config: bool,
    /// The fields of Flyte 1 in order (version 1.16.31 of the plugins).
    fields: &'static [(&'static str, Field)],
}

const NODE: &[(&str, Field)] = &[
    ("ray_start_params", Field::Plain),
    ("pod_template", Field::Objects(SettingKind::PodTemplate)),
    ("requests", Field::Objects(SettingKind::Resources)),
    ("limits", Field::Objects(SettingKind::Resources)),
];

const CONFIGURATIONS: [Configuration; 10] = [
    Configuration {
        plugin: "spark",
        class: "Spark",
        module: "flyteplugins.spark",
        is_task_config: true,
        fields: &[
            ("spark_conf", Field::Plain),
            ("hadoop_conf", Field::Plain),
            ("executor_path", Field::Plain),
            ("applications_path", Field::Plain),
            ("driver_pod", Field::Objects(SettingKind::PodTemplate)),
            ("executor_pod", Field::Objects(SettingKind::PodTemplate)),
        ],
    },
    Configuration {
        plugin: "ray",
        class: "RayJobConfig",
        module: "flyteplugins.ray",
        is_task_config: true,
        fields: &[
            ("worker_node_config", Field::Objects(SettingKind::Plugin)),
            ("head_node_config", Field::Objects(SettingKind::Plugin)),
            ("enable_autoscaling", Field::Plain),
            ("autoscaler_options", Field::Objects(SettingKind::Plugin)),
            ("runtime_env", Field::Plain),
            ("address", Field::Plain),
            ("shutdown_after_job_finishes", Field::Plain),
            ("ttl_seconds_after_finished", Field::Plain),
        ],
    },
    Configuration {
        plugin: "ray",
        class: "HeadNodeConfig",
        module: "flyteplugins.ray",
        is_task_config: false,
        fields: NODE,
    },
    Configuration {
        plugin: "ray",
        class: "WorkerNodeConfig",
        module: "flyteplugins.ray",
        is_task_config: false,
        fields: &[
            ("group_name", Field::Plain),
            ("replicas", Field::Plain),
            ("min_replicas", Field::Plain),
            ("max_replicas", Field::Plain),
            NODE[0],
            NODE[1],
            NODE[2],
            NODE[3],
        ],
    },
    Configuration {
        plugin: "ray",
        class: "AutoscalerOptionsConfig",
        module: "flyteplugins.ray",
        is_task_config: false,
        fields: &[
            ("upscaling_mode", Field::None),
            ("idle_timeout_seconds", Field::Plain),
            ("env", Field::Plain),
            ("image", Field::Plain),
            ("requests", Field::Amounts),
            ("limits", Field::Amounts),
        ],
    },
    Configuration {
        plugin: "dask",
        class: "Dask",
        module: "flyteplugins.dask",
        is_task_config: true,
        fields: &[
            ("scheduler", Field::Objects(SettingKind::Plugin)),
            ("workers", Field::Objects(SettingKind::Plugin)),
        ],
    },
    Configuration {
        plugin: "dask",
        class: "Scheduler",
        module: "flyteplugins.dask",
        is_task_config: false,
        fields: &[("image", Field::Plain), ("requests", Field::Amounts), ("limits", Field::Amounts)],
    },
    Configuration {
        plugin: "dask",
        class: "WorkerGroup",
        module: "flyteplugins.dask",
        is_task_config: false,
        fields: &[
            ("number_of_workers", Field::Plain),
            ("image", Field::Plain),
            ("requests", Field::Amounts),
            ("limits", Field::Amounts),
        ],
    },
    Configuration {
        plugin: "kfpytorch",
        class: "Elastic",
        module: "flyteplugins.pytorch",
        is_task_config: true,
        fields: &[
            ("nnodes", Field::Plain),
            ("nproc_per_node", Field::Plain),
            ("start_method", Field::Dropped),
            ("monitor_interval", Field::Plain),
            ("max_restarts", Field::Plain),
            ("rdzv_configs", Field::Plain),
            ("increase_shared_mem", Field::Dropped),
            ("run_policy", Field::Objects(SettingKind::Plugin)),
        ],
    },
    Configuration {
        plugin: "kfpytorch",
        class: "RunPolicy",
        module: "flyteplugins.pytorch.task",
        is_task_config: false,
        fields: &[
            ("clean_pod_policy", Field::CleanPods),
            ("ttl_seconds_after_finished", Field::Plain),
            ("active_deadline_seconds", Field::Plain),
            ("backoff_limit", Field::Plain),
        ],
    },
];

/// The members of `CleanPodPolicy`, and what Flyte 2 calls them.
const CLEAN_PODS: [(&str, &str); 3] = [("NONE", "None"), ("ALL", "all"), ("RUNNING", "Running")];

/// What flytekit's `Elastic` has where nothing is given, and flyte's has not.
const ELASTIC_DEFAULTS: [(&str, &str); 4] =
    [("nnodes", "1"), ("nproc_per_node", "1"), ("monitor_interval", "5"), ("max_restarts", "0")];

/// Whether a path is that of a class with a counterpart.
pub(super) fn is_configuration(path: &str) -> bool {
    configuration(path).is_some()
}

fn configuration(path: &str) -> Option<&'static Configuration> {
    let (plugin, class) = path.strip_prefix("flytekitplugins.")?.split_once('.')?;
    let class = class.strip_prefix("task.").or(class.strip_prefix("models.")).unwrap_or(class);
    CONFIGURATIONS.iter().find(|known| known.plugin == plugin && known.class == class)
}

/// Maps `task_config`; `None` if there is nothing to write.
pub(super) fn map(
    cx: &SettingContext<'_>,
    value: &Value,
    item: &Item,
    wanted: &mut Wanted<'_>,
    effects: &mut Effects,
) -> Option<String> {
    let call = cx.module.calls.iter().find(|call| call.range == value.range);
    let symbol = call.and_then(|call| (cx.symbol)(call.callee));
    let named = (cx.named)(value.range);
    match (call, &symbol) {
        (Some(call), Some(Symbol::Other(path))) => {
            let known = configuration(path).filter(|known| known.is_task_config);
            if known.is_none() {
                effects.findings.push(no_counterpart(value.range, path));
                return None;
            }
            share_memory(path.ends_with(".Elastic"), call, wanted, effects);
            let mapped = setting::map(cx, call, effects)?;
            Some(nested(cx, "plugin_config", mapped))
        }
        _ if !named.is_empty() && named.iter().all(|setting| setting.kind == SettingKind::Plugin) => {
            for setting in &named {
                let callee = &setting.text[setting.call.callee];
                share_memory(callee.ends_with("Elastic"), setting.call, wanted, effects);
            }
            Some(item.value_text.clone())
        }
        _ => {
            effects.findings.push(
                Finding::new(
                    &PLUGIN,
                    value.range,
                    Effect::Blocking,
                    "`task_config` is no configuration that Flyte 2 knows",
                )
                .help("Migrate this task by hand, or remove the keyword"),
            );
            None
        }
    }
}

fn no_counterpart(range: TextRange, path: &str) -> Finding {
    Finding::new(&PLUGIN, range, Effect::Blocking, format!("`{path}` has no counterpart on Flyte 2"))
        .help("Migrate this task by hand; Flyte 2 has plugins for Spark, Ray, Dask and elastic PyTorch")
}

/// `Elastic` gives its task more shared memory unless it is told not to.
fn share_memory(is_elastic: bool, call: &Call, wanted: &mut Wanted<'_>, effects: &mut Effects) {
    if !is_elastic {
        return;
    }
    let argument = call.keyword("increase_shared_mem");
    match argument.map(|argument| &argument.value.kind) {
        None | Some(ValueKind::Bool(true)) => wanted.increases_shared_memory = true,
        Some(ValueKind::Bool(false)) => {}
        Some(_) => effects.findings.push(
            Finding::new(&PLUGIN, call.range, Effect::Blocking, "`increase_shared_mem` is no literal")
                .help("Write `True` or `False`"),
        ),
    }
}

/// Maps a class of a plugin.
pub(super) fn map_object(
    cx: &SettingContext<'_>,
    call: &Call,
    symbol: &Symbol,
    effects: &mut Effects,
) -> Option<CallText> {
    let Symbol::Other(path) = symbol else { return None };
    let known = configuration(path)?;
    let names: Vec<&str> = known.fields.iter().map(|(name, _)| *name).collect();
    let mut arguments = Vec::new();
    let mut amounts = Wanted::default();
    let mut given = Vec::new();
    for (name, argument, item) in call.fields(&names) {
        let field = name.and_then(|name| known.fields.iter().find(|(field, _)| *field == name));
        let (Some(name), Some((_, field))) = (name, field) else {
            effects.findings.push(unknown_field(known.class, item));
            return None;
        };
        given.push(name);
        match field {
            _ if argument.value.kind == ValueKind::None => {}
            Field::Plain => arguments.push(setting::argument(cx, name, item, effects)),
            Field::Objects(kind) => {
                check_objects(cx, &argument.value, *kind, effects);
                arguments.push(setting::argument(cx, name, item, effects));
            }
            Field::CleanPods => arguments.extend(clean_pods(cx, name, &argument.value, item, effects)),
            Field::Amounts => match resources::amounts(cx, &argument.value, effects) {
                Some(side) if name == "requests" => amounts.requests = Some(side),
                side => amounts.limits = side,
            },
            Field::Dropped => effects.findings.push(Finding::new(
                &PLUGIN,
                item.range,
                Effect::Info,
                format!("`{name}` of `{}` does not exist on Flyte 2", known.class),
            )),
            Field::None => {
                effects.findings.push(unknown_field(known.class, item));
                return None;
            }
        }
    }
    if let Some(resources) = resources::map(cx, &amounts, effects) {
        arguments.push(Argument::new(format!("resources={}", nested(cx, "resources", resources))));
    }
    if known.class == "Elastic" {
        elastic_defaults(call, &given, &mut arguments, effects);
    }
    let callee = callee(cx, call, known, effects)?;
    Some(CallText { callee, arguments, dangling: call.items.dangling.clone(), ..CallText::default() })
}

/// `clean_pod_policy=CleanPodPolicy.ALL`
fn clean_pods(
    cx: &SettingContext<'_>,
    name: &str,
    value: &Value,
    item: &Item,
    effects: &mut Effects,
) -> Option<Argument> {
    let member = (cx.symbol)(value.range).as_ref().and_then(clean_pods_member);
    let Some(member) = member else {
        let message = format!("`{name}={}` cannot be read here", item.value_text);
        effects.findings.push(
            Finding::new(&PLUGIN, value.range, Effect::Blocking, message)
                .help("Write a member of `CleanPodPolicy` here"),
        );
        return None;
    };
    effects.consumed.push(value.range);
    let text = format!("{name}={}", cx.style.string(member));
    Some(Argument { leading: item.leading.clone(), text, trailing: item.trailing.clone() })
}

/// What Flyte 2 calls a member of `CleanPodPolicy`.
fn clean_pods_member(symbol: &Symbol) -> Option<&'static str> {
    let Symbol::Other(path) = symbol else { return None };
    let (class, member) = path.strip_prefix("flytekitplugins.kfpytorch.")?.rsplit_once('.')?;
    let (_, text) = CLEAN_PODS.into_iter().find(|(name, _)| *name == member)?;
    matches!(class, "CleanPodPolicy" | "task.CleanPodPolicy").then_some(text)
}

/// Whether a name of Flyte 1 is a part of a configuration, such as a member of an enumeration.
pub(super) fn is_part(symbol: &Symbol) -> bool {
    clean_pods_member(symbol).is_some()
}

fn unknown_field(class: &str, item: &Item) -> Finding {
    Finding::new(
        &PLUGIN,
        item.range,
        Effect::Blocking,
        format!("`{}` of `{class}` has no counterpart that is known", item.text),
    )
    .help("Migrate this task by hand")
}

/// Where nothing is given, flyte has other defaults than flytekit, or none.
fn elastic_defaults(call: &Call, given: &[&str], arguments: &mut Vec<Argument>, effects: &mut Effects) {
    for (position, (name, value)) in ELASTIC_DEFAULTS.into_iter().enumerate() {
        if !given.contains(&name) {
            arguments.insert(position.min(arguments.len()), Argument::new(format!("{name}={value}")));
        }
    }
    effects.findings.push(
        Finding::new(
            &PLUGIN,
            call.range,
            Effect::Unsafe,
            "`Elastic` starts its workers in another way on Flyte 2, and aborts those that hang",
        )
        .help("Look at the settings of `flyteplugins.pytorch.Elastic` once"),
    );
}

/// A field that takes objects of Flyte 2 must not get one of Flyte 1.
fn check_objects(cx: &SettingContext<'_>, value: &Value, kind: SettingKind, effects: &mut Effects) {
    if !is_known(cx, value, kind) {
        effects.findings.push(
            Finding::new(
                &PLUGIN,
                value.range,
                Effect::Blocking,
                format!("`{}` cannot be read here", &cx.text[value.range]),
            )
            .help("Write the object out, or assign it to a name of a module"),
        );
    }
}

fn is_known(cx: &SettingContext<'_>, value: &Value, kind: SettingKind) -> bool {
    if let Some(elements) = value.elements() {
        return elements.iter().all(|element| is_known(cx, element, kind));
    }
    let mut calls = cx.module.calls.iter();
    if let Some(call) = calls.find(|call| call.range == value.range) {
        return (cx.symbol)(call.callee).is_some_and(|symbol| SettingKind::of(&symbol) == Some(kind));
    }
    let named = (cx.named)(value.range);
    !named.is_empty() && named.iter().all(|setting| setting.kind == kind)
}

/// How the class is written, and the import that it needs.
fn callee(
    cx: &SettingContext<'_>,
    call: &Call,
    known: &Configuration,
    effects: &mut Effects,
) -> Option<String> {
    let reference = cx.module.references.iter().find(|reference| reference.range == call.callee)?;
    let binding = reference.bindings.first().map(|&binding| &cx.module.bindings[binding])?;
    if known.is_task_config {
        effects.findings.push(Finding::new(
            &PLUGIN,
            call.callee,
            Effect::Info,
            format!(
                "`{}` comes from `{}` on Flyte 2; the image needs `{}`",
                known.class,
                known.module,
                known.module.replace('.', "-")
            ),
        ));
    }
    let BindingKind::Import(path) = &binding.kind else { return None };
    if path.name.as_deref() != Some(known.class) || !reference.attributes.is_empty() {
        effects.imports.push(format!("import {}", known.module));
        return Some(format!("{}.{}", known.module, known.class));
    }
    let mut others = cx.module.references.iter().filter(|other| other.bindings == reference.bindings);
    if let Some(other) = others.find(|other| !is_construction(other)) {
        effects.findings.push(
            Finding::new(
                &PLUGIN,
                other.range,
                Effect::Blocking,
                format!("`{}` is used as more than the configuration of a task", known.class),
            )
            .help("Migrate this use by hand first"),
        );
    }
    let local = &binding.name;
    effects.imports.push(if local == known.class {
        format!("from {} import {local}", known.module)
    } else {
        format!("from {} import {} as {local}", known.module, known.class)
    });
    Some(local.to_string())
}

fn is_construction(reference: &Reference) -> bool {
    matches!(reference.role, Role::Callee(Some(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_known_by_all_their_paths() {
        assert!(is_configuration("flytekitplugins.spark.Spark"));
        assert!(is_configuration("flytekitplugins.spark.task.Spark"));
        assert!(!is_configuration("flytekitplugins.kfpytorch.PyTorch"));
        assert!(!is_configuration("mylib.spark.Spark"));
    }
}
