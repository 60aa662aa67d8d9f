//! `conditional` becomes `if`, `elif` and `else`.
//!
//! ```python
//! r = conditional("size").if_(n > 9).then(big(n=n)).else_().then(small(n=n))
//!
//! if n > 9:
//!     r = big(n=n)
//! else:
//!     r = small(n=n)
//! ```
//!
//! Where it stands inside another expression, its value gets a name first. `fail` raises a `ValueError`.
//!
//! # FM235
//!
//! ## What it does
//!
//! Turns `conditional(…)` into `if`, `elif` and `else`. `&` and `|` become `and` and `or`; `fail` raises a `ValueError`.
//!
//! ## Why
//!
//! A workflow is plain code on Flyte 2, which runs with the values at hand.
//!
//! ## Example
//!
//! ```python
//! from flytekit import conditional, task, workflow
//!
//!
//! @task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @workflow
//! def main(n: int) -> int:
//!     return conditional("size").if_(n > 9).then(step(n=n)).else_().fail("too small")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import TaskEnvironment
//!
//! env = TaskEnvironment(name="example")
//!
//!
//! @env.task
//! def step(n: int) -> int:
//!     return n
//!
//!
//! @env.task
//! def main(n: int) -> int:
//!     if n > 9:
//!         return step(n=n)
//!     else:
//!         raise ValueError("too small")
//! ```
//!
//! ## Fix safety
//!
//! Informs.
//!
//! ## Not handled
//!
//! A condition that is no comparison of values.
//!
//! ## References
//!
//! `flytekit/core/condition.py` of flytekit 1.16.31.

use super::BodyContext;
use super::mapper::Mapper;
use crate::python::Ranged;
use crate::python::ast::visitor::source_order::{self, SourceOrderVisitor};
use crate::python::ast::{self, Expr, Operator, Stmt};
use crate::python::items::indentation_at;
use crate::rules::codes::CONDITIONAL;
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// A whole `conditional(…)…` expression.
struct Conditional<'a> {
    range: TextRange,
    name: &'a Expr,
    branches: Vec<Branch<'a>>,
    /// The places of the parts of the chain.
    parts: Vec<TextRange>,
}

/// One of its branches.
struct Branch<'a> {
    /// The condition; `None` for `else_`.
    test: Option<&'a Expr>,
    value: &'a Expr,
    fails: bool,
}

impl<'a> Conditional<'a> {
    fn of(cx: &BodyContext<'_>, expr: &'a Expr) -> Option<Self> {
        let mut branches = Vec::new();
        let mut parts = Vec::new();
        let mut current = expr;
        loop {
            let (then, section) = method(current)?;
            if cx.is_flyte1(&then.0.func, "conditional") {
                parts.push(then.0.range);
                branches.reverse();
                let is_complete = !branches.is_empty();
                return is_complete.then_some(Self {
                    range: expr.range(),
                    name: &then.0.func,
                    branches,
                    parts,
                });
            }
            let (_, attribute) = (then.0, then.1?);
            let fails = match attribute.attr.as_str() {
                "then" => false,
                "fail" => true,
                _ => return None,
            };
            let [value] = &*then.0.arguments.args else { return None };
            let (start, outer) = method(section?)?;
            let test = match (start.1?.attr.as_str(), &*start.0.arguments.args) {
                ("if_" | "elif_", [test]) => Some(test),
                ("else_", []) => None,
                _ => return None,
            };
            for (call, attribute) in [(then.0, Some(attribute)), (start.0, start.1)] {
                parts.extend([call.range, call.func.range()]);
                parts.extend(attribute.map(Ranged::range));
            }
            branches.push(Branch { test, value, fails });
            current = outer?;
        }
    }
}

type Method<'a> = (&'a ast::ExprCall, Option<&'a ast::ExprAttribute>);

/// A call, the attribute that is called, and what that is read from.
fn method(expr: &Expr) -> Option<(Method<'_>, Option<&Expr>)> {
    let Expr::Call(call) = expr else { return None };
    match &*call.func {
        Expr::Attribute(attribute) if attribute.value.is_call_expr() => {
            Some(((call, Some(attribute)), Some(&attribute.value)))
        }
        _ => Some(((call, None), None)),
    }
}

/// The values of a `conditional`, one of which it gives; those of conditionals in it are among them.
pub(super) fn chosen<'e>(cx: &BodyContext<'_>, expr: &'e Expr) -> Option<Vec<&'e Expr>> {
    let conditional = Conditional::of(cx, expr)?;
    let values = conditional.branches.iter().filter(|branch| !branch.fails).map(|branch| branch.value);
    Some(values.flat_map(|value| chosen(cx, value).unwrap_or_else(|| vec![value])).collect())
}

/// The construct.
pub(super) fn statement<'a>(mapper: &mut Mapper<'a>, stmt: &'a Stmt) -> bool {
    let entity = mapper.cx.graph.entity(mapper.node);
    if entity.is_none_or(|entity| !entity.kind.is_flow()) {
        return false;
    }
    let (value, before) = match stmt {
        Stmt::Assign(assign) => {
            let head = TextRange::new(stmt.start(), assign.value.start());
            let head = mapper.rewriter.text_of(head);
            (&*assign.value, head.trim_end().trim_end_matches('(').trim_end().to_owned() + " ")
        }
        Stmt::AnnAssign(ast::StmtAnnAssign { target, value: Some(value), .. }) => {
            (&**value, format!("{} = ", &mapper.cx.text[target.range()]))
        }
        Stmt::Return(ast::StmtReturn { value: Some(value), .. }) => (&**value, "return ".to_owned()),
        Stmt::Expr(statement) => (&*statement.value, String::new()),
        _ => return false,
    };
    let indent = indentation_at(mapper.cx.text, stmt.start()).to_owned();
    if let Some(conditional) = Conditional::of(mapper.cx, value) {
        let Some(text) = written(mapper, &conditional, &before, &indent) else { return true };
        mapper.rewriter.take(stmt.range());
        mapper.rewriter.replace(stmt.range(), text);
        return true;
    }
    let mut finder = Finder { mapper, found: Vec::new() };
    finder.visit_expr(value);
    let found = finder.found;
    let mut above = String::new();
    for conditional in &found {
        let name = mapper.free_name("chosen");
        let Some(text) = written(mapper, conditional, &format!("{name} = "), &indent) else { return true };
        mapper.rewriter.take(conditional.range);
        mapper.rewriter.replace(conditional.range, name);
        above.push_str(&format!("{text}\n{indent}"));
    }
    if !above.is_empty() {
        mapper.rewriter.surround(stmt.range(), &above, "");
    }
    !found.is_empty()
}

/// Finds the conditionals in an expression.
struct Finder<'m, 'a> {
    mapper: &'m Mapper<'a>,
    found: Vec<Conditional<'a>>,
}

impl<'a> SourceOrderVisitor<'a> for Finder<'_, 'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match Conditional::of(self.mapper.cx, expr) {
            Some(conditional) => self.found.push(conditional),
            None => source_order::walk_expr(self, expr),
        }
    }
}

/// The statements; `before` stands in front of the value of each branch.
fn written(
    mapper: &mut Mapper<'_>,
    conditional: &Conditional<'_>,
    before: &str,
    indent: &str,
) -> Option<String> {
    mapper.consume(conditional.name.range());
    conditional.parts.iter().for_each(|range| mapper.handle(*range));
    let unit = mapper.cx.facts.style.indent_unit.clone();
    let mut lines = Vec::new();
    for (position, branch) in conditional.branches.iter().enumerate() {
        let head = match branch.test {
            Some(expr) => {
                let Some(text) = test(mapper, expr) else {
                    mapper.find(
                        Finding::new(
                            &CONDITIONAL,
                            expr.range(),
                            Effect::Blocking,
                            "the condition of `conditional` cannot be read",
                        )
                        .help("Write it as `if` and `else` by hand"),
                    );
                    return None;
                };
                format!("{} {text}:", if position == 0 { "if" } else { "elif" })
            }
            None => "else:".to_owned(),
        };
        let inner = format!("{indent}{unit}");
        let body = if branch.fails {
            let message = "`fail` of `conditional` raises a `ValueError` on Flyte 2";
            mapper.find(Finding::new(&CONDITIONAL, branch.value.range(), Effect::Info, message));
            format!("raise ValueError({})", mapper.rewriter.text_of(branch.value.range()))
        } else if let Some(nested) = Conditional::of(mapper.cx, branch.value) {
            written(mapper, &nested, before, &inner)?
        } else {
            format!("{before}{}", mapper.rewriter.text_of(branch.value.range()))
        };
        lines.push(format!("{head}\n{inner}{body}"));
    }
    Some(lines.join(&format!("\n{indent}")))
}

/// A condition on values.
fn test(mapper: &mut Mapper<'_>, expr: &Expr) -> Option<String> {
    mapper.handle(expr.range());
    match expr {
        Expr::Compare(_) | Expr::Name(_) | Expr::BooleanLiteral(_) => {
            Some(mapper.rewriter.text_of(expr.range()))
        }
        Expr::BinOp(operation) => {
            let word = match operation.op {
                Operator::BitAnd => "and",
                Operator::BitOr => "or",
                _ => return None,
            };
            let mut sides = Vec::new();
            for side in [&*operation.left, &*operation.right] {
                let text = test(mapper, side)?;
                sides.push(if side.is_bin_op_expr() { format!("({text})") } else { text });
            }
            Some(sides.join(&format!(" {word} ")))
        }
        Expr::Call(call) => {
            let Expr::Attribute(attribute) = &*call.func else { return None };
            mapper.handle(attribute.range);
            let value = mapper.rewriter.text_of(attribute.value.range());
            match attribute.attr.as_str() {
                "is_true" => Some(value),
                "is_false" => Some(format!("not {value}")),
                "is_none" => Some(format!("{value} is None")),
                _ => None,
            }
        }
        Expr::UnaryOp(operation) => {
            let operand = test(mapper, &operation.operand)?;
            (operation.op == ast::UnaryOp::Not).then(|| format!("not ({operand})"))
        }
        _ => None,
    }
}
