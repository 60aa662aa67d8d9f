//! Code that stays as it is although it calls what is converted: a script, or a test of a plain function.
//!
//! ```python
//! def read(f: FlyteFile): return open(f.download()).read()    # reached by a task: `f.download_sync()`
//! def test_read(): assert read(FlyteFile("a.txt")) == "a"     # belongs to no task, and goes on making a `FlyteFile`
//! ```

use rustc_hash::{FxHashMap, FxHashSet};

use super::graph::{Graph, NodeId, NodeKind};
use super::link::Target;
use super::{FileId, Project};
use crate::python::is_main_block;
use crate::python::scope::StatementId;
use crate::rules::body::MappedBody;
use crate::rules::codes::PLAIN_CALL;
use crate::rules::{Effect, Finding};

/// What the new code of a function calls that works with a value of `flyte.io`, and not with one of Flyte 1.
const CALLS_OF_VALUES: [&str; 2] = ["_sync", "wrap_df"];

/// Tells of uses of functions and classes whose new code works with values of `flyte.io`, in code that none of the nodes
/// that are `mapped` holds.
pub(super) fn read_left_callers(project: &Project, graph: &mut Graph, mapped: &FxHashSet<NodeId>) {
    let works_with_values = |body: &MappedBody| {
        let mut texts = body.edits.iter().map(|edit| edit.content.as_str());
        texts.any(|text| CALLS_OF_VALUES.iter().any(|call| text.contains(call)))
    };
    let defined = |&node: &NodeId| match graph.nodes[node].kind {
        NodeKind::Code(statement) if works_with_values(&graph.bodies[node]) => {
            Some(((graph.nodes[node].file, statement), node))
        }
        _ => None,
    };
    let helpers: FxHashMap<(FileId, StatementId), NodeId> = mapped.iter().filter_map(defined).collect();
    if helpers.is_empty() {
        return;
    }
    let mut found = Vec::new();
    for (file, facts) in project.parsed() {
        for reference in &facts.module.references {
            let is_left = || {
                let mut pieces = graph.pieces(file, reference.owner);
                !pieces.any(|piece| graph.entity(piece).is_some() || mapped.contains(&piece))
            };
            let helper = project.resolve(file, reference).iter().find_map(|target| {
                let Target::Binding(file, binding, _) = target else { return None };
                let owner = project.facts(*file)?.module.bindings[*binding].owner;
                helpers.get(&(*file, owner)).copied()
            });
            // The `__main__` block begins with `flyte.init()`, and hands no values of Flyte 1 over, or it would be mapped.
            let is_own_main =
                |helper: NodeId| graph.nodes[helper].file == file && is_main(project, file, reference.owner);
            if let Some(helper) = helper.filter(|&helper| is_left() && !is_own_main(helper)) {
                let message = format!(
                    "`{}` works with values of `flyte.io` once it is converted, and this code stays as it is",
                    &project.text(file)[reference.range]
                );
                let help = "Give it and take from it `flyte.io.File` and its like, below `flyte.init()`";
                let finding = Finding::new(&PLAIN_CALL, reference.range, Effect::Unsafe, message).help(help);
                found.push((helper, file, finding));
            }
        }
    }
    found.into_iter().for_each(|(helper, file, finding)| graph.block(helper, file, finding));
}

/// Whether a statement is the `__main__` block of its file.
fn is_main(project: &Project, file: FileId, statement: StatementId) -> bool {
    let range = project.facts(file).map(|facts| facts.module.statements[statement]);
    range.is_some_and(|range| is_main_block(&project.text(file)[range]))
}
