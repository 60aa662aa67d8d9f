//! Imports that new code needs, and the names by which it uses them.
//!
//! ```python
//! import asyncio                     # if the file has it, as whatever it calls it
//! import flyte.report                # submodules are imported by themselves: `import flyte` does not bring them
//! from flyte.io import File as FlyteIoFile    # where `File` is something else in the file
//! ```

use crate::python::module_path::ImportPath;
use crate::python::scope::{BindingKind, Module};

/// A module or a name, as the code of one file writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// How it is written in code.
    pub name: String,
    /// The import that has to be added; `None` if the file has it.
    pub line: Option<String>,
}

/// A module of the standard library, such as `asyncio`.
pub fn module(names: &Module, path: &str) -> Imported {
    if let Some(name) = bound_to(names, &ImportPath { level: 0, module: path.to_owned(), name: None }) {
        return Imported { name, line: None };
    }
    let name = free_name(names, path, &format!("{path}_"));
    let line = if name == path { format!("import {path}") } else { format!("import {path} as {name}") };
    Imported { name, line: Some(line) }
}

/// A name of a module, such as `File` of `flyte.io`.
pub fn item(names: &Module, path: &str, item: &str) -> Imported {
    let wanted = ImportPath { level: 0, module: path.to_owned(), name: Some(item.to_owned()) };
    if let Some(name) = bound_to(names, &wanted) {
        return Imported { name, line: None };
    }
    let prefix: String = path.split('.').map(capitalized).collect();
    let name = free_name(names, item, &format!("{prefix}{item}"));
    let line = if name == item {
        format!("from {path} import {item}")
    } else {
        format!("from {path} import {item} as {name}")
    };
    Imported { name, line: Some(line) }
}

/// A module below `flyte`, such as `flyte.report`. `flyte` is how the file writes `flyte` itself, where it does:
/// `flyte.`; without that the module gets a name of its own.
pub fn submodule(names: &Module, path: &str, flyte: &str) -> Imported {
    if flyte == "flyte." || (flyte.is_empty() && !names.has_name("flyte")) {
        let is_there = names.imports.iter().any(|import| {
            import.from.is_none()
                && import.is_top_level
                && import.aliases.iter().any(|alias| alias.name == path && alias.asname.is_none())
        });
        return Imported { name: path.to_owned(), line: (!is_there).then(|| format!("import {path}")) };
    }
    let alias = path.replace('.', "_");
    Imported { line: Some(format!("import {path} as {alias}")), name: alias }
}

/// The name that an import at the top level of the file binds to `wanted`.
fn bound_to(names: &Module, wanted: &ImportPath) -> Option<String> {
    let bound = names.bindings.iter().find(|binding| {
        binding.is_unconditional && matches!(&binding.kind, BindingKind::Import(path) if path == wanted)
    })?;
    let is_only = names.bindings.iter().filter(|binding| binding.name == bound.name).count() == 1;
    is_only.then(|| bound.name.to_string())
}

fn free_name(names: &Module, first: &str, second: &str) -> String {
    let further = (2..).map(|number| format!("{second}{number}"));
    let mut candidates = [first.to_owned(), second.to_owned()].into_iter().chain(further);
    candidates.find(|candidate| !names.has_name(candidate)).unwrap_or_default()
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::parse;
    use crate::python::scope::analyze;

    fn names(text: &str) -> Module {
        analyze(&parse(text).unwrap(), text, &|_| true)
    }

    #[test]
    fn what_the_file_imports_is_used_as_it_calls_it() {
        let names = names("import asyncio as aio\nfrom flyte.io import File as F\nimport flyte.report\n");
        assert_eq!(module(&names, "asyncio"), Imported { name: "aio".to_owned(), line: None });
        assert_eq!(item(&names, "flyte.io", "File"), Imported { name: "F".to_owned(), line: None });
        assert_eq!(submodule(&names, "flyte.report", "flyte.").line, None);
    }

    #[test]
    fn a_name_that_is_taken_gets_another() {
        let names = names("def asyncio(): ...\nclass File: ...\nflyte = 1\n");
        assert_eq!(module(&names, "asyncio").line.as_deref(), Some("import asyncio as asyncio_"));
        assert_eq!(item(&names, "flyte.io", "File").name, "FlyteIoFile");
        assert_eq!(submodule(&names, "flyte.report", "").name, "flyte_report");
    }
}
