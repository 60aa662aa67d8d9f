//! `packages=["pydantic<2"]`: a version that flyte cannot live with, in an image that holds flyte.
//!
//! flyte stands in the image already, and `uv pip install` puts another version of what it needs in the place of its
//! own. The task then fails when it starts, not when the image is built.
//!
//! # FM405
//!
//! ## What it does
//!
//! Speaks of a package in `packages`, or in the requirements file, whose versions are none of those that flyte asks
//! for.
//!
//! ## Why
//!
//! On Flyte 2 the image holds flyte, and installing another version of a package that flyte needs takes its own away:
//! with `pydantic<2` no task can import flyte. flytekit asked for other versions, so such a pin was fine on Flyte 1.
//! The table of what flyte asks for, `src/rules/data/flyte_requirements.tsv`, is made from its metadata by
//! `scripts/brought_packages.py`.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(packages=["pydantic==1.10.13", "pandas"])
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
//! image = Image.from_debian_base().with_pip_packages("pydantic==1.10.13", "pandas")
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
//! Unsafe. The image is built as before, but a task in it may not start: give a version that flyte takes, or none, and
//! try the code with it.
//!
//! ## Not handled
//!
//! Versions that are put together of variables, packages that commands or lock files install, files that a
//! requirements file names with `-r`, and what the dependencies of flyte need themselves.
//!
//! ## References
//!
//! `Requires-Dist` in the metadata of flyte 2.12.1.

use super::codes::FLYTE_REQUIREMENT;
use super::tables::flyte_requirement;
use super::{Effect, Finding};
use crate::image::requirement::Requirement;
use crate::image::version::Range;
use crate::source::TextRange;

/// The finding that a package has a version which flyte does not take; `place` names the file that lists it.
pub(super) fn check(range: TextRange, text: &str, place: Option<&str>) -> Option<Finding> {
    let needed = contradicted(text)?;
    let listed = place.map_or_else(|| format!("`{text}`"), |place| format!("`{text}` in `{place}`"));
    let message = format!(
        "{listed} goes against flyte 2.12.1, which needs `{needed}`: tasks in this image may not start"
    );
    Some(
        Finding::new(&FLYTE_REQUIREMENT, range, Effect::Unsafe, message)
            .help("Give a version that flyte takes, or none, and try the code with it"),
    )
}

/// What flyte asks for, where no version that `text` allows is one of those.
fn contradicted(text: &str) -> Option<String> {
    let own = Requirement::parse(text).ok()?;
    let (name, needed) = flyte_requirement(&own.canonical_name())?;
    let needed_text = format!("{name}{needed}");
    let needed = Requirement::parse(&needed_text).ok()?;
    let meets = Range::of(&own.versions)?.meets(&Range::of(&needed.versions)?);
    (!meets && !own.marker.is_some_and(|marker| is_never_true(&marker))).then_some(needed_text)
}

/// Whether a marker holds in no image of Flyte 2: another system, or a Python below 3.10.
fn is_never_true(marker: &str) -> bool {
    let is_false = |condition: &str| {
        let words: Vec<&str> = condition.split_whitespace().collect();
        let &[variable, operator, value] = words.as_slice() else { return false };
        let value = value.trim_matches(['"', '\'']);
        match (variable, operator) {
            ("sys_platform" | "platform_system", "==") => !value.eq_ignore_ascii_case("linux"),
            ("python_version", "<") => is_python_below(value, 11),
            ("python_version", "<=" | "==") => is_python_below(value, 10),
            _ => false,
        }
    };
    !marker.contains(['(', ')']) && !marker.contains(" or ") && marker.split(" and ").any(is_false)
}

/// Whether `version` is a Python below 3.`minor`.
fn is_python_below(version: &str, minor: u8) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u8>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(3), Some(own)) => own < minor,
        (Some(major), _) => major < 3,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::contradicted;

    #[test]
    fn only_versions_that_flyte_never_takes_are_told() {
        for text in [
            "pydantic==1.10.13",
            "Pydantic<2",
            "pydantic[email]~=1.10",
            "protobuf<5",
            "click==8.1.7",
            "rich-click>=1.9",
            "fsspec==2023.6.0; python_version >= '3.10'",
            "PyYAML==5.4 ; sys_platform == 'linux'",
        ] {
            assert!(contradicted(text).is_some(), "{text}");
        }
        for text in [
            "pydantic",
            "pydantic>=1.10",
            "pydantic!=2.0",
            "pydantic>=1.10,<3",
            "pydantic==2.11.*",
            "pydantic-core==2.0",
            "protobuf>=4",
            "click==8.2.1",
            "numpy<2",
            "pydantic @ https://example.com/pydantic-1.10.13.whl",
            "pydantic<2; python_version < '3.9'",
            "pydantic<2; python_version <= '3.9' and extra == 'x'",
            "pydantic<2; sys_platform == 'win32'",
            "pydantic===any",
        ] {
            assert_eq!(contradicted(text), None, "{text}");
        }
    }
}
