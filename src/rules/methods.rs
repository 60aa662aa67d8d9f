//! `.with_packages(…)`, `.with_apt_packages(…)`, `.with_commands(…)`, `.with_copy(…)` and `.force_push()`.
//!
//! Called on `ImageSpec(…)` itself, or straight behind it as in `image = image.with_packages(…)`, they are folded into
//! its parameters and come out in build order. Called on another name they add layers to that image, those of one chain
//! in build order too.
//!
//! # FM145
//!
//! ## What it does
//!
//! Speaks of a method that adds what Flyte 1 builds before something which the image has already: apt packages to an
//! image with variables, Python packages or commands, packages or files to one with commands.
//!
//! ## Why
//!
//! A method of an `ImageSpec` adds to its parameters, and Flyte 1 builds apt packages, Python packages, files and
//! commands in that order, wherever they come from. On Flyte 2 a method adds a layer on top: what lies below is built
//! without it.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! base = ImageSpec(packages=["psycopg2"])
//! image = base.with_apt_packages(["libpq-dev"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Image, TaskEnvironment
//!
//! base = Image.from_debian_base().with_pip_packages("psycopg2")
//! image = base.with_apt_packages("libpq-dev")
//!
//! env = TaskEnvironment(name="example", image=image)
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Unsafe. Where the lower layers do not need the upper ones, the images are the same; else write all into one
//! `ImageSpec`. What is added straight behind the constructor, under the same name, comes out in the right order.
//!
//! ## Not handled
//!
//! What the variables of an image do to the packages that are added.
//!
//! ## References
//!
//! `flytekit/image_spec/image_spec.py` and `flytekit/image_spec/default_builder.py` of flytekit 1.16.31.

use super::codes::{BUILDER, IMAGE_USE, LAYER_ORDER};
use super::draft::{Base, Draft, ImageContext, LayerKind, Parameter};
use super::{Effect, Finding, commands, image_spec, resolution};
use crate::python::items::{Item, Items};
use crate::python::scope::{Argument, Call, Module, Reference};
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// The methods and the parameters of `ImageSpec` that they add to (`flytekit/image_spec/image_spec.py`, 1.16.31).
const METHODS: [(&str, &str); 5] = [
    ("with_packages", "packages"),
    ("with_apt_packages", "apt_packages"),
    ("with_commands", "commands"),
    ("with_copy", "copy"),
    ("with_runtime_packages", "runtime_packages"),
];

/// Whether a method of an image gives another image that can be migrated.
pub fn is_image_method(name: &str) -> bool {
    name == "force_push" || METHODS.iter().any(|(method, _)| *method == name)
}

/// The image that a call makes another one of: `image` of `image.with_packages(…)` and of
/// `dataclasses.replace(image, …)`.
pub fn receiver(call: &Call, module: &Module, text: &str) -> Option<String> {
    // A name of a class is no name of the module.
    let callee = module.callee(call).map_or_else(|| text[call.callee].to_owned(), Reference::dotted);
    match callee.rsplit_once('.') {
        Some((receiver, method)) if is_image_method(method) => Some(receiver.to_owned()),
        _ => call.arguments.first().map(|copied| text[copied.value.range].to_owned()),
    }
}

/// Whether `dataclasses.replace(image, …)` gives an image that can be migrated: another name or registry, for certain.
pub fn is_image_copy(call: &Call) -> bool {
    let Some((copied, changes)) = call.arguments.split_first() else { return false };
    let is_kept = |argument: &Argument| {
        matches!(argument.name.as_deref(), Some("name" | "registry"))
            && matches!(argument.value.kind, ValueKind::Str(_) | ValueKind::FString(..))
            && !argument.value.is_empty()
    };
    copied.name.is_none() && !copied.is_double_starred && changes.iter().all(is_kept)
}

/// Maps the methods of the call, `first` being the position of their layers.
pub(super) fn map(cx: &ImageContext<'_>, draft: &mut Draft, first: usize) {
    let mut position = first;
    if let Some(receiver) = cx.receiver {
        if let Some(base) = &cx.base {
            base.index_options.iter().for_each(|option| draft.option(option.clone()));
            // flytekit joins the commands of both in one shell.
            draft.commands = base.commands;
            draft.installed = base.installed.clone();
        }
        let name = cx.slice(cx.call.callee).rsplit('.').next().unwrap_or_default().trim().to_owned();
        if is_image_method(&name) {
            draft.base = Base::Receiver(receiver.to_owned());
            if cx.base.as_ref().is_some_and(|base| base.is_bare) && name != "force_push" {
                draft.find(bare(receiver, cx.call.callee));
            }
            map_method(cx, draft, position, &name, cx.call.callee, &cx.call.arguments, &cx.call.items);
        } else {
            map_copy(cx, draft, receiver);
        }
        position += 1;
    }
    for method in &cx.call.methods {
        map_method(cx, draft, position, &method.name, method.name_range, &method.arguments, &method.items);
        position += 1;
    }
}

/// The finding that an image which is not built takes no layers.
fn bare(receiver: &str, range: TextRange) -> Finding {
    let message =
        format!("`{receiver}` has `builder=\"noop\"`: it is used as it is, and Flyte 2 adds no layer to it");
    Finding::new(&BUILDER, range, Effect::Blocking, message)
        .help("Remove the builder, or write both into one `ImageSpec(…)` without it")
}

/// `dataclasses.replace(image, name=…)` is a clone of the image.
fn map_copy(cx: &ImageContext<'_>, draft: &mut Draft, copied: &str) {
    draft.base = Base::Clone(copied.to_owned());
    for (position, (argument, item)) in cx.call.arguments.iter().zip(&cx.call.items.items).enumerate() {
        let name = argument.name.as_deref().unwrap_or_default();
        let parameter = Parameter { name, value: &argument.value, item, position };
        if name.is_empty() {
            draft.orphan(parameter);
        } else {
            image_spec::map_parameter(cx, draft, parameter, &[]);
        }
    }
}

fn map_method(
    cx: &ImageContext<'_>,
    draft: &mut Draft,
    position: usize,
    name: &str,
    range: TextRange,
    arguments: &[Argument],
    items: &Items,
) {
    if name == "force_push" {
        draft.find(
            Finding::new(
                &IMAGE_USE,
                range,
                Effect::Info,
                "`force_push` is left out: an image is built when its content changes",
            )
            .help("Build it anew with `flyte.build(image, force=True)`"),
        );
        draft.orphans.extend(items.comments());
        return;
    }
    let parameter = METHODS.iter().find(|(method, _)| *method == name).map(|(_, parameter)| *parameter);
    let (Some(parameter), ([argument], [item])) = (parameter, (arguments, items.items.as_slice())) else {
        draft.find(
            Finding::new(
                &IMAGE_USE,
                range,
                Effect::Blocking,
                format!("`{name}` of an image is not migrated yet"),
            )
            .help("Migrate this image by hand"),
        );
        return;
    };
    let (value, item) = as_list(cx, &argument.value, item);
    let mut part = Draft::default();
    let parameter = Parameter { name: parameter, value: &value, item: &item, position };
    if parameter.name == "runtime_packages" {
        super::python_exec::map_runtime_packages(cx, &mut part, parameter);
    } else {
        image_spec::map_parameter(cx, &mut part, parameter, &[]);
    }
    commands::check_added(draft, &part, range);
    check_order(cx, draft, &part, name, range);
    if cx.receiver.is_some() {
        resolution::repeat(cx, draft, &mut part, range);
    }
    part.orphans.extend(items.dangling.iter().cloned());
    draft.absorb(part, cx.receiver.is_none());
}

/// Says so if a method adds what Flyte 1 builds before something that its image has already.
///
/// A method of Flyte 1 changes a parameter of one `ImageSpec`, whose layers are built in a fixed order; one of Flyte 2
/// adds a layer on top.
fn check_order(cx: &ImageContext<'_>, draft: &mut Draft, added: &Draft, name: &str, range: TextRange) {
    let Some((base, receiver)) = cx.base.as_ref().zip(cx.receiver) else { return };
    let pairs = added.kinds().flat_map(|added| base.layers.iter().map(move |&there| (added, there)));
    let Some((added, there)) = pairs.into_iter().find(|&(added, there)| may_matter_to(added, there)) else {
        return;
    };
    let is_env = there == LayerKind::Env;
    let (added, there) = (described(added), described(there));
    let need = if is_env {
        format!("{there} change nothing for {added}")
    } else {
        format!("{there} do not need {added}")
    };
    // Without the comment that may stand behind it.
    let receiver = receiver.split('#').next().unwrap_or_default().trim_end();
    let message = format!(
        "`{name}`: Flyte 1 builds {added} before {there} of `{receiver}`, Flyte 2 behind them, in the order of the layers"
    );
    draft.find(
        Finding::new(&LAYER_ORDER, range, Effect::Unsafe, message)
            .help(format!("Write both into one `ImageSpec(…)`, or make sure that {need}")),
    );
}

/// Whether layers of the second kind may need what those of the first put into the image, and Flyte 1 builds them later.
fn may_matter_to(added: LayerKind, there: LayerKind) -> bool {
    match added {
        LayerKind::Apt => {
            matches!(
                there,
                LayerKind::Env
                    | LayerKind::Requirements
                    | LayerKind::Lock
                    | LayerKind::Pip
                    | LayerKind::Commands
            )
        }
        LayerKind::Pip | LayerKind::Copy => there == LayerKind::Commands,
        _ => false,
    }
}

fn described(kind: LayerKind) -> &'static str {
    match kind {
        LayerKind::Apt => "apt packages",
        LayerKind::Requirements | LayerKind::Lock => "the requirements",
        LayerKind::Pip => "the Python packages",
        LayerKind::Copy => "copied files",
        LayerKind::Env => "the variables",
        _ => "the commands",
    }
}

/// flytekit takes a string or a list; a string is a list of one.
fn as_list(cx: &ImageContext<'_>, value: &Value, item: &Item) -> (Value, Item) {
    let text = item.value_text.clone();
    match &cx.literal(value).kind {
        ValueKind::Str(_) | ValueKind::FString(..) => {
            let element =
                Item { text: text.clone(), value_text: text.clone(), range: value.range, ..Item::default() };
            let nested = Items { items: vec![element], ..Items::default() };
            let list = Value { range: value.range, kind: ValueKind::List(vec![value.clone()]) };
            (list, Item { value_text: format!("[{text}]"), nested: Some(Box::new(nested)), ..item.clone() })
        }
        ValueKind::List(_) | ValueKind::Tuple(_) | ValueKind::Concat(..) => (value.clone(), item.clone()),
        ValueKind::Opaque if text.starts_with('[') => (value.clone(), item.clone()),
        ValueKind::Conditional(value_of, otherwise)
            if [value_of, otherwise].iter().all(|arm| matches!(arm.kind, ValueKind::List(_))) =>
        {
            (value.clone(), item.clone())
        }
        _ => {
            let either = format!("([{text}] if isinstance({text}, str) else {text})");
            let opaque = Value { range: value.range, kind: ValueKind::Opaque };
            (opaque, Item { value_text: either, nested: None, ..item.clone() })
        }
    }
}
