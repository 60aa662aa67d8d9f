//! `apt_packages=["git"]` becomes `.with_apt_packages("git")`.
//!
//! # FM104
//!
//! ## What it does
//!
//! Turns the list into the arguments of `with_apt_packages`, with the comments of its elements.
//! A name, a concatenation or any other expression goes through as `*EXPRESSION`.
//!
//! ## Why
//!
//! System packages are a layer of the image on Flyte 2.
//! It stands first in the chain, where Flyte 1 installed them: a package from git needs `git` from apt before it.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="train", apt_packages=["git", "curl"])
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
//! image = Image.from_debian_base(name="train").with_apt_packages("git", "curl")
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
//! An element with a space or an option in it is left to you: Flyte 1 put all of them into one shell command, Flyte 2
//! quotes each as one package. A string in place of the list is refused by Flyte 1 too (FM122).
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::APT_PACKAGES;
use super::draft::{Draft, ImageContext, LayerKind, Parameter};
use super::{Effect, Finding};
use crate::flyte2::chain::Argument;

/// Maps `apt_packages`.
pub(super) fn map(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let options = parameter.value.elements().unwrap_or_default().iter().filter(|element| {
        element
            .as_str()
            .is_some_and(|package| package.trim().starts_with('-') || package.trim().contains(' '))
    });
    for option in options {
        draft.find(
            Finding::new(
                &APT_PACKAGES,
                option.range,
                Effect::Blocking,
                format!("`{}` is no single package; Flyte 2 would treat it as one", cx.slice(option.range)),
            )
            .help("List each package for itself, and install with options in a command"),
        );
    }
    let (arguments, dangling, is_exploded) = arguments(parameter);
    let mut method = parameter.method("with_apt_packages", arguments);
    method.dangling = dangling;
    method.is_exploded = is_exploded;
    draft.layer(LayerKind::Apt, parameter.position, method);
}

/// The elements of a list display as arguments with their comments; any other expression as `*expression`.
pub(super) fn arguments(parameter: Parameter<'_>) -> (Vec<Argument>, Vec<String>, bool) {
    if let (Some(nested), Some(_)) = (&parameter.item.nested, parameter.value.elements()) {
        let arguments = nested
            .items
            .iter()
            .map(|item| Argument {
                leading: item.leading.clone(),
                text: item.text.clone(),
                trailing: item.trailing.clone(),
            })
            .collect();
        let is_exploded = nested.is_multiline && nested.has_trailing_comma && nested.items.len() > 1;
        (arguments, nested.dangling.clone(), is_exploded)
    } else {
        let text = &parameter.item.value_text;
        // `["a"] if … else None`: nothing must stay nothing.
        let may_be_none = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == "None");
        let text = if may_be_none { format!("*(({text}) or [])") } else { format!("*{text}") };
        (vec![Argument::new(text)], Vec::new(), false)
    }
}
