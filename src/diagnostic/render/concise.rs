//! One line for each finding: `path:row:column: CODE [*] message`.

use std::io::{self, Write};

use super::{Finding, Report, mark, printable};

/// Writes the findings, a line each, and nothing else.
///
/// # Errors
/// Whatever `out` returns.
pub fn render(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    report.findings().iter().try_for_each(|finding| writeln!(out, "{}", line(finding)))
}

fn line(finding: &Finding<'_>) -> String {
    let (filename, message) = (printable(finding.filename), printable(&finding.diagnostic.message));
    let (row, column, code) = (finding.start.row, finding.start.column, finding.diagnostic.rule.code);
    match mark(finding.diagnostic.status) {
        "" => format!("{filename}:{row}:{column}: {code} {message}"),
        mark => format!("{filename}:{row}:{column}: {code} {mark} {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::FileReport;
    use super::super::samples::{finding, source};
    use super::*;
    use crate::diagnostic::Status;

    #[test]
    fn each_finding_is_one_line() {
        let source = source("é = 1\nx = 2\n");
        let mut manual = finding(Some((7, 8)), Status::Manual);
        manual.message = "two\nlines\u{1b}[31m".into();
        let diagnostics = [
            finding(Some((3, 4)), Status::Fixable),
            manual,
            finding(Some((11, 12)), Status::Unsafe),
            finding(Some((12, 999)), Status::Info),
        ];
        let files = [FileReport { display: "a\r.py", source: Some(&source), diagnostics: &diagnostics }];
        let mut out = Vec::new();
        render(&Report::new(&files, 1), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "a .py:1:3: FM121 [*] `conda_packages` has no equivalent in `flyte.Image`\n\
             a .py:2:1: FM121 two lines�[31m\n\
             a .py:2:5: FM121 [~] `conda_packages` has no equivalent in `flyte.Image`\n\
             a .py:2:6: FM121 `conda_packages` has no equivalent in `flyte.Image`\n"
        );
    }

    #[test]
    fn a_finding_without_a_place_is_at_the_start() {
        let diagnostics = [finding(Some((5, 6)), Status::Manual)];
        let files = [FileReport { display: "a.py", source: None, diagnostics: &diagnostics }];
        let mut out = Vec::new();
        render(&Report::new(&files, 1), &mut out).unwrap();
        assert!(out.starts_with(b"a.py:1:1: FM121 `conda"));
    }
}
