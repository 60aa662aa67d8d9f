//! Maps the code of all entities and the code around them, and settles with it what is not understood by itself.

use std::collections::{BTreeSet, HashMap};

use rayon::prelude::*;

use super::graph::{EntityKind, Graph, NodeId, NodeKind};
use super::left_callers::read_left_callers;
use super::plan::FlyteNames;
use super::reach::to_be_mapped;
use super::{FileId, Project};
use crate::rules::Effect;
use crate::rules::body::{self, MappedBody, Overlap};

/// Decides which workflows and dynamics become `async`: those with calls that ran side by side or that call a container
/// task, and all that call them.
///
/// Where one of the callers cannot be `async`, what it calls stays as it is.
pub(super) fn find_async(project: &Project, graph: &mut Graph) {
    let has_flows = |&file: &FileId| {
        let mut entities = graph.nodes_in(file).filter_map(|node| graph.entity(node));
        !project.settled.contains(&file) && entities.any(|entity| entity.kind != EntityKind::Task)
    };
    let files: Vec<FileId> = (0..project.files.len()).filter(has_flows).collect();
    let found: Vec<(NodeId, Overlap, Vec<NodeId>)> =
        files.into_par_iter().flat_map_iter(|file| body::overlaps(project, graph, file)).collect();
    graph.overlaps = found.iter().map(|(node, overlap, _)| (*node, *overlap)).collect();
    let gathering = found.iter().filter(|(_, overlap, _)| graph.is_parallel && overlap.gathered > 0);
    let mut seeds: Vec<NodeId> = gathering.map(|(node, ..)| *node).collect();
    let mut callers = callers(graph);
    for (node, _, created) in &found {
        created.iter().for_each(|&callee| callers.entry(callee).or_default().push(*node));
    }
    for node in 0..graph.nodes.len() {
        if graph.container(node).is_some() {
            graph.asyncs.insert(node);
            seeds.extend(callers.get(&node).into_iter().flatten());
        }
    }
    for seed in seeds {
        let mut reached = BTreeSet::from([seed]);
        let mut pending = vec![seed];
        while let Some(node) = pending.pop() {
            let callers = callers.get(&node).into_iter().flatten();
            pending.extend(callers.filter(|&&caller| reached.insert(caller)));
        }
        if reached.iter().all(|&node| can_be_async(project, graph, node)) {
            graph.asyncs.extend(reached);
        }
    }
}

/// The entities that call each node.
fn callers(graph: &Graph) -> HashMap<NodeId, Vec<NodeId>> {
    let mut callers: HashMap<NodeId, Vec<NodeId>> = HashMap::new();
    for node in 0..graph.nodes.len() {
        for &(_, callee) in graph.entity(node).map_or(&[][..], |entity| &entity.calls) {
            callers.entry(callee).or_default().push(node);
        }
    }
    callers
}

/// Another decorator may call the function and use what it returns; a task calls what it calls in place.
fn can_be_async(project: &Project, graph: &Graph, node: NodeId) -> bool {
    let file = graph.nodes[node].file;
    graph.entity(node).is_some_and(|entity| {
        let function = project.facts(file).map(|facts| &facts.module.functions[entity.function]);
        entity.kind != EntityKind::Task && function.is_some_and(|function| function.decorators.len() == 1)
    })
}

/// Fills [`Graph::bodies`], ties what the mapping ties, and blocks the uses that it does not know.
pub(super) fn map_bodies(project: &Project, graph: &mut Graph) {
    let nodes = to_be_mapped(project, graph);
    graph.bodies = mapped(project, graph, nodes.clone());
    for node in 0..graph.nodes.len() {
        let file = graph.nodes[node].file;
        for finding in graph.bodies[node].findings.clone() {
            if finding.effect > Effect::Info {
                graph.block(node, file, finding);
            }
        }
        for (range, callee) in graph.bodies[node].calls.clone() {
            graph.tie(node, callee);
            if let NodeKind::Entity(entity) = &mut graph.nodes[node].kind
                && !entity.calls.contains(&(range, callee))
            {
                entity.calls.push((range, callee));
            }
        }
    }
    for use_ in std::mem::take(&mut graph.uses) {
        let is_understood = {
            let mut pieces = graph.pieces(use_.file, use_.statement);
            graph.understood.contains(&(use_.file, use_.range))
                || pieces.any(|piece| graph.bodies[piece].covers(use_.range))
        };
        if !is_understood {
            graph.block(use_.node, use_.file, use_.finding);
        }
    }
    read_left_callers(project, graph, &nodes.into_iter().collect());
}

/// The files are independent of each other; the tree of each is there only while it is mapped.
fn mapped(project: &Project, graph: &Graph, mut nodes: Vec<NodeId>) -> Vec<MappedBody> {
    let names = FlyteNames::default();
    nodes.retain(|&node| !project.settled.contains(&graph.nodes[node].file));
    let files: Vec<&[NodeId]> = nodes.chunk_by(|&a, &b| graph.nodes[a].file == graph.nodes[b].file).collect();
    let pieces: Vec<(NodeId, MappedBody)> = files
        .into_par_iter()
        .flat_map_iter(|nodes| body::map_file(project, graph, graph.nodes[nodes[0]].file, nodes, &names))
        .collect();
    let mut bodies = vec![MappedBody::default(); graph.nodes.len()];
    for (node, body) in pieces {
        bodies[node] = body;
    }
    bodies
}
