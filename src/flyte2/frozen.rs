//! Attributes of images that code assigns to, which the SDK refuses.
//!
//! ```python
//! image.registry = "ghcr.io/acme"
//! ```
//!
//! # FM535
//!
//! ## What it does
//!
//! Speaks of an attribute of an image that code assigns to or deletes.
//!
//! ## Why
//!
//! An image never changes: the SDK raises `FrozenInstanceError`. Its methods and `clone` give another image.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12), name="train")
//! image.registry = "ghcr.io/acme"
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12), name="train")
//! image = image.clone(registry="ghcr.io/acme")
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Images in lists, dicts and classes, and those that only a function has a name for.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.

use rustpython_ast::{self as ast, Expr, Stmt};

use super::evaluate::{Evaluator, Place, Problem};
use super::read::binding_is_image;
use crate::project::FileId;
use crate::project::link::Target;
use crate::python::Ranged;
use crate::rules::codes::IMAGE_ATTRIBUTE;

/// What is wrong with what a statement assigns to or deletes.
pub(super) fn problems(evaluator: &Evaluator<'_>, file: FileId, stmt: &Stmt) -> Vec<Problem> {
    let targets: Vec<&Expr> = match stmt {
        Stmt::Assign(assign) => assign.targets.iter().collect(),
        Stmt::AnnAssign(ast::StmtAnnAssign { target, value: Some(_), .. }) => vec![target],
        Stmt::AugAssign(assign) => vec![&assign.target],
        Stmt::Delete(delete) => delete.targets.iter().collect(),
        _ => return Vec::new(),
    };
    let attributes = targets.into_iter().filter_map(|target| target.as_attribute_expr());
    attributes.filter_map(|attribute| problem(evaluator, file, attribute)).collect()
}

fn problem(evaluator: &Evaluator<'_>, file: FileId, attribute: &ast::ExprAttribute) -> Option<Problem> {
    let reference = evaluator.project.facts(file)?.reference_at(attribute.range)?;
    let targets = evaluator.project.resolve(file, reference);
    let is_of_image = |target: &Target| {
        matches!(target, Target::Binding(file, binding, rest)
            if rest.len() == 1 && binding_is_image(evaluator, *file, *binding, 0))
    };
    let name = attribute.attr.as_str();
    let help = match name {
        "name" | "registry" | "platform" | "python_version" | "extendable" | "base_image" => {
            format!("Make another image with `clone({name}=…)`")
        }
        _ => "Make another image with its methods".to_owned(),
    };
    (!targets.is_empty() && targets.iter().all(is_of_image)).then(|| Problem {
        rule: &IMAGE_ATTRIBUTE,
        place: Place { file, range: attribute.range() },
        message: format!("`{name}` of an image cannot be set"),
        help,
        is_refused: true,
    })
}
