//! Where a requirement can be put into, or taken out of, the text of a list, so that everything else stays as it is.
//!
//! ```toml
//! dependencies = [
//!     "flyte>=2.12.1",         # put before the line of flytekit, whose comment stays with it
//!     "flytekit>=1.10",  # old
//! ]
//! ```

use crate::edit::Edit;
use crate::source::{TextRange, TextSize};

/// How a requirement is put before another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Insertion {
    at: TextSize,
    before: String,
    after: String,
}

impl Insertion {
    /// On a line of its own, before the line that `range` begins; `None` if something else stands before `range` on
    /// its line. `before` and `after` are the quotes and the separator.
    pub(super) fn line(text: &str, range: TextRange, before: &str, after: &str) -> Option<Self> {
        let start = line_start(text, range.start());
        let indent = &text[TextRange::new(start, range.start())];
        is_blank(indent).then(|| Self {
            at: start,
            before: format!("{indent}{before}"),
            after: format!("{after}{}", newline(text, range.end())),
        })
    }

    /// On a line of its own, with all that stands before `range` on its line, and the quote behind it.
    pub(super) fn item(text: &str, range: TextRange) -> Self {
        let start = line_start(text, range.start());
        let before = &text[TextRange::new(start, range.start())];
        let quote = before.chars().next_back().filter(|c| matches!(c, '"' | '\''));
        let after = format!("{}{}", quote.map_or(String::new(), String::from), newline(text, range.end()));
        Self { at: start, before: before.to_owned(), after }
    }

    /// On the same line.
    fn inline(range: TextRange, before: &str, after: &str) -> Self {
        Self { at: range.start(), before: before.to_owned(), after: format!("{after} ") }
    }

    /// The edit that inserts `written`.
    pub(super) fn edit(&self, written: &str) -> Edit {
        Edit::insertion(self.at, format!("{}{written}{}", self.before, self.after))
    }
}

/// How another element is put before the one at `elements[index]` of a list with commas, quotes included in the ranges.
pub(super) fn insertion_in_list(text: &str, elements: &[TextRange], index: usize) -> Insertion {
    let element = elements[index];
    let quote = text[element].get(..1).unwrap_or("\"");
    let after = format!("{quote},");
    Insertion::line(text, element, quote, &after).unwrap_or_else(|| Insertion::inline(element, quote, &after))
}

/// What takes the element at `elements[index]` out of a list with commas.
pub(super) fn removal_in_list(text: &str, elements: &[TextRange], index: usize) -> Option<Vec<Edit>> {
    let element = elements[index];
    let rest = &text[usize::from(element.end())..];
    let comma = rest.trim_start_matches([' ', '\t']);
    let has_comma = comma.starts_with(',');
    let end = if has_comma { element.end() + size(rest.len() - comma.len() + 1) } else { element.end() };
    if let Some(edit) = remove_line(text, TextRange::new(element.start(), end)) {
        return Some(vec![edit]);
    }
    if let Some(next) = elements.get(index + 1) {
        let between = &text[TextRange::new(element.end(), next.start())];
        // A comment between them belongs to one of the two.
        return (!between.contains('#'))
            .then(|| vec![Edit::deletion(TextRange::new(element.start(), next.start()))]);
    }
    let start = match index.checked_sub(1) {
        Some(previous) => elements[previous].end(),
        None => element.start(),
    };
    let between = &text[TextRange::new(start, element.start())];
    (!between.contains('#')).then(|| vec![Edit::deletion(TextRange::new(start, end))])
}

/// Removes the lines of `range` if nothing else stands on them; a comment behind it stays, on a line of its own.
pub(super) fn remove_line(text: &str, range: TextRange) -> Option<Edit> {
    let start = line_start(text, range.start());
    let end = line_end(text, range.end());
    let indent = &text[TextRange::new(start, range.start())];
    let rest = text[TextRange::new(range.end(), end)].trim();
    if !is_blank(indent) {
        return None;
    }
    if rest.is_empty() {
        return Some(Edit::deletion(TextRange::new(start, next_line(text, end))));
    }
    let comment = range.end() + size(text[TextRange::new(range.end(), end)].find('#')?);
    rest.starts_with('#').then(|| Edit::deletion(TextRange::new(range.start(), comment)))
}

/// Whether only white space stands there, or the comment mark of a script header.
fn is_blank(indent: &str) -> bool {
    indent.strip_prefix('#').unwrap_or(indent).trim().is_empty()
}

/// The line ending behind `offset`, or the first of the text.
fn newline(text: &str, offset: TextSize) -> &'static str {
    let offset = usize::from(offset);
    match text[offset..].find('\n').map(|at| at + offset).or_else(|| text.find('\n')) {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

pub(super) fn line_start(text: &str, offset: TextSize) -> TextSize {
    size(text[..usize::from(offset)].rfind('\n').map_or(0, |at| at + 1))
}

/// The end of the line without its line ending.
fn line_end(text: &str, offset: TextSize) -> TextSize {
    let rest = &text[usize::from(offset)..];
    let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
    offset + size(line.strip_suffix('\r').unwrap_or(line).len())
}

fn next_line(text: &str, end: TextSize) -> TextSize {
    let rest = &text[usize::from(end)..];
    end + size(rest.find('\n').map_or(rest.len(), |at| at + 1))
}

/// A length of a text, which `source` keeps below 4 GiB.
pub(super) fn size(length: usize) -> TextSize {
    TextSize::try_from(length).unwrap_or_default()
}

/// The range of these bytes.
pub(super) fn range(bytes: std::ops::Range<usize>) -> TextRange {
    TextRange::new(size(bytes.start), size(bytes.end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::apply;

    /// The ranges of the strings in quotes.
    fn strings(text: &str) -> Vec<TextRange> {
        let quotes: Vec<usize> = text.match_indices('"').map(|(at, _)| at).collect();
        quotes.chunks(2).map(|pair| range(pair[0]..pair[1] + 1)).collect()
    }

    #[test]
    fn an_element_is_taken_out_with_its_comma() {
        for (before, index, after) in [
            ("[\"a\", \"b\", \"c\"]", 1, "[\"a\", \"c\"]"),
            ("[\"a\", \"b\"]", 1, "[\"a\"]"),
            ("[\"a\", \"b\"]", 0, "[\"b\"]"),
            ("[\"a\"]", 0, "[]"),
            ("[\"a\", \"b\",]", 1, "[\"a\"]"),
            ("[\n  \"a\",\n  \"b\",\n]", 0, "[\n  \"b\",\n]"),
            ("[\n  \"a\",\n  \"b\"\n]", 1, "[\n  \"a\",\n]"),
            ("[\r\n  \"a\",\r\n  \"b\"\r\n]", 0, "[\r\n  \"b\"\r\n]"),
            ("[\n  \"a\",  # why\n  \"b\",\n]", 0, "[\n  # why\n  \"b\",\n]"),
            ("[\n  \"a\", \"b\",  # why\n  \"c\",\n]", 0, "[\n  \"b\",  # why\n  \"c\",\n]"),
        ] {
            let edits = removal_in_list(before, &strings(before), index).unwrap();
            assert_eq!(apply(before, &edits).unwrap(), after, "{before}");
        }
    }

    #[test]
    fn an_element_is_put_before_another_as_that_is_written() {
        for (before, index, after) in [
            ("[\"a\", \"b\"]", 1, "[\"a\", \"x\", \"b\"]"),
            ("[\n\t\"a\",  # why\n]", 0, "[\n\t\"x\",\n\t\"a\",  # why\n]"),
            ("[\r\n  \"a\"\r\n]", 0, "[\r\n  \"x\",\r\n  \"a\"\r\n]"),
            ("#   \"a\",\n", 0, "#   \"x\",\n#   \"a\",\n"),
        ] {
            let edit = insertion_in_list(before, &strings(before), index).edit("x");
            assert_eq!(apply(before, &[edit]).unwrap(), after, "{before}");
        }
    }
}
