//! What code replaces of libraries, and what it patches by its name in a string.
//!
//! ```python
//! flyte.Image.from_debian_base = from_our_base
//! patch("settings.REGISTRY", "ghcr.io/other").start()
//! patch.dict("os.environ", REGISTRY="ghcr.io/other").start()
//! ```

use memchr::memmem;
use rustpython_ast::{self as ast, Expr};

use crate::flyte1::file::FileFacts;
use crate::python::scope::{Binding, BindingKind};

/// A call that patches something.
#[derive(Debug)]
pub(super) enum Patch<'a> {
    /// An attribute by its dotted path: `patch("settings.REGISTRY", …)`.
    Path(String),
    /// An attribute of an object: `patch.object(flyte.Image, "with_apt_packages", …)`.
    Attribute(&'a Expr, &'a str),
    /// What is in a dict, by its dotted path or as it is: `patch.dict("os.environ", …)`.
    Dict(&'a Expr),
}

/// What a call patches: the calls of `unittest.mock`, and of the fixtures of pytest that are named like them.
pub(super) fn patches(call: &ast::ExprCall) -> Vec<Patch<'_>> {
    let (name, object) = match &*call.func {
        Expr::Name(name) => (name.id.as_str(), ""),
        Expr::Attribute(attribute) => (attribute.attr.as_str(), last_name(&attribute.value)),
        _ => return Vec::new(),
    };
    let arguments = &call.arguments.args;
    let Some(first) = arguments.first() else { return Vec::new() };
    let path = first.as_string_literal_expr().map(|path| path.value.to_str());
    let second = arguments.get(1).and_then(Expr::as_string_literal_expr).map(|name| name.value.to_str());
    match (name, path, second) {
        ("dict", ..) if object == "patch" => vec![Patch::Dict(first)],
        ("multiple", Some(path), _) if object == "patch" => {
            let names = call.arguments.keywords.iter().filter_map(|keyword| keyword.arg.as_ref());
            names.map(|name| Patch::Path(format!("{path}.{name}"))).collect()
        }
        ("patch" | "setattr" | "delattr", Some(path), _) => vec![Patch::Path(path.to_owned())],
        ("object", None, Some(name)) if object == "patch" => vec![Patch::Attribute(first, name)],
        ("setattr" | "delattr" | "__setattr__" | "__delattr__", None, Some(name)) => {
            vec![Patch::Attribute(first, name)]
        }
        _ => Vec::new(),
    }
}

/// Whether a call in a file may patch something by its path in a string, or an attribute of what a name outside of
/// functions stands for. Most calls of `setattr` are about `self` or a parameter.
pub(super) fn may_patch(text: &str, facts: &FileFacts) -> bool {
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
    let words = ["patch", "setattr", "delattr", "__setattr__", "__delattr__"];
    let uses = words.into_iter().flat_map(|word| {
        let found = memmem::find_iter(text.as_bytes(), word).filter(|&at| !text[..at].ends_with(is_of_name));
        let rests = found.map(move |at| &text[at + word.len()..]);
        rests.filter(|rest| !rest.starts_with(is_of_name))
    });
    uses.map(|rest| rest.trim_start_matches(|c| is_of_name(c) || c == '.')).any(|rest| {
        let first = rest.trim_start_matches(' ').strip_prefix('(');
        first.is_some_and(|first| {
            let first = first.trim_start();
            let name = first.split(|c| !is_of_name(c)).next().unwrap_or_default();
            let is_of_module = |binding: &Binding| {
                binding.name == *name && (binding.is_global || matches!(binding.kind, BindingKind::Import(_)))
            };
            name.is_empty() && !first.starts_with(')')
                || first[name.len()..].starts_with(['"', '\''])
                || !facts.module.star_imports.is_empty()
                || facts.module.bindings.iter().any(is_of_module)
        })
    })
}

fn last_name(expr: &Expr) -> &str {
    match expr {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => "",
    }
}

/// Whether a file holds tests: what they patch is as it was once they are over.
pub(super) fn is_test(relative: &str) -> bool {
    let (folders, name) = relative.rsplit_once('/').unwrap_or(("", relative));
    name == "conftest.py"
        || name.starts_with("test_")
        || name.ends_with("_test.py")
        || folders.split('/').any(|folder| matches!(folder, "test" | "tests"))
}

/// Whether something of a library means something else where code replaces `replaced`. The methods of images call each
/// other, and read what is beside them, the version and the configuration.
pub(super) fn covers(replaced: &str, path: &str) -> bool {
    let is_inside = path.strip_prefix(replaced).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let read = ["flyte._version", "flyte._initialize", "flyte.config", "sys.version_info"];
    let is_read = |path: &str| is_of_images(path) || read.iter().any(|module| is_in(path, module));
    is_inside || is_of_images(path) && is_read(replaced)
}

fn is_of_images(path: &str) -> bool {
    is_in(path, "flyte.Image") || is_in(path, "flyte._image")
}

fn is_in(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::TreeBudget;

    #[test]
    fn methods_of_images_hang_together() {
        assert!(covers("flyte.Image.clone", "flyte.Image.from_debian_base"));
        assert!(covers("flyte._image._BASE_REGISTRY", "flyte.Image.from_base"));
        assert!(covers("flyte.TaskEnvironment", "flyte.TaskEnvironment"));
        assert!(covers("os.getenv", "os.getenv"));
        assert!(covers("flyte._version.__version__", "flyte.Image.from_debian_base"));
        assert!(!covers("flyte.Image.clone", "flyte._version.__version__"));
        assert!(!covers("flyte.TaskEnvironment.clone_with", "flyte.Image.from_base"));
        assert!(!covers("flyte.Image.clone", "flyte.Imagery"));
        assert!(!covers("os.path", "os.pathsep"));
    }

    #[test]
    fn what_may_patch_is_told_by_its_first_argument() {
        let may =
            |text: &str| may_patch(text, &FileFacts::read(text, &|_| false, &TreeBudget::new(0)).unwrap());
        for text in [
            "patch('os.getenv', f).start()",
            "import os\nsetattr(os, 'sep', '-')",
            "import os\npatch.object(\n    os,\n    'sep',\n)",
            "def f():\n    from pathlib import Path\n    setattr(Path, 'cwd', g)",
            "from os import *\nsetattr(environ, 'get', f)",
        ] {
            assert!(may(text), "{text}");
        }
        for text in [
            "def f(self):\n    setattr(self, 'a', 1)",
            "patch_all()",
            "dispatch('os.getenv')",
            "# remove this patch.\n(1)",
            "client.patch()",
        ] {
            assert!(!may(text), "{text}");
        }
    }

    #[test]
    fn tests_are_told_by_their_place() {
        for path in ["tests/a.py", "pk/test/b.py", "test_a.py", "pk/a_test.py", "conftest.py"] {
            assert!(is_test(path), "{path}");
        }
        for path in ["a.py", "testing.py", "pk/latest/a.py"] {
            assert!(!is_test(path), "{path}");
        }
    }
}
