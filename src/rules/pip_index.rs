//! `pip_index` and `pip_extra_index_url` move to every layer that installs Python packages.
//!
//! # FM112
//!
//! ## What it does
//!
//! Moves `pip_index`, `pip_extra_index_url` and `pip_extra_args` to every layer of the image that installs Python
//! packages.
//!
//! ## Why
//!
//! In Flyte 1 they count for the one installation of the image, in Flyte 2 for the layer that names them.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(packages=["pandas"], pip_index="https://example.com/simple")
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
//! image = Image.from_debian_base().with_pip_packages(
//!     "pandas", index_url="https://example.com/simple"
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
//! Safe.
//!
//! ## Not handled
//!
//! Options of pip beside a lock file, which block (FM107), and `--python`, which Flyte 2 gives itself.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::PIP_INDEX;
use super::draft::{Draft, ImageContext, Parameter};
use super::{Effect, Finding};
use crate::flyte2::chain::Argument;
use crate::python::value::ValueKind;

/// Maps `pip_index`.
pub(super) fn map_index(_cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    push(draft, parameter, "index_url", &parameter.item.value_text);
}

/// Maps `pip_extra_index_url`.
pub(super) fn map_extra(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let text = &parameter.item.value_text;
    let text = match cx.literal(parameter.value).kind {
        // flyte takes a string as one index; flytekit iterated over it.
        ValueKind::Str(_) => format!("[{text}]"),
        _ => text.clone(),
    };
    push(draft, parameter, "extra_index_urls", &text);
}

/// Maps `pip_extra_args`.
pub(super) fn map_extra_args(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let strings = (cx.strings)(parameter.value.range);
    let is_python = |word: &str| {
        word == "--python"
            || word.starts_with("--python=")
            || word.starts_with("-p") && !word.starts_with("--")
    };
    if strings.known.iter().any(|known| known.text.split_whitespace().any(is_python)) {
        draft.find(
            Finding::new(
                &PIP_INDEX,
                parameter.value.range,
                Effect::Blocking,
                "`--python` in `pip_extra_args`: Flyte 2 gives uv this option itself, and uv takes it only once",
            )
            .help("Remove it; name the interpreter with `python_exec` if it is another than that of the image"),
        );
    }
    push(draft, parameter, "extra_args", &parameter.item.value_text);
}

fn push(draft: &mut Draft, parameter: Parameter<'_>, name: &str, value: &str) {
    draft.orphan(parameter);
    draft.option(Argument::new(format!("{name}={value}")));
}
