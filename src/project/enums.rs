//! Enums of the project: where they are wanted, and what their members are called.
//!
//! Flyte 1 hands members on by their values (`flytekit/core/type_engine.py`, 1.16.31), Flyte 2 by their names
//! (`flyte/types/_type_engine.py`, 2.12.1).

use super::link::Target;
use super::{FileId, Project};
use crate::python::annotation::{Definition, TypeExpr};
use crate::python::scope::BindingId;
use crate::source::TextRange;

/// A class, by what binds its name.
pub type Enum = (FileId, BindingId);

/// The enum that the annotation at `range` names, also as `Optional` or as the elements of a list.
pub fn enum_at(project: &Project, file: FileId, range: TextRange) -> Option<Enum> {
    enum_of(project, file, project.facts(file)?.module.types.get(&range)?)
}

fn enum_of(project: &Project, file: FileId, of: &TypeExpr) -> Option<Enum> {
    match of {
        TypeExpr::Name(range) => {
            let reference = project.facts(file)?.reference_at(*range)?;
            let [Target::Binding(file, binding, rest)] = project.resolve(file, reference) else {
                return None;
            };
            (rest.is_empty() && is_enum(project, *file, *binding)).then_some((*file, *binding))
        }
        TypeExpr::Generic(head, elements) => match head.last_name(project.text(file))? {
            "Optional" | "List" | "list" | "Annotated" => enum_of(project, file, elements.first()?),
            _ => None,
        },
        TypeExpr::Union(left, right) if **right == TypeExpr::None => enum_of(project, file, left),
        _ => None,
    }
}

/// Whether a class of the project is derived from one of Python's enums.
fn is_enum(project: &Project, file: FileId, binding: BindingId) -> bool {
    let Some(facts) = project.facts(file) else { return false };
    let text = project.text(file);
    let definition = facts.module.definitions.get(&facts.module.bindings[binding].owner);
    let is_one = |base: &TypeExpr| matches!(base.last_name(text), Some("Enum" | "StrEnum"));
    matches!(definition, Some(Definition::Class { bases, .. }) if bases.iter().any(is_one))
}

/// The name of the member with this value, if one is written `NAME = "value"` in its class.
pub fn member_of<'p>(project: &'p Project, (file, binding): Enum, value: &str) -> Option<&'p str> {
    let module = &project.facts(file)?.module;
    let class = &project.text(file)[module.statements[module.bindings[binding].owner]];
    let indent = |line: &str| line.len() - line.trim_start().len();
    let body = || class.lines().skip(1).filter(|line| !line.trim().is_empty());
    // Methods have names of their own further in.
    let depth = body().map(indent).min()?;
    body().filter(|line| indent(line) == depth).find_map(|line| {
        let (name, text) = line.split_once('=')?;
        let text = text.split(" #").next().unwrap_or_default().trim();
        let is_it = ['"', '\'']
            .iter()
            .any(|&quote| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote)) == Some(value));
        is_it.then(|| name.trim())
    })
}
