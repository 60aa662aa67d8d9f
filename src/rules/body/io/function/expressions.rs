//! What the expressions of a function are, as far as files, directories and frames go.

use super::super::types::{IoType, Shape, fields, made, returned_by_method, shape, signature};
use super::FunctionIo;
use crate::project::FileId;
use crate::project::graph::NodeId;
use crate::project::link::Target;
use crate::python::ast::{self, Expr};
use crate::python::scope::{BindingId, BindingKind, StatementId};

impl FunctionIo<'_, '_> {
    /// The type of an expression, as far as it matters.
    pub(super) fn shape_of(&self, expr: &Expr) -> Shape {
        match expr {
            Expr::Name(name) => match self.known(name.id.as_str()) {
                Some(known) => known.shape,
                None if self.scopes_around.has(name.id.as_str()) => Shape::Other,
                None => self.global(expr),
            },
            Expr::List(ast::ExprList { elts, .. }) => self.shape_of_elements(elts.iter()),
            Expr::Tuple(tuple) => {
                Shape::Tuple(tuple.elts.iter().map(|element| self.shape_of(element)).collect())
            }
            Expr::ListComp(ast::ExprListComp { elt: value, generators, range, .. })
            | Expr::SetComp(ast::ExprSetComp { elt: value, generators, range, .. })
            | Expr::Generator(ast::ExprGenerator { elt: value, generators, range, .. })
            | Expr::DictComp(ast::ExprDictComp { value, generators, range, .. }) => {
                self.open(*range, generators);
                let shape = self.shape_of_elements(std::iter::once(&**value));
                self.scopes_around.close();
                match shape {
                    Shape::Many(inner) if expr.is_dict_comp_expr() => Shape::Mapping(inner),
                    shape => shape,
                }
            }
            Expr::Named(named) => self.shape_of(&named.value),
            Expr::Dict(dict) => match self.shape_of_elements(dict.items.iter().map(|item| &item.value)) {
                Shape::Many(inner) => Shape::Mapping(inner),
                other => other,
            },
            Expr::If(choice) => self.shape_of_choice([&*choice.body, &*choice.orelse]),
            Expr::BoolOp(operation) => self.shape_of_choice(&operation.values),
            Expr::Await(awaited) => self.shape_of(&awaited.value),
            Expr::Attribute(attribute) => match self.shape_of(&attribute.value).present() {
                Shape::Tuple(elements) => {
                    let at =
                        attribute.attr.as_str().strip_prefix('o').and_then(|at| at.parse::<usize>().ok());
                    at.and_then(|at| elements.get(at).cloned()).unwrap_or(Shape::Other)
                }
                // The only output: `node.o0`
                only @ (Shape::Io(_) | Shape::Pandas | Shape::Many(_) | Shape::Mapping(_))
                    if attribute.attr.as_str() == "o0" =>
                {
                    only
                }
                Shape::Class(file, statement) => {
                    self.of_attribute((file, statement), attribute.attr.as_str())
                }
                _ => Shape::Other,
            },
            Expr::Subscript(subscript) => {
                let is_slice = subscript.slice.is_slice_expr();
                match (self.shape_of(&subscript.value).present(), &*subscript.slice) {
                    (many @ Shape::Many(_), _) if is_slice => many,
                    (Shape::Many(inner) | Shape::Mapping(inner), _) => *inner,
                    (
                        elements @ (Shape::Tuple(_) | Shape::Class(..)),
                        Expr::NumberLiteral(ast::ExprNumberLiteral { value: ast::Number::Int(at), .. }),
                    ) => {
                        let elements = self.elements_of(&elements);
                        at.as_usize().and_then(|at| elements.get(at).cloned()).unwrap_or(Shape::Other)
                    }
                    _ => Shape::Other,
                }
            }
            Expr::Call(call) => self.result_of(call),
            _ => Shape::Other,
        }
    }

    /// The types of the elements of a tuple, named or not.
    pub(super) fn elements_of(&self, shape: &Shape) -> Vec<Shape> {
        match shape {
            Shape::Tuple(elements) => elements.clone(),
            Shape::Class(file, statement) => {
                let fields = fields(self.cx.project, *file, *statement);
                fields.into_iter().map(|(_, shape)| shape).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The type of a field or property of a class.
    pub(super) fn of_attribute(&self, class: (FileId, StatementId), name: &str) -> Shape {
        let fields = fields(self.cx.project, class.0, class.1);
        let field = fields.into_iter().find(|(field, _)| field == name).map(|(_, shape)| shape);
        field.or_else(|| returned_by_method(self.cx.project, class, name, true)).unwrap_or(Shape::Other)
    }

    /// Elements of several types are none that can be told, but where one of them is followed for certain.
    pub(super) fn shape_of_elements<'e>(&self, elements: impl IntoIterator<Item = &'e Expr>) -> Shape {
        match self.shape_of_choice(elements) {
            Shape::Other => Shape::Other,
            known => Shape::Many(Box::new(known)),
        }
    }

    /// The type of one of several values.
    fn shape_of_choice<'e>(&self, values: impl IntoIterator<Item = &'e Expr>) -> Shape {
        let shapes: Vec<Shape> = values.into_iter().map(|value| self.shape_of(value)).collect();
        let is_pandas =
            |shape: &&Shape| shape.is_followed(self.cx.project) && !shape.holds_io(self.cx.project);
        if shapes.iter().any(|shape| is_pandas(&shape)) && !shapes.iter().all(|shape| *shape == shapes[0]) {
            return Shape::Other;
        }
        let known = shapes.into_iter().find(|shape| shape.is_followed(self.cx.project));
        known.unwrap_or(Shape::Other)
    }

    /// A name of a module that holds a value: `DATA = FlyteFile("s3://…")`.
    fn global(&self, expr: &Expr) -> Shape {
        let Some(reference) = self.cx.reference(expr) else { return Shape::Other };
        let targets = self.cx.project.resolve(self.cx.file, reference);
        let known = targets.iter().find_map(|target| {
            let Target::Binding(file, binding, rest) = target else { return None };
            let module = &self.cx.project.facts(*file).filter(|_| rest.is_empty())?.module;
            made(self.cx.project, *file, module.bindings[*binding].owner)
        });
        known.unwrap_or(Shape::Other)
    }

    fn result_of(&self, call: &ast::ExprCall) -> Shape {
        if let Some(io) = self.constructed(call) {
            return Shape::Io(io);
        }
        if let Some(entity) = self.cx.entity(&call.func) {
            return self.returned_by(entity);
        }
        if let Some((_, plan)) = self.cx.plan(&call.func) {
            return self.returned_by(plan.workflow);
        }
        if let Expr::Call(map) = &*call.func {
            let task = self.mapped(map).and_then(|task| self.cx.entity(task));
            return task.map_or(Shape::Other, |task| Shape::Many(Box::new(self.returned_by(task))));
        }
        if self.cx.is_flyte1(&call.func, "create_node") {
            let entity = call.arguments.args.first().and_then(|entity| self.cx.entity(entity));
            return entity.map_or(Shape::Other, |entity| self.returned_by(entity));
        }
        if let Some(values) = self.conditional(call) {
            return self.shape_of_choice(values);
        }
        if let Expr::Attribute(method) = &*call.func
            && method.attr.as_str() == "with_overrides"
        {
            return self.shape_of(&method.value);
        }
        if let Expr::Attribute(method) = &*call.func {
            let class = self.class_of(&call.func).map(|(file, statement)| Shape::Class(file, statement));
            let known = class.unwrap_or_else(|| self.shape_of(&method.value).present());
            if known != Shape::Other {
                return self.result_of_method(&known, method.attr.as_str());
            }
        }
        if let Some(shape) = self.result_of_library(call) {
            return shape;
        }
        match self.definition(&call.func) {
            Some(class @ Shape::Class(file, statement)) => {
                match signature(self.cx.project, file, statement) {
                    Some(signature) => signature.returns.unwrap_or(Shape::Other),
                    None => class,
                }
            }
            _ => Shape::Other,
        }
    }

    /// The class of the project whose method an expression names: `later.text`, `Later.of`.
    pub(super) fn class_of(&self, callee: &Expr) -> Option<(FileId, StatementId)> {
        let Expr::Attribute(method) = callee else { return None };
        let named = self.cx.reference(callee).map(|name| self.cx.project.resolve(self.cx.file, name));
        let class = match named {
            Some([Target::Binding(file, binding, rest)]) if rest.len() == 1 => {
                self.class_or_function(*file, *binding)?
            }
            _ => self.definition(&method.value).unwrap_or_else(|| self.shape_of(&method.value).present()),
        };
        match class {
            Shape::Class(file, statement) if signature(self.cx.project, file, statement).is_none() => {
                Some((file, statement))
            }
            _ => None,
        }
    }

    fn result_of_method(&self, of: &Shape, method: &str) -> Shape {
        match (of, method) {
            (Shape::Mapping(inner), "values") => Shape::Many(inner.clone()),
            (Shape::Mapping(inner), "items") => {
                Shape::Many(Box::new(Shape::Tuple(vec![Shape::Other, (**inner).clone()])))
            }
            (Shape::Mapping(inner), "get" | "pop") => Shape::Optional(inner.clone()),
            (Shape::Many(inner), "pop") => (**inner).clone(),
            (Shape::Many(_) | Shape::Mapping(_), "copy") => of.clone(),
            (Shape::Class(_, _), "_replace") => of.clone(),
            (Shape::Class(file, statement), _) => {
                let returned = returned_by_method(self.cx.project, (*file, *statement), method, false);
                returned.unwrap_or(Shape::Other)
            }
            _ => Shape::Other,
        }
    }

    /// What builtins and copies make of values: `zip(names, files)`, `dataclasses.replace(later, n=2)`.
    fn result_of_library(&self, call: &ast::ExprCall) -> Option<Shape> {
        let first = call.arguments.args.first()?;
        if self.is_copy(call) {
            return Some(self.shape_of(first));
        }
        let many = |inner: Shape| Shape::Many(Box::new(inner));
        match self.builtin(&call.func)? {
            "list" | "tuple" | "set" | "sorted" | "reversed" | "iter" => Some(many(self.element_of(first))),
            "next" | "min" | "max" => Some(self.element_of(first)),
            "dict" => match (self.shape_of(first).present(), self.element_of(first)) {
                (mapping @ Shape::Mapping(_), _) => Some(mapping),
                (_, Shape::Tuple(pair)) => Some(Shape::Mapping(Box::new(pair.into_iter().nth(1)?))),
                _ => None,
            },
            "enumerate" => Some(many(Shape::Tuple(vec![Shape::Other, self.element_of(first)]))),
            "zip" => {
                let elements = call.arguments.args.iter().map(|list| self.element_of(list));
                Some(many(Shape::Tuple(elements.collect())))
            }
            _ => None,
        }
    }

    /// The type of what a loop over an expression gets.
    pub(super) fn element_of(&self, expr: &Expr) -> Shape {
        match self.shape_of(expr).present() {
            Shape::Many(inner) => *inner,
            _ => Shape::Other,
        }
    }

    /// Whether a call gives something like its first argument.
    pub(super) fn is_copy(&self, call: &ast::ExprCall) -> bool {
        ["dataclasses.replace", "copy.copy", "copy.deepcopy"]
            .into_iter()
            .any(|path| self.cx.is_imported(&call.func, path))
    }

    /// The builtin that an expression certainly names, if nothing in the file has its name.
    pub(super) fn builtin<'e>(&self, func: &'e Expr) -> Option<&'e str> {
        let name = func.as_name_expr()?.id.as_str();
        let is_hidden = self.bound.contains_key(name)
            || self.own.contains(name)
            || self.cx.facts.module.bindings.iter().any(|binding| binding.name == name);
        (!is_hidden).then_some(name)
    }

    fn returned_by(&self, entity: NodeId) -> Shape {
        let file = self.cx.graph.nodes[entity].file;
        let returns = self.cx.function(entity).and_then(|function| function.returns);
        returns.map_or(Shape::Other, |range| shape(self.cx.project, file, range))
    }

    /// The type that a call makes a value of: `FlyteFile(…)`.
    pub(super) fn constructed(&self, call: &ast::ExprCall) -> Option<IoType> {
        let callee = match &*call.func {
            // `FlyteFile["csv"](path)`
            Expr::Subscript(subscript) => &subscript.value,
            func => func,
        };
        IoType::of(&self.cx.symbol(callee)?)
    }

    /// The class or plain function of the project that an expression names.
    pub(super) fn definition(&self, expr: &Expr) -> Option<Shape> {
        if let (Some((class, Some(own))), Expr::Name(name)) = (&self.class, expr)
            && name.id.as_str() == *own
        {
            return Some(class.clone());
        }
        let reference = self.cx.reference(expr)?;
        let [Target::Binding(file, binding, rest)] = self.cx.project.resolve(self.cx.file, reference) else {
            return None;
        };
        self.class_or_function(*file, *binding).filter(|_| rest.is_empty())
    }

    fn class_or_function(&self, file: FileId, binding: BindingId) -> Option<Shape> {
        let binding = &self.cx.project.facts(file)?.module.bindings[binding];
        let is_class = match &binding.kind {
            BindingKind::Definition => true,
            BindingKind::Assignment { value, .. } => value.kind == crate::python::value::ValueKind::Call,
            _ => false,
        };
        is_class.then_some(Shape::Class(file, binding.owner))
    }
}
