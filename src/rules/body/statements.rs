//! Statements that have nothing left to do.

use super::mapper::Mapper;
use crate::python::items::{line_start, next_line_start};
use crate::source::TextRange;

/// Takes a statement away, its line with it if it has one of its own; what would leave a block empty becomes `pass`.
pub(super) fn remove_statement(mapper: &mut Mapper<'_>, range: TextRange) {
    let text = mapper.cx.text;
    let (start, end) = (line_start(text, range.start()), next_line_start(text, range.end()));
    let before = &text[TextRange::new(start, range.start())];
    let behind = &text[TextRange::new(range.end(), end)];
    let has_line = before.trim().is_empty() && behind.trim().is_empty();
    mapper.rewriter.take(range);
    if has_line && !is_alone(text, start, end, before) {
        mapper.rewriter.replace(TextRange::new(start, end), "");
    } else {
        mapper.rewriter.replace(range, "pass");
    }
}

/// Whether the lines above and below are no statements of the same block.
fn is_alone(text: &str, start: crate::source::TextSize, end: crate::source::TextSize, indent: &str) -> bool {
    let is_same_block = |line: Option<&str>| {
        line.is_some_and(|line| {
            line.strip_prefix(indent).is_some_and(|rest| !rest.starts_with([' ', '\t', '#', ')', ']', '}']))
        })
    };
    let is_content = |line: &&str| !line.trim().is_empty();
    let above = text[..usize::from(start)].lines().rev().find(is_content);
    let below = text[usize::from(end)..].lines().find(is_content);
    !is_same_block(above) && !is_same_block(below)
}
