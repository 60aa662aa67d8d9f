//! `base_image` becomes the constructor: `from_base(URI).clone(…)`, a clone of another image, or the Debian base in
//! place of flytekit's own images.
//!
//! # FM108
//!
//! ## What it does
//!
//! Turns a reference into `Image.from_base(…).clone(name=…, extendable=True)` with `flyte` installed, one of
//! flytekit's own images (also one whose tag ends in `{flytekit.__version__}`) into the Debian base with the Python of
//! its tag, and another `ImageSpec` into a clone of
//! it.
//!
//! ## Why
//!
//! An image that is only a reference takes no layers on Flyte 2, unless it is cloned under a name; and nothing is
//! added to it, not even `flyte`.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(base_image="ghcr.io/acme/base:1", packages=["pandas"])
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
//! image = (
//!     Image.from_base("ghcr.io/acme/base:1")
//!     .clone(name="image", extendable=True)
//!     .with_pip_packages("flyte", "pandas")
//! )
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
//! Safe. What Flyte 1 gave to every base, such as CA certificates, is a note. An expression in place of a string is unsafe: it may be an `ImageSpec`.
//!
//! ## Not handled
//!
//! Another Python than that of the `ImageSpec` below it, and one of flytekit's images whose tag names no Python.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::{BASE_IMAGE, BUILDER, REGISTRY};
use super::draft::{Base, Draft, ImageContext, LayerKind, Parameter};
use super::python_version::{require_supported, tuple};
use super::{Effect, Finding, none};
use crate::flyte2::chain::Argument;
use crate::python::value::{Value, ValueKind};

/// Maps `base_image`.
pub(super) fn map(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    draft.orphan(parameter);
    let text = parameter.item.value_text.clone();
    if let Some(base) = &cx.base {
        draft.base = base.chain.clone().map_or(Base::Clone(text), Base::Inline);
        return;
    }
    if (cx.is_flyte2)(parameter.value.range) {
        draft.base = Base::Clone(text);
        draft.find(Finding::new(
            &BASE_IMAGE,
            parameter.value.range,
            Effect::Info,
            "the base is an image of Flyte 2 already: the image is a clone of it, with its registry and platforms",
        ));
        return;
    }
    let value = cx.literal(parameter.value);
    let strings = (cx.strings)(parameter.value.range);
    let known = strings.known.first().filter(|_| strings.is_certain);
    if let Some(uri) = known.map(|uri| uri.text.as_str()).filter(|uri| is_flytekit_image(uri)) {
        flytekit_image(draft, parameter.value, uri);
        draft.consumed.push(parameter.value.range);
        return;
    }
    draft.base = Base::Uri(text);
    match &value.kind {
        ValueKind::Str(_) | ValueKind::FString(..) => {}
        _ if none::refuse(cx, draft, &BASE_IMAGE, parameter) => {}
        _ => {
            draft.find(
                Finding::new(
                    &BASE_IMAGE,
                    parameter.value.range,
                    Effect::Unsafe,
                    "`base_image` is an expression that is taken for the reference of an image",
                )
                .help("Make sure that it is a string, not an `ImageSpec` or `None`"),
            );
        }
    }
}

/// Whether a reference is one of flytekit's own images, which hold flytekit and nothing else of interest.
pub fn is_flytekit_image(uri: &str) -> bool {
    let repository = uri.split('@').next().unwrap_or(uri);
    let repository = match repository.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => repository,
    };
    repository == "flyteorg/flytekit" || repository.ends_with("/flyteorg/flytekit")
}

/// The Python version in the tag of one of flytekit's own images: `py3.11-1.10.2` gives 3.11.
pub fn flytekit_image_python(uri: &str) -> Option<(u8, u8)> {
    let tag = uri.rsplit_once(':')?.1;
    let version = tag.strip_prefix("py")?.split('-').next()?;
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn flytekit_image(draft: &mut Draft, value: &Value, uri: &str) {
    match flytekit_image_python(uri) {
        Some(version) => draft.python_version = draft.python_version.or(Some(version)),
        None => draft.find(
            Finding::new(
                &BASE_IMAGE,
                value.range,
                Effect::Blocking,
                format!("`{uri}` is a Flyte 1 image whose tag names no Python version"),
            )
            .help("Remove `base_image` and give `python_version`"),
        ),
    }
}

/// What depends on several parameters: the name that a clone needs, the Python of a Flyte 1 base, `builder="noop"`.
pub(super) fn finish(cx: &ImageContext<'_>, draft: &mut Draft, parameters: &[Parameter<'_>]) {
    let find = |name: &str| {
        parameters.iter().find(|parameter| parameter.name == name && !parameter.value.is_empty())
    };
    let base = find("base_image");
    // flytekit installs each image with the options of its own; an image without any gets those of its base, from
    // which its packages most likely come.
    if let Some(spec) = cx.base.as_ref().filter(|_| draft.index_options.is_empty() && cx.receiver.is_none()) {
        draft.index_options.extend(spec.index_options.iter().cloned());
    }
    let is_noop = find("builder").is_some_and(|builder| cx.literal(builder.value).as_str() == Some("noop"));
    if is_noop {
        noop(cx, draft, parameters);
        return;
    }
    match (&draft.base, base) {
        (Base::Debian, Some(base)) => flytekit_base(draft, *base, find("python_version").is_some()),
        (Base::Clone(_) | Base::Inline(_), Some(base)) => {
            if find("registry").is_none() {
                inherited_registry(cx, draft, *base);
            }
            check_python(cx, draft, *base, find("python_version").is_some());
        }
        (Base::Uri(_), _) => {
            foreign(cx, draft);
            ensure_name(cx, draft);
            add_python_to_name(cx, draft);
        }
        _ => {}
    }
}

fn flytekit_base(draft: &mut Draft, base: Parameter<'_>, has_python_version: bool) {
    let Some(version) = draft.python_version.filter(|_| !has_python_version) else { return };
    require_supported(draft, base.value, version);
    draft.find(Finding::new(
        &BASE_IMAGE,
        base.value.range,
        Effect::Info,
        format!(
            "this Flyte 1 image becomes the Debian base with Python {}.{}; Flyte 1 used the Python that registered",
            version.0, version.1
        ),
    ));
    draft.constructor.push(Argument::new(format!("python_version={}", tuple(version))));
}

/// A clone has the registry of the image that it is made of.
fn inherited_registry(cx: &ImageContext<'_>, draft: &mut Draft, base: Parameter<'_>) {
    if cx.base.as_ref().is_some_and(|base| base.has_registry) {
        draft.find(
            Finding::new(
                &REGISTRY,
                base.value.range,
                Effect::Info,
                "the image has the registry of its base, which a clone cannot take away; Flyte 1 gave it none",
            )
            .help("Give it a `registry`, if it belongs into another one"),
        );
    }
}

fn check_python(cx: &ImageContext<'_>, draft: &mut Draft, base: Parameter<'_>, has_python_version: bool) {
    let of_base = cx.base.as_ref().and_then(|spec| spec.python_version);
    let differs = match (has_python_version, cx.base.as_ref().is_some_and(|spec| spec.has_python_version)) {
        (true, _) => draft.python_version.is_none() || draft.python_version != of_base,
        (false, true) => {
            draft.find(Finding::new(
                &BASE_IMAGE,
                base.value.range,
                Effect::Info,
                "the image keeps the Python of its base; Flyte 1 installed the Python that registered",
            ));
            false
        }
        (false, false) => false,
    };
    if differs {
        let message = if draft.python_version.is_some() {
            "`python_version` differs from that of the base image, and a clone cannot change it"
        } else {
            "`python_version` cannot be read and may differ from that of the base image, which a clone cannot change"
        };
        draft.find(
            Finding::new(&BASE_IMAGE, base.value.range, Effect::Blocking, message)
                .help("Give both the same `python_version`, or build this image without `base_image`"),
        );
    }
}

/// What Flyte 1 gave to every base: certificates, and libraries of nvidia in front of its own.
fn foreign(cx: &ImageContext<'_>, draft: &mut Draft) {
    const CERTIFICATES: &str = "ca-certificates";
    let apt = draft.layer_mut(LayerKind::Apt).filter(|layer| layer.callee == "with_apt_packages");
    let certificates = cx.style.string(CERTIFICATES);
    let has_apt = apt.is_some();
    if let Some(layer) =
        apt.filter(|layer| layer.arguments.iter().all(|argument| argument.text != certificates))
    {
        layer.arguments.push(Argument::new(certificates));
        draft.find(Finding::new(
            &BASE_IMAGE,
            cx.call.callee,
            Effect::Info,
            format!("`{CERTIFICATES}` is added to the apt packages: Flyte 1 put certificates into the image"),
        ));
    }
    let (message, help) = if has_apt {
        (
            "Flyte 2 replaces the `LD_LIBRARY_PATH` of the base image, Flyte 1 added to it",
            "Set it with `env` if the base image has one",
        )
    } else {
        (
            "Flyte 2 replaces the `LD_LIBRARY_PATH` of the base image and adds no CA certificates; Flyte 1 added to both",
            "Set the variable with `env` if the base image has one, and install certificates if it has none",
        )
    };
    draft.find(Finding::new(&BASE_IMAGE, cx.call.callee, Effect::Info, message).help(help));
}

/// `n` becomes `n-py311` where another image on the same base differs in its Python only.
fn add_python_to_name(cx: &ImageContext<'_>, draft: &mut Draft) {
    let Some((major, minor)) = draft.python_version.filter(|_| cx.names_python) else { return };
    let Some(name) = draft.constructor.iter_mut().find(|argument| argument.text.starts_with("name=")) else {
        return;
    };
    let quote = name.text.chars().last().filter(|last| matches!(last, '"' | '\''));
    match quote.and_then(|quote| Some((name.text.strip_suffix(quote)?.to_owned(), quote))) {
        Some((head, quote)) => name.text = format!("{head}-py{major}{minor}{quote}"),
        None => name.text.push_str(&format!(" + {}", cx.style.string(&format!("-py{major}{minor}")))),
    }
    draft.find(Finding::new(
        &BASE_IMAGE,
        cx.call.callee,
        Effect::Info,
        "the name of the image tells its Python now: Flyte 2 would take images that differ in it only for one",
    ));
}

/// `clone(extendable=True)` of a base that is only a reference needs a name.
fn ensure_name(cx: &ImageContext<'_>, draft: &mut Draft) {
    if draft.has_name {
        return;
    }
    let name: String = cx
        .variable
        .unwrap_or("image")
        .trim_matches('_')
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    draft.constructor.insert(0, Argument::new(format!("name={}", cx.style.string(&name))));
    draft.has_name = true;
}

/// `builder="noop"` builds nothing: the image is its base.
fn noop(cx: &ImageContext<'_>, draft: &mut Draft, parameters: &[Parameter<'_>]) {
    let is_at_run_time = |name: &str| matches!(name, "runtime_packages" | "with_runtime_packages");
    let is_alone = parameters
        .iter()
        .map(|parameter| parameter.name)
        .all(|name| is_at_run_time(name) || matches!(name, "base_image" | "builder" | "name" | "registry"))
        && cx.call.methods.iter().all(|method| is_at_run_time(&method.name) || method.name == "force_push");
    match std::mem::take(&mut draft.base) {
        // What Flyte 1 installed when a container started makes it another image.
        Base::Uri(uri) if is_alone && draft.kinds().next().is_some() => {
            draft.base = Base::Uri(uri);
            ensure_name(cx, draft);
        }
        Base::Uri(uri) if is_alone => {
            draft.base = Base::BareUri(uri);
            draft.find(
                Finding::new(
                    &BASE_IMAGE,
                    cx.call.range,
                    Effect::Unsafe,
                    "the image is used as it is, and must contain the `flyte` package",
                )
                .help("Build it with `flyte` installed, or remove `builder=\"noop\"`"),
            );
        }
        base => {
            draft.base = base;
            draft.find(
                Finding::new(
                    &BUILDER,
                    cx.call.range,
                    Effect::Blocking,
                    "`builder=\"noop\"` builds nothing, but this image has more than a base",
                )
                .help("Remove the builder, or everything but `base_image`"),
            );
        }
    }
}
