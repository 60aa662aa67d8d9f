//! Parameters that no image of Flyte 2 has: each is left out with a finding that says what it did, or stays.
//!
//! # FM115
//!
//! ## What it does
//!
//! Leaves `entrypoint` out.
//!
//! ## Why
//!
//! Flyte 2 starts a container with its own command, and an image has no entrypoint of yours.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(entrypoint=["/bin/bash"], packages=["pandas"])
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
//! image = Image.from_debian_base().with_pip_packages("pandas")
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
//! Unsafe. What the entrypoint did no longer happens.
//!
//! ## Not handled
//!
//! Nothing takes its place: what must happen before the task belongs into a base image or into the task.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)
//!
//! # FM118
//!
//! ## What it does
//!
//! Leaves `tag_format` out.
//!
//! ## Why
//!
//! The tag of a Flyte 2 image is the hash of its content, and the SDK looks for the image under that tag.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train", tag_format="{spec_hash}-dev")
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
//! image = Image.from_debian_base(name="train")
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
//! Informs. The change is safe: the content of the image is the same.
//!
//! ## Not handled
//!
//! What looks the image up by its tag, outside Flyte.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)
//!
//! # FM125
//!
//! ## What it does
//!
//! Reports `cuda` and `cudnn`, and leaves the image as it is.
//!
//! ## Why
//!
//! Flyte 2 has no counterpart, and the default builder of Flyte 1 refuses them as well. Most packages for GPUs
//! bring CUDA from PyPI.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(cuda="12.1", packages=["torch"])
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
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(base_image="nvidia/cuda:12.1.1-runtime-ubuntu22.04", packages=["torch"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! By hand. Which base image is right depends on what needs CUDA.
//!
//! ## Not handled
//!
//! The choice of a base image.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)
//!
//! # FM126
//!
//! ## What it does
//!
//! Leaves `builder_options` and `builder_config` out.
//!
//! ## Why
//!
//! They are for the builders of Flyte 1. Those of Flyte 2 have no such options.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(packages=["pandas"], builder_options={"cache": "true"})
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
//! image = Image.from_debian_base().with_pip_packages("pandas")
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
//! Unsafe. A note is enough where the default builder ignored them, and where they only name images of uv and
//! micromamba.
//!
//! ## Not handled
//!
//! What a builder of your own did with them.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::{BUILDER_OPTIONS, CUDA, ENTRYPOINT, TAG_FORMAT, UNSUPPORTED_PARAMETER};
use super::draft::{Draft, ImageContext, Parameter};
use super::{Effect, Finding};
use crate::diagnostic::Rule;
use crate::python::value::{Value, ValueKind};

/// What becomes of a parameter.
struct Row {
    parameter: &'static str,
    rule: &'static Rule,
    effect: Effect,
    why: &'static str,
    help: &'static str,
}

const ROWS: [Row; 6] = [
    Row {
        parameter: "entrypoint",
        rule: &ENTRYPOINT,
        effect: Effect::Unsafe,
        why: "is lost: Flyte 2 starts the container with its own command",
        help: "Make sure that no task needs it, or build a base image that has it",
    },
    Row {
        parameter: "tag_format",
        rule: &TAG_FORMAT,
        effect: Effect::Info,
        why: "is left out: the tag of a Flyte 2 image is the hash of its content",
        help: "Change what looks the image up by its tag; `flyte.Image.uri` tells it",
    },
    Row {
        parameter: "cuda",
        rule: &CUDA,
        effect: Effect::Blocking,
        why: "has no counterpart; the default builder of Flyte 1 refuses it too",
        help: "Remove it if the Python packages bring CUDA themselves, or start from a CUDA image: \
               `base_image=\"nvidia/cuda:12.1.1-runtime-ubuntu22.04\"`",
    },
    Row {
        parameter: "cudnn",
        rule: &CUDA,
        effect: Effect::Blocking,
        why: "has no counterpart; the default builder of Flyte 1 refuses it too",
        help: "Remove it if the Python packages bring cuDNN themselves, or start from a CUDA image: \
               `base_image=\"nvidia/cuda:12.1.1-cudnn8-runtime-ubuntu22.04\"`",
    },
    Row {
        parameter: "builder_options",
        rule: &BUILDER_OPTIONS,
        effect: Effect::Unsafe,
        why: "is left out: the builders of Flyte 2 have no such options",
        help: "Make sure that the image builds without",
    },
    Row {
        parameter: "builder_config",
        rule: &BUILDER_OPTIONS,
        effect: Effect::Unsafe,
        why: "is left out: the builders of Flyte 2 have no such options",
        help: "Make sure that the image builds without",
    },
];

/// The keys of `builder_config` that only say where flytekit's builder takes its own tools from.
const IMAGES_OF_TOOLS: [&str; 2] = ["uv_image", "micromamba_image"];

/// Maps the parameter, if it is one of these.
pub(super) fn map(
    cx: &ImageContext<'_>,
    draft: &mut Draft,
    parameter: Parameter<'_>,
    builder: Option<Parameter<'_>>,
) {
    let Some(row) = ROWS.iter().find(|row| row.parameter == parameter.name) else {
        // A field without a rule of its own would be lost in silence.
        let message = format!("`{}` is not migrated", parameter.name);
        draft.find(Finding::new(&UNSUPPORTED_PARAMETER, parameter.item.range, Effect::Blocking, message));
        return;
    };
    let value = cx.literal(parameter.value);
    let is_default = builder.is_some_and(|builder| cx.literal(builder.value).as_str() == Some("default"));
    let (effect, why) = match row.parameter {
        "builder_options" if is_default => {
            (Effect::Info, "is left out: the default builder of Flyte 1 ignored it")
        }
        "builder_config" if only_names_tools(&value) => {
            (Effect::Info, "is left out: Flyte 2 brings its own uv and needs no micromamba")
        }
        _ => (row.effect, row.why),
    };
    let message = format!("`{}` {why}", parameter.name);
    let mut finding = Finding::new(row.rule, parameter.item.range, effect, message);
    if effect == row.effect {
        finding = finding.help(row.help);
    }
    draft.find(finding);
    draft.orphan(parameter);
}

fn only_names_tools(config: &Value) -> bool {
    let ValueKind::Dict(items) = &config.kind else { return false };
    items.iter().all(|(key, _)| {
        key.as_ref().and_then(Value::as_str).is_some_and(|key| IMAGES_OF_TOOLS.contains(&key))
    })
}
