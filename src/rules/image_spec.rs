//! An `ImageSpec(...)` call as a whole: each argument goes to the rule of its parameter.
//!
//! ```python
//! ImageSpec(name="a", packages=["pandas"])
//! Image.from_debian_base(name="a").with_pip_packages("pandas")
//! ```
//!
//! # FM100
//!
//! ## What it does
//!
//! Turns an `ImageSpec` into a chain of calls on `flyte.Image`: a constructor, and a method for each layer.
//! Comments go along with what they belong to.
//!
//! ## Why
//!
//! Flyte 2 has no `ImageSpec`. An image is built layer by layer, in the order of the calls; Flyte 1 had an order
//! of its own, whatever the order of the keywords, and the chain keeps it. `--layer-order source` keeps the order
//! of the keywords.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train", registry="ghcr.io/acme", packages=["pandas"], apt_packages=["git"])
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
//!     Image.from_debian_base(name="train", registry="ghcr.io/acme")
//!     .with_apt_packages("git")
//!     .with_pip_packages("pandas")
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
//! Safe. Unsafe as soon as a parameter is: each has a rule of its own.
//!
//! ## Not handled
//!
//! An `ImageSpec` in a list, a class or a call of something else (FM123); more uses than as an image (FM124).
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)
//!
//! # FM404
//!
//! ## What it does
//!
//! Adds `pip` to the packages of an image in which a command or a task runs it.
//!
//! ## Why
//!
//! A Flyte 2 image is made with uv, and its environment has no pip.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(packages=["spacy"], commands=["python -m spacy download en_core_web_sm"])
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
//!     Image.from_debian_base()
//!     .with_pip_packages("spacy", "pip")
//!     .with_commands(["python -m spacy download en_core_web_sm"])
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
//! Informs. The change is safe.
//!
//! ## Not handled
//!
//! pip that a script of yours runs.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::{INVALID_CALL, PACKAGES, PIP_PACKAGE};
use super::draft::{Base, Draft, ImageContext, LayerKind, Parameter};
use super::resolution::Installed;
use super::{
    Effect, Finding, apt_packages, base_image, builder, commands, conda, copy, dropped, env, flyte1_places,
    invalid, methods, name, packages, pip_index, pip_secret_mounts, platform, python_exec, python_version,
    registry_config, requirements, resolution,
};
use crate::edit::NewFile;
use crate::flyte2::chain::{Argument, Chain};
use crate::image::command::Reach;
use crate::source::TextRange;

/// The fields of flytekit 1.16.31's `ImageSpec` in the order in which positional arguments fill them
/// (`flytekit/image_spec/image_spec.py`).
pub const FIELDS: [&str; 29] = [
    "name",
    "python_version",
    "builder",
    "source_root",
    "env",
    "registry",
    "packages",
    "conda_packages",
    "conda_channels",
    "requirements",
    "apt_packages",
    "cuda",
    "cudnn",
    "base_image",
    "platform",
    "pip_index",
    "pip_extra_index_url",
    "pip_secret_mounts",
    "pip_extra_args",
    "registry_config",
    "entrypoint",
    "commands",
    "tag_format",
    "source_copy_mode",
    "copy",
    "python_exec",
    "runtime_packages",
    "builder_options",
    "builder_config",
];

/// A mapped image.
#[derive(Debug, Default)]
pub struct MappedImage {
    /// The chain that takes the place of the call.
    pub chain: Chain,
    /// What there is to say.
    pub findings: Vec<Finding>,
    /// Its Python version, if it can be read.
    pub python_version: Option<(u8, u8)>,
    /// Whether it gives a Python version at all.
    pub has_python_version: bool,
    /// Whether it gives platforms, itself or through its base.
    pub has_platform: bool,
    /// Whether it names a registry, itself or through its base.
    pub has_registry: bool,
    /// The index options of its pip layers.
    pub index_options: Vec<Argument>,
    /// The file that it needs beside the code.
    pub new_file: Option<NewFile>,
    /// Expressions of the call that are not written anywhere.
    pub consumed: Vec<TextRange>,
    /// Whether it names a secret.
    pub uses_secret: bool,
    /// Distributions that it lists, itself or through its base, normalized.
    pub listed: Vec<String>,
    /// What its layers install that Flyte 1 resolved together.
    pub installed: Installed,
    /// How far its commands reach; `None` if it has none.
    pub commands: Option<Reach>,
    /// Whether it starts, itself or through its base, from an image that is not Flyte's.
    pub is_foreign: bool,
    /// Whether it is such an image as it is, which takes no layers.
    pub is_bare: bool,
    /// The kinds of layers that the user gives it, also those of the image that a method is called on.
    pub layers: Vec<LayerKind>,
}

/// Maps an `ImageSpec` call.
pub fn map(cx: &ImageContext<'_>) -> MappedImage {
    let mut draft = Draft::default();
    let parameters = if cx.receiver.is_some() { Vec::new() } else { parameters(cx, &mut draft) };
    // Options among the packages come behind those of the parameters, as on the command line that flytekit makes.
    let is_last = |parameter: &&Parameter<'_>| parameter.name == "packages";
    let others = parameters.iter().filter(|parameter| !is_last(parameter));
    for parameter in others.chain(parameters.iter().filter(is_last)) {
        if cx.literal(parameter.value).is_empty() {
            draft.orphan(*parameter);
        } else {
            map_parameter(cx, &mut draft, *parameter, &parameters);
        }
    }
    if let Some(runtime) =
        parameters.iter().find(|p| p.name == "runtime_packages" && !cx.literal(p.value).is_empty())
    {
        python_exec::map_runtime_packages(cx, &mut draft, *runtime);
    }
    methods::map(cx, &mut draft, parameters.len());
    let inherited_layers = cx.base.iter().filter(|_| cx.receiver.is_some()).flat_map(|base| &base.layers);
    let layers = draft.kinds().chain(inherited_layers.copied()).collect();
    if cx.receiver.is_none()
        && !parameters.iter().any(|parameter| parameter.name == "platform" && !parameter.value.is_empty())
    {
        if conda::is_used(cx, &parameters) {
            conda::platform_of_flyte1(cx, &mut draft);
        } else {
            platform::absent(cx, &mut draft);
        }
    }
    base_image::finish(cx, &mut draft, &parameters);
    requirements::finish(cx, &mut draft);
    copy::finish(cx, &mut draft);
    commands::finish(cx, &mut draft);
    flyte1_places::finish(&mut draft);
    let manifest = conda::map(cx, &mut draft, &parameters);
    draft.listed.extend(cx.base.iter().flat_map(|base| base.listed.iter().cloned()));
    packages::finish(cx, &mut draft, &parameters);
    resolution::repeat_options(cx, &mut draft);
    let own_file = manifest.and_then(|manifest| conda::finish(cx, &mut draft, manifest));
    let file_of_base = cx.base.as_ref().and_then(|base| base.new_file.clone());
    // A method of an image leaves its Python as it is.
    let inherited = cx.base.as_ref().filter(|_| cx.receiver.is_some());
    let is_bare = matches!(draft.base, Base::BareUri(_));
    MappedImage {
        findings: std::mem::take(&mut draft.findings),
        python_version: draft.python_version.or(inherited.and_then(|base| base.python_version)),
        has_python_version: inherited.is_some_and(|base| base.has_python_version)
            || draft.constructor.iter().any(|argument| argument.text.starts_with("python_version=")),
        has_platform: draft.constructor.iter().any(|argument| argument.text.starts_with("platform="))
            || inherited.is_some_and(|base| base.has_platform),
        has_registry: (!is_bare
            && draft.constructor.iter().any(|argument| argument.text.starts_with("registry=")))
            || cx.base.as_ref().is_some_and(|base| base.has_registry),
        index_options: draft.index_options.clone(),
        // The image of an inline base with conda packages takes none of its own.
        new_file: own_file.or(file_of_base),
        uses_secret: draft.uses_secret,
        consumed: std::mem::take(&mut draft.consumed),
        is_foreign: draft.is_foreign(cx),
        is_bare,
        listed: draft.listed.clone(),
        installed: draft.installed.clone(),
        commands: draft.commands,
        layers,
        chain: draft.chain(cx),
    }
}

pub(super) fn map_parameter(
    cx: &ImageContext<'_>,
    draft: &mut Draft,
    parameter: Parameter<'_>,
    all: &[Parameter<'_>],
) {
    let other = |name: &str| all.iter().find(|parameter| parameter.name == name).copied();
    if invalid::takes_container(parameter.name) && (cx.is_changed)(parameter.value) {
        let text = cx.slice(parameter.value.range);
        draft.find(
            Finding::new(
                &INVALID_CALL,
                parameter.value.range,
                Effect::Unsafe,
                format!("`{text}` may be changed after this `ImageSpec` takes it; Flyte 1 sees such changes, Flyte 2 does not"),
            )
            .help("Build the value completely before the image"),
        );
    }
    if parameter.name == "pinned_packages" && cx.slice(cx.call.callee).ends_with(".from_env") {
        draft.find(
            Finding::new(
                &PACKAGES,
                parameter.item.range,
                Effect::Blocking,
                "`pinned_packages` takes the versions that are installed where the code is registered",
            )
            .help("List the packages with their versions in `packages`"),
        );
        return;
    }
    if invalid::is_refused(cx, draft, parameter) {
        return;
    }
    match parameter.name {
        "name" => name::map_name(cx, draft, parameter),
        "registry" => name::map_registry(cx, draft, parameter),
        "python_version" => python_version::map(cx, draft, parameter),
        "packages" => packages::map(cx, draft, parameter),
        "apt_packages" => apt_packages::map(cx, draft, parameter),
        "env" => env::map(cx, draft, parameter),
        "commands" => commands::map(cx, draft, parameter),
        "requirements" => requirements::map(cx, draft, parameter),
        "base_image" => base_image::map(cx, draft, parameter),
        "platform" => platform::map(cx, draft, parameter),
        "pip_index" => pip_index::map_index(cx, draft, parameter),
        "pip_extra_index_url" => pip_index::map_extra(cx, draft, parameter),
        "pip_extra_args" => pip_index::map_extra_args(cx, draft, parameter),
        "builder" => builder::map(cx, draft, parameter),
        "copy" => copy::map_copy(cx, draft, parameter),
        "source_root" => copy::map_source_root(cx, draft, parameter, other("source_copy_mode")),
        "source_copy_mode" => copy::map_source_copy_mode(draft, parameter, other("source_root")),
        "pip_secret_mounts" => pip_secret_mounts::map(cx, draft, parameter),
        "registry_config" => registry_config::map(cx, draft, parameter, other("registry"), other("name")),
        "python_exec" => python_exec::map(cx, draft, parameter),
        // Behind `packages`, whose layer they join.
        "runtime_packages" => {}
        // Once base and platform are known.
        "conda_packages" | "conda_channels" => {}
        _ => dropped::map(cx, draft, parameter, other("builder")),
    }
}

/// The arguments by the name of the field they fill; what cannot be read that way blocks.
fn parameters<'a>(cx: &'a ImageContext<'_>, draft: &mut Draft) -> Vec<Parameter<'a>> {
    let mut parameters = Vec::new();
    for (position, (argument, item)) in cx.call.arguments.iter().zip(&cx.call.items.items).enumerate() {
        let name = match &argument.name {
            Some(name) => name.as_str(),
            None if argument.is_double_starred || item.text.starts_with('*') => {
                draft.find(
                    Finding::new(
                        &INVALID_CALL,
                        item.range,
                        Effect::Blocking,
                        format!("`{}` hides which parameters this `ImageSpec` has", item.text),
                    )
                    .help("Write the keywords out"),
                );
                continue;
            }
            None => FIELDS.get(position).copied().unwrap_or("too many arguments"),
        };
        parameters.push(Parameter { name, value: &argument.value, item, position });
    }
    if cx.call.arguments.len() != cx.call.items.items.len() {
        draft.find(Finding::new(
            &INVALID_CALL,
            cx.call.range,
            Effect::Blocking,
            "`ImageSpec` call cannot be read",
        ));
    }
    parameters
}

/// The finding that pip was added.
pub(super) fn pip_added(range: TextRange) -> Finding {
    Finding::new(&PIP_PACKAGE, range, Effect::Info, "`pip` is added to the image: something in it runs pip")
        .help("Remove it if nothing needs it; Flyte 2 images are built with uv and have no pip")
}
