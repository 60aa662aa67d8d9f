//! Images in conditional expressions, lists, tuples and dicts of a module, and the tasks that take them from there.
//!
//! ```python
//! IMAGES = {"cpu": ImageSpec(...), "gpu": ImageSpec(...)}     # each is an image
//! @task(container_image=IMAGES["gpu"])                        # tied to all of them: the key may be anything
//! ```
//!
//! # FM142
//!
//! ## What it does
//!
//! Speaks of a list, tuple, dict or conditional expression with images that code uses as more than the image of a task.
//!
//! ## Why
//!
//! An image that is an element moves together with every task that takes one of them. Code that reads the elements could ask
//! them for what only an `ImageSpec` has.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! IMAGES = [ImageSpec(name="train", packages=["pandas"])]
//! for image in IMAGES:
//!     print(image.packages)
//!
//!
//! @task(container_image=IMAGES[0])
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! IMAGES = [ImageSpec(name="train", packages=["pandas"])]
//!
//!
//! @task(container_image=IMAGES[0])
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Which part of the container the code reads: any use stands in the way of all images in it.
//!
//! ## References
//!
//! `ImageSpec` in `flytekit/image_spec/image_spec.py` of flytekit 1.16.31; `flyte/_image.py` of flyte 2.12.1.

use super::graph::{Graph, ImageUse, NodeId, NodeKind, Use};
use super::link::Target;
use super::{FileId, Project};
use crate::python::scope::{BindingKind, Reference};
use crate::python::value::{Value, ValueKind};
use crate::rules::codes::{HELD_IMAGE, UNSUPPORTED_PLACE};
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// The images that a name holds.
#[derive(Debug)]
pub(super) struct Holder {
    images: Vec<NodeId>,
    /// Whether they are elements of a list, tuple or dict, and not the value itself.
    has_elements: bool,
}

/// What was found in an expression.
#[derive(Default)]
struct Found {
    images: Vec<NodeId>,
    /// The references that name them.
    references: Vec<TextRange>,
    /// The images that are written there.
    written: Vec<NodeId>,
}

/// Finds the names that hold images, also through each other.
pub(super) fn collect_holders(project: &Project, graph: &mut Graph) {
    loop {
        let before = graph.holders.len();
        for (file, facts) in project.parsed() {
            for (id, binding) in facts.module.bindings.iter().enumerate() {
                let BindingKind::Assignment { value, .. } = &binding.kind else { continue };
                let key = (file, id);
                if !binding.is_global
                    || graph.by_binding.contains_key(&key)
                    || graph.holders.contains_key(&key)
                {
                    continue;
                }
                let (elements, has_elements) = match &value.kind {
                    ValueKind::List(elements) | ValueKind::Tuple(elements) => {
                        (elements.iter().collect(), true)
                    }
                    ValueKind::Dict(items) => (items.iter().map(|(_, value)| value).collect(), true),
                    ValueKind::Conditional(..) => (vec![value], false),
                    _ => continue,
                };
                let mut found = Found::default();
                let is_all =
                    elements.iter().all(|element| images_of(project, graph, file, element, &mut found));
                if is_all && !found.images.is_empty() {
                    let holder = Holder { images: understood(graph, file, found), has_elements };
                    graph.holders.insert(key, holder);
                }
            }
        }
        if graph.holders.len() == before {
            return;
        }
    }
}

/// Notes what was found, and ties it: the images of one expression move together.
fn understood(graph: &mut Graph, file: FileId, found: Found) -> Vec<NodeId> {
    graph.understood.extend(found.references.into_iter().map(|range| (file, range)));
    for node in found.written {
        if let NodeKind::Image(image) = &mut graph.nodes[node].kind {
            image.is_element = true;
        }
    }
    for pair in found.images.windows(2) {
        graph.tie(pair[0], pair[1]);
    }
    found.images
}

/// Whether `value` certainly is an image, whichever of several.
fn images_of(project: &Project, graph: &Graph, file: FileId, value: &Value, found: &mut Found) -> bool {
    match &value.kind {
        ValueKind::Conditional(value, otherwise) => {
            images_of(project, graph, file, value, found) && images_of(project, graph, file, otherwise, found)
        }
        ValueKind::Call => {
            let Some(facts) = project.facts(file) else { return false };
            let call = facts.module.calls.iter().position(|call| call.outer_range == value.range);
            let image = call.and_then(|call| graph.image_at(file, call));
            found.images.extend(image);
            found.written.extend(image);
            image.is_some()
        }
        ValueKind::Subscript(container) => named(project, graph, file, container, true, found),
        _ => named(project, graph, file, value, false, found),
    }
}

/// Whether a name certainly holds images: as its elements or as its value.
fn named(
    project: &Project,
    graph: &Graph,
    file: FileId,
    value: &Value,
    has_elements: bool,
    found: &mut Found,
) -> bool {
    let Some(reference) = project.facts(file).and_then(|facts| facts.reference_at(value.range)) else {
        return false;
    };
    found.references.push(reference.range);
    project.resolve(file, reference).iter().all(|target| {
        let Target::Binding(file, binding, rest) = target else { return false };
        let key = (*file, *binding);
        let image = graph.by_binding.get(&key).filter(|&&node| graph.image(node).is_some() && !has_elements);
        let holder = graph.holders.get(&key).filter(|holder| holder.has_elements == has_elements);
        found.images.extend(image);
        found.images.extend(holder.into_iter().flat_map(|holder| &holder.images));
        rest.is_empty() && (image.is_some() || holder.is_some())
    })
}

/// `container_image=IMAGES["gpu"]`, `container_image=gpu if BIG else cpu`: gives the entity or actor its images.
pub(super) fn give_held_images(project: &Project, graph: &mut Graph, node: NodeId, value: &Value) -> bool {
    let file = graph.nodes[node].file;
    let mut found = Found::default();
    if !images_of(project, graph, file, value, &mut found) || !found.written.is_empty() {
        return false;
    }
    let images = understood(graph, file, found);
    images.iter().for_each(|&image| graph.tie(node, image));
    graph.set_image(node, ImageUse::Specs(images));
    true
}

/// Any other use of a name that holds images stands in the way of all of them.
pub(super) fn holder_use(project: &Project, graph: &mut Graph, file: FileId, reference: &Reference) {
    let mut images: Vec<NodeId> = Vec::new();
    for target in project.resolve(file, reference) {
        if let Target::Binding(file, binding, _) = target {
            images
                .extend(graph.holders.get(&(*file, *binding)).into_iter().flat_map(|holder| &holder.images));
        }
    }
    if images.is_empty() {
        return;
    }
    // An image that is made of them cannot be told either.
    let around = graph.nodes_in(file).filter(|&node| {
        let (Some(image), Some(facts)) = (graph.image(node), project.facts(file)) else { return false };
        facts.module.calls[image.call].holds(reference.range)
    });
    images.extend(around);
    for node in images {
        let text = &project.text(file)[reference.range];
        let finding = Finding::new(
            &HELD_IMAGE,
            reference.range,
            Effect::Blocking,
            format!("`{text}` holds images, and is used as more than the image of a task"),
        )
        .help("Migrate this use by hand first");
        graph.uses.push(Use { file, range: reference.range, statement: reference.owner, node, finding });
    }
}

/// Images that nothing holds so that it can be followed.
pub(super) fn block_misplaced(project: &Project, graph: &mut Graph) {
    for (node, misplaced) in std::mem::take(&mut graph.misplaced) {
        let file = graph.nodes[node].file;
        let (Some(image), Some(facts)) = (graph.image(node), project.facts(file)) else { continue };
        if image.is_element {
            continue;
        }
        let call = &facts.module.calls[image.call];
        let made = if image.is_derived { &project.text(file)[call.callee] } else { "ImageSpec" };
        let message = format!("`{made}` here {}", misplaced.why);
        let finding =
            Finding::new(&UNSUPPORTED_PLACE, call.range, Effect::Blocking, message).help(misplaced.help);
        graph.block(node, file, finding);
    }
}
