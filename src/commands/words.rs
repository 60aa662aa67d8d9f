//! The words of a command in a script, without running a shell: quotes and variables are left as they are.
//!
//! ```sh
//! pyflyte run --remote \
//!     "$FILE" main --n ${N:-1} && echo done     # run, --remote, "$FILE", main, --n, ${N:-1}
//! ```

use crate::source::{TextRange, TextSize};

/// A word of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// As it is written, quotes included.
    pub(super) text: &'a str,
    /// Where.
    pub(super) range: TextRange,
}

impl<'a> Word<'a> {
    /// The word between two places; `None` if they do not fit the text.
    pub(super) fn new(text: &'a str, start: usize, end: usize) -> Option<Self> {
        Some(Self { text: text.get(start..end)?, range: TextRange::new(size(start), size(end)) })
    }

    /// The word without quotes around it.
    pub(super) fn unquoted(&self) -> &'a str {
        let text = self.text;
        ['"', '\''].iter().find_map(|&quote| text.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(text)
    }
}

/// The words from `start` to the end of the command: of the line, unless it goes on behind a backslash, or what a
/// shell, a list or a string ends it with.
pub(super) fn words(text: &str, start: usize) -> Vec<Word<'_>> {
    let outer = outer_quote(text, start);
    let mut words = Vec::new();
    let mut at = start;
    while let Some(next) = skip_blanks(text, at) {
        let end = word_end(text, next, outer);
        if end == next {
            break;
        }
        words.extend(Word::new(text, next, end));
        at = end;
    }
    words
}

/// The quote of the string that holds `at`, as far as its line tells.
pub(super) fn outer_quote(text: &str, at: usize) -> Option<char> {
    let line = &text[text[..at].rfind('\n').map_or(0, |end| end + 1)..at];
    let mut open = None;
    let mut is_escaped = false;
    for c in line.chars() {
        match (open, c) {
            _ if is_escaped => is_escaped = false,
            (_, '\\') => is_escaped = true,
            (Some(quote), c) if c == quote => open = None,
            (None, '"' | '\'' | '`') => open = Some(c),
            _ => {}
        }
    }
    open
}

/// Where the next word begins; `None` at the end of the line.
fn skip_blanks(text: &str, mut at: usize) -> Option<usize> {
    loop {
        let rest = &text[at..];
        at += match rest.chars().next()? {
            ' ' | '\t' => 1,
            '\\' if rest[1..].starts_with('\n') => 2,
            '\\' if rest[1..].starts_with("\r\n") => 3,
            '\n' | '\r' | '#' => return None,
            _ => return Some(at),
        };
    }
}

/// Where the word at `start` ends.
fn word_end(text: &str, start: usize, outer: Option<char>) -> usize {
    let mut at = start;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let closed = |open: &str, close: &str| {
            let inside = rest.strip_prefix(open)?;
            let line = &inside[..inside.find('\n').unwrap_or(inside.len())];
            line.find(close).map(|end| open.len() + end + close.len())
        };
        at += match c {
            c if Some(c) == outer => break,
            ' ' | '\t' | '\n' | '\r' | ';' | '&' | '|' | ')' | '`' | '<' | '>' | ',' => break,
            '\\' if rest[1..].starts_with(['\n', '\r']) => break,
            '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            '"' => closed("\"", "\"").unwrap_or(1),
            '\'' => closed("'", "'").unwrap_or(1),
            '$' if rest.starts_with("${{") => closed("${{", "}}").unwrap_or(1),
            '$' if rest.starts_with("${") => closed("${", "}").unwrap_or(1),
            '$' if rest.starts_with("$(") => closed("$(", ")").unwrap_or(1),
            '{' if rest.starts_with("{{") => closed("{{", "}}").unwrap_or(1),
            c => c.len_utf8(),
        };
    }
    at
}

fn size(offset: usize) -> TextSize {
    // `source` reads no file of 4 GiB.
    TextSize::try_from(offset).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        let start = text.find("run").unwrap();
        words(text, start).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_end_where_a_shell_ends_them() {
        for (line, expected) in [
            ("run a.py wf --n 1", vec!["run", "a.py", "wf", "--n", "1"]),
            ("run a.py wf && x", vec!["run", "a.py", "wf"]),
            ("run a.py wf | tee x", vec!["run", "a.py", "wf"]),
            ("run a.py wf > x", vec!["run", "a.py", "wf"]),
            ("(run a.py wf)", vec!["run", "a.py", "wf"]),
            ("run a.py  # why", vec!["run", "a.py"]),
            ("run \\\n    --remote \\\r\n  a.py\nnext", vec!["run", "--remote", "a.py"]),
            (
                "run \"$F\" 'a b' ${X:-1} $(date +%F) ${{ inputs.x }}",
                vec!["run", "\"$F\"", "'a b'", "${X:-1}", "$(date +%F)", "${{ inputs.x }}"],
            ),
            ("x = \"run a.py wf --s 'a b'\"", vec!["run", "a.py", "wf", "--s", "'a b'"]),
            ("Use `run a.py wf` here", vec!["run", "a.py", "wf"]),
            ("run a\\ b --x={\"a\":1}", vec!["run", "a\\ b", "--x={\"a\":1}"]),
        ] {
            assert_eq!(split(line), expected, "{line}");
        }
    }
}
