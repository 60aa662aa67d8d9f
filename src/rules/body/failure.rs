//! `on_failure=` of a workflow becomes `try` around its body.
//!
//! ```python
//! try:
//!     return step(n=n)
//! except Exception:
//!     clean(n=n)
//!     raise
//! ```
//!
//! Flyte 1 hands the inputs of the workflow to the handler by their names. A docstring stays above `try`.

use super::launch_plan::attached_start;
use super::mapper::Mapper;
use crate::flyte2::chain::{Argument, Call, Chain};
use crate::flyte2::layout::{Place, layout};
use crate::flyte2::lines::indent_code;
use crate::project::graph::{EntityKind, NodeId};
use crate::python::Ranged;
use crate::python::ast::{self, Stmt};
use crate::python::items::{indentation_at, line_start, next_line_start};
use crate::python::value::ValueKind;
use crate::rules::codes::WORKFLOW_KEYWORD;
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// Puts the body of a workflow with a handler into `try`, once all else in it is written.
pub(super) fn handler(mapper: &mut Mapper<'_>, function: &ast::StmtFunctionDef) {
    let Some(range) = place(mapper) else { return };
    let effect = match read(mapper, function, range) {
        Ok(None) => return,
        Ok(Some((handler, body))) => {
            write(mapper, handler, range, body);
            let message = "`on_failure` becomes `except Exception` around the body: calls that still run go on beside the handler";
            Finding::new(&WORKFLOW_KEYWORD, range, Effect::Unsafe, message)
                .help("Make sure that the handler does not mind, and that it may run in the run that fails")
        }
        Err((message, help)) => Finding::new(&WORKFLOW_KEYWORD, range, Effect::Blocking, message).help(help),
    };
    mapper.find(effect);
}

/// The value of `on_failure`.
fn place(mapper: &Mapper<'_>) -> Option<TextRange> {
    let entity = mapper.cx.graph.entity(mapper.node)?;
    let call = entity.call.filter(|_| entity.kind == EntityKind::Workflow)?;
    let value = &mapper.cx.facts.module.calls[call].keyword("on_failure")?.value;
    (value.kind != ValueKind::None).then_some(value.range)
}

type Refusal = (String, &'static str);

/// The handler and the lines of the body that may fail, if there are any.
fn read(
    mapper: &Mapper<'_>,
    function: &ast::StmtFunctionDef,
    range: TextRange,
) -> Result<Option<(NodeId, TextRange)>, Refusal> {
    let cx = mapper.cx;
    let name = &cx.text[range];
    let reference = cx.facts.reference_at(range);
    let nodes = reference.and_then(|reference| cx.graph.nodes_of(cx.project, cx.file, reference));
    let Some([handler]) = nodes.as_deref() else {
        return Err((
            format!("`{name}` is no task or workflow that can be read"),
            "Name the handler itself in `on_failure`",
        ));
    };
    let (Some(callee), Some(own)) = (cx.function(*handler), cx.function(mapper.node)) else {
        return Err((format!("`{name}` is no task or workflow"), "Name the handler itself in `on_failure`"));
    };
    if cx.is_awaited(*handler) {
        return Err((
            format!("`{name}` is `async` and is the handler of a workflow"),
            "Make it a plain function, or write `try` by hand",
        ));
    }
    let is_input = |name: &String| own.parameters.iter().any(|parameter| parameter.name == *name);
    // `err` is the error, even if the workflow has an input of that name.
    let further = callee.parameters.iter().find(|parameter| {
        parameter.name == "err" || !is_input(&parameter.name) && parameter.default.is_none()
    });
    if let Some(parameter) = further {
        return Err((
            format!("`{name}` takes `{}`, which Flyte 2 does not hand over", parameter.name),
            "Take the parameter away, or write `try` and `except` by hand",
        ));
    }
    let takes = |name: &String| callee.parameters.iter().any(|parameter| parameter.name == *name);
    if let Some(input) = own.parameters.iter().find(|parameter| !takes(&parameter.name)) {
        return Err((
            format!("`{name}` has no parameter for the input `{}`", input.name),
            "Give the handler all inputs of the workflow",
        ));
    }
    let root = name.split('.').next().unwrap_or_default().trim_end();
    let values = mapper.values();
    let rebound = own.parameters.iter().find(|parameter| values.is_rebound(&parameter.name));
    if values.binds(root) || rebound.is_some() {
        let name = rebound.map_or(root, |parameter| &parameter.name);
        return Err((
            format!("`{name}` is bound anew in the body, and the handler would see that"),
            "Give the variable in the body another name",
        ));
    }
    lines(cx.text, function).map(|lines| lines.map(|lines| (*handler, lines)))
}

/// The lines of the body below its docstring, with the comments at both ends.
fn lines(text: &str, function: &ast::StmtFunctionDef) -> Result<Option<TextRange>, Refusal> {
    let is_text = |stmt: &Stmt| matches!(stmt, Stmt::Expr(expr) if expr.value.is_string_literal_expr());
    let skip = usize::from(function.body.first().is_some_and(is_text));
    let statements = &function.body[skip..];
    let (Some(first), Some(last)) = (statements.first(), statements.last()) else { return Ok(None) };
    let start = line_start(text, first.start());
    if !text[TextRange::new(start, first.start())].trim().is_empty() {
        return Err((
            "the body of a workflow with `on_failure` begins in the line of its `def`".to_owned(),
            "Write the body into lines of its own",
        ));
    }
    let is_comment = |range: TextRange| text[range].trim_start().starts_with('#');
    let mut end = next_line_start(text, last.end());
    let depth = indentation_at(text, first.start());
    let is_inside =
        |range: TextRange| is_comment(range) && indentation_at(text, range.start()).len() >= depth.len();
    while let next = next_line_start(text, end)
        && next > end
        && is_inside(TextRange::new(end, next))
    {
        end = next;
    }
    Ok(Some(TextRange::new(attached_start(text, start), end)))
}

fn write(mapper: &mut Mapper<'_>, handler: NodeId, range: TextRange, body: TextRange) {
    let cx = mapper.cx;
    let unit = &cx.facts.style.indent_unit;
    let own = mapper.rewriter.take(body);
    let ending = &own[own.trim_end_matches(['\r', '\n']).len()..];
    let own = own.trim_end_matches(['\r', '\n']);
    let indent = &own[..own.len() - own.trim_start().len()];
    let call = handler_call(mapper, handler, &cx.text[range], &format!("{indent}{unit}"));
    let text = format!(
        "{indent}try:\n{unit}{}\n{indent}except Exception:\n{indent}{unit}{call}\n{indent}{unit}raise{ending}",
        indent_code(own, unit),
    );
    mapper.rewriter.replace(body, text);
}

/// The call of the handler with all inputs.
fn handler_call(mapper: &Mapper<'_>, handler: NodeId, name: &str, indent: &str) -> String {
    let cx = mapper.cx;
    let is_async = cx.graph.is_async(mapper.node);
    let prefix = if is_async { "await " } else { "" };
    let suffix = if is_async && !cx.graph.is_async(handler) { ".aio" } else { "" };
    let inputs = cx.function(mapper.node).into_iter().flat_map(|function| &function.parameters);
    let arguments = inputs.map(|input| Argument::new(format!("{name}={name}", name = input.name))).collect();
    let head = Call { callee: format!("{name}{suffix}"), arguments, ..Call::default() };
    let place = Place {
        indent,
        indent_unit: &cx.facts.style.indent_unit,
        before: indent.chars().count() + prefix.len(),
        after: 0,
        line_length: cx.names.line_length,
        is_bracketed: false,
    };
    format!("{prefix}{}", layout(&Chain { head, ..Chain::default() }, place))
}
