//! Which code around the entities can matter to them: what they reach, and what uses them.
//!
//! ```python
//! def home(): return flytekit.current_context().working_directory    # reached by `train`
//! @task
//! def train() -> str: return home()
//! def test_train(): assert train()                                   # uses `train`
//! def helper(): return flytekit.current_context()                    # neither: it is not even parsed again
//! ```

use rustc_hash::FxHashSet;

use super::graph::{Graph, NodeId, NodeKind};
use super::link::Target;
use super::{FileId, Project};
use crate::python::scope::{BindingKind, StatementId};

/// The nodes whose code is to be mapped, in their order: all entities, and the code that matters to an image, to settings
/// or to one of them.
pub(super) fn to_be_mapped(project: &Project, graph: &Graph) -> Vec<NodeId> {
    let reached = reached(project, graph);
    let used: FxHashSet<(FileId, StatementId)> =
        graph.uses.iter().map(|use_| (use_.file, use_.statement)).collect();
    // Environment variables tie what sets them to the tasks that read them; nothing else says so.
    let secrets =
        |file: FileId| project.facts(file).into_iter().flat_map(|facts| &facts.module.secret_variables);
    let matters = |file: FileId, statement: StatementId| {
        let key = (file, statement);
        reached.contains(&key)
            || used.contains(&key)
            || secrets(file).any(|(_, owner)| *owner == statement)
            || uses_nodes(project, graph, file, statement)
    };
    let is_wanted = |&node: &NodeId| match graph.nodes[node].kind {
        NodeKind::Image(_) | NodeKind::Setting(_) | NodeKind::Actor(_) => false,
        NodeKind::Code(statement) => matters(graph.nodes[node].file, statement),
        NodeKind::Entity(_) => true,
    };
    (0..graph.nodes.len()).filter(is_wanted).collect()
}

/// The statements that entities and settings reach through names, their own included.
fn reached(project: &Project, graph: &Graph) -> FxHashSet<(FileId, StatementId)> {
    let owned = graph.by_statement.keys().chain(graph.by_setting.keys()).copied();
    let mut reached: FxHashSet<(FileId, StatementId)> = owned.collect();
    let mut pending: Vec<(FileId, StatementId)> = reached.iter().copied().collect();
    while let Some((file, statement)) = pending.pop() {
        let references = project.facts(file).map(|facts| facts.module.references_of(statement));
        for target in references.into_iter().flatten().flat_map(|reference| project.resolve(file, reference))
        {
            let Target::Binding(file, binding, _) = target else { continue };
            let Some(facts) = project.facts(*file) else { continue };
            let next = (*file, facts.module.bindings[*binding].owner);
            if reached.insert(next) {
                pending.push(next);
            }
        }
    }
    reached
}

/// Whether a statement names an image, an entity, or anything else that is a node.
fn uses_nodes(project: &Project, graph: &Graph, file: FileId, statement: StatementId) -> bool {
    let Some(facts) = project.facts(file) else { return false };
    let references = facts.module.references_of(statement).iter();
    references.flat_map(|reference| project.resolve(file, reference)).any(|target| match target {
        Target::Binding(file, binding, _) => {
            let key = (*file, *binding);
            graph.by_binding.contains_key(&key)
                || graph.holders.contains_key(&key)
                || project.facts(*file).is_some_and(|facts| {
                    matches!(facts.module.bindings[*binding].kind, BindingKind::Decorated(_))
                })
        }
        _ => false,
    })
}
