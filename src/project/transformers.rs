//! Types for which the project has a transformer of Flyte 1.
//!
//! ```python
//! class MoneyTransformer(TypeTransformer[Money]): …
//!
//! TypeEngine.register(MoneyTransformer())
//! ```
//!
//! Flyte 2 has a registry of its own, and pickles what it does not find there. So the tasks that take or give such a
//! type stay, as those with the types of flytekit that have no counterpart.
//!
//! Source: `flytekit/core/type_engine.py` of flytekit 1.16.31, `flyte/types/_type_engine.py` of flyte 2.12.1.

use std::collections::HashSet;

use super::graph::{Graph, function_of};
use super::link::Target;
use super::{FileId, Project};
use crate::flyte1::file::FileFacts;
use crate::flyte1::symbol::Symbol;
use crate::python::annotation::{Definition, TypeExpr};
use crate::python::scope::{BindingKind, Reference, Role, StatementId};
use crate::rules::codes::DATA_TYPE;
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

const HELP: &str = "Derive the transformer from `flyte.types.TypeTransformer`, and register it with `flyte.types.TypeEngine`";

/// Tells of each task and workflow that takes or gives a type with a transformer of Flyte 1.
pub(super) fn hold_transformed(project: &Project, graph: &mut Graph) {
    let served = served(project);
    if served.is_empty() {
        return;
    }
    for node in 0..graph.nodes.len() {
        let file = graph.nodes[node].file;
        let function = graph.entity(node).and_then(|entity| function_of(project, file, entity));
        let (Some(function), Some(facts)) = (function, project.facts(file)) else { continue };
        let parameters = function.parameters.iter().filter_map(|parameter| parameter.annotation);
        let annotations: Vec<TextRange> = parameters.chain(function.returns).collect();
        let is_inside = |reference: &&Reference| {
            annotations.iter().any(|annotation| annotation.contains_range(reference.range))
        };
        let references = facts.module.references.iter().filter(is_inside);
        let held = references.filter(|reference| is_served(project, file, reference, &served));
        let findings: Vec<Finding> = held.map(finding).collect();
        findings.into_iter().for_each(|finding| graph.block(node, file, finding));
    }
}

fn finding(reference: &Reference) -> Finding {
    let message = format!(
        "`{}` is, or holds, a type with a transformer of Flyte 1, which Flyte 2 does not ask",
        reference.dotted()
    );
    Finding::new(&DATA_TYPE, reference.range, Effect::Blocking, message).help(HELP)
}

/// The types that transformers of Flyte 1 are written for.
fn served(project: &Project) -> Vec<&Target> {
    let mut served = Vec::new();
    for (file, facts) in project.parsed() {
        for (&statement, definition) in &facts.module.definitions {
            let Definition::Class { bases, .. } = definition else { continue };
            for base in bases {
                let (base, of) = match base {
                    TypeExpr::Generic(base, elements) => (&**base, elements.first()),
                    base => (base, None),
                };
                if is_transformer(project, file, facts, base) {
                    match of.and_then(head) {
                        Some(range) => served.extend(targets(project, file, facts.reference_at(range))),
                        None => served.extend(classes_named(project, file, facts, statement)),
                    }
                }
            }
        }
        // `TypeEngine.register(SimpleTransformer("money", Money, …))`
        for reference in &facts.module.references {
            let is_registered = |path: &str| path.contains(".TypeEngine.register");
            if flyte1_path(project, file, reference).is_some_and(is_registered) {
                served.extend(classes_named(project, file, facts, reference.owner));
            }
        }
    }
    served
}

/// The name of a type, before its brackets.
fn head(of: &TypeExpr) -> Option<TextRange> {
    match of {
        TypeExpr::Name(range) => Some(*range),
        TypeExpr::Generic(generic, _) => head(generic),
        _ => None,
    }
}

fn flyte1_path<'p>(project: &'p Project, file: FileId, reference: &Reference) -> Option<&'p str> {
    match project.resolve(file, reference) {
        [Target::Flyte1(Symbol::Other(path))] => Some(path),
        _ => None,
    }
}

/// Whether a base is `TypeTransformer` of Flyte 1, or one that is derived from it.
fn is_transformer(project: &Project, file: FileId, facts: &FileFacts, base: &TypeExpr) -> bool {
    let reference = head(base).and_then(|range| facts.reference_at(range));
    let path = reference.and_then(|reference| flyte1_path(project, file, reference));
    path.is_some_and(|path| path.ends_with("Transformer"))
}

fn targets<'p>(
    project: &'p Project,
    file: FileId,
    reference: Option<&Reference>,
) -> impl Iterator<Item = &'p Target> + use<'p> {
    let targets = reference.map_or(&[][..], |reference| project.resolve(file, reference));
    targets.iter().filter(|target| matches!(target, Target::Binding(..) | Target::External(_)))
}

/// The classes of the project that a statement names, but for transformers themselves.
fn classes_named<'p>(
    project: &'p Project,
    file: FileId,
    facts: &'p FileFacts,
    statement: StatementId,
) -> Vec<&'p Target> {
    let named =
        facts.module.references_of(statement).iter().flat_map(|name| targets(project, file, Some(name)));
    let is_plain = |target: &&Target| {
        let Some((home, class)) = class_of(project, target) else { return false };
        let facts = project.facts(home);
        let Some(Definition::Class { bases, .. }) =
            facts.and_then(|facts| facts.module.definitions.get(&class))
        else {
            return false;
        };
        let is_transformer =
            |base: &TypeExpr| facts.is_some_and(|facts| is_transformer(project, home, facts, base));
        !bases.iter().any(is_transformer)
    };
    named.filter(is_plain).collect()
}

/// The statement that defines the class which a target is.
fn class_of(project: &Project, target: &Target) -> Option<(FileId, StatementId)> {
    let Target::Binding(file, binding, rest) = target else { return None };
    let binding = &project.facts(*file).filter(|_| rest.is_empty())?.module.bindings[*binding];
    matches!(binding.kind, BindingKind::Definition).then_some((*file, binding.owner))
}

/// Whether a name in an annotation means such a type, or a class with a field of one.
fn is_served(project: &Project, file: FileId, reference: &Reference, served: &[&Target]) -> bool {
    let mut pending: Vec<&Target> = targets(project, file, Some(reference)).collect();
    let mut seen = HashSet::new();
    while let Some(target) = pending.pop() {
        if served.contains(&target) {
            return true;
        }
        let Some((file, class)) = class_of(project, target).filter(|class| seen.insert(*class)) else {
            continue;
        };
        let Some(facts) = project.facts(file) else { continue };
        let fields = facts.module.references_of(class).iter().filter(|name| name.role == Role::Annotation);
        pending.extend(fields.flat_map(|field| targets(project, file, Some(field))));
    }
    false
}
