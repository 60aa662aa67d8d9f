//! Which code runs in the `__main__` block of its file, and nowhere else.
//!
//! ```python
//! def main() -> None:             # only called below
//!     flyte.init()
//!     print(pipeline(n=1))
//!
//! if __name__ == "__main__":
//!     main()
//! ```

use std::collections::{BTreeSet, HashSet};

use crate::project::graph::NodeKind;
use crate::python::annotation::Definition;
use crate::python::is_main_block;
use crate::python::scope::{BindingKind, Role, StatementId};
use crate::rules::body::BodyContext;
use crate::rules::body::mapper::Mapper;

/// Where code of a script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the `__main__` block itself.
    Block,
    /// In a function that the block calls, or such a function.
    Called,
    /// Elsewhere too.
    Elsewhere,
}

/// Where the code that is mapped runs.
pub(super) fn place(mapper: &Mapper<'_>) -> Place {
    code(mapper).map_or(Place::Elsewhere, |statement| place_of(mapper.cx, statement, &mut HashSet::new()))
}

/// The statement at the top level of the file that is mapped, if it is code beside tasks and workflows.
pub(super) fn code(mapper: &Mapper<'_>) -> Option<StatementId> {
    match mapper.cx.graph.nodes[mapper.node].kind {
        NodeKind::Code(statement) => Some(statement),
        _ => None,
    }
}

/// Where a statement at the top level of the file runs.
fn place_of(cx: &BodyContext<'_>, statement: StatementId, seen: &mut HashSet<StatementId>) -> Place {
    let text = &cx.text[cx.facts.module.statements[statement]];
    if is_main_block(text) {
        return Place::Block;
    }
    let is_function =
        matches!(cx.facts.module.definitions.get(&statement), Some(Definition::Function { .. }))
            && !text.starts_with("async");
    let mut bindings = cx.facts.module.bindings.iter().enumerate().filter(|(_, binding)| {
        binding.owner == statement && binding.is_unconditional && binding.kind == BindingKind::Definition
    });
    let (Some((binding, _)), true) = (bindings.next(), is_function && seen.insert(statement)) else {
        return Place::Elsewhere;
    };
    let callers = cx.project.references_to(cx.file, binding).map(|(file, reference)| {
        (file == cx.file && matches!(reference.role, Role::Callee(_))).then_some(reference.owner)
    });
    let callers: BTreeSet<Option<StatementId>> = callers.collect();
    let places = callers.into_iter().map(|caller| caller.map(|caller| place_of(cx, caller, seen)));
    let places: Vec<Place> = places.map(|place| place.unwrap_or(Place::Elsewhere)).collect();
    seen.remove(&statement);
    if places.is_empty() || places.contains(&Place::Elsewhere) { Place::Elsewhere } else { Place::Called }
}
