//! `image.is_container()` at the top level of a module, which every task of the module runs when it is loaded.
//!
//! ```python
//! if gpu.is_container():    # never true in the container of another image on Flyte 1, but always on Flyte 2
//!     import torch
//! ```

use rustc_hash::FxHashSet;

use super::graph::{Graph, NodeId};
use super::{FileId, Project};
use crate::python::scope::Reference;

/// Ties the code that asks `is_container` when a module is loaded to all entities that load the module. An `ImageSpec` knows
/// that it is not the image of a task only while Flyte 1 runs the task. With `--partial` they move apart, as all that is tied does.
pub(super) fn tie_tasks(project: &Project, graph: &mut Graph, file: FileId, reference: &Reference) {
    let asked = graph.image_attribute(project, file, reference);
    let Some(facts) = project.facts(file).filter(|_| matches!(asked, Some((_, "is_container")))) else {
        return;
    };
    // A function asks when it is called.
    if facts
        .module
        .functions
        .iter()
        .any(|function| function.owner == reference.owner && function.is_top_level)
    {
        return;
    }
    let Some(&code) = graph.by_code.get(&(file, reference.owner)) else { return };
    let loaders = loaders(project, file);
    let entities: Vec<NodeId> = (0..graph.nodes.len())
        .filter(|&node| graph.entity(node).is_some() && loaders.contains(&graph.nodes[node].file))
        .collect();
    for entity in entities {
        graph.tie(entity, code);
    }
}

/// The files that load a module, themselves or through others.
fn loaders(project: &Project, module: FileId) -> FxHashSet<FileId> {
    let mut loaders: FxHashSet<FileId> = [module].into_iter().collect();
    loop {
        let before = loaders.len();
        for (file, imports) in project.imports.iter().enumerate() {
            if imports.iter().any(|imported| loaders.contains(imported)) {
                loaders.insert(file);
            }
        }
        if loaders.len() == before {
            return loaders;
        }
    }
}
