//! Images that functions and classes of the project hold, and the tasks that take them from there.
//!
//! ```python
//! def image(name, extra=()):
//!     return ImageSpec(name=name, packages=["pandas", *extra])      # an image
//!
//! class Images:
//!     base = ImageSpec(name="base")                                 # another one
//!
//! @task(container_image=image("train", ["torch"]))                  # tied to the first
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::graph::{Graph, NodeId, NodeKind};
use super::link::Target;
use super::plan::constant_at;
use super::references::give_base;
use super::{FileId, Project};
use crate::python::ast::name::Name;
use crate::python::scope::{
    BindingId, Call, CallContext, Factory, ImageClass, Module, Parameter, ParameterKind, Reference, Role,
    Surroundings,
};
use crate::python::value::{Value, ValueKind};

/// The value of a parameter.
#[derive(Debug, Clone)]
pub(super) struct Given {
    /// The file of the value.
    pub(super) file: FileId,
    /// The value.
    pub(super) value: Value,
}

/// What names that an `ImageSpec` may read stand for, which are not names of the module; `None` where that is not known.
pub(super) type Arguments = BTreeMap<String, Option<Given>>;

/// What a name of a module holds.
enum Source<'p> {
    /// A function that returns an image.
    Function(NodeId, &'p Factory),
    /// A class with images as its attributes.
    Class(&'p ImageClass, Vec<(&'p Name, NodeId)>),
}

impl Source<'_> {
    fn images(&self) -> Vec<NodeId> {
        match self {
            Self::Function(node, _) => vec![*node],
            Self::Class(_, images) => images.iter().map(|(_, node)| *node).collect(),
        }
    }
}

/// Finds the functions and classes of which every use gives a task its image, or assigns it to a name. The images of all
/// others stay where they cannot be followed.
pub(super) fn collect_factories(project: &Project, graph: &mut Graph) {
    let mut sources: HashMap<(FileId, BindingId), Source<'_>> = HashMap::new();
    for (file, facts) in project.parsed() {
        let found = functions(graph, file, &facts.module).chain(classes(graph, file, &facts.module));
        sources.extend(found.map(|(binding, source)| ((file, binding), source)));
    }
    if sources.is_empty() {
        return;
    }
    let mut arguments: BTreeMap<NodeId, Vec<Arguments>> = BTreeMap::new();
    let mut others = BTreeSet::new();
    for (file, facts) in project.parsed() {
        for reference in &facts.module.references {
            let targets = project.resolve(file, reference);
            for target in targets {
                let Target::Binding(home, binding, rest) = target else { continue };
                let Some(source) = sources.get(&(*home, *binding)) else { continue };
                let is_followed = match source {
                    _ if targets.len() != 1 => false,
                    Source::Function(node, factory) => {
                        let called = called(&facts.module, reference).filter(|_| rest.is_empty());
                        let given = called.and_then(|call| Some((call, given(factory, *home, file, call)?)));
                        given.is_some_and(|(call, given)| {
                            arguments.entry(*node).or_default().push(given);
                            gives(graph, file, &facts.module, &call.context, *node)
                        })
                    }
                    Source::Class(class, images) => {
                        let image = images.iter().find(|(name, _)| rest.first() == Some(*name));
                        match image {
                            Some((_, node)) => gives_attribute(graph, file, reference, &rest[1..], *node),
                            None => reads_constant(class, reference, rest),
                        }
                    }
                };
                if !is_followed {
                    others.extend(source.images());
                }
            }
        }
    }
    for (file, facts) in project.parsed() {
        for class in facts.module.image_classes.iter().filter(|class| is_only(&facts.module, class.binding)) {
            let own_names = own_names(class);
            // One that nothing uses is an image all the same.
            for node in class.images.iter().filter_map(|(_, call)| graph.image_at(file, *call)) {
                arguments.entry(node).or_default().push(own_names.clone());
            }
            for &(derived, base) in &class.bases {
                if let Some((derived, base)) = graph.image_at(file, derived).zip(graph.image_at(file, base)) {
                    give_base(graph, derived, base);
                }
            }
        }
    }
    for (node, arguments) in arguments.into_iter().filter(|(node, _)| !others.contains(node)) {
        if let NodeKind::Image(image) = &mut graph.nodes[node].kind {
            image.is_element = true;
        }
        graph.arguments.insert(node, arguments);
    }
}

fn functions<'p>(
    graph: &Graph,
    file: FileId,
    module: &'p Module,
) -> impl Iterator<Item = (BindingId, Source<'p>)> {
    module.factories.iter().filter_map(move |factory| {
        let is_plain = |parameter: &Parameter| parameter.kind == ParameterKind::Usual;
        let node = graph.image_at(file, factory.call).filter(|_| is_only(module, factory.binding))?;
        let source = Source::Function(node, factory);
        factory.parameters.iter().all(is_plain).then_some((factory.binding, source))
    })
}

fn classes<'p>(
    graph: &Graph,
    file: FileId,
    module: &'p Module,
) -> impl Iterator<Item = (BindingId, Source<'p>)> {
    module.image_classes.iter().filter(|class| is_only(module, class.binding)).map(move |class| {
        let images = class.images.iter();
        let images = images.filter_map(|(name, call)| Some((name, graph.image_at(file, *call)?)));
        (class.binding, Source::Class(class, images.collect()))
    })
}

/// Whether a name is always and only bound there.
fn is_only(module: &Module, binding: BindingId) -> bool {
    let bound = &module.bindings[binding];
    bound.is_unconditional && module.exports(&bound.name) == [binding]
}

/// The call of a function that makes an image, in the code of the module itself.
fn called<'p>(module: &'p Module, reference: &Reference) -> Option<&'p Call> {
    let Role::Callee(Some(id)) = reference.role else { return None };
    let call = &module.calls[id];
    (call.methods.is_empty() && call.surroundings == Surroundings::Module).then_some(call)
}

/// Whether the image of `node` goes where it can be followed from `context`: to a task, or to a name.
fn gives(graph: &mut Graph, file: FileId, module: &Module, context: &CallContext, node: NodeId) -> bool {
    match context {
        CallContext::Argument(outer, Some(keyword)) => {
            let is_given = keyword == "container_image" && graph.by_decorator.contains_key(&(file, *outer));
            if is_given {
                graph.given.push((file, *outer, node));
            }
            is_given
        }
        CallContext::Assigned(variable) if is_only(module, *variable) => {
            graph.by_binding.insert((file, *variable), node);
            true
        }
        _ => false,
    }
}

/// Whether a reference reads one of the literals of a class.
fn reads_constant(class: &ImageClass, reference: &Reference, attributes: &[Name]) -> bool {
    let is_changed = matches!(reference.role, Role::Mutated | Role::Filled(_));
    !is_changed && attributes.first().is_some_and(|name| class.names.contains(name))
}

/// Whether an image of a class, read with `attributes` behind it, goes where it can be followed: to a task, below
/// another image, or into one of its methods.
fn gives_attribute(
    graph: &mut Graph,
    file: FileId,
    reference: &Reference,
    attributes: &[Name],
    node: NodeId,
) -> bool {
    let (call, is_understood) = match &reference.role {
        Role::Argument(call, Some(keyword)) if keyword == "container_image" => {
            if attributes.is_empty() && graph.by_decorator.contains_key(&(file, *call)) {
                graph.given.push((file, *call, node));
                return true;
            }
            return false;
        }
        Role::Argument(call, Some(keyword)) => (*call, keyword == "base_image" && attributes.is_empty()),
        Role::Callee(Some(call)) => (*call, attributes.len() == 1),
        _ => return false,
    };
    let derived = graph.image_at(file, call).filter(|_| is_understood);
    derived.is_some_and(|derived| give_base(graph, derived, node))
}

/// `base_image=image("base")`, `base_image=Images.base` where that is not followed: an image goes with all that its base
/// may be.
pub(super) fn tie_unread_bases(project: &Project, graph: &mut Graph) {
    for node in 0..graph.nodes.len() {
        let file = graph.nodes[node].file;
        let (Some(image), Some(facts)) = (graph.image(node), project.facts(file)) else { continue };
        let base = facts.module.calls[image.call].keyword("base_image").filter(|_| image.base.is_none());
        let Some(range) = base.map(|base| base.value.range) else { continue };
        let references = facts.module.references.iter();
        let read = references.filter(|reference| range.contains_range(reference.range));
        let bases: Vec<NodeId> = read
            .filter(|reference| constant_at(project, file, reference.range).is_none())
            .flat_map(|reference| project.resolve(file, reference))
            .flat_map(|target| images_made_with(project, graph, target))
            .collect();
        bases.into_iter().for_each(|base| graph.tie(node, base));
    }
}

/// The images in the statement that binds a name.
fn images_made_with(project: &Project, graph: &Graph, target: &Target) -> Vec<NodeId> {
    let Target::Binding(file, binding, _) = target else { return Vec::new() };
    let Some(module) = project.facts(*file).map(|facts| &facts.module) else { return Vec::new() };
    let owner = module.bindings[*binding].owner;
    let is_there =
        |&node: &NodeId| graph.image(node).is_some_and(|image| module.calls[image.call].owner == owner);
    graph.nodes_in(*file).filter(is_there).collect()
}

/// What a call gives to the parameters; `None` if it does not tell them one by one.
fn given(factory: &Factory, home: FileId, file: FileId, call: &Call) -> Option<Arguments> {
    let names: Vec<&str> = factory.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let mut arguments = Arguments::new();
    for (position, argument) in call.arguments.iter().enumerate() {
        let is_starred = argument.is_double_starred || matches!(argument.value.kind, ValueKind::Starred(_));
        let name = argument.name.as_deref().or_else(|| names.get(position).copied());
        let name = name.filter(|name| !is_starred && names.contains(name))?;
        let given = Given { file, value: argument.value.clone() };
        arguments.insert(name.to_owned(), Some(given));
    }
    for parameter in &factory.parameters {
        if !arguments.contains_key(&parameter.name) {
            let value = parameter.default.clone()?;
            arguments.insert(parameter.name.clone(), Some(Given { file: home, value }));
        }
    }
    Some(arguments)
}

/// The names of a class with images, which its own code reads before those of the module.
fn own_names(class: &ImageClass) -> Arguments {
    class.names.iter().map(|name| (name.to_string(), None)).collect()
}

/// The same names, of which nothing is known.
pub(super) fn unknown(arguments: &Arguments) -> Arguments {
    arguments.keys().map(|name| (name.clone(), None)).collect()
}
