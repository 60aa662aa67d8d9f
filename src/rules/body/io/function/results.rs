//! Which expressions are what tasks give: in a workflow, flytekit itself sees to their types.

use super::super::types::Shape;
use super::FunctionIo;
use crate::python::ast::{self, ArgOrKeyword, Expr};

impl FunctionIo<'_, '_> {
    /// In a workflow flytekit itself made sure that what a task gave has the right type; it took a frame of pandas
    /// for a `StructuredDataset`.
    pub(super) fn is_promise(&self, expr: &Expr, wanted: &Shape) -> bool {
        self.is_workflow() && self.is_result(expr, 0) && !wanted.holds_frames(self.cx.project)
    }

    /// Whether an expression is, or is taken out of, what tasks and workflows give and parameters of the workflow.
    pub(super) fn is_result(&self, expr: &Expr, depth: usize) -> bool {
        const MAX_DEPTH: usize = 16;
        if depth > MAX_DEPTH {
            return false;
        }
        let is_result = |expr: &Expr| self.is_result(expr, depth + 1);
        match expr {
            Expr::Name(name) => {
                let origins = self.origins.get(name.id.as_str()).map(Vec::as_slice);
                let is_own = self.own.contains(name.id.as_str());
                (is_own || origins.is_some())
                    && origins.into_iter().flatten().all(|origin| origin.is_some_and(is_result))
            }
            Expr::Attribute(attribute) => is_result(&attribute.value),
            Expr::Subscript(subscript) => is_result(&subscript.value),
            Expr::Starred(starred) => is_result(&starred.value),
            Expr::Await(awaited) => is_result(&awaited.value),
            Expr::Named(named) => is_result(&named.value),
            Expr::If(choice) => is_result(&choice.body) && is_result(&choice.orelse),
            Expr::BoolOp(operation) => operation.values.iter().all(is_result),
            Expr::BinOp(operation) => is_result(&operation.left) && is_result(&operation.right),
            Expr::List(ast::ExprList { elts, .. })
            | Expr::Tuple(ast::ExprTuple { elts, .. })
            | Expr::Set(ast::ExprSet { elts, .. }) => elts.iter().all(is_result),
            Expr::Dict(dict) => dict.items.iter().all(|item| is_result(&item.value)),
            Expr::ListComp(ast::ExprListComp { elt, .. })
            | Expr::SetComp(ast::ExprSetComp { elt, .. })
            | Expr::Generator(ast::ExprGenerator { elt, .. })
            | Expr::DictComp(ast::ExprDictComp { value: elt, .. }) => is_result(elt),
            Expr::NumberLiteral(_) | Expr::BooleanLiteral(_) | Expr::NoneLiteral(_) => true,
            Expr::Call(call) => self.gives_result(call, depth),
            _ => false,
        }
    }

    /// Whether a call is one of a task, or of something of Flyte 1 that gives what tasks give.
    fn gives_result(&self, call: &ast::ExprCall, depth: usize) -> bool {
        if self.cx.callee(&call.func).is_some() || self.cx.plan(&call.func).is_some() {
            return true;
        }
        let is_result = |expr: &Expr| self.is_result(expr, depth + 1);
        match &*call.func {
            Expr::Name(name)
                if !self.origins.contains_key(name.id.as_str())
                    && matches!(
                        name.id.as_str(),
                        "enumerate" | "zip" | "list" | "tuple" | "reversed" | "sorted" | "dict" | "range"
                    ) =>
            {
                let mut values = call.arguments.arguments_source_order().map(ArgOrKeyword::value);
                name.id == "range" || values.all(is_result)
            }
            // `map_task(f)(…)`
            Expr::Call(inner) => self.is_maker(&inner.func),
            // `conditional(…).if_(…).then(…)`, `f(…).with_overrides(…)`, `results.values()`
            Expr::Attribute(method) => is_result(&method.value) || self.conditional(call).is_some(),
            func => self.is_maker(func),
        }
    }

    /// Whether a call of this gives what tasks give, or a task.
    fn is_maker(&self, func: &Expr) -> bool {
        const MAKERS: [&str; 6] =
            ["map_task", "create_node", "wait_for_input", "approve", "conditional", "reference_task"];
        MAKERS.iter().any(|name| self.cx.is_flyte1(func, name))
    }

    /// The values of a `conditional`, one of which it gives.
    pub(super) fn conditional<'e>(&self, call: &'e ast::ExprCall) -> Option<Vec<&'e Expr>> {
        let mut values = Vec::new();
        let mut current = call;
        loop {
            let Expr::Attribute(method) = &*current.func else { return None };
            if method.attr.as_str() == "then" {
                values.extend(current.arguments.args.first());
            }
            current = match &*method.value {
                Expr::Call(inner) => inner,
                Expr::Attribute(inner) => inner.value.as_call_expr()?,
                _ => return None,
            };
            if self.cx.is_flyte1(&current.func, "conditional") {
                return (!values.is_empty()).then_some(values);
            }
        }
    }
}
