//! Edits of one piece of code, from the inside out: what stands around an expression takes its new text.
//!
//! ```python
//! a = step(n=FlyteFile(path))      # first `FlyteFile(path)` is written anew, then the call that holds it
//! ```

use crate::edit::Edit;
use crate::source::{TextRange, TextSize};

/// Edits of a text that are still growing together.
///
/// Whoever replaces a range that holds edits takes them first, with [`Rewriter::take`]. Forgetting that leaves edits
/// that overlap, which [`apply`](crate::edit::apply) refuses.
#[derive(Debug, Clone)]
pub struct Rewriter<'a> {
    text: &'a str,
    edits: Vec<Edit>,
    /// Those of the edits that stay outside of what is put around an expression later.
    outer: Vec<Edit>,
}

impl<'a> Rewriter<'a> {
    /// No edits of `text` yet.
    pub fn new(text: &'a str) -> Self {
        Self { text, edits: Vec::new(), outer: Vec::new() }
    }

    /// Puts `content` in place of `range`, which holds no edits.
    pub fn replace(&mut self, range: TextRange, content: impl Into<String>) {
        self.edits.push(Edit::replacement(range, content.into()));
    }

    /// Adds an edit of a range that holds none. What it puts at an end of an expression is done with the value that the
    /// expression gives in the end, whatever is put around it.
    pub fn push(&mut self, edit: Edit) {
        if edit.range.is_empty() {
            self.outer.push(edit.clone());
        }
        self.edits.push(edit);
    }

    /// Whether exactly `range` is written anew.
    pub fn is_replaced(&self, range: TextRange) -> bool {
        self.edits.iter().any(|edit| edit.range == range)
    }

    /// Takes `range` out, which holds no edits.
    pub fn remove(&mut self, range: TextRange) {
        self.edits.push(Edit::deletion(range));
    }

    /// Puts `content` at `offset`.
    pub fn insert(&mut self, offset: TextSize, content: impl Into<String>) {
        self.edits.push(Edit::insertion(offset, content.into()));
    }

    /// Puts `before` and `after` around `range`, outside of what was put there already.
    pub fn surround(&mut self, range: TextRange, before: &str, after: &str) {
        let is_outer =
            |edit: &&Edit, offset| edit.range == TextRange::empty(offset) && self.outer.contains(edit);
        let first = self.edits.iter().rposition(|edit| is_outer(&edit, range.start())).map_or(0, |at| at + 1);
        self.edits.insert(first, Edit::insertion(range.start(), before));
        let last =
            self.edits.iter().position(|edit| is_outer(&edit, range.end())).unwrap_or(self.edits.len());
        self.edits.insert(last, Edit::insertion(range.end(), after));
    }

    /// Puts `before` and `after` around `range`, inside of what was put there already.
    pub fn surround_closely(&mut self, range: TextRange, before: &str, after: &str) {
        self.edits.push(Edit::insertion(range.start(), before));
        self.edits.insert(0, Edit::insertion(range.end(), after));
    }

    /// The text of `range` as it will be. The edits in it are taken out, because the caller writes their text anew.
    pub fn take(&mut self, range: TextRange) -> String {
        let text = self.text_of(range);
        self.edits.retain(|edit| !range.contains_range(edit.range));
        text
    }

    /// The text of `range` as it will be.
    pub fn text_of(&self, range: TextRange) -> String {
        let mut inside: Vec<&Edit> =
            self.edits.iter().filter(|edit| range.contains_range(edit.range)).collect();
        inside.sort_by_key(|edit| (edit.range.start(), edit.range.end()));
        let mut text = String::new();
        let mut offset = range.start();
        for edit in inside {
            // What overlaps is refused when all edits are applied.
            if edit.range.start() >= offset {
                text.push_str(&self.text[TextRange::new(offset, edit.range.start())]);
                text.push_str(&edit.content);
                offset = edit.range.end();
            }
        }
        text.push_str(&self.text[TextRange::new(offset, range.end())]);
        text
    }

    /// Whether anything in `range` is written anew.
    pub fn touches(&self, range: TextRange) -> bool {
        self.edits.iter().any(|edit| range.contains_range(edit.range))
    }

    /// All edits, in order; what is put at one place is one edit.
    pub fn into_edits(mut self) -> Vec<Edit> {
        self.edits.sort_by_key(|edit| (edit.range.start(), edit.range.end()));
        let mut edits: Vec<Edit> = Vec::with_capacity(self.edits.len());
        for edit in self.edits {
            match edits.last_mut() {
                Some(last) if last.range.is_empty() && last.range == edit.range => {
                    last.content.push_str(&edit.content);
                }
                _ => edits.push(edit),
            }
        }
        edits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u32, end: u32) -> TextRange {
        TextRange::new(start.into(), end.into())
    }

    #[test]
    fn what_is_put_around_something_stands_outside_of_what_was_there() {
        let mut rewriter = Rewriter::new("f(x)");
        rewriter.surround(range(0, 4), "(await ", ")");
        rewriter.surround(range(0, 4), "float(", ")");
        assert_eq!(rewriter.text_of(range(0, 4)), "float((await f(x)))");
        assert_eq!(rewriter.into_edits().len(), 2);
    }

    #[test]
    fn an_outer_construct_takes_the_new_text_of_what_it_holds() {
        let mut rewriter = Rewriter::new("f(g(x), y)");
        rewriter.replace(range(2, 3), "h");
        rewriter.insert(8.into(), "await ");
        assert!(rewriter.touches(range(2, 6)));
        assert_eq!(rewriter.take(range(2, 6)), "h(x)");
        assert!(!rewriter.touches(range(2, 6)));
        rewriter.replace(range(2, 6), "z");
        assert_eq!(rewriter.text_of(range(0, 10)), "f(z, await y)");
        assert_eq!(rewriter.into_edits().len(), 2);
    }
}
