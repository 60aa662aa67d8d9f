//! Parameters of `ImageSpec` that are not migrated, a row each.

use super::codes::{INVALID_CALL, UNSUPPORTED_PARAMETER};
use super::draft::{Draft, Parameter};
use super::image_spec::FIELDS;
use super::{Effect, Finding};

/// The parameter, why it is not migrated, and what to do.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "conda_packages",
        "has no equivalent: Flyte 2 builds with uv and apt",
        "Install the packages from PyPI or apt, use `Image.with_pixi_project`, or start from a base image that has them",
    ),
    (
        "conda_channels",
        "has no equivalent: Flyte 2 builds with uv and apt",
        "Remove it with `conda_packages`",
    ),
    ("cuda", "has no equivalent", "Start from a CUDA base image: `base_image=\"nvidia/cuda:…\"`"),
    (
        "cudnn",
        "has no equivalent",
        "Start from a CUDA base image with cuDNN: `base_image=\"nvidia/cuda:…-cudnn-runtime-…\"`",
    ),
    (
        "source_copy_mode",
        "is not migrated yet",
        "Use `with_source_folder`, or the copy style of `flyte deploy`",
    ),
    (
        "pip_secret_mounts",
        "is not migrated yet",
        "Create a secret and use `secret_mounts` of `with_pip_packages`",
    ),
    (
        "entrypoint",
        "has no equivalent: Flyte 2 sets the entrypoint itself",
        "Remove it, or put what it does into a base image",
    ),
    ("tag_format", "has no equivalent: the tag of a Flyte 2 image is a hash of its content", "Remove it"),
    ("builder_options", "has no equivalent", "Remove it if the image builds without"),
    ("builder_config", "has no equivalent", "Remove it if the image builds without"),
];

/// Says that a parameter is not migrated, or does not exist.
pub(super) fn map(draft: &mut Draft, parameter: Parameter<'_>) {
    let range = parameter.item.range;
    let finding = match ROWS.iter().find(|(name, ..)| *name == parameter.name) {
        Some((name, why, what)) => {
            Finding::new(&UNSUPPORTED_PARAMETER, range, Effect::Blocking, format!("`{name}` {why}"))
                .help(*what)
        }
        None => Finding::new(
            &INVALID_CALL,
            range,
            Effect::Blocking,
            format!("`{}` is no parameter of `ImageSpec`", parameter.name),
        )
        .help(
            nearest(parameter.name)
                .map_or_else(|| "Remove it".to_owned(), |field| format!("Did you mean `{field}`?")),
        ),
    };
    draft.find(finding);
}

/// A field that contains the name, or is contained in it.
fn nearest(name: &str) -> Option<&'static str> {
    FIELDS.into_iter().find(|field| name.contains(field) || field.contains(name))
}
