//! Findings: what was found, where, and what to do about it.

pub mod render;

use crate::edit::Fix;
use crate::source::TextRange;

/// A kind of finding. Each is a `static` beside the code that raises it; `rules::RULES` lists them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The code, such as `FM103`; never reused.
    pub code: &'static str,
    /// The name in kebab case; it says what is wrong, never the fix.
    pub name: &'static str,
    /// One sentence for the table of rules.
    pub summary: &'static str,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing to do: what Flyte 2 changes everywhere, or what a fix decided.
    Info,
    /// Something to do, or to look at.
    Warning,
    /// The file could not be handled.
    Error,
}

/// What became of a finding in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Its fix was written.
    Fixed,
    /// Its fix is safe: `--write` applies it.
    Fixable,
    /// Its fix needs `--unsafe-fixes`.
    Unsafe,
    /// It needs work by hand.
    Manual,
    /// It needs nothing.
    Info,
}

/// One finding in one file.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// Which rule speaks.
    pub rule: &'static Rule,
    /// How much it matters.
    pub severity: Severity,
    /// What was found; begins with the subject in backticks, no final full stop.
    pub message: String,
    /// Where; `None` for the file as a whole.
    pub range: Option<TextRange>,
    /// What to do, as an imperative sentence without a final full stop.
    pub help: Option<String>,
    /// Further facts, a sentence each.
    pub notes: Vec<String>,
    /// The edits that settle it, if there are any.
    pub fix: Option<Fix>,
    /// What became of it.
    pub status: Status,
}
