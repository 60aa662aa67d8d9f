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

use std::collections::BTreeSet;

use crate::flyte1::body::Source;
use crate::project::graph::{EntityKind, NodeId};
use crate::python::scope::is_mutator;
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
    let text = cx.text_of(task, function.range);
    if !function.parameters.iter().any(|parameter| is_changed(text, &parameter.name)) {
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

/// Whether a function changes what a parameter holds: `xs.sort()`, `df["b"] = …`, `df.dropna(inplace=True)`.
fn is_changed(function: &str, parameter: &str) -> bool {
    function.lines().map(str::trim_start).any(|line| {
        let deleted = line.strip_prefix("del ");
        let code = deleted.unwrap_or(line);
        let Some(rest) = code.strip_prefix(parameter).filter(|rest| rest.starts_with(['.', '['])) else {
            return false;
        };
        let method = rest.strip_prefix('.').and_then(|rest| rest.split_once('(')).map(|(method, _)| method);
        deleted.is_some()
            || method.is_some_and(|method| is_mutator(method) || method == "reverse" || method == "add")
            || line.contains("inplace=True")
            || is_assignment(rest)
    })
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
