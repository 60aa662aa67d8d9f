//! Names that get values.

use super::super::types::Shape;
use super::{Binder, FunctionIo, Tracked};
use crate::python::Ranged;
use crate::python::ast::{self, Expr, Stmt};
use crate::rules::Effect;
use crate::source::{TextRange, TextSize};

impl<'a> FunctionIo<'a, '_> {
    /// A parameter whose value is, or holds, a file, directory or frame.
    pub(super) fn parameter(&mut self, name: &'a ast::Identifier, shape: Shape, start: TextSize) {
        let is_rebound = self.bound_for_good.contains_key(name.as_str());
        if !shape.holds_io(self.cx.project) && shape.is_followed(self.cx.project) && !is_rebound {
            let binder = Binder::Nowhere;
            self.track(name, shape, binder);
        } else if shape.holds_io(self.cx.project) {
            if is_rebound {
                self.rebound(name.range, name.as_str());
            }
            self.track(name, shape, Binder::Before(start));
        }
    }

    /// A name gets a value.
    pub(super) fn assigned(&mut self, target: &'a Expr, value: &'a Expr, statement: &'a Stmt) {
        if target.is_attribute_expr() {
            let wanted = self.shape_of(target);
            return if wanted.holds_io(self.cx.project) {
                self.conform(value, &wanted);
            } else if self.shape_of(value).holds_io(self.cx.project) {
                self.untraceable(target);
            };
        }
        let shape = match (self.shape_of(value), target) {
            (Shape::Other, Expr::Name(name)) if value.is_list_expr() => {
                let appended = self.lists.get(name.id.as_str()).cloned().unwrap_or_default();
                self.shape_of_elements(appended.into_iter().map(|element| self.assigned_once(element)))
            }
            (Shape::Other, Expr::Name(name)) if value.is_dict_expr() => {
                let values = self.dicts.get(name.id.as_str()).cloned().unwrap_or_default();
                match self.shape_of_elements(values.into_iter().map(|value| self.assigned_once(value))) {
                    Shape::Many(inner) => Shape::Mapping(inner),
                    other => other,
                }
            }
            (shape, _) => shape,
        };
        self.named(target, shape, Binder::After(statement.end()));
    }

    /// The names in a target get values of these types.
    pub(super) fn named(&mut self, target: &'a Expr, shape: Shape, binder: Binder) {
        if !shape.is_followed(self.cx.project) {
            return;
        }
        let holds_io = shape.holds_io(self.cx.project);
        let id = match target {
            Expr::Name(name) => name.id.as_str(),
            Expr::Tuple(tuple) => {
                let elements = match &shape {
                    Shape::Many(inner) => vec![(**inner).clone(); tuple.elts.len()],
                    _ => self.elements_of(&shape),
                };
                if elements.len() == tuple.elts.len() {
                    let pairs = tuple.elts.iter().zip(elements);
                    return pairs.for_each(|(element, shape)| self.named(element, shape, binder));
                }
                if holds_io {
                    self.untraceable(target);
                }
                return;
            }
            _ if !holds_io || self.is_item_of_dict(target) => return,
            _ => return self.untraceable(target),
        };
        let times = self.bound_for_good.get(id).copied().unwrap_or_default();
        if !self.targets.insert(target.range()) {
            return;
        }
        if times == 1 && !self.annotated.contains_key(id) {
            self.track(id, shape, binder);
        } else if holds_io {
            self.shapes.entry(id).or_default().push(shape.clone());
            self.track(id, shape, Binder::Nowhere);
        }
    }

    /// The value of a name that gets it further down: what is put into a list is often named first.
    fn assigned_once(&self, expr: &'a Expr) -> &'a Expr {
        let Expr::Name(name) = expr else { return expr };
        let name = name.id.as_str();
        match self.paths.values(name) {
            [value] if self.bound.get(name) == Some(&1) && !self.tracked.contains_key(name) => value,
            _ => expr,
        }
    }

    /// `results[key]` of a dict that is followed with all that is put into it.
    pub(super) fn is_item_of_dict(&self, target: &Expr) -> bool {
        let dict = target.as_subscript_expr().and_then(|item| item.value.as_name_expr());
        dict.is_some_and(|dict| {
            let name = dict.id.as_str();
            let is_followed =
                self.tracked.get(name).is_some_and(|known| matches!(known.shape, Shape::Mapping(_)));
            is_followed && self.dicts.contains_key(name) && self.bound.get(name) == Some(&1)
        })
    }

    /// `for f in files:`, `for n, f in enumerate(files)`, `for key, f in files.items()`.
    pub(super) fn iterated(&mut self, target: &'a Expr, iterated: &'a Expr, binder: Binder) {
        let shape = self.element_of(iterated);
        self.named(target, shape, binder);
    }

    pub(super) fn track(&mut self, name: &str, shape: Shape, binder: Binder) {
        self.tracked.insert(
            name.to_owned(),
            Tracked { shape, binder, tries: self.tries, depth: self.depth, comprehension: None },
        );
    }

    pub(super) fn rebound(&mut self, range: TextRange, name: &str) {
        self.find(
            range,
            Effect::Blocking,
            format!("`{name}` is bound more than once; which value it has where cannot be told"),
            "Give each value a name of its own",
        );
    }
}
