//! Scripts that reach what is deployed with Flyte 1 by its name: `remote.fetch_workflow(name="pk.flow.main")`.

use super::graph::{Graph, Obstacle};
use super::plan::constant;
use super::{FileId, Project};
use crate::flyte1::symbol::Symbol;
use crate::python::scope::{Reference, Role};
use crate::python::value::{Value, ValueKind};
use crate::rules::advice::advice;
use crate::rules::codes::REFERENCE;
use crate::rules::{Effect, Finding};

/// Tells of names of this project's functions that are fetched, and of clients of Flyte 1 about which nothing is said yet.
pub(super) fn read_remotes(project: &Project, graph: &mut Graph) {
    let found: Vec<Obstacle> = project
        .unsettled()
        .into_iter()
        .flat_map(|file| fetched(project, file).into_iter().chain(clients(project, graph, file)))
        .collect();
    graph.loose.extend(found);
}

/// The calls of `fetch_workflow` and its like that name a function of the project.
fn fetched(project: &Project, file: FileId) -> Vec<Obstacle> {
    let Some(facts) = project.facts(file) else { return Vec::new() };
    let told = facts.module.fetched.iter().filter_map(|value| {
        let name = text_of(project, file, value)?;
        let (module, function) = project.index.attribute_at(file, &name)?;
        let exports = project.facts(module)?.module.exports(function);
        let message = format!("`{name}` is fetched from Flyte 1, where it is not deployed again once it is converted");
        let help = "Run it with `flyte.init_from_config()` and `flyte.run`, or get it with `flyte.remote.Task.get(\"env.task\")`";
        let finding = Finding::new(&REFERENCE, value.range, Effect::Blocking, message).help(help);
        (!exports.is_empty()).then_some(Obstacle { file, finding })
    });
    told.collect()
}

fn text_of(project: &Project, file: FileId, value: &Value) -> Option<String> {
    match &value.kind {
        ValueKind::Str(text) => Some(text.clone()),
        ValueKind::Name(name) => {
            constant(project, file, name, value.range.start())?.as_str().map(str::to_owned)
        }
        _ => None,
    }
}

/// `FlyteRemote(…)` in code that belongs to no task.
fn clients(project: &Project, graph: &Graph, file: FileId) -> Vec<Obstacle> {
    let Some(facts) = project.facts(file).filter(|facts| facts.module.fetched.is_empty()) else {
        return Vec::new();
    };
    let told = facts.module.references.iter().filter_map(|reference: &Reference| {
        let is_called = matches!(reference.role, Role::Callee(_) | Role::CalleeOf(_));
        let symbol = project.symbol(file, reference).filter(|_| is_called)?;
        let Symbol::Other(path) = &symbol else { return None };
        let is_client = path.starts_with("flytekit.FlyteRemote") || path.starts_with("union.UnionRemote");
        let is_told = || {
            let mut obstacles = graph.obstacles.iter().flatten();
            obstacles.any(|known| known.file == file && known.finding.range == reference.range)
        };
        let (rule, help) = advice(&symbol);
        let message = format!("`{}` reaches only what is deployed with Flyte 1", symbol.name());
        let finding = Finding::new(rule, reference.range, Effect::Info, message).help(help);
        (is_client && !is_told()).then_some(Obstacle { file, finding })
    });
    told.collect()
}
