//! What `--image` does on Flyte 2.
//!
//! ```sh
//! pyflyte run --remote --image ghcr.io/acme/train:1 train.py main    # the image of tasks that name none
//! ```

use crate::project::link::Target;
use crate::project::{FileId, Project};
use crate::python::scope::{Argument, CallContext};
use crate::python::value::ValueKind;

/// Whether what is given to `--image` is for code that names no image: `ghcr.io/acme/train:1`, `default=…`.
pub(super) fn is_default(image: &str) -> bool {
    image.split_once('=').is_none_or(|(name, _)| name == "default")
}

/// An environment, in these files or what they import, whose Debian base is written into it. That is what becomes of tasks
/// without an image; an `ImageSpec` with a name of its own had no use for `--image` before.
pub(super) fn environment_with_own(project: &Project, files: Vec<FileId>) -> Option<(FileId, String)> {
    project.import_closure(files).into_iter().find_map(|file| Some((file, environment_of(project, file)?)))
}

fn environment_of(project: &Project, file: FileId) -> Option<String> {
    let module = &project.facts(file)?.module;
    module.calls.iter().find_map(|call| {
        let CallContext::Assigned(binding) = call.context else { return None };
        let callee = module.callee(call)?;
        let is_environment =
            *project.resolve(file, callee) == [Target::External("flyte.TaskEnvironment".to_owned())];
        let image = call.arguments.iter().find(|argument| argument.name.as_deref() == Some("image"))?;
        (is_environment && is_debian_base(project, file, image))
            .then(|| module.bindings[binding].name.to_string())
    })
}

/// `Image.from_debian_base().with_pip_packages("requests")`
fn is_debian_base(project: &Project, file: FileId, image: &Argument) -> bool {
    let is_call = matches!(image.value.kind, ValueKind::Call);
    is_call && project.text(file)[image.value.range].contains(".from_debian_base(")
}
