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
//! quotes each as one package. That counts for lists that are put together elsewhere too, as far as they can be worked
//! out; others are told by FM143. A string in place of the list is refused by Flyte 1 too (FM122).
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::APT_PACKAGES;
use super::draft::{Draft, ImageContext, LayerKind, Parameter};
use super::none::or_empty;
use super::unread::Unread;
use super::{Effect, Finding};
use crate::flyte2::chain::Argument;
use crate::python::possible::MayBeNone;
use crate::python::value::ValueKind;
use crate::source::TextRange;

/// Maps `apt_packages`.
pub(super) fn map(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let mut unread = Unread::default();
    let elements = parameter.value.elements().unwrap_or(std::slice::from_ref(parameter.value));
    for element in elements {
        let range = element.range;
        if let Some(package) = element.as_str() {
            check(draft, range, package);
            continue;
        }
        let inner = if let ValueKind::Starred(inner) = &element.kind { inner.range } else { range };
        let strings = (cx.strings)(inner);
        strings.known.iter().for_each(|known| check(draft, range, &known.text));
        unread.note(&strings);
    }
    unread.tell(draft, parameter.name, parameter.value.range);
    let may_be_none = (cx.strings)(parameter.value.range).none != MayBeNone::No;
    let (arguments, dangling, is_exploded) = arguments(parameter, may_be_none);
    let mut method = parameter.method("with_apt_packages", arguments);
    method.dangling = dangling;
    method.is_exploded = is_exploded;
    draft.layer(LayerKind::Apt, parameter.position, method);
}

/// Says so where a string is more than one package.
fn check(draft: &mut Draft, range: TextRange, package: &str) {
    let package = package.trim();
    if package.starts_with('-') || package.contains(char::is_whitespace) {
        let message = format!("`{package}` is no single package; Flyte 2 would treat it as one");
        draft.find(
            Finding::new(&APT_PACKAGES, range, Effect::Blocking, message)
                .help("List each package for itself, and install with options in a command"),
        );
    }
}

/// The elements of a list display as arguments with their comments; any other expression as `*expression`, in which
/// nothing stays nothing: `*(expression or [])`.
pub(super) fn arguments(parameter: Parameter<'_>, may_be_none: bool) -> (Vec<Argument>, Vec<String>, bool) {
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
        let text = if may_be_none { format!("*({})", or_empty(parameter, "[]")) } else { format!("*{text}") };
        (vec![Argument::new(text)], Vec::new(), false)
    }
}
