//! Which code around the entities can matter to them: what they reach, and what uses them.
//!
//! ```python
//! def home(): return flytekit.current_context().working_directory    # reached by `train`
//! @task
//! def train() -> str: return home()
//! def test_train(): assert train()                                   # uses `train`
//! def helper(): return flytekit.current_context()                    # neither: it is not even parsed again
//! ```

use rustc_hash::{FxHashMap, FxHashSet};

use super::graph::{Graph, NodeId, NodeKind};
use super::link::Target;
use super::{FileId, Project};
use crate::flyte1::file::FileFacts;
use crate::python::scope::StatementId;

/// A statement at the top level of a file.
type Statement = (FileId, StatementId);

/// The nodes whose code is to be mapped, in their order: all entities, and the code that matters to an image, to settings
/// or to one of them.
pub(super) fn to_be_mapped(project: &Project, graph: &Graph) -> Vec<NodeId> {
    let reached = reached(project, graph);
    let used: FxHashSet<Statement> = graph.uses.iter().map(|use_| (use_.file, use_.statement)).collect();
    // Environment variables tie what sets them to the tasks that read them; nothing else says so.
    let variables =
        |file: FileId| project.facts(file).into_iter().flat_map(|facts| &facts.module.flyte1_variables);
    let matters = |file: FileId, statement: StatementId| {
        let key = (file, statement);
        reached.contains(&key)
            || used.contains(&key)
            || variables(file).any(|(_, owner)| *owner == statement)
            || uses_nodes(project, graph, file, statement)
    };
    let is_wanted = |&node: &NodeId| match graph.nodes[node].kind {
        NodeKind::Image(_) | NodeKind::Setting(_) | NodeKind::Maker(_) | NodeKind::Container(_) => false,
        NodeKind::Code(statement) => matters(graph.nodes[node].file, statement),
        NodeKind::Entity(_) => true,
    };
    (0..graph.nodes.len()).filter(is_wanted).collect()
}

/// The statements that entities and settings reach through names, their own included, and that reach Flyte themselves:
/// what leads to nothing of it is left as it is.
fn reached(project: &Project, graph: &Graph) -> FxHashSet<Statement> {
    let owned = graph.by_statement.keys().chain(graph.by_setting.keys()).copied();
    let mut reached: FxHashSet<Statement> = owned.collect();
    let mut pending: Vec<Statement> = reached.iter().copied().collect();
    let mut users: FxHashMap<Statement, Vec<Statement>> = FxHashMap::default();
    let mut touching = Vec::new();
    while let Some((file, statement)) = pending.pop() {
        let Some(facts) = project.facts(file) else { continue };
        let user = (file, statement);
        let mut touches = uses_nodes(project, graph, file, statement);
        for target in targets(project, file, statement) {
            match target {
                Target::Flyte1(_) => touches = true,
                // It may come from `from flytekit import *`.
                Target::Unknown => touches |= !facts.module.star_imports.is_empty(),
                Target::Binding(file, binding, _) => {
                    let Some(facts) = project.facts(*file) else { continue };
                    let next = (*file, facts.module.bindings[*binding].owner);
                    users.entry(next).or_default().push(user);
                    if reached.insert(next) {
                        pending.push(next);
                    }
                }
                Target::Module(_) | Target::Folder(_) | Target::External(_) => {}
            }
        }
        if touches {
            touching.push(user);
        }
    }
    let mut found: FxHashSet<Statement> = touching.iter().copied().collect();
    while let Some(statement) = touching.pop() {
        let users = users.get(&statement).into_iter().flatten().copied();
        touching.extend(users.filter(|&user| found.insert(user)));
    }
    found
}

/// The texts of the code around the entities that an entity runs: the functions that it reaches through names, such as its
/// decorators, without what other entities reach.
pub fn helpers_of<'p>(project: &'p Project, graph: &Graph, node: NodeId) -> Vec<&'p str> {
    let file = graph.nodes[node].file;
    let owner = |facts: &FileFacts| Some(facts.module.functions[graph.entity(node)?.function].owner);
    let Some(start) = project.facts(file).and_then(owner) else { return Vec::new() };
    let mut seen = FxHashSet::from_iter([(file, start)]);
    let mut pending = vec![(file, start)];
    let mut texts = Vec::new();
    while let Some((file, statement)) = pending.pop() {
        for target in targets(project, file, statement) {
            let Target::Binding(file, binding, _) = target else { continue };
            let Some(facts) = project.facts(*file) else { continue };
            let next = (*file, facts.module.bindings[*binding].owner);
            if !graph.by_statement.contains_key(&next) && seen.insert(next) {
                texts.push(&project.text(*file)[facts.module.statements[next.1]]);
                pending.push(next);
            }
        }
    }
    texts
}

/// Whether a statement reaches a node or Flyte 1 through the names in it.
pub(super) fn leads_to_flyte(project: &Project, graph: &Graph, file: FileId, statement: StatementId) -> bool {
    let mut seen = FxHashSet::from_iter([(file, statement)]);
    let mut pending = vec![(file, statement)];
    while let Some((file, statement)) = pending.pop() {
        if uses_nodes(project, graph, file, statement) {
            return true;
        }
        for target in targets(project, file, statement) {
            match target {
                Target::Flyte1(_) | Target::Unknown => return true,
                Target::Binding(file, binding, _) => {
                    let Some(facts) = project.facts(*file) else { continue };
                    let next = (*file, facts.module.bindings[*binding].owner);
                    if seen.insert(next) {
                        pending.push(next);
                    }
                }
                Target::Module(_) | Target::Folder(_) | Target::External(_) => {}
            }
        }
    }
    false
}

/// What the names in a statement may mean.
fn targets(project: &Project, file: FileId, statement: StatementId) -> impl Iterator<Item = &Target> {
    let references = project.facts(file).map(|facts| facts.module.references_of(statement));
    references.into_iter().flatten().flat_map(move |reference| project.resolve(file, reference))
}

/// Whether a statement names an image, an entity, or anything else that is a node.
fn uses_nodes(project: &Project, graph: &Graph, file: FileId, statement: StatementId) -> bool {
    targets(project, file, statement).any(|target| match target {
        Target::Binding(file, binding, _) => {
            let key = (*file, *binding);
            graph.by_binding.contains_key(&key) || graph.holders.contains_key(&key)
        }
        _ => false,
    })
}
