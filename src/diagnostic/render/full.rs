//! Findings as rustc prints them, with the source line, and a summary line at the end.
//!
//! ```text
//! warning[FM121] [*]: `conda_packages` has no equivalent in `flyte.Image`
//!   --> train.py:12:5
//!    |
//! 12 |     conda_packages=["cudatoolkit=11.8"],
//!    |     ^^^^^^^^^^^^^^
//!    |
//! help: Install it with `with_commands`
//! ```

use std::borrow::Cow;
use std::io::{self, Write};
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Finding, Report, mark, printable};
use crate::diagnostic::Severity;

/// The most source, in bytes, that the library gets for one finding. It cuts long lines itself, but reads them whole.
const MAX_SOURCE: usize = 16 * 1024;

/// Writes the findings, an empty line behind each, and the summary.
///
/// # Errors
/// Whatever `out` returns.
pub fn render(report: &Report<'_>, is_colored: bool, out: &mut dyn Write) -> io::Result<()> {
    let renderer = if is_colored { Renderer::styled() } else { Renderer::plain() };
    for finding in report.findings() {
        writeln!(out, "{}\n", render_finding(&finding, &renderer))?;
    }
    writeln!(out, "{}", report.summary)
}

/// Renders one finding: its title, its source, then help and notes.
fn render_finding(finding: &Finding<'_>, renderer: &Renderer) -> String {
    let diagnostic = finding.diagnostic;
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let name = title_name(finding);
    let title = level.with_name(name).primary_title(diagnostic.message.as_str());
    let origin = Origin::path(printable(finding.filename));
    let mut groups = vec![match excerpt(finding) {
        None => title.element(origin.line(finding.start.row).char_column(finding.start.column)),
        Some(excerpt) => title.element(
            Snippet::source(excerpt.source)
                .line_start(excerpt.row)
                .path(printable(finding.filename))
                .annotation(AnnotationKind::Primary.span(excerpt.range)),
        ),
    }];
    let title_of_fix = diagnostic.fix.as_ref().map(|fix| &fix.title);
    if let Some(help) = diagnostic.help.as_ref().or(title_of_fix) {
        groups.push(Group::with_title(Level::HELP.secondary_title(help.as_str())));
    }
    for note in &diagnostic.notes {
        groups.push(Group::with_title(Level::NOTE.secondary_title(note.as_str())));
    }
    renderer.render(&groups)
}

/// `warning[FM121] [*]`: what stands before the colon of the first line.
fn title_name(finding: &Finding<'_>) -> String {
    let severity = match finding.diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let code = finding.diagnostic.rule.code;
    match mark(finding.diagnostic.status) {
        "" => format!("{severity}[{code}]"),
        mark => format!("{severity}[{code}] {mark}"),
    }
}

/// The part of the source that is shown.
struct Excerpt<'a> {
    source: Cow<'a, str>,
    row: usize,
    range: Range<usize>,
}

/// Cuts out the lines of a finding: all of them, else the first. `None` where even that would be too long.
fn excerpt<'a>(finding: &Finding<'a>) -> Option<Excerpt<'a>> {
    let (text, range, lines) = (finding.text?, finding.diagnostic.range?, finding.lines.as_ref()?);
    let row = finding.start.row;
    let first = lines.line_range(text, row);
    let all = first.start..lines.line_range(text, finding.end.row).end;
    let window = [all, first].into_iter().find(|window| window.len() <= MAX_SOURCE)?;
    // A range that does not fit must not make the library panic.
    let place = |offset| text.floor_char_boundary(offset).clamp(window.start, window.end) - window.start;
    let range = place(range.start().into())..place(range.end().into());
    Some(Excerpt { source: with_newlines(text.get(window)?), row, range })
}

/// The lines with `\n` for each lone carriage return, which the library takes for a character.
fn with_newlines(lines: &str) -> Cow<'_, str> {
    let is_lone = |index: usize| lines.as_bytes().get(index + 1) != Some(&b'\n');
    if !lines.match_indices('\r').any(|(index, _)| is_lone(index)) {
        return Cow::Borrowed(lines);
    }
    let convert = |(index, c): (usize, char)| if c == '\r' && is_lone(index) { '\n' } else { c };
    Cow::Owned(lines.char_indices().map(convert).collect())
}

#[cfg(test)]
mod tests {
    use super::super::FileReport;
    use super::super::samples::{finding, source};
    use super::*;
    use crate::diagnostic::{Diagnostic, Status};
    use crate::edit::{Applicability, Fix};
    use crate::source::SourceFile;

    fn rendered(source: Option<&SourceFile>, diagnostics: &[Diagnostic]) -> String {
        let files = [FileReport { display: "a/train.py", source, diagnostics }];
        let mut out = Vec::new();
        render(&Report::new(&files, 1), false, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// What is printed for one finding at `range` of `text`, without the summary.
    fn shown(text: &str, range: (usize, usize)) -> String {
        let all = rendered(Some(&source(text)), &[finding(Some(range), Status::Manual)]);
        all.split("\n\n").next().unwrap().to_owned()
    }

    #[test]
    fn a_finding_has_its_line_its_help_and_its_notes() {
        let mut manual = finding(Some((16, 30)), Status::Manual);
        manual.help = Some("Install it with `with_commands`".into());
        manual.notes = vec!["A fact.".into(), "Another.".into()];
        assert_eq!(
            rendered(Some(&source("x = ImageSpec(\n conda_packages=[],\n)\n")), &[manual]),
            "\
warning[FM121]: `conda_packages` has no equivalent in `flyte.Image`
 --> a/train.py:2:2
  |
2 |  conda_packages=[],
  |  ^^^^^^^^^^^^^^
  |
help: Install it with `with_commands`
note: A fact.
note: Another.

Found 1 finding in 1 file; 1 needs hand work.
"
        );
    }

    #[test]
    fn marks_say_what_a_fix_needs_and_its_title_helps() {
        let mut fixable = finding(Some((0, 1)), Status::Fixable);
        fixable.fix = Some(Fix {
            title: "Rename it".into(),
            applicability: Applicability::Safe,
            edits: vec![],
            creates: vec![],
        });
        let mut error = finding(None, Status::Manual);
        error.severity = Severity::Error;
        let diagnostics =
            [fixable, finding(Some((0, 1)), Status::Unsafe), error, finding(Some((1, 1)), Status::Info)];
        let all = rendered(Some(&source("x")), &diagnostics);
        let titles: Vec<&str> =
            all.lines().filter_map(|line| line.split_once(": `").map(|(name, _)| name)).collect();
        assert_eq!(titles, ["error[FM121]", "warning[FM121] [*]", "warning[FM121] [~]", "info[FM121]"]);
        assert!(all.contains("\nhelp: Rename it\n"), "{all}");
        assert!(
            all.ends_with("; 2 fixable (1 with --unsafe-fixes), 1 needs hand work, and 1 note.\n"),
            "{all}"
        );
    }

    #[test]
    fn a_finding_without_text_has_its_path_only() {
        let all = rendered(None, &[finding(None, Status::Manual), finding(Some((3, 4)), Status::Manual)]);
        assert_eq!(all.matches("--> a/train.py:1:1\n\n").count(), 2, "{all}");
    }

    #[test]
    fn nothing_found_is_said() {
        assert_eq!(rendered(None, &[]), "Nothing to migrate.\n");
    }

    #[test]
    fn a_long_call_is_folded() {
        let text = format!("x = f(\n{})\n", "    1,\n".repeat(50));
        let all = shown(&text, (4, text.len() - 1));
        assert!(all.contains("...") && all.lines().count() < 16, "{all}");
    }

    #[test]
    fn every_line_ending_and_odd_character_is_shown_in_place() {
        assert!(shown("a = 1\r\n\tb = 2\r\n", (8, 9)).ends_with(":2:2\n  |\n2 |     b = 2\n  |     ^"));
        assert!(shown("a = 1\rb = 2\rc", (6, 7)).ends_with(":2:1\n  |\n2 | b = 2\n  | ^"));
        assert!(shown("a\rb\rc", (2, 5)).ends_with("2 | / b\n3 | | c\n  | |_^"));
        assert!(shown("a\n\u{c}\u{1b}b", (4, 5)).ends_with(":2:3\n  |\n2 | ␌␛b\n  |   ^"));
        assert!(shown("x = '日'  # é", (5, 8)).ends_with(":1:6\n  |\n1 | x = '日'  # é\n  |      ^^"));
    }

    #[test]
    fn a_range_that_does_not_fit_does_no_harm() {
        for (text, range) in [("", (0, 0)), ("", (3, 9)), ("é", (1, 1)), ("a\n", (2, 2)), ("a\n\n", (1, 99))]
        {
            assert!(shown(text, range).contains("a/train.py:"), "{text:?}");
        }
    }

    #[test]
    fn a_huge_line_does_not_blow_up_the_output() {
        let text = format!("x = [{}]\ny = 1\n", "1234, ".repeat(200_000));
        let inside = shown(&text, (600_000, 600_010));
        assert!(inside.ends_with("--> a/train.py:1:600001"), "{inside}");
        assert!(shown(&text, (0, text.len())).len() < 200);
        let medium = format!("x = [{}]\n", "1234, ".repeat(1000));
        let excerpt = shown(&medium, (3000, 3004));
        assert!(excerpt.len() < 700 && excerpt.contains("1:3001") && excerpt.contains("^^^^"), "{excerpt}");
        let before = format!("y = f(\n{text})\n");
        assert!(shown(&before, (0, before.len() - 1)).contains("1 | y = f("));
    }

    #[test]
    fn colors_come_only_when_asked_for() {
        let diagnostics = [finding(None, Status::Manual)];
        let files = [FileReport { display: "a.py", source: None, diagnostics: &diagnostics }];
        let mut out = Vec::new();
        render(&Report::new(&files, 1), true, &mut out).unwrap();
        assert!(out.contains(&0x1b));
        assert!(!rendered(None, &diagnostics).contains('\u{1b}'));
    }
}
