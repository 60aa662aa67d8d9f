//! What the code around a value does with it: whether it wants the path, the value, or something else.

use super::super::paths::dotted;
use super::super::types::{IoType, Shape};
use super::{FunctionIo, Parent, Tracked};
use crate::edit::Edit;
use crate::project::graph::EntityKind;
use crate::python::Ranged;
use crate::python::ast::{self, ArgOrKeyword, Expr, Operator, Stmt};
use crate::rules::Effect;

/// What a call does with a value that it gets.
pub(super) enum Callee {
    /// Nothing that differs.
    Keeps,
    /// It takes a path.
    Reads,
    /// That cannot be told.
    Unknown,
}

impl<'a> FunctionIo<'a, '_> {
    /// A value of one of the types, and what the code around it does with it.
    pub(super) fn value(&mut self, expr: &'a Expr, io: IoType, may_be_none: bool) {
        let parent = self.parents.last().copied();
        let outer = self.parents.len().checked_sub(2).map(|at| self.parents[at]);
        match parent {
            Some(Parent::Expr(Expr::Attribute(attribute))) => self.attribute(expr, io, attribute, outer),
            Some(Parent::Expr(Expr::Call(call))) => self.argument(expr, io, call, may_be_none),
            Some(Parent::Expr(Expr::FString(_))) if io != IoType::Frame => {
                self.path(expr.range(), expr, may_be_none);
            }
            Some(Parent::Expr(Expr::BinOp(binary)))
                if io == IoType::Dir && binary.op == Operator::Div && binary.left.range() == expr.range() =>
            {
                self.path(expr.range(), expr, may_be_none);
                if let Some(last) = self.uses.last_mut() {
                    last.as_path = true;
                }
            }
            // The order of tasks: `a >> b` uses no value.
            Some(Parent::Expr(Expr::BinOp(order))) if order.op == Operator::RShift && self.is_flow() => {}
            Some(Parent::Expr(Expr::Compare(compare)))
                if compare.comparators.iter().all(Expr::is_none_literal_expr) => {}
            // Truth of a value, a value chosen, handed on as it is.
            Some(Parent::Expr(Expr::If(choice))) if choice.test.range() == expr.range() => {}
            Some(Parent::Expr(around)) if hands_on(around) && self.is_handed_on() => {}
            Some(Parent::Stmt(
                Stmt::Return(_) | Stmt::If(_) | Stmt::While(_) | Stmt::Assert(_) | Stmt::Expr(_),
            )) => {}
            Some(Parent::Stmt(Stmt::Assign(_) | Stmt::AnnAssign(_))) if self.is_workflow() => {}
            // `f = files[key]`: what is taken out of something is followed under its name.
            Some(Parent::Stmt(statement)) if !expr.is_name_expr() && self.is_named(statement) => {}
            Some(Parent::Stmt(Stmt::Assign(assign)))
                if assign.targets.iter().all(|item| self.is_item_of_dict(item)) => {}
            _ => {
                let text = self.text(expr.range());
                self.find(
                    expr.range(),
                    Effect::Blocking,
                    format!("`{text}` is used here in a way that cannot be followed"),
                    "Use the value by its own name: download it, open it, return it or hand it to a task",
                );
            }
        }
    }

    /// Whether a value in a display, choice or condition ends in a `return`, a condition, or a call of a task.
    fn is_handed_on(&self) -> bool {
        for parent in self.parents.iter().rev() {
            match parent {
                Parent::Expr(around) if hands_on(around) => {}
                Parent::Expr(Expr::Call(call)) => return self.parameters(&call.func).is_some(),
                Parent::Stmt(Stmt::Return(_) | Stmt::If(_) | Stmt::While(_) | Stmt::Assert(_)) => {
                    return true;
                }
                Parent::Stmt(statement) if self.is_named(statement) => return true,
                _ => return self.is_workflow(),
            }
        }
        false
    }

    /// Whether a statement gives a name to a value, which is followed under that name.
    fn is_named(&self, statement: &Stmt) -> bool {
        let target = match statement {
            Stmt::Assign(assign) => assign.targets.first().filter(|_| assign.targets.len() == 1),
            Stmt::AnnAssign(assign) => Some(&*assign.target),
            _ => None,
        };
        matches!(target, Some(Expr::Name(name))
            if self.bound_for_good.get(name.id.as_str()) == Some(&1) && self.tracked.contains_key(name.id.as_str()))
    }

    fn attribute(
        &mut self,
        expr: &'a Expr,
        io: IoType,
        attribute: &'a ast::ExprAttribute,
        outer: Option<Parent<'a>>,
    ) {
        let call = match outer {
            Some(Parent::Expr(Expr::Call(call))) if call.func.range() == attribute.range => Some(call),
            _ => None,
        };
        match (io, attribute.attr.as_str(), call) {
            (IoType::File | IoType::Dir, "download", Some(call)) if call.arguments.is_empty() => {
                self.path(call.range, expr, false);
            }
            (IoType::File | IoType::Dir, "path", None) => self.path(attribute.range, expr, false),
            (IoType::File | IoType::Dir, "remote_source", None) => {
                self.outcome.edits.push(Edit::replacement(attribute.attr.range, "path"));
            }
            (IoType::File, "open", Some(call)) if self.is_read_in_with(call) => {
                self.outcome.edits.push(Edit::replacement(attribute.attr.range, "open_sync"));
            }
            (IoType::Frame, "open", Some(_)) => self.opened(expr, attribute),
            _ => {
                let text = self.text(attribute.range);
                self.find(
                    attribute.range,
                    Effect::Blocking,
                    format!("`{text}` has no counterpart on Flyte 2, or one that differs"),
                    "Migrate this line by hand; `download_sync`, `open_sync` and `path` are what `flyte.io` has",
                );
            }
        }
    }

    /// `with f.open("r") as fh:` in a function that is not `async`.
    pub(super) fn is_read_in_with(&self, call: &ast::ExprCall) -> bool {
        let mode = call.arguments.find_argument_value("mode", 0).and_then(Expr::as_string_literal_expr);
        let is_read = mode.is_some_and(|mode| matches!(mode.value.to_str(), "r" | "rb" | "rt"));
        let statement = self.parents.iter().rev().find_map(|parent| match parent {
            Parent::Stmt(statement) => Some(*statement),
            Parent::Expr(_) => None,
        });
        let is_in_with = statement.is_some_and(|statement| match statement {
            Stmt::With(with) => with.items.iter().any(|item| item.context_expr.range() == call.range),
            _ => false,
        });
        is_read && is_in_with && !self.is_async
    }

    /// `frame.open(T).all()`
    fn opened(&mut self, expr: &'a Expr, attribute: &'a ast::ExprAttribute) {
        let parents: Vec<Parent<'a>> = self.parents.iter().rev().skip(2).take(2).copied().collect();
        if let [Parent::Expr(Expr::Attribute(all)), Parent::Expr(Expr::Call(call))] = parents[..]
            && all.attr.as_str() == "all"
            && call.func.range() == all.range
            && call.arguments.is_empty()
        {
            if self.is_outside {
                let text = self.text(expr.range());
                self.find(
                    attribute.range,
                    Effect::Unsafe,
                    format!("`{text}` is opened outside of a run, which Flyte 2 refuses"),
                    "Open it in a task, and give back what is wanted of it",
                );
            }
            if self.is_async && self.scopes == 0 {
                self.outcome.edits.push(Edit::insertion(call.range.start(), "(await "));
                self.outcome.edits.push(Edit::insertion(call.range.end(), ")"));
            } else {
                self.outcome.edits.push(Edit::replacement(all.attr.range, "all_sync"));
            }
            return;
        }
        let text = self.text(expr.range());
        self.find(
            attribute.range,
            Effect::Blocking,
            format!("`{text}` is opened and not read at once with `.all()`"),
            "Read it with `.open(T).all_sync()`; there is no other way on Flyte 2 outside of `async` code",
        );
    }

    /// Whether the code around a call of a plain function, a method or a constructor does something with what that
    /// gives.
    pub(super) fn is_used_at_once(&self, call: &ast::ExprCall) -> bool {
        let is_made = self.constructed(call).is_some()
            || self.definition(&call.func).is_some()
            || !self.is_workflow() && self.cx.entity(&call.func).is_some();
        let is_method = matches!(&*call.func, Expr::Attribute(method)
            if matches!(self.shape_of(&method.value).present(), Shape::Class(..) | Shape::Many(_) | Shape::Mapping(_)))
            && self.conditional(call).is_none();
        let is_used = match self.parents.last() {
            Some(Parent::Expr(Expr::Attribute(_) | Expr::FString(_) | Expr::BinOp(_))) => true,
            Some(Parent::Expr(Expr::Call(outer))) => outer.func.range() != call.range,
            _ => false,
        };
        is_used && (is_made || is_method)
    }

    /// A value that is an argument of a call.
    fn argument(&mut self, expr: &'a Expr, io: IoType, call: &'a ast::ExprCall, may_be_none: bool) {
        // What a workflow hands to what is no task is looked at elsewhere; a map is no plain call.
        let is_map = self.kind == Some(EntityKind::Dynamic) && call.func.is_call_expr();
        if self.is_workflow() || is_map {
            return;
        }
        if self.constructed(call).is_some() {
            self.find(
                expr.range(),
                Effect::Blocking,
                "a value is made of another one here",
                "Use the first one",
            );
            return;
        }
        if let Some(parameters) = self.parameters(&call.func) {
            let arguments = call.arguments.arguments_source_order().enumerate();
            let taken = arguments.filter(|(_, argument)| argument.value().range() == expr.range());
            let wanted = taken.filter_map(|(position, argument)| match argument {
                ArgOrKeyword::Arg(_) => parameters.get(position),
                ArgOrKeyword::Keyword(keyword) => {
                    let name = keyword.arg.as_ref().map(ast::Identifier::as_str);
                    parameters.iter().find(|(wanted, _)| Some(wanted.as_str()) == name)
                }
            });
            match wanted.map(|(_, shape)| shape).next() {
                Some(Some(shape)) if shape.holds_io(self.cx.project) => return,
                Some(Some(_)) if self.cx.entity(&call.func).is_some() => return,
                Some(Some(_)) if io != IoType::Frame => return self.path(expr.range(), expr, may_be_none),
                _ => {
                    let text = self.text(expr.range());
                    let callee = self.text(call.func.range());
                    return self.find(
                        expr.range(),
                        Effect::Blocking,
                        format!("`{text}` is handed to `{callee}`, which does not say what it takes"),
                        "Annotate its parameter with the type, or with `str` if it takes a path",
                    );
                }
            }
        }
        match self.callee(call) {
            Callee::Keeps => {}
            Callee::Reads if io != IoType::Frame => self.path(expr.range(), expr, may_be_none),
            _ => {
                let text = self.text(expr.range());
                let callee = self.text(call.func.range());
                self.find(
                    expr.range(),
                    Effect::Blocking,
                    format!("`{text}` is handed to `{callee}`; whether that takes a path cannot be told"),
                    "Hand over the path: `download_sync()` gives it",
                );
            }
        }
    }

    /// Whether a call of something that is not the project's takes a path.
    pub(super) fn takes_a_path(&self, call: &ast::ExprCall) -> bool {
        self.parameters(&call.func).is_none() && matches!(self.callee(call), Callee::Reads)
    }

    /// What a call of something that is not the project's does with a value.
    pub(super) fn callee(&self, call: &ast::ExprCall) -> Callee {
        let Some((root, path)) = dotted(&call.func) else { return Callee::Unknown };
        let is_plain_name = root == path;
        if self.cx.symbol(&call.func).is_some() {
            return Callee::Unknown;
        }
        if is_plain_name && !self.cx.facts.module.bindings.iter().any(|binding| binding.name == root) {
            let is_local = self.bound.contains_key(root) || self.annotated.contains_key(root);
            return match root {
                _ if is_local => Callee::Unknown,
                "isinstance" | "type" | "id" | "bool" => Callee::Keeps,
                "open" | "str" | "print" => Callee::Reads,
                _ => Callee::Unknown,
            };
        }
        match self.paths.library(root).as_deref() {
            Some("functools" | "asyncio" | "flyte") => return Callee::Unknown,
            Some(_) => return Callee::Reads,
            None => {}
        }
        // A method of an object of the function: it reads, unless it stores what it gets.
        let method = path.rsplit('.').next().unwrap_or_default();
        let stores = ["append", "add", "insert", "extend", "update", "setdefault", "put", "send", "write"];
        if method == "append" && matches!(self.known(root), Some(Tracked { shape: Shape::Many(_), .. })) {
            return Callee::Keeps;
        }
        let is_of_project =
            |value: &&Expr| value.as_call_expr().is_some_and(|call| self.definition(&call.func).is_some());
        let is_object = (self.bound.contains_key(root) || self.annotated.contains_key(root))
            && !self.paths.values(root).iter().any(is_of_project);
        if !is_plain_name && is_object && !stores.contains(&method) { Callee::Reads } else { Callee::Unknown }
    }

    /// A list, dict, tuple or class that holds values, used as a whole.
    pub(super) fn container(&mut self, expr: &'a Expr, shape: &Shape) {
        let parent = self.parents.last().copied();
        let is_class = matches!(shape.clone().present(), Shape::Class(..));
        let is_fine = match parent {
            Some(Parent::Expr(Expr::Attribute(attribute))) => match shape.clone().present() {
                Shape::Class(..) => !matches!(attribute.attr.as_str(), "__dict__" | "_asdict"),
                Shape::Many(_) => matches!(attribute.attr.as_str(), "append" | "pop" | "copy"),
                Shape::Mapping(_) => {
                    matches!(attribute.attr.as_str(), "values" | "items" | "keys" | "get" | "pop" | "copy")
                }
                _ => false,
            },
            // That is looked at with the call.
            Some(Parent::Expr(Expr::Call(_))) => true,
            Some(Parent::Expr(Expr::Subscript(subscript))) => subscript.value.range() == expr.range(),
            Some(Parent::Expr(Expr::Yield(_) | Expr::YieldFrom(_))) => {
                self.returns.as_ref().is_some_and(|returns| returns.holds_io(self.cx.project))
            }
            Some(Parent::Expr(Expr::Starred(_)) | Parent::Stmt(Stmt::Match(_))) => false,
            Some(Parent::Stmt(statement)) if !expr.is_name_expr() && self.is_named(statement) => true,
            // A named tuple, of which each element is another.
            Some(Parent::Stmt(Stmt::For(_))) if is_class => false,
            Some(Parent::Expr(
                Expr::ListComp(ast::ExprListComp { generators, .. })
                | Expr::SetComp(ast::ExprSetComp { generators, .. })
                | Expr::Generator(ast::ExprGenerator { generators, .. })
                | Expr::DictComp(ast::ExprDictComp { generators, .. }),
            )) => {
                let mut iterated = generators.iter().map(|generator| generator.iter.range());
                !is_class || iterated.all(|iterated| iterated != expr.range())
            }
            Some(Parent::Expr(Expr::Compare(_) | Expr::UnaryOp(_))) => true,
            Some(Parent::Expr(Expr::If(choice))) if choice.test.range() == expr.range() => true,
            Some(Parent::Stmt(Stmt::For(_) | Stmt::Return(_) | Stmt::If(_))) => true,
            _ => is_class || self.is_handed_on(),
        };
        if !is_fine && !self.is_workflow() {
            let text = self.text(expr.range());
            self.find(
                expr.range(),
                Effect::Blocking,
                format!("`{text}` holds files or frames, and is used here in a way that cannot be followed"),
                "Loop over it, take one value out of it, return it or hand it to a task",
            );
        }
    }
}

/// Whether an expression gives what stands in it on: the truth of a value, a choice, a display.
fn hands_on(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::UnaryOp(_)
            | Expr::BoolOp(_)
            | Expr::If(_)
            | Expr::List(_)
            | Expr::Tuple(_)
            | Expr::Dict(_)
            | Expr::Await(_)
            | Expr::ListComp(_)
            | Expr::DictComp(_)
    )
}
