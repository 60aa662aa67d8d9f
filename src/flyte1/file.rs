//! Everything that the planning must know of one file, owned; the syntax tree is gone by then.

use rustc_hash::FxHashMap;

use super::body::{self, Body};
use super::symbol::symbol;
use crate::python::module_path::ImportPath;
use crate::python::scope::{self, FunctionId, Module, Reference};
use crate::python::style::Style;
use crate::python::{SyntaxError, parse};
use crate::source::TextRange;

/// The facts of one file.
#[derive(Debug)]
pub struct FileFacts {
    /// Names, imports, calls, functions.
    pub module: Module,
    /// The bodies of `module.functions`, in the same order.
    pub bodies: Vec<Body>,
    /// How the user writes.
    pub style: Style,
    by_range: FxHashMap<TextRange, usize>,
}

impl FileFacts {
    /// Reads a file. `is_of_interest` tells which imports may lead to Flyte 1: flytekit's, union's, the project's own.
    ///
    /// # Errors
    /// [`SyntaxError`] if it does not parse.
    pub fn read(text: &str, is_of_interest: &dyn Fn(&ImportPath) -> bool) -> Result<Self, SyntaxError> {
        let parsed = parse(text)?;
        let module = scope::analyze(&parsed, text, is_of_interest);
        let by_range = module.references.iter().enumerate().map(|(id, r)| (r.range, id)).collect();
        let mut facts = Self { bodies: Vec::new(), style: Style::of(&parsed, text), module, by_range };
        facts.bodies = body::bodies(parsed.body(), &|function| facts.may_be_entity(function));
        Ok(facts)
    }

    /// Whether one of the decorators of a function may be Flyte's: it is imported from where it may come from, defined
    /// in the file, brought by a star, or a name of Flyte 1 that nothing binds.
    fn may_be_entity(&self, function: FunctionId) -> bool {
        let decorators = self.module.functions[function].decorators.iter();
        let mut references =
            decorators.filter_map(|decorator| self.reference_at(decorator.callee?)).map(|reference| {
                let symbol = || symbol(&format!("flytekit.{}", reference.name));
                !reference.bindings.is_empty()
                    || !self.module.star_imports.is_empty()
                    || symbol().is_some_and(|symbol| symbol.is_entity_decorator())
            });
        references.any(|may_be| may_be)
    }

    /// The reference whose name and attributes stand exactly at `range`.
    pub fn reference_at(&self, range: TextRange) -> Option<&Reference> {
        self.by_range.get(&range).map(|&id| &self.module.references[id])
    }
}
