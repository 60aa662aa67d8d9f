//! Everything that the planning must know of one file, owned. Most files need their syntax trees no longer then.

use rustc_hash::FxHashMap;

use super::body::{self, Body};
use super::symbol::{Symbol, is_flyte1_root};
use crate::python::module_path::ImportPath;
use crate::python::scope::{self, BindingKind, FunctionId, Module, Reference};
use crate::python::style::Style;
use crate::python::{Parsed, SyntaxError, Tree, TreeBudget, parse, parse_without};
use crate::source::TextRange;

/// The package of Flyte 2.
const FLYTE2: &str = "flyte";

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
    tree: Option<Parsed>,
}

impl FileFacts {
    /// Reads a file. `is_of_interest` tells which imports may lead to Flyte 1: flytekit's, union's, the project's own;
    /// `budget`, whether the tree of a file whose code is looked at again may be kept.
    ///
    /// # Errors
    /// [`SyntaxError`] if it does not parse.
    pub fn read(
        text: &str,
        is_of_interest: &dyn Fn(&ImportPath) -> bool,
        budget: &TreeBudget,
    ) -> Result<Self, SyntaxError> {
        let parsed = parse(text)?;
        let module = scope::analyze(&parsed, text, is_of_interest);
        let by_range = module.references.iter().enumerate().map(|(id, r)| (r.range, id)).collect();
        let style = Style::of(&parsed, text);
        let mut facts = Self { bodies: Vec::new(), style, module, by_range, tree: None };
        let functions = 0..facts.module.functions.len();
        let entities: Vec<bool> = functions.map(|function| facts.may_be_entity(function)).collect();
        let holds_entities = entities.contains(&true);
        facts.bodies = if holds_entities {
            let is_bound =
                |name: &str| facts.module.bindings.iter().any(|known| known.is_global && known.name == name);
            body::bodies(parsed.body(), &entities, &is_bound)
        } else {
            vec![Body::default(); entities.len()]
        };
        if (holds_entities || facts.imports_from(|root| root == FLYTE2)) && budget.take(text.len()) {
            facts.tree = Some(parsed);
        }
        Ok(facts)
    }

    /// Whether the file imports anything of Flyte 1 or 2 itself.
    pub fn imports_flyte(&self) -> bool {
        self.imports_from(|root| root == FLYTE2 || is_flyte1_root(root))
    }

    fn imports_from(&self, is_root: impl Fn(&str) -> bool) -> bool {
        let is_it = |path: &ImportPath| path.level == 0 && is_root(path.root());
        let mut bindings = self.module.bindings.iter();
        self.module.star_imports.iter().any(is_it)
            || bindings.any(|binding| matches!(&binding.kind, BindingKind::Import(path) if is_it(path)))
    }

    /// The tree of the file, whose text this is, or, where it was not kept, one in which the statements at `left_out`
    /// may be missing.
    ///
    /// # Errors
    /// None for a text that was read once; as [`parse`].
    pub fn tree<I: Iterator<Item = TextRange>>(
        &self,
        text: &str,
        left_out: impl FnOnce() -> I,
    ) -> Result<Tree<'_>, SyntaxError> {
        match &self.tree {
            Some(parsed) => Ok(Tree::Kept(parsed)),
            None => parse_without(text, left_out()).map(Tree::Made),
        }
    }

    /// Whether one of the decorators of a function may be Flyte's: it is imported from where it may come from, defined
    /// in the file, brought by a star, or a name of Flyte 1 that nothing binds.
    fn may_be_entity(&self, function: FunctionId) -> bool {
        let decorators = self.module.functions[function].decorators.iter();
        let mut references =
            decorators.filter_map(|decorator| self.reference_at(decorator.callee?)).map(|reference| {
                !reference.bindings.is_empty()
                    || !self.module.star_imports.is_empty()
                    || Symbol::entity_decorator(&reference.name).is_some()
            });
        references.any(|may_be| may_be)
    }

    /// The reference whose name and attributes stand exactly at `range`.
    pub fn reference_at(&self, range: TextRange) -> Option<&Reference> {
        self.by_range.get(&range).map(|&id| &self.module.references[id])
    }
}
