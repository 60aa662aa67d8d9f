//! `requirements="requirements.txt"` becomes `.with_requirements(Path("requirements.txt"))`; lock files become
//! `.with_uv_project(…)` and `.with_poetry_project(…)`.
//!
//! flyte 2.12.1 refuses any other suffix than `.txt`. flytekit reads a lock by its name, in any folder, with the
//! `pyproject.toml` beside it.
//!
//! # FM107
//!
//! ## What it does
//!
//! Turns a requirements file into `with_requirements`, `uv.lock` into `with_uv_project` and `poetry.lock` into
//! `with_poetry_project`, with the `pyproject.toml` beside it. The options of a requirements file (`--index-url`,
//! `--extra-index-url`, `--find-links`, `--no-binary`, `--only-binary`, `--no-index`, constraints by URL) are repeated
//! on the layers of packages beside it.
//!
//! ## Why
//!
//! Flyte 2 takes requirements from files that end in `.txt` only, and lock files through the project that they
//! lock. Flyte 1 installed the lines of the file and `packages` at once, with the options of the file; on Flyte 2
//! they are two layers, and the second may replace a version that the file limits.
//!
//! ## Example
//!
//! ```text
//! # requirements.in
//! pandas
//! ```
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(requirements="requirements.in")
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```text
//! # requirements.txt
//! pandas
//! ```
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(requirements="requirements.txt")
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! By hand. Rename the file. With the suffix `.txt`, also at the end of an expression, and for lock files, the change
//! is safe; another expression is unsafe. Unsafe too is a file that limits versions (`==`, `~=`, `!=`, `<`, `<=`) beside a package that is not pinned
//! with `==`: add that package to the file, or pin it.
//!
//! ## Not handled
//!
//! Options of pip beside a lock of poetry, and `pip_extra_args` beside any lock. Options of a file that name a secret,
//! or that meet `pip_extra_args`, are not repeated: they are unsafe. What a file takes from files beside it (`-r`, `-c`),
//! which Flyte 1 did not find either.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::REQUIREMENTS;
use super::draft::{Draft, ImageContext, LayerKind, Parameter};
use super::resolution::{self, RequirementsFile};
use super::tables::{Plugin, distribution_name, plugin};
use super::{Effect, Finding, flyte_requirements, none};
use crate::flyte2::chain::{Argument, Call};
use crate::project::disk::PathKind;
use crate::python::possible::Strings;
use crate::python::value::ValueKind;

/// Maps `requirements`.
pub(super) fn map(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let value = cx.literal(parameter.value);
    let range = parameter.value.range;
    match value.as_str() {
        Some(path) if path.rsplit('/').next() == Some("uv.lock") => {
            map_lock(cx, draft, parameter, path, "with_uv_project");
            return;
        }
        Some(path) if path.rsplit('/').next() == Some("poetry.lock") => {
            map_lock(cx, draft, parameter, path, "with_poetry_project");
            return;
        }
        Some(path) if !path.ends_with(".txt") => draft.find(
            Finding::new(
                &REQUIREMENTS,
                range,
                Effect::Blocking,
                format!("`{path}` is refused by `with_requirements`: the suffix must be `.txt`"),
            )
            .help("Rename the file to `.txt`"),
        ),
        Some(path) => look_into(cx, draft, parameter, path),
        None if ends_as_it_must(&(cx.strings)(range)) => {}
        None if none::refuse(cx, draft, &REQUIREMENTS, parameter) => {}
        None => draft.find(
            Finding::new(
                &REQUIREMENTS,
                range,
                Effect::Unsafe,
                "`requirements` is an expression; the file it names must end in `.txt`",
            )
            .help("Make sure that it is a requirements file, not a lock file"),
        ),
    }
    let text = &parameter.item.value_text;
    let argument = match parameter.value.kind {
        // Most likely it gives a path already, and a string is taken as well.
        ValueKind::Call | ValueKind::Opaque if value.as_str().is_none() => text.clone(),
        _ => format!("{}({text})", cx.path_name),
    };
    let method = parameter.method("with_requirements", vec![Argument::new(argument)]);
    draft.layer(LayerKind::Requirements, parameter.position, method);
}

/// Whether all paths that an expression may give end in `.txt`.
fn ends_as_it_must(paths: &Strings) -> bool {
    paths.is_one() && paths.unknown.is_empty() && paths.known.iter().all(|path| path.text.ends_with(".txt"))
}

/// What the file lists is in the image. Its own requirements of Flyte 1 are settled in the file itself, with those of
/// the other manifests; where that is not possible, it is said here.
fn look_into(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>, path: &str) {
    let range = parameter.value.range;
    let Some(listed) = (cx.listed)(path) else {
        draft.find(Finding::new(
            &REQUIREMENTS,
            range,
            Effect::Info,
            format!("`{path}` cannot be read from here, so what it lists is not known"),
        ).help("Make sure that it neither limits versions of what other layers install nor gives options to pip"));
        return;
    };
    let left = |name: &&String| !listed.is_editable && cx.keeps_flyte1.is_none() && is_flyte1_package(name);
    for name in listed.distributions.iter().filter(left) {
        let message =
            format!("`{name}` stays in the image: `{path}` lists it, and is not edited in this run");
        let (effect, help) = match plugin(name) {
            Plugin::Successor(successor) => (Effect::Unsafe, format!("Require `{successor}` there instead")),
            Plugin::None => (Effect::Info, "Remove it there once nothing imports it".to_owned()),
        };
        draft.find(Finding::new(&REQUIREMENTS, range, effect, message).help(help));
    }
    let texts = listed.texts.iter();
    draft.findings.extend(texts.filter_map(|text| flyte_requirements::check(range, text, Some(path))));
    draft.installed.file = Some(RequirementsFile {
        path: path.to_owned(),
        distributions: listed.distributions.clone(),
        limits: listed
            .limits
            .into_iter()
            .filter(|limit| !is_flyte1_package(&distribution_name(limit)))
            .collect(),
        options: listed.options,
    });
    // Whether flytekit stays in the file is decided elsewhere: an image that needs it asks for it itself.
    draft.listed.extend(listed.distributions.into_iter().filter(|name| !is_flyte1_package(name)));
}

fn is_flyte1_package(name: &str) -> bool {
    matches!(name, "flytekit" | "union" | "unionai" | "union-runtime") || name.starts_with("flytekitplugins-")
}

/// A lock installs the project that the `pyproject.toml` beside it describes.
fn map_lock(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>, path: &str, method: &str) {
    let range = parameter.value.range;
    let pyproject = match path.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/pyproject.toml"),
        None => "pyproject.toml".to_owned(),
    };
    let fact = (cx.path)(path);
    if fact.kind == PathKind::File && !fact.locks_flyte {
        draft.find(
            Finding::new(
                &REQUIREMENTS,
                range,
                Effect::Info,
                format!("`{path}` does not lock `flyte`, which tasks need in their image"),
            )
            .help("Add `flyte` to the project and lock again"),
        );
    }
    let mut arguments = vec![Argument::new(format!("{}({})", cx.path_name, cx.style.string(&pyproject)))];
    if method == "with_uv_project" {
        draft.find(Finding::new(
            &REQUIREMENTS,
            range,
            Effect::Info,
            "a uv lock needs `uv` on the PATH of whoever builds the image",
        ));
        // flytekit's own options; flyte leaves the project itself out by default.
        arguments.push(Argument::new(format!("extra_args={}", cx.style.string("--locked --no-dev"))));
    }
    let call: Call = parameter.method(method, arguments);
    draft.layer(LayerKind::Lock, parameter.position, call);
}

/// A lock takes no index of its own on Flyte 2 where it is poetry's, and its options and those of pip are one string.
pub(super) fn finish(cx: &ImageContext<'_>, draft: &mut Draft) {
    if draft.layer_mut(LayerKind::Lock).is_some() && draft.layer_mut(LayerKind::Pip).is_some() {
        draft.find(
            Finding::new(
                &REQUIREMENTS,
                cx.call.callee,
                Effect::Unsafe,
                "Flyte 1 builds no image with `packages` beside a lock file; Flyte 2 installs them behind it",
            )
            .help("Remove them, or add them to the project and lock again"),
        );
    }
    if let Some(file) = draft.installed.file.clone().filter(|_| cx.receiver.is_none()) {
        let installed = draft.installed.clone();
        resolution::check_limits(draft, &file, &installed, cx.call.callee);
    }
    let options = draft.index_options.clone();
    let Some(lock) = draft.layer_mut(LayerKind::Lock).filter(|_| !options.is_empty()) else { return };
    let is_poetry = lock.callee == "with_poetry_project";
    let has_extra_args = options.iter().any(|option| option.text.starts_with("extra_args="));
    if is_poetry || has_extra_args {
        draft.find(
            Finding::new(
                &REQUIREMENTS,
                cx.call.callee,
                Effect::Blocking,
                "a lock file and options of pip do not go together on Flyte 2",
            )
            .help("Put the index into the pyproject.toml, and remove the options"),
        );
    } else {
        lock.arguments.extend(options);
    }
}
