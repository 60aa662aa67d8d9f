//! Which strings an expression of the project may give: names are followed through its files.
//!
//! ```python
//! from settings import PKGS                  # PKGS = {"cpu": ["torch"]}
//!
//! ImageSpec(packages=PKGS["cpu"] + EXTRA)    # EXTRA = ["pandas"] if … else []
//! ```

use super::factories::Arguments;
use super::link::Target;
use super::{FileId, Project};
use crate::python::ast::name::Name;
use crate::python::items::line_start;
use crate::python::possible::{self, Definitions, Names, Place, Strings};
use crate::python::scope::{BindingId, BindingKind};
use crate::source::{TextRange, TextSize};

/// The strings that the expression at `range` may give, itself or as the elements of its list.
pub(super) fn strings(project: &Project, file: FileId, range: TextRange, arguments: &Arguments) -> Strings {
    possible::strings(&ProjectNames { project, arguments, file, range }, Place { file, range })
}

struct ProjectNames<'p> {
    project: &'p Project,
    /// What the parameters stand for that are read at `range` of `file`.
    arguments: &'p Arguments,
    file: FileId,
    range: TextRange,
}

impl Names for ProjectNames<'_> {
    fn text(&self, file: FileId) -> &str {
        self.project.text(file)
    }

    fn definitions(&self, file: FileId, name: &str, offset: TextSize) -> Definitions {
        let project = self.project;
        if file == self.file
            && self.range.contains(offset)
            && let Some(given) = self.arguments.get(name)
        {
            let places = given.iter().map(|given| Place { file: given.file, range: given.value.range });
            return Definitions { places: places.collect(), is_complete: given.is_some(), is_file: false };
        }
        let mut parts = name.split('.');
        let (Some(facts), Some(first)) = (project.facts(file), parts.next()) else {
            return Definitions::default();
        };
        let attributes: Vec<Name> = parts.map(Name::new).collect();
        let bindings = facts.module.visible(first, offset);
        let is_file = |&binding: &BindingId| is_opened(self.text(file), facts.module.bindings[binding].range);
        let mut definitions = Definitions {
            places: Vec::new(),
            is_complete: !bindings.is_empty(),
            is_file: !bindings.is_empty() && bindings.iter().all(is_file),
        };
        for binding in bindings {
            for target in project.follow(file, binding, &attributes, 0) {
                let place = definition(project, &target);
                definitions.is_complete &= place.is_some_and(|(_, is_kept)| is_kept);
                definitions.places.extend(place.map(|(place, _)| place));
            }
        }
        definitions
    }
}

/// Whether a name is bound as in `with open(…) as name`.
fn is_opened(text: &str, range: TextRange) -> bool {
    let before = &text[TextRange::new(line_start(text, range.start()), range.start())];
    before.trim_end().ends_with(" as") && before.contains("open(")
}

/// The expression that is assigned to a name, and whether nothing changes its value in place.
fn definition(project: &Project, target: &Target) -> Option<(Place, bool)> {
    let Target::Binding(file, binding, rest) = target else { return None };
    let module = &project.facts(*file)?.module;
    let definition = &module.bindings[*binding];
    let value = match (&definition.kind, rest.as_slice()) {
        (BindingKind::Assignment { value, .. }, []) => value,
        (BindingKind::Definition, [field]) => {
            let attributes = module.class_attributes.get(&definition.owner)?;
            &attributes.iter().find(|(name, value)| name == field && value.is_literal())?.1
        }
        _ => return None,
    };
    let is_kept = !project.changed.contains(&(*file, *binding)) || value.is_literal() && value.is_immutable();
    Some((Place { file: *file, range: value.range }, is_kept))
}
