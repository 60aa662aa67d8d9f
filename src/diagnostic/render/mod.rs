//! Prints findings: one file per format, all from the same [`Report`].
//!
//! Findings come out sorted by path, then by position, however they were put in.

use std::fmt;
use std::path::Path;
use std::rc::Rc;

use serde::Serialize;

use super::{Diagnostic, Status};
use crate::source::{LineIndex, Location, SourceFile, TextSize};

pub mod concise;
pub mod full;
pub mod json;

/// The findings of one file.
#[derive(Debug, Clone, Copy)]
pub struct FileReport<'a> {
    /// The path as it is shown.
    pub display: &'a str,
    /// The text that the findings are about; `None` if it could not be read.
    pub source: Option<&'a SourceFile>,
    /// The findings, in any order.
    pub diagnostics: &'a [Diagnostic],
}

/// The findings of a run.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The files, in any order; those without findings may be left out.
    pub files: &'a [FileReport<'a>],
    /// The counts.
    pub summary: Summary,
}

impl<'a> Report<'a> {
    /// Counts the findings of `files`, out of `files_checked` files that were looked at.
    pub fn new(files: &'a [FileReport<'a>], files_checked: usize) -> Self {
        Self { files, summary: Summary::new(files, files_checked) }
    }

    /// The findings in the order that they are printed in.
    fn findings(&self) -> Vec<Finding<'a>> {
        let mut files: Vec<&FileReport<'a>> = self.files.iter().collect();
        files.sort_by_key(|file| Path::new(file.display));
        files.into_iter().flat_map(findings_of_file).collect()
    }
}

/// One finding with what is needed to print it.
#[derive(Debug)]
struct Finding<'a> {
    filename: &'a str,
    diagnostic: &'a Diagnostic,
    start: Location,
    end: Location,
    /// The locations of the fix's edits, in the order of [`sorted_edits`].
    edits: Vec<(Location, Location)>,
    /// The text, if it is known.
    text: Option<&'a str>,
    /// The lines of the text.
    lines: Option<Rc<LineIndex>>,
}

/// The findings of one file, by position; those about the file as a whole come first.
fn findings_of_file<'a>(file: &FileReport<'a>) -> Vec<Finding<'a>> {
    let mut diagnostics: Vec<&Diagnostic> = file.diagnostics.iter().collect();
    if diagnostics.is_empty() {
        return Vec::new();
    }
    diagnostics.sort_by_key(|diagnostic| {
        (diagnostic.range.map(|range| (range.start(), range.end())), diagnostic.rule.code)
    });
    let text = file.source.map(|source| source.text.as_str());
    let lines = text.map(LineIndex::new).map(Rc::new);
    let locate = |offset: TextSize| match (text, &lines) {
        (Some(text), Some(lines)) => lines.location(text, offset),
        _ => Location::START,
    };
    let finding = |diagnostic: &'a Diagnostic| Finding {
        filename: file.display,
        diagnostic,
        start: diagnostic.range.map_or(Location::START, |range| locate(range.start())),
        end: diagnostic.range.map_or(Location::START, |range| locate(range.end())),
        edits: sorted_edits(diagnostic)
            .iter()
            .map(|edit| (locate(edit.range.start()), locate(edit.range.end())))
            .collect(),
        text,
        lines: lines.clone(),
    };
    diagnostics.into_iter().map(finding).collect()
}

/// The edits of a finding's fix, by position.
fn sorted_edits(diagnostic: &Diagnostic) -> Vec<&crate::edit::Edit> {
    let mut edits: Vec<_> = diagnostic.fix.iter().flat_map(|fix| &fix.edits).collect();
    edits.sort_by_key(|edit| (edit.range.start(), edit.range.end()));
    edits
}

/// The mark behind the code: `[*]` for what `--write` fixes, `[~]` for what also needs `--unsafe-fixes`.
fn mark(status: Status) -> &'static str {
    match status {
        Status::Fixed | Status::Fixable => "[*]",
        Status::Unsafe => "[~]",
        Status::Manual | Status::Info => "",
    }
}

/// The text on one line, without control characters: what a file name holds must not steer the terminal.
fn printable(text: &str) -> String {
    let visible = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(visible).collect()
}

/// How many of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The files that were looked at.
    pub files_checked: usize,
    /// Those with a finding that is more than information.
    pub files_with_findings: usize,
    /// The findings that are more than information: the sum of the next four.
    pub findings: usize,
    /// Those whose fix was written.
    pub fixed: usize,
    /// Those with a safe fix.
    pub fixable: usize,
    /// Those with an unsafe fix.
    #[serde(rename = "unsafe")]
    pub with_unsafe_fix: usize,
    /// Those that need work by hand.
    pub manual: usize,
    /// What is information only.
    pub info: usize,
}

impl Summary {
    /// Counts.
    pub fn new(files: &[FileReport<'_>], files_checked: usize) -> Self {
        let mut summary = Self { files_checked, ..Self::default() };
        for file in files {
            for diagnostic in file.diagnostics {
                *summary.count_mut(diagnostic.status) += 1;
            }
            let has_finding = file.diagnostics.iter().any(|diagnostic| diagnostic.status != Status::Info);
            summary.files_with_findings += usize::from(has_finding);
        }
        summary.findings = summary.fixed + summary.fixable + summary.with_unsafe_fix + summary.manual;
        summary
    }

    fn count_mut(&mut self, status: Status) -> &mut usize {
        match status {
            Status::Fixed => &mut self.fixed,
            Status::Fixable => &mut self.fixable,
            Status::Unsafe => &mut self.with_unsafe_fix,
            Status::Manual => &mut self.manual,
            Status::Info => &mut self.info,
        }
    }

    /// The parts behind the semicolon: what was and what can be done about the findings.
    fn parts(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if self.fixed > 0 {
            parts.push(format!("{} fixed", self.fixed));
        }
        match (self.fixable, self.with_unsafe_fix) {
            (0, 0) => {}
            (safe, 0) => parts.push(format!("{safe} fixable")),
            (0, risky) => parts.push(format!("{risky} fixable with --unsafe-fixes")),
            (safe, risky) => parts.push(format!("{} fixable ({risky} with --unsafe-fixes)", safe + risky)),
        }
        match self.manual {
            0 => {}
            1 => parts.push("1 needs hand work".to_owned()),
            manual => parts.push(format!("{manual} need hand work")),
        }
        parts
    }
}

impl fmt::Display for Summary {
    /// One line: "Found 7 findings in 3 files; 5 fixable (2 with --unsafe-fixes), 2 need hand work."
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let notes = plural(self.info, "note");
        match (self.findings, self.info) {
            (0, 0) => write!(f, "Nothing to migrate."),
            (0, _) => write!(f, "Nothing to migrate, and {notes}."),
            (findings, info) => {
                let (findings, files) =
                    (plural(findings, "finding"), plural(self.files_with_findings, "file"));
                write!(f, "Found {findings} in {files}; {}", self.parts().join(", "))?;
                if info > 0 { write!(f, ", and {notes}.") } else { write!(f, ".") }
            }
        }
    }
}

/// The count with its noun.
fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// What the tests of the formats share.
#[cfg(test)]
mod samples {
    use std::path::PathBuf;

    use crate::diagnostic::{Diagnostic, Rule, Severity, Status};
    use crate::source::{SourceFile, TextRange};

    static RULE: Rule = Rule { code: "FM121", name: "image-spec-conda-packages", summary: "Conda packages." };

    pub(super) fn source(text: &str) -> SourceFile {
        SourceFile {
            path: PathBuf::from("/p/train.py"),
            display: "train.py".into(),
            text: text.into(),
            has_bom: false,
        }
    }

    pub(super) fn finding(range: Option<(usize, usize)>, status: Status) -> Diagnostic {
        let size = |offset: usize| u32::try_from(offset).unwrap().into();
        Diagnostic {
            rule: &RULE,
            severity: if status == Status::Info { Severity::Info } else { Severity::Warning },
            message: "`conda_packages` has no equivalent in `flyte.Image`".into(),
            range: range.map(|(start, end)| TextRange::new(size(start), size(end))),
            help: None,
            notes: Vec::new(),
            fix: None,
            status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{finding, source};
    use super::*;

    fn line(fixed: usize, fixable: usize, with_unsafe_fix: usize, manual: usize, info: usize) -> String {
        let findings = fixed + fixable + with_unsafe_fix + manual;
        let files_with_findings = findings.min(3);
        Summary {
            files_checked: 9,
            files_with_findings,
            findings,
            fixed,
            fixable,
            with_unsafe_fix,
            manual,
            info,
        }
        .to_string()
    }

    #[test]
    fn the_summary_reads_as_a_sentence() {
        assert_eq!(
            line(0, 3, 2, 2, 0),
            "Found 7 findings in 3 files; 5 fixable (2 with --unsafe-fixes), 2 need hand work."
        );
        assert_eq!(line(0, 0, 0, 1, 0), "Found 1 finding in 1 file; 1 needs hand work.");
        assert_eq!(line(0, 0, 2, 0, 0), "Found 2 findings in 2 files; 2 fixable with --unsafe-fixes.");
        assert_eq!(line(0, 1, 0, 0, 3), "Found 1 finding in 1 file; 1 fixable, and 3 notes.");
        assert_eq!(
            line(4, 0, 0, 1, 1),
            "Found 5 findings in 3 files; 4 fixed, 1 needs hand work, and 1 note."
        );
        assert_eq!(line(0, 0, 0, 0, 0), "Nothing to migrate.");
        assert_eq!(line(0, 0, 0, 0, 1), "Nothing to migrate, and 1 note.");
    }

    #[test]
    fn information_is_counted_apart() {
        let (noted, found) =
            ([finding(None, Status::Info)], [finding(None, Status::Info), finding(None, Status::Unsafe)]);
        let files = [
            FileReport { display: "a.py", source: None, diagnostics: &noted },
            FileReport { display: "b.py", source: None, diagnostics: &found },
        ];
        let expected = Summary {
            files_checked: 5,
            files_with_findings: 1,
            findings: 1,
            with_unsafe_fix: 1,
            info: 2,
            ..Summary::default()
        };
        assert_eq!(Report::new(&files, 5).summary, expected);
    }

    #[test]
    fn findings_are_sorted_by_path_and_position() {
        let source = source("one\ntwo\n");
        let unsorted = [
            finding(Some((4, 7)), Status::Manual),
            finding(None, Status::Manual),
            finding(Some((0, 3)), Status::Manual),
        ];
        let single = [finding(Some((0, 1)), Status::Manual)];
        let files = [
            FileReport { display: "b.py", source: Some(&source), diagnostics: &unsorted },
            FileReport { display: "a/z.py", source: Some(&source), diagnostics: &single },
        ];
        let report = Report::new(&files, 2);
        let order: Vec<_> = report
            .findings()
            .iter()
            .map(|f| (f.filename, f.start.row, f.diagnostic.range.is_some()))
            .collect();
        assert_eq!(order, [("a/z.py", 1, true), ("b.py", 1, false), ("b.py", 1, true), ("b.py", 2, true)]);
    }
}
