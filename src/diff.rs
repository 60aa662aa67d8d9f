//! Unified diffs that `git apply` and `patch -p1` take.
//!
//! Lines are split at `\n` alone, as those tools do: a carriage return is one more byte of its line, so files with
//! CRLF, with lone carriage returns and with a byte order mark come out byte for byte.

use std::fmt::Write as _;
use std::ops::Range;

use colored::{Color, Colorize as _};
use similar::{Algorithm, ChangeTag, DiffOp, capture_diff_slices, group_diff_ops};

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The diff that turns `before` into `after`; empty where they are equal.
///
/// `display_path` is relative to the folder where the diff will be applied, with `/` between folders.
/// Both texts are whole files, byte order mark included.
pub fn unified_diff(display_path: &str, before: &str, after: &str) -> String {
    let path = display_path.trim_start_matches('/');
    render(&header_name("a/", path), &header_name("b/", path), before, after)
}

/// The diff that creates a file with `content`. A plain diff cannot create an empty file: nothing comes out for one.
pub fn new_file_diff(display_path: &str, content: &str) -> String {
    let path = display_path.trim_start_matches('/');
    render("/dev/null", &header_name("b/", path), "", content)
}

/// Colors a diff: added lines green, removed lines red, hunk headers cyan, file headers bold.
pub fn colorize(diff: &str) -> String {
    let lines: Vec<&str> = diff.split_inclusive('\n').collect();
    let mut out = String::with_capacity(diff.len() * 2);
    for (index, line) in lines.iter().enumerate() {
        let body = line.trim_end_matches(['\n', '\r']);
        out.push_str(&colorize_line(body, is_file_header(&lines, index)));
        out.push_str(&line[body.len()..]);
    }
    out
}

/// Colors one line, given without its line ending: the reset must come before a carriage return.
fn colorize_line(body: &str, is_header: bool) -> String {
    let color = match body.as_bytes().first() {
        _ if is_header => return body.bold().to_string(),
        Some(b'+') => Color::Green,
        Some(b'-') => Color::Red,
        Some(b'@') => Color::Cyan,
        _ => return body.to_owned(),
    };
    body.color(color).to_string()
}

/// Whether the line belongs to `---`, `+++`, `@@` in a row. A removed line may begin with `--` itself.
fn is_file_header(lines: &[&str], index: usize) -> bool {
    let begins = |index: usize, prefix: &str| lines.get(index).is_some_and(|line| line.starts_with(prefix));
    let is_first =
        |index: usize| begins(index, "--- ") && begins(index + 1, "+++ ") && begins(index + 2, "@@ ");
    is_first(index) || index.checked_sub(1).is_some_and(is_first)
}

/// Writes both headers and the hunks.
fn render(from: &str, to: &str, before: &str, after: &str) -> String {
    let (before, after) = (split_lines(before), split_lines(after));
    let ops = capture_diff_slices(Algorithm::Myers, &before, &after);
    let mut out = String::new();
    for hunk in group_diff_ops(ops, CONTEXT) {
        if out.is_empty() {
            let _ = write!(out, "--- {from}\n+++ {to}\n");
        }
        write_hunk(&mut out, &hunk, &before, &after);
    }
    out
}

/// Splits at `\n`, which stays with its line.
fn split_lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// Writes one hunk: its header and its lines.
fn write_hunk(out: &mut String, ops: &[DiffOp], before: &[&str], after: &[&str]) {
    let (Some(first), Some(last)) = (ops.first(), ops.last()) else { return };
    let removed = first.old_range().start..last.old_range().end;
    let added = first.new_range().start..last.new_range().end;
    let _ = writeln!(out, "@@ -{} +{} @@", hunk_range(&removed), hunk_range(&added));
    for change in ops.iter().flat_map(|op| op.iter_changes(before, after)) {
        out.push(match change.tag() {
            ChangeTag::Equal => ' ',
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        });
        out.push_str(change.value());
        if !change.value().ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// The lines of a hunk as its header has them: counted from 1, and the line before for an empty range.
fn hunk_range(lines: &Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        count => format!("{},{count}", lines.start + 1),
    }
}

/// The file name of a header as git writes it: with a tab behind a name that has spaces, so that what follows is not
/// taken for a date, and quoted as in C where it holds characters that would end the name or the line.
fn header_name(prefix: &str, path: &str) -> String {
    if path.chars().any(|c| c.is_control() || c == '"' || c == '\\') {
        return quote(&format!("{prefix}{path}"));
    }
    let tab = if path.contains(' ') { "\t" } else { "" };
    format!("{prefix}{path}{tab}")
}

/// Quotes as a C string, bytes that are not printable ASCII in octal.
fn quote(name: &str) -> String {
    let mut out = String::from("\"");
    for byte in name.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\{byte:03o}");
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_give_nothing() {
        assert_eq!(unified_diff("a.py", "x\n", "x\n"), "");
        assert_eq!(unified_diff("a.py", "", ""), "");
    }

    #[test]
    fn a_change_has_three_lines_of_context() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let after = before.replace('5', "five");
        assert_eq!(
            unified_diff("a/b.py", before, &after),
            "--- a/a/b.py\n+++ b/a/b.py\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
        );
    }

    #[test]
    fn a_missing_final_newline_is_said() {
        assert_eq!(
            unified_diff("a.py", "x", "y\n"),
            "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+y\n"
        );
    }

    #[test]
    fn a_new_file_comes_from_nowhere() {
        assert_eq!(new_file_diff("a.py", "x\n"), "--- /dev/null\n+++ b/a.py\n@@ -0,0 +1 @@\n+x\n");
    }

    #[test]
    fn an_absolute_path_loses_its_slash() {
        assert!(unified_diff("/tmp/a.py", "x\n", "y\n").starts_with("--- a/tmp/a.py\n+++ b/tmp/a.py\n"));
    }

    #[test]
    fn names_that_need_it_are_quoted() {
        assert_eq!(header_name("a/", "a b.py"), "a/a b.py\t");
        assert_eq!(header_name("a/", "a\"\t\\\u{e9}.py"), r#""a/a\"\011\\\303\251.py""#);
        assert_eq!(header_name("a/", "é.py"), "a/é.py");
    }

    #[test]
    fn a_removed_line_that_looks_like_a_header_is_red() {
        colored::control::set_override(true);
        let diff = unified_diff("a.py", "-- x\r\nsame\r\n", "++ y\r\nsame\r\n");
        let colors = colorize(&diff);
        let lines: Vec<&str> = colors.split('\n').collect();
        assert_eq!(lines[0], "\u{1b}[1m--- a/a.py\u{1b}[0m");
        assert_eq!(lines[2], "\u{1b}[36m@@ -1,2 +1,2 @@\u{1b}[0m");
        assert_eq!(lines[3], "\u{1b}[31m--- x\u{1b}[0m\r");
        assert_eq!(lines[4], "\u{1b}[32m+++ y\u{1b}[0m\r");
        assert_eq!(lines[5], " same\r");
    }
}
