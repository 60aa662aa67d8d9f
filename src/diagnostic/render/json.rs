//! One JSON object with the counts and all findings, for other programs.
//!
//! The form is a promise: `version` changes when a field goes or changes its meaning.

use std::io::{self, Write};

use serde::Serialize;

use super::{Finding, Report, Summary, sorted_edits};
use crate::diagnostic::{Severity, Status};
use crate::edit::{Applicability, Fix};
use crate::source::Location;

/// The version of the form.
const VERSION: u32 = 1;

/// Writes the object, indented, and a newline.
///
/// # Errors
/// Whatever `out` returns.
pub fn render(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let findings = report.findings();
    let diagnostics = findings.iter().map(JsonDiagnostic::new).collect();
    let object = JsonReport { version: VERSION, summary: report.summary, diagnostics };
    serde_json::to_writer_pretty(&mut *out, &object)?;
    writeln!(out)
}

#[derive(Serialize)]
struct JsonReport<'a> {
    version: u32,
    summary: Summary,
    diagnostics: Vec<JsonDiagnostic<'a>>,
}

#[derive(Serialize)]
struct JsonDiagnostic<'a> {
    code: &'a str,
    name: &'a str,
    severity: Severity,
    status: Status,
    message: &'a str,
    filename: &'a str,
    location: Location,
    end_location: Location,
    help: Option<&'a str>,
    fix: Option<JsonFix<'a>>,
}

impl<'a> JsonDiagnostic<'a> {
    fn new(finding: &'a Finding<'a>) -> Self {
        let diagnostic = finding.diagnostic;
        Self {
            code: diagnostic.rule.code,
            name: diagnostic.rule.name,
            severity: diagnostic.severity,
            status: diagnostic.status,
            message: &diagnostic.message,
            filename: finding.filename,
            location: finding.start,
            end_location: finding.end,
            help: diagnostic.help.as_deref(),
            fix: diagnostic.fix.as_ref().map(|fix| JsonFix::new(fix, finding)),
        }
    }
}

#[derive(Serialize)]
struct JsonFix<'a> {
    applicability: &'static str,
    title: &'a str,
    edits: Vec<JsonEdit<'a>>,
    /// Files that come with the edits; left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    creates: Vec<JsonNewFile<'a>>,
}

#[derive(Serialize)]
struct JsonNewFile<'a> {
    path: &'a str,
    content: &'a str,
}

impl<'a> JsonFix<'a> {
    fn new(fix: &'a Fix, finding: &Finding<'a>) -> Self {
        let applicability = match fix.applicability {
            Applicability::Safe => "safe",
            Applicability::Unsafe => "unsafe",
        };
        let edits = sorted_edits(finding.diagnostic).into_iter().zip(&finding.edits);
        let edits = edits
            .map(|(edit, &(location, end_location))| JsonEdit {
                content: &edit.content,
                location,
                end_location,
            })
            .collect();
        let creates = fix.creates.iter();
        let creates = creates.map(|file| JsonNewFile { path: &file.path, content: &file.content }).collect();
        Self { applicability, title: &fix.title, edits, creates }
    }
}

#[derive(Serialize)]
struct JsonEdit<'a> {
    content: &'a str,
    location: Location,
    end_location: Location,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::FileReport;
    use super::super::samples::{finding, source};
    use super::*;
    use crate::edit::Edit;
    use crate::source::TextRange;

    fn rendered(files: &[FileReport<'_>]) -> serde_json::Value {
        let mut out = Vec::new();
        render(&Report::new(files, 4), &mut out).unwrap();
        assert!(out.ends_with(b"}\n"));
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn the_object_is_as_documented() {
        let source = source("é = 1\nx = 2\n");
        let mut fixable = finding(Some((7, 8)), Status::Fixable);
        fixable.help = Some("Do it".into());
        fixable.notes = vec!["A fact".into()];
        fixable.fix = Some(Fix {
            creates: Vec::new(),
            title: "Rename it".into(),
            applicability: Applicability::Safe,
            edits: vec![
                Edit::insertion(12.into(), "3"),
                Edit::replacement(TextRange::new(7.into(), 8.into()), "y\"\u{1b}"),
            ],
        });
        let diagnostics = [fixable, finding(None, Status::Info)];
        let files = [FileReport { display: "a.py", source: Some(&source), diagnostics: &diagnostics }];
        let (code, name) = ("FM121", "image-spec-conda-packages");
        let message = "`conda_packages` has no equivalent in `flyte.Image`";
        let at = |row: usize, column: usize| json!({"row": row, "column": column});
        assert_eq!(
            rendered(&files),
            json!({
                "version": 1,
                "summary": {
                    "files_checked": 4, "files_with_findings": 1, "findings": 1,
                    "fixed": 0, "fixable": 1, "unsafe": 0, "manual": 0, "info": 1
                },
                "diagnostics": [
                    {
                        "code": code, "name": name, "severity": "info", "status": "info", "message": message,
                        "filename": "a.py", "location": at(1, 1), "end_location": at(1, 1), "help": null, "fix": null
                    },
                    {
                        "code": code, "name": name, "severity": "warning", "status": "fixable", "message": message,
                        "filename": "a.py", "location": at(2, 1), "end_location": at(2, 2), "help": "Do it",
                        "fix": {
                            "applicability": "safe", "title": "Rename it",
                            "edits": [
                                {"content": "y\"\u{1b}", "location": at(2, 1), "end_location": at(2, 2)},
                                {"content": "3", "location": at(2, 6), "end_location": at(2, 6)}
                            ]
                        }
                    }
                ]
            })
        );
    }

    #[test]
    fn nothing_found_is_an_object_too() {
        let value = rendered(&[]);
        assert_eq!((&value["version"], &value["diagnostics"]), (&json!(1), &json!([])));
    }

    #[test]
    fn a_closed_pipe_stays_a_closed_pipe() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert_eq!(render(&Report::new(&[], 0), &mut Closed).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
