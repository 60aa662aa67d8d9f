//! Where Python looks for modules, and whether two of them have one name.
//!
//! ```python
//! sys.path.insert(0, str(Path(__file__).parent / "common"))
//! import settings    # common/settings.py, or the one beside this file
//! ```

use std::cell::{Cell, OnceCell};

use rustpython_ast::visitor::source_order::{self, SourceOrderVisitor};
use rustpython_ast::{Expr, Stmt};

use super::calls::call_at;
use super::constant::Constant;
use super::evaluate::{Evaluator, Place, Scope, absolute};
use super::replaced::is_test;
use crate::flyte1::file::FileFacts;
use crate::project::{FileId, Project};
use crate::python::Ranged;
use crate::python::module_path::ImportPath;
use crate::source::TextRange;

/// The folders that code adds to `sys.path`, from the root of the project; found out when they are first asked for.
#[derive(Debug, Default)]
pub(super) struct AddedFolders {
    /// `None` if they may be any.
    known: OnceCell<Option<Vec<String>>>,
    is_looking: Cell<bool>,
}

/// Where code changes `sys.path`: what is called, or assigned to.
pub(super) fn find(project: &Project) -> Vec<Place> {
    let named = project.parsed().filter(|&(file, _)| {
        let text = project.text(file);
        ["sys.path", "sys as", "from sys"].iter().any(|name| text.contains(name))
            && !is_test(&project.files[file].relative)
    });
    let places = named.flat_map(|(file, facts)| {
        let mut look = Look { facts, found: Vec::new() };
        if let Ok(tree) = facts.tree(project.text(file), std::iter::empty) {
            look.visit_body(tree.body());
        }
        look.found.into_iter().map(move |range| Place { file, range })
    });
    places.collect()
}

/// Looks for code that changes `sys.path`.
struct Look<'p> {
    facts: &'p FileFacts,
    found: Vec<TextRange>,
}

impl Look<'_> {
    /// Whether an expression is `sys.path`.
    fn is_path(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Attribute(attribute) if attribute.attr.as_str() == "path" => {
                attribute.value.as_name_expr().is_some_and(|name| self.is_imported(&name.id, None, "sys"))
            }
            Expr::Name(name) => self.is_imported(&name.id, Some("sys"), "path"),
            _ => false,
        }
    }

    /// Whether an import, of any scope, brings something under a name.
    fn is_imported(&self, name: &str, from: Option<&str>, what: &str) -> bool {
        let imports = self.facts.module.imports.iter();
        let mut aliases = imports
            .filter(|import| import.from.as_ref().map(|(_, module)| module.as_str()) == from)
            .flat_map(|import| &import.aliases);
        aliases.any(|alias| alias.name == what && alias.asname.as_deref().unwrap_or(what) == name)
    }

    fn store(&mut self, target: &Expr) {
        let stored = target.as_subscript_expr().map_or(target, |item| &item.value);
        // `path = …` gives the name to something else.
        if self.is_path(stored) && !target.is_name_expr() {
            self.found.push(target.range());
        }
    }
}

impl<'a> SourceOrderVisitor<'a> for Look<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Assign(assign) => assign.targets.iter().for_each(|target| self.store(target)),
            Stmt::AugAssign(assign) => self.store(&assign.target),
            _ => {}
        }
        source_order::walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr
            && let Expr::Attribute(function) = &*call.func
            && matches!(function.attr.as_str(), "insert" | "append" | "extend")
            && self.is_path(&function.value)
        {
            self.found.push(call.func.range());
        }
        source_order::walk_expr(self, expr);
    }
}

impl Evaluator<'_> {
    /// Whether an import may bring another module of the project than the one that it is resolved to: which one depends
    /// on the folder that a script is run from, or on the folders that code adds to the search.
    pub(super) fn may_be_other_module(&self, file: FileId, path: &ImportPath) -> bool {
        let index = &self.project.index;
        if path.level > 0 || !index.is_ambiguous(file, &path.module, None) {
            return false;
        }
        index.is_ambiguous(file, &path.module, Some(&[]))
            || self
                .added_folders()
                .is_none_or(|folders| index.is_ambiguous(file, &path.module, Some(folders)))
    }

    /// The folders that code adds to the search; `None` if they may be any.
    fn added_folders(&self) -> Option<&[String]> {
        if self.added.known.get().is_none() && self.added.is_looking.replace(true) {
            return None;
        }
        let look = || {
            let places = self.changes.added_paths().iter();
            places.map(|place| self.added_folder(*place)).collect::<Option<Vec<String>>>()
        };
        let folders = self.added.known.get_or_init(look).as_deref();
        self.added.is_looking.set(false);
        folders
    }

    /// The folder that a call of `sys.path.insert` or `.append` adds, from the root of the project.
    fn added_folder(&self, place: Place) -> Option<String> {
        let found = call_at(self, place)?;
        let method = found.call.func.as_attribute_expr()?.attr.as_str();
        let position = match method {
            "insert" => 1,
            "append" => 0,
            _ => return None,
        };
        let folder = found.call.arguments.args.get(position)?;
        let scope = Scope { file: place.file, frames: &found.frames };
        let Ok(Constant::Str(folder) | Constant::Path(folder)) = self.evaluate(scope, folder) else {
            return None;
        };
        if !folder.starts_with('/') && self.changes.moves() {
            return None;
        }
        let source = self.project.source(place.file)?.path.to_string_lossy();
        let root = source.strip_suffix(self.project.files[place.file].relative.as_str())?;
        let folder = absolute(&self.disk.cwd().to_string_lossy(), &folder);
        // What lies outside of the project holds none of its modules.
        Some(format!("{folder}/").strip_prefix(root).unwrap_or("..").trim_end_matches('/').to_owned())
    }
}
