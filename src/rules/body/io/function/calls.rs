//! What calls get, and whether what they call knows what that is.

use std::collections::HashSet;

use super::super::types::{Shape, is_derived, signature};
use super::{Binder, FunctionIo};
use crate::project::graph::EntityKind;
use crate::python::Ranged;
use crate::python::ast::{self, ArgOrKeyword, Expr};
use crate::rules::Effect;

impl<'a> FunctionIo<'a, '_> {
    /// A call of any kind: its arguments become what it takes.
    pub(super) fn call(&mut self, call: &'a ast::ExprCall) {
        if let Some(io) = self.constructed(call) {
            return self.construct(call, io);
        }
        let wanted = self.parameters(&call.func).or_else(|| self.parameters_of_maker(call));
        let wanted = wanted.or_else(|| self.parameters_of_copy(call));
        let mut given = HashSet::new();
        for (position, argument) in call.arguments.arguments_source_order().enumerate() {
            let place = match argument {
                ArgOrKeyword::Arg(value) if value.is_starred_expr() => None,
                ArgOrKeyword::Arg(_) => Some(position),
                ArgOrKeyword::Keyword(keyword) => {
                    let name = keyword.arg.as_ref().map(ast::Identifier::as_str);
                    let mut names = wanted.iter().flatten();
                    names.position(|(wanted, _)| Some(wanted.as_str()) == name)
                }
            };
            let parameter = place.and_then(|place| wanted.as_ref()?.get(place));
            if let Some((name, Some(shape))) = parameter {
                given.insert(name.as_str());
                self.conform(argument.value(), shape);
            }
            let shape = self.shape_of(argument.value());
            if shape.io().is_none() && shape.holds_io(self.cx.project) {
                let wanted = parameter.and_then(|(_, shape)| shape.as_ref());
                self.handed(argument.value(), &shape, call, wanted, place);
            }
        }
        if let Some(wanted) = &wanted {
            self.conform_spread(call, wanted.iter().filter(|(name, _)| !given.contains(name.as_str())));
        }
        self.sorted_by(call);
    }

    /// Something that holds files or frames is an argument of a call.
    fn handed(
        &mut self,
        value: &Expr,
        shape: &Shape,
        call: &ast::ExprCall,
        wanted: Option<&Shape>,
        place: Option<usize>,
    ) {
        let is_map = self.kind == Some(EntityKind::Dynamic) && call.func.is_call_expr();
        if self.is_workflow() || is_map || self.parameters_of_maker(call).is_some() {
            return;
        }
        let is_known = self.parameters(&call.func).is_some();
        let is_fine = match wanted {
            Some(wanted) if wanted.holds_io(self.cx.project) => self.is_taken_as(shape, wanted),
            _ if self.cx.callee(&call.func).is_some() => true,
            _ if is_known => self.is_left_alone(shape, &call.func, place),
            _ => self.keeps(call) || self.is_copy(call),
        };
        if !is_fine {
            let text = self.text(value.range());
            let callee = self.text(call.func.range());
            let (what, help) = if is_known {
                ("does not say what it takes", "Annotate its parameter with the type of the value")
            } else {
                ("cannot be followed", "Take what it needs out of the value first, and hand that over")
            };
            self.find(
                value.range(),
                Effect::Blocking,
                format!("`{text}` holds files or frames, and is handed to `{callee}`, which {what}"),
                help,
            );
        }
    }

    /// Whether a function that takes `wanted` knows what `given` holds.
    fn is_taken_as(&self, given: &Shape, wanted: &Shape) -> bool {
        match (given, wanted) {
            (Shape::Optional(given), wanted) => self.is_taken_as(given, wanted),
            (given, Shape::Optional(wanted)) => self.is_taken_as(given, wanted),
            (Shape::Many(given), Shape::Many(wanted)) | (Shape::Mapping(given), Shape::Mapping(wanted)) => {
                self.is_taken_as(given, wanted)
            }
            (Shape::Tuple(given), Shape::Many(wanted)) => {
                given.iter().all(|given| self.is_taken_as(given, wanted))
            }
            (Shape::Tuple(given), Shape::Tuple(wanted)) => {
                given.len() == wanted.len()
                    && given.iter().zip(wanted).all(|(given, wanted)| self.is_taken_as(given, wanted))
            }
            (Shape::Class(file, statement), Shape::Class(base_file, base)) => {
                is_derived(self.cx.project, (*file, *statement), (*base_file, *base))
            }
            _ => given == wanted || !given.holds_io(self.cx.project),
        }
    }

    /// Whether a plain function reads nothing of a parameter but fields that hold no files.
    fn is_left_alone(&self, given: &Shape, callee: &Expr, place: Option<usize>) -> bool {
        let (Shape::Class(file, statement), Some(Shape::Class(home, function)), Some(place)) =
            (given.clone().present(), self.definition(callee), place)
        else {
            return false;
        };
        let signature = signature(self.cx.project, home, function);
        let attributes = signature.and_then(|mut signature| signature.attributes.get_mut(place)?.take());
        let holds = |name: &String| self.of_attribute((file, statement), name).holds_io(self.cx.project);
        attributes.is_some_and(|attributes| !attributes.iter().any(holds))
    }

    /// Whether a call of something that is not the project's leaves what it gets as it is, or gives it back in a way
    /// that is followed.
    fn keeps(&self, call: &ast::ExprCall) -> bool {
        const BUILTINS: [&str; 20] = [
            "len",
            "dict",
            "enumerate",
            "zip",
            "sorted",
            "list",
            "tuple",
            "set",
            "reversed",
            "iter",
            "next",
            "min",
            "max",
            "isinstance",
            "print",
            "type",
            "id",
            "repr",
            "str",
            "bool",
        ];
        const OF_LOGGERS: [&str; 7] = ["debug", "info", "warning", "error", "exception", "critical", "log"];
        if let Some(name) = self.builtin(&call.func) {
            return BUILTINS.contains(&name);
        }
        match &*call.func {
            Expr::Attribute(method) if method.attr.as_str() == "append" => {
                matches!(self.shape_of(&method.value), Shape::Many(_))
            }
            Expr::Attribute(method) => OF_LOGGERS.contains(&method.attr.as_str()),
            _ => false,
        }
    }

    /// `sorted(laters, key=lambda later: later.n)`
    fn sorted_by(&mut self, call: &'a ast::ExprCall) {
        let (Some(first), Some(key)) = (call.arguments.args.first(), call.arguments.find_keyword("key"))
        else {
            return;
        };
        let element = self.element_of(first);
        if !element.holds_io(self.cx.project) {
            return;
        }
        let parameters = key.value.as_lambda_expr().and_then(|key| key.parameters.as_deref());
        let names: Vec<&'a ast::Identifier> = parameters
            .into_iter()
            .flat_map(ast::Parameters::iter_non_variadic_params)
            .map(ast::ParameterWithDefault::name)
            .collect();
        match names[..] {
            [name] if self.bound.get(name.as_str()) == Some(&1) => {
                self.track(name, element, Binder::Nowhere);
            }
            _ => self.unknown(&key.value),
        }
    }
}
