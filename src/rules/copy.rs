//! `copy` and `source_root` become `with_source_file` and `with_source_folder`.
//!
//! flytekit puts a relative path below `/root`, which is also the working directory and on `PYTHONPATH`; so
//! `with_workdir("/root")` ends the chain. flyte copies as user `flyte`, which only its own base has, and obeys the
//! project's `.dockerignore`, which flytekit's `copy` did not.
//!
//! # FM116
//!
//! ## What it does
//!
//! Turns each path into `with_source_file` or `with_source_folder` below `/root`, and ends the chain with
//! `with_workdir("/root")`. On another base than Debian it also makes the user whom the files belong to, and sets
//! `PYTHONPATH`.
//!
//! ## Why
//!
//! Flyte 1 puts a relative path below `/root`, which is also where tasks run. Flyte 2 must be told whether it is
//! a file or a folder, which the disk says.
//!
//! ## Example
//!
//! ```text
//! # data.csv
//! 1,2
//! ```
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(copy=["data.csv"])
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
//! from pathlib import Path
//!
//! from flyte import Image, TaskEnvironment
//!
//! image = (
//!     Image.from_debian_base()
//!     .with_source_file(Path("data.csv"), dst="/root/data.csv")
//!     .with_workdir("/root")
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
//! Safe. A path that is not there, or that a `.dockerignore` keeps out, itself or a file in it, is unsafe.
//!
//! ## Not handled
//!
//! Paths that are neither literals nor constants, and those outside the build context, which Flyte 1 refuses too.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)
//!
//! # FM117
//!
//! ## What it does
//!
//! Turns `source_root` into `with_source_folder(…, copy_contents_only=True)` into `/root`.
//! `CopyFileDetection.NO_COPY` copies nothing.
//!
//! ## Why
//!
//! Flyte 1 copied the modules that were loaded, or left ignored files out. Flyte 2 copies the whole folder, but
//! for what a `.dockerignore` names.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(source_root=".")
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
//! from pathlib import Path
//!
//! from flyte import Image, TaskEnvironment
//!
//! image = (
//!     Image.from_debian_base()
//!     .with_source_folder(Path("."), dst="/root", copy_contents_only=True)
//!     .with_workdir("/root")
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
//! Unsafe. It is safe where a `.dockerignore` at the root of the project excludes `.git`, `.env` and `.venv`, all that git
//! ignores in the folder, and nothing else of it.
//!
//! ## Not handled
//!
//! Keeping only the modules that are loaded: Flyte 2 sends those with the code.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)
//!
//! # FM121
//!
//! ## What it does
//!
//! Reports a parameter that is not migrated: `source_copy_mode` without a `source_root`, or one that cannot be
//! read.
//!
//! ## Why
//!
//! `ALL` alone put the folder that registers into the image. Flyte 2 sends code in a bundle when it deploys, with
//! the modules that are loaded by default.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//! from flytekit.constants import CopyFileDetection
//!
//! image = ImageSpec(packages=["pandas"], source_copy_mode=CopyFileDetection.ALL)
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
//! Unsafe. Deploy with `flyte deploy --copy-style all` if tasks need files that are no modules.
//!
//! ## Not handled
//!
//! A mode that is no member of `CopyFileDetection`.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::{COPY, INVALID_CALL, SOURCE_ROOT, UNSUPPORTED_PARAMETER};
use super::draft::{Draft, ImageContext, LayerKind, Parameter};
use super::{Effect, Finding, none};
use crate::diagnostic::Rule;
use crate::flyte2::chain::{Argument, Call};
use crate::project::disk::PathKind;
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// Maps `copy`.
pub(super) fn map_copy(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let value = cx.literal(parameter.value);
    let Some(elements) = value.elements() else {
        draft.find(
            Finding::new(
                &COPY,
                parameter.value.range,
                Effect::Blocking,
                "`copy` is an expression that cannot be read",
            )
            .help("Write the list of paths out"),
        );
        return;
    };
    draft.copies_files = true;
    let nested = parameter.item.nested.as_deref();
    let mut leading = parameter.item.leading.clone();
    for (index, element) in elements.iter().enumerate() {
        let Some(mut call) = copy_one(cx, draft, element) else { continue };
        if let Some(item) = nested.and_then(|nested| nested.items.get(index)) {
            leading.extend(item.leading.iter().cloned());
            call.trailing.clone_from(&item.trailing);
        }
        call.leading = std::mem::take(&mut leading);
        draft.layer(LayerKind::Copy, parameter.position, call);
    }
    draft.orphans.extend(leading);
    draft.orphans.extend(parameter.item.trailing.clone());
    draft.orphans.extend(nested.map(|nested| nested.dangling.clone()).unwrap_or_default());
}

fn copy_one(cx: &ImageContext<'_>, draft: &mut Draft, element: &Value) -> Option<Call> {
    let value = cx.literal(element);
    let Some(path) = value.as_str() else {
        draft.find(
            Finding::new(&COPY, element.range, Effect::Blocking, "this path of `copy` cannot be read")
                .help("Write it as a string"),
        );
        return None;
    };
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        draft.find(
            Finding::new(
                &INVALID_CALL,
                element.range,
                Effect::Blocking,
                format!("`{path}` lies outside the build context; Flyte 1 refuses it too"),
            )
            .help("Name a path below the folder that you register from"),
        );
        return None;
    }
    let fact = (cx.path)(path);
    let is_folder = match fact.kind {
        PathKind::Folder => true,
        PathKind::File => false,
        PathKind::Missing => {
            draft.find(
                Finding::new(
                    &COPY,
                    element.range,
                    Effect::Unsafe,
                    format!(
                        "`{path}` is not there, so whether it is a file or a folder is a guess from its name"
                    ),
                )
                .help("Run the tool where the path exists"),
            );
            let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
            path.ends_with('/') || !name.trim_start_matches('.').contains('.')
        }
    };
    if fact.is_ignored {
        draft.find(
            Finding::new(
                &COPY,
                element.range,
                Effect::Unsafe,
                format!("`{path}` is excluded by the project's `.dockerignore`, which Flyte 2 obeys when it copies"),
            )
            .help("Take it out of the `.dockerignore`, or give the image its own with `with_dockerignore`"),
        );
    }
    if let Some(file) = fact.folder.left_out.filter(|_| !fact.is_ignored) {
        draft.find(left_out(&COPY, element.range, path, &file));
    }
    let text = cx.style.string(path);
    let clean = path.trim_start_matches("./").trim_end_matches('/');
    let target = if matches!(clean, "" | ".") { "/root".to_owned() } else { format!("/root/{clean}") };
    let arguments = [format!("{}({text})", cx.path_name), format!("dst={}", cx.style.string(&target))];
    let callee = if is_folder { "with_source_folder" } else { "with_source_file" };
    Some(Call {
        callee: callee.to_owned(),
        arguments: arguments.into_iter().map(Argument::new).collect(),
        ..Call::default()
    })
}

/// Maps `source_root`, unless `source_copy_mode` says that nothing is copied.
pub(super) fn map_source_root(
    cx: &ImageContext<'_>,
    draft: &mut Draft,
    parameter: Parameter<'_>,
    mode: Option<Parameter<'_>>,
) {
    if mode.and_then(copy_mode) == Some("NO_COPY") {
        draft.orphan(parameter);
        return;
    }
    let is_path =
        matches!(parameter.value.kind, ValueKind::Str(_) | ValueKind::Name(_) | ValueKind::FString(..));
    if !none::refuse(cx, draft, &SOURCE_ROOT, parameter) && !is_path {
        draft.find(
            Finding::new(
                &SOURCE_ROOT,
                parameter.value.range,
                Effect::Unsafe,
                "`source_root` is an expression that is taken for the path of a folder",
            )
            .help("Make sure that it is a path"),
        );
    }
    if !cx.ignores_private_files {
        draft.find(
            Finding::new(
                &SOURCE_ROOT,
                parameter.value.range,
                Effect::Unsafe,
                "`source_root` now copies everything, also `.git`, `.env` and virtual environments; Flyte 1 left them out",
            )
            .help("Exclude `.git`, `.env` and `.venv` in a `.dockerignore` at the root of the project"),
        );
    }
    let value = cx.literal(parameter.value);
    if let Some(path) = value.as_str().filter(|_| cx.ignores_private_files) {
        let folder = (cx.path)(path).folder;
        let range = parameter.value.range;
        draft
            .findings
            .extend(folder.left_out_of_source.map(|file| left_out(&SOURCE_ROOT, range, path, &file)));
        draft.findings.extend(folder.added_to_source.map(|file| added(range, path, &file)));
    }
    draft.copies_files = true;
    let root = cx.style.string("/root");
    let arguments = [
        format!("{}({})", cx.path_name, parameter.item.value_text),
        format!("dst={root}"),
        "copy_contents_only=True".to_owned(),
    ];
    let method = parameter.method("with_source_folder", arguments.into_iter().map(Argument::new).collect());
    draft.layer(LayerKind::Source, parameter.position, method);
}

/// The finding that a file of a folder is no longer copied.
fn left_out(rule: &'static Rule, range: TextRange, folder: &str, file: &str) -> Finding {
    let message = format!(
        "`{file}` in `{folder}` is left out: Flyte 2 compares the project's `.dockerignore` with paths from the copied folder, Flyte 1 does not"
    );
    Finding::new(rule, range, Effect::Unsafe, message)
        .help("Change the `.dockerignore` so that it keeps what the image needs, or give the image its own with `with_dockerignore`")
}

/// The finding that a file comes into the image which git ignores.
fn added(range: TextRange, folder: &str, file: &str) -> Finding {
    let message = format!("`{file}` in `{folder}` is copied now: git ignores it, so Flyte 1 left it out");
    Finding::new(&SOURCE_ROOT, range, Effect::Unsafe, message)
        .help("Name what must not come into the image in the `.dockerignore` at the root of the project")
}

/// `source_copy_mode`, which the rule of `source_root` reads; without a root Flyte 1 copied the folder it registers.
pub(super) fn map_source_copy_mode(draft: &mut Draft, parameter: Parameter<'_>, root: Option<Parameter<'_>>) {
    let (effect, message) = match copy_mode(parameter) {
        None => (Effect::Blocking, "`source_copy_mode` cannot be read"),
        Some("ALL") if root.is_none() => (
            Effect::Unsafe,
            "`source_copy_mode` put all files into the image; Flyte 2 sends code in a bundle",
        ),
        Some(_) => {
            draft.orphan(parameter);
            return;
        }
    };
    let help =
        "Deploy with `flyte deploy --copy-style all`, or copy what the tasks need with `with_source_folder`";
    draft.find(Finding::new(&UNSUPPORTED_PARAMETER, parameter.item.range, effect, message).help(help));
    draft.orphan(parameter);
}

/// `ALL`, `LOADED_MODULES` or `NO_COPY` of flytekit's `CopyFileDetection`.
fn copy_mode(parameter: Parameter<'_>) -> Option<&str> {
    let (head, mode) = parameter.item.value_text.rsplit_once('.')?;
    (head.rsplit('.').next() == Some("CopyFileDetection")).then_some(mode)
}

/// What copied files need: the working directory of Flyte 1, and on a foreign base a user and `PYTHONPATH`.
pub(super) fn finish(cx: &ImageContext<'_>, draft: &mut Draft) {
    if !draft.copies_files {
        return;
    }
    let root = cx.style.string("/root");
    let call = |callee: &str, argument: String| Call {
        callee: callee.to_owned(),
        arguments: vec![Argument::new(argument)],
        ..Call::default()
    };
    if draft.is_foreign(cx) {
        draft.find(
            Finding::new(
                &COPY,
                cx.call.callee,
                Effect::Unsafe,
                "files are copied as user `flyte`, which is made with `useradd` on this base image",
            )
            .help("Make sure that the base image has `useradd`"),
        );
        let user = "id -u flyte >/dev/null 2>&1 || useradd --create-home --shell /bin/bash flyte";
        draft.layer(LayerKind::User, 0, call("with_commands", format!("[{}]", cx.style.string(user))));
        let path = format!("{{{}: {root}}}", cx.style.string("PYTHONPATH"));
        // Below the user's own variables, which win.
        draft.layer(LayerKind::Apt, usize::MAX, call("with_env_vars", path));
    }
    draft.layer(LayerKind::WorkDir, usize::MAX, call("with_workdir", root));
}
