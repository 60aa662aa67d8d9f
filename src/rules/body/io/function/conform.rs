//! Values where a certain type is wanted: a path that Flyte 1 takes for a file is made one.
//!
//! ```python
//! return "out.csv"        # return File.from_local_sync("out.csv")
//! ```

use super::super::early::is_written_behind;
use super::super::paths::Locality;
use super::super::types::{IoType, Shape};
use super::FunctionIo;
use crate::python::Ranged;
use crate::python::ast::visitor::source_order::SourceOrderVisitor;
use crate::python::ast::{self, Expr};
use crate::rules::Effect;

impl<'a> FunctionIo<'a, '_> {
    /// The default of a parameter, which is made when the module is loaded.
    pub(super) fn default(&mut self, default: &'a Expr, shape: &Shape) {
        let Some(io) = shape.io() else { return };
        match default {
            Expr::NoneLiteral(_) => {}
            Expr::Call(_) => self.visit_expr(default),
            Expr::StringLiteral(_) if self.paths.locality(default) == Locality::Remote => {
                self.make(default.range(), io, Locality::Remote);
            }
            _ => self.find(
                default.range(),
                Effect::Blocking,
                format!("the default of a parameter is no `{}` on Flyte 2", io.name()),
                "Hand the value over in the call, or name a file of an object store",
            ),
        }
    }

    /// Makes sure that an expression is a value of the type that is wanted at its place.
    pub(super) fn conform(&mut self, expr: &'a Expr, wanted: &Shape) {
        match (wanted, expr) {
            (_, Expr::If(choice)) => {
                self.conform(&choice.body, wanted);
                self.conform(&choice.orelse, wanted);
            }
            (_, Expr::Call(call)) if let Some(values) = self.conditional(call) => {
                values.into_iter().for_each(|value| self.conform(value, wanted));
            }
            (Shape::Optional(_), Expr::NoneLiteral(_)) => {}
            (Shape::Optional(inner), _) => self.conform(expr, inner),
            (Shape::Io(io), _) => self.conform_value(expr, *io),
            (Shape::Tuple(elements), Expr::Tuple(tuple)) if tuple.elts.len() == elements.len() => {
                let pairs = tuple.elts.iter().zip(elements);
                pairs.for_each(|(element, shape)| self.conform(element, shape));
            }
            (
                Shape::Many(inner),
                Expr::List(ast::ExprList { elts, .. }) | Expr::Tuple(ast::ExprTuple { elts, .. }),
            ) => {
                elts.iter().for_each(|element| self.conform(element, inner));
            }
            (Shape::Many(inner), Expr::ListComp(list)) => {
                self.open(list.range, &list.generators);
                self.conform(&list.elt, inner);
                self.scopes_around.close();
            }
            (Shape::Mapping(inner), Expr::Dict(dict)) => {
                dict.items.iter().for_each(|item| self.conform(&item.value, inner));
            }
            (Shape::Mapping(inner), Expr::DictComp(dict)) => {
                self.open(dict.range, &dict.generators);
                self.conform(&dict.value, inner);
                self.scopes_around.close();
            }
            (Shape::Class(..) | Shape::Tuple(_) | Shape::Many(_) | Shape::Mapping(_), _)
                if self.shape_of(expr).lacks_frames(wanted, self.cx.project) =>
            {
                self.unknown_frame(expr);
            }
            // What a class holds is looked at where it is made.
            (Shape::Class(..) | Shape::Pandas | Shape::Other, _) => {}
            _ if !wanted.holds_io(self.cx.project) => {}
            (Shape::Many(inner) | Shape::Mapping(inner), Expr::Name(name))
                if self.conform_filled(name.id.as_str(), inner) => {}
            _ if self.shape_of(expr) == *wanted => {}
            _ if self.is_promise(expr, wanted) => {}
            _ => self.unknown_elements(expr),
        }
    }

    fn conform_value(&mut self, expr: &'a Expr, io: IoType) {
        // What is put into a list is looked at with each use of that.
        if !self.conformed.insert(expr.range()) {
            return;
        }
        let known = self.shape_of(expr);
        match (io, expr) {
            (_, Expr::Name(name)) if let Some(times) = self.early.names.get_mut(name.id.as_str()) => {
                *times -= 1;
                self.make(expr.range(), io, Locality::Local);
            }
            _ if known.io() == Some(io) => {}
            (IoType::Frame, _) if known == Shape::Pandas => self.frame(expr),
            (_, Expr::NoneLiteral(_)) => {}
            (IoType::Frame, _) if self.is_flow() && self.is_result(expr, 0) => self.unknown_frame(expr),
            (IoType::Frame, Expr::Name(_)) if !self.is_workflow() => self.frame(expr),
            (IoType::Frame, Expr::Call(call)) if self.definition(&call.func).is_none() => self.frame(expr),
            (IoType::Frame, _) => self.unknown(expr),
            _ => match self.paths.locality(expr) {
                Locality::Unknown if self.is_promise(expr, &Shape::Io(io)) => {}
                Locality::Unknown => self.unknown(expr),
                locality => self.make(expr.range(), io, locality),
            },
        }
    }

    /// A frame of pandas where a `StructuredDataset` is wanted: Flyte 1 wrapped it.
    fn frame(&mut self, expr: &Expr) {
        self.make(expr.range(), IoType::Frame, Locality::Local);
    }

    /// What is put into a list or dict that begins in this function and only grows by `append` or by keys.
    fn conform_filled(&mut self, name: &str, inner: &Shape) -> bool {
        let elements = self.lists.get(name).or_else(|| self.dicts.get(name));
        let Some(elements) = elements.filter(|_| self.bound.get(name) == Some(&1)).cloned() else {
            return false;
        };
        for element in elements {
            if self.shape_of(element) == Shape::Other
                && inner.io().is_some()
                && is_written_behind(self.body, element)
            {
                let text = self.text(element.range());
                self.find(
                    element.range(),
                    Effect::Blocking,
                    format!("`{text}` is put into `{name}` before its file may be written; Flyte 2 uploads it here"),
                    "Put it in where its file is there",
                );
            }
            self.conform(element, inner);
        }
        true
    }

    /// What `*values` and `**values` hold reaches parameters that nothing else is given to.
    pub(super) fn conform_spread<'w>(
        &mut self,
        call: &'a ast::ExprCall,
        wanted: impl Iterator<Item = &'w (String, Option<Shape>)>,
    ) {
        let shapes = wanted.filter_map(|(_, shape)| shape.as_ref());
        let shapes: Vec<&Shape> = shapes.filter(|shape| shape.holds_io(self.cx.project)).collect();
        let positional = call.arguments.args.iter().filter_map(Expr::as_starred_expr);
        let keywords = call.arguments.keywords.iter().filter(|keyword| keyword.arg.is_none());
        let spread = positional.map(|starred| &*starred.value).chain(keywords.map(|keyword| &keyword.value));
        for expr in spread {
            let given = self.shape_of(expr);
            for wanted in &shapes {
                let is_same = match &given {
                    Shape::Many(inner) | Shape::Mapping(inner) => **inner == **wanted,
                    _ => false,
                };
                if !is_same && wanted.holds_frames(self.cx.project) {
                    self.unknown_frame(expr);
                } else if !is_same && !self.is_promise(expr, wanted) {
                    self.unknown_elements(expr);
                }
            }
        }
    }

    pub(super) fn unknown(&mut self, expr: &Expr) {
        let text = self.text(expr.range());
        self.find(
            expr.range(),
            Effect::Blocking,
            format!("`{text}` may be a path here, which Flyte 2 takes for no file"),
            "Make it a `FlyteFile`, `FlyteDirectory` or `StructuredDataset`, so that this can be seen",
        );
    }

    /// A list, dict, tuple or spread of which that cannot be told: Flyte 1 took the paths in it for files too.
    fn unknown_elements(&mut self, expr: &Expr) {
        let text = self.text(expr.range());
        self.find(
            expr.range(),
            Effect::Blocking,
            format!("`{text}` may hold paths here, which Flyte 2 takes for no files"),
            "Put `FlyteFile(…)` or `FlyteDirectory(…)` around each path, in a list or dict that is made and filled in this function",
        );
    }

    /// A place that gets what holds files, where it is not followed.
    pub(super) fn untraceable(&mut self, target: &Expr) {
        let text = self.text(target.range());
        self.find(
            target.range(),
            Effect::Blocking,
            format!("`{text}` gets a value here that is, or holds, a file or frame, and cannot be followed"),
            "Give the value a name of its own, and use it by that",
        );
    }

    fn unknown_frame(&mut self, expr: &Expr) {
        let text = self.text(expr.range());
        self.find(
            expr.range(),
            Effect::Blocking,
            format!("`{text}` may be a frame of pandas here, which Flyte 2 takes for no `DataFrame`"),
            "Give the task that makes it and the one that takes it the same type",
        );
    }
}
