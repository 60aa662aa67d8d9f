//! Tasks that need to be apart from what calls them: a run gives each its own thread and its own values.
//!
//! ```python
//! @task
//! def enrich(df: pd.DataFrame) -> pd.DataFrame:
//!     df["b"] = df["a"] * 2           # a plain call changes the frame of the caller
//!     return df
//!
//! @task
//! def crawl(n: int) -> int:
//!     return asyncio.run(fetch(n))    # fails in the event loop of an `async` workflow
//! ```

use std::collections::{BTreeSet, HashSet};

use crate::flyte1::body::Source;
use crate::project::graph::{EntityKind, NodeId};
use crate::python::Ranged;
use crate::python::ast::{self, ArgOrKeyword, Expr};
use crate::python::scope::{Parameter, is_mutator};
use crate::python::value::ValueKind;
use crate::rules::body::BodyContext;

/// Whether a plain call of `flow` goes another way because of a task that it calls directly.
pub(super) fn calls_what_is_apart(cx: &BodyContext<'_>, flow: NodeId) -> bool {
    cx.graph.entity(flow).is_some_and(|entity| {
        let is_task = |task: NodeId| cx.graph.entity(task).is_some_and(|task| task.kind == EntityKind::Task);
        let mut tasks = entity.calls.iter().map(|(_, callee)| *callee).filter(|callee| is_task(*callee));
        entity.kind != EntityKind::Task
            && tasks.any(|task| {
                cx.graph.is_async(flow) && runs_event_loop(cx, task) || shares_input(cx, flow, task)
            })
    })
}

fn runs_event_loop(cx: &BodyContext<'_>, task: NodeId) -> bool {
    cx.function(task).filter(|function| !function.is_async).is_some_and(|function| {
        let text = cx.text_of(task, function.range);
        text.contains("asyncio.run(") || text.contains("run_until_complete(")
    })
}

/// Whether a task changes what it is given, and something else gets that too.
fn shares_input(cx: &BodyContext<'_>, flow: NodeId, task: NodeId) -> bool {
    let (Some(entity), Some(function)) = (cx.graph.entity(flow), cx.function(task)) else { return false };
    if !function.parameters.iter().any(|parameter| changes(cx, task, parameter)) {
        return false;
    }
    let file = cx.graph.nodes[flow].file;
    let Some(body) = cx.project.facts(file).and_then(|facts| facts.bodies.get(entity.function)) else {
        return false;
    };
    let own = entity.calls.iter().filter(|(_, callee)| *callee == task).map(|(range, _)| *range);
    own.into_iter().any(|callee| {
        let Some(call) = body.calls.iter().find(|call| call.callee == callee) else { return true };
        let gets = |inputs: &BTreeSet<_>| call.inputs.iter().any(|root| inputs.contains(root));
        let others = body.calls.iter().filter(|other| other.callee != callee);
        let is_returned = body.returned.iter().any(|returned| {
            let source = match &returned.source {
                Source::Call(range) | Source::Part(range, _) => *range,
                Source::Parameter(_) => return false,
            };
            call.inputs.iter().any(|root| root.callee() == Some(source))
        });
        !call.inputs.is_empty()
            && (call.is_repeated || is_returned || others.map(|other| &other.inputs).any(gets))
    })
}

/// Whether a plain call changes what its caller goes on using: Flyte 1 gave a task copies of its arguments.
pub(in crate::rules::body) fn changes_arguments(
    cx: &BodyContext<'_>,
    call: &ast::ExprCall,
    entity: NodeId,
) -> bool {
    let Some(function) = cx.function(entity) else { return false };
    let is_flow = cx.graph.entity(entity).is_some_and(|entity| entity.kind != EntityKind::Task);
    let is_changed_further = is_flow && called_tasks(cx, entity).iter().any(|&task| changes_any(cx, task));
    let is_changed = |parameter: &Parameter| {
        changes(cx, entity, parameter) || is_changed_further && may_be_changed(cx, entity, parameter)
    };
    let mut arguments = call.arguments.arguments_source_order().enumerate();
    let given = |parameter: &Parameter, at: usize| {
        arguments.clone().find_map(|(position, argument)| match argument {
            ArgOrKeyword::Arg(value) => (position == at).then_some(value),
            ArgOrKeyword::Keyword(keyword) => {
                let is_it = keyword.arg.as_ref().is_some_and(|name| name.as_str() == parameter.name);
                is_it.then_some(&keyword.value)
            }
        })
    };
    let mut changed = function.parameters.iter().enumerate().filter(|(_, parameter)| is_changed(parameter));
    let is_used_on = changed.clone().any(|(at, parameter)| match given(parameter, at) {
        Some(value) => is_shared(cx, value),
        None => parameter.default.as_ref().is_some_and(|default| {
            !default.is_literal() || matches!(default.kind, ValueKind::List(_) | ValueKind::Dict(_))
        }),
    });
    let is_hidden = |argument: ArgOrKeyword<'_>| match argument {
        ArgOrKeyword::Arg(value) => value.is_starred_expr(),
        ArgOrKeyword::Keyword(keyword) => keyword.arg.is_none(),
    };
    is_used_on || changed.next().is_some() && arguments.any(|(_, argument)| is_hidden(argument))
}

/// Whether an argument is an object that the code around a call may use again.
fn is_shared(cx: &BodyContext<'_>, value: &Expr) -> bool {
    match value {
        Expr::Name(name) => {
            let statements = cx.facts.module.statements.iter();
            let around = statements.clone().find(|statement| statement.contains_range(value.range()));
            let is_in_loop = around.is_some_and(|around| {
                let mut lines = cx.text[*around].lines().map(str::trim_start);
                lines.any(|line| line.starts_with("for ") || line.starts_with("while "))
            });
            let words = cx.text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            // One place is that of the keyword, one where it gets its value, one the argument.
            let times = words.filter(|word| *word == name.id.as_str()).count();
            let is_keyword = cx.text[..value.start().into()].ends_with(&format!("{}=", name.id));
            is_in_loop || times > 2 + usize::from(is_keyword)
        }
        Expr::Attribute(_) | Expr::Subscript(_) | Expr::If(_) | Expr::BoolOp(_) | Expr::Named(_) => true,
        Expr::List(ast::ExprList { elts, .. }) | Expr::Tuple(ast::ExprTuple { elts, .. }) => {
            elts.iter().any(|element| is_shared(cx, element))
        }
        Expr::Dict(dict) => dict.items.iter().any(|item| is_shared(cx, &item.value)),
        _ => false,
    }
}

/// The tasks that a workflow runs, by way of others too.
fn called_tasks(cx: &BodyContext<'_>, flow: NodeId) -> HashSet<NodeId> {
    let mut found = HashSet::new();
    let mut pending = vec![flow];
    while let Some(node) = pending.pop() {
        let calls = cx.graph.entity(node).map_or(&[][..], |entity| &entity.calls);
        pending.extend(calls.iter().map(|(_, callee)| *callee).filter(|&callee| found.insert(callee)));
    }
    found
}

fn changes_any(cx: &BodyContext<'_>, task: NodeId) -> bool {
    cx.function(task)
        .is_some_and(|function| function.parameters.iter().any(|parameter| changes(cx, task, parameter)))
}

/// Whether a task changes what it gets for a parameter.
fn changes(cx: &BodyContext<'_>, task: NodeId, parameter: &Parameter) -> bool {
    cx.function(task).is_some_and(|function| {
        may_be_changed(cx, task, parameter) && is_changed(cx.text_of(task, function.range), &parameter.name)
    })
}

/// Whether there is anything to change in a value: not in a number or a text.
fn may_be_changed(cx: &BodyContext<'_>, task: NodeId, parameter: &Parameter) -> bool {
    const IMMUTABLE: [&str; 12] = [
        "int",
        "float",
        "str",
        "bool",
        "bytes",
        "date",
        "datetime",
        "timedelta",
        "FlyteFile",
        "FlyteDirectory",
        "StructuredDataset",
        "Optional",
    ];
    parameter.annotation.is_none_or(|annotation| {
        let text = cx.text_of(task, annotation);
        let mut words =
            text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
        !words.all(|word| IMMUTABLE.contains(&word) || word == "None" || word == "typing")
    })
}

/// Whether a function changes what a parameter holds: `xs.sort()`, `df["b"] = …`, `df.dropna(inplace=True)`.
fn is_changed(function: &str, parameter: &str) -> bool {
    let statements = function.lines().flat_map(|line| line.split(';')).flat_map(|code| {
        let code = code.trim_start();
        // `if full: tags.clear()`
        let heads = ["if ", "elif ", "else:", "for ", "while ", "with "];
        let has_body = heads.iter().any(|head| code.starts_with(head));
        let body = code.rsplit_once(": ").filter(|_| has_body).map(|(_, body)| body);
        std::iter::once(code).chain(body)
    });
    statements.map(str::trim_start).any(|line| {
        let deleted = line.strip_prefix("del ");
        let code = deleted.unwrap_or(line);
        let Some(rest) = code.strip_prefix(parameter).filter(|rest| !rest.starts_with(is_of_name)) else {
            return false;
        };
        if !rest.starts_with(['.', '[']) {
            return [" += ", " |= ", " -= ", " *= ", " /= "]
                .iter()
                .any(|operator| rest.starts_with(operator));
        }
        let method =
            rest.split_once('(').and_then(|(chain, _)| chain.rsplit_once('.')).map(|(_, method)| method);
        let changing = ["reverse", "add", "discard", "popitem", "appendleft", "popleft"];
        deleted.is_some()
            || method.is_some_and(|method| is_mutator(method) || changing.contains(&method))
            || line.contains("inplace=True")
            || is_assignment(rest)
    })
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether an `=` that stands in no brackets gives something a value.
fn is_assignment(code: &str) -> bool {
    let bytes = code.as_bytes();
    let mut depth = 0_usize;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'#' if depth == 0 => return false,
            b'=' if depth == 0 => {
                let is_compared = bytes.get(at + 1) == Some(&b'=')
                    || at > 0 && matches!(bytes[at - 1], b'=' | b'!' | b'<' | b'>');
                return !is_compared;
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_a_parameter_are_told_from_uses() {
        for line in [
            "df[\"b\"] = df[f(\"a\")]",
            "df.loc[f(1), \"b\"] += 1",
            "df.columns = [1]",
            "del df[\"a\"]",
            "df.sort()",
            "df.tags.append(1)",
            "df += [1]",
            "if n > 1: df.append(1)",
            "for n in {1: 2}: df.append(n)",
            "n = 1; df.append(n)",
        ] {
            assert!(is_changed(line, "df"), "{line}");
        }
        for line in [
            "df = df.dropna()",
            "df[\"b\"] == 1",
            "df.head(n=2)",
            "dfs[0] = 1",
            "x = df[0]",
            "df.copy().sort()",
        ] {
            assert!(!is_changed(line, "df"), "{line}");
        }
    }
}
