//! What tasks, functions, methods and classes of the project take.

use super::super::types::{Shape, fields, parameters_of_method, shape, signature};
use super::FunctionIo;
use crate::project::graph::NodeId;
use crate::python::ast::{self, Expr};

impl<'a> FunctionIo<'a, '_> {
    /// The parameters of an entity, plain function or class of the project; `None` for a type that is not annotated.
    pub(super) fn parameters(&self, callee: &Expr) -> Option<Vec<(String, Option<Shape>)>> {
        let project = self.cx.project;
        if let Some(entity) = self.cx.entity(callee) {
            return self.parameters_of(entity);
        }
        if let Expr::Attribute(method) = callee
            && let Some(class) = self.class_of(callee)
        {
            return parameters_of_method(project, class, method.attr.as_str());
        }
        let Shape::Class(file, statement) = self.definition(callee)? else { return None };
        if let Some(signature) = signature(project, file, statement) {
            return Some(signature.parameters);
        }
        let fields = fields(project, file, statement).into_iter();
        Some(fields.map(|(name, shape)| (name, Some(shape))).collect())
    }

    fn parameters_of(&self, entity: NodeId) -> Option<Vec<(String, Option<Shape>)>> {
        let file = self.cx.graph.nodes[entity].file;
        let parameters = self.cx.function(entity)?.parameters.iter();
        let typed = parameters.map(|parameter| {
            let shape = parameter.annotation.map(|range| shape(self.cx.project, file, range));
            (parameter.name.clone(), shape)
        });
        Some(typed.collect())
    }

    /// What `dataclasses.replace(later, file=…)` takes behind its first argument.
    pub(super) fn parameters_of_copy(&self, call: &ast::ExprCall) -> Option<Vec<(String, Option<Shape>)>> {
        let Shape::Class(file, statement) = self.shape_of(call.arguments.args.first()?).present() else {
            return None;
        };
        let fields = fields(self.cx.project, file, statement).into_iter();
        let fields = fields.map(|(name, shape)| (name, Some(shape)));
        self.is_copy(call).then(|| std::iter::once((String::new(), None)).chain(fields).collect())
    }

    /// What `map_task(f)`, a launch plan of `f`, `partial(f, …)` and `create_node(f, …)` take.
    pub(super) fn parameters_of_maker(&self, call: &ast::ExprCall) -> Option<Vec<(String, Option<Shape>)>> {
        if let Expr::Call(map) = &*call.func {
            let parameters = self.parameters(self.mapped(map)?)?.into_iter();
            let many = |shape| Shape::Many(Box::new(shape));
            return Some(parameters.map(|(name, shape)| (name, shape.map(many))).collect());
        }
        if let Some((_, plan)) = self.cx.plan(&call.func) {
            return self.parameters_of(plan.workflow);
        }
        let is_first = self.cx.is_flyte1(&call.func, "create_node")
            || self.cx.is_imported(&call.func, "functools.partial");
        let entity = self.cx.entity(call.arguments.args.first().filter(|_| is_first)?)?;
        let own = (String::new(), None);
        Some(std::iter::once(own).chain(self.parameters_of(entity)?).collect())
    }

    /// The task that `map_task(…)` maps, also behind `partial` and the name of one.
    pub(super) fn mapped<'e>(&self, map: &'e ast::ExprCall) -> Option<&'e Expr>
    where
        'a: 'e,
    {
        if !self.cx.is_flyte1(&map.func, "map_task") {
            return None;
        }
        let named = ["target", "task_function"].into_iter().find_map(|name| map.arguments.find_keyword(name));
        let target = map.arguments.args.first().or_else(|| named.map(|keyword| &keyword.value))?;
        let target = match target {
            Expr::Name(name) if self.cx.entity(target).is_none() => {
                self.paths.values(name.id.as_str()).first().copied()?
            }
            _ => target,
        };
        match target {
            Expr::Call(partial) => partial.arguments.args.first(),
            _ => Some(target),
        }
    }
}
