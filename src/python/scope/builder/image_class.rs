//! Classes that hold nothing but images and literals.
//!
//! ```python
//! class Images:
//!     REGISTRY = "ghcr.io/acme"
//!     base = ImageSpec(name="base", registry=REGISTRY)
//!     more = ImageSpec(name="more", base_image=base)      # on a sibling
//!     last = more.with_packages(["torch"])                # a sibling with something added
//! ```

use rustpython_text_size::Ranged;

use super::super::{BindingId, CallId, ImageClass};
use super::{Builder, ScopeKind};
use crate::python::ast::{self, Expr, Stmt};
use crate::python::scope::expressions::{chain_attributes, chain_root, method_chain};
use crate::python::value::Value;
use crate::source::TextRange;

impl<'a> Builder<'a> {
    /// A class that holds nothing but images and literals, each under a name of its own. Its calls are recorded from
    /// `first_call` on, its reads from `first_read` on.
    pub(super) fn image_class(
        &self,
        class: &'a ast::StmtClassDef,
        binding: BindingId,
        first_call: CallId,
        first_read: usize,
    ) -> Option<ImageClass> {
        let mut found = ImageClass { binding, names: Vec::new(), images: Vec::new(), bases: Vec::new() };
        let mut understood = Vec::new();
        for stmt in &class.body {
            let assign = match stmt {
                Stmt::Assign(assign) => assign,
                Stmt::Expr(docstring) if docstring.value.is_string_literal_expr() => continue,
                _ => return None,
            };
            let [Expr::Name(name)] = &assign.targets[..] else { return None };
            let mut calls = first_call..self.module.calls.len();
            let call = calls.find(|&call| self.module.calls[call].outer_range == assign.value.range());
            if let Some(call) = call {
                let base = self.base_in_class(&found, call, &assign.value);
                if base.is_none() && !self.can_be_filled(call, &assign.value) && !is_method(&assign.value) {
                    return None;
                }
                if let Some((base, place)) = base {
                    found.bases.push((call, base));
                    understood.push(place);
                }
                found.images.push((name.id.clone(), call));
            } else if !Value::of(&assign.value).is_literal() {
                return None;
            }
            if found.names.contains(&name.id) {
                return None;
            }
            found.names.push(name.id.clone());
        }
        // What else the class does with its images cannot be followed.
        let is_image = |name: &ast::ExprName| found.images.iter().any(|(image, _)| *image == name.id);
        let reads = self.raw[first_read..].iter().filter(|read| is_image(read.name));
        let is_followed = reads.into_iter().all(|read| understood.contains(&read.expr.range()));
        (!found.images.is_empty() && is_followed).then_some(found)
    }

    /// The image of the class that `call` makes another one of, and where it is read.
    fn base_in_class(&self, class: &ImageClass, call: CallId, value: &Expr) -> Option<(CallId, TextRange)> {
        let sibling =
            |name: &str| class.images.iter().find(|(image, _)| image == name).map(|(_, call)| *call);
        let recorded = &self.module.calls[call];
        let (first, _) = method_chain(value.as_call_expr()?)?;
        let root = chain_root(&first.func)?;
        if let Some(base) = sibling(&root.id) {
            return Some((base, first.func.range()));
        }
        let base = &recorded.keyword("base_image").filter(|_| self.can_be_filled(call, value))?.value;
        Some((sibling(&self.text[base.range])?, base.range))
    }

    /// Whether `func` is a method of a name of the class at hand, such as `base.with_packages`.
    pub(super) fn is_method_in_class(&self, func: &Expr) -> bool {
        let scope = &self.scopes[self.scope];
        let Expr::Attribute(method) = func else { return false };
        let Expr::Name(object) = &*method.value else { return false };
        scope.kind == ScopeKind::Class
            && scope.latest.contains_key(object.id.as_str())
            && method.attr.starts_with("with_")
    }
}

/// Whether a value may be another image with something added: `images.base.with_packages(["torch"])`.
fn is_method(value: &Expr) -> bool {
    let first = value.as_call_expr().and_then(method_chain);
    first.is_some_and(|(first, _)| {
        chain_attributes(&first.func).last().is_some_and(|name| name.starts_with("with_"))
    })
}
