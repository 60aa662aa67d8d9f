//! `requirements="requirements.txt"` becomes `.with_requirements(Path("requirements.txt"))`.
//!
//! flyte 2.12.1 refuses any other suffix than `.txt`.

use super::codes::REQUIREMENTS;
use super::draft::{Draft, ImageContext, LayerKind, Parameter};
use super::{Effect, Finding};
use crate::flyte2::chain::Argument;

/// Maps `requirements`.
pub(super) fn map(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let value = cx.literal(parameter.value);
    let range = parameter.value.range;
    match value.as_str() {
        Some(path) if path.ends_with(".lock") => draft.find(
            Finding::new(
                &REQUIREMENTS,
                range,
                Effect::Blocking,
                format!("lock file `{path}` is not migrated yet"),
            )
            .help("Use `with_uv_project` or `with_poetry_project`"),
        ),
        Some(path) if !path.ends_with(".txt") => draft.find(
            Finding::new(
                &REQUIREMENTS,
                range,
                Effect::Blocking,
                format!("`{path}` is refused by `with_requirements`: the suffix must be `.txt`"),
            )
            .help("Rename the file to `.txt`"),
        ),
        Some(_) => {}
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
    let argument = Argument::new(format!("Path({})", parameter.item.value_text));
    let method = parameter.method("with_requirements", vec![argument]);
    draft.layer(LayerKind::Requirements, parameter.position, method);
}
