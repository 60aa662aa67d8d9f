//! Text edits: byte ranges of the original source and what replaces them.
//!
//! An [`Edit`] never names Python; it is a range and a text.
//! Edits that only make sense together live in one [`Fix`].

use crate::source::{TextRange, TextSize};
use thiserror::Error;

/// A byte range of the original text and the text that takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty for an insertion.
    pub range: TextRange,
    /// What stands there afterwards; empty for a deletion.
    pub content: String,
}

impl Edit {
    /// Replaces `range` by `content`.
    pub fn replacement(range: TextRange, content: impl Into<String>) -> Self {
        Self { range, content: content.into() }
    }

    /// Inserts `content` before the byte at `offset`.
    pub fn insertion(offset: TextSize, content: impl Into<String>) -> Self {
        Self { range: TextRange::empty(offset), content: content.into() }
    }

    /// Removes `range`.
    pub fn deletion(range: TextRange) -> Self {
        Self { range, content: String::new() }
    }
}

/// How far a fix can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Applicability {
    /// The result parses, but images, results or the set-up needed may differ. Applied with `--unsafe-fixes`.
    Unsafe,
    /// Same images and same results on Flyte 2. Applied by default.
    Safe,
}

/// Edits of one file that are applied together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What the fix does, as an imperative sentence.
    pub title: String,
    /// How far it can be trusted.
    pub applicability: Applicability,
    /// The edits, disjoint, in any order.
    pub edits: Vec<Edit>,
    /// Files that come with them.
    pub creates: Vec<NewFile>,
}

/// A file that a fix creates. It is never written over one that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its path, from the folder of the file that the fix belongs to, with `/`.
    pub path: String,
    /// What is in it.
    pub content: String,
}

/// Why edits could not be applied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApplyError {
    /// Two different edits touch the same bytes.
    #[error("two edits overlap at bytes {0}..{1}")]
    Overlap(u32, u32),
    /// An edit reaches past the end of the text or cuts a character in two.
    #[error("an edit at bytes {0}..{1} does not fit the text")]
    OutOfBounds(u32, u32),
}

/// Applies `edits` to `text`, in any order but for insertions at one place. Identical edits count once; bytes outside the edits are copied as they are.
///
/// # Errors
/// [`ApplyError`] if two different edits overlap, or an edit does not fit the text; nothing is applied then.
pub fn apply(text: &str, edits: &[Edit]) -> Result<String, ApplyError> {
    let mut sorted: Vec<&Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        if !sorted.contains(&edit) {
            sorted.push(edit);
        }
    }
    // Stable: insertions at one place stand in the order in which they are given.
    sorted.sort_by_key(|edit| (edit.range.start(), edit.range.end()));
    let mut out =
        String::with_capacity(text.len() + sorted.iter().map(|edit| edit.content.len()).sum::<usize>());
    let mut position = 0;
    for edit in sorted {
        let (start, end) = (usize::from(edit.range.start()), usize::from(edit.range.end()));
        if start < position {
            return Err(ApplyError::Overlap(edit.range.start().into(), edit.range.end().into()));
        }
        let (Some(gap), Some(_)) = (text.get(position..start), text.get(start..end)) else {
            return Err(ApplyError::OutOfBounds(edit.range.start().into(), edit.range.end().into()));
        };
        out.push_str(gap);
        out.push_str(&edit.content);
        position = end;
    }
    out.push_str(text.get(position..).unwrap_or_default());
    Ok(out)
}

/// The place in the original text of what stands at `range` in the new one: of what an edit wrote, what it replaced.
pub fn origin(edits: &[Edit], range: TextRange) -> TextRange {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.range.start(), edit.range.end()));
    sorted.dedup();
    // Where the text behind the last edit begins, in the new text and in the original.
    let (mut new, mut old) = (TextSize::from(0), TextSize::from(0));
    for edit in sorted {
        let start = new + (edit.range.start() - old);
        let end = start + TextSize::of(&edit.content);
        if range.start() < start {
            break;
        }
        if range.start() < end {
            return edit.range;
        }
        (new, old) = (end, edit.range.end());
    }
    TextRange::at(old + (range.start() - new), range.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u32, end: u32) -> TextRange {
        TextRange::new(start.into(), end.into())
    }

    #[test]
    fn bytes_outside_the_edits_are_copied() {
        let edits = [
            Edit::replacement(range(4, 5), "Y"),
            Edit::insertion(0.into(), ">"),
            Edit::deletion(range(1, 2)),
        ];
        assert_eq!(apply("abcdef", &edits).unwrap(), ">acdYf");
    }

    #[test]
    fn what_an_edit_wrote_comes_from_what_it_replaced() {
        let edits = [Edit::replacement(range(4, 5), "YYY"), Edit::insertion(0.into(), ">")];
        // `>abcdYYYf`
        assert_eq!(origin(&edits, range(0, 1)), range(0, 0));
        assert_eq!(origin(&edits, range(2, 4)), range(1, 3));
        assert_eq!(origin(&edits, range(6, 7)), range(4, 5));
        assert_eq!(origin(&edits, range(8, 9)), range(5, 6));
    }

    #[test]
    fn identical_edits_count_once() {
        let edits = [Edit::insertion(1.into(), "x"), Edit::insertion(1.into(), "x")];
        assert_eq!(apply("ab", &edits).unwrap(), "axb");
    }

    #[test]
    fn overlapping_edits_are_refused() {
        let edits = [Edit::deletion(range(0, 3)), Edit::replacement(range(2, 4), "x")];
        assert_eq!(apply("abcdef", &edits), Err(ApplyError::Overlap(2, 4)));
    }

    #[test]
    fn an_edit_inside_a_character_is_refused() {
        assert_eq!(apply("é", &[Edit::deletion(range(1, 2))]), Err(ApplyError::OutOfBounds(1, 2)));
    }
}
