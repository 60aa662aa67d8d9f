//! `python_exec` becomes a virtual environment on that Python, made in the first layer.
//!
//! `runtime_packages` were installed when a container started; Flyte 2 installs them when the image is built.
//!
//! # FM120
//!
//! ## What it does
//!
//! Makes a virtual environment on that interpreter in the first layer, which sees the packages of the
//! interpreter, and installs `flyte` into it.
//!
//! ## Why
//!
//! Flyte 1 used the interpreter of the base image. Flyte 2 installs into an environment of its own at
//! `/opt/venv`.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(python_exec="/usr/bin/python3", packages=["pandas"])
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
//!     .with_commands(
//!         ["uv venv --clear --python /usr/bin/python3 --system-site-packages /opt/venv"]
//!     )
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
//! Unsafe. The interpreter and its packages are those of the base image, which nobody can see from here.
//!
//! ## Not handled
//!
//! A path that is no literal.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)
//!
//! # FM127
//!
//! ## What it does
//!
//! Adds `runtime_packages` to the packages of the image.
//!
//! ## Why
//!
//! Flyte 1 installed them when a container started, Flyte 2 has no such moment.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(packages=["pandas"], runtime_packages=["numpy"])
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
//! image = Image.from_debian_base().with_pip_packages("pandas", "numpy")
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
//! Unsafe. They are installed when the image is built, not when a container starts.
//!
//! ## Not handled
//!
//! Versions that are to be newer with every start.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::{PYTHON_EXEC, RUNTIME_PACKAGES};
use super::draft::{Draft, ImageContext, LayerKind, Parameter};
use super::{Effect, Finding};
use crate::flyte2::chain::{Argument, Call};

/// Maps `python_exec`.
pub(super) fn map(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let value = cx.literal(parameter.value);
    let Some(path) = value.as_str().filter(|path| !path.contains(char::is_whitespace)) else {
        draft.find(
            Finding::new(
                &PYTHON_EXEC,
                parameter.value.range,
                Effect::Blocking,
                "`python_exec` cannot be read",
            )
            .help("Write the path of the interpreter as a string"),
        );
        return;
    };
    draft.find(
        Finding::new(
            &PYTHON_EXEC,
            parameter.value.range,
            Effect::Unsafe,
            format!(
                "`{path}` gets a virtual environment that sees its own packages; Flyte 1 used it as it is"
            ),
        )
        .help("Build the image and check which Python and packages it has"),
    );
    let command = format!("uv venv --clear --python {path} --system-site-packages /opt/venv");
    let argument = Argument::new(format!("[{}]", cx.style.string(&command)));
    draft.layer(LayerKind::Python, parameter.position, parameter.method("with_commands", vec![argument]));
    // It was in the environment that `--clear` empties.
    draft.needs_flyte = true;
}

/// Maps `runtime_packages`: more packages, installed earlier than in Flyte 1.
pub(super) fn map_runtime_packages(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    draft.find(
        Finding::new(
            &RUNTIME_PACKAGES,
            parameter.value.range,
            Effect::Unsafe,
            "`runtime_packages` are now installed when the image is built, not when a container starts",
        )
        .help("Make sure that they may be part of the image"),
    );
    let mut runtime = Draft::default();
    super::packages::map(cx, &mut runtime, parameter);
    draft.findings.append(&mut runtime.findings);
    draft.listed.append(&mut runtime.listed);
    draft.installed.extend(std::mem::take(&mut runtime.installed));
    runtime.index_options.drain(..).for_each(|option| draft.option(option));
    draft.orphans.append(&mut runtime.orphans);
    draft.consumed.append(&mut runtime.consumed);
    let Some(added) = runtime.layer_mut(LayerKind::Pip).map(std::mem::take) else { return };
    match draft.layer_mut(LayerKind::Pip) {
        Some(call) => {
            call.arguments.extend(added.arguments);
            call.leading.extend(added.leading);
            call.dangling.extend(added.dangling);
            call.dangling.extend(added.trailing);
        }
        None => draft.layer(LayerKind::Pip, parameter.position, Call { ..added }),
    }
}
