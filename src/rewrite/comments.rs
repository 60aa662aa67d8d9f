//! Comments that no new text holds.
//!
//! # FM236
//!
//! ## What it does
//!
//! Names a comment that stands inside code which is written anew, and for which the new code has no place.
//!
//! ## Why
//!
//! What somebody wrote down must not go without a word.
//!
//! ## Example
//!
//! ```python
//! from flytekit import map_task, task, workflow
//!
//!
//! @task
//! def square(n: int) -> int:
//!     return n * n
//!
//!
//! @workflow
//! def main() -> list[int]:
//!     return map_task(square)(
//!         n=[1, 2],  # the smallest
//!     )
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! env = flyte.TaskEnvironment(name="example")
//!
//!
//! @env.task
//! def square(n: int) -> int:
//!     return n * n
//!
//!
//! @env.task
//! def main() -> list[int]:
//!     return list(flyte.map(square, [1, 2], return_exceptions=False))
//! ```
//!
//! ## Fix safety
//!
//! Informs.
//!
//! ## Not handled
//!
//! Finding a new place for the comment.
//!
//! ## References
//!
//! The README: "Checks".

use std::collections::HashMap;

use super::imports::is_only_pragma;
use crate::edit::Edit;
use crate::python::{Ranged, TokenKind, parse};
use crate::rules::codes::DROPPED_COMMENT;
use crate::rules::{Effect, Finding};
use crate::source::TextRange;

/// The comments of a file that its edits take away and put nowhere else: what a user wrote never goes without a word.
pub(super) fn dropped(text: &str, edits: &[Edit]) -> Vec<Finding> {
    let may_hold_comment = |edit: &Edit| text[edit.range].contains('#');
    if !edits.iter().any(may_hold_comment) {
        return Vec::new();
    }
    let Ok(parsed) = parse(text) else { return Vec::new() };
    let comments =
        parsed.tokens().iter().filter(|token| token.kind() == TokenKind::Comment).map(Ranged::range);
    let mut kept: HashMap<&str, usize> = HashMap::new();
    let mut dropped: Vec<TextRange> = Vec::new();
    for comment in comments {
        let words = &text[comment];
        if !edits.iter().any(|edit| edit.range.contains_range(comment)) || is_only_pragma(words) {
            continue;
        }
        let left =
            kept.entry(words).or_insert_with(|| edits.iter().map(|edit| count(&edit.content, words)).sum());
        match left.checked_sub(1) {
            // Where the same words stand several times, those that go are not told from those that stay.
            Some(fewer) => *left = fewer,
            None => dropped.push(comment),
        }
    }
    let finding = |comment: TextRange| {
        let message = format!("`{}` has no place in the new code and is left out", &text[comment]);
        Finding::new(&DROPPED_COMMENT, comment, Effect::Info, message).help("Write it where it belongs now")
    };
    dropped.into_iter().map(finding).collect()
}

/// How many lines of a new text end with a comment.
fn count(content: &str, comment: &str) -> usize {
    content.lines().filter(|line| line.trim_end().ends_with(comment)).count()
}
