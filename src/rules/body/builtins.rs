//! Builtins that new code calls, where their names mean something else.
//!
//! ```python
//! def list(*names): ...
//!
//! @env.task
//! def flow(xs: List[int]) -> List[int]:
//!     return list(flyte.map(double, xs))    # another `list`
//! ```

use memchr::memmem;

use super::{BodyContext, MappedBody, statement_of};
use crate::project::graph::NodeId;
use crate::rules::codes::AMBIGUOUS_NAME;
use crate::rules::{Effect, Finding};

/// Blocks new code that calls a builtin whose name means something else there.
pub(super) fn check(cx: &BodyContext<'_>, node: NodeId, body: &mut MappedBody) {
    let owner = statement_of(cx.graph, cx.facts, node);
    let adds = |name: &str| {
        let in_edits = body
            .edits
            .iter()
            .any(|edit| count_words(&edit.content, name) > count_words(&cx.text[edit.range], name));
        in_edits || body.helpers.iter().any(|helper| count_words(helper.definition(), name) > 0)
    };
    let hidden = cx.facts.module.hidden_builtins.iter();
    let hidden = hidden.filter(|hidden| hidden.is_global || Some(hidden.owner) == owner);
    let findings: Vec<Finding> = hidden
        .filter(|hidden| adds(&hidden.name))
        .map(|hidden| {
            let name = &hidden.name;
            let message =
                format!("`{name}` is bound here, and the code for Flyte 2 needs the builtin `{name}`");
            Finding::new(&AMBIGUOUS_NAME, hidden.range, Effect::Blocking, message)
                .help("Give it another name")
        })
        .collect();
    body.findings.extend(findings);
}

/// How often a word stands in a text.
fn count_words(text: &str, word: &str) -> usize {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let bytes = text.as_bytes();
    let is_whole = |&at: &usize| !is_part(bytes[..at].last()) && !is_part(bytes.get(at + word.len()));
    memmem::find_iter(bytes, word).filter(is_whole).count()
}
