//! `a >> b` and `a.runs_before(b)`: on Flyte 2 statements run in their order, so these go.
//!
//! ```python
//! a = create_node(clean)
//! b = create_node(load)
//! a >> b                     # goes; the calls stand in that order already, or are put into it
//! a.o0 >> b                  # so does this: an output comes with the others of its call
//! clean() >> load()          # a line for each
//! ```

use super::BodyContext;
use super::calls::NodeCall;
use super::gates::gate;
use super::mapper::Mapper;
use super::values::{Held, Values, produced};
use crate::python::Ranged;
use crate::python::ast::{Expr, Operator, Stmt};
use crate::python::items::indentation_at;
use crate::rules::codes::WORKFLOW_BODY;
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// What must run one after another.
#[derive(Debug)]
pub(super) struct Order<'a> {
    operands: Vec<&'a Expr>,
    /// The operators and the callee of `runs_before`.
    ranges: Vec<TextRange>,
}

impl<'a> Order<'a> {
    /// The order that a statement sets.
    pub(super) fn of(cx: &BodyContext<'_>, values: &Values<'a>, stmt: &'a Stmt) -> Option<Self> {
        let Stmt::Expr(statement) = stmt else { return None };
        let mut order = Self { operands: Vec::new(), ranges: Vec::new() };
        order.read(&statement.value);
        order.take_outputs(cx, values);
        let is_node = |expr: &&Expr| match expr {
            Expr::Name(name) => {
                let is_given =
                    |value: &Expr| gate(cx, value).is_some() || produced(cx, values, value).is_some();
                values.held(cx, &name.id).is_some() || values.origin(&name.id).is_some_and(is_given)
            }
            expr => NodeCall::of(cx, values, expr).is_some() || gate(cx, expr).is_some(),
        };
        (order.operands.len() > 1 && order.operands.iter().all(is_node)).then_some(order)
    }

    /// An output of a result stands for the result.
    fn take_outputs(&mut self, cx: &BodyContext<'_>, values: &Values<'a>) {
        for operand in &mut self.operands {
            if let Expr::Attribute(output) = operand
                && let Expr::Name(name) = &*output.value
                && matches!(values.held(cx, &name.id), Some(Held::Result(_)))
            {
                self.ranges.push(output.range);
                *operand = &output.value;
            }
        }
    }

    fn read(&mut self, expr: &'a Expr) {
        match expr {
            Expr::BinOp(operation) if operation.op == Operator::RShift => {
                self.ranges.push(operation.range);
                self.read(&operation.left);
                self.read(&operation.right);
            }
            Expr::Call(call) => match (&*call.func, &*call.arguments.args) {
                (Expr::Attribute(attribute), [later]) if attribute.attr.as_str() == "runs_before" => {
                    self.ranges.push(attribute.range);
                    self.ranges.push(call.range);
                    self.operands.push(&attribute.value);
                    self.operands.push(later);
                }
                _ => self.operands.push(expr),
            },
            _ => self.operands.push(expr),
        }
    }

    /// Whether all that is ordered has a name.
    pub(super) fn is_named(&self) -> bool {
        self.operands.iter().all(|operand| operand.is_name_expr())
    }

    /// Neighbors: the first runs before the second.
    pub(super) fn pairs(&self) -> Vec<(&'a str, &'a str)> {
        let names: Vec<&str> =
            self.operands.iter().filter_map(|operand| Some(operand.as_name_expr()?.id.as_str())).collect();
        names.windows(2).map(|pair| (pair[0], pair[1])).collect()
    }
}

/// Says that a call stands below one that must run behind it, where nothing can be moved.
pub(super) fn refuse(mapper: &mut Mapper<'_>, range: TextRange, earlier: &str, later: &str) {
    let message = format!("`{earlier}` has to run before `{later}`, which Flyte 2 runs first");
    mapper.find(
        Finding::new(&WORKFLOW_BODY, range, Effect::Blocking, message)
            .help(format!("Move the call of `{earlier}` above that of `{later}`")),
    );
}

/// Whether a variable is certainly computed above another.
pub(super) fn is_above(values: &Values<'_>, earlier: &str, later: &str) -> bool {
    match (values.origin(earlier), values.origin(later)) {
        (Some(earlier), Some(later)) => earlier.start() < later.start(),
        _ => false,
    }
}

/// The construct: the statement goes.
pub(super) fn statement<'a>(mapper: &mut Mapper<'a>, stmt: &'a Stmt) -> bool {
    let entity = mapper.cx.graph.entity(mapper.node);
    if entity.is_none_or(|entity| !entity.kind.is_flow()) {
        return false;
    }
    let Some(order) = Order::of(mapper.cx, mapper.values(), stmt) else { return false };
    order.ranges.iter().for_each(|range| mapper.handle(*range));
    if order.is_named() {
        if let Stmt::Expr(statement) = stmt {
            mapper.dropped.insert(statement.value.range());
        }
        return true;
    }
    for pair in order.operands.windows(2) {
        let name = |expr: &'a Expr| expr.as_name_expr().map(|name| name.id.as_str());
        let is_kept = match (name(pair[0]), name(pair[1])) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(earlier), Some(later)) => is_above(mapper.values(), earlier, later),
        };
        if !is_kept {
            let (earlier, later) = (&mapper.cx.text[pair[0].range()], &mapper.cx.text[pair[1].range()]);
            refuse(mapper, stmt.range(), earlier, later);
        }
    }
    let indent = indentation_at(mapper.cx.text, stmt.start());
    let calls = order.operands.iter().filter(|operand| !operand.is_name_expr());
    let lines: Vec<String> = calls.map(|operand| mapper.rewriter.text_of(operand.range())).collect();
    mapper.rewriter.take(stmt.range());
    mapper.rewriter.replace(stmt.range(), lines.join(&format!("\n{indent}")));
    true
}
