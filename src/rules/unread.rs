//! Packages that cannot be read where the image is defined, and so are not checked.
//!
//! # FM143
//!
//! ## What it does
//!
//! Reports expressions in `packages`, `apt_packages` and `with_packages` whose strings cannot be worked out, and
//! packages that code reads from a file.
//!
//! ## Why
//!
//! Flyte 1 wrote the packages as lines of a requirements file, where options, comments and blank lines are allowed; Flyte 2
//! takes each as one package, and an image without any as an error. Plugins of flytekit need their successors. In
//! strings that can be worked out all of this is found; in others it has to be looked for.
//!
//! ## Example
//!
//! ```text
//! # packages.txt
//! pandas
//! ```
//!
//! ```python
//! from pathlib import Path
//!
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(packages=Path("packages.txt").read_text().splitlines())
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
//! image = ImageSpec(requirements="packages.txt")
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! By hand. Lines of a file as packages are unsafe; any other expression goes through as it is, with a note.
//!
//! ## Not handled
//!
//! What functions give, what is read from JSON or YAML, and lists that loops or `append` fill.
//!
//! ## References
//!
//! `flytekit/image_spec/default_builder.py` of flytekit 1.16.31;
//! `flyte/_internal/imagebuild/docker_builder.py` of flyte 2.12.1.

use super::codes::UNREAD_PACKAGES;
use super::draft::Draft;
use super::{Effect, Finding};
use crate::python::possible::Strings;
use crate::source::TextRange;

/// What of a list of packages is not known.
#[derive(Debug, Default)]
pub(super) struct Unread {
    expressions: Vec<String>,
    reads_file: bool,
}

impl Unread {
    /// Notes what of an expression is not understood.
    pub(super) fn note(&mut self, strings: &Strings) {
        self.reads_file |= strings.reads_file;
        strings.unknown.iter().for_each(|expression| self.expression(expression));
    }

    /// Notes one expression.
    pub(super) fn expression(&mut self, expression: &str) {
        if !self.expressions.iter().any(|other| other == expression) {
            self.expressions.push(expression.to_owned());
        }
    }

    /// Says so.
    pub(super) fn tell(self, draft: &mut Draft, parameter: &str, range: TextRange) {
        let is_pip = parameter != "apt_packages";
        if self.reads_file {
            let message = format!(
                "`{parameter}` are the lines of a file; on Flyte 2 a blank line, a comment or an option among them breaks the build"
            );
            let help = if is_pip {
                "Give the file to `requirements`, which becomes `with_requirements`"
            } else {
                "Write the packages out"
            };
            draft.find(Finding::new(&UNREAD_PACKAGES, range, Effect::Unsafe, message).help(help));
        } else if !self.expressions.is_empty() {
            let shown: Vec<String> = self.expressions.iter().map(|text| format!("`{}`", cut(text))).collect();
            let message = format!("{} cannot be read, so its packages are not checked", shown.join(", "));
            let help = if is_pip {
                "Make sure that it is not empty, and that each string is one package: no option, comment, line break or `flytekitplugins-…`"
            } else {
                "Make sure that each string is one package, without options"
            };
            draft.find(Finding::new(&UNREAD_PACKAGES, range, Effect::Info, message).help(help));
        }
    }
}

/// The beginning of a long expression.
fn cut(text: &str) -> String {
    const LENGTH: usize = 60;
    if text.chars().count() <= LENGTH {
        return text.to_owned();
    }
    text.chars().take(LENGTH).collect::<String>() + "…"
}
